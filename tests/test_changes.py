"""What changed is exactly what was planted, the most telling first; when nothing happened, nothing is told."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from metroon import scorecard
from metroon.base.estimate import Cell, Estimate
from metroon.base.kinds import build
from metroon.base.node import Node
from metroon.base.period import first_day, last_day, next_period
from metroon.base.scorecard import RANKS
from metroon.measure import Indicator
from metroon.measure.scorecard import Released, courses
from metroon.measure.signals import false_alarms
from town import IN_WARDS, WARDS, Town

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metroon.base.scorecard import Changes, Course

FIRST, SECOND = date(2026, 2, 10), date(2026, 3, 10)
COLUMNS = {
    "id": {"logicalType": "string", "primaryKey": True, "required": True, "classification": "public"},
    "story": "string public", "day": "date public", "race": "string public", "ok": "boolean public",
    "ward": "string public",
}  # fmt: skip
MONTH = {"column": "day", "grain": "month"}
COUNT: dict[str, Any] = {"period": MONTH, "direction": "down"}
SHARE: dict[str, Any] = {"kind": "share", "when": "ok", "period": MONTH, "direction": "up"}
QUIET = [60, 63, 58, 61, 57, 62, 59, 64, 56, 61, 60, 58, 63, 59, 62, 57, 61, 64, 58, 60, 62, 59, 61, 57, 60, 62]
"""26 months from January 2024 on, none of them a signal."""
SHORT = [60] * 5


def target(first: float, second: float) -> dict[str, Any]:
    """What is asked for until the end of January, and from the end of February on."""
    points = [{"on": "2023-12-31", "value": first}, {"on": "2026-02-28", "value": second}]
    return {"points": points, "authority": "council", "frozen_at": "2023-12-01", "interpolation": "step"}


def told(expires: str) -> dict[str, Any]:
    return {"story": {"text": "A cold winter.", "author": "director", "on": "2026-01-01", "expires": expires}}


def rows(counts: Sequence[int], *, share: float = 0.6, last: dict[str, float] | None = None) -> list[dict[str, Any]]:
    """So many rows a month, the last of them February 2026; races in turn, the same share of each ok.

    Args:
        counts: Rows of each month.
        share: Of them, those that are ok.
        last: Race -> share that is ok in the last month.
    """
    named = ["2026-02"]
    while len(named) < len(counts):
        named.insert(0, f"{first_day(named[0]) - timedelta(days=1):%Y-%m}")
    made = []
    for month, n in zip(named, counts, strict=True):
        for i in range(n):
            race = "AB"[i % 2]
            of_race = (last or {}).get(race, share) if month == "2026-02" else share
            # The first and the last day of every month have a row, so that all are covered.
            day = (first_day(month) + timedelta(days=i % 27)) if i else last_day(month)
            is_ok = (i // 2) % 10 < round(10 * of_race)
            made.append({"id": f"{month}-{i}", "day": day.isoformat(), "race": race, "ok": "yes" if is_ok else "no",
                         "ward": WARDS[i % 4]})  # fmt: skip
    return made


def before_march(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [r for r in found if r["day"] < "2026-02-01"]


JANUARY = [*QUIET[:-2], 150, 60]
FEBRUARY = [*QUIET[:-2], 60, 150]
Planted = tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]], list[str]]
PLANTED: dict[str, Planted] = {
    "begins": (COUNT, before_march(rows(FEBRUARY)), rows(FEBRUARY), ["signal begun"]),
    "ends": (COUNT, before_march(rows(JANUARY)), rows(JANUARY), ["signal ended"]),
    "flips": ({**COUNT, "target": target(300, 60)}, before_march(rows(QUIET)), rows(QUIET), ["assurance flipped"]),
    "crosses": (
        {**SHARE, "target": target(0.8, 0.4)}, before_march(rows([200] * 5)), rows([200] * 5), ["target crossed"],
    ),
    "crosses_back": (
        {**SHARE, "target": target(0.4, 0.8)}, before_march(rows([200] * 5)), rows([200] * 5), ["target crossed"],
    ),
    "widens": (
        {**SHARE, "groups": [{"by": "race", "reference": "A"}]}, before_march(rows([400] * 5)),
        rows([400] * 5, last={"A": 0.7, "B": 0.5}), ["gap newly certain"],
    ),
    "corrected": (COUNT, before_march(rows(SHORT)), rows([60, 60, 75, 60, 60]), ["restated"]),
    "hardly_corrected": (COUNT, before_march(rows(SHORT)), rows([60, 60, 62, 60, 60]), []),
    "late": (COUNT, before_march(rows(SHORT)), before_march(rows(SHORT)), ["late"]),
    "redefined": (COUNT, before_march(rows(FEBRUARY)), rows(FEBRUARY), ["definition changed"]),
    "moved": ({**COUNT, "places": ["ward"]}, before_march(rows(SHORT)), rows(SHORT), ["boundaries changed"]),
    "expires": (
        {**COUNT, "narrative": told("2026-03-01")}, before_march(rows(SHORT)), rows(SHORT), ["narrative expired"],
    ),
    "still_told": ({**COUNT, "narrative": told("2026-03-11")}, before_march(rows(SHORT)), rows(SHORT), []),
    "new": (COUNT, [], rows(SHORT), ["first published"]),
    "quiet": (COUNT, before_march(rows(QUIET)), rows(QUIET), []),
    "quiet_share": (
        {**SHARE, "target": target(0.5, 0.5), "groups": [{"by": "race", "reference": "A"}]},
        before_march(rows([200] * 26)), rows([200] * 26), [],
    ),
}  # fmt: skip


def with_promised_days(town: Town, product: str, days: int) -> None:
    file = town.folder / "products" / product / "contract.yaml"
    promised = json.loads(file.read_text())
    town.write(f"products/{product}/contract.yaml", promised | {
        "slaProperties": [{"property": "latency", "value": days, "unit": "d"}]
    })  # fmt: skip


def deliver(town: Town, run: int) -> None:
    """All rows of one run; those of the late story apart, as data are late as a whole."""
    told = {name: planted[1 + run] for name, planted in PLANTED.items()}
    every = [{"story": n, **r, "id": f"{n}-{r['id']}"} for n, found in told.items() for r in found]
    town.csv("stories.csv", [r for r in every if r["story"] != "late"])
    town.csv("late_stories.csv", [r for r in every if r["story"] == "late"])


def declare(town: Town, names: Iterable[str]) -> None:
    for name in names:
        product = "late_stories" if name == "late" else "stories"
        town.measure(name, of=product, among=f"story = '{name}'", **PLANTED[name][0])


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Two runs a month apart, with all that can change planted between them."""
    town = Town(tmp_path_factory.mktemp("planted"), as_of=FIRST).with_wards()
    for product in ("stories", "late_stories"):
        collect = {"kind": "csv", "path": f"{product}.csv"}
        table = {**IN_WARDS, "eventTime": "day"}
        town.product(product, COLUMNS, unit="none", mode="rows", table=table, collect=collect)
    with_promised_days(town, "late_stories", 35)
    deliver(town, 0)
    declare(town, [n for n, planted in PLANTED.items() if planted[1]])
    assert [] == town.run(as_of=FIRST).codes()
    deliver(town, 1)
    declare(town, PLANTED)
    town.measure("redefined", of="stories", among="story = 'redefined' and race = 'A'", **COUNT)
    town.places["ward"]["vintage"] = "2026"
    assert [] == town.city().run(as_of=SECOND).codes()
    return town


@pytest.fixture(scope="module")
def changes(town: Town) -> Changes:
    return scorecard.changes(town.walk(as_of=SECOND), FIRST)


@pytest.mark.parametrize("name", PLANTED)
def test_of_each_measure_exactly_what_was_planted_is_told(changes, name):
    assert PLANTED[name][-1] == [c.kind for c in changes.changed if c.measure == name]


def test_everything_else_is_named_as_unchanged(changes):
    quiet = {n for n, planted in PLANTED.items() if not planted[-1]}

    assert quiet <= set(changes.unchanged)
    assert Counter(PLANTED.keys()) == Counter([*changes.unchanged, *{c.measure for c in changes.changed}])


def test_the_most_telling_change_comes_first(changes):
    ranks = [RANKS.index(c.kind) for c in changes.changed]

    assert sorted(ranks) == ranks
    assert "signal begun" == changes.changed[0].kind


def test_a_change_tells_both_sides_in_words(changes):
    by_measure = {c.measure: (c.before, c.after) for c in changes.changed}

    expected = {
        "begins": ("no signal", "concern high since 2026-02"),
        "ends": ("concern high", "common cause"),
        "flips": ("consistently passes", "hit or miss"),
        "crosses": ("not met", "met"),
        "crosses_back": ("met", "not met"),
        "corrected": ("60 (2025-12)", "75"),
        "expires": ("story by director", "expired on 2026-03-01"),
        "new": ("nothing", "release 1"),
    }
    assert expected == {n: by_measure[n] for n in expected}


def test_a_gap_that_opened_is_told_with_its_sizes_and_its_group(changes):
    (gap,) = [c for c in changes.changed if c.measure == "widens"]

    assert ("B", "+0 beside A", "-0.2 beside A", pytest.approx(0.2)) == (gap.where, gap.before, gap.after, gap.size)


def test_nothing_is_told_when_nothing_happened(town):
    today = scorecard.changes(town.walk(as_of=SECOND), SECOND)

    assert ((), sorted(PLANTED)) == (today.changed, sorted(today.unchanged))


@pytest.mark.slow
def test_a_run_with_nothing_new_tells_nothing(town):
    town.run(as_of=SECOND + timedelta(days=1))
    found = scorecard.changes(town.walk(as_of=SECOND + timedelta(days=1)), SECOND)

    # The words of one expire on that day.
    assert [("narrative expired", "still_told")] == [(c.kind, c.measure) for c in found.changed]


def test_series_that_allow_a_verdict_are_counted_and_no_others(changes):
    # Of 26 months: begins, ends, flips, redefined, quiet. The quiet share never moves, so it has no limits.
    assert 5 == changes.looked_at
    assert 5 * false_alarms(26, rules="nhs7").last_point == pytest.approx(changes.false_alarms, abs=0.005)


# How often a quiet city tells of a change


def quiet_places(series: int, months: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(50, 5, (series, months))


def course_of(values: np.ndarray) -> tuple[tuple[Course, ...], float]:
    """The courses of as many places as there are rows, month by month."""
    declared = {"kind": "mean", "value": "x", "title": "It", "question": "?", "of": "stays", "period": MONTH,
                "direction": "down"}  # fmt: skip
    indicator = build("measure", Node(declared, "measures/it.yaml"), Indicator)
    named = ["2023-01"]
    while len(named) < values.shape[1]:
        named.append(next_period(named[-1]))
    told = [
        Estimate(Cell(p, "ward", f"w{i}"), "known", v, v - 9, v + 9)
        for i, row in enumerate(values.tolist())
        for p, v in zip(named, row, strict=True)
    ]
    _, others, alarms = courses(Released(indicator, told, [named[-1]]))
    return others, alarms


def signals(found: Sequence[Course], *, is_kept: bool) -> int:
    return sum(c.variation not in ("", "common cause") and (c.is_kept or not is_kept) for c in found)


def test_as_many_quiet_series_look_like_a_signal_as_is_said():
    found, alarms = course_of(quiet_places(300, 24, seed=17))

    # 300 charts at 1.6 %: 4.7 are to be expected, and 1 to 11 of them in 99 of 100 cases.
    assert 4.7 == pytest.approx(alarms, abs=0.3)
    assert 1 <= signals(found, is_kept=False) <= 11


@pytest.mark.slow
@pytest.mark.parametrize("months", [13, 24, 36])
def test_over_many_quiet_cities_the_number_that_is_said_is_that_which_is_seen(months):
    made = [course_of(quiet_places(300, months, seed)) for seed in range(10)]
    seen, said = sum(signals(c, is_kept=False) for c, _ in made), sum(alarms for _, alarms in made)

    assert 1 == pytest.approx(seen / said, abs=4 / np.sqrt(said))


def test_hardly_any_of_three_hundred_quiet_series_is_listed():
    kept = [signals(course_of(quiet_places(300, 24, seed))[0], is_kept=True) for seed in range(3)]

    assert sum(kept) <= 1
