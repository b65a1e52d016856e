"""``kind: document``."""

from __future__ import annotations

from datetime import date  # pydantic reads the annotation
from typing import TYPE_CHECKING

from metroon.review.question import Aging, Answer

if TYPE_CHECKING:
    from metroon.review.facts import Facts


class Document(Aging):
    """A text that says so, such as a resolution or minutes. Alone it never shows that something is done.

    At most half of an action's evidence may be documents: a text tells what was decided, not what holds.

    Args:
        title: What it is.
        url: Where it is: a path of the portal, or an address.
        on: The day it is of.
    """

    title: str
    url: str = ""
    on: date

    def says(self, facts: Facts) -> str:
        """What must hold."""
        days = f" is at most {self.expires_after_days} days old" if self.expires_after_days else " is there"
        return f"{self.title}{days}."

    def ask(self, facts: Facts) -> Answer:
        """Whether it is there on that day."""
        is_there = self.on <= facts.as_of
        found = f"{self.title}, of {self.on}." if is_there else f"{self.title} is dated {self.on}: not yet."
        return Answer(found, is_there, (self.url,) if self.url else (), self.on)
