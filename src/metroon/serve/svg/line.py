"""One series as a chart draws it, and the numbers on the page that its points become."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Line:
    """One series over time. What is None has no number and is not drawn.

    Args:
        periods: Every period from the first to the last, in words, such as ``2025`` or ``Jul 2025``.
        values: One a period, in the measure's unit; None where there is no value.
        low: Lower bounds, one a period; empty when no value has an interval.
        high: Upper bounds, one a period; empty when no value has an interval.
        target: What was to be reached: one number for all periods, or one a period with None where none was asked for.
        target_label: The target in words, printed beside it, such as ``Target for 2027: 5``.
        breaks: Where what is counted changed: the number (from 0) of the first period that is counted anew.
        break_label: What the mark of a break says, such as ``counted differently``.
        signals: The numbers (from 0) of the periods that are signals.
        points: Values behind the line, such as single months behind an average; empty when there are none.
    """

    periods: Sequence[str]
    values: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    target: float | Sequence[float | None] | None = None
    target_label: str = ""
    breaks: Sequence[int] = ()
    break_label: str = ""
    signals: Sequence[int] = ()
    points: Sequence[float | None] = ()


@dataclass(frozen=True)
class Drawn:
    """A line with nothing left in it that may not be drawn: each list has one entry a period.

    Args:
        values: Finite values.
        low: Finite lower bounds, only where there is a value.
        high: Finite upper bounds, only where there is a value.
        targets: Finite targets.
        points: Finite values behind the line.
        pieces: Runs of neighboring periods with values; a break or a gap ends a run.
    """

    values: list[float | None]
    low: list[float | None]
    high: list[float | None]
    targets: list[float | None]
    points: list[float | None]
    pieces: list[list[int]]

    def numbers(self) -> list[float]:
        """Every number that must lie within the chart."""
        every = (self.values, self.low, self.high, self.targets, self.points)
        return [n for column in every for n in column if n is not None]


def drawn(line: Line) -> Drawn:
    """What of a line may be drawn. Bounds without a value are dropped: they would give it away."""
    n = len(line.periods)
    values = _column(line.values, n)
    low, high = _column(line.low, n), _column(line.high, n)
    both = [v is not None and lo is not None and hi is not None for v, lo, hi in zip(values, low, high, strict=True)]
    asked = line.target if not isinstance(line.target, int | float) else [line.target] * n
    return Drawn(
        values,
        [lo if keep else None for lo, keep in zip(low, both, strict=True)],
        [hi if keep else None for hi, keep in zip(high, both, strict=True)],
        _column(asked or (), n),
        _column(line.points, n),
        runs(values, set(line.breaks)),
    )


def runs(values: Sequence[float | None], breaks: Iterable[int] = ()) -> list[list[int]]:
    """Numbers of neighboring periods that have a value, cut at breaks.

    Example:
        >>> runs([1.0, 2.0, None, 3.0, 4.0], {4})
        [[0, 1], [3], [4]]
    """
    cuts = set(breaks)
    found: list[list[int]] = []
    for i, value in enumerate(values):
        if value is None:
            continue
        if found and found[-1][-1] == i - 1 and i not in cuts:
            found[-1].append(i)
        else:
            found.append([i])
    return found


@dataclass(frozen=True)
class Scale:
    """Turns a number into a place between 0 and 100, in percent of the chart's length.

    Args:
        low: The number at 0.
        high: The number at 100.
    """

    low: float
    high: float

    def at(self, x: float) -> float:
        """Where a number lies; what lies outside is drawn at the edge.

        Example:
            >>> Scale(10, 20).at(12.5), Scale(10, 20).at(99), Scale(3, 3).at(3)
            (25.0, 100.0, 50.0)
        """
        # Halves first: the distance of two very large numbers may be too large for a number.
        length = self.high / 2 - self.low / 2
        if length <= 0:
            return 0.0 if x < self.low else 100.0 if x > self.high else 50.0
        share = (x / 2 - self.low / 2) / length
        return 100 * min(1.0, max(0.0, share))

    def down(self, x: float) -> float:
        """Where a number lies from the top: larger is higher."""
        return 100 - self.at(x)


def around(numbers: Iterable[float], *, room: float = 0.06) -> Scale:
    """A scale that holds all numbers with a little room at both ends; without numbers, from 0 to 1.

    Example:
        >>> around([0, 100], room=0.1)
        Scale(low=-10.0, high=110.0)
    """
    known = [float(n) for n in numbers if math.isfinite(n)]
    if not known:
        return Scale(0.0, 1.0)
    low, high = min(known), max(known)
    space = room * (high / 2 - low / 2) * 2
    if not math.isfinite(low - space) or not math.isfinite(high + space):
        return Scale(low, high)
    return Scale(low - space, high + space)


def span(*numbers: float | None) -> tuple[float, float]:
    """The ends of one scale for several dumbbells, so that their rows can be compared.

    Example:
        >>> span(10, None, 20)
        (9.4, 20.6)
    """
    scale = around([n for n in numbers if n is not None])
    return scale.low, scale.high


def px(x: float) -> str:
    """A place in the chart, to a tenth, as short as can be.

    Example:
        >>> px(33.333), px(50.0), px(-0.01)
        ('33.3', '50', '0')
    """
    short = f"{x:.1f}"
    short = short[:-2] if short.endswith(".0") else short
    return "0" if short == "-0" else short


def attr(text: str) -> str:
    """Words for an attribute: what is marked up in them loses its marks, and nothing can leave the attribute.

    Example:
        >>> attr('a "b" & c'), attr(Markup('<span lang="en">a &amp; b</span>'))
        ('a &#34;b&#34; &amp; c', 'a &amp; b')
    """
    return str(escape(text.striptags() if isinstance(text, Markup) else text))


def made(html: str) -> Markup:
    """Markup that a chart is made of. Its words went through ``attr`` or ``escape``, its numbers through ``px``."""
    return Markup(html)  # noqa: S704  # the one place where charts say so


def _column(values: Iterable[float | None], n: int) -> list[float | None]:
    kept = [float(v) if v is not None and math.isfinite(v) else None for v in values][:n]
    return kept + [None] * (n - len(kept))
