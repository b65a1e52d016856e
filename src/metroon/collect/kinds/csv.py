"""``kind: csv``."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
from pydantic import Field

from metroon.collect.deliveries import Unreadable, finish, gather, headers, match
from metroon.collect.source import FileSource, Raw, Reading

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from metroon.city.contract import Contract

_BATCH = 50_000
Read = TypeVar("Read")


class Csv(FileSource):
    """Delimited text files with a header line.

    Nothing is guessed: the delimiter, the quote and the encoding are what is declared here. Every value stays
    text until the contract types it. Records whose number of fields is not the header's are set aside with
    their line number.

    Args:
        delimiter: The sign between fields; write "\\t" for tabs.
        quote: The sign around fields that hold the delimiter or a line break.
        encoding: Text encoding; files from older Windows programs are often cp1252.
    """

    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', min_length=1, max_length=1)
    encoding: str = "utf-8"

    def read(self, reading: Reading) -> Raw:
        """Every record of every file, as text."""
        return gather(self, reading, self._file)

    def headers(self, file: Path) -> list[str]:
        """The cells of the first line."""
        return self._open(file, lambda handle: headers(self._first(self._reader(handle))))

    def _file(self, file: Path, contract: Contract) -> tuple[pa.Table, list[str]]:
        return self._open(file, lambda handle: self._records(handle, contract))

    def _open(self, file: Path, read: Callable[[Iterator[str]], Read]) -> Read:
        encoding = "utf-8-sig" if self.encoding.lower() in ("utf-8", "utf8") else self.encoding
        try:
            with file.open(encoding=encoding, newline="") as handle:
                return read(handle)
        except (UnicodeDecodeError, LookupError):
            why = f"the file is not {self.encoding} text."
            raise Unreadable(why, "Declare its encoding in product.yaml, such as encoding: cp1252.") from None
        except csv.Error as error:
            raise Unreadable(f"the file is no CSV: {error}.", "Check delimiter and quote in product.yaml.") from None

    def _reader(self, handle: Iterator[str]) -> Reader:
        csv.field_size_limit(1 << 26)
        return csv.reader(handle, delimiter=self.delimiter, quotechar=self.quote)

    def _first(self, reader: Reader) -> list[str]:
        first = next(reader, None)
        if not first:
            raise Unreadable("the file is empty.", "Ask the department to send it again.")
        return first

    def _records(self, handle: Iterator[str], contract: Contract) -> tuple[pa.Table, list[str]]:
        reader = self._reader(handle)
        names = headers(self._first(reader))
        places, unnamed = match(names, contract)
        tables = [_batch(b, places, len(names)) for b in _batches(reader)]
        return pa.concat_tables(tables), unnamed


Record = tuple[int, list[str]]


def _batches(reader: Reader) -> Iterator[list[Record]]:
    batch: list[Record] = []
    before = reader.line_num
    for fields in reader:
        if fields:  # a blank line is no record
            batch.append((before + 1, fields))
        before = reader.line_num
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _batch(batch: list[Record], places: dict[str, int], width: int) -> pa.Table:
    whole = [len(fields) == width for _, fields in batch]
    columns = {
        name: pa.array(
            [f[i] if ok else None for (_, f), ok in zip(batch, whole, strict=True)],
            pa.string(),
        )
        for name, i in places.items()
    }
    rejects = [None if ok else f"the record does not have {width} fields" for ok in whole]
    return finish(columns, [line for line, _ in batch], rejects)
