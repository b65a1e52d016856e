"""Layouts: where the table is in a workbook or a document, guessed for a draft and told, so that a person can look."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from metroon.collect.deliveries import Unreadable
from metroon.collect.objects import JsonError, parse
from metroon.collect.sheets import Book

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from metroon.collect.sheets import Sheet

_HEADED = 0.6
"""Share of a table's columns that its header names at least."""
_SEARCHED = 20
"""Rows and levels that are searched for a header, and for a list of records."""
_ENDS = ("total", "grand total", "source", "note", "sum", "* ")
"""What the first cell below a table begins with when it is no record."""
_RECORDS = ("records", "features", "results", "rows", "data", "items", "value")
"""What the list of records is called; beside it documents list their own columns."""


@dataclass(frozen=True)
class Layout:
    """Where a table is.

    Args:
        kind: The collect kind that reads it.
        options: That kind's options, where they differ from its defaults.
        notes: What was chosen, in words.
    """

    kind: str
    options: Mapping[str, str | int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def workbook(file: Path) -> Layout:
    """The sheet with the largest table of a workbook, the first of them, with its header and footer.

    Raises:
        Unreadable: It is no whole workbook, or no sheet of it holds a table.
    """
    book = Book(file)
    sheets = [s for s in map(book.sheet, book.names) if not s.is_hidden]
    filled = {s.name: sum(c != "" for row in s.rows for c in row) for s in sheets}
    most = max(filled.values(), default=0)
    if not most:
        raise Unreadable("no sheet of the workbook holds anything.", "Ask the department to send it again.")
    sheet = next(s for s in sheets if 2 * filled[s.name] >= most)
    options: dict[str, str | int] = {}
    notes: list[str] = []
    if len(book.names) > 1:
        options["sheet"] = sheet.name
        notes.append(
            f"Sheet '{sheet.name}' is read, one of {len(book.names)}; sheet: names another, or several with *."
        )
    first, last = _header(sheet)
    if first:
        options["skip"] = first
        notes.append(f"{first} row{'s' * (first != 1)} above the header {'are' if first != 1 else 'is'} left out.")
    if last > first:
        options["header_rows"] = last - first + 1
        notes.append(f"The header has {last - first + 1} rows: their words are joined.")
    if footer := _footer(sheet, last):
        options["footer"] = footer
        notes.append("The row that begins the footer ends the records: it and what follows are left out.")
    return Layout("excel", options, tuple(notes))


def document(file: Path) -> Layout:
    """Whether a JSON document is a map, and else where its list of records is: one that is called so, or the longest.

    Raises:
        Unreadable: It is no JSON, or holds no list of records.
    """
    try:
        found = parse(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        why = "the file is not UTF-8 text, as all JSON is."
        raise Unreadable(why, "Ask the department to send it as UTF-8.") from None
    except JsonError as fault:
        raise Unreadable(f"the file cannot be read: {fault}.", "Ask the department to send it again.") from None
    if isinstance(found, dict) and found.get("type") == "FeatureCollection":
        return Layout("geofile")
    lists = {path: n for path, n in _lists(found) if n}
    if not lists:
        raise Unreadable("the document holds no list of records.", "Ask the department for one object for each record.")
    rows = max(lists, key=lambda path: (path.rpartition(".")[2] in _RECORDS, lists[path], -len(path)))
    if not rows:
        return Layout("json")
    return Layout("json", {"rows": rows}, (f"The records are taken from '{rows}'; rows: names another list.",))


def _header(sheet: Sheet) -> tuple[int, int]:
    """The first and the last row of the header."""
    width = max(
        len(row) - list(reversed(row)).index(next(c for c in reversed(row) if c != "")) for row in _filled(sheet)
    )
    for number, row in enumerate(sheet.rows[:_SEARCHED]):
        cells = [c for c in row if c != ""]
        is_full = len(cells) >= _HEADED * width and all(isinstance(c, str) for c in cells)
        if is_full and not _groups(sheet, number):
            above = takewhile(lambda n: _groups(sheet, n), range(number - 1, -1, -1))
            return number - sum(1 for _ in above), number
    first = next(n for n, row in enumerate(sheet.rows) if any(c != "" for c in row))
    return first, first


def _groups(sheet: Sheet, number: int) -> bool:
    """Whether a row above a header groups its columns: a merged cell there covers some of them, not all."""
    width = len(sheet.rows[number])
    spans = [b[1] - a[1] + 1 for a, b in sheet.merged if a[0] <= number <= b[0]]
    return any(1 < span < width for span in spans)


def _filled(sheet: Sheet) -> Iterator[Sequence[object]]:
    return (row for row in sheet.rows if any(c != "" for c in row))


def _footer(sheet: Sheet, header: int) -> str:
    """The first cell of a row near the end that is no record; empty when there is none."""
    for row in [r for r in sheet.rows[header + 1 :] if any(c != "" for c in r)][-_SEARCHED:]:
        first = next(c for c in row if c != "")
        text = str(first).strip()
        if isinstance(first, str) and text.casefold().startswith(_ENDS) and len(text) < 200:
            return text
    return ""


def _lists(found: object, path: str = "", depth: int = 0) -> Iterator[tuple[str, int]]:
    """Lists of objects in a document -> how many objects."""
    if isinstance(found, list):
        yield path, sum(isinstance(item, dict) for item in found)
    elif isinstance(found, dict) and depth < _SEARCHED:
        for name, value in found.items():
            if name and "." not in name:
                yield from _lists(value, f"{path}.{name}" if path else str(name), depth + 1)
