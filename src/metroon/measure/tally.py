"""Tallies: the rows of a measure, counted into every cell that it speaks of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import ibis
import numpy as np

from metroon.base.estimate import ALL, INSIDE, NOWHERE, OUTSIDE, Cell, Spread, Tallies, Tally
from metroon.base.period import GRAINS
from metroon.base.period import name as period_name
from metroon.guard.cells import CellTable
from metroon.measure.coverage import Days, covered
from metroon.measure.cube import GROUP, MONTH, WHO
from metroon.measure.grid import FLOWS, IN_OUT, THROUGH, Grid, Periods, Shape, grid, people_of_group

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from metroon.base.period import Grain
    from metroon.base.places import Places
    from metroon.city import Contract, Period
    from metroon.measure.cube import Cube, Finest
    from metroon.measure.indicator import Indicator

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEVELS: tuple[Literal["city", "places", "groups"], ...] = ("city", "places", "groups")
NO_PERIODS = Periods(dict.fromkeys(("city", "places", "groups"), "all"), (), {}, {"all": [ALL]}, {"all": [ALL]})


@dataclass(frozen=True)
class Tallied:
    """One measure, counted.

    Args:
        name: Its name.
        indicator: The measure.
        contract: The product's promise.
        minimum_cell: Smallest group of people that may be shown.
        grid: The cells, with the sums that tie them.
        tallies: What was counted in each cell.
        least_people: Fewest different people behind an outcome of each cell; None when rows do not tell.
        partial: Periods with rows that are not covered wholly, and are not released.
        undated: Rows without a date.
        undecided: Rows of which cannot be told whether they count.
    """

    name: str
    indicator: Indicator
    contract: Contract
    minimum_cell: int
    grid: Grid
    tallies: Tallies
    least_people: Ints | None = None
    partial: tuple[str, ...] = ()
    undated: int = 0
    undecided: int = 0

    @property
    def periods(self) -> tuple[str, ...]:
        """The periods of the whole city that are released, in order."""
        own = self.grid.shape.periods
        return tuple(own.covered[own.of["city"]])

    @property
    def headlines(self) -> tuple[str, ...]:
        """The last released period of the city, the places and the groups, each once."""
        own = self.grid.shape.periods
        return tuple(dict.fromkeys(own.covered[g][-1] for g in own.of.values() if own.covered[g]))

    @property
    def outside(self) -> int:
        """Rows of the released periods in no area of the first geography (they are in no rate)."""
        shape = self.grid.shape
        if not shape.geographies:
            return 0
        first, of = shape.geographies[0].id, shape.periods.of["places"]
        lost = [Cell(p, first, k) for p in shape.periods.covered[of] for k in (OUTSIDE, NOWHERE)]
        at = [self.grid.number[c] for c in lost if c in self.grid.number]
        t = self.tallies
        return int((t.yes[at] + t.no[at] + t.unknown[at]).sum())

    @cached_property
    def table(self) -> CellTable:
        """Every cell with the sums that tie them, as the guard needs it."""
        t = self.tallies
        least = [n or None for n in self._fewest().tolist()]
        columns = (t.yes.tolist(), t.no.tolist(), t.unknown.tolist(), least, t.people.tolist())
        tallies = {
            cell: Tally(cell, yes, no, unknown, few, None if at_risk != at_risk else at_risk)  # nan
            for cell, yes, no, unknown, few, at_risk in zip(self.grid.cells, *columns, strict=True)
        }
        return CellTable(
            measure=self.name,
            is_share=self.indicator.is_share,
            tallies=tallies,
            lines=self.grid.lines(),
            unpublished=frozenset(c for c, shown in zip(self.grid.cells, self.grid.shown, strict=True) if not shown),
            unit=self.contract.unit or "person",
            minimum_cell=self.minimum_cell,
        )  # fmt: skip

    def _fewest(self) -> Ints:
        """Fewest people that a shown cell tells of; 0 where it tells of nobody, or rows do not tell people apart.

        A standardised rate is a sum of its strata's counts with public weights: who has the rate and the events finds
        the only whole numbers that fit. So a stratum of few people counts as few people behind the cell.
        """
        t = self.tallies
        people = np.zeros(t.cells, dtype=np.int64) if self.least_people is None else self.least_people
        if t.strata is None or self.indicator.strata_told is None:
            return people
        counts = t.strata if self.indicator.strata_told == "own" or t.city is None else t.strata[t.city]
        few = np.where(counts > 0, counts, np.inf).min(axis=1, initial=np.inf)
        least = np.where(np.isfinite(few), few, 0).astype(np.int64)
        both = np.where((people > 0) & (least > 0), np.minimum(people, least), np.maximum(people, least))
        return np.asarray(both)


@dataclass(frozen=True)
class Asking:
    """What a measure is counted by, beside the rows.

    Args:
        name: The measure's name.
        indicator: The measure.
        contract: The product's promise.
        geographies: Those that the rows can be put into: the measure's own first, in its order, then those that
            measures released together with it show.
        overlaps: For pairs of geographies: which places share ground.
        minimum_cell: Smallest group of people that may be shown.
        as_of: The day taken for today.
        longer: Longer grains in which measures released together count the same dates.
        people: Dimension -> (place, group) -> residents, for rates by group and for strata.
        homes: Dimension -> the geography of the places in ``people``.
        steps: How it was made coarser than it was declared.
        coarser: Coarser ways to ask, in the order in which the measure prefers them.
    """

    name: str
    indicator: Indicator
    contract: Contract
    geographies: Sequence[Places]
    overlaps: Mapping[tuple[str, str], set[tuple[str, str]]]
    minimum_cell: int
    as_of: date
    longer: Sequence[Grain] = ()
    people: Mapping[str, Mapping[tuple[str, str], float]] = field(default_factory=dict)
    homes: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    coarser: tuple[Asking, ...] = ()

    def people_of_groups(self) -> dict[str, Mapping[tuple[str, str], float]]:
        """Residents by group as the rates by group divide by them: by places of the first geography, or altogether.

        Where they are counted by places of another geography they are added up; a group that somewhere is not counted
        is then left out.
        """
        first = self.geographies[0].id if self.geographies else ""
        made: dict[str, Mapping[tuple[str, str], float]] = {}
        for dimension, known in self.people.items():
            places = {p for p, _ in known}
            if places == {ALL} or self.homes.get(dimension, first) == first:
                made[dimension] = known
                continue
            groups = {g for _, g in known}
            whole = {g: [known.get((p, g)) for p in places] for g in groups}
            summed = {(ALL, g): sum(n for n in ns if n is not None) for g, ns in whole.items() if None not in ns}
            made[dimension] = summed
        return made


def tally(cube: Cube, asking: Asking) -> Tallied:
    """Count a measure's cells from the finest ones; no row is touched again, but for different people.

    Returns:
        Cells for the city, each place, each group, in each period; zero where nothing happened.
    """
    finest, name, indicator = cube.finest, asking.name, asking.indicator
    periods = _periods(cube, asking) if indicator.period else NO_PERIODS
    shape = Shape(
        periods,
        asking.geographies,
        [p for p in indicator.places if p in {g.id for g in asking.geographies}],
        [(g, _labels(finest, GROUP + g.by)) for g in indicator.groups if not _lacks_people(g.by, asking)],
        asking.overlaps,
        indicator.needs_people,
        asking.people_of_groups(),
        indicator.accumulates,
    )
    made = next((g for g in cube.grids if g.shape == shape), None)
    if made is None:
        made = grid(shape, finest)
        cube.grids.append(made)
    tallies = _tallies(cube, asking, made)
    dated = np.array([label is not None for label in finest.keys[MONTH].labels]) if indicator.period else None
    is_dated = np.ones(finest.cells, dtype=bool) if dated is None else dated[finest.keys[MONTH].at]
    counted = sum(finest.number(name, part) for part in ("yes", "no", "unknown"))
    own = {p for grain in periods.of.values() for p in periods.every[grain]}
    told = {p for grain in periods.of.values() for p in periods.covered[grain]}
    return Tallied(
        name,
        indicator,
        asking.contract,
        asking.minimum_cell,
        made,
        tallies,
        _least_people(cube, made, name) if cube.has_people else None,
        tuple(sorted(own - told)),
        int(np.asarray(counted)[~is_dated].sum()),
        int(finest.number(name, "undecided").sum()),
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
    alike = [p for p in others if p is not None and p.column == own.column]
    known: set[Grain] = {p.of(level) for p in alike for level in LEVELS}
    known |= {"all"} if any(p is None for p in others) else set()
    shortest = min(GRAINS.index(own.of(level)) for level in LEVELS)
    return [g for g in GRAINS[shortest + 1 :] if g in known]


def _lacks_people(dimension: str, asking: Asking) -> bool:
    return asking.indicator.needs_people and dimension not in asking.people


def _labels(finest: Finest, key: str) -> tuple[str, ...]:
    return tuple(sorted(label for label in finest.keys[key].labels if label is not None))


# Periods


def _periods(cube: Cube, asking: Asking) -> Periods:
    period = asking.indicator.period
    if period is None:
        return NO_PERIODS
    finest, name = cube.finest, asking.name
    months = finest.keys[MONTH]
    of: dict[str, Grain] = {level: period.of(level) for level in LEVELS}
    grains = [g for g in GRAINS if g in {*of.values(), *asking.longer}]
    every, own = (_days(finest, key, asking.as_of, rows) for key, rows in (
        ("_days", finest.numbers["_rows"]), (f"{name}/_days", _counted(finest, name)),
    ))  # fmt: skip
    begins = period.fiscal_year_begins
    settled = asking.as_of - timedelta(days=period.settle_days)
    names: dict[Grain, dict[str | None, str]] = {
        g: {m: period_name(_first(m), g, begins) for m in months.labels if m is not None} for g in grains
    }
    has_rows = np.bincount(months.at, weights=_counted(finest, name), minlength=len(months.labels)) > 0
    found = {m for m, is_there in zip(months.labels, has_rows.tolist(), strict=True) if is_there and m is not None}
    closed = {g: covered(every, own, g, as_of=settled, begins=begins) for g in grains}
    with_rows = {g: sorted({names[g][m] for m in found} | set(closed[g])) for g in grains}
    return Periods(of, tuple(g for g in asking.longer if g in grains), names, with_rows, closed)


def _counted(finest: Finest, name: str) -> Ints:
    return np.asarray(sum(finest.number(name, part) for part in ("yes", "no", "unknown")), dtype=np.int64)


def _days(finest: Finest, key: str, as_of: date, rows: Ints) -> Days:
    """The days on which something happened, from a bit for each day of a month."""
    months = finest.keys[MONTH]
    bits = np.zeros(len(months.labels), dtype=np.int64)
    np.bitwise_or.at(bits, months.at, finest.numbers[key])
    events = np.bincount(months.at, weights=rows, minlength=len(months.labels))
    days, n = [], 0
    for month, of_month, many in zip(months.labels, bits.tolist(), events.tolist(), strict=True):
        if month is None:
            continue
        first = _first(month)
        # What lies in the future is an error, and no sign that the data reach so far.
        found = [d for bit in range(1, 32) if of_month >> bit & 1 and (d := first.replace(day=bit)) <= as_of]
        days += found
        n += int(many) if found else 0
    return Days(tuple(sorted(days)), n)


def _first(month: str) -> date:
    year, _, number = month.partition("-")
    return date(int(year), int(number), 1)


# Counts


def _tallies(cube: Cube, asking: Asking, made: Grid) -> Tallies:
    finest, name, indicator = cube.finest, asking.name, asking.indicator
    by, strata = indicator.strata()
    parts = ["yes", "no", "unknown", *(f"stratum {i}" for i in range(len(strata)))]
    prefix = f"{name}/"
    known = {*parts, "undecided", "_days"}
    more = [k.removeprefix(prefix) for k in finest.numbers if k.startswith(prefix)]
    more = [k for k in more if k not in known]
    found = made.add_up(finest, [finest.number(name, part) for part in (*parts, *more)])
    yes, no, unknown = (np.rint(f).astype(np.int64) for f in found[:3])
    if indicator.accumulates:
        came, gone = (np.rint(found[len(parts) + more.index(flow)]).astype(np.int64) for flow in IN_OUT)
        yes = _stock(made, came, gone)
    own = cube.spreads.get(name)
    return Tallies(
        yes,
        no,
        unknown,
        _people(asking, made) if indicator.needs_people else np.full(len(made.cells), np.nan),
        dict(zip(more, found[len(parts) :], strict=True)),
        np.stack(found[3 : len(parts)], axis=1) if strata else None,
        _strata_people(asking, made, by, strata) if strata else None,
        _city(made),
        _spread(made, own) if own is not None else None,
        _margins(asking, made) if indicator.needs_people else None,
    )


def _stock(made: Grid, came: Ints, gone: Ints) -> Ints:
    """What is there at the end of each cell's period; comings and goings in their own cells."""
    found = np.zeros(len(made.cells), dtype=np.int64)
    there: dict[tuple[Grain, Cell], int] = {}
    grains = {p: g for g, every in made.shape.periods.every.items() for p in every}
    for number in sorted(range(len(made.cells)), key=lambda i: made.cells[i].period):
        cell = made.cells[number]
        if cell.dimension == FLOWS:
            continue
        key = (grains[cell.period], replace(cell, period=ALL))
        before = there.get(key, 0)
        there[key] = found[number] = before + came[number] - gone[number]
        for flow, n in (("in", came[number]), ("out", gone[number]), (THROUGH, before + came[number])):
            at = made.number.get(replace(cell, dimension=FLOWS, group=flow))
            if at is not None and cell.dimension == ALL:
                found[at] = n
    return found


def _people(asking: Asking, made: Grid) -> Floats:
    known = {g.id: g for g in asking.geographies}
    whole = {g.id: sum(g.people.values()) for g in asking.geographies}

    def people(cell: Cell) -> float:
        if cell.dimension != ALL:
            n = people_of_group(made.shape, cell.dimension, cell.group)
            return np.nan if n is None else n
        places = known.get(cell.geography)
        if places is None or not places.people:
            return np.nan
        return whole[cell.geography] if cell.place == INSIDE else places.people.get(cell.place, np.nan)

    return np.array([people(c) for c in made.cells])


def _margins(asking: Asking, made: Grid) -> Floats | None:
    known = {g.id: g for g in asking.geographies if g.margins}
    if not known:
        return None
    whole = {g.id: float(np.sqrt(sum(m * m for m in g.margins.values()))) for g in known.values()}

    def margin(cell: Cell) -> float:
        places = known.get(cell.geography)
        if places is None or cell.dimension != ALL:
            return np.nan
        return whole[cell.geography] if cell.place == INSIDE else places.margins.get(cell.place, np.nan)

    return np.array([margin(c) for c in made.cells])


def _strata_people(asking: Asking, made: Grid, by: str, strata: Sequence[str]) -> Floats:
    counted = asking.people.get(by, {})
    of_place = {p: [counted.get((p, s), np.nan) for s in strata] for p in {p for p, _ in counted}}
    lacking = [np.nan] * len(strata)
    geographies = {g.id: g for g in asking.geographies}
    home = _home_of(asking, by)
    first = made.shape.first

    def added(places: Iterable[str]) -> list[float]:
        own = [of_place.get(p, lacking) for p in places]
        return np.sum(own, axis=0).tolist() if own else lacking

    def row(cell: Cell) -> list[float]:
        if cell.dimension != ALL:
            return lacking
        if cell.geography == ALL or cell.place == INSIDE:
            known = [p for p in of_place if p != ALL and (first is None or first.id != home or p in first.people)]
            return added(known) if known else of_place.get(ALL, lacking)
        places = geographies.get(cell.geography)
        if places is not None and places.base == home:
            return added(a for a, b in places.areas.items() if b == cell.place)
        if cell.geography == home:
            return of_place.get(cell.place, lacking)
        return added(_parts_of(asking, home, cell))

    return np.array([row(c) for c in made.cells], dtype=float).reshape(len(made.cells), len(strata))


def _home_of(asking: Asking, by: str) -> str:
    """The geography by whose places people of a dimension are counted."""
    return asking.homes.get(by) or (asking.geographies[0].id if asking.geographies else "")


def _parts_of(asking: Asking, home: str, cell: Cell) -> list[str]:
    """The areas of one geography that make up a place of another, where each lies in one place only."""
    for (a, b), pairs in asking.overlaps.items():
        if {a, b} == {home, cell.geography}:
            of = [(i, j) if a == home else (j, i) for i, j in pairs]
            small = [i for i, _ in of]
            return [i for i, j in of if j == cell.place] if len(set(small)) == len(small) else []
    return []


def _city(made: Grid) -> Ints:
    """Number of the cell of the whole city in the period of each cell."""
    first = made.shape.first
    there = made.number
    of = {}
    for period in dict.fromkeys(c.period for c in made.cells):
        city = Cell(period, first.id, INSIDE) if first else Cell(period)
        of[period] = there.get(city, 0)
    return np.array([of[c.period] for c in made.cells], dtype=np.int64)


def _spread(made: Grid, own: Finest) -> Spread:
    cells, takes = [], []
    for at in made.at(own):
        kept = np.flatnonzero(at >= 0)
        cells.append(at[kept])
        takes.append(kept)
    take = np.concatenate(takes) if takes else np.zeros(0, dtype=np.int64)
    cell = np.concatenate(cells) if cells else np.zeros(0, dtype=np.int64)
    sums = {k: np.asarray(v, dtype=np.float64)[take] for k, v in own.numbers.items()}
    return Spread(cell, {k: v[take] for k, v in own.values.items()}, sums)


# Different people


def _least_people(cube: Cube, made: Grid, name: str) -> Ints:
    """Fewest different people behind one outcome of each cell; 0 where nobody is.

    Rows that name several groups are counted where all their answers together stand, so that a group has at least
    as many people as the most of these.
    """
    flags = cube.flags(name)
    found = np.zeros((len(flags), len(made.cells)), dtype=np.int64)
    offset = 0
    for block in made.blocks:
        keys = {f"_axis{i}": _positions(cube.rows, axis) for i, axis in enumerate(block.axes)}
        rows = cube.rows.mutate(**keys)
        counts = {f"_{i}": rows[WHO].nunique(where=flag) for i, flag in enumerate(flags.values())}
        for r in cube.engine.rows(rows.group_by(list(keys)).aggregate(**counts)):
            for at in _cells_of(block, [r[k] for k in keys]):
                for i in range(len(flags)):
                    found[i, offset + at] = max(found[i, offset + at], int(r[f"_{i}"] or 0))
        offset += len(block.cells)
    least = np.where(found > 0, found, np.iinfo(np.int64).max).min(axis=0)
    return np.asarray(np.where((found > 0).any(axis=0), least, 0), dtype=np.int64)


_SIGN = "\x1f"


def _positions(rows: Any, axis: Any) -> Any:
    """Where each row stands on an axis, as text: the positions, or null."""
    if not axis.keys:
        return ibis.literal("0")
    text = rows[axis.keys[0]]
    for key in axis.keys[1:]:
        text = text + _SIGN + rows[key]
    known = {labels: where for labels, where in axis.positions.items() if None not in labels}
    told = {_SIGN.join(labels): " ".join(map(str, where)) for labels, where in known.items()}
    return text.cases(*told.items(), else_=ibis.null("string")) if told else ibis.null("string")


def _cells_of(block: Any, positions: Sequence[str | None]) -> list[int]:
    found = [0]
    for axis, text in zip(block.axes, positions, strict=True):
        found = [at * axis.size + int(p) for at in found for p in (text or "").split()]
    return found
