"""Markdown: the digest as text that prints: a page for each goal, with a table of its measures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metroon.serve.terminal.bare import bared
from metroon.serve.terminal.console import INVENTED, text
from metroon.serve.terminal.digest import data_words, last_words, place_rows, sign_words
from metroon.serve.terminal.sentences import (
    assurance_words,
    change_words,
    largest_gap_words,
    target_words,
    value_words,
    variation_words,
)
from metroon.serve.terminal.words import SLOTS, STAGES, STANDINGS, STATE_SIGNS, STATES, period_words, scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metroon.base.scorecard import GoalPage, Score

_BETWEEN = '<div style="break-after: page"></div>'
_HEAD = ("Measure", "Value (95 % interval)", "Period", "Target", "Signal", "Largest gap")
_SIGNS = "".join(sign.sign for sign in (*STANDINGS.values(), *STATE_SIGNS.values()))
_MARKS = re.compile(r"([\\`*_\[\]<>|#~])")
_AT_START = re.compile(r"^(\s*)([-+>]|\d+[.)])(?=\s)")


def digest_markdown(pages: Sequence[GoalPage], *, is_invented: bool = False) -> str:
    """One page for each goal, in Markdown with tables (GitHub's and Pandoc's).

    Args:
        pages: Goals with their measures.
        is_invented: Whether the city is invented; then that is said on every page.

    Returns:
        Text that ends with a line feed. Words of people stand in it as they are: no mark of them is read as
        Markdown or HTML.
    """
    told = ["\n".join(_goal(page, is_invented)).rstrip() for page in pages]
    return f"\n\n{_BETWEEN}\n\n".join(told) + "\n"


def escaped(words: str) -> str:
    r"""Words as they are, in one line, without any mark that Markdown or HTML would read.

    Example:
        >>> print(escaped("a | b <i>c</i> *d*\n# e"))
        a \| b \<i\>c\</i\> \*d\* \# e
    """
    line = " ".join(text(words).plain.split())
    return _AT_START.sub(r"\1\\\2", _MARKS.sub(r"\\\1", line).replace("&", "&amp;"))


def _goal(page: GoalPage, is_invented: bool) -> Iterator[str]:
    scores = [bared(s) for s in page.scores]
    yield f"# {escaped(page.title)}"
    yield ""
    if is_invented:
        yield f"**{INVENTED}**"
        yield ""
    yield f"**{escaped(page.outcome)}**"
    yield ""
    yield " · ".join(escaped(words) for words in (page.department, page.owner, *data_words(scores)) if words)
    yield ""
    if scores:
        yield from _table(_HEAD, [_row(s) for s in scores])
        yield ""
    yield from _places(scores)
    yield from _notes(scores)
    for words in page.warnings:
        yield f"- **Warning:** {escaped(words)}"
    for title, why in page.not_answered:
        yield f"- **{escaped(title)}:** {STATES['cannot be answered']}, because {escaped(why)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(cell if _is_mark(cell) else escaped(cell) for cell in row)} |"


def _is_mark(cell: str) -> bool:
    """Whether a cell is ours, made of signs alone: a row of signs, or the rule below the head."""
    return cell == "---" or bool(re.fullmatch(f"`[{re.escape(_SIGNS)}]+`", cell))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _row(score: Score) -> tuple[str, ...]:
    measured = score.measured
    signal = "; ".join(w for w in (variation_words(score.course), assurance_words(score.course)) if w)
    title = measured.title or measured.measure
    when = f"{period_words(measured.headline)}, {STAGES.get(score.stage, score.stage)}"
    target = target_words(score)
    return title, value_words(score.city, measured), when, target, signal, largest_gap_words(score)


def _places(scores: Sequence[Score]) -> Iterator[str]:
    rows = [
        (
            s.measured.title or s.measured.measure,
            f"{row.title}, {period_words(row.period)}",
            f"`{row.signs}`",
            "; ".join(row.legend()),
        )
        for s in scores
        for row in place_rows(s)
    ]
    if rows:
        yield from _table(("Measure", "Places", "One sign a place", "In words"), rows)
        yield ""
        yield from (f"{escaped(_capital(words))}." for words in sign_words(scores))
        yield ""


def _notes(scores: Sequence[Score]) -> Iterator[str]:
    """Below the tables: the change since the baseline, what is late, what people say, and the money."""
    found = [(s.measured.title or s.measured.measure, list(_facts(s))) for s in scores]
    for title, facts in found:
        if facts:
            yield f"- **{escaped(title)}:** {' '.join(f'{escaped(f)}.' for f in facts)}"
    if any(facts for _, facts in found):
        yield ""


def _facts(score: Score) -> Iterator[str]:
    if score.baseline is not None:
        yield _capital(change_words(score.baseline, scale_of(score.measured)))
    if score.late:
        yield f"Late: {score.late}"
    words = last_words(score)
    if words is not None:
        until = f", expired {words.expires}" if words.is_expired else ""
        slot = _capital(SLOTS.get(words.slot, words.slot))
        yield f"{slot}: {words.text.rstrip('.')} ({words.author}, {words.on}{until})"
    if money := dict(score.chain).get("budget program"):
        yield f"Budget program: {money}"
