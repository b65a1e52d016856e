from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.measure.funnel import (
    LEVELS,
    Overdispersion,
    Scores,
    city_value,
    effective_population,
    judged,
    overdispersion,
    proportion_limits,
    proportion_scores,
    proportion_verdicts,
    rate_limits,
    ratio_limits,
    ratio_scores,
    ratio_verdicts,
)
from metroon.measure.interval import exact_poisson, poisson, wilson

RUNS = 100_000

trials = st.integers(1, 5_000)
centres = st.floats(0.01, 0.99)
widenings = st.sampled_from([1.0, 1.4, 3.0])


# Worked numbers


@pytest.mark.parametrize(("level", "low", "high"), [(0.95, 0.236490, 0.363510), (0.998, 0.199865, 0.400135)])
def test_the_limits_of_a_share_are_the_worked_ones(level, low, high):
    found = proportion_limits(np.array([200]), 0.3, level=level)

    assert (low, high) == pytest.approx((found.low[0], found.high[0]), abs=1e-6)


def test_the_limits_of_a_ratio_are_the_worked_ones():
    found = ratio_limits(np.array([20]))

    assert (0.647493, 1.637127) == pytest.approx((found.low[0], found.high[0]), abs=1e-6)


def test_the_limits_of_a_rate_are_those_of_the_ratio_times_the_citys_rate():
    found = rate_limits(np.array([20]), 50.0)

    assert (50 * 0.647493, 50 * 1.637127) == pytest.approx((found.low[0], found.high[0]), abs=1e-4)


# Properties


@given(trials, centres, st.sampled_from(LEVELS))
def test_a_share_on_the_limit_has_the_city_on_its_wilson_bound(n, p, level):
    found = proportion_limits(np.array([n]), p, level=level)

    if found.high[0] < 1:
        assert p == pytest.approx(wilson(n * found.high[0], n, level=level).low)
    if found.low[0] > 0:
        assert p == pytest.approx(wilson(n * found.low[0], n, level=level).high)


@given(st.integers(1, 2_000), st.sampled_from(LEVELS))
def test_a_ratio_on_the_limit_has_the_city_on_its_exact_bound(events, level):
    found, bounds = ratio_limits(np.array([events]), level=level), exact_poisson(events, level=level)

    assert (bounds.high, bounds.low) == pytest.approx((events / found.low[0], events / found.high[0]))


@given(trials, centres, widenings)
def test_outer_limits_lie_outside_and_all_limits_around_the_city(n, p, widening):
    inner, outer = (proportion_limits(np.array([n]), p, level=level, widening=widening) for level in LEVELS)

    assert 0 <= outer.low[0] <= inner.low[0] < p < inner.high[0] <= outer.high[0] <= 1


@given(st.integers(0, 2_000), widenings)
def test_outer_limits_of_a_ratio_lie_outside_and_all_limits_around_1(events, widening):
    inner, outer = (ratio_limits(np.array([events]), level=level, widening=widening) for level in LEVELS)

    assert 0 <= outer.low[0] <= inner.low[0] < 1 < inner.high[0] <= outer.high[0]


@given(st.integers(1, 4_000), centres)
def test_larger_areas_have_narrower_limits(n, p):
    found = proportion_limits(np.array([n, n + 1]), p)

    assert found.low[0] <= found.low[1]
    assert found.high[1] <= found.high[0]


@given(st.integers(0, 500), st.integers(1, 500), centres)
def test_a_share_is_told_from_the_city_when_its_wilson_interval_leaves_the_city_out(x, more, p):
    n = x + more
    (found,) = proportion_verdicts(np.array([x]), np.array([n]), p)
    outside = [
        bound.low > p * (1 + 1e-9) or bound.high < p * (1 - 1e-9) for bound in (wilson(x, n), wilson(x, n, level=0.998))
    ]

    assert {(False, False): "not different", (True, False): "0.025", (True, True): "0.001"}[*outside] in found


@given(st.integers(0, 300), st.floats(0.5, 300))
def test_a_ratio_is_told_from_the_city_when_the_interval_of_its_events_leaves_the_expected_out(events, expected):
    (found,) = ratio_verdicts(np.array([events]), np.array([expected]))
    bounds = poisson(events)
    side = "high" if bounds.low > expected else "low" if bounds.high < expected else "not different"

    assert found.startswith(side)


@given(st.integers(0, 500), st.integers(1, 500), centres, st.floats(1, 5))
def test_wider_limits_never_tell_more_areas(x, more, p, widening):
    order = ["not different", "0.025", "0.001"]
    areas, sizes = np.array([x]), np.array([x + more])
    told = [proportion_verdicts(areas, sizes, p, widening=w)[0] for w in (1.0, widening)]
    ranks = [next(i for i, word in enumerate(order) if word in verdict) for verdict in told]

    assert ranks[1] <= ranks[0]


def test_areas_are_told_by_side_and_by_limit():
    found = proportion_verdicts(np.array([60.0, 80, 40, 95, 20, np.nan]), np.array([200.0] * 6), 0.3)

    assert [
        "not different",
        "high at 0.025",
        "low at 0.025",
        "high at 0.001",
        "low at 0.001",
        "no data",
    ] == found.tolist()


def test_ratios_are_told_by_side_and_by_limit():
    found = ratio_verdicts(np.array([20.0, 32, 40, 10, 5, np.nan]), np.full(6, 20.0))

    assert [
        "not different",
        "high at 0.025",
        "high at 0.001",
        "low at 0.025",
        "low at 0.001",
        "no data",
    ] == found.tolist()


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("up", ["better at 0.001", "worse at 0.025", "not different", "no data"]),
        ("down", ["worse at 0.001", "better at 0.025", "not different", "no data"]),
        ("neutral", ["higher at 0.001", "lower at 0.025", "not different", "no data"]),
    ],
)
def test_the_direction_turns_high_and_low_into_better_and_worse(direction, expected):
    verdicts = np.array(["high at 0.001", "low at 0.025", "not different", "no data"])

    assert expected == judged(verdicts, direction).tolist()


def test_no_neutral_verdict_says_better_or_worse():
    words = " ".join(judged(np.array(["high at 0.001", "low at 0.001", "high at 0.025", "low at 0.025"]), "neutral"))

    assert "better" not in words
    assert "worse" not in words


def test_the_city_is_the_ratio_of_the_sums_of_areas_with_data():
    assert 0.25 == city_value(np.array([30, np.nan, 20]), np.array([100, 50, 100]))


def test_a_standardised_rate_stands_where_its_events_would_make_it():
    found = effective_population(np.array([140, 0]), np.array([11.25, 0]), multiplier=1_000)

    np.testing.assert_allclose([140 / 0.01125, np.nan], found)


# Overdispersion


def test_dispersion_is_the_mean_square_of_the_scores():
    found = overdispersion(Scores(np.array([-3.0, 3, -3, 3]), np.ones(4)), winsorised=0)

    # tau squared by hand: (4 x 9 - 3) / (4 - 4/4).
    assert (4, 9.0, 11.0, True) == (found.areas, found.phi, found.tau_squared, found.is_certain)


def test_few_areas_that_stand_out_do_not_widen_the_limits():
    z = np.random.default_rng(5).normal(size=50)
    z[:3] = 12.0
    drawn_in, raw = (overdispersion(Scores(z, np.ones(50)), winsorised=w) for w in (0.1, 0.0))

    assert not drawn_in.is_certain
    assert raw.is_certain
    assert 1 == drawn_in.multiplicative()


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=40), st.sampled_from([0.05, 0.1, 0.2]))
def test_drawing_in_the_ends_never_raises_the_dispersion_of_scores_around_0(half, winsorised):
    z = np.array([*half, *(-v for v in half)])
    raw, drawn_in = (overdispersion(Scores(z, np.ones(z.size)), winsorised=w) for w in (0.0, winsorised))

    assert drawn_in.phi <= raw.phi * (1 + 1e-9)


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=40), st.floats(0.01, 10))
def test_limits_are_never_narrowed(z, error):
    scores = Scores(np.array(z), np.full(len(z), error))
    found = overdispersion(scores)

    assert 1 <= found.multiplicative()
    assert (found.additive(scores.error) >= 1).all()


def test_additive_widening_is_the_root_of_both_variances_over_the_errors():
    found = Overdispersion(10, 4.0, 0.09, is_certain=True).additive(np.array([0.1, 0.3]))

    np.testing.assert_allclose([math.sqrt(0.01 + 0.09) / 0.1, math.sqrt(0.09 + 0.09) / 0.3], found)


def test_areas_without_data_do_not_count():
    found = overdispersion(
        ratio_scores(np.array([30.0, np.nan, 20, 25]), np.array([25.0, 10, 25, np.nan])), winsorised=0
    )

    assert 2 == found.areas
    assert 1 == pytest.approx(found.phi)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: proportion_limits(np.array([0]), 0.5),
        lambda: proportion_limits(np.array([10]), 0.0),
        lambda: proportion_limits(np.array([10]), 0.5, level=95),
        lambda: ratio_limits(np.array([1.5])),
        lambda: rate_limits(np.array([1]), 0.0),
        lambda: proportion_verdicts(np.array([3]), np.array([2]), 0.5),
        lambda: proportion_scores(np.array([-1]), np.array([2]), 0.5),
        lambda: ratio_verdicts(np.array([1]), np.array([0.0])),
        lambda: ratio_scores(np.array([-1]), np.array([1.0])),
        lambda: overdispersion(Scores(np.array([1.0]), np.ones(1))),
        lambda: overdispersion(Scores(np.ones(4), np.ones(4)), winsorised=0.5),
        lambda: city_value(np.array([1]), np.array([0])),
    ],
)
def test_what_is_no_funnel_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# Simulation


@pytest.mark.parametrize(("size", "share"), [(100, 0.3), (1_000, 0.05), (1_000, 0.3)])
def test_areas_like_the_city_are_told_from_it_as_seldom_as_the_limits_say(size, share):
    successes = np.random.default_rng(2005).binomial(size, share, RUNS)
    found = proportion_verdicts(successes, np.full(RUNS, size), share)

    assert 0.03 <= np.mean(found != "not different") <= 0.07
    assert np.mean(np.strings.endswith(found, "0.001")) <= 0.004


@pytest.mark.parametrize("expected", [2.0, 10.0, 50.0])
def test_ratios_like_the_city_are_told_from_it_no_more_often_than_the_limits_say(expected):
    found = ratio_verdicts(np.random.default_rng(2006).poisson(expected, RUNS), np.full(RUNS, expected))

    assert np.mean(found != "not different") <= 0.052
    assert np.mean(np.strings.endswith(found, "0.001")) <= 0.0025


def test_chance_alone_is_seldom_taken_for_overdispersion():
    chance = np.random.default_rng(2007)
    expected = chance.uniform(10, 60, 50)
    found = [overdispersion(ratio_scores(chance.poisson(expected), expected)) for _ in range(1_000)]

    assert np.mean([f.is_certain for f in found]) <= 0.05
    assert 0.69 == pytest.approx(np.mean([f.phi for f in found]), abs=0.03)


def test_without_drawing_in_the_dispersion_and_the_variance_between_areas_are_found():
    chance = np.random.default_rng(2010)
    expected = chance.uniform(20, 100, 50)
    apart = expected * chance.gamma(1 / 0.09, 0.09, (1_000, 50))
    found = [overdispersion(ratio_scores(e, expected), winsorised=0) for e in chance.poisson(apart)]
    alone = [overdispersion(ratio_scores(chance.poisson(expected), expected), winsorised=0) for _ in range(1_000)]

    assert 0.09 == pytest.approx(np.mean([f.tau_squared for f in found]), rel=0.1)
    assert 1.00 == pytest.approx(np.mean([a.phi for a in alone]), abs=0.03)
    assert 0.03 <= np.mean([a.is_certain for a in alone]) <= 0.07


def test_widened_limits_tell_fewer_of_areas_that_all_lie_apart():
    chance = np.random.default_rng(2009)
    expected = chance.uniform(20, 100, 200)
    events = chance.poisson(expected * chance.gamma(1 / 0.09, 0.09, 200))
    scores = ratio_scores(events, expected)
    found = overdispersion(scores)
    factors = 1.0, found.multiplicative(), found.additive(scores.error)
    told = [np.mean(ratio_verdicts(events, expected, widening=f) != "not different") for f in factors]

    assert found.is_certain
    assert told[0] > 0.3
    assert max(told[1:]) < 0.15
