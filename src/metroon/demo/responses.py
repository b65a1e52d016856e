"""Fire and medical responses, as the invented city's fire department delivers them."""

from __future__ import annotations

import numpy as np

from metroon.demo.days import DAYS, MINUTES, labels, minutes, us_minutes
from metroon.demo.flaws import RECORDS, TIMELESS_MONTH, TIMELESS_ROWS, flawed_rows
from metroon.demo.people import POVERTY, RESIDENTS, live_in
from metroon.demo.position import displaced, position
from metroon.demo.sheet import Change, Flags, Sheet, Whole, deliveries, padded, spoiled, with_twins
from metroon.demo.terrain import squares
from metroon.demo.truths import (
    SLOW_DISTRICT,
    TRUTHS,
    WITHIN_8,
)

_PRIORITIES = np.array(["Priority 1", "Priority 2", "Priority 3"])
_TYPES = np.array(["Medical aid", "Alarm", "Fire", "Traffic collision", "Public service"])
_TYPE_CHANCES = [0.62, 0.14, 0.05, 0.09, 0.10]
_TIMELESS = 480
"""Of the rows of the refused file: more than a third."""


def response_sheets(rng: np.random.Generator) -> dict[str, Sheet]:
    """The monthly files: label -> sheet.

    Grain:
        One row per call that somebody was sent to.
    """
    n = RECORDS["fire_responses"]
    at = np.sort(minutes(rng, month_days(rng, n, TIMELESS_MONTH, TIMELESS_ROWS)))
    month = labels(at // MINUTES, "month")
    home = live_in(rng, RESIDENTS * (0.6 + 2 * POVERTY), n)
    kind = rng.choice(len(_TYPES), n, p=_TYPE_CHANCES)
    sheet = Sheet(
        {
            "Incident No": padded("AV-F-", np.arange(n) + 1, 6),
            "Event Time": us_minutes(at),
            "Dispatched": us_minutes(at + rng.integers(0, 3, n)),
            "On Scene": us_minutes(at + _minutes_to_scene(rng, home)),
            "Priority": rng.choice(_PRIORITIES, n, p=[0.62, 0.28, 0.10]),
            "Call Type": _TYPES[kind],
            "Station": np.strings.add("Invented Station ", ((home + 2) // 3).astype(np.str_)),
            **position(rng, squares(rng, home)),
        }
    )
    is_timeless = month == TIMELESS_MONTH
    flawed = flawed_rows(rng, "fire_responses", among=~is_timeless, only={"second spelling": kind == 0})
    sheet = _flaws(rng, sheet, flawed, at)
    sheet = sheet.put("Event Time", np.flatnonzero(is_timeless)[:_TIMELESS], "")
    rows = with_twins(n, flawed["twin"])
    return deliveries(sheet.take(rows), month[rows])


def month_days(rng: np.random.Generator, n: int, month: str, rows: int) -> Whole:
    """Days by chance, exactly so many of them in one month: the size of a refused file is known."""
    days = np.arange(DAYS)
    is_month = labels(days, "month") == month
    return np.concatenate([rng.choice(days[is_month], rows), rng.choice(days[~is_month], n - rows)])


def _minutes_to_scene(rng: np.random.Generator, home: Whole) -> Whole:
    slower = next(t.size for t in TRUTHS if t.name == "slow district")
    is_slow = (home - 1) // 5 + 1 == SLOW_DISTRICT
    is_within: Flags = rng.random(len(home)) < WITHIN_8 + slower * is_slow
    soon = 3 + rng.binomial(5, 0.62, len(home))
    return np.where(is_within, soon, 9 + rng.geometric(0.28, len(home)) - 1)


def _flaws(rng: np.random.Generator, sheet: Sheet, flawed: dict[str, Whole], at: Whole) -> Sheet:
    changes: list[Change] = [
        ("Event Time", "unreadable time", "13/45/23 99:99 XM"),
        ("Event Time", "no time", ""),
        ("On Scene", "no arrival", ""),
        ("On Scene", "early arrival", us_minutes(np.maximum(at[flawed["early arrival"]] - 7, 0))),
        ("Priority", "no priority", ""),
        ("Call Type", "second spelling", "MEDICAL AID"),
    ]
    return displaced(rng, spoiled(sheet, flawed, changes), flawed)
