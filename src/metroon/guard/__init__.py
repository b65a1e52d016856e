"""Protect people.

In: rows that keep their contract, or tallies and estimates of a measure. Out: ``Guarded``, which alone may be
published, or the reasons why nothing is.
"""

from metroon.guard.cells import CellTable, Hiding, Line, hidden_share, hide
from metroon.guard.release import release
from metroon.guard.rows import Guarded, gate, inherit, protect
from metroon.guard.technique import Protecting, Technique

__all__ = [
    "CellTable", "Guarded", "Hiding", "Line", "Protecting", "Technique", "gate", "hidden_share", "hide", "inherit",
    "protect", "release",
]  # fmt: skip
