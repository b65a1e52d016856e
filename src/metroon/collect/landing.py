"""Landing: what was fetched from elsewhere, kept as files by their hashes before anything is parsed."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metroon.base import private
from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

MANIFEST = ".landed.json"
LOCK = ".lock"
_AGAIN = "Restore it from a backup, or move the folder away: everything is then fetched anew."


@dataclass(frozen=True)
class Landed:
    """One file that was fetched.

    Args:
        file: Its name in the landing folder.
        sha256: Hash of its bytes.
        size: Bytes.
        address: Where it came from, without anything secret.
        fetched_at: When, in UTC.
        etag: What the server called this content; empty when it did not.
        last_modified: When the server says it was changed; empty when it did not.
        records: How many records the server says there are; None when it did not.
        status: How the server answered, as HTTP counts; None where there is no such number.
        is_delivery: Whether rows are read from it; else it only describes them.
        left_at: When it ceased to count, in UTC; empty while it counts.
    """

    file: str
    sha256: str
    size: int
    address: str = ""
    fetched_at: str = ""
    etag: str = ""
    last_modified: str = ""
    records: int | None = None
    status: int | None = None
    is_delivery: bool = True
    left_at: str = ""


@dataclass(frozen=True)
class Manifest:
    """What a landing folder says of itself.

    Args:
        files: The files that count, in the order of the deliveries.
        state: What the source has to know to go on from here; never anything secret.
        snapshot: A name of what counts, by its bytes.
        checked_at: When the source was last asked, in UTC.
        earlier: Files that counted before and that versions may have been made of.
    """

    files: tuple[Landed, ...] = ()
    state: Mapping[str, str] = field(default_factory=dict)
    snapshot: str = ""
    checked_at: str = ""
    earlier: tuple[Landed, ...] = ()


class Landing:
    """The folder of one product into which its remote source is fetched.

    A file appears whole or not at all, and counts when the manifest names it. What counted before stays until
    ``sweep`` is told that no version was made of it.

    Args:
        folder: The product's own folder; made when it is not there.
        beside: The folder of the product's declaration, where there is one.
    """

    def __init__(self, folder: Path, beside: Path | None = None) -> None:
        self.folder = folder
        self.beside = beside
        self._known: dict[str, Landed] | None = None

    def problem(self, code: str, what: str, fix: str) -> Problem:
        """A problem of the product's source, told at its declaration."""
        return Problem(f"products/{self.folder.name}/product.yaml", 1, code, what, fix)

    def manifest(self) -> Manifest:
        """What the folder says of itself; empty before the first fetch.

        Raises:
            Refused: It cannot be read (D130).
        """
        try:
            told = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
            files, earlier = (tuple(Landed(**e) for e in told.pop(k, ())) for k in ("files", "earlier"))
            return Manifest(files=files, earlier=earlier, **told)
        except FileNotFoundError:
            return Manifest()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise Refused([Problem(str(self.folder), 0, "D130", "its manifest cannot be read.", _AGAIN)]) from None

    def landed(self) -> tuple[Landed, ...]:
        """What counts now, in the order of the deliveries; nothing before the first fetch.

        Raises:
            Refused: The manifest cannot be read.
        """
        return self.manifest().files

    def deliveries(self) -> list[Path]:
        """The files that rows are read from, in the order of the deliveries.

        Raises:
            Refused: The manifest cannot be read.
        """
        return [self.folder / f.file for f in self.landed() if f.is_delivery]

    def is_whole(self) -> bool:
        """Whether every file that counts is there with its size."""
        paths = [(self.folder / f.file, f.size) for f in self.landed()]
        return all(path.is_file() and path.stat().st_size == size for path, size in paths)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A file to write; it gets its name when all of it is written and synced.

        Args:
            name: Its name in the folder; it counts once ``keep`` names it.
        """
        part = self.folder / f".{name}.part"
        try:
            with self.opened(part, os.O_TRUNC) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.folder / name)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def opened(self, file: Path, how: int) -> Iterator[BinaryIO]:
        """A file in the folder that only its owner may read, open for writing.

        Args:
            file: The file.
            how: ``os.O_TRUNC`` to begin it anew, ``os.O_APPEND`` to go on at its end.

        Raises:
            Refused: It cannot be written (D144).
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | how, 0o600), "ab") as handle:
                yield handle
        except OSError as error:
            what = f"what is fetched cannot be written into {self.folder}: {error.strerror or 'no reason is told'}."
            raise Refused(
                [self.problem("D144", what, "Make room on the disk, or give this program the right.")]
            ) from None

    def add(self, stem: str, ending: str, content: bytes, about: Landed) -> Landed:
        """Write a file whose name holds the hash of its bytes, so that the same bytes have the same name.

        Args:
            stem: What its name begins with; names sort in the order of the deliveries.
            ending: What its name ends with, such as ``json``.
            content: Its bytes.
            about: Where it came from, and when.

        Raises:
            Refused: It cannot be written (D144).
        """
        digest = hashlib.sha256(content).hexdigest()
        name = _name(stem, digest, ending)
        if not self._has(name, digest):
            with self.writing(name) as file:
                file.write(content)
        return self._entry(name, digest, len(content), about)

    def take(self, part: Path, stem: str, ending: str, digest: str, about: Landed) -> Landed:
        """Give a file that was written into the folder bit by bit its name, by its hash.

        Args:
            part: The file, whole and synced.
            stem: What its name begins with.
            ending: What its name ends with.
            digest: The hash of its bytes.
            about: Where it came from, and when.
        """
        name, size = _name(stem, digest, ending), part.stat().st_size
        part.replace(self.folder / name)
        return self._entry(name, digest, size, about)

    def keep(self, files: Sequence[Landed], state: Mapping[str, str] | None = None) -> None:
        """Say which files count from now on; what counted before is kept as what versions were made of.

        Args:
            files: Everything that counts, in the order of the deliveries.
            state: What the source has to know to go on from here.

        Raises:
            Refused: It cannot be written (D144), or the manifest before cannot be read (D130).
        """
        before = self.manifest()
        names = {f.file for f in files}
        left = (replace(f, left_at=now()) for f in before.files)
        earlier = {f.file: f for f in (*before.earlier, *left) if f.file not in names}
        snapshot = hashlib.sha256("".join(f"{f.sha256}  {f.file}\n" for f in files).encode()).hexdigest()
        self._save(Manifest(tuple(files), dict(state or {}), snapshot, now(), tuple(earlier.values())))

    def sweep(self, needed: Collection[str] | None = None, *, grace: timedelta = timedelta(days=1)) -> None:
        """Remove what a fetch that was cut off left behind, and what counted before that nothing was made of.

        Args:
            needed: Hashes of the files that versions were made of; everything that counted before unless given.
            grace: How long it stays all the same: another run may just be reading it.

        Raises:
            Refused: The manifest cannot be read or written.
        """
        told = self.manifest()
        until = (datetime.now(UTC) - grace).isoformat(timespec="seconds")
        kept = tuple(f for f in told.earlier if needed is None or f.sha256 in needed or f.left_at > until)
        if kept != told.earlier:
            self._save(Manifest(told.files, told.state, told.snapshot, told.checked_at, kept))
        known = {f.file for f in (*told.files, *kept)} | {MANIFEST, LOCK}
        for file in self.folder.iterdir() if self.folder.is_dir() else ():
            if file.is_file() and file.name not in known:
                file.unlink()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other process fetches into the folder meanwhile: it waits until this one is done.

        Raises:
            Refused: The folder cannot be written (D144).
        """
        with self.opened(self.folder / LOCK, 0) as file:
            lock = os.dup(file.fileno())
        try:
            if sys.platform != "win32":
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _save(self, manifest: Manifest) -> None:
        self._known = None
        told = json.dumps(asdict(manifest), indent=1, sort_keys=True)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            private.save(told.encode(), self.folder / MANIFEST)
        except OSError as error:
            what = f"what was fetched cannot be noted in {self.folder}: {error.strerror or 'no reason is told'}."
            raise Refused(
                [self.problem("D144", what, "Make room on the disk, or give this program the right.")]
            ) from None

    def _has(self, name: str, digest: str) -> bool:
        try:
            return hashlib.sha256((self.folder / name).read_bytes()).hexdigest() == digest
        except OSError:
            return False

    def _entry(self, name: str, digest: str, size: int, about: Landed) -> Landed:
        if self._known is None:
            self._known = {f.file: f for f in self.landed()}
        before = self._known.get(name)
        told = {**asdict(about), "file": name, "sha256": digest, "size": size}
        # The same bytes came at the time they first came.
        return Landed(**{**told, "fetched_at": before.fetched_at if before else about.fetched_at or now()})


def names(folder: Path) -> frozenset[str] | None:
    """The names of the files that rows are read from, where a folder is one that was fetched into; else None.

    Raises:
        Refused: Its manifest cannot be read.
    """
    if not (folder / MANIFEST).is_file():
        return None
    return frozenset(f.name for f in Landing(folder).deliveries())


def now() -> str:
    """The time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _name(stem: str, digest: str, ending: str) -> str:
    return f"{stem}.{digest[:16]}.{ending}"
