"""Audit: what a reader can work out of the cells that are withheld, by linear programs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from metroon.guard.knot import SLACK, knots
from metroon.guard.repair import certify
from metroon.guard.solver import Program

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metroon.guard.knot import Knot
    from metroon.guard.system import System

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Audit:
    """How close a reader comes to each cell that must stay in doubt.

    Args:
        failing: The cells that a reader places too closely.
        low: For each cell that needs doubt, a value it could have for all that a reader knows; the least possible
            one where it fails, else one that is low enough. The true value where nothing is asked.
        high: Likewise, above it.
        solved: How many programs it took.
    """

    failing: Ints
    low: Floats
    high: Floats
    solved: int


def audit(system: System, hidden: Mask) -> Audit:
    """Tests every cell that must stay in doubt against all that a reader can work out.

    A solution of one program is a table that is possible to the reader, so it speaks for all cells at once: most
    cells are found in doubt before their own program is solved.

    Args:
        system: What is true, what a reader knows, and which cells need doubt.
        hidden: The cells that are withheld.

    Returns:
        The cells that fail, and how far the others have been seen to reach.

    Assumes:
        Numbers may be fractions to this reader. Where they must be whole, a reader may know more: the proof of
        ``suppress`` holds against that reader too.

    Source:
        Fischetti and Salazar (2000), Journal of the American Statistical Association 95, 916-928,
        doi:10.1080/01621459.2000.10474282: the attacker's problems and protection levels.

    Example:
        >>> from scipy.sparse import csr_array
        >>> from metroon.guard.system import system
        >>> need = np.array([2.0, 0, 0])
        >>> made = system(csr_array([[1, 1, -1]]), [3, 20, 23], below=need, above=need, width=2 * need)
        >>> audit(made, np.array([True, False, False])).failing.tolist()
        [0]
        >>> audit(made, np.array([True, True, False])).failing.tolist()
        []
    """
    shown = system.shown(hidden)
    low, high = system.value.copy(), system.value.copy()
    failing = system.needs & shown
    solved = 0
    for knot in knots(replace(system, is_whole=False), ~shown, system.needs):
        needs = system.needs[knot.cells]
        solved += certify(knot, np.ones(len(needs), dtype=bool), needs)
        short = needs & (knot.short(is_rise=True) | knot.short(is_rise=False))
        reader = _Reader(knot) if short.any() else None
        for cell in np.flatnonzero(short).tolist() if reader else ():
            if reader and not reader.is_in_doubt(cell, system):
                failing[knot.cells[cell]] = True
        solved += reader.solved if reader else 0
        fall, rise = (reader.fall, reader.rise) if reader else (knot.fall, knot.rise)
        low[knot.cells] -= np.where(needs, np.maximum(fall, 0.0), 0.0) * knot.unit
        high[knot.cells] += np.where(needs, np.maximum(rise, 0.0), 0.0) * knot.unit
    return Audit(np.flatnonzero(failing), low, high, solved)


def intervals(system: System, hidden: Mask, cells: Ints) -> tuple[Floats, Floats]:
    """Works out how closely a reader can place some cells.

    Args:
        system: What is true and what a reader knows.
        hidden: The cells that are withheld.
        cells: The cells to place.

    Returns:
        The least that each of them can be, and the most, infinite when there is no end; both the true value where
        the cell is shown or follows from others.

    Example:
        >>> from scipy.sparse import csr_array
        >>> from metroon.guard.system import system
        >>> made = system(csr_array([[1, 1, -1]]), [3, 20, 23])
        >>> least, most = intervals(made, np.array([True, True, False]), np.array([0]))
        >>> least.tolist(), most.tolist()
        ([0.0], [23.0])
    """
    shown = system.shown(hidden)
    low, high = system.value.copy(), system.value.copy()
    asked = np.zeros(system.cells, dtype=bool)
    asked[cells] = True
    for knot in knots(replace(system, is_whole=False), ~shown, asked):
        reader = _Reader(knot)
        for cell in np.flatnonzero(asked[knot.cells]).tolist():
            at = knot.cells[cell]
            high[at] += reader.most(cell) * knot.unit
            low[at] -= reader.least(cell) * knot.unit
    return low[cells], high[cells]


class _Reader:
    """A reader of one knot, who keeps the farthest that each cell was seen to go."""

    def __init__(self, knot: Knot) -> None:
        self.rise, self.fall = knot.rise.copy(), knot.fall.copy()
        self._program = Program(knot.columns, -knot.room_down, knot.room_up, is_primal=True)
        self._knot = knot

    @property
    def solved(self) -> int:
        return self._program.solved

    def is_in_doubt(self, cell: int, system: System) -> bool:
        """Whether a reader's interval of a cell is wide enough."""
        at, unit = self._knot.cells[cell], self._knot.unit
        above, below, width = (a[at] / unit for a in (system.above, system.below, system.width))
        if self.rise[cell] < max(above, width - self.fall[cell]) - SLACK:
            self.rise[cell] = self.most(cell)
        if self.fall[cell] < max(below, width - self.rise[cell]) - SLACK:
            self.fall[cell] = self.least(cell)
        if self.rise[cell] + self.fall[cell] < width - SLACK:
            self.rise[cell] = self.most(cell)
        near = SLACK * max(1.0, abs(self._knot.value[cell]))
        return bool(
            self.rise[cell] >= above - near
            and self.fall[cell] >= below - near
            and self.rise[cell] + self.fall[cell] >= width - 2 * near
        )

    def most(self, cell: int) -> float:
        """How far a cell can rise."""
        return self._farthest(cell, -1.0)

    def least(self, cell: int) -> float:
        """How far a cell can fall."""
        return self._farthest(cell, 1.0)

    def _farthest(self, cell: int, cost: float) -> float:
        one = np.array([cell])
        self._program.price(one, np.array([cost]))
        found = self._program.solve()
        is_endless = found is None and self._program.is_endless()  # asked before a price changes, which forgets it
        self._program.price(one, np.array([0.0]))
        if found is None:
            if is_endless:
                return float("inf")
            # Nothing is known of this cell, so nothing is claimed for it.
            return 0.0
        self.rise = np.maximum(self.rise, found)
        self.fall = np.maximum(self.fall, -found)
        return max(0.0, -cost * float(found[cell]))
