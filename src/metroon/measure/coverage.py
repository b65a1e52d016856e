"""Which periods the data cover wholly, so that no half month is shown as a fall, and no gap as a zero."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

from metroon.base.period import Grain, first_day, last_day
from metroon.base.period import name as period_of

# With events at random, the chance of ten mean gaps without one is exp(-10): silence that long is missing data.
_GAPS = 10
_USUAL = 0.95
_LONG = timedelta(days=10)
"""Silence inside a period that is never a hole: weekends, holidays, a week off."""


@dataclass(frozen=True)
class Days:
    """The days on which something happened.

    Args:
        days: Different days, in order.
        events: How many events there are on them.
    """

    days: tuple[date, ...]
    events: int

    @cached_property
    def slack(self) -> timedelta:
        """The longest silence that tells nothing: ten mean gaps, the gap of nearly all (weekends), at least a day."""
        mean_days = (self.days[-1] - self.days[0]).days / max(self.events, 1)
        gaps = sorted(b - a for a, b in pairwise(self.days))
        usual = gaps[int(_USUAL * (len(gaps) - 1))] if gaps else timedelta()
        return max(timedelta(days=1), timedelta(days=_GAPS * mean_days), usual)


def covered(every: Days, counted: Days, grain: Grain, *, as_of: date, begins: int = 1) -> list[str]:
    """The periods that lie wholly within what the data cover and are over.

    Args:
        every: Days of all rows of the product.
        counted: Days of the rows that the measure counts.
        grain: How long one period is.
        as_of: The day taken for today, or the one until which late reports have come in.
        begins: The month in which a year begins.

    Returns:
        Those that ended before ``as_of`` and that start and end within both, allowing for silence that tells
        nothing, in order. A period without any event is among them when the silence around it is no longer
        than that: then nothing happened. After the last event nothing is known.

    Example:
        >>> rows = Days(tuple(date(2015, 1, 1) + timedelta(days=d) for d in range(45)), 900)
        >>> covered(rows, rows, "month", as_of=date(2015, 3, 15))
        ['2015-01']
    """
    if not counted.days:
        return []
    if grain == "all":
        return ["all"]
    return [p for p in _between(every.days[0], every.days[-1], grain, begins) if _is_covered(p, every, counted, as_of)]


def _is_covered(period: str, every: Days, counted: Days, as_of: date) -> bool:
    first, last = first_day(period), last_day(period)
    if last >= as_of:
        return False
    for found in (every, counted):
        if first < found.days[0] - found.slack or last > found.days[-1] + found.slack:
            return False
    if _has_hole(every, first, last):
        return False
    at = bisect_left(counted.days, first)
    is_after = at == len(counted.days)
    if not is_after and counted.days[at] <= last:
        return True
    return at > 0 and not is_after and counted.days[at] - counted.days[at - 1] <= counted.slack


def _has_hole(every: Days, first: date, last: date) -> bool:
    """Whether the data are silent for long inside a period, as when one delivery of a quarter was refused."""
    inside = [first, *every.days[bisect_left(every.days, first) : bisect_right(every.days, last)], last]
    longest = max(every.slack, _LONG)
    return any(b - a > longest for a, b in pairwise(inside))


def _between(oldest: date, newest: date, grain: Grain, begins: int) -> list[str]:
    found, day = [], oldest
    while day <= newest:
        found.append(period_of(day, grain, begins))
        day = last_day(found[-1]) + timedelta(days=1)
    return found
