"""The engine: relations as Ibis expressions, run by DuckDB in this process.

The only module, with ``sql`` and the kinds of this room, that knows which engine runs. Everybody else composes
relations and asks it to ``save``, ``fetch`` or ``map_arrow`` them. What only counts rows is a ``Counter``: DuckDB, or
the engine that the city names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

import duckdb
import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa

from metroon.base.errors import Problem, Refused
from metroon.base.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ibis.expr.types import Column, Table

    Relation: TypeAlias = Table


@ibis.udf.scalar.builtin(name="try_strptime")  # type: ignore[untyped-decorator]  # Ibis has no types of its own
def _try_strptime(text: str, pattern: str) -> dt.timestamp:
    """The time written in a text, or null."""


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))  # type: ignore[untyped-decorator]  # as above
def _timezone(zone: str, moment: Column) -> Column:
    """The time on the clocks of a zone at a moment."""


class CannotRun(Refused):
    """The engine cannot run a query. What it said of values is left out: they may be somebody's.

    Args:
        why: In words; columns and functions are named, values are not.
    """

    def __init__(self, why: str) -> None:
        self.why = why
        fix = "Correct the SQL of this product or measure; try_cast gives null where a value does not fit."
        super().__init__([Problem("", 0, "E101", f"the engine cannot run a query: {why}.", fix)])


class Counter(ABC):
    """What counts rows: it reads versions, computes columns and groups, and gives back small tables.

    Every counter gives the same table for the same rows, or refuses. Use it in a ``with``: some hold a server.
    """

    @abstractmethod
    def parquet(self, files: Sequence[str]) -> Relation:
        """A relation over Parquet files of one schema, such as those of one version."""

    @abstractmethod
    def table(self, rows: pa.Table) -> Relation:
        """A relation over an Arrow table."""

    @abstractmethod
    def with_column(self, relation: Relation, name: str, expression: str) -> Relation:
        """The relation with one more column, computed by a SQL expression that was parsed before.

        Raises:
            CannotRun: It names columns that are not there, or types that do not fit each other.
            Refused: This counter may give another value for it than DuckDB does.
        """

    @abstractmethod
    def fetch(self, relation: Relation) -> pa.Table:
        """The rows of a relation, as Arrow.

        Raises:
            CannotRun: A value does not fit what a query asks for.
            Refused: This counter may give other rows than DuckDB does.
        """

    def rows(self, relation: Relation) -> list[dict[str, Any]]:
        """The rows of a small relation, as dictionaries."""
        return list(self.fetch(relation).to_pylist())

    def count(self, relation: Relation) -> int:
        """How many rows a relation has."""
        return int(self.fetch(relation.aggregate(n=relation.count()))["n"][0].as_py())

    @abstractmethod
    def close(self) -> None:
        """Let go of what it holds; its relations are of no use then."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class EngineKind(Kind, ABC):
    """The engine that measures are counted on; files are collected, checked and kept by DuckDB always."""

    @abstractmethod
    def start(self) -> Counter:
        """Start it.

        Raises:
            Refused: A package that it needs is not installed, or it does not start.
        """


class Engine(Counter):
    """One DuckDB in memory. It never loads an extension and never reaches the network.

    Example:
        >>> engine = Engine()
        >>> numbers = engine.table(pa.table({"n": [1, 2, 3]}))
        >>> engine.rows(numbers.filter(numbers.n > 1))
        [{'n': 2}, {'n': 3}]
    """

    def __init__(self, *, memory_limit: str | None = None) -> None:
        config = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            # A name in a query is a product, never a variable of this program.
            "python_enable_replacements": "false",
        }
        self._ibis = ibis.duckdb.connect(**config, **({"memory_limit": memory_limit} if memory_limit else {}))
        # Else a number would depend on the machine's own time zone.
        self._ibis.con.execute("set timezone = 'UTC'")
        self._names = (f"_metroon_{n}" for n in count())

    def table(self, rows: pa.Table) -> Relation:
        """A relation over an Arrow table."""
        name = next(self._names)
        # Ibis 12 cannot create tables from memory on sqlglot 30; a registered view needs no copy either.
        self._ibis.con.register(name, _known(rows))
        return self._ibis.table(name)

    def parquet(self, files: Sequence[str]) -> Relation:
        """A relation over Parquet files of one schema."""
        listed = ", ".join(quote_text(f) for f in files)
        # A folder named a=b is a folder, not a column.
        return self._view(f"select * from read_parquet([{listed}], hive_partitioning = false)")  # noqa: S608  # quoted

    def sql(self, query: str, inputs: Mapping[str, Relation]) -> Relation:
        """The relation of a SELECT over named inputs. The query was parsed and allowed before.

        Raises:
            CannotRun: It names columns that are not there, or types that do not fit each other.
        """
        named = ", ".join(f"{quote_name(n)} as ({self.text(r)})" for n, r in inputs.items())
        # The line break ends a comment that the query may end with.
        return self._view(f"{f'with {named} ' if named else ''}select * from (\n{query}\n)")  # noqa: S608  # as above

    def with_column(self, relation: Relation, name: str, expression: str) -> Relation:
        """The relation with one more column, computed by a SQL expression that was parsed before.

        Raises:
            CannotRun: It names columns that are not there, or types that do not fit each other.
        """
        return self.sql(f"select *, ({expression}\n) as {quote_name(name)} from _it", {"_it": relation})  # noqa: S608

    def text(self, relation: Relation) -> str:
        """The SQL that the engine runs for a relation."""
        return str(ibis.to_sql(relation, dialect="duckdb"))

    def save(self, relation: Relation, path: Path) -> int:
        """Write a relation as one Parquet file and return its number of rows.

        Raises:
            OSError: The file cannot be written.
            CannotRun: A value does not fit what a query asks for.
        """
        copy = f"copy ({self.text(relation)}) to {quote_text(str(path))} (format parquet, compression zstd)"
        with told():
            found = self._ibis.con.execute(copy).fetchone()
        return int(found[0]) if found else 0

    def fetch(self, relation: Relation) -> pa.Table:
        """The rows of a relation, as Arrow.

        Raises:
            CannotRun: A value does not fit what a query asks for.
        """
        with told():
            return self._ibis.con.sql(self.text(relation)).to_arrow_table()

    def map_arrow(self, relation: Relation, function: Callable[[pa.Table], pa.Table]) -> Relation:
        """The relation that a function makes of the rows, batch by batch."""
        with told():
            reader = self._ibis.con.sql(self.text(relation)).to_arrow_reader(250_000)
            parts = [function(pa.Table.from_batches([batch])) for batch in reader]
        return self.table(pa.concat_tables(parts) if parts else function(self.fetch(relation)))

    def parse_time(self, text: Column, pattern: str) -> Column:
        """The time in a text by a strptime pattern; null where it does not fit."""
        return cast("Column", _try_strptime(text, pattern))

    def parse_moment(self, text: Column, zone: str) -> Column:
        """The time in an ISO 8601 text with an offset, on the clocks of a zone; null where it does not fit."""
        return self.clock(text.try_cast(dt.Timestamp("UTC")), zone)

    def clock(self, moment: Column, zone: str) -> Column:
        """The time on the clocks of a zone at a moment."""
        return cast("Column", _timezone(zone, moment))

    def close(self) -> None:
        """Let go of the memory."""
        self._ibis.con.close()

    def _view(self, query: str) -> Relation:
        name = next(self._names)
        with told():
            self._ibis.con.execute(f"create temp view {name} as {query}")
        return self._ibis.table(name)


def _known(rows: pa.Table) -> pa.Table:
    """The rows with types that the engine has, where it has others for the same values."""

    def known(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_null(kind) or pa.types.is_large_string(kind):
            return pa.string()
        return pa.float64() if pa.types.is_float16(kind) or pa.types.is_decimal256(kind) else kind

    wanted = [pa.field(f.name, known(f.type)) for f in rows.schema]
    return rows if [f.type for f in wanted] == rows.schema.types else rows.cast(pa.schema(wanted))


@contextmanager
def told() -> Iterator[None]:
    """What DuckDB says of a query, told without a value.

    Raises:
        CannotRun: DuckDB cannot run it.
        OSError: A file cannot be read or written.
    """
    try:
        yield
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
        # These look at the query alone: they name columns and types.
        said = str(error).splitlines()[0].partition("Error: ")[2] or "it does not fit its tables"
        raise CannotRun(said.rstrip(".!")) from None
    except duckdb.NotImplementedException:
        raise CannotRun("it asks for what the engine cannot do") from None
    except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException):
        raise CannotRun("a value does not fit the type or the function that it is given to") from None
    except duckdb.IOException:
        raise OSError("a file cannot be read or written") from None
    except duckdb.OutOfMemoryException:
        raise CannotRun("there is not enough memory for it") from None


@cache
def is_pattern(text: str) -> bool:
    """Whether the engine can search texts with a regular expression (RE2: no look-around, no back-references).

    Example:
        >>> is_pattern("^[0-9]{5}$"), is_pattern("("), is_pattern("(?=a)")
        (True, False, False)
    """
    try:
        duckdb.execute("select regexp_matches('', ?)", [text]).fetchall()
    except duckdb.InvalidInputException:
        return False
    return True


def quote_name(name: str) -> str:
    """A name as a SQL identifier.

    Example:
        >>> quote_name('a"b')
        '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A text as a SQL literal.

    Example:
        >>> quote_text("it's")
        "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"
