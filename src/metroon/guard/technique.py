"""The noun of this room: a technique that protects one column of rows that leave."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metroon.base.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metroon.base.engine import Engine, Relation
    from metroon.base.places import Places
    from metroon.city.contract import Contract


@dataclass(frozen=True)
class Protecting:
    """What a technique is given.

    Args:
        engine: The engine.
        contract: The promise, which names the columns and their classes.
        places: Geographies that a point may be coarsened to.
        keys: Purpose -> secret key for pseudonyms; from the environment, never from a file.
    """

    engine: Engine
    contract: Contract
    places: Mapping[str, Places] = field(default_factory=dict)
    keys: Mapping[str, bytes] = field(default_factory=dict)


class Technique(Kind):
    """One way to protect a column. Its fields are the YAML options."""

    column: str
    """The column it protects."""

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
