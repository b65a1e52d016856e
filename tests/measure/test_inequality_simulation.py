"""Whether errors and bounds are right: the truth is known, values are drawn around it, seeds are fixed."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from metroon.measure.inequality import slopes_least_squares, slopes_logistic, summarise

RUNS = 1_000

# WHO, example set of 25 unordered groups with their standard errors (measures of inequality, R package healthequal).
PEOPLE = np.array(
    [
        *(832, 931, 1468, 1021, 1039, 1515, 1138, 620, 794, 866, 1367, 1108, 1120),
        *(1033, 833, 1536, 1149, 410, 1210, 858, 680, 935, 692, 781, 812),
    ],
    dtype=float,
)
TRUTH = np.array(
    [61, 74, 58, 59, 72, 75, 74, 68, 75, 67, 73, 63, 66, 62, 60, 66, 71, 73, 71, 61, 74, 84, 55, 69, 60], dtype=float
)
ERROR = np.array([5, 3, 3, 3, 4, 9, 2, 2, 2, 5, 5, 7, 5, 6, 4, 5, 6, 6, 9, 4, 3, 4, 1, 3, 7], dtype=float)

DISTRICTS = np.array([30.0, 25, 20, 10, 10, 5])
DISTRICT_TRUTH = np.array([50.0, 55, 60, 48, 66, 70])
DISTRICT_ERROR = np.array([1, 1.2, 1.5, 2, 2, 3])

ORDERED = np.array([78.0, 91, 162, 103, 105])
ORDERED_TRUTH = np.array([20.0, 30, 40, 50, 60])
ORDERED_ERROR = np.array([3.0, 3, 2, 3, 2.5])

SETS = {
    "25 groups": (PEOPLE, TRUTH, ERROR, False),
    "6 districts": (DISTRICTS, DISTRICT_TRUTH, DISTRICT_ERROR, False),
    "6 districts that hardly differ": (DISTRICTS, 60 + 0.15 * (DISTRICT_TRUTH - 60), DISTRICT_ERROR, False),
    "5 ordered groups": (ORDERED, ORDERED_TRUTH, ORDERED_ERROR, True),
}


SPREADS = ("bgv", "bgsd", "cov", "ti", "mld", "mdm_w", "mdm_u", "idis_w", "idis_u", "mdr_w", "mdr_u")
WITHOUT_NOISE = ("bgv_corrected", "bgsd_corrected", "cov_corrected", "ti_corrected", "mld_corrected")
PICKED = ("range", "range_ratio", "par", "mdb_w", "mdb_u", "paf")
UNORDERED = [name for name, (*_, is_ordered) in SETS.items() if not is_ordered]


@cache
def drawn(name, direction):
    """For each measure: its true value, and value, error and bounds in every run."""
    people, truth, error, is_ordered = SETS[name]
    chance = np.random.default_rng(2005)

    def found(values, errors, run):
        summaries = summarise(
            people,
            values,
            errors,
            is_ordered=is_ordered,
            direction=direction,
            reference=None if is_ordered else 0,
            scale=100,
            draws=200,
            seed=run,
        )
        return {s.name: (s.value, s.se, s.low, s.high) for s in summaries}

    exact = found(truth, np.zeros_like(error), 0)
    runs = [found(truth + error * chance.standard_normal(error.size), error, run) for run in range(RUNS)]
    return {n: (exact[n.removesuffix("_corrected")][0], np.array([r[n] for r in runs])) for n in exact}


def error_ratio(name, measure, direction="up"):
    """Mean of the errors that were told, over how much the values truly vary."""
    values, errors = drawn(name, direction)[measure][1][:, :2].T
    return errors.mean() / values.std(ddof=1)


def coverage(name, measure, direction="up"):
    truth, runs = drawn(name, direction)[measure]
    return np.mean((runs[:, 2] - 1e-9 <= truth) & (truth <= runs[:, 3] + 1e-9))


# Ordered groups


@pytest.mark.parametrize(
    "measure", ["mean", "aci", "rci", "difference", "ratio", "sii", "rii", "par", "paf", "range", "range_ratio"]
)
def test_errors_along_an_order_are_right(measure):
    assert 0.9 <= error_ratio("5 ordered groups", measure) <= 1.1


@pytest.mark.parametrize("measure", ["mean", "aci", "rci", "difference", "ratio", "sii", "rii", "par", "paf"])
def test_bounds_along_an_order_cover_the_truth_as_often_as_they_say(measure):
    assert 0.93 <= coverage("5 ordered groups", measure) <= 0.97


@pytest.mark.parametrize("measure", ["range", "range_ratio", "pap"])
def test_bounds_of_what_is_picked_along_an_order_cover_at_least_as_often(measure):
    assert 0.95 <= coverage("5 ordered groups", measure, "down")


@pytest.mark.parametrize("groups", [5, 20])
@pytest.mark.parametrize("transform", ["none", "log", "logit"])
def test_a_line_covers_the_truth_as_often_as_it_says(groups, transform):
    chance, people, truth = np.random.default_rng(2016), np.ones(groups), np.linspace(20, 60, groups)
    exact = slopes_least_squares(people, truth, None, transform=transform, scale=100)
    inside, slopes = [], []
    for run in range(RUNS):
        values = truth + 3 * chance.standard_normal(groups)
        errors = np.full(groups, 3.0)
        found = slopes_least_squares(people, values, errors, transform=transform, scale=100, draws=400, seed=run)
        inside.append(
            (
                found.sii.low <= exact.sii.value <= found.sii.high,
                found.rii.low <= exact.rii.value <= found.rii.high,
            )
        )
        slopes.append((found.sii.value, found.sii.se))
    values, errors = np.array(slopes).T

    assert np.all((np.mean(inside, axis=0) >= 0.93) & (np.mean(inside, axis=0) <= 0.97))
    assert 0.9 <= errors.mean() / values.std(ddof=1) <= 1.1


@pytest.mark.parametrize(("groups", "least", "most"), [(5, 0.81, 0.89), (10, 0.87, 0.90), (20, 0.90, 0.93)])
def test_the_distance_from_the_curve_covers_as_seldom_as_it_is_said_to(groups, least, most):
    chance, people, truth = np.random.default_rng(1985), np.ones(groups), np.linspace(20, 60, groups)
    exact = slopes_logistic(people, truth, scale=100).sii.value
    inside = []
    for _ in range(RUNS):
        found = slopes_logistic(people, truth + 3 * chance.standard_normal(groups), scale=100).sii
        inside.append(found.low <= exact <= found.high)

    assert least <= np.mean(inside) <= most


# Unordered groups


@pytest.mark.slow
def test_noise_looks_like_inequality_and_the_correction_takes_it_away():
    chance, p = np.random.default_rng(46), PEOPLE / PEOPLE.sum()
    truth = p @ (TRUTH - p @ TRUTH) ** 2
    raw, corrected = [], []
    for _ in range(RUNS):
        values = TRUTH + ERROR * chance.standard_normal(25)
        found = {
            s.name: s.value
            for s in summarise(PEOPLE, values, ERROR, is_ordered=False, direction="up", reference=None, draws=2)
        }
        raw.append(found["bgv"])
        corrected.append(found["bgv_corrected"])
    doubt = 3 * np.std(raw) / math.sqrt(RUNS)

    # Of the variance that is seen on average, 71.8, more than a third is noise.
    assert 71.80 == pytest.approx(np.mean(raw), abs=doubt)
    assert truth == pytest.approx(np.mean(corrected), abs=doubt)


@pytest.mark.slow
def test_the_error_of_a_variance_is_not_the_one_of_first_order():
    # To first order the error of the 25 groups' variance is 13.37; it truly is 17.13.
    chance, p = np.random.default_rng(17), PEOPLE / PEOPLE.sum()
    errors = []
    for run in range(300):
        values = TRUTH + ERROR * chance.standard_normal(25)
        found = summarise(PEOPLE, values, ERROR, is_ordered=False, direction="up", reference=None, draws=100, seed=run)
        errors.append(next(s.se for s in found if s.name == "bgv"))
    values = TRUTH + ERROR * chance.standard_normal((20_000, 25))
    true_error = ((values - (values @ p)[:, None]) ** 2 @ p).std(ddof=1)

    assert 17.13 == pytest.approx(true_error, rel=0.02)
    assert true_error == pytest.approx(np.mean(errors), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("measure", SPREADS + WITHOUT_NOISE)
@pytest.mark.parametrize("name", UNORDERED)
def test_errors_of_spreads_are_right(name, measure):
    assert 0.9 <= error_ratio(name, measure) <= 1.1


@pytest.mark.slow
@pytest.mark.parametrize("measure", WITHOUT_NOISE)
@pytest.mark.parametrize("name", UNORDERED)
def test_bounds_of_spreads_cover_the_truth_as_often_as_they_say(name, measure):
    assert 0.93 <= coverage(name, measure) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("measure", SPREADS)
@pytest.mark.parametrize("name", UNORDERED)
def test_every_spread_without_noise_is_nearer_to_the_truth(name, measure):
    truth, raw = drawn(name, "up")[measure]
    _, corrected = drawn(name, "up")[f"{measure}_corrected"]

    assert abs(corrected[:, 0].mean() - truth) < abs(raw[:, 0].mean() - truth) + 0.01 * truth


@pytest.mark.slow
@pytest.mark.parametrize(("measure", "direction"), [*((m, d) for m in PICKED for d in ("up", "down")), ("pap", "down")])
@pytest.mark.parametrize("name", ["6 districts", "6 districts that hardly differ"])
def test_what_is_picked_after_looking_is_covered_at_least_as_often(name, measure, direction):
    assert 0.95 <= coverage(name, measure, direction)
    assert 0.8 <= error_ratio(name, measure, direction) <= 1.2


@pytest.mark.slow
@pytest.mark.parametrize("measure", PICKED)
def test_what_is_picked_of_many_is_covered_at_least_as_often(measure):
    assert 0.95 <= coverage("25 groups", measure)
    assert 0.8 <= error_ratio("25 groups", measure) <= 1.2
