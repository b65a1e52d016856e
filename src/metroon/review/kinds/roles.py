"""``kind: roles``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from metroon.review.question import Answer, Names, Question, named

if TYPE_CHECKING:
    from metroon.review.facts import Facts


class Roles(Question):
    """Whether roles are held: every required one, or those that are named.

    Args:
        roles: Ids of people.yaml; every required role unless given.
    """

    roles: list[str] = Field(default_factory=list)

    def says(self, facts: Facts) -> str:
        """What must hold."""
        titles = (facts.roles[r].title if r in facts.roles else r for r in self.roles)
        return f"Somebody holds: {', '.join(titles)}." if self.roles else "No required role is vacant."

    def ask(self, facts: Facts) -> Answer:
        """How many are held, and which are vacant since when."""
        if not facts.roles:
            return Answer("The city has no people.yaml.", None)
        asked = self.roles or [r.id for r in facts.roles.values() if r.is_required]
        known = [facts.roles[r] for r in asked if r in facts.roles]
        # Whoever comes later does not hold it yet; a role that became vacant later was held, as far as can be told.
        vacant = [r for r in known if r.since > facts.as_of or not r.holder]
        held = len(known) - len(vacant)
        found = f"{held} of {len(asked)} roles are held."
        if vacant:
            found += f" Vacant: {named(f'{r.title} (since {r.since})' for r in vacant)}."
        return Answer(found, bool(asked) and held == len(asked))

    def names(self) -> Names:
        """The roles."""
        return tuple(("role", r) for r in self.roles)
