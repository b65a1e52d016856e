"""The areas of the invented city as two departments deliver them, and who lives there."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import shapefile
from pyproj import Transformer

from metroon.demo.days import AS_OF
from metroon.demo.people import GROUPS, KEYS, NEIGHBORHOODS, counts
from metroon.demo.sheet import Sheet, save
from metroon.demo.terrain import ring

if TYPE_CHECKING:
    from pathlib import Path

_UTM_11_NORTH = (
    'PROJCS["NAD_1983_UTM_Zone_11N",GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",'
    'SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
    'PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],'
    'PARAMETER["Central_Meridian",-117.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],'
    'UNIT["Meter",1.0]]'
)
_WITHHELD = np.array([40, 205, 519])


def save_neighborhoods(file: Path) -> None:
    """Write the neighborhoods as GeoJSON, with their residents and poverty."""
    features = [
        {
            "type": "Feature",
            "properties": {
                "NBHD": n.key,
                "NAME": n.name,
                "DISTRICT": str(n.district),
                "RESIDENTS": n.residents,
                "POVERTY": n.poverty,
            },
            "geometry": {"type": "Polygon", "coordinates": [ring([n.number])]},
        }
        for n in NEIGHBORHOODS
    ]
    told = {"type": "FeatureCollection", "name": "neighborhoods (invented)", "features": features}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(told) + "\n", encoding="utf-8")


def save_districts(file: Path) -> None:
    """Write the council districts as a zipped shapefile in metres (NAD 83 / UTM zone 11 north).

    The date in the table's header and those in the zip are the city's as-of day: no clock.
    """
    parts = {ending: io.BytesIO() for ending in ("shp", "shx", "dbf")}
    to_metres = Transformer.from_crs("OGC:CRS84", "EPSG:26911", always_xy=True)
    with shapefile.Writer(**parts, shapeType=shapefile.POLYGON) as writer:
        writer.field("DISTRICT", "C", size=2)
        writer.field("DIST_NAME", "C", size=40)
        writer.field("RESIDENTS", "N", size=9)
        for number in sorted({n.district for n in NEIGHBORHOODS}):
            own = [n for n in NEIGHBORHOODS if n.district == number]
            x, y = to_metres.transform(*np.array(ring([n.number for n in own])).T)
            outline = np.round(np.stack([x, y], axis=1), 3).tolist()
            # Shapefiles run clockwise around the inside.
            writer.poly([outline[::-1]])
            writer.record(str(number), f"Invented District {number}", sum(n.residents for n in own))
    table = bytearray(parts["dbf"].getvalue())
    table[1:4] = bytes([AS_OF.year - 1900, AS_OF.month, AS_OF.day])
    made = {"dbf": bytes(table), "prj": _UTM_11_NORTH.encode(), "shp": parts["shp"].getvalue(),
            "shx": parts["shx"].getvalue()}  # fmt: skip
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as bundle:
        for ending, content in made.items():
            entry = zipfile.ZipInfo(f"council_districts.{ending}", (*AS_OF.timetuple()[:3], 0, 0, 0))
            entry.create_system = 3  # the same bytes on every system
            bundle.writestr(entry, content)


def save_residents(file: Path) -> None:
    """Write the residents of each neighborhood by age band, race and language."""
    rows = [
        (KEYS[i], dimension, group, str(number))
        for dimension, groups in GROUPS.items()
        for i, row in enumerate(counts(dimension).tolist())
        for group, number in zip(groups, row, strict=True)
    ]
    headers = ("neighborhood", "dimension", "group", "residents")
    sheet = Sheet({h: np.array(c) for h, c in zip(headers, zip(*rows, strict=True), strict=True)})
    save(sheet.put("residents", _WITHHELD, "-"), file)
