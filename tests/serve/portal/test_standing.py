"""What may be said of a number beside its target: decided in one place, by the whole interval."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.estimate import STATES, Cell, Estimate, without_value
from metroon.base.scorecard import PlaceStanding, TargetGap
from metroon.serve.figures import Figures
from metroon.serve.standing import (
    Verdict,
    absence,
    beside_tone,
    beside_words,
    status,
    tallies,
    tone,
    verdict,
    verdict_words,
)
from metroon.serve.terminal.words import Scale
from metroon.serve.words import Words

EN = Words("en")
KNOWN = Estimate(Cell("2025"), "known", 0.5, 0.4, 0.6)
WITH_TARGET = ("on track", "off track", "too close", "too wide", "hidden", "no exposure", "late", "not collected",
               "cannot be answered", "cannot be judged")  # fmt: skip


def target(status: str) -> TargetGap:
    return TargetGap(Cell("2025"), 0.5, 0.5, date(2025, 12, 31), status, None)


@pytest.mark.parametrize(
    ("held", "expected"), [("met", "on track"), ("not met", "off track"), ("cannot tell", "too close")]
)
def test_the_interval_beside_the_target_decides(held, expected):
    assert expected == verdict(KNOWN, target(held))


def test_a_number_without_an_interval_that_nobody_can_tell_is_too_few_not_too_close():
    e = Estimate(Cell("2025"), "cannot tell", 0.5)

    assert verdict(e, target("cannot tell")) == "too wide"


@pytest.mark.parametrize("state", [s for s in STATES if s not in ("known", "cannot tell")])
def test_without_a_value_nothing_is_on_or_off_track(state):
    found = status(without_value(Cell("2025"), state, ""), target(state), EN)

    assert found.tone == "mute"
    assert absence(without_value(Cell("2025"), state, ""), EN, minimum=11)


def test_a_number_of_no_day_is_not_judged_by_a_dated_target():
    assert verdict(KNOWN, target("cannot be answered")) == "cannot be judged"


def test_no_target_is_no_verdict():
    assert verdict(KNOWN, None) == "no target"


def test_only_whole_intervals_are_green_or_red():
    assert {v for v in get_args(Verdict) if tone(v) in ("good", "bad")} == {"on track", "off track"}


def test_every_verdict_has_words():
    assert all(verdict_words(v, EN) for v in get_args(Verdict))


@given(st.lists(st.sampled_from(WITH_TARGET), max_size=30))
def test_counts_add_up_to_all_results_with_a_target(verdicts):
    assert len(verdicts) == sum(t.count for t in tallies(verdicts, EN))


def test_hidden_results_are_counted_with_those_of_too_few():
    told = tallies(["hidden", "too wide", "on track"], EN)

    assert [(t.verdict, t.count) for t in told] == [("on track", 1), ("too wide", 2)]


def test_hidden_numbers_say_whom_they_protect():
    told = absence(Estimate(Cell("2025"), "hidden"), EN, minimum=11)

    assert told == "Hidden to protect people: it could tell of a group of fewer than 11."


def test_a_place_beside_the_city_is_green_or_red_only_where_that_has_a_direction():
    tones = {
        s: beside_tone(PlaceStanding(Cell(), s, False, None)) for s in ("better", "worse", "higher", "cannot tell")
    }

    assert tones == {"better": "good", "worse": "bad", "higher": "mute", "cannot tell": "mute"}
    assert beside_words(None, EN) == ""


@given(st.floats(0, 1), st.floats(0, 0.2), st.booleans())
def test_an_interval_is_never_written_as_a_point(low, width, is_share):
    figures = Figures(EN, Scale(is_share=is_share, decimals=1))
    told = figures.interval(low, low + width)

    first, _, last = told.partition(" to ")
    assert told == "no range known" or first != last


@given(st.floats(-0.9, 0.9))
def test_no_number_is_written_as_minus_zero(x):
    for figures in (Figures(EN, Scale(is_share=True, decimals=1)), Figures(EN, Scale(is_share=False, decimals=0))):
        assert figures.value(x) not in ("-0", "-0.0%")
        assert figures.signed(x).strip("+") != "-0"


def test_numbers_are_written_as_each_language_writes_them():
    told = [Figures(Words(n), Scale(is_share=False, decimals=1)).value(1234.5) for n in ("en", "es", "vi")]

    assert told == ["1,234.5", "1.234,5", "1.234,5"]
