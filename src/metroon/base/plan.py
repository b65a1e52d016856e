"""The plan with its computed status: what a city promised to do, and what the evidence says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

ActionState = Literal["done", "on track", "late", "reopened", "blocked", "not checkable"]
"""Computed from evidence, never typed."""


@dataclass(frozen=True)
class Evidence:
    """One question to what the city has, and its answer.

    Args:
        kind: The evidence kind.
        text: What must hold, in words.
        found: What was found, in words, with its numbers; empty when it could not be asked.
        is_passed: Whether it holds; None when it could not be asked.
        checked: The day.
        links: Paths of pages that show it.
    """

    kind: str
    text: str
    found: str
    is_passed: bool | None
    checked: date
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Milestone:
    """Something on the way of an action.

    Args:
        title: What is reached.
        due: The day by which its evidence must hold.
        is_passed: Whether it holds; None when it could not be asked.
        evidence: Its questions with their answers.
    """

    title: str
    due: date
    is_passed: bool | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Action:
    """One thing that the city will do.

    Args:
        id: Its permanent id.
        step: The step it belongs to.
        title: What will be done.
        owner: The role that answers for it.
        department: Whose it is, in words.
        start: When it begins.
        due: When it is to be done.
        first_due: When it was first to be done; the same as ``due`` unless it was moved.
        moved: Why it was moved; empty when it was not.
        depends_on: Ids of actions that come first.
        state: Computed.
        reason: Why it is in that state, in words.
        evidence: Its questions with their answers.
        milestones: What is reached on the way.
        done_on: The last day on which a run found it done; None when none did.
    """

    id: str
    step: str
    title: str
    owner: str
    department: str
    start: date
    due: date
    first_due: date
    moved: str
    depends_on: tuple[str, ...]
    state: ActionState
    reason: str
    evidence: tuple[Evidence, ...]
    milestones: tuple[Milestone, ...] = ()
    done_on: date | None = None


@dataclass(frozen=True)
class Role:
    """Duties that stay when the person goes.

    Args:
        id: Its permanent id.
        title: What people call it.
        duties: What whoever holds it must do.
        holder: Who holds it; empty while it is vacant.
        department: Whose it is, in words.
        since: Since when it is held, or vacant.
        deputy: Id of the role that does the duties while this one is vacant.
        is_required: Whether the plan cannot do without it.
        may: What whoever holds it may decide, such as ``declassify``.
    """

    id: str
    title: str
    duties: str
    holder: str
    department: str
    since: date
    deputy: str = ""
    is_required: bool = True
    may: tuple[str, ...] = ()


@dataclass(frozen=True)
class Principle:
    """What guides the strategy: a sentence, why, and the measures that tell of it."""

    id: str
    sentence: str
    why: str
    measures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step of the plan, with its actions in order."""

    id: str
    title: str
    principle: str
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class PlanStatus:
    """The strategy on one day.

    Args:
        title: Its title.
        authority: The resolution and its day.
        start: When it begins.
        end: When it ends.
        as_of: The day taken for today.
        principles: What guides it.
        steps: Its steps, in order.
        note: What must stand beside it, such as whose template it follows.
        roles: Who answers for what; owners of actions are among them.
    """

    title: str
    authority: str
    start: date
    end: date
    as_of: date
    principles: tuple[Principle, ...]
    steps: tuple[Step, ...]
    note: str = ""
    roles: tuple[Role, ...] = ()

    def counts(self) -> dict[ActionState, int]:
        """State -> how many actions are in it, in the order done, on track, late, reopened, blocked, not checkable."""
        states = [a.state for s in self.steps for a in s.actions]
        order: tuple[ActionState, ...] = ("done", "on track", "late", "reopened", "blocked", "not checkable")
        return {s: states.count(s) for s in order}
