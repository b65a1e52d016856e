"""Standings: each place beside the city as one sign, in a fixed order, with the signs' words and counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.serve.terminal import cells
from metroon.serve.terminal.figures import places_title
from metroon.serve.terminal.words import STANDINGS, STATE_SIGNS, Sign, place_name

if TYPE_CHECKING:
    from metroon.base.estimate import Estimate
    from metroon.base.places import Places
    from metroon.base.scorecard import PlaceStanding, Score

_MOST_NAMES = 3
_TOLD = ("better", "worse", "higher", "lower")


@dataclass(frozen=True)
class Row:
    """The places of one geography beside the city.

    Args:
        geography: The set of places.
        period: Which period they are of.
        places: Place's name, its sign, and whether it lies outside the 99.8 % limits too; in display order.
    """

    geography: Places
    period: str
    places: tuple[tuple[str, Sign, bool], ...]

    @property
    def title(self) -> str:
        """The geography with its vintage."""
        return places_title(self.geography)

    @property
    def signs(self) -> str:
        """One sign a place."""
        return "".join(sign.sign for _, sign, _ in self.places)

    def legend(self, most: int = _MOST_NAMES) -> list[str]:
        """How many places have each sign, and the names of the first that differ.

        Args:
            most: Names of one sign that are told.
        """
        counts = Counter(sign for _, sign, _ in self.places)
        told = []
        for sign in (*STANDINGS.values(), *STATE_SIGNS.values()):
            if not counts[sign]:
                continue
            names = [name for name, own, _ in self.places if own == sign] if sign.words in _TOLD else []
            more = f" and {len(names) - most} more" if len(names) > most else ""
            of = f": {', '.join(names[:most])}{more}" if names else ""
            told.append(f"{counts[sign]} {sign.words} ({sign.sign}){of}")
        return told


def standing_rows(score: Score) -> tuple[Row, ...]:
    """One row for each geography whose places stand beside the city; none of counts, which are parts of it."""
    standing = {p.cell: p for p in score.places}
    rows = []
    for geography in score.measured.geographies:
        found = [e for e in cells.of_places(score.measured, geography.id) if cells.is_ranked(e)]
        if not any(e.cell in standing for e in found):
            continue
        order = {key: i for i, key in enumerate(geography.names)}
        found.sort(key=lambda e: order.get(e.cell.place, len(order)))
        own = [(place_name(e.cell, score.measured), *_sign(e, standing.get(e.cell))) for e in found]
        rows.append(Row(geography, found[0].cell.period, tuple(own)))
    return tuple(rows)


def _sign(e: Estimate, standing: PlaceStanding | None) -> tuple[Sign, bool]:
    if not cells.is_told(e) and e.state in STATE_SIGNS:
        return STATE_SIGNS[e.state], False
    if standing is None:
        return STANDINGS["cannot tell"], False
    return STANDINGS[standing.standing], standing.is_clear
