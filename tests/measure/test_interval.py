from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import optimize, stats

from metroon.measure.interval import (
    Interval,
    byar,
    clopper_pearson,
    exact_poisson,
    exact_rate_ratio,
    fieller,
    katz,
    koopman,
    log_delta_ratio,
    mover_difference,
    mover_ratio,
    newcombe,
    order_statistic,
    poisson,
    rate_difference,
    student,
    unknown_bounds,
    wilson,
)

Z = 1.959963984540054

counts = st.integers(0, 10_000)
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99, 0.998])


@st.composite
def shares(draw: st.DrawFn) -> tuple[int, int]:
    trials = draw(st.integers(1, 10_000))
    return draw(st.integers(0, trials)), trials


@st.composite
def estimates(draw: st.DrawFn) -> tuple[float, float, float]:
    low, down, up = (draw(st.floats(0.1, 100)) for _ in range(3))
    return low + down, low, low + down + up


def rounded(interval: Interval[float], digits: int) -> tuple[float, float]:
    return round(interval.low, digits), round(interval.high, digits)


# Published numbers


@pytest.mark.parametrize(
    ("successes", "low", "high"),
    [(1, 0.00176743206, 0.05448619618), (65, 0.5525444330, 0.7363575176)],
)
def test_wilson_gives_the_numbers_of_the_english_indicator_package(successes, low, high):
    # PHEindicatormethods (OHID), phe_proportion test data: 1 and 65 of 100.
    found = wilson(successes, 100)

    assert (low, high) == pytest.approx((found.low, found.high), abs=1e-9)


@pytest.mark.parametrize(("level", "low", "high"), [(0.95, 50.1631877, 82.8491385), (0.998, 42.8802615, 94.0002908)])
def test_byar_gives_the_numbers_of_the_english_indicator_package(level, low, high):
    # PHEindicatormethods (OHID), byars_lower and byars_upper test data: 65 events.
    found = byar(65, level=level)

    assert (low, high) == pytest.approx((found.low, found.high), abs=1e-6)


@pytest.mark.parametrize(("level", "low", "high"), [(0.95, 1.62348639, 11.66833208), (0.998, 0.73937173, 16.45474521)])
def test_the_exact_limits_are_those_of_the_english_indicator_package(level, low, high):
    # PHEindicatormethods (OHID), phe_rate test data under 10 events: 5 events.
    found = exact_poisson(5, level=level)

    assert (low, high) == pytest.approx((found.low, found.high), abs=1e-7)


@pytest.mark.parametrize(
    ("successes", "trials", "score", "exact"),
    [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_one_share_is_as_in_newcombes_table(successes, trials, score, exact):
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, methods 3 and 5.
    found = wilson(successes, trials), clopper_pearson(successes, trials)

    assert (score, exact) == (rounded(found[0], 4), rounded(found[1], 4))


def test_one_share_is_as_in_the_book_on_contingency_tables():
    # Fagerland, Lydersen and Laake (2017), Statistical Analysis of Contingency Tables, chapter 2: 13 of 16.
    found = wilson(13, 16), clopper_pearson(13, 16)

    assert ((0.5699, 0.9341), (0.5435, 0.9595)) == (rounded(found[0], 4), rounded(found[1], 4))


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0000),
        ((10, 10, 0, 10), 0.6075, 1.0000),
    ],
)
def test_the_difference_of_two_shares_is_newcombes(counts, low, high):
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10, contrasts (a) to (h).
    assert (low, high) == rounded(newcombe(*counts), 4)


def test_ratios_of_two_shares_are_as_in_the_book_on_contingency_tables():
    # Fagerland, Lydersen and Laake (2017), Statistical Analysis of Contingency Tables, chapter 4: 7/34 v 1/34
    # (Perondi et al. 2004), as printed by the book's R package.
    one, other = wilson(7, 34), wilson(1, 34)
    found = mover_ratio(7 / 34, one.low, one.high, 1 / 34, other.low, other.high)

    assert (0.9096, 53.8695) == rounded(katz(7, 34, 1, 34), 4)
    assert (1.2209, 42.5757) == rounded(koopman(7, 34, 1, 34), 4)
    assert pytest.approx((found.low, found.high), abs=6e-5) == (1.1537, 41.9763)


def test_the_score_ratio_is_koopmans():
    # Koopman (1984), Biometrics 40, 513-517, example: 36/40 v 16/80.
    assert (2.94, 7.15) == rounded(koopman(36, 40, 16, 80), 2)


def test_the_ratio_of_two_shares_is_symmetric_in_the_logarithm():
    # Worked by hand: 0.15 / 0.08, and exp(+-z sqrt(1/30 - 1/200 + 1/20 - 1/250)).
    found = katz(30, 200, 20, 250)

    assert pytest.approx((found.low, found.high), abs=1e-4) == (1.0988, 3.1995)
    assert 1.875**2 == pytest.approx(found.low * found.high)


def test_the_mean_difference_is_students():
    # Student (1908), Biometrika 6, 1-25, additional sleep of ten patients; bounds as R's t.test prints them.
    gains = np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
    found = student(float(gains.mean()), float(gains.var(ddof=1)), 10)

    assert pytest.approx((found.low, found.high), abs=1e-6) == (0.7001142, 2.4598858)


@pytest.mark.parametrize(
    ("events", "low", "high"),
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (10, 4.7954, 18.3904), (50, 37.1110, 65.9188), (100, 81.3640, 121.6268)],
)
def test_the_exact_limits_are_garwoods(events, low, high):
    # Garwood (1936), Biometrika 28, 437-442, table; to four digits as in Breslow and Day (1987), p. 70.
    assert (low, high) == rounded(exact_poisson(events), 4)


def test_the_median_of_25_lies_between_the_8th_and_the_18th():
    found = order_statistic(25)

    assert (8, 18, 0.9567) == (found.low, found.high, round(found.coverage, 4))


def test_a_fall_from_49_to_41_deaths_is_no_detectable_change():
    assert (0.5388, 1.2934) == rounded(exact_rate_ratio(41, 1, 49, 1), 4)


def test_the_rate_ratio_is_the_one_that_r_prints():
    # R, stats::poisson.test, help page's example: 11 events in 800 v 21 in 3011 person-years.
    found = exact_rate_ratio(11, 800, 21, 3011)

    assert pytest.approx((found.low, found.high), abs=1e-6) == (0.8584264, 4.2772659)


def test_the_rate_ratio_is_the_one_of_fays_vignette():
    # Fay, vignette of the R package rateratio.test, section 1: 2 in 17877 v 9 in 16660.
    found = exact_rate_ratio(2, 17877, 9, 16660)

    assert pytest.approx((found.low, found.high), abs=1e-7) == (0.02177406, 1.00054910)


def test_no_event_still_has_an_upper_limit():
    # The rule of three, exactly: -ln(0.025).
    assert (0.0, -math.log(0.025)) == pytest.approx((exact_poisson(0).low, exact_poisson(0).high))


def test_none_of_thirty_is_not_plus_or_minus_zero():
    assert (wilson(0, 30).low, round(wilson(0, 30).high, 4)) == (0.0, 0.1135)


def test_a_headline_of_two_percent_may_be_three_quarters():
    # San Jose 2023: "2 % returned" while 74 % of exits had no known destination.
    assert Interval(0.02, 0.76) == unknown_bounds(2, 24, 74)


# Properties


@given(shares(), levels)
def test_a_share_lies_within_its_bounds_and_they_within_zero_and_one(share, level):
    successes, trials = share
    found = wilson(successes, trials, level=level)

    assert 0 <= found.low <= successes / trials <= found.high <= 1


@given(shares(), levels)
def test_no_interval_of_a_share_has_zero_width(share, level):
    found = wilson(*share, level=level)

    assert found.low < found.high


@given(counts, levels)
def test_a_count_lies_within_every_interval_of_it(events, level):
    for interval in (byar, exact_poisson, poisson):
        found = interval(events, level=level)

        assert 0 <= found.low <= events < found.high


@given(counts)
def test_more_events_raise_both_bounds(events):
    for interval in (byar, exact_poisson, poisson):
        less, more = interval(events), interval(events + 1)

        assert less.low <= more.low
        assert less.high < more.high


@given(shares())
def test_one_more_success_raises_both_bounds(share):
    successes, trials = share
    less, more = wilson(successes, trials + 1), wilson(successes + 1, trials + 1)

    assert less.low < more.low
    assert less.high < more.high


@given(shares())
def test_failures_mirror_successes(share):
    successes, trials = share
    one, other = wilson(successes, trials), wilson(trials - successes, trials)

    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))


@given(counts)
def test_a_higher_level_is_never_narrower(events):
    for interval in (byar, exact_poisson):
        usual, strict = interval(events), interval(events, level=0.998)

        assert strict.low <= usual.low
        assert usual.high < strict.high


@given(shares(), shares())
def test_a_difference_lies_within_its_bounds(one, two):
    difference = one[0] / one[1] - two[0] / two[1]
    found = newcombe(*one, *two)

    assert -1 <= found.low <= difference <= found.high <= 1


@given(shares(), shares())
def test_swapping_the_two_shares_swaps_the_signs(one, two):
    found, swapped = newcombe(*one, *two), newcombe(*two, *one)

    assert (found.low, found.high) == pytest.approx((-swapped.high, -swapped.low))


@given(st.integers(1, 500), st.integers(1, 500), st.floats(0.1, 1e6), st.floats(0.1, 1e6))
def test_swapping_the_two_rates_inverts_their_ratio(events, others, exposure, other_exposure):
    found = exact_rate_ratio(events, exposure, others, other_exposure)
    swapped = exact_rate_ratio(others, other_exposure, events, exposure)

    assert (found.low, found.high) == pytest.approx((1 / swapped.high, 1 / swapped.low), rel=1e-6)


def test_two_rates_without_events_say_nothing():
    assert Interval(0.0, math.inf) == exact_rate_ratio(0, 10, 0, 10)


@given(counts, counts, counts)
def test_the_known_share_lies_between_worst_and_best(successes, failures, unknown):
    if successes + failures == 0:
        return
    share = successes / (successes + failures)
    found = unknown_bounds(successes, failures, unknown)

    assert 0 <= found.low <= share + 1e-12
    assert share - 1e-12 <= found.high <= 1


# What one method owes to another


@given(shares(), shares(), levels)
def test_mover_with_wilson_bounds_is_newcombe(one, two, level):
    x, y = wilson(*one, level=level), wilson(*two, level=level)
    found = mover_difference(one[0] / one[1], x.low, x.high, two[0] / two[1], y.low, y.high)
    known = newcombe(*one, *two, level=level)

    assert (known.low, known.high) == pytest.approx((found.low, found.high), abs=1e-12)


@given(st.floats(1, 100), st.floats(0.01, 0.45), st.floats(1, 100), st.floats(0.01, 0.45))
def test_mover_with_symmetric_bounds_is_fieller(value, error, reference, reference_error):
    bounds = [(v, v - Z * e * v, v + Z * e * v) for v, e in ((value, error), (reference, reference_error))]
    found = mover_ratio(*bounds[0], *bounds[1])
    known = fieller(value, error * value, reference, reference_error * reference)

    assert (known.low, known.high) == pytest.approx((found.low, found.high), rel=1e-6)


@given(st.floats(-100, 100), st.floats(0, 50), st.floats(-100, 100), st.floats(0.001, 50))
def test_at_fiellers_bounds_the_two_estimates_are_just_told_apart(value, error, reference, reference_error):
    found = fieller(value, error, reference, reference_error)
    assume(abs(reference) > 1.05 * Z * reference_error)

    for ratio in (found.low, found.high):
        spread = error**2 + (ratio * reference_error) ** 2

        assert Z**2 * spread == pytest.approx((value - ratio * reference) ** 2, rel=1e-6, abs=1e-9)


def test_a_reference_that_may_be_0_bounds_no_ratio():
    assert Interval(-math.inf, math.inf) == fieller(10, 1, 3, 2)


@given(shares(), shares())
def test_katz_is_the_delta_method_of_two_shares(one, two):
    assume(0 < one[0] < one[1] and 0 < two[0] < two[1])
    values = [(x / n, math.sqrt(x / n * (1 - x / n) / n)) for x, n in (one, two)]
    found, known = log_delta_ratio(*values[0], *values[1]), katz(*one, *two)

    assert (known.low, known.high) == pytest.approx((found.low, found.high))


@pytest.mark.parametrize("counts", [(0, 16, 15, 72), (15, 72, 0, 16), (20, 20, 7, 30), (7, 30, 30, 30), (0, 5, 9, 9)])
def test_where_a_share_is_0_or_1_katz_is_koopman(counts):
    assert koopman(*counts) == katz(*counts)


@pytest.mark.parametrize("counts", [(7, 34, 1, 34), (36, 40, 16, 80), (3, 10, 9, 11), (0, 16, 15, 72)])
def test_at_koopmans_bounds_the_chi_square_is_that_of_the_level(counts):
    x, n, y, m = counts

    def chi_square(ratio: float) -> float:
        def unlikely(share: float) -> float:
            parts = ((x, share * ratio), (n - x, 1 - share * ratio), (y, share), (m - y, 1 - share))
            return -sum(k * math.log(p) for k, p in parts if k)

        top = min(1.0, 1 / ratio)
        q = optimize.minimize_scalar(unlikely, bounds=(1e-9, top - 1e-9), method="bounded", options={"xatol": 1e-12}).x
        p = q * ratio
        return (x - n * p) ** 2 / (n * p * (1 - p)) + (y - m * q) ** 2 / (m * q * (1 - q))

    found = koopman(*counts)
    bounds = [b for b in (found.low, found.high) if b > 0]

    assert [Z**2] * len(bounds) == pytest.approx([chi_square(b) for b in bounds], rel=1e-4)


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_of_two_shares_of_1_koopman_is_known_in_closed_form(trials, others):
    found = koopman(trials, trials, others, others)

    assert (trials / (trials + Z**2), (others + Z**2) / others) == pytest.approx((found.low, found.high))


@given(shares(), shares())
def test_swapping_the_two_shares_inverts_their_ratio(one, two):
    assume(one[0] > 0 and two[0] > 0)
    for interval in (katz, koopman):
        found, swapped = interval(*one, *two), interval(*two, *one)

        assert (found.low, found.high) == pytest.approx((1 / swapped.high, 1 / swapped.low), rel=1e-6)


@given(shares(), shares(), levels)
def test_a_ratio_of_shares_lies_within_its_bounds(one, two, level):
    assume(two[0] > 0)
    ratio = one[0] / one[1] / (two[0] / two[1])
    for interval in (katz, koopman):
        found = interval(*one, *two, level=level)

        assert 0 <= found.low <= ratio * (1 + 1e-12)
        assert ratio * (1 - 1e-12) <= found.high


def test_two_shares_without_successes_have_any_ratio():
    assert Interval(0.0, math.inf) == katz(0, 10, 0, 12)


@given(shares(), levels)
def test_the_exact_limits_of_a_share_are_the_binomial_tails(share, level):
    successes, trials = share
    found = clopper_pearson(successes, trials, level=level)
    tail = (1 - level) / 2

    assert successes == 0 or stats.binom.sf(successes - 1, trials, found.low) == pytest.approx(tail, rel=1e-6)
    assert successes == trials or stats.binom.cdf(successes, trials, found.high) == pytest.approx(tail, rel=1e-6)
    assert 0 <= found.low <= successes / trials <= found.high <= 1


@given(st.integers(0, 300), st.floats(0.01, 0.99), levels)
def test_the_ranks_are_the_innermost_that_leave_out_at_most_half_on_each_side(n, q, level):
    found, tail = order_statistic(n, q, level=level), (1 - level) / 2
    below = stats.binom.cdf(np.arange(-1, n + 1), n, q)  # below[k]: fewer than k values under the quantile
    low = max(k for k in range(n + 1) if k == 0 or below[k] <= tail)
    high = min(k for k in range(1, n + 2) if k == n + 1 or 1 - below[k] <= tail * (1 + 1e-12))

    assert (low, high) == (found.low, found.high)
    assert pytest.approx(below[high] - below[low]) == found.coverage
    assert level <= found.coverage + 1e-12


def test_five_values_bound_no_median():
    found = order_statistic(5)

    assert (0, 6, 1) == (found.low, found.high, found.coverage)


@given(st.integers(1, 500), st.floats(0.01, 0.99))
def test_from_above_the_ranks_are_mirrored(n, q):
    found, mirrored = order_statistic(n, q), order_statistic(n, 1 - q)

    assert (n + 1 - found.high, n + 1 - found.low) == (mirrored.low, mirrored.high)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.integers(2, 10_000))
def test_a_mean_lies_in_the_middle_of_its_bounds(mean, variance, n):
    found = student(mean, variance, n)
    reach = stats.t.ppf(0.975, n - 1) * math.sqrt(variance / n)

    assert (mean - reach, mean + reach) == pytest.approx((found.low, found.high), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("n", [0, 1])
def test_one_value_tells_nothing_of_its_spread(n):
    found = student(3.0, math.nan, n)

    assert math.isnan(found.low)
    assert math.isnan(found.high)


@given(estimates(), estimates())
def test_a_difference_and_a_ratio_of_estimates_lie_within_their_bounds(one, two):
    difference, ratio = mover_difference(*one, *two), mover_ratio(*one, *two)

    assert difference.low <= one[0] - two[0] <= difference.high
    assert 0 <= ratio.low <= one[0] / two[0] * (1 + 1e-12)
    assert one[0] / two[0] * (1 - 1e-12) <= ratio.high


@given(estimates(), st.floats(0.1, 100))
def test_a_reference_that_is_known_only_shifts_and_divides(one, known):
    difference, ratio = mover_difference(*one, known, known, known), mover_ratio(*one, known, known, known)

    assert (one[1] - known, one[2] - known) == pytest.approx((difference.low, difference.high))
    assert (one[1] / known, one[2] / known) == pytest.approx((ratio.low, ratio.high))


@given(estimates(), estimates())
def test_swapping_two_estimates_inverts_their_ratio(one, two):
    found, swapped = mover_ratio(*one, *two), mover_ratio(*two, *one)

    assert (found.low, found.high) == pytest.approx((1 / swapped.high, 1 / swapped.low), rel=1e-6)


def test_a_ratio_to_what_may_be_0_has_no_upper_bound():
    found = mover_ratio(4, 1, 8, 2, 0, 5)

    assert 0 < found.low < math.inf == found.high


def test_nothing_over_something_is_0_with_an_upper_bound():
    found = mover_ratio(0, 0, 3, 2, 1, 5)

    assert found.low == 0 < found.high < math.inf


@pytest.mark.parametrize("wrong", [(4, -1, 8, 2, 1, 5), (4, 1, 8, -2, -3, -1), (4, 1, 8, 0, 0, 5)])
def test_there_is_no_ratio_of_what_may_be_negative(wrong):
    found = mover_ratio(*wrong)

    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_what_has_no_logarithm_has_no_bounds_in_it():
    found = log_delta_ratio(np.array([0.0, -1, 1, 1]), 0.1, np.array([1.0, 1, 0, 1]), 0.1)

    assert [True, True, True, False] == np.isnan(found.low).tolist() == np.isnan(found.high).tolist()


@given(st.integers(0, 500), st.floats(0.1, 1e4), st.integers(0, 500), st.floats(0.1, 1e4))
def test_a_difference_of_rates_is_mover_with_the_bounds_of_the_counts(events, exposure, others, other_exposure):
    one, two = poisson(events).times(1 / exposure), poisson(others).times(1 / other_exposure)
    found = rate_difference(events, exposure, others, other_exposure)
    known = mover_difference(events / exposure, one.low, one.high, others / other_exposure, two.low, two.high)

    assert (known.low, known.high) == pytest.approx((found.low, found.high), rel=1e-6, abs=1e-9)


# Many cells at once

CELLS = 40
EACH = np.random.default_rng(20).integers(0, 40, CELLS)
OTHERS = np.random.default_rng(21).integers(1, 40, CELLS)
WIDE = EACH + OTHERS + 0.5
VECTORS = {
    "wilson": (wilson, (EACH, EACH + OTHERS)),
    "clopper_pearson": (clopper_pearson, (EACH, EACH + OTHERS)),
    "byar": (byar, (EACH,)),
    "exact_poisson": (exact_poisson, (EACH,)),
    "poisson": (poisson, (EACH,)),
    "unknown_bounds": (unknown_bounds, (EACH, OTHERS, EACH)),
    "student": (student, (EACH, OTHERS, OTHERS)),
    "newcombe": (newcombe, (EACH, EACH + OTHERS, OTHERS, EACH + OTHERS)),
    "katz": (katz, (EACH, EACH + OTHERS, OTHERS, EACH + OTHERS)),
    "koopman": (koopman, (EACH, EACH + OTHERS, OTHERS, EACH + OTHERS)),
    "rate_difference": (rate_difference, (EACH, OTHERS, OTHERS, WIDE)),
    "exact_rate_ratio": (exact_rate_ratio, (EACH, OTHERS, OTHERS, WIDE)),
    "fieller": (fieller, (EACH, OTHERS, OTHERS, EACH / 3)),
    "log_delta_ratio": (log_delta_ratio, (EACH + 1, OTHERS, OTHERS, EACH)),
    "mover_difference": (mover_difference, (EACH, EACH - 1, WIDE, OTHERS, OTHERS - 2, WIDE)),
    "mover_ratio": (mover_ratio, (EACH, EACH / 2, WIDE, OTHERS, OTHERS / 2, WIDE)),
}


@pytest.mark.parametrize("name", VECTORS)
def test_many_cells_are_told_the_same_as_each_alone(name):
    interval, cells = VECTORS[name]
    found = interval(*cells)
    alone = [interval(*(c.item() for c in cell)) for cell in zip(*cells, strict=True)]

    np.testing.assert_allclose([a.low for a in alone], found.low, rtol=1e-12)
    np.testing.assert_allclose([a.high for a in alone], found.high, rtol=1e-12)
    assert {float} == {type(bound) for a in alone for bound in (a.low, a.high)}


@pytest.mark.parametrize("name", VECTORS)
def test_a_cell_without_data_has_no_bounds_and_harms_no_other(name):
    interval, cells = VECTORS[name]
    whole = interval(*cells)
    for at in range(len(cells)):
        gap = [c.astype(float) for c in cells]
        gap[at][3] = np.nan
        found = interval(*gap)

        assert np.isnan(found.low[3])
        assert np.isnan(found.high[3])
        np.testing.assert_array_equal(np.delete(whole.low, 3), np.delete(found.low, 3))


@pytest.mark.parametrize("name", VECTORS)
def test_no_cells_have_no_bounds(name):
    interval, cells = VECTORS[name]
    found = interval(*(c[:0] for c in cells))

    assert (0, 0) == (found.low.size, found.high.size)


@pytest.mark.parametrize("name", VECTORS)
def test_the_order_of_cells_does_not_matter(name):
    interval, cells = VECTORS[name]
    found, turned = interval(*cells), interval(*(c[::-1] for c in cells))

    np.testing.assert_array_equal(found.low, turned.low[::-1])
    np.testing.assert_array_equal(found.high, turned.high[::-1])


def test_a_table_of_cells_stands_against_one_reference():
    events = EACH.reshape(8, 5)
    found = exact_rate_ratio(events, 2.0, 9, 3.0)

    assert (8, 5) == found.low.shape == found.high.shape
    assert exact_rate_ratio(int(events[4, 2]), 2.0, 9, 3.0).high == found.high[4, 2]


def test_the_ranks_of_many_samples_are_those_of_each_alone():
    sizes = np.array([[25.0, 6, 5], [np.nan, 100, 25]])
    found = order_statistic(sizes, 0.5)

    np.testing.assert_array_equal([[8, 1, 0], [np.nan, 40, 8]], found.low)
    np.testing.assert_array_equal([[18, 6, 6], [np.nan, 61, 18]], found.high)


def test_an_interval_of_many_cells_changes_its_unit_by_cell():
    found = poisson(np.array([10, 0])).times(np.array([2.0, 3.0]))

    assert [poisson(10).high * 2, poisson(0).high * 3] == found.high.tolist()


@given(st.floats(0, 1e6), st.floats(1e-6, 1e6))
def test_fractions_of_successes_stay_within_their_bounds(successes, failures):
    trials = successes + failures
    assume(successes <= trials)
    found = wilson(successes, trials)

    assert 0 <= found.low <= successes / trials <= found.high <= 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: wilson(1, 0),
        lambda: wilson(2, 1),
        lambda: wilson(-1, 1),
        lambda: wilson(math.nan, 1),
        lambda: wilson(1, 2, level=1),
        lambda: byar(-1),
        lambda: byar(math.inf),
        lambda: byar(1, level=0),
        lambda: exact_poisson(-1),
        lambda: exact_poisson(1.5),
        lambda: exact_poisson(1, level=95),
        lambda: poisson(10.5),
        lambda: unknown_bounds(0, 0, 0),
        lambda: unknown_bounds(1, -1, 0),
        lambda: newcombe(1, 1, 2, 1),
        lambda: exact_rate_ratio(1, 0, 1, 1),
        lambda: wilson(np.array([1.0, 3.0]), np.array([2.0, 2.0])),
        lambda: wilson(np.array([1.0, np.nan]), np.array([2.0, 0.0])),
        lambda: byar(np.array([np.nan, -1.0])),
        lambda: poisson(np.array([1.0, 1.5])),
        lambda: unknown_bounds(np.array([1, 0]), np.array([0, 0]), 0),
        lambda: clopper_pearson(1.5, 3),
        lambda: clopper_pearson(1, 2.5),
        lambda: student(1, -1, 5),
        lambda: student(1, 1, -5),
        lambda: student(math.nan, 1, 5),
        lambda: order_statistic(2.5),
        lambda: order_statistic(25, 1.0),
        lambda: order_statistic(25, 0.5, level=95),
        lambda: katz(2, 1, 1, 2),
        lambda: koopman(1, 2, 0, 0),
        lambda: rate_difference(1, 0, 1, 1),
        lambda: rate_difference(1.5, 1, 1, 1),
        lambda: fieller(1, -1, 1, 1),
        lambda: log_delta_ratio(1, 1, 1, -1),
        lambda: mover_difference(1, 2, 3, 1, 0, 2),
        lambda: mover_ratio(1, 0, 2, 3, 1, 2),
    ],
)
def test_what_cannot_be_counted_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# Coverage: the truth is known, the seed is fixed.

RUNS = 4_000


def covered_share(successes, truth: float, trials: int) -> float:
    values, times = np.unique(successes, return_counts=True)
    inside = [wilson(int(x), trials).low <= truth <= wilson(int(x), trials).high for x in values]
    return float(times[inside].sum() / times.sum())


def covered_count(interval, events, truth: float) -> float:
    values, times = np.unique(events, return_counts=True)
    inside = [interval(int(x)).low <= truth <= interval(int(x)).high for x in values]
    return float(times[inside].sum() / times.sum())


@pytest.mark.parametrize("trials", [20, 50, 200, 1000])
def test_wilson_covers_the_truth_as_often_as_it_says(trials):
    chance = np.random.default_rng(1927)
    truths = np.linspace(0.05, 0.95, 19)
    found = [covered_share(chance.binomial(trials, p, RUNS), p, trials) for p in truths]

    assert 0.93 <= np.mean(found) <= 0.97


@pytest.mark.parametrize("truth", [0.5, 1, 3, 8, 20, 60])
def test_the_exact_limits_cover_at_least_as_often_as_they_say(truth):
    events = np.random.default_rng(1936).poisson(truth, RUNS)

    # Four standard errors of 4,000 runs below nominal.
    assert 0.95 - 4 * math.sqrt(0.95 * 0.05 / RUNS) <= covered_count(exact_poisson, events, truth)


def test_byar_covers_the_truth_as_often_as_it_says():
    chance = np.random.default_rng(1987)
    found = [covered_count(byar, chance.poisson(m, RUNS), m) for m in np.linspace(20, 100, 17)]

    assert 0.93 <= np.mean(found) <= 0.97


def test_newcombe_covers_the_truth_as_often_as_it_says():
    chance = np.random.default_rng(1998)
    truths = [(0.2, 0.1, 40, 60), (0.5, 0.3, 30, 80), (0.9, 0.7, 50, 50)]
    found = []
    for p, q, n, m in truths:
        bounds = [
            newcombe(int(a), n, int(b), m)
            for a, b in zip(chance.binomial(n, p, 1000), chance.binomial(m, q, 1000), strict=True)
        ]
        found.append(np.mean([b.low <= p - q <= b.high for b in bounds]))

    assert 0.93 <= np.mean(found) <= 0.97
