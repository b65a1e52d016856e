"""Data use protocols: what the city tells the public before it uses data about people, and what the public answered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

    from metroon.base.node import Node

Standing = Literal["announced", "open for comments", "waits for replies", "live"]
"""How far a protocol is: its window has not begun, is open, has closed with comments unanswered, or all is answered."""


@dataclass(frozen=True)
class Comment:
    """One comment of the public; never who wrote it.

    Args:
        received: The day it came.
        text: What it says.
        reply: What the city answered; empty when it has not.
        replied: The day of the answer; None when there is none.
    """

    received: date
    text: str
    reply: str = ""
    replied: date | None = None


@dataclass(frozen=True)
class Covered:
    """One product that a protocol is about.

    Args:
        product: Its name.
        since: The day on which it came into the protocol.
    """

    product: str
    since: date


@dataclass(frozen=True)
class Waiver:
    """Why there was no window for comments.

    Args:
        by: Who decided it, as people call the role or person.
        on: The day.
        reason: Why, in words for the public.
    """

    by: str
    on: date
    reason: str


@dataclass(frozen=True)
class Protocol:
    """One data use protocol.

    Args:
        id: Its permanent id, the name of its file.
        title: What people call it.
        purpose: What the data are used for.
        data: The products it is about.
        notice: How people are told that data about them are used.
        retention: How long the data are kept, and what happens then.
        sharing: With whom they are shared, and with whom not.
        accuracy: How mistakes are found and put right.
        security: Who can reach them, and how they are kept safe.
        equity: Who could be treated worse because of them, and what is done against it.
        owner: Who answers for it.
        contact: Where comments go: an e-mail address or a link.
        opens: First day of the window for comments; None when it was waived without one.
        closes: Last day of the window.
        comments: What the public said, in the order of the file.
        waiver: Why there was no window; None when there was one.
        node: Where it stands.
    """

    id: str
    title: str
    purpose: str
    data: tuple[Covered, ...]
    notice: str
    retention: str
    sharing: str
    accuracy: str
    security: str
    equity: str
    owner: str
    contact: str
    opens: date | None
    closes: date | None
    comments: tuple[Comment, ...]
    waiver: Waiver | None
    node: Node = field(repr=False, compare=False)

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"/protocols/{self.id}"

    @property
    def since(self) -> date | None:
        """The day from which the public could know what it says: the first of the window, or that of the waiver."""
        return self.waiver.on if self.waiver else self.opens

    @property
    def unanswered(self) -> int:
        """Comments without a reply."""
        return sum(not c.reply for c in self.comments)

    def standing(self, as_of: date) -> Standing:
        """How far it is on a day.

        Args:
            as_of: The day. The window's last day still belongs to the window.
        """
        since = self.since
        if since is None or as_of < since:
            return "announced"
        if self.waiver is None and (self.closes is None or as_of <= self.closes):
            return "open for comments"
        return "waits for replies" if self.unanswered else "live"

    def covers(self, product: str) -> Covered | None:
        """The entry of a product; None when it is not about it."""
        return next((d for d in self.data if d.product == product), None)

    @property
    def says_sha256(self) -> str:
        """The hash of what the data are used for and with whom they are shared: what a window must come before."""
        said = [" ".join(text.split()) for text in (self.purpose, self.sharing)]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
