"""Connections: a database read in one snapshot, and what it answers told in words that give no secret away."""

from __future__ import annotations

import os
import socket
import ssl
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import URL, Connection, Engine, FromClause, Select

_BATCH = 20_000
_WAIT_S = 15
_FEW = 30
"""Tables that are told by name when one is not there; of more only those that look like it."""
_HERE = ("", "localhost", "127.0.0.1", "::1")
_EXAMPLE = "postgresql://reader:PASSWORD@db.ourcity.gov/permits"
# SQLSTATE, or its class of two signs -> what it means and what to do; PostgreSQL, Appendix A: Error Codes.
_STATES = {
    "28": ("D152", "it does not let this user in: the user or the password is wrong", "Correct what {0} holds."),
    "3D": ("D152", "it has no database of that name", "Correct what {0} holds."),
    "53": ("D152", "it has no room for one more connection", "Run it again later, or ask who keeps the database."),
    "42501": ("D153", "this user may not read it", "Ask who keeps the database for the right to SELECT from it."),
    "57014": ("D154", "the query took longer than it may", "Raise most_minutes:, or ask for an index."),
    "57": ("D154", "the server ended the connection", "Run it again; what was landed before stays."),
    "08": ("D154", "the connection broke off", "Run it again; what was landed before stays."),
    "40": ("D154", "the database changed too much while it was read", "Run it again; what was landed before stays."),
    "22": ("D153", "a value does not fit what the query asks for", "Correct the query, or ask who keeps the data."),
}


def variable(name: str, at: str) -> str:
    """What an environment variable holds.

    Args:
        name: The variable.
        at: The file that names it.

    Raises:
        Refused: It is not set, or empty (D150).
    """
    given = os.environ.get(name, "").strip()
    if not given:
        fix = f"Set {name} in the environment of this program, from your secret store; it is never written down."
        raise Refused([Problem(at, 0, "D150", f"the environment variable {name} is not set.", fix)])
    return given


@dataclass(frozen=True)
class Snapshot:
    """A database as it is at one moment: nothing that others write shows, and nothing can be written.

    Args:
        connection: The open connection.
        shown: Where it is, without user and password.
        tell: Makes a problem of what the database says.
    """

    connection: Connection
    shown: str
    tell: _Teller

    @property
    def dialect(self) -> str:
        """The family of the database, such as ``postgresql``."""
        return self.connection.dialect.name

    def one(self, asked: Select[Any]) -> Sequence[Any]:
        """The only row of a query."""
        with self.tell.problems():
            return tuple(self.connection.execute(asked).one())

    def names(self, asked: FromClause) -> list[tuple[str, object]]:
        """The columns that a table or a query gives, and what the driver calls their types."""
        with self.tell.problems(), self.connection.execute(_nothing(asked)) as result:
            told = result.cursor.description if result.cursor is not None else []
            return [(name, kind) for name, kind, *_ in told]

    def rows(self, asked: Select[Any]) -> Iterator[Sequence[Sequence[Any]]]:
        """The rows of a query in batches; the database hands them over as they are asked for."""
        with self.tell.problems():
            streamed = self.connection.execution_options(stream_results=True, max_row_buffer=_BATCH)
            with streamed.execute(asked) as result:
                for batch in result.partitions(_BATCH):
                    self.tell.look_at_the_time()
                    yield batch

    def tables(self, schema: str | None = None) -> list[str]:
        """The tables and views of a schema, with the schema's name where it was given."""
        import sqlalchemy as sa  # waits for the extra 'database'

        with self.tell.problems():
            seen = sa.inspect(self.connection)
            found = sorted({*seen.get_table_names(schema), *seen.get_view_names(schema)})
        return [f"{schema}.{name}" if schema else name for name in found]

    def key(self, table: str) -> list[str]:
        """The columns of a table's primary key; none where it has none, or is a view.

        Args:
            table: Its name, perhaps with its schema before a point.
        """
        import sqlalchemy as sa  # waits for the extra 'database'

        schema, _, name = table.rpartition(".")
        try:
            with self.tell.problems():
                return list(sa.inspect(self.connection).get_pk_constraint(name, schema or None)["constrained_columns"])
        except sa.exc.NoSuchTableError:
            return []


def _nothing(asked: FromClause) -> Select[Any]:
    import sqlalchemy as sa  # waits for the extra 'database'

    return sa.select(sa.literal_column("*")).select_from(asked).where(sa.false())


@dataclass
class _Teller:
    """What a database says, as problems: never a value, a host's answer or a password."""

    at: str
    variable: str
    ends: float
    is_open: bool = False
    names: list[str] = field(default_factory=list)
    """What was asked for, and then what there is: to say what was likely meant."""

    def look_at_the_time(self) -> None:
        if time.monotonic() > self.ends:
            raise self.refused("D154", "it took longer than it may", "Raise most_minutes:, or ask for fewer rows.")

    def refused(self, code: str, why: str, fix: str) -> Refused:
        what = f"the database that {self.variable} names cannot be read: {why}."
        return Refused([Problem(self.at, 0, code, what, fix.format(self.variable))])

    @contextmanager
    def problems(self) -> Iterator[None]:
        """Whatever the database or its driver raises, as a problem."""
        import sqlalchemy as sa  # waits for the extra 'database'

        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            raise self._told(error) from None
        except (OSError, EOFError) as error:  # some drivers let these through
            raise self._broken(error) from None

    def _told(self, error: Exception) -> Refused:
        state = _state(error)
        if state in ("42P01", "42S02") or (state is None and "no such table" in str(getattr(error, "orig", ""))):
            return self.refused("D153", "there is no such table", did_you_mean(*self._likely()))
        known = _STATES.get(state or "") or _STATES.get((state or "")[:2])
        if known is not None:
            return self.refused(*known)
        return self._broken(error, state)

    def _likely(self) -> tuple[str, list[str]]:
        asked, *known = self.names or [""]
        return asked, known if len(known) <= _FEW else get_close_matches(asked, known, n=5, cutoff=0.4)

    def _broken(self, error: Exception, state: str | None = None) -> Refused:
        import sqlalchemy as sa  # waits for the extra 'database'

        named = f"{type(getattr(error, 'orig', None) or error).__name__}{f' {state}' if state else ''}"
        if not self.is_open:
            fix = "Look whether {0} holds the right host and port, and whether this machine may reach it."
            return self.refused("D152", f"no connection can be made ({named})", fix)
        is_lost = isinstance(error, sa.exc.InterfaceError | OSError | EOFError)
        if is_lost or getattr(error, "connection_invalidated", False):
            return self.refused("D154", f"the connection broke off ({named})", _STATES["08"][2])
        return self.refused("D153", f"it does not run the query ({named})", "Correct table:, query_file: or by:.")


def _state(error: Exception) -> str | None:
    """The five signs by which SQL databases tell what went wrong, where the driver hands them on."""
    given = getattr(error, "orig", None)
    told = given.args[0] if given is not None and given.args else None
    if isinstance(told, dict):
        return str(told.get("C", "")) or None
    found = getattr(given, "sqlstate", None) or getattr(given, "pgcode", None)
    return str(found) if found else None


@contextmanager
def snapshot(url_from: str, at: str, *, most_minutes: float, names: Sequence[str] = ()) -> Iterator[Snapshot]:
    """A database, read-only, as it is now.

    Args:
        url_from: The environment variable that holds its URL.
        at: The file that names the variable.
        most_minutes: How long one query, and all of them together, may take.
        names: The table that will be asked for, if it is known: to say what was likely meant.

    Raises:
        Refused: The variable is not set or holds no URL (D150), a package is missing (D151), or it cannot be
            connected (D152); what is asked of it may raise D153 and D154.
    """
    url = variable(url_from, at)
    tell = _Teller(at, url_from, time.monotonic() + 60 * most_minutes, names=list(names))
    engine, made = _engine(url, tell)
    try:
        with ExitStack() as stack:
            with tell.problems():
                connection = stack.enter_context(_connected(engine))
                tell.is_open = True
                for setting in _settings(engine.dialect.name, most_minutes):
                    connection.exec_driver_sql(setting)
                opened = Snapshot(connection, _shown(made), tell)
                if names and engine.dialect.name == "postgresql":
                    schema, _, _ = names[0].rpartition(".")
                    tell.names += opened.tables(schema or None)
            yield opened
    finally:
        engine.dispose()


def _shown(url: URL) -> str:
    place = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
    return f"{url.get_backend_name()}://{place}/{url.database or ''}"


def _connected(engine: Engine) -> Connection:
    connection = engine.connect()
    if engine.dialect.name in ("postgresql", "mysql", "mariadb"):
        options = {"isolation_level": "REPEATABLE READ"}
        more = {"postgresql_readonly": True} if engine.dialect.name == "postgresql" else {}
        return connection.execution_options(**options, **more)
    return connection


def _settings(dialect: str, minutes: float) -> list[str]:
    if dialect == "postgresql":
        return [
            f"set local statement_timeout = {max(1, int(minutes * 60_000))}",
            "set local timezone = 'UTC'",
            "set local datestyle = 'ISO, YMD'",
            "set local intervalstyle = 'iso_8601'",
            # Else a scan may begin in the middle of the table, and unchanged rows would come in another order.
            "set local synchronize_seqscans = off",
        ]
    # The driver of SQLite begins no transaction for a SELECT.
    return ["pragma query_only = on", "begin"] if dialect == "sqlite" else []


def _engine(url: str, tell: _Teller) -> tuple[Engine, URL]:
    try:
        import sqlalchemy as sa  # waits for the extra 'database'
    except ImportError:
        fix = "Type: pip install 'metroon[database]'"
        raise Refused([Problem(tell.at, 0, "D151", "reading a database needs a package: sqlalchemy.", fix)]) from None
    try:
        made = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        fix = f"Set it to the database's URL, such as {_EXAMPLE}"
        what = f"the environment variable {tell.variable} holds no URL of a database."
        raise Refused([Problem(tell.at, 0, "D150", what, fix)]) from None
    if made.drivername in ("postgres", "postgresql"):
        made = made.set(drivername="postgresql+pg8000")
    made, arguments = _secured(made, tell)
    if made.get_backend_name() == "sqlite" and made.database and not Path(made.database).is_file():
        raise tell.refused("D152", "there is no such file", "Correct what {0} holds.")
    try:
        return sa.create_engine(made, poolclass=sa.NullPool, connect_args=arguments), made
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        driver = getattr(error, "name", None) or made.drivername
        fix = f"Install the driver of {made.get_backend_name()}; for PostgreSQL: pip install 'metroon[database]'"
        what = f"reading this database needs a package that is not installed: {driver}."
        raise Refused([Problem(tell.at, 0, "D151", what, fix)]) from None


def _secured(url: URL, tell: _Teller) -> tuple[URL, dict[str, Any]]:
    """The URL and what the driver of PostgreSQL is given: over a network the server must prove who it is.

    ``sslmode`` and ``sslrootcert`` are read as libpq reads them; without them a server elsewhere is checked.
    """
    if url.drivername != "postgresql+pg8000":
        return url, {}
    told = {k: v if isinstance(v, str) else v[0] for k, v in url.query.items()}
    host = told.get("host") or url.host or ""
    is_here = host in _HERE or host.startswith("/")
    mode = told.get("sslmode") or ("disable" if is_here else "verify-full")
    url = url.difference_update_query(["sslmode", "sslrootcert", "host"])
    if url.password is None:
        url = url.set(password="")  # the driver takes none for granted where the server asks for one
    arguments: dict[str, Any] = {}
    if host.startswith("/"):
        arguments["unix_sock"] = f"{host}/.s.PGSQL.{url.port or 5432}"
    else:
        # The driver's own time-out would hold for every query too.
        with tell.problems():
            socket.create_connection((host or "localhost", url.port or 5432), _WAIT_S).close()
    if mode in ("require", "verify-ca", "verify-full"):
        try:
            context = ssl.create_default_context(cafile=told.get("sslrootcert"))
        except OSError:
            fix = "Correct sslrootcert= in what {0} holds: the file with the certificate of its authority."
            raise tell.refused("D152", "the file of certificates cannot be read", fix) from None
        context.check_hostname = mode == "verify-full"
        context.verify_mode = ssl.CERT_NONE if mode == "require" else ssl.CERT_REQUIRED
        arguments["ssl_context"] = context
    elif mode != "disable":
        fix = "Write sslmode=verify-full, verify-ca, require or disable in what {0} holds."
        raise tell.refused("D152", "its sslmode is none that is known here", fix)
    return url, arguments
