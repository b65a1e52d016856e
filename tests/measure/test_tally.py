"""What is counted is what a person with the file, a calendar and a pencil would count."""

from __future__ import annotations

import math
import random
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from chance import examples
from metroon.base.estimate import ALL, NOWHERE, OUTSIDE, UNKNOWN, Cell
from town import IN_WARDS, STAY_COLUMNS, WARDS, Town, stays

Z = 1.959963984540054
YEAR = {"column": "day", "grain": "year"}
QUARTER = {"column": "day", "grain": "quarter"}
HOME = {"kind": "share", "when": "is_home", "places": ["ward"], "groups": ["race"], "period": YEAR}

row = st.fixed_dictionaries({
    "ward": st.sampled_from([*WARDS, "elsewhere", ""]),
    "race": st.sampled_from(["A", "B", ""]),
    "is_home": st.sampled_from(["yes", "no", ""]),
    "month": st.integers(1, 24),
})  # fmt: skip
rows = st.lists(row, min_size=1, max_size=60)


def as_stays(found: list[dict]) -> list[dict]:
    """Rows of 2024 and 2025, from the first day to the last, so that both years are covered."""
    ends = [{"ward": "north", "race": "A", "is_home": "yes", "day": d} for d in ("2024-01-01", "2025-12-31")]
    months = [f"{2024 + (r['month'] - 1) // 12}-{(r['month'] - 1) % 12 + 1:02d}-15" for r in found]
    made = [*ends, *({**r, "day": m} for r, m in zip(found, months, strict=True))]
    return [
        {"id": f"s{i}", "person": f"p{i}", **{k: r[k] for k in ("day", "ward", "race", "is_home")}}
        for i, r in enumerate(made)
    ]


def town_of(folder: Path, found: list[dict], *, unit="none", people=None, **measures: dict) -> Town:
    town = Town(folder).with_wards(people)
    town.csv("stays.csv", found)
    town.product("stays", STAY_COLUMNS, unit=unit, table=IN_WARDS)
    for name, measure in measures.items():
        town.measure(name, **measure)
    return town


def counted(found: list[dict], period) -> dict[Cell, Counter]:
    """Cell -> how many of each outcome; by plain counting."""
    cells: dict[Cell, Counter] = {}
    for r in found:
        ward = r["ward"] if r["ward"] in WARDS else OUTSIDE if r["ward"] else NOWHERE
        when = period(date.fromisoformat(r["day"]))
        for cell in (Cell(when), Cell(when, "ward", ward), Cell(when, ALL, ALL, "race", r["race"] or UNKNOWN)):
            cells.setdefault(cell, Counter())[r["is_home"]] += 1
    return cells


def wilson(x: int, n: int) -> tuple[float, float]:
    middle, reach = 2 * x + Z * Z, Z * math.sqrt(Z * Z + 4 * x * (1 - x / n))
    return (middle - reach) / (2 * (n + Z * Z)), (middle + reach) / (2 * (n + Z * Z))


def poisson(x: int) -> tuple[float, float]:
    if x < 10:
        return (chi2.ppf(0.025, 2 * x) / 2 if x else 0.0), chi2.ppf(0.975, 2 * x + 2) / 2
    low = x * (1 - 1 / (9 * x) - Z / (3 * math.sqrt(x))) ** 3
    return low, (x + 1) * (1 - 1 / (9 * (x + 1)) + Z / (3 * math.sqrt(x + 1))) ** 3


@given(rows)
@examples(2, many=6)
def test_a_share_is_what_counting_by_hand_gives_in_every_cell(found):
    with tempfile.TemporaryDirectory() as folder:
        made = as_stays(found)
        released = town_of(Path(folder), made, homes=HOME).run().cells("homes")

    by_hand = counted(made, lambda d: str(d.year))
    for cell, estimate in released.items():
        n = by_hand.get(cell, Counter())
        x, base, unknown = n["yes"], n["yes"] + n["no"], n[""]
        if base:
            assert (x, base, unknown, x / base) == (estimate.events, estimate.base, estimate.unknown, estimate.value)
            assert wilson(x, base) == pytest.approx((estimate.low, estimate.high), abs=1e-12)
            assert (x / (base + unknown), (x + unknown) / (base + unknown)) == (estimate.worst, estimate.best)
        else:
            assert ("no exposure" if not unknown else "cannot tell", None) == (estimate.state, estimate.value)
    assert set(by_hand) <= set(released)


@given(rows)
@examples(2, many=6)
def test_a_count_and_a_rate_are_what_counting_by_hand_gives_in_every_cell(found):
    people = {"north": 1000, "east": 250, "south": 40, "west": 0}
    with tempfile.TemporaryDirectory() as folder:
        made = as_stays(found)
        measures = {
            "stay_count": {"places": ["ward"], "groups": ["race"], "period": QUARTER},
            "stay_rate": {"kind": "rate", "per": 1000, "places": ["ward"], "period": YEAR},
        }
        told = town_of(Path(folder), made, people=people, **measures).run()
        stay_counts, stay_rates = told.cells("stay_count"), told.cells("stay_rate")

    quarters = counted(made, lambda d: f"{d.year}-Q{(d.month + 2) // 3}")
    for cell, estimate in stay_counts.items():
        x = sum(quarters.get(cell, Counter()).values())
        assert (x, float(x), *poisson(x)) == pytest.approx(
            (estimate.events, estimate.value, estimate.low, estimate.high)
        )
    years = counted(made, lambda d: str(d.year))
    for cell, estimate in stay_rates.items():
        inside = [cell.place] if cell.place in people else list(people)
        x = sum(sum(years.get(Cell(cell.period, "ward", w), Counter()).values()) for w in inside)
        n = sum(people[w] for w in inside)
        if n == 0:
            assert ("no exposure", None) == (estimate.state, estimate.value)
            continue
        scaled = tuple(1000 * v / n for v in (x, *poisson(x)))
        assert (x, n, *scaled) == pytest.approx(
            (estimate.events, estimate.base, estimate.value, estimate.low, estimate.high)
        )


@given(rows)
@examples(2, many=6)
def test_places_with_outside_and_no_place_add_up_to_the_city_and_so_do_groups(found):
    with tempfile.TemporaryDirectory() as folder:
        released = town_of(Path(folder), as_stays(found), homes=HOME).run().cells("homes")

    for period in {c.period for c in released}:
        for parts in ({"geography": "ward"}, {"dimension": "race"}):
            listed = [
                e for c, e in released.items() if c.period == period and {k: getattr(c, k) for k in parts} == parts
            ]
            city = released[Cell(period)]
            sums = tuple(sum(getattr(e, k) or 0 for e in listed) for k in ("events", "base"))
            assert (city.events, city.base) == sums


@given(rows, st.randoms(use_true_random=False))
@settings(max_examples=2, deadline=None)
def test_neither_the_order_of_rows_nor_the_number_of_files_changes_a_number(found, shuffler: random.Random):
    made = as_stays(found)
    mixed = shuffler.sample(made, len(made))
    cut = shuffler.randint(1, len(made) - 1)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        first = town_of(Path(one), made, homes=HOME, all_stays={"places": ["ward"]}).run()
        second = town_of(Path(many), mixed[:cut], homes=HOME, all_stays={"places": ["ward"]})
        second.csv("stays_2.csv", mixed[cut:])
        again = second.run()

    for name in ("homes", "all_stays"):
        assert first.measured(name).sha256 == again.measured(name).sha256


def test_what_lies_outside_is_in_no_rate(tmp_path):
    found = stays({"north": 30, "elsewhere": 50, "": 20})
    measure = {"kind": "rate", "per": 100, "places": ["ward"]}
    cells = town_of(tmp_path, found, people=dict.fromkeys(WARDS, 100), stay_rate=measure).run().cells("stay_rate")

    assert (30 / 400 * 100, {"all", *WARDS}) == (cells[Cell()].value, {c.place for c in cells})


def test_a_rate_is_divided_by_the_people_of_the_places_that_it_counts_and_no_others(tmp_path):
    # Nobody knows how many live in the west: what happens there is in no rate, nor in the city's.
    found = stays({"north": 30, "west": 50})
    people = {"north": 100, "east": 100, "south": 100, "west": ""}
    measure = {"kind": "rate", "per": 100, "places": ["ward"]}
    cells = town_of(tmp_path, found, people=people, stay_rate=measure).run().cells("stay_rate")

    expected = (10.0, "cannot be answered", None)
    west = cells[Cell(ALL, "ward", "west")]
    assert expected == (cells[Cell()].value, west.state, west.events)


def test_where_nobody_counted_residents_a_rate_says_why_it_cannot_be_answered(tmp_path):
    measure = {"kind": "rate", "places": ["ward", "zone"]}
    town = town_of(tmp_path, stays({"north": 30}), people=dict.fromkeys(WARDS, 9), stay_rate=measure)
    town.places["zone"] = {k: v for k, v in town.places["ward"].items() if k != "people"} | {"title": "Zones"}
    town.product("stays", STAY_COLUMNS, unit="none", table={"geographyKey": [
        {"column": "ward", "layer": "ward"}, {"column": "ward", "layer": "zone"},
    ]})  # fmt: skip
    told = {c.geography: e for c, e in town.city().run().cells("stay_rate").items() if c.place == ALL}

    assert ("cannot be answered", None) == (told["zone"].state, told["zone"].value)
    assert "no number of residents is declared for zones" == told["zone"].note


def test_a_rate_that_nothing_divides_is_refused(tmp_path):
    town = town_of(tmp_path, stays({"north": 30}), stay_rate={"kind": "rate", "places": ["ward"]})
    town.places["ward"].pop("people", None)

    assert ["M108"] == [p.code for p in town.city().run().measured("stay_rate").problems]


def test_a_rate_by_group_says_that_nobody_counted_residents_by_group(tmp_path):
    measure = {"kind": "rate", "places": ["ward"], "groups": ["race"]}
    cells = (
        town_of(tmp_path, stays({"north": 30}), people=dict.fromkeys(WARDS, 9), stay_rate=measure)
        .run()
        .cells("stay_rate")
    )

    assert "no number of residents by race is declared" == cells[Cell(ALL, ALL, ALL, "race", ALL)].note


def test_a_table_without_place_says_so_instead_of_a_number(tmp_path):
    town = town_of(tmp_path, stays({"north": 30}), stay_count={"places": ["ward"]})
    town.product("stays", STAY_COLUMNS, unit="none")
    cell = town.run().cells("stay_count")[Cell(ALL, "ward", ALL)]

    assert ("cannot be answered", None) == (cell.state, cell.value)
    assert "no column holds a point or the key of wards" in cell.note


def test_rows_without_a_date_are_told_and_in_no_period(tmp_path):
    found = [*stays({"north": 30}), *({**r, "id": r["id"] + "x", "day": ""} for r in stays({"north": 4}))]
    told = town_of(tmp_path, found, stay_count={"period": {"column": "day", "grain": "all"}}).run()

    assert (30, ("4 rows have no date and are in no period",)) == (
        told.cells("stay_count")[Cell()].events,
        told.measured("stay_count").notes,
    )


def test_rows_of_which_nobody_knows_whether_they_count_are_told_and_left_out(tmp_path):
    found = [*stays({"north": 30}, race="A"), *({**r, "id": r["id"] + "x", "race": ""} for r in stays({"north": 4}))]
    told = town_of(tmp_path, found, stay_count={"among": "race = 'A'"}).run()

    expected = 30, ("4 rows are left out: it is not recorded whether they count",)
    assert expected == (told.cells("stay_count")[Cell()].events, told.measured("stay_count").notes)


def test_counting_nothing_gives_zero_and_not_silence(tmp_path):
    told = town_of(tmp_path, stays({"north": 30}), stay_count={"among": "race = 'Z'", "places": ["ward"]}).run()

    assert {0} == {e.events for e in told.cells("stay_count").values()}


def test_zero_has_an_upper_bound(tmp_path):
    told = town_of(tmp_path, stays({"north": 30}), stay_count={"among": "race = 'Z'"}).run()

    assert (0.0, pytest.approx(3.6889, abs=1e-4)) == (
        told.cells("stay_count")[Cell()].low,
        told.cells("stay_count")[Cell()].high,
    )
