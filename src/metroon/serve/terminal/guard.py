"""The guard's pages: what would leave, its score, and the register. For the city's own people."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.text import Text

from metroon.serve.terminal.console import (
    BAD,
    BROKEN,
    DATA,
    GOOD,
    KEPT,
    QUIET,
    STRONG,
    WATCH,
    Page,
    banner,
    flow,
    grid,
    heading,
    indented,
    labelled,
    line,
    problem_lines,
    text,
)
from metroon.serve.terminal.plain import Plain, plain_dict
from metroon.serve.terminal.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.protection import Leaving, Option, Register, Registered, Scored
    from metroon.serve.terminal.rows import Value

_RESTRICTED = "For the city's own people: it comes from numbers that are hidden. No value of a person is in it."
_NO_AUDIT = "A score is no audit: what can be subtracted is looked at by metroon guard audit."
_CUT_OFF = (
    "The limit of the guideline, 12, is not confirmed in its text; a city sets its own under score: in city.yaml."
)
_LAST_WORD = "What was published before has the last word when it leaves: a run may still refuse it, with the reason."
_MOST_OPTIONS = 12


def leaving_page(told: Leaving) -> RenderableType:
    """What would leave of a product or measure, at which risk, what is hidden and why, and what to change."""
    name = line(("GUARD", f"{STRONG} {DATA}"), "  ", (told.title or told.name, STRONG))
    parts: list[RenderableType] = [Text(""), name, *banner(told.is_invented)]
    of = "" if told.of == told.name else f"of {told.of}"
    parts.append(flow([told.kind, told.name, of, f"a row is: {told.unit}", f"as of {told.as_of}"], QUIET))
    parts += [Text(""), _verdict(told)]
    parts += [problem_lines(p) for p in told.problems]
    parts += [indented(text(note, QUIET), 2) for note in told.notes]
    parts += [indented(text(_LAST_WORD, QUIET), 2)] if told.would_leave else []
    parts.append(heading("WHAT WOULD LEAVE", after=0))
    rows = [(text(p.name, STRONG if p.leaves else QUIET), text(p.told, "" if p.leaves else QUIET)) for p in told.parts]
    parts.append(grid(rows) if rows else text("Nothing.", QUIET))
    parts += _risk(told) if told.would_leave else []
    if told.reasons:
        parts.append(heading("WHAT IS HIDDEN, AND WHY", after=0))
        parts.append(grid([(f"{n:,}", why) for why, n in told.reasons], right=[0]))
    if told.options:
        parts.append(heading("WHAT TO CHANGE", aside="each by itself; those that keep most first", after=0))
        parts += _options(told.options, of=_of(told))
    return Page((*parts, Text(""), text(_RESTRICTED, QUIET), Text("")))


def _verdict(told: Leaving) -> Text:
    if told.would_leave:
        return line((f"{KEPT} metroon run would publish it.", f"{STRONG} {GOOD}"))
    if told.problems:
        return line((f"{BROKEN} metroon run would not publish it.", f"{STRONG} {BAD}"))
    return line(("– Its rows do not leave.", STRONG))


def _risk(told: Leaving) -> list[RenderableType]:
    facts: list[tuple[str, RenderableType]] = []
    if told.kind != "product":
        colour = WATCH if told.share > told.limit else ""
        words = f"{told.hidden:,} of {counted(told.cells, 'cell')} that count anything ({told.share:.0%})"
        facts.append(("hidden", text(f"{words}; the city's limit is {told.limit:.0%}", colour)))
        words = "smallest number in a shown cell"
    else:
        facts.append(("rows", text(f"{told.cells:,}")))
        words = "people in the smallest group that looks alike"
    facts.append(("smallest", text(f"{words}: {told.smallest:,}" if told.smallest is not None else "not counted")))
    facts.append(("allowed", text(f"no group of fewer than {told.minimum_cell} people")))
    if told.scored is not None:
        facts.append(("score", _score_words(told.scored)))
    return [heading("AT WHICH RISK", after=0), labelled(facts)]


def _score_words(scored: Scored) -> Text:
    colour = GOOD if scored.is_low else WATCH
    words = "at or under" if scored.is_low else "above"
    return line((f"{scored.points}", f"{STRONG} {colour}"), f", {words} the limit of {scored.limit} ({scored.table})")


def _options(options: Sequence[Option], *, of: str = "cells") -> list[RenderableType]:
    head = ("", "shown", f"of {of}", "events kept", "comparisons", "score", "")
    rows = [
        (
            text(o.words, STRONG if i == 0 else ""),
            f"{o.shown:,}",
            f"{o.cells:,}",
            f"{o.events_share:.0%}",
            f"{o.comparisons:,}",
            "" if o.points is None else str(o.points),
            text("enough" if o.is_enough else "too much hidden", GOOD if o.is_enough else QUIET),
        )
        for i, o in enumerate(options[:_MOST_OPTIONS])
    ]
    left = len(options) - _MOST_OPTIONS
    more = [text(f"and {counted(left, 'more option')}: metroon guard NAME --format json", QUIET)] if left > 0 else []
    best = next((o for o in options if o.change and o.is_enough), None)
    advice = [text(f"To write: {_to_write(best)}")] if best else []
    return [grid(rows, right=(1, 2, 3, 4, 5), head=head), *more, *advice]


def _of(told: Leaving) -> str:
    return "columns" if told.kind == "product" else "cells"


def _to_write(option: Option) -> str:
    is_step = " " not in option.change or option.change.startswith(("without ", "all, "))
    return f"coarsen: [{option.change}]" if is_step else option.change


def scores_page(told: Leaving) -> RenderableType:
    """The publication score of a product or measure, line by line, and the changes that bring it under the limit."""
    name = line(("SCORE", f"{STRONG} {DATA}"), "  ", (told.title or told.name, STRONG))
    parts: list[RenderableType] = [Text(""), name, *banner(told.is_invented), Text("")]
    scored = told.scored
    if scored is None:
        why = "Nobody stands behind its rows: there is nothing to score."
        parts.append(text(why if told.unit == "none" else "Nothing of it would leave, so there is nothing to score."))
        parts += [problem_lines(p) for p in told.problems]
        return Page((*parts, Text("")))
    parts += [line(_score_words(scored)), Text("")]
    lines = [(p.variable, p.found, f"{p.points:+d}") for p in scored.lines]
    parts.append(grid(lines, right=[2], head=("variable", "what was found", "points")))
    passing = [o for o in told.options if o.change and o.is_low]
    if not scored.is_low:
        parts.append(heading("SINGLE CHANGES THAT BRING IT UNDER THE LIMIT", aside="cheapest first", after=0))
        parts += _options(passing, of=_of(told)) if passing else [text("None by itself: take two at once.", QUIET)]
    return Page((*parts, Text(""), text(_NO_AUDIT, QUIET), text(_CUT_OFF, QUIET), text(_RESTRICTED, QUIET), Text("")))


def leaving_dict(told: Leaving) -> Plain:
    """What would leave, as plain values that JSON can hold."""
    made = plain_dict(told)
    made["options"] = [{**plain_dict(o), "hidden_share": o.hidden_share} for o in told.options]
    made["reasons"] = dict(told.reasons)
    if told.scored is not None:
        made["scored"] = {**plain_dict(told.scored), "points": told.scored.points, "is_low": told.scored.is_low}
    return made


def scores_dict(told: Leaving) -> Plain:
    """The score of a product or measure, as plain values that JSON can hold."""
    every = leaving_dict(told)
    passing = [o for o, own in zip(every["options"], told.options, strict=True) if own.change and own.is_low]
    return {"name": told.name, "scored": every["scored"], "options": passing}


# The register

_HEAD = ("product", "column", "class", "technique", "released", "kept for", "protocol", "steward")


def register_page(told: Register) -> RenderableType:
    """The register on one page: totals on top, then one line a column, product by product."""
    name = line(("REGISTER", f"{STRONG} {DATA}"), "  ", (told.city, STRONG))
    parts: list[RenderableType] = [Text(""), flow([name, f"as of {told.as_of}"], QUIET), *banner(told.is_invented)]
    parts += [Text(""), flow([f"{n:,} {what}" for what, n in told.totals.items()])]
    for product in dict.fromkeys(r.product for r in told.rows):
        own = [r for r in told.rows if r.product == product]
        first = own[0]
        parts.append(heading(product.upper(), after=0))
        facts = [
            ("purpose", text(first.purposes or "not said", "" if first.purposes else WATCH)),
            ("legal basis", text(first.legal_basis or "not said", "" if first.legal_basis else WATCH)),
            ("kept for", _retention(first)),
            ("protocol", text(first.protocol or "none", "" if first.protocol else WATCH)),
            ("steward", text(first.steward or "nobody", "" if first.steward else WATCH)),
        ]
        parts.append(labelled(facts, 11))
        parts.append(
            indented(grid([_line(r) for r in own], head=("column", "class", "flows to", "rows", "released")), 2)
        )
    return Page((*parts, Text(""), text(_RESTRICTED, QUIET), Text("")))


def _retention(r: Registered) -> Text:
    kept = text(r.retention or "not said", "" if r.retention else WATCH)
    return line(kept, (f"; {r.due}", WATCH)) if r.due else kept


def _line(r: Registered) -> tuple[str | Text, ...]:
    released = f"{r.released}, last {r.last_released}" if r.released else "–"
    flows = counted(len(r.flows_to), "place") if r.flows_to else "–"
    return (text(r.column, STRONG), r.classification, flows, r.technique, released)


def register_rows(told: Register) -> list[dict[str, Value]]:
    """The register as rows: one a column, for CSV and JSON."""
    return [
        {**asdict(r), "flows_to": "; ".join(r.flows_to), "last_released": str(r.last_released or "")} for r in told.rows
    ]


def register_markdown(told: Register) -> str:
    """The register as Markdown, to lay into minutes or send."""
    totals = "; ".join(f"{n:,} {what}" for what, n in told.totals.items())
    lines = [f"# Register of personal data: {told.city}", "", f"As of {told.as_of}. {totals}.", ""]
    lines += [f"| {' | '.join(_HEAD)} |", f"|{' --- |' * len(_HEAD)}"]
    for r in told.rows:
        released = f"{r.released}, last {r.last_released}" if r.released else "no"
        kept = f"{r.retention or 'not said'}{f' ({r.due})' if r.due else ''}"
        cells = (r.product, r.column, r.classification, r.technique, released, kept, r.protocol, r.steward or "nobody")
        lines.append(f"| {' | '.join(c.replace('|', '/') for c in cells)} |")
    return "\n".join([*lines, ""])
