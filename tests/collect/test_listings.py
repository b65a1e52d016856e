"""What other portals list is read whole, each dataset once, whatever the portal speaks."""

from __future__ import annotations

import json
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.collect.listing import Listed, NoListing, Offer, day, days, duplicates, text
from metroon.collect.listings import ckan, dcat, socrata
from metroon.collect.offers import offer, ordered
from metroon.collect.peek import columns

ADDRESS = "https://data.brookfield.example"


def of(pages):
    """Answers addresses from a mapping; a callable gets the query."""

    def ask(address, *, most=None):
        parts = urlsplit(address)
        found = pages.get(address, pages.get(parts.path))
        if found is None:
            raise NoListing(address)
        told = found(parse_qs(parts.query)) if callable(found) else found
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        return content[:most]

    return ask


# DCAT-US


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("dcatus3_0_nested_catalog", ["nested-parent", "nested-child", "nested-grandchild"]),
        ("dcatus3_0_series_with_members", ["annual-report-2023", "annual-report-2024"]),
        ("dcatus3_0_service_serves_dataset", ["served-by-service-one"]),
        ("dcatus3_0_with_records", ["one"]),
    ],
)
def test_datasets_within_catalogs_series_and_services_are_listed_once(name, ids, shared_data):
    made = dcat.read(ADDRESS, of({"/data.json": (shared_data / "api/dcatus" / f"{name}.json").read_bytes()}))
    assert [d.id.rpartition("/")[2] for d in made.datasets] == ids


@pytest.mark.parametrize("name", ["dcatus", "dcatus_2", "dcatus_multiple_invalid", "dcatus3_0", "dcatus3_0_invalid"])
def test_every_entry_of_a_real_catalog_is_listed_with_its_faults(name, shared_data):
    content = (shared_data / "api/dcatus" / f"{name}.json").read_bytes()
    made = dcat.read(ADDRESS, of({"/data.json": content}))
    assert len(made.datasets) + len(made.faults) == len(json.loads(content)["dataset"])
    assert all(d.title and d.id for d in made.datasets)


def test_an_entry_without_a_title_is_listed_by_its_identifier_and_the_lack_is_told(shared_data):
    made = dcat.read(ADDRESS, of({"/data.json": (shared_data / "api/dcatus" / "missing_title.json").read_bytes()}))
    assert [d.faults for d in made.datasets if "has no title" in d.faults]


def test_the_promise_that_old_catalogs_write_as_modified_is_a_promise_and_no_date(shared_data):
    made = dcat.read(ADDRESS, of({"/data.json": (shared_data / "api/dcatus" / "dcatus.json").read_bytes()}))
    first = made.datasets[0]
    assert (first.promised, first.changed, first.every_days) == ("R/P1W", None, 7.0)
    assert first.owner == "U.S. Commodity Futures Trading Commission"
    assert first.late_days(date(2026, 1, 1)) is None


def test_the_schema_of_catalogs_is_no_catalog(shared_data):
    with pytest.raises(NoListing):
        dcat.read(
            ADDRESS, of({"/data.json": (shared_data / "api/dcatus" / "schema_non-federal_dataset.json").read_bytes()})
        )


@pytest.mark.parametrize("told", [b"", b"<html>", b"[]", b"null", b'{"dataset": 3}', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_catalog_is_no_listing(told):
    for read, path in ((dcat.read, "/data.json"), (ckan.read, "/api/3/action/package_search")):
        with pytest.raises(NoListing):
            read(ADDRESS, of({path: told}))
    with pytest.raises(NoListing):
        socrata.read(ADDRESS, of({"/api/catalog/v1": told}))


# CKAN


def package(i):
    return {
        "id": f"p{i:03}",
        "name": f"trees-{i}",
        "title": f"Trees {i}",
        "notes": "Trees <b>of</b> streets",
        "organization": {"title": "Parks"},
        "license_title": "License not specified" if i % 2 else "CC0",
        "extras": [{"key": "Update_Frequency", "value": "Weekly"}],
        "resources": [
            {"id": f"r{i}", "url": f"{ADDRESS}/f{i}.csv", "format": "CSV", "datastore_active": i % 3 == 0,
             "last_modified": "2026-07-01T00:00:00.123456"},
            {"id": f"h{i}", "url": f"{ADDRESS}/about/{i}", "format": "HTML"},
        ],
    }  # fmt: skip


def searching(total, *, told=None):
    def search(query):
        start, rows = int(query["start"][0]), int(query["rows"][0])
        found = [package(i) for i in range(start, min(total, start + rows))]
        return {"success": True, "result": {"count": told or total, "results": found}}

    return {"/api/3/action/package_search": search}


@given(st.integers(0, 420))
def test_a_ckan_portal_of_any_size_is_read_to_its_last_page(n):
    made = ckan.read(ADDRESS, of(searching(n)))
    assert [d.id for d in made.datasets] == [f"p{i:03}" for i in range(n)]
    assert (made.told, made.faults) == (n, ())


def test_a_portal_that_gives_less_than_it_says_is_found_out():
    made = ckan.read(ADDRESS, of(searching(150, told=170)))
    assert made.faults == ("the portal says that there are 170 datasets, and 150 came",)


def test_a_resource_in_the_datastore_is_collected_from_there_and_another_as_a_file():
    first, second = ckan.read(ADDRESS, of(searching(2))).datasets
    assert first.offers[0].source == {"kind": "ckan", "url": ADDRESS, "resource": "r0"}
    assert second.offers[0].source == {"kind": "http", "url": f"{ADDRESS}/f1.csv", "as": {"kind": "csv"}}
    assert (first.license, second.license) == ("CC0", "")
    assert first.late_days(date(2026, 7, 11)) == 3
    assert first.description == "Trees of streets"


# Socrata


def test_a_recorded_page_of_a_socrata_portal_is_listed_with_columns_and_owner(shared_data):
    content = (shared_data / "api/socrata/sodapy/get_datasets.txt").read_bytes()

    def search(query):
        return content if query["offset"] == ["0"] else {"results": [], "resultSetSize": 150680}

    made = socrata.read("https://data.cityofboston.gov", of({"/api/catalog/v1": search}))
    first = made.datasets[0]
    assert first.id == "msk6-43c6"
    assert first.owner == "Environmental & Energy Services"
    assert "OWNER" in first.columns
    assert first.changed == date(2017, 7, 21)
    assert made.faults == ("the portal says that there are 150,680 entries, and 7 came",)


# Offers, dates, words


@pytest.mark.parametrize(
    ("address", "named", "kind"),
    [
        ("https://x.example/a.CSV", "", "http"),
        ("https://x.example/data/export?format=1", "text/csv; charset=utf-8", "http"),
        ("https://x.example/arcgis/rest/services/T/MapServer/12/", "", "arcgis"),
        ("https://x.example/arcgis/rest/services/T/MapServer", "ArcGIS GeoServices REST API", ""),
        ("https://x.example/resource/ab1c-d2ef.json", "application/json", "socrata"),
        ("https://x.example/report.pdf", "PDF", ""),
        ("ftp://x.example/a.csv", "csv", ""),
        ("javascript:alert(1)", "csv", ""),
    ],
)
def test_an_offer_knows_the_source_that_reads_it(address, named, kind):
    assert offer(address, named).source.get("kind", "") == kind


def test_what_is_collected_best_comes_first_and_each_address_once():
    page, file = offer("https://x.example/about", "html"), offer("https://x.example/a.csv")
    layer = offer("https://x.example/arcgis/rest/services/T/FeatureServer/0")
    assert ordered([page, file, layer, file]) == (layer, file, page)


@given(st.text())
def test_no_text_of_a_catalog_brings_markup_or_control_signs(told):
    plain = text(told)
    assert plain.isprintable()
    assert days(told) is None or days(told) >= 1
    assert day(told) is None or isinstance(day(told), date)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["Parks", "Works"])), max_size=8))
def test_each_dataset_that_is_listed_twice_is_told_by_the_first_of_its_likes(given):
    made = [Listed(str(i), title, owner=owner) for i, (title, owner) in enumerate(given)]
    firsts = {}
    for dataset in made:
        firsts.setdefault((dataset.title, dataset.owner), dataset.id)
    expected = {d.id: firsts[d.title, d.owner] for d in made if firsts[d.title, d.owner] != d.id}
    assert duplicates(made) == expected


# Columns


def test_columns_are_found_in_the_first_bytes_of_what_is_offered():
    pages = {
        "/a.csv": b"\xef\xbb\xbfid,Owner name\n1,x\n" + b"x" * 100_000,
        "/b.geojson": b'{"features":[{"type":"Feature","properties":{"ID":1,"NAME":"' + b"x" * 100,
        "/rest/services/T/FeatureServer/0": {"fields": [{"name": "OBJECTID"}, {"name": "SPECIES"}]},
        "/api/3/action/datastore_search": {"success": True, "result": {"fields": [{"id": "_id"}, {"id": "tree"}]}},
    }  # fmt: skip
    ask = of(pages)
    seen = [
        columns(Listed("1", "t", offers=(made,)), ask)
        for made in (
            offer(f"{ADDRESS}/a.csv"),
            offer(f"{ADDRESS}/b.geojson"),
            offer(f"{ADDRESS}/rest/services/T/FeatureServer/0"),
            Offer("", "csv", {"kind": "ckan", "url": ADDRESS, "resource": "r"}),
            offer(f"{ADDRESS}/gone.csv"),
        )
    ]
    assert seen == [("id", "Owner name"), ("ID",), ("OBJECTID", "SPECIES"), ("tree",), ()]
