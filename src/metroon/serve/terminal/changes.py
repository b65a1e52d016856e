"""Changes: what really changed since a day, one line each; then what did not, and how much of it chance would make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from metroon.serve.terminal.console import (
    DATA,
    QUIET,
    STRONG,
    Page,
    banner,
    flow,
    heading,
    indented,
    labelled,
    line,
    text,
)
from metroon.serve.terminal.words import ASSURANCES, KINDS_OF_CHANGE, TARGETS, VARIATIONS, about, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from metroon.base.scorecard import Changed, Changes
    from metroon.serve.terminal.words import Sign

_NOTHING = "nothing"
_WIDEST_KIND = max(map(len, KINDS_OF_CHANGE.values()))


def changes_page(changes: Changes, *, is_invented: bool = False) -> RenderableType:
    """What really changed since a day, the most telling first, and what did not.

    Args:
        changes: What changed, ranked.
        is_invented: Whether the city is invented; then that is said above.

    Returns:
        Something Rich can print: one line a change where it fits, with what it was before and what it is now.
    """
    name = line(("WHAT CHANGED", f"{STRONG} {DATA}"), "  ", (f"since {changes.since}", STRONG))
    parts: list[RenderableType] = [Text(""), flow([name, f"until {changes.until}"], QUIET), *banner(is_invented)]
    parts.append(heading(f"REALLY CHANGED: {len(changes.changed)}", after=0))
    parts += change_lines(changes.changed) or [text("Nothing.", QUIET)]
    parts.append(heading(f"NO REAL CHANGE: {counted(len(changes.unchanged), 'measure')}", after=0))
    parts += [indented(flow(changes.unchanged), 2)] if changes.unchanged else []
    looked = f"{counted(changes.looked_at, 'series', 'series')} looked at for signals"
    alarms = f"by chance alone {about(changes.false_alarms)} of them would show one"
    return Page((*parts, Text(""), flow([looked, alarms], QUIET), Text("")))


def change_lines(changed: tuple[Changed, ...]) -> list[RenderableType]:
    """One line for each change: its kind, where, what it was and what it is."""
    if not changed:
        return []
    return [labelled([(KINDS_OF_CHANGE.get(c.kind, c.kind), _line(c)) for c in changed], _WIDEST_KIND)]


def _line(c: Changed) -> Text:
    where = f", {c.where}" if c.where else ""
    before, after = plain(c.before), plain(c.after)
    told = f"was {before}, is {after}" if before not in ("", _NOTHING) and after else after or before
    return line((f"{c.title}{where}", STRONG), f": {told}" if told else "")


def plain(words: str) -> str:
    """The words that people read for those of the code, at the beginning of a text.

    Example:
        >>> plain("improvement high since 2026-03"), plain("consistently fails"), plain("12.5")
        ('▲ improvement since 2026-03', '✗ fails', '12.5')
    """
    for signs in (VARIATIONS, ASSURANCES, TARGETS):
        for known, sign in _longest_first(signs):
            if words == known or words.startswith(f"{known} "):
                return f"{sign}{words.removeprefix(known)}"
    return words


def _longest_first(signs: Mapping[str, Sign]) -> list[tuple[str, Sign]]:
    return sorted(signs.items(), key=lambda item: -len(item[0]))
