"""Primary rules: which cells of a table tell too much by themselves, and how much doubt must stay about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from metroon.base.errors import Problem, Refused
from metroon.base.estimate import ALL
from metroon.guard.system import System, system

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from metroon.guard.system import Name
    from metroon.guard.table import Table

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

Zeros = Literal["public", "sensitive", "known"]
"""What an empty cell is: shown as 0 and nothing to protect; as telling as a small count; or known to every reader from
elsewhere, so that to withhold it protects nothing."""

COUNT_WIDTH = 5
"""How wide the doubt about a protected count must be, at the least (privacy reference, section 4)."""
BUT_FEWER_THAN = 3
"""All of a row in one category, or all but fewer than this: who is known to be in the row has the category."""
NEVER = np.iinfo(np.int64).max
"""Stands for a cell that needs no doubt at any minimum."""


@dataclass(frozen=True)
class Dominance:
    """The (n, k) rule: a total is unsafe when its n largest contributors give more than k % of it.

    Args:
        largest: How many of the largest, 1 or 2.
        percent: The k, above 0 and below 100.
    """

    largest: int
    percent: float


@dataclass(frozen=True)
class Rules:
    """When a cell tells too much by itself.

    Args:
        minimum: Counts from 1 to one less than this are small, and those of fewer different people.
        zeros: What empty cells are.
        categories: Columns that tell something of a person: a row that is all in one category of such a column, or
            all but fewer than 3, tells it of everybody who is known to be in the row.
        dominance: The (n, k) rules for totals; each that is broken makes a cell unsafe.
        p_percent: The p % rule for totals: the second largest contributor may not estimate the largest to within p %;
            above 0. None for no such rule.
        prior_percent: To within how many percent readers know the small contributions beforehand (the q of the
            prior-posterior rule); above ``p_percent``, up to 100, which is the plain p % rule.
        contributors: Fewest different contributors that a total may have.
        doubt_percent: How far over and under a protected total a reader's interval must reach, in percent of it.
        minimum_width: How wide that interval must be at the least, in units of the total; above 0, since some percent
            of nothing is nothing.
    """

    minimum: int = 11
    zeros: Zeros = "public"
    categories: frozenset[str] = frozenset()
    dominance: tuple[Dominance, ...] = ()
    p_percent: float | None = None
    prior_percent: float = 100.0
    contributors: int = 3
    doubt_percent: float = 10.0
    minimum_width: float = 1.0

    @property
    def asks_of_totals(self) -> bool:
        """Whether anything is asked that only totals can answer."""
        usual = Rules(minimum=self.minimum, zeros=self.zeros, categories=self.categories)
        return self != usual

    @property
    def has_concentration(self) -> bool:
        """Whether totals are looked at by who gives how much."""
        return bool(self.dominance) or self.p_percent is not None


def rule_faults(rules: Rules) -> list[Problem]:
    """What is wrong with rules by themselves: numbers with which a rule protects nothing or cannot be kept (G115)."""
    return [Problem("", 0, "G115", what, fix) for is_wrong, what, fix in _rule_faults(rules) if is_wrong]


def _rule_faults(rules: Rules) -> Iterator[tuple[bool, str, str]]:
    yield rules.minimum < 3, f"the minimum is {rules.minimum}.", "Take at least 3; 11 is usual."
    for rule in rules.dominance:
        is_wrong = rule.largest not in (1, 2) or not 0 < rule.percent < 100
        yield is_wrong, f"dominance is ({rule.largest}, {rule.percent:g}).", "Write 1 or 2, and a percent below 100."
    p = rules.p_percent
    if p is not None:
        yield p <= 0, f"p is {p:g} %, which protects nothing.", "Take p above 0; 10 is usual."
        yield (
            not max(p, 0) < rules.prior_percent <= 100,
            f"q is {rules.prior_percent:g} %: what is known beforehand must be vaguer than p and not over 100 %.",
            "Take q above p, up to 100.",
        )
    yield rules.contributors < 1, f"the fewest contributors are {rules.contributors}.", "Take at least 1; 3 is usual."
    doubt = rules.doubt_percent
    yield not 0 < doubt <= 100, f"the doubt is {doubt:g} % of a total.", "Take above 0 and up to 100; 10 is usual."
    width = rules.minimum_width
    yield not 0 < width < np.inf, f"the minimum width is {width:g}.", "Take above 0, in units of the total."


@dataclass(frozen=True, eq=False)
class Needs:
    """How much doubt must stay about each cell: one entry a cell, 0 where there is no need.

    Args:
        below: How far under the truth a reader's interval must reach.
        above: How far over it.
        width: How wide it must be.
        since: Smallest minimum at which the cell needs it; 0 when always.
    """

    below: Floats
    above: Floats
    width: Floats
    since: Ints

    @property
    def unsafe(self) -> Mask:
        """Which cells need doubt."""
        return np.asarray((self.below > 0) | (self.above > 0) | (self.width > 0))


def count_needs(count: Floats, rules: Rules, *, people: Ints | None = None) -> Needs:
    """The doubt about small counts, from ``a - min(a, 2)`` to ``a + max(3, 5 - min(a, 2))``.

    Args:
        count: Events of each cell.
        rules: The minimum, and what empty cells are.
        people: Different people behind each cell, when known: many events of few people are small too.

    Example:
        >>> needs = count_needs(np.array([0.0, 1, 10, 11]), Rules())
        >>> needs.below.tolist(), needs.above.tolist(), needs.width.tolist()
        ([0.0, 1.0, 2.0, 0.0], [0.0, 4.0, 3.0, 0.0], [0.0, 5.0, 5.0, 0.0])
        >>> count_needs(np.array([0.0]), Rules(zeros="sensitive")).above.tolist()
        [5.0]
    """
    whole = np.rint(count).astype(np.int64)
    since = np.where(whole > 0, whole + 1, NEVER)
    if people is not None:
        few = (whole > 0) & (people > 0)
        since = np.where(few, np.minimum(since, people + 1), since)
    if rules.zeros == "sensitive":
        since = np.where(whole == 0, 0, since)
    small = since <= rules.minimum
    below = np.minimum(count, 2.0)
    above = np.maximum(3.0, COUNT_WIDTH - below)
    return Needs(
        np.where(small, below, 0.0),
        np.where(small, above, 0.0),
        np.where(small, float(COUNT_WIDTH), 0.0),
        np.where(small, since, NEVER),
    )


def is_dominated(total: Floats, largest: Floats, rule: Dominance) -> Mask:
    """Totals of which the largest contributors give more than k %.

    Args:
        total: The totals.
        largest: (cells, 2): the largest contributions, falling.
        rule: The n and the k.

    Source:
        Hundepool et al. (2012), Statistical Disclosure Control, Wiley, section 4.2: sensitivity rules.

    Example:
        Two contributors of nearly the same size are safe by (1, 90), and unsafe by (2, 90):

        >>> total, largest = np.array([100_000.0]), np.array([[50_000.0, 49_000.0]])
        >>> [bool(is_dominated(total, largest, Dominance(n, 90))[0]) for n in (1, 2)]
        [False, True]
    """
    return np.asarray(largest[:, : rule.largest].sum(axis=1) > rule.percent / 100 * total)


def is_estimable(total: Floats, largest: Floats, p_percent: float, prior_percent: float = 100.0) -> Mask:
    """Totals from which the second largest contributor can estimate the largest to within p %.

    It takes its own part from the total; what is left over the largest are the small contributions, which it knows
    beforehand to within ``prior_percent``.

    Args:
        total: The totals.
        largest: (cells, 2): the largest contributions, falling.
        p_percent: The p.
        prior_percent: The q of the prior-posterior rule; 100 is the p % rule.

    Source:
        Hundepool et al. (2012), Statistical Disclosure Control, Wiley, section 4.2: X - x1 - x2 < p/q x1.

    Example:
        >>> bool(is_estimable(np.array([100_000.0]), np.array([[50_000.0, 49_000.0]]), 10)[0])
        True
    """
    rest = total - largest.sum(axis=1)
    return np.asarray((total > 0) & (rest < p_percent / prior_percent * largest[:, 0]))


def total_needs(total: Floats, rules: Rules, *, largest: Floats | None, contributors: Ints | None) -> Needs:
    """The doubt about totals that a few contributors make up.

    The interval must reach ``doubt_percent`` of the total to both sides, up to where the rule that was broken would
    be kept, and be as wide as the minimum width: near nothing, some percent are nothing.

    Args:
        total: What each cell adds up to.
        rules: The rules for totals.
        largest: (cells, 2): the largest contributions, falling; None when nobody told.
        contributors: Different contributors of each cell; None likewise.

    Source:
        Hundepool et al. (2012), section 4.2 and 4.3: what must be added to a total so that it keeps the rule again.

    Example:
        >>> needs = total_needs(np.array([1000.0, 5.0]), Rules(p_percent=10),
        ...     largest=np.array([[900.0, 50], [5, 0]]), contributors=np.array([9, 1]))
        >>> needs.below.tolist(), needs.above.tolist(), needs.width.tolist()
        ([100.0, 0.5], [100.0, 0.5], [1.0, 1.0])
    """
    unsafe = np.zeros(len(total), dtype=bool)
    lack = np.zeros(len(total))
    if largest is not None:
        for rule in rules.dominance:
            unsafe |= is_dominated(total, largest, rule)
            lack = np.maximum(lack, 100 / rule.percent * largest[:, : rule.largest].sum(axis=1) - total)
        if rules.p_percent is not None:
            unsafe |= is_estimable(total, largest, rules.p_percent, rules.prior_percent)
            reach = rules.p_percent / rules.prior_percent * largest[:, 0]
            lack = np.maximum(lack, reach - (total - largest.sum(axis=1)))
    if contributors is not None:
        unsafe |= (contributors > 0) & (contributors < rules.contributors)
    share = rules.doubt_percent / 100 * total
    below = np.minimum(share, total)
    above = np.maximum(np.maximum(share, lack), rules.minimum_width - below)
    return Needs(
        np.where(unsafe, below, 0.0),
        np.where(unsafe, above, 0.0),
        np.where(unsafe, rules.minimum_width, 0.0),
        np.where(unsafe, 0, NEVER),
    )


@dataclass(frozen=True)
class Rest:
    """All of a row but those in one category: few, so that the category is told of who is in the row.

    Args:
        row: Number of the cell of the row.
        part: Number of the cell of the category.
        count: How many are in the row and not in the category.
    """

    row: int
    part: int
    count: int


def rests(made: Table, rules: Rules) -> list[Rest]:
    """Rows that are all in one category, or all but fewer than 3, of a column that tells something of a person.

    Example:
        >>> from metroon.guard.table import Finest, dimension, table
        >>> wards = dimension([["ward"]], [("A",), ("B",)])
        >>> ill = dimension([["ill"]], [("no",), ("yes",)])
        >>> rows = Finest([[("A",), ("A",), ("B",), ("B",)], [("yes",), ("no",)] * 2], count=[30, 0, 12, 14])
        >>> made = table("people", [wards, ill], rows)
        >>> [(made.codes[r.row][0], r.count) for r in rests(made, Rules(categories=frozenset({"ill"})))]
        [(('A',), 0)]
    """
    found = []
    for at, d in enumerate(made.dimensions):
        if not rules.categories & set(d.columns):
            continue
        lines = made.lines_of(at)
        for row in range(lines.shape[0]):
            start, end = lines.indptr[row : row + 2]
            cells, signs = lines.indices[start:end], lines.data[start:end]
            parts, whole = cells[signs > 0], int(cells[signs < 0][0])
            if len(parts) < 2 or made.count[whole] <= 0:
                continue  # a category that is all there is tells nothing
            part = int(parts[np.argmax(made.count[parts])])
            rest = int(made.count[whole] - made.count[part])
            if rest < BUT_FEWER_THAN:
                found.append(Rest(whole, part, rest))
    return found


def count_system(made: Table, rules: Rules, *, names: Sequence[Name] = ()) -> System:
    """What a reader knows of the counts of a table, and which must stay in doubt.

    Cells of the system are those of the table, in its order, and after them the rests of rows that are all in one
    category: numbers that nobody is shown, and everybody could work out.

    Raises:
        Refused: The rules protect nothing, or ask for more doubt than readers can have (G115).
    """
    found = rests(made, rules)
    needs = count_needs(made.count, rules, people=made.people)
    few = np.array([r.count for r in found], dtype=np.float64)
    zeros = np.zeros(len(found))
    ceiling = np.full(made.cells, np.inf) if made.ceiling is None else made.ceiling
    above = np.concatenate([needs.above, BUT_FEWER_THAN - few])
    ceilings = np.concatenate([ceiling, np.full(len(found), np.inf)])
    value = np.concatenate([made.count, few])
    if problems := [*rule_faults(rules), *_ceiling_faults(value, above, ceilings)]:
        raise Refused(problems)
    fixed = made.published & (made.count == 0) if rules.zeros == "known" else np.zeros(made.cells, dtype=bool)
    known = list(names or cell_names(made, "count"))
    return system(
        _with_rests(made.matrix, found, made.cells),
        value,
        published=np.concatenate([made.published, np.zeros(len(found), dtype=bool)]),
        below=np.concatenate([needs.below, zeros]),
        above=above,
        width=np.concatenate([needs.width, zeros]),
        since=np.concatenate([needs.since, np.zeros(len(found), dtype=np.int64)]),
        fixed=np.concatenate([fixed, np.zeros(len(found), dtype=bool)]),
        ceiling=ceilings,
        names=[*known, *((*known[r.part][:-2], f"not {known[r.part][-2]}", known[r.part][-1]) for r in found)],
    )


def total_system(made: Table, rules: Rules, *, names: Sequence[Name] = ()) -> System:
    """What a reader knows of the totals of a table, and which must stay in doubt.

    Raises:
        Refused: The rules protect nothing (G115), or ask who gives how much and nobody told.
        ValueError: The table has no totals.
    """
    if made.total is None:
        raise ValueError("a table of counts has no totals")
    problems = rule_faults(rules)
    if rules.has_concentration and made.largest is None:
        what = "dominance and p % ask who gives how much, and the table does not tell."
        problems.append(Problem("", 0, "G115", what, "Give one row for each contributor, and name their column."))
    if problems:
        raise Refused(problems)
    needs = total_needs(made.total, rules, largest=made.largest, contributors=made.contributors)
    fixed = made.published & (made.count == 0) if rules.zeros == "known" else np.zeros(made.cells, dtype=bool)
    return system(
        made.matrix,
        made.total,
        published=made.published,
        below=needs.below,
        above=needs.above,
        width=needs.width,
        since=np.where(needs.unsafe, 0, NEVER),
        fixed=fixed,
        is_whole=False,
        names=list(names or cell_names(made, "total")),
    )


def cell_names(made: Table, component: str) -> list[Name]:
    """The cells of a table in words: table, component, period, geography, place, dimension, group, edition.

    Example:
        >>> from metroon.guard.table import Finest, dimension, table
        >>> wards = dimension([["ward"]], [("A",)])
        >>> cell_names(table("calls", [wards], Finest([[("A",)]], count=[30])), "count")[-1]
        ('calls', 'count', 'all', 'all', 'all', 'ward', 'A', '1')
    """
    columns = made.columns
    names: list[Name] = []
    for codes in made.codes:
        told = [(c, v) for c, v in zip(columns, (v for code in codes for v in code), strict=True) if v != ALL]
        by, group = "*".join(c for c, _ in told) or ALL, "|".join(v for _, v in told) or ALL
        names.append((made.name, component, ALL, ALL, ALL, by, group, "1"))
    return names


def _with_rests(matrix: csr_array, found: Sequence[Rest], cells: int) -> csr_array:
    """The equations, and one for each rest: the category and the rest are the row."""
    wide = hstack([matrix, csr_array((matrix.shape[0], len(found)))])
    if not found:
        return csr_array(matrix)
    rows = np.repeat(np.arange(len(found)), 3)
    columns = [c for at, r in enumerate(found) for c in (r.part, cells + at, r.row)]
    signs = np.tile([1, 1, -1], len(found))
    own = csr_array((signs, (rows, columns)), shape=(len(found), cells + len(found)))
    return csr_array(vstack([wide, own], format="csr"))


def _ceiling_faults(value: Floats, above: Floats, ceiling: Floats) -> Iterator[Problem]:
    under = int((value > ceiling).sum())
    if under:
        what = f"{under:,} cells count more than readers are said to know as their upper limit."
        yield Problem("", 0, "G115", what, "Correct the limits; each is at least the count.")
    tight = int(((above > 0) & (value <= ceiling) & (value + above > ceiling)).sum())
    if tight:
        what = f"{tight:,} cells need more doubt than the upper limit that readers know leaves."
        yield Problem("", 0, "G115", what, "Join them with others into larger groups, or leave the cells out.")
