"""The raw files of the invented city, read by plain Python: nothing here comes from the product."""

import csv
import json
import zipfile
from io import BytesIO
from math import sqrt
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import shapefile
from pyproj import Transformer
from shapely.geometry import Polygon, shape

Row = dict[str, str]
TEXT = {
    "crashes": ("crashes/*.csv", ",", "utf-8"),
    "crash_victims": ("crash_victims/*.csv", ",", "utf-8"),
    "requests_311": ("requests_311/*.csv", ",", "utf-8"),
    "fire_responses": ("fire_responses/*.csv", ",", "utf-8"),
    "shelter_stays": ("shelter_stays/*.csv", ",", "utf-8"),
    "street_survey": ("street_survey/*.csv", ",", "utf-8"),
    "building_permits": ("building_permits/*.txt", "\t", "cp1252"),
    "resident_survey": ("resident_survey/*.csv", ",", "utf-8"),
    "business_permits": ("business_permits/*.csv", ";", "utf-8"),
    "dumping_orders": ("dumping_orders/*.csv", ",", "utf-8"),
    "residents": ("places/residents.csv", ",", "utf-8"),
    "spending": ("spending/ledger.csv", ",", "utf-8-sig"),
}


def rows(city: Path, product: str) -> list[Row]:
    """Every record of a product's files, with its file's name under ``file``."""
    if product == "street_lights":
        table = pq.read_table(next((city / "inbox" / "street_lights").glob("*.parquet")))
        return [{k: "" if v is None else str(v) for k, v in r.items()} for r in table.to_pylist()]
    pattern, delimiter, encoding = TEXT[product]
    found: list[Row] = []
    for file in sorted((city / "inbox").glob(pattern)):
        with file.open(encoding=encoding, newline="") as handle:
            found += [{**r, "file": file.stem} for r in csv.DictReader(handle, delimiter=delimiter)]
    return found


def different(records: list[Row]) -> list[Row]:
    """Each record once, in order."""
    return list({tuple(r.values()): r for r in records}.values())


def neighborhoods(city: Path) -> dict[str, tuple[Row, Polygon]]:
    """Key -> properties and outline, in degrees."""
    told = json.loads((city / "inbox" / "places" / "neighborhoods.geojson").read_text(encoding="utf-8"))
    return {f["properties"]["NBHD"]: (f["properties"], shape(f["geometry"])) for f in told["features"]}


def districts(city: Path) -> dict[str, Polygon]:
    """Key -> outline, in metres as delivered."""
    with zipfile.ZipFile(city / "inbox" / "places" / "council_districts.zip") as bundle:
        parts = {e: BytesIO(bundle.read(f"council_districts.{e}")) for e in ("shp", "shx", "dbf")}
    with shapefile.Reader(**parts) as reader:
        return {r.record["DISTRICT"]: shape(r.shape.__geo_interface__) for r in reader.iterShapeRecords()}


def in_metres(outline: Polygon) -> Polygon:
    """An outline in degrees, in the metres of the districts."""
    to_metres = Transformer.from_crs("OGC:CRS84", "EPSG:26911", always_xy=True)
    x, y = to_metres.transform(*np.array(outline.exterior.coords).T)
    return Polygon(zip(x, y, strict=True))


def points(records: list[Row]) -> np.ndarray:
    """Longitude and latitude of the records that have a point."""
    pairs = [(r["Longitude"], r["Latitude"]) for r in records if r["Longitude"] not in ("", "0")]
    return np.array(pairs, dtype=float)


def share(of: list[bool]) -> tuple[float, float]:
    """A share and its standard error."""
    p = sum(of) / len(of)
    return p, sqrt(p * (1 - p) / len(of))
