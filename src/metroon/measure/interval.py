"""Intervals for shares, counts, means and what compares them: how far the truth may lie from what was counted.

Every function takes numbers and returns numbers, or takes arrays (one element per cell) and returns arrays; an array
stands first, and numbers or arrays may follow it. In arrays, nan is a cell without data and stays nan.
Intervals of counts are computed on counts. A rate's interval is that of its count, times the multiplier over the
exposure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincc, betainccinv, betaincinv, gammainccinv, gammaincinv, ndtri, stdtrit

Floats: TypeAlias = NDArray[np.float64]
Array: TypeAlias = NDArray[np.float64] | NDArray[np.int64]
Numbers: TypeAlias = float | Array

N = TypeVar("N", float, Floats)

EXACT_BELOW = 10
"""Events under which Byar's approximation gives way to the exact limits (UK OHID, technical guide)."""

_WIDEST = 60.0
"""Natural logarithm beyond which no ratio of two shares lies."""
_HALVINGS = 60
"""They leave less of such a bracket than the rounding error."""


@dataclass(frozen=True, slots=True)
class Interval(Generic[N]):
    """Two bounds in the unit of the value that they bound: two numbers, or two arrays with one element per cell.

    Args:
        low: Lower bound.
        high: Upper bound, at least ``low``.
    """

    low: N
    high: N

    def times(self, factor: float | N) -> Interval[N]:
        """The same interval in another unit: ``factor`` is the multiplier over the exposure.

        Example:
            >>> exact_poisson(0).times(100_000 / 5_000).low
            0.0
        """
        return Interval(self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Ranks(Generic[N]):
    """Two places in the sorted values of a sample, counted from 1, between which a quantile lies.

    Args:
        low: Place of the lower bound; 0 when no value bounds it from below.
        high: Place of the upper bound; one more than the values when no value bounds it from above.
        coverage: How often such places hold the quantile between them, whatever the distribution; 0 to 1.
    """

    low: N
    high: N
    coverage: N


@overload
def wilson(successes: float, trials: float, *, level: float = 0.95) -> Interval[float]: ...
@overload
def wilson(successes: Array, trials: Numbers, *, level: float = 0.95) -> Interval[Floats]: ...
def wilson(successes: Numbers, trials: Numbers, *, level: float = 0.95) -> Interval[float] | Interval[Floats]:
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
        Trials are independent and share one chance of success. Covers 93-97 % on average over shares of
        0.05 to 0.95 from 20 trials on; one share alone may be covered less often.

    Source:
        Wilson (1927), Journal of the American Statistical Association 22, 209-212,
        doi:10.1080/01621459.1927.10502953.

    Example:
        >>> zero = wilson(0, 30)
        >>> zero.low, round(zero.high, 4)
        (0.0, 0.1135)
    """
    x, n = _arrays(successes, trials)
    _refuse_shares(x, n)
    return _interval(_wilson(x, n, _quantile(level)), successes, trials)


@overload
def clopper_pearson(successes: int, trials: int, *, level: float = 0.95) -> Interval[float]: ...
@overload
def clopper_pearson(successes: Array, trials: Numbers, *, level: float = 0.95) -> Interval[Floats]: ...
def clopper_pearson(successes: Numbers, trials: Numbers, *, level: float = 0.95) -> Interval[float] | Interval[Floats]:
    """The exact interval of a share.

    Args:
        successes: From 0 to ``trials``, a whole number.
        trials: Above 0, a whole number.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of the share, from 0 to 1.

    Raises:
        ValueError: A count that is no whole number, more successes than trials, no trials, or a level that is none.

    Assumes:
        Trials are independent and share one chance of success. Covers at least as often as it says, at any size,
        and is wider than need be for it.

    Source:
        Clopper and Pearson (1934), Biometrika 26, 404-413, doi:10.1093/biomet/26.4.404.

    Example:
        >>> bounds = clopper_pearson(13, 16)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (0.5435, 0.9595)
    """
    x, n = _arrays(successes, trials)
    _refuse_shares(x, n)
    _refuse_fractions(x, n)
    return _interval(_clopper_pearson(x, n - x, _tail(level)), successes, trials)


@overload
def byar(events: float, *, level: float = 0.95) -> Interval[float]: ...
@overload
def byar(events: Array, *, level: float = 0.95) -> Interval[Floats]: ...
def byar(events: Numbers, *, level: float = 0.95) -> Interval[float] | Interval[Floats]:
    """Byar's approximate interval of a count.

    Args:
        events: 0 or more; good from 10 on.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of the expected number of events.

    Raises:
        ValueError: A negative count or a level that is none.

    Assumes:
        Events are independent (Poisson). Covers 93-97 % on average from 10 expected events on.

    Source:
        Breslow and Day (1987), Statistical Methods in Cancer Research II, IARC, p. 69.

    Example:
        >>> bounds = byar(65)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (50.1632, 82.8491)
    """
    (x,) = _arrays(events)
    _refuse_counts(x)
    return _interval(_byar(x, _quantile(level)), events)


@overload
def exact_poisson(events: int, *, level: float = 0.95) -> Interval[float]: ...
@overload
def exact_poisson(events: Array, *, level: float = 0.95) -> Interval[Floats]: ...
def exact_poisson(events: Numbers, *, level: float = 0.95) -> Interval[float] | Interval[Floats]:
    """The exact interval of a count.

    Args:
        events: 0 or more, a whole number.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of the expected number of events; 0 events have 0 as lower bound and an upper bound above 0.

    Raises:
        ValueError: A count that is negative or no whole number, or a level that is none.

    Assumes:
        Events are independent (Poisson). Covers at least as often as it says, at any size.

    Source:
        Garwood (1936), Biometrika 28, 437-442, doi:10.1093/biomet/28.3-4.437.

    Example:
        >>> bounds = exact_poisson(5)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (1.6235, 11.6683)
    """
    (x,) = _arrays(events)
    _refuse_counts(x)
    _refuse_fractions(x)
    return _interval(_exact_poisson(x, _tail(level)), events)


@overload
def poisson(events: int, *, level: float = 0.95) -> Interval[float]: ...
@overload
def poisson(events: Array, *, level: float = 0.95) -> Interval[Floats]: ...
def poisson(events: Numbers, *, level: float = 0.95) -> Interval[float] | Interval[Floats]:
    """The interval of a count by the rule of the English public health offices: exact below 10, else Byar.

    Raises:
        ValueError: A count that is negative or no whole number, or a level that is none.

    Source:
        Office for Health Improvement and Disparities, Public health technical guide: confidence intervals.

    Example:
        >>> poisson(9) == exact_poisson(9), poisson(10) == byar(10)
        (True, True)
    """
    (x,) = _arrays(events)
    _refuse_counts(x)
    _refuse_fractions(x)
    return _interval(_poisson(x, level), events)


@overload
def unknown_bounds(successes: float, failures: float, unknown: float) -> Interval[float]: ...
@overload
def unknown_bounds(successes: Array, failures: Numbers, unknown: Numbers) -> Interval[Floats]: ...
def unknown_bounds(successes: Numbers, failures: Numbers, unknown: Numbers) -> Interval[float] | Interval[Floats]:
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
    x, no, u = _arrays(successes, failures, unknown)
    _refuse_counts(x, no, u)
    rows = x + no + u
    if _least(rows) == 0:
        raise ValueError("there are no rows, so there is no share")
    return _interval((x / rows, (x + u) / rows), successes, failures, unknown)


@overload
def student(mean: float, variance: float, n: float, *, level: float = 0.95) -> Interval[float]: ...
@overload
def student(mean: Array, variance: Numbers, n: Numbers, *, level: float = 0.95) -> Interval[Floats]: ...
def student(mean: Numbers, variance: Numbers, n: Numbers, *, level: float = 0.95) -> Interval[float] | Interval[Floats]:
    """The t interval of a mean.

    Args:
        mean: Mean of the sample.
        variance: Variance of one value in the sample, with ``n`` - 1 as divisor; 0 or more.
        n: Values in the sample; 0 or more. A fraction is lawful: an effective size.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of the mean, in its unit; nan for fewer than 2 values, which tell nothing of their spread.

    Raises:
        ValueError: A negative or infinite size, a negative variance, or a level that is none.

    Assumes:
        Values are independent and normal, and then it is exact. Of skewed values (exponential) it covers 93-97 %
        from 60 on.

    Source:
        Student (1908), Biometrika 6, 1-25, doi:10.1093/biomet/6.1.1.

    Example:
        >>> bounds = student(0.75, 1.7890099 ** 2, 10)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (-0.5298, 2.0298)
    """
    # A sample of one has no variance, and an empty one no mean: what stands there is not looked at.
    is_bare = not _are_arrays(mean, variance, n) and n < 2
    centre, spread, size = _arrays(0.0, 0.0, n) if is_bare else _arrays(mean, variance, n)
    _refuse_counts(size)
    if _least(spread) < 0:
        raise ValueError("a variance is 0 or more")
    size = np.where(size >= 2, size, np.nan)
    reach = np.sqrt(spread / size) * -stdtrit(size - 1, _tail(level))
    return _interval((centre - reach, centre + reach), mean, variance, n)


@overload
def order_statistic(n: float, q: float = 0.5, *, level: float = 0.95) -> Ranks[float]: ...
@overload
def order_statistic(n: Array, q: Numbers = 0.5, *, level: float = 0.95) -> Ranks[Floats]: ...
def order_statistic(n: Numbers, q: Numbers = 0.5, *, level: float = 0.95) -> Ranks[float] | Ranks[Floats]:
    """Which of the sorted values bound a quantile, whatever their distribution.

    Args:
        n: Values in the sample; 0 or more, a whole number.
        q: The quantile, between 0 and 1: 0.5 for the median.
        level: Confidence level, between 0 and 1.

    Returns:
        The innermost places outside of which the quantile lies with at most half the remaining chance on each
        side, and how often they hold it. Places 0 and ``n`` + 1 do not exist: that side is unbounded.

    Raises:
        ValueError: A size that is negative or no whole number, a quantile that is none, or a level that is none.

    Assumes:
        Values are independent and of one distribution. Covers at least as often as it says, at any size; with ties
        more often.

    Source:
        Thompson (1936), Annals of Mathematical Statistics 7, 122-128, doi:10.1214/aoms/1177732502;
        David and Nagaraja (2003), Order Statistics, section 7.1.

    Example:
        >>> found = order_statistic(25)
        >>> found.low, found.high, round(found.coverage, 4)
        (8.0, 18.0, 0.9567)
    """
    size, place = _arrays(n, q)
    _refuse_counts(size)
    _refuse_fractions(size)
    if _least(place) <= 0 or _most(place) >= 1:
        raise ValueError("a quantile lies between 0 and 1")
    # Many cells have the same size: each is worked out once.
    pairs, cell = np.unique(size + 1j * place, return_inverse=True)
    found = [part[cell].reshape(cell.shape) for part in _ranks(pairs.real, pairs.imag, _tail(level))]
    if _are_arrays(n, q):
        return Ranks(*found)
    return Ranks(*(part.item() for part in found))


@overload
def newcombe(
    successes: float, trials: float, reference_successes: float, reference_trials: float, *, level: float = 0.95
) -> Interval[float]: ...
@overload
def newcombe(
    successes: Array, trials: Numbers, reference_successes: Numbers, reference_trials: Numbers, *, level: float = 0.95
) -> Interval[Floats]: ...
def newcombe(
    successes: Numbers, trials: Numbers, reference_successes: Numbers, reference_trials: Numbers, *, level: float = 0.95
) -> Interval[float] | Interval[Floats]:
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
        The two samples are independent of each other. Covers 93-97 % on average over shares of 0.1 to 0.9
        from 20 trials on.

    Source:
        Newcombe (1998), Statistics in Medicine 17, 873-890, method 10,
        doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.

    Example:
        >>> bounds = newcombe(56, 70, 48, 80)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (0.0524, 0.3339)
    """
    x, n, y, m = _arrays(successes, trials, reference_successes, reference_trials)
    _refuse_shares(x, n)
    _refuse_shares(y, m)
    z = _quantile(level)
    low, high = _mover_difference(x / n, *_wilson(x, n, z), y / m, *_wilson(y, m, z))
    bounds = np.maximum(low, -1.0), np.minimum(high, 1.0)
    return _interval(bounds, successes, trials, reference_successes, reference_trials)


@overload
def katz(
    successes: float, trials: float, reference_successes: float, reference_trials: float, *, level: float = 0.95
) -> Interval[float]: ...
@overload
def katz(
    successes: Array, trials: Numbers, reference_successes: Numbers, reference_trials: Numbers, *, level: float = 0.95
) -> Interval[Floats]: ...
def katz(
    successes: Numbers, trials: Numbers, reference_successes: Numbers, reference_trials: Numbers, *, level: float = 0.95
) -> Interval[float] | Interval[Floats]:
    """The interval of a ratio of two shares, symmetric in the logarithm; Koopman's where a share is 0 or 1.

    Args:
        successes: Of the first share; from 0 to ``trials``.
        trials: Of the first share; above 0.
        reference_successes: Of the share that divides.
        reference_trials: Of the share that divides; above 0.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of first share over reference share. Where one of the two shares is 0 or 1 the logarithm has no
        variance or none worth the name, and the bounds are those of ``koopman``.

    Raises:
        ValueError: More successes than trials, no trials, or a level that is none.

    Assumes:
        The two samples are independent of each other. Covers 93-97 % on average over shares of 0.1 to 0.9
        from 20 trials on.

    Source:
        Katz, Baptista, Azen and Pike (1978), Biometrics 34, 469-474, doi:10.2307/2530610, method C.

    Example:
        >>> bounds = katz(7, 34, 1, 34)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (0.9096, 53.8695)
    """
    x, n, y, m = _arrays(successes, trials, reference_successes, reference_trials)
    _refuse_shares(x, n)
    _refuse_shares(y, m)
    x, n, y, m = np.broadcast_arrays(x, n, y, m)
    z = _quantile(level)
    is_edge = (x == 0) | (x == n) | (y == 0) | (y == m)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (x / n) / (y / m)
        factor = np.exp(z * np.sqrt(1 / x - 1 / n + 1 / y - 1 / m))
        low, high = ratio / factor, ratio * factor
    if is_edge.any():
        low[is_edge], high[is_edge] = _koopman(x[is_edge], n[is_edge], y[is_edge], m[is_edge], z)
    return _interval((low, high), successes, trials, reference_successes, reference_trials)


@overload
def koopman(
    successes: float, trials: float, reference_successes: float, reference_trials: float, *, level: float = 0.95
) -> Interval[float]: ...
@overload
def koopman(
    successes: Array, trials: Numbers, reference_successes: Numbers, reference_trials: Numbers, *, level: float = 0.95
) -> Interval[Floats]: ...
def koopman(
    successes: Numbers, trials: Numbers, reference_successes: Numbers, reference_trials: Numbers, *, level: float = 0.95
) -> Interval[float] | Interval[Floats]:
    """The score interval of a ratio of two shares: all ratios that a chi-square test does not reject.

    Args:
        successes: Of the first share; from 0 to ``trials``.
        trials: Of the first share; above 0.
        reference_successes: Of the share that divides.
        reference_trials: Of the share that divides; above 0.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of first share over reference share. Without successes the lower bound is 0; without reference
        successes the upper bound is infinite; without either the bounds are 0 and infinity: nothing is known.

    Raises:
        ValueError: More successes than trials, no trials, or a level that is none.

    Assumes:
        The two samples are independent of each other. Covers 93-97 % on average over shares of 0.05 to 0.95
        from 20 trials on.

    Source:
        Koopman (1984), Biometrics 40, 513-517, doi:10.2307/2531405; the shares under a given ratio from
        Miettinen and Nurminen (1985), Statistics in Medicine 4, 213-226, doi:10.1002/sim.4780040211.

    Example:
        >>> bounds = koopman(7, 34, 1, 34)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (1.2209, 42.5757)
    """
    x, n, y, m = _arrays(successes, trials, reference_successes, reference_trials)
    _refuse_shares(x, n)
    _refuse_shares(y, m)
    bounds = _koopman(x, n, y, m, _quantile(level))
    return _interval(bounds, successes, trials, reference_successes, reference_trials)


@overload
def rate_difference(
    events: int, exposure: float, ref_events: int, ref_exposure: float, *, level: float = 0.95
) -> Interval[float]: ...
@overload
def rate_difference(
    events: Array, exposure: Numbers, ref_events: Numbers, ref_exposure: Numbers, *, level: float = 0.95
) -> Interval[Floats]: ...
def rate_difference(
    events: Numbers, exposure: Numbers, ref_events: Numbers, ref_exposure: Numbers, *, level: float = 0.95
) -> Interval[float] | Interval[Floats]:
    """The interval of a difference of two rates, from the ``poisson`` bounds of each.

    Args:
        events: Of the first rate; 0 or more, a whole number.
        exposure: Of the first rate, such as person-years; above 0.
        ref_events: Of the rate that is taken away.
        ref_exposure: Of the rate that is taken away, in the same unit; above 0.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of first rate minus reference rate, in events for each unit of exposure.

    Raises:
        ValueError: An impossible count, no exposure, or a level that is none.

    Assumes:
        Events are independent (Poisson), within and between the two. Covers 93-97 % on average from 10 expected
        events in each on; more often with fewer.

    Source:
        Zou and Donner (2008), Statistics in Medicine 27, 1693-1702, doi:10.1002/sim.3095.

    Example:
        >>> bounds = rate_difference(60, 1_000, 30, 1_000).times(1_000)
        >>> round(bounds.low, 1), round(bounds.high, 1)
        (10.9, 49.8)
    """
    x, time, y, ref_time = _arrays(events, exposure, ref_events, ref_exposure)
    _refuse_rates(x, time)
    _refuse_rates(y, ref_time)
    low, high = _poisson(x, level)
    ref_low, ref_high = _poisson(y, level)
    one = (x / time, low / time, high / time)
    other = (y / ref_time, ref_low / ref_time, ref_high / ref_time)
    return _interval(_mover_difference(*one, *other), events, exposure, ref_events, ref_exposure)


@overload
def exact_rate_ratio(
    events: int, exposure: float, reference_events: int, reference_exposure: float, *, level: float = 0.95
) -> Interval[float]: ...
@overload
def exact_rate_ratio(
    events: Array, exposure: Numbers, reference_events: Numbers, reference_exposure: Numbers, *, level: float = 0.95
) -> Interval[Floats]: ...
def exact_rate_ratio(
    events: Numbers, exposure: Numbers, reference_events: Numbers, reference_exposure: Numbers, *, level: float = 0.95
) -> Interval[float] | Interval[Floats]:
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
        Events are independent (Poisson), within and between the two. Covers at least as often as it says, at any
        size.

    Source:
        Clopper and Pearson (1934), Biometrika 26, 404-413, doi:10.1093/biomet/26.4.404, on the events of
        the first rate among all; Lehmann and Romano (2005), Testing Statistical Hypotheses, section 4.5.

    Example:
        >>> bounds = exact_rate_ratio(11, 800, 21, 3011)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (0.8584, 4.2773)
    """
    x, time, y, ref_time = _arrays(events, exposure, reference_events, reference_exposure)
    _refuse_rates(x, time)
    _refuse_rates(y, ref_time)
    low, high = _clopper_pearson(x, y, _tail(level))
    scale = ref_time / time
    bounds = (_odds(low) * scale, _odds(high) * scale)
    return _interval(bounds, events, exposure, reference_events, reference_exposure)


@overload
def fieller(
    value: float, standard_error: float, ref_value: float, ref_standard_error: float, *, level: float = 0.95
) -> Interval[float]: ...
@overload
def fieller(
    value: Array, standard_error: Numbers, ref_value: Numbers, ref_standard_error: Numbers, *, level: float = 0.95
) -> Interval[Floats]: ...
def fieller(
    value: Numbers, standard_error: Numbers, ref_value: Numbers, ref_standard_error: Numbers, *, level: float = 0.95
) -> Interval[float] | Interval[Floats]:
    """The interval of a ratio of two normal estimates.

    Args:
        value: The estimate above the line.
        standard_error: Its standard error; 0 or more.
        ref_value: The estimate below the line.
        ref_standard_error: Its standard error; 0 or more.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of value over reference value. Where the reference cannot be told from 0 at this level the ratio
        may be anything, and the bounds are minus and plus infinity.

    Raises:
        ValueError: A negative standard error, or a level that is none.

    Assumes:
        The two estimates are normal and independent of each other, and their standard errors are known. Covers
        at least as often as it says, at any size: exactly so while the reference is clear of 0.

    Source:
        Fieller (1954), Journal of the Royal Statistical Society B 16, 175-185,
        doi:10.1111/j.2517-6161.1954.tb00159.x.

    Example:
        >>> bounds = fieller(100, 10, 50, 5)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (1.509, 2.6508)
    """
    a, a_error, b, b_error = _arrays(value, standard_error, ref_value, ref_standard_error)
    _refuse_errors(a_error, b_error)
    z = _quantile(level)
    a_spread, b_spread = (z * a_error) ** 2, (z * b_error) ** 2
    scale = b * b - b_spread
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.sqrt(np.maximum(a * a * b_spread + a_spread * scale, 0.0))
        low, high = (a * b - reach) / scale, (a * b + reach) / scale
    bounds = np.where(scale <= 0, -np.inf, low), np.where(scale <= 0, np.inf, high)
    return _interval(_known(bounds, a, a_error, b, b_error), value, standard_error, ref_value, ref_standard_error)


@overload
def log_delta_ratio(
    value: float, standard_error: float, ref_value: float, ref_standard_error: float, *, level: float = 0.95
) -> Interval[float]: ...
@overload
def log_delta_ratio(
    value: Array, standard_error: Numbers, ref_value: Numbers, ref_standard_error: Numbers, *, level: float = 0.95
) -> Interval[Floats]: ...
def log_delta_ratio(
    value: Numbers, standard_error: Numbers, ref_value: Numbers, ref_standard_error: Numbers, *, level: float = 0.95
) -> Interval[float] | Interval[Floats]:
    """The interval of a ratio of two positive estimates, symmetric in the logarithm.

    Args:
        value: The estimate above the line; above 0.
        standard_error: Its standard error; 0 or more.
        ref_value: The estimate below the line; above 0.
        ref_standard_error: Its standard error; 0 or more.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of value over reference value; nan where an estimate is 0 or less and has no logarithm.

    Raises:
        ValueError: A negative standard error, or a level that is none.

    Assumes:
        The two estimates are independent of each other and nearly normal in the logarithm. Of normal estimates it
        covers 93-97 % while neither standard error is above 15 % of its estimate.

    Source:
        The delta method, for instance Casella and Berger (2002), Statistical Inference, section 5.5.4.

    Example:
        >>> bounds = log_delta_ratio(100, 10, 50, 5)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (1.5158, 2.6388)
    """
    a, a_error, b, b_error = _arrays(value, standard_error, ref_value, ref_standard_error)
    _refuse_errors(a_error, b_error)
    a, b = (np.where(v > 0, v, np.nan) for v in (a, b))
    ratio = a / b
    with np.errstate(over="ignore"):
        factor = np.exp(_quantile(level) * np.hypot(a_error / a, b_error / b))
        low, high = ratio / factor, ratio * factor
    return _interval((low, high), value, standard_error, ref_value, ref_standard_error)


@overload
def mover_difference(
    value: float, low: float, high: float, ref_value: float, ref_low: float, ref_high: float
) -> Interval[float]: ...
@overload
def mover_difference(
    value: Array, low: Numbers, high: Numbers, ref_value: Numbers, ref_low: Numbers, ref_high: Numbers
) -> Interval[Floats]: ...
def mover_difference(
    value: Numbers, low: Numbers, high: Numbers, ref_value: Numbers, ref_low: Numbers, ref_high: Numbers
) -> Interval[float] | Interval[Floats]:
    """The interval of a difference of any two estimates, from the interval of each.

    Args:
        value: The first estimate.
        low: Its lower bound, at most ``value``.
        high: Its upper bound, at least ``value``.
        ref_value: The estimate that is taken away.
        ref_low: Its lower bound.
        ref_high: Its upper bound, all at one level.

    Returns:
        Bounds of value minus reference value, at the level of the two intervals.

    Raises:
        ValueError: An estimate outside of its own bounds.

    Assumes:
        The two estimates are independent of each other. Covers about as often as the intervals that go in.

    Source:
        Zou and Donner (2008), Statistics in Medicine 27, 1693-1702, doi:10.1002/sim.3095. With Wilson bounds it
        is Newcombe's method 10.

    Example:
        >>> bounds = mover_difference(10, 6, 15, 4, 1, 9)
        >>> round(bounds.low, 4), round(bounds.high, 4)
        (-0.4031, 11.831)
    """
    given = (value, low, high, ref_value, ref_low, ref_high)
    arrays = _arrays(*given)
    _refuse_bounds(*arrays[:3])
    _refuse_bounds(*arrays[3:])
    return _interval(_known(_mover_difference(*arrays), *arrays), *given)


@overload
def mover_ratio(
    value: float, low: float, high: float, ref_value: float, ref_low: float, ref_high: float
) -> Interval[float]: ...
@overload
def mover_ratio(
    value: Array, low: Numbers, high: Numbers, ref_value: Numbers, ref_low: Numbers, ref_high: Numbers
) -> Interval[Floats]: ...
def mover_ratio(
    value: Numbers, low: Numbers, high: Numbers, ref_value: Numbers, ref_low: Numbers, ref_high: Numbers
) -> Interval[float] | Interval[Floats]:
    """The interval of a ratio of any two positive estimates, from the interval of each.

    Args:
        value: The estimate above the line; 0 or more.
        low: Its lower bound, from 0 to ``value``.
        high: Its upper bound, at least ``value``.
        ref_value: The estimate below the line; above 0.
        ref_low: Its lower bound, from 0 on. At 0 the ratio has no upper bound.
        ref_high: Its upper bound, all at one level.

    Returns:
        Bounds of value over reference value, at the level of the two intervals; nan where a value or bound is
        negative or the reference value is 0.

    Raises:
        ValueError: An estimate outside of its own bounds.

    Assumes:
        The two estimates are independent of each other. Covers about as often as the intervals that go in.

    Source:
        Donner and Zou (2012), Statistical Methods in Medical Research 21, 347-359, equation 9,
        doi:10.1177/0962280210383082.

    Example:
        >>> bounds = mover_ratio(7 / 34, 0.103525, 0.367936, 1 / 34, 0.005208, 0.149184)
        >>> round(bounds.low, 2), round(bounds.high, 1)
        (1.15, 42.0)
    """
    given = (value, low, high, ref_value, ref_low, ref_high)
    arrays = _arrays(*given)
    _refuse_bounds(*arrays[:3])
    _refuse_bounds(*arrays[3:])
    return _interval(_known(_mover_ratio(*arrays), *arrays), *given)


def _wilson(x: Floats, n: Floats, z: float) -> tuple[Floats, Floats]:
    share = x / n
    middle = 2 * x
    middle += z * z
    reach = 1 - share
    reach *= x
    reach *= 4
    reach += z * z
    np.sqrt(reach, out=reach)
    reach *= z
    high = np.add(middle, reach)
    # The lower root as a quotient: the difference of two near numbers would lose digits, and miss 0 at 0.
    low = share * x
    low *= 2
    low /= high
    scale = 2 * n
    scale += 2 * z * z
    high /= scale
    # At the ends one bound is the end itself; rounding errors would put it beside.
    np.clip(high, share, 1.0, out=high)
    return low, high


def _clopper_pearson(yes: Floats, no: Floats, tail: float) -> tuple[Floats, Floats]:
    # The beta quantiles do not exist at the ends, where the bound is the end itself.
    low = np.where(yes == 0, 0.0, betaincinv(np.maximum(yes, 1.0), no + 1, tail))
    high = np.where(no == 0, 1.0, betainccinv(yes + 1, np.maximum(no, 1.0), tail))
    return low, high


def _byar(x: Floats, z: float) -> tuple[Floats, Floats]:
    return _cubed(x, -z), _cubed(x + 1, z)


def _cubed(x: Floats, z: float) -> Floats:
    # x (1 - 1/(9x) + z/(3 sqrt x))^3. At 0 the root is minus infinity, and 0 times its floor of 0 is 0.
    part = np.sqrt(x)
    part *= 3
    with np.errstate(divide="ignore"):
        np.reciprocal(part, out=part)
    root = z - part
    root *= part
    root += 1
    np.maximum(root, 0.0, out=root)
    found = root * root
    found *= root
    found *= x
    return found


def _exact_poisson(x: Floats, tail: float) -> tuple[Floats, Floats]:
    # Half the chi-square quantile with 2x degrees of freedom is the gamma quantile with shape x; none with shape 0.
    low = np.where(x == 0, 0.0, gammaincinv(np.maximum(x, 1.0), tail))
    return low, np.asarray(gammainccinv(x + 1, tail), dtype=np.float64)


def _poisson(x: Floats, level: float) -> tuple[Floats, Floats]:
    low, high = _byar(x, _quantile(level))
    few = np.flatnonzero(x < EXACT_BELOW)
    if few.size:
        # Whole numbers below 10 are ten: their limits are computed once and looked up.
        exact_low, exact_high = _exact_poisson(np.arange(EXACT_BELOW, dtype=np.float64), _tail(level))
        events = x.take(few).astype(np.intp)
        low.put(few, exact_low.take(events))
        high.put(few, exact_high.take(events))
    return low, high


def _mover_difference(
    value: Floats, low: Floats, high: Floats, ref_value: Floats, ref_low: Floats, ref_high: Floats
) -> tuple[Floats, Floats]:
    difference = value - ref_value
    down = np.hypot(value - low, ref_high - ref_value)
    up = np.hypot(high - value, ref_value - ref_low)
    return difference - down, difference + up


def _mover_ratio(
    value: Floats, low: Floats, high: Floats, ref_value: Floats, ref_low: Floats, ref_high: Floats
) -> tuple[Floats, Floats]:
    is_lawful = (np.minimum(low, ref_low) >= 0) & (value >= 0) & (ref_value > 0)
    product = value * ref_value
    with np.errstate(divide="ignore", invalid="ignore"):
        # Each bound in the form of the quadratic's root that takes no difference of near numbers.
        part, ref_part = low * (2 * value - low), ref_high * (2 * ref_value - ref_high)
        root = np.sqrt(np.maximum(product * product - part * ref_part, 0.0))
        lower = np.where(part == 0, 0.0, part / (product + root))
        part, ref_part = high * (2 * value - high), ref_low * (2 * ref_value - ref_low)
        root = np.sqrt(np.maximum(product * product - part * ref_part, 0.0))
        upper = np.where(ref_part == 0, np.inf, (product + root) / ref_part)
    return np.where(is_lawful, lower, np.nan), np.where(is_lawful, upper, np.nan)


def _koopman(x: Floats, n: Floats, y: Floats, m: Floats, z: float) -> tuple[Floats, Floats]:
    x, n, y, m = np.broadcast_arrays(x, n, y, m)
    low = np.where(x == 0, 0.0, _score_bound(x, n, y, m, z))
    high = np.where(y == 0, np.inf, _score_bound(x, n, y, m, -z))
    return _known((low, high), x, n, y, m)


def _score_bound(x: Floats, n: Floats, y: Floats, m: Floats, z: float) -> Floats:
    # The ratio at which the score statistic, which falls as the ratio rises, is z.
    bottom: Floats = np.full(x.shape, -_WIDEST)
    # One wider above, so that no middle is a ratio of exactly 1, where two shares of 1 have no spread.
    top: Floats = 1 - bottom
    for _ in range(_HALVINGS):
        middle = (bottom + top) / 2
        ratio = np.exp(middle)
        total = ratio * (n + y) + x + m
        root = np.sqrt(np.maximum(total * total - 4 * ratio * (n + m) * (x + y), 0.0))
        # The likeliest reference share, if the ratio of the shares is this one.
        ref_share = np.minimum(2 * (x + y) / (total + root), 1.0)
        share = np.minimum(ratio * ref_share, 1.0)
        spread = share * (1 - share) / n + ratio * ratio * ref_share * (1 - ref_share) / m
        is_above = x / n - ratio * y / m > z * np.sqrt(spread)
        bottom, top = np.where(is_above, middle, bottom), np.where(is_above, top, middle)
    return np.asarray(np.exp((bottom + top) / 2))


def _ranks(n: Floats, q: Floats, tail: float) -> tuple[Floats, Floats, Floats]:
    low = _binomial_place(n, q, tail)
    # Counted from the top, the quantile is the one that lies 1 - q from there.
    top = _binomial_place(n, 1 - q, tail)
    return low, n + 1 - top, 1 - _binomial_below(low, n, q) - _binomial_below(top, n, 1 - q)


def _binomial_place(n: Floats, q: Floats, tail: float) -> Floats:
    # The first k at which the chance of k or fewer values below the quantile is above the tail. A normal guess,
    # moved until it is right: the chance is known far better than its inverse.
    z = float(ndtri(tail))
    guess = n * q + z * np.sqrt(n * q * (1 - q)) + (1 - 2 * q) * (z * z - 1) / 6 - 0.5
    k = np.clip(np.ceil(guess), 0.0, n)
    while True:
        step = (_binomial_below(k + 1, n, q) <= tail).astype(np.float64)
        step -= _binomial_below(k, n, q) > tail
        if not step.any():
            return k
        k = k + step


def _binomial_below(k: Floats, n: Floats, q: Floats) -> Floats:
    # The chance of fewer than k.
    inside = betaincc(np.maximum(k, 1.0), np.maximum(n - k + 1, 1.0), q)
    return np.where(k <= 0, 0.0, np.where(k > n, 1.0, inside))


def _odds(share: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.divide(share, 1 - share)


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError("a confidence level lies between 0 and 1")
    return (1 - level) / 2


def _quantile(level: float) -> float:
    return -float(ndtri(_tail(level)))


def _arrays(*given: Numbers) -> tuple[Floats, ...]:
    # A number becomes an array of one, so that one path computes both. What is no number has no meaning on its own;
    # among cells it is one without data.
    arrays = tuple(np.array(g, dtype=np.float64, ndmin=1, copy=None) for g in given)
    if not _are_arrays(*given) and any(math.isnan(a[0]) for a in arrays):
        raise ValueError("nan is no number")
    return arrays


def _are_arrays(*given: Numbers) -> bool:
    return any(np.ndim(g) for g in given)


def _interval(bounds: tuple[Floats, Floats], *given: Numbers) -> Interval[float] | Interval[Floats]:
    if _are_arrays(*given):
        return Interval(*bounds)
    return Interval(bounds[0].item(), bounds[1].item())


def _known(bounds: tuple[Floats, Floats], *given: Floats) -> tuple[Floats, Floats]:
    # A bound may not need every number that was given; without one of them a cell has none all the same.
    is_missing = np.isnan(given[0])
    for one in given[1:]:
        is_missing = is_missing | np.isnan(one)
    return np.where(is_missing, np.nan, bounds[0]), np.where(is_missing, np.nan, bounds[1])


def _least(values: Floats) -> float:
    return float(np.fmin.reduce(values, axis=None, initial=np.inf))


def _most(values: Floats) -> float:
    return float(np.fmax.reduce(values, axis=None, initial=-np.inf))


def _refuse_counts(*counts: Floats) -> None:
    if any(_least(c) < 0 or _most(c) == math.inf for c in counts):
        raise ValueError("a count is 0 or more")


def _refuse_fractions(*counts: Floats) -> None:
    if any((np.floor(c) < c).any() for c in counts):
        raise ValueError("exact limits need a whole number of events")


def _refuse_shares(successes: Floats, trials: Floats) -> None:
    if _least(trials) <= 0 or _most(trials) == math.inf:
        raise ValueError("there are no trials, so there is no share")
    if _least(successes) < 0 or (successes > trials).any():
        raise ValueError("successes lie between 0 and the trials")


def _refuse_rates(events: Floats, exposure: Floats) -> None:
    _refuse_counts(events)
    _refuse_fractions(events)
    if _least(exposure) <= 0 or _most(exposure) == math.inf:
        raise ValueError("no exposure, no rate")


def _refuse_errors(*errors: Floats) -> None:
    if any(_least(e) < 0 or _most(e) == math.inf for e in errors):
        raise ValueError("a standard error is 0 or more")


def _refuse_bounds(value: Floats, low: Floats, high: Floats) -> None:
    # Bounds that went through a change of unit may pass the value by a rounding error.
    slack = 1e-9 * np.abs(value)
    if (low > value + slack).any() or (high < value - slack).any():
        raise ValueError("an estimate lies within its bounds")
