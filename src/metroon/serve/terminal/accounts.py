"""Accounts: where each product's rows went, which promises held, and what its table cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from metroon.serve.terminal.console import (
    BAD,
    BROKEN,
    DATA,
    GOOD,
    KEPT,
    LATE,
    QUIET,
    SAME,
    STRONG,
    WATCH,
    flow,
    indented,
    line,
    problem_lines,
    text,
)
from metroon.serve.terminal.words import counted, number, part, readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from metroon.base.account import Account, Delivery, Verdict

_MOST_COLUMNS = 4
OUTCOMES = {
    "published": "published",
    "kept": "kept restricted, rows not published",
    "unchanged": "unchanged",
    "failed": "FAILED",
}


def has_failed(account: Account) -> bool:
    """Whether a product belongs among the failures: it failed, was refused something, or lost rows."""
    refused = account.refused or any(d.refused for d in account.deliveries)
    return bool(account.outcome == "failed" or refused or account.problems or _loses_rows(account))


def _loses_rows(account: Account) -> bool:
    # A walk that stopped, or had nothing to do, makes no sum.
    return account.outcome in ("published", "kept") and not account.adds_up


def failure(account: Account) -> RenderableType:
    """Why a product failed, what of it was refused, and what readers see meanwhile."""
    parts: list[RenderableType] = [
        line((f"{BROKEN} {account.product}", f"{STRONG} {BAD}"), f"  {failure_words(account)}")
    ]
    if lost_words(account):
        parts.append(indented(text(lost_words(account), f"{STRONG} {BAD}"), 4))
    for delivery in account.deliveries:
        if delivery.refused:
            parts.append(indented(_refusal(delivery), 4))
    parts += [indented(problem_lines(p), 4) for p in account.problems]
    return Group(*parts)


def failure_words(account: Account) -> str:
    """What became of a product among the failures, and what readers see meanwhile."""
    if account.outcome == "failed":
        kept = account.version is not None
        return f"FAILED; {f'readers still see version {account.version}' if kept else 'nothing of it is published'}"
    refused = sum(bool(d.refused) for d in account.deliveries)
    if refused or account.refused:
        of = f" of {len(account.deliveries)}" if account.deliveries else ""
        return f"refused {counted(refused, 'delivery', 'deliveries')}{of}"
    return OUTCOMES[account.outcome]


def lost_words(account: Account) -> str:
    """How many records the sum of a walk misses; empty when it adds up."""
    if not _loses_rows(account):
        return ""
    lost = account.read - account.kept - sum(account.set_aside.values()) - account.refused
    return f"DOES NOT ADD UP: {counted(abs(lost), 'record')} {'lost' if lost > 0 else 'too many'}."


LINES = {
    "header": "of the header",
    "blank": "blank",
    "records": "of whole records",
    "joined": "joined",
    "set aside": "set aside",
    "footer": "of the footer",
    "refused": "refused",
}
"""What became of a physical line, in words."""


def line_sum(lines: Mapping[str, int]) -> str:
    """How many lines the texts have and what became of them, as a sum; empty where nothing has lines.

    Example:
        >>> line_sum({"header": 1, "records": 17564, "set aside": 4})
        '17,569 lines = 1 of the header + 17,564 of whole records + 4 set aside'
    """
    told = " + ".join(f"{number(n)} {LINES.get(kind, kind)}" for kind, n in lines.items() if n)
    return f"{counted(sum(lines.values()), 'line')} = {told}" if told else ""


def unusual_lines(account: Account) -> str:
    """The sum of the lines where some are neither header nor blank nor a whole record; else empty."""
    is_usual = all(kind in ("header", "blank", "records") or not n for kind, n in account.lines.items())
    return "" if is_usual else line_sum(account.lines)


def _refusal(delivery: Delivery) -> Text:
    records = f" ({counted(delivery.read, 'record')})" if delivery.read else ""
    return line((delivery.file, DATA), f"{records} REFUSED: {delivery.refused}")


def account_lines(accounts: Sequence[Account]) -> RenderableType:
    """One line a product, read = kept + set aside + refused, with what needs saying below it."""
    walked = [a for a in accounts if a.outcome != "unchanged"]
    unchanged = [a for a in accounts if a.outcome == "unchanged"]
    parts: list[RenderableType] = [_walked(walked)] if walked else []
    if unchanged:
        names = ", ".join(a.product for a in unchanged)
        words = f"{counted(len(unchanged), 'product')} unchanged"
        parts += [Text("")] if walked else []
        parts.append(line(f"{SAME} {words}", (f": {names}", QUIET)))
        late = [line((f"{LATE} {a.product}: late, {a.late}", WATCH)) for a in unchanged if a.late]
        parts += late
    return Group(*parts)


def _walked(accounts: Sequence[Account]) -> RenderableType:
    name = max(len(a.product) for a in accounts)
    digits = [max(len(number(n)) for n in column) for column in zip(*map(_numbers, accounts), strict=True)]
    parts: list[RenderableType] = []
    for account in accounts:
        words = ("read", "= kept", "+ set aside", "+ refused")
        sums = [f"{w} {number(n):>{d}}" for w, n, d in zip(words, _numbers(account), digits, strict=True)]
        shown = " ".join(sums if account.refused else sums[:3])
        head = line(mark_of(account), " ", (f"{account.product:<{name}}", STRONG), "  ")
        if account.outcome == "failed":
            read = f"; {counted(account.read, 'record')} read" if account.read else ""
            parts.append(line(head, ("FAILED: see above", f"{STRONG} {BAD}"), read))
        else:
            parts.append(line(head, shown))
            parts.append(indented(flow([_promise(account), *_facts(account)], QUIET), 4))
        parts += [indented(_breach(v), 4) for v in account.verdicts if v.is_broken]
        parts += [indented(line((f"{LATE} moved: ", WATCH), f"{d.what} ({d.delivery})"), 4) for d in account.drifts]
        parts += [indented(line((f"{LATE} late: ", WATCH), account.late), 4)] if account.late else []
    return Group(*parts)


def _numbers(account: Account) -> tuple[int, int, int, int]:
    return account.read, account.kept, sum(account.set_aside.values()), account.refused


def mark_of(account: Account) -> tuple[str, str]:
    """A product's mark and its style: failed or refused, a promise broken or late, or every promise kept."""
    broken = [v for v in account.verdicts if v.is_broken]
    if has_failed(account) or any(v.severity == "stop" for v in broken):
        return BROKEN, BAD
    return (LATE, WATCH) if broken or account.late else (KEPT, GOOD)


def _promise(account: Account) -> Text:
    if not account.verdicts:
        return text("no rules promised", QUIET)
    broken = sum(v.is_broken for v in account.verdicts)
    rules = counted(len(account.verdicts), "rule")
    if broken:
        return line((f"promise broken: {broken} of {rules}", BAD))
    return line(("promise kept", GOOD), f": {rules}")


def _facts(account: Account) -> list[str]:
    aside = [f"{number(n)} {reason}" for reason, n in account.set_aside.items() if n]
    return [
        *(["set aside: " + ", ".join(aside)] if aside else []),
        *(f"{number(n)} outside {every_one(title)}" for title, n in account.outside.items() if n),
        *([f"{number(account.no_place)} without a usable place"] if account.no_place else []),
        *(f"{number(n)} without {readable(column)}" for column, n in most_missing(account)[:2]),
        *([unusual_lines(account)] if unusual_lines(account) else []),
        *(["rows restricted, not published"] if account.outcome == "kept" else []),
    ]


def every_one(title: str) -> str:
    """Outside of which places, whether the title is singular or plural."""
    is_plural = title.partition(" (")[0].endswith("s")
    return f"all {title}" if is_plural else f"every {title}"


def most_missing(account: Account) -> list[tuple[str, int]]:
    """Columns that are not always recorded, the emptiest first."""
    return sorted(((c, n) for c, n in account.missing.items() if n), key=lambda pair: -pair[1])


def _breach(verdict: Verdict) -> Text:
    rows = f"{number(verdict.failed)} of {counted(verdict.checked, 'row')}" if verdict.checked else ""
    where = ", ".join(verdict.where)
    facts = [f for f in (rows, verdict.note, verdict.severity, f"at {where}" if where else "") if f]
    return line((f"{BROKEN} {verdict.text}", BAD), (f" ({'; '.join(facts)})", QUIET))


def unknowns(accounts: Sequence[Account]) -> list[RenderableType]:
    """For each product what is not recorded in it, and which questions it cannot answer."""
    parts: list[RenderableType] = []
    for account in accounts:
        missing = _missing_words(account)
        if not missing and not account.cannot_answer:
            continue
        parts.append(text(account.product, STRONG))
        parts += [indented(line(("cannot be answered: ", WATCH), q), 2) for q in account.cannot_answer]
        if missing:
            parts.append(indented(flow([line("not recorded: ", (missing[0], QUIET)), *missing[1:]], QUIET), 2))
    return parts


def _missing_words(account: Account) -> list[str]:
    most = most_missing(account)
    told = [
        f"{readable(column)} in {number(n)} of {number(account.kept)} rows ({part(n, account.kept)})"
        for column, n in most[:_MOST_COLUMNS]
        if account.kept
    ]
    left = len(most) - len(told)
    return [*told, *([f"and {counted(left, 'more column')}"] if told and left else [])]
