"""Lines: the records of a delimited text, and the account of every physical line that they take.

A line ends with a line feed, a carriage return, or both; the last one may have no end. Each is part of the header,
blank, part of a record that is whole, of one that was joined, or of one that is none.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from metroon.collect.deliveries import Unreadable, headers

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

HEADER, BLANK, RECORDS, JOINED, ASIDE, REFUSED = "header", "blank", "records", "joined", "set aside", "refused"
"""What becomes of a physical line."""
BROKEN_QUOTES = "the quotes of the record are broken"
HEADER_AGAIN = "the header stands here again"
SWALLOWED = "a quote has swallowed line breaks between what look like whole records"
NOTHING = "no field of the record holds anything"
QUOTES = (
    "Ask the department to send it again with quotes doubled inside quotes, or declare quote: none in product.yaml "
    "if its quotes are signs like any other."
)
_MARK = "\ufeff"
_BLANKS = " \t\r\n\v\f"
_BLOCK = 1 << 20
_START = 4096
_NULS = 0.2
"""Share of zeros among the first bytes of what is no text; programs that pad fields with them write fewer."""
_OTHERS = (b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"PAR1", b"SQLite format 3\x00")
"""What zips and workbooks, PDFs, old workbooks, gzip, Parquet and SQLite files begin with."""
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_JSON = re.compile(rb'[\[\s]*\{\s*"[^"\n]*"\s*:')
_PAGE = re.compile(rb"\s*<(!doctype|html|head|body|\?xml)\b", re.IGNORECASE)
_BYTES = ("cp125", "iso8859", "mac", "cp437", "cp850", "latin")
"""How the names of encodings begin that have one byte for each sign, and so a sign for nearly each byte."""


class Record(NamedTuple):
    """One record of a text, whole or not.

    Args:
        line: The line that it begins at.
        fields: What stands between the delimiters; empty for a blank line, None when its quotes are broken.
        lines: Its physical lines with their ends.
    """

    line: int
    fields: list[str] | None
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it, as it stands in the file, without the end of its last line."""
        return "".join(self.lines).rstrip("\r\n")


class Judged(NamedTuple):
    """One record, and what is wrong with it.

    Args:
        line: The line that it begins at.
        fields: One for each column of the header; None when it is no whole record.
        reason: Why it is none; None when it is whole.
        text: What stands in the file, when it is no whole record.
    """

    line: int
    fields: list[str] | None
    reason: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Text:
    """A delimited text file, and how it is read.

    Args:
        file: Where it is.
        encoding: Its encoding; the mark that programs of Windows begin UTF-8 with is left out.
        delimiter: The sign between fields.
        quote: The sign around fields; empty when there is none.
        join: Whether lines that are plainly one record are joined.
        skip: Lines above the header; they are counted with it.
    """

    file: Path
    encoding: str
    delimiter: str
    quote: str
    join: bool = False
    skip: int = 0

    def header(self) -> list[str]:
        """The names of the columns.

        Raises:
            Unreadable: There is no line of them.
        """
        with self._records() as every:
            return headers(self._first(every, Counter()))

    @contextmanager
    def table(self, told: Counter[str]) -> Iterator[tuple[list[str], Iterator[Judged]]]:
        """The names of the columns, and every record below them.

        Args:
            told: Counts what becomes of each physical line, while the records are taken.

        Raises:
            Unreadable: It is no text of that encoding, it is empty, or its quotes are broken over several lines.
        """
        with self._records() as every:
            given = self._first(every, told)
            told[HEADER] += self.skip
            head = next(every, None)
            below = chain([head] if head else [], every)
            width = self._width(given, head)
            # A delimiter at the end of the header line names no column.
            names = headers(given[: min(width, len(given))])
            yield names, _judged(below, names, width=width, delimiter=self.delimiter, join=self.join, told=told)

    @contextmanager
    def _records(self) -> Iterator[Iterator[Record]]:
        encoding = "utf-8-sig" if codecs.lookup(self.encoding).name == "utf-8" else self.encoding
        try:
            with self.file.open(encoding=encoding, newline="") as handle:
                above = sum(1 for _ in islice(handle, self.skip))
                yield _records(handle, self.delimiter, self.quote, above)
        except UnicodeError:
            why = f"the file is not {self.encoding} text.{not_text(self.file, self.encoding)}"
            fix = f"Declare its encoding in product.yaml, such as encoding: {_likely(self.file)}."
            raise Unreadable(why, fix) from None

    def _first(self, every: Iterator[Record], told: Counter[str]) -> list[str]:
        for record in every:
            if record.fields is None:
                raise Unreadable("the quotes of the header are broken.", QUOTES)
            told[HEADER if record.fields else BLANK] += len(record.lines)
            if record.fields:
                return record.fields
        raise Unreadable("the file is empty.", "Ask the department to send it again.")

    def _width(self, header: Sequence[str], first: Record | None) -> int:
        """How many fields a whole record has; the file is read once more only where the first one is a field off."""
        off = len(first.fields or ()) - len(header) if first else 0
        if abs(off) != 1:
            return len(header)
        with self._records() as every:
            self._first(every, Counter())
            return _whole_width((r for r in every if r.fields), len(header), is_named=bool(header[-1].strip()))


def _records(handle: Iterable[str], delimiter: str, quote: str, above: int) -> Iterator[Record]:
    """Every record of a text, blank lines among them.

    Args:
        handle: Its lines with their ends.
        delimiter: The sign between fields.
        quote: The sign around fields; empty when there is none.
        above: How many lines stand above them.

    Raises:
        Unreadable: A quote that opens in one line is broken in another: nobody can tell how many records it swallowed.
    """
    taken: list[str] = []

    def feed() -> Iterator[str]:
        for line in handle:
            taken.append(line)
            yield line

    reader, begins = _reader(feed(), delimiter, quote), above + 1
    while True:
        fields: list[str] | None = None
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if len(taken) > 1:
                why = f"a quote that opens in the record of line {begins} is not closed as it should be."
                raise Unreadable(why, QUOTES) from None
        yield Record(begins, fields, tuple(taken))
        begins += len(taken)
        taken.clear()


def _reader(lines: Iterator[str], delimiter: str, quote: str) -> Reader:
    csv.field_size_limit(1 << 26)
    if not quote:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, quotechar=None, strict=True)
    return csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)


def _judged(
    given: Iterable[Record], header: Sequence[str], *, width: int, delimiter: str, join: bool, told: Counter[str]
) -> Iterator[Judged]:
    """Each record below the header, as it is kept or set aside; blank lines are counted and go.

    Args:
        given: The records below the header.
        header: The names of the columns.
        width: How many fields a whole record has: one for each name, and perhaps an empty one at the end.
        delimiter: The sign between fields.
        join: Whether lines that are plainly one record are joined.
        told: Counts what becomes of each physical line.
    """
    short: list[Record] = []
    for record in given:
        if record.fields and len(record.fields) < width:
            short.append(record)
            continue
        if short:
            yield from _pieces(short, len(header), width=width, join=join, told=told)
            short.clear()
        if record.fields == []:
            told[BLANK] += len(record.lines)
            continue
        reason = _fault(record, header, width, delimiter)
        told[ASIDE if reason else RECORDS] += len(record.lines)
        if reason or record.fields is None:
            yield Judged(record.line, None, reason, record.text)
        else:
            yield Judged(record.line, record.fields[: len(header)])
    yield from _pieces(short, len(header), width=width, join=join, told=told)


def ragged(columns: int) -> str:
    """What is wrong with a record that has another number of fields than the header has."""
    return f"the record does not have {columns} fields"


def _fault(record: Record, header: Sequence[str], width: int, delimiter: str) -> str | None:
    if record.fields is None:
        return BROKEN_QUOTES
    if len(record.fields) != width:
        return ragged(len(header))
    first = record.fields[0].strip()
    if (first in ("", header[0]) or first[0] == _MARK) and _is_header(record.fields, header):
        return HEADER_AGAIN
    if not first and width > 1 and not any(f.strip(_BLANKS) for f in record.fields):
        return NOTHING
    # Two quotes that stand alone make one field of all that lies between them, and one record of many.
    is_many = len(record.lines) > 1 and width > 2 and all(line.count(delimiter) == width - 1 for line in record.lines)
    return SWALLOWED if is_many else None


def _is_header(fields: Sequence[str], header: Sequence[str]) -> bool:
    """Whether a record is the header again, perhaps with the mark that the file it comes from began with."""
    try:
        return headers(fields[: len(header)]) == list(header)
    except Unreadable:
        return False


def _pieces(short: list[Record], columns: int, *, width: int, join: bool, told: Counter[str]) -> Iterator[Judged]:
    """Records with too few fields that follow each other: joined where they are plainly one, else set aside."""
    groups = _cut(short, width - 1)
    for group in groups or [[record] for record in short]:
        lines = sum(len(r.lines) for r in group)
        if groups and join:
            told[JOINED] += lines
            yield Judged(group[0].line, _joined(group)[:columns])
            continue
        told[ASIDE] += lines
        reason = f"one of {len(group)} lines of a record that is cut" if groups else ragged(columns)
        yield from (Judged(r.line, None, reason, r.text) for r in group)


def _cut(short: Sequence[Record], delimiters: int) -> list[list[Record]]:
    """The records that lines were before they were cut; empty when that can be told in no way, or in several.

    A line break inside a field adds no delimiter: the delimiters of the pieces add up to those of one record. A line
    without any could as well belong to the record before it, or to none.
    """
    groups: list[list[Record]] = []
    open_, left = list[Record](), 0
    for record in short:
        n = len(record.fields or ()) - 1
        if n == 0 and (not open_ or left + n == delimiters):
            return []
        open_, left = [*open_, record], left + n
        if left > delimiters:
            return []
        if left == delimiters:
            groups, open_, left = [*groups, open_], [], 0
    # What is left over could have begun earlier.
    return groups if not open_ and all(len(g) > 1 for g in groups) else []


def _joined(group: Sequence[Record]) -> list[str]:
    first, *rest = (list(record.fields or ()) for record in group)
    for fields in rest:
        # As if the line break had stood in quotes.
        first = [*first[:-1], f"{first[-1]}\n{fields[0]}", *fields[1:]]
    return first


def _whole_width(given: Iterable[Record], columns: int, *, is_named: bool) -> int:
    """How many fields a whole record has, where an empty one may stand at the end of each record, or of the header.

    Args:
        given: The records below the header.
        columns: The fields of the header.
        is_named: Whether the last of them has a name.

    Returns:
        One more than the header when each record ends with a delimiter and the header does not; one less when it is
        the other way around; else as many.
    """
    widths, has_last = Counter[int](), False
    for record in given:
        widths[len(record.fields or ())] += 1
        has_last = has_last or (len(record.fields or ()) == columns + 1 and bool((record.fields or [""])[-1].strip()))
    if widths[columns + 1] and not widths[columns] and not has_last:
        return columns + 1
    return columns - 1 if widths[columns - 1] and not widths[columns] and not is_named and columns > 1 else columns


def refuse_other(file: Path, encoding: str) -> None:
    """Refuse a file whose first bytes no table of text begins with.

    Raises:
        Unreadable: It is the file of another program, JSON, or a page of the web.
    """
    with file.open("rb") as raw:
        start = raw.read(_START)
    words = start.removeprefix(codecs.BOM_UTF8)
    if _JSON.match(words):
        fix = "Give its name the ending .json, or .ndjson when it has one object on each line, and collect it as such."
        raise Unreadable("the file holds JSON, whatever its name ends in.", fix)
    if _PAGE.match(words):
        fix = "Open it in a browser: it may say why there is no table, such as that somebody has to sign in."
        raise Unreadable("the file is a page of the web or XML, and no table.", fix)
    is_padded = has_byte_lines(encoding) and start.count(0) > _NULS * len(start)
    if start.startswith(_OTHERS) or (is_padded and not start.startswith(_UTF16)):
        fix = "Open it in the program it comes from and save it as CSV (UTF-8)."
        raise Unreadable("the file is no text, whatever its name ends in.", fix)


def has_byte_lines(encoding: str) -> bool:
    """Whether an encoding writes line ends as the single bytes 10 and 13, and nothing else with them."""
    return "\r\n".encode(encoding) == b"\r\n" and not codecs.lookup(encoding).name.startswith(
        ("utf-7", "hz", "iso2022")
    )


def count_lines(file: Path, encoding: str) -> int:
    """The physical lines of a file, counted from its bytes and not from what a parser makes of them.

    Raises:
        UnicodeError: It is no text of that encoding.
    """
    if not has_byte_lines(encoding):
        with file.open(encoding=encoding, newline="") as handle:
            return sum(1 for _ in handle)
    ends, last = 0, b""
    with file.open("rb") as raw:
        while block := raw.read(_BLOCK):
            ends += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
            ends -= last == b"\r" and block.startswith(b"\n")
            last = block[-1:]
    return ends + (last not in (b"", b"\n", b"\r"))


def not_text(file: Path, encoding: str) -> str:
    """How many lines of a file are no text of an encoding, and which is the first, in words."""
    if not has_byte_lines(encoding):
        return ""
    decode, wrong, n = codecs.getdecoder(encoding), list[int](), 0
    with file.open("rb") as raw:
        for n, line in enumerate(_byte_lines(raw), start=1):
            try:
                decode(line)
            except UnicodeError:
                wrong.append(n)
    return f" {len(wrong):,} of its {n:,} lines cannot be read; the first is line {wrong[0]:,}." if wrong else ""


def _byte_lines(raw: Iterable[bytes]) -> Iterator[bytes]:
    for line in raw:
        yield from line.splitlines()


def _likely(file: Path) -> str:
    return marked(file) or "cp1252"


def marked(file: Path) -> str:
    """The encoding that the first bytes of a file speak of; empty when they speak of none."""
    with file.open("rb") as handle:
        start = handle.read(4)
    # The shorter mark is what the longer one begins with.
    return "utf-32" if start.startswith(_UTF32) else "utf-16" if start.startswith(_UTF16) else ""


def in_utf8(file: Path, encoding: str) -> int:
    """How many lines of a text are UTF-8, though it is read in an encoding with one byte for each sign.

    Lines of which both make the same are not counted. What is UTF-8 by chance is no text in any language.
    """
    if not codecs.lookup(encoding).name.startswith(_BYTES):
        return 0
    with file.open("rb") as raw:
        return sum(1 for line in raw if not line.isascii() and _is_utf8(line))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
