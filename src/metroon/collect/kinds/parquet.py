"""``kind: parquet``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from metroon.collect.deliveries import AtOnce, Unreadable, finish, gather, match
from metroon.collect.source import LINE, FileSource, Raw, Reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metroon.base.engine import Engine
    from metroon.city.contract import Contract

_LARGE = 200_000
"""Rows from which on a file does not go through memory as a whole."""


class Parquet(FileSource):
    """Parquet files. Types come from the file and are held to the contract like text is.

    A row's line is its number in the file, from 1.
    """

    def read(self, reading: Reading) -> Raw:
        """Every row of every file."""
        return gather(self, reading, partial(_file, engine=reading.engine))

    def headers(self, file: Path) -> list[str]:
        """The names of the columns."""
        return list(_open(file, pq.read_schema).names)


def _file(file: Path, contract: Contract, *, engine: Engine) -> tuple[pa.Table | AtOnce, list[str]]:
    told = _open(file, pq.read_metadata)
    if told.num_rows >= _LARGE and (found := _at_once(file, contract, engine, told.num_rows)):
        return found
    # Not read_table: it would take a folder's name such as year=2020 for a column.
    table = _open(file, _whole)
    places, unnamed = _matched(table.column_names, contract, table.num_rows)
    columns = {name: _plain(table.column(i)) for name, i in places.items()}
    return finish(columns, range(1, table.num_rows + 1), [None] * table.num_rows), unnamed


def _matched(names: list[str], contract: Contract, rows: int) -> tuple[dict[str, int], list[str]]:
    try:
        return match(names, contract)
    except Unreadable as fault:
        raise Unreadable(str(fault), fault.fix, rows) from None


def _at_once(file: Path, contract: Contract, engine: Engine, records: int) -> tuple[AtOnce, list[str]] | None:
    """The rows of a large file, whose every page was looked at; None where the engine may see it otherwise."""
    schema = _open(file, pq.read_schema)
    places, unnamed = _matched(schema.names, contract, records)
    names = {name.casefold() for name in schema.names}
    if len(names) < len(schema.names) or names & {LINE, "file_row_number"} or not all(map(_is_simple, schema.types)):
        return None
    _open(file, _checked)
    rows = engine.parquet_file(file, line=LINE)
    rows = rows.select(**{name: rows[schema.names[i]] for name, i in places.items()}, **{LINE: LINE})
    return AtOnce(rows, records, {}, {}), unnamed


def _is_simple(kind: pa.DataType) -> bool:
    is_number = pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind)
    is_time = pa.types.is_date32(kind) or pa.types.is_timestamp(kind)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind)
    return bool(is_number or is_time or is_text)


def _checked(file: Path) -> None:
    with pq.ParquetFile(file, page_checksum_verification=True) as opened:
        for batch in opened.iter_batches():
            batch.validate(full=True)  # texts that are no UTF-8 among others


def _open(file: Path, read: Callable[[Path], Any]) -> Any:
    try:
        return read(file)
    except (pa.ArrowException, OSError):
        raise Unreadable("the file is no whole Parquet file.", "Ask the department to send it again.") from None


def _whole(file: Path) -> pa.Table:
    table = pq.ParquetFile(file, page_checksum_verification=True).read()
    table.validate(full=True)  # texts that are no UTF-8 among others
    return table


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
