from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
import shapefile
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from metroon.measure.spatial import (
    demographic_disparity,
    geographic_disparity,
    located,
    morans_i,
    morans_i_of_two,
    resource,
)

RUNS = 1_000
IN_A_ROW = np.array([[0.0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])


def in_a_ring(areas):
    return np.roll(np.eye(areas), 1, axis=1) + np.roll(np.eye(areas), -1, axis=1)


def columbus():
    """Crime, income and neighbors of 49 areas of Columbus, Ohio: Anselin (1988), Spatial Econometrics, table 12.1."""
    found = importlib.util.find_spec("libpysal")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the example data of libpysal are not here")
    folder = Path(found.submodule_search_locations[0]) / "examples" / "columbus"
    with shapefile.Reader(dbf=str(folder / "columbus.dbf")) as table:
        crime, income = (np.array([record[name] for record in table.records()]) for name in ("CRIME", "INC"))
    lines = (folder / "columbus.gal").read_text().splitlines()[1:]
    weights = np.zeros((49, 49))
    for area, neighbors in zip(lines[::2], lines[1::2], strict=True):
        weights[int(area.split()[0]) - 1, [int(j) - 1 for j in neighbors.split()]] = 1
    return crime, income, weights


# Published numbers


def test_crime_in_columbus_clusters_as_pysal_prints_it():
    # esda, Moran: CRIME of the libpysal example "columbus", 49 areas, row-standardised.
    crime, _, weights = columbus()
    found = morans_i(crime, weights)

    assert pytest.approx((0.5001886, -0.0208333, 5.630313), abs=1e-6) == (found.value, found.expected, found.z)


def test_crime_in_columbus_lies_beside_low_income_as_pysal_prints_it():
    # esda, Moran_BV: CRIME against the INC of neighbors.
    crime, income, weights = columbus()

    assert pytest.approx(-0.428632, abs=1e-6) == morans_i_of_two(crime, income, weights).value


def test_four_areas_in_a_row_give_what_can_be_worked_out_by_hand():
    # Values 1 to 4: away from the mean -1.5, -0.5, 0.5, 1.5, of squares 5; products of neighbors 0.75, -0.25, 0.75,
    # each twice: I = 4/6 * 2.5/5. Cliff and Ord (1981), section 1.5: S0 = 6, S1 = 12, S2 = 40,
    # E(I^2) = (16*12 - 4*40 + 3*36) / (36*15) = 7/27, less 1/9.
    found = morans_i(np.array([1.0, 2, 3, 4]), IN_A_ROW, row_standardise=False)

    assert pytest.approx((1 / 3, -1 / 3, 4 / 27, math.sqrt(3))) == (
        found.value,
        found.expected,
        found.variance,
        found.z,
    )


def test_four_areas_in_a_row_with_standardised_rows_give_what_can_be_worked_out_by_hand():
    # The ends have one neighbor, the others two: z'Wz = 0.75 + (0.75 - 0.25)/2 * 2 + 0.75 = 2, of 5, with S0 = 4.
    # S1 = (4 * 1.5^2 + 2 * 1^2) / 2 = 5.5; S2 = 1.5^2 + 2.5^2 + 2.5^2 + 1.5^2 = 17;
    # E(I^2) = (16*5.5 - 4*17 + 3*16) / (16*15) = 17/60, less 1/9.
    found = morans_i(np.array([1.0, 2, 3, 4]), IN_A_ROW)

    assert pytest.approx((2 / 5, 17 / 60 - 1 / 9)) == (found.value, found.variance)


# Moran's I


@given(st.permutations(range(8)), st.lists(st.integers(-50, 50), min_size=8, max_size=8, unique=True))
def test_the_order_in_which_areas_are_listed_does_not_matter(order, values):
    weights = np.triu(np.random.default_rng(1950).integers(0, 2, (8, 8)), 1).astype(float)
    weights += weights.T
    weights[0, 1] = weights[1, 0] = 1
    one = morans_i(np.array(values, float), weights)
    other = morans_i(np.array(values, float)[order], weights[np.ix_(order, order)])

    assert pytest.approx((one.value, one.z)) == (other.value, other.z)


@given(st.floats(-1e3, 1e3), st.floats(0.01, 1e3))
def test_another_unit_changes_nothing(shift, scale):
    values = np.array([3.0, 1, 4, 1, 5, 9])

    assert morans_i(values, in_a_ring(6)).z == pytest.approx(morans_i(shift + scale * values, in_a_ring(6)).z, rel=1e-6)


@given(st.lists(st.integers(-50, 50), min_size=4, max_size=12, unique=True))
def test_a_value_beside_itself_is_the_statistic_of_one_value(values):
    values, ring = np.array(values, float), in_a_ring(len(values))
    one, two = morans_i(values, ring), morans_i_of_two(values, values, ring)

    assert pytest.approx((one.value, one.expected)) == (two.value, two.expected)


def test_sparse_and_dense_weights_say_the_same():
    values = np.array([3.0, 1, 4, 1, 5, 9])

    assert morans_i(values, in_a_ring(6)) == morans_i(values, csr_array(in_a_ring(6)))


def test_a_chessboard_is_less_alike_than_chance_and_two_halves_are_more():
    board, halves = np.array([0.0, 1] * 4), np.array([0.0] * 4 + [1] * 4)

    assert morans_i(board, in_a_ring(8)).value == pytest.approx(-1)
    assert morans_i(halves, in_a_ring(8)).z > 0


def test_an_area_without_a_value_is_left_out_with_its_ties():
    with_gap = morans_i(
        np.array([1.0, 2, 3, 4, math.nan]), np.pad(IN_A_ROW, (0, 1), constant_values=1) * (1 - np.eye(5))
    )

    assert morans_i(np.array([1.0, 2, 3, 4]), IN_A_ROW) == with_gap


@pytest.mark.parametrize("values", [[5.0, 5, 5, 5], [1.0, 2, math.nan, math.nan], [math.nan] * 4])
def test_values_that_cannot_cluster_have_no_statistic(values):
    assert math.isnan(morans_i(np.array(values), IN_A_ROW).value)


def test_weights_that_fit_no_map_are_refused():
    values = np.array([1.0, 2, 3, 4])
    for wrong in (np.eye(4), -IN_A_ROW, IN_A_ROW[:3, :3]):
        with pytest.raises(ValueError):
            morans_i(values, wrong)


def test_chance_is_called_clustered_as_rarely_as_the_level_says():
    chance, ring = np.random.default_rng(1981), in_a_ring(40)
    found = np.array([morans_i(chance.standard_normal(40), ring).z for _ in range(RUNS)])

    assert found.mean() == pytest.approx(0, abs=0.1)
    assert found.std() == pytest.approx(1, abs=0.07)
    assert 0.93 <= np.mean(np.abs(found) < 1.96) <= 0.97


def test_two_values_dealt_by_chance_give_what_is_expected():
    chance, ring = np.random.default_rng(1985), in_a_ring(10)
    one = chance.standard_normal(10)
    other = one + chance.standard_normal(10)
    deals = [chance.permutation(10) for _ in range(4 * RUNS)]
    found = np.array([morans_i_of_two(one[d], other[d], ring).value for d in deals])

    assert morans_i_of_two(one, other, ring).expected == pytest.approx(
        found.mean(), abs=4 * found.std() / math.sqrt(found.size)
    )


# Points and areas


def test_points_outside_and_weights_that_are_missing_are_counted():
    found = resource(np.array([1, -1, 1, 0]), np.array([2.0, 5, math.nan, 1]), areas=3)

    assert ([1, 2, 0], [1, 2, 0]) == (found.weight.tolist(), found.points.tolist())
    assert (1, 1) == (found.outside, found.without_weight)


@given(st.lists(st.tuples(st.integers(-1, 4), st.floats(0, 100)), min_size=1, max_size=60))
def test_no_weight_is_lost_or_made(points):
    area, weight = (np.array(x) for x in zip(*points, strict=True))
    found = resource(area, weight, areas=5)

    assert found.weight.sum() == pytest.approx(weight[area >= 0].sum())
    assert len(points) == found.points.sum() + found.outside


def test_points_without_weights_count_once_each():
    found = resource(np.array([0, 0, 1]), None, areas=2)

    assert [2, 1] == found.weight.tolist()


def test_a_group_whose_addresses_are_not_found_shows():
    found = located(np.array([True, False, False, True]), np.array([0, 0, 0, 1]), groups=3)

    assert [1 / 3, 1.0] == pytest.approx(found.share[:2].tolist())
    assert math.isnan(found.share[2])


# Geographic disparity

areas = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 5_000)), min_size=2, max_size=20).filter(
    lambda rows: sum(r[0] for r in rows) > 0 and sum(r[1] for r in rows) > 0
)


@given(areas)
def test_what_some_areas_have_too_much_others_have_too_little(rows):
    weight, people = np.array(rows, float).T

    assert geographic_disparity(weight, people).difference.sum() == pytest.approx(0, abs=1e-12)


@given(areas, st.floats(0.1, 100))
def test_only_shares_matter(rows, factor):
    weight, people = np.array(rows, float).T
    one, other = geographic_disparity(weight, people), geographic_disparity(weight * factor, people * factor)

    assert one.difference == pytest.approx(other.difference, abs=1e-12)


def test_an_area_where_nobody_lives_is_no_residents_and_not_infinite():
    found = geographic_disparity(np.array([5.0, 5, 0]), np.array([0.0, 100, 100]), np.array([12.0, 20, 20]))

    assert [True, False, False] == found.has_no_residents.tolist()
    assert (0.5, False) == (found.difference[0], bool(found.is_certain[0]))


def test_an_area_whose_residents_are_not_known_is_not_called_empty():
    found = geographic_disparity(np.array([1.0, 1, 1]), np.array([math.nan, 100, 100]))

    assert (True, False) == (math.isnan(found.difference[0]), bool(found.has_no_residents[0]))


def test_without_margins_nothing_is_certain():
    assert not geographic_disparity(np.array([9.0, 1]), np.array([100.0, 900])).is_certain.any()


def test_the_margin_of_a_share_covers_the_truth_as_often_as_it_says():
    chance = np.random.default_rng(2020)
    truth, error = np.array([500.0, 1500, 3000, 2500, 800]), np.array([60.0, 120, 150, 200, 90])
    weight = np.ones(5)
    exact = geographic_disparity(weight, truth).difference
    inside = []
    for _ in range(RUNS):
        found = geographic_disparity(weight, truth + error * chance.standard_normal(5), 1.645 * error)
        inside.append(np.abs(found.difference - exact) <= found.margin)

    assert np.all((np.mean(inside, axis=0) >= 0.93) & (np.mean(inside, axis=0) <= 0.97))


@pytest.mark.parametrize(
    ("weight", "people"), [([0.0, 0], [1.0, 1]), ([1.0, 1], [0.0, 0]), ([-1.0, 2], [1.0, 1]), ([1.0, 1], [-1.0, 2])]
)
def test_shares_of_nothing_are_refused(weight, people):
    with pytest.raises(ValueError):
        geographic_disparity(np.array(weight), np.array(people))


# Demographic disparity


def test_a_resource_in_one_area_has_the_residents_of_that_area():
    percent = np.array([[10.0, 40.0], [30.0, 20.0]])
    found = demographic_disparity(np.array([0.0, 7.0]), percent, np.array([20.0, 30.0]))

    assert ([30.0, 20.0], [10.0, -10.0]) == (found.around.tolist(), found.difference.tolist())


def test_the_error_is_the_one_of_the_formula():
    # Shares 0.75 and 0.25, margins 3.29 and 6.58 at 90 %: errors 2 and 4, so sd = sqrt(1.5^2 + 1^2); city's error 1.
    found = demographic_disparity(
        np.array([3.0, 1.0]),
        np.array([[10.0], [30.0]]),
        np.array([25.0]),
        moe=np.array([[3.29], [6.58]]),
        everywhere_moe=np.array([1.645]),
    )

    assert math.sqrt(3.25) == pytest.approx(found.sd[0])
    assert 1.96 * math.sqrt(4.25) == pytest.approx(found.margin[0])


@given(areas)
def test_a_resource_spread_like_the_people_favors_nobody(rows):
    people, percent = np.array([r[1] for r in rows], float), np.array([[r[0]] for r in rows], float)
    everywhere = np.array([people @ percent[:, 0] / people.sum()])

    assert demographic_disparity(people, percent, everywhere).difference[0] == pytest.approx(0, abs=1e-9)


def test_a_resource_where_percents_are_not_known_is_left_out_and_told():
    found = demographic_disparity(np.array([1.0, 3.0]), np.array([[10.0], [math.nan]]), np.array([20.0]))

    assert (10.0, 0.75) == (found.around[0], found.unknown_share[0])


def test_a_resource_that_lies_only_where_nothing_is_known_says_nothing():
    found = demographic_disparity(np.array([0.0, 3.0]), np.array([[10.0], [math.nan]]), np.array([20.0]))

    assert (True, False) == (math.isnan(found.difference[0]), bool(found.is_certain[0]))


def test_the_margin_of_a_disparity_covers_the_truth_as_often_as_it_says():
    chance, weight = np.random.default_rng(2021), np.array([5.0, 3, 2])
    truth, error = np.array([[12.0], [30.0], [45.0]]), np.array([[3.0], [5.0], [6.0]])
    everywhere, city_error = np.array([22.0]), np.array([1.5])
    exact = demographic_disparity(weight, truth, everywhere).difference
    inside = []
    for _ in range(RUNS):
        found = demographic_disparity(
            weight,
            truth + error * chance.standard_normal((3, 1)),
            everywhere + city_error * chance.standard_normal(1),
            moe=1.645 * error,
            everywhere_moe=1.645 * city_error,
        )
        inside.append(abs(found.difference - exact) <= found.margin)

    assert 0.93 <= np.mean(inside) <= 0.97


def test_a_resource_of_nothing_is_refused():
    with pytest.raises(ValueError):
        demographic_disparity(np.array([0.0]), np.array([[1.0]]), np.array([1.0]))
