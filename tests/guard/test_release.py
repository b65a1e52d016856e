"""What was withheld is in nothing that leaves, and cannot be worked out from all of it together."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from reader import KINDS, Reader, invented, rows_of

from metroon.base.estimate import ALL, Cell
from metroon.cli import main
from town import IN_WARDS, STAY_COLUMNS, WARDS, Told, Town, is_bare, small_town, stays

YEAR = {"column": "day", "grain": "year"}
QUARTER = {"column": "day", "grain": "quarter"}
COUNT = {"places": ["ward"], "period": YEAR}
NUMBERS = ("value", "low", "high", "base", "worst", "best", "events", "unknown")
MEASURES = {
    "all of them": (COUNT, lambda kind: True),
    "by race": ({"groups": ["race"], "period": YEAR}, lambda kind: True),
    "in all years": ({"places": ["ward"]}, lambda kind: True),
    "homes": ({"kind": "share", "when": "is_home", "groups": ["race"], **COUNT}, lambda kind: True),
    "rate": ({"kind": "rate", **COUNT}, lambda kind: True),
    "of race A": ({"among": "race = 'A'", **COUNT}, lambda kind: kind[1] == "A"),
    "homes of A": ({"kind": "share", "when": "is_home", "among": "race = 'A'", **COUNT}, lambda kind: kind[1] == "A"),
    "went home": ({"among": "is_home", **COUNT}, lambda kind: kind[2] == "yes"),
}


def town_of(folder, rows, names, **own) -> Town:
    town = Town(folder).with_wards(dict.fromkeys(WARDS, 1000))
    town.csv("stays.csv", rows)
    town.product("stays", STAY_COLUMNS, table=IN_WARDS, **own)
    for name in names:
        town.measure(name.replace(" ", "_").lower(), **MEASURES[name][0])
    return town


def reader_of(told: Told, kinds, names) -> Reader:
    reader = Reader(kinds)
    for name in names:
        declared, counts = MEASURES[name]
        cells = told.cells(name.replace(" ", "_").lower())
        kind = declared.get("kind")
        reader.reads(name, cells, counts, is_share=kind == "share", is_rate=kind == "rate")
    return reader


@pytest.mark.parametrize(
    ("names", "n", "seed"),
    [
        (["all of them", "rate"], 150, 1),
        (["all of them", "in all years", "by race"], 200, 2),
        (["homes", "all of them", "went home"], 1500, 3),
        (["of race A", "all of them"], 500, 4),
        (["homes of A", "homes", "rate"], 1800, 5),
    ],
)
def test_no_withheld_number_follows_from_everything_that_is_released(tmp_path, names, n, seed):
    kinds = invented(seed, n)
    told = town_of(tmp_path, rows_of(kinds), names).run()
    reader = reader_of(told, kinds, names)

    assert [] == told.codes()
    assert 0 < len(reader.withheld) < len(reader.left) + len(reader.withheld)
    assert [] == reader.exposed()


def test_a_few_people_do_not_follow_from_taking_one_measure_from_another(tmp_path):
    # 40 stays in the north and 37 of race A would leave 3 of others, which nobody released.
    kinds = [(w, r, "yes", 2025) for w, a, b in (("north", 37, 3), ("east", 40, 50), ("south", 60, 40)) for r, n in (("A", a), ("B", b)) for _ in range(n)]  # fmt: skip  # noqa: E501
    names = ["all of them", "of race A"]
    made = [r | {"day": "2025-01-01" if i % 2 else "2025-12-31"} for i, r in enumerate(rows_of(kinds))]
    told = town_of(tmp_path, made, names).run()
    reader = reader_of(told, kinds, names)
    low, high = reader.interval(np.array([k[0] == "north" and k[1] != "A" and k[3] == 2025 for k in KINDS]))

    assert (40, None) == (told.events("all_of_them")["north"], told.events("of_race_a")["north"])
    assert high - low >= 5


def test_a_count_and_a_rate_of_the_same_stays_withhold_the_same_wards(tmp_path):
    # The count tells what lies outside, the rate leaves it out: each for itself would hide another ward.
    counts = {"north": 40, "east": 50, "south": 6, "west": 70, "elsewhere": 14}
    town = small_town(tmp_path, counts).measure("stay_rate", kind="rate", places=["ward"])
    told = town.run()
    hidden = [
        {c.place for c, e in told.cells(m).items() if e.state == "hidden"} & {*WARDS}
        for m in ("stay_count", "stay_rate")
    ]

    assert hidden[0] == hidden[1] > {"south"}


def test_eleven_stays_of_one_person_are_withheld(tmp_path):
    counts = {"north": 11, "east": 50, "south": 60, "west": 70}
    town = small_town(tmp_path, counts)
    town.csv("stays.csv", [r | {"person": "one"} if r["ward"] == "north" else r for r in stays(counts)])
    town.product("stays", STAY_COLUMNS, table=IN_WARDS, personKey="person")

    assert "hidden" == town.run().cells("stay_count")[Cell(ALL, "ward", "north")].state


def test_stays_that_do_not_say_whose_they_are_are_withheld_as_if_of_one(tmp_path):
    counts = {"north": 40, "east": 50, "south": 60, "west": 70}
    town = small_town(tmp_path, counts)
    town.csv("stays.csv", [r | {"person": ""} if r["ward"] == "north" else r for r in stays(counts)])
    town.product("stays", STAY_COLUMNS, table=IN_WARDS, personKey="person")

    assert "hidden" == town.run().cells("stay_count")[Cell(ALL, "ward", "north")].state


def test_the_people_of_a_city_rate_are_those_inside_and_not_those_it_leaves_out(tmp_path):
    # Twelve people outside do not make one inside a dozen.
    made = [r | {"person": "one"} if r["ward"] == "north" else r for r in stays({"north": 20, "elsewhere": 12})]
    town = small_town(tmp_path, kind="rate")
    town.csv("stays.csv", made)
    town.product("stays", STAY_COLUMNS, table=IN_WARDS, personKey="person")

    assert "hidden" == town.run().cells("stay_count")[Cell()].state


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_higher_minimum_withholds_all_that_a_lower_one_does(tmp_path, seed):
    kinds, names = invented(seed, 900), ["all of them", "homes", "by race"]
    # Two towns: in one town the second release could hide nothing that the first one has told.
    low = town_of(tmp_path / "low", rows_of(kinds), names).run()
    strict = town_of(tmp_path / "high", rows_of(kinds), names)
    high = strict.product("stays", STAY_COLUMNS, table=IN_WARDS, minimumCell=20).run()
    hidden, more = (
        {(n, c) for n in ("all_of_them", "homes", "by_race") for c, e in run.cells(n).items() if e.state == "hidden"}
        for run in (low, high)
    )

    assert hidden < more


def test_the_contract_cannot_be_laxer_than_the_city(tmp_path):
    town = small_town(tmp_path, {"north": 8, "east": 50, "south": 60, "west": 70})
    town.product("stays", STAY_COLUMNS, table=IN_WARDS, minimumCell=5)

    assert "hidden" == town.run().cells("stay_count")[Cell(ALL, "ward", "north")].state


def test_things_are_not_withheld(tmp_path):
    town = small_town(tmp_path, {"north": 1, "east": 50, "south": 60, "west": 70})
    town.product("stays", STAY_COLUMNS, unit="none", table=IN_WARDS)

    assert 1 == town.run().events("stay_count")["north"]


# What leaves


@pytest.fixture(scope="module")
def withheld(tmp_path_factory) -> Told:
    """A town where two wards, two races and a share had to be withheld."""
    folder = tmp_path_factory.mktemp("town")
    kinds = invented(3, 900)
    return town_of(folder, rows_of(kinds), ["all of them", "homes", "rate"]).run()


def hidden_of(told: Told, name: str) -> set[tuple[str, ...]]:
    return {
        (c.period, c.geography, c.place, c.dimension, c.group)
        for c, e in told.cells(name).items()
        if e.state == "hidden"
    }


@pytest.mark.parametrize("name", ["all_of_them", "homes", "rate"])
def test_a_withheld_cell_has_no_number_in_any_file_of_the_open_zone(withheld, name):
    files = list((withheld.walk.lake.folder / "open" / name).glob("*.parquet"))
    rows = [r for f in files for r in pq.read_table(f).to_pylist()]
    bare = {
        tuple(r[k] for k in ("period", "geography", "place", "dimension", "group"))
        for r in rows
        if r["state"] == "hidden"
    }

    assert hidden_of(withheld, name) == bare != set()
    assert {None} == {r[k] for r in rows for k in NUMBERS if r["state"] == "hidden"}


@pytest.mark.parametrize("name", ["all_of_them", "homes", "rate"])
def test_all_withheld_cells_look_the_same(withheld, name):
    cells = [e for e in withheld.cells(name).values() if e.state == "hidden"]

    assert all(map(is_bare, cells))
    assert 1 == len({e.note for e in cells})


def output(told: Told, *words: str) -> str:
    result = CliRunner().invoke(main, [*words, "-C", str(told.walk.city.folder)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("name", ["all_of_them", "homes", "rate"])
def test_a_withheld_cell_has_no_number_as_json_or_csv(withheld, name):
    told = json.loads(output(withheld, "show", name, "--format", "json"))
    lines = output(withheld, "show", name, "--format", "csv").splitlines()

    assert {None} == {r[k] for r in told for k in NUMBERS if r["state"] == "hidden"}
    assert all(",hidden,,,,,,,,," in line for line in lines if ",hidden," in line)
    assert len(hidden_of(withheld, name)) == sum(",hidden," in line for line in lines)


@pytest.mark.parametrize(
    "words", [("show", "homes"), ("show", "all_of_them"), ("explain", "homes", "--place", "north")]
)
def test_no_digit_stands_beside_the_words_hidden_for_privacy(withheld, words):
    lines = [
        line
        for line in output(withheld, *words).splitlines()
        if re.search(r"hidden( for privacy)?$|state hidden", line)
    ]
    without_period = [re.sub(r"\b20\d\d\b|fewer than 11", "", line) for line in lines]

    assert [] == [line for line in without_period if re.search(r"\d", line)]


def test_the_log_of_the_open_zone_tells_no_smallest_or_largest_value(withheld):
    logs = (withheld.walk.lake.folder / "open").glob("*/_delta_log/*.json")
    adds = [json.loads(line)["add"] for log in logs for line in log.read_text().splitlines() if '"add"' in line]

    assert {("numRecords",)} == {tuple(json.loads(a["stats"])) for a in adds}


def test_the_evidence_of_a_release_holds_no_count_of_people(withheld):
    known = {
        "as_of",
        "beside",
        "boundaries",
        "coarsened",
        "code",
        "declaration_sha256",
        "declared",
        "geographies",
        "headline",
        "headlines",
        "hidden_share",
        "key",
        "ledger",
        "made_at",
        "measure",
        "notes",
        "parents",
        "protocol",
        "release_sha256",
        "series",
        "waiting",
    }
    evidence = withheld.walk.lake.open("homes").evidence

    assert known == set(evidence)
    assert {"wards": 1, "stays": 1} == evidence["parents"]


def test_the_notes_of_people_hold_no_exact_number(tmp_path):
    # 14 stays outside are more than eleven, but with the city's total they would tell of 6 in the south.
    counts = {"north": 40, "east": 50, "south": 6, "west": 70, "elsewhere": 14}
    extra = [r | {"id": f"{r['id']}x", "day": "", "race": ""} for r in stays({"north": 17})]
    town = small_town(tmp_path, kind="rate", among="race = 'A' or race = 'B'", period={"column": "day", "grain": "all"})
    town.csv("stays.csv", [*stays(counts), *extra])
    notes = town.run().measured("stay_count").notes

    assert [] == [n for n in notes if re.search(r"\b(14|17|6)\b", n)]
    assert "11 rows or more lie in no area and are in no rate" in notes


def test_the_rows_of_a_table_of_people_do_not_leave_by_a_measure(withheld):
    assert {"all_of_them", "homes", "rate", "wards"} == {p.name for p in (withheld.walk.lake.folder / "open").iterdir()}


@pytest.mark.parametrize("classification", ["direct", "linkage key", "free text", "internal"])
def test_names_of_people_cannot_be_the_names_of_groups(tmp_path, classification):
    town = small_town(tmp_path, groups=["person"])
    town.product("stays", {**STAY_COLUMNS, "person": f"string {classification}"}, table=IN_WARDS)
    told = town.run()

    assert (["M107"], None) == (told.codes(), told.walk.lake.open("stay_count"))


def test_too_much_withheld_brings_advice_that_counts_no_people(tmp_path):
    counts = {"north": 12, "east": 13, "south": 14, "west": 15}
    town = small_town(tmp_path, counts, period=QUARTER)
    advice = town.run().measured("stay_count").advice

    begin = "55% of the cells that count anything had to be hidden, more than 30%."
    assert f"{begin} See what would help: metroon guard stay_count" == advice
