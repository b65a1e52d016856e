"""A small invented city whose portal is there at once: every type of column, shapes, points, nasty texts, a secret."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import shapely
import uvicorn
from starlette.applications import Starlette

from metroon.base import kinds
from metroon.base.catalog import Catalog, Column, Dataset, Edition, Licence, Portal, Rows, Steward
from metroon.base.engine import Engine
from metroon.permit import Gate
from metroon.serve.door import Door
from metroon.serve.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

DAY = date(2026, 7, 15)
MADE = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)
SECRET = "Jane Q. Canary"
NASTY = ("=1+1", "+1", "-1", "@x", "\tx", "\rx", 'a"b\\c', "é 东\n\x01", "", None, "x' or '1'='1", "plain")


def trees(n: int = 1000) -> pa.Table:
    """Trees: every type, with gaps, infinities and texts that a spreadsheet would run."""
    at = [datetime(2026, 1, 1) + timedelta(hours=i) for i in range(n)]
    return pa.table(
        {
            "tree": [f"t{i:05}" for i in range(n)],
            "kind": [("oak", "elm", "ash")[i % 3] for i in range(n)],
            "note": [NASTY[i % len(NASTY)] for i in range(n)],
            "age": pa.array([None if i % 10 == 3 else i % 50 for i in range(n)], pa.int32()),
            "height": [float("nan") if i % 17 == 5 else float("inf") if i % 17 == 6 else i / 7 for i in range(n)],
            "is_city": [None if i % 5 == 0 else i % 2 == 0 for i in range(n)],
            "planted": pa.array([None if i % 4 == 3 else (at[i]).date() for i in range(n)], pa.date32()),
            "seen_at": pa.array(at, pa.timestamp("us")),
            "longitude": [None if i % 9 == 8 else -121.9 + i / 1e5 for i in range(n)],
            "latitude": [37.3 + i / 1e5 for i in range(n)],
            "owner": [SECRET] * n,
        }
    )


def parks() -> pa.Table:
    """Parks: with shapes, one of which is missing."""
    shapes = [shapely.to_wkb(shapely.box(i, 0, i + 1, 1)) for i in range(4)] + [None]
    return pa.table({"park": [f"p{i}" for i in range(5)], "geometry": pa.array(shapes, pa.binary())})


SHADE = pa.table({"place": ["1", "2", "3"], "period": ["2025"] * 3, "state": ["known", "hidden", "known"],
                  "value": [0.5, None, 0.25]})  # fmt: skip


def column(name: str, type: str, *, is_open: bool = True) -> Column:
    return Column(name, name.title(), f"What {name} means.", type, "public", "" if is_open else "Left out.", is_open)


_TREES = (
    ("tree", "string"), ("kind", "string"), ("note", "string"), ("age", "integer"), ("height", "number"),
    ("is_city", "boolean"), ("planted", "date"), ("seen_at", "timestamp"), ("longitude", "number"),
    ("latitude", "number"),
)  # fmt: skip


def editions(*numbers: int) -> tuple[Edition, ...]:
    return tuple(Edition(n, DAY, MADE, None, (), f"sha{n}") for n in sorted(numbers, reverse=True))


def datasets() -> dict[str, Dataset]:
    steward = Steward("Trees Desk (invented)", contact="trees@example.gov")
    common = {"department": "Parks Department", "topic": "nature", "licence": Licence("CC0-1.0", "CC0", "https://cc0.example/"),
              "steward": steward, "updated": DAY}  # fmt: skip
    made = (
        Dataset("parks", "table", "Parks", "Where the parks are.", access="public", has_rows=True, rows=5,
                geometry="geometry", columns=(column("park", "string"), column("geometry", "object")),
                editions=editions(1), **common),
        Dataset("shade", "measure", "Shade", "How much shade is there?", access="public", has_rows=True, rows=3,
                columns=(*(column(n, "string") for n in ("place", "period", "state")), column("value", "number")),
                editions=editions(1), made_of=("trees",), minimum_cell=11, **common),
        Dataset("trees", "table", "Trees", "Every tree of the city.", access="public", has_rows=True, rows=1000,
                tags=("trees", "green"), gap="Trees on private land are missing.", limitations="No inventory of risk.",
                columns=(*(column(n, t) for n, t in _TREES), column("owner", "string", is_open=False)),
                editions=editions(1, 2), point=("longitude", "latitude"), time="seen_at", **common),
        Dataset("wards", "listed", "Wards", "Not collected yet.", **{**common, "updated": None}),
        Dataset("patients", "table", "Patients", "Who was ill.", access="non-public",
                columns=(column("name", "string", is_open=False),), **common),
    )  # fmt: skip
    return {d.name: d for d in made}


@dataclass(frozen=True)
class SmallPortal:
    """The portal of the small city; ``tables`` may be changed to see what happens when files are gone."""

    kept: Site

    def site(self) -> Site:
        return self.kept


def small_portal(
    folder: Path, tables: dict[tuple[str, int], pa.Table] | None = None, *, is_there: bool = False
) -> SmallPortal:
    """The portal of the small city, with its published rows as files in a folder, unless they are there already."""
    engine = Engine()
    known = datasets()
    rows = tables or {("trees", 1): trees(100), ("trees", 2): trees(), ("parks", 1): parks(), ("shade", 1): SHADE}
    for (name, number), table in rows.items() if not is_there else ():
        is_open = [c.name for c in known[name].columns if c.is_open]
        engine.save(engine.table(table.select(is_open)), folder / f"{name}-{number}.parquet")

    def opener(name: str, number: int | None) -> Rows | None:
        dataset = known[name]
        edition = next((e for e in dataset.editions if number in (None, e.number)), None)
        if not dataset.has_rows or edition is None or (name, edition.number) not in rows:
            return None
        relation = engine.parquet([str(folder / f"{name}-{edition.number}.parquet")])
        told = {c.name: c for c in dataset.columns}
        columns = tuple(told[n] for n in relation.columns)
        return Rows(dataset, edition, relation, columns, engine.count(relation), engine=engine)

    catalog = Catalog(
        city="Smallville", is_invented=True, as_of=DAY, time_zone="America/Los_Angeles", languages=("en",), folder="",
        portal=Portal(), identity="small", made_at=MADE, datasets=known, scores={}, goals=(), changes=None,
        geographies={}, neighborhoods="", neighbors={}, plan=None, stories=(), terms=(), names={}, minimum_cell=11,
    )  # fmt: skip
    return SmallPortal(Site(Gate(catalog, opener)))


def doors(portal: SmallPortal, *names: str) -> ASGIApp:
    """Some doors of a portal, and nothing else."""
    return Starlette(routes=[r for n in names for r in kinds.find("serve", n, Door)().routes(portal)])


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The address of a real server of an application on loopback, as long as the block runs."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
