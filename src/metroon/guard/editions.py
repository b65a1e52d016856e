"""Editions: what a release tells together with everything that was released of the same people before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from metroon.guard.draft import Draft, Needed
from metroon.guard.joint import needed
from metroon.guard.sheet import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from metroon.guard.system import Name, Proof, System

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

MORE, LESS = " more", " less"
"""End the name of a component whose cells hold by how much a number rose, or fell, from one edition to the next."""
_WORDS = 7
"""A name without its edition."""


@dataclass(frozen=True, eq=False)
class Known:
    """A system together with what earlier editions told.

    Args:
        system: All cells: those of the release first, then those of earlier editions, then what changed.
        withheld: Cells that an earlier edition withheld and that are the same: they stay withheld.
        cells: For each cell of the release, its number in the system.
    """

    system: System
    withheld: Mask
    cells: Ints


def with_earlier(now: System, earlier: Sequence[Proof], minimums: Mapping[str, int]) -> Known:
    """What a reader knows who has kept every edition.

    A cell whose number is what it was in the last edition is the same cell: shown then, it is known for good; withheld
    then, it stays withheld. A cell whose number has changed tells, beside the number before, by how much: these people
    came, left, or were corrected, and are protected as any count is. That the reader knows whether a number rose or
    fell, and that nobody left where it rose, is taken for granted: whoever knows less is in more doubt.

    Args:
        now: The system of a release by itself.
        earlier: The proofs of all that was released of the same people, in the order of release.
        minimums: Measure -> changes from 1 to one less than this are small; 0 for things.

    Returns:
        The system over all editions. Needs of cells that were shown are dropped: they cannot be taken back.
    """
    if not earlier:
        return Known(now, np.zeros(now.cells, dtype=bool), np.arange(now.cells))
    past = _Past.of(earlier)
    last = past.last()
    before = np.array([last.get(name[:_WORDS], -1) for name in now.names], dtype=np.int64)
    was = np.where(before >= 0, past.value[before], np.nan)
    is_same = was == now.value
    same = np.flatnonzero(is_same)
    at = before[same]
    is_told = np.zeros(now.cells, dtype=bool)
    is_told[same] = past.shown[at]
    withheld = np.zeros(now.cells, dtype=bool)
    withheld[same] = past.withheld[at]
    draft = Draft()
    names = list(now.names)
    for i, j in zip(same.tolist(), at.tolist(), strict=True):
        names[i] = past.names[j]
    changed = np.flatnonzero((before >= 0) & ~is_same)
    for i, j in zip(changed.tolist(), before[changed].tolist(), strict=True):
        # A cell that is never shown may change while its measure is not released again.
        names[i] = (*names[i][:_WORDS], str(max(int(names[i][_WORDS]), int(past.names[j][_WORDS]) + 1)))
    own = draft.add(
        names, now.value, _both(now, past, same, at, is_told), now.published | is_told | withheld,
        weight=now.weight, bundle=np.where(is_told, -1, now.bundle), fixed=is_told,
        floor=now.floor, ceiling=now.ceiling,
    )  # fmt: skip
    draft.add_lines(now.matrix, own)
    rest = np.setdiff1d(np.arange(len(past.names)), at)
    kept = draft.add(
        [past.names[j] for j in rest.tolist()], past.value[rest], past.needed(rest), past.published[rest],
        fixed=past.shown[rest], floor=past.floor[rest], ceiling=past.ceiling[rest],
    )  # fmt: skip
    placed = np.empty(len(past.names), dtype=np.int64)
    placed[rest], placed[at] = kept, own[same]
    for matrix, where in past.lines:
        draft.add_lines(matrix, placed[where])
    _tie_changes(draft, replace(now, names=names), changed, placed[before[changed]], was[changed], minimums)
    made = draft.system()
    stays = np.zeros(made.cells, dtype=bool)
    stays[own], stays[kept] = withheld, past.withheld[rest]
    return Known(_without_twins(made), stays, own)


@dataclass(frozen=True, eq=False)
class _Past:
    """Every cell of earlier releases once."""

    names: list[Name]
    value: Floats
    published: Mask
    shown: Mask
    needs: Needed
    floor: Floats
    ceiling: Floats
    lines: list[tuple[csr_array, Ints]]

    @classmethod
    def of(cls, earlier: Sequence[Proof]) -> _Past:
        number: dict[Name, int] = {}
        places = [
            np.array([number.setdefault(n, len(number)) for n in p.system.names], dtype=np.int64) for p in earlier
        ]
        n = len(number)
        value, floor, ceiling = np.zeros(n), np.full(n, -np.inf), np.full(n, np.inf)
        published, shown = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        below, above, width, since = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int64)
        for proof, at in zip(earlier, places, strict=True):
            told = proof.system
            value[at] = told.value
            floor[at], ceiling[at] = np.maximum(floor[at], told.floor), np.minimum(ceiling[at], told.ceiling)
            published[at] |= told.published
            for need, theirs in ((below, told.below), (above, told.above), (width, told.width)):
                need[at] = np.maximum(need[at], theirs)
            since[at] = np.maximum(since[at], told.since)
            shown[at] |= proof.shown
        for need in (below, above, width):
            need[shown] = 0.0
        lines = [(p.system.matrix, at) for p, at in zip(earlier, places, strict=True)]
        return cls(list(number), value, published, shown, Needed(below, above, width, since), floor, ceiling, lines)

    @property
    def withheld(self) -> Mask:
        return self.published & ~self.shown

    def needed(self, at: Ints) -> Needed:
        needs = self.needs
        return Needed(needs.below[at], needs.above[at], needs.width[at], needs.since[at])

    def last(self) -> dict[Name, int]:
        """Name without edition -> the cell of the last edition."""
        found: dict[Name, int] = {}
        for number, name in enumerate(self.names):
            known = found.get(name[:_WORDS])
            if known is None or int(self.names[known][_WORDS]) < int(name[_WORDS]):
                found[name[:_WORDS]] = number
        return found


def _both(now: System, past: _Past, same: Ints, at: Ints, is_told: Mask) -> Needed:
    """The needs of a release, and those that the same cells had before."""
    before = past.needed(at)
    made = []
    for own, theirs in ((now.below, before.below), (now.above, before.above), (now.width, before.width)):
        both = own.copy()
        both[same] = np.maximum(own[same], theirs)
        both[is_told] = 0.0
        made.append(both)
    since = now.since.copy()
    fresh = ~now.needs[same]
    since[same[fresh]] = before.since[fresh]
    return Needed(made[0], made[1], made[2], since)


def _tie_changes(
    draft: Draft, now: System, changed: Ints, before: Ints, was: Floats, minimums: Mapping[str, int]
) -> None:
    for is_more in (True, False):
        here = np.flatnonzero((now.value[changed] > was) == is_more)
        cells = changed[here]
        if not len(cells):
            continue
        moved = np.rint(np.abs(now.value[cells] - was[here])).astype(np.int64)
        names = [now.names[i] for i in cells.tolist()]
        minimum = np.array([minimums.get(name[0], 0) for name in names])
        is_small = (moved > 0) & (moved < minimum)
        change = draft.add(
            [(name[0], name[1] + (MORE if is_more else LESS), *name[2:]) for name in names],
            moved.astype(np.float64),
            needed(moved, np.where(is_small, moved + 1, NEVER)),
            np.zeros(len(cells), dtype=bool),
        )
        sign = 1.0 if is_more else -1.0
        draft.tie(np.array([cells, before[here], change]).T, np.array([1.0, -1.0, -sign]))


def _without_twins(system: System) -> System:
    """The system with each equation once: two editions of unchanged cells have the same sums."""
    matrix = system.matrix.copy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    starts = matrix.indptr.tolist()
    seen: dict[tuple[bytes, bytes], int] = {}
    for row, (begin, end) in enumerate(pairwise(starts)):
        if end > begin:
            seen.setdefault((matrix.indices[begin:end].tobytes(), matrix.data[begin:end].tobytes()), row)
    return replace(system, matrix=csr_array(matrix[sorted(seen.values())]))


def measures_of(proofs: Iterable[Proof]) -> set[str]:
    """The measures and tables that some proofs speak of."""
    return {name[0] for proof in proofs for name in proof.system.names}
