"""The same measures on the second engine: ``engine: {kind: sail}`` gives equal tables, number by number."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "measure"))
from test_every_kind import AGES, COLUMNS, IN_WARDS, MEASURES, RESIDENTS, ROWS, YEAR

from town import STAY_COLUMNS, WARDS, Town, stays

pytestmark = [
    pytest.mark.sail,
    pytest.mark.skipif(
        not importlib.util.find_spec("pysail"), reason="Sail is not installed: pip install 'metroon[sail]'"
    ),
]

ON_DUCKDB_ONLY = {"reported_again"}
"""It measures metres by a cosine, which two engines may round differently."""


def things(folder: Path, **city: object) -> Town:
    town = Town(folder).with_wards({w: sum(RESIDENTS[w, a] for a in AGES) for w in WARDS})
    town.city(**city)
    town.csv("things.csv", ROWS)
    town.product("things", COLUMNS, unit="none", mode="rows", table=IN_WARDS)
    town.csv("residents.csv", [{"ward": w, "group": a, "n": n} for (w, a), n in RESIDENTS.items()])
    columns = {"ward": "string public", "group": "string public", "n": "integer public"}
    town.product("residents", columns, unit="none", mode="rows")
    for name, measure in MEASURES.items():
        if name not in ON_DUCKDB_ONLY:
            town.measure(name, of="things", period=YEAR, **measure)
    return town


def released(town: Town) -> dict[str, object]:
    told = town.run()
    assert [] == [str(p) for m in told.run.measured for p in m.problems]
    made = {m.measure: {e.cell: e for e in m.estimates} for m in told.run.measured}
    told.walk.close()
    return made


def test_every_kind_has_equal_tables_on_both_engines(tmp_path):
    here, there = (released(things(tmp_path / name, engine={"kind": name})) for name in ("duckdb", "sail"))

    assert here.keys() == there.keys() == MEASURES.keys() - ON_DUCKDB_ONLY
    for measure, cells in here.items():
        assert cells == there[measure], measure


def test_points_people_and_months_are_counted_alike_and_hidden_alike(tmp_path):
    people = [r | {"lon": 1.5 + i % 4, "lat": 1.5, "person": f"p{i // 2}"} for i, r in enumerate(
        stays({"north": 40, "east": 50, "south": 6, "west": 70}, days=400))]  # fmt: skip
    columns = {**STAY_COLUMNS, "lon": "number quasi", "lat": "number quasi"}

    def town(name: str) -> Town:
        made = Town(tmp_path / f"{name} with ü").with_squares(dict.fromkeys(WARDS, 1000)).city(engine={"kind": name})
        made.csv("stays.csv", people)
        made.product("stays", columns, personKey="person", table={"point": {"longitude": "lon", "latitude": "lat"}})
        month = {"column": "day", "grain": "month", "places": "year", "groups": "year", "fiscal_year_begins": 7}
        groups = [{"by": "race", "reference": "all"}]
        made.measure("homes", kind="share", when="is_home", places=["ward"], groups=groups, period=month)
        return made.measure("how_many", places=["ward"], groups=groups, period=month, among="race = 'A'")

    here, there = released(town("duckdb")), released(town("sail"))

    assert here == there
    assert any(e.state == "hidden" for cells in here.values() for e in cells.values())


def test_a_kind_that_sail_may_count_in_another_way_is_refused_by_name(tmp_path):
    town = things(tmp_path, engine={"kind": "sail"})
    town.measure("again", of="things", period=YEAR, **MEASURES["reported_again"])
    told = town.run("again")
    told.walk.close()

    assert ["E104"] == [p.code for p in told.measured("again").problems]


def test_the_engine_is_named_in_the_city_and_an_unknown_one_is_a_problem(tmp_path):
    from metroon.city import load
    from metroon.faults import faults

    town = things(tmp_path, engine={"kind": "sails"})

    assert ["K101"] == [p.code for p in faults(load(town.folder), town.as_of)]
    assert "sail" in json.dumps([p.fix for p in faults(load(town.folder), town.as_of)])
