from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from metroon.guard.links import Series, Tie, groups, independent, linked


def series(table: int, values, *, parts="yes", published=None) -> Series:
    values = np.array(values)
    present = np.ones(len(values), dtype=bool)
    shown = present if published is None else np.array(published, dtype=bool)
    return Series(table, frozenset(parts.split()), values, present, shown)


def tied(ties: list[Tie]) -> list[list[int]]:
    return [tie.tables for tie in ties]


def test_equal_rows_of_numbers_are_tied():
    assert [[0, 1]] == tied(linked([series(0, [3, 20]), series(1, [3, 20], parts="yes no")]))


def test_rows_of_one_table_are_not_tied():
    assert [] == linked([series(0, [3, 20]), series(0, [3, 20], parts="yes no")])


def test_different_rows_are_not_tied():
    assert [] == linked([series(0, [3, 20]), series(1, [3, 21])])


def test_rows_of_zeros_are_not_tied():
    assert [] == linked([series(0, [0, 0]), series(1, [0, 0])])


def test_only_what_both_publish_is_compared():
    one = series(0, [3, 20], published=[1, 1])

    assert [[0, 1]] == tied(linked([one, series(1, [3, 99], published=[1, 0])]))
    assert [] == linked([one, series(1, [99, 99], published=[0, 0])])


def test_years_are_tied_to_all_years_together():
    years, together = [3, 20, 23], [3, 20, 23]

    assert [[0, 1]] == tied(linked([series(0, years, published=[1, 1, 0]), series(1, together, published=[0, 0, 1])]))


def test_a_tie_holds_in_hidden_cells_unless_they_contradict_it():
    one = series(0, [3, 20, 5], published=[1, 1, 0])

    assert [True, True, True] == Tie((one,), series(1, [3, 20, 5])).holds().tolist()
    assert [True, True, False] == Tie((one,), series(1, [3, 20, 6])).holds().tolist()


def test_two_that_add_up_to_a_third_are_tied_to_it():
    killed, severe, ksi = series(0, [1, 4]), series(1, [2, 6]), series(2, [3, 10])

    assert [[0, 1, 2]] == tied(linked([killed, severe, ksi]))


@given(st.permutations([0, 1, 2, 3]))
def test_tables_hang_together_through_others(order):
    row = {0: [3, 20], 1: [3, 20], 2: [3, 20], 3: [5, 5]}
    ties = linked([series(table, row[table]) for table in order])

    assert [[0, 1, 2], [3]] == groups(4, [tie.tables for tie in ties])


def test_what_follows_from_other_ties_is_left_out():
    assert [0, 1] == independent(np.array([[1, -1, 0], [0, 1, -1], [1, 0, -1]]))
