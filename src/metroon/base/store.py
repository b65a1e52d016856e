"""The operational store: an index in SQLite that can be thrown away and rebuilt; the evidence is in the lake."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from metroon.base.account import Verdict

_TABLES = """
create table if not exists files (path text primary key, size integer, changed_ns integer, sha256 text);
create table if not exists verdicts (
    product text, version integer, recorded_at text, rule text, severity text,
    checked integer, failed integer, is_kept integer, primary key (product, version, rule));
create table if not exists runs (started_at text, as_of text, seconds real, products integer, failed integer);
"""


class Store:
    """File states, verdict history and runs of one city.

    Raises:
        Refused: The file cannot be opened; one that is damaged is made anew.

    Example:
        >>> import pathlib, tempfile
        >>> store = Store(pathlib.Path(tempfile.mkdtemp(), "store.sqlite"))
        >>> store.seen("a.csv", 3, 99) is None
        True
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._open(path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                # The file is damaged. Nothing is lost that cannot be found again.
                for part in ("", "-wal", "-shm"):
                    path.with_name(path.name + part).unlink(missing_ok=True)
                self._open(path)
        except (OSError, sqlite3.OperationalError) as error:
            what = f"the operational store cannot be opened ({type(error).__name__})."
            fix = "Check free space and rights of the folder, and that no other run holds it."
            raise Refused([Problem(str(path), 0, "L101", what, fix)]) from error

    def _open(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        try:
            self._db.execute("pragma journal_mode=wal")
            self._db.executescript(_TABLES)
        except sqlite3.Error:
            self._db.close()
            raise

    def seen(self, path: str, size: int, changed_ns: int) -> str | None:
        """The hash of a file whose size and time of change are as when it was last hashed."""
        query = "select sha256 from files where path = ? and size = ? and changed_ns = ?"
        row = self._db.execute(query, (path, size, changed_ns)).fetchone()
        return str(row[0]) if row else None

    def saw(self, path: str, size: int, changed_ns: int, sha256: str) -> None:
        """Remember a file's hash."""
        self._db.execute("insert or replace into files values (?, ?, ?, ?)", (path, size, changed_ns, sha256))

    def judged(self, product: str, version: int, at: datetime, verdicts: Sequence[Verdict]) -> None:
        """Keep the verdicts on one version."""
        rows = [
            (product, version, at.isoformat(), v.rule, v.severity, v.checked, v.failed, int(v.is_kept))
            for v in verdicts
        ]
        self._db.executemany("insert or replace into verdicts values (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def history(self, product: str) -> dict[int, tuple[int, int]]:
        """Version -> (rules kept, rules checked), oldest first."""
        query = "select version, sum(is_kept), count(*) from verdicts where product = ? group by 1 order by 1"
        return {int(v): (int(kept), int(n)) for v, kept, n in self._db.execute(query, (product,))}

    def ran(self, started_at: datetime, as_of: str, seconds: float, products: int, failed: int) -> None:
        """Remember that a run ended."""
        row = (started_at.isoformat(), as_of, seconds, products, failed)
        self._db.execute("insert into runs values (?, ?, ?, ?, ?)", row)

    def close(self) -> None:
        """Close the database."""
        self._db.close()
