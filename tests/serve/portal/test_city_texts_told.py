"""The texts of the invented city with what its numbers say of them."""

import pytest

pytestmark = pytest.mark.slow


def test_the_plan_has_actions_in_five_states_and_its_reasons_are_sentences(portal):
    told = portal.site().catalog.plan
    counts = told.counts()
    actions = [a for s in told.steps for a in s.actions]

    assert {"done", "on track", "late", "blocked", "not checkable"} == {state for state, n in counts.items() if n}
    assert [] == [a.id for a in actions if not a.reason.endswith(".")]
    assert [] == [e.text for a in actions for e in a.evidence if not (e.text.endswith(".") or "." in e.text)]


def test_every_number_of_every_story_is_there(portal):
    for story in portal.site().catalog.stories:
        for query in story.queries:
            assert query.rows, f"{story.id} {query.name}"
            assert query.rows[0]["value"] is not None, f"{story.id} {query.name}"


def test_what_is_listed_is_in_the_catalog_without_rows(portal):
    listed = [d for d in portal.site().catalog.datasets.values() if d.shape == "listed"]

    assert 6 <= len(listed)
    assert [] == [d.name for d in listed if d.has_rows or not d.not_yet or d.steward is None]
