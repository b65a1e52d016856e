"""Upkeep: what is done to a city's folder before a run begins, and told."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from metroon.base import scratch
from metroon.base.errors import Problem, Refused
from metroon.base.running import alone
from metroon.lake import format as formats

if TYPE_CHECKING:
    from pathlib import Path

    from metroon.lake.lake import Lake

_DRAFT = re.compile(r"\..+\.\d+|\d+\.part")
"""Names under which private files and certificates are written before they have their own."""
_SETTLED_S = 3600
"""A draft younger than this may belong to somebody at work."""


def upkeep(lake: Lake) -> tuple[str, ...]:
    """Look at the lake's format, remove what runs that were cut off left behind, and tell what was done.

    While another run is at work, only what is too old to be its own is removed.

    Args:
        lake: The lake.

    Returns:
        One sentence for each thing that was done.

    Raises:
        Refused: A newer Metroon wrote the lake (F110), or its folder cannot be written (L101).
    """
    home = lake.folder.parent
    try:
        home.mkdir(parents=True, exist_ok=True)
        with alone(home):
            done, files = formats.migrate(lake.folder), lake.sweep(settled_s=0)
    except Refused as refused:
        if any(p.code != "G158" for p in refused.problems):
            raise
        formats.look(lake.folder)
        done, files = [], lake.sweep()
    except OSError as error:
        what = f"the folder cannot be written ({type(error).__name__})."
        fix = "Check free space and rights of the folder; the last good versions stay."
        raise Refused([Problem(str(home), 0, "L101", what, fix)]) from error
    told = [f"the lake's format was {step} and is {step + 1} now" for step in done]
    told += [f"{files} file{'s' * (files != 1)} of a run that was cut off removed: no version had them"] * bool(files)
    if drafts := _drafts(home):
        told.append(f"{drafts} draft{'s' * (drafts != 1)} of a run that was cut off removed")
    if folders := scratch.sweep(home):
        told.append(f"{folders} scratch folder{'s' * (folders != 1)} of a run that was cut off removed")
    return tuple(told)


def _drafts(home: Path) -> int:
    old = time.time() - _SETTLED_S
    found = [
        f
        for folder in ("ledger", "certificates", "lake")
        for f in (home / folder).rglob("*")
        if _DRAFT.fullmatch(f.name) and f.is_file() and f.stat().st_mtime < old
    ]
    for file in found:
        file.unlink(missing_ok=True)
    return len(found)
