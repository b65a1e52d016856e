"""``kind: top_code``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import ibis
from pydantic import Field

from metroon.guard.climbing import cannot, is_number
from metroon.guard.technique import Protecting, Technique

if TYPE_CHECKING:
    from metroon.base.engine import Relation


class TopCode(Technique):
    """High numbers become one: ages of 90 and over are told as 90, households of 7 and more as 7.

    Few people are very old, and few households very large: their number alone would tell who they are.

    Args:
        highest: The number that it and all above it become.
        width: Width of the bands of the numbers below; none unless written.
    """

    highest: float
    width: float | None = Field(None, gt=0)
    is_by_row: ClassVar[bool] = True

    def protect(self, rows: Relation, given: Protecting) -> Relation:
        """The rows with the high numbers as one."""
        if not is_number(self.column, given):
            raise cannot(self.column, given, f"at most {self.highest:g}")
        low = rows[self.column].clip(upper=self.highest)
        told = (low / self.width).floor() * self.width if self.width else low
        highest = ibis.literal(self.highest).cast(told.type())
        return rows.mutate(**{self.column: ibis.ifelse(low >= self.highest, highest, told)})

    def words(self) -> str:
        """From where on."""
        bands = f" in bands of {self.width:g}," if self.width else ""
        return f"Published{bands} with {self.highest:g} for {self.highest:g} and more."
