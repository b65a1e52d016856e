"""The city's own expressions in Spark SQL, where both engines give the same value for every row.

What is not in the tables of these modules is refused: Spark's function of the same name may round, compare or fail
in another way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from metroon.base.kinds._call import Call
from metroon.base.kinds._casts import CASTS
from metroon.base.kinds._functions import CALLS, SPECIAL
from metroon.base.kinds._reading import Part, family
from metroon.base.kinds._words import (
    WIDER,
    Unequal,
    apply,
    both,
    case,
    cast,
    chain,
    common_type,
    comparable,
    is_same,
    is_wider,
    negated,
    spark_type,
    text,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from metroon.base.kinds._reading import Reader

_COMPARISONS: dict[str, type[exp.Binary]] = {
    "COMPARE_EQUAL": exp.EQ,
    "COMPARE_NOTEQUAL": exp.NEQ,
    "COMPARE_LESSTHAN": exp.LT,
    "COMPARE_LESSTHANOREQUALTO": exp.LTE,
    "COMPARE_GREATERTHAN": exp.GT,
    "COMPARE_GREATERTHANOREQUALTO": exp.GTE,
}
_IDENTITIES = ("COMPARE_DISTINCT_FROM", "COMPARE_NOT_DISTINCT_FROM")


def spark(reader: Reader, part: Part) -> exp.Expression:
    """An expression of Spark SQL that gives what DuckDB gives for a part.

    Whole numbers are 64 bits wide inside of it; the last cast makes them what DuckDB makes them.

    Raises:
        Unequal: It holds something that may differ.
        duckdb.Error: A text in it does not fit its place.
    """
    return cast(_Writer(reader).write(part), spark_type(part))


def _typed(reader: Reader, part: Part, kind: str) -> Part:
    """A part in the type that its place asks for, where every value of its own type has one there."""
    if part.type == kind:
        return part
    if part.is_literal:
        return reader.cast(part, kind)
    pair = (part.family, family(kind))
    if part.role == "value" and pair in WIDER:
        return reader.cast(part, kind)
    if pair in WIDER or (pair == ("decimal", "decimal") and is_wider(part.type, kind)):
        return Part("made", "widened", kind, (part,), text=part.text)
    raise Unequal(f"a {type_name(part.type)} where a {type_name(kind)} is asked for")


@dataclass(frozen=True)
class _Writer:
    reader: Reader

    def write(self, part: Part) -> exp.Expression:
        """A part, with whole numbers 64 bits wide."""
        if part.role == "value":
            return _constant(part)
        if part.role == "column":
            return self._column(part)
        if part.name in ("cast", "try_cast"):
            return self._converted(part)
        if part.name == "widened":
            return self._widened(part)
        if part.name in (*_IDENTITIES, *_COMPARISONS):
            return self.compared(part.name, *part.parts)
        if part.name in _SHAPES:
            return _SHAPES[part.name](self, part)
        return self._called(part)

    def compared(self, how: str, left: Part, right: Part) -> exp.Expression:
        """A comparison of two parts in their common type."""
        kind = common_type([left, right])
        a, b = (comparable(self.typed(p, kind), kind) for p in (left, right))
        if how in _IDENTITIES:
            return is_same(a, b) if how == "COMPARE_NOT_DISTINCT_FROM" else negated(is_same(a, b))
        return both(_COMPARISONS[how], a, b)

    def boolean(self, part: Part) -> exp.Expression:
        """A condition."""
        return self.write(_typed(self.reader, part, "BOOLEAN"))

    def typed(self, part: Part, kind: str) -> exp.Expression:
        """A part in another type."""
        return self.write(_typed(self.reader, part, kind))

    def _column(self, part: Part) -> exp.Expression:
        column = exp.column(part.name, quoted=True)
        return cast(column, "bigint") if part.family == "integer" else column

    def _called(self, part: Part) -> exp.Expression:
        if part.name in SPECIAL:
            return SPECIAL[part.name](Call(self, part))
        known = CALLS.get(part.name, {})
        families = tuple(p.family for p in part.parts)
        found = known.get(families) or (known.get((*families[:1], "...")) if len(set(families)) == 1 else None)
        if found is None:
            told = ", ".join(type_name(p.type) for p in part.parts)
            raise Unequal(f"'{part.name}' of ({told})" if known else f"'{part.name}'")
        return found(Call(self, part))

    def _converted(self, part: Part) -> exp.Expression:
        (given,) = part.parts
        pair = (given.family, part.family)
        if pair == ("decimal", "decimal") and not is_wider(given.type, part.type):
            raise Unequal("a decimal cast to one of fewer digits")
        if given.type == part.type and part.family:
            return self.write(given)
        if (convert := CASTS.get(pair)) is None:
            raise Unequal(f"a {type_name(given.type)} cast to a {type_name(part.type)}")
        return convert(self.write(given), part)

    def _widened(self, part: Part) -> exp.Expression:
        (given,) = part.parts
        made = self.write(given)
        return made if given.family == part.family == "integer" else cast(made, spark_type(part))


def _constant(part: Part) -> exp.Expression:
    value, kind = part.value, spark_type(replace(part, type="BIGINT") if part.family == "integer" else part)
    if value is None:
        return cast(exp.Null(), kind)
    return exp.Boolean(this=value) if isinstance(value, bool) else cast(text(str(value)), kind)


# Shapes that are no functions


def _alternatives(writer: _Writer, part: Part) -> exp.Expression:
    *checks, last = part.parts
    made = [(writer.boolean(c), writer.typed(v, part.type)) for c, v in zip(checks[::2], checks[1::2], strict=True)]
    return case(*made, default=writer.typed(last, part.type))


def _among(writer: _Writer, part: Part) -> exp.Expression:
    kind = common_type(part.parts)
    first, *rest = (comparable(writer.typed(p, kind), kind) for p in part.parts)
    if kind == "DOUBLE":  # in a list Sail takes 0.0 and -0.0 for two
        return chain(exp.Or, [both(exp.EQ, first, r) for r in rest])
    return exp.Paren(this=exp.In(this=first, expressions=rest))


def _between(writer: _Writer, part: Part) -> exp.Expression:
    kind = common_type(part.parts)
    value, low, high = (comparable(writer.typed(p, kind), kind) for p in part.parts)
    return both(exp.And, both(exp.GTE, value, low), both(exp.LTE, value, high))


def _is_null(writer: _Writer, part: Part) -> exp.Expression:
    (given,) = part.parts
    # Of a column only whether it is there is asked, so its type does not matter.
    value = exp.column(given.name, quoted=True) if given.role == "column" else writer.write(given)
    return exp.Paren(this=exp.Is(this=value, expression=exp.Null()))


_SHAPES: dict[str, Callable[[_Writer, Part], exp.Expression]] = {
    "case": _alternatives,
    "CONJUNCTION_AND": lambda w, p: chain(exp.And, [w.boolean(c) for c in p.parts]),
    "CONJUNCTION_OR": lambda w, p: chain(exp.Or, [w.boolean(c) for c in p.parts]),
    "OPERATOR_NOT": lambda w, p: negated(w.boolean(p.parts[0])),
    "OPERATOR_IS_NULL": _is_null,
    "OPERATOR_IS_NOT_NULL": lambda w, p: negated(_is_null(w, p)),
    "OPERATOR_COALESCE": lambda w, p: apply("coalesce", *(w.typed(c, p.type) for c in p.parts)),
    "COMPARE_IN": _among,
    "COMPARE_NOT_IN": lambda w, p: negated(_among(w, p)),
    "COMPARE_BETWEEN": _between,
}
