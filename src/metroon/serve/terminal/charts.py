"""Charts: a series over time as a line of characters, with its breaks, its signals and its usual range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from metroon.base import period as periods
from metroon.base.estimate import ALL
from metroon.serve.terminal import cells
from metroon.serve.terminal.console import DATA, QUIET, WATCH, line, text
from metroon.serve.terminal.measures import gap_words
from metroon.serve.terminal.sparkline import sparkline
from metroon.serve.terminal.words import Scale, period_words, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from metroon.base.scorecard import Score

BREAK = "|"
"""Stands between two periods whose values are not comparable."""
SIGNAL = "^"
"""Stands below a period that is a signal."""
MOST_POINTS = 54


@dataclass(frozen=True)
class Chart:
    """A drawn series.

    Args:
        first: Its first period that is drawn, in words.
        last: Its last period.
        line: One character a period, and one for each break.
        marks: A sign below each period that is a signal; blanks else.
        usual: The mean and the usual range of the last periods; empty without limits.
        gaps: How many periods have no value, by the words of their states.
    """

    first: str
    last: str
    line: str
    marks: str
    usual: str
    gaps: str


def chart(score: Score, most: int = MOST_POINTS) -> Chart | None:
    """The city over time; None where it has fewer than two periods.

    Args:
        score: The measure's score.
        most: Periods to draw; the latest.

    Example:
        >>> with_breaks("abcd", ["2024-01", "2024-02", "2024-03", "2024-04"], ["2024-03"])
        'ab|cd'
    """
    points = cells.trend(score.measured)[-most:]
    if len(points) < 2:
        return None
    named = [p for p, _ in points]
    breaks = sorted({p for day, _ in score.breaks if (p := _first_after(named, day))})
    shown = [e.value if e is not None and cells.is_told(e) else None for _, e in points]
    found = dict(zip(score.course.periods, score.course.signals, strict=True)) if score.course else {}
    marks = "".join(SIGNAL if found.get(p, "none") != "none" else " " for p in named)
    drawn, below = with_breaks(sparkline(shown), named, breaks), with_breaks(marks, named, breaks, " ")
    ends = period_words(named[0]), period_words(named[-1])
    return Chart(*ends, drawn, below.rstrip(), _usual(score, scale_of(score.measured)), gap_words(points))


def with_breaks(drawn: str, named: Sequence[str], breaks: Sequence[str], sign: str = BREAK) -> str:
    """A line of characters, one a period, with a sign before the first period after each break."""
    return "".join(f"{sign if p in breaks else ''}{c}" for p, c in zip(named, drawn, strict=True))


def _first_after(named: Sequence[str], day: date) -> str:
    """The first period that lies wholly on or after a day, unless that is the first of all."""
    after = [p for p in named if p != ALL and periods.first_day(p) >= day]
    return after[0] if after and after[0] != named[0] else ""


def _usual(score: Score, scale: Scale) -> str:
    course = score.course
    if course is None or not course.mean or course.mean[-1] is None:
        return ""
    mean = f"mean {scale.value(course.mean[-1])}"
    low, high = course.low[-1], course.high[-1]
    return mean if low is None or high is None else f"{mean}, usual {scale.span(low, high)}"


def chart_lines(score: Score, most: int = MOST_POINTS) -> list[Text]:
    """The drawn series, its signals below, its usual range, and why it breaks."""
    drawn = chart(score, most)
    if drawn is None:
        return []
    lines = [line((f"{drawn.first} ", QUIET), (drawn.line, DATA), (f" {drawn.last}", QUIET))]
    if drawn.marks:
        lines.append(line(" " * (len(drawn.first) + 1), (drawn.marks, WATCH), (f"  {SIGNAL} a signal", QUIET)))
    facts = ", ".join(f for f in (drawn.usual, drawn.gaps) if f)
    lines += [text(facts, QUIET)] if facts else []
    return [*lines, *(line((f"{BREAK} {day}: ", WATCH), reason) for day, reason in score.breaks)]
