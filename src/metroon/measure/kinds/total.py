"""``kind: total``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from metroon.measure.indicator import Expression, Indicator, Row
from metroon.measure.telling import measured_answer

if TYPE_CHECKING:
    from metroon.base.estimate import Estimates, Tallies

_Z = 1.959963984540054


class Total(Indicator):
    """A number added up over the rows, such as dollars or tons.

    The interval is of the underlying risk, as that of a count: rows come by chance, each with its number, and the
    variance of their sum is the sum of their squares (a compound Poisson process; Feller 1968, An Introduction to
    Probability Theory I, section XII.2). Rows without the number are counted as unknown, never as zero.

    Args:
        value: SQL expression that gives the number.
    """

    value: str
    is_count: ClassVar[bool] = True
    grows_with_time: ClassVar[bool] = True
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
        """The sums with their intervals."""
        value = np.where(tallies.yes > 0, tallies.sums["sum"], np.nan)
        reach = _Z * np.sqrt(tallies.sums["squares"])
        return measured_answer(tallies, value, value - reach, value + reach, self.small_numbers)
