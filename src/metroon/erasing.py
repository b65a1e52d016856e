"""Erasing a person: what of somebody is kept where, who may take it out, and what keeps it."""

from __future__ import annotations

import os
import re
import secrets
import unicodedata
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean
from metroon.base.running import alone
from metroon.base.sql import is_row_by_row
from metroon.collect import FILE, LINE, RECORD, RemoteSource
from metroon.collect.kinds.query import Query
from metroon.guard import Protecting
from metroon.lake import erasure, remains, removal
from metroon.lake.erasure import Certificate, Certificates
from metroon.lake.suppression import (
    SHORTEST,
    Erased,
    Suppressions,
    as_number,
    different,
    hashed,
    is_whole,
    keys_in,
    normal,
    person,
    scrubbed,
    spans,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from metroon.walk import Walk

Zone = Literal["restricted", "open"]
_TELLING = ("direct", "linkage key", "free text", None)
"""Classes of columns whose values tell of one person; None is what nobody has decided."""
_NAMING = ("direct", "linkage key")
"""Classes of columns whose values single out one person."""
_KEYS = ("string", "integer", "number")
"""Types of columns with a key."""
NO_RUN = "G158"
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_PART = re.compile(r"[^\W\d_]{3,}")
"""A part of a name, such as a surname."""
_SIGNS = re.compile(r"[\W_]+")
_ALL = 1 << 40
"""More rows than any version has."""


@dataclass(frozen=True)
class Held:
    """One version that holds something of the person.

    Args:
        zone: Where.
        table: The product.
        version: Its number.
        rows: How many of its rows are the person's; None where nobody can tell, so that all of them go.
    """

    zone: Zone
    table: str
    version: int
    rows: int | None


@dataclass(frozen=True)
class Kept:
    """One delivered file that holds the person still: it is the department's, and stays.

    Args:
        product: Whose.
        file: Its name.
        lines: The lines.
    """

    product: str
    file: str
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """What would go, and what stays. Restricted information; the values are in memory only, and never shown.

    Args:
        product: The product.
        column: The column with the key.
        rewritten: Versions that stay readable, without the person.
        destroyed: Versions whose rows all go: nobody can tell which are made of the person's.
        withdrawn: Published versions that go, for the same reason.
        tables: (Table, zone, column with the key) of what is rewritten.
        records: Rows set aside whose record is the person's, and goes.
        halves: Rows set aside whose record is no whole one: it might be the person's, and goes too.
        files: Data file below the folder of versions -> how many of its rows go.
        landed: Products whose landed copies go.
        sources: Delivered files that stay.
        blocks: What keeps it from being done.
        keys: The key as it stands there, and tokens in its place.
        values: What else tells of the person.
        singles: Those of the values that single out the person: names and numbers that nobody else has.
        shared: Those that other people have too.
        is_number: Whether the key is a number.
        before: The certificate by which this key was erased before; None when it was not.
    """

    product: str
    column: str
    rewritten: tuple[Held, ...] = ()
    destroyed: tuple[Held, ...] = ()
    withdrawn: tuple[Held, ...] = ()
    tables: tuple[tuple[str, Zone, str], ...] = ()
    records: int = 0
    halves: int = 0
    files: Mapping[str, int] = field(default_factory=dict)
    landed: tuple[str, ...] = ()
    sources: tuple[Kept, ...] = ()
    blocks: tuple[Problem, ...] = ()
    keys: frozenset[str] = field(default=frozenset(), repr=False)
    values: frozenset[str] = field(default=frozenset(), repr=False)
    singles: frozenset[str] = field(default=frozenset(), repr=False)
    shared: frozenset[str] = field(default=frozenset(), repr=False)
    is_number: bool = False
    before: int | None = None

    @property
    def told(self) -> dict[str, Any]:
        """The plan in counts, as the certificate will say it."""
        return {
            "product": self.product,
            "column": self.column,
            "rewritten": [asdict(h) for h in self.rewritten],
            "versions": [asdict(h) for h in self.destroyed],
            "withdrawn": [asdict(h) for h in self.withdrawn],
            "records_set_aside": self.records,
            "halves_set_aside": self.halves,
            "files": [{"name": name, "rows": rows} for name, rows in self.files.items()],
            "landed": list(self.landed),
            "out_of_scope": _out_of_scope(self),
            "blocked_by": [{"code": p.code, "what": p.what, "fix": p.fix} for p in self.blocks],
        }

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the person is kept."""
        return not (self.rewritten or self.destroyed or self.withdrawn or self.records)


def plan(walk: Walk, product: str, key: str, *, column: str = "") -> Plan:
    """What is kept of a person, and where. Nothing is changed.

    Args:
        walk: The city.
        product: The product that is read from files or elsewhere; what is made of it is found.
        key: The value that tells the person from others.
        column: The column with it; the one that tells people apart in the contract unless named.

    Raises:
        Refused: There is no such product (F104) or column, no key is given, or the product is made of others (L120),
            or a key for pseudonyms is missing (L126).
    """
    found = _column(walk, product, column)
    if not normal(key):
        fix = "Give the value that tells the person from others: --key -"
        raise Refused([Problem(walk.city.node.file, 0, "L120", "no key is given.", fix)])
    return _Search(walk, product, found, key).plan()


def _column(walk: Walk, product: str, column: str) -> str:
    if product not in walk.city.products:
        fix = did_you_mean(product, walk.city.products)
        if walk.lake.history(product, "restricted"):
            fix = "Rows of it are kept that nothing declares any more: declare it again, then erase the person."
        raise Refused([Problem(walk.city.node.file, 0, "F104", f"there is no product '{product}'.", fix)])
    declared = walk.city.products[product]
    made_of = sorted(walk.sources[product].reads(declared.folder) & set(walk.city.products))
    if made_of:
        what = f"{product} is made of {', '.join(made_of)}: the next run would bring the person back."
        fix = f"Erase the person where they come from: metroon erase {made_of[0]}"
        raise Refused([declared.collect.problem("L120", what, fix)])
    contract = walk.contracts[product]
    found = column or contract.person_key or ""
    if contract.column(found) is None:
        what = f"{product} has no column '{found}'." if found else f"{product} does not say what tells people apart."
        fix = "Name the column with the key: --column NAME, or personKey in the contract."
        raise Refused([contract.node.problem("L120", what, fix, "schema")])
    if (declared_as := contract.column(found)) is not None and declared_as.type not in _KEYS:
        what = f"{product}.{found} is a {declared_as.type}: one value of it can be written in many ways."
        fix = "Name a column that tells people apart and is a text or a number: --column NAME"
        raise Refused([contract.node.problem("L120", what, fix, "schema")])
    return found


class _Search:
    """A person being looked for in all that is kept of a product and of what is made of it."""

    def __init__(self, walk: Walk, product: str, column: str, key: str) -> None:
        declared = walk.contracts[product].column(column)
        self.is_number = declared is not None and declared.type in ("integer", "number")
        self.walk, self.product, self.key = walk, product, (as_number(key) if self.is_number else "") or key
        self.columns: dict[str, str | None] = {product: column}
        # A token is made of the signs as they stand in the row.
        spelled = dict.fromkeys(unicodedata.normalize(way, self.key) for way in ("NFC", "NFD"))
        self.tokens = [t for k in spelled for t in _tokens(walk, product, column, k)]
        self.person = person(0, secrets.token_bytes(32), [self.key, *self.tokens], is_number=self.is_number)
        self.affected: dict[str, set[int]] = {}
        self.rows: dict[str, int] = {}
        self.told: dict[tuple[str, str], set[str]] = {}
        self.keys_at: dict[tuple[str, str], list[object]] = {}
        self.values: set[str] = set()
        self.singles: set[str] = set()
        self.shared: set[str] = set()
        self.places: dict[str, set[int]] = {}

    def plan(self) -> Plan:
        walk, rewritten, destroyed, withdrawn = self.walk, [], [], []
        for name in self._holders():
            kept, lost = self._restricted(name)
            rewritten += kept
            destroyed += lost
            kept, gone = self._open(name, {h.version: h.rows for h in kept})
            rewritten += kept
            withdrawn += gone
        self._sort_out()
        tables = tuple(dict.fromkeys((h.table, h.zone, str(self.columns[h.table])) for h in rewritten))
        before = _before(walk, self.product, self.key)
        return Plan(
            self.product,
            str(self.columns[self.product]),
            tuple(rewritten),
            tuple(destroyed),
            tuple(withdrawn),
            tables or ((self.product, "restricted", str(self.columns[self.product])),),
            *self._records(),
            dict(sorted(self.rows.items())),
            tuple(n for n in (self.product,) if isinstance(walk.sources[n], RemoteSource)),
            self._sources(),
            (*_holds(walk, self._holders()), *self._named()),
            frozenset({self.key, *self.tokens}),
            frozenset(self.values),
            frozenset(self.singles),
            frozenset(self.shared),
            self.is_number,
            before,
        )

    def _holders(self) -> list[str]:
        """The product, and what is or was made of it, declared still or not, each after what it is made of."""
        found = [self.product]
        for name in self.walk.order:
            if self._made_of(name) & {*found}:
                found.append(name)
        former = [t for t in self.walk.lake.kept() if t not in self.walk.city.products]
        while more := [t for t in former if t not in found and self._made_of(t) & {*found}]:
            # What is made of others that are still to come is made of them too.
            found += [t for t in more if not self._made_of(t) & {*more}] or more
        return found

    def _made_of(self, name: str) -> set[str]:
        """What a product reads, and what its versions were made of."""
        known = self.walk.lake.history(name, "restricted").values()
        source = self.walk.sources.get(name)
        reads = source.reads(self.walk.city.products[name].folder) if source is not None else ()
        return {*reads, *(p for evidence in known for p in evidence.get("parents", ()))}

    def _restricted(self, name: str) -> tuple[list[Held], list[Held]]:
        if name != self.product:
            self.columns[name] = self._traced(name)
        kept, lost = [], []
        for number, evidence in self.walk.lake.history(name, "restricted").items():
            if not self.walk.lake.has_rows(name, number):
                continue
            if name != self.product and not self._is_made_of_person(name, evidence):
                continue
            if self.columns[name] is None or not self._can_be_told(name, number, evidence):
                self.affected.setdefault(name, set()).add(number)
                lost.append(Held("restricted", name, number, None))
                continue
            n = self._count(name, "restricted", number)
            if n:
                self.affected.setdefault(name, set()).add(number)
                kept.append(Held("restricted", name, number, n))
        return kept, lost

    def _is_made_of_person(self, name: str, evidence: Mapping[str, Any]) -> bool:
        return any(evidence["parents"].get(p) in numbers for p, numbers in self.affected.items() if p != name)

    def _traced(self, name: str) -> str | None:
        """The column of a product made by a query that is the person's key; None where nobody can tell."""
        walk = self.walk
        if name not in walk.sources:
            return None
        declared, source = walk.city.products[name], walk.sources[name]
        holders = source.reads(declared.folder) & self.columns.keys()
        if not isinstance(source, Query) or len(holders) != 1:
            return None
        (parent,) = holders
        if self.columns[parent] is None or not is_row_by_row(_sql(source, declared.folder), [parent]):
            return None
        told = source.lineage(declared.folder, {p: [c.name for c in walk.contracts[p].columns] for p in
                                                source.reads(declared.folder) & walk.contracts.keys()})  # fmt: skip
        wanted = frozenset({(parent.lower(), str(self.columns[parent]).lower())})
        found = [c.name for c in declared.contract.columns if told.columns.get(c.source.lower()) == wanted]
        return found[0] if found and not told.why_not else None

    def _can_be_told(self, name: str, number: int, evidence: Mapping[str, Any]) -> bool:
        """Whether the rows of the person can be told in a version: the column is the key as it stands in the parent."""
        column, version = str(self.columns[name]), self.walk.lake.restricted(name, number)
        if version is None:
            return False
        rows = self.walk.lake.read(version)
        if name == self.product:
            return column in rows.columns
        declared, source = self.walk.city.products[name], self.walk.sources[name]
        is_same = any(
            d["sha256"] == erasure.file_sha256(f) for d in evidence["deliveries"] for f in source.files(
                self.walk.city.data, declared.folder)
        )  # fmt: skip
        parents = source.reads(declared.folder) & (self.columns.keys() - {name}) & evidence["parents"].keys()
        if len(parents) != 1 or (evidence["parents"].keys() - parents) & self.columns.keys():
            return False
        (parent,) = parents
        before = self.walk.lake.restricted(parent, evidence["parents"][parent])
        if not is_same or column not in rows.columns or before is None:
            return False
        if not self.walk.lake.has_rows(parent, before.number):
            return False
        known = {normal(v) for v in different(self.walk.engine, self.walk.lake.read(before), str(self.columns[parent]))}
        return all(normal(v) in known for v in different(self.walk.engine, rows, column))

    def _count(self, table: str, zone: Zone, number: int) -> int:
        return sum(self._in_file(f, table, zone) for f in self.walk.lake.files_of(table, zone, number))

    def _in_file(self, file: str, table: str, zone: Zone) -> int:
        """How many rows of a data file are the person's; what they say is remembered, in memory."""
        walk = self.walk
        name = os.path.relpath(file, walk.lake.folder.parent)
        if name in self.rows:
            return self.rows[name]
        rows, column = walk.engine.parquet([file]), str(self.columns[table])
        found = keys_in(walk.engine, rows, column, [self.person]) if column in rows.columns else {}
        values = [v for each in found.values() for v in each]
        if zone == "restricted" and column in rows.columns:
            self.keys_at[table, file] = values
        if values:
            own = walk.engine.fetch(rows.filter(rows[column].isin(values)))
            self.rows[name] = own.num_rows
            self._remember(own, table)
            if zone == "restricted" and table == self.product:
                for place in own.select([FILE, LINE]).to_pylist():
                    self.places.setdefault(str(place[FILE]), set()).add(int(place[LINE]))
        return self.rows.get(name, 0)

    def _remember(self, own: pa.Table, table: str) -> None:
        for name in own.column_names:
            kind = own.schema.field(name).type
            is_telling = self._class(table, name) in _TELLING and name not in (FILE, LINE)
            if is_telling and (pa.types.is_string(kind) or pa.types.is_integer(kind)):
                told = {str(v) for v in own[name].to_pylist() if v is not None}
                self.told.setdefault((table, name), set()).update(told)

    def _class(self, table: str, column: str) -> str | None:
        declared = self.walk.contracts[table].column(column)
        return declared.classification if declared else None

    def _sort_out(self) -> None:
        """Tell what is of the person alone from what other people have too, and from ordinary words."""
        said = _said(self.walk)
        for (table, column), values in self.told.items():
            shared, kind = self._of_others(table, column, values), self._class(table, column)
            for value in values:
                if kind in _NAMING:
                    self.values.add(value)
                    (self.shared if normal(value) in shared else self.singles).add(value)
                elif normal(value) not in shared and not _is_ordinary(value, kind, said):
                    self.values.add(value)
        # What another column has alone is shared still.
        self.singles = {v for v in self.singles - self.shared if len(normal(v)) >= SHORTEST or v.isalpha()}

    def _of_others(self, table: str, column: str, values: set[str]) -> set[str]:
        """Those of some values, as they are compared, that rows of other people hold."""
        engine, found = self.walk.engine, set[str]()
        wanted = {normal(v) for v in values}
        for key, own in self.keys_at.items():
            rows, by = engine.parquet([key[1]]), str(self.columns[table])
            if key[0] != table or column not in rows.columns or column == by:
                continue
            others = rows.filter(~rows[by].isin(own).fill_null(False)) if own else rows
            text = others[column].cast("string")
            low = text.lower().strip()
            same = others.filter(low.isin([*(wanted | {v.lower().strip() for v in values})]))
            found |= {normal(v) for v in different(self.walk.engine, same, column)} & wanted
        return found

    def _open(self, name: str, rows: Mapping[int, int | None]) -> tuple[list[Held], list[Held]]:
        kept, gone = [], []
        for number, evidence in self.walk.lake.history(name, "open").items():
            if evidence.get("surface") == "table":
                continue  # totals, and no row of anybody
            made_of = evidence.get("restricted_version")
            known = self.walk.lake.history(name, "restricted")
            is_known = made_of in known and self.walk.lake.has_rows(name, int(made_of))
            if is_known and made_of not in self.affected.get(name, ()):
                continue
            expected, column = rows.get(int(made_of or 0)), self.columns[name]
            n = self._count(name, "open", number) if column else 0
            # A row less than were kept may be there in another form.
            if expected and n == expected:
                kept.append(Held("open", name, number, n))
            else:
                gone.append(Held("open", name, number, None))
        return kept, gone

    def _records(self) -> tuple[int, int]:
        """How many records among rows set aside are the person's, and how many are of nobody knows whom."""
        own = halves = 0
        keys = [self.key, *self.tokens]
        known = person(0, self.person.secret, keys, singles=self.singles, is_number=self.is_number)
        words = remains.words([self.key, *self.values])
        for name in self._holders():
            for file in self.walk.lake.data_files(f"{name}.set_aside", "restricted"):
                told = self.walk.engine.parquet([str(file)])
                for record in different(self.walk.engine, told, RECORD) if RECORD in told.columns else ():
                    if scrubbed(str(record), [known], self.columns[name]) is None:
                        is_own = is_whole(str(record)) or words.finds(str(record))
                        own, halves = own + bool(is_own), halves + (not is_own)
        return own, halves

    def _named(self) -> Iterator[Problem]:
        """Delivered files whose names hold a value of the person: versions, logs and the store keep such names."""
        own = {_as_named(v) for v in (self.values | {self.key, *self.tokens}) - self.shared}
        own = {f" {v} " for v in own if len(v) >= SHORTEST}
        for name in self._holders():
            every = self.walk.lake.history(name, "restricted").items()
            read = {str(d["file"]): number for number, told in reversed(every) for d in told["deliveries"]}
            found = [number for file, number in read.items() if any(v in f" {_as_named(file)} " for v in own)]
            if found:
                what = (
                    f"the name of {len(found)} delivered file{'s' * (len(found) != 1)} of {name} holds a value of the "
                    f"person; version {min(found)} was the first to read one, and keeps its name. Nothing was touched."
                )
                fix = "Rename files before they are read, and name them after nobody; L129 in the manual says more."
                yield self.walk.contracts[self.product].node.problem("L129", what, fix)

    def _sources(self) -> tuple[Kept, ...]:
        walk = self.walk
        if isinstance(walk.sources[self.product], RemoteSource):
            return ()
        return tuple(
            Kept(self.product, file, tuple(sorted(lines)))
            for file, lines in sorted(self.places.items())
            if (walk.data(self.product) / file.partition("#")[0]).is_file()
        )


def taken(walk: Walk, table: str, version: int) -> int:
    """How many rows of people who were erased went from a version since it was kept; a great many where all went.

    Args:
        walk: The city.
        table: The product.
        version: The number of its version.
    """
    found = 0
    for certificate in (c for c in Certificates(walk.lake.folder.parent).all() if c.kind == "erasure"):
        if (table, version) in set(certificate.destroyed()):
            return _ALL
        rewritten = (h for h in certificate.told["rewritten"] if h["zone"] == "restricted" and h["table"] == table)
        found += sum(int(h["rows"]) for h in rewritten if int(h["version"]) == version)
    return found


def _said(walk: Walk) -> str:
    """Everything that the city declares: no word of it tells of one person."""
    files = sorted(f for way in ("*.yaml", "*.yml") for f in walk.city.folder.rglob(way))
    return "\n".join(
        f.read_text(encoding="utf-8", errors="ignore") for f in files if walk.lake.folder.parent not in f.parents
    )


def _is_ordinary(value: str, kind: str | None, said: str) -> bool:
    """Whether something that was written of a person is an ordinary word, which may stand anywhere."""
    return (kind == "free text" and normal(value).isalpha()) or bool(remains.words([value]).finds(said))


def _sql(source: Query, folder: Path) -> str:
    return (folder / source.sql).read_text(encoding="utf-8")


def _tokens(walk: Walk, product: str, column: str, key: str) -> list[str]:
    """What stands in the place of the key in open rows.

    Raises:
        Refused: The secret is not in the environment (L126).
    """
    found, missing = [], []
    for name, techniques in sorted(walk.techniques.items()):
        for technique in (t for t in techniques if hasattr(t, "purpose") and name in _kin(walk, product)):
            keys, contract = walk.secrets(name), walk.contracts[name]
            one = walk.engine.table(pa.table({technique.column: pa.array([key], pa.string())}))
            try:
                made = walk.engine.fetch(technique.protect(one, Protecting(walk.engine, contract, keys=keys)))
                found += [str(v) for v in made[technique.column].to_pylist() if v is not None]
            except Refused as refused:
                missing += [contract.node.problem("L126", p.what, p.fix) for p in refused.problems]
    if missing:
        raise Refused(missing)
    return found


def _kin(walk: Walk, product: str) -> set[str]:
    return set(walk.population(product))


def _before(walk: Walk, product: str, key: str) -> int | None:
    home = walk.lake.folder.parent
    for certificate in Certificates(home).erased(product):
        if Suppressions(home).of(certificate.number).is_key(key):
            return certificate.number
    return None


def _holds(walk: Walk, products: Sequence[str]) -> Iterator[Problem]:
    for hold in walk.city.holds:
        if any(hold.holds(p, walk.as_of) for p in products):
            what = f"legal hold {hold.id} ({hold.reason}), ordered by {hold.by}, keeps every row of {products[0]}."
            yield hold.node.problem("L121", what, "Erase the person when it has ended: released: in holds.yaml.")


# Doing it


def erase(walk: Walk, product: str, key: str, *, by: str, reason: str, column: str = "") -> Certificate:
    """Take a person out of everything that is kept of a product and of what is made of it.

    Args:
        walk: The city.
        product: The product.
        key: The value that tells the person from others.
        by: The role of people.yaml that decided it.
        reason: Why, in words that hold no value of the person.
        column: The column with the key.

    Returns:
        The certificate.

    Raises:
        Refused: It may not be done (L120, L121, L128, L129), nothing is kept of the person (L127), a run is at work
            (G158), or it could not be done whole (L101, L124): then the next call goes on.
    """
    home = walk.lake.folder.parent
    certificates = Certificates(home)
    _may(walk, by, reason, key)
    with alone(home):
        if problems := certificates.faults():
            raise Refused(problems)
        done = [_finished(walk, c, key) for c in certificates.unfinished("erasure")]
        found = plan(walk, product, key, column=column)
        if found.blocks:
            raise Refused(found.blocks)
        if found.is_empty:
            if again := [c for c in done if c is not None and c.number == found.before]:
                return again[0]
            raise Refused([_nobody(walk, found)])
        names = found.singles | found.shared
        if _tells(reason, person(0, b"", found.keys, found.values, shared=names, is_number=found.is_number), names):
            raise Refused([_telling(walk)])
        seeker = remains.words([*found.keys, *found.values])
        begun = _begin(walk, found, by=by, reason=reason)
        return removal.finish(walk.lake, begun, seeker)


def _may(walk: Walk, by: str, reason: str, key: str) -> None:
    staff = walk.city.staff
    if by not in staff.erasers:
        file = str(walk.city.folder / "people.yaml")
        what = f"'{by}' is no role of people.yaml that is held and may erase a person."
        fix = did_you_mean(by, staff.erasers) if staff.erasers else "Write may: [erase] for a role that is held."
        raise Refused([Problem(file, 0, "L128", what, fix)])
    if not reason.strip():
        raise Refused([Problem(walk.city.node.file, 0, "L120", "no reason is given.", 'Say why: --reason "WHY"')])
    if normal(key) and _tells(reason, person(0, b"", [key])):
        raise Refused([_telling(walk)])


def _tells(reason: str, who: Erased, names: Iterable[str] = ()) -> bool:
    """Whether the words of a reason tell of somebody, as whole words: 17 is not in 2026-17.

    Args:
        reason: The reason.
        who: Of whom.
        names: What names the person, as far as it is known: no part of it may stand there.
    """
    words = reason.split()
    runs = (" ".join(words[i : i + n]) for n in range(1, max(who.lengths, default=1) + 2) for i in range(len(words)))
    if any(who.tells(form) for run in runs for form in {run, _EDGES.sub("", run)} if form):
        return True
    # Inside of a word, such as of an address, only what is long enough to tell of anybody.
    inner = {s for text in (reason, reason.replace("_", " ")) for s in spans(text, who.lengths) if len(s) >= SHORTEST}
    parts = {part for name in names for part in _PART.findall(normal(name))}
    is_part = not parts.isdisjoint(_PART.findall(normal(reason)))
    return is_part or any(who.tells(s) or hashed(s, who.secret) in who.words for s in inner)


def _as_named(text: str) -> str:
    """A text as the words that the name of a file may hold of it; numbers without zeros in front."""
    return " ".join(w.lstrip("0") if w.isdigit() else w for w in _SIGNS.sub(" ", normal(text)).split())


def _telling(walk: Walk) -> Problem:
    what = "the reason holds a value of the person: the certificate would keep it."
    return Problem(walk.city.node.file, 0, "L120", what, "Name the request by its number or day instead.")


def _nobody(walk: Walk, found: Plan) -> Problem:
    at = walk.contracts[found.product].node
    if found.before is not None:
        what = f"nothing is kept any more: the person was erased from {found.product}, certificate {found.before}."
        return at.problem("L127", what, "Nothing has to be done.")
    what = f"no version of {found.product} holds a row with this key in '{found.column}'."
    return at.problem("L127", what, "Look at the key and the column again; --column names another one.")


def _begin(walk: Walk, found: Plan, *, by: str, reason: str) -> Certificate:
    home, lake = walk.lake.folder.parent, walk.lake
    certificates, names = Certificates(home), {h.table for h in (*found.rewritten, *found.destroyed)}
    known = certificates.all()
    number = known[-1].number + 1 if known else 1
    # First whom it is about: a certificate without it could not be finished.
    own = found.values - found.shared
    Suppressions(home).keep(
        number, found.keys, own, singles=found.singles, shared=found.shared, is_number=found.is_number
    )
    contract = walk.contracts[found.product]
    files = {f["file"]: f for f in erasure.described([str(home / n) for n in found.files], home)}
    return certificates.begin(
        {
            "kind": "erasure",
            "product": found.product,
            "title": contract.title,
            "column": found.column,
            "event_time": contract.event_time,
            "by": {"id": by, "title": walk.city.staff.named(by)},
            "reason": reason,
            "tables": [{"table": t, "zone": z, "column": c} for t, z, c in found.tables],
            "set_aside": sorted(f"{n}.set_aside" for n in names | {found.product}),
            "rewritten": [asdict(h) for h in found.rewritten],
            "versions": [_listed(walk, h, found.destroyed) for h in found.destroyed] + _asides(walk, found.destroyed),
            "withdrawn": [{"table": h.table, "version": h.version} for h in found.withdrawn],
            "records_set_aside": found.records,
            "halves_set_aside": found.halves,
            "files": [
                {"name": n, "rows": rows, "bytes_before": files[n]["bytes"], "sha256_before": files[n]["sha256"]}
                for n, rows in found.files.items()
            ],
            "landed": list(found.landed),
            "newest": newest.number if (newest := lake.restricted(found.product)) else None,
            "out_of_scope": _out_of_scope(found),
            "begun_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "code": walk.code,
        }
    )


def _listed(walk: Walk, held: Held, all_held: Sequence[Held]) -> dict[str, Any]:
    """A version whose rows are destroyed, with its files that no version has which stays."""
    gone = {h.version for h in all_held if h.table == held.table}
    files = _files_of(walk, held.table, held.version, gone)
    return {"table": held.table, "version": held.version, "rows": None, "files": files}


def _asides(walk: Walk, destroyed: Sequence[Held]) -> list[dict[str, Any]]:
    made = []
    for table, numbers in _by_table(destroyed).items():
        history = walk.lake.history(table, "restricted")
        aside = {int(history[n]["set_aside_version"]) for n in numbers}
        name = f"{table}.set_aside"
        for number in sorted(aside):
            files = _files_of(walk, name, number, aside)
            made.append({"table": name, "version": number, "rows": None, "files": files})
    return made


def _by_table(held: Sequence[Held]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for h in held:
        found.setdefault(h.table, []).append(h.version)
    return found


def _files_of(walk: Walk, table: str, number: int, gone: set[int]) -> list[dict[str, Any]]:
    stay = (n for n in walk.lake.history(table, "restricted") if n not in gone)
    shared = {f for n in stay for f in walk.lake.stored(table, n)}
    own = [f for f in walk.lake.stored(table, number) if f not in shared]
    return erasure.described(own, walk.lake.folder.parent)


def _out_of_scope(found: Plan) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [
        {"what": "a file that the department delivered", "file": k.file, "lines": list(k.lines)} for k in found.sources
    ]
    if found.landed:
        told.append({"what": "the source elsewhere, which is asked again by every run"})
    told += [
        {"what": "published numbers and tables, which count the person"},
        {"what": "what was downloaded, and copies that metroon build made"},
        {"what": "backups and exports made before, outside of the city's folder; restore takes the person out of them"},
    ]
    return told


# What was begun and cut off


def finish(walk: Walk) -> tuple[str, ...]:
    """Finish what was begun and cut off, unless a run is at work or a legal hold came since; one sentence for each.

    Args:
        walk: The city.

    Raises:
        Refused: It cannot be finished (L101, L122, L124).
    """
    home = walk.lake.folder.parent
    certificates = Certificates(home)
    if not certificates.unfinished("erasure"):
        return ()
    try:
        with alone(home):
            done = [_finished(walk, c, None) for c in certificates.unfinished("erasure")]
    except Refused as refused:
        if {p.code for p in refused.problems} == {NO_RUN}:
            return ()
        raise
    return tuple(f"the erasure of a person was finished: certificate {c.number}" for c in done if c is not None)


def _finished(walk: Walk, begun: Certificate, key: str | None) -> Certificate | None:
    products = {begun.product, *(str(t["table"]) for t in begun.told["tables"])}
    if [*_holds(walk, sorted(products))]:
        return None
    erased = Suppressions(walk.lake.folder.parent).of(begun.number)
    hashes = remains.Hashes(erased)
    is_given = key is not None and erased.is_key(key)
    seeker = remains.Together(remains.words([key]), hashes) if is_given else hashes
    return removal.finish(walk.lake, begun, seeker)


def lift(walk: Walk, product: str, number: int, *, by: str, reason: str) -> Certificate:
    """Let rows of somebody who was erased come again, such as when the person asks for it.

    Args:
        walk: The city.
        product: The product.
        number: The certificate of the erasure.
        by: The role of people.yaml that decided it.
        reason: Why.

    Raises:
        Refused: It may not be done (L120, L128), there is no such erasure (L120), the reason tells of the person
            (L120), the list of who was erased is missing (L122), or a run is at work (G158).
    """
    home = walk.lake.folder.parent
    certificates = Certificates(home)
    _may(walk, by, reason, "")
    with alone(home):
        if problems := certificates.faults():
            raise Refused(problems)
        known = {c.number: c for c in certificates.erased(product) if c.is_done}
        if number not in known:
            what = f"certificate {number} is no erasure from {product} that is done and holds."
            fix = f"Erasures: {', '.join(map(str, known)) or 'none'}."
            raise Refused([Problem(str(certificates.folder), 0, "L120", what, fix)])
        if _tells(reason, Suppressions(home).of(number)):
            raise Refused([_telling(walk)])
        begun = certificates.begin(
            {
                "kind": "lifting",
                "product": known[number].product,
                "of": number,
                "by": {"id": by, "title": walk.city.staff.named(by)},
                "reason": reason,
                "begun_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "code": walk.code,
            }
        )
        Suppressions(home).drop(number)
        return certificates.save(Certificate(begun.number, {**begun.told, "state": "done"}))
