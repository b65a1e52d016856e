"""``kind: mean``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from metroon.measure.indicator import Expression, Indicator, Row
from metroon.measure.interval import student
from metroon.measure.telling import measured_answer

if TYPE_CHECKING:
    from metroon.base.estimate import Estimates, Tallies


class Mean(Indicator):
    """The mean of a number over the rows in which it is recorded.

    Student's interval with n - 1 degrees of freedom; none for fewer than two rows, or when all are the same.
    Rows without the number are counted as unknown, never as zero.

    Args:
        value: SQL expression that gives the number.
    """

    value: str
    kind_may_be_negative: ClassVar[bool] = True

    def expressions(self) -> tuple[Expression, ...]:
        """The number."""
        return (Expression("value", self.value, "float64"),)

    def outcome(self, row: Row) -> Any:
        """Recorded, or unknown."""
        return row.value("value").notnull().nullif(False)

    def sums(self, row: Row) -> dict[str, Any]:
        """The number and its square."""
        number = row.value("value")
        return {"sum": number, "squares": number * number}

    def estimates(self, tallies: Tallies) -> Estimates:
        """The means with their intervals."""
        n = np.where(tallies.yes > 0, tallies.yes, np.nan)
        value = tallies.sums["sum"] / n
        spread = tallies.sums["squares"] - n * value**2
        # What is left of equal numbers after rounding is no spread.
        spread = np.where(spread > 1e-12 * np.abs(tallies.sums["squares"]), spread, 0.0)
        variance = np.where(n > 1, spread / np.where(n > 1, n - 1, np.nan), np.nan)
        bounds = student(value, variance, n)
        return measured_answer(tallies, value, bounds.low, bounds.high, self.small_numbers)
