"""Cells: which released estimates a page speaks of, and which of them differ from the city.

A withheld cell loses every number here, before anything is drawn: what has no number cannot leak one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from metroon.base import period as periods
from metroon.base.estimate import ALL, NOWHERE, OUTSIDE, UNKNOWN, Cell, Estimate, without_value
from metroon.serve.words import period_noun

if TYPE_CHECKING:
    from metroon.base.account import Measured
    from metroon.base.estimate import State

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
    """The cells of the headline period."""
    return tuple(e for e in released(measured) if e.cell.period == measured.headline)


def whole_city(measured: Measured) -> Estimate | None:
    """The city's headline estimate; None when it was not released."""
    return next((e for e in of_headline(measured) if e.cell == Cell(measured.headline)), None)


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
    noun = period_noun(measured.headline)
    city = {
        e.cell.period: e
        for e in released(measured)
        if e.cell == Cell(e.cell.period) and e.cell.period != ALL and period_noun(e.cell.period) == noun
    }
    end = periods.first_day(measured.headline)
    past = sorted((p for p in city if periods.first_day(p) <= end), key=periods.first_day)
    return tuple((p, city.get(p)) for p in _every_period(past[0], measured.headline)) if past else ()


def _every_period(first: str, last: str) -> list[str]:
    grain = period_noun(first)
    named = [first]
    while named[-1] != last:
        day = periods.last_day(named[-1]) + timedelta(days=1)
        named.append(periods.name(day, grain))  # type: ignore[arg-type]  # "period" was left out above
    return named


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


def standing_words(where: Standing | None, direction: Literal["up", "down", "neutral"]) -> str:
    """A standing as words; better and worse only where the measure has a direction.

    Example:
        >>> standing_words("above", "down"), standing_words("above", "neutral")
        ('above: worse', 'above')
    """
    if where in ("above", "below") and direction != "neutral":
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


def clearest(estimates: tuple[Estimate, ...], city: float) -> Estimate | None:
    """The one whose whole interval lies farthest from the city's value; None of none.

    By the near end of the interval, not by the value: the farthest values are those of the fewest cases.
    """
    return max(estimates, key=lambda e: (distance(e, city), e.cell), default=None)
