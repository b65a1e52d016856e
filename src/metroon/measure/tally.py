"""Tallies: the rows of a measure, counted into every cell that it speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis

from metroon.base.estimate import ALL, INSIDE, NOWHERE, OUTSIDE, UNKNOWN, Cell, Tally
from metroon.guard.cells import CellTable
from metroon.locate import column as place_column
from metroon.measure.coverage import Days, covered
from metroon.measure.grid import GROUP, LONGER, OUTCOME, PERIOD, WHO, Grid, grid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from metroon.base.engine import Engine, Relation
    from metroon.base.period import Grain
    from metroon.base.places import Places
    from metroon.city import Contract, Period
    from metroon.measure.indicator import Indicator

_LENGTH: tuple[Grain, ...] = ("month", "quarter", "year", "all")


@dataclass(frozen=True)
class Tallied:
    """One measure, counted.

    Args:
        table: Every cell with the sums that tie them, as the guard needs it.
        periods: The periods that are covered wholly, in order.
        partial: Periods with rows that are not covered wholly, and are not released.
        undated: Rows without a date.
        undecided: Rows of which cannot be told whether they count.
        outside: Rows of the released periods in no area of the first geography (they are in no rate).
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
    longer: Sequence[Grain] = (),
) -> Tallied:
    """Count the rows of a measure.

    Args:
        engine: The engine.
        located: Rows that know their place in each geography.
        indicator: The measure.
        contract: The product's promise.
        name: The measure's name.
        geographies: Those that the rows can be put into: the measure's own first, in its order, then those that
            measures released together with it show.
        overlaps: For pairs of geographies: which places share ground.
        minimum_cell: Smallest group of people that may be shown.
        as_of: The day taken for today.
        longer: Longer grains in which measures released together count the same dates.

    Returns:
        Cells for the city, each place, each group, in each covered period; zero where nothing happened.
    """
    rows = _prepare(engine, located, indicator)
    undecided = engine.count(rows.filter(rows["_among"].isnull())) if indicator.among else 0
    every = _days(engine, rows, indicator, as_of)
    rows = rows.filter(rows["_among"]) if indicator.among else rows
    rows = engine.table(engine.fetch(_narrow(rows, indicator, contract, geographies, longer)))
    undated = engine.count(rows.filter(rows[PERIOD].isnull()))
    rows = rows.filter(rows[PERIOD].notnull())
    found = {str(r[PERIOD]) for r in engine.rows(rows.select(PERIOD).distinct())}
    counted = _days(engine, rows, indicator, as_of)
    periods = covered(every, counted, indicator.period.grain, as_of=as_of) if indicator.period else [ALL]
    made = grid(
        engine,
        rows,
        periods=sorted(found | set(periods)),
        covered=periods,
        longer=longer,
        geographies=geographies,
        asked=indicator.places,
        groups=[] if indicator.needs_people else indicator.groups,
        overlaps=overlaps,
        is_rate=indicator.needs_people,
    )
    return Tallied(
        _table(made, name, indicator, contract, geographies, minimum_cell),
        tuple(periods),
        tuple(sorted(found - set(periods))),
        undated,
        undecided,
        _outside(made, geographies[0].id, periods) if geographies else 0,
    )


def longer_grains(own: Period | None, others: Iterable[Period | None]) -> list[Grain]:
    """The longer grains in which others count the same dates: a sum of all but one period gives that one away.

    Who counts without periods counts all of them.

    Example:
        >>> from metroon.city import Period
        >>> month = Period(column="at", grain="month")
        >>> longer_grains(month, [Period(column="at", grain="all"), Period(column="other", grain="year")])
        ['all']
    """
    if own is None:
        return []
    known = {"all" if p is None else p.grain for p in others if p is None or p.column == own.column}
    return [g for g in _LENGTH[_LENGTH.index(own.grain) + 1 :] if g in known]


def _table(
    made: Grid, name: str, indicator: Indicator, contract: Contract, geographies: Sequence[Places], minimum_cell: int
) -> CellTable:
    known = {g.id: g for g in geographies}
    tallies = {
        cell: Tally(cell, *counts, _people(cell, known) if indicator.needs_people else None)
        for cell, counts in made.counts.items()
    }
    return CellTable(
        measure=name,
        is_share=indicator.is_share,
        tallies=tallies,
        lines=made.lines,
        unpublished=frozenset(made.counts) - made.shown,
        unit=contract.unit or "person",
        minimum_cell=minimum_cell,
    )


def _people(cell: Cell, known: Mapping[str, Places]) -> float | None:
    places = known.get(cell.geography)
    if places is None or not places.people:
        return None
    return sum(places.people.values()) if cell.place == INSIDE else places.people.get(cell.place)


def _outside(made: Grid, geography: str, periods: Sequence[str]) -> int:
    lost = [made.counts[Cell(p, geography, k)] for p in periods for k in (OUTSIDE, NOWHERE)]
    return sum(yes + no + unknown for yes, no, unknown, _ in lost)


def _prepare(engine: Engine, rows: Relation, indicator: Indicator) -> Relation:
    if indicator.among:
        rows = engine.with_column(rows, "_among", f"cast(({indicator.among}) as boolean)")
    outcome = indicator.outcome()
    if outcome is None:
        return rows.mutate(**{OUTCOME: ibis.literal(True)})
    return engine.with_column(rows, OUTCOME, f"cast(({outcome}) as boolean)")


def _narrow(
    rows: Relation, indicator: Indicator, contract: Contract, geographies: Sequence[Places], longer: Sequence[Grain]
) -> Relation:
    own = indicator.period
    day = rows[own.column].cast("date") if own else ibis.null("date")
    # Rows that do not say whose they are may all be of one person.
    people = {WHO: rows[contract.person_key].cast("string").fill_null("")} if contract.person_key else {}
    return rows.select(
        **{PERIOD: _period(day, own.grain) if own else ibis.literal(ALL), OUTCOME: rows[OUTCOME]},
        _day=day,
        **{LONGER + grain: _period(day, grain) for grain in longer},
        **people,
        **{place_column(g.id): rows[place_column(g.id)] for g in geographies},
        **{GROUP + d: _group(rows[d]) for d in indicator.groups},
    )


def _group(column: Any) -> Any:
    text = column.cast("string")
    return (text == "").ifelse(ibis.null("string"), text).fill_null(UNKNOWN)


def _period(day: Any, grain: Grain) -> Any:
    if grain == "all":
        return day.isnull().ifelse(ibis.null("string"), ALL)
    if grain == "quarter":
        return day.strftime("%Y") + "-Q" + day.quarter().cast("string")
    return day.strftime("%Y" if grain == "year" else "%Y-%m")


def _days(engine: Engine, rows: Relation, indicator: Indicator, as_of: date) -> Days:
    if indicator.period is None:
        return Days((), 0)
    column = "_day" if "_day" in rows.columns else indicator.period.column
    dated = rows.select(_day=rows[column].cast("date"))
    # What lies in the future is an error, and no sign that the data reach so far.
    past = dated.filter(dated["_day"] <= as_of)
    found = engine.rows(past.group_by("_day").aggregate(n=past.count()).order_by("_day"))
    return Days(tuple(r["_day"] for r in found), sum(int(r["n"]) for r in found))
