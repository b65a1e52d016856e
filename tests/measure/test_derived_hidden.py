"""What is hidden in a number is hidden in all that is worked out from it, and follows from nothing that is released."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import asdict
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from metroon import scorecard
from metroon.base.estimate import ALL, NOWHERE, OUTSIDE, UNKNOWN, Cell, Estimate
from town import IN_WARDS, STAY_COLUMNS, WARDS, Told, Town

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from metroon.base.scorecard import Score

YEAR = {"column": "day", "grain": "year"}
QUARTER = {"column": "day", "grain": "quarter", "places": "year", "groups": "year"}
Kind = tuple[Any, ...]


def town_of(
    folder: Path, rows: Sequence[dict[str, Any]], measures: Mapping[str, dict[str, Any]], **columns: Any
) -> Town:
    town = Town(folder).with_wards(dict.fromkeys(WARDS, 1000))
    town.csv("stays.csv", rows)
    town.product("stays", {**STAY_COLUMNS, **columns}, table=IN_WARDS)
    for name, measure in measures.items():
        town.measure(name, **measure)
    return town


# What a score says of hidden cells


TARGET = {"points": [{"on": "2025-12-31", "value": 0.5}], "authority": "council", "frozen_at": "2024-01-01"}
SCORED: dict[str, dict[str, Any]] = {
    "homes": {"kind": "share", "when": "is_home", "direction": "up", "target": TARGET, "baseline": {"period": "2024"},
              "groups": [{"by": "race", "reference": "all"}], "places": ["ward"], "period": YEAR},
    "stay_rate": {"kind": "rate", "direction": "down", "places": ["ward"], "period": YEAR,
                  "target": {**TARGET, "points": [{"on": "2025-12-31", "value": 900}]}},
    "stay_count": {"places": ["ward"], "groups": ["race"], "direction": "down", "period": QUARTER, "complaints": True,
                   "coverage": "homes"},
}  # fmt: skip
STAYS: list[Kind] = list(product([*WARDS, "elsewhere"], ["A", "B", "C"], ["yes", "no"], [2024, 2025]))


def invented(seed: int, n: int) -> list[Kind]:
    dice = random.Random(seed)
    weights = [dice.random() ** 3 + 0.02 for _ in STAYS]
    return [("north", "A", "yes", 2024), ("north", "A", "yes", 2025), *dice.choices(STAYS, weights, k=n)]


def rows_of(stays: Sequence[Kind]) -> list[dict[str, Any]]:
    days = {0: "01-01", 1: "12-31"}
    return [
        {"id": f"s{i}", "person": f"p{i}", "day": f"{y}-{days.get(i, f'{i % 12 + 1:02d}-15')}", "ward": w, "race": r,
         "is_home": o}
        for i, (w, r, o, y) in enumerate(stays)
    ]  # fmt: skip


def cards(told: Told) -> dict[str, Score]:
    return {s.measured.measure: s for s in scorecard.scores(told.walk)[0]}


def facts(score: Score) -> str:
    told = asdict(score)
    told["measured"].pop("geographies")
    return json.dumps(told, default=str, sort_keys=True)


def hidden(score: Score) -> set[Cell]:
    return {e.cell for e in score.measured.estimates if e.state == "hidden"}


SEEDS = [(1, 260), *(pytest.param((s, n), marks=pytest.mark.slow) for s, n in ((2, 340), (3, 500)))]


@pytest.fixture(scope="module", params=SEEDS, ids=str)
def scored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Score]:
    seed, n = request.param
    told = town_of(tmp_path_factory.mktemp("scored"), rows_of(invented(seed, n)), SCORED).run()
    assert [] == told.codes()
    return cards(told)


@pytest.mark.parametrize("name", SCORED)
def test_nothing_that_is_worked_out_has_a_number_of_a_hidden_cell(scored, name):
    score = scored[name]
    cells = hidden(score)
    targets = [t for t in (score.target, *score.targets) if t is not None]

    assert cells
    assert {("hidden", None)} >= {(t.status, t.gap) for t in targets if t.cell in cells}
    assert set() == cells & {x.cell for x in (*score.gaps, *score.places)}
    assert [] == [c for c in score.covered if c.cell in cells and c.corrected is not None]
    for course in [c for c in (score.course, *score.courses) if c is not None]:
        known = {
            Cell(p, course.cell.geography, course.cell.place, course.cell.dimension, course.cell.group)
            for p, v in zip(course.periods, course.values, strict=True)
            if v is not None
        }
        assert set() == known & cells


@pytest.mark.parametrize("name", SCORED)
def test_groups_that_are_hidden_are_in_no_summary_and_named_as_left_out(scored, name):
    score = scored[name]
    last = {c.group for c in hidden(score) if c.dimension == "race" and c.period in score.measured.headlines}

    if score.inequality or score.left_out:
        assert last <= {word.strip(" ,:") for word in score.left_out.get("race", "").replace("without", "").split()}


def moved(stays: Sequence[Kind], score: Score, dice: random.Random) -> list[Kind] | None:
    """The stays, one of them moved from a hidden ward into another hidden one of the same year; None without any."""
    of_year: dict[str, list[str]] = {}
    for c in hidden(score):
        if c.place in WARDS and c.dimension == ALL:
            of_year.setdefault(c.period, []).append(c.place)
    years = [y for y, wards in of_year.items() if len(wards) > 1]
    if not years:
        return None
    year = dice.choice(sorted(years))
    source, into = dice.sample(sorted(of_year[year]), 2)
    able = [i for i, (w, _, _, y) in enumerate(stays) if (w, str(y)) == (source, year) and i > 1]
    if not able:
        return None
    at = dice.choice(able)
    return [(into, *k[1:]) if i == at else k for i, k in enumerate(stays)]


def other_towns(folder: Path, seeds: Sequence[int], n: int) -> Iterator[tuple[Told, Told]]:
    """Pairs of towns whose rows differ in hidden cells only and whose releases are equal."""
    for seed in seeds:
        stays, dice = invented(seed, n), random.Random(seed)
        one = town_of(folder / f"{seed}", rows_of(stays), SCORED).run()
        for again in range(3):
            changed = moved(stays, cards(one)["homes"], dice)
            if changed is None:
                break
            two = town_of(folder / f"{seed}-{again}", rows_of(changed), SCORED).run()
            if [m.sha256 for m in one.run.measured] == [m.sha256 for m in two.run.measured]:
                yield one, two
                break


@pytest.mark.parametrize(
    "seeds", [range(41, 42), pytest.param(range(50, 62), marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_two_towns_that_differ_only_in_what_is_hidden_have_the_same_scores(tmp_path, seeds):
    pairs = list(other_towns(tmp_path, seeds, 230))

    assert pairs
    for one, two in pairs:
        first, second = cards(one), cards(two)
        assert {n: facts(s) for n, s in first.items()} == {n: facts(s) for n, s in second.items()}


# A reader who solves for what was withheld


class Reader:
    """Takes every released number as an equation over kinds of rows; written apart from the product."""

    def __init__(self, kinds: Sequence[Kind], truth: Sequence[Kind]) -> None:
        found = Counter(truth)
        self.kinds, self.truth = list(kinds), np.array([found[k] for k in kinds], dtype=float)
        self.left: list[np.ndarray] = []
        self.right: list[float] = []
        self.withheld: list[tuple[str, np.ndarray]] = []

    def rows(self, is_in: Callable[[Kind], bool]) -> np.ndarray:
        return np.array([is_in(k) for k in self.kinds], dtype=float)

    def reads(self, name: str, cells: Mapping[Cell, Estimate], is_in: Callable[[Cell, Kind], bool],
              outcomes: Sequence[Callable[[Kind], bool]] = ()) -> None:  # fmt: skip
        for cell, e in cells.items():
            all_of = self.rows(lambda k, c=cell: is_in(c, k))
            parts = [all_of * self.rows(o) for o in outcomes] or [all_of]
            if e.state == "hidden":
                self.withheld += [(f"{name} {cell}", part) for part in parts]
            elif not outcomes:
                self.knows(all_of, e.events or 0)
            elif e.base is None:
                for part in parts if e.state == "no exposure" else parts[:2]:
                    self.knows(part, 0)
            else:
                for part, n in zip(parts, (e.events, e.base - (e.events or 0), e.unknown), strict=True):
                    self.knows(part, float(n or 0))

    def knows(self, rows: np.ndarray, n: float) -> None:
        assert n == float(rows @ self.truth), "an equation is false"
        self.left.append(rows)
        self.right.append(n)

    def interval(self, rows: np.ndarray) -> tuple[float, float]:
        return self._least(rows), -self._least(-rows)

    def _least(self, aim: np.ndarray) -> float:
        known = [LinearConstraint(np.array(self.left), self.right, self.right)] if self.left else []
        found = milp(aim, integrality=np.ones(len(aim)), bounds=Bounds(0, np.inf), constraints=known)
        return float(found.fun) if found.x is not None else -np.inf

    def exposed(self, minimum: int = 11) -> list[tuple[str, float, float, float]]:
        """Small numbers that were withheld and that follow more closely than the guard promises."""
        found = []
        for name, rows in self.withheld:
            n = float(rows @ self.truth)
            if 0 < n < minimum:
                low, high = self.interval(rows)
                if low > n - min(n, 2) + 1e-6 or high < n + max(3, 5 - n) - 1e-6:
                    found.append((name, n, low, high))
        return found


def place_of(ward: str) -> str:
    return ward if ward in WARDS else OUTSIDE if ward else NOWHERE


def some(kinds: Sequence[Kind], seed: int, n: int) -> list[Kind]:
    dice = random.Random(seed)
    return dice.choices(kinds, [dice.random() ** 3 + 0.03 for _ in kinds], k=n)


# Places by year and the city by quarter: (ward, quarter from 2024 on).

GRAINS: list[Kind] = list(product([*WARDS, ""], range(8)))


def quarter(k: Kind) -> str:
    return f"{2024 + k[1] // 4}-Q{k[1] % 4 + 1}"


def grain_rows(kinds: Sequence[Kind]) -> list[dict[str, Any]]:
    """Of each quarter one stay on its first day and one on its last, if there are as many."""
    seen: Counter[int] = Counter()
    made = []
    for i, (ward, q) in enumerate(kinds):
        first = date(2024 + q // 4, 3 * (q % 4) + 1, 1)
        last = date(2024 + (q + 1) // 4, 3 * ((q + 1) % 4) + 1, 1) - timedelta(days=1)
        day = first if not seen[q] else last if seen[q] == 1 else first + timedelta(days=45)
        seen[q] += 1
        made.append(
            {"id": f"s{i}", "person": f"p{i}", "day": day.isoformat(), "ward": ward, "race": "A", "is_home": "yes"}
        )
    return made


@pytest.mark.parametrize(
    ("seed", "n"), [(1, 240), *(pytest.param(s, n, marks=pytest.mark.slow) for s, n in ((2, 160), (3, 320), (4, 420)))]
)
def test_longer_periods_of_places_do_not_tell_what_shorter_ones_of_the_city_hide(tmp_path, seed, n):
    kinds = [*((w, q) for w in ("north", "south") for q in range(8)), *some(GRAINS, seed, n)]
    measures = {
        "fine": {"places": ["ward"], "period": QUARTER},
        "per_people": {"kind": "rate", "places": ["ward"], "period": YEAR},
        "in_quarters": {"places": ["ward"], "period": {"column": "day", "grain": "quarter"}},
    }
    told = town_of(tmp_path, grain_rows(kinds), measures).run()
    reader = Reader(GRAINS, kinds)

    def is_in(cell: Cell, k: Kind, *, is_rate: bool = False) -> bool:
        is_then = cell.period in (ALL, quarter(k), quarter(k)[:4])
        return is_then and cell.place in (ALL, place_of(k[0])) and not (is_rate and k[0] not in WARDS)

    reader.reads("fine", told.cells("fine"), is_in)
    reader.reads("in_quarters", told.cells("in_quarters"), is_in)
    reader.reads("per_people", told.cells("per_people"), lambda c, k: is_in(c, k, is_rate=True))

    assert [] == told.codes()
    assert reader.withheld
    assert [] == reader.exposed()


# Several answers: (race as it was answered, whether it led home).

ANSWERS = {
    "A": {"A"},
    "B": {"B"},
    "C": {"C"},
    "A;B": {"A", "B"},
    "A;C": {"A", "C"},
    "A;B;C": {"A", "B", "C"},
    "": {UNKNOWN},
}
SEVERAL: list[Kind] = list(product(ANSWERS, ["yes", "no", ""]))
HOME = [lambda k: k[1] == "yes", lambda k: k[1] == "no", lambda k: k[1] == ""]


@pytest.mark.parametrize(
    ("seed", "n"),
    [(1, 150), *(pytest.param(s, n, marks=pytest.mark.slow) for s, n in ((2, 90), (3, 60), (4, 250), (5, 400)))],
)
def test_one_group_each_and_any_mention_do_not_tell_together_what_each_hides(tmp_path, seed, n):
    kinds = some(SEVERAL, seed, n)
    rows = [
        {"id": f"s{i}", "person": f"p{i}", "day": "2025-05-05", "ward": WARDS[i % 4], "race": r, "is_home": o}
        for i, (r, o) in enumerate(kinds)
    ]
    group = {"by": "race", "separator": ";", "reference": "A"}
    measures = {
        "homes": {"kind": "share", "when": "is_home", "groups": [group]},
        "stay_count": {"groups": [group]},
    }
    told = town_of(tmp_path, rows, measures).run()
    reader = Reader(SEVERAL, kinds)

    def is_in(cell: Cell, k: Kind) -> bool:
        named = ANSWERS[k[0]]
        if cell.dimension == "race":
            return cell.group == (next(iter(named)) if len(named) == 1 else "Several")
        return cell.dimension == ALL or cell.group in named

    reader.reads("homes", told.cells("homes"), is_in, HOME)
    reader.reads("stay_count", told.cells("stay_count"), is_in)

    assert [] == told.codes()
    assert reader.withheld
    assert [] == reader.exposed()


# Stocks: (ward, year of coming, year of leaving or 9999).

LEFT = 9999
STOCKS: list[Kind] = [(w, a, b) for w, a, b in product(WARDS, (2023, 2024, 2025), (2023, 2024, 2025, LEFT)) if a <= b]


def stock_town(folder: Path, kinds: Sequence[Kind], measures: Mapping[str, dict[str, Any]]) -> Told:
    seen: Counter[int] = Counter()
    rows = []
    for i, (ward, came, left) in enumerate(kinds):
        seen[came] += 1
        begun = {1: date(came, 1, 1), 2: date(came, 12, 31)}.get(
            seen[came], date(came, 1, 1) + timedelta(days=7 * (i % 50))
        )
        gone = "" if left == LEFT else date(left, 12, 31).isoformat()
        rows.append({"id": f"s{i}", "person": f"p{i}", "day": begun.isoformat(), "ward": ward, "race": "A",
                     "is_home": "yes", "gone": gone})  # fmt: skip
    return town_of(folder, rows, measures, gone="date quasi").run()


def in_stock(cell: Cell, k: Kind) -> bool:
    ward, came, left = k
    if cell.place not in (ALL, ward):
        return False
    year = int(cell.period) if cell.period != ALL else 9000
    if cell.group == "in":
        return came == year
    return left == year if cell.group == "out" else came <= year < left


STOCK = {"kind": "stock", "until": "gone", "places": ["ward"], "period": YEAR}


@pytest.mark.parametrize(
    ("seed", "n"), [(1, 260), *(pytest.param(s, n, marks=pytest.mark.slow) for s, n in ((2, 150), (5, 200), (4, 330)))]
)
def test_comings_goings_and_stocks_do_not_tell_together_what_each_hides(tmp_path, seed, n):
    kinds = some(STOCKS, seed, n)
    told = stock_town(tmp_path, kinds, {"the_stock": STOCK})
    reader = Reader(STOCKS, kinds)
    reader.reads("the_stock", told.cells("the_stock"), in_stock)

    assert [] == told.codes()
    assert reader.withheld
    assert [] == reader.exposed()


COUNTED: dict[str, tuple[dict[str, Any], Callable[[Cell, Kind], bool]]] = {
    "arrivals": ({"places": ["ward"], "period": YEAR}, lambda c, k: c.place in (ALL, k[0]) and c.period == str(k[1])),
    "departures": (
        {"places": ["ward"], "period": {"column": "gone", "grain": "year"}},
        lambda c, k: c.place in (ALL, k[0]) and c.period == str(k[2]),
    ),
    "all_of_them": ({"places": ["ward"]}, lambda c, k: c.place in (ALL, k[0])),
}


@pytest.mark.parametrize(
    ("seed", "n", "names"),
    [
        (1, 260, ["arrivals"]),
        pytest.param(2, 150, ["arrivals"], marks=pytest.mark.slow),
        pytest.param(4, 330, ["departures"], marks=pytest.mark.slow),
        pytest.param(6, 200, [*COUNTED], marks=pytest.mark.slow),
    ],
)
def test_counts_of_who_came_and_went_do_not_tell_what_a_stock_of_the_same_people_hides(tmp_path, seed, n, names):
    kinds = some(STOCKS, seed, n)
    told = stock_town(tmp_path, kinds, {"the_stock": STOCK, **{name: COUNTED[name][0] for name in names}})
    reader = Reader(STOCKS, kinds)
    reader.reads("the_stock", told.cells("the_stock"), in_stock)
    for name in names:
        reader.reads(name, told.cells(name), COUNTED[name][1])

    assert [] == told.codes()
    assert reader.withheld
    assert [] == reader.exposed()
