"""Clocks: times of the hour that comes twice in autumn, and of the one that no clock shows in spring.

Times are those of the city's clocks, unless they say how far they are from UTC. Both kinds of hour are kept as they are
written, and counted: nobody can tell the two hours of autumn apart, and a time that no clock showed says that the
program that wrote it runs by another one.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ibis.expr.types import Value

    from metroon.base.engine import Engine, Relation
    from metroon.city.contract import Contract

    Spans = Mapping[str, tuple[datetime, datetime]]

_TWICE, _NEVER, _BOTH = "_twice", "_never", "_clock"
_MANY = 2**32
"""More than a delivery has rows: a sum holds two counts, of ones and of so many."""
YEARS = 30
"""Years before today in which such hours are looked for."""


def spans(engine: Engine, rows: Relation, contract: Contract) -> Spans:
    """Column of times -> its first and its last time; those without any are left out.

    Args:
        engine: The engine.
        rows: Rows with their types.
        contract: Their promise.
    """
    names = [contract.columns[i].name for i in _times(contract)]
    if not names:
        return {}
    told = {f"{end}{i}": getattr(rows[n], end)() for i, n in enumerate(names) for end in ("min", "max")}
    found = engine.rows(rows.aggregate(**told))[0]
    return {n: (found[f"min{i}"], found[f"max{i}"]) for i, n in enumerate(names) if found[f"min{i}"] is not None}


def counts(rows: Relation, contract: Contract, *, time_zone: str | None, as_of: date, spans: Spans) -> dict[str, Value]:
    """What to add up over rows, to tell of such hours; nothing where there can be none.

    Args:
        rows: Rows with their types.
        contract: Their promise.
        time_zone: The zone whose clocks times are told by.
        as_of: The day taken for today.
        spans: Column of times -> its first and its last time.
    """
    found: dict[str, Value] = {}
    hours = odd_hours(time_zone, as_of.year - YEARS, as_of.year + 1) if time_zone else ((), ())
    for i in _times(contract) if any(hours) else ():
        column = contract.columns[i].name
        first, last = spans.get(column, (datetime.max, datetime.min))
        twice, never = ([h for h in known if first - timedelta(hours=1) < h <= last] for known in hours)
        if twice or never:
            # By the hour of the day first: few rows need the lists of days. And both are counted at one look.
            is_near = rows[column].hour().isin(sorted({h.hour for h in (*twice, *never)}))
            hour = rows[column].truncate("h")
            found[f"{_BOTH}{i}"] = is_near.ifelse(
                hour.isin(twice).ifelse(1, hour.isin(never).ifelse(_MANY, 0)), 0
            ).sum()
    return found


def apart(sums: Mapping[str, int]) -> dict[str, int]:
    """Sums with the two kinds of hours apart; others stay.

    Example:
        >>> apart({"_clock1": 3 + 2 * 2**32, "_n": 9})
        {'_twice1': 3, '_never1': 2, '_n': 9}
    """
    told: dict[str, int] = {}
    for name, n in sums.items():
        column = name.removeprefix(_BOTH)
        told |= {name: n} if column == name else {f"{_TWICE}{column}": n % _MANY, f"{_NEVER}{column}": n // _MANY}
    return told


def notes(sums: Iterable[Mapping[str, int]], contract: Contract) -> tuple[str, ...]:
    """What to tell of such hours; their rows stay.

    Args:
        sums: What ``counts`` adds up to, one or more.
        contract: Their promise.
    """
    given = list(sums)
    told = []
    for i in _times(contract):
        name = contract.columns[i].name
        twice, never = (sum(s.get(f"{kind}{i}", 0) for s in given) for kind in (_TWICE, _NEVER))
        if twice:
            told.append(f"{name}: {_rows(twice)} in the hour that comes twice in autumn, and nobody can tell which")
        if never:
            told.append(f"{name}: {_rows(never)} in the hour that no clock shows in spring")
    return tuple(told)


@cache
def odd_hours(time_zone: str, first: int, last: int) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    """The hours that come twice, and those that never come, by the clocks of a zone; each by its begin.

    Only whole hours: half an hour, as on Lord Howe Island, is not looked for.

    Args:
        time_zone: The zone, such as America/Los_Angeles.
        first: The first year.
        last: The last year.

    Source:
        The offsets before and after a change are told apart by ``fold``, as PEP 495 defines it.

    Example:
        >>> twice, never = odd_hours("America/Los_Angeles", 2015, 2015)
        >>> [str(t) for t in (*twice, *never)]
        ['2015-11-01 01:00:00', '2015-03-08 02:00:00']
    """
    zone = ZoneInfo(time_zone)
    twice: list[datetime] = []
    never: list[datetime] = []
    for day in _days_of_change(zone, first, last):
        for hour in (day + timedelta(hours=h) for h in range(24)):
            before, after = (hour.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
            if abs(before - after) == timedelta(hours=1):
                (twice if before > after else never).append(hour)
    return tuple(twice), tuple(never)


def _days_of_change(zone: ZoneInfo, first: int, last: int) -> Iterator[datetime]:
    day, offset = datetime(first, 1, 1), None
    while day.year <= last:
        begins = day.replace(tzinfo=zone).utcoffset()
        if offset is not None and begins != offset:
            yield day - timedelta(days=1)
        day, offset = day + timedelta(days=1), begins


def _times(contract: Contract) -> list[int]:
    return [i for i, c in enumerate(contract.columns) if c.type == "timestamp"]


def _rows(n: int) -> str:
    return "1 row is" if n == 1 else f"{n:,} rows are"
