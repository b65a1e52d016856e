"""Small plans and what an invented city has of them; each test changes what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from metroon import review
from metroon.base.catalog import Check, Column, Dataset, Licence, Promise
from metroon.base.node import Node
from metroon.base.plan import Role
from metroon.city.plan import Plan, PlanFile
from metroon.review import Facts

if TYPE_CHECKING:
    from metroon.base.plan import Action

TODAY = date(2026, 7, 15)
LICENSED: dict[str, Any] = {"kind": "products", "holds": "has_licence", "share": 1.0}
NEVER: dict[str, Any] = {"kind": "products", "holds": "has_steward", "share": 1.0}
LEAD = Role("lead", "Data lead", "Leads.", "Somebody", "", date(2026, 1, 1))


def action(name: str = "open", **given: Any) -> dict[str, Any]:
    """One action of a plan, due at the end of the year."""
    told = {"id": name, "title": name.title(), "owner": "lead", "start": "2026-01-01", "due": "2026-12-31"}
    return {**told, "evidence": [LICENSED], **given}


def plan(*actions: dict[str, Any]) -> Plan:
    """A plan of one step."""
    told = {
        "title": "Plan", "authority": "Resolution 1", "start": "2026-01-01", "end": "2028-12-31",
        "steps": [{"id": "serve", "title": "Serve", "actions": list(actions)}],
    }  # fmt: skip
    return Plan(PlanFile.model_validate(told), Node(told, "plan.yaml"))


def product(name: str = "trees", **given: Any) -> Dataset:
    """A product with a licence and no steward."""
    told: dict[str, Any] = {
        "columns": (Column("id", "Id", "", "string", "public"),),
        "licence": Licence("CC0-1.0"),
        "checks": (Check("it is told", "id", "completeness", "warn", True),),
        "promise": Promise("35 days", 35, True),
        "updated": TODAY,
    }
    return Dataset(name, "table", name.title(), "", **{**told, **given})


def facts(*products: Dataset, as_of: date = TODAY, **given: Any) -> Facts:
    """What the city has: one product with a licence, one role that is held."""
    made = Facts(
        as_of=as_of,
        products={p.name: p for p in products or (product(),)},
        listed={},
        scores={},
        goals=(),
        departments=(),
        roles={"lead": LEAD},
        stories=(),
        terms=(),
    )
    return replace(made, **given)


def judged(told: Plan, known: Facts, **done_on: date) -> dict[str, Action]:
    """Id -> action with its state."""
    made = review.status(told, known, departments={}, done_on=done_on)
    return {a.id: a for s in made.steps for a in s.actions}


def state(known: Facts, *, done_on: date | None = None, **given: Any) -> str:
    """The state of a plan's only action."""
    return judged(plan(action(**given)), known, **({"open": done_on} if done_on else {}))["open"].state
