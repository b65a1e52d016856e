"""``kind: share``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from metroon.base.estimate import Estimate, without_value
from metroon.measure.indicator import Indicator
from metroon.measure.interval import unknown_bounds, wilson

if TYPE_CHECKING:
    from metroon.base.estimate import Tally

_USEFUL = 0.30


class Share(Indicator):
    """What part of the rows meets a condition, among those where it can be told.

    Rows where the condition cannot be told are not left out silently: they are counted, and the share is given
    for the worst and the best case, as if all of them failed or all succeeded. Wilson interval (Wilson 1927;
    UK OHID technical guide).

    Args:
        when: SQL expression that is true for a success and empty where it cannot be told.
    """

    when: str
    is_share: ClassVar[bool] = True

    def outcome(self) -> str:
        """The condition."""
        return self.when

    def estimate(self, tally: Tally) -> Estimate:
        """The share with its interval, and its bounds over the unknowns."""
        base = tally.yes + tally.no
        if base == 0 and tally.unknown == 0:
            return without_value(tally.cell, "no exposure", "there is no case")
        if base == 0:
            return without_value(tally.cell, "cannot tell", "no case has a known outcome")
        interval = wilson(tally.yes, base)
        bounds = unknown_bounds(tally.yes, tally.no, tally.unknown)
        worst, best = (bounds.high, bounds.low) if self.direction == "down" else (bounds.low, bounds.high)
        is_wide = interval.high - interval.low > (self.useful_width or _USEFUL)
        return Estimate(
            tally.cell,
            "cannot tell" if is_wide else "known",
            tally.yes / base,
            interval.low,
            interval.high,
            tally.yes,
            float(base),
            tally.unknown,
            worst,
            best,
            "the interval is too wide to say anything" if is_wide else "",
        )
