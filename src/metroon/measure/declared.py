"""What a measure declares beside its counting: groups, baseline, target, signals, revisions, narrative."""

from __future__ import annotations

from datetime import date  # pydantic reads the annotation
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from collections.abc import Iterator

Interpolation = Literal["linear", "step"]
Slot = Literal["happened", "story", "action", "partners"]
EVERYBODY = "all"
"""The reference that stands for everybody: a group is then compared with the rest."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GroupPeople(_Part):
    """Residents by group: the denominator of rates of groups.

    Args:
        of: The product that holds them.
        column: Its column with the number of people.
        group: Its column with the group.
        where: Which of its rows: a SQL expression.
        place: Its column with the place, when it tells residents by place too.
        geography: The geography of ``place``.
        source: Where the figures come from.
        vintage: The year they speak of.
    """

    of: str
    column: str
    group: str
    where: str | None = None
    place: str | None = None
    geography: str | None = None
    source: str
    vintage: str


class Group(_Part):
    """One way to tell people apart, and against whom the groups are compared.

    Args:
        by: Column whose values are the groups.
        title: What people call it; the column's name unless given.
        reference: The group that the others are compared with, chosen beforehand; ``all`` for everybody else.
        order: The groups from worst-off to best-off, where they have an order.
        tolerance: How far a group may lie from the reference.
        tolerance_in: ``relative`` (0.10 is 10 % of the reference) or ``points`` (0.10 is 10 points of a share, else
            the measure's unit).
        separator: Sign between the answers where one row may hold several, such as ``;``. Rows are then told in
            both ways: in one group each (several answers are a group of their own), and in each group they name.
        several: What the group of those with several answers is called.
        people: Residents by group, for rates.
        join: Name -> values that are told together under it, such as ``{Other groups: [A, B]}``.
    """

    by: str
    title: str = ""
    reference: str | None = None
    order: list[str] = Field(default_factory=list)
    tolerance: float = Field(0.10, gt=0)
    tolerance_in: Literal["relative", "points"] = "relative"
    separator: str | None = None
    several: str = "Several"
    people: GroupPeople | None = None
    join: dict[str, list[str]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_joined(self) -> Group:
        if self.join and (self.separator or self.people):
            raise ValueError("groups with a separator or people of their own cannot be joined. Fix: Take join out.")
        every = [v for values in self.join.values() for v in values]
        for name, values in self.join.items():
            if len(values) < 2 or name in values:
                raise ValueError(
                    f"'{name}' must be a new name for two values or more, so that none stands alone under it. "
                    "Fix: Write join: {Other groups: [ONE, ANOTHER]}."
                )
        if twice := sorted({v for v in every if every.count(v) > 1}):
            raise ValueError(f"'{twice[0]}' is joined twice. Fix: Keep it under one name.")
        if gone := sorted({self.reference, *self.order} & set(every)):  # type: ignore[type-var]  # None is no value
            raise ValueError(f"'{gone[0]}' is joined and has no number of its own. Fix: Name the joined group.")
        return self

    def told_under(self, value: str) -> str | None:
        """The joined group in which a value is told; None when it stands by itself."""
        return next((name for name, values in self.join.items() if value in values), None)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The breakdowns that it makes: itself, and any mention where there are several answers."""
        return (self.by, any_mention(self.by)) if self.separator else (self.by,)


def any_mention(by: str) -> str:
    """The name of the breakdown in which a row is in each group that it names.

    Example:
        >>> any_mention("race")
        'race, any mention'
    """
    return f"{by}, any mention"


def _group(given: Any) -> Any:
    return {"by": given} if isinstance(given, str) else given


GroupBy = Annotated[Group, BeforeValidator(_group)]


class Baseline(_Part):
    """Where it began.

    Args:
        period: The period that is the beginning, such as ``2022``.
        value: Its value where it is not in the data; else what was measured.
        source: Where that value is from.
    """

    period: str
    value: float | None = None
    source: str = ""


class Point(_Part):
    """One dated point of a target.

    Args:
        on: The day by which.
        value: The value to be reached, in the measure's unit (a share from 0 to 1).
        low: Lower end of a band, for ``direction: within``.
        high: Upper end of a band.
    """

    on: date
    value: float | None = None
    low: float | None = None
    high: float | None = None


class OldTarget(_Part):
    """A target as it was before it was changed.

    Args:
        points: Its points.
        authority: Who had set it.
        frozen_at: When it had been set.
        until: The day on which it was replaced.
        reason: Why.
    """

    points: list[Point] = Field(min_length=1)
    authority: str
    frozen_at: date
    until: date
    reason: str


class Target(_Part):
    """What is to be reached, by when, on whose authority.

    Args:
        points: Dated points, in order.
        authority: Who set it and where it is written.
        frozen_at: The day it was set; from then on a change needs an entry in ``history``.
        unit: The unit of its values; must be the measure's.
        interpolation: Between two points: ``linear``, or ``step`` (a point holds until the next).
        history: Earlier targets, oldest first.
    """

    points: list[Point] = Field(min_length=1)
    authority: str
    frozen_at: date
    unit: str = ""
    interpolation: Interpolation = "linear"
    history: list[OldTarget] = Field(default_factory=list)


class Rebase(_Part):
    """A day from which the limits of the chart begin anew, and why.

    Args:
        on: The day.
        reason: What changed.
        author: Who decided it.
    """

    on: date
    reason: str
    author: str


class SignalRules(_Part):
    """How change is told from noise.

    Args:
        rules: ``nhs7`` (NHS "Making Data Count") or ``wheeler8``.
        screen_outliers: Leave out moving ranges that are outliers themselves when the limits are made.
        baseline_points: Make the limits of the first so many periods only.
        rebase: Days from which limits begin anew.
        seasonal: Look at each period less the same one a year before, where seasons make the same months high each
            year.
    """

    rules: Literal["nhs7", "wheeler8"] = "nhs7"
    screen_outliers: bool = True
    baseline_points: int | None = Field(None, ge=7)
    rebase: list[Rebase] = Field(default_factory=list)
    seasonal: bool = False


class Break(_Part):
    """A day across which values are not comparable.

    Args:
        on: The day.
        reason: What changed.
        author: Who says so.
    """

    on: date
    reason: str
    author: str


class Revision(_Part):
    """When a value is final, and how large a change of it is told.

    Args:
        final_after_days: Days after its end until a period is final; before, it is the first figure or a revised one.
        restated_above: A change of a released value by more than this part of it is told as restated.
    """

    final_after_days: int = Field(0, ge=0)
    restated_above: float = Field(0.05, gt=0)


class Told(_Part):
    """What a person says about a number; it is never computed and it expires.

    Args:
        text: The words.
        author: The role or person who says so.
        on: The day it was written.
        expires: The day from which it is no longer shown as current.
    """

    text: str
    author: str
    on: date
    expires: date


class DisparityPeople(_Part):
    """People whose share of an area is compared with its share of a resource.

    Args:
        title: Who they are, such as residents in poverty.
        column: Column of the areas' product with how many live there, or what part of the residents they are.
        holds: ``people``, or ``share`` when the column holds a part of the residents from 0 to 1.
        margin: Column with its margin of error at 90 %, in the same unit, for estimates of a survey.
    """

    title: str
    column: str
    holds: Literal["people", "share"] = "people"
    margin: str | None = None


class DisparityOf(_Part):
    """Where the resource lies against where people live.

    Args:
        geography: The areas; they need residents.
        people: Kinds of people.
    """

    geography: str
    people: list[DisparityPeople] = Field(min_length=1)


class SmallNumbers(_Part):
    """When a number says too little.

    Args:
        useful_width: Intervals wider than this, in the measure's unit, tell nothing.
        relative_error: Counts and rates whose relative standard error is above this tell nothing.
        events: With fewer events there is no value at all.
    """

    useful_width: float | None = Field(None, gt=0)
    relative_error: float = Field(0.30, gt=0)
    events: int = Field(0, ge=0)


def level_on(points: list[Point], day: date, interpolation: Interpolation) -> tuple[float, float] | None:
    """The lower and upper end of what a target asks for on a day; both the same unless it is a band.

    Args:
        points: Dated points.
        day: The day.
        interpolation: How to go from one point to the next.

    Returns:
        None before the first point of a target with several points that all lie later: it asks nothing yet. A
        single point asks the same from the start. After the last point its level stays.

    Example:
        >>> path = [Point(on=date(2021, 1, 1), value=100), Point(on=date(2023, 1, 1), value=70)]
        >>> level_on(path, date(2022, 1, 1), "linear")
        (85.0, 85.0)
        >>> level_on(path, date(2035, 1, 1), "linear"), level_on(path, date(2019, 1, 1), "linear")
        ((70.0, 70.0), None)
    """
    ordered = sorted(points, key=lambda p: p.on)
    ends = [_ends(p) for p in ordered]
    if day <= ordered[0].on:
        return ends[0] if len(ordered) == 1 or day == ordered[0].on else None
    for (before, low), (after, high) in _pairs(ordered, ends):
        if day < after.on:
            part = (day - before.on).days / (after.on - before.on).days if interpolation == "linear" else 0.0
            return _between(low[0], high[0], part), _between(low[1], high[1], part)
    return ends[-1]


Ends = tuple[float, float]


def _pairs(points: list[Point], ends: list[Ends]) -> Iterator[tuple[tuple[Point, Ends], tuple[Point, Ends]]]:
    yield from pairwise(zip(points, ends, strict=True))


def _between(first: float, second: float, part: float) -> float:
    # Years of days: an exact tenth of the way gives the tenth, but for rounding.
    return round(first + (second - first) * part, 12)


def _ends(point: Point) -> Ends:
    if point.value is not None:
        return float(point.value), float(point.value)
    return float(point.low or 0.0), float(point.high or 0.0)
