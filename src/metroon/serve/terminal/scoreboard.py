"""The scoreboard: what one run has to tell, failures first, in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from metroon.serve.terminal.accounts import account_lines, failure, has_failed, unknowns
from metroon.serve.terminal.bare import bared
from metroon.serve.terminal.breakdowns import differing
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
    grid,
    heading,
    line,
    text,
)
from metroon.serve.terminal.doubts import doubts
from metroon.serve.terminal.ledger import ledger
from metroon.serve.terminal.measures import failed_measure, measure_block
from metroon.serve.terminal.scores import legend
from metroon.serve.terminal.scores import scores as score_rows
from metroon.serve.terminal.trouble import has_trouble, late_lines, troubles
from metroon.serve.terminal.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.account import Run
    from metroon.base.scorecard import Score

_MOST_STEPS = 6
_TO_DIFFER = "; to differ: the whole interval lies beyond the city's value"


def scoreboard(run: Run, *, scores: Sequence[Score] = ()) -> RenderableType:
    """A run on a page or two: failures, rows, measures, what is unknown, what to do next.

    Args:
        run: Everything the run has to tell.
        scores: What the releases say, where that is known: target, signal and standing are then told too.

    Returns:
        Something Rich can print: from 80 to 120 columns, with or without colour, in a pipe as plain text.
        Every product, measure and failure is in it; a withheld number is not.
    """
    parts = [*_headline(run), *_upkeep(run), *_nothing_failed(run), *_troubles(run)]
    if run.accounts:
        parts += [
            heading("WHERE THE ROWS WENT", aside="read = kept + set aside + refused", after=0),
            *ledger(run.accounts),
        ]
    shown = [m for m in run.measured if m.outcome != "failed"]
    told_of = {s.measured.measure: bared(s) for s in scores}
    own_rule = [m for m in shown if m.measure not in told_of]
    aside = f"value (95 % interval){_TO_DIFFER if any(map(differing, own_rule)) else ''}"
    listed = score_rows(shown, told_of)
    parts += [heading("MEASURES", aside=aside, after=0), listed, *legend(shown, own_rule)] if shown else []
    told = doubts(run.accounts)
    parts += [heading("WHAT IS UNKNOWN OR CANNOT BE ANSWERED", after=0), *told] if told else []
    return Page((*parts, *_next(run.next_steps, most=_MOST_STEPS), Text("")))


def full_scoreboard(run: Run) -> RenderableType:
    """The same with every promise broken, every place that differs, every group and every note.

    Args:
        run: Everything the run has to tell.

    Returns:
        Something Rich can print, as ``scoreboard`` is; hundreds of lines for a city of a dozen measures.
    """
    parts = [*_headline(run), *_upkeep(run), *_nothing_failed(run), *_failures(run)]
    if run.accounts:
        parts += [heading("WHERE THE ROWS WENT"), account_lines(run.accounts)]
    parts += _measures(run)
    told = unknowns(run.accounts)
    parts += [heading("WHAT IS UNKNOWN OR CANNOT BE ANSWERED"), *told] if told else []
    return Page((*parts, *_next(run.next_steps), Text("")))


def _headline(run: Run) -> list[RenderableType]:
    same = sum(m.outcome == "unchanged" for m in run.measured)
    walked = [counted(len(run.accounts), "product"), counted(len(run.measured), "measure")]
    walked += [f"{same} of them unchanged"] if same else []
    when = [f"as of {run.as_of.isoformat()}", f"{run.seconds:.1f} s"]
    name = line(("METROON", f"{STRONG} {DATA}"), "  ", (run.city, STRONG))
    return [Text(""), flow([name, *when, *walked], QUIET), *banner(run.is_invented)]


def _upkeep(run: Run) -> list[RenderableType]:
    return [line((f"{told[:1].upper()}{told[1:]}.", QUIET)) for told in run.upkeep]


def _nothing_failed(run: Run) -> list[RenderableType]:
    if any(map(has_failed, run.accounts)) or any(map(has_trouble, run.measured)):
        return []
    return [line((f"{KEPT} nothing failed, no delivery was refused", GOOD))]


def _troubles(run: Run) -> list[RenderableType]:
    found, late = troubles(run), late_lines(run.accounts)
    failed = f"{BROKEN} FAILED OR REFUSED: {len(found)}" if found else ""
    behind = f"{LATE} LATE: {len(late)}" if late else ""
    words = "  ".join(w for w in (failed, behind) if w)
    style = f"{STRONG} {BAD if found else WATCH}"
    return [heading(words, style, after=0), *found, *late] if words else []


def _failures(run: Run) -> list[RenderableType]:
    products = [failure(a) for a in run.accounts if has_failed(a)]
    found = [*products, *(failed_measure(m) for m in run.measured if has_trouble(m))]
    parts: list[RenderableType] = []
    for part in found:
        parts += [part, Text("")]
    return [heading(f"{BROKEN} FAILED OR REFUSED: {len(found)}", f"{STRONG} {BAD}"), *parts[:-1]] if found else []


def _measures(run: Run) -> list[RenderableType]:
    blocks = [measure_block(m) for m in run.measured if m.outcome != "failed"]
    parts: list[RenderableType] = []
    for block in blocks:
        parts += [block, Text(""), Text("")]
    return [heading("MEASURES"), *parts[:-2]] if blocks else []


def _next(steps: Sequence[str], *, most: int | None = None) -> list[RenderableType]:
    shown = [(f"{i}.", _step(words)) for i, words in enumerate(steps[:most], 1)]
    left = len(steps) - len(shown)
    more = [text(f"and {counted(left, 'more step')}: metroon run --full", QUIET)] if left else []
    return [heading("WHAT TO DO NEXT", after=0 if most else 1), grid(shown), *more] if shown else []


def _step(words: str) -> Text:
    step = text(words)
    step.highlight_regex(r"`[^`]+`|\bmetroon [\w./: -]+$", f"{STRONG} {DATA}")
    return step
