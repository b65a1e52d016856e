"""A large trend with an axis: it starts at zero, shows its interval and target, and breaks where counting changed."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from metroon.serve.svg.line import Drawn, Line, Scale, around, attr, drawn, made, px
from metroon.serve.svg.spark import SVG, cut_places, cuts, dots, nothing, shapes, x_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST_LABELS = 6
"""Periods named below the axis; about every second one is left out on a phone."""
MOST_LONG_LABELS = 4
MOST_YEARS = 12
YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")


def trend(line: Line, *, label: str, tick: Callable[[float], str], zero: bool = True) -> Markup:
    """A large trend.

    Args:
        line: The series.
        label: One sentence that says the same.
        tick: Writes a number of the axis and the last value, such as ``words.number``.
        zero: Whether the axis holds zero: always for amounts, rates and shares.

    Returns:
        ``div.trend``; hatched, with the sentence, when no period has a value.
    """
    shown = drawn(line)
    if not shown.pieces:
        return nothing(label, "trend")
    marks = ticks(shown.numbers(), zero=zero)
    scale = Scale(marks[0], marks[-1])
    n = len(line.periods)
    across = [x_of(i, n) for i in range(n)]
    last = shown.pieces[-1][-1]
    said = [(scale.down(m), tick(m)) for m in marks]
    grid = "".join(f'<path class="c-{"base" if m == 0 else "grid"}" d="M0,{px(scale.down(m))}H100"/>' for m in marks)
    loose = "".join(
        f'<path class="c-pt" d="M{px(across[i])},{px(scale.down(v))}h.01"/>'
        for i, v in enumerate(shown.points)
        if v is not None
    )
    axis = "".join(f'<span class="lbl y" style="top:{px(y)}%">{escape(text)}</span>' for y, text in said)
    wide = max(len(text) for _, text in said)
    return made(
        f'<div class="trend" style="--gut:{wide}ch"><div class="ch" role="img" aria-label="{attr(label)}">'
        f"{SVG}{grid}{loose}{shapes(shown, scale, across)}{cuts(line, across)}</svg>"
        f"{dots(shown, scale, across, line.signals, last)}{axis}{_below(line, across)}"
        f"{_target_word(line, shown, scale)}{_cut_words(line, across)}{_last_word(shown, scale, across, last, tick)}"
        "</div></div>"
    )


def ticks(numbers: Sequence[float], *, zero: bool = True, most: int = 6) -> tuple[float, ...]:
    """Round numbers for an axis that hold all numbers between them.

    Example:
        >>> ticks([3.1, 9.4]), ticks([-2, 7]), ticks([98, 102], zero=False)
        ((0.0, 2.0, 4.0, 6.0, 8.0, 10.0), (-2.0, 0.0, 2.0, 4.0, 6.0, 8.0), (98.0, 99.0, 100.0, 101.0, 102.0))
    """
    low, high = min(numbers), max(numbers)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = (0.0, 1.0) if low == 0 else (low - abs(low) / 2, high + abs(high) / 2)
    reach = high / (most - 1) - low / (most - 1)
    if not math.isfinite(reach) or reach <= 0:
        return (low, high)
    power = 10.0 ** math.floor(math.log10(reach))
    for step in (s * power for s in (*STEPS, 20.0, 25.0, 50.0)):
        if not step or not math.isfinite(step):
            break
        first, end = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if end - first < most:
            found = tuple(round(k * step, 12) if abs(k * step) < 1e12 else k * step for k in range(first, end + 1))
            if len(set(found)) > 1 and all(map(math.isfinite, found)) and found[0] <= low and found[-1] >= high:
                return found
    loose = around([low, high])
    return (loose.low, loose.high)


def _below(line: Line, across: Sequence[float]) -> str:
    n = len(line.periods)
    parts = []
    for i, text, is_rare in names_below(line.periods):
        shift = "0" if i == 0 and n > 1 else "-100%" if i == n - 1 and n > 1 else "-50%"
        kind = "lbl x" if is_rare else "lbl x alt"
        parts.append(f'<span class="{kind}" style="left:{px(across[i])}%;translate:{shift} 0">{escape(text)}</span>')
    return "".join(parts)


def names_below(periods: Sequence[str]) -> list[tuple[int, str, bool]]:
    """What stands below an axis: years, at their first period, for long series of months or quarters; else periods.

    Returns:
        (Number of the period, words, whether they stand there on a phone too), ascending.

    Example:
        >>> months = [f"{m} {y}" for y in (2023, 2024, 2025) for m in ("Jan", "May", "Sep", "Nov", "Dec")]
        >>> names_below(months)
        [(0, '2023', True), (5, '2024', True), (10, '2025', True)]
    """
    years = [found.group(1) if (found := YEAR.search(p)) else "" for p in periods]
    sizes = Counter(years)
    if len(periods) > 12 and "" not in sizes and 3 <= len(sizes) < len(periods) / 2:
        first = {y: i for i, y in reversed(list(enumerate(years)))}
        # A first year that is not whole has no place where it begins.
        whole = [y for y in sizes if y != years[0] or sizes[y] == max(sizes.values())]
        every = math.ceil(len(whole) / MOST_YEARS)
        named = whole[::-1][::every][::-1]
        return [(first[y], y, k % 2 == 0 or len(named) < 5) for k, y in enumerate(named)]
    most = MOST_LABELS if max(map(len, periods)) < 7 else MOST_LONG_LABELS
    return [(i, periods[i], is_rare) for i, is_rare in labelled(len(periods), most)]


def labelled(n: int, most: int) -> list[tuple[int, bool]]:
    """Periods that are named below an axis: the last, the first, and some at equal steps back from the last.

    Args:
        n: How many periods there are.
        most: The largest number of names.

    Returns:
        (Number of the period, whether it is named on a phone too), ascending.

    Example:
        >>> labelled(12, 6)
        [(0, True), (3, True), (5, False), (7, True), (9, False), (11, True)]
    """
    step = max(1, math.ceil(n / most))
    back = list(range(n - 1, -1, -step))
    if back[-1] > 0.75 * step:
        back.append(0)
    else:
        back[-1] = 0
    shown = {i: place % 2 == 0 for place, i in enumerate(back)}
    if len(back) > 2:
        shown[back[-2]] = shown[back[-2]] and back[-2] > 1.4 * step
    shown[0] = True
    return sorted(shown.items())


def _target_word(line: Line, shown: Drawn, scale: Scale) -> str:
    known = [(i, t) for i, t in enumerate(shown.targets) if t is not None]
    if not line.target_label or not known:
        return ""
    first, end = known[0], known[-1]

    def room(at: tuple[int, float]) -> float:
        near = [v for i, v in enumerate(shown.values) if v is not None and abs(i - at[0]) <= len(shown.values) / 3]
        return min((abs(scale.down(v) - scale.down(at[1])) for v in near), default=100.0)

    left = room(first) > room(end)
    y = scale.down((first if left else end)[1])
    side = "left:0" if left else "right:0"
    up = y > 88 or (y > 12 and _mean(shown.values, scale) >= y)
    where = f"bottom:calc({px(100 - y)}% + .3rem)" if up else f"top:calc({px(y)}% + .3rem)"
    return f'<span class="lbl tgt" style="{side};{where}">{escape(line.target_label)}</span>'


def _mean(values: Sequence[float | None], scale: Scale) -> float:
    known = [scale.down(v) for v in values if v is not None]
    return sum(known) / len(known)


def _cut_words(line: Line, across: Sequence[float]) -> str:
    if not line.break_label:
        return ""
    return "".join(
        f'<span class="lbl cut" style="{"left" if x <= 50 else "right"}:{px(min(x, 100 - x))}%;'
        f'max-width:{px(max(x, 100 - x))}%">'
        f"{escape(line.break_label)}</span>"
        for _, x in cut_places(line, across)[:1]
    )


def _last_word(shown: Drawn, scale: Scale, across: Sequence[float], last: int, tick: Callable[[float], str]) -> str:
    value = shown.values[last]
    if value is None:
        return ""
    y, x = scale.down(value), across[last]
    high, low = shown.high[last], shown.low[last]
    top, foot = scale.down(high) if high is not None else y, scale.down(low) if low is not None else y
    asked = shown.targets[last]
    # Between the interval and a target above it there is room for the words of one of them only.
    under = top < 12 or (asked is not None and scale.down(asked) <= y and top - scale.down(asked) < 24 and foot < 88)
    where = f"top:calc({px(foot)}% + .55rem)" if under else f"bottom:calc({px(100 - top)}% + .4rem)"
    side = f"right:{px(100 - x)}%" if x > 50 else f"left:{px(x)}%"
    return f'<span class="lbl you end" style="{side};{where}">{escape(tick(value))}</span>'
