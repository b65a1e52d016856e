"""The portal as one ASGI application: routes from pages and doors, in every language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from metroon.base import kinds
from metroon.permit import PUBLIC, NotThere
from metroon.serve.door import Door
from metroon.serve.page import Asked
from metroon.serve.pages.home import Home
from metroon.serve.words import LANGUAGES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from metroon.serve.page import Page
    from metroon.serve.site import Portal, Site

PAGES: tuple[Page, ...] = (Home(),)


def app(portal: Portal) -> ASGIApp:
    """The application that serves a portal."""
    doors = [kinds.find("serve", name, Door)() for name in kinds.names("serve")]
    routes = [Mount("/static", StaticFiles(packages=[("metroon.serve", "static")]))]
    routes += [r for d in doors for r in d.routes(portal)]
    routes += [Route(p.path, _shown(portal, p)) for p in PAGES]
    return _Languages(Starlette(routes=routes))


def _shown(portal: Portal, page: Page):
    def show(request: Request) -> Response:
        site = portal.site()
        asked = Asked(
            site, site.catalog, site.gate, PUBLIC, site.words[request.scope.get("language", site.default)],
            request.url.path, request.path_params, dict(request.query_params), str(request.base_url).rstrip("/"),
        )  # fmt: skip
        try:
            return HTMLResponse(render(asked, page))
        except NotThere:
            return Response(status_code=404)

    return show


def render(asked: Asked, page: Page) -> str:
    """A page as HTML."""
    site: Site = asked.site
    environment = site.templates.overlay()
    environment.install_gettext_callables(asked.words.gettext, asked.words.ngettext, newstyle=True)
    return environment.get_template(page.template).render(page=page.view(asked), asked=asked, words=asked.words)


class _Languages:
    """Takes the language from the front of the path: ``/es/goals`` is ``/goals`` in Spanish."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first, _, rest = scope.get("path", "/")[1:].partition("/")
        if scope["type"] == "http" and first in LANGUAGES:
            scope = {**scope, "path": f"/{rest}", "language": first}
        await self.inner(scope, receive, send)
