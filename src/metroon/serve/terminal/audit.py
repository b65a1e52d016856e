"""Audit: what an attacker could find in everything that was ever published, on one page for the privacy officer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.text import Text

from metroon.serve.terminal.console import BAD, GOOD, QUIET, STRONG, Page, grid, heading, indented, labelled, line, text
from metroon.serve.terminal.words import counted, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from metroon.guard.exposure import Audited, Finding

RESTRICTED = (
    "Restricted: for the privacy officer. What is recovered stands here as the attacker has it, and must not leave."
)
_MOST = 20
_WHOLE = 1e-6
"""What a solver means by a whole number."""


def audit_page(audited: Audited) -> RenderableType:
    """What can be recovered, by which releases; and how it is known of all the rest.

    Args:
        audited: What was found.
    """
    rows: list[tuple[str, RenderableType]] = [
        ("published", text(f"{counted(audited.releases, 'release')} that the world may have, every edition")),
        ("shown", text(f"{counted(audited.shown, 'number')} of people, each once")),
        ("in doubt", text(f"{counted(audited.in_doubt, 'cell')} that must not be told and are not")),
        ("recovered", _recovered(audited)),
        ("proven", text(_proven(audited))),
        *((word, text(told)) for word, told in _beside(audited)),
    ]
    parts: list[RenderableType] = [Text(""), line(("AUDIT", STRONG), "  everything ever published"), Text("")]
    parts.append(labelled(rows))
    if audited.found:
        parts += [heading("RECOVERED", BAD, after=0), *(indented(_finding(f), 2) for f in audited.found[:_MOST])]
        more = len(audited.found) - _MOST
        parts += [indented(text(f"and {more:,} more: --format json", QUIET), 2)] if more > 0 else []
    if audited.lost:
        parts += [heading("IF ONLY SMALL NUMBERS HAD BEEN HIDDEN", after=0), _lost(audited)]
    return Page((*parts, Text(""), text(RESTRICTED, QUIET), Text("")))


def audit_dict(audited: Audited) -> dict[str, Any]:
    """The same for machines; an interval without end has null there."""
    return {
        "restricted": RESTRICTED,
        "releases": audited.releases,
        "shown": audited.shown,
        "in_doubt": audited.in_doubt,
        "proven": audited.proven,
        "solved": audited.solved,
        "things": audited.things,
        "rows": audited.rows,
        "adopted": audited.adopted,
        "insiders": audited.insiders,
        "recovered": [
            {
                "what": f.what,
                "low": f.low,
                "high": f.high if math.isfinite(f.high) else None,
                "is_exact": f.is_exact,
                "to": f.to,
                "releases": list(f.releases),
            }
            for f in audited.found
        ],
        "naive": [
            {"measure": o.measure, "small": o.small, "exact": o.exact, "within": o.within, "ours": o.ours}
            for o in audited.lost
        ],
    }


def _beside(audited: Audited) -> Iterator[tuple[str, str]]:
    if audited.things:
        yield "things", f"{counted(audited.things, 'release')} of things, with nothing to protect"
    if audited.rows:
        yield "rows", f"{counted(audited.rows, 'release')} of rows of people, held against every measure"
    if audited.adopted:
        known = "known by what they show only, tables not at all"
        yield "taken in", f"{counted(audited.adopted, 'release')} published before the ledger: {known}"


def _recovered(audited: Audited) -> Text:
    if not audited.found:
        beside = ", not even by somebody who is alone in a cell" if audited.insiders else ""
        return line((f"0: nobody can be found{beside}", GOOD))
    return line((f"{counted(len(audited.found), 'cell')} can be placed too closely", BAD))


def _proven(audited: Audited) -> str:
    by_proof = f"{number(audited.proven)} by the proofs that were kept with the releases, which still hold"
    return f"{by_proof}; {number(audited.solved)} by linear programs over all of them" if audited.solved else by_proof


def _finding(found: Finding) -> Text:
    by = f"by {', '.join(found.releases)}" if found.releases else "by the one person in another cell"
    return line((found.what, STRONG), f": {_interval(found)} ", (by, QUIET))


def _interval(found: Finding) -> str:
    if not math.isfinite(found.high):
        return "by anybody" if found.is_exact else f"{_figure(found.low)} or more"
    return f"exactly {_figure(found.low)}" if found.is_exact else f"{_figure(found.low)} to {_figure(found.high)}"


def _figure(value: float) -> str:
    return number(value, 0 if abs(value - round(value)) < _WHOLE else 1)


def _lost(audited: Audited) -> RenderableType:
    rows = [(o.measure, number(o.small), number(o.exact), number(o.within), number(o.ours)) for o in audited.lost]
    sums = [sum(getattr(o, part) for o in audited.lost) for part in ("small", "exact", "within", "ours")]
    return indented(
        grid([*rows, ("all", *map(number, sums))], head=("measure", "small", "told exactly", "nearly", "as published")),
        2,
    )
