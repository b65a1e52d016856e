"""Scores: every measure in a few aligned lines: its value, its trend, what is unknown, and who clearly differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from metroon.base.estimate import ALL, Cell
from metroon.serve import cells
from metroon.serve.figures import figure_text, sample_words
from metroon.serve.halves import courses
from metroon.serve.sparkline import sparkline
from metroon.serve.terminal import BAD, DATA, GOOD, QUIET, STRONG, WATCH, Fit, flow, grid, indented, line, text
from metroon.serve.words import DIRECTIONS, STATES, Scale, group_name, number, place_name, readable, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.account import Measured
    from metroon.base.estimate import Estimate
    from metroon.base.places import Places
    from metroon.serve.halves import Course, Half

_WIDE = 96
_LONGEST_TITLE = 46
_MOST_POINTS, _LEAST_POINTS = 24, 3
_MOST_BREAKDOWNS = 3
_MOST_COURSES = 4
_UNOFFICIAL = "*"


def scores(measured: Sequence[Measured]) -> RenderableType:
    """All measures below each other, their values and intervals aligned; then which geographies they speak of."""
    return Fit(lambda width, _: Group(*_spaced([_Score(m, _columns(measured), width).lines() for m in measured])))


def legend(measured: Sequence[Measured]) -> list[RenderableType]:
    """Each geography once, with its vintage, its standing and its notes; and what the words of the rows mean."""
    used = {g.id: g for m in measured for g in m.geographies if cells.of_places(m, g.id)}
    parts: list[RenderableType] = [_source(g) for g in used.values()]
    if any(_apart(b) for m in measured for b in _breakdowns(m)):
        words = "to differ clearly: the whole 95 % interval on one side of the city's value; 1 in 20 would by chance alone"
        parts.append(text(words, QUIET))
    return parts


def places_label(geography: Places) -> str:
    """A geography's title and vintage, marked when no authority adopted it."""
    return f"{geography.title} {geography.vintage}{'' if geography.official else _UNOFFICIAL}"


def _source(geography: Places) -> Text:
    facts = [
        "" if geography.official else "unofficial",
        geography.note.rstrip("."),
        f"residents: {geography.people_source}" if geography.people_source else "",
    ]
    told = "; ".join(f for f in facts if f)
    return line((places_label(geography), ""), (f": {told}" if told else "", QUIET))


def _spaced(blocks: Sequence[Sequence[RenderableType]]) -> list[RenderableType]:
    return [part for i, block in enumerate(blocks) for part in ([Text("")] if i else []) + list(block)]


@dataclass(frozen=True)
class _Breakdown:
    label: str
    found: tuple[Estimate, ...]
    told: cells.Comparison


def _breakdowns(measured: Measured) -> list[_Breakdown]:
    """Geographies and dimensions of the headline, those that can be compared with the city."""
    city = cells.whole_city(measured)
    geographies = [(places_label(g), cells.of_places(measured, g.id)) for g in measured.geographies]
    groups = [(readable(d).capitalize(), found) for d, found in cells.of_groups(measured).items()]
    return [_Breakdown(label, found, cells.compare(found, city)) for label, found in [*geographies, *groups] if found]


def _apart(breakdown: _Breakdown) -> int:
    return len(breakdown.told.above) + len(breakdown.told.below)


@dataclass(frozen=True)
class _Columns:
    title: int
    digits: int
    figure: int


def _columns(measured: Sequence[Measured]) -> _Columns:
    cities = [(cells.whole_city(m), scale_of(m)) for m in measured]
    digits = max((len(s.value(c.value)) for c, s in cities if c and c.value is not None), default=0)
    figures = [figure_text(c, s, digits=digits).cell_len for c, s in cities if c]
    title = max((len(m.title or m.measure) for m in measured), default=0)
    return _Columns(min(_LONGEST_TITLE, title), digits, max(figures, default=0))


@dataclass(frozen=True)
class _Score:
    measured: Measured
    columns: _Columns
    width: int

    def lines(self) -> list[RenderableType]:
        m = self.measured
        rows, lead = self._rows()
        facts = [*self._facts(), text(lead)]
        return [*self._head(), indented(flow([f for f in facts if f.plain]), 2), *(indented(r, 2) for r in rows)]

    def _head(self) -> list[RenderableType]:
        m, city = self.measured, cells.whole_city(self.measured)
        title = text(m.title or m.measure, STRONG)
        scale = scale_of(m)
        style = f"{STRONG} {DATA}"
        figure = figure_text(city, scale, style=style, digits=self.columns.digits) if city else text("no value", WATCH)
        sample = text(sample_words(city, m) if city else "", QUIET)
        if self.width < _WIDE:
            trend = self._trend(self.width - 2)
            return [title, indented(flow([figure, trend, sample]), 2)]
        left = self.width - self.columns.title - self.columns.figure - 4
        trend = self._trend(left - sample.cell_len - 2)
        gap = " " * max(2, left - trend.cell_len - sample.cell_len)
        widths = [self.columns.title, self.columns.figure, left]
        return [grid([(title, figure, line(trend, gap, sample))], widths=widths)]

    def _trend(self, width: int) -> Text:
        """The city's closed periods as a small line between the first and the last of them."""
        points = cells.trend(self.measured)
        if len(points) < _LEAST_POINTS:
            return text("all periods" if self.measured.headline == ALL else self.measured.headline, QUIET)
        room = width - 2 * len(self.measured.headline) - 2
        points = points[-max(_LEAST_POINTS, min(_MOST_POINTS, room)) :]
        shown = [e.value if e is not None and e.state == "known" else None for _, e in points]
        return line((f"{points[0][0]} ", QUIET), (sparkline(shown), DATA), (f" {points[-1][0]}", QUIET))

    def _facts(self) -> list[Text]:
        m, city, scale = self.measured, cells.whole_city(self.measured), scale_of(self.measured)
        unit = "" if scale.is_share else m.unit
        hidden = f"{number(m.hidden)} of {number(m.cells)} hidden for privacy" if m.hidden else ""
        words = cells.trend_words(cells.trend(m))
        unknown = scale.unknown(city) if city else ""
        is_sure = not (city and city.unknown)
        return [
            text(unit, QUIET),
            text(DIRECTIONS[m.direction], QUIET),
            text("" if is_sure else unknown, WATCH),
            text(city.note if city else "", QUIET),
            text(words if words.startswith("clearly") else "", QUIET),
            text(hidden, QUIET),
            *(text(words, QUIET) for words in self._silent()),
        ]

    def _silent(self) -> list[str]:
        """Cells of the headline without a value, by state; then the breakdowns of which nobody can tell."""
        states: dict[str, int] = {}
        for e in cells.of_headline(self.measured):
            if not cells.is_told(e) and e.state not in ("hidden", "known") and e.cell != Cell(e.cell.period):
                states[STATES[e.state]] = states.get(STATES[e.state], 0) + 1
        if scale_of(self.measured).is_count:
            return [f"{n} {words}" for words, n in states.items()]
        vague = [b.label for b in _breakdowns(self.measured) if b.told.around and not _apart(b)]
        return [
            *(f"{n} {words}" for words, n in states.items()),
            *([f"cannot tell apart by {', '.join(vague)}"] if vague else []),
        ]

    def _rows(self) -> tuple[list[RenderableType], str]:
        if scale_of(self.measured).is_count:
            return self._courses()
        return self._differing()

    def _differing(self) -> tuple[list[RenderableType], str]:
        m, city, scale = self.measured, cells.whole_city(self.measured), scale_of(self.measured)
        found = [b for b in _breakdowns(m) if _apart(b)]
        if not found or city is None or city.value is None:
            return [], ""
        names = [f"{_apart(b)} of {b.told.ranked} {b.label}" for b in found[:_MOST_BREAKDOWNS]]
        name_width = min(30, max(map(len, names)))
        rows: list[RenderableType] = []
        for name, b in zip(names, found, strict=False):
            sides = self._sides(b, city.value, scale)
            widths = [max(name_width, 0), *(s.cell_len for s in sides)]
            if sum(widths) + 2 * len(sides) + 2 <= self.width:
                rows.append(grid([(name, *sides)], widths=widths))
            else:
                rows.append(grid([(name, Text("\n").join(sides))], widths=[name_width, 0]))
        return rows, "clearly differ from the city:"

    def _sides(self, breakdown: _Breakdown, city: float, scale: Scale) -> list[Text]:
        """The clearest above and the clearest below, the better first."""
        m, told = self.measured, breakdown.told
        sides = [("above", cells.clearest(told.above, city)), ("below", cells.clearest(told.below, city))]
        if m.direction == "down":
            sides.reverse()
        good, bad = {"up": ("above", "below"), "down": ("below", "above")}.get(m.direction, ("", ""))
        parts = []
        for where, e in sides:
            if e is None:
                continue
            word, style = ("better", GOOD) if where == good else ("worse", BAD) if where == bad else (where, QUIET)
            name = group_name(e.cell) if e.cell.dimension != ALL else place_name(e.cell, m)
            parts.append(line((f"{word} ", style), f"{name} ", figure_text(e, scale, style=STRONG)))
        return parts

    def _courses(self) -> tuple[list[RenderableType], str]:
        """Groups over time; where there are none that can be followed, what else the measure is broken down by."""
        m = self.measured
        for dimension, found in cells.of_groups(m).items():
            followed = courses(m, dimension)
            if followed:
                shown = followed[:_MOST_COURSES]
                groups = sum(cells.is_ranked(e) for e in found)
                lead = f"{len(shown)} of {groups} by {readable(dimension)}, the largest change of the mean first:"
                return [_courses_table(shown, scale_of(m), self.width - 2)], lead
        others = [b.label for b in _breakdowns(m)]
        return [], f"also by {', '.join(others)}" if others else ""


def _courses_table(shown: Sequence[Course], scale: Scale, width: int) -> RenderableType:
    first, early, late = shown[0], shown[0].early, shown[0].late
    ends = (first.points[0].cell.period, first.points[-1].cell.period)
    heads = ["", "", *ends, f"mean of\n{early.first} to {early.last}", f"mean of\n{late.first} to {late.last}"]
    rows = [
        [
            text(group_name(c.points[0].cell)),
            text(sparkline([e.value for e in c.points[-_MOST_POINTS:]]), DATA),
            figure_text(c.points[0], scale),
            figure_text(c.points[-1], scale),
            _mean(c.early),
            _mean(c.late),
        ]
        for c in shown
    ]
    return grid(rows, head=heads)


def _mean(half: Half) -> Text:
    scale = Scale(is_share=False, decimals=1)
    return line((scale.value(half.mean), STRONG), f" ({scale.span(half.low, half.high)})")
