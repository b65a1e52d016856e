"""Profiles: one file read as its kind reads it, and each of its columns looked at."""

from __future__ import annotations

import glob
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import shapely

from metroon.base.engine import Engine
from metroon.base.errors import Problem, Refused
from metroon.base.kinds import find
from metroon.base.node import Node
from metroon.base.patterns import hits
from metroon.base.profile import ColumnProfile, MissingCode, Profile, Shape, column_names
from metroon.city.contract import contract
from metroon.collect.codes import PLACE, as_words, closed_list, in_dates, in_numbers, in_text
from metroon.collect.deliveries import Unreadable
from metroon.collect.dialect import Dialect, dialect
from metroon.collect.inference import Found, infer
from metroon.collect.layout import SUMS, Layout, document, workbook
from metroon.collect.roles import CODE, DATE, event_time, is_row_number, key, nearly_key, point
from metroon.collect.source import LINE, REJECT, FileSource, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from metroon.base.profile import Inferred
    from metroon.collect.source import Raw, Source

KINDS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "csv", ".tab": "csv", ".psv": "csv", ".parquet": "parquet",
    ".geojson": "geofile", ".json": "json", ".zip": "geofile", ".shp": "geofile", ".gpkg": "geofile",
    ".ndjson": "ndjson", ".jsonl": "ndjson", ".xlsx": "excel", ".xlsm": "excel", ".xls": "excel", ".xlsb": "excel",
    ".ods": "excel",
}  # fmt: skip
"""File ending -> the collect kind that reads it."""

EMPTY = "Nothing is recorded in any row."
_BLANKS = " \t\n\r\v\f"
_THOUSANDS = (
    "Each number with a point has three digits after it: if the point divides thousands, declare "
    "written: [decimal comma]."
)
_POINTED = re.compile(r"-?[1-9]\d{0,2}\.\d{3}")
_SOME = 5
"""Different numbers with a point, from which on that can be no chance."""
_MOST = 500_000
"""Records that are looked at; of more it is one in so many, and that is told."""
_SAMPLED = 2_000
"""Values that the patterns are tried on: enough to tell a share to a few percent."""


@dataclass(frozen=True)
class _Column:
    """A column with its values, while it is looked at."""

    header: str
    name: str
    counts: Mapping[str, int]
    empty: int
    rows: int
    found: Found


def profile(file: Path, engine: Engine | None = None, *, path: str | None = None) -> Profile:
    """Look at a file, or at several of one form.

    Args:
        file: A delimited text file with a header, a workbook, JSON, a Parquet file, a GeoJSON file, or a shapefile
            (alone or zipped).
        engine: The engine to read it with; one of its own unless given.
        path: A pattern of all the files of its form, from its folder on; the file alone unless given.

    Raises:
        Refused: It is no file of these kinds, or not what its ending says (D110, D111).
    """
    seen = _seen(file, engine, path)
    looked, layout = seen.looked, seen.layout
    args = (seen.headers, seen.unique, looked.rows, looked.ragged, seen.written)
    found = _profiled(layout.kind, layout.options, *args)
    return replace(found, rows=looked.whole, notes=(*layout.notes, *looked.notes(), *found.notes))


@dataclass(frozen=True)
class Records:
    """The whole records of a file.

    Args:
        columns: Header -> what stands below it; those that stand once.
        ragged: Records that are not whole, such as those with a field too many.
    """

    columns: Mapping[str, pa.ChunkedArray]
    ragged: int


def records(file: Path) -> Records:
    """Read a file as ``metroon add`` does, without looking at what it holds.

    Raises:
        Refused: It is no file of a kind that can be read, or not what its ending says (D110, D111).
    """
    seen = _seen(file, None, most=None)
    ragged = seen.looked.ragged - seen.written.second_header
    return Records({h: seen.looked.rows[f"c{i}"] for i, h in enumerate(seen.unique)}, ragged)


@dataclass(frozen=True)
class _Looked:
    """The whole records that are looked at.

    Args:
        rows: They: all, or of many one in so many.
        whole: How many whole records there are.
        ragged: How many others.
        step: One in how many is looked at; 1 for all.
    """

    rows: pa.Table
    whole: int
    ragged: int
    step: int = 1

    @property
    def is_sample(self) -> bool:
        """Whether there are more records than are looked at."""
        return self.step > 1

    def notes(self) -> list[str]:
        """What is to be said of a sample."""
        if not self.is_sample:
            return []
        told = f"{self.whole:,} records were counted, and one in {self.step:,} of them looked at"
        return [f"{told}: what is said of columns, of their values and of the key is said of those."]


@dataclass(frozen=True)
class _Seen:
    layout: Layout
    written: Dialect
    headers: list[str]
    unique: list[str]
    looked: _Looked


@dataclass(frozen=True)
class Form:
    """How a file is read, and what its columns are called: files of one form are deliveries of one product.

    Args:
        kind: The collect kind that reads it.
        options: That kind's options, where they differ from its defaults.
        headers: Its columns, in the file's order.
    """

    kind: str
    options: Mapping[str, str | int]
    headers: tuple[str, ...]


def form(file: Path) -> Form:
    """How a file is read; none of its rows is looked at but those that tell how it is written.

    Raises:
        Refused: It is no file of a kind that can be read, or not what its ending says (D110, D111).
    """
    layout, _, _, headers = _opened(file, None)
    return Form(layout.kind, layout.options, tuple(headers))


def profile_source(
    source: Source, headers: Sequence[str], data: Path, folder: Path, told: Sequence[str] = ()
) -> Profile:
    """Look at what a source gives that is no file of the city's, such as what was fetched from elsewhere.

    Args:
        source: The source.
        headers: What its columns are called.
        data: The folder that it reads from.
        folder: The product's own folder.
        told: The columns that tell rows apart, when the source says which.

    Raises:
        Refused: Nothing of it can be read.
    """
    unique = _unique(headers)
    engine = Engine()
    looked = _looked(engine, source.read(_reading(unique, engine, data, folder)), _MOST)
    kind = type(source).__module__.rpartition(".")[2]
    found = _profiled(kind, {}, headers, unique, looked.rows, looked.ragged, Dialect())
    names = dict(zip(unique, column_names(unique), strict=True))
    key = tuple(names[header] for header in told) if told and set(told) <= names.keys() else found.key
    return replace(found, rows=looked.whole, key=key, notes=(*looked.notes(), *found.notes))


def _seen(file: Path, engine: Engine | None, path: str | None = None, *, most: int | None = _MOST) -> _Seen:
    layout, written, source, headers = _opened(file, path)
    unique = _unique(headers)
    looked = _read(source, file, unique, engine or Engine(), most)
    if written.second_header and not looked.is_sample:
        looked = replace(looked, rows=looked.rows.slice(1), whole=looked.whole - 1, ragged=looked.ragged + 1)
    # What was counted by lines is of one file only.
    written = replace(written, lines={}, joinable=0) if path else written
    return _Seen(layout, written, headers, unique, looked)


def _opened(file: Path, path: str | None) -> tuple[Layout, Dialect, FileSource, list[str]]:
    kind = KINDS.get(file.suffix.lower())
    if kind is None:
        fix = "Save it as CSV (UTF-8), or as a workbook. From a database or a portal, export CSV, Parquet or GeoJSON."
        raise Refused(
            [Problem(str(file), 0, "D110", f"'{file.suffix or file.name}' is no ending that I can read.", fix)]
        )
    try:
        written = dialect(file) if kind == "csv" else Dialect()
        layout = _layout(file, kind) or Layout(kind, written.options())
        given: dict[str, Any] = dict(layout.options)
        source = find("collect", layout.kind, FileSource)(path=path or glob.escape(file.name), **given)
        headers = source.headers(file)
        if not headers:
            fix = "Ask for records that are objects, each of whose names stands in it once."
            raise Unreadable("no record of it is whole, so that it has no columns.", fix)
        if not _unique(headers):
            fix = "Give each column a name of its own, or ask the department for such a file."
            raise Unreadable("every header stands more than once, so no column can be told from another.", fix)
        return layout, written, source, headers
    except Unreadable as fault:
        by_hand = " There is none yet: ask for a whole file, or copy another product's two files and change them."
        fix = fault.fix + (by_hand if "product.yaml" in fault.fix else "")
        raise Refused([Problem(str(file), 0, "D111", str(fault), fix)]) from None


def _unique(headers: Sequence[str]) -> list[str]:
    """The headers that stand once: of others nobody can tell which is meant."""
    return [header for header, n in Counter(headers).items() if n == 1]


def _layout(file: Path, kind: str) -> Layout | None:
    """Where the table is, in files that may hold more than one."""
    return workbook(file) if kind == "excel" else document(file) if kind == "json" else None


def profile_rows(rows: pa.Table, point: tuple[str, str] | None = None) -> Profile:
    """Look at rows that have names and types already, such as a kept version.

    Args:
        rows: The rows.
        point: The columns with longitude and latitude, when it is known.
    """
    columns: list[ColumnProfile] = []
    for name in rows.column_names:
        values = rows[name]
        if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
            columns.append(_geometry(name, name, values))
        elif not pa.types.is_nested(values.type):
            columns.append(_column(_counted(name, name, values)))
    shape = next((_shape(rows[c.name]) for c in columns if c.type == "object"), None)
    return Profile("rows", {}, rows.num_rows, 0, tuple(columns), point=point, shape=shape)


def _read(source: FileSource, file: Path, headers: Sequence[str], engine: Engine, most: int | None) -> _Looked:
    """The records as the kind reads them, so that the profile and the first run see the same."""
    return _looked(engine, source.read(_reading(headers, engine, file.parent, file.parent)), most)


def _looked(engine: Engine, raw: Raw, most: int | None) -> _Looked:
    """The records that are looked at: of more than a number, one in so many, by their lines."""
    records = sum(d.read for d in raw.deliveries if not d.refused)
    step = 1 + records // most if most else 1
    if step == 1:
        rows = engine.fetch(raw.rows)
        whole = rows.filter(pc.is_null(rows[REJECT]))
        return _Looked(whole, whole.num_rows, rows.num_rows - whole.num_rows)
    whole_rows = raw.rows.filter(raw.rows[REJECT].isnull())
    ragged = engine.count(raw.rows.filter(raw.rows[REJECT].notnull()))
    return _Looked(engine.fetch(whole_rows.filter(whole_rows[LINE] % step == 0)), records - ragged, ragged, step)


def _reading(headers: Sequence[str], engine: Engine, data: Path, folder: Path) -> Reading:
    listed = [{"name": f"c{i}", "physicalName": header, "logicalType": "string"} for i, header in enumerate(headers)]
    asked = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "profile", "version": "0",
             "schema": [{"name": "profile", "properties": listed}]}  # fmt: skip
    return Reading(engine, contract(Node(asked, str(data)), "profile"), data, folder)


def _profiled(
    kind: str,
    options: Mapping[str, str | int],
    headers: Sequence[str],
    unique: Sequence[str],
    rows: pa.Table,
    ragged: int,
    written: Dialect,
) -> Profile:
    names = column_names(unique)
    columns: list[ColumnProfile] = []
    shape, notes = None, _file_notes(headers, ragged, written)
    for i, (header, name) in enumerate(zip(unique, names, strict=True)):
        values = rows[f"c{i}"]
        if pa.types.is_nested(values.type):
            notes.append(f"Column '{header}' holds lists or records and is left out.")
        elif pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
            shape = _shape(values)
            columns.append(_geometry(header, name, values))
        else:
            columns.append(_column(_counted(header, name, values)))
    columns, shared = _shared(columns)
    keyed = key(columns, rows, {name: f"c{i}" for i, name in enumerate(names)})
    shared += nearly_key(columns) if not keyed else []
    shared += _sums(rows)
    event = event_time(columns) if shape != "area" else None
    return Profile(
        kind=kind,
        options=options,
        rows=rows.num_rows,
        ragged=ragged,
        columns=tuple(columns),
        key=keyed,
        point=point(columns),
        event_time=event.name if event else None,
        span=event.usual if event else None,
        shape=shape,
        notes=(*notes, *shared),
    )


def _sums(rows: pa.Table) -> list[str]:
    """What to say of a last record that looks like a sum of all others, or like a note."""
    last = rows.slice(max(0, rows.num_rows - 1)).select([n for n in rows.column_names if n.startswith("c")])
    filled = [v for row in last.to_pylist() for v in row.values() if v not in (None, "")]
    if filled and isinstance(filled[0], str) and SUMS.match(filled[0].strip()):
        return ["The last record looks like a sum of the others: without a key that it lacks it counts as a record."]
    if len(filled) == 1 and isinstance(filled[0], str) and last.num_columns > 2 and " " in filled[0].strip():
        return ["The last record holds one text and nothing else: if it is a note, it counts as a record all the same."]
    return []


def _shared(columns: Sequence[ColumnProfile]) -> tuple[list[ColumnProfile], list[str]]:
    """What is to be said of many columns, said once."""
    told = Counter(note for c in columns for note in c.notes if note != EMPTY)
    often = {note: n for note, n in told.items() if n > 1}
    left = [replace(c, notes=tuple(n for n in c.notes if n not in often)) for c in columns]
    return left, [f"{n} columns: {note}" for note, n in often.items()]


def _file_notes(headers: Sequence[str], ragged: int, written: Dialect) -> list[str]:
    twice = sorted(h for h, n in Counter(headers).items() if n > 1)
    notes = [f"Header '{h}' stands more than once: nobody can tell which is meant, so none is read." for h in twice]
    if written.skip:
        told = "1 line above the header is" if written.skip == 1 else f"{written.skip} lines above the header are"
        notes.append(f"{told} left out.")
    if written.second_header:
        notes.append("The second line is a second header (words, no figures): it will be set aside.")
        ragged -= 1
    if n := written.in_utf8:
        told = f"{n:,} of its lines are UTF-8 and others are not: some names will come out wrong in {written.encoding}."
        notes.append(f"{told} Ask for the file in one encoding.")
    if ragged:
        told = "1 record is not whole: it" if ragged == 1 else f"{ragged:,} records are not whole: they"
        notes.append(f"{told} will be set aside.")
        notes += _line_notes(written)
    return notes


def _line_notes(written: Dialect) -> list[str]:
    if not written.lines:
        return []
    total = sum(written.lines.values())
    notes = [f"{total:,} lines = {' + '.join(f'{n:,} {kind}' for kind, n in written.lines.items())}."]
    if n := written.joinable:
        notes.append(f"{n:,} of these lines are plainly parts of records that were cut: cut: join would join them.")
    return notes


def _counted(header: str, name: str, values: pa.ChunkedArray) -> _Column:
    told = _told_type(values.type)
    counts: Counter[str] = Counter()
    empty = values.null_count
    for pair in values.drop_null().value_counts().to_pylist():
        text = _text(pair["values"])
        counts[text] += pair["counts"]
    empty += counts.pop("", 0)
    if told is None:
        found = _inferred(counts, name)
    else:
        found = Found(told, None, _typed(values) if told != "string" else {})
        found = Found("string", None, {}) if told in ("integer", "number") and CODE.search(name) else found
    return _Column(header, name, counts, empty, len(values), found)


def _inferred(counts: Mapping[str, int], name: str) -> Found:
    hints = {"is_date": bool(DATE.search(name)), "is_code": bool(CODE.search(name))}
    plain = _without(counts, as_words(counts))
    found = infer(plain, **hints)
    return found if plain and found.type != "string" else infer(counts, **hints)


def _column(column: _Column) -> ColumnProfile:
    counts, found = column.counts, column.found
    missing = _missing(column)
    recorded = _without(counts, missing)
    total = sum(recorded.values())
    values = [v for t, v in found.values.items() if t in recorded]
    sampled = list(recorded.items())[:: max(1, len(recorded) // _SAMPLED)]
    weight = sum(n for _, n in sampled) or 1
    is_key = bool(total) and total == column.rows == len(recorded)
    return ColumnProfile(
        header=column.header,
        name=column.name,
        type=found.type,
        format=found.format,
        rows=column.rows,
        empty=column.empty,
        distinct=len(recorded),
        misfits=_misfits(found, recorded),
        missing=tuple(missing),
        is_key=is_key,
        low=min(values, default=None),
        high=max(values, default=None),
        usual=_usual(found, recorded),
        codes=closed_list(recorded) if found.type == "string" else (),
        hits=hits(sampled) if found.type in ("string", "integer") else {},
        mean_length=sum(len(t) * n for t, n in sampled) / weight,
        mean_words=sum(len(t.split()) * n for t, n in sampled) / weight,
        digit_share=sum(n for t, n in sampled if any(c.isdigit() for c in t)) / weight,
        decimals=_decimals([t for t, _ in sampled]) if found.type == "number" else 0,
        notes=(*found.notes, *_column_notes(column, recorded, is_key=is_key)),
        written=found.written,
    )


def _missing(column: _Column) -> list[MissingCode]:
    counts, found = column.counts, column.found
    if found.type == "string":
        return in_text(counts)
    said = as_words(counts)
    rest = _without(counts, said)
    by_value = in_dates(rest, found) if found.type in ("date", "timestamp") else in_numbers(rest, found, column.name)
    return [*said, *by_value]


def _usual(found: Found, recorded: Mapping[str, int]) -> tuple[date, date] | None:
    """First and last day; where one value in a hundred lies a year beyond the rest, the rest's."""
    days = sorted((v.date(), recorded[t]) for t, v in found.values.items() if isinstance(v, datetime) and t in recorded)
    if not days:
        return None
    rare = sum(n for _, n in days) / 100
    first = next(day for day, n in _running(days) if n > rare)
    last = next(day for day, n in _running(days[::-1]) if n > rare)
    far = timedelta(days=365)
    (low, _), (high, _) = days[0], days[-1]
    return (low if first - low <= far else first, high if high - last <= far else last)


def _running(days: Sequence[tuple[date, int]]) -> Iterator[tuple[date, int]]:
    total = 0
    for day, n in days:
        total += n
        yield day, total


def _without(counts: Mapping[str, int], missing: Sequence[MissingCode]) -> dict[str, int]:
    lost = {code.text for code in missing}
    return {t: n for t, n in counts.items() if t not in lost}


def _misfits(found: Found, recorded: Mapping[str, int]) -> int:
    if found.type in ("string", "boolean") or not found.values:
        return 0
    return sum(n for t, n in recorded.items() if t not in found.values)


def _column_notes(column: _Column, recorded: Mapping[str, int], *, is_key: bool) -> list[str]:
    if not recorded:
        return [EMPTY] if column.rows else []
    if is_key and is_row_number(column.header):
        return ["The row numbers of the program that wrote the file."]
    return [_THOUSANDS] if _may_be_thousands(column, recorded) else []


def _may_be_thousands(column: _Column, recorded: Mapping[str, int]) -> bool:
    """Whether each number with a point has three digits after it, and each without is below 1,000."""
    if column.found.type != "number" or column.found.written or PLACE.search(column.name):
        return False
    pointed = [t for t in recorded if "." in t]
    whole = (v for t, v in column.found.values.items() if "." not in t and t in recorded)
    is_small = all(isinstance(v, float) and abs(v) < 1000 for v in whole)
    return len(pointed) >= _SOME and is_small and all(_POINTED.fullmatch(t) for t in pointed)


def _told_type(given: pa.DataType) -> Inferred | None:
    """The type that a file says itself; None for text, which is looked at."""
    if pa.types.is_boolean(given):
        return "boolean"
    if pa.types.is_integer(given):
        return "integer"
    if pa.types.is_floating(given) or pa.types.is_decimal(given):
        return "number"
    if pa.types.is_date(given):
        return "date"
    if pa.types.is_timestamp(given):
        return "timestamp"
    return None if pa.types.is_string(given) or pa.types.is_large_string(given) else "string"


def _text(value: object) -> str:
    return value.strip(_BLANKS) if isinstance(value, str) else str(value)


def _typed(values: pa.ChunkedArray) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for value in pc.unique(values.drop_null()).to_pylist():
        at_midnight = not hasattr(value, "hour")
        day = hasattr(value, "year")
        made[_text(value)] = (
            datetime(value.year, value.month, value.day, *(() if at_midnight else (value.hour, value.minute)))
            if day
            else float(value)
        )
    return made


def _decimals(texts: Sequence[str]) -> int:
    found = sorted(len(t.partition(".")[2]) for t in texts)
    return found[len(found) // 2] if found else 0


def _geometry(header: str, name: str, values: pa.ChunkedArray) -> ColumnProfile:
    return ColumnProfile(header, name, "object", rows=len(values), empty=values.null_count, distinct=len(values))


def _shape(values: pa.ChunkedArray) -> Shape | None:
    """What most of the geometries are."""
    try:
        kinds = Counter(int(k) for k in shapely.get_type_id(shapely.from_wkb(values.drop_null().to_pylist())))
    except shapely.errors.GEOSException:
        return None
    shapes: dict[int, Shape] = {0: "point", 4: "point", 1: "line", 5: "line", 3: "area", 6: "area"}
    return shapes.get(kinds.most_common(1)[0][0]) if kinds else None
