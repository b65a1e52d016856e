"""``kind: json``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import field_validator

from metroon.collect.deliveries import Unreadable, gather
from metroon.collect.objects import JsonError, Record, at_path, names, one_page, parse, tabled
from metroon.collect.source import FileSource, Raw, Reading

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from metroon.city.contract import Contract


class Json(FileSource):
    """JSON documents: a list of objects, or a document that holds the list somewhere inside.

    Values of nested objects are columns with dotted names, such as ``address.street``; lists stay JSON text.
    Numbers keep every digit that is written. A record lacks what it does not name, and the account says how many do.
    A record that is no object, or that has one name twice, is set aside; a record's line is its number in the
    list, from 1. A file with NaN or infinity is no JSON and is refused.

    Args:
        rows: Where the list is, such as result.records; empty when the document is the list itself.
    """

    rows: str = ""

    @field_validator("rows")
    @classmethod
    def _path(cls, given: str) -> str:
        if given and not all(given.split(".")):
            raise ValueError("rows has an empty name in it. Fix: Write it like this: result.records")
        return given

    def read(self, reading: Reading) -> Raw:
        """Every record of every file, as text."""
        notes: list[str] = []

        def one(file: Path, contract: Contract) -> tuple[pa.Table, list[str]]:
            document = self._document(file)
            records = self._listed(document)
            made = tabled(records, contract)
            notes.extend(f"{file.name}: {note}" for note in one_page(document, self.rows, len(records)))
            notes.extend(f"{file.name}: {note}" for note in made.notes)
            return made.rows, made.unnamed

        raw = gather(self, reading, one)
        return replace(raw, notes=(*raw.notes, *notes))

    def headers(self, file: Path) -> list[str]:
        """Every name that a record has."""
        return names(self._listed(self._document(file)))

    def _document(self, file: Path) -> object:
        try:
            return parse(file.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError:
            why = "the file is not UTF-8 text, as all JSON is."
            raise Unreadable(why, "Ask the department to send it as UTF-8.") from None
        except JsonError as fault:
            raise Unreadable(f"the file cannot be read: {fault}.", "Ask the department to send it again.") from None

    def _listed(self, document: object) -> list[Record]:
        return [Record(i, value) for i, value in enumerate(at_path(document, self.rows), start=1)]
