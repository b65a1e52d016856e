"""Arithmetic and rounding, as DuckDB does them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from metroon.base.kinds._call import Builder, Call, Entry, same
from metroon.base.kinds._casts import to_whole
from metroon.base.kinds._words import (
    DIGITS,
    LARGE,
    SIZES,
    WHOLE_DOUBLES,
    Unequal,
    apply,
    both,
    case,
    cast,
    chain,
    digits,
    double,
    negated,
    text,
    type_name,
    unless,
    whole,
)

if TYPE_CHECKING:
    from metroon.base.kinds._reading import Part


def _bounded(operator: type[exp.Binary]) -> Builder:
    """Arithmetic of whole numbers; what does not fit DuckDB's type stops the query, as it does there."""

    def build(call: Call) -> exp.Expression:
        return _fitting(
            chain(operator, call.every), chain(operator, [cast(a, "double") for a in call.every]), call.part
        )

    return build


def _fitting(exact: exp.Expression, rough: exp.Expression, part: Part) -> exp.Expression:
    if part.family != "integer":
        raise Unequal(f"'{part.name}' that gives a {type_name(part.type)}")
    if SIZES[part.type] < 63:
        return to_whole(exact, replace(part, name="cast"))
    return unless(both(exp.GTE, apply("abs", rough), double(LARGE)), exact, "bigint")


def _decimals(operator: type[exp.Binary]) -> Builder:
    """Arithmetic of decimals, and of decimals with whole numbers, where the result holds every digit."""

    def build(call: Call) -> exp.Expression:
        kinds = [f"DECIMAL({DIGITS[p.type]},0)" if p.family == "integer" else p.type for p in call.part.parts]
        (a, b), (c, d) = map(digits, kinds)
        needed = a + c if operator is exp.Mul else max(a - b, c - d) + max(b, d) + 1
        if call.part.family != "decimal" or needed > 37 or needed > digits(call.part.type)[0]:
            raise Unequal(f"'{call.part.name}' of decimals of that many digits; cast one to double")
        operands = [cast(call[at], kind) for at, kind in enumerate(kinds)]
        return cast(chain(operator, operands), call.part.type)

    return build


def _doubles(operator: type[exp.Binary]) -> Builder:
    return lambda call: chain(operator, [call.writer.typed(p, "DOUBLE") for p in call.part.parts])


def _divided(call: Call) -> exp.Expression:
    """Division as of doubles: by 0 it gives infinity or nan, where Spark SQL stops."""
    above, below = (call.writer.typed(p, "DOUBLE") for p in call.part.parts)
    is_zero = both(exp.EQ, below, double("0.0"))
    is_negative = exp.Like(this=cast(below.copy(), "string"), expression=text("-%"))
    infinity = case((is_negative, double("-Infinity")), default=double("Infinity"))
    safe = case((is_zero, double("1.0")), default=below)
    return case((is_zero, both(exp.Mul, above, infinity)), default=both(exp.Div, above, safe))


def _whole_division(operator: type[exp.Binary]) -> Builder:
    def build(call: Call) -> exp.Expression:
        above, below = call.every
        is_zero = both(exp.EQ, below, whole(0))
        safe = case((is_zero, whole(1)), default=below)
        least = both(exp.LTE, above, whole(-(2 ** SIZES[call.part.type])))
        leaves = both(exp.And, both(exp.EQ, below, whole(-1)), least)
        return unless(both(exp.Or, is_zero, leaves), both(operator, above, safe), "bigint")

    return build


def _floored(function: str) -> Builder:
    """Rounding of doubles that stays a double: Spark SQL makes a whole number of it, and cuts large ones off."""

    def build(call: Call) -> exp.Expression:
        value = call[0]
        is_whole = both(exp.GTE, apply("abs", value), double(WHOLE_DOUBLES))
        as_is = both(exp.Or, apply("isnan", value.copy()), is_whole)
        return case((as_is, value), default=cast(apply(function, value.copy()), "double"))

    return build


def _cut(call: Call) -> exp.Expression:
    down, up = (_floored(f)(call) for f in ("floor", "ceil"))
    return case((both(exp.LT, call[0], double("0.0")), up), default=down)


def _signed(call: Call) -> exp.Expression:
    value, is_double = call[0], call.part.parts[0].family == "double"
    zero = double("0.0") if is_double else whole(0)
    checks = [(both(exp.GT, value, zero), whole(1)), (both(exp.LT, value, zero), whole(-1))]
    if is_double:
        checks.insert(0, (apply("isnan", value.copy()), whole(0)))
    return case(*checks, (both(exp.EQ, value, zero), whole(0)), default=cast(exp.Null(), "bigint"))


def _finite(call: Call) -> exp.Expression:
    return negated(both(exp.Or, apply("isnan", call[0]), _infinite(call)))


def _infinite(call: Call) -> exp.Expression:
    return both(exp.EQ, apply("abs", call[0]), double("Infinity"))


def _rounded(call: Call) -> exp.Expression:
    """A double rounded to digits after the point; as it is where DuckDB finds it too large to round."""
    number = call.number(1, low=0, high=6)
    shifted = apply("abs", both(exp.Mul, call[0], double(f"1e{number}")))
    rounded = apply("round", call[0], exp.Literal.number(number))
    return case((both(exp.EQ, shifted, double("Infinity")), call[0]), default=rounded)


_NUMBERS = "integer integer / double double / integer double / double integer / decimal double / double decimal"
_PARTLY = "decimal decimal / decimal integer / integer decimal"
_MIXED = "decimal double / double decimal / decimal decimal / decimal integer / integer decimal"
NUMBERS: tuple[Entry, ...] = (
    ("+", "integer integer", _bounded(exp.Add)),
    ("-", "integer integer", _bounded(exp.Sub)),
    ("*", "integer integer", _bounded(exp.Mul)),
    ("+", "double double / integer double / double integer / decimal double / double decimal", _doubles(exp.Add)),
    ("-", "double double / integer double / double integer / decimal double / double decimal", _doubles(exp.Sub)),
    ("*", "double double / integer double / double integer / decimal double / double decimal", _doubles(exp.Mul)),
    ("+", _PARTLY, _decimals(exp.Add)),
    ("-", _PARTLY, _decimals(exp.Sub)),
    ("*", _PARTLY, _decimals(exp.Mul)),
    ("/", f"{_NUMBERS} / {_MIXED}", _divided),
    ("//", "integer integer", _whole_division(exp.IntDiv)),
    ("% mod", "integer integer", _whole_division(exp.Mod)),
    ("-", "integer", lambda c: _fitting(exp.Neg(this=c[0]), cast(c[0], "double"), c.part)),
    ("-", "double / decimal", lambda c: exp.Paren(this=exp.Neg(this=c[0]))),
    ("abs", "integer", lambda c: _fitting(apply("abs", c[0]), cast(c[0], "double"), c.part)),
    ("abs", "double", same("abs")),
    ("sign", "integer / double", _signed),
    ("floor", "double", _floored("floor")),
    ("ceil ceiling", "double", _floored("ceil")),
    ("trunc", "double", _cut),
    ("round", "double", same("round")),
    ("round", "double integer", _rounded),
    ("sqrt", "double / integer", lambda c: apply("sqrt", c.writer.typed(c.part.parts[0], "DOUBLE"))),
    ("isnan", "double", same("isnan")),
    ("isinf", "double", _infinite),
    ("isfinite", "double", _finite),
)  # fmt: skip
"""Functions of numbers."""
