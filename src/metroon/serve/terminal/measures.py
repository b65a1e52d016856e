"""Measures: the headline with its interval and unknowns, its trend, and what differs from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group

from metroon.base.estimate import ALL, Cell
from metroon.serve.terminal import cells
from metroon.serve.terminal.beside import beside_city
from metroon.serve.terminal.console import (
    BAD,
    BROKEN,
    DATA,
    QUIET,
    STRONG,
    WATCH,
    flow,
    indented,
    line,
    problem_lines,
    text,
)
from metroon.serve.terminal.figures import figure_text, places_title, sample_words
from metroon.serve.terminal.sparkline import sparkline
from metroon.serve.terminal.words import DIRECTIONS, STATES, counted, period_words, readable, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.account import Measured
    from metroon.base.estimate import Estimate


_MOST_PERIODS = 48


def failed_measure(measured: Measured) -> RenderableType:
    """Why a measure failed, and what readers see meanwhile."""
    old = measured.version
    seen = f"readers still see version {old}" if old is not None else "nothing of it is released"
    head = line((f"{BROKEN} {measured.measure}", f"{STRONG} {BAD}"), f"  FAILED; {seen}")
    return Group(head, *(indented(problem_lines(p), 4) for p in measured.problems))


def measure_block(measured: Measured) -> RenderableType:
    """One measure as the scoreboard shows it: title, headline, trend, what differs, what is withheld."""
    parts = [line((measured.title or measured.measure, STRONG)), *headline(measured), *trend_line(measured)]
    for geography in measured.geographies:
        found = cells.of_places(measured, geography.id)
        if found:
            parts.append(beside_city(measured, places_title(geography), found, is_groups=False))
    for dimension, found in cells.of_groups(measured).items():
        title = readable(dimension).capitalize()
        parts.append(beside_city(measured, title, found, is_groups=True))
    return Group(*parts, *withheld(measured))


def headline(measured: Measured) -> list[RenderableType]:
    """The whole city's value with interval, unit, sample, period and direction; its unknowns below."""
    city = cells.whole_city(measured)
    when = "all periods together" if measured.headline == ALL else period_words(measured.headline)
    meta = [when, DIRECTIONS[measured.direction], "unchanged" if measured.outcome == "unchanged" else ""]
    if city is None:
        return [indented(flow(["no value for the whole city", *meta], QUIET), 2)]
    scale = scale_of(measured)
    unit = f" {measured.unit}" if cells.is_told(city) and not scale.is_share else ""
    figure = line(figure_text(city, scale, style=f"{STRONG} {DATA}"), unit)
    unknown = scale.unknown(city)
    known = "" if city.unknown else unknown
    first = indented(flow([figure, sample_words(city, measured), known, *meta], QUIET), 2)
    below = [text(unknown if city.unknown else "", WATCH), text(city.note, QUIET)]
    return [first, *(indented(part, 2) for part in below if part.plain)]


def trend_line(measured: Measured) -> list[RenderableType]:
    """The city's closed periods as a small line, its gaps named, and what may be said of the last."""
    points = cells.trend(measured)[-_MOST_PERIODS:]
    if len(points) < 2:
        return []
    shown = [e.value if e is not None and e.state == "known" else None for _, e in points]
    spark = line((sparkline(shown), DATA), (f"  {period_words(points[0][0])} to {period_words(points[-1][0])}", QUIET))
    return [indented(flow([spark, gap_words(points), cells.trend_words(points)], QUIET), 2)]


def gap_words(points: Sequence[tuple[str, Estimate | None]]) -> str:
    """How many periods of a trend have no value to draw, by the words of their state."""
    why: dict[str, int] = {}
    for _, e in points:
        if e is None or e.state != "known":
            words = "not released" if e is None else STATES[e.state]
            why[words] = why.get(words, 0) + 1
    return ", ".join(f"{n} {words}" for words, n in why.items())


def withheld(measured: Measured) -> list[RenderableType]:
    """Which cells have no value and why, what to change about it, and the notes that must stand beside."""
    hidden = f"{measured.hidden} of {counted(measured.cells, 'cell')} hidden for privacy" if measured.hidden else ""
    parts = [line(hidden, f". {measured.advice}" if measured.advice and hidden else measured.advice)]
    parts += [line((f"{words}: ", WATCH), reason) for words, reason in reasons(measured)]
    parts += [text(note, QUIET) for note in measured.notes]
    return [text(""), *(indented(p, 2) for p in parts if p.plain)] if any(p.plain for p in parts) else []


def reasons(measured: Measured) -> list[tuple[str, str]]:
    """(State in words, why and for how many cells), for headline cells without a value that say why."""
    found: dict[tuple[str, str], int] = {}
    for e in cells.of_headline(measured):
        is_city = e.cell == Cell(e.cell.period)
        if not cells.is_told(e) and e.note and e.state not in ("known", "hidden") and not is_city:
            found[STATES[e.state], e.note] = found.get((STATES[e.state], e.note), 0) + 1
    return [(words, f"{note} ({counted(n, 'cell')})") for (words, note), n in found.items()]
