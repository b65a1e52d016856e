"""Walk a released number back to its files, and make it again."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from metroon import flow, lake, record, report, waiting
from metroon.base import estimate as estimating
from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean
from metroon.city.yaml import shown
from metroon.collect import sha256
from metroon.lake.erasure import Certificates
from metroon.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.base.account import Account, Measured
    from metroon.base.estimate import Estimate
    from metroon.lake.erasure import Certificate

FileState = Literal["same", "changed", "gone"]


@dataclass(frozen=True)
class Input:
    """One file that the number rests on, and whether it is still the same."""

    product: str
    file: str
    sha256: str
    rows: int
    state: FileState
    is_refused: bool = False


@dataclass(frozen=True)
class Step:
    """One product on the way: its version, its contract, and what happened to its rows."""

    account: Account
    contract: str
    contract_sha256: str


@dataclass(frozen=True)
class Explanation:
    """The way of one released number.

    Args:
        measured: The release.
        estimates: The numbers asked for: headline period first, then earlier ones.
        declaration: File and hash of the measure's declaration.
        steps: Products, in the order they were walked.
        inputs: Files.
        code: Package version and hash that made the release.
        as_of: The day that was taken for today.
        made_at: When it was made.
        again_from: What it was made again from.
        again_sha256: The hash of the release made again; empty when that failed.
        why_not: Why it could not be made again, or why the hash differs.
    """

    measured: Measured
    estimates: tuple[Estimate, ...]
    declaration: str
    declaration_sha256: str
    steps: tuple[Step, ...]
    inputs: tuple[Input, ...]
    code: str
    as_of: date
    made_at: str
    again_from: Literal["files", "versions"]
    again_sha256: str
    why_not: str

    @property
    def is_same(self) -> bool:
        """Whether making it again gave the same hash."""
        return self.again_sha256 == self.measured.sha256


def explain(
    walk: Walk, name: str, *, place: str | None = None, group: str | None = None, version: int | None = None
) -> Explanation:
    """Where a number comes from.

    Args:
        walk: The city.
        name: The measure.
        place: Key or name of a place; None for the whole city.
        group: Value of a group; None for everybody.
        version: Number of the release; the newest unless named.

    Raises:
        Refused: There is no such measure, release, place or group.
    """
    if name not in walk.indicators:
        fix = did_you_mean(name, walk.indicators)
        raise Refused([Problem(walk.city.node.file, 0, "F104", f"there is no measure '{name}'.", fix)])
    release = walk.lake.open(name, version)
    if release is None:
        fix = f"Run it first: metroon run {name}"
        raise Refused([Problem(walk.city.measures[name].node.file, 0, "F105", f"{name} has no such release.", fix)])
    as_it_was = replace_walk(walk, release.evidence)
    until = release.evidence.get("ledger", {}).get("seq")
    as_it_was.known = record.earlier(walk, walk.indicators[name].of, until=until)
    measured = report.shown(as_it_was, name, release)
    chosen = _chosen(measured, place, group)
    steps, inputs = _way(as_it_was, release.evidence["parents"])
    # What waited is told by hashes of rows of versions: other versions of the same files do not do.
    is_as_it_was = all(i.state == "same" for i in inputs) and not _has_new(as_it_was, steps, inputs)
    # Files that hold somebody still who was erased are not read again for it.
    erased = _erased(as_it_was, steps)
    is_whole = is_as_it_was and not as_it_was.revised and not any(_erasures(as_it_was, steps))
    again_from: Literal["files", "versions"] = "files" if is_whole else "versions"
    gone = _destroyed(as_it_was, steps)
    digest, why = ("", gone) if gone else _again(as_it_was, name, again_from)
    declaration = walk.city.folder / "measures" / f"{name}.yaml"
    if digest != measured.sha256 and not why:
        why = erased or _difference(walk, release.evidence, declaration, steps)
    code = release.evidence["code"]
    return Explanation(
        measured, chosen, shown(declaration), release.evidence["declaration_sha256"], steps, inputs,
        f"metroon {code['version']}, {code['sha256']}", as_it_was.as_of, release.evidence["made_at"], again_from,
        digest, why,
    )  # fmt: skip


def replace_walk(walk: Walk, evidence: lake.Evidence) -> Walk:
    """The same city as it was walked for a release: its day, and the versions it read."""
    as_of = date.fromisoformat(evidence["as_of"])
    pinned = {**evidence["beside"], **evidence["parents"]}
    made = Walk(walk.city, as_of, walk.home, walk.verify, pinned, evidence.get("coarsened", {}))
    waiting.restore(made, evidence)
    return made


def _chosen(measured: Measured, place: str | None, group: str | None) -> tuple[Estimate, ...]:
    names = {(g.id, k): n for g in measured.geographies for k, n in g.names.items()}

    def is_asked(e: Estimate) -> bool:
        here = e.cell.place if e.cell.geography != "all" else "all"
        if place is None:
            is_place = here == "all"
        else:
            is_place = place.casefold() in (here.casefold(), names.get((e.cell.geography, here), "").casefold())
        return is_place and (e.cell.group == (group or "all"))

    found = [e for e in measured.estimates if is_asked(e)]
    if not found:
        known = [*dict.fromkeys([*names.values(), *(e.cell.group for e in measured.estimates)])]
        what = f"{measured.measure} has no number for {place or 'the city'}{f', {group}' if group else ''}."
        raise Refused([Problem("", 0, "F106", what, did_you_mean(place or group or "", known))])
    return tuple(sorted(found, key=lambda e: (e.cell.period != measured.headline, e.cell.period)))


def _way(walk: Walk, parents: dict[str, int]) -> tuple[tuple[Step, ...], tuple[Input, ...]]:
    numbers = dict(parents)
    for name in reversed(walk.order):  # what a product was made of, version by version
        version = walk.lake.restricted(name, numbers[name]) if name in numbers else None
        numbers |= {n: v for n, v in (version.evidence["parents"] if version else {}).items() if n not in numbers}
    steps, inputs = [], []
    for name in (n for n in walk.order if n in numbers):
        version = walk.lake.restricted(name, numbers[name])
        if version is None:
            continue
        file = walk.city.products[name].folder / "contract.yaml"
        steps.append(Step(report.account(walk, name, version), shown(file), version.evidence["contract_sha256"]))
        inputs += [_input(walk, name, d) for d in version.evidence["deliveries"]]
    return tuple(steps), tuple(inputs)


def _input(walk: Walk, product: str, delivery: dict[str, str]) -> Input:
    parts = _parts(walk, product, delivery["file"])
    state: FileState = "gone" if not parts else "same" if sha256(*parts) == delivery["sha256"] else "changed"
    return Input(product, delivery["file"], delivery["sha256"], int(delivery["read"]), state, bool(delivery["refused"]))


def _parts(walk: Walk, product: str, name: str) -> list[Path]:
    folders = (walk.data(product), walk.city.products[product].folder)
    file = next((f for folder in folders if (f := folder / name).is_file()), None)
    return walk.sources[product].parts(file) if file else []


def _has_new(walk: Walk, steps: Sequence[Step], inputs: Sequence[Input]) -> bool:
    # A delivery that came since would be read too.
    read = {part for i in inputs for part in _parts(walk, i.product, i.file)}
    return any(set(walk.files(step.account.product)) - read for step in steps)


def _again(walk: Walk, name: str, source: Literal["files", "versions"]) -> tuple[str, str]:
    try:
        if source == "versions":
            return _release_sha256(walk, name), ""
        with tempfile.TemporaryDirectory(dir=walk.scratch) as folder:
            home = walk.lake.folder.parent
            fresh = Walk(walk.city, walk.as_of, Path(folder), coarsened=walk.coarsened, replayed=home)
            fresh.known = walk.known
            flow.run(fresh, [name])
            made = fresh.lake.open(name)
            return (made.evidence["release_sha256"] if made else ""), ""
    except Refused as refused:
        return "", refused.problems[0].what


def _destroyed(walk: Walk, steps: Sequence[Step]) -> str:
    """Which certificate says that rows of a number were destroyed, in words; empty when they are all there."""
    certificates = Certificates(walk.lake.folder.parent)
    for product, version in ((s.account.product, s.account.version) for s in steps):
        # A city that was put back from a backup may give the number of a destroyed version to another one.
        if version is None or walk.lake.has_rows(product, version):
            continue
        if (found := certificates.of(product, version)) is not None:
            day = str(found.told["begun_at"])[:10]
            return f"the rows of version {version} of {product} were destroyed on {day}: certificate {found.number}"
    return ""


def _erasures(walk: Walk, steps: Sequence[Step]) -> list[Certificate]:
    """The certificates by which people were erased from what a number was made of, also before it was made."""
    certificates = Certificates(walk.lake.folder.parent)
    return [c for s in steps for c in certificates.erased(s.account.product)]


def _erased(walk: Walk, steps: Sequence[Step]) -> str:
    """Which certificate says that a person was taken out of the rows of a number since, in words; else empty."""
    versions = {(s.account.product, s.account.version) for s in steps}
    for certificate in Certificates(walk.lake.folder.parent).all():
        if found := versions & set(certificate.changed()):
            product, version = min(found, key=str)
            day = str(certificate.told["begun_at"])[:10]
            what = f"a person was erased from version {version} of {product} on {day}"
            return f"{what}: certificate {certificate.number}"
    return ""


def _release_sha256(walk: Walk, name: str) -> str:
    protected, failed = flow.protect_numbers(walk, walk.together(name))
    if name not in protected:
        raise Refused([p for m in failed for p in m.problems])
    return estimating.sha256(protected[name][2].estimates)


def _difference(walk: Walk, evidence: lake.Evidence, declaration: Path, steps: Sequence[Step]) -> str:
    if lake.text_sha256(declaration) != evidence["declaration_sha256"]:
        return "the measure's declaration has changed since"
    if walk.code != evidence["code"]:
        return "it was made by another version of the code"
    for step in steps:
        product = walk.city.products[step.account.product]
        if lake.text_sha256(product.folder / "contract.yaml") != step.contract_sha256:
            return f"the contract of {product.name} has changed since"
    return "the city's file, how a product is made, or another measure of the product has changed since"
