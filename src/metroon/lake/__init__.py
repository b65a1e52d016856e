"""Keep versions.

In: ``Checked`` rows for the restricted zone, ``Guarded`` for the open one. Out: ``Version``, which can be read
forever and carries the evidence of what it was made of.
"""

from metroon.lake.evidence import key, text_sha256
from metroon.lake.lake import Evidence, Lake, Open, Restricted, Version, code_sha256
from metroon.lake.ledger import Ledger, Mark
from metroon.lake.upkeep import upkeep

__all__ = [
    "Evidence",
    "Lake",
    "Ledger",
    "Mark",
    "Open",
    "Restricted",
    "Version",
    "code_sha256",
    "key",
    "text_sha256",
    "upkeep",
]
