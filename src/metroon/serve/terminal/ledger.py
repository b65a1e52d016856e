"""Ledger: one aligned row a product, read = kept + set aside + refused, with what is most worth knowing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from metroon.serve.terminal.accounts import lost_words, mark_of, unusual_lines
from metroon.serve.terminal.console import (
    BAD,
    BROKEN,
    KEPT,
    LATE,
    QUIET,
    SAME,
    STRONG,
    WATCH,
    Fit,
    flow,
    folded,
    grid,
    indented,
    line,
    shortened,
    text,
)
from metroon.serve.terminal.words import counted, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.account import Account

_LEAST_REMARK = 46
_MOST_LINES = 2
_LONGEST_REASON = 40


def ledger(accounts: Sequence[Account]) -> list[RenderableType]:
    """Every product that was walked, failures first; the unchanged ones in one line; what the marks mean."""
    walked = [a for a in accounts if a.outcome != "unchanged"]
    unchanged = [a.product for a in accounts if a.outcome == "unchanged"]
    parts: list[RenderableType] = [_table(sorted(walked, key=_rank)), flow(_legend(walked), QUIET)] if walked else []
    parts += [text(f"{a.product}: {unusual_lines(a)}", QUIET) for a in walked if unusual_lines(a)]
    if unchanged:
        words = f"{SAME} {counted(len(unchanged), 'product')} unchanged"
        parts.append(line(words, (f": {', '.join(unchanged)}", QUIET)))
    return parts


def _rank(account: Account) -> int:
    return [BROKEN, LATE, KEPT].index(mark_of(account)[0])


def _legend(walked: Sequence[Account]) -> list[str]:
    closed = sum(a.outcome == "kept" for a in walked)
    return [
        f"{KEPT} every rule kept",
        f"{LATE} a rule broken, or late",
        f"{BROKEN} failed or refused",
        f"rows of {counted(closed, 'product')} stay restricted" if closed else "",
    ]


def _table(accounts: Sequence[Account]) -> RenderableType:
    def build(width: int, _: bool) -> RenderableType:
        rows = [line(_name(a, _longest(accounts)), _sum(a, accounts)) for a in accounts]
        first = max(r.cell_len for r in rows)
        left = width - first - 2
        if left >= _LEAST_REMARK:
            beside = [Text("\n").join(_remark(a, left)) for a in accounts]
            return grid(list(zip(rows, beside, strict=True)), widths=[first, left])
        parts: list[RenderableType] = []
        for row, account in zip(rows, accounts, strict=True):
            parts += [row, *(indented(remark, 4) for remark in _remark(account, width - 4))]
        return Group(*parts)

    return Fit(build)


def _longest(accounts: Sequence[Account]) -> int:
    return max(len(a.product) for a in accounts)


def _name(account: Account, width: int) -> Text:
    return line(mark_of(account), " ", (f"{account.product:<{width}}", STRONG), "  ")


def _numbers(account: Account) -> tuple[int, int, int, int]:
    return account.read, account.kept, sum(account.set_aside.values()), account.refused


def _sum(account: Account, accounts: Sequence[Account]) -> Text:
    """Read = kept + set aside + refused; nothing of a walk that stopped, whose numbers are the last version's."""
    if account.outcome == "failed":
        return Text("")
    digits = [max(len(number(n)) for n in column) for column in zip(*map(_numbers, accounts), strict=True)]
    read, kept, aside, refused = (f"{number(n):>{d}}" for n, d in zip(_numbers(account), digits, strict=True))
    return line(
        f"{read} = {kept}",
        (f" + {aside}", "" if account.set_aside else QUIET),
        (f" + {refused}" if account.refused else "", BAD),
    )


def _remark(account: Account, width: int) -> list[Text]:
    """The most important facts, the most urgent first, in at most two lines; how many more there are."""
    if account.outcome == "failed":
        return [text("FAILED: see above", f"{STRONG} {BAD}")]
    facts = _facts(account)
    for fact in facts:
        fact.truncate(width, overflow="ellipsis")
    rows = folded(facts, width)
    for left in range(1, len(facts)):
        if len(rows) <= _MOST_LINES:
            break
        rows = folded([*facts[:-left], text(f"{left} more", QUIET)], width)
    return rows


def _facts(account: Account) -> list[Text]:
    seen = [
        text("late" if account.late else "", WATCH),
        text("does not add up" if lost_words(account) else "", BAD),
        *_broken(account),
        *(text(words, QUIET) for words in _outside(account)),
        text(f"{number(account.no_place)} no place" if account.no_place else "", QUIET),
    ]
    return [fact for fact in seen if fact.plain]


def _broken(account: Account) -> list[Text]:
    """How many rules were broken and why records were set aside, the most frequent reason first."""
    broken = [v for v in account.verdicts if v.is_broken]
    rules = text(f"{len(broken)} of {counted(len(account.verdicts), 'rule')} broken" if broken else "", WATCH)
    most = sorted(((n, why) for why, n in account.set_aside.items() if n), key=lambda pair: -pair[0])
    # A single reason needs no number: it stands in the sum.
    told = [_reason(why) if len(most) == 1 else f"{_reason(why)} ({number(n)})" for n, why in most]
    if not told:
        return [rules]
    first, *rest = [text(words, QUIET) for words in told]
    if broken and {why for _, why in most} <= {v.text for v in broken}:
        return [line(rules, (": ", QUIET), first), *rest]
    return [rules, line(("set aside: ", QUIET), first), *rest]


def _reason(why: str) -> str:
    return shortened(re.sub(r" ?\([^)]*\)", "", why).removeprefix("the "), _LONGEST_REASON)


def _outside(account: Account) -> list[str]:
    """Kept rows outside every area; geographies that lose as many are told together."""
    alike: dict[int, list[str]] = {}
    for title, n in account.outside.items():
        alike.setdefault(n, []).append(title.partition(" (")[0])
    return [
        f"{number(n)} outside {titles[0] if len(titles) == 1 else f'{len(titles)} geographies'}"
        for n, titles in sorted(alike.items(), reverse=True)
        if n
    ]
