"""Lineage: where the class of each column of a product comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from metroon.serve.terminal.console import QUIET, STRONG, Page, grid, heading, indented, line, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.guard import Traced

_MOST = 6


def lineage_page(name: str, found: Sequence[Traced]) -> RenderableType:
    """Every column with its own and its inherited class, and the columns that this one comes from.

    Args:
        name: The product.
        found: Its columns.
    """
    rows = [(t.column, t.declared or "nobody decided", t.inherited or "nobody decided") for t in found]
    table = grid(rows, head=("column", "declared", "inherits"))
    parts: list[RenderableType] = [Text(""), line(("LINEAGE", STRONG), "  ", (name, STRONG)), Text(""), table]
    parts.append(heading("MADE OF, STRICTEST FIRST", after=0))
    parts += [indented(text(f"{t.column}: {_origins(t)}"), 2) for t in found]
    said = "What decides which rows there are counts too: filters, joins, groups and the order."
    return Page((*parts, Text(""), text(said, QUIET), Text("")))


def _origins(traced: Traced) -> str:
    if not traced.origins:
        return "nothing of another product"
    told = ", ".join(
        f"{o.product}.{o.column} ({o.classification or 'nobody decided'}{', decides the rows' * o.decides})"
        for o in traced.origins[:_MOST]
    )
    more = len(traced.origins) - _MOST
    rest = f" and {more:,} more" if more > 0 else ""
    why = f"; it cannot be told, so it is taken to be made of all: {traced.why_not}" if traced.why_not else ""
    by = f"; its class was lowered by {traced.declassified_by}" if traced.declassified_by else ""
    return f"{told}{rest}{why}{by}"
