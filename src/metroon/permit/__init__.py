"""Who may see what: one decision for every page, door and file, and the reader that only it hands out.

In: a principal and what it asks for. Out: a ``Decision``, and rows or a catalog that hold only what it allows.
"""

from metroon.permit.decide import OPERATOR, PUBLIC, Decision, Facts, Principal, decide
from metroon.permit.gate import Gate, Gone, NotThere, Opener

__all__ = ["OPERATOR", "PUBLIC", "Decision", "Facts", "Gate", "Gone", "NotThere", "Opener", "Principal", "decide"]
