"""Sentences: what a score says, in plain words made of its facts; no word is in them that a fact does not bear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon.base.estimate import ALL
from metroon.serve.terminal import cells
from metroon.serve.terminal.words import (
    ASSURANCES,
    CHARTS,
    SIGNALS,
    STATE_SIGNS,
    STATES,
    TARGETS,
    VARIATIONS,
    Scale,
    Sign,
    group_name,
    period_noun,
    period_words,
    place_name,
    scale_of,
)

if TYPE_CHECKING:
    from metroon.base.account import Measured
    from metroon.base.estimate import Cell, Estimate
    from metroon.base.scorecard import Change, Course, GroupGap, Score, TargetGap

NO_TARGET = "no target"
NO_SERIES = "no series over time"


def value_words(e: Estimate | None, measured: Measured) -> str:
    """A value with its interval and unit, or the words of its state."""
    if e is None:
        return "no value"
    if not cells.is_told(e) or e.value is None:
        return "no value" if e.state == "known" else STATES[e.state]
    scale = scale_of(measured)
    words = f"{scale.value(e.value)} {scale.interval(e)} {measured.unit}".rstrip()
    return words if e.state == "known" else f"{words}, {STATES[e.state]}"


def cell_name(cell: Cell, measured: Measured) -> str:
    """What people call a place, a group, or both."""
    if cell.place == cell.group == ALL:
        return "Whole city"
    place = place_name(cell, measured) if cell.place != ALL else ""
    return ", ".join(word for word in (place, group_name(cell) if cell.group != ALL else "") if word)


def target_sign(target: TargetGap) -> Sign:
    """Met, not met, cannot tell, or the state that leaves no value."""
    return TARGETS.get(target.status) or STATE_SIGNS[target.status]


def asked_words(target: TargetGap, measured: Measured) -> str:
    """What was asked for: at least, at most, or between."""
    scale = scale_of(measured)
    if target.asked_low != target.asked_high:
        return f"between {scale.value(target.asked_low)} and {scale.value(target.asked_high)}"
    return f"{'at most' if measured.direction == 'down' else 'at least'} {scale.value(target.asked_low)}"


def gap_words(target: TargetGap, scale: Scale) -> str:
    """How far a value lies from what was asked for; empty without a value."""
    if target.gap is None:
        return ""
    if not float(scale.signed(target.gap).replace(",", "")):
        return "on it"
    return f"{scale.difference(target.gap)} {'above' if target.gap > 0 else 'below'}"


def target_words(score: Score) -> str:
    """The city beside its target."""
    target = score.target
    if target is None:
        return NO_TARGET
    facts = [str(target_sign(target)), gap_words(target, scale_of(score.measured))]
    return f"{', '.join(f for f in facts if f)} ({asked_words(target, score.measured)} by {target.on})"


def variation_words(course: Course | None) -> str:
    """What the last period is, since when, and by which rule; why there is no verdict."""
    if course is None:
        return NO_SERIES
    if course.variation not in VARIATIONS:
        return CHARTS.get(course.state, "no verdict on the last period: it has no value")
    sign = str(VARIATIONS[course.variation])
    if not course.begun or course.variation == "common cause":
        return sign
    rule = SIGNALS.get(course.signals[-1], "") if course.signals else ""
    facts = [
        f"since {period_words(course.begun)}",
        rule,
        "" if course.is_kept else "may be chance among so many series",
    ]
    return f"{sign} {', '.join(f for f in facts if f)}"


def assurance_words(course: Course | None) -> str:
    """Whether the usual ups and downs reach the target; empty without a verdict."""
    sign = ASSURANCES.get(course.assurance) if course is not None else None
    return f"{sign} the target" if sign is not None and sign.words != "hit or miss" else str(sign or "")


def change_words(change: Change, scale: Scale) -> str:
    """The last number beside the baseline."""
    since = f"in {period_words(change.period)} ({scale.value(change.value)})"
    bounds = scale.bounds(change.low, change.high)
    if not float(scale.signed(change.difference).replace(",", "")):
        return f"the same as {since}, difference {bounds}"
    size = f"{scale.difference(change.difference)} {'higher' if change.difference > 0 else 'lower'} {bounds}"
    has_interval = change.low is not None and change.high is not None
    if change.is_certain:
        return f"{'clearly ' if has_interval else ''}{size} than {since}"
    return f"{size} than {since}, which may be chance"


def verdict(score: Score) -> str:
    """One sentence: the value, its target, its signal, and the change since the baseline.

    Returns:
        A sentence in which every word stands for a fact. That something improves or is a concern is said only of a
        signal, never of two points.
    """
    measured, city = score.measured, score.city
    when = (
        f"In {period_words(city.cell.period)}" if city is not None and city.cell.period != ALL else "Over all periods"
    )
    if city is None or not cells.is_told(city):
        note = f": {city.note}" if city is not None and city.note else ""
        return f"{when} there is no value for the whole city, {value_words(city, measured)}{note}."
    why = f" ({city.note})" if city.note and city.state != "known" else ""
    facts = [f"{when} it was {value_words(city, measured)}{why}", _target_part(score), _signal_part(score)]
    if score.baseline is not None:
        facts.append(f"it is {change_words(score.baseline, scale_of(measured))}")
    return f"{'; '.join(f for f in facts if f)}."


def _target_part(score: Score) -> str:
    target, measured = score.target, score.measured
    if target is None:
        return ""
    asked = f"the target of {asked_words(target, measured)} is"
    if target.status == "cannot tell":
        return f"whether the target of {asked_words(target, measured)} is met, nobody can tell"
    if target.status not in TARGETS:
        return f"beside the target of {asked_words(target, measured)}: {target_sign(target).words}"
    gap = gap_words(target, scale_of(measured))
    return f"{asked} {target_sign(target).words}{f', it is {gap} it' if gap not in ('', 'on it') else ''}"


def _signal_part(score: Score) -> str:
    course = score.course
    if course is None or course.variation not in VARIATIONS:
        return ""
    noun = period_noun(course.periods[-1])
    if course.variation == "common cause":
        return f"the last {noun} is within the usual ups and downs"
    words = VARIATIONS[course.variation].words
    kind = f"a signal of {words}" if VARIATIONS[course.variation].mood else f"a signal: {words}"
    begun = f", begun in {period_words(course.begun)}" if course.begun else ""
    weak = "" if course.is_kept else ", which may be chance among so many series"
    return f"the last {noun} is {kind}{begun}{weak}"


def largest_gap(score: Score) -> GroupGap | None:
    """The largest gap whose interval leaves out zero, measured in the levels of both; None without one."""
    certain = [g for g in score.gaps if g.is_certain]
    return max(certain, key=lambda g: abs(g.difference) / (abs(g.reference_value) or 1), default=None)


def largest_gap_words(score: Score) -> str:
    """The largest certain gap with both levels, its difference and its ratio; or that there is none."""
    gap = largest_gap(score)
    if gap is None:
        return "no certain gap between groups" if score.gaps else "no groups are compared"
    scale = scale_of(score.measured)
    name, when = cell_name(gap.cell, score.measured), period_words(gap.cell.period)
    size = f"{scale.signed(gap.difference)} {scale.bounds(gap.difference_low, gap.difference_high)}"
    size += " points" if scale.is_share else ""
    times = f", {ratio_words(gap.ratio, gap.ratio_low, gap.ratio_high)}" if gap.ratio is not None else ""
    levels = f"{scale.value(gap.value)} beside {scale.value(gap.reference_value)} of {gap.reference}"
    return f"{name}: {levels} in {when}; {size}{times}"


def ratio_words(ratio: float, low: float | None, high: float | None) -> str:
    """A ratio with its interval.

    Example:
        >>> ratio_words(1.74, 1.3, 2.2), ratio_words(1.74, None, None), ratio_words(3.0, 1.2, float("inf"))
        ('1.74 (1.30–2.20) times', '1.74 (no interval) times', '3.00 (from 1.20) times')
    """
    scale = Scale(is_share=False, decimals=2)
    bounds = f"(from {scale.value(low)})" if low is not None and high == float("inf") else scale.bounds(low, high)
    return f"{scale.value(ratio)} {bounds} times"
