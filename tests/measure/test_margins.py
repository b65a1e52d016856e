from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from metroon.measure.margins import (
    change_margin,
    coefficient_of_variation,
    critical_value,
    difference,
    margin_of_error,
    product_margin,
    proportion_margin,
    ratio_margin,
    standard_error,
    sum_margin,
    without_codes,
)

counts = st.floats(1, 1e6)
margins = st.just(0.0) | st.floats(0.01, 1e5)

# US Census Bureau (2018), Understanding and Using American Community Survey Data: What All Data Users Need to Know,
# chapter 8: three counties of Virginia (Fairfax, Arlington, Alexandria).
FEMALES = np.array([135_173, 43_104, 24_842]), np.array([3_860, 2_642, 1_957])
MALES = np.array([156_720, 44_613, 25_507]), np.array([4_222, 2_819, 2_259])
ALL_FEMALES = np.array([466_037, 97_360, 67_101]), np.array([391, 572, 459])


# Published numbers


def test_the_sum_of_three_counties_is_the_handbooks():
    assert (203_119, 5_070) == (FEMALES[0].sum(), round(float(sum_margin(*FEMALES))))


def test_the_handbooks_sum_has_a_standard_error_and_a_coefficient_of_variation():
    # The same chapter: SE 3,082, CV 1.5 percent.
    assert 3_082 == round(standard_error(5_070))
    assert pytest.approx(1.5, abs=0.05) == 100 * coefficient_of_variation(203_119, 5_070)


def test_the_share_of_females_never_married_is_the_handbooks():
    whole, margin = ALL_FEMALES[0].sum(), float(sum_margin(*ALL_FEMALES))

    assert (630_498, 831) == (whole, round(margin))
    assert 0.008 == round(proportion_margin(203_119, 5_070, float(whole), margin), 3)


def test_the_ratio_of_males_to_females_never_married_is_the_handbooks():
    assert 0.039 == round(ratio_margin(float(MALES[0].sum()), float(sum_margin(*MALES)), 203_119, 5_070), 3)


def test_the_number_of_owned_detached_houses_is_the_handbooks():
    assert 202_289 == round(product_margin(74_506_512, 228_238, 0.824, 0.001))


def test_the_change_in_percent_is_the_handbooks():
    assert 4.2 == round(change_margin(139_301, 4_047, 135_173, 3_860), 1)


def test_several_parts_of_0_count_once_with_their_largest_margin():
    # Worked by hand: sqrt(29^2 + 37^2).
    found = sum_margin(np.array([0, 0, 0, 41]), np.array([22, 22, 29, 37]))

    assert math.sqrt(29**2 + 37**2) == pytest.approx(float(found))


def test_a_share_has_a_smaller_margin_than_a_ratio():
    found = proportion_margin(500, 100, 2_000, 150), ratio_margin(500, 100, 2_000, 150)

    assert (0.046351, 0.053400) == tuple(round(f, 6) for f in found)


@pytest.mark.parametrize(("answers", "points"), [(800, 3.14), (80, 9.94)])
def test_a_survey_of_a_city_tells_more_than_one_of_a_district(answers, points):
    # San Jose's quarterly survey: a share of 29 % of so many answers.
    assert points == round(100 * margin_of_error(math.sqrt(0.29 * 0.71 / answers), level=0.95), 2)


def test_two_rounds_of_a_survey_differ_by_chance_by_four_points():
    one = margin_of_error(100 * math.sqrt(0.29 * 0.71 / 800))

    assert 4.45 == round(difference(29.0, one, 29.0, one, level=0.95).margin, 2)


@pytest.mark.parametrize(("level", "value"), [(0.90, 1.645), (0.95, 1.96), (0.99, 2.576), (0.998, 3.090232)])
def test_margins_are_as_many_standard_errors_as_the_census_bureau_says(level, value):
    assert value == pytest.approx(critical_value(level), abs=1e-6)


# Properties


@given(st.lists(st.tuples(counts, margins), min_size=1, max_size=8))
def test_a_sum_has_a_margin_between_its_largest_and_their_sum(parts):
    estimates, each = np.array(parts).T
    found = float(sum_margin(estimates, each))

    assert each.max() <= found * (1 + 1e-12)
    assert found <= each.sum() * (1 + 1e-12)


@given(st.lists(st.tuples(st.sampled_from([0.0, 3.0, 700.0]), margins), min_size=2, max_size=8))
def test_the_order_of_the_parts_does_not_matter(parts):
    estimates, each = np.array(parts).T

    assert float(sum_margin(estimates, each)) == pytest.approx(float(sum_margin(estimates[::-1], each[::-1])))


@given(st.lists(margins, min_size=1, max_size=8))
def test_parts_that_are_all_0_have_the_largest_margin(each):
    assert max(each) == pytest.approx(float(sum_margin(np.zeros(len(each)), np.array(each))))


@given(counts, margins, counts, margins)
def test_a_share_never_has_a_larger_margin_than_a_ratio(part, part_margin, rest, whole_margin):
    whole = part + rest
    share = proportion_margin(part, part_margin, whole, whole_margin)

    assert share <= ratio_margin(part, part_margin, whole, whole_margin) * (1 + 1e-12)


def test_a_share_of_which_the_root_is_negative_has_the_margin_of_a_ratio():
    assert ratio_margin(1_900, 50, 2_000, 150) == proportion_margin(1_900, 50, 2_000, 150)


@given(counts, margins, counts)
def test_what_is_known_only_scales(value, margin, known):
    assert margin / known == pytest.approx(ratio_margin(value, margin, known, 0.0), rel=1e-9, abs=1e-12)
    assert margin * known == pytest.approx(product_margin(value, margin, known, 0.0), rel=1e-9, abs=1e-12)


@given(counts, margins, counts, margins)
def test_a_change_in_percent_has_a_hundred_times_the_margin_of_the_ratio(value, margin, earlier, earlier_margin):
    found = change_margin(value, margin, earlier, earlier_margin)

    assert 100 * ratio_margin(value, margin, earlier, earlier_margin) == pytest.approx(found)


@given(margins, st.sampled_from([0.9, 0.95, 0.99]))
def test_a_margin_and_its_standard_error_lead_back_to_each_other(margin, level):
    assert margin == pytest.approx(margin_of_error(standard_error(margin, level=level), level=level))


@given(counts, margins, counts, margins)
def test_two_estimates_differ_when_their_difference_passes_its_margin(one, one_margin, other, other_margin):
    found = difference(one, one_margin, other, other_margin)
    swapped = difference(other, other_margin, one, one_margin)

    assume(abs(abs(one - other) - found.margin) > 1e-9 * found.margin)

    assert (abs(one - other) > found.margin) == found.is_certain
    assert (-found.value, found.is_certain) == (swapped.value, swapped.is_certain)


@given(counts, margins, counts, margins)
def test_a_stricter_level_finds_no_more_differences(one, one_margin, other, other_margin):
    found = [difference(one, one_margin, other, other_margin, level=level).is_certain for level in (0.90, 0.95, 0.99)]

    assert sorted(found, reverse=True) == found


def test_equal_estimates_without_margins_do_not_differ_and_unequal_ones_do():
    found = difference(np.array([5.0, 6.0]), 0.0, np.array([5.0, 5.0]), 0.0)

    assert [False, True] == found.is_certain.tolist()


def test_an_estimate_of_0_has_no_coefficient_of_variation():
    found = coefficient_of_variation(np.array([0.0, 100.0]), np.array([12.0, 16.45]))

    np.testing.assert_allclose([np.nan, 0.1], found)


def test_codes_for_missing_margins_are_no_margins():
    found = without_codes(np.array([120, -555_555_555, -222_222_222, -999]))

    np.testing.assert_array_equal([120, np.nan, np.nan, np.nan], found)


def test_what_is_missing_stays_missing():
    estimates, each = (
        np.array([[1.0, 2.0], [np.nan, 2.0], [0.0, 2.0]]),
        np.array([[3.0, 4.0], [3.0, 4.0], [np.nan, 4.0]]),
    )

    np.testing.assert_array_equal([5.0, np.nan, np.nan], sum_margin(estimates, each))
    assert np.isnan(proportion_margin(np.array([np.nan]), 1.0, 5.0, 1.0)).all()
    assert np.isnan(difference(np.array([np.nan]), 1.0, 5.0, 1.0).statistic).all()


def test_many_places_are_told_the_same_as_each_alone():
    value, margin = np.array([10.0, 250.0, 30.0]), np.array([4.0, 60.0, 0.0])
    for function in (proportion_margin, ratio_margin, product_margin, change_margin):
        found = function(value, margin, value + 5, margin)
        alone = [function(v, m, v + 5, m) for v, m in zip(value.tolist(), margin.tolist(), strict=True)]

        assert alone == found.tolist()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: standard_error(-555_555_555),
        lambda: margin_of_error(-1),
        lambda: sum_margin(np.array([1, 2]), np.array([1, -1])),
        lambda: sum_margin(np.array([1, 2]), np.array([1])),
        lambda: proportion_margin(3, 1, 2, 1),
        lambda: proportion_margin(0, 1, 0, 1),
        lambda: ratio_margin(1, 1, 0, 1),
        lambda: ratio_margin(1, -555_555_555, 2, 1),
        lambda: change_margin(1, 1, 0, 1),
        lambda: product_margin(1, 1, 1, math.inf),
        lambda: difference(1, -1, 1, 1),
        lambda: difference(1, 1, 1, 1, level=90),
        lambda: coefficient_of_variation(1, -1),
        lambda: critical_value(0),
    ],
)
def test_what_is_no_margin_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# Simulation


def test_margins_of_sums_and_ratios_hold_the_truth_as_often_as_they_say():
    chance = np.random.default_rng(2018)
    truth, error = np.array([400.0, 900.0, 250.0]), np.array([30.0, 40.0, 25.0])
    found = chance.normal(truth, error, (10_000, 3))
    total = np.abs(found.sum(axis=1) - truth.sum()) <= sum_margin(found, np.tile(margin_of_error(error), (10_000, 1)))
    ratio = np.abs(found[:, 0] / found[:, 1] - 400 / 900) <= ratio_margin(
        found[:, 0], margin_of_error(30.0), found[:, 1], margin_of_error(40.0)
    )

    # More than four standard errors of 10,000 runs around 90 %.
    assert 0.90 == pytest.approx(total.mean(), abs=0.0125)
    assert 0.90 == pytest.approx(ratio.mean(), abs=0.0125)
