"""Differences: what two measures tell together when the rows of one are part of the rows of the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING

import ibis

from metroon.measure.indicator import Expression, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.engine import Counter, Relation
    from metroon.base.estimate import Cell, Tally
    from metroon.guard.cells import CellTable
    from metroon.measure.indicator import Indicator

_COUNTED = (("yes",),)
_SHARED = (("yes",), ("no",), ("unknown",), ("yes", "no"), ("yes", "no", "unknown"))
"""What a released share tells: each component, its trials, and all its rows."""
_OUTCOMES = {"yes": True, "no": False, "unknown": None}


@dataclass(frozen=True)
class _Told:
    """One number of every cell that a measure releases, and the rows that are counted in it, by their pattern."""

    table: CellTable
    parts: tuple[str, ...]
    rows: frozenset[int]

    def count(self, cell: Cell) -> int:
        return sum(int(getattr(self.table.tallies[cell], part)) for part in self.parts)


def with_differences(
    engine: Counter, rows: Relation, measures: Sequence[tuple[Indicator, CellTable]]
) -> list[CellTable]:
    """The tables of measures, with the people in mind that a reader finds by taking one from another.

    All crashes less the severe ones are those that were not: nobody releases them, everybody can work them out.
    Where few are left, the part counts as one that few people stand behind, so that the guard withholds it.

    Args:
        engine: The engine.
        rows: The rows of the product that all these measures count.
        measures: Each measure with its table.

    Returns:
        The tables in the order given; ``least_people`` of their tallies is lower where a difference is.

    Assumes:
        One is taken from one: what is left when several measures are taken from another is not looked for.
    """
    few: dict[str, dict[Cell, int]] = {}
    are_people = len(measures) > 1 and any(table.unit != "none" for _, table in measures)
    for whole, part in permutations(_told(engine, rows, measures) if are_people else [], 2):
        if whole.table is not part.table and part.rows < whole.rows:
            known = few.setdefault(part.table.measure, {})
            for cell, left in _left(whole, part).items():
                known[cell] = min(left, known.get(cell, left))
    return [_lowered(table, few.get(table.measure, {})) for _, table in measures]


def _told(engine: Counter, rows: Relation, measures: Sequence[tuple[Indicator, CellTable]]) -> list[_Told]:
    alike = [(i, indicator) for i, (indicator, _) in enumerate(measures) if not indicator.has_own_rows]
    names: list[str] = []
    for i, indicator in alike:
        keys = {}
        for e in (Expression("among", indicator.among or ""), *indicator.expressions()):
            if e.sql:
                keys[e.key] = f"_{i}_{e.key}"
                kind = "double" if e.type == "float64" else e.type
                rows = engine.with_column(rows, keys[e.key], f"cast(({e.sql}\n) as {kind})")
        among = rows[keys["among"]] if indicator.among else ibis.literal(True)
        outcome = indicator.outcome(Row(rows, keys))
        rows = rows.mutate(**{f"_among{i}": among, f"_outcome{i}": ibis.literal(True) if outcome is None else outcome})
        names += [f"_among{i}", f"_outcome{i}"]
    if not names:
        return []
    # Grain: one row per pattern of what the measures say of a row; few, however many rows there are.
    patterns = engine.rows(rows.select(*names).distinct())
    made = []
    for i, _ in alike:
        table = measures[i][1]
        for parts in _SHARED if table.is_share else _COUNTED:
            wanted = {_OUTCOMES[part] for part in parts}
            among = (at for at, p in enumerate(patterns) if p[f"_among{i}"] and p[f"_outcome{i}"] in wanted)
            made.append(_Told(table, parts, frozenset(among)))
    return [t for t in made if t.rows]


def _left(whole: _Told, part: _Told) -> dict[Cell, int]:
    both = whole.table.tallies.keys() & part.table.tallies.keys()
    left = {c: whole.count(c) - part.count(c) for c in both}
    if min(left.values(), default=0) < 0:
        return {}  # periods of two columns have the same names: the one is no part of the other there
    unseen = whole.table.unpublished | part.table.unpublished
    return {c: n for c, n in left.items() if 0 < n < part.table.minimum_cell and c not in unseen}


def _lowered(table: CellTable, few: Mapping[Cell, int]) -> CellTable:
    def lowered(tally: Tally) -> Tally:
        left = few.get(tally.cell)
        known = tally.least_people
        return tally if left is None else replace(tally, least_people=left if known is None else min(left, known))

    return replace(table, tallies={c: lowered(t) for c, t in table.tallies.items()}) if few else table
