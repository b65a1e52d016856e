"""The portal of a city: its catalog and rows behind the gate, made anew when a version is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from metroon.base.engine import Engine
from metroon.catalog import gather, opener
from metroon.city import load
from metroon.permit import Gate
from metroon.serve.site import Site
from metroon.walk import Walk

if TYPE_CHECKING:
    from datetime import date


class CityPortal:
    """A city's newest catalog, ready to be served.

    Args:
        folder: The city repo.
        as_of: The day taken for today; the city's own unless given.
    """

    def __init__(self, folder: Path, as_of: date | None = None) -> None:
        self.folder = folder
        self.engine = Engine()
        city = load(folder)
        from datetime import date as day

        walk = Walk(city, as_of or city.file.as_of or day.today())
        catalog = gather(walk)
        self._site = Site(Gate(catalog, opener(walk, catalog, self.engine)))

    def site(self) -> Site:
        """The site of the moment."""
        return self._site
