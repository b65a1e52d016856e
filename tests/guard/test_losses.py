"""Losses: what hiding takes from a table, and why each cell is hidden."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chance import examples
from metroon.base.estimate import Cell, Tally
from metroon.guard import CellTable, Hiding, hidden_share
from metroon.guard.losses import ALIKE, FEW, PEOPLE, SECOND, TIED, loss, reasons

NOTHING = Hiding(frozenset(), frozenset())


def table(*tallies: tuple[int, int, int, int | None], is_share: bool = False) -> CellTable:
    cells = [Cell("2025", "ward", f"w{i}") for i in range(len(tallies))]
    told = {c: Tally(c, y, n, u, least) for c, (y, n, u, least) in zip(cells, tallies, strict=True)}
    return CellTable("m", is_share, told, (), frozenset(), "person", 11)


counts = st.lists(st.integers(0, 60), min_size=1, max_size=12)


@examples(30, many=100)
@given(counts, st.randoms())
def test_hiding_more_never_keeps_more(numbers, random):
    made = table(*((n, 0, 0, None) for n in numbers))
    cells = list(made.tallies)
    few = frozenset(random.sample(cells, random.randint(0, len(cells))))
    more = few | frozenset(random.sample(cells, random.randint(0, len(cells))))
    less, least = loss(made, Hiding(few, frozenset())), loss(made, Hiding(more, frozenset()))

    assert (least.shown, least.events_share) <= (less.shown, less.events_share) or least.events_share == 1.0


@examples(30, many=100)
@given(counts, st.randoms())
def test_the_hidden_share_is_that_of_the_guard(numbers, random):
    made = table(*((n, 0, 0, None) for n in numbers))
    hiding = Hiding(frozenset(random.sample(list(made.tallies), random.randint(0, len(numbers)))), frozenset())

    assert hidden_share(made, hiding) == pytest.approx(loss(made, hiding).hidden_share)


@examples(30, many=100)
@given(counts)
def test_nothing_hidden_loses_nothing(numbers):
    told = loss(table(*((n, 0, 0, None) for n in numbers)), NOTHING)

    assert (told.cells, 1.0) == (told.shown, told.events_share)


def test_shares_are_small_in_their_failures_too():
    assert 4 == loss(table((40, 4, 0, None), is_share=True), NOTHING).smallest


@pytest.mark.parametrize(
    ("tally", "is_share", "why"),
    [
        ((4, 0, 0, None), False, FEW),
        ((40, 4, 0, None), True, FEW),
        ((40, 0, 0, None), True, ALIKE),
        ((0, 40, 0, None), True, ALIKE),
        ((40, 0, 0, 3), False, PEOPLE),
        ((40, 0, 3, None), False, FEW),
        ((40, 0, 0, None), False, TIED),
    ],
)
def test_each_hidden_cell_has_its_reason(tally, is_share, why):
    made = table(tally, is_share=is_share)

    assert ((why, 1),) == reasons(made, Hiding(frozenset(made.tallies), frozenset()))


def test_what_would_give_another_away_is_counted_by_itself():
    made = table((4, 0, 0, None), (20, 0, 0, None))
    small, large = made.tallies

    assert ((FEW, 1), (SECOND, 1)) == reasons(made, Hiding(frozenset({small}), frozenset({large})))
