"""``dcat``: data.json of DCAT-US 1.1, and catalogs of DCAT-US 3.0.

Source:
    DCAT-US Schema 1.1 (resources.data.gov); DCAT-US 3.0 (2025).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from metroon.collect.listing import Listed, Listing, NoListing, Offer, at, day, document, text, texts
from metroon.collect.offers import offer, ordered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metroon.base.catalog import Access
    from metroon.collect.listing import Asking

PATHS = ("/data.json", "/catalog.jsonld", "/api/feed/dcat-us/1.1.json")
"""Where portals serve it."""
_DEEPEST = 20
_REQUIRED = {"title": "a title", "description": "a description", "publisher": "a publisher",
             "contactPoint": "a contact", "identifier": "an identifier"}  # fmt: skip


def read(address: str, ask: Asking) -> Listing:
    """The catalog at an address: the document itself, or one of the usual paths of a portal.

    Args:
        address: A document's, or a portal's.
        ask: Answers addresses.

    Raises:
        NoListing: There is none.
    """
    tried = [address] if re.search(r"\.(json|jsonld)$", address.partition("?")[0]) else [address + p for p in PATHS]
    for place in tried:
        try:
            return listing(place, document(ask(place)))
        except NoListing:
            continue
    raise NoListing("there is no DCAT catalog")


def listing(address: str, told: Any) -> Listing:
    """What a DCAT document lists: its own datasets, those of catalogs within it, of series and of services, each once.

    Raises:
        NoListing: It is no DCAT catalog.
    """
    keys = ("dataset", "dcat:dataset", "datasetSeries", "service", "catalog")
    if not isinstance(told, dict) or not any(isinstance(told.get(k), list) for k in keys):
        raise NoListing("the document is no DCAT catalog")
    made: dict[str, Listed] = {}
    faults: list[str] = []
    for i, entry in enumerate(_entries(told, 0), 1):
        dataset = _listed(entry) if isinstance(entry, dict) else None
        if dataset is None:
            faults.append(f"entry {i} of the catalog has neither a title nor an identifier")
        elif dataset.id in made and made[dataset.id].title != dataset.title:
            faults.append(f"two datasets have the identifier of entry {i}: the first counts")
        else:
            made.setdefault(dataset.id, dataset)
    return Listing(address, "dcat", tuple(made.values()), faults=tuple(faults))


def _entries(catalog: dict[str, Any], depth: int) -> Iterator[Any]:
    if depth > _DEEPEST:
        return
    yield from _list(catalog.get("dataset", catalog.get("dcat:dataset")))
    for series in _list(catalog.get("datasetSeries")):
        yield from (d for k in ("first", "seriesMember", "last") for d in _list(at(series, k)) if isinstance(d, dict))
    for service in _list(catalog.get("service")):
        yield from (d for d in _list(at(service, "servesDataset")) if isinstance(d, dict))
    for inner in _list(catalog.get("catalog")):
        if isinstance(inner, dict):
            yield from _entries(inner, depth + 1)


def _list(told: object) -> list[Any]:
    return told if isinstance(told, list) else [] if told is None else [told]


def _listed(entry: dict[str, Any]) -> Listed | None:
    title, known = text(entry.get("title")), _identifier(entry)
    if not title and not known:
        return None
    modified = entry.get("modified")
    promised = text(entry.get("accrualPeriodicity")) or (str(modified) if str(modified).startswith("R/") else "")
    mail = str(at(entry, "contactPoint", "hasEmail") or at(entry, "publisher", "mbox") or "").removeprefix("mailto:")
    files = [o for d in _list(entry.get("distribution")) if isinstance(d, dict) for o in _offers(d)]
    license = _address(entry.get("license")) or next(
        (w for d in _list(entry.get("distribution")) if isinstance(d, dict) and (w := _address(d.get("license")))), ""
    )
    return Listed(
        id=known or title,
        title=title or known,
        description=text(entry.get("description")),
        owner=_owner(entry.get("publisher")),
        contact=mail or text(at(entry, "contactPoint", "fn")),
        changed=day(modified),
        promised=promised,
        license=license,
        access=_access(entry),
        page=_address(entry.get("landingPage")),
        topic=text(entry.get("theme")),
        tags=texts(entry.get("keyword")),
        offers=ordered(files),
        faults=tuple(f"has no {word.partition(' ')[2]}" for key, word in _REQUIRED.items() if not entry.get(key)),
    )


def _identifier(entry: dict[str, Any]) -> str:
    told = entry.get("identifier")
    if isinstance(told, dict):
        told = told.get("@id") or told.get("notation")
    return str(told or entry.get("@id") or "").strip()


def _owner(publisher: object) -> str:
    # The nearest organisation: a city's department, not the city.
    return text(publisher) or text(at(publisher, "prefLabel"))


def _address(told: object) -> str:
    if isinstance(told, dict):
        told = told.get("@id") or told.get("uri") or told.get("title")
    told = told[0] if isinstance(told, list) and told else told
    return told.strip() if isinstance(told, str) else ""


def _access(entry: dict[str, Any]) -> Access:
    told = text(entry.get("accessLevel")) or text(entry.get("accessRights"))
    word = told.casefold().rsplit("/", 1)[-1].replace("_", " ").replace("-", " ")
    if word in ("restricted public", "restricted"):
        return "restricted public"
    return "non-public" if word in ("non public", "nonpublic", "confidential", "sensitive") else "public"


def _offers(distribution: dict[str, Any]) -> Iterator[Offer]:
    named = text(distribution.get("format")) or text(distribution.get("mediaType"))
    download, page = _address(distribution.get("downloadURL")), _address(distribution.get("accessURL"))
    if download:
        yield offer(download, named)
    if page and page != download:
        yield offer(page, named if not download else "html")
