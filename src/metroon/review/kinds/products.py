"""``kind: products``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from metroon.review.question import Answer, Names, Question, links, named

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from metroon.base.catalog import Dataset
    from metroon.review.facts import Facts

Fact = Literal[
    "has_licence", "has_steward", "is_classified", "has_legal_basis", "has_retention", "is_published",
    "passes_checks", "is_fresh", "has_gap_told",
]  # fmt: skip
_TOLD: Mapping[str, tuple[str, Callable[[Dataset], bool]]] = {
    "has_licence": ("have a licence", lambda d: bool(d.licence.id)),
    "has_steward": ("have a steward", lambda d: d.steward is not None),
    "is_classified": (
        "have a class for every column",
        lambda d: bool(d.columns) and all(c.classification for c in d.columns),
    ),
    "has_legal_basis": ("have a legal basis", lambda d: bool(d.legal_basis)),
    "has_retention": ("say how long rows are kept", lambda d: bool(d.retention)),
    "is_published": ("have published rows", lambda d: bool(d.editions)),
    "passes_checks": ("keep every rule in their newest version", lambda d: bool(d.checks) and _is_sound(d)),
    "is_fresh": ("are as fresh as promised", lambda d: d.promise.is_kept is True and not d.late),
    "has_gap_told": ("tell their known gap", lambda d: bool(d.gap)),
}


def _is_sound(dataset: Dataset) -> bool:
    return all(c.is_kept for c in dataset.checks)


class Products(Question):
    """For how many products something holds, such as a licence or a steward.

    Args:
        holds: What must hold of a product: ``has_licence``, ``has_steward``, ``is_classified`` (every column has a
            class), ``has_legal_basis``, ``has_retention``, ``is_published`` (its rows are), ``passes_checks`` (the
            newest version keeps every rule), ``is_fresh`` (a promised freshness is kept), ``has_gap_told``.
        share: The least share of products for which it must hold, above 0 and up to 1.
        count: The least number of them, instead of a share.
        access: Only products whose rows may be had so: ``public``, ``restricted public`` or ``non-public``.
        department: Only products of this department, as people call it.
    """

    holds: Fact
    share: float | None = Field(None, ge=0, le=1)
    count: int | None = Field(None, ge=0)
    access: Literal["public", "restricted public", "non-public"] | None = None
    department: str = ""

    @model_validator(mode="after")
    def _one_threshold(self) -> Products:
        if (self.share is None) == (self.count is None):
            raise ValueError("it needs one threshold. Fix: Write share: 1.0, or count: 5, not both.")
        return self

    def says(self, facts: Facts) -> str:
        """What must hold."""
        least = f"At least {self.count}" if self.count is not None else f"At least {self.share:.0%} of"
        return f"{'All' if self.share == 1 else least} {self._which()} {_TOLD[self.holds][0]}."

    def ask(self, facts: Facts) -> Answer:
        """How many do, and which do not."""
        what, holds = _TOLD[self.holds]
        asked = [d for d in facts.products.values() if self._is_asked(d)]
        lacking = [d for d in asked if not holds(d)]
        has = len(asked) - len(lacking)
        found = f"{has} of {len(asked)} {self._which()} {what}."
        if lacking:
            found += f" Not: {named(d.title for d in lacking)}."
        if self.count is not None:
            is_passed = has >= self.count
        else:
            is_passed = bool(asked) and has >= (self.share or 0) * len(asked)
        return Answer(found, is_passed, links(d.path for d in lacking or asked))

    def always_passes(self, shares: Collection[str] = ()) -> str:
        """A threshold of nothing."""
        return "at least 0 products always have it" if not (self.share or self.count) else ""

    def names(self) -> Names:
        """The department."""
        return (("department", self.department),) if self.department else ()

    def _which(self) -> str:
        whose = f" of {self.department}" if self.department else ""
        return f"{self.access} products{whose}" if self.access else f"products{whose}"

    def _is_asked(self, dataset: Dataset) -> bool:
        return self.access in (None, dataset.access) and self.department in ("", dataset.department)
