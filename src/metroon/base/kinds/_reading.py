"""An expression of the city, part by part, each with the type that DuckDB gives it.

DuckDB itself reads the text, names the type of every part and works out every part that no column is in: what
another engine is then asked is what DuckDB understood, and not what a second parser makes of the same text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import duckdb

from metroon.base.sql import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

Value = bool | int | float | str | tuple[int, int, int] | None
"""What a part without columns comes to: dates, times and decimals as text, intervals as months, days, microseconds."""
_WHOLE = re.compile(r"(TINY|SMALL|BIG)?INT(EGER)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d+)?)?")
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "python_enable_replacements": "false",
}


@dataclass(frozen=True)
class Part:
    """One part of an expression.

    Args:
        role: ``column``; ``value`` when no column is in it; else ``made`` of others.
        name: The column, function, operator or comparison; ``cast`` and ``try_cast``; ``case`` with conditions and
            results in turn, and at the end what else holds.
        type: DuckDB's type.
        parts: What it is made of.
        value: What it comes to, for a value.
        text: DuckDB's own text of it.
        is_literal: A text or null in the query itself, which takes the type that its place asks for.
    """

    role: Literal["column", "value", "made"]
    name: str
    type: str
    parts: tuple[Part, ...] = ()
    value: Value = None
    text: str = ""
    is_literal: bool = False

    @property
    def family(self) -> str:
        """Its type without its size; empty for types that are not counted on two engines."""
        return family(self.type)


def family(kind: str) -> str:
    """A type of DuckDB without its size; empty for types that are not counted on two engines.

    Example:
        >>> family("SMALLINT"), family("DECIMAL(10,2)"), family("HUGEINT")
        ('integer', 'decimal', '')
    """
    if _WHOLE.fullmatch(kind):
        return "integer"
    if kind.startswith("DECIMAL("):
        return "decimal"
    known = {"DOUBLE": "double", "BOOLEAN": "boolean", "VARCHAR": "text", "DATE": "date", "TIMESTAMP": "timestamp"}
    return known.get(kind, "interval" if kind == "INTERVAL" else "")


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config=_SETTINGS)


class Reader:
    """DuckDB, asked about expressions over one table.

    Args:
        schema: The table's columns.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._con = _duckdb().cursor()
        self._con.execute("set timezone = 'UTC'")
        self._con.register("_it", schema.empty_table())

    def read(self, text: str) -> Part:
        """The parts of an expression.

        Raises:
            NotAllowed: It holds what no expression over the columns of one row holds.
            duckdb.Error: It names columns that are not there, or types that do not fit each other.
        """
        tree = self._tree(f"select ({text}\n) from _it")  # noqa: S608  # looked at below
        raw = list(_walk(tree["statements"][0]["node"]["select_list"][0]))
        texts = [self._text(tree, node) for node in raw]
        types = self._con.execute(f"describe select {', '.join(texts)} from _it").fetchall()  # noqa: S608  # DuckDB's own text of a parsed tree
        told = {id(node): (text, str(kind[1])) for node, text, kind in zip(raw, texts, types, strict=True)}
        return self._part(raw[0], told)

    def cast(self, part: Part, kind: str) -> Part:
        """A part without columns, in another type.

        Raises:
            duckdb.Error: It does not fit.
        """
        text = f"cast({part.text} as {kind})"
        return Part("value", "", kind, (), self._value(text, kind), text)

    def _part(self, node: dict[str, Any], told: dict[int, tuple[str, str]]) -> Part:
        text, kind = told[id(node)]
        if node["class"] == "COLUMN_REF":
            return Part("column", str(node["column_names"][-1]), kind, text=text)
        if not any(n["class"] == "COLUMN_REF" for n in _walk(node)):
            literal = node.get("literal", {}).get("kind") in ("STRING", "NULL_LITERAL")
            return Part("value", "", kind, (), self._value(text, kind), text, is_literal=literal)
        name, children = _name_and_children(node)
        return Part("made", name, kind, tuple(self._part(c, told) for c in children), text=text)

    def _value(self, text: str, kind: str) -> Value:
        asked = {
            "interval": f"12 * datepart('year', {text}) + datepart('month', {text}), datepart('day', {text}), "
            f"3600000000 * datepart('hour', {text}) + 60000000 * datepart('minute', {text})"
            f" + datepart('microsecond', {text})",
            "decimal": f"cast({text} as varchar)",
            "date": f"cast({text} as varchar)",
            "timestamp": f"cast({text} as varchar)",
        }.get(family(kind), text)
        row: Any = self._con.execute(f"select {asked}").fetchone()  # as above
        if family(kind) == "interval":
            return None if row[0] is None else (int(row[0]), int(row[1]), int(row[2]))
        if family(kind) in ("date", "timestamp") and row[0] is not None and not _MOMENT.fullmatch(row[0]):
            raise NotAllowed("dates before the year 1 and after 9999 are not counted alike by every engine")
        value: Value = row[0]
        return value

    def _tree(self, query: str) -> dict[str, Any]:
        found = self._con.execute("select json_serialize_sql(?)", [query]).fetchone()
        read: dict[str, Any] = json.loads(found[0]) if found else {"error": True}
        if read["error"] or len(read["statements"]) != 1 or len(read["statements"][0]["node"]["select_list"]) != 1:
            raise NotAllowed("it must be one expression over the columns of a row")
        return read

    def _text(self, tree: dict[str, Any], node: dict[str, Any]) -> str:
        statement = tree["statements"][0]
        alone = {**tree, "statements": [{**statement, "node": {**statement["node"], "select_list": [node]}}]}
        found = self._con.execute("select json_deserialize_sql(?)", [json.dumps(alone)]).fetchone()
        whole = str(found[0]) if found else ""
        # What DuckDB writes is: SELECT x FROM _it
        return whole[len("SELECT ") : whole.rindex(" FROM ")]


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    if node["class"] not in ("COLUMN_REF", "CONSTANT"):
        for child in _name_and_children(node)[1]:
            yield from _walk(child)


def _name_and_children(node: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    role = node["class"]
    if role == "FUNCTION":
        if any(a["name"] for a in node["arguments"]):
            raise NotAllowed("it names the arguments of a function")
        return str(node["function_name"]).lower(), [a["expression"] for a in node["arguments"]]
    if role == "CASE":
        checks = [c[k] for c in node["case_checks"] for k in ("when_expr", "then_expr")]
        return "case", [*checks, node["else_expr"]]
    if role == "CAST":
        return "try_cast" if node["try_cast"] else "cast", [node["child"]]
    if role == "COMPARISON":
        return str(node["type"]), [node["left"], node["right"]]
    if role == "BETWEEN":
        return str(node["type"]), [node["input"], node["lower"], node["upper"]]
    if role in ("CONJUNCTION", "OPERATOR"):
        return str(node["type"]), list(node["children"])
    raise NotAllowed(f"it uses {str(node['type']).replace('_', ' ').lower()}")
