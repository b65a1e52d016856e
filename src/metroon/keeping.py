"""Keeping data about people: under which protocol they are used, how long they are kept, and how they are destroyed."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metroon import conform
from metroon.base.account import Delivery
from metroon.base.errors import Problem, Refused
from metroon.base.running import alone
from metroon.collect import FILE
from metroon.conform import Checked
from metroon.guard import retention
from metroon.guard.protocol import is_personal
from metroon.guard.retention import Due, Held
from metroon.lake import erasure
from metroon.lake.erasure import Certificate, Certificates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ibis.expr.types import BooleanValue

    from metroon.base.engine import Relation
    from metroon.base.protocol import Protocol
    from metroon.guard.retention import Rule
    from metroon.lake import Restricted, Version
    from metroon.walk import Walk


def protocols(walk: Walk, names: Sequence[str] = ()) -> list[tuple[str, tuple[Protocol, ...], list[Problem]]]:
    """Every product that people stand behind, with the protocols about it and what keeps it from being published.

    Args:
        walk: The city.
        names: Products; all unless named.
    """
    personal = [n for n in walk.order if is_personal(walk.contracts[n]) and (not names or n in names)]
    return [(n, tuple(p for p in walk.city.protocols if p.covers(n)), walk.gate(n)) for n in sorted(personal)]


def due(walk: Walk, names: Sequence[str] = (), *, today: date) -> list[Due]:
    """What has passed its time, and what keeps it from being destroyed. Nothing is changed.

    Args:
        walk: The city.
        names: Products; all unless named.
        today: The day that it is: a later day taken for today makes nothing older.
    """
    return [_due(walk, n, min(walk.as_of, today)) for n in sorted(walk.city.products) if not names or n in names]


def _due(walk: Walk, name: str, on: date) -> Due:
    contract = walk.city.products[name].contract
    words = retention.words(contract.custom.get("retention"))
    rule, faults = retention.rule(contract), tuple(retention.faults(contract))
    if rule is None:
        return Due(name, words, faults=faults)
    cutoff, derived = rule.cutoff(on), _derived(walk, name)
    staff = walk.city.staff
    blocks = retention.blocks(rule, [name, *derived], walk.city.holds, {n: staff.named(n) for n in staff.names}, on=on)
    told = Due(name, words, rule, cutoff, derived=derived, blocks=blocks, faults=faults)
    newest = walk.lake.restricted(name)
    if newest is None or not walk.lake.has_rows(name, newest.number):
        return replace(told, held=_held(walk, name, rule, cutoff))
    rows = walk.lake.read(newest)
    past = rows.filter(_past(walk, newest, rule, cutoff)(rows))
    files = walk.engine.rows(past.group_by(FILE).aggregate(n=past.count()))
    undated = 0
    if rule.starts == "eventTime" and contract.event_time in rows.columns:
        undated = walk.engine.count(rows.filter(rows[contract.event_time].isnull()))
    return replace(
        told,
        rows=sum(int(r["n"]) for r in files),
        held=_held(walk, name, rule, cutoff),
        undated=undated,
        sources=tuple(sorted(str(r[FILE]) for r in files if _is_there(walk, name, str(r[FILE])))),
    )


def _derived(walk: Walk, name: str) -> tuple[str, ...]:
    """The products that are made of a product, at once or by others."""
    found = {name}
    for other in walk.order:
        if walk.sources[other].reads(walk.city.products[other].folder) & found:
            found.add(other)
    return tuple(sorted(found - {name}))


def _past(walk: Walk, version: Version[Restricted], rule: Rule, cutoff: date) -> Callable[[Relation], BooleanValue]:
    """Tells which rows of a version have passed their time."""
    event_time = walk.city.products[version.name].contract.event_time
    files = [d["file"] for d in _deliveries(walk, version, cutoff)] if rule.starts == "delivery" else None
    return partial(retention.due, event_time=event_time, cutoff=cutoff, files=files)


def _deliveries(walk: Walk, version: Version[Restricted], cutoff: date) -> list[dict[str, str]]:
    """The deliveries in a version that came on the cutoff or before: the day of the first version that took them."""
    came: dict[tuple[str, str], date] = {}
    for evidence in walk.lake.history(version.name, "restricted").values():
        made = datetime.fromisoformat(evidence["made_at"]).date()
        for d in evidence["deliveries"]:
            # The later of both: a run on an earlier day makes no delivery older.
            came.setdefault((d["file"], d["sha256"]), max(made, date.fromisoformat(evidence["as_of"])))
    told = [{"file": str(d["file"]), "sha256": str(d["sha256"])} for d in version.evidence["deliveries"]]
    return [d for d in told if came[d["file"], d["sha256"]] <= cutoff]


def _held(walk: Walk, name: str, rule: Rule, cutoff: date) -> tuple[Held, ...]:
    """Every version that holds rows past their time: of the product, of its rows set aside, of what is made of it."""
    gone: dict[str, set[int]] = {name: set()}
    found = []
    for number in walk.lake.history(name, "restricted"):
        version = walk.lake.restricted(name, number)
        if version is None or not walk.lake.has_rows(name, number):
            continue
        rows = walk.lake.read(version)
        n = walk.engine.count(rows.filter(_past(walk, version, rule, cutoff)(rows)))
        if n:
            gone[name].add(number)
            found += [
                Held(name, number, n),
                Held(f"{name}.set_aside", int(version.evidence["set_aside_version"]), None),
            ]
    for other in walk.order:
        made_of = walk.sources[other].reads(walk.city.products[other].folder) & gone.keys()
        for number, evidence in walk.lake.history(other, "restricted").items() if made_of else ():
            if any(evidence["parents"].get(p) in gone[p] for p in made_of):
                gone.setdefault(other, set()).add(number)
                found += [
                    Held(other, number, None),
                    Held(f"{other}.set_aside", int(evidence["set_aside_version"]), None),
                ]
    return tuple(h for h in found if walk.lake.has_rows(h.table, h.version))


def _is_there(walk: Walk, name: str, file: str) -> bool:
    return any((folder / file).is_file() for folder in (walk.data(name), walk.city.products[name].folder))


def apply(walk: Walk, names: Sequence[str] = (), *, today: date) -> list[Certificate]:
    """Destroy what has passed its time and nothing keeps; what was begun and cut off is finished first.

    Args:
        walk: The city.
        names: Products; all unless named.
        today: The day that it is.

    Returns:
        The certificates that were completed.

    Raises:
        Refused: A run is at work (G158), certificates are not whole (L106), or a file cannot be removed (L101).
    """
    home = walk.lake.folder.parent
    certificates, on, done = Certificates(home), min(walk.as_of, today), []
    with alone(home):
        if problems := certificates.faults():
            raise Refused(problems)
        for begun in certificates.unfinished():
            if not _is_kept(walk, begun.product, on):
                done.append(_finish(walk, certificates, begun))
        for told in due(walk, names, today=today):
            if told.rule is not None and told.held and not told.blocks:
                done.append(_finish(walk, certificates, _begin(walk, certificates, told)))
    return done


def _is_kept(walk: Walk, product: str, on: date) -> bool:
    """Whether a legal hold came after something was begun."""
    if product not in walk.city.products:
        return True
    return any(h.holds(p, on) for h in walk.city.holds for p in (product, *_derived(walk, product)))


def _begin(walk: Walk, certificates: Certificates, told: Due) -> Certificate:
    rule, home, lake = told.rule, walk.lake.folder.parent, walk.lake
    newest = lake.restricted(told.product)
    if rule is None or rule.approval is None or told.cutoff is None or newest is None:
        raise ValueError("nothing may be destroyed without a rule, an approval and a version")
    contract, staff = walk.city.products[told.product].contract, walk.city.staff
    return certificates.begin(
        {
            "product": told.product,
            "title": contract.title,
            "rule": {"keep": rule.keep, "from": rule.starts, "event_time": contract.event_time},
            "basis": rule.basis,
            "category": rule.category,
            "approvals": {
                "by": [{"id": by, "title": staff.named(by)} for by in rule.approval.by],
                "resolution": rule.approval.resolution,
                "attorney": rule.approval.attorney,
            },
            "cutoff": told.cutoff.isoformat(),
            "rows": told.rows,
            "newest": newest.number,
            "deliveries": _deliveries(walk, newest, told.cutoff) if rule.starts == "delivery" else [],
            "versions": [_listed(h, _own_files(walk, h, told.held), home) for h in told.held],
            "sources_kept": list(told.sources),
            "begun_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "code": walk.code,
        }
    )


def _own_files(walk: Walk, held: Held, all_held: Sequence[Held]) -> list[str]:
    """The files of a version that no version has which stays: an append shares those of the version before."""
    gone = {h.version for h in all_held if h.table == held.table}
    stay = (n for n in walk.lake.history(held.table, "restricted") if n not in gone)
    shared = {f for n in stay for f in walk.lake.stored(held.table, n)}
    return [f for f in walk.lake.stored(held.table, held.version) if f not in shared]


def _listed(held: Held, files: Sequence[str], home: Path) -> dict[str, Any]:
    return {**asdict(held), "files": erasure.described(files, home)}


def _finish(walk: Walk, certificates: Certificates, begun: Certificate) -> Certificate:
    """Keep what stays, remove what goes, look that nothing is left, and complete the certificate."""
    home, lake, told = walk.lake.folder.parent, walk.lake, begun.told
    made = _keep_the_rest(walk, begun)
    erasure.remove(home, [f["file"] for v in told["versions"] for f in v["files"]])
    tables = sorted({str(v["table"]) for v in told["versions"]})
    lost = [f for t in tables for f in erasure.orphans(lake.folder / "restricted" / t, _named(walk, t))]
    cached = [str(f) for f in sorted(walk.cache.glob("*")) if f.is_file()]
    erasure.remove(home, [str(_below(f, home)) for f in (*lost, *cached)])
    left = [f["file"] for v in told["versions"] for f in v["files"] if (home / f["file"]).exists()]
    looked, rows = _look(walk, begun)
    if left or rows:
        what = f"certificate {begun.number} is not complete: {len(left)} files and {rows} rows are there still."
        raise Refused(
            [Problem(str(certificates.folder), 0, "G158", what, "Call metroon guard retention --apply again.")]
        )
    return certificates.save(
        Certificate(
            begun.number,
            {
                **told,
                "state": "done",
                "replaced_by": made,
                "left_over_files_removed": len(lost),
                "cached_files_removed": len(cached),
                "verified": {
                    "how": "every file named was looked for, and every row that is left was compared with the cutoff",
                    "versions_looked_at": looked,
                    "files_found": 0,
                    "rows_found": 0,
                },
                "done_at": datetime.now(UTC).isoformat(timespec="seconds"),
            },
        )
    )


def _keep_the_rest(walk: Walk, begun: Certificate) -> int | None:
    """The number of the version that holds the rows of the newest one that stay; None when it holds none past it."""
    newest = walk.lake.restricted(begun.product)
    if newest is None or not walk.lake.has_rows(begun.product, newest.number):
        return None
    told, contract = newest.evidence, walk.contracts[begun.product]
    account, rows = told["account"], walk.lake.read(newest)
    if missing := [c.name for c in contract.columns if c.name not in rows.columns]:
        what = f"the newest version of {begun.product} lacks {', '.join(missing)}, which its contract has."
        raise Refused([contract.node.problem("G158", what, f"Run it first: metroon run {begun.product}", "schema")])
    checked = Checked(
        contract=contract,
        rows=rows,
        set_aside=walk.lake.set_aside(newest),
        read=account["read"],
        kept=account["kept"],
        reasons=account["reasons"],
        refused=account["refused"],
        deliveries=tuple(Delivery(**d) for d in told["deliveries"]),
        verdicts=(),
        missing=account["missing"],
        newest=None,
        problems=(),
    )
    fewer = conform.without(walk.engine, checked, _gone(begun, checked), retention.reason(begun.number))
    if fewer is checked:
        return newest.number if told.get("destroyed") == begun.number else None
    counts = {"kept": fewer.kept, "reasons": dict(fewer.reasons), "missing": dict(fewer.missing)}
    evidence = {
        **told,
        "account": {**account, **counts},
        "newest": fewer.newest.isoformat() if fewer.newest else None,
        "destroyed": begun.number,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return walk.lake.save(fewer, evidence).number


def _gone(certificate: Certificate, checked: Checked) -> Callable[[Relation], BooleanValue]:
    contract, deliveries = checked.contract, checked.deliveries
    return partial(retention.destroyed, certificate=certificate.told, contract=contract, deliveries=deliveries)


def _named(walk: Walk, table: str) -> set[str]:
    return {f for number in walk.lake.history(table, "restricted") for f in walk.lake.stored(table, number)}


def _below(file: str, home: Path) -> Path:
    return Path(file).relative_to(home)


def _look(walk: Walk, certificate: Certificate) -> tuple[int, int]:
    """How many versions of the product are left, and how many of their rows should not be."""
    looked, found, name = 0, 0, certificate.product
    for number in walk.lake.history(name, "restricted"):
        version = walk.lake.restricted(name, number)
        if version is None or not walk.lake.has_rows(name, number):
            continue
        rows, deliveries = walk.lake.read(version), tuple(Delivery(**d) for d in version.evidence["deliveries"])
        contract = walk.contracts[name]
        past = retention.destroyed(rows, certificate=certificate.told, contract=contract, deliveries=deliveries)
        looked, found = looked + 1, found + walk.engine.count(rows.filter(past))
    return looked, found


def certificates(walk: Walk) -> tuple[list[Mapping[str, Any]], list[Problem]]:
    """What the certificates of a city say, oldest first, and what is wrong with their chain.

    Args:
        walk: The city.
    """
    known = Certificates(walk.lake.folder.parent)
    try:
        return [c.told for c in known.all()], known.faults()
    except Refused as refused:
        return [], list(refused.problems)
