"""Words: how numbers, intervals, unknowns and states are written for people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base import period as periods
from metroon.base.estimate import ALL, INSIDE, NOWHERE, OUTSIDE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from metroon.base.account import Measured
    from metroon.base.estimate import Cell, Estimate, State

    Mood = Literal["", "good", "bad"]

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

DIRECTIONS = {
    "up": "more is better",
    "down": "less is better",
    "neutral": "neither more nor less is the aim",
    "within": "the aim is to stay within a band",
}
"""Direction of a measure -> in words."""

_SPECIAL = {
    OUTSIDE: "outside every area",
    INSIDE: "inside the areas",
    NOWHERE: "no usable place",
    UNKNOWN: "group unknown",
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Sign:
    """A sign with its words: the sign is never shown on a page that does not say them.

    Args:
        sign: One character.
        words: What it means.
        mood: ``good``, ``bad`` or empty; a colour may be added to the words, never put in their place.
    """

    sign: str
    words: str
    mood: Mood = ""

    def __str__(self) -> str:
        return f"{self.sign} {self.words}"


TARGETS: Mapping[str, Sign] = {
    "met": Sign("✓", "met", "good"),
    "not met": Sign("✗", "not met", "bad"),
    "cannot tell": Sign("?", "cannot tell"),
}
"""Status beside a target -> sign and words."""

VARIATIONS: Mapping[str, Sign] = {
    "common cause": Sign("~", "common cause"),
    "improvement high": Sign("▲", "improvement", "good"),
    "improvement low": Sign("▼", "improvement", "good"),
    "concern high": Sign("▲", "concern", "bad"),
    "concern low": Sign("▼", "concern", "bad"),
    "neutral high": Sign("▲", "higher than usual"),
    "neutral low": Sign("▼", "lower than usual"),
}
"""What the last period of a series is -> sign and words; the arrow tells where the value lies."""

ASSURANCES: Mapping[str, Sign] = {
    "consistently passes": Sign("✓", "passes", "good"),
    "consistently fails": Sign("✗", "fails", "bad"),
    "hit or miss": Sign("?", "hit or miss"),
}
"""Whether the usual ups and downs reach a target -> sign and words."""

STANDINGS: Mapping[str, Sign] = {
    "better": Sign("+", "better", "good"),
    "worse": Sign("-", "worse", "bad"),
    "higher": Sign(">", "higher"),
    "lower": Sign("<", "lower"),
    "not different": Sign("=", "not different"),
    "cannot tell": Sign("?", "not enough data"),
}
"""Beside the city -> sign and words."""

STATE_SIGNS: Mapping[str, Sign] = {
    "hidden": Sign("#", STATES["hidden"]),
    "no exposure": Sign("o", STATES["no exposure"]),
    "late": Sign("!", STATES["late"]),
    "not collected": Sign("_", STATES["not collected"]),
    "cannot be answered": Sign("/", STATES["cannot be answered"]),
}
"""State without a value -> its sign in a row of places, and its words."""

SIGNALS: Mapping[str, str] = {
    "outside limits": "beyond the limits",
    "trend": "rising or falling many periods in a row",
    "two of three near a limit": "two of three periods near a limit",
    "three of four near a limit": "three of four periods near a limit",
    "shift": "many periods in a row on one side of the mean",
}
"""Rule that flags a period -> what it found."""

CHARTS: Mapping[str, str] = {
    "trial limits": "limits on trial: too few periods for a verdict",
    "run chart only": "run chart only: too few periods for limits",
    "no variation": "no variation: always the same value",
}
"""State of a chart without a verdict -> why."""

TOLERANCES: Mapping[str, Sign] = {
    "within tolerance": Sign("✓", "within tolerance", "good"),
    "outside tolerance": Sign("✗", "outside tolerance", "bad"),
    "cannot tell": Sign("?", "tolerance unclear"),
}
"""Verdict on a gap -> sign and words."""

KINDS_OF_CHANGE: Mapping[str, str] = {
    "signal begun": "a signal began",
    "signal ended": "a signal ended",
    "assurance flipped": "assurance flipped",
    "target crossed": "target crossed",
    "gap newly certain": "gap now certain",
    "gap no longer certain": "gap no longer certain",
    "restated": "restated",
    "late": "late",
    "no longer late": "no longer late",
    "definition changed": "definition changed",
    "boundaries changed": "boundaries changed",
    "target changed": "target changed",
    "narrative expired": "words expired",
    "first published": "first published",
}
"""What really changed -> in words."""

STAGES: Mapping[str, str] = {"first": "first figure", "revised": "revised figure", "final": "final figure"}
"""How settled a number is -> in words."""

SLOTS: Mapping[str, str] = {
    "happened": "what happened",
    "story": "the story",
    "action": "the action",
    "partners": "the partners",
}
"""What a person tells -> in words."""


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


def about(n: float) -> str:
    """An expected number of things: never a bare nothing.

    Example:
        >>> about(0.53), about(3.2), about(0.02)
        ('about 0.5', 'about 3.2', 'fewer than 0.1')
    """
    return "fewer than 0.1" if n < 0.1 else f"about {number(n, 1)}"


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
        return self.bounds(estimate.low, estimate.high)

    def bounds(self, low: float | None, high: float | None) -> str:
        """Two bounds in brackets, or the words that say there are none.

        Example:
            >>> Scale(is_share=False, decimals=1).bounds(1.0, 2.0), Scale(is_share=False, decimals=1).bounds(None, 2.0)
            ('(1.0–2.0)', '(no interval)')
        """
        if low is None or high is None or not low < high:
            return "(no interval)"
        return f"({self.span(low, high)})"

    def difference(self, value: float) -> str:
        """How far two values lie apart, without its sign: points of a share, else the measure's unit.

        Example:
            >>> Scale(is_share=True, decimals=1).difference(-0.066), Scale(is_share=False, decimals=0).difference(12)
            ('6.6 points', '12')
        """
        return f"{self._bare(abs(value))} points" if self.is_share else self._bare(abs(value))

    def signed(self, value: float) -> str:
        """The same with its sign, without the word points.

        Example:
            >>> Scale(is_share=True, decimals=1).signed(0.066), Scale(is_share=False, decimals=0).signed(-12)
            ('+6.6', '-12')
        """
        bare = self._bare(value)
        return bare if bare.startswith("-") or not float(bare.replace(",", "")) else f"+{bare}"

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
        >>> [period_noun(p) for p in ("2015", "2015-Q1", "2015-01", "2014-07..2015-06", "all")]
        ['year', 'quarter', 'month', 'year', 'period']
    """
    grain = periods.grain_of(period)
    return "period" if grain == "all" else grain


def period_words(period: str) -> str:
    """A period as people call it: fiscal years by their two years, other stretches by their months.

    Example:
        >>> [period_words(p) for p in ("2015-05", "2025-07..2026-06", "2025-08..2025-10", "2025-11..2026-01", "all")]
        ['2015-05', 'FY 2025-26', 'Aug-Oct 2025', 'Nov 2025-Jan 2026', 'all periods']
    """
    if period == ALL:
        return "all periods"
    if ".." not in period:
        return period
    first, last = periods.first_day(period), periods.last_day(period)
    if periods.grain_of(period) == "year":
        return f"FY {first.year}-{last.year % 100:02d}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{_MONTHS[first.month - 1]}{year}-{_MONTHS[last.month - 1]} {last.year}"
