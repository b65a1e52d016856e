"""Thresholds: how many rows may fail a rule, or what its number must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATORS: dict[str, tuple[str, Callable[[float, Any], bool]]] = {
    "mustBe": ("be", lambda v, w: v == w),
    "mustNotBe": ("not be", lambda v, w: v != w),
    "mustBeGreaterThan": ("be above", lambda v, w: v > w),
    "mustBeGreaterOrEqualTo": ("be at least", lambda v, w: v >= w),
    "mustBeLessThan": ("be below", lambda v, w: v < w),
    "mustBeLessOrEqualTo": ("be at most", lambda v, w: v <= w),
    "mustBeBetween": ("lie between", lambda v, w: min(w) <= v <= max(w)),
    "mustNotBeBetween": ("not lie between", lambda v, w: not min(w) <= v <= max(w)),
}


@dataclass(frozen=True)
class Threshold:
    """What the number of a rule must be; without one, no row may fail.

    Args:
        operator: One of ODCS' operators.
        bound: Its number, or its two numbers.
        is_percent: True when the number is the percentage of failing rows.
    """

    operator: str = "mustBe"
    bound: Any = 0
    is_percent: bool = False

    def holds(self, failed: float, checked: float) -> bool:
        """Whether so many of so many may fail. A percentage of nothing is no number, and holds nothing.

        Example:
            >>> Threshold("mustBeLessThan", 5, True).holds(4, 100), Threshold().holds(1, 100)
            (True, False)
            >>> Threshold("mustBeLessThan", 5, True).holds(0, 0)
            False
        """
        if not self.has_data(checked):
            return False
        number = 100 * failed / checked if self.is_percent else failed
        return bool(OPERATORS[self.operator][1](number, self.bound))

    def has_data(self, checked: float) -> bool:
        """Whether there is anything to take a percentage of, where one is asked for."""
        return not self.is_percent or checked > 0

    def __str__(self) -> str:
        unit = " %" if self.is_percent else ""
        bound = " and ".join(said(b) for b in (self.bound if isinstance(self.bound, list) else [self.bound]))
        return f"must {OPERATORS[self.operator][0]} {bound}{unit}"


NONE = Threshold()
"""No row may fail."""


def said(bound: object) -> str:
    """A bound as the contract's author wrote it.

    Example:
        >>> said(1e6), said(0.5), said("2015-01-31")
        ('1000000', '0.5', '2015-01-31')
    """
    whole = isinstance(bound, float) and bound.is_integer() and abs(bound) < 1e15
    return f"{bound:.0f}" if whole else f"{bound:.12g}" if isinstance(bound, float) else str(bound)
