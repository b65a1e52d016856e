"""Breakdowns: by which geographies and groups somebody clearly differs from the city, and by which nobody can tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from metroon.base.estimate import ALL
from metroon.serve.terminal import cells
from metroon.serve.terminal.console import BAD, GOOD, QUIET, STRONG, grid, line
from metroon.serve.terminal.figures import figure_text
from metroon.serve.terminal.words import group_name, place_name, readable, scale_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from metroon.base.account import Measured
    from metroon.base.estimate import Cell, Estimate
    from metroon.base.places import Places

_BY_CHANCE = 0.05
"""The part of places that would lie outside a 95 % interval if all of them were like the city."""


@dataclass(frozen=True)
class Breakdown:
    """The headline by one geography or dimension, each cell beside the city.

    Args:
        label: What it is called; a geography with its vintage, and a star when no authority adopted it.
        period: The period its cells are of.
        told: Which of its cells differ.
        says_group: Whether a cell's name alone does not say what it is: a group's, a band's.
    """

    label: str
    period: str
    told: cells.Comparison
    says_group: bool

    @property
    def apart(self) -> tuple[Estimate, ...]:
        """Cells that clearly differ from the city."""
        return (*self.told.above, *self.told.below)

    @property
    def is_beyond_chance(self) -> bool:
        """Whether more of them differ than would if all were like the city."""
        return len(self.apart) > _BY_CHANCE * self.told.ranked


def breakdowns(measured: Measured) -> tuple[Breakdown, ...]:
    """Geographies first, then groups, in the order of the measure."""
    places = [(places_label(g), cells.of_places(measured, g.id), bool(g.base)) for g in measured.geographies]
    groups = [(readable(d).capitalize(), found, True) for d, found in cells.of_groups(measured).items()]
    return tuple(
        Breakdown(label, es[0].cell.period, cells.compare(es, cells.city_beside(measured, es)), is_group)
        for label, es, is_group in places + groups
        if es
    )


def places_label(geography: Places) -> str:
    """A geography's title and vintage, with a star when no authority adopted it."""
    return f"{geography.title} {geography.vintage}{'' if geography.official else '*'}"


def differing(measured: Measured) -> tuple[Breakdown, ...]:
    """Breakdowns in which more cells differ from the city than by chance, the clearest first; none of a count."""
    if scale_of(measured).is_count:
        return ()
    found = [b for b in breakdowns(measured) if b.is_beyond_chance]
    return tuple(sorted(found, key=lambda b: -max(_distance(measured, e) for e in b.apart)))


def _distance(measured: Measured, e: Estimate) -> float:
    """How far a cell's whole interval lies from the city of its period, as a part of the city's value.

    As a part, for a year's count is not to be held against a month's.
    """
    city = cells.city_in(measured, e.cell.period)
    value = city.value if city is not None else None
    return -math.inf if value is None else cells.distance(e, value) / (abs(value) or 1)


def alike(measured: Measured) -> tuple[Breakdown, ...]:
    """Breakdowns with values of which nobody can tell whether they differ; none of a count."""
    if scale_of(measured).is_count:
        return ()
    return tuple(b for b in breakdowns(measured) if (b.told.around or b.apart) and not b.is_beyond_chance)


def sides(measured: Measured) -> tuple[Text, ...]:
    """The clearest above the city and the clearest below, over all that differ; the better first."""
    found = differing(measured)
    if not found:
        return ()
    labels = {e.cell: b.label if b.says_group else "" for b in found for e in b.apart}
    above = _clearest(measured, (e for b in found for e in b.told.above))
    below = _clearest(measured, (e for b in found for e in b.told.below))
    parts = [_side(measured, "above", above, labels), _side(measured, "below", below, labels)]
    return tuple(part for part in (reversed(parts) if measured.direction == "down" else parts) if part.plain)


def _clearest(measured: Measured, found: Iterable[Estimate]) -> Estimate | None:
    """The one whose whole interval lies farthest from the city's value; None of none.

    By the near end of the interval, not by the value: the farthest values are those of the fewest cases.
    """
    return max(found, key=lambda e: (_distance(measured, e), e.cell), default=None)


def _side(measured: Measured, where: cells.Standing, e: Estimate | None, labels: dict[Cell, str]) -> Text:
    if e is None:
        return Text("")
    # "above: better" is "better" here: the row is short.
    word = cells.standing_words(where, measured.direction).rpartition(" ")[2]
    style = {"better": GOOD, "worse": BAD}.get(word, QUIET)
    name = group_name(e.cell) if e.cell.dimension != ALL else place_name(e.cell, measured)
    label = f" ({labels[e.cell]})" if labels[e.cell] else ""
    return line((f"{word} ", style), name, (label, QUIET), ": ", figure_text(e, scale_of(measured), style=STRONG))


def aligned(rows: Sequence[tuple[Text, ...]], width: int) -> list[RenderableType]:
    """Both sides of each measure in two columns where they fit, else one below the other."""

    def fits(row: tuple[Text, ...], first: int) -> bool:
        return first + sum(2 + side.cell_len for side in row[1:]) <= width

    first = max((r[0].cell_len for r in rows if fits(r, r[0].cell_len)), default=0)
    built: list[RenderableType] = []
    for row in rows:
        own = row[0].cell_len
        left = next((w for w in (max(first, own), own) if fits(row, w)), 0)
        built.append(grid([row], widths=(left,)) if left else Text("\n").join(row))
    return built
