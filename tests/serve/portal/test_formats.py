import csv
import io
import json
import math
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from pathlib import Path

import duckdb
import openpyxl
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from seen import seen
from small import MADE, NASTY, SECRET, column, parks, small_portal, trees
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from metroon.permit import PUBLIC
from metroon.serve import encoders, formats, workbook
from metroon.serve.encoders import Stream, csv_bytes, json_bytes, ndjson_bytes, stream
from metroon.serve.formats import MEDIA, is_known, respond
from metroon.serve.page import Sheet
from metroon.serve.query import Query, condition

OPEN = [n for n in trees(1).column_names if n != "owner"]


@dataclass
class Asking:
    catalog: object
    address: str = "http://127.0.0.1:8000"
    path: str = "/datasets/trees"
    query: dict = field(default_factory=dict)


@pytest.fixture(scope="module")
def smallville(tmp_path_factory):
    return small_portal(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def ask(smallville):
    """Asks for a file as a page would: data, ending, query."""

    def asked(data, ending, query=None, *, raw="", **more):
        rows = smallville.site().gate.rows(PUBLIC, data, "file") if isinstance(data, str) else data
        asking = Asking(smallville.site().catalog, query={"raw": raw} if raw else {})
        endpoint = lambda request: respond(asking, rows, ending, query, **more)  # noqa: E731
        return TestClient(Starlette(routes=[Route("/it", endpoint)])).get("/it")

    return asked


def batch_stream(table: pa.Table, **more) -> Stream:
    return Stream(table.schema, iter(table.to_batches(7)), **more)


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


# CSV


def test_a_csv_has_a_header_and_every_row_also_in_several_batches():
    table = trees(40)
    told = read_csv(b"".join(csv_bytes(batch_stream(table), is_raw=True)))

    assert [r["tree"] for r in table.to_pylist()] == [r["tree"] for r in told]
    assert [r["note"] or "" for r in table.to_pylist()] == [r["note"] for r in told]


def test_cells_that_a_spreadsheet_would_run_begin_with_an_apostrophe(ask):
    safe, raw = read_csv(ask("trees", "csv").content), read_csv(ask("trees", "csv", raw="1").content)

    runs = {n for n in NASTY if n and n[0] in "=+-@\t\r"}
    assert 6 == len(runs)
    for one, other in zip(safe, raw, strict=True):
        assert ("'" if other["note"] in runs else "") + other["note"] == one["note"]
        assert {k: v for k, v in other.items() if k != "note"} == {k: v for k, v in one.items() if k != "note"}


def test_numbers_are_left_as_they_are_also_below_zero(ask):
    table = pa.table({"n": [-1, -2], "f": [-0.1, 1e300]})

    assert [{"n": "-1", "f": "-0.1"}, {"n": "-2", "f": "1e+300"}] == read_csv(b"".join(csv_bytes(batch_stream(table))))


def test_what_is_no_number_is_empty(ask):
    told = read_csv(ask("trees", "csv").content)

    known = [h if math.isfinite(h) else None for h in trees()["height"].to_pylist()]
    assert known == [float(r["height"]) if r["height"] else None for r in told]


def test_no_row_of_a_single_column_is_lost_as_an_empty_line():
    table = pa.table({"note": ["a", None, "", "b"]})
    content = b"".join(csv_bytes(batch_stream(table)))

    assert 4 == len(pandas.read_csv(io.BytesIO(content))) == len(read_csv(content))


def test_a_table_without_rows_still_has_its_columns(ask, smallville):
    none = Query(where=(condition(smallville.site().gate.rows(PUBLIC, "trees", "file"), "tree", "eq", ["nowhere"]),))

    assert ",".join(f'"{n}"' for n in OPEN) == ask("trees", "csv", none).text.strip()
    assert [] == ask("trees", "json", none).json()
    assert "" == ask("trees", "ndjson", none).text
    assert (0, OPEN) == (len(t := pq.read_table(io.BytesIO(ask("trees", "parquet", none).content))), t.column_names)
    assert [] == ask("trees", "geojson", none).json()["features"]


# JSON


VALUES = st.one_of(
    st.tuples(st.just(pa.string()), st.lists(st.one_of(st.none(), st.text()), max_size=9)),
    st.tuples(st.just(pa.float64()), st.lists(st.one_of(st.none(), st.floats()), max_size=9)),
    st.tuples(st.just(pa.int64()), st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=9)),
    st.tuples(st.just(pa.bool_()), st.lists(st.one_of(st.none(), st.booleans()), max_size=9)),
)


@settings(max_examples=200)
@given(values=VALUES, name=st.text(min_size=1, max_size=5))
def test_json_says_what_the_json_of_python_would_say(values, name):
    kind, column_values = values
    table = pa.table({name: pa.array(column_values, kind)})
    known = [v if not isinstance(v, float) or math.isfinite(v) else None for v in column_values]

    told = json.loads(b"".join(json_bytes(batch_stream(table))))
    lines = [json.loads(line) for line in b"".join(ndjson_bytes(batch_stream(table))).split(b"\n") if line]
    assert [{name: v} for v in known] == told == lines


def test_times_days_and_decimals_are_told_as_iso_and_numbers():
    table = pa.table(
        {"on": [date(2026, 7, 15)], "at": [datetime(2026, 7, 15, 8, 30)],
         "d": pa.array([1.5]).cast(pa.decimal128(9, 2)), "ms": [datetime(2026, 7, 15, 8, 30, 0, 1500)]}
    )  # fmt: skip

    assert [
        {"on": "2026-07-15", "at": "2026-07-15T08:30:00", "d": 1.5, "ms": "2026-07-15T08:30:00.001500"}
    ] == json.loads(b"".join(json_bytes(batch_stream(table))))


def test_json_and_ndjson_of_a_dataset_hold_the_same_rows(ask):
    rows = ask("trees", "json").json()

    assert rows == [json.loads(line) for line in ask("trees", "ndjson").text.split("\n") if line]
    assert (1000, OPEN) == (len(rows), list(rows[0]))


# GeoJSON


def test_points_become_features_and_a_missing_one_has_no_geometry(ask):
    told = ask("trees", "geojson").json()

    table = trees().to_pylist()
    assert ("FeatureCollection", 1000) == (told["type"], len(told["features"]))
    for row, feature in zip(table, told["features"], strict=True):
        at = None if row["longitude"] is None else [row["longitude"], row["latitude"]]
        assert at == (feature["geometry"] and feature["geometry"]["coordinates"])
        assert row["tree"] == feature["properties"]["tree"]


def test_shapes_become_features_with_their_own_shape(ask):
    told = ask("parks", "geojson").json()["features"]

    for row, feature in zip(parks().to_pylist(), told, strict=True):
        shape = feature["geometry"] and shapely.from_geojson(json.dumps(feature["geometry"]))
        assert {"park": row["park"]} == feature["properties"]
        assert shape is None if row["geometry"] is None else shapely.equals(shapely.from_wkb(row["geometry"]), shape)


def test_columns_chosen_are_the_properties_and_the_shape_comes_along(ask):
    told = ask("trees", "geojson", Query(select=("kind",), limit=1)).json()["features"]

    assert [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [-121.9, 37.3]}, "properties": {"kind": "oak"}}
    ] == told


def test_what_has_no_shapes_is_no_geojson_and_says_what_there_is(ask):
    told = ask("shade", "geojson")

    assert (406, "application/problem+json") == (told.status_code, told.headers["content-type"])
    assert "csv" in told.json()["fix"]


# Parquet, Arrow


def test_parquet_and_arrow_hold_the_rows_as_they_are(ask):
    expected = trees().select(OPEN)

    parquet = pq.read_table(io.BytesIO(ask("trees", "parquet").content))
    arrow = pa.ipc.open_stream(ask("trees", "arrow").content).read_all()
    for found in (parquet, arrow):
        assert expected.schema.types == found.schema.types
        assert str(expected.to_pylist()) == str(found.to_pylist())


def test_parquet_is_written_in_row_groups_and_packed(monkeypatch, ask):
    monkeypatch.setattr(encoders, "GROUP_ROWS", 300)
    table = trees(1000).select(OPEN)
    content = b"".join(encoders.parquet_bytes(Stream(table.schema, iter(table.to_batches(100)))))
    told = pq.ParquetFile(io.BytesIO(content)).metadata

    assert ([300, 300, 300, 100], "ZSTD") == (
        [told.row_group(i).num_rows for i in range(told.num_row_groups)], told.row_group(0).column(0).compression,
    )  # fmt: skip


def test_shapes_in_parquet_are_geoparquet(ask):
    told = pq.read_schema(io.BytesIO(ask("parks", "parquet").content)).metadata

    assert ("geometry", "WKB") == (
        (geo := json.loads(told[b"geo"]))["primary_column"], geo["columns"]["geometry"]["encoding"],
    )  # fmt: skip


# Excel


def sheets(content: bytes) -> dict[str, list[tuple]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {s.title: [tuple(c.value for c in row) for row in s.iter_rows()] for s in book}


def test_a_workbook_brings_dictionary_caveats_and_citation(ask):
    told = sheets(ask("trees", "xlsx").content)
    seen("file", f"openpyxl {openpyxl.__version__}", "load_workbook of a dataset with four sheets")

    assert ["Data", "Dictionary", "Caveats", "Citation"] == list(told)
    assert (tuple(OPEN), 1001) == (told["Data"][0], len(told["Data"]))
    assert ("tree", "Tree", "What tree means.", "string", "Leaves as it is.") == told["Dictionary"][1]
    assert "Trees on private land are missing." in str(told["Caveats"])
    assert ("Invented", "The city and its people are invented.") in told["Caveats"]
    assert "Smallville: Trees, version 2, as of 2026-07-15" in told["Citation"][1][1]


def test_cells_of_a_workbook_have_their_types_and_run_no_formula(ask):
    book = openpyxl.load_workbook(io.BytesIO(ask("trees", "xlsx").content))["Data"]
    kinds = {c.data_type for row in book.iter_rows(min_row=2, min_col=3, max_col=3) for c in row}
    first = dict(zip(OPEN, (c.value for c in book[2]), strict=True))

    assert "f" not in kinds
    assert ("=1+1", 0, datetime(2026, 1, 1), datetime(2026, 1, 1)) == (
        first["note"], first["age"], first["planted"], first["seen_at"],
    )  # fmt: skip


def test_a_workbook_says_what_did_not_fit_into_it(monkeypatch, ask):
    monkeypatch.setattr(workbook, "EXCEL_ROWS", 101)
    full, all_of_it = sheets(ask("trees", "xlsx").content), sheets(ask("trees", "xlsx", Query(limit=100)).content)

    assert (101, 101) == (len(full["Data"]), len(all_of_it["Data"]))
    assert "Rows left out" in dict(r[:2] for r in full["Caveats"])
    assert "Rows left out" not in dict(r[:2] for r in all_of_it["Caveats"])
    assert "Selection" in dict(r[:2] for r in all_of_it["Caveats"])


def test_a_text_that_is_too_long_for_a_cell_is_cut_and_told():
    table = pa.table({"a": ["x" * 40_000, "y"], "big": [2**60, 1]})
    beside = workbook.Beside("t", (), (), (), date(2026, 7, 15))
    told = sheets(b"".join(workbook.xlsx_bytes(batch_stream(table), beside)))

    assert (32_767, str(2**60)) == (len(told["Data"][1][0]), told["Data"][1][1])
    assert "1 cells were longer" in told["Caveats"][1][1]


# Sheets of pages


SHEET = Sheet(
    "goals", "Goals",
    (column("goal", "string"), column("n", "integer"), column("value", "number"), column("on", "date")),
    ({"goal": "=Safe", "n": 1, "value": 0.5, "on": date(2026, 7, 1)},
     {"goal": "Clean", "n": None, "value": float("nan")}),
    "Scores, version 3",
)  # fmt: skip


@pytest.mark.parametrize("ending", ["json", "csv", "ndjson", "parquet", "arrow", "xlsx"])
def test_a_page_is_told_in_every_format(ask, ending):
    content = ask(SHEET, ending).content
    read = {
        "json": json.loads,
        "csv": lambda c: pandas.read_csv(io.BytesIO(c)).to_dict("records"),
        "ndjson": lambda c: [json.loads(line) for line in c.splitlines()],
        "parquet": lambda c: pq.read_table(io.BytesIO(c)).to_pylist(),
        "arrow": lambda c: pa.ipc.open_stream(c).read_all().to_pylist(),
        "xlsx": lambda c: [dict(zip(sheets(c)["Data"][0], r, strict=True)) for r in sheets(c)["Data"][1:]],
    }[ending](content)

    assert [("'=Safe" if ending == "csv" else "=Safe"), "Clean"] == [r["goal"] for r in read]
    assert [0.5] == [r["value"] for r in read if r["value"] == r["value"] and r["value"] is not None]


def test_a_page_of_values_of_mixed_types_is_told_as_texts(ask):
    mixed = Sheet("m", "M", (column("v", "number"),), ({"v": 1.5}, {"v": "hidden"}, {"v": None}))

    assert [{"v": "1.5"}, {"v": "hidden"}, {"v": None}] == ask(mixed, "json").json()


def test_a_page_without_rows_is_told_too(ask):
    assert [] == ask(Sheet("m", "M", (column("v", "number"),), ()), "json").json()


def test_a_page_with_shapes_is_geojson(ask):
    shape = shapely.to_wkb(shapely.Point(1, 2))
    sheet = Sheet(
        "p",
        "P",
        (column("n", "string"), column("geometry", "object")),
        ({"n": "a", "geometry": shape},),
        "",
        "geometry",
    )

    assert [1.0, 2.0] == ask(sheet, "geojson").json()["features"][0]["geometry"]["coordinates"]


# Headers


@pytest.mark.parametrize("ending", sorted(MEDIA))
def test_a_file_says_its_version_its_page_and_its_licence(ask, ending):
    told = ask("trees", ending).headers

    assert f'attachment; filename="trees-v2.{ending}"' == told["content-disposition"]
    assert '<http://127.0.0.1:8000/datasets/trees>; rel="describedby"' in told["link"]
    assert '<https://cc0.example/>; rel="license"' in told["link"]
    assert (MEDIA[ending], "Wed, 15 Jul 2026 12:00:00 GMT") == (told["content-type"], told["last-modified"])


def test_a_part_does_not_bear_the_name_of_the_whole(ask):
    assert 'filename="trees-v2-part.csv"' in ask("trees", "csv", Query(limit=1)).headers["content-disposition"]


def test_the_tag_tells_apart_what_differs_and_nothing_else(ask):
    tags = [
        ask("trees", "csv").headers["etag"], ask("trees", "json").headers["etag"], ask("parks", "csv").headers["etag"],
        ask("trees", "csv", Query(limit=1)).headers["etag"], ask("trees", "csv", raw="1").headers["etag"],
        ask("trees", "csv", Query(select=("tree",))).headers["etag"],
    ]  # fmt: skip

    assert len(tags) == len(set(tags))
    assert tags[0] == ask("trees", "csv").headers["etag"]


def test_who_has_a_file_already_is_told_so_and_gets_none(ask):
    tag = ask("trees", "csv").headers["etag"]
    told = ask("trees", "csv", if_none_match=f'"other", {tag}')

    assert (304, b"", tag) == (told.status_code, told.content, told.headers["etag"])


def test_head_reads_no_row(ask, smallville, monkeypatch):
    monkeypatch.setattr(formats, "stream", lambda *_: pytest.fail("rows were read"))

    assert (200, b"") == ((told := ask("trees", "csv", is_head=True)).status_code, told.content)


# What goes wrong


def test_a_file_that_was_erased_is_a_problem_and_the_next_question_is_answered(tmp_path, ask):
    portal = small_portal(tmp_path)
    rows = portal.site().gate.rows(PUBLIC, "trees", "file")
    (tmp_path / "trees-2.parquet").unlink()
    told = ask(rows, "csv")

    assert (503, "application/problem+json") == (told.status_code, told.headers["content-type"])
    assert str(tmp_path) not in told.text
    assert 200 == ask(portal.site().gate.rows(PUBLIC, "parks", "file"), "csv").status_code


def test_a_file_that_breaks_half_way_is_never_a_whole_file(smallville):
    def breaks():
        yield pa.RecordBatch.from_pylist([{"a": 1}])
        raise OSError("a file cannot be read or written")

    rows = Stream(pa.schema([("a", pa.int64())]), chain(breaks()))
    with pytest.raises(OSError):
        list(csv_bytes(rows))


def test_closing_a_file_closes_its_question(smallville, monkeypatch):
    monkeypatch.setattr(encoders, "BATCH_ROWS", 100)
    rows = stream(smallville.site().gate.rows(PUBLIC, "trees", "file"))
    rows.close()

    assert [100] == [b.num_rows for b in rows.batches]


def test_no_hidden_column_is_in_any_file(ask):
    for ending in MEDIA:
        content = ask("trees", ending).content
        assert SECRET.encode() not in content
        assert "owner" not in (str(sheets(content)["Data"]) if ending == "xlsx" else content.decode("latin-1"))


def test_a_tag_is_compared_without_its_weakness():
    assert is_known('W/"a"', '"a"')
    assert not is_known('W/"a"', '"b"')


# Readers that people have


def test_pandas_duckdb_and_pyarrow_read_what_is_written(ask, tmp_path):
    expected = trees().select(OPEN)
    files = {e: tmp_path / f"it.{e}" for e in ("csv", "parquet", "json", "ndjson")}
    for ending, file in files.items():
        file.write_bytes(ask("trees", ending, raw="1").content)

    assert 1000 == len(pandas.read_csv(files["csv"])) == len(pandas.read_parquet(files["parquet"]))
    assert 1000 == len(pandas.read_json(files["json"])) == len(pandas.read_json(files["ndjson"], lines=True))
    seen("file", f"pandas {pandas.__version__}", "read_csv, read_parquet, read_json, read_json(lines=True)")
    ages = sum(a for a in expected["age"].to_pylist() if a is not None)
    for reader in (
        f"read_csv('{files['csv']}')",
        f"read_parquet('{files['parquet']}')",
        f"read_json('{files['ndjson']}')",
    ):
        assert [(1000, ages)] == duckdb.sql(f"select count(*), sum(age) from {reader}").fetchall()
    seen("file", f"DuckDB {duckdb.__version__}", "read_csv, read_parquet, read_json")
    assert expected.column("note").to_pylist() == pq.read_table(files["parquet"])["note"].to_pylist()
    seen("file", f"pyarrow {pa.__version__}", "parquet.read_table")


def test_the_day_of_the_edition_is_that_of_the_file(ask):
    book = openpyxl.load_workbook(io.BytesIO(ask("trees", "xlsx").content))

    assert MADE.date() == book.properties.created.date()


def test_a_folder_for_a_workbook_is_gone_afterwards(ask, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ask("trees", "xlsx")

    assert [] == list(Path(tmp_path).iterdir())


def test_the_outer_ring_of_a_shape_runs_counterclockwise_in_geojson():
    clockwise = shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0)])

    told = json.loads(encoders.json_column(pa.array([shapely.to_wkb(clockwise)]), is_shape=True)[0].as_py())

    assert shapely.geometry.shape(told).exterior.is_ccw
