"""Places: the areas a city speaks of, with their boundaries and the people who live there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa
import shapely

from metroon.base.estimate import NOWHERE, OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from shapely import Geometry

    from metroon.base.engine import Engine, Relation

LON, LAT, MANY = "_lon", "_lat", "_many"
"""Columns of different points: where they are, and how many rows have them."""
_BATCH = 250_000
"""Points that are put into places at once."""


@dataclass(frozen=True)
class Places:
    """One set of areas of one vintage. Areas do not overlap; they need not cover the city.

    Args:
        id: The geography's id, as in ``city.yaml``.
        title: What people call it.
        vintage: Which edition of the boundaries; it stands beside every number.
        official: False when no authority has adopted these boundaries.
        names: Place key -> what people call the place, in display order.
        shapes: Place key -> boundary in longitude and latitude (WGS 84); empty for places known by key only.
        people: Place key -> residents; empty when the city declared no denominator.
        margins: Place key -> margin of error of its residents (90 %), where they are estimates of a survey.
        people_source: Where ``people`` comes from, with its year.
        base: For bands: the geography whose areas were grouped.
        areas: For bands: area key in ``base`` -> place key here.
        whole: For bands: the places of ``base``, so that a point is in the band of its area.
        note: What a reader must know before using it, such as who drew it.
    """

    id: str
    title: str
    vintage: str
    official: bool
    names: Mapping[str, str]
    shapes: Mapping[str, Geometry] = field(default_factory=dict)
    people: Mapping[str, float] = field(default_factory=dict)
    people_source: str = ""
    margins: Mapping[str, float] = field(default_factory=dict)
    base: str = ""
    areas: Mapping[str, str] = field(default_factory=dict)
    whole: Places | None = None
    note: str = ""

    @property
    def label(self) -> str:
        """Title, vintage and standing, as they stand beside every number.

        Example:
            >>> Places("d", "Districts", "2015", False, {}).label
            'Districts (2015, unofficial)'
        """
        return f"{self.title} ({self.vintage}{'' if self.official else ', unofficial'})"


def locate(places: Places, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.object_]:
    """The place of each point.

    Args:
        places: The areas.
        longitude: Degrees, WGS 84; nan where there is none.
        latitude: Degrees, WGS 84; nan where there is none.

    Returns:
        For each point the key of its place, ``(outside)`` when no area holds it, or ``(no place)`` when it is
        missing, impossible, a pole, or the 0, 0 that programs write for "unknown".

    Assumes:
        Areas do not overlap. A point on a shared edge goes to the area that comes first.

    Example:
        >>> square = Places("s", "Square", "2020", True, {"a": "A"}, {"a": shapely.box(1, 1, 2, 2)})
        >>> locate(square, np.array([1.5, 9.0, np.nan, 0.0]), np.array([1.5, 9.0, 1.0, 0.0])).tolist()
        ['a', '(outside)', '(no place)', '(no place)']
    """
    if places.whole is not None:
        bands = {**places.areas, NOWHERE: NOWHERE}
        return np.array([bands.get(k, OUTSIDE) for k in locate(places.whole, longitude, latitude)], dtype=object)
    x, y = np.asarray(longitude, dtype=float), np.asarray(latitude, dtype=float)
    found = np.full(len(x), OUTSIDE, dtype=object)
    usable = np.isfinite(x) & np.isfinite(y) & (np.abs(x) <= 180) & (np.abs(y) < 90) & ~((x == 0) & (y == 0))
    free = usable.copy()
    for key, area in places.shapes.items():
        left, bottom, right, top = shapely.bounds(area)
        near = np.flatnonzero(free & (x >= left) & (x <= right) & (y >= bottom) & (y <= top))
        if not len(near):
            continue
        shapely.prepare(area)
        inside: Any = near[shapely.intersects_xy(area, x[near], y[near])]
        found[inside] = key
        free[inside] = False
    found[~usable] = NOWHERE
    return found


def located(engine: Engine, rows: Relation, point: tuple[str, str], wanted: Mapping[str, Places]) -> pa.Table:
    """The different points of some rows, each with its places.

    Grain:
        One row per different point; null is one too.

    Args:
        engine: The engine.
        rows: The rows.
        point: Their columns of longitude and latitude, in degrees.
        wanted: Column of the result -> the geography whose places it holds.

    Returns:
        ``LON``, ``LAT``, ``MANY`` and the wanted columns.
    """
    named = {LON: rows[point[0]], LAT: rows[point[1]]}
    points = rows.select(**named).group_by([LON, LAT])
    batches = engine.batches(points.aggregate(**{MANY: ibis._.count()}), rows=_BATCH)
    return pa.concat_tables([_placed(pa.Table.from_batches([b]), wanted) for b in batches])


def _placed(points: pa.Table, wanted: Mapping[str, Places]) -> pa.Table:
    x, y = (_floats(points[c]) for c in (LON, LAT))
    for column, places in wanted.items():
        # As codes: a place has many points.
        found = pa.array(locate(places, x, y).tolist(), pa.string()).dictionary_encode()
        points = points.append_column(column, found)
    return points


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def with_places(rows: Relation, points: Relation, point: tuple[str, str]) -> Relation:
    """The rows, each with the places of its point.

    Args:
        rows: The rows; each of their points is among those that were located.
        points: What ``located`` found, without how many rows have each.
        point: Columns of longitude and latitude.
    """
    # Null-safe, so that rows without a point keep their row.
    same = [rows[point[0]].identical_to(points[LON]), rows[point[1]].identical_to(points[LAT])]
    return rows.left_join(points, same).drop(LON, LAT)
