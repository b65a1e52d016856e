"""``kind: ndjson``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metroon.collect.deliveries import Unreadable, gather
from metroon.collect.lines import ASIDE, BLANK, RECORDS
from metroon.collect.objects import JsonError, Record, names, parse, tabled
from metroon.collect.source import REJECT, FileSource, Raw, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from metroon.city.contract import Contract


class Ndjson(FileSource):
    """Text files with one JSON object on each line, also called JSON Lines.

    Values of nested objects are columns with dotted names, such as ``address.street``; lists stay JSON text.
    Numbers keep every digit that is written. A record lacks what it does not name, and the account says how many do.
    A line that is no object, is cut off, is not UTF-8, or has one name twice is set aside; blank lines are no records.
    """

    def read(self, reading: Reading) -> Raw:
        """Every record of every file, as text."""
        notes: list[str] = []
        lines: dict[str, dict[str, int]] = {}

        def one(file: Path, contract: Contract) -> tuple[pa.Table, list[str]]:
            blank: list[int] = []
            made = tabled(_records(file, blank), contract)
            whole = made.rows.column(REJECT).null_count
            counted = {BLANK: len(blank), RECORDS: whole, ASIDE: made.rows.num_rows - whole}
            lines[file.relative_to(reading.data).as_posix()] = {kind: n for kind, n in counted.items() if n}
            notes.extend(f"{file.name}: {note}" for note in made.notes)
            return made.rows, made.unnamed

        raw = gather(self, reading, one)
        deliveries = tuple(replace(d, lines=lines.get(d.file, d.lines)) for d in raw.deliveries)
        return replace(raw, deliveries=deliveries, notes=(*raw.notes, *notes))

    def headers(self, file: Path) -> list[str]:
        """Every name that a record has."""
        return names(_records(file, []))


def _records(file: Path, blank: list[int]) -> Iterator[Record]:
    """The lines of a file that are not blank; the others are noted."""
    if not file.stat().st_size:
        raise Unreadable("the file is empty.", "Ask the department to send it again.")
    with file.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            given = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if given.strip():
                yield _record(number, given)
            else:
                blank.append(number)


def _record(number: int, line: bytes) -> Record:
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        shown = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
        return Record(number, None, shown, "the line is not UTF-8 text")
    try:
        return Record(number, parse(text), text)
    except JsonError as fault:
        return Record(number, None, text, f"the line cannot be read: {fault}")
