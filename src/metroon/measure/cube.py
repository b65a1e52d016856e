"""The cube: one pass over the rows of a product to the finest cells, for all measures that count it at once.

The cube's cells are the cross-classification of month, places and groups; everything coarser is a sum of them, made
without touching a row again. What no sum gives has a pass of its own: how values are spread (medians), and how many
different people there are.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from metroon.base.estimate import UNKNOWN
from metroon.locate import column as place_column
from metroon.measure.indicator import Expression, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from metroon.base.engine import Counter, Relation
    from metroon.city import Contract
    from metroon.measure.grid import Grid
    from metroon.measure.indicator import Indicator

    Ints = NDArray[np.int64]

MONTH, WHO, FLOW, GROUP = "_month", "_who", "_flow", "_group_"
"""Columns of prepared rows: their month, their person, whether one comes or goes, their groups."""
REVISED = "_revised"
"""Column of rows that are told apart: their number."""
_DAYS, _ROWS, _EVERY, _UNDECIDED = "_days", "_rows", "_every", "undecided"
_YEAR, _IN_YEAR, _FIRST = "_year", "_in_year", "_first"
"""Columns of prepared rows: their year, their month in it, their day."""


@dataclass(frozen=True)
class Codes:
    """One key of many cells as numbers.

    Args:
        at: Number of the label of each cell.
        labels: The labels; ``None`` for cells without.
    """

    at: Ints
    labels: tuple[str | None, ...]


@dataclass(frozen=True)
class Finest:
    """Finest cells with the numbers added up in each.

    Args:
        keys: Key -> its codes, one for each cell.
        numbers: Name -> one number a cell.
        values: What tells apart the values of one cell, where they are spread; empty for sums.
    """

    keys: Mapping[str, Codes]
    numbers: Mapping[str, NDArray[Any]]
    values: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def number(self, measure: str, part: str) -> NDArray[Any]:
        """A part of a measure; zeros where the measure has no such part."""
        found = self.numbers.get(f"{measure}/{part}")
        return np.zeros(self.cells, dtype=np.int64) if found is None else found

    @property
    def cells(self) -> int:
        """How many finest cells there are."""
        return len(next(iter(self.numbers.values())))


@dataclass(frozen=True)
class Cube:
    """The finest cells of all measures that count the same rows by the same date.

    Args:
        finest: Their sums.
        spreads: Measure -> how its values are spread over the finest cells.
        engine: The engine that counted.
        rows: The prepared rows, for questions that need them again.
        measures: The measures.
        has_people: Whether rows tell whose they are.
        grids: The grids made so far: measures of one shape share theirs.
    """

    finest: Finest
    spreads: Mapping[str, Finest]
    engine: Counter
    rows: Relation
    measures: Mapping[str, Indicator]
    has_people: bool
    grids: list[Grid] = field(default_factory=list)

    def flags(self, name: str) -> dict[str, Any]:
        """Outcome -> which rows have it, among those that a measure counts."""
        return _flags(self.rows, self.measures[name])


@dataclass(frozen=True)
class Parts:
    """What the rows of a version are made of, and where it is kept what was counted of each part before.

    Args:
        names: Names of the parts; a name has the same rows forever.
        located: Name -> its rows, which know their places. Asked only for parts that were not counted before.
        folder: Where counts are kept.
        counted_as: Tells apart all else that decides the counts: the measures, the promise, the boundaries, the code.
    """

    names: Sequence[str]
    located: Callable[[str], Relation]
    folder: Path
    counted_as: str

    def file(self, name: str) -> Path:
        """Where the counts of a part are kept."""
        return self.folder / f"{hashlib.sha256(f'{name}|{self.counted_as}'.encode()).hexdigest()}.cells"


def cube(
    engine: Counter,
    located: Relation,
    measures: Mapping[str, Indicator],
    contract: Contract,
    *,
    is_each: bool = False,
    parts: Parts | None = None,
) -> Cube:
    """Count the rows of some measures into the finest cells.

    Grain:
        One cell for each month, places and groups that rows have; not more cells than rows.

    Args:
        engine: The engine.
        located: Rows that know their place in each geography.
        measures: Measures that count the same rows by the same date.
        contract: The product's promise.
        is_each: Whether every row is a finest cell of its own, by its number in the column ``REVISED``.
        parts: What the rows are made of. Sums of parts are sums of all, to the last digit, so that only new parts are
            counted; where a row counts by what other rows say, and where values are spread, all rows are.

    Returns:
        The cube, in memory; its size is that of the cells, however many rows there are.
    """
    first = next(iter(measures.values()))
    rows = _prepared(engine, first.prepare(engine, located, contract), measures, contract)
    keys = _keys(located, measures)
    own = [*keys, *([REVISED, *([WHO] if contract.person_key else [])] if is_each else [])]
    cells = _cells(rows, measures, own)
    if parts is None or first.has_own_rows or cells.op().find((ops.ScalarSubquery, ops.WindowFunction)):
        found = engine.fetch(cells)
    else:
        found = _by_part(engine, parts, measures, contract, keys)
    finest = _finest(_sorted(found, own), own)
    spreads = {n: made for n, i in measures.items() if (made := _spread(engine, rows, i, own))}
    return Cube(finest, spreads, engine, rows, measures, contract.person_key is not None)


def _keys(located: Relation, measures: Mapping[str, Indicator]) -> list[str]:
    """The columns that make finest cells."""
    first = next(iter(measures.values()))
    places = [c for c in located.columns if c.startswith(place_column(""))]
    groups = dict.fromkeys(GROUP + g.by for i in measures.values() for g in i.groups)
    return [*([MONTH] if first.period else []), *places, *groups, *([FLOW] if first.accumulates else [])]


def _cells(rows: Relation, measures: Mapping[str, Indicator], keys: Sequence[str]) -> Relation:
    """The sums of each finest cell of prepared rows."""
    first = next(iter(measures.values()))
    parts: dict[str, Any] = {_ROWS: rows.count()}
    if first.period:
        bit = ibis.literal(1) << rows["_day"]
        if first.accumulates:  # a delivery reaches as far as those who came: who left later says nothing of others
            bit = (rows[FLOW] == "in").ifelse(bit, 0)
        parts[_DAYS] = bit.bit_or()
    for name, indicator in measures.items():
        among, row = _among(rows, indicator), _row(rows, indicator)
        flags = _flags(rows, indicator)
        parts |= {f"{name}/{part}": rows.count(where=flag) for part, flag in flags.items()}
        parts |= _added({f"{name}/{part}": number for part, number in indicator.sums(row).items()}, among)
        parts |= _strata(rows, name, indicator)
        if among is not None:
            parts[f"{name}/{_UNDECIDED}"] = rows.count(where=among.isnull())
        if first.period:
            parts[f"{name}/{_DAYS}"] = bit.bit_or(where=among)
    return _grouped(rows, keys, parts)


def _grouped(rows: Relation, keys: Sequence[str], parts: Mapping[str, Any]) -> Relation:
    """Rows of the same keys added up."""
    if MONTH not in keys:
        return (rows.group_by(list(keys)) if keys else rows).aggregate(**parts)
    # By numbers: to write the text of a month for each row would take longer than to count it.
    by = [_YEAR, _IN_YEAR, *(k for k in keys if k != MONTH)]
    made = rows.group_by(by).aggregate(**{_FIRST: rows[_FIRST].min()}, **parts)
    return made.mutate(**{MONTH: made[_FIRST].strftime("%Y-%m")}).select(*keys, *parts)


def _by_part(
    engine: Counter, parts: Parts, measures: Mapping[str, Indicator], contract: Contract, keys: Sequence[str]
) -> pa.Table:
    """The sums of each finest cell, from what was counted of each part before."""
    first = next(iter(measures.values()))
    found = []
    for name in parts.names:
        file = parts.file(name)
        if not file.exists():
            rows = _prepared(engine, first.prepare(engine, parts.located(name), contract), measures, contract)
            cells = engine.fetch(_cells(rows, measures, keys))
            parts.folder.mkdir(parents=True, exist_ok=True)
            draft = parts.folder / f"{uuid.uuid4().hex}.part"  # its own, should two runs work at once
            pq.write_table(cells, draft)
            draft.replace(file)
        found.append(pq.read_table(file))
    if len(found) == 1:
        return found[0]
    every = engine.table(pa.concat_tables(found, promote_options="permissive"))
    sums = {
        n: every[n].bit_or() if n.rpartition("/")[2] == _DAYS else every[n].sum()
        for n in every.columns
        if n not in keys
    }
    exact = dt.Decimal(38, 0)
    sums |= {n: every[n].sum().cast(exact) for n in sums if n[-1] in (_WHOLE, _REST)}
    return engine.fetch((every.group_by(list(keys)) if keys else every).aggregate(**sums))


def _prepared(engine: Counter, rows: Relation, measures: Mapping[str, Indicator], contract: Contract) -> Relation:
    asked = {_column(e): e for i in measures.values() for e in (_among_of(i), *i.expressions()) if e.sql}
    for column, e in asked.items():
        rows = engine.with_column(rows, column, f"cast(({e.sql}\n) as {_TYPES[e.type]})")
    first = next(iter(measures.values()))
    keys: dict[str, Any] = {_EVERY: ibis.literal(True)}
    keys |= {GROUP + g.by: group_label(rows[g.by]) for i in measures.values() for g in i.groups}
    if first.period:
        day = rows[first.period.column].cast("date")
        keys |= {MONTH: day.strftime("%Y-%m"), _YEAR: day.year(), _IN_YEAR: day.month(), _FIRST: day, "_day": day.day()}
    # Rows that do not say whose they are may all be of one person.
    if contract.person_key:
        keys[WHO] = rows[contract.person_key].cast("string").fill_null("")
    return rows.mutate(**keys)


_TYPES = {"boolean": "boolean", "float64": "double"}


def group_label(column: Any) -> Any:
    """The group that a row is in by a column; rows that do not say are in one of their own."""
    text = column.cast("string")
    return (text == "").ifelse(ibis.null("string"), text).fill_null(UNKNOWN)


_FIXED = 10**9
"""The fractions of numbers are added up in whole billionths, so that a sum is the same in whatever order rows come."""
_WHOLE, _REST = "#", "%"
"""End the names of the two sums of a number: of its whole part, and of its fraction in billionths."""


def _added(numbers: Mapping[str, Any], among: Any = None) -> dict[str, Any]:
    """The sums of numbers over rows. Floating sums would differ in their last digits from run to run."""
    made = {}
    for name, number in numbers.items():
        if not number.type().is_floating():
            made[name] = number.sum(where=among)
            continue
        whole = number.floor().cast("int64")
        rest = ((number - whole.cast("float64")) * float(_FIXED) + 0.5).floor().cast("int64")
        exact = dt.Decimal(38, 0)
        for sign, part in ((_WHOLE, whole), (_REST, rest)):
            made[name + sign] = part.cast(exact).sum(where=among).cast(exact)
    return made


def _column(e: Expression) -> str:
    """The column of an expression: the same for all measures that ask the same, so that it is worked out once."""
    return f"_sql_{hashlib.sha256(f'{e.type} {e.sql}'.encode()).hexdigest()[:16]}"


def _among_of(indicator: Indicator) -> Expression:
    return Expression("among", indicator.among or "")


def _row(rows: Relation, indicator: Indicator) -> Row:
    return Row(rows, {e.key: _column(e) for e in indicator.expressions() if e.sql})


def _among(rows: Relation, indicator: Indicator) -> Any:
    return rows[_column(_among_of(indicator))] if indicator.among else None


def _flags(rows: Relation, indicator: Indicator) -> dict[str, Any]:
    """Which rows are successes, failures and unknown, among those that count; null counts as false."""
    among = _among(rows, indicator)
    outcome = indicator.outcome(_row(rows, indicator))
    if outcome is None:
        return {"yes": rows[_EVERY] if among is None else among}
    found = {"yes": outcome, "unknown": outcome.isnull()} | ({"no": ~outcome} if indicator.is_share else {})
    return {part: flag if among is None else among & flag for part, flag in found.items()}


def _strata(rows: Relation, name: str, indicator: Indicator) -> dict[str, Any]:
    by, strata = indicator.strata()
    yes = _flags(rows, indicator)["yes"] if strata else None
    return {f"{name}/stratum {i}": rows.count(where=yes & (rows[by].cast("string") == s)) for i, s in enumerate(strata)}


def _spread(engine: Counter, rows: Relation, indicator: Indicator, keys: Sequence[str]) -> Finest | None:
    told = indicator.spread(_row(rows, indicator))
    if not told:
        return None
    groups = [GROUP + g.by for g in indicator.groups]
    own = [k for k in keys if not k.startswith(GROUP) or k in groups]
    rows = rows.mutate(**{f"_value_{k}": v for k, v in told.items()})
    counted = rows.filter(_among(rows, indicator)) if indicator.among else rows
    values = [f"_value_{k}" for k in told]
    sums = _added(indicator.sums(_row(counted, indicator)))
    made = engine.fetch(_grouped(counted, [*own, *values], {"n": counted.count(), **sums}))
    # Whole counts add up to the same in any order.
    made = _sorted(made, [*own, *values]) if sums else made
    finest = _finest(made.drop_columns(values), own)
    columns = {k: made[f"_value_{k}"].to_numpy(zero_copy_only=False) for k in told}
    return Finest(finest.keys, finest.numbers, columns)


def _sorted(found: pa.Table, keys: Sequence[str]) -> pa.Table:
    # No engine keeps an order of groups, and sums of fractions depend on it in their last digits.
    return found.sort_by([(k, "ascending") for k in keys]) if keys else found


def _finest(found: pa.Table, keys: Sequence[str]) -> Finest:
    codes = {}
    for key in keys:
        coded = found[key].combine_chunks().dictionary_encode()
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        labels = coded.dictionary.to_pylist()
        at = coded.indices.fill_null(len(labels)).to_numpy(zero_copy_only=False)
        codes[key] = Codes(at.astype(np.int64), (*labels, None))
    plain = [n for n in found.column_names if n not in keys and n[-1] not in (_WHOLE, _REST)]
    numbers = {n: _numbers(found[n]) for n in plain}
    for name in (n[:-1] for n in found.column_names if n.endswith(_WHOLE)):
        both = (found[name + sign].to_pylist() for sign in (_WHOLE, _REST))
        numbers[name] = np.array([(int(w or 0) * _FIXED + int(r or 0)) / _FIXED for w, r in zip(*both, strict=True)])
    return Finest(codes, numbers)


def _numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    if pa.types.is_floating(column.type):
        return np.asarray(column.fill_null(0.0).to_numpy(zero_copy_only=False), dtype=np.float64)
    whole = column.cast(pa.int64(), safe=False).fill_null(0)
    return np.asarray(whole.to_numpy(zero_copy_only=False), dtype=np.int64)
