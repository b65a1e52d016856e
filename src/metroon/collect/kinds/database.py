"""``kind: database``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

import ibis
import pyarrow.parquet as pq
import sqlglot
from pydantic import Field, field_validator, model_validator
from sqlglot import exp
from sqlglot.errors import SqlglotError

from metroon.base.engine import Engine
from metroon.base.errors import Problem, Refused
from metroon.base.kinds import find
from metroon.base.node import did_you_mean
from metroon.collect.connection import snapshot
from metroon.collect.increments import Incremental, remembered, written
from metroon.collect.landing import Landed, now
from metroon.collect.source import FileSource, Raw, Reading, RemoteSource, sha256
from metroon.collect.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import FromClause

    from metroon.collect.connection import Snapshot
    from metroon.collect.increments import Last
    from metroon.collect.landing import Landing

_FILES = "*.parquet"
# How sqlglot calls the SQL of a database that SQLAlchemy calls otherwise.
_SQL = {"postgresql": "postgres", "mariadb": "mysql", "mssql": "tsql"}
# PostgreSQL's numbers of the types whose values Python and Parquet hold as they are: truth values, whole numbers,
# floats, text and bytes (pg_type.dat). All others come as the text that PostgreSQL itself writes.
_AS_IT_IS = {16, 17, 18, 19, 20, 21, 23, 25, 700, 701, 1042, 1043}


class Database(RemoteSource):
    """A table, or the rows of a query, of PostgreSQL or of any database that SQLAlchemy can reach.

    The address with user and password comes from the environment and is never written down. The rows are read in one
    read-only snapshot, counted there, and landed as Parquet files before they are looked at. Numbers with decimals,
    times, lists and JSON come as the exact text that the database writes for them; the contract types them. What is
    NULL is not recorded, and an empty text stays an empty text.

    Without ``incremental`` the whole table is read each time, and what was deleted there is gone from the next
    version. With it, only rows since the last landed value are asked for; of rows with one key the last stays. Where
    the table has a primary key, rows that were deleted there show in their number, and the whole table is read
    again; of a query, or a table without one, what is deleted is not noticed.

    Install it with ``pip install 'metroon[database]'``, which brings the driver of PostgreSQL; other databases need
    their own driver beside it.

    Args:
        url_from: The environment variable that holds the URL, such as postgresql://reader:PASSWORD@db.ourcity.gov/permits.
        table: The table or view, with its schema before a point, such as public.permits.
        query_file: A file beside product.yaml with one SELECT, instead of a table.
        incremental: Ask only for what is new or changed, such as {by: updated_at, overlap: 1h}.
        most_minutes: How long reading it may take.
        others: Columns that the contract does not name stay out: say so (warn), or expect it (leave).
    """

    url_from: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    table: str | None = Field(None, min_length=1)
    query_file: str | None = Field(None, min_length=1)
    incremental: Incremental | None = None
    most_minutes: float = Field(60, gt=0)
    others: Literal["warn", "leave"] = "warn"

    @field_validator("query_file")
    @classmethod
    def _beside(cls, given: str | None) -> str | None:
        if given is not None and PurePath(given).name != given:
            raise ValueError("the file lies beside product.yaml. Fix: Write its name alone, such as query.sql.")
        return given

    @model_validator(mode="after")
    def _one_of_both(self) -> Database:
        if (self.table is None) == (self.query_file is None):
            raise ValueError("a table or a query, one of them. Fix: Write table: or query_file:.")
        return self

    @property
    def revises(self) -> bool:
        """Whether rows come again with what was changed: when it is incremental."""
        return self.incremental is not None

    def files(self, data: Path, folder: Path) -> list[Path]:
        """What was landed, and the query's file."""
        own = [folder / self.query_file] if self.query_file else []
        return [*self._landed().files(data, folder), *own]

    def read(self, reading: Reading) -> Raw:
        """Every row that was landed."""
        return self._landed().read(reading)

    def headers(self, landing: Landing) -> list[str]:
        """The columns of what was landed last."""
        return list(pq.read_schema(landing.deliveries()[-1]).names)

    def key(self, landing: Landing) -> list[str]:
        """The table's primary key, as the database told it last."""
        told: list[str] = json.loads(landing.manifest().state.get("key", "[]"))
        return told

    def fetch(self, landing: Landing) -> None:
        """Read the table, or what is new of it.

        Raises:
            Refused: It cannot be had whole (D150 to D156); what was landed before stays.
        """
        at = f"products/{landing.folder.name}/product.yaml"
        query = self._query(landing, at)
        names = [self.table] if self.table else []
        with snapshot(self.url_from, at, most_minutes=self.most_minutes, names=names) as database:
            asked = _Asked(at, self, _table(self.table) if self.table else _subquery(query, database, at), query)
            address = asked.address(database)
            told = landing.manifest()
            # Another table or query: nothing of what was landed belongs to it.
            is_same = bool(told.files) and told.files[0].address == address and landing.is_whole()
            before = told.files if is_same else ()
            last = remembered(told.state) if is_same else None
            key = database.key(self.table) if self.table else []
            try:
                landing.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                kept, found = _landed(landing, asked, database, before, last)
                if last is not None and key and _keys([landing.folder / f.file for f in kept], key) != found.records:
                    # Rows were taken away there, which no increment can tell: all of it is read again.
                    kept, found = _landed(landing, asked, database, (), None)
            except OSError as error:
                why = error.strerror or "no reason is told"
                what = f"what is fetched cannot be written into {landing.folder}: {why}."
                fix = "Make room on the disk, or give this program the right."
                raise Refused([landing.problem("D144", what, fix)]) from None
            landing.keep(kept, {**found.state, "key": json.dumps(key)})

    def _landed(self) -> FileSource:
        return find("collect", "parquet", FileSource)(path=_FILES, others=self.others)

    def _query(self, landing: Landing, at: str) -> str:
        if self.query_file is None:
            return ""
        file = (landing.beside or landing.folder) / self.query_file
        try:
            return file.read_text(encoding="utf-8").strip().rstrip(";").strip()
        except (OSError, UnicodeDecodeError):
            shown, fix = at.replace("product.yaml", self.query_file), "Write one SELECT into this file, as UTF-8 text."
            raise Refused([Problem(shown, 0, "D153", "the query's file is missing or cannot be read.", fix)]) from None


@dataclass(frozen=True)
class _Asked:
    """What is asked of a database: a table or a query, and of which part."""

    at: str
    source: Database
    of: FromClause
    query: str

    def address(self, database: Snapshot) -> str:
        """Where the rows come from, without anything secret; another address is another source."""
        told = self.source.table or f"query {hashlib.sha256(self.query.encode()).hexdigest()[:16]}"
        by = f" by {self.source.incremental.by}" if self.source.incremental else ""
        return f"{database.shown} {told}{by}"

    def refused(self, code: str, what: str, fix: str) -> Refused:
        return Refused([Problem(self.at, 0, code, what, fix)])


def _table(name: str) -> FromClause:
    import sqlalchemy as sa  # waits for the extra 'database'

    schema, _, table = name.rpartition(".")
    return sa.table(table, schema=schema or None)


def _subquery(query: str, database: Snapshot, at: str) -> FromClause:
    import sqlalchemy as sa  # waits for the extra 'database'

    try:
        spoken = _SQL.get(database.dialect, database.dialect)
        parsed = sqlglot.parse(query, read=spoken if spoken in sqlglot.Dialect.classes else None)
    except (SqlglotError, ValueError):
        parsed = []
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        what, fix = (
            "the query is not one SELECT that can be read.",
            "Write one SELECT, and nothing else, into the file.",
        )
        raise Refused([Problem(at, 0, "D153", what, fix)])
    # A colon would begin a parameter.
    return sa.text(query.replace(":", r"\:")).columns().subquery("asked")


def _landed(
    landing: Landing,
    asked: _Asked,
    database: Snapshot,
    before: Sequence[Landed],
    last: Last | None,
) -> tuple[list[Landed], _Found]:
    """What counts after the rows are brought that are asked for, and what the database counts."""
    with Spool(landing.folder) as spool:
        found = _bring(asked, database, spool, [landing.folder / f.file for f in before], last)
        about = Landed("", "", 0, asked.address(database), fetched_at=now(), records=found.records)
        return _kept(landing, before, spool.finish(), about, goes_on=asked.source.revises), found


def _keys(files: Sequence[Path], key: Sequence[str]) -> int:
    """How many different keys some files hold."""
    with Engine() as engine:
        rows = [engine.parquet([str(f)]) for f in files]
        told = [r.select(**{f"k{i}": r[name].cast("string") for i, name in enumerate(key)}) for r in rows]
        return engine.count(ibis.union(*told, distinct=True) if len(told) > 1 else told[0].distinct())


@dataclass(frozen=True)
class _Found:
    """What was brought: how many records the database itself counts in all, and where to go on from."""

    records: int
    state: Mapping[str, str]


def _bring(asked: _Asked, database: Snapshot, spool: Spool, before: Sequence[Path], known: Last | None) -> _Found:
    """Bring what is asked for into the spool."""
    import sqlalchemy as sa  # waits for the extra 'database'

    names = _named(asked, database)
    whole = _count(asked, database)
    told: dict[str, str] = {}
    since = None
    if asked.source.incremental is not None:
        by: Any = sa.column(asked.source.incremental.by)
        told = written(_last(asked, database, by, whole))
        since = None if known is None else by >= _literal(asked.source.incremental.begin(known))
    expected = whole if since is None else _count(asked, database, since)
    query = sa.select(*names.values()).select_from(asked.of)
    spool.begin(list(names))
    got = 0
    for batch in database.rows(query if since is None else query.where(since)):
        spool.add(batch)
        got += len(batch)
    if got != expected:
        what = f"the database counts {expected:,} rows and gave {got:,}."
        raise asked.refused("D155", what, "Run it again when nobody writes; what was landed before stays.")
    if since is not None:
        spool.drop_known(before, asked.source.incremental.by if asked.source.incremental else "")
    return _Found(whole, told)


def _named(asked: _Asked, database: Snapshot) -> dict[str, Any]:
    """Column -> what is selected for it: itself, or the text that the database writes for it."""
    import sqlalchemy as sa  # waits for the extra 'database'

    known = database.names(asked.of)
    names = [name for name, _ in known]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        what = f"the query gives '{twice[0]}' more than once: nobody can tell which column is meant."
        raise asked.refused("D153", what, "Give one of them another name with AS.")
    by = asked.source.incremental.by if asked.source.incremental else None
    if by is not None and by not in names:
        raise asked.refused("D156", f"there is no column '{by}' to go on from.", did_you_mean(by, names))
    if database.dialect != "postgresql":
        return {name: sa.column(name) for name in names}
    return {name: _postgres(name, kind, lists=_lists(database, known)) for name, kind in known}


def _lists(database: Snapshot, known: Iterable[tuple[str, object]]) -> set[object]:
    """The types among some that are lists or records: they come as JSON."""
    import sqlalchemy as sa  # waits for the extra 'database'

    asked = sorted({int(str(kind)) for _, kind in known} - _AS_IT_IS)
    types = sa.table("pg_type", sa.column("oid"), sa.column("typcategory"), schema="pg_catalog")
    found = sa.select(types.c.oid).where(types.c.oid.in_(asked), types.c.typcategory.in_(["A", "C"]))
    return {kind for batch in database.rows(found) for (kind,) in batch}


def _postgres(name: str, kind: object, *, lists: set[object]) -> Any:
    import sqlalchemy as sa  # waits for the extra 'database'

    column: Any = sa.column(name)
    if kind in _AS_IT_IS:
        return column
    return sa.cast(sa.func.to_json(column) if kind in lists else column, sa.Text).label(name)


def _count(asked: _Asked, database: Snapshot, where: Any = None) -> int:
    import sqlalchemy as sa  # waits for the extra 'database'

    query = sa.select(sa.func.count()).select_from(asked.of)
    return int(database.one(query if where is None else query.where(where))[0])


def _last(asked: _Asked, database: Snapshot, by: Any, whole: int) -> Last | None:
    """The newest value of the column that grows; one that lies in the future would hide all that comes before it."""
    import sqlalchemy as sa  # waits for the extra 'database'

    filled, last = database.one(sa.select(sa.func.count(by), sa.func.max(by)).select_from(asked.of))
    if int(filled) != whole:
        what = f"{whole - int(filled):,} rows have nothing in '{by.name}': what changes in them would never be seen."
        raise asked.refused("D156", what, "Name a column that is always filled, or take incremental: out.")
    if last is None:
        return None
    if isinstance(last, int | Decimal) and last == int(last):
        return int(last)
    is_text = isinstance(last, str) and database.dialect == "sqlite" and _is_moment(last)
    if not (isinstance(last, date) or is_text):
        what = f"'{by.name}' holds neither times nor whole numbers: nobody can tell what comes later."
        raise asked.refused("D156", what, "Name a column such as updated_at, or take incremental: out.")
    past = sa.select(sa.func.max(by)).select_from(asked.of).where(by <= sa.func.current_timestamp())
    found: Last = database.one(past)[0] or last
    return found


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _literal(value: Last) -> Any:
    import sqlalchemy as sa  # waits for the extra 'database'

    if isinstance(value, datetime):
        return sa.literal(value, sa.DateTime(timezone=value.tzinfo is not None))
    return sa.literal(value)


def _kept(landing: Landing, before: Sequence[Landed], file: Path, about: Landed, *, goes_on: bool) -> list[Landed]:
    """What counts from now on: what was landed before, where it is the same or goes on, and what is new."""
    hashed = sha256(file)
    is_same = not pq.read_metadata(file).num_rows if goes_on else bool(before) and before[-1].sha256 == hashed
    if before and is_same:
        return list(before)
    number = int(before[-1].file.partition(".")[0]) + 1 if before and goes_on else 1
    new = landing.take(file, f"{number:06}", "parquet", hashed, about)
    return [*before, new] if goes_on else [new]
