"""Areas against the city: how far an area may lie from it by chance, the further the smaller the area.

Arrays have one element per area; nan is an area without data. No area is ranked: an area is told from the city, or it
is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtri

from metroon.measure.interval import Floats, Interval, exact_poisson, poisson

if TYPE_CHECKING:
    from metroon.measure.interval import Array

Verdict: TypeAlias = Literal[
    "low at 0.001", "low at 0.025", "not different", "high at 0.025", "high at 0.001", "no data"
]
"""On which side of the city an area lies, and how seldom chance alone would put it there."""
Verdicts: TypeAlias = NDArray[np.str_]

LEVELS = (0.95, 0.998)
"""Levels of the inner and the outer limits: about two and three standard errors."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How far areas lie from the city.

    Args:
        z: Distance in standard errors, if chance alone made it.
        error: That standard error, in the unit of the share or the ratio.
    """

    z: Floats
    error: Floats


@dataclass(frozen=True, slots=True)
class Overdispersion:
    """How much further apart areas lie than chance alone would put them.

    Args:
        areas: Areas with data.
        phi: Mean of the squared scores, their extremes drawn in; about 1 or less if chance alone is at work.
        tau_squared: Variance between the areas that chance does not explain, in the unit of the score's error squared.
        is_certain: Whether ``phi`` is above what chance makes of it in 95 of 100 cities.
    """

    areas: int
    phi: float
    tau_squared: float
    is_certain: bool

    def multiplicative(self) -> float:
        """The factor by which all limits move away from the city; 1 when the areas are not overdispersed."""
        return math.sqrt(max(self.phi, 1.0)) if self.is_certain else 1.0

    def additive(self, error: Floats) -> Floats:
        """The factor of each area, larger for large areas: chance hides less of them.

        Args:
            error: Standard errors of the areas, as in their scores.
        """
        extra = self.tau_squared if self.is_certain else 0.0
        return np.sqrt(1 + extra / np.square(error))


def city_value(numerators: Array, denominators: Array) -> float:
    """The city's value: all areas' numerators over all their denominators.

    Args:
        numerators: Successes or events of each area.
        denominators: Trials, people or expected events of each area.

    Returns:
        The share, rate or ratio of the areas that have both.

    Raises:
        ValueError: No denominators.

    Example:
        >>> city_value(np.array([30, np.nan, 20]), np.array([100, 50, 100]))
        0.25
    """
    over, under = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    is_known = ~np.isnan(over) & ~np.isnan(under)
    total = under[is_known].sum()
    if not 0 < total < math.inf:
        raise ValueError("no denominators, no value of the city")
    return float(over[is_known].sum() / total)


def proportion_limits(
    trials: Array, centre: float, *, level: float = LEVELS[0], widening: float | Floats = 1.0
) -> Interval[Floats]:
    """Shares between which an area of that size is not told from the city.

    Args:
        trials: Trials of each area; above 0.
        centre: The city's share, between 0 and 1.
        level: Confidence level, between 0 and 1.
        widening: Factor of the distance from the city, from ``Overdispersion``.

    Returns:
        The limits, from 0 to 1: without widening those shares whose Wilson bound is the city's share.

    Raises:
        ValueError: No trials, a city's share of 0 or 1, or a level that is none.

    Source:
        Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202, doi:10.1002/sim.1970; Office for Health
        Improvement and Disparities, Public health technical guide: funnel plots.

    Example:
        >>> limits = proportion_limits(np.array([200]), 0.3)
        >>> limits.low.round(4), limits.high.round(4)
        (array([0.2365]), array([0.3635]))
    """
    reach = _z(level) * _share_error(trials, centre) * widening
    return Interval(np.maximum(centre - reach, 0.0), np.minimum(centre + reach, 1.0))


def ratio_limits(events: Array, *, level: float = LEVELS[0], widening: float | Floats = 1.0) -> Interval[Floats]:
    """Ratios of observed to expected events between which an area with that many events is not told from the city.

    Args:
        events: Events observed in each area; 0 or more, whole numbers.
        level: Confidence level, between 0 and 1.
        widening: Factor of the distance from the city, from ``Overdispersion``.

    Returns:
        The limits; the city is 1. No number of 0 events is high: the upper limit is infinite there.

    Raises:
        ValueError: An impossible count, or a level that is none.

    Source:
        Office for Health Improvement and Disparities, Public health technical guide: funnel plots; the exact
        limits of a count from Garwood (1936), Biometrika 28, 437-442.

    Example:
        >>> limits = ratio_limits(np.array([20]))
        >>> limits.low.round(4), limits.high.round(4)
        (array([0.6475]), array([1.6371]))
    """
    observed = np.asarray(events, dtype=np.float64)
    bounds = exact_poisson(observed, level=level)
    with np.errstate(divide="ignore", invalid="ignore"):
        high = np.where(observed == 0, np.inf, observed / bounds.low)
    low = observed / bounds.high
    return Interval(np.maximum(1 - (1 - low) * widening, 0.0), 1 + (high - 1) * widening)


def rate_limits(
    events: Array, centre: float, *, level: float = LEVELS[0], widening: float | Floats = 1.0
) -> Interval[Floats]:
    """Rates between which an area with that many events is not told from the city.

    Args:
        events: Events observed in each area; 0 or more, whole numbers.
        centre: The city's rate, in the unit that the limits shall have; above 0.
        level: Confidence level, between 0 and 1.
        widening: Factor of the distance from the city, from ``Overdispersion``.

    Returns:
        ``ratio_limits`` times the city's rate.

    Raises:
        ValueError: An impossible count, a city without a rate, or a level that is none.

    Example:
        >>> limits = rate_limits(np.array([20]), 50.0)
        >>> limits.low.round(2), limits.high.round(2)
        (array([32.37]), array([81.86]))
    """
    if not 0 < centre < math.inf:
        raise ValueError("the city's rate is above 0")
    return ratio_limits(events, level=level, widening=widening).times(centre)


def effective_population(events: Array, rate: Array, *, multiplier: float) -> Floats:
    """The people who would have had those events at that rate: where a standardised rate stands in a funnel.

    Args:
        events: Events of each area; 0 or more.
        rate: Their standardised rate, per ``multiplier`` people.
        multiplier: People that the rate is for, such as 100,000.

    Returns:
        People of each area; nan where there were no events, and the people have to come from elsewhere.

    Source:
        Office for Health Improvement and Disparities, Public health technical guide: funnel plots.

    Example:
        >>> effective_population(np.array([140, 0]), np.array([11.25, 0.0]), multiplier=1_000).round(1)
        array([12444.4,     nan])
    """
    observed, height = np.asarray(events, dtype=np.float64), np.asarray(rate, dtype=np.float64)
    return multiplier * observed / np.where(height > 0, height, np.nan)


def proportion_verdicts(successes: Array, trials: Array, centre: float, *, widening: float | Floats = 1.0) -> Verdicts:
    """Whether each area's share is told from the city's.

    Args:
        successes: Of each area; from 0 to its trials.
        trials: Of each area; above 0.
        centre: The city's share, between 0 and 1.
        widening: Factor of the distance from the city, from ``Overdispersion``.

    Returns:
        A ``Verdict`` of each area.

    Raises:
        ValueError: More successes than trials, no trials, or a city's share of 0 or 1.

    Assumes:
        Trials are independent and, in an area like the city, share the city's chance of success. An area is a
        small part of the city: a large one pulls the city's share towards itself.

    Source:
        As ``proportion_limits``.

    Example:
        >>> proportion_verdicts(np.array([60, 80, 40]), np.array([200, 200, 200]), 0.3).tolist()
        ['not different', 'high at 0.025', 'low at 0.025']
    """
    x, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    if (x < 0).any() or (x > n).any():
        raise ValueError("successes lie between 0 and the trials")
    limits = [proportion_limits(n, centre, level=level, widening=widening) for level in LEVELS]
    share = x / n
    return _verdicts(share, low=[share < one.low for one in limits], high=[share > one.high for one in limits])


def ratio_verdicts(events: Array, expected: Array, *, widening: float | Floats = 1.0) -> Verdicts:
    """Whether each area's events are told from those expected of it at the city's rate.

    Args:
        events: Events observed in each area; 0 or more, whole numbers.
        expected: Events expected, such as the city's rate times the area's people; above 0.
        widening: Factor of the distance from the city, from ``Overdispersion``.

    Returns:
        A ``Verdict`` of each area, from the interval of its events: exact below 10, else Byar's.

    Raises:
        ValueError: An impossible count, or nothing expected.

    Assumes:
        Events are independent (Poisson), and the expectation is known.

    Source:
        Office for Health Improvement and Disparities, Public health technical guide.

    Example:
        >>> ratio_verdicts(np.array([20, 40, 0]), np.array([20.0, 20.0, 4.0])).tolist()
        ['not different', 'high at 0.001', 'low at 0.025']
    """
    observed, awaited = np.asarray(events, dtype=np.float64), _expected(expected)
    low, high = [], []
    for level in LEVELS:
        bounds = poisson(observed, level=level)
        low.append(observed + (bounds.high - observed) * widening < awaited)
        high.append(observed - (observed - bounds.low) * widening > awaited)
    return _verdicts(observed / awaited, low=low, high=high)


def judged(verdicts: Verdicts, direction: Literal["up", "down", "neutral"]) -> Verdicts:
    """The verdicts in words of better and worse, where the city says which way is good.

    Args:
        verdicts: From ``proportion_verdicts`` or ``ratio_verdicts``.
        direction: Whether more is better (``up``), worse (``down``) or neither (``neutral``).

    Returns:
        The verdicts, with better and worse for high and low; with higher and lower when neutral.

    Example:
        >>> judged(np.array(["high at 0.001", "not different"]), "down").tolist()
        ['worse at 0.001', 'not different']
    """
    words = {"up": ("better", "worse"), "down": ("worse", "better"), "neutral": ("higher", "lower")}
    high, low = words[direction]
    return np.strings.replace(np.strings.replace(verdicts, "high", high), "low at", f"{low} at")


def proportion_scores(successes: Array, trials: Array, centre: float) -> Scores:
    """How many standard errors each area's share lies from the city's.

    Args:
        successes: Of each area; from 0 to its trials.
        trials: Of each area; above 0.
        centre: The city's share, between 0 and 1.

    Raises:
        ValueError: More successes than trials, no trials, or a city's share of 0 or 1.

    Source:
        Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202, appendix A.1.

    Example:
        >>> proportion_scores(np.array([75]), np.array([200]), 0.3).z.round(3)
        array([2.315])
    """
    x, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    if (x < 0).any() or (x > n).any():
        raise ValueError("successes lie between 0 and the trials")
    error = _share_error(n, centre)
    return Scores((x / n - centre) / error, error)


def ratio_scores(events: Array, expected: Array) -> Scores:
    """How many standard errors each area's ratio of observed to expected events lies from 1.

    Args:
        events: Events observed in each area; 0 or more.
        expected: Events expected; above 0.

    Raises:
        ValueError: A negative count, or nothing expected.

    Source:
        Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202, appendix A.1.

    Example:
        >>> ratio_scores(np.array([30]), np.array([25.0])).z
        array([1.])
    """
    observed, awaited = np.asarray(events, dtype=np.float64), _expected(expected)
    if (observed < 0).any():
        raise ValueError("a count is 0 or more")
    error = 1 / np.sqrt(awaited)
    return Scores((observed / awaited - 1) / error, error)


def overdispersion(scores: Scores, *, winsorised: float = 0.1) -> Overdispersion:
    """Whether areas lie further apart than chance puts them, and by how much to widen the limits then.

    Args:
        scores: Of the areas, against limits that are not widened.
        winsorised: Share of the areas at each end whose scores are drawn in to the next ones, so that the few areas
            that are looked for do not widen the limits that are to find them; 0 to below a half.

    Returns:
        The dispersion. Say that limits are widened where ``is_certain``.

    Raises:
        ValueError: Fewer than two areas with data, or a share of ends that is none.

    Assumes:
        Scores are normal if chance alone is at work: ten expected events or so in each area. Drawing in the ends
        lowers ``phi``: chance alone gives about 0.7 instead of 1, and is found certain in at most 2 of 100 cities
        instead of 5. Limits are so widened a little less than all the areas together would have them.

    Source:
        Spiegelhalter (2005), Handling over-dispersion of performance indicators, Quality and Safety in Health Care
        14, 347-351, doi:10.1136/qshc.2005.013755; DerSimonian and Laird (1986), Controlled Clinical Trials 7,
        177-188, doi:10.1016/0197-2456(86)90046-2, for the variance between areas.

    Example:
        >>> found = overdispersion(Scores(np.array([-3.0, 3, -3, 3]), np.ones(4)))
        >>> found.phi, round(found.tau_squared, 6), found.is_certain
        (9.0, 11.0, True)
    """
    if not 0 <= winsorised < 0.5:
        raise ValueError("fewer than half of the areas are drawn in at each end")
    is_known = ~np.isnan(scores.z)
    z, weights = scores.z[is_known], 1 / np.square(scores.error[is_known])
    areas = z.size
    if areas < 2:
        raise ValueError("dispersion needs two areas or more")
    ends = np.quantile(z, [winsorised, 1 - winsorised])
    phi = float(np.mean(np.square(np.clip(z, *ends))))
    total = weights.sum()
    between = (areas * phi - (areas - 1)) / (total - np.square(weights).sum() / total)
    return Overdispersion(areas, phi, max(float(between), 0.0), areas * phi > float(chdtri(areas, 0.05)))


def _verdicts(values: Floats, *, low: list[NDArray[np.bool_]], high: list[NDArray[np.bool_]]) -> Verdicts:
    # The first that holds counts: the outer limits come before the inner ones.
    conditions = [np.isnan(values), low[1], high[1], low[0], high[0]]
    labels: list[Verdict] = ["no data", "low at 0.001", "high at 0.001", "low at 0.025", "high at 0.025"]
    nothing: Verdict = "not different"
    return np.select(conditions, [np.str_(label) for label in labels], np.str_(nothing))


def _share_error(trials: Array, centre: float) -> Floats:
    n = np.asarray(trials, dtype=np.float64)
    if not 0 < centre < 1:
        raise ValueError("a city's share of 0 or 1 has no limits")
    if (n <= 0).any() or (n == math.inf).any():
        raise ValueError("there are no trials, so there is no share")
    return np.sqrt(centre * (1 - centre) / n)


def _expected(expected: Array) -> Floats:
    awaited = np.asarray(expected, dtype=np.float64)
    if (awaited <= 0).any() or (awaited == math.inf).any():
        raise ValueError("where nothing is expected, nothing is compared")
    return awaited


def _z(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError("a confidence level lies between 0 and 1")
    return -float(ndtri((1 - level) / 2))
