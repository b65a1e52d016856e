"""Profiles: what a look at a file tells of its columns, in shapes and shares.

A profile holds no row. The few values that it does hold (a list of codes, a smallest and a largest) are kept out
of its printed form: who writes them down must first know that no person stands behind the column.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

Inferred = Literal["string", "integer", "number", "boolean", "date", "timestamp", "object"]
"""The logical types a column can be seen to have; ``object`` is a geometry."""
Shape = Literal["point", "line", "area"]
"""What the geometries of a file are."""


@dataclass(frozen=True)
class MissingCode:
    """A text in the file that most likely means "not recorded".

    Args:
        text: As it stands in the file.
        rows: How often.
        reason: Why it looks so.
    """

    text: str
    rows: int
    reason: str


@dataclass(frozen=True)
class ColumnProfile:
    """One column, looked at.

    Args:
        header: Its header in the file.
        name: Its name in the lake: small letters, digits and ``_``.
        type: The type that at least 99 % of the recorded values fit.
        format: How dates are written, in JDK notation; None for ISO 8601 and for all that is no date.
        rows: Records looked at.
        empty: Records where nothing stands; missing codes are not among them.
        distinct: Different recorded values.
        misfits: Recorded values that do not fit the type: their rows would be set aside.
        missing: Codes that most likely mean "not recorded".
        is_key: No record is without a value, and no two share one.
        low: The smallest number or date. It belongs to somebody: write it only where nobody stands behind a row.
        high: The largest, likewise.
        usual: First and last day, without the one in a hundred on either side that may be a slip of the pen.
        codes: The values of a short closed list, none of them rare; to be written only where it is public.
        hits: Pattern -> share of the recorded values that it fits, 0-1 (see ``base/patterns.py``).
        mean_length: Mean length of the recorded values, in characters.
        mean_words: Mean number of words of the recorded values.
        digit_share: Share of the recorded values that hold a digit, 0-1.
        decimals: Decimals that a number typically has.
        notes: What a steward should know, in plain words. Never a value.
        written: What stands in its numbers beside digits (see ``base/signs.py``).
    """

    header: str
    name: str
    type: Inferred = "string"
    format: str | None = None
    rows: int = 0
    empty: int = 0
    distinct: int = 0
    misfits: int = 0
    missing: tuple[MissingCode, ...] = ()
    is_key: bool = False
    low: float | date | None = field(default=None, repr=False)
    high: float | date | None = field(default=None, repr=False)
    usual: tuple[date, date] | None = field(default=None, repr=False)
    codes: tuple[str, ...] = field(default=(), repr=False)
    hits: Mapping[str, float] = field(default_factory=dict)
    mean_length: float = 0.0
    mean_words: float = 0.0
    digit_share: float = 0.0
    decimals: int = 0
    notes: tuple[str, ...] = ()
    written: tuple[str, ...] = ()

    @property
    def recorded(self) -> int:
        """Records that hold a value which is no missing code."""
        return self.rows - self.empty - sum(code.rows for code in self.missing)

    @property
    def missing_share(self) -> float:
        """Share of the records where nothing is recorded, 0-1.

        Example:
            >>> ColumnProfile("Age", "age", rows=10, empty=1, missing=(MissingCode("999", 4, "no age"),)).missing_share
            0.5
        """
        return 1 - self.recorded / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Profile:
    """One file, looked at.

    Args:
        kind: The collect kind that reads it.
        options: That kind's options, where they differ from its defaults.
        rows: Whole records.
        ragged: Records that have not the header's number of fields, or features without a shape.
        columns: Its columns, in the file's order.
        key: The names of the columns that tell the records apart; empty when none do.
        point: The names of the columns with longitude and latitude in degrees.
        event_time: The name of the column that says when it happened.
        span: Day of the first and of the last event.
        shape: What the geometries are, when there are any.
        notes: What a steward should know of the whole file. Never a value.
    """

    kind: str
    options: Mapping[str, str | int]
    rows: int
    ragged: int
    columns: tuple[ColumnProfile, ...]
    key: tuple[str, ...] = ()
    point: tuple[str, str] | None = None
    event_time: str | None = None
    span: tuple[date, date] | None = field(default=None, repr=False)
    shape: Shape | None = None
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> ColumnProfile:
        """The column of that name.

        Raises:
            KeyError: There is none.
        """
        return {c.name: c for c in self.columns}[name]


# duckdb_keywords() where keyword_category is 'reserved' (DuckDB 2.0): unquoted, they are no column in a measure.
RESERVED = frozenset(
    """all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
    default deferrable desc describe distinct do else end except false fetch for foreign from group having in
    initially intersect into lambda lateral leading limit not null offset on only or order pivot pivot_longer
    pivot_wider placing primary qualify references returning select show some summarize symmetric table then to
    trailing true union unique unpivot using variadic when where window with""".split()  # noqa: SIM905  # seventy words read better so
)
_LETTERS = str.maketrans({"đ": "d", "Đ": "D", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "&": " and "})


def words(header: str) -> list[str]:
    """The words of a header or file name, however it joins them.

    Example:
        >>> words("SSNDataQuality"), words("Final_Incident_Type"), words("EnrollmentCoCID")
        (['SSN', 'Data', 'Quality'], ['Final', 'Incident', 'Type'], ['Enrollment', 'Coc', 'ID'])
    """
    # EPCs, CoC and HoH are one word each.
    text = re.sub(r"[A-Z]{2,}s(?![a-z])", lambda m: m[0].capitalize(), header)
    text = re.sub(r"([A-Z][a-z][A-Z])(?=[A-Z][a-z]|ID|[^A-Za-z]|$)", lambda m: m[1].capitalize(), text)
    text = re.sub(r"(?<=[A-Z])(?<!COV|.GU|.UU)ID$", " ID", text) if not text.isupper() else text
    text = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[0-9])(?=[A-Z][a-z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return [w for w in re.split(r"[\W_]+", text) if w]


def title(header: str) -> str:
    """A header or file name as people would write it.

    Example:
        >>> title("OFFENSE_DATE"), title("Final_Incident_Type"), title("Día del accidente")
        ('Offense date', 'Final Incident Type', 'Día del accidente')
    """
    said = " ".join(words(header))
    said = said.lower() if said.isupper() else said
    return said[:1].upper() + said[1:]


def snake_case(header: str) -> str:
    """A header as the name of a column: plain small letters, digits and ``_``; empty when it has no such sign.

    Example:
        >>> snake_case("PersonalID"), snake_case("Año de nacimiento"), snake_case("2010 Census"), snake_case("年")
        ('personal_id', 'anio_de_nacimiento', 'column_2010_census', '')
    """
    name = _snake(header)
    return f"column_{name}" if name[:1].isdigit() else name


def column_names(headers: Sequence[str]) -> list[str]:
    """A name for each header, in order; no two are the same, and none is a word of SQL.

    Example:
        >>> column_names(["ID", "id", "Group", "年"])
        ['id', 'id_2', 'group_', 'column4']
    """
    made: list[str] = []
    for position, header in enumerate(headers, start=1):
        name = snake_case(header) or f"column{position}"
        name = f"{name}_" if name in RESERVED else name
        free, n = name, 2
        while free in made:
            free, n = f"{name}_{n}", n + 1
        made.append(free)
    return made


def product_name(stem: str) -> str:
    """A file's name, without its ending, as the name of a product.

    Example:
        >>> product_name("FireIncidents_Jan2015"), product_name("311"), product_name("年")
        ('fire_incidents_jan2015', 'data_311', 'data')
    """
    name = _snake(stem) or "data"
    return name if name[0].isalpha() else f"data_{name}"


def _snake(text: str) -> str:
    # Spanish "año" without its tilde is another word.
    kept = re.sub(r"(?i)\b(a)ñ(os?)\b", r"\1ni\2", unicodedata.normalize("NFC", text)).translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", kept).encode("ascii", "ignore").decode()
    return "_".join(w.lower() for w in words(plain))
