"""How many published rows there are in each month, and what may be said of that in one sentence."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from math import sqrt
from typing import TYPE_CHECKING, Any

from metroon.base.engine import CannotRun
from metroon.serve.preview import fetched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.catalog import Rows
    from metroon.serve.words import Words

FEWEST_MONTHS = 6
"""Fewer months are no trend."""
MOST_MONTHS = 360
FIRST_DAYS = 7
"""A series that begins later in its first month lacks a part of that month."""


@dataclass(frozen=True)
class OverTime:
    """Rows in each whole month.

    Args:
        months: First day of each month, without a gap between the first and the last.
        counts: Rows in it.
    """

    months: tuple[date, ...]
    counts: tuple[int, ...]

    @property
    def years(self) -> Mapping[int, int]:
        """Year -> rows, for years of which every month is there."""
        found: dict[int, list[int]] = {}
        for month, count in zip(self.months, self.counts, strict=True):
            found.setdefault(month.year, []).append(count)
        return {year: sum(counts) for year, counts in found.items() if len(counts) == 12}

    @property
    def yearly_means(self) -> tuple[float | None, ...]:
        """For each month the mean of the 12 months that end with it; None before there are 12."""
        sums = [sum(self.counts[i - 11 : i + 1]) for i in range(11, len(self.counts))]
        return (*(None,) * min(11, len(self.counts)), *(s / 12 for s in sums))


def over_time(rows: Rows, *, until: date) -> OverTime | None:
    """Rows in each whole month; None when they have no time, too few months, or cannot be read.

    Args:
        rows: Published rows.
        until: The day taken for today: what is dated later is a mistake and is not counted.
    """
    time = rows.dataset.time
    schema: Any = rows.relation.schema()
    if time not in [c.name for c in rows.columns] or not (schema[time].is_date() or schema[time].is_timestamp()):
        return None
    dated: Any = rows.relation[time]
    known = rows.relation.filter(dated.notnull()).select(on=dated.cast("date"))
    on: Any = known["on"]
    by_month = known.group_by(year=on.year(), month=on.month()).aggregate(n=on.count(), first=on.min(), last=on.max())
    try:
        found = fetched(rows, by_month.order_by(["year", "month"]))
    except (CannotRun, OSError):
        return None
    return whole_months(
        {date(r["year"], r["month"], 1): (r["n"], _day(r["first"]), _day(r["last"])) for r in found}, until=until
    )


def whole_months(found: Mapping[date, tuple[int, date, date]], *, until: date) -> OverTime | None:
    """The whole months of a series: a part of a month would look like a fall.

    Args:
        found: First day of a month -> (rows, first day with a row, last day with a row).
        until: Later months are left out.
    """
    past = {m: told for m, told in found.items() if m <= until}
    if not past:
        return None
    first, last = min(past), max(past)
    if past[first][1].day > FIRST_DAYS:
        first = _next(first)
    is_whole = past[last][2].day == monthrange(last.year, last.month)[1]
    end = _next(last) if is_whole else last
    months: list[date] = []
    while first < end and len(months) <= MOST_MONTHS:
        months.append(first)
        first = _next(first)
    if not FEWEST_MONTHS <= len(months) <= MOST_MONTHS:
        return None
    return OverTime(tuple(months), tuple(past[m][0] if m in past else 0 for m in months))


def finding(told: OverTime, words: Words) -> str:
    """What the counts say, in a sentence that holds: else how many rows there are in a month.

    The last whole year is called the lowest or highest only when it differs from each earlier whole year by more than
    chance would bring (counts as Poisson, 95 %).
    """
    years = told.years
    *before, last = sorted(years) or [0]
    if before and last - before[0] == len(before):
        if all(is_clearly_fewer(years[last], years[y]) for y in before):
            return _fewer(before, last, words)
        if all(is_clearly_fewer(years[y], years[last]) for y in before):
            return _more(before, last, words)
    mean = sum(told.counts) / len(told.counts)
    return words.gettext(
        "About %(n)s rows a month, from %(first)s to %(last)s",
        n=words.number(mean, 0 if mean >= 10 else 1), first=words.month(told.months[0]),
        last=words.month(told.months[-1]),
    )  # fmt: skip


def is_clearly_fewer(a: int, b: int) -> bool:
    """Whether one count is below another by more than chance would bring.

    Example:
        >>> is_clearly_fewer(400, 500), is_clearly_fewer(480, 500), is_clearly_fewer(0, 0)
        (True, False, False)
    """
    return b - a > 1.96 * sqrt(a + b)


def _fewer(before: Sequence[int], last: int, words: Words) -> str:
    if len(before) == 1:
        return words.gettext("Fewer rows in %(year)s than in %(before)s", year=last, before=before[0])
    return words.gettext("Fewer rows in %(year)s than in any year since %(first)s", year=last, first=before[0])


def _more(before: Sequence[int], last: int, words: Words) -> str:
    if len(before) == 1:
        return words.gettext("More rows in %(year)s than in %(before)s", year=last, before=before[0])
    return words.gettext("More rows in %(year)s than in any year since %(first)s", year=last, first=before[0])


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value
