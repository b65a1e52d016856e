"""Clean-up: cells that were withheld on the way and that are not needed in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from metroon.guard.knot import Before, Knot
    from metroon.guard.repair import Repair

    Mask = NDArray[np.bool_]
    Part = tuple[Knot, Repair, Mask, Mask, Mask]


def release(parts: Sequence[Part]) -> bool:
    """Shows some cells again, if all that needs doubt keeps it.

    Args:
        parts: Each knot in which cells would be shown, with its repair, the cells that would stay unseen, those that
            would be shown, and those that need doubt.

    Returns:
        Whether they may be shown. If not, the knots are as they were.
    """
    undo: list[tuple[Knot, Before]] = []
    for knot, repair, unseen, shown, active in parts:
        undo.append((knot, knot.without(np.flatnonzero(shown))))
        if not _holds(knot, repair, unseen, active):
            for changed, before in undo:
                changed.back(before)
            return False
    return True


def _holds(knot: Knot, repair: Repair, unseen: Mask, active: Mask) -> bool:
    lacking = [(is_rise, knot.short(is_rise=is_rise) & active) for is_rise in (True, False)]
    if not any(short.any() for _, short in lacking):
        return True
    # An equation with one unknown tells it.
    lone = knot.matrix[np.asarray(abs(knot.matrix) @ unseen.astype(np.float64) == 1).ravel()]
    if (active & unseen)[lone.indices].any():
        return False
    for is_rise, short in lacking:
        for cell in np.flatnonzero(short).tolist():
            if knot.short(is_rise=is_rise)[cell] and repair.change(cell, is_rise, unseen, is_closed=True) is None:
                return False
    return True
