"""The scorecard: what a measure's released numbers say, beside targets, groups, places and their own past.

All of it is worked out from what was released, after the guard. So what is hidden in a number is hidden in its trend,
its gap, its rank and its words alike: it was never known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from metroon.base.account import Measured
    from metroon.base.estimate import Cell, Estimate, State

Status = Literal["met", "not met", "cannot tell"]
"""Beside a target: the whole interval on the right side of it, on the wrong side, or around it."""
Standing = Literal["better", "worse", "higher", "lower", "not different", "cannot tell"]
"""Beside the city: better and worse only where the measure has a direction."""
SlotName = Literal["happened", "story", "action", "partners"]


@dataclass(frozen=True)
class TargetGap:
    """One number beside what was to be reached by the end of its period.

    Args:
        cell: Which number.
        asked_low: What was asked for, in the measure's unit; the lower end of a band.
        asked_high: The same, or the upper end of a band.
        on: The day, the last of the period.
        status: Met or not, by the interval; a state where there is no value.
        gap: Value less what was asked for (the nearer end of a band); 0 within it; None without a value.
    """

    cell: Cell
    asked_low: float
    asked_high: float
    on: date
    status: Status | State
    gap: float | None


@dataclass(frozen=True)
class Course:
    """One series over time, with what is a signal in it.

    Args:
        cell: Its last number.
        periods: Every period from the first to the last, in order.
        values: One a period; None where there is no value.
        mean: The centre line of each period; None where there are too few points.
        low: Lower limits.
        high: Upper limits.
        signals: Which rule flags each period, or ``none``.
        variation: What the last period is: common cause, or improvement, concern or neutral, high or low; empty
            without a verdict.
        assurance: Whether the target is passed or failed consistently, or hit or miss; empty without a target.
        state: ``ok``, ``trial limits``, ``run chart only`` or ``no variation``.
        begun: The period in which the signal of the last period began; empty when it is none.
        is_kept: Whether the signal stays one among as many series as were looked at (false discovery rate 5 %).
        note: What weakens the verdict, such as values that depend on those before.
    """

    cell: Cell
    periods: tuple[str, ...]
    values: tuple[float | None, ...]
    mean: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    signals: tuple[str, ...]
    variation: str
    assurance: str
    state: str
    begun: str = ""
    is_kept: bool = True
    note: str = ""


@dataclass(frozen=True)
class GroupGap:
    """One group beside the reference that was chosen beforehand.

    Args:
        cell: The group.
        reference: Whom it is compared with; ``everybody else`` when the reference is all.
        value: Its level.
        reference_value: The level of the reference: a gap can close because the better-off got worse.
        difference: Group less reference.
        difference_low: Lower bound.
        difference_high: Upper bound.
        ratio: Group over reference.
        ratio_low: Lower bound.
        ratio_high: Upper bound; may be infinite.
        is_certain: Whether the interval of the difference leaves out zero.
        tolerance: Within or outside the declared tolerance, or cannot tell.
        standing: Better or worse than the reference where that is certain.
    """

    cell: Cell
    reference: str
    value: float
    reference_value: float
    difference: float
    difference_low: float | None
    difference_high: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    is_certain: bool
    tolerance: str
    standing: Standing


@dataclass(frozen=True)
class PlaceStanding:
    """One place beside the city, as a funnel shows it, and its number with strength borrowed from the others.

    Args:
        cell: The place.
        standing: Better or worse than the city, or not different: by the 95 % funnel limits, and after allowing for
            as many places and groups as were looked at.
        is_clear: Whether it lies outside the 99.8 % limits too.
        chance: The chance of such a number in a place like the city, adjusted for all that were looked at; None where
            it cannot be worked out.
        smoothed: The number with borrowed strength (empirical Bayes), in the measure's unit; None where nothing is
            borrowed.
        smoothed_low: Lower bound.
        smoothed_high: Upper bound.
        own_weight: How much the place's own data count in it, 0 to 1.
    """

    cell: Cell
    standing: Standing
    is_clear: bool
    chance: float | None
    smoothed: float | None = None
    smoothed_low: float | None = None
    smoothed_high: float | None = None
    own_weight: float | None = None


@dataclass(frozen=True)
class Inequality:
    """One summary measure of how unequal the groups of a breakdown are.

    Args:
        name: Its name in the literature.
        title: What it says, in plain words.
        value: The measure.
        low: Lower bound; None where no honest one is known.
        high: Upper bound.
        note: What must stand beside it.
    """

    name: str
    title: str
    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Change:
    """The last number beside the baseline.

    Args:
        period: The baseline's period.
        value: Its value.
        difference: The last value less that.
        low: Lower bound; None where the baseline has no interval.
        high: Upper bound.
        is_certain: Whether the interval leaves out zero.
    """

    period: str
    value: float
    difference: float
    low: float | None
    high: float | None
    is_certain: bool


@dataclass(frozen=True)
class Covered:
    """One place of a measure of complaints, with how much of what is there gets reported.

    Args:
        cell: The place.
        share: How much of what is there is reported, by the coverage measure.
        low: Lower bound.
        high: Upper bound.
        corrected: The value over that share: what it would be, if all were reported; None where it cannot be told.
    """

    cell: Cell
    share: float
    low: float
    high: float
    corrected: float | None


@dataclass(frozen=True)
class AreaDisparity:
    """One area's share of a resource less its share of some people.

    Args:
        cell: The area.
        difference: Share of the resource less share of the people, -1 to 1.
        margin: How far that may be off; None when the people are counted in full.
        is_certain: Whether it is larger than its margin.
        has_no_residents: Whether nobody of them lives there, so that it is held against nobody.
    """

    cell: Cell
    difference: float
    margin: float | None
    is_certain: bool
    has_no_residents: bool


@dataclass(frozen=True)
class Disparity:
    """Where a resource lies against where some people live, in the manner of the Spatial Equity Data Tool.

    Args:
        people: Who they are.
        geography: The areas.
        areas: Area by area.
        around: Percent of such people where the resource lies, each area as heavy as its part of it.
        everywhere: Percent of such people in all these areas.
        difference: The first less the second, in percentage points: below 0 they are under-represented.
        margin: How far that may be off; None when the people are counted in full.
        is_certain: Whether it is larger than its margin.
        outside: Rows in no area; they are in no share.
        hidden: Areas whose number is hidden; they are in no share.
    """

    people: str
    geography: str
    areas: tuple[AreaDisparity, ...]
    around: float
    everywhere: float
    difference: float
    margin: float | None
    is_certain: bool
    outside: int
    hidden: int


@dataclass(frozen=True)
class Words:
    """What a person says about the number.

    Args:
        slot: What it tells: what happened, the story, the action, the partners.
        text: The words.
        author: The role or person who says so.
        on: The day it was written.
        expires: The day from which it is no longer current.
        is_expired: Whether that day has come.
    """

    slot: SlotName
    text: str
    author: str
    on: date
    expires: date
    is_expired: bool


@dataclass(frozen=True)
class Series:
    """Which series a number belongs to: a change of what is counted begins a new one.

    Args:
        number: Counts from 1.
        since: The day on which this series was first published.
        changed: What of the definition changed then; empty for the first series.
        before: Number of the last release of the series before; None for the first.
    """

    number: int
    since: date
    changed: tuple[str, ...] = ()
    before: int | None = None


@dataclass(frozen=True)
class PastTarget:
    """A target that no longer holds.

    Args:
        words: Its points, as text.
        authority: Who had set it.
        frozen_at: When.
        until: When it was replaced.
        reason: Why.
        status: Of the last number, beside the old target.
    """

    words: str
    authority: str
    frozen_at: date
    until: date
    reason: str
    status: Status | State | None


@dataclass(frozen=True)
class Score:
    """What one measure's release says.

    Args:
        measured: The release.
        as_of: The day taken for today.
        published: The day of the release.
        stage: ``first``, ``revised`` or ``final`` figure, of the headline period.
        city: The whole city's last number; None when it was not released.
        target: The city beside its target; None without one.
        target_words: What was to be reached, when, on whose authority.
        past_targets: Targets that no longer hold, oldest first.
        baseline: The city beside the baseline.
        course: The city over time.
        courses: Places and groups over time, where there are enough points for limits.
        targets: Places and groups beside the target.
        gaps: Groups beside their reference.
        inequality: Breakdown -> summary measures.
        left_out: Breakdown -> groups that are not in its summary measures, and why (in words).
        places: Places beside the city.
        borrowed: Geography -> what was done to borrow strength, in words.
        covered: Places of a measure of complaints, with how much gets reported.
        words: What people say.
        series: Which series it is.
        breaks: (Day, reason): values on both sides are not comparable.
        late: Why the data are late; empty when they are not.
        false_alarms: How many of the series looked at would show a signal by chance alone.
        guard_metric: The measure that gaming would hurt, and what its last period is (variation); empty without.
        chain: (What, name) of what it hangs together with: goal, type, service, budget program, department, owner.
        rules: The rule set of the signals.
        orders: Breakdown -> its groups in their declared order, from worst-off to best-off.
        is_of_complaints: Whether rows are complaints, and so tell of those who complain.
        disparities: Where it lies against where some people live.
        alike: Geography -> whether areas are like their neighbors, in words.
        asked: Period -> what the target asks for by its last day, the lower and the upper end; only periods of which
            it asks something.
    """

    measured: Measured
    as_of: date
    published: date
    stage: str
    city: Estimate | None
    target: TargetGap | None
    target_words: str
    past_targets: tuple[PastTarget, ...]
    baseline: Change | None
    course: Course | None
    courses: tuple[Course, ...]
    targets: tuple[TargetGap, ...]
    gaps: tuple[GroupGap, ...]
    inequality: Mapping[str, tuple[Inequality, ...]]
    left_out: Mapping[str, str]
    places: tuple[PlaceStanding, ...]
    borrowed: Mapping[str, str]
    covered: tuple[Covered, ...]
    words: tuple[Words, ...]
    series: Series
    breaks: tuple[tuple[date, str], ...]
    late: str
    false_alarms: float
    guard_metric: tuple[str, str]
    chain: tuple[tuple[str, str], ...]
    rules: str = ""
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_of_complaints: bool = False
    disparities: tuple[Disparity, ...] = ()
    alike: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, tuple[float, float]] = field(default_factory=dict)


ChangeKind = Literal[
    "signal begun", "signal ended", "assurance flipped", "target crossed", "gap newly certain", "gap no longer certain",
    "restated", "late", "no longer late", "definition changed", "boundaries changed", "target changed",
    "narrative expired", "first published",
]  # fmt: skip
RANKS: tuple[ChangeKind, ...] = (
    "signal begun", "signal ended", "assurance flipped", "target crossed", "gap newly certain", "gap no longer certain",
    "restated", "late", "no longer late", "definition changed", "boundaries changed", "target changed",
    "narrative expired", "first published",
)  # fmt: skip
"""What really changed, the most telling first."""


@dataclass(frozen=True)
class Changed:
    """One thing that really changed.

    Args:
        kind: What.
        measure: The measure; a product for late data.
        title: What people call it.
        cell: Which number; None for the whole measure.
        where: The place or group in words; empty for the city.
        before: What it was, in words.
        after: What it is, in words.
        size: How large, to order those of one kind: the largest first.
    """

    kind: ChangeKind
    measure: str
    title: str
    cell: Cell | None
    where: str
    before: str
    after: str
    size: float = 0.0


@dataclass(frozen=True)
class Changes:
    """What really changed since a day, and what did not.

    Args:
        since: The day.
        until: The day taken for today.
        changed: What really changed, ranked.
        unchanged: Titles of measures in which nothing really changed.
        looked_at: Series that were looked at for signals.
        false_alarms: How many of them would show a new signal by chance alone.
    """

    since: date
    until: date
    changed: tuple[Changed, ...]
    unchanged: tuple[str, ...]
    looked_at: int
    false_alarms: float


@dataclass(frozen=True)
class GoalPage:
    """One goal with its measures: the council's page.

    Args:
        goal: Its name.
        title: What people call it.
        outcome: What residents should feel, in plain words.
        department: Who answers for it.
        owner: The role or person.
        scores: Its measures, outcomes first.
        warnings: What is lawful and yet likely wrong, such as outputs only.
        not_answered: Measures that cannot be answered, and why.
    """

    goal: str
    title: str
    outcome: str
    department: str
    owner: str
    scores: tuple[Score, ...]
    warnings: tuple[str, ...] = ()
    not_answered: tuple[tuple[str, str], ...] = ()
