"""Tallies: rows counted into every cell that a measure speaks of, and the sums that tie the cells together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from typing import TYPE_CHECKING, Any

import ibis

from metroon.base.estimate import ALL, NOWHERE, OUTSIDE, UNKNOWN, Cell, Tally
from metroon.guard.cells import CellTable, Line
from metroon.locate import column as place_column
from metroon.measure.coverage import covered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.engine import Engine, Relation
    from metroon.base.places import Places
    from metroon.city.contract import Contract
    from metroon.measure.indicator import Indicator

Counts = tuple[int, int, int, int | None]
_CROSS = "\x1f"  # a sign that no key of a place holds


@dataclass(frozen=True)
class Tallied:
    """One measure, counted.

    Args:
        table: Every cell with the sums that tie them, as the guard needs it.
        periods: The periods that are covered wholly, in order.
        partial: Periods with rows that are not covered wholly, and are not released.
        undated: Rows without a date.
        undecided: Rows of which cannot be told whether they count.
        outside: Rows in no area of the first geography (they are in no rate).
    """

    table: CellTable
    periods: tuple[str, ...]
    partial: tuple[str, ...] = ()
    undated: int = 0
    undecided: int = 0
    outside: int = 0


def tally(
    engine: Engine,
    located: Relation,
    indicator: Indicator,
    contract: Contract,
    *,
    name: str,
    geographies: Sequence[Places],
    overlaps: Mapping[tuple[str, str], set[tuple[str, str]]],
    minimum_cell: int,
    as_of: date,
) -> Tallied:
    """Count the rows of a measure.

    Args:
        engine: The engine.
        located: Rows that know their place in each geography.
        indicator: The measure.
        contract: The product's promise.
        name: The measure's name.
        geographies: Those that the rows could be put into, in the measure's order.
        overlaps: For pairs of geographies: which places share ground.
        minimum_cell: Smallest group of people that may be shown.
        as_of: The day taken for today.

    Returns:
        Cells for the city, each place, each group, in each covered period; zero where nothing happened.
    """
    rows = _prepare(engine, located, indicator)
    undecided = engine.count(rows.filter(rows["_among"].isnull())) if indicator.among else 0
    rows = rows.filter(rows["_among"]) if indicator.among else rows
    rows = engine.table(engine.fetch(_narrow(rows, indicator, contract, geographies)))
    undated = engine.count(rows.filter(rows["_period"].isnull()))
    rows = rows.filter(rows["_period"].notnull())
    every = [str(r["_period"]) for r in engine.rows(rows.select("_period").distinct())]
    periods = _covered(engine, rows, indicator, every, as_of)
    rows = rows.filter(rows["_period"].isin(periods)) if periods else rows.limit(0)
    cells = _Cells(engine, rows, indicator, contract, geographies, overlaps, periods)
    first = geographies[0].id if geographies else ""
    lost = [c for c in cells.counts if c.geography == first and c.place in (OUTSIDE, NOWHERE)]
    table = CellTable(
        measure=name,
        is_share=indicator.is_share,
        tallies=cells.tallies(),
        lines=tuple(cells.lines()),
        unpublished=frozenset(cells.unpublished()),
        unit=contract.unit or "person",
        minimum_cell=minimum_cell,
    )
    return Tallied(
        table,
        tuple(periods),
        tuple(sorted(set(every) - set(periods))),
        undated,
        undecided,
        sum(sum(cells.counts[c][:3]) for c in lost),
    )


def _prepare(engine: Engine, rows: Relation, indicator: Indicator) -> Relation:
    if indicator.among:
        rows = engine.with_column(rows, "_among", f"cast(({indicator.among}) as boolean)")
    outcome = indicator.outcome()
    if outcome is None:
        return rows.mutate(_outcome=ibis.literal(True))
    return engine.with_column(rows, "_outcome", f"cast(({outcome}) as boolean)")


def _narrow(rows: Relation, indicator: Indicator, contract: Contract, geographies: Sequence[Places]) -> Relation:
    period, day = _period(rows, indicator)
    people = {"_who": rows[contract.person_key].cast("string")} if contract.person_key else {}
    return rows.select(
        _period=period,
        _day=day,
        _outcome=rows["_outcome"],
        **people,
        **{place_column(g.id): rows[place_column(g.id)] for g in geographies},
        **{f"_group_{d}": _group(rows[d]) for d in indicator.groups},
    )


def _group(column: Any) -> Any:
    text = column.cast("string")
    return (text == "").ifelse(ibis.null("string"), text).fill_null(UNKNOWN)


def _period(rows: Relation, indicator: Indicator) -> tuple[Any, Any]:
    if indicator.period is None:
        return ibis.literal(ALL), ibis.null("date")
    day = rows[indicator.period.column].cast("date")
    grain = indicator.period.grain
    if grain == "all":
        return day.isnull().ifelse(ibis.null("string"), ALL), day
    if grain == "year":
        return day.strftime("%Y"), day
    if grain == "month":
        return day.strftime("%Y-%m"), day
    return day.strftime("%Y") + "-Q" + day.quarter().cast("string"), day


def _covered(engine: Engine, rows: Relation, indicator: Indicator, every: list[str], as_of: date) -> list[str]:
    if indicator.period is None or not every:
        return every
    found = engine.rows(rows.aggregate(first=rows["_day"].min(), last=rows["_day"].max(), n=rows.count()))[0]
    return covered(
        every, oldest=_date(found["first"]), newest=_date(found["last"]), events=int(found["n"]), as_of=as_of
    )


def _date(value: Any) -> date:
    return value.date() if isinstance(value, datetime) else value  # type: ignore[no-any-return]  # the engine's date


class _Cells:
    """The cells of one measure, level by level."""

    def __init__(
        self,
        engine: Engine,
        rows: Relation,
        indicator: Indicator,
        contract: Contract,
        geographies: Sequence[Places],
        overlaps: Mapping[tuple[str, str], set[tuple[str, str]]],
        periods: Sequence[str],
    ) -> None:
        self._engine, self._rows, self._contract = engine, rows, contract
        self._needs_people = indicator.needs_people
        self._geographies = {g.id: g for g in geographies}
        self._overlaps, self._periods = overlaps, periods
        self.counts: dict[Cell, Counts] = {Cell(p): (0, 0, 0, None) for p in periods}
        self._count([], lambda p: Cell(p))
        for g in geographies:
            for period in periods:
                self.counts.update({Cell(period, g.id, k): (0, 0, 0, None) for k in (*g.names, OUTSIDE, NOWHERE)})
            self._count([place_column(g.id)], lambda p, k, g=g: Cell(p, g.id, k))
        for a, b in combinations(self._geographies, 2):
            self._cross(a, b)
        self._groups = [] if self._needs_people else list(indicator.groups)
        for d in self._groups:
            self._count([f"_group_{d}"], lambda p, v, d=d: Cell(p, ALL, ALL, d, v))

    def _cross(self, a: str, b: str) -> None:
        possible = self._overlaps.get((a, b), set())
        for period in self._periods:
            for i, j in possible:
                self.counts[_atom(period, a, b, i, j)] = (0, 0, 0, None)
        self._count([place_column(a), place_column(b)], lambda p, i, j: _atom(p, a, b, i, j))

    def _count(self, columns: list[str], cell: Any) -> None:
        rows = self._rows
        yes, known = rows["_outcome"].fill_null(False), rows["_outcome"].notnull()
        parts = {"_yes": yes, "_no": ~yes & known, "_unknown": ~known}
        sums = {k: v.cast("int64").sum() for k, v in parts.items()}
        who = {f"{k}_who": rows["_who"].nunique(where=v) for k, v in parts.items()} if self._contract.person_key else {}
        for r in self._engine.rows(rows.group_by(["_period", *columns]).aggregate(**sums, **who)):
            different = [r[f"{k}_who"] for k in parts if who and r[k]]
            counts = (int(r["_yes"]), int(r["_no"]), int(r["_unknown"]), min(different) if different else None)
            self.counts[cell(r["_period"], *(r[c] for c in columns))] = counts

    def _first(self) -> Places | None:
        return next(iter(self._geographies.values()), None)

    def tallies(self) -> dict[Cell, Tally]:
        """Every cell with its counts, and its residents where the measure is per resident."""
        first = self._first()
        made = {}
        for cell, (yes, no, unknown, least) in self.counts.items():
            if self._needs_people and cell.geography == cell.dimension == ALL and first is not None:
                # A city rate counts only what lies in the areas whose residents it is divided by.
                inside = [self.counts[Cell(cell.period, first.id, k)] for k in first.names]
                yes, no, unknown = (sum(int(c[i] or 0) for c in inside) for i in range(3))
            made[cell] = Tally(cell, yes, no, unknown, least, self._people(cell))
        return made

    def _people(self, cell: Cell) -> float | None:
        first = self._first()
        if not self._needs_people or cell.dimension != ALL:
            return None
        if cell.geography == ALL:
            return sum(first.people.values()) if first and first.people else None
        places = self._geographies.get(cell.geography)
        return places.people.get(cell.place) if places else None

    def lines(self) -> list[Line]:
        """Every sum that a reader with a map and a calculator knows."""
        made = []
        for period in self._periods:
            for n, g in enumerate(self._geographies.values()):
                lost = () if self._needs_people else (OUTSIDE, NOWHERE)
                if n == 0 or not self._needs_people:
                    made.append(Line(Cell(period), tuple(Cell(period, g.id, k) for k in (*g.names, *lost))))
            for d in self._groups:
                parts = [c for c in self.counts if c.period == period and c.dimension == d]
                if parts:
                    made.append(Line(Cell(period), tuple(sorted(parts))))
            for a, b in combinations(self._geographies, 2):
                made += self._cross_lines(period, a, b)
        return made

    def _cross_lines(self, period: str, a: str, b: str) -> list[Line]:
        by_a: dict[str, list[Cell]] = {}
        by_b: dict[str, list[Cell]] = {}
        for cell in self.counts:
            if cell.period == period and cell.geography == f"{a}{_CROSS}{b}":
                i, j = cell.place.split(_CROSS)
                by_a.setdefault(i, []).append(cell)
                by_b.setdefault(j, []).append(cell)
        made = [Line(Cell(period, a, i), tuple(sorted(parts))) for i, parts in by_a.items()]
        return made + [Line(Cell(period, b, j), tuple(sorted(parts))) for j, parts in by_b.items()]

    def unpublished(self) -> list[Cell]:
        """Cells that tie others together but are never shown."""
        lost = (OUTSIDE, NOWHERE) if self._needs_people else ()
        return [c for c in self.counts if _CROSS in c.geography or c.place in lost]


def _atom(period: str, a: str, b: str, i: str, j: str) -> Cell:
    return Cell(period, f"{a}{_CROSS}{b}", f"{i}{_CROSS}{j}")
