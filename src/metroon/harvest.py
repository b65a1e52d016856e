"""Harvest: another portal's whole catalog, looked at: what there is, whose it is, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean
from metroon.base.profile import ColumnProfile, snake_case
from metroon.city.listing import Entry
from metroon.collect.listing import Listed, Listing, NoListing, duplicates
from metroon.collect.listings import ckan, dcat, socrata
from metroon.collect.peek import columns
from metroon.guard.suggest import suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from metroon.collect.listing import Asking

PERSONAL = ("direct", "sensitive")
"""Classes of columns that look personal by their names alone; notes, which may hold anything, are everywhere."""
_READERS = (ckan.read, socrata.read, dcat.read)


@dataclass(frozen=True)
class Found:
    """One dataset of another portal, with what is to be seen to.

    Args:
        dataset: As its catalog lists it.
        columns: The names of its columns; none when nobody tells them.
        personal: Those of them that look personal, each with why.
        late_days: Days that it is late against its promise; None when nothing is promised, or nobody says when it
            changed.
        twice: The id of a dataset that seems to be the same one; empty when there is none.
        dead: Addresses of it at which nothing answers, each with what came instead.
    """

    dataset: Listed
    columns: tuple[str, ...] = ()
    personal: Mapping[str, str] | None = None
    late_days: int | None = None
    twice: str = ""
    dead: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Harvest:
    """A portal's whole catalog, looked at.

    Args:
        listing: As the portal tells it.
        found: Every dataset, in the catalog's order.
        on: The day on which it was looked at.
    """

    listing: Listing
    found: tuple[Found, ...]
    on: date

    @property
    def host(self) -> str:
        """The portal's host, by which its harvest is named."""
        return urlsplit(self.listing.address).netloc.replace(":", "_")

    def sums(self) -> dict[str, int]:
        """What is to be seen to -> how many datasets, in the order in which it is told."""
        each = self.found
        return {
            "late": sum(bool(f.late_days) for f in each),
            "personal": sum(bool(f.personal) and f.dataset.access == "public" for f in each),
            "no licence": sum(not f.dataset.license for f in each),
            "dead links": sum(bool(f.dead) for f in each),
            "twice": sum(bool(f.twice) for f in each),
            "no promise": sum(f.dataset.every_days is None for f in each),
            "no owner": sum(not f.dataset.owner for f in each),
            "columns unknown": sum(not f.columns for f in each),
        }

    def owners(self) -> dict[str, int]:
        """Owner -> its datasets, the one with most first; without those that name none."""
        return dict(Counter(f.dataset.owner for f in self.found if f.dataset.owner).most_common())

    def one(self, known: str) -> Found:
        """The dataset of an id, or of a title where only one has it.

        Raises:
            Refused: There is none (D163).
        """
        alike = [f for f in self.found if known in (f.dataset.id, f.dataset.title)]
        exact = [f for f in alike if f.dataset.id == known]
        if len(exact or alike) == 1:
            return (exact or alike)[0]
        what = f"the catalog lists {'more than one' if alike else 'no'} dataset '{known}'."
        fix = did_you_mean(known, [t for f in self.found for t in (f.dataset.id, f.dataset.title)])
        raise Refused([Problem(self.listing.address, 0, "D163", what, "Name its id." if alike else fix)])


def harvest(
    address: str,
    ask: Asking,
    on: date,
    *,
    reach: Callable[[str], str] | None = None,
    told: Callable[[str], None] = lambda title: None,
) -> Harvest:
    """Read a portal's catalog and look at every dataset of it.

    Args:
        address: The portal's, or that of its ``data.json``.
        ask: Answers addresses.
        on: The day for which is said what is late.
        reach: Says what is wrong with an address, or nothing when it answers; links are not tried without it.
        told: Hears the title of each dataset as it is looked at.

    Raises:
        Refused: No catalog of a known kind is there (D160).
    """
    listing = catalog(address, ask)
    alike = duplicates(listing.datasets)
    made = []
    for dataset in listing.datasets:
        told(dataset.title)
        names = columns(dataset, ask)
        dead = {o.address: why for o in dataset.offers if (why := reach(o.address))} if reach else {}
        made.append(Found(dataset, names, personal(names), dataset.late_days(on), alike.get(dataset.id, ""), dead))
    return Harvest(listing, tuple(made), on)


def catalog(address: str, ask: Asking) -> Listing:
    """A portal's catalog, by whatever it speaks: CKAN, Socrata, or DCAT-US as ArcGIS Hub and others serve it.

    Raises:
        Refused: It speaks none of them (D160).
    """
    place = address.rstrip("/")
    is_document = place.partition("?")[0].endswith((".json", ".jsonld"))
    for read in (dcat.read,) if is_document else _READERS:
        try:
            return read(place, ask)
        except NoListing:
            continue
    what = "no catalog is there that is understood: it answers neither as CKAN, nor as Socrata, nor with a data.json."
    fix = "Give the address of the portal's first page, or of its data.json."
    raise Refused([Problem(address, 0, "D160", what, fix)])


def personal(columns: Sequence[str]) -> dict[str, str]:
    """Columns that look personal by their names -> why; values were not looked at.

    Example:
        >>> personal(["OWNER_NAME", "Parcel", "Date of birth"])
        {'OWNER_NAME': 'the person or firm behind the row (by its name)'}
    """
    made = {c: suggest(ColumnProfile(c, snake_case(c))) for c in columns}
    return {c: s.reason for c, s in made.items() if s.classification in PERSONAL}


def rows(made: Harvest) -> Iterator[dict[str, object]]:
    """A harvest as a table: a row for each dataset, in the words of a steward."""
    for f in made.found:
        d = f.dataset
        yield {
            "id": d.id, "title": d.title, "owner": d.owner, "contact": d.contact, "topic": d.topic,
            "access": d.access, "license": d.license, "promised": d.promised,
            "changed": d.changed.isoformat() if d.changed else "", "days late": f.late_days,
            "columns": len(f.columns) or None, "columns that look personal": "; ".join(f.personal or {}),
            "listed twice, as": f.twice, "dead links": "; ".join(f"{a} ({why})" for a, why in (f.dead or {}).items()),
            "lacks": "; ".join(d.faults), "can be collected by": d.offers[0].source.get("kind", "") if d.offers else "",
            "page": d.page,
        }  # fmt: skip


def summary(made: Harvest) -> str:
    """A harvest in one line: how many datasets there are, and how many of them want to be seen to.

    Example:
        >>> from datetime import date
        >>> tree = Listed("1", "Trees", owner="Parks", license="CC0", promised="daily", changed=date(2026, 1, 1))
        >>> summary(Harvest(Listing("https://x.example", "dcat", (tree,)), (Found(tree, ("id",)),), date(2026, 1, 1)))
        '1 dataset'
    """
    words = {"late": "late", "personal": "publish columns that look personal", "no licence": "without a licence",
             "dead links": "with dead links", "twice": "listed twice", "no promise": "promise no frequency",
             "no owner": "without an owner", "columns unknown": "whose columns nobody tells"}  # fmt: skip
    n = len(made.found)
    told = [f"{n:,} dataset{'s' if n != 1 else ''}"]
    return "; ".join(told + [f"{k:,} {words[what]}" for what, k in made.sums().items() if k])


def entries(made: Harvest) -> list[Entry]:
    """What the inventory says of every dataset, but for those that are listed twice."""
    return [
        Entry(
            source=f"{made.listing.address}#{f.dataset.id}",
            title=f.dataset.title,
            description=f.dataset.description,
            owner=f.dataset.owner,
            contact=f.dataset.contact,
            topic=f.dataset.topic,
            access=f.dataset.access,
            why_not_yet=f"It is listed on {made.host}, and not collected here yet.",
            tags=f.dataset.tags,
        )
        for f in made.found
        if not f.twice
    ]
