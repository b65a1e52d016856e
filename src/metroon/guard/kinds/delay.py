"""``kind: delay``."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

import ibis
from pydantic import Field

from metroon.guard.climbing import cannot, is_time, to_period
from metroon.guard.technique import Protecting, Technique

if TYPE_CHECKING:
    from metroon.base.engine import Relation


class Delay(Technique):
    """Rows leave only some days after the period of this date is over, and the date says only the period.

    Where people at risk are today is of use to those who look for them; where they were last year hardly is. Whole
    periods leave at once, so that no day can be worked out from what is new in the next version. Rows without a date
    do not leave.

    Args:
        days: Days that must pass after the end of the period.
        period: What leaves at once, and what is left of the date: month, quarter or year.
    """

    days: int = Field(ge=1)
    period: Literal["month", "quarter", "year"] = "month"
    is_by_row: ClassVar[bool] = True

    def protect(self, rows: Relation, given: Protecting) -> Relation:
        """The rows of periods that are over long enough."""
        if not is_time(self.column, given):
            raise cannot(self.column, given, self.period)
        told = to_period(rows, self.column, self.period)
        if given.as_of is None:
            return told.filter(ibis.literal(False))
        return told.filter((told[self.column] < ibis.date(self.today(given.as_of))).fill_null(False))

    def words(self) -> str:
        """How long after."""
        return f"Only the {self.period} is published, and only {self.days:,} days after it is over."

    def today(self, as_of: date) -> str:
        """The first day that has not left yet.

        Example:
            >>> Delay(column="seen_on", days=30).today(date(2026, 3, 15))
            '2026-02-01'
        """
        day = as_of - timedelta(days=self.days)
        month = {"month": day.month, "quarter": day.month - (day.month - 1) % 3, "year": 1}[self.period]
        return day.replace(month=month, day=1).isoformat()
