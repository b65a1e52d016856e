"""Roles: which columns of a file are its key, its event time and its point, by their names and their values."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING

from metroon.collect.codes import YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from metroon.base.profile import ColumnProfile

CODE = re.compile(
    r"(^|_)(ids?|no|num|nbr|nr|number|key|code|cd|apn|parcel|uuid|guid|rsn|tract|tractce\d*|block|codigo|cedula|folio)_?$"
    r"|fips|geoid|zip|postal|postcode|phone|telefono|(^|_)(ssn|tel|apn)(_|$)|soc(ial)?_sec(urity)?(_no|_num|_number|_id)?$"
    r"|(case|person|client|record|object|global|incident|unique|crash|asset|par)(id|no|num)$|(^|_)geo_id|code$|rsn$|[a-z]{4}number$"
    r"|(^|_)[a-z]id$"
)
"""Names of identifiers and codes: their digits are text."""
DATE = re.compile(r"date|(^|_)(dt|dtm|day|ts|time|datetime|timestamp|fecha|dia|hora|dob|birth|at|on)(_|$)|_dt$|birth")
"""Names of days and times."""
# The likelier it is when something happened, the earlier it stands; the last are when somebody wrote it down.
_EVENTS = (
    re.compile(
        r"event|incident|occur|crash|collision|accident|offense|arrest|call|dispatch|alarm|encounter|visit|provided"
    ),
    re.compile(
        r"open|report|request|received|start|entry|begin|issue|filed|submitted|inspect|info|(^|_)(date|fecha|ts|time|datetime)_?$"
    ),
)
_LATER = re.compile(r"clos|complet|resol|created|effective|(^|_)(end|exit|final\w*)(_|$)")
_NO_EVENT = re.compile(
    r"birth|(^|_)dob(_|$)|nacim|expir|due|target|updat|modif|valid|load|(^|_)(deleted?|proc\w*|export\w*)(_|$)"
)
_SURE = 20
"""Rows from which on columns that tell all of them apart do so by no chance."""
_LONGITUDE = re.compile(r"(^|_)(lon|long|lng|longitude|longitud|point_x|x)_?$|longitude")
_LATITUDE = re.compile(r"(^|_)(lat|latitude|latitud|point_y|y)_?$|latitude")


def is_row_number(header: str) -> bool:
    """Whether a header is what programs give their own row numbers.

    Example:
        >>> is_row_number("column1"), is_row_number("Unnamed: 0"), is_row_number("id")
        (True, True, False)
    """
    return bool(re.fullmatch(r"column\d+|Unnamed: \d+|index", header))


def key(columns: Sequence[ColumnProfile], rows: pa.Table, places: Mapping[str, str]) -> tuple[str, ...]:
    """The column, or the two or three, that tell records apart; one that is named like a number of things, if any is.

    Args:
        columns: The columns, looked at.
        rows: The records.
        places: Column name -> its name in ``rows``.
    """
    plain = [c for c in columns if c.type in ("string", "integer") and not is_row_number(c.header)]
    alone = [c for c in plain if c.is_key and (CODE.search(c.name) or _is_code(c) or c is columns[0])]
    alone.sort(key=lambda c: not CODE.search(c.name))
    if alone and (CODE.search(alone[0].name) or rows.num_rows >= _SURE or alone[0] is columns[0]):
        return (alone[0].name,)
    # A column that tells nearly all records apart is a key with mistakes in it, not half of one.
    likely = [c for c in plain if CODE.search(c.name) or YEAR.search(c.name) or c is columns[0]]
    listed = [c for c in likely if c.recorded == c.rows and 1 < c.distinct < 0.98 * c.rows][:6]
    # Of few rows any three columns tell each from the other.
    sizes = (2, 3) if rows.num_rows >= _SURE else (2,)
    for several in (c for size in sizes for c in combinations([c.name for c in listed], size)):
        if rows.num_rows and rows.group_by([places[n] for n in several]).aggregate([]).num_rows == rows.num_rows:
            return several
    return ()


def _is_code(column: ColumnProfile) -> bool:
    """Whether a text is one word that is not long; a figure that happens to be different in every row is no code."""
    return column.type == "string" and column.mean_words <= 1.2 and column.mean_length <= 40


def nearly_key(columns: Sequence[ColumnProfile]) -> list[str]:
    """What to say of a column that would be the key but for a few values that are repeated or missing."""
    named = [c for c in columns if CODE.search(c.name) and c.rows and c.distinct >= 0.98 * c.rows and not c.is_key]
    told = "'{}' looks like the key, but {}; with primaryKey: true these are set aside."
    return [told.format(c.name, _but(c)) for c in named[:1]]


def _but(column: ColumnProfile) -> str:
    repeats, lacking = column.recorded - column.distinct, column.rows - column.recorded
    told = [f"{n:,} row{'s' * (n != 1)}" for n in (repeats, lacking)]
    said = [f"{told[0]} {'repeats' if repeats == 1 else 'repeat'} what stands before"] if repeats else []
    said += [f"{told[1]} {'lacks' if lacking == 1 else 'lack'} it"] if lacking else []
    return " and ".join(said)


def event_time(columns: Sequence[ColumnProfile]) -> ColumnProfile | None:
    """The column that most likely says when it happened: by its name, then by how full it is."""
    dated = [c for c in columns if c.type in ("date", "timestamp") and c.recorded and not _NO_EVENT.search(c.name)]
    full = [c for c in dated if c.missing_share <= 0.5]

    def rank(column: ColumnProfile) -> tuple[int, float]:
        named = next((i for i, words in enumerate(_EVENTS) if words.search(column.name)), len(_EVENTS))
        return len(_EVENTS) + 1 if _LATER.search(column.name) else named, round(column.missing_share, 1)

    return min(full, key=rank, default=None)


def point(columns: Sequence[ColumnProfile]) -> tuple[str, str] | None:
    """The columns with degrees, the fullest pair when there are several."""
    across = [c for c in columns if _LONGITUDE.search(c.name) and _is_degrees(c, 180)]
    along = [c for c in columns if _LATITUDE.search(c.name) and _is_degrees(c, 90)]
    pairs = [(x, y) for x in across for y in along]
    best = max(pairs, key=lambda p: (min(p[0].recorded, p[1].recorded), p[0].name[:1] == "l"), default=None)
    return (best[0].name, best[1].name) if best else None


def _is_degrees(column: ColumnProfile, limit: int) -> bool:
    if column.type != "number" or not isinstance(column.low, float) or not isinstance(column.high, float):
        return False
    return -limit <= column.low and column.high <= limit and column.decimals >= 2
