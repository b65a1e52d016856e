"""The workbook: rows as an Excel file that brings its dictionary, its caveats and its citation along."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import shapely
import xlsxwriter

from metroon.serve.encoders import Stream, finite, geometries, named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.base.catalog import Column

EXCEL_ROWS = 1_048_576
"""Lines of one sheet, with its header."""
EXCEL_LETTERS = 32_767
"""Letters of one cell."""


@dataclass(frozen=True)
class Beside:
    """What a workbook says beside its rows.

    Args:
        title: What people call it.
        columns: What its columns mean.
        caveats: (What, words), each a line.
        citation: (What, words), each a line.
        created: The day that the file bears.
    """

    title: str
    columns: tuple[Column, ...]
    caveats: tuple[tuple[str, str], ...]
    citation: tuple[tuple[str, str], ...]
    created: date


def xlsx_bytes(rows: Stream, beside: Beside) -> Generator[bytes, None, None]:
    """An Excel workbook with the sheets Data, Dictionary, Caveats and Citation; written to disk first, row by row."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/rows.xlsx"
        options = {"constant_memory": True, "tmpdir": folder, "default_date_format": "yyyy-mm-dd"}
        with xlsxwriter.Workbook(path, options) as book:
            book.set_properties({"title": beside.title, "created": datetime.combine(beside.created, time())})
            cut = _data_sheet(book, rows)
            names = {c.name: c for c in beside.columns}
            known = [names[n] for n in rows.schema.names if n in names]
            told = [(c.name, c.title, c.description, c.type, c.protection or "Leaves as it is.") for c in known]
            _text_sheet(book, "Dictionary", ("Column", "Title", "Meaning", "Type", "Protection of people"), told)
            _text_sheet(book, "Caveats", ("What", "Words"), [*beside.caveats, *cut])
            _text_sheet(book, "Citation", ("What", "Words"), beside.citation)
        with open(path, "rb") as made:
            while part := made.read(1 << 18):
                yield part


def _data_sheet(book: Any, rows: Stream) -> list[tuple[str, str]]:
    """Write the rows; what did not fit, in words."""
    sheet = book.add_worksheet("Data")
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    for at, name in enumerate(rows.schema.names):
        sheet.write_string(0, at, name, bold)
        sheet.set_column(at, at, min(40, max(12, len(name) + 2)))
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    written = cut = 0
    for batch in rows.batches:
        columns = [_cells(c, is_shape=n == rows.geometry) for n, c in named(batch)]
        for row in zip(*columns, strict=True):
            written += 1
            if written == EXCEL_ROWS:
                return [("Rows left out", _LEFT_OUT), *_cut(cut)]
            cut += sum(
                _write(sheet, written, at, v, day=day, moment=moment) for at, v in enumerate(row) if v is not None
            )
    return _cut(cut)


_LEFT_OUT = f"A sheet holds {EXCEL_ROWS - 1:,} rows and there are more: fetch the .csv or the .parquet for all of them."


def _write(sheet: Any, row: int, at: int, value: Any, *, day: Any, moment: Any) -> bool:
    """Write a cell; whether it had to be cut. Texts are never taken for formulas or links."""
    if isinstance(value, str):
        sheet.write_string(row, at, value[:EXCEL_LETTERS])
        return len(value) > EXCEL_LETTERS
    if isinstance(value, bool):
        sheet.write_boolean(row, at, value)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, at, value.replace(tzinfo=None), moment)
    elif isinstance(value, date):
        sheet.write_datetime(row, at, value, day)
    else:
        sheet.write_number(row, at, value)
    return False


def _cut(cells: int) -> list[tuple[str, str]]:
    words = f"{cells:,} cells were longer than {EXCEL_LETTERS:,} letters and end there: fetch the .csv for all of them."
    return [("Long texts", words)] if cells else []


def _cells(column: pa.Array, *, is_shape: bool) -> list[Any]:
    if is_shape or pa.types.is_binary(column.type):
        return list(shapely.to_wkt(geometries(column), rounding_precision=7))
    if pa.types.is_floating(column.type):
        column = finite(column)
    return [_cell(v) for v in column.to_pylist()]


def _cell(value: Any) -> Any:
    """A value as Excel has it: whole numbers that it would round are texts, and so are days before its calendar."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return str(value)
    if isinstance(value, date) and value.year < 1901:
        return value.isoformat()
    return value


def _text_sheet(book: Any, name: str, head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> None:
    sheet = book.add_worksheet(name)
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    for at, word in enumerate(head):
        sheet.set_column(at, at, 20 if at < len(head) - 1 else 90)
        sheet.write_string(0, at, word, bold)
    for row, line in enumerate(lines, 1):
        for at, word in enumerate(line):
            sheet.write_string(row, at, word[:EXCEL_LETTERS], wrap)
