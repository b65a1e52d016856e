"""``ckan``: the Action API of CKAN, page by page.

Source:
    CKAN API guide, ``package_search``; rows per answer are capped by the portal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metroon.collect.listing import Listed, Listing, NoListing, Offer, at, day, document, text, texts
from metroon.collect.offers import offer, ordered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metroon.collect.listing import Asking

_PAGE = 100
_MOST_PAGES = 10_000
_FREQUENCIES = ("update_frequency", "frequency", "accrual_periodicity", "accrualperiodicity", "refresh_frequency")


def read(address: str, ask: Asking) -> Listing:
    """Every dataset of a CKAN portal.

    Args:
        address: The portal's.
        ask: Answers addresses.

    Raises:
        NoListing: It is no CKAN portal.
    """
    made: dict[str, Listed] = {}
    total: int | None = None
    for page in range(_MOST_PAGES):
        query = f"rows={_PAGE}&start={page * _PAGE}&sort=metadata_created+asc"
        told = document(ask(f"{address}/api/3/action/package_search?{query}"))
        result = at(told, "result")
        if at(told, "success") is not True or not isinstance(at(result, "results"), list):
            raise NoListing("it does not speak CKAN")
        total = result["count"] if isinstance(result.get("count"), int) else total
        found = [p for p in result["results"] if isinstance(p, dict) and p.get("id")]
        made |= {str(p["id"]): _listed(address, p) for p in found}
        if not result["results"] or (total is not None and (page + 1) * _PAGE >= total):
            break
    lacking = (total or 0) - len(made)
    faults = (f"the portal says that there are {total:,} datasets, and {len(made):,} came",) if lacking > 0 else ()
    return Listing(address, "ckan", tuple(made.values()), total, faults)


def _listed(address: str, package: dict[str, Any]) -> Listed:
    resources = [r for r in package.get("resources") or () if isinstance(r, dict)]
    changed = [d for r in resources if (d := day(r.get("last_modified") or r.get("created")))]
    extras = {str(e.get("key", "")).casefold(): text(e.get("value")) for e in package.get("extras") or ()
              if isinstance(e, dict)}  # fmt: skip
    promised = [text(package.get(k)) or extras.get(k, "") for k in _FREQUENCIES]
    title = text(package.get("title")) or text(package.get("name"))
    license = text(package.get("license_title")) or text(package.get("license_id"))
    return Listed(
        id=str(package["id"]),
        title=title,
        description=text(package.get("notes")),
        owner=text(at(package, "organization", "title")) or text(package.get("author")),
        contact=text(package.get("maintainer_email")) or text(package.get("author_email"))
        or text(package.get("maintainer")),
        changed=max(changed) if changed else day(package.get("metadata_modified")),
        promised=next((p for p in promised if p), ""),
        license="" if license.casefold() in ("", "notspecified", "license not specified") else license,
        access="non-public" if package.get("private") else "public",
        page=f"{address}/dataset/{package.get('name') or package['id']}",
        topic=next((text(g.get("title")) for g in package.get("groups") or () if isinstance(g, dict)), ""),
        tags=texts([t.get("display_name") or t.get("name") for t in package.get("tags") or () if isinstance(t, dict)]),
        offers=ordered(o for r in resources for o in _offers(address, r)),
        faults=() if resources else ("has no resource",),
    )  # fmt: skip


def _offers(address: str, resource: dict[str, Any]) -> Iterator[Offer]:
    place, named = text(resource.get("url")), text(resource.get("format")) or text(resource.get("mimetype"))
    if resource.get("datastore_active") and resource.get("id"):
        source = {"kind": "ckan", "url": address, "resource": str(resource["id"])}
        yield Offer(place or f"{address}/datastore/dump/{resource['id']}", "csv", source)
    elif place:
        yield offer(place, named)
