"""Whether a run is at work in a city: who reads its versions waits until all of them are there."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from metroon.base.errors import Problem, Refused

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "run.lock"
"""Its time of change tells when the last run ended."""


@contextmanager
def running(home: Path) -> Iterator[None]:
    """While this lasts, a run is at work. It ends with the process too, however that ends.

    Args:
        home: Where versions are kept.

    Example:
        >>> import pathlib, tempfile
        >>> home = pathlib.Path(tempfile.mkdtemp())
        >>> with running(home):
        ...     is_running(home)
        True
        >>> is_running(home)
        False
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / NAME).open("a") as file:
        # Shared: runs do not wait for each other, only readers ask for the lock alone.
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_SH)
        try:
            yield
        finally:
            os.utime(home / NAME)


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """While this lasts, nothing else is at work in a city.

    Args:
        home: Where versions are kept.

    Raises:
        Refused: A run is at work.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / NAME).open("a") as file:
        if sys.platform != "win32":
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                fix = "Wait until it has ended, and try again."
                raise Refused([Problem(str(home), 0, "G158", "a run is at work: nothing was done.", fix)]) from None
        try:
            yield
        finally:
            os.utime(home / NAME)


def is_running(home: Path) -> bool:
    """Whether a run is at work."""
    try:
        with (home / NAME).open("a") as file:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # a folder that can only be read: nobody runs here
    return False
