"""A histogram as small as a word."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from metroon.serve.svg.line import attr, made, px

if TYPE_CHECKING:
    from collections.abc import Sequence


def bars(heights: Sequence[float | None], *, label: str) -> Markup:
    """A small histogram; what is None or below 0 has no bar.

    Args:
        heights: Of the bars, from the left, in any unit; the tallest fills the height.
        label: What it shows, in one sentence.

    Returns:
        ``svg.mini``; nothing without a bar.
    """
    known = [h if h is not None and math.isfinite(h) and h > 0 else 0.0 for h in heights]
    tallest = max(known, default=0.0)
    if not tallest:
        return Markup("")
    each = 100 / len(known)
    drawn = "".join(
        f'<rect x="{px(i * each)}" y="{px(100 - h / tallest * 100)}" width="{px(each * 0.86)}" '
        f'height="{px(h / tallest * 100)}"/>'
        for i, h in enumerate(known)
        if h / tallest >= 0.0005
    )
    return made(
        '<svg class="mini" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" '
        f'aria-label="{attr(label)}">{drawn}</svg>'
    )
