"""The state of an action follows from evidence and the day, and from nothing else."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promises import LEAD, LICENSED, NEVER, TODAY, action, facts, judged, plan, product, state

from metroon.base.catalog import Licence

MINUTES = {"kind": "document", "title": "Minutes", "on": "2026-06-01", "expires_after_days": 92}
BARE = product(licence=Licence())


def test_an_action_whose_evidence_holds_is_done():
    assert "done" == state(facts())


def test_an_action_is_reopened_when_its_evidence_is_gone():
    before = judged(plan(action()), facts())["open"]
    after = judged(plan(action()), facts(BARE), open=before.done_on)["open"]

    assert ("done", TODAY) == (before.state, before.done_on)
    assert ("reopened", TODAY) == (after.state, after.done_on)
    assert "0 of 1 products have a licence" in after.reason


def test_an_action_that_never_was_done_is_not_reopened():
    assert "on track" == state(facts(BARE))


def test_an_action_is_late_when_the_clock_passes_its_day():
    days = [date(2026, 12, 31), date(2027, 1, 1)]

    assert ["on track", "late"] == [state(facts(BARE, as_of=d)) for d in days]


def test_an_action_is_late_when_a_milestone_has_passed_without_evidence():
    milestone = {"title": "Half", "due": "2026-07-14", "evidence": [NEVER]}

    assert "late" == state(facts(BARE), milestones=[milestone])
    assert "on track" == state(facts(BARE), milestones=[{**milestone, "due": "2026-07-15"}])
    assert "on track" == state(facts(BARE), milestones=[{**milestone, "evidence": [{**NEVER, "holds": "is_fresh"}]}])


def test_evidence_that_expires_reopens_an_action():
    last = date(2026, 6, 1) + timedelta(days=92)
    states = [
        state(facts(as_of=d), evidence=[LICENSED, MINUTES], done_on=TODAY) for d in (last, last + timedelta(days=1))
    ]

    assert ["done", "reopened"] == states


def test_expired_evidence_says_when_it_expired():
    told = judged(plan(action(evidence=[LICENSED, MINUTES])), facts(as_of=date(2026, 12, 1)))["open"]

    assert "It expired on 2026-09-01: it counts for 92 days." in told.evidence[1].found


def test_an_action_without_evidence_is_not_checkable_even_when_it_is_overdue():
    assert "not checkable" == state(facts(as_of=date(2027, 6, 1)), evidence=[])


def test_evidence_that_cannot_be_asked_is_not_checkable():
    assert "not checkable" == state(facts(roles={}), evidence=[{"kind": "roles"}])


@pytest.mark.parametrize("other", ["late", "not checkable", "blocked", "reopened"])
def test_an_action_waits_for_what_comes_first(other):
    first = {
        "late": action("first", evidence=[NEVER], due="2026-06-30"),
        "not checkable": action("first", evidence=[]),
        "blocked": action("first", evidence=[NEVER], owner="chief"),
        "reopened": action("first", evidence=[NEVER]),
    }[other]
    vacant = replace(LEAD, id="chief", holder="")
    known = facts(BARE, roles={"lead": LEAD, "chief": vacant})
    made = judged(plan(first, action(depends_on=["first"])), known, first=TODAY) if other == "reopened" else judged(
        plan(first, action(depends_on=["first"])), known
    )  # fmt: skip

    assert (other, "blocked") == (made["first"].state, made["open"].state)


def test_an_action_that_waits_for_one_on_track_is_on_track():
    made = judged(plan(action(depends_on=["first"]), action("first", evidence=[NEVER])), facts(BARE))

    assert {"on track"} == {a.state for a in made.values()}


@pytest.mark.parametrize("role", [replace(LEAD, holder=""), replace(LEAD, since=date(2026, 8, 1))])
def test_an_action_is_blocked_while_nobody_holds_the_role_that_answers_for_it(role):
    assert "blocked" == state(facts(BARE, roles={"lead": role}))


def test_done_is_done_whoever_is_gone():
    assert "done" == state(facts(roles={"lead": replace(LEAD, holder="")}))


def test_a_moved_day_keeps_the_first_one_and_the_reason():
    told = judged(plan(action(first_due="2026-03-31", moved="The vendor was late.")), facts())["open"]

    assert (date(2026, 3, 31), date(2026, 12, 31), "The vendor was late.") == (told.first_due, told.due, told.moved)


def test_the_owner_is_told_as_the_role_is_called():
    assert "Data lead" == judged(plan(action()), facts())["open"].owner


def test_every_action_is_counted_in_one_state():
    from metroon import review

    told = review.status(
        plan(action("a"), action("b", evidence=[]), action("c", evidence=[NEVER])), facts(), departments={}
    )

    assert {"done": 1, "on track": 1, "late": 0, "reopened": 0, "blocked": 0, "not checkable": 1} == told.counts()


# The better a state, the lower its rank; what cannot be checked has none.
RANK = {"done": 0, "on track": 1, "blocked": 2, "late": 3, "reopened": 3}
evidence = st.lists(
    st.sampled_from([LICENSED, NEVER, MINUTES, {"kind": "stories", "count": 1}]), min_size=2, max_size=5
)
days = st.dates(date(2026, 2, 1), date(2027, 12, 31))


def checkable(asked):
    return 2 * sum(e["kind"] == "document" for e in asked) <= len(asked)


@given(asked=evidence.filter(checkable), on=days, was_done=st.booleans(), is_held=st.booleans())
def test_more_failing_evidence_never_makes_a_state_better(asked, on, was_done, is_held):
    role = LEAD if is_held else replace(LEAD, holder="")
    known = facts(as_of=on, roles={"lead": role})
    done_on = date(2026, 1, 31) if was_done else None
    before = state(known, evidence=asked, done_on=done_on)
    after = state(known, evidence=[*asked, NEVER], done_on=done_on)

    assert RANK[before] <= RANK[after]
    assert "done" != after


@given(asked=evidence.filter(checkable), on=days)
def test_the_order_of_evidence_does_not_matter(asked, on):
    known = facts(as_of=on)

    assert state(known, evidence=asked) == state(known, evidence=asked[::-1])


@given(asked=evidence.filter(checkable), on=days)
def test_done_means_that_nothing_fails(asked, on):
    told = judged(plan(action(evidence=asked)), facts(as_of=on))["open"]

    assert (told.state == "done") == all(e.is_passed for e in told.evidence)
