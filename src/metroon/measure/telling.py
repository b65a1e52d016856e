"""Whether a number of events tells anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metroon.base.estimate import State
    from metroon.measure.interval import Interval

_RELATIVE_ERROR = 0.30


def event_state(events: int, interval: Interval, useful_width: float | None) -> tuple[State, str]:
    """``known``, or ``cannot tell`` when the relative standard error is above 30 % or the interval too wide.

    Args:
        events: Events observed.
        interval: Their interval, in events.
        useful_width: The widest interval that tells something, in events; None for the default.

    Example:
        >>> from metroon.measure.interval import poisson
        >>> event_state(4, poisson(4), None)
        ('cannot tell', 'too few events to say anything')
        >>> event_state(400, poisson(400), None)
        ('known', '')
    """
    if useful_width is not None:
        is_told = interval.high - interval.low <= useful_width
    else:
        is_told = events == 0 or events**-0.5 <= _RELATIVE_ERROR
    return ("known", "") if is_told else ("cannot tell", "too few events to say anything")
