"""The portal as one ASGI application: routes from pages and doors, in every language."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio.to_thread
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from metroon.base import kinds
from metroon.permit import NotThere
from metroon.serve import answer
from metroon.serve.door import Door
from metroon.serve.fonts import FontFiles, default_cache
from metroon.serve.headers import Secured
from metroon.serve.limits import Limited, Limits
from metroon.serve.log import Logged
from metroon.serve.page import Page
from metroon.serve.pages.about import About
from metroon.serve.pages.accessibility import Accessibility
from metroon.serve.pages.api import Api
from metroon.serve.pages.dataset import DatasetPage
from metroon.serve.pages.datasets import Datasets
from metroon.serve.pages.feeds import Feeds
from metroon.serve.pages.glossary import Glossary
from metroon.serve.pages.goal import Goal
from metroon.serve.pages.goals import Goals
from metroon.serve.pages.home import Home
from metroon.serve.pages.measure import MeasurePage
from metroon.serve.pages.measures import Measures
from metroon.serve.pages.method import Method
from metroon.serve.pages.neighborhood import Neighborhood, NeighborhoodSheet
from metroon.serve.pages.neighborhoods import Neighborhoods
from metroon.serve.pages.not_found import NotFound
from metroon.serve.pages.plan import PlanPage
from metroon.serve.pages.privacy import Privacy
from metroon.serve.pages.protocol import ProtocolPage
from metroon.serve.pages.protocols import Protocols
from metroon.serve.pages.search import Search
from metroon.serve.pages.stories import Stories
from metroon.serve.pages.story import StoryPage
from metroon.serve.pages.term import TermPage
from metroon.serve.site import NotReady
from metroon.serve.trouble import Trouble

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from metroon.serve.page import Asked
    from metroon.serve.site import Portal, Site

PAGES: tuple[Page, ...] = (
    Datasets(),
    DatasetPage(),
    Search(),
    Home(),
    Neighborhoods(),
    Neighborhood(),
    NeighborhoodSheet(),
    Goals(),
    Goal(),
    Measures(),
    MeasurePage(),
    PlanPage(),
    Stories(),
    StoryPage(),
    Glossary(),
    TermPage(),
    Method(),
    Privacy(),
    Protocols(),
    ProtocolPage(),
    Accessibility(),
    Feeds(),
    Api(),
    About(),
)

ENDINGS = ("csv", "json", "parquet", "geojson", "xlsx")
"""A page's path with one of them is its data."""
_COMPRESSED = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/octet-stream",
    "application/vnd.apache.arrow.stream",
    "application/vnd.apache.parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)


def app(
    portal: Portal,
    limits: Limits | None = None,
    *,
    address: str = "",
    is_https: bool = False,
    plugins: Path | None = None,
) -> ASGIApp:
    """The application that serves a portal.

    Args:
        portal: Where the site of the moment comes from.
        limits: What it lets itself be asked.
        address: The portal's public address, such as ``https://data.example.gov``, when it is not to be taken from
            the city's declaration.
        is_https: Whether residents come by https, so that browsers may be told to keep to it.
        plugins: The city repo's folder of kinds of its own, for doors that only this city has.

    Raises:
        Refused: A door of the city cannot be loaded, or has the name of another one.
    """
    kept = limits or Limits()
    opening = doors(plugins)
    fonts = FontFiles(default_cache())
    routes: list[Mount | Route] = [
        Route("/health", answer.health(portal)),
        Route("/health/ready", answer.health(portal)),
        Route("/health/live", answer.alive),
        Route("/static/fonts/{name}", fonts.answer),
        Mount("/static", _Static(packages=[("metroon.serve", "static")])),
    ]
    opened = [r for d in opening for r in d.routes(portal)]
    own = {p.path.split("/")[1] for p in PAGES}
    programs = frozenset(r.path.split("/")[1] for r in opened if isinstance(r, Route | Mount)) - own
    refusals = answer.Refusals(portal, render, NotFound(), programs)
    starlette = Starlette(
        routes=[*routes, *opened, *_data(portal), *(Route(p.path, answer.shown(portal, p, render)) for p in PAGES)],
        exception_handlers={
            NotThere: refusals.not_there,
            NotReady: refusals.not_ready,
            Trouble: refusals.trouble,
            HTTPException: refusals.http,
            Exception: refusals.failed,
        },
        lifespan=_started(kept.threads, fonts),
    )
    starlette.router.redirect_slashes = False
    starlette.state.address = address
    starlette.state.pages = PAGES
    small = GZipMiddleware(_Languages(starlette, portal, programs), compresslevel=5, exclude_content_types=_COMPRESSED)
    return Logged(Secured(Limited(small, kept), is_https=is_https))


def doors(plugins: Path | None = None) -> list[Door]:
    """Every door that there is, made ready with its usual limits.

    Args:
        plugins: The city repo's folder of kinds of its own.

    Raises:
        Refused: A door of the city cannot be loaded, or has the name of another one.
    """
    return [kinds.find("serve", name, Door, plugins)() for name in kinds.names("serve", plugins)]


def _data(portal: Portal) -> list[Route]:
    having = [p for p in PAGES if type(p).data is not Page.data and p.path != "/"]
    return [Route(f"{p.path}.{{ending:ending}}", answer.given(portal, p)) for p in having]


def render(asked: Asked, page: Page) -> str:
    """A page as HTML."""
    site: Site = asked.site
    template = site.environment(asked.words.language).get_template(page.template)
    return template.render(page=page.view(asked), asked=asked, words=asked.words)


class _Ending(Convertor[str]):
    regex = "|".join(ENDINGS)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("ending", _Ending())


class _Static(StaticFiles):
    """Files of the package: those that are asked for by their version never change."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        is_named = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_named else "public, max-age=600"
        return response


def _started(threads: int, fonts: FontFiles):  # type: ignore[no-untyped-def]  # Starlette's own type for it is private
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[Mapping[str, object]]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = threads
        fonts.start()
        yield {}

    return lifespan


class _Languages:
    """Takes the language from the front of the path: ``/es/goals`` is ``/goals`` in Spanish.

    A path with a slash at its end leads to the one without, and one in the city's own language to the one that
    does not name it.
    """

    def __init__(self, inner: ASGIApp, portal: Portal, programs: frozenset[str]) -> None:
        self.inner = inner
        self.portal = portal
        self.programs = programs | {"static", "health"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "/")
        if scope["type"] != "http" or path[1:].partition("/")[0] in self.programs:
            await self.inner(scope, receive, send)
            return
        try:
            site = self.portal.site()
        except NotReady:
            await self.inner(scope, receive, send)
            return
        first, _, rest = path[1:].partition("/")
        language = first if first in site.words else ""
        plain = f"/{rest}" if language else path
        target = "/" + plain.strip("/")
        wanted = target if language in ("", site.default) else site.link(target, language)
        if wanted != path and scope["method"] in ("GET", "HEAD"):
            query = scope.get("query_string", b"").decode("latin-1")
            moved = RedirectResponse(quote(wanted) + (f"?{query}" if query else ""), 308)
            await moved(scope, receive, send)
            return
        # In place: who writes the log outside must see which route answered.
        scope["path"] = plain if language else path
        if language:
            scope["language"] = language
        await self.inner(scope, receive, send)
