"""What a target asks for on a day, and what the names of groups mean."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from metroon.measure.declared import Group, Point, SignalRules, SmallNumbers, Target, any_mention, level_on

DAYS = st.dates(date(2015, 1, 1), date(2045, 12, 31))
VALUES = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
PATH = [Point(on=date(2020, 12, 31), value=100.0), Point(on=date(2030, 12, 31), value=70.0), Point(on=date(2040, 12, 31), value=0.0)]  # fmt: skip  # noqa: E501
BAND = [Point(on=date(2025, 1, 1), low=10, high=20), Point(on=date(2027, 1, 1), low=20, high=22)]


@st.composite
def paths(draw) -> list[Point]:
    days = draw(st.lists(DAYS, min_size=1, max_size=5, unique=True))
    return [Point(on=d, value=draw(VALUES)) for d in sorted(days)]


@given(paths(), st.sampled_from(["linear", "step"]))
def test_on_its_own_day_every_point_asks_for_its_own_value(points, how):
    expected = [(p.value, p.value) for p in points]

    assert expected == [level_on(points, p.on, how) for p in points]


@given(paths(), DAYS)
def test_between_two_points_a_linear_target_lies_between_their_values(points, day):
    assume(points[0].on <= day <= points[-1].on)
    before = max((p for p in points if p.on <= day), key=lambda p: p.on)
    after = min((p for p in points if p.on >= day), key=lambda p: p.on)
    low, high = level_on(points, day, "linear")

    assert min(before.value, after.value) - 1e-9 <= low == high <= max(before.value, after.value) + 1e-9


@given(paths(), DAYS)
def test_a_step_holds_until_the_next_point(points, day):
    before = [p for p in points if p.on <= day]
    assume(before)

    assert (before[-1].value, before[-1].value) == level_on(points, day, "step")


@given(paths(), st.integers(1, 9000), st.sampled_from(["linear", "step"]))
def test_after_its_last_point_a_target_stays(points, days, how):
    assume(points[-1].on.year < 2100)

    assert level_on(points, points[-1].on, how) == level_on(points, points[-1].on + timedelta(days=days), how)


@given(paths(), st.integers(1, 3000), st.sampled_from(["linear", "step"]))
def test_before_its_first_point_a_path_asks_nothing_and_a_single_point_asks_the_same(points, days, how):
    asked = level_on(points, points[0].on - timedelta(days=days), how)

    assert (None if len(points) > 1 else (points[0].value, points[0].value)) == asked


@given(paths(), DAYS, st.sampled_from(["linear", "step"]), st.randoms(use_true_random=False))
def test_the_order_in_which_points_are_given_changes_nothing(points, day, how, dice):
    assert level_on(points, day, how) == level_on(dice.sample(points, len(points)), day, how)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2020, 12, 30), None),
        (date(2020, 12, 31), 100.0),
        # 1,826 of 3,652 days are half of the ten years.
        (date(2025, 12, 31), 85.0),
        (date(2030, 12, 31), 70.0),
        (date(2040, 12, 31), 0.0),
        (date(2060, 1, 1), 0.0),
    ],
)
def test_thirty_percent_less_by_2030_and_none_by_2040_is_asked_for_day_by_day(day, expected):
    asked = level_on(PATH, day, "linear")

    assert (None if expected is None else (expected, expected)) == asked


@pytest.mark.parametrize(("how", "expected"), [("linear", (15.0, 21.0)), ("step", (10.0, 20.0))])
def test_both_ends_of_a_band_go_their_own_way(how, expected):
    assert expected == level_on(BAND, date(2026, 1, 1), how)


def test_a_band_may_begin_at_zero():
    assert (0.0, 2.0) == level_on([Point(on=date(2025, 1, 1), low=0, high=2)], date(2025, 1, 1), "linear")


@given(st.text(min_size=1, max_size=12))
def test_several_answers_make_two_breakdowns_and_one_answer_makes_one(by):
    assert (by,) == Group(by=by).dimensions
    assert (by, any_mention(by)) == Group(by=by, separator=";").dimensions
    assert by != any_mention(by)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Target(points=[], authority="council", frozen_at=date(2025, 1, 1)),
        lambda: Target(points=PATH, authority="council", frozen_at=date(2025, 1, 1), interpolation="curved"),
        lambda: Group(by="race", tolerance=0),
        lambda: Group(by="race", tolerance_in="percent"),
        lambda: SignalRules(rules="nelson"),
        lambda: SignalRules(baseline_points=6),
        lambda: SmallNumbers(events=-1),
        lambda: Point(on=date(2025, 1, 1), value=1, values=2),
    ],
)
def test_what_no_declaration_can_mean_is_refused(wrong):
    with pytest.raises(ValidationError):
        wrong()
