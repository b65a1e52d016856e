"""One city being walked: its declarations made ready, its versions, its places, and what may be skipped."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import ibis
import shapely

import metroon
from metroon import conform, guard, lake, locate, measure
from metroon.base.account import Delivery
from metroon.base.engine import Engine, EngineKind
from metroon.base.errors import Problem, Refused
from metroon.base.estimate import ALL
from metroon.base.kinds import build
from metroon.base.kinds.duckdb import DuckDB
from metroon.base.lineage import Lineage
from metroon.base.node import Node, did_you_mean
from metroon.base.period import GRAINS
from metroon.base.period import name as period_of
from metroon.base.scratch import Scratch
from metroon.base.store import Store
from metroon.collect import FileSource, Known, Landing, RemoteSource, Source, sha256
from metroon.collect.deliveries import Unreadable
from metroon.collect.landing import LOCK
from metroon.guard import Technique, protocol, retention
from metroon.lake import Lake, Ledger, Open, Restricted, Version, removal
from metroon.lake.erasure import Certificates
from metroon.lake.suppression import Suppressions
from metroon.measure import Indicator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from metroon.base.engine import Counter, Relation
    from metroon.base.estimate import Estimate
    from metroon.base.places import Places
    from metroon.city import City, Contract, Product
    from metroon.conform import Checked
    from metroon.guard.system import Proof
    from metroon.lake.erasure import Certificate
    from metroon.measure.declared import GroupPeople

Told = Callable[[str, str], None]
"""Called with what is being done and to what, so that somebody who waits sees it."""
T = TypeVar("T")
_MANY = 32
"""From so many small parts on, what they hold is made again as one."""


@dataclass
class Walk:
    """One city being walked.

    Args:
        city: What was declared.
        as_of: The day taken for today.
        home: Where versions are kept; the city's own ``.metroon`` unless named.
        verify: Hash every file again, also those whose size and time of change are as last time.
        pinned: Product -> the version to read, to make an old number again; the newest unless named.
        coarsened: Measure -> how it was made coarser, to make an old number again; chosen anew unless named.
        told: Hears of each step.
        replayed: Another home whose landed files are read, so that nothing is fetched; this one's own unless named.

    Raises:
        Refused: Kinds or options are wrong, or products are made of each other; every fault at once.
    """

    city: City
    as_of: date
    home: Path | None = None
    verify: bool = False
    pinned: Mapping[str, int] = field(default_factory=dict)
    coarsened: Mapping[str, Sequence[str]] = field(default_factory=dict)
    told: Told = lambda verb, name: None
    replayed: Path | None = None

    def __post_init__(self) -> None:
        home = self.home = self.home or self.city.home
        self.engine = Engine()
        self.lake = Lake(home / "lake", self.engine)
        self.ledger = Ledger(home / "ledger")
        self.store = Store(home / "store.sqlite")
        self.cache = home / "cache"
        self.sources = sources(self.city)
        self.techniques = techniques(self.city)
        self.indicators = indicators(self.city)
        self.order = order(self.city, self.sources, self.techniques)
        self.contracts = _inherited(self.city, self.sources, self.order)
        self._kin = _kin(self.city, self.sources)
        self.code = {"version": metroon.__version__, "sha256": lake.code_sha256()}
        self.known: Sequence[Proof] | None = None
        """What was told of the people before, to make an old number again; what the ledger says unless given."""
        self.revised: dict[str, tuple[str, str]] = {}
        self.begun: dict[str, int] = {}  # measure -> how many steps it is coarsened at least, for what is beside it
        """Product -> a file of the rows that are counted, where some of the version wait, and the hash of these."""
        self._places: dict[str, Places] = {}
        self._overlaps: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self._hashed: dict[Path, str] = {}
        self.estimates: dict[str, tuple[Estimate, ...]] = {}
        """Source of a release -> its estimates, which are read once."""

    # Versions, places, files

    def version(self, product: str) -> Version[Restricted]:
        """The version of a product to read: the pinned one, else the newest.

        Raises:
            Refused: It has none.
        """
        version = self.lake.restricted(product, self.pinned.get(product))
        if version is None:
            what = f"{product} has no version yet."
            raise Refused([Problem(self.city.node.file, 0, "F101", what, f"Run it first: metroon run {product}")])
        return version

    def places(self, geography: str) -> Places:
        """A geography, cut from the rows of its product."""
        name = geography.partition(".")[0]
        if geography not in geographies(self.city):
            fix = did_you_mean(geography, geographies(self.city))
            raise Refused([Problem(self.city.node.file, 0, "M106", f"there is no geography '{geography}'.", fix)])
        if name not in self._places:
            declared, node = self.city.file.places[name], self.city.node.at("places", name)
            if declared.product not in self.contracts:
                fix = did_you_mean(declared.product, self.contracts)
                raise Refused([node.problem("P104", f"there is no product '{declared.product}'.", fix, "product")])
            rows = self.engine.rows(self.lake.read(self.version(declared.product)))
            outline = self.engine.rows(self.lake.read(self.version(declared.inside))) if declared.inside else None
            self._places |= locate.places(name, declared, node, self.contracts[declared.product], rows, outline)
        return self._places[geography]

    def has_places(self, geography: str) -> bool:
        """Whether the city still has a geography, and its areas have a version."""
        name = geography.partition(".")[0]
        declared = self.city.file.places.get(name)
        return (
            geography in geographies(self.city)
            and declared is not None
            and (self.lake.restricted(declared.product, self.pinned.get(declared.product)) is not None)
        )

    def extent(self) -> tuple[float, float, float, float] | None:
        """Where the city lies, in degrees: as declared, else what its kept places cover; None when nobody knows."""
        if self.city.file.extent is not None:
            return self.city.file.extent
        shapes: list[bytes] = []
        # Not through places(): it would keep what the run is about to make anew.
        for product in {p.inside or p.product for p in self.city.file.places.values()} & set(self.contracts):
            version = self.lake.restricted(product)
            if version is not None and self.contracts[product].column("geometry") is not None:
                rows = self.engine.rows(self.lake.read(version).select("geometry"))
                shapes += [bytes(r["geometry"]) for r in rows if r["geometry"]]
        if not shapes:
            return None
        west, south, east, north = shapely.total_bounds(shapely.from_wkb(shapes))
        return (float(west), float(south), float(east), float(north))

    def area_numbers(
        self, geography: str, columns: Sequence[str], at: Mapping[str, int]
    ) -> dict[str, dict[str, float]]:
        """Column -> area -> number, of the product that a geography is cut from.

        Args:
            geography: Its id.
            columns: Columns of the product.
            at: Product -> the version to read.
        """
        declared = self.city.file.places[geography.partition(".")[0]]
        kept = self.lake.restricted(declared.product, at.get(declared.product))
        rows = self.engine.rows(self.lake.read(kept or self.version(declared.product)).select(declared.key, *columns))
        return {c: {str(r[declared.key]): float(r[c]) for r in rows if r[c] is not None} for c in columns}

    def as_declared(self, name: str, version: Version[Open]) -> Indicator:
        """A measure as it was declared when a release was made."""
        declared, steps = version.evidence.get("declared"), version.evidence.get("coarsened", {}).get(name, ())
        if declared is None or declared == self.city.measures[name].node.value:
            return measure.coarsened(self.indicators[name], steps)
        try:
            made = build("measure", Node(declared, self.city.measures[name].node.file), Indicator, self.city.plugins)
            return measure.coarsened(made, steps)
        except Refused:
            return self.indicators[name]  # a word that this version of the code no longer knows

    def coarsenings(self, name: str) -> list[tuple[tuple[str, ...], Indicator]]:
        """The ways in which a measure may be released, with their steps: from fine to coarse, none finer than last."""
        indicator = self.indicators[name]
        if name in self.coarsened:
            return [(tuple(self.coarsened[name]), measure.coarsened(indicator, self.coarsened[name]))]
        least = max(measure.beginning(indicator, self.last_steps(name)), self.begun.get(name, 0))
        return list(measure.every_coarsening(indicator)[least:])

    def last_steps(self, name: str) -> Sequence[str]:
        """How the last release of a measure was made coarser than it was declared."""
        last = self.lake.open(name)
        return list(last.evidence.get("coarsened", {}).get(name, ())) if last is not None else []

    def overlaps(self, geographies: Sequence[Places]) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """Which places share ground, for each pair of geographies."""
        for a, b in combinations(geographies, 2):
            if (a.id, b.id) not in self._overlaps:
                self._overlaps[a.id, b.id] = locate.overlaps(a, b)
        return {(a.id, b.id): self._overlaps[a.id, b.id] for a, b in combinations(geographies, 2)}

    def file_sha256(self, file: Path) -> str:
        """The hash of a file; remembered while its size and time of change stay the same."""
        if file not in self._hashed:
            stat = file.stat()
            known = None if self.verify else self.store.seen(str(file), stat.st_size, stat.st_mtime_ns)
            try:
                self._hashed[file] = known or sha256(file)
            except OSError as error:
                what, fix = f"it cannot be opened: {error.strerror}.", "Give this program the right to read it."
                raise Refused([Problem(str(file), 0, "D102", what, fix)]) from None
            if known is None:
                self.store.saw(str(file), stat.st_size, stat.st_mtime_ns, self._hashed[file])
        return self._hashed[file]

    def minimum_cell(self, contract: Contract) -> int:
        """The smallest group that may be shown: the stricter of the city's and the contract's."""
        return max(self.city.file.thresholds.minimum_cell, contract.minimum_cell or 0)

    # What may be used

    def gate(self, product: str) -> list[Problem]:
        """What keeps a product from being published: undecided columns, or no protocol that the public could answer."""
        contract = self.contracts[product]
        if self.pinned:
            return guard.gate(contract)  # what was published is made again, and nothing new leaves
        before = self._lived(product)
        waits = protocol.gate(contract, self.city.protocols, as_of=self.as_of, before=before)
        return [*guard.gate(contract), *waits, *self.contract_breaks(product)]

    def kept_protocol(self, product: str) -> dict[str, Any] | None:
        """What a version keeps of the protocol under which it goes out; None where nobody stands behind a row."""
        contract, before = self.contracts[product], self._lived(product)
        if not protocol.is_personal(contract):
            return None
        found = protocol.permitting(contract, self.city.protocols, as_of=self.as_of, before=before)
        return protocol.kept(contract, found) if found else None

    def _lived(self, product: str) -> protocol.Lived | None:
        """What held when something of a product last went out, be it rows or a measure."""
        told = []
        for name in (product, *(n for n, i in self.indicators.items() if i.of == product)):
            try:
                version = self.lake.open(name)
            except Refused:
                continue  # a table that cannot be read stops itself alone
            if version is not None and version.evidence.get("protocol"):
                told.append(version.evidence)
        last = max(told, key=lambda evidence: str(evidence["made_at"]), default=None)
        return protocol.Lived.read(last["protocol"]) if last else None

    # What is kept no longer

    def without_destroyed(self, checked: Checked) -> Checked:
        """Rows as they were read, without those that were destroyed: a file that still holds them brings none back."""
        contract, certificates = checked.contract, Certificates(self.lake.folder.parent)
        checked = self._without_erased(checked, certificates.erased(contract.name))
        found = certificates.retained(contract.name)
        for certificate in found:
            gone = partial(
                retention.destroyed,
                certificate=certificate.told,
                contract=contract,
                deliveries=checked.deliveries,
            )
            checked = conform.without(self.engine, checked, gone, retention.reason(certificate.number))
        return conform.without_records(checked) if found else checked

    def _without_erased(self, checked: Checked, found: Sequence[Certificate]) -> Checked:
        """Rows without those of people who were erased, and that no file brings back.

        Raises:
            Refused: The list of who was erased is missing (L122), or the column with their key is (L125).
        """
        if not found:
            return checked
        suppressions, contract = Suppressions(self.lake.folder.parent), checked.contract
        every = [suppressions.of(c.number) for c in found]
        for column in dict.fromkeys(str(c.told["column"]) for c in found):
            known = next((c for c in (column, contract.person_key) if c and contract.column(c) is not None), None)
            if known is None:
                what = f"people were erased from {contract.name} by '{column}', which is no column any more."
                fix = f"Keep the column, or name the one that tells people apart now as personKey of {contract.name}."
                raise Refused([contract.node.problem("L125", what, fix, "schema")])
            own = [e for e, c in zip(every, found, strict=True) if c.told["column"] == column]
            checked = removal.suppressed(self.engine, checked, known, own, self.scratch)
        return checked

    def drop_landed(self, name: str) -> None:
        """Keep no copy of what a remote source has, where it may bring somebody back who was erased.

        Whatever lies there was read into a version; the next run fetches all of it again.
        """
        landing = self.landing(name)
        if self.replayed is None and landing.folder.is_dir() and Certificates(self.lake.folder.parent).erased(name):
            with landing.alone():
                for file in landing.folder.iterdir():
                    if file.is_file() and file.name != LOCK:
                        file.unlink()

    # What is made of what

    def upstream(self, product: str) -> set[str]:
        """The products that must be walked before this one."""
        return upstream(self.city, self.sources, self.techniques, self.city.products[product])

    def lineage(self, product: str) -> tuple[guard.Traced, ...]:
        """Where the class of each column of a product comes from."""
        declared, source = self.city.products[product], self.sources[product]
        parents = sorted(source.reads(declared.folder) & set(self.contracts))
        columns = {p: [c.name for c in self.contracts[p].columns] for p in parents}
        told = source.lineage(declared.folder, columns) if parents else Lineage()
        return guard.trace(declared.contract, [self.contracts[p] for p in parents], told)

    def needs(self, name: str) -> set[str]:
        """The products that a measure reads: what it counts, the areas it is broken down by, and who lives there."""
        indicator = self.indicators[name]
        own = {people.of for _, people in _peoples(indicator)}
        homes = [p.geography for _, p in _peoples(indicator) if p.geography]
        return {indicator.of, *areas(self.city, [*indicator.places, *homes]), *own}

    def cubes(self, names: Iterable[str]) -> list[list[str]]:
        """Measures that one pass over the rows can count: those of the same rows by the same date."""
        found: dict[tuple[str, str, str], list[str]] = {}
        for name in names:
            indicator = self.indicators[name]
            column = indicator.period.column if indicator.period else ""
            own = name if indicator.has_own_rows else ""
            found.setdefault((indicator.of, column, own), []).append(name)
        return list(found.values())

    def rows(self, version: Version[Restricted]) -> Relation:
        """The rows of a version that are counted, for the engine that counts."""
        return self.counter.parquet([f for files in self.counted(version).values() for f in files])

    def counted(self, version: Version[Restricted]) -> dict[str, list[str]]:
        """What the rows that are counted are made of: a name that no other rows have -> the files of these rows."""
        if version.name not in self.revised:
            return self.parts(version)
        file, waiting = self.revised[version.name]
        return {f"{version.source} without {waiting}": [file]}

    def parts(self, version: Version[Any]) -> dict[str, list[str]]:
        """What the rows of a version are made of: a name that no other rows have -> the files of these rows."""
        files = self.lake.files(version)
        parts = [p for p in self.lake.parts(version) if p.files]
        if not parts or sorted(f for p in parts for f in p.files) != sorted(files):
            return {version.source: files}
        # With the names of its files, so that rows which were made again are never taken for those before.
        return {f"{p.key} {' '.join(Path(f).name for f in p.files)}": list(p.files) for p in parts}

    @cached_property
    def scratch(self) -> Path:
        """A folder that is gone with the walk."""
        begun = Scratch.begin(self.lake.folder.parent)
        weakref.finalize(self, begun.end)
        return begun.folder

    @cached_property
    def counter(self) -> Counter:
        """The engine that counts the rows of measures: this process's own unless the city names another.

        Raises:
            Refused: There is no such engine, a package is not installed, or it does not start.
        """
        kind = counting(self.city)
        return self.engine if isinstance(kind, DuckDB) and kind.memory_limit is None else kind.start()

    def close(self) -> None:
        """Let go of the engine that counts, with its workers when it has any."""
        if "counter" in self.__dict__ and self.counter is not self.engine:
            self.counter.close()

    def people(
        self, indicator: Indicator, at: Mapping[str, int] | None = None
    ) -> dict[str, dict[tuple[str, str], float]]:
        """Dimension -> (place, group) -> residents, where a measure declares them; place ``all`` for the whole city.

        Args:
            indicator: The measure.
            at: Product -> the version to read; those that a run reads unless named.
        """
        found: dict[str, dict[tuple[str, str], float]] = {}
        for by, people in _peoples(indicator):
            kept = self.lake.restricted(people.of, at[people.of]) if at and people.of in at else None
            rows = self.lake.read(kept or self.version(people.of))
            if people.where:
                rows = self.engine.with_column(rows, "_where", f"cast(({people.where}\n) as boolean)")
                rows = rows.filter(rows["_where"])
            place = rows[people.place].cast("string") if people.place else ibis.literal(ALL)
            told = rows.select(
                _place=place, _group=rows[people.group].cast("string"), _n=rows[people.column].cast("float64")
            )
            counted = told.group_by("_place", "_group").aggregate(n=told["_n"].sum(), lacks=told["_n"].isnull().sum())
            found[by] = {
                (r["_place"], r["_group"]): float(r["n"])
                for r in self.engine.rows(counted)
                if not r["lacks"] and r["n"] is not None
            }
        return found

    def homes(self, indicator: Indicator) -> dict[str, str]:
        """Dimension -> the geography of the places by which its residents are told."""
        return {by: p.geography or "" for by, p in _peoples(indicator) if p.place and p.geography}

    def together(self, name: str) -> list[str]:
        """The measures released together with one, this one too.

        They count the same product, or products that are made of each other: the same people may be in all of them,
        so what one hides another must not tell.
        """
        kin = self._kin.get(self.indicators[name].of, {name})
        return sorted(n for n, i in self.indicators.items() if n == name or i.of in kin)

    def population(self, product: str) -> tuple[str, ...]:
        """The products in which the people of one product may be, itself too."""
        return tuple(sorted(self._kin.get(product, {product})))

    def tables(self, population: Iterable[str]) -> list[str]:
        """The products among some that leave as a table with totals."""
        known = (p for p in population if p in self.contracts)
        return sorted(p for p in known if self.contracts[p].mode == "table" and self.city.products[p].table)

    def is_of_mode(self, product: str, evidence: Mapping[str, Any]) -> bool:
        """Whether a published version of a product is of the kind that its contract says today: rows, or a table."""
        mode = self.contracts[product].mode
        return mode != "aggregate" and (mode == "table") == (evidence.get("surface") == "table")

    def groups(self, measures: Iterable[str], products: Iterable[str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """What is released together: the measures and the tables of the same people, for each of some of them."""
        people = {self.population(self.indicators[n].of) for n in measures}
        people |= {self.population(p) for p in self.tables(products)}
        return sorted(
            (tuple(sorted(n for n, i in self.indicators.items() if i.of in of)), tuple(self.tables(of)))
            for of in people
        )

    def wanted(self, names: Sequence[str]) -> tuple[set[str], list[str]]:
        """The products and measures that some names mean, with all that they need; no names mean all.

        Raises:
            Refused: A name is unknown.
        """
        unknown = [n for n in names if n not in self.city.products and n not in self.indicators]
        if unknown:
            at, known = self.city.node.file, [*self.city.products, *self.indicators]
            raise Refused(
                Problem(at, 0, "F104", f"there is no product or measure '{n}'.", did_you_mean(n, known))
                for n in unknown
            )
        if not names:
            return set(self.city.products), sorted(self.indicators)
        asked = [
            n for n, i in self.indicators.items()
            if n in names or i.of in names or {*names} & {*self.tables(self.population(i.of))}
        ]  # fmt: skip
        measures = sorted({m for n in asked for m in self.together(n)})
        todo = ({*names} | {p for m in measures for p in self.needs(m)}) & set(self.city.products)
        todo |= {p for m in measures for p in self.tables(self.population(self.indicators[m].of))}
        while more := {u for n in todo for u in self.upstream(n)} - todo:
            todo |= more
        return todo, measures

    def product_faults(self, name: str) -> list[Problem]:
        """Names in a product's declaration that mean nothing, and what breaks its last edition unannounced."""
        return [*names_faults(self.city, self.city.products[name], self.sources[name]), *self.contract_breaks(name)]

    def new_headers(self, name: str, known: Iterable[str]) -> dict[tuple[str, str], list[str]]:
        """(File, hash) of each delivery that was not seen before -> its headers; those that can be read at all.

        Args:
            name: The product.
            known: Hashes of the deliveries that were seen before.
        """
        source, data, seen = self.sources[name], self.data(name), set(known)
        found: dict[tuple[str, str], list[str]] = {}
        if not isinstance(source, FileSource):
            return found
        for file in source.deliveries(data):
            parts = source.parts(file)
            try:
                hashed = self.file_sha256(file) if parts == [file] else sha256(*parts)
                if hashed not in seen:
                    found[file.relative_to(data).as_posix(), hashed] = source.headers(file)
            except (Unreadable, Refused, OSError):
                continue  # told when it is read
        return found

    def contract_breaks(self, name: str) -> list[Problem]:
        """Breaking changes of a product's contract since its last version, without a new major version."""
        last = self.lake.restricted(name) if name in self.city.products else None
        kept = last.evidence.get("contract") if last else None
        return conform.breaks(kept, self.city.products[name].contract, last.number) if last and kept else []

    def measure_faults(self, name: str) -> list[Problem]:
        """What is wrong with a measure as it is declared."""
        indicator = self.indicators[name]
        found = list(measure.faults(indicator, self.city.measures[name].node, known(self.city, self.as_of)))
        for place in dict.fromkeys(p.partition(".")[0] for p in indicator.places if indicator.needs_people):
            if place in self.city.file.places:
                found += measure.vintage_faults(self.city.file.places[place], self.city.node.at("places", place))
        return found

    # What need not be read again

    def made_by(self, name: str) -> str:
        """The key of everything but the files that decides which rows a delivery brings."""
        product = self.city.products[name]
        certificates = Certificates(self.lake.folder.parent)
        gone = [*(c.number for c in certificates.retained(name)), *certificates.lifted(name)]
        return lake.key({
            "declared": lake.text_sha256(product.folder / "contract.yaml", product.folder / "product.yaml"),
            "city": lake.text_sha256(self.city.folder / "city.yaml"),
            "extent": self.extent(),
            "destroyed": gone,
            "code": self.code,
        })  # fmt: skip

    def before(self, name: str) -> conform.Before | None:
        """What the newest version of a product has of deliveries that are as they were; None when nothing of it is."""
        last = self.lake.restricted(name)
        told = {str(d["file"]): str(d["sha256"]) for d in last.evidence["deliveries"]} if last else {}
        if last is None or not last.evidence.get("parts") or not isinstance(self.sources[name], FileSource):
            return None
        every, made_by = self.lake.parts(last), self.made_by(name)
        stay = [p for p in every if p.made_by == made_by and self._is_as_it_was(name, p, told)]
        small = [p for p in stay if p.kept < conform.LARGE]
        if len(small) > _MANY:  # together they are one part again
            stay = [p for p in stay if p.kept >= conform.LARGE]
        if not stay or (len(stay) < len(every) and any(p.repeats for p in stay)):
            return None  # rows that repeat one which went come back
        aside = [f for p in stay for f in p.aside]
        rows = self.engine.parquet([f for p in stay for f in p.files])
        return conform.Before(
            tuple(stay), rows, self.engine.parquet(aside) if aside else self.lake.set_aside(last).limit(0)
        )

    def known_deliveries(self, name: str, before: conform.Before | None) -> dict[str, Known]:
        """Delivery -> what it was, for those whose rows a version has already."""
        last = self.lake.restricted(name)
        told = {str(d["file"]): Delivery(**d) for d in last.evidence["deliveries"]} if last else {}
        parts = before.parts if before else ()
        return {f: Known(told[f], p.unnamed.get(f, ())) for p in parts for f in p.deliveries}

    def _is_as_it_was(self, name: str, part: conform.Part, told: Mapping[str, str]) -> bool:
        if part.as_of > self.as_of.isoformat() or (part.waits and part.as_of != self.as_of.isoformat()):
            return False
        files = [self.data(name) / file for file in part.deliveries]
        return all(
            f.is_file() and sha256(*self.sources[name].parts(f), hashed=self.file_sha256) == told.get(d)
            for f, d in zip(files, part.deliveries, strict=True)
        )

    def with_keys(self, name: str, checked: Checked) -> Checked:
        """Rows whose new parts have names that no other rows have."""
        made_by, day = self.made_by(name), self.as_of.isoformat()
        parts = [
            p if p.key else replace(p, key=lake.key({"part": p.told()["files"]}), made_by=made_by, as_of=day)
            for p in checked.parts
        ]
        return replace(checked, parts=tuple(parts))

    # What makes doing it again unnecessary

    def product_key(self, name: str) -> str:
        """The key of everything that decides a product's rows."""
        product = self.city.products[name]
        last = self.lake.restricted(name)
        told = last.evidence["account"]["verdicts"] if last else ()
        # What lies in the future on that day no longer does, or does again where the clock was set back.
        waits = any(v["failed"] and v["rule"].endswith(conform.FUTURE) for v in told)
        waits |= last is not None and last.evidence["as_of"] > self.as_of.isoformat()
        return lake.key({
            "files": {self._short(f, product): self.file_sha256(f) for f in self.files(name)},
            "declared": lake.text_sha256(product.folder / "contract.yaml", product.folder / "product.yaml"),
            "city": lake.text_sha256(self.city.folder / "city.yaml"),
            "parents": self.numbers(self.upstream(name)),
            "classes": self._classes(name),
            "lifted": Certificates(self.lake.folder.parent).lifted(name),
            "keys": {p: lake.key({"key": k.hex()}) for p, k in self.secrets(name).items()},
            "as_of": self.as_of if waits else None,
            "today": [day for t in self.techniques[name] if (day := t.today(self.as_of))],
            "code": self.code,
        })  # fmt: skip

    def _classes(self, product: str) -> list[tuple[str, str | None]]:
        known = self.contracts.get(product)  # a measure may name a product that is not there
        return [(c.name, c.classification) for c in known.columns] if known else []

    def _short(self, file: Path, product: Product) -> str:
        # A city that is moved is the same city.
        folders = (self.data(product.name), product.folder)
        above = (folder for folder in folders if file.is_relative_to(folder))
        return file.relative_to(next(above, Path())).as_posix()

    def measure_key(self, name: str) -> str:
        """The key of everything that decides a release; the other measures of the product belong to it."""
        folder = self.city.folder
        return lake.key({
            "measure": name,
            "declared": lake.text_sha256(*(folder / "measures" / f"{n}.yaml" for n in self.together(name))),
            "city": lake.text_sha256(folder / "city.yaml"),
            "contract": {p: lake.text_sha256(folder / "products" / p / "contract.yaml") for p in self._counted(name)},
            "classes": {p: self._classes(p) for p in self._counted(name)},
            "parents": self.beside(name),
            "today": self._today(name),
            "tables": {p: self._declared_table(p) for p in self.tables(self.population(self.indicators[name].of))},
            "code": self.code,
        })  # fmt: skip

    def table_key(self, product: str) -> str:
        """The key of everything that decides what leaves of a table: the measures of the same people belong to it."""
        population = self.population(product)
        measures = sorted(n for n, i in self.indicators.items() if i.of in population)
        return lake.key({
            "table": product,
            "tables": {p: self._declared_table(p) for p in self.tables(population)},
            "measures": {n: self.measure_key(n) for n in measures},
            "city": lake.text_sha256(self.city.folder / "city.yaml"),
            "classes": self._classes(product),
            "parents": self.table_parents(product),
            "code": self.code,
        })  # fmt: skip

    def table_parents(self, product: str) -> dict[str, int]:
        """Product -> number of the version that is read, for a product's table; those that have one."""
        needed = {product, *areas(self.city, tabled_by(self.city, self.city.products[product]))}
        found = {n: self.lake.restricted(n, self.pinned.get(n)) for n in sorted(needed)}
        return {n: v.number for n, v in found.items() if v is not None}

    def _declared_table(self, product: str) -> list[str]:
        # Of the day itself only the periods it lies in decide what is shown.
        folder, declared = self.city.products[product].folder, self.city.products[product].table
        told = [lake.text_sha256(folder / "product.yaml", folder / "contract.yaml")]
        if declared is not None:
            day = self.as_of - timedelta(days=declared.settle_days)
            told += [period_of(day, g, declared.fiscal_year_begins) for g in GRAINS]
        return told

    def beside(self, name: str) -> dict[str, int]:
        """Product -> number of the version that is read, for all measures released together; those that have one."""
        needed = {p for n in self.together(name) for p in self.needs(n)}
        needed |= {q for p in self.tables(self.population(self.indicators[name].of)) for q in self.table_parents(p)}
        found = {n: self.lake.restricted(n, self.pinned.get(n)) for n in sorted(needed)}
        return {n: v.number for n, v in found.items() if v is not None}

    def _counted(self, name: str) -> list[str]:
        return sorted({self.indicators[n].of for n in self.together(name)})

    def _today(self, name: str) -> dict[str, str]:
        # Of the day itself only the periods it lies in decide what is released: which are over, and which are late.
        made = {}
        for n in self.together(name):
            indicator = self.indicators[n]
            period, contract = indicator.period, self.contracts.get(indicator.of)
            if period is not None:
                waits = (period.settle_days, max(period.settle_days, (contract.latency_days if contract else 0) or 0))
                days = [self.as_of - timedelta(days=w) for w in waits]
                made[n] = " ".join(period_of(d, period.city, period.fiscal_year_begins) for d in days)
        return made

    def numbers(self, products: Iterable[str]) -> dict[str, int]:
        """Product -> number of the version that is read."""
        return {n: self.version(n).number for n in sorted(products)}

    def files(self, name: str) -> list[Path]:
        """The files a product is read from that are there."""
        product = self.city.products[name]
        return [f for f in self.sources[name].files(self.data(name), product.folder) if f.is_file()]

    def data(self, name: str) -> Path:
        """The folder below which a product's files are: the city's, or where its remote source is landed."""
        return self.landing(name).folder if isinstance(self.sources[name], RemoteSource) else self.city.data

    def landing(self, name: str) -> Landing:
        """Where a product's remote source is landed."""
        home = self.replayed or self.lake.folder.parent
        return Landing(home / "landed" / name, self.city.products[name].folder)

    def fetch(self, name: str) -> None:
        """Bring in what a product's remote source has now, if it has one.

        Raises:
            Refused: It cannot be had; what was landed before stays.
        """
        source = self.sources[name]
        if self.replayed is not None or not isinstance(source, RemoteSource):
            return
        self.told("fetch", name)
        landing = self.landing(name)
        with landing.alone():
            source.fetch(landing)
            self._check_landed(landing)
            if landing.manifest().earlier:
                versions = self.lake.history(name, "restricted").values()
                landing.sweep({str(d["sha256"]) for evidence in versions for d in evidence.get("deliveries", ())})

    def _check_landed(self, landing: Landing) -> None:
        for landed in landing.landed():
            file = landing.folder / landed.file
            if not file.is_file() or self.file_sha256(file) != landed.sha256:
                what = f"{landed.file} is not what was fetched: it was changed or taken away since."
                fix = f"Restore it from a backup, or move {landing.folder} away: everything is then fetched anew."
                raise Refused([Problem(str(landing.folder), 0, "D130", what, fix)])

    def secrets(self, name: str) -> dict[str, bytes]:
        """Purpose -> key, from the environment, for the pseudonyms of a product."""
        purposes = sorted({str(p) for t in self.techniques[name] if (p := getattr(t, "purpose", None))})
        return {p: os.environ.get(f"METROON_KEY_{p.upper()}", "").encode() for p in purposes}

    def evidence(self, key: str, parts: Mapping[str, Any]) -> lake.Evidence:
        """What every version says of itself, with the parts that are its own."""
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        return {"key": key, "as_of": self.as_of.isoformat(), "made_at": made_at, "code": self.code, **parts}


def names_faults(city: City, product: Product, source: Source | None) -> Iterator[Problem]:
    """Names of other products and their columns, in references and queries, that are not there."""
    for reference in product.contract.references:
        name, other = reference.product, city.products.get(reference.product)
        if other is None and name not in city.unread:
            fix = did_you_mean(name, city.products)
            yield reference.node.problem("C209", f"'{reference}' names no product of this city.", fix, "to")
        for key in (k for k in reference.keys if other is not None and other.contract.column(k) is None):
            fix = did_you_mean(key, [c.name for c in other.contract.columns] if other else [])
            yield reference.node.problem("C209", f"{name} has no column '{key}'.", fix, "to")
    known = city.products.keys() | city.unread
    for name in sorted((source.reads(product.folder) if source else frozenset()) - known):
        what = f"the query of {product.name} reads '{name}', which is no product."
        yield product.collect.problem("D104", what, did_you_mean(name, known), "sql")


def _peoples(indicator: Indicator) -> Iterator[tuple[str, GroupPeople]]:
    """Every declaration of residents by group or stratum: (column, declaration)."""
    yield from ((g.by, g.people) for g in indicator.groups if g.people is not None)
    by, strata = indicator.strata()
    own = getattr(indicator, "people", None)
    if strata and own is not None:
        yield by, own


def counting(city: City) -> EngineKind:
    """The engine that measures are counted on, as the city declares it.

    Raises:
        Refused: There is no such engine, or its options do not fit.
    """
    node = city.node.at("engine")
    declared = node if node.value is not None else Node({"kind": "duckdb"}, city.node.file)
    return build("base", declared, EngineKind, city.plugins)


def known(city: City, as_of: date) -> measure.Known:
    """What measures of a city may name."""
    declared = {n: city.file.places[n.partition(".")[0]] for n in geographies(city)}
    return measure.Known(
        {n: p.contract for n, p in city.products.items()},
        city.file.departments,
        declared,
        city.file.goals,
        city.measures,
        as_of,
    )


def sources(city: City, found: list[Problem] | None = None) -> dict[str, Source]:
    """Every product's source. Faults go into ``found``; without it they are raised as Refused, all at once."""
    made = {n: partial(build, "collect", p.collect, Source, city.plugins) for n, p in city.products.items()}
    return _all(made, found)


def indicators(city: City, found: list[Problem] | None = None) -> dict[str, Indicator]:
    """Every measure. Faults go into ``found``; without it they are raised as Refused, all at once."""
    made = {n: partial(build, "measure", d.node, Indicator, city.plugins) for n, d in city.measures.items()}
    return _all(made, found)


def techniques(city: City, found: list[Problem] | None = None) -> dict[str, list[Technique]]:
    """Every product's techniques. Faults go into ``found``; without it they are raised as Refused, all at once."""
    each = [(n, i, t) for n, p in city.products.items() for i, t in enumerate(p.guard.each())]
    made = _all({(n, i): partial(build, "guard", t, Technique, city.plugins) for n, i, t in each}, found)
    return {n: [t for (name, _), t in made.items() if name == n] for n in city.products}


def _all(makers: Mapping[Any, Callable[[], T]], found: list[Problem] | None) -> dict[Any, T]:
    made: dict[Any, T] = {}
    problems: list[Problem] = []
    for name, maker in makers.items():
        try:
            made[name] = maker()
        except Refused as refused:
            problems += refused.problems
    if found is not None:
        found += problems
    elif problems:
        raise Refused(problems)
    return made


def geographies(city: City) -> list[str]:
    """Every geography of a city, bands too."""
    return [n for name, g in city.file.places.items() for n in (name, *(f"{name}.{part}" for part in g.made_of_it))]


def areas(city: City, asked: Iterable[str]) -> set[str]:
    """The products that some geographies are cut from."""
    named = [city.file.places[n] for g in asked if (n := g.partition(".")[0]) in city.file.places]
    return {p for g in named for p in (g.product, g.inside) if p}


def coarsened_to(city: City, made: Sequence[Technique]) -> list[str]:
    """The geographies that techniques coarsen a point to."""
    return sorted({to for t in made for to in t.geographies() if to.partition(".")[0] in city.file.places})


def tabled_by(city: City, product: Product) -> list[str]:
    """The geographies that a product's table is broken down by."""
    named = [n for names in product.table.dimensions for n in names] if product.table else []
    return [n for n in named if n in geographies(city) and product.contract.column(n) is None]


def upstream(
    city: City, known: Mapping[str, Source], protecting: Mapping[str, Sequence[Technique]], product: Product
) -> set[str]:
    """The products that must be walked before one: what it is made of, refers to, or is coarsened to."""
    made_of = set(known[product.name].reads(product.folder))
    refers = {r.product for r in product.contract.references}
    coarse = areas(city, [*coarsened_to(city, protecting[product.name]), *tabled_by(city, product)])
    return ((made_of | refers | coarse) & set(city.products)) - {product.name}


def order(city: City, known: Mapping[str, Source], protecting: Mapping[str, Sequence[Technique]]) -> list[str]:
    """Products such that each comes after what it is made of. Raises Refused when they go in a circle."""
    graph = {n: sorted(upstream(city, known, protecting, p)) for n, p in sorted(city.products.items())}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        names = error.args[1]
        what = f"products are made of each other: {' > '.join(names)}."
        at = city.products[names[0]].collect.file
        raise Refused([Problem(at, 1, "F103", what, "Take one of the references or queries out.")]) from None


def _kin(city: City, known: Mapping[str, Source]) -> dict[str, set[str]]:
    kin = {n: {n} for n in city.products}
    for name, product in city.products.items():
        for other in known[name].reads(product.folder) & set(city.products):
            both = kin[name] | kin[other]
            kin |= dict.fromkeys(both, both)
    return kin


def _inherited(city: City, known: Mapping[str, Source], names: Sequence[str]) -> dict[str, Contract]:
    made: dict[str, Contract] = {}
    for name in names:
        product = city.products[name]
        parents = sorted(known[name].reads(product.folder) & set(made))
        lineage = known[name].lineage(product.folder, {p: [c.name for c in made[p].columns] for p in parents})
        may = city.staff.declassifiers
        made[name] = guard.inherit(product.contract, [made[p] for p in parents], lineage=lineage, may_declassify=may)
    return made
