"""Bundles: folders of files with a list of their hashes, such as a backup. A bundle is whole, or it is not there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MANIFEST = "manifest.json"
_PART = ".part"
_CHUNK = 1 << 20
_MOST_NAMED = 20


@dataclass(frozen=True)
class Held:
    """One file of a bundle.

    Args:
        sha256: Hash of its bytes.
        size: Bytes.
        changed_ns: When the file that it was copied from was changed.
        mode: Who may read and write that file, as the bits of a mode.
    """

    sha256: str
    size: int
    changed_ns: int
    mode: int = 0o600


@dataclass(frozen=True)
class Bundle:
    """A bundle that was finished.

    Args:
        folder: Where it is.
        told: What it says of itself.
        files: Name in the folder -> file.
    """

    folder: Path
    told: Mapping[str, Any]
    files: Mapping[str, Held]

    @classmethod
    def read(cls, folder: Path) -> Bundle:
        """The bundle in a folder.

        Raises:
            Refused: There is none, or its list cannot be read (F113).
        """
        try:
            text = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            files = {str(_below(name)): Held(**told) for name, told in text.pop("files").items()}
            return cls(folder, text, files)
        except FileNotFoundError:
            what, fix = f"there is no {MANIFEST} in this folder.", "Name a folder that metroon backup or export wrote."
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"its {MANIFEST} cannot be read ({type(error).__name__})."
            fix = "Take another backup; nothing was restored."
        raise Refused([Problem(str(folder), 0, "F113", what, fix)])

    def look(self) -> None:
        """Hash every file again.

        Raises:
            Refused: A file is missing or is not what was written (F113).
        """
        wrong = [n for n, held in self.files.items() if not _is_same(self.folder / n, held)]
        if wrong:
            fix = "Take another backup; nothing was restored."
            what = "the file is missing, or is not what was written."
            raise Refused(Problem(str(self.folder / n), 0, "F113", what, fix) for n in wrong[:_MOST_NAMED])


def _below(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("the name of a file leads out of the folder")
    return path


def _is_same(file: Path, held: Held) -> bool:
    try:
        return file.stat().st_size == held.size and sha256(file) == held.sha256
    except OSError:
        return False


def sha256(file: Path) -> str:
    """The hash of a file's bytes."""
    digest = hashlib.sha256()
    with file.open("rb") as read:
        while chunk := read.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@dataclass
class Writing:
    """A bundle that is being written, in a folder beside its own; use it in a ``with``.

    Args:
        folder: Where it will be.
        former: A bundle whose files are taken again where they did not change: no second copy of them is written.
    """

    folder: Path
    former: Bundle | None = None
    files: dict[str, Held] = field(default_factory=dict)
    copied: int = 0
    """Files that were written; the others are those of the former bundle."""

    def __post_init__(self) -> None:
        self._draft = self.folder.with_name(f".{self.folder.name}{_PART}")

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._draft, ignore_errors=True)

    def begin(self) -> None:
        """Begin with nothing, also when something was written."""
        shutil.rmtree(self._draft, ignore_errors=True)
        self._draft.mkdir(parents=True, mode=0o700)
        self.files.clear()
        self.copied = 0

    def put(self, file: Path, name: str) -> None:
        """Take in a file.

        Args:
            file: The file.
            name: Its name in the bundle.

        Raises:
            OSError: It cannot be read, or the bundle cannot be written.
        """
        stat, known = file.stat(), self.former.files.get(name) if self.former else None
        to = self._new(name)
        is_known = known is not None and (known.size, known.changed_ns) == (stat.st_size, stat.st_mtime_ns)
        if known and is_known and self.former and _linked(self.former.folder / name, to):
            self.files[name] = known
            return
        digest = hashlib.sha256()
        with file.open("rb") as read, to.open("wb") as out:
            while chunk := read.read(_CHUNK):
                digest.update(chunk)
                out.write(chunk)
        os.utime(to, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
        self._done(to, name, digest.hexdigest(), stat)

    def put_text(self, text: str, name: str) -> None:
        """Take in a text.

        Args:
            text: The text.
            name: Its name in the bundle.
        """
        to = self._new(name)
        to.write_text(text, encoding="utf-8", newline="")
        self.written(name)

    def path(self, name: str) -> Path:
        """Where somebody else may write a file of the bundle; ``written`` takes it in.

        Args:
            name: Its name in the bundle.
        """
        return self._new(name)

    def written(self, name: str) -> None:
        """Take in a file that was written to its ``path``."""
        to = self._draft / name
        self._done(to, name, sha256(to), to.stat())

    def finish(self, told: Mapping[str, Any]) -> Bundle:
        """Write the list and give the folder its name.

        Args:
            told: What the bundle says of itself.
        """
        text = {**told, "files": {n: asdict(h) for n, h in sorted(self.files.items())}}
        manifest = self._draft / MANIFEST
        with manifest.open("w", encoding="utf-8") as out:
            json.dump(text, out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())
        manifest.chmod(0o400)
        self._draft.replace(self.folder)
        return Bundle(self.folder, told, dict(self.files))

    def _new(self, name: str) -> Path:
        to = self._draft / _below(name)
        to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return to

    def _done(self, to: Path, name: str, digest: str, stat: os.stat_result) -> None:
        to.chmod(0o400)
        self.files[name] = Held(digest, to.stat().st_size, stat.st_mtime_ns, stat.st_mode & 0o777)
        self.copied += 1


def _linked(file: Path, to: Path) -> bool:
    try:
        os.link(file, to)
    except OSError:
        return False  # a disk without links: it is copied
    return True


def bundles(folder: Path) -> Iterator[Path]:
    """The folders of bundles below a folder, oldest first by name."""
    yield from sorted(f.parent for f in folder.glob(f"[!.]*/{MANIFEST}"))
