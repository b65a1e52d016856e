"""An append gives what a full run gives: open rows, released numbers and corrections that wait, part by part or not."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from metroon import waiting
from town import IN_WARDS, STAY_COLUMNS, WARDS, Told, Town, stays

COUNTS = {"north": 40, "east": 50, "south": 60, "west": 70}
TREES = {"id": "string linkage key", "kind": "string public", "day": "date quasi", "ward": "string public"}
BY_YEAR = {"places": ["ward"], "period": {"column": "day", "grain": "year"}}


def town_at(folder: Path) -> Town:
    town = Town(folder).with_wards(dict.fromkeys(WARDS, 1000))
    town.product("stays", STAY_COLUMNS, table=IN_WARDS)
    guard = [{"kind": "coarsen", "column": "day", "to": "month"}]
    town.product("trees", TREES, unit="none", mode="rows", table=IN_WARDS, guard=guard)
    town.measure("stay_count", **BY_YEAR).measure("tree_count", of="trees", **BY_YEAR)
    return town


def trees(seed: int, many: int) -> list[dict]:
    rng = random.Random(seed)
    return [
        {"id": f"t{seed}-{i}", "kind": rng.choice("xyz"), "day": f"2025-{rng.randint(1, 12):02}-15",
         "ward": rng.choice([*WARDS, "nowhere", ""])}
        for i in range(many)
    ]  # fmt: skip


def more_stays(first: int, counts: dict[str, int], **own) -> list[dict]:
    made = stays(counts, **own)
    return [{**r, "id": f"s{first + i}", "person": f"p{first + i}"} for i, r in enumerate(made)]


DELIVERIES = [
    {"stays": stays(COUNTS), "trees": trees(1, 60)},
    # Few came for months that were published: they wait.
    {"stays_2": more_stays(1000, {"north": 3, "east": 15}), "trees_2": trees(2, 20)},
    {"stays_3": more_stays(2000, {"north": 9}), "trees_0": trees(3, 20)},
]


def walked(folder: Path) -> list[tuple]:
    """What each of three runs published, as each delivery came."""
    town, told = town_at(folder), []
    for delivery in DELIVERIES:
        for name, rows in delivery.items():
            town.csv(f"{name}.csv", rows)
        told.append(published(town.run()))
    return told


def published(told: Told) -> tuple:
    assert [] == told.codes()
    lake, engine = told.walk.lake, told.walk.engine
    rows = sorted(map(repr, engine.rows(lake.read(lake.open("trees")))))
    cells = {n: {c: (e.events, e.state) for c, e in told.cells(n).items()} for n in ("stay_count", "tree_count")}
    return rows, cells, [h.rows for h in waiting.held(told.walk, ["stay_count"])]


@pytest.mark.slow
def test_parts_change_nothing_of_what_is_published(tmp_path, monkeypatch):
    whole = walked(tmp_path / "whole")
    monkeypatch.setattr(sys.modules["metroon.conform.check"], "LARGE", 1)
    by_part = walked(tmp_path / "parts")

    assert whole == by_part
    assert any(held for _, _, held in whole)


@pytest.mark.slow
def test_an_append_keeps_the_open_files_and_gives_what_a_fresh_city_gives(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["metroon.conform.check"], "LARGE", 1)
    town = town_at(tmp_path / "town")
    town.csv("stays.csv", stays(COUNTS))
    town.csv("trees.csv", trees(1, 60))
    first = town.run()
    before = first.walk.lake.files(first.walk.lake.open("trees"))
    town.csv("trees_2.csv", trees(2, 20))
    after = town.run()
    fresh = town.run(home=tmp_path / "fresh")

    assert set(before) < set(after.walk.lake.files(after.walk.lake.open("trees")))
    assert published(fresh) == published(after)
