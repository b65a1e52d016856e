"""Accept: which of the formats offered an asker likes best (RFC 9110, 12.5.1)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from metroon.serve.formats import MEDIA
from metroon.serve.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence


def accepted(said: str, endings: Sequence[str]) -> str:
    """The ending that the asker likes best; the first of those it likes as much.

    Args:
        said: The Accept header; empty when there is none.
        endings: Keys of ``MEDIA``, the usual one first.

    Raises:
        Trouble: It takes none of them.

    Example:
        >>> accepted("text/csv, */*;q=0.1", ("json", "csv")), accepted("", ("json", "csv"))
        ('csv', 'json')
    """
    wanted = [w for w in (_liked(p) for p in said.split(",") if p.strip()) if w] if said.strip() else [("*/*", 1.0)]
    best, most = "", 0.0
    for ending in endings:
        media = MEDIA[ending].partition(";")[0]
        kinds = (media, f"{media.partition('/')[0]}/*", "*/*")
        weight = next((q for k in kinds for m, q in wanted if m == k), 0.0)
        if weight > most:
            best, most = ending, weight
    if not best:
        listed = ", ".join(MEDIA[e].partition(";")[0] for e in endings)
        raise Trouble("not-acceptable", "None of the formats in Accept is offered.", f"Offered: {listed}.", "Accept")
    return best


def _liked(part: str) -> tuple[str, float] | None:
    media, *options = (p.strip().lower() for p in part.split(";"))
    weight = next((o[2:] for o in options if o.startswith("q=")), "1")
    try:
        found = float(weight)
    except ValueError:
        return None
    return (media, found) if math.isfinite(found) else None
