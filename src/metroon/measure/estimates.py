"""From tallies to estimates; what cannot be answered is said, and what is too fine is pooled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metroon.base.estimate import ALL, Cell, Estimate, without_value
from metroon.locate import can_place
from metroon.measure.grid import released_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metroon.base.period import Grain
    from metroon.base.places import Places
    from metroon.city.contract import Contract
    from metroon.measure.indicator import Indicator
    from metroon.measure.tally import Tallied

_COARSER: dict[Grain, tuple[Grain, ...]] = {
    "month": ("quarter", "year", "all"),
    "quarter": ("year", "all"),
    "year": ("all",),
    "all": (),
}
_GRAIN_WORDS = {"quarter": "quarters", "year": "years", "all": "all years together"}


def estimates(indicator: Indicator, tallied: Tallied) -> tuple[Estimate, ...]:
    """One estimate for each cell that may be shown, in the order of the cells."""
    shown = [t for c, t in tallied.table.tallies.items() if c not in tallied.table.unpublished]
    named = [replace(t, cell=released_as(t.cell)) for t in shown]
    return tuple(indicator.estimate(t) for t in sorted(named, key=lambda t: t.cell))


def can_break_down(indicator: Indicator, contract: Contract, places: Places) -> bool:
    """Whether the data bear a measure by these places: rows can be put into them, and residents are known."""
    return can_place(contract, places) and not (indicator.needs_people and not places.people)


def unanswerable(
    indicator: Indicator, contract: Contract, asked: Mapping[str, Places], period: str
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
        for d in indicator.groups:
            why = f"no number of residents by {d} is declared"
            found.append(without_value(Cell(period, ALL, ALL, d, ALL), "cannot be answered", why))
    return tuple(found)


def poolings(indicator: Indicator, bands: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Indicator]]:
    """Coarser ways to ask the same question, least loss first: longer periods, bands of areas, fewer breakdowns.

    Args:
        indicator: The measure.
        bands: Geography -> the bands of its areas.
    """
    if indicator.period:
        for grain in _COARSER[indicator.period.grain]:
            longer = indicator.period.model_copy(update={"grain": grain})
            yield f"period grain {grain} ({_GRAIN_WORDS[grain]})", indicator.model_copy(update={"period": longer})
    for name in indicator.places:
        for band in bands.get(name, ()):
            coarse = list(dict.fromkeys(band if p == name else p for p in indicator.places))
            yield f"{band} instead of {name}", indicator.model_copy(update={"places": coarse})
    for name in indicator.places if len(indicator.places) + len(indicator.groups) > 1 else []:
        fewer = [p for p in indicator.places if p != name]
        yield f"no breakdown by {name}", indicator.model_copy(update={"places": fewer})
    for name in indicator.groups if len(indicator.places) + len(indicator.groups) > 1 else []:
        fewer = [g for g in indicator.groups if g != name]
        yield f"no breakdown by {name}", indicator.model_copy(update={"groups": fewer})
    if indicator.period and indicator.period.grain != "all":
        pooled = indicator.period.model_copy(update={"grain": "all"})
        for name in indicator.places if len(indicator.places) > 1 else []:
            fewer = [p for p in indicator.places if p != name]
            both = indicator.model_copy(update={"period": pooled, "places": fewer})
            yield f"period grain all and no breakdown by {name}", both
