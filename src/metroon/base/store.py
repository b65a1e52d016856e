"""The operational store: an index in SQLite that can be thrown away and rebuilt; the evidence is in the lake.

Two things in it stand nowhere else: on which days runs found actions of the plan done, and what people asked for in
vain.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING

from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from metroon.base.account import Verdict

_TABLES = """
create table if not exists files (path text primary key, size integer, changed_ns integer, sha256 text);
create table if not exists verdicts (
    product text, version integer, recorded_at text, rule text, severity text,
    checked integer, failed integer, is_kept integer, primary key (product, version, rule));
create table if not exists plan (action text, state text, day text, primary key (action, day));
create table if not exists walked (
    product text, day text, verdict text, is_late integer, primary key (product, day));
create table if not exists asked (
    day text, query text, language text, n integer, primary key (day, query, language));
create table if not exists runs (started_at text, as_of text, seconds real, products integer, failed integer);
"""
MOST_ASKED = 1000
"""Different questions that are kept a day: nobody can fill the disk with words."""
ASKED_DAYS = 365
"""How long they are kept."""


class Store:
    """File states, verdict history, states of the plan and runs of one city.

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

    def planned(self, day: date, states: Mapping[str, str]) -> None:
        """Remember the state of every action of the plan on one day; a later run of that day adds what became done."""
        # Done once that day stays: else a second run could hide that something was done and is no longer.
        query = """
            insert into plan values (?, ?, ?) on conflict (action, day) do update set
            state = excluded.state where plan.state <> 'done'"""
        self._db.executemany(query, [(action, state, day.isoformat()) for action, state in states.items()])

    def done_on(self, day: date) -> dict[str, date]:
        """Action -> the last day, until one, on which a run found it done."""
        query = "select action, max(day) from plan where state = 'done' and day <= ? group by 1"
        return {str(a): date.fromisoformat(d) for a, d in self._db.execute(query, (day.isoformat(),))}

    def walked(self, day: date, verdicts: Mapping[str, tuple[str, bool]]) -> None:
        """Remember what a run said of products that day (ok, late or bad; whether it is late); a later one counts."""
        rows = [(name, day.isoformat(), verdict, int(is_late)) for name, (verdict, is_late) in verdicts.items()]
        self._db.executemany("insert or replace into walked values (?, ?, ?, ?)", rows)

    def days(self, until: date) -> dict[str, list[tuple[date, str, bool]]]:
        """Product -> (day, verdict, whether it was late) of every day until one on which a run looked, oldest first."""
        query = "select product, day, verdict, is_late from walked where day <= ? order by day"
        found: dict[str, list[tuple[date, str, bool]]] = {}
        for name, day, verdict, is_late in self._db.execute(query, (until.isoformat(),)):
            found.setdefault(str(name), []).append((date.fromisoformat(day), str(verdict), bool(is_late)))
        return found

    def asked(self, day: date, query: str, language: str) -> None:
        """Remember that a question in plain words found nothing, and nothing of who asked.

        Whoever calls this has looked first whether the words may tell of somebody.
        """
        told = (day.isoformat(), " ".join(query.casefold().split()), language)
        keep = """
            insert into asked select ?, ?, ?, 0 where (select count(*) from asked where day = ?) < ?
            on conflict (day, query, language) do nothing"""
        # A search must not fail because nothing can be written, such as on a full disk.
        with suppress(sqlite3.OperationalError):
            self._db.execute(keep, (*told, day.isoformat(), MOST_ASKED))
            self._db.execute("update asked set n = n + 1 where day = ? and query = ? and language = ?", told)
            self._db.execute("delete from asked where day < ?", ((day - timedelta(days=ASKED_DAYS)).isoformat(),))

    def not_found(self) -> list[tuple[str, str, int, str]]:
        """(Question, language, how often it was asked, last day) of what found nothing, the most frequent first."""
        query = "select query, language, sum(n), max(day) from asked group by 1, 2 order by 3 desc, 4 desc, 1"
        return [(str(q), str(language), int(n), str(day)) for q, language, n, day in self._db.execute(query)]

    def ran(self, started_at: datetime, as_of: str, seconds: float, products: int, failed: int) -> None:
        """Remember that a run ended."""
        row = (started_at.isoformat(), as_of, seconds, products, failed)
        self._db.execute("insert into runs values (?, ?, ?, ?, ?)", row)

    def close(self) -> None:
        """Close the database."""
        self._db.close()
