"""Ledger: one aligned row a product, read = kept + set aside + refused, with what is most worth knowing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from metroon.serve.accounts import lost_words, mark_of
from metroon.serve.terminal import (
    BAD,
    BROKEN,
    GOOD,
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
from metroon.serve.words import counted, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.account import Account

_LEAST_REMARK = 40
_MOST_LINES = 2
_LONGEST_REASON = 36
_MARKS = (f"{KEPT} every promise kept", f"{LATE} a promise broken, or late  {BROKEN} failed or refused")


def ledger(accounts: Sequence[Account]) -> list[RenderableType]:
    """Every product that was walked, failures first; the unchanged ones in one line; what the marks mean."""
    walked = [a for a in accounts if a.outcome != "unchanged"]
    unchanged = [a.product for a in accounts if a.outcome == "unchanged"]
    parts: list[RenderableType] = [_table(sorted(walked, key=_rank))] if walked else []
    if unchanged:
        words = f"{SAME} {counted(len(unchanged), 'product')} unchanged"
        parts.append(line(words, (f": {', '.join(unchanged)}", QUIET)))
    closed = sum(a.outcome == "kept" for a in walked)
    words = f"the rows of {counted(closed, 'product')} stay restricted: only measures of them leave"
    more = "every rule, file and line: metroon show NAME"
    return [*parts, flow([words if closed else "", more if walked else ""], QUIET)]


def _rank(account: Account) -> int:
    return [BROKEN, LATE, KEPT].index(mark_of(account)[0])


def _table(accounts: Sequence[Account]) -> RenderableType:
    def build(width: int, _: bool) -> RenderableType:
        is_any_refused = any(a.refused for a in accounts)
        heads = ["", "read", "= kept", "+ set\naside", *(["+ refused"] if is_any_refused else [])]
        rows = [[_name(a), *_sum(a)[: len(heads) - 1]] for a in accounts]
        widths = [max(*map(len, h.split("\n")), *(r[i].cell_len for r in rows)) for i, h in enumerate(heads)]
        left, right = width - sum(widths) - 2 * len(widths), range(1, len(heads))
        if left >= _LEAST_REMARK:
            body = [[*r, Text("\n").join(_remark(a, left))] for r, a in zip(rows, accounts, strict=True)]
            return grid(body, right=right, widths=[*widths, left], head=[*heads, "\n".join(_MARKS)])
        parts: list[RenderableType] = [grid([], right=right, widths=widths, head=heads)]
        for row, account in zip(rows, accounts, strict=True):
            parts.append(grid([row], right=right, widths=widths))
            parts += [indented(remark, 4) for remark in _remark(account, width - 4)]
        return Group(*parts)

    return Fit(build)


def _name(account: Account) -> Text:
    return line(mark_of(account), " ", (account.product, STRONG))


def _sum(account: Account) -> list[Text]:
    """Read, kept, set aside and refused; nothing of a walk that stopped, whose numbers are the last version's."""
    if account.outcome == "failed":
        return [Text("")] * 4
    aside, refused = sum(account.set_aside.values()), account.refused
    return [
        text(number(account.read)),
        line("= ", number(account.kept)),
        text(f"+ {number(aside)}", "" if aside else QUIET),
        text(f"+ {number(refused)}", BAD) if refused else text(""),
    ]


def _remark(account: Account, width: int) -> list[Text]:
    """The most important facts, the most urgent first, in at most two lines; how many more there are."""
    if account.outcome == "failed":
        return [text("FAILED: see above", f"{STRONG} {BAD}")]
    facts = _facts(account)
    rows = folded(facts, width)
    for left in range(1, len(facts)):
        if len(rows) <= _MOST_LINES:
            break
        rows = folded([*facts[:-left], text(f"{left} more", QUIET)], width)
    return rows


def _facts(account: Account) -> list[Text]:
    first, *reasons = _promise(account)
    seen = [
        text("late" if account.late else "", WATCH),
        text("does not add up" if lost_words(account) else "", BAD),
        text(first, WATCH if mark_of(account)[0] != KEPT else QUIET),
        *(text(words, QUIET) for words in [*reasons, *_outside(account)]),
        text(f"{number(account.no_place)} no place" if account.no_place else "", QUIET),
    ]
    return [fact for fact in seen if fact.plain]


def _promise(account: Account) -> list[str]:
    """How many promises were broken and why records were set aside, the most frequent reason first."""
    broken = [v for v in account.verdicts if not v.is_kept]
    words = f"{len(broken)} of {counted(len(account.verdicts), 'promise')} broken" if broken else ""
    most = sorted(((n, why) for why, n in account.set_aside.items() if n), key=lambda pair: -pair[0])
    # A single reason needs no number: the column says it.
    told = [_reason(why) if len(most) == 1 else f"{number(n)} {_reason(why)}" for n, why in most]
    if not told:
        return [words]
    if {why for _, why in most} <= {v.text for v in broken}:
        return [f"{words}: {told[0]}", *told[1:]]
    return [words, f"set aside: {told[0]}", *told[1:]]


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
