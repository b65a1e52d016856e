"""The noun of this room: a question to what the city has, whose answer shows whether something is done."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from metroon.base.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from metroon.review.facts import Facts

Names = tuple[tuple[str, str], ...]
"""(What, name) of what a question asks about, such as (``measure``, ``shade``)."""
SHOWN = 3
"""How many things a sentence names before it counts the rest."""


@dataclass(frozen=True)
class Answer:
    """What a question found.

    Args:
        found: What was found, in words, with its numbers; why it could not be asked where it could not.
        is_passed: Whether what was asked for holds; None when it could not be asked.
        links: Paths of pages that show it.
        on: The day that the answer itself is of, such as that of a release; None for what holds today.
    """

    found: str
    is_passed: bool | None
    links: tuple[str, ...] = ()
    on: date | None = None


class Question(Kind):
    """One question of evidence. Its fields are the YAML options."""

    text: str = ""
    """What must hold, in your own words; made from the options when it is left out."""

    @abstractmethod
    def says(self, facts: Facts) -> str:
        """What must hold, in words, made from the options; the facts tell what people call things."""

    @abstractmethod
    def ask(self, facts: Facts) -> Answer:
        """What the city has of it on the day of the facts."""

    def always_passes(self, shares: Collection[str] = ()) -> str:
        """Why no data could fail it, in words; empty when some could.

        Args:
            shares: Measures whose numbers are shares, so that none is above 1.
        """
        return ""

    def names(self) -> Names:
        """What it asks about, by name, so that a wrong name is told."""
        return ()


class Aging(Question):
    """A question whose answer has a day of its own, and so can grow old."""

    expires_after_days: int | None = Field(None, ge=1)
    """How many days the answer counts from its own day, such as that of the release; for good unless given."""


def named(titles: Iterable[str]) -> str:
    """A few names, and how many more there are.

    Example:
        >>> named(["Trees"]), named(["Trees", "Parks", "Roads", "Wells", "Ponds"])
        ('Trees', 'Trees, Parks, Roads and 2 more')
    """
    found = list(titles)
    listed, more = ", ".join(found[:SHOWN]), len(found) - SHOWN
    return f"{listed} and {more} more" if more > 0 else listed


def links(paths: Iterable[str]) -> tuple[str, ...]:
    """Paths, each once, so many as a line can hold."""
    return tuple(list(dict.fromkeys(paths))[:SHOWN])
