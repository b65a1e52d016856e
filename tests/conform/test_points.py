"""Points: brought into degrees, refused in the wrong system with the likely one named, never placed anywhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from metroon.base.errors import Refused
from metroon.collect.systems import around, likely
from metroon.conform import check, faults
from tiny import AS_OF, File, ours, promise, raw, text

BAY = (-122.05, 37.12, -121.6, 37.47)
FEET = Transformer.from_crs("OGC:CRS84", "EPSG:2227", always_xy=True)
MERCATOR = Transformer.from_crs("OGC:CRS84", "EPSG:3857", always_xy=True)
PLACES = [(-121.9 + i / 100, 37.3 + i / 200) for i in range(10)]


def located(crs: str | None = None, kind: str = "number"):
    point = {"longitude": "x", "latitude": "y", **({"crs": crs} if crs else {})}
    columns = [{"name": n, "logicalType": kind} for n in "xy"]
    return promise(text("id"), *columns, customProperties=ours(point=point))


def points(*pairs, name: str = "a.csv") -> File:
    return File([[str(i), *("" if v is None else repr(float(v)) for v in p)] for i, p in enumerate(pairs)], name)


def held(engine, contract, *files, extent=BAY):
    return check(engine, raw(engine, contract, *files), contract, inputs={}, as_of=AS_OF, extent=extent)


def kept(engine, result) -> list[tuple]:
    return [(r["x"], r["y"]) for r in engine.rows(result.rows)]


def refusal(engine, contract, *pairs, extent=BAY) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        held(engine, contract, points(*pairs), extent=extent)
    (problem,) = refused.value.problems
    assert "D120" == problem.code
    return problem.what, problem.fix


def test_points_in_a_declared_system_become_degrees(engine):
    result = held(engine, located("EPSG:2227"), points(*(FEET.transform(*p) for p in PLACES), (None, None), (0, 0)))

    assert PLACES == [pytest.approx(p, abs=1e-6) for p in kept(engine, result)[:10]]
    assert [(None, None), (0.0, 0.0)] == kept(engine, result)[10:]
    assert {"x": 1, "y": 1} == dict(result.missing)


def test_a_point_that_no_map_of_the_system_holds_is_not_recorded_and_its_row_stays(engine):
    metres = Transformer.from_crs("OGC:CRS84", "EPSG:26910", always_xy=True)
    result = held(engine, located("EPSG:26910"), points(*(metres.transform(*p) for p in PLACES), (1e30, 1e30)))

    assert (11, (None, None)) == (result.kept, kept(engine, result)[-1])


def test_feet_that_nobody_declared_are_refused_with_their_system(engine):
    what, fix = refusal(engine, located(), *(FEET.transform(*p) for p in PLACES))

    assert "the coordinates in 'x' and 'y' cannot be longitudes and latitudes" in what
    assert "EPSG:2227 (NAD83 / California zone 3, US survey feet)" in what
    assert "{longitude: x, latitude: y, crs: EPSG:2227}" in fix


def test_web_mercator_that_nobody_declared_is_refused_with_its_name(engine):
    what, fix = refusal(engine, located(), *(MERCATOR.transform(*p) for p in PLACES))

    assert ("EPSG:3857" in what, "crs: EPSG:3857" in fix) == (True, True)


def test_exchanged_columns_are_refused_with_the_right_order(engine):
    what, fix = refusal(engine, located(), *((y, x) for x, y in PLACES))

    assert "latitude and longitude, in this order" in what
    assert "{longitude: y, latitude: x}" in fix


def test_degrees_that_are_declared_as_feet_are_refused(engine):
    what, fix = refusal(engine, located("EPSG:2227"), *PLACES)

    assert "cannot be in EPSG:2227; they fit longitude and latitude in degrees" in what
    assert "{longitude: x, latitude: y}" in fix


def test_without_an_extent_the_fix_says_how_the_system_can_be_named(engine):
    what, fix = refusal(engine, located(), *(FEET.transform(*p) for p in PLACES), extent=None)

    assert ("fit" in what, "extent: in city.yaml" in fix) == (False, True)


def test_only_the_delivery_in_another_system_is_refused(engine):
    feet = points(*(FEET.transform(*p) for p in PLACES), name="b.csv")
    result = held(engine, located(), points(*PLACES), feet)

    assert (10, 10) == (result.kept, result.refused)
    assert ["b.csv"] == [p.file for p in result.problems]


def test_points_of_another_region_are_kept_and_told(engine):
    result = held(engine, located(), points(*((x + 10, y) for x, y in PLACES)))

    assert (10, ("10 rows have a point that is no place here: 10 far outside the city",)) == (result.kept, result.notes)


def test_single_points_that_are_no_place_are_told_and_their_rows_stay(engine):
    odd = [(0, 0), (0, 90), (-121.9, -90), (500, 37), (37.3, -121.9), (-80, 37.3)]
    result = held(engine, located(), points(*PLACES, *odd))

    told = "6 rows have a point that is no place here: 1 at 0, 0, 2 at a pole, 1 on no map, "
    assert (told + "1 with longitude and latitude exchanged, 1 far outside the city",) == result.notes
    assert 16 == result.kept


def test_without_an_extent_what_cannot_be_a_place_anywhere_is_told(engine):
    result = held(engine, located(), points(*PLACES, (0, 0), (500, 37), (-80, 37.3)), extent=None)

    assert ("2 rows have a point that is no place here: 1 at 0, 0, 1 on no map",) == result.notes


def test_no_message_shows_a_coordinate(engine):
    what, fix = refusal(engine, located(), *(FEET.transform(*p) for p in PLACES))

    assert not any(f"{int(v)}" in what + fix for p in PLACES for v in FEET.transform(*p))


def test_a_system_that_does_not_exist_is_told_before_any_row(engine):
    assert ["D121"] == [p.code for p in faults(engine, located("EPSG:1"), AS_OF)]
    assert ["D121", "D121"] == [p.code for p in faults(engine, located("EPSG:2227", "integer"), AS_OF)]
    assert [] == faults(engine, located("EPSG:2227"), AS_OF)
    with pytest.raises(Refused) as refused:
        held(engine, located("feet"), points(*PLACES))
    assert ["D121"] == [p.code for p in refused.value.problems]


SYSTEMS = st.sampled_from(["EPSG:2227", "EPSG:26910", "EPSG:3857", "EPSG:3310"])


@settings(max_examples=10)
@given(system=SYSTEMS, share=st.floats(0.05, 0.95), is_exchanged=st.booleans())
def test_a_system_is_found_from_any_place_in_the_city(system, share, is_exchanged):
    west, south, east, north = BAY
    place = np.array([west + share * (east - west)]), np.array([south + (1 - share) * (north - south)])
    pair = Transformer.from_crs("OGC:CRS84", system, always_xy=True).transform(*place)
    found = likely(*(reversed(pair) if is_exchanged else pair), BAY)
    back = Transformer.from_crs(found.code, "OGC:CRS84", always_xy=True)
    x, y = back.transform(*(reversed(pair) if found.is_exchanged != is_exchanged else pair))

    assert (system, is_exchanged) == (found.code, found.is_exchanged) or (
        around(BAY)[0] <= x[0] <= around(BAY)[2] and around(BAY)[1] <= y[0] <= around(BAY)[3]
    )
