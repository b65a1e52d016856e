"""The noun of the portal: a page, which makes a view of the catalog for its template, and the same thing as data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from metroon.base.catalog import Catalog, Column, Rows
    from metroon.permit import Gate, Principal
    from metroon.serve.site import Site
    from metroon.serve.words import Words


@dataclass(frozen=True)
class Asked:
    """One request for a page.

    Args:
        site: The city's catalog made ready to be served; holds what is worked out once for a catalog.
        catalog: What the asker may see.
        gate: Hands out rows.
        principal: Who asks.
        words: The language asked for.
        path: The path without language and ending, such as ``/datasets/street_lights``.
        params: What the path names.
        query: The first value of each query parameter.
        address: The portal's own address without a slash at its end, such as ``http://127.0.0.1:8000``.
    """

    site: Site
    catalog: Catalog
    gate: Gate
    principal: Principal
    words: Words
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    address: str = ""

    def link(self, path: str) -> str:
        """The path of a page in the language asked for."""
        return self.site.link(path, self.words.language)


@dataclass(frozen=True)
class Sheet:
    """A small table that a page is made of, for those who want its numbers.

    Args:
        name: Becomes the file's name.
        title: What people call it.
        columns: Its columns.
        rows: One mapping a row, with a value for each column's name; shapes as WKB under ``geometry``.
        source: Where it comes from, with version and day.
        geometry: The column that holds shapes; empty when it has none.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Mapping[str, Any]]
    source: str = ""
    geometry: str = ""


class Page(ABC):
    """One page of the portal. The same path with ``.csv .json .parquet .geojson .xlsx`` gives its data."""

    path: ClassVar[str]
    """Its route, such as ``/datasets/{name}``."""
    template: ClassVar[str]
    """The file in ``templates/``."""

    @abstractmethod
    def view(self, asked: Asked) -> object:
        """A frozen dataclass with everything that the template shows, as ``page``; it has at least ``title``.

        Raises:
            NotThere: There is no such page for the asker.
        """

    def data(self, asked: Asked) -> Rows | Sheet | None:
        """What the page shows, as data; None when it shows none.

        Raises:
            NotThere: There is no such data for the asker.
        """
        return None

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """Every path of it that there is in a catalog: for the static copy, the sitemap and the tests."""
        return () if "{" in self.path else (self.path,)
