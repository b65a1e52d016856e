"""Data use protocols in the terminal: which product waits for what, and whom the public writes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from metroon.serve.terminal.console import (
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
from metroon.serve.terminal.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from rich.console import RenderableType

    from metroon.base.errors import Problem
    from metroon.base.protocol import Protocol


def protocols_page(
    found: Sequence[tuple[str, Sequence[Protocol], Sequence[Problem]]], as_of: date, *, is_invented: bool = False
) -> Page:
    """Every product that people stand behind: its protocols, how far they are, and what is still open.

    Args:
        found: (Product, the protocols that are about it, what keeps it from being published).
        as_of: The day.
        is_invented: Whether the city is invented; then that is said above.
    """
    waiting = sum(bool(problems) for _, _, problems in found)
    said = f"{counted(len(found), 'product')} about people, {waiting} of them not published"
    parts: list[RenderableType] = [
        Text(""),
        flow(["data use protocols", f"as of {as_of}"], QUIET),
        *banner(is_invented),
    ]
    parts.append(heading(said, after=0))
    for product, about, problems in found:
        mark = (BROKEN, WATCH) if problems and not about else (LATE, WATCH) if problems else (KEPT, GOOD)
        parts.append(line(mark, " ", (product, STRONG)))
        parts += [indented(flow(_facts(p, as_of)), 2) for p in about]
        for problem in problems:
            parts.append(indented(line((f"{problem.code}: ", WATCH), problem.what), 2))
            parts.append(indented(text(problem.fix, QUIET), 4))
    return Page((*parts, Text("")))


def _facts(protocol: Protocol, as_of: date) -> list[str]:
    window = f"comments {protocol.opens} to {protocol.closes}"
    if protocol.waiver is not None:
        window = f"no window: {protocol.waiver.by}, {protocol.waiver.on}"
    answered = len(protocol.comments) - protocol.unanswered
    return [
        f"protocols/{protocol.id}.yaml",
        protocol.standing(as_of),
        window,
        f"{counted(len(protocol.comments), 'comment')}, {answered} answered",
    ]


def protocols_dicts(
    found: Sequence[tuple[str, Sequence[Protocol], Sequence[Problem]]], as_of: date
) -> list[dict[str, Any]]:
    """The same for programs.

    Args:
        found: As for ``protocols_page``.
        as_of: The day.
    """
    return [
        {
            "product": product,
            "protocols": [
                {"id": p.id, "standing": p.standing(as_of), "comments": len(p.comments), "unanswered": p.unanswered}
                for p in about
            ],
            "problems": [{"code": p.code, "what": p.what, "fix": p.fix} for p in problems],
        }
        for product, about, problems in found
    ]
