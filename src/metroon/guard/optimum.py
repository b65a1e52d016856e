"""Optimum: the pattern that withholds least of all, for tables of some hundred cells, and the proof that it does."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from metroon.guard.cover import Cover
from metroon.guard.knot import knots
from metroon.guard.solver import Program
from metroon.guard.suppress import suppress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from metroon.guard.cover import Relaxed
    from metroon.guard.knot import Knot
    from metroon.guard.system import Suppression, System

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

_OPEN, _SHUT = -1, -2
"""Stand for the choice of a cell that is never shown, and of one that always is."""
_TINY = 1e-6
"""What the search means by zero."""
_CLEAN = 1e-9
"""What a dual price means by zero."""
_FAR = 1_000.0
"""No cell needs to move farther than so many times the largest need."""
_HALF_OPEN = 0.02
"""How far a cell that is shown is thought open while the master problem is relaxed: it makes for sharper cuts."""
_DEEP = 0.02
"""By how much a relaxed solution must break a cut that is worth keeping."""
_CUTS = 40
"""Cuts that are looked for before the master problem is solved again."""
_LEAN = 0.3
"""How far the master problem leans to the best pattern: a share of the gap, or of the least that can be gained."""
_PATIENCE = 20
"""Cells that may be found safe in a row before a relaxed round ends; those that gave cuts before are asked first."""
_STALL, _GAIN = 8, 1e-4
"""The relaxed search ends when so many rounds have not raised the bound by this share."""


def optimum(system: System, *, hidden: Mask | None = None, seconds: float = 60.0) -> Suppression:
    """Chooses the cells to withhold such that the least is lost, and proves that nobody could lose less.

    A master problem chooses bundles of cells; a reader's linear programs then tell why a choice does not protect
    some cell: one inequality that every choice which does protect it keeps. These are added until the cheapest
    choice protects all. The pattern of ``suppress`` is where the search starts, and what is returned, with the gap
    told, when time runs out first.

    Args:
        system: What is true, what a reader knows, and which cells need doubt.
        hidden: Cells that are withheld already, and stay so.
        seconds: Processor time after which the search for less stops.

    Returns:
        The cells to withhold, with the same proof as that of ``suppress``, and what no pattern can lose less than.
        When some cell cannot be protected at all, it is failing, as it is there.

    Assumes:
        ``system.since`` plays no part: what is withheld for one minimum need not be withheld for a higher one. The
        lower bound is that of HiGHS, within its tolerances; that the cells are protected does not rest on it.

    Source:
        Fischetti and Salazar (2000), Journal of the American Statistical Association 95, 916-928,
        doi:10.1080/01621459.2000.10474282, sections 3 and 4: capacity constraints, bridgeless inequalities.

    Example:
        Two ways to protect the 3 in the middle: with the two cheap cells beside it, or with a dear one.

        >>> from metroon.guard.system import system
        >>> need = {"below": np.array([2.0, 0, 0, 0]), "above": np.array([3.0, 0, 0, 0])}
        >>> made = system(csr_array([[1, 1, 1, -1]]), [3, 20, 50, 73], **need, width=np.array([5.0, 0, 0, 0]))
        >>> found = optimum(made)
        >>> found.hidden.tolist(), found.is_optimal
        ([True, True, False, False], True)
    """
    until = time.process_time() + seconds
    start = suppress(system, hidden=hidden, seconds=seconds)
    if len(start.failing):
        return start
    search = _Search(system, start, hidden, until)
    search.run()
    return search.result()


@dataclass(frozen=True, eq=False)
class _Cut:
    """The inequality ``by @ chosen[things] >= 1``, and by how much a choice breaks it."""

    depth: float
    things: Ints
    by: Floats


class _Search:
    """The cuts, the best pattern and the bound while the search goes on.

    Bundles are the things that are chosen. Those that need doubt are withheld whatever is chosen beside.
    """

    def __init__(self, system: System, start: Suppression, hidden: Mask | None, until: float) -> None:
        self.best, self.bound = start, 0.0
        self._share_of_gap = _LEAN
        self._system, self._until = system, until
        self._may_hide = system.published & ~system.fixed
        _, self._bundle = np.unique(system.bundle, return_inverse=True)
        count = int(self._bundle.max(initial=-1)) + 1
        given = system.needs if hidden is None else system.needs | hidden
        self._must = np.bincount(self._bundle[given & self._may_hide], minlength=count) > 0
        lost = np.where(self._may_hide, system.weight, 0.0)
        weight = np.bincount(self._bundle, weights=lost, minlength=count).astype(np.float64)
        self._free = np.flatnonzero(~self._must & (weight > 0))
        self._cost, self._base = weight[self._free], float(weight[self._must].sum())
        self._cover = Cover(self._cost)
        # Where all weights are whole, a pattern that loses less loses at least 1 less.
        is_whole = bool((weight == np.rint(weight)).all())
        self._step = 1.0 - _TINY if is_whole else _TINY * max(1.0, self._base)
        movable = ~(system.published & system.fixed) & (system.ceiling > system.floor)
        number = np.full(count, _SHUT)
        number[self._must], number[self._free] = _OPEN, np.arange(len(self._free))
        gate = np.where(system.published, number[self._bundle], _OPEN)
        self._readers = [_Reader(knot, gate[knot.cells]) for knot in knots(system, movable, system.needs)]

    @property
    def _least(self) -> float:
        """What the best pattern loses, of what is chosen."""
        return float(self._system.weight[self.best.hidden].sum()) - self._base

    def run(self) -> None:
        """Raises the bound and lowers the best pattern until they meet, or time is over."""
        relaxed = self._relax()
        while relaxed is not None and not self._is_settled() and not self._is_over():
            # What costs more than the best pattern as soon as it is chosen need not be looked at.
            open_ = relaxed.cost + relaxed.marginal < self._least - self._step
            seconds = self._until - time.process_time()
            chosen, bound = self._cover.whole(open_, seconds=seconds, dearer=self._lean())
            self.bound = max(self.bound, min(bound, self._least))
            if chosen is None or self._is_settled():
                return
            added = self._bridge(chosen.astype(float)) + self._cut(chosen.astype(float), is_whole=True)
            self._try(chosen)
            if not added and not self._share_of_gap:
                return
            self._share_of_gap = self._share_of_gap if added else 0.0
            relaxed = self._relax(rounds=1)

    def _lean(self) -> Floats:
        # What the best pattern does not withhold is made dearer by a little. Of many choices that lose the same, the
        # one that is found is then likely one that protects.
        kept = np.zeros(len(self._must), dtype=bool)
        kept[self._bundle[self.best.hidden]] = True
        gap = self._share_of_gap * (self._least - self.bound)
        return np.where(kept[self._free], 0.0, max(_LEAN * self._step, gap) / max(1.0, self._least))

    def _is_settled(self) -> bool:
        return self.bound > self._least - self._step

    def _is_over(self) -> bool:
        return time.process_time() > self._until

    def _relax(self, rounds: float = np.inf) -> Relaxed | None:
        """Cuts off what protects only because bundles are withheld in part, while that raises the bound."""
        seen: list[float] = []
        while True:
            relaxed = self._cover.relaxed()
            if relaxed is None:
                return None
            self.bound = max(self.bound, relaxed.cost)
            seen.append(relaxed.cost)
            is_stalled = len(seen) > _STALL and seen[-1] - seen[-1 - _STALL] <= _GAIN * abs(seen[-1])
            if self._is_settled() or self._is_over() or is_stalled or len(seen) >= rounds:
                return relaxed
            if not self._bridge(relaxed.chosen) + self._cut(relaxed.chosen, is_whole=False):
                return relaxed

    def _bridge(self, chosen: Floats) -> int:
        return sum(self._cover.add(*row) for reader in self._readers for row in reader.bridges(chosen))

    def _cut(self, chosen: Floats, *, is_whole: bool) -> int:
        found = [cut for reader in self._readers for cut in reader.cuts(chosen, is_whole=is_whole)]
        return sum(self._cover.add(cut.things, cut.by, 1.0) for cut in found)

    def _try(self, chosen: Mask) -> None:
        """Takes what was chosen, with what must be withheld beside it, if that loses less than the best pattern."""
        pattern = np.zeros(len(self._must), dtype=bool)
        pattern[self._free[chosen]] = True
        cells = (pattern | self._must)[self._bundle] & self._may_hide
        found = suppress(self._system, hidden=cells, seconds=max(0.0, self._until - time.process_time()))
        if not len(found.failing) and self._system.weight[found.hidden].sum() < self._least + self._base:
            self.best = found

    def result(self) -> Suppression:
        """The best pattern, with what is proven of it."""
        lost, bound = self._least + self._base, self._base + min(self.bound, self._least)
        is_optimal = self._is_settled()
        if is_optimal:
            words = f"no other pattern loses less than this one ({lost:.6g} by the weights of the cells)"
        else:
            words = f"this pattern loses {lost:.6g} by the weights of the cells; none can lose less than {bound:.6g}"
        told = (*self.best.told, words)
        return replace(self.best, lower_bound=lost if is_optimal else bound, is_optimal=is_optimal, told=told)


class _Reader:
    """A reader of one knot: tells which choices leave a cell too little doubt, and why.

    Args:
        knot: The cells.
        gate: For each cell the number of the choice that withholds it; ``_OPEN`` when no reader sees it whatever is
            chosen, ``_SHUT`` when every reader does.
    """

    def __init__(self, knot: Knot, gate: Ints) -> None:
        self._knot, self._gate = knot, gate
        self._matrix = csr_array(knot.matrix).astype(np.float64)
        self._program = Program(knot.columns, np.zeros(len(gate)), np.zeros(len(gate)), is_primal=True)
        self._every = np.arange(len(gate))
        self._alone = np.bincount(gate[gate >= 0], minlength=int(gate.max(initial=0)) + 1)[np.maximum(gate, 0)] == 1
        self._alone &= gate >= 0
        self._blamed = {True: np.zeros(len(gate)), False: np.zeros(len(gate))}
        self._duals = np.zeros(self._matrix.shape[0])
        self._far = _FAR * float(max(knot.above.max(initial=0.0), knot.below.max(initial=0.0)))

    def bridges(self, chosen: Floats) -> Iterator[tuple[Ints, Floats, float]]:
        """Rows that break: a cell that alone is withheld in an equation is known, so it is withheld for nothing."""
        share = self._opened(chosen)
        for start, end in pairwise(self._matrix.indptr.tolist()):
            cells = self._matrix.indices[start:end]
            is_open = self._gate[cells] == _OPEN
            if is_open.sum() > 1:
                continue
            total = share[cells].sum()
            for cell in cells[share[cells] > total - share[cells] + _TINY].tolist():
                others = np.unique(self._gate[cells[(cells != cell) & (self._gate[cells] >= 0)]])
                if self._gate[cell] == _OPEN and self._knot_needs(cell):
                    yield others, np.ones(len(others)), 1.0
                elif self._alone[cell] and not is_open.any():
                    things, signs = np.append(others, self._gate[cell]), np.append(np.ones(len(others)), -1.0)
                    yield things, signs, 0.0

    def _knot_needs(self, cell: int) -> bool:
        return bool(max(self._knot.above[cell], self._knot.below[cell]) > 0)

    def cuts(self, chosen: Floats, *, is_whole: bool) -> list[_Cut]:
        """Inequalities that a choice breaks, the deepest first: each is kept by every choice that protects a cell."""
        found = [cut for is_rise in (True, False) for cut in self._cuts(chosen, is_rise, is_whole)]
        return sorted(found, key=lambda cut: -cut.depth)

    def _cuts(self, chosen: Floats, is_rise: bool, is_whole: bool) -> list[_Cut]:
        needs, blamed = self._knot.above if is_rise else self._knot.below, self._blamed[is_rise]
        found: list[_Cut] = []
        reached, cells, safe = np.zeros(len(needs)), np.flatnonzero(needs > 0), 0
        for cell in cells[np.lexsort((-needs[cells], -blamed[cells]))].tolist():
            need = float(needs[cell])
            if reached[cell] >= need * (1 - _TINY):
                continue
            share = self._opened(chosen)
            moved = self._farthest(cell, is_rise, need, share if is_whole else self._ajar(share), is_whole)
            if moved is None:
                continue
            # What one solution moves far enough is in doubt too, unless it needs more room than was given here.
            reached = np.maximum(reached, np.where(needs <= need, moved, 0.0))
            safe = safe + 1 if moved[cell] >= need * (1 - _TINY) else 0
            cut = None if safe else self._sharpest(cell, is_rise, need, chosen, is_whole)
            if cut is not None and cut.depth > (_TINY if is_whole else _DEEP):
                found.append(cut)
                blamed[cell] += 1
            if not is_whole and found and (safe > _PATIENCE or len(found) >= _CUTS):
                break
        return found

    def _sharpest(self, cell: int, is_rise: bool, need: float, chosen: Floats, is_whole: bool) -> _Cut | None:
        plain = self._why(cell, is_rise, need, chosen)
        if not is_whole:
            return plain
        self._farthest(cell, is_rise, need, self._ajar(self._opened(chosen)), is_whole=False)
        sharper = self._why(cell, is_rise, need, chosen)
        return sharper if sharper is not None and sharper.depth > _TINY else plain

    def _opened(self, chosen: Floats) -> Floats:
        share = np.append(chosen, 0.0)[np.where(self._gate >= 0, self._gate, -1)]
        return np.asarray(np.where(self._gate == _OPEN, 1.0, share))

    def _ajar(self, share: Floats) -> Floats:
        return np.asarray(np.where(self._gate == _SHUT, 0.0, np.minimum(1.0, share + _HALF_OPEN)))

    def _farthest(self, cell: int, is_rise: bool, need: float, share: Floats, is_whole: bool) -> Floats | None:
        """The change of each cell, upward where it rises, when one cell moves as far as it can, up to its need."""
        # Other cells of a relaxed problem are given no more room than the one cell needs: that makes sharp cuts.
        far = self._far if is_whole else need
        low, high = -np.minimum(self._knot.room_down, far) * share, np.minimum(self._knot.room_up, far) * share
        one = np.array([cell])
        low[cell], high[cell] = (low[cell], min(high[cell], need)) if is_rise else (max(low[cell], -need), high[cell])
        self._program.bound(self._every, low, high)
        self._program.price(one, np.array([-1.0 if is_rise else 1.0]))
        moved = self._program.solve()
        self._duals = self._program.duals() if moved is not None else np.zeros(self._matrix.shape[0])
        self._program.price(one, np.zeros(1))
        return None if moved is None else (moved if is_rise else -moved)

    def _why(self, cell: int, is_rise: bool, need: float, chosen: Floats) -> _Cut | None:
        """By how much a choice breaks the inequality that the last program gave, and the inequality."""
        # By duality a cell moves no farther than the room of all cells, each as dear as the equations make it.
        dear = np.asarray(self._matrix.T @ self._duals)
        dear[cell] += 1.0 if is_rise else -1.0
        dear[np.abs(dear) < _CLEAN] = 0.0
        room = np.where(dear > 0, self._knot.room_up, self._knot.room_down)
        with np.errstate(invalid="ignore"):
            reach = np.where(dear == 0, 0.0, np.abs(dear) * room)
        least = need - float(reach[self._gate == _OPEN].sum())
        if not least > _TINY:
            return None
        through = self._gate >= 0
        sums = np.bincount(self._gate[through], weights=reach[through], minlength=len(chosen))
        by = np.minimum(sums, least).astype(np.float64) / least
        things = np.flatnonzero(by > _CLEAN)
        return _Cut(1.0 - float(by[things] @ chosen[things]), things, by[things])
