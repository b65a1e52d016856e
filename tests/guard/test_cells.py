from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import pytest
from attacker import Attacker, exposed, is_in_doubt, small_numbers
from hypothesis import given
from hypothesis import strategies as st

from chance import examples
from metroon.base.estimate import ALL, NOWHERE, OUTSIDE, UNKNOWN, Cell, Tally
from metroon.guard.cells import CellTable, Hiding, Line, hidden_share, hide

# Tables


def crossed(rows, *, measure="crashes", shares=None, unit="event_on_person", minimum=11) -> CellTable:
    """A table of counts (or of yes, no, unknown) by place and period, with all totals."""
    counts = {}
    for (i, row), j in product(enumerate(rows), range(len(rows[0]))):
        value = row[j] if isinstance(row[j], tuple) else (row[j], 0, 0)
        for place, period in product((f"P{i}", ALL), (str(2015 + j), ALL)):
            at = Cell(period, ALL if place == ALL else "wards", place)
            counts[at] = tuple(a + b for a, b in zip(counts.get(at, (0, 0, 0)), value, strict=True))
    return CellTable(
        measure,
        bool(shares),
        {cell: Tally(cell, *value) for cell, value in counts.items()},
        tuple(crossed_lines(len(rows), len(rows[0]))),
        frozenset(),
        unit,
        minimum,
    )


def ward(place: int | None, period: int | None) -> Cell:
    return Cell(
        ALL if period is None else str(2015 + period),
        ALL if place is None else "wards",
        ALL if place is None else f"P{place}",
    )


def crossed_lines(places: int, periods: int):
    for period in (None, *range(periods)):
        yield Line(ward(None, period), tuple(ward(place, period) for place in range(places)))
    for place in (None, *range(places)):
        yield Line(ward(place, None), tuple(ward(place, period) for period in range(periods)))


def flat(counts: dict[str, int], *, measure="crashes", minimum=11, total=True) -> CellTable:
    """A table of counts by place in one period, with the city's total."""
    tallies = {Cell("2015", "wards", p): n for p, n in counts.items()}
    lines = (Line(Cell("2015"), tuple(tallies)),) if total else ()
    everything = tallies | ({Cell("2015"): sum(counts.values())} if total else {})
    return CellTable(
        measure,
        False,
        {c: Tally(c, n, 0, 0) for c, n in everything.items()},
        lines,
        frozenset(),
        "event_on_person",
        minimum,
    )


def two_geographies(atoms: dict[tuple[str, str], tuple[int, int, int]], *, is_share=False) -> CellTable:
    """Wards and districts over the same atoms, which nobody publishes."""
    tallies, parts = {}, {}
    for (a, b), value in atoms.items():
        atom = Cell("2015", "atoms", f"{a}{b}")
        tallies[atom] = value
        for whole in (Cell("2015", "wards", a), Cell("2015", "districts", b)):
            parts.setdefault(whole, []).append(atom)
        parts.setdefault(Cell("2015"), []).append(atom)
    for whole, inside in parts.items():
        tallies[whole] = tuple(sum(tallies[atom][k] for atom in inside) for k in range(3))
    lines = [Line(whole, tuple(inside)) for whole, inside in parts.items() if whole != Cell("2015")]
    for geography in ("wards", "districts"):
        lines.append(Line(Cell("2015"), tuple(c for c in parts if c.geography == geography)))
    return CellTable(
        "crashes",
        is_share,
        {c: Tally(c, *v) for c, v in tallies.items()},
        tuple(lines),
        frozenset(c for c in tallies if c.geography == "atoms"),
        "event_on_person",
    )


def cube(counts: list[list[list[int]]], *, minimum=11) -> CellTable:
    """A table of counts by place, period and group, with all totals."""
    sizes = (len(counts), len(counts[0]), len(counts[0][0]))

    def cell(i, j, k) -> Cell:
        place = (ALL, ALL) if i is None else ("wards", f"P{i}")
        group = (ALL, ALL) if k is None else ("race", f"G{k}")
        return Cell(ALL if j is None else str(2015 + j), *place, *group)

    def count(i, j, k) -> int:
        spans = [range(n) if at is None else [at] for at, n in zip((i, j, k), sizes, strict=True)]
        return sum(counts[a][b][c] for a, b, c in product(*spans))

    everywhere = list(product(*((None, *range(n)) for n in sizes)))
    lines = [
        Line(cell(*at), tuple(cell(*at[:axis], n, *at[axis + 1 :]) for n in range(sizes[axis])))
        for axis in range(3)
        for at in everywhere
        if at[axis] is None
    ]
    tallies = {cell(*at): Tally(cell(*at), count(*at), 0, 0) for at in everywhere}
    return CellTable("crashes", False, tallies, tuple(lines), frozenset(), "event_on_person", minimum)


def all_hidden(hiding: Hiding) -> frozenset[Cell]:
    return hiding.primary | hiding.secondary


def attack(*tables: CellTable, whole: bool = False) -> Attacker:
    """An attacker who reads all tables as they are released together."""
    hidings = hide(tables)
    attacker = Attacker(knows_that_counts_are_whole=whole)
    for table in tables:
        attacker.reads(table, hidings[table.measure])
    return attacker


counts = st.one_of(st.just(0), st.integers(0, 12), st.integers(0, 60))
outcomes = st.tuples(counts, counts, st.one_of(st.just(0), counts))


def grids(values, rows=(2, 4), columns=(2, 4)):
    return st.integers(*columns).flatmap(
        lambda n: st.lists(st.lists(values, min_size=n, max_size=n), min_size=rows[0], max_size=rows[1])
    )


# Worked examples (privacy reference, section 4): what the attacker finds in given patterns

BLOCK = frozenset(product((0, 1), (0, 1)))
WORKED = [
    # rows, hidden, (place, period) -> the attacker's bounds
    ([[4, 20, 16], [12, 3, 25], [20, 30, 50]], {(0, 0), (1, 1)}, {(0, 0): (4, 4), (1, 1): (3, 3)}),
    (
        [[4, 20, 16], [12, 3, 25], [20, 30, 50]],
        BLOCK,
        {(0, 0): (1, 16), (1, 1): (0, 15), (0, 1): (8, 23), (1, 0): (0, 15)},
    ),
    ([[4, 0, 16], [9, 0, 25], [20, 30, 50]], BLOCK, {(0, 0): (4, 4), (1, 0): (9, 9)}),
    ([[4, 0, 16], [0, 7, 25], [20, 30, 50]], BLOCK, {(0, 0): (0, 4), (1, 1): (3, 7)}),
    ([[1, 2, 40], [30, 25, 40], [20, 30, 50]], BLOCK, {(0, 0): (0, 3), (0, 1): (0, 3)}),
]


@pytest.mark.parametrize(("rows", "hidden", "bounds"), WORKED)
def test_the_attacker_finds_the_bounds_of_the_worked_examples(rows, hidden, bounds):
    attacker = Attacker()
    attacker.reads(crossed(rows), Hiding(frozenset(ward(*at) for at in hidden), frozenset()))

    found = {at: attacker.interval(("crashes", "yes", ward(*at))) for at in bounds}

    assert {at: pytest.approx(bound) for at, bound in bounds.items()} == found


@pytest.mark.parametrize("rows", [rows for rows, _, _ in WORKED])
def test_the_worked_examples_are_protected(rows):
    table = crossed(rows)

    assert [] == exposed(attack(table), table)


def test_the_passing_block_of_the_worked_example_is_what_we_hide():
    table = crossed([[4, 20, 16], [12, 3, 25], [20, 30, 50]])
    found = hide([table])["crashes"]

    assert {ward(0, 0), ward(1, 1)} == found.primary
    assert {ward(0, 1), ward(1, 0)} == found.secondary


def test_a_zero_is_not_hidden_where_a_count_does_better():
    table = crossed([[4, 0, 16], [9, 0, 25], [20, 30, 50]])
    found = hide([table])["crashes"]

    assert {16, 25} <= {table.tallies[cell].yes for cell in found.secondary}
    assert 0 not in {table.tallies[cell].yes for cell in found.secondary}


def test_a_zero_is_not_hidden_though_it_is_the_smallest():
    # The 12 and the 0 would let the 4 rise, but not fall.
    found = hide([table := crossed([[4, 20], [12, 0], [13, 25]])])["crashes"]

    assert [13, 20, 25] == sorted(table.tallies[cell].yes for cell in found.secondary)


def test_two_hidden_cells_a_line_are_not_enough_when_both_are_tiny():
    table = crossed([[1, 2, 40], [30, 25, 40], [20, 30, 50]])

    # The 1 and the 2 can only swap among themselves, 3 wide: their row has to give a third cell.
    assert {ward(0, 0), ward(0, 1), ward(0, 2)} <= all_hidden(hide([table])["crashes"])


# Which cells are small themselves


def primary_of(tally: Tally, **changes) -> bool:
    table = CellTable("m", False, {tally.cell: tally}, (), frozenset(), "person")
    return tally.cell in hide([replace(table, **changes)])["m"].primary


@pytest.mark.parametrize(
    ("yes", "no", "unknown", "is_share", "is_hidden"),
    [
        (0, 0, 0, False, False),  # no event is no person
        (1, 0, 0, False, True),
        (10, 0, 0, False, True),
        (11, 0, 0, False, False),
        (50, 0, 1, False, True),  # the unknowns are people too
        (50, 0, 11, False, False),
        (0, 0, 0, True, False),
        (20, 30, 0, True, False),
        (20, 3, 0, True, True),
        (3, 20, 0, True, True),
        (20, 0, 0, True, True),  # all of the group have the outcome
        (0, 20, 0, True, True),
        (20, 20, 5, True, True),
        (0, 0, 20, True, False),
    ],
)
def test_a_cell_is_small_by_any_of_its_components(yes, no, unknown, is_share, is_hidden):
    assert is_hidden == primary_of(Tally(Cell(), yes, no, unknown), is_share=is_share)


def test_eleven_stays_of_one_person_are_one_person():
    assert primary_of(Tally(Cell(), 11, 0, 0, least_people=1))
    assert not primary_of(Tally(Cell(), 11, 0, 0, least_people=11))


def test_potholes_are_not_hidden():
    assert not primary_of(Tally(Cell(), 1, 0, 0, least_people=1), unit="none")


@pytest.mark.parametrize("place", [OUTSIDE, NOWHERE])
def test_events_without_a_place_are_protected_like_a_place(place):
    table = flat({place: 3, "A": 40, "B": 50})
    found = hide([table])["crashes"]

    assert {Cell("2015", "wards", place)} == found.primary
    assert {Cell("2015", "wards", "A")} == found.secondary


def test_an_unknown_group_is_protected_like_a_group():
    groups = {g: Cell("2015", ALL, ALL, "race", g) for g in ("a", "b", UNKNOWN)}
    counts = {groups["a"]: 40, groups["b"]: 50, groups[UNKNOWN]: 3, Cell("2015"): 93}
    tallies = {c: Tally(c, n, 0, 0) for c, n in counts.items()}
    line = Line(Cell("2015"), tuple(groups.values()))
    found = hide([CellTable("m", False, tallies, (line,), frozenset(), "person")])["m"]

    assert {groups[UNKNOWN]} == found.primary
    assert {groups["a"]} == found.secondary


# Which cells go with them


def test_the_smallest_sibling_is_hidden():
    table = flat({"A": 3, "B": 60, "C": 20, "D": 40})

    assert {Cell("2015", "wards", "C")} == hide([table])["crashes"].secondary


def test_nothing_more_is_hidden_where_small_cells_hide_each_other():
    table = flat({"A": 3, "B": 9, "C": 20, "D": 40})

    assert frozenset() == hide([table])["crashes"].secondary


def test_a_total_goes_only_when_no_part_can():
    table = flat({"A": 3, "B": 0, "C": 0})

    assert Cell("2015") in hide([table])["crashes"].primary
    assert frozenset() == hide([flat({"A": 3, "B": 0, "C": 0}, total=False)])["crashes"].secondary


def test_a_city_total_is_hidden_last():
    # A suburb and the city make the region: the region goes, though it is their total.
    suburb, region = Cell("2015", "suburbs", "A"), Cell("2015", "regions", "R")
    counts = {suburb: 3, Cell("2015"): 500, region: 503}
    tallies = {c: Tally(c, n, 0, 0) for c, n in counts.items()}
    line = Line(region, (suburb, Cell("2015")))
    found = hide([CellTable("m", False, tallies, (line,), frozenset(), "person")])["m"]

    assert {region} == found.secondary


def test_a_cell_that_stands_alone_is_hidden_alone():
    table = flat({"A": 3, "B": 40}, total=False)

    assert Hiding(frozenset({Cell("2015", "wards", "A")}), frozenset()) == hide([table])["crashes"]


def test_periods_without_small_cells_stay_whole():
    early, late = flat({"A": 3, "B": 20, "C": 40}), flat({"A": 30, "B": 20, "C": 40})
    moved = {replace(c, period="2016"): replace(t, cell=replace(c, period="2016")) for c, t in late.tallies.items()}
    line = Line(Cell("2016"), tuple(c for c in moved if c.place != ALL))
    table = replace(early, tallies={**early.tallies, **moved}, lines=(*early.lines, line))

    assert {"2015"} == {cell.period for cell in all_hidden(hide([table])["crashes"])}


def test_what_two_geographies_leave_between_them_is_protected():
    # Ward A lies in district 1 but for a sliver with 3 crashes; A, B, 1 and 2 are all large.
    table = two_geographies({("A", "1"): (40, 0, 0), ("A", "2"): (3, 0, 0), ("B", "2"): (60, 0, 0)})

    assert 0 < len(hide([table])["crashes"].secondary)
    assert [] == exposed(attack(table), table)


def test_a_table_that_nothing_protects_is_hidden_whole():
    # One crash in the city, and it says where: no number of it can be told.
    table = crossed([[1, 0], [0, 0]])
    found = hide([table])["crashes"]

    assert {ward(None, None), ward(0, None), ward(None, 0), ward(0, 0)} <= all_hidden(found)
    assert [] == exposed(attack(table), table)


# Properties of the result


@examples(21, many=60)
@given(grids(counts))
def test_no_attacker_finds_a_small_count(rows):
    table = crossed(rows)

    assert [] == exposed(attack(table), table)


@examples(14, many=40)
@given(grids(outcomes, rows=(2, 3), columns=(2, 3)))
def test_no_attacker_finds_a_small_part_of_a_share(rows):
    table = crossed(rows, shares=True)

    assert [] == exposed(attack(table), table)


atoms = st.dictionaries(st.tuples(st.sampled_from("ABC"), st.sampled_from("123")), outcomes, min_size=2, max_size=7)


@examples(14, many=40)
@given(atoms, st.booleans())
def test_no_attacker_finds_a_small_count_between_two_geographies(atoms, is_share):
    table = two_geographies(atoms, is_share=is_share)

    assert [] == exposed(attack(table), table)


@examples(9, many=25)
@given(st.lists(grids(counts, rows=(2, 2), columns=(3, 3)), min_size=2, max_size=3))
def test_no_attacker_who_knows_that_counts_are_whole_finds_one_in_three_dimensions(counts):
    table = cube(counts)

    assert [] == exposed(attack(table, whole=True), table)


@examples(9, many=25)
@given(grids(counts), st.integers(1, 30), st.lists(st.integers(1, 12), min_size=25, max_size=25))
def test_no_attacker_finds_few_people_behind_many_events(rows, minimum, people):
    table = crossed(rows, minimum=minimum)
    tallies = {
        cell: replace(tally, least_people=min(n, tally.yes))
        for (cell, tally), n in zip(table.tallies.items(), people, strict=False)
    }
    table = replace(table, tallies=tallies)

    assert [] == exposed(attack(table), table)


@examples(21, many=60)
@given(grids(counts))
def test_every_small_cell_is_hidden_as_such(rows):
    table = crossed(rows)

    assert {cell for _, _, cell in small_numbers(table)} == hide([table])["crashes"].primary


# Properties of the choice


def shuffled(table: CellTable, chance: random.Random) -> CellTable:
    def mixed(things):
        return chance.sample(list(things), len(list(things)))

    lines = tuple(Line(line.total, tuple(mixed(line.parts))) for line in mixed(table.lines))
    return replace(table, tallies=dict(mixed(table.tallies.items())), lines=lines)


@examples(14, many=40)
@given(grids(outcomes), st.booleans(), st.randoms(use_true_random=False))
def test_order_does_not_matter(rows, is_share, chance):
    tables = [crossed(rows, measure=m, shares=is_share) for m in ("a", "b")]
    mixed = [shuffled(table, chance) for table in reversed(tables)]

    assert hide(tables) == hide(mixed)


@examples(21, many=60)
@given(grids(outcomes), st.booleans(), st.integers(0, 25), st.integers(0, 25))
def test_stronger_protection_never_reveals_more(rows, is_share, one, other):
    weak, strong = (
        all_hidden(hide([crossed(rows, shares=is_share, minimum=m)])["crashes"]) for m in sorted((one, other))
    )

    assert weak <= strong


@examples(21, many=60)
@given(grids(outcomes), st.booleans())
def test_what_is_hidden_is_of_the_table_and_of_one_kind(rows, is_share):
    table = crossed(rows, shares=is_share)
    found = hide([table])["crashes"]

    assert all_hidden(found) <= table.tallies.keys()
    assert not found.primary & found.secondary


# Linked tables


def share_and_its_count(rows) -> tuple[CellTable, CellTable]:
    share = crossed(rows, measure="share", shares=True)
    count = crossed([[(yes + no, 0, 0) for yes, no, _ in row] for row in rows], measure="count")
    return share, count


def test_a_count_does_not_show_the_trials_that_a_share_hides():
    share, count = share_and_its_count([[(3, 40, 0), (20, 30, 0)], [(20, 30, 0), (40, 60, 0)]])
    alone, together = hide([count])["count"], hide([share, count])

    assert frozenset() == all_hidden(alone)
    assert all_hidden(together["share"]) == all_hidden(together["count"])


def test_a_hidden_cell_of_a_linked_table_is_secondary_unless_small_itself():
    share, count = share_and_its_count([[(3, 40, 0), (20, 30, 0)], [(20, 30, 0), (40, 60, 0)]])
    found = hide([share, count])

    assert ward(0, 0) in found["share"].primary
    assert ward(0, 0) in found["count"].secondary


def test_even_a_table_of_things_does_not_tell_of_people():
    share, count = share_and_its_count([[(3, 40, 0), (20, 30, 0)], [(20, 30, 0), (40, 60, 0)]])
    found = hide([share, replace(count, unit="none")])

    assert all_hidden(found["share"]) == found["count"].secondary


def test_tables_that_share_no_number_are_protected_apart():
    one, other = flat({"A": 3, "B": 20, "C": 41}), flat({"A": 30, "B": 21, "C": 40}, measure="falls")

    assert {"crashes": hide([one])["crashes"], "falls": hide([other])["falls"]} == hide([one, other])


def ties(share: CellTable, count: CellTable):
    for cell in count.tallies:
        yield [("share", "yes", cell), ("share", "no", cell)], ("count", "yes", cell)


@examples(14, many=40)
@given(grids(outcomes, rows=(2, 3), columns=(2, 3)))
def test_a_share_and_its_trials_are_safe_together(rows):
    share, count = share_and_its_count(rows)
    attacker = attack(share, count)
    for parts, total in ties(share, count):
        attacker.learns(parts, total)

    assert [] == exposed(attacker, share) + exposed(attacker, count)


@examples(14, many=40)
@given(grids(st.tuples(counts, counts, counts), rows=(2, 3), columns=(2, 3)))
def test_two_shares_of_the_same_trials_are_safe_together(rows):
    # Of the same crashes: how many were severe, how many drivers fled.
    severe = crossed([[(a, b + c, 0) for a, b, c in row] for row in rows], measure="severe", shares=True)
    fled = crossed([[(c, a + b, 0) for a, b, c in row] for row in rows], measure="fled", shares=True)
    attacker = attack(severe, fled)
    for cell in severe.tallies:
        trials = ("trials", "all", cell)
        attacker.learns([("severe", "yes", cell), ("severe", "no", cell)], trials)
        attacker.learns([("fled", "yes", cell), ("fled", "no", cell)], trials)

    assert [] == exposed(attacker, severe) + exposed(attacker, fled)


@examples(14, many=40)
@given(grids(outcomes, rows=(2, 3), columns=(2, 3)), st.data())
def test_a_share_is_safe_beside_a_finer_count_of_its_trials(rows, data):
    # The count also tells each place by group, which the share does not.
    share, count = share_and_its_count(rows)
    tallies, lines = dict(count.tallies), list(count.lines)
    for cell, tally in count.tallies.items():
        first = data.draw(st.integers(0, tally.yes))
        parts = [replace(cell, dimension="sex", group=g) for g in ("f", "m")]
        if cell.place != ALL and cell.period != ALL:
            tallies |= {p: Tally(p, n, 0, 0) for p, n in zip(parts, (first, tally.yes - first), strict=True)}
            lines.append(Line(cell, tuple(parts)))
    count = replace(count, tallies=tallies, lines=tuple(lines))
    attacker = attack(share, count)
    for parts, total in ties(share, count):
        if total[2] in share.tallies:
            attacker.learns(parts, total)

    assert [] == exposed(attacker, share) + exposed(attacker, count)


@examples(14, many=40)
@given(grids(st.tuples(counts, counts), rows=(2, 3), columns=(2, 3)))
def test_killed_and_severe_are_safe_beside_their_sum(rows):
    tables = [
        crossed([[pick(*cell) for cell in row] for row in rows], measure=measure)
        for measure, pick in (
            ("killed", lambda k, s: k),
            ("severe", lambda k, s: s),
            ("ksi", lambda k, s: k + s),
        )
    ]
    attacker = attack(*tables)
    for cell in tables[0].tallies:
        attacker.learns([("killed", "yes", cell), ("severe", "yes", cell)], ("ksi", "yes", cell))

    assert [] == [number for table in tables for number in exposed(attacker, table)]


def test_complementary_shares_hide_the_same_cells():
    rows = [[(3, 40, 0), (20, 30, 0)], [(20, 30, 0), (40, 60, 0)]]
    late = crossed(rows, measure="late", shares=True)
    on_time = crossed([[(n, y, u) for y, n, u in row] for row in rows], measure="on_time", shares=True)
    found = hide([late, on_time])

    assert all_hidden(found["late"]) == all_hidden(found["on_time"])


# How much is hidden


def test_the_hidden_share_counts_cells_with_something_to_tell():
    table = flat({"A": 3, "B": 20, "C": 40, "D": 0})

    assert 2 / 4 == hidden_share(table, hide([table])["crashes"])


def test_an_empty_table_hides_nothing():
    table = CellTable("m", False, {}, (), frozenset(), "person")

    assert {"m": Hiding(frozenset(), frozenset())} == hide([table])
    assert 0.0 == hidden_share(table, hide([table])["m"])
    assert {} == hide([])


# Refusals


@pytest.mark.parametrize(
    "wrong",
    [
        lambda t: [t, t],
        lambda t: [replace(t, lines=(*t.lines, Line(Cell("2016"), (Cell("2015"),))))],
        lambda t: [replace(t, lines=(Line(Cell("2015"), (Cell("2015", "wards", "A"),)),))],
        lambda t: [replace(t, lines=(Line(Cell("2015"), (Cell("2015"),)),))],
        lambda t: [replace(t, tallies={Cell(): Tally(Cell(), -1, 0, 0)}, lines=())],
    ],
)
def test_a_table_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ValueError):
        hide(wrong(flat({"A": 3, "B": 20})))


def test_doubt_is_asked_on_both_sides():
    table = flat({"A": 4})
    number = ("crashes", "yes", Cell("2015", "wards", "A"))

    assert not is_in_doubt((0.0, 6.0), table, number)
    assert not is_in_doubt((3.0, 20.0), table, number)
    assert is_in_doubt((2.0, 7.0), table, number)
