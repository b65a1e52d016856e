"""schema.org: what a search engine reads of a dataset is what its page says, and nothing that is not published."""

from __future__ import annotations

import json

import pytest
from village import DARK_SET, LAMPS_SET, PONDS_SET, VISITS_SET, asks, catalog

from metroon.serve.kinds.schema_org import SchemaOrg, dataset_jsonld

AT = "https://data.village.example"


def test_a_dataset_has_what_search_engines_ask_for():
    told = dataset_jsonld(LAMPS_SET, catalog(), AT)

    assert ("https://schema.org/", "Dataset", "Street lamps") == (told["@context"], told["@type"], told["name"])
    assert "2026-01-01/2026-01-05" == told["temporalCoverage"]
    assert "10.000000 0.000000 11.000000 3.000000" == told["spatialCoverage"]["geo"]["box"]
    assert "https://spdx.org/licenses/CC0-1.0.html" == told["license"]
    assert told["isAccessibleForFree"]
    assert ["lamp", "seen", "watts", "lon", "lat"] == [v["name"] for v in told["variableMeasured"]]
    assert f"{AT}/datasets/lamps.csv" in [d["contentUrl"] for d in told["distribution"]]
    assert "Little Tarn" == told["creator"]["parentOrganization"]["name"]


def test_an_invented_city_says_so():
    assert "Invented data of a demonstration city." in dataset_jsonld(LAMPS_SET, catalog(), AT)["description"]


def test_what_is_not_published_has_no_file_and_is_not_for_free():
    told = dataset_jsonld(VISITS_SET, catalog(), AT)

    assert not told["isAccessibleForFree"]
    assert not {"distribution", "temporalCoverage", "datePublished", "version"} & set(told)


def test_only_published_columns_of_published_rows_are_told():
    hidden = tuple(c if c.name != "watts" else type(c)("watts", "Watts", "", "integer", is_open=False)
                   for c in LAMPS_SET.columns)  # fmt: skip
    told = dataset_jsonld(type(LAMPS_SET)(**{**LAMPS_SET.__dict__, "columns": hidden}), catalog(), AT)

    assert "watts" not in json.dumps(told)


def test_shapes_are_a_file_only_where_there_are_shapes():
    files = {s.name: [d["name"] for d in dataset_jsonld(s, catalog(), AT)["distribution"]]
             for s in (PONDS_SET, DARK_SET)}  # fmt: skip

    assert "GeoJSON" in files["ponds"]
    assert "GeoJSON" not in files["dark"]


def test_a_measure_speaks_of_the_days_of_its_periods():
    assert "2025-01-01/2025-12-31" == dataset_jsonld(DARK_SET, catalog(), AT)["temporalCoverage"]


def test_the_door_gives_datasets_and_measures_each_at_its_own_path():
    client = asks(SchemaOrg())
    found = {p: client.get(p).status_code for p in ("/datasets/lamps.jsonld", "/measures/dark.jsonld",
             "/measures/lamps.jsonld", "/datasets/dark.jsonld", "/datasets/nobody.jsonld")}  # fmt: skip

    assert [200, 200, 404, 404, 404] == list(found.values())
    assert "application/ld+json" == client.get("/datasets/lamps.jsonld").headers["content-type"]
    assert "es" == client.get("/datasets/lamps.jsonld?lang=es").json()["inLanguage"]


@pytest.mark.slow
def test_every_dataset_of_the_demonstration_city_can_be_told(client, portal):
    told = portal.site().catalog.datasets
    found = {n: client.get(f"{d.path}.jsonld") for n, d in told.items()}

    assert {200} == {r.status_code for r in found.values()}
    assert all(r.json()["isAccessibleForFree"] == told[n].has_rows for n, r in found.items())
