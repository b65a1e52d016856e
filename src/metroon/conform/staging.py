"""Staging: the rows of each piece typed once, and sorted into those that stay and those that are set aside.

Large pieces go to Parquet files on disk and never through memory; what stays is written as a version will keep it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import and_, or_
from typing import TYPE_CHECKING, cast

import ibis
import pyarrow as pa

from metroon.base.engine import CannotRun
from metroon.base.sharing import shared
from metroon.collect import FILE, LINE, RECORD, REJECT
from metroon.conform import points
from metroon.conform.rules import rules
from metroon.conform.typing import Typed, doubt, quick, typed
from metroon.conform.verdicts import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from ibis.expr.types import BooleanValue, Value

    from metroon.base.engine import Engine, Relation
    from metroon.city.contract import Contract
    from metroon.collect import Piece
    from metroon.conform.rules import Rule

REASON = "_reason"
_RAW = "_raw"
_ARROW = {
    "string": pa.string(), "number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp": pa.timestamp("us"), "object": pa.binary(),
}  # fmt: skip


class Unproven(Exception):  # noqa: N818  # a decision about one piece, not an error
    """Rows that were claimed to be all of a file do not add up: it has to be read record by record."""


@dataclass(frozen=True)
class Promise:
    """What rows are held to.

    Args:
        contract: The promise.
        as_of: The day taken for today.
        time_zone: The zone whose clocks times are told by.
    """

    contract: Contract
    as_of: date
    time_zone: str | None

    @property
    def names(self) -> list[str]:
        """The columns."""
        return [c.name for c in self.contract.columns]

    @property
    def asked(self) -> list[str]:
        """Columns whose rules look at the text as it came, and not only at the value."""
        asked = {name for node, name in self.contract.quality if node.at("metric").value == "missingValues"}
        asked |= {c.name for c in self.contract.columns if "timezone" in c.options}
        return [c.name for c in self.contract.columns if c.name in asked]

    @property
    def texts(self) -> dict[str, str]:
        """Column -> the column that holds its text, for those that are asked for it and whose value is another."""
        return {n: f"_text{i}" for i, n in enumerate(self.names) if n in self.asked and not self._is_text(n)}

    def _is_text(self, name: str) -> bool:
        return any(c.name == name and c.type == "string" for c in self.contract.columns)


@dataclass(frozen=True)
class Staged:
    """One piece, sorted.

    Args:
        piece: What was collected.
        typed: Gives all of its records with their values, and as they came.
        kept: The rows that break no rule for which rows are set aside: the columns, ``_file``, ``_line``.
        n: How many.
        aside: The others, with ``_reason``, ``_record``, ``_reject`` and a mark for each rule; None when there is none.
        files: Where the rows lie that are kept; none when they are in memory.
    """

    piece: Piece
    typed: Callable[[], Relation]
    kept: Relation
    n: int
    aside: Relation | None
    files: tuple[Path, ...] = ()


def staged(engine: Engine, piece: Piece, promise: Promise, folder: Path | None) -> Staged:
    """The rows of a piece, sorted.

    Args:
        engine: The engine.
        piece: What was collected.
        promise: What it is held to.
        folder: Where to write the rows; None to have them in memory.

    Raises:
        Refused: A declared rule cannot be run.
        Unproven: The piece claims a number of records that is not true.
    """
    try:
        if folder is not None and piece.nulled is not None and not points.are_moved(promise.contract):
            return _quickly(engine, piece, promise, folder)
        return _carefully(engine, piece, promise, folder)
    except CannotRun:
        if piece.header:
            raise Unproven from None
        raise


def _quickly(engine: Engine, piece: Piece, promise: Promise, folder: Path) -> Staged:
    """The rows that are plainly as promised are written at once; only the others are looked at one by one."""
    rows, values = _quick_rows(engine, piece, promise)
    aside = [r.fails for r in rules(promise.contract, values, promise.as_of) if r.severity == "set aside"]
    # Never true, and the engine does not know: else it would compute every value twice, to filter it and to keep it.
    is_odd = reduce(or_, [rows["_doubt"], *(fails for fails in aside if fails is not None)], ibis.random() < 0)
    told = engine.view(rows.mutate(_odd=is_odd))
    columns = [*promise.names, FILE, LINE, *promise.texts.values()]
    kept, n, file = stored(engine, told.filter(~told["_odd"]).select(*columns), folder)
    made = Staged(piece, partial(_every, engine, piece, promise), kept, n, None, (file,) if file else ())
    if n == piece.records:
        return made
    raw = {name: told[f"{_RAW}{i}"].fill_null("") for i, name in enumerate(promise.names)}
    nothing = {c: ibis.null("string") for c in (REJECT, RECORD)}
    odd, more, _ = stored(engine, told.filter(told["_odd"]).select(FILE, LINE, **raw, **nothing), folder)
    if n + more != piece.records:
        if piece.header:
            raise Unproven
        return _carefully(engine, piece, promise, folder)
    others = _carefully(engine, replace(piece, rows=odd, records=more), promise, folder)
    files = (*(made.files if n else ()), *(others.files if others.n else ()))
    every = engine.parquet([str(f) for f in files]) if files else kept
    return replace(made, kept=every, n=n + others.n, aside=others.aside, files=files or made.files)


def _every(engine: Engine, piece: Piece, promise: Promise) -> Relation:
    return typed_rows(engine, piece.rows, promise, is_large=True)[0]


def _quick_rows(engine: Engine, piece: Piece, promise: Promise) -> tuple[Relation, dict[str, Typed]]:
    """Rows with the values that the engine reads by itself and where these are doubted, and what rules look at."""
    raw = piece.nulled if piece.nulled is not None else piece.rows
    columns: dict[str, Value] = {c: raw[c] for c in (FILE, LINE)}
    read = {c.name: None if c.name in promise.asked else quick(engine, raw, c) for c in promise.contract.columns}
    for i, column in enumerate(promise.contract.columns):
        value = read[column.name] or typed(engine, raw, column, promise.time_zone)
        columns |= {column.name: value.value, f"_missing{i}": value.is_missing, f"{_RAW}{i}": raw[column.name]}
        columns |= {promise.texts[column.name]: value.text} if column.name in promise.texts else {}
    rows = shared(engine, raw, columns)
    read_so = [(i, c) for i, c in enumerate(promise.contract.columns) if read[c.name] is not None]
    doubts = [doubt(c, rows[c.name], rows[f"{_RAW}{i}"], is_bare=piece.is_bare) for i, c in read_so]
    dates: dict[str, Value] = {c.name: rows[c.name].cast("date") for _, c in read_so if c.type == "date"}
    rows = engine.view(rows.mutate(**dates, _doubt=reduce(or_, doubts, ibis.literal(False))))
    return rows, _values(rows, promise)


def no_rows(engine: Engine, promise: Promise) -> tuple[Relation, dict[str, Typed]]:
    """The columns with their types without a row, and what rules look at."""
    types = {c.name: _ARROW[c.type] for c in promise.contract.columns}
    types |= {f"_missing{i}": pa.bool_() for i in range(len(promise.names))}
    types |= dict.fromkeys(promise.texts.values(), pa.string())
    rows = engine.table(pa.schema(list(types.items())).empty_table())
    return rows, _values(rows, promise)


def _values(rows: Relation, promise: Promise) -> dict[str, Typed]:
    """What rules look at: the columns of rows."""
    return {n: Typed(rows[n], rows[f"_missing{i}"], rows[promise.texts.get(n, n)]) for i, n in enumerate(promise.names)}


def _carefully(engine: Engine, piece: Piece, promise: Promise, folder: Path | None) -> Staged:
    """Every row with the reason for which it is set aside."""
    rows, values = typed_rows(engine, piece.rows, promise, is_large=folder is not None)
    every = rules(promise.contract, values, promise.as_of)
    reasoned = rows.mutate(**{REASON: _reason(rows, every)})
    columns = [*promise.names, FILE, LINE, *promise.texts.values()]
    kept, n, file = stored(engine, reasoned.filter(reasoned[REASON].isnull()).select(*columns), folder)
    made = Staged(piece, lambda: rows, kept, n, None, (file,) if file else ())
    if n == piece.records:
        return made
    others = reasoned.filter(reasoned[REASON].notnull())
    marks = {mark(i): r.fails & rows[REJECT].isnull() for i, r in enumerate(every) if r.fails is not None}
    told = others.mutate(**marks, **{RECORD: record(engine, others, promise)})
    if piece.header:
        told = told.mutate(_again=_is_header(others, piece, promise))
    again = ["_again"] if piece.header else []
    columns = [*promise.names, FILE, LINE, REJECT, REASON, RECORD, *marks, *again]
    aside, lost, _ = stored(engine, told.select(*columns), folder)
    if piece.records is not None and n + lost != piece.records and piece.header:
        raise Unproven
    if piece.header and engine.count(aside.filter(aside["_again"])):
        raise Unproven
    return replace(made, aside=aside if lost else None)


def stored(engine: Engine, rows: Relation, folder: Path | None) -> tuple[Relation, int, Path | None]:
    """Rows computed once: in a file of a folder, or in memory without one; how many; and the file."""
    if folder is None:
        table = engine.fetch(rows)
        return engine.table(table), table.num_rows, None
    file = folder / f"part-{uuid.uuid4().hex}.parquet"
    n = engine.save(rows, file)
    return engine.parquet([str(file)]), n, file


def typed_rows(
    engine: Engine, raw: Relation, promise: Promise, *, is_large: bool = False
) -> tuple[Relation, dict[str, Typed]]:
    """Rows with their types, and for each column what the rules look at.

    Args:
        engine: The engine.
        raw: Rows as they came.
        promise: What they are held to.
        is_large: Whether it pays to look for what is computed more than once.
    """
    made = {c.name: typed(engine, raw, c, promise.time_zone) for c in promise.contract.columns}
    columns: dict[str, Value] = {c: raw[c] for c in (FILE, LINE, REJECT)}
    columns[RECORD] = raw[RECORD] if RECORD in raw.columns else ibis.null("string")
    for i, (name, value) in enumerate(made.items()):
        columns |= {name: value.value, f"_missing{i}": value.is_missing, f"{_RAW}{i}": _as_it_came(raw[name])}
        columns |= {promise.texts[name]: value.text} if name in promise.texts else {}
    # What it computes gets a name, and rules refer to the names.
    rows = shared(engine, raw, columns) if is_large else engine.view(raw.select(**columns))
    rows = points.in_degrees(engine, rows, promise.contract)
    return rows, _values(rows, promise)


def kept_values(rows: Relation, promise: Promise) -> dict[str, Typed]:
    """What rules look at in rows that are kept: nothing in them is unreadable, so what is null is not recorded."""
    return {n: Typed(rows[n], rows[n].isnull(), rows[promise.texts.get(n, n)]) for n in promise.names}


def record(engine: Engine, rows: Relation, promise: Promise) -> Value:
    """What stands in the file: the text of a record that is no whole one, else a JSON object of its columns."""
    plain = {c.name: i for i, c in enumerate(promise.contract.columns) if c.type != "object"}
    told = engine.as_json({n: rows[f"{_RAW}{i}"] for n, i in plain.items()}) if plain else ibis.null("string")
    return rows[REJECT].isnull().ifelse(told, rows[RECORD])


def _as_it_came(column: Value) -> Value:
    return ibis.null("string") if column.type().is_binary() else column.cast("string")


def _reason(rows: Relation, every: Sequence[Rule]) -> Value:
    aside = [(r.fails, ibis.literal(r.text)) for r in every if r.severity == "set aside" and r.fails is not None]
    found = ibis.cases((rows[REJECT].notnull(), rows[REJECT]), *aside, else_=ibis.null("string"))
    # Never true, and the engine does not know: else it would compute every value twice, to filter it and to keep it.
    return cast("Value", (ibis.random() < 0).ifelse(ibis.literal(""), found))


def _is_header(rows: Relation, piece: Piece, promise: Promise) -> BooleanValue:
    texts = {n: rows[f"{_RAW}{promise.names.index(n)}"].strip() for n in piece.header}
    is_like: list[BooleanValue] = [texts[n].isin([header, ""]) for n, header in piece.header.items()]
    has_one: list[BooleanValue] = [texts[n] == header for n, header in piece.header.items()]
    return (reduce(and_, is_like) & reduce(or_, has_one)).fill_null(False)
