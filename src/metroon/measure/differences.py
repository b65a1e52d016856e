"""Differences: what two measures tell together when the rows of one are part of the rows of the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, permutations, product
from typing import TYPE_CHECKING

import ibis

from metroon.guard.cells import Difference
from metroon.measure.cube import GROUP, group_label
from metroon.measure.indicator import Expression, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ibis import Value

    from metroon.base.engine import Counter, Relation
    from metroon.measure.declared import Group
    from metroon.measure.indicator import Indicator

_COUNTED = (("yes",),)
_SHARED = (("yes",), ("no",), ("unknown",), ("yes", "no"), ("yes", "no", "unknown"))
"""What a released share tells: each component, its trials, and all its rows."""
_OUTCOMES = {"yes": True, "no": False, "unknown": None}


@dataclass(frozen=True)
class _Told:
    """One number of every cell that a measure releases, and the rows that are counted in it: one bit a pattern.

    Args:
        measure: The measure.
        parts: Its components that are added up.
        rows: The patterns.
        group: Dimension and group, where it is of one group only.
    """

    measure: str
    parts: frozenset[str]
    rows: int
    group: tuple[str, str] | None = None


def differences(engine: Counter, rows: Relation, measures: Mapping[str, Indicator]) -> list[Difference]:
    """What a reader finds by taking one measure from another: all crashes less the severe ones are those that were not.

    Nobody releases them, everybody can work them out, and where few are left they must stay in doubt. So with a
    measure among one group, beside another that is broken down by these groups.

    Args:
        engine: The engine.
        rows: The rows of the product that all these measures count.
        measures: Measure -> how it counts them.

    Returns:
        Each pair of numbers of two measures of which one counts only rows that the other counts too, and not all; of a
        group beside everybody also those that count the same.

    Assumes:
        One or two are taken from one: what is left when more measures are taken from another is not looked for.
        Groups of rows that name several, and of rates, are not compared with other measures.
    """
    told = _told(engine, rows, measures) if len(measures) > 1 else []
    whole = [t for t in told if t.group is None]
    everybody = {(t.measure, t.parts): t.rows for t in whole}
    found = [_less(a, b) for a, b in permutations(whole, 2) if a.rows != b.rows and _is_in(b, a)]
    for a, (b, c) in product(whole, combinations(whole, 2)):
        is_apart = a.measure not in (b.measure, c.measure) and b.measure != c.measure and not b.rows & c.rows
        if is_apart and _is_in(b, a) and _is_in(c, a) and a.rows & ~b.rows & ~c.rows:
            found.append(replace(_less(a, b), also=((c.measure, c.parts),)))
    for group, other in product((t for t in told if t.group), whole):
        if group.measure == other.measure:
            continue
        if _is_in(other, group):
            found.append(_less(group, other))
        elif _is_in(group, other) and everybody[group.measure, group.parts] & ~other.rows:
            found.append(_less(other, group))
    return found


def _is_in(part: _Told, whole: _Told) -> bool:
    return part.measure != whole.measure and not part.rows & ~whole.rows


def _less(whole: _Told, part: _Told) -> Difference:
    return Difference(
        whole.measure, whole.parts, part.measure, part.parts, whole.group, part.group, part.rows == whole.rows
    )


@dataclass(frozen=True)
class Membership:
    """Which groups of rows a number counts.

    Args:
        measure: The measure.
        parts: Its components that are added up.
        groups: The groups of which it counts some rows.
        is_whole: Whether it counts all rows of each of these.
    """

    measure: str
    parts: frozenset[str]
    groups: frozenset[tuple[str, ...]]
    is_whole: bool


def memberships(
    engine: Counter, rows: Relation, measures: Mapping[str, Indicator], by: Sequence[Value]
) -> list[Membership]:
    """Which groups of rows each number of some measures counts, when the rows are grouped by columns of a table.

    Args:
        engine: The engine.
        rows: The rows of the product that all these measures count.
        measures: Measure -> how it counts them.
        by: The columns, as text.
    """
    alike = {name: indicator for name, indicator in measures.items() if not indicator.has_own_rows}
    grouped = rows.mutate(**{f"_by{i}": column for i, column in enumerate(by)})
    known, names = _flagged(engine, grouped, alike)
    if not names:
        return []
    keys = [f"_by{i}" for i in range(len(by))]
    patterns = engine.rows(known.select(*keys, *names).distinct())
    made = []
    for i, (name, indicator) in enumerate(alike.items()):
        for parts in _SHARED if indicator.is_share else _COUNTED:
            wanted = {_OUTCOMES[part] for part in parts}
            inside: set[tuple[str, ...]] = set()
            outside: set[tuple[str, ...]] = set()
            for p in patterns:
                is_in = p[f"_among{i}"] and p[f"_outcome{i}"] in wanted
                (inside if is_in else outside).add(tuple(str(p[k]) for k in keys))
            made.append(Membership(name, frozenset(parts), frozenset(inside), not inside & outside))
    return [m for m in made if m.groups]


def _told(engine: Counter, rows: Relation, measures: Mapping[str, Indicator]) -> list[_Told]:
    alike = {name: indicator for name, indicator in measures.items() if not indicator.has_own_rows}
    known, names = _flagged(engine, rows, alike)
    if not names:
        return []
    by = {g.by for indicator in alike.values() for g in indicator.groups if _is_plain(indicator, g)}
    keys = {GROUP + column: group_label(known[column]) for column in sorted(by)}
    # Grain: one row per pattern of what the measures say of a row; few, however many rows there are.
    patterns = engine.rows(known.mutate(**keys).select(*names, *keys).distinct())
    of_group: dict[tuple[str, str], int] = {}
    for at, pattern in enumerate(patterns):
        for column in by:
            group = (column, str(pattern[GROUP + column]))
            of_group[group] = of_group.get(group, 0) | 1 << at
    made = []
    for i, (name, indicator) in enumerate(alike.items()):
        own = {g.by for g in indicator.groups if _is_plain(indicator, g)}
        for parts in _SHARED if indicator.is_share else _COUNTED:
            wanted = {_OUTCOMES[part] for part in parts}
            among = (at for at, p in enumerate(patterns) if p[f"_among{i}"] and p[f"_outcome{i}"] in wanted)
            counted = sum(1 << at for at in among)
            made.append(_Told(name, frozenset(parts), counted))
            made += [_Told(name, frozenset(parts), counted & n, g) for g, n in of_group.items() if g[0] in own]
    return [t for t in made if t.rows]


def _is_plain(indicator: Indicator, group: Group) -> bool:
    return group.separator is None and not indicator.needs_people


def _flagged(engine: Counter, rows: Relation, alike: Mapping[str, Indicator]) -> tuple[Relation, list[str]]:
    """The rows with what each measure says of them, and the names of these columns."""
    names: list[str] = []
    for i, indicator in enumerate(alike.values()):
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
    return rows, names
