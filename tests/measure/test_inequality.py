from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from metroon.measure.inequality import (
    rank_midpoints,
    slopes_least_squares,
    slopes_logistic,
    summarise,
)

ORDERED = np.array([78.0, 91, 162, 103, 105])
ORDERED_VALUES = np.array([20.0, 30, 40, 50, 60])

PEOPLE = np.array(
    [
        *(832, 931, 1468, 1021, 1039, 1515, 1138, 620, 794, 866, 1367, 1108, 1120),
        *(1033, 833, 1536, 1149, 410, 1210, 858, 680, 935, 692, 781, 812),
    ],
    dtype=float,
)
VALUES = np.array(
    [61, 74, 58, 59, 72, 75, 74, 68, 75, 67, 73, 63, 66, 62, 60, 66, 71, 73, 71, 61, 74, 84, 55, 69, 60], dtype=float
)
ERRORS = np.array([5, 3, 3, 3, 4, 9, 2, 2, 2, 5, 5, 7, 5, 6, 4, 5, 6, 6, 9, 4, 3, 4, 1, 3, 7], dtype=float)

ALONG_THE_ORDER = {"aci", "rci", "sii", "rii", "difference", "ratio"}
SPREADS = {"bgv", "bgsd", "cov", "ti", "mld", "mdm_w", "mdm_u", "idis_w", "idis_u"}


def summaries(people, values, errors=None, *, is_ordered=False, direction="up", reference=None, scale=math.inf, **more):
    found = summarise(
        np.array(people, float),
        np.array(values, float),
        None if errors is None else np.array(errors, float),
        is_ordered=is_ordered,
        direction=direction,
        reference=reference,
        scale=scale,
        **{"draws": 50, **more},
    )
    return {s.name: s for s in found}


def numbers(*args, **more):
    return {name: s.value for name, s in summaries(*args, **more).items()}


@st.composite
def groups(draw, least=2):
    rows = draw(st.lists(st.tuples(st.integers(1, 1_000), st.integers(1, 1_000)), min_size=least, max_size=8))
    people, values = zip(*rows, strict=True)
    return np.array(people, float), np.array(values, float)


# Published numbers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mean", 41.22449),
        ("aci", 7.3284203),
        ("rci", 0.1777686),
        ("par", 18.775510),
        ("paf", 45.544554),
        ("difference", 40),
        ("ratio", 3),
        ("range", 40),
        ("range_ratio", 3),
    ],
)
def test_five_ordered_groups_give_the_numbers_of_the_who_package(name, value):
    # healthequal 1.0.1 (WHO), test data of ordered groups.
    found = numbers(ORDERED, ORDERED_VALUES, is_ordered=True, scale=100)

    assert value == pytest.approx(found[name], rel=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bgv", 46.198326),
        ("bgsd", 6.7969350),
        ("ti", 5.03598),
        ("mld", 5.05236),
        ("mdm_w", 5.8348689),
        ("mdm_u", 5.891726),
        ("idis_w", 8.6178417),
        ("idis_u", 8.7018175),
        ("mdb_w", 16.293155),
        ("mdb_u", 16.36),
        ("mdr_w", 7.2228465),
        ("mdr_u", 7.24),
        ("par", 16.293155),
        ("paf", 24.06426),
    ],
)
def test_twenty_five_groups_give_the_numbers_of_the_who_package(name, value):
    # healthequal 1.0.1 (WHO), test data of unordered groups; the reference is the 14th.
    found = numbers(PEOPLE, VALUES, reference=13)

    assert value == pytest.approx(found[name], rel=1e-5)


def test_the_slopes_are_those_of_the_who_package():
    # healthequal 1.0.1 (WHO), SII and RII: people with the outcome rounded, weights twice the people.
    found = slopes_logistic(ORDERED, ORDERED_VALUES, scale=100, weights="double", has_whole_people=True)

    assert (44.44502, 40.15109, 48.73895) == pytest.approx((found.sii.value, found.sii.low, found.sii.high), abs=1e-5)
    assert (3.159506, 2.719902, 3.670160) == pytest.approx((found.rii.value, found.rii.low, found.rii.high), abs=1e-6)


def test_a_single_weight_gives_other_slopes():
    # The same in R's glm with one weight instead of two.
    found = slopes_logistic(ORDERED, ORDERED_VALUES, scale=100, has_whole_people=True)

    assert (44.90526, 3.22392) == pytest.approx((found.sii.value, found.rii.value), abs=1e-5)


def test_noise_is_taken_from_the_variance():
    # Of the 25 groups: sum p (1 - p) se^2 is 25.594, which leaves 20.604 of 46.198.
    found = summaries(PEOPLE, VALUES, ERRORS)

    assert 20.604 == pytest.approx(found["bgv_corrected"].value, abs=5e-4)
    assert math.sqrt(20.604) == pytest.approx(found["bgsd_corrected"].value, abs=1e-4)


def test_a_straight_line_gives_what_can_be_worked_out_by_hand():
    # Three equal groups, ranks 1/6, 1/2, 5/6, values 10, 20, 30: 30 a rank, 5 at rank 0 and 35 at rank 1.
    found = slopes_least_squares(np.ones(3), np.array([10.0, 20, 30]), np.full(3, 2.0))

    assert (30.0, 7.0) == pytest.approx((found.sii.value, found.rii.value))
    # Each value's pull on the slope is its rank less 1/2, over 2/9: sqrt(2) * 1.5 * 2.
    assert 3 * math.sqrt(2) == pytest.approx(found.sii.se, rel=0.02)


def test_ranks_follow_people_and_not_the_number_of_groups():
    assert [0.05, 0.25, 0.7] == pytest.approx(rank_midpoints(np.array([10.0, 30, 60])).tolist())


# What is told of what


def test_unordered_groups_have_no_measure_along_an_order():
    assert set() == ALONG_THE_ORDER & set(numbers(PEOPLE, VALUES, ERRORS, reference=13))


def test_ordered_groups_have_no_measure_of_spread():
    assert set() == SPREADS & set(numbers(ORDERED, ORDERED_VALUES, is_ordered=True))


def test_a_neutral_measure_has_no_best_group():
    for is_ordered in (True, False):
        found = set(numbers(ORDERED, ORDERED_VALUES, is_ordered=is_ordered, direction="neutral"))

        assert set() == {"par", "paf", "pap", "mdb_w", "mdb_u"} & found


def test_the_best_is_the_lowest_where_less_is_better():
    up, down = (numbers(ORDERED, ORDERED_VALUES, direction=d) for d in ("up", "down"))

    assert (60 - up["mean"], 20 - down["mean"]) == pytest.approx((up["par"], down["par"]))
    assert 1 - 20 / down["mean"] == pytest.approx(down["pap"]) == pytest.approx(-down["paf"] / 100)


def test_nothing_is_gained_where_the_best_off_are_not_better():
    found = summaries(ORDERED, ORDERED_VALUES, np.full(5, 2.0), is_ordered=True, direction="down")

    assert (0.0, 0.0) == (found["par"].value, found["paf"].value)
    assert 1.0 == math.copysign(1, found["par"].value)


def test_distance_from_a_reference_needs_one():
    assert "mdr_w" not in numbers(PEOPLE, VALUES)
    assert "mdr_w" in numbers(PEOPLE, VALUES, reference=13)


def test_hidden_values_are_left_out():
    values = ORDERED_VALUES.copy()
    values[2] = math.nan
    kept = [0, 1, 3, 4]

    for is_ordered in (True, False):
        assert numbers(ORDERED[kept], ORDERED_VALUES[kept], is_ordered=is_ordered) == numbers(
            ORDERED, values, is_ordered=is_ordered
        )


def test_a_hidden_reference_leaves_the_other_measures():
    found = numbers([1, 1, 1], [math.nan, 2, 3], reference=0)

    assert "mdr_w" not in found
    assert 0.25 == found["bgv"]


def test_one_group_alone_has_no_inequality():
    assert {} == numbers([1, 1], [5, math.nan])


def test_without_errors_noise_is_not_taken_away():
    for errors in (None, [1, math.nan, 1, 1, 1]):
        found = summaries(ORDERED, ORDERED_VALUES, errors)

        assert "bgv_corrected" not in found
        assert math.isnan(found["bgv"].se)


def test_measures_of_parts_need_values_above_zero():
    found = numbers([1, 1, 1], [0, 2, 4])

    assert math.isnan(found["ti"])
    assert math.isnan(found["range_ratio"])
    assert 8 / 3 == pytest.approx(found["bgv"])


def test_values_below_a_mean_of_zero_have_no_relative_measure():
    found = numbers([1, 1], [-3, 1])

    assert all(math.isnan(found[n]) for n in ("cov", "ti", "mld", "idis_w", "paf"))


@pytest.mark.parametrize("values", [[-1, 1], [0, 0], [-2, -1]])
@pytest.mark.parametrize("is_ordered", [True, False])
@pytest.mark.parametrize("scale", [1, math.inf])
def test_values_around_zero_have_absolute_measures_only(values, is_ordered, scale):
    found = summaries([1, 1], values, [1, 1], is_ordered=is_ordered, direction="down", scale=scale)

    assert values[1] - values[0] == found["range"].value
    for name in {"rci", "rii", "ratio", "range_ratio", "cov", "ti", "mld", "idis_w", "paf", "pap"} & set(found):
        assert math.isnan(found[name].value)


def test_a_mean_that_may_be_zero_divides_nothing_that_has_bounds():
    found = summaries([1, 1], [1, 3], [2, 2], direction="down")

    assert 50 == pytest.approx(found["cov"].value)
    assert all(math.isnan(found[n].se) for n in ("cov", "idis_w", "paf", "pap"))
    assert not math.isnan(found["bgv"].se)


def test_values_known_without_error_have_no_noise():
    found = summaries(PEOPLE, VALUES, np.zeros(25))

    for name in ("bgv", "ti", "mdm_w", "idis_u"):
        assert found[name].value == pytest.approx(found[f"{name}_corrected"].value, rel=1e-2)
        assert 0 == pytest.approx(found[name].se)


def test_equal_values_have_no_inequality():
    found = summaries([3, 2, 1], [5, 5, 5], [1, 1, 1])

    assert 0 == found["bgv"].value == found["bgv_corrected"].value == found["par"].value == found["ti_corrected"].low


def test_rates_take_a_line_through_their_logarithms():
    rates = 10 * np.exp(rank_midpoints(ORDERED))
    found = summaries(ORDERED, rates, is_ordered=True)

    assert (math.e, 10 * (math.e - 1)) == pytest.approx((found["rii"].value, found["sii"].value))


def test_a_logit_line_and_the_logistic_curve_agree_where_both_fit():
    shares = 1 / (1 + np.exp(1 - 2 * rank_midpoints(ORDERED)))
    curve = slopes_logistic(ORDERED, shares)
    line = slopes_least_squares(ORDERED, shares, None, transform="logit")

    assert (line.sii.value, line.rii.value) == pytest.approx((curve.sii.value, curve.rii.value))


def test_values_that_jump_from_nothing_to_all_take_a_straight_line():
    found = summaries([1, 1, 1], [0, 0, 1], [0.1, 0.1, 0.1], is_ordered=True, scale=1)

    # Ranks 1/6, 1/2, 5/6: the slope is (1/3 * 1) / (2/9).
    assert 1.5 == pytest.approx(found["sii"].value)
    assert "straight line" == found["sii"].note


def test_a_line_that_starts_below_zero_has_no_ratio():
    found = slopes_least_squares(np.ones(3), np.array([1.0, 10, 19]), np.ones(3))

    assert 27.0 == pytest.approx(found.sii.value)
    assert math.isnan(found.rii.value)


def test_a_start_that_may_be_zero_leaves_the_ratio_without_upper_bound():
    found = slopes_least_squares(np.ones(3), np.array([4.0, 10, 16]), np.full(3, 4.0))

    assert (10.0 + 9) / (10 - 9) == pytest.approx(found.rii.value)
    assert math.inf == found.rii.high


# Properties


@given(groups(), st.floats(0.01, 100))
def test_relative_measures_do_not_know_the_unit(group, factor):
    people, values = group
    for is_ordered in (True, False):
        one = numbers(people, values, is_ordered=is_ordered)
        other = numbers(people, factor * values, is_ordered=is_ordered)

        for name in {"rci", "rii", "ratio", "ti", "mld", "cov", "idis_w", "idis_u", "paf", "range_ratio"} & set(one):
            assert one[name] == pytest.approx(other[name], rel=1e-6, abs=1e-9)


@given(groups())
def test_the_logistic_curve_keeps_the_mean(group):
    # What is observed and what is fitted have the same weighted sum: the first equation of the fit.
    people, values = group
    found = slopes_logistic(people, values, scale=1_001)
    assume(abs(found.rii.value - 1) > 1e-3)
    bottom = found.sii.value / (found.rii.value - 1) / 1_001
    top = bottom * found.rii.value
    ranks = rank_midpoints(people)
    line = (1 - ranks) * np.log(bottom / (1 - bottom)) + ranks * np.log(top / (1 - top))

    assert people @ values / 1_001 == pytest.approx(people @ (1 / (1 + np.exp(-line))), rel=1e-4)


@given(groups(), st.floats(0.01, 100))
def test_the_logistic_slopes_do_not_know_the_unit(group, factor):
    people, values = group
    one = slopes_logistic(people, values, scale=1_001)
    other = slopes_logistic(people, factor * values, scale=factor * 1_001)

    assert (one.rii.value, factor * one.sii.value) == pytest.approx(
        (other.rii.value, other.sii.value), rel=1e-6, abs=1e-9
    )


@given(groups(), st.floats(0.01, 100))
def test_absolute_measures_and_all_errors_take_the_unit(group, factor):
    people, values = group
    one = summaries(people, values, values / 10, draws=20)
    other = summaries(people, factor * values, factor * values / 10, draws=20)

    for name, power in {"bgv": 2, "bgsd": 1, "mdm_w": 1, "mdb_u": 1, "par": 1, "ti": 0, "idis_u": 0}.items():
        wanted = (one[name].value * factor**power, one[name].se * factor**power)
        assert wanted == pytest.approx((other[name].value, other[name].se), rel=1e-6, abs=1e-9)


@given(groups())
def test_the_absolute_index_is_the_relative_one_times_the_mean(group):
    found = numbers(*group, is_ordered=True)

    assert found["aci"] == pytest.approx(found["rci"] * found["mean"], abs=1e-9)


@given(groups(), st.floats(0.1, 0.9))
def test_splitting_a_group_changes_no_weighted_measure(group, part):
    people, values = group
    halves = np.concatenate([[part * people[0], (1 - part) * people[0]], people[1:]])
    twice = np.concatenate([values[:1], values])
    for is_ordered in (True, False):
        one = numbers(people, values, is_ordered=is_ordered)
        other = numbers(halves, twice, is_ordered=is_ordered)

        for name in set(one) - {"mdm_u", "idis_u", "mdb_u", "sii", "rii"}:
            assert one[name] == pytest.approx(other[name], rel=1e-9, abs=1e-9)


@given(st.permutations(range(25)))
def test_the_order_of_unordered_groups_changes_nothing(order):
    one = summaries(PEOPLE, VALUES, ERRORS, reference=13, draws=5)
    other = summaries(PEOPLE[order], VALUES[order], ERRORS[order], reference=order.index(13), draws=5)

    assert one == other


def test_the_order_of_ordered_groups_turns_the_sign():
    one = numbers(ORDERED, ORDERED_VALUES, is_ordered=True, scale=100)
    turned = numbers(ORDERED[::-1], ORDERED_VALUES[::-1], is_ordered=True, scale=100)

    for name in ("aci", "rci", "sii", "difference"):
        assert one[name] == pytest.approx(-turned[name])
    assert one["rii"] == pytest.approx(1 / turned["rii"])


@given(groups())
def test_no_spread_is_below_zero_and_none_is_zero_where_values_differ(group):
    people, values = group
    found = numbers(people, values)
    least = -1e-9 if np.ptp(values) == 0 else 0

    assert all(found[name] >= least for name in SPREADS)
    assert (np.ptp(values) > 0) == (found["bgv"] > 1e-9)


@given(groups(), st.floats(0.01, 0.5))
def test_bounds_hold_the_value_between_them(group, error):
    people, values = group
    for is_ordered in (True, False):
        for s in summaries(people, values, error * values, is_ordered=is_ordered, direction="down").values():
            if not math.isnan(s.low):
                assert s.low - 1e-6 <= s.value or s.name.endswith("_corrected")
                assert s.value <= s.high + 1e-6 or s.name.endswith("_corrected")
                assert s.low <= s.high


@given(groups(), st.floats(0.01, 0.2))
def test_without_noise_there_is_no_more_inequality(group, error):
    found = summaries(*group, error * group[1])

    for name in ("bgv", "bgsd", "cov"):
        assert 0 <= found[f"{name}_corrected"].value <= found[name].value


def test_the_same_seed_gives_the_same_answer():
    assert summaries(PEOPLE, VALUES, ERRORS, seed=3) == summaries(PEOPLE, VALUES, ERRORS, seed=3)
    assert summaries(PEOPLE, VALUES, ERRORS, seed=3) != summaries(PEOPLE, VALUES, ERRORS, seed=4)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: summaries([1, 2], [1, 2, 3]),
        lambda: summaries([1, 2], [1, 2], [1]),
        lambda: summaries([1, -2], [1, 2]),
        lambda: summaries([1, 2], [1, 2], [1, -1]),
        lambda: summaries([1, 2], [1, 2], reference=2),
        lambda: summaries([1, 2], [1, 2], level=95),
        lambda: rank_midpoints(np.zeros(2)),
        lambda: rank_midpoints(np.array([1, math.nan])),
        lambda: slopes_logistic(np.ones(2), np.array([0.5, 1.5])),
        lambda: slopes_logistic(np.ones(2), np.array([0.0, 0.0])),
        lambda: slopes_logistic(np.ones(2), np.array([0.0, 1.0])),
        lambda: slopes_logistic(np.ones(1), np.array([0.5])),
        lambda: slopes_logistic(np.array([0.0, 1]), np.array([0.5, 0.6])),
        lambda: slopes_least_squares(np.ones(2), np.array([0.0, 1.0]), None, transform="log"),
        lambda: slopes_least_squares(np.ones(2), np.array([0.5, 1.0]), None, transform="logit"),
        lambda: slopes_least_squares(np.ones(1), np.array([0.5]), None),
    ],
)
def test_what_has_no_inequality_to_measure_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()
