"""Verification: the certificate of every release that the ledger keeps, checked again by plain arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean
from metroon.guard.certificate import Verified, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metroon.guard.certificate import Fault
    from metroon.guard.ledger import Entry
    from metroon.guard.system import Proof
    from metroon.walk import Walk


def verified(walk: Walk, names: Sequence[str] = ()) -> list[Verified]:
    """Check the certificates of all releases that the world may have; no solver is asked.

    Releases behind which nobody stands have none, and are left out.

    Args:
        walk: The city.
        names: Measures, tables or products; all unless named.

    Raises:
        Refused: A name is unknown (F104), or the ledger is not what was written (G120, G122).
    """
    live = [entry for entry in walk.ledger.entries() if entry.is_live]
    known = {entry.release.name for entry in live} | set(walk.city.products) | set(walk.indicators)
    for name in names:
        if name not in known:
            fix = did_you_mean(name, known)
            raise Refused([Problem(walk.city.node.file, 0, "F104", f"nothing is called '{name}'.", fix)])
    wanted = [e for e in live if e.release.proof and (not names or e.release.name in names)]
    faults: dict[str, tuple[Fault, ...]] = {}
    return [_of(walk, entry, faults) for entry in wanted]


def _of(walk: Walk, entry: Entry, faults: dict[str, tuple[Fault, ...]]) -> Verified:
    name, edition, surface = entry.release.name, entry.edition, entry.release.surface
    try:
        proof = walk.ledger.proof(entry)
    except Refused as refused:
        return Verified(name, edition, surface, 0, 0, tuple(problem.what for problem in refused.problems))
    # Measures of the same people share a proof: it is reckoned through once.
    if entry.release.proof not in faults:
        faults[entry.release.proof] = verify(proof)
    found = faults[entry.release.proof]
    in_doubt = int(proof.system.needs.sum())
    return Verified(name, edition, surface, in_doubt, _proven(proof, found), tuple(str(fault) for fault in found))


def _proven(proof: Proof, faults: Iterable[Fault]) -> int:
    proven = proof.system.needs.copy()
    for fault in faults:
        # What is wrong with the whole proof leaves nothing proven.
        proven[np.array(fault.cells, dtype=np.int64) if fault.cells else slice(None)] = False
    return int(proven.sum())
