"""Workbooks, JSON and coordinates in feet, walked from the file to places and numbers."""

from __future__ import annotations

import pytest
import xlsxwriter
from pyproj import Transformer

from metroon.base.errors import Refused
from town import Town

FEET = Transformer.from_crs("OGC:CRS84", "EPSG:2227", always_xy=True)
EAST, WEST = (-121.85, 37.3), (-121.95, 37.3)
COLUMNS = {"id": "string public", "x": "number quasi", "y": "number quasi"}


def square(middle: float) -> dict:
    west, east = middle - 0.05, middle + 0.05
    return {"type": "Polygon", "coordinates": [[[west, 37.2], [east, 37.2], [east, 37.4], [west, 37.4], [west, 37.2]]]}


def town(folder, crs: str | None = None, *, has_places: bool = True, **more) -> Town:
    """Two wards side by side, 30 stays in each of them with coordinates in feet, and 20 at 0, 0."""
    made = Town(folder)
    points = [FEET.transform(*p) for p in (EAST, WEST) for _ in range(30)]
    points += [(0, 0)] * 20
    made.csv("stays.csv", [{"id": str(i), "x": x, "y": y} for i, (x, y) in enumerate(points)])
    point = {"longitude": "x", "latitude": "y", **({"crs": crs} if crs else {})}
    made.product("stays", COLUMNS, table={"point": point})
    if has_places:
        areas = [("east", EAST[0]), ("west", WEST[0])]
        features = [{"type": "Feature", "properties": {"ward": w}, "geometry": square(x)} for w, x in areas]
        made.write("inbox/wards.geojson", {"type": "FeatureCollection", "features": features})
        geometry = {"logicalType": "object", "physicalType": "wkb", "classification": "public"}
        columns = {"ward": "string public", "geometry": geometry}
        made.product("wards", columns, collect={"kind": "geofile", "path": "wards.geojson"}, unit="none", mode="rows")
        made.places["ward"] = {"title": "Wards", "product": "wards", "key": "ward", "vintage": "2025"}
        made.measure("stays_in", places=["ward"])
    return made.city(**more)


def test_feet_are_refused_by_the_boundaries_of_the_city_with_their_system(tmp_path):
    made = town(tmp_path)
    made.run("wards")
    (problem,) = made.run("stays").account("stays").problems

    assert "D120" == problem.code
    assert "EPSG:2227 (NAD83 / California zone 3, US survey feet)" in problem.what


def test_feet_are_refused_by_the_declared_extent_with_their_system(tmp_path):
    made = town(tmp_path, has_places=False, extent=[-122.05, 37.12, -121.6, 37.47])
    (problem,) = made.run("stays").account("stays").problems

    assert "EPSG:2227" in problem.fix


def test_declared_feet_are_counted_where_they_lie(tmp_path):
    told = town(tmp_path, "EPSG:2227").run()
    account = told.account("stays")

    assert {"all": 80, "east": 30, "west": 30} == {p: n for p, n in told.events("stays_in").items() if p[0] != "("}
    assert (80, 20) == (account.kept, account.no_place)
    assert any("20 rows have a point that is no place here: 20 at 0, 0" in note for note in account.notes)


def test_an_extent_that_is_none_is_told_with_its_line(tmp_path):
    made = town(tmp_path, has_places=False, extent=[-121, 37, -122, 38])
    with pytest.raises(Refused) as refused:
        made.walk()

    assert "west is less than east" in refused.value.problems[0].what


def beds(town: Town, name: str, *rows: list) -> None:
    """A workbook with a sheet for each of two years."""
    (town.folder / "inbox").mkdir(exist_ok=True)
    with xlsxwriter.Workbook(str(town.folder / "inbox" / name)) as book:
        for year in ("2024", "2025"):
            sheet = book.add_worksheet(year)
            for i, (key, value) in enumerate([["id", "beds"], *rows, ["Total", 10]]):
                sheet.write_row(i, 0, [f"{key}{year}" if 0 < i <= len(rows) else key, value])
    collect = {"kind": "excel", "path": "beds*.xlsx", "sheet": "20*", "footer": "Total"}
    columns = {"id": "string public", "beds": "integer public"}
    town.product("beds", columns, collect=collect, unit="none", mode="rows").city()


def test_every_sheet_of_a_workbook_is_walked_and_accounted(tmp_path):
    made = Town(tmp_path)
    beds(made, "beds.xlsx", ["a", 10], ["b", "many"])
    account = made.run().account("beds")

    assert (4, 2, 2, True) == (account.read, account.kept, sum(account.set_aside.values()), account.adds_up)
    assert ["beds.xlsx#2024", "beds.xlsx#2025"] == [d.file for d in account.deliveries]
    assert {"header": 2, "records": 4, "footer": 2} == account.lines
    assert "unchanged" == made.run().account("beds").outcome


def test_a_workbook_that_comes_later_adds_its_rows_and_no_others_again(tmp_path):
    made = Town(tmp_path)
    beds(made, "beds1.xlsx", ["a", 10], ["b", "many"])
    made.ran()
    beds(made, "beds2.xlsx", ["c", 7])
    account = made.run().account("beds")

    assert (6, 4, 2, True) == (account.read, account.kept, sum(account.set_aside.values()), account.adds_up)
    assert 4 == len({d.file for d in account.deliveries}) == len(account.deliveries)


def test_a_corrected_workbook_replaces_the_rows_of_the_one_before(tmp_path):
    made = Town(tmp_path)
    beds(made, "beds1.xlsx", ["a", 10], ["b", "many"])
    beds(made, "beds2.xlsx", ["c", 7])
    made.ran()
    beds(made, "beds1.xlsx", ["a", 10], ["b", 3], ["d", 4])
    account = made.run().account("beds")

    assert (8, 8, {}, True) == (account.read, account.kept, dict(account.set_aside), account.adds_up)


def test_lines_that_are_no_objects_are_set_aside_on_the_way(tmp_path):
    made = Town(tmp_path)
    made.write("inbox/beds.ndjson", '{"id": "a", "at": {"beds": 10}}\n[1]\n{"id": "b", "at": {"beds": 12}}\n')
    beds = {"logicalType": "integer", "physicalName": "at.beds", "classification": "public"}
    columns = {"id": "string public", "beds": beds}
    made.product("beds", columns, collect={"kind": "ndjson", "path": "beds.ndjson"}, unit="none", mode="rows").city()
    account = made.run().account("beds")

    assert (3, 2, {"the record is no object": 1}) == (account.read, account.kept, dict(account.set_aside))
