"""Days and minutes of the invented city, counted from the first day of its data, and how files write them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from metroon.demo.sheet import Flags, Text, Whole

FIRST, LAST = date(2022, 1, 1), date(2026, 6, 30)
"""The first and the last day of which anything is told."""
AS_OF = date(2026, 7, 15)
"""The day that the city takes for today."""
DAYS = (LAST - FIRST).days + 1
MINUTES = 24 * 60

_START = np.datetime64(FIRST, "D")
_CALENDAR = _START + np.arange(DAYS + 31)
# Second Sunday of March, first Sunday of November: at night an hour is missing, or is there twice.
_CLOCK_CHANGES = [
    date(2022, 3, 13), date(2022, 11, 6), date(2023, 3, 12), date(2023, 11, 5), date(2024, 3, 10),
    date(2024, 11, 3), date(2025, 3, 9), date(2025, 11, 2), date(2026, 3, 8),
]  # fmt: skip
_BUSY_HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 7, 8, 6, 6, 6, 7, 7, 8, 9, 10, 10, 8, 6, 5, 4, 3, 2]) / 124


def day(on: date) -> int:
    """Days from the first day of the data; 0 on that day.

    Example:
        >>> day(date(2022, 1, 1)), day(date(2024, 7, 1))
        (0, 912)
    """
    return (on - FIRST).days


def minutes(rng: np.random.Generator, days: Whole) -> Whole:
    """A minute on each of the days, more of them by day than by night, none that clocks skip or repeat."""
    hour = rng.choice(24, len(days), p=_BUSY_HOURS)
    changing = np.isin(days, [day(d) for d in _CLOCK_CHANGES]) & (hour < 4)
    at: Whole = days * MINUTES + (hour + 4 * changing) * 60 + rng.integers(0, 60, len(days))
    return at


def iso_days(days: Whole) -> Text:
    """Days as ``2022-01-05``.

    Example:
        >>> str(iso_days(np.array([4]))[0])
        '2022-01-05'
    """
    return np.datetime_as_string(_CALENDAR).astype(np.str_)[days]


def us_days(days: Whole) -> Text:
    """Days as ``1/5/2022``.

    Example:
        >>> str(us_days(np.array([4]))[0])
        '1/5/2022'
    """
    return np.array([f"{d.month}/{d.day}/{d.year}" for d in _CALENDAR.tolist()])[days]


def iso_minutes(at: Whole) -> Text:
    """Minutes as ``2022-01-05 17:45``.

    Example:
        >>> str(iso_minutes(np.array([4 * 1440 + 1065]))[0])
        '2022-01-05 17:45'
    """
    clock = np.array([f" {m // 60:02d}:{m % 60:02d}" for m in range(MINUTES)])
    return np.strings.add(iso_days(at // MINUTES), clock[at % MINUTES])


def us_minutes(at: Whole) -> Text:
    """Minutes as ``1/5/22 5:45 PM``, as one old system writes them.

    Example:
        >>> [str(t) for t in us_minutes(np.array([5, 4 * 1440 + 1065]))]
        ['1/1/22 12:05 AM', '1/5/22 5:45 PM']
    """
    dates = np.array([f"{d.month}/{d.day}/{d.year % 100}" for d in _CALENDAR.tolist()])
    noon = MINUTES // 2
    hours = [f" {h % 12 or 12}" for h in range(24)]
    clock = np.array([f"{hours[m // 60]}:{m % 60:02d} {'AM' if m < noon else 'PM'}" for m in range(MINUTES)])
    return np.strings.add(dates[at // MINUTES], clock[at % MINUTES])


def labels(days: Whole, grain: Literal["month", "quarter", "year"]) -> Text:
    """The period that a file with each of these days is named after.

    Example:
        >>> [str(labels(np.array([912]), g)[0]) for g in ("month", "quarter", "year")]
        ['2024-07', '2024-Q3', '2024']
    """
    names = {
        "month": [f"{d.year}-{d.month:02d}" for d in _CALENDAR.tolist()],
        "quarter": [f"{d.year}-Q{(d.month + 2) // 3}" for d in _CALENDAR.tolist()],
        "year": [f"{d.year}" for d in _CALENDAR.tolist()],
    }
    return np.array(names[grain])[days]


def is_between(days: Whole, first: date, last: date) -> Flags:
    """Whether each day lies from ``first`` to ``last``, both included."""
    return (days >= day(first)) & (days <= day(last))
