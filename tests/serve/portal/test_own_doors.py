"""Doors that only one city has, in ``plugins/serve`` of its repo."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from small import SmallPortal, small_portal
from starlette.testclient import TestClient

from metroon.base.errors import Refused
from metroon.permit import PUBLIC, Gate
from metroon.serve.app import app
from metroon.serve.page import Asked
from metroon.serve.pages.api import Api
from metroon.serve.site import Site

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "serve.md"
COUNTING = re.search(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)[1]
"""The door that the page shows."""


@pytest.fixture
def city(tmp_path):
    (tmp_path / "plugins" / "serve").mkdir(parents=True)
    (tmp_path / "plugins" / "serve" / "counting.py").write_text(COUNTING, encoding="utf-8")
    return tmp_path


@pytest.fixture
def portal(city, tmp_path_factory):
    plain = small_portal(tmp_path_factory.mktemp("small")).site()
    return SmallPortal(Site(Gate(replace(plain.catalog, folder=str(city / "portal")), plain.gate.opener)))


def asked_for(portal):
    site = portal.site()
    return Asked(site, site.catalog, site.gate, PUBLIC, site.words["en"], "/api")


@pytest.fixture
def asking(portal, city):
    return TestClient(app(portal, plugins=city / "plugins"), base_url="http://127.0.0.1:8000")


def test_a_door_of_the_city_answers_with_the_rows_that_the_gate_gives(asking):
    assert (200, "1000") == ((told := asking.get("/count/trees")).status_code, told.text)


def test_what_is_not_published_is_not_at_a_door_of_the_city_either(asking, portal):
    closed = next(d.name for d in portal.site().catalog.datasets.values() if d.access != "public")

    assert [404, 404] == [asking.get(f"/count/{name}").status_code for name in (closed, "nothing")]
    assert asking.get(f"/count/{closed}").json() == asking.get("/count/nothing").json()


def test_the_page_for_programs_lists_a_door_of_the_city(asking):
    assert "Counting" in asking.get("/api").text


def test_a_door_of_the_city_takes_the_place_of_none(portal, city):
    (city / "plugins" / "serve" / "rest.py").write_text(COUNTING, encoding="utf-8")

    with pytest.raises(Refused) as refused:
        app(portal, plugins=city / "plugins")
    assert ["K102"] == [p.code for p in refused.value.problems]


def test_a_door_that_cannot_be_loaded_is_told_with_its_file(portal, city):
    (city / "plugins" / "serve" / "broken.py").write_text("import nothing_of_this_name\n", encoding="utf-8")

    with pytest.raises(Refused) as refused:
        app(portal, plugins=city / "plugins")
    assert ["K103"] == [p.code for p in refused.value.problems]
    assert refused.value.problems[0].file.endswith("broken.py")


def test_every_door_that_the_page_for_programs_links_to_answers_where_only_measures_are_published(portal):
    catalog = portal.site().catalog
    shade = replace(catalog.datasets["trees"], name="shade", shape="measure")
    only = SmallPortal(Site(Gate(replace(catalog, datasets={"shade": shade}), portal.site().gate.opener)))
    asking = TestClient(app(only), base_url="http://127.0.0.1:8000")
    linked = {d.start for d in Api().view(asked_for(only)).doors if d.start}

    assert "/data.json" in linked
    assert {200} == {asking.get(path).status_code for path in linked}
