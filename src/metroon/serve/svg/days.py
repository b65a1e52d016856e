"""The verdicts of the last days, one square a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from metroon.serve.svg.line import attr, made

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.base.catalog import DayVerdict

LOOKS: dict[DayVerdict, str] = {"ok": "g", "late": "w", "bad": "b", "none": "n"}


def days(verdicts: Sequence[tuple[DayVerdict, str]], *, label: str) -> Markup:
    """A list of squares, oldest first. Late has a foot mark, bad a cross stroke, none is hatched.

    Args:
        verdicts: (Verdict, what it says in words with its day) of each day.
        label: The name of the list, such as ``Checks of the last 30 days``.

    Returns:
        ``ol.days``; nothing without days.
    """
    if not verdicts:
        return Markup("")
    squares = "".join(
        f'<li class="{LOOKS[verdict]}" title="{attr(text)}"><span class="sr">{escape(text)}</span></li>'
        for verdict, text in verdicts
    )
    return made(f'<ol class="days" aria-label="{attr(label)}">{squares}</ol>')
