"""A group beside its reference: a hollow dot, an orange dot, and how sure the second one is."""

from __future__ import annotations

import math

from markupsafe import Markup

from metroon.serve.svg.line import Scale, attr, made, px
from metroon.serve.svg.spark import SVG, nothing


def dumbbell(
    reference: float | None,
    value: float | None,
    *,
    span: tuple[float, float],
    label: str,
    low: float | None = None,
    high: float | None = None,
) -> Markup:
    """One row: the reference as a hollow dot, the group as an orange dot with its interval.

    Args:
        reference: The level of those it is compared with; None when it has no value.
        value: The level of the group; None when it has no value, and then nothing of it is drawn.
        span: The ends of the scale, the same for all rows of a chart; from ``span``.
        label: One sentence that says the same.
        low: Lower bound of ``value``.
        high: Upper bound of ``value``; what lies outside the scale, or is without end, is drawn to the edge.

    Returns:
        ``div.ch.db``; hatched, with the sentence, when there is nothing to draw.
    """
    scale = Scale(*span)
    ref = scale.at(reference) if reference is not None and math.isfinite(reference) else None
    own = scale.at(value) if value is not None and math.isfinite(value) else None
    if ref is None and own is None:
        return nothing(label, "db")
    parts = ['<path class="c-grid" d="M0,50H100"/>']
    if own is not None and low is not None and high is not None and low == low and high == high:
        a, b = scale.at(max(low, -1e300)), scale.at(min(high, 1e300))
        parts.append(f'<path class="c-sure" d="M{px(a)},50H{px(b)}"/>')
    if own is not None and ref is not None:
        parts.append(f'<path class="c-line" d="M{px(ref)},50H{px(own)}"/>')
    dots = "" if ref is None else f'<span class="dot o" style="left:{px(ref)}%;top:50%"></span>'
    dots += "" if own is None else f'<span class="dot you" style="left:{px(own)}%;top:50%"></span>'
    return made(f'<div class="ch db" role="img" aria-label="{attr(label)}">{SVG}{"".join(parts)}</svg>{dots}</div>')
