"""Conversions that give the same value on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from metroon.base.kinds._words import (
    LARGE,
    SIZES,
    Unequal,
    apply,
    both,
    case,
    cast,
    digits,
    double,
    negated,
    spark_type,
    unless,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from metroon.base.kinds._reading import Part


def to_whole(value: exp.Expression, part: Part) -> exp.Expression:
    """A whole number of fewer bits."""
    bits = SIZES[part.type]
    if bits == 63:
        return value
    outside = negated(exp.Between(this=value.copy(), low=whole(-(2**bits)), high=whole(2**bits - 1)))
    return unless(outside, value, "bigint", gives_null=part.name == "try_cast")


def _rounded(value: exp.Expression, part: Part) -> exp.Expression:
    """The nearest whole number, of two the even one."""
    down = apply("floor", value.copy())
    rest = both(exp.Sub, value, cast(down, "double"))
    is_odd = both(exp.NEQ, both(exp.Mod, down, whole(2)), whole(0))
    is_half = both(exp.And, both(exp.EQ, rest, double("0.5")), is_odd)
    one = case((both(exp.Or, both(exp.GT, rest, double("0.5")), is_half), whole(1)), default=whole(0))
    nearest = both(exp.Add, cast(down, "bigint"), one)
    outside = both(exp.Or, apply("isnan", value.copy()), both(exp.GTE, apply("abs", value.copy()), double(LARGE)))
    # A null stays one: the addition of something to nothing is nothing.
    rounded = case((outside, cast(exp.Null(), "bigint")), default=nearest)
    bits = SIZES[part.type]
    bad = outside
    if bits < 63:
        fits = exp.Between(this=rounded, low=whole(-(2**bits)), high=whole(2**bits - 1))
        bad = both(exp.Or, outside, negated(fits))
    return unless(bad, nearest, "bigint", gives_null=part.name == "try_cast")


def _plain(value: exp.Expression, part: Part) -> exp.Expression:
    return cast(value, spark_type(part))


def _to_decimal(value: exp.Expression, part: Part) -> exp.Expression:
    width, scale = digits(part.type)
    if width - scale < 19:
        raise Unequal(f"a whole number cast to {part.type.lower()}")
    return _plain(value, part)


CASTS: dict[tuple[str, str], Callable[[exp.Expression, Part], exp.Expression]] = {
    ("integer", "integer"): to_whole,
    ("integer", "double"): _plain,
    ("integer", "decimal"): _to_decimal,
    ("integer", "boolean"): lambda v, _: both(exp.NEQ, v, whole(0)),
    ("integer", "text"): _plain,
    ("double", "double"): _plain,
    ("double", "integer"): _rounded,
    ("decimal", "double"): _plain,
    ("decimal", "decimal"): _plain,
    ("boolean", "integer"): lambda v, _: cast(v, "bigint"),
    ("boolean", "boolean"): _plain,
    ("boolean", "text"): _plain,
    ("text", "text"): _plain,
    ("date", "date"): _plain,
    ("date", "timestamp"): _plain,
    ("date", "text"): _plain,
    ("timestamp", "timestamp"): _plain,
    ("timestamp", "date"): _plain,
    ("timestamp", "text"): _plain,
}
"""Conversions that give the same value on both engines, from one family of types to another."""
