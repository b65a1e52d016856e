"""Cover: the cheapest choice of things that meets some inequalities, to which more are added as they are found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

_DIGITS = 9
"""Inequalities that agree to so many digits are the same."""
_HALF = 0.5
"""What is chosen more than half is chosen, within the tolerance of the solver."""
_LEFT = 0.3
"""How much of the share by which things are made dearer the solver may leave unproven."""
_IMPOSSIBLE = 2
"""What the solver says when no choice meets all inequalities."""


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The cheapest choice where things may be chosen in part.

    Args:
        chosen: How much of each thing, 0 to 1.
        cost: What it costs; no whole choice costs less.
        marginal: What one more of each thing would add to the cost: above 0 for things that do not pay.
    """

    chosen: Floats
    cost: float
    marginal: Floats


class Cover:
    """The problem ``min cost x, A x >= b, x chosen or not``, with rows of A and b that come in one by one.

    Args:
        cost: What each thing costs; above 0.

    Example:
        >>> cover = Cover(np.array([1.0, 1.0, 3.0]))
        >>> cover.add(np.array([0, 2]), np.array([1.0, 1.0]), 1.0)
        True
        >>> cover.add(np.array([1, 2]), np.array([1.0, 1.0]), 1.0)
        True
        >>> chosen, bound = cover.whole(np.ones(3, dtype=bool), seconds=60.0)
        >>> chosen.tolist(), bound
        ([True, True, False], 2.0)
    """

    def __init__(self, cost: Floats) -> None:
        self._cost = cost
        self._at: list[Ints] = []
        self._by: list[Floats] = []
        self._least: list[float] = []
        self._known: set[bytes] = set()

    @property
    def rows(self) -> int:
        """How many inequalities there are."""
        return len(self._least)

    def add(self, things: Ints, by: Floats, least: float) -> bool:
        """Takes in the inequality ``by @ x[things] >= least``; False when it is there already."""
        key = things.tobytes() + np.round(by, _DIGITS).tobytes() + np.round(least, _DIGITS).tobytes()
        if key in self._known:
            return False
        self._known.add(key)
        self._at.append(things)
        self._by.append(by)
        self._least.append(least)
        return True

    def relaxed(self) -> Relaxed | None:
        """The cheapest choice in parts; None when no choice meets all inequalities."""
        # Waits for scipy.optimize, which certificates are checked without.
        from scipy.optimize import linprog

        matrix = self._matrix()
        least = np.array(self._least)
        found = linprog(self._cost, A_ub=-matrix, b_ub=-least, bounds=(0, 1))  # type: ignore[call-overload]  # sparse
        if not found.success:
            return None
        marginal = np.asarray(found.lower.marginals + found.upper.marginals)
        return Relaxed(np.asarray(found.x), float(found.fun), marginal)

    def whole(self, open_: Mask, *, seconds: float, dearer: Floats | None = None) -> tuple[Mask | None, float]:
        """The cheapest choice among some things, and what none of these can cost less than.

        Args:
            open_: The things that may be chosen.
            seconds: When to stop.
            dearer: By which share of its cost each thing is made dearer, so that another of several equal choices is
                found; the bound allows for it.

        Returns:
            The things chosen, None when none was found; and the bound, infinite when no choice is possible.
        """
        # Waits for scipy.optimize, which certificates are checked without.
        from scipy.optimize import Bounds, LinearConstraint, milp

        factor = np.ones(len(self._cost)) if dearer is None else 1.0 + dearer
        widest = float(factor.max(initial=1.0))
        found = milp(
            self._cost * factor,
            integrality=np.ones(len(self._cost), dtype=np.int64),
            bounds=Bounds(0, open_.astype(float)),
            constraints=LinearConstraint(self._matrix(), np.array(self._least), np.inf),
            # What is within the share that was added may be left open.
            options={"time_limit": max(0.0, seconds), "mip_rel_gap": _LEFT * (widest - 1.0)},
        )
        if found.status == _IMPOSSIBLE:
            return None, np.inf
        bound = -np.inf if found.mip_dual_bound is None else float(found.mip_dual_bound) / widest
        return (None if found.x is None else np.asarray(found.x > _HALF)), bound

    def _matrix(self) -> csr_array:
        starts = np.cumsum([0, *(len(at) for at in self._at)])
        by = np.concatenate([np.zeros(0), *self._by])
        at = np.concatenate([np.zeros(0, dtype=np.int64), *self._at])
        return csr_array((by, at, starts), shape=(self.rows, len(self._cost)))
