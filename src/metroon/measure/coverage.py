"""Which periods the data cover wholly, so that no half month is shown as a fall."""

from __future__ import annotations

from datetime import date, timedelta

from metroon.base.period import first_day, last_day

# With events at random, the chance of ten mean gaps without one is exp(-10): silence that long is missing data.
_GAPS = 10


def covered(periods: list[str], *, oldest: date, newest: date, events: int, as_of: date) -> list[str]:
    """The periods that lie wholly within what the data cover and are over.

    Args:
        periods: Names of periods, of one grain.
        oldest: Day of the first event.
        newest: Day of the last event.
        events: How many events there are between them.
        as_of: The day taken for today.

    Returns:
        Those that ended before ``as_of``, and that start and end within the data, allowing ten mean gaps between
        events (at least one day), in order.

    Example:
        >>> covered(["2015-01", "2015-02"], oldest=date(2015, 1, 1), newest=date(2015, 2, 14), events=900,
        ...         as_of=date(2015, 3, 15))
        ['2015-01']
    """
    gap_days = (newest - oldest).days / max(events, 1)
    slack = timedelta(days=max(1.0, _GAPS * gap_days))

    def is_covered(period: str) -> bool:
        if period == "all":
            return True
        first, last = first_day(period), last_day(period)
        return last < as_of and last <= newest + slack and first >= oldest - slack

    return sorted(p for p in periods if is_covered(p))
