"""The plan on its page: nothing of it is typed, and nothing that cannot be checked passes for done."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from village import Village, catalog

from metroon.base.plan import Action, ActionState, Evidence, Milestone, PlanStatus, Principle, Role, Step
from metroon.serve.app import app
from metroon.serve.pages.plan import counted, headline, sheet, sign
from metroon.serve.words import Words

STATES = get_args(ActionState)
EN = Words("en")
JULY = date(2026, 7, 1)


def evidence(is_passed: bool | None = True, **more: object) -> Evidence:
    return replace(Evidence("products", "Every dataset has a steward.", "3 of 3 have one.", is_passed, JULY), **more)


def action(id: str, state: ActionState = "on track", **more: object) -> Action:
    told = Action(
        id, "one", f"Do {id}", "lead", "Lights (invented)", JULY, date(2026, 9, 1), date(2026, 9, 1), "", (), state,
        f"Why {id}.", (evidence(),),
    )  # fmt: skip
    return replace(told, **more)


def plan(*actions: Action, **more: object) -> PlanStatus:
    told = PlanStatus(
        "Light for all", "Resolution 1 (invented)", JULY, date(2028, 12, 31), JULY,
        (Principle("open", "People can check it.", "Trust.", ("dark", "gone")),),
        (Step("one", "Begin", "open", actions),), "Follows the Metroon template.",
    )  # fmt: skip
    return replace(told, **more)


def shown(status: PlanStatus | None, path: str = "/plan") -> str:
    client = TestClient(app(Village(replace(catalog(), plan=status))), base_url="http://village.example")
    answer = client.get(path)
    assert 200 == answer.status_code
    return answer.text


plans = st.lists(st.sampled_from(STATES), max_size=8).map(
    lambda found: plan(*(action(f"a{i}", s) for i, s in enumerate(found)))
)


@given(plans)
def test_the_headline_says_that_all_is_done_only_when_all_is_done(status):
    n = status.counts()

    is_all = sum(n.values()) > 0 and n["done"] == sum(n.values())

    assert is_all == (headline(status, EN) == "Every action of the plan is done.")


@given(plans)
def test_a_headline_without_trouble_means_that_no_action_is_late_reopened_or_blocked(status):
    n = status.counts()

    said = headline(status, EN)

    assert (n["late"] + n["reopened"] + n["blocked"] > 0) == ("attention" in said)


@given(plans)
def test_the_counts_of_the_sentence_add_up_to_all_actions(status):
    numbers = [int(word) for word in counted(status, EN).replace(":", " ").split() if word.isdigit()]

    assert sum(status.counts().values()) == sum(numbers)
    assert len(STATES) == len(numbers)


def test_what_cannot_be_checked_is_never_shown_as_done():
    told = sign("not checkable", EN)

    assert ("mute", "Not checkable") == (told.tone, told.word)
    assert "None of the actions can be checked yet." == headline(plan(action("a", "not checkable")), EN)


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_word_of_its_own(state):
    words = [sign(s, EN).word for s in STATES]

    assert 1 == words.count(sign(state, EN).word)


def test_an_action_shows_its_state_owner_reason_and_what_was_found():
    page = shown(plan(action("a", "late"), roles=(Role("lead", "Head of lights", "Leads.", "", "Lights", JULY),)))

    for said in ("Late", "Why a.", "Head of lights", "vacant", "3 of 3 have one.", "Evidence that holds: 1 of 1"):
        assert said in page


def test_a_due_day_that_was_moved_shows_the_first_day_and_the_reason():
    page = shown(plan(action("a", first_due=date(2026, 3, 31), moved="The post was advertised twice.")))

    assert "First due Mar 31, 2026" in page
    assert "The post was advertised twice." in page


def test_a_question_that_could_not_be_asked_is_not_told_as_failed():
    page = shown(plan(action("a", "on track", evidence=(evidence(None, found=""),))))

    assert "Could not be asked" in page
    assert "Does not hold" not in page


def test_an_action_without_evidence_says_that_nobody_can_check_it():
    assert "nobody can check it" in shown(plan(action("a", "not checkable", evidence=())))


def test_milestones_are_shown_with_their_own_evidence():
    on_the_way = Milestone("Half way", JULY, False, (evidence(False, text="Half have one."),))

    page = shown(plan(action("a", milestones=(on_the_way,))))

    assert "Half way" in page
    assert "Half have one." in page
    assert "Does not hold" in page


def test_actions_name_what_they_wait_for_and_measures_that_are_gone_are_not_links():
    page = shown(plan(action("a"), action("b", "blocked", depends_on=("a",))))

    assert '<a href="#action-a">Do a</a>' in page
    assert '<a href="/measures/dark">' in page
    assert "/measures/gone" not in page


def test_the_page_says_that_states_are_computed_and_whose_template_it_follows():
    page = shown(plan(action("a")))

    assert "Nobody can type a state" in page
    assert "Follows the Metroon template." in page


def test_a_city_without_a_plan_says_so_and_has_no_data():
    client = TestClient(app(Village()), base_url="http://village.example")

    assert "This city has not published a plan." in client.get("/plan").text
    assert 404 == client.get("/plan.csv").status_code


def test_the_data_have_one_row_an_action_with_its_state():
    status = plan(action("a", "done"), action("b", "late", evidence=(evidence(True), evidence(False), evidence(None))))

    rows = {row["action"]: row for row in sheet(status).rows}

    assert ["a", "b"] == list(rows)
    assert ("late", 3, 1, 1) == tuple(
        rows["b"][k] for k in ("state", "evidence", "evidence_held", "evidence_not_asked")
    )


def test_words_of_a_plan_cannot_become_html():
    page = shown(plan(action("a", reason="<script>alert(1)</script>")))

    assert "<script>alert(1)" not in page


def test_a_plan_in_another_language_marks_the_words_that_nobody_translated():
    page = shown(plan(action("a")), "/es/plan")

    assert '<span lang="en">Do a</span>' in page


@pytest.mark.slow
def test_the_plan_of_the_invented_city_shows_evidence_that_can_be_followed(client):
    page = client.get("/plan").text
    linked = set(re.findall(r'href="(/[^"#]*)"', page))

    assert "The nine steps follow the Metroon template" in page
    assert [] == sorted(link for link in linked if client.get(link).status_code != 200)
