"""The page for an address at which there is nothing: what to do next, in the language of the path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.serve.page import Page
from metroon.serve.pages.search import ways
from metroon.serve.search import LONGEST, finder

if TYPE_CHECKING:
    from metroon.serve.page import Asked

MOST = 4


@dataclass(frozen=True)
class NotFoundView:
    """What the page shows.

    Args:
        title: Its name.
        text: What may have happened.
        near: (Title, address) of what is called almost like the address asked for.
        ways: (Name, address, what is there): where else to look.
    """

    title: str
    text: str
    near: tuple[tuple[str, str], ...]
    ways: tuple[tuple[str, str, str], ...]


class NotFound(Page):
    """Nothing is here. It looks the same for what does not exist and for what its reader may not see."""

    path = "/404"
    template = "not_found.html"

    def view(self, asked: Asked) -> NotFoundView:
        """What to do next."""
        words = asked.words
        told = " ".join(re.findall(r"[^\W_]+", asked.path.rpartition("/")[2]))[:LONGEST]
        hits = finder(asked.site).find(told, limit=MOST) if told else ()
        return NotFoundView(
            title=words.gettext("There is nothing at this address"),
            text=words.gettext("It may have been moved or taken back, or the address has a typing mistake."),
            near=tuple((words.plain(h.entry.titles[0]), asked.link(h.entry.path)) for h in hits if h.share > 0.5),
            ways=tuple(ways(asked)),
        )
