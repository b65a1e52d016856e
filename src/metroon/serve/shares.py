"""How published rows divide among the values of one closed list, and what may be said of that in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.engine import CannotRun
from metroon.serve.preview import fetched

if TYPE_CHECKING:
    from metroon.base.catalog import Column, Rows
    from metroon.serve.words import Words

MOST_VALUES = 12


@dataclass(frozen=True)
class Shares:
    """Rows with each value of one column.

    Args:
        column: Which.
        counts: (Value, label, rows), the most frequent first; values that do not occur are left out.
        missing: Rows in which nothing is recorded.
    """

    column: Column
    counts: tuple[tuple[str, str, int], ...]
    missing: int

    @property
    def total(self) -> int:
        """Rows in which something is recorded."""
        return sum(n for _, _, n in self.counts)


def shares(rows: Rows) -> Shares | None:
    """How rows of things with a place divide; None when they have no closed list, or no place.

    Rows without a point may be counts themselves (people by age and place): how many rows of them say what tells
    nothing.
    """
    listed = [c for c in rows.columns if 2 <= len(c.allowed) <= MOST_VALUES and c.type == "string"]
    if not listed or rows.dataset.point is None:
        return None
    column = listed[0]
    value = rows.relation[column.name]
    try:
        found = fetched(rows, rows.relation.group_by(value=value).aggregate(n=rows.relation.count()))
    except (CannotRun, OSError):
        return None
    labels = dict(column.allowed)
    known = sorted(
        ((str(r["value"]), int(r["n"])) for r in found if r["value"] is not None), key=lambda k: (-k[1], k[0])
    )
    missing = sum(int(r["n"]) for r in found if r["value"] is None)
    if not 1 < len(known) <= MOST_VALUES:
        return None
    return Shares(column, tuple((v, labels.get(v, v), n) for v, n in known), missing)


def share_finding(told: Shares, words: Words) -> str:
    """What the counts say, in a sentence that holds: "most" only for more than half."""
    (_, label, n), share = told.counts[0], told.counts[0][2] / told.total
    column, value = words.plain(told.column.title), words.plain(label)
    if 2 * n > told.total:
        return words.gettext(
            "%(column)s: most rows say %(value)s (%(share)s)",
            column=column, value=value, share=_percent(share, words),
        )  # fmt: skip
    return words.gettext(
        "%(column)s: %(value)s is in %(share)s of rows", column=column, value=value, share=_percent(share, words)
    )


def _percent(share: float, words: Words) -> str:
    """A share as percent that never rounds to all or to half when it is not."""
    return words.percent(share, 0 if 0.51 <= share <= 0.99 else 1)
