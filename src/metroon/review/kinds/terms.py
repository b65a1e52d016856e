"""``kind: terms``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from metroon.review.question import Answer, Names, Question

if TYPE_CHECKING:
    from collections.abc import Collection

    from metroon.review.facts import Facts


class Terms(Question):
    """How many words the glossary explains.

    Args:
        count: The least number of them.
        languages: Only words count that are said in each of these languages too.
    """

    count: int = Field(ge=0)
    languages: list[str] = Field(default_factory=list)

    def says(self, facts: Facts) -> str:
        """What must hold."""
        also = f" and says in {', '.join(self.languages)} too" if self.languages else ""
        return f"The glossary explains at least {self.count} words{also}."

    def ask(self, facts: Facts) -> Answer:
        """How many there are."""
        has = sum(all(t.synonyms.get(x) for x in self.languages) for t in facts.terms)
        return Answer(f"{has} of {len(facts.terms)} words count.", has >= self.count, ("/glossary",))

    def always_passes(self, shares: Collection[str] = ()) -> str:
        """A threshold of nothing."""
        return "" if self.count else "there are always at least 0 words"

    def names(self) -> Names:
        """The languages."""
        return tuple(("language", x) for x in self.languages)
