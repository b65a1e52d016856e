"""The digest: one page a goal for the council: what residents should feel, and how far each measure is from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from metroon.serve.terminal.bare import bared
from metroon.serve.terminal.console import (
    DATA,
    LATE,
    QUIET,
    STRONG,
    WATCH,
    Page,
    banner,
    flow,
    heading,
    indented,
    labelled,
    line,
    shortened,
    signed,
    text,
)
from metroon.serve.terminal.figures import unit_figure
from metroon.serve.terminal.sentences import (
    assurance_words,
    change_words,
    largest_gap,
    largest_gap_words,
    target_sign,
    target_words,
    variation_words,
)
from metroon.serve.terminal.standings import standing_rows
from metroon.serve.terminal.words import (
    ASSURANCES,
    SLOTS,
    STAGES,
    STANDINGS,
    STATE_SIGNS,
    STATES,
    VARIATIONS,
    period_words,
    scale_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.scorecard import GoalPage, Score, Words
    from metroon.serve.terminal.standings import Row
    from metroon.serve.terminal.words import Sign

_MOST_ROWS = 2
_LONGEST_WORDS = 150


def digest_page(pages: Sequence[GoalPage], *, is_invented: bool = False) -> RenderableType:
    """One page for each goal, the measures of outcomes first.

    Args:
        pages: Goals with their measures.
        is_invented: Whether the city is invented; then that is said on every page.

    Returns:
        Something Rich can print; about 60 lines at 100 columns for a goal of four measures.
    """
    parts: list[RenderableType] = []
    for page in pages:
        parts += _goal(page, is_invented)
    return Page((*parts, Text("")))


def _goal(page: GoalPage, is_invented: bool) -> list[RenderableType]:
    scores = [bared(s) for s in page.scores]
    parts: list[RenderableType] = [heading(page.title.upper(), f"{STRONG} {DATA}", after=0)]
    parts += [*banner(is_invented), text(page.outcome, STRONG)]
    parts.append(flow([page.department, page.owner, *data_words(scores)], QUIET))
    for score in scores:
        parts += [Text(""), *_measure(score)]
    parts += [Text("")] if page.warnings or page.not_answered else []
    parts += [text(f"{LATE} {words}", WATCH) for words in page.warnings]
    parts += [
        line((title, STRONG), f": {STATES['cannot be answered']}, because {why}") for title, why in page.not_answered
    ]
    signs = sign_words(scores)
    parts += [Text(""), flow(signs, QUIET)] if signs else []
    return parts


def data_words(scores: Sequence[Score]) -> list[str]:
    """The day taken for today, and until when releases go: once for all measures of a page."""
    when = [f"as of {day}" for day in dict.fromkeys(s.as_of for s in scores)]
    released = sorted({s.published for s in scores})
    until = f" to {released[-1]}" if len(released) > 1 else ""
    return [*when, *([f"published {released[0]}{until}"] if released else [])]


def sign_words(scores: Sequence[Score]) -> list[str]:
    """What the signs of places mean, those that are used."""
    used = {sign for s in scores for row in place_rows(s) for _, sign, _ in row.places}
    every = [*STANDINGS.values(), *STATE_SIGNS.values()]
    told = ", ".join(str(sign) for sign in every if sign in used)
    return [f"one sign a place: {told}"] if told else []


def last_words(score: Score) -> Words | None:
    """What somebody said last and still holds; else what was said last; None where nobody said anything."""
    return max(score.words, key=lambda w: (not w.is_expired, w.on), default=None)


def _measure(score: Score) -> list[RenderableType]:
    measured = score.measured
    kind = dict(score.chain).get("type", "")
    facts = [period_words(measured.headline), STAGES.get(score.stage, score.stage), kind]
    head = line((measured.title or measured.measure, STRONG))
    rows = [(label, fact) for label, fact in _facts(score) if fact is not None]
    late = [text(f"{LATE} late: {score.late}", WATCH)] if score.late else []
    return [
        head,
        indented(flow([unit_figure(score.city, measured), *facts], QUIET), 2),
        *(indented(w, 2) for w in late),
        indented(labelled(rows, 8), 2),
    ]


def _facts(score: Score) -> list[tuple[str, RenderableType | None]]:
    course, scale = score.course, scale_of(score.measured)
    variation = VARIATIONS.get(course.variation) if course is not None else None
    assurance = ASSURANCES.get(course.assurance) if course is not None else None
    signal = [_coloured(variation_words(course), variation)]
    signal += [_coloured(assurance_words(course), assurance)] if assurance is not None else []
    words, money = last_words(score), dict(score.chain).get("budget program")
    return [
        ("target", _coloured(target_words(score), target_sign(score.target)) if score.target is not None else None),
        ("signal", flow(signal)),
        ("baseline", text(change_words(score.baseline, scale)) if score.baseline is not None else None),
        ("gap", _gap(score)),
        *(("places", part) for part in _places(score)),
        ("told", _told(words) if words is not None else None),
        ("money", text(money) if money else None),
    ]


def _coloured(words: str, sign: Sign | None) -> Text:
    return text(words) if sign is None else signed(sign, after=words.removeprefix(str(sign)))


def _gap(score: Score) -> RenderableType | None:
    if not score.gaps:
        return None
    gap = largest_gap(score)
    words = largest_gap_words(score)
    return (
        text(words, QUIET)
        if gap is None
        else line(_coloured(str(STANDINGS[gap.standing]), STANDINGS[gap.standing]), f"  {words}")
    )


def place_rows(score: Score) -> list[Row]:
    """The places of a page: adopted boundaries first, bands last, two sets of places at most."""
    rows = sorted(standing_rows(score), key=lambda r: (bool(r.geography.base), not r.geography.official))
    return rows[:_MOST_ROWS]


def _places(score: Score) -> list[RenderableType]:
    return [
        flow(
            [line((row.signs, DATA), (f"  {row.title}, {period_words(row.period)}", QUIET)), *_apart(row.legend(2))],
            QUIET,
        )
        for row in place_rows(score)
    ]


def _apart(legend: Sequence[str]) -> list[str]:
    """How many places differ or cannot be told; those that do not differ need no words."""
    same = STANDINGS["not different"].words
    return [words for words in legend if same not in words]


def _told(words: Words) -> Text:
    until = (f", EXPIRED {words.expires}", WATCH) if words.is_expired else ("", "")
    said = shortened(words.text, _LONGEST_WORDS)
    return line(f"{SLOTS.get(words.slot, words.slot)}: {said}", (f"  {words.author}, {words.on}", QUIET), until)
