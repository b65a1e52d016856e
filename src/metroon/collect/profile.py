"""Profiles: one file read as its kind reads it, and each of its columns looked at."""

from __future__ import annotations

import glob
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import combinations
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
from metroon.collect.codes import YEAR, as_words, closed_list, in_dates, in_numbers, in_text
from metroon.collect.deliveries import Unreadable
from metroon.collect.dialect import Dialect, dialect
from metroon.collect.inference import Found, infer
from metroon.collect.source import REJECT, FileSource, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from metroon.base.profile import Inferred

KINDS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "csv", ".tab": "csv", ".psv": "csv", ".parquet": "parquet",
    ".geojson": "geofile", ".json": "geofile", ".zip": "geofile", ".shp": "geofile",
}  # fmt: skip
"""File ending -> the collect kind that reads it."""

EMPTY = "Nothing is recorded in any row."
_BLANKS = " \t\n\r\v\f"
_SAMPLED = 2_000
"""Values that the patterns are tried on: enough to tell a share to a few percent."""

_CODE = re.compile(
    r"(^|_)(ids?|no|num|nbr|nr|number|key|code|cd|apn|parcel|uuid|guid|rsn|tract|tractce\d*|block|codigo|cedula|folio)_?$"
    r"|fips|geoid|zip|postal|postcode|phone|telefono|(^|_)(ssn|tel|apn)(_|$)|soc(ial)?_sec(urity)?(_no|_num|_number|_id)?$"
    r"|(case|person|client|record|object|global|incident|unique|crash|asset|par)(id|no|num)$|(^|_)geo_id|code$|rsn$|[a-z]{4}number$"
    r"|(^|_)[a-z]id$"
)
_DATE = re.compile(r"date|(^|_)(dt|dtm|day|ts|time|datetime|timestamp|fecha|dia|hora|dob|birth|at|on)(_|$)|_dt$|birth")
# The likelier it is when something happened, the earlier it stands; the last are when somebody wrote it down.
_EVENTS = (
    re.compile(
        r"event|incident|occur|crash|collision|accident|offense|arrest|call|dispatch|alarm|encounter|visit|provided"
    ),
    re.compile(
        r"open|report|request|received|start|entry|begin|issue|filed|submitted|inspect|info|(^|_)(date|fecha|ts|time|datetime)_?$"
    ),
)
_LATER = re.compile(r"clos|complet|resol|created|effective|(^|_)(end|exit|final\w*)(_|$)")
_NO_EVENT = re.compile(
    r"birth|(^|_)dob(_|$)|nacim|expir|due|target|updat|modif|valid|load|(^|_)(deleted?|proc\w*|export\w*)(_|$)"
)
_LONGITUDE = re.compile(r"(^|_)(lon|long|lng|longitude|longitud|point_x|x)_?$|longitude")
_LATITUDE = re.compile(r"(^|_)(lat|latitude|latitud|point_y|y)_?$|latitude")


@dataclass(frozen=True)
class _Column:
    """A column with its values, while it is looked at."""

    header: str
    name: str
    counts: Mapping[str, int]
    empty: int
    rows: int
    found: Found


def profile(file: Path, engine: Engine | None = None) -> Profile:
    """Look at a file.

    Args:
        file: A delimited text file with a header, a Parquet file, a GeoJSON file, or a shapefile (alone or zipped).
        engine: The engine to read it with; one of its own unless given.

    Raises:
        Refused: It is no file of these kinds, or not what its ending says (D110, D111).
    """
    kind = KINDS.get(file.suffix.lower())
    if kind is None:
        fix = "Save it as CSV (UTF-8). From a database or a portal, export CSV, Parquet or GeoJSON."
        raise Refused(
            [Problem(str(file), 0, "D110", f"'{file.suffix or file.name}' is no ending that I can read.", fix)]
        )
    try:
        written = dialect(file) if kind == "csv" else Dialect()
        options = written.options()
        source = find("collect", kind, FileSource)(path=glob.escape(file.name), **options)
        headers = source.headers(file)
    except Unreadable as fault:
        raise Refused([Problem(str(file), 0, "D111", str(fault), fault.fix)]) from None
    unique = [header for header, n in Counter(headers).items() if n == 1]
    rows = _read(source, file, unique, engine or Engine())
    whole = rows.filter(pc.is_null(rows[REJECT]))
    whole = whole.slice(1) if written.second_header else whole
    return _profiled(kind, options, headers, unique, whole, rows.num_rows - whole.num_rows, written)


def _read(source: FileSource, file: Path, headers: Sequence[str], engine: Engine) -> pa.Table:
    """Every record as the kind reads it, so that the profile and the first run see the same."""
    listed = [{"name": f"c{i}", "physicalName": header, "logicalType": "string"} for i, header in enumerate(headers)]
    asked = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "profile", "version": "0",
             "schema": [{"name": "profile", "properties": listed}]}  # fmt: skip
    reading = Reading(engine, contract(Node(asked, str(file)), "profile"), file.parent, file.parent)
    return engine.fetch(source.read(reading).rows)


def _profiled(
    kind: str, options: Mapping[str, str], headers: Sequence[str], unique: Sequence[str], rows: pa.Table, ragged: int,
    written: Dialect,
) -> Profile:  # fmt: skip
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
    key = _key(columns, rows, {name: f"c{i}" for i, name in enumerate(names)})
    shared += _nearly_key(columns) if not key else []
    event = _event_time(columns) if shape != "area" else None
    return Profile(
        kind=kind,
        options=options,
        rows=rows.num_rows,
        ragged=ragged,
        columns=tuple(columns),
        key=key,
        point=_point(columns),
        event_time=event.name if event else None,
        span=event.usual if event else None,
        shape=shape,
        notes=(*notes, *shared),
    )


def _shared(columns: Sequence[ColumnProfile]) -> tuple[list[ColumnProfile], list[str]]:
    """What is to be said of many columns, said once."""
    told = Counter(note for c in columns for note in c.notes if note != EMPTY)
    often = {note: n for note, n in told.items() if n > 1}
    left = [replace(c, notes=tuple(n for n in c.notes if n not in often)) for c in columns]
    return left, [f"{n} columns: {note}" for note, n in often.items()]


def _file_notes(headers: Sequence[str], ragged: int, written: Dialect) -> list[str]:
    twice = sorted(h for h, n in Counter(headers).items() if n > 1)
    notes = [f"Header '{h}' stands more than once: nobody can tell which is meant, so none is read." for h in twice]
    if written.second_header:
        notes.append("The second line is a second header (words, no figures): it will be set aside.")
        ragged -= 1
    if ragged:
        lines = "record does" if ragged == 1 else "records do"
        notes.append(f"{ragged:,} {lines} not have as many fields as the header: they will be set aside.")
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
        found = Found("string", None, {}) if told in ("integer", "number") and _CODE.search(name) else found
    return _Column(header, name, counts, empty, len(values), found)


def _inferred(counts: Mapping[str, int], name: str) -> Found:
    hints = {"is_date": bool(_DATE.search(name)), "is_code": bool(_CODE.search(name))}
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
    if is_key and _is_row_number(column):
        return ["The row numbers of the program that wrote the file."]
    return []


def _is_row_number(column: _Column | ColumnProfile) -> bool:
    return bool(re.fullmatch(r"column\d+|Unnamed: \d+|index", column.header))


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


def _key(columns: Sequence[ColumnProfile], rows: pa.Table, places: Mapping[str, str]) -> tuple[str, ...]:
    """The column, or the two, that tell records apart: one that is named like a number of things, if any is."""
    plain = [c for c in columns if c.type in ("string", "integer") and not _is_row_number(c)]
    alone = [c for c in plain if c.is_key and (_CODE.search(c.name) or _is_code(c) or c is columns[0])]
    alone.sort(key=lambda c: not _CODE.search(c.name))
    if alone and (_CODE.search(alone[0].name) or rows.num_rows >= 20 or alone[0] is columns[0]):
        return (alone[0].name,)
    # A column that tells nearly all records apart is a key with mistakes in it, not half of one.
    likely = [c for c in plain if _CODE.search(c.name) or YEAR.search(c.name) or c is columns[0]]
    listed = [c for c in likely if c.recorded == c.rows and 1 < c.distinct < 0.98 * c.rows][:6]
    for a, b in combinations(listed, 2):
        if rows.num_rows and rows.group_by([places[a.name], places[b.name]]).aggregate([]).num_rows == rows.num_rows:
            return (a.name, b.name)
    return ()


def _is_code(column: ColumnProfile) -> bool:
    """Whether a text is one word that is not long; a figure that happens to be different in every row is no code."""
    return column.type == "string" and column.mean_words <= 1.2 and column.mean_length <= 40


def _nearly_key(columns: Sequence[ColumnProfile]) -> list[str]:
    named = [c for c in columns if _CODE.search(c.name) and c.rows and c.recorded == c.rows]
    repeats = [(c.name, c.rows - c.distinct) for c in named if c.distinct >= 0.98 * c.rows]
    told = "'{}' looks like the key, but {} what stands before; with primaryKey: true the repeats are set aside."
    return [told.format(name, "1 row repeats" if n == 1 else f"{n:,} rows repeat") for name, n in repeats[:1]]


def _event_time(columns: Sequence[ColumnProfile]) -> ColumnProfile | None:
    """The column that most likely says when it happened: by its name, then by how full it is."""
    dated = [c for c in columns if c.type in ("date", "timestamp") and c.recorded and not _NO_EVENT.search(c.name)]
    full = [c for c in dated if c.missing_share <= 0.5]

    def rank(column: ColumnProfile) -> tuple[int, float]:
        named = next((i for i, words in enumerate(_EVENTS) if words.search(column.name)), len(_EVENTS))
        return len(_EVENTS) + 1 if _LATER.search(column.name) else named, round(column.missing_share, 1)

    return min(full, key=rank, default=None)


def _point(columns: Sequence[ColumnProfile]) -> tuple[str, str] | None:
    """The columns with degrees, the fullest pair when there are several."""
    across = [c for c in columns if _LONGITUDE.search(c.name) and _is_degrees(c, 180)]
    along = [c for c in columns if _LATITUDE.search(c.name) and _is_degrees(c, 90)]
    pairs = [(x, y) for x in across for y in along]
    best = max(pairs, key=lambda p: (min(p[0].recorded, p[1].recorded), p[0].name[:1] == "l"), default=None)
    return (best[0].name, best[1].name) if best else None


def _is_degrees(column: ColumnProfile, limit: int) -> bool:
    if column.type != "number" or not isinstance(column.low, float) or not isinstance(column.high, float):
        return False
    return -limit <= column.low and column.high <= limit and column.decimals >= 2
