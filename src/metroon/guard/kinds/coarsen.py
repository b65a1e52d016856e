"""``kind: coarsen``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pydantic import Field

from metroon.base.errors import Refused
from metroon.base.node import did_you_mean
from metroon.base.places import locate
from metroon.guard.technique import Protecting, Technique

if TYPE_CHECKING:
    from metroon.base.engine import Relation

_UNITS = {"month": "M", "quarter": "Q", "year": "Y"}


class Coarsen(Technique):
    """The column says less: a date its month, quarter or year; a number its band; a point its area.

    Coarsening is the same for equal values every time, so that repeats do not average it away.

    Args:
        to: month, quarter or year for a date; a geography for a point (both coordinates go, the area's key
            stays under the geography's name).
        width: Width of the bands of a number, in its own unit; 37 in bands of 10 becomes 30.
    """

    to: str | None = None
    width: float | None = Field(None, gt=0)

    def protect(self, rows: Relation, given: Protecting) -> Relation:
        """The rows with the coarser column."""
        column = given.contract.column(self.column)
        kind = column.type if column else ""
        if self.width and kind in ("integer", "number"):
            banded = (rows[self.column] / self.width).floor() * self.width
            return rows.mutate(**{self.column: banded})
        if self.to in _UNITS and kind in ("date", "timestamp"):
            # By way of a time: DuckDB 2 cuts a date to a time, and Ibis takes that for a date.
            cut = rows[self.column].cast("timestamp").truncate(_UNITS[self.to]).cast("date")
            return rows.mutate(**{self.column: cut})
        if self.to in given.places and given.contract.point and self.column in given.contract.point:
            return self._to_area(rows, given, given.contract.point)
        node = column.node if column else given.contract.node
        what = f"'{self.column}' ({kind or 'no such column'}) cannot be coarsened to {self.to or self.width}."
        fix = "Dates: to month, quarter or year. Numbers: width. Points: " + did_you_mean(self.to or "", given.places)
        raise Refused([node.problem("G104", what, fix)])

    def words(self) -> str:
        """How coarse it is."""
        if self.width:
            return f"Published in bands of {self.width:g}."
        if self.to in _UNITS:
            return f"Only the {self.to} is published."
        return "Only the area is published, not the point."

    def _to_area(self, rows: Relation, given: Protecting, point: tuple[str, str]) -> Relation:
        places = given.places[str(self.to)]
        name = places.id

        def area(batch: pa.Table) -> pa.Table:
            lon, lat = (batch.column(c).to_numpy(zero_copy_only=False) for c in point)
            kept = batch.drop_columns(list(point))
            return kept.append_column(name, pa.array(locate(places, lon, lat).tolist(), pa.string()))

        return given.engine.map_arrow(rows, area)
