"""Tables with totals: cells, sums, and everything that is no table."""

from __future__ import annotations

from collections import defaultdict
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.base.estimate import ALL
from metroon.guard import Finest, Given, Table, check_totals, dimension, table, tree, unseen_totals
from metroon.guard.table import MOST_CELLS, Dimension

AREAS = [("1", "Harbor"), ("1", "Mill"), ("2", "Hill")]
KINDS = [("a",), ("b",)]


def areas() -> Dimension:
    return dimension([["district", "area"]], AREAS)


def kinds() -> Dimension:
    return dimension([["kind"]], KINDS)


def calls(counts: list[float], **more: object) -> Table:
    codes = list(product(AREAS, KINDS))
    return table("calls", [areas(), kinds()], Finest([[a for a, _ in codes], [k for _, k in codes]], counts, **more))


def value(made: Table, *codes: tuple[str, ...]) -> float:
    return float(made.count[made.codes.index(codes)])


def codes_of(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [p.code for p in refused.value.problems]


def test_a_total_is_the_sum_of_its_parts_in_every_dimension() -> None:
    made = calls([3, 20, 12, 33, 25, 41])

    assert [23, 68, 134] == [
        value(made, ("1", "Harbor"), (ALL,)), value(made, ("1", ALL), (ALL,)), value(made, (ALL, ALL), (ALL,)),
    ]  # fmt: skip


def test_a_parent_with_one_child_is_the_same_number() -> None:
    made = areas()
    single = [(made.codes[t], [made.codes[p] for p in parts]) for t, parts in made.lines if len(parts) == 1]

    assert [(("2", ALL), [("2", "Hill")])] == single


def test_one_name_below_two_parents_is_two_codes() -> None:
    made = dimension([["year", "quarter"]], [("2024", "Q1"), ("2025", "Q1")])

    assert 2 == sum(code[1] == "Q1" for code in made.codes)


def test_a_second_geography_is_another_hierarchy_over_common_parts_that_nobody_sees() -> None:
    made = dimension([["district"], ["zone"]], [("1", "x"), ("1", "y"), ("2", "y"), ("2", "z")])

    shown = {made.codes[at] for at in range(len(made.codes)) if at not in made.unseen}
    unseen = {made.codes[at] for at in made.unseen}
    total_lines = [sorted(made.codes[p] for p in parts) for t, parts in made.lines if t == 0]

    assert {(ALL, ALL), ("1", ALL), ("2", ALL), (ALL, "x"), (ALL, "y"), (ALL, "z")} == shown
    assert {("1", "y"), ("2", "y")} == unseen
    assert [[("1", ALL), ("2", ALL)], [(ALL, "x"), (ALL, "y"), (ALL, "z")]] == total_lines


def test_a_zone_that_is_part_of_one_district_only_needs_no_common_part() -> None:
    made = dimension([["district"], ["zone"]], [("1", "x"), ("1", "y"), ("2", "z")])
    lines = {made.codes[t]: {made.codes[p] for p in parts} for t, parts in made.lines if t != 0}

    assert frozenset() == made.unseen
    assert {("1", ALL): {(ALL, "x"), (ALL, "y")}, (ALL, "z"): {("2", ALL)}} == lines


def test_a_declared_tree_may_have_branches_of_any_length() -> None:
    ages = tree("age", {"child": ALL, "0-9": "child", "10-17": "child", "adult": ALL})
    made = table("people", [ages], Finest([[("0-9",), ("10-17",), ("adult",)]], count=[4, 5, 60]))

    assert [69, 9, 60] == [value(made, (c,)) for c in (ALL, "child", "adult")]


rows = st.lists(
    st.tuples(st.sampled_from(AREAS), st.sampled_from(["Q1", "Q2", "Q3"]), st.sampled_from("xyz"), st.integers(0, 50)),
    min_size=1,
    max_size=40,
)


def by_hand(found: list[tuple[tuple[str, str], str, str, int]]) -> dict[tuple[tuple[str, ...], ...], int]:
    """Every total, counted row by row."""
    counted: dict[tuple[tuple[str, ...], ...], int] = defaultdict(int)
    for (district, area), quarter, kind, n in found:
        places = ((ALL, ALL), (district, ALL), (district, area))
        for cell in product(places, ((ALL,), (quarter,)), ((ALL,), (kind,))):
            counted[cell] += n
    return counted


def made_of(found: list[tuple[tuple[str, str], str, str, int]]) -> Table:
    codes = [[r[0] for r in found], [(r[1],) for r in found], [(r[2],) for r in found]]
    dims = [dimension([n], c) for n, c in zip((["district", "area"], ["quarter"], ["kind"]), codes, strict=True)]
    return table("t", dims, Finest(codes, count=[r[3] for r in found], are_cells=False))


@given(rows)
def test_every_cell_is_what_counting_row_by_row_gives(found: list[tuple[tuple[str, str], str, str, int]]) -> None:
    made, hand = made_of(found), by_hand(found)

    assert [hand.get(c, 0) for c in made.codes] == made.count.tolist()


@given(rows)
def test_every_equation_holds(found: list[tuple[tuple[str, str], str, str, int]]) -> None:
    made = made_of(found)

    assert 0 == np.abs(made.matrix @ made.count).max()


@given(rows, st.randoms())
def test_the_order_of_rows_does_not_matter(found: list[tuple[tuple[str, str], str, str, int]], chance) -> None:  # type: ignore[no-untyped-def]  # Hypothesis gives it
    mixed = list(found)
    chance.shuffle(mixed)
    one, other = made_of(found), made_of(mixed)

    assert (one.codes, one.count.tolist()) == (other.codes, other.count.tolist())


crossed = st.lists(
    st.tuples(st.sampled_from("12"), st.sampled_from("xyz"), st.integers(1, 30)), min_size=1, max_size=20
)


@given(crossed)
def test_two_geographies_count_the_same_events(found: list[tuple[str, str, int]]) -> None:
    codes = [(d, z) for d, z, _ in found]
    made = table(
        "t", [dimension([["district"], ["zone"]], codes)], Finest([codes], [n for *_, n in found], are_cells=False)
    )

    for at, name in enumerate("12"):
        if (cell := ((name, ALL),)) in made.codes:
            assert sum(n for d, _, n in found if d == name) == value(made, *cell), at
    assert 0 == np.abs(made.matrix @ made.count).max()


contributions = st.lists(
    st.tuples(st.sampled_from(AREAS), st.sampled_from("ab"), st.sampled_from("pqrs"), st.integers(0, 9)),
    min_size=1, max_size=30,
)  # fmt: skip


@given(contributions)
def test_a_total_knows_its_own_contributors_and_not_those_of_its_parts(
    found: list[tuple[tuple[str, str], str, str, int]],
) -> None:
    codes = [[r[0] for r in found], [(r[1],) for r in found]]
    dims = [dimension([["district", "area"]], codes[0]), dimension([["kind"]], codes[1])]
    finest = Finest(codes, total=[r[3] for r in found], contributor=[r[2] for r in found], are_cells=False)
    made = table("t", dims, finest)
    assert made.contributors is not None
    assert made.people is not None
    assert made.largest is not None

    for at, ((district, area), (kind,)) in enumerate(made.codes):
        gave: dict[str, int] = defaultdict(int)
        behind = set()
        for (d, a), k, who, n in found:
            if district in (ALL, d) and area in (ALL, a) and kind in (ALL, k):
                gave[who] += n
                behind.add(who)
        largest = [*sorted(gave.values(), reverse=True), 0, 0][:2]

        assert (len(behind), sum(n > 0 for n in gave.values()), largest) == (
            made.people[at], made.contributors[at], made.largest[at].tolist(),
        )  # fmt: skip


@pytest.mark.parametrize("rows", [[("1", ""), ("2", "b")], [("", "a"), ("2", "b")], [("all", "a")], [("1", "all")], []])
def test_a_hole_in_a_hierarchy_is_told(rows: list[tuple[str, str]]) -> None:
    with pytest.raises(Refused) as refused:
        dimension([["district", "area"]], rows)

    assert {"G110"} == set(codes_of(refused))


@pytest.mark.parametrize(
    ("parents", "word"),
    [
        ({"a": "b"}, "not declared"),
        ({"a": "b", "b": "a"}, "circle"),
        ({"a": "all", "b": "c", "c": "b"}, "circle"),
        ({}, "no codes"),
        ({"all": "a", "a": "all"}, "total"),
    ],
)
def test_a_tree_that_is_none_is_told(parents: dict[str, str], word: str) -> None:
    with pytest.raises(Refused) as refused:
        tree("age", parents)

    assert {"G111"} == set(codes_of(refused))
    assert word in str(refused.value)


@pytest.mark.parametrize("bad", [-1, 2.5, float("nan"), float("inf"), "many", None])
def test_what_is_no_count_is_told_without_saying_it(bad: object) -> None:
    with pytest.raises(Refused) as refused:
        calls([1, 2, 3, 4, 5, bad])  # type: ignore[list-item]

    assert ["G113"] == codes_of(refused)
    assert "1 row" in str(refused.value)


def test_more_than_can_be_counted_exactly_is_told() -> None:
    with pytest.raises(Refused) as refused:
        calls([2**53, 2, 3, 4, 5, 1])

    assert ["G113"] == codes_of(refused)


@given(st.lists(st.integers(1, 40), min_size=12, max_size=12))
def test_a_part_that_is_the_sum_of_those_beside_it_is_found_and_others_are_not(counts: list[int]) -> None:
    wards = dimension([["ward"]], [(w,) for w in "NESW"])
    kinds = dimension([["kind"]], [(k,) for k in "abcd"])
    cells = [[(w,) for w in "NESW" for _ in "abcd"], [(k,) for _ in "NESW" for k in "abcd"]]
    rows = [counts[3 * n : 3 * n + 3] for n in range(4)]
    summed = table("t", [wards, kinds], Finest(cells, count=[n for r in rows for n in (*r, sum(r))]))
    apart = table("t", [wards, kinds], Finest(cells, count=[n for r in rows for n in (*r, sum(r) + 1)]))

    assert "G112" in [p.code for p in unseen_totals(summed)]
    assert not unseen_totals(apart)


def test_a_cell_that_stands_twice_is_told() -> None:
    with pytest.raises(Refused) as refused:
        table("t", [kinds()], Finest([[("a",), ("a",), ("b",)]], count=[1, 2, 3]))

    assert ["G114"] == codes_of(refused)


def test_a_row_on_a_code_that_has_parts_is_told() -> None:
    ages = tree("age", {"child": ALL, "0-9": "child", "10-17": "child"})
    with pytest.raises(Refused) as refused:
        table("t", [ages], Finest([[("child",), ("0-9",)]], count=[1, 2]))

    assert ["G110"] == codes_of(refused)


def test_a_table_that_nobody_could_read_is_refused() -> None:
    codes = [(str(n),) for n in range(int(MOST_CELLS**0.5) + 1)]
    wide = dimension([["a"]], codes), dimension([["b"]], codes)
    with pytest.raises(Refused) as refused:
        table("t", wide, Finest([codes, codes]))

    assert ["G118"] == codes_of(refused)


def test_all_faults_of_a_table_are_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        table("t", [kinds()], Finest([[("a",), ("c",)]], count=[-1, 2.5]))

    assert ["G110", "G113", "G113"] == codes_of(refused)


def totals(made: Table) -> list[Given]:
    return [Given(c, count=float(n)) for c, n in zip(made.codes, made.count.tolist(), strict=True) if ALL in sum(c, ())]


def test_totals_that_add_up_pass() -> None:
    made = calls([3, 20, 12, 33, 25, 41])

    assert [] == check_totals(made, totals(made))


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda found: [Given(found[0].codes, found[0].count + 1), *found[1:]], "1 totals are not the sum"),
        (lambda found: [Given(found[0].codes, float("nan")), *found[1:]], "1 totals are not the sum"),
        (lambda found: found[1:], "1 totals are missing"),
        (lambda found: [*found, found[0]], "1 totals are given twice"),
        (lambda found: [*found, Given((("3", ALL), (ALL,)), 0.0)], "1 totals are of a code"),
    ],
)
def test_totals_that_are_none_are_told(spoil, word: str) -> None:  # type: ignore[no-untyped-def]  # one of the above
    made = calls([3, 20, 12, 33, 25, 41])
    problems = check_totals(made, spoil(totals(made)))

    assert [("G112", True)] == [(p.code, word in p.what) for p in problems]


@settings(max_examples=25)
@given(rows)
def test_totals_of_any_table_are_those_that_it_would_be_given(
    found: list[tuple[tuple[str, str], str, str, int]],
) -> None:
    made = made_of(found)

    assert [] == check_totals(made, totals(made))
