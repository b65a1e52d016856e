"""The grid: every cell that a measure's rows are counted into, and every sum that ties the cells together.

A reader with a map, a calendar and a calculator knows these sums. So the grid also holds cells that this measure
never shows: what other measures released together show, what lies in two areas at once, what lies in none, and the
shorter periods that a longer one is made of.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, pairwise, product
from typing import TYPE_CHECKING

import numpy as np

from metroon.base.estimate import ALL, INSIDE, NOWHERE, OUTSIDE, UNKNOWN, Cell
from metroon.base.period import GRAINS
from metroon.guard.cells import Line
from metroon.locate import column as place_column
from metroon.measure.cube import FLOW, GROUP, MONTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Set

    from numpy.typing import NDArray

    from metroon.base.period import Grain
    from metroon.base.places import Places
    from metroon.measure.cube import Finest
    from metroon.measure.declared import Group

    Ints = NDArray[np.int64]

Label = str | None
_CROSS = "\x1f"  # a sign that no key of a place or a group holds
_ATOM = _CROSS
FLOWS, IN_OUT, THROUGH = "flow", ("in", "out"), "(there or came)"
"""The breakdown of a stock into those who came and those who went."""
_UNCOUNTED = "(no residents)"
"""The group of rows of a rate where nobody counted the residents of their group."""


@dataclass(frozen=True)
class Axis:
    """One direction of a block: where the labels of some keys stand in it.

    Args:
        keys: Keys of the finest cells.
        positions: Labels of these keys -> where they are counted; more than one for rows that name several groups.
        size: How many positions there are.
    """

    keys: tuple[str, ...]
    positions: Mapping[tuple[Label, ...], tuple[int, ...]]
    size: int

    def at(self, finest: Finest) -> list[Ints]:
        """Position of each finest cell, -1 for none; one array for each time that a cell may be counted."""
        codes = [finest.keys[k] for k in self.keys]
        shape = tuple(len(c.labels) for c in codes)
        most = max((len(p) for p in self.positions.values()), default=1)
        found = np.full((most, *shape), -1, dtype=np.int64)
        for labels in product(*(range(n) for n in shape)):
            where = self.positions.get(tuple(c.labels[i] for c, i in zip(codes, labels, strict=True)), ())
            for time, position in enumerate(where):
                found[(time, *labels)] = position
        at = tuple(c.at for c in codes)
        return [each[at] for each in found]


@dataclass(frozen=True)
class Block:
    """Cells that are the cross-classification of some axes, the last of them fastest.

    Args:
        axes: The axes.
        cells: One cell for each combination of positions.
    """

    axes: tuple[Axis, ...]
    cells: tuple[Cell, ...]

    def at(self, finest: Finest) -> Iterator[Ints]:
        """Number of the cell of each finest cell, -1 for none; one array for each time that it may be counted."""
        for chosen in product(*(axis.at(finest) for axis in self.axes)):
            made = np.zeros(finest.cells, dtype=np.int64)
            for axis, at in zip(self.axes, chosen, strict=True):
                made = np.where((made < 0) | (at < 0), -1, made * axis.size + at)
            yield made


@dataclass(frozen=True)
class Periods:
    """The periods of one measure.

    Args:
        of: Level -> its own grain: ``city``, ``places``, ``groups``.
        longer: Longer grains in which measures released together count the same dates.
        names: Grain -> month -> period.
        every: Grain -> every period that has rows or is released, in order.
        covered: Grain -> periods to release, in order.
    """

    of: Mapping[str, Grain]
    longer: tuple[Grain, ...]
    names: Mapping[Grain, Mapping[Label, str]]
    every: Mapping[Grain, Sequence[str]]
    covered: Mapping[Grain, Sequence[str]]


@dataclass(frozen=True)
class Shape:
    """What a measure is broken down by.

    Args:
        periods: Its periods.
        geographies: Geographies that cells are made for, those to release first.
        asked: Ids of those to release.
        groups: Breakdowns by group, with the labels that rows have.
        overlaps: For pairs of geographies: which places share ground.
        is_rate: Whether the city's number is of the residents of the first geography: it counts only what lies
            inside, and what lies outside is in no number.
        people: Dimension -> (place, group) -> residents, for rates by group; place ``all`` for the whole city.
        accumulates: Whether cells hold what is there at the end of their period: then comings and goings are cells too,
            and tie each period to the one before.
    """

    periods: Periods
    geographies: Sequence[Places]
    asked: Sequence[str]
    groups: Sequence[tuple[Group, tuple[str, ...]]]
    overlaps: Mapping[tuple[str, str], Set[tuple[str, str]]]
    is_rate: bool
    people: Mapping[str, Mapping[tuple[str, str], float]] = field(default_factory=dict)
    accumulates: bool = False

    @property
    def first(self) -> Places | None:
        """The geography whose residents a rate of the city is divided by."""
        first = self.geographies[0] if self.is_rate and self.geographies else None
        return first if first is not None and first.id in self.asked else None

    def joined(self, cell: Cell) -> str | None:
        """The joined group in which a cell's group is told; None when it stands by itself."""
        return next((g.told_under(cell.group) for g, _ in self.groups if g.by == cell.dimension), None)

    def is_joined(self, cell: Cell) -> bool:
        """Whether a cell's group is a sum of others."""
        return any(cell.group in g.join for g, _ in self.groups if g.by == cell.dimension)


@dataclass(frozen=True)
class Grid:
    """The cells of one measure.

    Args:
        shape: What it is broken down by.
        blocks: The cells, block by block; no cell is in two.
    """

    shape: Shape
    blocks: tuple[Block, ...]
    _found: dict[int, tuple[Finest, list[Ints]]] = field(default_factory=dict, compare=False)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell."""
        return tuple(c for block in self.blocks for c in block.cells)

    @cached_property
    def number(self) -> dict[Cell, int]:
        """Cell -> its number."""
        return {c: i for i, c in enumerate(self.cells)}

    def at(self, finest: Finest) -> list[Ints]:
        """Number of the cell of each finest cell, block by block; -1 for none."""
        if id(finest) not in self._found:
            found, offset = [], 0
            for block in self.blocks:
                found += [np.where(at < 0, -1, at + offset) for at in block.at(finest)]
                offset += len(block.cells)
            self._found[id(finest)] = (finest, found)
        return self._found[id(finest)][1]

    def add_up(self, finest: Finest, numbers: Sequence[NDArray[np.generic]]) -> list[NDArray[np.float64]]:
        """Numbers of the finest cells, added up in every cell; exact for whole numbers below 2 to the 53."""
        # One slot more, for finest cells that are in no cell of a block.
        size = len(self.cells) + 1
        made = [np.zeros(size) for _ in numbers]
        for at in self.at(finest):
            where = np.where(at < 0, size - 1, at)
            for total, number in zip(made, numbers, strict=True):
                if number.any():
                    total += np.bincount(where, weights=number, minlength=size)
        return [total[:-1] for total in made]

    @cached_property
    def shown(self) -> tuple[bool, ...]:
        """Whether each cell is released."""
        return tuple(map(self._is_shown, self.cells))

    def _is_shown(self, cell: Cell) -> bool:
        shape, own = self.shape, self.shape.periods
        is_group = cell.dimension not in (ALL, FLOWS)
        level = "groups" if is_group else "places" if cell.geography != ALL else "city"
        level = "city" if cell.place == INSIDE else level
        grains = {own.of[level]} | (set(own.of.values()) if level == "city" else set())
        if not any(cell.period in own.covered[g] for g in grains):
            return False
        if _ATOM in cell.dimension or cell.group in (_UNCOUNTED, THROUGH) or shape.joined(cell) is not None:
            return False
        if shape.is_rate:
            lost = cell.place in (OUTSIDE, NOWHERE)
            is_city = cell.place == INSIDE if shape.first else cell.geography == ALL and cell.dimension == ALL
            return is_city or (cell.geography in shape.asked and not lost) or cell.dimension in shape.people
        return cell.geography == ALL or cell.geography in shape.asked

    def lines(self) -> tuple[Line, ...]:
        """Every sum that ties the cells."""
        return tuple(_lines(self))


def grid(shape: Shape, finest: Finest) -> Grid:
    """Every cell of a measure, also those in which nothing happened.

    Args:
        shape: What it is broken down by.
        finest: The finest cells, which tell what meets where.
    """
    blocks: dict[tuple[Cell, ...], Block] = {}
    for grain in _grains(shape, "city"):
        for made in (_city(shape, grain), *(_inside(shape, grain) if shape.first else ())):
            blocks[made.cells] = made
    for grain in _grains(shape, "places"):
        for made in (*_places(shape, grain), *_crossed(shape, grain, finest)):
            blocks[made.cells] = made
    for grain in _grains(shape, "groups"):
        for group, labels in shape.groups:
            for made in _groups(shape, grain, group, labels):
                blocks[made.cells] = made
    if shape.accumulates:
        for made in [b for b in blocks.values() if b.cells and b.cells[0].dimension == ALL]:
            flows = _flows(made)
            blocks[flows.cells] = flows
    return Grid(shape, tuple(b for b in blocks.values() if b.cells))


def _flows(block: Block) -> Block:
    """Comings and goings of the cells of a block, and what was there or came: never shown, it ties the periods."""
    axis = Axis((FLOW,), {("in",): (0,), ("out",): (1,)}, 3)
    cells = tuple(replace(c, dimension=FLOWS, group=flow) for c in block.cells for flow in (*IN_OUT, THROUGH))
    return Block((*block.axes, axis), cells)


def is_nested(pairs: Set[tuple[str, str]]) -> bool:
    """Whether each place of one geography shares ground with at most one of the other.

    Example:
        >>> is_nested({("north", "1"), ("south", "1")}), is_nested({("n", "1"), ("n", "2"), ("s", "1")})
        (True, False)
    """
    return bool(pairs) and any(len({p[side] for p in pairs}) == len(pairs) for side in (0, 1))


def released_as(cell: Cell) -> Cell:
    """The cell under which a number is released: what lies inside all areas is the city's.

    Example:
        >>> released_as(Cell("2015", "district", INSIDE)) == Cell("2015")
        True
    """
    return Cell(cell.period) if cell.place == INSIDE else cell


def _grains(shape: Shape, level: str) -> list[Grain]:
    """The grains in which cells of a level are made: its own, and longer ones that anybody shows."""
    own = shape.periods.of[level]
    longer = {*shape.periods.longer, *shape.periods.of.values()}
    return [own, *(g for g in GRAINS if g in longer and GRAINS.index(g) > GRAINS.index(own))]


def _period_axis(shape: Shape, grain: Grain) -> Axis:
    every = shape.periods.every[grain]
    if not shape.periods.names:
        return Axis((), {(): (0,)}, 1)
    place = {p: i for i, p in enumerate(every)}
    named = shape.periods.names[grain]
    return Axis((MONTH,), {(m,): (place[p],) for m, p in named.items() if p in place}, len(every))


def _block(shape: Shape, grain: Grain, axis: Axis, cells: Sequence[Cell]) -> Block:
    made = tuple(replace(c, period=p) for p in shape.periods.every[grain] for c in cells)
    return Block((_period_axis(shape, grain), axis), made)


def _city(shape: Shape, grain: Grain) -> Block:
    return _block(shape, grain, Axis((), {(): (0,)}, 1), [Cell()])


def _keys(geography: Places, shape: Shape) -> tuple[str, dict[str, str]]:
    """The key of the finest cells that tells the place, and label -> place for geographies made of others."""
    of_areas = dict(geography.areas) if geography.base else {}
    if of_areas and geography.base in {g.id for g in shape.geographies}:
        return place_column(geography.base), of_areas
    return place_column(geography.id), {}


def _place_positions(geography: Places, shape: Shape) -> tuple[str, dict[str, int], list[str]]:
    names = [*geography.names, OUTSIDE, NOWHERE]
    place = {k: i for i, k in enumerate(names)}
    key, areas = _keys(geography, shape)
    if not areas:
        return key, place, names
    base = next(g for g in shape.geographies if g.id == geography.base)
    of = {a: place[areas[a]] if a in areas else place[OUTSIDE] for a in base.names}
    return key, {**of, OUTSIDE: place[OUTSIDE], NOWHERE: place[NOWHERE]}, names


def _places(shape: Shape, grain: Grain) -> Iterator[Block]:
    for g in shape.geographies:
        key, place, names = _place_positions(g, shape)
        axis = Axis((key,), {(label,): (i,) for label, i in place.items()}, len(names))
        yield _block(shape, grain, axis, [Cell(ALL, g.id, k) for k in names])


def _inside(shape: Shape, grain: Grain) -> Iterator[Block]:
    first = shape.first
    if first is not None:
        # Where nobody knows how many live, what happens is in no rate, nor in the city's.
        key, place, names = _place_positions(first, shape)
        inside = {label for label, i in place.items() if names[i] in first.people}
        axis = Axis((key,), {(label,): (0,) for label in inside}, 1)
        yield _block(shape, grain, axis, [Cell(ALL, first.id, INSIDE)])


def _crossed(shape: Shape, grain: Grain, finest: Finest) -> Iterator[Block]:
    for a, b in _crossed_pairs(shape):
        (key_a, place_a, names_a), (key_b, place_b, names_b) = (_place_positions(g, shape) for g in (a, b))
        met = {
            (names_a[place_a[i]], names_b[place_b[j]])
            for i, j in _met(finest, key_a, key_b)
            if i in place_a and j in place_b
        }
        combos = sorted(met | shape.overlaps.get((a.id, b.id), set()))
        at = {c: i for i, c in enumerate(combos)}
        positions: dict[tuple[Label, ...], tuple[int, ...]] = {
            (la, lb): (at[pair],)
            for la, ia in place_a.items()
            for lb, ib in place_b.items()
            if (pair := (names_a[ia], names_b[ib])) in at
        }
        cells = [_atom(a.id, b.id, i, j) for i, j in combos]
        yield _block(shape, grain, Axis((key_a, key_b), positions, len(combos)), cells)


def _met(finest: Finest, key_a: str, key_b: str) -> set[tuple[Label, Label]]:
    """The labels of two keys that stand in one finest cell."""
    a, b = finest.keys[key_a], finest.keys[key_b]
    both = np.unique(a.at * len(b.labels) + b.at)
    return {(a.labels[i // len(b.labels)], b.labels[i % len(b.labels)]) for i in both.tolist()}


def _crossed_pairs(shape: Shape) -> Iterator[tuple[Places, Places]]:
    asked = set(shape.asked)
    for a, b in combinations(shape.geographies, 2):
        is_band = b.base == a.id or a.base == b.id  # a sum of areas: what they share needs no cell of its own
        is_both = {a.id, b.id} <= asked
        if not is_band and (is_both or is_nested(shape.overlaps.get((a.id, b.id), set()))):
            yield a, b


def _groups(shape: Shape, grain: Grain, group: Group, labels: Sequence[str]) -> Iterator[Block]:
    key = (GROUP + group.by,)
    if shape.is_rate:
        yield _rate_groups(shape, grain, group, labels)
        return
    if group.separator is None:
        # What is joined is counted by itself too, though not shown: another measure may show it.
        names = [*labels, *dict.fromkeys(j for label in labels if (j := group.told_under(label)))]
        at = {name: i for i, name in enumerate(names)}
        where: dict[tuple[Label, ...], tuple[int, ...]] = {
            (n,): (at[n], at[j]) if (j := group.told_under(n)) is not None else (at[n],) for n in labels
        }
        axis = Axis(key, where, len(names))
        yield _block(shape, grain, axis, [Cell(ALL, ALL, ALL, group.by, name) for name in names])
        return
    # Nothing but signs between answers is no answer.
    answers = {label: mentions(label, group.separator) or (UNKNOWN,) for label in labels}
    for dimension, of in _both_ways(group, answers).items():
        names = list(dict.fromkeys(n for found in of.values() for n in found))
        at = {n: i for i, n in enumerate(names)}
        axis = Axis(key, {(label,): tuple(at[n] for n in found) for label, found in of.items()}, len(names))
        yield _block(shape, grain, axis, [Cell(ALL, ALL, ALL, dimension, n) for n in names])


def mentions(label: str, separator: str) -> tuple[str, ...]:
    """The different answers in one text, in their order.

    Example:
        >>> mentions("White; Asian;White", ";")
        ('White', 'Asian')
    """
    return tuple(dict.fromkeys(part.strip() for part in label.split(separator) if part.strip()))


def _both_ways(group: Group, answers: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Dimension -> label -> the groups it counts in; several answers also as cells of their own, never shown."""
    one, any_of = group.dimensions
    return {
        one: {label: found if len(found) == 1 else (group.several,) for label, found in answers.items()},
        any_of: dict(answers),
        f"{group.by}{_ATOM}": {
            # A row may itself say "Several": then that is one of the parts.
            label: (_CROSS.join(sorted(found)),)
            for label, found in answers.items()
            if len(found) > 1 or found == (group.several,)
        },
    }  # fmt: skip


def _rate_groups(shape: Shape, grain: Grain, group: Group, labels: Sequence[str]) -> Block:
    known = shape.people.get(group.by, {})
    names = [*dict.fromkeys([*(g for _, g in known), *labels]), _UNCOUNTED]
    at = {n: i for i, n in enumerate(names)}
    cells = [Cell(ALL, ALL, ALL, group.by, n) for n in names]
    key = GROUP + group.by
    first = shape.first
    if first is None:
        positions: dict[tuple[Label, ...], tuple[int, ...]] = {
            (n,): (at[n] if (ALL, n) in known else at[_UNCOUNTED],) for n in names
        }
        return _block(shape, grain, Axis((key,), positions, len(names)), cells)
    place_key, place, own = _place_positions(first, shape)
    by_place = any(p != ALL for p, _ in known)
    both: dict[tuple[Label, ...], tuple[int, ...]] = {}
    for label, i in place.items():
        if own[i] in first.people:
            for n in labels:
                is_known = ((own[i], n) if by_place else (ALL, n)) in known
                both[label, n] = (at[n] if is_known else at[_UNCOUNTED],)
    return _block(shape, grain, Axis((place_key, key), both, len(names)), cells)


def people_of_group(shape: Shape, dimension: str, group: str) -> float | None:
    """Residents of a group in the places that a rate by group counts; None when nobody counted them."""
    known = shape.people.get(dimension, {})
    first = shape.first
    places = set(first.people) if first is not None else set()
    found = [n for (place, g), n in known.items() if g == group and (place == ALL or place in places or not places)]
    return sum(found) if found else None


# What every reader can add up


def _lines(grid: Grid) -> Iterator[Line]:
    by_line: dict[Cell, dict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    there = grid.number
    for cell in grid.cells:
        for total, kind in _totals(grid.shape, cell):
            if total in there:
                by_line[total][kind].append(cell)
    for total, kinds in by_line.items():
        for parts in kinds.values():
            yield Line(total, tuple(sorted(parts)))
    yield from _band_lines(grid)
    yield from _mention_lines(grid)
    yield from _flow_lines(grid) if grid.shape.accumulates else _time_lines(grid)
    first = grid.shape.first
    if first is not None:
        for cell in grid.cells:
            if cell.place == INSIDE:
                own = tuple(replace(cell, place=k) for k in first.names if k in first.people)
                if own and all(p in there for p in own):
                    yield Line(cell, own)


def _totals(shape: Shape, cell: Cell) -> Iterator[tuple[Cell, str]]:
    """The cells that a cell is a part of, and what it is a part by."""
    if cell.dimension == FLOWS:
        # Comings add up over places as those who are there do.
        for total, kind in _totals(shape, replace(cell, dimension=ALL, group=ALL)):
            yield replace(total, dimension=FLOWS, group=cell.group), f"{kind} {cell.group}"
    elif cell.dimension != ALL:
        if (name := shape.joined(cell)) is not None:
            yield replace(cell, group=name), "joined"
        is_plain = _ATOM not in cell.dimension and not cell.dimension.endswith(", any mention")
        if is_plain and not shape.is_joined(cell):
            first = shape.first
            yield (Cell(cell.period, first.id, INSIDE) if first else Cell(cell.period)), cell.dimension
    elif _CROSS in cell.geography:
        for at, (geography, place) in enumerate(
            zip(cell.geography.split(_CROSS), cell.place.split(_CROSS), strict=True)
        ):
            yield Cell(cell.period, geography, place), f"{cell.geography}{at}"
    elif cell.geography != ALL and cell.place != INSIDE:
        yield Cell(cell.period), cell.geography


def _band_lines(grid: Grid) -> Iterator[Line]:
    there, shape = grid.number, grid.shape
    bands = [(g, b) for g in shape.geographies for b in shape.geographies if b.base == g.id]
    periods = dict.fromkeys(c.period for c in grid.cells if c.geography != ALL)
    for whole, band in bands:
        members: dict[str, list[str]] = {k: [] for k in (*band.names, OUTSIDE)}
        for key in whole.names:
            members[band.areas.get(key, OUTSIDE)].append(key)
        members[OUTSIDE].append(OUTSIDE)
        members[NOWHERE] = [NOWHERE]
        for period in periods:
            for place, keys in members.items():
                line = Line(Cell(period, band.id, place), tuple(Cell(period, whole.id, k) for k in keys))
                if line.parts and line.total in there and all(p in there for p in line.parts):
                    yield line


def _mention_lines(grid: Grid) -> Iterator[Line]:
    for group, _ in grid.shape.groups:
        if group.separator is None:
            continue
        one, any_of = group.dimensions
        atoms = [c for c in grid.cells if c.dimension == f"{group.by}{_ATOM}"]
        by_period: dict[str, list[Cell]] = defaultdict(list)
        for atom in atoms:
            by_period[atom.period].append(atom)
        for cell in grid.cells:
            own = by_period[cell.period]
            if cell.dimension == one and cell.group == group.several and own:
                yield Line(cell, tuple(own))
            elif cell.dimension == any_of:
                alone = Cell(cell.period, ALL, ALL, one, cell.group)
                named = [a for a in own if cell.group in a.group.split(_CROSS)]
                is_alone = alone in grid.number and cell.group != group.several
                parts = ([alone] if is_alone else []) + named
                if parts:
                    yield Line(cell, tuple(parts))


def _time_lines(grid: Grid) -> Iterator[Line]:
    names = grid.shape.periods.names
    if not names:
        return
    of: dict[tuple[str, Grain], str] = {}
    for grain, named in names.items():
        for longer, others in names.items():
            if GRAINS.index(longer) > GRAINS.index(grain):
                of |= {(named[m], longer): others[m] for m in named}
    found: dict[Cell, list[Cell]] = defaultdict(list)
    grains = {p: g for g, every in grid.shape.periods.every.items() for p in every}
    for cell in grid.cells:
        for longer in GRAINS[GRAINS.index(grains[cell.period]) + 1 :]:
            total = replace(cell, period=of.get((cell.period, longer), cell.period))
            if total.period != cell.period and total in grid.number:
                found[total].append(cell)
    for total, parts in found.items():
        for grain in dict.fromkeys(grains[p.period] for p in parts):
            yield Line(total, tuple(sorted(p for p in parts if grains[p.period] == grain)))


def _flow_lines(grid: Grid) -> Iterator[Line]:
    """What was there and what came is what is there and what went; a longer period ends as its last shorter one."""
    there, periods = grid.number, grid.shape.periods
    grains = {p: g for g, every in periods.every.items() for p in every}
    before = {p: q for every in periods.every.values() for q, p in pairwise(every)}
    for cell in grid.cells:
        if cell.dimension == FLOWS and cell.group == THROUGH:
            now = replace(cell, dimension=ALL, group=ALL)
            came, gone = (replace(cell, group=flow) for flow in IN_OUT)
            then = [replace(now, period=before[cell.period])] if cell.period in before else []
            yield Line(cell, (*then, came))
            yield Line(cell, (now, gone))
    last: dict[tuple[str, Grain], str] = {}
    for grain, named in periods.names.items():
        for month in sorted(m for m in named if m is not None):
            for longer in GRAINS[GRAINS.index(grain) + 1 :]:
                if longer in periods.names:
                    last[periods.names[longer][month], grain] = named[month]
    for cell in grid.cells:
        if cell.dimension != FLOWS:
            for grain in GRAINS[: GRAINS.index(grains[cell.period])]:
                end = replace(cell, period=last.get((cell.period, grain), cell.period))
                if end.period != cell.period and end in there:
                    yield Line(cell, (end,))


def _atom(a: str, b: str, i: str, j: str) -> Cell:
    return Cell(ALL, f"{a}{_CROSS}{b}", f"{i}{_CROSS}{j}")
