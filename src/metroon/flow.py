"""READ FIRST: the way of a row from its source to a version, and of versions to released numbers.

The only module, with ``cli``, that joins rooms. Each step takes values and gives values; what a room needs from
a later one is handed in here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timezone
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from typing import TYPE_CHECKING, Any

import metroon
from metroon import conform, guard, lake, locate, measure
from metroon.base import estimate as estimating
from metroon.base.account import Account, Delivery, Measured, Run, Verdict
from metroon.base.engine import Engine
from metroon.base.errors import Problem, Refused
from metroon.base.kinds import build
from metroon.base.store import Store
from metroon.collect import Reading, Source, sha256
from metroon.guard import Protecting, Technique
from metroon.lake import Lake, Open, Restricted, Version
from metroon.measure import Indicator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from metroon.base.places import Places
    from metroon.city import City, Contract, Product

Told = Callable[[str, str], None]
"""Called with what is being done and to what, so that somebody waiting sees it."""


@dataclass
class Walk:
    """One city being walked: what was declared, and where versions are kept.

    Args:
        city: The city.
        as_of: The day taken for today.
        verify: Hash every file again, also those whose size and time have not changed.
        told: Hears of each step.
    """

    city: City
    as_of: date
    verify: bool = False
    told: Told = lambda verb, name: None
    engine: Engine = field(default_factory=Engine)

    def __post_init__(self) -> None:
        self.lake = Lake(self.city.home / "lake", self.engine)
        self.store = Store(self.city.home / "store.sqlite")
        self.sources = sources(self.city)
        self.indicators = indicators(self.city)
        self.contracts = _contracts(self.city, self.sources)
        self._places: dict[str, Places] = {}
        self._overlaps: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self._hashed: dict[Path, str] = {}

    def places(self, geography: str) -> Places:
        """A geography, cut from the newest version of its product."""
        name = geography.partition(".")[0]
        if name not in self._places:
            declared = self.city.file.places[name]
            rows = self.engine.rows(self.lake.read(self._version(declared.product)))
            outline = self.engine.rows(self.lake.read(self._version(declared.inside))) if declared.inside else None
            self._places |= locate.places(name, declared, self.city.node.at("places", name), rows, outline)
        return self._places[geography]

    def overlaps(self, geographies: Sequence[Places]) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """Which places share ground, for each pair of geographies."""
        for a, b in combinations(geographies, 2):
            if (a.id, b.id) not in self._overlaps:
                self._overlaps[a.id, b.id] = locate.overlaps(a, b)
        return {(a.id, b.id): self._overlaps[a.id, b.id] for a, b in combinations(geographies, 2)}

    def file_sha256(self, file: Path) -> str:
        """The hash of a file; by its size and time of change when they are as last time."""
        if file not in self._hashed:
            stat = file.stat()
            known = None if self.verify else self.store.seen(str(file), stat.st_size, stat.st_mtime_ns)
            self._hashed[file] = known or sha256(file)
            self.store.saw(str(file), stat.st_size, stat.st_mtime_ns, self._hashed[file])
        return self._hashed[file]

    def _version(self, product: str) -> Version[Restricted]:
        version = self.lake.restricted(product)
        if version is None:
            fix = f"Run it first: metroon run {product}"
            raise Refused([Problem(self.city.node.file, 0, "F101", f"{product} has no version yet.", fix)])
        return version

    def contract(self, product: str) -> Contract:
        """A product's contract, as strict as what it is made of."""
        return self.contracts[product]

    def minimum_cell(self, contract: Contract) -> int:
        """The smallest group that may be shown: the stricter of the city's and the contract's."""
        return max(self.city.file.thresholds.minimum_cell, contract.minimum_cell or 0)


def walk_rows(walk: Walk, product: Product) -> Account:
    """Source to version: collect, conform, keep in the restricted zone; guard, publish what may leave."""
    began = time.monotonic()
    contract, source = walk.contract(product.name), walk.sources[product.name]
    key = product_key(walk, product)
    before = walk.lake.restricted(product.name)
    if before is not None and before.evidence["key"] == key:
        return _unchanged(walk, contract, before)
    walk.told("collect", product.name)
    inputs = {n: walk.lake.read(walk._version(n)) for n in sorted(upstream(walk.city, walk.sources, product))}
    raw = source.read(Reading(walk.engine, contract, walk.city.data, product.folder, inputs))
    walk.told("conform", product.name)
    checked = conform.check(walk.engine, raw, contract, inputs=inputs, as_of=walk.as_of)
    evidence = _evidence(walk, key, {
        "product": product.name,
        "deliveries": [d.__dict__ for d in checked.deliveries],
        "parents": {n: _number(walk, n) for n in sorted(inputs)},
        "contract_sha256": lake.text_sha256(product.folder / "contract.yaml"),
        "newest": checked.newest.isoformat() if checked.newest else None,
        "account": _account_of(checked, raw.notes),
        "problems": [p.__dict__ for p in checked.problems],
    })  # fmt: skip
    kept = walk.lake.save(checked, evidence)
    walk.store.judged(product.name, kept.number, datetime.now(timezone.utc), checked.verdicts)
    walk.told("guard", product.name)
    open_version, notes, problems = _publish(walk, product, contract, kept)
    return replace(
        _account(walk, contract, kept),
        outcome="published" if open_version else "kept",
        verdicts=checked.verdicts,
        problems=(*checked.problems, *problems),
        notes=(*raw.notes, *notes),
        seconds=time.monotonic() - began,
    )


def _publish(
    walk: Walk, product: Product, contract: Contract, kept: Version[Restricted]
) -> tuple[Version[Open] | None, tuple[str, ...], tuple[Problem, ...]]:
    if problems := guard.gate(contract):
        return None, (), tuple(problems)
    if contract.mode == "aggregate":
        return None, ("rows are not published: only measures made of them leave",), ()
    try:
        techniques = techniques_of(walk.city, product)
        places = {t: walk.places(t) for t in _geographies_of(walk.city, techniques)}
        given = Protecting(walk.engine, contract, places, _keys(techniques))
        floor = walk.minimum_cell(contract)
        guarded = guard.protect(walk.lake.read(kept), contract, techniques, given, minimum_cell=floor)
        made = walk.lake.publish(guarded, _open_evidence(walk, kept))
    except Refused as refused:
        return None, (), refused.problems
    return made, guarded.notes, ()


def walk_numbers(walk: Walk, name: str) -> tuple[measure.Tallied, Measured, Indicator]:
    """Versions to estimates of one measure: locate, tally, estimate. Nothing is released yet."""
    indicator = walk.indicators[name]
    contract = walk.contract(indicator.of)
    if problems := guard.gate(contract):
        raise Refused(problems)
    version = walk._version(indicator.of)
    walk.told("locate", name)
    asked = {g: walk.places(g) for g in indicator.places}
    can = [g for g in asked.values() if locate.can_place(contract, g) and not (indicator.needs_people and not g.people)]
    rows = walk.lake.read(version)
    located = locate.assign(
        walk.engine, rows, contract, can, cache=walk.city.home / "cache", version=f"{indicator.of}@{version.number}"
    )
    walk.told("measure", name)
    tallied = _tally(walk, name, indicator, contract, can, located)
    headline = tallied.periods[-1] if tallied.periods else estimating.ALL
    told = measure.unanswerable(indicator, contract, asked, can, headline)
    measured = Measured(
        measure=name,
        title=indicator.title,
        question=indicator.question,
        kind=str(walk.city.measures[name].node.at("kind").value),
        unit=indicator.words(),
        direction=indicator.direction,
        is_share=indicator.is_share,
        geographies=tuple(asked.values()),
        headline=headline,
        estimates=(*measure.estimates(indicator, tallied), *told),
        outcome="released",
        notes=_notes(indicator, tallied, asked, walk.minimum_cell(contract)),
    )
    return tallied, measured, indicator


def _tally(
    walk: Walk, name: str, indicator: Indicator, contract: Contract, can: Sequence[Places], located: Any
) -> measure.Tallied:
    kept = [g for g in can if g.id in indicator.places]
    return measure.tally(
        walk.engine, located, indicator, contract, name=name, geographies=kept, overlaps=walk.overlaps(kept),
        minimum_cell=walk.minimum_cell(contract), as_of=walk.as_of,
    )  # fmt: skip


def release(walk: Walk, names: Iterable[str]) -> list[Measured]:
    """Estimates to releases, for all measures of one product together: what one hides another must not show."""
    made, failed = {}, []
    for name in names:
        try:
            made[name] = walk_numbers(walk, name)
        except Refused as refused:
            failed.append(_failed_measure(walk, name, refused.problems))
    walk.told("guard", ", ".join(made))
    hidings = guard.hide([t.table for t, _, _ in made.values()])
    return [*failed, *(_released(walk, name, *made[name], hidings[name]) for name in made)]


def _released(
    walk: Walk, name: str, tallied: measure.Tallied, measured: Measured, indicator: Indicator, hiding: guard.Hiding
) -> Measured:
    geographies = {g.id: g for g in measured.geographies}
    guarded = guard.release(
        walk.engine, name, measured.estimates, hiding, geographies, minimum_cell=tallied.table.minimum_cell
    )
    digest = estimating.sha256(guarded.estimates)
    evidence = _evidence(walk, measure_key(walk, name), {
        "measure": name,
        "parents": _parents(walk, indicator),
        "declaration_sha256": lake.text_sha256(walk.city.folder / "measures" / f"{name}.yaml"),
        "release_sha256": digest,
        "headline": measured.headline,
        "notes": list(measured.notes),
    })  # fmt: skip
    share = guard.hidden_share(tallied.table, hiding)
    advice = _advice(walk, name, indicator, share) if share > walk.city.file.thresholds.hidden_share else ""
    version = walk.lake.publish(guarded, {**evidence, "advice": advice})
    return replace(_with_hidden(measured, guarded.estimates), version=version.number, sha256=digest, advice=advice)


def _with_hidden(measured: Measured, estimates: Sequence[estimating.Estimate]) -> Measured:
    hidden = sum(e.state == "hidden" for e in estimates)
    shown = sum(e.value is not None for e in estimates)
    return replace(measured, estimates=tuple(estimates), hidden=hidden, cells=hidden + shown)


def _advice(walk: Walk, name: str, indicator: Indicator, share: float) -> str:
    limit = walk.city.file.thresholds.hidden_share
    contract = walk.contract(indicator.of)
    rows = walk.lake.read(walk._version(indicator.of))
    can = [g for g in (walk.places(p) for p in indicator.places) if locate.can_place(contract, g)]
    number = walk.lake.restricted(indicator.of)
    version = f"{indicator.of}@{number.number if number else 0}"
    located = locate.assign(walk.engine, rows, contract, can, cache=walk.city.home / "cache", version=version)
    begin = f"{share:.0%} of the cells had to be hidden, more than {limit:.0%}."
    for words, coarser in measure.poolings(indicator):
        table = _tally(walk, name, coarser, contract, can, located).table
        hidden = guard.hidden_share(table, guard.hide([table])[name])
        if hidden <= limit:
            return f"{begin} In measures/{name}.yaml, {words} leaves {hidden:.0%} hidden."
    return f"{begin} No longer period and no fewer breakdowns of this measure get below; count a larger group."


def run(walk: Walk, names: Iterable[str] = ()) -> Run:
    """The main job: every product in the order of what it is made of, then every measure. One failure stops only itself."""
    began, started = time.monotonic(), datetime.now(timezone.utc)
    walk.lake.sweep()
    wanted, measures = _wanted(walk, list(names))
    accounts: dict[str, Account] = {}
    for name in order(walk.city, walk.sources):
        if name in wanted:
            accounts[name] = _try_rows(walk, walk.city.products[name], accounts)
    measured = [m for group in _groups(walk, measures) for m in _measures(walk, group)]
    accounts = {n: _with_places(walk, a) for n, a in accounts.items()}
    measured.sort(key=lambda m: m.measure)
    seconds = time.monotonic() - began
    failed = sum(a.outcome == "failed" for a in accounts.values()) + sum(m.outcome == "failed" for m in measured)
    walk.store.ran(started, walk.as_of.isoformat(), seconds, len(accounts), failed)
    file = walk.city.file
    steps = next_steps(walk.city, list(accounts.values()), measured)
    return Run(file.name, file.invented, walk.as_of, tuple(accounts.values()), tuple(measured), steps, seconds)


def _try_rows(walk: Walk, product: Product, done: Mapping[str, Account]) -> Account:
    lost = sorted(n for n in upstream(walk.city, walk.sources, product) if n in done and done[n].version is None)
    try:
        if lost:
            fix = f"Put {lost[0]} right first; this product is made of it."
            at = product.collect.file
            raise Refused([Problem(at, 1, "F102", f"{lost[0]}, which {product.name} is made of, has no version.", fix)])
        return walk_rows(walk, product)
    except Refused as refused:
        last = walk.lake.restricted(product.name)
        base = _account(walk, walk.contract(product.name), last) if last else Account(product.name, product.contract.title, "failed")
        return replace(base, outcome="failed", problems=refused.problems)


def _measures(walk: Walk, group: list[str]) -> list[Measured]:
    known = {n: walk.lake.open(n) for n in group}
    keys = {n: _try_key(walk, n) for n in group}
    if all(v is not None and v.evidence["key"] == keys[n] for n, v in known.items()):
        return [shown(walk, n, v) for n, v in known.items() if v is not None]
    return release(walk, group)


def _try_key(walk: Walk, name: str) -> str | None:
    try:
        return measure_key(walk, name)
    except Refused:
        return None


def shown(walk: Walk, name: str, version: Version[Open]) -> Measured:
    """A release as it was kept, with the words that must stand beside it."""
    indicator, evidence = walk.indicators[name], version.evidence
    asked = tuple(walk.places(g) for g in indicator.places)
    estimates = [_estimate(r) for r in walk.engine.rows(walk.lake.read(version))]
    measured = Measured(
        name, indicator.title, indicator.question, str(walk.city.measures[name].node.at("kind").value),
        indicator.words(), indicator.direction, indicator.is_share, asked, evidence["headline"], (), "unchanged",
        version.number, evidence["release_sha256"], advice=evidence["advice"], notes=tuple(evidence["notes"]),
    )  # fmt: skip
    return _with_hidden(measured, estimates)


def _estimate(row: dict[str, Any]) -> estimating.Estimate:
    cell = estimating.Cell(*(row.pop(k) for k in ("period", "geography", "place", "dimension", "group")))
    row.pop("place_name")
    return estimating.Estimate(cell, **row)


# What is made of what, and what makes doing it again unnecessary.


def sources(city: City) -> dict[str, Source]:
    """Every product's source. Raises Refused with the faults of all."""
    return _build_all({n: lambda p=p: build("collect", p.collect, Source, city.plugins) for n, p in city.products.items()})


def indicators(city: City) -> dict[str, Indicator]:
    """Every measure. Raises Refused with the faults of all."""
    made = {n: lambda d=d: build("measure", d.node, Indicator, city.plugins) for n, d in city.measures.items()}
    return _build_all(made)


def techniques_of(city: City, product: Product) -> list[Technique]:
    """The techniques for a product's open rows. Raises Refused with the faults of all."""
    made = {str(i): lambda n=n: build("guard", n, Technique, city.plugins) for i, n in enumerate(product.guard.each())}
    return list(_build_all(made).values())


def _build_all(makers: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    made, problems = {}, []
    for name, maker in makers.items():
        try:
            made[name] = maker()
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused(problems)
    return made


def upstream(city: City, known: Mapping[str, Source], product: Product) -> set[str]:
    """The products that must be walked before this one: what it is made of, refers to, or is coarsened by."""
    made_of = set(known[product.name].reads(product.folder))
    refers = {c.refers_to.rpartition(".")[0] for c in product.contract.columns if c.refers_to}
    areas = {city.file.places[g.partition(".")[0]] for g in _geographies_of(city, techniques_of(city, product))}
    places = {p for g in areas for p in (g.product, g.inside) if p}
    return ((made_of | refers | places) & set(city.products)) - {product.name}


def order(city: City, known: Mapping[str, Source]) -> list[str]:
    """Products such that each comes after what it is made of. Raises Refused when they go in a circle."""
    graph = {n: sorted(upstream(city, known, p)) for n, p in sorted(city.products.items())}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " > ".join(error.args[1])
        at = city.products[error.args[1][0]].collect.file
        fix = "Take one of the references or queries out."
        raise Refused([Problem(at, 1, "F103", f"products are made of each other: {circle}.", fix)]) from None


def product_key(walk: Walk, product: Product) -> str:
    """The key of everything that decides a product's rows."""
    source = walk.sources[product.name]
    files = source.files(walk.city.data, product.folder)
    last = walk.lake.restricted(product.name)
    waits = bool(last and any("future" in r for r in last.evidence["account"]["reasons"]))
    techniques = techniques_of(walk.city, product)
    return lake.key({
        "files": {str(f): walk.file_sha256(f) for f in files if f.is_file()},
        "declared": lake.text_sha256(product.folder / "contract.yaml", product.folder / "product.yaml"),
        "city": lake.text_sha256(walk.city.folder / "city.yaml"),
        "parents": {n: _number(walk, n) for n in sorted(upstream(walk.city, walk.sources, product))},
        "classes": [(c.name, c.classification) for c in walk.contract(product.name).columns],
        "keys": {p: lake.key({"k": v.hex()}) for p, v in _keys(techniques).items()},
        "as_of": walk.as_of if waits else None,
        "code": _code(),
    })  # fmt: skip


def measure_key(walk: Walk, name: str) -> str:
    """The key of everything that decides a release; the other measures of the product belong to it."""
    indicator = walk.indicators[name]
    folder = walk.city.folder / "measures"
    same = sorted(n for n, i in walk.indicators.items() if i.of == indicator.of)
    return lake.key({
        "measure": name,
        "declared": lake.text_sha256(*(folder / f"{n}.yaml" for n in same)),
        "city": lake.text_sha256(walk.city.folder / "city.yaml"),
        "contract": lake.text_sha256(walk.city.products[indicator.of].folder / "contract.yaml"),
        "parents": _parents(walk, indicator),
        "as_of": walk.as_of,
        "code": _code(),
    })  # fmt: skip


def _parents(walk: Walk, indicator: Indicator) -> dict[str, int]:
    declared = [walk.city.file.places[g.partition(".")[0]] for g in indicator.places]
    names = {indicator.of, *(p for g in declared for p in (g.product, g.inside) if p)}
    return {n: _number(walk, n) for n in sorted(names)}


def _number(walk: Walk, product: str) -> int:
    return walk._version(product).number


def _code() -> dict[str, str]:
    return {"version": metroon.__version__, "sha256": lake.code_sha256()}


def _contracts(city: City, known: Mapping[str, Source]) -> dict[str, Contract]:
    made: dict[str, Contract] = {}
    for name in order(city, known):
        product = city.products[name]
        parents = sorted(known[name].reads(product.folder) & set(made))
        made[name] = guard.inherit(product.contract, [made[p] for p in parents])
    return made


def _keys(techniques: Sequence[Technique]) -> dict[str, bytes]:
    purposes = {str(p) for t in techniques if (p := getattr(t, "purpose", None))}
    return {p: os.environ.get(f"METROON_KEY_{p.upper()}", "").encode() for p in sorted(purposes)}


def _geographies_of(city: City, techniques: Sequence[Technique]) -> list[str]:
    named = {str(getattr(t, "to", "")) for t in techniques}
    return sorted(n for n in named if n.partition(".")[0] in city.file.places)


def _wanted(walk: Walk, names: list[str]) -> tuple[set[str], list[str]]:
    city = walk.city
    unknown = [n for n in names if n not in city.products and n not in city.measures]
    if unknown:
        known = ", ".join([*city.products, *city.measures])
        raise Refused([Problem(city.node.file, 0, "F104", f"there is no product or measure '{n}'.", f"Known: {known}.") for n in unknown])
    measures = [n for n, i in walk.indicators.items() if not names or n in names or i.of in names]
    todo = {*names, *(p for n in measures for p in _needs(walk, n))} & set(city.products) if names else set(city.products)
    while more := {u for n in todo for u in upstream(city, walk.sources, city.products[n])} - todo:
        todo |= more
    return todo, measures


def _needs(walk: Walk, name: str) -> set[str]:
    indicator = walk.indicators[name]
    declared = [walk.city.file.places[g.partition(".")[0]] for g in indicator.places]
    return {indicator.of, *(p for g in declared for p in (g.product, g.inside) if p)}


def _groups(walk: Walk, measures: Iterable[str]) -> list[list[str]]:
    products = sorted({walk.indicators[n].of for n in measures})
    return [sorted(n for n, i in walk.indicators.items() if i.of == p) for p in products]


# What is told afterwards.


def _evidence(walk: Walk, key: str, parts: dict[str, Any]) -> lake.Evidence:
    return {"key": key, "as_of": walk.as_of.isoformat(), "made_at": _now(), "code": _code(), **parts}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _open_evidence(walk: Walk, kept: Version[Restricted]) -> lake.Evidence:
    # Counts of rows stay in the restricted zone: what was set aside may be one person.
    same = ("key", "as_of", "code", "product", "contract_sha256")
    files = [{"file": d["file"], "sha256": d["sha256"]} for d in kept.evidence["deliveries"]]
    return {**{k: kept.evidence[k] for k in same}, "made_at": _now(), "restricted_version": kept.number, "deliveries": files}


def _account_of(checked: conform.Checked, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "read": checked.read,
        "kept": checked.kept,
        "reasons": dict(checked.reasons),
        "refused": checked.refused,
        "missing": dict(checked.missing),
        "verdicts": [v.__dict__ for v in checked.verdicts],
        "notes": list(notes),
    }


def _account(walk: Walk, contract: Contract, version: Version[Restricted]) -> Account:
    told = version.evidence["account"]
    newest = version.evidence["newest"]
    moment = datetime.fromisoformat(newest) if newest else None
    return Account(
        product=contract.name,
        title=contract.title,
        outcome="unchanged",
        version=version.number,
        read=told["read"],
        kept=told["kept"],
        set_aside=told["reasons"],
        refused=told["refused"],
        deliveries=tuple(Delivery(**d) for d in version.evidence["deliveries"]),
        verdicts=tuple(Verdict(**{**v, "where": tuple(v["where"])}) for v in told["verdicts"]),
        missing=told["missing"],
        cannot_answer=conform.cannot_answer(contract, told["missing"], told["kept"]),
        late=conform.late(contract, moment, walk.as_of),
        notes=tuple(told["notes"]),
        problems=tuple(Problem(**p) for p in version.evidence["problems"]),
    )


def _unchanged(walk: Walk, contract: Contract, version: Version[Restricted]) -> Account:
    return replace(_account(walk, contract, version), problems=(*guard.gate(contract), *_account(walk, contract, version).problems))


def _with_places(walk: Walk, account: Account) -> Account:
    contract = walk.contract(account.product)
    used = sorted({g for i in walk.indicators.values() if i.of == account.product for g in i.places})
    if account.version is None or contract.point is None or not used:
        return account
    try:
        geographies = [walk.places(g) for g in used]
    except Refused:
        return account
    rows = walk.lake.read(walk._version(account.product))
    version = f"{account.product}@{account.version}"
    located = locate.assign(walk.engine, rows, contract, geographies, cache=walk.city.home / "cache", version=version)
    lost = {g.id: located[locate.column(g.id)] for g in geographies}
    sums = {f"out_{i}": (c == estimating.OUTSIDE).cast("int64").sum() for i, c in enumerate(lost.values())}
    first = next(iter(lost.values()))
    row = walk.engine.rows(located.aggregate(**sums, none=(first == estimating.NOWHERE).cast("int64").sum()))[0]
    outside = {g.label: int(row[f"out_{i}"] or 0) for i, g in enumerate(geographies)}
    return replace(account, outside={k: n for k, n in outside.items() if n}, no_place=int(row["none"] or 0))


def _notes(
    indicator: Indicator, tallied: measure.Tallied, asked: Mapping[str, Places], minimum_cell: int
) -> tuple[str, ...]:
    is_people = tallied.table.unit != "none"

    def few(n: int) -> str:
        return f"fewer than {minimum_cell}" if is_people and n < minimum_cell else f"{n:,}"

    notes = [f"{g.label}: {g.note}" for g in asked.values() if g.note]
    notes += [f"Residents of {g.title.lower()}: {g.people_source}" for g in asked.values() if indicator.needs_people and g.people_source]
    if tallied.partial:
        notes.append(f"Not released, because the data do not cover it wholly: {', '.join(tallied.partial)}")
    if tallied.undated:
        notes.append(f"{few(tallied.undated)} rows have no date and are in no period")
    if tallied.undecided:
        notes.append(f"{few(tallied.undecided)} rows are left out: it is not recorded whether they count")
    if indicator.needs_people and tallied.outside:
        notes.append(f"{few(tallied.outside)} rows lie in no area and are in no rate")
    return tuple([*notes, *([indicator.note] if indicator.note else [])])


def _failed_measure(walk: Walk, name: str, problems: tuple[Problem, ...]) -> Measured:
    i = walk.indicators[name]
    return Measured(name, i.title, i.question, "", i.words(), i.direction, i.is_share, (), estimating.ALL, (), "failed", problems=problems)


def next_steps(city: City, accounts: Sequence[Account], measured: Sequence[Measured]) -> tuple[str, ...]:
    """What to do next, most urgent first."""
    steps = [p.fix for a in accounts for p in a.problems if a.outcome == "failed"]
    steps += [p.fix for m in measured for p in m.problems]
    steps += [p.fix for a in accounts for p in a.problems if a.outcome != "failed"]
    steps += [f"Ask {a.title}'s department for newer data: {a.late}." for a in accounts if a.late]
    steps += [m.advice for m in measured if m.advice]
    broken = [a for a in accounts if any(not v.is_kept for v in a.verdicts)]
    steps += [f"See which promises {a.product} breaks: metroon show {a.product}" for a in broken]
    if measured and not steps:
        steps.append(f"Walk a number back to its files: metroon explain {measured[0].measure}")
    return tuple(dict.fromkeys(steps))
