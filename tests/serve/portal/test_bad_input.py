"""A hostile and a clumsy asker at once: every door answers in plain words, tells nothing, and lives on."""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pyarrow as pa
import pytest
import uvicorn
from drawers import ARROW, HIDDEN, OWNER, Drawers, few
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import SmallPortal, small_portal
from starlette.testclient import TestClient

from metroon import serving
from metroon.permit import PUBLIC, Gate
from metroon.serve.app import app
from metroon.serve.encoders import csv_bytes, stream
from metroon.serve.headers import HEADERS
from metroon.serve.limits import Limits
from metroon.serve.query import Query
from metroon.serve.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2
    from starlette.types import ASGIApp

ROWS = "/api/v1/datasets/trees/rows"
CKAN = "/api/3/action/datastore_search"
HOSTILE = (
    "'; drop table trees; --", "1 or 1=1", "x' union select 1", "\x00", "a\x00b", "1" + "0" * 400, "1e400", "-1", "0.5",
    "NaN", "Infinity", "null", "None", "", " ", "%", "_", "\\", "\u202e", "１２", "٣", "😀",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>', "</script><script>alert(1)</script>", "javascript:alert(1)", "{{7*7}}", "${7*7}",
    "%(n)s", "%s%n", "../../etc/passwd", "..\\..", "99999999999999999999", "-9223372036854775809", "0x10", "1_000",
    "2026-13-45", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+23:59/..", "0,0,NaN,1", "1e308,1e308,-1e308,-1e308",
    "[1]", "{}", "[" * 500, '{"tree":', '{"a":"\\ud800"}', '["\\ud800"]', "a," * 300, "a" * 1001, "(" * 200, "*" * 200,
    "a:b:c", "-" * 50, "\r\nX-Evil: 1", "eyJ", "WzEsMCwieCJd", "W1tbW1tbW1tb",
)  # fmt: skip
"""What people type by mistake, and what others type on purpose."""
QUESTIONS = (
    (ROWS, ("limit", "offset", "version", "cursor", "order", "select", "q", "format", "raw", "tree", "age", "height",
            "is_city", "planted", "seen_at", "age__in", "planted__between", "note__contains", "tree__starts",
            "age__is_null",
            "longitude__gte", "nothing", "tree__nothing", "__eq")),
    ("/api/v1/datasets", ("q", "shape", "access", "topic", "nothing")),
    (f"{CKAN}?resource_id=trees", ("filters", "q", "fields", "sort", "include_total", "records_format", "plain",
    "version",
                                   "limit", "offset", "nothing")),
    (CKAN, ("resource_id", "id")),
    ("/api/3/action/package_search", ("q", "fq", "fq_list", "rows", "start", "sort", "facet.field", "facet.limit")),
    ("/api/3/action/package_show", ("id",)),
    ("/api/3/action/group_show", ("id", "include_datasets")),
    ("/api/3/action/resource_show", ("id",)),
    ("/api/3/action/help_show", ("name",)),
    ("/ogc/collections/trees/items", ("limit", "offset", "bbox", "datetime", "version", "f", "tree", "age", "is_city",
    "crs")),
    ("/ogc/collections/parks/items", ("bbox", "park")),
    ("/search", ("q", "filter")), ("/es/search", ("q",)), ("/search.csv", ("q",)), ("/search.json", ("q",)),
    ("/datasets", ("q", "shape", "access", "department", "topic", "fresh", "map", "sort", "page")),
    ("/datasets.csv", ("q", "page")),
    ("/datasets/trees", ("filter", "version", "use", "show")),
    ("/datasets/trees.csv", ("version", "raw", "show")),
    ("/datasets/parks.geojson", ("version",)),
    ("/data.json", ("lang",)), ("/datasets/trees.jsonld", ("lang",)), ("/glossary", ("q",)), ("/api", ("q",)),
    ("/sitemap.xml", ("x",)), ("/health", ("x",)),
)  # fmt: skip
"""Every address that takes a question, with what it is asked by, and what it is not."""
TELLING = re.compile(
    r"Traceback|site-packages|File \"|/tmp/|/home/|select .* from |duckdb\.|ibis\.|Binder|Conversion Error"
    r"|Parser Error|Error:", re.IGNORECASE,
)  # fmt: skip
"""What an answer would hold that told of the machine."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallPortal:
    made = small_portal(tmp_path_factory.mktemp("small")).site()
    return SmallPortal(Site(Gate(replace(made.catalog, languages=("en", "es")), made.gate.opener)))


@pytest.fixture(scope="module")
def served(small: SmallPortal) -> ASGIApp:
    return app(small)


@pytest.fixture(scope="module")
def asking(served: ASGIApp) -> TestClient:
    return TestClient(served, base_url="http://127.0.0.1:8000", follow_redirects=False, raise_server_exceptions=False)


def faults(answer: httpx2.Response) -> list[str]:
    """What is wrong with an answer, whatever was asked."""
    found = [f"status {answer.status_code}"] if answer.status_code >= 500 else []
    found += [f"no {name}" for name in HEADERS if name not in answer.headers]
    if answer.status_code < 400:
        return found
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind == "application/problem+json":
        found += [f"no {k}" for k in ("type", "title", "status", "detail") if not answer.json().get(k)]
    elif kind == "application/json":
        found += [] if answer.json()["error"]["message"] else ["no message"]
    elif kind != "text/html":
        found.append(f"an error as {kind}")
    if kind != "text/html" and (told := TELLING.search(answer.text)):
        found.append(f"it tells {told[0]}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("address", "names"), QUESTIONS, ids=[a for a, _ in QUESTIONS])
def test_no_value_of_any_parameter_breaks_a_door_or_makes_it_tell(
    asking: TestClient, address: str, names: tuple[str, ...]
) -> None:
    joined = "&" if "?" in address else "?"
    wrong = {
        (name, value[:40]): told
        for name in names
        for value in HOSTILE
        if (told := faults(asking.get(f"{address}{joined}{quote(name)}={quote(value)}")))
    }

    assert {} == wrong


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_text_breaks_a_door(asking: TestClient, data: st.DataObject) -> None:
    address, names = data.draw(st.sampled_from(QUESTIONS))
    name = data.draw(st.sampled_from(names) | st.text(max_size=8))
    value = data.draw(st.sampled_from(HOSTILE) | st.text(max_size=40))
    joined = "&" if "?" in address else "?"

    given_ = [quote(t, errors="replace", safe="") for t in (name, value)]
    assert [] == faults(asking.get(f"{address}{joined}{given_[0]}={given_[1]}"))


# JSON can hold halves of characters, which no text in UTF-8 can.
_TEXTS = st.text(st.characters(), max_size=8) | st.sampled_from(["\ud800", "\x00", "trees", "tree", "age"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
ACTIONS = {
    "datastore_search": ("filters", "q", "fields", "sort", "limit", "offset", "records_format", "plain",
    "include_total", "id"),
    "package_search": ("q", "fq", "fq_list", "rows", "start", "sort", "facet.field", "facet.limit", "facet"),
    "package_show": ("id",), "tag_list": ("query", "all_fields"), "organization_show": ("id",), "help_show": ("name",),
}  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_value_of_json_breaks_an_action(asking: TestClient, data: st.DataObject) -> None:
    action = data.draw(st.sampled_from(list(ACTIONS)))
    name = data.draw(st.sampled_from([*ACTIONS[action], "callback"]) | _TEXTS)
    told = {**({"resource_id": "trees"} if action == "datastore_search" else {}), name: data.draw(_VALUES)}

    assert [] == faults(asking.post(f"/api/3/action/{action}", content=json.dumps(told).encode()))


@pytest.mark.parametrize(
    "told",
    [
        {"resource_id": "trees", "plain": "\ud800"}, {"resource_id": "trees", "include_total": "\ud800"},
        {"id": "trees", "\ud800": 1}, {"resource_id": "trees", "filters": {"\ud800": 1}},
        {"resource_id": "trees", "filters": {"tree": "\ud800"}}, {"resource_id": "trees", "q": {"tree": "\ud800"}},
    ],
    ids=str,
)  # fmt: skip
def test_half_a_character_is_no_text(asking: TestClient, told: dict[str, object]) -> None:
    answer = asking.post(CKAN, content=json.dumps(told).encode())

    assert (409, []) == (answer.status_code, faults(answer))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"null", b"[]", b"1", b'{"limit": NaN}', b'{"limit": 1e400}',
        b'{"limit": 1' + b"0" * 5_000 + b"}", b"a=b&a=c", b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--",
        b"\x1f\x8b\x08\x00" + b"\x00" * 100, b"x" * 999_999, b"x" * 1_000_001, b"{" + b" " * 900_000 + b"}",
    ],
    ids=lambda b: repr(b[:20]),
)  # fmt: skip
def test_no_body_breaks_an_action(asking: TestClient, body: bytes) -> None:
    for head in ({}, {"Content-Encoding": "gzip"}, {"Content-Type": "multipart/form-data; boundary=x"}):
        assert [] == faults(asking.post(f"{CKAN}?resource_id=trees&limit=1", content=body, headers=head))


# Rows that were not asked for


@pytest.mark.parametrize(
    "value",
    ["lamp' or '1'='1", "lamp') or (1=1", "lamp\\' or 1=1 --", "lamp' union select * from visits --", "%", "_amp"],
)
def test_a_filter_is_a_value_and_never_a_piece_of_a_statement(value: str) -> None:
    client = TestClient(app(Drawers()), base_url="http://127.0.0.1:8000")
    rest = client.get("/api/v1/datasets/lamps/rows", params={"word": value}).json()
    like = client.get("/api/v1/datasets/lamps/rows", params={"word__contains": value}).json()
    ckan = client.post(CKAN, json={"resource_id": "lamps", "filters": {"word": value}}).json()
    ogc = client.get("/ogc/collections/lamps/items", params={"word": value}).json()

    assert [0] * 4 == [rest["total"], like["total"], ckan["result"]["total"], ogc["numberMatched"]]


@pytest.mark.parametrize(
    "name", ['word" or 1=1 --', "word;drop", "word__eq__eq", "count(*)", "*", "1", "rowid", '"', HIDDEN]
)
def test_a_name_is_a_column_or_nothing(name: str) -> None:
    client = TestClient(app(Drawers()), base_url="http://127.0.0.1:8000")
    asked = [{"select": name}, {"order": name}, {name: "x"}, {"order": f"-{name}"}]
    answers = [client.get("/api/v1/datasets/lamps/rows", params=a) for a in asked]

    assert [400] * 4 == [a.status_code for a in answers]
    assert {"unknown-column"} == {a.json()["type"].partition("#")[2] for a in answers}
    assert [] == [a for a in answers if OWNER in a.text]


def test_a_forged_cursor_opens_no_other_rows(asking: TestClient) -> None:
    turn = urlsplit(asking.get(f"{ROWS}?limit=1&kind=oak").json()["next"]).query
    told = dict(pair.split("=", 1) for pair in turn.split("&"))["cursor"]
    asked = [f"{ROWS}?cursor={told}", f"{ROWS}?kind=elm&cursor={told}", f"{ROWS}?kind=oak&order=age&cursor={told}",
             f"{ROWS}?kind=oak&cursor={told[:-3]}", f"{ROWS}?kind=oak&cursor={told}&version=1"]  # fmt: skip

    assert [(400, "bad-cursor")] * len(asked) == [
        (a.status_code, a.json()["type"].partition("#")[2]) for a in map(asking.get, asked)
    ]
    assert 404 == asking.get(f"/api/v1/datasets/parks/rows?cursor={told}").status_code


# Addresses

PATHS = (
    "/../../etc/passwd", "/static/../../../etc/passwd", "/static/..%2f..%2f..%2fetc/passwd",
    "/static/%2e%2e/%2e%2e/app.py",
    "/static/..%5c..%5capp.py", "/static/%252e%252e/app.py", "/static//etc/passwd", "/static/", "/static/%00",
    "/static/fonts",
    "/static/fonts/..%2f..%2fapp.py", "/static/fonts/%2e%2e", "/static/fonts/%00", "/static/fonts/fonts.json",
    "/es/../static",
    "/es%2f..%2fstatic", "/datasets/..%2f..%2fcity", "/datasets/%2e%2e.csv", "/datasets/%00", "/datasets/trees%00.csv",
    "/datasets/.csv", "/datasets.csv.csv", "/datasets/trees.exe", "/stories/..%2f..", "/glossary/%00", "/goals/%ff%fe",
    "/%0d%0aX-Evil:1", "/.git/config", "/.metroon/store.sqlite", "/city.yaml", "/500", "/404", "/health/x",
    "/api/3/action/package_show/x", "/ogc/collections/%2e%2e/items", "/ogc/collections/trees/items/%00",
    "/ogc/collections/trees/items/..%2f..", "/ogc/collections/trees/items/'%20or%201=1",
    "/sitemap-99999999999999999999.xml",
    "/sitemap-0.xml", "/feeds/%00.atom", "/feeds/datasets/..%2f..atom", "/datasets/" + "a" * 2000, "/%ff", "/%e2%80%ae",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=[p[:40] for p in PATHS])
def test_an_address_that_leads_out_leads_nowhere(asking: TestClient, path: str) -> None:
    answer = asking.get(path)

    assert (404, []) == (answer.status_code, faults(answer))
    assert "root:" not in answer.text
    assert "class _Static" not in answer.text


AWAY = (
    "//evil.example/", "///evil.example/%2e%2e/", "/es//evil.example/", "/%5cevil.example/", "/%5c%5cevil.example/",
    "/es/%5cevil.example/", "/%09/evil.example/", "/%0d%0aX-Evil:1/", "/en/%0d%0aSet-Cookie:a=b", "/;@evil.example/",
    "/en/https://evil.example/", "/en//evil.example/%2f..", "/%2f%2fevil.example/", "/en/%2f%2fevil.example",
    "/en/%5c/evil.example", "/en/javascript:alert(1)/", "/?next=//evil.example", "/en?next=//evil.example",
)  # fmt: skip


@pytest.mark.parametrize("path", AWAY)
def test_no_address_leads_to_another_host(asking: TestClient, path: str) -> None:
    answer = asking.get(f"http://127.0.0.1:8000{path}")
    leads_to = answer.headers.get("location", "/")

    assert re.match(r"/(?![/\\])", leads_to)
    assert ("", "") == urlsplit(leads_to)[:2]
    assert {"x-evil", "set-cookie"}.isdisjoint(answer.headers)
    assert [] == faults(answer)


@pytest.mark.parametrize(
    "host",
    ['evil.example/"><script>alert(1)</script>', "[", "[::g]", "a:b:c", "evil.example:99999", "x@evil.example",
    "evil example",
     "evil.example#x", "evil.example\\x", "<svg onload=1>", "127.0.0.1:8000@evil.example", ""],
)  # fmt: skip
@pytest.mark.parametrize(
    "path", ["/", "/datasets/trees", "/api/v1", "/sitemap.xml", "/robots.txt", "/ogc", "/data.json"]
)
def test_a_name_that_is_none_is_in_no_link(asking: TestClient, path: str, host: str) -> None:
    answer = asking.get(path, headers={"Host": host})

    assert [] == faults(answer)
    assert "evil" not in answer.text
    assert "<svg onload" not in answer.text


@pytest.mark.parametrize(
    "path", ["/", "/datasets/trees", "/api/v1", "/sitemap.xml", "/robots.txt", "/ogc", "/data.json"]
)
@pytest.mark.parametrize("head", ["Host", "X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Forwarded-Prefix"])
def test_a_portal_that_knows_its_address_takes_it_from_nobody(small: SmallPortal, path: str, head: str) -> None:
    named = app(small, address="https://data.example.gov")
    client = TestClient(named, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)
    answer = client.get(path, headers={head: "host=evil.example" if head == "Forwarded" else "evil.example"})

    assert 200 == answer.status_code
    assert "evil" not in answer.text + str(answer.headers)


# Methods and headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
@pytest.mark.parametrize(
    "path", ["/", "/datasets/trees.csv", ROWS, "/ogc/collections", "/static/portal.css", "/health"]
)
def test_nothing_can_be_written(asking: TestClient, path: str, method: str) -> None:
    answer = asking.request(method, path)

    assert (405, []) == (answer.status_code, faults(answer))
    assert "GET" in answer.headers["allow"]


HEADS = (
    ("Range", "bytes=0-10"), ("Range", "bytes=" + ",".join(["0-"] * 500)), ("If-None-Match", '"' * 5000),
    ("If-None-Match", "W/" * 100), ("If-None-Match", "\x80"), ("If-Modified-Since",
    "Thu, 99 Foo 99999999 99:99:99 GMT"),
    ("If-Range", "x"), ("Accept", ";q=nan,,,;;"), ("Accept", "*/*;q=1e999"), ("Accept", "image/png"), ("Accept",
    "\xff\xfe"),
    ("Accept", "a/b;" * 2000), ("Accept-Language", "xx-\xff"), ("Accept-Encoding", "identity;q=0"), ("Cookie",
    "a=b; " * 500),
    ("Content-Type", "application/xml"), ("X-HTTP-Method-Override", "DELETE"), ("X-Forwarded-For", "')--, ,,"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "value"), HEADS, ids=[f"{n}: {v[:20]!r}" for n, v in HEADS])
@pytest.mark.parametrize(
    "path", ["/", "/datasets/trees.csv", ROWS, "/ogc/collections/trees/items", "/nothing", "/data.json"]
)
def test_no_header_breaks_an_answer(asking: TestClient, path: str, name: str, value: str) -> None:
    answer = asking.get(path, headers={name.encode(): value.encode("latin-1")})

    assert [] == faults(answer)
    assert answer.status_code in (200, 404, 406)


def test_every_kind_of_answer_has_the_headers(small: SmallPortal, asking: TestClient) -> None:
    known = asking.get("/datasets").headers["etag"]
    limited = TestClient(app(small, Limits(per_second=1, burst=1, hosts=("data.example.gov",))),
                         base_url="http://127.0.0.1:8000", raise_server_exceptions=False)  # fmt: skip
    answers = [
        asking.get("/datasets"), asking.get("/datasets", headers={"If-None-Match": known}), asking.get("/datasets/"),
        asking.get("/nothing"), asking.get("/static/portal.css"), asking.get("/static/nothing"), asking.head("/"),
        asking.get("/static/portal.css", headers={"Range": "bytes=99999999-"}), asking.get("/static/fonts/nothing"),
        asking.post("/"), asking.get("/" + "a" * 3000), asking.get("/?q=" + "a" * 9000), asking.get(f"{ROWS}?limit=x"),
        asking.get(ROWS, headers={"Accept": "image/png"}), asking.options(ROWS), asking.get("/robots.txt"),
        limited.get("/health"), limited.get("/health"), limited.get("/", headers={"Host": "evil.example"}),
        asking.post(CKAN, content=b"x" * 1_000_001),
    ]  # fmt: skip

    assert {200, 204, 304, 308, 400, 404, 405, 406, 413, 414, 416, 421, 429} == {a.status_code for a in answers}
    assert [] == [(a.request.url.path[:40], n) for a in answers for n in HEADERS if n not in a.headers]


@pytest.mark.parametrize("broken", ["base.html", "trouble.html", "not_found.html", "datasets.html"])
def test_a_template_that_is_broken_breaks_no_header_and_tells_nothing(
    small: SmallPortal, tmp_path: Path, broken: str
) -> None:
    own = tmp_path / "templates" / broken
    own.parent.mkdir()
    own.write_text("{% block main %}{{ page.nothing.of_the_kind }}{% endblock %}{{ 1 / 0 }}")
    site = small.site()
    portal = SmallPortal(Site(Gate(replace(site.catalog, folder=str(tmp_path)), site.gate.opener)))
    client = TestClient(app(portal), base_url="http://127.0.0.1:8000", raise_server_exceptions=False)

    for path in ("/datasets", "/nothing", "/about", "/500"):
        answer = client.get(path)
        assert [] == [n for n in HEADERS if n not in answer.headers]
        assert None is TELLING.search(answer.text)
        assert "of_the_kind" not in answer.text
    assert 200 == client.get("/api/v1/datasets").status_code


def test_what_fails_inside_is_told_to_programs_as_a_problem(
    small: SmallPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(OWNER)

    monkeypatch.setattr(Gate, "rows", fail)
    client = TestClient(app(small), base_url="http://127.0.0.1:8000", raise_server_exceptions=False)
    answers = [client.get(p) for p in (ROWS, f"{CKAN}?id=trees", "/ogc/collections/trees/items", "/datasets/trees.csv")]

    assert [(500, "application/problem+json")] * 4 == [(a.status_code, a.headers["content-type"]) for a in answers]
    assert [] == [a.text for a in answers if OWNER in a.text]
    assert [] == [n for a in answers for n in HEADERS if n not in a.headers]


# Texts that would run


class Seen(HTMLParser):
    """What a browser would run or fetch of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []
        self._data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.runs += [f"{tag} {k}" for k in told if k.startswith("on")]
        for name in ("href", "src", "action", "formaction", "data", "xlink:href"):
            address = (told.get(name) or "").strip().lower()
            if re.match(r"(javascript|vbscript|data):", address) or (
                name != "href" and re.match(r"(https?:)?//", address)
            ):
                self.runs.append(f"{tag} {name}={address[:40]}")
        if tag in ("iframe", "object", "embed", "base", "math"):
            self.runs.append(tag)
        if tag == "script":
            self._data = told.get("type") == "application/ld+json"
            if not self._data and not (told.get("src") or "").startswith("/"):
                self.runs.append("script")

    def handle_data(self, data: str) -> None:
        if self._data and data.strip():
            json.loads(data)

    def handle_endtag(self, tag: str) -> None:
        self._data = self._data and tag != "script"


def runs(page: str) -> list[str]:
    seen = Seen()
    seen.feed(page)
    return seen.runs


EVIL = "</script><script>alert(1)</script>\"><img src=x onerror=alert(1)>'<svg/onload=alert(1)> {{7*7}} %(n)s"


@pytest.mark.parametrize(
    ("path", "name"),
    [("/search", "q"), ("/es/search", "q"), ("/datasets", "q"), ("/datasets", "topic"), ("/datasets", "department"),
     ("/datasets", "sort"), ("/datasets/trees", "filter"), ("/datasets/trees", "use"), ("/datasets/trees", "version"),
     ("/glossary", "q"), ("/nothing", "q")],
)  # fmt: skip
def test_what_is_asked_is_shown_as_text_only(asking: TestClient, path: str, name: str) -> None:
    for value in (EVIL, "javascript:alert(1)", "x' onmouseover='alert(1)", 'x" autofocus onfocus="alert(1)'):
        assert [] == runs(asking.get(path, params={name: value}).text)


def test_an_address_that_is_not_there_is_shown_as_text_only(asking: TestClient) -> None:
    assert [] == runs(asking.get(f"/{quote(EVIL, safe='')}").text)


def _hostile(small: SmallPortal) -> SmallPortal:
    site = small.site()
    told = {
        n: replace(
            d, title=d.title + EVIL, description=EVIL, department=EVIL, topic=EVIL, gap=EVIL, limitations=EVIL,
            tags=(EVIL,),
            licence=replace(d.licence, title=EVIL, url="javascript:alert(1)"), harm_notes=EVIL, provenance=EVIL,
            grain=EVIL,
            steward=replace(d.steward, name=EVIL, contact="javascript:alert(1)") if d.steward else None,
            columns=tuple(replace(c, title=EVIL, description=EVIL, allowed=((EVIL, EVIL),)) for c in d.columns),
        )
        for n, d in site.catalog.datasets.items()
    }  # fmt: skip
    catalog = replace(site.catalog, city=f"Smallville {EVIL}", datasets=told)
    return SmallPortal(Site(Gate(catalog, site.gate.opener)))


PAGES_OF_SMALL = ("/", "/datasets", "/datasets/trees", "/datasets/patients", "/datasets/wards", "/search?q=tree",
"/about",
                  "/feeds", "/api", "/privacy", "/accessibility", "/nothing", "/es/datasets/trees")  # fmt: skip


@pytest.mark.parametrize("path", PAGES_OF_SMALL)
def test_a_text_of_the_city_is_shown_as_text_only(small: SmallPortal, path: str) -> None:
    client = TestClient(app(_hostile(small)), base_url="http://127.0.0.1:8000")
    page = client.get(path).text

    assert "&lt;svg/onload" in page
    assert "49" not in re.findall(r"onload=alert\(1\)&gt; (\S*)", page)
    assert [] == runs(page)


@pytest.mark.parametrize("path", ["/feeds/changes.atom", "/sitemap.xml", "/feeds/datasets/trees.atom"])
def test_a_text_of_the_city_breaks_no_xml(small: SmallPortal, path: str) -> None:
    from xml.etree import ElementTree

    answer = TestClient(app(_hostile(small)), base_url="http://127.0.0.1:8000").get(path)
    if answer.status_code == 200:
        told = {e.tag.rpartition("}")[2] for e in ElementTree.fromstring(answer.content).iter()}
        assert {"script", "img", "svg"}.isdisjoint(told)


FORMULAS = ("=1+1", "+1", "-1", "@x", "\tx", "\rx", "\n=1+1", "＝1+1", "＋1", "－1", "＠x")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_runs_no_cell_of_a_csv(text: str) -> None:
    row = {**few().slice(0, 1).to_pylist()[0], "word": text}
    drawers = Drawers(pa.Table.from_pylist([row], schema=ARROW))
    client = TestClient(app(drawers), base_url="http://127.0.0.1:8000")
    told = list(csv.DictReader(io.StringIO(client.get("/datasets/lamps.csv").text, newline="")))

    assert ["'" + text] == [r["word"] for r in told]
    assert [text] == [
        r["word"] for r in csv.DictReader(io.StringIO(client.get("/datasets/lamps.csv?raw=1").text, newline=""))
    ]


def test_a_spreadsheet_finds_no_formula_and_no_link_in_a_workbook() -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the reader of spreadsheets is not installed: make test-slow")
    row = few().slice(0, 1).to_pylist()[0]
    texts = [*FORMULAS, "https://evil.example", "mailto:a@b", "internal:Sheet1!A1", "{=1+1}"]
    drawers = Drawers(pa.Table.from_pylist([{**row, "word": t} for t in texts], schema=ARROW))
    body = TestClient(app(drawers), base_url="http://127.0.0.1:8000").get("/datasets/lamps.xlsx").content
    book = openpyxl.load_workbook(io.BytesIO(body))
    cells = [c for sheet in book for line in sheet.iter_rows() for c in line]

    assert [] == [c.coordinate for c in cells if c.data_type == "f" or c.hyperlink]


@pytest.mark.parametrize("text", ["\ufffe", "\uffff", "a\x00b", "\x0b", "\x1f", "\U0001f600", "_x0041_", "]]>"])
def test_every_text_leaves_in_a_workbook_that_opens(text: str) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the reader of spreadsheets is not installed: make test-slow")
    row = {**few().slice(0, 1).to_pylist()[0], "word": text}
    drawers = Drawers(pa.Table.from_pylist([row], schema=ARROW))
    body = TestClient(app(drawers), base_url="http://127.0.0.1:8000").get("/datasets/lamps.xlsx").content

    assert 2 == openpyxl.load_workbook(io.BytesIO(body))["Data"].max_row


@pytest.mark.parametrize("text", ["\ufffe", "\uffff", "a\x00b", "\x0b", '"\\\u2028', "</script>"])
def test_every_text_leaves_as_json(text: str) -> None:
    row = {**few().slice(0, 1).to_pylist()[0], "word": text}
    client = TestClient(app(Drawers(pa.Table.from_pylist([row], schema=ARROW))), base_url="http://127.0.0.1:8000")

    assert [text] == [r["word"] for r in client.get("/datasets/lamps.json").json()]
    assert [text] == [r["word"] for r in client.get("/api/v1/datasets/lamps/rows").json()["rows"]]
    assert [text] == [f["properties"]["word"] for f in client.get("/ogc/collections/lamps/items").json()["features"]]


# Time


@pytest.mark.parametrize(
    "value",
    ["a" * 8000, "a " * 4000, "(" * 8000, "\\" * 8000, "a:" * 4000, '"' * 8000, "-" * 8000, "１" * 2500, "é" * 2500,
    "+" * 8000,
     "路" * 2000, "a-" * 4000, "@." * 4000, "A " * 4000],
    ids=lambda v: v[:4],
)  # fmt: skip
@pytest.mark.parametrize(
    ("path", "name"),
    [("/search", "q"), ("/datasets", "q"), ("/datasets/trees", "filter"), ("/api/3/action/package_search", "q"),
     ("/api/3/action/package_search", "fq"), (ROWS, "q"), (ROWS, "cursor"), ("/ogc/collections/trees/items", "bbox"),
     ("/ogc/collections/trees/items", "datetime")],
)  # fmt: skip
def test_no_text_takes_long(asking: TestClient, path: str, name: str, value: str) -> None:
    began = time.process_time()
    answer = asking.get(path, params={name: value})

    assert [] == faults(answer)
    assert 2 > time.process_time() - began


def test_no_condition_takes_long(asking: TestClient) -> None:
    words = " ".join(f"w{n}" for n in range(10))
    began = time.process_time()
    answers = [asking.get(f"{ROWS}?{'&'.join(f'tree__ne={n}' for n in range(50))}"), asking.get(ROWS,
    params={"q": words}),
               asking.get(f"{ROWS}?{'&'.join(f'tree__ne={n}' for n in range(51))}"),
               asking.get(f"{ROWS}?tree__in={','.join(str(n) for n in range(1000))}")]  # fmt: skip

    assert [200, 200, 400, 200] == [a.status_code for a in answers]
    assert 5 > time.process_time() - began


# A real server


@contextmanager
def running(served: ASGIApp) -> Iterator[int]:
    """The port of a real server, set up as ``metroon serve`` sets one up."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    config = serving._config(served, serving.Serving(folder=None, is_quiet=True), is_factory=False)  # type: ignore[arg-type]
    config.port, config.log_config = port, None
    config.load()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join(10)


def asked(port: int, told: bytes, *, seconds: float = 20) -> bytes:
    """What a server says to some bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as to:
        to.sendall(told)
        heard = b""
        try:
            while part := to.recv(65536):
                heard += part
        except (TimeoutError, ConnectionResetError):
            heard += b"(cut)"
    return heard


@pytest.mark.slow
@pytest.mark.parametrize(
    "told",
    [
        b"GET /?q=\xff HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"GET / HTTP/1\r\n\r\n", b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    ],
    ids=lambda b: repr(b[:30]),
)  # fmt: skip
def test_bytes_that_are_no_request_are_refused_and_the_server_lives(served: ASGIApp, told: bytes) -> None:
    with running(served) as port:
        heard = asked(port, told)

        assert heard.startswith(b"HTTP/1.1 4")
        assert asked(port, b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.slow
def test_a_head_that_does_not_end_is_cut_off(served: ASGIApp) -> None:
    with running(served) as port, socket.create_connection(("127.0.0.1", port), timeout=5) as to:
        to.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        sent = 0
        try:
            while sent < 20_000_000:
                to.sendall(b"X: " + b"y" * 1000 + b"\r\n")
                sent += 1000
        except OSError:
            pass

        assert sent < 20_000_000


@pytest.mark.slow
@pytest.mark.parametrize("told", [b"", b"GET / HTTP/1.1\r\nX: ", b"GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /h"])
def test_a_request_that_never_becomes_whole_is_not_waited_for(
    served: ASGIApp, monkeypatch: pytest.MonkeyPatch, told: bytes
) -> None:
    monkeypatch.setattr(serving, "HEAD_S", 0.2)
    with running(served) as port:
        heard = asked(port, told, seconds=3)

        assert not heard.endswith(b"(cut)")


@pytest.mark.slow
def test_askers_who_stop_halfway_do_not_stop_others(served: ASGIApp) -> None:
    with running(served) as port:
        halfway = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
        for n, to in enumerate(halfway):
            to.sendall((b"GET / HTTP/1.1\r\nHost: a\r\nX: ",
            b"POST /api/3/action/site_read HTTP/1.1\r\nHost: a\r\nContent-"
                        b"Length: 9\r\n\r\n{",
                        b"GET /datasets/trees.csv HTTP/1.1\r\nHost: a\r\n\r\n")[n % 3])  # fmt: skip
        # They come from one address, so that it waits for its turn behind their bodies, which end by themselves.
        heard = asked(port, b"GET /datasets HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", seconds=90)
        for to in halfway:
            to.close()

        assert heard.startswith(b"HTTP/1.1 200")


def test_many_small_pages_of_rows_at_once_are_no_downloads(small: SmallPortal) -> None:
    """Readers behind one address, such as in a library, are no one who empties the portal."""
    import anyio
    import httpx2

    async def ask() -> list[int]:
        transport = httpx2.ASGITransport(app(small, Limits(streams_each=1, streams=1)))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            found: list[int] = []

            async def one() -> None:
                found.append((await client.get(f"{ROWS}?limit=50")).status_code)

            async with anyio.create_task_group() as group:
                for _ in range(12):
                    group.start_soon(one)
            return found

    assert [200] * 12 == anyio.run(ask)


def test_a_reader_who_leaves_lets_go_of_the_rows(small: SmallPortal) -> None:
    rows = small.site().gate.rows(PUBLIC, "trees", "file")
    for _ in range(50):
        read = stream(rows, Query())
        parts = csv_bytes(read)
        next(parts)
        parts.close()
        read.close()

    assert 1000 == sum(b.num_rows for b in stream(rows, Query()).batches)
