"""The plan of a city with its computed status, and the texts of a city with the numbers that stand in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon import review
from metroon.city.glossary import names_in
from metroon.serve.terminal.rows import estimate_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from metroon.base.catalog import Catalog, Story
    from metroon.base.plan import PlanStatus
    from metroon.base.scorecard import Score
    from metroon.base.store import Store
    from metroon.city import City


def status(catalog: Catalog, city: City, store: Store | None = None, as_of: date | None = None) -> PlanStatus | None:
    """The plan with the state of every action on one day; None when the city has none.

    Args:
        catalog: The catalog, with the scores of that day.
        city: What was declared.
        store: Remembers on which days runs found actions done; without it none was.
        as_of: The day taken for today; the catalog's unless given.

    Raises:
        Refused: The plan itself has faults.
    """
    if city.plan is None:
        return None
    day = as_of or catalog.as_of
    departments = city.file.departments
    facts = review.facts(catalog, departments=departments.values(), roles=city.staff.roles, as_of=day)
    done_on = store.done_on(day) if store else {}
    return review.status(city.plan, facts, departments=departments, done_on=done_on, plugins=city.plugins)


def remember(told: PlanStatus, store: Store) -> None:
    """Keep the state of every action on this day, so that what was done and is no longer is seen."""
    store.planned(told.as_of, {a.id: a.state for s in told.steps for a in s.actions})


def stories(city: City, scores: Mapping[str, Score]) -> tuple[Story, ...]:
    """The city's stories with what their questions find today, newest first."""
    asked = {q.measure for s in city.stories for q in s.file.queries.values()} & scores.keys()
    rows = {m: estimate_rows(scores[m].measured) for m in asked}
    return tuple(review.answered(s, rows) for s in city.stories)


def names(city: City) -> dict[str, dict[str, str]]:
    """Language -> (English words -> words in it), from synonyms in contracts."""
    contracts = {n: p.contract.node.value for n, p in city.products.items()}
    return names_in(contracts, city.file.languages)
