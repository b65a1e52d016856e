"""Indicators by place and group.

In: located rows of one version, and a measure's declaration. Out: tallies with the sums that tie them, for the
guard, and the estimates that they support.
"""

from metroon.measure.coarsening import (
    beginning,
    chosen_grains,
    coarse_enough,
    coarsened,
    every_coarsening,
    grains_of,
    longer,
    poolings,
    words_of,
)
from metroon.measure.cube import REVISED, Cube, Parts, cube
from metroon.measure.differences import differences, memberships
from metroon.measure.estimates import can_break_down, estimates, finest_grains, late, unanswerable
from metroon.measure.faults import Known, count_faults, faults, target_faults, vintage_faults, warnings
from metroon.measure.flows import as_flow, as_plain, flow_counted
from metroon.measure.grid import is_nested, released_as
from metroon.measure.indicator import Indicator
from metroon.measure.revisions import people, touched, waits
from metroon.measure.tally import Asking, Tallied, longer_grains, tally

__all__ = [
    "REVISED",
    "Asking",
    "Cube",
    "Indicator",
    "Known",
    "Parts",
    "Tallied",
    "as_flow",
    "as_plain",
    "beginning",
    "can_break_down",
    "chosen_grains",
    "coarse_enough",
    "coarsened",
    "count_faults",
    "cube",
    "differences",
    "estimates",
    "every_coarsening",
    "faults",
    "finest_grains",
    "flow_counted",
    "grains_of",
    "is_nested",
    "late",
    "longer",
    "longer_grains",
    "memberships",
    "people",
    "poolings",
    "released_as",
    "tally",
    "target_faults",
    "touched",
    "unanswerable",
    "vintage_faults",
    "waits",
    "warnings",
    "words_of",
]
