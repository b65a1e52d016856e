"""Encoders: rows as the bytes of CSV, JSON, NDJSON, GeoJSON, Parquet and Arrow, written bit by bit as they are read.

No row is ever turned into text by Python; no file is ever whole in memory.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import shapely

from metroon.base.catalog import Rows
from metroon.serve.query import BATCH_ROWS, Query, batches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.serve.page import Sheet

FILE_SECONDS = 3600
"""How long one file may take to leave, with the time that its reader takes."""
GROUP_ROWS = 122_880
"""Rows of one Parquet row group: what DuckDB writes, so that readers skip as they are used to."""
GROUP_BYTES = 64_000_000
SHAPE_ROWS = 500
"""Rows of one batch when there are shapes in it, which may be long."""


@dataclass(frozen=True)
class Stream:
    """Rows on their way out.

    Args:
        schema: Their columns.
        batches: The rows.
        geometry: The column that holds shapes as WKB; empty when it has none.
        point: Columns of longitude and latitude.
        close: Stops reading.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    geometry: str = ""
    point: tuple[str, str] | None = None
    close: Callable[[], None] = lambda: None


def stream(data: Rows | Sheet, query: Query | None = None, *, seconds: float | None = FILE_SECONDS) -> Stream:
    """The rows of a dataset or of a page, ready to be written; what is wrong with the question is told here.

    Raises:
        Trouble: The query names columns that there are not.
        CannotRun: The engine cannot answer, or not in time.
        OSError: The rows cannot be read.
    """
    if not isinstance(data, Rows):
        table = sheet_table(data)
        parts = table.to_batches(BATCH_ROWS) or [pa.RecordBatch.from_pylist([], schema=table.schema)]
        has_point = not data.geometry and {"longitude", "latitude"} <= set(table.column_names)
        return Stream(table.schema, iter(parts), data.geometry, ("longitude", "latitude") if has_point else None)
    asked = query or Query()
    geometry, point = shapes(data)
    is_long = geometry and (not asked.select or geometry in asked.select)
    read = batches(data, asked, seconds=seconds, size=SHAPE_ROWS if is_long else BATCH_ROWS)
    first = next(read)
    return Stream(first.schema, chain([first], read), geometry, point, read.close)


def shapes(rows: Rows) -> tuple[str, tuple[str, str] | None]:
    """The column of shapes, and those of longitude and latitude, as far as the asker may see them."""
    seen = {c.name for c in rows.columns}
    geometry = rows.dataset.geometry if rows.dataset.geometry in seen else ""
    point = rows.dataset.point if rows.dataset.point and set(rows.dataset.point) <= seen else None
    return geometry, point


_ARROW = {
    "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp": pa.timestamp("us"), "object": pa.binary(),
}  # fmt: skip


def sheet_table(sheet: Sheet) -> pa.Table:
    """The rows of a page as Arrow; a column whose values are not of its type is told as text."""
    columns = {
        c.name: _typed([r.get(c.name) for r in sheet.rows], _ARROW.get(c.type, pa.string())) for c in sheet.columns
    }
    return pa.table(columns)


def _typed(values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, TypeError, ValueError):
        return pa.array([None if v is None else str(v) for v in values], pa.string())


# CSV


def csv_bytes(rows: Stream, *, is_raw: bool = False) -> Generator[bytes, None, None]:
    """CSV in UTF-8 with a header line.

    Args:
        rows: The rows.
        is_raw: Leave texts as they are; otherwise ``'`` goes before those that a spreadsheet would run as a formula.
    """
    has_header = True
    for batch in rows.batches:
        columns = [_csv_column(c, is_shape=n == rows.geometry, is_raw=is_raw) for n, c in named(batch)]
        if len(columns) == 1:
            # An empty line would be no row to most readers; an empty text in quotes is one.
            columns = [pc.fill_null(columns[0].cast(pa.string()), "")]
        told = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
        out = pa.BufferOutputStream()
        pa.csv.write_csv(told, out, pa.csv.WriteOptions(include_header=has_header, batch_size=max(1, told.num_rows)))
        has_header = False
        yield out.getvalue().to_pybytes()


def named(batch: pa.RecordBatch) -> Iterable[tuple[str, pa.Array]]:
    """The columns of a batch by their names."""
    return zip(batch.schema.names, batch.columns, strict=True)


_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"  # spreadsheets of East Asia take the wide ones for the others


def _csv_column(column: pa.Array, *, is_shape: bool, is_raw: bool) -> pa.Array:
    if is_shape or pa.types.is_binary(column.type):
        column = pa.array(shapely.to_wkt(geometries(column), rounding_precision=7), pa.string())
    elif pa.types.is_floating(column.type):
        return finite(column)
    elif pa.types.is_timestamp(column.type):
        return _shortest(column)
    elif not _is_text(column.type):
        return column
    if is_raw:
        return column
    runs = pc.match_substring_regex(column, _FORMULA)
    return pc.if_else(runs, pc.binary_join_element_wise("'", column, ""), column) if pc.any(runs).as_py() else column


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def finite(column: pa.Array) -> pa.Array:
    """Numbers; what is not finite is null."""
    is_finite = pc.is_finite(column)
    return (
        column
        if pc.all(is_finite).as_py() is not False
        else pc.if_else(is_finite, column, pa.scalar(None, column.type))
    )


def _shortest(column: pa.Array) -> pa.Array:
    """Times without parts of seconds where no one has any."""
    try:
        return column.cast(pa.timestamp("s", column.type.tz))
    except pa.ArrowInvalid:
        return column


def geometries(column: pa.Array) -> Any:
    """The shapes of a column of WKB; None where there is none."""
    return shapely.from_wkb(column.to_numpy(zero_copy_only=False))


# JSON


def json_bytes(rows: Stream) -> Generator[bytes, None, None]:
    """A JSON array of objects, one a line."""
    yield from enclosed(b"[", (object_lines(b, rows.geometry) for b in rows.batches), b"]\n")


def ndjson_bytes(rows: Stream) -> Generator[bytes, None, None]:
    """One JSON object a line."""
    for batch in rows.batches:
        yield _joined(pc.binary_join_element_wise(object_lines(batch, rows.geometry), "\n", ""))


def geojson_bytes(rows: Stream, *, name: str = "", properties: tuple[str, ...] = ()) -> Generator[bytes, None, None]:
    """A GeoJSON FeatureCollection (RFC 7946): longitude and latitude; no geometry where a row has none."""
    head = f'{{"type":"FeatureCollection","name":{json.dumps(name)},"features":['.encode()
    lines = (feature_lines(b, geometry=rows.geometry, point=rows.point, properties=properties) for b in rows.batches)
    yield from enclosed(head, lines, b"]}\n")


def object_lines(batch: pa.RecordBatch, geometry: str = "") -> pa.Array:
    """Each row as the text of a JSON object; shapes as GeoJSON geometries."""
    parts: list[Any] = []
    for name, column in named(batch):
        parts += [
            f"{',' if parts else '{'}{json.dumps(name, ensure_ascii=False)}:",
            json_column(column, is_shape=name == geometry),
        ]
    return _line(batch, [*(parts or ["{"]), "}"])


def value_lines(batch: pa.RecordBatch, geometry: str = "") -> pa.Array:
    """Each row as the text of a JSON array."""
    parts: list[Any] = []
    for name, column in named(batch):
        parts += ["," if parts else "[", json_column(column, is_shape=name == geometry)]
    return _line(batch, [*(parts or ["["]), "]"])


def feature_lines(
    batch: pa.RecordBatch,
    *,
    geometry: str,
    point: tuple[str, str] | None,
    properties: tuple[str, ...] = (),
    id_column: str = "",
) -> pa.Array:
    """Each row as the text of a GeoJSON feature.

    Args:
        batch: The rows.
        geometry: The column of shapes as WKB; empty for points.
        point: Columns of longitude and latitude, where there is no column of shapes.
        properties: Columns that become properties; all but the shapes unless given.
        id_column: The column that becomes the feature's id, and no property; none unless given.
    """
    if geometry:
        shape = json_column(batch.column(geometry), is_shape=True)
    elif point:
        at = [finite(batch.column(n).cast(pa.float64())) for n in point]
        pair = pc.binary_join_element_wise(
            '{"type":"Point","coordinates":[', at[0].cast(pa.string()), ",", at[1].cast(pa.string()), "]}", ""
        )
        shape = pc.fill_null(pc.if_else(_is_place(*at), pair, pa.scalar(None, pa.string())), "null")
    else:
        shape = "null"
    names = [n for n in properties or batch.schema.names if n not in (geometry, id_column)]
    told = object_lines(batch.select(names))
    key = [',"id":', json_column(batch.column(id_column))] if id_column else []
    return _line(batch, ['{"type":"Feature"', *key, ',"geometry":', shape, ',"properties":', told, "}"])


def _is_place(longitude: pa.Array, latitude: pa.Array) -> pa.Array:
    # As base/places.py: 0, 0 is what programs write for none, and at a pole or beyond there is no city.
    is_zero = pc.and_(pc.equal(longitude, 0), pc.equal(latitude, 0))
    is_on_map = pc.and_(pc.less_equal(pc.abs(longitude), 180), pc.less(pc.abs(latitude), 90))
    return pc.and_(is_on_map, pc.invert(is_zero))


def _line(batch: pa.RecordBatch, parts: list[Any]) -> pa.Array:
    # Of texts alone Arrow makes one text, whatever the number of rows.
    rows = (
        pa.array([""]).take(pa.array([0] * batch.num_rows)) if not any(isinstance(p, pa.Array) for p in parts) else None
    )
    return pc.binary_join_element_wise(*([rows] if rows is not None else []), *parts, "")


def json_column(column: pa.Array, *, is_shape: bool = False) -> pa.Array:
    """Each value of a column as the text of a JSON value."""
    kind = column.type
    if is_shape or pa.types.is_binary(kind):
        # RFC 7946, section 3.1.6: outer rings run counterclockwise.
        told = pa.array(shapely.to_geojson(shapely.orient_polygons(geometries(column))), pa.string())
    elif pa.types.is_floating(kind):
        told = finite(column).cast(pa.string())
    elif pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind):
        told = column.cast(pa.string())
    elif pa.types.is_timestamp(kind):
        text = pc.replace_substring(_shortest(column).cast(pa.string()), " ", "T", max_replacements=1)
        told = pc.binary_join_element_wise('"', text, '"', "")
    else:
        told = pc.binary_join_element_wise('"', _escaped(column.cast(pa.string())), '"', "")
    return pc.fill_null(told, "null")


_CONTROLS = [*(chr(n) for n in range(32))]


def _escaped(texts: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring_regex(texts, r'["\\\x00-\x1f]')).as_py():
        return texts
    texts = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    if pc.any(pc.match_substring_regex(texts, r"[\x00-\x1f]")).as_py():
        for control in _CONTROLS:
            texts = pc.replace_substring(texts, control, json.dumps(control)[1:-1])
    return texts


def enclosed(head: bytes, lines: Iterable[pa.Array], tail: bytes) -> Generator[bytes, None, None]:
    """Texts between a head and a tail, with commas between them: the inside of a JSON array."""
    is_first = True
    for each in lines:
        if len(each):
            text = _joined(pc.binary_join_element_wise(",\n", each, ""))
            yield head + text[1:] if is_first else text
            is_first = False
    yield head + tail if is_first else b"\n" + tail


def _joined(lines: pa.Array) -> bytes:
    """Texts one after another: they already lie so in memory."""
    if not len(lines):
        return b""
    width = 8 if pa.types.is_large_string(lines.type) else 4
    offsets = memoryview(lines.buffers()[1]).cast("q" if width == 8 else "i")
    begin, end = offsets[lines.offset], offsets[lines.offset + len(lines)]
    return bytes(memoryview(lines.buffers()[2])[begin:end])


def json_text(value: object) -> str:
    """Small plain values as JSON: days as 2026-07-15, what is not finite as null.

    Example:
        >>> json_text({"on": date(2026, 7, 15), "values": (1.5, float("nan"))})
        '{"on": "2026-07-15", "values": [1.5, null]}'
    """
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value


# Parquet and Arrow


class _Sink(io.RawIOBase):
    """What a writer writes into, and what is taken out of it as it goes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, part: Any) -> int:
        taken = bytes(part)
        self._parts.append(taken)
        self._at += len(taken)
        return len(taken)

    def taken(self) -> bytes:
        found, self._parts = b"".join(self._parts), []
        return found


def parquet_bytes(rows: Stream) -> Generator[bytes, None, None]:
    """Parquet with zstd, a row group at a time; with shapes it is GeoParquet."""
    sink = _Sink()
    schema = _geo_schema(rows)
    with pa.parquet.ParquetWriter(pa.PythonFile(sink, "w"), schema, compression="zstd") as writer:
        for group in _groups(rows.batches):
            writer.write_table(pa.Table.from_batches(group).replace_schema_metadata(schema.metadata), GROUP_ROWS)
            yield sink.taken()
    yield sink.taken()


def _groups(parts: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    kept: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in parts:
        kept.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            yield kept
            kept, rows, size = [], 0, 0
    if kept:
        yield kept


def _geo_schema(rows: Stream) -> pa.Schema:
    if not rows.geometry or rows.geometry not in rows.schema.names:
        return rows.schema
    column = {"encoding": "WKB", "geometry_types": []}
    geo = {"version": "1.1.0", "primary_column": rows.geometry, "columns": {rows.geometry: column}}
    return rows.schema.with_metadata({"geo": json.dumps(geo)})


def arrow_bytes(rows: Stream) -> Generator[bytes, None, None]:
    """An Arrow IPC stream."""
    sink = _Sink()
    with pa.ipc.new_stream(pa.PythonFile(sink, "w"), rows.schema) as writer:
        for batch in rows.batches:
            writer.write_batch(batch)
            yield sink.taken()
    yield sink.taken()
