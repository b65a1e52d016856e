"""Arroyo Vista on a free port of this machine, for what looks at its pages with a browser."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from metroon import flow
from metroon.city import load
from metroon.demo import build
from metroon.portal import CityPortal
from metroon.serve.app import PAGES, app
from metroon.walk import Walk

# What the tests look with, these look with too.
sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "serve" / "portal"))

import browsing  # stands with the tests
from small import serving  # stands with the tests

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["browsing", "fullest", "served"]


@contextmanager
def served(city: Path | None = None) -> Iterator[tuple[str, CityPortal]]:
    """The address and the portal of a city, as long as the block runs.

    Args:
        city: A city repo that has been run; the invented city is built and run in a folder of its own unless given.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = city or _walked(Path(folder) / "arroyo_vista")
        portal = CityPortal(found)
        with serving(app(portal)) as address:
            yield address, portal


def fullest(address: str, portal: CityPortal) -> dict[str, str]:
    """Kind of page -> its path with most on it."""

    def size(path: str) -> int:
        with urlopen(address + path) as answer:  # noqa: S310  # an address of this machine
            return len(answer.read())

    kinds = {page.path: [*page.paths(portal.site().catalog)] for page in PAGES}
    return {kind: max(paths, key=size) for kind, paths in kinds.items() if paths}


def _walked(folder: Path) -> Path:
    build(folder)
    city = load(folder)
    flow.run(Walk(city, city.file.as_of))
    return folder
