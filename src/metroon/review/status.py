"""The state of every action on one day, by rules; nobody types one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from metroon.base.plan import Action, Evidence, Milestone, PlanStatus, Principle, Step
from metroon.review.lint import questions
from metroon.review.question import Aging, named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from metroon.base.plan import ActionState
    from metroon.city.plan import ActionFile, Plan
    from metroon.review.facts import Facts
    from metroon.review.lint import Asked
    from metroon.review.question import Question


def status(
    plan: Plan,
    facts: Facts,
    *,
    departments: Mapping[str, str],
    done_on: Mapping[str, date] | None = None,
    plugins: Path | None = None,
) -> PlanStatus:
    """The plan on the day of the facts.

    ======================  ===================================================================================
    state                   when
    ======================  ===================================================================================
    not checkable           it has no evidence that could be asked
    done                    every piece of evidence holds and none has expired
    reopened                a run had found it done, and evidence fails or has expired
    late                    its day, or that of a milestone, has passed without evidence
    blocked                 an action that it depends on is neither done nor on track, or its owner's role is vacant
    on track                else
    ======================  ===================================================================================

    The first that fits is the state.

    Args:
        plan: The plan as declared.
        facts: What the city has on the day.
        departments: Department -> what people call it.
        done_on: Action -> the last day, until that of the facts, on which a run found it done.
        plugins: The city's folder of kinds of its own.

    Raises:
        Refused: The plan itself has faults.
    """
    asked = questions(plan, plugins)
    declared = {a.file.id: a for a in plan.actions()}
    order = TopologicalSorter({n: a.file.depends_on for n, a in declared.items()}).static_order()
    made: dict[str, Action] = {}
    for name in order:
        planned = declared[name]
        before = [made[d] for d in planned.file.depends_on]
        judging = _Judging(planned.file, asked[name], facts, before, (done_on or {}).get(name))
        made[name] = judging.action(planned.step, departments.get(planned.file.department, ""))
    return PlanStatus(
        title=plan.file.title,
        authority=plan.file.authority,
        start=plan.file.start,
        end=plan.file.end,
        as_of=facts.as_of,
        principles=tuple(Principle(p.id, p.sentence, p.why, tuple(p.measures)) for p in plan.file.principles),
        steps=tuple(Step(s.id, s.title, s.principle, tuple(made[a.id] for a in s.actions)) for s in plan.file.steps),
        note=plan.file.note,
        roles=tuple(facts.roles.values()),
    )


def answered(question: Question, facts: Facts) -> Evidence:
    """One question with its answer; an answer that has grown too old no longer holds."""
    answer = question.ask(facts)
    found, is_passed = answer.found, answer.is_passed
    days = question.expires_after_days if isinstance(question, Aging) else None
    if is_passed and days is not None and answer.on is not None:
        expiry = answer.on + timedelta(days=days)
        if expiry < facts.as_of:
            found, is_passed = f"{found} It expired on {expiry}: it counts for {days} days.", False
    kind = type(question).__module__.rpartition(".")[2]
    return Evidence(kind, question.text or question.says(facts), found, is_passed, facts.as_of, answer.links)


@dataclass(frozen=True)
class _Judging:
    """One action with all that decides its state."""

    told: ActionFile
    asked: Asked
    facts: Facts
    before: Sequence[Action]
    done_on: date | None

    def action(self, step: str, department: str) -> Action:
        told, facts = self.told, self.facts
        evidence = tuple(answered(q, facts) for q in self.asked.evidence)
        milestones = tuple(
            _milestone(m.title, m.due, tuple(answered(q, facts) for q in own))
            for m, own in zip(told.milestones, self.asked.milestones, strict=True)
        )
        state, reason = self._state(evidence, milestones)
        owner = facts.roles.get(told.owner)
        return Action(
            id=told.id,
            step=step,
            title=told.title,
            owner=owner.title if owner else told.owner,
            department=department,
            start=told.start,
            due=told.due,
            first_due=told.first_due or told.due,
            moved=told.moved,
            depends_on=tuple(told.depends_on),
            state=state,
            reason=reason,
            evidence=evidence,
            milestones=milestones,
            done_on=facts.as_of if state == "done" else self.done_on,
        )

    def _state(self, evidence: Sequence[Evidence], milestones: Sequence[Milestone]) -> tuple[ActionState, str]:
        failing = [e for e in evidence if not e.is_passed]
        if all(e.is_passed is None for e in evidence):
            return "not checkable", evidence[0].found if evidence else "No evidence is declared: nobody can check it."
        if not failing:
            return "done", "Every piece of evidence holds."
        if self.done_on is not None:
            return "reopened", f"It was done on {self.done_on}. {failing[0].found}"
        if late := self._late(milestones):
            return "late", f"{late} {failing[0].found}"
        if blocked := self._blocked():
            return "blocked", blocked
        return "on track", f"Due {_in(self.told.due - self.facts.as_of)}. {_counted(evidence, failing)}"

    def _late(self, milestones: Sequence[Milestone]) -> str:
        today = self.facts.as_of
        if self.told.due < today:
            return f"It was due on {self.told.due}."
        missed = [m for m in milestones if m.due < today and not m.is_passed]
        return f"The milestone “{missed[0].title}” was due on {missed[0].due}." if missed else ""

    def _blocked(self) -> str:
        waits = [a for a in self.before if a.state not in ("done", "on track")]
        if waits:
            return f"It waits for: {named(f'{a.title} ({a.state})' for a in waits)}."
        owner = self.facts.roles.get(self.told.owner)
        if owner is None or owner.since > self.facts.as_of:
            return "Nobody holds the role that answers for it." if self.facts.roles else ""
        return "" if owner.holder else f"The role {owner.title} is vacant since {owner.since}."


def _milestone(title: str, due: date, evidence: tuple[Evidence, ...]) -> Milestone:
    asked = [e.is_passed for e in evidence]
    is_passed = None if all(a is None for a in asked) else all(asked)
    return Milestone(title, due, is_passed, evidence)


def _counted(evidence: Sequence[Evidence], failing: Sequence[Evidence]) -> str:
    return f"Evidence that holds: {len(evidence) - len(failing)} of {len(evidence)}."


def _in(left: timedelta) -> str:
    return "today" if not left.days else f"in {left.days} day{'s' if left.days != 1 else ''}"
