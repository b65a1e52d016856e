"""READ FIRST: the way of a row from its source to a version, and of versions to released numbers.

``walk_rows`` and ``walk_numbers`` are the street. Each step takes values and gives values; what a room needs from a
later one is handed in here, so that nothing turns back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from metroon import conform, erasing, guard, lake, locate, measure, record, report, tabulation, waiting, withdrawal
from metroon.base import estimate as estimating
from metroon.base.account import Account, Measured, Run, Tabled
from metroon.base.errors import Problem, Refused, cannot
from metroon.base.running import running
from metroon.collect import Reading
from metroon.guard import Guarded, Hiding, Protecting, Published
from metroon.measure import Asking
from metroon.walk import coarsened_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

    from metroon.base.engine import Relation
    from metroon.base.places import Places
    from metroon.city import Contract, Product
    from metroon.collect import Raw
    from metroon.conform import Checked
    from metroon.guard import Difference, Technique
    from metroon.guard.system import Proof
    from metroon.lake import Open, Restricted, Version
    from metroon.measure import Cube, Indicator, Tallied
    from metroon.tabulation import Tabulated
    from metroon.walk import Walk


def walk_rows(walk: Walk, product: Product) -> Account:
    """Source to version: collect, conform, keep in the restricted zone; guard, publish what may leave."""
    began, name = time.monotonic(), product.name
    kept, is_new = _keep(walk, product)
    walk.drop_landed(name)
    if not is_new and not _waits(walk, name, kept):
        return report.unchanged(walk, name, kept)
    walk.told("guard", name)
    published, notes, problems = _publish(walk, product, walk.contracts[name], kept)
    account = report.account(walk, name, kept)
    return replace(
        account,
        outcome="published" if published else "kept",
        notes=(*account.notes, *notes),
        problems=(*account.problems, *problems, *withdrawal.told(walk, name)),
        seconds=time.monotonic() - began,
    )


def _keep(walk: Walk, product: Product) -> tuple[Version[Restricted], bool]:
    name = product.name
    walk.fetch(name)
    key, before = walk.product_key(name), walk.lake.restricted(name)
    if before is not None and before.evidence["key"] == key:
        return before, False
    walk.told("collect", name)
    contract = walk.contracts[name]
    inputs = {n: walk.lake.read(walk.version(n)) for n in sorted(walk.upstream(name))}
    past = conform.Past.read(before.evidence if before else {})
    headers = walk.new_headers(name, past.profiles)
    walk.store.drifted(name, None, datetime.now(UTC), conform.drifted_columns(contract, headers, past))
    checked, raw = _checked(walk, product, inputs)
    watched = conform.watch(walk.engine, checked, headers, past)
    told = report.evidence(checked, raw, walk.numbers(inputs))
    told |= report.watched(watched, product.contract, before.evidence.get("contract") if before else None)
    told["contract_sha256"] = lake.text_sha256(product.folder / "contract.yaml")
    kept = walk.lake.save(checked, walk.evidence(key, told))
    walk.store.judged(name, kept.number, datetime.now(UTC), checked.verdicts)
    walk.store.drifted(name, kept.number, datetime.now(UTC), watched.drifts)
    return kept, True


def _checked(walk: Walk, product: Product, inputs: Mapping[str, Relation]) -> tuple[Checked, Raw]:
    """What became of every record; only new deliveries are read, where that gives what reading all of them gives."""
    name, contract, source = product.name, walk.contracts[product.name], walk.sources[product.name]
    before, may_claim, extent = walk.before(name), True, walk.extent()
    while True:
        known = walk.known_deliveries(name, before)
        reading = Reading(walk.engine, contract, walk.data(name), product.folder, inputs, extent)
        raw = source.read(replace(reading, known=known, hashed=walk.file_sha256, may_claim=may_claim))
        walk.told("conform", name)
        try:
            checked = conform.check(
                walk.engine, raw, contract, inputs=inputs, as_of=walk.as_of, time_zone=walk.city.file.time_zone,
                extent=extent, folder=walk.scratch, before=before, is_last_kept=source.revises,
            )  # fmt: skip
            return walk.with_keys(name, walk.without_destroyed(checked)), raw
        except conform.Unproven:
            may_claim = False
        except conform.Entangled:
            before = None


def _waits(walk: Walk, name: str, kept: Version[Restricted]) -> bool:
    # Kept but not yet published: a run was cut off in between, or the guard refused and may now agree.
    published = walk.lake.open(name)
    is_behind = published is None or published.evidence["key"] != kept.evidence["key"]
    return is_behind and walk.contracts[name].mode == "rows" and not walk.gate(name)


def _publish(
    walk: Walk, product: Product, contract: Contract, kept: Version[Restricted]
) -> tuple[Version[Open] | None, tuple[str, ...], tuple[Problem, ...]]:
    try:
        if problems := walk.gate(product.name):
            raise Refused(problems)
        if contract.mode == "aggregate":
            return None, ("rows are not published: only measures made of them leave",), ()
        if contract.mode == "table":
            return None, (), ()  # it leaves together with the measures of the same people
        guarded = guarded_rows(walk, kept)
        own = {"steps": dict(guarded.steps), "columns": list(guarded.rows.columns)}
        told = {**report.open_evidence(walk, kept), **own}
        entry = record.of_rows(walk, guarded, walk.techniques[product.name], str(kept.evidence["key"]))
        return record.Record(walk).publish(guarded, told, entry), guarded.notes, ()
    except Refused as refused:
        return None, (), refused.problems


def guarded_rows(walk: Walk, kept: Version[Restricted], techniques: Sequence[Technique] | None = None) -> Guarded:
    """The rows of a version as they may leave; nothing is published.

    Args:
        walk: The city.
        kept: The version.
        techniques: How columns are protected; as the product declares it unless given.

    Raises:
        Refused: They may not.
    """
    contract = walk.contracts[kept.name]
    techniques = walk.techniques[kept.name] if techniques is None else techniques
    if found := list(guard.identifying(walk.engine, walk.lake.read(kept), contract, techniques)):
        raise Refused(found)
    places = {g: walk.places(g) for g in coarsened_to(walk.city, techniques)}
    last = walk.lake.open(kept.name)
    before = last.evidence.get("steps", {}) if last else {}
    parts = {n: walk.engine.parquet(files) for n, files in walk.parts(kept).items()}
    points = {g: partial(locate.points, walk.engine, parts, contract, p, cache=walk.cache) for g, p in places.items()}
    given = Protecting(walk.engine, contract, places, walk.secrets(kept.name), walk.as_of, before, points=points)
    named = _named_as_protected(walk, kept.name, parts, techniques, given)
    floor = walk.minimum_cell(contract)
    return guard.protect(walk.lake.read(kept), contract, techniques, given, minimum_cell=floor, parts=named)


def _named_as_protected(
    walk: Walk, name: str, parts: Mapping[str, Relation], techniques: Sequence[Technique], given: Protecting
) -> dict[str, Relation]:
    """Parts of a product under names that stand for all that decides what becomes of their rows."""
    folder = walk.city.products[name].folder
    told = {
        "product": lake.text_sha256(folder / "contract.yaml", folder / "product.yaml"),
        "classes": [(c.name, c.classification) for c in given.contract.columns],
        "techniques": [[type(t).__name__, t.model_dump(mode="json"), t.today(walk.as_of)] for t in techniques],
        "boundaries": {g: locate.boundary_sha256(p) for g, p in given.places.items()},
        "keys": {p: lake.key({"key": k.hex()}) for p, k in given.keys.items()},
        "code": walk.code,
    }
    return {lake.key({"part": n, **told}): rows for n, rows in parts.items()}


@dataclass(frozen=True)
class Numbers:
    """One measure, counted and estimated, before the guard.

    Args:
        tallied: Every cell, with the sums that tie the cells.
        measured: The estimates, with the words that must stand beside them.
        indicator: The measure.
        steps: How it was made coarser than it was declared.
    """

    tallied: Tallied
    measured: Measured
    indicator: Indicator
    steps: tuple[str, ...] = ()


def walk_numbers(walk: Walk, names: Sequence[str]) -> tuple[dict[str, Numbers], list[Measured]]:
    """Versions to estimates of measures released together: locate, count once, tally, estimate. Nothing is released.

    Corrections that would tell this release from the last one by a few people wait, and are not counted yet.

    Returns:
        Measure -> its numbers, and the measures that cannot be counted.
    """
    made, failed, asked = _walked(walk, names)
    if changed := waiting.hold(walk, {n: (asked[n], m.tallied) for n, m in made.items()}):
        again, refused, _ = _walked(walk, names, changed)
        made = {n: again.get(n, m) for n, m in made.items() if n in again or m.indicator.of not in changed}
        failed = [*(m for m in failed if walk.indicators[m.measure].of not in changed), *refused]
    return {n: _with_waiting(walk, m) for n, m in made.items()}, failed


def _with_waiting(walk: Walk, numbers: Numbers) -> Numbers:
    if numbers.indicator.of not in walk.revised:
        return numbers
    note = waiting.NOTE.format(numbers.tallied.minimum_cell)
    return replace(numbers, measured=replace(numbers.measured, notes=(*numbers.measured.notes, note)))


def _walked(
    walk: Walk, names: Sequence[str], only: Set[str] | None = None
) -> tuple[dict[str, Numbers], list[Measured], Mapping[str, Asking]]:
    """Measures counted, those of some products only; what cannot be; and how each was asked."""
    made: dict[str, Numbers] = {}
    failed: list[Measured] = []
    asked: dict[str, Asking] = {}
    sound = [n for n in names if not walk.measure_faults(n)]
    for name in (n for n in names if only is None or walk.indicators[n].of in only):
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
    return {n: made[n] for n in names if n in made}, failed, asked


def _asking(walk: Walk, name: str, beside: Sequence[Indicator]) -> Asking:
    if problems := walk.measure_faults(name):
        raise Refused(problems)
    indicator = walk.indicators[name]
    last = walk.lake.open(name)
    before = last.evidence.get("declared", {}).get("target") if last else None
    changed = measure.target_faults(indicator, walk.city.measures[name].node, before)
    if problems := [*walk.gate(indicator.of), *changed]:
        raise Refused(problems)
    # A measure beside may be released coarser than it is declared: then its longer periods and larger areas count.
    known = [coarser for other in beside for _, coarser in measure.every_coarsening(other)]
    first, *coarser = [_asked(walk, name, i, known, steps) for steps, i in walk.coarsenings(name)]
    return replace(first, coarser=tuple(coarser))


def _asked(
    walk: Walk,
    name: str,
    indicator: Indicator,
    beside: Sequence[Indicator],
    steps: tuple[str, ...] = (),
    *,
    made: Mapping[str, Places] | None = None,
) -> Asking:
    contract = walk.contracts[indicator.of]
    asked = [(made or {}).get(g) or walk.places(g) for g in indicator.places]
    own = [g for g in asked if measure.can_break_down(indicator, contract, g)]
    every = [*own, *_tied_places(walk, own, beside, contract)]
    homes = walk.homes(indicator)
    mapped = {g.id: g for g in [*every, *(walk.places(h) for h in homes.values())]}
    return Asking(
        name, indicator, contract, every, walk.overlaps(list(mapped.values())), walk.minimum_cell(contract), walk.as_of,
        measure.longer_grains(indicator.period, [i.period for i in beside]), walk.people(indicator), homes, steps,
    )  # fmt: skip


def compared(
    walk: Walk, name: str, ways: Sequence[Indicator], places: Mapping[str, Places] | None = None
) -> list[Tallied]:
    """One measure, counted in several ways by one pass over the rows; each by itself, and nothing is released.

    Args:
        walk: The city.
        name: The measure.
        ways: The measure as it is asked, and in other ways that are no finer.
        places: Geographies that nobody has declared, by their ids.

    Raises:
        Refused: It cannot be counted.
    """
    asked = [_asked(walk, name, way, (), made=places or {}) for way in ways]
    cube = _cube(walk, {name: replace(asked[0], coarser=tuple(asked[1:]))})
    return [measure.tally(cube, one) for one in asked]


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
    every = {g.id: g for asking in asked.values() for one in (asking, *asking.coarser) for g in one.geographies}
    parts = walk.counted(version)

    def located(files: Mapping[str, Sequence[str]]) -> Relation:
        every_file = [f for listed in files.values() for f in listed]
        return locate.assign(
            walk.engine, walk.engine.parquet(every_file), contract, every.values(), cache=walk.cache,
            version="+".join(files), counter=walk.counter, counted=walk.counter.parquet(every_file),
            parts={n: walk.engine.parquet(f) for n, f in files.items()},
        )  # fmt: skip

    rows = located(parts)
    walk.told("measure", ", ".join(asked))
    counted = measure.Parts(
        tuple(parts), lambda n: located({n: parts[n]}), walk.cache, _counted_as(walk, asked, contract, every)
    )
    indicators = {n: a.indicator for n, a in asked.items()}
    # To make an old number again, or to look again, every row is counted again.
    kept = None if walk.pinned or walk.verify else counted
    return measure.cube(walk.counter, rows, indicators, contract, parts=kept)


def _counted_as(walk: Walk, asked: Mapping[str, Asking], contract: Contract, geographies: Mapping[str, Places]) -> str:
    """All that decides what is counted of a part, but for its rows."""
    folder = walk.city.folder
    return lake.key({
        "measures": {n: [type(a.indicator).__name__, a.indicator.model_dump(mode="json")] for n, a in asked.items()},
        "declared": lake.text_sha256(*(folder / "measures" / f"{n}.yaml" for n in asked)),
        "contract": lake.text_sha256(folder / "products" / contract.name / "contract.yaml"),
        "boundaries": {g: locate.boundary_sha256(p) for g, p in geographies.items()},
        "code": walk.code,
    })  # fmt: skip


def _numbers(walk: Walk, cube: Cube, asking: Asking) -> Numbers:
    limit = walk.city.file.thresholds.hidden_share
    if asking.indicator.period and asking.indicator.period.grain == "finest":
        last = walk.last_steps(asking.name)
        found = measure.finest_grains(
            cube, asking, guard.hide, hidden_share=limit, at_least=measure.grains_of(last)
        )  # fmt: skip
        asking = replace(asking, indicator=found, steps=(measure.chosen_grains(found),))
    asking = measure.coarse_enough(cube, [asking, *asking.coarser], guard.hide, hidden_share=limit)
    indicator, name = asking.indicator, asking.name
    tallied = measure.tally(cube, asking)
    if problems := list(measure.count_faults(tallied, walk.city.measures[name].node)):
        raise Refused(problems)
    asked = {g: walk.places(g) for g in indicator.places}
    headline = tallied.periods[-1] if tallied.periods else estimating.ALL
    told = measure.unanswerable(indicator, asking.contract, asked, headline, asking.people)
    estimates = (*measure.estimates(tallied), *measure.late(tallied, walk.as_of), *told)
    measured = report.measured(walk, name, indicator, asked, headline, outcome="released")
    notes = tuple(n for n in (*report.notes(tallied, asked), measure.words_of(asking.steps)) if n)
    told_of = replace(measured, estimates=estimates, notes=notes, headlines=tallied.headlines or (headline,))
    return Numbers(tallied, told_of, indicator, asking.steps)


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
    """Measures of the same people, protected together: what one hides another must not show, nor an earlier release."""
    known = list(names)
    (_, tables), *_ = walk.groups(known, ()) or [((), ())]
    found = _protected(walk, known, tables)
    return found.numbers, found.failed


def protect_table(walk: Walk, product: str) -> tuple[Tabulated, Hiding]:
    """A product's table with totals, protected together with the measures of the same people; nothing is released.

    Raises:
        Refused: It cannot be counted.
    """
    (names, tables), *_ = walk.groups((), [product])
    found = _protected(walk, names, tables)
    if product in found.refused:
        raise Refused(found.refused[product])
    return found.tables[product]


@dataclass(frozen=True)
class _Safe:
    """Measures and tables of the same people, protected together.

    Args:
        numbers: The measures.
        failed: Those that cannot be counted.
        proofs: Measure or table -> the proof that it is part of.
        tables: Product -> its table, and what to withhold of it.
        refused: Product -> why its table cannot be counted.
    """

    numbers: Protected = field(default_factory=dict)
    failed: list[Measured] = field(default_factory=list)
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    tables: Mapping[str, tuple[Tabulated, Hiding]] = field(default_factory=dict)
    refused: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)


def _protected(walk: Walk, names: Sequence[str], tabled: Sequence[str] = ()) -> _Safe:
    """All that is released together; measures that say what to give up do so until little enough is hidden."""
    while True:
        safe = _safe(walk, names, tabled)
        told = safe.numbers.items()
        behind = {n: len(m.steps) + 1 for n, (m, hiding, _) in told if _must_coarsen(walk, n, m, hiding)}
        if not behind:
            return safe
        walk.begun |= behind


def _must_coarsen(walk: Walk, name: str, numbers: Numbers, hiding: Hiding) -> bool:
    share = guard.hidden_share(numbers.tallied.table, hiding)
    can = bool(walk.indicators[name].coarsen) and numbers.steps != walk.coarsenings(name)[-1][0]
    return can and share > walk.city.file.thresholds.hidden_share


def _safe(walk: Walk, names: Sequence[str], tabled: Sequence[str]) -> _Safe:
    made, failed = walk_numbers(walk, names)
    totals, refused = tabulation.tabulated(walk, tabled)
    walk.told("guard", ", ".join([*made, *totals]))
    units = [*(n.tallied.contract.unit for n in made.values()), *(t.table.unit for t in totals.values())]
    if all(unit == "none" for unit in units):
        nothing = Hiding(frozenset(), frozenset())
        plain = {name: (n, nothing, _guarded(walk, name, n, nothing)) for name, n in made.items()}
        return _Safe(plain, failed, {}, {name: (t, nothing) for name, t in totals.items()}, refused)
    try:
        published = _published(walk, made, totals)
    except Refused as cannot:
        stopped = [*failed, *(report.failed_measure(walk, n, cannot.problems) for n in made)]
        return _Safe(failed=stopped, refused={**refused, **dict.fromkeys(totals, cannot.problems)})
    stocks = [n.indicator for n in made.values() if n.indicator.accumulates]
    flow_of = {n: measure.flow_counted(m.indicator, stocks) for n, m in made.items()}
    tables = [measure.as_flow(m.tallied.table, flow_of[n]) for n, m in made.items()]
    tables += [t.table for t in totals.values()]
    indicators = {n: (m.indicator, m.tallied.table) for n, m in made.items()}
    apart, sums = tabulation.ties(walk, totals, indicators)
    differences = [*_differences(walk, made), *apart]
    found = guard.withhold(tables, differences=differences, sums=sums, published=published)
    hidings = {n: measure.as_plain(found.hidings[n], flow_of[n]) for n in made}
    told = {name: (n, hidings[name], _guarded(walk, name, n, hidings[name])) for name, n in made.items()}
    return _Safe(told, failed, found.proofs, {n: (t, found.hidings[n]) for n, t in totals.items()}, refused)


def _published(walk: Walk, names: Iterable[str], tables: Iterable[str]) -> Published:
    """What was released of the people of some measures and tables before."""
    of = {n: walk.indicators[n].of for n in names} | {n: n for n in tables}
    editions = {n: record.next_edition(walk, n) for n in of}
    product = of[min(of)]
    known = record.earlier(walk, product) if walk.known is None else walk.known
    erased = {n: rows for n, counted in of.items() if (rows := _erased(walk, n, counted))}
    return Published(" ".join(walk.population(product)), known, editions, erased)


def _erased(walk: Walk, name: str, product: str) -> int:
    """How many rows that the last release of a measure or table counted are of people who were erased since."""
    told = walk.lake.history(name, "open")
    last = told[max(told)] if told else {}
    version = last.get("beside", {}).get(product, last.get("restricted_version"))
    return erasing.taken(walk, product, int(version)) if version is not None else 0


def _differences(walk: Walk, made: Mapping[str, Numbers]) -> Iterator[Difference]:
    by_product: dict[str, dict[str, Indicator]] = {}
    for name, numbers in made.items():
        by_product.setdefault(numbers.indicator.of, {})[name] = numbers.indicator
    for product, measures in by_product.items():
        yield from measure.differences(walk.counter, walk.rows(walk.version(product)), measures)


def _guarded(walk: Walk, name: str, numbers: Numbers, hiding: Hiding) -> Guarded:
    geographies = {g.id: g for g in numbers.measured.geographies}
    hidden = frozenset(measure.released_as(c) for c in hiding.primary | hiding.secondary)
    floor = numbers.tallied.minimum_cell
    return guard.release(walk.engine, name, numbers.measured.estimates, hidden, geographies, minimum_cell=floor)


Released = tuple[list[Measured], list[Tabled]]


def release(walk: Walk, names: Iterable[str], tables: Sequence[str] = ()) -> Released:
    """Protected estimates and tables to releases, each kept as a version with its evidence."""
    safe = _protected(walk, list(names), tables)
    protected, failed, proofs = safe.numbers, safe.failed, safe.proofs
    coarsened = {n: list(m.steps) for n, (m, _, _) in protected.items() if m.steps or walk.indicators[n].coarsen}
    out = record.Record(walk, proofs)
    released = []
    for name, (numbers, hiding, guarded) in protected.items():
        share = guard.hidden_share(numbers.tallied.table, hiding)
        try:
            told = {"hidden_share": share, "coarsened": coarsened}
            released.append(_release(walk, name, numbers, guarded, told, out))
        except Refused as refused:
            failed.append(report.failed_measure(walk, name, refused.problems))
    told_of = [report.failed_table(walk, n, problems) for n, problems in safe.refused.items()]
    told_of += [_release_table(walk, table, hiding, out) for table, hiding in safe.tables.values()]
    return [*failed, *released], told_of


def _release_table(walk: Walk, found: Tabulated, hiding: Hiding, out: record.Record) -> Tabled:
    name, last = found.name, walk.lake.open(found.name)
    try:
        guarded = found.guarded(walk, hiding)
        digest, key = tabulation.sha256(walk, guarded), walk.table_key(name)
        if last is not None and (last.evidence["key"], last.evidence.get("release_sha256")) == (key, digest):
            return report.tabled(walk, name, last)
        entry = record.of_table(walk, name, found.published, found.hidden(hiding), sha256=digest)
        version = out.publish(guarded, walk.evidence(key, found.evidence(walk, hiding, digest)), entry)
        return replace(report.tabled(walk, name, version), is_new=True)
    except Refused as refused:
        return report.failed_table(walk, name, refused.problems)


def _release(
    walk: Walk, name: str, numbers: Numbers, guarded: Guarded, told: Mapping[str, Any], out: record.Record
) -> Measured:
    digest, key, last = estimating.sha256(guarded.estimates), walk.measure_key(name), walk.lake.open(name)
    if last and (last.evidence["key"], last.evidence["release_sha256"]) == (key, digest):
        return report.shown(walk, name, last)  # another measure of the group had to be made again
    evidence = {
        "measure": name,
        "protocol": walk.kept_protocol(numbers.indicator.of),
        "parents": walk.numbers(walk.needs(name)),
        "beside": walk.beside(name),
        "waiting": {p: sha256 for p, (_, sha256) in walk.revised.items()},
        "declaration_sha256": lake.text_sha256(walk.city.folder / "measures" / f"{name}.yaml"),
        "release_sha256": digest,
        "headline": numbers.measured.headline,
        "headlines": list(numbers.measured.headlines),
        "notes": list(numbers.measured.notes),
        **told,
        "declared": walk.city.measures[name].node.value,
        "geographies": {g.id: g.label for g in numbers.measured.geographies},
        "boundaries": {
            g.id: {"title": g.title, "vintage": g.vintage, "official": g.official} for g in numbers.measured.geographies
        },
        "series": report.series(walk, numbers.indicator, last),
    }
    entry = record.of_measure(
        walk, name, numbers.indicator, guarded.estimates, sha256=digest, minimum=numbers.tallied.minimum_cell
    )
    waiting.keep(walk)
    version = out.publish(guarded, walk.evidence(key, evidence), entry)
    advice = report.advice(walk, name, told["hidden_share"])
    made = replace(numbers.measured, version=version.number, sha256=digest, advice=advice)
    return report.with_hidden(made, guarded.estimates)


def run(walk: Walk, names: Sequence[str] = ()) -> Run:
    """The main job: products in the order of what they are made of, then measures. A failure stops only itself."""
    done = (*lake.upkeep(walk.lake), *erasing.finish(walk))
    with running(walk.lake.folder.parent):
        return _run(walk, names, done)


def _run(walk: Walk, names: Sequence[str], done: tuple[str, ...]) -> Run:
    began, started = time.monotonic(), datetime.now(UTC)
    wanted, asked = walk.wanted(names)
    accounts: dict[str, Account] = {}
    for name in walk.order:
        if name in wanted:
            accounts[name] = _try_rows(walk, name, accounts)
    released = [_released(walk, *group) for group in walk.groups(asked, wanted)]
    measured = sorted((m for found, _ in released for m in found), key=lambda m: m.measure)
    for told_of in (t for _, tables in released for t in tables if t.product in accounts):
        accounts[told_of.product] = report.with_table(accounts[told_of.product], told_of)
    told = [report.with_places(walk, a) for a in accounts.values()]
    failed = sum(a.outcome == "failed" for a in told) + sum(m.outcome == "failed" for m in measured)
    seconds = time.monotonic() - began
    walk.store.walked(walk.as_of, {a.product: report.day(a) for a in told})
    walk.store.ran(started, walk.as_of.isoformat(), seconds, len(told), failed)
    steps = (*report.next_steps(walk, told, measured), *waiting.told(walk, asked))
    file = walk.city.file
    return Run(file.name, file.invented, walk.as_of, tuple(told), tuple(measured), steps, seconds, done)


def measures(walk: Walk, names: Sequence[str] = ()) -> list[Measured]:
    """Count some measures, all of them unless named, from the versions that are kept: no file is read.

    Measures of the same people are released together, so more may be counted than are named.
    """
    for name in names:
        if name not in walk.indicators:
            walk.wanted([name])
            fix = f"Name a measure: {', '.join(walk.indicators)}."
            raise Refused([Problem(walk.city.node.file, 0, "F104", f"'{name}' is a product, no measure.", fix)])
    with running(walk.lake.folder.parent):
        released = [_released(walk, *group)[0] for group in walk.groups(names or walk.indicators, ())]
        return sorted((m for found in released for m in found), key=lambda m: m.measure)


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
    except OSError as error:
        return report.failed(walk, name, (cannot(error),))


def _released(walk: Walk, group: Sequence[str], tables: Sequence[str]) -> Released:
    try:
        return _now_released(walk, group, tables)
    except OSError as error:
        told = (cannot(error),)
        lost = [report.failed_table(walk, n, told) for n in tables]
        return [report.failed_measure(walk, n, told) for n in group], lost


def _now_released(walk: Walk, group: Sequence[str], tables: Sequence[str]) -> Released:
    try:
        known = {n: walk.lake.open(n) for n in (*group, *tables)}
        keys = {n: walk.measure_key(n) for n in group} | {n: walk.table_key(n) for n in tables}
    except Refused:
        return release(walk, group, tables)
    if all(v is not None and v.evidence["key"] == keys[n] for n, v in known.items()):
        shown = {n: v for n, v in known.items() if v is not None}
        return [report.shown(walk, n, shown[n]) for n in group], [report.tabled(walk, n, shown[n]) for n in tables]
    return release(walk, group, tables)
