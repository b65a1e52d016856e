"""Classes: what a contract says of each column, beside what its name and values suggest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from metroon.serve.terminal.console import QUIET, STRONG, Page, grid, heading, indented, line, text
from metroon.serve.terminal.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.guard.suggest import Classified


def classes_table(name: str, found: Sequence[Classified]) -> RenderableType:
    """Every column with its declared and its suggested class; those that differ with the evidence.

    Args:
        name: The product or file.
        found: Its columns.

    Returns:
        Something Rich can print. No value of a column is in it.
    """
    rows = [(c.column, _declared(c), c.suggested, f"{c.score:.2f}", _sign(c)) for c in found]
    table = grid(rows, right=[3], head=("column", "declared", "suggested", "score", ""))
    doubtful = [c for c in found if c.is_doubtful]
    parts: list[RenderableType] = [Text(""), line(("CLASSES", STRONG), "  ", (name, STRONG)), Text(""), table]
    parts.append(heading(f"DECLARED PUBLIC, AND LOOKS OTHERWISE: {counted(len(doubtful), 'column')}", after=0))
    parts += [indented(text(f"{c.column}: {c.reason}"), 2) for c in doubtful] or [text("None.", QUIET)]
    told = [c for c in found if not c.is_doubtful and (c.differs or c.declared is None)]
    parts.append(heading(f"OTHER EVIDENCE: {counted(len(told), 'column')}", after=0))
    parts += [indented(text(f"{c.column}: {c.suggested}, {c.reason}"), 2) for c in told] or [text("None.", QUIET)]
    said = "A suggestion decides nothing: a person does, in contract.yaml."
    return Page((*parts, Text(""), text(said, QUIET), Text("")))


def _declared(c: Classified) -> str:
    return f"{c.declared or 'nobody decided'}{f' (by {c.declassified})' if c.declassified else ''}"


def _sign(c: Classified) -> str:
    return "look again" if c.is_doubtful else "differs" if c.declared and c.differs else ""
