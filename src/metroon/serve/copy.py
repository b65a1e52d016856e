"""A copy of the portal as files: every page in every language, for a machine without a server or without a network."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from metroon.base.errors import Problem, Refused
from metroon.permit import PUBLIC
from metroon.serve.app import ENDINGS, PAGES, app, doors, render
from metroon.serve.page import Asked, Page
from metroon.serve.pages.not_found import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Message

    from metroon.serve.site import Portal, Site

MARK = ".metroon-copy.json"
"""Stands in a folder that a copy was written to, so that no other folder is ever replaced."""
MOST_ROWS = 100_000
"""Tables with more rows are left to the server: a copy is for reading."""
_LINK = re.compile(r"""(?:href|src)=["']([^"'#]+)""")
_URL = re.compile(r"""url\(["']?([^"')]+)""")
_FONTS = "/static/fonts/fonts.css"


@dataclass(frozen=True)
class Copied:
    """What was written.

    Args:
        folder: Where.
        pages: Pages, of all languages.
        files: Other files.
        size: Bytes of all of them.
        only_served: Paths that pages link to and that only a server answers.
    """

    folder: Path
    pages: int
    files: int
    size: int
    only_served: tuple[str, ...]


@dataclass(frozen=True)
class SearchCopied:
    """What stands in the place of the search.

    Args:
        title: Its name.
        text: Why there is no search.
        live: Address of the search on the portal itself; empty when it is not known.
        found: (Path, title, what it is about) of everything.
    """

    title: str
    text: str
    live: str
    found: tuple[tuple[str, str, str], ...]


class CopiedSearch(Page):
    """The list of everything, where there is no server to search it."""

    path = "/search"
    template = "search_copied.html"

    def view(self, asked: Asked) -> SearchCopied:
        """Every dataset and indicator."""
        words, address = asked.words, asked.catalog.portal.address.rstrip("/")
        return SearchCopied(
            words.gettext("Everything on this site"),
            words.gettext("This is a copy that is kept as files, so it cannot be searched. Here is all that is in it."),
            f"{address}{asked.link('/search')}" if address else "",
            tuple((asked.link(d.path), d.title, d.description) for d in asked.catalog.datasets.values()),
        )


def copy(
    portal: Portal,
    to: Path,
    *,
    address: str = "",
    most_rows: int = MOST_ROWS,
    told: Callable[[str], None] = lambda path: None,
) -> Copied:
    """Write the portal into a folder. It appears whole, or the old copy stays.

    Args:
        portal: The portal.
        to: The folder; a new one, an empty one, or one that a copy was written to before.
        address: Where the copy will be found, such as ``https://data.example.gov``.
        most_rows: Tables with more rows are not copied.
        told: Hears of each path.

    Raises:
        Refused: The folder holds something else.
    """
    to = to.resolve()
    _must_be_own(to)
    site = portal.site()
    new = to.with_name(f".{to.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    client = _Client(app(portal, address=address, plugins=site.plugins), site, new, most_rows, told)
    asyncio.run(client.walk())
    (new / MARK).write_text(json.dumps({"city": site.catalog.city, "catalog": site.catalog.identity}), encoding="utf-8")
    if to.exists():
        old = to.with_name(f".{to.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        to.rename(old)
        new.rename(to)
        shutil.rmtree(old)
    else:
        new.rename(to)
    return Copied(to, client.pages, client.files, client.size, tuple(sorted(client.lost)))


def _must_be_own(to: Path) -> None:
    if to.is_file() or (to.is_dir() and any(to.iterdir()) and not (to / MARK).is_file()):
        what = "the folder holds something that is no copy of a portal."
        fix = "Name a new or empty folder: metroon build --to FOLDER"
        raise Refused([Problem(str(to), 0, "S101", what, fix)])


class _Client:
    """Asks an application in this process for everything, and keeps it as files."""

    def __init__(self, of: ASGIApp, site: Site, to: Path, most_rows: int, told: Callable[[str], None]) -> None:
        self.pages = self.files = self.size = 0
        self.lost: set[str] = set()
        self._app = of
        self._site = site
        self._to = to
        self._most_rows = most_rows
        self._told = told
        self._links: set[str] = set()
        self._kept: set[str] = set()

    async def walk(self) -> None:
        """Every page in every language, then what they link to, then what programs read."""
        for language in self._site.words:
            for page in PAGES:
                for path in page.paths(self._site.catalog):
                    await self._page(page, path, language)
            self._html("/", language, NotFound(), "404.html")
        for path in self._of_doors():
            status, _, body = await self.get(path)
            if status == 200:
                self._keep(path, body)
        await self._linked()

    async def _page(self, page: Page, path: str, language: str) -> None:
        asked = self._site.link(path, language)
        if path == CopiedSearch.path:
            self._html(path, language, CopiedSearch(), "search/index.html")
            self._kept.add(asked)
            return
        status, _, body = await self.get(asked)
        if status == 200:
            self.pages += 1
            self._keep(asked, body, is_page=True)
            self._links |= set(_LINK.findall(body.decode()))
        else:
            self.lost.add(asked)

    def _html(self, path: str, language: str, page: Page, name: str) -> None:
        site = self._site
        words = site.words[language]
        body = render(Asked(site, site.catalog, site.gate, PUBLIC, words, path), page).encode()
        prefix = "" if language == site.default else f"{language}/"
        self._write(self._to / prefix / name, body)
        self._links |= set(_LINK.findall(body.decode()))
        self.pages += 1

    def _of_doors(self) -> Iterator[str]:
        for door in doors(self._site.plugins):
            yield from door.paths(self._site.catalog)

    async def _linked(self) -> None:
        waiting = sorted({p for link in self._links if (p := _local(link))})
        for path in waiting:
            if path in self._kept:
                continue
            is_data = path.rpartition(".")[2] in ENDINGS and self._is_small(path)
            if not is_data and not path.startswith("/static/"):
                self.lost.add(path)
                continue
            status, kind, body = await self._file(path)
            if status != 200:
                self.lost.add(path)
                continue
            self._keep(path, body)
            if kind.startswith("text/css"):
                waiting += sorted({urljoin(path, u) for u in _URL.findall(body.decode()) if _local(urljoin(path, u))})

    async def _file(self, path: str) -> tuple[int, str, bytes]:
        for _ in range(_WAITS if path == _FONTS else 1):
            status, kind, body = await self.get(path)
            if body:
                break
            await asyncio.sleep(0.25)  # the fonts are being cut
        return status, kind, body

    def _is_small(self, path: str) -> bool:
        of = path.rpartition(".")[0]
        dataset = next((d for d in self._site.catalog.datasets.values() if d.path == of), None)
        return dataset is None or (dataset.rows or 0) <= self._most_rows

    def _keep(self, path: str, body: bytes, *, is_page: bool = False) -> None:
        plain = unquote(path).strip("/")
        self._write(self._to / plain / "index.html" if is_page else self._to / plain, body)
        self._kept.add(path)
        if not is_page:
            self.files += 1

    def _write(self, file: Path, body: bytes) -> None:
        if not file.resolve().is_relative_to(self._to.resolve()):
            return  # a key of a place may be any text
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        self.size += len(body)

    async def get(self, path: str) -> tuple[int, str, bytes]:
        """Status, media type and body of the answer at a path."""
        self._told(path)
        split = urlsplit(path)
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": unquote(split.path), "raw_path": split.path.encode(),
            "query_string": split.query.encode(), "root_path": "", "headers": [(b"host", b"127.0.0.1")],
            "client": None, "server": ("127.0.0.1", 80),
        }  # fmt: skip
        status, kind, parts = 0, "", []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, kind
            if message["type"] == "http.response.start":
                status = message["status"]
                kind = dict(message["headers"]).get(b"content-type", b"").decode()
            else:
                parts.append(bytes(message.get("body", b"")))

        await self._app(scope, receive, send)
        return status, kind, b"".join(parts)


_WAITS = 240
"""Quarters of a second that fonts may take to be cut."""


def _local(link: str) -> str:
    """The path of a link within the portal, without its query; empty for others."""
    split = urlsplit(link.replace("&amp;", "&"))
    return split.path if not split.netloc and not split.scheme and split.path.startswith("/") else ""
