"""Doubts: the questions that no table answers, and the columns in which the most is not recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon.serve.accounts import most_missing
from metroon.serve.terminal import DATA, QUIET, STRONG, WATCH, flow, grid, indented, line, text
from metroon.serve.words import counted, number, part, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.account import Account

_MOST_COLUMNS = 5
_BAR = 16


def doubts(accounts: Sequence[Account]) -> list[RenderableType]:
    """Which questions cannot be answered, in one line for the products they share; the emptiest columns."""
    return [*_questions(accounts), *_emptiest(accounts)]


def _questions(accounts: Sequence[Account]) -> list[RenderableType]:
    products: dict[tuple[str, ...], list[str]] = {}
    for account in accounts:
        # The reason stands after the colon; it is in metroon show.
        asked = tuple(q.partition(": ")[0].rstrip(".") for q in account.cannot_answer)
        if asked:
            products.setdefault(asked, []).append(account.product)
    told = [flow([line((", ".join(names), STRONG), ": ", first), *more]) for (first, *more), names in products.items()]
    return [text("cannot be answered", WATCH), *(indented(t, 2) for t in told)] if told else []


def _emptiest(accounts: Sequence[Account]) -> list[RenderableType]:
    found = [(n / a.kept, n, column, a) for a in accounts if a.kept for column, n in most_missing(a)]
    most = sorted(found, key=lambda f: -f[0])
    if not most:
        return []
    rows = [
        (
            text("█" * max(1, round(share * _BAR)), DATA),
            text(part(n, a.kept), STRONG),
            line(f"{readable(column)} ", (f"of {a.product}", QUIET)),
            text(f"{number(n)} of {counted(a.kept, 'row')}", QUIET),
        )
        for share, n, column, a in most[:_MOST_COLUMNS]
    ]
    left = len(most) - len(rows)
    parts: list[RenderableType] = [text("not recorded", WATCH), indented(grid(rows, right=(1, 3), widths=(_BAR,)), 2)]
    more = f"and {counted(left, 'more column')} with gaps: metroon show NAME"
    return [*parts, *([indented(text(more, QUIET), 2)] if left else [])]
