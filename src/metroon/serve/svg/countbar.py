"""How many of each status, as one bar with one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from markupsafe import Markup

from metroon.serve.svg.line import attr, made

if TYPE_CHECKING:
    from collections.abc import Sequence

Look = Literal["good", "watch", "bad", "mute"]
"""The four looks of a status: on track, needs attention, off track, cannot be said."""
LOOKS: dict[str, str] = {"good": "g", "watch": "w", "bad": "b", "mute": "m"}


def countbar(counts: Sequence[tuple[str, int]], *, label: str) -> Markup:
    """One bar with a part for each status, in the order given.

    Args:
        counts: (Look, how many): ``good``, ``watch``, ``bad`` or ``mute``; parts of 0 are left out.
        label: The same in one sentence, such as ``3 on track, 1 off track``.

    Returns:
        ``div.count``; nothing when all counts are 0.
    """
    shown = [(LOOKS[look], n) for look, n in counts if n > 0]
    if not shown:
        return Markup("")
    parts = "".join(f'<i class="{look}" style="flex:{n}"></i>' for look, n in shown)
    return made(f'<div class="count" role="img" aria-label="{attr(label)}">{parts}</div>')
