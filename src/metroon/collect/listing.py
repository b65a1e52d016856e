"""Listings: what another portal's catalog says that there is, in one shape whatever the portal speaks."""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metroon.base.catalog import Access

_DAYS = {"D": 1.0, "W": 7.0, "M": 31.0, "Y": 366.0}
_REPEATING = re.compile(r"R\d*/P(?:(\d+(?:\.\d+)?)([YMWD]))?(?:T(\d+(?:\.\d+)?)([HMS]))?", re.ASCII)
_CLOCK = {"H": 1 / 24, "M": 1 / 1440, "S": 1 / 86400}
_WORDS = {
    "continuous": 1.0, "continuously": 1.0, "real time": 1.0, "realtime": 1.0, "near real time": 1.0, "hourly": 1.0,
    "daily": 1.0, "every weekday": 3.0, "business daily": 3.0, "twice a week": 4.0, "semiweekly": 4.0, "weekly": 7.0,
    "biweekly": 14.0, "fortnightly": 14.0, "every two weeks": 14.0, "semimonthly": 16.0, "monthly": 31.0,
    "bimonthly": 62.0, "quarterly": 92.0, "every four months": 123.0, "triennially": 1098.0, "biannually": 184.0,
    "semiannual": 184.0, "semiannually": 184.0, "biannual": 184.0, "twice a year": 184.0, "annual": 366.0,
    "annually": 366.0, "yearly": 366.0, "every year": 366.0, "biennial": 732.0, "biennially": 732.0,
    "every two years": 732.0, "decennial": 3660.0,
}  # fmt: skip
"""How many days a change may take that is promised in a word; the longest reading of each counts."""


class NoListing(Exception):  # noqa: N818  # an answer, not a failure: another kind of portal may be there
    """What was asked is no catalog of this kind."""


@dataclass(frozen=True)
class Offer:
    """One way in which a dataset can be had.

    Args:
        address: Where.
        format: What it is, in small letters, such as ``csv``; empty when nobody says.
        source: How product.yaml would collect it, with its ``kind:``; empty when no kind here reads it.
    """

    address: str
    format: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """One dataset as a catalog tells it.

    Args:
        id: Its permanent id there.
        title: What it is called.
        description: What it holds, as plain text.
        owner: Whose it is: department, agency, publisher.
        contact: Whom to ask: an address of mail, or a name.
        changed: When its content was last changed, as the catalog says.
        promised: How often it is promised to change, in the catalog's words.
        license: Under what licence it is; empty when the catalog does not say.
        access: ``public``, ``restricted public`` or ``non-public``.
        page: Its page for people.
        topic: What it is about.
        tags: Further words.
        columns: Names of its columns, where the catalog tells them.
        offers: The ways in which it can be had, the one that is collected best first.
        faults: What its entry lacks or has wrong, in words.
    """

    id: str
    title: str
    description: str = ""
    owner: str = ""
    contact: str = ""
    changed: date | None = None
    promised: str = ""
    license: str = ""
    access: Access = "public"
    page: str = ""
    topic: str = ""
    tags: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def every_days(self) -> float | None:
        """Within how many days it is promised to change; None when nothing is promised that can be reckoned."""
        return days(self.promised)

    def late_days(self, today: date) -> int | None:
        """How many days it is late against its promise; 0 when it is not, None when nothing can be said."""
        if self.changed is None or self.every_days is None:
            return None
        return max(0, (today - self.changed).days - round(self.every_days))


@dataclass(frozen=True)
class Listing:
    """A portal's whole catalog.

    Args:
        address: Where it was read.
        kind: What the portal speaks: ``dcat``, ``ckan``, ``socrata`` or ``hub``.
        datasets: Every dataset that could be read, each once, in the catalog's order.
        told: How many the catalog says that there are; None when it does not.
        faults: Entries that could not be read at all, and what else is wrong with the catalog.
    """

    address: str
    kind: str
    datasets: tuple[Listed, ...]
    told: int | None = None
    faults: tuple[str, ...] = ()


class Asking(Protocol):
    """Answers an address of the web."""

    @abstractmethod
    def __call__(self, address: str, *, most: int | None = None) -> bytes:
        """The bytes that lie there; the first ones only, where so many are enough.

        Raises:
            NoListing: Nothing lies there, or it may not be had.
        """


def document(content: bytes) -> Any:
    """A JSON document.

    Raises:
        NoListing: It is none.
    """
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise NoListing("the answer is no JSON") from None


def days(promised: str) -> float | None:
    """Within how many days a promise wants a change; None where it wants none that can be reckoned.

    Args:
        promised: ISO 8601 repeating intervals, the European Union's list of frequencies, or English words.

    Example:
        >>> days("R/P1M"), days("R/P0.5M"), days("R/PT1S"), days("Weekly"), days("As needed")
        (31.0, 15.5, 1.0, 7.0, None)
        >>> days("http://publications.europa.eu/resource/authority/frequency/BIWEEKLY")
        14.0
    """
    if found := _REPEATING.fullmatch(promised.strip()):
        n, unit, clock, smaller = found.groups()
        total = (float(n) * _DAYS[unit] if n else 0.0) + (float(clock) * _CLOCK[smaller] if clock else 0.0)
        return max(1.0, total) if total else None
    word = promised.strip().rsplit("/", 1)[-1]
    return _WORDS.get(" ".join(re.sub(r"[-_]", " ", word).casefold().split()))


def day(told: object) -> date | None:
    """The day of a date or a time as catalogs write them; None where it is none.

    Example:
        >>> day("2017-07-21T10:01:47.000Z"), day("20201117"), day("2024-05"), day("R/P1W"), day(1466025730)
        (datetime.date(2017, 7, 21), datetime.date(2020, 11, 17), datetime.date(2024, 5, 1), None, None)
    """
    if isinstance(told, dict):  # JSON-LD writes {"@type": "xsd:date", "@value": "2024-05-01"}
        told = told.get("@value")
    if not isinstance(told, str):
        return None
    text = told.strip()
    if re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
        text += "-01"
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def text(told: object) -> str:
    """What stands in a field of a catalog, as one line of plain text: markup, and languages but the first, left out.

    Example:
        >>> text("<p>Trees &amp; parks</p>"), text({"@value": "Trees"}), text({"en": "Trees", "es": "Arboles"}), text(7)
        ('Trees & parks', 'Trees', 'Trees', '')
    """
    if isinstance(told, list):
        return next((t for t in map(text, told) if t), "")
    if isinstance(told, dict):
        known = [told.get(k) for k in ("@value", "en", "en-US", "value", "title", "name", "fn")]
        return next((t for t in map(text, known) if t), "")
    if not isinstance(told, str):
        return ""
    plain = re.sub(r"<[^<>]*>", " ", told)
    for sign, word in (("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        plain = plain.replace(sign, word)
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())


def texts(told: object) -> tuple[str, ...]:
    """The texts of a list, or of one text with commas.

    Example:
        >>> texts(["a", " b "]), texts("a, b"), texts(None)
        (('a', 'b'), ('a', 'b'), ())
    """
    given: Sequence[object] = told.split(",") if isinstance(told, str) else told if isinstance(told, list) else ()
    return tuple(dict.fromkeys(t for t in map(text, given) if t))


def at(told: object, *keys: str) -> Any:
    """What stands below some keys; None where a step of the way is not there.

    Example:
        >>> at({"publisher": {"name": "Parks"}}, "publisher", "name"), at({"publisher": "Parks"}, "publisher", "name")
        ('Parks', None)
    """
    for key in keys:
        told = told[0] if isinstance(told, list) and told else told
        told = told.get(key) if isinstance(told, dict) else None
    return told


def duplicates(datasets: Sequence[Listed]) -> dict[str, str]:
    """Id of each dataset that seems to be listed twice -> the id of the first of its likes.

    Two are alike when a file of both lies at the same address, or when title and owner are the same but for case,
    spaces and signs.

    Example:
        >>> one, two = Listed("a", "Street trees", owner="Parks"), Listed("b", "Street Trees ", owner="parks")
        >>> duplicates([one, two, Listed("c", "Street trees", owner="Works")])
        {'b': 'a'}
    """
    first: dict[tuple[str, ...], str] = {}
    found: dict[str, str] = {}
    for dataset in datasets:
        for key in _likeness(dataset):
            known = first.setdefault(key, dataset.id)
            if known != dataset.id:
                found.setdefault(dataset.id, known)
    return found


def _likeness(dataset: Listed) -> Iterator[tuple[str, ...]]:
    title, owner = (re.sub(r"\W+", " ", t).strip().casefold() for t in (dataset.title, dataset.owner))
    if title:
        yield "title", title, owner
    files = {o.address.partition("#")[0].rstrip("/") for o in dataset.offers if o.format not in ("", "html")}
    yield from (("file", address.casefold()) for address in sorted(files) if address)
