"""Injury crashes and the people hurt in them, as the transportation department delivers them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from metroon.demo.days import DAYS, MINUTES, day, is_between, iso_days, labels, minutes
from metroon.demo.flaws import RECORDS, flawed_rows
from metroon.demo.people import GROUPS, NEIGHBORHOODS, POVERTY, RESIDENTS, choose, shares
from metroon.demo.position import displaced, position
from metroon.demo.sheet import (
    Change,
    Flags,
    Number,
    Sheet,
    Text,
    Whole,
    deliveries,
    padded,
    spoiled,
    with_twins,
)
from metroon.demo.terrain import CORRIDORS, GRID, along, squares
from metroon.demo.truths import (
    BUILT,
    ELSEWHERE,
    QUICK_BUILD,
    QUIET,
    QUIET_INJURED,
    QUIET_YEAR,
    TRUTHS,
)

_ELSEWHERE_A_YEAR = 1_233
_MODES = np.array(["Motor vehicle", "Pedestrian", "Bicycle", "Motorcycle"])
_MODE_CHANCES = [0.71, 0.12, 0.08, 0.09]
_SEVERITIES = np.array(["K", "A", "B", "C"])
"""Killed, severely hurt, visibly hurt, complains of pain: the KABCO scale without O, nobody hurt."""
_SEVERITY_CHANCES = np.array(
    [[0.006, 0.05, 0.35, 0.594], [0.03, 0.14, 0.43, 0.40], [0.01, 0.10, 0.48, 0.41], [0.03, 0.16, 0.44, 0.37]]
)
_AGES = ((1, 18, 0.09), (18, 25, 0.18), (25, 45, 0.37), (45, 65, 0.24), (65, 92, 0.12))


@dataclass(frozen=True)
class _Crashes:
    """Crashes in the order of their time; one entry each in every array."""

    at: Whole
    cells: Whole
    corridor: Whole
    is_quiet: Flags


def crash_sheets(rng: np.random.Generator) -> tuple[dict[str, Sheet], dict[str, Sheet]]:
    """The quarterly files of crashes and of victims: label -> sheet.

    Grain:
        Crashes: one row per crash in which somebody was hurt. Victims: one row per person hurt.
    """
    crashes = _crashes(rng)
    n = len(crashes.at)
    mode = rng.choice(len(_MODES), n, p=_MODE_CHANCES)
    crash_of = _crash_of_victims(rng, crashes.is_quiet)
    severity = choose(rng, _SEVERITY_CHANCES, mode[crash_of])
    worst = np.full(n, len(_SEVERITIES))
    np.minimum.at(worst, crash_of, severity)
    injured = np.bincount(crash_of, minlength=n)
    quarter = labels(crashes.at // MINUTES, "quarter")
    return (
        _crash_files(rng, crashes, mode, worst, injured, quarter),
        _victim_files(rng, crashes, mode, crash_of, severity, quarter),
    )


def _crashes(rng: np.random.Generator) -> _Crashes:
    """Crashes at a steady rate, thinned where something was built and in the one quiet year."""
    quiet = _quiet_days(rng)
    n = RECORDS["crashes"] - len(quiet)
    drawn = n + 1_000
    weights = np.concatenate([_elsewhere(), [c.crashes for c in CORRIDORS]])
    source = rng.choice(len(weights), drawn, p=weights / weights.sum())
    on = rng.integers(0, DAYS, drawn)
    keep = rng.random(drawn) < _remaining(source, on)
    source, on = source[keep][:n], on[keep][:n]
    homes = len(NEIGHBORHOODS)
    corridor = np.where(source >= homes, source - homes, -1)
    cells = squares(rng, np.where(corridor < 0, source + 1, 1))
    for i, line in enumerate(CORRIDORS):
        cells[corridor == i] = along(rng, line, int((corridor == i).sum()))
    cells = np.concatenate([cells, squares(rng, np.full(len(quiet), QUIET))])
    at = minutes(rng, np.concatenate([on, quiet]))
    order = np.argsort(at, kind="stable")
    return _Crashes(
        at[order],
        cells[order],
        np.concatenate([corridor, np.full(len(quiet), -1)])[order],
        np.concatenate([np.zeros(n, dtype=bool), np.ones(len(quiet), dtype=bool)])[order],
    )


def _elsewhere() -> Number:
    weights = RESIDENTS * (0.6 + 1.6 * POVERTY)
    return np.asarray(weights / weights.sum() * _ELSEWHERE_A_YEAR, dtype=float)


def _remaining(source: Whole, on: Whole) -> Number:
    built = len(NEIGHBORHOODS) + [c.name for c in CORRIDORS].index(BUILT)
    fewer = next(t.size for t in TRUTHS if t.name == "quick build")
    share = np.where((source == built) & (on >= day(QUICK_BUILD)), 1 + fewer, 1.0)
    is_quiet_year = is_between(on, date(QUIET_YEAR, 1, 1), date(QUIET_YEAR, 12, 31))
    return np.where((source == QUIET - 1) & is_quiet_year, 0.0, share)


def _quiet_days(rng: np.random.Generator) -> Whole:
    return day(date(QUIET_YEAR, 1, 1)) + rng.integers(0, 366, QUIET_INJURED)


def _crash_of_victims(rng: np.random.Generator, is_quiet: Flags) -> Whole:
    """One person hurt in every crash, and the others by chance, none in the quiet ones."""
    more = rng.choice(np.flatnonzero(~is_quiet), RECORDS["crash_victims"] - len(is_quiet))
    return np.sort(np.concatenate([np.arange(len(is_quiet)), more]))


def _crash_ids(rows: Whole) -> Text:
    return padded("AV-X-", rows + 1, 6)


def _crash_files(
    rng: np.random.Generator, crashes: _Crashes, mode: Whole, worst: Whole, injured: Whole, quarter: Text
) -> dict[str, Sheet]:
    n = len(crashes.at)
    clock = np.array([f"{m // 60:02d}{m % 60:02d}" for m in range(MINUTES)])
    names = np.array([*(c.name for c in CORRIDORS), ELSEWHERE])
    sheet = Sheet(
        {
            "Crash ID": _crash_ids(np.arange(n)),
            "Crash Date": iso_days(crashes.at // MINUTES),
            "Crash Time": clock[crashes.at % MINUTES],
            "Severity": _SEVERITIES[worst],
            "Mode": _MODES[mode],
            "Injured": injured.astype(np.str_),
            "Hit And Run": np.where(rng.random(n) < 0.07, "Y", "N"),
            "Corridor": names[crashes.corridor],
            **position(rng, crashes.cells),
        }
    )
    flawed = flawed_rows(rng, "crashes", among=~crashes.is_quiet, only={"second spelling": mode == 1})
    changes: list[Change] = [
        ("Crash Time", "no time", "2500"),
        ("Hit And Run", "no hit and run", "-"),
        ("Mode", "second spelling", "Ped"),
    ]
    sheet = displaced(rng, spoiled(sheet, flawed, changes), flawed)
    rows = with_twins(n, flawed["twin"])
    return deliveries(sheet.take(rows), quarter[rows])


def _victim_files(
    rng: np.random.Generator, crashes: _Crashes, mode: Whole, crash_of: Whole, severity: Whole, quarter: Text
) -> dict[str, Sheet]:
    n = len(crash_of)
    home = np.maximum(GRID[tuple(crashes.cells[crash_of].T)], 1) - 1
    on_foot = np.where(mode == 1, "Pedestrian", np.where(mode == 2, "Cyclist", "Driver"))[crash_of]
    role = np.where((on_foot == "Driver") & (rng.random(n) < 0.32), "Passenger", on_foot)
    sheet = Sheet(
        {
            "Victim ID": padded("AV-V-", np.arange(n) + 1, 6),
            "Crash ID": _crash_ids(crash_of),
            "Role": role,
            "Age": _ages(rng, n).astype(np.str_),
            "Sex": np.where(rng.random(n) < 0.46, "Female", "Male"),
            "Race": np.array(GROUPS["race"])[choose(rng, shares("race"), home)],
            "Injury": _SEVERITIES[severity],
        }
    )
    flawed = flawed_rows(rng, "crash_victims", among=~crashes.is_quiet[crash_of])
    changes: list[Change] = [
        ("Age", "age 0", "0"),
        ("Age", "age 998", "998"),
        ("Race", "race unknown", "Unknown"),
        ("Race", "race dash", "-"),
        ("Sex", "sex dash", "-"),
    ]
    rows = with_twins(n, flawed["twin"])
    return deliveries(spoiled(sheet, flawed, changes).take(rows), quarter[crash_of[rows]])


def _ages(rng: np.random.Generator, n: int) -> Whole:
    low, high, chance = (np.array(column) for column in zip(*_AGES, strict=True))
    band = rng.choice(len(_AGES), n, p=chance)
    return np.asarray(low[band] + (rng.random(n) * (high - low)[band]).astype(np.int64), dtype=np.int64)
