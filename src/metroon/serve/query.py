"""The question that a door asks of rows: which columns, which rows, in which order, how many.

Doors read their own syntax into a ``Query``. It is held against the columns that the asker may see, and becomes an
expression of the engine: no text of anybody is ever part of a statement.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

import ibis

from metroon.base.node import did_you_mean
from metroon.serve.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    import pyarrow as pa
    from ibis.expr.types import BooleanValue, Value

    from metroon.base.catalog import Rows
    from metroon.base.engine import Engine, Relation

Scalar: TypeAlias = "str | int | float | bool | date | datetime"
Op = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "between", "contains", "starts", "is_null"]
OPS: tuple[Op, ...] = get_args(Op)
"""How a column may be compared."""
TypeName = Literal["string", "integer", "number", "boolean", "date", "timestamp", "object"]

MOST_CONDITIONS = 50
MOST_VALUES = 1_000
MOST_LETTERS = 1_000
MOST_OFFSET = 2**53
_INT64 = 2**63


@dataclass(frozen=True)
class Condition:
    """What must hold of one column.

    Args:
        column: Its name.
        op: How it is compared. ``ne`` holds where there is no value too, so that no row is lost unseen; ``contains``
            and ``starts`` take capitals and small letters for the same.
        values: What with: one value, two for ``between``, any number for ``in``, True or False for ``is_null``.
    """

    column: str
    op: Op
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class Order:
    """One column to order by; rows without a value come last."""

    column: str
    is_descending: bool = False


@dataclass(frozen=True)
class Query:
    """Which rows are asked for, and how.

    Args:
        select: Columns, in the order wanted; empty for all.
        where: What must hold, all of it.
        order: Empty for the dataset's own order. Ties are broken by all other columns, so that pages do not overlap.
        limit: How many rows at most; None for all.
        offset: How many to leave out first.
        words: Words that must all stand somewhere in a row's texts.
    """

    select: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    words: tuple[str, ...] = ()

    def fingerprint(self, *, of: str = "") -> str:
        """What tells this query from others, whatever its page."""
        where = [(c.column, c.op, c.values) for c in self.where]
        told = [of, self.select, where, [(o.column, o.is_descending) for o in self.order], self.words]
        return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()[:20]


def types_of(rows: Rows) -> Mapping[str, TypeName]:
    """Column -> what its values are, for every column that the asker may see."""
    schema = rows.relation.schema()
    return {c.name: _type_name(schema[c.name]) for c in rows.columns}


def _type_name(kind: Any) -> TypeName:
    if kind.is_boolean():
        return "boolean"
    if kind.is_integer():
        return "integer"
    if kind.is_floating() or kind.is_decimal():
        return "number"
    if kind.is_date():
        return "date"
    if kind.is_timestamp():
        return "timestamp"
    return "string" if kind.is_string() else "object"


def column(rows: Rows, name: str, *, parameter: str = "") -> str:
    """A column that there is.

    Raises:
        Trouble: There is none of that name; it names those that there are.
    """
    known = [c.name for c in rows.columns]
    if name in known:
        return name
    shown = name[:60] if name.isprintable() else "?"
    raise Trouble("unknown-column", f"There is no column '{shown}'.", did_you_mean(shown, known), parameter or shown)


def columns(rows: Rows, names: Iterable[str], *, parameter: str) -> tuple[str, ...]:
    """Columns that there are, each once, in the order asked for.

    Raises:
        Trouble: One is not there.
    """
    return tuple(dict.fromkeys(column(rows, n, parameter=parameter) for n in names))


def order(rows: Rows, names: Iterable[tuple[str, bool]], *, parameter: str) -> tuple[Order, ...]:
    """An order by (column, is descending).

    Raises:
        Trouble: A column is not there, or has no order.
    """
    kinds = types_of(rows)
    found: dict[str, Order] = {}
    for name, is_descending in names:
        known = column(rows, name, parameter=parameter)
        if kinds[known] == "object":
            raise Trouble(
                "wrong-value", f"Shapes such as '{known}' have no order.", "Order by another column.", parameter
            )
        found.setdefault(known, Order(known, is_descending))
    return tuple(found.values())


def condition(rows: Rows, name: str, op: Op, given: Sequence[object], *, parameter: str = "") -> Condition:
    """A condition on a column, with values as a door got them: texts, or values of JSON.

    Raises:
        Trouble: There is no such column, or a value does not fit it.
    """
    at = parameter or name
    known = column(rows, name, parameter=at)
    kind = types_of(rows)[known]
    if op == "is_null":
        return Condition(known, op, (_value("boolean", given[0] if given else True, known, at),))
    if kind == "object":
        raise Trouble("wrong-value", f"'{known}' holds shapes; it can only be asked whether it is there.",
                      f"Ask {known}__is_null=false.", at)  # fmt: skip
    if op in ("contains", "starts") and kind != "string":
        fix = "Compare it with eq, ne, lt, lte, gt, gte, in or between."
        raise Trouble("wrong-value", f"'{known}' is of type {kind}; only texts have parts.", fix, at)
    least, most = {"in": (1, MOST_VALUES), "between": (2, 2)}.get(op, (1, 1))
    if not least <= len(given) <= most:
        slug = "too-much" if op == "in" else "wrong-value"
        counted = "one value" if most == 1 else "two values" if most == 2 else f"1 to {MOST_VALUES} values"
        raise Trouble(slug, f"'{op}' needs {counted}.", "Separate values by commas.", at)
    return Condition(known, op, tuple(_value(kind, g, known, at) for g in given))


_EXAMPLE = {
    "string": "text of up to 1,000 letters",
    "integer": "a whole number such as 12",
    "number": "a number such as 12.5",
    "boolean": "true or false",
    "date": "a day such as 2026-07-15",
    "timestamp": "a time on the clocks of the city such as 2026-07-15T08:30:00, without an offset",
}


def _value(kind: TypeName, given: object, name: str, parameter: str) -> Scalar:
    try:
        found = _read(kind, given)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise Trouble(
            "wrong-value", f"'{name}' is of type {kind}; a value is not.", f"Write {_EXAMPLE[kind]}.", parameter
        )
    return found


def _read(kind: TypeName, given: object) -> Scalar | None:
    """A value of a type; None or a ValueError where it is none."""
    if isinstance(given, float) and not math.isfinite(given):
        return None
    text = str(given).lower() if isinstance(given, bool) else str(given)
    if not isinstance(given, str | int | float) or len(text) > MOST_LETTERS or "\x00" in text:
        return None
    text.encode()
    return _READ[kind](text if kind == "string" else text.strip())


def _whole(text: str) -> int | None:
    found = int(text) if text.isascii() and "_" not in text else None
    return found if found is not None and -_INT64 <= found < _INT64 else None


def _number(text: str) -> float | None:
    found = float(text) if text.isascii() and "_" not in text else math.nan
    return found if math.isfinite(found) else None


TRUTHS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}
"""How a truth may be written."""


def _truth(text: str) -> bool | None:
    return TRUTHS.get(text)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if len(text) == 10 else None


def _moment(text: str) -> datetime | None:
    found = datetime.fromisoformat(text) if text.isascii() else None
    return found if found is not None and found.tzinfo is None else None


_READ: Mapping[TypeName, Callable[[str], Scalar | None]] = {
    "string": str, "integer": _whole, "number": _number, "boolean": _truth, "date": _day, "timestamp": _moment,
}  # fmt: skip


def whole(text: str, *, parameter: str, least: int, most: int) -> int:
    """A whole number within bounds.

    Raises:
        Trouble: It is none, or out of bounds.
    """
    try:
        found = _whole(text.strip())
    except ValueError:
        found = None
    if found is None or found < least:
        raise Trouble(
            "wrong-value", f"'{parameter}' is no whole number from {least:,}.", "Write one such as 100.", parameter
        )
    if found > most:
        fix = f"Write {most:,} or less; for all rows fetch the file, such as format=csv."
        raise Trouble("too-much", f"'{parameter}' is more than {most:,}.", fix, parameter)
    return found


def whose(rows: Rows) -> str:
    """What a page of rows belongs to: dataset and version."""
    return f"{rows.dataset.name}@{rows.edition.number}"


def cursor(rows: Rows, query: Query, offset: int) -> str:
    """Where the next page of a query begins, for that query and that version only.

    It holds no secret: whoever makes one up can only begin elsewhere, as ``offset`` lets anybody.
    """
    told = [rows.edition.number, offset, query.fingerprint(of=whose(rows))]
    return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Place:
    """Where a cursor points: version, first row, and the fingerprint of its query."""

    version: int
    offset: int
    fingerprint: str


def place(text: str) -> Place:
    """Where a cursor points.

    Raises:
        Trouble: It is broken.
    """
    try:
        told: Any = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        version, offset, fingerprint = told
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise _broken() from None
    kinds = [type(v) for v in (version, offset, fingerprint)]
    if kinds != [int, int, str] or not (0 < version < MOST_OFFSET and 0 <= offset < MOST_OFFSET):
        raise _broken()
    return Place(version, offset, fingerprint)


def _broken() -> Trouble:
    return Trouble(
        "bad-cursor", "The cursor is broken.", "Follow 'next' as it was given, or begin without a cursor.", "cursor"
    )


def turned(rows: Rows, query: Query, to: Place) -> Query:
    """The query at the page that a cursor points to.

    Raises:
        Trouble: The cursor belongs to another query or version.
    """
    if to.version != rows.edition.number or to.fingerprint != query.fingerprint(of=whose(rows)):
        what = "The cursor belongs to another question."
        raise Trouble("bad-cursor", what, "Keep filters, order and columns the same from page to page.", "cursor")
    return replace(query, offset=to.offset)


def apply(rows: Rows, query: Query) -> Relation:
    """The rows that a query asks for, as a relation of the engine.

    Raises:
        Trouble: It names columns that there are not, or compares too much.
    """
    found = _kept(rows, query)
    if query.order or rows.order:
        found = found.order_by(_ordered(rows, query, found))
    names = columns(rows, query.select, parameter="select") or tuple(c.name for c in rows.columns)
    if query.limit is not None or query.offset:
        found = found.limit(query.limit, offset=query.offset)
    return found.select(*names)


def total(rows: Rows, query: Query) -> int:
    """How many rows a query finds, whatever its limit.

    Raises:
        Trouble: It names columns that there are not.
        CannotRun: The engine cannot count them.
        OSError: The rows cannot be read.
    """
    if not query.where and not query.words:
        return rows.total
    kept = _kept(rows, query)
    counted = kept.aggregate(n=kept.count())
    return sum(int(b["n"][0].as_py()) for b in _engine(rows).batches(counted, rows=1, seconds=PAGE_SECONDS))


PAGE_SECONDS = 20
"""How long the question for one page may take."""
BATCH_ROWS = 50_000
"""How many rows go through memory at once."""


def batches(
    rows: Rows, query: Query, *, seconds: float | None = PAGE_SECONDS, size: int = BATCH_ROWS
) -> Generator[pa.RecordBatch, None, None]:
    """The rows that a query asks for, bit by bit.

    Args:
        rows: Of which dataset.
        query: Which rows.
        seconds: How long all of it may take; None for as long as it does.
        size: How many rows one batch has at most.

    Raises:
        Trouble: It names columns that there are not.
        CannotRun: The engine cannot answer, or not in time.
        OSError: The rows cannot be read.
    """
    return _engine(rows).batches(apply(rows, query), rows=size, seconds=seconds)


def _engine(rows: Rows) -> Engine:
    if rows.engine is None:
        raise TypeError("these rows have no engine to run them")
    return rows.engine


def _kept(rows: Rows, query: Query) -> Relation:
    if len(query.where) > MOST_CONDITIONS:
        raise Trouble("too-much", f"There are more than {MOST_CONDITIONS} conditions.", "Ask with fewer of them.")
    relation = rows.relation
    holds = [_holds(cast("Value", relation[column(rows, c.column)]), c) for c in query.where]
    holds += [_has_word(rows, w) for w in query.words]
    return relation.filter(*holds) if holds else relation


def _ordered(rows: Rows, query: Query, relation: Relation) -> list[Value]:
    """The order asked for, then the dataset's own, then all other columns: equal rows are the same row to a reader."""
    given = {o.column: o for o in query.order}
    rest = dict.fromkeys((*rows.order, *(c.name for c in rows.columns)))
    every = [*query.order, *(Order(n) for n in rest if n not in given and n in relation.columns)]
    return [(ibis.desc if o.is_descending else ibis.asc)(relation[o.column]) for o in every]


def _holds(value: Any, condition: Condition) -> BooleanValue:
    given = condition.values
    if condition.op == "is_null":
        return cast("BooleanValue", value.isnull() if given[0] else value.notnull())
    if condition.op == "in":
        return cast("BooleanValue", value.isin([ibis.literal(v) for v in given]))
    if condition.op == "between":
        return cast("BooleanValue", value.between(ibis.literal(given[0]), ibis.literal(given[1])))
    if condition.op == "contains":
        return cast("BooleanValue", value.lower().contains(ibis.literal(given[0]).lower()))
    if condition.op == "starts":
        return cast("BooleanValue", value.lower().startswith(ibis.literal(given[0]).lower()))
    return _COMPARED[condition.op](value, ibis.literal(given[0]))


_COMPARED: Mapping[str, Any] = {
    "eq": lambda value, to: value == to,
    "ne": lambda value, to: (value != to) | value.isnull(),
    "lt": lambda value, to: value < to,
    "lte": lambda value, to: value <= to,
    "gt": lambda value, to: value > to,
    "gte": lambda value, to: value >= to,
}


def _has_word(rows: Rows, word: str) -> BooleanValue:
    told = [rows.relation[n].cast("string") for n, kind in types_of(rows).items() if kind != "object"]
    looked = ibis.literal(word).lower()
    found: Any = ibis.literal(False)
    for text in told:
        found = found | text.lower().contains(looked).fill_null(False)
    return cast("BooleanValue", found)


def words_of(text: str, *, parameter: str) -> tuple[str, ...]:
    """The words that a row must hold.

    Raises:
        Trouble: There are too many, or they are no text.
    """
    found = tuple(str(_value("string", w, parameter, parameter)) for w in text.split())
    if len(found) > 10:
        raise Trouble("too-much", f"'{parameter}' has more than 10 words.", "Ask with fewer words.", parameter)
    return found
