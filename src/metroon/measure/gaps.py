"""Gaps: how far groups lie from a reference that was chosen beforehand, by difference and by ratio.

Both are told, as they can disagree, and so are both levels: a gap can close because the better-off got worse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from metroon.measure.interval import exact_rate_ratio, katz, mover_difference, mover_ratio, newcombe, poisson, wilson

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from metroon.measure.interval import Floats

Kind = Literal["share", "rate", "other"]
Tolerance = Literal["relative", "points"]
Verdict = Literal["within tolerance", "outside tolerance", "cannot tell"]

_WITHIN: Verdict = "within tolerance"
_OUTSIDE: Verdict = "outside tolerance"
_CANNOT_TELL: Verdict = "cannot tell"


@dataclass(frozen=True, slots=True)
class Levels:
    """Values of groups, with their bounds and what they are made of. All arrays have one shape; nan is not known.

    Args:
        value: Each group's value, in the measure's unit.
        low: Lower bound of each value.
        high: Upper bound of each value.
        events: Of shares, the successes; of rates, the events; None of anything else.
        base: Of shares, the trials; of rates, the exposure; None of anything else.
    """

    value: Floats
    low: Floats
    high: Floats
    events: Floats | None = None
    base: Floats | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Groups against a reference. All arrays have the shape of the groups.

    Args:
        value: Level of each group, with its bounds.
        low: Lower bound of the level.
        high: Upper bound of the level.
        reference: Level that each group is held against.
        reference_low: Lower bound of that level.
        reference_high: Upper bound of that level.
        difference: Group minus reference, in the measure's unit.
        difference_low: Lower bound of the difference.
        difference_high: Upper bound of the difference.
        ratio: Group over reference; nan over 0 and of values below 0.
        ratio_low: Lower bound of the ratio.
        ratio_high: Upper bound of the ratio; may be infinite.
        is_certain: Whether the bounds of the difference leave out 0.
        verdict: Where the bounds lie against the tolerance, one ``Verdict`` each.
    """

    value: Floats
    low: Floats
    high: Floats
    reference: Floats
    reference_low: Floats
    reference_high: Floats
    difference: Floats
    difference_low: Floats
    difference_high: Floats
    ratio: Floats
    ratio_low: Floats
    ratio_high: Floats
    is_certain: NDArray[np.bool_]
    verdict: NDArray[np.str_]


def gap(
    groups: Levels,
    reference: Levels | int,
    *,
    kind: Kind,
    holds_groups: bool = False,
    tolerance: float = 0.1,
    tolerance_in: Tolerance = "relative",
    multiplier: float = 1.0,
    level: float = 0.95,
) -> Gap:
    """Difference and ratio of each group to the reference, with their bounds and a verdict.

    Args:
        groups: Levels of the groups. Groups stand along the last axis; places may stand along others.
        reference: Position of the reference among the groups, or levels of another, of a shape that fits the
            groups': one for all, or one for each place. Choose it before looking at the values.
        kind: ``share`` takes Newcombe's and Katz's intervals from events and base, ``rate`` the exact interval of a
            ratio and the interval of a difference from the bounds of both, ``other`` both from the bounds of both.
        holds_groups: Whether the reference is all people, so that each group is part of it. With events and base,
            each group is then held against all the others: a group that is large would else be held against itself,
            and its gap would look smaller and its bounds be wrong. Without, it is held against all people.
        tolerance: How far a group may be off, 0 or more: a part of the reference, or units of the measure.
        tolerance_in: ``relative`` judges the ratio, ``points`` the difference.
        multiplier: Value of one event for each unit of the base: 1 of shares, 100,000 of rates per 100,000.
        level: Confidence level of all bounds, those that came in and those that go out.

    Returns:
        The gaps. A reference among the groups has difference 0 and ratio 1, without bounds, and is within
        tolerance. What is not known is nan and cannot be told. ``within tolerance`` takes both bounds inside,
        ``outside tolerance`` both beyond the same end.

    Raises:
        ValueError: ``share`` or ``rate`` without events and base, a whole that is smaller than its part, a negative
            tolerance, or impossible counts.

    Assumes:
        Group and reference are independent; with ``holds_groups`` and without counts they are not, and bounds are
        too wide rather than too narrow: the group's own error is in both. Rates are of whole events. Bounds of a
        difference cover 93-97 % from 20 trials or 10 events on.

    Source:
        Newcombe (1998), Statistics in Medicine 17, 873-890, method 10; Katz and others (1978), Biometrics 34,
        469-474, doi:10.2307/2530610; Zou and Donner (2008), Statistics in Medicine 27, 1693-1702,
        doi:10.1002/sim.3095.

    Example:
        >>> events, base = np.array([48.0, 56.0]), np.array([80.0, 70.0])
        >>> bounds = wilson(events, base)
        >>> found = gap(Levels(events / base, bounds.low, bounds.high, events, base), 0, kind="share")
        >>> found.difference.round(4).tolist(), found.difference_low.round(4).tolist()
        ([0.0, 0.2], [nan, 0.0524])
        >>> found.verdict.tolist()
        ['within tolerance', 'cannot tell']
    """
    if not tolerance >= 0:
        raise ValueError("a tolerance is 0 or more")
    if kind != "other" and (groups.events is None or groups.base is None):
        raise ValueError("shares and rates are compared by their events and their base")
    is_reference = np.zeros(groups.value.shape, dtype=np.bool_)
    if isinstance(reference, Levels):
        other = _shaped(reference, groups.value.shape)
    else:
        is_reference[..., reference] = True
        is_reference &= ~np.isnan(groups.value)
        other = _at(groups, reference)
    if holds_groups and kind != "other":
        other = _rest(groups, other, kind=kind, multiplier=multiplier, level=level)
    difference = np.where(is_reference, 0.0, groups.value - other.value)
    ratio = np.where(is_reference, 1.0, _ratio(groups.value, other.value))
    (down, up), (less, more) = _bounds(groups, other, kind=kind, multiplier=multiplier, level=level)
    # A group has no distance from itself that could be uncertain.
    for bound in (down, up, less, more):
        bound[is_reference] = math.nan
    judged = (less - 1, more - 1) if tolerance_in == "relative" else (down, up)
    verdict = np.where(is_reference, _WITHIN, _verdict(*judged, tolerance))
    is_certain = (down > 0) | (up < 0)
    own = (groups.value, groups.low, groups.high)
    against = (
        np.where(is_reference, groups.value, other.value),
        np.where(is_reference, groups.low, other.low),
        np.where(is_reference, groups.high, other.high),
    )
    return Gap(*own, *against, difference, down, up, ratio, less, more, is_certain, verdict)


def _bounds(
    groups: Levels, other: Levels, *, kind: Kind, multiplier: float, level: float
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Bounds of the difference and of the ratio; nan where one of the two is not known."""
    every = (groups.value, groups.low, groups.high, other.value, other.low, other.high)
    counts = () if kind == "other" else (groups.events, groups.base, other.events, other.base)
    given = [a for a in (*every, *counts) if a is not None]
    is_known = np.logical_and.reduce([~np.isnan(a) for a in given])
    if kind != "other":
        is_known &= (given[7] > 0) & (given[9] > 0)
    shown = [a[is_known] for a in given]
    if kind == "share":
        difference, ratio = newcombe(*shown[6:], level=level), katz(*shown[6:], level=level)
        difference = difference.times(multiplier)
    elif kind == "rate":
        difference, ratio = mover_difference(*shown[:6]), exact_rate_ratio(*shown[6:], level=level)
    else:
        difference, ratio = mover_difference(*shown), mover_ratio(*shown)
    found = []
    for bound in (difference.low, difference.high, ratio.low, ratio.high):
        spread = np.full(groups.value.shape, math.nan)
        spread[is_known] = bound
        found.append(spread)
    return (found[0], found[1]), (found[2], found[3])


def _rest(groups: Levels, everyone: Levels, *, kind: Kind, multiplier: float, level: float) -> Levels:
    """All people without those of the group: what is left of the events and of the base, and its level."""
    if groups.events is None or groups.base is None or everyone.events is None or everyone.base is None:
        raise ValueError("shares and rates are compared by their events and their base")
    events, base = everyone.events - groups.events, everyone.base - groups.base
    if bool((events < 0).any()) or bool((base < 0).any()):
        raise ValueError("a group has more than all people have")
    # A group that is all people has nobody to be held against.
    base = np.where(base > 0, base, math.nan)
    events = np.where(np.isnan(base), math.nan, events)
    bounds = wilson(events, base, level=level) if kind == "share" else poisson(events, level=level).times(1 / base)
    return Levels(multiplier * events / base, multiplier * bounds.low, multiplier * bounds.high, events, base)


def _at(groups: Levels, position: int) -> Levels:
    """The group at this position, once for each group."""

    def one(array: Floats) -> Floats:
        return np.broadcast_to(array[..., [position]], array.shape)

    return _each(groups, one)


def _shaped(levels: Levels, shape: tuple[int, ...]) -> Levels:
    return _each(levels, lambda array: np.broadcast_to(array, shape))


def _each(levels: Levels, change: Callable[[Floats], Floats]) -> Levels:
    return Levels(
        change(levels.value),
        change(levels.low),
        change(levels.high),
        None if levels.events is None else change(levels.events),
        None if levels.base is None else change(levels.base),
    )


def _ratio(value: Floats, reference: Floats) -> Floats:
    allowed = (reference > 0) & (value >= 0)
    found: Floats = np.divide(value, reference, out=np.full(value.shape, math.nan), where=allowed)
    return found


def _verdict(low: Floats, high: Floats, tolerance: float) -> NDArray[np.str_]:
    is_within = (low >= -tolerance) & (high <= tolerance)
    is_outside = (low > tolerance) | (high < -tolerance)
    return np.where(is_within, _WITHIN, np.where(is_outside, _OUTSIDE, _CANNOT_TELL))
