"""What is wrong with a plan before anything is asked: kinds, names, circles, and evidence that shows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from metroon.base.errors import Refused
from metroon.base.kinds import build
from metroon.base.node import did_you_mean
from metroon.review.kinds.document import Document
from metroon.review.question import Question

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from metroon.base.errors import Problem
    from metroon.base.node import Node
    from metroon.city.plan import Plan, Planned


@dataclass(frozen=True)
class Known:
    """What a plan may name.

    Args:
        names: What (``measure``, ``department``, ``role``, ``geography``, ``group``, ``language``) -> its names; of
            geographies and groups ``measure.name``.
        departments: Keys of the departments in city.yaml.
        shares: Measures whose numbers are shares.
    """

    names: Mapping[str, Collection[str]]
    departments: Collection[str]
    shares: Collection[str] = ()


@dataclass(frozen=True)
class Asked:
    """The questions of one action.

    Args:
        evidence: Those of the action itself.
        milestones: Those of each milestone, in order.
    """

    evidence: tuple[Question, ...]
    milestones: tuple[tuple[Question, ...], ...]


def questions(plan: Plan, plugins: Path | None = None) -> dict[str, Asked]:
    """Action -> its questions, and the plan held to what must be true of it on any day.

    Raises:
        Refused: A kind is unknown or its options do not fit, no data could fail a question, documents are more than
            half of an action's evidence, or actions wait for each other in a circle; every fault at once.
    """
    problems: list[Problem] = []
    made = {}
    for action in plan.actions():
        own = _built(action.node.at("evidence"), plugins, problems)
        ways = [_built(m.at("evidence"), plugins, problems) for m in action.node.at("milestones").each()]
        problems += _documents(action, own)
        made[action.file.id] = Asked(own, tuple(ways))
    problems += _order_faults(plan)
    if problems:
        raise Refused(problems)
    return made


def plan_faults(plan: Plan, known: Known, plugins: Path | None = None) -> list[Problem]:
    """Everything that is wrong with a plan, names that are not there too."""
    found: list[Problem] = []
    try:
        questions(plan, plugins)
    except Refused as refused:
        found += refused.problems
    for i, principle in enumerate(plan.file.principles):
        at = plan.node.at("principles", i)
        found += _unknown("measure", principle.measures, at, known, "measures")
    for action in plan.actions():
        told, node = action.file, action.node
        found += _unknown("role", [told.owner], node, known, "owner")
        if told.department and told.department not in known.departments:
            what = f"there is no department '{told.department}'."
            found.append(node.problem("R101", what, did_you_mean(told.department, known.departments), "department"))
        for at in _evidence(node):
            found += _named_faults(at, known, plugins)
    return sorted(set(found))


def _evidence(action: Node) -> Iterator[Node]:
    yield from action.at("evidence").each()
    for milestone in action.at("milestones").each():
        yield from milestone.at("evidence").each()


def _named_faults(at: Node, known: Known, plugins: Path | None) -> Iterator[Problem]:
    try:
        question = build("review", at, Question, plugins)
    except Refused:
        return  # told already
    for what, name in question.names():
        yield from _unknown(what, [name], at, known)
    if why := question.always_passes(known.shares):
        yield _trivial(at, why)


def _unknown(what: str, names: Collection[str], at: Node, known: Known, *keys: str) -> Iterator[Problem]:
    there = known.names.get(what, ())
    for name in names:
        if name not in there:
            measure, _, part = name.partition(".")
            if what in ("geography", "group"):
                parts = [n.partition(".")[2] for n in there if n.partition(".")[0] == measure]
                told = f"the measure '{measure}' is not told by '{part}'."
                yield at.problem("R101", told, did_you_mean(part, parts), "by")
            else:
                yield at.problem("R101", f"there is no {what} '{name}'.", did_you_mean(name, there), *keys)


def _built(at: Node, plugins: Path | None, problems: list[Problem]) -> tuple[Question, ...]:
    made = []
    for node in at.each():
        try:
            question = build("review", node, Question, plugins)
        except Refused as refused:
            problems += refused.problems
            continue
        if why := question.always_passes():
            problems.append(_trivial(node, why))
        made.append(question)
    return tuple(made)


def _trivial(at: Node, why: str) -> Problem:
    return at.problem(
        "R104", f"no data could fail this: {why}.", "Write a threshold that would fail today or once did."
    )


def _documents(action: Planned, asked: tuple[Question, ...]) -> Iterator[Problem]:
    documents = sum(isinstance(q, Document) for q in asked)
    if 2 * documents > len(asked) == len(action.file.evidence):
        what = f"{documents} of the {len(asked)} pieces of evidence of '{action.file.id}' are documents."
        fix = "Add evidence that is computed (see metroon kinds review), or take documents out: half is the most."
        yield action.node.problem("R103", what, fix, "evidence")


def _order_faults(plan: Plan) -> Iterator[Problem]:
    actions = {a.file.id: a for a in plan.actions()}
    for action in actions.values():
        for i, name in enumerate(action.file.depends_on):
            if name not in actions:
                fix = did_you_mean(name, actions)
                yield action.node.problem("R101", f"there is no action '{name}'.", fix, "depends_on", i)
    graph = {n: [d for d in a.file.depends_on if d in actions] for n, a in actions.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        names = error.args[1]
        what = f"actions wait for each other: {' > '.join(names)}."
        fix = "Take one of them out of depends_on."
        yield actions[names[0]].node.problem("R105", what, fix, "depends_on")
