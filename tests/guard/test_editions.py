"""Two editions of a measure must not give away by subtraction what each of them withholds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from attacker import Attacker, exposed, is_in_doubt
from hypothesis import assume, given
from hypothesis import strategies as st

from chance import examples
from metroon.base.estimate import ALL, Cell, Tally
from metroon.guard.cells import CellTable, Difference, Hiding, Line, Published, withhold
from metroon.guard.certificate import verify

CITY = Cell("2015")


def flat(counts: dict[str, int], *, measure="crashes", minimum=11, unit="event_on_person", period="2015") -> CellTable:
    """Counts by ward with their total."""
    tallies = {Cell(period, "wards", w): n for w, n in counts.items()}
    line = Line(Cell(period), tuple(tallies))
    every = tallies | {Cell(period): sum(counts.values())}
    return CellTable(
        measure, False, {c: Tally(c, n, 0, 0) for c, n in every.items()}, (line,), frozenset(), unit, minimum
    )


def crossed(rows: list[list[int]], *, minimum=11, measure="crashes") -> CellTable:
    """Counts by ward and month, with all totals; one list a ward."""

    def at(ward: int | None, month: int | None) -> Cell:
        place = (ALL, ALL) if ward is None else ("wards", f"P{ward}")
        return Cell(ALL if month is None else f"2015-{month + 1:02d}", *place)

    wards, months = range(len(rows)), range(len(rows[0]))
    counts = {at(w, m): rows[w][m] for w in wards for m in months}
    lines = []
    for m in (*months, None):
        if m is not None:
            counts[at(None, m)] = sum(rows[w][m] for w in wards)
        lines.append(Line(at(None, m), tuple(at(w, m) for w in wards)))
    for w in (*wards, None):
        lines.append(Line(at(w, None), tuple(at(w, m) for m in months)))
        if w is not None:
            counts[at(w, None)] = sum(rows[w])
    counts[at(None, None)] = sum(map(sum, rows))
    tallies = {c: Tally(c, n, 0, 0) for c, n in counts.items()}
    return CellTable(measure, False, tallies, tuple(lines), frozenset(), "event_on_person", minimum)


class Editions:
    """Editions of some tables, one after another, each protected together with those before."""

    def __init__(self) -> None:
        self.made: list[tuple[CellTable, Hiding]] = []
        self.proofs = []

    def release(self, *tables: CellTable, differences=(), may_be_refused: bool = False) -> frozenset[Cell]:
        """What is withheld of the first table; an edition that cannot be protected does not go out at all."""
        past = Published("people", tuple(self.proofs), {t.measure: len(self.proofs) + 1 for t in tables})
        found = withhold(tables, differences=differences, published=past)
        assert may_be_refused or not found.failing
        if found.failing:
            return frozenset()
        self.proofs.append(found.proofs[tables[0].measure])
        self.made.append((tables[0], found.hidings[tables[0].measure]))
        hiding = found.hidings[tables[0].measure]
        return hiding.primary | hiding.secondary

    def attacker(self) -> tuple[Attacker, list[tuple[tuple[int, int], int, tuple[str, str, Cell]]]]:
        """Who kept every edition, knows which numbers are as they were, and which rose or fell; and small changes."""
        attacker, changes = Attacker(), []
        for number, (table, hiding) in enumerate(self.made):
            attacker.reads(replace(table, measure=f"{number}"), hiding)
        for number, ((one, _), (two, _)) in enumerate(zip(self.made, self.made[1:], strict=False)):
            for cell in one.tallies.keys() & two.tallies.keys():
                was, now = ((f"{n}", "yes", cell) for n in (number, number + 1))
                by = two.tallies[cell].yes - one.tallies[cell].yes
                if by == 0:
                    attacker.learns([was], now)
                    for a, b in ((was, now), (now, was)):
                        if a in attacker.shown:
                            attacker.shown[b] = attacker.shown[a]
                    continue
                change = (f"{number}", "change", cell)
                attacker.learns([was, change], now) if by > 0 else attacker.learns([now, change], was)
                if abs(by) < two.minimum_cell:
                    changes.append((cell, abs(by), change))
        return attacker, changes

    def found(self) -> list[object]:
        """The small numbers and small changes that such a reader finds."""
        attacker, changes = self.attacker()
        found: list[object] = []
        for number, (table, _) in enumerate(self.made):
            named = replace(table, measure=f"{number}")
            found += [n for n in exposed(attacker, named) if n not in attacker.shown]
        for cell, by, change in changes:
            as_table = CellTable("", False, {cell: Tally(cell, by, 0, 0)}, (), frozenset(), "person")
            if not is_in_doubt(attacker.interval(change), as_table, ("", "yes", cell)):
                found.append(change)
        return found


def test_the_same_numbers_are_released_the_same_way_again():
    editions = Editions()
    first = editions.release(flat({"A": 3, "B": 20, "C": 41}))

    assert first == editions.release(flat({"A": 3, "B": 20, "C": 41}))
    assert editions.proofs[0].system.names == editions.proofs[1].system.names


def test_one_late_arrival_is_not_told_by_subtraction():
    editions = Editions()
    assert frozenset() == editions.release(flat({"A": 40, "B": 50, "C": 60}))
    hidden = editions.release(flat({"A": 41, "B": 50, "C": 60}))

    assert {Cell("2015", "wards", "A"), CITY} <= hidden
    assert [] == editions.found()


def test_forty_late_arrivals_well_spread_are_told():
    editions = Editions()
    editions.release(flat({"A": 40, "B": 50, "C": 60}))

    assert frozenset() == editions.release(flat({"A": 53, "B": 64, "C": 73}))


def test_one_erased_person_is_not_told_by_subtraction():
    editions = Editions()
    editions.release(flat({"A": 40, "B": 50, "C": 60}))
    hidden = editions.release(flat({"A": 40, "B": 49, "C": 60}))

    assert {Cell("2015", "wards", "B"), CITY} <= hidden
    assert [] == editions.found()


def test_a_small_new_month_is_not_told_by_two_totals_of_all_time():
    editions = Editions()
    editions.release(crossed([[20, 30], [40, 25]]))
    hidden = editions.release(crossed([[20, 30, 3], [40, 25, 60]]))

    assert Cell("2015-03", "wards", "P0") in hidden
    assert Cell(ALL, "wards", "P0") in hidden
    assert [] == editions.found()


def test_what_was_withheld_stays_withheld_while_its_numbers_are_the_same():
    # With the larger C another cell than B would be the cheapest to withhold.
    editions = Editions()
    first = editions.release(flat({"A": 3, "B": 20, "C": 41}))
    second = editions.release(flat({"A": 3, "B": 20, "C": 12}))

    assert {Cell("2015", "wards", "B")} == first - {Cell("2015", "wards", "A")}
    assert first <= second
    assert [] == editions.found()


def test_what_was_shown_protects_nothing_any_more():
    # B was shown when A was large enough; now A has to be hidden, and B is known.
    editions = Editions()
    assert frozenset() == editions.release(flat({"A": 30, "B": 20, "C": 60}))
    hidden = editions.release(flat({"A": 30, "B": 20, "C": 60, "D": 3}))

    assert Cell("2015", "wards", "D") in hidden
    assert CITY in hidden
    assert not {Cell("2015", "wards", w) for w in "ABC"} & hidden


def test_a_later_minimum_hides_what_was_shown_though_it_is_known():
    editions = Editions()
    assert frozenset() == editions.release(flat({"A": 8, "B": 20, "C": 60}, minimum=5))
    hidden = editions.release(flat({"A": 8, "B": 20, "C": 60}, minimum=11))

    assert {Cell("2015", "wards", "A")} == hidden


def test_a_measure_that_is_withdrawn_and_comes_back_is_protected_beside_its_old_edition():
    editions = Editions()
    editions.release(flat({"A": 40, "B": 50, "C": 60}))
    editions.release(flat({"A": 30, "B": 30, "C": 70}, measure="falls"))
    hidden = editions.release(flat({"A": 41, "B": 50, "C": 60}))

    assert {Cell("2015", "wards", "A"), CITY} <= hidden


def test_other_boundaries_of_the_same_name_are_not_told_apart_by_three_people():
    # A strip with three people went from A to B.
    editions = Editions()
    editions.release(flat({"A": 40, "B": 50, "C": 60}))
    hidden = editions.release(flat({"A": 37, "B": 53, "C": 60}))

    assert {Cell("2015", "wards", "A"), Cell("2015", "wards", "B")} <= hidden
    assert [] == editions.found()


def test_a_period_that_is_still_open_may_change_between_releases_of_others():
    open_month = {Cell("2015-02", "wards", w): n for w, n in (("A", 4), ("B", 9))}
    editions = Editions()
    for more in (0, 1, 2):
        table = flat({"A": 40, "B": 50})
        seen = {c: Tally(c, n + more, 0, 0) for c, n in open_month.items()}
        table = replace(table, tallies={**table.tallies, **seen}, unpublished=frozenset(open_month))
        past = Published("people", tuple(editions.proofs), {"crashes": 1})
        editions.proofs.append(withhold([table], published=past).proofs["crashes"])
    system = editions.proofs[-1].system

    assert len(set(system.names)) == len(system.names)
    assert [] == np.flatnonzero(system.matrix @ system.value).tolist()


def test_things_are_never_withheld_for_having_changed():
    editions = Editions()
    editions.release(flat({"A": 40, "B": 50}, unit="none"))

    assert frozenset() == editions.release(flat({"A": 41, "B": 50}, unit="none"))


def test_what_is_left_of_a_measure_without_a_part_of_it_stays_in_doubt():
    # Of the 25 of ward B all but 2 are severe: who is not can be counted on one hand.
    every = flat({"A": 40, "B": 25, "C": 60})
    severe = flat({"A": 20, "B": 23, "C": 30}, measure="severe")
    yes = frozenset({"yes"})
    found = withhold([every, severe], differences=[Difference("crashes", yes, "severe", yes)])
    at = Cell("2015", "wards", "B")

    assert at in {c for h in found.hidings.values() for c in h.primary | h.secondary}


def test_what_two_measures_leave_of_a_third_stays_in_doubt():
    # Killed, severely and slightly hurt are told, and all; the 2 of ward B that are left are of unknown severity.
    every = flat({"A": 60, "B": 52, "C": 70})
    one, two = (flat({"A": 25, "B": 25, "C": 25}, measure=m) for m in ("severe", "slight"))
    yes = frozenset({"yes"})
    apart = [Difference("crashes", yes, "severe", yes, also=(("slight", yes),))]
    at = Cell("2015", "wards", "B")

    def hidden(differences):
        found = withhold([every, one, two], differences=differences)
        return {c for h in found.hidings.values() for c in h.primary | h.secondary}

    assert at not in hidden([])
    assert at in hidden(apart)


counts = st.one_of(st.just(0), st.integers(0, 12), st.integers(0, 60))
changes = st.one_of(st.just(0), st.just(0), st.just(0), st.integers(-3, 3), st.integers(0, 30))


@st.composite
def histories(draw):
    wards, months = draw(st.integers(2, 3)), draw(st.integers(2, 3))
    first = [[draw(counts) for _ in range(months)] for _ in range(wards)]
    second = [[max(0, n + draw(changes)) for n in row] for row in first]
    if draw(st.booleans()):
        second = [[*row, draw(counts)] for row in second]
    third = [[max(0, n + draw(changes)) for n in row] for row in second]
    return [first, second, third][: draw(st.integers(2, 3))]


@examples(16, many=40)
@given(histories())
def test_no_attacker_who_kept_every_edition_finds_a_small_number_or_a_small_change(history):
    editions = Editions()
    for rows in history:
        editions.release(crossed(rows), may_be_refused=True)

    assert [] == editions.found()


@examples(10, many=25)
@given(histories())
def test_the_last_proof_holds_everything_that_was_told_before(history):
    editions = Editions()
    for rows in history:
        editions.release(crossed(rows), may_be_refused=True)
    assume(editions.proofs)
    last = editions.proofs[-1]
    shown = dict(zip(last.system.names, last.shown.tolist(), strict=True))
    values = dict(zip(last.system.names, last.system.value.tolist(), strict=True))

    for proof in editions.proofs:
        for name, value, was_shown in zip(proof.system.names, proof.system.value, proof.shown, strict=True):
            assert values[name] == value
            assert shown[name] >= was_shown


@pytest.mark.parametrize("rows", [[[3, 20], [40, 25]], [[1, 1], [1, 50]]])
def test_the_proof_of_a_second_edition_is_true(rows):
    editions = Editions()
    editions.release(crossed(rows))
    editions.release(crossed([[n + 1 for n in rows[0]], rows[1]]))

    assert [(), ()] == [verify(proof) for proof in editions.proofs]
