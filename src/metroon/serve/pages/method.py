"""``/method``: how the city counts, in plain words, with formulas and sources, only for what it really uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metroon.base.catalog import Column
from metroon.serve.formulas import CONSTANTS, FORMULAS, SOURCES, Constants, Source
from metroon.serve.page import Page, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from markupsafe import Markup

    from metroon.base.catalog import Catalog, Dataset
    from metroon.base.places import Places
    from metroon.base.scorecard import Score
    from metroon.serve.page import Asked

ORDER = (
    "count", "rate", "share", "again", "waiting", "quantile", "mean", "total", "ratio", "stock", "survey_share",
    "directly_standardised", "indirectly_standardised",
)  # fmt: skip
"""Kinds of measures in the order in which they are told, the simplest first; each has a text in ``method/``."""


@dataclass(frozen=True)
class KindView:
    """One kind of measure that the city uses.

    Args:
        kind: Its name.
        measures: (Path, title) of the measures of this kind.
    """

    kind: str
    measures: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class BreakView:
    """A day across which the values of a measure are not comparable.

    Args:
        path: The measure's page.
        title: What people call it.
        day: The day.
        reason: Why.
    """

    path: str
    title: str
    day: str
    reason: str


@dataclass(frozen=True)
class MethodView:
    """What the page on method shows.

    Args:
        title: The page's title.
        kinds: Kinds of measures that the city uses.
        n_measures: How many measures it has.
        cells: Numbers in the newest releases of all measures.
        hidden: How many of them are hidden to protect people.
        minimum_cell: Groups of fewer people are hidden.
        unknowns: (Path, title) of shares that have unknowns, which are told with their bounds.
        rules: Rule sets of signals in use.
        looked_at: Series that were looked at for signals of late; 0 when nobody looked.
        false_alarms: How many of them would show a signal by chance alone, in words.
        has_targets: Whether a measure has a target.
        has_gaps: Whether groups are compared.
        has_inequality: Whether inequality is summed up.
        has_places: Whether places are compared with the city.
        has_borrowed: Whether strength is borrowed for maps.
        has_disparities: Whether it is told where a resource lies.
        complaints: (Path, title) of measures whose rows are complaints.
        geographies: Sets of places in use.
        breaks: Days across which values are not comparable.
        constants: Numbers that the method is made of.
        formulas: Part of the page -> its formulas.
        sources: Part of the page -> what it follows.
    """

    title: str
    kinds: tuple[KindView, ...]
    n_measures: int
    cells: int
    hidden: int
    minimum_cell: int
    unknowns: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]
    looked_at: int
    false_alarms: str
    has_targets: bool
    has_gaps: bool
    has_inequality: bool
    has_places: bool
    has_borrowed: bool
    has_disparities: bool
    complaints: tuple[tuple[str, str], ...]
    geographies: tuple[Places, ...]
    breaks: tuple[BreakView, ...]
    constants: Constants = CONSTANTS
    formulas: Mapping[str, tuple[Markup, ...]] = field(default_factory=lambda: FORMULAS)
    sources: Mapping[str, tuple[Source, ...]] = field(default_factory=lambda: SOURCES)


class Method(Page):
    """How we count."""

    path = "/method"
    template = "method.html"

    def view(self, asked: Asked) -> MethodView:
        """What of the method this city uses, with its own numbers."""
        catalog, words = asked.catalog, asked.words
        scores = list(catalog.scores.values())
        changes = catalog.changes
        return MethodView(
            title=words.gettext("How we count"),
            kinds=kinds_used(scores, catalog.datasets),
            n_measures=len(scores),
            cells=sum(s.measured.cells for s in scores),
            hidden=sum(s.measured.hidden for s in scores),
            minimum_cell=catalog.minimum_cell,
            unknowns=_linked((s for s in scores if s.city and s.city.worst is not None and s.city.unknown), catalog),
            rules=tuple(sorted({s.rules for s in scores if s.rules})),
            looked_at=changes.looked_at if changes else 0,
            false_alarms=words.number(changes.false_alarms, 1) if changes else "",
            has_targets=any(s.target is not None or s.targets for s in scores),
            has_gaps=any(s.gaps for s in scores),
            has_inequality=any(found for s in scores for found in s.inequality.values()),
            has_places=any(s.places for s in scores),
            has_borrowed=any(p.smoothed is not None for s in scores for p in s.places),
            has_disparities=any(s.disparities for s in scores),
            complaints=_linked((s for s in scores if s.is_of_complaints), catalog),
            geographies=tuple(catalog.geographies.values()),
            breaks=tuple(
                BreakView(_path(s, catalog), s.measured.title, words.day(on), reason)
                for s in scores
                for on, reason in s.breaks
            ),
        )

    def data(self, asked: Asked) -> Sheet:
        """Every measure with the kind by which it is counted.

        Grain:
            One row per measure.
        """
        columns = (
            Column("measure", "Measure", "The permanent id of the measure.", "string"),
            Column("title", "Title", "What people call it.", "string"),
            Column("kind", "Kind", "How it is counted.", "string"),
            Column("unit", "Unit", "What one unit of the value is.", "string"),
            Column("direction", "Direction", "up, down, within or neutral.", "string"),
            Column("level", "Level", "Level of its intervals; empty for a stock, which has none.", "number"),
            Column("rules", "Rules", "The rule set of its signals.", "string"),
            Column("series", "Series", "Which series it is; a change of definition begins a new one.", "integer"),
        )
        rows = [
            {
                "measure": s.measured.measure,
                "title": s.measured.title,
                "kind": s.measured.kind,
                "unit": s.measured.unit,
                "direction": s.measured.direction,
                "level": None if s.measured.kind == "stock" else 0.95,
                "rules": s.rules,
                "series": s.series.number,
            }
            for s in asked.catalog.scores.values()
        ]
        return Sheet(
            "method", "How measures are counted", columns, rows, f"{asked.catalog.city}, {asked.catalog.as_of}"
        )


def kinds_used(scores: Iterable[Score], datasets: Mapping[str, Dataset]) -> tuple[KindView, ...]:
    """The kinds of the measures, each with its measures; kinds that a city made itself come last.

    Args:
        scores: What the releases say.
        datasets: For their pages.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for score in scores:
        known = datasets.get(score.measured.measure)
        found.setdefault(score.measured.kind, []).append((known.path if known else "", score.measured.title))
    order = {kind: i for i, kind in enumerate(ORDER)}
    return tuple(
        KindView(kind, tuple(sorted(found[kind], key=lambda m: m[1])))
        for kind in sorted(found, key=lambda k: (order.get(k, len(ORDER)), k))
    )


def _linked(scores: Iterable[Score], catalog: Catalog) -> tuple[tuple[str, str], ...]:
    return tuple((_path(s, catalog), s.measured.title) for s in scores)


def _path(score: Score, catalog: Catalog) -> str:
    known = catalog.datasets.get(score.measured.measure)
    return known.path if known else ""
