"""``/about``: who speaks here, what there is, who answers for it, and how to cite it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import metroon
from metroon.serve.page import Page
from metroon.serve.words import LANGUAGES

if TYPE_CHECKING:
    from metroon.base.catalog import Licence
    from metroon.base.plan import Role
    from metroon.serve.page import Asked


@dataclass(frozen=True)
class AboutView:
    """What the page shows.

    Args:
        title: The page's title.
        about: What the portal is for, as the city says; empty when it does not.
        contact: Where to ask.
        tables: Datasets with their own rows.
        measures: Measures.
        listed: Datasets that are only listed, because nobody collects them yet.
        languages: (Language, what it calls itself).
        licences: (Licence, how many datasets and measures have it), the most used first.
        unlicensed: Published datasets and measures without one.
        roles: Who answers for what.
        address: The portal's own address.
        version: The version of Metroon.
    """

    title: str
    about: str
    contact: str
    tables: int
    measures: int
    listed: int
    languages: tuple[tuple[str, str], ...]
    licences: tuple[tuple[Licence, int], ...]
    unlicensed: int
    roles: tuple[Role, ...]
    address: str
    version: str


class About(Page):
    """About the portal."""

    path = "/about"
    template = "about.html"

    def view(self, asked: Asked) -> AboutView:
        """What the city says of its portal, and what is counted of it."""
        catalog = asked.catalog
        shapes = [d.shape for d in catalog.datasets.values()]
        published = [d for d in catalog.datasets.values() if d.has_rows]
        licences = [d.licence for d in published if d.licence.id or d.licence.title]
        counted = {x: licences.count(x) for x in dict.fromkeys(licences)}
        return AboutView(
            title=asked.words.gettext("About this portal"),
            about=catalog.portal.about,
            contact=catalog.portal.contact,
            tables=shapes.count("table"),
            measures=shapes.count("measure"),
            listed=shapes.count("listed"),
            languages=tuple((n, LANGUAGES[n]) for n in asked.site.words),
            licences=tuple(sorted(counted.items(), key=lambda found: (-found[1], found[0].id))),
            unlicensed=len(published) - len(licences),
            roles=catalog.plan.roles if catalog.plan else (),
            address=catalog.portal.address.rstrip("/") or asked.address,
            version=metroon.__version__,
        )
