"""Trouble: what failed, what was refused and what is late, in two or three lines each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group

from metroon.serve.terminal.accounts import failure_words, has_failed, lost_words
from metroon.serve.terminal.console import BAD, BROKEN, DATA, GOOD, LATE, QUIET, STRONG, WATCH, indented, line, text
from metroon.serve.terminal.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from metroon.base.account import Account, Measured, Run
    from metroon.base.errors import Problem

_MOST_FILES = 3
_MOST_KINDS = 3


def has_trouble(measured: Measured) -> bool:
    """Whether a measure belongs among the failures."""
    return measured.outcome == "failed" or bool(measured.problems)


def troubles(run: Run) -> list[RenderableType]:
    """One part for each product or measure that failed or was refused something."""
    products = [_product(a) for a in run.accounts if has_failed(a)]
    return [*products, *(_measure(m) for m in run.measured if has_trouble(m))]


def late_lines(accounts: Sequence[Account]) -> list[RenderableType]:
    """One line for each product whose data are late."""
    return [line((f"{LATE} {a.product}", f"{STRONG} {WATCH}"), f"  {_late(a.late)}") for a in accounts if a.late]


def _late(words: str) -> str:
    return words if "late" in words else f"late: {words}"


def _product(account: Account) -> RenderableType:
    records = {d.file: f" ({counted(d.read, 'record')})" if d.read else "" for d in account.deliveries if d.refused}
    told = {p.file for p in account.problems}
    refusals: dict[str, list[str]] = {}
    for d in account.deliveries:
        if d.refused and d.file not in told:
            refusals.setdefault(d.refused, []).append(d.file)
    lost = lost_words(account)
    parts = [
        *([[text(lost, f"{STRONG} {BAD}")]] if lost else []),
        *([line(_places(files, records), f" REFUSED: {why}")] for why, files in refusals.items()),
        *_problems(account.problems, records, more=f"metroon show {account.product}"),
    ]
    return _block(account.product, failure_words(account), parts)


def _measure(measured: Measured) -> RenderableType:
    seen = f"readers still see version {measured.version}" if measured.version is not None else "nothing is released"
    return _block(measured.measure, f"FAILED; {seen}", _problems(measured.problems, {}, more="metroon check"))


def _block(name: str, words: str, parts: Sequence[Sequence[Text]]) -> RenderableType:
    """A name and what became of it; where there is only one thing to tell, its place stands beside."""
    head = line((f"{BROKEN} {name}", f"{STRONG} {BAD}"), f"  {words}")
    below = [row for rows in parts for row in rows]
    if len(parts) == 1 and len(below) > 1:
        head, below = line(head, ": ", below[0]), below[1:]
    return Group(head, *(indented(row, 4) for row in below))


def _problems(problems: Sequence[Problem], records: dict[str, str], *, more: str) -> list[list[Text]]:
    """Where, what and how to put it right; what several files have in common is told once."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for p in problems:
        at = f"{p.file}:{p.line}" if p.line else p.file
        alike.setdefault((p.code, p.what, p.fix), []).append(at)
    parts: list[list[Text]] = []
    for (code, what, fix), places in list(alike.items())[:_MOST_KINDS]:
        where = [_places(places, records)] if any(places) else []
        parts.append([*where, line((f"{code}: ", BAD), what), line(("Fix: ", GOOD), fix)])
    left = len(alike) - _MOST_KINDS
    return [*parts, *([[text(f"and {counted(left, 'more problem')}: {more}", QUIET)]] if left > 0 else [])]


def _places(files: Sequence[str], records: dict[str, str]) -> Text:
    named = [line((file, DATA), records.get(file, "")) for file in files[:_MOST_FILES]]
    left = len(files) - len(named)
    return line(text(", ").join(named), f" and {counted(left, 'more file')}" if left else "")
