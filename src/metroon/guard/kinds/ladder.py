"""``kind: ladder``."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Self

import ibis
from pydantic import Field, PrivateAttr, model_validator

from metroon.guard.climbing import (
    PERIODS,
    cannot,
    floor,
    is_number,
    is_point,
    is_time,
    refuse_thin,
    thin,
    to_area,
    to_band,
    to_period,
)
from metroon.guard.technique import Protecting, Technique

if TYPE_CHECKING:
    from metroon.base.engine import Relation

Step = str | float | dict[str, str]
OTHER = "other"


class Ladder(Technique):
    """The column says only as much as every group of people allows: steps are climbed until no small group is left.

    All rows stand on the same step, and a later version never stands on a finer one than the version before.
    Ladders of several columns climb in the order in which they are written: the first column gives way first, and
    the last one is kept as fine as can be.

    Args:
        steps: The steps, the finest first. Of a date: day, month, quarter, year. Of a number: widths of bands, each
            a multiple of the one before, such as [5, 10, 20]. Of a point: geographies, such as [block, neighborhood,
            district]. Of a list of codes: mappings from code to coarser code; codes that a mapping does not name
            become `other`.
        residents: Fewest residents of each area that a point may become; geographies with smaller areas are left
            out. 20,000 unless written, where people stand behind the rows and the point is not public.
    """

    steps: list[Step] = Field(min_length=1)
    residents: int | None = Field(None, ge=0)
    _step: str = PrivateAttr("")
    is_by_row: ClassVar[bool] = True

    @model_validator(mode="after")
    def _climbs(self) -> Self:
        words = [s for s in self.steps if isinstance(s, str) and s in PERIODS]
        if words != sorted(words, key=list(PERIODS).index) or len(set(map(_label, self.steps))) < len(self.steps):
            raise ValueError("the steps must go from fine to coarse. Fix: Write them as [day, month, quarter, year].")
        widths = [s for s in self.steps if isinstance(s, float)]
        if any(w <= 0 for w in widths) or any(b <= a or (b / a) % 1 > 1e-9 for a, b in pairwise(widths)):
            # Bands that cut each other would tell more together than each alone.
            raise ValueError("each band must be a multiple of the one before. Fix: Write them as [5, 10, 20].")
        maps = [s for s in self.steps if isinstance(s, dict)]
        if any(_splits(a, b) for a, b in pairwise(maps)):
            raise ValueError("a later mapping may not part what an earlier one joins. Fix: Keep joined codes joined.")
        return self

    def protect(self, rows: Relation, given: Protecting) -> Relation:
        """The rows with the column on its step; on the coarsest when nobody has chosen one."""
        rung = next((r for r in self.steps if _label(r) == self._step), self.steps[-1])
        if isinstance(rung, dict):
            return self._mapped(rows, given, rung)
        if isinstance(rung, float) and is_number(self.column, given):
            return to_band(rows, self.column, rung)
        if isinstance(rung, str) and rung in PERIODS and is_time(self.column, given):
            return to_period(rows, self.column, rung)
        if isinstance(rung, str) and rung in given.places and is_point(self.column, given):
            refuse_thin(self.column, given, given.places[rung], floor(self.column, given, self.residents))
            return to_area(rows, given, given.places[rung])
        raise cannot(self.column, given, _label(rung), self.geographies())

    def _mapped(self, rows: Relation, given: Protecting, coarser: dict[str, str]) -> Relation:
        column = given.contract.column(self.column)
        if column is None or column.type not in ("string", "integer"):
            raise cannot(self.column, given, "coarser codes")
        codes = rows[self.column].cast("string")
        cases = [(codes == code, ibis.literal(name)) for code, name in coarser.items()]
        mapped = ibis.cases((codes.isnull(), ibis.null("string")), *cases, else_=ibis.literal(OTHER))
        return rows.mutate(**{self.column: mapped})

    def words(self) -> str:
        """That its step was chosen by the rows."""
        listed = [s if isinstance(s, str) else f"bands of {s:g}" for s in self.steps if not isinstance(s, dict)]
        told = f" ({', '.join(listed)})" if listed else ""
        return f"Published only as finely as the smallest group of people allows{told}."

    def stays(self) -> bool:
        """Not where it is a point, which becomes its area."""
        return not self.geographies()

    def rungs(self, given: Protecting) -> tuple[str, ...]:
        """The labels of the steps that may be stood on: none finer than in the version before."""
        least = floor(self.column, given, self.residents)
        areas = {g: thin(given.places[g], least) for g in self.geographies() if g in given.places}
        labels = [_label(s) for s in self.steps if not (isinstance(s, str) and areas.get(s))]
        labels = labels or [_label(self.steps[-1])]
        last = given.before.get(self.column)
        if last is None:
            return tuple(labels)
        # A step that is not there any more cannot be compared: only the coarsest is surely no finer.
        return tuple(labels[labels.index(last) :] if last in labels else labels[-1:])

    def at(self, step: str) -> Self:
        """The ladder with its column on one step."""
        set_to = self.model_copy()
        set_to._step = step
        return set_to

    def geographies(self) -> tuple[str, ...]:
        """The steps that are no period."""
        return tuple(r for r in self.steps if isinstance(r, str) and r not in PERIODS)


def _label(rung: Step) -> str:
    if isinstance(rung, dict):
        return "codes " + hashlib.sha256(json.dumps(rung, sort_keys=True).encode()).hexdigest()[:12]
    return f"{rung:g}" if isinstance(rung, float) else rung


def _splits(fine: dict[str, str], coarse: dict[str, str]) -> bool:
    """Whether two codes that are one in the first mapping are two in the second."""
    codes = {*fine, *coarse, ""}
    becomes: dict[str, set[str]] = {}
    for code in codes:
        becomes.setdefault(fine.get(code, OTHER), set()).add(coarse.get(code, OTHER))
    return any(len(names) > 1 for names in becomes.values())
