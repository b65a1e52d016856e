"""Pages of results over a village small enough to count by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from village import AREAS, Village, catalog, score

from chance import examples
from metroon.base.catalog import Catalog
from metroon.base.estimate import Cell, Estimate
from metroon.base.scorecard import Changed, Changes, GoalPage, PlaceStanding, TargetGap, Words
from metroon.permit import PUBLIC, NotThere
from metroon.serve.lately import lately
from metroon.serve.numbers import index
from metroon.serve.page import Asked, Page
from metroon.serve.pages.goal import Goal
from metroon.serve.pages.goals import Goals
from metroon.serve.pages.home import Home
from metroon.serve.pages.measure import MeasurePage
from metroon.serve.pages.measures import Measures
from metroon.serve.pages.neighborhood import Neighborhood, NeighborhoodSheet
from metroon.serve.pages.neighborhoods import Neighborhoods

CANARY = 0.73191
BORDER = date(2025, 12, 31)


def village(**changes: object) -> Village:
    """The village with a goal, a target, and a place that is clearly better than the village."""
    made = score()
    told = replace(
        made,
        target=TargetGap(Cell("2025"), 0.35, 0.35, BORDER, "not met", 0.15),
        asked={"2025": (0.35, 0.35)},
        targets=(TargetGap(Cell("2025", "area", "A1"), 0.35, 0.35, BORDER, "met", -0.1),
                 TargetGap(Cell("2025", "area", "A2"), 0.35, 0.35, BORDER, "hidden", None)),
        places=(PlaceStanding(Cell("2025", "area", "A1"), "better", True, 0.001),),
    )  # fmt: skip
    told = replace(told, **changes)  # type: ignore[arg-type]
    goal = GoalPage("light", "Light", "We see where we walk.", "Lights (invented)", "Invented owner", (told,))
    return Village(replace(catalog(), scores={"dark": told}, goals=(goal,)))


def asked(
    of: Village, path: str = "/", language: str = "en", query: dict[str, str] | None = None, **params: str
) -> Asked:
    site = of.site()
    return Asked(
        site, site.catalog, site.gate, PUBLIC, site.words[language], path, params, query or {}, "http://x.example"
    )


def html(page: Page, request: Asked) -> str:
    template = request.site.environment(request.words.language).get_template(page.template)
    return template.render(page=page.view(request), asked=request, words=request.words)


EVERY: list[tuple[Page, dict[str, str], dict[str, str]]] = [
    (Home(), {}, {}),
    (Goals(), {}, {}),
    (Goal(), {"goal": "light"}, {}),
    (Measures(), {}, {}),
    (Measures(), {}, {"by": "department"}),
    (MeasurePage(), {"measure": "dark"}, {}),
    (MeasurePage(), {"measure": "dark"}, {"version": "1", "order": "value", "places": "area"}),
    (Neighborhoods(), {}, {}),
    (Neighborhoods(), {}, {"measure": "dark", "order": "value"}),
    *((Neighborhood(), {"place": k}, {"with": "A2"}) for k in AREAS.names),
    (NeighborhoodSheet(), {"place": "A2"}, {}),
]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("page", "params", "query"), EVERY)
def test_every_page_has_one_first_heading_and_its_words_are_escaped(page, params, query, language):
    told = html(page, asked(village(), page.path, language, query, **params))

    assert len(re.findall("<h1[ >]", told)) == 1
    assert "<Bank>" not in told


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("page", "params", "query"), EVERY)
def test_a_hidden_number_that_slipped_into_a_release_is_on_no_page(page, params, query, language):
    slip = Estimate(Cell("2025", "area", "A2"), "hidden", CANARY, CANARY - 0.01, CANARY + 0.01, 22, 30.0)
    made = score()
    spoiled = replace(
        made.measured, estimates=tuple(slip if e.cell == slip.cell else e for e in made.measured.estimates)
    )

    request = asked(village(measured=spoiled), page.path, language, query, **params)

    clean = asked(village(), page.path, language, query, **params)
    assert html(page, clean) == html(page, request)


@pytest.mark.parametrize("page", [Home(), Goals(), Measures(), Neighborhoods()])
def test_pages_of_a_city_that_measures_nothing_say_so(page):
    empty = replace(catalog(), scores={}, goals=(), changes=None, datasets={}, stories=())

    assert "<h1" in html(page, asked(Village(empty), page.path))


def test_the_first_page_stands_without_neighborhoods():
    told = replace(catalog(), geographies={}, neighborhoods="", scores={}, datasets={}, changes=None)

    assert "Find your neighborhood" not in html(Home(), asked(Village(told)))
    with pytest.raises(NotThere):
        Neighborhoods().view(asked(Village(told)))


@pytest.mark.parametrize(
    ("page", "params", "query"),
    [
        (Goal(), {"goal": "none"}, {}),
        (MeasurePage(), {"measure": "none"}, {}),
        (MeasurePage(), {"measure": "dark"}, {"version": "9"}),
        (MeasurePage(), {"measure": "dark"}, {"version": "x"}),
        (MeasurePage(), {"measure": "dark"}, {"places": "nowhere"}),
        (Neighborhood(), {"place": "none"}, {}),
        (Neighborhood(), {"place": "A1"}, {"with": "none"}),
        (Neighborhood(), {"place": "A1"}, {"measure": "none"}),
        (Neighborhoods(), {}, {"measure": "none"}),
    ],
)
def test_what_is_not_there_is_not_found(page, params, query):
    with pytest.raises(NotThere):
        page.view(asked(village(), page.path, "en", query, **params))


def test_the_lede_counts_results_by_status_and_beside_the_village():
    told = Neighborhood().view(asked(village(), place="A1"))

    assert told.title == "How is West <Bank> doing?"
    assert told.people == "About 900 people live here."
    assert told.promised == "1 result has a target here."
    assert [t.sentence for t in told.counts] == ["1 is on track."]
    assert told.beside == "1 result is clearly better than in the city as a whole."


def test_a_hidden_result_with_a_target_is_counted_as_too_few():
    told = Neighborhood().view(asked(village(), place="A2"))

    assert [t.verdict for t in told.counts] == ["too wide"]
    assert told.themes[0].rows[0].shown.reason == "Hidden to protect people: it could tell of a group of fewer than 11."
    assert told.themes[0].rows[0].strip == ""


def test_a_place_that_is_not_measured_is_no_result_of_its_own():
    told = Neighborhood().view(asked(village(), place="A3"))

    assert told.promised == "No result has a target here."
    assert told.themes[0].rows[0].status.verdict == "not measured"


def test_two_places_are_called_better_only_where_both_have_a_value_and_ranges_lie_apart():
    east = Estimate(Cell("2025", "area", "A3"), "known", 0.8, 0.7, 0.9)
    made = score().measured
    of = village(measured=replace(made, estimates=(*made.estimates, east)))

    apart = Neighborhood().view(asked(of, query={"with": "A3"}, place="A1")).comparison
    silent = Neighborhood().view(asked(of, query={"with": "A2"}, place="A1")).comparison

    assert apart is not None
    assert [r.verdict for r in apart.rows] == ["Clearly better in West <Bank>."]
    assert silent is not None
    assert [r.verdict for r in silent.rows] == ["Cannot be compared."]


def test_a_place_and_the_village_are_told_for_the_same_period():
    told = Neighborhood().view(asked(village(), place="A1")).themes[0].rows[0]

    assert told.city is not None
    assert told.shown.period == told.city.period


def test_words_that_expired_are_not_told():
    old, new = (
        Words("happened", f"{text} lamps", "Invented owner", date(2025, 1, 1), date(2025, 6, 1), is_old)
        for text, is_old in (("Old", True), ("New", False))
    )
    told = html(Goal(), asked(village(words=(old, new)), goal="light"))

    assert "New lamps" in told
    assert "Old lamps" not in told
    assert "1 statement is out of date and not shown." in told


def test_only_what_rules_call_a_change_is_told():
    moved = Changed(
        "target crossed", "dark", "Lamps that are out", Cell("2025", "area", "A1"), "Middle", "not met", "met"
    )
    first = replace(moved, kind="first published", before="nothing", after="release 1")

    def told(*changed: Changed, place: str = "A1") -> tuple[str, int]:
        changes = Changes(date(2026, 6, 1), date(2026, 7, 1), changed, (), 3, 0.2)
        found = Neighborhood().view(asked(Village(replace(village().told, changes=changes)), place=place)).lately
        return found.sentence, len(found.changed)

    assert told(moved) == ("1 thing really changed since Jun 1, 2026.", 1)
    assert told(moved, place="A3") == ("Nothing really changed since Jun 1, 2026.", 0)
    assert told(replace(first, cell=None))[1] == 0


def test_measures_that_changed_alike_are_told_as_one_thing_with_links_to_each():
    late = Changed("no longer late", "dark", "Lamps that are out", None, "", "3 days late: the newest event is of "
                   "2026-04-30, at most 35 days were promised", "in time")  # fmt: skip
    alike = [late, *(replace(late, measure=m, title=m.title()) for m in ("lamps", "ponds"))]
    other = replace(late, measure="visits", title="Visits", before="9 days late: no more is said")
    changes = Changes(date(2026, 6, 1), date(2026, 7, 1), (*alike, other), (), 0, 0.0)
    at = asked(Village(replace(village().told, changes=changes)))

    found = lately(at)
    page = html(Home(), at)

    assert found.sentence == "2 things really changed since Jun 1, 2026."
    assert [c.title for c in found.changed] == ["Lamps that are out", "Visits"]
    assert found.changed[0].also == (("Lamps", "/datasets/lamps"), ("Ponds", "/datasets/ponds"))
    assert "newest event is of Apr 30, 2026" in page
    assert re.search(r'Also: <a href="/datasets/lamps">Lamps</a>, <a href="/datasets/ponds">Ponds</a>', page)


@examples(15, many=100)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(("A1", "A2", "")), st.sampled_from("xy")), max_size=20)
)
def test_every_change_is_told_once_or_counted_among_the_rest(made):
    def changed(measure: str, place: str, before: str) -> Changed:
        cell = Cell("2025", "area", place) if place else None
        return Changed("restated", measure, measure, cell, place, before, "z")

    every = [changed(*m) for m in made]
    changes = Changes(date(2026, 6, 1), date(2026, 7, 1), tuple(every), (), 0, 0.0)
    found = lately(asked(Village(replace(village().told, changes=changes))), most=100)

    assert len(every) == sum(1 + len(c.also) for c in found.changed)
    assert {(c.where, c.before) for c in every} == {(c.where, c.before) for c in found.changed}
    assert len(found.changed) == len({(c.where, c.before) for c in every})


def test_what_is_not_told_is_counted_as_things_and_not_as_measures():
    one = Changed("restated", "dark", "Lamps", None, "", "1", "2")
    every = [replace(one, measure=m, before=b) for b in "abc" for m in ("dark", "lamps")]
    changes = Changes(date(2026, 6, 1), date(2026, 7, 1), tuple(every), (), 0, 0.0)

    found = lately(asked(Village(replace(village().told, changes=changes))), most=1)

    assert found.sentence == "3 things really changed since Jun 1, 2026."
    assert found.more == "2 more changes are on the pages of the measures."


def test_the_list_by_value_puts_the_best_first_and_the_hidden_last():
    told = Neighborhoods().view(asked(village(), query={"measure": "dark", "order": "value"})).chosen

    assert told is not None
    assert [r.key for r in told.rows] == ["A1", "A3", "A2"]
    assert "not told apart" in told.order


def test_places_that_are_held_against_what_was_expected_of_them_are_not_put_in_order():
    made = replace(score().measured, kind="indirectly_standardised")
    told = Neighborhoods().view(asked(village(measured=made), query={"measure": "dark", "order": "value"})).chosen

    assert told is not None
    assert not told.may_order
    assert [r.key for r in told.rows] == ["A1", "A2", "A3"]


def test_the_data_of_a_neighborhood_tell_what_its_page_tells():
    told = Neighborhood().data(asked(village(), place="A2"))

    assert [(r["measure"], r["state"], r["value"], r["status"]) for r in told.rows] == [
        ("dark", "hidden", None, "hidden")
    ]
    assert set(told.rows[0]) == {c.name for c in told.columns}


def test_every_row_of_a_sheet_has_every_column():
    of = village()
    sheets = [Home().data(asked(of)), Goals().data(asked(of)), Measures().data(asked(of)),
              Goal().data(asked(of, goal="light")), Neighborhoods().data(asked(of)),
              Neighborhoods().data(asked(of, query={"measure": "dark"}))]  # fmt: skip

    assert all(set(row) == {c.name for c in s.columns} for s in sheets for row in s.rows)


def test_numbers_are_found_without_searching_lists():
    found = index(score())

    assert found.at("area", "A1") == score().measured.estimates[1]
    assert found.at("area", "A3") is None
    assert found.city_beside("area") == score().measured.estimates[0]


def test_paths_of_every_page_can_be_walked():
    told: Catalog = village().told

    assert list(Neighborhood().paths(told)) == ["/neighborhoods/A1", "/neighborhoods/A2", "/neighborhoods/A3"]
    assert list(MeasurePage().paths(told)) == ["/measures/dark"]
    assert list(Goal().paths(told)) == ["/goals/light"]
