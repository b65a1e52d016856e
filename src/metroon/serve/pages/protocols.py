"""``/protocols``: what the city tells the public before it uses data about people, and how far each of these is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from metroon.base.catalog import Column
from metroon.serve.page import Page, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from metroon.base.protocol import Protocol, Standing
    from metroon.serve.page import Asked
    from metroon.serve.words import Words

Status = Literal["good", "watch", "mute"]


@dataclass(frozen=True)
class Listed:
    """One protocol in the list.

    Args:
        protocol: What is declared.
        status: How its sign looks.
        standing: How far it is, in words.
        window: The window for comments, in a sentence.
        comments: How many comments there are, in words.
    """

    protocol: Protocol
    status: Status
    standing: str
    window: str
    comments: str


@dataclass(frozen=True)
class ProtocolsView:
    """What the list shows.

    Args:
        title: The page's title.
        protocols: Those open for comments first.
    """

    title: str
    protocols: tuple[Listed, ...]


class Protocols(Page):
    """All data use protocols."""

    path = "/protocols"
    template = "protocols.html"

    def view(self, asked: Asked) -> ProtocolsView:
        """Every protocol with its window, those that can be commented on first."""
        found = [listed(p, asked.catalog.as_of, asked.words) for p in asked.catalog.protocols]
        found.sort(key=lambda made: made.protocol.standing(asked.catalog.as_of) == "live")
        return ProtocolsView(asked.words.gettext("Data use protocols"), tuple(found))

    def data(self, asked: Asked) -> Sheet:
        """The list.

        Grain:
            One row per protocol.
        """
        columns = (
            Column("protocol", "Protocol", "The permanent id of the protocol.", "string"),
            Column("title", "Title", "What people call it.", "string"),
            Column("purpose", "Purpose", "What the data are used for.", "string"),
            Column("datasets", "Datasets", "The datasets it is about.", "string"),
            Column("standing", "Standing", "How far it is.", "string"),
            Column("opens", "Comments from", "First day of the window for comments.", "date"),
            Column("closes", "Comments until", "Last day of the window for comments.", "date"),
            Column("comments", "Comments", "How many comments came.", "integer"),
            Column("unanswered", "Unanswered", "How many of them have no reply.", "integer"),
        )
        day = asked.catalog.as_of
        rows = [
            {
                "protocol": p.id,
                "title": p.title,
                "purpose": p.purpose,
                "datasets": " ".join(d.product for d in p.data),
                "standing": p.standing(day),
                "opens": p.opens,
                "closes": p.closes,
                "comments": len(p.comments),
                "unanswered": p.unanswered,
            }
            for p in asked.catalog.protocols
        ]
        return Sheet("protocols", "Data use protocols", columns, rows, f"{asked.catalog.city}, {day}")


def listed(protocol: Protocol, as_of: date, words: Words) -> Listed:
    """A protocol as readers find it: its sign, how far it is, its window and its comments in words.

    Args:
        protocol: What is declared.
        as_of: The day.
        words: The language.
    """
    standing = protocol.standing(as_of)
    signs: Mapping[Standing, Status] = {"live": "good", "waits for replies": "watch", "open for comments": "watch"}
    return Listed(
        protocol,
        signs.get(standing, "mute"),
        standing_words(standing, words),
        _window(protocol, standing, words),
        words.ngettext("%(n)s comment", "%(n)s comments", len(protocol.comments)) if protocol.comments else "",
    )


def standing_words(standing: Standing, words: Words) -> str:
    """How far a protocol is, in words.

    Args:
        standing: How far.
        words: The language.
    """
    told: Mapping[Standing, str] = {
        "announced": words.gettext("Announced"),
        "open for comments": words.gettext("Open for comments"),
        "waits for replies": words.gettext("Waits for replies"),
        "live": words.gettext("In use"),
    }
    return told[standing]


def _window(protocol: Protocol, standing: Standing, words: Words) -> str:
    if protocol.waiver is not None or protocol.opens is None or protocol.closes is None:
        return words.gettext("There was no window for comments.")
    days = {"first": words.day(protocol.opens), "last": words.day(protocol.closes)}
    if standing == "announced":
        return words.gettext("Everybody can comment from %(first)s to %(last)s.", **days)
    if standing == "open for comments":
        return words.gettext("Everybody can comment until %(last)s.", last=days["last"])
    return words.gettext("Everybody could comment from %(first)s to %(last)s.", **days)
