"""Indicators by place and group.

In: located rows of one version, and a measure's declaration. Out: tallies with the sums that tie them, for the
guard, and the estimates that they support.
"""

from metroon.measure.differences import with_differences
from metroon.measure.estimates import can_break_down, estimates, poolings, unanswerable
from metroon.measure.grid import is_nested, released_as
from metroon.measure.indicator import Indicator
from metroon.measure.tally import Tallied, longer_grains, tally

__all__ = [
    "Indicator",
    "Tallied",
    "can_break_down",
    "estimates",
    "is_nested",
    "longer_grains",
    "poolings",
    "released_as",
    "tally",
    "unanswerable",
    "with_differences",
]
