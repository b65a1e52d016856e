"""Feeds as values: entries with permanent ids and the times of their releases, written as Atom or as JSON Feed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from datetime import datetime

ATOM = "http://www.w3.org/2005/Atom"
JSON_FEED = "https://jsonfeed.org/version/1.1"
# What XML 1.0 does not allow in a text, however it is written.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Entry:
    """One thing that happened.

    Args:
        id: Its permanent id; the same in every feed and language.
        title: What happened, in a line.
        text: What happened, in words.
        link: The address of a page that shows it.
        updated: When it was released.
        tags: What it is about.
    """

    id: str
    title: str
    text: str
    link: str
    updated: datetime
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Feed:
    """Something to follow.

    Args:
        id: Its permanent id.
        title: What it is about.
        subtitle: In a sentence.
        author: Who publishes it.
        page: The address of its page.
        atom: Its own address as Atom.
        json: Its own address as JSON Feed.
        language: The language it is written in.
        updated: When its newest entry was released.
        entries: The newest first.
    """

    id: str
    title: str
    subtitle: str
    author: str
    page: str
    atom: str
    json: str
    language: str
    updated: datetime
    entries: tuple[Entry, ...]


def moment(at: datetime) -> str:
    """A time as RFC 3339 has it, in UTC.

    Example:
        >>> from datetime import datetime
        >>> moment(datetime(2026, 7, 15, 8, 30, tzinfo=UTC))
        '2026-07-15T08:30:00Z'
    """
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def atom(feed: Feed) -> bytes:
    """A feed as Atom.

    Source:
        RFC 4287.
    """
    root = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": feed.language})
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "subtitle", feed.subtitle)
    _add(root, "updated", moment(feed.updated))
    _add(ElementTree.SubElement(root, "author"), "name", feed.author)
    _link(root, "self", feed.atom, "application/atom+xml")
    _link(root, "alternate", feed.page, "text/html")
    for entry in feed.entries:
        one = ElementTree.SubElement(root, "entry")
        _add(one, "id", entry.id)
        _add(one, "title", entry.title)
        _add(one, "updated", moment(entry.updated))
        _link(one, "alternate", entry.link, "text/html")
        for tag in entry.tags:
            ElementTree.SubElement(one, "category", {"term": _allowed(tag)})
        _add(one, "content", entry.text, type="text")
    told: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return told


def json_feed(feed: Feed) -> dict[str, Any]:
    """A feed as JSON Feed 1.1."""
    return {
        "version": JSON_FEED,
        "title": feed.title,
        "description": feed.subtitle,
        "home_page_url": feed.page,
        "feed_url": feed.json,
        "language": feed.language,
        "authors": [{"name": feed.author}],
        "items": [
            {
                "id": e.id, "url": e.link, "title": e.title, "content_text": e.text,
                "date_published": moment(e.updated), **({"tags": list(e.tags)} if e.tags else {}),
            }
            for e in feed.entries
        ],
    }  # fmt: skip


def _add(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes).text = _allowed(text)


def _link(parent: ElementTree.Element, rel: str, href: str, kind: str) -> None:
    ElementTree.SubElement(parent, "link", {"rel": rel, "href": _allowed(href), "type": kind})


def _allowed(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
