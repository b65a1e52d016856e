"""``kind: coarsen``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from metroon.guard.climbing import (
    cannot,
    floor,
    is_number,
    is_point,
    is_time,
    refuse_thin,
    to_area,
    to_band,
    to_period,
)
from metroon.guard.technique import Protecting, Technique

if TYPE_CHECKING:
    from metroon.base.engine import Relation

_PERIODS = ("month", "quarter", "year")


class Coarsen(Technique):
    """The column says less: a date its month, quarter or year; a number its band; a point its area.

    Coarsening is the same for equal values every time, so that repeats do not average it away.

    Args:
        to: month, quarter or year for a date; a geography for a point (both coordinates go, the area's key
            stays under the geography's name).
        width: Width of the bands of a number, in its own unit; 37 in bands of 10 becomes 30.
        residents: Fewest residents of each area that a point may become; 20,000 unless written, where people stand
            behind the rows and the point is not public.
    """

    to: str | None = None
    width: float | None = Field(None, gt=0)
    residents: int | None = Field(None, ge=0)
    is_by_row: ClassVar[bool] = True

    def protect(self, rows: Relation, given: Protecting) -> Relation:
        """The rows with the coarser column."""
        if self.width and is_number(self.column, given):
            return to_band(rows, self.column, self.width)
        if self.to in _PERIODS and is_time(self.column, given):
            return to_period(rows, self.column, self.to)
        if self.to is not None and self.to in given.places and is_point(self.column, given):
            places = given.places[self.to]
            refuse_thin(self.column, given, places, floor(self.column, given, self.residents))
            return to_area(rows, given, places)
        raise cannot(self.column, given, self.to or self.width, (self.to or "",))

    def words(self) -> str:
        """How coarse it is."""
        if self.width:
            return f"Published in bands of {self.width:g}."
        if self.to in _PERIODS:
            return f"Only the {self.to} is published."
        return "Only the area is published, not the point."

    def stays(self) -> bool:
        """Not where it is a point, which becomes its area."""
        return self.width is not None or self.to in _PERIODS
