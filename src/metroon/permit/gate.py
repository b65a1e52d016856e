"""The gate: it decides, and only then hands out what was decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metroon.permit.decide import Facts, decide

if TYPE_CHECKING:
    from metroon.base.catalog import Catalog, Rows
    from metroon.permit.decide import Principal, Surface

Opener = Callable[[str, int | None], "Rows | None"]
"""Gives the published rows of a version, the newest unless numbered; None when there are none."""


class NotThere(LookupError):
    """There is nothing of that name that the asker may see. Not permitted and not existing look the same."""


@dataclass(frozen=True)
class Gate:
    """What one city lets out.

    Args:
        catalog: Everything it publishes.
        opener: How published rows are opened.
    """

    _catalog: Catalog
    _opener: Opener

    def catalog(self, principal: Principal, surface: Surface) -> Catalog:
        """The catalog, as far as somebody may see it."""
        return self._catalog

    def rows(
        self, principal: Principal, name: str, surface: Surface, *, version: int | None = None, purpose: str = ""
    ) -> Rows:
        """The published rows of a dataset, with the columns that somebody may see.

        Raises:
            NotThere: There are none, or not for them.
        """
        found = self._opener(name, version)
        if found is None:
            raise NotThere(name)
        facts = Facts(name, found.edition.number, found.dataset.access, True, tuple(c.name for c in found.columns))
        decision = decide(
            principal, purpose=purpose, licence="", product=facts, fields=None, row_scope="", surface=surface,
            now=datetime.now(UTC),
        )  # fmt: skip
        if not decision.allow:
            raise NotThere(name)
        columns = tuple(c for c in found.columns if c.name in decision.fields)
        return replace(found, relation=found.relation.select(*(c.name for c in columns)), columns=columns)
