"""The noun of this room: a source, and the raw rows that come out of it."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from pydantic import field_validator

from metroon.base.kinds import Kind
from metroon.base.lineage import Lineage
from metroon.collect.landing import names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from metroon.base.account import Delivery
    from metroon.base.engine import Engine, Relation
    from metroon.base.errors import Problem
    from metroon.city.contract import Contract
    from metroon.collect.landing import Landing

FILE, LINE, REJECT = "_file", "_line", "_reject"
"""Columns that every raw row carries: its delivery, its line there, and why it is no whole record (or null)."""
RECORD = "_record"
"""A column that raw rows may carry: the text of a record that is no whole one, null for whole ones."""


@dataclass(frozen=True)
class Piece:
    """The rows of some deliveries, which become a part of a version.

    Args:
        rows: As those of ``Raw``.
        deliveries: The names of the deliveries.
        records: How many there must be; None where nothing is claimed.
        header: Column -> what the header calls it, where a row could be the header again; empty where none can.
        nulled: The same rows, with null where a text is empty; None where nobody has them.
        is_bare: Whether no text ends with a blank.
    """

    rows: Relation
    deliveries: tuple[str, ...]
    records: int | None = None
    header: Mapping[str, str] = field(default_factory=dict)
    nulled: Relation | None = None
    is_bare: bool = False


@dataclass(frozen=True)
class Raw:
    """Rows as they came, under the contract's column names, nothing lost.

    Grain:
        One row per record of every delivery that could be read at all.

    Args:
        rows: The contract's columns (text from text files), ``_file``, ``_line``, ``_reject``.
        deliveries: Every file, taken or refused.
        problems: Why deliveries were refused.
        notes: Columns that were left out, and other things to tell.
        pieces: The same rows in pieces of whole deliveries; empty when they are not in pieces.
        unnamed: Delivery -> its headers that the contract does not name.
        unread: Deliveries that are known, and whose rows are not among these.
    """

    rows: Relation
    deliveries: tuple[Delivery, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] = ()
    unnamed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Known:
    """A delivery that need not be read again unless its bytes changed.

    Args:
        delivery: As it was.
        unnamed: Its headers that the contract does not name.
    """

    delivery: Delivery
    unnamed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a source is given.

    Args:
        engine: The engine.
        contract: The promise, which names the columns.
        data: The city's folder of raw files.
        folder: The product's own folder.
        inputs: Other products' rows, for sources that are made of them.
        extent: Where the city is (west, south, east, north, in degrees), when that is known.
        known: Name of a delivery -> what it was when a version took it: while its bytes stay, it is not read again.
        hashed: Gives the hash of a file; every byte is read unless given.
        may_claim: Whether rows may be given that are believed only when they add up.
    """

    engine: Engine
    contract: Contract
    data: Path
    folder: Path
    inputs: Mapping[str, Relation] = field(default_factory=dict)
    extent: tuple[float, float, float, float] | None = None
    known: Mapping[str, Known] = field(default_factory=dict)
    hashed: Callable[[Path], str] | None = None
    may_claim: bool = True

    def sha256(self, *files: Path) -> str:
        """The hash of a delivery, as ``sha256`` makes it."""
        return sha256(*files, hashed=self.hashed)


class Source(Kind):
    """Something that rows come from. Its fields are the YAML options."""

    @abstractmethod
    def files(self, data: Path, folder: Path) -> list[Path]:
        """The files it reads, in the order of their names."""

    @abstractmethod
    def read(self, reading: Reading) -> Raw:
        """Bring the rows in.

        Raises:
            Refused: Nothing could be read at all.
        """

    def reads(self, folder: Path) -> frozenset[str]:  # only some sources need it
        """Names of the products it is made of."""
        return frozenset()

    def lineage(self, folder: Path, columns: Mapping[str, Sequence[str]]) -> Lineage:  # as above
        """Which columns of those products each of its columns is made of.

        Args:
            folder: The product's own folder.
            columns: Product -> its columns.
        """
        return Lineage(why_not="its source does not say what it is computed from")

    @property
    def revises(self) -> bool:
        """Whether later deliveries bring rows again, corrected: of a key the last row stays, not the first."""
        return False

    @property
    def variables(self) -> frozenset[str]:
        """The environment variables that it reads: what its options whose names end in ``_from`` name."""
        told = (getattr(self, option) for option in type(self).model_fields if option.endswith("_from"))
        return frozenset(str(name) for name in told if name)

    def parts(self, delivery: Path) -> list[Path]:
        """The files that one delivery consists of: itself, unless its format spreads over several."""
        return [delivery]


class RemoteSource(Source):
    """A source that lies elsewhere. What it gives is landed as files before anything is parsed: evidence, and replay.

    Its ``files`` and ``read`` see the landing folder as the data folder, and open no connection.
    """

    @abstractmethod
    def fetch(self, landing: Landing) -> None:
        """Bring what is there now into the landing folder; unchanged content leaves the same files.

        Raises:
            Refused: It cannot be had whole; what was landed before stays.
        """

    @abstractmethod
    def headers(self, landing: Landing) -> list[str]:
        """The columns of what was landed, by the names that a contract gives as ``physicalName``."""

    def key(self, landing: Landing) -> list[str]:  # only some sources know it
        """The columns that tell rows apart, when the source itself says which; else none."""
        return []


class FileSource(Source):
    """A source of files below the city's data folder."""

    path: str
    """File, or pattern with * such as fire/incidents_*.csv: each file is one delivery, all are appended."""
    others: Literal["warn", "leave"] = "warn"
    """Columns that the contract does not name stay out: say so (warn), or expect it (leave)."""

    @field_validator("path")
    @classmethod
    def _below(cls, given: str) -> str:
        parts = PurePosixPath(given).parts
        if not parts or given.startswith(("/", "~")) or ".." in parts:
            raise ValueError("the path must stay below the city's data folder. Fix: Write it from there on.")
        if any("**" in part and part != "**" for part in parts):
            raise ValueError("** must stand alone between two slashes. Fix: Write * for any part of one name.")
        return given

    def files(self, data: Path, folder: Path) -> list[Path]:  # the same call for every source
        """Every file that is read: the deliveries with all their parts."""
        return [part for delivery in self.deliveries(data) for part in self.parts(delivery)]

    def deliveries(self, data: Path) -> list[Path]:
        """The files that the path or pattern names, in the order of their names; each is one delivery."""
        if (landed := names(data)) is not None:
            return [data / name for name in sorted(landed)]
        if (data / self.path).is_file():  # also names that look like patterns, such as crashes[1].csv
            return [data / self.path]
        # What begins with a point or ~ is another program's own: locks, metadata, half-written copies.
        found = (p for p in data.glob(self.path) if p.is_file() and p.name[0] not in ".~")
        return sorted(found, key=lambda p: p.as_posix())

    @abstractmethod
    def headers(self, file: Path) -> list[str]:
        """The columns that one file brings, by the names that a contract gives as ``physicalName``.

        Raises:
            Unreadable: The file is not what this kind reads.
        """


def sha256(*files: Path, hashed: Callable[[Path], str] | None = None) -> str:
    """The hash of a file's bytes; of several files, the hash of what ``sha256sum`` prints for them.

    Args:
        files: The files.
        hashed: Gives the hash of one file where somebody knows it; its bytes are read unless given.

    Example:
        >>> import pathlib, tempfile
        >>> f = pathlib.Path(tempfile.mkdtemp(), "a"); _ = f.write_bytes(b"")
        >>> sha256(f)[:8], sha256(f, f)[:8]
        ('e3b0c442', '882aee09')
    """
    if len(files) != 1:
        lines = "".join(f"{sha256(file, hashed=hashed)}  {file.name}\n" for file in files)
        return hashlib.sha256(lines.encode()).hexdigest()
    if hashed is not None:
        return hashed(files[0])
    digest = hashlib.sha256()
    with files[0].open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
