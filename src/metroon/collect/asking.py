"""Asking another portal: its catalog and the beginnings of its files, with the manners of every fetch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metroon.base.errors import Refused
from metroon.collect.client import Client, Manners
from metroon.collect.landing import Landing
from metroon.collect.listing import NoListing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

_MOST = 200_000_000
"""Bytes of a catalog: those of whole states have a tenth of it."""
_UNREACHABLE = ("D132", "D133")


class Web:
    """Answers addresses of the web, once each.

    Args:
        folder: The city repo.
        intranet: Hosts of the city's own network that may be asked although their addresses are private.
        timeout_s: Seconds after which a server that says nothing is given up.
    """

    def __init__(self, folder: Path, intranet: Iterable[str] = (), timeout_s: float = 30.0) -> None:
        own = frozenset(host.lower() for host in intranet)
        manners = Manners(own=own, timeout_s=timeout_s, tries=2, pause_s=1.0, most=_MOST)
        self._client = Client(Landing(folder), manners)
        self._reached: dict[str, str] = {}

    def __enter__(self) -> Web:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.__exit__(kind, error, at)

    def __call__(self, address: str, *, most: int | None = None) -> bytes:
        """The bytes that lie at an address; the first ones only, where so many are enough.

        Raises:
            NoListing: Nothing lies there, or it may not be had.
            Refused: The server cannot be reached at all, or may not be asked.
        """
        try:
            return self._client.get(address).body if most is None else self._client.beginning(address, most)
        except Refused as refused:
            if most is None and refused.problems[0].code in _UNREACHABLE:
                raise Refused([replace(p, file="", line=0) for p in refused.problems]) from None
            raise NoListing(refused.problems[0].what) from None

    def reach(self, address: str) -> str:
        """What is wrong with an address; nothing when something answers there, or when it is none of the web."""
        if not address.startswith(("http://", "https://")):
            return ""
        if address not in self._reached:
            self._reached[address] = self._tried(address)
        return self._reached[address]

    def _tried(self, address: str) -> str:
        try:
            self._client.beginning(address, 1)
        except Refused as refused:
            return refused.problems[0].what.partition(" ")[2].rstrip(".")
        return ""
