"""``/goals``: every goal of the city with how its measures stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.serve.page import Page, Sheet
from metroon.serve.pages.home import goals_sheet
from metroon.serve.promises import GoalCard, goal_card

if TYPE_CHECKING:
    from metroon.serve.page import Asked


@dataclass(frozen=True)
class GoalsView:
    """What the page shows.

    Args:
        title: Its title.
        description: What it is.
        goals: Every goal as a card.
    """

    title: str
    description: str
    goals: tuple[GoalCard, ...]


class Goals(Page):
    """Every goal of the city."""

    path = "/goals"
    template = "goals.html"

    def view(self, asked: Asked) -> GoalsView:
        """Every goal with how its measures stand."""
        words = asked.words
        return GoalsView(
            words.gettext("What did the city promise, and how does it stand?"),
            words.gettext("The goals of %(city)s, with what was measured and what was asked for.",
                          city=asked.catalog.city),
            tuple(goal_card(asked, g) for g in asked.catalog.goals),
        )  # fmt: skip

    def data(self, asked: Asked) -> Sheet:
        """Every goal with how its measures stand."""
        return goals_sheet(asked)
