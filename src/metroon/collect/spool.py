"""Spools: rows on their way from a database into one Parquet file, typed by their values, on disk and not in memory."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Spool:
    """Rows on their way into one Parquet file, on disk and not in memory, as only this user may read them.

    A column takes the type of its values: truth value, whole number, number, bytes, else text. One whose values have
    several types becomes text.

    Args:
        folder: Where the files lie until they are done with.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[Path] = []
        self._schemas: list[pa.Schema] = []
        self._writer: pq.ParquetWriter | None = None
        self._opened = 0

    def __enter__(self) -> Spool:
        for left in self._folder.glob(".*.spool"):  # of a run that was cut off
            left.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        for file in self._folder.glob(".*.spool"):
            file.unlink()

    def begin(self, names: Sequence[str]) -> None:
        """Say what the columns are called."""
        self._names = list(names)
        self._kinds: list[pa.DataType] = [pa.null()] * len(self._names)
        self._open()

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write some rows."""
        columns = [_plain(column) for column in zip(*rows, strict=True)]
        kinds = [_common(known, _kind(values)) for known, values in zip(self._kinds, columns, strict=True)]
        if kinds != self._kinds:
            self._kinds = kinds
            self._close()
            self._open()
        arrays = [pa.array(_fitting(c, k), k) for c, k in zip(columns, self._kinds, strict=True)]
        self._to().write_table(pa.Table.from_arrays(arrays, schema=self._schemas[-1]))

    def drop_known(self, before: Sequence[Path], by: str) -> None:
        """Leave out the rows that were landed before just as they are."""
        self._close()
        new = {v for file in self._files for batch in _batches(file, [by]) for v in batch.column(0).to_pylist()}
        wanted = pa.array(sorted({str(v) for v in new}), pa.string())
        known: set[bytes] = set()
        for file in before:
            if by in pq.read_schema(file).names:
                for batch in _batches(file):
                    at = pc.is_in(batch.column(by).cast(pa.string()), wanted)
                    known.update(_row_hashes(batch.filter(at)))
        files, self._files, self._schemas = self._files, [], []
        self._open()
        for file in files:
            for batch in _batches(file):
                is_new = pa.array([h not in known for h in _row_hashes(batch)], pa.bool_())
                rows = pa.Table.from_batches([batch.filter(is_new)])
                self._to().write_table(_cast(rows, self._schemas[-1]))

    def finish(self) -> Path:
        """The whole file."""
        self._close()
        if len(self._files) > 1:
            files, self._files = self._files, []
            self._open()
            for file in files:
                for batch in _batches(file):
                    self._to().write_table(_cast(pa.Table.from_batches([batch]), self._schemas[-1]))
            self._close()
        with self._files[0].open("rb") as made:
            os.fsync(made.fileno())
        return self._files[0]

    def _to(self) -> pq.ParquetWriter:
        if self._writer is None:
            raise ValueError("nothing was begun")
        return self._writer

    def _open(self) -> None:
        kinds = [pa.string() if pa.types.is_null(k) else k for k in self._kinds]
        schema = pa.schema(list(zip(self._names, kinds, strict=True)))
        self._opened += 1
        file = self._folder / f".{self._opened}.spool"
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        self._files.append(file)
        self._schemas.append(schema)
        self._writer = pq.ParquetWriter(file, schema, compression="zstd")

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _batches(file: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(file) as opened:
        yield from opened.iter_batches(columns=columns)


def _row_hashes(rows: pa.RecordBatch) -> Iterator[bytes]:
    """One hash for each row, of its values and the names of its columns; types do not count."""
    names = sorted(rows.schema.names)
    columns = [rows.column(name).to_pylist() for name in names]
    for values in zip(*columns, strict=True):
        told = repr([(n, v if v is None else _as_text(v)) for n, v in zip(names, values, strict=True)])
        yield hashlib.sha256(told.encode()).digest()


def _plain(values: Sequence[Any]) -> list[Any]:
    """Values as Parquet holds them: what is no truth value, number or bytes becomes the text that says it."""
    return [v if v is None or type(v) in (bool, int, float, str, bytes) else _said(v) for v in values]


def _said(value: Any) -> str | bytes:
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


_KINDS = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string(), bytes: pa.binary()}


def _kind(values: Sequence[Any]) -> pa.DataType:
    made: pa.DataType = pa.null()
    for kind in {type(v) for v in values if v is not None}:
        made = _common(made, _KINDS[kind])
    is_long = pa.types.is_integer(made) and any(v is not None and not -(2**63) <= v < 2**63 for v in values)
    return pa.string() if is_long else made


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if pa.types.is_null(one) or one == other:
        return other
    return one if pa.types.is_null(other) else pa.string()


def _fitting(values: Sequence[Any], kind: pa.DataType) -> list[Any]:
    if not pa.types.is_string(kind):
        return list(values)
    return [v if v is None else _as_text(v) for v in values]


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)


def _cast(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [pa.array(_fitting(rows[f.name].to_pylist(), f.type), f.type) for f in schema]
    return pa.Table.from_arrays(columns, schema=schema)
