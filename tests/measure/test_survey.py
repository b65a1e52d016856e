from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.measure.interval import wilson
from metroon.measure.survey import (
    Design,
    design_mean,
    design_share,
    kish_mean,
    kish_share,
    margin,
    margin_between,
    weight_sums,
)

answers = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 9)), min_size=2, max_size=40)


def sums_of(rows):
    value, weight = (np.array(column, float) for column in zip(*rows, strict=True))
    return weight_sums(np.zeros(value.size, int), weight, value, cells=1)


def singly(size, weight=None):
    """A design in which people were drawn one by one, from one stratum."""
    return Design(np.ones(size) if weight is None else np.asarray(weight, float), np.zeros(size, int), np.arange(size))


# Published numbers: SAS, proc surveymeans, data sets IceCream and IceCreamStudy.

GRADE = np.array([int(one) for one in "7789777887798777988999777989777798879977"])
SPENT = np.array(
    [
        *[7, 7, 12, 10, 1, 10, 3, 20, 19, 2, 2, 15, 16, 6, 6, 6, 15, 17, 14, 8],
        *[8, 7, 3, 12, 4, 14, 18, 9, 2, 1, 4, 11, 8, 10, 13, 2, 6, 11, 2, 9],
    ],
    dtype=float,
)
STUDY = np.array(
    [
        *[(7, 34, 7), (7, 34, 7), (7, 412, 4), (9, 27, 14), (7, 34, 2), (9, 230, 15), (9, 27, 15), (7, 501, 2)],
        *[(9, 230, 8), (9, 230, 7), (7, 501, 3), (8, 59, 20), (7, 403, 4), (7, 403, 11), (8, 59, 13), (8, 59, 17)],
        *[(8, 143, 12), (8, 143, 16), (8, 59, 18), (9, 235, 9), (8, 143, 10), (9, 312, 8), (9, 235, 6), (9, 235, 11)],
        *[(9, 312, 10), (7, 321, 6), (8, 156, 19), (8, 156, 14), (7, 321, 3), (7, 321, 12), (7, 489, 2), (7, 489, 9)],
        *[(7, 78, 1), (7, 78, 10), (7, 489, 2), (7, 156, 1), (7, 78, 6), (7, 412, 6), (7, 156, 2), (9, 301, 8)],
    ]
)


def by_grade(grade, numbers):
    return np.array([numbers[one] for one in grade], float)


def of_study(fraction=True):
    grade, cluster = STUDY[:, 0], STUDY[:, 1]
    sampled = by_grade(grade, {7: 8 / 608, 8: 3 / 252, 9: 5 / 403}) if fraction else None
    return Design(by_grade(grade, {7: 608 / 8, 8: 252 / 3, 9: 403 / 5}), grade, cluster, sampled)


def test_the_mean_of_a_simple_sample_is_the_one_that_sas_prints():
    # SAS/STAT, proc surveymeans, getting started: simple random sampling, total=4000.
    design = Design(np.ones(40), np.zeros(40, int), np.arange(40), np.full(40, 40 / 4000))
    found = design_mean(SPENT, design)

    assert (8.75, 39) == (found.value[0], found.freedom[0])
    assert pytest.approx((0.845139, 7.0405, 10.4595), abs=5e-5) == (
        found.standard_error[0],
        found.low[0],
        found.high[0],
    )


def test_the_mean_of_a_stratified_sample_is_the_one_that_sas_prints():
    # SAS/STAT, proc surveymeans, getting started: stratified sampling.
    people, drawn = {7: 1824, 8: 1025, 9: 1151}, {7: 20, 8: 9, 9: 11}
    weight, sampled = (
        by_grade(GRADE, {one: people[one] / drawn[one] for one in people}),
        by_grade(GRADE, {one: drawn[one] / people[one] for one in people}),
    )
    found = design_mean(SPENT, Design(weight, GRADE, np.arange(40), sampled))

    assert pytest.approx((9.141298, 0.531799), abs=5e-7) == (found.value[0], found.standard_error[0])
    assert pytest.approx((8.0638, 10.2188), abs=5e-5) == (found.low[0], found.high[0])
    assert 37 == found.freedom[0]


def test_the_mean_of_a_stratified_cluster_sample_is_the_one_that_sas_prints():
    # SAS/STAT, proc surveymeans, example 1.
    found = design_mean(STUDY[:, 2].astype(float), of_study())

    assert pytest.approx((8.923860, 0.650859), abs=5e-7) == (found.value[0], found.standard_error[0])
    assert 13 == found.freedom[0]


def test_the_share_of_a_stratified_cluster_sample_is_the_one_that_sas_prints():
    # SAS/STAT, proc surveymeans, example 1: who spends 10 dollars or more.
    found = design_share((STUDY[:, 2] >= 10).astype(float), of_study())

    assert pytest.approx((0.438563, 0.056368), abs=5e-7) == (found.value[0], found.standard_error[0])


def test_the_total_of_a_province_is_the_one_of_the_textbook():
    # Lehtonen and Pahkinen, Practical Methods for Design and Analysis of Complex Surveys, table 2.6 (UCLA's pages):
    # unemployed of 8 of 32 municipalities in two strata; total 23,580 with standard error 11,801.
    unemployed = np.array([4123.0, 721, 194, 129, 239, 61, 262, 166])
    found = design_mean(
        unemployed, Design(np.full(8, 4.0), np.array([1, 1, 2, 2, 2, 2, 2, 2]), np.arange(8), np.full(8, 0.25))
    )

    assert pytest.approx((23_580, 11_801), abs=0.5) == (32 * found.value[0], 32 * found.standard_error[0])


def test_the_margins_of_a_city_survey():
    # Section 6 of the reference on measures: 800 answers, a district of 80, two rounds of 800; share 0.29.
    city, district = margin(0.29, 800), margin(0.29, 80)

    assert [3.14, 9.94, 4.45] == [round(100 * one, 2) for one in (city, district, margin_between(city, city))]


def test_the_effective_number_of_answers_is_kishs():
    # Kish (1965), section 11.7: half of the answers weigh 1, half 3: (1 + 3)^2 / 2 (1 + 9) of them are left.
    found = sums_of([(1, 1), (0, 3)] * 50)

    assert pytest.approx((80, 1.25)) == (found.effective[0], found.design_effect[0])


# Identities


@given(st.integers(1, 300), st.integers(0, 300), st.floats(0.1, 50))
def test_equal_weights_give_wilsons_interval(size, successes, weight):
    successes = min(successes, size)
    value = np.arange(size) < successes
    found = kish_share(weight_sums(np.zeros(size, int), np.full(size, weight), value))
    expected = wilson(successes, size)

    assert pytest.approx((expected.low, expected.high), abs=1e-9) == (found.low[0], found.high[0])


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=40))
def test_without_a_design_the_mean_is_the_plain_one_with_students_interval(values):
    value = np.array(values, float)
    drawn = design_mean(value, singly(value.size))
    kish = kish_mean(weight_sums(np.zeros(value.size, int), np.ones(value.size), value))

    for found in (drawn, kish):
        assert pytest.approx(value.mean(), abs=1e-9) == found.value[0]
        assert pytest.approx(value.std(ddof=1) / math.sqrt(value.size), abs=1e-6) == found.standard_error[0]
        assert pytest.approx(drawn.high[0], abs=1e-5) == found.high[0]


@given(answers, answers)
def test_pooling_sums_is_pooling_answers(one, other):
    together, pooled = sums_of(one + other), sums_of(one) + sums_of(other)

    for name in ("answers", "weight", "weight_squares", "value", "value_squares"):
        assert getattr(together, name).tolist() == getattr(pooled, name).tolist()


@given(answers, st.floats(0.01, 100))
def test_weights_count_relative_to_each_other_only(rows, factor):
    value, weight = (np.array(column, float) for column in zip(*rows, strict=True))
    before = kish_share(weight_sums(np.zeros(value.size, int), weight, value))
    after = kish_share(weight_sums(np.zeros(value.size, int), weight * factor, value))

    np.testing.assert_allclose([after.value, after.low, after.high], [before.value, before.low, before.high], atol=1e-9)


@given(answers)
def test_a_weighted_share_lies_within_its_bounds_which_are_wider_than_unweighted_ones(rows):
    sums = sums_of(rows)
    found = kish_share(sums)

    assert 0 <= found.low[0] <= found.value[0] + 1e-12
    assert found.value[0] <= found.high[0] + 1e-12 <= 1 + 2e-12
    assert sums.effective[0] <= sums.answers[0] * (1 + 1e-12)


@given(answers, st.integers(0, 100))
def test_a_smaller_population_never_widens_the_interval(rows, more):
    sums = sums_of(rows)
    few, many = (kish_share(sums, population=len(rows) + people) for people in (more, more + 10))

    assert few.high[0] - few.low[0] <= many.high[0] - many.low[0] + 1e-12


def test_when_all_have_answered_nothing_is_uncertain():
    found = kish_share(sums_of([(1, 1)] * 3 + [(0, 1)] * 7), population=10)

    assert pytest.approx((0.3, 0.3, 0.3)) == (found.value[0], found.low[0], found.high[0])


def test_a_cell_without_answers_has_no_share():
    sums = weight_sums(np.array([1, 1, 0]), np.ones(3), np.array([1.0, 0, math.nan]), cells=3)
    for found in (kish_share(sums), kish_mean(sums)):
        assert [True, False, True] == np.isnan(found.value).tolist()
        assert [True, False, True] == np.isnan(found.low).tolist()


def test_one_answer_has_no_interval_of_a_mean():
    found = kish_mean(sums_of([(1, 4)]))

    assert (1, True) == (found.value[0], math.isnan(found.low[0]))


# The design


rows_of_design = st.lists(
    st.tuples(st.integers(0, 1), st.integers(1, 9), st.integers(0, 2), st.integers(0, 3), st.integers(-1, 2)),
    min_size=1,
    max_size=60,
)


def columns(rows):
    value, weight, stratum, cluster, domain = (np.array(column) for column in zip(*rows, strict=True))
    return value.astype(float), Design(weight.astype(float), stratum, cluster), domain


@given(rows_of_design)
def test_the_design_agrees_with_the_sum_written_out(rows):
    value, design, domain = columns(rows)
    found = design_mean(value, design, domain=domain, domains=3)
    for one in range(3):
        inside = domain == one
        if not inside.any():
            assert np.isnan([found.value[one], found.standard_error[one]]).all()
            continue
        total = design.weight[inside].sum()
        mean = (design.weight * value)[inside].sum() / total
        part = np.where(inside, design.weight * (value - mean) / total, 0)
        variance = 0.0
        for stratum in np.unique(design.stratum):
            clusters = np.unique(design.cluster[design.stratum == stratum])
            sums = np.array([part[(design.stratum == stratum) & (design.cluster == name)].sum() for name in clusters])
            lonely = clusters.size == 1
            variance += np.sum(sums**2) if lonely else clusters.size * np.var(sums, ddof=1)

        assert pytest.approx(mean) == found.value[one]
        assert pytest.approx(math.sqrt(variance), abs=1e-9) == found.standard_error[one]


@given(rows_of_design)
def test_a_share_lies_within_its_bounds(rows):
    value, design, domain = columns(rows)
    found = design_share(value, design, domain=domain)
    known = ~np.isnan(found.low)

    assert np.array_equal(known, found.freedom > 0)
    assert np.all((0 <= found.low[known]) & (found.low[known] <= found.value[known] + 1e-12))
    assert np.all((found.value[known] <= found.high[known] + 1e-12) & (found.high[known] <= 1))


@given(rows_of_design, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, chance):
    mixed = rows.copy()
    chance.shuffle(mixed)
    one, other = (
        design_share(value, design, domain=domain, domains=3) for value, design, domain in map(columns, (rows, mixed))
    )

    np.testing.assert_allclose(one.value, other.value)
    np.testing.assert_allclose(one.standard_error, other.standard_error, atol=1e-7)
    assert one.freedom.tolist() == other.freedom.tolist()


@given(rows_of_design)
def test_a_missing_answer_is_a_row_outside_the_domain(rows):
    value, design, domain = columns(rows)
    missing = domain == -1
    one = design_share(value, design, domain=np.where(missing, -1, 0), domains=1)
    other = design_share(np.where(missing, math.nan, value), design)

    for name in ("value", "low", "high", "standard_error"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_rows_outside_a_domain_keep_their_clusters_in_the_variance():
    # Four people, two of them in the domain: 4/3 * (0.5^2 + 0.5^2) / 2^2, where those two alone would give 1/4.
    value, domain = np.array([1.0, 0, 1, 1]), np.array([0, 0, -1, -1])
    found = design_share(value, singly(4), domain=domain)
    alone = design_share(value[:2], singly(2))

    assert pytest.approx((1 / 6, 1 / 4)) == (found.standard_error[0] ** 2, alone.standard_error[0] ** 2)


def test_clusters_that_agree_inside_widen_the_interval():
    value = np.repeat([1.0, 0, 0, 1, 0, 1, 0, 0], 10)
    clustered = design_share(value, Design(np.ones(80), np.zeros(80, int), np.repeat(np.arange(8), 10)))
    single = design_share(value, singly(80))

    assert clustered.high[0] - clustered.low[0] > 2 * (single.high[0] - single.low[0])
    # All of a cluster agree: ten answers are worth one. 79/80 * 10 * 8/7.
    assert pytest.approx(10 * 79 / 80 * 8 / 7) == clustered.design_effect[0]
    assert pytest.approx(1) == single.design_effect[0]


def test_a_stratum_with_one_cluster_is_not_taken_for_certain():
    value = np.array([1.0, 0, 1, 0, 1, 1])
    design = Design(np.ones(6), np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1, 2, 3, 4, 4]))
    found = design_share(value, design)
    # Stratum 0: 4/3 * 4 * (0.5/6)^2; stratum 1 lies 2 * (1 - 2/3) / 6 from the mean of all.
    expected = 4 / 3 * 4 * (0.5 / 6) ** 2 + (2 * (1 - 2 / 3) / 6) ** 2

    assert pytest.approx(expected) == found.standard_error[0] ** 2
    assert (1, 3) == (found.lonely_strata, found.freedom[0])
    assert found.sentence.startswith("1 stratum has one cluster only")
    assert design_share(value, singly(6)).sentence == ""


def test_where_all_agree_the_interval_has_some_width():
    found = design_share(np.ones(30), singly(30))

    assert 1 == found.high[0]
    assert 0.85 < found.low[0] < 0.9


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: weight_sums(np.array([0]), np.array([-1.0]), np.array([1.0])),
        lambda: weight_sums(np.array([0]), np.array([math.nan]), np.array([1.0])),
        lambda: weight_sums(np.array([0, 1]), np.array([1.0]), np.array([1.0])),
        lambda: weight_sums(np.array([1]), np.array([1.0]), np.array([1.0]), cells=1),
        lambda: weight_sums(np.array([-1]), np.array([1.0]), np.array([1.0])),
        lambda: kish_share(sums_of([(3, 1), (2, 1)])),
        lambda: kish_share(sums_of([(1, 1), (0, 1)]), population=1),
        lambda: kish_share(sums_of([(1, 1), (0, 1)]), level=95),
        lambda: kish_mean(sums_of([(1, 1), (0, 1)]), level=0),
        lambda: margin(1.2, 100),
        lambda: margin(0.5, 0),
        lambda: margin(0.5, 10, design_effect=0),
        lambda: design_share(np.array([0.5, 1]), singly(2)),
        lambda: design_share(np.array([0.0, 1]), singly(3)),
        lambda: design_share(np.array([0.0, 1]), singly(2), domain=np.array([0, 1]), domains=1),
        lambda: design_share(np.array([0.0, 1]), singly(2), level=1),
        lambda: design_share(np.array([0.0, 1]), singly(2, weight=[1, -1])),
        lambda: design_mean(np.ones(2), Design(np.ones(2), np.zeros(2, int), np.arange(2), np.array([0.1, 0.2]))),
        lambda: design_mean(np.ones(2), Design(np.ones(2), np.zeros(2, int), np.arange(2), np.array([1.1, 1.1]))),
    ],
)
def test_what_is_no_survey_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# Coverage: the truth is known, the seed is fixed, every run is a cell or a domain of its own.

RUNS = 1_000


def covered(found, truth):
    return float(np.mean((found.low <= truth) & (truth <= found.high)))


@pytest.mark.parametrize("size", [80, 800])
def test_kishs_interval_covers_the_truth(size):
    chance = np.random.default_rng(1965)
    cell = np.repeat(np.arange(RUNS), size)
    weight = np.exp(chance.normal(0, 0.6, cell.size))
    share = kish_share(weight_sums(cell, weight, chance.uniform(size=cell.size) < 0.29))
    mean = kish_mean(weight_sums(cell, weight, chance.gamma(2, 5, cell.size)))

    assert 0.93 <= covered(share, 0.29) <= 0.97
    assert 0.93 <= covered(mean, 10) <= 0.97


def test_the_interval_covers_the_share_of_a_small_population():
    chance = np.random.default_rng(1977)
    drawn = chance.permuted(np.broadcast_to(np.arange(300) < 90, (RUNS, 300)), axis=1)[:, :150]
    sums = weight_sums(np.repeat(np.arange(RUNS), 150), np.ones(RUNS * 150), drawn.ravel())

    assert 0.93 <= covered(kish_share(sums, population=300), 0.3) <= 0.97
    assert covered(kish_share(sums), 0.3) > 0.98


def simulated(clusters=20, people=10):
    """Runs of a survey of three strata of unlike share and weight, with blocks that resemble themselves."""
    chance = np.random.default_rng(1999)
    shape = (RUNS, 3, clusters, people)
    run, stratum, cluster, _ = (index.ravel() for index in np.indices(shape))
    shares = np.array([0.15, 0.3, 0.6])
    block = chance.beta(4 * shares[:, None], 4 * (1 - shares)[:, None], (RUNS, 3, clusters))
    value = (chance.uniform(size=shape) < block[..., None]).ravel().astype(float)
    weight = np.array([5.0, 2, 1])[stratum]
    design = Design(weight, run * 3 + stratum, cluster)
    return value, design, run, float(np.average(shares, weights=[5, 2, 1])), chance


def test_the_design_based_interval_covers_the_truth_and_kishs_does_not():
    value, design, run, truth, _ = simulated()
    drawn = design_share(value, design, domain=run)
    kish = kish_share(weight_sums(run, design.weight, value))

    assert 0.93 <= covered(drawn, truth) <= 0.97
    assert covered(kish, truth) < 0.9


def test_the_design_based_interval_of_a_domain_covers_the_truth():
    value, design, run, truth, chance = simulated()
    domain = np.where(chance.uniform(size=run.size) < 0.4, run, -1)

    assert 0.93 <= covered(design_share(value, design, domain=domain), truth) <= 0.97


def test_the_standard_error_is_how_much_the_estimates_differ():
    value, design, run, _, _ = simulated()
    found = design_mean(value, design, domain=run)

    assert pytest.approx(np.std(found.value), rel=0.05) == math.sqrt(np.mean(found.standard_error**2))
