"""Our own Ibis expressions, as far as they give the same rows on DuckDB and on Spark SQL.

Ibis writes the same expression in the words of either engine; it does not promise that both then give the same value.
What is not in the list of this module is refused.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from metroon.base.kinds._words import LARGE, STOPPED, Unequal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from metroon.base.engine import Relation

_SAME = frozenset(
    """
    Aggregate Alias And Between Coalesce Count CountDistinct CountStar DatabaseTable Distinct DropColumns Equals
    ExtractDay ExtractMonth ExtractQuarter ExtractYear Field FillNull Filter Greater GreaterEqual IdenticalTo IfElse
    IsNull JoinChain JoinLink JoinReference JoinTable Less LessEqual Limit Literal NotEquals NotNull Not
    Or Project ScalarSubquery SearchedCase SelfReference Sort SortKey StringConcat
    """.split()  # noqa: SIM905  # fifty quotes help nobody
)
_COMPARING = (
    ops.Between, ops.CountDistinct, ops.Equals, ops.Greater, ops.GreaterEqual, ops.Less,
    ops.LessEqual, ops.NotEquals,
)  # fmt: skip
# Any value does, where whether it is known is compared too.
_INSTEAD: dict[type, Any] = {
    dt.Float64: 0.0, dt.Int64: 0, dt.Int32: 0, dt.String: "", dt.Boolean: False, dt.Date: date(1970, 1, 1),
}  # fmt: skip
_FORMAT = re.compile(r"(?:%[Ymd]|[ .:/_-])*")
_TIMES = (dt.Date, dt.Timestamp)
_CASTS: tuple[tuple[type | tuple[type, ...], type | tuple[type, ...]], ...] = (
    (dt.Boolean, (dt.Integer, dt.String)),
    (dt.Integer, (dt.Int64, dt.Float64, dt.String)),
    (dt.Date, (dt.Timestamp, dt.String)),
    (dt.Timestamp, (dt.Date, dt.String)),
    (dt.Null, dt.DataType),
    (dt.Int64, dt.Decimal),
)


@ibis.udf.agg.builtin(name="bit_or", signature=(("int64",), "int64"))  # type: ignore[untyped-decorator]  # Ibis has no types of its own
def _bit_or(bits: Any) -> dt.int64:
    """All bits that any row has."""


@ibis.udf.scalar.builtin(name="shiftleft", signature=(("int64", "int32"), "int64"))  # type: ignore[untyped-decorator]  # as above
def _shift_left(bits: Any, by: Any) -> dt.int64:
    """Bits moved to the left."""


@ibis.udf.scalar.builtin(name="isnull", signature=(("float64",), "boolean"))  # type: ignore[untyped-decorator]  # as above
def _is_null(number: Any) -> dt.boolean:
    """Whether a number is unknown; nan is known to be none."""


@ibis.udf.scalar.builtin(name="unix_micros", signature=(("timestamp('UTC')",), "int64"))  # type: ignore[untyped-decorator]  # as above
def _microseconds(moment: Any) -> dt.int64:
    """Microseconds since 1970."""


@ibis.udf.scalar.builtin(name="raise_error", signature=(("string",), "string"))  # type: ignore[untyped-decorator]  # as above
def _stop(why: Any) -> dt.string:
    """No value: the query stops."""


def portable(relation: Relation) -> Relation:
    """A relation in operations that give the same rows on both engines.

    Raises:
        Unequal: One of its operations may not.
    """

    def looked_at(node: ops.Node, made: Mapping[str, Any] | None) -> ops.Node:
        # Told before it is made anew: the types are those that Ibis gave it.
        if type(node).__name__ not in _SAME:
            look = _LOOKED_AT.get(type(node))
            if look is None or not look(node):
                raise Unequal(f"'{_words(node)}'")
        return _reworded(node.__recreate__(made) if made else node)

    return relation.op().replace(looked_at).to_expr()


def _reworded(node: ops.Node) -> ops.Node:
    # Ibis has no words of Spark SQL for the one, and would count in 32 bits in the other.
    if isinstance(node, ops.BitOr):
        where = node.where.to_expr() if node.where is not None else None
        return _bit_or(node.arg.to_expr(), where=where).op()
    if isinstance(node, ops.BitwiseLeftShift):
        bits = ibis.literal(node.left.value, "int32").cast("int64")
        return _shift_left(bits, node.right.to_expr().cast("int32")).op()
    if isinstance(node, ops.Aggregate):
        return node.copy(groups={name: _one_zero(key) for name, key in node.groups.items()})
    if isinstance(node, ops.Distinct):
        return ops.Distinct(ops.Project(node.parent, {n: _one_zero(f) for n, f in node.parent.fields.items()}))
    if isinstance(node, (ops.IsNull, ops.NotNull)) and node.arg.dtype.is_floating():
        # Ibis takes nan for null on Spark.
        unknown = _is_null(node.arg.to_expr())
        return (unknown if isinstance(node, ops.IsNull) else ~unknown).op()
    if isinstance(node, ops.Literal) and node.dtype.is_floating() and node.value is not None:
        return _double(node.value).op()
    if isinstance(node, ops.Floor):
        number = node.arg.to_expr()
        # DuckDB stops where the number has no whole one of 64 bits; Sail takes the nearest that there is.
        fits = ~number.isnan() & (number.abs() < _double(float(LARGE)))
        return (_is_null(number) | fits).ifelse(number.floor(), _stop(STOPPED).cast("int64")).op()
    if isinstance(node, ops.ExtractEpochSeconds):
        # With parts of a second, as DuckDB gives them.
        return (_microseconds(node.arg.to_expr().cast(dt.Timestamp("UTC"))).cast("float64") / _double(1e6)).op()
    if isinstance(node, ops.IdenticalTo):
        return _identical(_one_zero(node.left).to_expr(), _one_zero(node.right).to_expr())
    if isinstance(node, _COMPARING):
        return node.copy(**{n: _one_zero(a) for n, a in zip(node.argnames, node.args, strict=True)})
    return node


def _identical(left: ibis.Value, right: ibis.Value) -> ops.Node:
    """Equal, or both unknown, as two equalities: Sail joins by those, and else compares every row with every other."""
    instead = next((v for kind, v in _INSTEAD.items() if isinstance(left.type(), kind)), None)
    if instead is None or type(left.type()) is not type(right.type()):
        raise Unequal(f"'identical to' of {left.type()} and {right.type()}")
    known = [v.coalesce(_double(instead) if isinstance(instead, float) else instead) for v in (left, right)]
    unknown = [_is_null(v) if v.type().is_floating() else v.isnull() for v in (left, right)]
    return ((known[0] == known[1]) & (unknown[0] == unknown[1])).op()


def _one_zero(value: Any) -> Any:
    """A value of which there is one zero and one nan, above all numbers, as in DuckDB: Sail looks at their bits."""
    if not isinstance(value, ops.Value) or not value.dtype.is_floating() or isinstance(value, ops.Literal):
        return value
    number = value.to_expr()
    return number.isnan().ifelse(_double(float("nan")), number + _double(0.0)).op()


def _double(value: float) -> ibis.Value:
    # What has a point is a decimal in Spark SQL, and makes decimals of the doubles beside it.
    return ibis.literal(str(value)).cast("float64")


def _words(node: ops.Node) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).lower()
    kinds = [str(a.dtype) for a in node.__args__ if isinstance(a, ops.Value)]
    return f"{name} of {', '.join(kinds)}" if kinds else name


def _is_same_cast(node: ops.Cast) -> bool:
    given, wanted = node.arg.dtype, node.to
    if isinstance(node.arg, ops.Sum) and node.arg.arg.dtype == wanted == dt.Decimal(38, 0):
        return True  # of a sum of decimals Ibis believes another scale than either engine gives
    if type(given) is type(wanted):
        return not given.is_decimal() or given == wanted
    return any(isinstance(given, a) and isinstance(wanted, b) for a, b in _CASTS) and not _has_zone(given, wanted)


def _has_zone(*kinds: dt.DataType) -> bool:
    return any(isinstance(k, dt.Timestamp) and k.timezone for k in kinds)


def _is_small(node: ops.Value) -> bool:
    """Whether a whole number fits 32 bits, so that a sum over rows fits 64."""
    if isinstance(node, ops.Cast) and node.to.is_integer():
        return node.arg.dtype.is_boolean() or _is_small(node.arg)
    if isinstance(node, ops.IfElse):
        return all(_is_small(a) for a in (node.true_expr, node.false_null_expr))
    if isinstance(node, ops.Literal):
        return node.value is None or (node.dtype.is_integer() and abs(node.value) < 2**31)
    return bool(node.dtype.is_boolean() or (node.dtype.is_integer() and node.dtype.nbytes <= 4))


def _is_safe_sum(node: ops.Sum) -> bool:
    # Sums of doubles are the same but for the order of rows, which no engine keeps; whole numbers must not overflow.
    return bool(node.arg.dtype.is_floating()) or node.arg.dtype == dt.Decimal(38, 0) or _is_small(node.arg)


def _is_ordered(node: ops.Min | ops.Max) -> bool:
    # Of doubles with a nan among them Sail gives another one.
    return isinstance(node.arg.dtype, (dt.Integer, dt.Boolean, dt.String, *_TIMES))


def _is_ratio(node: ops.Divide) -> bool:
    # Of what is divided by nothing the engines think otherwise.
    return _are_doubles(node) and isinstance(node.right, ops.Literal) and bool(node.right.value)


def _are_doubles(node: ops.Binary) -> bool:
    return isinstance(node.left.dtype, dt.Float64) and isinstance(node.right.dtype, dt.Float64)


_LOOKED_AT: dict[type, Callable[[Any], bool]] = {
    ops.InValues: lambda n: not n.value.dtype.is_floating(),
    ops.NullIf: lambda n: not n.dtype.is_floating(),
    ops.SimpleCase: lambda n: not n.base.dtype.is_floating(),
    ops.Cast: _is_same_cast,
    ops.Sum: _is_safe_sum,
    ops.Min: _is_ordered,
    ops.Max: _is_ordered,
    ops.Add: _are_doubles,
    ops.Subtract: _are_doubles,
    ops.Multiply: _are_doubles,
    ops.Divide: _is_ratio,
    ops.Floor: lambda n: isinstance(n.arg.dtype, dt.Float64),
    ops.Greatest: lambda n: all(isinstance(a.dtype, _TIMES) for a in n.arg),
    ops.ExtractEpochSeconds: lambda n: isinstance(n.arg.dtype, dt.Timestamp) and not n.arg.dtype.timezone,
    ops.Union: lambda n: not n.distinct,
    ops.Strftime: lambda n: isinstance(n.format_str, ops.Literal) and bool(_FORMAT.fullmatch(n.format_str.value)),
    ops.BitOr: lambda n: n.arg.dtype.is_integer(),
    ops.BitwiseLeftShift: lambda n: isinstance(n.left, ops.Literal) and 0 <= n.left.value < 2**31,
}
