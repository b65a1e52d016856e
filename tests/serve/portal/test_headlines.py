"""A headline is a function of the data: when it is printed its predicate holds; else a neutral one stands there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from metroon.base.estimate import Cell, Estimate
from metroon.base.scorecard import Course, GroupGap, PlaceStanding, TargetGap
from metroon.serve.figures import Figures
from metroon.serve.headlines import gaps_words, is_clear, largest_gap, places_words, target_words, trend, trend_words
from metroon.serve.terminal.words import Scale
from metroon.serve.words import Words

EN = Words("en")
SHARE = Figures(EN, Scale(is_share=True, decimals=1))
RATE = Figures(EN, Scale(is_share=False, decimals=1))


def point(year: int, value: float, half: float = 1.0) -> Estimate:
    return Estimate(Cell(str(year)), "known", value, value - half, value + half)


def hidden(year: int) -> Estimate:
    return Estimate(Cell(str(year)), "hidden")


def trail(*values: float | None, half: float = 1.0) -> list[Estimate]:
    return [hidden(2016 + i) if v is None else point(2016 + i, v, half) for i, v in enumerate(values)]


SERIES = st.lists(st.floats(-100, 100).map(lambda x: round(x, 2)), min_size=2, max_size=10)
HALVES = st.floats(0.1, 20).map(lambda x: round(x, 2))


@given(SERIES, HALVES)
def test_a_record_is_told_only_when_every_year_since_then_lies_wholly_on_the_other_side(values, half):
    series = trail(*values, half=half)
    found = trend(series)

    assume(found.kind == "record")

    since = next(i for i, e in enumerate(series) if e.cell.period == found.since)
    assert {found.move} == {is_clear(series[-1], e) for e in series[since:-1]}
    assert len(series) - since >= 3


@given(SERIES, HALVES)
def test_a_difference_from_the_first_year_is_told_only_when_the_two_ranges_lie_apart(values, half):
    series = trail(*values, half=half)
    found = trend(series)

    assume(found.kind in ("apart", "same"))

    assert found.since == series[0].cell.period
    assert (found.kind == "apart") == (is_clear(series[-1], series[0]) is not None)


@given(SERIES, HALVES)
def test_one_more_year_on_the_far_side_takes_the_record_away(values, half):
    series = trail(*values, half=half)
    found = trend(series)
    assume(found.kind == "record")
    since = next(i for i, e in enumerate(series) if e.cell.period == found.since)
    far = (series[-1].value or 0) + (5 if found.move == "above" else -5) * half

    spoiled = [*series[: since + 1], point(2016 + since + 1, far, half), *series[since + 2 :]]
    changed = trend(spoiled)

    assert trend_words(found, "down", EN) != trend_words(changed, "down", EN)


@given(SERIES, HALVES, st.data())
def test_a_series_with_a_hidden_year_claims_no_change(values, half, data):
    series = trail(*values, half=half)
    at = data.draw(st.integers(0, len(series) - 1))

    found = trend([*series[:at], hidden(2016 + at), *series[at + 1 :]])

    assert found.kind == "untold"
    assert trend_words(found, "up", EN) == "Not every period can be told, so no change over time is claimed."


@given(SERIES, HALVES, st.data())
def test_a_series_of_full_counts_claims_no_change_because_it_has_no_ranges(values, half, data):
    series = trail(*values, half=half)
    at = data.draw(st.integers(0, len(series) - 1))

    found = trend([*series[:at], replace(series[at], low=None, high=None), *series[at + 1 :]])

    assert found.kind == "bare"
    assert trend_words(found, "up", EN) == "No range is known for these numbers, so no change over time is claimed."


def test_a_hidden_year_among_full_counts_is_told_as_hidden():
    series = [replace(e, low=None, high=None) for e in trail(3, None, 5)]

    assert trend(series).kind == "untold"


@given(SERIES, HALVES, st.data())
def test_what_is_hidden_makes_no_difference_to_the_sentence(values, half, data):
    series = trail(*values, half=half)
    at = data.draw(st.integers(0, len(series) - 1))
    one, other = (
        trend([*series[:at], replace(hidden(2016 + at), note=note), *series[at + 1 :]]) for note in ("few", "fewer")
    )

    assert one == other


def test_the_sentence_names_the_year_that_it_reaches_back_to():
    found = trend(trail(50, 20, 40, 42, 41, 20))

    assert trend_words(found, "down", EN) == "Better in 2021 than in any year since 2018."
    assert trend_words(found, "up", EN) == "Worse in 2021 than in any year since 2018."
    assert trend_words(found, "neutral", EN) == "Lower in 2021 than in any year since 2018."


def test_adding_one_lower_year_changes_the_sentence():
    before, after = trend(trail(50, 40, 42, 20)), trend(trail(50, 40, 15, 20))

    assert trend_words(before, "down", EN) == "Better in 2019 than in any year since 2016."
    assert trend_words(after, "down", EN) == "Better in 2019 than in 2016."


def test_ranges_that_overlap_make_no_change():
    found = trend(trail(50, 51, 49, 50.5))

    assert trend_words(found, "down", EN) == "No clear change from 2016 to 2019."


def test_a_year_that_was_not_released_ends_the_record():
    series = [point(2018, 50), point(2020, 50), point(2021, 51), point(2022, 20)]

    found = trend(series)

    assert (found.kind, found.since) == ("record", "2020")


def test_nothing_is_compared_across_a_change_of_what_is_counted():
    series = trail(90, 91, 50, 50.5)

    assert trend(series).kind == "apart"
    assert trend(series, breaks=[(date(2018, 1, 1), "new form")]).kind == "same"


def test_one_period_is_no_trend():
    assert trend_words(trend(trail(5.0)), "up", EN) == "There is not yet more than one period to compare."


def course(variation: str, values: tuple[float, ...], *, is_kept: bool = True, begun: str = "2017") -> Course:
    n = len(values)
    periods = tuple(str(2016 + i) for i in range(n))
    limits = ((50.0,) * n, (40.0,) * n, (60.0,) * n)
    return Course(Cell(periods[-1]), periods, values, *limits, ("none",) * n, variation, "", "ok", begun, is_kept)


def told_of(variation: str, *values: float, direction: str = "down", is_kept: bool = True) -> str:
    return trend_words(trend(trail(*values), course=course(variation, values, is_kept=is_kept)), direction, EN)


def test_a_signal_is_told_since_the_period_from_which_all_lie_outside_the_limits():
    assert told_of("improvement low", 50, 49, 48, 39, 38) == "Better than its usual ups and downs since 2019."
    assert told_of("concern high", 50, 61, 48, 62) == "Worse than its usual ups and downs since 2019."


def test_a_signal_within_the_limits_is_told_as_a_side_of_the_usual_level():
    assert told_of("improvement low", 51, 49, 48, 49) == "On the better side of its usual level since 2017."
    assert told_of("neutral high", 49, 51, 51.5, direction="neutral") == "Above its usual level since 2017."


@given(st.lists(st.floats(30, 70), min_size=3, max_size=12), st.sampled_from(["improvement high", "concern low"]))
def test_a_signal_holds_for_every_period_that_it_is_told_of(values, variation):
    made = course(variation, tuple(values))
    found = trend(trail(*values), course=made)
    assume(found.kind in ("signal", "side"))

    since = values[made.periods.index(found.since) :]
    line = {"signal": {"above": 60, "below": 40}, "side": {"above": 50, "below": 50}}[found.kind][found.move]

    assert all(v > line if found.move == "above" else v < line for v in since)


@pytest.mark.parametrize(("variation", "is_kept"), [("common cause", True), ("improvement low", False), ("", True)])
def test_what_may_be_chance_is_no_signal(variation, is_kept):
    assert told_of(variation, 50, 51, 39, is_kept=is_kept).startswith("Better in 2018")
    assert told_of(variation, 50, 51, 49.5, is_kept=is_kept) == "No clear change from 2016 to 2018."


def test_months_quarters_and_years_are_called_by_their_names():
    months = [replace(e, cell=Cell(f"2025-{i + 1:02}")) for i, e in enumerate(trail(50, 51, 20))]
    quarters = [replace(e, cell=Cell(f"2025-Q{i + 1}")) for i, e in enumerate(trail(50, 51, 20))]

    assert trend_words(trend(months), "down", EN) == "Better in Mar 2025 than in any month since Jan 2025."
    assert trend_words(trend(quarters), "down", EN) == "Better in Q3 2025 than in any quarter since Q1 2025."


@given(st.floats(0, 1), st.floats(0.01, 0.3), st.floats(0, 1), st.sampled_from(["met", "not met", "cannot tell"]))
def test_a_target_is_told_with_value_range_and_what_was_asked_for(value, half, asked, status):
    e = Estimate(Cell("2025"), "known", value, value - half, value + half)
    told = target_words(e, TargetGap(e.cell, asked, asked, date(2025, 12, 31), status, 0.1), SHARE, "up")

    begin = {"met": "On track", "not met": "Off track", "cannot tell": "Too close to call"}[status]
    assert told.startswith(begin)
    assert SHARE.value(value) in told
    assert SHARE.value(asked) in told


def test_a_hidden_number_is_held_against_no_target():
    target = TargetGap(Cell("2025"), 0.5, 0.5, date(2025, 12, 31), "hidden", None)

    told = target_words(Estimate(Cell("2025"), "hidden"), target, SHARE, "up")

    assert told == "There is no value to hold against the target, at least 50.0%."


@given(st.lists(st.sampled_from(["better", "worse", "not different", "cannot tell"]), min_size=1, max_size=40))
def test_places_that_differ_are_counted_and_no_others(standings):
    told = places_words([PlaceStanding(Cell(place=str(i)), s, False, None) for i, s in enumerate(standings)], "up", EN)

    assert (f"{standings.count('worse')} " in told and "worse off" in told) == ("worse" in standings)
    assert ("better off" in told) == ("better" in standings)
    is_neutral = not {"better", "worse"} & set(standings)
    assert (told == "No place clearly differs from the city as a whole.") == is_neutral


def gap(group: str, value: float, *, is_certain: bool, standing: str) -> GroupGap:
    return GroupGap(
        Cell("2025", dimension="language", group=group), "English", value, 40.0, value - 40, None, None, None, None,
        None, is_certain, "cannot tell", standing,
    )  # fmt: skip


def test_the_headline_of_groups_speaks_of_those_left_behind_first():
    gaps = [
        gap("Spanish", 50.0, is_certain=True, standing="worse"),
        gap("Other", 10.0, is_certain=True, standing="better"),
        gap("Vietnamese", 90.0, is_certain=False, standing="cannot tell"),
    ]

    assert gaps_words(gaps, RATE) == "Worse for Spanish: 50.0, against 40.0 for English (2025)."


@given(st.lists(st.tuples(st.floats(1, 100), st.booleans()), min_size=1, max_size=6))
def test_a_gap_is_told_only_when_it_is_certain(found):
    gaps = [gap(str(i), v, is_certain=c, standing="worse" if c else "cannot tell") for i, (v, c) in enumerate(found)]

    assert (largest_gap(gaps) is None) == (not any(c for _, c in found))
    is_neutral = gaps_words(gaps, RATE) == "No difference between groups is larger than its margin of error."
    assert is_neutral == (not any(c for _, c in found))
