"""Harvest: another portal's whole catalog, looked at: what there is, whose it is, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean
from metroon.base.profile import ColumnProfile, product_name, snake_case
from metroon.city.inventory import declared
from metroon.city.listing import Entry, Written, add_entries
from metroon.collect.guess import SourceGuess
from metroon.collect.listing import Listed, Listing, NoListing, duplicates
from metroon.collect.listings import ckan, dcat, socrata
from metroon.collect.peek import columns
from metroon.guard.suggest import suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from metroon.city import City
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


def chosen(city: City, listing: Listing, known: str) -> tuple[SourceGuess, str]:
    """How one dataset of a catalog would be collected, and the name that its product gets.

    Args:
        city: Its inventory may hold the dataset already: then the product takes over the entry's id.
        listing: The catalog.
        known: The dataset's id, or its title where only one has it.

    Raises:
        Refused: There is no such dataset (D163), or nothing that is offered can be read (D165).
    """
    found = _one(listing, known)
    best = next((o for o in found.offers if o.source), None)
    if best is None:
        offered = ", ".join(sorted({o.format or "a page" for o in found.offers})) or "nothing"
        fix = "Ask its owner for a table (csv, xlsx, json, geojson, parquet), an interface or a database."
        what = f"'{found.title}' cannot be collected: the catalog offers {offered}."
        raise Refused([Problem(listing.address, 0, "D165", what, fix)])
    listed = {e.source: e.id for e in declared(city.folder)}
    name = listed.get(_source(listing, found)) or product_name(found.title)
    return SourceGuess("remote", best.address, name, best.source), name


def _one(listing: Listing, known: str) -> Listed:
    alike = [d for d in listing.datasets if known in (d.id, d.title)]
    exact = [d for d in alike if d.id == known]
    if len(exact or alike) == 1:
        return (exact or alike)[0]
    what = f"the catalog lists {'more than one' if alike else 'no'} dataset '{known}'."
    fix = did_you_mean(known, [t for d in listing.datasets for t in (d.id, d.title)])
    raise Refused([Problem(listing.address, 0, "D163", what, "Name its id." if alike else fix)])


def _source(listing: Listing, dataset: Listed) -> str:
    return f"{listing.address}#{dataset.id}"


@dataclass(frozen=True)
class Kept:
    """Where a harvest went.

    Args:
        report: The table of all datasets, for a spreadsheet.
        listed: What became of them in the inventory.
    """

    report: Path
    listed: Written


def keep(city: City, made: Harvest, table: Callable[..., str]) -> Kept:
    """Write a harvest down: all that was found as a table, and what is not collected yet into the inventory.

    Args:
        city: The city.
        made: The harvest.
        table: Writes rows as CSV that a spreadsheet may open.

    Raises:
        Refused: The inventory or city.yaml cannot be added to (D164), or a file cannot be written (D166); then
            nothing was written.
    """
    report = city.folder / "portals" / f"{made.host}.csv"
    draft = report.with_suffix(".part")
    try:
        report.parent.mkdir(exist_ok=True)
        draft.write_text(table(list(rows(made)), for_spreadsheet=True), encoding="utf-8")
        taken = {*city.products, *city.measures}
        listed = add_entries(city.folder, entries(made), taken, made.listing.address, on=made.on)
        draft.replace(report)
    except OSError as error:
        what = f"it cannot be written: {error.strerror}."
        raise Refused([Problem(str(report), 0, "D166", what, "Check free space and rights of the folder.")]) from None
    finally:
        draft.unlink(missing_ok=True)
    return Kept(report, listed)


def worst(made: Harvest, most: int = 5) -> Iterator[tuple[str, list[str]]]:
    """What is to be seen to first: a heading, and the datasets it is about, each with what is wrong.

    Args:
        made: The harvest.
        most: How many of each are told.
    """
    each = made.found
    late = sorted((f for f in each if f.late_days), key=lambda f: -(f.late_days or 0))
    told = {
        "Late": [f"{f.dataset.title}: {f.late_days:,} days over '{f.dataset.promised}'" for f in late],
        "Columns that look personal": [
            f"{f.dataset.title}: {', '.join(f.personal)}" for f in each if f.personal and f.dataset.access == "public"
        ],
        "Dead links": [f"{f.dataset.title}: {a} {why}" for f in each for a, why in (f.dead or {}).items()],
        "Listed twice": [f"{f.dataset.title}: {f.dataset.id} and {f.twice}" for f in each if f.twice],
        "Faults of the catalog": list(made.listing.faults),
    }
    for heading, lines in told.items():
        if lines:
            more = [f"and {len(lines) - most:,} more"] if len(lines) > most else []
            yield heading, [*lines[:most], *more]


def entries(made: Harvest) -> list[Entry]:
    """What the inventory says of every dataset, but for those that are listed twice."""
    return [
        Entry(
            source=_source(made.listing, f.dataset),
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
