"""Arroyo Vista's known truths are found by the measures that should find them, and a hidden person by none."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import linprog

from metroon import flow
from metroon.base.estimate import ALL, Cell, Estimate
from metroon.base.period import grain_of
from metroon.city import load
from metroon.demo import TRUTHS, build
from metroon.demo.people import RESIDENTS
from metroon.demo.truths import SAFE, WAIT_DAYS, wait_of_the_decided
from metroon.measure.declared import any_mention
from metroon.measure.interval import exact_rate_ratio, newcombe
from metroon.measure.signals import variation, xmr
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


def last(measured: Measured, geography: str = ALL, dimension: str = ALL) -> str:
    """The newest period of a breakdown: places and groups may have longer ones than the city."""
    cells = (e.cell for e in measured.estimates if e.value is not None)
    return max(c.period for c in cells if (c.geography, c.dimension) == (geography, dimension))


def of_group(measured: Measured, dimension: str, name: str) -> list[Estimate]:
    """What is told of a group in every period, oldest first."""
    own = [
        e for e in measured.estimates if (e.cell.dimension, e.cell.group) == (dimension, name) and e.value is not None
    ]
    return sorted(own, key=lambda e: e.cell.period)


def series(measured: Measured) -> list[Estimate]:
    """What is told of the whole city in every period, oldest first."""
    grain = grain_of(measured.headline)
    own = [e for e in measured.estimates if e.cell == Cell(e.cell.period) and grain_of(e.cell.period) == grain]
    return sorted(own, key=lambda e: e.cell.period)


def apart(found: Iterable[Estimate], reference: Iterable[Estimate]) -> tuple[float, float]:
    """The mean difference over periods with a 95 % interval, from each estimate and its own interval."""
    pairs = list(zip(found, reference, strict=True))
    difference = np.mean([(a.value or 0) - (b.value or 0) for a, b in pairs])
    errors = [((e.high or 0) - (e.low or 0)) / (2 * 1.96) for pair in pairs for e in pair]
    reach = 1.96 * np.sqrt(np.sum(np.square(errors))) / len(pairs)
    return float(difference - reach), float(difference + reach)


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
    quarters = sorted({p for e in corridors.estimates if grain_of(p := e.cell.period) == "quarter"})
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
    year = last(calls, "district")
    cells = [Cell(year, "district", str(d)) for d in range(1, 9)]
    slow = next(c for c in cells if c.place == truth.members[0])

    low, high = gap(calls, truth, slow, [c for c in cells if c != slow])

    assert low <= truth.size <= high < 0


@pytest.mark.parametrize("name", ["Spanish gap", "Vietnamese gap"])
def test_the_language_gap_is_found(name: str, measures: dict[str, Measured]) -> None:
    requests, truth = measures["requests_closed_within_10_days"], TRUTH[name]
    year = last(requests, dimension="language")
    by_language = {m: Cell(year, ALL, ALL, "language", m) for m in (*truth.members, "English")}

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
    city = series(exits)[-1]

    assert (city.low or 1) <= TRUTH["housed"].size <= (city.high or 0)
    assert (city.best or 0) - (city.worst or 1) > 0.3


def test_the_stays_that_are_still_open_are_counted_to_the_last_one(measures: dict[str, Measured]) -> None:
    assert TRUTH["still there"].size == series(measures["shelter_stays_open"])[-1].value


def test_stays_that_come_and_go_make_the_stays_that_are_open(measures: dict[str, Measured]) -> None:
    stays = measures["shelter_stays_open"]
    months = series(stays)
    flow = {(e.cell.period, e.cell.group): e.value or 0 for e in stays.estimates if e.cell.geography == ALL}

    assert 54 == len(months)
    for before, month in pairwise(months):
        period = month.cell.period
        assert month.value == (before.value or 0) + flow[period, "in"] - flow[period, "out"]


def test_with_the_ages_of_the_city_as_standard_the_rate_of_the_city_is_the_crude_one(
    measures: dict[str, Measured],
) -> None:
    for year in series(measures["injuries_at_the_same_age"]):
        # Two withheld figures of the residents are replaced, so that the strata differ a little from the standard.
        assert year.value == pytest.approx(10_000 * (year.events or 0) / RESIDENTS.sum(), rel=0.003)


def test_the_rise_of_trust_is_found_and_told_from_noise(measures: dict[str, Measured]) -> None:
    rounds, truth = series(measures["trusts_the_city"]), TRUTH["trust rises"]
    before, after = ([e for e in rounds if (e.cell.period >= "2025") == is_after] for is_after in (False, True))

    low, high = apart(after, before[-6:])
    chart = xmr(np.array([e.value for e in rounds]), baseline_points=12)

    assert 18 == len(rounds)
    assert low <= truth.size <= high
    assert low > 0
    assert "improvement high" == variation(chart, "up")


def test_a_feeling_that_does_not_change_is_not_told_as_a_change(measures: dict[str, Measured]) -> None:
    rounds = series(measures["feels_safe_at_night"])

    assert "common cause" == variation(xmr(np.array([e.value for e in rounds])), "up")
    assert sum(not (e.low or 0) <= SAFE <= (e.high or 1) for e in rounds) <= 3  # of 18, at 5 % each


def test_who_trusts_less_is_found_by_the_weighted_share(measures: dict[str, Measured]) -> None:
    trust, truth = measures["trusts_the_city"], TRUTH["trust gap"]

    low, high = apart(of_group(trust, "language", truth.members[0]), of_group(trust, "language", "English"))

    assert low <= truth.size <= high < 0


def test_who_names_two_races_is_told_in_both_ways(measures: dict[str, Measured]) -> None:
    one_way, any_way = (
        {e.cell.group: e.base or 0 for e in measures["feels_safe_at_night"].estimates if e.cell.dimension == dimension}
        for dimension in ("race", any_mention("race"))
    )

    assert "Two or more races" in one_way
    assert "Two or more races" not in any_way
    assert any_way["White"] > one_way["White"]


def test_districts_that_report_little_are_found_to_be_unclean(measures: dict[str, Measured]) -> None:
    clean, truth = measures["neighborhood_is_clean"], TRUTH["unclean and silent"]
    year = last(clean, "district")
    shares = {str(d): at(clean, Cell(year, "district", str(d))) for d in range(1, 9)}
    silent = [e for d, e in shares.items() if d in truth.members]
    others = [e for d, e in shares.items() if d not in truth.members]

    assert all((a.high or 1) < (b.value or 0) for a in silent for b in others)


@pytest.mark.parametrize("language", ["English", "Spanish", "Vietnamese"])
def test_the_wait_for_a_permit_counts_those_who_still_wait(language: str, measures: dict[str, Measured]) -> None:
    found = of_group(measures["days_until_business_permit"], "owner_language", language)

    assert 3 <= sum((e.low or 0) <= WAIT_DAYS[language] <= (e.high or np.inf) for e in found)
    assert all((e.low or 0) > wait_of_the_decided(WAIT_DAYS[language]) for e in found)


def test_small_businesses_are_not_found_to_wait_longer(measures: dict[str, Measured]) -> None:
    waits = measures["days_until_business_permit"]
    low, high = apart(of_group(waits, "employees", "1-4"), of_group(waits, "employees", "20-99"))

    assert low <= TRUTH["size of a business"].size <= high


def test_owners_who_send_in_more_often_are_found(measures: dict[str, Measured]) -> None:
    sent, truth = measures["times_sent_in"], TRUTH["sent in again"]
    for language in truth.members:
        low, high = apart(of_group(sent, "owner_language", language), of_group(sent, "owner_language", "English"))

        assert 0 < low <= truth.size <= high


def test_the_crew_that_is_cheap_is_the_one_whose_places_do_not_stay_clean(measures: dict[str, Measured]) -> None:
    again, cost = measures["dumped_again"], measures["cost_per_ton"]
    theirs, others = (of_group(again, "crew", crew) for crew in ("Contractor", "City crew"))
    cheap, dear = (np.mean([e.value for e in of_group(cost, "crew", crew)]) for crew in ("Contractor", "City crew"))

    low, high = apart(theirs, others)

    assert 0 < low <= TRUTH["dumped again"].size <= high
    assert pytest.approx(TRUTH["cheap by the ton"].size, abs=0.03) == cheap / dear - 1


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
    names |= {"AV-Q-", "AV-B-", "Invented Owner "}  # how the numbers of answers and applications, and owners, begin
    every = [*walk.indicators, *walk.city.products]
    texts = {json.dumps(e, default=str) for n in every for e in walk.lake.history(n, "open").values()}
    for name in every:
        version = walk.lake.open(name)
        if version is not None:
            table = walk.engine.fetch(walk.lake.read(version))
            texts |= {json.dumps(value, default=str) for c in table.columns for value in c.unique().to_pylist()}

    everything = "\n".join(texts)

    assert names
    assert [] == [n for n in sorted(names) if n in everything]
