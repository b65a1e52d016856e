"""What a walk tells: accounts of rows, the words beside numbers, the evidence of versions, and what to do next."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from metroon import conform, locate, withdrawal
from metroon.base import estimate as estimating
from metroon.base.account import Account, Delivery, Drift, Measured, Tabled, Verdict
from metroon.base.errors import Problem, Refused
from metroon.city.yaml import shown as shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from metroon.base.places import Places
    from metroon.city import Contract
    from metroon.collect import Raw
    from metroon.lake import Evidence, Open, Restricted, Version
    from metroon.measure import Indicator, Tallied
    from metroon.walk import Walk


def evidence(checked: conform.Checked, raw: Raw, parents: Mapping[str, int]) -> dict[str, Any]:
    """What a version of rows is made of and what happened to the rows; for the restricted zone."""
    return {
        "product": checked.contract.name,
        "deliveries": [d.__dict__ for d in checked.deliveries],
        "parents": dict(parents),
        "newest": checked.newest.isoformat() if checked.newest else None,
        "problems": [p.__dict__ for p in checked.problems],
        "account": {
            "read": checked.read,
            "kept": checked.kept,
            "reasons": dict(checked.reasons),
            "refused": checked.refused,
            "missing": dict(checked.missing),
            "verdicts": [v.__dict__ for v in checked.verdicts],
            "notes": [*raw.notes, *checked.notes],
        },
    }


def watched(found: conform.Watched, contract: Contract, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """What moved since the version before, in the deliveries and in the contract; for the restricted zone.

    Args:
        found: What the deliveries bring otherwise.
        contract: The contract as it is declared.
        before: The edition that the version before kept; None where there is none.
    """
    now = conform.edition(contract)
    return {
        "drifts": [d.__dict__ for d in found.drifts],
        "profiles": dict(found.profiles),
        "contract": now,
        "contract_changes": [str(c) for c in conform.changes(before, now)] if before else [],
    }


def contract_changes(kept: Mapping[int, Evidence]) -> dict[int, tuple[str, tuple[conform.Change, ...]]]:
    """Version -> the contract's own version and what it promises otherwise than before; those where that changed.

    Args:
        kept: Version -> its evidence, oldest first.
    """
    found: dict[int, tuple[str, tuple[conform.Change, ...]]] = {}
    before: Mapping[str, Any] | None = None
    for number, told in sorted(kept.items()):
        now = told.get("contract")
        if now and (before is None or now != before):
            found[number] = now["version"], conform.changes(before, now) if before else ()
        before = now or before
    return found


def open_evidence(walk: Walk, kept: Version[Restricted]) -> Evidence:
    """What a published version may say of its making: no counts, for a row set aside may be one person."""
    # No names of files: people write names of people into them.
    files = [{"sha256": d["sha256"]} for d in kept.evidence["deliveries"]]
    parts = {
        "product": kept.name,
        "protocol": walk.kept_protocol(kept.name),
        "restricted_version": kept.number,
        "deliveries": files,
    }
    return walk.evidence(kept.evidence["key"], parts)


def account(walk: Walk, name: str, version: Version[Restricted]) -> Account:
    """The account of a version, as its evidence tells it."""
    contract, told = walk.contracts[name], version.evidence["account"]
    return Account(
        product=name,
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
        late=late(walk, name, version, walk.as_of),
        notes=(*told["notes"], *(f"the contract changed: {c}" for c in version.evidence.get("contract_changes", ()))),
        problems=tuple(Problem(**p) for p in version.evidence["problems"]),
        drifts=tuple(Drift(**d) for d in version.evidence.get("drifts", ())),
    )


def unchanged(walk: Walk, name: str, version: Version[Restricted]) -> Account:
    """The account of a product that there was nothing to do for."""
    made = account(walk, name, version)
    return replace(made, problems=(*made.problems, *walk.gate(name), *withdrawal.told(walk, name)))


def failed(walk: Walk, name: str, problems: tuple[Problem, ...]) -> Account:
    """The account of a product that could not be walked; its last good version stays."""
    last = walk.lake.restricted(name)
    empty = Account(name, walk.contracts[name].title, "failed")
    told = _at(walk.city.products[name].collect.file, problems)
    return replace(account(walk, name, last) if last else empty, outcome="failed", problems=told)


def with_table(told: Account, released: Tabled) -> Account:
    """The account of a product with what became of its table with totals."""
    outcome = "published" if released.is_new else told.outcome
    words = f"leaves as a table with totals: {released.cells:,} cells, {released.hidden:,} of them withheld"
    notes = told.notes if released.version is None else (*told.notes, words)
    return replace(told, outcome=outcome, notes=notes, problems=(*told.problems, *released.problems))


def tabled(walk: Walk, name: str, version: Version[Open]) -> Tabled:
    """A table with totals as it was published."""
    rows = walk.lake.read(version)
    counted = walk.engine.rows(rows.aggregate(n=rows.count(), hidden=(rows["state"] == "hidden").sum()))[0]
    return Tabled(name, version.number, cells=int(counted["n"]), hidden=int(counted["hidden"] or 0))


def failed_table(walk: Walk, name: str, problems: Iterable[Problem]) -> Tabled:
    """A table with totals that could not be published; its last version stays."""
    try:
        last = walk.lake.open(name)
    except Refused:
        last = None
    at = walk.city.products[name].table_node.file
    return Tabled(name, last.number if last else None, problems=_at(at, problems))


def failed_measure(walk: Walk, name: str, problems: Iterable[Problem]) -> Measured:
    """A measure that could not be counted; its last release stays."""
    told = measured(walk, name, walk.indicators[name], {}, estimating.ALL)
    try:
        last = walk.lake.open(name)
    except Refused:
        last = None
    at = walk.city.measures[name].node.file
    return replace(told, version=last.number if last else None, problems=_at(at, problems))


def _at(file: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    # Who found a problem does not always know in whose declaration it stands.
    return tuple(p if p.file else replace(p, file=file) for p in problems)


def with_places(walk: Walk, told: Account) -> Account:
    """The account with the rows that lie outside every area, for each geography that a measure uses."""
    contract = walk.contracts[told.product]
    used = sorted({g for i in walk.indicators.values() if i.of == told.product for g in i.places})
    if told.version is None or contract.point is None or not used:
        return told
    try:
        geographies = [walk.places(g) for g in used]
    except Refused:
        return told
    version = walk.lake.restricted(told.product, told.version)
    if version is None:
        return told
    parts = {n: walk.engine.parquet(f) for n, f in walk.parts(version).items()}
    rows, source = walk.lake.read(version), version.source
    found = locate.lost(walk.engine, rows, contract, geographies, cache=walk.cache, version=source, parts=parts)
    return replace(told, outside=found.outside, no_place=found.no_place)


def measured(
    walk: Walk,
    name: str,
    indicator: Indicator,
    asked: Mapping[str, Places],
    headline: str,
    *,
    outcome: Literal["released", "unchanged", "failed"] = "failed",
    problems: tuple[Problem, ...] = (),
) -> Measured:
    """A measure's own words, before its estimates."""
    return Measured(
        measure=name,
        title=indicator.title,
        question=indicator.question,
        kind=type(indicator).__module__.rpartition(".")[2],
        unit=indicator.words(),
        direction=indicator.direction,
        is_share=indicator.is_percent,
        geographies=tuple(asked.values()),
        headline=headline,
        estimates=(),
        outcome=outcome,
        problems=problems,
    )


def late(walk: Walk, product: str, version: Version[Restricted], as_of: date) -> str:
    """How late a version of a product was on a day, in words; empty when it was not."""
    newest = version.evidence["newest"]
    return conform.late(walk.contracts[product], datetime.fromisoformat(newest) if newest else None, as_of)


def day(told: Account) -> tuple[str, bool]:
    """What a run said of a product that day: ``bad`` when it failed or a check stopped or warned; ``late`` or ``ok``.

    Rows that a rule sets aside are how the contract works: they leave the day as it is.

    Returns:
        The verdict, and whether it was late.
    """
    is_bad = told.outcome == "failed" or any(v.is_broken and v.severity != "set aside" for v in told.verdicts)
    return "bad" if is_bad else "late" if told.late else "ok", bool(told.late)


def series(walk: Walk, indicator: Indicator, last: Version[Open] | None) -> dict[str, Any]:
    """Which series a release belongs to: the last one's, or a new one when what is counted has changed since."""
    definition = json.loads(json.dumps(indicator.definition(), default=str))
    before = last.evidence.get("series") if last is not None else None
    if before is None or last is None:
        return {"number": 1, "since": walk.as_of.isoformat(), "changed": [], "before": None, "definition": definition}
    old = before["definition"]
    changed = sorted(k for k in definition.keys() | old.keys() if definition.get(k) != old.get(k))
    if not changed:
        return dict(before)
    since = {"since": walk.as_of.isoformat(), "changed": changed, "before": last.number}
    return {"number": before["number"] + 1, **since, "definition": definition}


def with_hidden(told: Measured, estimates: Sequence[estimating.Estimate]) -> Measured:
    """A measure with its released estimates, and how many of them are hidden."""
    hidden = sum(e.state == "hidden" for e in estimates)
    shown = sum(e.value is not None for e in estimates)
    return replace(told, estimates=tuple(estimates), hidden=hidden, cells=hidden + shown)


def shown(walk: Walk, name: str, version: Version[Open]) -> Measured:
    """A release as it was kept, with the words that must stand beside it."""
    indicator, told = walk.as_declared(name, version), version.evidence
    drawn = told.get("boundaries", {})
    asked = {g: replace(walk.places(g), **drawn.get(g, {})) for g in indicator.places if walk.has_places(g)}
    made = measured(walk, name, indicator, asked, told["headline"], outcome="unchanged")
    made = replace(
        made,
        version=version.number,
        sha256=told["release_sha256"],
        advice=advice(walk, name, told.get("hidden_share", 0.0)),
        notes=tuple(told["notes"]),
        headlines=tuple(told.get("headlines") or (told["headline"],)),
    )
    return with_hidden(made, _estimates(walk, version))


def _estimates(walk: Walk, version: Version[Open]) -> tuple[estimating.Estimate, ...]:
    walk.lake.files(version)  # what was taken away meanwhile is told, though it was read before
    if version.source not in walk.estimates:
        rows = walk.engine.rows(walk.lake.read(version))
        walk.estimates[version.source] = tuple(_estimate(r) for r in rows)
    return walk.estimates[version.source]


def advice(walk: Walk, name: str, hidden_share: float) -> str:
    """What to do where too much is hidden; empty when it is not.

    It comes from what every reader of the release can count, and from nothing that is hidden: what would help is told
    to the city's own people alone.
    """
    limit = walk.city.file.thresholds.hidden_share
    if hidden_share <= limit:
        return ""
    begin = f"{hidden_share:.0%} of the cells that count anything had to be hidden, more than {limit:.0%}."
    return f"{begin} See what would help: metroon guard {name}"


def _estimate(row: dict[str, Any]) -> estimating.Estimate:
    cell = estimating.Cell(*(row.pop(k) for k in ("period", "geography", "place", "dimension", "group")))
    row.pop("place_name")
    return estimating.Estimate(cell, **row)


def notes(tallied: Tallied, asked: Mapping[str, Places]) -> tuple[str, ...]:
    """What a reader must know beside the numbers; small counts of people stay small in words too."""
    indicator, minimum_cell = tallied.indicator, tallied.minimum_cell
    is_people = tallied.contract.unit != "none"

    def rows(n: int) -> str:
        # An exact number of people would be one more equation, which the guard does not know of.
        if not is_people:
            return f"{n:,} rows"
        return f"fewer than {minimum_cell} rows" if n < minimum_cell else f"{minimum_cell} rows or more"

    made = [f"{g.label}: {g.note}" for g in asked.values() if g.note]
    if indicator.needs_people:
        made += [f"Residents of {g.label}: {g.people_source}" for g in asked.values() if g.people_source]
    if indicator.period is None and not any(c.type in ("date", "timestamp") for c in tallied.contract.columns):
        why = f"cannot be answered, because {tallied.contract.title} has no date"
        made.append(f"Whether it gets better or worse, and any dated target: {why}")
    if tallied.partial:
        made.append(f"Not released, because the data do not cover it wholly: {', '.join(tallied.partial)}")
    if tallied.undated:
        made.append(f"{rows(tallied.undated)} have no date and are in no period")
    if tallied.undecided:
        made.append(f"{rows(tallied.undecided)} are left out: it is not recorded whether they count")
    if indicator.needs_people and tallied.outside:
        made.append(f"{rows(tallied.outside)} lie in no area and are in no rate")
    return (*made, *([indicator.note] if indicator.note else []))


def next_steps(walk: Walk, accounts: Sequence[Account], measures: Sequence[Measured]) -> tuple[str, ...]:
    """What to do next, most urgent first, with commands that work from where the reader stands."""
    here = shown_path(walk.city.folder)
    at = "" if here == "." else f" -C {here}"
    steps = [f"{a.product}: {p.fix}" for a in accounts for p in a.problems if a.outcome == "failed"]
    steps += [f"{m.measure}: {p.fix}" for m in measures for p in m.problems]
    steps += [f"{a.product}: {p.fix}" for a in accounts for p in a.problems if a.outcome != "failed"]
    steps += [f"{a.product}: ask for newer data ({a.late.partition(':')[0]})." for a in accounts if a.late]
    steps += [m.advice for m in measures if m.advice]
    broken = [a.product for a in accounts if any(v.is_broken for v in a.verdicts)]
    if broken:
        steps.append(f"See which promises are broken by {', '.join(broken)}: metroon show {broken[0]}{at}")
    told = [m for m in measures if m.outcome != "failed"]
    if told:
        steps.append(f"Walk a number back to its files: metroon explain {told[0].measure}{at}")
    return tuple(dict.fromkeys(steps))
