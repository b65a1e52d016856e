"""Tables with totals, from the rows of a product to what anybody can read, and from a file by the command."""

from __future__ import annotations

import csv
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient
from tests.town import AS_OF, IN_WARDS, STAY_COLUMNS, Town, stays

from metroon import tabulation
from metroon.base.estimate import Cell
from metroon.cli import main
from metroon.faults import faults
from metroon.portal import CityPortal
from metroon.serve.app import app

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = {"north": 60, "east": 120, "south": 200, "west": 300}
BY: list[Any] = ["race", ["year", "quarter"], "ward"]
RACES = ("A", "A", "A", "B", "B", "C")


def rows(counts: dict[str, int] | None = None, *, seed: int = 3) -> list[dict[str, Any]]:
    chance, made = random.Random(seed), []
    for ward, n in (counts or COUNTS).items():
        for row in stays({ward: n}, days=430):
            own = {"id": ward + row["id"], "person": ward + row["person"], "race": chance.choice(RACES)}
            made.append({**row, **own})
    return made


def town(
    folder: Path, *, by: list[Any] | None = None, delivered: list[dict[str, Any]] | None = None, **own: Any
) -> Town:
    made = Town(folder).with_wards()
    made.csv("stays.csv", delivered or rows())
    declared = {**STAY_COLUMNS, "race": "string quasi"}
    made.product("stays", declared, table={**IN_WARDS, "eventTime": "day"}, mode="table", **own)
    return with_table(made, by=by or BY)


def with_table(made: Town, **declared: Any) -> Town:
    how = {"collect": {"kind": "csv", "path": "stays*.csv"}, "table": {"count": "stays", **declared}}
    made.write("products/stays/product.yaml", how)
    return made


def released(told: Any) -> list[dict[str, Any]]:
    version = told.walk.lake.open("stays")
    assert version is not None, told.account("stays").problems
    return list(told.walk.engine.rows(told.walk.lake.read(version)))


def at(found: list[dict[str, Any]], **codes: str) -> dict[str, Any]:
    wanted = {"race": "all", "year": "all", "quarter": "all", "ward": "all", **codes}
    return next(r for r in found if all(r[k] == v for k, v in wanted.items()))


def by_hand(delivered: list[dict[str, Any]], **codes: str) -> int:
    """What a person would count in the delivered file, of the quarters that are over."""
    told = ((r, r["day"][:4], f"{r['day'][:4]}-Q{(int(r['day'][5:7]) + 2) // 3}") for r in delivered)
    known = [{"race": r["race"], "ward": r["ward"], "year": y, "quarter": q} for r, y, q in told if y == "2025"]
    return sum(all(r[k] == v for k, v in codes.items()) for r in known)


def test_each_number_is_what_a_person_would_count_and_small_ones_are_withheld(tmp_path: Path) -> None:
    told = town(tmp_path).run()
    found = released(told)
    hidden = [r for r in found if r["state"] == "hidden"]

    assert hidden
    for row in found:
        codes = {k: row[k] for k in ("race", "ward", "year", "quarter") if row[k] != "all"}
        truth = by_hand(rows(), **codes)
        assert row["count"] == (None if row["state"] == "hidden" else truth)
        assert row["state"] == "hidden" or not 1 <= truth < 11


def test_a_period_that_is_not_over_is_in_no_number(tmp_path: Path) -> None:
    found = released(town(tmp_path).run())

    assert {"2025"} == {r["year"] for r in found} - {"all"}
    assert by_hand(rows()) == at(found)["count"]


def test_a_run_that_changes_nothing_publishes_nothing(tmp_path: Path) -> None:
    made = town(tmp_path)
    first, second = made.run(), made.run()

    assert ["published", "unchanged"] == [t.account("stays").outcome for t in (first, second)]
    assert [1, 1] == [t.walk.lake.open("stays").number for t in (first, second)]


def test_a_table_and_a_measure_of_the_same_people_hide_the_same(tmp_path: Path) -> None:
    made = town(tmp_path)
    made.measure("stay_count", places=["ward"], groups=[{"by": "race"}], period={"column": "day", "grain": "quarter"})
    told = made.run()
    found, cells = released(told), told.cells("stay_count")

    assert any(r["state"] == "hidden" for r in found)
    for row in found:
        if row["quarter"] == "all" or (row["race"] != "all" and row["ward"] != "all"):
            continue
        place = {} if row["ward"] == "all" else {"geography": "ward", "place": row["ward"]}
        group = {} if row["race"] == "all" else {"dimension": "race", "group": row["race"]}
        same = cells.get(Cell(row["quarter"], **place, **group))
        assert same is None or (same.state == "hidden") == (row["state"] == "hidden")


def test_a_measure_of_some_groups_gives_no_cell_of_them_away(tmp_path: Path) -> None:
    made = town(tmp_path)
    made.measure("of_c", among="race = 'C'", places=["ward"], period={"column": "day", "grain": "quarter"})
    told = made.run()
    found = {(r["quarter"], r["ward"]): r for r in released(told) if r["race"] == "C" and r["quarter"] != "all"}
    shown = [c for c, e in told.cells("of_c").items() if e.state == "known" and (c.period, c.place) in found]

    assert shown
    for cell in shown:
        assert found[cell.period, cell.place]["state"] == "known"


def test_rows_of_one_person_are_no_many_people(tmp_path: Path) -> None:
    delivered = [{**r, "person": "one"} if r["ward"] == "north" else r for r in rows()]
    found = released(town(tmp_path, delivered=delivered, personKey="person").run())

    assert "hidden" == at(found, ward="north")["state"]


def test_undecided_columns_keep_a_table_from_leaving(tmp_path: Path) -> None:
    made = town(tmp_path)
    declared = {**STAY_COLUMNS, "race": "string ?"}
    made.product("stays", declared, table={**IN_WARDS, "eventTime": "day"}, mode="table")
    told = with_table(made, by=BY).run()

    assert "G101" in told.codes()
    assert told.walk.lake.open("stays") is None


@pytest.mark.parametrize(
    ("by", "word"),
    [
        (["person"], "linkage key"),
        (["nobody"], "no column 'nobody'"),
        (["day"], "is a date"),
        ([["quarter", "year"]], "not coarse to fine"),
        (["year", "quarter"], "one dimension of time"),
        (["race", "race"], "stands twice"),
        ([["ward", "race"]], "no geography 'race'"),
    ],
)
def test_what_no_table_can_be_broken_down_by_is_told_before_a_run(tmp_path: Path, by: list[Any], word: str) -> None:
    made = town(tmp_path, by=by)
    found = [p for p in faults(made.walk().city, AS_OF) if p.code == "G119"]

    assert any(word in p.what for p in found), found
    assert made.run().walk.lake.open("stays") is None


def test_a_table_that_is_declared_and_may_not_leave_is_told(tmp_path: Path) -> None:
    made = Town(tmp_path).with_wards()
    made.csv("stays.csv", rows())
    made.product("stays", STAY_COLUMNS, table={**IN_WARDS, "eventTime": "day"}, mode="aggregate")
    with_table(made, by=BY)

    assert ["G119"] == [p.code for p in faults(made.walk().city, AS_OF)]


def test_pages_and_files_say_what_a_table_is(tmp_path: Path) -> None:
    told = town(tmp_path).run()
    client = TestClient(app(CityPortal(tmp_path, AS_OF)), base_url="http://town.example")
    page, rows_of = client.get("/datasets/stays"), client.get("/datasets/stays.csv")
    listed = list(csv.DictReader(rows_of.text.splitlines()))

    assert "totals included" in page.text
    assert [r["state"] for r in released(told)] == [r["state"] for r in listed]
    assert {""} == {r["count"] for r in listed if r["state"] == "hidden"}


def test_rows_of_older_days_are_closed_when_a_product_becomes_a_table(tmp_path: Path) -> None:
    made = Town(tmp_path).with_wards()
    made.csv("stays.csv", rows())
    made.product("stays", STAY_COLUMNS | {"race": "string public"}, table={**IN_WARDS, "eventTime": "day"}, mode="rows")
    made.ran()
    made.product("stays", STAY_COLUMNS | {"race": "string quasi"}, table={**IN_WARDS, "eventTime": "day"}, mode="table")
    with_table(made, by=["ward"]).run()
    client = TestClient(app(CityPortal(tmp_path, AS_OF)), base_url="http://town.example")

    assert 404 == client.get("/datasets/stays.csv?version=1").status_code


def test_cells_are_named_as_measures_name_them(tmp_path: Path) -> None:
    made = town(tmp_path)
    made.ran()
    found = tabulation.tabulate(made.walk(), "stays")

    assert Cell("2025-Q1", "ward", "north", "race", "A") in found.published
    assert Cell("2025-01..2025-12") in found.published
    assert Cell() in found.table.unpublished
    assert len(found.cells) == len(set(found.cells))


# The command


def written(folder: Path, *, spoil: Any = None) -> Path:
    chance, made = random.Random(1), []
    for district, areas in (("1", ("Harbor", "Mill")), ("2", ("Hill", "Dale", "Park"))):
        for area in areas:
            for race in "ABCD":
                for quarter in ("Q1", "Q2"):
                    n = int(chance.expovariate(1 / 40))
                    made.append({"district": district, "area": area, "race": race, "quarter": quarter, "n": n})
    made = spoil(made) if spoil else made
    file = folder / "cells.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(made[0]))
        writer.writeheader()
        writer.writerows(made)
    return file


OPTIONS = ["--by", "district>area", "--by", "race", "--by", "quarter", "--count", "n"]


def with_their_sum(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All races together as one more race, by a word that nobody could know."""
    sums: dict[tuple[str, str, str], int] = {}
    for row in found:
        code = row["district"], row["area"], row["quarter"]
        sums[code] = sums.get(code, 0) + row["n"]
    return [{"district": d, "area": a, "race": "E", "quarter": q, "n": n} for (d, a, q), n in sums.items()]


def command(*words: str) -> Any:
    return CliRunner().invoke(main, ["guard", "table", *words])


def test_a_file_is_protected_without_a_city(tmp_path: Path) -> None:
    out = tmp_path / "protected.csv"
    made = command(str(written(tmp_path)), *OPTIONS, "--out", str(out))
    found = list(csv.DictReader(out.read_text().splitlines()))

    assert 0 == made.exit_code, made.output
    assert "0: everybody stays in doubt" in made.output
    assert 8 * 5 * 3 == len(found)
    assert {""} == {r["count"] for r in found if r["state"] == "hidden"}
    assert not any(r["count"] and 1 <= int(r["count"]) <= 10 for r in found)


def test_machines_read_how_much_is_hidden(tmp_path: Path) -> None:
    told = json.loads(command(str(written(tmp_path)), *OPTIONS, "--as", "json").output)

    assert (120, 0) == (told["cells"], told["failing"])
    assert 0 < told["hidden_share"] < 1


def test_nothing_is_written_when_something_is_not_proven(tmp_path: Path) -> None:
    out = tmp_path / "protected.csv"
    made = command(str(written(tmp_path)), *OPTIONS, "--seconds", "0", "--out", str(out))

    assert 1 == made.exit_code
    assert not out.exists()


def test_a_table_that_is_too_fine_hears_what_to_leave_out(tmp_path: Path) -> None:
    file = written(tmp_path, spoil=lambda found: [{**r, "n": int(r["n"]) // 6} for r in found])

    assert "without area" in command(str(file), *OPTIONS).output


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda found: [*found, found[0]], "G114"),
        (lambda found: [{**found[0], "n": -1}, *found[1:]], "G113"),
        (lambda found: [{**found[0], "n": 1.5}, *found[1:]], "G113"),
        (lambda found: [{**found[0], "district": ""}, *found[1:]], "G110"),
        (lambda found: [*found, {**found[0], "area": "all", "race": "all", "quarter": "all", "n": 1}], "G112"),
        (lambda found: [{k: v for k, v in r.items() if k != "race"} for r in found], "G118"),
        (lambda found: [{**found[0], "n": 2**53}, *found[1:]], "G113"),
        (lambda found: [{**r, "race": "Total"} if r["race"] == "A" else r for r in found], "G112"),
        (lambda found: [{**r, "race": "All"} if r["race"] == "A" else r for r in found], "G112"),
        (lambda found: [*found, *with_their_sum(found)], "G112"),
    ],
)
def test_a_file_that_is_no_table_is_refused_whole(tmp_path: Path, spoil: Any, code: str) -> None:
    out = tmp_path / "protected.csv"
    made = command(str(written(tmp_path, spoil=spoil)), *OPTIONS, "--out", str(out))

    assert 2 == made.exit_code
    assert code in made.output
    assert not out.exists()


@pytest.mark.parametrize(
    "rule", ["p=0", "dominance=1", "dominance=1,100", "q=3", "pq=20,10", "width=many", "p=10", "doubt=nan"]
)
def test_a_rule_that_is_none_or_protects_nothing_is_refused(tmp_path: Path, rule: str) -> None:
    made = command(str(written(tmp_path)), *OPTIONS, "--rule", rule)

    assert 2 == made.exit_code
    assert "G115" in made.output


@pytest.mark.parametrize("rule", ["dominance=1.5,80", "contributors=2.5", "width=inf"])
def test_parts_of_a_contributor_and_endless_numbers_are_no_rule(tmp_path: Path, rule: str) -> None:
    made = command(str(written(tmp_path)), *OPTIONS, "--total", "n", "--rule", rule)

    assert 2 == made.exit_code
    assert "is not understood" in made.output


def test_what_is_counted_is_no_dimension_too(tmp_path: Path) -> None:
    made = command(str(written(tmp_path)), *OPTIONS, "--by", "n")

    assert 2 == made.exit_code
    assert "each code would tell its number" in " ".join(made.output.split())


def test_a_protected_table_never_takes_the_place_of_what_it_is_made_of(tmp_path: Path) -> None:
    file = written(tmp_path)
    before = file.read_text()
    made = command(str(file), *OPTIONS, "--out", str(file))

    assert 2 == made.exit_code
    assert before == file.read_text()


def test_the_last_digit_of_a_sum_does_not_tell_the_order_of_its_parts(tmp_path: Path) -> None:
    amounts, told = [0.1, 0.2, 0.3, 700.07, 9.95, 117.05], set()
    for order in (amounts, amounts[::-1]):
        file, out = tmp_path / "dollars.csv", tmp_path / "out.csv"
        file.write_text("ward,firm,dollars\n" + "".join(f"N,{a},{a}\nS,{a},{a}\n" for a in order), encoding="utf-8")
        command(str(file), "--by", "ward", "--total", "dollars", "--contributor", "firm", "--out", str(out))
        told |= {r["total"] for r in csv.DictReader(out.read_text().splitlines()) if r["ward"] == "N"}

    assert {"827.67"} == told


def test_dollars_are_protected_by_who_gives_how_much(tmp_path: Path) -> None:
    chance, made = random.Random(5), []
    for i in range(400):
        made.append(
            {"trade": chance.choice("xyz"), "ward": chance.choice("NESW"), "firm": f"f{i % 60}", "dollars": 50 + i}
        )
    made.append({"trade": "x", "ward": "N", "firm": "giant", "dollars": 500_000})
    file, out = tmp_path / "dollars.csv", tmp_path / "out.csv"
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(made[0]))
        writer.writeheader()
        writer.writerows(made)
    told = command(
        str(file), "--by", "trade", "--by", "ward", "--total", "dollars", "--contributor", "firm", "--rule", "p=10",
        "--out", str(out),
    )  # fmt: skip
    found = {(r["trade"], r["ward"]): r for r in csv.DictReader(out.read_text().splitlines())}

    assert 0 == told.exit_code, told.output
    assert "hidden" == found["x", "N"]["state"]
    assert "count" not in found["x", "N"]
