"""Functions of dates and times, as DuckDB does them."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from metroon.base.kinds._call import Builder, Call, Entry
from metroon.base.kinds._words import Unequal, apply, both, cast, double, negated, text, unless, whole

_FORMAT = re.compile(r"(?:%[YmdHMSyjbBaA%]|[^%'])*")
_FORMATS = {
    "%Y": "yyyy", "%m": "MM", "%d": "dd", "%H": "HH", "%M": "mm", "%S": "ss", "%y": "yy", "%j": "DDD", "%b": "MMM",
    "%B": "MMMM", "%a": "EEE", "%A": "EEEE", "%%": "'%'",
}  # fmt: skip
_LENGTHS = {"hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000, "millisecond": 1_000, "microsecond": 1}


def _formatted(call: Call) -> exp.Expression:
    wanted = call.text(1)
    if not _FORMAT.fullmatch(wanted):
        raise Unequal("'strftime' with that format")
    pieces = re.findall(r"%.|[^%]+", wanted)
    pattern = "".join(_FORMATS.get(p) or f"'{p}'" for p in pieces)
    # Two texts that touch would read as a quote between them.
    return apply("date_format", call.writer.typed(call.part.parts[0], "TIMESTAMP"), text(pattern.replace("''", "")))


def _days_in_month(call: Call) -> exp.Expression:
    return cast(apply("day", apply("last_day", cast(call[0], "date"))), "bigint")


def _named(pattern: str) -> Builder:
    return lambda call: apply("date_format", call.writer.typed(call.part.parts[0], "TIMESTAMP"), text(pattern))


def _microseconds(moment: exp.Expression) -> exp.Expression:
    return apply("unix_micros", cast(moment, "timestamp"))


def _counted(moment: exp.Expression, length: int) -> exp.Expression:
    """How many units of some microseconds lie between 1970 and a moment, the begun one left out."""
    since = _microseconds(moment)
    return both(exp.IntDiv, both(exp.Sub, since, apply("pmod", since.copy(), whole(length))), whole(length))


def _boundaries(call: Call) -> exp.Expression:
    """How many boundaries of a unit lie between two moments: DuckDB counts crossings, not whole units."""
    unit = call.text(0).lower()
    if unit in _LENGTHS:
        begin, end = (_counted(call.writer.typed(p, "TIMESTAMP"), _LENGTHS[unit]) for p in call.part.parts[1:])
        return both(exp.Sub, end, begin)
    first, last = (cast(call[at], "date") for at in (1, 2))
    if unit in ("day", "week"):
        days = cast(apply("datediff", last, first), "bigint")
        # Of weeks DuckDB 2.0 counts whole ones, from day to day.
        return days if unit == "day" else both(exp.IntDiv, days, whole(7))
    if unit not in ("year", "quarter", "month"):
        raise Unequal(f"'{call.part.name}' in '{unit}'")
    return both(exp.Sub, _number_of(unit, last), _number_of(unit, first))


def _number_of(unit: str, day: exp.Expression) -> exp.Expression:
    year = cast(apply("year", day), "bigint")
    if unit in ("quarter", "month"):
        times = {"quarter": 4, "month": 12}[unit]
        return both(exp.Add, both(exp.Mul, year, whole(times)), cast(apply(unit, day.copy()), "bigint"))
    return year


def _field(function: str, plus: int = 0, times: int = 0) -> Builder:
    def build(call: Call, at: int = 0) -> exp.Expression:
        found = cast(apply(function, call[at]), "bigint")
        found = both(exp.Add, found, whole(plus)) if plus else found
        return both(exp.Add, apply("pmod", found, whole(times)), whole(1)) if times else found

    return build


_FIELDS = {
    "year": _field("year"),
    "quarter": _field("quarter"),
    "month": _field("month"),
    "day": _field("day"),
    "dayofmonth": _field("day"),
    "dayofweek": _field("dayofweek", -1),
    "weekday": _field("dayofweek", -1),
    "isodow": _field("dayofweek", 5, 7),
    "dayofyear": _field("dayofyear"),
    "week": _field("weekofyear"),
    "weekofyear": _field("weekofyear"),
}
_CLOCK_FIELDS = {name: _field(name) for name in ("hour", "minute", "second")}
_ALIASES = {"dow": "dayofweek", "doy": "dayofyear"}


def _part_of(call: Call) -> exp.Expression:
    unit = _ALIASES.get(call.text(0).lower(), call.text(0).lower())
    known = _FIELDS if call.part.parts[1].family == "date" else _FIELDS | _CLOCK_FIELDS
    if unit not in known:
        raise Unequal(f"'{call.part.name}' of '{unit}'")
    alone = Call(call.writer, replace(call.part, parts=call.part.parts[1:]))
    return known[unit](alone)


def _begun(call: Call) -> exp.Expression:
    unit = call.text(0).lower()
    if unit not in ("year", "quarter", "month", "week", "day", "hour", "minute", "second"):
        raise Unequal(f"'{call.part.name}' to '{unit}'")
    return cast(apply("date_trunc", text(unit), call.writer.typed(call.part.parts[1], "TIMESTAMP")), "timestamp_ntz")


def _moved(sign: int) -> Builder:
    def build(call: Call) -> exp.Expression:
        length = call.part.parts[1].value
        if not isinstance(length, tuple):
            raise Unequal("a time moved by an interval that is not written out")
        months, days, microseconds = length
        if microseconds % 1_000_000:
            raise Unequal("a time moved by parts of a second")
        made = call.writer.typed(call.part.parts[0], "TIMESTAMP")
        for number, unit in ((months, "MONTH"), (days, "DAY"), (microseconds // 1_000_000, "SECOND")):
            if number:
                by = exp.Interval(this=exp.Literal.string(str(sign * number)), unit=exp.var(unit))
                made = exp.Paren(this=exp.Add(this=made, expression=by))
        return made

    return build


def _days_later(sign: int) -> Builder:
    def build(call: Call) -> exp.Expression:
        days = call[1]
        far = both(exp.GT, apply("abs", days), whole(1_000_000))
        near = apply("date_add" if sign > 0 else "date_sub", call[0], cast(unless(far, days, "bigint"), "int"))
        return near

    return build


def _day_made(call: Call) -> exp.Expression:
    year, month, day = call.every
    right = exp.Between(this=year, low=whole(1), high=whole(9999))
    months = exp.Between(this=month, low=whole(1), high=whole(12))
    first = apply("make_date", *(cast(p.copy(), "int") for p in (year, month, whole(1))))
    days = exp.Between(this=day, low=whole(1), high=cast(apply("day", apply("last_day", first)), "bigint"))
    wrong_month = negated(both(exp.And, exp.Paren(this=right), exp.Paren(this=months)))
    made = apply("make_date", *(cast(p.copy(), "int") for p in (year, month, day)))
    return unless(wrong_month, unless(negated(exp.Paren(this=days)), made, "date"), "date")


TIMES: tuple[Entry, ...] = (
    *((name, "date / timestamp", build) for name, build in _FIELDS.items()),
    *((name, "timestamp", build) for name, build in _CLOCK_FIELDS.items()),
    ("date_part datepart", "text date / text timestamp", _part_of),
    ("date_trunc datetrunc", "text date / text timestamp", _begun),
    (
        "date_diff datediff",
        "text date date / text timestamp timestamp / text date timestamp / text timestamp date",
        _boundaries,
    ),
    ("epoch", "timestamp", lambda c: both(exp.Div, cast(_microseconds(c[0]), "double"), double("1000000.0"))),
    ("last_day", "date / timestamp", lambda c: apply("last_day", cast(c[0], "date"))),
    ("days_in_month", "date / timestamp", _days_in_month),
    ("dayname", "date / timestamp", _named("EEEE")),
    ("monthname", "date / timestamp", _named("MMMM")),
    ("make_date", "integer integer integer", _day_made),
    ("strftime", "date text / timestamp text", _formatted),
    ("+ date_add", "date interval / timestamp interval", _moved(1)),
    ("-", "date interval / timestamp interval", _moved(-1)),
    ("+", "date integer", _days_later(1)),
    ("-", "date integer", _days_later(-1)),
    ("-", "date date", lambda c: cast(apply("datediff", *c.every), "bigint")),
)  # fmt: skip
"""Functions of dates and times."""
