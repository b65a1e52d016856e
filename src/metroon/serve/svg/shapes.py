"""Boundaries made ready for drawing: projected once, rounded, without points that nobody would see."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from shapely import Geometry

    from metroon.base.places import Places

WIDTH = 560.0
"""Width of a drawing, in its own units: about one pixel each on the page."""
TALLEST = 640.0
"""A city that is longer than wide is made smaller, so that its map still fits on a screen."""
TOLERANCE = 0.4
"""How far a simplified border may lie from the true one, in the same units."""
MARGIN = 3.0


@dataclass(frozen=True)
class Shapes:
    """Areas as the paths of a drawing. Make it once for a set of boundaries and keep it.

    Args:
        width: Of the drawing.
        height: Of the drawing.
        paths: Place key -> path, in the order of the places.
        names: Place key -> what people call the place.
        middles: Place key -> a point inside the area, in percent of width and height.
    """

    width: float
    height: float
    paths: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)
    middles: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def box(self) -> str:
        """The drawing's ``viewBox``."""
        return f"0 0 {self.width:g} {self.height:g}"


def project(places: Places, *, width: float = WIDTH) -> Shapes:
    """The areas as paths, north up, as wide as long in the middle of the city.

    Args:
        places: The areas, with boundaries in longitude and latitude.
        width: Of the drawing, in its own units.

    Returns:
        Paths rounded to a tenth, in the order of the places; areas without a boundary are left out.

    Assumes:
        A city: small enough that a degree of longitude has one length all over it.

    Example:
        >>> from metroon.base.places import Places
        >>> square = Places("s", "Square", "2020", True, {"a": "A"}, {"a": shapely.box(1, -1, 3, 1)})
        >>> project(square, width=106).paths["a"]
        'M103,103L103,3L3,3L3,103Z'
    """
    keys = [k for k in places.names if k in places.shapes and not shapely.is_empty(places.shapes[k])]
    if not keys:
        return Shapes(width, 1.0, {})
    geometries = np.array([places.shapes[k] for k in keys], dtype=object)
    left, bottom, right, top = (float(b) for b in shapely.total_bounds(geometries))
    narrow = max(0.01, math.cos(math.radians((bottom + top) / 2)))
    across, along = max((right - left) * narrow, 1e-9), max(top - bottom, 1e-9)
    unit = min((width - 2 * MARGIN) / across, (TALLEST - 2 * MARGIN) / along)
    drawn_width, height = across * unit + 2 * MARGIN, along * unit + 2 * MARGIN

    def place(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([(points[:, 0] - left) * narrow * unit + MARGIN, (top - points[:, 1]) * unit + MARGIN])

    flat = shapely.transform(shapely.force_2d(geometries), place)
    thin = _thinned(flat)
    middles = shapely.get_coordinates(shapely.point_on_surface(flat))
    return Shapes(
        round(drawn_width, 1),
        round(height, 1),
        {k: _path(g) for k, g in zip(keys, thin, strict=True)},
        {k: places.names[k] for k in keys},
        {
            k: (round(100 * float(x) / drawn_width, 1), round(100 * float(y) / height, 1))
            for k, (x, y) in zip(keys, middles, strict=True)
        },
    )


def _thinned(areas: NDArray[np.object_]) -> NDArray[np.object_]:
    # Shared borders are simplified once for both sides, or slivers of ground would show between areas.
    if all(isinstance(a, shapely.Polygon | shapely.MultiPolygon) for a in areas) and shapely.coverage_is_valid(areas):
        thin: NDArray[np.object_] = shapely.coverage_simplify(areas, TOLERANCE**2)
    else:
        thin = shapely.simplify(areas, TOLERANCE / 2, preserve_topology=True)
    return np.array([b if not b.is_empty else a for a, b in zip(areas, thin, strict=True)], dtype=object)


def _path(area: Geometry) -> str:
    return "".join(_ring(r) for polygon in shapely.get_parts(area) for r in _rings(polygon))


def _rings(polygon: Geometry) -> list[Geometry]:
    return [polygon.exterior, *polygon.interiors] if isinstance(polygon, shapely.Polygon) else []


def _ring(ring: Geometry) -> str:
    points = np.round(shapely.get_coordinates(ring)[:-1], 1)
    written: list[str] = []
    for x, y in points.tolist():
        point = f"{x:g},{y:g}"
        if not written or written[-1] != point:
            written.append(point)
    if len(written) > 1 and written[0] == written[-1]:
        written.pop()
    return f"M{'L'.join(written)}Z" if len(written) > 2 else ""
