"""Losses: what hiding takes away from a table, and why each cell is hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.estimate import ALL, INSIDE

if TYPE_CHECKING:
    from metroon.base.estimate import Cell, Tally
    from metroon.guard.cells import CellTable, Hiding

FEW, ALIKE, PEOPLE, TIED, SECOND = (
    "too few people, or events on them",
    "all alike: whoever is in the group has the outcome",
    "many events of too few people",
    "too few people are left when another measure is taken away",
    "would give another cell away",
)
"""Why a cell is hidden, in words."""


@dataclass(frozen=True)
class Loss:
    """What hiding leaves of a table. Restricted: it comes from what is hidden.

    Args:
        cells: Published cells that count anything, hidden ones too.
        shown: Those that are shown.
        events_share: Share of the events that stand in a shown cell, over the cells of places and groups, or of the
            whole city where there are none; from 0 to 1.
        smallest: The smallest number of events or of failures in a shown cell, zeros aside; None when there is none.
    """

    cells: int
    shown: int
    events_share: float
    smallest: int | None

    @property
    def hidden_share(self) -> float:
        """Hidden cells over cells, from 0 to 1."""
        return 1 - self.shown / self.cells if self.cells else 0.0


def loss(table: CellTable, hiding: Hiding) -> Loss:
    """What hiding leaves of a table.

    Args:
        table: The table before release.
        hiding: What is withheld of it.

    Example:
        >>> from metroon.base.estimate import Cell, Tally
        >>> from metroon.guard.cells import CellTable, Hiding
        >>> a, b = Cell(geography="ward", place="A"), Cell(geography="ward", place="B")
        >>> tallies = {a: Tally(a, 5, 0, 0), b: Tally(b, 20, 0, 0)}
        >>> table = CellTable("crashes", False, tallies, (), frozenset(), "person")
        >>> loss(table, Hiding(frozenset({a}), frozenset()))
        Loss(cells=2, shown=1, events_share=0.8, smallest=20)
    """
    hidden = hiding.primary | hiding.secondary
    telling = ({c for c, t in table.tallies.items() if _events(t)} | hidden) - table.unpublished
    shown = telling - hidden
    parts = {c for c in telling if not _is_city(c)} or telling
    every = sum(_events(table.tallies[c]) for c in parts)
    kept = sum(_events(table.tallies[c]) for c in parts & shown)
    return Loss(len(telling), len(shown), kept / every if every else 1.0, smallest(table, shown))


def smallest(table: CellTable, cells: frozenset[Cell] | set[Cell]) -> int | None:
    """The smallest number of events, or of failures of a share, in some cells; zeros aside, None when there is none."""
    found = [n for c in cells for n in _told(table.tallies[c], is_share=table.is_share) if n > 0]
    return min(found, default=None)


def reasons(table: CellTable, hiding: Hiding) -> tuple[tuple[str, int], ...]:
    """Why the cells of a table are hidden, and how many for each reason, the most first. Restricted.

    Args:
        table: The table before release.
        hiding: What is withheld of it.
    """
    found = dict.fromkeys((FEW, ALIKE, PEOPLE, TIED, SECOND), 0)
    for cell in hiding.primary:
        found[_why(table, table.tallies[cell])] += 1
    found[SECOND] = len(hiding.secondary - hiding.primary)
    return tuple(sorted(((why, n) for why, n in found.items() if n), key=lambda f: -f[1]))


def _why(table: CellTable, tally: Tally) -> str:
    if any(0 < n < table.minimum_cell for n in (*_told(tally, is_share=table.is_share), tally.unknown)):
        return FEW
    if table.is_share and tally.yes + tally.no > 0 and not (tally.yes and tally.no):
        return ALIKE
    return PEOPLE if tally.least_people is not None and tally.least_people < table.minimum_cell else TIED


def _told(tally: Tally, *, is_share: bool) -> tuple[int, ...]:
    return (tally.yes, tally.no) if is_share else (tally.yes,)


def _events(tally: Tally) -> int:
    return tally.yes + tally.no + tally.unknown


def _is_city(cell: Cell) -> bool:
    return cell.dimension == ALL and (cell.geography == ALL or cell.place == INSIDE)
