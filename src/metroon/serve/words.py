"""Words: how numbers, intervals, unknowns and states are written for people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.estimate import ALL, NOWHERE, OUTSIDE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metroon.base.account import Measured
    from metroon.base.estimate import Cell, Estimate, State

STATES: Mapping[State, str] = {
    "known": "known",
    "cannot tell": "cannot tell",
    "hidden": "hidden for privacy",
    "no exposure": "no exposure",
    "late": "late",
    "not collected": "not collected",
    "cannot be answered": "cannot be answered",
}
"""State -> what a reader sees in its place. No two states share words."""

DIRECTIONS = {"up": "more is better", "down": "less is better", "neutral": "neither more nor less is the aim"}
"""Direction of a measure -> in words."""

_SPECIAL = {OUTSIDE: "outside every area", NOWHERE: "no usable place", UNKNOWN: "group unknown"}


def number(value: float, decimals: int = 0) -> str:
    """A number with thousands separators and no negative zero.

    Example:
        >>> number(8058), number(-0.04, 1), number(1234.56, 1)
        ('8,058', '0.0', '1,234.6')
    """
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def counted(n: int, one: str, many: str = "") -> str:
    """A count with its noun, singular or plural.

    Example:
        >>> counted(1, "delivery", "deliveries"), counted(2, "rule")
        ('1 delivery', '2 rules')
    """
    return f"{number(n)} {one if n == 1 else many or one + 's'}"


def part(n: int, of: int) -> str:
    """A part of a whole as percent; a part is never written as nothing.

    Example:
        >>> part(1_291, 8_058), part(1, 8_058), part(0, 8_058)
        ('16.0 %', 'under 0.1 %', '0.0 %')
    """
    percent = 100 * n / of
    return "under 0.1 %" if 0 < percent < 0.05 else f"{percent:.1f} %"


@dataclass(frozen=True)
class Scale:
    """How the values of one measure are written, the same in every cell so that they line up.

    Args:
        is_share: Whether values are shares (0-1), written as percent.
        decimals: Digits after the point.
        is_count: Whether values are plain counts: parts of a whole, never compared with it.

    Example:
        >>> Scale(is_share=True, decimals=1).value(0.797), Scale(is_share=False, decimals=0).value(8058)
        ('79.7 %', '8,058')
    """

    is_share: bool
    decimals: int
    is_count: bool = False

    def value(self, value: float) -> str:
        """The value alone; print it only beside its interval."""
        return f"{self._bare(value)} %" if self.is_share else self._bare(value)

    def span(self, low: float, high: float) -> str:
        """Two bounds; opened to the next digit where rounding would make a false zero width.

        Example:
            >>> Scale(is_share=True, decimals=1).span(0.0, 0.0004), Scale(False, 1).span(-2.1, 3.4)
            ('0.0–0.1', '-2.1 to 3.4')
        """
        first, last = self._bare(low), self._bare(high)
        if first == last and low < high:
            step = 10.0**self.decimals * (100 if self.is_share else 1)
            first, last = self._bare(math.floor(low * step) / step), self._bare(math.ceil(high * step) / step)
        return f"{first} to {last}" if low < 0 else f"{first}–{last}"

    def interval(self, estimate: Estimate) -> str:
        """The interval in brackets, or the words that say there is none. Never ``0 ± 0``."""
        if estimate.low is None or estimate.high is None or estimate.low >= estimate.high:
            return "(no interval)"
        return f"({self.span(estimate.low, estimate.high)})"

    def unknown(self, estimate: Estimate) -> str:
        """How many are unknown and, for a share, what they could make of it; empty when none is told."""
        if not estimate.unknown:
            return "" if estimate.unknown is None else "none unknown"
        words = f"{number(estimate.unknown)} unknown"
        if estimate.worst is None or estimate.best is None:
            return words
        low, high = sorted((estimate.worst, estimate.best))
        return f"{words}: between {self.value(low)} and {self.value(high)}"

    def allowed(self, estimate: Estimate) -> str:
        """The lowest and highest value that the unknowns allow; empty when it is not told."""
        if estimate.worst is None or estimate.best is None:
            return ""
        return self.span(*sorted((estimate.worst, estimate.best)))

    def _bare(self, value: float) -> str:
        return number(value * 100 if self.is_share else value, self.decimals)


def scale_of(measured: Measured) -> Scale:
    """How to write a measure's values: percent to one decimal, counts whole, others by their size."""
    if measured.is_share:
        return Scale(is_share=True, decimals=1)
    told = [e for e in measured.estimates if e.value is not None and e.state in ("known", "cannot tell")]
    if told and all(e.value == e.events and e.base is None for e in told):
        return Scale(is_share=False, decimals=0, is_count=True)
    whole_city = [e for e in told if e.cell.place == ALL and e.cell.group == ALL]
    size = max((abs(e.value or 0) for e in whole_city or told), default=0)
    return Scale(is_share=False, decimals=0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3)


def bytes_words(size: int) -> str:
    """A file's size as people read it.

    Example:
        >>> bytes_words(812), bytes_words(1_400_000)
        ('812 B', '1.4 MB')
    """
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size} B"


def place_name(cell: Cell, measured: Measured) -> str:
    """What people call a cell's place."""
    if cell.place == ALL:
        return "Whole city"
    names = next((g.names for g in measured.geographies if g.id == cell.geography), {})
    return _SPECIAL.get(cell.place) or names.get(cell.place, cell.place)


def group_name(cell: Cell) -> str:
    """What people call a cell's group."""
    return _SPECIAL.get(cell.group, cell.group)


def readable(column: str) -> str:
    """A column or dimension name as words.

    Example:
        >>> readable("on_scene_time")
        'on scene time'
    """
    return column.replace("_", " ")


def period_noun(period: str) -> str:
    """What one period is called.

    Example:
        >>> [period_noun(p) for p in ("2015", "2015-Q1", "2015-01", "all")]
        ['year', 'quarter', 'month', 'period']
    """
    if period == ALL:
        return "period"
    return "year" if "-" not in period else "quarter" if "Q" in period else "month"
