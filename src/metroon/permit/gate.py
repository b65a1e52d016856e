"""The gate: it decides, and only then opens what was decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metroon.permit.decide import OPERATOR, PUBLIC, Facts, decide

if TYPE_CHECKING:
    from metroon.base.catalog import Catalog, Dataset, Rows
    from metroon.permit.decide import Decision, Principal, Surface

Opener = Callable[[str, int], "Rows | None"]
"""Opens the published rows of a numbered version; None when there are none."""


class NotThere(LookupError):  # noqa: N818  # a state, and no fault
    """There is nothing of that name that the asker may see. Not permitted and not existing look the same."""


class Gone(NotThere):
    """It was published, and was taken away for good."""


@dataclass(frozen=True)
class Gate:
    """What one city lets out: nothing is opened before it is decided.

    Args:
        catalog_of_all: Everything that the city publishes.
        opener: How the rows of a version are opened.
    """

    catalog_of_all: Catalog
    opener: Opener

    def catalog(self, principal: Principal, surface: Surface) -> Catalog:
        """The catalog, as far as somebody may see it.

        That a dataset exists may be known of all of them, so that people can ask for it; its editions, counts and
        small pictures only of those whose rows they may have.

        Raises:
            NotThere: Nobody of that name is known.
        """
        if principal not in (PUBLIC, OPERATOR):
            raise NotThere(principal.name)
        told = self.catalog_of_all.datasets
        return replace(self.catalog_of_all, datasets={n: self._told(principal, d, surface) for n, d in told.items()})

    def _told(self, principal: Principal, dataset: Dataset, surface: Surface) -> Dataset:
        decision = self._decide(principal, dataset, dataset.version, surface, None, "")
        if decision.allow:
            return dataset
        columns = tuple(replace(c, is_open=False, filled=None, bars=()) for c in dataset.columns)
        return replace(dataset, has_rows=False, rows=None, span=None, editions=(), columns=columns)

    def rows(
        self,
        principal: Principal,
        name: str,
        surface: Surface,
        *,
        version: int | None = None,
        fields: tuple[str, ...] | None = None,
        purpose: str = "",
    ) -> Rows:
        """The published rows of a dataset, with the columns that somebody may see.

        Args:
            principal: Who asks.
            name: The dataset.
            surface: Where they would leave.
            version: A numbered version; the newest unless named.
            fields: Columns asked for; all that may be seen unless named.
            purpose: What for.

        Raises:
            NotThere: There are none, or not for them.
            Gone: The version was published, and was taken away.
        """
        dataset = self.catalog_of_all.datasets.get(name)
        if dataset is None:
            raise NotThere(name)
        number = dataset.version if version is None else version
        if number in dataset.withdrawn:
            raise Gone(name)
        if number not in [e.number for e in dataset.editions]:
            raise NotThere(name)
        decision = self._decide(principal, dataset, number, surface, fields, purpose)
        found = self.opener(name, number) if decision.allow and number is not None else None
        if found is None:
            raise NotThere(name)
        columns = tuple(c for c in found.columns if c.name in decision.fields)
        if not columns:
            raise NotThere(name)
        order = tuple(c for c in found.order if c in decision.fields)
        relation = found.relation.select(*(c.name for c in columns))
        return replace(found, relation=relation, columns=columns, order=order)

    def _decide(
        self,
        principal: Principal,
        dataset: Dataset,
        number: int | None,
        surface: Surface,
        fields: tuple[str, ...] | None,
        purpose: str,
    ) -> Decision:
        facts = Facts(dataset.name, number, dataset.access, dataset.has_rows, _open(dataset, number))
        return decide(
            principal, purpose=purpose, licence="", product=facts, fields=fields, row_scope="", surface=surface,
            now=datetime.now(UTC),
        )  # fmt: skip


def _open(dataset: Dataset, number: int | None) -> tuple[str, ...]:
    """The columns that are open today, and those of an earlier version that today's contract does not name any more.

    A column that is named still and open no more is closed in every version.
    """
    today = tuple(c.name for c in dataset.columns if c.is_open)
    then = next((e.columns for e in dataset.editions if e.number == number and number != dataset.version), ())
    named = {c.name for c in dataset.columns}
    return (*today, *(c for c in then if c not in named))
