"""Links: which tables carry the same numbers, so that what one hides another would tell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One row of numbers that a table publishes, such as its trials.

    Args:
        table: Number of the table.
        parts: The components that are added up in it: ``{"yes", "no"}`` for trials.
        values: One count for each cell of all tables.
        present: Where the table has the cell.
        published: Where it publishes it.
    """

    table: int
    parts: frozenset[str]
    values: Ints
    present: Mask
    published: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Tie:
    """An equation between tables: in each cell the parts add up to the total.

    Args:
        parts: One series, when it is equal to the total, or two of different tables.
        total: A series of yet another table.
    """

    parts: tuple[Series, ...]
    total: Series

    @property
    def tables(self) -> list[int]:
        """Numbers of the tables that it ties."""
        return [series.table for series in (*self.parts, self.total)]

    def holds(self) -> Mask:
        """The cells in which a reader counts on it: those of all its tables, unless only shown ones agree."""
        everywhere = np.all([s.present for s in (*self.parts, self.total)], axis=0)
        shown = np.all([s.published for s in (*self.parts, self.total)], axis=0)
        is_true = sum((s.values for s in self.parts), start=-self.total.values) == 0
        return np.asarray(everywhere if is_true[everywhere].all() else shown)


def linked(series: Sequence[Series]) -> list[Tie]:
    """The equations between tables that can be read off their numbers.

    Two series of different tables are tied when they are equal wherever both are published (or, where that is
    nowhere, wherever one publishes what both have), and not all zero there; three of different tables, when two
    add up to the third.

    Args:
        series: The series of all tables.

    Returns:
        The ties, in the order of ``series``. Some may follow from others.

    Example:
        A count of crashes, and the trials of a share of the same crashes:

        >>> everywhere = np.array([True, True])
        >>> crashes = Series(0, frozenset({"yes"}), np.array([3, 20]), everywhere, everywhere)
        >>> trials = Series(1, frozenset({"yes", "no"}), np.array([3, 20]), everywhere, everywhere)
        >>> len(linked([crashes, trials]))
        1
    """
    telling = [s for s in series if (s.values[s.published] > 0).any()]
    ties = [Tie((one,), two) for one, two in combinations(telling, 2) if one.table != two.table and _is_same(one, two)]
    by_table = [[s for s in telling if s.table == table] for table in sorted({s.table for s in telling})]
    for whole, first, second in permutations(by_table, 3):
        if first[0].table < second[0].table:
            ties += _sums(whole, first, second)
    return ties


def groups(tables: int, tied: Iterable[Iterable[int]]) -> list[list[int]]:
    """Numbers of the tables that hang together, directly or through others.

    Args:
        tables: How many there are.
        tied: Numbers of tables that hang together.

    Example:
        >>> groups(4, [[1, 3]])
        [[0], [1, 3], [2]]
    """
    leader = list(range(tables))
    for one in tied:
        led = {leader[table] for table in one}
        leader = [min(led) if of in led else of for of in leader]
    return [[t for t in range(tables) if leader[t] == first] for first in sorted(set(leader))]


def independent(coefficients: Ints) -> list[int]:
    """The rows that do not follow from rows before them.

    Example:
        >>> independent(np.array([[1, -1, 0], [0, 1, -1], [1, 0, -1]]))
        [0, 1]
    """
    kept: list[int] = []
    for row in range(len(coefficients)):
        if np.linalg.matrix_rank(coefficients[[*kept, row]]) > len(kept):
            kept.append(row)
    return kept


def _is_same(one: Series, two: Series) -> bool:
    both = one.published & two.published
    if not both.any():
        # Years and all years together: what the one shows the other only adds up to.
        both = one.present & two.present & (one.published | two.published)
    values = one.values[both]
    return bool((values > 0).any()) and bool((values == two.values[both]).all())


def _sums(whole: Sequence[Series], first: Sequence[Series], second: Sequence[Series]) -> Iterator[Tie]:
    common = np.flatnonzero(whole[0].published & first[0].published & second[0].published)
    if not len(common):
        return
    for both in whole:
        total = both.values[common]
        largest = common[total.argmax()]  # one look at the largest number rules out nearly all
        for one in first:
            for two in second:
                if one.values[largest] + two.values[largest] == both.values[largest] and (
                    _add_up(one.values[common], two.values[common], total)
                ):
                    yield Tie((one, two), both)


def _add_up(one: Ints, two: Ints, total: Ints) -> bool:
    return bool(one.any()) and bool(two.any()) and bool((one + two == total).all())
