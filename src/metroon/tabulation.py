"""Tabulation: a product's rows counted into the table with totals that it declares, as the guard needs it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from itertools import product as crossing
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from metroon import guard, lake, locate, measure
from metroon.base.errors import Problem, Refused
from metroon.base.estimate import ALL, OUTSIDE, Cell, Tally
from metroon.base.node import did_you_mean
from metroon.base.period import GRAINS, first_day, last_day
from metroon.base.period import name as period_of
from metroon.guard import CellTable, Difference, Finest, Line, Rules, Sum
from metroon.guard.primary import rests
from metroon.guard.protected import NAME
from metroon.guard.table import with_rest
from metroon.measure.coverage import Days, covered
from metroon.measure.cube import group_label
from metroon.walk import geographies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from metroon.base.engine import Relation
    from metroon.base.period import Grain
    from metroon.base.places import Places
    from metroon.city import City, Contract, Product
    from metroon.city.table import TableFile
    from metroon.guard import Dimension, Guarded, Hiding, Table
    from metroon.guard.table import Code
    from metroon.measure import Indicator
    from metroon.measure.differences import Membership
    from metroon.walk import Walk

Kind = Literal["time", "place", "column"]
CLASSES = ("public", "quasi", "sensitive")
"""What a column may be that a table is broken down by."""
REST = "(rest)"
"""Rows without a date, and those of periods that are not over: in no cell that is shown."""
_BETWEEN = "|"
_MONTH, _WHO, _N = "_month", "_who", "_n"


@dataclass(frozen=True, eq=False)
class Tabulated:
    """A product's table, counted and not yet protected.

    Args:
        name: The product.
        made: The table, with all that is never shown too.
        cells: What each of its cells is, in the words of measures.
        table: The same for the guard.
        by: The columns of rows that it is broken down by.
        grouped: Period and place -> what these columns hold -> the finest cell of it.
        labels: Column -> code -> what people call it.
        first: The first day that it covers; empty when it has no time.
        last: The last day.
    """

    name: str
    made: Table
    cells: tuple[Cell, ...]
    table: CellTable
    by: tuple[str, ...] = ()
    grouped: Mapping[Cell, Mapping[Code, Cell]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    first: str = ""
    last: str = ""

    @property
    def published(self) -> list[Cell]:
        """The cells that are published, totals and withheld ones included."""
        return [self.cells[at] for at in np.flatnonzero(self.made.published).tolist()]

    def hidden(self, hiding: Hiding) -> list[Cell]:
        """Those of them that are withheld."""
        withheld = hiding.primary | hiding.secondary
        return [c for c in self.published if c in withheld]

    def evidence(self, walk: Walk, hiding: Hiding, sha256: str) -> dict[str, Any]:
        """What a published version says of its making."""
        product = walk.city.products[self.name]
        return {
            "product": self.name,
            "protocol": walk.kept_protocol(self.name),
            "parents": walk.table_parents(self.name),
            "declaration_sha256": lake.text_sha256(product.folder / "product.yaml"),
            "release_sha256": sha256,
            "surface": "table",
            "declared": product.table_node.value,
            "span": [self.first, self.last],
            "hidden_share": guard.hidden_share(self.table, hiding),
        }

    def guarded(self, walk: Walk, hiding: Hiding) -> Guarded:
        """What may leave, once it is known what to withhold.

        Raises:
            Refused: Nothing is left (G116).
        """
        withheld = set(self.hidden(hiding))
        hidden = np.array([c in withheld for c in self.cells], dtype=bool)
        floor = self.table.minimum_cell
        return guard.release_table(walk.engine, self.made, hidden, minimum=floor, labels=self.labels)


def tabulated(walk: Walk, names: Iterable[str]) -> tuple[dict[str, Tabulated], dict[str, tuple[Problem, ...]]]:
    """The tables of some products, counted, and why those that cannot be counted cannot."""
    made: dict[str, Tabulated] = {}
    failed: dict[str, tuple[Problem, ...]] = {}
    for name in names:
        try:
            made[name] = tabulate(walk, name)
        except Refused as refused:
            failed[name] = refused.problems
    return made, failed


def ties(
    walk: Walk, totals: Mapping[str, Tabulated], measures: Mapping[str, tuple[Indicator, CellTable]]
) -> tuple[list[Difference], list[Sum]]:
    """What tables and measures of the same rows tell together.

    A measure that counts all rows of some groups of a table is a sum of its cells. One that counts some rows of a
    group leaves others: what is left of the whole table when the measure is taken from it is people as well.

    Args:
        walk: The city.
        totals: Product -> its table.
        measures: Measure -> how it counts, and its cells.
    """
    differences: list[Difference] = []
    sums: list[Sum] = []
    for name, found in totals.items():
        time = walk.contracts[name].event_time
        alike = {
            n: i for n, (i, _) in measures.items()
            if i.of == name and not i.accumulates and (i.period is None or i.period.column == time)
        }  # fmt: skip
        rows = walk.rows(walk.version(name))
        for told in measure.memberships(walk.counter, rows, alike, [group_label(rows[c]) for c in found.by]):
            if told.is_whole:
                sums += _sums(found, told, measures[told.measure][1])
            else:
                differences.append(Difference(name, frozenset({"yes"}), told.measure, told.parts))
    return differences, sums


def _sums(found: Tabulated, told: Membership, table: CellTable) -> Iterator[Sum]:
    for cell, tally in table.tallies.items():
        finest = found.grouped.get(Cell(cell.period, cell.geography, cell.place))
        if finest is None or (cell.dimension != ALL and cell.dimension not in found.by):
            continue
        at = found.by.index(cell.dimension) if cell.dimension != ALL else -1
        parts = [c for g, c in finest.items() if g in told.groups and (at < 0 or g[at] == cell.group)]
        whole = sum(int(getattr(tally, part)) for part in told.parts)
        # Where they do not, the measure counts what the table does not reach, such as a period that is not over.
        if whole == sum(found.table.tallies[c].yes for c in parts):
            yield Sum(
                tuple((told.measure, part, cell) for part in sorted(told.parts)),
                tuple((found.name, "yes", c) for c in parts),
            )


def sha256(walk: Walk, guarded: Guarded) -> str:
    """The hash of what leaves of a table: the same whenever every cell, state and note is the same."""
    rows = walk.engine.rows(guarded.rows)
    return hashlib.sha256(json.dumps(rows, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def faults(city: City, product: Product, contract: Contract) -> Iterator[Problem]:
    """What is wrong with the table that a product declares (G119).

    Args:
        city: The city.
        product: The product.
        contract: Its promise, classes inherited where they are known.
    """
    node, declared = product.table_node, product.table
    if (contract.mode == "table") != (declared is not None):
        what = (
            f"{product.name} has a table, and its contract does not say releaseMode: table, so that it would not leave."
            if declared
            else f"the contract of {product.name} says releaseMode: table, and product.yaml declares no table."
        )
        yield node.problem("G119", what, "Write both, or neither: table: {by: [COLUMN, ...]} and releaseMode: table.")
    if declared is None:
        return
    kinds = [_kind(city, contract, names) for names in declared.dimensions]
    every = [n for names in declared.dimensions for n in names]
    if twice := sorted({n for n in every if every.count(n) > 1}):
        yield node.problem("G119", f"{', '.join(twice)} stands twice in by:.", "Name each once.", "by")
    for number, (names, kind) in enumerate(zip(declared.dimensions, kinds, strict=True)):
        for what, fix in _dimension_faults(city, contract, names, kind):
            yield node.problem("G119", what, fix, "by", number)
    for kind, told in (("time", "one dimension of time"), ("place", "one dimension of places")):
        if kinds.count(kind) > 1:
            fix = "Put all of them into one item, coarse to fine: [[year, quarter]]."
            yield node.problem("G119", f"a table has {told}, and by: has more.", fix, "by")


def grain(product: Product) -> str:
    """One row per what, where a product leaves as a table; else empty."""
    if product.table is None:
        return ""
    return f"One row for each cell of a table of {product.table.count}, totals included."


def key(product: Product) -> tuple[str, ...]:
    """The columns that tell the rows of a product's table apart; none for a product that leaves otherwise."""
    return tuple(n for names in product.table.dimensions for n in names) if product.table else ()


def column(product: Product, name: str, titles: Mapping[str, str]) -> tuple[str, str, str]:
    """Title, type and meaning of a column of a product's table that its rows do not have.

    Args:
        product: The product.
        name: The column.
        titles: Geography -> what people call it.
    """
    count = product.table.count if product.table else "events"
    own = {
        "count": (count[:1].upper() + count[1:], "integer", f"How many {count} there are in this cell."),
        "state": ("State", "string", "known: the count stands, also when it is 0. hidden: withheld to protect people."),
        "note": ("Note", "string", "Why a count is withheld."),
    }
    if name in own:
        return own[name]
    base = name.removesuffix(NAME)
    if base in titles:
        words = "What people call the place" if name.endswith(NAME) else "The key of the place"
        return f"{titles[base]}{', name' if name.endswith(NAME) else ''}", "string", f"{words}; all for all together."
    return name.capitalize(), "string", f"The {name}; all for all that the table covers."


def _kind(city: City, contract: Contract, names: Sequence[str]) -> Kind:
    first = names[0] if names else ""
    # A column that names an area is a place too: measures show the same numbers by it.
    if first in geographies(city):
        return "place"
    return "time" if first in GRAINS and contract.column(first) is None else "column"


def _dimension_faults(city: City, contract: Contract, names: Sequence[str], kind: Kind) -> Iterator[tuple[str, str]]:
    if not names:
        yield "a dimension is empty.", "Name a column."
    if kind == "time" and contract.event_time is None:
        yield "the contract does not say when a row happened.", "Add eventTime to the table's customProperties."
    if kind == "time":
        order = [GRAINS.index(n) for n in names if n in GRAINS]
        if order != sorted(order, reverse=True) or ALL in names:
            yield "its grains are not coarse to fine.", "Write them so: [year, quarter, month]."
    key = next((k for k in contract.geography_keys if k.column in names and k.layer in geographies(city)), None)
    if kind == "column" and key is not None:
        yield f"column '{key.column}' names areas of {key.layer}.", f"Write the geography instead: {key.layer}."
    known = {"time": GRAINS, "place": geographies(city), "column": [c.name for c in contract.columns]}[kind]
    for name in names:
        if name not in known:
            word = {"time": "grain", "place": "geography", "column": "column"}[kind]
            yield f"there is no {word} '{name}' for a table.", did_you_mean(name, known)
    for name in names if kind == "column" else ():
        column = contract.column(name)
        if column is None or column.classification is None:
            continue
        if column.classification not in CLASSES:
            yield (
                f"column '{name}' is {column.classification}: nobody may be counted by it.",
                f"Take another column, of class {', '.join(CLASSES)}.",
            )
        if column.type in ("timestamp", "date", "object"):
            yield f"column '{name}' is a {column.type}.", "Write grains of the event time instead: [year, quarter]."


def tabulate(walk: Walk, name: str, asked: TableFile | None = None) -> Tabulated:
    """Count a product's rows into its table.

    Rows are counted, not people: where a person may have many rows (``personKey``), a cell is small when few rows or
    few different people are behind it, as in measures.

    Args:
        walk: The city.
        name: A product that declares a table.
        asked: The table to count; the one that is declared unless given.

    Raises:
        Refused: The declaration has faults, the product has no version, or no period is over yet.
    """
    product, contract = walk.city.products[name], walk.contracts[name]
    declared = asked or product.table
    if problems := [*walk.gate(name), *faults(walk.city, product, contract)]:
        raise Refused(problems)
    if declared is None:
        raise ValueError(f"{name} declares no table")
    kinds = [_kind(walk.city, contract, names) for names in declared.dimensions]
    named = [g for names, kind in zip(declared.dimensions, kinds, strict=True) if kind == "place" for g in names]
    places = {g: walk.places(g) for g in named}
    version = walk.version(name)
    parts = {n: walk.engine.parquet(files) for n, files in walk.counted(version).items()}
    rows = locate.assign(
        walk.engine, walk.rows(version), contract, places.values(), cache=walk.cache, version=version.source,
        counter=walk.counter, counted=walk.rows(version), parts=parts,
    )  # fmt: skip
    lacking = [g for g in named if locate.column(g) not in rows.columns]
    if lacking:
        what = f"rows of {name} cannot be put into {', '.join(lacking)}: they have no point and name no area of it."
        fix = "Add point or geographyKey to the contract, or take the geography out of by:."
        raise Refused([product.table_node.problem("G119", what, fix, "by")])
    closed: dict[Grain, list[str]] = {}
    if "time" in kinds:
        grains = declared.dimensions[kinds.index("time")]
        closed = _closed(walk, rows, contract.event_time or "", declared, grains)
        if not next(iter(closed.values())):
            what = f"no period of {name} is over and covered by the data, so its table has nothing to show."
            fix = "Wait for the data, or take longer or shorter periods."
            raise Refused([product.table_node.problem("G116", what, fix, "by")])
    counted = _counted(walk, rows, contract, declared.dimensions, kinds)
    return _tabulated(walk, product, declared, counted, kinds, places, closed)


def _closed(
    walk: Walk, rows: Relation, time: str, declared: TableFile, grains: Sequence[str]
) -> dict[Grain, list[str]]:
    """Grain -> the periods that are over and that the data cover, the shortest grain first."""
    day = rows[time].cast("date")
    found = walk.counter.rows(rows.group_by(_day=day).aggregate(_n=rows.count()))
    past = [r for r in found if r["_day"] is not None and r["_day"] <= walk.as_of]
    days = Days(tuple(sorted(r["_day"] for r in past)), sum(r[_N] for r in past))
    settled, begins = walk.as_of - timedelta(days=declared.settle_days), declared.fiscal_year_begins
    return {g: covered(days, days, g, as_of=settled, begins=begins) for g in GRAINS if g in grains}


@dataclass(frozen=True)
class _Counted:
    """Rows counted by all that the table is broken down by.

    Args:
        codes: For each dimension, what its columns hold; the month of time.
        count: Rows.
        who: Whose they are; None when nobody is told apart.
    """

    codes: list[list[Code]]
    count: list[int]
    who: list[str] | None


def _counted(
    walk: Walk, rows: Relation, contract: Contract, dimensions: Sequence[Sequence[str]], kinds: Sequence[Kind]
) -> _Counted:
    keys: dict[str, Any] = {}
    columns: list[list[str]] = []
    for number, (names, kind) in enumerate(zip(dimensions, kinds, strict=True)):
        own = [_MONTH] if kind == "time" else [f"_{number}_{i}" for i in range(len(names))]
        columns.append(own)
        for key, name in zip(own, names, strict=False):
            if kind == "time":
                keys[key] = rows[contract.event_time or ""].cast("date").strftime("%Y-%m").fill_null("")
            elif kind == "place":
                keys[key] = rows[locate.column(name)]
            else:
                keys[key] = group_label(rows[name])
    if contract.person_key:
        # Rows that do not say whose they are may all be of one person.
        keys[_WHO] = rows[contract.person_key].cast("string").fill_null("")
    made = rows.mutate(**keys)
    found = walk.counter.fetch(made.group_by(list(keys)).aggregate(_n=made.count())).to_pydict()
    return _Counted(
        [list(zip(*(found[c] for c in own), strict=True)) for own in columns],
        [int(n) for n in found[_N]],
        [str(w) for w in found[_WHO]] if contract.person_key else None,
    )


def _tabulated(
    walk: Walk, product: Product, declared: TableFile, counted: _Counted, kinds: Sequence[Kind],
    places: Mapping[str, Places], closed: Mapping[Grain, Sequence[str]],
) -> Tabulated:  # fmt: skip
    contract = walk.contracts[product.name]
    dimensions: list[Dimension] = []
    codes: list[list[Code]] = []
    for names, kind, own in zip(declared.dimensions, kinds, counted.codes, strict=True):
        if kind == "time":
            made, of = _time(names, own, closed, begins=declared.fiscal_year_begins)
        elif kind == "place":
            made, of = _places(walk, names, own, places), own
        else:
            made, of = _columns(contract, names, own), own
        dimensions.append(made)
        codes.append(of)
    finest = Finest(codes, count=counted.count, contributor=counted.who, are_cells=False)
    table = guard.table(product.name, dimensions, finest)
    span = [p for grain in closed.values() for p in grain]
    first, last = (min(map(first_day, span)), max(map(last_day, span))) if span else (None, None)
    period = f"{first:%Y-%m}..{last:%Y-%m}" if first and last else ALL
    cells = tuple(_cells(table, kinds, period))
    sensitive = {c.name for c in contract.columns if c.classification == "sensitive"}
    rules = Rules(minimum=walk.minimum_cell(contract), zeros=declared.zeros, categories=frozenset(sensitive))
    labels = {g: dict(p.names) for g, p in places.items() if any(k != n for k, n in p.names.items())}
    told = _cell_table(table, cells, rules, contract)
    by = tuple(c for d, kind in zip(dimensions, kinds, strict=True) if kind == "column" for c in d.columns)
    return Tabulated(
        product.name, table, cells, told, by, _grouped(table, cells, kinds), labels, str(first or ""), str(last or "")
    )


def _grouped(made: Table, cells: Sequence[Cell], kinds: Sequence[Kind]) -> dict[Cell, dict[Code, Cell]]:
    found: dict[Cell, dict[Code, Cell]] = {}
    for codes, cell in zip(made.codes, cells, strict=True):
        group = tuple(v for code, kind in zip(codes, kinds, strict=True) if kind == "column" for v in code)
        if ALL not in group:
            found.setdefault(Cell(cell.period, cell.geography, cell.place), {})[group] = cell
    return found


def _time(
    grains: Sequence[str], months: Sequence[Code], closed: Mapping[Grain, Sequence[str]], *, begins: int
) -> tuple[Dimension, list[Code]]:
    """Periods that are over; longer ones that are not are never shown, and what is in none is the rest."""
    known: list[Grain] = [g for g in GRAINS if g in grains][::-1]

    def code(period: str) -> Code:
        day = first_day(period)
        return tuple(period_of(day, g, begins) for g in known)

    finest = set(closed[known[-1]])
    shown = [code(p) for p in sorted(finest)]
    made = guard.dimension([known], shown, name="time")
    open_ = {
        at for at, c in enumerate(made.codes)
        for g, v in zip(known, c, strict=True) if v != ALL and v not in closed[g]
    }  # fmt: skip
    made = with_rest(_hiding(made, open_), (REST,) * len(known), (f"{REST}{_BETWEEN}{ALL}",) * len(known))
    rest: Code = (REST,) * len(known)
    codes = [code(m) if m and period_of(first_day(m), known[-1], begins) in finest else rest for (m,) in months]
    return made, codes


def _hiding(of: Dimension, unseen: set[int]) -> Dimension:
    return replace(of, unseen=of.unseen | unseen)


def _places(walk: Walk, names: Sequence[str], own: Sequence[Code], places: Mapping[str, Places]) -> Dimension:
    """Areas of several geographies over their common parts; areas without a row are there too, and count 0."""
    rows = set(own)
    if len(names) == 1:
        rows |= {(key,) for key in places[names[0]].names}
    shared = walk.overlaps([places[g] for g in names])
    for at, geography in enumerate(names):
        for key in sorted(places[geography].names):
            if not any(row[at] == key for row in rows):
                rows.add(_somewhere(names, at, key, shared))
    return guard.dimension([[g] for g in names], sorted(rows), name="place")


def _somewhere(names: Sequence[str], at: int, key: str, shared: Mapping[tuple[str, str], set[tuple[str, str]]]) -> Code:
    """Areas of all geographies that share ground with one: for an area without a row any of them will do."""
    found = []
    for other in names:
        pairs = shared.get((names[at], other), set()) | {(b, a) for a, b in shared.get((other, names[at]), set())}
        found.append(key if other == names[at] else min((b for a, b in pairs if a == key), default=OUTSIDE))
    return tuple(found)


def _columns(contract: Contract, names: Sequence[str], own: Sequence[Code]) -> Dimension:
    column = contract.column(names[0])
    listed = {(v,) for v in column.allowed} if column is not None and len(names) == 1 else set()
    return guard.dimension([names], sorted({*own, *listed}))


def _cells(made: Table, kinds: Sequence[Kind], period: str) -> Iterator[Cell]:
    """What each cell is, in the words of measures: so that what both show is known to be the same."""
    words = [_words(d, kind, period) for d, kind in zip(made.dimensions, kinds, strict=True)]
    for told in crossing(*words):
        parts = {k: v for one in told for k, v in one.items()}
        by = [(n, v) for one in told for n, v in one.get("by", ())]
        dimension, group = "*".join(n for n, _ in by) or ALL, _BETWEEN.join(v for _, v in by) or ALL
        yield Cell(
            str(parts.get("period", ALL)),
            str(parts.get("geography", ALL)),
            str(parts.get("place", ALL)),
            dimension,
            group,
        )


def _words(d: Dimension, kind: Kind, period: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    deepest = _of_one_parent(d)
    for at, code in enumerate(d.codes):
        own = [(n, v) for n, v in zip(d.columns, code, strict=True) if v != ALL]
        if kind == "time":
            whole = code[0].startswith(REST)
            found.append({"period": (REST if code[0] == REST else ALL) if whole else own[-1][1] if own else period})
        elif kind == "place":
            place = {"geography": "*".join(n for n, _ in own), "place": _BETWEEN.join(v for _, v in own)}
            found.append(place if own else {})
        else:
            found.append({"by": own[-1:] if at in deepest else own})
    return found


def _of_one_parent(d: Dimension) -> set[int]:
    """Codes whose last word alone tells which they are."""
    last = [next((v for v in reversed(c) if v != ALL), ALL) for c in d.codes]
    depth = [sum(v != ALL for v in c) for c in d.codes]
    told = list(zip(last, depth, strict=True))
    return {at for at, one in enumerate(told) if told.count(one) == 1}


def _cell_table(made: Table, cells: Sequence[Cell], rules: Rules, contract: Contract) -> CellTable:
    people = None if made.people is None else made.people.tolist()
    counts = np.rint(made.count).astype(np.int64).tolist()
    tallies = {
        cell: Tally(cell, n, 0, 0, (people[at] or None) if people is not None else None)
        for at, (cell, n) in enumerate(zip(cells, counts, strict=True))
    }
    lines = list(_lines(made, cells))
    unseen = {cells[at] for at in np.flatnonzero(~made.published).tolist()}
    doubtful = set()
    if rules.zeros == "sensitive":
        doubtful |= {cells[at] for at in np.flatnonzero(made.published & (made.count == 0)).tolist()}
    for rest in rests(made, rules):
        row, part = cells[rest.row], cells[rest.part]
        cell = Cell(part.period, part.geography, part.place, part.dimension, f"not {part.group}")
        tallies[cell] = Tally(cell, rest.count, 0, 0)
        lines.append(Line(row, (part, cell)))
        unseen.add(cell)
        doubtful.add(cell)
    return CellTable(
        made.name, False, tallies, tuple(lines), frozenset(unseen), contract.unit or "person", rules.minimum,
        doubtful=frozenset(doubtful),
    )  # fmt: skip


def _lines(made: Table, cells: Sequence[Cell]) -> Iterator[Line]:
    matrix = made.matrix
    at, sign = matrix.indices.tolist(), matrix.data.tolist()
    for begin, end in pairwise(matrix.indptr.tolist()):
        total = next(c for c, s in zip(at[begin:end], sign[begin:end], strict=True) if s < 0)
        yield Line(cells[total], tuple(cells[c] for c, s in zip(at[begin:end], sign[begin:end], strict=True) if s > 0))
