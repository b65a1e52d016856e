"""Primary rules: when a cell tells too much by itself, and what protects it.

Handbook: Hundepool et al., Handbook on Statistical Disclosure Control, section 4.2 (the text of Hundepool et al. 2012,
Statistical Disclosure Control, Wiley, chapter 4, is the same).
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.guard import Dominance, Finest, Rules, Table, dimension, rule_faults, table
from metroon.guard.primary import (
    cell_names,
    count_needs,
    count_system,
    is_dominated,
    is_estimable,
    rests,
    total_needs,
    total_system,
)

WARDS = [("A",), ("B",)]
ANSWERS = [("no",), ("yes",)]


def crossing(counts: list[float], **more: object) -> Table:
    dims = [dimension([["ward"]], WARDS), dimension([["ill"]], ANSWERS)]
    codes = [[w for w in WARDS for _ in ANSWERS], ANSWERS * 2]
    return table("people", dims, Finest(codes, count=counts, **more))


def dollars(rows: list[tuple[str, float]]) -> Table:
    """One ward, one row for each contribution."""
    codes = [[("A",)] * len(rows)]
    finest = Finest(codes, total=[n for _, n in rows], contributor=[w for w, _ in rows], are_cells=False)
    return table("dollars", [dimension([["ward"]], [("A",)])], finest)


@pytest.mark.parametrize(("count", "low", "high"), [(1, 0, 5), (2, 0, 5), (3, 1, 6), (10, 8, 13)])
def test_the_doubt_about_a_small_count_is_five_wide_also_near_zero(count: int, low: int, high: int) -> None:
    needs = count_needs(np.array([float(count)]), Rules())

    assert (low, high, 5) == (count - needs.below[0], count + needs.above[0], needs.width[0])


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30), st.integers(3, 20), st.integers(0, 10))
def test_a_higher_minimum_protects_all_that_a_lower_one_does(counts: list[int], minimum: int, more: int) -> None:
    count = np.array(counts, dtype=float)
    lower, higher = (count_needs(count, Rules(minimum=m)) for m in (minimum, minimum + more))

    assert (lower.unsafe <= higher.unsafe).all()
    assert (lower.since[lower.unsafe] == higher.since[lower.unsafe]).all()


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30))
def test_small_counts_and_no_others_are_unsafe(counts: list[int]) -> None:
    needs = count_needs(np.array(counts, dtype=float), Rules())

    assert [1 <= n <= 10 for n in counts] == needs.unsafe.tolist()


def test_many_events_of_few_people_are_small_too() -> None:
    needs = count_needs(np.array([30.0, 30.0]), Rules(), people=np.array([4, 11]))

    assert [True, False] == needs.unsafe.tolist()


def test_a_protected_zero_needs_an_absolute_width() -> None:
    needs = count_needs(np.array([0.0, 40.0]), Rules(zeros="sensitive"))

    assert ([0, 0], [5, 0], [5, 0]) == (needs.below.tolist(), needs.above.tolist(), needs.width.tolist())


def test_a_zero_that_everybody_knows_cannot_be_withheld() -> None:
    made = count_system(crossing([0, 40, 30, 30]), Rules(zeros="known"))

    assert [0.0] == made.value[made.fixed].tolist()


# Concentration rules, with the handbook's numbers


def test_example_1_is_safe_by_one_contributor_and_unsafe_by_p_percent() -> None:
    total, largest = np.array([100_000.0]), np.array([[50_000.0, 49_000.0]])

    assert not is_dominated(total, largest, Dominance(1, 90))[0]
    assert is_estimable(total, largest, 10)[0]
    assert 2.0 == 100 * (total[0] - largest[0, 1] - largest[0, 0]) / largest[0, 0]


def test_example_2_is_safe_by_p_percent_and_unsafe_by_the_two_largest() -> None:
    total, largest = np.array([110_000.0]), np.array([[52_000.0, 50_000.0]])

    assert not is_estimable(total, largest, 10)[0]
    assert is_dominated(total, largest, Dominance(2, 100 * 100 / 110))[0]
    assert 15.4 == round(100 * (total[0] - largest[0, 1] - largest[0, 0]) / largest[0, 0], 1)


@pytest.mark.parametrize(("k", "p"), [(80, 25.0), (95, 5.26)])
def test_what_two_largest_allow_the_p_percent_rule_of_the_handbook_allows(k: float, p: float) -> None:
    assert p == round(100 * (100 - k) / k, 2)


parts = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=12)


@given(parts, st.floats(1, 99))
def test_a_total_that_the_two_largest_do_not_dominate_keeps_the_p_percent_rule(gave: list[float], k: float) -> None:
    # Handbook, proof of A: (2, k) safe implies p % safe for p = 100 (100 - k) / k.
    total, largest = np.array([sum(gave)]), np.array([[*sorted(gave, reverse=True), 0.0, 0.0][:2]])
    p = 100 * (100 - k) / k * (1 - 1e-9)

    assert is_dominated(total, largest, Dominance(2, k))[0] or not is_estimable(total, largest, p)[0]


@given(parts, st.floats(1, 50), st.floats(51, 100))
def test_prior_posterior_is_p_percent_of_p_over_q(gave: list[float], p: float, q: float) -> None:
    # Handbook: the ratio alone decides, p* = 100 p / q.
    total, largest = np.array([sum(gave)]), np.array([[*sorted(gave, reverse=True), 0.0, 0.0][:2]])

    assert is_estimable(total, largest, 100 * p / q)[0] == is_estimable(total, largest, p, q)[0]


rules = st.one_of(
    st.builds(lambda n, k: Rules(dominance=(Dominance(n, k),)), st.sampled_from([1, 2]), st.floats(20, 95)),
    st.builds(lambda p: Rules(p_percent=p), st.floats(1, 60)),
)


@given(st.lists(st.floats(1, 1e4), min_size=3, max_size=9), rules)
def test_the_doubt_above_reaches_where_the_broken_rule_is_kept(gave: list[float], rule: Rules) -> None:
    total, largest = np.array([sum(gave)]), np.array([sorted(gave, reverse=True)[:2]])
    needs = total_needs(total, rule, largest=largest, contributors=np.array([len(gave)]))
    reached = (total + needs.above) * (1 + 1e-9)

    assert not needs.unsafe[0] or not any(is_dominated(reached, largest, d)[0] for d in rule.dominance)
    assert not needs.unsafe[0] or not (rule.p_percent and is_estimable(reached, largest, rule.p_percent)[0])


@given(parts)
def test_the_doubt_about_a_total_is_as_wide_as_it_must_be_at_the_least(gave: list[float]) -> None:
    total, largest = np.array([sum(gave)]), np.array([[*sorted(gave, reverse=True), 0.0, 0.0][:2]])
    made = Rules(contributors=99, minimum_width=500.0)
    needs = total_needs(total, made, largest=largest, contributors=np.array([len(gave)]))

    assert needs.below[0] <= total[0]
    assert needs.below[0] + needs.above[0] >= 500.0 * (1 - 1e-12)


def test_two_contributors_are_too_few_by_the_rule_of_three() -> None:
    system = total_system(dollars([("p", 5.0), ("q", 6.0), ("q", 9.0)]), Rules())

    assert [True, True] == system.needs.tolist()


def test_who_gives_to_two_parts_is_one_contributor_of_their_total() -> None:
    dims = [dimension([["ward"]], WARDS)]
    finest = Finest([[("A",), ("B",)]], total=[60.0, 50.0], contributor=["p", "p"], are_cells=False)
    made = table("dollars", dims, finest)

    assert made.largest is not None
    assert [110.0, 0.0] == made.largest[0].tolist()


# Group disclosure


def test_a_row_that_is_all_in_one_category_is_found_though_its_counts_are_large() -> None:
    found = rests(crossing([0, 400, 300, 200]), Rules(categories=frozenset({"ill"})))

    assert [0] == [r.count for r in found]


@pytest.mark.parametrize(("few", "is_found"), [(0, True), (2, True), (3, False)])
def test_all_but_fewer_than_three_is_as_telling(few: int, is_found: bool) -> None:
    found = rests(crossing([few, 400, 300, 200]), Rules(categories=frozenset({"ill"})))

    assert is_found == bool(found)


def test_a_column_that_tells_nothing_of_people_is_no_category() -> None:
    assert [] == rests(crossing([0, 400, 300, 200]), Rules())


def test_the_rest_of_such_a_row_must_be_able_to_be_three() -> None:
    made = count_system(crossing([1, 400, 300, 200]), Rules(categories=frozenset({"ill"})))
    rest = made.cells - 1

    assert (1, 2, False) == (made.value[rest], made.above[rest], bool(made.published[rest]))
    assert 0 == np.abs(made.matrix @ made.value).max()


# What cannot be


@pytest.mark.parametrize(
    "wrong",
    [
        Rules(minimum=2), Rules(dominance=(Dominance(3, 80),)), Rules(dominance=(Dominance(1, 100),)),
        Rules(p_percent=0), Rules(p_percent=20, prior_percent=10), Rules(contributors=0), Rules(doubt_percent=0),
        Rules(minimum_width=0),
    ],
)  # fmt: skip
def test_rules_that_protect_nothing_are_told(wrong: Rules) -> None:
    assert ["G115"] == [p.code for p in rule_faults(wrong)]


def test_doubt_that_an_upper_limit_does_not_leave_is_told() -> None:
    made = crossing([4, 40, 30, 30], ceiling=[5, 99, 99, 99])
    with pytest.raises(Refused) as refused:
        count_system(made, Rules())

    assert ["G115"] == [p.code for p in refused.value.problems]


def test_concentration_needs_to_know_who_gives_how_much() -> None:
    dims = [dimension([["ward"]], WARDS)]
    made = table("dollars", dims, Finest([WARDS], count=[20, 30], total=[60.0, 50.0]))
    with pytest.raises(Refused) as refused:
        total_system(made, Rules(p_percent=10))

    assert ["G115"] == [p.code for p in refused.value.problems]


def test_every_cell_has_a_name_of_its_own() -> None:
    names = cell_names(crossing([3, 4, 5, 6]), "count")

    assert len(names) == len(set(names))
