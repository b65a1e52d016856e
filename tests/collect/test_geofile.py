"""Shapefiles: one delivery of several files, in the encoding and the system that they say."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
import shapefile
import shapely
from pyproj import CRS

from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.city.contract import contract
from metroon.city.yaml import read
from metroon.collect import Reading, sha256
from metroon.collect.kinds.geofile import Geofile

if TYPE_CHECKING:
    from pathlib import Path

    from metroon.collect import Raw

PROMISE = """
apiVersion: v3.2.0
kind: DataContract
id: areas
version: 1.0.0
status: active
schema:
  - name: areas
    properties:
      - { name: name, logicalType: string }
      - { name: geometry, logicalType: object, physicalType: wkb }
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with one area, its name in ISO 8859-1, in Web Mercator."""
    folder = tmp_path / "data"
    with shapefile.Writer(str(folder / "areas"), encoding="ISO-8859-1") as writer:
        writer.field("name", "C")
        writer.poly([[(0, 0), (0, 111_319.49), (111_319.49, 111_319.49), (111_319.49, 0), (0, 0)]])
        writer.record("Almadén")
    (folder / "areas.prj").write_text(CRS.from_epsg(3857).to_wkt("WKT1_ESRI"))
    (folder / "areas.cpg").write_text("ISO-8859-1")
    return folder


ENGINE = Engine()


def _read(source: Geofile, data: Path) -> Raw:
    (data.parent / "contract.yaml").write_text(PROMISE)
    promise = contract(read(data.parent / "contract.yaml"), "areas")
    return source.read(Reading(ENGINE, promise, data, data.parent))


def _rows(raw: Raw) -> list[dict]:
    return ENGINE.rows(raw.rows)


def test_a_shapefile_beside_its_parts_is_read_in_degrees(data: Path) -> None:
    raw = _read(Geofile(path="areas.shp"), data)
    (row,) = _rows(raw)

    assert "Almadén" == row["name"]
    assert (0.0, 0.0, 1.0, 1.0) == pytest.approx(shapely.from_wkb(row["geometry"]).bounds, abs=1e-4)


def test_a_zip_gives_the_same_rows_as_the_parts_in_it(data: Path) -> None:
    source = Geofile(path="areas.shp")
    with zipfile.ZipFile(data / "areas.zip", "w") as bundle:
        for part in source.parts(data / "areas.shp"):
            bundle.write(part, f"inner/{part.name}")
    apart, zipped = (_rows(_read(Geofile(path=p), data)) for p in ("areas.shp", "areas.zip"))

    assert [r["geometry"] for r in apart] == [r["geometry"] for r in zipped]
    assert [r["name"] for r in apart] == [r["name"] for r in zipped]


def test_each_part_counts_for_the_hash_and_the_size(data: Path) -> None:
    source = Geofile(path="areas.shp")
    before = _read(source, data).deliveries[0]
    (data / "areas.prj").write_text(CRS.from_epsg(3857).to_wkt("WKT1_ESRI") + " ")
    after = _read(source, data).deliveries[0]

    assert before.sha256 != after.sha256
    assert before.size + 1 == after.size
    assert sha256(*source.parts(data / "areas.shp")) == after.sha256


def test_what_is_no_part_does_not_count(data: Path) -> None:
    source = Geofile(path="areas.shp")
    before = _read(source, data).deliveries
    (data / "areas.shp.xml").write_text("<made-up/>")
    (data / "areas2.prj").write_text("another file's")

    assert before == _read(source, data).deliveries
    assert ["areas.cpg", "areas.dbf", "areas.prj", "areas.shp", "areas.shx"] == [
        p.name for p in source.files(data, data)
    ]


@pytest.mark.parametrize(
    ("part", "why"),
    [("dbf", "has no .dbf"), ("shx", "has no .shx"), ("prj", "has no .prj")],
)
def test_a_missing_part_is_told(part: str, why: str, data: Path) -> None:
    (data / f"areas.{part}").unlink()

    with pytest.raises(Refused, match=why):
        _read(Geofile(path="areas.shp"), data)


def test_a_declared_encoding_outdoes_the_file(data: Path) -> None:
    (data / "areas.cpg").write_text("UTF-8")

    with pytest.raises(Refused, match="not UTF-8 text"):
        _read(Geofile(path="areas.shp"), data)
    assert "Almadén" == _rows(_read(Geofile(path="areas.shp", encoding="cp1252"), data))[0]["name"]


@pytest.mark.parametrize(("part", "why"), [("shp", "cut off"), ("shx", "cut off"), ("dbf", "is damaged")])
def test_a_part_that_is_cut_off_is_told(part: str, why: str, data: Path) -> None:
    whole = (data / f"areas.{part}").read_bytes()
    (data / f"areas.{part}").write_bytes(whole[:-40])

    with pytest.raises(Refused, match=why):
        _read(Geofile(path="areas.shp"), data)


def test_an_unknown_encoding_is_told(data: Path) -> None:
    (data / "areas.cpg").write_text("klingon")

    with pytest.raises(Refused, match="encoding klingon is unknown"):
        _read(Geofile(path="areas.shp"), data)
