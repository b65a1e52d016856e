"""Periods: names for stretches of calendar time, and which of them are closed.

A year that does not begin in January, and its quarters, are named by their first and last month:
``2025-07..2026-06``. So every name tells by itself what it covers.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

Grain = Literal["month", "quarter", "year", "all"]
"""How long one period is; ``all`` puts everything in one."""


GRAINS: tuple[Grain, ...] = ("month", "quarter", "year", "all")
"""Every grain, shortest first."""
MONTHS = {"month": 1, "quarter": 3, "year": 12}
"""How many months a period of a grain has."""
_RANGE = ".."


def name(day: date, grain: Grain, begins: int = 1) -> str:
    """The period a day lies in.

    Args:
        day: The day.
        grain: How long a period is.
        begins: The month in which a year begins.

    Example:
        >>> [name(date(2015, 5, 3), g) for g in ("month", "quarter", "year", "all")]
        ['2015-05', '2015-Q2', '2015', 'all']
        >>> name(date(2015, 5, 3), "year", begins=7), name(date(2015, 5, 3), "quarter", begins=7)
        ('2014-07..2015-06', '2015-Q2')
    """
    if grain == "all":
        return "all"
    length = MONTHS[grain]
    first = 12 * day.year + day.month - 1 - (day.month - begins) % length
    if length == 1:
        return _month(first)
    if first % length:  # not where the calendar has such a period
        return f"{_month(first)}{_RANGE}{_month(first + length - 1)}"
    return f"{first // 12:04d}" if grain == "year" else f"{first // 12:04d}-Q{first % 12 // 3 + 1}"


def grain_of(period: str) -> Grain:
    """How long a named period is.

    Example:
        >>> [grain_of(p) for p in ("2015", "2015-Q2", "2015-05", "2014-07..2015-06", "all")]
        ['year', 'quarter', 'month', 'year', 'all']
    """
    if period == "all":
        return "all"
    first, last = first_day(period), last_day(period)
    months = 12 * (last.year - first.year) + last.month - first.month + 1
    return next(grain for grain in GRAINS if MONTHS[grain] == months)


def begins_in(period: str) -> int:
    """The month in which the years begin that a period is one of, or a part of.

    Example:
        >>> begins_in("2014-07..2015-06"), begins_in("2015"), begins_in("2015-02")
        (7, 1, 1)
    """
    return first_day(period).month if _RANGE in period else 1


def next_period(period: str) -> str:
    """The period that follows.

    Example:
        >>> next_period("2015-12"), next_period("2014-07..2015-06"), next_period("2015-Q4")
        ('2016-01', '2015-07..2016-06', '2016-Q1')
    """
    return name(last_day(period) + timedelta(days=1), grain_of(period), begins_in(period))


def _month(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def first_day(period: str) -> date:
    """The first day of a named period.

    Raises:
        ValueError: ``period`` is ``all`` or no period: it has no first day.

    Example:
        >>> first_day("2015-Q2"), first_day("2016"), first_day("2016-02")
        (datetime.date(2015, 4, 1), datetime.date(2016, 1, 1), datetime.date(2016, 2, 1))
    """
    year, _, rest = period.partition(_RANGE)[0].partition("-")
    month = (int(rest[1:]) - 1) * 3 + 1 if rest.startswith("Q") else int(rest or 1)
    return date(int(year), month, 1)


def last_day(period: str) -> date:
    """The last day of a named period.

    Example:
        >>> last_day("2015-Q2"), last_day("2016"), last_day("2016-02")
        (datetime.date(2015, 6, 30), datetime.date(2016, 12, 31), datetime.date(2016, 2, 29))
    """
    start = first_day(period.partition(_RANGE)[2] or period)
    months = 12 if "-" not in period else 3 if "Q" in period else 1
    month = start.month - 1 + months
    return date(start.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def is_closed(period: str, known_until: date) -> bool:
    """Whether a period lies wholly before what the data cover, so that it is no month-to-date.

    Example:
        >>> is_closed("2015-01", date(2015, 1, 31)), is_closed("2015-01", date(2015, 1, 30))
        (True, False)
    """
    return period == "all" or last_day(period) <= known_until
