"""Courses: how a group's counts of the first years stand beside those of the last; told, not judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.estimate import ALL
from metroon.measure.interval import poisson
from metroon.serve.terminal import cells
from metroon.serve.terminal.console import DATA, STRONG, Fit, grid, line, text
from metroon.serve.terminal.figures import figure_text
from metroon.serve.terminal.sparkline import sparkline
from metroon.serve.terminal.words import Scale, group_name, period_noun, period_words, readable, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from metroon.base.account import Measured
    from metroon.base.estimate import Estimate

_LEAST_PERIODS = 4
_MOST_POINTS = 24
_MOST_SHOWN = 4
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


def followed(measured: Measured) -> tuple[str, tuple[Course, ...]]:
    """The first dimension of a count whose groups can be followed over time, and their courses; else nothing."""
    if scale_of(measured).is_count:
        for dimension in cells.of_groups(measured):
            if found := courses(measured, dimension):
                return dimension, found
    return "", ()


def courses_table(measured: Measured, dimension: str, found: Sequence[Course]) -> RenderableType:
    """The groups whose mean changed most: a small line, the first and the last period, both means; no verdict."""
    shown, scale = found[:_MOST_SHOWN], scale_of(measured)
    drawn = [c.points[-_MOST_POINTS:] for c in shown]
    head = [
        f"{readable(dimension)}: {len(shown)} of {len(found)}",
        "by change of mean",
        *(period_words(drawn[0][end].cell.period) for end in (0, -1)),
        *(f"mean {period_words(half.first)}–{period_words(half.last)}" for half in (shown[0].early, shown[0].late)),
    ]
    rows = [
        [
            text(group_name(points[0].cell)),
            text(sparkline([e.value for e in points]), DATA),
            *(figure_text(points[end], scale) for end in (0, -1)),
            *map(_mean, (course.early, course.late)),
        ]
        for course, points in zip(shown, drawn, strict=True)
    ]

    wide = [max(len(h), *(row[i].cell_len for row in rows)) for i, h in enumerate(head)]
    # Where room is short the first and last period go, and the names of the halves stand in two lines.
    short = [max(*map(len, h.split()), *(row[i].cell_len for row in rows)) for i, h in enumerate(head)]

    def build(width: int, _: bool) -> RenderableType:
        if sum(wide) + 2 * len(wide) - 2 <= width:
            return grid(rows, widths=wide, head=head)
        kept, widths = (0, 1, 4, 5), (*wide[:2], *short[4:])
        return grid([[row[i] for i in kept] for row in rows], widths=widths, head=[head[i] for i in kept])

    return Fit(build)


def _mean(half: Half) -> Text:
    scale = Scale(is_share=False, decimals=1)
    return line((scale.value(half.mean), STRONG), f" ({scale.span(half.low, half.high)})")
