"""``/neighborhoods/{place}``: how one neighborhood is doing, and a sheet of it to be printed for a meeting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from metroon.permit import NotThere
from metroon.serve.headlines import is_clear
from metroon.serve.indicators import (
    GapChart,
    Indicator,
    PlaceMap,
    Shown,
    gap_charts,
    indicator,
    place_map,
    shapes,
    shown,
)
from metroon.serve.lately import Lately, lately
from metroon.serve.numbers import numbers
from metroon.serve.page import Page, Sheet
from metroon.serve.pages.neighborhoods import by_place, home
from metroon.serve.promises import Theme, by_goal, count_bar, indicator_rows, sheet, with_target
from metroon.serve.standing import Tally, Tone, tallies
from metroon.serve.svg import locator

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metroon.base.catalog import Catalog
    from metroon.base.estimate import Estimate
    from metroon.base.places import Places
    from metroon.serve.numbers import Numbers
    from metroon.serve.page import Asked
    from metroon.serve.words import Words

FEW = 3
"""Results that lead on a phone: so many of the best and of the worst."""


@dataclass(frozen=True)
class Versus:
    """One measure in two places.

    Args:
        question: In the city's words.
        href: The measure's page.
        unit: In the city's words.
        here: The number of this place.
        there: The number of the other place.
        verdict: Which is better, in words: only where their ranges lie apart.
        tone: How that looks for this place.
    """

    question: str
    href: str
    unit: str
    here: Shown
    there: Shown
    verdict: str
    tone: Tone


@dataclass(frozen=True)
class Comparison:
    """This place beside another one.

    Args:
        place: The other place's key.
        name: What people call it.
        href: Its page.
        rows: One a measure.
        sentence: How many clearly differ, in a sentence.
    """

    place: str
    name: str
    href: str
    rows: tuple[Versus, ...]
    sentence: str


@dataclass(frozen=True)
class NeighborhoodView:
    """What the page shows.

    Args:
        title: A question.
        description: People and counts in sentences.
        place: The place's key.
        name: What people call it.
        href: Its page.
        people: How many people live here, in a sentence; empty when nobody counted them.
        promised: How many results have a target here, in a sentence.
        counts: Those by verdict.
        bar: The same, drawn.
        beside: How many results are clearly better and worse than in the city, in a sentence.
        locator: Where it lies.
        best: A few results that are clearly better than in the city as a whole.
        worst: A few that are clearly worse.
        more: How many more stand out, in a sentence; empty when all are told.
        themes: Its results by goal.
        elsewhere: (Address, question) of results that are not measured by neighborhood.
        mapped: The result on the map; None when there is none.
        mapped_row: The same here.
        gaps: The result with its groups, city-wide; None when no groups are compared.
        gaps_of: The question whose groups are shown.
        gaps_href: Its page.
        lately: What really changed here.
        comparison: This place beside another one; None when none was asked for.
        others: (Key, name) of all other places.
        neighbors: (Address, name) of places that share a border.
        label: The places with vintage and standing.
        note: What a reader must know of their boundaries, in the city's words.
        people_source: Where residents come from, in the city's words.
        has_signs: Whether any result has a target.
        is_sheet: Whether it is the sheet to be printed.
    """

    title: str
    description: str
    place: str
    name: str
    href: str
    people: str
    promised: str
    counts: tuple[Tally, ...]
    bar: Markup
    beside: str
    locator: Markup
    best: tuple[Indicator, ...]
    worst: tuple[Indicator, ...]
    more: str
    themes: tuple[Theme, ...]
    elsewhere: tuple[tuple[str, str], ...]
    mapped: PlaceMap | None
    mapped_row: Indicator | None
    gaps: GapChart | None
    gaps_of: str
    gaps_href: str
    lately: Lately
    comparison: Comparison | None
    others: tuple[tuple[str, str], ...]
    neighbors: tuple[tuple[str, str], ...]
    label: str
    note: str
    people_source: str
    has_signs: bool
    is_sheet: bool


class Neighborhood(Page):
    """One neighborhood."""

    path = "/neighborhoods/{place}"
    template = "neighborhood.html"

    def view(self, asked: Asked) -> NeighborhoodView:
        """How one neighborhood is doing."""
        return _view(asked, is_sheet=False)

    def data(self, asked: Asked) -> Sheet:
        """The neighborhood's results."""
        places, key = _place(asked)
        rows = [indicator(asked, m, places.id, key) for m in by_place(asked)]
        name = places.names[key]
        return sheet(asked, f"neighborhood-{key}", name, indicator_rows(asked, rows, key, name))

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """Every neighborhood."""
        places = catalog.geographies.get(catalog.neighborhoods)
        return [f"/neighborhoods/{k}" for k in (places.names if places else ())]


class NeighborhoodSheet(Page):
    """One neighborhood on a page or two, for a meeting."""

    path = "/neighborhoods/{place}/sheet"
    template = "neighborhood_sheet.html"

    def view(self, asked: Asked) -> NeighborhoodView:
        """How one neighborhood is doing, in short."""
        return _view(asked, is_sheet=True)

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """Every neighborhood."""
        places = catalog.geographies.get(catalog.neighborhoods)
        return [f"/neighborhoods/{k}/sheet" for k in (places.names if places else ())]


def _place(asked: Asked) -> tuple[Places, str]:
    places, key = home(asked), asked.params["place"]
    if key not in places.names:
        raise NotThere(asked.path)
    return places, key


def _view(asked: Asked, *, is_sheet: bool) -> NeighborhoodView:
    (places, key), words = _place(asked), asked.words
    name = words.plain(places.names[key])
    measured = [m for _, _, own in by_goal(asked, by_place(asked)) for m in own]
    rows = {m: indicator(asked, m, places.id, key) for m in measured}
    themes = tuple(
        Theme(goal, title, asked.link(f"/goals/{goal}") if goal else "", tuple(rows[m] for m in own))
        for goal, title, own in by_goal(asked, measured)
    )
    verdicts = with_target(r.status.verdict for r in rows.values() if _has_target(asked, r, places.id))
    counts = tallies(verdicts, words)
    best = [r for r in rows.values() if r.standing == "better"]
    worst = [r for r in rows.values() if r.standing == "worse"]
    mapped = _mapped(asked, measured, worst)
    gaps = None if is_sheet else _gaps(asked, measured)
    people = _people(places, key, words)
    promised = (
        words.ngettext("%(n)s result has a target here.", "%(n)s results have a target here.", len(verdicts))
        if verdicts
        else words.gettext("No result has a target here.")
    )
    beside = _beside(len(best), len(worst), words)
    gap_score = asked.catalog.scores[gaps[0]].measured if gaps else None
    return NeighborhoodView(
        title=words.gettext("How is %(place)s doing?", place=name),
        description=" ".join(s for s in (people, promised, beside) if s),
        place=key,
        name=places.names[key],
        href=asked.link(f"/neighborhoods/{key}"),
        people=people,
        promised=promised,
        counts=counts,
        bar=count_bar(counts),
        beside=beside,
        locator=locator(
            shapes(asked.site, places.id), key,
            label=words.gettext("Where %(place)s lies in %(city)s.", place=name, city=asked.catalog.city),
        ),
        best=tuple(best[:FEW]),
        worst=tuple(worst[:FEW]),
        more=_more(max(0, len(best) - FEW) + max(0, len(worst) - FEW), words),
        themes=themes,
        elsewhere=_elsewhere(asked, measured),
        mapped=None if is_sheet or not mapped
        else place_map(asked, numbers(asked.site, mapped), places.id, outlined=key),
        mapped_row=rows.get(mapped),
        gaps=gaps[1] if gaps else None,
        gaps_of=(gap_score.question or gap_score.title) if gap_score else "",
        gaps_href=asked.link(f"/measures/{gaps[0]}") if gaps else "",
        lately=lately(asked, place=key),
        comparison=None if is_sheet else _comparison(asked, places, key, measured),
        others=tuple((k, n) for k, n in places.names.items() if k != key),
        neighbors=tuple(
            (asked.link(f"/neighborhoods/{k}"), places.names[k])
            for k in asked.catalog.neighbors.get(key, ())
            if k in places.names
        ),
        label=words.plain(places.label),
        note=places.note,
        people_source=places.people_source,
        has_signs=bool(verdicts),
        is_sheet=is_sheet,
    )  # fmt: skip


def _has_target(asked: Asked, row: Indicator, geography: str) -> bool:
    """Whether the measure holds its places against a target, so that a hidden number is one of those promised."""
    return any(c.geography == geography for c in numbers(asked.site, row.measure).targets)


def _people(places: Places, key: str, words: Words) -> str:
    n = places.people.get(key)
    if n is None:
        return ""
    return words.ngettext("About %(n)s person lives here.", "About %(n)s people live here.", round(n))


def _beside(better: int, worse: int, words: Words) -> str:
    told = []
    if worse:
        told.append(
            words.ngettext(
                "%(n)s result is clearly worse than in the city as a whole.",
                "%(n)s results are clearly worse than in the city as a whole.",
                worse,
            )
        )
    if better:
        told.append(
            words.ngettext(
                "%(n)s result is clearly better than in the city as a whole.",
                "%(n)s results are clearly better than in the city as a whole.",
                better,
            )
        )
    return " ".join(told) or words.gettext("No result is clearly better or worse than in the city as a whole.")


def _more(n: int, words: Words) -> str:
    return (
        words.ngettext("%(n)s more is among the results below.", "%(n)s more are among the results below.", n)
        if n
        else ""
    )


def _elsewhere(asked: Asked, measured: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Results that are not measured by neighborhood: said, so that nobody takes them for missing."""
    here = set(measured)
    return tuple(
        (asked.link(f"/measures/{m}"), s.measured.question or s.measured.title)
        for m, s in asked.catalog.scores.items()
        if m not in here
    )


def _mapped(asked: Asked, measured: Sequence[str], worst: Sequence[Indicator]) -> str:
    """Which result is on the map: the one asked for, or the first that is worse here, or the first of all."""
    chosen = asked.query.get("measure", "")
    if chosen:
        if chosen not in measured:
            raise NotThere(asked.path)
        return chosen
    able = [m for m in measured if numbers(asked.site, m).compares_places]
    return next((r.measure for r in worst if r.measure in able), able[0] if able else "")


def _gaps(asked: Asked, measured: Sequence[str]) -> tuple[str, GapChart] | None:
    """The first result, in the order of the goals, whose groups differ for certain; else the first with groups."""
    able = [m for m in measured if asked.catalog.scores[m].gaps]
    sure = [m for m in able if any(g.is_certain for g in asked.catalog.scores[m].gaps)]
    if not able:
        return None
    name = (sure or able)[0]
    charts = gap_charts(asked, numbers(asked.site, name))
    return name, next((c for c in charts if any(r.is_certain for r in c.rows)), charts[0])


def _comparison(asked: Asked, places: Places, key: str, measured: Sequence[str]) -> Comparison | None:
    other = asked.query.get("with", "")
    if not other or other == key:
        return None
    if other not in places.names:
        raise NotThere(asked.path)
    rows = tuple(_versus(asked, numbers(asked.site, m), places, key, other) for m in measured)
    n, words = sum(r.tone != "mute" for r in rows), asked.words
    return Comparison(
        other,
        places.names[other],
        asked.link(f"/neighborhoods/{other}"),
        rows,
        words.ngettext("The ranges of %(n)s result lie apart.", "The ranges of %(n)s results lie apart.", n)
        if n
        else words.gettext("In no result do the ranges of the two lie apart: none is clearly better."),
    )


def _versus(asked: Asked, found: Numbers, places: Places, key: str, other: str) -> Versus:
    here, there = found.at(places.id, key), found.at(places.id, other)
    verdict, tone = _which(asked.words, found, here, there, (places.names[key], places.names[other]))
    return Versus(
        found.measured.question or found.measured.title,
        asked.link(f"/measures/{found.measured.measure}"),
        found.measured.unit,
        shown(asked, found, here),
        shown(asked, found, there),
        verdict,
        tone,
    )


def _which(
    words: Words, found: Numbers, here: Estimate | None, there: Estimate | None, names: tuple[str, str]
) -> tuple[str, Tone]:
    if not found.compares_places:
        return words.gettext("Each is held against what was expected of it, so the two cannot be compared."), "mute"
    if here is None or there is None or here.value is None or there.value is None:
        return words.gettext("Cannot be compared."), "mute"
    if not found.compares_with_city(here.cell.geography):
        return words.gettext("A count: larger places have more."), "mute"
    move = is_clear(here, there)
    if move is None:
        return words.gettext("Not clearly different."), "mute"
    if found.measured.direction not in ("up", "down"):
        return words.gettext("Clearly different."), "mute"
    is_better = (move == "above") == (found.measured.direction == "up")
    winner = words.plain(names[0] if is_better else names[1])
    return words.gettext("Clearly better in %(place)s.", place=winner), "good" if is_better else "bad"
