"""Cells: which released estimates a page speaks of, and which of them differ from the city.

A withheld cell loses every number here, before anything is drawn: what has no number cannot leak one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from metroon.base import period as periods
from metroon.base.estimate import ALL, NOWHERE, OUTSIDE, UNKNOWN, Cell, Estimate, without_value
from metroon.serve.terminal.words import period_noun

if TYPE_CHECKING:
    from metroon.base.account import Measured
    from metroon.base.estimate import State

    Direction = Literal["up", "down", "neutral", "within"]

Standing = Literal["above", "below", "cannot tell"]
"""Where an interval lies: wholly above the city's value, wholly below it, or around it."""


def is_told(estimate: Estimate) -> bool:
    """Whether there is a value to print: ``known``, or ``cannot tell`` with its wide interval."""
    value = estimate.value
    return estimate.state in ("known", "cannot tell") and value is not None and math.isfinite(value)


def has_interval(estimate: Estimate) -> bool:
    """Whether both bounds are told and lie apart."""
    return estimate.low is not None and estimate.high is not None and estimate.low < estimate.high


def is_ranked(estimate: Estimate) -> bool:
    """Whether it may stand beside the city: not the city itself, nor what is outside, nowhere or unknown."""
    cell = estimate.cell
    is_leftover = {cell.place, cell.group} & {OUTSIDE, NOWHERE, UNKNOWN}
    return not is_leftover and (cell.place, cell.group) != (ALL, ALL)


def released(measured: Measured) -> tuple[Estimate, ...]:
    """Every cell; those whose state says that there is no value carry no number at all."""
    return tuple(e if is_told(e) else without_value(e.cell, e.state, e.note) for e in measured.estimates)


def of_headline(measured: Measured) -> tuple[Estimate, ...]:
    """The cells of the last closed periods: of each breakdown one period, of the city its own."""
    order = tuple(dict.fromkeys((measured.headline, *measured.headlines)))
    every = released(measured)
    told = {(*_breakdown(e.cell), e.cell.period) for e in every}
    last = {b: next((p for p in order if (*b, p) in told), "") for b in {_breakdown(e.cell) for e in every}}
    last[ALL, ALL] = measured.headline
    return tuple(e for e in every if e.cell.period == last[_breakdown(e.cell)])


def _breakdown(cell: Cell) -> tuple[str, str]:
    return cell.geography, cell.dimension


def whole_city(measured: Measured) -> Estimate | None:
    """The city's headline estimate; None when it was not released."""
    return city_in(measured, measured.headline)


def cities(measured: Measured) -> dict[str, Estimate]:
    """Period -> the whole city's estimate, of every grain."""
    return {e.cell.period: e for e in released(measured) if e.cell == Cell(e.cell.period)}


def city_in(measured: Measured, period: str) -> Estimate | None:
    """The whole city's estimate of a period; None when it was not released."""
    return cities(measured).get(period)


def city_beside(measured: Measured, found: tuple[Estimate, ...]) -> Estimate | None:
    """The whole city's estimate of the period that places or groups are of."""
    return city_in(measured, found[0].cell.period) if found else None


def of_places(measured: Measured, geography: str) -> tuple[Estimate, ...]:
    """The headline cells of one geography, all groups together."""
    return tuple(e for e in of_headline(measured) if e.cell.geography == geography != ALL and e.cell.dimension == ALL)


def of_groups(measured: Measured) -> dict[str, tuple[Estimate, ...]]:
    """Dimension -> the whole city's headline cells, one for each group, in the order of release."""
    found: dict[str, tuple[Estimate, ...]] = {}
    for e in of_headline(measured):
        if e.cell.dimension != ALL and e.cell.place == ALL:
            found[e.cell.dimension] = (*found.get(e.cell.dimension, ()), e)
    return found


def crossed(measured: Measured) -> dict[tuple[str, str], tuple[Estimate, ...]]:
    """(Geography, dimension) -> headline cells that are of one place and one group at once."""
    found: dict[tuple[str, str], tuple[Estimate, ...]] = {}
    for e in of_headline(measured):
        if e.cell.dimension != ALL and e.cell.place != ALL:
            key = (e.cell.geography, e.cell.dimension)
            found[key] = (*found.get(key, ()), e)
    return found


def trend(measured: Measured) -> tuple[tuple[str, Estimate | None], ...]:
    """The city's closed periods up to the headline, in order; None for a period that was not released."""
    if measured.headline == ALL:
        return ()
    end = measured.headline
    city = cities(measured)
    past = [p for p in city if is_alike(p, end) and periods.first_day(p) <= periods.first_day(end)]
    named = [min(past, key=periods.first_day)] if past else []
    while named and named[-1] != end:
        named.append(periods.next_period(named[-1]))
    return tuple((p, city.get(p)) for p in named)


def is_alike(period: str, other: str) -> bool:
    """Whether two periods are as long and of the same calendar: a fiscal year is not like a calendar year.

    Example:
        >>> is_alike("2014", "2015"), is_alike("2014", "2014-07..2015-06"), is_alike("2015-Q1", "2015")
        (True, False, False)
    """
    if ALL in (period, other):
        return period == other
    months = periods.MONTHS[periods.grain_of(period)]
    shift = periods.begins_in(period) - periods.begins_in(other)
    return months == periods.MONTHS[periods.grain_of(other)] and shift % months == 0


def trend_words(points: tuple[tuple[str, Estimate | None], ...]) -> str:
    """What the last period may be said to be, beside all earlier ones: no verdict from two points."""
    known = [(p, e) for p, e in points if e is not None and e.state == "known"]
    if not known or known[-1][0] != points[-1][0] or any(None in (e.low, e.high) for _, e in known):
        return ""
    *earlier, last = [e for _, e in known]
    if len(earlier) < 2:
        return "too few closed periods to speak of a trend"
    shown = "" if len(earlier) == len(points) - 1 else " that can be shown"
    many = "both" if len(earlier) == 2 else f"all {len(earlier)}"
    group = f"{many} earlier {period_noun(points[0][0])}s{shown}"
    if all((last.low or 0) > (e.high or 0) for e in earlier):
        return f"clearly above {group}"
    if all((last.high or 0) < (e.low or 0) for e in earlier):
        return f"clearly below {group}"
    return f"not clearly above or below {group}"


def standing(estimate: Estimate, city: Estimate | None) -> Standing | None:
    """Where a cell stands beside the city; None when it has no value or is no area or group of its own.

    Source:
        The rule is the scoreboard's own: the 95 % interval lies wholly on one side of the city's value.
        It is careful rather than sharp; places inside it are not called equal, only "cannot tell".
    """
    if not is_told(estimate) or not is_ranked(estimate):
        return None
    if city is None or city.value is None or city.state != "known" or estimate.state != "known":
        return "cannot tell"
    if not has_interval(estimate):
        return "cannot tell"
    if (estimate.low or 0) > city.value:
        return "above"
    return "below" if (estimate.high or 0) < city.value else "cannot tell"


def standing_words(where: Standing | None, direction: Direction) -> str:
    """A standing as words; better and worse only where the measure has a direction.

    Example:
        >>> standing_words("above", "down"), standing_words("above", "neutral")
        ('above: worse', 'above')
    """
    if where in ("above", "below") and direction in ("up", "down"):
        return f"{where}: {'better' if (where == 'above') == (direction == 'up') else 'worse'}"
    return where or ""


@dataclass(frozen=True)
class Comparison:
    """The cells of one geography or dimension beside the city.

    Args:
        above: Wholly above the city's value, farthest first.
        below: Wholly below it, farthest first.
        around: Cells for which nobody can tell.
        silent: Cells without a value, by state.
        ranked: Cells that may be compared at all: areas and known groups.
    """

    above: tuple[Estimate, ...]
    below: tuple[Estimate, ...]
    around: tuple[Estimate, ...]
    silent: dict[State, int]
    ranked: int


def compare(estimates: tuple[Estimate, ...], city: Estimate | None) -> Comparison:
    """Which cells clearly differ from the city. Outside, nowhere and unknown are never ranked."""
    able = [e for e in estimates if is_ranked(e)]
    silent: dict[State, int] = {}
    for e in able:
        if not is_told(e):
            silent[e.state] = silent.get(e.state, 0) + 1
    by_value = sorted((e for e in able if is_told(e)), key=lambda e: e.value or 0.0)
    return Comparison(
        above=tuple(e for e in reversed(by_value) if standing(e, city) == "above"),
        below=tuple(e for e in by_value if standing(e, city) == "below"),
        around=tuple(e for e in by_value if standing(e, city) == "cannot tell"),
        silent=silent,
        ranked=len(able),
    )


def distance(estimate: Estimate, city: float) -> float:
    """How far the whole interval lies from the city's value, in the measure's unit; below 0 when around it."""
    low, high = estimate.low, estimate.high
    return max((low if low is not None else -math.inf) - city, city - (high if high is not None else math.inf))
