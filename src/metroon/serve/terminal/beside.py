"""Beside the city: which places and groups clearly differ from it, and for how many nobody can tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from metroon.base.estimate import ALL
from metroon.serve.terminal import cells
from metroon.serve.terminal.console import BAD, DATA, GOOD, QUIET, STRONG, Fit, flow, grid, indented, line, text
from metroon.serve.terminal.figures import figure_text, period_aside, sample_words
from metroon.serve.terminal.sparkline import Axis
from metroon.serve.terminal.words import STATES, Scale, group_name, place_name, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.account import Measured
    from metroon.base.estimate import Estimate

_MOST_EACH_SIDE = 3
_FEW = 6
_NAME_WIDTH = 22
_LEAST_STRIP, _MOST_STRIP = 19, 35


def beside_city(measured: Measured, title: str, found: tuple[Estimate, ...], *, is_groups: bool) -> RenderableType:
    """A geography or dimension: how many differ, then the clearest; never a league table.

    Args:
        measured: The measure.
        title: What the places or groups are called, with their vintage.
        found: Their estimates.
        is_groups: Whether they are groups; a few groups are all shown, in the order of release.
    """
    city = cells.city_beside(measured, found)
    told = cells.compare(found, city)
    up, down = told.above[:_MOST_EACH_SIDE], told.below[:_MOST_EACH_SIDE]
    chosen = (*down, *reversed(up)) if measured.direction == "down" else (*up, *reversed(down))
    scale = scale_of(measured)
    whole = [e for e in found if e.cell.place == e.cell.group == ALL]
    if whole:  # the breakdown as a whole has no numbers; why is told below
        chosen, verdict = (), [STATES[whole[0].state]]
    elif scale.is_count:
        chosen = found if len(found) <= _FEW else ()
        verdict = [f"{len(found)} counts, not compared with the whole", *_silent(told)]
    elif is_groups and len(found) <= _FEW:
        chosen, verdict = found, _verdict(told, len(told.above) + len(told.below))
    else:
        verdict = _verdict(told, len(chosen))
    first = line((f"{title}{period_aside(measured, found)}", STRONG), (f": {verdict[0]}" if verdict else "", QUIET))
    rows = [indented(_Rows(measured, city, chosen, is_groups, scale).fit(), 4)] if chosen else []
    return Group(Text(""), indented(flow([first, *verdict[1:]], QUIET), 2), *rows)


def _verdict(told: cells.Comparison, shown: int) -> list[str]:
    apart = len(told.above) + len(told.below)
    by_chance = round(0.05 * (apart + len(told.around)))
    cut = f", {shown} shown" if shown < apart else ""
    facts = [
        f"{apart} of {told.ranked} clearly differ from the city{cut}" if apart else "",
        f"by chance alone about {by_chance} would" if apart and by_chance else "",
        f"cannot tell for {len(told.around)} of {told.ranked}" if told.around else "",
        *_silent(told),
    ]
    return [fact for fact in facts if fact]


def _silent(told: cells.Comparison) -> list[str]:
    return [f"{n} {STATES[state]}" for state, n in told.silent.items()]


@dataclass(frozen=True)
class _Rows:
    measured: Measured
    city: Estimate | None
    chosen: Sequence[Estimate]
    is_groups: bool
    scale: Scale

    def fit(self) -> Fit:
        return Fit(self._grid)

    def _grid(self, width: int, is_drawn: bool) -> RenderableType:
        everywhere = cells.of_headline(self.measured)
        told = [self.scale.value(e.value) for e in everywhere if e.value is not None]
        digits = max(map(len, told), default=0)
        rows = [self._cells(e, digits) for e in self.chosen]
        # All blocks of a measure are as wide as its widest cell, so that they line up.
        alike = [self._cells(e, digits) for e in everywhere]
        widths = [_NAME_WIDTH, *(max(row[i].cell_len for row in alike) for i in (1, 2, 3))]
        left = width - sum(widths) - 2 * len(widths)
        city = self._city_value()
        if not is_drawn or left < _LEAST_STRIP or city is None:
            return grid(rows, right=(3,), widths=widths)
        axis = self._axis(min(_MOST_STRIP, left), city)
        ends = ("worse", "better") if self.measured.direction in ("up", "down") else ("less", "more")
        caption = text(axis.caption(*ends, city=city), QUIET)
        drawn = [(*row, self._strip(e, axis, city)) for row, e in zip(rows, self.chosen, strict=True)]
        return grid([("", "", "", "", caption), *drawn], right=(3,), widths=[*widths, axis.width])

    def _cells(self, e: Estimate, digits: int) -> tuple[Text, Text, Text, Text]:
        figure = figure_text(e, self.scale, style=STRONG, digits=digits, says_state=False)
        where = cells.standing(e, self.city)
        if self.scale.is_count:
            where = "cannot tell" if e.state == "cannot tell" else None
        words = cells.standing_words(where, self.measured.direction)
        style = GOOD if "better" in words else BAD if "worse" in words else QUIET
        name = group_name(e.cell) if self.is_groups else place_name(e.cell, self.measured)
        return text(name), figure, text(words, style), text(sample_words(e, self.measured), QUIET)

    def _city_value(self) -> float | None:
        has_any = any(cells.has_interval(e) and cells.is_ranked(e) for e in self.chosen)
        return self.city.value if self.city is not None and has_any and not self.scale.is_count else None

    def _axis(self, width: int, city: float) -> Axis:
        """The city stands in the middle of every strip, so that one upright line runs through all."""
        ends = [x for e in self.chosen if cells.is_ranked(e) for x in (e.low, e.value, e.high)]
        reach = max(abs(x - city) for x in ends if x is not None and math.isfinite(x))
        middle_out = -reach if self.measured.direction == "down" else reach
        return Axis(city - middle_out, city + middle_out, width - (width + 1) % 2)

    def _strip(self, e: Estimate, axis: Axis, city: float) -> Text:
        if e.value is None or e.low is None or e.high is None or not cells.is_ranked(e):
            return text(axis.strip(city, city, city, city=city).replace("●", "│"), QUIET)
        strip = text(axis.strip(e.low, e.value, e.high, city=city), DATA)
        strip.highlight_regex("[│┼]", QUIET)
        strip.highlight_regex("●", STRONG)
        return strip
