from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from metroon.measure.balance import balance, breaks

counts = stn.arrays(np.int64, (3, 4), elements=st.integers(0, 10**12))
places = st.tuples(st.integers(0, 2), st.integers(0, 3))


def rolled(start, inflow, outflow):
    """Stocks that the flows make, from the stock at the start of the first period."""
    closing = start[:, :1] + np.cumsum(inflow - outflow, axis=1)
    opening = np.concatenate([start[:, :1], closing[:, :-1]], axis=1)
    return {"opening": opening.astype(float), "inflow": inflow, "outflow": outflow, "closing": closing.astype(float)}


def test_people_in_shelters_are_those_who_were_there_and_came_and_did_not_leave():
    found = balance(
        opening=np.array([[120.0]]), inflow=np.array([[45.0]]), outflow=np.array([[50.0]]), closing=np.array([[118.0]])
    )

    assert 3 == found.residual.item()
    assert not found.is_balanced


def test_what_is_not_known_breaks_nothing():
    stocks = rolled(np.full((1, 3), 10), np.full((1, 3), 4), np.full((1, 3), 1))
    stocks["closing"][0, 1] = np.nan
    found = balance(**stocks)

    assert found.is_balanced
    assert [False, True, False] == np.isnan(found.residual[0]).tolist()
    assert [True, False, True] == np.isnan(found.jump[0]).tolist()


def test_a_hidden_cell_hides_no_break_elsewhere():
    stocks = rolled(np.full((2, 2), 10), np.full((2, 2), 4), np.full((2, 2), 1))
    stocks["closing"][0, 1] = np.nan
    stocks["closing"][1, 1] += 1

    assert not balance(**stocks).is_balanced


def test_cents_need_a_tolerance():
    money = {name: np.array([[value]]) for name, value in [("opening", 0.1), ("inflow", 0.2), ("outflow", 0.0)]}
    exact = balance(**money, closing=np.array([[0.3]]))
    rounded = balance(**money, closing=np.array([[0.3]]), tolerance=0.005)

    assert (False, True) == (exact.is_balanced, rounded.is_balanced)


def test_a_point_in_time_count_corrects_the_stock_and_breaks_nothing():
    stocks = rolled(np.full((1, 2), 100), np.full((1, 2), 5), np.full((1, 2), 5))
    stocks["closing"][0, 1] = 130
    found = balance(**stocks, counted=np.array([[False, True]]))

    assert found.is_balanced
    assert [[False, True]] == found.is_recounted.tolist()
    assert ["East, 2025: the count at its end is 30 above what the opening stock and the flows make."] == breaks(
        found, ["East"], ["2024", "2025"]
    )


def test_every_break_has_its_sentence():
    stocks = rolled(np.full((2, 2), 1_000), np.full((2, 2), 5), np.full((2, 2), 5))
    stocks["closing"][1, 0] = 2_500
    found = balance(**stocks)

    assert [
        "West, May: closes 1,500 above what the opening stock and the flows make.",
        "West, June: opens 1,500 below the stock that the period before closed with: it was counted afresh.",
    ] == breaks(found, ["East", "West"], ["May", "June"])


# Properties


@given(counts, counts, counts)
def test_stocks_that_are_rolled_forward_balance_exactly(start, inflow, outflow):
    found = balance(**rolled(start, inflow, outflow))

    assert found.is_balanced
    assert not found.is_recounted.any()
    assert not found.residual.any()


@given(counts, counts, counts, places, st.integers(1, 10**6))
def test_one_lost_case_is_found_where_it_was_lost(start, inflow, outflow, place, lost):
    stocks = rolled(start, inflow, outflow)
    stocks["closing"][place] -= lost
    found = balance(**stocks)

    assert [list(place)] == np.argwhere(found.is_broken).tolist()
    assert -lost == found.residual[place]


@given(counts, counts, counts, places, st.integers(1, 10**6))
def test_a_recount_is_found_in_the_period_that_it_opens(start, inflow, outflow, place, more):
    stocks = rolled(start, inflow, outflow)
    stocks["opening"][place[0], place[1] :] += more
    stocks["closing"][place[0], place[1] :] += more
    found = balance(**stocks)

    assert found.is_balanced
    assert ([] if place[1] == 0 else [list(place)]) == np.argwhere(found.is_recounted).tolist()


@given(counts, counts, counts, counts)
def test_residuals_and_jumps_add_up_to_what_the_flows_do_not_explain(opening, inflow, outflow, closing):
    found = balance(opening=opening, inflow=inflow, outflow=outflow, closing=closing)
    unexplained = closing[:, -1] - opening[:, 0] - (inflow - outflow).sum(axis=1)

    np.testing.assert_array_equal(unexplained, found.residual.sum(axis=1) + np.nansum(found.jump, axis=1))


@given(counts, counts, counts, counts, stn.arrays(np.bool_, (3, 4)))
def test_there_is_a_sentence_for_every_break_and_recount(opening, inflow, outflow, closing, counted):
    found = balance(opening=opening, inflow=inflow, outflow=outflow, closing=closing, counted=counted)
    sentences = breaks(found, ["a", "b", "c"], ["1", "2", "3", "4"])

    assert found.is_broken.sum() + found.is_corrected.sum() + found.is_reopened.sum() == len(sentences)


@pytest.mark.parametrize(
    "wrong",
    [
        {"opening": np.zeros(2)},
        {"opening": np.zeros((1, 3))},
        {"inflow": np.full((1, 2), np.inf)},
        {"counted": np.zeros((2, 2), bool)},
        {"tolerance": -1.0},
        {"tolerance": np.nan},
    ],
)
def test_what_cannot_balance_is_refused(wrong):
    right = {name: np.zeros((1, 2)) for name in ("opening", "inflow", "outflow", "closing")}
    with pytest.raises(ValueError):
        balance(**(right | wrong))


def test_a_place_without_a_name_is_refused():
    with pytest.raises(ValueError):
        breaks(balance(**rolled(np.zeros((1, 2)), np.zeros((1, 2)), np.zeros((1, 2)))), ["a"], ["1"])
