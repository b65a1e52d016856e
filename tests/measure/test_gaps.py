from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.measure.gaps import Levels, gap
from metroon.measure.interval import poisson, wilson

RUNS = 1_000


def shares(events, base, multiplier=1.0):
    events, base = np.array(events, float), np.array(base, float)
    bounds = wilson(events, base)
    return Levels(multiplier * events / base, multiplier * bounds.low, multiplier * bounds.high, events, base)


def rates(events, base, multiplier=1.0):
    events, base = np.array(events, float), np.array(base, float)
    bounds = poisson(events).times(multiplier / base)
    return Levels(multiplier * events / base, bounds.low, bounds.high, events, base)


def values(value, reach):
    value, reach = np.array(value, float), np.array(reach, float)
    return Levels(value, value - reach, value + reach)


@st.composite
def groups(draw):
    rows = draw(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=2, max_size=6))
    return [yes for yes, _ in rows], [yes + no + 1 for yes, no in rows]


# Published numbers


def test_the_difference_of_two_shares_is_newcombes():
    # Newcombe (1998), Statistics in Medicine 17, table II, method 10, contrast (a): 56/70 - 48/80.
    found = gap(shares([48, 56], [80, 70]), 0, kind="share")

    assert pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5) == (
        found.difference[1],
        found.difference_low[1],
        found.difference_high[1],
    )


def test_the_ratio_of_two_shares_is_katzs():
    # Katz and others (1978): exp(ln 1.875 -/+ 1.96 sqrt(1/30 - 1/200 + 1/20 - 1/250)).
    found = gap(shares([20, 30], [250, 200]), 0, kind="share")

    assert pytest.approx((1.875, 1.0988, 3.1995), abs=1e-4) == (found.ratio[1], found.ratio_low[1], found.ratio_high[1])


def test_the_ratio_of_two_rates_is_the_one_that_r_prints():
    # R, stats::poisson.test, help page's example: 11 events in 800 v 21 in 3011 person-years.
    found = gap(rates([21, 11], [3011, 800]), 0, kind="rate")

    assert pytest.approx((0.8584264, 4.2772659), abs=1e-6) == (found.ratio_low[1], found.ratio_high[1])


def test_the_difference_of_any_two_values_is_that_of_their_bounds():
    # 10 (7 to 13) v 4 (0 to 8): both reach 3 and 4 to each side, so 6 -/+ 5.
    found = gap(values([4, 10], [4, 3]), 0, kind="other")

    assert (6.0, 1.0, 11.0) == pytest.approx((found.difference[1], found.difference_low[1], found.difference_high[1]))


# The reference


@given(groups(), st.sampled_from(["share", "rate", "other"]))
def test_the_reference_has_no_gap_to_itself_and_no_bounds(group, kind):
    found = gap(shares(*group), 0, kind=kind)

    assert (0.0, 1.0, "within tolerance") == (found.difference[0], found.ratio[0], found.verdict[0])
    assert np.isnan([found.difference_low[0], found.difference_high[0], found.ratio_low[0], found.ratio_high[0]]).all()
    assert not found.is_certain[0]


def test_both_levels_are_kept():
    found = gap(shares([48, 56], [80, 70]), 0, kind="share")

    assert ([0.6, 0.8], [0.6, 0.6]) == (found.value.tolist(), found.reference.tolist())
    assert found.low[0] == found.reference_low[1]


def test_a_gap_that_closes_because_the_better_off_got_worse_shows_in_the_levels():
    before = gap(shares([80, 60], [100, 100]), 0, kind="share")
    after = gap(shares([62, 60], [100, 100]), 0, kind="share")

    assert abs(after.difference[1]) < abs(before.difference[1])
    assert (0.8, 0.62) == (before.reference[1], after.reference[1])
    assert before.value[1] == after.value[1]


def test_a_group_is_held_against_all_others_and_not_against_itself():
    parts = shares([10, 60], [100, 300])
    found = gap(parts, shares(70, 400), kind="share", holds_groups=True)
    direct = gap(parts, 1, kind="share")

    assert (direct.difference[0], direct.difference_low[0]) == (found.difference[0], found.difference_low[0])
    assert [0.2, 0.1] == found.reference.tolist()


def test_rates_are_held_against_all_others_in_the_same_unit():
    parts = rates([10, 60], [1_000, 3_000], 100)
    found = gap(parts, rates(70, 4_000, 100), kind="rate", holds_groups=True, multiplier=100)
    direct = gap(parts, 1, kind="rate")

    assert (direct.difference_low[0], direct.ratio_high[0]) == pytest.approx(
        (found.difference_low[0], found.ratio_high[0])
    )


def test_a_city_among_its_groups_is_held_against_nobody():
    found = gap(shares([10, 60, 70], [100, 300, 400]), 2, kind="share", holds_groups=True)

    assert (0.0, 0.175) == (found.difference[2], found.reference[2])
    assert -0.1 == pytest.approx(found.difference[0])


def test_a_group_that_is_all_people_has_no_gap_that_can_be_told():
    found = gap(shares([70], [400]), shares(70, 400), kind="share", holds_groups=True)

    assert math.isnan(found.difference[0])
    assert "cannot tell" == found.verdict[0]


def test_a_group_larger_than_all_people_is_refused():
    with pytest.raises(ValueError):
        gap(shares([10], [100]), shares(5, 400), kind="share", holds_groups=True)


# Arrays


def test_each_place_has_its_own_reference():
    events, base = np.array([[5, 10, 20], [30, 10, 5]]), np.full((2, 3), 50)
    found = gap(shares(events, base), 1, kind="share")

    for place in range(2):
        alone = gap(shares(events[place], base[place]), 1, kind="share")
        assert alone.difference.tolist() == found.difference[place].tolist()
        np.testing.assert_array_equal(alone.ratio_high, found.ratio_high[place])


@pytest.mark.parametrize("kind", ["share", "rate", "other"])
def test_what_is_hidden_cannot_be_told_and_hides_nothing_else(kind):
    found = gap(shares([math.nan, 20, 30], [50, 50, 50]), 1, kind=kind)
    alone = gap(shares([20, 30], [50, 50]), 0, kind=kind)

    assert ["cannot tell", "within tolerance", alone.verdict[1]] == found.verdict.tolist()
    assert alone.difference_low[1] == found.difference_low[2]


def test_a_hidden_reference_leaves_nothing_to_tell():
    found = gap(shares([20, math.nan], [50, 50]), 1, kind="share")

    assert ["cannot tell", "cannot tell"] == found.verdict.tolist()
    assert np.isnan(found.difference).all()


def test_a_reference_of_zero_has_no_ratio_but_a_difference():
    found = gap(shares([0, 20], [50, 50]), 0, kind="share")

    assert (True, 0.4) == (math.isnan(found.ratio[1]), found.difference[1])


def test_a_group_without_anybody_cannot_be_told():
    group = Levels(*(np.array([math.nan, 0.4]) for _ in range(3)), np.array([0.0, 20]), np.array([0.0, 50]))

    assert "cannot tell" == gap(group, 1, kind="share").verdict[0]


# Properties


@given(groups(), st.sampled_from(["share", "rate"]))
def test_a_gap_lies_within_its_bounds(group, kind):
    found = gap(shares(*group), 0, kind=kind)
    inside = found.difference[1:], found.difference_low[1:], found.difference_high[1:]

    assert np.all(inside[1] <= inside[0] + 1e-12)
    assert np.all(inside[0] <= inside[2] + 1e-12)


@given(groups(), st.sampled_from(["share", "rate", "other"]))
def test_what_is_certain_leaves_out_zero(group, kind):
    found = gap(shares(*group), 0, kind=kind)

    assert ((found.difference_low > 0) | (found.difference_high < 0)).tolist() == found.is_certain.tolist()


@given(groups(), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["relative", "points"]))
def test_a_wider_tolerance_never_puts_a_group_outside(group, one, other, unit):
    narrow, wide = sorted((one, other))
    strict = gap(shares(*group), 0, kind="share", tolerance=narrow, tolerance_in=unit).verdict
    loose = gap(shares(*group), 0, kind="share", tolerance=wide, tolerance_in=unit).verdict

    assert not ((strict == "within tolerance") & (loose != "within tolerance")).any()
    assert not ((loose == "outside tolerance") & (strict != "outside tolerance")).any()


@given(groups(), st.permutations(range(1, 6)))
def test_the_order_of_the_other_groups_does_not_matter(group, order):
    order = [0, *(i for i in order if i < len(group[0]))]
    one, other = gap(shares(*group), 0, kind="share"), gap(shares(*np.array(group)[:, order]), 0, kind="share")

    np.testing.assert_array_equal(one.difference_low[order], other.difference_low)
    assert one.verdict[order].tolist() == other.verdict.tolist()


@given(groups())
def test_percents_say_the_same_as_shares(group):
    one = gap(shares(*group), 0, kind="share")
    other = gap(shares(*group, 100), 0, kind="share", multiplier=100)

    np.testing.assert_allclose(100 * one.difference_high, other.difference_high)
    np.testing.assert_allclose(one.ratio_high, other.ratio_high)


# Tolerance


@pytest.mark.parametrize(
    ("value", "reach", "verdict"),
    [
        (102, 3, "within tolerance"),
        (102, 9, "cannot tell"),
        (130, 9, "outside tolerance"),
        (70, 9, "outside tolerance"),
        (100, 40, "cannot tell"),
    ],
)
def test_the_bounds_decide_and_not_the_value(value, reach, verdict):
    found = gap(values([100, value], [0, reach]), 0, kind="other", tolerance=0.1)

    assert verdict == found.verdict[1]


def test_a_tolerance_in_points_is_not_one_in_parts():
    # 2 % against 1 %: twice as much, and one point.
    group = values([1, 2], [0.0, 0.2])

    assert "outside tolerance" == gap(group, 0, kind="other", tolerance=0.1).verdict[1]
    assert "within tolerance" == gap(group, 0, kind="other", tolerance=2, tolerance_in="points").verdict[1]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: gap(values([1, 2], [1, 1]), 0, kind="share"),
        lambda: gap(values([1, 2], [1, 1]), 0, kind="rate"),
        lambda: gap(values([1, 2], [1, 1]), 0, kind="other", tolerance=-0.1),
        lambda: gap(values([1, 2], [1, 1]), 0, kind="other", tolerance=math.nan),
        lambda: gap(shares([1, 2], [3, 3]), values(1, 1), kind="share", holds_groups=True),
    ],
)
def test_what_cannot_be_compared_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# Coverage: the truth is known, the seed is fixed.


def covered(low, high, truth):
    return np.mean((low <= truth) & (truth <= high), axis=0)


def test_gaps_of_shares_cover_the_truth_as_often_as_they_say():
    chance, truth, base = np.random.default_rng(1998), np.array([0.3, 0.2, 0.5, 0.6]), np.array([200, 80, 150, 60])
    drawn = chance.binomial(base, truth, (RUNS, 4))
    found = gap(shares(drawn, np.broadcast_to(base, drawn.shape)), 0, kind="share")

    for share in (
        covered(found.difference_low, found.difference_high, truth - truth[0]),
        covered(found.ratio_low, found.ratio_high, truth / truth[0]),
    ):
        assert np.all((share[1:] >= 0.93) & (share[1:] <= 0.97))


def test_gaps_of_rates_cover_the_truth_as_often_as_they_say():
    chance, truth, base = np.random.default_rng(2008), np.array([0.02, 0.01, 0.03]), np.array([4_000, 2_000, 1_500])
    drawn = chance.poisson(truth * base, (RUNS, 3))
    found = gap(rates(drawn, np.broadcast_to(base, drawn.shape)), 0, kind="rate")
    differences = covered(found.difference_low, found.difference_high, truth - truth[0])

    assert np.all((differences[1:] >= 0.93) & (differences[1:] <= 0.97))
    # The exact interval covers at least as often as it says; four standard errors of 1,000 runs below.
    assert np.all(covered(found.ratio_low, found.ratio_high, truth / truth[0])[1:] >= 0.95 - 0.028)


def test_the_rest_covers_the_truth_where_the_whole_would_not():
    chance, truth, base = np.random.default_rng(2012), np.array([0.3, 0.3]), np.array([300, 100])
    drawn = chance.binomial(base, truth, (RUNS, 2))
    parts = shares(drawn, np.broadcast_to(base, drawn.shape))
    whole = shares(drawn.sum(axis=1, keepdims=True), np.full((RUNS, 1), 400))
    rest = gap(parts, whole, kind="share", holds_groups=True)
    naive = gap(parts, whole, kind="share")

    assert 0.93 <= covered(rest.difference_low, rest.difference_high, 0.0)[0] <= 0.97
    # Held against a whole of which it is three quarters, the large group could hardly ever be found to differ.
    assert 0.999 <= covered(naive.difference_low, naive.difference_high, 0.0)[0]


def test_without_counts_a_group_against_all_people_is_covered_too_often():
    chance = np.random.default_rng(2013)
    group, rest = chance.normal(10, 1, RUNS), chance.normal(10, 1, RUNS)
    everyone = (group + rest) / 2
    one, all_people = 1.96, 1.96 / math.sqrt(2)
    found = gap(
        Levels(group, group - one, group + one),
        Levels(everyone, everyone - all_people, everyone + all_people),
        kind="other",
        holds_groups=True,
    )

    assert 0.97 < covered(found.difference_low, found.difference_high, 0.0)
