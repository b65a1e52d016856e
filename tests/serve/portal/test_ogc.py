"""OGC API - Features: real GIS programs read every row once, and what is hidden keeps its boundary and says why."""

from __future__ import annotations

import importlib
import importlib.metadata
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seen import seen
from starlette.applications import Starlette
from village import LAMPS, Village, asks

from metroon.permit import PUBLIC
from metroon.serve.geometry import During, boxes, during, index
from metroon.serve.kinds.ogc import Ogc
from metroon.serve.trouble import Trouble, not_there

if TYPE_CHECKING:
    from starlette.testclient import TestClient

LAMPS_AT = "/ogc/collections/lamps/items"
OPERATIONS: list[Any] = []
"""What can be asked, read from the description once."""


@pytest.fixture(scope="module")
def village() -> TestClient:
    return asks(Ogc())


def got(client: TestClient, path: str, **query: str) -> dict[str, Any]:
    answer = client.get(path, params=query or None)
    assert 200 == answer.status_code, answer.text
    return answer.json()


def ids(client: TestClient, path: str, **query: str) -> list[object]:
    return [f["id"] for f in got(client, path, **query)["features"]]


def rels(told: dict[str, Any]) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in told["links"]}


def test_the_landing_page_leads_to_everything_a_client_needs(village):
    found = rels(got(village, "/ogc"))

    assert {"self", "data", "conformance", "service-desc", "service-doc"} == set(found)
    assert all(village.get(found[r]).status_code == 200 for r in ("self", "data", "conformance", "service-desc"))


def test_it_claims_core_geojson_and_openapi_and_nothing_more(village):
    claimed = got(village, "/ogc/conformance")["conformsTo"]

    assert ["core", "oas30", "geojson"] == [c.rsplit("/", 1)[1] for c in claimed]


def test_collections_are_rows_with_a_place_boundaries_and_measures_and_nothing_of_people(village):
    every = got(village, "/ogc/collections")["collections"]

    assert ["lamps", "ponds", "places.area", "measures.dark"] == [c["id"] for c in every]
    assert {"feature"} == {c["itemType"] for c in every}
    assert 404 == village.get("/ogc/collections/visits").status_code == village.get("/ogc/collections/no").status_code


def test_a_collection_tells_where_and_when_it_is(village):
    found = got(village, "/ogc/collections/lamps")

    assert [[-179.5, 10.5, 179.5, 10.5]] == found["extent"]["spatial"]["bbox"]
    assert [["2026-01-01T00:00:00Z", "2026-01-05T23:59:59Z"]] == found["extent"]["temporal"]["interval"]
    assert {"self", "items", "describedby", "license"} == set(rels(found))


def test_a_feature_has_the_key_of_its_row_as_id_and_only_published_columns(village):
    first = got(village, LAMPS_AT)["features"][0]

    assert ("L1", {"type": "Point", "coordinates": [0.5, 10.5]}) == (first["id"], first["geometry"])
    assert {"lamp": "L1", "seen": "2026-01-01", "watts": 40, "lon": 0.5, "lat": 10.5} == first["properties"]


def test_rows_without_a_key_are_numbered_and_a_missing_shape_is_null(village):
    told = got(village, "/ogc/collections/ponds/items")["features"]

    assert [1, 2, 3] == [f["id"] for f in told]
    assert ["Polygon", "Polygon", None] == [f["geometry"] and f["geometry"]["type"] for f in told]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 10_000, 2_000_000])
def test_following_next_gives_every_row_once_whatever_the_limit(village, limit):
    found, here = [], f"{LAMPS_AT}?limit={limit}"
    while here:
        told = got(village, here)
        assert (5, len(told["features"])) == (told["numberMatched"], told["numberReturned"])
        found += [f["id"] for f in told["features"]]
        here = rels(told).get("next", "")

    assert ["L1", "L2", "L3", "L4", "L5"] == found


def test_pages_of_one_answer_are_of_one_version(village):
    following = rels(got(village, LAMPS_AT, limit="2", watts="40"))["next"]

    assert "version=2" in following
    assert "watts=40" in following
    assert ["L5"] == ids(village, following)


@pytest.mark.parametrize(
    ("bbox", "found"),
    [
        ("0,10,2,11", ["L1", "L2"]),
        ("0,10,-5,2,11,5", ["L1", "L2"]),
        ("179,10,-179,11", ["L4", "L5"]),
        ("0.5,10.5,0.5,10.5", ["L1"]),
        ("100,-10,110,0", []),
    ],
)
def test_a_box_finds_what_lies_in_it_also_across_the_antimeridian(village, bbox, found):
    told = got(village, LAMPS_AT, bbox=bbox)

    assert (found, len(found)) == ([f["id"] for f in told["features"]], told["numberMatched"])


def test_a_shape_is_found_where_it_is_and_not_where_only_the_box_around_it_is(village):
    at = "/ogc/collections/ponds/items"

    assert [1, 2] == ids(village, at, bbox="0,10,3,11")
    assert [] == ids(village, at, bbox="1.85,10.85,1.95,10.95")
    assert [2] == ids(village, at, bbox="0,10,3,11", name="Corner")
    assert [2] == ids(village, at, bbox="0,10,3,11", offset="1", limit="1")


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ("2026-01-03", ["L3"]),
        ("2026-01-02/2026-01-03", ["L2", "L3"]),
        ("../2026-01-02", ["L1", "L2"]),
        ("2026-01-04/..", ["L4", "L5"]),
        ("/2026-01-01", ["L1"]),
        ("2026-01-05T12:00:00Z/", ["L5"]),
    ],
)
def test_a_time_finds_days_and_stretches(village, when, found):
    assert found == ids(village, LAMPS_AT, datetime=when)


def test_a_moment_with_an_offset_is_told_on_the_clocks_of_the_city(village):
    at = "/ogc/collections/ponds/items"

    assert [1] == ids(village, at, datetime="2026-01-01")
    assert [1] == ids(village, at, datetime="2026-01-02T07:00:00Z/2026-01-02T08:00:00Z")


def test_a_place_with_a_hidden_number_keeps_its_boundary_and_says_why(village):
    every = {f["id"]: f for f in got(village, "/ogc/collections/measures.dark/items")["features"]}
    hidden, told, unknown = (every[k]["properties"] for k in ("A2", "A1", "A3"))

    assert {"Polygon"} == {f["geometry"]["type"] for f in every.values()}
    assert (None, None, None, "hidden") == (hidden["value"], hidden["low"], hidden["high"], hidden["state"])
    assert "Hidden to protect people" in hidden["reason"]
    assert (0.25, 0.2, 0.3, None) == (told["value"], told["low"], told["high"], told["reason"])
    assert ("not measured", None) == (unknown["state"], unknown["value"])


def test_boundaries_carry_names_people_and_their_vintage(village):
    (found,) = got(village, "/ogc/collections/places.area/items", place="A2")["features"]

    assert ("Middle", 30, "2025", False) == tuple(
        found["properties"][n] for n in ("name", "people", "vintage", "official")
    )


def test_places_are_filtered_by_box_time_and_value(village):
    dark = "/ogc/collections/measures.dark/items"

    assert ["A1"] == ids(village, dark, bbox="0.1,10.1,0.2,10.2")
    assert ["A2"] == ids(village, dark, state="hidden")
    assert ["A1"] == ids(village, dark, value="0.25")
    assert 3 == len(ids(village, dark, datetime="2025-06-01"))
    assert [] == ids(village, dark, datetime="2024-06-01")


def test_one_feature_is_found_by_its_id(village):
    assert "Corner" == got(village, "/ogc/collections/ponds/items/2")["properties"]["name"]
    assert "L4" == got(village, f"{LAMPS_AT}/L4")["id"]
    assert {"self", "collection"} == set(rels(got(village, "/ogc/collections/places.area/items/A1")))


@pytest.mark.parametrize("path", ["ponds/items/9", "ponds/items/x", "lamps/items/l1", "places.area/items/A9",
                                  "lamps/items/L1'--", "lamps/items/../../visits", "measures.none/items"])  # fmt: skip
def test_what_is_not_there_is_a_problem_document(village, path):
    found = village.get(f"/ogc/collections/{path}")

    assert (404, "application/problem+json") == (found.status_code, found.headers["content-type"])


@pytest.mark.parametrize(
    "query",
    ["nope=1", "limit=0", "limit=-1", "limit=x", "offset=-1", "bbox=1,2,3", "bbox=1,2,3,x", "bbox=0,11,1,10",
     "bbox=nan,0,1,1", "bbox=0,0,inf,1", "bbox=-200,0,0,1", "datetime=yesterday", "datetime=../..", "datetime=/",
     "datetime=2026-01-02/2026-01-01", "watts=many", "watts=40&watts=60", "_row=1", "_feature=1", "f=html",
     "crs=http://www.opengis.net/def/crs/EPSG/0/3857", "lamp__gte=1"],
)  # fmt: skip
def test_a_wrong_question_is_told_and_never_answered_in_part(village, query):
    found = village.get(f"{LAMPS_AT}?{query}")
    told = found.json()

    assert (400, "application/problem+json") == (found.status_code, found.headers["content-type"])
    assert told["fix"]


def test_a_date_asked_of_what_has_none_is_told(village):
    assert 400 == village.get("/ogc/collections/places.area/items?datetime=2026-01-01").status_code


def test_text_of_sql_in_a_value_is_a_value(village):
    assert [] == ids(village, LAMPS_AT, lamp="L1' or '1'='1")


def test_a_version_that_was_never_published_is_not_there(village):
    assert [404, 200] == [village.get(f"{LAMPS_AT}?version={n}").status_code for n in (9, 1)]


def test_an_answer_that_is_known_is_not_sent_again_though_its_time_differs(village):
    first = village.get(LAMPS_AT)
    again = village.get(LAMPS_AT, headers={"If-None-Match": first.headers["etag"]})
    head = village.head(LAMPS_AT)

    assert datetime.fromisoformat(first.json()["timeStamp"]).tzinfo
    assert (304, b"", b"") == (again.status_code, again.content, head.content)
    assert ("*", "application/geo+json") == (first.headers["access-control-allow-origin"], head.headers["content-type"])
    assert village.options(LAMPS_AT).is_success


def test_the_description_knows_every_property_that_can_be_asked(village):
    told = got(village, "/ogc/api")
    known = told["components"]["parameters"]
    for one in got(village, "/ogc/collections")["collections"]:
        asked = told["paths"][f"/collections/{one['id']}/items"]["get"]["parameters"]
        names = {p.get("name") or known[p["$ref"].rsplit("/", 1)[1]]["name"] for p in asked}
        properties = got(village, f"/ogc/collections/{one['id']}/items")["features"][0]["properties"]
        assert set(properties) | {"limit", "offset", "bbox", "datetime", "version", "f"} == names
    assert "3.0.3" == told["openapi"]


def test_a_key_that_does_not_tell_rows_apart_is_no_id():
    told = Village()
    told.tables["lamps"] = pa.table(
        {**{n: LAMPS[n] for n in LAMPS.column_names}, "lamp": ["L1", "L1", "L2", "L3", None]}
    )

    assert [1, 2, 3, 4, 5] == ids(asks(Ogc(), told), LAMPS_AT)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_the_description_allows_is_answered_as_it_says(data):
    schemathesis, known = pytest.importorskip("schemathesis"), importlib.import_module("schemathesis.checks")
    if not OPERATIONS:
        # Where no route fits, such as a line break in a path, the portal answers with this too.
        missing = {404: lambda request, error: not_there().response()}
        door = Starlette(routes=list(Ogc().routes(Village())), exception_handlers=missing)
        told = schemathesis.openapi.from_asgi("/ogc/api", app=door)
        OPERATIONS.extend(o.ok() for o in told.get_all_operations())
    case = data.draw(data.draw(st.sampled_from(OPERATIONS)).as_strategy())

    # Not that all is accepted that a description can say: no schema tells a day from other text.
    case.call_and_validate(checks=[known.not_a_server_error, known.status_code_conformance,
                                   known.content_type_conformance, known.response_schema_conformance])  # fmt: skip
    seen("ogc", f"schemathesis {importlib.metadata.version('schemathesis')}", "300 questions of its own making")


# Boxes, times and shapes


@given(*(st.integers(-180, 180),) * 2, *(st.integers(-90, 90),) * 2)
def test_boxes_cover_the_same_degrees_that_were_asked_for(west, east, south, north):
    low, high = sorted((south, north))
    found = boxes(f"{west},{low},{east},{high}")
    wide = sum(b[2] - b[0] for b in found)

    assert (east - west) % 360 == wide % 360
    assert all(w <= e and (s, n) == (low, high) for w, s, e, n in found)


@given(st.text(max_size=30) | st.from_regex(r"[-0-9,./T:Zen]{1,30}", fullmatch=True))
def test_any_text_is_a_box_a_time_or_told_to_be_none(text):
    for read in (boxes, lambda t: during(t, time_zone="America/Los_Angeles")):
        try:
            found = read(text)
        except Trouble as trouble:
            found = trouble
        assert isinstance(found, tuple | During | Trouble)


def test_a_day_is_all_of_it_and_an_open_end_is_open():
    day = during("2026-03-01", time_zone="UTC")

    assert (datetime(2026, 3, 1), 23) == (day.start, day.end.hour if day.end else None)
    assert None is during("../2026-03-01", time_zone="UTC").start


def test_many_shapes_are_found_by_the_boxes_around_them():
    corner = shapely.Polygon([(1, 10), (2, 10), (1, 11)])
    few, many = index([[corner]], total=1), index([[corner, None]], total=10**6)

    assert [] == few.inside([(1.85, 10.85, 1.95, 10.95)]).tolist()
    assert [0] == many.inside([(1.85, 10.85, 1.95, 10.95)]).tolist()
    assert (1.0, 10.0, 2.0, 11.0) == many.extent


# Real programs at the demonstration city


@pytest.mark.slow
def test_gdal_reads_every_layer_and_every_row(server, portal):
    pyogrio = pytest.importorskip("pyogrio")
    gdal = f"GDAL {'.'.join(map(str, pyogrio.__gdal_version__))} (pyogrio {pyogrio.__version__})"
    source = f"OAPIF:{server}/ogc"
    layers = dict(pyogrio.list_layers(source).tolist())
    site = portal.site()

    assert {"street_lights", "neighborhoods", "places.neighborhood", "measures.people_injured"} <= set(layers)
    seen("ogc", gdal, "list_layers")
    info = pyogrio.read_info(source, layer="street_lights")
    assert (9000, "Point") == (info["features"], info["geometry_type"])
    seen("ogc", gdal, "read_info")
    _, lights = pyogrio.read_arrow(source, layer="street_lights")
    rows = site.gate.rows(PUBLIC, "street_lights", "ogc")
    assert rows.total == lights.num_rows == len(set(lights["light_id"].to_pylist()))
    seen("ogc", gdal, "read_arrow of 9,000 points over ten pages, each row once")
    _, hidden = pyogrio.read_arrow(source, layer="measures.people_entering_shelter")
    told = hidden.to_pylist()
    assert 40 == len(told)
    assert all(r["value"] is None and r["reason"] for r in told if r["state"] == "hidden")
    seen("ogc", gdal, "read_arrow of a measure by neighborhood: hidden ones have a boundary, no number and a reason")


def _lights(portal) -> list[dict[str, Any]]:
    rows = portal.site().gate.rows(PUBLIC, "street_lights", "ogc")
    return [r for b in rows.engine.batches(rows.relation, rows=10_000) for r in b.to_pylist()]


@pytest.mark.slow
def test_gdal_finds_by_box_and_by_value_what_the_rows_have(server, portal):
    pyogrio = pytest.importorskip("pyogrio")
    every, box = _lights(portal), (-119.80, 35.99, -119.75, 36.02)
    inside = {r["light_id"] for r in every if r["longitude"] is not None
              and box[0] <= r["longitude"] <= box[2] and box[1] <= r["latitude"] <= box[3]}  # fmt: skip
    assert 0 < len(inside) < len(every)
    source = f"OAPIF:{server}/ogc"
    _, found = pyogrio.read_arrow(source, layer="street_lights", bbox=box)
    assert inside == set(found["light_id"].to_pylist())
    _, dark = pyogrio.read_arrow(source, layer="street_lights", where="lamp = 'LED'")
    assert {r["light_id"] for r in every if r["lamp"] == "LED"} == set(dark["light_id"].to_pylist())
    gdal = f"GDAL {'.'.join(map(str, pyogrio.__gdal_version__))} (pyogrio {pyogrio.__version__})"
    seen("ogc", gdal, "read_arrow with bbox and where")


@pytest.mark.slow
def test_owslib_finds_collections_and_reads_items(server, portal):
    features = pytest.importorskip("owslib.ogcapi.features")
    client = f"owslib {importlib.metadata.version('owslib')}"
    read = features.Features(f"{server}/ogc")

    assert "street_lights" in read.feature_collections()
    seen("ogc", client, "Features.feature_collections")
    assert "feature" == read.collection("places.neighborhood")["itemType"]
    told = read.collection_items("street_lights", limit=3, bbox=[-120, 35, -119, 37])
    located = sum(r["longitude"] is not None for r in _lights(portal))
    assert (3, located) == (told["numberReturned"], told["numberMatched"])
    one = told["features"][0]["id"]
    assert one == read.collection_item("street_lights", one)["id"]
    assert read.conformance()["conformsTo"]
    assert read.api()["paths"]
    seen("ogc", client, "collection, collection_items with bbox, collection_item, conformance, api")


@pytest.mark.slow
def test_nothing_that_is_not_published_is_a_collection_of_the_demonstration_city(client, portal):
    known = portal.site().catalog.datasets
    told = {c["id"] for c in client.get("/ogc/collections").json()["collections"]}

    assert not {n for n, d in known.items() if not d.has_rows} & told
    of_rows = {n for n, d in known.items() if d.has_rows and d.shape == "table" and not d.has_totals}
    assert {n for n in of_rows if known[n].geometry or known[n].point} <= told
