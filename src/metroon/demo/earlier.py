"""The invented city on an earlier day: the files that had not come yet are not there."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from shutil import move
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

EARLIER = date(2026, 7, 1)
"""A day before the last month's and the last quarter's files came."""
_LATER = ("*/*_2026-06.csv", "*/*_2026-Q2.csv")


@contextmanager
def earlier(folder: Path) -> Iterator[date]:
    """The city as its departments had sent it by that day, as long as the block lasts.

    Args:
        folder: The city, as it was built.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "inbox", "crashes", "crashes_2026-Q2.csv")
        ...     file.parent.mkdir(parents=True)
        ...     file.touch()
        ...     with earlier(Path(folder)) as day:
        ...         print(day, file.exists())
        ...     print(file.exists())
        2026-07-01 False
        True
    """
    inbox = folder / "inbox"
    later = [f for pattern in _LATER for f in sorted(inbox.glob(pattern))]
    with tempfile.TemporaryDirectory(dir=folder, prefix=".not_sent_yet") as away:
        kept = {file: Path(away, str(n)) for n, file in enumerate(later)}
        for file, place in kept.items():
            move(file, place)
        try:
            yield EARLIER
        finally:
            for file, place in kept.items():
                move(place, file)
