from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from metroon.measure.interval import byar, exact_poisson, poisson
from metroon.measure.standardisation import (
    EUROPEAN_2013,
    direct,
    expected_events,
    indirect,
    repeated_events,
)

RUNS = 10_000

EVENTS = np.array([[10, 40, 90]])
PEOPLE = np.array([[5_000, 4_000, 2_000]])
WEIGHTS = np.array([50, 35, 15])
REFERENCE = np.array([1, 12, 40]), np.array([1_000, 1_000, 1_000])

# Down's syndrome by mother's age and order of birth, Michigan 1950-1964: Fleiss (1981), Statistical Methods for Rates
# and Proportions, table 14.4, p. 249. One row per order of birth, one column per age of the mother.
CASES = np.array(
    [
        [107, 141, 60, 40, 39, 25],
        [25, 150, 110, 84, 82, 39],
        [3, 71, 114, 103, 108, 75],
        [1, 26, 64, 89, 137, 96],
        [0, 8, 63, 112, 262, 295],
    ]
)
BIRTHS = np.array(
    [
        [230061, 329449, 114920, 39487, 14208, 3052],
        [72202, 326701, 208667, 83228, 28466, 5375],
        [15050, 175702, 207081, 117300, 45026, 8660],
        [2293, 68800, 132424, 98301, 46075, 9834],
        [327, 30666, 123419, 149919, 104088, 34392],
    ]
)
ALL_BIRTHS = np.array([319933, 931318, 786511, 488235, 237863, 61313])


@st.composite
def places(draw: st.DrawFn):
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    events = draw(arrays.arrays(np.int64, shape, elements=st.integers(0, 200)))
    people = draw(arrays.arrays(np.float64, shape, elements=st.floats(200, 10_000)))
    weights = draw(arrays.arrays(np.float64, shape[1], elements=st.floats(0.1, 10)))
    return events, people, weights


# Published numbers


def test_the_direct_rate_is_the_worked_one():
    found = direct(EVENTS, PEOPLE, WEIGHTS).times(1_000)

    assert (11.25, 9.455221, 13.285003) == pytest.approx((found.value[0], found.low[0], found.high[0]), abs=1e-6)


def test_the_indirect_ratio_is_the_worked_one():
    found = indirect(EVENTS.sum(axis=1), PEOPLE, *REFERENCE)

    assert 133 == pytest.approx(expected_events(PEOPLE, *REFERENCE)[0])
    assert (1.0526316, 0.8854814, 1.2421542) == pytest.approx((found.value[0], found.low[0], found.high[0]), abs=1e-7)


def test_births_after_the_fourth_have_the_rate_and_bounds_that_r_prints():
    # R package dsrTest 1.0.0, vignette, Dobson's method: 75.52901 (67.63284, 83.86703) with exact limits of the
    # count. Byar's, which are ours from 10 events on, are within 0.01 of them at 740 events.
    found = direct(CASES, BIRTHS, ALL_BIRTHS).times(100_000)

    assert 75.52901 == pytest.approx(found.value[4], abs=5e-6)
    assert (67.63284, 83.86703) == pytest.approx((found.low[4], found.high[4]), abs=0.01)


def test_with_exact_limits_of_the_count_the_bounds_are_those_that_r_prints():
    found = direct(CASES, BIRTHS, ALL_BIRTHS).times(100_000)
    total, exact, near = 740, exact_poisson(740), byar(740)
    stretch = (found.high[4] - found.value[4]) / (near.high - total)
    bounds = [found.value[4] + stretch * (bound - total) for bound in (exact.low, exact.high)]

    assert [67.63284, 83.86703] == pytest.approx(bounds, abs=5e-6)


def test_the_european_standard_population_has_19_ages_and_100_000_people():
    assert (19, 100_000) == (len(EUROPEAN_2013), sum(EUROPEAN_2013.values()))
    assert [5_000, 7_000, 1_000] == [EUROPEAN_2013[age] for age in ("0-4", "50-54", "90+")]


# Properties


@given(places())
def test_a_rate_lies_within_its_bounds_and_between_the_rates_of_its_strata(place):
    events, people, weights = place
    found, rates = direct(events, people, weights), events / people
    told = events.sum(axis=1) >= 10

    assert (~told).tolist() == np.isnan(found.value).tolist()
    assert (found.low <= found.value * (1 + 1e-12))[told].all()
    assert (found.value <= found.high * (1 + 1e-12))[told].all()
    assert (rates.min(axis=1) * (1 - 1e-9) <= found.value)[told].all()
    assert (found.value <= rates.max(axis=1) * (1 + 1e-9))[told].all()


@given(places(), st.floats(0.01, 100))
def test_only_the_proportions_of_the_standard_matter(place, factor):
    events, people, weights = place
    found, scaled = direct(events, people, weights), direct(events, people, weights * factor)

    np.testing.assert_allclose(found.value, scaled.value, rtol=1e-9)
    np.testing.assert_allclose(found.high, scaled.high, rtol=1e-9)


@given(places())
def test_a_place_that_is_its_own_standard_has_its_crude_rate(place):
    events, people, _ = place
    found = direct(events[:1] + 5, people[:1], people[0])

    if not np.isnan(found.value[0]):
        assert (events[0] + 5).sum() / people[0].sum() == pytest.approx(found.value[0])


@given(places())
def test_a_place_that_is_its_own_standard_has_the_interval_of_its_count(place):
    events, people, _ = place
    events = events[:1] + 10
    found, bounds = direct(events, people[:1], people[0]), byar(int(events.sum())).times(1 / people[0].sum())

    assert (bounds.low, bounds.high) == pytest.approx((found.low[0], found.high[0]))


@given(places(), st.randoms())
def test_the_order_of_strata_and_of_cells_does_not_matter(place, chance):
    events, people, weights = place
    cells, strata = list(range(events.shape[0])), list(range(events.shape[1]))
    chance.shuffle(cells)
    chance.shuffle(strata)
    found = direct(events, people, weights)
    turned = direct(events[cells][:, strata], people[cells][:, strata], weights[strata])

    np.testing.assert_allclose(found.low[cells], turned.low, rtol=1e-9)


@given(places())
def test_splitting_a_stratum_with_its_events_changes_no_rate(place):
    events, people, weights = place
    found = direct(events * 2, people * 2, weights)
    halves = [np.concatenate([part, part], axis=-1) for part in (events, people, weights)]
    split = direct(*halves)

    np.testing.assert_allclose(found.value, split.value, rtol=1e-9)
    np.testing.assert_allclose(found.high, split.high, rtol=1e-9)


@given(places())
def test_the_reference_stands_at_1_to_itself(place):
    events, people, _ = place
    events = events[0] + 1
    found = indirect(np.array([events.sum()]), people[:1], events, people[0])

    assert 1 == pytest.approx(found.value[0])
    assert found.low[0] < 1 < found.high[0]


@given(places())
def test_single_events_have_their_number_as_variance(place):
    events = place[0]
    found = repeated_events(events[..., None], np.array([1]))

    np.testing.assert_array_equal(events, found.events)
    np.testing.assert_array_equal(events, found.variance)


def test_people_with_several_events_widen_the_bounds():
    people = np.array([[[40, 20, 10], [30, 10, 5]]])
    repeated = repeated_events(people, np.array([1, 2, 3]))
    of, weights = np.array([[1_000.0, 800.0]]), np.array([1, 1])
    alone, together = (direct(repeated.events, of, weights, event_variance=v) for v in (None, repeated.variance))

    assert [[110, 65]] == repeated.events.tolist()
    assert [[40 + 4 * 20 + 9 * 10, 30 + 4 * 10 + 9 * 5]] == repeated.variance.tolist()
    assert alone.value == together.value
    assert together.low < alone.low < alone.high < together.high


def test_fewer_than_ten_events_have_no_rate():
    found = direct(np.array([[4, 5], [5, 5]]), np.full((2, 2), 100), np.array([1, 1]))

    assert [True, False] == np.isnan(found.value).tolist() == np.isnan(found.low).tolist()
    assert [9, 10] == found.events.tolist()


def test_a_stratum_without_people_has_no_rate_unless_the_standard_leaves_it_out():
    events, people = np.array([[20, 0]]), np.array([[100.0, 0.0]])

    assert np.isnan(direct(events, people, np.array([1, 1])).value[0])
    assert 0.2 == pytest.approx(direct(events, people, np.array([1, 0])).value[0])


def test_what_is_missing_leaves_its_cell_without_a_rate_and_harms_no_other():
    events, people = np.array([[20, np.nan], [20, 20.0]]), np.full((2, 2), 100.0)
    found = direct(events, people, np.array([1, 1]))
    ratio = indirect(np.array([np.nan, 20]), people, np.array([1, 1]), np.array([10, 10]))

    np.testing.assert_allclose([np.nan, 0.2], found.value)
    np.testing.assert_allclose([np.nan, 1.0], ratio.value)


def test_where_nothing_is_expected_there_is_no_ratio():
    found = indirect(np.array([0, 3]), np.array([[0.0], [100.0]]), np.array([1]), np.array([50]))

    assert np.isnan(found.value[0])
    assert 1.5 == found.value[1]


def test_few_events_have_the_exact_limits_over_what_is_expected():
    found = indirect(np.array([4]), np.array([[100.0]]), np.array([1]), np.array([50]))

    assert (poisson(4).low / 2, poisson(4).high / 2) == pytest.approx((found.low[0], found.high[0]))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: direct(EVENTS, PEOPLE[:, :2], WEIGHTS),
        lambda: direct(EVENTS[0], PEOPLE[0], WEIGHTS),
        lambda: direct(-EVENTS, PEOPLE, WEIGHTS),
        lambda: direct(EVENTS, PEOPLE * 0, WEIGHTS),
        lambda: direct(EVENTS, PEOPLE, WEIGHTS[:2]),
        lambda: direct(EVENTS, PEOPLE, WEIGHTS * 0),
        lambda: direct(EVENTS, PEOPLE, -WEIGHTS),
        lambda: direct(EVENTS, PEOPLE, WEIGHTS, event_variance=-EVENTS),
        lambda: direct(EVENTS, PEOPLE, WEIGHTS, level=95),
        lambda: indirect(np.array([1.5]), PEOPLE, *REFERENCE),
        lambda: indirect(np.array([1, 2]), PEOPLE, *REFERENCE),
        lambda: expected_events(PEOPLE, REFERENCE[0], REFERENCE[1] * 0),
        lambda: expected_events(-PEOPLE, *REFERENCE),
        lambda: expected_events(PEOPLE, *(r[:2] for r in REFERENCE)),
        lambda: repeated_events(EVENTS, np.array([1])),
        lambda: repeated_events(EVENTS[..., None], np.array([1, 2])),
        lambda: repeated_events(-EVENTS[..., None], np.array([1])),
    ],
)
def test_what_cannot_be_standardised_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# Coverage


def covered(found, truth: float) -> float:
    told = ~np.isnan(found.value)
    return float(np.mean((found.low <= truth)[told] & (truth <= found.high)[told]))


@pytest.mark.parametrize("total", [20, 50, 200])
@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_the_direct_rate_covers_as_often_as_it_says(total, slope):
    weights, age = np.array(list(EUROPEAN_2013.values())), np.arange(19)
    people, rates = weights * np.exp(-age / 6), np.exp(slope * age)
    rates = rates * total / (people * rates).sum()
    events = np.random.default_rng(1991).poisson(people * rates, (RUNS, 19))
    found = direct(events, np.broadcast_to(people, events.shape), weights)

    assert 0.93 <= covered(found, (weights * rates).sum() / weights.sum()) <= 0.97


def test_the_direct_rate_misses_when_one_event_has_half_of_the_weight():
    people, rates = np.array([1_000.0, 50.0]), np.array([0.019, 0.019])
    events = np.random.default_rng(1992).poisson(people * rates, (RUNS, 2))

    assert covered(direct(events, np.broadcast_to(people, events.shape), np.array([1, 1])), 0.019) < 0.70


def test_repeated_events_are_covered_with_their_variance_and_not_without():
    each, people = np.array([1, 2, 3]), np.full((RUNS, 3), 1_000.0)
    truth = np.array([50.0, 15.0, 7.0])
    repeated = repeated_events(np.random.default_rng(1994).poisson(truth, (RUNS, 3, 3)), each)
    weights, rate = np.array([1, 2, 3]), float(truth @ each) / 1_000
    alone = direct(repeated.events, people, weights)
    together = direct(repeated.events, people, weights, event_variance=repeated.variance)

    assert covered(alone, rate) < 0.90
    assert 0.93 <= covered(together, rate) <= 0.97


@pytest.mark.parametrize(("expected", "most"), [(1, 1.0), (10, 0.97), (60, 0.97)])
def test_the_indirect_ratio_covers_as_often_as_it_says(expected, most):
    events = np.random.default_rng(1988).poisson(expected * 1.2, RUNS)
    found = indirect(events, np.full((RUNS, 1), expected * 100.0), np.array([1]), np.array([100]))

    assert 0.93 <= covered(found, 1.2) <= most
