"""How often the signals are wrong, and how soon they are right: simulated, with fixed seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from metroon.measure.signals import autocorrelation, dependence, false_alarms, t_chart, xmr_many, year_over_year

RUNS = 10_000
RULES = ["nhs7", "wheeler8"]


def flagged(values, **options) -> tuple[float, float]:
    """Of charts where nothing changed: how many have their last point flagged, and how many any."""
    side = np.array([chart.side for chart in xmr_many(values, **options)])
    return float(np.mean(side[:, -1] != 0)), float(np.mean((side != 0).any(axis=1)))


def seen_after(shift: float, rules: str) -> np.ndarray:
    """Of 1,000 series of 24 points that then shift: the points until the last of a new chart is flagged high."""
    values = np.random.default_rng(1931).standard_normal((1000, 48))
    values[:, 24:] += shift
    first = np.full(1000, math.inf)
    for later in range(1, 25):
        charts = xmr_many(values[:, : 24 + later], rules=rules, baseline_points=24)
        is_high = np.array([chart.side[-1] == 1 for chart in charts])
        first = np.where(is_high & np.isinf(first), later, first)
    return first


def standard_error(chance: float) -> float:
    return math.sqrt(chance * (1 - chance) / RUNS)


def dependent(r: float, points: int, runs: int) -> np.ndarray:
    noise = np.random.default_rng(1970).standard_normal((runs, points + 100))
    return lfilter([1], [1, -r], noise, axis=1)[:, 100:]


# False alarms


@pytest.mark.parametrize(("points", "any_point"), [(12, 0.08), (24, 0.19), (36, 0.28)])
def test_false_alarms_are_as_often_as_stated(points, any_point):
    # Stated for normal data by the rules of the NHS, to whole percents: last point 1.4 to 1.7 %.
    last, ever = flagged(np.random.default_rng(7).standard_normal((RUNS, points)))

    assert 0.014 - 0.003 <= last <= 0.017 + 0.003
    assert any_point == pytest.approx(ever, abs=0.02)


def test_small_counts_have_more_false_alarms_as_stated():
    # Stated for Poisson counts of mean 4 in 24 points: last point 2.2 %, any 25 %.
    last, ever = flagged(np.random.default_rng(4).poisson(4, (RUNS, 24)).astype(float), floor=0)

    assert (0.022, 0.25) == (pytest.approx(last, abs=0.005), pytest.approx(ever, abs=0.02))


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("points", [12, 24, 30, 60, 75, 150])
def test_the_table_of_false_alarms_is_what_simulation_gives(points, rules):
    # 30, 75 and 150 lie between the lengths of the table, and beyond.
    last, ever = flagged(np.random.default_rng(2024).standard_normal((RUNS, points)), rules=rules)
    told = false_alarms(points, rules=rules)

    assert abs(told.last_point - last) < 4 * standard_error(last)
    assert abs(told.any_point - ever) < 4 * standard_error(ever)


@pytest.mark.parametrize("rules", RULES)
def test_without_verdict_there_is_no_false_alarm(rules):
    told = false_alarms(11, rules=rules)

    assert (0.0, 0.0) == (told.last_point, told.any_point)


@given(st.integers(0, 2000), st.sampled_from(RULES))
def test_a_longer_chart_has_more_false_alarms(points, rules):
    told, longer = false_alarms(points, rules=rules), false_alarms(points + 1, rules=rules)

    assert 0 <= told.last_point <= told.any_point <= longer.any_point <= 1


@given(st.integers(12, 500))
def test_the_rules_of_wheeler_have_fewer_false_alarms(points):
    nhs, wheeler = false_alarms(points, rules="nhs7"), false_alarms(points, rules="wheeler8")

    assert (wheeler.last_point < nhs.last_point, wheeler.any_point < nhs.any_point) == (True, True)


def test_a_wall_of_two_hundred_charts_has_about_three_false_signals():
    assert 3 == round(200 * false_alarms(24, rules="nhs7").last_point)


def test_an_unknown_rule_set_has_no_false_alarms_to_tell():
    with pytest.raises(ValueError):
        false_alarms(24, rules="nelson")


def test_one_point_in_a_hundred_lies_outside_the_limits_of_24_others():
    # Three sigma of known limits leave 0.27 %; limits from 24 points are uncertain themselves.
    values = np.random.default_rng(25).standard_normal((RUNS, 25))
    outside = [chart.signal[-1] == "outside limits" for chart in xmr_many(values, baseline_points=24)]

    assert 0.012 == pytest.approx(np.mean(outside), abs=0.004)


# Real changes


@pytest.mark.parametrize("rules", RULES)
def test_a_shift_by_three_sigma_is_seen_within_three_points_in_nine_of_ten_runs(rules):
    seen = seen_after(3, rules)

    assert 0.88 <= np.mean(seen <= 3)
    assert 0.99 <= np.mean(seen <= 8)


@pytest.mark.parametrize("rules", RULES)
def test_a_shift_by_one_sigma_is_seen_within_a_dozen_points_in_most_runs(rules):
    assert 0.6 <= np.mean(seen_after(1, rules) <= 12) <= 0.85


def test_screening_finds_leaps_that_else_hide_themselves():
    values = np.random.default_rng(15).standard_normal((1000, 14))
    values[:, 6] += 6
    found = [
        np.mean([chart.signal[6] == "outside limits" for chart in xmr_many(values, screen_outliers=screen)])
        for screen in (True, False)
    ]

    # The same series twice: 81 % of the leaps are found, against 74 %.
    assert found[1] + 0.04 < found[0]


# Rare events and dependence


def test_rare_events_need_the_roots_of_the_days_between():
    # Exponential days: one chart in sixteen of the days flags its last point, of the roots one in seventy.
    days = np.random.default_rng(1994).exponential(30, (4000, 24))
    roots = [t_chart(row).side[-1] != 0 for row in days]

    assert 0.008 <= np.mean(roots) <= 0.020
    assert 0.05 <= flagged(days, floor=0)[0]


def test_dependent_points_have_the_false_alarms_that_the_warning_tells():
    last, _ = flagged(dependent(0.5, 24, RUNS))

    assert 0.12 == pytest.approx(last, abs=0.012)


@pytest.mark.parametrize("r", [0, 0.3, 0.6])
def test_the_autocorrelation_of_long_series_is_found(r):
    found = [autocorrelation(row) for row in dependent(r, 500, 1000)]

    assert r - (1 + 4 * r) / 500 == pytest.approx(np.mean(found), abs=0.006)


def test_in_short_series_the_autocorrelation_is_too_low_by_what_is_told():
    found = [autocorrelation(row) for row in dependent(0.5, 24, 4000)]

    assert 0.5 - (1 + 4 * 0.5) / 24 == pytest.approx(np.mean(found), abs=0.015)


def test_one_short_series_in_four_of_a_strong_dependence_is_warned_of():
    found = [dependence(row) != "" for row in dependent(0.5, 24, 4000)]

    assert 0.25 == pytest.approx(np.mean(found), abs=0.03)


def test_a_gap_does_not_bias_the_autocorrelation():
    rows = dependent(0.5, 400, 1000)
    rows[:, ::5] = np.nan
    found = [autocorrelation(row) for row in rows]

    assert 0.5 == pytest.approx(np.mean(found), abs=0.02)


def test_a_season_makes_signals_that_differences_do_not_have():
    season = 4 * np.sin(np.arange(48) * 2 * np.pi / 12)
    values = season + np.random.default_rng(12).standard_normal((1000, 48))
    raw, differences = flagged(values)[1], flagged(year_over_year(values, 12))[1]

    assert (0.99 < raw, differences < 0.4) == (True, True)
