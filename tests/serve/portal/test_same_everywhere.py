"""One dataset is the same on every door: the same columns and rows, and nothing of what is not public."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from drawers import ARROW, HIDDEN, OWNER, PATIENT, ROWS_SHUT, TYPES, Drawers
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from chance import examples
from metroon.base import kinds
from metroon.serve.app import PAGES, app
from metroon.serve.door import Door

if TYPE_CHECKING:
    from starlette.types import ASGIApp

Row = dict[str, Any]
ROWS = "/api/v1/datasets/lamps/rows"
CKAN = "/api/3/action/datastore_search?resource_id=lamps"


@pytest.fixture(scope="module")
def drawers() -> Drawers:
    return Drawers()


@pytest.fixture(scope="module")
def portal(drawers: Drawers) -> ASGIApp:
    return app(drawers)


@pytest.fixture(scope="module")
def changing() -> tuple[Drawers, ASGIApp]:
    """Drawers whose rows are changed between questions, and their portal."""
    made = Drawers()
    return made, app(made)


@pytest.fixture
def asking(portal: ASGIApp) -> TestClient:
    return TestClient(portal, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)


# How a program reads each format


def _of_csv(body: bytes) -> list[Row]:
    kinds_ = {f.name: f.type for f in ARROW if f.name != HIDDEN}
    options = pa.csv.ConvertOptions(column_types=kinds_, strings_can_be_null=True, quoted_strings_can_be_null=False)
    read: list[Row] = pa.csv.read_csv(io.BytesIO(body), convert_options=options).to_pylist()
    return read


def _of_parquet(body: bytes) -> list[Row]:
    read: list[Row] = pq.read_table(io.BytesIO(body)).to_pylist()
    return read


def _of_arrow(body: bytes) -> list[Row]:
    read: list[Row] = pa.ipc.open_stream(io.BytesIO(body)).read_all().to_pylist()
    return read


def _of_xlsx(body: bytes) -> list[Row]:
    openpyxl = pytest.importorskip("openpyxl", reason="the reader of spreadsheets is not installed: make test-slow")
    sheet = openpyxl.load_workbook(io.BytesIO(body), read_only=True)["Data"]
    head, *rows = sheet.iter_rows(values_only=True)
    told = [dict(zip(head, row, strict=True)) for row in rows]
    return [{k: v.date() if k == "day" and isinstance(v, datetime) else v for k, v in row.items()} for row in told]


def _of_ndjson(body: bytes) -> list[Row]:
    return [_typed(json.loads(line)) for line in body.splitlines()]


def _of_json(body: bytes) -> list[Row]:
    return [_typed(row) for row in json.loads(body)]


def _of_geojson(body: bytes) -> list[Row]:
    return [_typed(f["properties"]) for f in json.loads(body)["features"]]


def _typed(row: Mapping[str, Any]) -> Row:
    read: dict[str, Callable[[str], object]] = {"day": date.fromisoformat, "at": datetime.fromisoformat}
    return {k: read[k](v) if k in read and v is not None else v for k, v in row.items()}


def _file(address: str, read: Callable[[bytes], list[Row]]) -> Callable[[TestClient], list[Row]]:
    return lambda client: read(client.get(address).content)


def _rest_pages(client: TestClient) -> list[Row]:
    found, turn = [], f"{ROWS}?limit=3"
    while turn:
        page = client.get(turn).json()
        found += [_typed(row) for row in page["rows"]]
        turn = page["next"]
    return found


def _ckan(form: str) -> Callable[[TestClient], list[Row]]:
    def read(client: TestClient) -> list[Row]:
        found: list[Row] = []
        while True:
            told = client.get(f"{CKAN}&limit=3&offset={len(found)}&records_format={form}").json()["result"]
            names = [f["id"] for f in told["fields"]]
            told_rows = [r if form == "objects" else dict(zip(names, r, strict=True)) for r in told["records"]]
            found += [_typed(r) for r in told_rows]
            if not told_rows or len(found) >= told["total"]:
                return found

    return read


def _ogc(client: TestClient) -> list[Row]:
    found, turn = [], "/ogc/collections/lamps/items?limit=3"
    while turn:
        page = client.get(turn).json()
        found += [_typed(f["properties"]) for f in page["features"]]
        turn = next((one["href"] for one in page["links"] if one["rel"] == "next"), "")
    return found


WAYS: Mapping[str, Callable[[TestClient], list[Row]]] = {
    "file csv": _file("/datasets/lamps.csv?raw=1", _of_csv),
    "file json": _file("/datasets/lamps.json", _of_json),
    "file parquet": _file("/datasets/lamps.parquet", _of_parquet),
    "file geojson": _file("/datasets/lamps.geojson", _of_geojson),
    "file xlsx": _file("/datasets/lamps.xlsx", _of_xlsx),
    "file of its version": _file("/datasets/lamps.json?version=1", _of_json),
    "rest pages": _rest_pages,
    **{
        f"rest {ending}": _file(f"{ROWS}?format={ending}", read)
        for ending, read in (("ndjson", _of_ndjson), ("parquet", _of_parquet), ("arrow", _of_arrow),
                             ("geojson", _of_geojson), ("xlsx", _of_xlsx))
    },
    "rest csv": _file(f"{ROWS}?format=csv&raw=1", _of_csv),
    "rest in another order": _file(f"{ROWS}?format=ndjson&order=-word", _of_ndjson),
    "ckan objects": _ckan("objects"),
    "ckan lists": _ckan("lists"),
    "ogc": _ogc,
}  # fmt: skip
"""Every way to read the rows of a dataset."""

# Letters that every format can hold: XML has no control characters, and no code points that are no characters.
_LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"])
_DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
_TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(microsecond=0))
_ROW = st.fixed_dictionaries(
    {
        "word": st.none() | st.text(_LETTERS, min_size=1, max_size=6) | st.sampled_from(["=1+1", "'; drop", "<b>"]),
        "amount": st.none() | st.integers(-4_000_000, 4_000_000).map(lambda n: n / 4),
        "is_on": st.none() | st.booleans(),
        "day": st.none() | _DAYS,
        "at": st.none() | _TIMES,
        "longitude": st.integers(-180, 180).map(float),
        "latitude": st.integers(-90, 90).map(float),
    }
)  # fmt: skip


def _same(rows: list[Row]) -> list[tuple[object, ...]]:
    """Rows in the order of their id, with the values that a reader of text cannot tell apart made one."""
    return sorted(
        (tuple(row[n] for n in TYPES) for row in rows),
        key=lambda row: int(str(row[0])),
    )


@examples(3, many=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_ROW, max_size=8))
def test_every_door_gives_the_same_rows_and_columns(changing: tuple[Drawers, ASGIApp], rows: list[Row]) -> None:
    drawers, portal = changing
    told = [{"id": n, **row, HIDDEN: OWNER} for n, row in enumerate(rows)]
    drawers.fill(pa.Table.from_pylist(told, schema=ARROW))
    client = TestClient(portal, base_url="http://127.0.0.1:8000")
    expected = _same([{n: row[n] for n in TYPES} for row in told])

    found = {way: read(client) for way, read in WAYS.items()}

    assert {way: [list(TYPES)] * len(rows) for way in WAYS} == {way: [list(r) for r in f] for way, f in found.items()}
    assert dict.fromkeys(WAYS, expected) == {way: _same(f) for way, f in found.items()}


def test_every_door_counts_the_same_rows(asking: TestClient) -> None:
    counts = {
        "rest": asking.get(ROWS).json()["total"],
        "rest, of the dataset": asking.get("/api/v1/datasets/lamps").json()["rows"],
        "ckan": asking.get(CKAN).json()["result"]["total"],
        "ckan, of the resource": asking.get("/api/3/action/datastore_info?id=lamps").json()["result"]["meta"]["count"],
        "ogc": asking.get("/ogc/collections/lamps/items").json()["numberMatched"],
        "file": asking.get("/datasets/lamps.csv").text.count("\n") - 1,
    }

    assert dict.fromkeys(counts, 8) == counts


@pytest.mark.parametrize(
    ("rest", "ckan", "ogc", "expected"),
    [
        ("word=x' or '1'='1", {"word": "x' or '1'='1"}, "word=x' or '1'='1", 2),
        ("is_on=true", {"is_on": True}, "is_on=true", 4),
        ("amount=0.5", {"amount": 0.5}, "amount=0.5", 1),
        ("day=2026-01-03", {"day": "2026-01-03"}, "day=2026-01-03", 1),
        ("id=1' or 1=1", {"id": "1' or 1=1"}, "id=1' or 1=1", None),
    ],
)
def test_every_door_finds_the_same_rows_by_a_value(
    asking: TestClient, rest: str, ckan: dict[str, object], ogc: str, expected: int | None
) -> None:
    answers = [
        asking.get(f"{ROWS}?{rest}"),
        asking.get("/api/3/action/datastore_search", params={"resource_id": "lamps", "filters": json.dumps(ckan)}),
        asking.get(f"/ogc/collections/lamps/items?{ogc}"),
    ]
    told = [a.json() for a in answers]

    if expected is None:
        assert [400, 409, 400] == [a.status_code for a in answers]
    else:
        assert [expected] * 3 == [told[0]["total"], told[1]["result"]["total"], told[2]["numberMatched"]]


# What is not published is nowhere

ABOUT_HIDDEN = (
    f"{ROWS}?{{n}}=x", f"{ROWS}?{{n}}__is_null=true", f"{ROWS}?{{n}}__gte=a", f"{ROWS}?order={{n}}",
    f"{ROWS}?order=-{{n}}", f"{ROWS}?select={{n}}", f"{ROWS}?format=csv&select=id,{{n}}",
    f"{ROWS}?format=geojson&select={{n}}",
    f"{CKAN}&fields={{n}}", f"{CKAN}&sort={{n}} desc", CKAN + "&filters=%7B%22{n}%22:%22x%22%7D",
    CKAN + "&q=%7B%22{n}%22:%22x%22%7D", "/ogc/collections/lamps/items?{n}=x",
    "/api/3/action/package_search?fq={n}:x", "/api/3/action/package_search?facet.field={n}",
)  # fmt: skip


@pytest.mark.parametrize("address", ABOUT_HIDDEN)
def test_a_column_that_is_not_published_is_answered_like_one_that_there_is_not(
    asking: TestClient, address: str
) -> None:
    hidden, nothing = asking.get(address.format(n=HIDDEN)), asking.get(address.format(n="qwxzy"))

    assert hidden.status_code in (400, 409)
    assert nothing.status_code == hidden.status_code
    assert nothing.text.replace("qwxzy", HIDDEN) == hidden.text


@pytest.mark.parametrize("word", [OWNER, OWNER.split()[0], "nobodyknows"])
def test_a_search_in_rows_does_not_look_into_columns_that_are_not_published(asking: TestClient, word: str) -> None:
    page = asking.get("/datasets/lamps", params={"filter": word}).text

    assert 0 == asking.get(ROWS, params={"q": word}).json()["total"]
    assert 0 == asking.get(f"{CKAN}&q={word}").json()["result"]["total"]
    assert "No row holds all of these words" in page


SHUT_ADDRESSES = (
    *(f"/datasets/visits.{e}" for e in ("csv", "json", "parquet", "geojson", "xlsx")), "/datasets/visits.csv?version=1",
    "/datasets/visits.csv?show=months", "/datasets/visits.csv?filter=a", "/datasets/visits/contract.yaml",
    *(f"/api/v1/datasets/visits/rows{q}" for q in ("", "?version=1", "?format=csv", "?patient=a", "?limit=1", "?q=a")),
    "/api/v1/datasets/visits/openapi.json", "/api/v1/measures/visits/estimates",
    *(f"/api/3/action/{q}" for q in (
        "datastore_search?resource_id=visits", "datastore_search?id=visits.csv", "datastore_search?id=visits&version=1",
        "datastore_info?id=visits", "resource_show?id=visits.csv")),
    "/ogc/collections/visits", "/ogc/collections/visits/items", "/ogc/collections/visits/items/1",
)  # fmt: skip
ABOUT_SHUT = (
    "/api/v1/datasets", "/api/v1/datasets/visits", "/api/v1/datasets/visits/versions", "/feeds/datasets/visits.atom",
    "/api/3/action/package_show?id=visits", "/api/3/action/current_package_list_with_resources",
    "/search?q=patient", f"/search.json?q={PATIENT}", "/datasets/visits.jsonld", "/datasets.json",
)  # fmt: skip
"""What may be known of them: that they are there."""


@pytest.mark.parametrize("address", SHUT_ADDRESSES)
def test_rows_that_are_not_public_are_on_no_door(asking: TestClient, address: str) -> None:
    assert 404 == asking.get(address).status_code


@pytest.mark.parametrize("address", [a for a in SHUT_ADDRESSES if a.startswith("/api/v1/datasets/visits/rows")])
def test_rows_that_are_not_public_are_answered_like_a_dataset_that_there_is_not(
    asking: TestClient, address: str
) -> None:
    assert asking.get(address.replace("visits", "nothing")).json() == asking.get(address).json()


@pytest.mark.slow
def test_no_answer_tells_rows_counts_or_days_of_what_is_not_public(drawers: Drawers, asking: TestClient) -> None:
    pytest.importorskip("openpyxl", reason="the reader of spreadsheets is not installed: make test-slow")
    from crawl import crawl

    catalog = drawers.site().catalog
    starts = [p for page in PAGES for p in page.paths(catalog)]
    for name in kinds.names("serve"):
        door = kinds.find("serve", name, Door)()
        starts += [door.start, *door.paths(catalog)]
    starts += [*SHUT_ADDRESSES, *ABOUT_SHUT]
    found = crawl(asking, starts)
    secrets = re.compile(rf"{PATIENT}|{OWNER}|{ROWS_SHUT}|7,919|7\.919|0\.7919|79\.19|1987|patient_of")

    told = {path: sorted(set(secrets.findall(text.replace(path, "")))) for path, (_, text) in found.items()}
    assert {} == {path: what for path, what in told.items() if what}
    assert 40 < len(found)
    assert [] == [path for path, (status, _) in found.items() if status >= 500]
