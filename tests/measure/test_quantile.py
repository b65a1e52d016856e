from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from metroon.measure.quantile import interval_ranks, quantiles

shares = st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9])
samples = st.lists(st.integers(-50, 50), min_size=1, max_size=60)


def of_one(values, **options):
    values = np.asarray(values, float)
    return quantiles(np.zeros(values.size, int), values, np.ones(values.size, int), **options)


def assert_same(one, other):
    for name in ("value", "low", "high", "count"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


# Published numbers


@pytest.mark.parametrize(
    ("count", "low", "high", "percent"),
    [(6, 1, 6, 96.88), (9, 2, 8, 96.09), (10, 2, 9, 97.85), (20, 6, 15, 95.86), (25, 8, 18, 95.67)],
)
def test_the_ranks_of_a_median_are_those_of_the_table(count, low, high, percent):
    # Campbell and Gardner (1988), British Medical Journal 296, 1454-1456, ranks; coverage from binomial tables.
    found = interval_ranks(np.array([count]))
    cover = binom.cdf(high - 1, count, 0.5) - binom.cdf(low - 1, count, 0.5)

    assert (low, high) == (found[0].item(), found[1].item())
    assert pytest.approx(percent, abs=5e-3) == 100 * cover


def test_five_values_are_too_few_for_the_interval_of_a_median():
    found = of_one([1, 2, 3, 4, 5])

    assert 3 == found.value[0]
    assert np.isnan([found.low[0], found.high[0]]).all()


def test_a_lower_level_needs_fewer_values():
    found = of_one([1, 2, 3, 4, 5], level=0.9)

    assert (1, 5) == (found.low[0], found.high[0])


def test_a_cell_without_values_has_no_quantile():
    found = quantiles(np.array([1]), np.array([7.0]), np.array([3]), cells=3)

    assert [0, 3, 0] == found.count.tolist()
    assert [True, False, True] == np.isnan(found.value).tolist()


# Properties


@given(samples, shares)
def test_it_is_the_quantile_of_numpy(values, share):
    assert pytest.approx(np.quantile(values, share), abs=1e-9) == of_one(values, share=share).value.item()


@given(samples, shares)
def test_a_histogram_says_the_same_as_its_values(values, share):
    distinct, count = np.unique(np.array(values, float), return_counts=True)
    found = quantiles(np.zeros(distinct.size, int), distinct, count, share=share)

    assert_same(of_one(values, share=share), found)


@given(samples, st.randoms(use_true_random=False), shares)
def test_the_order_of_rows_does_not_matter(values, chance, share):
    mixed = values.copy()
    chance.shuffle(mixed)

    assert_same(of_one(values, share=share), of_one(mixed, share=share))


@given(st.lists(samples, min_size=1, max_size=6), shares)
def test_every_cell_is_as_if_it_were_alone(groups, share):
    cell = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    values = np.concatenate(groups).astype(float)
    together = quantiles(cell, values, np.ones(values.size, int), share=share)
    alone = [of_one(group, share=share) for group in groups]

    for name in ("value", "low", "high", "count"):
        expected = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_array_equal(getattr(together, name), expected)


@given(samples, shares)
def test_a_quantile_lies_within_its_bounds(values, share):
    found = of_one(values, share=share)

    assert np.isnan(found.low[0]) or found.low[0] <= found.value[0] <= found.high[0]


@given(samples, st.integers(1, 50), st.integers(-50, 50))
def test_another_unit_moves_the_median_and_its_bounds_alike(values, factor, shift):
    before, after = of_one(values), of_one(np.array(values) * factor + shift)

    np.testing.assert_allclose(after.value, before.value * factor + shift)
    np.testing.assert_array_equal(after.low, before.low * factor + shift)


@given(st.integers(0, 2_000), shares, st.sampled_from([0.8, 0.9, 0.95, 0.998]))
def test_the_ranks_cover_at_least_the_level_and_no_narrower_ones_do_on_either_side(count, share, level):
    low, high = (int(rank[0]) for rank in interval_ranks(np.array([count]), share=share, level=level))
    tail = (1 - level) / 2

    if low == 0:
        assert 0 == high
        assert binom.pmf(0, count, share) > tail * (1 - 1e-9) or binom.pmf(count, count, share) > tail * (1 - 1e-9)
    else:
        assert binom.cdf(low - 1, count, share) <= tail
        assert binom.sf(high - 1, count, share) <= tail * (1 + 1e-9)
        assert binom.cdf(low, count, share) >= tail * (1 - 1e-9)
        assert high == 1 or binom.sf(high - 2, count, share) > tail


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: of_one([1, np.nan]),
        lambda: of_one([1, np.inf]),
        lambda: of_one([1], share=1),
        lambda: of_one([1], level=0),
        lambda: of_one([1], cells=0),
        lambda: quantiles(np.array([0]), np.array([1.0]), np.array([-1])),
        lambda: quantiles(np.array([0]), np.array([1.0]), np.array([0.5])),
        lambda: quantiles(np.array([-1]), np.array([1.0]), np.array([1])),
        lambda: quantiles(np.array([0.0]), np.array([1.0]), np.array([1])),
        lambda: quantiles(np.array([0]), np.array([1.0, 2]), np.array([1])),
        lambda: interval_ranks(np.array([-1])),
    ],
)
def test_what_has_no_quantile_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# Coverage: the truth is known, the seed is fixed, every run is a cell.

RUNS = 1_000


def covered(size, share):
    values = np.random.default_rng(1945).exponential(1, RUNS * size)
    found = quantiles(np.repeat(np.arange(RUNS), size), values, np.ones(RUNS * size, int), share=share)
    truth = -np.log(1 - share)
    return np.mean((found.low <= truth) & (truth <= found.high))


@pytest.mark.parametrize(("size", "share"), [(25, 0.5), (100, 0.5), (100, 0.25), (400, 0.9)])
def test_the_interval_of_a_quantile_covers_the_truth(size, share):
    assert 0.93 <= covered(size, share) <= 0.975


def test_the_interval_covers_as_often_as_the_binomial_says():
    # 95.67 % for the ranks 8 and 18 of 25; four standard errors of 1,000 runs.
    assert abs(covered(25, 0.5) - 0.9567) < 4 * np.sqrt(0.9567 * 0.0433 / RUNS)
