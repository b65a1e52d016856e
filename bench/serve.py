"""What it costs to serve pages, as ratios in one run: python bench/serve.py [--seconds 60]

A server in a process of its own, over catalogs that are made up here. Each page is compared with an empty page of the
same server, so that the machine falls out. Then many readers ask at once for a while, and every answer has to be right.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import random
import socket
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import shapely
import uvicorn

from metroon.base.account import Measured
from metroon.base.catalog import Catalog, Column, Dataset, Edition, Portal
from metroon.base.estimate import Cell, Estimate
from metroon.base.places import Places
from metroon.base.scorecard import Changes, GoalPage, Score, Series
from metroon.permit import Gate
from metroon.serve import app as apps
from metroon.serve.page import Page
from metroon.serve.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metroon.serve.page import Asked

DAY, MADE = date(2026, 7, 15), datetime(2026, 7, 15, 12, tzinfo=UTC)
YEARS = [str(y) for y in range(2016, 2026)]
TRIES, READERS = 30, 200
LIMITS = {"40 neighborhoods": 15.0, "300 neighborhoods, beside 40": 4.0, "search in 10,000": 10.0}
"""A ratio above these fails."""


@dataclass(frozen=True)
class Nothing:
    """What the empty page shows."""

    title: str = "Empty"
    text: str = "Nothing."


class Empty(Page):
    """A page with nothing on it but what every page has."""

    path = "/empty"
    template = "trouble.html"

    def view(self, asked: Asked) -> Nothing:
        """Nothing."""
        return Nothing()


@dataclass(frozen=True)
class Made:
    """A portal that is there at once."""

    kept: Site

    def site(self) -> Site:
        """The site."""
        return self.kept


def places(n: int) -> Places:
    side = int(n**0.5) + 1
    keys = [f"n{i:03}" for i in range(n)]
    shapes = {k: shapely.Point(i % side, i // side).buffer(0.55, quad_segs=16) for i, k in enumerate(keys)}
    names = {k: f"Neighborhood {i}" for i, k in enumerate(keys)}
    return Places("area", "Neighborhoods", "2025", True, names, shapes, dict.fromkeys(keys, 2500.0), "made up (2025)")


def score(i: int, of: Places) -> Score:
    chance = random.Random(i)  # numbers to draw, nothing to guess
    cells = [Cell(y) for y in YEARS] + [Cell(y, "area", k) for y in YEARS for k in of.names]
    estimates = []
    for cell in cells:
        x = 20 + chance.random() * 10
        estimates.append(Estimate(cell, "known", x, x - 3, x + 3, int(x * 10), 500.0))
    name = f"indicator_{i}"
    told = Measured(
        name, f"Indicator number {i}", f"How much of {i} is there?", "rate", "per 10,000 residents", "down", False,
        (of,), YEARS[-1], tuple(estimates), "unchanged", version=1, sha256="a" * 64, cells=len(cells),
        headlines=(YEARS[-1],),
    )  # fmt: skip
    return Score(
        told, as_of=DAY, published=DAY, stage="final", city=estimates[len(YEARS) - 1], target=None, target_words="",
        past_targets=(), baseline=None, course=None, courses=(), targets=(), gaps=(), inequality={}, left_out={},
        places=(), borrowed={}, covered=(), words=(), series=Series(1, date(2024, 1, 1)), breaks=(), late="",
        false_alarms=0.0, guard_metric=("", ""), chain=(("goal", f"Goal {i % 4}"),),
    )  # fmt: skip


def catalog(areas: int, indicators: int = 12, entries: int = 0) -> Catalog:
    of = places(areas)
    scores = {s.measured.measure: s for s in (score(i, of) for i in range(indicators))}
    words = ("trees", "lights", "permits", "streets", "water", "parks", "safety", "budget", "housing", "schools")
    editions = (Edition(1, DAY, MADE, 10),)
    columns = tuple(Column(c, c.title(), f"What {c} means.", "string") for c in ("place", "period", "value"))
    made = [Dataset(n, "measure", s.measured.title, s.measured.question, access="public", columns=columns,
                    editions=editions) for n, s in scores.items()]  # fmt: skip
    made += [
        Dataset(f"entry_{i}", "table", f"{words[i % 10].title()} and {words[i // 10 % 10]} {i}",
                f"Everything about {words[i // 100 % 10]} in the {i}th year.", topic=words[i % 10],
                department=f"Department {i % 7}", access="public", columns=columns, editions=editions)
        for i in range(entries)
    ]  # fmt: skip
    of_goal = [tuple(list(scores.values())[g::4]) for g in range(4)]
    goals = tuple(GoalPage(f"goal_{g}", f"Goal {g}", "We live well.", "", "", of_goal[g], (), ()) for g in range(4))
    return Catalog(
        city="Benchville", is_invented=True, as_of=DAY, time_zone="UTC", languages=("en", "es"), folder="",
        portal=Portal(), identity=f"bench-{areas}-{entries}", made_at=MADE, datasets={d.name: d for d in made},
        scores=scores, goals=goals, changes=Changes(DAY, DAY, (), (), 0, 0.0), geographies={"area": of},
        neighborhoods="area", neighbors={}, plan=None, stories=(), terms=(), names={}, minimum_cell=11,
    )  # fmt: skip


def serve(port: int, areas: int, entries: int) -> None:
    """A server of one made-up city."""
    apps.PAGES = (*apps.PAGES, Empty())
    portal = Made(Site(Gate(catalog(areas, entries=entries), lambda name, number: None)))
    uvicorn.run(apps.app(portal), host="127.0.0.1", port=port, log_level="error", access_log=False)


@contextlib.contextmanager
def serving(areas: int, entries: int = 0) -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(port, areas, entries))
    server.start()
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.1)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.join()


def beside(*addresses: str) -> list[float]:
    """The quickest answer of each in seconds, asked in turns, so that a busy machine slows all of them.

    Each is made anew: a page with a query is not kept.
    """
    taken: dict[str, list[float]] = {a: [] for a in addresses}
    for i in range(TRIES):
        for address in addresses:
            began = time.perf_counter()
            with urllib.request.urlopen(f"{address}{'&' if '?' in address else '?'}try={i}") as answer:
                answer.read()
            taken[address].append(time.perf_counter() - began)
    return [min(taken[a]) for a in addresses]


async def reader(host: str, port: int, paths: list[str], until: float, seed: int) -> tuple[list[float], int]:
    """One reader on one connection: pages one after another; times, and how many answers were wrong."""
    chance, taken, wrong = random.Random(seed), [], 0  # as above
    reading, writing = await asyncio.open_connection(host, port)
    while time.monotonic() < until:
        began = time.perf_counter()
        writing.write(f"GET {chance.choice(paths)} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = (await reading.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r")[0])
        body = await reading.readexactly(length)
        wrong += not head.startswith("http/1.1 200") or not body.rstrip().endswith(b"</html>")
        taken.append(time.perf_counter() - began)
    writing.close()
    return taken, wrong


async def readers(address: str, paths: list[str], for_s: float) -> tuple[list[float], int]:
    host, port = address.removeprefix("http://").split(":")
    until = time.monotonic() + for_s
    found = await asyncio.gather(
        *(reader(host, int(port), paths, until, i) for i in range(READERS)), return_exceptions=True
    )
    failed = [f for f in found if isinstance(f, BaseException)]
    done = [f for f in found if not isinstance(f, BaseException)]
    return [t for taken, _ in done for t in taken], sum(wrong for _, wrong in done) + len(failed)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--seconds", type=float, default=60)
    for_s = asked.parse_args().seconds
    told: dict[str, float] = {}
    shown = ("/", "/neighborhoods", "/goals", "/goals/goal_0", "/measures/indicator_0", "/datasets")
    with serving(40) as at:
        empty, small, *others = beside(f"{at}/empty", f"{at}/neighborhoods/n001", *(at + path for path in shown))
        told["40 neighborhoods"] = small / empty
        for path, taken in zip(shown, others, strict=True):
            print(f"{path:<28} {taken / empty:6.1f} x an empty page")
        paths = ["/", "/neighborhoods", "/goals", "/datasets", "/search?q=indicator", "/es/neighborhoods/n002"]
        paths += [f"/neighborhoods/n{i:03}" for i in range(40)]
        times, wrong = asyncio.run(readers(at, paths, for_s))
    with serving(40) as at, serving(300) as other:
        few, many = beside(f"{at}/neighborhoods/n001", f"{other}/neighborhoods/n001")
        told["300 neighborhoods, beside 40"] = many / few
    with serving(40, 10_000) as at:
        nothing, found, listed = beside(f"{at}/empty", f"{at}/search?q=lights+permits", f"{at}/datasets")
        told["search in 10,000"] = found / nothing
        print(f"{'/datasets of 10,000':<28} {listed / nothing:6.1f} x an empty page")
    for name, ratio in told.items():
        print(f"{name:<28} {ratio:6.1f} x (at most {LIMITS[name]:g})")
    ordered = sorted(times)
    p95 = ordered[int(len(ordered) * 0.95)] if ordered else float("nan")
    print(f"{READERS} readers for {for_s:g} s: {len(times):,} pages, {wrong} wrong")
    print(
        f"p95 {p95 / empty:.0f} x one empty page alone; {len(times) / for_s * empty:.2f} of what empty pages would be"
    )
    if wrong or any(told[n] > LIMITS[n] for n in LIMITS):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
