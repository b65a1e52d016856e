"""The noun of what other programs read: a door, which translates one published protocol and decides nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from metroon.base.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.routing import BaseRoute

    from metroon.base.catalog import Catalog
    from metroon.serve.site import Portal


class Door(Kind, ABC):
    """One way for programs to read the catalog and its rows. Its fields are the YAML options (limits)."""

    title: ClassVar[str]
    """What people call it."""
    standard: ClassVar[str]
    """Which version of which published standard it speaks."""
    start: ClassVar[str]
    """The path to begin with."""

    @abstractmethod
    def routes(self, portal: Portal) -> Sequence[BaseRoute]:
        """Its routes. Each asks ``portal.site()`` for the catalog of the moment and its gate for rows."""

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """Paths that also make sense as static files; none for a door that answers questions."""
        return ()
