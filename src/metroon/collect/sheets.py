"""Sheets: what stands in the cells of a workbook, and what can be seen beside them: merges, errors, hidden rows."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import IO, TYPE_CHECKING, TypeVar
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from metroon.collect.archive import check_zip
from metroon.collect.deliveries import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Cell = bool | int | float | str | date | datetime | time | timedelta
Made = TypeVar("Made")
At = tuple[int, int]
"""Row and column, from 0."""

_LARGEST = 100_000_000
"""Cells between the first and the last one that is filled: the library makes room for each of them."""
_COLUMNS = 16_384
"""Columns that a sheet has at most."""
_AGAIN = "Ask the department to send it again."
_TELLS = (".xlsx", ".xlsm")
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


@dataclass
class Marks:
    """What stands beside the cells of a sheet.

    Args:
        errors: Cells that hold the error of a formula -> the error, such as #N/A.
        uncalculated: Cells with a formula whose value nobody has kept.
        formulas: Cells with a formula.
        hidden_rows: Rows that people do not see.
        hidden_columns: Columns that people do not see.
        filled: Rows and columns up to the last filled cell.
    """

    errors: dict[At, str] = field(default_factory=dict)
    uncalculated: set[At] = field(default_factory=set)
    formulas: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    filled: At = (0, 0)


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook.

    Args:
        name: Its name.
        rows: Every row from the first, each with all its cells; an empty cell is an empty text.
        merged: First and last cell of each group of merged cells.
        marks: What stands beside the cells; None where the format does not let it be known.
        is_hidden: Whether people do not see it.
    """

    name: str
    rows: list[list[Cell]]
    merged: tuple[tuple[At, At], ...]
    marks: Marks | None
    is_hidden: bool


class Book:
    """A workbook: .xlsx, .xlsm, .xls, .xlsb or .ods.

    Args:
        file: The file.

    Raises:
        Unreadable: It is no whole workbook, has a password, or would unpack to more than a workbook can hold.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        with file.open("rb") as handle:
            self._is_zip = handle.read(4) == b"PK\x03\x04"
        if self._is_zip:
            check_zip(file)
        self._book = _tried(lambda: CalamineWorkbook.from_path(str(file)))
        self.names = list(self._book.sheet_names)
        self._hidden = {s.name for s in self._book.sheets_metadata if s.visible != SheetVisibleEnum.Visible}
        self._tells = self._is_zip and file.suffix.lower() in _TELLS

    def sheet(self, name: str) -> Sheet:
        """One of its sheets.

        Raises:
            Unreadable: It is damaged, or has more cells than can be held.
        """
        marks = _marks(self._file, name) if self._tells else None
        if marks and marks.filled[0] * marks.filled[1] > _LARGEST:
            rows, columns = marks.filled
            why = f"the sheet '{name}' reaches over {rows:,} rows and {columns:,} columns."
            raise Unreadable(why, "Ask the department to delete what stands far outside of the table.")
        found = _tried(lambda: self._book.get_sheet_by_name(name))
        filled = found.to_python(skip_empty_area=False)
        merged = tuple(sorted(found.merged_cell_ranges or []))
        if marks:
            _put_errors(filled, marks)
        return Sheet(name, filled, merged, marks, name in self._hidden)


def _put_errors(rows: list[list[Cell]], marks: Marks) -> None:
    # The library leaves a cell with an error empty, which would hide it.
    for (row, column), error in marks.errors.items():
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = error


def _tried(read: Callable[[], Made]) -> Made:
    try:
        return read()
    except PasswordError:
        raise Unreadable("the workbook has a password.", "Ask the department to send it without one.") from None
    except (CalamineError, OSError):
        raise Unreadable("the file is no whole workbook.", _AGAIN) from None


def _marks(file: Path, sheet: str) -> Marks:
    try:
        with zipfile.ZipFile(file) as bundle:
            part = _part(bundle, sheet)
            seen = _Watcher()
            with bundle.open(part) as handle:
                _parsed(seen.parser, handle)
            return seen.marks
    except (zipfile.BadZipFile, expat.ExpatError, LookupError, ValueError, OSError):
        raise Unreadable(f"the sheet '{sheet}' is damaged.", _AGAIN) from None


def _part(bundle: zipfile.ZipFile, sheet: str) -> str:
    """The name that a sheet has inside the workbook's zip (ECMA-376, part 1, 18.2.19 and part 2, 9.3)."""
    wanted: list[str] = []
    targets: dict[str, str] = {}

    def sheets(name: str, given: dict[str, str]) -> None:
        if _local(name) == "sheet" and given.get("name") == sheet:
            wanted.extend(v for k, v in given.items() if _local(k) == "id")

    def relations(name: str, given: dict[str, str]) -> None:
        if _local(name) == "Relationship":
            targets[given["Id"]] = given["Target"]

    for part, watch in (("xl/workbook.xml", sheets), ("xl/_rels/workbook.xml.rels", relations)):
        parser = _parser()
        parser.StartElementHandler = watch
        with bundle.open(part) as handle:
            _parsed(parser, handle)
    target = targets[wanted[0]] if wanted else ""
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


class _Watcher:
    """Looks at the elements of a sheet as they go by (ECMA-376, part 1, 18.3.1)."""

    def __init__(self) -> None:
        self.marks = Marks()
        self.parser = _parser()
        self.parser.StartElementHandler = self._opened
        self.parser.EndElementHandler = self._closed
        self._row, self._at = -1, (-1, -1)
        self._text: list[str] = []
        self._is_error = self._has_formula = self._has_value = False

    def _opened(self, name: str, given: dict[str, str]) -> None:
        element = _local(name)
        if element == "c":
            self._cell(given)
        elif element == "row":
            self._row = int(given["r"]) - 1 if "r" in given else self._row + 1
            self._at = (self._row, -1)
            if given.get("hidden") in ("1", "true"):
                self.marks.hidden_rows.add(self._row)
        elif element == "f":
            self._has_formula = True
        elif element in ("v", "is"):
            self._has_value = True
            if self._is_error:
                self.parser.CharacterDataHandler = self._text.append
        elif element == "col" and given.get("hidden") in ("1", "true"):
            # A column may be said to go on to the end of the sheet: only those with cells matter.
            last = min(int(given["max"]), _COLUMNS)
            self.marks.hidden_columns.update(range(int(given["min"]) - 1, last))

    def _cell(self, given: dict[str, str]) -> None:
        found = _REFERENCE.fullmatch(given.get("r", ""))
        self._at = (int(found[2]) - 1, _column(found[1])) if found else (self._row, self._at[1] + 1)
        self._is_error = given.get("t") == "e"
        self._has_formula = self._has_value = False
        self._text = []
        rows, columns = self.marks.filled
        self.marks.filled = (max(rows, self._at[0] + 1), max(columns, self._at[1] + 1))

    def _closed(self, name: str) -> None:
        element = _local(name)
        if element == "v":
            self.parser.CharacterDataHandler = None
        elif element == "c":
            self.marks.formulas += self._has_formula
            if self._is_error:
                self.marks.errors[self._at] = "".join(self._text)
            elif self._has_formula and not self._has_value:
                self.marks.uncalculated.add(self._at)


def _parser() -> expat.XMLParserType:
    made = expat.ParserCreate(namespace_separator="}")
    made.buffer_text = True
    made.StartDoctypeDeclHandler = _refuse_entities
    return made


def _refuse_entities(*_: object) -> None:
    raise ValueError("a workbook declares no entities")


def _parsed(parser: expat.XMLParserType, handle: IO[bytes]) -> None:
    while block := handle.read(1 << 20):
        parser.Parse(block, False)
    parser.Parse(b"", True)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _column(letters: str) -> int:
    made = 0
    for letter in letters:
        made = 26 * made + ord(letter) - 64
    return made - 1
