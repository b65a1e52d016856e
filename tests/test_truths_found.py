"""Arroyo Vista's known truths are found by the measures that should find them, and a hidden person by none."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import linprog

from metroon import flow
from metroon.base.estimate import ALL, Cell, Estimate
from metroon.city import load
from metroon.demo import TRUTHS, build
from metroon.measure.interval import exact_rate_ratio, newcombe
from metroon.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.base.account import Measured, Run
    from metroon.demo import Truth

TRUTH = {t.name: t for t in TRUTHS}


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    city = load(build(tmp_path_factory.mktemp("truths") / "arroyo_vista"))
    assert city.file.as_of is not None
    return Walk(city, city.file.as_of)


@pytest.fixture(scope="module")
def run(walk: Walk) -> Run:
    return flow.run(walk)


@pytest.fixture(scope="module")
def measures(run: Run) -> dict[str, Measured]:
    return {m.measure: m for m in run.measured}


def at(measured: Measured, cell: Cell) -> Estimate:
    return next(e for e in measured.estimates if e.cell == cell)


def mean_of_quarters(measured: Measured, corridor: str, quarters: Iterable[str]) -> tuple[int, int]:
    found = [at(measured, Cell(q, ALL, ALL, "corridor", corridor)) for q in quarters]
    told = [e.events for e in found if e.events is not None]
    return sum(told), len(told)


@pytest.mark.parametrize("name", ["quick build", "signs only", "rest of the city"])
def test_what_a_street_work_changed_is_found_and_what_it_did_not_is_not(
    name: str, measures: dict[str, Measured]
) -> None:
    truth = TRUTH[name]
    corridors = measures["crashes_by_corridor"]
    # Two whole years before and two after, for there are more crashes in some seasons.
    quarters = sorted({e.cell.period for e in corridors.estimates})
    before = mean_of_quarters(corridors, truth.members[0], (q for q in quarters if "2022-Q3" <= q < "2024-Q3"))
    after = mean_of_quarters(corridors, truth.members[0], (q for q in quarters if q >= "2024-Q3"))

    ratio = exact_rate_ratio(*after, *before)

    assert ratio.low <= 1 + truth.size <= ratio.high
    assert (truth.size == 0) == (ratio.low <= 1 <= ratio.high)


def gap(measured: Measured, truth: Truth, group: Cell, others: list[Cell]) -> tuple[float, float]:
    found = at(measured, group)
    rest = [at(measured, c) for c in others]
    assert found.events is not None
    assert found.base is not None
    yes, base = sum(e.events or 0 for e in rest), sum(e.base or 0 for e in rest)
    interval = newcombe(found.events, int(found.base), yes, int(base))
    return interval.low, interval.high


def test_the_slow_district_is_found(measures: dict[str, Measured]) -> None:
    calls, truth = measures["calls_within_8_minutes"], TRUTH["slow district"]
    cells = [Cell(calls.headline, "district", str(d)) for d in range(1, 9)]
    slow = next(c for c in cells if c.place == truth.members[0])

    low, high = gap(calls, truth, slow, [c for c in cells if c != slow])

    assert low <= truth.size <= high < 0


@pytest.mark.parametrize("name", ["Spanish gap", "Vietnamese gap"])
def test_the_language_gap_is_found(name: str, measures: dict[str, Measured]) -> None:
    requests, truth = measures["requests_closed_within_10_days"], TRUTH[name]
    by_language = {m: Cell(requests.headline, ALL, ALL, "language", m) for m in (*truth.members, "English")}

    low, high = gap(requests, truth, by_language[truth.members[0]], [by_language["English"]])

    assert low <= truth.size <= high < 0


def test_the_districts_that_report_less_than_there_is_are_found(measures: dict[str, Measured]) -> None:
    reported = measures["street_defects_reported"]
    shares = {d: at(reported, Cell(reported.headline, "district", str(d))) for d in range(1, 9)}
    silent = {int(m) for m in TRUTH["silent districts"].members}

    assert silent == {d for d, e in shares.items() if e.high is not None and e.high < 0.45}
    assert all(
        e.low is not None and e.low <= (0.30 if d in silent else 0.60) <= (e.high or 0) for d, e in shares.items()
    )


def test_lights_that_fail_by_chance_alone_show_no_difference_beyond_chance(measures: dict[str, Measured]) -> None:
    lights = measures["street_lights_out"]
    city = at(lights, Cell(lights.headline))
    places = [e for e in lights.estimates if e.cell.geography == "neighborhood" and e.value is not None and e.base]
    apart = [e for e in places if not (e.low or 0) <= (city.value or 0) <= (e.high or 1)]

    assert (city.low or 0) <= 0.06 <= (city.high or 0)
    assert len(apart) <= 6  # of 40, at 5 % each: more has a chance below 1 %


def test_the_share_of_the_housed_is_a_range_because_half_is_unknown(measures: dict[str, Measured]) -> None:
    exits = measures["exits_to_housing"]
    city = at(exits, Cell(exits.headline))

    assert (city.low or 1) <= TRUTH["housed"].size <= (city.high or 0)
    assert (city.best or 0) - (city.worst or 1) > 0.3


def test_each_delivery_trouble_is_told_and_the_run_still_stands(run: Run) -> None:
    refused = {d.file for a in run.accounts for d in a.deliveries if d.refused}

    assert refused == {"fire_responses/responses_2026-02.csv", "requests_311/requests_2026-05.csv"}
    assert [a.product for a in run.accounts if a.late] == ["building_permits"]
    assert [a.product for a in run.accounts if a.outcome == "failed" or not a.adds_up] == []


def hidden(measures: dict[str, Measured], name: str, cell: Cell) -> bool:
    return at(measures[name], cell).state == "hidden"


def test_the_quiet_neighborhood_and_the_one_of_a_kind_are_hidden(measures: dict[str, Measured]) -> None:
    race = TRUTH["one of a kind"].members[0]

    assert hidden(measures, "people_injured", Cell("2024", "neighborhood", "N03"))
    assert hidden(measures, "people_entering_shelter", Cell("2025", ALL, ALL, "race", race))
    assert hidden(measures, "people_entering_shelter", Cell("2025", "neighborhood", "N06"))


def test_an_attacker_with_every_published_number_cannot_work_out_the_quiet_neighborhood(
    walk: Walk, measures: dict[str, Measured]
) -> None:
    # Written apart from the guard: one column a neighborhood, one row a published sum, over all tables of injuries.
    rows = walk.engine.rows(walk.lake.read(walk.version("neighborhoods")))
    key = walk.city.file.places["neighborhood"].key
    keys = [str(r[key]) for r in rows]
    in_district = district_of(walk, keys)
    equations, totals = [], []
    injured = measures["people_injured"]
    for e in injured.estimates:
        if e.cell.period == "2024" and e.events is not None and e.cell.dimension == ALL:
            members = members_of(walk, e.cell, keys, in_district)
            equations.append([1.0 if k in members else 0.0 for k in keys])
            totals.append(float(e.events))
    target = [1.0 if k == "N03" else 0.0 for k in keys]

    bounds = [
        linprog(sign * np.array(target), A_eq=np.array(equations), b_eq=np.array(totals), bounds=(0, None))
        for sign in (1, -1)
    ]
    least = bounds[0].fun
    most = -bounds[1].fun if bounds[1].status == 0 else np.inf

    assert [0, 0] == [bounds[0].status, bounds[1].status if bounds[1].status != 3 else 0]
    assert most - least >= 5


def district_of(walk: Walk, keys: list[str]) -> dict[str, str]:
    small, large = walk.places("neighborhood").shapes, walk.places("district").shapes
    return {k: next(d for d, shape in large.items() if shape.covers(small[k].representative_point())) for k in keys}


def members_of(walk: Walk, cell: Cell, keys: list[str], in_district: dict[str, str]) -> set[str]:
    if cell.geography == ALL:
        return set(keys)
    if cell.geography == "neighborhood":
        return {cell.place}
    if cell.geography == "district":
        return {k for k in keys if in_district[k] == cell.place}
    bands = walk.places(cell.geography).areas
    return {k for k in keys if bands.get(k) == cell.place}


def test_no_released_number_of_a_shelter_stay_counts_fewer_than_eleven_people(walk: Walk, run: Run) -> None:
    stays = walk.engine.rows(walk.lake.read(walk.version("shelter_stays")))
    people: dict[Cell, set[str]] = defaultdict(set)
    for r in stays:
        year = str(r["entered_on"])[:4]
        for dimension in ("race", "language", "program_type"):
            people[Cell(year, ALL, ALL, dimension, str(r[dimension] or "(unknown)"))].add(r["client_id"])
    entering = next(m for m in run.measured if m.measure == "people_entering_shelter")
    told = [e for e in entering.estimates if e.events and e.cell in people]

    assert told
    assert [] == [e.cell for e in told if len(people[e.cell]) < 11]


def test_no_open_version_names_an_invented_person(walk: Walk, run: Run) -> None:
    stays = walk.engine.rows(walk.lake.read(walk.version("shelter_stays")))
    names = {str(r[c]) for r in stays for c in ("last_name", "client_id")}
    every = [*walk.indicators, *walk.city.products]
    texts = [json.dumps(e, default=str) for n in every for e in walk.lake.history(n, "open").values()]
    for name in every:
        version = walk.lake.open(name)
        if version is not None:
            texts += [json.dumps(r, default=str) for r in walk.engine.rows(walk.lake.read(version))]

    everything = "\n".join(texts)

    assert names
    assert [] == [n for n in sorted(names) if n in everything]
