"""Which neighborhood; how many people live there.

In: the rows of the products that hold areas, and rows with points or place keys. Out: ``Places`` of every
geography, and rows that say which place of each they belong to, outside and unplaced ones counted.
"""

from metroon.locate.assign import Lost, assign, boundary_sha256, can_place, column, lost, points
from metroon.locate.geographies import faults, merged_places, neighbors, overlaps, places

__all__ = [
    "Lost",
    "assign",
    "boundary_sha256",
    "can_place",
    "column",
    "faults",
    "lost",
    "merged_places",
    "neighbors",
    "overlaps",
    "places",
    "points",
]
