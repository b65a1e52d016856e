"""Revisions: rows that came, went or were corrected since a release, and which of them wait for others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from metroon.base.estimate import ALL
from metroon.measure.cube import GROUP, REVISED, WHO
from metroon.measure.grid import grid, released_as

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from numpy.typing import NDArray

    from metroon.base.estimate import Cell
    from metroon.measure.cube import Cube, Finest
    from metroon.measure.grid import Shape
    from metroon.measure.tally import Tallied

    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]
    Marks = NDArray[np.uint64]

_PARTS = ("yes", "no", "unknown")


@dataclass(frozen=True, eq=False)
class Touched:
    """The numbers of one measure that some rows are counted in: one entry for each time.

    Args:
        row: Number of the row.
        count: Number of the count: of one component of one cell.
        was_shown: Whether an earlier release showed it.
        is_old: Whether its period was published before; ``all`` is no period.
        is_new: Whether its period is to be published now for the first time.
        minimum: Fewest people that may be told.
        worth: One entry a row: what tells apart the numbers that are added up or spread over it.
    """

    row: Ints
    count: Ints
    was_shown: Mask
    is_old: Mask
    is_new: Mask
    minimum: int
    worth: Marks


def touched(cube: Cube, tallied: Tallied, shown: Set[Cell], rows: int) -> Touched:
    """Where one measure counts rows that were told apart.

    Args:
        cube: The rows, each one a finest cell of its own.
        tallied: The measure as it is to be released now.
        shown: The cells that its last release showed.
        rows: How many rows there are.
    """
    finest, own = cube.finest, tallied.grid.shape
    made = grid(_with_groups(own, finest), finest)
    names = [released_as(c) for c in made.cells]
    before = {c.period for c in shown} - {ALL}
    now = {p for grain in own.periods.of.values() for p in own.periods.covered[grain]} - before - {ALL}
    was_shown = np.array([c in shown for c in names], dtype=bool)
    is_old = np.array([c.period in before for c in names], dtype=bool)
    is_new = np.array([c.period in now for c in names], dtype=bool)
    number_of = _numbers_of(finest)
    entries: list[tuple[Ints, Ints]] = []
    for at in made.at(finest):
        for number, part in enumerate(_PARTS):
            here = np.flatnonzero((at >= 0) & (finest.number(tallied.name, part) > 0))
            entries.append((number_of[here], at[here] * len(_PARTS) + number))
    row, count = (np.concatenate([e[i] for e in entries] or [np.zeros(0, dtype=np.int64)]) for i in range(2))
    cell = count // len(_PARTS)
    return Touched(
        row, count, was_shown[cell], is_old[cell], is_new[cell], tallied.minimum_cell, _worth(cube, tallied.name, rows)
    )


def _numbers_of(finest: Finest) -> Ints:
    """The number of the row that each finest cell is."""
    key = finest.keys[REVISED]
    return np.array([int(label or 0) for label in key.labels], dtype=np.int64)[key.at]


def _worth(cube: Cube, name: str, rows: int) -> Marks:
    found = np.zeros(rows, dtype=np.uint64)
    told = [
        (cube.finest, n)
        for k, n in sorted(cube.finest.numbers.items())
        if k.startswith(f"{name}/") and k != f"{name}/_days"
    ]
    spread = cube.spreads.get(name)
    told += [(spread, n) for _, n in sorted({**spread.numbers, **spread.values}.items())] if spread else []
    for at, (finest, numbers) in enumerate(told):
        as_marks = np.ascontiguousarray(numbers, dtype=np.float64).view(np.uint64)
        np.add.at(found, _numbers_of(finest), _mixed(as_marks ^ _mixed(np.full(1, at, dtype=np.uint64))))
    return found


def people(cube: Cube, rows: int) -> Ints:
    """One number a row: the same for rows of one person; rows that do not say whose they are may be of one."""
    who = cube.finest.keys.get(WHO)
    found = np.arange(rows)
    if who is not None:
        found[_numbers_of(cube.finest)] = who.at
    return found


def waits(every: Sequence[Touched], *, came: Mask, person: Ints) -> Mask:
    """Which revised rows wait, because some count that was shown would tell of too few who came, or who went.

    A row that came and one that went, alike in all that is counted, change no number. Rows of periods that are
    published for the first time never wait: there is nothing to subtract them from but totals of all time. All rows
    of a count with too few wait, and again those of the counts that then have too few, until nothing changes.

    Args:
        every: What each measure counts of them.
        came: One entry a row: whether it came; otherwise it went.
        person: Whose row it is.

    Returns:
        One entry a row. The order of rows does not matter.

    Example:
        Three rows came into one count that was shown, and twelve into another:

        >>> row, first = np.arange(15), np.arange(15) < 3
        >>> yes, no = np.ones(15, dtype=bool), np.zeros(15, dtype=bool)
        >>> counts = Touched(row, np.where(first, 0, 1), yes, yes, no, 11, np.zeros(15, dtype=np.uint64))
        >>> waits([counts], came=yes, person=row).sum()
        np.int64(3)
    """
    rows = len(came)
    passes, old = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=bool)
    for one in every:
        passes[one.row[one.is_new]] = True
        old[one.row[one.is_old]] = True
    passes &= ~old
    moves = ~_alike(every, came)
    held = np.zeros(rows, dtype=bool)
    while True:
        more = np.zeros(rows, dtype=bool)
        for one in every:
            here = one.was_shown & (moves & ~held)[one.row]
            more[one.row[here][_too_few(one, here, came, person)]] = True
        more &= ~passes
        if not more.any():
            return held
        held |= more


def _too_few(one: Touched, here: Mask, came: Mask, person: Ints) -> Mask:
    """Which of some entries are of counts into which, or out of which, or by the balance of which, too few go."""
    row, count = one.row[here], one.count[here]
    counts, at = np.unique(count, return_inverse=True)
    balance = np.abs(np.bincount(at, weights=np.where(came[row], 1, -1), minlength=len(counts)))
    few = (balance > 0) & (balance < one.minimum)
    for side in (came[row], ~came[row]):
        pairs = np.unique(np.stack([at[side], person[row[side]]]), axis=1)
        many = np.bincount(pairs[0], minlength=len(counts))
        few |= (many > 0) & (many < one.minimum)
    return np.asarray(few[at])


def _alike(every: Sequence[Touched], came: Mask) -> Mask:
    """Rows that came and rows that went, one for one, in the same counts: they change no number."""
    mark = np.zeros(len(came), dtype=np.uint64)
    for number, one in enumerate(every):
        mark += _mixed(one.worth ^ np.uint64(number))
        np.add.at(mark, one.row, _mixed(one.count.astype(np.uint64) + (np.uint64(number + 1) << np.uint64(40))))
    _, group = np.unique(mark, return_inverse=True)
    least = np.minimum(np.bincount(group, weights=came), np.bincount(group, weights=~came))
    found = np.zeros(len(came), dtype=bool)
    for side in (came, ~came):
        at = np.flatnonzero(side)
        at = at[np.argsort(group[at], kind="stable")]
        starts = np.searchsorted(group[at], group[at])
        found[at[np.arange(len(at)) - starts < least[group[at]]]] = True
    return found


def _mixed(numbers: Marks) -> Marks:
    # The finaliser of SplitMix64: a sum of mixed numbers tells sets of counts apart. Steele, Lea and Flood (2014),
    # doi:10.1145/2660193.2660195.
    z = numbers + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def _with_groups(shape: Shape, finest: Finest) -> Shape:
    """The shape with the groups that only rows which went have."""
    known = [
        (g, tuple(sorted({*labels, *(n for n in finest.keys[GROUP + g.by].labels if n is not None)})))
        for g, labels in shape.groups
    ]
    return replace(shape, groups=known)
