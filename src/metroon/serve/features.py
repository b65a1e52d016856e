"""Features: published rows with a place, boundaries, and numbers of neighborhoods, as things on a map.

What is hidden keeps its boundary and says why it has no number.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from metroon.base import period as periods
from metroon.base.catalog import Column
from metroon.base.estimate import ALL
from metroon.permit import PUBLIC, NotThere
from metroon.serve import dcat_terms
from metroon.serve.encoders import feature_lines, finite, geometries, shapes
from metroon.serve.geometry import Index, index
from metroon.serve.numbers import numbers
from metroon.serve.query import PAGE_SECONDS, Condition, Query, apply, batches, condition, types_of
from metroon.serve.standing import absence
from metroon.serve.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from metroon.base.catalog import Rows
    from metroon.base.places import Places
    from metroon.serve.geometry import Box, During
    from metroon.serve.site import Site

ID = "metroon:feature"
"""The column of ids while features are made: a name that no column of a city has."""
_ROW = "metroon:row"
_GEOMETRY = "geometry"
_ONE_BATCH = 20_000


@dataclass(frozen=True)
class Collection:
    """One set of features.

    Args:
        id: Its permanent id.
        title: What people call it.
        description: What it is, in a sentence.
        page: The path of the page that tells all about it.
        source: What it is made of: rows of a dataset, boundaries, or numbers of a measure.
        name: Name of the dataset, the geography or the measure.
        columns: Properties of its features, in order.
        span: First and last day that it speaks of; None when it has no dates.
        licence: The address of its licence; empty when there is none.
    """

    id: str
    title: str
    description: str
    page: str
    source: Literal["rows", "places", "measure"]
    name: str
    columns: tuple[Column, ...]
    span: tuple[date, date] | None = None
    licence: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which features are asked for.

    Args:
        limit: How many at most.
        offset: How many to leave out first.
        area: Boxes of which a feature meets one; empty for everywhere.
        time: Stretch of time in which it lies; None for any.
        where: (Property, value) that must hold.
        version: The number of a version; None for the newest.
    """

    limit: int
    offset: int = 0
    area: tuple[Box, ...] = ()
    time: During | None = None
    where: tuple[tuple[str, str], ...] = ()
    version: int | None = None


@dataclass(frozen=True)
class Found:
    """Features that were found.

    Args:
        lines: Each as the text of a GeoJSON feature.
        matched: How many there are, whatever the limit.
        version: The version that they are of; None for what has none.
    """

    lines: tuple[str, ...]
    matched: int
    version: int | None


def collections(site: Site) -> Mapping[str, Collection]:
    """Id -> every set of features of the catalog that is served: datasets, boundaries, then measures."""
    return site.once("collections", lambda: {c.id: c for c in _collections(site)})


def _collections(site: Site) -> Iterator[Collection]:
    catalog, words = site.catalog, site.words[site.default]
    maps = [d for d in catalog.datasets.values() if dcat_terms.is_map(d, catalog)]
    for d in maps:
        if d.shape != "measure":
            columns = tuple(c for c in d.columns if c.is_open and c.name != d.geometry)
            title, text = words.plain(d.title), words.plain(d.description)
            span = d.span if any(c.name == d.time for c in columns) else None
            licence = dcat_terms.licence(d)
            yield Collection(d.name, title, text, d.path, "rows", d.name, columns, span, licence)
    for places in catalog.geographies.values():
        if places.shapes:
            text = words.plain(places.note) or words.plain(places.label)
            page = "/neighborhoods" if places.id == catalog.neighborhoods else "/datasets"
            title = words.plain(places.title)
            yield Collection(f"places.{places.id}", title, text, page, "places", places.id, _PLACE_COLUMNS)
    home = catalog.geographies.get(catalog.neighborhoods)
    for d in maps:
        if d.shape == "measure" and home is not None:
            said = {"title": words.plain(d.title), "places": words.plain(home.title)}
            title, text = words.gettext("%(title)s: %(places)s", **said), words.plain(d.description)
            last = numbers(site, d.name).last.get((home.id, ALL), ALL)
            span = None if last == ALL else (periods.first_day(last), periods.last_day(last))
            id_, licence = dcat_terms.collection_of(d, catalog), dcat_terms.licence(d)
            yield Collection(id_, title, text, d.path, "measure", d.name, _MEASURE_COLUMNS, span, licence)


_PLACE_COLUMNS = (
    Column("place", "Place", "The place's key.", "string"),
    Column("name", "Name", "What people call the place.", "string"),
    Column("people", "Residents", "How many people live there.", "number"),
    Column("people_margin", "Margin of error", "How far the number of residents may be off (90 %).", "number"),
    Column("people_source", "Source of residents", "Where the number of residents comes from.", "string"),
    Column("vintage", "Vintage", "Which edition of the boundaries it is.", "string"),
    Column("official", "Official", "Whether an authority has adopted these boundaries.", "boolean"),
)
_MEASURE_COLUMNS = (
    Column("place", "Place", "The place's key.", "string"),
    Column("name", "Name", "What people call the place.", "string"),
    Column("period", "Period", "The period that the number is of.", "string"),
    Column("state", "State", "Why there is a number or not.", "string"),
    Column("value", "Value", "The number, in the measure's unit; shares from 0 to 1.", "number"),
    Column("low", "From", "Lower end of its range.", "number"),
    Column("high", "To", "Upper end of its range.", "number"),
    Column("unit", "Unit", "What one unit of the number is.", "string"),
    Column("reason", "Reason", "Why there is no number.", "string"),
    Column("vintage", "Vintage", "Which edition of the boundaries it is.", "string"),
)


def extent(site: Site, one: Collection) -> Box | None:
    """West, south, east and north of a set of features; worked out once for a version."""
    if one.source != "rows":
        home = one.name if one.source == "places" else site.catalog.neighborhoods
        return site.once(("extent of places", home), lambda: dcat_terms.extent(site.catalog.geographies[home]))
    version = site.catalog.datasets[one.name].version
    return site.once(("extent of rows", one.name, version), lambda: _extent_of_rows(site, one.name))


def find(site: Site, one: Collection, wanted: Wanted) -> Found:
    """The features of a set that are asked for, and how many there are.

    Raises:
        Trouble: A property is not there, or a value does not fit it.
        NotThere: There is no such version.
        CannotRun: The engine cannot answer, or not in time.
        OSError: The rows cannot be read.
    """
    if one.source == "rows":
        rows = site.gate.rows(PUBLIC, one.name, "ogc", version=wanted.version)
        return _found_rows(site, rows, wanted)
    if wanted.version is not None:
        raise Trouble("unknown-parameter", "This collection has only its newest version.", "Leave it out.", "version")
    return _found_places(_table(site, one), one, wanted)


def feature(site: Site, one: Collection, key: str) -> str:
    """One feature by its id, as the text of a GeoJSON feature.

    Raises:
        NotThere: There is none.
    """
    if one.source == "rows":
        rows = _numbered(site, site.gate.rows(PUBLIC, one.name, "ogc"))
        try:
            told = condition(rows, ID, "eq", [key])
        except Trouble:  # not of the type that ids have here
            raise NotThere(key) from None
        lines = tuple(_lines(rows, Query(where=(told,), limit=1)))
    else:
        table = _table(site, one)
        lines = _lines_of(table.filter(pc.equal(table[ID], key)))
    if not lines:
        raise NotThere(key)
    return lines[0]


# Rows of a dataset


def _numbered(site: Site, rows: Rows) -> Rows:
    """The rows with an id each: their own key where it tells them apart, else their number in this version."""
    relation = rows.relation.mutate(**{_ROW: ibis.row_number()})
    key = _own_key(site, rows)
    kind = "string" if key else "integer"
    made = relation[key].cast("string") if key else relation[_ROW] + 1
    columns = (*rows.columns, Column(ID, "", "", kind), Column(_ROW, "", "", "integer"))
    # In the order of the file: nothing has to be sorted for a page far behind.
    return replace(rows, relation=relation.mutate(**{ID: made}), columns=columns, order=())


def _own_key(site: Site, rows: Rows) -> str:
    """The one column that tells the published rows apart; empty when none does, such as a coarsened one."""
    key = rows.dataset.key
    if len(key) != 1 or key[0] not in {c.name for c in rows.columns}:
        return ""

    def is_unique() -> bool:
        column = rows.relation[key[0]]
        told = rows.relation.aggregate(different=column.nunique(), known=column.count())
        found = _one(rows, told)
        return bool(found["different"] == found["known"] == rows.total)

    return key[0] if site.once(("key", rows.dataset.name, rows.edition.number), is_unique) else ""


def _found_rows(site: Site, given: Rows, wanted: Wanted) -> Found:
    rows = _numbered(site, given)
    geometry, point = shapes(given)
    where = [condition(given, name, "eq", [value]) for name, value in wanted.where]
    where += _in_time(given, wanted.time) if wanted.time is not None else []
    if wanted.area and geometry:
        return _found_shapes(site, given, rows, tuple(where), wanted)
    if wanted.area and point:
        rows = replace(rows, relation=rows.relation.filter(_in_area(rows, point, wanted.area)))
    query = Query(where=tuple(where))
    matched = _count(rows, query) if query.where or wanted.area else given.total
    lines = tuple(_lines(rows, replace(query, limit=wanted.limit, offset=wanted.offset))) if matched else ()
    return Found(lines, matched, given.edition.number)


def _found_shapes(site: Site, given: Rows, rows: Rows, where: tuple[Condition, ...], wanted: Wanted) -> Found:
    """Rows whose shape meets a box: the index knows which, the engine knows which keep the other conditions."""
    meeting = _index(site, given, given.dataset.geometry).inside(wanted.area)
    if where and len(meeting):
        kept = [b.column(0).to_numpy() for b in batches(rows, Query(select=(_ROW,), where=where))]
        meeting = np.intersect1d(meeting, np.concatenate(kept))
    page = meeting[wanted.offset : wanted.offset + wanted.limit].tolist()
    one_page = replace(rows, relation=rows.relation.filter(rows.relation[_ROW].isin(page)))
    lines = tuple(_lines(one_page, Query())) if page else ()
    return Found(lines, len(meeting), given.edition.number)


def _lines(rows: Rows, query: Query) -> Iterator[str]:
    geometry, point = shapes(rows)
    names = tuple(c.name for c in rows.columns if c.name not in (geometry, ID, _ROW))
    with closing(_batches(rows, apply(rows, query))) as parts:
        for batch in parts:
            lines = feature_lines(batch, geometry=geometry, point=point, properties=names, id_column=ID)
            yield from lines.to_pylist() if batch.num_rows else ()


def _batches(rows: Rows, relation: Any, *, size: int = _ONE_BATCH) -> Any:
    if rows.engine is None:
        raise TypeError("these rows have no engine to run them")
    return rows.engine.batches(relation, rows=size, seconds=PAGE_SECONDS)


def _count(rows: Rows, query: Query) -> int:
    kept = apply(rows, query)
    return int(_one(rows, kept.aggregate(n=kept.count()))["n"])


def _one(rows: Rows, relation: Any) -> dict[str, Any]:
    """The only row of a relation."""
    with closing(_batches(rows, relation, size=1)) as parts:
        found: dict[str, Any] = next(parts).to_pylist()[0]
        return found


def _in_area(rows: Rows, point: tuple[str, str], area: tuple[Box, ...]) -> Any:
    longitude, latitude = (rows.relation[name] for name in point)
    told = [longitude.between(w, e) & latitude.between(s, n) for w, s, e, n in area]
    return told[0] if len(told) == 1 else told[0] | told[1]


def _in_time(rows: Rows, time: During) -> list[Condition]:
    name = rows.dataset.time
    kind = types_of(rows).get(name)
    if kind not in ("date", "timestamp"):
        raise _timeless()
    ends = [("gte", time.start), ("lte", time.end)]
    return [Condition(name, op, (at.date() if kind == "date" else at,)) for op, at in ends if at is not None]  # type: ignore[arg-type]  # both are ops


def _timeless() -> Trouble:
    what = "Nothing in this collection has a date, so none can be asked for."
    return Trouble("wrong-value", what, "Leave 'datetime' out.", "datetime")


def _extent_of_rows(site: Site, name: str) -> Box | None:
    rows = site.gate.rows(PUBLIC, name, "ogc")
    geometry, point = shapes(rows)
    if geometry:
        return _index(site, rows, geometry).extent
    return _extent_of_points(rows, point) if point else None


def _extent_of_points(rows: Rows, point: tuple[str, str]) -> Box | None:
    longitude, latitude = (rows.relation[name].cast("float64") for name in point)
    is_usable = longitude.between(-180, 180) & latitude.between(-90, 90) & ~((longitude == 0) & (latitude == 0))
    kept = rows.relation.filter(is_usable)
    x, y = (kept[name].cast("float64") for name in point)
    told = _one(rows, kept.aggregate(w=x.min(), s=y.min(), e=x.max(), n=y.max()))
    return None if told["w"] is None else (told["w"], told["s"], told["e"], told["n"])


def _index(site: Site, rows: Rows, geometry: str) -> Index:
    def made() -> Index:
        told = batches(rows, Query(select=(geometry,)), seconds=None)
        return index((geometries(b.column(0)) for b in told), total=rows.total)

    return site.once(("shapes", rows.dataset.name, rows.edition.number), made)


# Places, and numbers of neighborhoods


def _table(site: Site, one: Collection) -> pa.Table:
    def made() -> pa.Table:
        home = one.name if one.source == "places" else site.catalog.neighborhoods
        places = site.catalog.geographies[home]
        told = _place_rows(places) if one.source == "places" else _measure_rows(site, one.name, places)
        return _typed(told, one.columns)

    return site.once(("features", one.id), made)


def _place_rows(places: Places) -> list[dict[str, object]]:
    return [
        {
            ID: key, "place": key, "name": places.names.get(key, key), "people": places.people.get(key),
            "people_margin": places.margins.get(key), "people_source": places.people_source or None,
            "vintage": places.vintage, "official": places.official, _GEOMETRY: shapely.to_wkb(shape),
        }
        for key, shape in places.shapes.items()
    ]  # fmt: skip


def _measure_rows(site: Site, measure: str, places: Places) -> list[dict[str, object]]:
    """One row a neighborhood, of the last closed period: what is hidden has a shape, a state and a reason."""
    found, words = numbers(site, measure), site.words[site.default]
    last = found.last.get((places.id, ALL), "")
    rows: list[dict[str, object]] = []
    for key, shape in places.shapes.items():
        e = found.at(places.id, key)
        reason = absence(e, words, minimum=site.catalog.minimum_cell)
        rows.append(
            {
                ID: key, "place": key, "name": places.names.get(key, key), "period": e.cell.period if e else last,
                "state": e.state if e else "not measured", "value": e.value if e else None,
                "low": e.low if e else None, "high": e.high if e else None,
                "unit": words.plain(found.measured.unit), "reason": reason or None, "vintage": places.vintage,
                _GEOMETRY: shapely.to_wkb(shape),
            }
        )  # fmt: skip
    return rows


_ARROW = {"number": pa.float64(), "boolean": pa.bool_()}


def _typed(rows: list[dict[str, object]], columns: tuple[Column, ...]) -> pa.Table:
    kinds = {ID: pa.string(), **{c.name: _ARROW.get(c.type, pa.string()) for c in columns}, _GEOMETRY: pa.binary()}
    told = {n: pa.array([r[n] for r in rows], k) for n, k in kinds.items()}
    return pa.table({n: finite(a) if pa.types.is_floating(a.type) else a for n, a in told.items()})


def _found_places(table: pa.Table, one: Collection, wanted: Wanted) -> Found:
    if wanted.time is not None:
        if one.span is None:
            raise _timeless()
        table = table if wanted.time.holds(*one.span) else table.slice(0, 0)
    for name, value in wanted.where:
        table = table.filter(_equal(table, one, name, value))
    if wanted.area:
        found = index([shapely.from_wkb(table[_GEOMETRY].to_numpy())], total=table.num_rows)
        table = table.take(found.inside(wanted.area))
    return Found(_lines_of(table.slice(wanted.offset, wanted.limit)), table.num_rows, None)


def _equal(table: pa.Table, one: Collection, name: str, value: str) -> Any:
    kind = next(c.type for c in one.columns if c.name == name)
    if kind == "string":
        return pc.equal(table[name], value)
    try:
        told = {"true": True, "false": False}[value.lower()] if kind == "boolean" else float(value)
    except (KeyError, ValueError):
        what = f"'{name}' is of type {kind}; the value is not."
        raise Trouble("wrong-value", what, f"Write a {kind}.", name) from None
    return pc.equal(table[name], told)


def _lines_of(table: pa.Table) -> tuple[str, ...]:
    names = tuple(n for n in table.column_names if n not in (ID, _GEOMETRY))
    parts = table.combine_chunks().to_batches()
    return tuple(
        line
        for b in parts
        if b.num_rows
        for line in feature_lines(b, geometry=_GEOMETRY, point=None, properties=names, id_column=ID).to_pylist()
    )
