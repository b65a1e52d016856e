"""The publication score of what would leave: of the riskiest table of a measure, of a table with totals, of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon import guard, measure
from metroon.base.estimate import ALL, NOWHERE, OUTSIDE
from metroon.base.period import GRAINS, MONTHS, grain_of
from metroon.guard.losses import smallest
from metroon.guard.score import Table, Variable, score, tells
from metroon.walk import geographies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metroon.base.estimate import Cell
    from metroon.base.places import Places
    from metroon.base.protection import Scored
    from metroon.city import Contract
    from metroon.city.table import TableFile
    from metroon.guard import Guarded, Hiding, Technique
    from metroon.measure import Tallied
    from metroon.tabulation import Tabulated
    from metroon.walk import Walk

_TO_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_MANY = 1_000
"""Different values of a column above which its groups need not be read one by one."""


def breakdowns(tallied: Tallied) -> dict[tuple[str, str], list[Cell]]:
    """Geography and dimension -> the cells that may be shown; the whole city first."""
    found: dict[tuple[str, str], list[Cell]] = {}
    table = tallied.table
    for cell in tallied.grid.cells:
        if cell not in table.unpublished:
            released = measure.released_as(cell)
            found.setdefault((released.geography, released.dimension), []).append(cell)
    return dict(sorted(found.items(), key=lambda f: (f[0] != (ALL, ALL), f[0])))


def in_words(tallied: Tallied, geography: str, dimension: str, cells: Sequence[Cell]) -> str:
    """A breakdown as it stands on a page, such as ``by ward, by year``."""
    grains = sorted({grain_of(c.period) for c in cells}, key=GRAINS.index)
    over = "" if tallied.indicator.period is None or grains == ["all"] else f", by {' and '.join(grains)}"
    by = geography if dimension == ALL else dimension
    return f"{'whole city' if by == ALL else f'by {by}'}{over}"


def of_measure(walk: Walk, tallied: Tallied, hiding: Hiding, made: Mapping[str, Places] | None = None) -> Scored | None:
    """The score of the table that tells the most of single people; None where nobody stands behind the rows."""
    if tallied.contract.unit == "none":
        return None
    rules = walk.city.file.score
    scored = [score(t, rules) for t in _scored_tables(walk, tallied, hiding, made or {})]
    return max(scored, key=lambda s: s.points, default=None)


def _scored_tables(walk: Walk, tallied: Tallied, hiding: Hiding, made: Mapping[str, Places]) -> Iterator[Table]:
    hidden, rules = hiding.primary | hiding.secondary, walk.city.file.score
    city = _city_residents(walk)
    for (geography, dimension), cells in breakdowns(tallied).items():
        shown = {c for c in cells if c not in hidden}
        group = tallied.indicator.group(dimension)
        column = group.by if group else dimension
        groups = tuple(sorted({c.group for c in shown}))
        yield Table(
            in_words(tallied, geography, dimension, cells),
            smallest(tallied.table, shown),
            min((_months(tallied, c) for c in cells), default=None) if tallied.indicator.period else None,
            city if geography == ALL else _fewest(made.get(geography) or walk.places(geography), shown),
            is_home=tallied.indicator.of in rules.homes,
            variables=() if dimension == ALL else (Variable(column, tells(column, rules), groups),),
        )


def _months(tallied: Tallied, cell: Cell) -> int:
    grain = grain_of(cell.period)
    if grain != "all":
        return MONTHS[grain]
    months = sorted({m for named in tallied.grid.shape.periods.names.values() for m in named if m is not None})
    if not months:
        return 0
    (first, since), (last, until) = ((int(m[:4]), int(m[5:])) for m in (months[0], months[-1]))
    return 12 * (last - first) + until - since + 1


def _fewest(places: Places, shown: set[Cell]) -> float | None:
    """Residents of the smallest place that is shown; None where a place has no number."""
    known = [places.people.get(c.place) for c in shown if c.place not in (OUTSIDE, NOWHERE)]
    told = [n for n in known if n is not None]
    return min(told) if told and len(told) == len(known) else None


def _city_residents(walk: Walk) -> float | None:
    """Residents of the whole city: the most that any of its geographies has."""
    every = [g for g, declared in walk.city.file.places.items() if declared.people and walk.has_places(g)]
    return max((sum(walk.places(g).people.values()) for g in every), default=None)


def of_table(walk: Walk, name: str, declared: TableFile, found: Tabulated, events: int | None) -> Scored | None:
    """The score of a table with totals; None where nobody stands behind the rows.

    Args:
        walk: The city.
        name: The product.
        declared: What the table is broken down by.
        found: The table, counted.
        events: The smallest number in a shown cell.
    """
    rules = walk.city.file.score
    if walk.contracts[name].unit == "none":
        return None
    every = [n for names in declared.dimensions for n in names]
    grains = [n for n in every if n in MONTHS]
    areas = [n for n in every if n in geographies(walk.city)]
    people = [_fewest_of(walk.places(g)) for g in areas]
    columns = [n for n in every if n not in grains and n not in areas]
    groups = {
        c: tuple(sorted({code[at] for code in d.codes} - {ALL}))
        for d in found.made.dimensions
        for at, c in enumerate(d.columns)
    }
    variables = tuple(Variable(c, tells(c, rules), groups.get(c, ())) for c in columns)
    residents = None if None in people else min((n for n in people if n is not None), default=_city_residents(walk))
    months = min((MONTHS[n] for n in grains), default=None)
    return score(
        Table("the whole table", events, months, residents, is_home=name in rules.homes, variables=variables),
        rules,
    )


def _fewest_of(places: Places) -> float | None:
    return min(places.people.values(), default=None) if set(places.people) == set(places.names) else None


def of_rows(walk: Walk, contract: Contract, techniques: Sequence[Technique], guarded: Guarded) -> Scored | None:
    """The score of rows that leave; None where nobody stands behind them.

    Args:
        walk: The city.
        contract: The promise of their product.
        techniques: How its columns are protected.
        guarded: The rows as they would leave.
    """
    if contract.unit == "none":
        return None
    rules, rows = walk.city.file.score, guarded.rows
    chosen, classes = {t.column: t for t in techniques}, guard.leaving(contract, techniques)
    dates, variables = [], []
    for column in contract.columns:
        if column.name not in rows.columns or (classes.get(column.name) in (None, "public") and column.type != "date"):
            continue
        technique = chosen.get(column.name)
        if column.type in ("date", "timestamp") and tells(column.name, rules) != "age":
            dates.append(_TO_MONTHS.get(str(getattr(technique, "to", "")), 0))
            continue
        different = rows.select(column.name).distinct()
        few = walk.engine.rows(different.limit(_MANY))
        width = getattr(technique, "width", None)
        groups = tuple(str(r[column.name]) for r in few if r[column.name] is not None)
        variables.append(
            Variable(column.name, tells(column.name, rules), groups, int(width) if isinstance(width, float) else None)
        )
    people = guarded.likeness.smallest if guarded.likeness else None
    table = Table(
        "rows", people if people is not None else walk.engine.count(rows), min(dates, default=None),
        _row_residents(walk, contract, rows.columns), is_home=contract.name in rules.homes,
        has_address=bool(contract.point and contract.point[0] in rows.columns), variables=tuple(variables),
    )  # fmt: skip
    return score(table, rules)


def _row_residents(walk: Walk, contract: Contract, left: Sequence[str]) -> float | None:
    named = [k.layer for k in contract.geography_keys if k.column in left]
    became = [g for g in walk.city.file.places if g in left]
    shown = [g for g in (*named, *became) if walk.has_places(g)]
    if not shown:
        return _city_residents(walk)
    people = [n for g in shown for n in (walk.places(g).people.values() or (0.0,))]
    return min(people) or None
