"""``kind: count``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from metroon.measure.indicator import Indicator
from metroon.measure.interval import poisson
from metroon.measure.telling import FEW_EVENTS, Answer, few_events

if TYPE_CHECKING:
    from metroon.base.estimate import Estimates, Tallies


class Count(Indicator):
    """How many rows there are.

    The interval is of the underlying risk, not of the count itself: were the same period lived again, that is
    where the count would fall. Exact Poisson below 10 events, Byar's approximation from 10 on (UK OHID technical
    guide; Breslow and Day 1987).
    """

    is_count: ClassVar[bool] = True
    grows_with_time: ClassVar[bool] = True

    def estimates(self, tallies: Tallies) -> Estimates:
        """The counts with their intervals."""
        value = tallies.yes.astype(float)
        bounds = poisson(value)
        answer = Answer(value, bounds.low, bounds.high, value, tallies.unknown.astype(float))
        few = few_events(tallies.yes, bounds.low, bounds.high, self.small_numbers)
        return answer.say("cannot tell", few, FEW_EVENTS).estimates()
