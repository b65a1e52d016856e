"""Whatever a server answers, a source lands it whole or says why not; it never breaks, and never takes half."""

from __future__ import annotations

import json
import socket

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from loopback import as_json, fetched, serving, source
from test_open311 import Server311, request
from test_portals import Layer, Portal, Soda, about, feature, numbered, row

from metroon.base.errors import Refused
from metroon.collect import Landing, Reading
from metroon.collect.addresses import NotAllowed, resolve
from metroon.collect.deliveries import Unreadable
from metroon.collect.esri import geojson
from metroon.collect.objects import parse
from metroon.collect.web import Found, page_table
from town import promise

SERVER = "http://127.0.0.1:1"
KINDS = {
    "socrata": {"domain": SERVER, "dataset": "abcd-1234"},
    "ckan": {"url": SERVER, "resource": "r"},
    "arcgis": {"url": f"{SERVER}/FeatureServer/0"},
    "open311": {"url": SERVER, "since": "2026-01-01"},
}
NAMES = [
    "columns", "fieldName", "n", "newest", ":id", "success", "result", "datastore_active", "url", "total", "records",
    "fields", "id", "_id", "name", "type", "count", "features", "attributes", "objectIds", "objectIdFieldName", "error",
    "code", "geometryType", "maxRecordCount", "advancedQueryCapabilities", "supportsPagination", "spatialReference",
    "wkid", "editingInfo", "lastEditDate", "service_request_id", "updated_datetime",
]  # fmt: skip
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(NAMES), st.just("esriFieldTypeOID"), st.just(4326), st.just(1e300),
)  # fmt: skip
JSON = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@given(answers=st.lists(JSON, min_size=1, max_size=4))
@settings(max_examples=30)
def test_whatever_is_answered_it_is_rows_or_a_problem(tmp_path_factory, kind, answers):
    said = [0]

    def answer(_):
        said[0] += 1
        return as_json(answers[said[0] % len(answers)] if said[0] < 40 else [])

    home = tmp_path_factory.mktemp("home")
    with serving(answer) as server:
        options = {k: v.replace(SERVER, server.url) for k, v in KINDS[kind].items()}
        try:
            fetched(source(kind, **options, tries=1), home)
            told = ["fetched"]
        except Refused as refused:
            told = [p.code for p in refused.problems]

    assert set(told) <= {"fetched", "D134", "D135", "D138", "D139", "D140", "D145"}
    assert Landing(home / "landed" / "permits").is_whole()


def changed(value: object, way: list[int], new: object) -> object:
    """A JSON value with one place of it replaced by another value."""
    if not way or not value or not isinstance(value, dict | list):
        return new
    made = dict(value) if isinstance(value, dict) else list(value)
    key = list(made)[way[0] % len(made)] if isinstance(made, dict) else way[0] % len(made)
    made[key] = changed(made[key], way[1:], new)
    return made


SERVERS = {
    "socrata": lambda: Soda([row(i, n=i) for i in range(5)]),
    "ckan": lambda: Portal(numbered(6)),
    "arcgis": lambda: Layer([feature(i) for i in range(6)], about(editingInfo={"lastEditDate": 1})),
    "open311": lambda: Server311([request(i, i) for i in range(1, 6)]),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@given(at=st.integers(1, 7), way=st.lists(st.integers(0, 9), max_size=5), new=JSON, lasts=st.booleans())
@settings(max_examples=60, phases=(Phase.explicit, Phase.generate))
def test_a_server_that_is_right_but_for_one_value_gives_all_its_rows_or_a_problem(
    tmp_path_factory, engine, kind, at, way, new, lasts
):
    right, asked = SERVERS[kind](), [0]

    def answer(request_):
        asked[0] += 1
        reply = right(request_)
        is_now = asked[0] == at or (lasts and asked[0] > at)
        return as_json(changed(json.loads(reply.body), way, new)) if is_now and asked[0] < 200 else reply

    home = tmp_path_factory.mktemp("home")
    with serving(answer) as server:
        options = {k: v.replace(SERVER, server.url) for k, v in KINDS[kind].items()}
        made = source(kind, **options, tries=1)
        try:
            landing = fetched(made, home)
            raw = made.read(Reading(engine, promise({"name": "string public"}), landing.folder, landing.folder))
            told = [p.code for p in raw.problems]
        except Refused as refused:
            told = [p.code for p in refused.problems]

    assert set(told) <= {"D102", "D134", "D135", "D138", "D139", "D140", "D145"}
    assert Landing(home / "landed" / "permits").is_whole()


@given(JSON)
def test_a_shape_is_one_or_none(given_here):
    try:
        made = geojson(given_here)
    except (ValueError, TypeError, KeyError, IndexError):
        made = None  # what asks for it sets the row aside

    assert made is None or {"type", "coordinates"} == set(made)


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch):
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 80)) for a in ("1.1.1.1", "192.168.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    with pytest.raises(NotAllowed):
        resolve("data.example.org", 80, frozenset())

    assert ["1.1.1.1", "192.168.0.1"] == resolve("data.example.org", 80, frozenset({"data.example.org:80"}))


VALUE = st.none() | st.text(max_size=4) | st.integers() | st.just("\ud800") | st.booleans() | JSON
ONE = st.fixed_dictionaries({}, optional={"a": VALUE, "b": VALUE, "c": st.integers()})


@given(st.lists(ONE, max_size=5))
def test_records_are_read_alike_whether_they_are_plain_or_not(records):
    parsed = parse(json.dumps(records))
    found = Found(parsed, ("a", "b", "c"))
    contract = promise({"a": "string public", "b": "string public"})
    both = []
    for more in ([], [["no record"]]):  # a record that is none is read the long way round
        try:
            rows, unnamed = page_table(Found([*found.records, *more], found.names), contract)
        except Unreadable:
            rows, unnamed = pa.table({}), []
        both.append((rows.slice(0, len(records)).to_pylist(), [n for n in unnamed if "." not in n]))

    if records and both[0][0]:
        assert both[0][0] == both[1][0]
