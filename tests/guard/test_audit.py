"""The audit finds what a reader can work out, as the worked examples of the field have it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array, identity, kron, vstack

from chance import examples
from metroon.guard.audit import audit, intervals
from metroon.guard.system import System, system

LINE = csr_array([[1, 1, 1, -1]])
LINES = csr_array(vstack([kron(LINE, identity(4)), kron(identity(4), LINE)]))
"""Three rows and three columns with all totals: cell 4 * row + column, totals last."""
BLOCK = [0, 1, 4, 5]
LAST = [20, 30, 50]
PASSES = [[4, 20, 16], [12, 3, 25], LAST]
ZERO_COLUMN = [[4, 0, 16], [9, 0, 25], LAST]
ONE_SIDED = [[4, 0, 16], [0, 7, 25], LAST]
NARROW = [[1, 2, 40], [30, 25, 40], LAST]


def table(rows: list[list[int]]) -> System:
    inner = np.array(rows, dtype=float)
    withrows = np.vstack([inner, inner.sum(axis=0)])
    value = np.hstack([withrows, withrows.sum(axis=1, keepdims=True)]).ravel()
    small = (value > 0) & (value < 11)
    below = np.where(small, np.minimum(value, 2), 0)
    above = np.where(small, np.maximum(3, 5 - below), 0)
    return system(LINES, value, below=below, above=above, width=np.where(small, 5.0, 0.0))


def withheld(cells: list[int]) -> np.ndarray:
    return np.isin(np.arange(16), cells)


@pytest.mark.parametrize(
    ("rows", "cells", "bounds"),
    [
        (PASSES, [0, 5], [(4, 4), (3, 3)]),
        (PASSES, BLOCK, [(1, 16), (8, 23), (0, 15), (0, 15)]),
        (ZERO_COLUMN, BLOCK, [(4, 4), (0, 0), (9, 9), (0, 0)]),
        (ONE_SIDED, BLOCK, [(0, 4), (0, 4), (0, 4), (3, 7)]),
        (NARROW, BLOCK, [(0, 3), (0, 3), (28, 31), (24, 27)]),
    ],
)
def test_a_readers_intervals_are_those_of_the_worked_examples(rows, cells, bounds):
    least, most = intervals(table(rows), withheld(cells), np.array(cells))

    assert bounds == [(round(a, 6), round(b, 6)) for a, b in zip(least, most, strict=True)]


@pytest.mark.parametrize(
    ("rows", "cells", "failing"),
    [
        (PASSES, [0, 5], [0, 5]),
        (PASSES, BLOCK, []),
        (ZERO_COLUMN, BLOCK, [0, 4]),
        (ONE_SIDED, BLOCK, [0, 5]),
        (NARROW, BLOCK, [0, 1]),
    ],
)
def test_cells_that_are_placed_too_closely_fail(rows, cells, failing):
    assert failing == audit(table(rows), withheld(cells)).failing.tolist()


def test_a_cell_that_is_shown_fails_when_it_needs_doubt():
    assert [0, 5] == audit(table(PASSES), withheld([])).failing.tolist()


def test_an_interval_without_end_has_no_most():
    least, most = intervals(system(csr_array((0, 1)), [3]), np.array([True]), np.array([0]))

    assert (0, np.inf) == (least[0], most[0])


def test_what_a_reader_knows_from_elsewhere_makes_the_interval_narrower():
    full = system(
        csr_array([[1, 1, -1]]), [3, 20, 23], ceiling=np.array([5.0, 22, np.inf]), floor=np.array([2.0, 0, 0])
    )

    least, most = intervals(full, np.array([True, True, False]), np.array([0, 1]))

    assert ([2, 18], [5, 21]) == (least.tolist(), most.tolist())


@examples(30, many=100)
@given(
    st.lists(st.integers(0, 30), min_size=9, max_size=9),
    st.lists(st.booleans(), min_size=16, max_size=16),
)
def test_intervals_and_verdicts_are_those_of_another_solver(counts, hidden):
    made = table(np.array(counts).reshape(3, 3).tolist())
    hidden = np.array(hidden)
    cells = np.flatnonzero(hidden)
    least, most = intervals(made, hidden, cells)
    bounds = [(0, None) if h else (v, v) for h, v in zip(hidden, made.value, strict=True)]
    failing = set(np.flatnonzero(made.needs & ~hidden).tolist())
    for at, cell in enumerate(cells):
        cost = np.eye(16)[cell]
        low, high = (linprog(s * cost, A_eq=LINES.toarray(), b_eq=np.zeros(8), bounds=bounds).x for s in (1, -1))
        if high is not None:
            assert most[at] == pytest.approx(high[cell], abs=1e-6)
        assert least[at] == pytest.approx(low[cell], abs=1e-6)
        falls, rises = made.value[cell] - least[at], most[at] - made.value[cell]
        if made.needs[cell] and (
            falls < made.below[cell] - 1e-6 or rises < made.above[cell] - 1e-6 or falls + rises < 5 - 1e-6
        ):
            failing.add(int(cell))

    assert sorted(failing) == audit(made, hidden).failing.tolist()
