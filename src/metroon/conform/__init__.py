"""Hold sources to their contract.

In: ``Raw`` rows and the contract. Out: ``Checked`` rows, typed, with every other row set aside for a told reason
or refused with its delivery, and the verdict on every rule.
"""

from metroon.conform.changes import Change, breaks, changes, edition
from metroon.conform.check import LARGE, Checked, check, faults, late, without, without_records
from metroon.conform.drift import Past, Watched, watch
from metroon.conform.drift import columns as drifted_columns
from metroon.conform.parts import Before, Part
from metroon.conform.questions import cannot_answer
from metroon.conform.repeats import Entangled
from metroon.conform.rules import FUTURE
from metroon.conform.staging import Unproven
from metroon.conform.unchecked import unchecked

__all__ = [
    "FUTURE",
    "LARGE",
    "Before",
    "Change",
    "Checked",
    "Entangled",
    "Part",
    "Past",
    "Unproven",
    "Watched",
    "breaks",
    "cannot_answer",
    "changes",
    "check",
    "drifted_columns",
    "edition",
    "faults",
    "late",
    "unchecked",
    "watch",
    "without",
    "without_records",
]
