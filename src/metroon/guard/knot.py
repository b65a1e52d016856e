"""Knots: cells that equations tie together, and the other tables that are known to be possible in them."""

from __future__ import annotations

from collections import defaultdict
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from metroon.guard.system import System

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

SLACK = 1e-7
"""How far a solution may be off its equations and bounds, for each unit of the numbers in them."""


class Knot:
    """Cells that can only move together, with the alternative tables found so far: sparse changes of the truth.

    Every alternative is checked as it comes in, with plain arithmetic: it keeps each equation, no cell leaves its
    floor or ceiling, and where only whole numbers are possible it is whole. So nothing rests on the solver.

    Args:
        system: All cells.
        cells: Those of the knot, as positions in the system.
        matrix: The equations over the movable cells.
    """

    def __init__(self, system: System, cells: Ints, matrix: csr_array) -> None:
        self.cells = cells
        self.matrix = matrix
        self.columns = csc_array(matrix)
        self.is_whole = system.is_whole
        value = system.value[cells]
        needed = system.needs[cells]
        wanted = np.concatenate([a[cells][needed] for a in (system.below, system.above, system.width)])
        # Money is counted in units of the doubt that is asked for, so that one tolerance serves all tables.
        self.unit = 1.0 if self.is_whole or not wanted.any() else float(np.median(wanted[wanted > 0]))
        self.value = value / self.unit
        self.room_down = np.maximum(0.0, (value - system.floor[cells]) / self.unit)
        self.room_up = np.maximum(0.0, (system.ceiling[cells] - value) / self.unit)
        if self.is_whole:
            self.room_down, self.room_up = np.floor(self.room_down + SLACK), np.floor(self.room_up + SLACK)
        self.above, self.below = _targets(system, cells, self.unit, self.room_up, self.room_down)
        self._forget()

    def _forget(self) -> None:
        count = len(self.cells)
        self.rise, self.fall = np.zeros(count), np.zeros(count)
        self.up, self.down = np.full(count, -1), np.full(count, -1)
        self.tables: list[tuple[Ints, Floats]] = []
        self._alive: list[bool] = []
        self._of: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)

    def as_known_to(self, cell: int) -> Knot:
        """The same cells for a reader who knows one of them, as the one person in it does.

        That person knows of being in each of its totals too, so that none of these can be less than 1.
        """
        view = copy(self)
        view.room_up, view.room_down = self.room_up.copy(), self.room_down.copy()
        view.above, view.below = self.above.copy(), self.below.copy()
        for array in (view.room_up, view.room_down, view.above, view.below):
            array[cell] = 0.0
        totals = self._totals(cell)
        below = np.minimum(view.below[totals], np.maximum(0.0, self.value[totals] - 1))
        view.above[totals] += view.below[totals] - below
        view.below[totals] = below
        view._forget()
        return view

    def _totals(self, cell: int) -> Ints:
        found, new = np.zeros(0, dtype=np.int64), np.array([cell])
        while len(new):
            rows = self.columns[:, new].tocoo()
            lines = self.matrix[np.unique(rows.row[rows.data > 0])].tocoo()
            new = np.setdiff1d(lines.col[lines.data < 0], found)
            found = np.union1d(found, new)
        return found

    def share(self, other: Knot) -> None:
        """Takes in the alternatives of another knot of the same cells that are possible here too."""
        fixed = (self.room_up == 0) & (self.room_down == 0)
        for (support, change), is_alive in zip(other.tables, other._alive, strict=True):
            if is_alive and not fixed[support].any():
                self.keep(support, change)

    def short(self, *, is_rise: bool) -> Mask:
        """Which cells are not yet known to go far enough up (or down)."""
        if is_rise:
            return np.asarray(self.rise < self.above * (1 - SLACK))
        return np.asarray(self.fall < self.below * (1 - SLACK))

    def learn(self, change: Floats) -> bool:
        """Takes in an alternative table, if it is one.

        Args:
            change: What it differs from the truth in each cell of the knot, in units of the knot.

        Returns:
            Whether the table is possible.
        """
        if self.is_whole:
            change = np.rint(change)
            slack: float | Floats = 0.0
            off = np.abs(self.matrix @ change)
        else:
            change = np.where(np.abs(change) > SLACK, change, 0.0)
            slack = SLACK * np.maximum(1.0, np.abs(self.value))
            # As measured in the equation's own numbers.
            off = np.abs(self.matrix @ change) - SLACK * np.maximum(1.0, abs(self.matrix) @ np.abs(self.value))
        if (off > 0).any() or (change < -self.room_down - slack).any() or (change > self.room_up + slack).any():
            return False
        support = np.flatnonzero(change)
        self.keep(support, change[support])
        return True

    def keep(self, support: Ints, change: Floats) -> None:
        """Notes an alternative that is known to be possible."""
        number = len(self.tables)
        self.tables.append((support, change))
        self._alive.append(True)
        for cell, move in zip(support.tolist(), change.tolist(), strict=True):
            self._of[cell].append((number, move))
        self._credit(number)

    def _credit(self, number: int) -> None:
        support, change = self.tables[number]
        more = support[change > self.rise[support]]
        less = support[-change > self.fall[support]]
        self.rise[more] = change[change > self.rise[support]]
        self.up[more] = number
        self.fall[less] = -change[-change > self.fall[support]]
        self.down[less] = number

    def using(self, cell: int) -> list[int]:
        """The alternatives in which a cell moves."""
        return [number for number, _ in self._of[cell] if self._alive[number]]

    def without(self, moved: Ints) -> Before:
        """Sets aside all alternatives in which some cells move.

        Returns:
            How it was before: for ``back``.
        """
        gone = sorted({number for cell in moved.tolist() for number in self.using(cell)})
        before = Before(gone, len(self.tables), (self.rise.copy(), self.fall.copy(), self.up.copy(), self.down.copy()))
        if gone:
            for number in gone:
                self._alive[number] = False
            lost = np.zeros(len(self.tables) + 1, dtype=bool)
            lost[gone] = True
            for cell in np.flatnonzero(lost[self.up] | lost[self.down]).tolist():
                self._recount(cell)
        return before

    def back(self, before: Before) -> None:
        """Makes all as it was before ``without``."""
        for number in range(before.tables, len(self.tables)):
            for cell in self.tables[number][0].tolist():
                self._of[cell].pop()
        del self.tables[before.tables :], self._alive[before.tables :]
        for number in before.gone:
            self._alive[number] = True
        self.rise, self.fall, self.up, self.down = before.reach

    def _recount(self, cell: int) -> None:
        moves = [(move, number) for number, move in self._of[cell] if self._alive[number]]
        most, up = max(moves, default=(0.0, -1))
        least, down = min(moves, default=(0.0, -1))
        self.rise[cell], self.up[cell] = (most, up) if most > 0 else (0.0, -1)
        self.fall[cell], self.down[cell] = (-least, down) if least < 0 else (0.0, -1)


@dataclass(frozen=True, eq=False)
class Before:
    """What a knot knew: the alternatives that were set aside, how many there were, and how far cells went."""

    gone: list[int]
    tables: int
    reach: tuple[Floats, Floats, Ints, Ints]


def knots(system: System, movable: Mask, wanted: Mask) -> Iterator[Knot]:
    """The parts of a system that hang together, of those that hold a cell which is asked about.

    Args:
        system: All cells.
        movable: The cells that may be other than they are; a reader is sure of the rest.
        wanted: The cells that are asked about.
    """
    cells = np.flatnonzero(movable)
    matrix = csr_array(csc_array(system.matrix)[:, cells])
    lines, count = matrix.shape
    row, cell = matrix.nonzero()
    graph = csr_array((np.ones(len(row)), (row, lines + cell)), shape=(lines + count, lines + count))
    _, label = connected_components(graph, directed=False)
    of_row, of_cell = label[:lines], label[lines:]
    row_order, cell_order = np.argsort(of_row, kind="stable"), np.argsort(of_cell, kind="stable")
    first = np.unique(of_cell[wanted[cells]])
    starts = np.searchsorted(of_cell[cell_order], first), np.searchsorted(of_row[row_order], first)
    ends = np.searchsorted(of_cell[cell_order], first, "right"), np.searchsorted(of_row[row_order], first, "right")
    for at in range(len(first)):
        members = cell_order[starts[0][at] : ends[0][at]]
        rows = row_order[starts[1][at] : ends[1][at]]
        yield Knot(system, cells[members], csr_array(matrix[rows][:, members]))


def _targets(system: System, cells: Ints, unit: float, up: Floats, down: Floats) -> tuple[Floats, Floats]:
    # How far each cell must be seen to rise and to fall, so that both needs and the width are met.
    above, below, width = (a[cells] / unit for a in (system.above, system.below, system.width))
    if system.is_whole:
        above, below, width = np.ceil(above - SLACK), np.ceil(below - SLACK), np.ceil(width - SLACK)
    # Rises are the easier half: most cells can grow without end.
    above = np.maximum(above, np.minimum(up, width - below))
    below = np.maximum(below, width - above)
    return np.maximum(above, 0.0), np.maximum(below, 0.0)
