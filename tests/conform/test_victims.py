"""Rows of a victim service provider stay outside: the whole delivery is refused, and nothing of it is kept."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from metroon.base.errors import Refused
from metroon.city import load
from town import Told, Town, ours

GOOD = [{"id": str(i), "who": f"kept{i}", "vsp": "0"} for i in range(5)]


def town(folder: Path, *, flag: str = "string", values: object = ("1",), **files: list[dict[str, str]]) -> Town:
    made = Town(folder).city()
    for name, rows in files.items():
        made.csv(f"clients_{name}.csv", rows)
    told = {"values": list(values)} if isinstance(values, tuple) else values
    column = {"logicalType": flag, "classification": "internal", "customProperties": ours(victimServiceProvider=told)}
    return made.product("clients", {"id": "string linkage key", "who": "string direct", "vsp": column})


def kept(told: Told) -> str:
    """All that is in the lake, as text."""
    zone = told.walk.lake.folder
    return " ".join(str(pq.read_table(p).to_pylist()) for p in sorted(zone.rglob("*.parquet")))


def with_flag(flag: str) -> list[dict[str, str]]:
    return [*({**r, "who": "hidden"} for r in GOOD), {"id": "9", "who": "hidden", "vsp": flag}]


@pytest.mark.parametrize("flag", ["1", " 1 ", ""])
def test_one_such_row_keeps_the_whole_delivery_out(tmp_path, flag):
    told = town(tmp_path, good=GOOD, bad=with_flag(flag)).run()
    account = told.account("clients")

    assert (5, 6, {}) == (account.kept, account.refused, account.set_aside)
    assert ["G144"] == [p.code for p in account.problems]
    assert ("kept4" in kept(told), "hidden" in kept(told)) == (True, False)


@pytest.mark.parametrize(
    ("flag", "values", "given"),
    [
        ("string", ("Yes",), "yes"), ("integer", (1,), "1"), ("integer", ("1",), "1"), ("boolean", (True,), "yes"),
        ("integer", (1,), "maybe"), ("string", ("1", "2"), "2"),
    ],
)  # fmt: skip
def test_it_is_known_in_every_type_and_what_cannot_be_read_may_be_one(tmp_path, flag, values, given):
    first = [{**r, "vsp": "no" if flag == "boolean" else "0"} for r in GOOD]
    told = town(tmp_path, flag=flag, values=values, good=first, bad=with_flag(given)).run()

    assert (5, ["G144"]) == (told.account("clients").kept, [p.code for p in told.account("clients").problems])


def test_the_steward_is_told_what_to_do_and_no_value(tmp_path):
    problem = town(tmp_path, good=GOOD, bad=with_flag("1")).run().account("clients").problems[0]

    assert "clients_bad.csv" in problem.file
    assert "1 of 6 rows" in problem.what
    assert "Delete the file" in problem.fix
    assert "hidden" not in str(problem)


def test_when_every_delivery_is_of_one_the_last_good_version_stays(tmp_path):
    made = town(tmp_path, good=GOOD)
    made.ran()
    (made.folder / "inbox" / "clients_good.csv").unlink()
    made.csv("clients_bad.csv", with_flag("1"))
    told = made.run()

    assert ("failed", 1) == (told.account("clients").outcome, told.walk.lake.restricted("clients").number)
    assert "hidden" not in kept(told)


@pytest.mark.parametrize("values", [{"values": []}, {}, "1", {"values": ["1"], "more": 1}, {"values": [None]}])
def test_a_declaration_that_would_mean_nothing_is_refused(tmp_path, values):
    with pytest.raises(Refused) as refused:
        load(town(tmp_path, values=values, good=GOOD).folder)

    assert {"C118"} == {p.code for p in refused.value.problems}
