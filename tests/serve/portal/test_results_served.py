"""Pages of results over the whole invented city: every path answers, and what they say agrees with itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from metroon.base.estimate import Cell
from metroon.permit import PUBLIC
from metroon.serve.headlines import is_clear, trend
from metroon.serve.numbers import numbers
from metroon.serve.page import Asked
from metroon.serve.pages.goal import Goal
from metroon.serve.pages.goals import Goals
from metroon.serve.pages.measure import MeasurePage
from metroon.serve.pages.measures import Measures
from metroon.serve.pages.neighborhood import Neighborhood, NeighborhoodSheet
from metroon.serve.pages.neighborhoods import Neighborhoods
from metroon.serve.promises import with_target

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from metroon.portal import CityPortal

pytestmark = pytest.mark.slow
PAGES = (Goals(), Goal(), Measures(), MeasurePage(), Neighborhoods(), Neighborhood(), NeighborhoodSheet())


def asked(portal: CityPortal, **params: str) -> Asked:
    site = portal.site()
    return Asked(site, site.catalog, site.gate, PUBLIC, site.words["en"], "/", params, {}, "http://127.0.0.1:8000")


@pytest.mark.parametrize("language", ["", "/es", "/vi"])
def test_every_page_of_results_answers_in_every_language(portal: CityPortal, client: TestClient, language: str):
    paths = [p for page in PAGES for p in page.paths(portal.site().catalog)]

    refused = [p for p in paths if client.get(f"{language}{p}").status_code != 200]

    assert len(paths) > 100
    assert refused == []


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "xlsx"])
@pytest.mark.parametrize(
    "path",
    ["/goals", "/goals/safe_streets", "/measures", "/measures/people_injured", "/neighborhoods", "/neighborhoods/N07"],
)
def test_every_page_of_results_gives_its_data(client: TestClient, path: str, ending: str):
    assert client.get(f"{path}.{ending}").status_code == 200


def test_neighborhoods_are_a_map_file(client: TestClient):
    told = client.get("/neighborhoods.geojson?measure=people_injured").json()

    assert {f["properties"]["period"] for f in told["features"]} == {"2025"}
    assert len(told["features"]) == 40


def test_a_place_and_the_city_beside_it_are_of_one_period_in_every_row(portal: CityPortal):
    for path in Neighborhood().paths(portal.site().catalog):
        told = Neighborhood().view(asked(portal, place=path.rsplit("/", 1)[1]))
        rows = [i for t in told.themes for i in t.rows if i.city is not None and i.shown.value]
        mapped = told.mapped_row

        assert all(i.city is not None and i.shown.period == i.city.period for i in rows)
        assert mapped is not None
        assert told.mapped is not None
        assert told.mapped.period == mapped.shown.period or not mapped.shown.value


def test_counts_of_the_lede_are_the_pills_of_the_rows(portal: CityPortal):
    for path in Neighborhood().paths(portal.site().catalog):
        told = Neighborhood().view(asked(portal, place=path.rsplit("/", 1)[1]))
        pills = with_target(i.status.verdict for t in told.themes for i in t.rows if i.target)

        assert sum(t.count for t in told.counts) == len(pills)


def test_every_record_that_a_page_tells_holds_on_the_released_numbers(portal: CityPortal):
    site, told = portal.site(), 0
    for measure in site.catalog.scores:
        found = numbers(site, measure)
        for trail in found.trails.values():
            said = trend(trail, breaks=found.score.breaks)
            if said.kind == "record":
                told += 1
                span = [e for e in trail if e.cell.period >= said.since]
                assert {is_clear(span[-1], e) for e in span[:-1]} == {said.move}

    assert told


def test_hidden_cells_have_no_number_in_what_pages_read(portal: CityPortal):
    site = portal.site()
    every = [e for m in site.catalog.scores for e in numbers(site, m).cells.values() if e.state == "hidden"]

    assert every
    assert {(e.value, e.low, e.high, e.events, e.base, e.unknown) for e in every} == {(None,) * 6}


def test_a_hidden_neighborhood_is_hatched_and_says_why(portal: CityPortal, client: TestClient):
    found = numbers(portal.site(), "severe_injuries_against_expected")
    hidden = next(k for k, e in found.areas["neighborhood"].items() if e.state == "hidden")
    told = client.get("/measures/severe_injuries_against_expected").text

    area = re.search(rf'<a href="/neighborhoods/{hidden}" aria-label="([^"]*)"><path class="na"', told)

    assert area is not None
    assert "Hidden to protect people" in area[1]


def test_the_corridor_that_was_rebuilt_is_told_with_its_doubt(client: TestClient):
    told = client.get("/measures/crashes_by_corridor").text
    part = told[told.index("Sombra Road</h3>") :]

    assert "for the better" in part[: part.index("</li>")]


def test_trust_is_told_since_the_quarter_from_which_it_lies_above_its_limits(portal: CityPortal):
    told = MeasurePage().view(asked(portal, measure="trusts_the_city"))

    assert told.finding == "Better than its usual ups and downs since Q1 2025."
    assert numbers(portal.site(), "trusts_the_city").cells[Cell("2025-Q1")].state == "known"
