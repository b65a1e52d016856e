"""Numbers: one measure's release, found by cell. Made once for a catalog, so that no page searches a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base import period as periods
from metroon.base.estimate import ALL, Cell
from metroon.serve.figures import is_place_of_its_own
from metroon.serve.terminal.cells import is_alike, released
from metroon.serve.terminal.words import scale_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metroon.base.account import Measured
    from metroon.base.estimate import Estimate
    from metroon.base.places import Places
    from metroon.base.scorecard import PlaceStanding, Score, TargetGap
    from metroon.serve.site import Site
    from metroon.serve.terminal.words import Scale

Slice = tuple[str, str, str, str]
"""Geography, place, dimension and group: a cell without its period."""


@dataclass(frozen=True)
class Numbers:
    """One measure's release, ready to be looked up. What is hidden has no number in it.

    Args:
        score: What the release says.
        scale: How its values are written.
        cells: Cell -> estimate.
        targets: Cell -> the number beside its target, the whole city's too.
        standings: Cell -> the place beside the city.
        last: (Geography, dimension) -> the last closed period of that breakdown.
        trails: Slice -> its estimates of closed periods of the last period's length, oldest first.
        areas: Geography -> place -> its estimate of the last closed period; only areas of their own.
    """

    score: Score
    scale: Scale
    cells: Mapping[Cell, Estimate]
    targets: Mapping[Cell, TargetGap]
    standings: Mapping[Cell, PlaceStanding]
    last: Mapping[tuple[str, str], str]
    trails: Mapping[Slice, tuple[Estimate, ...]]
    areas: Mapping[str, Mapping[str, Estimate]]

    @property
    def measured(self) -> Measured:
        """The release itself."""
        return self.score.measured

    def places(self, geography: str) -> Places | None:
        """One of the sets of places that the measure is broken down by."""
        return next((g for g in self.measured.geographies if g.id == geography), None)

    def at(self, geography: str, place: str) -> Estimate | None:
        """The number of a place in the last closed period; None when it is not measured there."""
        return self.areas.get(geography, {}).get(place)

    def trail(self, geography: str = ALL, place: str = ALL) -> tuple[Estimate, ...]:
        """A place over time, or the whole city, oldest first."""
        return self.trails.get((geography, place, ALL, ALL), ())

    def city_beside(self, geography: str) -> Estimate | None:
        """The whole city's number of the period that places of a geography are told for."""
        return self.cells.get(Cell(self.last.get((geography, ALL), "")))

    def compares_with_city(self, geography: str) -> bool:
        """Whether a place may stand beside the whole city: a count of a part is always less than the whole."""
        return any(c.geography == geography for c in self.standings)

    @property
    def compares_places(self) -> bool:
        """Whether two places may stand beside each other: not when each is held against what was expected of it."""
        return self.measured.kind != "indirectly_standardised"


def numbers(site: Site, measure: str) -> Numbers:
    """One measure's numbers, from the catalog that is served."""
    return site.once(("numbers", measure), lambda: index(site.catalog.scores[measure]))


def index(score: Score) -> Numbers:
    """One measure's numbers, found by cell."""
    measured = score.measured
    told = released(measured)
    cells = {e.cell: e for e in told}
    last = _last(measured, told)
    trails: dict[Slice, list[Estimate]] = {}
    areas: dict[str, dict[str, Estimate]] = {}
    for e in told:
        c = e.cell
        end = last[c.geography, c.dimension]
        if c.geography != ALL and c.dimension == ALL and c.period == end and is_place_of_its_own(c.place):
            areas.setdefault(c.geography, {})[c.place] = e
        if is_alike(c.period, end) and (end == ALL or periods.first_day(c.period) <= periods.first_day(end)):
            trails.setdefault((c.geography, c.place, c.dimension, c.group), []).append(e)
    targets = {t.cell: t for t in (*score.targets, *((score.target,) if score.target else ()))}
    return Numbers(
        score,
        scale_of(measured),
        cells,
        targets,
        {p.cell: p for p in score.places},
        last,
        {s: _filled(found) for s, found in trails.items()},
        areas,
    )


def _last(measured: Measured, told: Iterable[Estimate]) -> dict[tuple[str, str], str]:
    order = tuple(dict.fromkeys((measured.headline, *measured.headlines)))
    known: dict[tuple[str, str], set[str]] = {}
    for e in told:
        known.setdefault((e.cell.geography, e.cell.dimension), set()).add(e.cell.period)
    last = {b: next((p for p in order if p in found), max(found)) for b, found in known.items()}
    return {**last, (ALL, ALL): measured.headline}


def _filled(found: list[Estimate]) -> tuple[Estimate, ...]:
    return tuple(sorted(found, key=lambda e: "" if e.cell.period == ALL else str(periods.first_day(e.cell.period))))
