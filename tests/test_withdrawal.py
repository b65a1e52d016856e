"""What may not leave any more is closed at once, told by the next run, and gone for good when somebody says so."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from starlette.testclient import TestClient

from metroon import withdrawal
from metroon.base.errors import Refused
from metroon.portal import CityPortal
from metroon.serve.app import app
from town import COMMAND, Town

TREES = {"id": "string public", "kind": "string public", "owner": "string public"}
STRICTER = {**TREES, "owner": "string direct"}


def town(folder: Path) -> Town:
    """Two versions of trees whose owners were public: the second has one more row."""
    made = Town(folder).city()
    for n in (4, 5):
        made.csv("trees.csv", [{"id": str(i), "kind": "oak", "owner": f"Owner{i}"} for i in range(n)])
        made.product("trees", TREES, unit="none", mode="rows").run()
    return made


def stricter(made: Town) -> Town:
    return made.product("trees", STRICTER, unit="none", mode="rows")


def client(made: Town) -> TestClient:
    portal = CityPortal(made.folder, as_of=made.as_of)
    return TestClient(app(portal), base_url="http://127.0.0.1:8000")


def on_disk(made: Town, text: str) -> list[str]:
    """The Parquet files of the open zone in which a text stands."""
    zone = made.folder / ".metroon" / "lake" / "open" / "trees"
    rows = {p.name: str(pq.read_table(p).to_pylist()) for p in zone.glob("*.parquet")}
    return [name for name, told in rows.items() if text in told]


ROWS = "/api/v1/datasets/trees/rows"


def test_a_column_that_became_stricter_is_closed_before_the_next_run(tmp_path):
    made = town(tmp_path)
    with client(made) as before:
        assert "Owner1" in before.get(ROWS).text
    with client(stricter(made)) as after:
        for address in (ROWS, f"{ROWS}?version=1", "/datasets/trees", "/datasets/trees.csv", "/datasets/trees.json"):
            answer = after.get(address)
            assert (200, False) == (answer.status_code, "Owner1" in answer.text), address
        assert 400 == after.get(f"{ROWS}?owner=eq.Owner1").status_code


def test_rows_that_may_leave_no_more_are_closed_before_the_next_run(tmp_path):
    made = town(tmp_path)
    made.product("trees", TREES, unit="none", mode="aggregate", accessLevel="public")
    with client(made) as after:
        assert "Owner1" not in after.get("/datasets/trees").text
        assert 404 == after.get(ROWS).status_code
        assert 404 == after.get("/datasets/trees.csv").status_code


def test_a_run_tells_which_versions_still_hold_it_until_they_are_withdrawn(tmp_path):
    made = stricter(town(tmp_path))
    told = made.run()
    problem = next(p for p in told.account("trees").problems if p.code == "G145")
    withdrawal.withdraw(told.walk, "trees", withdrawal.chosen(told.walk, "trees"), by="privacy_officer", reason="late")
    again = made.run()

    assert "2 published versions of trees still hold owner" in problem.what
    assert ["published", "unchanged"] == [told.account("trees").outcome, again.account("trees").outcome]
    assert ["G145"] == told.codes()
    assert [] == again.codes()


def test_a_version_that_is_withdrawn_is_gone_from_the_disk_and_its_history_says_so(tmp_path):
    made = stricter(town(tmp_path))
    walk = made.run().walk
    assert 2 == len(on_disk(made, "Owner1"))
    withdrawal.withdraw(walk, "trees", withdrawal.chosen(walk, "trees"), by="officer", reason="A late correction.")
    gone = walk.lake.withdrawn("trees")

    assert [] == on_disk(made, "Owner1")
    assert (1, 2) == tuple(gone)
    assert [("officer", "A late correction.", ["owner"])] * 2 == [
        (g["by"], g["reason"], g["columns"]) for g in gone.values()
    ]
    assert made.as_of.isoformat() == gone[1]["evidence"]["as_of"]
    assert [3] == list(walk.lake.history("trees", "open"))
    assert ("id", "kind") == walk.lake.read(walk.lake.open("trees")).columns


def test_doors_answer_that_a_withdrawn_version_is_gone(tmp_path):
    made = stricter(town(tmp_path))
    walk = made.run().walk
    withdrawal.withdraw(walk, "trees", withdrawal.chosen(walk, "trees"), by="", reason="late")
    with client(made) as asked:
        answer = asked.get(f"{ROWS}?version=1")

        assert (410, True) == (answer.status_code, "version-gone" in answer.text)
        assert 410 == asked.get("/datasets/trees?version=1").status_code
        assert 404 == asked.get("/datasets/trees?version=99").status_code
        assert 200 == asked.get(f"{ROWS}?version=3").status_code


def test_when_the_newest_version_goes_the_one_before_it_is_the_newest_and_the_next_run_publishes_anew(tmp_path):
    made = town(tmp_path)
    walk = made.walk()
    withdrawal.withdraw(walk, "trees", withdrawal.chosen(walk, "trees", [2]), by="", reason="a mistake in it")
    open_zone = DeltaTable(str(made.folder / ".metroon/lake/open/trees"))

    assert 1 == walk.lake.open("trees").number
    assert 0 == open_zone.to_pyarrow_table().num_rows
    told = made.run()
    assert 5 == told.walk.engine.count(told.walk.lake.read(told.walk.lake.open("trees")))
    assert 5 == DeltaTable(str(made.folder / ".metroon/lake/open/trees")).to_pyarrow_table().num_rows


def test_all_versions_can_go(tmp_path):
    made = town(tmp_path)
    walk = made.walk()
    withdrawal.withdraw(walk, "trees", withdrawal.chosen(walk, "trees", [1, 2]), by="", reason="all of it")

    assert (None, [], []) == (walk.lake.open("trees"), list(walk.lake.history("trees", "open")), on_disk(made, "oak"))
    with client(made) as asked:
        assert 200 == asked.get("/datasets/trees").status_code
        assert 404 == asked.get(ROWS).status_code


def test_files_of_a_withdrawal_that_was_cut_off_are_removed_by_the_next_run(tmp_path):
    made = stricter(town(tmp_path))
    walk = made.run().walk
    zone = made.folder / ".metroon" / "lake" / "open" / "trees"
    saved = {p: p.read_bytes() for p in zone.glob("*.parquet")}
    withdrawal.withdraw(walk, "trees", withdrawal.chosen(walk, "trees"), by="", reason="late")
    for file, body in saved.items():
        file.write_bytes(body)
    made.ran()

    assert [] == on_disk(made, "Owner1")
    assert 1 == len(list(zone.glob("*.parquet")))


@pytest.mark.parametrize(("name", "numbers", "code"), [("shrubs", (), "F104"), ("trees", (9,), "F105")])
def test_what_is_not_there_cannot_be_withdrawn(tmp_path, name, numbers, code):
    walk = town(tmp_path).walk()
    with pytest.raises(Refused) as refused:
        withdrawal.chosen(walk, name, numbers)

    assert [code] == [p.code for p in refused.value.problems]


def test_a_column_that_the_contract_does_not_know_any_more_is_not_judged(tmp_path):
    made = town(tmp_path).product("trees", {"id": "string public", "kind": "string public"}, unit="none", mode="rows")

    assert [] == withdrawal.held(made.walk(), "trees")


def test_the_command_deletes_nothing_until_it_is_told_to(tmp_path):
    made = stricter(town(tmp_path))
    made.ran()
    verb = [*COMMAND, "guard", "withdraw", "trees", "--reason", "late", "-C", str(tmp_path)]
    looked = subprocess.run(verb, capture_output=True, text=True, check=True)
    assert 2 == len(on_disk(made, "Owner1"))
    done = subprocess.run([*verb, "--yes", "--by", "officer"], capture_output=True, text=True, check=True)
    again = subprocess.run([*verb, "--yes"], capture_output=True, text=True, check=True)

    assert "would withdraw version 1 of trees, as of 2026-03-15, which holds owner" in looked.stdout
    assert "Nothing is deleted yet. Do it with: --yes" in looked.stdout
    assert "withdrew version 2 of trees" in done.stdout
    assert "no published version holds anything that may not leave" in again.stdout
    assert [] == on_disk(made, "Owner1")


def test_the_area_that_a_point_became_can_be_read_at_the_portal(tmp_path):
    made = Town(tmp_path).with_squares(dict.fromkeys(("north", "east", "south", "west"), 30_000))
    made.csv("stops.csv", [{"lon": "1.5", "lat": "1.5"}] * 12)
    point = {"point": {"longitude": "lon", "latitude": "lat"}}
    columns = {"lon": "number sensitive", "lat": "number sensitive"}
    technique = {"kind": "coarsen", "column": "lon", "to": "ward"}
    made.product("stops", columns, mode="rows", table=point, guard=[technique]).run()
    with client(made) as asked:
        told = asked.get("/api/v1/datasets/stops/rows")

        assert {"north"} == {r["ward"] for r in told.json()["rows"]}
        assert "1.5" not in told.text
        assert "Only the area is published, not the point." in asked.get("/datasets/stops").text
