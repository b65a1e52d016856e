"""Bare: a score in which no cell without a value has any number left.

What has no number cannot leak one: every page and every file made of a score begins here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metroon.base.estimate import ALL, Cell
from metroon.serve.terminal import cells
from metroon.serve.terminal.words import TARGETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metroon.base.estimate import Estimate
    from metroon.base.scorecard import Course, GroupGap, Score, TargetGap


def bared(score: Score) -> Score:
    """The same score; what speaks of a cell whose state says that there is no value loses its numbers, or goes.

    Returns:
        A score whose gaps, places, targets and points are only of cells with a value, and whose ``measured`` holds
        no number of any other.
    """
    released = {e.cell: e for e in cells.released(score.measured)}
    told = {cell for cell, e in released.items() if cells.is_told(e)}
    city = released.get(score.city.cell) if score.city is not None else None
    is_told = city is not None and city.cell in told
    return replace(
        score,
        measured=replace(score.measured, estimates=tuple(released.values())),
        city=city,
        target=_target(score.target, released),
        past_targets=score.past_targets if is_told else tuple(replace(t, status=None) for t in score.past_targets),
        baseline=score.baseline if is_told else None,
        course=_course(score.course, told) if score.course is not None else None,
        courses=tuple(c for c in (_course(c, told) for c in score.courses) if any(v is not None for v in c.values)),
        targets=tuple(t for t in (_target(t, released) for t in score.targets) if t is not None),
        gaps=tuple(g for g in score.gaps if g.cell in told and _reference(g) not in released.keys() - told),
        places=tuple(p for p in score.places if p.cell in told),
        disparities=tuple(replace(d, areas=tuple(a for a in d.areas if a.cell in told)) for d in score.disparities),
        covered=tuple(c if c.cell in told else replace(c, corrected=None) for c in score.covered),
    )


def _target(target: TargetGap | None, released: Mapping[Cell, Estimate]) -> TargetGap | None:
    e = released.get(target.cell) if target is not None else None
    if target is None or e is None:
        return None
    if cells.is_told(e):
        return target
    return replace(target, status="cannot tell" if e.state in ("known", *TARGETS) else e.state, gap=None)


def _course(course: Course, told: set[Cell]) -> Course:
    is_told = [replace(course.cell, period=p) in told for p in course.periods]
    shown = replace(
        course,
        values=tuple(v if known else None for v, known in zip(course.values, is_told, strict=True)),
        signals=tuple(s if known else "none" for s, known in zip(course.signals, is_told, strict=True)),
    )
    return shown if is_told and is_told[-1] else replace(shown, variation="", begun="")


def _reference(gap: GroupGap) -> Cell:
    """The cell that a group is compared with; the whole city where that is everybody."""
    named = replace(gap.cell, group=gap.reference)
    return Cell(gap.cell.period) if gap.reference in ("everybody", "everybody else", ALL) else named
