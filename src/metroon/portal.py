"""The portal of a city: its catalog and rows behind the gate, made anew when a version or a declaration is.

What is served is always whole: a run at work is waited for, a city repo that cannot be read leaves the last good site,
and the new site takes the old one's place in one step, while requests that began on the old one end on it.
"""

from __future__ import annotations

import logging
import logging.config
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.base.running import NAME, is_running
from metroon.base.store import Store
from metroon.catalog import declared, gather, opener
from metroon.city import load
from metroon.editions import Known
from metroon.permit import Gate
from metroon.serve import log
from metroon.serve.app import app
from metroon.serve.limits import Limits
from metroon.serve.site import NotReady, Site
from metroon.walk import Walk

if TYPE_CHECKING:
    from starlette.types import ASGIApp

LOG = logging.getLogger("metroon.portal")
Seen = tuple[tuple[str, int, int], ...]
"""Name, size and time of change of everything that a catalog is made of."""
EVERY_S = 1.0
"""How often it is looked whether something changed, in seconds."""


class CityPortal:
    """A city's newest catalog, ready to be served.

    Args:
        folder: The city repo.
        as_of: The day taken for today; the city's own, or the day it is, unless given.
        wait: Whether to gather the first catalog at once; else ``watch`` does, and nothing is there until then.

    Raises:
        Refused: With ``wait``: the city repo has faults.
    """

    def __init__(self, folder: Path, as_of: date | None = None, *, wait: bool = True) -> None:
        self.folder = folder
        self.trouble = ""
        """Where the faults are that keep the newest catalog from being gathered; empty when nothing does."""
        self._as_of = as_of
        self._known = Known()
        self._site: Site | None = None
        self._seen: Seen | None = None
        self._home = folder / ".metroon"
        self._data: Path | None = None
        self._day: date | None = None
        self._stop = Event()
        self._watching: Thread | None = None
        if wait:
            seen = self._look()
            self._site = self._made()
            self._seen = seen

    def site(self) -> Site:
        """The site of the moment.

        Raises:
            NotReady: The first one is still being made.
        """
        if self._site is None:
            raise NotReady
        return self._site

    def watch(self, every_s: float = EVERY_S) -> None:
        """Look for changes from now on, in a thread of its own, until ``close``."""
        self._watching = Thread(target=self._watch, args=(every_s,), name="metroon-watch", daemon=True)
        self._watching.start()

    def close(self) -> None:
        """Look for changes no longer."""
        self._stop.set()
        if self._watching is not None:
            self._watching.join()

    def renew(self) -> bool:
        """Make the site anew when something changed and no run is at work. Returns whether there is a new one."""
        seen = self._look()
        is_another_day = self._day is not None and self._day != date.today()
        if (seen == self._seen and not is_another_day) or (self._site is not None and is_running(self._home)):
            return False
        self._seen = seen  # whatever comes of it: the same files are not tried again
        try:
            made = self._made()
        except Refused as refused:
            self._failed([f"{p.file}:{p.line} {p.code}" for p in refused.problems])
            return False
        except OSError as error:
            self._failed([type(error).__name__])
            return False
        if self._site is not None and (is_running(self._home) or self._look() != seen):
            self._seen = None  # something came in between: the next look makes it whole
            return False
        self._site, self.trouble = made, ""
        told = {"catalog": made.catalog.identity, "datasets": len(made.catalog.datasets)}
        LOG.info("new catalog", extra={"told": told})
        return True

    def asked_not_found(self, query: str, language: str) -> None:
        """Keep a question that found nothing, for stewards.

        Args:
            query: The words, after they were looked at for what may be somebody's.
            language: The language they were asked in.
        """
        try:
            store = Store(self._home / "store.sqlite")  # one for each thread that asks
        except Refused:
            return  # nothing is kept where nothing can be written
        try:
            store.asked(date.today(), query, language)
        finally:
            store.close()

    def _made(self) -> Site:
        city = load(self.folder)
        self._home, self._data = city.home, city.data
        fixed = self._as_of or city.file.as_of
        self._day = None if fixed else date.today()
        walk = Walk(city, fixed or date.today())
        try:
            catalog = gather(walk, self._known)
            return Site(Gate(catalog, opener(walk, catalog, Engine())), self.asked_not_found)
        finally:
            walk.store.close()

    def _failed(self, where: list[str]) -> None:
        self.trouble = "; ".join(where)
        what = "the last good site stays" if self._site is not None else "there is no site"
        LOG.error("the city cannot be read", extra={"told": {"outcome": what, "at": where}})

    def _look(self) -> Seen:
        logs = sorted(self._home.glob("lake/*/*/_delta_log"))
        files = [*declared(self.folder, self._data), *logs, self._home / NAME]
        return tuple(s for f in files if (s := _stat(f)) is not None)

    def _watch(self, every_s: float) -> None:
        with ThreadPoolExecutor(1, "metroon-renew") as one:
            while not self._stop.is_set():
                # Asked of the future: a fault that nobody thought of is written down, and the watch goes on.
                if error := one.submit(self.renew).exception():
                    self.trouble = type(error).__name__
                    LOG.error("the catalog cannot be gathered", extra={"told": log.failure(error)})
                self._stop.wait(every_s)


def application() -> ASGIApp:
    """The portal of one worker, made by what the environment says; several of them serve one city side by side.

    ``METROON_CITY`` is the city repo, ``METROON_AS_OF`` the day taken for today, ``METROON_ADDRESS`` the public
    address, ``METROON_HOSTS`` names to answer for, ``METROON_RATE`` requests a second for one client (0: any number).
    """
    told = os.environ
    day, public = told.get("METROON_AS_OF", ""), told.get("METROON_ADDRESS", "")
    logging.config.dictConfig(log.configuration(is_quiet=told.get("METROON_LOG") == "quiet"))
    portal = CityPortal(Path(told.get("METROON_CITY", ".")), date.fromisoformat(day) if day else None, wait=False)
    portal.watch()
    hosts = tuple(told.get("METROON_HOSTS", "").split())
    limits = Limits(per_second=float(told.get("METROON_RATE", "30")) or None, hosts=hosts)
    own = portal.folder / "plugins"
    return app(portal, limits, address=public, is_https=public.startswith("https://"), plugins=own)


def _stat(file: Path) -> tuple[str, int, int] | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return str(file), stat.st_size, stat.st_mtime_ns
