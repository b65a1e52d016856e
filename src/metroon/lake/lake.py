"""The noun of this room: the lake, where every version of every product stays readable."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import metroon
from metroon.base.errors import Problem, Refused
from metroon.conform.parts import Part
from metroon.lake import format as formats
from metroon.lake.erasure import Certificates
from metroon.lake.kinds.delta import SETTLED_S, Delta
from metroon.lake.turn import turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.engine import Engine, Relation
    from metroon.conform import Checked
    from metroon.guard import Guarded


class Restricted:
    """The zone where departments work; nothing in it is public."""


class Open:
    """The zone that is published; it takes only what the guard made."""


Zone = TypeVar("Zone", Restricted, Open)
ZoneName = Literal["restricted", "open"]
Evidence = dict[str, Any]
Log = tuple[tuple[str, int, int], ...]
"""What tells whether a table's log changed: name, size and time of change of each of its files."""


@dataclass(frozen=True)
class Version(Generic[Zone]):
    """One version of one product, forever the same.

    Args:
        name: Product or measure.
        zone: ``restricted`` or ``open``.
        number: Counts from 1 within the zone.
        evidence: What it was made of: input hashes, parent versions, contract, code, as-of, verdicts.
    """

    name: str
    zone: ZoneName
    number: int
    evidence: Evidence

    @property
    def source(self) -> str:
        """A name that no other rows have, also after a lake was thrown away and numbers begin again."""
        return f"{self.name}@{self.number} {self.evidence['key']}"


class Lake:
    """All versions of one city, as folders that any Delta reader understands.

    Args:
        folder: Where the zones are.
        engine: The engine that writes and reads.

    Raises:
        Refused: A newer Metroon wrote it (F110).
    """

    def __init__(self, folder: Path, engine: Engine) -> None:
        formats.look(folder)
        self.folder = folder
        self.engine = engine
        self._format = Delta()
        self._read: dict[Path, tuple[Log, dict[int, Evidence]]] = {}
        self._gone: dict[Path, tuple[Log, dict[int, Evidence]]] = {}
        self._listed: dict[tuple[Path, int], tuple[Log, list[str]]] = {}
        self._views: dict[tuple[str, ...], Relation] = {}  # the engine asks a file for its columns once

    def save(self, checked: Checked, evidence: Evidence) -> Version[Restricted]:
        """Keep checked rows in the restricted zone, with the list of rows set aside beside them.

        Parts that the newest version has stay as they are; new ones are moved in.
        """
        return self.keep(checked.contract.name, checked.rows, checked.set_aside, evidence, parts=checked.parts)

    def keep(
        self, name: str, rows: Relation, set_aside: Relation, evidence: Evidence, *, parts: Sequence[Part] = ()
    ) -> Version[Restricted]:
        """Keep rows in the restricted zone as a new version, with the list of rows set aside beside them.

        Args:
            name: The product.
            rows: All rows.
            set_aside: All that is told of rows set aside.
            evidence: What they were made of.
            parts: The same in files; parts that the newest version has stay as they are, new ones are moved in.
        """
        zone: Literal["restricted"] = "restricted"
        beside = f"{name}.set_aside"
        self._format.look(self._table(name, zone))
        with turn(self._table(name, zone), self._table(beside, zone)):
            lost = self._placed(beside, zone, [p.aside for p in parts])
            placed = self._placed(name, zone, [p.files for p in parts])
            aside, _ = self._write(beside, zone, set_aside, evidence, lost)
            made = [replace(p, aside=a, files=f) for p, a, f in zip(parts, lost, placed, strict=True)]
            told = {**evidence, "set_aside_version": aside, "parts": [p.told() for p in made]}
            return Version(name, zone, *self._write(name, zone, rows, told, placed))

    def publish(self, guarded: Guarded, evidence: Evidence) -> Version[Open]:
        """Publish what the guard made in the open zone.

        What the newest version has of the same parts stays as it is, and only new parts are written.
        """
        self._format.look(self._table(guarded.name, "open"))
        with turn(self._table(guarded.name, "open")):
            files = self._by_part(guarded)
            told = {**evidence, "made_of": {name: file.name for name, file in files.items()}} if files else evidence
            written = self._write(guarded.name, "open", guarded.rows, told, tuple((str(f),) for f in files.values()))
            return Version(guarded.name, "open", *written)

    def _by_part(self, guarded: Guarded) -> dict[str, Path]:
        """Part -> the file of its rows in the open zone, written where it is not there already."""
        table, last = self._table(guarded.name, "open"), self.open(guarded.name)
        known = {n: table / f for n, f in last.evidence.get("made_of", {}).items()} if last else {}
        # One commit cannot take away some files and keep others: all of the last version stays, or nothing does.
        stays = last is not None and known.keys() <= guarded.parts.keys() and all(f.exists() for f in known.values())
        if last is None or not stays or {*map(str, known.values())} != {*self._format.files(table, last.number)}:
            known = {}
        return {n: known.get(n) or self._format.save(table, rows(), self.engine) for n, rows in guarded.parts.items()}

    def parts(self, version: Version[Any]) -> tuple[Part, ...]:
        """The parts of a version with the paths of their files; none when it is not made of parts.

        Raises:
            Refused: The rows were destroyed; the certificate is named (L104).
        """
        told = [Part.read(p) for p in version.evidence.get("parts", ())]
        if not told:
            return ()
        self.files(version)
        table, aside = self._table(version.name, version.zone), self._table(f"{version.name}.set_aside", "restricted")
        return tuple(
            replace(p, files=tuple(str(table / f) for f in p.files), aside=tuple(str(aside / f) for f in p.aside))
            for p in told
        )

    def _placed(self, table: str, zone: ZoneName, parts: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        files = [Path(f) for part in parts for f in part]
        placed = map(str, self._format.place(self._table(table, zone), files) if files else [])
        return [tuple(islice(placed, len(part))) for part in parts]

    def restricted(self, name: str, number: int | None = None) -> Version[Restricted] | None:
        """A version in the restricted zone, the newest unless named; None when there is none."""
        found = self._found(name, "restricted", number)
        return Version(name, "restricted", *found) if found else None

    def open(self, name: str, number: int | None = None) -> Version[Open] | None:
        """A version in the open zone, the newest unless named; None when there is none."""
        found = self._found(name, "open", number)
        return Version(name, "open", *found) if found else None

    def read(self, version: Version[Any]) -> Relation:
        """The rows of a version.

        Raises:
            Refused: They were destroyed; the certificate is named (L104).
        """
        files = tuple(self.files(version))
        if files not in self._views:
            self._views[files] = self.engine.parquet(files)
        return self._views[files]

    def has_rows(self, table: str, number: int) -> bool:
        """Whether the rows of a version in the restricted zone are there still."""
        return all(Path(f).exists() for f in self._format.files(self._table(table, "restricted"), number))

    def stored(self, table: str, number: int) -> list[str]:
        """The data files that a version in the restricted zone has or had."""
        return self._format.files(self._table(table, "restricted"), number)

    def data_files(self, table: str, zone: ZoneName) -> list[Path]:
        """Every data file of a table, also those that no version has."""
        return sorted(self._table(table, zone).glob("*.parquet"))

    def rewrite(self, file: Path, rows: Relation) -> None:
        """Put other rows in the place of those in a data file, in every version that has it; ``align`` must follow."""
        self._format.rewrite(file, rows, self.engine)

    def align(self, table: str, zone: ZoneName) -> int:
        """Make the log of a table say of its files what they are now; returns how many commits were written anew."""
        with turn(self._table(table, zone)):
            return self._format.align(self._table(table, zone))

    def files_of(self, table: str, zone: ZoneName, number: int) -> list[str]:
        """The data files that a version of any table has or had."""
        return self._format.files(self._table(table, zone), number)

    def files(self, version: Version[Any]) -> list[str]:
        """The Parquet files of a version, for another engine that counts its rows."""
        table = self._table(version.name, version.zone)
        log, known = _log(table), self._listed.get((table, version.number))
        if known is None or known[0] != log or not log:
            known = self._listed[table, version.number] = log, self._format.files(table, version.number)
        if not all(Path(f).exists() for f in known[1]):
            raise Refused([self._gone_rows(version)])
        return list(known[1])

    def _gone_rows(self, version: Version[Any]) -> Problem:
        rows, fix = f"the rows of version {version.number} of {version.name}", "Restore the folder from a backup."
        what = f"{rows} are not there."
        found = Certificates(self.folder.parent).of(version.name, version.number)
        if found is not None:
            day = str(found.told["begun_at"])[:10]
            what = f"{rows} were destroyed on {day}: certificate {found.number}."
            fix = f"Nobody can bring them back. A new version is made by: metroon run {version.name}"
        return Problem(str(self._table(version.name, version.zone)), 0, "L104", what, fix)

    def set_aside(self, version: Version[Restricted]) -> Relation:
        """Where the rows stand that this version set aside, and why; no other column."""
        number = int(version.evidence["set_aside_version"])
        return self.engine.parquet(self._format.files(self._table(f"{version.name}.set_aside", "restricted"), number))

    def history(self, name: str, zone: ZoneName) -> dict[int, Evidence]:
        """Version number -> evidence, oldest first; without versions that were withdrawn."""
        gone = self.withdrawn(name) if zone == "open" else {}
        return {n: e for n, e in self._history(name, zone).items() if n not in gone}

    def withdrawn(self, name: str) -> dict[int, Evidence]:
        """Number of each published version that was taken away -> when, by whom and why, and its own evidence."""
        table = self._table(name, "open")
        log, known = _log(table), self._gone.get(table)
        if known is None or known[0] != log or not log:
            told = {n: json.loads(text) for n, text in self._format.withdrawn(table).items()}
            known = self._gone[table] = log, told
        every = self._history(name, "open") if known[1] else {}
        return {n: {**told, "evidence": every.get(n, {})} for n, told in known[1].items()}

    def withdraw(self, name: str, numbers: Sequence[int], told: Evidence) -> None:
        """Take published versions away for good: their files are removed, and the log says when, by whom and why.

        Raises:
            Refused: The folder cannot be written.
        """
        with turn(self._table(name, "open")):
            self._format.withdraw(self._table(name, "open"), numbers, json.dumps(told, ensure_ascii=False))

    def _history(self, name: str, zone: ZoneName) -> dict[int, Evidence]:
        table = self._table(name, zone)
        log = _log(table)
        # One walk asks for the same evidence hundreds of times; a log that did not change is not read again.
        known = self._read.get(table)
        if known is None or known[0] != log or not log:
            known = log, {n: json.loads(text) for n, text in self._format.history(table).items()}
            self._read[table] = known
        return dict(known[1])

    def published(self) -> list[str]:
        """Every name that has a table in the open zone, also of what is declared no more."""
        return sorted(p.parent.name for p in self.folder.glob("open/*/_delta_log") if p.is_dir())

    def kept(self) -> list[str]:
        """Names of all products with versions in the restricted zone, also of those that nothing declares any more."""
        names = {f.name for f in (self.folder / "restricted").glob("*") if f.is_dir()}
        return sorted(n for n in names if not n.endswith(".set_aside") and self.history(n, "restricted"))

    def sweep(self, *, settled_s: float = SETTLED_S) -> int:
        """Remove files that a run which was cut off left uncommitted; returns how many.

        Args:
            settled_s: Younger files stay, for they may belong to a run at work, in seconds; 0 when none is.
        """
        return sum(self._format.sweep(p, settled_s=settled_s) for p in self.folder.glob("*/*") if p.is_dir())

    def _table(self, name: str, zone: ZoneName) -> Path:
        return self.folder / zone / name

    def _found(self, name: str, zone: ZoneName, number: int | None) -> tuple[int, Evidence] | None:
        known = self.history(name, zone)
        chosen = max(known, default=0) if number is None else number
        return (chosen, known[chosen]) if chosen in known else None

    def _write(
        self,
        name: str,
        zone: ZoneName,
        rows: Relation,
        evidence: Mapping[str, Any],
        parts: Sequence[Sequence[str]] = (),
    ) -> tuple[int, Evidence]:
        text, table = json.dumps(evidence, ensure_ascii=False, sort_keys=True, default=str), self._table(name, zone)
        if files := [Path(f) for part in parts for f in part]:
            return self._format.commit(table, files, rows.schema().to_pyarrow(), text), json.loads(text)
        return self._format.write(table, rows, self.engine, text), json.loads(text)


def _log(table: Path) -> Log:
    try:
        with os.scandir(table / "_delta_log") as files:
            told = [(f.name, f.stat()) for f in files]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in told))


@cache
def code_sha256() -> str:
    """The hash of the package's own files: which code made a number (a wheel has no git).

    A process that stays keeps the hash that it began with: files that changed since are not the code that it runs.
    """
    root = Path(metroon.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
