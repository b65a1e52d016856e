"""Hold sources to their contract.

In: ``Raw`` rows and the contract. Out: ``Checked`` rows, typed, with every other row set aside for a told reason
or refused with its delivery, and the verdict on every rule.
"""

from metroon.conform.check import Checked, check, faults, late, without
from metroon.conform.questions import cannot_answer

__all__ = ["Checked", "cannot_answer", "check", "faults", "late", "without"]
