"""Classes as declared beside classes as names and values suggest them: where a person should look again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon.collect.profile import profile, profile_rows
from metroon.guard.suggest import Classified, suggestions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from metroon.base.profile import Profile
    from metroon.city.contract import Classification
    from metroon.guard.suggest import Suggestion
    from metroon.walk import Walk


def of_file(file: Path) -> list[Classified]:
    """Every column of a file; nothing is declared of it.

    Raises:
        Refused: It cannot be read (D110, D111).
    """
    return _told(profile(file), {}, {})


def of_product(walk: Walk, name: str) -> list[Classified]:
    """Every column of a product's newest version, beside what its contract says.

    Raises:
        Refused: It has no version yet.
    """
    contract = walk.contracts[name]
    version = walk.version(name)
    found = profile_rows(walk.engine.fetch(walk.lake.read(version)), contract.point)
    declared = {c.name: c.classification for c in contract.columns}
    lowered = {c.name: str(c.declassified.get("by", "")) for c in contract.columns}
    return _told(found, declared, lowered)


def _told(
    found: Profile, declared: Mapping[str, Classification | None], lowered: Mapping[str, str]
) -> list[Classified]:
    suggested: Mapping[str, Suggestion] = suggestions(found)
    return [
        Classified(name, declared.get(name), s.classification, s.reason, s.score, lowered.get(name, ""))
        for name, s in suggested.items()
    ]
