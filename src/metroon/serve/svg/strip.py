"""All places on one line, with one of them and the city among them: right is always better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup, escape

from metroon.serve.svg.line import Scale, around, attr, made, px
from metroon.serve.svg.spark import SVG, nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.serve.words import Words

Direction = Literal["up", "down", "neutral", "within"]
"""Whether more is better, less is better, neither, or best between two bounds."""


@dataclass(frozen=True)
class Ends:
    """The words of a strip, in the reader's language."""

    worse: str = "worse"
    better: str = "better"
    lower: str = "lower"
    higher: str = "higher"
    city: str = "city"


def ends(words: Words) -> Ends:
    """The words of a strip in a language."""
    return Ends(
        words.gettext("worse"), words.gettext("better"), words.gettext("lower"), words.gettext("higher"),
        words.gettext("city"),
    )  # fmt: skip


def strip(
    values: Sequence[float | None],
    you: float | None,
    city: float | None,
    *,
    direction: Direction,
    words: Ends,
    label: str,
    low: float | None = None,
    high: float | None = None,
    band: tuple[float, float] | None = None,
) -> Markup:
    """All places as ticks, the city as a named line, one place as an orange dot with its interval.

    Args:
        values: The places, in any order; None for those without a value, which get no tick.
        you: The place that the page speaks of; None when it has no value or there is none.
        city: The whole city; None when it has no value.
        direction: With up and down, right is better and the ends say so; else right is higher.
        words: What the ends are called.
        label: One sentence that says the same.
        low: Lower bound of ``you``.
        high: Upper bound of ``you``; a bound outside the strip is drawn to its edge.
        band: For within: the bounds between which it should lie, drawn as a field.

    Returns:
        ``div.ch.stp``; hatched, with the sentence, when there is nothing to draw.
    """
    known = [v for v in values if v is not None and math.isfinite(v)]
    mine, all_of_it = _finite(you), _finite(city)
    # Without other places the strip is as wide as the interval, or a dot that is no different would stand at its end.
    alone = (_finite(low), _finite(high)) if len(known) < 2 and mine is not None else ()
    shown = [*known, *(x for x in (mine, all_of_it, *alone) if x is not None)]
    if not shown:
        return nothing(label, "stp")
    scale = _turned(around(shown, room=0.0), direction)
    judged = direction in ("up", "down")
    left, right = (words.worse, words.better) if judged else (words.lower, words.higher)
    places = sorted({px(scale.at(v)) for v in known}, key=float)
    parts = [_field(scale, band), f'<path class="c-ghost" d="{"".join(f"M{x},25V75" for x in places)}"/>']
    named = ""
    if all_of_it is not None:
        x = scale.at(all_of_it)
        parts.append(f'<path class="c-city" d="M{px(x)},0V100"/>')
        shift = "0" if x < 8 else "-100%" if x > 92 else "-50%"
        named = f'<span class="lbl over" style="left:{px(x)}%;translate:{shift} 0">{escape(words.city)}</span>'
    if mine is not None:
        lower, upper = _bound(low), _bound(high)
        if lower is not None and upper is not None:
            a, b = sorted((scale.at(lower), scale.at(upper)))
            parts.append(f'<path class="c-sure" d="M{px(a)},50H{px(b)}"/>')
        named += f'<span class="dot you" style="left:{px(scale.at(mine))}%;top:50%"></span>'
    return made(
        f'<div class="ch stp" role="img" aria-label="{attr(label)}">{SVG}{"".join(parts)}</svg>{named}'
        f'<span class="lbl" style="left:0">{escape(left)}</span>'
        f'<span class="lbl" style="right:0">{escape(right)}</span></div>'
    )


def _turned(scale: Scale, direction: Direction) -> Scale:
    return _Mirror(scale.low, scale.high) if direction == "down" else scale


class _Mirror(Scale):
    """A scale on which less is further right."""

    def at(self, x: float) -> float:
        return 100 - super().at(x)


def _field(scale: Scale, band: tuple[float, float] | None) -> str:
    if band is None or not all(map(math.isfinite, band)):
        return ""
    a, b = sorted((scale.at(band[0]), scale.at(band[1])))
    return f'<path class="c-band" d="M{px(a)},0H{px(b)}V100H{px(a)}Z"/>'


def _finite(x: float | None) -> float | None:
    return x if x is not None and math.isfinite(x) else None


def _bound(x: float | None) -> float | None:
    """A bound may be without end: it is drawn to the edge."""
    return None if x is None or x != x else max(-1e300, min(1e300, x))
