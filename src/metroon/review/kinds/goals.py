"""``kind: goals``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from metroon.review.question import Answer, Question, links, named

if TYPE_CHECKING:
    from collections.abc import Collection

    from metroon.base.scorecard import GoalPage
    from metroon.review.facts import Facts


class Goals(Question):
    """How many of the city's goals have a published measure of what residents feel: an outcome, not an output.

    Args:
        share: The least share of goals, above 0 and up to 1.
    """

    share: float = Field(1.0, ge=0, le=1)

    def says(self, facts: Facts) -> str:
        """What must hold."""
        least = "Every goal has" if self.share == 1 else f"At least {self.share:.0%} of the goals have"
        return f"{least} a published outcome measure."

    def ask(self, facts: Facts) -> Answer:
        """How many goals have one, and which do not."""
        if not facts.goals:
            return Answer("The city has declared no goals.", False)
        lacking = [g for g in facts.goals if not _has_outcome(g)]
        has = len(facts.goals) - len(lacking)
        found = f"{has} of {len(facts.goals)} goals have a published outcome measure."
        if lacking:
            found += f" Not: {named(g.title for g in lacking)}."
        paths = links(f"/goals/{g.goal}" for g in lacking or facts.goals)
        return Answer(found, has >= self.share * len(facts.goals), paths)

    def always_passes(self, shares: Collection[str] = ()) -> str:
        """A threshold of nothing."""
        return "" if self.share else "at least 0 % of the goals always have one"


def _has_outcome(goal: GoalPage) -> bool:
    return any(dict(s.chain).get("type") == "outcome" for s in goal.scores)
