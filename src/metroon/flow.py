"""READ FIRST: the way of a row from its source to a version, and of versions to released numbers.

``walk_rows`` and ``walk_numbers`` are the street. Each step takes values and gives values; what a room needs from a
later one is handed in here, so that nothing turns back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metroon import conform, guard, lake, locate, measure, report
from metroon.base import estimate as estimating
from metroon.base.account import Account, Measured, Run
from metroon.base.errors import Problem, Refused
from metroon.base.running import running
from metroon.collect import Reading
from metroon.guard import CellTable, Guarded, Hiding, Protecting
from metroon.measure import Asking
from metroon.walk import coarsened_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from metroon.base.places import Places
    from metroon.city import Contract, Product
    from metroon.lake import Open, Restricted, Version
    from metroon.measure import Cube, Indicator, Tallied
    from metroon.walk import Walk


def walk_rows(walk: Walk, product: Product) -> Account:
    """Source to version: collect, conform, keep in the restricted zone; guard, publish what may leave."""
    began, name = time.monotonic(), product.name
    kept, is_new = _keep(walk, product)
    if not is_new and not _waits(walk, name, kept):
        return report.unchanged(walk, name, kept)
    walk.told("guard", name)
    published, notes, problems = _publish(walk, product, walk.contracts[name], kept)
    account = report.account(walk, name, kept)
    return replace(
        account,
        outcome="published" if published else "kept",
        notes=(*account.notes, *notes),
        problems=(*account.problems, *problems),
        seconds=time.monotonic() - began,
    )


def _keep(walk: Walk, product: Product) -> tuple[Version[Restricted], bool]:
    name, key = product.name, walk.product_key(product.name)
    before = walk.lake.restricted(name)
    if before is not None and before.evidence["key"] == key:
        return before, False
    walk.told("collect", name)
    contract = walk.contracts[name]
    inputs = {n: walk.lake.read(walk.version(n)) for n in sorted(walk.upstream(name))}
    raw = walk.sources[name].read(Reading(walk.engine, contract, walk.city.data, product.folder, inputs))
    walk.told("conform", name)
    zone = walk.city.file.time_zone
    checked = conform.check(walk.engine, raw, contract, inputs=inputs, as_of=walk.as_of, time_zone=zone)
    told = report.evidence(checked, raw, walk.numbers(inputs))
    told["contract_sha256"] = lake.text_sha256(product.folder / "contract.yaml")
    kept = walk.lake.save(checked, walk.evidence(key, told))
    walk.store.judged(name, kept.number, datetime.now(UTC), checked.verdicts)
    return kept, True


def _waits(walk: Walk, name: str, kept: Version[Restricted]) -> bool:
    # Kept but not yet published: a run was cut off in between, or the guard refused and may now agree.
    published = walk.lake.open(name)
    is_behind = published is None or published.evidence["key"] != kept.evidence["key"]
    return is_behind and walk.contracts[name].mode == "rows" and not guard.gate(walk.contracts[name])


def _publish(
    walk: Walk, product: Product, contract: Contract, kept: Version[Restricted]
) -> tuple[Version[Open] | None, tuple[str, ...], tuple[Problem, ...]]:
    try:
        if problems := guard.gate(contract):
            raise Refused(problems)
        if contract.mode == "aggregate":
            return None, ("rows are not published: only measures made of them leave",), ()
        techniques = walk.techniques[product.name]
        places = {g: walk.places(g) for g in coarsened_to(walk.city, techniques)}
        given = Protecting(walk.engine, contract, places, walk.secrets(product.name))
        floor = walk.minimum_cell(contract)
        guarded = guard.protect(walk.lake.read(kept), contract, techniques, given, minimum_cell=floor)
        return walk.lake.publish(guarded, report.open_evidence(walk, kept)), guarded.notes, ()
    except Refused as refused:
        return None, (), refused.problems


@dataclass(frozen=True)
class Numbers:
    """One measure, counted and estimated, before the guard.

    Args:
        tallied: Every cell, with the sums that tie the cells.
        measured: The estimates, with the words that must stand beside them.
        indicator: The measure.
        cube: The finest cells that it was counted from.
    """

    tallied: Tallied
    measured: Measured
    indicator: Indicator
    cube: Cube


def walk_numbers(walk: Walk, names: Sequence[str]) -> tuple[dict[str, Numbers], list[Measured]]:
    """Versions to estimates of measures released together: locate, count once, tally, estimate. Nothing is released.

    Returns:
        Measure -> its numbers, and the measures that cannot be counted.
    """
    made: dict[str, Numbers] = {}
    failed: list[Measured] = []
    asked: dict[str, Asking] = {}
    sound = [n for n in names if not walk.measure_faults(n)]
    for name in names:
        try:
            asked[name] = _asking(walk, name, [walk.indicators[n] for n in sound if n != name])
        except Refused as refused:
            failed.append(report.failed_measure(walk, name, refused.problems))
    for group in walk.cubes(asked):
        for name, found in _counted(walk, {n: asked[n] for n in group}).items():
            if isinstance(found, Numbers):
                made[name] = found
            else:
                failed.append(report.failed_measure(walk, name, found))
    return {n: made[n] for n in names if n in made}, failed


def _asking(walk: Walk, name: str, beside: Sequence[Indicator]) -> Asking:
    if problems := walk.measure_faults(name):
        raise Refused(problems)
    indicator = walk.indicators[name]
    contract = walk.contracts[indicator.of]
    last = walk.lake.open(name)
    before = last.evidence.get("declared", {}).get("target") if last else None
    changed = measure.target_faults(indicator, walk.city.measures[name].node, before)
    if problems := [*guard.gate(contract), *changed]:
        raise Refused(problems)
    own = [g for g in map(walk.places, indicator.places) if measure.can_break_down(indicator, contract, g)]
    every = [*own, *_tied_places(walk, own, beside, contract)]
    homes = walk.homes(indicator)
    mapped = {g.id: g for g in [*every, *(walk.places(h) for h in homes.values())]}
    return Asking(
        name, indicator, contract, every, walk.overlaps(list(mapped.values())), walk.minimum_cell(contract), walk.as_of,
        measure.longer_grains(indicator.period, [i.period for i in beside]), walk.people(indicator), homes,
    )  # fmt: skip


def _counted(walk: Walk, asked: Mapping[str, Asking]) -> dict[str, Numbers | tuple[Problem, ...]]:
    """One pass over the rows for some measures; where it cannot be run, each is tried alone to find the fault."""
    try:
        cube = _cube(walk, asked)
        return {name: _numbers(walk, cube, asking) for name, asking in asked.items()}
    except Refused as refused:
        if len(asked) == 1:
            return dict.fromkeys(asked, refused.problems)
    found: dict[str, Numbers | tuple[Problem, ...]] = {}
    for name, asking in asked.items():
        found |= _counted(walk, {name: asking})
    return found


def _cube(walk: Walk, asked: Mapping[str, Asking]) -> Cube:
    walk.told("locate", ", ".join(asked))
    first = next(iter(asked.values()))
    contract, version = first.contract, walk.version(first.contract.name)
    every = {g.id: g for asking in asked.values() for g in asking.geographies}
    rows = locate.assign(
        walk.engine, walk.lake.read(version), contract, every.values(), cache=walk.cache, version=version.source,
        counter=walk.counter, counted=walk.rows(version),
    )  # fmt: skip
    walk.told("measure", ", ".join(asked))
    return measure.cube(walk.counter, rows, {n: a.indicator for n, a in asked.items()}, contract)


def _numbers(walk: Walk, cube: Cube, asking: Asking) -> Numbers:
    if asking.indicator.period and asking.indicator.period.grain == "finest":
        limit = walk.city.file.thresholds.hidden_share
        asking = replace(asking, indicator=measure.finest_grains(cube, asking, guard.hide, hidden_share=limit))
    indicator, name = asking.indicator, asking.name
    tallied = measure.tally(cube, asking)
    if problems := list(measure.count_faults(tallied, walk.city.measures[name].node)):
        raise Refused(problems)
    asked = {g: walk.places(g) for g in indicator.places}
    headline = tallied.periods[-1] if tallied.periods else estimating.ALL
    told = measure.unanswerable(indicator, asking.contract, asked, headline, asking.people)
    estimates = (*measure.estimates(tallied), *measure.late(tallied, walk.as_of), *told)
    measured = report.measured(walk, name, indicator, asked, headline, outcome="released")
    notes = report.notes(tallied, asked)
    told_of = replace(measured, estimates=estimates, notes=notes, headlines=tallied.headlines or (headline,))
    return Numbers(tallied, told_of, indicator, cube)


def _tied_places(walk: Walk, own: Sequence[Places], beside: Sequence[Indicator], contract: Contract) -> list[Places]:
    # What measures released together show of larger areas that these ones make up is counted too, though not shown:
    # a district less all its neighborhoods but one gives that one away.
    others = {g: walk.places(g) for i in beside for g in i.places if g not in {o.id for o in own}}
    return [
        g
        for g in others.values()
        if locate.can_place(contract, g)
        and any(g.base == o.id or (len(g.names) < len(o.names) and _are_nested(walk, o, g)) for o in own)
    ]


def _are_nested(walk: Walk, small: Places, large: Places) -> bool:
    return measure.is_nested(walk.overlaps([small, large])[small.id, large.id])


Protected = dict[str, "tuple[Numbers, Hiding, Guarded]"]


def protect_numbers(walk: Walk, names: Iterable[str]) -> tuple[Protected, list[Measured]]:
    """Measures of the same people, protected together: what one hides another must not show."""
    made, failed = walk_numbers(walk, list(names))
    walk.told("guard", ", ".join(made))
    are_people = any(n.tallied.contract.unit != "none" for n in made.values())
    tables = {t.measure: t for t in _tables(walk, made.values())} if are_people else {}
    stocks = [n.indicator for n in made.values() if n.indicator.accumulates]
    flow_of = {n: measure.flow_counted(made[n].indicator, stocks) for n in tables}
    found = guard.hide([measure.as_flow(t, flow_of[n]) for n, t in tables.items()]) if tables else {}
    hidings = {n: measure.as_plain(h, flow_of[n]) for n, h in found.items()}
    nothing = Hiding(frozenset(), frozenset())
    told = {name: (n, hidings.get(name, nothing)) for name, n in made.items()}
    return {name: (n, hiding, _guarded(walk, name, n, hiding)) for name, (n, hiding) in told.items()}, failed


def _tables(walk: Walk, made: Iterable[Numbers]) -> Iterator[CellTable]:
    by_product: dict[str, list[tuple[Indicator, CellTable]]] = {}
    for numbers in made:
        by_product.setdefault(numbers.indicator.of, []).append((numbers.indicator, numbers.tallied.table))
    for product, measures in by_product.items():
        yield from measure.with_differences(walk.counter, walk.rows(walk.version(product)), measures)


def _guarded(walk: Walk, name: str, numbers: Numbers, hiding: Hiding) -> Guarded:
    geographies = {g.id: g for g in numbers.measured.geographies}
    hidden = frozenset(measure.released_as(c) for c in hiding.primary | hiding.secondary)
    floor = numbers.tallied.minimum_cell
    return guard.release(walk.engine, name, numbers.measured.estimates, hidden, geographies, minimum_cell=floor)


def release(walk: Walk, names: Iterable[str]) -> list[Measured]:
    """Protected estimates to releases, each kept as a version with its evidence."""
    protected, failed = protect_numbers(walk, names)
    released = []
    for name, (numbers, hiding, guarded) in protected.items():
        try:
            released.append(_release(walk, name, numbers, guarded, _advice(walk, name, numbers, hiding)))
        except Refused as refused:
            failed.append(report.failed_measure(walk, name, refused.problems))
    return [*failed, *released]


def _release(walk: Walk, name: str, numbers: Numbers, guarded: Guarded, advice: str) -> Measured:
    digest, key, last = estimating.sha256(guarded.estimates), walk.measure_key(name), walk.lake.open(name)
    if last and (last.evidence["key"], last.evidence["release_sha256"]) == (key, digest):
        return report.shown(walk, name, last)  # another measure of the group had to be made again
    evidence = {
        "measure": name,
        "parents": walk.numbers(walk.needs(name)),
        "beside": walk.beside(name),
        "declaration_sha256": lake.text_sha256(walk.city.folder / "measures" / f"{name}.yaml"),
        "release_sha256": digest,
        "headline": numbers.measured.headline,
        "headlines": list(numbers.measured.headlines),
        "notes": list(numbers.measured.notes),
        "advice": advice,
        "declared": walk.city.measures[name].node.value,
        "geographies": {g.id: g.label for g in numbers.measured.geographies},
        "boundaries": {
            g.id: {"title": g.title, "vintage": g.vintage, "official": g.official} for g in numbers.measured.geographies
        },
        "series": report.series(walk, numbers.indicator, last),
    }
    version = walk.lake.publish(guarded, walk.evidence(key, evidence))
    told = replace(numbers.measured, version=version.number, sha256=digest, advice=advice)
    return report.with_hidden(told, guarded.estimates)


def _advice(walk: Walk, name: str, numbers: Numbers, hiding: Hiding) -> str:
    limit = walk.city.file.thresholds.hidden_share
    if not hiding.primary | hiding.secondary:
        return ""
    share = guard.hidden_share(numbers.tallied.table, hiding)
    if share <= limit:
        return ""
    begin = f"{share:.0%} of the cells that count anything had to be hidden, more than {limit:.0%}."
    bands = {g: [f"{g}.{b}" for b in declared.bands] for g, declared in walk.city.file.places.items()}
    for words, coarser in measure.poolings(numbers.indicator, bands):
        tallied = measure.tally(numbers.cube, _asking_alone(walk, name, coarser))
        hidden = guard.hidden_share(tallied.table, guard.hide([tallied.table])[name])
        if tallied.periods and hidden <= limit:
            return f"{begin} In measures/{name}.yaml, {words} would leave at most {limit:.0%} hidden."
    return f"{begin} Neither longer periods nor fewer breakdowns get below that; count a larger group."


def _asking_alone(walk: Walk, name: str, indicator: Indicator) -> Asking:
    contract = walk.contracts[indicator.of]
    own = [g for g in map(walk.places, indicator.places) if measure.can_break_down(indicator, contract, g)]
    bases = [walk.places(g.base) for g in own if g.base and g.base not in indicator.places]
    every = [*own, *bases]
    floor, homes = walk.minimum_cell(contract), walk.homes(indicator)
    mapped = {g.id: g for g in [*every, *(walk.places(h) for h in homes.values())]}
    ground = walk.overlaps(list(mapped.values()))
    people = walk.people(indicator)
    return Asking(name, indicator, contract, every, ground, floor, walk.as_of, people=people, homes=homes)


def run(walk: Walk, names: Sequence[str] = ()) -> Run:
    """The main job: products in the order of what they are made of, then measures. A failure stops only itself."""
    with running(walk.lake.folder.parent):
        return _run(walk, names)


def _run(walk: Walk, names: Sequence[str]) -> Run:
    began, started = time.monotonic(), datetime.now(UTC)
    wanted, asked = walk.wanted(names)
    walk.lake.sweep()
    accounts: dict[str, Account] = {}
    for name in walk.order:
        if name in wanted:
            accounts[name] = _try_rows(walk, name, accounts)
    groups = sorted({tuple(walk.together(n)) for n in asked})
    measured = sorted((m for group in groups for m in _measures(walk, group)), key=lambda m: m.measure)
    told = [report.with_places(walk, a) for a in accounts.values()]
    failed = sum(a.outcome == "failed" for a in told) + sum(m.outcome == "failed" for m in measured)
    seconds = time.monotonic() - began
    walk.store.walked(walk.as_of, {a.product: report.day(a) for a in told})
    walk.store.ran(started, walk.as_of.isoformat(), seconds, len(told), failed)
    file, steps = walk.city.file, report.next_steps(walk, told, measured)
    return Run(file.name, file.invented, walk.as_of, tuple(told), tuple(measured), steps, seconds)


def measures(walk: Walk, names: Sequence[str] = ()) -> list[Measured]:
    """Count some measures, all of them unless named, from the versions that are kept: no file is read.

    Measures of the same people are released together, so more may be counted than are named.
    """
    for name in names:
        if name not in walk.indicators:
            walk.wanted([name])
            fix = f"Name a measure: {', '.join(walk.indicators)}."
            raise Refused([Problem(walk.city.node.file, 0, "F104", f"'{name}' is a product, no measure.", fix)])
    groups = sorted({tuple(walk.together(n)) for n in names or walk.indicators})
    with running(walk.lake.folder.parent):
        return sorted((m for group in groups for m in _measures(walk, group)), key=lambda m: m.measure)


def _try_rows(walk: Walk, name: str, done: Mapping[str, Account]) -> Account:
    try:
        lost = sorted(n for n in walk.upstream(name) if n in done and done[n].version is None)
        if lost:
            at, fix = walk.city.products[name].collect.file, f"Put {lost[0]} right first."
            raise Refused([Problem(at, 1, "F102", f"{name} is made of {lost[0]}, which has no version.", fix)])
        if problems := walk.product_faults(name):
            raise Refused(problems)
        return walk_rows(walk, walk.city.products[name])
    except Refused as refused:
        return report.failed(walk, name, refused.problems)


def _measures(walk: Walk, group: Sequence[str]) -> list[Measured]:
    try:
        known = {n: walk.lake.open(n) for n in group}
        keys = {n: walk.measure_key(n) for n in group}
    except Refused:
        return release(walk, group)
    if all(v is not None and v.evidence["key"] == keys[n] for n, v in known.items()):
        return [report.shown(walk, n, v) for n, v in known.items() if v is not None]
    return release(walk, group)
