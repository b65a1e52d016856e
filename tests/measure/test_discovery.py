from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from metroon.measure.discovery import benjamini_hochberg, rate_p_value, share_p_value
from metroon.measure.interval import exact_poisson, wilson

values = st.lists(st.floats(0, 1), min_size=1, max_size=40)

# Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300, the worked example: fifteen
# comparisons of two treatments of myocardial infarction (Neuhaus et al. 1992).
TREATMENTS = np.array(
    [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1.0]
)


# Published numbers


def test_four_of_the_fifteen_comparisons_are_told_as_in_the_paper():
    assert [True] * 4 + [False] * 11 == (benjamini_hochberg(TREATMENTS) <= 0.05).tolist()


def test_the_fourth_comparison_is_told_just_as_the_paper_works_it():
    # The paper: p(4) = 0.0095 is below 4/15 x 0.05 = 0.013, p(5) = 0.0201 above 5/15 x 0.05.
    found = benjamini_hochberg(TREATMENTS)

    assert (0.0095 * 15 / 4, 0.0201 * 15 / 5) == pytest.approx((found[3], 0.0603))
    assert 0.0298 * 15 / 7 == pytest.approx(found[5])


def test_a_share_is_as_unlikely_as_in_the_book_on_contingency_tables():
    # Fagerland, Lydersen and Laake (2017), Statistical Analysis of Contingency Tables, chapter 2: 13 of 16 v 0.5.
    assert 0.01242 == round(share_p_value(13, 16, 0.5), 5)


def test_no_event_where_three_are_expected_is_as_unlikely_as_twice_its_chance():
    assert 2 * np.exp(-3) == pytest.approx(rate_p_value(0, 3.0))


# Properties


@given(values)
def test_adjusted_values_are_those_of_scipy(p):
    np.testing.assert_allclose(stats.false_discovery_control(p, method="bh"), benjamini_hochberg(np.array(p)))


@given(values)
def test_no_value_is_lowered_and_none_rises_above_its_bonferroni(p):
    given_, found = np.array(p), benjamini_hochberg(np.array(p))

    assert (given_ <= found).all()
    assert (found <= np.minimum(given_ * len(p), 1) * (1 + 1e-12)).all()


@given(values, st.randoms())
def test_the_order_of_comparisons_does_not_matter(p, chance):
    order = list(range(len(p)))
    chance.shuffle(order)
    given_ = np.array(p)

    np.testing.assert_array_equal(benjamini_hochberg(given_)[order], benjamini_hochberg(given_[order]))


@given(values)
def test_smaller_values_stay_smaller(p):
    given_ = np.sort(np.array(p))

    assert (np.diff(benjamini_hochberg(given_)) >= 0).all()


@given(values, st.integers(0, 5))
def test_comparisons_that_were_not_made_do_not_count(p, gaps):
    given_ = np.array(p + [np.nan] * gaps)
    found = benjamini_hochberg(given_)

    np.testing.assert_array_equal(np.append(benjamini_hochberg(np.array(p)), [np.nan] * gaps), found)


def test_a_table_of_values_stays_a_table():
    p = TREATMENTS.reshape(5, 3)

    np.testing.assert_array_equal(benjamini_hochberg(TREATMENTS), benjamini_hochberg(p).ravel())
    assert (5, 3) == benjamini_hochberg(p).shape


def test_no_comparisons_give_none():
    assert 0 == benjamini_hochberg(np.array([])).size


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.01, 0.99), st.sampled_from([0.9, 0.95, 0.998]))
def test_a_share_is_unlikely_when_its_wilson_interval_leaves_the_reference_out(x, more, reference, level):
    assume(x + more > 0)
    found, bounds = share_p_value(x, x + more, reference), wilson(x, x + more, level=level)
    assume(min(abs(bounds.low - reference), abs(bounds.high - reference)) > 1e-9)

    assert (not bounds.low <= reference <= bounds.high) == (found < 1 - level)


@given(st.integers(0, 300), st.floats(0.05, 400), st.sampled_from([0.9, 0.95, 0.998]))
def test_a_count_is_unlikely_when_its_exact_interval_leaves_the_expected_out(events, expected, level):
    found, bounds = rate_p_value(events, expected), exact_poisson(events, level=level)
    assume(min(abs(bounds.low - expected), abs(bounds.high - expected)) > 1e-9)

    assert (not bounds.low <= expected <= bounds.high) == (found < 1 - level)


@given(st.integers(0, 300), st.floats(0.05, 400))
def test_a_count_is_as_unlikely_as_its_poisson_tails(events, expected):
    tails = stats.poisson.cdf(events, expected), stats.poisson.sf(events - 1, expected)

    assert min(1, 2 * min(tails)) == pytest.approx(rate_p_value(events, expected), rel=1e-6, abs=1e-12)


def test_many_cells_are_told_the_same_as_each_alone():
    events, trials = np.array([0, 3, 20]), np.array([10, 12, 25])

    assert [share_p_value(x, n, 0.3) for x, n in zip([0, 3, 20], [10, 12, 25], strict=True)] == share_p_value(
        events, trials, 0.3
    ).tolist()
    assert [rate_p_value(x, 8.0) for x in (0, 3, 20)] == rate_p_value(events, 8.0).tolist()


def test_a_cell_without_data_has_no_p_value():
    gap = np.array([np.nan, 3.0])

    assert [True, False] == np.isnan(share_p_value(gap, 10, 0.3)).tolist()
    assert [True, False] == np.isnan(rate_p_value(gap, 5.0)).tolist()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: benjamini_hochberg(np.array([0.5, 1.1])),
        lambda: benjamini_hochberg(np.array([-0.1])),
        lambda: share_p_value(3, 2, 0.5),
        lambda: share_p_value(0, 0, 0.5),
        lambda: share_p_value(1, 2, 1.0),
        lambda: rate_p_value(1.5, 2.0),
        lambda: rate_p_value(-1, 2.0),
        lambda: rate_p_value(1, 0.0),
    ],
)
def test_what_cannot_be_compared_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# Simulation


@pytest.mark.parametrize("trials", [20, 50, 200])
def test_chance_alone_makes_about_five_of_a_hundred_shares_unlikely(trials):
    truth = np.linspace(0.05, 0.95, 19)[:, None]
    found = share_p_value(np.random.default_rng(1927).binomial(trials, truth, (19, 4_000)), trials, truth)

    assert 0.03 <= np.mean(found < 0.05) <= 0.07


@pytest.mark.parametrize("expected", [0.5, 3, 10, 50])
def test_chance_alone_makes_at_most_five_of_a_hundred_counts_unlikely(expected):
    found = rate_p_value(np.random.default_rng(1936).poisson(expected, 20_000), float(expected))

    assert np.mean(found < 0.05) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 20_000)


def test_of_what_is_told_no_more_than_the_stated_share_is_false():
    chance = np.random.default_rng(1995)
    expected, is_apart = chance.uniform(20, 80, 200), np.arange(200) < 40
    events = chance.poisson(np.where(is_apart, 2 * expected, expected), (1_000, 200))
    told = np.array([benjamini_hochberg(p) <= 0.1 for p in rate_p_value(events, expected)])
    false = (told & ~is_apart).sum(axis=1) / np.maximum(told.sum(axis=1), 1)

    assert 0.04 <= false.mean() <= 0.1
    assert (told & is_apart).sum(axis=1).mean() >= 30
