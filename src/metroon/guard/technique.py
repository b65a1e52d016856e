"""The noun of this room: a technique that protects one column of rows that leave."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from metroon.base.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from metroon.base.engine import Engine, Relation
    from metroon.base.places import Places
    from metroon.city.contract import Contract

WHO = "_who_"
"""Rides along with the rows until people are counted; no contract may name a column so."""


@dataclass(frozen=True)
class Protecting:
    """What a technique is given.

    Args:
        engine: The engine.
        contract: The promise, which names the columns and their classes.
        places: Geographies that a point may be coarsened to.
        keys: Purpose -> secret key for pseudonyms; from the environment, never from a file.
        as_of: The day taken for today; without it no row is old enough to leave.
        before: Column -> the step of its ladder in the version that was published last.
        minimum_cell: Fewest people that may share what is published of them.
        points: Geography -> the different points of the rows with the key of their area, ``LON``, ``LAT`` and the key,
            where they were located before.
    """

    engine: Engine
    contract: Contract
    places: Mapping[str, Places] = field(default_factory=dict)
    keys: Mapping[str, bytes] = field(default_factory=dict)
    as_of: date | None = None
    before: Mapping[str, str] = field(default_factory=dict)
    minimum_cell: int = 11
    points: Mapping[str, Callable[[], Relation]] = field(default_factory=dict)


class Technique(Kind):
    """One way to protect a column. Its fields are the YAML options."""

    column: str
    """The column it protects."""

    is_by_row: ClassVar[bool] = False
    """Whether what becomes of a row is the same whatever other rows there are, once its step is chosen."""

    @abstractmethod
    def protect(self, rows: Relation, given: Protecting) -> Relation:
        """The rows with this column protected.

        Raises:
            Refused: The technique cannot do it on this column; nothing is published.
        """

    def words(self) -> str:
        """What was done to the column, as a sentence for those who read the published rows."""
        return "Changed, so that it tells less of a person."

    def leaves(self) -> str | None:
        """The class that the column has afterwards; None when its own class stays."""
        return None

    def stays(self) -> bool:
        """Whether the column is in the rows afterwards; not when it is left out, or becomes another."""
        return True

    def diversity(self) -> int | None:
        """Fewest different values that each group of people alike must hold; None where nothing is asked."""
        return None

    def rungs(self, given: Protecting) -> tuple[str, ...]:
        """Names of the steps that it can be set to, the finest first; none when there is nothing to choose."""
        return ()

    def at(self, step: str) -> Self:
        """The technique set to one of its steps."""
        return self

    def geographies(self) -> tuple[str, ...]:
        """The geographies that it may turn a point into."""
        to = getattr(self, "to", None)
        return (str(to),) if to else ()

    def today(self, as_of: date) -> str:
        """All that it makes of the day; the same text means the same rows, and empty that the day does not matter."""
        return ""
