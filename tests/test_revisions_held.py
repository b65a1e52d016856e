"""Corrections that concern a few people wait: two releases subtracted tell of nobody."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from metroon import explain, flow, waiting
from metroon.base.estimate import Cell
from metroon.base.running import running
from metroon.measure.revisions import Touched, waits
from town import WARDS, Told, Town, small_town, stays

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = {"north": 140, "east": 150, "south": 160, "west": 170}
FIRST, SECOND, THIRD = date(2026, 3, 15), date(2026, 3, 16), date(2026, 3, 17)


def late(number: int, ward: str, **more: Any) -> dict[str, Any]:
    """A stay that is told of later than others."""
    row = {"id": f"late{number}", "person": f"q{number}", "ward": ward, "day": "2025-05-05", "race": "A"}
    return {**row, "is_home": "yes", **more}


def deliver(town: Town, rows: list[dict[str, Any]], on: date) -> Told:
    town.csv("stays.csv", rows)
    return town.run(as_of=on)


def test_one_late_arrival_is_not_counted_yet(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    first = deliver(town, rows, FIRST)
    before = first.events("stay_count")
    second = deliver(town, [*rows, late(1, "north")], SECOND)

    assert before == second.events("stay_count")
    assert [] == second.codes()
    assert waiting.NOTE.format(11) in second.measured("stay_count").notes
    assert waiting.NOTE.format(11) not in first.measured("stay_count").notes
    assert [waiting.Held("stays", 1, "2026-03-16")] == waiting.held(second.walk, ["stay_count"])
    assert "stays: 1 correction waits since 2026-03-16" in " ".join(second.run.next_steps)


def test_corrections_are_counted_when_enough_have_gathered(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    deliver(town, rows, FIRST)
    some = [late(i, "north") for i in range(6)]
    second = deliver(town, [*rows, *some], SECOND).events("stay_count")
    third = deliver(town, [*rows, *some, *(late(i, "north") for i in range(6, 12))], THIRD)

    assert 140 == second["north"]
    assert 152 == third.events("stay_count")["north"]
    assert [] == waiting.held(third.walk, ["stay_count"])
    assert waiting.NOTE.format(11) not in third.measured("stay_count").notes


def test_forty_late_arrivals_spread_well_are_counted_at_once(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    deliver(town, rows, FIRST)
    told = deliver(town, [*rows, *(late(i, WARDS[i % 4]) for i in range(48))], SECOND)

    assert [n + 12 for n in COUNTS.values()] == [told.events("stay_count")[w] for w in COUNTS]


def test_of_arrivals_in_two_wards_only_those_of_the_thin_one_wait(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    deliver(town, rows, FIRST)
    told = deliver(town, [*rows, *(late(i, "north" if i < 20 else "east") for i in range(22))], SECOND)

    assert (160, 150) == (told.events("stay_count")["north"], told.events("stay_count")["east"])
    assert 640 == told.events("stay_count")["all"]
    assert [2] == [h.rows for h in waiting.held(told.walk, ["stay_count"])]


def test_one_person_who_was_taken_out_is_still_counted(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    first = deliver(town, rows, FIRST).events("stay_count")
    second = deliver(town, rows[1:], SECOND).events("stay_count")
    third = deliver(town, rows[15:], THIRD)

    assert first == second
    assert 125 == third.events("stay_count")["north"]


def test_a_corrected_row_that_goes_to_another_ward_waits_on_both_sides(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    first = deliver(town, rows, FIRST).events("stay_count")
    second = deliver(town, [{**rows[0], "ward": "west"}, *rows[1:]], SECOND).events("stay_count")

    assert first == second


def test_a_correction_that_changes_no_number_does_not_wait(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    deliver(town, rows, FIRST)
    told = deliver(town, [{**rows[0], "race": "B"}, *rows[1:]], SECOND)

    assert [] == waiting.held(told.walk, ["stay_count"])


def test_things_never_wait(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    columns = {"id": "string public", "ward": "string public", "day": "date public"}
    town.product("stays", columns, unit="none", table={"geographyKey": {"column": "ward", "layer": "ward"}})
    deliver(town, rows, FIRST)
    told = deliver(town, [*rows, late(1, "north")], SECOND)

    assert 141 == told.events("stay_count")["north"]


def test_a_new_month_is_counted_though_few_came_in_it(tmp_path: Path):
    months = {"column": "day", "grain": "month"}
    town = small_town(tmp_path, COUNTS, places=[], period=months)
    rows = stays(COUNTS, days=365)
    deliver(town, rows, date(2026, 1, 10))
    new = [late(i, "north", day=f"2026-01-{1 + i % 31:02d}") for i in range(60)]
    told = deliver(town, [*rows, late(100, "north"), *new, late(101, "east", day="2026-02-01")], date(2026, 2, 10))
    cells = told.cells("stay_count")

    assert 60 == cells[Cell("2026-01")].events
    assert [1] == [h.rows for h in waiting.held(told.walk, ["stay_count"])]


def test_a_number_from_which_corrections_wait_is_made_again(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    deliver(town, rows, FIRST)
    deliver(town, [*rows[1:], late(1, "east")], SECOND)
    found = explain.explain(town.walk(as_of=THIRD), "stay_count")

    assert ("", True) == (found.why_not, found.is_same)
    assert "versions" == found.again_from


def test_a_second_edition_is_made_again_from_its_files(tmp_path: Path):
    town = small_town(tmp_path, {"north": 4, "east": 20, "south": 60, "west": 70})
    deliver(town, stays({"north": 4, "east": 20, "south": 60, "west": 70}), FIRST)
    deliver(town, stays({"north": 4, "east": 20, "south": 60, "west": 90}), SECOND)
    newest = explain.explain(town.walk(as_of=THIRD), "stay_count")
    oldest = explain.explain(town.walk(as_of=THIRD), "stay_count", version=1)

    assert (True, True) == (newest.is_same, oldest.is_same)


def test_a_run_that_changes_nothing_holds_nothing_more(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    deliver(town, rows, FIRST)
    second = deliver(town, [*rows, late(1, "north")], SECOND).events("stay_count")
    third = town.run(as_of=THIRD)

    assert second == third.events("stay_count")
    assert [waiting.Held("stays", 1, "2026-03-16")] == waiting.held(third.walk, ["stay_count"])


def test_which_rows_wait_is_written_down_for_nobody_else(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    deliver(town, rows, FIRST)
    deliver(town, [*rows, late(1, "north")], SECOND)
    (file,) = (tmp_path / ".metroon" / "ledger" / "waiting").iterdir()

    assert 0o600 == file.stat().st_mode & 0o777
    assert "late1" not in file.read_text()
    assert "q1" not in file.read_text()


def test_what_cannot_be_written_down_does_not_leave(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    deliver(town, rows, FIRST)
    (tmp_path / ".metroon" / "ledger" / "waiting").write_text("a file where the folder should be")
    told = deliver(town, [*rows, late(1, "north")], SECOND)

    assert ["G130"] == told.codes()
    assert 140 == told.events("stay_count")["north"]


def test_who_only_looks_leaves_nothing_behind(tmp_path: Path):
    town, rows = small_town(tmp_path, COUNTS), stays(COUNTS)
    deliver(town, rows, FIRST)
    town.csv("stays.csv", [*rows, late(1, "north")])
    walk = town.walk(as_of=SECOND)
    with running(walk.lake.folder.parent):
        flow.walk_rows(walk, walk.city.products["stays"])
    protected, _ = flow.protect_numbers(walk, ["stay_count"])

    assert 140 == {e.cell.place: e.events for e in protected["stay_count"][2].estimates}["north"]
    assert not (tmp_path / ".metroon" / "ledger" / "waiting").exists()


# Which rows wait

RowsDrawn = tuple[list[Touched], np.ndarray, np.ndarray]


@st.composite
def revised(draw) -> RowsDrawn:
    rows = draw(st.integers(1, 40))
    came = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
    person = np.array(draw(st.lists(st.integers(0, rows), min_size=rows, max_size=rows)))
    every = []
    for _ in range(draw(st.integers(1, 3))):
        cell = np.array(draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)))
        shown = np.array(draw(st.lists(st.booleans(), min_size=5, max_size=5)))
        # Each row is counted in its cell and in the total.
        row, count = np.tile(np.arange(rows), 2), np.concatenate([cell, np.full(rows, 4)])
        no = np.zeros(2 * rows, dtype=bool)
        every.append(Touched(row, count, shown[count], no, no, 5, np.zeros(rows, dtype=np.uint64)))
    return every, came, person


@given(revised())
def test_no_number_that_was_shown_changes_by_too_few_people(drawn):
    every, came, person = drawn
    held = waits(every, came=came, person=person)
    for one in every:
        for count in np.unique(one.count[one.was_shown]):
            rows = one.row[(one.count == count)]
            left = rows[~held[rows]]
            there, gone = left[came[left]], left[~came[left]]
            change = len(there) - len(gone)
            few = [len(np.unique(person[side])) for side in (there, gone) if len(side)]

            assert change == 0 or (abs(change) >= 5 and max(few) >= 5)


@given(revised(), st.randoms(use_true_random=False))
def test_the_order_of_revised_rows_does_not_matter(drawn, chance):
    every, came, _ = drawn
    rows = len(came)
    person = np.arange(rows)
    order = np.array(chance.sample(range(rows), rows))
    place = np.argsort(order)
    mixed = [Touched(place[t.row], t.count, t.was_shown, t.is_old, t.is_new, t.minimum, t.worth) for t in every]
    held, again = waits(every, came=came, person=person), waits(mixed, came=came[order], person=person)

    def told(waiting, place):
        # Rows in the same counts are as good as each other.
        return sorted((bool(came[i]), *(t.count[t.row == i].tolist() for t in every)) for i in place[waiting].tolist())

    assert told(held, person) == told(again, order)
