"""``/feeds``: what can be followed without an account, each with its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from metroon.base import kinds
from metroon.base.catalog import Column
from metroon.serve.page import Page, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.base.catalog import Catalog, Dataset
    from metroon.serve.page import Asked


@dataclass(frozen=True)
class Feed:
    """One thing to follow.

    Args:
        title: What it is about; the city's own words.
        path: Its address on this portal, without its ending.
        address: The portal's own address.
        page: The page it is about.
    """

    title: str
    path: str
    address: str
    page: str

    @property
    def atom(self) -> str:
        """The address for feed readers."""
        return f"{self.address}{self.path}.atom"

    @property
    def json(self) -> str:
        """The address for programs."""
        return f"{self.address}{self.path}.json"


@dataclass(frozen=True)
class FeedsView:
    """What the page of feeds shows.

    Args:
        title: The page's title.
        is_served: Whether this portal has feeds.
        city: Everything that really changes in the city.
        measures: One feed for each measure.
        tables: One feed for each dataset.
        neighborhoods: One feed for each neighborhood.
        neighborhoods_title: What the city calls its neighborhoods.
    """

    title: str
    is_served: bool
    city: Feed
    measures: tuple[Feed, ...]
    tables: tuple[Feed, ...]
    neighborhoods: tuple[Feed, ...]
    neighborhoods_title: str


class Feeds(Page):
    """What can be followed."""

    path = "/feeds"
    template = "feeds.html"

    def view(self, asked: Asked) -> FeedsView:
        """Every feed with its address."""
        catalog, address = asked.catalog, asked.catalog.portal.address.rstrip("/") or asked.address
        measures, tables, places = _measures(catalog), _tables(catalog), _places(catalog)
        home = catalog.geographies.get(catalog.neighborhoods)
        return FeedsView(
            title=asked.words.gettext("Follow the data"),
            is_served="feeds" in kinds.names("serve"),
            city=Feed(catalog.city, "/feeds/city", address, "/"),
            measures=tuple(Feed(t, f, address, p) for t, f, p in measures),
            tables=tuple(Feed(t, f, address, p) for t, f, p in tables),
            neighborhoods=tuple(Feed(t, f, address, p) for t, f, p in places),
            neighborhoods_title=home.title if home else "",
        )

    def data(self, asked: Asked) -> Sheet:
        """The list of feeds.

        Grain:
            One row per feed.
        """
        view = self.view(asked)
        columns = (
            Column("about", "About", "city, measure, dataset or neighborhood.", "string"),
            Column("title", "Title", "What it is about.", "string"),
            Column("atom", "Atom", "The address for feed readers.", "string"),
            Column("json", "JSON Feed", "The address for programs.", "string"),
        )
        groups = (
            ("city", (view.city,)),
            ("measure", view.measures),
            ("dataset", view.tables),
            ("neighborhood", view.neighborhoods),
        )
        rows = [
            {"about": about, "title": f.title, "atom": f.atom, "json": f.json} for about, found in groups for f in found
        ]
        return Sheet("feeds", "Feeds", columns, rows, f"{asked.catalog.city}, {asked.catalog.as_of}")


def _measures(catalog: Catalog) -> Iterable[tuple[str, str, str]]:
    return [(d.title, f"/feeds/measures/{quote(d.name)}", d.path) for d in _shaped(catalog, "measure")]


def _tables(catalog: Catalog) -> Iterable[tuple[str, str, str]]:
    return [(d.title, f"/feeds/datasets/{quote(d.name)}", d.path) for d in _shaped(catalog, "table")]


def _shaped(catalog: Catalog, shape: str) -> list[Dataset]:
    return [d for d in catalog.datasets.values() if d.shape == shape]


def _places(catalog: Catalog) -> Iterable[tuple[str, str, str]]:
    home = catalog.geographies.get(catalog.neighborhoods)
    named = sorted(home.names.items(), key=lambda n: n[1]) if home else []
    return [
        (name, f"/feeds/neighborhoods/{quote(k, safe='')}", f"/neighborhoods/{quote(k, safe='')}") for k, name in named
    ]
