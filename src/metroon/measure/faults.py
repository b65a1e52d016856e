"""What is wrong with a measure: as it is declared, and once its rows are counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from metroon.base.estimate import ALL, UNKNOWN
from metroon.base.node import did_you_mean
from metroon.base.period import GRAINS, begins_in, first_day, grain_of, last_day
from metroon.base.period import name as period_name
from metroon.base.sql import NotAllowed, expression
from metroon.measure.coarsening import coarsen_faults
from metroon.measure.declared import EVERYBODY, GroupPeople, Target
from metroon.measure.grid import FLOWS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import date

    from metroon.base.errors import Problem
    from metroon.base.node import Node
    from metroon.city.city import Geography
    from metroon.city.contract import Contract
    from metroon.measure.declared import Group, Point
    from metroon.measure.indicator import Indicator
    from metroon.measure.tally import Tallied

_NO_GROUPS = ("internal", "linkage key", "free text", "direct")


@dataclass(frozen=True)
class Known:
    """What a measure may name.

    Args:
        products: Product -> its promise.
        departments: Departments of the city.
        geographies: Geography, bands too -> what the city says of it (of the areas, for bands).
        goals: Goals of the city.
        measures: Every measure.
        as_of: The day taken for today.
    """

    products: Mapping[str, Contract]
    departments: Collection[str] = ()
    geographies: Mapping[str, Geography] = field(default_factory=dict)
    goals: Collection[str] = ()
    measures: Collection[str] = ()
    as_of: date | None = None


def faults(indicator: Indicator, node: Node, known: Known) -> Iterator[Problem]:
    """What is wrong between the measure, the product it counts and the city it speaks of.

    Args:
        indicator: The measure.
        node: Its declaration.
        known: What it may name.
    """
    contract = known.products.get(indicator.of)
    if contract is None:
        fix = did_you_mean(indicator.of, known.products)
        yield node.problem("M101", f"there is no product '{indicator.of}'.", fix, "of")
        return
    yield from _columns(indicator, node, contract)
    yield from _names(indicator, node, known)
    yield from _periods(indicator, node, contract, known.as_of)
    yield from _groups(indicator, node, contract, known)
    yield from _denominator(indicator, node, known)
    yield from _target(indicator, node, known.as_of)
    yield from _narrative(indicator, node)
    yield from _disparity(indicator, node, known)
    yield from coarsen_faults(indicator, node, known.geographies)


def _disparity(indicator: Indicator, node: Node, known: Known) -> Iterator[Problem]:
    asked = indicator.disparity
    if asked is None:
        return
    at = node.at("disparity")
    if not indicator.is_count or indicator.accumulates:
        yield at.problem(
            "M124", "only counts and totals lie somewhere: shares and rates do not add up.", "Take it out."
        )
    geography = known.geographies.get(asked.geography)
    if geography is None or asked.geography not in indicator.places:
        fix = f"Name one of the places of the measure. {did_you_mean(asked.geography, indicator.places)}"
        yield at.problem("M106", f"it is not broken down by '{asked.geography}'.", fix, "geography")
        return
    contract = known.products.get(geography.product)
    if geography.people is None or contract is None:
        what = f"no residents are declared for {asked.geography}."
        yield at.problem("M108", what, "Give the geography people: in city.yaml.", "geography")
        return
    for i, kind in enumerate(asked.people):
        for key, name in (("column", kind.column), ("margin", kind.margin)):
            column = contract.column(name) if name else None
            if name and (column is None or column.classification != "public"):
                what = f"{geography.product} has no public column '{name}'."
                yield at.problem("M102", what, did_you_mean(name, [c.name for c in contract.columns]), "people", i, key)


def _columns(indicator: Indicator, node: Node, contract: Contract) -> Iterator[Problem]:
    names = [c.name for c in contract.columns]
    asked = [("among", indicator.among or ""), *((e.key, e.sql) for e in indicator.expressions())]
    for key, text in asked:
        if text:
            yield from _expression(node, key, text, names)
    columns = [("groups", g.by) for g in indicator.groups]
    columns += [("period", indicator.period.column)] if indicator.period else []
    for key, column in (*columns, *indicator.reads()):
        if column not in names:
            what = f"{indicator.of} has no column '{column}'."
            yield node.problem("M102", what, did_you_mean(column, names), key)


def _expression(node: Node, key: str, text: str, names: list[str]) -> Iterator[Problem]:
    try:
        used = expression(text)
    except NotAllowed as error:
        fix = "Write one SQL expression over the columns of the product, such as priority = 'Priority 1'."
        yield node.problem("M105", f"'{key}' cannot be run: {error}.", fix, key)
        return
    for column in sorted(used - set(names)):
        what = f"'{key}' reads a column '{column}' that the product does not have."
        yield node.problem("M102", what, did_you_mean(column, names), key)


def _names(indicator: Indicator, node: Node, known: Known) -> Iterator[Problem]:
    named = indicator.department
    if named and known.departments and named not in known.departments:
        yield node.problem(
            "M104", f"there is no department '{named}'.", did_you_mean(named, known.departments), "department"
        )
    for name in indicator.places:
        if name not in known.geographies:
            fix = did_you_mean(name, known.geographies)
            yield node.problem("M106", f"there is no geography '{name}'.", fix, "places")
    if indicator.goal and indicator.goal not in known.goals:
        fix = f"Declare it below goals: in city.yaml. {did_you_mean(indicator.goal, known.goals)}"
        yield node.problem("M117", f"there is no goal '{indicator.goal}'.", fix, "goal")
    for key, other in (("guard_metric", indicator.guard_metric), ("coverage", indicator.coverage)):
        if other and known.measures and other not in known.measures:
            yield node.problem("M118", f"there is no measure '{other}'.", did_you_mean(other, known.measures), key)


def _periods(indicator: Indicator, node: Node, contract: Contract, as_of: date | None) -> Iterator[Problem]:
    period = indicator.period
    if period is None:
        return
    dated = contract.column(period.column)
    if dated and dated.type not in ("date", "timestamp"):
        what = f"'{dated.name}' is no date: it cannot make periods."
        yield node.problem("M103", what, "Name a date or timestamp column.", "period")
    for key, own in (("places", period.places), ("groups", period.groups)):
        if own is not None and (period.grain == "finest" or GRAINS.index(own) < GRAINS.index(period.city)):
            what = f"periods of the {key} cannot be shorter than those of the city, nor chosen beside grain: finest."
            yield node.problem("M119", what, f"Take {key}: out, or name a longer grain.", "period", key)
    begun = indicator.baseline
    if begun is not None:
        try:
            is_over = as_of is None or last_day(begun.period) < as_of
            if period_name(first_day(begun.period), grain_of(begun.period), begins_in(begun.period)) != begun.period:
                raise ValueError(begun.period)
        except (ValueError, IndexError, StopIteration):
            what = f"baseline: '{begun.period}' is no period."
            yield node.problem("M113", what, "Write it like 2022, 2022-Q1 or 2022-01.", "baseline", "period")
            return
        if not is_over:
            what = f"baseline: {begun.period} is not over; an unfinished period would look like a fall."
            yield node.problem("M113", what, "Name a period that has ended.", "baseline", "period")


def _groups(indicator: Indicator, node: Node, contract: Contract, known: Known) -> Iterator[Problem]:
    for i, group in enumerate(indicator.groups):
        column = contract.column(group.by)
        if group.by in (ALL, FLOWS):
            what = f"'{group.by}' is a word of Metroon's own and cannot name a breakdown."
            yield node.problem("M107", what, "Give the column another name in the contract.", "groups", i)
        if column and column.classification in _NO_GROUPS:
            what = (
                f"'{group.by}' is {column.classification}: every value of it would be published as the name of a group."
            )
            yield node.problem("M107", what, "Name a column whose values are few and no secret.", "groups")
        if group.reference is None and not indicator.is_count and indicator.direction != "neutral":
            what = f"the groups of '{group.by}' have no reference: whom are they compared with?"
            fix = f"Choose it beforehand: groups: [{{by: {group.by}, reference: GROUP}}], or reference: all."
            yield node.problem("M111", what, fix, "groups", i)
        if group.join and indicator.needs_people:
            what = f"the groups of '{group.by}' are divided by their residents, and cannot be joined."
            yield node.problem("G163", what, "Take join out, or join them in a product of kind: query.", "groups", i)
        yield from _group_values(node.at("groups", i), group, column.allowed if column else ())
        if group.people is not None:
            yield from _people(node.at("groups", i, "people"), group.people, known)


def _group_values(node: Node, group: Group, allowed: tuple[str, ...]) -> Iterator[Problem]:
    if not allowed or group.separator:
        return
    lawful = [*allowed, *group.join, EVERYBODY, UNKNOWN]
    for value in (v for values in group.join.values() for v in values if v not in allowed):
        yield node.problem("M112", f"'{group.by}' has no group '{value}'.", did_you_mean(value, allowed), "join")
    for key, named in (("reference", [group.reference] if group.reference else []), ("order", group.order)):
        for name in named:
            if name not in lawful:
                what = f"'{group.by}' has no group '{name}'."
                yield node.problem("M112", what, did_you_mean(name, lawful), key)


def _people(node: Node, people: GroupPeople, known: Known) -> Iterator[Problem]:
    contract = known.products.get(people.of)
    if contract is None:
        yield node.problem("M101", f"there is no product '{people.of}'.", did_you_mean(people.of, known.products), "of")
        return
    names = [c.name for c in contract.columns]
    for key in ("column", "group", "place"):
        column = getattr(people, key)
        if column is not None and column not in names:
            yield node.problem("M102", f"{people.of} has no column '{column}'.", did_you_mean(column, names), key)
    if people.where:
        yield from _expression(node, "where", people.where, names)
    if people.geography is None:
        return
    declared = known.geographies.get(people.geography)
    if declared is None:
        fix = did_you_mean(people.geography, known.geographies)
        yield node.problem("M106", f"there is no geography '{people.geography}'.", fix, "geography")
    elif _is_older(people.vintage, declared.vintage):
        what = f"people of {people.vintage} cannot be of boundaries of {declared.vintage}, which are newer."
        yield node.problem("M114", what, "Name people counted for these boundaries.", "vintage")


def _denominator(indicator: Indicator, node: Node, known: Known) -> Iterator[Problem]:
    if not indicator.needs_people:
        return
    declared = [known.geographies[p] for p in indicator.places if p in known.geographies]
    _, strata = indicator.strata()
    own = getattr(indicator, "people", None)
    if isinstance(own, GroupPeople) and strata:
        yield from _people(node.at("people"), own, known)
    elif not any(g.people for g in declared) and not any(g.people for g in indicator.groups):
        what = "a rate needs people to be divided by, and none of its places or groups has any."
        fix = "Name a geography with people: in city.yaml, or give a group its people:."
        yield node.problem("M108", what, fix, "kind")
    wanted = getattr(indicator, "per_unit", "people")
    for name in indicator.places:
        geography = known.geographies.get(name)
        if geography is not None and geography.people is not None and geography.people.unit != wanted:
            what = f"it is per {wanted}, and {name} counts {geography.people.unit}."
            yield node.problem(
                "M110", what, f"Write per_unit: {geography.people.unit}, or name other places.", "places"
            )


def _target(indicator: Indicator, node: Node, as_of: date | None) -> Iterator[Problem]:
    target = indicator.target
    if target is None:
        return
    if indicator.direction == "neutral":
        what = "a target needs a direction: is more better, or less?"
        yield node.problem("M109", what, "Write direction: up, down or within.", "target")
    if target.unit and target.unit != indicator.words():
        what = f"the target is in '{target.unit}', and the measure in '{indicator.words()}'."
        yield node.problem("M110", what, "Write both in the same unit.", "target", "unit")
    for i, point in enumerate(target.points):
        yield from _point(indicator, node.at("target", "points", i), point)
    days = [p.on for p in target.points]
    if any(a >= b for a, b in pairwise(days)):
        what = "the points of the target are not in the order of their days, or two are of one day."
        yield node.problem("M109", what, "Put the earliest first, each day once.", "target", "points")
    if as_of is not None and target.frozen_at > as_of:
        what = f"the target was set on {target.frozen_at}, which is still to come."
        yield node.problem("M109", what, "Write the day on which it was decided.", "target", "frozen_at")


def target_faults(indicator: Indicator, node: Node, before: Mapping[str, Any] | None) -> Iterator[Problem]:
    """A target that was changed after it had been set, without keeping the old one.

    Args:
        indicator: The measure.
        node: Its declaration.
        before: The target as it stood at the last release; None when there was none.
    """
    if not before:
        return
    old, now = Target.model_validate(before), indicator.target
    if now is not None and (old.points, old.interpolation) == (now.points, now.interpolation):
        return
    kept = [h.points for h in now.history] if now is not None else []
    if old.points not in kept:
        what = f"the target that was set on {old.frozen_at} was changed, and the old one is not kept."
        fix = "Add it below target: history: with its points, authority, frozen_at, until and the reason."
        yield node.problem("M121", what, fix, "target")


def _point(indicator: Indicator, node: Node, point: Point) -> Iterator[Problem]:
    is_band = indicator.direction == "within"
    told = [point.low, point.high] if is_band else [point.value]
    if None in told or (is_band and (point.low or 0) > (point.high or 0)):
        what = "a band needs low and high, the lower first." if is_band else "a point of a target needs its value."
        yield node.problem("M109", what, "Write on: DATE with low: and high:" if is_band else "Write value: NUMBER.")
    elif indicator.is_percent and any(v is not None and not 0 <= v <= 1 for v in told):
        what = "a share goes from 0 to 1, and the target lies outside."
        yield node.problem("M110", what, "Write 80 % as 0.80.", "low" if is_band else "value")


def _narrative(indicator: Indicator, node: Node) -> Iterator[Problem]:
    for slot, told in indicator.narrative.items():
        if told.expires <= told.on:
            what = f"the {slot} expires before it was written."
            yield node.problem("M123", what, "Write a later day.", "narrative", slot, "expires")


def _is_older(vintage: str, boundaries: str) -> bool:
    """Whether a year comes before another; what is no year is not compared.

    Example:
        >>> _is_older("2010", "2022"), _is_older("2020-2024", "2022"), _is_older("spring", "2022")
        (True, False, False)
    """
    years = [max((int(y) for y in _years(text)), default=0) for text in (vintage, boundaries)]
    return 0 < years[0] < years[1]


def _years(text: str) -> list[str]:
    digits = "".join(c if c.isdigit() else " " for c in text)
    return [word for word in digits.split() if len(word) == 4]


def vintage_faults(geography: Geography, node: Node) -> Iterator[Problem]:
    """Residents counted for older boundaries than those they are put into."""
    people = geography.people
    if people is None:
        return
    if people.boundaries:
        if people.boundaries != geography.vintage:
            what = f"people were counted in boundaries of {people.boundaries}, and these are of {geography.vintage}."
            yield node.problem("P107", what, "Name people counted in these boundaries.", "people", "boundaries")
    elif _is_older(people.vintage, geography.vintage):
        what = f"people of {people.vintage} were counted before the boundaries of {geography.vintage} were drawn."
        fix = f'If the source counted them in these boundaries, write boundaries: "{geography.vintage}" below people:.'
        yield node.problem("P107", what, fix, "people", "vintage")


def warnings(indicators: Mapping[str, Indicator], nodes: Mapping[str, Node]) -> Iterator[Problem]:
    """What is lawful and yet likely wrong: goals with outputs only, complaints without a coverage measure."""
    goals = {i.goal for i in indicators.values() if i.goal}
    for goal in sorted(goals):
        own = {n: i for n, i in indicators.items() if i.goal == goal}
        if not any(i.type in ("outcome", "equity") for i in own.values()):
            first = min(own)
            what = f"the goal '{goal}' has {', '.join(sorted({i.type for i in own.values()}))} measures only."
            fix = "Add a measure of what residents feel: type: outcome."
            yield nodes[first].problem("M120", what, fix, "goal")
    for name, indicator in indicators.items():
        if indicator.complaints and not indicator.coverage:
            what = "complaints tell of those who complain; nothing says how much of what is there gets reported."
            yield nodes[name].problem("M122", what, "Name a measure of it: coverage: MEASURE.", "complaints")


def count_faults(tallied: Tallied, node: Node) -> Iterator[Problem]:
    """What only the counted rows tell: more events than people, exposure below zero."""
    indicator, t = tallied.indicator, tallied.tallies
    for group, labels in tallied.grid.shape.groups:
        for name in sorted(set(group.join) & set(labels)):
            what = f"'{group.by}' holds '{name}' itself, so that it cannot be the name of joined groups."
            yield node.problem("G163", what, "Choose a name that is no value of the column.", "groups")
    if indicator.needs_people and tallied.contract.unit == "person":
        above = int((t.yes > t.people).sum())
        if above:
            what = f"in {above} cells more people are counted than live there: the numerator is above the denominator."
            yield node.problem("M115", what, "Count people once, or divide by people of the same places.", "of")
    for key in indicator.positive_sums:
        if key in t.sums and bool((t.sums[key] < 0).any()):
            below = int((t.sums[key] < 0).sum())
            what = f"'{key}' adds up to less than nothing in {below} cells."
            fix = f"Declare codes for missing values in the contract of {indicator.of}."
            yield node.problem("M116", what, fix, key)
    if indicator.is_part and {"numerator", "denominator"} <= set(t.sums):
        above = int((t.sums["numerator"] > t.sums["denominator"] * (1 + 1e-12)).sum())
        if above:
            what = f"in {above} cells the numerator is above the denominator that it is declared to be a part of."
            yield node.problem("M115", what, "Take part: true out, or count both of the same rows.", "numerator")
    known = t.people[~np.isnan(t.people)]
    if not (np.isfinite(known) & (known >= 0)).all():
        what = "people are below zero, or no finite numbers."
        yield node.problem("M116", what, "Correct the source of people.", "places")
