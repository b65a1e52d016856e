"""Words of Spark SQL, and the types in which both engines hold the same values."""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING

from sqlglot import exp

from metroon.base.kinds._reading import family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.base.kinds._reading import Part

STOPPED = "a value does not fit"
"""What a query says that stops at a value."""
SIZES = {"TINYINT": 7, "SMALLINT": 15, "INTEGER": 31, "BIGINT": 63}
"""Bits of DuckDB's whole numbers, without the sign."""
DIGITS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}
"""Digits of DuckDB's whole numbers, as decimals."""
# Beyond it a sum of two 64-bit numbers may have left their range; the margin is the rounding of a double.
LARGE = "9.2e18"
WHOLE_DOUBLES = "9007199254740992.0"  # 2 ** 53: from here on every double is a whole number


class Unequal(ValueError):  # noqa: N818  # a decision, told as a problem
    """Nobody has shown that the two engines give the same value; the message names the function or the types."""


def spark_type(part: Part) -> str:
    """The type of a part in Spark SQL.

    Raises:
        Unequal: The engines do not both have it.
    """
    kinds = {"text": "string", "timestamp": "timestamp_ntz", "integer": "bigint"}
    if part.family in ("", "interval"):
        raise Unequal(f"values of the type {part.type}")
    return {"INTEGER": "int"}.get(part.type, part.type) if part.type in SIZES else kinds.get(part.family, part.type)


def apply(name: str, *arguments: exp.Expression) -> exp.Expression:
    """A function of Spark SQL with its arguments."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def both(what: type[exp.Binary], left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """An operator between two expressions, in brackets."""
    return exp.Paren(this=what(this=left.copy(), expression=right.copy()))


def chain(what: type[exp.Binary], parts: Sequence[exp.Expression]) -> exp.Expression:
    """An operator between each expression and the next."""
    return reduce(lambda a, b: both(what, a, b), parts)


def negated(what: exp.Expression) -> exp.Expression:
    """The opposite of a condition."""
    return exp.Paren(this=exp.Not(this=what))


def cast(what: exp.Expression, kind: str) -> exp.Expression:
    """An expression in a type of Spark SQL."""
    return exp.Cast(this=what, to=exp.DataType.build(kind, dialect="spark"))


def is_same(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """Whether two values are equal, or both unknown."""
    # Sail 0.7 cannot group by the rows of IS NOT DISTINCT FROM.
    unknown = both(
        exp.And, exp.Is(this=left.copy(), expression=exp.Null()), exp.Is(this=right.copy(), expression=exp.Null())
    )
    return apply("coalesce", both(exp.EQ, left, right), unknown)


def comparable(value: exp.Expression, kind: str) -> exp.Expression:
    """A value as DuckDB compares it: nan is above all numbers, whatever its sign."""
    if kind != "DOUBLE" or not list(value.find_all(exp.Column)):
        return value
    return case((apply("isnan", value.copy()), double("NaN")), default=value)


def text(value: str) -> exp.Expression:
    """A text."""
    return exp.Literal.string(value)


def whole(value: int) -> exp.Expression:
    """A whole number of 64 bits."""
    return cast(exp.Literal.string(str(value)), "bigint")


def double(value: str) -> exp.Expression:
    """A double, written as Python writes it."""
    return cast(exp.Literal.string(value), "double")


def case(*checks: tuple[exp.Expression, exp.Expression], default: exp.Expression) -> exp.Expression:
    """The value of the first condition that holds."""
    return exp.Case(ifs=[exp.If(this=c.copy(), true=v.copy()) for c, v in checks], default=default.copy())


def unless(bad: exp.Expression, good: exp.Expression, kind: str, *, gives_null: bool = False) -> exp.Expression:
    """What is good, where it is not bad; there the query stops, or the value is null."""
    return case((bad, cast(exp.Null() if gives_null else apply("raise_error", text(STOPPED)), kind)), default=good)


WIDER = {
    ("integer", "integer"), ("integer", "double"), ("integer", "decimal"), ("decimal", "double"), ("date", "timestamp"),
}  # fmt: skip
"""Pairs of families where every value of the first has one in the second."""


def is_wider(narrow: str, wide: str) -> bool:
    """Whether every value of a decimal type has one in another."""
    (a, b), (c, d) = (digits(k) for k in (narrow, wide))
    return d >= b and c - d >= a - b


def digits(decimal: str) -> tuple[int, int]:
    """All digits of a decimal type, and those after the point.

    Example:
        >>> digits("DECIMAL(10,2)")
        (10, 2)
    """
    width, scale = re.findall(r"\d+", decimal)
    return int(width), int(scale)


def type_name(kind: str) -> str:
    """What a steward calls a type of DuckDB."""
    told = {"integer": "whole number", "double": "number", "boolean": "truth value", "": kind.lower()}
    return told.get(family(kind), family(kind))


def common_type(parts: Sequence[Part]) -> str:
    """The type in which DuckDB compares parts: texts and nulls in the query take that of the others."""
    kinds = [p.type for p in parts if not p.is_literal] or ["VARCHAR"]
    found = {family(k) for k in kinds}
    if found == {"integer"}:
        return "BIGINT"
    if len(found) == 1 and "" not in found and "interval" not in found:
        return kinds[0] if found != {"decimal"} else _widest(kinds)
    if found <= {"integer", "decimal", "double"}:
        exact = [f"DECIMAL({DIGITS[k]},0)" if k in DIGITS else k for k in kinds]
        return "DOUBLE" if "double" in found else _widest(exact)
    if found == {"date", "timestamp"}:
        return "TIMESTAMP"
    raise Unequal(" and ".join(sorted({f"a {type_name(k)}" for k in kinds})) + " compared with each other")


def _widest(decimals: Sequence[str]) -> str:
    found = [digits(d) for d in decimals]
    scale = max(s for _, s in found)
    width = scale + max(w - s for w, s in found)
    if width > 38:
        raise Unequal("decimals of that many digits compared with each other")
    return f"DECIMAL({width},{scale})"
