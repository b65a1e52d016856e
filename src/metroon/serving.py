"""Serving a city from this machine: a socket, one process or several, and an end that lets answers finish."""

from __future__ import annotations

import asyncio
import logging.config
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.supervisors import Multiprocess

from metroon.base.errors import Problem, Refused
from metroon.city import load
from metroon.portal import CityPortal
from metroon.serve import log
from metroon.serve.app import app, doors
from metroon.serve.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

GRACE_S = 15
"""Seconds that answers which have begun may take when the server is asked to end."""
LONGEST_HEAD = 32_768
"""Bytes of a request before its body."""
HEAD_S = 15.0
"""Seconds after which it is looked whether a request has become whole, up to its body; it has two such looks."""


class Patient(H11Protocol):
    """A connection that is not held open by a request that never becomes whole."""

    _waits_after: object = None
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to look whether requests come."""
        super().connection_made(transport)
        self._look = self.loop.call_later(HEAD_S, self._see, False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no longer."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def _see(self, was_waiting: bool) -> None:
        """Close when it has waited since the last look, and for the same request."""
        is_waiting = self.cycle is None or self.cycle.response_complete
        if is_waiting and was_waiting and self._waits_after is self.cycle:
            self.transport.close()
            return
        self._waits_after = self.cycle
        self._look = self.loop.call_later(HEAD_S, self._see, is_waiting)


@dataclass(frozen=True, kw_only=True)
class _Options:
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    address: str = ""
    hosts: tuple[str, ...] = ()
    rate: float = 30.0
    is_quiet: bool = False


@dataclass(frozen=True)
class Serving(_Options):
    """What is to be served, and how.

    Args:
        folder: The city repo.
        as_of: The day taken for today; the city's own, or the day it is, unless given.
        host: The address to listen on.
        port: The port to listen on; 0 for any that is free.
        workers: Processes that serve side by side.
        address: The portal's public address; empty when nobody stands before it.
        hosts: Host names to answer for; empty for any.
        rate: Requests a second from one client; 0 for any number.
        is_quiet: Whether only errors are written down.
    """

    folder: Path
    as_of: date | None = None


def serve(asked: Serving, say: Callable[[str], None]) -> None:
    """Serve until the process is told to end.

    Args:
        asked: What and how.
        say: Hears where it can be found.

    Raises:
        Refused: The city repo or a door of its own has faults, or the port is taken.
    """
    city = load(asked.folder)
    doors(city.plugins)  # a fault in one is told here, and not by each worker
    taken = _bound(asked.host, asked.port)
    at = f"http://{_written(asked.host)}:{taken.getsockname()[1]}"
    lead = f"{city.file.name}: {at}  (also {at}/neighborhoods  {at}/goals  {at}/datasets  {at}/api)"
    logging.config.dictConfig(log.configuration(is_quiet=asked.is_quiet))
    if asked.workers > 1:
        os.environ.update(_environment(asked))
        config = _config("metroon.portal:application", asked, is_factory=True)
        say(lead)
        Multiprocess(config, [taken]).run()
        return
    portal = CityPortal(asked.folder, asked.as_of)
    limits = Limits(per_second=asked.rate or None, hosts=asked.hosts)
    is_https = asked.address.startswith("https://")
    made = app(portal, limits, address=asked.address, is_https=is_https, plugins=city.plugins)
    portal.watch()
    say(lead)
    uvicorn.Server(_config(made, asked, is_factory=False)).run([taken])
    portal.close()


def _config(of: object, asked: Serving, *, is_factory: bool) -> uvicorn.Config:
    return uvicorn.Config(
        of,  # type: ignore[arg-type]  # an application, or the name of what makes one
        factory=is_factory,
        workers=asked.workers,
        log_config=log.configuration(is_quiet=asked.is_quiet),
        # Not httptools, where it is installed: it takes a head of any length.
        http=Patient,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_S,
        # A worker that gathers the catalog on a busy machine is alive.
        timeout_worker_healthcheck=60,
        h11_max_incomplete_event_size=LONGEST_HEAD,
    )


def _environment(asked: Serving) -> dict[str, str]:
    return {
        "METROON_CITY": str(asked.folder.resolve()),
        "METROON_AS_OF": asked.as_of.isoformat() if asked.as_of else "",
        "METROON_ADDRESS": asked.address,
        "METROON_HOSTS": " ".join(asked.hosts),
        "METROON_RATE": f"{asked.rate:g}",
        "METROON_LOG": "quiet" if asked.is_quiet else "",
    }


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        what = f"cannot listen on {_written(host)}:{port}: {error.strerror or 'no such address'}."
        raise Refused([Problem("", 0, "S102", what, "Take another port, or any that is free: --port 0")]) from None
    made.set_inheritable(True)
    return made


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host
