"""The plan: how many actions are in which state, then step by step each action with the reason for its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from metroon.serve.terminal.console import (
    BAD,
    BROKEN,
    DATA,
    GOOD,
    KEPT,
    LATE,
    QUIET,
    STRONG,
    WATCH,
    Page,
    banner,
    flow,
    heading,
    indented,
    line,
    text,
)
from metroon.serve.terminal.plain import Plain, plain_dict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

    from metroon.base.plan import Action, ActionState, Evidence, PlanStatus

STATES: Mapping[ActionState, tuple[str, str]] = {
    "done": (KEPT, GOOD),
    "on track": ("●", DATA),
    "late": (LATE, WATCH),
    "reopened": (BROKEN, BAD),
    "blocked": (BROKEN, BAD),
    "not checkable": ("–", QUIET),
}
"""State -> (mark, colour); the word always stands beside them."""


def plan_page(told: PlanStatus, *, is_invented: bool = False) -> RenderableType:
    """The plan on one day.

    Args:
        told: The plan with its computed states.
        is_invented: Whether the city is invented; then that is said above.

    Returns:
        Something Rich can print: two lines an action, and below those that are not done the evidence that fails.
    """
    name = line(("PLAN", f"{STRONG} {DATA}"), "  ", (told.title, STRONG))
    parts: list[RenderableType] = [Text(""), flow([name, f"as of {told.as_of}"], QUIET), *banner(is_invented)]
    parts.append(flow([told.authority, f"from {told.start} to {told.end}"], QUIET))
    parts += [text(told.note, QUIET)] if told.note else []
    parts += [Text(""), flow([_counted(state, n) for state, n in told.counts().items()])]
    for number, step in enumerate(told.steps, 1):
        parts.append(heading(f"{number}. {step.title.upper()}", after=0))
        for action in step.actions:
            parts += _action(action)
        parts += [] if step.actions else [text("No action is declared.", QUIET)]
    vacant = [r for r in told.roles if r.is_required and not r.holder]
    if vacant:
        parts.append(heading(f"VACANT ROLES: {len(vacant)}", after=0))
        parts += [line((r.title, STRONG), (f"  since {r.since}", QUIET)) for r in vacant]
    return Page((*parts, Text("")))


def plan_dict(told: PlanStatus) -> Plain:
    """The plan as plain values that JSON can hold, with how many actions are in which state."""
    return {**plain_dict(told), "counts": dict(told.counts())}


def _counted(state: ActionState, n: int) -> Text:
    mark, colour = STATES[state]
    return line((f"{mark} {n} {state}", colour if n else QUIET))


def _action(action: Action) -> Iterator[RenderableType]:
    mark, colour = STATES[action.state]
    yield line((f"{mark} {action.state}", colour), "  ", (action.title, STRONG))
    moved = f"first due {action.first_due}, moved: {action.moved}" if action.first_due != action.due else ""
    yield indented(flow([action.owner, f"due {action.due}", moved], QUIET), 2)
    if action.state != "done":
        yield indented(text(action.reason), 2)
        for evidence in action.evidence:
            yield indented(_evidence(evidence), 4)
    for milestone in action.milestones:
        mark = KEPT if milestone.is_passed else BROKEN
        yield indented(flow([f"{mark} milestone: {milestone.title}", f"due {milestone.due}"], QUIET), 4)


def _evidence(evidence: Evidence) -> Text:
    mark, colour = (KEPT, GOOD) if evidence.is_passed else (BROKEN, WATCH)
    if evidence.is_passed is None:
        mark, colour = "–", QUIET
    return line((f"{mark} {evidence.text}", colour), f" {evidence.found}")
