"""The noun of tables with totals: cells by any number of hierarchical dimensions, and every sum that ties them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, eye_array, kron, vstack

from metroon.base.errors import Problem, Refused
from metroon.base.estimate import ALL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

Code = tuple[str, ...]
"""What stands in the columns of one dimension: ``all`` where it is summed up."""
LARGEST = 2
"""How many of the largest contributions to a cell are kept: dominance of one and of two, p % and prior-posterior."""
MOST_CELLS = 1_000_000
"""More cells than this are no table that somebody reads."""
MOST_COUNTED = 2**53
"""Up to here whole numbers are exact in double precision (IEEE 754, binary64)."""
WORDS_FOR_ALL = frozenset({"all", "grand total", "overall", "subtotal", "sum", "total", "totals"})
"""What a code is called, in small letters, when it is a total and no part."""
AS_TOTALS = 4
"""A code that is as much as all beside it in this many groups of them, and in none is not, is their total: fewer may be
chance."""


@dataclass(frozen=True)
class Dimension:
    """One direction of a table: codes from fine to coarse, with the sums that every reader knows.

    Args:
        name: What it is called.
        columns: The columns in which its codes stand.
        codes: Every code, each once.
        lines: (Total, parts) by number of the code.
        levels: Number of the leaf -> number of its code, once for each way to group the leaves.
        leaf: What stands in the columns of a finest row -> number of its leaf.
        finest: Numbers of the finest codes that are shown, of the first hierarchy: each event is in one of them.
        unseen: Numbers of codes that are never shown, such as the common parts of two sets of areas.
    """

    name: str
    columns: tuple[str, ...]
    codes: tuple[Code, ...]
    lines: tuple[tuple[int, tuple[int, ...]], ...]
    levels: tuple[tuple[int, ...], ...]
    leaf: Mapping[Code, int]
    finest: tuple[int, ...]
    unseen: frozenset[int] = frozenset()

    @cached_property
    def number(self) -> Mapping[Code, int]:
        """Code -> its number."""
        return {code: at for at, code in enumerate(self.codes)}

    @property
    def leaves(self) -> int:
        """How many leaves it has."""
        return len(self.levels[0])

    def matrix(self) -> csr_array:
        """The lines, one a row: 1 for a part, -1 for the total."""
        rows = [at for at, (_, parts) in enumerate(self.lines) for _ in range(len(parts) + 1)]
        columns = [code for total, parts in self.lines for code in (total, *parts)]
        signs = [sign for _, parts in self.lines for sign in (-1, *(1 for _ in parts))]
        shape = (len(self.lines), len(self.codes))
        return csr_array((np.array(signs, dtype=np.int64), (rows, columns)), shape=shape)

    def members(self) -> NDArray[np.int64]:
        """For each code (row) and leaf (column) whether the leaf is counted in it: 1 or 0."""
        found = np.zeros((len(self.codes), self.leaves), dtype=np.int64)
        for level in self.levels:
            found[list(level), np.arange(self.leaves)] = 1
        return found


def dimension(hierarchies: Sequence[Sequence[str]], rows: Iterable[Code], *, name: str = "") -> Dimension:
    """A dimension from the columns of finest rows.

    Args:
        hierarchies: One list of columns, coarse to fine; or several over the same rows, such as council districts and
            school zones: then what two of them have in common are cells too, which nobody is shown.
        rows: What stands in all these columns, in their order; each combination at least once.
        name: What the dimension is called; its columns unless named.

    Returns:
        The dimension. Its total is ``all`` in every column. A code is known by what stands above it: two quarters of
        one name in two districts are two codes.

    Raises:
        Refused: There are no rows; a row lacks a part of its code, or says ``all``, which stands for totals (G110).

    Example:
        >>> made = dimension([["district", "quarter"]], [("1", "Old Town"), ("1", "Harbor"), ("2", "Mill")])
        >>> made.codes[:3]
        (('all', 'all'), ('1', 'all'), ('2', 'all'))
        >>> [(made.codes[t][0], len(parts)) for t, parts in made.lines]
        [('all', 2), ('1', 2), ('2', 1)]
    """
    columns = tuple(c for h in hierarchies for c in h)
    named = name or " | ".join(" > ".join(h) for h in hierarchies)
    found = sorted(set(rows))
    if problems := list(_holes(named, columns, found)):
        raise Refused(problems)
    groups = _groups(hierarchies)
    nodes: dict[Code, int] = {(ALL,) * len(columns): 0}
    chains: list[list[tuple[int, ...]]] = []  # for each hierarchy, its levels over the rows, coarse to fine
    for group in groups:
        chain = []
        for depth in range(1, len(group) + 1):
            shown = set(group[:depth])
            codes = [tuple(v if i in shown else ALL for i, v in enumerate(row)) for row in found]
            for code in sorted(set(codes)):
                nodes.setdefault(code, len(nodes))
            chain.append(tuple(nodes[c] for c in codes))
        chains.append(chain)
    leaves, unseen = _common_parts(found, nodes, [chain[-1] for chain in chains])
    levels = [(0,) * len(found), *(level for chain in chains for level in chain), leaves]
    lines = [line for chain in chains for line in _lines([levels[0], *chain, leaves])]
    ordered = tuple(dict.fromkeys(lines))
    leaf = {row: at for at, row in enumerate(found)}
    finest = tuple(sorted(set(chains[0][-1])))
    told = tuple(dict.fromkeys(levels))
    return Dimension(named, columns, tuple(nodes), ordered, told, leaf, finest, frozenset(unseen))


def tree(name: str, parents: Mapping[str, str]) -> Dimension:
    """A dimension from a declared list: each code with the code it is part of.

    Args:
        name: Its name, and that of its one column.
        parents: Code -> the code above it; ``all`` for those right under the total. Branches may be of any length.

    Raises:
        Refused: A code has a parent that is not declared, or codes go in a circle (G111).

    Example:
        >>> ages = tree("age", {"young": "all", "0-9": "young", "10-19": "young", "20 and over": "all"})
        >>> [(ages.codes[t], [ages.codes[p] for p in parts]) for t, parts in ages.lines]
        [(('all',), [('20 and over',), ('young',)]), (('young',), [('0-9',), ('10-19',)])]
    """
    if problems := list(_tree_faults(name, parents)):
        raise Refused(problems)
    inner = set(parents.values())
    codes = [(ALL,), *((c,) for c in sorted(parents))]
    number = {c: at for at, (c,) in enumerate(codes)}
    chains = {leaf: _chain(leaf, parents) for leaf in sorted(set(parents) - inner)}
    deepest = max(map(len, chains.values()))
    levels = [tuple(number[c[min(d, len(c) - 1)]] for c in chains.values()) for d in range(deepest)]
    parts = {total: sorted(number[c] for c, above in parents.items() if above == total) for total in inner}
    lines = tuple((number[total], tuple(parts[total])) for total in sorted(inner, key=number.__getitem__))
    leaf: dict[Code, int] = {(c,): at for at, c in enumerate(chains)}
    return Dimension(
        name, (name,), tuple(codes), lines, tuple(dict.fromkeys(levels)), leaf, tuple(sorted(set(levels[-1])))
    )


def with_rest(of: Dimension, rest: Code, whole: Code) -> Dimension:
    """A dimension beside which other events are counted too, in none of its codes.

    What is shown and the rest are together what others may show of the whole: who knows the whole and all that is
    shown knows the rest. So both are cells, and never shown.

    Args:
        of: The dimension, as it is shown.
        rest: The code of the rest, which is a leaf.
        whole: The code of all events.

    Example:
        >>> years = with_rest(dimension([["year"]], [("2024",), ("2025",)]), ("(later)",), ("(ever)",))
        >>> [(years.codes[t], [years.codes[p] for p in parts]) for t, parts in years.lines][-1]
        (('(ever)',), [('all',), ('(later)',)])
    """
    at, every = len(of.codes), len(of.codes) + 1
    levels = (*((*level, at) for level in of.levels), (every,) * (of.leaves + 1))
    return Dimension(
        of.name,
        of.columns,
        (*of.codes, rest, whole),
        (*of.lines, (every, (0, at))),
        levels,
        {**of.leaf, rest: of.leaves},
        of.finest,
        of.unseen | {at, every},
    )


def _holes(name: str, columns: Code, rows: Sequence[Code]) -> Iterator[Problem]:
    if not rows:
        yield Problem("", 0, "G110", f"{name} has no code at all.", "Give at least one row.")
    for at, column in enumerate(columns):
        empty = sum(not row[at] for row in rows)
        if empty:
            what = f"{column} is empty in {empty:,} codes of {name}: a part without a whole, or a whole without parts."
            yield Problem("", 0, "G110", what, "Write what it is, or (unknown) where nobody knows.")
        summed = sum(row[at] == ALL for row in rows)
        if summed:
            what = f"{column} says '{ALL}' in {summed:,} codes of {name} that are parts: it stands for totals only."
            yield Problem("", 0, "G110", what, f"Write another word than '{ALL}' for a part.")


def _groups(hierarchies: Sequence[Sequence[str]]) -> list[list[int]]:
    ends = np.cumsum([0, *(len(h) for h in hierarchies)]).tolist()
    return [list(range(a, b)) for a, b in pairwise(ends)]


def _common_parts(
    rows: Sequence[Code], nodes: dict[Code, int], ends: Sequence[tuple[int, ...]]
) -> tuple[tuple[int, ...], list[int]]:
    """The code of each finest row: that of an area which has no other row, else a common part that nobody sees."""
    rows_of = [np.bincount(end, minlength=len(nodes)) for end in ends]
    leaves, unseen = [], []
    for at, row in enumerate(rows):
        own = next((end[at] for end, n in zip(ends, rows_of, strict=True) if n[end[at]] == 1), None)
        if own is None:
            own = nodes.setdefault(row, len(nodes))
            unseen.append(own)
        leaves.append(own)
    return tuple(leaves), unseen


def _lines(levels: Sequence[tuple[int, ...]]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for above, below in pairwise(levels):
        parts: dict[int, set[int]] = {}
        for total, part in zip(above, below, strict=True):
            parts.setdefault(total, set()).add(part)
        yield from ((t, tuple(sorted(p))) for t, p in sorted(parts.items()) if p != {t})


def _tree_faults(name: str, parents: Mapping[str, str]) -> Iterator[Problem]:
    if not parents or ALL in parents:
        what = f"{name} declares no codes, or one named '{ALL}', which is the total."
        yield Problem("", 0, "G111", what, f"Name each code and what it is part of, '{ALL}' for the topmost.")
    lost = sorted({above for above in parents.values() if above != ALL and above not in parents})
    if lost:
        what = f"{name} has codes below {', '.join(lost)}, which is not declared."
        yield Problem("", 0, "G111", what, f"Declare what {lost[0]} is part of; '{ALL}' for the total.")
    round_ = sorted(c for c in parents if not lost and ALL in parents.values() and _chain(c, parents)[0] != ALL)
    if round_ or (parents and ALL not in parents.values()):
        what = f"codes of {name} are part of each other in a circle: {', '.join(round_ or sorted(parents))}."
        yield Problem("", 0, "G111", what, "Take one of these out, so that each chain ends at the total.")


def _chain(code: str, parents: Mapping[str, str]) -> list[str]:
    """The codes above a code, from the total down to itself; without the total when they go in a circle."""
    found = [code]
    while found[-1] in parents and len(found) <= len(parents):
        found.append(parents[found[-1]])
    return found[::-1]


@dataclass(frozen=True, eq=False)
class Table:
    """A table with all its totals, before anything is withheld. In every array one entry a cell.

    Cells are the crossing of all codes of all dimensions, the last dimension fastest.

    Args:
        name: What it is a table of.
        dimensions: Its dimensions.
        count: Events in each cell, additive.
        people: Different people behind each cell, where rows tell them apart; None when each event is one person's.
        total: What is added up in each cell, such as dollars; None for a table of counts.
        largest: The largest contributions to each total by contributor, falling; None when nobody told.
        contributors: Different contributors to each total; None likewise.
        ceiling: The most that a reader knows each count to be, from elsewhere; None when nothing is known.
    """

    name: str
    dimensions: tuple[Dimension, ...]
    count: Floats
    people: Ints | None = None
    total: Floats | None = None
    largest: Floats | None = None
    contributors: Ints | None = None
    ceiling: Floats | None = None

    @property
    def cells(self) -> int:
        """How many cells there are, totals and unseen ones too."""
        return len(self.count)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many codes each dimension has."""
        return tuple(len(d.codes) for d in self.dimensions)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in which the codes stand."""
        return tuple(c for d in self.dimensions for c in d.columns)

    @cached_property
    def codes(self) -> tuple[tuple[Code, ...], ...]:
        """The codes of each cell, one a dimension."""
        return tuple(product(*(d.codes for d in self.dimensions)))

    @cached_property
    def published(self) -> Mask:
        """Which cells are shown unless they are withheld."""
        made = np.ones(1, dtype=bool)
        for d in self.dimensions:
            seen = np.ones(len(d.codes), dtype=bool)
            seen[sorted(d.unseen)] = False
            made = np.logical_and.outer(made, seen).ravel()
        return made

    @cached_property
    def finest(self) -> Mask:
        """The finest cells that are shown: each event is in one of them."""
        made = np.ones(1, dtype=bool)
        for d in self.dimensions:
            own = np.zeros(len(d.codes), dtype=bool)
            own[list(d.finest)] = True
            made = np.logical_and.outer(made, own).ravel()
        return made

    def finest_of_others(self, at: int) -> Mask:
        """The cells that are finest in all dimensions but one."""
        made = np.ones(1, dtype=bool)
        for other, d in enumerate(self.dimensions):
            own = np.full(len(d.codes), other == at)
            own[list(d.finest)] = True
            made = np.logical_and.outer(made, own).ravel()
        return made

    @cached_property
    def matrix(self) -> csr_array:
        """Every equation, one a row: 1 for each part, -1 for the total."""
        return equations(self.dimensions)

    def lines_of(self, at: int) -> csr_array:
        """The equations along one dimension."""
        return _along(self.dimensions, at)


def equations(dimensions: Sequence[Dimension]) -> csr_array:
    """The equations of a table: every line of every dimension, for each combination of the others' codes."""
    blocks = [_along(dimensions, at) for at in range(len(dimensions))]
    return csr_array(vstack(blocks, format="csr")) if blocks else csr_array((0, 1))


def _along(dimensions: Sequence[Dimension], at: int) -> csr_array:
    before = prod(len(d.codes) for d in dimensions[:at])
    after = prod(len(d.codes) for d in dimensions[at + 1 :])
    own = dimensions[at].matrix()
    return csr_array(kron(kron(eye_array(before), own), eye_array(after), format="csr"))


@dataclass(frozen=True)
class Finest:
    """What a table is made of: finest cells, or rows of which many may be in one cell.

    Args:
        codes: Dimension by dimension, what stands in its columns in each row.
        count: Events of each row; None when each row is one.
        total: What is added up.
        contributor: Whose it is: a person for counts, who contributes for totals.
        ceiling: The most that the count of a cell can be, as readers know.
        are_cells: Whether each row is a cell of its own, so that two of one cell are an error.
    """

    codes: Sequence[Sequence[Code]]
    count: Sequence[Any] | Floats | None = None
    total: Sequence[Any] | Floats | None = None
    contributor: Sequence[str] | None = None
    ceiling: Sequence[Any] | Floats | None = None
    are_cells: bool = field(default=True)


def table(name: str, dimensions: Sequence[Dimension], finest: Finest) -> Table:
    """All cells of a table with all totals, from its finest cells.

    Args:
        name: What it is a table of.
        dimensions: Its dimensions; every code of a finest row must be one of their leaves.
        finest: The rows.

    Returns:
        The table. Cells without a row are 0. Of rows that tell contributors, each cell knows how many different
        ones stand behind it and how much the largest give, totals by contributor added up over their parts: who
        gives to two parts of a total is one contributor of it.

    Raises:
        Refused: Every fault at once: a code that no dimension has (G110), numbers that are no counts or amounts
            (G113), two rows of one cell (G114), too many cells (G118).

    Example:
        >>> places = dimension([["district"]], [("A",), ("B",)])
        >>> kinds = dimension([["kind"]], [("x",), ("y",)])
        >>> rows = Finest([[("A",), ("A",), ("B",)], [("x",), ("y",), ("x",)]], count=[3, 20, 5])
        >>> made = table("calls", [places, kinds], rows)
        >>> made.cells, int(made.count[0]), made.matrix.shape
        (9, 28, (6, 9))
    """
    numbers = {"count": finest.count, "total": finest.total, "ceiling": finest.ceiling}
    given = {k: _numbers(v) for k, v in numbers.items() if v is not None}
    problems = [*_size_faults(dimensions), *_code_faults(dimensions, finest.codes), *_number_faults(given)]
    if problems:
        raise Refused(problems)
    pairs = zip(dimensions, finest.codes, strict=True)
    at = [np.array([d.leaf[c] for c in codes], dtype=np.int64) for d, codes in pairs]
    leaves = tuple(d.leaves for d in dimensions)
    cell = np.ravel_multi_index(at, leaves) if dimensions else np.zeros(0, dtype=np.int64)
    if finest.are_cells and (twice := len(cell) - len(np.unique(cell))):
        what = f"{twice:,} rows of {name} stand for a cell that another row stands for too."
        fix = "Name what tells them apart as a dimension, or keep one row for each cell."
        raise Refused([Problem("", 0, "G114", what, fix)])
    count = given.get("count", np.ones(len(cell)))
    who = finest.contributor
    told = _contributions(dimensions, at, given.get("total", count), who) if who is not None else None
    is_magnitude = "total" in given

    def summed(numbers: Floats) -> Floats:
        return _summed(dimensions, np.bincount(cell, weights=numbers, minlength=prod(leaves)).astype(np.float64))

    return Table(
        name,
        tuple(dimensions),
        np.rint(summed(count)),
        people=told.people if told is not None else None,
        total=summed(given["total"]) if is_magnitude else None,
        largest=told.largest if told is not None and is_magnitude else None,
        contributors=told.contributors if told is not None and is_magnitude else None,
        ceiling=summed(given["ceiling"]) if "ceiling" in given else None,
    )


def _numbers(values: Sequence[Any] | Floats) -> Floats:
    made = np.full(len(values), np.nan)
    for at, value in enumerate(values):
        try:
            made[at] = float(value)
        except (TypeError, ValueError):
            continue  # told as a fault, which counts them
    return made


def _size_faults(dimensions: Sequence[Dimension]) -> Iterator[Problem]:
    cells = prod(len(d.codes) for d in dimensions)
    if not dimensions:
        yield Problem("", 0, "G118", "a table needs at least one dimension.", "Name a column to break it down by.")
    elif cells > MOST_CELLS:
        what = f"the dimensions have {cells:,} cells together, more than {MOST_CELLS:,}."
        yield Problem("", 0, "G118", what, "Take a dimension out, or a level of one, or make two tables.")


def _code_faults(dimensions: Sequence[Dimension], codes: Sequence[Sequence[Code]]) -> Iterator[Problem]:
    for d, given in zip(dimensions, codes, strict=True):
        unknown = sum(code not in d.leaf for code in given)
        if unknown:
            what = f"{unknown:,} rows have a code in {d.name} that is not declared, or is no finest one."
            yield Problem("", 0, "G110", what, "Declare it with what it is part of, or correct the rows.")


def _number_faults(given: Mapping[str, Floats]) -> Iterator[Problem]:
    for name, values in given.items():
        lacking, negative = int((~np.isfinite(values)).sum()), int((values < 0).sum())
        fractions = int((np.isfinite(values) & (values != np.rint(values))).sum()) if name == "count" else 0
        for n, what, fix in (
            (lacking, "no number", "Write a number in each row; 0 where nothing is."),
            (negative, "a negative number", "Make two tables of it: what came in, and what went out."),
            (fractions, "a fraction", "Counts are whole; give what is no count as the total."),
        ):
            if n:
                yield Problem("", 0, "G113", f"the {name} has {what} in {n:,} row{'s' * (n != 1)}.", fix)
        if not (lacking or negative) and values.sum() > (MOST_COUNTED if name != "total" else np.finfo(float).max):
            what = f"the {name} adds up to more than can be reckoned exactly."
            yield Problem("", 0, "G113", what, "Correct the rows, or count in thousands.")


def _summed(dimensions: Sequence[Dimension], leaves: Floats) -> Floats:
    """Numbers of the leaves added up in every code of every dimension, one dimension after the other."""
    made = leaves.reshape([d.leaves for d in dimensions])
    for axis, d in enumerate(dimensions):
        made = np.moveaxis(np.tensordot(d.members().astype(float), made, axes=(1, axis)), 0, axis)
    return made.ravel()


@dataclass(frozen=True)
class _Contributions:
    people: Ints
    contributors: Ints
    largest: Floats


def _contributions(
    dimensions: Sequence[Dimension], at: Sequence[Ints], amount: Floats, who: Sequence[str]
) -> _Contributions:
    """Different contributors of each cell and the largest of them: counted anew in each total, for no sum tells it."""
    shape = tuple(len(d.codes) for d in dimensions)
    cells = prod(shape)
    _, person = np.unique(np.array(list(who), dtype=object).astype(str), return_inverse=True)
    people = int(person.max(initial=0)) + 1
    counted, contributors = np.zeros(cells, dtype=np.int64), np.zeros(cells, dtype=np.int64)
    largest = np.zeros((cells, LARGEST))
    for chosen in product(*(d.levels for d in dimensions)):
        where = [np.array(level, dtype=np.int64)[leaf] for level, leaf in zip(chosen, at, strict=True)]
        pair, of = np.unique(np.ravel_multi_index(where, shape) * people + person, return_inverse=True)
        given = np.bincount(of, weights=amount, minlength=len(pair))
        cell = pair // people
        # Set, not added: a code may stand in two levels.
        told, people_of = np.unique(cell, return_counts=True)
        counted[told] = people_of
        contributors[told] = np.bincount(cell, weights=given > 0, minlength=cells)[told]
        order = np.lexsort((-given, cell))
        first = np.concatenate([[True], np.diff(cell[order]) > 0]) if len(order) else np.zeros(0, dtype=bool)
        start = np.flatnonzero(first)
        rank = np.arange(len(order)) - np.repeat(start, np.diff([*start, len(order)]))
        for n in range(LARGEST):
            nth = order[rank == n]
            largest[cell[nth], n] = given[nth]
    return _Contributions(counted, contributors, largest)


def unseen_totals(made: Table) -> list[Problem]:
    """Parts that are totals by another word: sums that every reader would know, and the protection would not.

    Returns:
        Problems (G112): codes that are called a total, or that are as much as all codes beside them wherever these
        count anything.

    Example:
        >>> kinds = dimension([["kind"]], [("x",), ("y",), ("Total",)])
        >>> rows = Finest([[("x",), ("y",), ("Total",)]], count=[3, 20, 23])
        >>> [p.code for p in unseen_totals(table("calls", [kinds], rows))]
        ['G112']
    """
    problems = []
    for at, d in enumerate(made.dimensions):
        amount = made.count if made.total is None else made.total
        finest = np.moveaxis(made.finest_of_others(at).reshape(made.shape), at, 0).reshape(len(d.codes), -1)[0]
        counted = np.moveaxis(amount.reshape(made.shape), at, 0).reshape(len(d.codes), -1)[:, finest]
        found = {c for c, code in enumerate(d.codes) if any(v != ALL and v.casefold() in WORDS_FOR_ALL for v in code)}
        for total, parts in d.lines:
            if len(parts) >= 3 and (counted[total] > 0).sum() >= AS_TOTALS:
                found |= {part for part in parts if np.allclose(2 * counted[part], counted[total], rtol=1e-9, atol=0)}
        if found:
            codes = f"{len(found):,} code{'s' * (len(found) != 1)}"
            what = f"{d.name} has {codes} for totals among its parts: readers would subtract."
            fix = "Name the word for totals with --all, or leave these rows out: totals are made of the parts."
            problems.append(Problem("", 0, "G112", what, fix))
    return problems


@dataclass(frozen=True)
class Given:
    """A total that was given with the finest cells, to be checked.

    Args:
        codes: Its code in each dimension.
        count: What was said that it counts; None when no counts were given.
        total: What was said that it adds up to; None likewise.
    """

    codes: tuple[Code, ...]
    count: float | None = None
    total: float | None = None


def check_totals(made: Table, given: Sequence[Given]) -> list[Problem]:
    """What is wrong with totals that came with the finest cells.

    Returns:
        Problems (G112): totals that are not the sum of their parts, totals given twice or for no code, and, when
        any total was given, totals that lack. A total of 0 may be left out.
    """
    number = [d.number for d in made.dimensions]
    places, unknown = [], 0
    for one in given:
        at = [n.get(c) for n, c in zip(number, one.codes, strict=True)]
        unknown += None in at
        places.append(None if None in at else int(np.ravel_multi_index([a for a in at if a is not None], made.shape)))
    known = [(p, g) for p, g in zip(places, given, strict=True) if p is not None]
    wrong = sum(
        (g.count is not None and g.count != made.count[p])
        or (g.total is not None and made.total is not None and not np.isclose(g.total, made.total[p], rtol=1e-9))
        for p, g in known
    )
    twice = len(known) - len({p for p, _ in known})
    is_leaf = np.zeros(made.cells, dtype=bool)
    leaves = [sorted(set(d.levels[-1])) for d in made.dimensions]
    is_leaf[[int(np.ravel_multi_index(c, made.shape)) for c in product(*leaves)]] = True
    needed = np.flatnonzero(~is_leaf & made.published & (made.count > 0)).tolist()
    lacking = len(set(needed) - {p for p, _ in known}) if given else 0
    found = (
        (wrong, "are not the sum of their parts", "Correct them, or leave all totals out: they are made of the parts."),
        (twice, "are given twice", "Keep one row for each."),
        (unknown, "are of a code that no part has", "Correct the code, or give the parts too."),
        (lacking, "are missing", "Give all totals or none: they are made of the parts."),
    )
    return [Problem("", 0, "G112", f"{n:,} totals {what}.", fix) for n, what, fix in found if n]
