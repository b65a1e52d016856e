"""Coordinate reference systems: which one coordinates are in, which they fit, and their way into degrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pyproj import CRS

    Floats = NDArray[np.float64]

WGS84 = "OGC:CRS84"
"""Longitude and latitude, in this order."""
Extent = tuple[float, float, float, float]
"""West, south, east and north, in degrees."""
_FITS = 0.9
"""The share of points that must lie in the city for coordinates to fit a system: some are always wrong."""
_MARGIN_DEGREES = 0.05
"""How far around its places a city still is: about five kilometers."""
_WEB = "3857"
_NAMED = ("NAD83 / ", "WGS 84 / ", "ETRS89 / ")
"""Systems that files are mostly in come before those that differ from them by a meter or two."""


class UnknownSystem(ValueError):  # noqa: N818  # a decision about one word, told by whoever asked
    """A text that names no coordinate reference system."""


@dataclass(frozen=True)
class Likely:
    """A system that coordinates fit.

    Args:
        code: Its code, such as EPSG:2227; empty for degrees.
        name: Its name.
        is_exchanged: Whether the two coordinates stand the other way around.
    """

    code: str
    name: str
    is_exchanged: bool = False

    @property
    def words(self) -> str:
        """What the coordinates are, as a sentence goes on after "they fit".

        Example:
            >>> Likely("EPSG:2227", "NAD83 / California zone 3 (ftUS)").words
            'EPSG:2227 (NAD83 / California zone 3, US survey feet)'
        """
        if not self.code:
            return "latitude and longitude, in this order" if self.is_exchanged else "longitude and latitude in degrees"
        name = self.name.replace(" (ftUS)", ", US survey feet").replace(" (ft)", ", feet")
        return f"{self.code} ({name})" + (" with the two exchanged" if self.is_exchanged else "")


def is_known(crs: str) -> bool:
    """Whether a text names a coordinate reference system.

    Example:
        >>> is_known("EPSG:2227"), is_known("EPSG:1"), is_known("feet")
        (True, False, False)
    """
    try:
        _system(crs)
    except UnknownSystem:
        return False
    return True


@cache
def to_degrees(crs: str) -> Callable[[Floats, Floats], tuple[Floats, Floats]] | None:
    """The way from a system to longitude and latitude; None when it is longitude and latitude already.

    Args:
        crs: Its code, name or WKT.

    Raises:
        UnknownSystem: It names none.
    """
    from pyproj import CRS, Transformer  # takes long to load, and most sources are in degrees
    from pyproj.exceptions import ProjError

    system = _system(crs)
    if system.equals(CRS.from_user_input(WGS84), ignore_axis_order=True):
        return None
    try:
        # always_xy: files hold x before y whatever the system's own axis order says.
        transformer = Transformer.from_crs(system, WGS84, always_xy=True)
    except ProjError:
        raise UnknownSystem(crs) from None

    def project(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        longitude, latitude = transformer.transform(x, y)
        return np.asarray(longitude, dtype=float), np.asarray(latitude, dtype=float)

    return project


def around(extent: Extent) -> Extent:
    """An extent with what is still near it: a quarter of its size on each side, and a few kilometers.

    Example:
        >>> around((-122.0, 37.0, -121.0, 38.0))
        (-122.3, 36.7, -120.7, 38.3)
    """
    west, south, east, north = extent
    wide, high = (east - west) / 4 + _MARGIN_DEGREES, (north - south) / 4 + _MARGIN_DEGREES
    return (round(west - wide, 9), round(south - high, 9), round(east + wide, 9), round(north + high, 9))


def likely(x: Floats, y: Floats, extent: Extent | None) -> Likely | None:
    """The system in which most points lie in the city.

    Args:
        x: First coordinates, as they stand.
        y: Second coordinates.
        extent: Where the city is; without it nothing can be told.

    Returns:
        Degrees before all others, in either order; then the system of the city's region, or Web Mercator, that puts
        most points inside, the common ones first. None when none fits.

    Example:
        >>> likely(np.array([6150000.0]), np.array([1950000.0]), (-122.05, 37.12, -121.6, 37.47)).code
        'EPSG:2227'
        >>> likely(np.array([37.3]), np.array([-121.9]), (-122.05, 37.12, -121.6, 37.47)).is_exchanged
        True
    """
    if extent is None or not len(x):
        return None
    can_be_degrees = bool((np.maximum(np.abs(x), np.abs(y)) <= 180).mean() >= _FITS)
    found: list[tuple[float, Likely]] = []
    for candidate in _candidates(extent):
        near, inside = _shares(candidate, x, y, extent)
        if near >= _FITS:
            found.append((inside, candidate))
        if candidate.is_exchanged and not candidate.code and (found or can_be_degrees):
            break  # few cities lie within 180 meters of the origin of a system
    # Neighboring systems differ by less than a city: the one that puts most points inside, then the most common one.
    return max(found, key=lambda f: f[0], default=(0.0, None))[1]


def is_inside(x: Floats, y: Floats, extent: Extent) -> NDArray[np.bool_]:
    """Which points lie in an extent, its edge included."""
    west, south, east, north = extent
    return np.asarray((x >= west) & (x <= east) & (y >= south) & (y <= north))


def _system(crs: str) -> CRS:
    from pyproj import CRS  # takes long to load, and most sources are in degrees
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(crs)
    except CRSError:
        raise UnknownSystem(crs) from None


def _candidates(extent: Extent) -> Iterator[Likely]:
    from pyproj.aoi import AreaOfInterest  # takes long to load, and is for mistakes only
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    yield from (Likely("", "", is_exchanged) for is_exchanged in (False, True))
    here = AreaOfInterest(*extent)
    found = query_crs_info("EPSG", [PJType.PROJECTED_CRS], area_of_interest=here, contains=True)
    ranked = sorted(
        found,
        key=lambda c: (not c.name.startswith(_NAMED), c.name.startswith("WGS 84 / "), c.code != _WEB, int(c.code)),
    )
    for is_exchanged in (False, True):
        yield from (Likely(f"EPSG:{c.code}", c.name, is_exchanged) for c in ranked)


def _shares(candidate: Likely, x: Floats, y: Floats, extent: Extent) -> tuple[float, float]:
    """The share of points near the city, and in its extent, if they were in a system."""
    a, b = (y, x) if candidate.is_exchanged else (x, y)
    if candidate.code:
        try:
            project = to_degrees(candidate.code)
        except UnknownSystem:
            return 0.0, 0.0  # what no map is made in
        a, b = project(a, b) if project else (a, b)
    return float(is_inside(a, b, around(extent)).mean()), float(is_inside(a, b, extent).mean())
