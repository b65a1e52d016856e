"""A dataset in the words of schema.org, for the head of its page and for search engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metroon.serve.dcat_terms import described
from metroon.serve.words import Words

if TYPE_CHECKING:
    from metroon.base.catalog import Catalog, Column, Dataset
    from metroon.serve.dcat_terms import Described

    Thing = dict[str, Any]
    """One object of a JSON document."""


def dataset_jsonld(dataset: Dataset, catalog: Catalog, address: str, *, words: Words | None = None) -> Thing:
    """A dataset in the words of schema.org.

    Args:
        dataset: The dataset, whoever may have its rows; what is not published has no files in it.
        catalog: The catalog that it is in.
        address: The portal's own address, without a slash at its end.
        words: The language; English unless given.
    """
    words = words or Words("en")
    d = described(dataset, catalog, words=words, address=address)
    city = {"@type": "GovernmentOrganization", "name": catalog.city, "url": f"{address}/"}
    owner = city if d.publisher == catalog.city else {
        "@type": "GovernmentOrganization", "name": d.publisher, "parentOrganization": city,
    }  # fmt: skip
    told: Thing = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": d.id,
        "identifier": d.id,
        "name": words.plain(dataset.title),
        "description": _description(d, catalog, words),
        "url": d.page,
        "inLanguage": words.language,
        "keywords": list(d.keywords),
        "isAccessibleForFree": dataset.has_rows,
        "creator": owner,
        "publisher": city,
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "name": words.gettext("Open data of %(city)s", city=catalog.city),
            "url": f"{address}/datasets",
        },
        "variableMeasured": [_variable(c, words) for c in dataset.columns if c.is_open or not dataset.has_rows],
        **_dated(d),
    }
    if d.licence:
        told["license"] = d.licence
    if d.box is not None:
        west, south, east, north = d.box
        shape = {"@type": "GeoShape", "box": f"{south:.6f} {west:.6f} {north:.6f} {east:.6f}"}
        told["spatialCoverage"] = {"@type": "Place", "name": catalog.city, "geo": shape}
    if d.files:
        told["distribution"] = [
            {"@type": "DataDownload", "name": f.title, "encodingFormat": f.media, "contentUrl": f.url} for f in d.files
        ]
    return told


def _description(d: Described, catalog: Catalog, words: Words) -> str:
    invented = words.gettext("Invented data of a demonstration city.") if catalog.is_invented else ""
    dataset = d.dataset
    told = (invented, d.description, words.plain(dataset.gap), words.plain(dataset.limitations))
    return " ".join(t.strip() for t in told if t.strip())


def _dated(d: Described) -> Thing:
    dated: Thing = {}
    if d.issued is not None:
        dated["datePublished"] = d.issued.isoformat()
    if d.modified is not None:
        dated["dateModified"] = d.modified.isoformat()
    if d.dataset.version is not None:
        dated["version"] = str(d.dataset.version)
    if d.span is not None:
        dated["temporalCoverage"] = "/".join(day.isoformat() for day in d.span)
    return dated


def _variable(column: Column, words: Words) -> Thing:
    told = {"@type": "PropertyValue", "name": column.name, "alternateName": words.plain(column.title)}
    if column.description:
        told["description"] = words.plain(column.description)
    return told
