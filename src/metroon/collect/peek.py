"""Peeking: the names of a dataset's columns, from a few kilobytes of what its catalog offers."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any

from metroon.collect.listing import NoListing, at, document

if TYPE_CHECKING:
    from metroon.collect.listing import Asking, Listed, Offer

_MOST = 1 << 16
"""Bytes of a file that are asked for: its first line is in them, or it is no table."""


def columns(dataset: Listed, ask: Asking) -> tuple[str, ...]:
    """The names of its columns: what the catalog tells, else what the first offer tells that can be asked.

    Args:
        dataset: As its catalog lists it.
        ask: Answers addresses.

    Returns:
        Names; none when nothing that is offered tells them.
    """
    if dataset.columns:
        return dataset.columns
    for offer in dataset.offers:
        try:
            if found := _asked(offer, ask):
                return found
        except NoListing:
            continue
    return ()


def _asked(offer: Offer, ask: Asking) -> tuple[str, ...]:
    kind = offer.source.get("kind")
    if kind == "ckan":
        told = document(
            ask(f"{offer.source['url']}/api/3/action/datastore_search?resource_id={offer.source['resource']}&limit=0")
        )
        return tuple(n for n in _names(at(told, "result", "fields"), "id") if n != "_id")
    if kind == "arcgis":
        return _names(at(document(ask(f"{offer.source['url']}?f=json")), "fields"), "name")
    if kind == "socrata":
        domain, known = offer.source["domain"], offer.source["dataset"]
        return _names(at(document(ask(f"https://{domain}/api/views/{known}.json")), "columns"), "name")
    if kind == "http" and offer.format in ("csv", "tsv", "geojson", "json"):
        return _of_file(ask(offer.address, most=_MOST), offer.format)
    return ()


def _names(told: object, key: str) -> tuple[str, ...]:
    listed = told if isinstance(told, list) else []
    return tuple(n for entry in listed if isinstance(n := at(entry, key), str))


def _of_file(content: bytes, spoken: str) -> tuple[str, ...]:
    """The names in the beginning of a file.

    Example:
        >>> _of_file(b"id,name", "csv"), _of_file(b'{"features":[{"properties":{"id":1,"k', "geojson")
        (('id', 'name'), ('id',))
    """
    text = content.decode("utf-8-sig", errors="replace")
    if spoken in ("csv", "tsv"):
        first = next(csv.reader(text.splitlines()[:1], delimiter="\t" if spoken == "tsv" else ","), [])
        return tuple(n.strip() for n in first if n.strip()) if len(first) > 1 else ()
    begin = re.search(r'"properties"\s*:\s*(?=\{)' if spoken == "geojson" else r"\[\s*(?=\{)", text)
    return tuple(_keys(text[begin.end() :])) if begin else ()


def _keys(text: str) -> list[str]:
    """The keys of the object that a text begins with, as far as it goes."""
    try:
        told, _ = json.JSONDecoder().raw_decode(text)
        return [k for k in told if isinstance(k, str)]
    except ValueError:
        flat: Any = re.findall(
            r'[{,]\s*"((?:[^"\\]|\\.)*)"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[-\d.eE+]+|true|false|null)(?=[,}])', text
        )
        return list(dict.fromkeys(flat))
