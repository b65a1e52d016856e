"""The city's own SQL, parsed before it is run: one SELECT over named tables, or one expression over columns."""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp

# Functions that reach out of the relation they are given; DuckDB has more table functions, which are refused whole.
_REACHING = {"read_csv", "read_csv_auto", "read_parquet", "read_json", "read_text", "read_blob", "glob", "getenv"}


class NotAllowed(ValueError):
    """The SQL does not parse, or asks for more than it may; the message says what, without a value."""


@dataclass(frozen=True)
class Select:
    """A parsed query.

    Args:
        text: The query in DuckDB's dialect, comments removed.
        tables: The tables it reads that are not its own common table expressions.
    """

    text: str
    tables: frozenset[str]


def select(text: str) -> Select:
    """Parse one SELECT.

    Raises:
        NotAllowed: It is no single SELECT, or it reads files, settings or system tables.

    Example:
        >>> sorted(select("with a as (select * from crashes) select * from a join lights using (id)").tables)
        ['crashes', 'lights']
    """
    try:
        parsed = [p for p in sqlglot.parse(text, read="duckdb") if p is not None]
    except sqlglot.errors.ParseError as error:
        raise NotAllowed(_first(error)) from None
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        raise NotAllowed("it must be one SELECT and nothing else")
    query = parsed[0]
    _refuse_reaching(query)
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    tables = list(query.find_all(exp.Table))
    for table in tables:
        if not isinstance(table.this, exp.Identifier) or table.db or table.catalog:
            raise NotAllowed("it may read products by their names only")
    return Select(query.sql("duckdb", comments=False), frozenset(t.name for t in tables) - own)


def expression(text: str) -> frozenset[str]:
    """Parse one expression over columns and return the columns it reads.

    Raises:
        NotAllowed: It is no expression, holds a query of its own, or reaches out of its row.

    Example:
        >>> sorted(expression("date_diff('minute', called_at, arrived_at) <= 8"))
        ['arrived_at', 'called_at']
    """
    try:
        parsed = sqlglot.parse_one(f"select {text}", read="duckdb")
    except sqlglot.errors.ParseError as error:
        raise NotAllowed(_first(error)) from None
    if not isinstance(parsed, exp.Select) or len(parsed.expressions) != 1 or len(parsed.args.get("from_") or ()):
        raise NotAllowed("it must be one expression over the columns of a row")
    only = {k for k, v in parsed.args.items() if v} - {"expressions", "kind"}
    if only or list(parsed.expressions[0].find_all(exp.Query, exp.AggFunc, exp.Window, exp.Star)):
        raise NotAllowed("it must be one expression over the columns of a row, without a query of its own")
    if isinstance(parsed.expressions[0], exp.Alias):
        raise NotAllowed("it needs no name of its own")
    _refuse_reaching(parsed)
    return frozenset(c.name for c in parsed.find_all(exp.Column))


def _refuse_reaching(parsed: exp.Expression) -> None:
    for node in parsed.walk():
        called = node.name.lower() if isinstance(node, exp.Anonymous) else node.key
        if called in _REACHING or isinstance(node, (exp.Command, exp.Into, exp.ReadCSV, exp.ReadParquet)):
            raise NotAllowed("it may not read files, settings or the environment")


def _first(error: sqlglot.errors.ParseError) -> str:
    at = error.errors[0] if error.errors else {}
    where = f" (line {at['line']}, column {at['col']})" if at.get("line") else ""
    return f"it does not parse{where}: {at.get('description', 'syntax error')}"
