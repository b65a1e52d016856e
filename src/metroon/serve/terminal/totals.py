"""Totals: what was withheld of a table with totals, what is proven, and what would be less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from metroon.guard import coarser
from metroon.serve.terminal.console import BAD, GOOD, QUIET, STRONG, Page, grid, heading, indented, labelled, line, text
from metroon.serve.terminal.words import counted, number

if TYPE_CHECKING:
    from rich.console import RenderableType

    from metroon.guard import Coarser, ProtectedTable

_MOST_OPTIONS = 4


def totals_page(found: ProtectedTable, *, limit: float) -> RenderableType:
    """A protected table on one page, for those who are about to publish it.

    Args:
        found: The table.
        limit: Above this share of hidden cells, ways to make it coarser are shown.
    """
    made = found.table
    shape = " x ".join(f"{d.name} ({number(len(d.codes))})" for d in made.dimensions)
    rows: list[tuple[str, RenderableType]] = [
        ("dimensions", text(shape)),
        ("cells", text(f"{number(made.cells)} with totals, {number(int(found.telling.sum()))} of them count anything")),
        ("primary", text(f"{_share(found.primary.sum(), made.cells)} tell too much by themselves")),
        ("secondary", text(f"{number(int((found.hidden & ~found.primary).sum()))} more would give these away")),
        ("hidden", text(f"{found.hidden_share:.0%} of the cells that count anything")),
        ("shown", text(f"{found.events_share:.0%} of the events are counted in a finest cell that is shown")),
        ("failing", _failing(found)),
        ("time", text(f"{found.seconds:.1f} s of one processor")),
    ]
    parts: list[RenderableType] = [Text(""), line(("TABLE", STRONG), "  ", (made.name, STRONG)), Text("")]
    parts += [labelled(rows), heading("PROVEN", after=0), *(indented(text(w), 2) for w in found.told)]
    if found.hidden_share > limit:
        parts += [heading(f"TOO FINE: more than {limit:.0%} is hidden", after=0), *_options(found, limit)]
    said = "For those who answer for the table: what is small by itself must not leave."
    return Page((*parts, Text(""), text(said, QUIET), Text("")))


def totals_dict(found: ProtectedTable) -> dict[str, Any]:
    """The same for machines: no value of any cell is in it."""
    return {
        "table": found.table.name,
        "dimensions": [{"name": d.name, "codes": len(d.codes)} for d in found.table.dimensions],
        "cells": found.table.cells,
        "telling": int(found.telling.sum()),
        "primary": int(found.primary.sum()),
        "secondary": int((found.hidden & ~found.primary).sum()),
        "hidden_share": round(found.hidden_share, 4),
        "events_share": round(found.events_share, 4),
        "failing": found.failing,
        "is_optimal": found.is_optimal,
        "seconds": round(found.seconds, 2),
        "proven": list(found.told),
        "coarser": [
            {"words": c.words, "cells": c.cells, "small_share": round(c.small, 4), "kept_share": round(c.kept, 4)}
            for c in coarser(found)
        ],
    }


def _failing(found: ProtectedTable) -> Text:
    if not found.failing:
        return line(("0: everybody stays in doubt", GOOD))
    return line((f"{counted(found.failing, 'cell')} not proven: nothing may be published", BAD))


def _options(found: ProtectedTable, limit: float) -> list[RenderableType]:
    """The ways that leave most cells, those first which bring what is small by itself well under the limit."""
    known = [c for c in coarser(found) if c.cells]
    good = [c for c in known if c.small <= limit / 2]
    shown = [*good, *(c for c in known if c not in good)][:_MOST_OPTIONS]
    if not shown:
        return [indented(text("No level and no dimension can be left out: count a larger group."), 2)]
    rows = [(c.words, f"{number(c.cells)} cells", _now(c, found)) for c in shown]
    words = (
        "Small by themselves there, before others are withheld for them; protect the coarser table to know the rest."
    )
    return [grid(rows, right=[1]), indented(text(words, QUIET), 2)]


def _now(c: Coarser, found: ProtectedTable) -> str:
    now = found.primary.sum() / max(1, found.telling.sum())
    return f"{c.small:.0%} small by themselves instead of {now:.0%}"


def _share(n: int, of: int) -> str:
    return f"{number(int(n))} ({n / max(1, of):.0%})"
