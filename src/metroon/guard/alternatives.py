"""Alternative tables: what else the hidden numbers could be, for all that a reader can work out.

A hidden number is in doubt when there is another table, as lawful as the true one, that has the same
published numbers and another value in its place. Each such table is found by a solver and then checked in
whole numbers, so that nothing rests on the solver's tolerance, and a reader who knows that counts are whole
numbers is held off too. Only where several tables are tied together may its numbers be fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array, hstack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

WIDTH = 5
"""How wide the doubt about a protected count must be, at the least (privacy reference, section 4)."""
NEVER = np.iinfo(np.int64).max
"""Stands for a count that needs no protection at any threshold."""
_TIER = 1_000.0
"""A cell of the dearest tier allowed costs as much as a thousand below it: totals come last."""
_ZERO = 50.0
"""Hiding a zero protects nothing when the count beside it has to rise."""
_FREE = 1e-4
"""What it costs to move a cell that is hidden anyway: little, so that no table changes more than it needs."""
_TINY = 1e-9
"""What the solver means by zero."""
_SLACK = 1e-6
"""How far a solution may be off its equations, for each unit of its largest change, where fractions are allowed."""
_NODES = 200
"""Branches that the search for whole numbers may take: a fixed number, so that no clock decides."""


def below(count: Ints) -> Ints:
    """How far under a protected count the reader's doubt must reach.

    Example:
        >>> below(np.array([0, 1, 2, 10])).tolist()
        [0, 1, 2, 2]
    """
    return np.minimum(count, 2)


def above(count: Ints) -> Ints:
    """How far over a protected count the reader's doubt must reach, so that it is 5 wide near zero too.

    Example:
        >>> above(np.array([0, 1, 2, 10])).tolist()
        [5, 4, 3, 3]
    """
    return np.maximum(3, WIDTH - below(count))


@dataclass(frozen=True, eq=False)
class _Wish:
    """An alternative table that is looked for: which cell moves where, among which, at what price."""

    cell: int
    is_rise: bool
    unseen: Mask
    allowed: Mask
    price: Floats


class Knot:
    """Counts that equations tie together, and the doubt that must stay about some of them.

    Args:
        where: The cell in which each count stands. Counts of one cell are hidden together.
        matrix: One row per equation over the counts: 1 for a part, -1 for the total.
        count: The true counts.
        since: Smallest threshold at which a count needs protection; ``NEVER`` if none does.
        tier: How dear its cell is: none is hidden while those of lower tiers suffice.
        cost: What hiding its cell loses, among cells of the tier; above 0.
        is_whole: Whether alternative tables must be of whole numbers, as the true one is.

    Example:
        Two parts and their total, 3 + 20 = 23. To hide the 3, the 20 must go too.

        >>> one = np.array([0, 1, 2])
        >>> knot = Knot(one, csc_array([[1, 1, -1]]), count=np.array([3, 20, 23]),
        ...     since=np.array([4, 21, 24]), tier=np.array([0, 0, 1]), cost=np.ones(3))
        >>> knot.protect(11, np.array([True, False, False])).tolist()
        [True, True, False]
    """

    def __init__(
        self,
        where: Ints,
        matrix: csc_array,
        *,
        count: Ints,
        since: Ints,
        tier: Ints,
        cost: Floats,
        is_whole: bool = True,
    ) -> None:
        self.where = where
        self._matrix = matrix
        self._count = count
        self._since = since
        self._tier = tier
        self._cost = cost
        self._is_whole = is_whole
        self._rise = np.zeros_like(count)
        self._fall = np.zeros_like(count)

    def protect(self, threshold: int, unseen: Mask) -> Mask:
        """Hides more cells until each count that needs it is in doubt.

        Args:
            threshold: Counts whose ``since`` is at most this are protected.
            unseen: The counts that readers do not see; may only grow from call to call.

        Returns:
            The counts that readers must not see: ``unseen`` and what has been added.
        """
        self._certify_many(threshold, unseen)
        for cell in np.flatnonzero(self._since <= threshold):
            for is_rise in (True, False):
                if self._lacks(threshold, is_rise)[cell]:
                    unseen = self._make_room(int(cell), is_rise, unseen)
        return unseen

    def _lacks(self, threshold: int, is_rise: bool) -> Mask:
        short = self._rise < above(self._count) if is_rise else self._fall < below(self._count)
        return short & (self._since <= threshold)

    def _certify_many(self, threshold: int, unseen: Mask) -> None:
        # One alternative table speaks for every count that it changes enough, so ask for tables that move
        # as many as can be, each no farther than it needs, while that brings anything.
        free = np.flatnonzero(unseen)
        matrix, count = self._matrix[:, free], self._count[free]
        tried = {True: 0, False: 0}
        while True:
            lacking = {is_rise: self._lacks(threshold, is_rise)[free] for is_rise in tried}
            fresh = [is_rise for is_rise in tried if lacking[is_rise].sum() not in (0, tried[is_rise])]
            if not fresh:
                return
            is_rise, want = fresh[0], lacking[fresh[0]]
            tried[is_rise] = want.sum()
            high = np.where(want & is_rise, above(count), np.inf)
            low = np.where(want & (not is_rise), -below(count), -count).astype(float)
            price = np.where(want, -1.0 if is_rise else 1.0, 0.0)
            found = _solve(matrix, price=price, low=low, high=high)
            if found is not None:
                change = np.zeros(len(self._count))
                change[free] = found
                self._learn(change)

    def _make_room(self, cell: int, is_rise: bool, unseen: Mask) -> Mask:
        # The cheapest alternative table that changes this cell enough; what it changes is hidden.
        for tier in np.unique(self._tier):
            price = np.where(unseen, _FREE, self._cost * np.where(self._tier == tier, _TIER, 1.0))
            wish = _Wish(cell, is_rise, unseen, unseen | (self._tier <= tier), price)
            change = self._cheapest(wish)
            if change is not None and self._is_whole and not self._learn(change):
                change = self._cheapest_whole(wish, change)
            if change is not None and self._learn(change):
                moved = np.rint(change) != 0 if self._is_whole else np.abs(change) > _SLACK
                return np.asarray(unseen | np.isin(self.where, self.where[moved]))
        # Nothing helps: hide all that hangs together, and ask no more.
        self._rise[:], self._fall[:] = above(self._count), below(self._count)
        return np.ones_like(unseen)

    def _cheapest_whole(self, wish: _Wish, broken: Floats) -> Floats | None:
        # Three-way tables have corners with fractions. Whole numbers are nearly always found among the
        # cells of the broken solution, many times faster than among all.
        near = replace(wish, allowed=wish.allowed & (np.abs(broken) > _TINY))
        change = self._cheapest(near, is_whole=True)
        return self._cheapest(wish, is_whole=True) if change is None else change

    def _cheapest(self, wish: _Wish, *, is_whole: bool = False) -> Floats | None:
        need = int((above if wish.is_rise else below)(self._count)[wish.cell])
        among = np.flatnonzero(wish.allowed)
        count, price, cells = self._count[among], wish.price[among], len(among)
        price_up = price / need * np.where((count == 0) & ~wish.unseen[among], _ZERO, 1.0)
        # Hiding costs once, however far a cell moves: price each step by how many it could take.
        price_down = price / np.clip(count, 1, need)
        low, high = np.zeros(2 * cells), np.concatenate([np.full(cells, np.inf), count])
        up = int(np.searchsorted(among, wish.cell))
        toward, away = (up, cells + up) if wish.is_rise else (cells + up, up)
        low[toward], high[away] = need, 0
        matrix = hstack([self._matrix[:, among], -self._matrix[:, among]], format="csc")
        price = np.concatenate([price_up, price_down])
        found = _solve(matrix, price=price, low=low, high=high, is_whole=is_whole)
        if found is None:
            return None
        change = np.zeros(len(self._count))
        change[among] = found[:cells] - found[cells:]
        return change

    def _learn(self, change: Floats) -> bool:
        slack = 0.0 if self._is_whole else _SLACK * max(1.0, np.abs(change).max(initial=0.0))
        change = np.rint(change) if self._is_whole else change
        if (np.abs(self._matrix @ change) > slack).any() or (change < -self._count - slack).any():
            return False
        self._rise = np.maximum(self._rise, np.floor(change + slack).astype(np.int64))
        self._fall = np.maximum(self._fall, np.floor(slack - change).astype(np.int64))
        return True


def _solve(matrix: csc_array, *, price: Floats, low: Floats, high: Floats, is_whole: bool = False) -> Floats | None:
    used = np.bincount(matrix.indices, minlength=matrix.shape[0]) > 0
    found = milp(
        price,
        integrality=np.full(len(price), int(is_whole)),
        bounds=Bounds(low, high),
        constraints=LinearConstraint(matrix[used], 0, 0),
        options={"node_limit": _NODES},
    )
    return None if found.x is None else np.asarray(found.x)
