"""``kind: inventory``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from metroon.review.question import Answer, Question, links, named

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from metroon.base.catalog import Dataset
    from metroon.review.facts import Facts


class Inventory(Question):
    """How many departments have something in the inventory: a product, or an entry that is not collected yet.

    Args:
        share: The least share of the city's departments, above 0 and up to 1.
        updated_within_days: Only products with a version, and entries that were reviewed, in so many days count.
    """

    share: float = Field(0.8, ge=0, le=1)
    updated_within_days: int | None = Field(None, ge=1)

    def says(self, facts: Facts) -> str:
        """What must hold."""
        days = f", updated in the last {self.updated_within_days} days" if self.updated_within_days else ""
        return f"At least {self.share:.0%} of the departments have something in the inventory{days}."

    def ask(self, facts: Facts) -> Answer:
        """How many departments are covered, and which are not."""
        if not facts.departments:
            return Answer("The city has declared no departments.", None)
        counted = [d for d in (*facts.products.values(), *facts.listed.values()) if self._counts(d, facts.as_of)]
        covered = {d.department for d in counted}
        lacking = [d for d in facts.departments if d not in covered]
        has = len(facts.departments) - len(lacking)
        found = f"{has} of {len(facts.departments)} departments are in the inventory."
        if lacking:
            found += f" Not: {named(lacking)}."
        return Answer(found, has >= self.share * len(facts.departments), links(["/datasets"]))

    def always_passes(self, shares: Collection[str] = ()) -> str:
        """A threshold of nothing."""
        return "" if self.share else "at least 0 % of the departments always have something"

    def _counts(self, dataset: Dataset, as_of: date) -> bool:
        day = dataset.reviewed if dataset.shape == "listed" else dataset.updated
        if day is None or day > as_of:
            return False
        return self.updated_within_days is None or as_of - day <= timedelta(days=self.updated_within_days)
