"""``/protocols/{protocol}``: one data use protocol, the window for comments, and each comment with its reply."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.catalog import Column
from metroon.permit import NotThere
from metroon.serve.page import Page, Sheet
from metroon.serve.pages.protocols import Listed, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from metroon.base.catalog import Catalog, Dataset
    from metroon.base.protocol import Protocol
    from metroon.serve.page import Asked
    from metroon.serve.words import Words

_PERSONAL = ("direct", "sensitive", "free text", "quasi", "linkage key")


@dataclass(frozen=True)
class Collected:
    """What is collected of people in one dataset.

    Args:
        dataset: The dataset.
        columns: (What it may tell, titles of the columns), the most telling first.
    """

    dataset: Dataset
    columns: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class ProtocolView:
    """What the page of a protocol shows.

    Args:
        title: What people call it.
        told: Its sign, standing and window, in words.
        elements: (What it is about, text) of everything that it says.
        collected: What is collected, by dataset.
        contact: Whom to write to, as declared; empty when nobody is named.
        href: The same as an address to click on; empty when it is none.
        comments: (Day in words, text, day of the reply in words, reply).
        waived: Who decided that there is no window, in a sentence, and why; None when there was one.
    """

    title: str
    told: Listed
    elements: tuple[tuple[str, str], ...]
    collected: tuple[Collected, ...]
    contact: str
    href: str
    comments: tuple[tuple[str, str, str, str], ...]
    waived: tuple[str, str] | None


class ProtocolPage(Page):
    """One data use protocol."""

    path = "/protocols/{protocol}"
    template = "protocol.html"

    def view(self, asked: Asked) -> ProtocolView:
        """What it says, what is collected, the window and the comments."""
        found, words = _asked_for(asked), asked.words
        waiver = found.waiver
        who, on = (words.plain(waiver.by), words.day(waiver.on)) if waiver else ("", "")
        decided = words.gettext("Decided by %(who)s on %(day)s.", who=who, day=on)
        return ProtocolView(
            title=words.plain(found.title),
            told=listed(found, asked.catalog.as_of, words),
            elements=tuple(_elements(found, words)),
            collected=tuple(_collected(found, asked.catalog, words)),
            contact=found.contact,
            href=_href(found.contact),
            comments=tuple((_day(c.received, words), c.text, _day(c.replied, words), c.reply) for c in found.comments),
            waived=(decided, waiver.reason) if waiver else None,
        )

    def data(self, asked: Asked) -> Sheet:
        """What it says, as rows.

        Grain:
            One row per element, dataset, day of the window, and comment.
        """
        columns = (
            Column("part", "Part", "What the row tells.", "string"),
            Column("text", "Text", "What is said.", "string"),
            Column("on", "Day", "The day it is about: when a dataset came in, or a comment.", "date"),
            Column("reply", "Reply", "What the city answered.", "string"),
            Column("replied", "Replied on", "The day of the answer.", "date"),
        )
        found = _asked_for(asked)
        source = f"{asked.catalog.city}, {asked.catalog.as_of}"
        return Sheet(found.id, found.title, columns, list(_rows(found, asked.catalog.as_of)), source)

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """One for each protocol."""
        return tuple(p.path for p in catalog.protocols)


def _asked_for(asked: Asked) -> Protocol:
    found = next((p for p in asked.catalog.protocols if p.id == asked.params["protocol"]), None)
    if found is None:
        raise NotThere(asked.path)
    return found


def _rows(found: Protocol, as_of: date) -> Iterator[Mapping[str, object]]:
    empty = {"on": None, "reply": "", "replied": None}
    for part in ("title", "purpose", *_ELEMENTS):
        yield {"part": part, "text": getattr(found, part), **empty}
    yield {"part": "contact", "text": found.contact, **empty}
    for entry in found.data:
        yield {"part": "dataset", "text": entry.product, **empty, "on": entry.since}
    yield {"part": "standing", "text": found.standing(as_of), **empty}
    if found.waiver is not None:
        yield {"part": "waived", "text": found.waiver.reason, **empty, "on": found.waiver.on}
    else:
        yield {"part": "comments from", "text": "", **empty, "on": found.opens}
        yield {"part": "comments until", "text": "", **empty, "on": found.closes}
    for c in found.comments:
        yield {"part": "comment", "text": c.text, "on": c.received, "reply": c.reply, "replied": c.replied}


_ELEMENTS = ("notice", "retention", "sharing", "accuracy", "security", "equity", "owner")


def _elements(found: Protocol, words: Words) -> Iterator[tuple[str, str]]:
    yield words.gettext("How people are told (notice)"), found.notice
    yield words.gettext("How long it is kept (retention)"), found.retention
    yield words.gettext("With whom it is shared (sharing)"), found.sharing
    yield words.gettext("How mistakes are put right (accuracy)"), found.accuracy
    yield words.gettext("How it is kept safe (security)"), found.security
    yield words.gettext("Who could be treated worse (equity)"), found.equity
    yield words.gettext("Who answers for it (accountability)"), found.owner


def _collected(found: Protocol, catalog: Catalog, words: Words) -> Iterator[Collected]:
    named = {
        "direct": words.gettext("Tells who it is"),
        "sensitive": words.gettext("Does harm if known"),
        "free text": words.gettext("Free text"),
        "quasi": words.gettext("Tells who it is together with others"),
        "linkage key": words.gettext("Joins to other data"),
    }
    for entry in found.data:
        dataset = catalog.datasets.get(entry.product)
        if dataset is None:
            continue
        titles = {c: tuple(o.title or o.name for o in dataset.columns if o.classification == c) for c in _PERSONAL}
        yield Collected(dataset, tuple((named[c], of) for c, of in titles.items() if of))


def _href(contact: str) -> str:
    if re.fullmatch(r"[^@\s]+@[^@\s/]+", contact):
        return f"mailto:{contact}"
    return contact if contact.startswith(("https://", "http://")) else ""


def _day(on: date | None, words: Words) -> str:
    return words.day(on) if on else ""
