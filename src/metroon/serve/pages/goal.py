"""``/goals/{goal}``: one goal as the council reads it: its measures, what people say of them, who is left behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.estimate import ALL
from metroon.permit import NotThere
from metroon.serve import headlines
from metroon.serve.figures import period_words
from metroon.serve.indicators import Indicator, around_city, figures_of, indicator
from metroon.serve.lately import Lately, lately, variation_words
from metroon.serve.numbers import numbers
from metroon.serve.page import Page, Sheet
from metroon.serve.promises import GoalCard, goal_card, indicator_rows, sheet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.base.catalog import Catalog
    from metroon.base.scorecard import Course, GoalPage, Score, Words
    from metroon.serve.page import Asked
    from metroon.serve.words import Words as Language


@dataclass(frozen=True)
class Said:
    """What a person says of a number.

    Args:
        slot: What it tells, in words.
        words: The text, its author and its days.
    """

    slot: str
    words: Words


@dataclass(frozen=True)
class Promise:
    """One measure of the goal.

    Args:
        row: The measure for the whole city.
        verdict: The number beside its target, in a sentence.
        signal: What the last period is beside its usual ups and downs, in a sentence; empty without a verdict.
        places: How many places clearly differ from the city, in a sentence; empty when it is not measured by place.
        places_period: Which period that is of.
        gaps: The largest certain gap between groups, in a sentence; empty when no groups are compared.
        said: What people say now.
        expired: How much that was said is out of date, in a sentence; empty when nothing is.
        late: Why the data are late, in the city's words.
    """

    row: Indicator
    verdict: str
    signal: str
    places: str
    places_period: str
    gaps: str
    said: tuple[Said, ...]
    expired: str
    late: str


@dataclass(frozen=True)
class GoalView:
    """What the page shows.

    Args:
        title: The goal's title, in the city's words.
        description: Its outcome.
        card: The goal with how its measures stand.
        owner: Who answers for it.
        promises: Its measures, outcomes first.
        warnings: What is lawful and yet likely wrong, in Metroon's words.
        not_answered: (Measure, why) of those that cannot be answered.
        lately: What really changed.
        others: (Address, title) of the other goals.
    """

    title: str
    description: str
    card: GoalCard
    owner: str
    promises: tuple[Promise, ...]
    warnings: tuple[str, ...]
    not_answered: tuple[tuple[str, str], ...]
    lately: Lately
    others: tuple[tuple[str, str], ...]


class Goal(Page):
    """One goal."""

    path = "/goals/{goal}"
    template = "goal.html"

    def view(self, asked: Asked) -> GoalView:
        """One goal with its measures."""
        goal = _goal(asked)
        return GoalView(
            asked.words.plain(goal.title),
            asked.words.plain(goal.outcome),
            goal_card(asked, goal),
            goal.owner,
            tuple(_promise(asked, s) for s in goal.scores),
            goal.warnings,
            goal.not_answered,
            lately(asked, measures=[s.measured.measure for s in goal.scores]),
            tuple((asked.link(f"/goals/{g.goal}"), g.title) for g in asked.catalog.goals if g.goal != goal.goal),
        )

    def data(self, asked: Asked) -> Sheet:
        """The goal's measures for the whole city."""
        goal = _goal(asked)
        rows = [indicator(asked, s.measured.measure) for s in goal.scores]
        return sheet(asked, goal.goal, goal.title, indicator_rows(asked, rows))

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """Every goal."""
        return [f"/goals/{g.goal}" for g in catalog.goals]


def _goal(asked: Asked) -> GoalPage:
    found = next((g for g in asked.catalog.goals if g.goal == asked.params["goal"]), None)
    if found is None:
        raise NotThere(asked.path)
    return found


def _promise(asked: Asked, score: Score) -> Promise:
    words, found = asked.words, numbers(asked.site, score.measured.measure)
    figures, direction = figures_of(asked, found), score.measured.direction
    geography = around_city(asked, found)
    standings = [p for c, p in found.standings.items() if c.geography == geography]
    last = found.last.get((geography, ALL), "") if geography else ""
    said, expired = words_said(score, words)
    return Promise(
        indicator(asked, score.measured.measure),
        headlines.target_words(score.city, score.target, figures, direction),
        signal_words(score.course, words),
        headlines.places_words(standings, direction, words) if standings else "",
        period_words(last, words) if last else "",
        headlines.gaps_words(score.gaps, figures) if score.gaps else "",
        said,
        expired,
        score.late,
    )


def signal_words(course: Course | None, words: Language) -> str:
    """What the last period is beside its usual ups and downs, in a sentence; why there is no verdict."""
    if course is None or not course.periods:
        return words.gettext("There are too few periods to tell a change from chance.")
    variation = variation_words(course.variation, words)
    if not variation:
        return words.gettext("There are too few periods to tell a change from chance.")
    period = period_words(course.periods[-1], words)
    said = words.gettext("%(period)s is %(what)s.", period=period, what=variation)
    if course.variation != "common cause" and not course.is_kept:
        return words.gettext("%(period)s is %(what)s, which may be chance among so many series.", period=period,
                             what=variation)  # fmt: skip
    return said


def words_said(score: Score, words: Language) -> tuple[tuple[Said, ...], str]:
    """What people say of a measure now, and how much of it is out of date, in a sentence."""
    slots = {
        "happened": words.gettext("What happened"),
        "story": words.gettext("The story behind it"),
        "action": words.gettext("What the city does"),
        "partners": words.gettext("Who helps"),
    }
    now = tuple(Said(slots[w.slot], w) for w in score.words if not w.is_expired)
    n = sum(w.is_expired for w in score.words)
    expired = words.ngettext(
        "%(n)s statement is out of date and not shown.", "%(n)s statements are out of date and not shown.", n
    ) if n else ""  # fmt: skip
    return now, expired
