"""Offers: how a dataset that another portal lists can be had, and how product.yaml would collect it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from metroon.collect.listing import Offer

if TYPE_CHECKING:
    from collections.abc import Iterable

_KNOWN = {
    "csv": "csv", "text csv": "csv", "comma separated values": "csv", "tsv": "tsv",
    "json": "json", "application json": "json", "geojson": "geojson", "application vnd geo json": "geojson",
    "application geo json": "geojson", "ndjson": "ndjson", "jsonl": "ndjson",
    "xlsx": "xlsx", "xls": "xls", "excel": "xlsx", "microsoft excel": "xlsx", "application vnd ms excel": "xls",
    "application vnd openxmlformats officedocument spreadsheetml sheet": "xlsx",
    "shp": "shp", "shapefile": "shp", "zip": "zip", "application zip": "zip", "parquet": "parquet",
    "application vnd apache parquet": "parquet", "html": "html", "web page": "html", "web site": "html",
    "text html": "html", "pdf": "pdf", "application pdf": "pdf", "kml": "kml",
    "application vnd google earth kml xml": "kml", "xml": "xml", "text xml": "xml", "application xml": "xml",
    "arcgis geoservices rest api": "arcgis", "arcgis geoservice": "arcgis", "esri rest": "arcgis", "rdf": "rdf",
}  # fmt: skip
_READ_AS = {"csv": {"kind": "csv"}, "tsv": {"kind": "csv", "delimiter": "\t"}, "json": {"kind": "json"},
            "ndjson": {"kind": "ndjson"}, "geojson": {"kind": "geofile"}, "shp": {"kind": "geofile"},
            "xlsx": {"kind": "excel"}, "xls": {"kind": "excel"}, "parquet": {"kind": "parquet"}}  # fmt: skip
_LAYER = re.compile(r"(.+/(?:FeatureServer|MapServer))/(\d+)/?$")
_SODA = re.compile(r"/(?:resource|d|api/views|dataset/[^/]+|[^/]+/[^/]+)/([a-z0-9]{4}-[a-z0-9]{4})(?:[./]|$)")
_BEST = ("socrata", "ckan", "arcgis", "http", "")


def offer(address: str, named: str = "") -> Offer:
    """One way to have a dataset, with the source that would read it.

    Args:
        address: Where it lies.
        named: Its format as the catalog names it: a word, a media type, or nothing.

    Example:
        >>> offer("https://data.example.gov/api/views/abcd-1234/rows.csv?accessType=DOWNLOAD", "text/csv").source
        {'kind': 'socrata', 'domain': 'data.example.gov', 'dataset': 'abcd-1234'}
        >>> offer("https://gis.example.gov/arcgis/rest/services/Trees/FeatureServer/0").source
        {'kind': 'arcgis', 'url': 'https://gis.example.gov/arcgis/rest/services/Trees/FeatureServer/0'}
        >>> offer("https://files.example.gov/trees.csv").source
        {'kind': 'http', 'url': 'https://files.example.gov/trees.csv', 'as': {'kind': 'csv'}}
        >>> offer("https://www.example.gov/trees", "PDF").source
        {}
    """
    spoken = _format(address, named)
    return Offer(address, spoken, _source(address, spoken))


def ordered(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """Offers each once, those that are collected best first: a portal's own interface, then files, then pages."""
    each = {o.address: o for o in offers if o.address}
    return tuple(sorted(each.values(), key=lambda o: _BEST.index(str(o.source.get("kind", "")))))


def _format(address: str, named: str) -> str:
    word = " ".join(re.sub(r"[^a-z0-9]+", " ", named.partition(";")[0].casefold()).split())
    ending = urlsplit(address).path.rpartition(".")[2].casefold()
    return _KNOWN.get(word) or _KNOWN.get(ending) or ("arcgis" if _LAYER.match(address) else "")


def _source(address: str, spoken: str) -> dict[str, Any]:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return {}
    if _LAYER.match(address.partition("?")[0]):
        return {"kind": "arcgis", "url": address.partition("?")[0].rstrip("/")}
    if spoken in ("csv", "json", "xml", "rdf", "geojson") and (found := _SODA.search(parts.path)):
        return {"kind": "socrata", "domain": parts.netloc, "dataset": found[1]}
    reader = _READ_AS.get(spoken)
    return {"kind": "http", "url": address, "as": dict(reader)} if reader else {}
