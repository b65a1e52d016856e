"""One catalog made ready to be served: its words, its templates, its search; and where the newest one comes from."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined

from metroon.permit import PUBLIC, Gate
from metroon.serve.words import ALSO, LANGUAGES, Words

if TYPE_CHECKING:
    from metroon.base.catalog import Catalog

T = TypeVar("T")
OWN = Path(__file__).parent
SHELF_BYTES = 32_000_000
"""Finished pages that one worker keeps: those of a city with a hundred datasets in four languages."""


class NotReady(RuntimeError):  # noqa: N818  # a state that passes, no fault
    """The first catalog is still being gathered."""


class Shelf:
    """Finished pages, the ones that were asked for last, up to so many bytes.

    Args:
        most_bytes: How much it holds.

    Example:
        >>> shelf = Shelf(most_bytes=10)
        >>> shelf.put("a", "12345"); shelf.put("b", "12345"); shelf.put("c", "12345")
        >>> shelf.get("a"), shelf.get("c")
        (None, '12345')
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._pages: OrderedDict[object, str] = OrderedDict()
        self._lock = RLock()

    def get(self, key: object) -> str | None:
        """A page, when it is there."""
        with self._lock:
            if key in self._pages:
                self._pages.move_to_end(key)
            return self._pages.get(key)

    def put(self, key: object, page: str) -> None:
        """Keep a page, and let go of those that were not asked for longest."""
        with self._lock:
            self._size += len(page) - len(self._pages.pop(key, ""))
            self._pages[key] = page
            while self._size > self._most:
                self._size -= len(self._pages.popitem(last=False)[1])


class Site:
    """One catalog made ready. It never changes; what is worked out of it is worked out once.

    Args:
        gate: Hands out the catalog and rows.
        heard: Told of a question that found nothing, with its language, when it cannot tell of anybody.
    """

    def __init__(self, gate: Gate, heard: Callable[[str, str], None] | None = None) -> None:
        self.gate = gate
        self.heard = heard
        self.catalog: Catalog = gate.catalog(PUBLIC, "page")
        folder = Path(self.catalog.folder) if self.catalog.folder else None
        named = dict.fromkeys(ALSO.get(n, n) for n in self.catalog.languages)
        spoken = [n for n in named if n in LANGUAGES] or ["en"]
        self.plugins = folder.parent / "plugins" if folder else None
        """The city repo's folder of kinds of its own, when there is a city repo."""
        own = folder / "translations" if folder else None
        self.words = {n: Words(n, own, self.catalog.names.get(n, {})) for n in spoken}
        self.default = spoken[0]
        self._loaders = [*([FileSystemLoader(folder / "templates")] if folder else []), PackageLoader("metroon.serve")]
        self.shelf = Shelf(SHELF_BYTES)
        self._kept: dict[object, Any] = {}
        self._making: dict[object, RLock] = {}
        self._lock = Lock()
        self.edition = _edition(self.catalog.identity, folder)
        self.look = hashlib.sha256(_faces().encode()).hexdigest()[:10]
        self.redirects = _redirects(folder / "redirects.txt") if folder else {}
        made = [e.made_at for d in self.catalog.datasets.values() for e in d.editions[:1]]
        self.changed = (max(made, default=None) or self.catalog.made_at).astimezone(UTC)

    def link(self, path: str, language: str) -> str:
        """The path of a page in a language: the default language has no prefix."""
        return path if language == self.default else f"/{language}{path}".rstrip("/")

    def environment(self, language: str) -> Environment:
        """The templates in a language, compiled once."""

        def made() -> Environment:
            # Not an overlay: overlays share their globals, and the last language would speak for all.
            environment = self._templates()
            words = self.words[language]
            environment.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension gives it
            return environment

        return self.once(("environment", language), made)

    def _templates(self) -> Environment:
        return Environment(
            loader=ChoiceLoader(self._loaders), autoescape=True, undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip

    def age_s(self) -> int:
        """How long ago the catalog was made, in seconds."""
        return int((datetime.now(UTC) - self.catalog.made_at).total_seconds())

    def once(self, key: object, make: Callable[[], T]) -> T:
        """What a function makes, worked out at the first call with this key and kept as long as the catalog."""
        if key not in self._kept:
            with self._lock:
                # One thing that is worked out once may ask for another, and what is slow holds up nothing else.
                own = self._making.setdefault(key, RLock())
            with own:
                if key not in self._kept:
                    self._kept[key] = make()
        found: T = self._kept[key]
        return found


class Portal(Protocol):
    """Where the newest catalog comes from."""

    def site(self) -> Site:
        """The site of the moment.

        Raises:
            NotReady: The first one is still being made.
        """


def _edition(identity: str, folder: Path | None) -> str:
    """What tells two sites apart: the catalog, and the templates and words that it is shown with."""
    own = _folder_sha256(folder) if folder and folder.is_dir() else ""
    return hashlib.sha256(f"{identity} {_faces()} {own}".encode()).hexdigest()[:24]


@cache
def _faces() -> str:
    parts = ("templates", "static", "translations", "pages", "svg")
    return " ".join(_folder_sha256(OWN / part) for part in parts)


def _folder_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(f for f in folder.rglob("*") if f.is_file() and f.suffix != ".pyc"):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _redirects(file: Path) -> dict[str, str]:
    """Old path -> new path, one pair a line; only paths of this portal."""
    if not file.is_file():
        return {}
    pairs = (line.split() for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {p[0]: p[1] for p in pairs if len(p) == 2 and all(x.startswith("/") and not x.startswith("//") for x in p)}
