"""The noun of this room: the lake, where every version of every product stays readable."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import metroon
from metroon.base.errors import Problem, Refused
from metroon.lake.erasure import Certificates
from metroon.lake.kinds.delta import Delta

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
    """

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self.engine = engine
        self._format = Delta()
        self._read: dict[Path, tuple[Log, dict[int, Evidence]]] = {}
        self._gone: dict[Path, tuple[Log, dict[int, Evidence]]] = {}
        self._listed: dict[tuple[Path, int], tuple[Log, list[str]]] = {}

    def save(self, checked: Checked, evidence: Evidence) -> Version[Restricted]:
        """Keep checked rows in the restricted zone, with the list of rows set aside beside them."""
        name = checked.contract.name
        aside, _ = self._write(f"{name}.set_aside", "restricted", checked.set_aside, evidence)
        told = {**evidence, "set_aside_version": aside}
        return Version(name, "restricted", *self._write(name, "restricted", checked.rows, told))

    def publish(self, guarded: Guarded, evidence: Evidence) -> Version[Open]:
        """Publish what the guard made in the open zone."""
        return Version(guarded.name, "open", *self._write(guarded.name, "open", guarded.rows, evidence))

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
        return self.engine.parquet(self.files(version))

    def has_rows(self, table: str, number: int) -> bool:
        """Whether the rows of a version in the restricted zone are there still."""
        return all(Path(f).exists() for f in self._format.files(self._table(table, "restricted"), number))

    def stored(self, table: str, number: int) -> list[str]:
        """The data files that a version in the restricted zone has or had."""
        return self._format.files(self._table(table, "restricted"), number)

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

    def sweep(self) -> int:
        """Remove files that a run which was cut off left uncommitted; returns how many."""
        return sum(self._format.sweep(p) for p in self.folder.glob("*/*") if p.is_dir())

    def _table(self, name: str, zone: ZoneName) -> Path:
        return self.folder / zone / name

    def _found(self, name: str, zone: ZoneName, number: int | None) -> tuple[int, Evidence] | None:
        known = self.history(name, zone)
        chosen = max(known, default=0) if number is None else number
        return (chosen, known[chosen]) if chosen in known else None

    def _write(self, name: str, zone: ZoneName, rows: Relation, evidence: Mapping[str, Any]) -> tuple[int, Evidence]:
        text = json.dumps(evidence, ensure_ascii=False, sort_keys=True, default=str)
        return self._format.write(self._table(name, zone), rows, self.engine, text), json.loads(text)


def _log(table: Path) -> Log:
    try:
        with os.scandir(table / "_delta_log") as files:
            told = [(f.name, f.stat()) for f in files]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in told))


def code_sha256() -> str:
    """The hash of the package's own files: which code made a number (a wheel has no git)."""
    root = Path(metroon.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
