"""What catalogs of other people ask of a dataset, worked out once for every way to write it down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from metroon.base import period as periods
from metroon.base.estimate import ALL
from metroon.serve.permanent import permanent_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from metroon.base.catalog import Catalog, Dataset
    from metroon.base.places import Places
    from metroon.serve.words import Words

MEDIA: Mapping[str, tuple[str, str, str]] = {
    "csv": ("text/csv", "CSV", "https://www.rfc-editor.org/rfc/rfc4180"),
    "json": ("application/json", "JSON", "https://www.rfc-editor.org/rfc/rfc8259"),
    "parquet": ("application/vnd.apache.parquet", "Parquet", "https://parquet.apache.org/docs/file-format/"),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "Excel",
        "https://www.iso.org/standard/71691.html",
    ),
    "geojson": ("application/geo+json", "GeoJSON", "https://www.rfc-editor.org/rfc/rfc7946"),
}
"""Ending of a file -> its media type, what people call it, the standard that it follows."""
FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
"""What the map door conforms to."""
LONGEST_RIGHTS = 255
"""Characters that DCAT-US 1.1 allows for rights."""
_EMAIL = re.compile(r"[\w~!$&'()*+,;=:.-]+@[\w-]+(\.[\w-]+)+", re.ASCII)
"""An address that both versions of DCAT-US take after ``mailto:``."""

Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""


@dataclass(frozen=True)
class Contact:
    """Whom to ask.

    Args:
        name: A person or a role.
        email: The address.
    """

    name: str
    email: str


@dataclass(frozen=True)
class File:
    """One file of the newest version.

    Args:
        url: Where it is.
        media: Its media type.
        title: What people call its format.
        standard: The standard that it follows.
    """

    url: str
    media: str
    title: str
    standard: str


@dataclass(frozen=True)
class Described:
    """One dataset as catalogs of other people describe it.

    Args:
        dataset: What it is.
        id: Its permanent id.
        page: The address of its page.
        description: What it is, never empty.
        keywords: Words to find it by, never empty.
        publisher: Who publishes it: a department, or the city.
        contact: Whom to ask; None when the city declared nobody who has an address.
        licence: The address of its licence; empty when the city declared none.
        rights: Who may have it, and why, in words.
        every: The longest time between two updates that the city promised, as an ISO 8601 duration; empty without one.
        box: Where it is; None when the city declared no boundaries.
        span: First and last day that it speaks of; None when that is not known.
        issued: The day of the first version that is still listed; None without one.
        modified: The day of the newest version; of an entry that is only listed, the day of its last review; else None.
        files: Files of the newest version; none of what is not published.
        rows_api: Where programs ask for its rows; empty when nobody may.
        map_api: Where programs ask for its shapes; empty when it has none.
        contract: Where its contract is; empty for what has none.
    """

    dataset: Dataset
    id: str
    page: str
    description: str
    keywords: tuple[str, ...]
    publisher: str
    contact: Contact | None
    licence: str
    rights: str
    every: str
    box: Box | None
    span: tuple[date, date] | None
    issued: date | None
    modified: date | None
    files: tuple[File, ...]
    rows_api: str
    map_api: str
    contract: str


@dataclass(frozen=True)
class Lack:
    """Something that a catalog asks for and the city has not declared.

    Args:
        dataset: Which dataset.
        field: The field in DCAT-US.
        fix: What to write, and where.
    """

    dataset: str
    field: str
    fix: str


def described(dataset: Dataset, catalog: Catalog, *, words: Words, address: str) -> Described:
    """A dataset as catalogs describe it.

    Args:
        dataset: The dataset.
        catalog: The catalog that it is in.
        words: The language of sentences.
        address: The portal's own address, without a slash at its end.
    """
    page = f"{address}{dataset.path}"
    days = [e.as_of for e in dataset.editions]
    return Described(
        dataset=dataset,
        id=permanent_id(catalog.city, dataset.path),
        page=page,
        description=words.plain(dataset.description or dataset.title),
        keywords=_keywords(dataset, catalog, words),
        publisher=words.plain(dataset.department) or catalog.city,
        contact=contact(dataset, catalog),
        licence=licence(dataset),
        rights=_rights(dataset, words),
        every=_every(dataset),
        box=box(catalog),
        span=dataset.span or _span_of_estimates(dataset, catalog),
        issued=min(days, default=None),
        modified=dataset.updated or max(days, default=dataset.reviewed),
        files=_files(dataset, page),
        rows_api=f"{address}/api/v1/datasets/{dataset.name}/rows" if dataset.has_rows else "",
        map_api=f"{address}/ogc/collections/{collection_of(dataset, catalog)}" if is_map(dataset, catalog) else "",
        contract=f"{address}/datasets/{dataset.name}/contract.yaml" if has_contract(dataset) else "",
    )


def contact(dataset: Dataset, catalog: Catalog) -> Contact | None:
    """Whom to ask, if somebody with an e-mail address was declared.

    Returns:
        The dataset's steward, else the portal's own contact, else the steward of what it is made of; or None.
    """
    sources = [catalog.datasets[n] for n in dataset.made_of if n in catalog.datasets]
    asked = (_steward(dataset, catalog), contact_of_portal(catalog), *(_steward(d, catalog) for d in sources))
    return next((c for c in asked if c is not None), None)


def _steward(dataset: Dataset, catalog: Catalog) -> Contact | None:
    steward = dataset.steward
    if steward is None or not _EMAIL.fullmatch(steward.contact):
        return None
    is_named = steward.name and not _EMAIL.fullmatch(steward.name)
    return Contact(steward.name if is_named else dataset.department or catalog.city, steward.contact)


def contact_of_portal(catalog: Catalog) -> Contact | None:
    """Whom to ask about everything; None when the city declared no address for it."""
    asked = catalog.portal.contact
    return Contact(catalog.city, asked) if _EMAIL.fullmatch(asked) else None


def lacking(catalog: Catalog) -> tuple[Lack, ...]:
    """What the city has to declare before other people's catalogs take all of its datasets, by dataset."""
    found = []
    for d in sorted(catalog.datasets.values(), key=lambda d: d.name):
        if contact(d, catalog) is None:
            fix = "Give its steward an e-mail address, or the portal one: portal: contact: in city.yaml."
            found.append(Lack(d.name, "contactPoint", fix))
        if not d.description:
            found.append(Lack(d.name, "description", "Say in its contract what it is: description: purpose:."))
        if d.has_rows and not licence(d):
            found.append(Lack(d.name, "license", "Say in its contract what readers may do with it."))
        if d.updated is None and not d.editions and d.reviewed is None:
            fix = "Say in the inventory when somebody last reviewed it; DCAT-US 1.1 leaves out what has no date."
            found.append(Lack(d.name, "modified", fix))
    return tuple(found)


def box(catalog: Catalog) -> Box | None:
    """West, south, east and north of the city: of its neighborhoods, else of its first boundaries."""
    home = catalog.geographies.get(catalog.neighborhoods)
    shaped = [g for g in (home, *catalog.geographies.values()) if g is not None and g.shapes]
    return extent(shaped[0]) if shaped else None


def extent(places: Places) -> Box:
    """West, south, east and north of all areas together."""
    west, south, east, north = shapely.total_bounds(list(places.shapes.values())).tolist()
    return west, south, east, north


def has_contract(dataset: Dataset) -> bool:
    """Whether its contract may be read as a file: only of published rows, for it may hold examples of others."""
    return dataset.has_rows and bool(dataset.contract)


def is_map(dataset: Dataset, catalog: Catalog) -> bool:
    """Whether programs can ask for its shapes: published rows with a place, or numbers of neighborhoods."""
    if dataset.shape == "measure":
        score, home = catalog.scores.get(dataset.name), catalog.geographies.get(catalog.neighborhoods)
        is_told = score is not None and any(g.id == catalog.neighborhoods for g in score.measured.geographies)
        return is_told and home is not None and bool(home.shapes)
    return dataset.has_rows and has_place(dataset)


def has_place(dataset: Dataset) -> bool:
    """Whether its published rows have shapes or points."""
    is_open = {c.name for c in dataset.columns if c.is_open}
    return dataset.geometry in is_open or (dataset.point is not None and set(dataset.point) <= is_open)


def collection_of(dataset: Dataset, catalog: Catalog) -> str:
    """The name of a dataset's shapes at the map door."""
    return f"measures.{dataset.name}" if dataset.shape == "measure" else dataset.name


def _keywords(dataset: Dataset, catalog: Catalog, words: Words) -> tuple[str, ...]:
    topic = words.plain(dataset.topic.replace("_", " "))
    every = [*dataset.tags, topic, words.plain(dataset.department), catalog.city]
    return tuple(dict.fromkeys(k for k in every if k.strip()))


def licence(dataset: Dataset) -> str:
    """The address of a dataset's licence; empty when the city declared none."""
    declared = dataset.licence
    return declared.url or (f"https://spdx.org/licenses/{declared.id}.html" if declared.id else "")


def _rights(dataset: Dataset, words: Words) -> str:
    people = dataset.minimum_cell
    if dataset.shape == "listed":
        told = words.gettext("The city has listed this dataset. It is not collected yet.")
    elif dataset.shape == "measure":
        told = words.gettext("Anybody may use these numbers. Numbers about few people are hidden.")
    elif dataset.has_rows and people is not None:
        told = words.gettext(
            "Anybody may use these rows. They were protected first: groups of fewer than %(n)s people are hidden.",
            n=words.number(people),
        )
    elif dataset.has_rows:
        told = words.gettext("Anybody may use these rows.")
    elif dataset.access == "public":
        told = words.gettext("No version is published yet.")
    elif any(kind == "measure" for kind, _ in dataset.used_in):
        told = words.gettext("Rows are not published, to protect people. Indicators made of them are.")
    else:
        told = words.gettext("Rows are not published, to protect people.")
    return told[:LONGEST_RIGHTS]


def _every(dataset: Dataset) -> str:
    days = dataset.promise.latency_days
    return f"P{max(1, round(days))}D" if days else ""


def _span_of_estimates(dataset: Dataset, catalog: Catalog) -> tuple[date, date] | None:
    score = catalog.scores.get(dataset.name)
    named = {e.cell.period for e in score.measured.estimates} - {ALL} if score is not None else set()
    if not named:
        return None
    return min(map(periods.first_day, named)), max(map(periods.last_day, named))


def _files(dataset: Dataset, page: str) -> tuple[File, ...]:
    if not dataset.has_rows:
        return ()
    endings = [e for e in MEDIA if e != "geojson" or has_place(dataset)]
    return tuple(File(f"{page}.{e}", *MEDIA[e]) for e in endings)
