from __future__ import annotations

import json
import re
from dataclasses import replace

import invented_scores as scores
import pytest
from hypothesis import given
from hypothesis import strategies as st
from printed import shown

from metroon.base.estimate import Cell
from metroon.base.scorecard import Covered, GoalPage, PastTarget, Score, TargetGap
from metroon.serve import digest_markdown, digest_page, measure_board, picture, score_dict, score_page, scoreboard
from metroon.serve.terminal.bare import bared

SCORE = scores.score()
LEAK = {"value": 0.31337, "low": 0.3, "high": 0.33, "events": 31337, "base": 31337.0, "unknown": 3}
TRACE = re.compile(r"31[.,]?337|0\.313|31\.3")


def everything(score: Score) -> list[str]:
    """Every face of a score."""
    page = GoalPage("g", "Goal", "An outcome.", "", "", (score,))
    run = replace(scores.invented.run(), measured=(score.measured,), accounts=(), next_steps=())
    parts = [score_page(score), measure_board([score]), digest_page([page]), scoreboard(run, scores=[score])]
    ways = [{"width": 80}, {"width": 120, "terminal": True}]
    printed = [shown(part, **way) for part in parts for way in ways]
    return [*printed, picture(parts[0], "t"), digest_markdown([page]), json.dumps(score_dict(score), allow_nan=False)]


def with_leaks(score: Score) -> Score:
    """The same score, with numbers left by mistake in and beside every cell that is to have none."""
    told = score.measured
    estimates = tuple(e if e.state in ("known", "cannot tell") else replace(e, **LEAK) for e in told.estimates)
    hidden, group = scores.place("7"), scores.group("Vietnamese")
    course = score.course
    assert course is not None
    i = course.periods.index("2014-09")
    return replace(
        score,
        measured=replace(told, estimates=estimates),
        targets=tuple(replace(t, status="not met", gap=-0.31337) if t.cell == hidden else t for t in score.targets),
        gaps=(*score.gaps, replace(score.gaps[0], cell=group, value=0.31337)),
        places=(*score.places, replace(score.places[0], cell=hidden, smoothed=0.31337)),
        covered=(*score.covered, Covered(hidden, 0.5, 0.4, 0.6, 0.31337)),
        course=replace(course, values=(*course.values[:i], 0.31337, *course.values[i + 1 :])),
        disparities=tuple(
            replace(d, areas=(*d.areas, replace(d.areas[0], cell=hidden, difference=0.31337)))
            for d in score.disparities
        ),
        courses=(
            *score.courses,
            replace(course, cell=hidden, periods=("2014",), values=(0.31337,), signals=("trend",)),
        ),
    )


def test_the_leaks_are_of_cells_without_a_value():
    i = scores.MONTHS.index("2014-09")

    assert SCORE.measured.estimates[i].state == "hidden"
    assert TRACE.search(str(with_leaks(SCORE)))


def test_a_number_left_beside_a_hidden_cell_is_in_no_page_picture_or_file():
    assert [page for page in everything(with_leaks(SCORE)) if TRACE.search(page)] == []


def test_a_leak_changes_nothing_that_is_shown():
    leaked = replace(with_leaks(SCORE), covered=SCORE.covered)

    assert everything(SCORE) == everything(leaked)


def test_a_hidden_reference_takes_its_gaps_along():
    hidden = replace(SCORE.measured, estimates=tuple(
        replace(e, state="hidden") if e.cell == scores.group("English") else e for e in SCORE.measured.estimates
    ))  # fmt: skip

    assert bared(replace(SCORE, measured=hidden)).gaps == ()


@pytest.mark.parametrize("state", ["hidden", "late", "no exposure", "not collected", "cannot be answered"])
def test_a_city_without_a_value_has_no_verdict_of_any_kind(state):
    city = Cell(scores.NOW)
    told = tuple(replace(e, state=state) if e.cell == city else e for e in SCORE.measured.estimates)
    bare = bared(replace(SCORE, measured=replace(SCORE.measured, estimates=told)))

    assert (bare.baseline, bare.course.variation, bare.target.status, bare.target.gap) == (None, "", state, None)
    assert {None} == {t.status for t in bare.past_targets}


@given(st.sets(st.sampled_from(["1", "2", "3", "4", "6", "10"])))
def test_only_places_with_a_value_keep_a_standing(hidden):
    cells = {scores.place(k) for k in hidden}
    told = tuple(replace(e, state="hidden") if e.cell in cells else e for e in SCORE.measured.estimates)
    bare = bared(replace(SCORE, measured=replace(SCORE.measured, estimates=told)))

    assert {p.cell for p in SCORE.places} - cells == {p.cell for p in bare.places}
    assert not any(t.gap for t in bare.targets if t.cell in cells)


def test_what_is_bare_stays_as_it_is():
    assert bared(SCORE) == bared(bared(SCORE))
    assert (SCORE.targets, SCORE.gaps, SCORE.places) == (bared(SCORE).targets, bared(SCORE).gaps, bared(SCORE).places)


def test_a_target_of_a_cell_that_was_not_released_goes():
    stray = TargetGap(scores.place("99"), 0.9, 0.9, scores.TODAY, "met", 0.05)

    assert stray not in bared(replace(SCORE, targets=(stray,))).targets
    assert isinstance(SCORE.past_targets[0], PastTarget)
