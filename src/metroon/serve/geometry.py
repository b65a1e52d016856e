"""Where and when: what a request writes as a box of degrees or as a stretch of time, read and held against shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from metroon.serve.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""
MOST_EXACT = 50_000
"""Shapes that are held in memory; of more, only the boxes around them are held against what is asked for."""
_OPEN = ("", "..")


def boxes(text: str) -> tuple[Box, ...]:
    """The area that a ``bbox`` names: one box, or two on both sides of the antimeridian.

    Raises:
        Trouble: It is no box of longitudes and latitudes.

    Example:
        >>> boxes("-122,37,-121,38"), boxes("179,-20,-179,-10")
        (((-122.0, 37.0, -121.0, 38.0),), ((179.0, -20.0, 180.0, -10.0), (-180.0, -20.0, -179.0, -10.0)))
    """
    try:
        told = [float(part) for part in text.split(",")]
    except ValueError:
        told = []
    if len(told) not in (4, 6) or not all(math.isfinite(x) for x in told):
        raise _no_box()
    (west, south), (east, north) = told[:2], (told[2:4] if len(told) == 4 else told[3:5])
    if south > north or not all(-90 <= y <= 90 for y in (south, north)):
        raise _no_box()
    if not all(-180 <= x <= 180 for x in (west, east)):
        raise _no_box()
    if west > east:
        return (west, south, 180.0, north), (-180.0, south, east, north)
    return ((west, south, east, north),)


def _no_box() -> Trouble:
    fix = "Write west,south,east,north in degrees, such as -122.1,37.2,-121.8,37.4."
    return Trouble("wrong-value", "'bbox' is no box of longitudes and latitudes.", fix, "bbox")


@dataclass(frozen=True)
class During:
    """A stretch of time on the clocks of the city; None where it is open.

    Args:
        start: Its first moment.
        end: Its last moment.
    """

    start: datetime | None
    end: datetime | None

    def holds(self, first: date, last: date) -> bool:
        """Whether some of these days lie in it."""
        is_before = self.start is not None and last < self.start.date()
        is_after = self.end is not None and first > self.end.date()
        return not is_before and not is_after


def during(text: str, *, time_zone: str) -> During:
    """The stretch of time that a ``datetime`` names: a day, a moment, or two of them with ``/`` between.

    Args:
        text: As it was asked.
        time_zone: Of times in the data: a moment with an offset is told on the clocks of this zone.

    Raises:
        Trouble: It is no time.

    Example:
        >>> during("2026-03-01/..", time_zone="America/Los_Angeles")
        During(start=datetime.datetime(2026, 3, 1, 0, 0), end=None)
    """
    first, slash, last = text.partition("/")
    if slash and first in _OPEN and last in _OPEN:
        raise _no_time()
    start = None if slash and first in _OPEN else _moment(first, time_zone, time.min)
    ending = last if slash else first
    end = None if slash and ending in _OPEN else _moment(ending, time_zone, time.max)
    if start is not None and end is not None and start > end:
        raise _no_time()
    return During(start, end)


def _moment(text: str, time_zone: str, when: time) -> datetime:
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), when)
        # A plus in an address is read as a space.
        found = datetime.fromisoformat(text.replace(" ", "+"))
        return found.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        raise _no_time() from None


def _no_time() -> Trouble:
    fix = "Write a day such as 2026-07-15, a time such as 2026-07-15T08:30:00Z, or two of them with / between."
    return Trouble("wrong-value", "'datetime' is no time and no stretch of time.", fix, "datetime")


@dataclass(frozen=True)
class Index:
    """The shapes of many rows, to be found by where they are.

    Args:
        bounds: West, south, east and north of each, in the order of the rows; nan where a row has no shape.
        shapes: The shapes themselves; None when there are too many to hold.
    """

    bounds: NDArray[np.float64]
    shapes: NDArray[np.object_] | None

    @property
    def extent(self) -> Box | None:
        """West, south, east and north of all together; None when no row has a shape."""
        known = self.bounds[np.isfinite(self.bounds[:, 0])] if len(self.bounds) else self.bounds
        if not len(known):
            return None
        west, south = known[:, :2].min(axis=0).tolist()
        east, north = known[:, 2:].max(axis=0).tolist()
        return west, south, east, north

    def inside(self, area: Iterable[Box]) -> NDArray[np.int64]:
        """Numbers, from 0, of the rows whose shape meets one of the boxes.

        Where shapes are not held, the box around a shape stands for it.
        """
        found = np.zeros(len(self.bounds), dtype=bool)
        for west, south, east, north in area:
            left, bottom, right, top = self.bounds.T
            near = (left <= east) & (right >= west) & (bottom <= north) & (top >= south)
            if self.shapes is not None:
                box: Any = shapely.box(west, south, east, north)
                near[near] = shapely.intersects(self.shapes[near], box)
            found |= near
        return np.flatnonzero(found)


def index(parts: Iterable[NDArray[np.object_]], *, total: int) -> Index:
    """The index of shapes that come bit by bit.

    Args:
        parts: Shapes in the order of the rows; None where a row has none.
        total: How many there will be.
    """
    bounds, held = [np.empty((0, 4))], []
    for shapes in parts:
        bounds.append(shapely.bounds(shapes))
        if total <= MOST_EXACT:
            held.append(shapes)
    empty = np.empty(0, dtype=object)
    return Index(np.concatenate(bounds), np.concatenate([empty, *held]) if total <= MOST_EXACT else None)
