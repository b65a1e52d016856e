from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from metroon import measure
from metroon.base.estimate import Cell
from town import WARDS, small_town, stays

if TYPE_CHECKING:
    from pathlib import Path

    from town import Town

RACES = {"groups": [{"by": "race", "reference": "A"}]}


def told(town: Town, *names: str) -> set[tuple[str, str, bool]]:
    """Pairs of measures of which one is taken from the other, with the group where it is of one."""
    walk = town.walk()
    measures = {n: walk.indicators[n] for n in names}
    found = measure.differences(walk.counter, walk.rows(walk.version("stays")), measures)
    return {
        (" ".join((d.whole, *(d.whole_group or ())[1:])), " ".join((d.part, *(d.part_group or ())[1:])), d.is_same)
        for d in found
    }


def test_what_is_left_of_all_without_a_part_is_looked_at(tmp_path: Path):
    town = small_town(tmp_path).measure("home_count", among="is_home")
    town.ran()

    assert {("stay_count", "home_count", False)} == told(town, "stay_count", "home_count")


def test_a_measure_of_one_group_is_that_group_of_another(tmp_path: Path):
    town = small_town(tmp_path, places=[], **RACES).measure("of_a", among="race = 'A'")
    town.ran()

    assert {("stay_count A", "of_a", True), ("stay_count", "of_a", False)} == told(town, "stay_count", "of_a")


def test_a_measure_among_some_of_one_group_is_part_of_that_group(tmp_path: Path):
    town = small_town(tmp_path, places=[], **RACES).measure("of_a", among="race = 'A' and is_home")
    town.ran()

    assert ("stay_count A", "of_a", False) in told(town, "stay_count", "of_a")


def test_a_group_that_is_hidden_is_not_told_by_a_measure_of_that_group_alone(tmp_path: Path):
    rows = stays(dict.fromkeys(WARDS, 60), start=date(2025, 1, 1))
    rows = [r | {"race": "B" if i < 4 else "A" if i % 2 else "C"} for i, r in enumerate(rows)]
    town = small_town(tmp_path, places=[], **RACES).measure("not_b", among="race <> 'B'")
    town.measure("only_a", among="race = 'A'").measure("only_c", among="race = 'C'")
    town.csv("stays.csv", rows)
    found = town.run()
    by_race = {c.group: e.events for c, e in found.cells("stay_count").items() if c.dimension == "race"}

    assert by_race["B"] is None
    assert None in {found.cells(n)[Cell()].events for n in ("stay_count", "not_b")}
    assert by_race["A"] == found.cells("only_a")[Cell()].events
    assert by_race["C"] == found.cells("only_c")[Cell()].events
