"""Periods: names for stretches of calendar time, and which of them are closed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

Grain = Literal["month", "quarter", "year", "all"]
"""How long one period is; ``all`` puts everything in one."""


def name(day: date, grain: Grain) -> str:
    """The period a day lies in.

    Example:
        >>> [name(date(2015, 5, 3), g) for g in ("month", "quarter", "year", "all")]
        ['2015-05', '2015-Q2', '2015', 'all']
    """
    if grain == "month":
        return f"{day.year:04d}-{day.month:02d}"
    if grain == "quarter":
        return f"{day.year:04d}-Q{(day.month - 1) // 3 + 1}"
    return f"{day.year:04d}" if grain == "year" else "all"


def first_day(period: str) -> date:
    """The first day of a named period.

    Raises:
        ValueError: ``period`` is ``all`` or no period: it has no first day.

    Example:
        >>> first_day("2015-Q2"), first_day("2016"), first_day("2016-02")
        (datetime.date(2015, 4, 1), datetime.date(2016, 1, 1), datetime.date(2016, 2, 1))
    """
    year, _, rest = period.partition("-")
    month = (int(rest[1:]) - 1) * 3 + 1 if rest.startswith("Q") else int(rest or 1)
    return date(int(year), month, 1)


def last_day(period: str) -> date:
    """The last day of a named period.

    Example:
        >>> last_day("2015-Q2"), last_day("2016"), last_day("2016-02")
        (datetime.date(2015, 6, 30), datetime.date(2016, 12, 31), datetime.date(2016, 2, 29))
    """
    start = first_day(period)
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
