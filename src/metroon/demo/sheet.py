"""A sheet: text as a department's system exports it, with what is wrong in it put in on purpose."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Text = npt.NDArray[np.str_]
Whole = npt.NDArray[np.int64]
Number = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sheet:
    """Columns of text, all of one length.

    Args:
        columns: Header -> one text for each row.
    """

    columns: Mapping[str, Text]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values())))

    def take(self, rows: Whole) -> Sheet:
        """The rows of these numbers, in that order."""
        return Sheet({header: column[rows] for header, column in self.columns.items()})

    def put(self, header: str, rows: Whole, text: str | Text) -> Sheet:
        """The sheet with other text in some rows of one column.

        Example:
            >>> s = Sheet({"a": np.array(["x", "y"])}).put("a", np.array([1]), "longer")
            >>> s.columns["a"].tolist()
            ['x', 'longer']
        """
        # NumPy text is of fixed width: without widening, longer text would be cut without a word.
        column = self.columns[header].astype(np.result_type(self.columns[header], np.asarray(text)))
        column[rows] = text
        return Sheet({**self.columns, header: column})

    def rename(self, header: str, new: str) -> Sheet:
        """The sheet with another header on one column."""
        return Sheet({new if h == header else h: column for h, column in self.columns.items()})


Change = tuple[str, str, "str | Text"]
"""Header, flaw, and the text that stands there in the rows of that flaw."""


def spoiled(sheet: Sheet, flawed: Mapping[str, Whole], changes: Sequence[Change]) -> Sheet:
    """The sheet with the text of each flaw in its rows."""
    for header, flaw, text in changes:
        sheet = sheet.put(header, flawed[flaw], text)
    return sheet


def with_twins(rows: int, twins: Whole) -> Whole:
    """Row numbers in which each twin stands right behind its original.

    Example:
        >>> with_twins(3, np.array([1])).tolist()
        [0, 1, 1, 2]
    """
    return np.sort(np.concatenate([np.arange(rows), twins]))


def padded(prefix: str, numbers: Whole, width: int) -> Text:
    """Identifiers such as ``R-000012``.

    Example:
        >>> padded("R-", np.array([12]), 6).tolist()
        ['R-000012']
    """
    return np.strings.add(prefix, np.strings.zfill(numbers.astype(np.str_), width))


def save(
    sheet: Sheet, file: Path, *, delimiter: str = ",", encoding: str = "utf-8", footer: tuple[str, ...] = ()
) -> None:
    """Write a sheet as delimited text with a header line.

    Args:
        sheet: What to write.
        file: Where to; its folder is made.
        delimiter: The sign between fields.
        encoding: Text encoding.
        footer: A last line that is no record, as people type below their sheets.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding=encoding, newline="") as handle:
        writer = csv.writer(handle, delimiter=delimiter, lineterminator="\n")
        writer.writerow(sheet.columns)
        writer.writerows(zip(*(column.tolist() for column in sheet.columns.values()), strict=True))
        if footer:
            writer.writerow(footer)


def deliveries(sheet: Sheet, labels: Text) -> dict[str, Sheet]:
    """The sheet cut into files: label -> its rows, labels in order."""
    return {str(label): sheet.take(np.flatnonzero(labels == label)) for label in np.unique(labels)}
