"""The ground of the invented city: its neighborhoods, districts and corridors as shapes and points.

The city is a lattice of squares of 750 metres that the map below deals out to neighborhoods. The lattice
is bent, and every edge of a square is bent once for both its sides: areas tile without a gap or an overlap,
and a district is exactly the union of its neighborhoods. No seed changes the ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.demo.sheet import Flags, Number, Whole

# North is up; .. is outside. Five neighborhoods make a district: 01 to 05 the first, 06 to 10 the second.
_MAP = """
.. .. .. 01 01 02 02 02 07 07 07 06 06 06 .. .. .. .. .. ..
.. .. 01 01 01 02 02 02 07 07 07 06 06 06 06 .. .. .. .. ..
.. 03 01 01 01 02 02 02 07 07 07 08 06 06 21 .. .. .. .. ..
03 03 03 04 04 04 02 02 07 07 08 08 08 22 21 21 21 .. .. ..
03 03 03 04 04 04 05 05 10 10 09 08 22 22 21 21 21 23 23 ..
03 11 11 04 04 05 05 05 10 10 09 09 22 22 22 21 23 23 23 23
11 11 11 11 12 12 05 05 10 10 09 24 24 25 25 25 23 23 23 23
11 11 11 12 12 12 17 17 17 16 16 24 24 25 25 25 36 36 36 36
.. 13 13 13 12 12 17 17 17 19 16 18 18 25 25 25 36 36 36 36
.. 15 13 14 14 27 26 26 20 19 19 18 18 37 37 37 36 36 36 36
15 15 15 14 14 27 26 26 20 20 31 31 32 37 37 38 38 39 39 39
15 15 15 14 27 27 26 26 33 33 31 31 32 32 38 38 38 39 39 39
28 28 28 28 30 30 29 29 33 33 33 32 32 32 38 38 38 39 39 39
.. 28 28 28 30 30 29 29 34 34 34 35 35 35 40 40 40 39 39 ..
.. 28 28 30 30 30 29 29 34 34 34 35 35 35 40 40 40 .. .. ..
.. .. .. 30 30 30 29 29 34 34 34 35 35 35 40 40 .. .. .. ..
"""
_ROWS = [line.split() for line in _MAP.split("\n") if line]
GRID: Whole = np.array([[0 if word == ".." else int(word) for word in row] for row in _ROWS])
"""Lattice row (north first) and column -> neighborhood number; 0 is outside."""

SIDE_M = 750.0
# A dry lake bed: the coordinates are real, the city on them is not.
_WEST, _SOUTH = -119.833, 35.946
_M_PER_DEGREE = np.array([90_164.0, 110_967.0])  # at 36 degrees north, on the WGS 84 ellipsoid
_DOWN, _ACROSS = GRID.shape


@dataclass(frozen=True)
class Corridor:
    """A group of street segments that is looked at together.

    Args:
        name: What people call it.
        row: Lattice row it runs along; None when it runs along a column.
        column: Lattice column it runs along; None when it runs along a row.
        first: First square along it.
        last: Last square along it.
        crashes: Injury crashes a year when nothing is done.
    """

    name: str
    row: int | None
    column: int | None
    first: int
    last: int
    crashes: int


CORRIDORS = (
    Corridor("Sombra Road", 11, None, 4, 13, 250),
    Corridor("Marrow Avenue", None, 13, 3, 14, 150),
    Corridor("Foundry Street", 7, None, 3, 12, 100),
    Corridor("Canal Street", None, 8, 1, 9, 90),
    Corridor("Weir Boulevard", 5, None, 12, 18, 80),
    Corridor("Olive Way", 13, None, 2, 8, 80),
    Corridor("Depot Street", None, 17, 5, 12, 75),
    Corridor("Tule Road", 9, None, 12, 18, 75),
)


def _nodes() -> Number:
    """Corners of the squares, row and column -> longitude and latitude, bent and shaken."""
    chance = np.random.default_rng(36)
    row, column = np.mgrid[0 : _DOWN + 1, 0 : _ACROSS + 1].astype(float)
    x, y = column * SIDE_M, (_DOWN - row) * SIDE_M
    bent = np.stack([x + 260 * np.sin(y / 2900 + 0.4), y + 220 * np.sin(x / 3300 + 1.1)], axis=-1)
    return _degrees(bent + chance.uniform(-110, 110, bent.shape))


def _degrees(metres: Number) -> Number:
    return np.asarray(np.round(np.array([_WEST, _SOUTH]) + metres / _M_PER_DEGREE, 6), dtype=float)


def _bends(start: Number, end: Number, seed: int) -> Number:
    """Three points on the way from each start to its end, pushed aside by up to 40 metres."""
    chance = np.random.default_rng(seed)
    way = np.array([0.25, 0.5, 0.75])[:, None]
    straight = start[..., None, :] + way * (end - start)[..., None, :]
    aside = chance.uniform(-40, 40, straight.shape) / _M_PER_DEGREE
    return np.asarray(np.round(straight + aside, 6), dtype=float)


NODES = _nodes()
_EAST = _bends(NODES[:, :-1], NODES[:, 1:], 37)
_SOUTHWARD = _bends(NODES[:-1], NODES[1:], 38)

Node = tuple[int, int]


def ring(numbers: Iterable[int]) -> list[tuple[float, float]]:
    """The outline of some neighborhoods together, counter-clockwise, its first point repeated at the end.

    Args:
        numbers: Neighborhood numbers that hang together and enclose nothing else.

    Returns:
        Longitude and latitude of each point, in degrees (WGS 84).

    Example:
        >>> outline = ring([13])
        >>> outline[0] == outline[-1]
        True
    """
    inside = np.pad(np.isin(GRID, list(numbers)), 1)
    follows: dict[Node, Node] = {}
    for r, c in np.argwhere(inside[1:-1, 1:-1]).tolist():
        follows.update(_open_edges(inside, r, c))
    start = min(follows)
    points: list[tuple[float, float]] = []
    node = start
    while True:
        points += _edge(node, follows[node])
        node = follows[node]
        if node == start:
            return [*points, points[0]]


def _open_edges(inside: Flags, r: int, c: int) -> dict[Node, Node]:
    # Counter-clockwise from the south-west corner; row numbers grow southward; ``inside`` has a rim of one.
    corners = [(r + 1, c), (r + 1, c + 1), (r, c + 1), (r, c)]
    beyond = [inside[r + 2, c + 1], inside[r + 1, c + 2], inside[r, c + 1], inside[r + 1, c]]
    return {a: b for a, b, shut in zip(corners, corners[1:] + corners[:1], beyond, strict=True) if not shut}


def _edge(start: Node, end: Node) -> list[tuple[float, float]]:
    """Points from a corner to just before the next, the same for both sides of the edge."""
    first = min(start, end)
    bends = (_EAST if start[0] == end[0] else _SOUTHWARD)[first]
    way = [NODES[start], *(bends if start == first else bends[::-1])]
    return [(float(x), float(y)) for x, y in way]


def squares(rng: np.random.Generator, neighborhoods: Whole) -> Whole:
    """A square of each neighborhood, by chance.

    Args:
        rng: The source of chance.
        neighborhoods: Neighborhood numbers, from 1.

    Returns:
        Lattice row and column of each.
    """
    own = [np.argwhere(k == GRID) for k in range(int(GRID.max()) + 1)]
    count = np.array([len(cells) for cells in own])
    table = np.zeros((len(own), int(count[1:].max()), 2), dtype=np.int64)
    for k in range(1, len(own)):
        table[k, : count[k]] = own[k]
    pick = (rng.random(len(neighborhoods)) * count[neighborhoods]).astype(np.int64)
    found: Whole = table[neighborhoods, pick]
    return found


def along(rng: np.random.Generator, corridor: Corridor, n: int) -> Whole:
    """Squares that a corridor runs through, by chance: lattice row and column of each."""
    way = rng.integers(corridor.first, corridor.last + 1, n)
    if corridor.row is not None:
        return np.stack([np.full(n, corridor.row), way], axis=1)
    return np.stack([way, np.full(n, corridor.column)], axis=1)


def points(rng: np.random.Generator, cells: Whole) -> Number:
    """A point well inside each square, so that rounding cannot move it to the next.

    Args:
        rng: The source of chance.
        cells: Lattice row and column of each.

    Returns:
        Longitude and latitude in degrees.
    """
    u, v = rng.uniform(0.14, 0.86, (2, len(cells), 1))
    r, c = cells.T
    north = NODES[r, c] * (1 - u) + NODES[r, c + 1] * u
    south = NODES[r + 1, c] * (1 - u) + NODES[r + 1, c + 1] * u
    return np.asarray(north * (1 - v) + south * v, dtype=float)


def beside(rng: np.random.Generator, n: int, within_m: float) -> Number:
    """Short ways in any direction, as differences of longitude and latitude in degrees.

    Args:
        rng: The source of chance.
        n: How many.
        within_m: None is longer, in metres.
    """
    turn, length = rng.uniform(0, 2 * np.pi, n), rng.uniform(0, within_m, n)
    return np.asarray(np.stack([np.cos(turn), np.sin(turn)], axis=1) * length[:, None] / _M_PER_DEGREE, dtype=float)


def outside(rng: np.random.Generator, n: int) -> Number:
    """Points 4 to 9 kilometres east of the city: longitude and latitude in degrees."""
    east = np.array([_ACROSS * SIDE_M + 4000, 0]) + rng.uniform(0, 5000, (n, 2))
    return _degrees(east)
