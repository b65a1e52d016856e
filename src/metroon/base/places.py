"""Places: the areas a city speaks of, with their boundaries and the people who live there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely import Geometry


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
        people_source: Where ``people`` comes from, with its year.
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
    note: str = ""
