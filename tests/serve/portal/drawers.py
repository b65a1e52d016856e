"""A city with an open drawer and a shut one: rows that anybody may have, with a column that nobody may, and rows that
nobody may have. What is shut is there to be opened, as it is on the city's machine, so a door that forgot the gate
would open it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from metroon.base.catalog import Catalog, Check, Column, Dataset, Edition, Licence, Portal, Rows, Steward
from metroon.base.engine import Engine
from metroon.permit import Gate
from metroon.serve.site import Site

if TYPE_CHECKING:
    from collections.abc import Sequence

MADE = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)
HIDDEN = "keeper"
"""A column that is in the file of the open drawer and is not published."""
OWNER = "Ottilie Nobodyknows"
PATIENT = "Perpetua Mustnotleave"
ROWS_SHUT = 7919
TYPES = {
    "id": "integer", "word": "string", "amount": "number", "is_on": "boolean", "day": "date", "at": "timestamp",
    "longitude": "number", "latitude": "number",
}  # fmt: skip
"""The published columns of the open drawer."""
ARROW = pa.schema(
    [
        ("id", pa.int64()), ("word", pa.string()), ("amount", pa.float64()), ("is_on", pa.bool_()),
        ("day", pa.date32()), ("at", pa.timestamp("us")), ("longitude", pa.float64()), ("latitude", pa.float64()),
        (HIDDEN, pa.string()),
    ]
)  # fmt: skip
SHUT = pa.table({"patient": [PATIENT] * 3, "ward": ["north", "north", "south"]})


def few() -> pa.Table:
    """A few rows to ask for."""
    rows = [
        {
            "id": n, "word": ("lamp", "x' or '1'='1", "<b>", "=1+1")[n % 4], "amount": n / 4, "is_on": n % 2 == 0,
            "day": date(2026, 1, 1 + n), "at": datetime(2026, 1, 1, n), "longitude": 1.0 + n, "latitude": 2.0,
            HIDDEN: OWNER,
        }
        for n in range(8)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ARROW)


def datasets() -> Sequence[Dataset]:
    """The two drawers as the city declares them."""
    columns = tuple(Column(n, n.title(), f"What {n} is.", t) for n, t in TYPES.items())
    hidden = Column(
        HIDDEN, "Keeper", "Whose it is.", "string", "direct", "Left out of the published rows.", is_open=False
    )
    steward = Steward("Invented steward", contact="steward@example.gov")
    one = Dataset(
        "lamps", "table", "Lamps", "Every lamp.", department="Lights (invented)", topic="lights", access="public",
        has_rows=True, steward=steward, licence=Licence("CC0-1.0", "CC0", "https://cc0.example/"),
        columns=(*columns, hidden), rows=8, updated=date(2026, 7, 15), editions=_editions(1, None),
        contract="id: lamps\n", point=("longitude", "latitude"), time="day", key=("id",), span=(date(2026, 1, 1),
        date(2026, 1, 8)),
    )  # fmt: skip
    shut = replace(
        one, name="visits", title="Visits", description="Who came.", access="restricted public", unit="person",
        columns=(Column("patient", "Patient", "", "string", "direct", filled=0.7919, bars=(0.7919, 0.1)),
                 Column("ward", "Ward", "", "string", filled=0.7919)),
        rows=ROWS_SHUT, editions=_editions(3, ROWS_SHUT), contract=f"id: visits\nexamples: [{PATIENT}]\n", point=None,
        time="", key=("patient",), span=(date(1987, 3, 4), date(1987, 3, 5)),
        checks=(Check("patient is missing", "patient", "completeness", "stop", True),),
    )  # fmt: skip
    return one, shut


def _editions(number: int, rows: int | None) -> tuple[Edition, ...]:
    return tuple(
        Edition(n, date(2026, 7, 15), MADE, rows, ("column patient_of added",) if rows else (), f"sha{n}")
        for n in range(number, 0, -1)
    )


class Drawers:
    """The portal of the two drawers; what lies in the open one may be changed between questions.

    Args:
        table: The rows of the open drawer, with the column that is not published.
    """

    def __init__(self, table: pa.Table | None = None) -> None:
        self.engine = Engine()
        self.fill(table if table is not None else few())

    def fill(self, table: pa.Table) -> None:
        """Put other rows into the open drawer."""
        one, shut = datasets()
        told = {"lamps": (replace(one, rows=table.num_rows), table), "visits": (shut, SHUT)}
        catalog = Catalog(
            city="Drawerton", is_invented=True, as_of=date(2026, 7, 15), time_zone="America/Los_Angeles",
            languages=("en", "es"), folder="", portal=Portal(), identity="drawers", made_at=MADE,
            datasets={n: d for n, (d, _) in told.items()}, scores={}, goals=(), changes=None, geographies={},
            neighborhoods="", neighbors={}, plan=None, stories=(), terms=(), names={}, minimum_cell=11,
        )  # fmt: skip

        def opener(name: str, number: int | None) -> Rows | None:
            dataset, rows = told[name]
            edition = next(e for e in dataset.editions if number in (None, e.number))
            # As from a file that holds more than may leave: the gate has to take it out.
            return Rows(dataset, edition, self.engine.table(rows), dataset.columns, rows.num_rows, engine=self.engine)

        self._site = Site(Gate(catalog, opener))

    def site(self) -> Site:
        """The site of the moment."""
        return self._site
