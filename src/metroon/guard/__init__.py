"""Protect people.

In: rows that keep their contract, or tallies and estimates of a measure. Out: ``Guarded``, which alone may be
published, or the reasons why nothing is.
"""

from metroon.guard.cells import (
    CellTable,
    Difference,
    Hiding,
    Line,
    Protection,
    Published,
    Sum,
    hidden_share,
    hide,
    withhold,
)
from metroon.guard.identifiers import identifying
from metroon.guard.likeness import Likeness
from metroon.guard.lineage import Traced, inherit, trace
from metroon.guard.primary import Dominance, Rules, rule_faults
from metroon.guard.protected import Coarser, ProtectedTable, coarser, protect_table, release_table
from metroon.guard.release import release
from metroon.guard.rows import Guarded, gate, leaving, protect, unlawful
from metroon.guard.table import Dimension, Finest, Given, Table, check_totals, dimension, table, tree, unseen_totals
from metroon.guard.technique import Protecting, Technique

__all__ = [
    "CellTable", "Coarser", "Difference", "Dimension", "Dominance", "Finest", "Given", "Guarded", "Hiding",
    "Likeness", "Line", "ProtectedTable", "Protecting", "Protection", "Published", "Rules", "Sum", "Table",
    "Technique", "Traced", "check_totals", "coarser", "dimension", "gate", "hidden_share", "hide", "identifying",
    "inherit", "leaving", "protect", "protect_table", "release", "release_table", "rule_faults", "table", "trace",
    "tree", "unlawful", "unseen_totals", "withhold",
]  # fmt: skip
