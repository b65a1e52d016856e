"""Shapefiles: one delivery of several files, in the encoding and the system that they say."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zipfile
from typing import TYPE_CHECKING

import pytest
import shapefile
import shapely
from pyproj import CRS, Transformer

from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.city.contract import contract
from metroon.city.yaml import read
from metroon.collect import Reading, sha256
from metroon.collect.kinds.geofile import Geofile, _shapes

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


def _read(source: Geofile, data: Path, extent: tuple[float, float, float, float] | None = None) -> Raw:
    (data.parent / "contract.yaml").write_text(PROMISE)
    promise = contract(read(data.parent / "contract.yaml"), "areas")
    return source.read(Reading(ENGINE, promise, data, data.parent, extent=extent))


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


def _collection(data: Path, *features: str) -> Path:
    (data / "areas.geojson").write_text(f'{{"type": "FeatureCollection", "features": [{", ".join(features)}]}}')
    return data


POINT = '"geometry": {"type": "Point", "coordinates": [-121.9, 37.3]}'


def test_a_feature_with_a_name_twice_is_set_aside_and_none_of_its_two_values_is_taken(data: Path) -> None:
    good = f'{{"type": "Feature", {POINT}, "properties": {{"name": "A"}}}}'
    twice = f'{{"type": "Feature", {POINT}, "properties": {{"name": "B", "name": "C"}}}}'
    first, second = _rows(_read(Geofile(path="*.geojson"), _collection(data, good, twice)))

    assert ("A", None) == (first["name"], first["_reject"])
    assert (None, "the feature has a name twice") == (second["name"], second["_reject"])


def test_an_id_that_stands_beside_the_properties_is_a_column(data: Path) -> None:
    feature = f'{{"type": "Feature", "id": 7, {POINT}, "properties": {{"name": "A"}}}}'
    inside = f'{{"type": "Feature", "id": 7, {POINT}, "properties": {{"name": "A", "id": 8}}}}'

    assert ["id", "name", "geometry"] == Geofile(path="*").headers(_collection(data, feature) / "areas.geojson")
    assert ["1 column not in the contract, left out: id"] == [*_read(Geofile(path="*.geojson"), data).notes]
    assert ["id", "name", "geometry"] == Geofile(path="*").headers(_collection(data, inside) / "areas.geojson")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('"exceededTransferLimit": true', "there are more than its 1 records"),
        ('"properties": {"exceededTransferLimit": true}', "there are more than its 1 records"),
        ('"numberMatched": 5000', "there are 5,000 records and holds 1"),
        ('"links": [{"rel": "self"}, {"rel": "next", "href": "x"}]', "there are more than its 1 records"),
        ('"numberMatched": 1, "links": [{"rel": "self"}], "exceededTransferLimit": false', ""),
    ],
)
def test_a_file_that_says_itself_that_it_is_one_page_of_several_is_told(data: Path, said: str, words: str) -> None:
    feature = f'{{"type": "Feature", {POINT}, "properties": {{"name": "A"}}}}'
    (data / "areas.geojson").write_text(f'{{"type": "FeatureCollection", {said}, "features": [{feature}]}}')
    notes = _read(Geofile(path="*.geojson"), data).notes

    assert bool(words) == bool(notes)
    assert all(note.startswith("areas.geojson: the document says") and words in note for note in notes)


def test_geojson_that_is_cut_off_tells_from_where_it_cannot_be_read(data: Path) -> None:
    _collection(data, "\n{},\n")
    with pytest.raises(Refused) as refused:
        _read(Geofile(path="*.geojson"), data)

    assert "the file is no whole JSON: it cannot be read from line 3 on." == refused.value.problems[0].what


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


def _shapefile(folder: Path) -> dict[str, bytes]:
    with shapefile.Writer(str(folder / "areas")) as writer:
        writer.field("name", "C")
        for i, name in enumerate(["Elm", "Oak", "Ash"]):
            writer.point(i, i)
            writer.record(name)
    return {e: (folder / f"areas.{e}").read_bytes() for e in ("shp", "shx", "dbf")}


def test_a_deleted_record_is_set_aside_and_no_shape_takes_its_neighbors_name(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    dbf = bytearray(_shapefile(tmp_path / "data")["dbf"])
    first = int.from_bytes(dbf[8:10], "little")
    dbf[first] = ord("*")
    (tmp_path / "data" / "areas.dbf").write_bytes(dbf)
    rows = _rows(_read(Geofile(path="areas.shp", crs="OGC:CRS84"), tmp_path / "data"))

    assert [None, ("Oak", 1.0), ("Ash", 2.0)] == [
        (r["name"], shapely.from_wkb(r["geometry"]).x) if r["geometry"] else None for r in rows
    ]
    assert ["the feature is marked as deleted", None, None] == [r["_reject"] for r in rows]


def test_attributes_of_fewer_features_than_there_are_shapes_refuse_the_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    dbf = bytearray(_shapefile(tmp_path / "data")["dbf"])
    dbf[4:8] = (2).to_bytes(4, "little")
    (tmp_path / "data" / "areas.dbf").write_bytes(dbf)
    with pytest.raises(Refused) as refused:
        _read(Geofile(path="areas.shp", crs="OGC:CRS84"), tmp_path / "data")

    assert "3 shapes and the attributes of 2" in refused.value.problems[0].what


# GeoPackages.


def _package(file: Path, *layers: str, srs: int = 3857) -> None:
    """A GeoPackage with one point in each layer, in Web Mercator, and a feature without a shape."""
    with contextlib.closing(sqlite3.connect(file)) as made:
        made.executescript(
            "create table gpkg_spatial_ref_sys (srs_name, srs_id, organization, organization_coordsys_id, definition);"
            "insert into gpkg_spatial_ref_sys values ('m', 3857, 'EPSG', 3857, ''), ('u', -1, 'NONE', -1, '');"
            "create table gpkg_contents (table_name, data_type);"
            "create table gpkg_geometry_columns (table_name, column_name, srs_id);"
        )
        for layer in layers:
            blob = b"GP\x00\x03" + (srs).to_bytes(4, "little", signed=True) + bytes(32)
            blob += shapely.to_wkb(shapely.Point(111_319.49, 111_325.14))
            made.execute(f"create table {layer} (fid integer primary key, geom blob, name text)")
            made.executemany(f"insert into {layer} values (?, ?, ?)", [(1, blob, layer), (2, None, "none")])
            made.execute("insert into gpkg_contents values (?, 'features')", (layer,))
            made.execute("insert into gpkg_geometry_columns values (?, 'geom', ?)", (layer, srs))
        made.commit()


def test_a_layer_of_a_geopackage_is_read_in_degrees(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    _package(tmp_path / "data" / "a.gpkg", "parks", "roads")
    first, second = _rows(_read(Geofile(path="a.gpkg", layer="roads"), tmp_path / "data"))
    point = shapely.from_wkb(first["geometry"])

    assert ("roads", 1.0, 1.0) == (first["name"], pytest.approx(point.x, abs=1e-4), pytest.approx(point.y, abs=1e-4))
    assert ("none", "the feature has no shape") == (second["name"], second["_reject"])


@pytest.mark.parametrize(
    ("layers", "srs", "said"),
    [
        (("parks", "roads"), 3857, "2 layers of features, and nobody says which"),
        (("parks",), -1, "its coordinate reference system is unknown"),
        ((), 3857, "0 layers"),
    ],
)
def test_a_geopackage_that_does_not_say_what_is_meant_is_refused(
    tmp_path: Path, layers: tuple[str, ...], srs: int, said: str
) -> None:
    (tmp_path / "data").mkdir()
    _package(tmp_path / "data" / "a.gpkg", *layers, srs=srs)
    with pytest.raises(Refused) as refused:
        _read(Geofile(path="a.gpkg"), tmp_path / "data")

    assert said in refused.value.problems[0].what


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + bytes(200), b"<html>404</html>"])
def test_what_is_no_geopackage_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.gpkg").write_bytes(content)
    with pytest.raises(Refused) as refused:
        _read(Geofile(path="a.gpkg"), tmp_path / "data")

    assert "GeoPackage" in refused.value.problems[0].what


# Coordinates that are in another system than the file says.

BAY = (-122.05, 37.12, -121.6, 37.47)


def _geojson(data: Path, crs: str, *, is_exchanged: bool = False, **more: object) -> None:
    move = Transformer.from_crs("OGC:CRS84", crs, always_xy=True)
    points = [move.transform(-121.9 + i / 100, 37.3 + i / 200) for i in range(5)]
    features = [
        {
            "type": "Feature",
            "properties": {"name": f"p{i}"},
            "geometry": {"type": "Point", "coordinates": [y, x] if is_exchanged else [x, y]},
        }
        for i, (x, y) in enumerate(points)
    ]
    data.mkdir(parents=True, exist_ok=True)
    (data / "points.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}))


def _refusal(source: Geofile, data: Path) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        _read(source, data, BAY)
    (problem,) = refused.value.problems
    return problem.what, problem.fix


@pytest.mark.parametrize(
    ("crs", "name"),
    [("EPSG:2227", "NAD83 / California zone 3, US survey feet"), ("EPSG:3857", "WGS 84 / Pseudo-Mercator")],
)
def test_coordinates_that_nobody_declared_are_refused_with_their_system(tmp_path: Path, crs: str, name: str) -> None:
    _geojson(tmp_path / "data", crs)
    what, fix = _refusal(Geofile(path="points.geojson"), tmp_path / "data")

    assert f"its coordinates cannot be longitudes and latitudes; they fit {crs} ({name})." == what
    assert f"Declare in product.yaml: crs: {crs}" == fix


def test_what_the_fix_says_brings_the_file_in(tmp_path: Path) -> None:
    _geojson(tmp_path / "data", "EPSG:2227")
    raw = _read(Geofile(path="points.geojson", crs="EPSG:2227"), tmp_path / "data", BAY)
    first = shapely.from_wkb(_rows(raw)[0]["geometry"])

    assert (-121.9, 37.3) == pytest.approx((first.x, first.y), abs=1e-6)


def test_exchanged_coordinates_are_refused_and_the_order_named(tmp_path: Path) -> None:
    _geojson(tmp_path / "data", "OGC:CRS84", is_exchanged=True)
    what, fix = _refusal(Geofile(path="points.geojson"), tmp_path / "data")

    assert "they fit latitude and longitude, in this order" in what
    assert "x (longitude) before y (latitude)" in fix


def test_degrees_that_are_declared_as_feet_are_refused(tmp_path: Path) -> None:
    _geojson(tmp_path / "data", "OGC:CRS84")
    what, fix = _refusal(Geofile(path="points.geojson", crs="EPSG:2227"), tmp_path / "data")

    assert "they fit longitude and latitude in degrees" in what
    assert "crs: OGC:CRS84" in fix


def test_shapes_of_another_region_are_read(tmp_path: Path) -> None:
    _geojson(tmp_path / "data", "OGC:CRS84")
    raw = _read(Geofile(path="points.geojson"), tmp_path / "data", (10.0, 50.0, 11.0, 51.0))

    assert 5 == len(_rows(raw))


@pytest.mark.shared
def test_council_districts_are_the_same_in_every_format(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    kinds = {"a": "City_Council_Districts.zip", "b": "CITY_COUNCIL_DISTRICTS.geojson"}
    boxes = []
    for name in kinds.values():
        file = tmp_path / "data" / name
        file.write_bytes((shared_data / "sanjose" / name).read_bytes())
        features, told = Geofile(path=name)._features(file)
        wkb, rejects = _shapes([shape for _, shape in features], told or "", BAY)
        assert {None} == set(rejects)
        boxes.append(shapely.total_bounds(shapely.from_wkb(wkb)))

    assert list(boxes[0]) == pytest.approx(list(boxes[1]), abs=1e-3)
