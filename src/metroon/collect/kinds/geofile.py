"""``kind: geofile``."""

from __future__ import annotations

import codecs
import io
import json
import struct
import warnings
import zipfile
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapefile
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape

from metroon.collect.archive import check_zip
from metroon.collect.deliveries import Unreadable, finish, gather, match
from metroon.collect.geopackage import layer_features
from metroon.collect.objects import one_page
from metroon.collect.source import FileSource, Raw, Reading
from metroon.collect.systems import WGS84, Extent, UnknownSystem, around, is_inside, likely, to_degrees

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metroon.city.contract import Contract

Feature = tuple[dict[str, Any], Any]
_DELETED, _AMBIGUOUS = {"type": "deleted"}, {"type": "ambiguous"}
_WHY_NOT = {"deleted": "the feature is marked as deleted", "ambiguous": "the feature has a name twice"}
_PARTS = ("shp", "shx", "dbf", "prj", "cpg")
_MOST = 0.5
"""The share of shapes that may lie on no map: a few are always wrong, most of them are not."""
_SAMPLED = 1_000
_NOWHERE = "the shape of the feature lies on no map"
_ENCODING = "Declare the right one in product.yaml, such as encoding: cp1252."
_WHOLE = "Ask for the .shp, .shx, .dbf and .prj together, side by side or in one zip."


class Geofile(FileSource):
    """Areas, lines or points: GeoJSON, a shapefile or a GeoPackage, in any coordinate reference system.

    A shapefile is a .zip, or a .shp with its .shx, .dbf and .prj of the same name beside it: one delivery,
    whose size and hash are of all its parts. Every property becomes a text column; ``geometry`` holds the
    shape as WKB in longitude and latitude (WGS 84). Coordinates that lie on no map, or not where the city is
    while another system puts them there, refuse the file with the likely system named. A feature without a shape,
    marked as deleted, or with a name twice, is set aside; its line is its number in the file, from 1.

    Args:
        crs: The system when the file does not say it, or says it wrong, such as EPSG:2227.
        encoding: Text encoding of a shapefile's attributes, when its .cpg does not say it, or says it wrong;
            utf-8 when nobody says.
        layer: The layer of a GeoPackage (.gpkg), where it has several.
    """

    crs: str | None = None
    encoding: str | None = None
    layer: str = ""

    def parts(self, delivery: Path) -> list[Path]:
        """A shapefile's parts, in the order of their names; any other file alone."""
        if delivery.suffix.lower() != ".shp":
            return [delivery]
        beside = (p for p in delivery.parent.iterdir() if p.stem == delivery.stem and p.is_file())
        return sorted(p for p in beside if p.suffix.lower()[1:] in _PARTS)

    def read(self, reading: Reading) -> Raw:
        """Every feature of every file."""
        notes: list[str] = []
        raw = gather(self, reading, partial(self._file, extent=reading.extent, notes=notes))
        return replace(raw, notes=(*raw.notes, *notes))

    def headers(self, file: Path) -> list[str]:
        """The names of the properties, and ``geometry``."""
        return [*_names(self._features(file)[0]), "geometry"]

    def _features(self, file: Path, notes: list[str] | None = None) -> tuple[list[Feature], str | None]:
        ending = file.suffix.lower()
        if ending == ".gpkg":
            features, told = layer_features(file, self.layer)
        else:
            features, told = (
                self._shapefile(file) if ending in (".zip", ".shp") else _geojson(file, [] if notes is None else notes)
            )
        if not features:
            raise Unreadable("the file holds no feature.", "Ask the department to send it again.")
        # The shape is the column geometry: a property of that name would hide it.
        return [({k: v for k, v in p.items() if k != "geometry"}, shape) for p, shape in features], told

    def _file(
        self, file: Path, contract: Contract, *, extent: Extent | None, notes: list[str]
    ) -> tuple[pa.Table, list[str]]:
        features, told = self._features(file, notes)
        names = _names(features)
        try:
            places, unnamed = match([*names, "geometry"], contract)
        except Unreadable as fault:
            raise Unreadable(str(fault), fault.fix, len(features)) from None
        shapes, rejects = _shapes([f for _, f in features], self.crs or told or "", extent)
        columns = {
            name: pa.array(shapes, pa.binary())
            if i == len(names)
            else pa.array([_text(properties.get(names[i])) for properties, _ in features], pa.string())
            for name, i in places.items()
        }
        return finish(columns, range(1, len(features) + 1), rejects), unnamed

    def _shapefile(self, file: Path) -> tuple[list[Feature], str | None]:
        parts = _zipped(file) if file.suffix.lower() == ".zip" else _beside(self.parts(file))
        if missing := {"shp", "shx", "dbf"} - set(parts):
            raise Unreadable(f"the shapefile has no .{min(missing)}.", _WHOLE)
        if any(_told_size(parts[e]) != len(parts[e]) for e in ("shp", "shx")):
            raise Unreadable("the shapefile is cut off: it is not as long as it says.", _WHOLE)
        told = parts["prj"].decode("utf-8", "replace") if "prj" in parts else None
        if told is None and self.crs is None:
            why = "the shapefile has no .prj: its coordinates mean nothing."
            raise Unreadable(why, "Declare crs: in product.yaml.")
        encoding = self.encoding or parts.get("cpg", b"").decode("ascii", "replace").strip() or "utf-8"
        try:
            codecs.lookup(encoding)
            given = {e: io.BytesIO(parts[e]) for e in ("shp", "shx", "dbf")}
            # What the reader warns of would show values.
            with warnings.catch_warnings(action="ignore"), shapefile.Reader(**given, encoding=encoding) as reader:
                # Not iterShapeRecords: after a deleted record it gives every shape the attributes of its neighbor.
                records = list(reader.iterRecords(deleted_as_None=True))
                shapes = [_interface(s) for s in reader.iterShapes()]
        except LookupError:
            raise Unreadable(f"the encoding {encoding} is unknown.", _ENCODING) from None
        except (shapefile.ShapefileException, struct.error, UnicodeDecodeError):
            why = f"the shapefile is damaged, or its attributes are not {encoding} text."
            raise Unreadable(why, f"{_ENCODING} {_WHOLE}") from None
        if len(records) != len(shapes):
            why = f"the shapefile has {len(shapes):,} shapes and the attributes of {len(records):,}."
            raise Unreadable(why, _WHOLE, max(len(records), len(shapes)))
        pairs = zip(records, shapes, strict=True)
        return [({}, _DELETED) if r is None else (r.as_dict(), s) for r, s in pairs], told


def _interface(drawn: shapefile.Shape) -> Any:
    if drawn.shapeType == shapefile.NULL:
        return None
    try:
        return drawn.__geo_interface__
    except shapefile.GeoJSON_Error:
        return {"type": drawn.shapeTypeName}  # surfaces in space: no shape on a map


def _told_size(part: bytes) -> int:
    return 2 * int.from_bytes(part[24:28], "big")  # the head counts in words of 16 bits


def _beside(parts: list[Path]) -> dict[str, bytes]:
    return {p.suffix.lower()[1:]: p.read_bytes() for p in parts}


def _zipped(file: Path) -> dict[str, bytes]:
    check_zip(file)
    try:
        with zipfile.ZipFile(file) as bundle:
            names = [n for n in bundle.namelist() if "__MACOSX" not in n]
            stems = [n.rpartition(".")[0] for n in names if n.lower().endswith(".shp")]
            if len(stems) > 1:
                raise Unreadable(f"the zip holds {len(stems)} shapefiles.", "Ask for one zip for each of them.")
            parts = [(n.rpartition(".")[2].lower(), n) for n in names if n.rpartition(".")[0] in stems]
            return {ending: bundle.read(n) for ending, n in parts if ending in _PARTS}
    except zipfile.BadZipFile:
        raise Unreadable("the file is no whole zip without a password.", _WHOLE) from None


def _names(features: list[Feature]) -> list[str]:
    return list(dict.fromkeys(k for properties, _ in features for k in properties))


def _geojson(file: Path, notes: list[str]) -> tuple[list[Feature], str | None]:
    try:
        loaded = json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=_object)
        features = [_feature(f) for f in list(loaded["features"])]
    except json.JSONDecodeError as fault:
        why = f"the file is no whole JSON: it cannot be read from line {fault.lineno:,} on."
        raise Unreadable(why, "Ask the department to send it again; it may have been cut off on its way.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreadable("the file is no GeoJSON feature collection.", "Ask for GeoJSON or a shapefile.") from None
    notes.extend(f"{file.name}: {note}" for note in one_page(loaded, "features", len(features)))
    crs = loaded.get("crs")
    given = crs.get("properties") if isinstance(crs, dict) else None
    told = given.get("name") if isinstance(given, dict) else crs
    return features, told if isinstance(told, str) else WGS84


class _Twice(dict[str, Any]):
    """An object that has one name twice: nobody can tell which of the two is meant."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _Twice(made)


def _feature(given: dict[str, Any]) -> Feature:
    properties = given.get("properties") or {}
    if isinstance(given, _Twice) or isinstance(properties, _Twice):
        return dict.fromkeys(properties), _AMBIGUOUS
    # An id stands beside the properties (RFC 7946, 3.2); it is one of them where none has its name.
    known = {} if given.get("id") is None else {"id": given["id"]}
    return {**known, **dict(properties)}, given.get("geometry")


def _shapes(drawn: list[Any], crs: str, extent: Extent | None) -> tuple[list[bytes | None], list[str | None]]:
    """The shape of each feature in degrees, and why it has none."""
    try:
        degrees = to_degrees(crs)
    except UnknownSystem:
        fix = "Declare it in product.yaml, such as crs: EPSG:2227."
        raise Unreadable("its coordinate reference system is unknown.", fix) from None

    def project(xy: Any) -> Any:
        if degrees is not None:
            xy[:, 0], xy[:, 1] = degrees(xy[:, 0], xy[:, 1])
        return xy

    given = [_parsed(geometry) for geometry in drawn]
    made = [_made(found, project) if found is not None else (None, why) for found, why in given]
    _hold_to_city([(g, m) for (g, _), m in zip(given, made, strict=True) if g is not None], crs, extent, len(drawn))
    return [wkb for wkb, _ in made], [why for _, why in made]


def _parsed(geometry: Any) -> tuple[Any, str | None]:
    if geometry is _DELETED or geometry is _AMBIGUOUS:
        return None, _WHY_NOT[geometry["type"]]
    try:
        found = shapely.force_2d(shape(geometry)) if geometry else None
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None, "the shape of the feature is damaged"
    if found is None or found.is_empty or not np.isfinite(shapely.get_coordinates(found)).all():
        return None, "the feature has no shape"
    return found, None


def _made(found: Any, project: Callable[[Any], Any]) -> tuple[bytes | None, str | None]:
    moved = shapely.transform(found, project)
    xy = np.abs(shapely.get_coordinates(moved))
    if not ((xy[:, 0] <= 180) & (xy[:, 1] <= 90)).all():
        return None, _NOWHERE
    return bytes(shapely.to_wkb(moved if moved.is_valid else shapely.make_valid(moved))), None


def _hold_to_city(
    found: list[tuple[Any, tuple[bytes | None, str | None]]], crs: str, extent: Extent | None, records: int
) -> None:
    """Refuse a file whose shapes mostly lie on no map, or outside the city where another system puts them inside."""
    if not found:
        return
    is_nowhere = np.array([why == _NOWHERE for _, (_, why) in found])
    is_lost = is_nowhere if extent is None else ~_is_near([wkb for _, (wkb, _) in found], extent)
    if is_lost.mean() <= _MOST:
        return
    x, y = _middles([geometry for geometry, _ in found][:_SAMPLED])
    fits = likely(x, y, extent)
    if fits is None and is_nowhere.mean() <= _MOST:
        return  # of another city, or of a whole state
    said = "longitudes and latitudes" if crs == WGS84 else "in the system that it says"
    why = f"its coordinates cannot be {said}"
    if fits is None:
        ask = "Declare in product.yaml what they are, such as crs: EPSG:2227"
        hint = "" if extent else "; with extent: in city.yaml the likely system is named"
        raise Unreadable(f"{why}.", f"{ask}{hint}.", records)
    fix = f"Declare in product.yaml: crs: {fits.code or WGS84}"
    if fits.is_exchanged:
        fix = "Ask the department for a file that holds x (longitude) before y (latitude)."
    raise Unreadable(f"{why}; they fit {fits.words}.", fix, records)


def _is_near(shapes: list[bytes | None], extent: Extent) -> Any:
    return is_inside(*_middles(shapely.from_wkb(shapes)), around(extent))


def _middles(shapes: Any) -> tuple[Any, Any]:
    west, south, east, north = np.asarray(shapely.bounds(shapes), dtype=float).reshape(-1, 4).T
    return (west + east) / 2, (south + north) / 2


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return value.decode("latin-1") if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False, default=str)
