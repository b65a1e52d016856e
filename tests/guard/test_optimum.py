"""The optimum loses no more than any pattern that protects, as found by trying them all."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from chance import examples
from metroon.guard.certificate import verify
from metroon.guard.cover import Cover
from metroon.guard.optimum import optimum
from metroon.guard.suppress import suppress
from metroon.guard.system import Proof, System, system

if TYPE_CHECKING:
    from collections.abc import Sequence


def summed(leaves: np.ndarray, parents: Sequence[Sequence[Sequence[int]]]) -> tuple[np.ndarray, np.ndarray]:
    """All cells of a table with totals, and its equations.

    Each dimension has the finest codes first; then one total after the other, each the sum of codes before it.
    """
    full = leaves
    for axis, totals in enumerate(parents):
        for parts in totals:
            total = np.take(full, parts, axis=axis).sum(axis=axis, keepdims=True)
            full = np.concatenate([full, total], axis=axis)
    index = np.arange(full.size).reshape(full.shape)
    lines = []
    for axis, totals in enumerate(parents):
        finest = leaves.shape[axis]
        for at, parts in enumerate(totals):
            ones = np.moveaxis(np.take(index, parts, axis=axis), axis, -1).reshape(-1, len(parts))
            for total, of in zip(np.take(index, finest + at, axis=axis).ravel(), ones, strict=True):
                line = np.zeros(full.size, dtype=np.int64)
                line[of], line[total] = 1, -1
                lines.append(line)
    return full.ravel(), np.array(lines)


def counts(leaves: np.ndarray, parents: Sequence[Sequence[Sequence[int]]], *, weight: str = "one") -> System:
    """A table of counts in which 1 to 10 must stay in doubt, five numbers wide."""
    value, lines = summed(leaves, parents)
    is_small = (value >= 1) & (value <= 10)
    below = np.where(is_small, np.minimum(value, 2), 0).astype(float)
    above = np.where(is_small, np.maximum(3, 5 - below), 0)
    width = np.where(is_small, 5.0, 0.0)
    lost = np.ones(len(value)) if weight == "one" else 1 + np.log1p(value)
    return system(csr_array(lines), value, below=below, above=above, width=width, weight=lost)


def flat(*shape: int) -> list[list[list[int]]]:
    """Each dimension has one total."""
    return [[list(range(n))] for n in shape]


def protects(table: System, hidden: np.ndarray) -> bool:
    """Whether a reader's intervals reach far enough: plain linear programs, apart from the product."""
    lines = table.matrix.toarray()
    reach = np.where(table.shown(hidden), 0.0, np.inf)
    down = np.minimum(reach, table.value - table.floor)
    bounds = list(zip(-down, np.minimum(reach, table.ceiling - table.value), strict=True))
    for cell in np.flatnonzero(table.needs):
        aim = np.zeros(table.cells)
        aim[cell] = 1.0
        ends = [linprog(sign * aim, A_eq=lines, b_eq=np.zeros(len(lines)), bounds=bounds) for sign in (1.0, -1.0)]
        low, high = (np.inf if end.status == 3 else -end.fun for end in ends)
        if high < table.above[cell] - 1e-6 or low < table.below[cell] - 1e-6 or high + low < table.width[cell] - 1e-6:
            return False
    return True


def least_of_all(table: System) -> float:
    """What the best pattern loses, of all that there are."""
    needing = np.unique(table.bundle[table.needs])
    bundles = [b for b in np.unique(table.bundle) if b not in needing]
    best = np.inf
    for choice in product([False, True], repeat=len(bundles)):
        chosen = [b for b, is_in in zip(bundles, choice, strict=True) if is_in]
        hidden = np.isin(table.bundle, [*needing, *chosen]) & table.published & ~table.fixed
        if (lost := table.weight[hidden].sum()) < best - 1e-9 and protects(table, hidden):
            best = lost
    return float(best)


@examples(10, many=25)
@given(
    st.lists(st.sampled_from([0, 3, 7, 12, 20, 31]), min_size=4, max_size=4),
    st.sampled_from(["one", "log"]),
)
def test_no_pattern_of_a_small_table_loses_less(leaves: list[int], weight: str) -> None:
    table = counts(np.array(leaves).reshape(2, 2), flat(2, 2), weight=weight)
    assume(table.needs.any())
    found = optimum(table)
    best = least_of_all(table)

    assert np.isinf(best) == (len(found.failing) > 0)
    if not len(found.failing):
        assert found.is_optimal
        assert best == pytest.approx(table.weight[found.hidden].sum())
        assert best == pytest.approx(found.lower_bound)


@examples(4, many=10)
@given(st.lists(st.sampled_from([0, 4, 15, 22, 40]), min_size=6, max_size=6), st.integers(0, 3))
def test_no_pattern_loses_less_where_bundles_go_together_or_cells_are_fixed(leaves: list[int], tied: int) -> None:
    made = counts(np.array(leaves).reshape(3, 2), flat(3, 2), weight="log")
    bundle = np.arange(made.cells)
    bundle[tied + 1] = bundle[tied]
    table = system(
        made.matrix, made.value, below=made.below, above=made.above, width=made.width, weight=made.weight,
        bundle=bundle, fixed=~made.needs & (np.arange(made.cells) == 11),
    )  # fmt: skip
    assume(1 <= table.needs.sum() <= 4)
    found = optimum(table)
    best = least_of_all(table)

    assert np.isinf(best) == (len(found.failing) > 0)
    if not len(found.failing):
        assert found.is_optimal
        assert best == pytest.approx(table.weight[found.hidden].sum())


def drawn(seed: int, shape: tuple[int, ...], mean: float) -> np.ndarray:
    """Skewed counts: rows and columns of different size."""
    chance = np.random.default_rng(seed)
    size = np.full(shape, mean)
    for axis, n in enumerate(shape):
        share = chance.gamma(1.2, 1.0, n) + 0.1
        size = size * (share / share.mean()).reshape([-1 if axis == a else 1 for a in range(len(shape))])
    return np.asarray(chance.negative_binomial(1.8, 1 / (1 + size / 1.8)))


NESTED = [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11], [12, 13], [14, 15, 16, 17], [18, 19]]
"""Twelve codes in pairs, the pairs in two groups, the groups in a total."""


@pytest.mark.parametrize("weight", ["one", "log"])
@pytest.mark.parametrize(
    ("shape", "parents", "mean"),
    [((12, 12), flat(12, 12), 60.0), ((6, 5, 3), flat(6, 5, 3), 60.0), ((12, 6), [NESTED, *flat(6)], 60.0)],
)
def test_what_is_proven_loses_no_more_than_the_first_pattern_and_holds(
    shape: tuple[int, ...], parents: list[list[list[int]]], mean: float, weight: str
) -> None:
    table = counts(drawn(1, shape, mean), parents, weight=weight)
    first, found = suppress(table), optimum(table)

    assert found.is_optimal
    assert table.weight[found.hidden].sum() <= table.weight[first.hidden].sum()
    assert found.lower_bound == pytest.approx(table.weight[found.hidden].sum())
    assert () == verify(Proof("crashes", table, found))
    assert protects(table, found.hidden)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "shape", "parents", "mean"),
    [
        (1, (20, 20), flat(20, 20), 100.0),
        (2, (20, 20), flat(20, 20), 40.0),
        (1, (10, 10, 4), flat(10, 10, 4), 100.0),
        (2, (10, 10, 4), flat(10, 10, 4), 40.0),
        (3, (12, 4, 2), [NESTED, *flat(4, 2)], 60.0),
    ],
)
def test_tables_of_some_hundred_cells_are_proven(
    seed: int, shape: tuple[int, ...], parents: list[list[list[int]]], mean: float
) -> None:
    table = counts(drawn(seed, shape, mean), parents)
    found = optimum(table, seconds=60.0)

    assert found.is_optimal
    assert () == verify(Proof("crashes", table, found))


def test_when_time_runs_out_what_protects_is_returned_and_the_gap_is_told() -> None:
    table = counts(drawn(1, (6, 5, 3), 60.0), flat(6, 5, 3))
    full, short = optimum(table), optimum(table, seconds=0.0)

    assert len(short.failing) > 0 or () == verify(Proof("crashes", table, short))
    assert short.lower_bound <= full.lower_bound <= table.weight[full.hidden].sum()


def test_what_cannot_be_protected_fails() -> None:
    table = counts(np.array([[4, 30], [20, 0]]), flat(2, 2))
    fixed = system(
        table.matrix, table.value, below=table.below, above=table.above, width=table.width, fixed=~table.needs
    )
    found = optimum(fixed)

    assert np.flatnonzero(fixed.needs).tolist() == found.failing.tolist()
    assert not found.is_optimal


def test_what_is_withheld_already_stays_so() -> None:
    table = counts(np.array([[4, 20, 16], [12, 30, 25], [20, 33, 50]]), flat(3, 3))
    given = np.zeros(table.cells, dtype=bool)
    given[10] = True

    assert optimum(table, hidden=given).hidden[10]


def test_a_table_in_which_nothing_needs_doubt_loses_nothing() -> None:
    found = optimum(counts(np.array([[40, 20], [16, 12]]), flat(2, 2)))

    assert not found.hidden.any()
    assert found.is_optimal


def test_a_cover_tells_when_no_choice_is_possible() -> None:
    cover = Cover(np.ones(2))
    cover.add(np.array([0]), np.array([0.5]), 1.0)

    assert cover.relaxed() is None
    assert (None, np.inf) == cover.whole(np.ones(2, dtype=bool), seconds=60.0)
