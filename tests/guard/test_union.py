"""The union of everything released: two tables that are safe by themselves may not be safe together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from chance import examples
from metroon.guard.exposure import exposed, givers, known_to_insiders, newly_exposed
from metroon.guard.ledger import Entry, Release, Told, Union, kin, tells, to_read, told, union
from metroon.guard.suppress import suppress
from metroon.guard.system import Alternatives, Proof, Suppression, System, system

MINIMUM = 11


def small(value: np.ndarray) -> np.ndarray:
    return (value > 0) & (value < MINIMUM)


def proof(made: System, hidden: np.ndarray | None = None) -> Proof:
    """A proof with the cells hidden that are named, or with those that the engine hides."""
    if hidden is None:
        return Proof("people", made, suppress(made))
    none = np.full(made.cells, -1)
    others = Alternatives(csr_array((0, made.cells)), none, none)
    return Proof("people", made, Suppression(hidden, others, np.array([], dtype=np.int64)))


def counts(names, equations, values, *, unseen=(), **more) -> System:
    """A system of counts: each equation is (total, parts); every small count needs doubt."""
    at = {name: i for i, name in enumerate(names)}
    matrix = np.zeros((len(equations), len(names)))
    for row, (total, parts) in enumerate(equations):
        matrix[row, at[total]] = -1
        for part in parts:
            matrix[row, at[part]] += 1
    value = np.array([values[n] for n in names], dtype=float)
    needs = small(value)
    return system(
        csr_array(matrix), value, published=np.array([n not in unseen for n in names]),
        below=np.where(needs, np.minimum(value, 2), 0.0), above=np.where(needs, np.maximum(3, 5 - value), 0.0),
        width=np.where(needs, 5.0, 0.0), names=names, **more,
    )  # fmt: skip


def name(measure: str, what: str, *, edition: int = 1, component: str = "yes") -> tuple[str, ...]:
    return (measure, component, "2025", "ground", what, "all", "all", str(edition))


def grouped(measure: str, groups: list[list[int]], atoms: list[int]) -> System:
    """A table whose cells are sums of blocks, with their total; the blocks themselves are never shown."""
    blocks = sorted({b for g in groups for b in g})
    values = {name("blocks", str(b)): atoms[b] for b in blocks}
    equations = []
    for i, group in enumerate(groups):
        cell = name(measure, f"group {i}")
        values[cell] = sum(atoms[b] for b in group)
        equations.append((cell, [name("blocks", str(b)) for b in group]))
    values[name(measure, "all")] = sum(atoms[b] for b in blocks)
    equations.append((name(measure, "all"), [name(measure, f"group {i}") for i in range(len(groups))]))
    return counts(list(values), equations, values, unseen={name("blocks", str(b)) for b in blocks})


@st.composite
def partitions(draw, blocks: int):
    """Some of the blocks, put into groups."""
    of = draw(st.lists(st.integers(-1, 3), min_size=blocks, max_size=blocks))
    groups = [[b for b in range(blocks) if of[b] == g] for g in range(4)]
    return [g for g in groups if g]


@st.composite
def two_tables(draw):
    blocks = draw(st.integers(3, 6))
    atoms = draw(st.lists(st.integers(0, 30), min_size=blocks, max_size=blocks))
    return atoms, [grouped(m, draw(partitions(blocks)), atoms) for m in ("wards", "districts")]


def brute_force(atoms: list[int], proofs: list[Proof], *, insider: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Cells that a reader places too closely, by linear programs over the blocks alone: no union, no equations."""
    forms: dict[tuple[str, ...], np.ndarray] = {}
    shown: dict[tuple[str, ...], float] = {}
    needs: dict[tuple[str, ...], float] = {}
    for p in proofs:
        s = p.system
        for row in s.matrix.toarray():
            total = s.names[int(np.flatnonzero(row == -1)[0])]
            forms[total] = np.zeros(len(atoms))
            for part in np.flatnonzero(row == 1):
                known = s.names[int(part)]
                forms[total] += forms[known] if known in forms else np.eye(len(atoms))[int(known[4])]
        for i, cell in enumerate(s.names):
            if cell[0] == "blocks":
                forms[cell] = np.eye(len(atoms))[int(cell[4])]
            if p.shown[i]:
                shown[cell] = s.value[i]
            if s.needs[i]:
                needs[cell] = s.value[i]
    own = np.zeros(len(atoms))
    if insider:
        shown[insider] = needs.pop(insider)
        own = forms[insider] * np.array(atoms)
        # Where the person is counted alone there is nobody else to be found.
        needs = {c: a for c, a in needs.items() if a != 1 or not (own * forms[c]).any()}
    left = np.array([forms[c] for c in shown]).reshape(-1, len(atoms))
    found = set()
    for cell, a in needs.items():
        ends = [linprog(sign * forms[cell], A_eq=left, b_eq=list(shown.values()), bounds=(0, None)) for sign in (1, -1)]
        low, high = ends[0].fun, np.inf if ends[1].status == 3 else -ends[1].fun
        # Who is counted in a cell knows that it is not 0.
        under = min(a, 2, a - 1) if (own * forms[cell]).any() else min(a, 2)
        over = max(3, 5 - a)
        if cell in shown or low > a - under + 1e-6 or high < a + over - 1e-6 or high - low < under + over - 1e-6:
            found.add(cell)
    return found


def together(*proofs: Proof) -> Union:
    return union([Told(p, {n[0]: i for n in p.system.names if n[0] != "blocks"}) for i, p in enumerate(proofs, 1)])


@examples(21, many=60)
@given(two_tables(), st.data())
def test_whatever_is_hidden_the_union_finds_what_brute_force_finds(tables, data):
    atoms, made = tables
    bits = [data.draw(st.lists(st.booleans(), min_size=s.cells, max_size=s.cells)) for s in made]
    proofs = [proof(s, np.array(b) & s.published) for s, b in zip(made, bits, strict=True)]

    assert brute_force(atoms, proofs) == {e.name for e in exposed(together(*proofs))}


@examples(21, many=60)
@given(two_tables())
def test_of_two_tables_that_are_safe_alone_the_union_finds_what_brute_force_finds(tables):
    atoms, made = tables
    proofs = [proof(s) for s in made]
    assume(not any(len(p.suppression.failing) for p in proofs))

    assert all(brute_force(atoms, [p]) == set() for p in proofs)
    assert brute_force(atoms, proofs) == {e.name for e in exposed(together(*proofs))}


@examples(14, many=40)
@given(two_tables())
def test_what_somebody_finds_who_is_alone_in_a_cell_is_what_brute_force_finds(tables):
    atoms, made = tables
    proofs = [proof(s) for s in made]
    assume(not brute_force(atoms, proofs))
    alone = {n for p in proofs for n, v in zip(p.system.names, p.system.value, strict=True) if v == 1}

    expected = {n for one in alone for n in brute_force(atoms, proofs, insider=one)}
    assert expected == {e.name for e in known_to_insiders(together(*proofs))}


# What is safe alone


def difference() -> list[Proof]:
    """Wards and districts, each without any small number, that differ by one block in which 3 people live."""
    atoms = [20, 3, 40]
    return [proof(grouped("wards", [[0, 1]], atoms)), proof(grouped("districts", [[0], [1, 2]], atoms))]


def test_two_tables_that_are_safe_alone_give_a_sliver_away_together():
    wards, districts = difference()

    assert () == exposed(together(wards)) == exposed(together(districts))
    found = exposed(together(wards, districts))
    assert [(name("blocks", "1"), 3.0, 3.0, True)] == [(e.name, e.low, e.high, e.is_exact) for e in found]


def test_the_release_that_comes_second_is_the_one_that_gives_it_away():
    wards, districts = difference()
    both = together(wards, districts)

    assert [name("blocks", "1")] == [e.name for e in newly_exposed(both, [2])]
    assert (1, 2) == givers(both, newly_exposed(both, [2])[0].cell)


def test_a_release_that_has_nothing_to_do_with_it_is_not_blamed():
    wards, districts = difference()
    apart = proof(counts([name("apart", "x")], [], {name("apart", "x"): 50}))
    every = together(apart, wards, districts)

    assert (2, 3) == givers(every, exposed(every)[0].cell)
    assert () == newly_exposed(together(wards, districts, apart), [3])


def test_what_was_not_really_released_gives_nothing_away():
    wards, districts = difference()
    every = union([Told(wards, {"wards": 1}), Told(districts, {})])

    assert () == exposed(every)


def test_ages_that_were_cut_anew_are_caught():
    # 0-17, 18-64, 65+ and then 0-18, 19-64, 65+: 4 people of 18 years are the difference.
    ages = [30, 4, 60, 25]
    first, then = grouped("ages", [[0], [1, 2], [3]], ages), grouped("ages again", [[0, 1], [2], [3]], ages)

    assert [name("blocks", "1")] == [e.name for e in exposed(together(proof(first), proof(then)))]


def edition(number: int, value: int, came: int, before: int) -> System:
    """A count that has risen: what was before, and those who came since, whom nobody is ever shown."""
    now, then = name("stays", "all", edition=number), name("stays", "all", edition=number - 1)
    more = name("stays", "all", edition=number, component="yes more")
    values = {now: value, then: before, more: came}
    return counts([now, then, more], [(now, [then, more])], values, unseen={more, then})


@pytest.mark.parametrize(("came", "is_caught"), [(3, True), (10, True), (11, False), (40, False)])
def test_a_corrected_edition_that_isolates_a_few_is_caught(came, is_caught):
    first = proof(counts([name("stays", "all")], [], {name("stays", "all"): 50}))
    then = proof(edition(2, 50 + came, came, 50), np.zeros(3, dtype=bool))

    assert is_caught == bool(exposed(together(first, then)))


def test_a_rate_with_its_denominator_tells_the_count_and_is_caught():
    # 1,000 residents and 0.4 percent to one decimal: 3.5 to 4.5 events.
    count = name("events", "north")
    withheld = proof(counts([count], [], {count: 4}), np.array([True]))
    rate = counts([count], [], {count: 4}, unseen={count}, floor=np.array([3.5]), ceiling=np.array([4.5]))

    assert () == exposed(together(withheld))
    assert [(3.5, 4.5)] == [(e.low, e.high) for e in exposed(together(withheld, proof(rate, np.array([False]))))]


def test_a_percent_that_is_rounded_widely_enough_tells_nothing():
    # 1,000 residents and 0 percent to whole percents: up to 5 events, but few enough are possible... or 15 of 1 %.
    count = name("events", "north")
    withheld = proof(counts([count], [], {count: 8}), np.array([True]))
    rate = counts([count], [], {count: 8}, unseen={count}, floor=np.array([5.0]), ceiling=np.array([15.0]))

    assert () == exposed(together(withheld, proof(rate, np.array([False]))))


def test_the_total_of_a_filter_is_caught():
    # A door that counts "all but the north" beside a total tells the north.
    parts = {name("stays", "north"): 4, name("stays", "east"): 30, name("stays", "south"): 40}
    total = name("stays", "all")
    made = counts([*parts, total], [(total, list(parts))], {**parts, total: 74})
    door, rest = name("door", "not north"), [name("stays", "east"), name("stays", "south")]
    values = {door: 70, rest[0]: 30, rest[1]: 40}
    filtered = counts([door, *rest], [(door, rest)], values, unseen=set(rest))

    first = proof(made)
    assert () == exposed(together(first))
    assert [name("stays", "north")] == [e.name for e in exposed(together(first, proof(filtered)))]


def test_a_cell_that_is_shown_later_was_given_away_and_one_that_was_shown_before_was_not():
    cell = name("stays", "north")
    hides = proof(counts([cell], [], {cell: 7}), np.array([True]))
    free = replace(hides.system, below=np.zeros(1), above=np.zeros(1), width=np.zeros(1))
    shows = proof(free, np.array([False]))

    assert [7.0] == [e.low for e in exposed(together(hides, shows))]
    assert () == exposed(together(shows, hides))


def test_what_was_lost_before_is_not_held_against_a_release_unless_it_makes_it_worse():
    cell = name("events", "north")
    withheld = proof(counts([cell], [], {cell: 4}), np.array([True]))

    def known(low: float, high: float) -> Proof:
        made = counts([cell], [], {cell: 4}, unseen={cell}, floor=np.array([low]), ceiling=np.array([high]))
        return proof(made, np.array([False]))

    lost = together(withheld, known(3, 6))
    assert 1 == len(exposed(lost))
    assert () == newly_exposed(together(withheld, known(3, 6), known(0, 20)), [3])


def test_a_person_who_is_alone_in_a_cell_finds_the_others():
    # Privacy reference, section 4, sixth example: [1,2,40],[30,25,40],[20,30,50] with the top left block hidden.
    table = np.array([[1, 2, 40], [30, 25, 40], [20, 30, 50]])
    cells = {name("t", f"{r} {c}"): int(table[r, c]) for r in range(3) for c in range(3)}
    equations = []
    for i in range(3):
        for total, parts in (
            (f"row {i}", [f"{i} {c}" for c in range(3)]),
            (f"column {i}", [f"{r} {i}" for r in range(3)]),
        ):
            cells[name("t", total)] = sum(cells[name("t", p)] for p in parts)
            equations.append((name("t", total), [name("t", p) for p in parts]))
    made = counts(list(cells), equations, cells)
    block = {name("t", f"{r} {c}") for r in range(2) for c in range(2)}
    hidden = proof(made, np.array([n in block for n in made.names]))

    found = {e.name[4]: (e.low, e.high) for e in known_to_insiders(together(hidden))}
    assert {"0 1": (2.0, 2.0)} == found


# Reading no more than is needed


@examples(14, many=40)
@given(two_tables())
def test_what_covers_another_tells_as_much_without_it(tables):
    _, made = tables
    first, second = (
        Told(proof(s), {m: i}) for i, (s, m) in enumerate(zip(made, ("wards", "districts"), strict=True), 1)
    )
    both = union([first, second])
    kept = replace(both.system, fixed=both.system.published)
    whole = Told(replace(proof(kept, np.zeros(kept.cells, dtype=bool))), {})
    alone = union([whole])

    assert whole.covers(first)
    assert whole.covers(second)
    assert {e.name for e in exposed(both)} == {e.name for e in exposed(alone)}


def test_a_proof_does_not_cover_one_that_shows_more_or_has_other_cells():
    wards, districts = difference()
    first, then = Told(wards, {"wards": 1}), Told(districts, {"districts": 2})
    unseen = Told(wards, {})

    assert (True, False, False, False) == (
        first.covers(first), first.covers(then), unseen.covers(first), then.covers(first),
    )  # fmt: skip


def entry(
    seq: int, what: str, *, proof: str = "", covers: tuple[str, ...] = (), people: tuple[str, ...] = ("a",)
) -> Entry:
    return Entry(
        seq, "", "confirmed", 1, Release(what, "measure", people, people[0], "", "", proof=proof, covers=covers)
    )


def test_proofs_that_a_later_one_holds_are_not_read():
    every = [entry(1, "a", proof="p"), entry(2, "b", proof="q"), entry(3, "a", proof="r", covers=("p",)), entry(4, "c")]

    assert [2, 3] == [e.seq for e in to_read(every)]


def test_one_proof_of_several_releases_is_read_once():
    wards, _ = difference()
    found = told([(entry(1, "wards", proof="p"), wards), (entry(2, "other", proof="p"), wards)])

    assert {"p": {"wards": 1, "other": 2}} == {sha256: dict(t.releases) for sha256, t in found.items()}


def test_products_that_were_tied_once_stay_tied():
    every = [entry(1, "m", people=("a", "b")), entry(2, "n", people=("b", "c")), entry(3, "o", people=("d",))]

    assert [1, 2] == [e.seq for e in kin(every, ["c"])]


def test_two_numbers_for_one_name_are_refused():
    cell = name("stays", "north")
    one, other = (proof(counts([cell], [], {cell: n}), np.array([True])) for n in (7, 8))
    with pytest.raises(ValueError, match="different numbers"):
        together(one, other)


@examples(35, many=100)
@given(st.permutations(range(6)))
def test_the_order_of_cells_in_a_proof_does_not_matter(order):
    wards, districts = difference()
    s = districts.system
    at = np.array(order)
    moved = system(
        csr_array(s.matrix.toarray()[:, at]), s.value[at], published=s.published[at], below=s.below[at],
        above=s.above[at], width=s.width[at], names=[s.names[i] for i in order],
    )  # fmt: skip

    assert {e.name for e in exposed(together(wards, districts))} == {
        e.name for e in exposed(together(wards, proof(moved)))
    }


# Open rows


@pytest.mark.parametrize(
    ("columns", "is_told"),
    [
        ({"ward": "", "day": "month", "kind": ""}, True),
        ({"ward": "", "day": ""}, True),
        ({"ward": "", "day": "year"}, False),
        ({"day": "month"}, False),
        ({}, False),
    ],
)
def test_open_rows_tell_what_their_columns_can_count(columns, is_told):
    assert is_told == bool(tells(columns, [{"ward": "", "day": "month"}]))
