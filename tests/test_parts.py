import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metroon import conform, flow
from metroon.city import load
from metroon.collect.kinds import csv as csv_kind
from metroon.collect.kinds.csv import Csv
from metroon.walk import Walk
from tiny import CONTRACT, swapped, tiny_city

AS_OF = date(2026, 3, 15)
NO_NUMBERS = {"measure": None, "protocols/crashes.yaml": None, "rows": None}
TWO_KEYS = swapped(
    CONTRACT, "      - name: ward\n", "      - { name: plate, logicalType: string, unique: true }\n      - name: ward\n"
)


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch):
    monkeypatch.setattr(sys.modules["metroon.conform.check"], "LARGE", 0)
    monkeypatch.setattr(conform, "LARGE", 0)
    monkeypatch.setattr(csv_kind, "LARGE", 0)


def line(values: tuple[str, ...]) -> str:
    return ",".join(f'"{v}"' for v in values)


ROW = st.tuples(
    st.sampled_from(["c1", "c2", "c3", "c4", "c5", "c6", ""]),
    st.sampled_from(["1/31/2026", "2/1/2026", "3/15/2026", "3/16/2026", "never", ""]),
    st.sampled_from(["3", "34", "999", "130", "old", ""]),
    st.sampled_from(["p1", "p2", "p3", "p4", "p5", ""]),
    st.sampled_from(["north", "south", "east", ""]),
)
FILE = st.tuples(st.lists(ROW, max_size=5), st.sampled_from([None, None, None, "x,y", '"', 'a,"b\nc",1,2,3'])).map(
    lambda made: (
        "ID,happened_on,age,plate,ward\n"
        + "".join(f"{line(r)}\n" for r in made[0])
        + (f"{made[1]}\n" if made[1] else "")
    )
)
NAMES = ["crashes_1.csv", "crashes_2.csv", "crashes_3.csv", "crashes_4.csv"]


def kept(walk: Walk) -> dict:
    """All that a version says: rows, rows set aside, and the account, without its number and the day it was made."""
    version = walk.lake.restricted("crashes")
    if version is None:
        return {}
    order = ["_file", "_line"]
    account = version.evidence["account"]
    return {
        "rows": walk.engine.rows(walk.lake.read(version).order_by(order)),
        "aside": walk.engine.rows(walk.lake.set_aside(version).order_by(order)),
        "account": account,
        "newest": version.evidence["newest"],
        "deliveries": version.evidence["deliveries"],
        "problems": version.evidence["problems"],
    }


def run(folder: Path, home: Path, as_of: date = AS_OF) -> Walk:
    walk = Walk(load(folder), as_of, home)
    flow.run(walk, ["crashes"])
    return walk


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.lists(FILE, min_size=1, max_size=4),
    order=st.permutations(NAMES),
    days=st.lists(st.sampled_from([AS_OF, AS_OF.replace(day=16), AS_OF.replace(day=14)]), min_size=5, max_size=5),
    changed=st.none() | FILE,
    is_last_kept=st.booleans(),
)
def test_files_that_come_one_by_one_give_what_they_give_together(
    files, order, days, changed, is_last_kept, tmp_path_factory, monkeypatch
):
    monkeypatch.setattr(Csv, "revises", is_last_kept)
    home = tmp_path_factory.mktemp("home")
    folder = tiny_city(tmp_path_factory.mktemp("city"), contract=TWO_KEYS, **NO_NUMBERS)
    (folder / "inbox").mkdir()
    for name, text, day in zip(order, files, days, strict=False):
        (folder / "inbox" / name).write_text(text)
        run(folder, home / "one", day)
    if changed is not None:
        (folder / "inbox" / order[0]).write_text(changed)
    one_by_one, together = run(folder, home / "one", days[4]), run(folder, home / "all", days[4])

    if kept(together):  # else every delivery was refused, and the version before stays
        assert kept(together) == kept(one_by_one)
    else:
        assert together.lake.restricted("crashes") is None


def test_an_append_adds_one_file_to_those_that_are_there(tmp_path):
    folder = tiny_city(tmp_path, **NO_NUMBERS)
    (folder / "inbox").mkdir()
    head = "ID,happened_on,age,ward\n"
    (folder / "inbox/crashes_1.csv").write_text(head + "c1,1/31/2026,3,north\nc2,2/1/2026,4,west\n")
    first = run(folder, tmp_path / "home")
    before = first.lake.parts(first.lake.restricted("crashes"))
    (folder / "inbox/crashes_2.csv").write_text(head + "c3,2/1/2026,5,north\nc1,2/1/2026,5,north\n")
    second = run(folder, tmp_path / "home")
    after = second.lake.parts(second.lake.restricted("crashes"))

    assert before == after[:1]
    assert [["crashes_1.csv"], ["crashes_2.csv"]] == [list(p.deliveries) for p in after]
    assert {*before[0].files, *after[1].files} == set(second.lake.files(second.lake.restricted("crashes")))
    assert [("crashes_1.csv", 3), ("crashes_2.csv", 3)] == [(r["_file"], r["_line"]) for r in kept(second)["aside"]]
    assert 1 == first.engine.count(first.lake.read(first.lake.restricted("crashes", 1)))


def test_a_file_that_is_not_what_it_claims_is_read_record_by_record(tmp_path):
    folder = tiny_city(tmp_path, **NO_NUMBERS)
    (folder / "inbox").mkdir()
    (folder / "inbox/crashes_1.csv").write_text(
        "ID,happened_on,age,ward\nc1,1/31/2026,3,north\nID,happened_on,age,ward\nc2,2/1/2026,4\nc3,2/1/2026,5,south\n"
    )
    walk = run(folder, tmp_path / "home")
    told = kept(walk)

    assert ["c1", "c3"] == [r["id"] for r in told["rows"]]
    assert [
        (3, "the header stands here again", "ID,happened_on,age,ward"),
        (4, "the record does not have 4 fields", "c2,2/1/2026,4"),
    ] == [(r["_line"], r["_reason"], r["_record"]) for r in told["aside"]]


def test_many_small_parts_become_one_again(tmp_path, monkeypatch):
    monkeypatch.setattr(conform, "LARGE", 100)
    monkeypatch.setattr("metroon.walk._MANY", 2)
    folder = tiny_city(tmp_path, **NO_NUMBERS)
    (folder / "inbox").mkdir()
    parts = []
    for i in range(4):
        (folder / f"inbox/crashes_{i}.csv").write_text(f"ID,happened_on,age,ward\nc{i},1/31/2026,3,north\n")
        walk = run(folder, tmp_path / "home")
        parts.append(len(walk.lake.parts(walk.lake.restricted("crashes"))))

    assert [1, 2, 3, 4] == parts
    assert 4 == walk.engine.count(walk.lake.read(walk.lake.restricted("crashes")))
