"""Saying less: dates as their month, numbers as their band, points as an area that enough people live in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon.base.errors import Refused
from metroon.base.node import did_you_mean
from metroon.base.places import LAT, LON, MANY, located, with_places

if TYPE_CHECKING:
    from metroon.base.engine import Relation
    from metroon.base.places import Places
    from metroon.guard.technique import Protecting

PERIODS = {"day": "D", "month": "M", "quarter": "Q", "year": "Y"}
"""Word -> the unit of the engine, the finest first."""
_AREA = "_area"
FLOOR = 20_000
"""Residents of an area that a sensitive place of people may become (CalHHS Data De-Identification Guidelines, 4.2)."""


def is_time(column: str, given: Protecting) -> bool:
    """Whether a column holds dates or times."""
    return _type(column, given) in ("date", "timestamp")


def is_number(column: str, given: Protecting) -> bool:
    """Whether a column holds numbers."""
    return _type(column, given) in ("integer", "number")


def is_point(column: str, given: Protecting) -> bool:
    """Whether a column is one of the two coordinates of the rows' point."""
    return given.contract.point is not None and column in given.contract.point


def _type(column: str, given: Protecting) -> str:
    found = given.contract.column(column)
    return found.type if found else ""


def to_period(rows: Relation, column: str, period: str) -> Relation:
    """The rows with a date as the first day of its month, quarter or year."""
    # By way of a time: DuckDB 2 cuts a date to a time, and Ibis takes that for a date.
    return rows.mutate(**{column: rows[column].cast("timestamp").truncate(PERIODS[period]).cast("date")})


def to_band(rows: Relation, column: str, width: float) -> Relation:
    """The rows with a number as the lower end of its band."""
    return rows.mutate(**{column: (rows[column] / width).floor() * width})


def to_area(rows: Relation, given: Protecting, places: Places) -> Relation:
    """The rows with the key of an area in place of both coordinates."""
    point = given.contract.point or ("", "")
    if places.id in given.points:
        known = given.points[places.id]()
        points = known.select(LON, LAT, **{_AREA: known[next(c for c in known.columns if c not in (LON, LAT))]})
    else:
        points = given.engine.table(located(given.engine, rows, point, {_AREA: places}).drop_columns(MANY))
    placed = with_places(rows, points, point)
    kept = [c for c in rows.columns if c not in (*point, places.id)]
    return placed.select(*kept, **{places.id: placed[_AREA]})


def floor(column: str, given: Protecting, declared: int | None) -> int:
    """How many residents each area must have that a point becomes.

    Args:
        column: The column of the point.
        given: What techniques are given.
        declared: What the city asked for; None when it did not.
    """
    found = given.contract.column(column)
    is_precious = given.contract.unit != "none" and (found is None or found.classification != "public")
    return declared if declared is not None else FLOOR if is_precious else 0


def thin(places: Places, residents: int) -> int:
    """How many areas have fewer residents than that, or nobody says how many.

    Example:
        >>> from metroon.base.places import Places
        >>> thin(Places("d", "Districts", "2020", True, {"a": "A", "b": "B"}, people={"a": 30_000}), 20_000)
        1
    """
    return sum(places.people.get(key, -1) < residents for key in places.names) if residents else 0


def refuse_thin(column: str, given: Protecting, places: Places, residents: int) -> None:
    """Refuse areas that too few people live in.

    Raises:
        Refused: G142.
    """
    few = thin(places, residents)
    if few:
        found = given.contract.column(column)
        node = found.node if found else given.contract.node
        what = (
            f"'{column}' would become an area of {places.title}, and {few} of {len(places.names)} of them have fewer "
            f"than {residents:,} residents, or nobody has declared how many: no row is published."
        )
        fix = (
            "Name a geography of larger areas, declare people: for it in city.yaml, or write residents: with the "
            "smallest number that your privacy officer takes."
        )
        raise Refused([node.problem("G142", what, fix)])


def cannot(column: str, given: Protecting, to: object, geographies: tuple[str, ...] = ()) -> Refused:
    """What is said of a column that cannot be coarsened like that."""
    found = given.contract.column(column)
    node = found.node if found else given.contract.node
    what = f"'{column}' ({found.type if found else 'no such column'}) cannot be coarsened to {to}."
    fix = "Dates: to month, quarter or year. Numbers: width. Points: "
    return Refused([node.problem("G104", what, fix + did_you_mean(" ".join(geographies), given.places))])
