"""What a reader of several tables knows: one system of all their cells, sums, ties and differences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from metroon.base.estimate import Cell
from metroon.guard.draft import Draft, Needed
from metroon.guard.links import independent
from metroon.guard.sheet import NEVER, WIDTH, above, below, costs, tiers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from metroon.guard.links import Tie
    from metroon.guard.sheet import Sheet
    from metroon.guard.system import Name, System

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]
    Columns = Mapping[tuple[int, str], Ints]

_TIER, _DEAREST = 30.0, 1e5
"""A cell of one tier costs as much as so many below it, up to some tiers: totals come last, and a solver still sees
the small prices beside the large ones."""


@dataclass(frozen=True)
class Difference:
    """Two rows of numbers of which one counts only what the other counts too: what is left is people as well.

    Args:
        whole: The measure that counts more.
        whole_parts: Its components that are added up, such as ``{"yes", "no"}`` for trials.
        part: The measure that counts less.
        part_parts: Likewise.
        whole_group: Dimension and group, where it is a group of the measure that counts more than the other measure
            counts of everybody: those of one race, and a measure among that race.
        part_group: Likewise, where a group of one measure is in what the other counts of everybody.
        is_same: Whether nothing is left: the one is the other.
        also: Further measures, with their components, that are taken away too: none counts what another does.
    """

    whole: str
    whole_parts: frozenset[str]
    part: str
    part_parts: frozenset[str]
    whole_group: tuple[str, str] | None = None
    part_group: tuple[str, str] | None = None
    is_same: bool = False
    also: tuple[tuple[str, frozenset[str]], ...] = ()

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that it ties."""
        return (self.whole, self.part, *(measure for measure, _ in self.also))

    @property
    def component(self) -> str:
        """What its cells are called beside the components of the measure that counts more."""
        of = f" {' '.join(self.part_group)}" if self.part_group else ""
        more = "".join(f" less {m} {' '.join(sorted(parts))}" for m, parts in self.also)
        return f"{' '.join(sorted(self.whole_parts))} less {self.part} {' '.join(sorted(self.part_parts))}{of}{more}"


Place = tuple[str, str, Cell]
"""Where a number stands: measure, component, cell."""


@dataclass(frozen=True)
class Sum:
    """Numbers of one measure that are numbers of another: pedestrians hurt are two cells of a table by role.

    Args:
        whole: They add up to the same as the parts.
        parts: Likewise.
    """

    whole: tuple[Place, ...]
    parts: tuple[Place, ...]

    @property
    def measures(self) -> set[str]:
        """The measures that it ties."""
        return {measure for measure, _, _ in (*self.whole, *self.parts)}


@dataclass(frozen=True)
class Joining:
    """What ties some tables.

    Args:
        ties: Equations between tables, read off their numbers.
        differences: What is left when one is taken from another.
        editions: Measure -> the number that its release will have.
        sums: Further equations between numbers of different tables.
    """

    ties: Sequence[Tie]
    differences: Sequence[Difference]
    editions: Mapping[str, int]
    sums: Sequence[Sum] = ()


@dataclass(frozen=True, eq=False)
class Joint:
    """Some tables as one system.

    Args:
        system: All counts, in the order of tables, components and cells.
        withheld_as: For each published one, the number of the tables that withhold the same cells, times the number of
            all cells, plus the number of its cell; -1 for those that are never shown.
    """

    system: System
    withheld_as: Ints


def joined(sheets: Mapping[int, Sheet], cells: Sequence[Cell], joining: Joining, hidden_with: Sequence[int]) -> Joint:
    """One system of all counts of some tables, in the order of tables, components and cells.

    Args:
        sheets: Number -> table.
        cells: The cells that the sheets are over.
        joining: What ties the tables.
        hidden_with: For each table, the number of those that withhold the same cells.

    Returns:
        The system. Counts of one cell that are withheld together have one bundle.
    """
    draft, bundles = Draft(), []
    weight = _weights(sheets, cells)
    columns: dict[tuple[int, str], Ints] = {}
    shown_in = np.zeros((max(hidden_with) + 1, len(cells)))
    for number, _ in _components(sheets):
        shown_in[hidden_with[number]] += sheets[number].published
    for number, name in _components(sheets):
        sheet, at = sheets[number], np.flatnonzero(sheets[number].present)
        value = sheet.components[name][at]
        many = np.maximum(shown_in[hidden_with[number]][at], 1)
        bundle = np.where(sheet.published[at], hidden_with[number] * len(cells) + at, -1)
        bundles.append(bundle)
        columns[number, name] = _over(len(cells), at, draft.add(
            _names(sheet, name, at, cells, joining.editions),
            value.astype(np.float64),
            needed(value, sheet.since(name, sheet.table.minimum_cell)[at]),
            sheet.published[at],
            weight=weight[at] / many,
            bundle=bundle,
        ))  # fmt: skip
        draft.add_lines(sheet.matrix()[:, at], columns[number, name][at])
    _tie(draft, joining.ties, columns, len(cells))
    _take_apart(draft, joining, sheets, columns, cells)
    _add_sums(draft, joining.sums, sheets, columns, cells)
    system = draft.system()
    never = np.full(system.cells - sum(map(len, bundles)), -1)
    return Joint(system, np.concatenate([*bundles, never]))


def needed(count: Ints, since: Ints) -> Needed:
    """The doubt that must stay about counts that are small at some minimum.

    Args:
        count: The counts.
        since: Smallest minimum at which each needs doubt; ``NEVER`` where none does.
    """
    is_small = since < NEVER
    return Needed(
        np.where(is_small, below(count), 0).astype(np.float64),
        np.where(is_small, above(count), 0).astype(np.float64),
        np.where(is_small, WIDTH, 0).astype(np.float64),
        np.where(is_small, since, 0),
    )


def _components(sheets: Mapping[int, Sheet]) -> list[tuple[int, str]]:
    # The unknowns of a measure that has none tell nothing.
    return [
        (number, name)
        for number, sheet in sorted(sheets.items())
        for name, values in sheet.components.items()
        if values.any() or name != "unknown"
    ]


def _over(cells: int, at: Ints, columns: Ints) -> Ints:
    placed = np.full(cells, -1, dtype=np.int64)
    placed[at] = columns
    return placed


def _names(sheet: Sheet, component: str, at: Ints, cells: Sequence[Cell], editions: Mapping[str, int]) -> list[Name]:
    table = sheet.table
    edition = str(editions.get(table.measure, 1))
    named = [table.released_as.get(cells[i], cells[i]) for i in at.tolist()]
    return [(table.measure, component, c.period, c.geography, c.place, c.dimension, c.group, edition) for c in named]


def _weights(sheets: Mapping[int, Sheet], cells: Sequence[Cell]) -> Floats:
    published = np.any([sheet.published for sheet in sheets.values()], axis=0)
    tier = tiers({e for sheet in sheets.values() for e in sheet.equations}, published, cells)
    return costs(list(sheets.values()), cells) * np.minimum(_TIER ** np.minimum(tier, 10), _DEAREST)


def _tie(draft: Draft, ties: Sequence[Tie], columns: Columns, cells: int) -> None:
    # One equation for each tie in each cell, but for those that follow from others in the same cell.
    if not ties:
        return
    keys = list(columns)
    signs = np.array([[_sign(tie, *key) for key in keys] for tie in ties], dtype=np.int64)
    holds = np.array([tie.holds() for tie in ties], dtype=bool).reshape(len(ties), cells)
    patterns, pattern_of = np.unique(holds, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        here = np.flatnonzero(pattern_of == number)
        in_force = signs[np.flatnonzero(pattern)]
        for row in independent(in_force):
            told = np.flatnonzero(in_force[row])
            if len(told):
                draft.tie(np.array([columns[keys[i]][here] for i in told]).T, in_force[row][told].astype(np.float64))


def _sign(tie: Tie, table: int, name: str) -> int:
    is_part = any(s.table == table and name in s.parts for s in tie.parts)
    return int(is_part) - int(tie.total.table == table and name in tie.total.parts)


def _take_apart(
    draft: Draft, joining: Joining, sheets: Mapping[int, Sheet], columns: Columns, cells: Sequence[Cell]
) -> None:
    """Adds what is left when one row of numbers is taken from another: never shown, and people too."""
    number_of = {sheet.table.measure: number for number, sheet in sheets.items()}
    for one in joining.differences:
        whole, part = number_of[one.whole], number_of[one.part]
        at, of = _beside(one, sheets[whole], sheets[part], cells)
        also = [(number_of[m], parts) for m, parts in one.also]
        if also:
            at = of = at[np.all([sheets[n].present[at] for n, _ in also], axis=0)]
        left = sheets[whole].sum_of(one.whole_parts)[at] - sheets[part].sum_of(one.part_parts)[of]
        left = left - sum(sheets[n].sum_of(parts)[of] for n, parts in also)
        minimum = sheets[part].minimum
        if also and not ((left > 0) & (left < minimum)).any():
            continue  # of several taken away, only those that leave a few people are of use to a reader
        if not len(at) or (left < 0).any() or (one.is_same and left.any()):
            continue  # periods of two columns have the same names: the one is no part of the other there
        plus = [columns[whole, n][at] for n in sorted(one.whole_parts) if (whole, n) in columns]
        minus = [columns[part, n][of] for n in sorted(one.part_parts) if (part, n) in columns]
        minus += [columns[n, c][of] for n, parts in also for c in sorted(parts) if (n, c) in columns]
        if not one.is_same:
            minus.append(draft.add(
                _names(sheets[whole], one.component, at, cells, joining.editions),
                left.astype(np.float64),
                needed(left, np.where((left > 0) & (left < minimum), left + 1, NEVER)),
                np.zeros(len(at), dtype=bool),
            ))  # fmt: skip
        draft.tie(np.array([*plus, *minus]).T, np.array([1.0] * len(plus) + [-1.0] * len(minus)))


def _beside(one: Difference, whole: Sheet, part: Sheet, cells: Sequence[Cell]) -> tuple[Ints, Ints]:
    """The cells of one table, and those of another that are taken from them."""
    if one.whole_group is None and one.part_group is None:
        at = np.flatnonzero(whole.present & part.present)
        return at, at
    known = [
        {sheet.table.released_as.get(cells[i], cells[i]): i for i in np.flatnonzero(sheet.present).tolist()}
        for sheet in (whole, part)
    ]
    found = []
    for cell in known[1 if one.whole_group else 0]:
        if cell == Cell(cell.period):
            ends = (
                replace(cell, dimension=group[0], group=group[1]) if group else cell
                for group in (one.whole_group, one.part_group)
            )
            pair = [at.get(end, -1) for at, end in zip(known, ends, strict=True)]
            found += [pair] if min(pair) >= 0 else []
    both = np.array(found, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _add_sums(
    draft: Draft, sums: Sequence[Sum], sheets: Mapping[int, Sheet], columns: Columns, cells: Sequence[Cell]
) -> None:
    if not sums:
        return
    number_of = {sheet.table.measure: number for number, sheet in sheets.items()}
    index = {cell: at for at, cell in enumerate(cells)}

    def found(places: Sequence[Place]) -> list[int]:
        # A component that is nowhere has no columns, and adds nothing.
        told = [(number_of[m], component, index[cell]) for m, component, cell in places]
        return [int(columns[n, c][at]) for n, c, at in told if (n, c) in columns]

    for one in sums:
        whole, parts = found(one.whole), found(one.parts)
        draft.tie(np.array([[*parts, *whole]]), np.array([1.0] * len(parts) + [-1.0] * len(whole)))
