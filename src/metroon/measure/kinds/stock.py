"""``kind: stock``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import ibis
import numpy as np

from metroon.measure.indicator import Indicator, Row
from metroon.measure.telling import Answer

if TYPE_CHECKING:
    from metroon.base.engine import Counter, Relation
    from metroon.base.estimate import Estimates, Tallies
    from metroon.city.contract import Contract


class Stock(Indicator):
    """How many are there at the end of each period, and how many came and went in it.

    The column of the period says when one came, ``until`` when they left; who has not left is there. What is there at
    the end is what was there at the beginning, and those who came, less those who went: the identity holds in every
    cell, exactly, and is told with the numbers. It counts what the rows tell: whoever came before the first row is not
    in it. A stock is a count of what is there and no sample, so it has no interval.

    Args:
        until: The column that says when one left.
    """

    until: str
    is_count: ClassVar[bool] = True
    has_own_rows: ClassVar[bool] = True
    accumulates: ClassVar[bool] = True

    def reads(self) -> tuple[tuple[str, str], ...]:
        """The column that says when one left."""
        return (("until", self.until),)

    def prepare(self, engine: Counter, rows: Relation, contract: Contract) -> Relation:
        """A row for each coming and each going, dated by it."""
        if self.period is None:
            return rows.mutate(_flow=ibis.literal("in"))
        begin, end = rows[self.period.column], rows[self.until]
        left = rows.filter(end.notnull() & begin.notnull() & (end >= begin))
        gone = left.mutate(**{self.period.column: left[self.until].cast(begin.type()), "_flow": ibis.literal("out")})
        return ibis.union(rows.mutate(_flow=ibis.literal("in")), gone.select(*rows.columns, "_flow"))

    def sums(self, row: Row) -> dict[str, Any]:
        """Those who came and those who went."""
        flow = row.column("_flow")
        return {"in": (flow == "in").cast("int64"), "out": (flow == "out").cast("int64")}

    def estimates(self, tallies: Tallies) -> Estimates:
        """The stocks and flows; counts of what is there, so without intervals."""
        value = tallies.yes.astype(float)
        nothing = np.full(tallies.cells, np.nan)
        return Answer(value, nothing, nothing, value, tallies.unknown.astype(float)).estimates()
