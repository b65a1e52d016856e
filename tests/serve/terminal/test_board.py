from __future__ import annotations

import re
from dataclasses import replace

import invented
import invented_scores as scores
import pytest
from printed import shown, without_codes

from metroon.base.scorecard import Score
from metroon.serve import INVENTED, measure_board, scoreboard

ALL = [scores.score(), scores.crashes(), scores.stock(), scores.unanswered()]


def board(*told: Score, **way: object) -> str:
    page = measure_board(told or ALL, [scores.lacking()], changes=scores.changes())
    return shown(page, **{"width": 120, **way})  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_measure_is_on_the_board(width):
    page = board(width=width)

    assert [s.measured.title for s in ALL if s.measured.title not in page] == []


def test_a_row_tells_value_interval_period_target_and_signal():
    page = board()

    assert re.search(r"! Requests answered in time +85\.0 % \(81\.6–87\.9\) +2015-06 +✗ not met +▲ improvement", page)
    assert re.search(r"Beds that are taken +230 \(no interval\) +FY 2014-15 +✗ not met +no verdict", page)
    assert re.search(r"Injury crashes +79\.3 \(77\.6–81\.1\) +2014 +no target +no verdict", page)


def test_a_narrow_board_tells_assurance_too_and_loses_nothing():
    page = board(width=80)

    assert "85.0 % (81.6–87.9) · 2015-06 · ✗ not met · ▲ improvement · ✗ fails" in page


def test_what_cannot_be_answered_says_why():
    assert "Pedestrians hit, by age: cannot be answered, because the table has no date and no place" in board()


def test_a_measure_without_a_release_says_why_and_how_to_put_it_right():
    page = board()

    assert "✗ NO RELEASE: 1" in page
    assert "Rent: cannot be answered, because no product 'rents'." in page
    assert "Fix: Did you mean 'rent'?" in page


def test_measures_stand_under_their_goals_and_those_of_none_last():
    stray = replace(scores.crashes(), chain=())
    page = shown(measure_board([stray, scores.score(), scores.stock()]), width=120)

    assert page.index("ANSWERS") < page.index("Requests answered") < page.index("OF NO GOAL") < page.index("Injury")


def test_what_changed_stands_above_when_it_is_known():
    page = board()

    assert page.index("REALLY CHANGED SINCE 2015-04-01: 3") < page.index("ANSWERS")
    assert "REALLY CHANGED" not in shown(measure_board(ALL))


def test_false_alarms_to_expect_stand_beside_the_signals_seen():
    assert "1 signal in the city's series · by chance alone about 0.4 of 1 series would show one" in board()


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("terminal", [True, False])
def test_no_line_is_wider_than_the_terminal(width, terminal):
    page = without_codes(board(width=width, terminal=terminal))

    assert width >= max(map(len, page.splitlines()))


def test_colour_is_only_added():
    assert without_codes(board(terminal=True, colour=True)) == without_codes(board(terminal=True))


def test_a_board_of_nothing_still_prints():
    assert "0 measures" in shown(measure_board([]))


def test_an_invented_city_is_labelled():
    assert INVENTED in shown(measure_board(ALL, is_invented=True))


def test_a_run_tells_target_signal_and_standing_where_they_are_known():
    told = scores.score()
    run = replace(invented.run(), measured=(told.measured, invented.calls()), accounts=(), next_steps=())
    page = " ".join(shown(scoreboard(run, scores=[told]), width=112).split())

    assert "target ✗ not met · ▲ improvement · ✗ fails · 30 unknown" in page
    assert "differ: 2 of 10 Council districts 2015" in page
    assert "worse Spanish: -15.1 (-18.1 to -12.1) points beside English" in page
    assert "better Old Orchard: 57.0 (48.8–65.7)" in page  # of the measure whose score is not known


def test_a_run_without_scores_claims_no_target_or_signal():
    run = replace(invented.run(), measured=(scores.measured(),), accounts=(), next_steps=())

    assert not re.search("target|common cause|improvement", shown(scoreboard(run)))
