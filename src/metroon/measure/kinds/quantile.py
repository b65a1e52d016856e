"""``kind: quantile``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from metroon.measure.indicator import Expression, Indicator, Row
from metroon.measure.quantile import quantiles
from metroon.measure.telling import measured_answer

if TYPE_CHECKING:
    from metroon.base.estimate import Estimates, Tallies


class Quantile(Indicator):
    """The median of a number, or any other quantile of it.

    The interval is that of order statistics: between two of the values themselves, whatever their distribution
    (binomial ranks; Hahn and Meeker 1991, Statistical Intervals, section 5.2). There is none where there are too few
    values. Rows without the number are counted as unknown. Medians do not add up: each place has its own.

    Args:
        value: SQL expression that gives the number.
        quantile: Which: 0.5 is the median, 0.9 what nine in ten do not exceed.
    """

    value: str
    quantile: float = Field(0.5, gt=0, lt=1)
    kind_may_be_negative: ClassVar[bool] = True

    def expressions(self) -> tuple[Expression, ...]:
        """The number."""
        return (Expression("value", self.value, "float64"),)

    def outcome(self, row: Row) -> Any:
        """Recorded, or unknown."""
        return row.value("value").notnull().nullif(False)

    def spread(self, row: Row) -> dict[str, Any]:
        """The numbers themselves."""
        return {"value": row.value("value")}

    def estimates(self, tallies: Tallies) -> Estimates:
        """The quantiles with their intervals."""
        found = tallies.spread
        cell, value, count = (np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
        if found is not None:
            value = found.keys["value"].astype(np.float64)
            kept = ~np.isnan(value)
            cell, value, count = found.cell[kept], value[kept], found.sums["n"][kept]
        made = quantiles(cell, value, count.astype(np.int64), share=self.quantile, cells=tallies.cells)
        low = np.where(made.low < made.high, made.low, np.nan)
        high = np.where(made.low < made.high, made.high, np.nan)
        # Several people with the same value in the middle: the interval is that value, and says as much as any.
        return measured_answer(tallies, made.value, low, high, self.small_numbers, is_ranked=~np.isnan(made.low))
