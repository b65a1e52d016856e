"""Where rows say they are: the columns Longitude and Latitude, right and wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metroon.demo.terrain import outside, points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metroon.demo.sheet import Number, Sheet, Text, Whole

HEADERS = ("Longitude", "Latitude")


def position(rng: np.random.Generator, cells: Whole) -> dict[str, Text]:
    """A point in each square, as text in degrees: header -> column."""
    return as_text(points(rng, cells))


def as_text(degrees: Number) -> dict[str, Text]:
    """Points as text in degrees: header -> column."""
    return dict(zip(HEADERS, _written(degrees), strict=True))


def displaced(rng: np.random.Generator, sheet: Sheet, flawed: Mapping[str, Whole]) -> Sheet:
    """The sheet with points that are empty, 0 or far away where the flaws say so."""
    far = _written(outside(rng, len(flawed["far point"])))
    for header, text in zip(HEADERS, far, strict=True):
        sheet = sheet.put(header, flawed["no point"], "").put(header, flawed["zero point"], "0")
        sheet = sheet.put(header, flawed["far point"], text)
    return sheet


def _written(degrees: Number) -> list[Text]:
    # Five decimals are about a metre.
    return [np.char.mod("%.5f", axis) for axis in degrees.T]
