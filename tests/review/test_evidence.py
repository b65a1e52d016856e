"""What each kind of evidence finds in a city, and when it says that it cannot tell."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from promises import LEAD, TODAY, facts, product

from metroon.base import kinds
from metroon.base.catalog import Catalog, Check, Dataset, Edition, Licence, Portal, Promise, Steward, Story, Term
from metroon.base.node import Node
from metroon.review import Question
from metroon.review import facts as facts_of

BROKEN = (Check("it is told", "id", "completeness", "warn", False),)
LACKING = {
    "has_licence": {"licence": Licence()},
    "is_classified": {"columns": ()},
    "passes_checks": {"checks": BROKEN},
    "is_fresh": {"promise": Promise("35 days", 35, False)},
}
HAVING = {
    "has_steward": {"steward": Steward("Ada")},
    "has_legal_basis": {"legal_basis": "Code"},
    "has_retention": {"retention": "A year"},
    "is_published": {"editions": (Edition(1, TODAY, None, 3),)},
    "has_gap_told": {"gap": "Parks are not in it."},
}


def ask(kind, known, **options):
    return kinds.build("review", Node({"kind": kind, **options}, "plan.yaml"), Question).ask(known)


@pytest.mark.parametrize("holds", [*LACKING, *HAVING])
def test_a_fact_of_products_is_counted(holds):
    has = product("with", **HAVING.get(holds, {}))
    lacks = product("without", **LACKING.get(holds, {}))
    whole, half = (ask("products", facts(has, lacks), holds=holds, share=s) for s in (1.0, 0.5))

    assert (False, True) == (whole.is_passed, half.is_passed)
    assert whole.found.startswith("1 of 2 products ")
    assert whole.found.endswith("Not: Without.")
    assert ("/datasets/without",) == whole.links


def test_products_are_chosen_by_their_access():
    known = facts(product("open", access="public"), product("kept", licence=Licence()))

    assert ask("products", known, holds="has_licence", share=1.0, access="public").is_passed


def test_no_products_are_not_all_products():
    assert ask("products", facts(), holds="has_licence", share=1.0, access="public").is_passed is False


def test_a_product_that_was_never_checked_keeps_no_rule():
    assert ask("products", facts(product(checks=())), holds="passes_checks", share=1.0).is_passed is False


def test_data_without_a_promise_are_not_fresh():
    assert ask("products", facts(product(promise=Promise())), holds="is_fresh", share=1.0).is_passed is False


def test_a_measure_that_is_not_published_fails():
    found = ask("measure", facts(), measure="shade")

    assert (False, "Nothing of “shade” is published.") == (found.is_passed, found.found)


def test_departments_are_covered_by_products_and_by_entries_that_somebody_looks_at():
    old = Dataset("lanes", "listed", "Lanes", "", department="Roads", reviewed=TODAY - timedelta(days=366))
    known = facts(product(department="Parks"), listed={"lanes": old}, departments=("Parks", "Roads"))

    assert ask("inventory", known, share=1.0).is_passed
    lately = ask("inventory", known, share=1.0, updated_within_days=365)
    assert (False, "1 of 2 departments are in the inventory. Not: Roads.") == (
        lately.is_passed,
        lately.found,
    )


def test_a_vacant_role_is_told_with_its_day():
    vacant = replace(LEAD, id="chief", title="Chief", holder="", since=date(2026, 4, 1))
    found = ask("roles", facts(roles={"lead": LEAD, "chief": vacant}))

    assert (False, "1 of 2 roles are held. Vacant: Chief (since 2026-04-01).") == (found.is_passed, found.found)
    assert ask("roles", facts(roles={"lead": LEAD, "chief": replace(vacant, is_required=False)})).is_passed


def test_roles_cannot_be_told_where_none_are_declared():
    assert ask("roles", facts(roles={})).is_passed is None


def test_old_stories_do_not_count_where_new_ones_are_asked_for():
    told = (Story("a", "A", "", TODAY - timedelta(days=93), "", "en", ""),)

    assert ask("stories", facts(stories=told), count=1).is_passed
    assert not ask("stories", facts(stories=told), count=1, within_days=92).is_passed


def test_words_count_when_every_language_has_them():
    terms = (Term("a", "a", "", {"es": ("b",)}), Term("b", "b", "", {"es": (), "vi": ("c",)}))

    assert "1 of 2 words count." == ask("terms", facts(terms=terms), count=1, languages=["es"]).found


def test_goals_without_an_outcome_are_not_measured():
    assert not ask("goals", facts()).is_passed


def test_a_document_of_tomorrow_is_not_there_yet():
    days = [TODAY, TODAY + timedelta(days=1)]

    assert [True, False] == [ask("document", facts(), title="Minutes", on=str(d)).is_passed for d in days]


def catalog(*datasets, **given):
    told = {
        "city": "Toytown", "is_invented": True, "as_of": TODAY, "time_zone": "UTC", "languages": ("en",), "folder": "",
        "portal": Portal(), "identity": "", "made_at": None, "scores": {}, "goals": (), "changes": None,
        "geographies": {}, "neighborhoods": "", "neighbors": {}, "plan": None, "stories": (), "terms": (), "names": {},
        "minimum_cell": 11, "datasets": {d.name: d for d in datasets},
    }  # fmt: skip
    return Catalog(**{**told, **given})


def on(day, *datasets, **given):
    return facts_of(catalog(*datasets, **given), departments=(), roles=(), as_of=day)


def test_the_facts_of_an_earlier_day_have_only_what_was_there_by_then():
    newer, older = Edition(2, TODAY, None, 4), Edition(1, date(2026, 5, 1), None, 3)
    known = on(date(2026, 6, 1), product(editions=(newer, older), has_rows=True))

    assert ((older,), date(2026, 5, 1), ()) == (
        known.products["trees"].editions, known.products["trees"].updated, known.products["trees"].checks
    )  # fmt: skip


def test_a_story_of_tomorrow_is_no_fact_of_today():
    told = (Story("a", "A", "", TODAY + timedelta(days=1), "", "en", ""),)

    assert [0, 1] == [len(on(d, stories=told).stories) for d in (TODAY, TODAY + timedelta(days=1))]
