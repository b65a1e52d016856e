"""Indicators by place and group.

In: located rows of one version, and a measure's declaration. Out: tallies with the sums that tie them, for the
guard, and the estimates that they support.
"""

from metroon.measure.cube import Cube, cube
from metroon.measure.differences import with_differences
from metroon.measure.estimates import can_break_down, estimates, finest_grains, late, poolings, unanswerable
from metroon.measure.faults import Known, count_faults, faults, target_faults, vintage_faults, warnings
from metroon.measure.flows import as_flow, as_plain, flow_counted
from metroon.measure.grid import is_nested, released_as
from metroon.measure.indicator import Indicator
from metroon.measure.tally import Asking, Tallied, longer_grains, tally

__all__ = [
    "Asking",
    "Cube",
    "Indicator",
    "Known",
    "Tallied",
    "as_flow",
    "as_plain",
    "can_break_down",
    "count_faults",
    "cube",
    "estimates",
    "faults",
    "finest_grains",
    "flow_counted",
    "is_nested",
    "late",
    "longer_grains",
    "poolings",
    "released_as",
    "tally",
    "target_faults",
    "unanswerable",
    "vintage_faults",
    "warnings",
    "with_differences",
]
