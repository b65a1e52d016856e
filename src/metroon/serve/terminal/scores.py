"""Scores: every measure in a few aligned lines: its value, its trend, what is unknown, and who clearly differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from metroon.base.estimate import Cell
from metroon.serve.terminal import breakdowns, cells
from metroon.serve.terminal.board import verdict_facts
from metroon.serve.terminal.console import DATA, QUIET, STRONG, WATCH, Fit, flow, grid, indented, line, text
from metroon.serve.terminal.courses import courses_table, followed
from metroon.serve.terminal.figures import figure_text, sample_words
from metroon.serve.terminal.sentences import cell_name, largest_gap
from metroon.serve.terminal.sparkline import sparkline
from metroon.serve.terminal.standings import standing_rows
from metroon.serve.terminal.words import (
    DIRECTIONS,
    STANDINGS,
    STATES,
    counted,
    number,
    period_words,
    readable,
    scale_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from metroon.base.account import Measured
    from metroon.base.places import Places
    from metroon.base.scorecard import GroupGap, Score

_WIDE = 96
_LONGEST_TITLE = 46
_MOST_POINTS, _LEAST_POINTS = 24, 3
_LONGEST_NAMES = 30
_QUIET_STATES = ("hidden", "known", "no exposure")
"""States that the brief page does not count: hidden cells are told in their own words, the others need no number."""


def scores(measured: Sequence[Measured], told: Mapping[str, Score]) -> RenderableType:
    """All measures below each other, their values aligned, and below each value who differs the most clearly.

    Args:
        measured: The measures.
        told: Measure -> what its release says, where that is known: then its verdicts stand below the value, and
            places stand beside the city as they do on the measure's own page.
    """
    columns = _columns(measured)
    rows = [(i, sides) for i, m in enumerate(measured) if m.measure not in told and (sides := breakdowns.sides(m))]

    def build(width: int, _: bool) -> RenderableType:
        drawn = breakdowns.aligned([row for _, row in rows], width - 2)
        below = {i: part for (i, _), part in zip(rows, drawn, strict=True)}
        every = enumerate(measured)
        return Group(*(p for i, m in every for p in _score(m, columns, below.get(i), told.get(m.measure))))

    return Fit(build)


def legend(measured: Sequence[Measured], own_rule: Sequence[Measured]) -> list[RenderableType]:
    """Each geography once, with its vintage, its standing and its note; and when somebody is said to differ.

    Args:
        measured: The measures shown.
        own_rule: Those whose cells are said to differ by their intervals alone.
    """
    used = {g.id: g for m in measured for g in m.geographies if cells.of_places(m, g.id)}
    people: dict[str, list[str]] = {}
    for g in used.values():
        if g.people_source:
            people.setdefault(g.people_source, []).append(g.title)
    of = {source: "" if len(people) == 1 else f" of {', '.join(titles)}" for source, titles in people.items()}
    facts = [f"residents{titles}: {source}" for source, titles in of.items()]
    if any(map(breakdowns.differing, own_rule)):
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
    figure = max((figure_text(c, s, digits=digits, says_state=False).cell_len for c, s in cities), default=0)
    title = max((len(m.title or m.measure) for m in measured), default=0)
    return _Columns(min(_LONGEST_TITLE, title), figure, digits)


def _score(
    measured: Measured, columns: _Columns, row: RenderableType | None, score: Score | None
) -> list[RenderableType]:
    dimension, found = followed(measured)
    facts = flow(_facts(measured, dimension, score))
    below = [*([row] if row else []), *([courses_table(measured, dimension, found)] if found else [])]
    return [_head(measured, columns), *(indented(part, 2) for part in (facts, *below))]


def _head(measured: Measured, columns: _Columns) -> Fit:
    """Title, value with its interval, trend and sample; two lines where one is too narrow."""
    city, title = cells.whole_city(measured), text(measured.title or measured.measure, STRONG)
    sample = text(sample_words(city, measured) if city is not None else "", QUIET)

    def figure(digits: int) -> Text:
        if city is None:
            return text("no value", WATCH)
        return figure_text(city, scale_of(measured), style=f"{STRONG} {DATA}", digits=digits, says_state=False)

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
        return text(period_words(measured.headline), QUIET)
    room = width - 2 * len(period_words(measured.headline)) - 2
    points = points[-max(_LEAST_POINTS, min(_MOST_POINTS, room)) :]
    shown = [e.value if e is not None and e.state == "known" else None for _, e in points]
    first, last = period_words(points[0][0]), period_words(points[-1][0])
    return line((f"{first} ", QUIET), (sparkline(shown), DATA), (f" {last}", QUIET))


def _facts(measured: Measured, dimension: str, score: Score | None) -> list[Text]:
    """What stands below the value: its verdicts, unit, unknowns, what is hidden, who differs or nobody can tell."""
    city, scale, points = cells.whole_city(measured), scale_of(measured), cells.trend(measured)
    clear = cells.trend_words(points) if score is None else ""
    is_aim_told = score is not None or bool(breakdowns.differing(measured))
    quiet = [
        "" if scale.is_share else measured.unit,
        "" if is_aim_told else DIRECTIONS[measured.direction],
        city.note if city is not None else "",
        clear if clear.startswith("clearly") else "",
        f"{number(measured.hidden)} of {number(measured.cells)} hidden for privacy" if measured.hidden else "",
        *_silent(measured),
        *(_standing(measured) if score is None else _by_standing(score)),
        _others(measured, dimension),
    ]
    doubtful = [
        STATES[city.state] if city is not None and cells.is_told(city) and city.state != "known" else "",
        scale.unknown(city) if city is not None and city.unknown else "",
    ]
    told = [*(text(words, WATCH) for words in doubtful), *(text(words, QUIET) for words in quiet)]
    return [*(verdict_facts(score) if score is not None else ()), *(fact for fact in told if fact.plain)]


def _by_standing(score: Score) -> list[str]:
    """How many places differ from the city, as the measure's own page tells it."""
    apart = []
    for row in standing_rows(score):
        n = sum(sign.words in ("better", "worse", "higher", "lower") for _, sign, _ in row.places)
        apart += [f"{n} of {len(row.places)} {breakdowns.places_label(row.geography)}"] if n else []
    told = [f"differ: {', '.join(apart[:2])}", *(f"and {words}" for words in apart[2:])] if apart else []
    gap = largest_gap(score)
    return told if gap is None else [*told, _gap(gap, score.measured)]


def _gap(gap: GroupGap, measured: Measured) -> str:
    scale = scale_of(measured)
    points = " points" if scale.is_share else ""
    size = f"{scale.signed(gap.difference)} {scale.bounds(gap.difference_low, gap.difference_high)}{points}"
    return f"{STANDINGS[gap.standing].words} {cell_name(gap.cell, measured)}: {size} beside {gap.reference}"


def _silent(measured: Measured) -> list[str]:
    """How many cells of the headline should have a value and have none, by the words of their state."""
    found: dict[str, int] = {}
    for e in cells.of_headline(measured):
        if not cells.is_told(e) and e.state not in _QUIET_STATES and e.cell != Cell(e.cell.period):
            found[STATES[e.state]] = found.get(STATES[e.state], 0) + 1
    return [f"{words} in {counted(n, 'cell')}" for words, n in found.items()]


def _standing(measured: Measured) -> list[str]:
    """By which breakdowns how many differ from the city; where by none, that nobody can tell."""
    found = breakdowns.differing(measured)
    apart = [f"{len(b.apart)} of {b.told.ranked} {b.label}" for b in found]
    if apart:
        same = {b.period for b in found}
        when = f" in {period_words(found[0].period)}" if len(same) == 1 and same != {measured.headline} else ""
        return [f"differ{when}: {', '.join(apart[:2])}", *(f"and {words}" for words in apart[2:])]
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
