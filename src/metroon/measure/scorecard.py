"""The scorecard of a release: targets, signals, gaps and places, worked out from what was released and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from scipy.special import stdtr

from metroon.base.estimate import ALL, NOWHERE, OUTSIDE, UNKNOWN, Cell
from metroon.base.period import MONTHS, first_day, grain_of, last_day, next_period
from metroon.base.scorecard import (
    AreaDisparity,
    Change,
    Course,
    Covered,
    Disparity,
    GroupGap,
    Inequality,
    PlaceStanding,
    TargetGap,
)
from metroon.measure import gaps as gaps_of
from metroon.measure.balance import balance, breaks
from metroon.measure.declared import EVERYBODY, level_on
from metroon.measure.discovery import benjamini_hochberg, rate_p_value, share_p_value
from metroon.measure.funnel import (
    LEVELS,
    overdispersion,
    proportion_scores,
    proportion_verdicts,
    ratio_scores,
    ratio_verdicts,
)
from metroon.measure.grid import FLOWS, IN_OUT
from metroon.measure.inequality import summarise
from metroon.measure.interval import mover_difference
from metroon.measure.shrinkage import beta_binomial, poisson_gamma
from metroon.measure.signals import (
    VERDICT_FROM,
    assurance,
    dependence,
    false_alarms,
    spans,
    variation,
    xmr,
    year_over_year,
)
from metroon.measure.spatial import demographic_disparity, geographic_disparity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from metroon.base.estimate import Estimate
    from metroon.base.scorecard import Standing, Status
    from metroon.measure.declared import Group, Target
    from metroon.measure.indicator import Indicator
    from metroon.measure.signals import Chart

    Floats = NDArray[np.float64]

_Z = 1.959963984540054
_DISCOVERY = 0.05
_RARE = 5.0
"""Events a period under which limits are those of rare events no longer (measures of the NHS: below about 5)."""


@dataclass(frozen=True)
class AreaPeople:
    """People of one kind in each area.

    Args:
        title: Who they are.
        people: Area -> how many.
        margins: Area -> margin of error at 90 %; empty when they are counted in full.
    """

    title: str
    people: Mapping[str, float]
    margins: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Released:
    """What is known of a release.

    Args:
        indicator: The measure, as it was declared then.
        estimates: Every released cell.
        headlines: The last closed period of the city, the places and the groups.
        people: Dimension -> group -> residents, where a measure declares them; else empty.
    """

    indicator: Indicator
    estimates: Sequence[Estimate]
    headlines: Sequence[str]
    people: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def at(self, cell: Cell) -> Estimate | None:
        """The estimate of a cell."""
        return self._by_cell.get(cell)

    @cached_property
    def _by_cell(self) -> dict[Cell, Estimate]:
        return {e.cell: e for e in self.estimates}

    @property
    def city(self) -> Estimate | None:
        """The whole city's last number."""
        return self.at(Cell(self.headlines[0])) if self.headlines else None

    def places(self) -> list[Estimate]:
        """The last number of each place, outside and no place left out."""
        return [e for e in self._last() if e.cell.geography != ALL and e.cell.dimension == ALL and _is_own(e.cell)]

    def is_alike(self, e: Estimate) -> bool:
        """Whether a number may be held against what is asked of the city.

        A part of a count may not, nor a number of another length of time when numbers grow with time.
        """
        is_city = e.cell == Cell(e.cell.period)
        if self.indicator.is_count and not is_city:
            return False
        own = grain_of(self.headlines[0]) if self.headlines else grain_of(e.cell.period)
        return not self.indicator.grows_with_time or grain_of(e.cell.period) == own

    def groups(self, dimension: str) -> list[Estimate]:
        """The last number of each group of a breakdown, the unknown one left out."""
        return [e for e in self._last() if e.cell.dimension == dimension and e.cell.place == ALL and _is_own(e.cell)]

    def _last(self) -> list[Estimate]:
        """The last numbers, each breakdown by its own last period: the first headline that has it."""
        found: dict[tuple[str, str], str] = {}
        for period in self.headlines:
            for e in self.estimates:
                if e.cell.period == period:
                    found.setdefault((e.cell.geography, e.cell.dimension), period)
        return [e for e in self.estimates if found.get((e.cell.geography, e.cell.dimension)) == e.cell.period]


def _is_own(cell: Cell) -> bool:
    is_leftover = {cell.place, cell.group} & {OUTSIDE, NOWHERE, UNKNOWN}
    return not is_leftover and (cell.place, cell.group) != (ALL, ALL)


def _is_told(e: Estimate | None) -> bool:
    return e is not None and e.value is not None and e.state in ("known", "cannot tell")


# Targets


def target_gap(released: Released, e: Estimate | None, target: Target | None) -> TargetGap | None:
    """A number beside what was to be reached by the last day of its period.

    Returns:
        None without a target, without a direction, or before the target asks anything.

    Source:
        The interval is compared with the path of the target, linear between its dated points unless declared: met
        when the whole interval lies on the right side, not met when on the wrong one, else nobody can tell.
    """
    indicator = released.indicator
    if e is None or target is None or indicator.direction == "neutral" or not released.is_alike(e):
        return None
    if e.cell.period == ALL:  # nobody knows when it was: a dated target cannot be held against it
        last = max(target.points, key=lambda p: p.on)
        least, most = level_on([last], last.on, target.interpolation) or (0.0, 0.0)
        return TargetGap(e.cell, least, most, last.on, "cannot be answered", None)
    day = last_day(e.cell.period)
    asked = level_on(target.points, day, target.interpolation)
    if asked is None:
        return None
    low, high = asked
    if not _is_told(e) or e.value is None:
        return TargetGap(e.cell, low, high, day, e.state, None)
    gap = e.value - (low if e.value < low else high if e.value > high else e.value)
    return TargetGap(e.cell, low, high, day, _status(e, asked, indicator.direction), gap)


def asked(released: Released) -> dict[str, tuple[float, float]]:
    """What the target asks for by the end of each period that has a number: the path beside which numbers stand."""
    target = released.indicator.target
    if target is None or released.indicator.direction == "neutral":
        return {}
    periods = {e.cell.period for e in released.estimates} - {ALL}
    found = {p: level_on(target.points, last_day(p), target.interpolation) for p in sorted(periods)}
    return {p: ends for p, ends in found.items() if ends is not None}


def _status(e: Estimate, asked: tuple[float, float], direction: str) -> Status:
    if e.low is None or e.high is None:  # a stock is what it is
        inside = {"up": (e.value or 0) >= asked[0], "down": (e.value or 0) <= asked[1]}
        is_met = inside.get(direction, asked[0] <= (e.value or 0) <= asked[1])
        return "met" if is_met else "not met"
    if direction == "up":
        return "met" if e.low >= asked[0] else "not met" if e.high < asked[0] else "cannot tell"
    if direction == "down":
        return "met" if e.high <= asked[1] else "not met" if e.low > asked[1] else "cannot tell"
    if asked[0] <= e.low and e.high <= asked[1]:
        return "met"
    return "not met" if e.high < asked[0] or e.low > asked[1] else "cannot tell"


def since_baseline(released: Released) -> Change | None:
    """The city's last number beside the baseline; None where either is not known."""
    declared, last = released.indicator.baseline, released.city
    if declared is None or last is None or last.value is None or last.cell.period in (ALL, declared.period):
        return None
    begun, end = first_day(declared.period), last_day(last.cell.period)
    if any(begun < b.on <= end for b in released.indicator.breaks):
        return None
    e = released.at(Cell(declared.period))
    value = declared.value if declared.value is not None else e.value if e is not None and _is_told(e) else None
    if value is None or (declared.value is None and grain_of(declared.period) != grain_of(last.cell.period)):
        return None
    difference = last.value - value
    if last.low is None or last.high is None:
        return Change(declared.period, value, difference, None, None, difference != 0)
    if declared.value is not None or e is None or e.low is None or e.high is None:
        low, high = last.low - value, last.high - value
    else:
        found = mover_difference(last.value, last.low, last.high, value, e.low, e.high)
        low, high = found.low, found.high
    return Change(declared.period, value, difference, low, high, low > 0 or high < 0)


# Signals


def courses(released: Released) -> tuple[Course | None, tuple[Course, ...], float]:
    """The city over time, then places and groups; and how many of all would show a signal by chance alone.

    Among as many series as are looked at some show a signal by chance. Signals of places and groups are kept when
    they stay among all of them at a false discovery rate of 5 % (Benjamini and Hochberg 1995); the chance of each is
    that of the whole rule set for a point of a chart as long, or that of a normal deviate as far out, if smaller.
    """
    by_series: dict[Cell, dict[str, Estimate]] = {}
    for e in released.estimates:
        if e.cell.period != ALL and e.state != "late" and (_is_own(e.cell) or e.cell == Cell(e.cell.period)):
            key = replace(e.cell, period=str(grain_of(e.cell.period)))
            by_series.setdefault(key, {})[e.cell.period] = e
    city_grain = grain_of(released.headlines[0]) if released.headlines and released.headlines[0] != ALL else None
    city: Course | None = None
    others: list[tuple[Course, float]] = []
    alarms = 0.0
    for key, found in by_series.items():
        is_city = (key.geography, key.dimension) == (ALL, ALL)
        if is_city and key.period != city_grain:
            continue
        made, chance = _course(released, found, is_city=is_city)
        if made is None:
            continue
        if made.state == "ok":
            points, rules = sum(v is not None for v in made.values), released.indicator.signals.rules
            alarms += false_alarms(points, rules=rules).last_point
        if is_city:
            city = made
        elif made.state in ("ok", "no variation"):
            others.append((made, chance))
    kept = _kept([chance for _, chance in others])
    told = [replace(c, is_kept=is_kept or not _is_signal(c)) for (c, _), is_kept in zip(others, kept, strict=True)]
    return city, tuple(told), alarms


def _is_signal(course: Course) -> bool:
    return course.variation not in ("", "common cause")


def _kept(chances: Sequence[float]) -> list[bool]:
    if not chances:
        return []
    return [bool(p <= _DISCOVERY) for p in benjamini_hochberg(np.array(chances))]


def _course(released: Released, found: Mapping[str, Estimate], *, is_city: bool) -> tuple[Course | None, float]:
    indicator, periods = released.indicator, _every_period(found)
    told = [found.get(p) for p in periods]
    values = np.array([e.value if e is not None and _is_told(e) and e.value is not None else np.nan for e in told])
    if len(periods) < 3 or np.isnan(values).all():
        return None, 1.0
    rules = indicator.signals
    floor = None if indicator.kind_may_be_negative or rules.seasonal else 0.0
    a_year = 12 // MONTHS[grain_of(periods[0])]
    is_seasonal = rules.seasonal and a_year > 1
    if is_seasonal:
        values = year_over_year(values, a_year)
    begins = sorted({i for day in _begins(indicator) if 0 < (i := _index(periods, day)) < len(periods)})
    known = int((~np.isnan(values)).sum())
    baseline = rules.baseline_points if rules.baseline_points is None or rules.baseline_points >= VERDICT_FROM else None
    chart = xmr(
        values, rules=rules.rules, screen_outliers=rules.screen_outliers,
        baseline_points=baseline if known > (baseline or 0) else None, rebase=begins, floor=floor,
    )  # fmt: skip
    is_flow = next(iter(found.values())).cell.dimension == FLOWS
    direction = "neutral" if indicator.direction == "within" or is_flow else indicator.direction
    last = len(periods) - 1
    ends = [s for s in spans(chart) if s.last == last]
    cell = next(e.cell for e in reversed(told) if e is not None)
    asked = None if is_seasonal else _asked(indicator, periods[-1])
    notes = ["each period less the same one a year before"] if is_seasonal else []
    if dependence(values):
        notes.append("its values depend on those before, so signals come easier than they should")
    events = [e.events for e in told if e is not None and e.events is not None]
    if indicator.is_count and events and float(np.mean(events)) < _RARE and not indicator.accumulates:
        notes.append("fewer than 5 events a period: a longer period would tell more")
    made = Course(
        cell, tuple(periods), tuple(map(_none, values)), tuple(map(_none, chart.mean)), tuple(map(_none, chart.low)),
        tuple(map(_none, chart.high)), tuple(map(str, chart.signal)), variation(chart, direction),
        assurance(chart, asked, direction) if asked is not None else "", chart.state,
        periods[ends[-1].first] if ends else "", note="; ".join(notes) if is_city else "",
    )  # fmt: skip
    return made, _chance(chart, known, rules.rules)


def _begins(indicator: Indicator) -> Iterable[date]:
    return [*(r.on for r in indicator.signals.rebase), *(b.on for b in indicator.breaks)]


def _index(periods: Sequence[str], day: date) -> int:
    """The first period that lies wholly on or after a day."""
    return next((i for i, p in enumerate(periods) if first_day(p) >= day), len(periods))


def _every_period(found: Mapping[str, Estimate]) -> list[str]:
    named = [min(found, key=first_day)]
    last = max(found, key=first_day)
    while named[-1] != last:
        named.append(next_period(named[-1]))
    return named


def _asked(indicator: Indicator, period: str) -> float | None:
    if indicator.target is None or indicator.direction in ("neutral", "within"):
        return None
    asked = level_on(indicator.target.points, last_day(period), indicator.target.interpolation)
    return None if asked is None else asked[0]


def _chance(chart: Chart, known: int, rules: Any) -> float:
    """The chance of the last point's signal where nothing changed; 1 without a signal."""
    if chart.state != "ok" or not len(chart.signal) or str(chart.signal[-1]) == "none":
        return 1.0
    whole = false_alarms(known, rules=rules).last_point
    reach = (chart.high[-1] - chart.mean[-1]) / 3
    if not reach > 0:
        return whole
    off = abs(chart.values[-1] - chart.mean[-1]) / reach / math.sqrt(1 - 1 / known)
    # The limits are estimates: a mean moving range of n points has about 0.62 (n - 1) degrees of freedom.
    return min(whole, 2 * float(stdtr(0.62 * (known - 1), -off)))


def _none(x: float) -> float | None:
    return None if math.isnan(x) else float(x)


# Groups


def group_gaps(released: Released) -> tuple[GroupGap, ...]:
    """Every group beside the reference of its breakdown; none of counts, which are parts of a whole."""
    indicator = released.indicator
    if indicator.is_count:
        return ()
    found: list[GroupGap] = []
    for dimension in indicator.dimensions:
        declared = indicator.group(dimension)
        if declared is not None and declared.reference is not None:
            found += _gaps(released, dimension, declared)
    return tuple(found)


def _gaps(released: Released, dimension: str, declared: Group) -> list[GroupGap]:
    indicator = released.indicator
    groups = [e for e in released.groups(dimension) if _is_told(e)]
    is_all = declared.reference == EVERYBODY
    whole = released.at(Cell(groups[0].cell.period)) if groups else None
    reference = whole if is_all else next((e for e in groups if e.cell.group == declared.reference), None)
    if reference is None or not _is_told(reference):
        return []
    others = [e for e in groups if e.cell != reference.cell]
    kind = _gap_kind(indicator, others, reference)
    if is_all and kind == "share":
        others = [e for e in others if e.base != reference.base]  # who is everybody has nobody beside them
    if not others:
        return []
    levels, against = _levels(others, kind), _levels([reference], kind)
    per = float(getattr(indicator, "per", 1) or 1) if kind == "rate" else 1.0
    holds = is_all and _may_take_out(levels, against, kind)
    made = gaps_of.gap(
        levels, against, kind=kind, holds_groups=holds,
        tolerance=declared.tolerance, tolerance_in=declared.tolerance_in, multiplier=per,
    )  # fmt: skip
    named = "everybody else" if holds and kind != "other" else "everybody" if is_all else str(declared.reference)
    return [
        GroupGap(
            e.cell, named, float(made.value[i]), float(made.reference[i]), float(made.difference[i]),
            _none(made.difference_low[i]), _none(made.difference_high[i]),
            _none(made.ratio[i]), _none(made.ratio_low[i]), _none(made.ratio_high[i]),
            bool(made.is_certain[i]), str(made.verdict[i]),
            _beside(float(made.difference[i]), indicator.direction, is_certain=bool(made.is_certain[i])),
        )
        for i, e in enumerate(others)
        if not math.isnan(made.difference[i])
    ]  # fmt: skip


def _may_take_out(groups: gaps_of.Levels, whole: gaps_of.Levels, kind: str) -> bool:
    """Whether the groups are parts of the whole by their numbers: of a rate, both count the same residents."""
    if kind == "other" or groups.base is None or whole.base is None or groups.events is None or whole.events is None:
        return True
    return bool((groups.base < whole.base[0]).all() and (groups.events <= whole.events[0]).all())


def _gap_kind(indicator: Indicator, groups: Sequence[Estimate], reference: Estimate) -> gaps_of.Kind:
    every = [*groups, reference]
    has_counts = all(e.events is not None and e.base for e in every)
    if has_counts and indicator.gaps_by == "share":
        return "share"
    return "rate" if has_counts and indicator.gaps_by == "rate" else "other"


def _levels(found: Sequence[Estimate], kind: gaps_of.Kind) -> gaps_of.Levels:
    def column(name: str) -> Floats:
        return np.array([np.nan if (v := getattr(e, name)) is None else float(v) for e in found])

    counts = (column("events"), column("base")) if kind != "other" else (None, None)
    return gaps_of.Levels(column("value"), column("low"), column("high"), *counts)


def _beside(difference: float, direction: str, *, is_certain: bool) -> Standing:
    if not is_certain:
        return "cannot tell"
    if direction not in ("up", "down"):
        return "higher" if difference > 0 else "lower"
    return "better" if (difference > 0) == (direction == "up") else "worse"


def inequality(released: Released) -> tuple[dict[str, tuple[Inequality, ...]], dict[str, str]]:
    """Summary measures of each breakdown, and the groups that are not in them.

    Groups weigh as many as there are residents of them, where residents of all of them are declared, else as many as
    they have cases: never some by one and some by the other. Groups that are
    hidden, unknown or without an interval are left out, and said to be.
    """
    indicator = released.indicator
    made: dict[str, tuple[Inequality, ...]] = {}
    left: dict[str, str] = {}
    if indicator.is_count:
        return made, left
    for dimension in indicator.dimensions:
        declared = indicator.group(dimension)
        every = released.groups(dimension)
        if declared is None or declared.reference is None or len(every) < 2 or dimension != declared.by:
            continue
        order = {g: i for i, g in enumerate(declared.order)}
        usable = [e for e in every if _is_told(e) and e.low is not None and (not order or e.cell.group in order)]
        usable.sort(key=lambda e: order.get(e.cell.group, 0))
        weights = released.people.get(dimension, {})
        has_residents = all(weights.get(e.cell.group) for e in usable)
        sizes = (weights[e.cell.group] if has_residents else float(e.base or e.events or 0) for e in usable)
        size = np.array(list(sizes))
        out = sorted({e.cell.group for e in every} - {e.cell.group for e in usable})
        if out:
            left[dimension] = f"without {', '.join(out)}: hidden, or too few to tell"
        if len(usable) < 2 or not (size > 0).all():
            continue
        named = [i for i, e in enumerate(usable) if e.cell.group == declared.reference]
        made[dimension] = _summaries(usable, size, declared, indicator, named[0] if named else None)
    return made, left


def _summaries(
    usable: Sequence[Estimate], size: Floats, declared: Group, indicator: Indicator, reference: int | None
) -> tuple[Inequality, ...]:
    value = np.array([e.value for e in usable], dtype=float)
    errors = np.array([((e.high or 0) - (e.low or 0)) / (2 * _Z) for e in usable])
    found = summarise(
        size, value, errors, is_ordered=bool(declared.order),
        direction=cast("Any", "neutral" if indicator.direction == "within" else indicator.direction),
        reference=reference, scale=1.0 if indicator.is_percent else math.inf,
    )  # fmt: skip
    return tuple(
        Inequality(s.name, s.title, float(s.value), _none(s.low), _none(s.high), s.note)
        for s in found
        if not math.isnan(s.value) and s.name != "mean"
    )


# Places


def places(released: Released) -> tuple[tuple[PlaceStanding, ...], dict[str, str]]:
    """Every place beside the city, and its number with strength borrowed from the others.

    Each place's chance is that of a number so far from the city's in a place like the city (score test of a share,
    exact Poisson test of a rate); all places of the measure together are held to a false discovery rate of 5 %.
    """
    indicator = released.indicator
    every = [e for e in released.places() if _is_told(e)]
    if indicator.is_count or not every:
        return (), {}
    chances = [_chance_of(released, e) for e in every]
    known = [i for i, c in enumerate(chances) if c is not None]
    adjusted: dict[int, float] = {}
    if known:
        found = benjamini_hochberg(np.array([cast("float", chances[i]) for i in known]))
        adjusted = dict(zip(known, found.tolist(), strict=True))
    smoothed, words = _borrowed(released, every)
    made = []
    for i, e in enumerate(every):
        standing, is_clear = _standing(released, e, chances[i], adjusted.get(i))
        made.append(PlaceStanding(e.cell, standing, is_clear, adjusted.get(i), *smoothed.get(e.cell, (None,) * 4)))
    return tuple(made), words


def _city_of(released: Released, e: Estimate) -> Estimate | None:
    city = released.at(Cell(e.cell.period))
    return city if city is not None and _is_told(city) else None


def _chance_of(released: Released, e: Estimate) -> float | None:
    city = _city_of(released, e)
    if city is not None and released.indicator.gaps_by == "other":
        return _chance_by_interval(e, city)
    if city is None or None in (city.events, city.base, e.events, e.base) or not city.base or not e.base:
        return None
    centre = cast("float", city.events) / city.base
    if released.indicator.gaps_by == "share":
        return share_p_value(cast("float", e.events), e.base, centre) if 0 < centre < 1 else None
    if released.indicator.gaps_by == "rate" and centre > 0:
        return rate_p_value(cast("int", e.events), centre * e.base)
    return None


def _chance_by_interval(e: Estimate, city: Estimate) -> float | None:
    """The chance of a number so far from the city's, by the side of its own interval that points there."""
    if e.value is None or city.value is None or e.low is None or e.high is None:
        return None
    side = e.value - e.low if e.value > city.value else e.high - e.value
    return math.erfc(abs(e.value - city.value) / side * _Z / math.sqrt(2)) if side > 0 else None


def _standing(released: Released, e: Estimate, chance: float | None, adjusted: float | None) -> tuple[Standing, bool]:
    city = _city_of(released, e)
    if city is None or city.value is None or e.value is None or e.state != "known":
        return "cannot tell", False
    difference = e.value - city.value
    if chance is not None and adjusted is not None:
        if adjusted > _DISCOVERY:
            return "not different", False
        clear = chance < 1 - LEVELS[1]
        return _beside(difference, released.indicator.direction, is_certain=True), clear
    if e.low is None or e.high is None:
        return "cannot tell", False
    is_apart = e.low > city.value or e.high < city.value
    return (_beside(difference, released.indicator.direction, is_certain=True) if is_apart else "not different"), False


Smoothed = tuple[float | None, float | None, float | None, float | None]


def _borrowed(released: Released, every: Sequence[Estimate]) -> tuple[dict[Cell, Smoothed], dict[str, str]]:
    indicator = released.indicator
    smoothed: dict[Cell, Smoothed] = {}
    words: dict[str, str] = {}
    if indicator.gaps_by not in ("share", "rate"):
        return smoothed, words
    for geography in dict.fromkeys(e.cell.geography for e in every):
        own = [e for e in every if e.cell.geography == geography and e.base and e.events is not None]
        if len(own) < 2:
            continue
        events, base = np.array([float(e.events or 0) for e in own]), np.array([float(e.base or 0) for e in own])
        found = beta_binomial(events, base) if indicator.gaps_by == "share" else poisson_gamma(events, base)
        scale = 1.0 if indicator.gaps_by == "share" else float(getattr(indicator, "per", 1))
        words[geography] = " ".join(w for w in (found.sentence, _dispersion(released, own)) if w)
        columns = (found.estimate * scale, found.low * scale, found.high * scale, found.weight)
        for i, e in enumerate(own):
            told = tuple(_none(c[i]) for c in columns)
            smoothed[e.cell] = cast("Smoothed", told)
    return smoothed, words


def _dispersion(released: Released, own: Sequence[Estimate]) -> str:
    """Whether places lie further apart than chance puts them, and how many stand out even so."""
    city = _city_of(released, own[0])
    if city is None or city.events is None or not city.base:
        return ""
    events, base = np.array([float(e.events or 0) for e in own]), np.array([float(e.base or 0) for e in own])
    centre = city.events / city.base
    is_share = released.indicator.gaps_by == "share"
    if not 0 < centre < (1 if is_share else math.inf) or (base <= 0).any():
        return ""
    scores = proportion_scores(events, base, centre) if is_share else ratio_scores(events, centre * base)
    found = overdispersion(scores)
    if not found.is_certain:
        return ""
    wide = found.multiplicative()
    if is_share:
        verdicts = proportion_verdicts(events, base, centre, widening=wide)
    else:
        verdicts = ratio_verdicts(events, centre * base, widening=wide)
    out = sum(str(v).endswith("0.001") for v in verdicts)
    return f"They lie {wide:.1f} times as far from the city as chance would put them; {out} stand out even so."


def disparities(
    released: Released, geography: str, people: Sequence[AreaPeople], whole: Mapping[str, float]
) -> tuple[Disparity, ...]:
    """Where a resource lies, against where some people live, and who lives where it is.

    The method is that of the Urban Institute's Spatial Equity Data Tool, worked out from what was released: an area
    whose number is hidden is in no share.

    Args:
        released: A measure whose numbers add up.
        geography: The areas.
        people: Numbers of people of each area.
        whole: All residents of each area.
    """
    own = [e for e in released.places() if e.cell.geography == geography and _is_told(e)]
    weight = np.array([float(e.value or 0) for e in own])
    if not own or not (weight >= 0).all() or weight.sum() == 0:
        return ()
    keys = [e.cell.place for e in own]
    everyone = np.array([whole.get(k, np.nan) for k in keys])
    hidden = sum(e.cell.geography == geography and not _is_told(e) for e in released.places())
    outside = [e.events or 0 for e in released.estimates if e.cell.geography == geography
               and e.cell.place in (OUTSIDE, NOWHERE) and e.cell.period in released.headlines]  # fmt: skip
    made = []
    for kind in people:
        count, moe = (np.array([column.get(k, np.nan) for k in keys]) for column in (kind.people, kind.margins))
        if not np.nansum(count) > 0:
            continue
        by_area = geographic_disparity(weight, count, moe if kind.margins else None)
        with np.errstate(divide="ignore", invalid="ignore"):
            percent = np.where(everyone > 0, 100 * count / everyone, np.nan)
            error = np.where(everyone > 0, 100 * moe / everyone, np.nan)
        all_known = ~np.isnan(count) & ~np.isnan(everyone)
        in_city = 100 * count[all_known].sum() / everyone[all_known].sum() if everyone[all_known].sum() else np.nan
        by_people = demographic_disparity(
            weight, percent[:, None], np.array([in_city]), moe=error[:, None] if kind.margins else None
        )
        areas = tuple(
            AreaDisparity(e.cell, float(by_area.difference[i]), _none(by_area.margin[i]), bool(by_area.is_certain[i]),
                          bool(by_area.has_no_residents[i]))
            for i, e in enumerate(own) if not math.isnan(by_area.difference[i])
        )  # fmt: skip
        made.append(Disparity(
            kind.title, geography, areas, float(by_people.around[0]), float(in_city), float(by_people.difference[0]),
            _none(by_people.margin[0]), bool(by_people.is_certain[0]), sum(outside), hidden,
        ))  # fmt: skip
    return tuple(made)


def balanced(released: Released) -> str:
    """Whether what is there is what was there, and who came, less who went, in words; empty for no stock.

    It is worked out from what was released: a period of which a number is hidden cannot be checked.
    """
    if not released.indicator.accumulates or released.city is None:
        return ""
    grain = grain_of(released.city.cell.period)
    stock = {e.cell.period: e.value for e in released.estimates if e.cell == Cell(e.cell.period)}
    periods = sorted((p for p in stock if p != ALL and grain_of(p) == grain), key=first_day)[1:]
    if not periods:
        return ""

    def row(cells: Iterable[Cell]) -> Floats:
        found = [released.at(c) for c in cells]
        return np.array([[np.nan if e is None or e.value is None else e.value for e in found]])

    before = [p for p in sorted(stock, key=first_day) if grain_of(p) == grain][:-1]
    came, gone = (row(Cell(p, dimension=FLOWS, group=flow) for p in periods) for flow in IN_OUT)
    opening, closing = row(map(Cell, before)), row(map(Cell, periods))
    found = balance(opening=opening, inflow=came, outflow=gone, closing=closing)
    unknown = int(np.isnan(found.residual).sum())
    left = f"; {unknown} cannot be checked, because a number is hidden" if unknown else ""
    if not found.is_balanced:
        return f"It does not balance: {'; '.join(breaks(found, ['the city'], periods))}{left}."
    last = [f"{float(x[0, -1]):,.0f}" for x in (closing, opening, came, gone)]
    told = f" (the last: {last[0]} = {last[1]} + {last[2]} - {last[3]})" if not np.isnan(found.residual[0, -1]) else ""
    return f"What is there balances with who came and went in {len(periods) - unknown} periods{told}{left}."


def covered(released: Released, coverage: Released | None) -> tuple[Covered, ...]:
    """Places of a measure of complaints beside how much of what is there gets reported."""
    if coverage is None or not coverage.indicator.is_share:
        return ()
    shares = {(e.cell.geography, e.cell.place): e for e in coverage.places() if _is_told(e)}
    found = []
    for e in released.places():
        share = shares.get((e.cell.geography, e.cell.place))
        if share is None or share.value is None or share.low is None or share.high is None:
            continue
        is_usable = _is_told(e) and e.value is not None and share.state == "known" and share.low > 0
        corrected = cast("float", e.value) / share.value if is_usable else None
        found.append(Covered(e.cell, share.value, share.low, share.high, corrected))
    return tuple(found)
