"""One page as an answer: its HTML or its data, with what lets browsers keep it, and what is said when it fails."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from metroon.base.errors import Refused
from metroon.permit import PUBLIC, Gone, NotThere
from metroon.serve import formats, log, trouble
from metroon.serve.limits import LOOPBACK, Cut, refused
from metroon.serve.page import Asked, Page
from metroon.serve.site import NotReady

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from metroon.serve.site import Portal, Site

KEPT = "public, max-age=0, must-revalidate"
"""A page may be kept, and is asked for again each time: a new version must show at once, and 304 is cheap."""


@dataclass(frozen=True)
class Trouble:
    """What is said when there is no page to show.

    Args:
        title: What happened, in a few words.
        text: What to do, in a sentence.
    """

    title: str
    text: str


class Failed(Page):
    """The page for what went wrong here."""

    path = "/500"
    template = "trouble.html"

    def view(self, asked: Asked) -> Trouble:
        """Something went wrong."""
        words = asked.words
        text = words.gettext("The fault was written down, with nothing about you. Please try again later.")
        return Trouble(words.gettext("Something went wrong here"), text)


def asked_of(request: Request, portal: Portal, path: str = "") -> Asked:
    """What a request asks of a page.

    Args:
        request: The request.
        portal: Where the site of the moment comes from.
        path: The path of the page, when it is not the one that was asked for.
    """
    site = portal.site()
    words = site.words[request.scope.get("language") or site.default]
    parts = {k: v for k, v in request.path_params.items() if k != "ending"}
    return Asked(
        site, site.catalog, site.gate, PUBLIC, words, path or request.url.path, parts, _query(request),
        address(request, site),
    )  # fmt: skip


def _query(request: Request) -> dict[str, str]:
    first: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        first.setdefault(name, value)
    return first


def address(request: Request, site: Site) -> str:
    """The portal's own address: what the operator or the city said, unless somebody asks on this machine."""
    fixed = getattr(request.app.state, "address", "")
    if fixed:
        return str(fixed).rstrip("/")
    told = site.catalog.portal.address.rstrip("/")
    base = str(request.base_url).rstrip("/")
    return base if not told or (request.base_url.hostname or "") in LOOPBACK else told


def shown(portal: Portal, page: Page, render: Callable[[Asked, Page], str]) -> Callable[[Request], Response]:
    """The endpoint that shows a page as HTML."""

    def show(request: Request) -> Response:
        asked = asked_of(request, portal)
        headers = kept_by(asked, request)
        if is_known(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        # A question in plain words is somebody's: what it found is not kept.
        key = None if request.url.query else (asked.path, asked.words.language, asked.address)
        html = asked.site.shelf.get(key) if key else None
        if html is None:
            html = render(asked, page)
            if key:
                asked.site.shelf.put(key, html)
        return HTMLResponse(html, headers=headers)

    return show


def given(portal: Portal, page: Page) -> Callable[[Request], Response]:
    """The endpoint that gives what a page shows as data."""

    def give(request: Request) -> Response:
        ending = request.path_params["ending"]
        asked = asked_of(request, portal, request.url.path.removesuffix(f".{ending}"))
        data = page.data(asked)
        if data is None:
            raise NotThere(asked.path)
        known, is_head = request.headers.get("if-none-match", ""), request.method == "HEAD"
        response = formats.respond(asked, data, ending, is_head=is_head, if_none_match=known)
        response.headers.setdefault("Cache-Control", KEPT)
        response.headers.update(trouble.CORS)
        return response

    return give


def kept_by(asked: Asked, request: Request) -> dict[str, str]:
    """The headers by which a browser keeps an answer and asks whether it changed."""
    parts = (asked.site.edition, request.scope.get("language", ""), request.url.path, request.url.query, asked.address)
    tag = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    return {"ETag": f'W/"{tag}"', "Cache-Control": KEPT, "Last-Modified": format_datetime(asked.site.changed, True)}


def is_known(request: Request, tag: str) -> bool:
    """Whether the asker has this very answer already."""
    known = request.headers.get("if-none-match", "")
    return tag.removeprefix("W/") in {t.strip().removeprefix("W/") for t in known.split(",")}


class Refusals:
    """What is answered instead of a page: HTML for people, a problem document for programs.

    Args:
        portal: Where the site of the moment comes from.
        render: Makes a page HTML.
        missing: The page for what is not there.
        doors: First parts of paths that only programs ask for.
    """

    def __init__(
        self, portal: Portal, render: Callable[[Asked, Page], str], missing: Page, doors: frozenset[str]
    ) -> None:
        self._portal = portal
        self._render = render
        self._missing = missing
        self._doors = doors

    def not_there(self, request: Request, error: Exception) -> Response:
        """There is nothing of that name; an old address leads to its new one."""
        try:
            site = self._portal.site()
        except NotReady as not_ready:
            return self.not_ready(request, not_ready)
        if moved := site.redirects.get(request.url.path):
            return RedirectResponse(site.link(moved, self._language(request, site)), 301)
        if self._is_program(request):
            return trouble.trouble_of(error if isinstance(error, NotThere) else NotThere()).response()
        return self._page(request, self._missing, 410 if isinstance(error, Gone) else 404)

    def http(self, request: Request, error: Exception) -> Response:
        """A refusal of the framework, or of a limit."""
        status, detail = getattr(error, "status_code", 500), str(getattr(error, "detail", ""))
        if status == 404:
            return self.not_there(request, error)
        return refused(status, detail, detail, dict(getattr(error, "headers", None) or {}))

    def trouble(self, request: Request, error: Exception) -> Response:
        """What a page's data could not be made of the question."""
        return error.response() if isinstance(error, trouble.Trouble) else self.failed(request, error)

    def not_ready(self, request: Request, error: Exception) -> Response:
        """The first catalog is still being gathered."""
        return refused(503, "Not ready yet", "The city's data are being gathered.", {"Retry-After": "2"})

    def failed(self, request: Request, error: Exception) -> Response:
        """Something went wrong here. It is written down without its message, which may hold a value."""
        if isinstance(error, Cut | ClientDisconnect):
            return Response(status_code=503)  # nobody waits for it, and nothing is wrong here
        told = {"id": request.scope.get("request_id", ""), "route": log.pattern(request.scope)}
        log.ERRORS.error("failed", extra={"told": {**told, **log.failure(error)}})
        status = 503 if isinstance(error, Refused) else 500
        if self._is_program(request):
            return refused(status, "Something went wrong here", "Please try again later.")
        return self._page(request, Failed(), status)

    def _page(self, request: Request, page: Page, status: int) -> Response:
        html = self._render(asked_of(request, self._portal), page)
        return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})

    def _language(self, request: Request, site: Site) -> str:
        return str(request.scope.get("language") or site.default)

    def _is_program(self, request: Request) -> bool:
        accept = request.headers.get("accept", "")
        first = request.url.path[1:].partition("/")[0]
        # The page about the doors is at /api; all that is behind it is for programs.
        is_door = first in self._doors or request.url.path.startswith("/api/")
        return is_door or bool(request.path_params.get("ending")) or "json" in accept.partition(",")[0]


def health(portal: Portal) -> Callable[[Request], Response]:
    """The endpoint that tells whether the server lives, what it serves and how old that is."""

    def tell(request: Request) -> Response:
        try:
            site = portal.site()
        except NotReady:
            return JSONResponse({"status": "gathering"}, 503, headers={"Cache-Control": "no-store", "Retry-After": "2"})
        told = {
            "status": "ready",
            "catalog": site.catalog.identity,
            "made_at": site.catalog.made_at.isoformat(timespec="seconds"),
            "age_s": site.age_s(),
            "as_of": site.catalog.as_of.isoformat(),
            "datasets": len(site.catalog.datasets),
        }
        # Which file is wrong stands in the log: here everybody may ask.
        is_stale = bool(getattr(portal, "trouble", ""))
        return JSONResponse({**told, "is_stale": is_stale}, headers={"Cache-Control": "no-store"})

    return tell


def alive(request: Request) -> Response:
    """The process answers; whether it is ready is asked elsewhere."""
    return JSONResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})
