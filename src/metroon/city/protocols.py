"""Data use protocols as declared: one file each in ``protocols/``, which the public reads before data are used."""

from __future__ import annotations

from datetime import date, timedelta  # pydantic reads the annotation
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean, validate
from metroon.base.protocol import Comment, Covered, Protocol, Waiver
from metroon.city.ids import NAME, Id
from metroon.city.scalar import scalar
from metroon.city.yaml import read, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from metroon.base.node import Node
    from metroon.city.people import Staff


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("this says nothing. Fix: Say it in words for residents, or that it is not so")
    return text.strip()


Said = Annotated[str, AfterValidator(_said)]
"""A text that is not empty."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class CoveredFile(_Part):
    """One product that the protocol is about; its columns and their classes stand in its contract.

    Args:
        product: Its name.
        since: The day on which it came into the protocol; it must not be later than the first day of
            the window.
    """

    product: Id
    since: date = Field(alias="from")


class CommentFile(_Part):
    """One comment of the public. Comments are public record; who wrote one is not written down.

    Args:
        received: The day it came.
        text: What it says, without names.
        reply: What the city answers; nothing goes live while one is without.
        replied: The day of the answer.
    """

    received: date
    text: Said
    reply: str = ""
    replied: date | None = None


class WaivedFile(_Part):
    """Why there is no window for comments.

    Args:
        by: A role of people.yaml that is held, or the contact of a steward there.
        on: The day of the decision.
        reason: Why, in words for the public; such as that these records were lawfully public before.
    """

    by: str
    on: date
    reason: Said


class WindowFile(_Part):
    """The window for comments.

    Args:
        opens: First day on which the public can read the protocol and comment.
        closes: Last day; it belongs to the window.
        comments: What the public said, with the city's replies.
        waived: Instead of a window: who decided that there is none, and why.
    """

    opens: date | None = Field(None, alias="from")
    closes: date | None = Field(None, alias="to")
    comments: list[CommentFile] = Field(default_factory=list)
    waived: WaivedFile | None = None


class ProtocolFile(_Part):
    """What ``protocols/NAME.yaml`` holds.

    Args:
        title: What people call it.
        purpose: What the data are used for, and what not.
        data: The products it is about.
        notice: How people are told that data about them are used.
        retention: How long the data are kept, and what happens then.
        sharing: With whom they are shared, and with whom not.
        accuracy: How mistakes are found and put right.
        security: Who can reach them, and how they are kept safe.
        equity: Who could be treated worse because of them, and what is done against it.
        owner: The role or person who answers for it.
        contact: Where comments go: an e-mail address or a link; that of the portal unless given.
        comment: The window for comments.
    """

    title: Said
    purpose: Said
    data: list[CoveredFile] = Field(min_length=1)
    notice: Said
    retention: Said
    sharing: Said
    accuracy: Said
    security: Said
    equity: Said
    owner: Said
    contact: str = ""
    comment: WindowFile


def protocols(
    folder: Path, staff: Staff, faults: list[Problem], *, contact: str = "", days: int = 30
) -> tuple[Protocol, ...]:
    """The data use protocols of a city repo, in the order of their ids.

    Args:
        folder: The city repo.
        staff: Who may waive a window.
        faults: What is wrong goes here; a protocol with a fault is left out.
        contact: Where comments go when a protocol does not say.
        days: The fewest days that a window may be open.
    """
    made = []
    for file in sorted((folder / "protocols").glob("*.yml")):
        faults.append(Problem(shown(file), 0, "Y105", "files that end in .yml are not read.", "End its name in .yaml."))
    for file in sorted((folder / "protocols").glob("*.yaml")):
        try:
            made.append(_protocol(file, folder, staff, contact, days))
        except Refused as refused:
            faults.extend(refused.problems)
    return tuple(made)


def _protocol(file: Path, folder: Path, staff: Staff, contact: str, days: int) -> Protocol:
    if not NAME.fullmatch(file.stem):
        fix = "Use small letters, digits and _ and start with a letter."
        raise Refused([Problem(shown(file), 0, "Y105", f"'{file.stem}' is no name for a protocol.", fix)])
    node = read(file)
    told = validate(node, ProtocolFile, "Y103")
    products = {p.name for p in (folder / "products").glob("[!.]*") if p.is_dir()}
    if problems := [*_data_faults(told, node, products), *_window_faults(told.comment, node, staff, days)]:
        raise Refused(problems)
    window, waived = told.comment, told.comment.waived
    return Protocol(
        id=file.stem,
        title=told.title,
        purpose=told.purpose,
        data=tuple(Covered(d.product, d.since) for d in told.data),
        notice=told.notice,
        retention=told.retention,
        sharing=told.sharing,
        accuracy=told.accuracy,
        security=told.security,
        equity=told.equity,
        owner=told.owner,
        contact=told.contact.strip() or contact,
        opens=window.opens,
        closes=window.closes,
        comments=tuple(Comment(c.received, c.text, c.reply.strip(), c.replied) for c in window.comments),
        waiver=Waiver(staff.named(waived.by), waived.on, waived.reason) if waived else None,
        node=node,
    )


def _data_faults(told: ProtocolFile, node: Node, products: Collection[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for i, entry in enumerate(told.data):
        at = node.at("data", i)
        if entry.product not in products:
            fix = did_you_mean(entry.product, products)
            yield at.problem("R101", f"there is no product '{entry.product}'.", fix, "product")
        if entry.product in seen:
            what = f"'{entry.product}' stands here twice."
            yield at.problem("R102", what, "Keep one of them, with the later day.", "product")
        seen.add(entry.product)


def _window_faults(window: WindowFile, node: Node, staff: Staff, days: int) -> Iterator[Problem]:
    at = node.at("comment")
    if window.waived is not None:
        if not staff.named(window.waived.by):
            what = f"'{window.waived.by}' is nobody in people.yaml who could waive the window."
            known = did_you_mean(window.waived.by, staff.names)
            fix = f"Name a role that is held, or the contact of a steward. {known}"
            yield at.problem("G155", what, fix, "waived", "by")
    elif window.opens is None or window.closes is None:
        what = "the window for comments has no first or no last day."
        fix = "Write comment: {from: YYYY-MM-DD, to: YYYY-MM-DD}, or waived: {by, on, reason}."
        yield at.problem("G154", what, fix)
    elif (window.closes - window.opens).days + 1 < days:
        what = f"the window for comments is open for {max((window.closes - window.opens).days + 1, 0)} days."
        fix = f"Keep it open for {days} days at least: to: {window.opens + timedelta(days=days - 1)}"
        yield at.problem("G154", what, fix, "to")
    for i, comment in enumerate(window.comments):
        item = at.at("comments", i)
        if bool(comment.reply.strip()) != (comment.replied is not None):
            what = "a reply has no day, or a day has no reply."
            yield item.problem("G154", what, "Write both reply: and replied:, or neither.", "reply")
        elif comment.replied is not None and comment.replied < comment.received:
            what = "a comment was answered before it came."
            yield item.problem("G154", what, "Correct one of the two days.", "replied")


def protocol_text(name: str, title: str, *, opens: date, days: int, contact: str) -> str:
    """The draft of a protocol for one product, with the questions that it must answer as comments.

    Args:
        name: The product.
        title: What people call it.
        opens: First day of the window.
        days: Days for which the window is open.
        contact: Where comments go; empty when the portal has no address.
    """
    closes = opens + timedelta(days=days - 1)
    return f"""\
# Drafted by Metroon. Nothing of {name} is published before the window below has closed and each comment has a reply.
# Say each thing in words for residents; then move the three days to that on which the public can read it.
title: {scalar(f"Use of {title}")}
purpose: Not said yet. # what the data are used for, and what they will not be used for
data:
  - {{ product: {name}, from: {opens} }}
notice: Not said yet. # how people are told that data about them are used
retention: Not said yet. # how long the data are kept, and what happens then
sharing: Not said yet. # with whom they are shared, and with whom not
accuracy: Not said yet. # how mistakes are found, and how a resident gets one put right
security: Not said yet. # who can reach the rows, and how they are kept safe
equity: Not said yet. # who could be treated worse because of them, and what is done against it
owner: Not said yet. # the role or person who answers for it
contact: {scalar(contact) if contact else '""'} # where comments go: an e-mail address or a link
comment:
  from: {opens}
  to: {closes} # open for {days} days at least; the portal shows it as /protocols/{name}
  comments: [] # - {{ received: {opens}, text: what was said, without names, reply: the answer, replied: {closes} }}
  # Were these records lawfully public before? Then somebody of people.yaml may decide that no window is needed:
  # waived: {{ by: privacy_officer, on: {opens}, reason: why, in words for the public }}
"""
