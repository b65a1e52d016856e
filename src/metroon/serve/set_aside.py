"""Set-aside rows for the steward: a private spreadsheet with what stands in each of them.

It holds people's data. It goes to a file that only its owner may read, and through no other door.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xlsxwriter

from metroon.serve.terminal.rows import rows_csv, rows_json
from metroon.serve.workbook import EXCEL_LETTERS, EXCEL_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

FILE, LINE, REASON, TEXT = "file", "line", "reason", "what stands there"
"""The first columns; those of the contract follow."""
_WARNING = (
    "This file holds rows as they were delivered, personal data among them. Only those may have it who may work with "
    "the department's own files. It is for sending corrections back: delete it when that is done."
)
_HOW = (
    "Each line of the sheets that follow is one record that is not in the table. The line is the one it begins at in "
    "the delivered file, counted from 1 with the header. Where a record is whole, its values stand in the columns of "
    "the contract; where it is none, all of it stands in one cell."
)


@dataclass(frozen=True)
class SetAside:
    """The rows that one version of a product set aside.

    Args:
        product: Its name.
        title: What people call it.
        version: The version.
        on: The day of the spreadsheet.
        columns: The contract's columns.
        rows: File, line, reason, and what stands there: the text of a record that is no whole one, the values as JSON
            of one that a rule set aside, or nothing where it was not kept.
    """

    product: str
    title: str
    version: int
    on: date
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]

    def listed(self) -> Iterator[dict[str, Any]]:
        """Each row with its values in columns of their own."""
        for row in self.rows:
            record = row.get("_record")
            values = self._values(record)
            told = {FILE: row["_file"], LINE: row["_line"], REASON: row["_reason"], TEXT: None if values else record}
            yield {**told, **{name: values.get(name) for name in self.columns if name not in told}}

    def _values(self, record: str | None) -> Mapping[str, Any]:
        if not record or not record.startswith("{"):
            return {}
        try:
            values = json.loads(record)
        except ValueError:
            return {}
        # A line of a delivery may itself be JSON: then it is shown as it came.
        is_ours = isinstance(values, dict) and set(values) <= set(self.columns)
        return (
            {k: v if v is None or isinstance(v, str) else json.dumps(v) for k, v in values.items()} if is_ours else {}
        )

    def sums(self) -> list[tuple[str, str, int]]:
        """(File, reason, rows), the most frequent reason of each file first."""
        counts = Counter((str(r["_file"]), str(r["_reason"])) for r in self.rows)
        return [(*key, n) for key, n in sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))]


def set_aside_bytes(aside: SetAside, kind: str) -> bytes:
    """The rows as a file, with what stands in them.

    Args:
        aside: The rows.
        kind: ``xlsx``, ``csv`` or ``json``.
    """
    if kind == "xlsx":
        return _workbook(aside)
    rows = list(aside.listed())
    names = list(rows[0]) if rows else [FILE, LINE, REASON, TEXT, *aside.columns]
    return (rows_json(rows) if kind == "json" else rows_csv(rows, columns=names, for_spreadsheet=True)).encode()


def _workbook(aside: SetAside) -> bytes:
    out = io.BytesIO()
    # In memory: a temporary file would be one more copy of people's data.
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        first = book.add_worksheet("Read me first")
        cut = _rows(book, aside)
        _cover(book, first, aside, cut)
    return out.getvalue()


def _cover(book: Any, sheet: Any, aside: SetAside, cut: int) -> None:
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 1, 70)
    sheet.set_column(2, 2, 12)
    total = f"{len(aside.rows):,} rows of {aside.title or aside.product}, version {aside.version}, as of {aside.on}."
    told = [("Rows that were set aside", total), ("Personal data", _WARNING), ("How to read it", _HOW)]
    if cut:
        told.append(("Long texts", f"{cut:,} cells are longer than {EXCEL_LETTERS:,} letters and end there."))
    for at, (what, words) in enumerate(told):
        sheet.write_string(at, 0, what, bold)
        sheet.write_string(at, 1, words, wrap)
    _table(sheet, len(told) + 1, [("File", "Reason", "Rows"), *aside.sums(), ("", "All", len(aside.rows))], bold)


def _table(sheet: Any, at: int, lines: Iterable[Sequence[str | int]], bold: Any) -> None:
    for i, values in enumerate(lines):
        for column, value in enumerate(values):
            write = sheet.write_string if isinstance(value, str) else sheet.write_number
            write(at + i, column, value, *([bold] if i == 0 else []))


def _rows(book: Any, aside: SetAside) -> int:
    """Write the rows, on as many sheets as they need; how many cells had to be cut."""
    names = list(dict.fromkeys([FILE, LINE, REASON, TEXT, *aside.columns]))
    bold, cut, sheet = book.add_format({"bold": True}), 0, None
    for i, row in enumerate(aside.listed()):
        number, at = divmod(i, EXCEL_ROWS - 1)
        if at == 0:
            sheet = book.add_worksheet(f"Set aside {number + 1}" if number else "Set aside")
            sheet.freeze_panes(1, 3)
            for column, name in enumerate(names):
                sheet.write_string(0, column, name, bold)
                sheet.set_column(column, column, 40 if name in (REASON, TEXT) else 16)
        for column, name in enumerate(names):
            cut += _cell(sheet, at + 1, column, row.get(name))
    return cut


def _cell(sheet: Any, row: int, column: int, value: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, int):
        sheet.write_number(row, column, value)
        return False
    # As a string, whatever it begins with: what a stranger wrote into a form is never run as a formula.
    text = str(value)
    sheet.write_string(row, column, text[:EXCEL_LETTERS])
    return len(text) > EXCEL_LETTERS
