"""Every kind of file: what a common program writes comes back to the value, on its line; damaged bytes lose nothing."""

from __future__ import annotations

import csv
import io
import json
import math
import tempfile
import zipfile
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapefile
import shapely
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.base.kinds import find
from metroon.collect import FILE, LINE, REJECT, FileSource, Reading
from tiny import promise, text

ENGINE = Engine()
TABLE = promise(text("a"), text("b"))
AREAS = promise(text("a"), text("b"), {"name": "geometry", "logicalType": "object"})
EXAMPLES = settings(max_examples=25)

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\"',;\n\t"), max_size=8)
PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
ROWS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8)


def collected(kind: str, name: str, content: bytes, contract=TABLE, **options):
    """The deliveries and the rows of one file."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        source = find("collect", kind, FileSource)(path=name, **options)
        raw = source.read(Reading(ENGINE, contract, Path(folder), Path(folder)))
        return raw, sorted(ENGINE.rows(raw.rows), key=lambda r: (r[FILE], r[LINE]))


def cells(rows) -> list[tuple]:
    return [(r["a"], r["b"]) for r in rows]


def or_none(rows) -> list[tuple]:
    return [tuple(v or None for v in row) for row in rows]


def as_csv(rows) -> bytes:
    made = io.StringIO(newline="")
    csv.writer(made).writerows([("a", "b"), *rows])
    return made.getvalue().encode()


def test_a_file_of_records_without_anything_is_refused_in_words():
    with pytest.raises(Refused, match="none of its 2 records holds anything"):
        collected("csv", "a.csv", as_csv([("", ""), ("", "\t")]))


@EXAMPLES
@given(rows=ROWS.map(lambda rows: [("1", "2"), *rows]))
def test_what_the_csv_module_writes_comes_back_on_its_line(rows):
    _, found = collected("csv", "a.csv", as_csv(rows))
    breaks = [1 + sum(cell.count("\n") for cell in row) for row in rows]

    # A record without anything in it is set aside; it keeps its line.
    assert or_none(row if "".join(row).strip(" \t\n") else ("", "") for row in rows) == or_none(cells(found))
    assert [2 + sum(breaks[:i]) for i in range(len(rows))] == [r[LINE] for r in found]


def as_json(rows) -> bytes:
    return json.dumps([{"a": a, "b": b} for a, b in rows]).encode()


def as_ndjson(rows) -> bytes:
    return "".join(json.dumps({"a": a, "b": b}, ensure_ascii=False) + "\n" for a, b in rows).encode()


TOLD = st.none() | WORDS | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@EXAMPLES
@given(rows=st.lists(st.tuples(TOLD, TOLD), min_size=1, max_size=8))
@pytest.mark.parametrize(("kind", "write"), [("json", as_json), ("ndjson", as_ndjson)])
def test_what_the_json_module_writes_comes_back_on_its_line(kind, write, rows):
    _, found = collected(kind, "a.json", write(rows))
    said = [tuple(v if v is None or isinstance(v, str) else json.dumps(v) for v in row) for row in rows]

    assert said == cells(found)
    assert list(range(1, len(rows) + 1)) == [r[LINE] for r in found]


def as_workbook(rows) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate([("a", "b"), *rows]):
            for j, value in enumerate(row):
                if isinstance(value, (bool, str)):
                    (sheet.write_boolean if isinstance(value, bool) else sheet.write_string)(i, j, value)
                elif value is not None:
                    sheet.write_number(i, j, value)
    return made.getvalue()


SHEET = st.none() | PLAIN | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e12, 1e12)


def in_a_sheet(value) -> object:
    """What a sheet holds of a value: numbers to the sixteenth digit, and no empty text."""
    if value in ("", None) or isinstance(value, str):
        return value or None
    return str(value).lower() if isinstance(value, bool) else float(f"{value:.16G}")


@EXAMPLES
@given(rows=st.lists(st.tuples(SHEET, SHEET), min_size=1, max_size=8))
def test_what_a_spreadsheet_program_writes_comes_back_on_its_row(rows):
    _, found = collected("excel", "a.xlsx", as_workbook(rows))
    is_number = [tuple(isinstance(v, (int, float)) and not isinstance(v, bool) for v in row) for row in rows]
    numbers = [i for i, row in enumerate(rows) if any(in_a_sheet(v) is not None for v in row)]
    back = {
        r[LINE] - 2: tuple(float(v) if n else v for v, n in zip((r["a"], r["b"]), is_number[r[LINE] - 2], strict=True))
        for r in found
    }

    assert {i: tuple(map(in_a_sheet, rows[i])) for i in numbers} == back


def as_parquet(rows) -> bytes:
    made = io.BytesIO()
    pq.write_table(pa.table({"a": [a for a, _ in rows], "b": [b for _, b in rows]}), made)
    return made.getvalue()


DAYS = st.dates(date(1000, 1, 1), date(9999, 12, 31))
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31))


@EXAMPLES
@given(rows=st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1) | st.none(), MOMENTS), min_size=1, max_size=8))
def test_what_arrow_writes_comes_back_on_its_row(rows):
    _, found = collected("parquet", "a.parquet", as_parquet(rows))

    assert rows == cells(found)
    assert list(range(1, len(rows) + 1)) == [r[LINE] for r in found]


PLACES = st.tuples(st.floats(-179, 179), st.floats(-89, 89))


def as_geojson(rows) -> bytes:
    features = [
        {"type": "Feature", "properties": {"a": a, "b": b}, "geometry": json.loads(shapely.to_geojson(shape))}
        for a, b, shape in rows
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


@EXAMPLES
@given(rows=st.lists(st.tuples(WORDS, WORDS, PLACES.map(shapely.Point)), min_size=1, max_size=8))
def test_what_a_map_program_writes_as_geojson_comes_back_on_its_number(rows):
    _, found = collected("geofile", "a.geojson", as_geojson(rows), AREAS)

    assert rows == [(r["a"], r["b"], shapely.from_wkb(r["geometry"])) for r in found]
    assert list(range(1, len(rows) + 1)) == [r[LINE] for r in found]


def as_shapefile(rows) -> bytes:
    parts = {ending: io.BytesIO() for ending in ("shp", "shx", "dbf")}
    with shapefile.Writer(**parts, encoding="utf-8") as writer:
        writer.field("a", "C", 80)
        writer.field("b", "N", 18, 0)
        for a, b, (x, y) in rows:
            writer.point(x, y)
            writer.record(a, b)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bundle:
        for ending, part in parts.items():
            bundle.writestr(f"a.{ending}", part.getvalue())
    return made.getvalue()


LETTERS = st.text(st.characters(categories=["L", "N"]), max_size=8)
FEATURES = st.lists(st.tuples(LETTERS, st.integers(-(10**15), 10**15), PLACES), min_size=1, max_size=8)


@EXAMPLES
@given(rows=FEATURES)
def test_what_a_map_program_writes_as_shapefile_comes_back_on_its_number(rows):
    _, found = collected("geofile", "a.zip", as_shapefile(rows), AREAS, crs="OGC:CRS84")

    assert [(a, str(b), p) for a, b, p in rows] == [
        (r["a"] or "", r["b"], tuple(shapely.get_coordinates(shapely.from_wkb(r["geometry"]))[0])) for r in found
    ]
    assert list(range(1, len(rows) + 1)) == [r[LINE] for r in found]


# Damaged bytes: told, and no record lost.

KNOWN = [(f"name {i}", str(i)) for i in range(40)]
FILES = {
    "csv": ("a.csv", as_csv(KNOWN), {}),
    "json": ("a.json", as_json(KNOWN), {}),
    "ndjson": ("a.ndjson", as_ndjson(KNOWN), {}),
    "excel": ("a.xlsx", as_workbook(KNOWN), {}),
    "parquet": ("a.parquet", as_parquet(KNOWN), {}),
    "geofile": ("a.geojson", as_geojson([(a, b, shapely.Point(1, 2)) for a, b in KNOWN]), {}),
    "shapefile": ("a.zip", as_shapefile([(a, int(b), (1.0, 2.0)) for a, b in KNOWN]), {"crs": "OGC:CRS84"}),
}
SLIPS = st.lists(
    st.tuples(st.sampled_from(["flip", "cut", "twice", "gone"]), st.floats(0, 1), st.integers(0, 255)),
    min_size=1,
    max_size=4,
)


def damaged(content: bytes, slips) -> bytes:
    """The bytes with some changed, cut off, repeated or taken out."""
    for slip, share, byte in slips:
        at = math.floor(share * max(len(content) - 1, 0))
        if slip == "flip":
            content = content[:at] + bytes([byte]) + content[at + 1 :]
        elif slip == "cut":
            content = content[:at] if at else content
        elif slip == "twice":
            content = content[:at] + content[at : at + byte] + content[at:]
        else:
            content = content[:at] + content[at + byte :]
    return content


def adds_up(kind: str, name: str, content: bytes, **options) -> bool:
    """Whether a file is refused as one that cannot be read, or all of its records are there, each on its line."""
    try:
        raw, rows = collected(kind, name, content, **options)
    except Refused as refused:
        return {p.code for p in refused.problems} == {"D102"}
    is_empty = all(r["a"] is None and r["b"] is None for r in rows if r[REJECT] and "json" in kind)
    return is_empty and sum(d.read for d in raw.deliveries) == len(rows) and all(r[LINE] > 0 for r in rows)


@pytest.mark.parametrize("kind", FILES)
@settings(max_examples=60)
@given(slips=SLIPS)
def test_damaged_bytes_are_told_and_every_record_is_accounted(kind, slips):
    name, content, options = FILES[kind]

    assert adds_up("geofile" if kind == "shapefile" else kind, name, damaged(content, slips), **options)


PARTS = ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels"]


def with_damaged_part(part: str, slips) -> bytes:
    """A whole zip of a workbook one part of which is damaged inside."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(FILES["excel"][1])) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            new.writestr(name, damaged(old.read(name), slips) if name == part else old.read(name))
    return made.getvalue()


@pytest.mark.parametrize("part", PARTS)
@settings(max_examples=40)
@given(slips=SLIPS)
def test_a_workbook_that_is_damaged_inside_is_told(part, slips):
    assert adds_up("excel", "a.xlsx", with_damaged_part(part, slips))
