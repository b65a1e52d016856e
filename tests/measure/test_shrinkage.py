from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from metroon.measure.shrinkage import FEWEST_AREAS, beta_binomial, poisson_gamma

NAMES = ("estimate", "low", "high", "weight")

area = st.tuples(st.integers(0, 60), st.integers(1, 5_000))
areas = st.lists(area, min_size=FEWEST_AREAS, max_size=15)
levels = st.sampled_from([0.8, 0.95, 0.998])


def both(rows, level=0.95):
    """The same areas as rates and as shares."""
    count, base = (np.array(column, float) for column in zip(*rows, strict=True))
    return poisson_gamma(count, base, level=level), beta_binomial(np.minimum(count, base), base, level=level)


# Published numbers


def test_the_estimates_of_insurance_claims_are_those_of_the_textbook():
    # Efron and Hastie (2016), Computer Age Statistical Inference, table 6.1, gamma line: 9,461 drivers by claims.
    claims = np.repeat(np.arange(8.0), [7840, 1317, 239, 42, 14, 4, 4, 1])
    found = poisson_gamma(claims, np.ones_like(claims))
    estimates = [found.estimate[claims == claim][0] for claim in range(7)]

    assert pytest.approx([0.164, 0.398, 0.633], abs=1e-3) == estimates[:3]
    assert pytest.approx([0.87, 1.10, 1.34, 1.57], abs=6e-3) == estimates[3:]


def test_the_prior_of_insurance_claims_is_the_one_of_the_textbook():
    # Efron and Hastie (2016), section 6.1: shape 0.70 and scale 0.31.
    claims = np.repeat(np.arange(8.0), [7840, 1317, 239, 42, 14, 4, 4, 1])
    found = poisson_gamma(claims, np.ones_like(claims))

    assert pytest.approx((0.70, 0.31), abs=5e-3) == (found.prior_mean * found.prior_size, 1 / found.prior_size)


def test_the_prior_of_boys_in_saxon_families_is_the_published_one():
    # Lindsey and Altham (1998), Applied Statistics 47, 149-157: boys among the first 12 children of 6,115 families.
    # The most likely beta distribution is 34.09558, 31.5715; ours takes the weighted mean, hence the 0.03 %.
    boys = np.repeat(np.arange(13.0), [3, 24, 104, 286, 670, 1033, 1343, 1112, 829, 478, 181, 45, 7])
    found = beta_binomial(boys, np.full_like(boys, 12))
    prior = (found.prior_mean * found.prior_size, (1 - found.prior_mean) * found.prior_size)

    assert pytest.approx((34.09558, 31.5715), rel=3e-4) == prior


# Properties


@given(areas, levels)
def test_an_estimate_lies_within_its_bounds_and_between_its_raw_value_and_the_mean(rows, level):
    count, base = (np.array(column, float) for column in zip(*rows, strict=True))
    for found, raw in zip(both(rows, level), (count / base, np.minimum(count, base) / base), strict=True):
        ends = np.sort(np.stack([raw, np.full_like(raw, found.prior_mean)]), axis=0)

        assert np.all((0 <= found.low) & (found.low <= found.estimate) & (found.estimate <= found.high))
        assert np.all((ends[0] - 1e-12 <= found.estimate) & (found.estimate <= ends[1] + 1e-12))
        assert np.all(found.low < found.high)


@given(areas)
def test_shares_stay_between_zero_and_one(rows):
    assert np.all(both(rows)[1].high <= 1)


@given(areas)
def test_an_area_with_more_data_of_its_own_is_shrunk_less(rows):
    order = np.argsort([base for _, base in rows], kind="stable")
    for found in both(rows):
        weights = found.weight[order]

        assert np.all(np.diff(weights) >= 0)
        assert np.all((0 <= weights) & (weights < 1))


@given(areas)
def test_the_estimate_is_the_weighted_sum_that_it_is_said_to_be(rows):
    count, base = (np.array(column, float) for column in zip(*rows, strict=True))
    found = poisson_gamma(count, base)

    np.testing.assert_allclose(
        found.weight * count / base + (1 - found.weight) * found.prior_mean, found.estimate, rtol=1e-9
    )


@given(areas, st.randoms(use_true_random=False))
def test_the_order_of_areas_does_not_matter(rows, chance):
    order = list(range(len(rows)))
    chance.shuffle(order)
    for before, after in zip(both(rows), both([rows[place] for place in order]), strict=True):
        assume(before.is_one_for_all == after.is_one_for_all)
        for name in NAMES:
            np.testing.assert_allclose(getattr(after, name), getattr(before, name)[order], rtol=1e-4, atol=1e-9)


@given(areas, st.sets(st.integers(0, 14)))
def test_hidden_areas_stay_hidden_and_leave_no_trace_in_the_others(rows, hidden):
    count, base = (np.array(column, float) for column in zip(*rows, strict=True))
    seen = np.array([place not in hidden for place in range(len(rows))])
    for one in (poisson_gamma, beta_binomial):
        known = np.minimum(count, base) if one is beta_binomial else count
        masked, alone = one(np.where(seen, known, np.nan), base), one(known[seen], base[seen])
        for name in NAMES:
            assert np.isnan(getattr(masked, name)[~seen]).all()
            np.testing.assert_array_equal(getattr(alone, name), getattr(masked, name)[seen])


@given(areas, st.sampled_from([0.001, 12.0, 1e5]))
def test_another_unit_of_exposure_changes_rates_by_that_unit(rows, unit):
    count, base = (np.array(column, float) for column in zip(*rows, strict=True))
    before, after = poisson_gamma(count, base), poisson_gamma(count, base * unit)

    for name in ("estimate", "low", "high"):
        np.testing.assert_allclose(getattr(after, name) * unit, getattr(before, name), rtol=1e-4, atol=1e-9)


@given(areas)
def test_swapping_success_and_failure_mirrors_shares(rows):
    count, base = (np.array(column, float) for column in zip(*rows, strict=True))
    count = np.minimum(count, base)
    before, after = beta_binomial(count, base), beta_binomial(base - count, base)

    assume(before.is_one_for_all == after.is_one_for_all)
    np.testing.assert_allclose(1 - after.estimate, before.estimate, atol=1e-4)
    np.testing.assert_allclose(1 - after.high, before.low, atol=1e-4)


# What is not known is said


def test_areas_that_differ_only_by_chance_are_given_the_mean_of_all():
    found = poisson_gamma(np.array([10.0, 11, 9, 10, 10, 10]), np.full(6, 100.0))

    assert found.is_one_for_all
    assert [0.1] * 6 == pytest.approx(found.estimate)
    assert [0] * 6 == found.weight.tolist()
    assert "The 6 areas differ no more than chance makes them: each is given the mean of all." == found.sentence


def test_areas_that_differ_much_keep_most_of_their_own():
    found = poisson_gamma(np.array([10.0, 40, 5, 90, 200]), np.array([10.0, 10, 10, 10, 100]))

    assert found.weight.min() > 0.9
    assert found.sentence.startswith("Each area borrows strength from the mean of 5; its own data make up 9")


def test_four_areas_are_too_few_to_borrow_from():
    found = poisson_gamma(np.array([1.0, 2, 3, 4, np.nan]), np.full(5, 100.0))

    assert np.isnan(found.estimate).all()
    assert "Only 4 areas are known; nothing is borrowed from fewer than 5." == found.sentence


def test_without_any_event_each_area_has_its_own_exact_bound():
    # The rule of three, exactly: -ln(0.025) events, and 0 of 30 as Clopper and Pearson have it.
    rates, shares = poisson_gamma(np.zeros(5), np.full(5, 10.0)), beta_binomial(np.zeros(5), np.full(5, 30.0))

    assert pytest.approx(-math.log(0.025) / 10) == rates.high[0]
    assert pytest.approx(1 - 0.025 ** (1 / 30)) == shares.high[0]
    assert (0, 0) == (rates.estimate[0], shares.estimate[0])


def test_when_all_succeeded_each_area_has_its_own_exact_bound():
    found = beta_binomial(np.full(5, 30.0), np.full(5, 30.0))

    assert (1, 1, pytest.approx(0.025 ** (1 / 30))) == (found.estimate[0], found.high[0], found.low[0])


def test_an_area_without_exposure_has_no_rate():
    found = poisson_gamma(np.array([0.0, 2, 9, 4, 40, 3]), np.array([0.0, 100, 200, 200, 800, 50]))

    assert [True] + [False] * 5 == np.isnan(found.estimate).tolist()
    assert 5 == found.areas


def test_one_area_with_next_to_no_data_does_not_move_the_others():
    events, exposure = np.array([4.0, 9, 2, 7, 25, 11, 0]), np.array([100.0, 100, 100, 100, 100, 100, 1e-6])
    without, within = poisson_gamma(events[:-1], exposure[:-1]), poisson_gamma(events, exposure)

    np.testing.assert_allclose(within.low[:-1], without.low, rtol=0.02)
    np.testing.assert_allclose(within.high[:-1], without.high, rtol=0.02)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: poisson_gamma(np.array([-1.0]), np.array([1.0])),
        lambda: poisson_gamma(np.array([1.0]), np.array([0.0])),
        lambda: poisson_gamma(np.array([1.0]), np.array([math.inf])),
        lambda: poisson_gamma(np.array([1.0, 2]), np.array([1.0])),
        lambda: poisson_gamma(np.ones(5), np.ones(5), level=1),
        lambda: beta_binomial(np.array([2.0]), np.array([1.0])),
        lambda: beta_binomial(np.array([-1.0]), np.array([1.0])),
        lambda: beta_binomial(np.ones(5), np.ones(5), level=0),
    ],
)
def test_what_cannot_be_counted_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# Recovery: the truth is known, the seed is fixed.

RUNS = 1_000


def simulated(kind, size, seed):
    """Squared errors raw and shrunk, and coverage, each averaged over areas and runs."""
    chance = np.random.default_rng(seed)
    sums = np.zeros(3)
    for _ in range(RUNS):
        if kind == "rates":
            # Eight events in the average area; rates differ by half of their mean.
            base = np.exp(chance.normal(0, 0.8, size))
            truth = chance.gamma(4, 2, size)
            count = chance.poisson(truth * base).astype(float)
            found = poisson_gamma(count, base)
        else:
            base = np.ceil(40 * np.exp(chance.normal(0, 0.8, size)))
            truth = chance.beta(6, 14, size)
            count = chance.binomial(base.astype(int), truth).astype(float)
            found = beta_binomial(count, base)
        covered = (found.low <= truth) & (truth <= found.high)
        sums += np.mean([(count / base - truth) ** 2, (found.estimate - truth) ** 2, covered], axis=1)
    return sums / RUNS


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rates", "shares"])
@pytest.mark.parametrize("size", [FEWEST_AREAS, 8, 12, 30])
def test_shrunk_estimates_err_less_and_their_intervals_cover_the_truth(kind, size):
    raw, shrunk, covered = simulated(kind, size, 1983)

    assert shrunk < raw
    assert 0.93 <= covered <= 0.97


def test_the_spread_between_many_areas_is_found():
    chance = np.random.default_rng(1987)
    exposure = np.exp(chance.normal(0, 1, 20_000))
    found = poisson_gamma(chance.poisson(chance.gamma(3, 1 / 2, 20_000) * exposure).astype(float), exposure)

    assert pytest.approx((1.5, 2.0), rel=0.05) == (found.prior_mean, found.prior_size)
