"""``/plan``: what the city promised to do, how it stands, and the evidence; nothing of it can be typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from metroon.base.catalog import Column
from metroon.serve.page import Page, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metroon.base.catalog import Dataset
    from metroon.base.plan import Action, ActionState, Evidence, PlanStatus
    from metroon.serve.page import Asked
    from metroon.serve.words import Words

Tone = Literal["good", "watch", "bad", "mute"]

_TONES: Mapping[ActionState, Tone] = {
    "done": "good",
    "on track": "good",
    "late": "bad",
    "reopened": "watch",
    "blocked": "watch",
    "not checkable": "mute",
}


@dataclass(frozen=True)
class Sign:
    """A state as people see it: each tone has a mark and a colour, and never comes without its word.

    Args:
        tone: Its mark and colour.
        word: Its word.
        n: How many there are of it; None for a single one.
    """

    tone: Tone
    word: str
    n: int | None = None


@dataclass(frozen=True)
class EvidenceView:
    """One question and what was found.

    Args:
        sign: Whether it holds.
        text: What must hold.
        found: What was found.
        checked: The day.
        links: (Path, title) of pages that show it.
    """

    sign: Sign
    text: str
    found: str
    checked: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MilestoneView:
    """Something on the way of an action.

    Args:
        title: What is reached.
        sign: Whether its evidence holds.
        due: The day, in a sentence.
        evidence: Its questions, answered.
    """

    title: str
    sign: Sign
    due: str
    evidence: tuple[EvidenceView, ...]


@dataclass(frozen=True)
class ActionView:
    """One action.

    Args:
        action: What the plan says of it.
        sign: Its state.
        due: When it is to be done, in a sentence.
        moved: When it was first to be done, and why that changed; empty when it did not.
        waits_for: (Id, title) of actions that come first.
        evidence: Its questions, answered.
        kept: How many of them hold, in a sentence.
        milestones: What is reached on the way.
        owner: The title of the role that answers for it.
        is_vacant: Whether nobody holds that role.
    """

    action: Action
    sign: Sign
    due: str
    moved: str
    waits_for: tuple[tuple[str, str], ...]
    evidence: tuple[EvidenceView, ...]
    kept: str
    milestones: tuple[MilestoneView, ...]
    owner: str
    is_vacant: bool


@dataclass(frozen=True)
class StepView:
    """One step with its actions.

    Args:
        id: Its id.
        title: Its title.
        principle: The sentence that it follows; empty without one.
        actions: Its actions, in order.
    """

    id: str
    title: str
    principle: str
    actions: tuple[ActionView, ...]


@dataclass(frozen=True)
class PrincipleView:
    """One principle.

    Args:
        sentence: What it says.
        why: Why.
        measures: (Path, title) of measures that tell of it.
    """

    sentence: str
    why: str
    measures: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PlanView:
    """What the plan page shows.

    Args:
        title: The plan's title.
        status: The plan with its computed status; None when the city has none.
        headline: How it stands, in one sentence.
        counts: Every state with its count, in a sentence.
        signs: The states that occur, with their counts.
        principles: What guides it.
        steps: Its steps, in order.
        n_actions: How many actions it has.
    """

    title: str
    status: PlanStatus | None = None
    headline: str = ""
    counts: str = ""
    signs: tuple[Sign, ...] = ()
    principles: tuple[PrincipleView, ...] = ()
    steps: tuple[StepView, ...] = ()
    n_actions: int = 0


class PlanPage(Page):
    """The strategy with its computed status."""

    path = "/plan"
    template = "plan.html"

    def view(self, asked: Asked) -> PlanView:
        """Principles, steps and actions with their states, reasons and evidence."""
        words, status = asked.words, asked.catalog.plan
        if status is None:
            return PlanView(words.gettext("Plan"))
        titles = {a.id: a.title for s in status.steps for a in s.actions}
        sentences = {p.id: p.sentence for p in status.principles}
        signs = [(sign(s, words), n) for s, n in status.counts().items() if n]
        return PlanView(
            title=status.title,
            status=status,
            headline=headline(status, words),
            counts=counted(status, words),
            signs=tuple(Sign(s.tone, s.word, n) for s, n in signs),
            principles=tuple(
                PrincipleView(p.sentence, p.why, _measures(p.measures, asked.catalog.datasets))
                for p in status.principles
            ),
            steps=tuple(
                StepView(
                    s.id,
                    s.title,
                    sentences.get(s.principle, ""),
                    tuple(_action(a, status, asked) for a in s.actions),
                )
                for s in status.steps
            ),
            n_actions=len(titles),
        )

    def data(self, asked: Asked) -> Sheet | None:
        """The actions with their states, and how many of their questions hold."""
        status = asked.catalog.plan
        return None if status is None else sheet(status)


def sign(state: ActionState, words: Words) -> Sign:
    """The mark, word and colour of a state."""
    return Sign(_TONES[state], _word(state, words))


def headline(status: PlanStatus, words: Words) -> str:
    """How the plan stands, in the one sentence that its counts bear.

    Args:
        status: The plan.
        words: The language.
    """
    n = status.counts()
    total = sum(n.values())
    if not total:
        return words.gettext("The plan has no actions yet.")
    if n["done"] == total:
        return words.gettext("Every action of the plan is done.")
    behind = n["late"] + n["reopened"] + n["blocked"]
    if behind:
        return words.ngettext(
            "%(n)s of %(all)s actions needs attention: it is late, reopened or blocked.",
            "%(n)s of %(all)s actions need attention: they are late, reopened or blocked.",
            behind, all=words.number(total),
        )  # fmt: skip
    if n["not checkable"] == total:
        return words.gettext("None of the actions can be checked yet.")
    return words.gettext("No action that can be checked is late, reopened or blocked.")


def counted(status: PlanStatus, words: Words) -> str:
    """Every state with its count, those with none too.

    Args:
        status: The plan.
        words: The language.
    """
    n = {state: words.number(count) for state, count in status.counts().items()}
    return words.gettext(
        "Actions by state: %(done)s done, %(on_track)s on track, %(late)s late, %(reopened)s reopened, "
        "%(blocked)s blocked, %(not_checkable)s not checkable.",
        done=n["done"], on_track=n["on track"], late=n["late"], reopened=n["reopened"], blocked=n["blocked"],
        not_checkable=n["not checkable"],
    )  # fmt: skip


def sheet(status: PlanStatus) -> Sheet:
    """The actions as a table.

    Args:
        status: The plan.

    Grain:
        One row per action, in the plan's order.
    """
    columns = (
        ("action", "Action", "string", "The permanent id of the action."),
        ("step", "Step", "string", "The step it belongs to."),
        ("title", "Title", "string", "What will be done."),
        ("owner", "Owner", "string", "The role that answers for it."),
        ("department", "Department", "string", "Whose it is."),
        ("start", "Start", "date", "When it begins."),
        ("due", "Due", "date", "When it is to be done."),
        ("first_due", "First due", "date", "When it was first to be done."),
        ("moved", "Moved", "string", "Why the day was moved."),
        ("depends_on", "Depends on", "string", "Ids of actions that come first."),
        ("state", "State", "string", "Computed from evidence."),
        ("reason", "Reason", "string", "Why it is in that state."),
        ("evidence", "Evidence", "integer", "Questions that must hold."),
        ("evidence_held", "Evidence held", "integer", "Questions that hold."),
        ("evidence_not_asked", "Evidence not asked", "integer", "Questions that could not be asked."),
        ("as_of", "As of", "date", "The day taken for today."),
    )
    rows = [
        {
            "action": a.id,
            "step": s.title,
            "title": a.title,
            "owner": a.owner,
            "department": a.department,
            "start": a.start,
            "due": a.due,
            "first_due": a.first_due,
            "moved": a.moved,
            "depends_on": " ".join(a.depends_on),
            "state": a.state,
            "reason": a.reason,
            "evidence": len(a.evidence),
            "evidence_held": sum(e.is_passed is True for e in a.evidence),
            "evidence_not_asked": sum(e.is_passed is None for e in a.evidence),
            "as_of": status.as_of,
        }
        for s in status.steps
        for a in s.actions
    ]
    told = tuple(Column(name, title, meaning, kind) for name, title, kind, meaning in columns)
    return Sheet("plan", status.title, told, rows, f"{status.title}, {status.as_of.isoformat()}")


def _word(state: ActionState, words: Words) -> str:
    if state == "done":
        return words.gettext("Done")
    if state == "on track":
        return words.gettext("On track")
    if state == "late":
        return words.gettext("Late")
    if state == "reopened":
        return words.gettext("Reopened")
    if state == "blocked":
        return words.gettext("Blocked")
    return words.gettext("Not checkable")


def _action(action: Action, status: PlanStatus, asked: Asked) -> ActionView:
    words = asked.words
    titles = {a.id: a.title for s in status.steps for a in s.actions}
    role = next((r for r in status.roles if action.owner in (r.id, r.title)), None)
    held = sum(e.is_passed is True for e in action.evidence)
    kept = (
        words.gettext(
            "Evidence that holds: %(held)s of %(all)s", held=words.number(held), all=words.number(len(action.evidence))
        )
        if action.evidence
        else words.gettext("No evidence is named, so nobody can check it.")
    )
    is_moved = action.first_due != action.due
    return ActionView(
        action=action,
        sign=sign(action.state, words),
        due=words.gettext("Due %(day)s", day=words.day(action.due)),
        moved=words.gettext("First due %(day)s", day=words.day(action.first_due)) if is_moved else "",
        waits_for=tuple((i, titles.get(i, i)) for i in action.depends_on),
        evidence=_evidence(action.evidence, asked),
        kept=kept,
        milestones=tuple(
            MilestoneView(
                m.title,
                _held(m.is_passed, words),
                words.gettext("Due %(day)s", day=words.day(m.due)),
                _evidence(m.evidence, asked),
            )
            for m in action.milestones
        ),
        owner=role.title if role else action.owner,
        is_vacant=role is not None and not role.holder,
    )


def _evidence(found: tuple[Evidence, ...], asked: Asked) -> tuple[EvidenceView, ...]:
    return tuple(
        EvidenceView(
            _held(e.is_passed, asked.words),
            e.text,
            e.found,
            asked.words.day(e.checked),
            tuple((link, _title(link, asked)) for link in e.links),
        )
        for e in found
    )


def _held(is_passed: bool | None, words: Words) -> Sign:
    if is_passed is None:
        return Sign("mute", words.gettext("Could not be asked"))
    if is_passed:
        return Sign("good", words.gettext("Holds"))
    return Sign("bad", words.gettext("Does not hold"))


def _title(link: str, asked: Asked) -> str:
    """What people call a page that shows it; the link itself where it leads elsewhere."""
    catalog, words = asked.catalog, asked.words
    pages = {
        "/datasets": words.gettext("All data"),
        "/glossary": words.gettext("Glossary"),
        "/about": words.gettext("About this portal"),
    }
    titles = {d.path: d.title for d in catalog.datasets.values()}
    titles |= {f"/goals/{g.goal}": g.title for g in catalog.goals}
    titles |= {f"/stories/{s.id}": s.title for s in catalog.stories}
    return pages.get(link) or (words.of(titles[link]) if link in titles else link)


def _measures(names: tuple[str, ...], datasets: Mapping[str, Dataset]) -> tuple[tuple[str, str], ...]:
    return tuple((datasets[n].path, datasets[n].title) if n in datasets else ("", n) for n in names)
