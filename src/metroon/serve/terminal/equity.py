"""Equity: groups beside their reference, both levels and both distances, and how unequal they are together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from metroon.base.estimate import UNKNOWN
from metroon.serve.terminal import cells
from metroon.serve.terminal.console import QUIET, STRONG, Fit, flow, grid, indented, line, signed, text
from metroon.serve.terminal.figures import figure_text, sample_words
from metroon.serve.terminal.sentences import ratio_words
from metroon.serve.terminal.words import STANDINGS, TOLERANCES, Scale, group_name, period_words, readable, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.estimate import Estimate
    from metroon.base.scorecard import GroupGap, Inequality, Score

NOT_COMPARED = {True: "counts: parts of the whole, not compared", False: "not compared"}
"""Whether values are counts -> why a breakdown stands beside nothing."""
_LONGEST_NAME = 30
_MOST_SUMMARIES = 4
_SUMMARIES = (
    "sii", "rii", "aci", "paf",  # groups in an order
    "range", "range_ratio", "bgsd_corrected", "mdm_w_corrected", "bgsd",  # groups without
)  # fmt: skip
"""Which summary measures a page shows, those of ordered groups first; all of them are in the JSON."""


def group_parts(score: Score) -> list[RenderableType]:
    """One part for each breakdown by group: every group, its gap, and the summary measures below."""
    parts: list[RenderableType] = []
    gaps = {g.cell: g for g in score.gaps}
    for dimension, found in cells.of_groups(score.measured).items():
        place = {g: i for i, g in enumerate(score.orders.get(dimension, ()))}
        ordered = sorted(found, key=lambda e: (e.cell.group == UNKNOWN, place.get(e.cell.group, len(place))))
        own = [gaps[e.cell] for e in ordered if e.cell in gaps]
        parts += [Text("")] if parts else []
        parts.append(_title(score, dimension, ordered, own))
        parts.append(indented(_groups(score, ordered, own), 2))
        told = _summaries(score, dimension)
        parts += [Text(""), *(indented(words, 2) for words in told)] if told else []
    return parts


def _title(score: Score, dimension: str, found: Sequence[Estimate], own: Sequence[GroupGap]) -> RenderableType:
    facts = [line((readable(dimension).capitalize(), STRONG)), text(period_words(found[0].cell.period), QUIET)]
    scale = scale_of(score.measured)
    if own:
        level = f" ({scale.value(own[0].reference_value)})" if _has_one_level(own) else ""
        facts.append(text(f"beside {own[0].reference}{level}", QUIET))
    else:
        facts.append(text(NOT_COMPARED[scale.is_count], QUIET))
    return flow(facts)


def _has_one_level(own: Sequence[GroupGap]) -> bool:
    """Everybody else is another level for each group; a group that was named is the same for all."""
    return len({g.reference_value for g in own}) == 1


def _groups(score: Score, found: Sequence[Estimate], own: Sequence[GroupGap]) -> RenderableType:
    """One line a group where there is room, else its gap below its value."""
    gaps, scale = {g.cell: g for g in own}, scale_of(score.measured)
    digits = max((len(scale.value(e.value)) for e in found if e.value is not None), default=0)
    rows = [_row(score, e, gaps.get(e.cell), digits) for e in found]
    points = ", points" if scale.is_share else ""
    head = ["", "value (interval)", "n", "beside", f"difference{points}", "ratio", "verdict"]
    kept = [i for i in range(len(head)) if any(row[i].plain for row in rows) and (i != 3 or not _has_one_level(own))]
    rows, head = [[row[i] for i in kept] for row in rows], [head[i] if own or i == 2 else "" for i in kept]
    wide = [max(len(head[i]), *(row[i].cell_len for row in rows)) for i in range(len(head))]
    wide[0] = min(wide[0], _LONGEST_NAME)

    def build(width: int, _: bool) -> RenderableType:
        if sum(wide) + 2 * len(wide) - 2 <= width:
            right = [head.index("n")] if "n" in head else []
            return grid(rows, right=right, widths=wide, head=head if any(head) else [])
        told: list[RenderableType] = []
        for row in rows:
            told.append(grid([row[:2]], widths=(wide[0],)))
            facts = [_named(name, fact) for name, fact in zip(head[2:], row[2:], strict=True) if fact.plain]
            told += [indented(flow(facts), 4)] if facts else []
        return Group(*told)

    return Fit(build)


def _named(name: str, fact: Text) -> Text:
    return fact if name in ("ratio", "verdict") else line((f"{name} ", QUIET), fact)


def _row(score: Score, e: Estimate, gap: GroupGap | None, digits: int) -> list[Text]:
    scale = scale_of(score.measured)
    n = text(sample_words(e, score.measured).removeprefix("n "), QUIET)
    first = [text(group_name(e.cell)), figure_text(e, scale, style=STRONG, digits=digits), n]
    if gap is None:
        is_reference = any(g.reference == e.cell.group and g.cell.dimension == e.cell.dimension for g in score.gaps)
        return [*first, Text(""), Text(""), Text(""), text("the reference" if is_reference else "", QUIET)]
    ratio = ratio_words(gap.ratio, gap.ratio_low, gap.ratio_high) if gap.ratio is not None else "no ratio"
    return [
        *first,
        text(scale.value(gap.reference_value)),
        line(scale.signed(gap.difference), f" {scale.bounds(gap.difference_low, gap.difference_high)}"),
        text(ratio),
        _verdict(gap),
    ]


def _verdict(gap: GroupGap) -> Text:
    """Whether the gap is certain and on which side, and whether it lies within the declared tolerance."""
    beside = text("? may be chance") if gap.standing == "cannot tell" else signed(STANDINGS[gap.standing])
    tolerance = TOLERANCES.get(gap.tolerance)
    if tolerance is None or (gap.standing == gap.tolerance == "cannot tell"):
        return beside
    return line(beside, (" · ", QUIET), signed(tolerance))


def _summaries(score: Score, dimension: str) -> list[RenderableType]:
    """A few summary measures, with the names of the literature, and what must stand beside them."""
    every = {s.name: s for s in score.inequality.get(dimension, ())}
    chosen = [every[n] for n in _SUMMARIES if n in every][:_MOST_SUMMARIES] or [*every.values()][:_MOST_SUMMARIES]
    notes: dict[str, list[str]] = {}
    for s in chosen:
        if s.note:
            notes.setdefault(s.note, []).append(s.name)
    left = score.left_out.get(dimension, "")
    quiet = [*(f"{', '.join(names)}: {note}" for note, names in notes.items()), left]
    table: list[RenderableType] = [grid([_summary(s) for s in chosen])] if chosen else []
    return [*table, *(text(words, QUIET) for words in quiet if words)]


def _summary(s: Inequality) -> list[Text]:
    size = abs(s.value)
    scale = Scale(is_share=False, decimals=0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3)
    return [text(s.title), line((scale.value(s.value), STRONG), f" {scale.bounds(s.low, s.high)}"), text(s.name, QUIET)]
