"""``kind: parquet``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from metroon.collect.deliveries import Unreadable, finish, gather, match
from metroon.collect.source import FileSource, Raw, Reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metroon.city.contract import Contract


class Parquet(FileSource):
    """Parquet files. Types come from the file and are held to the contract like text is.

    A row's line is its number in the file, from 1.
    """

    def read(self, reading: Reading) -> Raw:
        """Every row of every file."""
        return gather(self, reading, _file)

    def headers(self, file: Path) -> list[str]:
        """The names of the columns."""
        return list(_open(file, pq.read_schema).names)


def _file(file: Path, contract: Contract) -> tuple[pa.Table, list[str]]:
    # Not read_table: it would take a folder's name such as year=2020 for a column.
    table = _open(file, _whole)
    try:
        places, unnamed = match(table.column_names, contract)
    except Unreadable as fault:
        raise Unreadable(str(fault), fault.fix, table.num_rows) from None
    columns = {name: _plain(table.column(i)) for name, i in places.items()}
    return finish(columns, range(1, table.num_rows + 1), [None] * table.num_rows), unnamed


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
