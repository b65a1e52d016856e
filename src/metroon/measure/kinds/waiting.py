"""``kind: waiting``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from metroon.measure.indicator import Indicator, Row
from metroon.measure.survival import closed_within, not_reached, open_curve, time_until
from metroon.measure.telling import TOO_WIDE, Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metroon.base.estimate import Estimates, Spread, Tallies

    Floats = NDArray[np.float64]


class Waiting(Indicator):
    """How long it takes, in days, counting those that still wait.

    The clock runs from the column of the period to ``until``. A case without an end still waits: it is known to have
    taken at least as long as the data reach, and is counted so (Kaplan and Meier 1958), with log-log intervals
    (Greenwood's variance; Brookmeyer and Crowley 1982). So leaving hard cases open improves nothing. An end before
    the beginning is an error of the clock: not known. Cases are told by the period in which they began.

    Args:
        until: The column with the end.
        quantile: 0.5 is the median: the days within which half are closed.
        within: Days; then the share closed within them is told instead, from 0 to 1.
    """

    until: str
    quantile: float = Field(0.5, gt=0, lt=1)
    within: float | None = Field(None, gt=0)
    is_share: ClassVar[bool] = False

    @property
    def is_percent(self) -> bool:
        """Whether the share closed in time is told."""
        return self.within is not None

    def words(self) -> str:
        """Days, or the share."""
        return self.unit or ("days" if self.within is None else f"closed within {self.within:g} days")

    def reads(self) -> tuple[tuple[str, str], ...]:
        """The column with the end."""
        return (("until", self.until),)

    def _days(self, row: Row) -> tuple[Any, Any]:
        """Days that each case took or has taken so far, null for an error of the clock; and whether it is closed."""
        begin = row.column(self.period.column if self.period else self.until).cast("timestamp")
        end = row.column(self.until).cast("timestamp")
        newest = row.newest([self.period.column if self.period else self.until, self.until])
        is_closed = end.notnull()
        last = is_closed.ifelse(end, newest)
        days = (last.epoch_seconds().cast("float64") - begin.epoch_seconds().cast("float64")) / 86_400.0
        return (days < 0.0).ifelse(None, days), is_closed

    def outcome(self, row: Row) -> Any:
        """A case whose time is known, or unknown."""
        return self._days(row)[0].notnull().nullif(False)

    def sums(self, row: Row) -> dict[str, Any]:
        """Cases closed."""
        days, is_closed = self._days(row)
        return {"closed": (is_closed & days.notnull()).cast("int64")}

    def spread(self, row: Row) -> dict[str, Any]:
        """Days, to the hour."""
        days, _ = self._days(row)
        return {"days": (days * 24.0).floor().cast("float64") / 24.0}

    def estimates(self, tallies: Tallies) -> Estimates:
        """The waiting times with their intervals."""
        cell, days, closed, still_open = _cases(tallies.spread)
        curve = open_curve(cell, days, closed=closed, still_open=still_open, cells=tallies.cells)
        made = time_until(curve, self.quantile) if self.within is None else closed_within(curve, self.within)
        cases = tallies.yes.astype(float)
        answer = Answer(made.value, made.low, made.high, cases, tallies.unknown.astype(float))
        answer.say("no exposure", (tallies.yes == 0) & (tallies.unknown == 0), "there is no case")
        answer.say("cannot tell", tallies.yes == 0, "no case has a known time")
        reached = not_reached(self.quantile) if self.within is None else "no case has waited that long"
        answer.say("cannot tell", np.isnan(made.value), reached)
        width = self.small_numbers.useful_width
        has_none = np.isnan(made.low) | ~np.isfinite(made.high)
        # Many cases closed on one day: an interval of zero width is none, and says as much as any.
        is_bare = has_none | ~(made.low < made.high)
        answer.low = np.where(is_bare, np.nan, answer.low)
        answer.high = np.where(is_bare, np.nan, answer.high)
        answer.say("cannot tell", has_none, "too few cases are closed for an interval")
        wide = made.high - made.low > width if width is not None else np.zeros(tallies.cells, dtype=bool)
        return answer.say("cannot tell", wide, TOO_WIDE).estimates()


def _cases(found: Spread | None) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """Rows of the histogram, one for each cell and time, in order."""
    nothing = np.zeros(0)
    if found is None:
        return np.zeros(0, dtype=np.int64), nothing, nothing, nothing
    days = found.keys["days"].astype(np.float64)
    kept = ~np.isnan(days)
    cell, days = found.cell[kept], days[kept]
    closed = found.sums["closed"][kept]
    still_open = found.sums["n"][kept] - closed
    order = np.lexsort((days, cell))
    cell, days, closed, still_open = cell[order], days[order], closed[order], still_open[order]
    is_first = np.ones(len(cell), dtype=bool)
    is_first[1:] = (cell[1:] != cell[:-1]) | (days[1:] != days[:-1])
    at = np.flatnonzero(is_first)
    if not len(at):
        return cell, days, closed, still_open
    return cell[at], days[at], np.add.reduceat(closed, at), np.add.reduceat(still_open, at)
