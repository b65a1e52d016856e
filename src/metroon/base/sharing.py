"""Sharing: what several columns compute is computed once, layer upon layer, however often they spell it out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import ibis.expr.operations as ops
from ibis.common.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibis.expr.types import Value

    from metroon.base.engine import Engine, Relation

_PLAIN = (ops.Field, ops.Literal, ops.Alias, ops.IsNull, ops.NotNull, ops.Not, ops.And, ops.Or)
"""What costs nothing to compute again."""


def shared(engine: Engine, rows: Relation, columns: Mapping[str, Value]) -> Relation:
    """The columns over some rows, with everything that stands more than once in them computed once.

    The engine computes an expression as often as it is spelled out, also where a condition and the value that it
    guards say the same.

    Args:
        engine: The engine.
        rows: The rows that the columns are computed from.
        columns: Name -> expression over them.
    """
    named = {name: value.op() for name, value in columns.items()}
    while repeated := _innermost(named):
        names = {node: f"_shared{i}" for i, node in enumerate(repeated)}
        again = {n for n in rows.columns if n.startswith("_shared")}
        names = {node: f"_shared{len(again) + i}" for i, node in enumerate(repeated)}
        layer = engine.view(rows.select(*rows.columns, **{name: node.to_expr() for node, name in names.items()}))
        fields = {node: layer[name].op() for node, name in names.items()}
        fields |= {rows[name].op(): layer[name].op() for name in rows.columns}
        named = {name: node.replace(fields) for name, node in named.items()}
        rows = layer
    return engine.view(rows.select(**{name: node.to_expr() for name, node in named.items()}))


def _innermost(named: Mapping[str, Any]) -> list[Any]:
    """Expressions that stand there more than once and hold no other such expression."""
    graph = Graph()
    for node in named.values():
        graph.update(Graph.from_bfs(node, filter=ops.Value))
    uses = Counter(child for children in graph.values() for child in children)
    uses.update(named.values())
    repeated = {n for n, times in uses.items() if times > 1 and not isinstance(n, _PLAIN)}
    return [n for n in repeated if not any(d in repeated for d in Graph.from_bfs(n, filter=ops.Value) if d is not n)]
