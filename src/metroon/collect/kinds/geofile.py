"""``kind: geofile``."""

from __future__ import annotations

import codecs
import io
import json
import struct
import warnings
import zipfile
import zlib
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapefile
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely.errors import ShapelyError
from shapely.geometry import shape

from metroon.collect.deliveries import Unreadable, finish, gather, match
from metroon.collect.source import FileSource, Raw, Reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metroon.city.contract import Contract

Feature = tuple[dict[str, Any], Any]
WGS84 = "OGC:CRS84"
_PARTS = ("shp", "shx", "dbf", "prj", "cpg")
_NOWHERE = "the shape of the feature lies on no map"
_ENCODING = "Declare the right one in product.yaml, such as encoding: cp1252."
_WHOLE = "Ask for the .shp, .shx, .dbf and .prj together, side by side or in one zip."


class Geofile(FileSource):
    """Areas, lines or points: a GeoJSON file or a shapefile, in any coordinate reference system.

    A shapefile is a .zip, or a .shp with its .shx, .dbf and .prj of the same name beside it: one delivery,
    whose size and hash are of all its parts. Every property becomes a text column; ``geometry`` holds the
    shape as WKB in longitude and latitude (WGS 84).

    Args:
        crs: The system when the file does not say it, or says it wrong, such as EPSG:2227.
        encoding: Text encoding of a shapefile's attributes, when its .cpg does not say it, or says it wrong;
            utf-8 when nobody says.
    """

    crs: str | None = None
    encoding: str | None = None

    def parts(self, delivery: Path) -> list[Path]:
        """A shapefile's parts, in the order of their names; any other file alone."""
        if delivery.suffix.lower() != ".shp":
            return [delivery]
        beside = (p for p in delivery.parent.iterdir() if p.stem == delivery.stem and p.is_file())
        return sorted(p for p in beside if p.suffix.lower()[1:] in _PARTS)

    def read(self, reading: Reading) -> Raw:
        """Every feature of every file."""
        return gather(self, reading, self._file)

    def headers(self, file: Path) -> list[str]:
        """The names of the properties, and ``geometry``."""
        return [*_names(self._features(file)[0]), "geometry"]

    def _features(self, file: Path) -> tuple[list[Feature], str | None]:
        features, told = self._shapefile(file) if file.suffix.lower() in (".zip", ".shp") else _geojson(file)
        if not features:
            raise Unreadable("the file holds no feature.", "Ask the department to send it again.")
        # The shape is the column geometry: a property of that name would hide it.
        return [({k: v for k, v in p.items() if k != "geometry"}, shape) for p, shape in features], told

    def _file(self, file: Path, contract: Contract) -> tuple[pa.Table, list[str]]:
        features, told = self._features(file)
        names = _names(features)
        try:
            places, unnamed = match([*names, "geometry"], contract)
        except Unreadable as fault:
            raise Unreadable(str(fault), fault.fix, len(features)) from None
        shapes, rejects = _shapes(features, _to_wgs84(self.crs or told))
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
                read = reader.iterShapeRecords()
                features = [(r.record.as_dict(), _interface(r.shape)) for r in read]
        except LookupError:
            raise Unreadable(f"the encoding {encoding} is unknown.", _ENCODING) from None
        except (shapefile.ShapefileException, struct.error, UnicodeDecodeError):
            why = f"the shapefile is damaged, or its attributes are not {encoding} text."
            raise Unreadable(why, f"{_ENCODING} {_WHOLE}") from None
        return features, told


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
    try:
        with zipfile.ZipFile(file) as bundle:
            names = [n for n in bundle.namelist() if "__MACOSX" not in n]
            stems = [n.rpartition(".")[0] for n in names if n.lower().endswith(".shp")]
            if len(stems) > 1:
                raise Unreadable(f"the zip holds {len(stems)} shapefiles.", "Ask for one zip for each of them.")
            parts = [(n.rpartition(".")[2].lower(), n) for n in names if n.rpartition(".")[0] in stems]
            return {ending: bundle.read(n) for ending, n in parts if ending in _PARTS}
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError):
        raise Unreadable("the file is no whole zip without a password.", _WHOLE) from None


def _names(features: list[Feature]) -> list[str]:
    return list(dict.fromkeys(k for properties, _ in features for k in properties))


def _geojson(file: Path) -> tuple[list[Feature], str | None]:
    try:
        loaded = json.loads(file.read_text(encoding="utf-8-sig"))
        features = [(dict(f.get("properties") or {}), f.get("geometry")) for f in list(loaded["features"])]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreadable("the file is no GeoJSON feature collection.", "Ask for GeoJSON or a shapefile.") from None
    crs = loaded.get("crs")
    given = crs.get("properties") if isinstance(crs, dict) else None
    told = given.get("name") if isinstance(given, dict) else crs
    return features, told if isinstance(told, str) else WGS84


def _to_wgs84(crs: str | None) -> Callable[[Any], Any] | None:
    try:
        source = CRS.from_user_input(crs)
    except CRSError:
        fix = "Declare it in product.yaml, such as crs: EPSG:2227."
        raise Unreadable("its coordinate reference system is unknown.", fix) from None
    if source.equals(CRS.from_user_input(WGS84), ignore_axis_order=True):
        return None
    # always_xy: files hold x before y whatever the system's own axis order says.
    transformer = Transformer.from_crs(source, WGS84, always_xy=True)

    def project(xy: Any) -> Any:
        xy[:, 0], xy[:, 1] = transformer.transform(xy[:, 0], xy[:, 1])
        return xy

    return project


def _shapes(
    features: list[Feature], project: Callable[[Any], Any] | None
) -> tuple[list[bytes | None], list[str | None]]:
    """The shape of each feature in degrees, and why it has none."""
    made = [_made(geometry, project) for _, geometry in features]
    # Feet or metres that nobody declared: no feature of the file would lie where it belongs.
    if made and all(why == _NOWHERE for _, why in made):
        why = "its coordinates are no longitudes and latitudes."
        raise Unreadable(why, "Declare in product.yaml what they are, such as crs: EPSG:2227.", len(made))
    return [wkb for wkb, _ in made], [why for _, why in made]


def _made(geometry: Any, project: Callable[[Any], Any] | None) -> tuple[bytes | None, str | None]:
    try:
        made = shapely.force_2d(shape(geometry)) if geometry else None
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None, "the shape of the feature is damaged"
    if made is None or made.is_empty or not np.isfinite(shapely.get_coordinates(made)).all():
        return None, "the feature has no shape"
    made = shapely.transform(made, project) if project else made
    xy = np.abs(shapely.get_coordinates(made))
    if not ((xy[:, 0] <= 180) & (xy[:, 1] <= 90)).all():
        return None, _NOWHERE
    return bytes(shapely.to_wkb(made if made.is_valid else shapely.make_valid(made))), None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return value.decode("latin-1") if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False, default=str)
