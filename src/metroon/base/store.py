"""The operational store: an index in SQLite that can be thrown away and rebuilt; the evidence is in the lake.

Two things in it stand nowhere else: on which days runs found actions of the plan done, and what people asked for in
vain.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager, suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from metroon.base.account import Drift, Verdict

_TABLES = """
create table if not exists files (path text primary key, size integer, changed_ns integer, sha256 text);
create table if not exists verdicts (
    product text, version integer, recorded_at text, rule text, severity text,
    checked integer, failed integer, is_kept integer, primary key (product, version, rule));
create table if not exists drift (
    product text, delivery text, sha256 text, kind text, column_name text, what text, version integer, recorded_at text,
    primary key (product, sha256, kind, column_name));
create table if not exists plan (action text, state text, day text, primary key (action, day));
create table if not exists walked (
    product text, day text, verdict text, is_late integer, primary key (product, day));
create table if not exists asked (
    day text, query text, language text, n integer, primary key (day, query, language));
create table if not exists arrivals (
    product text, file text, sha256 text, arrived_at text, published_at text, seconds real,
    primary key (product, file, sha256));
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
        self._path = path
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

    def _one(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        with self._told():
            return self._db.execute(query, values)

    def _many(self, query: str, rows: Sequence[Sequence[object]]) -> None:
        # One transaction: each of its own waits for the disk.
        with self._told(), self._db:
            self._db.execute("begin immediate")
            self._db.executemany(query, rows)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise self._held() from error
            what = "the operational store cannot be read or written."
            fix = "Check free space and rights of the folder; the last good versions stay."
            raise Refused([Problem(str(self._path), 0, "L101", what, fix)]) from error

    def _held(self) -> Refused:
        what = "another program has the operational store open, so it cannot be written."
        return Refused([Problem(str(self._path), 0, "L101", what, "Let that program end, then do this again.")])

    def seen(self, path: str, size: int, changed_ns: int) -> str | None:
        """The hash of a file whose size and time of change are as when it was last hashed."""
        query = "select sha256 from files where path = ? and size = ? and changed_ns = ?"
        row = self._one(query, (path, size, changed_ns)).fetchone()
        return str(row[0]) if row else None

    def saw(self, path: str, size: int, changed_ns: int, sha256: str) -> None:
        """Remember a file's hash."""
        # A file is hashed again when this cannot be written, such as on a full disk.
        with suppress(Refused):
            self._one("insert or replace into files values (?, ?, ?, ?)", (path, size, changed_ns, sha256))

    def judged(self, product: str, version: int, at: datetime, verdicts: Sequence[Verdict]) -> None:
        """Keep the verdicts on one version."""
        rows = [
            (product, version, at.isoformat(), v.rule, v.severity, v.checked, v.failed, int(v.is_kept))
            for v in verdicts
        ]
        self._many("insert or replace into verdicts values (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def history(self, product: str) -> dict[int, tuple[int, int]]:
        """Version -> (rules kept, rules checked), oldest first."""
        query = "select version, sum(is_kept), count(*) from verdicts where product = ? group by 1 order by 1"
        return {int(v): (int(kept), int(n)) for v, kept, n in self._one(query, (product,))}

    def drifted(self, product: str, version: int | None, at: datetime, drifts: Sequence[Drift]) -> None:
        """Keep what deliveries brought otherwise than before; version None when none was made of them."""
        rows = [(product, d.delivery, d.sha256, d.kind, d.column, d.what, version, at.isoformat()) for d in drifts]
        # What was told of a delivery when it first came stays, with the version that was made of it in the end.
        keep = """
            insert into drift values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (product, sha256, kind, column_name) do
            update set version = coalesce(drift.version, excluded.version)"""
        self._many(keep, rows)

    def drifts(self, product: str) -> list[tuple[str, int | None, str, str, str]]:
        """(Recorded at, version, delivery, kind, what) of every drift of a product, the latest first."""
        query = """
            select recorded_at, version, delivery, kind, what from drift where product = ?
            order by recorded_at desc, delivery, kind, column_name"""
        return [(str(at), v, str(d), str(k), str(w)) for at, v, d, k, w in self._one(query, (product,))]

    def planned(self, day: date, states: Mapping[str, str]) -> None:
        """Remember the state of every action of the plan on one day; a later run of that day adds what became done."""
        # Done once that day stays: else a second run could hide that something was done and is no longer.
        query = """
            insert into plan values (?, ?, ?) on conflict (action, day) do update set
            state = excluded.state where plan.state <> 'done'"""
        self._many(query, [(action, state, day.isoformat()) for action, state in states.items()])

    def done_on(self, day: date) -> dict[str, date]:
        """Action -> the last day, until one, on which a run found it done."""
        query = "select action, max(day) from plan where state = 'done' and day <= ? group by 1"
        return {str(a): date.fromisoformat(d) for a, d in self._one(query, (day.isoformat(),))}

    def walked(self, day: date, verdicts: Mapping[str, tuple[str, bool]]) -> None:
        """Remember what a run said of products that day (ok, late or bad; whether it is late); a later one counts."""
        rows = [(name, day.isoformat(), verdict, int(is_late)) for name, (verdict, is_late) in verdicts.items()]
        self._many("insert or replace into walked values (?, ?, ?, ?)", rows)

    def days(self, until: date) -> dict[str, list[tuple[date, str, bool]]]:
        """Product -> (day, verdict, whether it was late) of every day until one on which a run looked, oldest first."""
        query = "select product, day, verdict, is_late from walked where day <= ? order by day"
        found: dict[str, list[tuple[date, str, bool]]] = {}
        for name, day, verdict, is_late in self._one(query, (until.isoformat(),)):
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
        return [(str(q), str(language), int(n), str(day)) for q, language, n, day in self._one(query)]

    def ran(self, started_at: datetime, as_of: str, seconds: float, products: int, failed: int) -> None:
        """Remember that a run ended."""
        row = (started_at.isoformat(), as_of, seconds, products, failed)
        self._one("insert into runs values (?, ?, ?, ?, ?)", row)

    def arrived(
        self, product: str, file: str, sha256: str, *, arrived_at: datetime, published_at: datetime, seconds: float
    ) -> None:
        """Remember how long a delivery took from its arrival until what is made of it was published.

        Args:
            product: Whose delivery.
            file: Its name.
            sha256: The hash of its bytes.
            arrived_at: When it was whole in the folder.
            published_at: When the run that took it in had ended.
            seconds: The time between; 0 or more, also where a clock was set back.
        """
        row = (product, file, sha256, arrived_at.isoformat(), published_at.isoformat(), seconds)
        self._one("insert or ignore into arrivals values (?, ?, ?, ?, ?, ?)", row)

    def seconds_to_publish(self, product: str, since: datetime) -> list[float]:
        """How long each delivery since then took until it was published, in seconds, the quickest first."""
        query = "select seconds from arrivals where product = ? and published_at >= ? order by seconds"
        return [float(s) for (s,) in self._one(query, (product, since.isoformat()))]

    def copy(self, to: Path) -> None:
        """Write all of it to another file, as it stands at one moment.

        Raises:
            OSError: It cannot be written.
        """
        try:
            with closing(sqlite3.connect(to)) as other:
                self._db.backup(other)
        except sqlite3.OperationalError as error:
            raise OSError("the operational store could not be copied") from error

    def forget(self, tells: Callable[[str], bool]) -> int:
        """Remove every row with a text that tells of somebody, also from what the file keeps of removed rows.

        Args:
            tells: Whether a text does.

        Returns:
            How many rows were removed.

        Raises:
            Refused: It cannot be written, or another program reads it.
        """
        with self._told():
            self._db.execute("pragma secure_delete = on")
            gone = 0
            for name in _tables(self._db):
                found = self._db.execute(f"select rowid, * from {_quoted(name)}").fetchall()  # noqa: S608  # quoted
                lost = [(r[0],) for r in found if any(isinstance(v, str) and tells(v) for v in r[1:])]
                self._db.executemany(f"delete from {_quoted(name)} where rowid = ?", lost)  # noqa: S608  # quoted
                gone += len(lost)
            self._db.execute("vacuum")
            # What is left of the log of writing still holds what was removed.
            if self._db.execute("pragma wal_checkpoint(truncate)").fetchone()[0]:
                raise self._held()
        return gone

    def close(self) -> None:
        """Close the database."""
        self._db.close()


def values(file: Path) -> Iterator[str | bytes]:
    """Every value in any SQLite file but null, also in those that belong to others: as a text, or as bytes.

    Args:
        file: The file.

    Raises:
        OSError: It cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as db:
            db.text_factory = _text
            for name in _tables(db):
                yield name
                for row in db.execute(f"select * from {_quoted(name)}"):  # noqa: S608  # quoted
                    yield from (v if isinstance(v, bytes) else str(v) for v in row if v is not None)
    except sqlite3.Error as error:
        raise OSError("it cannot be read as a database") from error


def _text(given: bytes) -> str:
    return given.decode("utf-8", "replace")


def _tables(db: sqlite3.Connection) -> list[str]:
    return [str(n) for (n,) in db.execute("select name from sqlite_master where type = 'table'")]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
