"""Dialects: how a text file of unknown origin is written, found out from the file and not from its name.

A few ways of reading come from its first lines; the one that is proposed is the one whose sums come out over the whole.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from metroon.collect.deliveries import Unreadable
from metroon.collect.lines import JOINED, QUOTES, Text, in_utf8, marked, not_text, refuse_other

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DELIMITERS = (",", ";", "\t", "|")
_LINES = 200
_TITLES = 20
"""Lines that a header is looked for in."""
_ALIKE = 0.9
"""Share of the records that must have the same number of fields."""
_NUMBER = re.compile(r"[-+$]?[\d,]*\.?\d+%?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?")


@dataclass(frozen=True)
class Dialect:
    """How a delimited text file is written.

    Args:
        delimiter: The sign between fields.
        quote: The sign around fields that hold the delimiter; empty when quotes are signs like any other.
        encoding: The text encoding.
        second_header: Whether the line below the header is a second header (its words, or units).
        lines: What becomes of each physical line -> how many.
        joinable: Lines that are plainly parts of records that were cut: with ``cut: join`` they would be whole.
        in_utf8: Lines in UTF-8 in a file that is else in an encoding with one byte for each sign.
        skip: Lines above the header.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    second_header: bool = False
    lines: Mapping[str, int] = field(default_factory=dict)
    joinable: int = 0
    in_utf8: int = 0
    skip: int = 0

    def options(self) -> dict[str, str | int]:
        """What ``kind: csv`` must be told, beyond its defaults."""
        usual = Dialect()
        given: dict[str, str | int] = {"delimiter": self.delimiter, "quote": self.quote or "none"}
        given |= {"encoding": self.encoding, "skip": self.skip}
        return {k: v for k, v in given.items() if v != getattr(usual, k)}


@dataclass(frozen=True)
class _Sum:
    """What one way of reading makes of a whole file."""

    names: tuple[str, ...] = ()
    whole: int = 0
    records: int = 0
    needing: int = 0
    """Fields that only quotes can hold: a delimiter or a line break is in them."""
    lines: Mapping[str, int] = field(default_factory=dict)
    why_not: Unreadable | None = None

    @property
    def share(self) -> float:
        """Share of the records that are whole; of none, when they cannot even be told apart."""
        return 0.0 if self.why_not else 1.0 if not self.records else self.whole / self.records


def dialect(file: Path) -> Dialect:
    """How a text file is written: the way of reading it in which the sums come out, tried on the whole of it.

    Raises:
        Unreadable: It is no text, it is no table, it has no line of column names, or its sums do not come out.
    """
    encoding = _encoding(file)
    with file.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as handle:
        every = list(islice(handle, _LINES))
    skip = _above(every)
    lines = [line for line in every[skip:] if line.strip("\r\n")]
    if not any(line.strip() for line in lines):
        raise Unreadable("the file is empty.", "Ask the department to send it again.")
    ways = [_quoting(Text(file, encoding, sign, '"', skip=skip)) for sign in _delimiters(lines, file)]
    text, found = max(ways, key=lambda way: (way[1].share, len(way[1].names)))
    first = _records(lines, text.delimiter, text.quote)
    _refuse_without_header(first, found)
    _refuse_unsound(found)
    joined = _sum(replace(text, join=True)).lines if found.whole < found.records else {}
    foreign, has_second = in_utf8(file, encoding), _has_second_header([r for r in first if r != first[0]])
    joinable = joined.get(JOINED, 0)
    return Dialect(text.delimiter, text.quote, encoding, has_second, found.lines, joinable, foreign, skip)


def _above(lines: Sequence[str]) -> int:
    """How many lines stand above the header: titles and blank lines.

    A line with anything beyond its first field is no title, so that no record is taken for one; a header names every
    column, and in words.
    """
    told = {_title_lines([next(iter(_records([line], sign, '"')), []) for line in lines]) for sign in DELIMITERS}
    told -= {None}
    # Where one sign sees titles and another none, nobody knows.
    return (told.pop() or 0) if len(told) == 1 else 0


def _title_lines(every: Sequence[list[str]]) -> int | None:
    """How many of some lines, taken apart, stand above the header; None where they are no table."""
    widths = Counter(len(fields) for fields in every if fields)
    width, n = widths.most_common(1)[0] if widths else (0, 0)
    if width < 2 or 2 * n < widths.total():
        return None
    for number, fields in enumerate(every[:_TITLES]):
        named = [cell.strip() for cell in fields if cell.strip()]
        if any(cell.strip() for cell in fields[1:]):
            is_header = len(named) == len(fields) == width and not any(map(_is_value, named))
            return number if is_header and any(every[:number]) else 0
    return 0


def _quoting(text: Text) -> tuple[Text, _Sum]:
    """With quotes or without: the way in which more records of the whole file come out whole."""
    quoted = _sum(text)
    wrapped, bare = _quotes(text) if _has_quotes(text.file) else (0, 0)
    if not wrapped + bare:
        return text, quoted
    without = replace(text, quote="")
    plain = _sum(without)
    # Quotes around a field in most lines are how the file is written; a few broken ones are set aside.
    is_habit = wrapped >= plain.records / 2 and not quoted.why_not
    # Who writes quotes in fields as they are puts none around them: inches and nicknames, unless a field needs its own.
    is_nickname = plain.share == quoted.share and bool(bare) and not quoted.needing
    is_plain = plain.share > quoted.share or is_nickname
    return (without, plain) if is_plain and not is_habit else (text, quoted)


def _has_quotes(file: Path) -> bool:
    with file.open("rb") as handle:
        return any(b'"' in block for block in iter(partial(handle.read, 1 << 20), b""))


def _sum(text: Text) -> _Sum:
    told, whole, every, needing = Counter[str](), 0, 0, 0
    try:
        with text.table(told) as (names, found):
            for record in found:
                every += 1
                if record.fields is not None:
                    whole += 1
                    needing += any(text.delimiter in f or "\n" in f or "\r" in f for f in record.fields)
    except Unreadable as why:
        return _Sum(why_not=why)
    return _Sum(tuple(names), whole, every, needing, dict(told))


def _quotes(text: Text) -> tuple[int, int]:
    """How many fields stand wholly in quotes, and how many hold quotes in another way."""
    wrapped = bare = 0
    with replace(text, quote="").table(Counter()) as (_, found):
        for record in found:
            for cell in (record.fields or ()) if '"' in "".join(record.fields or ()) else ():
                inner = cell.strip()[1:-1].replace('""', "")
                is_wrapped = len(cell.strip()) > 1 and cell.strip()[0] == cell.strip()[-1] == '"' and '"' not in inner
                wrapped, bare = wrapped + is_wrapped, bare + ('"' in cell and not is_wrapped)
    return wrapped, bare


def _refuse_unsound(found: _Sum) -> None:
    if found.why_not:
        raise found.why_not
    if found.share < _ALIKE:
        sums = f"{found.whole:,} of {found.records:,} records have the {len(found.names)} fields of the header"
        what = f"the sums do not come out: {sums}."
        raise Unreadable(what, f"Ask for it with one delimiter throughout. {QUOTES}")


def _encoding(file: Path) -> str:
    """The first that the whole file can be read in."""
    if told := marked(file):
        return told
    refuse_other(file, "utf-8")
    for encoding in ("utf-8", "cp1252"):
        if _decodes(file, encoding):
            return encoding
    fix = "Ask which program wrote it and in which encoding, or have it saved as UTF-8."
    raise Unreadable(f"the file is neither UTF-8 nor Windows (cp1252) text.{not_text(file, 'cp1252')}", fix)


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


def _delimiters(lines: list[str], file: Path) -> list[str]:
    """The signs that divide the first lines into the same number of fields."""
    made = []
    for sign in DELIMITERS:
        for quote in ('"', ""):
            widths = Counter(len(r) for r in _records(lines, sign, quote))
            width, n = widths.most_common(1)[0]
            if n >= _ALIKE * sum(widths.values()) and width > 1:
                made.append(sign)
    if made:
        return list(dict.fromkeys(made))
    # One column is a table too, when its file says that it is one.
    if file.suffix.lower() == ".csv" and not any(sign in line for line in lines for sign in DELIMITERS):
        return [","]
    what = "no sign (comma, semicolon, tab or |) divides its lines into the same number of fields."
    raise Unreadable(what, "Check that it is a table, and delete lines above the header and below the table.")


def _records(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    csv.field_size_limit(1 << 26)
    quoting = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE, "quotechar": None}
    try:
        records = [r for r in csv.reader(lines, delimiter=delimiter, **quoting) if r]
    except csv.Error:
        return [[]]
    # A field in quotes may go on below the lines that were read.
    return records[:-1] if len(lines) == _LINES and len(records) > 1 else records


def _refuse_without_header(records: list[list[str]], found: _Sum) -> None:
    header, body = records[0], [r for r in records[1:] if r != records[0]]
    cells = [c.strip() for c in header]
    usual = Counter(len(r) for r in body).most_common(1)[0][0] if body else len(header)
    if len(header) != usual and found.share < _ALIKE:
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
    """Whether the first record below the header is words all over, where the records below it hold numbers."""
    if len(records) < 3:
        return False
    first, below = records[0], records[1:]
    if any(not cell.strip() or _is_value(cell.strip()) for cell in first):
        return False
    columns = [[r[i].strip() for r in below if i < len(r) and r[i].strip()] for i in range(len(first))]
    numeric = [c for c in columns if c and sum(map(_is_value, c)) > _ALIKE * len(c)]
    return bool(numeric)
