"""``kind: diverse``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from metroon.guard.technique import Protecting, Technique

if TYPE_CHECKING:
    from metroon.base.engine import Relation


class Diverse(Technique):
    """A sensitive column stays as it is, where no group of people who look alike is alike in it.

    In each group of people who share all quasi-identifying values there must be several different values of it, and
    at least three people must have another value than the most frequent one: else whoever is known to be in the
    group is known to have it. Where one group fails, no row is published.

    Args:
        least: Fewest different values in each group.

    Source:
        Machanavajjhala et al. (2007), l-Diversity, ACM TKDD 1(1), doi:10.1145/1217299.1217302, section 3.
    """

    least: int = Field(3, ge=2)

    def protect(self, rows: Relation, given: Protecting) -> Relation:  # the same call for every kind
        """The rows as they are: the groups are looked at when every column is protected."""
        return rows

    def words(self) -> str:
        """How many at the least."""
        return f"Published, because each group of people who look alike holds at least {self.least} different values."

    def diversity(self) -> int | None:
        """The least."""
        return self.least
