"""One catalog made ready to be served: its words, its templates, its search; and where the newest one comes from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined

from metroon.permit import PUBLIC, Gate
from metroon.serve.words import LANGUAGES, Words

if TYPE_CHECKING:
    from metroon.base.catalog import Catalog

T = TypeVar("T")


class Site:
    """One catalog made ready. It never changes; what is worked out of it is worked out once.

    Args:
        gate: Hands out the catalog and rows.
    """

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.catalog: Catalog = gate.catalog(PUBLIC, "page")
        folder = Path(self.catalog.folder)
        spoken = [n for n in self.catalog.languages if n in LANGUAGES] or ["en"]
        own = folder / "translations"
        self.words = {n: Words(n, own, self.catalog.names.get(n, {})) for n in spoken}
        self.default = spoken[0]
        loaders = [FileSystemLoader(folder / "templates"), PackageLoader("metroon.serve")]
        self.templates = Environment(
            loader=ChoiceLoader(loaders), autoescape=True, undefined=StrictUndefined, extensions=["jinja2.ext.i18n"],
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self._kept: dict[object, Any] = {}
        self._lock = Lock()

    def link(self, path: str, language: str) -> str:
        """The path of a page in a language: the default language has no prefix."""
        return path if language == self.default else f"/{language}{path}".rstrip("/")

    def once(self, key: object, make: Callable[[], T]) -> T:
        """What a function makes, worked out at the first call with this key and kept as long as the catalog."""
        if key not in self._kept:
            with self._lock:
                if key not in self._kept:
                    self._kept[key] = make()
        found: T = self._kept[key]
        return found


class Portal(Protocol):
    """Where the newest catalog comes from."""

    def site(self) -> Site:
        """The site of the moment."""
