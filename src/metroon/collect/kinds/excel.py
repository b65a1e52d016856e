"""``kind: excel``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
from pydantic import Field

from metroon.base.node import did_you_mean
from metroon.collect.deliveries import Part, Unreadable, finish, gather_sections, headers, match
from metroon.collect.lines import ASIDE, BLANK, HEADER, RECORDS
from metroon.collect.objects import written
from metroon.collect.sheets import Book, Cell, Sheet
from metroon.collect.source import RECORD, FileSource, Raw, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from metroon.city.contract import Contract

_FOOTER = "footer"
_UNCALCULATED = "a formula of the row has no value: it was never calculated"
_LARGEST_WHOLE = 1e21
"""Above it a number stays as the program wrote it: nobody's id has so many digits."""


class Excel(FileSource):
    """Sheets of workbooks: .xlsx, .xlsm, .xls, .xlsb and .ods.

    Nothing is guessed: which sheet, which rows are the header, and where the footer begins is what is declared here.
    Formulas count with the value that the program kept; an error such as #N/A stays as that text, and is told;
    a row with a formula that was never calculated is set aside. Merged cells of the header belong to all their
    columns. Rows without any value are no records. A row's line is its number in the sheet. Hidden rows, columns
    and sheets are read like all others, and told. In .xls, .xlsb and .ods nobody can see from outside what is
    hidden, and a cell with an error looks empty: the account says so.

    Args:
        sheet: Its name, or a pattern with * such as 20*: each sheet is a delivery of its own, named book.xlsx#2024.
            A number counts from 1, unless a sheet has that number for its name. It may be left out when there is one.
        header_rows: Rows that make up the header; the words of a column are joined from top to bottom.
        skip: Rows above the header.
        footer: What comes after the records: a number of rows, or the text that the first of them begins with,
            such as Total.
        separator: What stands between the words of a header of several rows.
        merged: Whose the value of merged cells among the records is: of the first cell, or of every one.
        sheet_column: A header of your own choice: the column below it holds the name of the sheet.
    """

    sheet: str | int = ""
    header_rows: int = Field(1, ge=1, le=20)
    skip: int = Field(0, ge=0)
    footer: str | int = 0
    separator: str = " / "
    merged: Literal["first", "every"] = "first"
    sheet_column: str = ""

    def read(self, reading: Reading) -> Raw:
        """Every row of every sheet that is meant."""
        notes: list[str] = []
        rows: dict[str, dict[str, int]] = {}
        raw = gather_sections(self, reading, partial(self._sections, data=reading.data, notes=notes, rows=rows))
        deliveries = tuple(replace(d, lines=rows.get(d.file, d.lines)) for d in raw.deliveries)
        return replace(raw, deliveries=deliveries, notes=(*raw.notes, *notes))

    def headers(self, file: Path) -> list[str]:
        """The header of the first sheet that is meant."""
        book = Book(file)
        return self._table(book.sheet(self._chosen(book)[0])).headers

    def _sections(
        self, file: Path, *, data: Path, notes: list[str], rows: dict[str, dict[str, int]]
    ) -> dict[str, Part]:
        book = Book(file)
        chosen = self._chosen(book)
        is_pattern = isinstance(self.sheet, str) and self.sheet not in ("", *book.names)
        labels = {f"#{name}" if is_pattern else "": name for name in chosen}
        shown = file.relative_to(data).as_posix()

        def part(label: str) -> Part:
            told = rows.setdefault(shown + label, {})
            return partial(self._one, book=book, name=labels[label], notes=notes, told=told)

        return {label: part(label) for label in labels}

    def _one(
        self, file: Path, contract: Contract, *, book: Book, name: str, notes: list[str], told: dict[str, int]
    ) -> tuple[pa.Table, list[str]]:
        sheet = book.sheet(name)
        table = self._table(sheet)
        try:
            places, unnamed = match(table.headers, contract)
        except Unreadable as fault:
            raise Unreadable(str(fault), fault.fix, len(table.rows)) from None
        rejects = [_reject(sheet, row, places) for row in table.numbers]
        records = [None if r is None else _shown(c) for r, c in zip(rejects, table.rows, strict=True)]
        columns = {
            c: pa.nulls(0, pa.string())
            if not table.rows
            else _column([None if r else v[i] for v, r in zip(table.rows, rejects, strict=True)])
            for c, i in places.items()
        }
        told.update(_account(sheet, table, rejects))
        notes.extend(f"{file.name}, sheet {name}: {note}" for note in self._notes(sheet, table))
        made = finish(columns, [n + 1 for n in table.numbers], rejects)
        return made.append_column(RECORD, pa.array(records, pa.string())), unnamed

    def _chosen(self, book: Book) -> list[str]:
        asked = str(self.sheet)
        if asked in book.names:
            return [asked]
        if not asked and len(book.names) == 1:
            return book.names
        found = [n for n in book.names if fnmatchcase(n, asked)]
        if isinstance(self.sheet, int) and 0 < self.sheet <= len(book.names):
            found = [book.names[self.sheet - 1]]
        if found:
            return found
        if not asked:
            listed = ", ".join(f"'{n}'" for n in book.names[:12])
            why = f"the workbook has {len(book.names)} sheets, and nobody says which is meant."
            raise Unreadable(why, f"Write sheet: NAME in product.yaml. There are: {listed}.")
        raise Unreadable(f"the workbook has no sheet '{asked}'.", did_you_mean(asked, book.names))

    def _table(self, sheet: Sheet) -> _Table:
        first = self.skip + self.header_rows
        if len(sheet.rows) < first:
            why = f"the sheet '{sheet.name}' ends before the header: it has {len(sheet.rows)} rows."
            raise Unreadable(why, "Check skip: and header_rows: in product.yaml, or ask the department.")
        names = headers(_headers(sheet, range(self.skip, first), self.separator))
        filled = [n for n in range(first, len(sheet.rows)) if any(c != "" for c in sheet.rows[n])]
        last = self._last(sheet, filled)
        body = _spread(sheet, first, last) if self.merged == "every" else sheet.rows
        numbers = [n for n in filled if n < last]
        rows = [body[n] for n in numbers]
        if self.sheet_column:
            names, rows = [*names, self.sheet_column], [[*r, sheet.name] for r in rows]
        return _Table(names, numbers, rows, first, last, len([n for n in filled if n >= last]))

    def _last(self, sheet: Sheet, filled: Sequence[int]) -> int:
        """The row that the footer begins with."""
        if isinstance(self.footer, int):
            return filled[-self.footer] if 0 < self.footer <= len(filled) else len(sheet.rows) if not self.footer else 0
        firsts = {number: next(c for c in sheet.rows[number] if c != "") for number in filled}
        found = [number for number, first in firsts.items() if str(_text(first)).strip() == self.footer]
        if len(found) == 1:
            return found[0]
        if found:
            why = f"{len(found)} rows of the sheet '{sheet.name}' begin with '{self.footer}': which ends the records?"
            raise Unreadable(why, "Write footer: as the number of rows that come after the records.", len(filled))
        why = f"no row of the sheet '{sheet.name}' begins with '{self.footer}', which is declared to end the records."
        raise Unreadable(why, "Check footer: in product.yaml, or ask the department for a whole sheet.", len(filled))

    def _notes(self, sheet: Sheet, table: _Table) -> Iterator[str]:
        inside = [m for m in sheet.merged if m[1][0] >= table.first and m[0][0] < table.last]
        if inside:
            whose = "every one has the value" if self.merged == "every" else "only the first of each has the value"
            yield f"{_many(len(inside), 'group')} of merged cells among the records: {whose}"
        if sheet.is_hidden:
            yield "the sheet is hidden, and was read"
        if sheet.marks is None:
            yield "in this format hidden rows and errors of formulas cannot be seen"
            return
        hidden = len(sheet.marks.hidden_rows & set(table.numbers))
        if hidden or sheet.marks.hidden_columns:
            told = f"{_many(hidden, 'hidden row')} and {_many(len(sheet.marks.hidden_columns), 'hidden column')}"
            yield f"{told} were read like all others"
        errors = [at for at in sheet.marks.errors if at[0] in set(table.numbers)]
        if errors:
            lines = ", ".join(str(row + 1) for row in sorted({row for row, _ in errors})[:5])
            holds = "1 cell holds" if len(errors) == 1 else f"{len(errors)} cells hold"
            yield f"{holds} the error of a formula, such as #N/A (rows {lines})"


@dataclass(frozen=True)
class _Table:
    """The table on a sheet: its headers, its records with their row numbers, where they begin and end."""

    headers: list[str]
    numbers: list[int]
    rows: list[list[Cell]]
    first: int
    last: int
    footer: int


def _account(sheet: Sheet, table: _Table, rejects: Sequence[str | None]) -> dict[str, int]:
    """What became of each row of the sheet; the rows above the header are counted with it."""
    whole, records = rejects.count(None), len(table.rows)
    blank = len(sheet.rows) - table.first - records - table.footer
    parts = {HEADER: table.first, BLANK: blank, RECORDS: whole, ASIDE: records - whole, _FOOTER: table.footer}
    return {kind: n for kind, n in parts.items() if n}


def _headers(sheet: Sheet, rows: range, separator: str) -> list[str]:
    words = {(r, c): str(_text(v) or "") for r in rows for c, v in enumerate(sheet.rows[r])}
    for (top, left), (_, right) in sheet.merged:
        if top in rows:
            words |= {(top, c): words.get((top, left), "") for c in range(left, right + 1)}
    width = len(sheet.rows[rows[0]])
    told = [[" ".join(words.get((r, c), "").split()) for r in rows] for c in range(width)]
    return [separator.join(w for w in column if w) for column in told]


def _spread(sheet: Sheet, first: int, last: int) -> list[list[Cell]]:
    rows = list(sheet.rows)
    for (top, left), (bottom, right) in sheet.merged:
        if top < first or bottom >= last:
            continue
        for number in range(top, min(bottom, len(rows) - 1) + 1):
            row = list(rows[number])
            row[left : right + 1] = [sheet.rows[top][left]] * (min(right, len(row) - 1) - left + 1)
            rows[number] = row
    return rows


def _reject(sheet: Sheet, row: int, places: dict[str, int]) -> str | None:
    if sheet.marks is None or not sheet.marks.uncalculated:
        return None
    return _UNCALCULATED if any((row, i) in sheet.marks.uncalculated for i in places.values()) else None


def _column(cells: Sequence[Cell | None]) -> pa.Array:
    """Days and times as such where a column has nothing else; else everything as text, for the contract to type."""
    kinds = {type(c) for c in cells if c is not None and c != ""}
    if kinds == {date}:
        return pa.array([c or None for c in cells], pa.date32())
    if kinds and kinds <= {date, datetime}:
        moments = [datetime(c.year, c.month, c.day) if type(c) is date else c or None for c in cells]
        return pa.array(moments, pa.timestamp("us"))
    return pa.array([_text(c) for c in cells], pa.string())


def _text(cell: Cell | None) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        is_whole = cell.is_integer() and abs(cell) < _LARGEST_WHOLE
        return str(int(cell)) if is_whole else repr(cell)
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(cell)


def _many(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _shown(cells: Sequence[Cell]) -> str:
    return written([_text(c) for c in cells])
