"""The plan as declared: what the city promised to do, by when, and what would show that it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # pydantic reads the annotation
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from metroon.base.errors import Refused
from metroon.base.node import did_you_mean, validate
from metroon.city.ids import Id, repeated
from metroon.city.yaml import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metroon.base.errors import Problem
    from metroon.base.node import Node


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PrincipleFile(_Part):
    """What guides the plan.

    Args:
        id: Its permanent id.
        sentence: The principle, in one sentence.
        why: Why the city holds it.
        measures: Measures that tell of it.
    """

    id: Id
    sentence: str
    why: str
    measures: list[str] = Field(default_factory=list)


class MilestoneFile(_Part):
    """Something on the way that has a day of its own.

    Args:
        title: What is reached.
        due: The day by which its evidence must hold.
        evidence: Its questions, each a kind of the review room.
    """

    title: str
    due: date
    evidence: list[dict[str, Any]] = Field(min_length=1)


class ActionFile(_Part):
    """One thing that the city will do. There is no key for its state: that is computed from the evidence.

    Args:
        id: Its permanent id.
        title: What will be done.
        owner: The role that answers for it, an id of people.yaml; never a person.
        department: Whose it is, a name of city.yaml.
        start: When it begins.
        due: When it is to be done.
        first_due: When it was first to be done, if that was another day.
        moved: Why it was moved; must be there when ``first_due`` is.
        depends_on: Ids of actions that come first.
        milestones: What is reached on the way.
        evidence: What must hold when it is done, each a kind of the review room; without any it is not checkable.
    """

    id: Id
    title: str
    owner: str
    department: str = ""
    start: date
    due: date
    first_due: date | None = None
    moved: str = ""
    depends_on: list[str] = Field(default_factory=list)
    milestones: list[MilestoneFile] = Field(default_factory=list)
    evidence: list[dict[str, Any]] = Field(default_factory=list)


class StepFile(_Part):
    """One step of the plan.

    Args:
        id: Its permanent id.
        title: What people call it.
        principle: The principle that it follows.
        actions: What will be done, in order.
    """

    id: Id
    title: str
    principle: str = ""
    actions: list[ActionFile] = Field(default_factory=list)


class PlanFile(_Part):
    """What ``plan.yaml`` holds.

    Args:
        title: The plan's title.
        authority: The resolution that adopted it, and its day.
        start: When it begins.
        end: When it ends.
        note: What must stand beside it, such as whose template it follows.
        principles: What guides it.
        steps: Its steps, in order.
    """

    title: str
    authority: str
    start: date
    end: date
    note: str = ""
    principles: list[PrincipleFile] = Field(default_factory=list)
    steps: list[StepFile] = Field(min_length=1)


@dataclass(frozen=True)
class Planned:
    """One action as declared, with where it stands.

    Args:
        step: The step it belongs to.
        file: What is declared.
        node: Where.
    """

    step: str
    file: ActionFile
    node: Node


@dataclass(frozen=True)
class Plan:
    """A city's plan, read.

    Args:
        file: What it says.
        node: The same with its lines.
    """

    file: PlanFile
    node: Node

    def actions(self) -> Iterator[Planned]:
        """Every action, in the order of the plan."""
        for s, step in enumerate(self.file.steps):
            for a, action in enumerate(step.actions):
                yield Planned(step.id, action, self.node.at("steps", s, "actions", a))


def plan(folder: Path) -> Plan | None:
    """The plan of a city repo; None when it has none.

    Raises:
        Refused: Keys are unknown or wrong, ids stand twice, or days contradict each other; every fault at once.
    """
    if not (folder / "plan.yaml").exists():
        return None
    node = read(folder / "plan.yaml")
    made = Plan(validate(node, PlanFile, "Y103"), node)
    if problems := [*_faults(made)]:
        raise Refused(problems)
    return made


def _faults(made: Plan) -> Iterator[Problem]:
    node, actions = made.node, list(made.actions())
    principles = {p.id for p in made.file.principles}
    yield from repeated((p.id, node.at("principles", i)) for i, p in enumerate(made.file.principles))
    yield from repeated((s.id, node.at("steps", i)) for i, s in enumerate(made.file.steps))
    yield from repeated((a.file.id, a.node) for a in actions)
    if made.file.end < made.file.start:
        yield node.problem("R106", "the plan ends before it begins.", "Correct start: or end:.", "end")
    for i, step in enumerate(made.file.steps):
        if step.principle and step.principle not in principles:
            what = f"there is no principle '{step.principle}'."
            yield node.at("steps", i).problem("R101", what, did_you_mean(step.principle, principles), "principle")
    for action in actions:
        yield from _day_faults(action)


def _day_faults(action: Planned) -> Iterator[Problem]:
    told, node = action.file, action.node
    if told.due < told.start:
        yield node.problem("R106", f"'{told.id}' is due before it begins.", "Correct start: or due:.", "due")
    is_moved = told.first_due is not None and told.first_due != told.due
    if is_moved and not told.moved.strip():
        what = f"'{told.id}' was moved, and nobody says why."
        yield node.problem("R106", what, "Add moved: with the reason, in words for the public.", "first_due")
    if told.moved and not is_moved:
        what = f"'{told.id}' says why it was moved, but not when it was first due."
        yield node.problem("R106", what, "Add first_due: with the first day; it is kept for good.", "moved")
    for i, milestone in enumerate(told.milestones):
        if not told.start <= milestone.due <= told.due:
            what = f"a milestone of '{told.id}' lies outside the action's own days."
            yield node.at("milestones", i).problem("R106", what, f"Write a day from {told.start} to {told.due}.", "due")
