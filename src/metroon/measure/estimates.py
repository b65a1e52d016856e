"""From tallies to estimates; what cannot be answered is said, and the finest grain is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from metroon.base.estimate import ALL, INSIDE, Cell, Estimate, without_value
from metroon.base.period import GRAINS, last_day, next_period
from metroon.locate import can_place
from metroon.measure.grid import released_as
from metroon.measure.tally import tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from metroon.base.period import Grain
    from metroon.base.places import Places
    from metroon.city.contract import Contract
    from metroon.guard.cells import CellTable, Hiding
    from metroon.measure.cube import Cube
    from metroon.measure.indicator import Indicator
    from metroon.measure.tally import Asking, Tallied

Level = Literal["city", "places", "groups"]
LEVELS: tuple[Level, ...] = ("city", "places", "groups")


def estimates(tallied: Tallied) -> tuple[Estimate, ...]:
    """One estimate for each cell that may be shown, in the order of the cells."""
    made = tallied.grid
    every = tallied.indicator.estimates(tallied.tallies).at([released_as(c) for c in made.cells])
    shown = [e for e, is_shown in zip(every, made.shown, strict=True) if is_shown]
    t = tallied.tallies
    if t.unknown.any() and not (t.yes.any() or t.no.any()):
        why = "it is recorded in no row"
        shown = [without_value(e.cell, "not collected", why) if e.state == "cannot tell" else e for e in shown]
    return tuple(sorted(shown, key=lambda e: e.cell))


def late(tallied: Tallied, as_of: date) -> tuple[Estimate, ...]:
    """The city's periods whose data should have come by now and have not, after the last one that is released.

    Args:
        tallied: The measure, counted.
        as_of: The day taken for today.
    """
    period, promise = tallied.indicator.period, tallied.contract.latency_days
    if period is None or promise is None or not tallied.periods or tallied.periods[-1] == ALL:
        return ()
    days = max(promise, period.settle_days)
    found, name = [], next_period(tallied.periods[-1])
    while last_day(name) + timedelta(days=days) < as_of:
        why = f"its data have not come, {days:g} days after its end"
        found.append(without_value(Cell(name), "late", why))
        name = next_period(name)
    return tuple(found)


def can_break_down(indicator: Indicator, contract: Contract, places: Places) -> bool:
    """Whether the data bear a measure by these places: rows can be put into them, and residents are known."""
    return can_place(contract, places) and not (indicator.needs_people and not places.people)


def unanswerable(
    indicator: Indicator, contract: Contract, asked: Mapping[str, Places], period: str, people: Mapping[str, object]
) -> tuple[Estimate, ...]:
    """Breakdowns that were asked for and that the data do not bear, each with the reason."""
    found = []
    for name, places in asked.items():
        if not can_place(contract, places):
            why = f"{contract.title} has no place: no column holds a point or the key of {places.title.lower()}"
            found.append(without_value(Cell(period, name, ALL), "cannot be answered", why))
        elif indicator.needs_people and not places.people:
            why = f"no number of residents is declared for {places.title.lower()}"
            found.append(without_value(Cell(period, name, ALL), "cannot be answered", why))
    if indicator.needs_people:
        for d in (g.by for g in indicator.groups if g.by not in people):
            why = f"no number of residents by {d} is declared"
            found.append(without_value(Cell(period, ALL, ALL, d, ALL), "cannot be answered", why))
    return tuple(found)


def finest_grains(
    cube: Cube,
    asking: Asking,
    hide: Callable[[Sequence[CellTable]], Mapping[str, Hiding]],
    *,
    hidden_share: float,
    at_least: Mapping[str, Grain],
) -> Indicator:
    """The measure with the shortest periods that can be published and tell something.

    For the city, the places and the groups each: the shortest grain with which at most ``hidden_share`` of the cells
    that count anything are hidden, and with which at least half of those that are shown tell something (their state
    is ``known``). Where no grain does, all periods are taken together.

    Args:
        cube: The finest cells.
        asking: The measure, with ``grain: finest``.
        hide: What the guard would withhold of tables.
        hidden_share: From 0 to 1.
        at_least: Level -> the grain of the last release: none is finer than it was, for the choice depends on what is
            hidden.
    """
    indicator, period = asking.indicator, asking.indicator.period
    if period is None:
        return indicator
    chosen: dict[Level, Grain] = {}
    for level in LEVELS:
        least = max(GRAINS.index(chosen["city"]) if chosen else 0, GRAINS.index(at_least.get(level, GRAINS[0])))
        for grain in GRAINS[least:]:
            chosen[level] = grain
            alone = indicator.model_copy(update={
                "period": period.model_copy(update={"grain": grain, "places": grain, "groups": grain}),
                **({} if level == "places" or indicator.needs_people else {"places": []}),
                **({} if level == "groups" else {"groups": []}),
            })  # fmt: skip
            if _tells(cube, replace(asking, indicator=alone, longer=()), level, hide, hidden_share):
                break
    grains = {"grain": chosen["city"], "places": chosen["places"], "groups": chosen["groups"]}
    return indicator.model_copy(update={"period": period.model_copy(update=grains)})


def _level(cell: Cell) -> Level:
    if cell.dimension != ALL:
        return "groups"
    return "city" if cell.geography == ALL or cell.place == INSIDE else "places"


def _tells(
    cube: Cube,
    asking: Asking,
    level: Level,
    hide: Callable[[Sequence[CellTable]], Mapping[str, Hiding]],
    hidden_share: float,
) -> bool:
    tallied = tally(cube, asking)
    every = asking.indicator.estimates(tallied.tallies).at(tallied.grid.cells)
    shown = [e for e, is_shown in zip(every, tallied.grid.shown, strict=True) if is_shown and _level(e.cell) == level]
    telling = {e.cell for e in shown if e.events or e.unknown or e.base}
    if not telling:
        return True
    known = sum(e.state == "known" for e in shown if e.cell in telling)
    if known < len(telling) / 2:
        return False
    if tallied.table.unit == "none":
        return True
    small = [c for c in telling if 0 < tallied.table.tallies[c].yes < tallied.minimum_cell]
    if len(small) > hidden_share * len(telling):
        return False  # small themselves, before anything is hidden for their sake
    hiding = hide([tallied.table])[asking.name]
    return len((hiding.primary | hiding.secondary) & telling) <= hidden_share * len(telling)
