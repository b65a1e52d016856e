from __future__ import annotations

import re
from dataclasses import replace

import invented_scores as scores
import pytest
from hypothesis import given
from hypothesis import strategies as st
from printed import shown, without_codes

from metroon.base.scorecard import GoalPage
from metroon.serve import INVENTED, digest_markdown, digest_page
from metroon.serve.terminal.digest import last_words
from metroon.serve.terminal.markdown import escaped

PAGES = scores.pages()
FOUR, EMPTY = PAGES
MARK = re.compile(r"(?<!\\)[`*_\[\]<>|#~]")


def page_of(*pages: GoalPage, **way: object) -> str:
    return shown(digest_page(pages or (FOUR,)), **{"width": 100, **way})  # type: ignore[arg-type]


def table_rows(text: str) -> list[list[str]]:
    """Cells of all table rows, split at pipes that are not escaped."""
    found = [line for line in text.splitlines() if line.startswith("|")]
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in found]


def test_a_goal_of_four_measures_fits_on_one_printed_page():
    assert 66 > len(page_of(replace(FOUR, warnings=(), not_answered=())).splitlines())


def test_the_outcome_stands_first_and_who_answers_for_it():
    page = page_of().splitlines()

    assert page[1:3] == ["ANSWERS", "Whoever asks gets an answer."]
    assert page[3] == "Invented office · Invented steward · as of 2015-07-15 · published 2015-07-10"


def test_each_measure_tells_value_target_signal_baseline_gap_places_words_and_money():
    one = page_of(replace(FOUR, scores=FOUR.scores[:1]))

    assert "85.0 % (81.6–87.9) of requests · 2015-06 · revised figure · outcome" in one
    assert re.search(r"target +✗ not met, 5\.0 points below", one)
    assert re.search(r"signal +▲ improvement since 2015-05, beyond the limits · ✗ fails the target", one)
    assert re.search(r"baseline +clearly 9\.0 points higher", one)
    assert re.search(r"gap +- worse  Spanish: 70\.0 % beside 85\.1 % of English", one)
    assert re.search(r"places +-\+==\?=#o_=  Council districts \(2015\), 2014", one)
    assert re.search(r"told +the action: Two clerks start\.  Invented director, 2015-06-01", one)
    assert re.search(r"money +Call center", one)
    assert "! late: 12 days behind the promise" in one


def test_without_a_certain_gap_that_is_said():
    uncertain = replace(FOUR.scores[0], gaps=FOUR.scores[0].gaps[1:])

    assert re.search("gap +no certain gap between groups", page_of(replace(FOUR, scores=(uncertain,))))


def test_not_enough_data_has_a_sign_of_its_own_and_every_sign_its_words():
    page = " ".join(page_of().split())

    assert "one sign a place: + better, - worse, = not different, ? not enough data, # hidden for privacy" in page


def test_signs_do_not_need_colour():
    coloured = without_codes(page_of(terminal=True, colour=True))

    assert coloured == without_codes(page_of(terminal=True))


def test_warnings_and_what_cannot_be_answered_stand_below():
    page = page_of()

    assert "! goal answers has outputs only" in page
    assert "Rent: cannot be answered, because no product 'rents'" in page


def test_a_goal_without_measures_still_has_its_page():
    assert "HOMES" in page_of(EMPTY)
    assert "# Homes\n\n**Everybody has a home.**" in digest_markdown([EMPTY])


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("terminal", [True, False])
def test_no_line_is_wider_than_the_page(width, terminal):
    page = without_codes(page_of(*PAGES, width=width, terminal=terminal))

    assert width >= max(map(len, page.splitlines()))


def test_words_that_still_hold_come_before_newer_ones_that_expired():
    expired, current = FOUR.scores[0].words
    newer = replace(expired, on=scores.TODAY)

    assert current == last_words(replace(FOUR.scores[0], words=(newer, current)))
    assert newer == last_words(replace(FOUR.scores[0], words=(expired, newer)))
    assert last_words(replace(FOUR.scores[0], words=())) is None


def test_expired_words_are_marked_on_both_faces():
    expired = replace(FOUR.scores[0], words=FOUR.scores[0].words[:1])
    page = replace(FOUR, scores=(expired,))

    assert "EXPIRED 2015-04-01" in page_of(page)
    assert "expired 2015-04-01" in digest_markdown([page])


def test_an_invented_city_is_labelled_on_every_page():
    assert 2 == shown(digest_page(PAGES, is_invented=True)).count(INVENTED)
    assert 2 == digest_markdown(PAGES, is_invented=True).count(INVENTED)
    assert INVENTED not in digest_markdown(PAGES)


def test_markdown_has_a_page_for_each_goal():
    told = digest_markdown(PAGES)

    assert ["# Answers", "# Homes"] == re.findall("^# .*$", told, re.MULTILINE)
    assert 1 == told.count('<div style="break-after: page"></div>')


def test_markdown_tables_have_as_many_cells_in_each_row():
    rows = table_rows(digest_markdown([FOUR]))
    widths = [len(row) for row in rows]

    assert widths == [6] * 6 + [4] * 6
    assert [i for i, row in enumerate(rows) if {c.strip() for c in row} == {"---"}] == [1, 7]


def test_markdown_tells_the_same_verdicts():
    told = digest_markdown([FOUR])

    assert "| ✗ not met, 5.0 points below (at least 90.0 % by 2015-06-30) |" in told
    assert "▲ improvement since 2015-05, beyond the limits; ✗ fails the target" in told
    assert "| `-+==?=#o_=` |" in told
    assert "- **Warning:** goal answers has outputs only" in told
    assert "- **Rent:** cannot be answered, because no product 'rents'" in told


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=40))
def test_no_mark_in_words_of_people_is_read_as_markdown(words):
    told = escaped(words)

    assert not MARK.search(told.replace("\\\\", ""))
    assert len(told.splitlines()) <= 1
    assert not re.match(r"([-+>]|\d+[.)])\s", told)


@given(st.text("ab|`*#-_ \n<", max_size=20))
def test_a_title_of_any_signs_breaks_no_table(words):
    named = replace(FOUR.scores[0], measured=replace(FOUR.scores[0].measured, title=words or "x"))
    rows = table_rows(digest_markdown([replace(FOUR, scores=(named,))]))

    assert {6, 4} == {len(row) for row in rows}
    assert 6 == len(rows)


@pytest.mark.parametrize("bad", ["[red]x[/red]", "a\x1b[31mb\u202ec"])
def test_markup_and_control_codes_stay_text(bad):
    page = replace(FOUR, outcome=bad, owner=bad)

    assert not re.search("[\x1b\u202e]", page_of(page) + digest_markdown([page]))
    assert "[red]" not in bad or "[red]x[/red]" in page_of(page)
