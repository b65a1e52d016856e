"""Every bad definition is told before a row is counted: with its code, its file and its line, all at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from metroon import flow
from metroon.base.errors import Problem, Refused
from metroon.base.kinds import build
from metroon.base.node import Node
from metroon.city import load
from metroon.cli import main
from metroon.faults import faults, warned
from metroon.measure import Indicator, target_faults
from town import AS_OF, IN_WARDS, STAY_COLUMNS, WARDS, Told, Town, small_town, stays

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = {"of": "residents", "column": "n", "group": "race", "source": "count", "vintage": "2025"}
YEAR = {"column": "day", "grain": "year"}
SHARE = {"kind": "share", "when": "is_home"}
AUTHORITY = {"authority": "council", "frozen_at": "2024-01-01"}


def target(*points: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"points": list(points), **AUTHORITY, **more}


def on(day: str, value: float | None = None, **more: float) -> dict[str, Any]:
    return {"on": day, **({} if value is None else {"value": value}), **more}


TOLD = {"text": "Roads were closed.", "author": "director", "on": "2026-01-31", "expires": "2026-01-30"}
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "no_denominator": ({"kind": "rate"}, "M108", '"kind"'),
    "not_in_order": (
        {"direction": "down", "target": target(on("2030-01-01", 1), on("2028-01-01", 2))}, "M109", '"points"',
    ),
    "twice_the_same_day": (
        {"direction": "down", "target": target(on("2030-01-01", 1), on("2030-01-01", 2))}, "M109", '"points"',
    ),
    "no_value": ({"direction": "down", "target": target({"on": "2030-01-01"})}, "M109", '"on"'),
    "half_a_band": ({"direction": "within", "target": target(on("2030-01-01", low=1.0))}, "M109", '"on"'),
    "band_upside_down": (
        {"direction": "within", "target": target(on("2030-01-01", low=2.0, high=1.0))}, "M109", '"on"',
    ),
    "neutral_target": ({"target": target(on("2030-01-01", 1))}, "M109", '"target"'),
    "set_tomorrow": (
        {"direction": "up", "target": target(on("2030-01-01", 1), frozen_at="2026-03-16")}, "M109", '"frozen_at"',
    ),
    "other_unit": (
        {"direction": "up", "unit": "stays", "target": target(on("2030-01-01", 1), unit="beds")}, "M110",
        '"unit": "beds"',
    ),
    "share_of_80": ({**SHARE, "direction": "up", "target": target(on("2030-01-01", 80))}, "M110", '"value"'),
    "band_of_percents": (
        {**SHARE, "direction": "within", "target": target(on("2030-01-01", low=60, high=80))}, "M110", '"low"',
    ),
    "per_household": ({"kind": "rate", "places": ["ward"], "per_unit": "households"}, "M110", '"places"'),
    "no_reference": ({**SHARE, "direction": "up", "groups": [{"by": "race"}]}, "M111", '"by"'),
    "unknown_reference": ({**SHARE, "groups": [{"by": "size", "reference": "huge"}]}, "M112", '"reference"'),
    "unknown_order": (
        {**SHARE, "groups": [{"by": "size", "reference": "all", "order": ["small", "huge"]}]}, "M112", '"order"',
    ),
    "baseline_not_over": ({"period": YEAR, "baseline": {"period": "2026"}}, "M113", '"period": "2026"'),
    "baseline_no_period": ({"period": YEAR, "baseline": {"period": "last year"}}, "M113", '"period": "last'),
    "people_too_old": (
        {"kind": "rate", "places": ["ward"], "groups": [
            {"by": "race", "people": {**PEOPLE, "geography": "ward", "vintage": "2010"}}
        ]}, "M114", '"vintage"',
    ),
    "unknown_goal": ({"goal": "safe_street"}, "M117", '"goal"'),
    "unknown_guard": ({"guard_metric": "stay_cuont"}, "M118", '"guard_metric"'),
    "unknown_coverage": ({"coverage": "stay_cuont"}, "M118", '"coverage"'),
    "places_too_short": ({"places": ["ward"], "period": {**YEAR, "places": "month"}}, "M119", '"places": "month"'),
    "groups_beside_finest": ({"period": {**YEAR, "grain": "finest", "groups": "year"}}, "M119", '"groups"'),
    "expired_at_once": ({"narrative": {"story": TOLD}}, "M123", '"expires"'),
}  # fmt: skip


def town_with(folder: Path, **measures: dict[str, Any]) -> Town:
    """The four wards of 2025, stays of 2025 in them, residents by race, one goal."""
    town = small_town(folder)
    columns = {**STAY_COLUMNS, "size": {"logicalType": "string", "classification": "quasi",
                                        "enum": [{"value": "small"}, {"value": "large"}]}}  # fmt: skip
    town.csv("stays.csv", stays({"north": 40, "east": 50, "south": 60, "west": 70}, size="small"))
    town.product("stays", columns, table=IN_WARDS)
    town.csv("residents.csv", [{"race": r, "n": n} for r, n in (("A", 3000), ("B", 1000))])
    town.product("residents", {"race": "string public", "n": "integer public"}, unit="none", mode="rows")
    for name, measure in measures.items():
        town.measure(name, **measure)
    return town.city(goals={"safe_streets": {"title": "Safe streets", "outcome": "Nobody is hurt"}},
                     as_of=AS_OF.isoformat())  # fmt: skip


def of_measure(found: list[Problem], name: str) -> list[Problem]:
    return [p for p in found if p.file.endswith(f"measures/{name}.yaml")]


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return town_with(tmp_path_factory.mktemp("bad"), **{name: measure for name, (measure, _, _) in BAD.items()})


@pytest.fixture(scope="module")
def found(bad: Town) -> list[Problem]:
    return faults(load(bad.folder), AS_OF)


@pytest.fixture(scope="module")
def ran(bad: Town) -> dict[str, list[Problem]]:
    return {m.measure: list(m.problems) for m in flow.run(bad.walk()).measured}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_definition_is_told_with_its_code_and_its_line(bad, found, name):
    _, code, key = BAD[name]
    told = of_measure(found, name)
    lines = (bad.folder / "measures" / f"{name}.yaml").read_text().splitlines()

    assert [code] == [p.code for p in told]
    # An item of a list begins with its brace, on the line before its first key.
    assert key in lines[told[0].line - 1] or ("{" == lines[told[0].line - 1].strip() and key in lines[told[0].line])


def test_all_bad_definitions_are_told_at_once_and_nothing_else_is(found):
    assert {(f"{name}.yaml", code) for name, (_, code, _) in BAD.items()} == {
        (p.file.rpartition("/")[2], p.code) for p in found
    }


@pytest.mark.parametrize("name", BAD)
def test_a_run_refuses_what_check_refuses(ran, found, name):
    assert of_measure(found, name) == ran[name] != []


def test_a_run_still_releases_the_measures_that_are_sound(bad, ran):
    assert [] == ran["stay_count"]
    assert bad.walk().lake.open("stay_count") is not None


def test_check_prints_every_fault_with_file_and_line_and_exits_badly(bad, found):
    told = CliRunner().invoke(main, ["check", str(bad.folder)])
    printed = told.output + (told.stderr if told.stderr_bytes else "")

    assert 0 != told.exit_code
    assert [] == [p for p in found if f"{p.file}:{p.line}" not in printed or p.code not in printed]


def test_every_fault_says_what_to_do(found, ran):
    every = [*found, *(p for problems in ran.values() for p in problems)]

    assert [] == [p for p in every if len(p.fix) < 10 or not p.what]


@pytest.mark.parametrize("point", [{"value": 5}, {"on": "soon", "value": 5}, {"on": "2030-01-01", "value": "many"}])
def test_a_target_without_a_date_or_number_is_refused(tmp_path, point):
    town = town_with(tmp_path, dateless={"direction": "down", "target": target(point)})
    told = faults(load(town.folder), AS_OF)

    assert [("K104", True)] == [(p.code, p.file.endswith("measures/dateless.yaml") and p.line > 1) for p in told]
    with pytest.raises(Refused, match="K104"):
        town.walk()


def test_a_target_without_authority_or_the_day_it_was_set_is_refused(tmp_path):
    town = town_with(tmp_path, orphan={"direction": "down", "target": {"points": [on("2030-01-01", 1)]}})
    told = faults(load(town.folder), AS_OF)

    assert {"K104"} == {p.code for p in told}
    assert {"authority", "frozen_at"} == {w for w in ("authority", "frozen_at") if any(w in p.what for p in told)}


def test_residents_older_than_the_boundaries_are_refused(tmp_path):
    town = town_with(tmp_path, rate={"kind": "rate", "places": ["ward"]})
    town.places["ward"] |= {"people": {"column": "people", "source": "count", "vintage": "2010"}}
    told = faults(load(town.city(as_of=AS_OF.isoformat()).folder), AS_OF)
    line = (town.folder / "city.yaml").read_text().splitlines()[told[0].line - 1]

    assert [("P107", True)] == [(p.code, "2010" in line) for p in told]


@pytest.mark.parametrize(("boundaries", "codes"), [("2025", []), ("2011", ["P107"])])
def test_residents_counted_in_the_boundaries_are_right_whatever_their_year(tmp_path, boundaries, codes):
    town = town_with(tmp_path, rate={"kind": "rate", "places": ["ward"]})
    people = {"column": "people", "source": "count", "vintage": "2010", "boundaries": boundaries}
    town.places["ward"] |= {"people": people}
    city = load(town.city(goals={"safe_streets": {"title": "S", "outcome": "S"}}).folder)

    assert codes == [p.code for p in faults(city, AS_OF)]


def test_residents_counted_before_new_boundaries_divide_no_rate(tmp_path):
    town = town_with(tmp_path, rate={"kind": "rate", "places": ["ward"]})
    town.places["ward"] |= {"people": {"column": "people", "source": "count", "vintage": "2010"}}
    told = town.city().run("rate")

    assert (["P107"], None) == ([p.code for p in told.measured("rate").problems], told.walk.lake.open("rate"))


# Once rows are counted


NUMBERS = {"id": "string public", "ward": "string public", "x": "number public", "y": "number public"}
PERSONS = {"id": "string public", "ward": "string quasi"}
TOO_MANY = [{"id": f"i{i}", "ward": w} for i, w in enumerate(["north"] * 1001 + ["east"] * 30)]
RATIO = {"kind": "ratio", "numerator": "x", "denominator": "y"}
ODD = -999.5


def numbers(*pairs: tuple[float, float]) -> list[dict[str, Any]]:
    return [{"id": f"t{i}", "ward": "north", "x": x, "y": y} for i, (x, y) in enumerate(pairs)]


COUNTED: dict[str, tuple[list[dict[str, Any]], str, dict[str, Any], list[str]]] = {
    "persons": (TOO_MANY, "person", {"kind": "rate", "places": ["ward"]}, ["M115"]),
    "injuries": (TOO_MANY, "event_on_person", {"kind": "rate", "places": ["ward"]}, []),
    "larger_part": (numbers(*[(9.5, 2.0)] * 12, *[(9.5, 9.0)] * 30), "none", {**RATIO, "part": True}, ["M115"]),
    "no_part": (numbers(*[(9.5, 2.0)] * 12, *[(9.5, 9.0)] * 30), "none", {**RATIO}, []),
    "part_of_all": (numbers(*[(7.25, 2.0)] * 12, *[(1.0, 9.0)] * 30), "none", {**RATIO, "part": True}, []),
    "all_of_it": (numbers(*[(0.1 * i, 0.1 * i) for i in range(1, 40)]), "none", {**RATIO, "part": True}, []),
    "below_zero": (numbers(*[(1.0, 2.0)] * 20, (1.0, ODD)), "none", {**RATIO, "places": ["ward"]}, ["M116"]),
}


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Told:
    town = Town(tmp_path_factory.mktemp("counted")).with_wards(dict.fromkeys(WARDS, 1000))
    for name, (rows, unit, measure, _) in COUNTED.items():
        town.csv(f"{name}_rows.csv", rows)
        columns = NUMBERS if unit == "none" else PERSONS
        mode = "rows" if unit == "none" else "aggregate"
        town.product(f"{name}_rows", columns, unit=unit, mode=mode, table=IN_WARDS)
        town.measure(name, of=f"{name}_rows", **measure)
    return town.run()


@pytest.mark.parametrize("name", COUNTED)
def test_counts_that_cannot_be_are_refused_and_those_that_can_are_not(counted, name):
    codes = COUNTED[name][-1]

    assert codes == [p.code for p in counted.measured(name).problems]
    assert bool(codes) == (counted.walk.lake.open(name) is None)


@pytest.mark.parametrize(
    ("name", "key"), [("persons", '"of"'), ("larger_part", '"numerator"'), ("below_zero", '"denominator"')]
)
def test_counts_that_cannot_be_are_told_where_they_are_declared(counted, name, key):
    problem = counted.measured(name).problems[0]
    lines = (counted.walk.city.folder / f"measures/{name}.yaml").read_text().splitlines()

    assert (True, True) == (problem.file.endswith(f"measures/{name}.yaml"), key in lines[problem.line - 1])


@pytest.mark.parametrize("name", ["persons", "larger_part", "below_zero"])
def test_counts_that_cannot_be_are_refused_without_showing_them(counted, name):
    told = "".join(p.what + p.fix for p in counted.measured(name).problems)

    assert [] == [number for number in ("999", "1001", "1,001", "9.5", "north") if number in told]


def test_residents_below_zero_are_refused_without_their_number(tmp_path):
    town = small_town(tmp_path, kind="rate")
    town.with_wards({"north": -777, "east": 1000, "south": 1000, "west": 1000})
    told = town.run().measured("stay_count").problems

    assert ["P103"] == [p.code for p in told]
    assert "777" not in "".join(p.what + p.fix for p in told)


def test_residents_of_a_group_below_zero_are_refused_without_their_number(tmp_path):
    groups = [{"by": "race", "people": PEOPLE}]
    town = town_with(tmp_path, rate={"kind": "rate", "places": ["ward"], "groups": groups})
    town.csv("residents.csv", [{"race": r, "n": n} for r, n in (("A", -777), ("B", 1000))])
    told = town.run("rate").measured("rate").problems

    assert ["M116"] == [p.code for p in told]
    assert "777" not in "".join(p.what + p.fix for p in told)


def test_no_message_of_a_run_shows_a_value_of_a_row(tmp_path):
    secret = "Zanzibar"
    rows = [r | {"ward": secret, "is_home": secret, "race": secret} for r in stays({"north": 3})]
    town = town_with(tmp_path, **{n: m for n, (m, _, _) in BAD.items()})
    odd = [r | {"id": f"z{r['id']}", "size": secret} for r in rows]
    town.csv("stays.csv", [*stays({"north": 40, "east": 30}, size=secret), *odd])
    run = flow.run(town.walk())
    every = [*(p for m in run.measured for p in m.problems), *(p for a in run.accounts for p in a.problems)]

    assert len(BAD) <= len(every)
    assert [] == [str(p) for p in every if secret in str(p)]


# Changes of what was frozen


DOWN = {"direction": "down", "period": YEAR}
BEFORE = target(on("2030-12-31", 100))
OLD = {"points": [on("2030-12-31", 100)], "authority": "council", "frozen_at": "2024-01-01", "until": "2026-03-01",
       "reason": "a new council"}  # fmt: skip
OTHER_OLD = {**OLD, "points": [on("2030-12-31", 99)]}


@pytest.mark.parametrize(
    ("after", "codes"),
    [
        (BEFORE, []),
        (target(on("2030-12-31", 150)), ["M121"]),
        (target(on("2031-12-31", 100)), ["M121"]),
        (target(on("2030-12-31", 100), interpolation="step"), ["M121"]),
        (None, ["M121"]),
        (target(on("2030-12-31", 150), history=[OLD]), []),
        (target(on("2030-12-31", 150), history=[OTHER_OLD]), ["M121"]),
        (target(on("2030-12-31", 150), history=[OTHER_OLD, OLD]), []),
        (target(on("2030-12-31", 100), authority="council, resolution 12"), []),
    ],
)
def test_a_target_that_was_set_is_not_changed_without_keeping_it(after, codes):
    declared = {"kind": "count", "title": "Stays", "question": "?", "of": "stays", **DOWN}
    node = Node(declared | ({"target": after} if after else {}), "measures/stay_count.yaml")
    indicator = build("measure", node, Indicator, None)

    assert codes == [p.code for p in target_faults(indicator, node, BEFORE)]
    assert [] == list(target_faults(indicator, node, None))


def test_a_run_refuses_a_changed_target_and_keeps_the_last_release(tmp_path):
    town = small_town(tmp_path, target=BEFORE, **DOWN)
    first = town.run().measured("stay_count")
    town.measure("stay_count", places=["ward"], **DOWN, target=target(on("2030-12-31", 150)))
    refused = town.run().measured("stay_count")
    town.measure("stay_count", places=["ward"], **DOWN, target=target(on("2030-12-31", 150), history=[OLD]))
    agreed = town.run().measured("stay_count")

    assert ([], ["M121"], []) == tuple([p.code for p in m.problems] for m in (first, refused, agreed))
    assert (1, 1, 2) == (first.version, refused.version, agreed.version)


# What is lawful and likely wrong


def test_a_goal_with_outputs_only_is_warned_of_and_check_still_passes(tmp_path):
    town = town_with(tmp_path, built={"goal": "safe_streets", "type": "output"},
                     spent={"goal": "safe_streets", "type": "input"})  # fmt: skip
    told = CliRunner().invoke(main, ["check", str(town.folder)])

    assert ["M120"] == [p.code for p in warned(load(town.folder), AS_OF)]
    assert 0 == told.exit_code
    assert "M120" in told.output
    assert "input, output measures only" in told.output


@pytest.mark.parametrize("kind", ["outcome", "equity"])
def test_one_outcome_is_enough_for_a_goal(tmp_path, kind):
    town = town_with(tmp_path, built={"goal": "safe_streets", "type": "output"},
                     felt={"goal": "safe_streets", "type": kind})  # fmt: skip

    assert [] == warned(load(town.folder), AS_OF)


def test_complaints_without_coverage_are_warned_of_and_check_still_passes(tmp_path):
    town = town_with(tmp_path, calls={"complaints": True}, told={"complaints": True, "coverage": "stay_count"})
    told = CliRunner().invoke(main, ["check", str(town.folder)])
    warnings = warned(load(town.folder), AS_OF)

    assert [("M122", True)] == [(p.code, p.file.endswith("calls.yaml")) for p in warnings]
    assert '"complaints"' in (town.folder / "measures/calls.yaml").read_text().splitlines()[warnings[0].line - 1]
    assert 0 == told.exit_code


def test_a_measure_may_be_wrong_in_several_ways_and_all_are_told(tmp_path):
    many = {
        "kind": "rate", "goal": "nothing", "coverage": "nothing", "period": {**YEAR, "places": "month"},
        "baseline": {"period": "2027"}, "target": target(on("2030-01-01", 1), on("2029-01-01", 1)),
        "narrative": {"story": TOLD, "action": TOLD},
    }  # fmt: skip
    town = town_with(tmp_path, many=many)
    told = [p.code for p in faults(load(town.folder), AS_OF)]

    assert sorted(["M108", "M109", "M109", "M113", "M117", "M118", "M119", "M123", "M123"]) == sorted(told)


def test_the_same_faults_are_told_whatever_the_order_of_keys(tmp_path):
    one = town_with(tmp_path / "one", many=BAD["share_of_80"][0] | {"goal": "none", "coverage": "none"})
    given = json.loads((one.folder / "measures/many.yaml").read_text())
    one.write("measures/many.yaml", dict(reversed(given.items())))

    assert {"M110", "M117", "M118"} == {p.code for p in faults(load(one.folder), AS_OF)}
