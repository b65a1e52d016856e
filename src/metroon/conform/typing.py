"""Types: text as it came -> values as promised; what means "not recorded" becomes null and is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, Table, Value

    from metroon.base.engine import Engine
    from metroon.city.contract import Column

_YES = ("true", "t", "yes", "y", "1")
_NO = ("false", "f", "no", "n", "0")
# JDK DateTimeFormatter letters, the notation of ODCS, longest first -> strptime.
_JDK = {
    "yyyy": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d",
    "EEEE": "%A", "EEE": "%a", "HH": "%H", "H": "%H", "hh": "%I", "h": "%I", "mm": "%M", "m": "%M",
    "ss": "%S", "s": "%S", "SSSSSS": "%f", "SSS": "%g", "a": "%p",
}  # fmt: skip


@dataclass(frozen=True)
class Typed:
    """One column after typing.

    Args:
        value: The typed value, null where missing or unreadable.
        is_missing: True where the text means "not recorded".
        is_unreadable: True where there is text that does not fit the type.
    """

    value: Value
    is_missing: BooleanValue
    is_unreadable: BooleanValue


def typed(engine: Engine, rows: Table, column: Column) -> Typed:
    """The promised value of a raw column.

    Text loses blanks around it. Numbers take a point for decimals and no thousands sign; an integer that has
    decimals does not fit. Times without a declared format are read as ISO 8601.
    """
    raw = rows[column.name]
    if not raw.type().is_string():
        return _from_typed(raw, column)
    text = raw.strip()
    codes = [c for c in column.missing if c]
    missing = (text.isnull() | (text == "") | text.isin(codes)) if codes else (text.isnull() | (text == ""))
    present = missing.ifelse(ibis.null("string"), text)
    value = _parse(engine, present, column)
    return Typed(value, missing, present.notnull() & value.isnull())


def strptime(pattern: str) -> str:
    """A JDK date pattern as strptime knows it.

    Example:
        >>> strptime("M/d/yy h:mm a"), strptime("yyyy-MM-dd'T'HH:mm:ss")
        ('%m/%d/%y %I:%M %p', '%Y-%m-%dT%H:%M:%S')
    """
    made, i = "", 0
    while i < len(pattern):
        if pattern[i] == "'":
            end = pattern.find("'", i + 1)
            end = len(pattern) if end < 0 else end
            made, i = made + pattern[i + 1 : end], end + 1
            continue
        letters = next((k for k in sorted(_JDK, key=len, reverse=True) if pattern.startswith(k, i)), pattern[i])
        made, i = made + _JDK.get(letters, letters.replace("%", "%%")), i + len(letters)
    return made


def _parse(engine: Engine, text: Value, column: Column) -> Value:
    pattern = column.options.get("format")
    if column.type == "string":
        return text
    if column.type == "number":
        number = text.try_cast("float64")
        return (number.isnan() | number.isinf()).ifelse(ibis.null("float64"), number)
    if column.type == "integer":
        number = text.try_cast("float64")
        whole = (number == number.floor()) & (number.abs() < 2**53)
        return whole.ifelse(text.try_cast("int64").fill_null(number.try_cast("int64")), ibis.null("int64"))
    if column.type == "boolean":
        low = text.lower()
        return low.isin(_YES).ifelse(True, low.isin(_NO).ifelse(False, ibis.null("boolean")))
    if column.type in ("date", "timestamp"):
        time = engine.parse_time(text, strptime(str(pattern))) if pattern else text.try_cast("timestamp")
        return time.try_cast("date") if column.type == "date" else time
    return ibis.null("binary")


def _from_typed(raw: Value, column: Column) -> Typed:
    kinds = {"integer": "int64", "number": "float64", "boolean": "boolean", "date": "date", "timestamp": "timestamp"}
    wanted = {**kinds, "string": "string", "object": "binary"}[column.type]
    codes = [c for c in column.missing if c]
    missing = raw.isnull()
    if codes and not raw.type().is_binary():
        missing = missing | raw.cast("string").isin(codes)
    if column.type == "integer" and raw.type().is_floating():
        value = (raw == raw.floor()).ifelse(raw, ibis.null(raw.type())).try_cast("int64")
    else:
        value = raw if str(raw.type()) == wanted else raw.try_cast(wanted)
    value = missing.ifelse(ibis.null(value.type()), value)
    return Typed(value, missing, ~missing & value.isnull())
