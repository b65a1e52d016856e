"""``kind: dcat``: the catalog as DCAT-US, for the catalogs of states and nations that harvest it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from starlette.routing import Route

from metroon.permit import NotThere
from metroon.serve.answer import address
from metroon.serve.dcat_terms import FEATURES, Described, box, contact_of_portal, described, has_contract
from metroon.serve.documents import as_json, document, kept
from metroon.serve.door import Door
from metroon.serve.permanent import permanent_id
from metroon.serve.trouble import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from metroon.base.catalog import Catalog, Check
    from metroon.serve.dcat_terms import Box, Contact, File
    from metroon.serve.site import Portal
    from metroon.serve.words import Words

    Thing = dict[str, Any]
    """One object of a JSON document."""

SCHEMA_1 = "https://project-open-data.cio.gov/v1.1/schema"
SCHEMA_3 = "https://resources.data.gov/dcat-us/3.0.0/definitions/catalog"
_IRI = {"@type": "@id"}
CONTEXT: Thing = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcat-us": "http://data.resources.gov/ontology/dcat-us#",
    "dcterms": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    **{n: f"dcat:{n}" for n in ("Catalog", "DataService", "Dataset", "Distribution")},
    **{n: f"dcterms:{n}" for n in ("Location", "PeriodOfTime", "Standard")},
    **{n: f"dqv:{n}" for n in ("Metric", "QualityMeasurement")},
    **{n: f"skos:{n}" for n in ("Concept", "ConceptScheme")},
    "Document": "foaf:Document",
    "Identifier": "adms:Identifier",
    "Kind": "vcard:Kind",
    "Organization": "org:Organization",
    **{n: {"@id": f"dcat:{n}", **_IRI} for n in ("accessURL", "downloadURL", "endpointURL")},
    **{n: f"dcat:{n}" for n in ("contactPoint", "dataset", "distribution", "keyword", "landingPage", "mediaType")},
    **{n: f"dcat:{n}" for n in ("service", "theme", "version")},
    "bbox": "dcat:bbox",
    "startDate": {"@id": "dcat:startDate", "@type": "xsd:date"},
    "endDate": {"@id": "dcat:endDate", "@type": "xsd:date"},
    "issued": {"@id": "dcterms:issued", "@type": "xsd:date"},
    "modified": {"@id": "dcterms:modified", "@type": "xsd:date"},
    **{n: f"dcterms:{n}" for n in ("accessRights", "accrualPeriodicity", "conformsTo", "description", "format")},
    **{n: f"dcterms:{n}" for n in ("identifier", "language", "license", "provenance", "publisher", "rights")},
    **{n: f"dcterms:{n}" for n in ("spatial", "temporal", "title")},
    **{n: f"dcat-us:{n}" for n in ("describedBy", "liabilityStatement", "purpose")},
    **{n: f"dqv:{n}" for n in ("hasQualityMeasurement", "isMeasurementOf", "value")},
    **{n: {"@id": f"dqv:{n}", **_IRI} for n in ("expectedDataType", "inDimension")},
    **{n: f"skos:{n}" for n in ("definition", "inScheme", "notation", "prefLabel", "scopeNote")},
    **{n: f"vcard:{n}" for n in ("fn",)},
    "hasEmail": {"@id": "vcard:hasEmail", **_IRI},
    "homepage": "foaf:homepage",
    "name": "foaf:name",
    "schemaAgency": "adms:schemaAgency",
    "subOrganizationOf": "org:subOrganizationOf",
    "versionNotes": "adms:versionNotes",
}
"""What every word of the document means in RDF: it stands in the document, so nobody has to fetch it."""


class Dcat(Door):
    """The catalog as DCAT-US 1.1 at ``/data.json`` and 3.0 at ``/catalog.jsonld``.

    Both list every dataset, whoever may have its rows: what is not public has an access level and no files. Names are
    permanent, dates are those of versions, and what a city has not declared is left out, never made up.
    """

    title: ClassVar[str] = "DCAT-US"
    standard: ClassVar[str] = "DCAT-US 1.1 (Project Open Data) and 3.0"
    start: ClassVar[str] = "/data.json"

    def routes(self, portal: Portal) -> Sequence[Route]:
        """Both catalogs, and the contracts that they point to."""

        def told(name: str, media: str, make: Callable[[Catalog, Words, str], Thing]) -> Answer:
            def answer(request: Request, body: bytes) -> Response:
                site = portal.site()
                at, catalog, words = address(request, site), site.catalog, site.words[site.default]
                made = kept(site, ("dcat", name), at, lambda: as_json(make(catalog, words, at)))
                return document(request, made, media=media, modified=site.changed)

            return Answer(answer)

        def contract(request: Request, body: bytes) -> Response:
            dataset = portal.site().catalog.datasets.get(request.path_params["name"])
            if dataset is None or not has_contract(dataset):
                raise NotThere(request.path_params["name"])
            return document(request, dataset.contract, media="application/yaml")

        return [
            Route("/data.json", told("1.1", "application/json", data_json)),
            Route("/catalog.jsonld", told("3.0", "application/ld+json", catalog_jsonld)),
            Route("/datasets/{name}/contract.yaml", Answer(contract)),
        ]

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """Both catalogs and every contract."""
        contracts = [f"/datasets/{d.name}/contract.yaml" for d in catalog.datasets.values() if has_contract(d)]
        return ("/data.json", "/catalog.jsonld", *contracts)


def data_json(catalog: Catalog, words: Words, at: str) -> Thing:
    """The catalog in DCAT-US 1.1.

    Datasets without any date, such as listed ones that nobody has collected yet, are in version 3.0 only: 1.1 asks for
    a date of change, and there is none.
    """
    every = (d for d in _described(catalog, words, at) if d.modified is not None)
    return {
        "@context": f"{SCHEMA_1}/catalog.jsonld",
        "@id": f"{at}/data.json",
        "@type": "dcat:Catalog",
        "conformsTo": SCHEMA_1,
        "describedBy": f"{SCHEMA_1}/catalog.json",
        "dataset": [_dataset_1(d, catalog, words) for d in every],
    }


def catalog_jsonld(catalog: Catalog, words: Words, at: str) -> Thing:
    """The catalog in DCAT-US 3.0."""
    every = _described(catalog, words, at)
    title = words.gettext("Open data of %(city)s", city=catalog.city)
    days = [d.modified for d in every if d.modified is not None]
    asked = contact_of_portal(catalog)
    return {
        "@context": CONTEXT,
        "@id": permanent_id(catalog.city, "/catalog"),
        "@type": "Catalog",
        "title": title,
        "description": words.plain(catalog.portal.about) or title,
        "conformsTo": {"@id": SCHEMA_3, "@type": "Standard", "title": "DCAT-US 3.0"},
        "homepage": {"@type": "Document", "title": title, "accessURL": f"{at}/"},
        "publisher": _organization(catalog.city),
        "language": [words.language[:2]],
        **_without_nothing(
            modified=max(days).isoformat() if days else "", spatial=_spatial(box(catalog), catalog.city)
        ),
        "service": _services(catalog, words, at, asked) if asked is not None else [],
        "dataset": [_dataset_3(d, catalog, words) for d in every],
    }


def _described(catalog: Catalog, words: Words, at: str) -> list[Described]:
    ordered = sorted(catalog.datasets.values(), key=lambda d: d.name)
    return [described(d, catalog, words=words, address=at) for d in ordered]


def _without_nothing(**told: Any) -> Thing:
    """The fields that say something."""
    return {k: v for k, v in told.items() if v not in ("", None, [], {})}


def _dataset_1(d: Described, catalog: Catalog, words: Words) -> Thing:
    city = {"@type": "org:Organization", "name": catalog.city}
    publisher = city if d.publisher == catalog.city else {**city, "name": d.publisher, "subOrganizationOf": city}
    return {
        "@type": "dcat:Dataset",
        "identifier": d.id,
        "title": words.plain(d.dataset.title),
        "description": d.description,
        "accessLevel": d.dataset.access,
        "keyword": list(d.keywords),
        "publisher": publisher,
        **_without_nothing(
            modified=d.modified.isoformat() if d.modified else "",
            issued=d.issued.isoformat() if d.issued else "",
            contactPoint=_vcard(d.contact, "vcard:Contact"),
            license=d.licence,
            accrualPeriodicity=f"R/{d.every}" if d.every else "",
            spatial=",".join(f"{x:.6f}" for x in d.box) if d.box else "",
            temporal="/".join(day.isoformat() for day in d.span) if d.span else "",
            describedBy=d.contract,
            describedByType="application/yaml" if d.contract else "",
            distribution=_distributions_1(d),
        ),
        "rights": d.rights,
        "landingPage": d.page,
        "language": [words.language],
        "theme": [words.plain(d.dataset.topic.replace("_", " ")) or d.publisher],
    }


def _distributions_1(d: Described) -> list[Thing]:
    found = [
        {"@type": "dcat:Distribution", "title": f.title, "downloadURL": f.url, "mediaType": f.media, "format": f.title,
         "conformsTo": f.standard}
        for f in d.files
    ]  # fmt: skip
    if d.rows_api:
        found.append({"@type": "dcat:Distribution", "title": "API", "accessURL": d.rows_api, "format": "API"})
    if d.map_api:
        told = {"title": "OGC API - Features", "accessURL": d.map_api, "format": "API", "conformsTo": FEATURES}
        found.append({"@type": "dcat:Distribution", **told})
    return found


def _vcard(contact: Contact | None, kind: str) -> Thing:
    return {"@type": kind, "fn": contact.name, "hasEmail": f"mailto:{contact.email}"} if contact else {}


def _dataset_3(d: Described, catalog: Catalog, words: Words) -> Thing:
    dataset = d.dataset
    newest = dataset.editions[0] if dataset.editions else None
    return {
        "@id": d.id,
        "@type": "Dataset",
        "identifier": {"@type": "Identifier", "notation": d.id, "schemaAgency": catalog.city},
        "title": words.plain(dataset.title),
        "description": d.description,
        "accessRights": dataset.access,
        "rights": [d.rights],
        "keyword": list(d.keywords),
        "theme": [_concept(words.plain(dataset.topic.replace("_", " ")) or d.publisher, words.gettext("Topics"))],
        "publisher": _organization(d.publisher, catalog.city),
        "landingPage": {"@type": "Document", "title": words.plain(dataset.title), "accessURL": d.page},
        "language": [words.language[:2]],
        **_without_nothing(
            contactPoint=[_vcard(d.contact, "Kind")] if d.contact else [],
            issued=d.issued.isoformat() if d.issued else "",
            modified=d.modified.isoformat() if d.modified else "",
            version=str(newest.number) if newest else "",
            versionNotes=" ".join(f"{c}." for c in newest.changes) if newest else "",
            accrualPeriodicity=f"R/{d.every}" if d.every else "",
            spatial=_spatial(d.box, catalog.city),
            temporal=_temporal(d),
            purpose="; ".join(words.plain(p.replace("_", " ")) for p in dataset.purposes),
            provenance=[words.plain(dataset.provenance)] if dataset.provenance else [],
            scopeNote=words.plain(dataset.gap),
            liabilityStatement=words.plain(dataset.limitations),
            describedBy=_contract(d, words),
            distribution=_distributions_3(d, words),
            hasQualityMeasurement=[_quality(c, catalog, words) for c in dataset.checks],
        ),
    }


def _organization(name: str, parent: str = "") -> Thing:
    above = {"subOrganizationOf": [_organization(parent)]} if parent and parent != name else {}
    return {"@type": "Organization", "name": name, **above}


def _concept(label: str, scheme: str) -> Thing:
    return {"@type": "Concept", "prefLabel": label, "inScheme": {"@type": "ConceptScheme", "title": scheme}}


def _spatial(where: Box | None, city: str) -> list[Thing]:
    if where is None:
        return []
    west, south, east, north = (f"{x:.6f}" for x in where)
    corners = f"{west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}"
    return [{"@type": "Location", "prefLabel": city, "bbox": f"POLYGON(({corners}))"}]


def _temporal(d: Described) -> list[Thing]:
    if d.span is None:
        return []
    first, last = d.span
    return [{"@type": "PeriodOfTime", "startDate": first.isoformat(), "endDate": last.isoformat()}]


def _contract(d: Described, words: Words) -> Thing:
    told = {"title": words.gettext("Data contract"), "downloadURL": d.contract, "mediaType": "application/yaml"}
    return {"@type": "Distribution", **told} if d.contract else {}


def _distributions_3(d: Described, words: Words) -> list[Thing]:
    shared = {"@type": "Distribution", **_without_nothing(license=d.licence)}
    found = [{**shared, **_file(f)} for f in d.files]
    if d.rows_api:
        title = words.gettext("Rows for programs")
        found.append({**shared, "title": title, "accessURL": d.rows_api, "format": "REST"})
    if d.map_api:
        standard = [{"@id": FEATURES, "@type": "Standard", "title": "OGC API - Features Part 1"}]
        told = {"title": words.gettext("Shapes for programs"), "accessURL": d.map_api, "conformsTo": standard}
        found.append({**shared, **told, "format": "OGC API - Features"})
    return found


def _file(f: File) -> Thing:
    standard = [{"@id": f.standard, "@type": "Standard", "title": f.title}]
    return {"title": f.title, "downloadURL": f.url, "mediaType": f.media, "format": f.title, "conformsTo": standard}


def _quality(check: Check, catalog: Catalog, words: Words) -> Thing:
    """Whether one rule of the contract is kept: no count of rows, for that may be one person."""
    metric = {
        "@type": "Metric",
        "expectedDataType": "http://www.w3.org/2001/XMLSchema#boolean",
        "inDimension": permanent_id(catalog.city, f"/quality/{check.dimension or 'conformity'}"),
        "definition": words.gettext(
            "Whether this rule of the contract is kept, which looks for: %(rule)s", rule=words.plain(check.text)
        ),
    }
    return {"@type": "QualityMeasurement", "isMeasurementOf": metric, "value": str(check.is_kept).lower()}


def _services(catalog: Catalog, words: Words, at: str, asked: Contact) -> list[Thing]:
    told = [("/api/v1", words.gettext("Rows for programs")), ("/ogc", words.gettext("Shapes for programs"))]
    return [
        {
            "@id": permanent_id(catalog.city, path), "@type": "DataService", "title": title,
            "endpointURL": [f"{at}{path}"], "publisher": _organization(catalog.city),
            "contactPoint": [_vcard(asked, "Kind")],
        }
        for path, title in told
    ]  # fmt: skip
