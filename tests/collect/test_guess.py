"""Guesses: what somebody means who names a source, told from its look alone; and nothing secret is written down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.base.kinds import build
from metroon.base.node import Node
from metroon.collect import RemoteSource
from metroon.collect.guess import source_of

ID = "65032067-580e-4167-9a5c-94fa8ac2d9a7"
SODA = {"kind": "socrata", "domain": "data.example.gov", "dataset": "abcd-1234"}
LAYER = "https://gis.example.gov/arcgis/rest/services/Parks/Trees/FeatureServer/0"
CKAN = {"kind": "ckan", "url": "https://data.example.gov", "resource": ID}
REMOTE = {
    "https://data.example.gov/resource/abcd-1234.json": SODA,
    "https://data.example.gov/resource/abcd-1234.json?$limit=5": SODA,
    "https://data.example.gov/d/abcd-1234": SODA,
    "https://data.example.gov/Public-Safety/Fire-Calls/abcd-1234": SODA,
    "https://data.example.gov/Public-Safety/Fire-Calls/abcd-1234/about_data": SODA,
    "https://data.example.gov/dataset/Fire-Calls/abcd-1234/data": SODA,
    "https://data.example.gov/api/views/abcd-1234/rows.csv?accessType=DOWNLOAD": SODA,
    f"https://data.example.gov/dataset/fire-calls/resource/{ID}": CKAN,
    f"https://data.example.gov/dataset/fire-calls/resource/{ID}/download/calls.csv": CKAN,
    f"https://data.example.gov/api/3/action/datastore_search?resource_id={ID}": CKAN,
    LAYER: {"kind": "arcgis", "url": LAYER},
    f"{LAYER}/query?where=1%3D1&f=json": {"kind": "arcgis", "url": LAYER},
    "https://files.example.gov/a/calls.csv": {
        "kind": "http", "url": "https://files.example.gov/a/calls.csv", "as": {"kind": "csv"},
    },
    "https://files.example.gov/trees.geojson": {
        "kind": "http", "url": "https://files.example.gov/trees.geojson", "as": {"kind": "geofile"},
    },
    "https://seeclickfix.example.gov/open311/v2/requests.json": {
        "kind": "open311", "url": "https://seeclickfix.example.gov/open311",
    },
    "s3://city-open-data/permits/2026.csv": {
        "kind": "s3", "bucket": "city-open-data", "path": "permits/2026.csv", "as": {"kind": "csv"},
    },
    "sftp://reader@files.example.gov:2222/outbox/calls.xlsx": {
        "kind": "sftp", "host": "files.example.gov", "user": "reader", "port": 2222, "path": "outbox/calls.xlsx",
        "as": {"kind": "excel"},
    },
}  # fmt: skip
NEEDED = {"open311": {"since": "2026-01-01"}, "sftp": {"host_key": "ssh-ed25519 AAAA", "key_from": "KEY_FILE"}}
"""Options that no address tells."""
NAMES = {
    "https://data.example.gov/Public-Safety/Fire-Calls/abcd-1234": "fire_calls",
    "https://data.example.gov/d/abcd-1234": "dataset_abcd_1234",
    f"https://data.example.gov/dataset/fire-calls/resource/{ID}": "fire_calls",
    LAYER: "trees",
    "https://files.example.gov/a/Calls%202024.csv": "calls_2024",
}
PORTALS = [
    "https://data.example.gov", "https://data.example.gov/", "https://data.example.gov/data.json",
    "https://data.example.gov/browse", "https://data.example.gov/dataset",
]  # fmt: skip
SECRET = [
    "https://ann:hush@data.example.gov/a.csv", "https://data.example.gov/a.csv?token=hush",
    "https://data.example.gov/resource/abcd-1234.json?$$app_token=hush", "https://x.example.gov/a.csv?X-Amz-Signature=hush",
    "https://x.example.gov/a.csv?api_key=hush", "postgresql://ann:hush@db.example.gov/permits",
    "postgresql://db.example.gov/permits?password=hush", "sftp://ann:hush@files.example.gov/a.csv",
]  # fmt: skip


@pytest.mark.parametrize("address", REMOTE)
def test_a_dataset_elsewhere_is_known_by_its_address(address):
    found = source_of(address)

    assert ("remote", REMOTE[address]) == (found.what, found.source)


@pytest.mark.parametrize("address", REMOTE)
def test_what_is_guessed_is_a_source_that_can_be_built(address):
    guessed = source_of(address).source
    asked = {**guessed, **NEEDED.get(str(guessed["kind"]), {})}

    assert isinstance(build("collect", Node(asked, "x"), RemoteSource), RemoteSource)


@pytest.mark.parametrize("address", NAMES)
def test_a_product_is_named_like_what_the_address_calls_it(address):
    assert NAMES[address] == source_of(address).name


@pytest.mark.parametrize("address", PORTALS)
def test_a_portal_itself_is_known(address):
    assert "portal" == source_of(address).what


@pytest.mark.parametrize("address", SECRET)
def test_an_address_with_a_secret_is_refused_and_the_secret_is_not_told(address):
    with pytest.raises(Refused) as refused:
        source_of(address, table="x")

    assert ["D157"] == [p.code for p in refused.value.problems]
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "https://www.example.gov/about-us/page", "https://gis.example.gov/arcgis/rest/services/Trees/FeatureServer",
        "https://", "http://[::1", "sftp://files.example.gov/readme",
    ],
)  # fmt: skip
def test_an_address_that_nobody_can_tell_is_refused(address):
    with pytest.raises(Refused) as refused:
        source_of(address)

    assert ["D157"] == [p.code for p in refused.value.problems]


def test_a_database_is_named_by_the_variable_that_holds_its_address():
    found = source_of("PERMITS_DB", table="public.issued_permits")

    assert ("database", "issued_permits") == (found.what, found.name)
    assert {"kind": "database", "url_from": "PERMITS_DB", "table": "public.issued_permits"} == found.source


def test_an_address_of_a_database_without_a_secret_names_its_variable():
    found = source_of("sqlite:////srv/city/permits.sqlite", table="issued")

    assert {"PERMITS_DB": "sqlite:////srv/city/permits.sqlite"} == found.sets
    assert "PERMITS_DB" == found.source["url_from"]


@pytest.mark.parametrize(
    "text", ["calls.csv", "inbox/calls.csv", "README", "C:\\data\\calls.csv", "../x", "file:///a.csv"]
)
def test_what_is_no_address_is_a_path(text):
    assert "path" == source_of(text).what


@given(st.one_of(st.text(), st.from_regex(r"(https?|sftp|s3|postgresql)://[ -~]{0,60}", fullmatch=True)))
def test_whatever_is_typed_is_guessed_or_refused_with_a_fix(text):
    told: list[str] = []
    try:
        told.append(source_of(text).what)
    except Refused as refused:
        told += [p.code for p in refused.problems]

    assert 1 == len(told)
    assert told[0] in ("path", "database", "remote", "portal", "D157")
