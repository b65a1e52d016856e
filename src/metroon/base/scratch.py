"""Scratch folders: rows that pass through a process lie below the city's own folder, and go with the process.

Each folder holds a lock for as long as its process lives, so that whoever comes later can tell what was left behind by
a process that was cut off, also one of another machine on the same disk.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl

NAME = "scratch"
"""Below the folder in which versions are kept."""
_LOCK = ".lock"


@dataclass(frozen=True)
class Scratch:
    """One folder, and the lock that says that its process is alive.

    Args:
        folder: Where it is.
        lock: Held while it is in use.
    """

    folder: Path
    lock: IO[str]

    @classmethod
    def begin(cls, home: Path) -> Scratch:
        """A new folder that only its owner can read.

        Args:
            home: Where versions are kept.

        Example:
            >>> home = Path(tempfile.mkdtemp())
            >>> scratch = Scratch.begin(home)
            >>> left_behind(home), scratch.end(), left_behind(home)
            ([], None, [])
        """
        (home / NAME).mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(dir=home / NAME))
        lock = (folder / _LOCK).open("w")
        if sys.platform != "win32":
            fcntl.flock(lock, fcntl.LOCK_EX)
        return cls(folder, lock)

    def end(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.close()


def left_behind(home: Path) -> list[Path]:
    """The folders of processes that are gone.

    Args:
        home: Where versions are kept.
    """
    return [f for f in sorted((home / NAME).glob("*")) if f.is_dir() and not _is_held(f / _LOCK)]


def sweep(home: Path) -> int:
    """Remove the folders of processes that are gone; returns how many there were.

    Args:
        home: Where versions are kept.
    """
    found = left_behind(home)
    for folder in found:
        shutil.rmtree(folder, ignore_errors=True)
    return len(found)


def _is_held(lock: Path) -> bool:
    with suppress(FileNotFoundError), lock.open("r") as file:
        try:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
    # Just made, and not locked yet: whoever makes it is alive.
    return not any(lock.parent.iterdir()) if lock.parent.is_dir() else True
