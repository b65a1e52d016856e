"""Inequality: how far the values of groups lie apart, in one number, and how much of it is noise.

Three facts decide what is told. Ordered groups (poorest to richest tracts) have measures along their order; unordered
ones (districts) have measures of spread. A measure that grows with any difference also grows with noise, so it comes
twice: as the values show it, and without what their standard errors add. And a best group that is picked after
looking at the values looks better than it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import expit, logit, ndtri

if TYPE_CHECKING:
    from collections.abc import Callable

    from metroon.measure.interval import Floats

Direction = Literal["up", "down", "neutral"]
Transform = Literal["none", "log", "logit"]

_STEPS = 25
"""Spreads that are tried, to find which of them would show the values at hand."""
_NEWTON_STEPS = 100
_SINGULAR = 1e13
"""Condition from which on an information matrix is no more than rounding errors."""
_ENDS = np.array([[1.0, 0.0], [1.0, 1.0]])
"""Rank 0 and rank 1, each with the constant before it."""

_SII = "best-off end minus worst-off end of the fitted line"
_RII = "best-off end over worst-off end of the fitted line"
_SPREADS = {
    "bgv": "squared distance from the mean",
    "bgsd": "standard deviation of the groups around the mean",
    "cov": "standard deviation of the groups around the mean, in percent of it",
    "ti": "Theil index, times 1,000",
    "mld": "mean log deviation, times 1,000",
    "mdm_w": "mean distance from the mean, by people",
    "mdm_u": "mean distance from the mean, each group once",
    "idis_w": "mean distance from the mean in percent of it, by people",
    "idis_u": "mean distance from the mean in percent of it, each group once",
    "mdr_w": "mean distance from the reference, by people",
    "mdr_u": "mean distance from the reference, each group once",
}
_SQUARES = ("bgv", "bgsd", "cov")
_LOGS = ("ti", "mld")
_RELATIVE = ("cov", "ti", "mld", "idis_w", "idis_u", "rci", "paf", "pap")
_CLEARLY = 4
"""Standard errors above 0 from which on a mean may divide: nearer, quotients have no error that means anything."""

_NOISE_ADDS = "noise makes it larger; the same without noise stands beside it"
_NO_NOISE = "what the standard errors add is taken away"
_UNKNOWN_NOISE = "noise makes it larger; how much, only standard errors tell"
_PICKED = "picked after looking, which makes it look larger; bounds, where given, allow for that"
_NOT_POSITIVE = "needs values above 0"
_NEAR_ZERO = "the mean is too near 0 for an error or bounds"


@dataclass(frozen=True, slots=True)
class Summary:
    """One measure of inequality.

    Args:
        name: What it is called in the literature, in lower case.
        title: What it says, in plain words.
        value: The measure; nan where the values do not allow it.
        se: Its standard error; nan where none is known.
        low: Lower bound of the true measure; nan where no honest bound is known.
        high: Upper bound.
        note: What a reader must know beside the number; may be empty.
    """

    name: str
    title: str
    value: float
    se: float = math.nan
    low: float = math.nan
    high: float = math.nan
    note: str = ""


@dataclass(frozen=True, slots=True)
class Slopes:
    """What the line through ordered groups says of the two ends of the order.

    Args:
        sii: Slope index: value at the best-off end minus value at the worst-off end.
        rii: Relative index: value at the best-off end over value at the worst-off end.
    """

    sii: Summary
    rii: Summary


def summarise(
    population: Floats,
    value: Floats,
    se: Floats | None,
    *,
    is_ordered: bool,
    direction: Direction,
    reference: int | None,
    scale: float = 1.0,
    level: float = 0.95,
    draws: int = 1_000,
    seed: int = 1,
) -> tuple[Summary, ...]:
    """Every measure of inequality that the groups allow.

    Args:
        population: People of each group. Groups with 0 or nan are left out.
        value: Each group's value; those that are nan (hidden, unknown) are left out. Ordered groups stand from the
            worst-off to the best-off, as declared.
        se: Standard error of each value, 0 or more; None where it is not known. One that is nan among the groups
            kept leaves all measures without error.
        is_ordered: Whether the groups have a declared order. Only then ``aci``, ``rci``, ``sii``, ``rii``,
            ``difference`` and ``ratio`` of the two ends; only otherwise the measures of spread.
        direction: Whether more is better. With ``neutral`` no group is best: nothing is told against the best.
        reference: Position of the group that was chosen beforehand, or None.
        scale: The largest value that can be: 1 of shares, 100 of percents, infinity of rates.
        level: Confidence level, between 0 and 1.
        draws: Simulated sets of values behind errors that have no formula.
        seed: Of the simulation: the same input gives the same answer.

    Returns:
        The measures in a fixed order; none of fewer than two groups. Names ending in ``_w`` weigh groups by people,
        those in ``_u`` count each group once, those in ``_corrected`` are without noise.

    Raises:
        ValueError: Arrays of different length, a negative population or error, no such reference, or a level that is
            none.

    Assumes:
        Errors are independent between groups and near normal; populations are exact.
        Error and bounds of ``bgv``, ``bgsd``, ``cov``, ``ti`` and ``mld`` without noise assume that the pattern of
        the values is true and only their spread is not known: they cover 93-97 % for 6 to 25 groups. For mean
        distances this covers 75-97 %, so that they have none. Errors come within 10 % of the true ones for 5 to 25
        groups. Those of ``range``, ``range_ratio`` and, in unordered groups, ``par``, ``paf``, ``pap`` and ``mdb``
        come within 20 %, as it is not known which group is the best; their bounds cover 95 % or more.

    Source:
        WHO (2013), Handbook on health inequality monitoring, section 3; Harper and Lynch (2005), Methods for measuring
        cancer disparities, NCI, for the formulas. Louis (1984), Journal of the American Statistical Association 79,
        393-398, doi:10.1080/01621459.1984.10478062, for values whose spread is that of the truth.

    Example:
        >>> found = summarise(
        ...     np.array([78.0, 91, 162, 103, 105]), np.array([20.0, 30, 40, 50, 60]), None,
        ...     is_ordered=True, direction="up", reference=None, scale=100,
        ... )
        >>> {s.name: round(s.value, 2) for s in found if s.name in ("mean", "aci", "par")}
        {'mean': 41.22, 'aci': 7.33, 'par': 18.78}
    """
    groups = _Groups.of(population, value, se, reference=reference, is_ordered=is_ordered)
    if groups is None:
        return ()
    tail = _tail(level)
    noise = None if groups.se is None else _Noise.of(groups, groups.se, draws=draws, seed=seed)
    found = [_normal("mean", "all groups together", groups.mean, groups.error(groups.share), tail)]
    if is_ordered:
        slopes = _slopes(groups, scale=scale, level=level, seed=seed)
        found += [*_along_the_order(groups, tail), slopes.sii, slopes.rii]
    else:
        found += _spreads(groups, noise, tail)
    found += _extremes(groups, noise, tail)
    if direction != "neutral":
        found += _against_best(groups, noise, tail, is_ordered=is_ordered, sign=1 if direction == "up" else -1)
    return tuple(found)


def rank_midpoints(population: Floats) -> Floats:
    """Where the middle of each ordered group stands among all people, from 0 (worst-off) to 1 (best-off).

    Args:
        population: People of each group, worst-off first; 0 or more.

    Returns:
        The midpoint of each group's range of ranks. A large group takes a long range.

    Raises:
        ValueError: A population that is negative or nan, or nobody at all.

    Example:
        >>> rank_midpoints(np.array([10.0, 30, 60])).tolist()
        [0.05, 0.25, 0.7]
    """
    if not bool((population >= 0).all()) or population.sum() == 0:
        raise ValueError("populations are 0 or more, and someone lives somewhere")
    upper = np.cumsum(population)
    middle: Floats = (upper - population / 2) / upper[-1]
    return middle


def slopes_logistic(
    population: Floats,
    value: Floats,
    se: Floats | None = None,
    *,
    scale: float = 1.0,
    weights: Literal["single", "double"] = "single",
    has_whole_people: bool = False,
    level: float = 0.95,
) -> Slopes:
    """Slope and relative index of ordered shares: a logistic curve over the ranks, read at both ends.

    Args:
        population: People of each group, worst-off first; above 0.
        value: Each group's share, from 0 to ``scale``.
        se: Standard error of each value. None takes the distance of the groups from the curve instead.
        scale: 1 of shares, 100 of percents.
        weights: ``single`` weighs each group by its people. ``double`` weighs by their square, as the published
            test value of the WHO does: the number of trials and a weight, both equal to the people.
        has_whole_people: Round each group's people with the outcome to whole people, as that test value does.
            Populations that are shares of a whole would be rounded to nothing.
        level: Confidence level, between 0 and 1.

    Returns:
        The difference, in the unit of the values, with a normal interval, and the ratio, with one on the log scale.

    Raises:
        ValueError: A value beyond 0 to ``scale``, a population of 0, fewer than two groups, values of 0 or of
            ``scale`` only, or a level that is none.

    Assumes:
        With ``se``: the interval is that of the same curve through the true values; it covers 93-97 % for 5 to 20
        groups. Without: the robust error (HC1) of the groups around the curve, which knows nothing of how well each
        value is known. Of few groups it is too short: it covers 81-89 % for 5, 87-90 % for 10, 90-93 % for 20.

    Source:
        WHO (2013), Handbook on health inequality monitoring, section 3.3; MacKinnon and White (1985), Journal of
        Econometrics 29, 305-325, doi:10.1016/0304-4076(85)90158-7, for HC1.

    Example:
        >>> found = slopes_logistic(
        ...     np.array([78.0, 91, 162, 103, 105]), np.array([20.0, 30, 40, 50, 60]),
        ...     scale=100, weights="double", has_whole_people=True,
        ... )
        >>> round(found.sii.value, 5), round(found.rii.value, 5)
        (44.44502, 3.15951)
    """
    tail = _tail(level)
    share = value / scale
    if value.size < 2 or not bool(((share >= 0) & (share <= 1)).all()) or not bool((population > 0).all()):
        raise ValueError("the curve needs two groups of people or more, with values from 0 to the scale")
    if has_whole_people:
        share = np.round(share * population) / population
    if share.min() == share.max() in (0, 1):
        raise ValueError("values of nothing or all in every group have no curve")
    ranks = np.stack([np.ones_like(share), rank_midpoints(population)], axis=1)
    weight = (population if weights == "single" else population**2) / population.mean()
    fit, spread = _logistic(ranks, share, weight)
    if se is None:
        free = share.size - 2
        error = np.abs(share - expit(ranks @ fit)) * (math.sqrt(share.size / free) if free else math.nan)
    else:
        error = se / scale
    # Rows: what one unit of each group's share moves at the worst-off and at the best-off end, on the logit scale.
    pull = _ENDS @ spread @ (ranks * weight[:, None]).T
    bottom, top = expit(_ENDS @ fit)
    slope_error = math.hypot(*((top * (1 - top) * pull[1] - bottom * (1 - bottom) * pull[0]) * error))
    log_error = math.hypot(*(((1 - top) * pull[1] - (1 - bottom) * pull[0]) * error))
    note = "logistic curve; the error is that of " + ("its fit" if se is None else "the groups")
    return Slopes(
        _normal("sii", _SII, float(scale * (top - bottom)), scale * slope_error, tail, note),
        _log_normal("rii", _RII, float(top / bottom), log_error, tail, note),
    )


def slopes_least_squares(
    population: Floats,
    value: Floats,
    se: Floats | None,
    *,
    transform: Transform = "none",
    scale: float = 1.0,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 1,
) -> Slopes:
    """Slope and relative index of ordered values: a weighted straight line over the ranks, read at both ends.

    Args:
        population: People of each group, worst-off first; above 0.
        value: Each group's value. ``log`` needs values above 0, ``logit`` values between 0 and ``scale``.
        se: Standard error of each value, in its own unit; None leaves both without error.
        transform: Scale on which the line is straight: ``log`` suits rates, ``logit`` shares.
        scale: 1 of shares, 100 of percents; counts with ``logit`` only.
        level: Confidence level, between 0 and 1.
        draws: Simulated sets of values.
        seed: Of the simulation.

    Returns:
        Value at the best-off end minus, and over, the value at the worst-off end; whichever direction is good. The
        ratio is nan where an end is not above 0. Bounds are quantiles of the simulation.

    Raises:
        ValueError: A value that the transform does not know, a population of 0, fewer than two groups, or a level
            that is none.

    Assumes:
        Errors are normal on the scale of the transform and independent between groups. Covers 93-97 % for 5 to 20
        groups.

    Source:
        Office for Health Improvement and Disparities, Slope and relative index of inequality, method and formulas:
        least squares of the value times the root of the population share, without intercept.

    Example:
        >>> found = slopes_least_squares(np.array([1.0, 1, 1]), np.array([10.0, 20, 30]), None)
        >>> round(found.sii.value, 9), round(found.rii.value, 9)
        (30.0, 7.0)
    """
    tail = _tail(level)
    if value.size < 2 or not bool((population > 0).all()):
        raise ValueError("the line needs two groups of people or more")
    straight, slope = _transformed(value, transform, scale)
    root = np.sqrt(population / population.sum())
    ranks = np.stack([root, rank_midpoints(population) * root], axis=1)
    # Rows: what one unit of each group's value moves at the worst-off and at the best-off end of the line.
    pull = _ENDS @ np.linalg.pinv(ranks) * root
    ends = pull @ straight
    note = "straight line" + ("" if transform == "none" else f" through the {transform} of the values")
    plain = _steepness(ends, transform, scale)
    if not math.isfinite(plain[1]):
        plain[1] = math.nan
    if se is None:
        return Slopes(
            Summary("sii", _SII, float(plain[0]), note=note), Summary("rii", _RII, float(plain[1]), note=note)
        )
    # Only two ends are drawn, however many groups there are: they are normal together.
    root_of_cover = np.linalg.svd(pull * (se * slope), full_matrices=False)
    chance = np.random.default_rng(seed).standard_normal((draws, 2))
    drawn = ends + chance * root_of_cover.S @ root_of_cover.U.T
    steepness = _steepness(drawn, transform, scale)
    # No value between two draws is made up: one of them may be infinite.
    bounds = np.quantile(steepness, [tail, 1 - tail], axis=1, method="inverted_cdf")
    (sii_low, rii_low), (sii_high, rii_high) = bounds.tolist()
    sii = Summary("sii", _SII, float(plain[0]), float(steepness[0].std(ddof=1)), sii_low, sii_high, note)
    if math.isnan(plain[1]):
        return Slopes(sii, Summary("rii", _RII, math.nan, note=_NOT_POSITIVE))
    error = float(steepness[1].std(ddof=1)) if bool(np.isfinite(steepness[1]).all()) else math.nan
    return Slopes(sii, Summary("rii", _RII, float(plain[1]), error, rii_low, rii_high, note))


@dataclass(frozen=True)
class _Groups:
    """The groups that are known: shares of people that add up to 1, and values."""

    people: Floats
    share: Floats
    value: Floats
    se: Floats | None
    reference: int | None

    @classmethod
    def of(
        cls, population: Floats, value: Floats, se: Floats | None, *, reference: int | None, is_ordered: bool
    ) -> _Groups | None:
        if population.ndim != 1 or population.shape != value.shape or (se is not None and se.shape != value.shape):
            raise ValueError("each group has one population, one value and one error")
        if bool((population < 0).any()) or (se is not None and bool((se < 0).any())):
            raise ValueError("populations and errors are 0 or more")
        if reference is not None and not 0 <= reference < value.size:
            raise ValueError("the reference is none of the groups")
        kept = np.flatnonzero((population > 0) & np.isfinite(value))
        if kept.size < 2:
            return None
        error = np.zeros_like(value) if se is None else se
        if not is_ordered:
            # The simulation then gives the same answer in whatever order the groups come.
            kept = kept[np.lexsort((error[kept], population[kept], value[kept]))]
        at = np.flatnonzero(kept == reference) if reference is not None else np.array([], dtype=np.intp)
        is_known = se is not None and bool(np.isfinite(se[kept]).all())
        people = population[kept]
        return cls(
            people,
            people / people.sum(),
            value[kept],
            error[kept] if is_known else None,
            int(at[0]) if at.size else None,
        )

    @property
    def mean(self) -> float:
        return float(self.share @ self.value)

    def errors(self, pull: Floats) -> Floats:
        """Standard error of each row of sums, ``pull`` times the values."""
        if self.se is None:
            return np.full(pull.shape[:-1], math.nan)
        found: Floats = np.sqrt((pull * self.se) ** 2 @ np.ones(self.se.size))
        return found

    def error(self, pull: Floats) -> float:
        return float(self.errors(pull))


@dataclass(frozen=True)
class _Noise:
    """Values whose spread is that of the truth, and draws of the noise that hides it.

    Seen values lie too far apart: noise comes on top. Each group's distance from the mean is drawn in by the root of
    the share of its variance that is no noise, so that what is left varies as much as the truth does.
    """

    mean: float
    pattern: Floats
    spread: float
    steps: Floats
    variance: float
    drawn: Floats

    @classmethod
    def of(cls, groups: _Groups, se: Floats, *, draws: int, seed: int) -> _Noise:
        share, away = groups.share, groups.value - groups.mean
        seen = float(share @ away**2)
        variance = float((share * (1 - share)) @ se**2)
        true = max(seen - variance, 0.0)
        # Even where noise explains all, some pattern must be tried: a tenth of the noise makes the choice.
        between = max(true, variance / 10)
        whole = between + se**2
        pattern = away * np.sqrt(np.divide(between, whole, out=np.ones_like(whole), where=whole > 0))
        pattern -= share @ pattern
        width = math.sqrt(share @ pattern**2)
        steps = np.linspace(0, math.sqrt(seen) + 3 * math.sqrt(variance), _STEPS)
        drawn = se * np.random.default_rng(seed).standard_normal((draws, se.size))
        return cls(groups.mean, pattern / width if width else pattern, math.sqrt(true), steps, variance, drawn)

    def truth(self, spread: float | Floats) -> Floats:
        """Values with this standard deviation between people: one row for each spread."""
        return self.mean + np.multiply.outer(np.asarray(spread, dtype=np.float64), self.pattern)

    def seen(self, spread: float) -> Floats:
        """What could be seen if the truth had this spread: one row for each draw."""
        return self.truth(spread) + self.drawn


def _spreads(groups: _Groups, noise: _Noise | None, tail: float) -> list[Summary]:
    names = [n for n in _SPREADS if groups.reference is not None or not n.startswith("mdr")]
    seen = _spread_values(groups.value, groups.share, groups.reference)
    if noise is None:
        found = [Summary(n, _SPREADS[n], float(v), note=_UNKNOWN_NOISE) for n, v in zip(names, seen, strict=True)]
    else:
        found = _with_and_without_noise(groups, noise, tail, names, seen)
    return [_allowed(groups, s) for s in found]


def _allowed(groups: _Groups, found: Summary) -> Summary:
    """The measure, without what the values do not bear: parts of a mean that is, or may well be, 0 or less."""
    name = found.name.removesuffix("_corrected")
    if name not in _RELATIVE:
        return found
    if groups.mean <= 0 or (name in _LOGS and bool((groups.value <= 0).any())):
        return Summary(found.name, found.title, math.nan, note=_NOT_POSITIVE)
    if groups.mean <= _CLEARLY * groups.error(groups.share):
        return Summary(found.name, found.title, math.nan if found.name != name else found.value, note=_NEAR_ZERO)
    return found


def _with_and_without_noise(
    groups: _Groups, noise: _Noise, tail: float, names: list[str], seen: Floats
) -> list[Summary]:
    measure = partial(_spread_values, share=groups.share, reference=groups.reference)
    # Distances from one group move with that group, wherever it truly stands: they are drawn around what is seen.
    drawn, moved = measure(noise.seen(noise.spread)), measure(groups.value + noise.drawn)
    shown = np.stack([np.quantile(measure(noise.seen(s)), [1 - tail, 0.5, tail], axis=1) for s in noise.steps])
    # Axes: step, quantile, measure. More spread shows more: where chance says otherwise, the last step stands.
    shown = np.maximum.accumulate(shown, axis=0)
    found = []
    for i, name in enumerate(names):
        spreads = np.array([np.interp(seen[i], shown[:, q, i], noise.steps, left=0) for q in range(3)])
        first, clean, last = measure(noise.truth(spreads))[i].tolist()
        # Where values barely move, more spread may show a hair less.
        low, high = min(first, last), max(first, last)
        back = np.interp(drawn[i], shown[:, 1, i], noise.steps, left=0)
        cleaned = measure(noise.truth(back))[i]
        if name in _SQUARES:
            clean = float(_squares_without_noise(name, groups.mean, seen[i], noise.variance))
            cleaned = _squares_without_noise(name, groups.mean, drawn[i], noise.variance)
        error = float((moved if name.startswith("mdr") else drawn)[i].std(ddof=1))
        found.append(Summary(name, _SPREADS[name], float(seen[i]), error, note=_NOISE_ADDS))
        without = Summary(f"{name}_corrected", f"{_SPREADS[name]}, without noise", clean, note=_NO_NOISE)
        has_bounds = name in (*_SQUARES, *_LOGS)
        found.append(replace(without, se=float(cleaned.std(ddof=1)), low=low, high=high) if has_bounds else without)
    return found


def _squares_without_noise(name: str, mean: float, seen: Floats, variance: float) -> Floats:
    """A variance, or what is made of its root, less the variance of the noise; below 0 nothing but noise is there."""
    if name == "bgv":
        return np.maximum(seen - variance, 0)
    per_unit = 1 if name == "bgsd" else 100 / mean if mean > 0 else math.nan
    left: Floats = per_unit * np.sqrt(np.maximum((seen / per_unit) ** 2 - variance, 0))
    return left


def _spread_values(value: Floats, share: Floats, reference: int | None) -> Floats:
    """All measures of spread, in the order of ``_SPREADS``; one column for each row of values."""
    mean = value @ share
    away = value - mean[..., None]
    square, far = away**2 @ share, np.abs(away)
    # Draws may fall below 0 where the values themselves do not; the floors keep them finite.
    per_mean = 100 / np.where(mean > 0, mean, math.inf)
    ratio = np.maximum(value * per_mean[..., None] / 100, 1e-6)
    log = np.log(ratio)
    weighted, plain = far @ share, far.mean(axis=-1)
    found = [
        square,
        np.sqrt(square),
        np.sqrt(square) * per_mean,
        1_000 * (ratio * log) @ share,
        -1_000 * log @ share,
        weighted,
        plain,
        weighted * per_mean,
        plain * per_mean,
    ]
    if reference is not None:
        from_reference = np.abs(value - value[..., [reference]])
        found += [from_reference @ share, from_reference.mean(axis=-1)]
    return np.stack(found)


def _along_the_order(groups: _Groups, tail: float) -> list[Summary]:
    """Concentration along the ranks, and the two declared ends of the order."""
    mean, ranks = groups.mean, rank_midpoints(groups.people)
    pull = groups.share * (2 * ranks - 1)
    aci = float(pull @ groups.value)
    ends = np.zeros(groups.share.size)
    ends[[0, -1]] = -1, 1
    first, last = groups.value[0], groups.value[-1]
    found = [_normal("aci", "how far values lean to the better-off, in their unit", aci, groups.error(pull), tail)]
    title = "how far values lean to the better-off, as a part of the mean: -1 to 1"
    per_mean = 1 / mean if mean > 0 else math.nan
    moved = per_mean * (pull - aci * per_mean * groups.share)
    found.append(_allowed(groups, _normal("rci", title, aci * per_mean, groups.error(moved), tail)))
    title = "best-off group minus worst-off group"
    found.append(_normal("difference", title, float(last - first), groups.error(ends), tail))
    title = "best-off group over worst-off group"
    if first > 0 and last > 0:
        found.append(_log_normal("ratio", title, float(last / first), groups.error(ends / groups.value), tail))
    else:
        found.append(Summary("ratio", title, math.nan, note=_NOT_POSITIVE))
    return found


def _slopes(groups: _Groups, *, scale: float, level: float, seed: int) -> Slopes:
    value = groups.value
    if math.isfinite(scale) and bool(((value >= 0) & (value <= scale)).all()):
        try:
            return slopes_logistic(groups.people, value, groups.se, scale=scale, level=level)
        except ValueError:  # no curve fits values that jump from nothing to all; a straight line always does
            pass
    transform: Transform = "log" if bool((value > 0).all()) else "none"
    return slopes_least_squares(groups.people, value, groups.se, transform=transform, level=level, seed=seed)


def _extremes(groups: _Groups, noise: _Noise | None, tail: float) -> list[Summary]:
    """The largest against the smallest value, whichever groups have them."""
    value, every = groups.value, np.eye(groups.value.size)
    a, b = np.nonzero(every == 0)
    se = groups.se if groups.se is not None else np.full_like(value, math.nan)
    title, error = "largest minus smallest value", _drawn_error(noise, lambda y: y.max(axis=-1) - y.min(axis=-1))
    low, high = _bounds_of_largest(value[a] - value[b], np.hypot(se[a], se[b]), tail)
    found = [Summary("range", title, float(np.ptp(value)), error, max(low, 0.0), high, _PICKED)]
    title = "largest over smallest value"
    if value.min() <= 0:
        return [*found, Summary("range_ratio", title, math.nan, note=_NOT_POSITIVE)]
    error = _drawn_error(noise, lambda y: y.max(axis=-1) / np.maximum(y.min(axis=-1), 1e-3 * value.min()))
    log, relative = np.log(value), se / value
    low, high = _bounds_of_largest(log[a] - log[b], np.hypot(relative[a], relative[b]), tail)
    ratio = float(value.max() / value.min())
    return [*found, Summary("range_ratio", title, ratio, error, math.exp(max(low, 0.0)), math.exp(high), _PICKED)]


def _against_best(groups: _Groups, noise: _Noise | None, tail: float, *, is_ordered: bool, sign: int) -> list[Summary]:
    """What all people would gain if each group did as well as the best one, or as the last of an order."""
    share, every = groups.share, np.eye(groups.share.size)
    best = _gain(groups, noise, tail, sign=sign, chosen=every[-1:] if is_ordered else every)
    found = [best("par", "best group minus all together", share, sign)]
    if not is_ordered:
        plain = np.full_like(share, 1 / share.size)
        found.append(best("mdb_w", "mean distance from the best group, by people", share, 1))
        found.append(best("mdb_u", "mean distance from the best group, each group once", plain, 1))
    title = "best group minus all together, in percent of all together"
    found.append(_allowed(groups, best("paf", title, share, 100 * sign, is_relative=True)))
    if sign < 0:
        title = "part of all cases that would not be if each group had the lowest value"
        lowest = _gain(groups, noise, tail, sign=sign, chosen=every)
        found.append(_allowed(groups, lowest("pap", title, share, 1, is_relative=True)))
    return found


def _gain(groups: _Groups, noise: _Noise | None, tail: float, *, sign: int, chosen: Floats) -> Callable[..., Summary]:
    """How to compare the best of the chosen groups with a mean of all, or with a part of it; never below 0."""
    value = groups.value

    def summary(name: str, title: str, weight: Floats, unit: float, *, is_relative: bool = False) -> Summary:
        def gains(y: Floats) -> Floats:
            mean = (y @ weight)[..., None]
            far: Floats = sign * (y @ chosen.T - mean)
            return far / np.where(mean > 0, mean, math.inf) if is_relative else far

        seen, pull = gains(value), chosen - weight
        if is_relative:
            pull = (chosen - np.outer(1 + sign * seen, weight)) / (groups.mean if groups.mean > 0 else math.inf)
        errors = groups.errors(pull)
        # Adding 0 turns -0.0 into 0.0.
        low, high = (0.0 + unit * max(bound, 0.0) for bound in _bounds_of_largest(seen, errors, tail))
        is_fixed = len(chosen) == 1
        error = float(errors[0]) if is_fixed else _drawn_error(noise, lambda y: gains(y).max(axis=-1))
        note = "against the best-off group of the order" if is_fixed else _PICKED
        best = 0.0 + unit * max(float(seen.max()), 0.0)
        return Summary(name, title, best, abs(unit) * error, min(low, high), max(low, high), note)

    return summary


def _bounds_of_largest(found: Floats, errors: Floats, tail: float) -> tuple[float, float]:
    """Bounds of the largest of several true numbers, each of which is known with an error.

    The true largest is one of them, so that its own upper bound is enough above. Below, the highest of all lower
    bounds must hold: each is put as low as their number asks for (Bonferroni).
    """
    low, high = -float(ndtri(tail / found.size)), -float(ndtri(tail))
    return float((found - low * errors).max()), float((found + high * errors).max())


def _drawn_error(noise: _Noise | None, measure: Callable[[Floats], Floats]) -> float:
    return math.nan if noise is None else float(measure(noise.seen(noise.spread)).std(ddof=1))


def _normal(name: str, title: str, value: float, se: float, tail: float, note: str = "") -> Summary:
    reach = -float(ndtri(tail)) * se
    return Summary(name, title, value, se, value - reach, value + reach, note)


def _log_normal(name: str, title: str, value: float, log_se: float, tail: float, note: str = "") -> Summary:
    factor = float(np.exp(np.minimum(-float(ndtri(tail)) * log_se, 700)))
    return Summary(name, title, value, value * log_se, value / factor, value * factor, note)


def _logistic(ranks: Floats, share: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Coefficients of the logistic curve, by Newton steps, and the inverse of its information."""

    def likelihood(fit: Floats) -> float:
        line = ranks @ fit
        return float(weight @ (share * line - np.logaddexp(0, line)))

    fit: Floats = np.zeros(ranks.shape[1])
    for _ in range(_NEWTON_STEPS):
        curve = expit(ranks @ fit)
        information = (ranks.T * (weight * curve * (1 - curve))) @ ranks
        if np.linalg.cond(information) > _SINGULAR:
            break
        spread = np.asarray(np.linalg.inv(information), dtype=np.float64)
        step: Floats = spread @ (ranks.T @ (weight * (share - curve)))
        if np.abs(step).max() < 1e-10 * (1 + np.abs(fit).max()):
            return np.add(fit, step), spread
        # A full step may jump over the top of the likelihood; half of it, or a half of that, does not.
        least = likelihood(fit) - 1e-12 * abs(likelihood(fit))  # a loss below this is a rounding error
        while likelihood(np.add(fit, step)) < least:
            step = step / 2
        fit = np.add(fit, step)
    raise ValueError("the values jump from nothing to all between two groups: no curve fits them")


def _transformed(value: Floats, transform: Transform, scale: float) -> tuple[Floats, Floats]:
    """The values where the line is straight, and what one unit of a value is there."""
    if transform == "none":
        return value, np.ones_like(value)
    if bool((value <= 0).any()) or (transform == "logit" and bool((value >= scale).any())):
        raise ValueError(
            f"the {transform} knows only values above 0" + (" and below the scale" * (transform == "logit"))
        )
    if transform == "log":
        return np.log(value), 1 / value
    part = value / scale
    return logit(part), 1 / (scale * part * (1 - part))


def _steepness(ends: Floats, transform: Transform, scale: float) -> Floats:
    """Difference and ratio of the two ends of each line; a ratio to nothing is infinite."""
    back = ends if transform == "none" else np.exp(ends) if transform == "log" else scale * expit(ends)
    bottom, top = back[..., 0], back[..., 1]
    ratio = np.divide(np.maximum(top, 0), bottom, out=np.full_like(top, math.inf), where=bottom > 0)
    return np.stack([top - bottom, ratio])


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError("a confidence level lies between 0 and 1")
    return (1 - level) / 2
