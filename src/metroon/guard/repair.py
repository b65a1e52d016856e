"""Repair: the search for other tables that a reader must allow for, and what has to be withheld for their sake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, hstack

from metroon.guard.region import Regions
from metroon.guard.solver import Program

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metroon.guard.knot import Knot

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

_FREE = 1e-4
"""What it costs to move a cell that is hidden anyway, of the usual price: no table changes more than it needs."""
_ZERO = 50.0
"""Hiding a zero protects nothing when the count beside it has to rise."""
_LONE = 1.0
"""How much cheaper a cell is for each equation with a single hidden cell: that one needs company anyway."""
_TRIES = 4
"""Corners that are tried for whole numbers before a longer search."""
_TINY = 1e-9
"""What the solver means by zero."""


def certify(knot: Knot, hidden: Mask, active: Mask) -> int:
    """Finds alternatives among the cells that are hidden, each for as many cells as can be.

    One alternative table speaks for every cell that it changes enough, so ask for tables that move as many as can
    be, each no farther than it needs, while that brings anything.

    Args:
        knot: Where what is found is kept.
        hidden: The cells that a reader does not see.
        active: The cells that need doubt now.

    Returns:
        How many programs were solved.
    """
    free = np.flatnonzero(hidden)
    solved = 0
    tried = {True: 0, False: 0}
    matrix = knot.columns[:, free]
    program: Program | None = None
    while True:
        lacking = {is_rise: (knot.short(is_rise=is_rise) & active)[free] for is_rise in tried}
        fresh = [is_rise for is_rise in tried if lacking[is_rise].sum() not in (0, tried[is_rise])]
        if not fresh:
            return solved
        is_rise, want = fresh[0], lacking[fresh[0]]
        tried[is_rise] = int(want.sum())
        low, high = -knot.room_down[free], knot.room_up[free]
        if is_rise:
            high = np.where(want, np.minimum(high, knot.above[free]), high)
        else:
            low = np.where(want, np.maximum(low, -knot.below[free]), low)
        if program is None:
            program = Program(matrix, low, high)
        every = np.arange(len(free))
        program.bound(every, low, high)
        program.price(every, np.where(want, -1.0 if is_rise else 1.0, 0.0))
        found = program.solve()
        solved += 1
        if found is not None:
            change = np.zeros(len(knot.cells))
            change[free] = found
            knot.learn(change)


@dataclass(frozen=True, eq=False)
class _Wish:
    """An alternative table that is looked for.

    Args:
        cell: Which cell moves.
        is_rise: Whether up.
        need: How far.
        hidden: What is hidden anyway.
        lone: For each cell, the equations in which it would join a single hidden one.
    """

    cell: int
    is_rise: bool
    need: float
    hidden: Mask
    lone: Floats


class Repair:
    """The search for the cheapest alternative table that changes one cell enough.

    Args:
        knot: The cells.
        price: What withholding each of them loses.
        regions: The regions of the knot, when they are known from another search.
    """

    def __init__(self, knot: Knot, price: Floats, regions: Regions | None = None) -> None:
        self.solved = 0
        self._knot = knot
        self._price = price / max(_TINY, float(np.median(price)))
        self.regions = regions or Regions(knot.matrix)
        self._ties = abs(knot.matrix)
        self._searches: dict[bytes, _Search] = {}

    def change(
        self, cell: int, is_rise: bool, hidden: Mask, *, is_closed: bool = False, is_last: bool = False
    ) -> Floats | None:
        """The cheapest alternative in which a cell goes far enough, of whole numbers where others are impossible.

        Args:
            cell: The cell, as a position in the knot.
            is_rise: Whether it has to rise; else to fall.
            hidden: Cells that are withheld anyway.
            is_closed: Whether no others may be withheld.
            is_last: Whether to look long, as nothing else will help.

        Returns:
            The change of each cell; None where none was found. The knot has learnt it.
        """
        knot = self._knot
        need = float((knot.above if is_rise else knot.below)[cell])
        if need > (knot.room_up if is_rise else knot.room_down)[cell] * (1 + _TINY):
            return None
        once = self._ties @ hidden.astype(np.float64) == 1
        wish, before = _Wish(cell, is_rise, need, hidden, self._ties.T @ once.astype(np.float64)), self.solved
        for region in self.regions.around(cell):
            if is_closed and self.solved > before:
                # A cell that is shown again must be easy to spare.
                break
            among = region[hidden[region]] if is_closed else region
            search = _Search(knot, among, self._price) if is_closed else self._search(region)
            found = search.cheapest(wish)
            self.solved += 1
            if found is None:
                continue
            if knot.learn(found):
                # What is lawful one way often is the other way too.
                knot.learn(-found)
                return np.rint(found) if knot.is_whole else found
            whole = self._whole(wish, search, found, is_last=is_last) if knot.is_whole else None
            if whole is not None:
                return np.rint(whole)
        return None

    def _whole(self, wish: _Wish, search: _Search, broken: Floats, *, is_last: bool) -> Floats | None:
        # Tables of three and more dimensions have corners with fractions, mostly halves. Another corner nearby is
        # whole in most cases, and is found many times faster than by a search among whole numbers.
        for found in (search.even(wish), *(search.cheapest(wish, noise=at) for at in range(1, _TRIES))):
            self.solved += 1
            if found is not None and self._knot.learn(found):
                self._knot.learn(-found)
                return found
        among = search.among
        moved = np.abs(broken[among]) > _TINY
        sets = (among[moved], among[wish.hidden[among] | moved])
        for near in sets if is_last else sets[:1]:
            found = _Search(self._knot, near, self._price, is_whole=True).cheapest(wish)
            self.solved += 1
            if found is not None and self._knot.learn(found):
                return found
        return None

    def _search(self, region: Ints) -> _Search:
        key = region[[0, -1]].tobytes() + len(region).to_bytes(8, "little")
        if key not in self._searches or not np.array_equal(self._searches[key].among, region):
            self._searches[key] = _Search(self._knot, region, self._price)
        return self._searches[key]


class _Search:
    """The cheapest alternatives among some cells."""

    def __init__(self, knot: Knot, among: Ints, price: Floats, *, is_whole: bool = False) -> None:
        self.among = among
        self._knot = knot
        self._price = price[among]
        self._up, self._down = knot.room_up[among], knot.room_down[among]
        self._told = np.zeros(2 * len(among))
        part = knot.columns[:, among]
        # One column for the rise of each cell, one for its fall.
        both = csc_array(hstack([part, -part], format="csc"))
        self._program = Program(
            both, np.zeros(2 * len(among)), np.concatenate([self._up, self._down]), is_whole=is_whole
        )

    def cheapest(self, wish: _Wish, *, noise: int = 0) -> Floats | None:
        """The change of each cell of the knot, if there is one.

        Args:
            wish: Which cell is to go where.
            noise: Another number tells cells of one price apart in another way; with 0 they are not.
        """
        self._reprice(wish, noise)
        return self._solved(wish, wish.need, self._up, self._down)

    def even(self, wish: _Wish) -> Floats | None:
        """The same in steps of two, so that halves are whole: dearer, as cells are taken to have less room."""
        up, down = 2 * np.floor(self._up / 2), 2 * np.floor(self._down / 2)
        every = np.arange(2 * len(self.among))
        self._program.bound(every, np.zeros(len(every)), np.concatenate([up, down]))
        found = self._solved(wish, 2 * np.ceil(wish.need / 2), up, down)
        self._program.bound(every, np.zeros(len(every)), np.concatenate([self._up, self._down]))
        return found

    def _solved(self, wish: _Wish, need: float, up: Floats, down: Floats) -> Floats | None:
        count = len(self.among)
        at = int(np.searchsorted(self.among, wish.cell))
        pair = np.array([at, count + at] if wish.is_rise else [count + at, at])
        most = np.concatenate([up, down])[pair]
        if most[0] < need:
            return None
        self._program.bound(pair, np.array([need, 0.0]), np.array([most[0], 0.0]))
        found = self._program.solve(is_fresh=True)
        self._program.bound(pair, np.zeros(2), most)
        if found is None:
            return None
        change = np.zeros(len(self._knot.cells))
        change[self.among] = found[:count] - found[count:]
        return change

    def _reprice(self, wish: _Wish, noise: int) -> None:
        hidden = wish.hidden[self.among]
        price = np.where(hidden, _FREE, self._price / (1 + _LONE * wish.lone[self.among]))
        if noise:
            price *= 1 + np.random.default_rng(noise).random(len(price))
        # Hiding costs once, however far a cell moves: price each step by how many it could take.
        least = min(1.0, wish.need)
        price_up = price / np.clip(self._up, least, wish.need) * np.where((self._down == 0) & ~hidden, _ZERO, 1.0)
        price_down = price / np.clip(self._down, least, wish.need)
        both = np.concatenate([price_up, price_down])
        new = np.flatnonzero(both != self._told)
        self._program.price(new, both[new])
        self._told = both
