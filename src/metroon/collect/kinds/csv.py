"""``kind: csv``."""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, field_validator, model_validator

from metroon.collect.deliveries import AtOnce, Unreadable, finish, gather, match
from metroon.collect.lines import (
    HEADER,
    JOINED,
    NOTHING,
    QUOTES,
    RECORDS,
    REFUSED,
    Judged,
    Text,
    count_lines,
    in_utf8,
    refuse_other,
)
from metroon.collect.plain import LARGE, plain
from metroon.collect.source import LINE, RECORD, REJECT, FileSource, Raw, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from metroon.city.contract import Contract

_BATCH = 50_000
_UNQUOTED = "none"


class Csv(FileSource):
    """Delimited text files with a header line.

    Nothing is guessed: the delimiter, the quote and the encoding are what is declared here. Every value stays
    text until the contract types it. Records whose number of fields is not the header's, whose quotes are
    broken, of which no field holds anything, or which are the header again, are set aside with their text and the
    number of the line that they begin at. When a broken quote has run over several lines, nobody can tell how many
    records it swallowed, and the file is refused; so is a file of which no record has the header's number of fields.
    Every physical line is accounted for.

    Args:
        delimiter: The sign between fields; a tab is written as backslash t in double quotes.
        quote: The sign around fields that hold the delimiter or a line break; none where quotes are signs like any
            other.
        encoding: Text encoding; files from older Windows programs are often cp1252.
        cut: What becomes of lines that are plainly one record, because the delimiters of all of them add up to those
            of one: they are set aside, or joined with the line break kept in the field that was cut.
        skip: Lines above the header, such as a title; they are counted with it.
    """

    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', pattern="^(.|none)$")
    encoding: str = "utf-8"
    cut: Literal["set aside", "join"] = "set aside"
    skip: int = Field(0, ge=0)

    @field_validator("delimiter", mode="before")
    @classmethod
    def _tab(cls, given: object) -> object:
        # Without double quotes YAML gives the backslash and the t.
        return "\t" if given == "\\t" else given

    @field_validator("encoding")
    @classmethod
    def _known(cls, given: str) -> str:
        try:
            "".encode(given)
        except LookupError:
            raise ValueError(f"there is no text encoding '{given}'. Fix: Write utf-8, cp1252 or utf-16.") from None
        return given

    @model_validator(mode="after")
    def _signs(self) -> Csv:
        if self.delimiter == self.quote or {self.delimiter, self.quote} & set("\r\n"):
            raise ValueError("delimiter and quote must differ. Fix: Write two signs, neither of them a line break.")
        return self

    @property
    def sign(self) -> str:
        """The sign around fields; empty when there is none."""
        return "" if self.quote == _UNQUOTED else self.quote

    def read(self, reading: Reading) -> Raw:
        """Every record of every file, as text."""
        told: dict[Path, Counter[str]] = {}
        raw = gather(self, reading, partial(self._file, told=told, reading=reading))
        foreign = {f: in_utf8(f, self.encoding) for f, n in told.items() if REFUSED not in n}
        lines = {f.relative_to(reading.data).as_posix(): n for f, n in told.items()}
        deliveries = tuple(replace(d, lines=dict(lines.get(d.file, d.lines))) for d in raw.deliveries)
        joined = sum(d.lines.get(JOINED, 0) for d in deliveries)
        notes = [f"{joined:,} lines of records that were cut are joined"] if joined else []
        notes += [_foreign(f.name, n, self.encoding) for f, n in foreign.items() if n]
        return replace(raw, deliveries=deliveries, notes=(*raw.notes, *notes))

    def headers(self, file: Path) -> list[str]:
        """The cells of the first line that is not blank."""
        return self._text(file).header()

    def _text(self, file: Path) -> Text:
        return Text(file, self.encoding, self.delimiter, self.sign, join=self.cut == "join", skip=self.skip)

    def _file(
        self, file: Path, contract: Contract, *, told: dict[Path, Counter[str]], reading: Reading
    ) -> tuple[pa.Table | AtOnce, list[str]]:
        if found := self._at_once(file, reading):
            return found
        lines = told[file] = Counter[str]()
        try:
            refuse_other(file, self.encoding)
            rows, unnamed = self._records(file, contract, lines)
            every = count_lines(file, self.encoding)
            if every != lines.total():
                why = f"the sum does not come out: the file has {every:,} lines, and its records {lines.total():,}."
                raise Unreadable(why, QUOTES, rows.num_rows)
        except Unreadable:
            told[file] = Counter(self._refused(file))
            raise
        return rows, unnamed

    def _at_once(self, file: Path, reading: Reading) -> tuple[AtOnce, list[str]] | None:
        """The rows of a large and plain file; None where records have to be read one by one."""
        is_utf8 = codecs.lookup(self.encoding).name == "utf-8"
        if not is_utf8 or self.skip or file.stat().st_size < LARGE:
            return None
        columns = {c.name: c for c in reading.contract.columns}
        # What the header calls a column is no number and no time: such a row is set aside, and looked at there.
        may_claim = reading.may_claim and any(c.type != "string" for c in columns.values())
        found = plain(reading.engine, file, delimiter=self.delimiter, quote=self.sign, may_claim=may_claim)
        if found is None:
            return None
        try:
            places, unnamed = match(found.names, reading.contract)
        except Unreadable:
            return None  # whoever counts its records tells it
        rows, nulled = (
            every.select(**{name: every[f"c{i}"] for name, i in places.items()}, **{LINE: LINE})
            for every in (found.rows, found.nulled)
        )
        header = {name: found.names[i] for name, i in places.items()} if found.is_claim else {}
        lines = {HEADER: 1, RECORDS: found.records}
        return AtOnce(rows, found.records, header, lines, nulled, found.is_bare), unnamed

    def _refused(self, file: Path) -> dict[str, int]:
        try:
            return {REFUSED: count_lines(file, self.encoding)}
        except UnicodeError:
            return {}  # without its encoding nobody knows what a line is

    def _records(self, file: Path, contract: Contract, lines: Counter[str]) -> tuple[pa.Table, list[str]]:
        with self._text(file).table(lines) as (names, found):
            try:
                places, unnamed = match(names, contract)
            except Unreadable as fault:
                raise Unreadable(str(fault), fault.fix, sum(1 for _ in found)) from None
            rows = pa.concat_tables([_batch(b, places) for b in _batches(found)])
        return _with_some_whole(rows, len(names)), unnamed


def _foreign(name: str, lines: int, encoding: str) -> str:
    told = f"{lines:,} lines are" if lines != 1 else "1 line is"
    return f"{name}: {told} UTF-8, not {encoding}: what is beyond plain letters there comes out wrong"


def _batches(found: Iterator[Judged]) -> Iterator[list[Judged]]:
    while batch := list(islice(found, _BATCH)):
        yield batch
    yield []  # a file without a record has columns too


def _batch(batch: Sequence[Judged], places: dict[str, int]) -> pa.Table:
    columns = {n: pa.array([j.fields[i] if j.fields else None for j in batch], pa.string()) for n, i in places.items()}
    rows = finish(columns, [j.line for j in batch], [j.reason for j in batch])
    return rows.append_column(RECORD, pa.array([j.text for j in batch], pa.string()))


def _with_some_whole(rows: pa.Table, width: int) -> pa.Table:
    if rows.num_rows > 1 and rows[RECORD].null_count == 0:
        if pc.all(pc.equal(rows[REJECT], NOTHING)).as_py():
            why = f"none of its {rows.num_rows:,} records holds anything."
            raise Unreadable(why, "Ask the department to send the file again.", rows.num_rows)
        why = f"none of its {rows.num_rows:,} records has the {width} fields of the header."
        raise Unreadable(why, "Check delimiter: and quote: in product.yaml, and the header line.", rows.num_rows)
    return rows
