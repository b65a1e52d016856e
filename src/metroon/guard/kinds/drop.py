"""``kind: drop``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from metroon.guard.technique import Protecting, Technique

if TYPE_CHECKING:
    from metroon.base.engine import Relation


class Drop(Technique):
    """The column does not leave.

    It is what happens to every column that is not public and has no other technique.
    """

    is_by_row: ClassVar[bool] = True

    def protect(self, rows: Relation, given: Protecting) -> Relation:  # the same call for every kind
        """The rows without the column."""
        return rows.drop(self.column)

    def words(self) -> str:
        """It is left out."""
        return "Left out of the published rows."

    def stays(self) -> bool:
        """It does not."""
        return False
