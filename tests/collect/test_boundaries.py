"""Shapes: the same places whatever coordinates they came in, and what is wrong with those that have none."""

import io
import json
import zipfile
from datetime import date
from pathlib import Path

import pytest
import shapefile
import shapely
from pyproj import CRS, Transformer

from metroon.base.errors import Refused
from metroon.collect import LINE, REJECT, Raw, Reading
from metroon.collect.kinds.geofile import Geofile
from tiny import promise, text

AREAS = promise(text("name"), {"name": "geometry", "logicalType": "object", "physicalType": "wkb"})
CITY_HALL = (-121.885, 37.338)
RING = [(-121.90, 37.33), (-121.88, 37.33), (-121.87, 37.35), (-121.90, 37.35), (-121.90, 37.33)]


def collected(engine, folder: Path, contract=AREAS, **options) -> Raw:
    return Geofile(**{"path": "a.*", **options}).read(Reading(engine, contract, folder, folder))


def shapes(engine, raw: Raw) -> list:
    rows = engine.rows(raw.rows.order_by(LINE))
    return [shapely.from_wkb(r["geometry"]) if r["geometry"] else r[REJECT] for r in rows]


def geojson(folder: Path, *geometries, **more) -> Path:
    features = [{"type": "Feature", "properties": {"name": f"n{i}"}, "geometry": g} for i, g in enumerate(geometries)]
    told = {"type": "FeatureCollection", "features": features, **more}
    (folder / "a.geojson").write_text(json.dumps(told), encoding="utf-8")
    return folder


def zipped(folder: Path, crs: CRS | None, *rings, name: str = "areas", into: str = "a.zip") -> Path:
    """A shapefile in a zip, its rings in the system's own coordinates; without a system there is no .prj."""
    parts = {e: io.BytesIO() for e in ("shp", "shx", "dbf")}
    with shapefile.Writer(**parts) as writer:
        writer.field("name", "C")
        writer.field("drawn", "D")
        for i, ring in enumerate(rings):
            writer.poly([ring]) if ring else writer.null()
            writer.record(f"n{i}", date(2026, 1, 31))
    with zipfile.ZipFile(folder / into, "a") as bundle:
        for ending, part in parts.items():
            bundle.writestr(f"deep/{name}.{ending.upper()}", part.getvalue())
        if crs is not None:
            bundle.writestr(f"deep/{name}.prj", crs.to_wkt("WKT1_ESRI"))
    return folder


def point(x: float, y: float) -> dict:
    return {"type": "Point", "coordinates": [x, y]}


def refusals(engine, folder: Path, **options) -> list[str]:
    with pytest.raises(Refused) as refused:
        collected(engine, folder, **options)
    assert all(p.fix for p in refused.value.problems)
    return [p.what for p in refused.value.problems]


# 2227: California zone 3 in US survey feet; 26910: UTM zone 10 in metres; 3857: Web Mercator; 4269: degrees.
@pytest.mark.parametrize("epsg", [2227, 26910, 3857, 4269, 32610])
def test_a_shapefile_in_any_system_gives_the_places_that_pyproj_gives(epsg, engine, tmp_path):
    there = Transformer.from_crs("OGC:CRS84", epsg, always_xy=True)
    projected = [there.transform(*xy) for xy in RING]
    (found,) = shapes(engine, collected(engine, zipped(tmp_path, CRS.from_epsg(epsg), projected)))
    back = Transformer.from_crs(epsg, "OGC:CRS84", always_xy=True)

    assert 0 == pytest.approx(
        found.hausdorff_distance(shapely.Polygon([back.transform(*xy) for xy in projected])), abs=1e-7
    )
    assert 0 == pytest.approx(found.hausdorff_distance(shapely.Polygon(RING)), abs=1e-5)


def test_us_survey_feet_are_not_taken_for_feet(engine, tmp_path):
    """Six million feet of easting: the two differ by 12 feet there."""
    x, y = Transformer.from_crs("OGC:CRS84", 2227, always_xy=True).transform(*CITY_HALL)
    geojson(tmp_path, point(x, y), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2227"}})
    (found,) = shapes(engine, collected(engine, tmp_path))

    assert CITY_HALL == pytest.approx((found.x, found.y), abs=1e-7)


def test_a_declared_system_outdoes_what_the_file_says(engine, tmp_path):
    x, y = Transformer.from_crs("OGC:CRS84", 26910, always_xy=True).transform(*CITY_HALL)
    (found,) = shapes(engine, collected(engine, geojson(tmp_path, point(x, y)), crs="EPSG:26910"))

    assert CITY_HALL == pytest.approx((found.x, found.y), abs=1e-7)


@pytest.mark.parametrize("crs", [None, {}, {"properties": None}, {"properties": {}}, "EPSG:4326"])
def test_geojson_is_in_longitude_and_latitude_unless_it_says_otherwise(crs, engine, tmp_path):
    (found,) = shapes(engine, collected(engine, geojson(tmp_path, point(*CITY_HALL), crs=crs)))

    assert CITY_HALL == (found.x, found.y)


@pytest.mark.parametrize("crs", ["EPSG:4269", "urn:ogc:def:crs:EPSG::4267", "EPSG:4326"])
def test_longitude_comes_before_latitude_whatever_the_systems_own_order_is(crs, engine, tmp_path):
    (found,) = shapes(
        engine, collected(engine, geojson(tmp_path, point(*CITY_HALL), crs={"properties": {"name": crs}}))
    )

    assert CITY_HALL == pytest.approx((found.x, found.y), abs=0.01)


@pytest.mark.parametrize("xy", [(6_150_000, 1_950_000), (598_500, 4_132_800), (37.338, -121.885)])
def test_coordinates_that_are_no_degrees_refuse_the_file(xy, engine, tmp_path):
    assert ["its coordinates cannot be longitudes and latitudes."] == refusals(engine, geojson(tmp_path, point(*xy)))


def test_a_shapefile_without_its_system_is_refused_unless_it_is_declared(engine, tmp_path):
    zipped(tmp_path, None, RING)

    assert ["the shapefile has no .prj: its coordinates mean nothing."] == refusals(engine, tmp_path)
    assert 1 == len(shapes(engine, collected(engine, tmp_path, crs="EPSG:4326")))


@pytest.mark.parametrize("crs", ["EPSG:99999", "feet", ""])
def test_an_unknown_system_is_told(crs, engine, tmp_path):
    named = {"properties": {"name": crs}}

    assert ["its coordinate reference system is unknown."] == refusals(
        engine, geojson(tmp_path, point(1, 1), crs=named)
    )


@pytest.mark.parametrize(
    ("geometry", "why"),
    [
        (None, "the feature has no shape"),
        ({}, "the feature has no shape"),
        ({"type": "Polygon", "coordinates": []}, "the feature has no shape"),
        ({"type": "Point", "coordinates": [None, None]}, "the feature has no shape"),
        ({"type": "Point", "coordinates": [float("nan"), 1]}, "the feature has no shape"),
        ({"type": "Circle", "coordinates": [0, 0]}, "the shape of the feature is damaged"),
        ({"type": "Point"}, "the shape of the feature is damaged"),
        ({"type": "Point", "coordinates": ["a", "b"]}, "the shape of the feature is damaged"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}, "the shape of the feature is damaged"),
        ([1, 2], "the shape of the feature is damaged"),
        ({"type": "Point", "coordinates": [6e6, 2e6]}, "the shape of the feature lies on no map"),
    ],
)
def test_a_feature_without_a_whole_shape_is_set_aside_alone(geometry, why, engine, tmp_path):
    assert [why, shapely.Point(1, 2)] == shapes(engine, collected(engine, geojson(tmp_path, geometry, point(1, 2))))


def test_a_null_shape_of_a_shapefile_is_set_aside_alone(engine, tmp_path):
    found = shapes(engine, collected(engine, zipped(tmp_path, CRS.from_epsg(4326), RING, None)))

    assert ["Polygon", "the feature has no shape"] == [f if isinstance(f, str) else f.geom_type for f in found]


def test_a_ring_that_crosses_itself_is_mended(engine, tmp_path):
    bowtie = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    (found,) = shapes(engine, collected(engine, geojson(tmp_path, bowtie)))

    assert (True, 0.5) == (found.is_valid, found.area)


def test_heights_are_left_out(engine, tmp_path):
    (found,) = shapes(engine, collected(engine, geojson(tmp_path, {"type": "Point", "coordinates": [1, 2, 3]})))

    assert not found.has_z


@pytest.mark.parametrize(
    "data",
    [
        "null",
        "[]",
        "{}",
        '{"features": null}',
        '{"features": [1]}',
        '{"features": [{"properties": 3}]}',
        "[" * 10_000,
    ],
)
def test_what_is_no_feature_collection_is_refused(data, engine, tmp_path):
    (tmp_path / "a.geojson").write_text(data, encoding="utf-8")

    assert ["the file is no GeoJSON feature collection."] == refusals(engine, tmp_path)


def test_an_empty_file_is_no_json(engine, tmp_path):
    (tmp_path / "a.geojson").write_text("", encoding="utf-8")

    assert ["the file is no whole JSON: it cannot be read from line 1 on."] == refusals(engine, tmp_path)


def test_a_file_without_a_feature_is_refused(engine, tmp_path):
    assert ["the file holds no feature."] == refusals(engine, geojson(tmp_path))


def test_two_shapefiles_in_one_zip_are_not_mixed(engine, tmp_path):
    zipped(tmp_path, CRS.from_epsg(4326), RING)
    zipped(tmp_path, CRS.from_epsg(2227), RING, name="other")

    assert ["the zip holds 2 shapefiles."] == refusals(engine, tmp_path)


def test_values_become_the_texts_that_people_would_write(engine, tmp_path):
    contract = promise(text("name"), text("drawn"), {"name": "geometry", "logicalType": "object"})
    rows = engine.rows(collected(engine, zipped(tmp_path, CRS.from_epsg(4326), RING), contract).rows)

    assert [("n0", "2026-01-31")] == [(r["name"], r["drawn"]) for r in rows]


def test_a_property_called_geometry_does_not_hide_the_shape(engine, tmp_path):
    feature = {"type": "Feature", "properties": {"name": "a", "geometry": "x"}, "geometry": point(1, 2)}
    (tmp_path / "a.geojson").write_text(json.dumps({"features": [feature]}), encoding="utf-8")

    assert [shapely.Point(1, 2)] == shapes(engine, collected(engine, tmp_path))
