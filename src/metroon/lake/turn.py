"""Turns: one writer of a table at a time, so that two runs at once both get their version."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from metroon.base.errors import Refused, cannot

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK = ".lock"


@contextmanager
def turn(*tables: Path) -> Iterator[None]:
    """While this lasts, nobody else writes to some tables; whoever comes meanwhile waits. It ends with the process too.

    The format alone refuses the second of two writers, whose rows would then wait for the next run.

    Args:
        tables: Their folders, in an order that every caller keeps.

    Raises:
        Refused: A folder cannot be written (L101).

    Example:
        >>> import pathlib, tempfile
        >>> with turn(pathlib.Path(tempfile.mkdtemp(), "trees")):
        ...     "alone"
        'alone'
    """
    with ExitStack() as held:
        for table in tables:
            try:
                table.mkdir(parents=True, exist_ok=True)
                lock = held.enter_context((table / _LOCK).open("a"))
                if sys.platform != "win32":
                    fcntl.flock(lock, fcntl.LOCK_EX)
            except OSError as error:
                raise Refused([cannot(error)]) from error
        yield
