"""The grid: every cell that a measure's rows are counted into, and every sum that ties the cells together.

A reader with a map, a calendar and a calculator knows these sums. So the grid also holds cells that this measure
never shows: what other measures released together show, what lies in two areas at once, what lies in none, and the
shorter periods that a longer one is made of.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from metroon.base.estimate import ALL, INSIDE, NOWHERE, OUTSIDE, Cell
from metroon.base.period import first_day
from metroon.base.period import name as period_name
from metroon.guard.cells import Line
from metroon.locate import column as place_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence, Set

    from metroon.base.engine import Engine, Relation
    from metroon.base.period import Grain
    from metroon.base.places import Places

Counts = tuple[int, int, int, int | None]
"""Successes, failures, unknown, and the fewest different people behind one of them."""
NOTHING: Counts = (0, 0, 0, None)
PERIOD, LONGER, OUTCOME, WHO, GROUP = "_period", "_longer_", "_outcome", "_who", "_group_"
"""Columns of the rows: their period, longer periods that others count, their outcome, their person, their groups."""
_CROSS = "\x1f"  # a sign that no key of a place holds


@dataclass(frozen=True)
class Grid:
    """The counts of one measure, cell by cell.

    Args:
        counts: Every cell; zero where nothing happened.
        lines: Every sum.
        shown: The cells that the measure releases.
    """

    counts: Mapping[Cell, Counts]
    lines: tuple[Line, ...]
    shown: frozenset[Cell]


def grid(
    engine: Engine,
    rows: Relation,
    *,
    periods: Sequence[str],
    covered: Sequence[str],
    longer: Sequence[Grain],
    geographies: Sequence[Places],
    asked: Sequence[str],
    groups: Sequence[str],
    overlaps: Mapping[tuple[str, str], set[tuple[str, str]]],
    is_rate: bool,
) -> Grid:
    """Count rows into every cell.

    Args:
        engine: The engine.
        rows: Rows with the columns named above, and the place of each in every geography.
        periods: Every period that has rows or is released.
        covered: The periods to release.
        longer: Longer grains in which measures released together count the same dates.
        geographies: Geographies that cells are made for, those to release first.
        asked: Ids of those to release.
        groups: Columns that make groups.
        overlaps: For pairs of geographies: which places share ground.
        is_rate: Whether the city's number is of the residents of the first geography: it counts only what lies
            inside, and what lies outside is in no number.

    Returns:
        The grid. In each geography the places, outside and no place add up to the city; so do the groups.
    """
    made = _Grid(engine, rows, geographies, asked, groups, overlaps)
    counts = made.count(PERIOD, periods)
    lines = [*made.lines(counts, periods)]
    for grain in longer:
        sums = list(_time_lines(counts, grain))
        counts |= dict.fromkeys((line.total for line in sums), NOTHING) | made.count(LONGER + grain, [])
        lines += sums
    first = geographies[0] if is_rate and geographies and geographies[0].id in asked else None
    if first:
        for period in covered:
            # Where nobody knows how many live, what happens is in no rate, nor in the city's.
            inside = tuple(Cell(period, first.id, k) for k in first.names if k in first.people)
            lines.append(Line(Cell(period, first.id, INSIDE), inside))
        counts |= made.inside(first, covered)
    told = set(covered)
    first_id = first.id if first else ""
    shown = (c for c in counts if c.period in told and _is_shown(c, set(asked), first_id, is_rate=is_rate))
    return Grid(counts, tuple(lines), frozenset(shown))


def is_nested(pairs: Set[tuple[str, str]]) -> bool:
    """Whether each place of one geography shares ground with at most one of the other.

    Example:
        >>> is_nested({("north", "1"), ("south", "1")}), is_nested({("n", "1"), ("n", "2"), ("s", "1")})
        (True, False)
    """
    return bool(pairs) and any(len({p[side] for p in pairs}) == len(pairs) for side in (0, 1))


def released_as(cell: Cell) -> Cell:
    """The cell under which a number is released: what lies inside all areas is the city's.

    Example:
        >>> released_as(Cell("2015", "district", INSIDE)) == Cell("2015")
        True
    """
    return Cell(cell.period) if cell.place == INSIDE else cell


def _is_shown(cell: Cell, asked: set[str], first: str, *, is_rate: bool) -> bool:
    if is_rate:
        lost = cell.place in (OUTSIDE, NOWHERE)
        is_city = cell.place == INSIDE if first else cell.geography == ALL
        return is_city or (cell.geography in asked and not lost)
    return cell.geography == ALL or cell.geography in asked


def _time_lines(counts: Mapping[Cell, Counts], grain: Grain) -> Iterator[Line]:
    found: dict[Cell, list[Cell]] = {}
    for cell in counts:
        longer = ALL if grain == "all" else period_name(first_day(cell.period), grain)
        if longer != cell.period:
            found.setdefault(replace(cell, period=longer), []).append(cell)
    for total, parts in found.items():
        yield Line(total, tuple(sorted(parts)))


class _Grid:
    def __init__(
        self,
        engine: Engine,
        rows: Relation,
        geographies: Sequence[Places],
        asked: Sequence[str],
        groups: Sequence[str],
        overlaps: Mapping[tuple[str, str], set[tuple[str, str]]],
    ) -> None:
        self._engine, self._rows = engine, rows
        self._geographies, self._asked = geographies, set(asked)
        self._groups, self._overlaps = groups, overlaps

    def count(self, column: str, periods: Sequence[str]) -> dict[Cell, Counts]:
        """The cells of some periods: the city, each place, each pair of places that share ground, each group."""
        made = {Cell(p): NOTHING for p in periods}
        made |= self._level(column, [], lambda p: Cell(p))
        for g in self._geographies:
            made |= {Cell(p, g.id, k): NOTHING for p in periods for k in (*g.names, OUTSIDE, NOWHERE)}
            made |= self._level(column, [place_column(g.id)], lambda p, k, g=g: Cell(p, g.id, k))
        for a, b in self._crossed():
            possible = self._overlaps.get((a, b), set())
            made |= {_atom(p, a, b, i, j): NOTHING for p in periods for i, j in possible}
            columns = [place_column(a), place_column(b)]
            made |= self._level(column, columns, lambda p, i, j, a=a, b=b: _atom(p, a, b, i, j))
        for d in self._groups:
            made |= self._level(column, [GROUP + d], lambda p, v, d=d: Cell(p, ALL, ALL, d, v))
        return made

    def lines(self, counts: Mapping[Cell, Counts], periods: Sequence[str]) -> Iterator[Line]:
        """The sums within each period."""
        by_line: dict[Cell, dict[str, list[Cell]]] = {}
        for cell in counts:
            for total, kind in self._totals(cell):
                by_line.setdefault(total, {}).setdefault(kind, []).append(cell)
        for total, kinds in by_line.items():
            for parts in kinds.values():
                yield Line(total, tuple(sorted(parts)))
        bands = [(g, b) for g in self._geographies for b in self._geographies if b.base == g.id]
        for whole, band in bands:
            for period in periods:
                yield from _band_lines(period, whole, band)

    def _totals(self, cell: Cell) -> Iterator[tuple[Cell, str]]:
        if cell.dimension != ALL:
            yield Cell(cell.period), cell.dimension
        elif _CROSS in cell.geography:
            for at, (geography, place) in enumerate(
                zip(cell.geography.split(_CROSS), cell.place.split(_CROSS), strict=True)
            ):
                yield Cell(cell.period, geography, place), f"{cell.geography}{at}"
        elif cell.geography != ALL:
            yield Cell(cell.period), cell.geography

    def _crossed(self) -> Iterator[tuple[str, str]]:
        for a, b in combinations(self._geographies, 2):
            is_band = b.base == a.id or a.base == b.id  # a sum of areas: what they share needs no cell of its own
            is_both = {a.id, b.id} <= self._asked
            if not is_band and (is_both or is_nested(self._overlaps.get((a.id, b.id), set()))):
                yield a.id, b.id

    def inside(self, geography: Places, periods: Sequence[str]) -> dict[Cell, Counts]:
        """The cells of what lies in any of the places whose residents are known, all together."""
        made = {Cell(p, geography.id, INSIDE): NOTHING for p in periods}
        place = self._rows[place_column(geography.id)]
        rows = self._rows.filter(place.isin(list(geography.people)) & self._rows[PERIOD].isin(list(periods)))
        return made | self._level(PERIOD, [], lambda p: Cell(p, geography.id, INSIDE), rows)

    def _level(
        self, column: str, columns: list[str], cell: Callable[..., Cell], within: Relation | None = None
    ) -> dict[Cell, Counts]:
        rows = self._rows if within is None else within
        yes, known = rows[OUTCOME].fill_null(False), rows[OUTCOME].notnull()
        parts = {"_yes": yes, "_no": ~yes & known, "_unknown": ~known}
        sums = {k: v.cast("int64").sum() for k, v in parts.items()}
        who = {f"{k}_who": rows[WHO].nunique(where=v) for k, v in parts.items()} if WHO in rows.columns else {}
        made = {}
        for r in self._engine.rows(rows.group_by([column, *columns]).aggregate(**sums, **who)):
            different = [r[k] for k in who if r[k]]
            counts = (int(r["_yes"]), int(r["_no"]), int(r["_unknown"]), min(different, default=None))
            made[cell(r[column], *(r[c] for c in columns))] = counts
        return made


def _band_lines(period: str, whole: Places, band: Places) -> Iterator[Line]:
    members: dict[str, list[Cell]] = {k: [] for k in (*band.names, OUTSIDE)}
    for key in whole.names:
        members[band.areas.get(key, OUTSIDE)].append(Cell(period, whole.id, key))
    members[OUTSIDE].append(Cell(period, whole.id, OUTSIDE))
    for place, parts in members.items():
        if parts:
            yield Line(Cell(period, band.id, place), tuple(parts))
    yield Line(Cell(period, band.id, NOWHERE), (Cell(period, whole.id, NOWHERE),))


def _atom(period: str, a: str, b: str, i: str, j: str) -> Cell:
    return Cell(period, f"{a}{_CROSS}{b}", f"{i}{_CROSS}{j}")
