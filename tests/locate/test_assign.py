"""Rows find their place: by point, by key, or they are told to be outside or without a place."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from chance import examples
from metroon import locate
from metroon.base.engine import Engine
from metroon.base.places import Places
from metroon.base.places import locate as locate_points
from town import AS_OF, IN_WARDS, STAY_COLUMNS, WARDS, Town, promise, small_town, stays

ENGINE = Engine()
POINT = {"point": {"longitude": "lon", "latitude": "lat"}}
SQUARES = Places(
    "ward",
    "Wards",
    "2025",
    True,
    {w: w for w in WARDS},
    {w: shapely.box(i + 1, 1, i + 2, 2) for i, w in enumerate(WARDS)},
)
KEYED = Places("ward", "Wards", "2025", True, {w: w for w in WARDS})
HALVES = replace(
    KEYED, id="ward.half", names={"1": "1", "2": "2"}, base="ward", areas={"north": "1", "east": "1", "south": "2"}
)
degrees = st.floats(-0.5, 6.5, allow_nan=False) | st.sampled_from([1.0, 1.5, 2.0, 0.0, 5.0, float("nan"), 200.0])


def by_point(points: list[tuple[float | None, float | None]], cache, places=SQUARES, version="1") -> list[str]:
    table = pa.table({
        "id": [str(i) for i in range(len(points))],
        "lon": pa.array([p[0] for p in points], pa.float64()),
        "lat": pa.array([p[1] for p in points], pa.float64()),
    })  # fmt: skip
    made = promise({"lon": "number sensitive", "lat": "number sensitive"}, table=POINT)
    rows = locate.assign(ENGINE, ENGINE.table(table), made, [places], cache=cache, version=version)
    found = {r["id"]: r[locate.column(places.id)] for r in ENGINE.rows(rows)}
    return [found[str(i)] for i in range(len(points))]


def by_key(keys: list[str | int | None], places: Places, table=IN_WARDS, kind="string") -> list[str | None]:
    given_keys = pa.table({"id": [str(i) for i in range(len(keys))], "ward": keys})
    made = promise({"ward": f"{kind} quasi"}, table=table)
    rows = locate.assign(ENGINE, ENGINE.table(given_keys), made, [places], cache=None, version="1")
    found = {r["id"]: r[locate.column(places.id)] for r in ENGINE.rows(rows)}
    return [found[str(i)] for i in range(len(keys))]


def test_a_point_is_in_its_area_outside_all_or_no_usable_point(tmp_path):
    points = [(1.5, 1.5), (4.5, 1.5), (1.5, 3.0), (None, 1.5), (0.0, 0.0), (1.5, None), (200.0, 1.5)]

    expected = ["north", "west", "(outside)", "(no place)", "(no place)", "(no place)", "(no place)"]
    assert expected == by_point(points, tmp_path)


def test_a_point_on_a_shared_edge_goes_to_the_first_area_only(tmp_path):
    assert ["north"] == by_point([(2.0, 1.5)], tmp_path)


@given(st.lists(st.tuples(degrees, degrees), max_size=40))
@examples(20, many=50)
def test_every_point_is_where_a_look_at_each_area_finds_it(points):
    x, y = (np.array([p[i] for p in points], dtype=float) for i in (0, 1))

    def look(lon: float, lat: float) -> str:
        if not (abs(lon) <= 180 and abs(lat) <= 90) or (lon, lat) == (0, 0):
            return "(no place)"
        return next((k for k, a in SQUARES.shapes.items() if a.intersects(shapely.Point(lon, lat))), "(outside)")

    assert [look(*p) for p in points] == locate_points(SQUARES, x, y).tolist()


def test_no_row_is_lost_or_doubled_when_points_repeat(tmp_path):
    points = [(1.5, 1.5)] * 3 + [(None, None)] * 2 + [(9.0, 9.0)] * 2

    assert ["north"] * 3 + ["(no place)"] * 2 + ["(outside)"] * 2 == by_point(points, tmp_path)


def test_what_was_worked_out_before_is_read_back_the_same(tmp_path):
    points = [(1.5, 1.5), (None, 2.0), (7.0, 7.0)]
    first = by_point(points, tmp_path)

    assert (first, 1) == (by_point(points, tmp_path), len(list(tmp_path.glob("*.parquet"))))


def test_redrawn_boundaries_are_not_answered_from_the_cache(tmp_path):
    by_point([(1.5, 1.5)], tmp_path)
    shapes = {**SQUARES.shapes, "north": shapely.box(9, 9, 10, 10)}

    assert ["(outside)"] == by_point([(1.5, 1.5)], tmp_path, replace(SQUARES, shapes=shapes))


def test_a_lake_that_was_thrown_away_does_not_answer_from_its_old_cache(tmp_path):
    town = Town(tmp_path).with_squares()
    columns = {k: v for k, v in STAY_COLUMNS.items() if k != "ward"} | {
        "lon": "number sensitive",
        "lat": "number sensitive",
    }
    town.product("stays", columns, table=POINT).measure("stay_count", places=["ward"])
    at = {"lon": 1.5, "lat": 1.5}
    town.csv("stays.csv", [{k: v for k, v in r.items() if k != "ward"} | at for r in stays({"north": 30})])
    town.ran()
    for zone in ("open", "restricted"):
        (tmp_path / ".metroon" / "lake" / zone).rename(tmp_path / f"thrown_away_{zone}")
    at = {"lon": 2.5, "lat": 1.5}
    town.csv("stays.csv", [{k: v for k, v in r.items() if k != "ward"} | at for r in stays({"north": 30})])

    expected = {"all": 30, "north": 0, "east": 30, "south": 0, "west": 0, "(outside)": 0, "(no place)": 0}
    assert expected == town.run().events("stay_count")


def test_a_row_that_names_its_ward_needs_no_point():
    assert ["north", "(outside)", "(no place)"] == by_key(["north", "nowhere", None], KEYED)


def test_whole_numbers_are_keys_too():
    numbered = replace(KEYED, names={"1": "One", "10": "Ten"})

    assert ["1", "10", "(outside)"] == by_key([1, 10, 2], numbered, kind="integer")


def test_a_row_that_names_its_ward_is_in_the_band_of_that_ward():
    # West has no figure, so it is in no band.
    assert ["1", "1", "2", "(outside)"] == by_key(["north", "east", "south", "west"], HALVES)


def test_keys_of_another_vintage_are_not_taken_for_these_areas():
    old = {"geographyKey": {"column": "ward", "layer": "ward", "vintage": "2010"}}
    rows = promise({"ward": "string quasi"}, table=old)

    assert (False, True) == (locate.can_place(rows, KEYED), locate.can_place(rows, replace(KEYED, vintage="2010")))


def test_rows_without_point_or_key_cannot_be_placed():
    assert locate.can_place(promise({"id": "string public"}), SQUARES) is False


@pytest.mark.parametrize("shift", [0.0, 1e-7])
def test_neighbors_that_only_touch_share_no_ground(shift):
    # A hair's breadth is how boundaries of two files differ; nobody lives on it.
    other = replace(
        SQUARES, id="other", shapes={w: shapely.box(i + 1 + shift, 1, i + 2, 2) for i, w in enumerate(WARDS)}
    )

    assert {(w, w) for w in WARDS} == locate.overlaps(SQUARES, other)


def test_the_account_tells_how_many_points_lie_outside_and_how_many_rows_have_none(tmp_path):
    town = Town(tmp_path).with_squares()
    columns = {"id": "string linkage key", "lon": "number sensitive", "lat": "number sensitive"}
    town.product("trees", columns, table=POINT, unit="none").measure("tree_count", of="trees", places=["ward"])
    spots = [(1.5, 1.5)] * 5 + [(9, 9)] * 3 + [("", "")] * 2
    town.csv("trees.csv", [{"id": i, "lon": lon, "lat": lat} for i, (lon, lat) in enumerate(spots)])
    told = town.run().account("trees")

    assert ({"Wards (2025)": 3}, 2, 10) == (dict(told.outside), told.no_place, told.kept)


def test_small_town_counts_by_key_what_lies_in_each_ward(tmp_path):
    expected = {"all": 220, "north": 40, "east": 50, "south": 60, "west": 70, "(outside)": 0, "(no place)": 0}

    assert expected == small_town(tmp_path).run(as_of=AS_OF).events("stay_count")


@given(st.lists(st.tuples(degrees, degrees, st.integers(0, 2)), max_size=30))
@examples(8, many=20)
def test_points_of_parts_are_where_they_are_when_all_are_looked_at_at_once(found):
    made = promise({"lon": "number sensitive", "lat": "number sensitive"}, table=POINT)
    table = pa.table({
        "id": pa.array(range(len(found)), pa.int64()), "lon": pa.array([f[0] for f in found], pa.float64()),
        "lat": pa.array([f[1] for f in found], pa.float64()), "part": pa.array([f[2] for f in found], pa.int64()),
    })  # fmt: skip
    rows = ENGINE.table(table)
    parts = {str(n): rows.filter(rows["part"] == n) for n in range(3)}
    with tempfile.TemporaryDirectory() as folder:
        placed = locate.assign(ENGINE, rows, made, [SQUARES], cache=Path(folder), version="all", parts=parts)
        told = {r["id"]: r[locate.column("ward")] for r in ENGINE.rows(placed)}
        lost = locate.lost(ENGINE, rows, made, [SQUARES], cache=Path(folder), version="all", parts=parts)
        again = locate.lost(ENGINE, rows, made, [SQUARES], cache=Path(folder), version="all", parts={})

    alone = locate_points(SQUARES, *(np.array([f[i] for f in found], dtype=float) for i in (0, 1))).tolist()
    assert dict(enumerate(alone)) == told
    assert (alone.count("(outside)"), alone.count("(no place)")) == (lost.outside.get("Wards (2025)", 0), lost.no_place)
    assert lost == again


def test_points_of_a_part_that_was_located_before_are_not_located_again(tmp_path):
    made = promise({"lon": "number sensitive", "lat": "number sensitive"}, table=POINT)
    old, new = (
        ENGINE.table(pa.table({"lon": [1.5], "lat": [1.5]})),
        ENGINE.table(pa.table({"lon": [2.5], "lat": [1.5]})),
    )
    for parts in ({"old": old}, {"old": old, "new": new}):
        locate.assign(ENGINE, old.union(new), made, [SQUARES], cache=tmp_path, version="", parts=parts)

    assert 2 == len(list(tmp_path.glob("*.parquet")))
