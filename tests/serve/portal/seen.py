"""What real clients were seen doing: every test that lets one read a door says so here.

What was seen stands in ``docs/reference/clients.tsv``. A test whose row is not there fails; run it with
``METROON_SEEN=write`` to write the row, and ``python docs/generate.py`` to put it on the page. Rows of calls that are
made no more go by deleting the file first.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parents[3] / "docs" / "reference" / "clients.tsv"
HEAD = "door\tclient\tcall"


class Row(NamedTuple):
    """One call that was seen working: door, client with the version that made it, what it did."""

    door: str
    client: str
    call: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by: a newer version of a client makes the same call."""
        return self.door, re.sub(r" [\d.]+", "", self.client), self.call


SEEN: set[Row] = set()
"""What this process saw."""


def seen(door: str, client: str, call: str) -> None:
    """A client did something at a door, and got the right thing.

    Args:
        door: The name of the door's kind, or ``file`` for a page's data.
        client: Its name with its version; the last part of the version is dropped.
        call: What it called, the same words in every run.

    Raises:
        AssertionError: It is not among what was seen before, and this run writes nothing.
    """
    row = Row(door, re.sub(r"(\d+\.\d+)[.\w+]*", r"\1", client), call)
    SEEN.add(row)
    if os.environ.get("METROON_SEEN") != "write":
        known = {r.key for r in read(FILE)}
        assert row.key in known, f"{row} is not in {FILE.name}: run this test with METROON_SEEN=write"


def read(file: Path) -> set[Row]:
    """The rows of a file."""
    lines = file.read_text(encoding="utf-8").splitlines()[1:] if file.exists() else []
    return {Row(*line.split("\t")) for line in lines}


def write(rows: set[Row], file: Path) -> None:
    """Add rows to a file, in place of older versions of the same calls; several processes may do so at once."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        kept = {r.key: r for r in (*sorted(read(file)), *sorted(rows))}
        lines = ["\t".join(r) for r in sorted(kept.values())]
        file.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    finally:
        os.close(folder)
