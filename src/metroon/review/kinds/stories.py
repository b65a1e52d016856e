"""``kind: stories``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from metroon.review.question import Answer, Question, links

if TYPE_CHECKING:
    from collections.abc import Collection

    from metroon.review.facts import Facts


class Stories(Question):
    """How many stories the city has told with its numbers.

    Args:
        count: The least number of them.
        within_days: Only those written in so many days count.
    """

    count: int = Field(ge=0)
    within_days: int | None = Field(None, ge=1)

    def says(self, facts: Facts) -> str:
        """What must hold."""
        days = f" in the last {self.within_days} days" if self.within_days else ""
        return f"At least {self.count} stories were written{days}."

    def ask(self, facts: Facts) -> Answer:
        """How many there are."""
        days = self.within_days
        told = [s for s in facts.stories if days is None or facts.as_of - s.on <= timedelta(days=days)]
        has = "1 story was" if len(told) == 1 else f"{len(told)} stories were"
        return Answer(f"{has} written.", len(told) >= self.count, links(f"/stories/{s.id}" for s in told))

    def always_passes(self, shares: Collection[str] = ()) -> str:
        """A threshold of nothing."""
        return "" if self.count else "there are always at least 0 stories"
