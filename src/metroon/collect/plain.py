"""Plain texts: files in which every record is one line, read by the engine and believed because the sum proves it.

The engine's own reader is ten times as fast as reading record by record, and silent about what it passes over. So the
bytes are counted first: of a plain text, the lines are the records, and what the two readers see differently is not
there.
"""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial, reduce
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import ibis
import numpy as np

from metroon.base.engine import LONGEST_LINE, CannotRun
from metroon.base.spans import Span
from metroon.collect.deliveries import headers
from metroon.collect.source import LINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from ibis.expr.types import BooleanValue, IntegerValue
    from numpy.typing import NDArray

    from metroon.base.engine import Engine, Relation

    Bytes = NDArray[np.uint8]
    Positions = NDArray[np.intp]
    Flags = NDArray[np.bool_]

_BLOCK = 1 << 20
_LF, _CR, _TAB, _BLANK = 10, 13, 9, 32
_WIDEST = 300
LARGE = 1 << 20
"""Smaller files are read record by record as fast, in bytes."""
PART = 16 << 20


@dataclass(frozen=True)
class Plain:
    """A text of which every line but the first is one whole record.

    Args:
        names: The columns, as the first line names them.
        rows: The records in the order of their lines: columns ``c0``, ``c1`` ... as text, and ``_line``.
        records: How many there are.
        is_claim: Whether that is what the bytes say, and the engine has not counted yet.
        nulled: The same rows, with null where a field is empty.
        is_bare: Whether no field ends with a blank.
    """

    names: list[str]
    rows: Relation
    records: int
    nulled: Relation
    is_claim: bool = False
    is_bare: bool = False


@dataclass(frozen=True)
class _Counted:
    """What the bytes of a text say of its lines.

    Args:
        lines: How many lines there are.
        open_ends: How many delimiters stand at their ends, one after another.
        is_bare: Whether no field ends with a blank.
    """

    lines: int
    open_ends: int
    is_bare: bool


def plain(
    engine: Engine, file: Path, *, delimiter: str, quote: str, may_claim: bool = False, part: int = PART
) -> Plain | None:
    """The records of a text, read by the engine; None where it cannot be proved that each line is one record.

    Args:
        engine: The engine.
        file: A text in UTF-8.
        delimiter: The sign between fields.
        quote: The sign around fields; empty when there is none.
        may_claim: Whether the engine's count may come later, by whoever reads the rows; where it is another, or a
            record is the header again, all that is read was in vain.
        part: A text of more bytes than this is read in parts, several at once; their rows come in any order.

    Returns:
        What reading record by record gives, or nothing.

    Raises:
        OSError: The file cannot be read.
    """
    if not (delimiter + quote).isascii() or " " in delimiter + quote or "\\" in delimiter + quote:
        return None
    first, begins = _begins(file, engine.threads, part)
    counted = _counted(file, begins, delimiter, quote, b"\r\n" if first.endswith(b"\r\n") else b"\n", engine.threads)
    if not counted:
        return None
    lines, is_bare = sum(c.lines for c in counted), all(c.is_bare for c in counted)
    header, head = _fields(first.decode("utf-8-sig"), delimiter, quote), first.rstrip(b"\r\n")
    open_ends = sum(c.open_ends for c in counted) - len(head) + len(head.rstrip(delimiter.encode()))
    if lines < 2 or not 0 < len(header) <= _WIDEST or (len(header) == 1 and open_ends):
        return None
    width = len(header)
    spans = _spans(begins, counted, len(first))
    read = partial(engine.text_file, file, width, spans, delimiter=delimiter, quote=quote)
    every = read(line=LINE)
    nulled = read(line=LINE, is_nulled=True)
    if may_claim and not open_ends:
        return Plain(headers(header), every, lines - 1, nulled, is_claim=True, is_bare=is_bare)
    rows = read()
    told = {"n": rows.count(), "headers": _may_be_header(rows, header).sum()}
    told |= {"open_ends": _open_ends(rows, width).sum()} if open_ends else {}
    try:
        found = engine.rows(rows.aggregate(**told))[0]
    except CannotRun:
        return None
    # The engine passes over one delimiter too many at the end of a record: then the bytes have more than the fields.
    if (found["n"], found["headers"], found.get("open_ends", 0)) != (lines - 1, 0, open_ends):
        return None
    return Plain(headers(header), every, lines - 1, nulled, is_bare=is_bare)


def _fields(line: str, delimiter: str, quote: str) -> list[str]:
    quoting = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE, "quotechar": None}
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True, **quoting))
    except csv.Error:
        return []


def _open_ends(rows: Relation, width: int) -> IntegerValue:
    """How many delimiters a record ends with, one after another: its last empty fields that are not quoted."""
    found: IntegerValue = ibis.literal(0)
    for i in range(1, width):
        found = rows[f"c{i}"].isnull().ifelse(found + 1, 0)
    return found


def _may_be_header(rows: Relation, header: Sequence[str]) -> BooleanValue:
    """True for records that may be the header again: all of its names are in them."""
    named = [rows[f"c{i}"].contains(name.strip()) for i, name in enumerate(header) if name.strip()]
    return reduce(lambda a, b: a & b, named, ibis.literal(True)).fill_null(False)


def _begins(file: Path, threads: int, part: int) -> tuple[bytes, list[int]]:
    """The first line, and where each part of a text begins, and where the last one ends; parts are whole lines."""
    size = file.stat().st_size
    # Several for each thread: what waits for the disk makes room for another.
    n = max(1, min(4 * threads, size // part))
    with file.open("rb") as raw:
        first = raw.readline(LONGEST_LINE)
        begins = [0]
        for i in range(1, n):
            raw.seek(size * i // n)
            raw.readline(LONGEST_LINE)
            begins += [raw.tell()] if begins[-1] < raw.tell() < size else []
    return first, [*begins, size]


def _spans(begins: Sequence[int], counted: Sequence[_Counted], first: int) -> list[Span]:
    """The parts with the number of the first line of each, without the header; it has so many bytes."""
    lines = accumulate((c.lines for c in counted), initial=1)
    found = [Span(*at, line) for at, line in zip(pairwise(begins), lines, strict=False)]
    found[0] = Span(first, found[0].end, 2)
    return [span for span in found if span.begin < span.end]


def _counted(file: Path, begins: Sequence[int], delimiter: str, quote: str, end: bytes, threads: int) -> list[_Counted]:
    """The lines of each part of a text, counted from its bytes; nothing when it is not plain."""
    count = partial(_count, file, delimiter=delimiter, quote=quote, end=end)
    found: list[_Counted] = []
    with ThreadPoolExecutor(threads) as pool:
        for counted in pool.map(count, begins[:-1], begins[1:]):
            if counted is None:
                pool.shutdown(cancel_futures=True)
                return []
            found.append(counted)
    return found


def _count(file: Path, begin: int, stop: int, *, delimiter: str, quote: str, end: bytes) -> _Counted | None:
    """The lines of one part of a text, counted from its bytes; None when it is not plain."""
    with file.open("rb") as raw:
        raw.seek(begin)
        lines = open_ends = 0
        is_bare, nothing = delimiter != "\t", f"{delimiter}{quote} \t\v\f\r\n".encode()
        flags = np.empty((4, 0), bool)
        for block in _blocks(raw, stop):
            is_cut = not block.endswith(end)
            if is_cut and raw.read(1):
                return None  # a line too long
            given = np.frombuffer(block, np.uint8)
            # Made once: to get new memory for each block takes longer than to look at it.
            flags = flags if flags.shape[1] >= len(block) else np.empty((4, len(block)), bool)
            is_end, is_blank, is_quote, is_edge = flags[:, : len(block)]
            ends = np.flatnonzero(np.equal(given, _LF, out=is_end)) - len(end)
            ends = np.append(ends, len(block) - 1) if is_cut else ends
            if not _is_plain(block, given, ends, end) or _has_nothing(block, given, ends, end, nothing=nothing):
                return None  # a record without anything in it is set aside where records are read one by one
            np.equal(given, _BLANK, out=is_blank)
            if b"\t" in block:
                is_blank |= given == _TAB
            np.equal(given, ord(quote) if quote else 0, out=is_quote)
            if _has_quote_after_blanks(given, is_blank, is_quote, ord(delimiter)):
                return None  # there, one reader takes a quote for a sign like any other
            if is_bare:
                np.equal(given, ord(delimiter), out=is_edge)
                is_edge |= is_quote
                is_edge |= is_end
                is_edge |= given == _CR if end != b"\n" else False
                is_edge[1:] &= is_blank[:-1]
                is_bare = not (is_edge[1:].any() or (is_cut and is_blank[-1]) or b"\v" in block or b"\f" in block)
            lines += len(ends)
            open_ends += _at_ends(given, ends, ord(delimiter))
    return _Counted(lines, open_ends, is_bare)


def _at_ends(given: Bytes, ends: Positions, delimiter: int) -> int:
    """How many delimiters stand at the ends of lines, one after another."""
    found = 0
    while len(ends):
        ends = ends[(given[ends] == delimiter) & (ends >= 0)]
        found += len(ends)
        ends = ends - 1
    return found


def _is_plain(block: bytes, given: Bytes, ends: Positions, end: bytes) -> bool:
    """Whether it is UTF-8 without line ends of another kind and without blank lines."""
    if b"\0" in block or block.startswith(end) or (given[ends] == _LF).any():
        return False
    has_ends = block.count(b"\r") == block.count(end) == block.count(b"\n") if end == b"\r\n" else b"\r" not in block
    return has_ends and _is_utf8(block)


def _has_nothing(block: bytes, given: Bytes, ends: Positions, end: bytes, *, nothing: bytes) -> bool:
    """Whether one of the lines holds delimiters, quotes and blanks alone."""
    begins = np.append(0, ends[:-1] + len(end) + 1)
    is_nothing = np.zeros(256, bool)
    is_nothing[list(nothing)] = True
    # Of most lines, one of the two first or last signs is another.
    may = np.ones(len(ends), bool)
    for at in (begins, begins + 1, ends, ends - 1):
        may &= is_nothing[given[np.clip(at, 0, len(given) - 1)]]
    return any(not block[begin : end + 1].strip(nothing) for begin, end in zip(begins[may], ends[may], strict=True))


def _has_quote_after_blanks(given: Bytes, is_blank: Flags, is_quote: Flags, delimiter: int) -> bool:
    """Whether a quote follows blanks that stand where a field begins, or several of them."""
    at = np.flatnonzero(is_blank[:-1] & is_quote[1:])
    if not len(at):
        return False
    before = np.where(at == 0, _LF, given[at - 1])
    return bool(np.isin(before, (delimiter, _LF, _BLANK, _TAB)).any())


def _blocks(raw: BinaryIO, stop: int) -> Iterator[bytes]:
    """The bytes up to a place, in blocks of whole lines."""
    while (left := stop - raw.tell()) > 0:
        block = raw.read(min(_BLOCK, left))
        yield block if block.endswith(b"\n") else block + raw.readline(LONGEST_LINE)


def _is_utf8(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
