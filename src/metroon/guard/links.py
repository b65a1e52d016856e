"""Links: which tables carry the same numbers, so that what one hides another would tell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One row of numbers that a table publishes, such as its trials.

    Args:
        table: Number of the table.
        parts: The components that are added up in it: ``{"yes", "no"}`` for trials.
        values: One count for each cell of all tables.
        published: Where the table publishes it.
    """

    table: int
    parts: frozenset[str]
    values: NDArray[np.int64]
    published: NDArray[np.bool_]


def linked(series: Sequence[Series]) -> list[tuple[Series, Series]]:
    """Pairs of series in different tables, of which one tells something of the other.

    Two are linked when they are equal wherever both are published, and not all zero there; and each of two
    is linked with a third of which they are the sum.

    Args:
        series: The series of all tables.

    Returns:
        The pairs, in the order of ``series``; each pair once.

    Example:
        A count of crashes, and the trials of a share of the same crashes:

        >>> everywhere = np.array([True, True])
        >>> crashes = Series(0, frozenset({"yes"}), np.array([3, 20]), everywhere)
        >>> trials = Series(1, frozenset({"yes", "no"}), np.array([3, 20]), everywhere)
        >>> len(linked([crashes, trials]))
        1
    """
    pairs = {}
    for one, two in combinations(series, 2):
        if one.table != two.table and _is_same(one, two):
            pairs[id(one), id(two)] = (one, two)
    telling = [s for s in series if (s.values[s.published] > 0).any()]
    by_table = [[s for s in telling if s.table == table] for table in sorted({s.table for s in telling})]
    for whole, first, second in permutations(by_table, 3):
        if first[0].table < second[0].table:
            for one, two, both in _sums(whole, first, second):
                pairs[id(one), id(both)] = (one, both)
                pairs[id(two), id(both)] = (two, both)
    return list(pairs.values())


def groups(tables: int, pairs: Iterable[tuple[Series, Series]]) -> list[list[int]]:
    """Numbers of the tables that hang together, directly or through others.

    Example:
        >>> groups(3, [])
        [[0], [1], [2]]
    """
    leader = list(range(tables))
    for one, two in pairs:
        first, second = sorted((leader[one.table], leader[two.table]))
        leader = [first if of == second else of for of in leader]
    return [[t for t in range(tables) if leader[t] == first] for first in sorted(set(leader))]


def _is_same(one: Series, two: Series) -> bool:
    both = one.published & two.published
    values = one.values[both]
    return bool((values > 0).any()) and bool((values == two.values[both]).all())


def _sums(
    whole: Sequence[Series], first: Sequence[Series], second: Sequence[Series]
) -> Iterable[tuple[Series, Series, Series]]:
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
                    yield one, two, both


def _add_up(one: NDArray[np.int64], two: NDArray[np.int64], total: NDArray[np.int64]) -> bool:
    return bool(one.any()) and bool(two.any()) and bool((one + two == total).all())
