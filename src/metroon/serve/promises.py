"""Promises: the city's goals with how their measures stand, as cards and as groups of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from metroon.base.catalog import Column
from metroon.base.estimate import ALL
from metroon.serve.indicators import shown
from metroon.serve.numbers import numbers
from metroon.serve.page import Sheet
from metroon.serve.standing import Status, Tally, status, tallies
from metroon.serve.svg import countbar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from metroon.base.scorecard import GoalPage, Score
    from metroon.serve.indicators import Indicator, Shown
    from metroon.serve.page import Asked
    from metroon.serve.standing import Verdict


@dataclass(frozen=True)
class Kept:
    """One measure of a goal beside its target.

    Args:
        href: Its page.
        question: The question it answers, in the city's words.
        shown: The whole city's number.
        status: Beside its target.
    """

    href: str
    question: str
    shown: Shown
    status: Status


@dataclass(frozen=True)
class GoalCard:
    """One goal as a card.

    Args:
        id: Its permanent id.
        href: Its page.
        title: Its title, in the city's words.
        outcome: What residents should feel, in the city's words.
        department: Who answers for it.
        sentence: How many of its measures have a target, in a sentence.
        counts: Those by verdict, in sentences.
        bar: The counts, drawn.
        kept: Its measures that have a target.
        others: How many have none, in a sentence; empty when all have.
    """

    id: str
    href: str
    title: str
    outcome: str
    department: str
    sentence: str
    counts: tuple[Tally, ...]
    bar: Markup
    kept: tuple[Kept, ...]
    others: str


def goal_card(asked: Asked, goal: GoalPage) -> GoalCard:
    """One goal with how its measures stand."""
    words = asked.words
    every = [_kept(asked, s) for s in goal.scores]
    kept = [k for k, s in zip(every, goal.scores, strict=True) if s.target is not None]
    n, rest = len(kept), len(every) - len(kept)
    counts = tallies((k.status.verdict for k in kept), words)
    return GoalCard(
        goal.goal,
        asked.link(f"/goals/{goal.goal}"),
        goal.title,
        goal.outcome,
        goal.department,
        words.ngettext("%(n)s result has a target.", "%(n)s results have a target.", n)
        if n
        else words.gettext("None of its results has a target."),
        counts,
        count_bar(counts),
        tuple(kept),
        words.ngettext("%(n)s more result has no target.", "%(n)s more results have no target.", rest) if rest else "",
    )


def _kept(asked: Asked, score: Score) -> Kept:
    found = numbers(asked.site, score.measured.measure)
    return Kept(
        asked.link(f"/measures/{score.measured.measure}"),
        score.measured.question or score.measured.title,
        shown(asked, found, score.city),
        status(score.city, score.target, asked.words),
    )


def count_bar(counts: Sequence[Tally]) -> Markup:
    """Counts by verdict as one bar, with its sentences as its name."""
    return countbar([(t.tone, t.count) for t in counts], label=" ".join(t.sentence for t in counts))


@dataclass(frozen=True)
class Theme:
    """The rows of one goal.

    Args:
        id: The goal's id; empty for measures of no goal.
        title: In the city's words.
        href: The goal's page; empty for measures of no goal.
        rows: Its indicators.
    """

    id: str
    title: str
    href: str
    rows: tuple[Indicator, ...]


def by_goal(asked: Asked, measures: Iterable[str]) -> list[tuple[str, str, list[str]]]:
    """(Goal, title, measures) in the order of the goals; what has no goal comes last, under an empty goal."""
    left = dict.fromkeys(measures)
    found: list[tuple[str, str, list[str]]] = []
    for goal in asked.catalog.goals:
        own = [m for s in goal.scores if (m := s.measured.measure) in left]
        for m in own:
            left.pop(m, None)
        if own:
            found.append((goal.goal, goal.title, own))
    if left:
        found.append(("", asked.words.gettext("Other results"), list(left)))
    return found


def with_target(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Verdicts on numbers that stand beside a target: what has none, or is not measured, is not counted."""
    return [v for v in verdicts if v not in ("no target", "not measured")]


SHEET_COLUMNS = (
    Column("goal", "Goal", "The goal that the measure belongs to.", "string"),
    Column("measure", "Measure", "Permanent name of the measure.", "string"),
    Column("question", "Question", "The question that it answers.", "string"),
    Column("place", "Place", "Key of the place, or all for the whole city.", "string"),
    Column("place_name", "Name of the place", "What people call the place.", "string"),
    Column("period", "Period", "The period that the number is of.", "string"),
    Column("state", "State", "Why there is a value, or why not.", "string"),
    Column("value", "Value", "The number, in the unit; shares lie between 0 and 1.", "number"),
    Column("low", "Lower bound", "Lower end of the range we are 95% sure of.", "number"),
    Column("high", "Upper bound", "Upper end of the range we are 95% sure of.", "number"),
    Column("unit", "Unit", "What one unit of the value is.", "string"),
    Column("status", "Status", "Beside its target.", "string"),
    Column("beside_city", "Beside the city", "Better or worse than the whole city, where that is clear.", "string"),
)  # fmt: skip


def indicator_rows(
    asked: Asked, rows: Iterable[Indicator], place: str = ALL, name: str = ""
) -> list[dict[str, object]]:
    """Indicators as rows for machines, in full precision and in the city's own words."""
    told: list[dict[str, object]] = []
    for i in rows:
        e = i.estimate
        told.append(
            {
                "goal": i.goal,
                "measure": i.measure,
                "question": i.question,
                "place": place,
                "place_name": name,
                "period": e.cell.period if e else None,
                "state": e.state if e else "not measured",
                "value": e.value if e else None,
                "low": e.low if e else None,
                "high": e.high if e else None,
                "unit": i.unit,
                "status": i.status.verdict,
                "beside_city": i.standing,
            }
        )
    return told


def sheet(asked: Asked, name: str, title: str, rows: Sequence[Mapping[str, object]]) -> Sheet:
    """Indicators as a small table to be downloaded."""
    return Sheet(name, title, SHEET_COLUMNS, rows, source_words(asked))


def source_words(asked: Asked) -> str:
    """Where numbers come from, with the catalog's day."""
    return asked.words.gettext(
        "%(city)s, as of %(day)s.", city=asked.catalog.city, day=asked.words.day(asked.catalog.as_of)
    )
