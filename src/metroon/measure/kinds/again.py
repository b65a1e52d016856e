"""``kind: again``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import ibis
from pydantic import Field

from metroon.measure.indicator import Indicator, Row
from metroon.measure.shares import share_estimates

if TYPE_CHECKING:
    from metroon.base.engine import Counter, Relation
    from metroon.base.estimate import Estimates, Tallies
    from metroon.city.contract import Contract

_METRES_A_DEGREE = 111_320.0
"""Of latitude; a degree of longitude is shorter by the cosine of the latitude."""


class Again(Indicator):
    """What part of what was closed is reported again soon and nearby: closed before it was done.

    A case counts as reported again when another case of the same kind began within so many days after it was closed,
    and within so many metres. Only cases whose days of waiting are over are counted, and only those with a point. The
    column of the period says in which period a case counts.

    Args:
        until: The column with the day or time of closing.
        begun: The column with the day or time at which a case begins.
        by: Columns that make two cases the same kind.
        within_days: Days after closing.
        within_m: Metres.
    """

    until: str
    begun: str
    by: list[str] = Field(default_factory=list)
    within_days: float = Field(14, gt=0)
    within_m: float = Field(50, gt=0)
    is_share: ClassVar[bool] = True
    gaps_by: ClassVar[Literal["share", "rate", "other"]] = "share"
    has_own_rows: ClassVar[bool] = True

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Columns that it compares."""
        return (("until", self.until), ("begun", self.begun), *(("by", c) for c in self.by))

    def prepare(self, engine: Counter, rows: Relation, contract: Contract) -> Relation:
        """Closed cases, each with whether it was reported again."""
        lon, lat = contract.point or ("", "")
        if not lon:
            return rows.mutate(_again=ibis.null("boolean"))
        ids = list(contract.key)
        begin, end = rows[self.begun].cast("timestamp"), rows[self.until].cast("timestamp")
        newest = begin.max().as_scalar()
        made = rows.mutate(_begin=begin.epoch_seconds(), _end=end.epoch_seconds(), _newest=newest.epoch_seconds())
        seconds = self.within_days * 86_400
        is_told = made["_end"].notnull() & (made["_end"] >= made["_begin"])
        is_over = made["_end"] + seconds <= made["_newest"]
        closed = made.filter(is_told & is_over & made[lon].notnull() & made[lat].notnull())
        hits = _hits(closed, made, [lon, lat], self.by, ids, seconds=seconds, metres=self.within_m)
        found = closed.left_join(hits, ids, rname="{name}_right")
        kept = [c for c in rows.columns if c not in hits.columns or c in ids]
        return found.mutate(_again=found["_hit"].fill_null(False)).select(*kept, "_again")

    def outcome(self, row: Row) -> Any:
        """Whether it was reported again."""
        return row.column("_again")

    def estimates(self, tallies: Tallies) -> Estimates:
        """The shares with Wilson's intervals."""
        return share_estimates(tallies, self)


def _hits(
    closed: Relation, every: Relation, point: list[str], by: list[str], ids: list[str], *, seconds: float, metres: float
) -> Relation:
    """The keys of closed cases that were reported again.

    Cases meet in squares that are at least as wide as the distance, each with its eight neighbors, so that few pairs
    are looked at.
    """
    lon, lat = point
    side = metres / _METRES_A_DEGREE

    def square(rows: Relation) -> dict[str, Any]:
        # At 60 degrees of latitude a degree of longitude is half as long: wide enough for all but the northernmost.
        return {
            "_x": (rows[lon] / (2 * side)).floor().cast("int64"),
            "_y": (rows[lat] / side).floor().cast("int64"),
        }

    first = closed.mutate(**square(closed))
    later = every.filter(every[lon].notnull() & every[lat].notnull())
    later = later.mutate(**square(later))
    place = {"_lon": later[lon], "_lat": later[lat], "_lx": later["_x"], "_ly": later["_y"]}
    later = later.select(_by=_together(later, by), _at=later["_begin"], **place)
    around = ibis.union(
        *(later.mutate(_lx=later["_lx"] + i, _ly=later["_ly"] + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
    )
    first = first.mutate(_kind=_together(first, by))
    pairs = first.inner_join(
        around,
        [first["_kind"] == around["_by"], first["_x"] == around["_lx"], first["_y"] == around["_ly"],
         around["_at"] > first["_end"], around["_at"] <= first["_end"] + seconds],
    )  # fmt: skip
    north = (pairs["_lat"] - pairs[lat]) * _METRES_A_DEGREE
    east = (pairs["_lon"] - pairs[lon]) * _METRES_A_DEGREE * (pairs[lat] * (math.pi / 180)).cos()
    near = pairs.filter(north * north + east * east <= metres * metres)
    return near.select(*ids).distinct().mutate(_hit=ibis.literal(True))


def _together(rows: Relation, by: list[str]) -> Any:
    text = ibis.literal("")
    for column in by:
        text = text + rows[column].cast("string").fill_null("") + "\x1f"
    return text
