"""DuckDB's functions in the words of Spark SQL, by name and types of their arguments.

Where the two differ for some values, the words say what DuckDB gives, or stop the query there.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from metroon.base.kinds._call import Builder, Call, Entry
from metroon.base.kinds._numbers import NUMBERS
from metroon.base.kinds._texts import TEXTS
from metroon.base.kinds._times import TIMES
from metroon.base.kinds._words import apply, case, cast, comparable, spark_type

if TYPE_CHECKING:
    from collections.abc import Iterable


def _nothing_if(call: Call) -> exp.Expression:
    value, other = call.part.parts
    same = call.writer.compared("COMPARE_EQUAL", value, other)
    kind = spark_type(replace(call.part, type="BIGINT") if call.part.family == "integer" else call.part)
    return case((same, cast(exp.Null(), kind)), default=call.writer.typed(value, call.part.type))


def _if(call: Call) -> exp.Expression:
    condition, yes, no = call.part.parts
    writer, kind = call.writer, call.part.type
    return case((writer.boolean(condition), writer.typed(yes, kind)), default=writer.typed(no, kind))


def _extreme(function: str) -> Builder:
    def build(call: Call) -> exp.Expression:
        kind = call.part.type
        return apply(function, *(comparable(call.writer.typed(p, kind), kind) for p in call.part.parts))

    return build


_ANY: tuple[Entry, ...] = (
    ("greatest", "integer ... / double ... / text ... / date ... / timestamp ...", _extreme("greatest")),
    ("least", "integer ... / double ... / text ... / date ... / timestamp ...", _extreme("least")),
)


def _table(entries: Iterable[Entry]) -> dict[str, dict[tuple[str, ...], Builder]]:
    made: dict[str, dict[tuple[str, ...], Builder]] = {}
    for names, signatures, build in entries:
        for name in names.split():
            made.setdefault(name, {}).update({tuple(s.split()): build for s in signatures.split(" / ")})
    return made


CALLS = _table((*NUMBERS, *TEXTS, *TIMES, *_ANY))
"""Name -> families of the arguments -> how it is written; ``...`` stands for more arguments of the same family."""
SPECIAL: dict[str, Builder] = {"if": _if, "nullif": _nothing_if}
"""Functions whose arguments are of any type."""
FUNCTIONS = frozenset(n for n in CALLS if re.fullmatch(r"\w+", n)) | frozenset(SPECIAL)
"""DuckDB's functions that have words here; all others are refused."""
