"""``kind: ratio``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field
from scipy.special import stdtrit

from metroon.measure.indicator import Expression, Indicator, Row
from metroon.measure.telling import measured_answer

if TYPE_CHECKING:
    from metroon.base.estimate import Estimates, Tallies


class Ratio(Indicator):
    """One sum over another, such as dollars for each street light: a ratio of sums, never a mean of ratios.

    Rows in which one of the two is not recorded are in neither sum and are counted as unknown. The interval is that
    of a ratio estimator, by linearisation over the rows (Cochran 1977, Sampling Techniques, 3rd edition, section
    6.4), on the logarithm with Student's t.

    Args:
        numerator: SQL expression that gives the number above.
        denominator: SQL expression that gives the number below; its sum must not be below zero.
        per: For how many of the denominator.
        part: True when the numerator is a part of the denominator, so that it cannot be larger.
    """

    numerator: str
    denominator: str
    per: float = Field(1, gt=0)
    part: bool = False
    positive_sums: ClassVar[tuple[str, ...]] = ("denominator",)
    kind_may_be_negative: ClassVar[bool] = True

    @property
    def is_part(self) -> bool:
        """Whether the numerator is declared to be a part of the denominator."""
        return self.part

    def expressions(self) -> tuple[Expression, ...]:
        """Both numbers."""
        both = (("numerator", self.numerator), ("denominator", self.denominator))
        return tuple(Expression(key, sql, "float64") for key, sql in both)

    def outcome(self, row: Row) -> Any:
        """Both recorded, or unknown."""
        return (row.value("numerator").notnull() & row.value("denominator").notnull()).nullif(False)

    def sums(self, row: Row) -> dict[str, Any]:
        """Both numbers, their squares and their product, over the rows that have both."""
        above, below = row.value("numerator"), row.value("denominator")
        both = above + below  # null when one of them is
        above, below = both.isnull().ifelse(None, above), both.isnull().ifelse(None, below)
        return {
            "numerator": above,
            "denominator": below,
            "numerator squares": above * above,
            "denominator squares": below * below,
            "products": above * below,
        }

    def estimates(self, tallies: Tallies) -> Estimates:
        """The ratios with their intervals."""
        s, n = tallies.sums, tallies.yes.astype(float)
        below = np.where(s["denominator"] > 0, s["denominator"], np.nan)
        ratio = s["numerator"] / below
        left = s["numerator squares"] - 2 * ratio * s["products"] + ratio**2 * s["denominator squares"]
        left = np.where(left > 1e-12 * s["numerator squares"], left, 0.0)
        several = np.where(n > 1, n, np.nan)
        error = np.sqrt(several / (several - 1) * left) / below
        reach = stdtrit(several - 1, 0.975) * error
        is_positive = ratio > 0
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            stretch = np.exp(reach / ratio)
            low = np.where(is_positive, ratio / stretch, ratio - reach)
            high = np.where(is_positive, ratio * stretch, ratio + reach)
        low, high = low * self.per, high * self.per
        why, rule = "nothing to divide by", self.small_numbers
        return measured_answer(tallies, ratio * self.per, low, high, rule, base=s["denominator"], no_base=why)
