"""Certificates: one line for each release, whether its proof holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from metroon.serve.terminal.console import BAD, GOOD, QUIET, STRONG, grid, indented, line, text
from metroon.serve.terminal.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.guard.certificate import Verified


def certificates_page(verified: Sequence[Verified]) -> RenderableType:
    """Every release with the cells that must stay in doubt, and whether it is proven that they do.

    Args:
        verified: What the check has found.
    """
    failed = [v for v in verified if v.faults]
    parts: list[RenderableType] = [Text(""), line(("CERTIFICATES", STRONG), "  checked without a solver"), Text("")]
    if not verified:
        return Group(*parts, text("Nothing is published yet behind which people stand."), Text(""))
    rows = [
        [
            text(f"{v.name} {v.edition}" if v.edition else v.name),
            text(counted(v.in_doubt, "cell"), QUIET),
            text("does not hold", BAD) if v.faults else text("holds", GOOD),
        ]
        for v in verified
    ]
    parts.append(indented(grid(rows, right=[1]), 2))
    for v in failed:
        parts += [Text(""), text(f"{v.name} {v.edition}", BAD), *(indented(text(fault), 2) for fault in v.faults)]
    told = f"{len(verified) - len(failed)} of {counted(len(verified), 'certificate')} hold."
    return Group(*parts, Text(""), text(told, BAD if failed else GOOD), Text(""))


def certificates_dict(verified: Sequence[Verified]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [asdict(v) for v in verified]
