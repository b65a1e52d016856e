from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import invented
import invented_scores as scores
import pytest
from printed import shown, without_codes

from metroon.base.scorecard import Score
from metroon.serve import INVENTED, picture, score_page
from metroon.serve.terminal.charts import chart, with_breaks
from metroon.serve.terminal.words import STATES

SCORE = scores.score()
EVERY = [scores.score(), scores.crashes(), scores.stock(), scores.unanswered(), scores.bare_score(invented.requests())]


def page_of(score: Score = SCORE, **way: object) -> str:
    return shown(score_page(score), **{"width": 120, **way})  # type: ignore[arg-type]


def words_of(score: Score = SCORE, **way: object) -> str:
    return " ".join(page_of(score, **way).split())


def test_the_verdict_stands_before_everything_else():
    page = page_of()
    order = ["In 2015-06 it was", "OVER TIME", "TARGET", "GROUPS", "PLACES", "COMPLAINTS", "WHAT PEOPLE SAY", "SERIES"]

    assert sorted(map(page.index, order)) == [page.index(part) for part in order]


def test_the_facts_of_the_headline_are_each_on_a_line():
    page = page_of()

    assert "85.0 % (81.6–87.9) of requests · n 500 · 2015-06 · revised figure · published 2015-07-10" in page
    assert re.search(r"unknown +30 unknown: between 80\.2 % and 85\.8 %", page)
    assert re.search(r"target +✗ not met, 5\.0 points below \(at least 90\.0 % by 2015-06-30\)", page)
    assert re.search(r"signal +▲ improvement since 2015-05, beyond the limits \(its values depend", page)
    assert re.search(r"assurance +✗ fails the target", page)
    assert re.search(r"guard +Requests closed twice: ▲ concern", page)
    assert re.search(r"late +! 12 days behind the promise", page)


@pytest.mark.parametrize(("stage", "words"), [("first", "first figure"), ("final", "final figure")])
def test_the_stage_of_a_figure_is_told(stage, words):
    assert words in page_of(replace(SCORE, stage=stage))


def test_a_break_stands_between_its_two_periods_with_its_reason():
    drawn = chart(SCORE)
    before, after = drawn.line.split("|")

    assert (14, 16) == (len(before), len(after))  # January 2013 to February 2014, and from March 2014 on
    assert "| 2014-03-01: A new list of codes." in page_of()


def test_without_a_break_there_is_no_sign_of_one():
    assert "|" not in chart(replace(SCORE, breaks=())).line
    assert "|" not in chart(replace(SCORE, breaks=((date(2012, 1, 1), "Before all."),))).line


def test_signs_of_signals_stand_below_their_periods():
    drawn = chart(SCORE)

    assert [i for i, c in enumerate(drawn.marks) if c == "^"] == [len(drawn.line) - 2, len(drawn.line) - 1]


def test_a_line_with_breaks_has_one_character_more_for_each():
    assert with_breaks("abc", ["1", "2", "3"], ["2", "3"]) == "a|b|c"


def test_periods_without_a_value_are_gaps_named_by_their_states():
    assert 2 == chart(SCORE).line.count("╌")
    assert "1 late, 1 hidden for privacy" in page_of()


def test_places_and_groups_stand_by_what_they_are_to_reach():
    page = words_of()

    assert "Council districts (2015), 2014 · ✗ 1 not met: District 1 20.0 points below" in page
    assert "? 1 cannot tell · # 1 hidden for privacy" in page
    assert "Language, 2014 · ✓ 1 met: English" in page


def test_parts_of_a_count_are_not_held_against_what_the_whole_is_to_reach():
    target = replace(scores.stock().target, cell=replace(scores.stock().target.cell, dimension="flow", group="in"))
    told = replace(scores.stock().measured, estimates=(
        *scores.stock().measured.estimates, invented.tally(target.cell, 20)))  # fmt: skip

    assert "1 not met" not in page_of(replace(scores.stock(), measured=told, targets=(target,)))


@pytest.mark.parametrize(("period", "told"), [("2014", True), ("2014-Q4", False)])
def test_a_rate_of_a_year_is_not_held_against_the_target_of_a_quarter(period, told):
    place = invented.rate(scores.Cell(period, "area", "a"), 412, 41_000.0)
    target = replace(scores.stock().target, cell=place.cell, gap=80.0)
    one = scores.crashes()
    measured = replace(one.measured, estimates=(*one.measured.estimates, place))
    page = page_of(replace(one, measured=measured, targets=(target,)))

    assert told == ("Alum Creek 80.0 above" in page)
    assert told != ("are not held against the city's target" in page)


def test_old_targets_are_listed_with_the_reason_of_their_end():
    old = "old target, until 2013-01-01: 0.8 by 2014-12-31 (Invented resolution 7, set 2012-01-01); Too low"

    assert f"{old}, last number beside it: ✓ met" in words_of()


def test_a_gap_tells_both_levels_both_distances_and_both_verdicts():
    page = words_of()

    assert "Language · 2014 · beside English (85.1 %)" in page
    assert re.search(r"Spanish 70\.0 % \(67\.1–72\.8\)", page)
    assert "-15.1 (-18.1 to -12.1)" in page
    assert "0.82 (0.78–0.86) times" in page
    assert "- worse · ✗ outside tolerance" in page
    assert "? may be chance" in page
    assert "the reference" in page


def test_the_level_of_everybody_else_is_told_for_each_group():
    gaps = tuple(
        replace(g, reference="everybody else", reference_value=v) for g, v in zip(SCORE.gaps, (0.8, 0.7), strict=True)
    )
    page = words_of(replace(SCORE, gaps=gaps))

    assert "beside everybody else" in page
    assert "80.0 %" in page
    assert "70.0 %" in page


def test_summary_measures_stand_with_their_interval_their_name_and_their_note():
    page = words_of()

    assert "largest minus smallest value 0.151 (0.100–0.200) range" in page
    assert "standard deviation of the groups 0.050 (no interval) bgsd" in page
    assert "range: picked after looking" in page
    assert "without Vietnamese: hidden, or too few to tell" in page


def test_the_unknown_group_is_shown_last_and_compared_with_nobody():
    page = page_of()
    groups = page[page.index("GROUPS") : page.index("largest minus")]

    assert groups.index("group unknown") > groups.index("Vietnamese")
    assert not re.search("times|beside", groups[groups.index("group unknown") :])


def test_places_have_a_sign_each_in_display_order_and_its_words():
    page = words_of(width=120)

    assert "-+==?=#o_=" in page
    assert "1 worse (-): District 1" in page
    assert re.search(r"District 1 70\.0 % \(67\.1–72\.8\) -- clearly worse", page)
    assert "1 not enough data (?)" in page


def test_a_smoothed_number_is_called_borrowed_strength_and_tells_its_own_weight():
    page = page_of()

    assert "borrowed strength" in page
    assert re.search(r"District 2 .* 79\.0 % \(77\.0–81\.0\) +64 %", page)
    assert "Borrowed strength: Each area borrows strength from the mean of 7." in page


def test_who_is_under_represented_is_told_with_both_shares_and_the_margin():
    page = words_of()

    assert "Residents in poverty 12.3 % 15.2 % -2.9 ± 1.2 < under-represented" in page
    assert "Children 20.0 % 20.4 % -0.4 ? cannot tell" in page
    assert "in no share: 15 rows in no area, 1 area hidden for privacy" in page


def test_areas_that_are_short_of_a_resource_are_named_and_those_without_residents_only_counted():
    page = words_of()

    assert "1 area with less of it than of them, in points of share: District 1 -6.0" in page
    assert "2 areas with more of it than of them, in points of share: District 2 +4.0, District 4 +1.5" in page
    assert "1 area without residents of this kind" in page
    assert "Children: no area clearly differs" in page


def test_whether_neighbors_are_alike_stands_below_the_places():
    assert "Neighbors are more alike than chance would make them." in page_of()


def test_complaints_are_marked_with_how_much_gets_reported():
    assert "they tell of those who complain" in page_of()
    assert re.search(r"District 2 +30\.0 % \(25\.0–35\.0\)", page_of())


def test_a_corrected_value_stands_only_where_it_is_no_share_of_a_share():
    covered = (replace(SCORE.covered[0], cell=scores.Cell("2014", "area", "a"), corrected=167.5),)
    page = page_of(replace(scores.crashes(), covered=covered))

    assert "if all were reported (no interval)" in page
    assert "167.5" in page
    assert "if all were reported" not in page_of()


def test_words_have_an_author_and_expired_ones_are_marked():
    page = page_of()

    assert "The office moved.  Invented steward, 2015-01-01, EXPIRED 2015-04-01" in page
    assert "Two clerks start.  Invented director, 2015-06-01, until 2016-06-01" in page


def test_a_new_series_tells_what_changed_and_where_the_old_one_ends():
    page = words_of()

    assert "series 2, published since 2015-01-10 · changed then: numerator, filter" in page
    assert "the series before ends with release 4" in page


def test_states_have_words_of_their_own():
    page = page_of(SCORE) + page_of(scores.unanswered())

    assert [w for state, w in STATES.items() if state != "known" and w not in page] == []


def test_a_value_without_an_interval_never_gets_a_width():
    page = page_of(scores.stock())

    assert "230 (no interval) beds · FY 2014-15" in page
    assert "(230" not in page


@pytest.mark.parametrize("direction", ["neutral", "within"])
@pytest.mark.parametrize("score", EVERY)
def test_without_a_direction_nothing_is_better_or_worse(score, direction):
    told = replace(score.measured, direction=direction)
    standing = tuple(replace(p, standing="higher") for p in score.places)
    gaps = tuple(replace(g, standing="higher") for g in score.gaps)
    course = replace(score.course, variation="neutral high") if score.course is not None else None
    neutral = replace(
        score, measured=told, places=standing, gaps=gaps, course=course, guard_metric=("", ""), covered=()
    )

    assert not re.search("better|worse|improve|concern", page_of(neutral))


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("score", EVERY)
def test_no_line_is_wider_than_the_terminal(score, width, terminal):
    page = without_codes(page_of(score, width=width, terminal=terminal))

    assert width >= max(map(len, page.splitlines()))


@pytest.mark.parametrize("score", EVERY)
def test_colour_is_only_added(score):
    coloured = without_codes(page_of(score, terminal=True, colour=True))

    assert coloured == without_codes(page_of(score, terminal=True))


@pytest.mark.parametrize("width", [80, 120])
def test_no_name_or_sign_is_lost_in_a_narrow_terminal(width):
    page = words_of(width=width)
    names = [*(f"District {i} " for i in range(1, 11)), "Spanish", "Korean", "Vietnamese", "English", "64 %"]

    assert [name for name in names if name not in page] == []


def test_markup_and_control_codes_in_words_are_shown_as_they_are():
    bad = "[red]x[/red] :smile: a\x1b[31m\u202eb"
    words = replace(SCORE.words[1], text=bad, author=bad)
    page = page_of(replace(SCORE, words=(words,), late=bad, breaks=((date(2014, 3, 1), bad),)))

    assert page.count("[red]x[/red] :smile:") == 4
    assert not re.search("[\x1b\u202e]", page)


def test_an_invented_city_is_labelled_and_a_real_one_is_not():
    assert INVENTED in shown(score_page(SCORE, is_invented=True))
    assert INVENTED not in shown(score_page(SCORE))


def test_the_page_makes_a_picture_that_loads_nothing():
    svg = picture(score_page(SCORE, is_invented=True), "metroon show answered_in_time")

    assert {"http://www.w3.org/2000/svg"} == set(re.findall(r"\w+://[^\"')\s]+", svg))


def test_a_failed_measure_shows_why_above_its_last_release():
    failed = scores.bare_score(invented.broken())

    assert "M104: no product 'rents'." in page_of(failed)
