"""An invented city with known truths, to learn on and to test with.

In: a folder and a seed. Out: the repo of Arroyo Vista and the raw files of its departments, flaws and all.
"""

from metroon.demo.earlier import EARLIER, earlier
from metroon.demo.flaws import FLAWS, RECORDS, Flaw
from metroon.demo.generate import build
from metroon.demo.truths import TRUTHS, Truth

__all__ = ["EARLIER", "FLAWS", "RECORDS", "TRUTHS", "Flaw", "Truth", "build", "earlier"]
