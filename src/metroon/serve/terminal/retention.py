"""Retention in the terminal: what has passed its time, what keeps it, and what was destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from metroon.serve.terminal.console import (
    BAD,
    BROKEN,
    GOOD,
    KEPT,
    LATE,
    QUIET,
    STRONG,
    WATCH,
    Page,
    banner,
    flow,
    heading,
    indented,
    line,
    text,
)
from metroon.serve.terminal.words import counted, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from rich.console import RenderableType

    from metroon.base.errors import Problem
    from metroon.guard.retention import Due


def retention_page(
    found: Sequence[Due],
    certificates: Sequence[Mapping[str, Any]],
    problems: Sequence[Problem],
    on: date,
    *,
    is_invented: bool = False,
) -> Page:
    """What has passed its time, product by product, and the certificates of what was destroyed.

    Args:
        found: What is due.
        certificates: Every certificate, oldest first.
        problems: What is wrong with the chain of certificates.
        on: The day.
        is_invented: Whether the city is invented; then that is said above.
    """
    parts: list[RenderableType] = [
        Text(""),
        flow(["retention", f"as of {on}", "restricted: the counts are of people"], QUIET),
        *banner(is_invented),
    ]
    acting = [d for d in found if d.rule is not None]
    parts.append(heading(f"{counted(len(acting), 'product')} with a rule that acts", after=0))
    for told in acting:
        parts += _due(told)
    for told in (d for d in found if d.faults):
        parts.append(line((BROKEN, BAD), " ", (told.product, STRONG)))
        parts += [indented(flow([f"{p.code}: {p.what}", p.fix], WATCH), 2) for p in told.faults]
    recorded = [d for d in found if d.rule is None and d.words and not d.faults]
    silent = [d.product for d in found if not d.words]
    if recorded:
        parts.append(heading("A record only: nothing is destroyed by it", after=0))
        parts += [indented(line((d.product, STRONG), f": {d.words}"), 2) for d in recorded]
    if silent:
        parts += [heading("No rule", after=0), indented(flow(silent, QUIET), 2)]
    parts += _certificates(certificates, problems)
    return Page((*parts, Text("")))


def _due(told: Due) -> list[RenderableType]:
    is_due = bool(told.held)
    mark = (KEPT, GOOD) if not is_due else (BROKEN, BAD) if told.blocks else (LATE, WATCH)
    parts: list[RenderableType] = [line(mark, " ", (told.product, STRONG), f"  {told.words}")]
    tables = dict.fromkeys(h.table for h in told.held)
    facts = [
        f"{number(told.rows)} rows of {told.cutoff} or earlier" if is_due else f"nothing of {told.cutoff} or earlier",
        *(f"{t}: {counted(sum(h.table == t for h in told.held), 'version')}" for t in tables),
        f"{counted(told.undated, 'row')} without a day stay" if told.undated else "",
    ]
    parts.append(indented(flow(facts), 2))
    for block in told.blocks if is_due else ():
        parts.append(indented(line((f"{block.level}: ", WATCH), block.what), 2))
        parts.append(indented(text(block.fix, QUIET), 4))
    if is_due and told.sources:
        said = f"These delivered files hold such rows too. They are the city's and stay: {', '.join(told.sources)}"
        parts.append(indented(text(said, QUIET), 2))
    return parts


def _certificates(certificates: Sequence[Mapping[str, Any]], problems: Sequence[Problem]) -> list[RenderableType]:
    if not certificates and not problems:
        return []
    whole = "the chain is whole" if not problems else "the chain is broken"
    parts: list[RenderableType] = [heading(counted(len(certificates), "certificate"), aside=whole, after=0)]
    for told in certificates:
        is_done = told["state"] == "done"
        mark = (KEPT, GOOD) if is_done else (LATE, WATCH)
        end = str(told.get("done_at", told["begun_at"]))[:10]
        if told.get("kind") == "lifting":
            said = f" {told['number']}  {told['product']}: the erasure of certificate {told['of']} was lifted"
        elif told.get("kind") == "erasure":
            said = f" {told['number']}  {told['product']}: a person was erased, decided by {told['by']['title']}"
            end = end if is_done else "begun and cut off: metroon run finishes it"
        else:
            rows = number(int(told["rows"]))
            said = f" {told['number']}  {told['product']}: {rows} rows of {told['cutoff']} or earlier"
            end = end if is_done else "begun and cut off: metroon guard retention --apply"
        parts.append(line(mark, said, (f"  {end}", QUIET)))
    for problem in problems:
        parts.append(line((f"{problem.code}: ", BAD), f"{problem.file}: {problem.what}"))
        parts.append(indented(text(problem.fix, QUIET), 2))
    return parts


def retention_dict(
    found: Sequence[Due], certificates: Sequence[Mapping[str, Any]], problems: Sequence[Problem], on: date
) -> dict[str, Any]:
    """The same for programs.

    Args:
        found: What is due.
        certificates: Every certificate, oldest first.
        problems: What is wrong with the chain of certificates.
        on: The day.
    """
    return {
        "as_of": on.isoformat(),
        "products": [
            {
                "product": d.product,
                "retention": d.words,
                "acts": d.rule is not None,
                "cutoff": d.cutoff.isoformat() if d.cutoff else None,
                "rows": d.rows,
                "undated": d.undated,
                "versions": [{"table": h.table, "version": h.version, "rows": h.rows} for h in d.held],
                "derived": list(d.derived),
                "source_files": list(d.sources),
                "blocked_by": [{"level": b.level, "what": b.what, "fix": b.fix} for b in d.blocks],
                "problems": [{"code": p.code, "what": p.what, "fix": p.fix} for p in d.faults],
            }
            for d in found
        ],
        "certificates": [dict(c) for c in certificates],
        "problems": [{"code": p.code, "what": p.what, "fix": p.fix} for p in problems],
    }
