"""Audit: the attacker's side over everything that was ever published, and what was published before it was kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from metroon import record, report
from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean
from metroon.base.running import running
from metroon.guard import exposure
from metroon.guard.exposure import Audited, Finding, Lost
from metroon.guard.ledger import WHOLE, Release, kin, told
from metroon.guard.system import Alternatives, Proof, Suppression, system

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metroon.guard.exposure import Exposed
    from metroon.guard.ledger import Entry, Union
    from metroon.guard.system import Name
    from metroon.lake import Evidence, Open, Version
    from metroon.walk import Walk


def audit(walk: Walk, names: Sequence[str] = (), *, naive: bool = False, insiders: bool = False) -> Audited:
    """Look for people in all that was ever published, as somebody would who kept every edition.

    Args:
        walk: The city.
        names: Measures, tables or products whose people are looked for; all unless named. All that was published of
            the same people is looked at with them.
        naive: Tell too what would have been lost if only small numbers had been hidden.
        insiders: Look too for what the one person in a cell could find of others.

    Raises:
        Refused: A name is unknown, or the ledger does not say all that was published, or is not what was written.
    """
    live = _whole(walk)
    made = [_of(walk, group, naive=naive, insiders=insiders) for group in _populations(walk, live, names)]
    rows = [e for e in live if e.release.surface == "rows" and e.release.columns]
    return Audited(
        releases=sum(m.releases for m in made),
        shown=sum(m.shown for m in made),
        in_doubt=sum(m.in_doubt for m in made),
        proven=sum(m.proven for m in made),
        solved=sum(m.solved for m in made),
        found=tuple(f for m in made for f in m.found),
        lost=tuple(sorted((lost for m in made for lost in m.lost), key=lambda one: one.measure)),
        things=sum(m.things for m in made),
        adopted=sum(m.adopted for m in made),
        rows=len(rows),
        insiders=insiders,
    )


def _whole(walk: Walk) -> list[Entry]:
    """Every release that the world may have, after what a run left open is settled."""
    with walk.ledger.alone():
        record.settle(walk, walk.city.products)
    return [e for e in walk.ledger.entries() if e.is_live]


def _populations(walk: Walk, live: Sequence[Entry], names: Sequence[str]) -> Iterator[list[Entry]]:
    known = {e.release.name for e in live} | set(walk.city.products) | set(walk.indicators)
    for name in names:
        if name not in known:
            fix = did_you_mean(name, known)
            raise Refused([Problem(walk.city.node.file, 0, "F104", f"nothing is called '{name}'.", fix)])
    left = list(live)
    while left:
        population = set(left[0].release.population)
        for product in left[0].release.population:
            population |= set(walk.population(product))
        group = kin(live, population)
        left = [e for e in left if e not in group]
        told_of = {n for e in group for n in (e.release.name, *e.release.population)}
        if not names or told_of & set(names):
            yield group


def _of(walk: Walk, group: Sequence[Entry], *, naive: bool, insiders: bool) -> Audited:
    proven = [e for e in group if e.release.proof]
    things, rows = _unproven(walk, group)
    every = record.together(walk, list(told([(e, walk.ledger.proof(e)) for e in proven]).values()))
    asked = every.unproven()
    found = exposure.exposed(every)
    labels = {e.seq: e.label for e in group}
    made = [*_findings(every, found, labels), *rows]
    if insiders:
        known = {e.cell for e in found}
        alone = [e for e in exposure.known_to_insiders(every) if e.cell not in known]
        made += [Finding(record.in_words(e.name), e.low, e.high, e.is_exact, (), "insider") for e in alone]
    needs = int(every.system.needs.sum())
    return Audited(
        releases=len(group),
        shown=int(every.system.published.sum()),
        in_doubt=needs - len(found),
        proven=needs - len(asked),
        solved=len(asked) - len(found),
        found=tuple(made),
        lost=tuple(_lost(every, found)) if naive else (),
        things=things,
        adopted=sum(e.state == "adopted" for e in group),
    )


def _unproven(walk: Walk, group: Sequence[Entry]) -> tuple[int, list[Finding]]:
    """Releases without a proof that nobody stands behind; and what open rows tell of measures that withhold it."""
    known = [walk.contracts.get(e.release.product) for e in group if not e.release.proof and not e.release.columns]
    things = sum(contract is not None and contract.unit == "none" for contract in known)
    return things, [
        Finding(
            f"what {measured.release.name} withholds, counted from rows", 0.0, float("inf"), True,
            (opened.label, measured.label),
        )
        for opened in group if opened.release.columns
        for measured in group if record.are_told(walk, opened, measured)
    ]  # fmt: skip


def _findings(every: Union, found: Sequence[Exposed], labels: dict[int, str]) -> Iterator[Finding]:
    for e in found:
        releases = tuple(labels[s] for s in exposure.givers(every, e.cell))
        yield Finding(record.in_words(e.name), e.low, e.high, e.is_exact, releases)


def _lost(every: Union, ours: Sequence[Exposed]) -> Iterator[Lost]:
    needs = Counter(every.system.names[c][0] for c in np.flatnonzero(every.system.needs).tolist())
    naive = exposure.naively_exposed(every)
    exact = Counter(e.name[0] for e in naive if e.is_exact)
    within = Counter(e.name[0] for e in naive if not e.is_exact)
    lost = Counter(e.name[0] for e in ours)
    for measure, small in sorted(needs.items()):
        yield Lost(measure, small, exact[measure], within[measure], lost[measure])


# What was published before it was kept


def adopt(walk: Walk, by: str) -> list[str]:
    """Take what was published without the ledger into it, by somebody who answers for it.

    Numbers that a release shows become known for ever. What it withholds is not known here: it was protected when it
    was made, and later releases are held against what it shows. Rows are taken in with their columns.

    Args:
        walk: The city.
        by: Who takes it in: an id of a role or a contact of a steward in people.yaml, where there is one.

    Returns:
        What was taken in, in words.

    Raises:
        Refused: Nobody of that name is declared, or the ledger is not what was written.
    """
    names = walk.city.staff.names
    if not by or (names and by not in names):
        fix = f"Name somebody of people.yaml: {', '.join(names)}." if names else "Write --by and the name."
        raise Refused([Problem(walk.city.node.file, 0, "G129", f"'{by}' is nobody who could answer for it.", fix)])
    made: list[str] = []
    with running(walk.lake.folder.parent), walk.ledger.alone():
        book = record.Book.of(walk)
        for name, versions in record.published(walk)[0].items():
            before: dict[tuple[str, ...], tuple[tuple[float, ...], int]] = {}
            for number, evidence in sorted(versions.items()):
                release, proof = _as_published(walk, name, number, evidence, before)
                known = record.told_by(walk, book, name, number, evidence)
                if known is not None and not record.is_bare(walk, known):
                    continue
                kept = walk.ledger.keep(proof) if proof is not None else ""
                walk.ledger.adopt(replace(release, proof=kept, by=by), number, time=record.now())
                made.append(f"{name} {number}")
    return made


def _as_published(
    walk: Walk,
    name: str,
    number: int,
    evidence: Evidence,
    before: dict[tuple[str, ...], tuple[tuple[float, ...], int]],
) -> tuple[Release, Proof | None]:
    """What the ledger keeps of a version that was published without it, and what its numbers tell.

    A number that is what it was in the version before has the edition of that version; ``before`` holds both.
    """
    version = walk.lake.open(name, number)
    release = record.as_published(walk, name, evidence)
    if version is None or not record.are_people(walk, release.population):
        return release, None  # its files were taken away, or nobody stands behind it
    if release.surface == "table":
        return release, None  # its cells cannot be named again from what it shows
    if release.surface == "rows":
        return replace(release, columns=dict.fromkeys(walk.lake.read(version).columns, WHOLE)), None
    if name in walk.indicators:
        told = report.shown(walk, name, version).estimates
        minimum = walk.minimum_cell(walk.contracts[release.product])
        full = record.of_measure(
            walk, name, walk.as_declared(name, version), told, sha256=release.content, minimum=minimum
        )
        release = replace(full, as_of=release.as_of, code=release.code, contract="", declaration="")
    return release, _shown(walk, version, release.population, before)


def _shown(
    walk: Walk,
    version: Version[Open],
    population: Sequence[str],
    before: dict[tuple[str, ...], tuple[tuple[float, ...], int]],
) -> Proof:
    """The numbers that a release shows, as what is known for ever: no sums, and nothing of what it withholds."""
    is_share = version.name in walk.indicators and walk.as_declared(version.name, version).is_share
    names: list[Name] = []
    values: list[float] = []
    for row in walk.engine.rows(walk.lake.read(version)):
        if row["events"] is None:
            continue
        counted = {"yes": float(row["events"]), "unknown": float(row["unknown"] or 0)}
        counted |= {"no": float(row["base"]) - float(row["events"])} if is_share and row["base"] is not None else {}
        cell = tuple(str(row[k]) for k in ("period", "geography", "place", "dimension", "group"))
        numbers, known = tuple(counted.values()), before.get(cell)
        edition = known[1] if known is not None and known[0] == numbers else version.number
        before[cell] = numbers, edition
        names += [(version.name, component, *cell, str(edition)) for component in counted]
        values += counted.values()
    n = len(names)
    made = system(csr_array((0, n)), values, fixed=np.ones(n, dtype=bool), names=tuple(names))
    nothing = Alternatives(csr_array((0, n)), np.full(n, -1), np.full(n, -1))
    told = Suppression(np.zeros(n, dtype=bool), nothing, np.zeros(0, dtype=np.int64))
    return Proof(" ".join(population), made, told)
