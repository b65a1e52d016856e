"""``kind: rare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from metroon.guard.climbing import cannot
from metroon.guard.technique import WHO, Protecting, Technique

if TYPE_CHECKING:
    from metroon.base.engine import Relation


class Rare(Technique):
    """Rare categories become one, which then is not rare itself.

    Categories of fewer people than the minimum cell become `other`. Where these are fewer than two categories, or
    fewer people than the minimum together, the next smallest ones join them: an `other` of one category would be
    that category, and an `other` of few people would be small itself.

    Args:
        into: What they become.
    """

    into: str = "other"

    def protect(self, rows: Relation, given: Protecting) -> Relation:
        """The rows with the rare categories as one."""
        column = given.contract.column(self.column)
        if column is None or column.type != "string":
            raise cannot(self.column, given, f"'{self.into}'")
        people = rows[WHO].nunique() if WHO in rows.columns else rows.count()
        counts = rows.group_by(self.column).aggregate(_n=people)
        told = given.engine.rows(counts.filter(counts[self.column].notnull()))
        merged = self._merged({str(r[self.column]): int(r["_n"]) for r in told}, given.minimum_cell)
        if not merged:
            return rows
        value = ibis.cases((rows[self.column].isin(merged), ibis.literal(self.into)), else_=rows[self.column])
        return rows.mutate(**{self.column: value})

    def _merged(self, counts: dict[str, int], minimum: int) -> list[str]:
        """The categories that become one, smallest first; equal ones in the order of their names."""
        ordered = sorted(counts, key=lambda c: (counts[c], c))
        few = [c for c in ordered if counts[c] < minimum or c == self.into]
        if not any(counts[c] < minimum for c in few):
            return []
        for more in (c for c in ordered if c not in few):
            if len(few) > 1 and sum(counts[c] for c in few) >= minimum:
                break
            few.append(more)
        return few

    def words(self) -> str:
        """That rare ones are one."""
        return f"Categories of few people are told as '{self.into}'."
