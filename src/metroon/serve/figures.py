"""Figures: how a measure's numbers are written on pages: one way for each measure, never without what bounds them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from babel.numbers import parse_pattern

from metroon.base import period as periods
from metroon.base.estimate import ALL, INSIDE, NOWHERE, OUTSIDE, UNKNOWN

if TYPE_CHECKING:
    from metroon.serve.terminal.words import Scale
    from metroon.serve.words import Words


@dataclass(frozen=True)
class Figures:
    """Writes the numbers of one measure in one language.

    Args:
        words: The language.
        scale: Percent, counts or others, and with how many decimals.
    """

    words: Words
    scale: Scale

    def value(self, x: float) -> str:
        """A value: shares (0-1) as percent, others as they are."""
        return self._told(x, is_signed=False)

    def axis(self, x: float) -> str:
        """A value as it stands at an axis, without decimals that say nothing."""
        if self.scale.is_share:
            return _written(x, "#,##0.#%", self.words)
        return self.words.number(x, self.scale.decimals)

    def interval(self, low: float | None, high: float | None) -> str:
        """Both bounds; opened to the next digit where rounding would make a false zero width.

        Returns:
            Such as ``16.0% to 20.0%``, or the words that say that there is none.
        """
        if low is None or high is None or not low < high:
            return self.words.gettext("no range known")
        first, last = self.value(low), self.value(high)
        if first == last:
            step = 10.0 ** (self.scale.decimals + (2 if self.scale.is_share else 0))
            first, last = self.value(math.floor(low * step) / step), self.value(math.ceil(high * step) / step)
        return self.words.gettext("%(low)s to %(high)s", low=first, high=last)

    def signed(self, x: float) -> str:
        """A difference with its sign: points of a share, else the measure's unit."""
        if not self.scale.is_share:
            return self._told(x, is_signed=True)
        points = self._number(x * 100, is_signed=True)
        return self.words.gettext("%(n)s points", n=points)

    def difference(self, x: float) -> str:
        """How far two values lie apart, without a sign."""
        if not self.scale.is_share:
            return self._told(abs(x), is_signed=False)
        return self.words.gettext("%(n)s points", n=self._number(abs(x) * 100, is_signed=False))

    def is_nothing(self, difference: float) -> bool:
        """Whether a difference is written as 0."""
        return not round(difference * (100 if self.scale.is_share else 1), self.scale.decimals)

    def _told(self, x: float, *, is_signed: bool) -> str:
        if not self.scale.is_share:
            return self._number(x, is_signed=is_signed)
        pattern = f"#,##0.{'0' * self.scale.decimals}%" if self.scale.decimals else "#,##0%"
        return _written(round(x, self.scale.decimals + 2) + 0.0, pattern, self.words)

    def _number(self, x: float, *, is_signed: bool) -> str:
        pattern = f"#,##0.{'0' * self.scale.decimals}" if self.scale.decimals else "#,##0"
        rounded = round(x, self.scale.decimals) + 0.0
        sign = "+" if is_signed and rounded > 0 else ""
        return f"{sign}{_written(rounded, pattern, self.words)}"


_parsed = cache(parse_pattern)
"""Patterns of numbers, read once: a page writes hundreds of numbers in two or three of them."""


def _written(x: float, pattern: str, words: Words) -> str:
    return str(_parsed(pattern).apply(x, words.locale))


def period_words(period: str, words: Words) -> str:
    """A period as people call it.

    Example:
        >>> from metroon.serve.words import Words
        >>> [period_words(p, Words("en")) for p in ("2025", "2026-Q2", "2026-05", "2025-07..2026-06", "all")]
        ['2025', 'Q2 2026', 'May 2026', 'fiscal year 2025-26', 'all years together']
    """
    if period == ALL:
        return words.gettext("all years together")
    grain, first, last = periods.grain_of(period), periods.first_day(period), periods.last_day(period)
    if grain == "month":
        return words.month(first)
    if grain == "quarter":
        if ".." in period:
            return words.gettext("%(first)s to %(last)s", first=words.month(first), last=words.month(last))
        return words.gettext("Q%(n)s %(year)s", n=(first.month + 2) // 3, year=first.year)
    if ".." in period:
        short = f"{last.year % 100:02d}"
        return words.gettext("fiscal year %(first)s-%(last)s", first=first.year, last=short)
    return period


def is_place_of_its_own(place: str) -> bool:
    """Whether a key names an area, and not what lies outside all of them or nowhere.

    Example:
        >>> is_place_of_its_own("N01"), is_place_of_its_own("(outside)")
        (True, False)
    """
    return place not in (ALL, OUTSIDE, INSIDE, NOWHERE)


def group_words(group: str, words: Words) -> str:
    """What people call a group."""
    if group == UNKNOWN:
        return words.gettext("Not recorded")
    return words.plain(group)
