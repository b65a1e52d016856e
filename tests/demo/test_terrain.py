from itertools import combinations

import arroyo
import pytest
import shapely

from metroon.demo.people import NEIGHBORHOODS, RESIDENTS, counts
from metroon.demo.terrain import CORRIDORS, GRID


def test_forty_neighborhoods_lie_in_eight_districts_of_five(city):
    of = [properties["DISTRICT"] for properties, _ in arroyo.neighborhoods(city).values()]

    assert {str(d): 5 for d in range(1, 9)} == {d: of.count(d) for d in of}


def test_neighborhoods_tile_the_city_without_gap_or_overlap(city):
    shapes = [outline for _, outline in arroyo.neighborhoods(city).values()]
    whole = shapely.union_all(shapes)

    assert all(s.is_valid and s.geom_type == "Polygon" for s in shapes)
    assert sum(s.area for s in shapes) == pytest.approx(whole.area, rel=1e-12)
    assert ("Polygon", 0) == (whole.geom_type, len(whole.interiors))


def test_no_two_neighborhoods_share_ground(city):
    shapes = [outline for _, outline in arroyo.neighborhoods(city).values()]

    assert 0 == max(shapely.intersection(a, b).area for a, b in combinations(shapes, 2))


def test_each_district_is_the_union_of_its_neighborhoods(city):
    inside = {d: [] for d in arroyo.districts(city)}
    for properties, outline in arroyo.neighborhoods(city).values():
        inside[properties["DISTRICT"]].append(arroyo.in_metres(outline))
    off = {d: shapely.union_all(inside[d]).symmetric_difference(s).area for d, s in arroyo.districts(city).items()}

    # Square metres of districts of 15 to 25 square kilometres; outlines are rounded to millimetres.
    assert max(off.values()) < 60


def test_outlines_run_the_way_their_formats_want(city):
    assert all(o.exterior.is_ccw for _, o in arroyo.neighborhoods(city).values())
    assert not any(o.exterior.is_ccw for o in arroyo.districts(city).values())


def test_the_city_is_about_fifteen_by_twelve_kilometres(city):
    whole = shapely.union_all([arroyo.in_metres(o) for _, o in arroyo.neighborhoods(city).values()])
    west, south, east, north = whole.bounds

    assert east - west == pytest.approx(15_000, rel=0.1)
    assert north - south == pytest.approx(12_000, rel=0.1)


def test_every_corridor_runs_through_the_city(city):
    assert all(
        GRID[c.row if c.row is not None else way, c.column if c.column is not None else way] > 0
        for c in CORRIDORS
        for way in range(c.first, c.last + 1)
    )


def test_defects_of_the_survey_lie_in_the_neighborhood_that_they_name(city, records):
    shapes = {k: outline for k, (_, outline) in arroyo.neighborhoods(city).items()}
    seen = [r for r in records("street_survey") if r["Longitude"]]
    named = shapely.contains_xy([shapes[r["Neighborhood"]] for r in seen], *arroyo.points(seen).T)

    assert named.all()


@pytest.mark.parametrize("dimension", ["age band", "race", "language"])
def test_groups_of_residents_add_up_to_the_residents(dimension):
    assert RESIDENTS.tolist() == counts(dimension).sum(axis=1).tolist()
    assert counts(dimension).min() >= 0


def test_about_330_000_people_live_there():
    assert sum(n.residents for n in NEIGHBORHOODS) == pytest.approx(330_000, rel=0.01)
