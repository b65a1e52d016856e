"""``socrata``: the discovery interface of Socrata portals, page by page, with the names of columns.

Source:
    Socrata Discovery API, ``/api/catalog/v1``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from metroon.collect.listing import Listed, Listing, NoListing, Offer, at, day, document, text, texts
from metroon.collect.offers import offer, ordered

if TYPE_CHECKING:
    from metroon.collect.listing import Asking

_PAGE = 100
_MOST_PAGES = 1000
_TABLES = ("dataset", "map", "filter", "federated_href", "href", "file", "geospatial")


def read(address: str, ask: Asking) -> Listing:
    """Every dataset of a Socrata portal; charts, stories and measures are none.

    Args:
        address: The portal's.
        ask: Answers addresses.

    Raises:
        NoListing: It is no Socrata portal.
    """
    domain = urlsplit(address).netloc
    made: dict[str, Listed] = {}
    total = passed = 0
    for page in range(_MOST_PAGES):
        query = f"domains={domain}&search_context={domain}&limit={_PAGE}&offset={page * _PAGE}&order=dataset_id"
        told = document(ask(f"{address}/api/catalog/v1?{query}"))
        results = at(told, "results")
        size = at(told, "resultSetSize")
        if not isinstance(results, list) or not isinstance(size, int):
            raise NoListing("it does not speak Socrata's discovery")
        total, passed = size, passed + len(results)
        tables = [r for r in results if at(r, "resource", "type") in _TABLES and at(r, "resource", "id")]
        made |= {str(r["resource"]["id"]): _listed(domain, r) for r in tables}
        if not results or passed >= total:
            break
    faults = (f"the portal says that there are {total:,} entries, and {passed:,} came",) if passed < total else ()
    return Listing(address, "socrata", tuple(made.values()), None if faults else len(made), faults)


def _listed(domain: str, told: dict[str, Any]) -> Listed:
    resource, known = told["resource"], str(told["resource"]["id"])
    own = {str(at(m, "key")).casefold(): text(at(m, "value"))
           for m in at(told, "classification", "domain_metadata") or ()}  # fmt: skip
    frequency = next((v for k, v in own.items() if "frequency" in k or "refresh" in k), "")
    owner = next((v for k, v in own.items() if k.endswith(("department", "agency", "owner")) and v), "")
    link = text(told.get("link")) or text(told.get("permalink"))
    is_elsewhere = resource["type"] in ("href", "federated_href")
    offers = [offer(link)] if is_elsewhere else [
        Offer(f"https://{domain}/resource/{known}.json", "json",
              {"kind": "socrata", "domain": domain, "dataset": known})
    ]  # fmt: skip
    return Listed(
        id=known,
        title=text(resource.get("name")),
        description=text(resource.get("description")),
        owner=owner or text(resource.get("attribution")) or text(at(told, "owner", "display_name")),
        contact=text(resource.get("contact_email")),
        changed=day(resource.get("data_updated_at")) or day(resource.get("updatedAt")),
        promised=frequency,
        license=text(at(told, "metadata", "license")),
        page=text(told.get("permalink")) or link,
        topic=text(at(told, "classification", "domain_category")),
        tags=texts(at(told, "classification", "domain_tags")),
        columns=tuple(c for c in resource.get("columns_name") or () if isinstance(c, str)),
        offers=ordered(offers),
    )
