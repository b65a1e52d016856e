"""The scoreboard: what one run has to tell, failures first, in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from metroon.serve.accounts import account_lines, failure, has_failed, unknowns
from metroon.serve.measures import failed_measure, measure_block
from metroon.serve.terminal import (
    BAD,
    BROKEN,
    DATA,
    GOOD,
    KEPT,
    QUIET,
    STRONG,
    Page,
    banner,
    flow,
    grid,
    heading,
    line,
    text,
)
from metroon.serve.words import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from metroon.base.account import Run


def scoreboard(run: Run) -> RenderableType:
    """A run as a picture: headline, failures, rows, measures, what is unknown, what to do next.

    Args:
        run: Everything the run has to tell.

    Returns:
        Something Rich can print: from 80 to 120 columns, with or without colour, in a pipe as plain text.
        A withheld number is in none of it.
    """
    parts = [*_headline(run), *_failures(run)]
    if run.accounts:
        parts += [heading("WHERE THE ROWS WENT"), account_lines(run.accounts)]
    parts += _measures(run)
    told = unknowns(run.accounts)
    parts += [heading("WHAT THE DATA CANNOT SAY"), *told] if told else []
    return Page((*parts, *_next(run), Text("")))


def _headline(run: Run) -> list[RenderableType]:
    walked = [counted(len(run.accounts), "product"), counted(len(run.measured), "measure")]
    when = [f"as of {run.as_of.isoformat()}", f"{run.seconds:.1f} s"]
    parts: list[RenderableType] = [
        Text(""),
        flow([line(("METROON", f"{STRONG} {DATA}"), "  ", (run.city, STRONG)), *when, *walked], QUIET),
    ]
    parts += banner(run.is_invented)
    if not _failed(run):
        parts.append(line((f"{KEPT} nothing failed, no delivery was refused", GOOD)))
    return parts


def _failed(run: Run) -> list[RenderableType]:
    products = [failure(a) for a in run.accounts if has_failed(a)]
    return [*products, *(failed_measure(m) for m in run.measured if m.outcome == "failed" or m.problems)]


def _failures(run: Run) -> list[RenderableType]:
    found = _failed(run)
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


def _next(run: Run) -> list[RenderableType]:
    steps = [(f"{i}.", _step(words)) for i, words in enumerate(run.next_steps, 1)]
    return [heading("WHAT TO DO NEXT"), grid(steps)] if steps else []


def _step(words: str) -> Text:
    step = text(words)
    step.highlight_regex(r"`[^`]+`|\bmetroon [\w./: -]+$", f"{STRONG} {DATA}")
    return step
