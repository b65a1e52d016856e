"""``kind: sitemap``: every public page in every language, for search engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote
from xml.etree import ElementTree

from starlette.routing import Route

from metroon.permit import NotThere
from metroon.serve.answer import address
from metroon.serve.documents import document
from metroon.serve.door import Door
from metroon.serve.trouble import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from starlette.requests import Request
    from starlette.responses import Response

    from metroon.base.catalog import Catalog
    from metroon.serve.site import Portal, Site

_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML = "http://www.w3.org/1999/xhtml"
_NOT_LISTED = ("/search", "/404", "/500")
"""Pages that are made of what somebody typed, or that tell that there is none."""


class Sitemap(Door):
    """``/sitemap.xml`` and ``/robots.txt``: every public page in each language, with its other languages beside it.

    Args:
        most: Pages in one file; where there are more, ``/sitemap.xml`` lists the files.
    """

    title: ClassVar[str] = "Sitemap"
    standard: ClassVar[str] = "Sitemaps 0.9 with language alternates; robots.txt (RFC 9309)"
    start: ClassVar[str] = "/sitemap.xml"
    most: int = 5_000

    def routes(self, portal: Portal) -> Sequence[Route]:
        """The map, its parts, and what robots may read."""

        def whole(request: Request, body: bytes) -> Response:
            site, at = portal.site(), address(request, portal.site())
            paths = _public(request, site)
            parts = range(1, -(-len(paths) // self.most) + 1)
            xml = _index(at, parts, site.changed.date()) if len(parts) > 1 else _urls(site, at, paths)
            return document(request, xml, media="application/xml", modified=site.changed)

        def part(request: Request, body: bytes) -> Response:
            site, at, n = portal.site(), address(request, portal.site()), request.path_params["n"]
            paths = _public(request, site)[(n - 1) * self.most : n * self.most] if n else []
            if not paths:
                raise NotThere(str(n))
            return document(request, _urls(site, at, paths), media="application/xml", modified=site.changed)

        def robots(request: Request, body: bytes) -> Response:
            site, at = portal.site(), address(request, portal.site())
            hidden = [f"Disallow: {site.link('/search', n)}" for n in site.words]
            text = "\n".join(("User-agent: *", *hidden, "Allow: /", "", f"Sitemap: {at}/sitemap.xml", ""))
            return document(request, text, media="text/plain")

        return [
            Route("/sitemap.xml", Answer(whole)),
            Route("/sitemap-{n:int}.xml", Answer(part)),
            Route("/robots.txt", Answer(robots)),
        ]

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """The map and what robots may read."""
        return ("/sitemap.xml", "/robots.txt")


def _public(request: Request, site: Site) -> list[str]:
    """The paths of all pages, each once, in a fixed order."""
    pages: Any = getattr(request.app.state, "pages", ())
    found = (path for page in pages for path in page.paths(site.catalog))
    return [p for p in dict.fromkeys(found) if p not in _NOT_LISTED]


def _urls(site: Site, at: str, paths: Sequence[str]) -> bytes:
    days = {d.path: d.updated for d in site.catalog.datasets.values()}
    root = ElementTree.Element("urlset", {"xmlns": _SITEMAP, "xmlns:xhtml": _XHTML})
    for path in paths:
        others = {n: f"{at}{_quoted(site.link(path, n))}" for n in site.words}
        for here in others.values():
            url = ElementTree.SubElement(root, "url")
            ElementTree.SubElement(url, "loc").text = here
            if day := days.get(path):
                ElementTree.SubElement(url, "lastmod").text = day.isoformat()
            for language, href in (*others.items(), ("x-default", others[site.default])):
                said = {"rel": "alternate", "hreflang": language, "href": href}
                ElementTree.SubElement(url, "xhtml:link", said)
    return _xml(root)


def _index(at: str, parts: Iterable[int], changed: date) -> bytes:
    root = ElementTree.Element("sitemapindex", {"xmlns": _SITEMAP})
    for n in parts:
        one = ElementTree.SubElement(root, "sitemap")
        ElementTree.SubElement(one, "loc").text = f"{at}/sitemap-{n}.xml"
        ElementTree.SubElement(one, "lastmod").text = changed.isoformat()
    return _xml(root)


def _quoted(path: str) -> str:
    return quote(path, safe="/%-._~")


def _xml(root: ElementTree.Element) -> bytes:
    told: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return told
