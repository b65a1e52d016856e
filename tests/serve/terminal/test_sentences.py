from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import get_args

import invented_scores as scores
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.estimate import Cell, without_value
from metroon.base.scorecard import Change, TargetGap
from metroon.measure.signals import Variation
from metroon.serve.terminal.sentences import (
    assurance_words,
    change_words,
    largest_gap_words,
    target_words,
    value_words,
    variation_words,
    verdict,
)
from metroon.serve.terminal.words import VARIATIONS, Scale

SCORE = scores.score()
POINTS = Scale(is_share=True, decimals=1)
TREND = re.compile(r"improv|concern|worsen|better|worse|rising|falling|higher than usual|lower than usual")


def with_target(status: str, gap: float | None, low: float = 0.9, high: float = 0.9) -> TargetGap:
    return TargetGap(Cell(scores.NOW), low, high, date(2015, 6, 30), status, gap)  # type: ignore[arg-type]


def test_the_verdict_is_one_sentence_of_value_target_signal_and_baseline():
    expected = (
        "In 2015-06 it was 85.0 % (81.6–87.9) of requests; the target of at least 90.0 % is not met, "
        "it is 5.0 points below it; the last month is a signal of improvement, begun in 2015-05; "
        "it is clearly 9.0 points higher (4.0–14.0) than in 2013-01 (76.0 %)."
    )

    assert expected == verdict(SCORE)


@given(st.floats(-0.5, 0.5), st.floats(0, 0.5), st.sampled_from(["up", "down", "neutral"]))
def test_two_points_are_never_called_an_improvement(difference, half, direction):
    change = Change("2013-01", 0.5, difference, difference - half, difference + half, half < abs(difference))
    told = replace(SCORE.measured, direction=direction)

    assert not TREND.search(verdict(replace(SCORE, measured=told, course=None, baseline=change)))


@pytest.mark.parametrize("variation", get_args(Variation))
def test_improvement_and_concern_are_said_only_of_such_a_signal(variation):
    told = verdict(replace(SCORE, course=replace(scores.course(), variation=variation)))

    assert ("improvement" in told) == variation.startswith("improvement")
    assert ("concern" in told) == variation.startswith("concern")


@given(st.floats(-2, 2), st.floats(0, 1))
def test_a_change_that_may_be_chance_says_so(difference, half):
    is_certain = abs(difference) > half
    told = change_words(
        Change("2013", 0.5, difference, difference - half, difference + half, is_certain), POINTS
    )  # fmt: skip

    assert ("clearly" in told) <= is_certain
    assert is_certain or "may be chance" in told or "the same" in told


def test_a_change_without_an_interval_claims_no_certainty():
    told = change_words(Change("2013", 0.5, 0.1, None, None, True), POINTS)

    assert told == "10.0 points higher (no interval) than in 2013 (50.0 %)"


def test_around_a_target_nobody_can_tell():
    told = verdict(replace(SCORE, target=with_target("cannot tell", -0.01)))

    assert "whether the target of at least 90.0 % is met, nobody can tell" in told
    assert "not met" not in told


def test_a_number_of_no_time_is_held_against_no_dated_target():
    told = verdict(replace(SCORE, target=with_target("cannot be answered", None)))

    assert "beside the target of at least 90.0 %: cannot be answered;" in told


def test_a_band_is_told_by_both_ends():
    told = target_words(scores.stock())

    assert told == "✗ not met, 12 above (between 129 and 218 by 2015-06-30)"


@pytest.mark.parametrize(
    ("direction", "words"), [("up", "at least 90.0 %"), ("down", "at most 90.0 %"), ("within", "at least 90.0 %")]
)
def test_a_target_is_a_least_or_a_most_by_its_direction(direction, words):
    assert words in target_words(replace(SCORE, measured=replace(SCORE.measured, direction=direction)))


def test_a_value_on_its_target_is_not_said_to_lie_beside_it():
    assert target_words(replace(SCORE, target=with_target("met", 0.0))).startswith("✓ met, on it (")


def test_a_value_without_an_interval_says_so():
    stock = scores.stock()

    assert value_words(stock.city, stock.measured) == "230 (no interval) beds"


def test_without_a_value_the_state_and_its_reason_are_told():
    city = without_value(Cell(scores.NOW), "late", "the data have not come")
    told = verdict(replace(SCORE, city=city))

    assert told == "In 2015-06 there is no value for the whole city, late: the data have not come."


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("trial limits", "limits on trial: too few periods for a verdict"),
        ("run chart only", "run chart only: too few periods for limits"),
        ("no variation", "no variation: always the same value"),
        ("ok", "no verdict on the last period: it has no value"),
    ],
)
def test_a_chart_without_a_verdict_says_why(state, words):
    assert words == variation_words(replace(scores.course(), variation="", state=state))


def test_a_signal_tells_since_when_and_by_which_rule():
    assert variation_words(scores.course()) == "▲ improvement since 2015-05, beyond the limits"


def test_a_signal_that_many_series_would_show_by_chance_is_marked():
    weak = replace(scores.course(), is_kept=False)

    assert "may be chance" in variation_words(weak)
    assert "may be chance" in verdict(replace(SCORE, course=weak))


def test_the_arrow_tells_where_the_value_lies_and_the_word_what_that_means():
    falling = replace(scores.course(), variation="improvement low")

    assert variation_words(falling).startswith("▼ improvement")
    assert {"▲", "▼"} == {s.sign for k, s in VARIATIONS.items() if k != "common cause"}


def test_assurance_is_told_only_where_there_is_a_verdict():
    told = [assurance_words(replace(scores.course(), assurance=a)) for a in ("consistently passes", "hit or miss", "")]

    assert told == ["✓ passes the target", "? hit or miss", ""]


def test_the_largest_certain_gap_has_both_levels_its_difference_and_its_ratio():
    expected = "Spanish: 70.0 % beside 85.1 % of English in 2014; -15.1 (-18.1 to -12.1) points, 0.82 (0.78–0.86) times"

    assert expected == largest_gap_words(SCORE)


def test_uncertain_gaps_are_no_certain_gap_and_no_gaps_are_no_comparison():
    uncertain = replace(SCORE, gaps=SCORE.gaps[1:])

    assert largest_gap_words(uncertain) == "no certain gap between groups"
    assert largest_gap_words(replace(SCORE, gaps=())) == "no groups are compared"
