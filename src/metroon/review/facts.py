"""Facts: what a city has on one day, as evidence may ask of it. Made of the catalog, so that any day can be rebuilt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from metroon.base.catalog import Catalog, Dataset, Story, Term
    from metroon.base.plan import Role
    from metroon.base.scorecard import GoalPage, Score


@dataclass(frozen=True)
class Facts:
    """What a city has on one day.

    Args:
        as_of: The day taken for today.
        products: Name -> product.
        listed: Name -> what is only listed.
        scores: Measure -> what its release of that day says.
        goals: The city's goals with their measures.
        departments: What people call the city's departments.
        roles: Id -> role; none when the city declares none.
        stories: Its stories that were written by then.
        terms: Its glossary.
    """

    as_of: date
    products: Mapping[str, Dataset]
    listed: Mapping[str, Dataset]
    scores: Mapping[str, Score]
    goals: tuple[GoalPage, ...]
    departments: tuple[str, ...]
    roles: Mapping[str, Role]
    stories: tuple[Story, ...]
    terms: tuple[Term, ...]


def facts(catalog: Catalog, *, departments: Iterable[str], roles: Iterable[Role], as_of: date) -> Facts:
    """The facts of one day.

    What carries a day is taken as it was then: releases, versions, stories, entries of the inventory. Declarations
    carry none and are taken as they are now: to see an earlier text, check out an earlier commit of the city repo.

    Args:
        catalog: The catalog, with the scores of that day.
        departments: What people call the city's departments.
        roles: The city's roles.
        as_of: The day taken for today.
    """
    datasets = catalog.datasets.values()
    return Facts(
        as_of=as_of,
        products={d.name: _on(d, as_of) for d in datasets if d.shape == "table"},
        listed={d.name: d for d in datasets if d.shape == "listed"},
        scores={n: s for n, s in catalog.scores.items() if s.published <= as_of},
        goals=tuple(replace(g, scores=tuple(s for s in g.scores if s.published <= as_of)) for g in catalog.goals),
        departments=tuple(departments),
        roles={r.id: r for r in roles},
        stories=tuple(s for s in catalog.stories if s.on <= as_of),
        terms=catalog.terms,
    )


def _on(dataset: Dataset, as_of: date) -> Dataset:
    """A product as it was on a day: versions that came later are not there, nor what was found of them."""
    if dataset.updated is None or dataset.updated <= as_of:
        return dataset
    editions = tuple(e for e in dataset.editions if e.as_of <= as_of)
    updated = editions[0].as_of if editions else None
    return replace(dataset, editions=editions, has_rows=bool(editions), updated=updated, checks=(), days=())
