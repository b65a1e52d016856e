"""Protected tables: nobody is found in what is shown, whoever reads it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from metroon.base.errors import Refused
from metroon.base.estimate import Cell, Tally
from metroon.guard import (
    CellTable,
    Dominance,
    Finest,
    Line,
    Rules,
    Sum,
    Table,
    coarser,
    dimension,
    hide,
    protect_table,
    table,
    withhold,
)
from metroon.guard.protected import ProtectedTable

AREAS = [("1", "Harbor"), ("1", "Mill"), ("2", "Hill"), ("2", "Dale")]
KINDS = [("a",), ("b",), ("c",)]
CODES = list(product(AREAS, KINDS))


def calls(counts: list[int], **more: object) -> Table:
    dims = [dimension([["district", "area"]], AREAS), dimension([["kind"]], KINDS)]
    return table("calls", dims, Finest([[a for a, _ in CODES], [k for _, k in CODES]], counts, **more))


def interval(found: ProtectedTable, values: np.ndarray, cell: int) -> tuple[float, float]:
    """What an attacker who reads the published rows and can add finds out: written apart, one pair of programs."""
    made = found.table
    places = {c: i for i, c in enumerate(made.codes)}
    rows, right = [], []
    for (district, area), (kind,) in made.codes:
        for parts in (
            [((d, "all"), (kind,)) for d in ("1", "2")] if (district, area) == ("all", "all") else [],
            [(a, (kind,)) for a in AREAS if a[0] == district] if district != "all" and area == "all" else [],
            [((district, area), k) for k in KINDS] if kind == "all" else [],
        ):
            if parts:
                row = np.zeros(made.cells)
                row[[places[p] for p in parts]] = 1
                row[places[(district, area), (kind,)]] = -1
                rows.append(row)
                right.append(0.0)
    shown = ~found.hidden
    bounds = [(v, v) if s else (0, None) for v, s in zip(values.tolist(), shown.tolist(), strict=True)]
    aim = np.zeros(made.cells)
    aim[cell] = 1
    low = linprog(aim, A_eq=np.array(rows), b_eq=right, bounds=bounds)
    high = linprog(-aim, A_eq=np.array(rows), b_eq=right, bounds=bounds)
    return low.fun, np.inf if high.status == 3 else -high.fun


counts = st.lists(st.sampled_from([0, 0, 1, 2, 4, 9, 12, 25, 60, 140]), min_size=12, max_size=12)


@settings(max_examples=30, deadline=None)
@given(counts)
def test_no_small_count_is_placed_closer_than_it_may_be(given_counts: list[int]) -> None:
    found = protect_table(calls(given_counts), Rules())
    values = found.table.count

    assert 0 == found.failing
    for cell in np.flatnonzero(found.primary).tolist():
        low, high = interval(found, values, cell)
        assert low <= values[cell] - min(values[cell], 2) + 1e-6
        assert high >= values[cell] + max(3, 5 - values[cell]) - 1e-6


@settings(max_examples=15, deadline=None)
@given(counts)
def test_a_table_that_is_protected_again_hides_the_same(given_counts: list[int]) -> None:
    assert (
        protect_table(calls(given_counts), Rules()).hidden == protect_table(calls(given_counts), Rules()).hidden
    ).all()


@settings(max_examples=15, deadline=None)
@given(counts)
def test_no_hidden_number_is_in_the_published_rows(given_counts: list[int]) -> None:
    found = protect_table(calls(given_counts), Rules())
    if not (found.telling & ~found.hidden).any():
        return
    rows = found.rows().to_pylist()

    assert int(found.hidden.sum()) == sum(r["state"] == "hidden" for r in rows)
    assert {None} >= {r["count"] for r in rows if r["state"] == "hidden"}
    assert sum(found.table.count[~found.hidden]) == sum(r["count"] for r in rows if r["state"] == "known")


def test_a_zero_column_protects_nothing_so_another_is_hidden() -> None:
    # Privacy reference, section 4, worked example 3, as a table of its own.
    dims = [dimension([["row"]], [(r,) for r in "123"]), dimension([["column"]], [(c,) for c in "123"])]
    codes = list(product("123", "123"))
    numbers = [4, 0, 16, 9, 0, 25, 20, 30, 50]
    made = table("t", dims, Finest([[(r,) for r, _ in codes], [(c,) for _, c in codes]], count=numbers))
    found = protect_table(made, Rules())

    assert 0 == found.failing
    assert not found.hidden[made.count == 0].any()


def test_a_zero_that_is_sensitive_is_hidden_and_kept_in_doubt() -> None:
    found = protect_table(calls([0, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140]), Rules(zeros="sensitive"))
    cell = found.table.codes.index((("1", "Harbor"), ("a",)))

    assert found.hidden[cell]
    assert interval(found, found.table.count, cell)[1] >= 5


def test_who_is_known_to_be_in_a_row_cannot_be_told_its_category() -> None:
    rules = Rules(categories=frozenset({"kind"}))
    found = protect_table(calls([40, 0, 0, 60, 70, 80, 90, 100, 110, 120, 130, 140]), rules)
    made = found.table
    zeros = [made.codes.index((("1", "Harbor"), (k,))) for k in "bc"]

    assert 0 == found.failing
    assert found.hidden[zeros].any()
    assert sum(interval(found, made.count, z)[1] for z in zeros) >= 3


def dollars(**rule: object) -> ProtectedTable:
    rows = [(a, k, f"p{i % 7}", 100.0 + 17 * i) for i, (a, k) in enumerate(CODES * 4)]
    rows.append((("1", "Mill"), ("b",), "giant", 60_000.0))
    dims = [dimension([["district", "area"]], AREAS), dimension([["kind"]], KINDS)]
    finest = Finest(
        [[r[0] for r in rows], [r[1] for r in rows]], total=[r[3] for r in rows], contributor=[r[2] for r in rows],
        are_cells=False,
    )  # fmt: skip
    return protect_table(table("dollars", dims, finest), Rules(**rule), shows_count=False)


def test_a_giant_cannot_be_estimated_from_any_total() -> None:
    found = dollars(p_percent=10.0)
    values = found.table.total
    assert values is not None
    assert found.table.largest is not None

    assert 0 == found.failing
    assert found.primary.any()
    for cell in np.flatnonzero(found.primary).tolist():
        low, high = interval(found, values, cell)
        assert high >= values[cell] * 1.1 * (1 - 1e-6)
        assert low <= values[cell] * 0.9 * (1 + 1e-6)


def test_a_table_of_totals_need_not_show_how_many_gave() -> None:
    found = dollars(dominance=(Dominance(1, 50),))
    left = (found.table.published & ~found.hidden).sum()

    assert found.hidden.any()
    assert left == sum(r["state"] == "known" for r in found.rows().to_pylist())
    assert "count" not in found.rows().column_names


def test_a_cell_that_hides_its_count_hides_its_total_too() -> None:
    numbers = [4, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140]
    found = protect_table(calls(numbers, total=[10.0 * n for n in numbers]), Rules())
    hidden = [r for r in found.rows().to_pylist() if r["state"] == "hidden"]

    assert hidden
    assert {(None, None)} == {(r["count"], r["total"]) for r in hidden}
    assert [0, 0] == [len(one.failing) for _, one in found.proofs]


def test_nothing_is_published_where_everything_is_small() -> None:
    made = table("t", [dimension([["kind"]], KINDS)], Finest([KINDS], count=[1, 1, 1]))
    with pytest.raises(Refused) as refused:
        protect_table(made, Rules()).rows()

    assert ["G116"] == [p.code for p in refused.value.problems]


def test_what_is_not_proven_is_not_published() -> None:
    made = table("t", [dimension([["kind"]], KINDS)], Finest([KINDS], count=[4, 0, 30]))
    found = protect_table(made, Rules(zeros="known"), seconds=0.0)
    with pytest.raises(Refused) as refused:
        found.rows()

    assert found.failing
    assert "G117" in [p.code for p in refused.value.problems]


def test_the_coarser_table_that_keeps_most_comes_first() -> None:
    found = protect_table(calls([4, 0, 5, 60, 2, 80, 90, 7, 110, 3, 130, 140]), Rules())
    told = coarser(found)

    assert "without area" == told[0].words
    assert sorted((c.kept for c in told), reverse=True) == [c.kept for c in told]


def test_an_exact_choice_loses_no_more_and_says_that_nothing_loses_less() -> None:
    made = calls([4, 0, 25, 60, 12, 80, 90, 7, 110, 33, 130, 140])
    quick, exact = (protect_table(made, Rules(), exact=e) for e in (False, True))
    weight = exact.proofs[0][0].weight

    assert exact.is_optimal
    assert 0 == exact.failing
    assert weight[exact.hidden].sum() <= weight[quick.hidden].sum() + 1e-9


def cells_of(numbers: dict[str, int], **more: object) -> CellTable:
    """One row of places with their total."""
    every = {Cell("2025", "ward", p): n for p, n in numbers.items()} | {Cell("2025"): sum(numbers.values())}
    tallies = {c: Tally(c, n, 0, 0) for c, n in every.items()}
    line = Line(Cell("2025"), tuple(c for c in every if c.place != "all"))
    return CellTable("stays", False, tallies, (line,), frozenset(), "person", **more)  # type: ignore[arg-type]  # as above


def test_a_cell_that_must_be_in_doubt_is_though_it_counts_nothing() -> None:
    empty = Cell("2025", "ward", "A")
    found = hide([cells_of({"A": 0, "B": 40, "C": 50}, doubtful=frozenset({empty}))])["stays"]

    assert empty in found.primary
    assert found.secondary


def test_a_cell_that_its_total_withholds_is_withheld() -> None:
    wide = Cell("2025", "ward", "B")
    found = hide([cells_of({"A": 4, "B": 40, "C": 30}, withheld=frozenset({wide}))])["stays"]

    assert wide in found.primary | found.secondary


def test_numbers_of_one_table_that_are_numbers_of_another_hide_each_other() -> None:
    # Who is in A or C is one number of another table, 54: less C, which is shown, it is A.
    table = cells_of({"A": 4, "B": 40, "C": 50})
    both = Cell("2025", dimension="side", group="east")
    other = CellTable("eastern", False, {both: Tally(both, 54, 0, 0)}, (), frozenset(), "person")
    parts = tuple(("stays", "yes", Cell("2025", "ward", p)) for p in "AC")
    apart = withhold([table, other]).hidings
    joined = withhold([table, other], sums=[Sum((("eastern", "yes", both),), parts)])

    assert frozenset({Cell("2025", "ward", "B")}) == apart["stays"].secondary
    assert not joined.failing
    assert joined.hidings["eastern"].secondary or Cell("2025", "ward", "C") in joined.hidings["stays"].secondary
