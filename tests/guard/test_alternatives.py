from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array

from metroon.guard.alternatives import NEVER, WIDTH, Knot, above, below


def knot(lines, count, *, small=11, where=None, tier=None, is_whole=True) -> Knot:
    """Counts tied by ``lines``; those under ``small`` need protection."""
    count = np.array(count)
    return Knot(
        np.arange(len(count)) if where is None else np.array(where),
        csc_array(np.array(lines)),
        count=count,
        since=np.where((count > 0) & (count < small), count + 1, NEVER),
        tier=np.zeros(len(count), dtype=int) if tier is None else np.array(tier),
        cost=1 + np.log1p(count),
        is_whole=is_whole,
    )


def hidden(knot: Knot, unseen) -> list[bool]:
    return knot.protect(11, np.array(unseen, dtype=bool)).tolist()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1000))
def test_the_doubt_is_at_least_five_wide_and_never_below_nothing(count):
    count = np.array([count])

    assert WIDTH <= (above(count) + below(count))[0]
    assert 0 <= (count - below(count))[0]


def test_a_count_in_doubt_needs_no_more():
    # 3 + 9 + 20 = 32
    assert [True, True, False, False] == hidden(knot([[1, 1, 1, -1]], [3, 9, 20, 32]), [1, 1, 0, 0])


def test_doubt_must_reach_up_too():
    # The 1 may be 4 at most, if the three other ones are 0: it needs 5.
    assert [True] * 5 + [False] == hidden(knot([[1, 1, 1, 1, 1, -1]], [1, 1, 1, 1, 20, 24]), [1, 1, 1, 1, 0, 0])


def test_cells_of_a_dearer_tier_are_spared():
    # 3 + 500 = 503, where the total could be hidden at less loss than the 500 but for its tier.
    lines = [[1, 1, -1]]

    assert [True, True, False] == hidden(knot(lines, [3, 500, 503], tier=[0, 0, 1]), [1, 0, 0])
    assert [True, False, True] == hidden(knot(lines, [3, 500, 503], tier=[0, 1, 0]), [1, 0, 0])


def test_counts_of_one_cell_are_hidden_together():
    # Two tables over the cells 0, 1 and 2; the second one's counts are all large.
    lines = [[1, 1, -1, 0, 0, 0], [0, 0, 0, 1, 1, -1]]
    both = knot(lines, [3, 20, 23, 60, 70, 130], where=[0, 1, 2, 0, 1, 2], tier=[0, 0, 1, 0, 0, 1])

    assert [True, True, False] * 2 == hidden(both, [1, 0, 0, 1, 0, 0])


# w = x and w = y, so p = x + y moves by two at a time; q can give three; r = p + q.
TWO_STEPS = [[-1, 1, 0, 0, 0, 0], [-1, 0, 1, 0, 0, 0], [0, 1, 1, -1, 0, 0], [0, 0, 0, 1, 1, -1]]
HALVES = ([14, 14, 14, 28, 3, 31], [1, 1, 1, 1, 1, 0])


@pytest.mark.parametrize(("is_whole", "hides_total"), [(True, True), (False, False)])
def test_a_reader_who_knows_that_counts_are_whole_is_held_off(is_whole, hides_total):
    count, unseen = HALVES
    moved = Knot(
        np.arange(6),
        csc_array(np.array(TWO_STEPS)),
        count=np.array(count),
        since=np.array([NEVER, NEVER, NEVER, 1, NEVER, NEVER]),
        tier=np.zeros(6, dtype=int),
        cost=np.ones(6),
        is_whole=is_whole,
    )

    assert [*[True] * 5, hides_total] == hidden(moved, unseen)


def test_what_moves_by_a_fraction_is_hidden_too():
    # p is eight times w; when p moves by three, each of the eight moves by less than a half.
    eight = range(1, 9)
    lines = [[-1, *(int(i == at) for i in eight), 0, 0, 0] for at in eight]
    lines += [[0, *[1] * 8, -1, 0, 0], [0, *[0] * 8, 1, 1, -1]]
    moved = Knot(
        np.arange(12),
        csc_array(np.array(lines)),
        count=np.array([9, *[9] * 8, 72, 3, 75]),
        since=np.array([NEVER] * 9 + [1, NEVER, NEVER]),
        tier=np.zeros(12, dtype=int),
        cost=np.array([1.0] * 11 + [100.0]),
        is_whole=False,
    )

    assert [True] * 11 + [False] == hidden(moved, [1, *[0] * 8, 1, 1, 0])


def test_where_nothing_helps_all_is_hidden():
    # A zero that has to be in doubt, in a table where it cannot be anything else.
    stuck = Knot(
        np.arange(2),
        csc_array(np.array([[1, 0], [0, 1]])),
        count=np.array([0, 0]),
        since=np.array([0, NEVER]),
        tier=np.zeros(2, dtype=int),
        cost=np.ones(2),
    )

    assert [True, True] == hidden(stuck, [1, 0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=2, max_size=6))
def test_hiding_only_grows(counts):
    lines = [[1] * len(counts) + [-1]]
    of = knot(lines, [*counts, sum(counts)])
    small = [0 < n < 11 for n in (*counts, sum(counts))]
    first = hidden(of, small)

    assert all(after or not before for before, after in zip(small, first, strict=True))
    assert first == hidden(of, first)
