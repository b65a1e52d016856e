"""The ledger on disk: every release in one chained list, kept for ever, with the proof of each beside it."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from metroon.base.errors import Problem, Refused
from metroon.guard import certificate
from metroon.guard.ledger import Entry, Release

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from metroon.guard.ledger import State
    from metroon.guard.system import Proof

NAME = "ledger.jsonl"
PROOFS = "proofs"
_LOCK = "ledger.lock"
_BEGIN = "0" * 64
"""What the first line is chained to."""
_BACKUP = "Put {} back from a backup, as a whole. Until then nothing is published; what is published stays."


@dataclass(frozen=True)
class Mark:
    """Where a release stands in the ledger: what its version says of itself.

    Args:
        seq: The number of its entry.
        sha256: The hash of the line that reserves it, and so of all lines before.
    """

    seq: int
    sha256: str


@dataclass
class _Read:
    """What the lines so far say."""

    entries: dict[int, Entry] = field(default_factory=dict)
    marks: dict[int, str] = field(default_factory=dict)
    head: str = _BEGIN

    def take(self, line: bytes) -> None:
        """Take in the next line.

        Raises:
            ValueError: It is not what was written, or does not follow those before.
        """
        told = json.loads(line)
        bare = {k: v for k, v in told.items() if k != "sha256"}
        if told["before"] != self.head or line != _line(bare)[0]:
            raise ValueError("the line is not what was written after the line before")
        entry = _entry(self.entries, told)
        self.entries[entry.seq], self.head = entry, told["sha256"]
        if told["step"] in ("reserved", "adopted"):
            self.marks[entry.seq] = self.head


class Ledger:
    """The list of everything that was ever published of one city.

    A line is written before something is published (``reserved``), and another one once it has been (``confirmed``)
    or is known not to have been (``void``). Every line holds the hash of the line before it, so that none can be
    changed or taken out. No line is ever removed: what the world has seen it does not forget.

    Args:
        folder: Where the list and its proofs are.

    Example:
        >>> import pathlib, tempfile
        >>> ledger = Ledger(pathlib.Path(tempfile.mkdtemp(), "ledger"))
        >>> release = Release("stays", "measure", ("stays",), "stays", "2026-01-31", "")
        >>> with ledger.alone():
        ...     mark = ledger.reserve(release, time="2026-01-31T12:00:00+00:00")
        ...     ledger.confirm(mark.seq, 1, time="2026-01-31T12:00:01+00:00")
        >>> [(e.seq, e.state, e.label) for e in ledger.entries()]
        [(1, 'confirmed', 'stays 1')]
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / NAME
        self._depth = 0
        self._known: tuple[tuple[int, int, int], _Read] | None = None
        self._proofs: dict[str, Proof] = {}

    @property
    def is_there(self) -> bool:
        """Whether anything was ever written down."""
        return self.file.is_file()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While this lasts, nobody else writes here: a reservation that is open then belongs to a run that is gone.

        Raises:
            Refused: The folder cannot be written (G127).
        """
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.folder / _LOCK).open("a")
        except OSError as error:
            raise self._unwritable(error) from error
        with lock:
            if sys.platform != "win32":
                fcntl.flock(lock, fcntl.LOCK_EX)
            self._depth = 1
            try:
                self._cut()
                yield
            finally:
                self._depth = 0

    # What was published

    def entries(self) -> tuple[Entry, ...]:
        """Every release, in order.

        Raises:
            Refused: A line was changed, taken out or put in (G122).
        """
        return tuple(self._read().entries.values())

    def mark(self, seq: int) -> str:
        """The hash of the line that reserves a release; empty when there is none of that number."""
        return self._read().marks.get(seq, "")

    @property
    def head(self) -> str:
        """The hash of the last line."""
        return self._read().head

    def proof(self, entry: Entry) -> Proof:
        """The proof of a release.

        Raises:
            Refused: It is missing or was changed (G123).
        """
        sha256 = entry.release.proof
        file = self.proof_file(sha256)
        try:
            if sha256 not in self._proofs:
                self._proofs[sha256] = certificate.read(file, sha256=sha256)
            return self._proofs[sha256]
        except Refused as refused:
            what = f"the proof of {entry.label} is missing or is not what was written."
            fix = _BACKUP.format(f"{PROOFS}/{file.name}")
            raise Refused([Problem(str(file), 0, "G123", what, fix)]) from refused

    def proof_file(self, sha256: str) -> Path:
        """Where a proof is kept."""
        return self.folder / PROOFS / f"{sha256}.npz"

    # Writing

    def keep(self, proof: Proof) -> str:
        """Keep a proof, and return its hash. It holds true numbers: only the owner of the files may read it."""
        try:
            (self.folder / PROOFS).mkdir(parents=True, exist_ok=True, mode=0o700)
            sha256 = certificate.save(proof, self.folder / PROOFS)
        except OSError as error:
            raise self._unwritable(error) from error
        self._proofs[sha256] = proof
        return sha256

    def reserve(self, release: Release, *, time: str) -> Mark:
        """Write down what is about to be published. On return it is on the disk.

        Args:
            release: What leaves; its proof is kept already.
            time: When.
        """
        seq = len(self._read().entries) + 1
        return Mark(seq, self._append({"step": "reserved", "seq": seq, "time": time, "release": asdict(release)}))

    def confirm(self, seq: int, edition: int, *, time: str) -> None:
        """Write down that a release has left, as which version."""
        self._append({"step": "confirmed", "seq": seq, "edition": edition, "time": time})

    def void(self, seq: int, *, time: str) -> None:
        """Write down that a release has not left."""
        self._append({"step": "void", "seq": seq, "time": time})

    def adopt(self, release: Release, edition: int, *, time: str) -> Mark:
        """Write down what left before there was a ledger, or while it was not kept."""
        told = {"step": "adopted", "edition": edition, "time": time, "release": asdict(release)}
        seq = len(self._read().entries) + 1
        return Mark(seq, self._append({"seq": seq, **told}))

    def _append(self, told: Mapping[str, Any]) -> str:
        if not self._depth:
            raise ValueError("a ledger is written by one at a time: use alone()")
        before = self._read()
        _entry(before.entries, told)  # what does not follow is not written
        line, digest = _line({**told, "before": before.head})
        try:
            with open(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
                end = file.seek(0, os.SEEK_END)
                try:
                    file.write(line + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(end)  # no half of a line, as on a full disk
                    raise
            _sync(self.folder)
        except OSError as error:
            raise self._unwritable(error) from error
        before.take(line)
        self._known = self._stamp(), before
        return digest

    def _cut(self) -> None:
        # A line without an end was being written when a run was cut off: nothing has been published on its strength.
        try:
            with self.file.open("r+b") as file:
                text = file.read()
                whole = text.rfind(b"\n") + 1
                if whole < len(text):
                    file.truncate(whole)
                    os.fsync(file.fileno())
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unwritable(error) from error

    # Reading

    def _read(self) -> _Read:
        try:
            now = self._stamp()
            if self._known is None or self._known[0] != now:
                self._known = now, self._parsed(self.file.read_bytes())
        except FileNotFoundError:
            return _Read()
        except OSError as error:
            what, fix = (
                f"the ledger cannot be read ({type(error).__name__}).",
                "Give this program the right to read it.",
            )
            raise Refused([Problem(str(self.file), 0, "G122", what, fix)]) from error
        return self._known[1]

    def _stamp(self) -> tuple[int, int, int]:
        stat = self.file.stat()
        return stat.st_size, stat.st_mtime_ns, stat.st_ino

    def _parsed(self, text: bytes) -> _Read:
        made = _Read()
        *lines, _ = text.split(b"\n")  # what has no end is still being written, or was cut off
        for number, line in enumerate(lines, 1):
            try:
                made.take(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise self._broken(number) from error
        return made

    def _broken(self, line: int) -> Refused:
        what = "a line of the ledger is not what was written, or lines were taken out or put in."
        return Refused([Problem(str(self.file), line, "G122", what, _BACKUP.format(NAME))])

    def _unwritable(self, error: OSError) -> Refused:
        what = f"the ledger cannot be written ({type(error).__name__}), so nothing may be published."
        fix = "Check free space and rights of the folder; what is published stays."
        return Refused([Problem(str(self.file), 0, "G127", what, fix)])


def _entry(entries: Mapping[int, Entry], told: Mapping[str, Any]) -> Entry:
    """The release that a line speaks of, as it stands after it."""
    step, seq = told["step"], told["seq"]
    if step in ("reserved", "adopted"):
        if seq != len(entries) + 1:
            raise ValueError("a number is left out")
        state: State = "pending" if step == "reserved" else "adopted"
        return Entry(seq, told["time"], state, told.get("edition", 0), _release(told["release"]))
    if entries[seq].state != "pending" or step not in ("confirmed", "void"):
        raise ValueError("a release is settled twice, or by no step that there is")
    return replace(entries[seq], state=step, edition=int(told.get("edition", 0)))


def _release(told: Mapping[str, Any]) -> Release:
    listed = {k: tuple(told[k]) for k in ("population", "tells", "covers")}
    return Release(**{**told, **listed})


def _line(told: Mapping[str, Any]) -> tuple[bytes, str]:
    """A line as it is written, and its hash. The same content is the same line on every machine."""
    bare = json.dumps(told, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    digest = hashlib.sha256(bare.encode()).hexdigest()
    line = json.dumps({**told, "sha256": digest}, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return line.encode(), digest


def _sync(folder: Path) -> None:
    # A new file is there after a power cut only when its folder is written too.
    if sys.platform != "win32":
        at = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(at)
        finally:
            os.close(at)
