"""Sparklines and interval strips: small pictures made of characters, always beside their numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS = "▁▂▃▄▅▆▇█"
"""Lowest to highest value."""
GAP = "╌"
"""Stands where there is no value to draw: hidden, late, no exposure. Never a level."""


def sparkline(values: Sequence[float | None]) -> str:
    """One character a value, lowest to highest; a gap where there is none. It need not start at zero.

    Args:
        values: In the order of time; None (or a value that is not finite) makes a gap.

    Returns:
        As many characters as values. Equal values all get the middle level: no change, no slope.

    Example:
        >>> sparkline([1, 2, None, 4]), sparkline([5, 5]), sparkline([7]), sparkline([])
        ('▁▃╌█', '▄▄', '▄', '')
    """
    seen = [v for v in values if v is not None and math.isfinite(v)]
    if not seen:
        return GAP * len(values)
    low, high = min(seen), max(seen)
    return "".join(GAP if v is None or not math.isfinite(v) else _level(v, low, high) for v in values)


def _level(value: float, low: float, high: float) -> str:
    if high == low:
        return LEVELS[3]
    # Halved first: the difference of two finite floats may overflow.
    part = (value / 2 - low / 2) / (high / 2 - low / 2)
    return LEVELS[min(len(LEVELS) - 1, int(part * len(LEVELS)))]


@dataclass(frozen=True)
class Axis:
    """Where a value stands on a line of characters.

    Args:
        start: Value at the left end.
        end: Value at the right end; below ``start`` when less is better, as right is always better.
        width: Characters; at least 2.

    Example:
        >>> Axis(0, 10, 11).column(5), Axis(10, 0, 11).column(9)
        (5, 1)
    """

    start: float
    end: float
    width: int

    def column(self, value: float) -> int:
        """The character that a value falls on, kept inside the line."""
        if self.end == self.start:
            return self.width // 2
        part = (value - self.start) / (self.end - self.start)
        return round(min(1.0, max(0.0, part)) * (self.width - 1))

    def strip(self, low: float, value: float, high: float, *, city: float) -> str:
        """An interval with its value, and the city's value as an upright line.

        Example:
            >>> Axis(0, 10, 11).strip(6, 7, 8, city=2)
            '  │   ─●─  '
        """
        line = [" "] * self.width
        first, last = sorted((self.column(low), self.column(high)))
        line[first : last + 1] = "─" * (last - first + 1)
        line[self.column(city)] = "┼" if first <= self.column(city) <= last else "│"
        line[self.column(value)] = "●"
        return "".join(line)

    def caption(self, left: str, right: str, *, city: float) -> str:
        """The words above the strips: what each end means, and which line is the city.

        Example:
            >>> Axis(0, 10, 25).caption("worse", "better", city=5)
            'worse     city     better'
        """
        line = list(left + " " * (self.width - len(left) - len(right)) + right)
        at = min(self.width - len(right) - 5, max(len(left) + 1, self.column(city) - 2))
        line[at : at + 4] = "city"
        return "".join(line)
