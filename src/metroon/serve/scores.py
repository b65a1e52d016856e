"""Scores: every measure in a few aligned lines: its value, its trend, what is unknown, and who clearly differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from metroon.base.estimate import ALL, Cell
from metroon.serve import breakdowns, cells
from metroon.serve.courses import courses_table, followed
from metroon.serve.figures import figure_text, sample_words
from metroon.serve.measures import gap_words
from metroon.serve.sparkline import sparkline
from metroon.serve.terminal import DATA, QUIET, STRONG, WATCH, Fit, flow, grid, indented, line, text
from metroon.serve.words import DIRECTIONS, STATES, counted, number, readable, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.account import Measured
    from metroon.base.places import Places

_WIDE = 96
_LONGEST_TITLE = 50
_MOST_POINTS, _LEAST_POINTS = 24, 3
_LONGEST_NAMES = 30


def scores(measured: Sequence[Measured]) -> RenderableType:
    """All measures below each other, their values aligned, and below each value who differs the most clearly."""
    columns = _columns(measured)
    rows = [(i, sides) for i, m in enumerate(measured) if (sides := breakdowns.sides(m))]

    def build(width: int, _: bool) -> RenderableType:
        drawn = breakdowns.aligned([row for _, row in rows], width - 2)
        below = {i: part for (i, _), part in zip(rows, drawn, strict=True)}
        return Group(*(part for i, m in enumerate(measured) for part in _score(m, columns, below.get(i))))

    return Fit(build)


def legend(measured: Sequence[Measured]) -> list[RenderableType]:
    """Each geography once, with its vintage, its standing and its note; and when somebody is said to differ."""
    used = {g.id: g for m in measured for g in m.geographies if cells.of_places(m, g.id)}
    people: dict[str, list[str]] = {}
    for g in used.values():
        if g.people_source:
            people.setdefault(g.people_source, []).append(g.title)
    of = {source: "" if len(people) == 1 else f" of {', '.join(titles)}" for source, titles in people.items()}
    facts = [f"residents{titles}: {source}" for source, titles in of.items()]
    if any(map(breakdowns.differing, measured)):
        facts.append("1 in 20 would differ by chance alone")
    return [Text(""), *map(_source, used.values()), flow(facts, QUIET)] if used or facts else []


def _source(geography: Places) -> Text:
    standing = "" if geography.official else "Unofficial."
    told = " ".join(words for words in (standing, geography.note) if words)
    return line(breakdowns.places_label(geography), (f"  {told}", QUIET))


@dataclass(frozen=True)
class _Columns:
    title: int
    figure: int
    digits: int


def _columns(measured: Sequence[Measured]) -> _Columns:
    """As wide as the widest of all measures, so that they line up."""
    cities = [(city, scale_of(m)) for m in measured if (city := cells.whole_city(m)) is not None]
    digits = max((len(s.value(c.value)) for c, s in cities if c.value is not None), default=0)
    figure = max((figure_text(c, s, digits=digits).cell_len for c, s in cities), default=0)
    title = max((len(m.title or m.measure) for m in measured), default=0)
    return _Columns(min(_LONGEST_TITLE, title), figure, digits)


def _score(measured: Measured, columns: _Columns, row: RenderableType | None) -> list[RenderableType]:
    dimension, found = followed(measured)
    facts = flow(_facts(measured, dimension))
    below = [*([row] if row else []), *([courses_table(measured, dimension, found)] if found else [])]
    return [_head(measured, columns), *(indented(part, 2) for part in (facts, *below))]


def _head(measured: Measured, columns: _Columns) -> Fit:
    """Title, value with its interval, trend and sample; two lines where one is too narrow."""
    city, title = cells.whole_city(measured), text(measured.title or measured.measure, STRONG)
    sample = text(sample_words(city, measured) if city is not None else "", QUIET)

    def figure(digits: int) -> Text:
        if city is None:
            return text("no value", WATCH)
        return figure_text(city, scale_of(measured), style=f"{STRONG} {DATA}", digits=digits)

    def build(width: int, _: bool) -> RenderableType:
        if width < _WIDE:
            return Group(title, indented(flow([figure(0), _trend(measured, width - 2), sample]), 2))
        left = width - columns.title - columns.figure - 4
        trend = _trend(measured, left - sample.cell_len - 2)
        gap = " " * (left - trend.cell_len - sample.cell_len)
        shown = (title, figure(columns.digits), line(trend, gap, sample))
        return grid([shown], widths=(columns.title, columns.figure, left))

    return Fit(build)


def _trend(measured: Measured, width: int) -> Text:
    """The city's closed periods as a small line between the first and the last of them; two make no line."""
    points = cells.trend(measured)
    if len(points) < _LEAST_POINTS:
        return text("all periods" if measured.headline == ALL else measured.headline, QUIET)
    room = width - 2 * len(measured.headline) - 2
    points = points[-max(_LEAST_POINTS, min(_MOST_POINTS, room)) :]
    shown = [e.value if e is not None and e.state == "known" else None for _, e in points]
    return line((f"{points[0][0]} ", QUIET), (sparkline(shown), DATA), (f" {points[-1][0]}", QUIET))


def _facts(measured: Measured, dimension: str) -> list[Text]:
    """What stands below the value: unit, aim, unknowns, what is hidden, and by what nobody can tell."""
    city, scale, points = cells.whole_city(measured), scale_of(measured), cells.trend(measured)
    clear = cells.trend_words(points)
    gaps = gap_words(points) if len(points) >= _LEAST_POINTS else ""
    quiet = [
        "" if scale.is_share else measured.unit,
        "" if breakdowns.differing(measured) else DIRECTIONS[measured.direction],
        city.note if city is not None else "",
        clear if clear.startswith("clearly") else "",
        f"trend: {gaps}" if gaps else "",
        f"{number(measured.hidden)} of {number(measured.cells)} hidden for privacy" if measured.hidden else "",
        *_silent(measured),
        *_standing(measured),
        _others(measured, dimension),
    ]
    unknown = scale.unknown(city) if city is not None and city.unknown else ""
    return [fact for fact in [text(unknown, WATCH), *(text(words, QUIET) for words in quiet)] if fact.plain]


def _silent(measured: Measured) -> list[str]:
    """How many cells of the headline have no value, by the words of their state; hidden ones are told before."""
    found: dict[str, int] = {}
    for e in cells.of_headline(measured):
        if not cells.is_told(e) and e.state not in ("hidden", "known") and e.cell != Cell(e.cell.period):
            found[STATES[e.state]] = found.get(STATES[e.state], 0) + 1
    return [f"{words} in {counted(n, 'cell')}" for words, n in found.items()]


def _standing(measured: Measured) -> list[str]:
    """By which breakdowns how many differ from the city; where by none, that nobody can tell."""
    apart = [f"{len(b.apart)} of {b.told.ranked} {b.label}" for b in breakdowns.differing(measured)]
    if apart:
        return [f"differ: {', '.join(apart[:2])}", *(f"and {words}" for words in apart[2:])]
    alike = ", ".join(b.label for b in breakdowns.alike(measured))
    return [f"{STATES['cannot tell']} by {alike}"] if alike else []


def _others(measured: Measured, dimension: str) -> str:
    """By what else a count is broken down: its parts are not compared with the whole."""
    if not scale_of(measured).is_count:
        return ""
    others = [b.label for b in breakdowns.breakdowns(measured) if b.label != readable(dimension).capitalize()]
    names = ", ".join(others)
    told = names if len(names) <= _LONGEST_NAMES else counted(len(others), "breakdown")
    return f"also by {told}" if others else ""
