"""``/``: what the city promised, how it stands, and where to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.serve.page import Page

if TYPE_CHECKING:
    from metroon.serve.page import Asked


@dataclass(frozen=True)
class HomeView:
    """What the home page shows."""

    title: str


class Home(Page):
    """The first page."""

    path = "/"
    template = "home.html"

    def view(self, asked: Asked) -> HomeView:
        """The city's name."""
        return HomeView(asked.catalog.city)
