"""Intervals for shares and counts: how far the underlying risk may lie from what was counted.

All are computed on counts. A rate's interval is that of its count, times the multiplier over the exposure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import betaincinv, gammainccinv, gammaincinv, ndtri

EXACT_BELOW = 10
"""Events under which Byar's approximation gives way to the exact limits (UK OHID, technical guide)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Two bounds in the unit of the value that they bound.

    Args:
        low: Lower bound.
        high: Upper bound, at least ``low``.
    """

    low: float
    high: float

    def times(self, factor: float) -> Interval:
        """The same interval in another unit: ``factor`` is the multiplier over the exposure.

        Example:
            >>> exact_poisson(0).times(100_000 / 5_000).low
            0.0
        """
        return Interval(self.low * factor, self.high * factor)


def wilson(successes: float, trials: float, *, level: float = 0.95) -> Interval:
    """The score interval of a share.

    Args:
        successes: From 0 to ``trials``. A fraction is lawful: survey weights make such counts.
        trials: Above 0.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of the share, from 0 to 1; never of zero width.

    Raises:
        ValueError: More successes than trials, no trials, or a level that is none.

    Assumes:
        Trials are independent and share one chance of success.

    Source:
        Wilson (1927), Journal of the American Statistical Association 22, 209-212,
        doi:10.1080/01621459.1927.10502953.

    Example:
        >>> zero = wilson(0, 30)
        >>> zero.low, round(zero.high, 4)
        (0.0, 0.1135)
    """
    _refuse_share(successes, trials)
    z = _quantile(level)
    middle = 2 * successes + z * z
    reach = z * math.sqrt(z * z + 4 * successes * (1 - successes / trials))
    scale = 2 * (trials + z * z)
    # At the ends one bound is the end itself; rounding errors would put it beside.
    low = 0.0 if successes == 0 else (middle - reach) / scale
    high = 1.0 if successes == trials else (middle + reach) / scale
    return Interval(max(low, 0.0), min(high, 1.0))


def byar(events: float, *, level: float = 0.95) -> Interval:
    """Byar's approximate interval of a count.

    Args:
        events: 0 or more; good from 10 on.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of the expected number of events.

    Raises:
        ValueError: A negative count or a level that is none.

    Assumes:
        Events are independent (Poisson).

    Source:
        Breslow and Day (1987), Statistical Methods in Cancer Research II, IARC, p. 69.

    Example:
        >>> bounds = byar(65)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (50.1632, 82.8491)
    """
    _refuse_count(events)
    z = _quantile(level)
    more = events + 1
    high = more * (1 - 1 / (9 * more) + z / (3 * math.sqrt(more))) ** 3
    if events == 0:
        return Interval(0.0, high)
    root = 1 - 1 / (9 * events) - z / (3 * math.sqrt(events))
    return Interval(events * max(root, 0.0) ** 3, high)


def exact_poisson(events: int, *, level: float = 0.95) -> Interval:
    """The exact interval of a count.

    Args:
        events: 0 or more, a whole number.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of the expected number of events; 0 events have 0 as lower bound and an upper bound above 0.

    Raises:
        ValueError: A count that is negative or no whole number, or a level that is none.

    Assumes:
        Events are independent (Poisson).

    Source:
        Garwood (1936), Biometrika 28, 437-442, doi:10.1093/biomet/28.3-4.437.

    Example:
        >>> bounds = exact_poisson(5)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (1.6235, 11.6683)
    """
    _refuse_count(events)
    _refuse_fraction(events)
    tail = _tail(level)
    # Half the chi-square quantile with 2x degrees of freedom is the gamma quantile with shape x.
    low = 0.0 if events == 0 else float(gammaincinv(events, tail))
    return Interval(low, float(gammainccinv(events + 1, tail)))


def poisson(events: int, *, level: float = 0.95) -> Interval:
    """The interval of a count by the rule of the English public health offices: exact below 10, else Byar.

    Raises:
        ValueError: A count that is negative or no whole number, or a level that is none.

    Source:
        Office for Health Improvement and Disparities, Public health technical guide: confidence intervals.

    Example:
        >>> poisson(9) == exact_poisson(9), poisson(10) == byar(10)
        (True, True)
    """
    _refuse_count(events)
    _refuse_fraction(events)
    return exact_poisson(events, level=level) if events < EXACT_BELOW else byar(events, level=level)


def unknown_bounds(successes: float, failures: float, unknown: float) -> Interval:
    """The share if every unknown were a failure, and if every unknown were a success.

    Args:
        successes: Rows known to be so; 0 or more.
        failures: Rows known not to be so; 0 or more.
        unknown: Rows whose outcome was not recorded; 0 or more.

    Returns:
        The lowest and the highest share that the rows allow. They are no confidence interval:
        they hold whatever the reason for which the outcome is missing.

    Raises:
        ValueError: A negative count, or no rows at all.

    Source:
        Manski (1989), Journal of Human Resources 24, 343-360, doi:10.2307/145818.

    Example:
        >>> unknown_bounds(2, 24, 74)
        Interval(low=0.02, high=0.76)
    """
    for count in (successes, failures, unknown):
        _refuse_count(count)
    rows = successes + failures + unknown
    if rows == 0:
        raise ValueError("there are no rows, so there is no share")
    return Interval(successes / rows, (successes + unknown) / rows)


def newcombe(
    successes: float,
    trials: float,
    reference_successes: float,
    reference_trials: float,
    *,
    level: float = 0.95,
) -> Interval:
    """The interval of a difference of two shares, from the Wilson bounds of each.

    Args:
        successes: Of the first share.
        trials: Of the first share; above 0.
        reference_successes: Of the share that is taken away.
        reference_trials: Of the share that is taken away; above 0.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of first share minus reference share, from -1 to 1.

    Raises:
        ValueError: More successes than trials, no trials, or a level that is none.

    Assumes:
        The two samples are independent of each other.

    Source:
        Newcombe (1998), Statistics in Medicine 17, 873-890, method 10,
        doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.

    Example:
        >>> bounds = newcombe(56, 70, 48, 80)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (0.0524, 0.3339)
    """
    one = wilson(successes, trials, level=level)
    two = wilson(reference_successes, reference_trials, level=level)
    share, reference = successes / trials, reference_successes / reference_trials
    down = math.hypot(share - one.low, two.high - reference)
    up = math.hypot(one.high - share, reference - two.low)
    return Interval(max(share - reference - down, -1.0), min(share - reference + up, 1.0))


def exact_rate_ratio(
    events: int,
    exposure: float,
    reference_events: int,
    reference_exposure: float,
    *,
    level: float = 0.95,
) -> Interval:
    """The exact interval of a ratio of two rates.

    Args:
        events: Of the first rate; 0 or more, a whole number.
        exposure: Of the first rate, such as person-years; above 0.
        reference_events: Of the rate that divides.
        reference_exposure: Of the rate that divides, in the same unit; above 0.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of first rate over reference rate. Without reference events the upper bound is infinite;
        without any events the bounds are 0 and infinity: nothing is known.

    Raises:
        ValueError: An impossible count, no exposure, or a level that is none.

    Assumes:
        Events are independent (Poisson), within and between the two.

    Source:
        Clopper and Pearson (1934), Biometrika 26, 404-413, doi:10.1093/biomet/26.4.404, on the events of
        the first rate among all; Lehmann and Romano (2005), Testing Statistical Hypotheses, section 4.5.

    Example:
        >>> bounds = exact_rate_ratio(11, 800, 21, 3011)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (0.8584, 4.2773)
    """
    for count, time in ((events, exposure), (reference_events, reference_exposure)):
        _refuse_count(count)
        _refuse_fraction(count)
        if not 0 < time < math.inf:
            raise ValueError("no exposure, no rate")
    tail = _tail(level)
    low = 0.0 if events == 0 else float(betaincinv(events, reference_events + 1, tail))
    high = 1.0 if reference_events == 0 else float(betaincinv(events + 1, reference_events, 1 - tail))
    scale = reference_exposure / exposure
    return Interval(_odds(low) * scale, _odds(high) * scale)


def _odds(share: float) -> float:
    return math.inf if share >= 1 else share / (1 - share)


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError("a confidence level lies between 0 and 1")
    return (1 - level) / 2


def _quantile(level: float) -> float:
    return -float(ndtri(_tail(level)))


def _refuse_count(count: float) -> None:
    if not 0 <= count < math.inf:  # also refuses what is no number
        raise ValueError("a count is 0 or more")


def _refuse_fraction(count: float) -> None:
    if count != int(count):
        raise ValueError("exact limits need a whole number of events")


def _refuse_share(successes: float, trials: float) -> None:
    if not 0 < trials < math.inf:
        raise ValueError("there are no trials, so there is no share")
    if not 0 <= successes <= trials:
        raise ValueError("successes lie between 0 and the trials")
