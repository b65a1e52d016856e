from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.measure.interval import (
    Interval,
    byar,
    exact_poisson,
    exact_rate_ratio,
    newcombe,
    poisson,
    unknown_bounds,
    wilson,
)

counts = st.integers(0, 10_000)
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99, 0.998])


@st.composite
def shares(draw: st.DrawFn) -> tuple[int, int]:
    trials = draw(st.integers(1, 10_000))
    return draw(st.integers(0, trials)), trials


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


def test_the_difference_of_two_shares_is_newcombes():
    # Newcombe (1998), Statistics in Medicine 17, table II, method 10, contrast (a): 56/70 - 48/80.
    found = newcombe(56, 70, 48, 80)

    assert pytest.approx((found.low, found.high), abs=5e-5) == (0.0524, 0.3339)


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
