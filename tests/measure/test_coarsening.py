"""Coarser ways to ask, in the order that a measure prefers: the first that is enough, and never finer than before."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.estimate import Cell
from metroon.base.node import Node
from metroon.base.period import GRAINS
from metroon.explain import explain
from metroon.measure.coarsening import beginning, coarsen_faults, coarsened, every_coarsening, poolings
from metroon.measure.kinds.count import Count
from metroon.measure.tally import LEVELS
from town import Town, small_town, stays

MONTHS = {"column": "day", "grain": "month"}
STEPS = ("quarter", "year", "all", "ward.halves", "without ward", "without race", "without groups", "without places")
GEOGRAPHIES = ("ward", "ward.halves", "district")


def count(coarsen=(), **more) -> Count:
    declared = {"title": "t", "question": "q", "of": "stays", "period": MONTHS, "places": ["ward"],
                "groups": ["race"], **more}  # fmt: skip
    return Count(**declared, coarsen=list(coarsen))


steps = st.lists(st.sampled_from(STEPS), max_size=5, unique=True)


def size(measure: Count) -> tuple[int, int, int]:
    grains = sum(GRAINS.index(measure.period.of(level)) for level in LEVELS)
    return grains, -len(measure.places), -len(measure.groups)


@given(steps)
def test_no_step_makes_a_measure_finer(order):
    sizes = [size(m) for _, m in every_coarsening(count(order))]

    assert all(a <= b for now, later in pairwise(sizes) for a, b in zip(now, later, strict=True))


@given(steps, st.integers(0, 5))
def test_a_release_begins_where_the_last_one_stood(order, taken):
    last = order[:taken]
    start = beginning(count(order), last)

    assert start <= len(last)
    assert coarsened(count(order), order[:start]) == coarsened(coarsened(count(order), order[:start]), last)


@given(steps)
def test_steps_may_be_taken_twice(order):
    once = coarsened(count(), order)

    assert once == coarsened(once, order)


def test_an_order_that_no_longer_names_what_was_done_begins_anew():
    assert 0 == beginning(count(["quarter"]), ["ward.halves"])


def test_a_measure_that_is_declared_coarser_now_needs_no_step():
    assert 0 == beginning(count(["year"], period={"column": "day", "grain": "year"}), ["quarter"])


@pytest.mark.parametrize(
    ("coarsen", "bad"),
    [
        (["quarter", "year", "all"], 0),
        (["without race", "ward.halves"], 0),
        (["week"], 1),
        (["year", "quarter"], 1),
        (["without nobody"], 1),
        (["ward.thirds"], 1),
        (["district.halves"], 1),
    ],
)
def test_a_step_that_changes_nothing_is_a_fault(coarsen, bad):
    declared = count(coarsen)
    found = list(coarsen_faults(declared, Node({"coarsen": coarsen}, "measures/m.yaml"), GEOGRAPHIES))

    assert ["G160"] * bad == [p.code for p in found]


def test_the_finest_grain_leaves_no_order_to_be_kept():
    declared = count(["without race"], period={"column": "day", "grain": "finest"})

    assert ["G160"] == [p.code for p in coarsen_faults(declared, Node({}, "measures/m.yaml"), GEOGRAPHIES)]


def test_single_changes_are_longer_periods_larger_areas_and_fewer_breakdowns():
    found = [change for _, change, _ in poolings(count(), {"ward": ["ward.halves"]})]

    assert ["quarter", "year", "all", "ward.halves", "without ward", "without race"] == found[:6]
    assert all(change.startswith("all, ") for change in found[6:])


# In a run


WARD_NAMES = ("north", "east", "south", "west")


def town(folder, counts=None, **more) -> Town:
    counts = counts or {"north": 12, "east": 13, "south": 14, "west": 15}
    quarter = {"column": "day", "grain": "quarter"}
    made = small_town(folder, counts, **{"period": quarter, "coarsen": ["year", "all"], **more})
    made.csv("stays.csv", evenly(counts))
    return made


def evenly(counts):
    """So many stays for each ward, in every ward spread over the whole year."""
    every = [
        r | {"id": f"{w}{r['id']}", "person": f"{w}{r['person']}"} for w, n in counts.items() for r in stays({w: n})
    ]
    return sorted(every, key=lambda r: r["day"])


def test_a_run_releases_the_first_way_that_hides_little_enough(tmp_path):
    told = town(tmp_path).run()
    periods = {c.period for c in told.cells("stay_count")}

    assert ([], {"2025"}) == (told.codes(), periods)
    assert "" == told.measured("stay_count").advice
    assert any(note.startswith("Coarsened so that fewer") and "years" in note
               for note in told.measured("stay_count").notes)  # fmt: skip


def test_what_was_coarsened_is_what_a_coarser_declaration_releases(tmp_path):
    coarse = town(tmp_path / "a").run().cells("stay_count")
    declared = town(tmp_path / "b", period={"column": "day", "grain": "year"}, coarsen=[]).run().cells("stay_count")

    assert declared == coarse


def test_a_table_that_hides_little_stays_as_it_is_asked(tmp_path):
    many = dict.fromkeys(WARD_NAMES, 200)
    told = town(tmp_path, many).run()

    assert {"2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4"} == {c.period for c in told.cells("stay_count")}
    assert {"stay_count": []} == told.walk.lake.open("stay_count").evidence["coarsened"]


def test_a_release_is_never_finer_than_the_last(tmp_path):
    made = town(tmp_path)
    made.ran()
    made.csv("stays.csv", evenly(dict.fromkeys(WARD_NAMES, 200)))
    after = made.run()

    assert [] == after.codes()
    assert {"2025"} == {c.period for c in after.cells("stay_count")}


def test_places_may_give_way_to_larger_ones(tmp_path):
    made = town(tmp_path, {"north": 6, "east": 7, "south": 40, "west": 40}, coarsen=["without places"],
                period={"column": "day", "grain": "all"})  # fmt: skip

    assert {"all"} == {c.geography for c in made.run().cells("stay_count")}


def test_the_finest_grain_is_never_finer_than_in_the_last_release(tmp_path):
    finest = {"period": {"column": "day", "grain": "finest"}, "coarsen": []}
    made = town(tmp_path, **finest)
    first = made.run()
    made.csv("stays.csv", evenly(dict.fromkeys(WARD_NAMES, 2_000)))
    after = made.run()
    alone = town(tmp_path / "alone", dict.fromkeys(WARD_NAMES, 2_000), **finest).run()

    def of_wards(told):
        return {c.period for c in told.cells("stay_count") if c.geography == "ward"}

    assert {"2025"} == of_wards(first) == of_wards(after)
    assert "2025-01" in of_wards(alone)
    assert explain(after.walk, "stay_count").is_same


def test_an_old_coarsened_number_is_made_again(tmp_path):
    told = town(tmp_path).run()

    assert explain(told.walk, "stay_count").is_same


def test_a_measure_beside_a_coarsened_one_is_tied_to_its_longer_periods(tmp_path):
    # By month and by year at once: eleven shown months and the year would tell the twelfth.
    made = town(tmp_path, {"north": 40, "east": 50, "south": 60, "west": 70})
    made.measure("by_month", places=["ward"], period={"column": "day", "grain": "month"})
    told = made.run()
    months, years = told.cells("by_month"), told.cells("stay_count")
    for place in WARD_NAMES:
        hidden = [c for c, e in months.items() if c.place == place and e.state == "hidden"]
        year = years.get(Cell("2025", "ward", place))

        assert year is None or year.state == "hidden" or len(hidden) != 1


def test_places_may_give_way_to_those_joined_with_their_neighbors(tmp_path):
    made = Town(tmp_path).with_squares({"north": 900, "east": 100, "south": 500, "west": 900})
    made.places["ward"]["merged"] = {"joined": {"residents": 550, "title": "Joined wards"}}
    made.city()
    counts = {"north": 40, "east": 4, "south": 30, "west": 50}
    at = dict(zip(WARD_NAMES, (1.5, 2.5, 3.5, 4.5), strict=True))
    made.csv("stays.csv", [{"lon": at[w], "lat": 1.5} for w, n in counts.items() for _ in range(n)])
    point = {"point": {"longitude": "lon", "latitude": "lat"}}
    made.product("stays", {"lon": "number sensitive", "lat": "number sensitive"}, table=point)
    made.measure("stay_count", places=["ward"], coarsen=["ward.joined"])
    made.measure("stay_rate", kind="rate", places=["ward"], coarsen=["ward.joined"])
    told = made.run()
    shown = {c.place: e.events for c, e in told.cells("stay_count").items() if c.geography == "ward.joined"}

    assert [] == told.codes()
    assert {"north": 40, "east+south": 34, "west": 50} == {k: n for k, n in shown.items() if n}
    assert 600.0 == told.cells("stay_rate")[Cell("all", "ward.joined", "east+south")].base
    assert ["ward.joined"] == [g.id for g in told.measured("stay_count").geographies]
    assert explain(told.walk, "stay_rate").is_same


def test_a_release_by_larger_places_is_read_back_as_it_was(tmp_path):
    made = town(tmp_path, {"north": 6, "east": 7, "south": 40, "west": 40}, coarsen=["without places"],
                period={"column": "day", "grain": "all"})  # fmt: skip
    first, again = made.run(), made.run()

    assert () == again.measured("stay_count").geographies
    assert first.cells("stay_count") == again.cells("stay_count")


def test_what_a_measure_beside_makes_necessary_counts_too(tmp_path):
    # 40 stays in the north and 37 of race A: the 40 are hidden only where the 37 are told too.
    per_ward = {"north": (37, 3), "east": (40, 50), "south": (60, 40), "west": (50, 50)}
    every = [(w, r) for w, (a, b) in per_ward.items() for r, n in (("A", a), ("B", b)) for _ in range(n)]
    rows = [r | {"ward": w, "race": race} for r, (w, race) in zip(stays({"north": len(every)}), every, strict=True)]

    def released(folder, *, is_alone):
        made = small_town(folder, places=["ward"], coarsen=["without places"])
        made.csv("stays.csv", rows)
        return (made if is_alone else made.measure("of_a", among="race = 'A'", places=["ward"])).run()

    alone, both = released(tmp_path / "alone", is_alone=True), released(tmp_path / "both", is_alone=False)

    assert {"all", "ward"} == {c.geography for c in alone.cells("stay_count")}
    assert {"all"} == {c.geography for c in both.cells("stay_count")}
    assert explain(both.walk, "stay_count").is_same
