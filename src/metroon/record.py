"""Record: what leaves is written into the ledger first, looked at beside all that left before, and settled after."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metroon import lake
from metroon.base.errors import Problem, Refused
from metroon.base.estimate import ALL
from metroon.base.period import GRAINS, grain_of
from metroon.base.sql import expression
from metroon.guard import exposure
from metroon.guard.ledger import WHOLE, Entry, Release, Told, kin, tells, to_read, told, union

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from metroon.base.estimate import Cell, Estimate
    from metroon.city import Contract
    from metroon.guard import Guarded, Technique
    from metroon.guard.ledger import Surface, Union
    from metroon.guard.system import Name, Proof
    from metroon.lake import Evidence, Open, Version
    from metroon.measure import Indicator
    from metroon.walk import Walk

ADOPT = "metroon guard audit --adopt --by NAME"
_MOST_NAMED = 5
"""Cells that one problem names."""


def now() -> str:
    """The time, as the ledger writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


# Whether the ledger is whole


def settle(walk: Walk, population: Iterable[str]) -> None:
    """Find out what became of releases that a run left open, and whether the ledger knows all that was published.

    Args:
        walk: The city; its ledger is held alone.
        population: The products whose people something is to be published of.

    Raises:
        Refused: Something was published of these people that the ledger does not know, or it cannot be told.
    """
    ledger, asked = walk.ledger, set(population)
    book = Book.of(walk)
    found_open, unreadable = published(walk)
    found: list[Problem] = []
    for name, versions in found_open.items():
        for number, evidence in versions.items():
            entry = told_by(walk, book, name, number, evidence)
            if entry is None and "ledger" not in evidence and _are_things(walk, name):
                ledger.adopt(as_published(walk, name, evidence), number, time=now())
            elif entry is None or is_bare(walk, entry):
                found += _unknown(walk, name, evidence, asked)
            elif entry.state == "pending":
                ledger.confirm(entry.seq, number, time=now())
    for entry in (e for e in ledger.entries() if e.state == "pending"):
        if entry.release.name not in unreadable:
            ledger.void(entry.seq, time=now())
        elif asked & set(entry.release.population):
            what = f"whether {entry.release.name} was published when a run was cut off cannot be told."
            fix = "Restore its folder below .metroon/lake/open from a backup; until then nothing of it is published."
            found.append(Problem(str(ledger.file), 0, "G124", what, fix))
    if found:
        raise Refused(found)


def published(walk: Walk) -> tuple[dict[str, dict[int, Evidence]], set[str]]:
    """The open versions of every name that can be read, and the names that cannot."""
    published: dict[str, dict[int, Evidence]] = {}
    unreadable: set[str] = set()
    for name in walk.lake.published():
        try:
            gone = {n: told["evidence"] for n, told in walk.lake.withdrawn(name).items()}
            published[name] = gone | walk.lake.history(name, "open")
        except Refused:
            unreadable.add(name)
    return published, unreadable


@dataclass(frozen=True)
class Book:
    """The entries of the ledger, to be asked of published versions.

    Args:
        entries: Number -> entry.
        adopted: Name, edition and content -> the entry by which a version was taken in.
    """

    entries: Mapping[int, Entry]
    adopted: Mapping[tuple[str, int, str], Entry]

    @classmethod
    def of(cls, walk: Walk) -> Book:
        """What the ledger of a city says now."""
        every = walk.ledger.entries()
        taken = {(e.release.name, e.edition, e.release.content): e for e in every if e.state == "adopted"}
        return cls({e.seq: e for e in every}, taken)


def told_by(walk: Walk, book: Book, name: str, number: int, evidence: Evidence) -> Entry | None:
    """The entry of a published version; None when there is none, or another than it names."""
    taken = book.adopted.get((name, number, content(evidence)))
    mark = evidence.get("ledger")
    if taken is not None or mark is None or walk.ledger.mark(mark["seq"]) != mark["sha256"]:
        return taken
    entry = book.entries[mark["seq"]]
    return entry if entry.release.name == name else None


def is_bare(walk: Walk, entry: Entry) -> bool:
    """Whether a release left as one of things, and by today's contract people stand behind it: it has no proof."""
    told, contract = entry.release, walk.contracts.get(entry.release.product)
    is_personal = contract is not None and contract.unit != "none"
    return is_personal and entry.state != "adopted" and not told.proof and not told.columns


def content(evidence: Evidence) -> str:
    """The hash by which a published version is known."""
    return str(evidence.get("release_sha256") or evidence["key"])


def _unknown(walk: Walk, name: str, evidence: Evidence, asked: set[str]) -> Iterator[Problem]:
    file, mark = str(walk.ledger.file), evidence.get("ledger")
    if mark and walk.ledger.mark(mark["seq"]) != mark["sha256"]:
        what = f"the ledger is missing, was cut short or is another one: {name} was published, and it does not say so."
        fix = (
            "Put the folder .metroon/ledger back from a backup. When there is none, a person who answers for it takes "
            f"in what can still be read: {ADOPT}"
        )
        yield Problem(file, 0, "G120", what, fix)
        return
    people = people_of(walk, name)
    if people is None or asked & set(people):
        what = f"{name} was published without a proof, before there was a ledger or as things, and people are counted."
        yield Problem(file, 0, "G121", what, f"Let a person who answers for it take it in: {ADOPT}")


def as_published(walk: Walk, name: str, evidence: Evidence) -> Release:
    """What the ledger keeps of a version that was published without it, as far as the version itself tells."""
    product = str(evidence.get("product") or evidence.get("declared", {}).get("of", name))
    code = " ".join(map(str, evidence.get("code", {}).values()))
    surface: Surface = "measure" if "measure" in evidence else "table" if evidence.get("surface") == "table" else "rows"
    as_of = str(evidence["as_of"])
    return Release(name, surface, walk.population(product), product, as_of, content(evidence), code=code)


def _are_things(walk: Walk, name: str) -> bool:
    people = people_of(walk, name)
    return people is not None and not are_people(walk, people)


def people_of(walk: Walk, name: str) -> tuple[str, ...] | None:
    """The population of a measure or product; None when nothing of that name is declared any more."""
    if name in walk.indicators:
        return walk.population(walk.indicators[name].of)
    return walk.population(name) if name in walk.city.products else None


def are_people(walk: Walk, population: Iterable[str]) -> bool:
    """Whether somebody stands behind some rows of these products, for all that is declared."""
    return any(walk.contracts[p].unit != "none" for p in population if p in walk.contracts)


# What was told


def told_of(walk: Walk, releases: Iterable[Entry]) -> dict[str, Told]:
    """What some releases told, oldest first; proofs that a later one holds as a whole are not read.

    Raises:
        Refused: A proof is missing or was changed (G123).
    """
    return told([(e, walk.ledger.proof(e)) for e in to_read(releases)])


def live(walk: Walk, product: str) -> list[Entry]:
    """The releases of the people of a product that the world may have; of those left open, such as were published.

    Raises:
        Refused: The ledger is not what was written (G122).
    """
    every = kin(walk.ledger.entries(), walk.population(product))
    return [e for e in every if e.is_live and (e.state != "pending" or _has_left(walk, e))]


def _has_left(walk: Walk, entry: Entry) -> bool:
    try:
        marks = [evidence.get("ledger") or {} for evidence in walk.lake.history(entry.release.name, "open").values()]
    except Refused:
        return True  # it cannot be told, so it may have
    return any(mark.get("seq") == entry.seq for mark in marks)


def next_edition(walk: Walk, name: str) -> int:
    """The number of the next edition of a measure or table: one that none had, also when versions were taken away."""
    last = walk.lake.open(name)
    own = [e for e in walk.ledger.entries() if e.release.name == name and e.is_live]
    # Where a lake was thrown away its versions count from 1 again; the world still has those before.
    return max([last.number if last else 0, len(own), *(e.edition for e in own)]) + 1


def earlier(walk: Walk, product: str, *, until: int | None = None) -> list[Proof]:
    """What was told of the people of a product before, oldest first: what a new release is protected together with.

    Args:
        walk: The city.
        product: The product.
        until: The last entry of the ledger that is taken, to make an old number again; all unless named.

    Raises:
        Refused: The ledger or a proof is not what was written (G122, G123).
    """
    entries = [e for e in live(walk, product) if until is None or e.seq <= until]
    return [t.known() for t in told_of(walk, entries).values()]


def together(walk: Walk, every: Sequence[Told]) -> Union:
    """All that was told, as one reader knows it.

    Raises:
        Refused: Proofs contradict each other (G123).
    """
    try:
        return union(every)
    except ValueError as error:
        what = f"the proofs that are kept do not fit together: {error}."
        fix = "Put the folder .metroon/ledger back from a backup, as a whole; until then nothing of it is published."
        raise Refused([Problem(str(walk.ledger.file), 0, "G123", what, fix)]) from error


# Publishing


@dataclass
class Record:
    """Releases that are made together, on their way out.

    Args:
        walk: The city.
        proofs: Measure or table -> the proof that it is part of; those of one proof are looked at together.
    """

    walk: Walk
    proofs: Mapping[str, Proof] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kept: dict[int, str] = {}
        self._covers: dict[str, tuple[str, ...]] = {}
        self._verdicts: dict[tuple[str, ...], bool] = {}

    def publish(self, guarded: Guarded, evidence: Evidence, release: Release) -> Version[Open]:
        """Reserve, publish, confirm.

        Args:
            guarded: What leaves.
            evidence: What its version says of its making.
            release: What the ledger keeps of it; its proof is added.

        Raises:
            Refused: The ledger is not whole, or together with what was published it would give somebody away.
        """
        walk, ledger = self.walk, self.walk.ledger
        with ledger.alone():
            settle(walk, release.population)
            before = live(walk, release.product)
            release = self._proven(release, before)
            self._refuse_what_rows_tell(release, before)
            mark = ledger.reserve(release, time=now())
            try:
                version = walk.lake.publish(guarded, {**evidence, "ledger": {"seq": mark.seq, "sha256": mark.sha256}})
            except Refused:
                settle(walk, ())
                raise
            ledger.confirm(mark.seq, version.number, time=now())
            return version

    def _proven(self, release: Release, known: Sequence[Entry]) -> Release:
        proof = self.proofs.get(release.name)
        if proof is None or not are_people(self.walk, release.population):
            return release
        if failing := len(proof.suppression.failing):
            what = f"{failing} numbers of {release.name} could be worked out, so it is not published."
            raise Refused([self._problem(release, "G128", what)])
        if id(proof) not in self._kept:
            self._kept[id(proof)] = self.walk.ledger.keep(proof)
        sha256 = self._kept[id(proof)]
        same = (release.name, release.content, sha256)
        before = {s: t for s, t in told_of(self.walk, known).items() if s != sha256}
        if sha256 not in self._covers:
            self._covers[sha256] = tuple(s for s, t in before.items() if Told(proof, {}).covers(t))
        if same not in {(e.release.name, e.release.content, e.release.proof) for e in known}:
            self._refuse_what_gives_away(release, proof, sha256, before, known)
        return replace(release, proof=sha256, covers=self._covers[sha256])

    def _refuse_what_gives_away(
        self, release: Release, proof: Proof, sha256: str, before: Mapping[str, Told], known: Sequence[Entry]
    ) -> None:
        again = {e.release.name: e.seq for e in known if e.release.proof == sha256}

        def with_new(names: Iterable[str]) -> tuple[Union, list[int]]:
            numbers = {name: -1 - i for i, name in enumerate(names) if name not in again}
            every = [*before.values(), Told(proof, {**again, **numbers})]
            return together(self.walk, every), list(numbers.values())

        asked = (sha256, *before)
        if asked not in self._verdicts:
            # All that are made together first: when that is safe, each of them is.
            self._verdicts[asked] = not exposure.newly_exposed(
                *with_new(n for n, p in self.proofs.items() if p is proof)
            )
        if self._verdicts[asked]:
            return
        every, new = with_new([release.name])
        found = exposure.newly_exposed(every, new)
        if not found:
            return
        labels = {e.seq: e.label for e in known}
        others = [labels[s] for s in exposure.givers(every, found[0].cell) if s in labels]
        named = "; ".join(in_words(e.name) for e in found[:_MOST_NAMED])
        more = f", and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        beside = f"together with {', '.join(others)}, " if others else ""
        what = f"{beside}{release.name} would give away what is withheld: {named}{more}."
        raise Refused([self._problem(release, "G125", what)])

    def _refuse_what_rows_tell(self, release: Release, known: Sequence[Entry]) -> None:
        own = Entry(0, "", "pending", 0, release)
        for e in known:
            opened, measured = (own, e) if release.surface == "rows" else (e, own)
            if are_told(self.walk, opened, measured):
                what = (
                    f"the open rows of {opened.release.name} have the columns by which anybody can count what "
                    f"{measured.release.name} withholds, so {release.name} is not published."
                )
                raise Refused([self._problem(release, "G126", what)])

    def _problem(self, release: Release, code: str, what: str) -> Problem:
        city = self.walk.city
        if release.name in city.measures:
            fix = (
                f"Count longer periods or leave a breakdown out in measures/{release.name}.yaml. "
                f"What would leave, and what would help: metroon guard {release.name}"
            )
            return Problem(city.measures[release.name].node.file, 1, code, what, fix)
        fix = f"Coarsen or drop a column in product.yaml. What would leave: metroon guard {release.name}"
        return Problem(city.products[release.name].collect.file, 1, code, what, fix)


def are_told(walk: Walk, opened: Entry, measured: Entry) -> bool:
    """Whether open rows tell what a measure withholds: they may be the same rows, and have the columns for it."""
    rows, numbers = opened.release, measured.release
    return (
        rows.surface == "rows"
        and bool(rows.columns)
        and bool(tells(rows.columns, numbers.tells))
        and _shares_rows(walk, rows.product, numbers.product)
    )


def _shares_rows(walk: Walk, one: str, other: str) -> bool:
    """Whether the rows of one product may be those of another: they are the same, or one is made of the other."""

    def made_of(name: str) -> set[str]:
        found: set[str] = set()
        todo = {name}
        while todo:
            found |= todo
            read = (walk.sources[n].reads(walk.city.products[n].folder) for n in todo if n in walk.city.products)
            todo = {p for parents in read for p in parents} - found
        return found

    return one in made_of(other) or other in made_of(one)


def in_words(name: Name) -> str:
    """What a cell is, for people.

    Example:
        >>> in_words(("stay_count", "yes", "2025", "ward", "north", "all", "all", "1"))
        'stay_count (yes) in 2025, ward north'
    """
    measure, component, period, geography, place, dimension, group, *_ = (*name, *("",) * 8)
    told = [f"in {period}" if period not in (ALL, "") else "at all times"]
    told += [f"{geography} {place}"] if geography not in (ALL, "") else []
    told += [f"{dimension} {group}"] if dimension not in (ALL, "") else []
    words = f"{measure} ({component}) {', '.join(told)}"
    # Names of slivers hold a sign that no geography has.
    return "".join(c if c.isprintable() else " + " for c in words)


# What an entry says


def of_measure(
    walk: Walk, name: str, indicator: Indicator, estimates: Sequence[Estimate], *, sha256: str, minimum: int
) -> Release:
    """What the ledger keeps of a measure's release, but for its proof."""
    hidden = [e.cell for e in estimates if e.state == "hidden"]
    contract, folder = walk.contracts[indicator.of], walk.city.folder
    is_personal = contract.unit != "none"
    return Release(
        name,
        "measure",
        walk.population(indicator.of),
        indicator.of,
        walk.as_of.isoformat(),
        sha256,
        contract=lake.text_sha256(folder / "products" / indicator.of / "contract.yaml"),
        declaration=lake.text_sha256(folder / "measures" / f"{name}.yaml"),
        code=code(walk),
        minimum=minimum,
        cells=sum(e.value is not None for e in estimates) + len(hidden),
        hidden=len(hidden),
        tells=tuple(_counted_by(indicator, contract, hidden)) if is_personal else (),
    )


def of_rows(walk: Walk, guarded: Guarded, techniques: Sequence[Technique], key: str) -> Release:
    """What the ledger keeps of rows that leave: which columns, and how coarse."""
    contract, folder = walk.contracts[guarded.name], walk.city.products[guarded.name].folder
    coarse = {t.column: to for t in techniques if (to := str(getattr(t, "to", ""))) in GRAINS}
    is_personal = contract.unit != "none"
    return Release(
        guarded.name,
        "rows",
        walk.population(guarded.name),
        guarded.name,
        walk.as_of.isoformat(),
        key,
        contract=lake.text_sha256(folder / "contract.yaml"),
        declaration=lake.text_sha256(folder / "product.yaml"),
        code=code(walk),
        minimum=walk.minimum_cell(contract),
        columns={c: coarse.get(c, WHOLE) for c in guarded.rows.columns} if is_personal else {},
    )


def of_table(walk: Walk, name: str, cells: Iterable[Cell], hidden: Iterable[Cell], *, sha256: str) -> Release:
    """What the ledger keeps of a table with totals, but for its proof.

    Args:
        walk: The city.
        name: The product that is counted.
        cells: What is published.
        hidden: Those of them that are withheld.
        sha256: The hash of what leaves.
    """
    contract, folder, withheld = walk.contracts[name], walk.city.products[name].folder, list(hidden)
    return Release(
        name,
        "table",
        walk.population(name),
        name,
        walk.as_of.isoformat(),
        sha256,
        contract=lake.text_sha256(folder / "contract.yaml"),
        declaration=lake.text_sha256(folder / "product.yaml"),
        code=code(walk),
        minimum=walk.minimum_cell(contract),
        cells=len(list(cells)),
        hidden=len(withheld),
        tells=tuple(_tabled_by(contract, withheld)) if contract.unit != "none" else (),
    )


def code(walk: Walk) -> str:
    """Which code made a release."""
    return f"{walk.code['version']} {walk.code['sha256']}"


def _counted_by(indicator: Indicator, contract: Contract, hidden: Iterable[Cell]) -> Iterator[dict[str, str]]:
    """For each kind of withheld cell, the columns that it takes to count it from the rows."""
    own = {column: WHOLE for _, column in indicator.reads()}
    for sql in (indicator.among or "", *(e.sql for e in indicator.expressions())):
        own |= dict.fromkeys(expression(sql), WHOLE) if sql else {}
    kinds = sorted({(grain_of(c.period), c.geography, c.dimension) for c in hidden})
    for grain, geography, dimension in kinds:
        columns = dict(own)
        if indicator.period is not None and grain != ALL:
            columns[indicator.period.column] = grain
        group = indicator.group(dimension)
        if group is not None:
            columns[group.by] = WHOLE
        for place in _placed_by(contract, geography):
            yield columns | dict.fromkeys(place, WHOLE)


def _tabled_by(contract: Contract, hidden: Iterable[Cell]) -> Iterator[dict[str, str]]:
    """For each kind of withheld cell of a table, the columns that it takes to count it from the rows."""
    for grain, geography, by in sorted({(_grain(c.period), c.geography, c.dimension) for c in hidden}):
        columns = dict.fromkeys((c for c in by.split("*") if c != ALL), WHOLE)
        if contract.event_time and grain != ALL:
            columns[contract.event_time] = grain
        for place in _placed_by(contract, geography):
            yield columns | dict.fromkeys(place, WHOLE)


def _grain(period: str) -> str:
    """How long a period is; that of all periods together is told by months."""
    try:
        return grain_of(period)
    except KeyError:
        return "month"  # from the first period of a table to its last: no grain has that length


def _placed_by(contract: Contract, geography: str) -> list[tuple[str, ...]]:
    """The columns by which a row can be put into a geography, each way by itself."""
    if geography == ALL:
        return [()]
    layer = geography.partition(".")[0]
    keys = [(k.column,) for k in contract.geography_keys if k.layer in (geography, layer)]
    return [*keys, *([contract.point] if contract.point else []), (geography,)]
