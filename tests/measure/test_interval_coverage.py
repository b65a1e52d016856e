"""How often intervals hold the truth: the truth is known, the seed is fixed, and every size is one that is claimed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from metroon.measure.interval import (
    byar,
    clopper_pearson,
    exact_poisson,
    exact_rate_ratio,
    fieller,
    katz,
    koopman,
    log_delta_ratio,
    mover_ratio,
    newcombe,
    order_statistic,
    poisson,
    rate_difference,
    student,
    wilson,
)

RUNS = 1_000


def coverage(interval, truth):
    """Share of runs in which the interval holds the truth, by row of truths."""
    return np.mean((interval.low <= truth) & (truth <= interval.high), axis=-1)


def least(runs: int = RUNS) -> float:
    """Four standard errors of so many runs below 95 %."""
    return 0.95 - 4 * math.sqrt(0.95 * 0.05 / runs)


def grid(values):
    """Every pair of values, one a row."""
    one, other = np.meshgrid(values, values)
    return one.reshape(-1, 1), other.reshape(-1, 1)


@pytest.mark.parametrize("trials", [20, 50, 200, 1_000])
def test_wilson_covers_as_often_as_it_says(trials):
    truth = np.linspace(0.05, 0.95, 19)[:, None]
    successes = np.random.default_rng(1927).binomial(trials, truth, (19, RUNS))

    assert 0.93 <= coverage(wilson(successes, trials), truth).mean() <= 0.97


@pytest.mark.parametrize("trials", [1, 5, 20, 200])
def test_the_exact_limits_of_a_share_cover_at_least_as_often_as_they_say(trials):
    truth = np.linspace(0.01, 0.99, 33)[:, None]
    successes = np.random.default_rng(1934).binomial(trials, truth, (33, RUNS))

    assert least() <= coverage(clopper_pearson(successes, trials), truth).min()


@pytest.mark.parametrize("level", [0.95, 0.998])
def test_the_exact_limits_of_a_count_cover_at_least_as_often_as_they_say(level):
    truth = np.array([0.1, 0.5, 1, 3, 8, 20, 60, 200])[:, None]
    events = np.random.default_rng(1936).poisson(truth, (8, RUNS))
    nominal = level - 4 * math.sqrt(level * (1 - level) / RUNS)

    assert nominal <= coverage(exact_poisson(events, level=level), truth).min()


def test_byar_and_the_rule_of_the_english_offices_cover_as_often_as_they_say():
    truth = np.linspace(10, 100, 19)[:, None]
    events = np.random.default_rng(1987).poisson(truth, (19, RUNS))

    for interval in (byar, poisson):
        assert 0.93 <= coverage(interval(events), truth).mean() <= 0.97


@pytest.mark.parametrize(("trials", "others"), [(20, 20), (20, 40), (50, 50), (200, 400)])
def test_differences_and_ratios_of_shares_cover_as_often_as_they_say(trials, others):
    share, reference = grid(np.linspace(0.1, 0.9, 9))
    chance = np.random.default_rng(1998)
    x, y = chance.binomial(trials, share, (81, RUNS)), chance.binomial(others, reference, (81, RUNS))

    assert 0.93 <= coverage(newcombe(x, trials, y, others), share - reference).mean() <= 0.97
    assert 0.93 <= coverage(katz(x, trials, y, others), share / reference).mean() <= 0.97
    assert 0.93 <= coverage(koopman(x, trials, y, others), share / reference).mean() <= 0.97


@pytest.mark.parametrize("fewest", [10, 20, 50])
def test_differences_of_rates_cover_as_often_as_they_say(fewest):
    truth, reference = grid(np.linspace(fewest, 3 * fewest, 5))
    chance = np.random.default_rng(2008)
    x, y = chance.poisson(truth, (25, RUNS)), chance.poisson(reference, (25, RUNS))

    assert 0.93 <= coverage(rate_difference(x, 2.0, y, 3.0), truth / 2 - reference / 3).mean() <= 0.97


@pytest.mark.parametrize("fewest", [0.5, 2, 10, 50])
def test_exact_ratios_of_rates_cover_at_least_as_often_as_they_say(fewest):
    truth, reference = grid(np.linspace(fewest, 3 * fewest, 5))
    chance = np.random.default_rng(2005)
    x, y = chance.poisson(truth, (25, RUNS)), chance.poisson(reference, (25, RUNS))

    assert least() <= coverage(exact_rate_ratio(x, 2.0, y, 3.0), truth / 2 / (reference / 3)).min()


def test_ratios_of_rates_from_their_intervals_cover_about_as_often_as_those():
    truth, reference = grid(np.linspace(20, 60, 5))
    chance = np.random.default_rng(2012)
    x, y = chance.poisson(truth, (25, RUNS)) + 0.0, chance.poisson(reference, (25, RUNS)) + 0.0
    one, other = poisson(x), poisson(y)
    found = mover_ratio(x, one.low, one.high, y, other.low, other.high)

    assert 0.93 <= coverage(found, truth / reference).mean() <= 0.97


@pytest.mark.parametrize("n", [2, 5, 30])
def test_means_of_normal_values_cover_as_often_as_they_say(n):
    values = np.random.default_rng(1908).normal(5, 2, (20 * RUNS, n))
    found = student(values.mean(axis=1), values.var(axis=1, ddof=1), n)

    assert coverage(found, 5) == pytest.approx(0.95, abs=0.007)  # more than four standard errors


def test_means_of_skewed_values_need_60_of_them():
    chance = np.random.default_rng(1909)
    found = []
    for n in (10, 60):
        values = chance.exponential(1, (20 * RUNS, n))
        found.append(coverage(student(values.mean(axis=1), values.var(axis=1, ddof=1), n), 1))

    assert found[0] < 0.93 <= found[1] <= 0.97


@pytest.mark.parametrize(("n", "q"), [(6, 0.5), (25, 0.5), (60, 0.9), (200, 0.1)])
def test_ranks_hold_the_quantile_as_often_as_they_say_whatever_the_distribution(n, q):
    chance = np.random.default_rng(1936)
    ranks = order_statistic(n, q)
    draws = {"normal": chance.normal(size=(4 * RUNS, n)), "skewed": chance.exponential(size=(4 * RUNS, n)) ** 3}
    truths = {"normal": {0.5: 0.0, 0.9: 1.2815516, 0.1: -1.2815516}[q], "skewed": (-math.log(1 - q)) ** 3}
    for name, values in draws.items():
        values.sort(axis=1)
        low, high = values[:, int(ranks.low) - 1], values[:, int(ranks.high) - 1]
        held = np.mean((low <= truths[name]) & (truths[name] <= high))

        assert ranks.coverage == pytest.approx(held, abs=4 * math.sqrt(0.05 * 0.95 / (4 * RUNS)))


@pytest.mark.parametrize(("error", "reference_error"), [(0.05, 0.05), (0.15, 0.15), (0.05, 0.15)])
def test_ratios_of_estimates_cover_as_often_as_they_say(error, reference_error):
    chance = np.random.default_rng(1954)
    one, other = chance.normal(1, error, 20 * RUNS), chance.normal(2, 2 * reference_error, 20 * RUNS)

    assert coverage(fieller(one, error, other, 2 * reference_error), 0.5) == pytest.approx(0.95, abs=0.007)
    assert 0.93 <= coverage(log_delta_ratio(one, error, other, 2 * reference_error), 0.5) <= 0.97


def test_a_ratio_to_what_may_be_0_is_covered_more_often():
    chance = np.random.default_rng(1955)
    one, other = chance.normal(1, 0.1, 20 * RUNS), chance.normal(2, 1.0, 20 * RUNS)

    assert 0.95 - 0.007 <= coverage(fieller(one, 0.1, other, 1.0), 0.5)
