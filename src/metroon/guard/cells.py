"""Cells: which numbers of a released table to withhold, so that no person can be worked out from the rest."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.sparse import block_diag, csc_array, csr_array, kron, vstack
from scipy.sparse.csgraph import connected_components

from metroon.base.estimate import ALL, INSIDE, Cell, Tally
from metroon.guard.alternatives import NEVER, Knot
from metroon.guard.links import Series, Tie, groups, independent, linked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]
    Equation = tuple[int, tuple[int, ...]]

PrivacyUnit = Literal["person", "event_on_person", "none"]
"""What a cell counts: people, events that happen to people, or things, which need no protection."""

USUAL_MINIMUM = 11
"""The cell rule of CalHHS and of Rhode Island's data use licence (privacy reference, section 3)."""
_HEADLINE = 1_000
"""Added to the tier of a city total, so that it is the last to be hidden."""
_DEEPEST = 100
"""More totals of totals than any table has: the lines go in a circle."""
_ROWS = tuple(frozenset(row.split()) for row in ("yes", "no", "unknown", "yes no", "yes no unknown"))
"""What a published cell tells: its components, its trials, and all its rows."""


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
    """

    measure: str
    is_share: bool
    tallies: Mapping[Cell, Tally]
    lines: tuple[Line, ...]
    unpublished: frozenset[Cell]
    unit: PrivacyUnit
    minimum_cell: int = USUAL_MINIMUM


@dataclass(frozen=True)
class Hiding:
    """The published cells that must be withheld, with all that they say.

    Args:
        primary: Too small themselves.
        secondary: Would give a small one away.
    """

    primary: frozenset[Cell]
    secondary: frozenset[Cell]


def hide(tables: Sequence[CellTable]) -> Mapping[str, Hiding]:
    """Chooses the cells to withhold, so that each small count stays in doubt.

    A published cell is primary when a component of it is small (``yes`` and ``unknown`` of a count; ``no``
    too of a share), when a share is all yes or all no (who is in the group has the outcome), or when fewer
    people than the minimum are behind it. Secondary cells are then added, least loss first: small before
    large, parts before totals, city totals last. A reader who knows every other cell, the equations, and
    that counts are whole and not negative can then place no small count `a` closer than from
    ``a - min(a, 2)`` to ``a + max(3, 5 - min(a, 2))``.

    Tables that carry the same numbers (one's ``yes`` is another's trials, two have the same trials, one's
    failures are another's ``yes``, two counts add up to a third) hide the same cells, and each small count stays
    in doubt for a reader of all of them. So a table of things is withheld in part where it would tell of people.

    Higher minimums hide all that lower ones hide, when they are raised for all tables alike: the hiding for
    11 is that for 10, and what is still needed.

    Args:
        tables: All tables that are released together, each measure once.

    Returns:
        Measure -> what to withhold of it. The order of cells, lines and tables does not matter.

    Raises:
        ValueError: A measure comes twice, a line names a cell without tally or does not add up, or lines
            go in a circle.

    Assumes:
        Left to the release ledger: what earlier releases, other editions or microdata tell; a table that is part
        of another (severe crashes of all crashes) when the difference is no table itself; two geographies of one
        measure that are given as two tables without their common parts; rates from which a denominator tells the
        count; upper limits known from elsewhere. A reader who is one of the people counted is not modelled. A cell
        of many events on few people is in doubt by events, not by people. Across tied tables the other possible
        numbers may be fractions; within one table they are whole.

    Source:
        Fischetti and Salazar (2000), Journal of the American Statistical Association 95, 916-928,
        doi:10.1080/01621459.2000.10474282: protection levels and alternative tables. Hundepool et al. (2012),
        Statistical Disclosure Control, Wiley, chapter 4: group disclosure, linked tables.

    Example:
        >>> def cell(place): return Cell("2015", "wards", place) if place != "all" else Cell("2015")
        >>> counts = {"A": 3, "B": 20, "C": 50, "all": 73}
        >>> tallies = {cell(p): Tally(cell(p), n, 0, 0) for p, n in counts.items()}
        >>> line = Line(cell("all"), (cell("A"), cell("B"), cell("C")))
        >>> table = CellTable("crashes", False, tallies, (line,), frozenset(), "event_on_person")
        >>> found = hide([table])["crashes"]
        >>> [c.place for c in found.primary], [c.place for c in found.secondary]
        (['A'], ['B'])
    """
    if len({table.measure for table in tables}) < len(tables):
        raise ValueError("a measure has more than one table")
    ordered = sorted(tables, key=lambda table: table.measure)
    cells = sorted({cell for table in ordered for cell in table.tallies})
    index = {cell: at for at, cell in enumerate(cells)}
    sheets = [_Sheet.of(table, index) for table in ordered]
    for sheet in sheets:
        sheet.refuse_if_lines_do_not_add_up()
    ties = linked([series for at, sheet in enumerate(sheets) for series in sheet.series(at)])
    hidings: dict[str, Hiding] = {}
    for group in groups(len(sheets), ties):
        within = [tie for tie in ties if tie.total.table in group]
        hidden = _hidden({at: sheets[at] for at in group}, within, cells)
        for at in group:
            hidings[ordered[at].measure] = sheets[at].hiding(hidden, cells)
    return {table.measure: hidings[table.measure] for table in tables}


def hidden_share(table: CellTable, hiding: Hiding) -> float:
    """How much of a table is withheld, of the cells that have anything to tell.

    Args:
        table: The table before release.
        hiding: What is withheld of it.

    Returns:
        Hidden cells over published cells, among those that count anything; 0 to 1. Above about 0.3 a
        table is too fine: pool periods or places.

    Example:
        >>> a, b = Cell(place="A"), Cell(place="B")
        >>> tallies = {a: Tally(a, 3, 0, 0), b: Tally(b, 20, 0, 0)}
        >>> table = CellTable("crashes", False, tallies, (), frozenset(), "person")
        >>> hidden_share(table, Hiding(frozenset({a}), frozenset()))
        0.5
    """
    hidden = hiding.primary | hiding.secondary
    # Whether a hidden cell counts anything is hidden too: so this is what a reader of the release can work out.
    telling = ({c for c, t in table.tallies.items() if t.yes + t.no + t.unknown > 0} | hidden) - table.unpublished
    return len(telling & hidden) / len(telling) if telling else 0.0


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A table as arrays over the cells of all tables."""

    table: CellTable
    components: Mapping[str, Ints]
    present: Mask
    published: Mask
    people: Ints
    equations: frozenset[Equation]

    @classmethod
    def of(cls, table: CellTable, index: Mapping[Cell, int]) -> _Sheet:
        at = np.array([index[cell] for cell in table.tallies], dtype=np.int64)
        rows = [(t.yes, t.no, t.unknown, t.least_people or 0) for t in table.tallies.values()]
        counts = np.zeros((4, len(index)), dtype=np.int64)
        counts[:, at] = np.array(rows, dtype=np.int64).reshape(-1, 4).T
        if (counts < 0).any():
            raise ValueError(f"{table.measure}: a count is negative")
        components = {"yes": counts[0], "no": counts[1], "unknown": counts[2]}
        if not table.is_share:
            del components["no"]
        present = np.zeros(len(index), dtype=bool)
        present[at] = True
        published = present.copy()
        published[[index[cell] for cell in table.unpublished if cell in index]] = False
        return cls(table, components, present, published, counts[3], _equations(table, index))

    def refuse_if_lines_do_not_add_up(self) -> None:
        """Stops when an equation is false: what readers are thought to know would not be so."""
        matrix = self.matrix()
        wrong = np.any([matrix @ values != 0 for values in self.components.values()], axis=0)
        if wrong.any():
            raise ValueError(f"{self.table.measure}: {wrong.sum()} lines do not add up")

    def matrix(self) -> csr_array:
        """The equations, one a row: 1 for a part, -1 for the total."""
        return _matrix(sorted(self.equations), len(self.present))

    def series(self, number: int) -> list[Series]:
        """The rows of numbers that a reader gets from the table, sums of components included."""
        rows = dict.fromkeys(row.intersection(self.components) for row in _ROWS)
        sums = {row: np.sum([self.components[name] for name in sorted(row)], axis=0) for row in rows if row}
        return [Series(number, row, values, self.present, self.published) for row, values in sums.items()]

    def since(self, name: str, minimum: int) -> Ints:
        """The smallest minimum at which each count of a component needs protection, up to ``minimum``."""
        values = self.components[name]
        since = np.where(values > 0, values + 1, NEVER)
        if self.table.is_share and name != "unknown":
            other = self.components["no" if name == "yes" else "yes"]
            since[(values == 0) & (other > 0)] = 0
        few = (self.people > 0) & (values > 0)
        since[few] = np.minimum(since, self.people + 1)[few]
        if self.table.unit == "none":
            since[:] = NEVER
        return np.where(since <= minimum, since, NEVER)

    def small(self, minimum: int) -> Mask:
        """Where some component needs protection at this minimum."""
        since = np.min([self.since(name, minimum) for name in self.components], axis=0)
        return np.asarray(since < NEVER)

    def hiding(self, hidden: Mask, cells: Sequence[Cell]) -> Hiding:
        """What the hidden cells are to this table."""
        small = self.small(self.table.minimum_cell)
        return Hiding(
            frozenset(cells[at] for at in np.flatnonzero(hidden & self.published & small).tolist()),
            frozenset(cells[at] for at in np.flatnonzero(hidden & self.published & ~small).tolist()),
        )


def _hidden(sheets: Mapping[int, _Sheet], ties: Sequence[Tie], cells: Sequence[Cell]) -> Mask:
    published = np.any([sheet.published for sheet in sheets.values()], axis=0)
    since = np.array([s.since(n, s.table.minimum_cell) for s in sheets.values() for n in s.components])
    hidden = np.zeros(len(cells), dtype=bool)
    thresholds = np.unique(since[since < NEVER]).tolist()
    if not thresholds:
        return hidden
    knots = _knots(sheets, ties, published, cells)
    # Threshold by threshold, so that a higher minimum starts from what a lower one hides.
    for threshold in thresholds:
        hidden |= (since <= threshold).any(axis=0) & published
        for knot in knots:
            seen = published[knot.where]
            hidden[knot.where] |= seen & knot.protect(threshold, hidden[knot.where] | ~seen)
    return hidden


def _knots(sheets: Mapping[int, _Sheet], ties: Sequence[Tie], published: Mask, cells: Sequence[Cell]) -> list[Knot]:
    # Every count of every component of every table is a column; lines hold in each component alone.
    columns = [(number, name) for number, sheet in sorted(sheets.items()) for name in sheet.components]
    lines = block_diag([sheets[number].matrix() for number, _ in columns], format="csr")
    count = np.concatenate([sheets[number].components[name] for number, name in columns])
    since = np.concatenate([sheets[n].since(name, sheets[n].table.minimum_cell) for n, name in columns])
    tier = _tiers({e for sheet in sheets.values() for e in sheet.equations}, published, cells)
    cost = _costs(list(sheets.values()), cells)
    tied = _tied(ties, columns, len(cells))
    systems = [lines, csr_array(vstack([lines, tied]))] if tied.shape[0] else [lines]
    # First each component by itself, which is fast; then all that hangs together, of which little is left.
    return [
        Knot(
            at % len(cells),
            csc_array(matrix[rows][:, at]),
            count=count[at],
            since=since[at],
            tier=tier[at % len(cells)],
            cost=cost[at % len(cells)],
            is_whole=matrix is lines,
        )
        for matrix in systems
        for rows, at in _pieces(matrix, since)
        if matrix is lines or (rows >= lines.shape[0]).any()
    ]


def _tied(ties: Sequence[Tie], columns: Sequence[tuple[int, str]], cells: int) -> csr_array:
    # One row for each tie in each cell, but for those that follow from others in the same cell.
    signs = np.array([[_sign(tie, *column) for column in columns] for tie in ties], dtype=np.int64)
    holds = np.array([tie.holds() for tie in ties], dtype=bool).reshape(len(ties), cells)
    blocks = [csr_array((0, len(columns) * cells), dtype=np.int64)]
    patterns, pattern_of = np.unique(holds, axis=1, return_inverse=True)
    for at, pattern in enumerate(patterns.T):
        here = np.flatnonzero(pattern_of == at)
        eye = csr_array((np.ones(len(here), dtype=np.int64), (np.arange(len(here)), here)), shape=(len(here), cells))
        in_force = signs[np.flatnonzero(pattern)]
        blocks += [csr_array(kron(in_force[[row]], eye)) for row in independent(in_force)]
    return csr_array(vstack(blocks))


def _sign(tie: Tie, table: int, name: str) -> int:
    is_part = any(s.table == table and name in s.parts for s in tie.parts)
    return int(is_part) - int(tie.total.table == table and name in tie.total.parts)


def _pieces(matrix: csr_array, since: Ints) -> Iterator[tuple[Ints, Ints]]:
    lines, cells = matrix.shape
    row, cell = matrix.nonzero()
    graph = csr_array((np.ones(len(row)), (row, lines + cell)), shape=(lines + cells, lines + cells))
    _, label = connected_components(graph, directed=False)
    of_row, of_cell = label[:lines], label[lines:]
    for piece in np.unique(of_cell[since < NEVER]):
        rows = np.flatnonzero(of_row == piece)
        if len(rows):
            yield rows, np.flatnonzero(of_cell == piece)


def _equations(table: CellTable, index: Mapping[Cell, int]) -> frozenset[Equation]:
    named = {cell for line in table.lines for cell in (line.total, *line.parts)}
    if not named <= table.tallies.keys():
        raise ValueError(f"{table.measure}: {len(named - table.tallies.keys())} cells of lines have no tally")
    return frozenset((index[line.total], tuple(sorted(index[p] for p in line.parts))) for line in table.lines)


def _matrix(equations: Sequence[Equation], cells: int) -> csr_array:
    rows = [at for at, (_, parts) in enumerate(equations) for _ in range(len(parts) + 1)]
    columns = [cell for total, parts in equations for cell in (total, *parts)]
    signs = [sign for _, parts in equations for sign in (-1, *(1 for _ in parts))]
    return csr_array((np.array(signs, dtype=np.int64), (rows, columns)), shape=(len(equations), cells))


def _tiers(equations: Iterable[Equation], published: Mask, cells: Sequence[Cell]) -> Ints:
    # How many published totals a cell stands on; city totals above all.
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


def _costs(sheets: Sequence[_Sheet], cells: Sequence[Cell]) -> Floats:
    size = np.max([np.sum(list(sheet.components.values()), axis=0) for sheet in sheets], axis=0)
    small = np.any([sheet.small(USUAL_MINIMUM) for sheet in sheets], axis=0)
    # Equal losses are told apart by the cell's name, so that neither order nor edition changes the choice.
    names = ["|".join((c.period, c.geography, c.place, c.dimension, c.group)) for c in cells]
    apart = 1 + 0.01 * np.array([zlib.crc32(name.encode()) / 2**32 for name in names])
    # What the usual minimum hides anyway is nearly free, also where a lower one is asked for.
    return np.asarray(np.where(small, 0.01, 1.0) * (1 + np.log1p(size)) * apart)
