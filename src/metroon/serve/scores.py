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
from metroon.serve.words import DIRECTIONS, STATES, Scale, group_name, number, period_noun, place_name, readable, scale_of

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
_MOST_BREAKDOWNS = 2
_MOST_COURSES = 4
_LONGEST_LABEL = 30
_UNOFFICIAL = "*"


def scores(measured: Sequence[Measured]) -> RenderableType:
    """All measures below each other, their values and intervals aligned; then which geographies they speak of."""
    columns = _columns(measured)
    return Fit(lambda width, _: Group(*(part for m in measured for part in _Score(m, columns, width).lines())))


def legend(measured: Sequence[Measured]) -> list[RenderableType]:
    """Each geography once, with its vintage, its standing and its notes; and what the words of the rows mean."""
    used = {g.id: g for m in measured for g in m.geographies if cells.of_places(m, g.id)}
    parts: list[RenderableType] = [_source(g) for g in used.values()]
    people: dict[str, list[str]] = {}
    for g in used.values():
        if g.people_source:
            people.setdefault(g.people_source, []).append(g.title)
    facts = [f"residents of {', '.join(titles)}: {source}" for source, titles in people.items()]
    if any(_apart(b) for m in measured for b in _breakdowns(m)):
        facts.append("to differ clearly: the whole 95 % interval on one side of the city's value; by chance 1 in 20 would")
    return [*parts, flow(facts, QUIET)]


def _source(geography: Places) -> Text:
    standing = [] if geography.official else ["Unofficial."]
    told = " ".join([*standing, *([geography.note] if geography.note else [])])
    return line(f"{geography.title}{_star(geography)} {geography.vintage}", (f"  {told}", QUIET))


def _star(geography: Places) -> str:
    return "" if geography.official else _UNOFFICIAL


@dataclass(frozen=True)
class _Breakdown:
    label: str
    found: tuple[Estimate, ...]
    told: cells.Comparison


def _breakdowns(measured: Measured) -> list[_Breakdown]:
    """Geographies and dimensions of the headline, each beside the city."""
    city, vintages = cells.whole_city(measured), {g.vintage for g in measured.geographies}
    found = [
        (f"{g.title}{_star(g)}{f' {g.vintage}' if len(vintages) > 1 else ''}", cells.of_places(measured, g.id))
        for g in measured.geographies
    ]
    found += [(readable(d).capitalize(), groups) for d, groups in cells.of_groups(measured).items()]
    return [_Breakdown(label, some, cells.compare(some, city)) for label, some in found if some]


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
        words = cells.trend_words(cells.trend(m))
        return [
            text("" if scale.is_share else m.unit, QUIET),
            text("" if self._differing else DIRECTIONS[m.direction], QUIET),
            text(scale.unknown(city) if city and city.unknown else "", WATCH),
            text(city.note if city else "", QUIET),
            text(words if words.startswith("clearly") else "", QUIET),
            text(f"{number(m.hidden)} of {number(m.cells)} hidden for privacy" if m.hidden else "", QUIET),
            *(text(f"{n} {words}", QUIET) for words, n in self._silent().items()),
            text(self._vague(), QUIET),
        ]

    def _silent(self) -> dict[str, int]:
        """How many cells of the headline have no value, by the words of their state."""
        found: dict[str, int] = {}
        for e in cells.of_headline(self.measured):
            if not cells.is_told(e) and e.state not in ("hidden", "known") and e.cell != Cell(e.cell.period):
                found[STATES[e.state]] = found.get(STATES[e.state], 0) + 1
        return found

    def _vague(self) -> str:
        if scale_of(self.measured).is_count:
            return ""
        labels = [b.label for b in _breakdowns(self.measured) if b.told.around and not _apart(b)]
        return f"cannot tell apart by {', '.join(labels)}" if labels else ""

    @property
    def _differing(self) -> list[_Breakdown]:
        """Breakdowns in which somebody clearly differs from the city, the clearest first."""
        m, city = self.measured, cells.whole_city(self.measured)
        if scale_of(m).is_count or city is None or city.value is None:
            return []
        value = city.value
        found = [b for b in _breakdowns(m) if _apart(b)]
        return sorted(found, key=lambda b: -max(cells.distance(e, value) for e in (*b.told.above, *b.told.below)))

    def _rows(self) -> tuple[list[RenderableType], str]:
        if scale_of(self.measured).is_count:
            return self._courses()
        found, city = self._differing, cells.whole_city(self.measured)
        if not found or city is None or city.value is None:
            return [], ""
        names = [f"{_apart(b)} of {b.told.ranked} {b.label}" for b in found]
        sides = [self._sides(b, city.value) for b in found[:_MOST_BREAKDOWNS]]
        rows = self._side_by_side(names[:_MOST_BREAKDOWNS], sides)
        also = f", also {', '.join(names[_MOST_BREAKDOWNS:])}" if names[_MOST_BREAKDOWNS:] else ""
        return rows, f"clearly differ{self._vintage(found)}{also}:"

    def _vintage(self, found: Sequence[_Breakdown]) -> str:
        """The vintage that stands beside the numbers, unless each label has its own."""
        shown = {e.cell.geography for b in found for e in b.found} - {ALL}
        vintages = {g.vintage for g in self.measured.geographies}
        return f" (boundaries {vintages.pop()})" if shown and len(vintages) == 1 else ""

    def _side_by_side(self, names: Sequence[str], sides: Sequence[Sequence[Text]]) -> list[RenderableType]:
        """Better and worse in two columns; below each other where both do not fit."""
        name = min(_LONGEST_LABEL, max(map(len, names)))
        first = max(s[0].cell_len for s in sides)
        rows: list[RenderableType] = []
        for label, parts in zip(names, sides, strict=True):
            for width in (first, parts[0].cell_len):
                widths = [name, *(max(width, p.cell_len) if i == 0 else p.cell_len for i, p in enumerate(parts))]
                if sum(widths) + 2 * len(widths) <= self.width:
                    rows.append(grid([(label, *parts)], widths=widths))
                    break
            else:
                rows.append(grid([(label, Text("\n").join(parts))], widths=[name, 0]))
        return rows

    def _sides(self, breakdown: _Breakdown, city: float) -> list[Text]:
        """The clearest above and the clearest below, the better first."""
        m, told, scale = self.measured, breakdown.told, scale_of(self.measured)
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
            parts.append(line((f"{word} ", style), f"{name}: ", figure_text(e, scale, style=STRONG)))
        return parts

    def _courses(self) -> tuple[list[RenderableType], str]:
        """Groups over time; where there are none that can be followed, what else the measure is broken down by."""
        m = self.measured
        for dimension, found in cells.of_groups(m).items():
            followed = courses(m, dimension)
            if followed:
                shown = followed[:_MOST_COURSES]
                groups = sum(cells.is_ranked(e) for e in found)
                period = period_noun(m.headline)
                lead = f"{len(shown)} of {groups} by {readable(dimension)}, largest change of the {period} mean first:"
                return [_courses_table(shown, scale_of(m), self.width - 2)], lead
        others = [b.label for b in _breakdowns(m)]
        return [], f"also by {', '.join(others)}" if others else ""


def _courses_table(shown: Sequence[Course], scale: Scale, width: int) -> RenderableType:
    first, early, late = shown[0], shown[0].early, shown[0].late
    ends = (first.points[0].cell.period, first.points[-1].cell.period)
    heads = ["", "", *ends, f"mean {early.first} to {early.last}", f"mean {late.first} to {late.last}"]
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
