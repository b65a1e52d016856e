"""Signals in a series: which points tell of a change, and which are the usual ups and downs.

A chart of individuals and moving ranges (XmR) takes the mean step from one period to the next for the usual
variation. A point is a signal only when it breaks a rule that the usual variation seldom breaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Texts = NDArray[np.str_]

RuleSet = Literal["nhs7", "wheeler8"]
Signal = Literal["none", "outside limits", "trend", "two of three near a limit", "three of four near a limit", "shift"]
State = Literal["ok", "trial limits", "run chart only", "no variation"]
Direction = Literal["up", "down", "neutral"]
Variation = Literal[
    "",
    "common cause",
    "improvement high",
    "improvement low",
    "concern high",
    "concern low",
    "neutral high",
    "neutral low",
]
Assurance = Literal["", "consistently passes", "consistently fails", "hit or miss"]

LIMITS_FROM = 7
"""Points under which there are no limits."""

VERDICT_FROM = 12
"""Points under which the limits are on trial and no point is judged."""

STRONG_AUTOCORRELATION = 0.5
"""The autocorrelation above which the rules give too many false alarms. A threshold of ours, not a published one."""

# 3 sigma over d2 of two points (3 / 1.128), and D4 of two points: Montgomery, Statistical Quality Control, appendix VI.
_REACH = 2.66
_OUTLYING = 3.267

# Two numbers that differ by less than this part of the largest in the series are the same number: a share such as
# 0.3 may come as 0.1 + 0.2, and no rounding error may make or break a run.
_ROUNDING = 1e-13

_STATES: tuple[State, ...] = ("ok", "trial limits", "run chart only", "no variation")

_NELSON = 3.6


@dataclass(frozen=True, slots=True)
class _Rules:
    """The numbers of a rule set.

    Args:
        shift: Points in a row on one side of the mean.
        trend: Points in a row that rise or fall; 0 when a trend is no signal.
        near: What points near a limit are called.
        near_part: How far from the mean to the limit a point must lie to be near it, from 0 to 1.
        near_needed: How many points must be near one limit.
        near_window: Among how many in a row.
        is_strict: All of these lie on that side of the mean, and a point outside the limits is not near them.
    """

    shift: int
    trend: int
    near: Signal
    near_part: float
    near_needed: int
    near_window: int
    is_strict: bool

    @property
    def names(self) -> tuple[Signal, ...]:
        """The signals in the order in which they are tried, after none."""
        return ("none", "outside limits", "trend", self.near, "shift")


_RULES: dict[str, _Rules] = {
    "nhs7": _Rules(7, 7, "two of three near a limit", 2 / 3, 2, 3, is_strict=True),
    "wheeler8": _Rules(8, 0, "three of four near a limit", 1 / 2, 3, 4, is_strict=False),
}


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """One series, the limits in force at each of its points, and the signals.

    Args:
        values: One a period, in order; nan where nothing was measured.
        mean: The centre line at each point.
        low: Lower limit at each point; nan where there are too few points for limits.
        high: Upper limit at each point.
        signal: Which rule flags each point, or "none".
        side: 1 where a flagged point is high or rising, -1 where it is low or falling, 0 where none is flagged.
        segment: Which set of limits holds at each point, counted from 0.
        state: What the last segment allows to say.
        rules: The rule set that the signals are by.
    """

    values: Floats
    mean: Floats
    low: Floats
    high: Floats
    signal: Texts
    side: Ints
    segment: Ints
    state: State
    rules: RuleSet


@dataclass(frozen=True, slots=True)
class Span:
    """Flagged points in a row, all on one side and under one set of limits.

    Args:
        first: Index of the first.
        last: Index of the last.
        side: 1 high, -1 low.
    """

    first: int
    last: int
    side: int


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How often a chart flags a series in which nothing changed.

    Args:
        last_point: Chance that its last point is flagged, from 0 to 1.
        any_point: Chance that at least one of its points is flagged, from 0 to 1.
    """

    last_point: float
    any_point: float


def xmr(
    values: Floats,
    *,
    rules: RuleSet = "nhs7",
    screen_outliers: bool = True,
    baseline_points: int | None = None,
    rebase: Sequence[int] = (),
    floor: float | None = None,
) -> Chart:
    """The chart of one series: limits from its moving ranges, and the points that break a rule.

    A point takes the first rule that fits: outside the limits, part of a trend, near a limit with its neighbours,
    part of a shift to one side of the mean. All comparisons are strict: a point on the mean ends a run.

    - ``nhs7``: seven rising or falling; two of three beyond two thirds of the way to a limit, all three on that
      side; seven on one side. All points of a trend and of a shift are flagged; of the three only those near.
      A point in two trends takes the direction of the later.
    - ``wheeler8``: three of four nearer one limit than the mean; eight on one side. A trend is no signal.

    Args:
        values: One a period, in order; nan where nothing was measured. A step across a gap does not count, and
            a gap ends a run.
        rules: Name of the rule set.
        screen_outliers: Leave out, once, the moving ranges of at least 3.267 times their mean, so that a single
            leap does not hide itself. The mean keeps all points. When none above 0 would remain, all stay.
        baseline_points: Fix mean and limits of each segment after that many measured points; 12 or more.
        rebase: Indexes at which a new segment with limits of its own begins, rising. No run crosses them.
        floor: What no value can fall below, such as 0 for a count. A lower limit under it is cut there, and then
            no point lies below the limits; the rules on points near a limit keep to the uncut one.

    Returns:
        The chart. Segments of fewer than 7 measured points have no limits, those of fewer than 12 have limits but
        no signals; points beyond twice the number of moving ranges do not count. A constant segment has no
        variation and no signals; after a constant baseline, any other value lies outside the limits.

    Raises:
        ValueError: No points, an infinite value, a value below the floor, a baseline of fewer than 12 points,
            an unknown rule set, or segments that are empty or out of order.

    Assumes:
        Periods of the same length whose values, but for changes, are independent of each other. Rolling means,
        seasons and strong autocorrelation give more false alarms. For rare events see ``t_chart``.

    Source:
        NHS England, Making Data Count, as in the R package NHSRplotthedots 0.2.2 (``nhs7`` and the screening);
        Wheeler (1993), Understanding Variation: The Key to Managing Chaos (``wheeler8``). The rule on moving
        ranges and points is ours.

    Example:
        >>> chart = xmr(np.array([4, 6, 5, 7, 5, 4, 6, 5, 6, 4, 5, 5, 12.0]))
        >>> chart.low[-1].round(2), chart.high[-1].round(2)
        (np.float64(2.07), np.float64(9.32))
        >>> str(chart.signal[-1]), int(chart.side[-1]), chart.state
        ('outside limits', 1, 'ok')
    """
    if values.ndim != 1:
        raise ValueError("one series has one dimension")
    return xmr_many(
        values[np.newaxis],
        rules=rules,
        screen_outliers=screen_outliers,
        baseline_points=baseline_points,
        rebase=rebase,
        floor=floor,
    )[0]


def xmr_many(
    values: Floats,
    *,
    rules: RuleSet = "nhs7",
    screen_outliers: bool = True,
    baseline_points: int | None = None,
    rebase: Sequence[int] = (),
    floor: float | None = None,
) -> list[Chart]:
    """The charts of many series over the same periods, such as one for each place and group.

    Args:
        values: One row a series, one column a period; nan where nothing was measured.
        rules: As in ``xmr``, for all; so are the others.
        screen_outliers: As in ``xmr``.
        baseline_points: As in ``xmr``; each series counts its own measured points.
        rebase: As in ``xmr``.
        floor: As in ``xmr``.

    Returns:
        One chart a row, each as ``xmr`` gives it.

    Raises:
        ValueError: As in ``xmr``.

    Example:
        >>> month = np.arange(24.0)
        >>> [variation(chart, "up") for chart in xmr_many(np.array([month % 3, month, 0 * month]))]
        ['common cause', 'improvement high', '']
    """
    if rules not in _RULES:
        raise ValueError("there is no rule set of that name")
    if baseline_points is not None and baseline_points < VERDICT_FROM:
        raise ValueError(f"a baseline has at least {VERDICT_FROM} points")
    _refuse_values(values, floor)
    edges = _edges(values.shape[1], rebase)
    # A copy: a chart does not change with what it was made from.
    values = np.array(values, dtype=np.float64)
    slack = _ROUNDING * np.max(np.abs(values), axis=1, keepdims=True, initial=0.0, where=~np.isnan(values))
    parts = [
        _segment(
            values[:, start:end],
            slack,
            rules=_RULES[rules],
            screen_outliers=screen_outliers,
            baseline_points=baseline_points,
        )
        for start, end in pairwise(edges)
    ]
    mean = _along([part.mean for part in parts], edges)
    reach = _along([part.reach for part in parts], edges)
    low = mean - reach
    if floor is not None:
        low = np.maximum(low, floor)
    code = np.concatenate([part.code for part in parts], axis=1)
    signal = np.array(_RULES[rules].names)[code]
    side = np.concatenate([part.side for part in parts], axis=1)
    segment = np.repeat(np.arange(len(parts)), np.diff(edges))
    return [
        Chart(values[i], mean[i], low[i], high, signal[i], side[i], segment, _STATES[state], rules)
        for i, (high, state) in enumerate(zip(mean + reach, parts[-1].state, strict=True))
    ]


def variation(chart: Chart, direction: Direction) -> Variation:
    """What the last point of a chart says, in one of seven words.

    Args:
        chart: The chart.
        direction: Whether more is better (up), less is (down), or neither.

    Returns:
        "common cause" when it is not flagged; else improvement, concern or neutral, and on which side. Nothing
        when the chart allows no verdict or the last period was not measured.

    Source:
        NHS England, Making Data Count: variation icons.

    Example:
        >>> rising = xmr(np.arange(12.0))
        >>> variation(rising, "down"), variation(rising, "neutral")
        ('concern high', 'neutral high')
    """
    if chart.state != "ok" or np.isnan(chart.values[-1]):
        return ""
    side = int(chart.side[-1])
    if side == 0:
        return "common cause"
    if direction == "neutral":
        return "neutral high" if side > 0 else "neutral low"
    if side > 0:
        return "improvement high" if direction == "up" else "concern high"
    return "improvement low" if direction == "down" else "concern low"


def assurance(chart: Chart, target: float | None, direction: Direction) -> Assurance:
    """Whether the usual ups and downs will meet a target.

    Args:
        chart: The chart; its last limits count.
        target: In the unit of the values; None or nan when there is none.
        direction: Whether more is better (up), less is (down), or neither.

    Returns:
        "hit or miss" when the target lies within the limits or on them, else whether the limits lie wholly on its
        good side. Nothing without target, without direction, or when the chart allows no verdict.

    Source:
        NHS England, Making Data Count: assurance icons.

    Example:
        >>> chart = xmr(np.array([4, 6, 5, 7, 5, 4, 6, 5, 6, 4, 5, 5.0]))
        >>> assurance(chart, 10, "up"), assurance(chart, 10, "down"), assurance(chart, 6, "up")
        ('consistently fails', 'consistently passes', 'hit or miss')
    """
    if chart.state != "ok" or direction == "neutral" or target is None or np.isnan(target):
        return ""
    if chart.low[-1] <= target <= chart.high[-1]:
        return "hit or miss"
    is_above = bool(target > chart.high[-1])
    return "consistently fails" if is_above == (direction == "up") else "consistently passes"


def spans(chart: Chart) -> tuple[Span, ...]:
    """Since when, and until when, the points of a chart are flagged.

    A signal goes on when the last span reaches the last point: it began at ``first``. It has ended when the last
    span stops before. A trend or a shift is seen only once it is long enough: to tell what is new since the
    last look, compare with the chart of that time.

    Args:
        chart: The chart.

    Returns:
        The spans, in order. A gap, the other side or new limits end one.

    Example:
        >>> spans(xmr(np.array([4, 6, 5, 7, 5, 4, 6, 5, 6, 4, 5, 5, 12, 5.0])))
        (Span(first=12, last=12, side=1),)
    """
    found: list[Span] = []
    for i, (side, segment) in enumerate(zip(chart.side.tolist(), chart.segment.tolist(), strict=True)):
        if side == 0:
            continue
        before = found[-1] if found else None
        if before and before.last == i - 1 and before.side == side and chart.segment[i - 1] == segment:
            found[-1] = replace(before, last=i)
        else:
            found.append(Span(i, i, side))
    return tuple(found)


def false_alarms(points: int, *, rules: RuleSet) -> FalseAlarms:
    """How often a chart flags a point although nothing changed.

    The mean of ``last_point`` over the charts of a page, times their number, is how many verdicts of a change to
    expect there by chance alone.

    Args:
        points: Measured points of the chart, all in one segment.
        rules: The rule set.

    Returns:
        Both chances; 0 under 12 points, where no point is judged. Between the lengths of the table they are
        interpolated: ``any_point`` by the logarithm of the chance of no alarm. Beyond 120 points the last
        chance stays and ``any_point`` grows by the same logarithm a point.

    Raises:
        ValueError: An unknown rule set.

    Assumes:
        Independent normal values and screened moving ranges. Small counts have more false alarms: with a mean of
        4, 2.3 % of last points and 25 % of charts of 24 points by ``nhs7``.

    Source:
        Our simulation: 400,000 charts for each length and rule set, drawn 10,000 at a time from numpy's default
        generator with seed 1931 anew for each; standard error at most 0.0008.

    Example:
        >>> usual = false_alarms(24, rules="nhs7")
        >>> round(usual.last_point, 3), round(usual.any_point, 2)
        (0.016, 0.19)
    """
    if rules not in _FALSE_ALARMS:
        raise ValueError("there is no rule set of that name")
    if points < VERDICT_FROM:
        return FalseAlarms(0.0, 0.0)
    last, every = _FALSE_ALARMS[rules]
    quiet = np.log1p(-np.array(every))
    beyond = max(points - _LENGTHS[-1], 0) * (quiet[-1] - quiet[-2]) / (_LENGTHS[-1] - _LENGTHS[-2])
    return FalseAlarms(
        float(np.interp(points, _LENGTHS, last)),
        float(-np.expm1(np.interp(points, _LENGTHS, quiet) + beyond)),
    )


def t_chart(
    days_between: Floats,
    *,
    rules: RuleSet = "nhs7",
    screen_outliers: bool = True,
    baseline_points: int | None = None,
    rebase: Sequence[int] = (),
) -> Chart:
    """The chart of rare events: of the days from each event to the next.

    Days between events pile up near 0 and have a long tail. Their root of 3.6 is nearly normal; the chart is made
    of the roots, and its mean and limits are told in days again. The centre line is then nearer the median than
    the mean.

    Args:
        days_between: Days from each event to the next, in order; 0 or more, better with fractions of a day than
            with many zeros. A high point is a long time without an event.
        rules: As in ``xmr``.
        screen_outliers: As in ``xmr``.
        baseline_points: As in ``xmr``.
        rebase: As in ``xmr``.

    Returns:
        The chart, in days. Its lower limit is 0 where the roots' limit is negative.

    Raises:
        ValueError: As in ``xmr``; negative days.

    Assumes:
        Events come at random and at one rate: exponential days between them. Use it where a period has fewer than
        about 5 events.

    Source:
        Nelson (1994), A control chart for parts-per-million nonconforming items, Journal of Quality Technology
        26(3), 239-240.

    Example:
        >>> chart = t_chart(np.array([20, 3, 41, 9, 30, 5, 14, 26, 50, 2, 18, 11, 400.0]))
        >>> chart.high[-1].round(0), str(chart.signal[-1])
        (np.float64(381.0), 'outside limits')
    """
    _refuse_values(days_between[np.newaxis], 0.0)
    roots = xmr(
        days_between ** (1 / _NELSON),
        rules=rules,
        screen_outliers=screen_outliers,
        baseline_points=baseline_points,
        rebase=rebase,
        floor=0.0,
    )
    return replace(
        roots,
        values=np.array(days_between, dtype=np.float64),
        mean=roots.mean**_NELSON,
        low=roots.low**_NELSON,
        high=roots.high**_NELSON,
    )


def year_over_year(values: Floats, per_year: int) -> Floats:
    """Each value less that of the same season a year before.

    Say so beside a chart of these: a lasting change shows in them for one year only, and they vary more than the
    values, by a factor of 1.4 where years are independent.

    Args:
        values: One a period, in order, along the last axis; nan where nothing was measured.
        per_year: Periods a year, such as 12; 1 or more.

    Returns:
        As many, in the same unit; nan for the first year and where either value is missing.

    Raises:
        ValueError: Less than one period a year.

    Source:
        Box and Jenkins (1970), Time Series Analysis: Forecasting and Control, chapter 9, seasonal differences.

    Example:
        >>> year_over_year(np.array([10, 30, 12, 31.0]), 2)
        array([nan, nan,  2.,  1.])
    """
    if per_year < 1:
        raise ValueError("a year has at least one period")
    differences = np.full(values.shape, np.nan)
    differences[..., per_year:] = values[..., per_year:] - values[..., :-per_year]
    return differences


def autocorrelation(values: Floats) -> float:
    """How far each value resembles the one before it: the correlation of the series with itself, one period on.

    Args:
        values: One a period, in order; nan where nothing was measured. Pairs across a gap do not count.

    Returns:
        From -1 to 1; nan with fewer than two neighbours or without variation. In short series it is too
        low: by about (1 + 4 r) / n for n points and a true value r.

    Raises:
        ValueError: More than one dimension.

    Source:
        Box and Jenkins (1970), Time Series Analysis: Forecasting and Control, chapter 2, r_1 = c_1 / c_0;
        Kendall (1954), Biometrika 41, 403-404, doi:10.1093/biomet/41.3-4.403, the bias, whose size we
        checked by simulation. With gaps the products that are there stand for those that are missing.

    Example:
        >>> round(autocorrelation(np.array([1, 2, 3, 4, 5, 6.0])), 3)
        0.5
    """
    if values.ndim != 1:
        raise ValueError("one series has one dimension")
    here = ~np.isnan(values)
    known = values[here]
    pairs = int(np.sum(here[1:] & here[:-1]))
    if pairs == 0 or np.ptp(known) <= _ROUNDING * np.max(np.abs(known)):
        return float("nan")
    away = values - known.mean()
    # Without gaps there is one pair fewer than points, and the factor is 1.
    share_of_pairs = pairs / (known.size - 1)
    return float(np.nansum(away[1:] * away[:-1]) / share_of_pairs / np.nansum(away**2))


def dependence(values: Floats) -> str:
    """The words that must stand beside a chart whose points are not independent.

    Args:
        values: As in ``autocorrelation``.

    Returns:
        "strongly autocorrelated" above 0.5, else nothing.

    Raises:
        ValueError: More than one dimension.

    Source:
        The threshold is ours. By simulation, where the true value is 0.5, a chart of 24 points by ``nhs7`` flags
        the last one 12 % of the time instead of 1.6 %. Only one in four of such short series shows more than 0.5:
        no words are no proof of independence.

    Example:
        >>> dependence(np.arange(24.0)), dependence(np.arange(24.0) % 2)
        ('strongly autocorrelated', '')
    """
    return "strongly autocorrelated" if autocorrelation(values) > STRONG_AUTOCORRELATION else ""


_LENGTHS = (12, 18, 24, 36, 48, 60, 90, 120)
# Rule set -> chances at these lengths: the last point flagged, any point flagged.
_FALSE_ALARMS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "nhs7": (
        (0.0139, 0.0152, 0.0164, 0.0173, 0.0185, 0.0184, 0.0190, 0.0192),
        (0.0725, 0.1293, 0.1866, 0.2934, 0.3882, 0.4676, 0.6304, 0.7419),
    ),
    "wheeler8": (
        (0.0125, 0.0119, 0.0122, 0.0122, 0.0126, 0.0124, 0.0126, 0.0127),
        (0.0635, 0.1030, 0.1434, 0.2226, 0.2948, 0.3599, 0.4997, 0.6101),
    ),
}


@dataclass(frozen=True, slots=True)
class _Segment:
    """Many series under one set of limits.

    Args:
        mean: One a series.
        reach: From the mean to a limit; one a series, nan without limits.
        code: Place of the signal in the names of the rule set; one a point.
        side: 1 high, -1 low, 0 not flagged; one a point.
        state: Place in ``_STATES``; one a series.
    """

    mean: Floats
    reach: Floats
    code: Ints
    side: Ints
    state: Ints


def _segment(
    values: Floats, slack: Floats, *, rules: _Rules, screen_outliers: bool, baseline_points: int | None
) -> _Segment:
    here = ~np.isnan(values)
    used = here if baseline_points is None else here & (np.cumsum(here, axis=1) <= baseline_points)
    mean = _mean(values, used)
    usual, ranges = _usual_step(values, used, screen_outliers=screen_outliers)
    # Limits rest on moving ranges: many gaps leave few of them, however many points there are.
    evidence = np.minimum(used.sum(axis=1), 2 * ranges)
    highest = np.max(values, axis=1, initial=-np.inf, where=here)
    lowest = np.min(values, axis=1, initial=np.inf, where=here)
    state = np.select(
        [evidence < LIMITS_FROM, highest - lowest <= slack[:, 0], evidence < VERDICT_FROM],
        [_STATES.index("run chart only"), _STATES.index("no variation"), _STATES.index("trial limits")],
        _STATES.index("ok"),
    )
    reach = np.where(evidence < LIMITS_FROM, np.nan, _REACH * usual)
    code, side = _signals(values, mean[:, np.newaxis], reach[:, np.newaxis], slack=slack, rules=rules)
    is_judged = state[:, np.newaxis] == _STATES.index("ok")
    return _Segment(mean, reach, np.where(is_judged, code, 0), np.where(is_judged, side, 0), state)


def _usual_step(values: Floats, used: Bools, *, screen_outliers: bool) -> tuple[Floats, Ints]:
    """The mean moving range of each series, and how many there are before screening."""
    steps = np.abs(np.diff(values, axis=1))
    counted = used[:, 1:] & used[:, :-1]
    usual = _mean(steps, counted)
    if screen_outliers:
        screened = _mean(steps, counted & (steps < _OUTLYING * usual[:, np.newaxis]))
        usual = np.where(screened > 0, screened, usual)
    return usual, counted.sum(axis=1)


def _signals(values: Floats, mean: Floats, reach: Floats, *, slack: Floats, rules: _Rules) -> tuple[Ints, Ints]:
    """Which rule each point breaks, as a place among the names, and on which side."""
    points = values.shape[1]
    away = values - mean
    sides = _beyond(away, slack)
    outside = _beyond(away, reach + slack)
    near = _beyond(away, rules.near_part * reach + slack)
    if rules.is_strict:
        near = np.where(outside != 0, 0, near)
    shift = _spread(_runs(sides, rules.shift), rules.shift, points)
    trend = np.zeros_like(shift)
    if rules.trend:
        trend = _spread(_runs(_beyond(np.diff(values, axis=1), slack), rules.trend - 1), rules.trend, points)
    found = [outside, trend, _near(near, sides, rules), shift]
    is_found = [one != 0 for one in found]
    return np.select(is_found, [1, 2, 3, 4], 0), np.select(is_found, found, 0)


def _near(near: Ints, sides: Ints, rules: _Rules) -> Ints:
    """The points near a limit that have enough of their kind around them, by side."""
    flagged = np.zeros_like(near)
    window = rules.near_window
    for side in (1, -1):
        hits = _count(near == side, window) >= rules.near_needed
        if rules.is_strict:
            hits &= _count(sides == side, window) == window
        flagged[(_spread(hits.astype(np.int64), window, near.shape[1]) != 0) & (near == side)] = side
    return flagged


def _beyond(away: Floats, bound: Floats) -> Ints:
    """1 above the bound, -1 below its negative, else 0; also 0 where either is missing."""
    return (away > bound).astype(np.int64) - (away < -bound).astype(np.int64)


def _count(marks: Bools, length: int) -> Ints:
    """How many marks each stretch of that length has; as many numbers as there are stretches."""
    before: Ints = np.zeros((marks.shape[0], marks.shape[1] + 1), dtype=np.int64)
    np.cumsum(marks, axis=1, out=before[:, 1:])
    return before[:, length:] - before[:, : max(marks.shape[1] + 1 - length, 0)]


def _runs(marks: Ints, length: int) -> Ints:
    """1 for each stretch of that length with only 1 in it, -1 for those with only -1, else 0."""
    is_high: Bools = _count(marks == 1, length) == length
    is_low: Bools = _count(marks == -1, length) == length
    return is_high.astype(np.int64) - is_low.astype(np.int64)


def _spread(stretches: Ints, length: int, points: int) -> Ints:
    """Every point of every stretch that is marked; where two meet, the later has it."""
    spread = np.zeros((stretches.shape[0], points), dtype=np.int64)
    width = stretches.shape[1]
    # A point is last in the earliest stretch that holds it, and first in the latest.
    for place in range(length - 1, -1, -1):
        np.copyto(spread[:, place : place + width], stretches, where=stretches != 0)
    return spread


def _mean(values: Floats, counted: Bools) -> Floats:
    """The mean of those that count in each row; nan where none does."""
    total = np.sum(values, axis=1, where=counted)
    number = counted.sum(axis=1)
    mean = np.full(total.shape, np.nan)
    np.divide(total, number, out=mean, where=number > 0)
    return mean


def _along(parts: Sequence[Floats], edges: Sequence[int]) -> Floats:
    """One number a series and segment, repeated for each of its points."""
    return np.repeat(np.stack(parts, axis=1), np.diff(edges), axis=1)


def _edges(points: int, rebase: Sequence[int]) -> list[int]:
    """Where the segments begin, and the end of the last."""
    edges = [0, *rebase, points]
    if any(end <= start for start, end in pairwise(edges)):
        raise ValueError("segments have points, and come in order")
    return edges


def _refuse_values(values: Floats, floor: float | None) -> None:
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError("a chart needs points: one row a series, one column a period")
    if np.isinf(values).any():
        raise ValueError("no value is infinite")
    if floor is not None and (values < floor).any():
        raise ValueError("no value lies below the floor")
