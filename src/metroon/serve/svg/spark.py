"""A small trend beside a number: the line, its interval, its target, and the last point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from metroon.serve.svg.line import Drawn, Line, Scale, around, attr, drawn, made, px

if TYPE_CHECKING:
    from collections.abc import Sequence

SVG = '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'


def spark(line: Line, *, label: str) -> Markup:
    """A small trend. It need not start at zero: its scale holds what is drawn and no more.

    Args:
        line: The series.
        label: One sentence that says the same.

    Returns:
        ``div.ch.sp``; hatched, with the sentence, when no period has a value.
    """
    shown = drawn(line)
    if not shown.pieces:
        return nothing(label, "sp")
    scale = around(shown.numbers(), room=0.08)
    across = [x_of(i, len(line.periods)) for i in range(len(line.periods))]
    last = shown.pieces[-1][-1]
    words = "".join(
        f'<span class="lbl" style="{side}:0">{escape(line.periods[i])}</span>'
        for side, i in (("left", 0), ("right", len(line.periods) - 1))[: len(line.periods)]
    )
    return made(
        f'<div class="ch sp" role="img" aria-label="{attr(label)}">{SVG}{shapes(shown, scale, across)}'
        f"{cuts(line, across)}</svg>{dots(shown, scale, across, line.signals, last)}{words}</div>"
    )


def shapes(shown: Drawn, scale: Scale, across: Sequence[float]) -> str:
    """Band, target and line as shapes; a run of one period has its interval as an upright stroke."""
    parts = []
    for run in shown.pieces:
        for piece in _runs_with(shown.low, run):
            low, high = shown.low, shown.high
            if len(piece) == 1:
                i = piece[0]
                top, bottom = px(scale.down(high[i] or 0.0)), px(scale.down(low[i] or 0.0))
                parts.append(f'<path class="c-rng" d="M{px(across[i])},{top}V{bottom}"/>')
                continue
            edge = [(i, high[i]) for i in piece] + [(i, low[i]) for i in reversed(piece)]
            parts.append(f'<path class="c-band" d="{_path(edge, scale, across)}Z"/>')
    parts.append(_targets(shown, scale, across))
    for run in shown.pieces:
        if len(run) > 1:
            parts.append(f'<path class="c-line" d="{_path([(i, shown.values[i]) for i in run], scale, across)}"/>')
    return "".join(parts)


def dots(shown: Drawn, scale: Scale, across: Sequence[float], signals: Sequence[int], last: int) -> str:
    """The last point, points that stand alone, and signals, as HTML: a circle in the drawing would be squashed."""
    alone = {run[0] for run in shown.pieces if len(run) == 1} | {last}
    marked = set(signals)
    return "".join(
        f'<span class="dot {"sig" if i in marked else "s"}"'
        f' style="left:{px(across[i])}%;top:{px(scale.down(v))}%"></span>'
        for i, v in enumerate(shown.values)
        if v is not None and (i in alone or i in marked)
    )


def cuts(line: Line, across: Sequence[float]) -> str:
    """An upright stroke half-way before each period that is counted anew."""
    return "".join(f'<path class="c-cut" d="M{px(x)},0V100"/>' for _, x in cut_places(line, across))


def cut_places(line: Line, across: Sequence[float]) -> list[tuple[int, float]]:
    """(Number of the period, place) of each break that lies within the series."""
    return [(i, (across[i - 1] + across[i]) / 2) for i in sorted(set(line.breaks)) if 0 < i < len(across)]


def x_of(i: int, n: int) -> float:
    """Where a period lies: the first at 0, the last at 100, a single one in the middle."""
    return 50.0 if n < 2 else 100 * i / (n - 1)


def nothing(label: str, kind: str) -> Markup:
    """A hatched field with its sentence: there is nothing that may be drawn."""
    return Markup('<div class="ch {} nodata" role="img" aria-label="{}"></div>').format(kind, label)


def _targets(shown: Drawn, scale: Scale, across: Sequence[float]) -> str:
    asked = shown.targets
    if not any(t is not None for t in asked):
        return ""
    if len({t for t in asked if t is not None}) == 1 and None not in asked:
        y = px(scale.down(asked[0] or 0.0))
        return f'<path class="c-tgt" d="M0,{y}H100"/>'
    known = [(i, t) for i, t in enumerate(asked) if t is not None]
    if len(known) == 1:
        i, t = known[0]
        left, right = max(0.0, across[i] - 4), min(100.0, across[i] + 4)
        return f'<path class="c-tgt" d="M{px(left)},{px(scale.down(t or 0.0))}H{px(right)}"/>'
    return f'<path class="c-tgt" d="{_path(known, scale, across)}"/>'


def _path(points: Sequence[tuple[int, float | None]], scale: Scale, across: Sequence[float]) -> str:
    return "M" + "L".join(f"{px(across[i])},{px(scale.down(v))}" for i, v in points if v is not None)


def _runs_with(bounds: Sequence[float | None], run: Sequence[int]) -> list[list[int]]:
    pieces: list[list[int]] = []
    for i in run:
        if bounds[i] is None:
            continue
        if pieces and pieces[-1][-1] == i - 1:
            pieces[-1].append(i)
        else:
            pieces.append([i])
    return pieces
