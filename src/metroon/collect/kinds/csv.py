"""``kind: csv``."""

from __future__ import annotations

import codecs
import csv
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
from pydantic import Field, field_validator, model_validator

from metroon.collect.deliveries import Unreadable, finish, gather, headers, match
from metroon.collect.source import FileSource, Raw, Reading

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from metroon.city.contract import Contract

_BATCH = 50_000
_QUOTES = "Ask the department to send it again with quotes doubled inside quotes, or check quote: in product.yaml."
Read = TypeVar("Read")


class Csv(FileSource):
    """Delimited text files with a header line.

    Nothing is guessed: the delimiter, the quote and the encoding are what is declared here. Every value stays
    text until the contract types it. Records whose number of fields is not the header's, or whose quotes are
    broken, are set aside with the number of the line that they begin at. When a broken quote has run over
    several lines, nobody can tell how many records it swallowed, and the file is refused.

    Args:
        delimiter: The sign between fields; a tab is written as backslash t in double quotes.
        quote: The sign around fields that hold the delimiter or a line break.
        encoding: Text encoding; files from older Windows programs are often cp1252.
    """

    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', min_length=1, max_length=1)
    encoding: str = "utf-8"

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

    def read(self, reading: Reading) -> Raw:
        """Every record of every file, as text."""
        return gather(self, reading, self._file)

    def headers(self, file: Path) -> list[str]:
        """The cells of the first line."""
        return self._open(file, lambda handle: headers(self._first(self._reader(handle))))

    def _file(self, file: Path, contract: Contract) -> tuple[pa.Table, list[str]]:
        return self._open(file, lambda handle: self._records(handle, contract))

    def _open(self, file: Path, read: Callable[[Iterator[str]], Read]) -> Read:
        # Programs of Windows begin their files with a mark.
        encoding = "utf-8-sig" if codecs.lookup(self.encoding).name == "utf-8" else self.encoding
        try:
            with file.open(encoding=encoding, newline="") as handle:
                return read(handle)
        except UnicodeError:
            why = f"the file is not {self.encoding} text."
            raise Unreadable(why, "Declare its encoding in product.yaml, such as encoding: cp1252.") from None

    def _reader(self, handle: Iterator[str]) -> Reader:
        csv.field_size_limit(1 << 26)
        return csv.reader(handle, delimiter=self.delimiter, quotechar=self.quote, strict=True)

    def _first(self, reader: Reader) -> list[str]:
        for _, fields in _each(reader):
            if fields is None:
                raise Unreadable("the quotes of the header are broken.", _QUOTES)
            return fields
        raise Unreadable("the file is empty.", "Ask the department to send it again.")

    def _records(self, handle: Iterator[str], contract: Contract) -> tuple[pa.Table, list[str]]:
        reader = self._reader(handle)
        names = headers(self._first(reader))
        try:
            places, unnamed = match(names, contract)
        except Unreadable as fault:
            raise Unreadable(str(fault), fault.fix, sum(1 for _ in _each(reader))) from None
        tables = [_batch(b, places, len(names)) for b in _batches(reader)]
        return pa.concat_tables(tables), unnamed


Record = tuple[int, list[str] | None]
"""The line that it begins at, and its fields; None when its quotes are broken."""


def _each(reader: Reader) -> Iterator[Record]:
    before = reader.line_num
    while True:
        fields: list[str] | None = None
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if reader.line_num > before + 1:
                why = f"a quote that opens in the record of line {before + 1} is not closed as it should be."
                raise Unreadable(why, _QUOTES) from None
        if fields is None or fields:  # a blank line is no record
            yield before + 1, fields
        before = reader.line_num


def _batches(reader: Reader) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in _each(reader):
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _batch(batch: list[Record], places: dict[str, int], width: int) -> pa.Table:
    whole = [fields if fields is not None and len(fields) == width else None for _, fields in batch]
    columns = {n: pa.array([f[i] if f else None for f in whole], pa.string()) for n, i in places.items()}
    ragged = f"the record does not have {width} fields"
    rejects = [
        None if f else ragged if fields is not None else "the quotes of the record are broken"
        for f, (_, fields) in zip(whole, batch, strict=True)
    ]
    return finish(columns, [line for line, _ in batch], rejects)
