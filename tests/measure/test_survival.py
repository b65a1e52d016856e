from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.measure.survival import closed_within, not_reached, on_time, open_curve, time_until

# Freireich et al. (1963), Blood 21, 699-716; Gehan (1965), Biometrika 52, 203-223, table 1: weeks of remission of
# 21 children with 6-MP (below 0: still in remission) and of 21 with placebo.
SIX_MP = [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def histogram(cell, duration, is_closed):
    """Rows sorted by cell and duration, with counts of closed and still open cases."""
    cell, duration, is_closed = np.asarray(cell, int), np.asarray(duration, float), np.asarray(is_closed, bool)
    rows, row = np.unique(np.stack([cell, duration], axis=1), axis=0, return_inverse=True)
    closed = np.bincount(row.ravel(), weights=is_closed, minlength=len(rows)).astype(float)
    still_open = np.bincount(row.ravel(), weights=~is_closed, minlength=len(rows)).astype(float)
    return {"cell": rows[:, 0].astype(int), "duration": rows[:, 1], "closed": closed, "still_open": still_open}


def curve_of(*groups, level=0.95, cells=None):
    cell = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    weeks = np.concatenate([np.asarray(group, float) for group in groups])
    return open_curve(**histogram(cell, np.abs(weeks), weeks > 0), level=level, cells=cells)


def at(curve, cell, durations):
    return [np.flatnonzero((curve.cell == cell) & (curve.duration == one)).item() for one in durations]


# cases: (duration, closed), durations above 0
case = st.tuples(st.integers(1, 12), st.booleans())
cases = st.lists(case, min_size=1, max_size=30)


def median(group):
    durations, closed = zip(*group, strict=True)
    curve = open_curve(**histogram(np.zeros(len(group)), durations, closed))
    return time_until(curve).value.item()


# Published numbers


def test_the_share_in_remission_is_the_one_of_the_textbooks():
    # Kalbfleisch and Prentice (2002), section 1.4; printed to three digits in most textbooks.
    curve = curve_of(SIX_MP)
    rows = at(curve, 0, [6, 7, 10, 13, 16, 22, 23])

    assert pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=6e-4) == curve.open_share[rows]


def test_greenwoods_standard_error_is_the_one_of_the_textbooks():
    curve = curve_of(SIX_MP)
    rows = at(curve, 0, [6, 7, 10, 13, 16, 22, 23])

    assert (
        pytest.approx([0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=5e-5) == curve.standard_error[rows]
    )


def test_the_log_log_bounds_are_those_that_stata_lists():
    # sts list, 6-MP: weeks 6, 10 and 23.
    curve = curve_of(SIX_MP)
    rows = at(curve, 0, [6, 10, 23])

    assert pytest.approx([0.6197, 0.5032, 0.1881], abs=5e-5) == curve.low[rows]
    assert pytest.approx([0.9516, 0.8894, 0.6801], abs=5e-5) == curve.high[rows]


def test_the_median_remission_is_the_one_of_the_textbooks():
    found = time_until(curve_of(SIX_MP, PLACEBO))

    assert [23, 8] == found.value.tolist()
    # The log-log intervals of SAS, proc lifetest: 13 to none, and 4 to 11.
    assert [13, 4] == found.low.tolist()
    assert [np.inf, 11] == found.high.tolist()


def test_the_placebo_group_without_open_cases_has_plain_shares():
    curve = curve_of(PLACEBO)

    assert pytest.approx([19 / 21, 12 / 21, 8 / 21, 0], abs=1e-12) == curve.open_share[at(curve, 0, [1, 5, 8, 23])]


def test_the_share_closed_is_one_less_the_share_open():
    found = closed_within(curve_of(SIX_MP, PLACEBO), 10.0)

    assert pytest.approx([1 - 0.7529, 1 - 8 / 21], abs=5e-5) == found.value
    assert pytest.approx(1 - 0.8894, abs=5e-5) == found.low[0]
    assert pytest.approx(1 - 0.5032, abs=5e-5) == found.high[0]


# What is not known is said


def test_no_median_when_more_than_half_are_still_open():
    found = time_until(curve_of([5] * 10 + [-40] * 30))

    assert np.isnan(found.value[0])
    assert (5, np.inf) == (found.low[0], found.high[0])
    assert "more than half are still open" == not_reached()


def test_a_cell_without_any_closing_has_no_lower_bound_but_zero():
    found = time_until(curve_of([-40] * 30))

    assert (0, np.inf) == (found.low[0], found.high[0])


def test_a_cell_without_rows_has_nothing():
    curve = curve_of([5, 6], cells=3)

    for found in (time_until(curve), closed_within(curve, 5.0)):
        assert np.isnan([found.value[1:], found.low[1:], found.high[1:]]).all()


def test_nothing_is_said_of_a_time_that_no_case_was_watched_for():
    found = closed_within(curve_of(SIX_MP, PLACEBO), 40.0)

    assert np.isnan([found.value[0], found.low[0], found.high[0]]).all()
    assert (1, 1) == (found.value[1], found.high[1])


def test_none_closed_yet_is_not_plus_or_minus_zero():
    # Wilson's upper bound of 0 of 30, as in interval.wilson.
    found = closed_within(curve_of([9] * 30), 3.0)

    assert (0, 0, pytest.approx(0.1135, abs=5e-5)) == (found.value[0], found.low[0], found.high[0])


def test_all_closed_at_once_is_not_plus_or_minus_zero():
    found = closed_within(curve_of([9] * 30), 9.0)

    assert (1, pytest.approx(1 - 0.1135, abs=5e-5), 1) == (found.value[0], found.low[0], found.high[0])


# Properties


@given(cases, st.data())
def test_leaving_a_case_open_never_improves_the_median(group, data):
    which = data.draw(st.integers(0, len(group) - 1))
    seen = data.draw(st.integers(group[which][0], 12))
    before = median(group)
    group[which] = (seen, False)
    after = median(group)

    assert np.isnan(after) or before <= after


@given(cases, st.data())
def test_leaving_a_case_open_never_improves_the_share_closed(group, data):
    which = data.draw(st.integers(0, len(group) - 1))
    left_open = group.copy()
    left_open[which] = (data.draw(st.integers(group[which][0], 12)), False)
    until = float(data.draw(st.integers(1, 12)))
    before, after = (
        closed_within(open_curve(**histogram(np.zeros(len(some)), *zip(*some, strict=True))), until).value.item()
        for some in (group, left_open)
    )

    assert np.isnan(before) or np.isnan(after) or after <= before + 1e-12


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30), st.integers(1, 12))
def test_without_open_cases_the_share_closed_is_the_plain_one(durations, until):
    found = closed_within(curve_of(durations), float(until))

    assert pytest.approx(np.mean(np.array(durations) <= until)) == found.value.item()


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30), st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9]))
def test_without_open_cases_the_quantile_is_the_plain_one(durations, share):
    found = time_until(curve_of(durations), share)

    assert np.quantile(durations, share - 1e-9, method="inverted_cdf") == found.value.item()


@given(st.lists(cases, min_size=1, max_size=5))
def test_every_cell_is_as_if_it_were_alone(groups):
    signed = [[duration if closed else -duration for duration, closed in group] for group in groups]
    together, alone = curve_of(*signed), [curve_of(group) for group in signed]

    for name in ("open_share", "standard_error", "low", "high", "at_risk"):
        expected = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_allclose(getattr(together, name), expected, rtol=1e-12)


@given(cases)
def test_a_share_lies_within_its_bounds_which_have_some_width(group):
    curve = open_curve(**histogram(np.zeros(len(group)), *zip(*group, strict=True)))

    assert np.all((curve.low >= 0) & (curve.low <= curve.open_share) & (curve.open_share <= curve.high))
    assert np.all((curve.high <= 1) & (curve.low < curve.high))


@given(cases, st.integers(1, 12))
def test_the_share_closed_lies_within_its_bounds_which_have_some_width(group, until):
    curve = open_curve(**histogram(np.zeros(len(group)), *zip(*group, strict=True)))
    found = closed_within(curve, float(until))

    if not np.isnan(found.value[0]):
        assert 0 <= found.low[0] <= found.value[0] <= found.high[0] <= 1
        assert found.low[0] < found.high[0]


@given(cases, st.sampled_from([0.25, 0.5, 0.9]))
def test_a_time_lies_within_its_bounds(group, share):
    curve = open_curve(**histogram(np.zeros(len(group)), *zip(*group, strict=True)))
    found = time_until(curve, share)

    assert found.low[0] <= found.high[0]
    assert np.isnan(found.value[0]) or found.low[0] <= found.value[0] <= found.high[0]


# Promises


def on_time_of(rows):
    age, promise, duration, count = (np.array(column, float) for column in zip(*rows, strict=True))
    return on_time(np.zeros(len(rows), int), age=age, promise=promise, duration=duration, count=count)


def test_an_open_case_past_its_promise_is_a_broken_promise():
    found = on_time_of([(30, 10, 5, 6), (30, 10, np.nan, 4)])

    assert (10, 6, 0.6) == (found.due[0], found.kept[0], found.share[0])


def test_a_case_whose_promise_is_not_due_counts_on_neither_side():
    found = on_time_of([(30, 10, 5, 6), (3, 10, 1, 50), (3, 10, np.nan, 7), (30, np.nan, 5, 9)])

    assert (6, 6) == (found.due[0], found.kept[0])


def test_on_time_bounds_are_wilsons():
    # PHEindicatormethods (OHID), phe_proportion test data: 65 of 100.
    found = on_time_of([(30, 10, 10, 65), (30, 10, 11, 20), (10, 10, np.nan, 15)])

    assert pytest.approx((0.5525444330, 0.7363575176), abs=1e-9) == (found.low[0], found.high[0])


def test_no_promise_due_is_no_share():
    found = on_time_of([(3, 10, 1, 50)])

    assert np.isnan([found.share[0], found.low[0], found.high[0]]).all()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans())), st.integers(0, 9))
def test_closing_an_overdue_case_late_never_changes_the_share_on_time(some, promise):
    rows = [(age, allowed, age if is_closed else np.nan, 1) for age, allowed, is_closed in some]
    left_open = on_time_of([*rows, (30, promise, np.nan, 1)])
    closed_late = on_time_of([*rows, (30, promise, promise + 1, 1)])

    assert left_open.share[0] == closed_late.share[0]


def test_no_rows_are_no_cells():
    none = np.array([])
    curve = open_curve(none.astype(int), none, closed=none, still_open=none, cells=2)

    assert np.isnan(time_until(curve).value).all()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: open_curve(**histogram([0], [1], [True]), level=1),
        lambda: open_curve(**histogram([0, 1], [1, 1], [True, True]), cells=1),
        lambda: open_curve(**(histogram([0], [1], [True]) | {"closed": np.array([0.0])})),
        lambda: open_curve(**(histogram([0], [1], [True]) | {"closed": np.array([-1.0])})),
        lambda: open_curve(**(histogram([0], [1], [True]) | {"closed": np.array([0.5])})),
        lambda: open_curve(**(histogram([0], [1], [True]) | {"duration": np.array([np.nan])})),
        lambda: open_curve(**(histogram([0], [1], [True]) | {"duration": np.array([-1.0])})),
        lambda: open_curve(**(histogram([0, 0], [1, 2], [True, True]) | {"duration": np.array([2.0, 1])})),
        lambda: open_curve(**(histogram([0, 0], [1, 2], [True, True]) | {"duration": np.array([1.0, 1])})),
        lambda: open_curve(**(histogram([0, 1], [1, 2], [True, True]) | {"cell": np.array([1, 0])})),
        lambda: open_curve(**(histogram([0], [1], [True]) | {"cell": np.array([0.0])})),
        lambda: time_until(curve_of(PLACEBO), 1.0),
        lambda: closed_within(curve_of(PLACEBO), -1.0),
        lambda: closed_within(curve_of(PLACEBO), np.nan),
        lambda: on_time_of([(3, 10, 4, 1)]),
        lambda: on_time_of([(3, 10, 1, -1)]),
    ],
)
def test_what_cannot_be_a_waiting_time_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# Coverage: the truth is known, the seed is fixed, every run is a cell.

RUNS = 1_000


def simulated(size, seed):
    """Weibull waiting times, seen for a time that differs from case to case; about a third are still open."""
    chance = np.random.default_rng(seed)
    waits = 10 * chance.weibull(0.8, (RUNS, size))
    watched = chance.uniform(0, 40, (RUNS, size))
    cell = np.repeat(np.arange(RUNS), size)
    order = np.lexsort((np.minimum(waits, watched).ravel(), cell))
    closed = (waits <= watched).ravel()[order].astype(float)
    return open_curve(cell, np.minimum(waits, watched).ravel()[order], closed=closed, still_open=1 - closed)


def truth(share):
    return 10 * (-np.log(1 - share)) ** (1 / 0.8)


@pytest.mark.parametrize("size", [30, 100])
@pytest.mark.parametrize("share", [0.25, 0.5])
def test_the_interval_of_a_waiting_time_covers_the_truth(size, share):
    found = time_until(simulated(size, 1982), share)

    assert 0.93 <= np.mean((found.low <= truth(share)) & (truth(share) <= found.high)) <= 0.97


@pytest.mark.parametrize("size", [30, 100])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_the_interval_of_a_share_closed_covers_the_truth(size, share):
    found = closed_within(simulated(size, 1958), truth(share))

    assert 0.93 <= np.mean((found.low <= share) & (share <= found.high)) <= 0.97


def test_open_cases_do_not_bias_the_share_closed():
    found = closed_within(simulated(100, 1965), truth(0.5))

    # Four standard errors of the mean of 1,000 runs.
    assert abs(np.mean(found.value) - 0.5) < 4 * np.std(found.value) / np.sqrt(RUNS)
