"""Shapes as ArcGIS servers write them, as GeoJSON."""

from __future__ import annotations

from typing import Any

import shapely


def geojson(shape: object) -> dict[str, object] | None:
    """A shape in GeoJSON; None when there is none, or it is of a kind that is not known.

    Args:
        shape: The shape as it was parsed; coordinates stay as they are written.

    Source:
        ArcGIS REST API, geometry objects: the outer rings of a polygon run clockwise, its holes the other way.
        https://developers.arcgis.com/rest/services-reference/enterprise/geometry-objects/

    Example:
        >>> geojson({"x": -71.0, "y": 42.3})
        {'type': 'Point', 'coordinates': [-71.0, 42.3]}
    """
    if not isinstance(shape, dict):
        return None
    if shape.get("x") not in (None, "NaN") and shape.get("y") not in (None, "NaN"):
        return {"type": "Point", "coordinates": [shape["x"], shape["y"]]}
    if shape.get("points"):
        return {"type": "MultiPoint", "coordinates": shape["points"]}
    if shape.get("paths"):
        return {"type": "MultiLineString", "coordinates": shape["paths"]}
    if shape.get("rings"):
        return {"type": "MultiPolygon", "coordinates": _polygons(shape["rings"])}
    return None


def _polygons(rings: Any) -> list[list[Any]]:
    """Rings put together: each hole into the outer ring that it lies in."""
    outer = [ring for ring in rings if _area(ring) <= 0]
    holes = [ring for ring in rings if _area(ring) > 0]
    polygons: list[list[Any]] = [[ring] for ring in outer]
    shapes = [shapely.Polygon(_plain(ring)) for ring in outer if len(ring) >= 4]
    for hole in holes:
        at = shapely.Point(_plain(hole)[0])
        inside = [i for i, s in enumerate(shapes) if len(shapes) == len(outer) and s.intersects(at)]
        if inside:
            polygons[min(inside, key=lambda i: shapes[i].area)].append(hole)
        else:
            polygons.append([hole])  # drawn the wrong way around
    return polygons


def _plain(ring: Any) -> list[tuple[float, float]]:
    return [(float(p[0]), float(p[1])) for p in ring]


def _area(ring: Any) -> float:
    """Twice the area; below 0 when the ring runs clockwise."""
    at = _plain(ring)
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(at, [*at[1:], *at[:1]], strict=True))
