"""Datasets of portals: every row or none, whatever the pages do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import Asked, Reply, as_json, fetched, read, serving, source

from chance import examples
from metroon.base.errors import Refused
from metroon.collect import Landing

MORE = {"updated": "2026-02-01T00:00:00.000Z"}


def refusal(made, home) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        fetched(made, home)
    (problem,) = refused.value.problems
    assert problem.file == "products/permits/product.yaml"
    return problem.code, problem.what


# Socrata


@dataclass
class Soda:
    """A dataset as a SODA server gives it: invented rows, real manners."""

    rows: list[dict[str, object]]
    columns: tuple[str, ...] = ("name", "n", "place")
    counted: Callable[[int], int] = lambda n: n
    paged: Callable[[list[dict[str, object]], int], list[dict[str, object]]] = lambda rows, offset: rows
    asked: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        if asked.path.startswith("/api/views/"):
            return as_json(
                {"columns": [{"fieldName": c, "dataTypeName": "text"} for c in self.columns], "viewCount": 3}
            )
        self.asked.append(asked.query)
        since = asked.query.get("$where", "").rpartition("'")[0].rpartition("'")[2]
        rows = [r for r in self.rows if str(r[":updated_at"]) >= since]
        if "count" in asked.query["$select"]:
            newest = max((str(r[":updated_at"]) for r in rows), default=None)
            return as_json([{"n": str(self.counted(len(rows))), **({"newest": newest} if newest else {})}])
        assert ":id" == asked.query["$order"]
        offset, limit = int(asked.query["$offset"]), int(asked.query["$limit"])
        return as_json(self.paged(sorted(rows, key=lambda r: str(r[":id"]))[offset : offset + limit], offset))


def row(i: int, updated: str = "2026-01-01T00:00:00.000Z", **more: object) -> dict[str, object]:
    told = {":created_at": "2026-01-01T00:00:00.000Z", ":version": "rv-1"}
    return {":id": f"row-{i:05}", ":updated_at": updated, **told, "name": f"n{i}", **more}


def socrata(url: str, **options: object):
    return source("socrata", domain=url, dataset="abcd-1234", page_rows=3, **options)


@given(n=st.integers(0, 10))
@examples(4, many=11)
def test_every_row_of_a_socrata_dataset_comes_once(tmp_path_factory, engine, n):
    with serving(Soda([row(i, n=i) for i in range(n)])) as server:
        landing = fetched(socrata(server.url), tmp_path_factory.mktemp("home"))
    rows, raw = read(socrata(server.url), landing, engine, name="string public", n="integer public")

    assert [(f"n{i}", str(i)) for i in range(n)] == [(r["name"], r["n"]) for r in rows]
    assert n == sum(d.read for d in raw.deliveries)


def test_a_column_that_no_row_fills_is_there_all_the_same_and_a_point_gives_its_place(tmp_path, engine):
    point = {"type": "Point", "coordinates": [-121.8863, 37.3382]}
    with serving(Soda([row(1, place=point), row(2)])) as server:
        landing = fetched(socrata(server.url), tmp_path)
    columns = {"n": "integer public", "place": "object public", "place.longitude": "number public"}
    rows, _ = read(socrata(server.url), landing, engine, **columns)

    assert [(None, "-121.8863", True), (None, None, False)] == [
        (r["n"], r["place_longitude"], r["place"] is not None) for r in rows
    ]


def test_a_socrata_dataset_that_has_not_changed_is_not_fetched(tmp_path):
    soda = Soda([row(i) for i in range(7)])
    with serving(soda) as server:
        before = fetched(socrata(server.url), tmp_path).landed()
        soda.asked.clear()
        after = fetched(socrata(server.url), tmp_path).landed()

    assert (before, 1) == (after, len(soda.asked))


def test_increments_bring_what_is_new_or_changed_and_the_later_row_stands_later(tmp_path, engine):
    soda = Soda([row(i) for i in range(7)])
    with serving(soda) as server:
        made = socrata(server.url, increments=True)
        first = fetched(made, tmp_path).landed()
        soda.rows = [*soda.rows[:-1], row(6, MORE["updated"], n=60), row(7, MORE["updated"])]
        landing = fetched(made, tmp_path)
    rows, _ = read(made, landing, engine, name="string public", n="integer public")

    assert (True, first) == (made.revises, landing.landed()[: len(first)])
    assert [None, "60"] == [r["n"] for r in rows if r["name"] == "n6"][-2:]
    assert {f"n{i}" for i in range(8)} == {r["name"] for r in rows}


def test_rows_that_were_taken_away_are_noticed_by_increments_too(tmp_path, engine):
    soda = Soda([row(i) for i in range(7)])
    with serving(soda) as server:
        made = socrata(server.url, increments=True)
        fetched(made, tmp_path)
        soda.rows = [*soda.rows[2:], row(9, MORE["updated"])]
        landing = fetched(made, tmp_path)
    rows, _ = read(made, landing, engine, name="string public")

    assert [f"n{i}" for i in (2, 3, 4, 5, 6, 9)] == [r["name"] for r in rows]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"paged": lambda rows, offset: rows if offset < 3 else [row(0), *rows[1:]]}, "two pages"),
        ({"paged": lambda rows, offset: rows if offset < 6 else []}, "6 of 7 records"),
        ({"counted": lambda n: n + 1}, "7 of 8 records"),
        ({"counted": lambda n: n - 1}, "more records than the 6"),
        ({"paged": lambda rows, offset: [] if offset else rows}, "3 of 7 records"),
    ],
)
def test_pages_that_do_not_add_up_are_refused_and_the_last_good_rows_stay(tmp_path, broken, words):
    soda = Soda([row(i) for i in range(7)])
    with serving(soda) as server:
        before = fetched(socrata(server.url), tmp_path).landed()
        soda.rows = [*soda.rows[:6], row(6, MORE["updated"])]
        for name, value in broken.items():
            setattr(soda, name, value)
        code, what = refusal(socrata(server.url), tmp_path)
    landing = Landing(tmp_path / "landed" / "permits")

    assert ("D138", True) == (code, words in what)
    assert (before, True) == (landing.landed(), landing.is_whole())


def test_a_dataset_that_changes_while_it_is_fetched_is_fetched_once_more(tmp_path, engine):
    soda = Soda([row(i) for i in range(7)])
    seen: list[int] = []

    def paged(rows, offset):
        seen.append(offset)
        if len(seen) == 2:
            soda.rows = [*soda.rows, row(8)]
        return rows

    soda.paged = paged
    with serving(soda) as server:
        landing = fetched(socrata(server.url), tmp_path)
    rows, _ = read(socrata(server.url), landing, engine, name="string public")

    assert 8 == len({r["name"] for r in rows}) == len(rows)


def test_a_page_of_another_schema_is_told(tmp_path):
    with serving(Soda([row(i, surprise=1) for i in range(7)])) as server:
        assert ("D139", True) == (lambda found: (found[0], "'surprise'" in found[1]))(
            refusal(socrata(server.url), tmp_path)
        )


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (as_json({"message": "You must be logged in to access this resource", "error": True}, 403), "D134"),
        (as_json({"code": "dataset.missing", "error": True, "message": "Not found"}, 404), "D140"),
        (as_json({"error": True, "message": "late"}), "D135"),
        (as_json([{"unexpected": 1}]), "D135"),
        (Reply(b"[{"), "D135"),
    ],
)
def test_an_error_is_never_taken_for_rows(tmp_path, reply, code):
    with serving(lambda a: reply if a.path.startswith("/resource") else Soda([])(a)) as server:
        found, what = refusal(socrata(server.url), tmp_path)

    assert (code, False) == (found, "logged in" in what)  # what servers say in sentences is not repeated


def test_recorded_socrata_rows_are_read_as_they_were_sent(tmp_path, engine, shared_data):
    folder = shared_data / "api" / "socrata" / "sodapy"
    sent = [r for n in (1, 2) for r in json.loads((folder / f"bike_counts_page_{n}.json").read_bytes())]
    soda = Soda([{**row(i), "name": "", **r} for i, r in enumerate(sent)], ("id", "date", "counts", "status", "name"))
    with serving(soda) as server:
        landing = fetched(source("socrata", domain=server.url, dataset="abcd-1234", page_rows=1000), tmp_path)
    columns = {"id": "string public", "date": "string public", "counts": "integer public"}
    rows, _ = read(socrata(server.url), landing, engine, **columns)

    assert [(r["id"], r["date"], r["counts"]) for r in sent] == [(r["id"], r["date"], r["counts"]) for r in rows]


# CKAN


@dataclass
class Portal:
    rows: list[dict[str, object]]
    in_datastore: bool = True
    cap: int = 4
    totals: Callable[[int, int], int] = lambda total, offset: total
    file: bytes = b"name\na\n"
    fields: tuple[str, ...] = ("_id", "name")

    def __call__(self, asked: Asked) -> Reply:
        action = asked.path.rpartition("/")[2]
        if action == "resource_show":
            return as_json(
                {"success": True, "result": {"datastore_active": self.in_datastore, "url": "/file/permits.csv"}}
            )
        if action == "permits.csv":
            return Reply(self.file, headers={"ETag": '"f"'})
        limit, offset = min(int(asked.query["limit"]), self.cap), int(asked.query.get("offset", 0))
        assert limit == 0 or asked.query["sort"] == "_id asc"
        total = self.totals(len(self.rows), offset)
        fields = [{"id": f, "type": "text"} for f in self.fields]
        result = {"records": self.rows[offset : offset + limit], "total": total, "fields": fields, "limit": limit}
        return as_json({"success": True, "result": result})


def ckan(url: str, **options: object):
    return source("ckan", url=url, resource="permits", **options)


def numbered(n: int) -> list[dict[str, object]]:
    return [{"_id": i, "name": f"n{i}"} for i in range(1, n + 1)]


@given(n=st.integers(0, 10))
@examples(4, many=11)
def test_every_row_of_a_ckan_resource_comes_although_the_portal_cuts_its_pages(tmp_path_factory, engine, n):
    with serving(Portal(numbered(n))) as server:
        landing = fetched(ckan(server.url), tmp_path_factory.mktemp("home"))
    rows, _ = read(ckan(server.url), landing, engine, name="string public")

    assert [f"n{i}" for i in range(1, n + 1)] == [r["name"] for r in rows]


def test_a_total_that_changes_between_pages_is_refused_the_second_time(tmp_path):
    with serving(Portal(numbered(9), totals=lambda total, offset: total - (offset > 4))) as server:
        code, what = refusal(ckan(server.url), tmp_path)

    assert ("D138", True) == (code, "on a later page 8" in what)


def test_a_resource_that_is_only_a_file_is_fetched_as_the_file_that_it_is(tmp_path, engine):
    with serving(Portal([], in_datastore=False)) as server:
        assert "D140" == refusal(ckan(server.url), tmp_path)[0]
        made = ckan(server.url, **{"as": {"kind": "csv"}})
        rows, _ = read(made, fetched(made, tmp_path), engine, name="string public")

    assert ["a"] == [r["name"] for r in rows]


def test_what_a_ckan_portal_said_when_it_had_no_rows_is_an_error_and_no_rows(tmp_path, shared_data):
    said = json.loads((shared_data / "api" / "ckan" / "boston_non_datastore_error.json").read_bytes())
    portal = Portal([])

    def answer(status: int):
        return lambda a: as_json(said, status) if a.path.endswith("datastore_search") else portal(a)

    for status, code in ((404, "D140"), (200, "D135")):
        with serving(answer(status)) as server:
            assert code == refusal(ckan(server.url), tmp_path)[0]


def test_a_recorded_ckan_page_that_lacks_a_row_of_its_total_is_refused(tmp_path, engine, shared_data):
    said = json.loads((shared_data / "api" / "ckan" / "boston_datastore_search_trimmed.json").read_bytes())
    sent = said["result"]["records"]
    names = tuple(sent[0])
    with serving(Portal(sent, totals=lambda total, offset: said["result"]["total"], fields=names)) as server:
        assert "D138" == refusal(ckan(server.url), tmp_path)[0]
    with serving(Portal(sent, fields=names)) as server:
        landing = fetched(ckan(server.url), tmp_path)
    rows, _ = read(ckan(server.url), landing, engine, permitnumber="string public", y_latitude="number public")

    assert [str(r["y_latitude"]) for r in sent] == [r["y_latitude"] for r in rows]


# ArcGIS


@dataclass
class Layer:
    features: list[dict[str, object]]
    about: dict[str, object]
    cap: int = 4
    oid: str = "OBJECTID"
    ignores_offset: bool = False
    counts_with_features: bool = False
    page: Callable[[dict[str, object]], dict[str, object]] = lambda told: told
    asked: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        query = asked.query
        if not asked.path.endswith("/query"):
            return as_json(self.about)
        self.asked.append(query)
        ids = [f["attributes"][self.oid] for f in self.features]
        if "returnCountOnly" in query:
            return as_json({"features": self.features[:2]} if self.counts_with_features else {"count": len(ids)})
        if "returnIdsOnly" in query:
            return as_json({"objectIdFieldName": self.oid, "objectIds": ids[::-1] or None})
        found = sorted(self.features, key=lambda f: f["attributes"][self.oid])
        if " AND " in query["where"]:
            low, high = (float(w.split()[-1]) for w in query["where"].split(" AND ")[-2:])
            found = [f for f in found if low <= f["attributes"][self.oid] <= high]
        offset = 0 if self.ignores_offset else int(query.get("resultOffset", 0))
        return as_json(self.page({"spatialReference": {"wkid": 4326}, "features": found[offset : offset + self.cap]}))


def about(has_pages: bool = True, **more: object) -> dict[str, object]:
    fields = [{"name": "OBJECTID", "type": "esriFieldTypeOID"}, {"name": "name", "type": "esriFieldTypeString"},
              {"name": "day", "type": "esriFieldTypeDate"}]  # fmt: skip
    able = {"supportsPagination": has_pages, "supportsOrderBy": True}
    told = {"geometryType": "esriGeometryPoint", "maxRecordCount": 4, "advancedQueryCapabilities": able}
    return {"fields": fields, **told, **more}


def feature(i: int, **geometry: object) -> dict[str, object]:
    told = {"OBJECTID": i, "name": f"n{i}", "day": 1_772_582_400_000 + i}
    return {"attributes": told, "geometry": geometry or {"x": -121.8863, "y": 37.3382}}


def arcgis(url: str, **options: object):
    return source("arcgis", url=f"{url}/arcgis/rest/services/Permits/FeatureServer/0", **options)


@given(n=st.integers(0, 10), has_pages=st.booleans(), counts=st.booleans())
@examples(10, many=25)
def test_every_feature_of_a_layer_comes_with_pages_and_without(tmp_path_factory, engine, n, has_pages, counts):
    layer = Layer([feature(7 * i) for i in range(n)], about(has_pages), counts_with_features=counts)
    with serving(layer) as server:
        landing = fetched(arcgis(server.url), tmp_path_factory.mktemp("home"))
    rows, _ = read(arcgis(server.url), landing, engine, name="string public")

    assert [f"n{7 * i}" for i in range(n)] == [r["name"] for r in rows]


def test_milliseconds_are_times_and_points_have_places(tmp_path, engine):
    with serving(Layer([feature(1), {"attributes": {"OBJECTID": 2, "name": None, "day": None}}], about())) as server:
        landing = fetched(arcgis(server.url), tmp_path)
    columns = {"day": "string public", "geometry": "object public", "geometry.longitude": "number public"}
    rows, _ = read(arcgis(server.url), landing, engine, **columns)

    assert [("2026-03-04T00:00:00.001Z", "-121.8863"), (None, None)] == [
        (r["day"], r["geometry_longitude"]) for r in rows
    ]
    assert {"4326"} == {a.query["outSR"] for a in server.asked if "outSR" in a.query}


def test_rings_become_polygons_with_their_holes(tmp_path, engine):
    import shapely

    square = [[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]]
    hole = [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]
    layer = Layer([feature(1, rings=[square, hole]), feature(2, rings=[[[0]]])], about())
    with serving(layer) as server:
        landing = fetched(arcgis(server.url), tmp_path)
    rows, _ = read(arcgis(server.url), landing, engine, name="string public", geometry="object public")

    assert 80 == shapely.from_wkb(rows[0]["geometry"]).area
    assert [None, True] == [rows[0]["_reject"], "damaged" in rows[1]["_reject"] or "no shape" in rows[1]["_reject"]]


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ({"ignores_offset": True}, "D138"),
        ({"page": lambda told: {"error": {"code": 400, "message": "Unable to complete operation."}}}, "D135"),
        ({"page": lambda told: {"error": {"code": 499, "message": "Token Required"}}}, "D134"),
        ({"page": lambda told: {**told, "spatialReference": {"wkid": 102100}}}, "D139"),
        ({"page": lambda told: {**told, "features": [{"attributes": {"FID": 1}}]}}, "D139"),
        ({"page": lambda told: {"count": 9}}, "D135"),
        ({"about": {"error": {"code": 403}}}, "D134"),
        ({"about": {"layers": []}}, "D140"),
    ],
)
def test_a_layer_that_answers_otherwise_than_asked_is_refused(tmp_path, broken, code):
    layer = Layer([feature(i) for i in range(9)], about())
    for name, value in broken.items():
        setattr(layer, name, value)
    with serving(layer) as server:
        assert code == refusal(arcgis(server.url), tmp_path)[0]


def test_a_layer_that_was_not_edited_is_not_fetched(tmp_path):
    layer = Layer([feature(i) for i in range(9)], about(editingInfo={"lastEditDate": 1_772_582_400_000}))
    with serving(layer) as server:
        before = fetched(arcgis(server.url), tmp_path).landed()
        layer.asked.clear()

        assert before == fetched(arcgis(server.url), tmp_path).landed()
    assert ["returnCountOnly"] == [k for a in layer.asked for k in a if k.startswith("return")]


RECORDED = {
    "us-fl-polk": "OBJECTID",
    "us-esri-test": "objectid",
    "us-mo-columbia": "OBJECTID",
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_layers_are_fetched_whole_as_their_servers_answered(tmp_path, engine, shared_data, name):
    folder = shared_data / "api" / "arcgis" / name
    told, sent = (json.loads((folder / f"{name}-{part}.json").read_bytes()) for part in ("metadata", "0"))
    layer = Layer(sent["features"], told, cap=int(told.get("maxRecordCount") or 1000), oid=RECORDED[name])
    layer.page = lambda page: {**sent, "spatialReference": sent["spatialReference"], "features": page["features"]}
    with serving(layer) as server:
        landing = fetched(arcgis(server.url), tmp_path)
        columns = {RECORDED[name]: "string public", "geometry.longitude": "number public"}
        rows, _ = read(arcgis(server.url), landing, engine, **columns)

    assert len(sent["features"]) == len(rows)
    assert [None if "geometry" not in f else str(f["geometry"]["x"]) for f in sent["features"]][:3] == [
        r["geometry_longitude"] for r in rows
    ][:3]


def test_a_recorded_page_that_has_a_feature_twice_is_refused(tmp_path, shared_data):
    folder = shared_data / "api" / "arcgis" / "us-ca-carson"
    told, sent = (json.loads((folder / f"us-ca-carson-{part}.json").read_bytes()) for part in ("metadata", "0"))
    with serving(Layer(sent["features"], told, page=lambda _: sent)) as server:
        assert "D138" == refusal(arcgis(server.url), tmp_path)[0]


def test_a_recorded_layer_that_sends_another_system_than_it_was_asked_for_is_refused(tmp_path, shared_data):
    folder = shared_data / "api" / "arcgis" / "us-ca-tuolumne"

    def answer(asked):
        query = asked.query if asked.path.endswith("query") else {"metadata": ""}
        named = {"metadata": "metadata", "returnCountOnly": "count-only", "returnIdsOnly": "ids-only"}
        part = next((file for key, file in named.items() if key in query), "0")
        return Reply((folder / f"us-ca-tuolumne-{part}.json").read_bytes())

    with serving(answer) as server:
        code, what = refusal(arcgis(server.url), tmp_path)

    assert ("D139", True) == (code, "another system" in what)


def test_a_layer_without_object_ids_is_refused_since_nobody_can_tell_whether_all_came(tmp_path):
    fields = [{"name": "name", "type": "esriFieldTypeString"}]
    with serving(lambda a: as_json({"objectIds": [1]} if "query" in a.path else {"fields": fields})) as server:
        assert "D140" == refusal(arcgis(server.url), tmp_path)[0]
