"""Cells: which numbers of a released table to withhold, so that no person can be worked out from the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from metroon.guard.editions import measures_of, with_earlier
from metroon.guard.joint import Difference, Joining, Sum, joined
from metroon.guard.links import groups, linked
from metroon.guard.sheet import USUAL_MINIMUM, CellTable, Line, PrivacyUnit, Sheet
from metroon.guard.suppress import suppress
from metroon.guard.system import Proof

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from metroon.base.estimate import Cell
    from metroon.guard.links import Tie
    from metroon.guard.system import Suppression, System

    Mask = NDArray[np.bool_]

__all__ = [
    "USUAL_MINIMUM", "CellTable", "Difference", "Hiding", "Line", "PrivacyUnit", "Protection", "Published",
    "Sum", "hidden_share", "hide", "withhold",
]  # fmt: skip


@dataclass(frozen=True)
class Hiding:
    """The published cells that must be withheld, with all that they say.

    Args:
        primary: Too small themselves.
        secondary: Would give a small one away.
    """

    primary: frozenset[Cell]
    secondary: frozenset[Cell]


@dataclass(frozen=True, eq=False)
class Protection:
    """What to withhold of measures that are released together, and how it is known that this is enough.

    Args:
        hidings: Measure -> what to withhold of it.
        proofs: Measure -> the proof; measures that hang together have the same one.
        failing: Measures that must not be released: what is known of them already gives people away, whatever is
            withheld now.
    """

    hidings: Mapping[str, Hiding]
    proofs: Mapping[str, Proof]
    failing: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Published:
    """What was released of the same people before, and what the next releases are called.

    Args:
        population: The products whose people are counted, in order, with spaces between.
        proofs: The proofs of all that was released of them, in the order of release.
        editions: Measure -> the number that its next release will have; 1 unless told.
        erased: Measure -> how many of the rows that its last release counted were of people who were erased since: a
            number may have changed by so many because of one person.
    """

    population: str = ""
    proofs: Sequence[Proof] = ()
    editions: Mapping[str, int] = field(default_factory=dict)
    erased: Mapping[str, int] = field(default_factory=dict)


def hide(tables: Sequence[CellTable]) -> Mapping[str, Hiding]:
    """Chooses the cells to withhold, so that each small count stays in doubt.

    A published cell is primary when a component of it is small (``yes`` and ``unknown`` of a count; ``no``
    too of a share), when a share is all yes or all no (who is in the group has the outcome), or when fewer
    people than the minimum are behind it. Secondary cells are then added, least loss first: small before
    large, parts before totals, city totals last. A reader who knows every other cell, the equations, and
    that counts are whole and not negative can then place no small count `a` closer than from
    ``a - min(a, 2)`` to ``a + max(3, 5 - min(a, 2))``.

    Tables that carry the same numbers (one's ``yes`` is another's trials, two have the same trials, one's
    failures are another's ``yes``, two counts add up to a third) hide the same cells, and each small count stays
    in doubt for a reader of all of them. So a table of things is withheld in part where it would tell of people.

    Higher minimums hide all that lower ones hide, when they are raised for all tables alike: the hiding for
    11 is that for 10, and what is still needed.

    Args:
        tables: All tables that are released together, each measure once.

    Returns:
        Measure -> what to withhold of it. The order of cells, lines and tables does not matter.

    Raises:
        ValueError: A measure comes twice, a line names a cell without tally or does not add up, or lines
            go in a circle.

    Assumes:
        A reader who is one of the people counted is not modelled. A cell of many events on few people is in doubt by
        events, not by people. Sums of values (days, money) hide with the counts of their cells; how wide the doubt
        about a hidden sum is, is not proven. Two geographies of one measure that are given as two tables without
        their common parts are not tied. The other possible numbers are whole, across tied tables too.

    Source:
        Fischetti and Salazar (2000), Journal of the American Statistical Association 95, 916-928,
        doi:10.1080/01621459.2000.10474282: protection levels and alternative tables. Hundepool et al. (2012),
        Statistical Disclosure Control, Wiley, chapter 4: group disclosure, linked tables.

    Example:
        >>> from metroon.base.estimate import Cell, Tally
        >>> def cell(place): return Cell("2015", "wards", place) if place != "all" else Cell("2015")
        >>> counts = {"A": 3, "B": 20, "C": 50, "all": 73}
        >>> tallies = {cell(p): Tally(cell(p), n, 0, 0) for p, n in counts.items()}
        >>> line = Line(cell("all"), (cell("A"), cell("B"), cell("C")))
        >>> table = CellTable("crashes", False, tallies, (line,), frozenset(), "event_on_person")
        >>> found = hide([table])["crashes"]
        >>> [c.place for c in found.primary], [c.place for c in found.secondary]
        (['A'], ['B'])
    """
    return withhold(tables).hidings


def withhold(
    tables: Sequence[CellTable],
    *,
    differences: Sequence[Difference] = (),
    sums: Sequence[Sum] = (),
    published: Published | None = None,
) -> Protection:
    """Chooses the cells to withhold as ``hide`` does, for a reader who has kept everything that was released before.

    Args:
        tables: All tables that are released together, each measure once.
        differences: Which rows of numbers count only what others count too: what is left when one is taken from the
            other is protected like a count.
        sums: Numbers of one table that are numbers of another, cell by cell.
        published: What was released of the same people before; nothing unless told.

    Returns:
        What to withhold, with the proofs. A cell that an earlier edition withheld stays withheld while its numbers
        are the same. One that was shown is known for good: where it is too small by today's minimum it is withheld
        from now on, although that protects nothing from those who kept the old edition.

    Raises:
        ValueError: As ``hide``, or an earlier proof contradicts itself.
    """
    if len({table.measure for table in tables}) < len(tables):
        raise ValueError("a measure has more than one table")
    past = published or Published()
    ordered = sorted(tables, key=lambda table: table.measure)
    cells = sorted({cell for table in ordered for cell in table.tallies})
    index = {cell: at for at, cell in enumerate(cells)}
    sheets = [Sheet.of(table, index) for table in ordered]
    for sheet in sheets:
        sheet.refuse_if_lines_do_not_add_up()
    ties = linked([series for at, sheet in enumerate(sheets) for series in sheet.series(at)])
    alike = groups(len(sheets), [tie.tables for tie in ties])
    hidden_with = [next(i for i, group in enumerate(alike) if at in group) for at in range(len(sheets))]
    made = _Made(ordered, cells, ties, differences, sums, past, hidden_with)
    hidings: dict[str, Hiding] = {}
    proofs: dict[str, Proof] = {}
    failing: set[str] = set()
    for cluster in _clusters(made):
        within = {at: sheets[at] for at in cluster}
        proof, hidden = _protected(within, made)
        for at in cluster:
            measure = ordered[at].measure
            hidings[measure], proofs[measure] = Hiding(*sheets[at].hiding(hidden[hidden_with[at]], cells)), proof
            failing |= {measure} if len(proof.suppression.failing) else set()
    return Protection({t.measure: hidings[t.measure] for t in tables}, proofs, frozenset(failing))


def hidden_share(table: CellTable, hiding: Hiding) -> float:
    """How much of a table is withheld, of the cells that have anything to tell.

    Args:
        table: The table before release.
        hiding: What is withheld of it.

    Returns:
        Hidden cells over published cells, among those that count anything; 0 to 1. Above about 0.3 a
        table is too fine: pool periods or places.

    Example:
        >>> from metroon.base.estimate import Cell, Tally
        >>> a, b = Cell(place="A"), Cell(place="B")
        >>> tallies = {a: Tally(a, 3, 0, 0), b: Tally(b, 20, 0, 0)}
        >>> table = CellTable("crashes", False, tallies, (), frozenset(), "person")
        >>> hidden_share(table, Hiding(frozenset({a}), frozenset()))
        0.5
    """
    hidden = hiding.primary | hiding.secondary
    # Whether a hidden cell counts anything is hidden too: so this is what a reader of the release can work out.
    telling = ({c for c, t in table.tallies.items() if t.yes + t.no + t.unknown > 0} | hidden) - table.unpublished
    return len(telling & hidden) / len(telling) if telling else 0.0


@dataclass(frozen=True, eq=False)
class _Made:
    """What all tables have in common."""

    tables: Sequence[CellTable]
    cells: Sequence[Cell]
    ties: Sequence[Tie]
    differences: Sequence[Difference]
    sums: Sequence[Sum]
    past: Published
    hidden_with: Sequence[int]


def _clusters(made: _Made) -> list[list[int]]:
    """Numbers of the tables that hang together: by ties, by differences, or in what was released before."""
    number = {table.measure: at for at, table in enumerate(made.tables)}
    told = [{number[m] for m in measures_of([proof]) if m in number} for proof in made.past.proofs]
    apart = [[number[m] for m in d.measures] for d in made.differences]
    summed = [[number[m] for m in measures] for measures in {frozenset(s.measures) for s in made.sums}]
    return groups(len(made.tables), [*(tie.tables for tie in made.ties), *apart, *summed, *told])


def _protected(sheets: Mapping[int, Sheet], made: _Made) -> tuple[Proof, Mapping[int, Mask]]:
    """The proof of some tables that hang together, and for each group that is withheld alike the cells to withhold."""
    measures = {sheet.table.measure for sheet in sheets.values()}
    joining = Joining(
        [tie for tie in made.ties if tie.total.table in sheets],
        [d for d in made.differences if d.whole in measures],
        made.past.editions,
        [s for s in made.sums if s.measures <= measures],
    )
    joint = joined(sheets, made.cells, joining, made.hidden_with)
    now = joint.system
    earlier = [proof for proof in made.past.proofs if measures & measures_of([proof])]
    # Of people who were erased nobody can tell any more who is behind a change: so many rows may all be one person's.
    erased = made.past.erased
    least = {m: s.minimum + erased.get(m, 0) if s.minimum else 0 for s in sheets.values() for m in [s.table.measure]}
    known = with_earlier(now, earlier, least)
    at = known.cells
    withheld = known.withheld.copy()
    asked = [made.hidden_with[number] * len(made.cells) + sheet.withheld for number, sheet in sheets.items()]
    withheld[at] |= np.isin(joint.withheld_as, np.concatenate(asked))
    suppression = _suppressed(known.system, withheld)
    # What is too small by today's rules is not shown again, though those who kept an old edition know it.
    is_hidden = (suppression.hidden[at] | now.needs) & now.published
    hidden = {group: np.zeros(len(made.cells), dtype=bool) for group in made.hidden_with}
    for bundle in np.unique(joint.withheld_as[is_hidden]).tolist():
        group, cell = divmod(bundle, len(made.cells))
        hidden[group][cell] = True
    return Proof(made.past.population, known.system, suppression), hidden


def _suppressed(system: System, withheld: Mask) -> Suppression:
    found = suppress(system, hidden=withheld)
    if len(found.failing):
        # Nothing less helps: all of it is withheld, and whether that is enough is proven again.
        found = suppress(system, hidden=system.published & ~system.fixed)
    return found
