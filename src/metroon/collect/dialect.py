"""Dialects: how a text file of unknown origin is written, found out from the file and not from its name."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from metroon.collect.deliveries import Unreadable

if TYPE_CHECKING:
    from pathlib import Path

DELIMITERS = (",", ";", "\t", "|")
_LINES = 200
_ALIKE = 0.9
"""Share of the first records that must have the same number of fields."""
_NO_QUOTE = "\x1f"
"""Declared as the quote of a file where quotes are inches and nicknames: a sign that no file holds."""
_NUMBER = re.compile(r"[-+$]?[\d,]*\.?\d+%?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?")


@dataclass(frozen=True)
class Dialect:
    """How a delimited text file is written.

    Args:
        delimiter: The sign between fields.
        quote: The sign around fields that hold the delimiter.
        encoding: The text encoding.
        second_header: Whether the line below the header is a second header (its words, or units).
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    second_header: bool = False

    def options(self) -> dict[str, str]:
        """What ``kind: csv`` must be told, beyond its defaults."""
        usual = Dialect()
        given = {"delimiter": self.delimiter, "quote": self.quote, "encoding": self.encoding}
        return {k: v for k, v in given.items() if v != getattr(usual, k)}


def dialect(file: Path) -> Dialect:
    """How a text file is written.

    Raises:
        Unreadable: It is no text, it is no table, or it has no line of column names.
    """
    encoding = _encoding(file)
    with file.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as handle:
        lines = list(islice(handle, _LINES))
    if not any(line.strip() for line in lines):
        raise Unreadable("the file is empty.", "Ask the department to send it again.")
    delimiter = _delimiter(lines, file)
    quote = min('"', _NO_QUOTE, key=lambda sign: _ragged(lines, delimiter, sign))
    records = _records(lines, delimiter, quote)
    _refuse_without_header(records)
    return Dialect(delimiter, quote, encoding, _has_second_header(records))


def _encoding(file: Path) -> str:
    """The first that the whole file can be read in."""
    with file.open("rb") as handle:
        start = handle.read(4096)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start or start.startswith((b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")):
        fix = "Open it in the program it comes from and save it as CSV (UTF-8)."
        raise Unreadable("the file is no text, whatever its name ends in.", fix)
    for encoding in ("utf-8", "cp1252"):
        if _decodes(file, encoding):
            return encoding
    fix = "Ask which program wrote it and in which encoding, or have it saved as UTF-8."
    raise Unreadable("the file is neither UTF-8 nor Windows (cp1252) text.", fix)


def _decodes(file: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with file.open("rb") as handle:
            while block := handle.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(lines: list[str], file: Path) -> str:
    best, most = "", 1
    for sign in DELIMITERS:
        widths = Counter(len(r) for r in _records(lines, sign, '"'))
        width, n = widths.most_common(1)[0]
        if n >= _ALIKE * sum(widths.values()) and width > most:
            best, most = sign, width
    if best:
        return best
    # One column is a table too, when its file says that it is one.
    if file.suffix.lower() == ".csv" and not any(sign in line for line in lines for sign in DELIMITERS):
        return ","
    what = "no sign (comma, semicolon, tab or |) divides its lines into the same number of fields."
    raise Unreadable(what, "Check that it is a table, and delete lines above the header and below the table.")


def _records(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    csv.field_size_limit(1 << 26)
    try:
        records = [r for r in csv.reader(lines, delimiter=delimiter, quotechar=quote) if r]
    except csv.Error:
        return [[]]
    # A field in quotes may go on below the lines that were read.
    return records[:-1] if len(lines) == _LINES and len(records) > 1 else records


def _ragged(lines: list[str], delimiter: str, quote: str) -> int:
    """How many records have not the usual number of fields."""
    widths = Counter(len(r) for r in _records(lines, delimiter, quote))
    return sum(widths.values()) - max(widths.values())


def _refuse_without_header(records: list[list[str]]) -> None:
    header, body = records[0], records[1:]
    cells = [c.strip() for c in header]
    usual = Counter(len(r) for r in body).most_common(1)[0][0] if body else len(header)
    if len(header) != usual:
        what = f"the first line has {len(header)} fields and the lines below have {usual}."
        fix = "Delete lines above the line of column names, and give every column a name there."
        raise Unreadable(what, fix)
    # Years are the names of columns in many tables of figures.
    values = [c for c in cells if _is_value(c) and not re.fullmatch(r"(19|20)\d\d", c)]
    repeated = [i for i, c in enumerate(cells) if c and any(i < len(r) and r[i].strip() == c for r in body)]
    if len(values) >= len(cells) / 4 or not any(cells) or len(repeated) > len(cells) / 3:
        what = "the first line looks like data: there is no line of column names."
        fix = "Add a first line with a name for each column, as the file's own documentation gives them."
        raise Unreadable(what, fix)


def _is_value(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def _has_second_header(records: list[list[str]]) -> bool:
    """Whether the first record is words all over, where the records below it hold numbers."""
    if len(records) < 4:
        return False
    first, below = records[1], records[2:]
    if any(not cell.strip() or _is_value(cell.strip()) for cell in first):
        return False
    columns = [[r[i].strip() for r in below if i < len(r) and r[i].strip()] for i in range(len(first))]
    numeric = [c for c in columns if c and sum(map(_is_value, c)) > _ALIKE * len(c)]
    return bool(numeric)
