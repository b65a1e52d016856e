"""``metroon guard NAME`` and ``metroon guard score NAME``: what would leave, and nothing that leaves by telling it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from metroon import protection
from metroon.cli import main
from town import IN_WARDS, STAY_COLUMNS, Town, small_town, stays

QUARTER = {"column": "day", "grain": "quarter"}
FEW = {"north": 12, "east": 13, "south": 14, "west": 15}
TREES = {"id": {"logicalType": "string", "primaryKey": True, "required": True, "classification": "linkage key"},
         "age": "integer quasi", "ward": "string public", "note": "string free text"}  # fmt: skip


def told(folder, *words: str):
    return CliRunner().invoke(main, ["guard", *words, "-C", str(folder), "--as-of", "2026-03-15"])


def as_json(folder, *words: str):
    return json.loads(told(folder, *words, "--format", "json").stdout)


@pytest.fixture(scope="module")
def too_fine(tmp_path_factory) -> Town:
    town = small_town(tmp_path_factory.mktemp("town"), FEW, period=QUARTER)
    town.ran()
    return town


def clients(folder, ages: list[int], **own) -> Town:
    town = Town(folder).with_wards(dict.fromkeys(("north", "east", "south", "west"), 1000))
    town.csv("clients.csv", [{"id": f"c{i}", "age": a, "ward": "north", "note": "n"} for i, a in enumerate(ages)])
    guarded = {"guard": [{"kind": "coarsen", "column": "age", "width": 10}], **own}
    town.product("clients", TREES, mode="rows", unit="person", table=IN_WARDS, **guarded)
    town.ran()
    return town


def test_the_page_tells_what_is_hidden_and_what_would_help(too_fine):
    page = told(too_fine.folder, "stay_count")

    assert 0 == page.exit_code, page.output
    for words in ("metroon run would publish it", "WHAT WOULD LEAVE", "AT WHICH RISK", "WHAT IS HIDDEN, AND WHY",
                  "WHAT TO CHANGE", "too few people", "For the city's own people"):  # fmt: skip
        assert words in page.stdout


def test_the_options_begin_with_the_question_and_go_on_with_what_keeps_most(too_fine):
    options = as_json(too_fine.folder, "stay_count")["options"]
    enough = [o["is_enough"] for o in options[1:]]

    assert ("as it is asked", False) == (options[0]["words"], options[0]["is_enough"])
    assert enough == sorted(enough, reverse=True)
    assert "years" == next(o["words"] for o in options if o["is_enough"])
    assert all(0 <= o["shown"] <= o["cells"] and 0 <= o["events_share"] <= 1 for o in options)


def test_what_the_page_proposes_does_what_it_says(tmp_path):
    town = small_town(tmp_path, FEW, period=QUARTER)
    town.ran()
    best = next(o for o in as_json(town.folder, "stay_count")["options"] if o["change"] and o["is_enough"])
    town.measure("stay_count", places=["ward"], period=QUARTER, coarsen=[best["change"]])
    after = town.run()

    assert [] == after.codes()
    assert "" == after.measured("stay_count").advice
    assert best["shown"] == sum(e.events is not None and e.events > 0 for e in after.cells("stay_count").values())


def test_nothing_is_published_by_asking(tmp_path):
    town = small_town(tmp_path)
    town.run("stays")
    walk = town.walk()
    before = {n: walk.lake.history(n, "open") for n in ("stays", "stay_count", "wards")}
    town.measure("stay_count", places=["ward"], groups=["race"])
    told(town.folder, "stay_count")

    assert before == {n: town.walk().lake.history(n, "open") for n in before}


def test_a_measure_that_would_not_be_published_says_why_and_fails(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    town.product("stays", {**STAY_COLUMNS, "race": "string ?"}, table=IN_WARDS)
    page = told(town.folder, "stay_count")

    assert 1 == page.exit_code
    assert "metroon run would not publish it" in page.stdout
    assert "G101" in page.stdout


def test_a_table_that_hides_little_is_compared_only_when_asked(tmp_path):
    town = small_town(tmp_path)
    town.ran()

    assert [] == as_json(town.folder, "stay_count")["options"]
    assert [] != as_json(town.folder, "stay_count", "--options")["options"]


def test_an_unknown_name_is_refused_with_those_that_are_known(too_fine):
    page = told(too_fine.folder, "nothing")

    assert 2 == page.exit_code
    assert "stay_count" in page.stderr


def test_rows_of_people_tell_their_smallest_group_and_what_is_dropped(tmp_path):
    town = clients(tmp_path, [31] * 20 + [52] * 30)
    found = protection.leaving(town.walk(), "clients")
    leaves = {p.name: p.leaves for p in found.parts}

    assert (True, 20, 50) == (found.would_leave, found.smallest, found.cells)
    assert {"id": False, "age": True, "ward": True, "note": False} == leaves
    assert "age" in {p.variable for p in found.scored.lines}


def test_rows_that_may_not_leave_tell_which_column_would_help(tmp_path):
    town = clients(tmp_path, [31] * 20 + [52] * 3)
    found = protection.leaving(town.walk(), "clients")

    assert (False, ["G103"]) == (found.would_leave, [p.code for p in found.problems])
    assert ["without age"] == [o.words for o in found.options]


def test_things_have_no_score(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    page = told(town.folder, "score", "wards")

    assert 0 == page.exit_code
    assert "Nobody stands behind its rows" in page.stdout


def test_the_score_has_every_line_and_their_sum(too_fine):
    scored = as_json(too_fine.folder, "score", "stay_count")["scored"]

    assert scored["points"] == sum(p["points"] for p in scored["lines"])
    assert {"events", "time", "place"} <= {p["variable"] for p in scored["lines"]}


def test_a_score_above_the_limit_fails_and_names_changes_that_pass(tmp_path):
    town = small_town(tmp_path, dict.fromkeys(FEW, 100), period={"column": "day", "grain": "month"})
    town.city(score={"limit": 4})
    town.ran()
    page, found = told(town.folder, "score", "stay_count"), as_json(town.folder, "score", "stay_count")

    assert 1 == page.exit_code
    assert found["options"]
    assert all(o["is_low"] and o["points"] <= 4 for o in found["options"])
    assert "A score is no audit" in page.stdout


def test_no_page_shows_a_value_of_a_person(tmp_path):
    town = small_town(tmp_path)
    town.csv("stays.csv", [r | {"person": f"canary{i}"} for i, r in enumerate(stays({"north": 40, "east": 50}))])
    town.ran()
    said = [told(town.folder, *w).output for w in (("stay_count",), ("stays",), ("score", "stay_count"), ("register",))]

    assert [] == [s for s in said if "canary" in s]


def test_a_table_with_totals_tells_its_cells_and_its_score(tmp_path):
    town = Town(tmp_path).with_wards(dict.fromkeys(("north", "east", "south", "west"), 30_000))
    town.csv("stays.csv", stays({"north": 40, "east": 50, "south": 5, "west": 70}))
    town.product("stays", STAY_COLUMNS, table=IN_WARDS, mode="table")
    how = {"collect": {"kind": "csv", "path": "stays*.csv"}, "table": {"by": ["ward", "race"], "count": "stays"}}
    town.write("products/stays/product.yaml", how)
    town.ran()
    found = protection.leaving(town.walk(), "stays", is_compared=True)

    assert {"as it is asked", "without ward", "without race"} == {o.words for o in found.options}
    assert ("table", True, []) == (found.kind, found.would_leave, list(found.problems))
    assert found.hidden > 0
    assert {"race": 7, "place": 0} == {
        p.variable: p.points for p in found.scored.lines if p.variable in ("race", "place")
    }


def test_rare_groups_told_together_are_among_the_options(tmp_path):
    town = small_town(tmp_path, places=[], groups=["race"])
    every = [r for r, n in {"A": 60, "B": 40, "C": 7, "D": 8}.items() for _ in range(n)]
    rows = stays({"north": len(every)})
    town.csv("stays.csv", [row | {"race": r} for row, r in zip(rows, every, strict=True)])
    town.ran()
    options = as_json(town.folder, "stay_count", "--options")["options"]
    joined = next(o for o in options if "rare groups" in o["words"])

    assert "groups: [{by: race, join: {Other groups: [C, D]}}]" == joined["change"]
    assert (joined["cells"], joined["shown"]) == (4, 4)


def test_rows_with_days_and_points_have_points_for_both(tmp_path):
    town = Town(tmp_path).with_squares(dict.fromkeys(("north", "east", "south", "west"), 3_000))
    columns = {"on_day": "date quasi", "longitude": "number quasi", "latitude": "number quasi", "sex": "string quasi"}
    row = {"longitude": 1.5, "latitude": 1.5, "sex": "F"}
    town.csv("visits.csv", [row | {"on_day": f"2025-0{i % 2 + 1}-10"} for i in range(80)])
    guarded = [{"kind": "coarsen", "column": "on_day", "to": "year"},
               {"kind": "coarsen", "column": "longitude", "to": "ward", "residents": 0}]  # fmt: skip
    town.product("visits", columns, mode="rows", guard=guarded,
                 table={"point": {"longitude": "longitude", "latitude": "latitude"}})  # fmt: skip
    town.ran()
    found = protection.leaving(town.walk(), "visits")

    assert [] == [p.code for p in found.problems]
    assert {"events": 5, "time": 0, "place": 1, "alone": -5} == {p.variable: p.points for p in found.scored.lines}


def test_the_page_fits_narrow_terminals_and_pipes(too_fine):
    lines = told(too_fine.folder, "stay_count").stdout.splitlines()

    assert max(map(len, lines)) <= 80
    assert [] == [line for line in lines if line != line.rstrip()]
