"""Every cell is what a person with a pencil would count, and every sum that ties cells is true."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.estimate import ALL, INSIDE, NOWHERE, OUTSIDE, UNKNOWN, Cell
from metroon.base.kinds import build
from metroon.base.node import Node
from metroon.base.period import last_day
from metroon.base.period import name as period_name
from metroon.base.places import Places
from metroon.locate import column as place_column
from metroon.measure import Indicator
from metroon.measure.cube import FLOW, GROUP, MONTH, Codes, Cube, Finest
from metroon.measure.grid import is_nested, mentions
from metroon.measure.tally import Asking, Tallied, tally
from town import promise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Row = dict[str, Any]
AS_OF = date(2026, 1, 10)
BEGAN = date(2024, 1, 1)
WARD = Places("ward", "Wards", "2025", True, {k: k for k in "nesw"}, people={"n": 100.0, "e": 200.0, "s": 300.0})
BAND = Places("ward.rich", "Bands", "2025", True, {"low": "low", "high": "high"}, base="ward", whole=WARD,
              areas={"n": "low", "e": "low", "s": "high"})  # fmt: skip
BEAT = Places("beat", "Beats", "2025", True, {k: k for k in "abc"})
PLACES = {"ward": WARD, "ward.rich": BAND, "beat": BEAT}
OVERLAPS = {("ward", "beat"): {("n", "a"), ("e", "a"), ("e", "b"), ("s", "b"), ("s", "c"), ("w", "c")}}
CONTRACT = promise({"id": "string public"}, unit="none")

ROW = st.fixed_dictionaries({
    "day": st.integers(0, 730).map(lambda n: BEGAN + timedelta(days=n)) | st.none(),
    "ward": st.sampled_from([*"nesw", OUTSIDE, NOWHERE]),
    "beat": st.sampled_from([*"abc", OUTSIDE, NOWHERE]),
    "race": st.sampled_from(["A", "B", "A;B", "B; A", "A;B;C", UNKNOWN]),
    "outcome": st.sampled_from(["yes", "no", "unknown"]),
})  # fmt: skip
ROWS = st.lists(ROW, min_size=1, max_size=60)


def with_ends(found: Sequence[Row]) -> list[Row]:
    """The rows, and one on each tenth day, so that the two years are covered wholly."""
    usual = {"ward": "n", "beat": "a", "race": "A", "outcome": "yes"}
    return [*({"day": BEGAN + timedelta(days=10 * i), **usual} for i in range(74)), *found]


def finest(found: Sequence[Row], keys: Mapping[str, str]) -> Finest:
    """The finest cells of some rows, as the engine would give them. Keys: key of the cells -> key of the rows."""

    def label(r: Row, key: str) -> str | None:
        return (None if r["day"] is None else f"{r['day']:%Y-%m}") if key == MONTH else r[keys[key]]

    cells: dict[tuple[str | None, ...], list[Row]] = defaultdict(list)
    for r in found:
        cells[tuple(label(r, k) for k in keys)].append(r)
    codes = {}
    for i, key in enumerate(keys):
        labels = sorted({c[i] for c in cells if c[i] is not None})
        every = (*labels, None)
        codes[key] = Codes(np.array([every.index(c[i]) for c in cells]), every)
    numbers: dict[str, list[int]] = {"_rows": [len(rows) for rows in cells.values()]}
    for part in ("yes", "no", "unknown"):
        numbers[f"it/{part}"] = [sum(r["outcome"] == part for r in rows) for rows in cells.values()]
    for flow in ("in", "out"):
        numbers[f"it/{flow}"] = [sum(r.get("flow") == flow for r in rows) for rows in cells.values()]
    days = [sum({1 << r["day"].day for r in rows if r["day"]}) for rows in cells.values()]
    numbers |= {"_days": days, "it/_days": days}
    return Finest(codes, {k: np.array(v) for k, v in numbers.items()})


def declared(**given: Any) -> Indicator:
    told = {"kind": "share", "when": "ok", "title": "It", "question": "?", "of": "stays", **given}
    return build("measure", Node(told, "measures/it.yaml"), Indicator)


def tallied(
    found: Sequence[Row], *geographies: str, longer: Sequence[Any] = (), people: Any = None, **given: Any
) -> Tallied:
    indicator = declared(places=[g for g in geographies if g in given.pop("asked", geographies)], **given)
    keys = {MONTH: "day"} if indicator.period else {}
    keys |= {
        place_column(g): g for g in ("ward", "beat") if g in {*geographies, *(PLACES[g].base for g in geographies)}
    }
    keys |= {GROUP + g.by: g.by for g in indicator.groups} | ({FLOW: "flow"} if indicator.accumulates else {})
    cube = Cube(finest(found, keys), {}, None, None, {"it": indicator}, has_people=False)
    asking = Asking(
        "it", indicator, CONTRACT, [PLACES[g] for g in geographies], OVERLAPS, 11, AS_OF, longer, people or {}
    )
    return tally(cube, asking)


def false_lines(made: Tallied) -> list[Any]:
    cells = made.table.tallies

    def counts(cell: Cell) -> np.ndarray:
        return np.array([cells[cell].yes, cells[cell].no, cells[cell].unknown])

    return [line for line in made.table.lines if (sum(map(counts, line.parts)) != counts(line.total)).any()]


def by_hand(found: Sequence[Row], is_in: Callable[[Row], bool]) -> tuple[int, int, int]:
    outcomes = Counter(r["outcome"] for r in found if is_in(r))
    return outcomes["yes"], outcomes["no"], outcomes["unknown"]


def counted(made: Tallied, cell: Cell) -> tuple[int, int, int]:
    t = made.table.tallies[cell]
    return t.yes, t.no, t.unknown


def period(grain: str, **more: Any) -> dict[str, Any]:
    return {"period": {"column": "day", "grain": grain, **more}}


RACE = {"groups": [{"by": "race", "separator": ";"}]}
WHOLE: dict[str, dict[str, Any]] = {
    "years": period("year"),
    "months and years": period("month", places="year", groups="quarter"),
    "fiscal years": period("quarter", places="year", fiscal_year_begins=7),
    "odd fiscal years": period("quarter", groups="year", fiscal_year_begins=2),
    "all": period("all"),
    "no period": {},
}


@pytest.mark.parametrize("when", WHOLE)
@given(ROWS)
@settings(max_examples=6)
def test_every_sum_that_ties_cells_is_true_for_places_bands_crossed_and_several_answers(when, found):
    made = tallied(with_ends(found), "ward", "ward.rich", "beat", longer=["year", "all"], **WHOLE[when], **RACE)

    assert [] == false_lines(made)
    assert len(set(made.grid.cells)) == len(made.grid.cells)


@given(ROWS, st.integers(1, 12), st.sampled_from(["month", "quarter", "year"]))
@settings(max_examples=25)
def test_each_period_counts_its_own_rows_and_each_row_is_in_one(found, begins, grain):
    every = with_ends(found)
    made = tallied(every, "ward", **period(grain, fiscal_year_begins=begins))

    def of(r: Row) -> str | None:
        return None if r["day"] is None else period_name(r["day"], grain, begins)

    for c in made.grid.cells:
        assert by_hand(every, lambda r, c=c: of(r) == c.period and c.place in (ALL, r["ward"])) == counted(made, c)
    dated = [r for r in every if r["day"] is not None]
    assert len(dated) == sum(sum(counted(made, c)) for c in made.grid.cells if c.geography == ALL)
    assert len(every) - len(dated) == made.undated


@given(ROWS)
@settings(max_examples=25)
def test_bands_hold_the_rows_of_their_wards(found):
    made = tallied(found, "ward", "ward.rich")
    of = {"n": "low", "e": "low", "s": "high", "w": OUTSIDE, OUTSIDE: OUTSIDE, NOWHERE: NOWHERE}
    for band in ("low", "high", OUTSIDE, NOWHERE):
        assert by_hand(found, lambda r, b=band: of[r["ward"]] == b) == counted(made, Cell(ALL, "ward.rich", band))


@given(ROWS)
@settings(max_examples=25)
def test_several_answers_are_one_group_of_their_own_and_count_in_each_they_name(found):
    made = tallied(found, **RACE)
    answers = {
        UNKNOWN: {UNKNOWN},
        "A": {"A"},
        "B": {"B"},
        "A;B": {"A", "B"},
        "B; A": {"A", "B"},
        "A;B;C": {"A", "B", "C"},
    }
    for c in made.grid.cells:
        if c.dimension == "race":
            named = {"Several": lambda r: len(answers[r["race"]]) > 1}.get(
                c.group, lambda r, c=c: {c.group} == answers[r["race"]]
            )
            assert by_hand(found, named) == counted(made, c)
        elif c.dimension == "race, any mention":
            assert by_hand(found, lambda r, c=c: c.group in answers[r["race"]]) == counted(made, c)
    one = [c for c in made.grid.cells if c.dimension == "race"]
    assert len(found) == sum(sum(counted(made, c)) for c in one)


@pytest.mark.parametrize("odd", [";", " ; ", ";;", "A;", ";A", "A;A", "Several", "Several;A", "all", "(unknown);A"])
def test_odd_answers_make_no_sum_false_and_no_row_is_lost(odd):
    usual = {"day": None, "ward": "n", "beat": "a", "outcome": "yes"}
    found = [{**usual, "race": race} for race in ("A", "B", "A;B", odd, odd, UNKNOWN)]
    made = tallied(found, **RACE)

    assert [] == false_lines(made)
    for dimension in ("race", "race, any mention"):
        assert len(found) <= sum(sum(counted(made, c)) for c in made.grid.cells if c.dimension == dimension)


@given(ROWS)
@settings(max_examples=25)
def test_what_two_geographies_share_is_a_cell_that_is_never_shown(found):
    made = tallied(found, "ward", "beat")
    both = [(c, shown) for c, shown in zip(made.grid.cells, made.grid.shown, strict=True) if "\x1f" in c.geography]
    for c, is_shown in both:
        a, b = c.place.split("\x1f")
        assert not is_shown
        assert by_hand(found, lambda r, a=a, b=b: (r["ward"], r["beat"]) == (a, b)) == counted(made, c)
    assert len(found) == sum(sum(counted(made, c)) for c, _ in both)


@given(ROWS)
@settings(max_examples=25)
def test_every_shown_cell_but_the_city_is_part_of_a_sum(found):
    made = tallied(with_ends(found), "ward", "ward.rich", "beat", **period("month", places="year"), **RACE)
    tied = {p for line in made.table.lines for p in line.parts} | {line.total for line in made.table.lines}
    shown = {c for c, is_shown in zip(made.grid.cells, made.grid.shown, strict=True) if is_shown}

    assert set() == shown - tied


# Rates


RESIDENTS = {("n", "A"): 60.0, ("n", "B"): 40.0, ("e", "A"): 120.0, ("e", "B"): 80.0, ("s", "A"): 200.0}
"""In the south nobody counted residents of B, in the west nobody counted anybody."""
PEOPLE = {"of": "residents", "column": "n", "group": "race", "place": "ward", "geography": "ward", "source": "count",
          "vintage": "2025"}  # fmt: skip


@given(ROWS)
@settings(max_examples=25)
def test_a_rate_counts_only_where_residents_are_counted(found):
    every = with_ends([{**r, "outcome": "yes"} for r in found])
    groups = [{"by": "race", "reference": "A", "people": PEOPLE}]
    made = rate(every, groups)

    assert [] == false_lines(made)
    people = dict(zip(made.grid.cells, made.tallies.people.tolist(), strict=True))
    for year in ("2024", "2025"):

        def of_year(r: Row, year: str = year) -> bool:
            return r["day"] is not None and str(r["day"].year) == year

        inside = Cell(year, "ward", INSIDE)
        assert by_hand(every, lambda r: of_year(r) and r["ward"] in "nes") == counted(made, inside)
        a, b = (Cell(year, ALL, ALL, "race", g) for g in "AB")
        assert by_hand(every, lambda r: of_year(r) and r["ward"] in "nes" and r["race"] == "A") == counted(made, a)
        # Whom nobody counted where they live is in no rate, above or below the line.
        assert by_hand(every, lambda r: of_year(r) and r["ward"] in "ne" and r["race"] == "B") == counted(made, b)
        assert (600.0, 380.0, 120.0) == (people[inside], people[a], people[b])


def rate(found: Sequence[Row], groups: Sequence[Mapping[str, Any]]) -> Tallied:
    told = {"kind": "rate", "title": "It", "question": "?", "of": "stays", "places": ["ward"], "groups": list(groups)}
    indicator = build("measure", Node({**told, **period("year")}, "measures/it.yaml"), Indicator)
    keys = {MONTH: "day", place_column("ward"): "ward", GROUP + "race": "race"}
    cube = Cube(finest(found, keys), {}, None, None, {"it": indicator}, has_people=False)
    asking = Asking("it", indicator, CONTRACT, [WARD], {}, 11, AS_OF, people={"race": RESIDENTS})
    return tally(cube, asking)


@given(ROWS)
@settings(max_examples=15)
def test_what_is_in_no_rate_is_never_shown(found):
    made = rate(with_ends([{**r, "outcome": "yes"} for r in found]), [{"by": "race", "people": PEOPLE}])
    shown = {c for c, is_shown in zip(made.grid.cells, made.grid.shown, strict=True) if is_shown}

    assert set() == {c for c in shown if c.place in (OUTSIDE, NOWHERE) or c.group == "(no residents)"}
    assert {Cell(y, "ward", INSIDE) for y in ("2024", "2025")} <= shown
    assert set() == {c for c in shown if c.geography == ALL and c.dimension == ALL}


# Stocks


STAY = st.tuples(st.integers(0, 720), st.integers(0, 400) | st.none(), st.sampled_from([*"nesw", NOWHERE]))


def flows(stays: Sequence[tuple[int, int | None, str]]) -> list[Row]:
    found = []
    for begun, length, ward in stays:
        usual = {"ward": ward, "beat": "a", "race": "A", "outcome": "yes"}
        found.append({"day": BEGAN + timedelta(days=begun), "flow": "in", **usual})
        if length is not None:
            found.append({"day": BEGAN + timedelta(days=begun + length), "flow": "out", **usual})
    return found


@given(st.lists(STAY, max_size=40), st.sampled_from(["month", "quarter", "year"]))
@settings(max_examples=25)
def test_a_stock_is_what_was_there_and_came_less_what_went_in_every_cell(stays, grain):
    ends = [(10 * i, 5, "n") for i in range(73)]
    every = [*ends, *stays]
    made = stock(flows(every), grain)

    assert [] == false_lines(made)
    for c in made.grid.cells:
        if c.dimension == ALL and c.place in (ALL, *"nesw"):
            here = [s for s in every if c.place in (ALL, s[2])]
            day = (last_day(c.period) - BEGAN).days
            there = sum(b <= day and (n is None or b + n > day) for b, n, _ in here)
            assert there == made.table.tallies[c].yes


def stock(found: Sequence[Row], grain: str, **more: Any) -> Tallied:
    told = {"kind": "stock", "until": "ended", "title": "It", "question": "?", "of": "stays", "places": ["ward"]}
    indicator = build("measure", Node({**told, **period(grain, **more)}, "measures/it.yaml"), Indicator)
    cube = Cube(finest(found, {MONTH: "day", place_column("ward"): "ward", FLOW: "flow"}), {}, None, None,
                {"it": indicator}, has_people=False)  # fmt: skip
    return tally(cube, Asking("it", indicator, CONTRACT, [WARD], {}, 11, AS_OF, ["year"]))


@given(st.lists(STAY, max_size=40))
@settings(max_examples=15)
def test_between_two_periods_a_stock_moves_by_its_flows(stays):
    made = stock(flows([*((10 * i, 5, "n") for i in range(73)), *stays]), "month", places="quarter")
    periods = sorted(
        {c.period for c in made.grid.cells if c.geography == ALL and len(c.period) == 7 and "Q" not in c.period}
    )
    there = {p: made.table.tallies[Cell(p)].yes for p in periods}
    moved = {
        p: made.table.tallies[Cell(p, dimension="flow", group="in")].yes
        - made.table.tallies[Cell(p, dimension="flow", group="out")].yes
        for p in periods
    }

    assert {p: there[p] - there[q] for q, p in pairwise(periods)} == {p: moved[p] for p in periods[1:]}


def test_who_was_there_or_came_is_never_shown():
    made = stock(flows([(10 * i, 30, "n") for i in range(73)]), "month")
    shown = [c for c, is_shown in zip(made.grid.cells, made.grid.shown, strict=True) if is_shown]

    assert {ALL, "in", "out"} == {c.group for c in shown}


# Small parts


@given(st.lists(st.sampled_from(["A", "B", "C d"]), max_size=6), st.sampled_from([";", ",", "|"]))
def test_different_answers_are_told_once_and_in_their_order(answers, sign):
    assert tuple(dict.fromkeys(answers)) == mentions(f" {sign} ".join(answers), sign)


@given(st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("1234"))))
def test_geographies_are_nested_when_one_side_never_comes_twice(pairs):
    sides = [[p[side] for p in pairs] for side in (0, 1)]

    assert (bool(pairs) and any(len(set(s)) == len(s) for s in sides)) == is_nested(pairs)
