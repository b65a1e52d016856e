"""The board: every measure of a city in one row: its value, target and signal; below, what cannot be answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from metroon.serve.terminal import cells
from metroon.serve.terminal.bare import bared
from metroon.serve.terminal.changes import change_lines
from metroon.serve.terminal.console import (
    BAD,
    BROKEN,
    DATA,
    LATE,
    QUIET,
    STRONG,
    WATCH,
    Fit,
    Page,
    banner,
    flow,
    grid,
    heading,
    indented,
    line,
    signed,
    text,
)
from metroon.serve.terminal.figures import figure_text
from metroon.serve.terminal.sentences import target_sign
from metroon.serve.terminal.standings import standing_rows
from metroon.serve.terminal.words import ASSURANCES, STATES, VARIATIONS, about, counted, period_words, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.account import Measured
    from metroon.base.scorecard import Changes, Score

_LEAST_TITLE = 40
_MOST_CHANGES = 6
_NO_GOAL = "Of no goal"


def measure_board(
    scores: Sequence[Score],
    failed: Sequence[Measured] = (),
    *,
    changes: Changes | None = None,
    is_invented: bool = False,
) -> RenderableType:
    """All measures on a page, goal by goal.

    Args:
        scores: What the releases say.
        failed: Measures that have no release, or whose last one could not be made.
        changes: What changed since a day; told above, when it is given.
        is_invented: Whether the city is invented; then that is said above.

    Returns:
        Something Rich can print; every measure is in it, also those that cannot be answered, with the reason.
    """
    bare = [bared(s) for s in scores]
    name = line(("METROON", f"{STRONG} {DATA}"), "  ", ("Measures", STRONG))
    when = [f"as of {d}" for d in dict.fromkeys(s.as_of for s in bare)]
    parts: list[RenderableType] = [Text(""), flow([name, *when, counted(len(bare), "measure")], QUIET)]
    parts += [*banner(is_invented), *_failed(failed), *_changes(changes)]
    told = [s for s in bare if not _cannot_answer(s)]
    columns = _Columns.of(told)
    for goal, own in _by_goal(told).items():
        parts += [heading(goal.upper(), after=0), *(_row(s, columns) for s in own)]
    silent = [s for s in bare if _cannot_answer(s)]
    if silent:
        parts += [heading("CANNOT BE ANSWERED", f"{STRONG} {WATCH}", after=0), *map(_silent, silent)]
    return Page((*parts, *_foot(told), Text("")))


def verdict_facts(score: Score) -> list[Text]:
    """Target status, signal and assurance, each as a sign with its words; none that the score does not bear."""
    facts = []
    if score.target is not None:
        facts.append(signed(target_sign(score.target), before="target "))
    course = score.course
    if course is not None and course.variation in VARIATIONS:
        facts.append(signed(VARIATIONS[course.variation]))
    if course is not None and course.assurance in ASSURANCES:
        facts.append(signed(ASSURANCES[course.assurance]))
    return facts


def _cannot_answer(score: Score) -> bool:
    return score.city is None or score.city.state == "cannot be answered"


def _silent(score: Score) -> RenderableType:
    why = score.city.note if score.city is not None else "no number of the whole city was released"
    reason = f", because {why}" if why else ""
    name = score.measured.title or score.measured.measure
    return line((name, STRONG), f": {STATES['cannot be answered']}{reason}")


def _failed(failed: Sequence[Measured]) -> list[RenderableType]:
    if not failed:
        return []
    parts: list[RenderableType] = [heading(f"{BROKEN} NO RELEASE: {len(failed)}", f"{STRONG} {BAD}", after=0)]
    for m in failed:
        why = "; ".join(dict.fromkeys(p.what for p in m.problems)) or "it has no release"
        seen = f" Readers still see release {m.version}." if m.version is not None else ""
        parts.append(line((m.title or m.measure, STRONG), f": {STATES['cannot be answered']}, because {why}{seen}"))
        parts += [indented(line(("Fix: ", QUIET), p.fix), 4) for p in m.problems]
    return parts


def _changes(changes: Changes | None) -> list[RenderableType]:
    if changes is None:
        return []
    shown = changes.changed[:_MOST_CHANGES]
    left = len(changes.changed) - len(shown)
    more = [text(f"and {left} more: metroon changes --since {changes.since}", QUIET)] if left else []
    title = f"REALLY CHANGED SINCE {changes.since}: {len(changes.changed)}"
    return [heading(title, after=0), *(change_lines(shown) or [text("Nothing.", QUIET)]), *more]


def _by_goal(scores: Sequence[Score]) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = {}
    for s in sorted(scores, key=lambda s: not dict(s.chain).get("goal")):
        found.setdefault(dict(s.chain).get("goal") or _NO_GOAL, []).append(s)
    return found


@dataclass(frozen=True)
class _Columns:
    """Widths of the columns, the same for all measures, so that they line up."""

    title: int
    figure: int
    digits: int
    period: int
    signs: tuple[int, int]

    @classmethod
    def of(cls, scores: Sequence[Score]) -> _Columns:
        cities = [(s.city, scale_of(s.measured)) for s in scores if s.city is not None]
        digits = max((len(scale.value(c.value)) for c, scale in cities if c.value is not None), default=0)
        figure = max((figure_text(c, s, digits=digits, says_state=False).cell_len for c, s in cities), default=0)
        title = max((len(_title(s).plain) for s in scores), default=0)
        period = max((len(period_words(s.measured.headline)) for s in scores), default=0)
        signs = [_signs(s) for s in scores]
        target = max((first.cell_len for first, _, _ in signs), default=0)
        variation = max((second.cell_len for _, second, _ in signs), default=0)
        return cls(title, figure, digits, period, (target, variation))


def _title(score: Score) -> Text:
    late = (f"{LATE} ", WATCH) if score.late else ""
    return line(late, (score.measured.title or score.measured.measure, STRONG))


def _signs(score: Score) -> tuple[Text, Text, Text]:
    course = score.course
    variation = VARIATIONS.get(course.variation) if course is not None else None
    assurance = ASSURANCES.get(course.assurance) if course is not None else None
    return (
        signed(target_sign(score.target)) if score.target is not None else text("no target", QUIET),
        signed(variation) if variation is not None else text("no verdict", QUIET),
        signed(assurance) if assurance is not None else Text(""),
    )


def _row(score: Score, columns: _Columns) -> Fit:
    """Title, value, period, target and signal; two lines where one is too narrow."""
    when, signs = text(period_words(score.measured.headline), QUIET), _signs(score)

    def figure(digits: int) -> Text:
        if score.city is None:
            return text("no value", WATCH)
        return figure_text(score.city, scale_of(score.measured), style=f"{STRONG} {DATA}", digits=digits)

    def build(width: int, _: bool) -> RenderableType:
        others = (columns.figure, columns.period, *columns.signs)
        left = width - sum(others) - 2 * len(others)
        widths = (min(left, columns.title), *others)
        if left < min(columns.title, _LEAST_TITLE):
            below = [figure(0), when, *(s for s in signs if s.plain)]
            return Group(_title(score), indented(flow(below), 2))
        return grid([(_title(score), figure(columns.digits), when, *signs[:2])], widths=widths)

    return Fit(build)


def _foot(told: Sequence[Score]) -> list[RenderableType]:
    series = sum(c.state == "ok" for s in told for c in (s.course, *s.courses) if c is not None)
    alarms = sum(s.false_alarms for s in told)
    shown = [c for s in told for c in [s.course] if c is not None and c.variation not in ("", "common cause")]
    facts = [
        f"{counted(len(shown), 'signal')} in the city's series",
        f"by chance alone {about(alarms)} of {series} series would show one" if series else "",
        "▲ ▼ tell where the last period lies, the words what that means",
        f"{LATE} late" if any(s.late for s in told) else "",
        _hidden(told),
    ]
    apart = [
        s for s in told if any(sign.words in ("better", "worse") for r in standing_rows(s) for _, sign, _ in r.places)
    ]
    facts.append(
        f"places differ from the city in {counted(len(apart), 'measure')}: metroon show MEASURE" if apart else ""
    )
    return [Text(""), flow(facts, QUIET)]


def _hidden(told: Sequence[Score]) -> str:
    hidden = sum(s.measured.hidden for s in told)
    every = sum(len(cells.released(s.measured)) for s in told)
    return f"{hidden:,} of {every:,} cells hidden for privacy" if hidden else ""
