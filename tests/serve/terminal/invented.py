"""An invented city's run, with every state in it: no person and no number here is real."""

from __future__ import annotations

import math
from datetime import date

from metroon.base.account import Account, Delivery, Measured, Run, Verdict
from metroon.base.errors import Problem
from metroon.base.estimate import NOWHERE, OUTSIDE, UNKNOWN, Cell, Estimate, without_value
from metroon.base.places import Places

DISTRICTS = Places(
    "district",
    "Council districts",
    "2015",
    official=True,
    names={str(i): f"District {i}" for i in range(1, 11)},
    people={str(i): 95_000.0 + 1_000 * i for i in range(1, 11)},
    people_source="invented census of 2014",
)
AREAS = Places(
    "area",
    "Neighborhoods",
    "2019 draft",
    official=False,
    names={"a": "Alum Creek", "b": "Old Orchard", "c": "Bayside", "d": "Las Palmas", "e": "Mill Flats"},
    note="Drawn by invented volunteers.",
)
MONTHS = [f"2014-{m:02d}" for m in range(2, 13)] + ["2015-01"]


def share(cell: Cell, yes: int, n: int, unknown: int = 0) -> Estimate:
    """A share with Wilson's interval."""
    p, z = yes / n, 1.959964
    mid, half = p + z * z / 2 / n, z * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    low, high = (mid - half) / (1 + z * z / n), (mid + half) / (1 + z * z / n)
    every = n + unknown
    return Estimate(cell, "known", p, low, high, yes, float(n), unknown, yes / every, (yes + unknown) / every)


def rate(cell: Cell, events: int, people: float, per: float = 10_000) -> Estimate:
    """A rate with a rough Poisson interval."""
    low, high = events - 1.96 * math.sqrt(events), events + 1.96 * math.sqrt(events) + 2
    return Estimate(
        cell,
        "known",
        per * events / people,
        per * max(0, low) / people,
        per * high / people,
        events,
        people,
        0,
    )


def tally(cell: Cell, events: int) -> Estimate:
    """A count with a rough Poisson interval."""
    half = 1.96 * math.sqrt(events)
    return Estimate(cell, "known", float(events), events - half, events + half, events)


def reached() -> Measured:
    """A share with a trend, places that differ, hidden cells, and places that are no places."""
    now = "2015-01"
    past = [share(Cell(m), 3900 + 37 * i, 5345, 900 + 3 * i) for i, m in enumerate(MONTHS[:-1])]
    past[4] = without_value(past[4].cell, "hidden", "fewer than 11 people")
    past[7] = without_value(past[7].cell, "late", "the delivery of September has not come")
    places = [(256, 351), (259, 371), (874, 1024), (278, 377), (440, 561), (399, 502), (430, 531), (377, 470)]
    cells = [share(Cell(now, "district", str(i)), yes, n, 60) for i, (yes, n) in enumerate(places, 1)]
    return Measured(
        measure="reached_within_8_minutes",
        title="First-priority fire calls reached within 8 minutes",
        question="How often is help there within 8 minutes?",
        kind="share",
        unit="of calls",
        direction="up",
        is_share=True,
        geographies=(DISTRICTS,),
        headline=now,
        estimates=(
            *past,
            share(Cell(now), 4262, 5345, 1092),
            *cells,
            without_value(Cell(now, "district", "9"), "hidden", "fewer than 11 people"),
            share(Cell(now, "district", "10"), 297, 343, 41),
            share(Cell(now, "district", OUTSIDE), 61, 89, 12),
            without_value(Cell(now, "district", NOWHERE), "no exposure", "no call without a point"),
            share(Cell(now, dimension="hour", group="day"), 2490, 3010, 500),
            share(Cell(now, dimension="hour", group="night"), 1772, 2335, 590),
            share(Cell(now, dimension="hour", group=UNKNOWN), 20, 31, 2),
            share(Cell("2015-02"), 120, 900, 12),
        ),
        outcome="released",
        version=4,
        hidden=2,
        cells=25,
        advice="Pool three months to hide fewer.",
        notes=("Calls without an on-scene time are unknown, not slow.",),
    )


def calls() -> Measured:
    """A rate for which less is better, by unofficial places and by more groups than fit."""
    now = "2014"
    areas = [("a", 412, 41_000.0), ("b", 188, 33_000.0), ("c", 300, 37_000.0), ("d", 29, 4_000.0)]
    groups = [(f"kind {i}", 240 + 31 * i) for i in range(8)]
    return Measured(
        measure="crashes_per_resident",
        title="Injury crashes",
        question="How many crashes hurt somebody?",
        kind="rate",
        unit="per 10,000 residents",
        direction="down",
        is_share=False,
        geographies=(AREAS,),
        headline=now,
        estimates=(
            rate(Cell("2013"), 8400, 1_010_000),
            rate(Cell(now), 8058, 1_015_785),
            *(rate(Cell(now, "area", key), n, people) for key, n, people in areas),
            without_value(Cell(now, "area", "e"), "no exposure", "nobody lives there"),
            rate(Cell(now, "area", OUTSIDE), 300, 12_000),
            *(rate(Cell(now, dimension="road_kind", group=g), n, 30_000) for g, n in groups),
        ),
        outcome="released",
        version=2,
        cells=14,
        notes=("Residents are not all who travel there.",),
    )


def requests() -> Measured:
    """A count with no wished direction; two groups, one of them too wide to tell."""
    now = "2015-Q1"
    wide = tally(Cell(now, dimension="channel", group="letter"), 12)
    return Measured(
        measure="requests",
        title="Requests for service",
        question="How many requests came in?",
        kind="count",
        unit="requests",
        direction="neutral",
        is_share=False,
        geographies=(DISTRICTS,),
        headline=now,
        estimates=(
            tally(Cell("2014-Q3"), 30_120),
            tally(Cell("2014-Q4"), 30_350),
            tally(Cell(now), 34_877),
            *(tally(Cell(now, "district", str(i)), 2_900 + 150 * i) for i in range(1, 11)),
            tally(Cell(now, dimension="channel", group="phone"), 21_300),
            Estimate(wide.cell, "cannot tell", wide.value, wide.low, wide.high, wide.events),
        ),
        outcome="unchanged",
        version=9,
        cells=13,
    )


def people_hit() -> Measured:
    """A measure that the data cannot answer at all, with every remaining state."""
    now = "2014"
    return Measured(
        measure="pedestrians_hit",
        title="Pedestrians hit, by age",
        question="How many pedestrians were hit?",
        kind="rate",
        unit="per 10,000 residents",
        direction="down",
        is_share=False,
        geographies=(DISTRICTS,),
        headline=now,
        estimates=(
            without_value(Cell(now), "cannot be answered", "the table has no date and no place"),
            without_value(Cell(now, "district", "1"), "not collected", "nobody gathers it there"),
            without_value(Cell(now, "district", "2"), "late", "the data of 2014 have not come"),
        ),
        outcome="released",
        version=1,
        cells=3,
    )


def broken() -> Measured:
    """A measure that failed."""
    problem = Problem("measures/rent.yaml", 9, "M104", "no product 'rents'.", "Did you mean 'rent'?")
    return Measured(
        "rent",
        "Rent",
        "",
        "median",
        "dollars",
        "down",
        False,
        (),
        "2014",
        (),
        "failed",
        3,
        problems=(problem,),
    )


def fires() -> Account:
    """A published product whose promises are kept."""
    return Account(
        product="fire_incidents",
        title="Fire incidents",
        outcome="published",
        version=3,
        read=8_058,
        kept=8_058,
        deliveries=(Delivery("incoming/fire/2015-01.csv", "9f2c4e81ab03" + "0" * 52, 1_400_000, 8_058),),
        verdicts=(
            Verdict("r1", "every call has a number", "number", "completeness", "stop", 8_058, 0, True),
            Verdict("r2", "a call is not closed before it opens", "closed", "accuracy", "warn", 8_058, 0, True),
        ),
        outside={"council district": 300},
        no_place=0,
        missing={"on_scene_time": 1_291, "category": 1},
        cannot_answer=("what help cost: the table has no amounts",),
        seconds=1.1,
    )


def service_calls() -> Account:
    """A product with rows set aside, a delivery refused, a promise broken, and late."""
    return Account(
        product="service_calls",
        title="Calls for service",
        outcome="published",
        version=12,
        read=36_200,
        kept=34_877,
        set_aside={"opened after as-of": 104, "number given twice": 15},
        refused=1_204,
        deliveries=(
            Delivery("incoming/calls/2015-01.csv", "1b7de0" + "0" * 58, 9_120_000, 34_996),
            Delivery(
                "incoming/calls/2014-12b.csv",
                "c77a10" + "0" * 58,
                310_000,
                1_204,
                "column 'opened' is missing",
            ),
        ),
        verdicts=(
            Verdict(
                "r1",
                "a call is closed within 400 days",
                "closed",
                "accuracy",
                "warn",
                34_877,
                61,
                False,
                ("incoming/calls/2015-01.csv:88", "incoming/calls/2015-01.csv:1204"),
                "0.17 %, promised below 0.1 %",
            ),
            Verdict("r2", "numbers are given once", "number", "uniqueness", "set aside", 34_996, 15, True),
        ),
        no_place=212,
        missing={"closed": 4_410, "channel": 930, "language": 31_900, "district": 212, "unit": 20, "crew": 3},
        late="12 days behind the promise of every Monday",
        seconds=2.0,
    )


def code_cases() -> Account:
    """A product that failed while its last good version stays."""
    return Account(
        product="code_cases",
        title="Code enforcement",
        outcome="failed",
        version=5,
        problems=(
            Problem(
                "products/code_cases/product.yaml",
                14,
                "K101",
                "collect has no kind 'cvs'.",
                "Did you mean 'csv'?",
            ),
        ),
    )


def crash_parties() -> Account:
    """A restricted product that cannot answer much."""
    return Account(
        product="crash_parties",
        title="People in crashes",
        outcome="kept",
        version=1,
        read=20_240,
        kept=20_240,
        verdicts=(Verdict("r1", "every party has a crash", "crash", "completeness", "stop", 20_240, 0, True),),
        missing={"age": 6_840, "sex": 5_778, "speed": 20_240},
        cannot_answer=(
            "when a crash happened: the table has no date",
            "where a crash happened: it has no place",
        ),
    )


def run() -> Run:
    """Everything at once."""
    quiet = tuple(Account(name, name.title(), "unchanged", version=1) for name in ("parks", "budget", "trees"))
    return Run(
        city="Arroyo Vista",
        is_invented=True,
        as_of=date(2015, 1, 31),
        accounts=(fires(), service_calls(), code_cases(), crash_parties(), *quiet),
        measured=(reached(), calls(), requests(), people_hit(), broken()),
        next_steps=(
            "Put right products/code_cases/product.yaml:14, then: metroon run code_cases",
            "Ask the sender of incoming/calls/2014-12b.csv for the column 'opened'.",
            "Look at every cell of a measure: `metroon show reached_within_8_minutes`",
        ),
        seconds=4.12,
    )
