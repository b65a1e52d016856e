"""Halves: how a group's counts of the first years stand beside those of the last; told, not judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.estimate import ALL
from metroon.measure.interval import poisson
from metroon.serve import cells
from metroon.serve.words import period_noun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.base.account import Measured
    from metroon.base.estimate import Estimate

_LEAST_PERIODS = 4
_PER_YEAR = {"year": 1, "quarter": 4, "month": 12}


@dataclass(frozen=True)
class Half:
    """A stretch of periods and the mean count of one of them.

    Args:
        first: Its first period.
        last: Its last period.
        mean: Events for each period.
        low: Lower bound of the 95 % interval, same unit.
        high: Upper bound.
    """

    first: str
    last: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Course:
    """One group's counts over time.

    Args:
        group: The value of the column that makes the groups.
        points: One estimate a period, in order, none missing.
        early: The first half.
        late: The second half.
    """

    group: str
    points: tuple[Estimate, ...]
    early: Half
    late: Half

    @property
    def change(self) -> float:
        """By how much the second mean differs from the first, as a part of it; infinite from nothing."""
        if not self.early.mean:
            return math.inf if self.late.mean else 0.0
        return abs(self.late.mean / self.early.mean - 1)


def courses(measured: Measured, dimension: str) -> tuple[Course, ...]:
    """The groups of a count over time, those whose mean changed most first.

    Grain:
        One for each known group that was released for every period; a group with a gap has no mean, for what
        is hidden is small and what is left would be too high.

    Args:
        measured: A measure of counts.
        dimension: The column that makes the groups.

    Returns:
        Groups with both halves, in events for each period; none when there are fewer than four periods a half.

    Assumes:
        Events are independent (Poisson), as the counts' own intervals do. Both halves are as long and made of
        whole years, so that seasons weigh the same; what does not fit is left out in the middle.
    """
    periods = [period for period, _ in cells.trend(measured)]
    half = _half_length(periods)
    if half < _LEAST_PERIODS:
        return ()
    by_group: dict[str, dict[str, Estimate]] = {}
    for e in cells.released(measured):
        if e.cell.dimension == dimension != ALL and e.cell.place == ALL and cells.is_ranked(e) and cells.is_told(e):
            by_group.setdefault(e.cell.group, {})[e.cell.period] = e
    whole = {g: tuple(told[p] for p in periods) for g, told in by_group.items() if told.keys() >= set(periods)}
    found = [Course(g, points, _half(points[:half]), _half(points[-half:])) for g, points in whole.items()]
    return tuple(sorted(found, key=lambda course: (-course.change, course.group)))


def _half_length(periods: Sequence[str]) -> int:
    if not periods:
        return 0
    year = _PER_YEAR[period_noun(periods[0])]
    return len(periods) // 2 // year * year


def _half(points: Sequence[Estimate]) -> Half:
    events, n = sum(e.events or 0 for e in points), len(points)
    bounds = poisson(events).times(1 / n)
    return Half(points[0].cell.period, points[-1].cell.period, events / n, bounds.low, bounds.high)
