"""Invented scores: what releases of an invented city say, with every state and verdict in them; nothing is real."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import invented

from metroon.base.account import Measured
from metroon.base.errors import Problem
from metroon.base.estimate import OUTSIDE, UNKNOWN, Cell, Estimate, without_value
from metroon.base.scorecard import (
    AreaDisparity,
    Change,
    Changed,
    Changes,
    Course,
    Covered,
    Disparity,
    GoalPage,
    GroupGap,
    Inequality,
    PastTarget,
    PlaceStanding,
    Score,
    Series,
    TargetGap,
    Words,
)

NOW, YEAR = "2015-06", "2014"
MONTHS = [f"{y}-{m:02d}" for y in (2013, 2014, 2015) for m in range(1, 13)][:30]
TODAY = date(2015, 7, 15)


def place(key: str, period: str = YEAR) -> Cell:
    return Cell(period, "district", key)


def group(name: str, period: str = YEAR) -> Cell:
    return Cell(period, dimension="language", group=name)


def measured() -> Measured:
    """A share told by month for the city, by year for its districts and languages."""
    past = [invented.share(Cell(m), 380 + 2 * i, 500, 20) for i, m in enumerate(MONTHS[:-1])]
    past[11] = without_value(past[11].cell, "late", "the delivery of December has not come")
    past[20] = without_value(past[20].cell, "hidden", "fewer than 11 people")
    yes = {"1": 700, "2": 820, "3": 810, "4": 805, "5": 300, "6": 815, "10": 812}
    places = [invented.share(place(k), n, 1_000, 40) for k, n in yes.items()]
    places[4] = replace(places[4], state="cannot tell")
    return replace(
        invented.reached(),
        measure="answered_in_time",
        title="Requests answered in time",
        question="Do we get an answer in time?",
        unit="of requests",
        headline=NOW,
        headlines=(NOW, YEAR),
        estimates=(
            *past,
            invented.share(Cell(NOW), 425, 500, 30),
            invented.share(Cell(YEAR), 5_000, 6_200, 200),
            *places,
            without_value(place("7"), "hidden", "fewer than 11 people"),
            without_value(place("8"), "no exposure", "no request"),
            without_value(place("9"), "not collected", "nobody gathers it there"),
            invented.share(place(OUTSIDE), 30, 60),
            invented.share(group(UNKNOWN), 220, 400),
            invented.share(group("English"), 4_000, 4_700),
            invented.share(group("Spanish"), 700, 1_000),
            invented.share(group("Korean"), 80, 100),
            without_value(group("Vietnamese"), "hidden", "fewer than 11 people"),
        ),
        hidden=3,
        cells=50,
        advice="",
        notes=("Invented. Answers are counted by the day they were due.",),
    )


def course() -> Course:
    values = [e.value for e in measured().estimates[:29]]
    n = len(MONTHS)
    return Course(
        Cell(NOW), tuple(MONTHS), (*values, 0.85), (0.79,) * n, (0.74,) * n, (0.84,) * n,
        (*["none"] * (n - 2), "shift", "outside limits"), "improvement high", "consistently fails", "ok",
        begun="2015-05", note="its values depend on those before",
    )  # fmt: skip


def gap(name: str, value: float, *, certain: bool, tolerance: str) -> GroupGap:
    d, r = value - 0.851, value / 0.851
    standing = "worse" if certain else "cannot tell"
    return GroupGap(
        group(name), "English", value, 0.851, d, d - 0.03, d + 0.03, r, r - 0.04, r + 0.04, certain, tolerance, standing
    )


def standing(key: str, words: str, *, clear: bool = False) -> PlaceStanding:
    return PlaceStanding(place(key), words, clear, 0.2, 0.79, 0.77, 0.81, 0.64)  # type: ignore[arg-type]


def score() -> Score:
    """A score with a target missed, an improvement, a certain gap, and places of every standing."""
    return Score(
        measured=measured(),
        as_of=TODAY,
        published=date(2015, 7, 10),
        stage="revised",
        city=measured().estimates[30 - 1],
        target=TargetGap(Cell(NOW), 0.9, 0.9, date(2015, 6, 30), "not met", -0.05),
        target_words="0.9 by 2015-06-30 (Invented resolution 12, set 2013-01-01)",
        past_targets=(
            PastTarget(
                "0.8 by 2014-12-31", "Invented resolution 7", date(2012, 1, 1), date(2013, 1, 1), "Too low.", "met"
            ),
        ),
        baseline=Change("2013-01", 0.76, 0.09, 0.04, 0.14, is_certain=True),
        course=course(),
        courses=(),
        targets=(
            TargetGap(place("1"), 0.9, 0.9, date(2014, 12, 31), "not met", -0.2),
            TargetGap(place("2"), 0.9, 0.9, date(2014, 12, 31), "cannot tell", -0.08),
            TargetGap(place("7"), 0.9, 0.9, date(2014, 12, 31), "hidden", None),
            TargetGap(group("English"), 0.9, 0.9, date(2014, 12, 31), "met", 0.01),
        ),
        gaps=(
            gap("Spanish", 0.7, certain=True, tolerance="outside tolerance"),
            gap("Korean", 0.8, certain=False, tolerance="cannot tell"),
        ),
        inequality={
            "language": (
                Inequality("range", "largest minus smallest value", 0.151, 0.1, 0.2, "picked after looking"),
                Inequality("bgsd", "standard deviation of the groups", 0.05, note="noise adds to it"),
            )
        },
        left_out={"language": "without Vietnamese: hidden, or too few to tell"},
        places=(
            standing("1", "worse", clear=True),
            standing("2", "better"),
            *(standing(k, "not different") for k in ("3", "4", "6", "10")),
            standing("5", "cannot tell"),
        ),
        borrowed={"district": "Each area borrows strength from the mean of 7."},
        covered=(Covered(place("1"), 0.6, 0.5, 0.7, None), Covered(place("2"), 0.3, 0.25, 0.35, None)),
        words=(
            Words("happened", "The office moved.", "Invented steward", date(2015, 1, 1), date(2015, 4, 1), True),
            Words("action", "Two clerks start.", "Invented director", date(2015, 6, 1), date(2016, 6, 1), False),
        ),
        series=Series(2, date(2015, 1, 10), ("numerator", "filter"), 4),
        breaks=((date(2014, 3, 1), "A new list of codes."),),
        late="12 days behind the promise",
        false_alarms=0.4,
        guard_metric=("Requests closed twice", "concern high"),
        chain=(
            ("goal", "Answers"), ("type", "outcome"), ("service", "311"), ("budget program", "Call center"),
            ("department", "Invented office"), ("owner", "Invented steward"),
        ),
        disparities=disparities(),
        alike={"district": "Neighbors are more alike than chance would make them."},
    )  # fmt: skip


def disparities() -> tuple[Disparity, ...]:
    """Two kinds of people beside a resource: one clearly under-represented, of the other nobody can tell."""
    areas = tuple(
        AreaDisparity(place(k), d, 0.01, abs(d) > 0.01, has_no_residents=k == "6")
        for k, d in {"1": -0.06, "2": 0.04, "3": 0.005, "4": 0.015, "6": 0.1}.items()
    )
    return (
        Disparity("Residents in poverty", "district", areas, 12.3, 15.2, -2.9, 1.2, True, 15, 1),
        Disparity("Children", "district", areas[2:3], 20.0, 20.4, -0.4, None, False, 15, 1),
    )


def bare_score(told: Measured, **changes: object) -> Score:
    """A score of which nothing is known but its release."""
    empty = Score(
        told, TODAY, TODAY, "first", None, None, "", (), None, None, (), (), (), {}, {}, (), {}, (), (),
        Series(1, TODAY), (), "", 0.0, ("", ""), (),
    )  # fmt: skip
    city = next((e for e in told.estimates if e.cell == Cell(told.headline)), None)
    return replace(empty, city=city, **changes)  # type: ignore[arg-type]


def crashes() -> Score:
    """A rate without a target; less is better, and boundaries that nobody adopted."""
    told = invented.calls()
    places = tuple(
        PlaceStanding(Cell("2014", "area", k), s, False, None)  # type: ignore[arg-type]
        for k, s in {"a": "worse", "b": "better", "c": "not different", "d": "not different"}.items()
    )
    return bare_score(told, places=places, chain=(("goal", "Safe streets"),))


def stock() -> Score:
    """A stock: no interval, a target band, a fiscal year, no series yet."""
    told = replace(
        invented.requests(),
        measure="beds",
        title="Beds that are taken",
        kind="stock",
        unit="beds",
        direction="within",
        headline="2014-07..2015-06",
        headlines=("2014-07..2015-06",),
        geographies=(),
        estimates=(Estimate(Cell("2014-07..2015-06"), "known", 230.0, events=230),),
    )
    target = TargetGap(Cell("2014-07..2015-06"), 129.0, 218.0, date(2015, 6, 30), "not met", 12.0)
    return bare_score(told, target=target, chain=(("goal", "Answers"),))


def unanswered() -> Score:
    """A measure that its data cannot answer."""
    return bare_score(invented.people_hit())


def lacking() -> Measured:
    problem = Problem("measures/rent.yaml", 9, "M104", "no product 'rents'.", "Did you mean 'rent'?")
    return replace(invented.broken(), version=None, problems=(problem,))


def changes() -> Changes:
    """One change of many kinds."""
    told = measured()

    def one(kind: str, where: str, before: str, after: str, cell: Cell | None = None) -> Changed:
        return Changed(kind, told.measure, told.title, cell, where, before, after)  # type: ignore[arg-type]

    return Changes(
        date(2015, 4, 1),
        TODAY,
        (
            one("signal begun", "", "no signal", "improvement high since 2015-05", Cell(NOW)),
            one("target crossed", "District 1", "met", "not met", place("1")),
            one("first published", "", "nothing", "release 2"),
        ),
        ("Injury crashes", "Beds that are taken"),
        33,
        0.53,
    )


def pages() -> tuple[GoalPage, ...]:
    """Two goals: one of four measures, one of none that can be answered."""
    four = tuple(replace(score(), measured=replace(measured(), title=f"Requests of kind {i}")) for i in range(4))
    first = GoalPage(
        "answers", "Answers", "Whoever asks gets an answer.", "Invented office", "Invented steward", four,
        ("goal answers has outputs only",), (("Rent", "no product 'rents'"),),
    )  # fmt: skip
    return first, GoalPage("homes", "Homes", "Everybody has a home.", "", "", ())
