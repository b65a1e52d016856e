from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.measure.signals import (
    Span,
    assurance,
    autocorrelation,
    dependence,
    spans,
    t_chart,
    variation,
    xmr,
    xmr_many,
    year_over_year,
)

# The test data of the R package NHSRplotthedots 0.2.2: 20 standard normal numbers.
TWENTY = np.array(
    [
        *[-0.56047565, -0.23017749, 1.55870831, 0.07050839, 0.12928774, 1.71506499, 0.46091621, -1.26506123],
        *[-0.68685285, -0.44566197, 1.22408180, 0.35981383, 0.40077145, 0.11068272, -0.55584113, 1.78691314],
        *[0.49785048, -1.96661716, 0.70135590, -0.47279141],
    ]
)
# Luteinizing hormone in blood, 48 samples: series lh of R.
LH = np.array(
    [
        *[2.4, 2.4, 2.4, 2.2, 2.1, 1.5, 2.3, 2.3, 2.5, 2.0, 1.9, 1.7, 2.2, 1.8, 3.2, 3.2, 2.7, 2.2, 2.2, 1.9, 1.9],
        *[1.8, 2.7, 3.0, 2.3, 2.0, 2.0, 2.9, 2.9, 2.7, 2.7, 2.3, 2.6, 2.4, 1.8, 1.7, 1.5, 1.4, 2.1, 3.3, 3.5, 3.5],
        *[3.1, 2.6, 2.1, 3.4, 3.0, 2.9],
    ]
)
NAN = float("nan")
RULES = ["nhs7", "wheeler8"]


def with_leap() -> np.ndarray:
    leaping = TWENTY.copy()
    leaping[14] = 10
    return leaping


def steady(points: int = 20) -> list[float]:
    """Ups and downs by 1 around 0: mean 0, limits -5.32 and 5.32 where their number is even."""
    return [1.0, -1.0] * (points // 2)


def with_baseline(*later: float):
    """A chart whose limits, -5.32 and 5.32, come from 20 points of no signal; near is 3.55 or 2.66."""
    return xmr(np.array([*steady(), *later]), baseline_points=20)


def flags(chart) -> list[str]:
    return [str(name) for name in chart.signal]


def limits(chart, point: int = -1) -> tuple[float, float, float]:
    return float(chart.mean[point]), float(chart.low[point]), float(chart.high[point])


whole = st.integers(0, 12).map(float)
series = st.lists(whole, min_size=12, max_size=40)
gappy = st.lists(st.one_of(whole, whole, whole, st.just(NAN)), min_size=12, max_size=40)
rule_sets = st.sampled_from(RULES)


# Published numbers


def test_the_limits_are_those_of_the_nhs_package():
    # NHSRplotthedots 0.2.2, tests of ptd_spc: 20 numbers.
    assert (0.1416238, -3.01138, 3.294627) == pytest.approx(limits(xmr(TWENTY)), abs=1e-5)


def test_a_leap_is_screened_as_in_the_nhs_package():
    # NHSRplotthedots 0.2.2, tests of ptd_spc: the 15th number is 10.
    assert (0.6694159, -2.383666, 3.722497) == pytest.approx(limits(xmr(with_leap())), abs=1e-5)


def test_without_screening_the_leap_widens_the_limits_as_in_the_nhs_package():
    found = xmr(with_leap(), screen_outliers=False)

    assert (0.6694159, -4.596625, 5.935457) == pytest.approx(limits(found), abs=1e-5)


@pytest.mark.parametrize(
    ("point", "expected"), [(9, (0.07462565, -2.600585, 2.749837)), (10, (0.20862196, -3.279005, 3.696249))]
)
def test_new_limits_after_ten_points_are_those_of_the_nhs_package(point, expected):
    assert expected == pytest.approx(limits(xmr(TWENTY, rebase=[10]), point), abs=1e-5)


def test_two_points_near_different_limits_are_common_cause():
    # NHSRplotthedots 0.2.2, tests: 16 points of 1 and -1, the last two replaced.
    found = xmr(np.array([*steady(14), 5.5, -5.5]))

    assert ["none"] * 16 == flags(found)


def test_the_limits_are_those_of_the_nist_handbook():
    # NIST/SEMATECH e-Handbook of Statistical Methods, section 6.3.2.2: ten flow rates.
    # It divides by 1.128 instead of multiplying by 2.66, hence the tolerance.
    found = xmr(np.array([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]))

    assert (50.81, 45.8159, 55.8041) == pytest.approx(limits(found), abs=1e-3)


def test_the_autocorrelation_is_the_one_that_r_prints():
    # R, stats::acf, example on the series lh: 0.576 at lag 1.
    assert 0.576 == round(autocorrelation(LH), 3)


def test_a_weibull_of_shape_one_is_nearly_normal_after_nelsons_root():
    # Nelson (1994): exponential times to the power 1/3.6 are Weibull of shape 3.6, whose skewness is about 0.
    roots = np.random.default_rng(1994).exponential(30, 100_000) ** (1 / 3.6)
    scores = (roots - roots.mean()) / roots.std()

    assert abs(np.mean(scores**3)) < 0.03


# The rules, one by one


def test_a_point_on_the_limit_is_not_outside():
    high = limits(with_baseline())[2]

    assert ["none", "outside limits"] == [flags(with_baseline(value))[-1] for value in (high, high + 1e-9)]


def test_a_trend_flags_all_seven_points():
    found = with_baseline(-3, -2, -1.5, 0, 1, 2, 3)

    # The last steady point is -1, above the first of the trend.
    assert (["trend"] * 7, [1] * 7) == (flags(found)[20:], found.side[20:].tolist())
    assert ["none"] * 20 == flags(found)[:20]


def test_six_rising_points_are_no_trend():
    assert ["none"] * 26 == flags(with_baseline(-3, -2, 0, 1, 2, 3))


def test_equal_neighbours_end_a_trend():
    assert ["none"] * 27 == flags(with_baseline(-3, -2, -1, -1, 1, 2, 3))


def test_a_rounding_error_is_no_rise():
    # 0.1 + 0.2 is above 0.3 in floating point numbers, by 6e-17.
    found = with_baseline(-0.3, -0.2, 0.1, 0.2, 0.3, 0.1 + 0.2, 0.4)

    assert ["none"] * 27 == flags(found)


def test_a_point_in_two_trends_takes_the_later_direction():
    found = with_baseline(-3, -2, -1.5, 0, 1, 2, 3, 2.5, 2, 1, 0, -1, -2)

    assert ["trend"] * 13 == flags(found)[20:]
    assert [1] * 6 + [-1] * 7 == found.side[20:].tolist()


def test_seven_points_on_one_side_are_a_shift():
    found = with_baseline(0.5, 1, 0.5, 1, 0.5, 1, 0.5)

    assert (["shift"] * 7, [1] * 7) == (flags(found)[20:], found.side[20:].tolist())


def test_a_point_on_the_mean_ends_a_run():
    assert ["none"] * 27 == flags(with_baseline(0.5, 1, 0.5, 0, 0.5, 1, 0.5))


def test_a_point_on_a_mean_that_no_float_can_hold_ends_a_run():
    # The mean of 0.1, 0.2 and 0.3 is 0.2, but not in floating point numbers.
    shares = np.array([0.1, 0.3] * 3 + [0.3, 0.2, 0.25, 0.2, 0.25, 0.2, 0.25, 0.1, 0.15] + [0.1, 0.2, 0.3] * 3)
    exact = np.round(shares * 100)

    assert flags(xmr(exact)) == flags(xmr(shares))


def test_of_three_points_only_the_two_near_the_limit_are_flagged():
    found = with_baseline(4, 1, 4, -1)

    name = "two of three near a limit"
    assert [name, "none", name, "none"] == flags(found)[20:]


def test_two_of_three_need_the_third_on_their_side():
    assert ["none"] * 4 == flags(with_baseline(4, -1, 4, -1))[20:]


def test_a_point_outside_the_limit_is_not_near_it():
    assert ["none", "outside limits"] == flags(with_baseline(4, 6))[20:]


def test_a_point_takes_the_first_rule_that_fits():
    # A trend that ends outside the limits, in a shift.
    found = with_baseline(1, 0.2, 0.5, 1, 1.5, 4, 5, 6, 4.5)
    near = "two of three near a limit"

    assert ["shift", *["trend"] * 6, "outside limits", near] == flags(found)[20:]


def test_three_of_four_nearer_a_limit_are_wheelers():
    found = xmr(np.array([*steady(), 3, -1, 3, 3, -1]), baseline_points=20, rules="wheeler8")

    name = "three of four near a limit"
    assert [name, "none", name, name, "none"] == flags(found)[20:]


def test_a_point_halfway_to_the_limit_is_not_nearer_to_it():
    half = limits(with_baseline())[2] / 2
    found = xmr(np.array([*steady(), half, half, half, -1]), baseline_points=20, rules="wheeler8")

    assert ["none"] * 24 == flags(found)


@pytest.mark.parametrize(
    ("later", "nhs", "wheeler"),
    [
        ([0.5, 1, 0.5, 1, 0.5, 1, 0.5], "shift", "none"),
        ([0.5, 1, 0.5, 1, 0.5, 1, 0.5, 1], "shift", "shift"),
        ([-3, -2, -1.5, 0, 1, 2, 2.5], "trend", "none"),
        ([3, 3, 3], "none", "three of four near a limit"),
        ([4, 4, 1], "none", "none"),
        ([1, 4, 4], "two of three near a limit", "none"),
        ([6], "outside limits", "outside limits"),
    ],
)
def test_the_rule_sets_differ_where_they_should(later, nhs, wheeler):
    values = np.array([*steady(), *later])
    found = [flags(xmr(values, baseline_points=20, rules=rules))[-1] for rules in RULES]

    assert [nhs, wheeler] == found


# The rules again, read point by point in exact fractions: slow, plain, and written apart from the code.


def on_one_side(side: list[int], start: int, length: int) -> int:
    return next((way for way in (1, -1) if side[start : start + length] == [way] * length), 0)


def read_plainly(values: list[float], rules: str) -> list[tuple[str, int]]:
    exact = [None if np.isnan(v) else Fraction(v) for v in values]
    known = [v for v in exact if v is not None]
    mean = sum(known) / Fraction(len(known))
    steps = [abs(b - a) for a, b in pairwise(exact) if a is not None and b is not None]
    if min(len(known), 2 * len(steps)) < 12 or len(set(known)) == 1:
        return [("none", 0)] * len(values)
    usual = sum(steps) / Fraction(len(steps))
    kept = [step for step in steps if step < Fraction("3.267") * usual]
    if sum(kept) > 0:
        usual = sum(kept) / Fraction(len(kept))
    reach = Fraction("2.66") * usual
    away = [None if v is None else v - mean for v in exact]

    def beyond(bound: Fraction) -> list[int]:
        return [0 if v is None else (v > bound) - (v < -bound) for v in away]

    side, outside = beyond(Fraction(0)), beyond(reach)
    rise = [0 if a is None or b is None else (b > a) - (b < a) for a, b in pairwise(exact)]
    trend, close, shift = [0] * len(values), [0] * len(values), [0] * len(values)
    run = 7 if rules == "nhs7" else 8
    for start in range(len(values) - run + 1):
        for i in range(start, start + run):
            shift[i] = on_one_side(side, start, run) or shift[i]
            if rules == "nhs7":
                trend[i] = on_one_side(rise, start, 6) or trend[i]
    near = beyond(reach * 2 / 3) if rules == "nhs7" else beyond(reach / 2)
    if rules == "nhs7":
        near = [0 if out else n for n, out in zip(near, outside, strict=True)]
    window, needed = (3, 2) if rules == "nhs7" else (4, 3)
    name = "two of three near a limit" if rules == "nhs7" else "three of four near a limit"
    for start in range(len(values) - window + 1):
        for way in (1, -1):
            here = [i for i in range(start, start + window) if near[i] == way]
            if len(here) >= needed and (rules == "wheeler8" or on_one_side(side, start, 3) == way):
                for i in here:
                    close[i] = way
    read = []
    for found in zip(outside, trend, close, shift, strict=True):
        first = next((k for k in range(4) if found[k]), None)
        names = ("outside limits", "trend", name, "shift")
        read.append(("none", 0) if first is None else (names[first], found[first]))
    return read


@settings(max_examples=400)
@given(gappy.filter(lambda v: not np.isnan(v).all()), rule_sets)
def test_the_signals_are_those_of_the_rules_read_point_by_point(values, rules):
    found = xmr(np.array(values), rules=rules)

    assert read_plainly(values, rules) == list(zip(flags(found), found.side.tolist(), strict=True))


@pytest.mark.parametrize("rules", RULES)
def test_drifting_series_too_are_read_as_point_by_point(rules):
    chance = np.random.default_rng(1924)
    drifting = np.round(np.cumsum(chance.normal(0, 4, (300, 36)), axis=1)) + np.round(chance.normal(0, 6, (300, 36)))
    found = xmr_many(drifting, rules=rules)

    assert [read_plainly(row.tolist(), rules) for row in drifting] == [
        list(zip(flags(chart), chart.side.tolist(), strict=True)) for chart in found
    ]
    assert {"none", "outside limits", "shift"} < {name for chart in found for name in flags(chart)}


# Properties


@given(series, rule_sets)
def test_a_mirrored_series_has_mirrored_signals(values, rules):
    found, mirrored = xmr(np.array(values), rules=rules), xmr(-np.array(values), rules=rules)

    assert flags(found) == flags(mirrored)
    assert found.side.tolist() == (-mirrored.side).tolist()


@given(gappy, st.integers(-1000, 1000), st.integers(1, 1000), rule_sets)
def test_another_unit_or_zero_point_changes_no_signal(values, shift, scale, rules):
    found, moved = xmr(np.array(values), rules=rules), xmr(np.array(values) * scale + shift, rules=rules)

    assert (flags(found), found.state) == (flags(moved), moved.state)
    assert found.high * scale + shift == pytest.approx(moved.high, nan_ok=True)


@given(gappy, rule_sets)
def test_a_point_has_a_side_exactly_when_it_has_a_signal(values, rules):
    found = xmr(np.array(values), rules=rules)

    assert [name != "none" for name in flags(found)] == (found.side != 0).tolist()
    assert not (np.isnan(found.values) & (found.side != 0)).any()


@given(gappy)
def test_the_mean_lies_within_the_limits(values):
    found = xmr(np.array(values))

    assert np.all((found.low <= found.mean) & (found.mean <= found.high) | np.isnan(found.low))


@given(gappy)
def test_screening_never_widens_the_limits(values):
    screened, usual = xmr(np.array(values)), xmr(np.array(values), screen_outliers=False)

    assert np.all((screened.high <= usual.high) | np.isnan(usual.high))


@given(st.lists(st.lists(whole, min_size=30, max_size=30), min_size=1, max_size=6), rule_sets)
def test_many_series_at_once_are_each_as_alone(rows, rules):
    rows = np.array(rows)
    rows[0, 3:6] = NAN
    together = xmr_many(rows, rules=rules, rebase=[14], floor=0)
    alone = [xmr(row, rules=rules, rebase=[14], floor=0) for row in rows]

    for one, other in zip(together, alone, strict=True):
        assert (one.state, flags(one), one.segment.tolist()) == (other.state, flags(other), other.segment.tolist())
        np.testing.assert_array_equal(one.low, other.low)


@given(series)
def test_segments_are_charts_of_their_own(values):
    whole_chart = xmr(np.array([*values, *values]), rebase=[len(values)])
    part = xmr(np.array(values))

    assert flags(part) * 2 == flags(whole_chart)
    assert limits(part) == limits(whole_chart)


@given(series, st.lists(whole, max_size=12))
def test_what_comes_after_the_baseline_moves_no_limit(values, later):
    before = xmr(np.array(values), baseline_points=12)
    after = xmr(np.array([*values, *later]), baseline_points=12)

    assert limits(before) == limits(after)


@given(series)
def test_a_gap_at_the_end_changes_no_other_signal(values):
    assert [*flags(xmr(np.array(values))), "none"] == flags(xmr(np.array([*values, NAN])))


def test_the_order_of_the_values_matters():
    rising = np.arange(20.0)
    mixed = rising.reshape(2, 10).T.ravel()

    assert "trend" in flags(xmr(rising))
    assert "trend" not in flags(xmr(mixed))


def test_a_chart_keeps_its_own_copy_of_the_values():
    values = np.array(steady())
    found = xmr(values)
    values[0] = 99

    assert 1.0 == found.values[0]


# Gaps, segments, baselines, floors


def test_a_step_across_a_gap_is_no_moving_range():
    # Without the gap, 0 to 6 would be one of the steps.
    found = xmr(np.array([0, 1] * 6 + [NAN] + [6, 5] * 6))

    assert (3.0, 3 - 2.66, 3 + 2.66) == pytest.approx(limits(found))


def test_a_gap_ends_a_run():
    unbroken, broken = with_baseline(*[0.5, 1] * 4), with_baseline(0.5, 1, 0.5, 1, NAN, 0.5, 1, 0.5, 1)

    assert ["shift"] * 8 == flags(unbroken)[20:]
    assert ["none"] * 9 == flags(broken)[20:]


def test_no_run_crosses_new_limits():
    # Seven points above both means, four before the new limits and three after them.
    values = np.array([*steady(14), 1, 2, 1, 2, 2, 1, 2, *steady(14)])
    assert ["none"] * 14 + ["shift"] * 8 == flags(xmr(values, baseline_points=12))[:22]
    assert ["none"] * 35 == flags(xmr(values, baseline_points=12, rebase=[18]))


def test_each_point_knows_its_limits():
    found = xmr(np.array([*steady(12), *[v + 50 for v in steady(14)]]), rebase=[12])

    assert [0] * 12 + [1] * 14 == found.segment.tolist()
    assert [0.0] * 12 + [50.0] * 14 == found.mean.tolist()


def test_a_baseline_counts_measured_points():
    found = xmr(np.array([NAN, NAN, *steady(12), 9, 9, 9, 9]), baseline_points=12)

    assert "ok" == found.state
    assert (0.0, -5.32, 5.32) == pytest.approx(limits(found))


def test_limits_under_the_floor_are_cut_there():
    counts = np.array([1, 0, 2, 0, 1, 3, 0, 1, 2, 0, 1, 1.0])

    assert (True, 0.0) == (xmr(counts).low[-1] < 0, xmr(counts, floor=0).low[-1])


def test_no_count_lies_below_limits_that_the_floor_cuts():
    # Uncut, the lower limit is below 0; cut, a 0 lies on it.
    counts = np.array([4, 1, 3, 0, 2, 4, 1, 3, 2, 4, 1, 0, 3, 2.0])

    assert "outside limits" not in flags(xmr(counts, floor=0))


def test_a_floor_under_the_limits_changes_nothing():
    values = np.array([*steady(), -9.0]) + 20
    free, floored = xmr(values, baseline_points=20), xmr(values, baseline_points=20, floor=0)

    assert (limits(free), flags(free)) == (limits(floored), flags(floored))
    assert "outside limits" == flags(floored)[-1]


# What a chart allows to say


@pytest.mark.parametrize(
    ("points", "state"),
    [
        (1, "run chart only"),
        (6, "run chart only"),
        (7, "trial limits"),
        (11, "trial limits"),
        (12, "ok"),
    ],
)
def test_few_points_allow_little(points, state):
    assert state == xmr(np.arange(points) % 2 * 1.0).state


def test_a_run_chart_has_a_mean_and_no_limits():
    found = xmr(np.array([1, 2, 3, 4, 5, 6.0]))

    assert (3.5, NAN, NAN) == pytest.approx(limits(found), nan_ok=True)


def test_trial_limits_flag_no_point_and_give_no_verdict():
    found = xmr(np.array([*[1, 2] * 5, 50.0]))

    assert limits(found)[2] < 50
    assert (["none"] * 11, "", "") == (flags(found), variation(found, "up"), assurance(found, 100, "up"))


def test_many_points_without_neighbours_have_no_limits():
    values = np.full(40, NAN)
    values[::2] = np.arange(20) % 3

    assert "run chart only" == xmr(values).state


def test_a_series_of_gaps_says_nothing():
    found = xmr(np.full(24, NAN))

    assert ("run chart only", "") == (found.state, variation(found, "up"))


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, -7.7, 1e9])
def test_a_constant_series_has_no_variation_and_no_signals(value):
    found = xmr(np.full(23, value))

    assert ("no variation", ["none"] * 23, "") == (found.state, flags(found), variation(found, "up"))


def test_a_change_after_a_constant_baseline_is_a_signal():
    found = xmr(np.array([0.1] * 14 + [0.2]), baseline_points=14)

    assert ["none"] * 14 + ["outside limits"] == flags(found)


def test_the_only_step_of_a_series_is_not_screened_away():
    found = xmr(np.array([5.0] * 12 + [6.0] * 12))

    assert "ok" == found.state
    assert [-1] * 12 + [1] * 12 == found.side.tolist()


def test_a_short_last_segment_allows_no_verdict():
    found = xmr(np.array([*steady(), 30, 31, 30, 31, 30, 31, 30, 31.0]), rebase=[20])

    assert ("trial limits", "") == (found.state, variation(found, "up"))


@pytest.mark.parametrize(
    ("last", "direction", "word"),
    [
        (0.0, "up", "common cause"),
        (9.0, "up", "improvement high"),
        (9.0, "down", "concern high"),
        (9.0, "neutral", "neutral high"),
        (-9.0, "up", "concern low"),
        (-9.0, "down", "improvement low"),
        (-9.0, "neutral", "neutral low"),
        (NAN, "up", ""),
    ],
)
def test_the_last_point_decides_the_variation(last, direction, word):
    assert word == variation(with_baseline(last), direction)


def test_a_falling_trend_above_the_mean_is_low():
    found = with_baseline(5, 4.5, 4, 3.4, 3, 2, 1)

    assert "concern low" == variation(found, "up")


@pytest.mark.parametrize(
    ("target", "up", "down"),
    [
        (6, "consistently fails", "consistently passes"),
        (-6, "consistently passes", "consistently fails"),
        (0, "hit or miss", "hit or miss"),
        (None, "", ""),
        (NAN, "", ""),
    ],
)
def test_the_target_against_the_limits_decides_the_assurance(target, up, down):
    found = with_baseline()

    assert (up, down, "") == tuple(assurance(found, target, way) for way in ("up", "down", "neutral"))


def test_a_target_on_a_limit_is_hit_or_miss():
    found = with_baseline()

    assert ["hit or miss"] * 2 == [assurance(found, float(end), "up") for end in (found.low[-1], found.high[-1])]


def test_the_assurance_is_by_the_last_limits():
    found = xmr(np.array([*steady(12), *[v + 50 for v in steady(12)]]), rebase=[12])

    assert ["consistently passes"] * 2 == [assurance(found, target, "up") for target in (0, 20)]


# Since when


def test_a_signal_that_goes_on_began_with_its_first_point():
    assert (Span(20, 26, 1),) == spans(with_baseline(0.5, 1, 0.5, 1, 0.5, 1, 0.5))


def test_a_signal_has_ended_when_the_last_span_stops_before_the_last_point():
    assert (Span(20, 20, 1),) == spans(with_baseline(9, 0))


def test_the_other_side_or_a_gap_or_new_limits_begin_a_new_span():
    other = with_baseline(9, -9, NAN, -9)
    rebased = xmr(np.array([*steady(14), 9, 9, *steady(14)]), baseline_points=12, rebase=[15])

    assert (Span(20, 20, 1), Span(21, 21, -1), Span(23, 23, -1)) == spans(other)
    assert (Span(14, 14, 1), Span(15, 15, 1)) == spans(rebased)


@given(gappy, rule_sets)
def test_the_spans_hold_every_flagged_point_once(values, rules):
    found = xmr(np.array(values), rules=rules)
    held = {i: span.side for span in spans(found) for i in range(span.first, span.last + 1)}

    assert {i: int(side) for i, side in enumerate(found.side) if side} == held


# Rare events, seasons, dependence

days = st.lists(st.integers(1, 400).map(float), min_size=12, max_size=40)


@given(days)
def test_rare_events_are_charted_by_their_roots_and_told_in_days(between):
    found, roots = t_chart(np.array(between)), xmr(np.array(between) ** (1 / 3.6), floor=0)

    assert (flags(roots), roots.state) == (flags(found), found.state)
    assert found.high == pytest.approx(roots.high**3.6)
    assert np.all((found.low >= 0) & (found.low <= found.mean))


@given(days, st.integers(2, 24))
def test_hours_between_events_have_the_limits_of_days(between, factor):
    in_days, in_hours = t_chart(np.array(between)), t_chart(np.array(between) * factor)

    assert in_days.high * factor == pytest.approx(in_hours.high)


def test_a_long_time_without_an_event_is_high():
    between = np.random.default_rng(26).exponential(30, 24)

    assert "improvement high" == variation(t_chart(np.array([*between, 600]), baseline_points=24), "up")


def test_a_season_is_taken_away():
    season = np.tile([10, 20, 30, 40.0], 6)

    assert [NAN] * 4 + [0.0] * 20 == pytest.approx(year_over_year(season, 4).tolist(), nan_ok=True)


@given(series, st.integers(1, 12))
def test_a_year_over_year_difference_pairs_the_same_season(values, per_year):
    found = year_over_year(np.array(values), per_year)

    assert [NAN] * per_year == pytest.approx(found[:per_year].tolist(), nan_ok=True)
    assert [b - a for a, b in zip(values, values[per_year:], strict=False)] == found[per_year:].tolist()


def test_year_over_year_takes_many_series_at_once():
    rows = np.arange(24.0).reshape(2, 12) ** 2

    np.testing.assert_array_equal([year_over_year(row, 4) for row in rows], year_over_year(rows, 4))


@given(gappy)
def test_an_autocorrelation_is_a_number_of_the_pairs_that_are_there(values):
    found = autocorrelation(np.array(values))
    padded = autocorrelation(np.array([NAN, *values, NAN]))

    assert found == pytest.approx(padded, nan_ok=True)


@given(series)
def test_an_autocorrelation_lies_between_minus_one_and_one(values):
    found = autocorrelation(np.array(values))

    assert np.isnan(found) or -1 <= found <= 1


@given(series, st.integers(1, 100), st.integers(-100, 100))
def test_an_autocorrelation_has_no_unit(values, scale, shift):
    moved = np.array(values) * scale + shift

    assert autocorrelation(np.array(values)) == pytest.approx(autocorrelation(moved), abs=1e-9, nan_ok=True)


def test_strong_dependence_is_said():
    assert ["strongly autocorrelated", ""] == [dependence(LH), dependence(TWENTY)]


def test_a_series_without_pairs_or_variation_has_no_autocorrelation():
    found = [autocorrelation(np.array(v)) for v in ([1.0], [1, NAN, 2], [0.1, 0.1, 0.1])]

    assert [NAN] * 3 == pytest.approx(found, nan_ok=True)


# What is refused

SOME = np.array(steady())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: xmr(np.array([])),
        lambda: xmr(SOME[np.newaxis]),
        lambda: xmr_many(SOME),
        lambda: xmr(np.array([1, np.inf])),
        lambda: xmr(SOME, floor=0),
        lambda: xmr(SOME, baseline_points=11),
        lambda: xmr(SOME, rules="nelson"),
        lambda: xmr(SOME, rebase=[0]),
        lambda: xmr(SOME, rebase=[20]),
        lambda: xmr(SOME, rebase=[10, 5]),
        lambda: t_chart(np.array([-1.0, 2])),
        lambda: t_chart(SOME[np.newaxis]),
        lambda: year_over_year(SOME, 0),
        lambda: autocorrelation(SOME[np.newaxis]),
    ],
)
def test_what_cannot_be_charted_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()
