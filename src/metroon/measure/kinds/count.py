"""``kind: count``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon.base.estimate import Estimate
from metroon.measure.indicator import Indicator
from metroon.measure.interval import poisson
from metroon.measure.telling import event_state

if TYPE_CHECKING:
    from metroon.base.estimate import Tally


class Count(Indicator):
    """How many rows there are.

    The interval is of the underlying risk, not of the count itself: were the same period lived again, that is
    where the count would fall. Exact Poisson below 10 events, Byar's approximation from 10 on (UK OHID technical
    guide; Breslow and Day 1987).
    """

    def estimate(self, tally: Tally) -> Estimate:
        """The count with its interval."""
        interval = poisson(tally.yes)
        state, note = event_state(tally.yes, interval, self.useful_width)
        return Estimate(
            tally.cell, state, float(tally.yes), interval.low, interval.high, tally.yes, None, tally.unknown, note=note
        )
