"""``kind: ogc``: features on a map for GIS programs, as OGC API - Features."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, urlencode

from starlette.routing import Route

from metroon.permit import NotThere
from metroon.serve.answer import address
from metroon.serve.documents import as_json, document
from metroon.serve.door import Door
from metroon.serve.features import Collection, Wanted, collections, extent, feature, find
from metroon.serve.geometry import boxes, during
from metroon.serve.query import MOST_OFFSET, whole
from metroon.serve.syndication import moment
from metroon.serve.trouble import Answer, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from metroon.base.catalog import Catalog
    from metroon.serve.features import Found
    from metroon.serve.site import Portal, Site

    Thing = dict[str, Any]
    """One object of a JSON document."""

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
CONFORMANCE = tuple(f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{c}" for c in ("core", "oas30", "geojson"))
_JSON, _GEOJSON, _HTML = "application/json", "application/geo+json", "text/html"
_OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}
_OF_ITEMS = ("limit", "offset", "bbox", "datetime", "version", "f")
"""Parameters of items that are no properties."""


class Ogc(Door):
    """Features on a map at ``/ogc``, for QGIS, ArcGIS, GDAL and other programs.

    Every dataset with shapes or points, every set of boundaries (``places.ID``) and every measure by neighborhood
    (``measures.NAME``). Neighborhoods whose number is hidden are there with their boundary, no number, and the reason.
    Longitude comes before latitude (CRS84).

    Args:
        limit: Features on one page, unless asked otherwise.
        most: Features on one page at most; who asks for more gets this many and the next page.
    """

    title: ClassVar[str] = "OGC API - Features"
    standard: ClassVar[str] = "OGC API - Features Part 1: Core 1.0"
    start: ClassVar[str] = "/ogc"
    limit: int = 100
    most: int = 10_000

    def routes(self, portal: Portal) -> Sequence[Route]:
        """Landing page, conformance, collections, items, and the description of it all."""

        def told(make: Callable[[Site, str], Thing], media: str = _JSON) -> Answer:
            def answer(request: Request, body: bytes) -> Response:
                site, at = portal.site(), address(request, portal.site())
                _only(request, ("f",))
                return document(request, as_json(make(site, at)), media=media, modified=site.changed)

            return Answer(answer)

        def one(request: Request, body: bytes) -> Response:
            site, at = portal.site(), address(request, portal.site())
            found = _collection(site, request)
            _only(request, ("f",))
            return document(request, as_json(_told(site, at, found)), media=_JSON, modified=site.changed)

        def items(request: Request, body: bytes) -> Response:
            return self._items(request, portal.site())

        def item(request: Request, body: bytes) -> Response:
            site, at = portal.site(), address(request, portal.site())
            found = _collection(site, request)
            _only(request, ("f",))
            here = f"{at}{request.url.path}"
            links = [_link(here, "self", _GEOJSON), _link(_path(at, found), "collection", _JSON)]
            line = feature(site, found, request.path_params["feature"])
            made = line.encode()[:-1] + b',"links":' + as_json(links) + b"}"
            return document(request, made, media=_GEOJSON, modified=site.changed)

        return [
            Route("/ogc", told(_landing)),
            Route("/ogc/", told(_landing)),
            Route("/ogc/conformance", told(lambda site, at: {"conformsTo": list(CONFORMANCE)})),
            Route("/ogc/api", told(self._openapi, _OPENAPI)),
            Route("/ogc/collections", told(_all)),
            Route("/ogc/collections/{collection}", Answer(one)),
            Route("/ogc/collections/{collection}/items", Answer(items)),
            Route("/ogc/collections/{collection}/items/{feature:path}", Answer(item)),
        ]

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """None: it answers questions."""
        return ()

    def _items(self, request: Request, site: Site) -> Response:
        one, at = _collection(site, request), address(request, site)
        wanted = self._wanted(request, one, site)
        found = find(site, one, wanted)
        features = ("[" + ",".join(found.lines) + "]").encode()
        frame = {
            "type": "FeatureCollection",
            "numberMatched": found.matched,
            "numberReturned": len(found.lines),
            "links": self._links(request, at, one, wanted, found),
        }
        known_by = as_json(frame) + features
        frame["timeStamp"] = moment(datetime.now(UTC))
        made = as_json(frame)[:-1] + b',"features":' + features + b"}"
        return document(request, made, media=_GEOJSON, modified=site.changed, known_by=known_by)

    def _wanted(self, request: Request, one: Collection, site: Site) -> Wanted:
        properties = tuple(c.name for c in one.columns if c.name not in _OF_ITEMS)
        given = _only(request, (*_OF_ITEMS, *properties))
        limit = whole(given.get("limit") or str(self.limit), parameter="limit", least=1, most=MOST_OFFSET)
        offset = whole(given.get("offset") or "0", parameter="offset", least=0, most=MOST_OFFSET)
        version = given.get("version")
        return Wanted(
            limit=min(limit, self.most),
            offset=offset,
            area=boxes(given["bbox"]) if "bbox" in given else (),
            time=during(given["datetime"], time_zone=site.catalog.time_zone) if "datetime" in given else None,
            where=tuple((n, v) for n, v in given.items() if n in properties),
            version=whole(version, parameter="version", least=1, most=MOST_OFFSET) if version is not None else None,
        )

    def _links(self, request: Request, at: str, one: Collection, wanted: Wanted, found: Found) -> list[Thing]:
        given = dict(request.query_params)
        # Pages of one answer are of one version, whatever comes meanwhile.
        pinned = {"version": str(found.version)} if found.version is not None else {}
        here = f"{_path(at, one)}/items"
        links = [
            _link(f"{here}?{urlencode(given)}" if given else here, "self", _GEOJSON),
            _link(_path(at, one), "collection", _JSON),
        ]
        after = wanted.offset + len(found.lines)
        if found.lines and after < found.matched:
            query = {**given, **pinned, "limit": str(wanted.limit), "offset": str(after)}
            links.append(_link(f"{here}?{urlencode(query)}", "next", _GEOJSON))
        if wanted.offset:
            before = max(0, wanted.offset - wanted.limit)
            query = {**given, **pinned, "limit": str(wanted.limit), "offset": str(before)}
            links.append(_link(f"{here}?{urlencode(query)}", "prev", _GEOJSON))
        return links

    def _openapi(self, site: Site, at: str) -> Thing:
        """What can be asked, as OpenAPI 3.0, of every collection with its own properties."""
        of_items = {
            "limit": _parameter("limit", "How many features at most.",
                                {"type": "integer", "minimum": 1, "maximum": self.most, "default": self.limit}),
            "offset": _parameter("offset", "How many features to leave out first.",
                                 {"type": "integer", "minimum": 0, "default": 0}),
            "bbox": _parameter("bbox", "West, south, east and north, in degrees; six numbers with heights.",
                               {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}),
            "datetime": _parameter("datetime", "A day, a time, or two of them with / between; .. leaves an end open.",
                                   {"type": "string"}),
            "version": _parameter("version", "The number of a version of the dataset.",
                                  {"type": "integer", "minimum": 1}),
            "f": _parameter("f", "The format; there is one.", {"type": "string", "enum": ["json"]}),
        }  # fmt: skip
        feature_ = {"name": "feature", "in": "path", "required": True, "schema": {"type": "string"}}
        paths = {
            "/": _operation("Landing page", "landing"),
            "/conformance": _operation("What it conforms to", "conformance"),
            "/api": _operation("This description", "api"),
            "/collections": _operation("All collections", "collections"),
        }
        shared = [{"$ref": f"#/components/parameters/{n}"} for n in of_items]
        for one in collections(site).values():
            path, name = f"/collections/{quote(one.id)}", one.id
            own = [
                _parameter(c.name, c.description or c.title, {"type": _TYPES.get(c.type, "string")})
                for c in one.columns
                if c.name not in of_items
            ]
            paths[path] = _operation(one.title, f"{name}.collection")
            paths[f"{path}/items"] = _operation(one.title, f"{name}.items", [*shared, *own], media=_GEOJSON)
            paths[f"{path}/items/{{feature}}"] = _operation(one.title, f"{name}.item", [feature_], media=_GEOJSON)
        return {
            "openapi": "3.0.3",
            "info": {"title": _title(site), "version": site.catalog.as_of.isoformat(), "description": _about(site)},
            "servers": [{"url": f"{at}/ogc"}],
            "paths": paths,
            "components": {"parameters": of_items},
        }


def _only(request: Request, known: Sequence[str]) -> Mapping[str, str]:
    """The parameters asked, each once, and only such as there are.

    Raises:
        Trouble: One is not known, or is there twice.
    """
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            shown = name[:60] if name.isprintable() else "?"
            fix = f"Ask with {', '.join(known)}."
            raise Trouble("unknown-parameter", f"There is no parameter '{shown}' here.", fix, shown)
        if name in given:
            raise Trouble("wrong-value", f"'{name}' is there twice.", "Ask with one value.", name)
        given[name] = value
    if given.get("f", "json") not in ("json", "geojson"):
        raise Trouble("wrong-value", "There is only one format.", "Ask with f=json, or leave it out.", "f")
    return given


def _collection(site: Site, request: Request) -> Collection:
    name = request.path_params["collection"]
    found = collections(site).get(name)
    if found is None:
        raise NotThere(name)
    return found


def _title(site: Site) -> str:
    words = site.words[site.default]
    return words.gettext("Open data of %(city)s on a map", city=site.catalog.city)


def _about(site: Site) -> str:
    words = site.words[site.default]
    told = words.gettext("Published rows with a place, boundaries, and numbers of neighborhoods.")
    invented = words.gettext("The city and its people are invented.") if site.catalog.is_invented else ""
    return f"{told} {invented}".strip()


def _link(href: str, rel: str, kind: str, title: str = "") -> Thing:
    return {"href": href, "rel": rel, "type": kind, **({"title": title} if title else {})}


def _path(at: str, one: Collection) -> str:
    return f"{at}/ogc/collections/{quote(one.id)}"


def _landing(site: Site, at: str) -> Thing:
    words = site.words[site.default]
    return {
        "title": _title(site),
        "description": _about(site),
        "links": [
            _link(f"{at}/ogc", "self", _JSON, words.gettext("This document")),
            _link(f"{at}/ogc/api", "service-desc", _OPENAPI, words.gettext("What can be asked, for programs")),
            _link(f"{at}/api", "service-doc", _HTML, words.gettext("What can be asked, for people")),
            _link(f"{at}/ogc/conformance", "conformance", _JSON, words.gettext("What it conforms to")),
            _link(f"{at}/ogc/collections", "data", _JSON, words.gettext("All collections")),
        ],
    }


def _all(site: Site, at: str) -> Thing:
    every = collections(site).values()
    return {
        "links": [_link(f"{at}/ogc/collections", "self", _JSON)],
        "collections": [_told(site, at, one) for one in every],
    }


def _told(site: Site, at: str, one: Collection) -> Thing:
    where: Thing = {}
    if (box := extent(site, one)) is not None:
        where["spatial"] = {"bbox": [list(box)], "crs": CRS84}
    if one.span is not None:
        first, last = (day.isoformat() for day in one.span)
        where["temporal"] = {"interval": [[f"{first}T00:00:00Z", f"{last}T23:59:59Z"]], "trs": GREGORIAN}
    path = _path(at, one)
    links = [
        _link(path, "self", _JSON, one.title),
        _link(f"{path}/items", "items", _GEOJSON, one.title),
        _link(f"{at}{quote(one.page)}", "describedby", _HTML, one.title),
    ]
    if one.licence:
        links.append(_link(one.licence, "license", _HTML))
    return {
        "id": one.id,
        "title": one.title,
        "description": one.description,
        "itemType": "feature",
        "crs": [CRS84],
        **({"extent": where} if where else {}),
        "links": links,
    }


def _parameter(name: str, description: str, schema: Thing) -> Thing:
    exploded = {"style": "form", "explode": False} if schema["type"] == "array" else {}
    return {"name": name, "in": "query", "description": description, "schema": schema, **exploded}


def _operation(summary: str, name: str, parameters: Sequence[Thing] = (), *, media: str = _JSON) -> Thing:
    problem = {"description": "It says what is wrong.", "content": {"application/problem+json": {}}}
    answers = {"200": {"description": summary, "content": {media: {"schema": {"type": "object"}}}}}
    return {
        "get": {
            "summary": summary,
            "operationId": name,
            **({"parameters": list(parameters)} if parameters else {}),
            "responses": {**answers, "400": problem, "404": problem, "503": problem},
        }
    }
