"""What is withheld keeps every cell that needs it in doubt, and the proof shows it without a solver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array, identity, kron, vstack

from chance import examples
from metroon.guard.audit import audit
from metroon.guard.suppress import suppress
from metroon.guard.system import Suppression, System, system

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Dimension:
    lines: np.ndarray
    members: np.ndarray


def dimension(groups: Sequence[int]) -> Dimension:
    """Leaves in groups, each group with its total, and the total of all when there are several."""
    leaves, several = sum(groups), len(groups) > 1
    nodes = leaves + len(groups) + several
    ends = np.cumsum([0, *groups])
    lines, members = np.zeros((len(groups) + several, nodes)), np.zeros((nodes, leaves))
    members[:leaves] = np.eye(leaves)
    for at, (first, last) in enumerate(pairwise(ends.tolist())):
        lines[at, first:last], lines[at, leaves + at] = 1, -1
        members[leaves + at, first:last] = 1
    if several:
        lines[-1, leaves:-1], lines[-1, -1] = 1, -1
        members[-1] = 1
    return Dimension(lines, members)


def table(shape: Sequence[Sequence[int]], counts: Sequence[int], *, minimum: int = 11) -> System:
    """A table of counts with all totals, in which counts from 1 to one below the minimum need doubt."""
    parts = [dimension(groups) for groups in shape]
    lines = []
    for at in range(len(parts)):
        line = csr_array(np.ones((1, 1)))
        for other, part in enumerate(parts):
            line = kron(line, part.lines if at == other else identity(len(part.members)))
        lines.append(line)
    members = csr_array(np.ones((1, 1)))
    for part in parts:
        members = kron(members, part.members)
    value = members @ np.resize(np.array(counts, dtype=float), members.shape[1])
    return needing(
        system(csr_array(vstack(lines)), value, names=[("cell", f"{n:05}") for n in range(len(value))]), minimum
    )


def needing(made: System, minimum: int) -> System:
    small = (made.value > 0) & (made.value < minimum)
    below = np.where(small, np.minimum(made.value, 2), 0)
    return replace(
        made,
        below=below,
        above=np.where(small, np.maximum(3, 5 - below), 0),
        width=np.where(small, 5.0, 0.0),
        since=np.where(made.value < 11, made.value + 1, 0).astype(np.int64),
        weight=np.where((made.value > 0) & (made.value < 11), 0.01, 1.0) * (1 + np.log1p(made.value)),
    )


def tables(*, most: int = 60) -> st.SearchStrategy[System]:
    shapes = st.sampled_from([[[4]], [[2, 3]], [[3], [4]], [[2, 2], [3]], [[2], [2], [3]], [[2, 2], [2], [2]]])
    counts = st.lists(st.integers(0, most), min_size=24, max_size=24)
    return st.builds(table, shapes, counts)


def refute(made: System, found: Suppression) -> list[str]:
    """What is wrong with a proof, by plain arithmetic."""
    others = found.alternatives
    change = others.change.toarray()
    shown = made.published & ~found.hidden
    wrong = []
    if np.abs(made.matrix @ change.T).max(initial=0) > (0 if made.is_whole else 1e-6 * np.abs(made.value).max()):
        wrong.append("an equation is broken")
    if (change[:, shown] != 0).any():
        wrong.append("a shown cell changes")
    slack = 0 if made.is_whole else 1e-6 * np.maximum(1, np.abs(made.value))
    if (made.value + change < made.floor - slack).any() or (made.value + change > made.ceiling + slack).any():
        wrong.append("a cell goes too far")
    if made.is_whole and (change != np.rint(change)).any():
        wrong.append("a fraction")
    for cell in np.setdiff1d(np.flatnonzero(made.needs), found.failing).tolist():
        rises, falls = change[others.up[cell], cell], -change[others.down[cell], cell]
        near = 0 if made.is_whole else 1e-6 * max(1, abs(made.value[cell]))
        if others.up[cell] < 0 or rises < made.above[cell] - near:
            wrong.append(f"cell {cell} does not rise enough")
        if others.down[cell] < 0 or falls < made.below[cell] - near or rises + falls < made.width[cell] - near:
            wrong.append(f"cell {cell} does not fall enough")
    return wrong


@examples(30, many=100)
@given(tables())
def test_every_cell_that_needs_doubt_has_two_other_tables(made):
    found = suppress(made)

    assert ([], []) == (found.failing.tolist(), refute(made, found))


@examples(12, many=40)
@given(tables(most=25))
def test_no_attacker_places_a_small_count_within_its_interval(made):
    hidden = suppress(made).hidden
    bounds = [(0, None) if h else (v, v) for h, v in zip(hidden, made.value, strict=True)]
    lines = made.matrix.toarray()
    for cell in np.flatnonzero(made.needs):
        cost = np.eye(made.cells)[cell]
        low, high = (linprog(s * cost, A_eq=lines, b_eq=np.zeros(len(lines)), bounds=bounds) for s in (1, -1))
        most = np.inf if high.x is None else high.x[cell]

        assert low.x[cell] <= made.value[cell] - made.below[cell] + 1e-6
        assert most >= made.value[cell] + made.above[cell] - 1e-6


@examples(30, many=100)
@given(tables())
def test_protecting_again_changes_nothing(made):
    once = suppress(made)

    assert once.hidden.tolist() == suppress(made, hidden=once.hidden).hidden.tolist()


@examples(30, many=100)
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_cells_and_equations_does_not_matter(made, random):
    cells, rows = list(range(made.cells)), list(range(made.matrix.shape[0]))
    random.shuffle(cells)
    random.shuffle(rows)
    names = ("value", "published", "below", "above", "width", "since", "weight", "bundle", "fixed", "floor", "ceiling")
    moved = replace(
        made,
        **{name: getattr(made, name)[cells] for name in names},
        matrix=csr_array(made.matrix)[rows][:, cells],
        names=[made.names[at] for at in cells],
    )
    found = suppress(moved)

    assert suppress(made).hidden[cells].tolist() == found.hidden.tolist()
    assert [] == refute(moved, found)


@examples(30, many=100)
@given(tables(), st.integers(2, 10))
def test_what_a_lower_minimum_hides_a_higher_one_hides_too(made, minimum):
    lower, higher = suppress(needing(made, minimum)).hidden, suppress(made).hidden

    assert not (lower & ~higher).any()


@examples(30, many=100)
@given(tables(), st.lists(st.booleans(), min_size=75, max_size=75))
def test_a_cell_that_an_earlier_edition_has_shown_is_never_withheld(made, fixed):
    made = replace(made, fixed=np.resize(fixed, made.cells))
    found = suppress(made)

    assert not (found.hidden & made.fixed).any()
    assert [] == refute(made, found)
    assert set(audit(made, found.hidden).failing) <= set(found.failing)


@examples(30, many=100)
@given(tables(), st.lists(st.integers(0, 9), min_size=75, max_size=75))
def test_cells_of_a_bundle_are_withheld_together(made, bundle):
    made = replace(made, bundle=np.resize(bundle, made.cells).astype(np.int64))
    hidden = suppress(made).hidden

    assert all(len(set(hidden[made.bundle == b].tolist())) == 1 for b in np.unique(made.bundle))


@examples(30, many=100)
@given(tables(), st.lists(st.booleans(), min_size=75, max_size=75))
def test_cells_that_are_never_shown_are_protected_from_being_worked_out(made, published):
    made = replace(made, published=np.resize(published, made.cells))
    found = suppress(made)

    assert not (found.hidden & ~made.published).any()
    assert ([], []) == (found.failing.tolist(), refute(made, found))


def test_a_total_that_was_shown_with_all_but_one_part_tells_the_last():
    made = table([[3]], [4, 20, 30])
    made = replace(made, fixed=np.array([False, True, True, True]))
    found = suppress(made)

    assert [0] == found.failing.tolist()
    assert "nothing of this may be published" in found.told[1]


def test_a_limit_known_from_elsewhere_may_make_doubt_impossible():
    made = replace(table([[3]], [4, 20, 30]), ceiling=np.array([5, np.inf, np.inf, np.inf]))

    assert [0] == suppress(made).failing.tolist()


def test_when_time_is_over_nothing_is_taken_as_proven():
    made = table([[3, 3], [4], [3]], [3, 20, 16, 12, 5, 25, 20, 30, 50, 2])
    found = suppress(made, seconds=0)

    assert len(found.failing) > 0
    assert [] == refute(made, found)
    assert "time was over" in found.told[-1]


def test_what_was_withheld_before_stays_withheld():
    made = table([[3], [3]], [4, 20, 16, 12, 3, 25, 20, 30, 50])
    before = np.arange(made.cells) == made.cells - 1

    assert suppress(made, hidden=before).hidden[-1]


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(ValueError, match="another length"):
        suppress(table([[3]], [4, 20, 30]), hidden=np.zeros(2, dtype=bool))


def test_the_block_of_the_worked_example_is_enough():
    made = table([[3], [3]], [4, 20, 16, 12, 3, 25, 20, 30, 50])

    assert 2 == (suppress(made).hidden & ~made.needs).sum()


@examples(30, many=100)
@given(tables(most=12))
def test_the_one_person_in_a_cell_does_not_work_out_another(made):
    found = suppress(made, insiders=True)
    others = found.alternatives.change.toarray()
    asked = made.needs & (np.arange(made.cells) != np.array(found.failing)[:, None]).all(axis=0)
    for known in np.flatnonzero(made.needs & (made.value == 1)):
        left = others[others[:, known] == 0]
        rises, falls = left.max(axis=0, initial=0), -left.min(axis=0, initial=0)
        here = asked & (np.arange(made.cells) != known)

        assert (rises[here] >= made.above[here]).all()
        # The person is in the totals of the cell, so that these are 1 at the least.
        assert (falls[here] >= np.minimum(made.below, made.value - 1)[here]).all()
        assert ((rises + falls)[here] >= made.width[here]).all()
    assert [] == refute(made, found)


def test_the_insider_of_the_worked_example_cannot_tell_who_is_beside():
    made = table([[3], [3]], [1, 2, 40, 30, 25, 40, 20, 30, 50])
    found = suppress(made, insiders=True)
    others = found.alternatives.change.toarray()
    left = others[others[:, 0] == 0]

    assert [] == found.failing.tolist()
    assert (3, -2) == (left[:, 1].max(), left[:, 1].min())


@examples(30, many=100)
@given(st.lists(st.floats(1, 1e6), min_size=16, max_size=16), st.lists(st.booleans(), min_size=25, max_size=25))
def test_sums_of_money_stay_in_doubt_by_a_share_of_themselves(amounts, small):
    whole = table([[4], [4]], [0])
    members = np.kron(dimension([4]).members, dimension([4]).members)
    value = members @ np.array(amounts)
    need = np.where(np.resize(small, whole.cells), 0.15 * value, 0)
    made = system(
        whole.matrix,
        value,
        below=need,
        above=need,
        width=np.where(need > 0, np.maximum(2 * need, 1), 0),
        is_whole=False,
    )
    found = suppress(made)

    assert [] == refute(made, found)
    assert set(audit(made, found.hidden).failing) <= set(found.failing)
