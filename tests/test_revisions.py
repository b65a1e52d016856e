"""What was published on a day stays what was published on that day, and what changed since is told as a change."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from metroon import scorecard
from metroon.base.estimate import Cell
from town import IN_WARDS, STAY_COLUMNS, WARDS, Told, Town, stays

if TYPE_CHECKING:
    from pathlib import Path

    from metroon.base.scorecard import Score
    from metroon.walk import Walk

FIRST, SECOND, THIRD = date(2026, 2, 10), date(2026, 3, 10), date(2026, 4, 10)
COUNTS = {"north": 140, "east": 150, "south": 160, "west": 170}
MONTHS = {"column": "day", "grain": "month", "places": "year", "groups": "year"}
PEOPLE = {"of": "residents", "column": "n", "group": "race", "source": "count", "vintage": "2025"}
TOLD = {"text": "A cold month.", "author": "director", "on": "2026-01-15", "expires": "2026-03-31"}


def target(value: float, **more: Any) -> dict[str, Any]:
    points = [{"on": "2024-12-31", "value": 0.9}, {"on": "2026-12-31", "value": value}]
    return {"points": points, "authority": "council", "frozen_at": "2025-01-01", **more}


HOMES: dict[str, Any] = {
    "kind": "share", "when": "is_home", "places": ["ward"], "period": MONTHS, "direction": "up",
    "groups": [{"by": "race", "reference": "A"}], "target": target(0.8), "baseline": {"period": "2025-01"},
    "revision": {"final_after_days": 60, "restated_above": 0.02}, "narrative": {"story": TOLD},
}  # fmt: skip
RATE: dict[str, Any] = {
    "kind": "rate", "per": 1000, "places": ["ward"], "direction": "down",
    "period": {"column": "day", "grain": "year"}, "groups": [{"by": "race", "reference": "A", "people": PEOPLE}],
}  # fmt: skip


def rows_until(day: date) -> list[dict[str, Any]]:
    """Two years and more of stays, those begun until a day."""
    every = stays({w: 3 * n for w, n in COUNTS.items()}, start=date(2025, 1, 1), days=460)
    wards = [w for w in WARDS for _ in range(460)]
    mixed = [r | {"ward": wards[(i * 7) % len(wards)]} for i, r in enumerate(every)]
    return [r for r in mixed if r["day"] <= day.isoformat()]


def written(folder: Path) -> Town:
    town = Town(folder, as_of=FIRST).with_wards(dict.fromkeys(WARDS, 1000))
    town.product("stays", STAY_COLUMNS, unit="none", table=IN_WARDS)
    town.csv("residents.csv", [{"race": r, "n": n} for r, n in (("A", 3000), ("B", 1000))])
    town.product("residents", {"race": "string public", "n": "integer public"}, unit="none", mode="rows")
    town.csv("stays.csv", rows_until(date(2026, 1, 31)))
    return town.measure("homes", **HOMES)


def facts(score: Score) -> dict[str, Any]:
    """A score as plain values; of the places only what stands beside numbers."""
    told = asdict(score)
    told["measured"].pop("geographies")
    return told | {"labels": [g.label for g in score.measured.geographies]}


def card(walk: Walk, on: date | None = None) -> dict[str, dict[str, Any]]:
    return {s.measured.measure: facts(s) for s in scorecard.scores(walk, on=on)[0]}


class Years:
    """A town, three runs, and what readers saw on each of the three days."""

    def __init__(self, folder: Path) -> None:
        self.town = written(folder).measure("stay_rate", **RATE)
        self.seen: dict[date, dict[str, dict[str, Any]]] = {}
        self.see(FIRST)
        # Late rows of January, a corrected file, and February.
        late = [
            r | {"id": f"late{r['id']}", "day": "2026-01-20", "is_home": "no"} for r in rows_until(date(2025, 1, 12))
        ]
        corrected = [
            r | {"is_home": "no"} if r["day"].startswith("2025-03") else r for r in rows_until(date(2026, 2, 28))
        ]
        self.town.csv("stays.csv", [*corrected, *late])
        self.see(SECOND)
        self.town.csv(
            "stays.csv", [*corrected, *late, *(r for r in rows_until(date(2026, 3, 31)) if r["day"] > "2026-02-28")]
        )
        self.town.csv("residents.csv", [{"race": r, "n": n} for r, n in (("A", 2000), ("B", 2000))])
        self.told = self.see(THIRD)

    def see(self, day: date) -> Told:
        told = self.town.run(as_of=day)
        assert [] == told.codes()
        self.seen[day] = card(told.walk, day)
        return told


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Years:
    return Years(tmp_path_factory.mktemp("years"))


@pytest.mark.parametrize("day", [FIRST, SECOND, THIRD])
@pytest.mark.parametrize("name", ["homes", "stay_rate"])
def test_a_scorecard_of_an_earlier_day_is_what_was_published_on_it(years, day, name):
    again = card(years.town.walk(as_of=THIRD), day)

    assert years.seen[day][name]["measured"]["sha256"] == again[name]["measured"]["sha256"]
    assert years.seen[day][name] == again[name]


def test_the_three_days_saw_three_different_numbers(years):
    assert 3 == len({c["homes"]["measured"]["sha256"] for c in years.seen.values()})


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 2, 9), None),
        (FIRST, 1),
        (date(2026, 3, 9), 1),
        (SECOND, 2),
        (date(2026, 4, 9), 2),
        (date(2030, 1, 1), 3),
    ],
)
def test_between_two_runs_readers_saw_the_earlier_one(years, day, expected):
    version = scorecard.published(years.told.walk, "homes", day)

    assert expected == (version.number if version else None)


def test_before_the_first_run_nothing_was_published_and_that_is_said(years):
    made, lacking = scorecard.scores(years.told.walk, on=date(2026, 2, 9))

    assert ([], {"homes": ["F105"], "stay_rate": ["F105"]}) == (
        made,
        {m.measure: [p.code for p in m.problems] for m in lacking},
    )


def test_a_month_is_the_first_figure_until_it_is_corrected_and_final_after_its_days(years):
    def stage(day: date) -> tuple[str, str]:
        homes = years.seen[day]["homes"]
        return homes["measured"]["headline"], homes["stage"]

    # January ends on the 31st; with 60 days it is final from April 1 on.
    assert [("2026-01", "first"), ("2026-02", "first"), ("2026-03", "first")] == [
        stage(d) for d in (FIRST, SECOND, THIRD)
    ]


def test_the_same_release_grows_final_with_time(years):
    walk = years.told.walk
    version = scorecard.published(walk, "homes", FIRST)
    stages = [
        scorecard.score(walk, "homes", version, day).stage for day in (FIRST, date(2026, 3, 31), date(2026, 4, 1))
    ]

    assert ["first", "first", "final"] == stages


def test_a_corrected_month_is_restated_and_one_that_hardly_moved_is_not(years):
    def months(day: date) -> dict[str, float]:
        told = years.seen[day]["homes"]["measured"]["estimates"]
        return {e["cell"]["period"]: e["value"] for e in told if e["cell"] == asdict(Cell(e["cell"]["period"]))}

    before, after = months(FIRST), months(SECOND)
    moved = {p for p in before if abs(after[p] - before[p]) > 0.02 * before[p]}
    changed = scorecard.changes(years.town.walk(as_of=THIRD), FIRST).changed
    told = {c.cell.period for c in changed if c.kind == "restated" and c.measure == "homes" and not c.where}

    # The corrected March, January with its late rows, and the year that March is a part of.
    assert {"2025-03", "2026-01", "2025"} == moved == told
    assert {False} == {before[p] == after[p] for p in moved}


def test_words_are_current_until_the_day_they_expire(years):
    expired = {d: years.seen[d]["homes"]["words"][0]["is_expired"] for d in (FIRST, SECOND, THIRD)}

    assert {FIRST: False, SECOND: False, THIRD: True} == expired


# What begins a new series, and what does not


def again(folder: Path, *later: dict[str, Any], days: tuple[date, ...] = (SECOND, THIRD)) -> list[Told]:
    town = written(folder)
    runs = [town.run(as_of=FIRST)]
    for day, change in zip(days, later, strict=False):
        town.measure("homes", **{**HOMES, **change})
        runs.append(town.run("homes", as_of=day))
    return runs


def series(told: Told) -> tuple[int, tuple[str, ...], int | None, date]:
    one = scorecard.score(told.walk, "homes", scorecard.published(told.walk, "homes"), told.walk.as_of).series
    return one.number, one.changed, one.before, one.since


@pytest.mark.slow
def test_a_change_of_what_is_counted_begins_a_series_and_no_signal_crosses_it(tmp_path):
    _, second = again(tmp_path, {"when": "is_home and race = 'A'"})
    changed = scorecard.changes(second.walk, FIRST).changed
    kinds = [c.kind for c in changed if c.measure == "homes"]

    assert (2, ("when",), 1, SECOND) == series(second)
    assert ["definition changed"] == kinds
    assert "when" in next(c.after for c in changed if c.kind == "definition changed")


@pytest.mark.slow
def test_the_series_of_an_earlier_day_stays_the_first(tmp_path):
    _, second = again(tmp_path, {"among": "race = 'A'"})
    one = scorecard.scores(second.walk, ["homes"], on=FIRST)[0][0]

    assert (1, (), FIRST) == (one.series.number, one.series.changed, one.series.since)
    assert (2, ("among",), 1, SECOND) == series(second)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"title": "Homes found", "question": "How many found one?", "note": "Checked by hand.", "owner": "analyst"},
        {"target": target(0.7, history=[{**{k: target(0.8)[k] for k in ("points", "authority", "frozen_at")},
                                         "until": "2026-03-01", "reason": "a new council"}])},
        {"places": [], "signals": {"rules": "wheeler8"}},
    ],
    ids=["words", "target", "breakdowns"],
)  # fmt: skip
def test_other_words_targets_or_breakdowns_begin_no_series(tmp_path, change):
    _, second = again(tmp_path, change)

    assert (1, (), None, FIRST) == series(second)
    assert [] == [c for c in scorecard.changes(second.walk, FIRST).changed if c.kind == "definition changed"]


@pytest.mark.slow
def test_a_changed_target_keeps_its_history_and_the_old_day_its_old_target(tmp_path):
    old = {
        **{k: target(0.8)[k] for k in ("points", "authority", "frozen_at")},
        "until": "2026-03-01",
        "reason": "lower",
    }
    _, second = again(tmp_path, {"target": target(0.1, history=[old])})
    now, before = (scorecard.scores(second.walk, ["homes"], on=day)[0][0] for day in (None, FIRST))
    kinds = [c.kind for c in scorecard.changes(second.walk, FIRST).changed if c.measure == "homes"]

    assert ("0.8 by" in before.target_words, "0.1 by" in now.target_words) == (True, True)
    assert [("lower", date(2026, 3, 1))] == [(p.reason, p.until) for p in now.past_targets]
    assert () == before.past_targets
    # Nothing was reached by asking for less.
    assert ["target changed"] == kinds


# A run of an earlier day


@pytest.mark.slow
def test_a_run_for_an_earlier_day_does_not_change_what_later_days_saw(tmp_path):
    town = written(tmp_path)
    town.csv("stays.csv", rows_until(date(2026, 3, 31)))
    town.run(as_of=THIRD)
    before = card(town.walk(as_of=THIRD), THIRD)
    town.csv("stays.csv", rows_until(date(2026, 2, 28)))
    town.run(as_of=SECOND)
    walk = town.walk(as_of=THIRD)

    assert before == card(walk, THIRD) == card(walk)
    assert "2026-02" == card(walk, SECOND)["homes"]["measured"]["headline"]


# Boundaries


@pytest.mark.slow
def test_new_boundaries_are_told_and_the_old_day_keeps_its_old_ones(tmp_path):
    town = written(tmp_path)
    town.run(as_of=FIRST)
    town.places["ward"] |= {"vintage": "2026", "people": {"column": "people", "source": "count", "vintage": "2026"}}
    town.city().run(as_of=SECOND)
    walk = town.walk(as_of=SECOND)
    changed = [c for c in scorecard.changes(walk, FIRST).changed if c.kind == "boundaries changed"]

    assert [("homes", "Wards (2025)", "Wards (2026)")] == [(c.measure, c.before, c.after) for c in changed]
    assert ["Wards (2025)"] == card(walk, FIRST)["homes"]["labels"]


def test_the_lake_still_holds_every_release(years):
    assert {1, 2, 3} == set(years.told.walk.lake.history("homes", "open"))
