"""The parameters with which the REST door, and whoever speaks as it does, asks for rows: ``district=3&limit=10``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from metroon.serve.openapi import Parameter, Schema
from metroon.serve.query import (
    MOST_OFFSET,
    OPS,
    TRUTHS,
    Condition,
    Query,
    columns,
    condition,
    order,
    place,
    turned,
    types_of,
    words_of,
)
from metroon.serve.trouble import Trouble

if TYPE_CHECKING:
    from metroon.base.catalog import Rows
    from metroon.serve.query import Op

FORMATS = ("json", "ndjson", "csv", "parquet", "arrow", "xlsx", "geojson")
"""What rows come back as; a page of JSON unless another is asked for."""
_TEXT: Schema = {"type": "string", "maxLength": 1000}
_NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_OFFSET}
ROW_PARAMETERS = (
    Parameter("select", "Columns, separated by commas; all unless given.", _TEXT),
    Parameter("order", "Columns to order by, separated by commas; a minus before one turns it.", _TEXT),
    Parameter("limit", "How many rows at most. A page of JSON has 100 unless it is given; a file has all.", _NUMBER),
    Parameter("offset", "How many rows to leave out first.", {**_NUMBER, "minimum": 0}),
    Parameter("cursor", "Where the next page begins, as 'next' gave it.", {**_TEXT, "minLength": 1}),
    Parameter("version", "A version's number; the newest unless given.", _NUMBER),
    Parameter("q", "Words that must all stand somewhere in a row.", _TEXT),
    Parameter("format", "What comes back; what Accept says unless given.", {"enum": list(FORMATS)}),
    Parameter("raw", "1 leaves texts of a CSV that a spreadsheet would run.", {"enum": ["0", "1"]}),
)  # fmt: skip
COLUMN_FILTERS: Mapping[str, Any] = {
    "name": "columns",
    "in": "query",
    "required": False,
    "description": "A column's name with the value it must have, or its name, two underscores and one of "
    f"{', '.join(OPS)}: such as district=3 or residents__gte=100. Values of in and between are separated by commas.",
    "style": "form",
    "explode": True,
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}
"""Parameters that are named as columns, as OpenAPI tells them where the dataset is not known."""


def query_of(rows: Rows, given: Mapping[str, Any], others: Sequence[tuple[str, str]]) -> Query:
    """The question that parameters ask.

    Args:
        rows: Of which dataset.
        given: What ``ROW_PARAMETERS`` read.
        others: Every other parameter: a column, or a column with how it is compared.

    Raises:
        Trouble: A column is not there, a value does not fit, or the cursor belongs to another question.
    """
    query = Query(
        select=columns(rows, _listed(given, "select"), parameter="select"),
        where=tuple(_conditions(rows, others)),
        order=order(rows, ((n.removeprefix("-"), n[:1] == "-") for n in _listed(given, "order")), parameter="order"),
        limit=given.get("limit"),
        offset=given.get("offset", 0),
        words=words_of(given.get("q", ""), parameter="q"),
    )
    if "cursor" not in given:
        return query
    if "offset" in given:
        raise Trouble("bad-cursor", "A cursor already says where to begin.", "Leave 'offset' out.", "cursor")
    return turned(rows, query, place(given["cursor"]))


def _listed(given: Mapping[str, Any], name: str) -> list[str]:
    return [p.strip() for p in str(given.get(name, "")).split(",") if p.strip()]


def _conditions(rows: Rows, given: Sequence[tuple[str, str]]) -> Iterable[Condition]:
    """Each ``column=value`` and ``column__op=value``; a column that is given twice may have either value."""
    known = {c.name for c in rows.columns}
    found: dict[tuple[str, Op], list[str]] = {}
    for name, text in given:
        head, _, tail = name.rpartition("__")
        is_op = name not in known and tail in OPS and bool(head)
        found.setdefault((head, cast("Op", tail)) if is_op else (name, "eq"), []).append(text)
    for (name, op), texts in found.items():
        parameter = name if op == "eq" else f"{name}__{op}"
        if op == "eq" and len(texts) > 1:
            yield condition(rows, name, "in", texts, parameter=parameter)
            continue
        for text in texts:
            values = text.split(",") if op in ("in", "between") else [text]
            yield condition(rows, name, op, values, parameter=parameter)


def column_parameters(rows: Rows) -> tuple[Parameter, ...]:
    """A parameter for each column of a dataset, and for each way to compare it, as its own document tells them."""
    titles = {c.name: c.title or c.name for c in rows.columns}
    reserved = {p.name for p in ROW_PARAMETERS}
    found = []
    for name, kind in types_of(rows).items():
        ops = ("is_null",) if kind == "object" else (*_EVERY, *(_TEXTS if kind == "string" else ()))
        told = {op: _schema_of(op, _SCHEMAS[kind]) for op in ops}
        found += [Parameter(f"{name}__{op}", f"{titles[name]}: {_WORDS[op]}.", schema) for op, schema in told.items()]
        if kind != "object" and name not in reserved:
            found.append(Parameter(name, f"{titles[name]}: {_WORDS['eq']}.", _SCHEMAS[kind], is_list=True))
    return tuple(found)


_EVERY = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "between", "is_null")
_TEXTS = ("contains", "starts")
_TRUTH: Schema = {"enum": list(TRUTHS), "examples": ["true"]}
_SCHEMAS: Mapping[str, Schema] = {
    "string": {**_TEXT, "examples": ["text"]},
    "integer": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1, "examples": [12]},
    "number": {"type": "number", "examples": [12.5]},
    "boolean": _TRUTH,
    "date": {"type": "string", "format": "date", "examples": ["2026-07-15"]},
    # Not date-time: that has an offset, and times of the data are those on the clocks of the city.
    "timestamp": {"type": "string", "examples": ["2026-07-15T08:30:00"]},
    "object": _TEXT,
}


def _schema_of(op: str, kind: Schema) -> Schema:
    if op == "is_null":
        return _TRUTH
    example = kind.get("examples", [""])[0]
    return {"type": "string", "examples": [f"{example},{example}"]} if op in ("in", "between") else kind


_WORDS = {
    "eq": "equal to this",
    "ne": "not equal to this, or none",
    "lt": "less than this",
    "lte": "this or less",
    "gt": "more than this",
    "gte": "this or more",
    "in": "one of these, separated by commas",
    "between": "from the one to the other, separated by a comma",
    "is_null": "whether there is none",
    "contains": "holds this text",
    "starts": "begins with this text",
}
