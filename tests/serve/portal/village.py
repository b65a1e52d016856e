"""A village small enough to count by hand: three areas, lamps, ponds, visits of people, and one measure with a hidden
number. All of it is invented.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import shapely
from starlette.applications import Starlette
from starlette.testclient import TestClient

from metroon.base.account import Measured
from metroon.base.catalog import (
    Catalog,
    Check,
    Column,
    Dataset,
    Edition,
    Licence,
    Portal,
    Promise,
    Rows,
    Steward,
)
from metroon.base.engine import Engine
from metroon.base.estimate import Cell, Estimate
from metroon.base.places import Places
from metroon.base.scorecard import Changed, Changes, Score, Series
from metroon.permit import Gate
from metroon.serve.site import Site

if TYPE_CHECKING:
    from metroon.serve.door import Door

MADE = datetime(2026, 7, 2, 8, 30, tzinfo=UTC)
BEFORE = datetime(2026, 6, 2, 8, 30, tzinfo=UTC)
AREAS = Places(
    "area",
    "Areas",
    "2025",
    official=False,
    names={"A1": "West <Bank>", "A2": "Middle", "A3": "East"},
    shapes={"A1": shapely.box(0, 10, 1, 11), "A2": shapely.box(1, 10, 2, 11), "A3": shapely.box(2, 10, 3, 11)},
    people={"A1": 900.0, "A2": 30.0, "A3": 500.0},
    people_source="Invented count",
)
LAMPS = pa.table(
    {
        "lamp": ["L1", "L2", "L3", "L4", "L5"],
        "seen": pa.array([date(2026, 1, d) for d in (1, 2, 3, 4, 5)], pa.date32()),
        "watts": [40, 60, 40, None, 40],
        "lon": [0.5, 1.5, 2.5, 179.5, -179.5],
        "lat": [10.5, 10.5, 10.5, 10.5, 10.5],
    }
)
PONDS = pa.table(
    {
        "name": ["Round", "Corner", "Dry"],
        "filled": [datetime(2026, 1, 1, 23, 30), datetime(2026, 1, 2, 0, 30), None],
        "shape": pa.array(
            [
                shapely.to_wkb(shapely.Point(0.5, 10.5).buffer(0.1)),
                # Its box holds the point 1.9, 10.9; the triangle itself does not.
                shapely.to_wkb(shapely.Polygon([(1, 10), (2, 10), (1, 11)])),
                None,
            ],
            pa.binary(),
        ),
    }
)
_EDITIONS = (
    Edition(2, date(2026, 7, 1), MADE, 5, ("column watts added",), "b" * 64),
    Edition(1, date(2026, 6, 1), BEFORE, 5, (), "a" * 64),
)
_STEWARD = Steward("Invented steward of lights", contact="lights@village.example")
LAMPS_SET = Dataset(
    "lamps", "table", "Street lamps", "Every lamp.", department="Lights (invented)", topic="public_works",
    access="public", has_rows=True, steward=_STEWARD, licence=Licence("CC0-1.0", "CC0"),
    promise=Promise("The newest row is at most 40 days old.", 40.0), rows=5, updated=date(2026, 7, 1),
    span=(date(2026, 1, 1), date(2026, 1, 5)), editions=_EDITIONS, point=("lon", "lat"), time="seen", key=("lamp",),
    columns=tuple(Column(n, n.title(), "", t) for n, t in (
        ("lamp", "string"), ("seen", "date"), ("watts", "integer"), ("lon", "number"), ("lat", "number"))),
    checks=(Check("lamp is missing", "lamp", "completeness", "error", True),), contract="id: lamps\n",
    used_in=(("measure", "dark"),),
)  # fmt: skip
PONDS_SET = replace(
    LAMPS_SET, name="ponds", title="Ponds", point=None, geometry="shape", time="filled", key=(), rows=3, contract="",
    columns=(Column("name", "Name", "", "string"), Column("filled", "Filled", "", "timestamp"),
             Column("shape", "Shape", "", "object")),
)  # fmt: skip
VISITS_SET = Dataset(
    "visits", "table", "Visits to the doctor", "Who came and why.", access="non-public", unit="person",
    steward=_STEWARD, minimum_cell=11, updated=date(2026, 7, 1), contract="id: visits\n",
    columns=(Column("patient", "Patient", "", "string", "direct", is_open=False),), used_in=(("measure", "dark"),),
)  # fmt: skip
DARK_SET = Dataset(
    "dark", "measure", "Lamps that are out", "Where is it dark?", topic="Safe streets", access="public", has_rows=True,
    rows=4, updated=date(2026, 7, 1), editions=_EDITIONS, made_of=("lamps",),
    columns=(Column("place", "place", "", "string"), Column("value", "value", "", "number")),
)  # fmt: skip
LISTED_SET = Dataset("parks", "listed", "Parks", "Not collected yet.", access="public", reviewed=date(2026, 5, 1))


def score(name: str = "dark") -> Score:
    """Half of the lamps of the village are out, 1 in 4 in the west; the middle is hidden, the east is not measured."""
    told = (
        Estimate(Cell("2025"), "known", 0.5, 0.4, 0.6, 50, 100.0),
        Estimate(Cell("2025", "area", "A1"), "known", 0.25, 0.2, 0.3, 25, 100.0),
        Estimate(Cell("2025", "area", "A2"), "hidden"),
    )
    measured = Measured(
        name, "Lamps that are out", "Where is it dark?", "share", "of lamps", "down", True, (AREAS,), "2025", told,
        "released", 2, headlines=("2025",),
    )  # fmt: skip
    return Score(
        measured, as_of=date(2026, 7, 1), published=date(2026, 7, 1), stage="first", city=told[0], target=None,
        target_words="", past_targets=(), baseline=None, course=None, courses=(), targets=(), gaps=(), inequality={},
        left_out={}, places=(), borrowed={}, covered=(), words=(), series=Series(1, date(2026, 1, 1)), breaks=(),
        late="", false_alarms=0.0, guard_metric=("", ""), chain=(),
    )  # fmt: skip


CHANGED = Changed("restated", "dark", "Lamps that are out", Cell("2025", "area", "A1"), "West <Bank>", "0.30", "0.25")


def catalog(*datasets: Dataset) -> Catalog:
    """The village's catalog."""
    every = datasets or (LAMPS_SET, PONDS_SET, VISITS_SET, DARK_SET, LISTED_SET)
    return Catalog(
        city="Little Tarn", is_invented=True, as_of=date(2026, 7, 1), time_zone="America/Los_Angeles",
        languages=("en", "es"), folder="", portal=Portal(), identity="village", made_at=MADE,
        datasets={d.name: d for d in every}, scores={"dark": score()}, goals=(),
        changes=Changes(date(2026, 6, 1), date(2026, 7, 1), (CHANGED,), (), 0, 0.0), geographies={"area": AREAS},
        neighborhoods="area", neighbors={}, plan=None, stories=(), terms=(), names={}, minimum_cell=11,
    )  # fmt: skip


@dataclass
class Village:
    """The village's portal, which a door asks for its site."""

    told: Catalog = field(default_factory=catalog)

    def __post_init__(self) -> None:
        """Make the site."""
        self.engine = Engine()
        self.tables = {"lamps": LAMPS, "ponds": PONDS}
        self._site = Site(Gate(self.told, self._opened))

    def site(self) -> Site:
        """The site of the moment."""
        return self._site

    def _opened(self, name: str, number: int | None) -> Rows | None:
        dataset, table = self.told.datasets.get(name), self.tables.get(name)
        if dataset is None or table is None or not dataset.has_rows:
            return None
        edition = next((e for e in dataset.editions if number in (None, e.number)), None)
        if edition is None:
            return None
        return Rows(dataset, edition, self.engine.table(table), dataset.columns, table.num_rows, engine=self.engine)


def asks(door: Door, village: Village | None = None) -> TestClient:
    """A client of one door of the village, and of nothing else."""
    return TestClient(Starlette(routes=list(door.routes(village or Village()))), base_url="http://village.example")
