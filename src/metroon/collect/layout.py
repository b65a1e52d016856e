"""Layouts: where the table is in a workbook or a document, guessed for a draft and told, so that a person can look."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from metroon.collect.deliveries import Unreadable
from metroon.collect.objects import JsonError, one_page, parse
from metroon.collect.sheets import Book

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from metroon.collect.sheets import Sheet

_HEADED = 0.6
"""Share of a table's columns that its header names at least."""
_SEARCHED = 20
"""Rows and levels that are searched for a header, and for a list of records."""
SUMS = re.compile(r"(grand |sub-?)?totals?\b|sums?\b", re.IGNORECASE)
"""What the first cell of a row of sums begins with."""
_NOTES = re.compile(r"(data )?sources?\b|(foot)?notes?\b|\* ", re.IGNORECASE)
"""What the first cell of a note below a table begins with."""
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
    end = next((n for n in range(last + 1, len(sheet.rows)) if _begins(sheet.rows[n]) == footer), len(sheet.rows))
    inside = [m for m in sheet.merged if last < m[0][0] and m[1][0] < end]
    if inside and all(first[1] == second[1] for first, second in inside):
        options["merged"] = "every"
        notes.append("Cells are merged downwards among the records: every one of their rows gets the value.")
    if n := _apart(sheet.rows[last + 1 : end]):
        rows = "row stands" if n == 1 else "rows stand"
        notes.append(f"{n:,} {rows} below a blank one and count as records: look whether they belong to the table.")
    return Layout("excel", options, tuple(notes))


def _begins(row: Sequence[object]) -> str:
    return next((str(c).strip() for c in row if c != ""), "") or " "


def _apart(rows: Sequence[Sequence[object]]) -> int:
    """How many rows that are not blank come after one that is."""
    is_blank = [all(c == "" for c in row) for row in rows]
    begun = next((n for n, blank in enumerate(is_blank) if not blank), len(rows))
    gap = next((n for n in range(begun, len(rows)) if is_blank[n]), len(rows))
    return is_blank[gap:].count(False)


_OF_ARCGIS = (
    "It is what an ArcGIS server answered, with times as numbers and shapes left out: better add the layer itself, by "
    "its address .../FeatureServer/0."
)


def document(file: Path) -> Layout:
    """Whether a JSON document is a map, and else where its list of records is: one that is called so, or the longest.

    Raises:
        Unreadable: It is no JSON, or holds no list of records.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        found = parse(text)
    except UnicodeDecodeError:
        why = "the file is not UTF-8 text, as all JSON is."
        raise Unreadable(why, "Ask the department to send it as UTF-8.") from None
    except JsonError as fault:
        if _is_object(text.partition("\n")[0]):
            fix = "Give its name the ending .ndjson, and add it as that."
            raise Unreadable("the file has one document on each line.", fix) from None
        raise Unreadable(f"the file cannot be read: {fault}.", "Ask the department to send it again.") from None
    if isinstance(found, dict) and found.get("type") == "FeatureCollection":
        return Layout("geofile")
    lists = {path: n for path, n in _lists(found, dict) if n}
    if not lists:
        raise Unreadable("the document holds no list of records.", "Ask the department for one object for each record.")
    rows = max(lists, key=lambda path: (_is_records(path), lists[path], -len(path)))
    bare = {path: n for path, n in _lists(found, list) if n and _is_records(path)}
    if bare and not _is_records(rows):
        why = f"the records at '{max(bare, key=lambda path: bare[path])}' are lists without names."
        raise Unreadable(why, "Ask for one object for each record; a portal gives them over its own kind of source.")
    notes = [f"The records are taken from '{rows}'; rows: names another list."] if rows else []
    notes += [f"{told[0].upper()}{told[1:]}." for told in one_page(found, rows, lists[rows])]
    if isinstance(found, dict) and rows == "features" and "attributes" in found[rows][0]:
        notes.append(_OF_ARCGIS)
    return Layout("json", {"rows": rows} if rows else {}, tuple(notes))


def _is_object(text: str) -> bool:
    try:
        return isinstance(parse(text), dict)
    except JsonError:
        return False


def _is_records(path: str) -> bool:
    return path.rpartition(".")[2] in _RECORDS


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
    """The first cell of a row near the end that is no record; empty when there is none, or when others begin so."""
    below = [[c for c in row if c != ""] for row in sheet.rows[header + 1 :]]
    filled, width = [row for row in below if row], sum(c != "" for c in sheet.rows[header])
    begins = Counter(str(row[0]).strip() for row in filled)
    for row in filled[-_SEARCHED:]:
        text = str(row[0]).strip()
        if isinstance(row[0], str) and _is_end(text, row[1:], width) and len(text) < 200:
            return text if begins[text] == 1 else ""
    return ""


def _is_end(text: str, others: Sequence[object], width: int) -> bool:
    """Whether a row is a sum or a note below a table, and no record of something that is called so."""
    if found := SUMS.match(text):
        has_words = any(isinstance(c, str) and any(sign.isalpha() for sign in c) for c in others)
        return found.end() == len(text.rstrip(":. ")) or not has_words
    return bool(_NOTES.match(text)) and 2 * (1 + len(others)) <= max(width, 2)


def _lists(found: object, kind: type, path: str = "", depth: int = 0) -> Iterator[tuple[str, int]]:
    """Lists of objects, or of lists, in a document -> how many of them."""
    if isinstance(found, list):
        yield path, sum(isinstance(item, kind) for item in found)
    elif isinstance(found, dict) and depth < _SEARCHED:
        for name, value in found.items():
            if name and "." not in name:
                yield from _lists(value, kind, f"{path}.{name}" if path else str(name), depth + 1)
