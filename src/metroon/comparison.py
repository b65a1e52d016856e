"""Other ways to ask: every single change that makes a measure, a table or rows coarser, and what each keeps.

Each is protected by itself. What it comes from is hidden: it is for the city's own people.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metroon import flow, guard, locate, measure, risk, tabulation
from metroon.base.errors import Refused
from metroon.base.estimate import ALL, INSIDE, NOWHERE, OUTSIDE, UNKNOWN, Cell
from metroon.base.protection import Option
from metroon.city.city import Merged
from metroon.guard.losses import loss
from metroon.measure.declared import EVERYBODY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metroon.base.places import Places
    from metroon.city.table import TableFile
    from metroon.guard import Hiding
    from metroon.measure import Indicator, Tallied
    from metroon.measure.declared import Group
    from metroon.tabulation import Tabulated
    from metroon.walk import Walk

_FLOORS = (1_000, 2_000, 5_000, 10_000, 20_001, 50_000, 100_000)
"""Residents up to which neighboring areas are joined when nothing is declared; above 20,000 a denominator is no small
number any more (CalHHS Data De-Identification Guidelines, section 4.2)."""


def of_measure(walk: Walk, name: str, indicator: Indicator, asked: Tallied, hiding: Hiding) -> Iterator[Option]:
    """The question as it is asked, then every single change that makes it coarser, those that keep most first."""
    merged = {m.id: m for g in indicator.places for m in _merged(walk, g)}
    places = walk.city.file.places
    known = {g: [f"{g}.{part}" for part in places[g].made_of_it] for g in indicator.places if g in places}
    trials = {g: [m.id for m in merged.values() if m.base == g] for g in indicator.places}
    ways = [
        *measure.poolings(indicator, known),
        *((w, _to_declare(merged[change]), i) for w, change, i in _mergings(indicator, trials)),
    ]
    ways += _joinings(indicator, asked, hiding)
    ways = [way for way in ways if _can_be_counted(walk, way[2], merged)]
    tallies = flow.compared(walk, name, [asked.indicator, *(i for _, _, i in ways)], merged)[1:]
    yield _option(walk, "as it is asked", "", asked, hiding, merged)
    found = []
    for (words, change, _), tallied in zip(ways, tallies, strict=True):
        if tallied.grid.cells:
            alone = guard.hide([tallied.table])[name]
            found.append(_option(walk, words, change, tallied, alone, merged))
    yield from sorted(found, key=_losing)


def _losing(option: Option) -> tuple[bool, float, int]:
    # Of those that keep equally much the finer one comes first: it was made first.
    return not option.is_enough, -round(option.shown * option.events_share, 6), -option.comparisons


def _mergings(indicator: Indicator, trials: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, Indicator]]:
    for name, every in trials.items():
        for one in every:
            coarse = list(dict.fromkeys(one if p == name else p for p in indicator.places))
            words = f"{name} joined with its neighbors to {int(one.rpartition('_')[2]):,} residents each"
            yield words, one, indicator.model_copy(update={"places": coarse})


def _joinings(indicator: Indicator, asked: Tallied, hiding: Hiding) -> Iterator[tuple[str, str, Indicator]]:
    """The rarest groups of a breakdown told together, where some of them are hidden."""
    hidden = hiding.primary | hiding.secondary
    for i, group in enumerate(indicator.groups):
        if group.join or group.separator or indicator.needs_people:
            continue
        events: dict[str, int] = {}
        lost: set[str] = set()
        for cell in risk.breakdowns(asked).get((ALL, group.by), []):
            tally = asked.table.tallies[cell]
            if cell.group not in (UNKNOWN, group.reference, *group.order):
                events[cell.group] = events.get(cell.group, 0) + tally.yes + tally.no + tally.unknown
                lost |= {cell.group} if cell in hidden else set()
        rare = sorted(events, key=lambda g: (g not in lost, events[g], g))[: max(2, len(lost))]
        name = "Other groups"
        if lost and 2 <= len(rare) < len(events) and name not in events:
            joined = group.model_copy(update={"join": {name: sorted(rare)}})
            groups = [joined if at == i else g for at, g in enumerate(indicator.groups)]
            change = f"groups: [{{by: {group.by}, join: {{{name}: [{', '.join(sorted(rare))}]}}}}]"
            words = f"{len(rare)} rare groups of {group.by} told together"
            yield words, change, indicator.model_copy(update={"groups": groups})


def _to_declare(merged: Places) -> str:
    floor = merged.id.rpartition("_")[2]
    return f"in city.yaml merged: {{joined: {{residents: {floor}, title: ...}}}}; coarsen: {merged.base}.joined"


def _merged(walk: Walk, geography: str) -> Iterator[Places]:
    """A geography joined with its neighbors, as coarse as each floor makes it; those that change nothing left out."""
    if geography not in walk.city.file.places or walk.city.file.places[geography].merged:
        return
    whole, node = walk.places(geography), walk.city.node.at("places", geography)
    areas = len(whole.names)
    for floor in _FLOORS:
        try:
            made = locate.merged_places(f"{geography}.joined_{floor}", whole, Merged(residents=floor, title=""), node)
        except Refused:
            return  # areas without boundaries or residents cannot be joined
        if 1 < len(made.names) < areas:
            areas = len(made.names)
            yield made


def _can_be_counted(walk: Walk, indicator: Indicator, merged: Mapping[str, Places]) -> bool:
    """Whether a rate still has residents to be divided by."""
    if not indicator.needs_people:
        return True
    people = [(merged.get(g) or walk.places(g)).people for g in indicator.places]
    return any(people) or any(g.people for g in indicator.groups)


def _option(
    walk: Walk, words: str, change: str, tallied: Tallied, hiding: Hiding, merged: Mapping[str, Places]
) -> Option:
    told, scored = loss(tallied.table, hiding), risk.of_measure(walk, tallied, hiding, merged)
    return Option(
        words, change, told.cells, told.shown, told.events_share, _comparisons(tallied, hiding),
        scored.points if scored else None,
        is_enough=bool(told.cells) and told.hidden_share <= walk.city.file.thresholds.hidden_share,
        is_low=scored is None or scored.is_low,
    )  # fmt: skip


def _comparisons(tallied: Tallied, hiding: Hiding) -> int:
    """Shown groups whose reference is shown too, and shown places beside a shown number of the city."""
    indicator = tallied.indicator
    if indicator.is_count:
        return 0
    hidden = hiding.primary | hiding.secondary
    cells = [c for own in risk.breakdowns(tallied).values() for c in own if c not in hidden]
    shown = {measure.released_as(c) for c in cells}
    held = {c: _against(c, indicator.group(c.dimension)) for c in cells if c.place not in (INSIDE, OUTSIDE, NOWHERE)}
    return sum(other is not None and other != c and other in shown for c, other in held.items())


def _against(cell: Cell, group: Group | None) -> Cell | None:
    if cell.dimension == ALL:
        return Cell(cell.period) if cell.geography != ALL else None
    if group is None or group.reference is None:
        return None
    return Cell(cell.period) if group.reference == EVERYBODY else replace(cell, group=group.reference)


def of_table(walk: Walk, name: str, declared: TableFile, asked: Tabulated, hiding: Hiding) -> Iterator[Option]:
    """The table as it is asked, then with one level or one dimension less, each protected by itself."""
    yield _totals_option(walk, name, declared, asked, hiding, "as it is asked", "")
    found = []
    for words, by in _fewer(declared.dimensions):
        fewer = declared.model_copy(update={"by": by})
        try:
            tabulated = tabulation.tabulate(walk, name, fewer)
        except Refused:
            continue
        alone, change = guard.hide([tabulated.table])[name], f"by: {by} in product.yaml".replace("'", "")
        found.append(_totals_option(walk, name, fewer, tabulated, alone, words, change))
    yield from sorted(found, key=_losing)


def _fewer(dimensions: Sequence[Sequence[str]]) -> Iterator[tuple[str, list[list[str]]]]:
    for at, names in enumerate(dimensions):
        others = [list(d) for d in dimensions]
        if len(names) > 1:
            yield f"without {names[-1]}", [*others[:at], list(names[:-1]), *others[at + 1 :]]
        if len(dimensions) > 1:
            yield f"without {' and '.join(names)}", [*others[:at], *others[at + 1 :]]


def _totals_option(
    walk: Walk, name: str, declared: TableFile, found: Tabulated, hiding: Hiding, words: str, change: str
) -> Option:
    told = loss(found.table, hiding)
    scored = risk.of_table(walk, name, declared, found, told.smallest)
    return Option(
        words, change, told.cells, told.shown, told.events_share, 0, scored.points if scored else None,
        is_enough=bool(told.cells) and told.hidden_share <= walk.city.file.thresholds.hidden_share,
        is_low=scored is None or scored.is_low,
    )  # fmt: skip


def of_rows(walk: Walk, name: str, as_asked: int) -> Iterator[Option]:
    """Rows without one of the columns that tell of people, those that keep most columns first."""
    contract, techniques, kept = walk.contracts[name], walk.techniques[name], walk.version(name)
    found = []
    for technique in techniques:
        if guard.leaving(contract, techniques).get(technique.column) in (None, "public"):
            continue
        fewer = [t for t in techniques if t.column != technique.column]
        try:
            guarded = flow.guarded_rows(walk, kept, fewer)
        except Refused:
            continue
        scored, left = risk.of_rows(walk, contract, fewer, guarded), len(guarded.rows.columns)
        found.append(
            Option(
                f"without {technique.column}", f"take {technique.column} out of guard: in product.yaml",
                max(as_asked, left + 1), left, 1.0, 0, scored.points if scored else None,
                is_enough=True, is_low=scored is None or scored.is_low,
            )
        )  # fmt: skip
    yield from sorted(found, key=_losing)
