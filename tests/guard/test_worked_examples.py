"""The worked examples of three by three counts: what a reader can work out of each, exactly.

Rows, columns and the whole are published with their totals, as in Fischetti and Salazar (2000) and in the tables that
show why hiding the small numbers alone is nothing. The bounds follow by hand from the two by two block: with its row
and column sums known, one number moves all four.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from metroon.guard.audit import audit, intervals
from metroon.guard.certificate import verify
from metroon.guard.optimum import optimum
from metroon.guard.suppress import suppress
from metroon.guard.system import Proof, System, system

BLOCK = (0, 1, 4, 5)
"""Top left, in a table of four by four with its totals."""
FIRST = [[4, 20, 16], [12, 3, 25], [20, 30, 50]]
ZERO_COLUMN = [[4, 0, 16], [9, 0, 25], [20, 30, 50]]
ONE_SIDED = [[4, 0, 16], [0, 7, 25], [20, 30, 50]]
NARROW = [[1, 2, 40], [30, 25, 40], [20, 30, 50]]


def table(rows: list[list[int]]) -> System:
    """Counts of 1 to 10 must stay in doubt: min(a, 2) below, max(3, 5 - min(a, 2)) above, five wide."""
    inner = np.array(rows)
    full = np.vstack([inner, inner.sum(axis=0)])
    full = np.hstack([full, full.sum(axis=1, keepdims=True)])
    index = np.arange(16).reshape(4, 4)
    lines = np.zeros((8, 16), dtype=np.int64)
    for line, of in enumerate([*index, *index.T]):
        lines[line, of[:3]], lines[line, of[3]] = 1, -1
    value = full.ravel()
    is_small = (value >= 1) & (value <= 10)
    below = np.where(is_small, np.minimum(value, 2), 0).astype(float)
    above = np.where(is_small, np.maximum(3, 5 - below), 0)
    return system(csr_array(lines), value, below=below, above=above, width=np.where(is_small, 5.0, 0.0))


def only(*cells: int) -> np.ndarray:
    """These cells are withheld."""
    hidden = np.zeros(16, dtype=bool)
    hidden[list(cells)] = True
    return hidden


def placed(of: System, hidden: np.ndarray) -> dict[int, tuple[float, float]]:
    """Where a reader places each number that is withheld."""
    cells = np.flatnonzero(hidden)
    low, high = intervals(of, hidden, cells)
    return {int(of.value[c]): (round(a, 6), round(b, 6)) for c, a, b in zip(cells, low, high, strict=True)}


def attacked(of: System, hidden: np.ndarray) -> dict[int, tuple[float, float]]:
    """The same, by plain linear programs over the whole table, apart from the product."""
    bounds = [(0, None) if h else (v, v) for v, h in zip(of.value, hidden, strict=True)]
    lines, found = of.matrix.toarray(), {}
    for cell in np.flatnonzero(hidden):
        aim = np.zeros(16)
        aim[cell] = 1.0
        ends = [linprog(sign * aim, A_eq=lines, b_eq=np.zeros(8), bounds=bounds) for sign in (1, -1)]
        found[int(of.value[cell])] = (round(ends[0].fun, 6), round(-ends[1].fun, 6))
    return found


@pytest.mark.parametrize(
    ("rows", "hidden", "expected"),
    [
        (FIRST, (0, 5), {4: (4, 4), 3: (3, 3)}),
        (FIRST, BLOCK, {4: (1, 16), 3: (0, 15), 20: (8, 23), 12: (0, 15)}),
        (NARROW, BLOCK, {1: (0, 3), 2: (0, 3), 30: (28, 31), 25: (24, 27)}),
    ],
)
def test_a_reader_places_the_numbers_of_a_block(
    rows: list[list[int]], hidden: tuple[int, ...], expected: dict[int, tuple[float, float]]
) -> None:
    of = table(rows)

    assert expected == placed(of, only(*hidden))
    assert expected == attacked(of, only(*hidden))


@pytest.mark.parametrize(
    ("rows", "cell", "expected"),
    [(ZERO_COLUMN, 0, (4, 4)), (ZERO_COLUMN, 4, (9, 9)), (ONE_SIDED, 0, (0, 4)), (ONE_SIDED, 5, (3, 7))],
)
def test_zeros_beside_a_number_protect_it_on_one_side_or_on_none(
    rows: list[list[int]], cell: int, expected: tuple[float, float]
) -> None:
    of, hidden = table(rows), only(*BLOCK)
    low, high = intervals(of, hidden, np.array([cell]))

    assert expected == (round(float(low[0]), 6), round(float(high[0]), 6))
    assert expected == attacked(of, hidden)[int(of.value[cell])]


@pytest.mark.parametrize(
    ("rows", "hidden", "failing"),
    [
        (FIRST, (0, 5), [0, 5]),  # small numbers alone: nothing is protected
        (FIRST, BLOCK, []),
        (ZERO_COLUMN, BLOCK, [0, 4]),  # a zero column protects nothing
        (ONE_SIDED, BLOCK, [0, 5]),  # no number above 4 is possible
        (NARROW, BLOCK, [0, 1]),  # two for each line, and yet but three wide
    ],
)
def test_the_audit_tells_what_fails(rows: list[list[int]], hidden: tuple[int, ...], failing: list[int]) -> None:
    assert failing == audit(table(rows), only(*hidden)).failing.tolist()


@pytest.mark.parametrize("rows", [FIRST, ZERO_COLUMN, ONE_SIDED, NARROW])
def test_each_example_is_protected_and_proven(rows: list[list[int]]) -> None:
    of = table(rows)
    for found in (suppress(of), optimum(of)):
        assert [] == found.failing.tolist()
        assert [] == audit(of, found.hidden).failing.tolist()
        assert () == verify(Proof("crashes", of, found))


def test_who_is_alone_in_a_cell_and_knows_it_knows_the_other_three() -> None:
    of = table(NARROW)
    known = only(*BLOCK)
    known[0] = False  # the one person in it knows that it is 1

    assert {2: (2, 2), 30: (30, 30), 25: (25, 25)} == placed(of, known)
    assert {2: (2, 2), 30: (30, 30), 25: (25, 25)} == attacked(of, known)


def test_what_one_person_alone_knows_gives_nothing_away_where_insiders_are_reckoned_with() -> None:
    of = table(NARROW)
    found = suppress(of, insiders=True)
    known = found.hidden.copy()
    known[0] = False
    others = of.needs & (np.arange(16) != 0)
    rest = system(of.matrix, of.value, below=of.below * others, above=of.above * others, width=of.width * others)

    assert [] == found.failing.tolist()
    assert [] == audit(rest, known).failing.tolist()


def test_a_share_of_nothing_asks_for_nothing_so_a_zero_needs_a_width_of_its_own() -> None:
    # 10 % of 0 is 0: without a width the rule is met while 0 stands there by subtraction.
    amounts = np.array([0.0, 700.0, 700.0])
    lines, hidden = csr_array([[1, 1, -1]]), np.array([True, False, False])
    share = 0.1 * np.array([amounts[0], 0, 0])
    relative = system(lines, amounts, below=share, above=share, is_whole=False)
    absolute = system(lines, amounts, width=np.array([100.0, 0, 0]), is_whole=False)

    assert [] == audit(relative, hidden).failing.tolist()
    assert [0] == audit(absolute, hidden).failing.tolist()
    assert [] == audit(absolute, suppress(absolute).hidden).failing.tolist()


def test_that_no_number_follows_exactly_is_not_enough() -> None:
    of, hidden = table(NARROW), only(*BLOCK)
    low, high = intervals(of, hidden, np.flatnonzero(hidden))

    assert (low < high).all()  # elimination recovers none of the four
    assert [0, 1] == audit(of, hidden).failing.tolist()
