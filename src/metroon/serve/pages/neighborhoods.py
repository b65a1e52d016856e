"""``/neighborhoods``: all places that have a page of their own, as map and as a list by one measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely
from markupsafe import Markup

from metroon.base.catalog import Column
from metroon.permit import NotThere
from metroon.serve.indicators import PlaceMap, place_map, place_rows
from metroon.serve.numbers import numbers
from metroon.serve.page import Page, Sheet
from metroon.serve.pages.home import places_map
from metroon.serve.promises import by_goal, source_words

if TYPE_CHECKING:
    from metroon.base.places import Places
    from metroon.serve.page import Asked


@dataclass(frozen=True)
class Choice:
    """One measure that may be chosen.

    Args:
        measure: Its name.
        question: The question it answers, in the city's words.
        is_chosen: Whether it is shown now.
    """

    measure: str
    question: str
    is_chosen: bool


@dataclass(frozen=True)
class NeighborhoodsView:
    """What the page shows.

    Args:
        title: Its title.
        description: What it is.
        label: The places with vintage and standing.
        note: What a reader must know of their boundaries, in the city's words.
        people: Where residents come from, in the city's words.
        choices: (Goal in the city's words, measures).
        measure: The chosen measure; empty when none is.
        href: Its page.
        question: Its question, in the city's words.
        heading: Its title, in the city's words.
        unit: Its unit, in the city's words.
        chosen: The chosen measure over all places; None when none is chosen.
        map: The places without a measure.
        places: (Address, name, residents in words) of each place, in the city's own order.
        order: ``value`` or ``name``.
    """

    title: str
    description: str
    label: str
    note: str
    people: str
    choices: tuple[tuple[str, tuple[Choice, ...]], ...]
    measure: str
    href: str
    question: str
    heading: str
    unit: str
    chosen: PlaceMap | None
    map: Markup
    places: tuple[tuple[str, str, str], ...]
    order: str


class Neighborhoods(Page):
    """All places that have a page of their own."""

    path = "/neighborhoods"
    template = "neighborhoods.html"

    def view(self, asked: Asked) -> NeighborhoodsView:
        """All places, with one measure when it is asked for."""
        words, places = asked.words, home(asked)
        chosen = _chosen(asked)
        order = "value" if asked.query.get("order") == "value" else "name"
        by = by_goal(asked, by_place(asked))
        choices = tuple(
            (
                title,
                tuple(Choice(m, (s := asked.catalog.scores[m].measured).question or s.title, m == chosen) for m in own),
            )
            for _, title, own in by
        )
        told = asked.catalog.scores[chosen].measured if chosen else None
        return NeighborhoodsView(
            title=words.gettext("How is every neighborhood doing?"),
            description=words.gettext("All neighborhoods of %(city)s, on a map and as a list.",
                                      city=asked.catalog.city),
            label=words.plain(places.label),
            note=places.note,
            people=places.people_source,
            choices=choices,
            measure=chosen,
            href=asked.link(f"/measures/{chosen}") if chosen else "",
            question=(told.question or told.title) if told else "",
            heading=told.title if told else "",
            unit=told.unit if told else "",
            chosen=place_map(asked, numbers(asked.site, chosen), places.id, order=order) if chosen else None,
            map=Markup("") if chosen else places_map(asked),
            places=tuple(
                (asked.link(f"/neighborhoods/{k}"), name, words.number(places.people[k]) if k in places.people else "")
                for k, name in places.names.items()
            ),
            order=order,
        )  # fmt: skip

    def data(self, asked: Asked) -> Sheet:
        """Every place with its boundary, and with the chosen measure when one is."""
        places, chosen = home(asked), _chosen(asked)
        found = {r.key: r.estimate for r in place_rows(asked, numbers(asked.site, chosen), places.id)} if chosen else {}
        rows = []
        for key, name in places.names.items():
            row: dict[str, object] = {"place": key, "name": name, "people": places.people.get(key)}
            if chosen:
                e = found.get(key)
                row |= {
                    "measure": chosen,
                    "period": e.cell.period if e else None,
                    "state": e.state if e else "not measured",
                    "value": e.value if e else None,
                    "low": e.low if e else None,
                    "high": e.high if e else None,
                }
            row["geometry"] = shapely.to_wkb(places.shapes[key]) if key in places.shapes else None
            rows.append(row)
        return Sheet(
            "neighborhoods", places.label, _columns(is_measured=bool(chosen)), rows, source_words(asked), "geometry"
        )


def _columns(*, is_measured: bool) -> tuple[Column, ...]:
    own = [
        Column("place", "Place", "Key of the place.", "string"),
        Column("name", "Name", "What people call the place.", "string"),
        Column("people", "Residents", "People who live there.", "number"),
    ]
    if is_measured:
        own += [
            Column("measure", "Measure", "Permanent name of the measure.", "string"),
            Column("period", "Period", "The period that the number is of.", "string"),
            Column("state", "State", "Why there is a value, or why not.", "string"),
            Column("value", "Value", "The number; shares lie between 0 and 1.", "number"),
            Column("low", "Lower bound", "Lower end of the range we are 95% sure of.", "number"),
            Column("high", "Upper bound", "Upper end of the range we are 95% sure of.", "number"),
        ]
    return (*own, Column("geometry", "Boundary", "The place's boundary, WGS 84.", "object"))


def home(asked: Asked) -> Places:
    """The places that have pages of their own.

    Raises:
        NotThere: The city has none.
    """
    found = asked.catalog.geographies.get(asked.catalog.neighborhoods)
    if found is None:
        raise NotThere(asked.path)
    return found


def by_place(asked: Asked) -> list[str]:
    """Measures that are broken down by the places that have pages of their own."""
    geography = asked.catalog.neighborhoods
    return [m for m in asked.catalog.scores if geography in numbers(asked.site, m).areas]


def _chosen(asked: Asked) -> str:
    chosen = asked.query.get("measure", "")
    if chosen and chosen not in by_place(asked):
        raise NotThere(asked.path)
    return chosen
