"""Disparities: where a resource lies against where some people live, as shares of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon.serve.terminal.console import QUIET, STRONG, flow, grid, indented, line, text
from metroon.serve.terminal.figures import places_title
from metroon.serve.terminal.words import Scale, counted, place_name

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from metroon.base.scorecard import AreaDisparity, Disparity, Score

_MOST_AREAS = 4
_POINTS = Scale(is_share=False, decimals=1)


def disparity_parts(score: Score) -> list[RenderableType]:
    """Who is under-represented where the resource lies, and in which areas it is short, by geography."""
    titles = {g.id: places_title(g) for g in score.measured.geographies}
    parts: list[RenderableType] = []
    for geography in dict.fromkeys(d.geography for d in score.disparities):
        own = [d for d in score.disparities if d.geography == geography]
        head = ("", "where it lies", "in all areas", "difference, points", "")
        rows = [_row(d) for d in own]
        parts += [line((titles.get(geography, geography), STRONG)), indented(grid(rows, head=head), 2)]
        parts += [indented(_areas(score, d), 2) for d in own]
        left = [
            f"{counted(own[0].outside, 'row')} in no area" if own[0].outside else "",
            f"{counted(own[0].hidden, 'area')} hidden for privacy" if own[0].hidden else "",
        ]
        told = [words for words in left if words]
        parts += [indented(flow([f"in no share: {', '.join(told)}"], QUIET), 2)] if told else []
    return parts


def _row(d: Disparity) -> tuple[Text, Text, Text, Text, Text]:
    margin = f" ± {_POINTS.value(d.margin)}" if d.margin is not None else ""
    return (
        text(d.people),
        text(f"{_POINTS.value(d.around)} %"),
        text(f"{_POINTS.value(d.everywhere)} %"),
        line((_POINTS.signed(d.difference), STRONG), margin),
        text(standing_words(d), QUIET),
    )


def standing_words(d: Disparity) -> str:
    """Whether people are under- or over-represented; where the difference may be chance, that nobody can tell."""
    if not d.is_certain:
        return "? cannot tell"
    return "< under-represented" if d.difference < 0 else "> over-represented"


def _areas(score: Score, d: Disparity) -> RenderableType:
    """How many areas have less or more of the resource than of the people, with the names of the farthest."""
    certain = [a for a in d.areas if a.is_certain and not a.has_no_residents]
    short = sorted((a for a in certain if a.difference < 0), key=lambda a: a.difference)
    rich = sorted((a for a in certain if a.difference > 0), key=lambda a: -a.difference)
    empty = sum(a.has_no_residents for a in d.areas)
    facts = [
        _named(score, short, "less of it than of them"),
        _named(score, rich, "more of it than of them"),
        f"{counted(empty, 'area')} without residents of this kind" if empty else "",
    ]
    told = [fact for fact in facts if fact] or ["no area clearly differs"]
    return flow([f"{d.people}: {told[0]}", *told[1:]], QUIET)


def _named(score: Score, areas: list[AreaDisparity], words: str) -> str:
    if not areas:
        return ""
    names = [f"{place_name(a.cell, score.measured)} {_POINTS.signed(100 * a.difference)}" for a in areas[:_MOST_AREAS]]
    more = f" and {len(areas) - _MOST_AREAS} more" if len(areas) > _MOST_AREAS else ""
    return f"{counted(len(areas), 'area')} with {words}, in points of share: {', '.join(names)}{more}"
