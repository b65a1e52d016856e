"""Doubts: the questions that no table answers, and the columns in which the most is not recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from metroon.serve.terminal.accounts import most_missing
from metroon.serve.terminal.console import DATA, QUIET, STRONG, WATCH, Fit, flow, grid, line, text
from metroon.serve.terminal.words import counted, number, part, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from metroon.base.account import Account

_MOST_COLUMNS = 4
_BAR = 16
_LABEL = 19
_WIDE = 78


def doubts(accounts: Sequence[Account]) -> list[RenderableType]:
    """Which questions cannot be answered, in one line for the products they share; the emptiest columns."""
    asked, gaps = _questions(accounts), _gaps(accounts)
    parts = [(text("cannot be answered", WATCH), asked)] if asked else []
    if gaps:
        shown, left = gaps[:_MOST_COLUMNS], len(gaps) - _MOST_COLUMNS
        more = f"\nand {counted(left, 'more column')}" if left > 0 else ""
        parts.append((line(("not recorded", WATCH), (more, QUIET)), Fit(lambda width, _: _table(shown, width))))
    return [_beside(label, part) for label, part in parts]


def _beside(label: Text, part: RenderableType) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=_LABEL)
    table.add_column()
    table.add_row(label, part)
    return table


def _questions(accounts: Sequence[Account]) -> RenderableType | None:
    products: dict[tuple[str, ...], list[str]] = {}
    for account in accounts:
        # The reason stands after the colon; it is in metroon show.
        asked = tuple(q.partition(": ")[0].rstrip(".") for q in account.cannot_answer)
        if asked:
            products.setdefault(asked, []).append(account.product)
    told = [line((", ".join(names), STRONG), ": ", "; ".join(asked)) for asked, names in products.items()]
    return flow(told) if told else None


def _table(gaps: Sequence[tuple[Text, Text, Text, Text]], width: int) -> RenderableType:
    return grid(gaps if width >= _WIDE else [gap[:3] for gap in gaps], right=(1, 3))


def _gaps(accounts: Sequence[Account]) -> list[tuple[Text, Text, Text, Text]]:
    """Bar, share, column and rows; the emptiest column first."""
    found = [(n / a.kept, n, column, a) for a in accounts if a.kept for column, n in most_missing(a)]
    return [
        (
            text("▄" * max(1, round(share * _BAR)), DATA),
            text(part(n, a.kept), STRONG),
            line(f"{readable(column)} ", (f"of {a.product}", QUIET)),
            text(f"{number(n)} of {counted(a.kept, 'row')}", QUIET),
        )
        for share, n, column, a in sorted(found, key=lambda f: -f[0])
    ]
