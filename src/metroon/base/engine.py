"""The engine: relations as Ibis expressions, run by DuckDB in this process.

The only module, with ``sql`` and the kinds of this room, that knows which engine runs. Everybody else composes
relations and asks it to ``save``, ``fetch`` or ``map_arrow`` them. What only counts rows is a ``Counter``: DuckDB, or
the engine that the city names.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from contextlib import closing, contextmanager
from functools import cache
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast
from weakref import finalize

import duckdb
import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa

from metroon.base.errors import Problem, Refused
from metroon.base.kinds import Kind
from metroon.base.spans import Span, Spans

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from pathlib import Path

    from ibis.expr.types import Column, Table, Value

    Relation: TypeAlias = Table


@ibis.udf.scalar.builtin(name="try_strptime")  # type: ignore[untyped-decorator]  # Ibis has no types of its own
def _try_strptime(text: str, pattern: str) -> dt.timestamp:
    """The time written in a text, or null."""


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))  # type: ignore[untyped-decorator]  # as above
def _timezone(zone: str, moment: Column) -> Column:
    """The time on the clocks of a zone at a moment."""


@ibis.udf.scalar.builtin(name="to_json")  # type: ignore[untyped-decorator]  # as above
def _to_json(value) -> str:  # type: ignore[no-untyped-def, empty-body]  # a record of any type
    """A JSON object, as text."""


class CannotRun(Refused):
    """The engine cannot run a query. What it said of values is left out: they may be somebody's.

    Args:
        why: In words; columns and functions are named, values are not.
    """

    def __init__(self, why: str) -> None:
        self.why = why
        fix = "Correct the SQL of this product or measure; try_cast gives null where a value does not fit."
        super().__init__([Problem("", 0, "E101", f"the engine cannot run a query: {why}.", fix)])


class TooSlow(CannotRun):
    """A query took longer than it may."""

    def __init__(self) -> None:
        super().__init__("it takes longer than it may")


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

    Several threads may ask it at once: rows are fetched on a connection of their own each time.

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
        self._ibis.con.execute("set global timezone = 'UTC'")
        self._names = (f"_metroon_{n}" for n in count())
        self._lock = RLock()
        # A registered table is seen by its own connection only: name -> table, to register it on others.
        self._tables: dict[str, pa.Table] = {}
        # View -> registered tables that it reads, through other views too.
        self._reads: dict[str, frozenset[str]] = {}
        # Views whose rows come in any order, and those that read them.
        self._unordered: set[str] = set()
        self._spans: Spans | None = None
        self._unregister: Callable[[], object] | None = None

    def table(self, rows: pa.Table) -> Relation:
        """A relation over an Arrow table."""
        known = _known(rows)
        with self._lock:
            name = next(self._names)
            # Ibis 12 cannot create tables from memory on sqlglot 30; a registered view needs no copy either.
            self._ibis.con.register(name, known)
            self._tables[name] = known
            return self._ibis.table(name)

    def parquet(self, files: Sequence[str]) -> Relation:
        """A relation over Parquet files of one schema."""
        listed = ", ".join(quote_text(f) for f in files)
        # A folder named a=b is a folder, not a column.
        return self._view(f"select * from read_parquet([{listed}], hive_partitioning = false)")  # noqa: S608  # quoted

    def parquet_file(self, file: Path, *, line: str) -> Relation:
        """A relation over one Parquet file, with the number of each row from 1.

        Args:
            file: The file; no two of its columns have one name, whatever its case.
            line: The name of the column for the number.
        """
        given = f"{quote_text(str(file))}, hive_partitioning = false, file_row_number = true"
        number = f"file_row_number + 1 as {quote_name(line)}"
        return self._view(f"select * exclude (file_row_number), {number} from read_parquet({given})")  # noqa: S608  # quoted

    def text_file(
        self, file: Path, width: int, spans: Sequence[Span], *, delimiter: str, quote: str, line: str = "",
        is_nulled: bool = False,
    ) -> Relation:  # fmt: skip
        """A relation over a delimited UTF-8 text in which every line of some spans is a record; nothing is guessed.

        Reading it fails where a line is no record of so many fields, except for a delimiter too many at its end.

        Args:
            file: The text.
            width: How many fields each record has.
            spans: Which of its lines. Where there are several they are read at once, and come in any order.
            delimiter: The sign between fields.
            quote: The sign around fields; empty when there is none.
            line: The name of a column for the number of the line. The fields are ``c0``, ``c1`` ...; without such a
                column, empty fields that are not quoted are null in them.
            is_nulled: Whether every empty field is null, also with such a column and where it is quoted.
        """
        names = [f"c{i}" for i in range(width)]
        options = {
            "all_varchar": "true", "auto_detect": "false", "strict_mode": "true", "header": "false", "comment": "''",
            "delim": quote_text(delimiter), "quote": quote_text(quote), "escape": quote_text(quote),
            "allow_quoted_nulls": str(is_nulled).lower(),
            # Left alone, the engine holds four times as much for each thread, and is no quicker.
            "buffer_size": str(_BUFFER), "max_line_size": str(LONGEST_LINE),
            "columns": "{" + ", ".join(f"'{n}': 'VARCHAR'" for n in names) + "}",
        }  # fmt: skip
        if line and not is_nulled:
            options["force_not_null"] = "[" + ", ".join(f"'{n}'" for n in names) + "]"
        given = ", ".join(f"{k} = {v}" for k, v in options.items())
        parts = []
        for name, span in zip(self._named(file, spans), spans, strict=True):
            # The window is no sort: rows come in the order of the span, and the engine keeps it.
            number = f", row_number() over () + {span.line - 1} as {quote_name(line)}" if line else ""
            parts.append(f"select *{number} from read_csv({quote_text(name)}, {given})")  # noqa: S608  # quoted
        relation = self._view(" union all ".join(parts))
        if len(parts) > 1:
            self._unordered.add(relation.get_name())
        return relation

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

    def view(self, relation: Relation) -> Relation:
        """The same rows under a name, so that what computes them is told once and not spelled out in every use."""
        return self._view(self.text(relation))

    def as_json(self, columns: Mapping[str, Value]) -> Value:
        """A JSON object of some columns in each row, as text."""
        # The engine's JSON is a type of its own: beside a text in one CASE it would be parsed.
        return cast("Value", _to_json(ibis.struct(dict(columns))).concat(""))

    def text(self, relation: Relation) -> str:
        """The SQL that the engine runs for a relation."""
        # Nobody reads it: ``ibis.to_sql`` copies every expression first, and sets it in lines.
        compiler = self._ibis.compiler
        return str(compiler.to_sqlglot(relation).sql(dialect=compiler.dialect, copy=False))

    def save(self, relation: Relation, path: Path) -> int:
        """Write a relation as one Parquet file and return its number of rows.

        Raises:
            OSError: The file cannot be written.
            CannotRun: A value does not fit what a query asks for.
        """
        # Of a column with many values the engine would build a long dictionary in each row group, and throw it away.
        options = "format parquet, compression zstd, dictionary_size_limit 5000"
        text = self.text(relation)
        if self._is_in_any_order(text):
            # Each thread then collects a row group of its own.
            options += ", row_group_size 61440"
        copy = f"copy ({text}) to {quote_text(str(path))} ({options})"
        with told(), self._in_any_order(text):
            found = self._ibis.con.execute(copy).fetchone()
        return int(found[0]) if found else 0

    def fetch(self, relation: Relation) -> pa.Table:
        """The rows of a relation, as Arrow.

        Raises:
            CannotRun: A value does not fit what a query asks for.
        """
        text = self.text(relation)
        with told(), closing(self._connected(text)) as connection:
            return connection.sql(text).to_arrow_table()

    def batches(
        self, relation: Relation, *, rows: int, seconds: float | None = None
    ) -> Generator[pa.RecordBatch, None, None]:
        """The rows of a relation bit by bit, never all of them in memory. To close it stops the query.

        There is always at least one batch: one without rows still tells the columns.

        Args:
            relation: Whose rows.
            rows: How many rows one batch has at most; 1 or more.
            seconds: How long all of it may take, with the time that its reader takes; None for as long as it does.

        Raises:
            CannotRun: A value does not fit what a query asks for.
            TooSlow: It takes longer than that.
            OSError: A file cannot be read, such as one that was erased meanwhile.

        Example:
            >>> engine = Engine()
            >>> numbers = engine.table(pa.table({"n": [1, 2, 3]}))
            >>> [b.num_rows for b in engine.batches(numbers, rows=2)]
            [2, 1]
        """
        text = self.text(relation)
        with told(), closing(self._connected(text)) as connection:
            if seconds is not None:
                connection.execute(f"set max_execution_time = {max(1, round(seconds * 1000))}")
            with closing(connection.sql(text).to_arrow_reader(rows)) as reader:
                is_empty = True
                for batch in _told(reader):
                    is_empty = False
                    yield batch
                if is_empty:
                    yield pa.RecordBatch.from_pylist([], schema=reader.schema)

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

    @property
    def threads(self) -> int:
        """How many it uses."""
        return int(self._ibis.con.execute("select current_setting('threads')").fetchall()[0][0])

    def close(self) -> None:
        """Let go of the memory."""
        if self._unregister is not None:
            self._unregister()
        self._ibis.con.close()

    def _view(self, query: str) -> Relation:
        with told(), self._lock:
            name = next(self._names)
            self._ibis.con.execute(f"create view {name} as {query}")
            self._reads[name] = self._read_by(query)
            if self._is_in_any_order(query):
                self._unordered.add(name)
            return self._ibis.table(name)

    def _read_by(self, query: str) -> frozenset[str]:
        named = set(_NAME.findall(query))
        return frozenset(n for n in named if n in self._tables).union(*(self._reads.get(n, ()) for n in named))

    def _is_in_any_order(self, query: str) -> bool:
        return not self._unordered.isdisjoint(_NAME.findall(query))

    @contextmanager
    def _in_any_order(self, query: str) -> Iterator[None]:
        """Rows that come in any order need not be held in memory until it is the turn of each.

        The setting is of the whole engine: who asks it in another thread meanwhile may not count on an order either.
        """
        if not self._is_in_any_order(query):
            yield
            return
        self._ibis.con.execute("set preserve_insertion_order = false")
        try:
            yield
        finally:
            self._ibis.con.execute("set preserve_insertion_order = true")

    def _named(self, file: Path, spans: Sequence[Span]) -> list[str]:
        """The names of spans of a file, by which this engine finds them."""
        with self._lock:
            if self._spans is None:
                self._spans = Spans()
                self._ibis.con.register_filesystem(self._spans.file_system())
                # Else it outlives the program, and the engine complains.
                self._unregister = finalize(self, self._ibis.con.unregister_filesystem, Spans.protocol)
            return self._spans.name(file, spans)

    def _connected(self, query: str) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one query, with the tables that it reads."""
        with self._lock:
            connection: duckdb.DuckDBPyConnection = self._ibis.con.cursor()
            for name in self._read_by(query):
                connection.register(name, self._tables[name])
        return connection


LONGEST_LINE = 1 << 20
"""Bytes that a line of a text may have."""
_BUFFER = 2 * LONGEST_LINE
"""Bytes of a text that are read at once."""
_NAME = re.compile(r"\b_metroon_[0-9]+\b")


def _told(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches of a reader; what DuckDB says meanwhile comes through Arrow, and is told without a value too."""
    batches = iter(reader)
    while True:
        try:
            batch = next(batches, None)
        except (OSError, pa.ArrowException, MemoryError) as error:
            said = str(error)
            if said.startswith("INTERRUPT"):
                raise TooSlow from None
            if said.startswith("IO Error"):
                raise OSError("a file cannot be read or written") from None
            if said.startswith("Out of Memory") or isinstance(error, MemoryError):
                raise CannotRun("there is not enough memory for it") from None
            raise CannotRun("a value does not fit the type or the function that it is given to") from None
        if batch is None:
            return
        yield batch


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
        TooSlow: It takes longer than it may.
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
    except duckdb.InterruptException:
        raise TooSlow from None
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
