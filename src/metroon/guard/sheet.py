"""Sheets: the tables of measures as arrays, and what of each must stay in doubt."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.sparse import csr_array

from metroon.base.estimate import ALL, INSIDE
from metroon.guard.links import Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from metroon.base.estimate import Cell, Tally

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]
    Equation = tuple[int, tuple[int, ...]]

PrivacyUnit = Literal["person", "event_on_person", "none"]
"""What a cell counts: people, events that happen to people, or things, which need no protection."""

USUAL_MINIMUM = 11
"""The cell rule of CalHHS and of Rhode Island's data use licence (privacy reference, section 3)."""
WIDTH = 5
"""How wide the doubt about a protected count must be, at the least (privacy reference, section 4)."""
NEVER = np.iinfo(np.int64).max
"""Stands for a count that needs no protection at any threshold."""
COMPONENTS = ("yes", "no", "unknown")
"""What is counted in a cell."""
_HEADLINE = 100
"""Added to the tier of a city total, so that it is the last to be hidden."""
_DEEPEST = 100
"""More totals of totals than any table has: the lines go in a circle."""
_ROWS = tuple(frozenset(row.split()) for row in ("yes", "no", "unknown", "yes no", "yes no unknown"))
"""What a published cell tells: its components, its trials, and all its rows."""


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


@dataclass(frozen=True, slots=True)
class Line:
    """One equation that every reader knows: the total is the sum of the parts, in every component.

    Args:
        total: The cell that is the sum.
        parts: The cells that are added up.
    """

    total: Cell
    parts: tuple[Cell, ...]


@dataclass(frozen=True)
class CellTable:
    """One measure's table, before release.

    Args:
        measure: Id of the measure.
        is_share: Whether ``no`` is published too, as the rest of the trials.
        tallies: Every cell that a line names or that is published.
        lines: The equations between the cells.
        unpublished: Cells that are in the equations but never shown, such as the common parts of two
            geographies. Small ones are protected from being worked out like hidden ones.
        unit: What a cell counts.
        minimum_cell: Counts from 1 to one less than this are small.
        released_as: Cells that are released under the name of another.
        doubtful: Cells whose ``yes`` must stay in doubt whatever it is, 0 too.
        withheld: Cells to withhold though their counts are safe, such as those whose total is not.
    """

    measure: str
    is_share: bool
    tallies: Mapping[Cell, Tally]
    lines: tuple[Line, ...]
    unpublished: frozenset[Cell]
    unit: PrivacyUnit
    minimum_cell: int = USUAL_MINIMUM
    released_as: Mapping[Cell, Cell] = field(default_factory=dict)
    doubtful: frozenset[Cell] = frozenset()
    withheld: frozenset[Cell] = frozenset()


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table as arrays over the cells of all tables."""

    table: CellTable
    components: Mapping[str, Ints]
    present: Mask
    published: Mask
    people: Ints
    equations: frozenset[Equation]
    doubtful: Ints
    withheld: Ints

    @classmethod
    def of(cls, table: CellTable, index: Mapping[Cell, int]) -> Sheet:
        """The sheet of a table.

        Args:
            table: The table.
            index: The number of each cell of all tables.

        Raises:
            ValueError: A count is negative, or a line names a cell without tally.
        """
        at = np.array([index[cell] for cell in table.tallies], dtype=np.int64)
        rows = [(t.yes, t.no, t.unknown, t.least_people or 0) for t in table.tallies.values()]
        counts = np.zeros((4, len(index)), dtype=np.int64)
        counts[:, at] = np.array(rows, dtype=np.int64).reshape(-1, 4).T
        if (counts < 0).any():
            raise ValueError(f"{table.measure}: a count is negative")
        components = dict(zip(COMPONENTS, counts[:3], strict=True))
        if not table.is_share:
            del components["no"]
        present = np.zeros(len(index), dtype=bool)
        present[at] = True
        published = present.copy()
        published[[index[cell] for cell in table.unpublished if cell in index]] = False
        marked = [np.array(sorted(index[c] for c in of), dtype=np.int64) for of in (table.doubtful, table.withheld)]
        return cls(table, components, present, published, counts[3], _equations(table, index), *marked)

    def refuse_if_lines_do_not_add_up(self) -> None:
        """Stops when an equation is false: what readers are thought to know would not be so."""
        matrix = self.matrix()
        wrong = np.any([matrix @ values != 0 for values in self.components.values()], axis=0)
        if wrong.any():
            raise ValueError(f"{self.table.measure}: {wrong.sum()} lines do not add up")

    def matrix(self) -> csr_array:
        """The equations, one a row: 1 for a part, -1 for the total."""
        equations = sorted(self.equations)
        rows = [at for at, (_, parts) in enumerate(equations) for _ in range(len(parts) + 1)]
        columns = [cell for total, parts in equations for cell in (total, *parts)]
        signs = [sign for _, parts in equations for sign in (-1.0, *(1.0 for _ in parts))]
        return csr_array((np.array(signs), (rows, columns)), shape=(len(equations), len(self.present)))

    def series(self, number: int) -> list[Series]:
        """The rows of numbers that a reader gets from the table, sums of components included."""
        rows = dict.fromkeys(row.intersection(self.components) for row in _ROWS)
        sums = {row: self.sum_of(row) for row in rows if row}
        return [Series(number, row, values, self.present, self.published) for row, values in sums.items()]

    def sum_of(self, parts: Iterable[str]) -> Ints:
        """Some components added up in each cell."""
        return np.asarray(np.sum([self.components[name] for name in sorted(parts)], axis=0), dtype=np.int64)

    def since(self, name: str, minimum: int) -> Ints:
        """The smallest minimum at which each count of a component needs protection, up to ``minimum``."""
        values = self.components[name]
        since = np.where(values > 0, values + 1, NEVER)
        if self.table.is_share and name != "unknown":
            other = self.components["no" if name == "yes" else "yes"]
            since[(values == 0) & (other > 0)] = 0
        few = (self.people > 0) & (values > 0)
        since[few] = np.minimum(since, self.people + 1)[few]
        if name == "yes":
            since[self.doubtful] = 0
        if self.table.unit == "none":
            since[:] = NEVER
        return np.where(since <= minimum, since, NEVER)

    @property
    def minimum(self) -> int:
        """Counts from 1 to one less than this are small; 0 for things."""
        return 0 if self.table.unit == "none" else self.table.minimum_cell

    def small(self, minimum: int) -> Mask:
        """Where some component needs protection at this minimum."""
        since = np.min([self.since(name, minimum) for name in self.components], axis=0)
        return np.asarray(since < NEVER)

    def hiding(self, hidden: Mask, cells: Sequence[Cell]) -> tuple[frozenset[Cell], frozenset[Cell]]:
        """The published cells among some: those that are small themselves, and the others."""
        small = self.small(self.table.minimum_cell)
        return (
            frozenset(cells[at] for at in np.flatnonzero(hidden & self.published & small).tolist()),
            frozenset(cells[at] for at in np.flatnonzero(hidden & self.published & ~small).tolist()),
        )


def tiers(equations: Iterable[Equation], published: Mask, cells: Sequence[Cell]) -> Ints:
    """How many published totals each cell stands on; city totals above all.

    Raises:
        ValueError: Lines go in a circle.
    """
    tier = np.zeros(len(cells), dtype=np.int64)
    changed = True
    while changed:
        changed = False
        for total, parts in equations:
            height = max((tier[p] + published[p] for p in parts), default=0)
            if height > _DEEPEST:
                raise ValueError("lines go in a circle")
            if height > tier[total]:
                tier[total], changed = height, True
    tier[[cell.place in (ALL, INSIDE) and cell.group == ALL for cell in cells]] += _HEADLINE
    return tier


def costs(sheets: Sequence[Sheet], cells: Sequence[Cell]) -> Floats:
    """What hiding each cell loses, among cells of its tier; above 0."""
    size = np.max([np.sum(list(sheet.components.values()), axis=0) for sheet in sheets], axis=0)
    small = np.any([sheet.small(USUAL_MINIMUM) for sheet in sheets], axis=0)
    # Equal losses are told apart by the cell's name, so that neither order nor edition changes the choice.
    names = ["|".join((c.period, c.geography, c.place, c.dimension, c.group)) for c in cells]
    apart = 1 + 0.01 * np.array([zlib.crc32(name.encode()) / 2**32 for name in names])
    # What the usual minimum hides anyway is nearly free, also where a lower one is asked for.
    return np.asarray(np.where(small, 0.01, 1.0) * (1 + np.log1p(size)) * apart)


def _equations(table: CellTable, index: Mapping[Cell, int]) -> frozenset[Equation]:
    named = {cell for line in table.lines for cell in (line.total, *line.parts)}
    if not named <= table.tallies.keys():
        raise ValueError(f"{table.measure}: {len(named - table.tallies.keys())} cells of lines have no tally")
    return frozenset((index[line.total], tuple(sorted(index[p] for p in line.parts))) for line in table.lines)
