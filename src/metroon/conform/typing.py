"""Types: text as it came -> values as promised; what means "not recorded" becomes null and is counted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import ibis

from metroon.base.signs import COUNTED, EPOCH, SIGNS, SPREADSHEET_DAYS
from metroon.city.properties import custom

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, Table, Value

    from metroon.base.engine import Engine
    from metroon.city.contract import Column

_YES = ("true", "t", "yes", "y", "1")
_NO = ("false", "f", "no", "n", "0")
# The engine reads more as numbers and times than people mean: 1_000, 0x10, infinity, epoch, 44 BC.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_DIGITS = r"^[+-]?[0-9]+$"
OFFSET = r"(?i)[0-9] ?(z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_ISO = (
    r"(?i)^[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
    r"([t ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?(z|[+-][0-9]{2}(:?[0-9]{2})?))?)?$"
)
# Before: what a pattern of four digits makes of two, and a database's "never". After: what no calendar holds.
_FIRST, _LAST = datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59)
# What the engine makes of epoch and infinity, whatever the pattern.
_WORD = datetime(1900, 1, 1)
# JDK DateTimeFormatter letters, the notation of ODCS -> strptime.
_JDK = {
    "yyyy": "%Y", "uuuu": "%Y", "y": "%Y", "yy": "%y", "uu": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%m",
    "LLLL": "%B", "LLL": "%b", "dd": "%d", "d": "%d", "EEEE": "%A", "EEE": "%a", "EE": "%a", "E": "%a", "HH": "%H",
    "H": "%H", "hh": "%I", "h": "%I", "mm": "%M", "m": "%M", "ss": "%S", "s": "%S", "SSSSSS": "%f", "SSS": "%g",
    "a": "%p",
}  # fmt: skip
_PATTERN = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>(?P<letter>[A-Za-z])(?P=letter)*)|(?P<other>.)")


@dataclass(frozen=True)
class Typed:
    """One column after typing.

    Args:
        value: The typed value, null where missing or unreadable.
        is_missing: True where the text means "not recorded".
        text: What stands in the file, without blanks around it.
    """

    value: Value
    is_missing: BooleanValue
    text: Value

    @property
    def is_unreadable(self) -> BooleanValue:
        """True where something stands that does not fit the type."""
        return ~self.is_missing & self.value.isnull()


def typed(engine: Engine, rows: Table, column: Column, time_zone: str | None = None) -> Typed:
    """The promised value of a raw column.

    Text loses blanks around it. Numbers take a point for decimals, and no sign of money, percent or thousands that is
    not declared (``written``); an integer that has decimals does not fit. Times without a declared format are read as
    ISO 8601, in the years 1000 to 9999, and days that a spreadsheet program counted only where that is declared.
    24:00 is the next day's 0:00; 24:01 is no time, nor is any hour past it.

    Args:
        engine: The engine.
        rows: Raw rows.
        column: What is promised.
        time_zone: The zone whose clocks times are told by, when they say how far they are from UTC; without one
            the hour is taken as it is written.
    """
    raw = rows[column.name]
    codes = [code for code in column.missing if code]
    text = _stripped(raw.cast("string"))
    if not raw.type().is_string():
        missing = raw.isnull() | _is_code(raw, codes)
        value = _retyped(engine, raw, column, time_zone)
    else:
        missing = text.isnull() | (text == "") | (text.isin(codes) if codes else ibis.literal(False))
        value = _parse(engine, text, column, time_zone)
    return Typed(missing.ifelse(ibis.null(value.type()), value), missing, text)


def quick(engine: Engine, rows: Table, column: Column) -> Typed | None:
    """The value of a raw column as the engine reads it by itself; None where that is no other way than ``typed``.

    It is the promised value wherever ``doubt`` says nothing else.

    Args:
        engine: The engine.
        rows: Raw rows of texts, with null where one is empty.
        column: What is promised.
    """
    text: Any = rows[column.name]
    if not text.type().is_string() or _written(column):
        return None
    pattern = column.options.get("format")
    if column.type == "string":
        value = text
    elif column.type in ("number", "integer"):
        value = text.try_cast("float64" if column.type == "number" else "int64")
    elif column.type in ("date", "timestamp") and pattern:
        value = engine.parse_time(text, strptime(str(pattern)))
    else:
        return None
    codes = [code for code in column.missing if code]
    if not codes:
        return Typed(value, text.isnull(), text)
    return Typed(_where(~text.isin(codes), value), text.isnull() | text.isin(codes), text)


def doubt(column: Column, value: Any, text: Any, *, is_bare: bool) -> BooleanValue:
    """Where the value of ``quick`` may be another than that of ``typed``.

    What has no value there breaks the rule of its type, or is not recorded.

    Args:
        column: What is promised.
        value: The value that the engine reads.
        text: What it reads it from.
        is_bare: Whether no text ends with a blank.
    """
    found = ibis.literal(False)
    if column.type == "string" or column.missing:
        # No sign before this one is more than a blank; the engine passes over blanks around numbers and times itself.
        found |= text < "!"
        found |= ibis.literal(False) if is_bare else text.right(1) <= " "
    if column.type == "number":
        found |= text.contains("_") | text.contains("+-") | value.isnan() | value.isinf()
    elif column.type == "integer":
        found |= (value.cast("string") != text) & ~text.re_search(_DIGITS)
    elif column.type in ("date", "timestamp"):
        # Words among them; two digits mean no other year than those from 1969 to 2068.
        found |= value <= ibis.timestamp(_WORD)
        found |= value > ibis.timestamp(_LAST) if "%Y" in strptime(str(column.options["format"])) else False
    return cast("BooleanValue", found.fill_null(False))


def strptime(pattern: str) -> str:
    """A JDK date pattern as strptime knows it; letters that it does not know stay as they are.

    Example:
        >>> strptime("M/d/yy h:mm a"), strptime("yyyy-MM-dd'T'HH:mm:ss"), strptime("h 'o''clock'")
        ('%m/%d/%y %I:%M %p', '%Y-%m-%dT%H:%M:%S', "%I o'clock")
    """
    made = ""
    for found in _PATTERN.finditer(pattern):
        if found["quoted"] is not None:
            plain = found["quoted"].replace("''", "'") or "'"
        else:
            plain = found["letters"] or found["other"]
        made += _JDK.get(found["letters"] or "", plain.replace("%", "%%"))
    return made


def unknown_letters(pattern: str) -> list[str]:
    """The parts of a JDK date pattern that cannot be read here.

    Example:
        >>> unknown_letters("YYYY-MM-DD"), unknown_letters("yyyy-MM-dd'T'HH:mm")
        (['YYYY', 'DD'], [])
    """
    return [f["letters"] for f in _PATTERN.finditer(pattern) if f["letters"] and f["letters"] not in _JDK]


def _parse(engine: Engine, text: Any, column: Column, time_zone: str | None) -> Any:
    if column.type == "string":
        return text
    text = _without_signs(text, column) if column.type in ("number", "integer") else text
    if column.type == "number":
        return _finite(_where(text.re_search(_NUMBER), text).try_cast("float64"))
    if column.type == "integer":
        number = _finite(_where(text.re_search(_NUMBER), text).try_cast("float64"))
        # Long identifiers are exact as digits only; 4186.0 is what programs write that hold numbers with gaps.
        return text.re_search(_DIGITS).ifelse(text.try_cast("int64"), _whole(number))
    if column.type == "boolean":
        low = text.lower()
        return low.isin(_YES).ifelse(True, low.isin(_NO).ifelse(False, ibis.null("boolean")))
    if column.type == "object":
        return ibis.null("binary")
    pattern = column.options.get("format")
    time = _formatted(engine, text, str(pattern)) if pattern else _iso(engine, text, time_zone)
    time = _counted(text).fill_null(time) if SPREADSHEET_DAYS in _written(column) else time
    time = _where(time.between(ibis.timestamp(_FIRST), ibis.timestamp(_LAST)), time)
    return time.cast("date") if column.type == "date" else time


def _counted(text: Any) -> Any:
    """The time that a number of days stands for, to the second."""
    days = _where(text.re_search(_NUMBER), text).try_cast("float64")
    seconds = (_where(days.between(*COUNTED), days) * 86400).round().cast("int64")
    return ibis.timestamp(datetime(EPOCH.year, EPOCH.month, EPOCH.day)) + seconds.as_interval("s")


def _written(column: Column) -> list[str]:
    return cast("list[str]", custom(column.node).get("written") or [])


def _without_signs(text: Any, column: Column) -> Any:
    declared = _written(column)
    for looks, by in (SIGNS[sign] for sign in SIGNS if sign in declared):
        text = text.re_replace(looks, by)
    return text


def _formatted(engine: Engine, text: Any, pattern: str) -> Any:
    time = engine.parse_time(text, strptime(pattern))
    time = _where((time != ibis.timestamp(_WORD)) | text.re_search("[0-9]"), time)
    midnight = end_of_day(pattern)
    if midnight is None:
        return time
    # Looked for only where nothing could be read: ISO 8601 and the engine know 24:00 already, patterns do not.
    begun = _where(text.re_search(midnight), text).re_replace(midnight, r"\100\2")
    return time.fill_null(engine.parse_time(begun, strptime(pattern)) + ibis.interval(days=1))


def end_of_day(pattern: str) -> str | None:
    """What 24:00, the end of a day, looks like in a JDK date pattern; None where the pattern has no hours of 0 to 23.

    Example:
        >>> end_of_day("M/d/yyyy HHmm"), end_of_day("h:mm a")
        ('^([0-9]{1,2}/[0-9]{1,2}/[0-9]{4} )24(00)$', None)
    """
    made, hours = "", 0
    for found in _PATTERN.finditer(pattern):
        letters = found["letters"]
        if letters is None:
            plain = found["quoted"].replace("''", "'") or "'" if found["quoted"] is not None else found["other"]
            made += plain if plain in " /-:,T" else re.escape(plain)
        elif letters[0] == "H":
            made, hours = f"{made})24(", hours + 1
        elif letters[0] in "msS":
            made += "0" * len(letters)
        elif letters[0] in "MLE" and len(letters) > 2:
            made += "[A-Za-z]+"
        else:
            width = {"y": "4", "M": "1,2", "L": "1,2", "d": "1,2"}.get(letters, str(len(letters)))
            made += f"[0-9]{{{width}}}"
    return f"^({made})$" if hours == 1 else None


def _iso(engine: Engine, text: Any, time_zone: str | None) -> Any:
    time = _where(text.re_search(_ISO), text).try_cast("timestamp")
    if time_zone is None:
        return time
    has_offset = text.re_search(_ISO) & text.re_search(OFFSET) & text.contains(":")
    return has_offset.ifelse(engine.parse_moment(_where(has_offset, text), time_zone), time)


def _retyped(engine: Engine, raw: Any, column: Column, time_zone: str | None) -> Any:
    kind = raw.type()
    if column.type == "string":
        return raw.cast("string")
    if column.type == "object":
        return raw if kind.is_binary() else ibis.null("binary")
    if column.type == "number" and kind.is_numeric():
        return _finite(raw.cast("float64"))
    if column.type == "integer" and kind.is_integer():
        return raw.try_cast("int64")
    if column.type == "integer" and kind.is_numeric():
        return _whole(_finite(raw.cast("float64")))
    if column.type == "boolean" and kind.is_boolean():
        return raw
    if column.type in ("date", "timestamp") and (kind.is_date() or kind.is_timestamp()):
        is_moment = kind.is_timestamp() and kind.timezone is not None
        time = engine.clock(raw, time_zone) if is_moment and time_zone else raw.cast("timestamp")
        time = _where(time.between(ibis.timestamp(_FIRST), ibis.timestamp(_LAST)), time)
        return time.cast("date") if column.type == "date" else time
    # Numbers where dates are promised, and the like: by what they say.
    return _parse(engine, raw.cast("string"), column, time_zone)


def _is_code(raw: Any, codes: list[str]) -> Any:
    """Whether a value that has a type already is what the contract calls not recorded."""
    if not codes or raw.type().is_binary():
        return ibis.literal(False)
    found = raw.cast("string").isin(codes)
    numbers = [float(code) for code in codes if re.fullmatch(_NUMBER, code)]
    # 999 may have become 999.0 on its way.
    return found | raw.cast("float64").isin(numbers) if numbers and raw.type().is_numeric() else found


def _stripped(text: Any) -> Any:
    # Few texts have blanks around them, and to look costs a tenth of what it costs to cut.
    is_bare = (text.left(1) > " ") & (text.right(1) > " ")
    return is_bare.ifelse(text, text.strip())


def _where(condition: Any, value: Any) -> Any:
    return condition.ifelse(value, ibis.null(value.type()))


def _finite(number: Any) -> Any:
    return _where(~(number.isnan() | number.isinf()), number)


def _whole(number: Any) -> Any:
    # Beyond 2**53 a float no longer tells one whole number from the next.
    return _where((number == number.floor()) & (number.abs() < 2**53), number).try_cast("int64")
