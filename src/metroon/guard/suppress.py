"""Suppress: which cells of a table to withhold, so that none that needs doubt can be worked out, and the proof."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from metroon.guard.cleanup import release
from metroon.guard.knot import Knot, knots
from metroon.guard.repair import Repair, certify
from metroon.guard.system import Alternatives, Suppression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from metroon.guard.system import System

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

_TRIALS = 500
"""Programs that may be spent on showing cells again: a fixed number, so that no clock decides."""


def suppress(
    system: System, *, hidden: Mask | None = None, insiders: bool = False, seconds: float | None = None
) -> Suppression:
    """Chooses the cells to withhold, least loss first, and proves that each cell which needs doubt stays in doubt.

    All cells that need doubt are withheld, then others, until each of them has two alternative tables: tables that
    are possible to a reader, in which the cell is far enough above and below the truth. What is not needed in the
    end is shown again, dearest first.

    Args:
        system: What is true, what a reader knows, and which cells need doubt.
        hidden: Cells that are withheld already, and stay so.
        insiders: Whether the one person behind a cell of 1 is a reader too: such a cell is then taken as known to
            that reader, and all others must stay in doubt all the same.
        seconds: Processor time after which the search stops. What is not proven then fails. None: as long as it
            takes, so that no clock decides what is withheld.

    Returns:
        The cells to withhold, the proof, and the cells without one. The order of cells does not matter when they
        have names. What is withheld for a lower minimum is withheld for a higher one too, as ``system.since`` tells,
        when the two systems are the same in all but their needs.

    Raises:
        ValueError: ``hidden`` has another length than the system.

    Source:
        Fischetti and Salazar (2000), Journal of the American Statistical Association 95, 916-928,
        doi:10.1080/01621459.2000.10474282: protection levels and alternative tables. Cox (1995), Journal of the
        American Statistical Association 90, 1453-1462, doi:10.1080/01621459.1995.10476651: one alternative
        table at a time, the cheapest first.

    Example:
        Two parts and their total, 3 + 20 = 23. To withhold the 3, the 20 must go too.

        >>> from metroon.guard.system import system
        >>> made = system(csr_array([[1, 1, -1]]), [3, 20, 23], below=np.array([2.0, 0, 0]),
        ...     above=np.array([3.0, 0, 0]), width=np.array([5.0, 0, 0]))
        >>> found = suppress(made)
        >>> found.hidden.tolist(), found.failing.tolist()
        ([True, True, False], [])
    """
    given = np.zeros(system.cells, dtype=bool) if hidden is None else np.asarray(hidden, dtype=bool)
    if len(given) != system.cells:
        raise ValueError("hidden has another length than the system")
    order = _order(system)
    ordered = _sorted(system, order)
    work = _Work.of(ordered, given[order] & ordered.published & ~ordered.fixed, seconds, insiders=insiders)
    for stage in np.unique(ordered.since[ordered.needs]).tolist():
        work.protect(ordered.needs & (ordered.since <= stage))
    return work.result(np.argsort(order))


@dataclass(eq=False)
class _Work:
    """The search while it goes on."""

    system: System
    hidden: Mask
    given: Mask
    bundles: Sequence[Ints]
    knots: Sequence[Knot]
    repairs: Sequence[Repair]
    until: float
    is_late: bool = False

    @classmethod
    def of(cls, system: System, given: Mask, seconds: float | None, *, insiders: bool) -> _Work:
        _, bundle = np.unique(system.bundle, return_inverse=True)
        by_bundle = np.argsort(bundle, kind="stable")
        bundles = np.split(by_bundle, np.searchsorted(bundle[by_bundle], np.arange(1, bundle.max(initial=0) + 1)))
        price = _price(system)
        movable = ~(system.published & system.fixed) & (system.ceiling > system.floor)
        found = list(knots(system, movable, system.needs))
        repairs = [Repair(knot, price[knot.cells]) for knot in found]
        for knot, repair in list(zip(found, repairs, strict=True)) if insiders else ():
            for cell in np.flatnonzero(system.needs[knot.cells] & (system.value[knot.cells] == 1)).tolist():
                found.append(knot.as_known_to(cell))
                repairs.append(Repair(found[-1], price[knot.cells], repair.regions))
        until = np.inf if seconds is None else time.process_time() + seconds
        work = cls(replace(system, bundle=bundle), given.copy(), given, bundles, found, repairs, until)
        work.hide(given)
        return work

    def hide(self, cells: Mask) -> None:
        """Withholds cells, and what goes with them."""
        chosen = np.zeros(len(self.bundles), dtype=bool)
        chosen[self.system.bundle[cells & self.system.published]] = True
        self.hidden |= chosen[self.system.bundle] & self.system.published & ~self.system.fixed

    def unseen(self, knot: Knot) -> Mask:
        """The cells of a knot that a reader does not see."""
        return ~self.system.shown(self.hidden)[knot.cells]

    def protect(self, active: Mask) -> None:
        """Withholds what the active cells need, and shows again what they do not."""
        self.hide(active & self.system.published)
        known: dict[int, Knot] = {}
        for knot, repair in zip(self.knots, self.repairs, strict=True):
            here = active[knot.cells]
            # What one reader cannot rule out, most insiders cannot either.
            first = known.setdefault(int(knot.cells[0]), knot)
            if first is not knot and (here & (knot.short(is_rise=True) | knot.short(is_rise=False))).any():
                knot.share(first)
            if here.any():
                certify(knot, self.unseen(knot), here)
                self._repair(knot, repair, here)
        self._release(active)
        # What a lower minimum withholds, a higher one withholds too.
        self.given = self.hidden.copy()

    def _repair(self, knot: Knot, repair: Repair, active: Mask) -> None:
        # Twice: what was hard at first is often easy, or done, when the rest is. Then the search is long.
        for is_last in (False, True):
            for cell in np.flatnonzero(active).tolist():
                for is_rise in (True, False):
                    if self._is_over():
                        return
                    if knot.short(is_rise=is_rise)[cell]:
                        change = repair.change(cell, is_rise, self.unseen(knot), is_last=is_last)
                        if change is not None:
                            moved = np.zeros(self.system.cells, dtype=bool)
                            moved[knot.cells[change != 0]] = True
                            self.hide(moved)

    def _release(self, active: Mask) -> None:
        kept = self.given | (active & self.system.published)
        kept_bundles = np.zeros(len(self.bundles), dtype=bool)
        kept_bundles[self.system.bundle[kept]] = True
        spare = np.unique(self.system.bundle[self.hidden & ~kept_bundles[self.system.bundle]])
        begun = sum(repair.solved for repair in self.repairs)
        loss = np.array([self.system.weight[self.bundles[b]].sum() for b in spare])
        for bundle in spare[np.argsort(-loss, kind="stable")].tolist():
            if self._is_over():
                return
            cells = np.zeros(self.system.cells, dtype=bool)
            cells[self.bundles[bundle]] = True
            cells &= self.hidden
            unseen = ~self.system.shown(self.hidden & ~cells)
            parts = [
                (knot, repair, unseen[knot.cells], cells[knot.cells], active[knot.cells])
                for knot, repair in zip(self.knots, self.repairs, strict=True)
                if cells[knot.cells].any()
            ]
            if release(parts):
                self.hidden &= ~cells
            if sum(repair.solved for repair in self.repairs) > begun + _TRIALS:
                return

    def _is_over(self) -> bool:
        self.is_late = self.is_late or time.process_time() > self.until
        return self.is_late

    def result(self, place: Ints) -> Suppression:
        """What has been found, with each cell back in its place."""
        system = self.system
        up, down = np.full(system.cells, -1), np.full(system.cells, -1)
        proven = np.ones(system.cells, dtype=bool)
        tied = np.zeros(system.cells, dtype=bool)
        rows: list[tuple[Ints, Floats]] = []
        # The views of insiders come first here, so that the proof for all readers stays in the end.
        for knot in reversed(self.knots):
            needs = system.needs[knot.cells]
            tied[knot.cells] = True
            proven[knot.cells] &= ~knot.short(is_rise=True) & ~knot.short(is_rise=False)
            used = np.unique(np.concatenate([knot.up[needs], knot.down[needs]]))
            used = used[used >= 0]
            number = np.full(len(knot.tables) + 1, -1)
            number[used] = len(rows) + np.arange(len(used))
            up[knot.cells[needs]], down[knot.cells[needs]] = number[knot.up[needs]], number[knot.down[needs]]
            tables = [knot.tables[at] for at in used.tolist()]
            rows += [(knot.cells[support], change * knot.unit) for support, change in tables]
        to = np.argsort(place)
        starts = np.cumsum([0, *(len(support) for support, _ in rows)])
        where = np.concatenate([to[support] for support, _ in rows]) if rows else np.zeros(0, dtype=np.int64)
        by = np.concatenate([change for _, change in rows]) if rows else np.zeros(0)
        changes = csr_array((by, where, starts), shape=(len(rows), system.cells))
        failing = np.sort(to[np.flatnonzero(system.needs & ~(proven & tied))])
        alternatives = Alternatives(changes, up[place], down[place])
        return Suppression(self.hidden[place], alternatives, failing, told=self._told(len(failing)))

    def _told(self, failing: int) -> tuple[str, ...]:
        needs = int(self.system.needs.sum())
        told = [f"{needs - failing} of {needs} cells have two other tables that a reader must allow for"]
        if failing:
            told.append(f"for {failing} cells no such tables were found: nothing of this may be published")
        if self.is_late:
            told.append("the search was stopped when its time was over")
        return tuple(told)


def _order(system: System) -> Ints:
    if not system.names:
        return np.arange(system.cells)
    return np.array(sorted(range(system.cells), key=lambda at: system.names[at]), dtype=np.int64)


def _sorted(system: System, order: Ints) -> System:
    matrix = csr_array(system.matrix)[:, order].tocsr()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    rows = [
        (tuple(matrix.indices[a:b].tolist()), tuple(matrix.data[a:b].tolist()), at)
        for at, (a, b) in enumerate(zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True))
    ]
    arrays = {
        name: getattr(system, name)[order]
        for name in ("value", "published", "below", "above", "width", "since", "weight", "bundle", "fixed")
    }
    return replace(
        system,
        **arrays,
        matrix=csr_array(matrix[[at for _, _, at in sorted(rows)]]).astype(np.float64),
        floor=system.floor[order],
        ceiling=system.ceiling[order],
        names=[system.names[at] for at in order.tolist()] if system.names else (),
    )


def _price(system: System) -> Floats:
    # What withholding a cell loses, with all that goes with it. Equal losses are told apart by the cell's name, so
    # that neither order nor edition changes the choice.
    _, bundle = np.unique(system.bundle, return_inverse=True)
    lost = np.where(system.published, system.weight, 0.0)
    price: Floats = np.bincount(bundle, weights=lost)[bundle].astype(np.float64)
    if system.names:
        marks = np.array([zlib.crc32("|".join(name).encode()) for name in system.names])
        price = price * (1 + 0.001 * marks / 2**32)
    return np.asarray(price)
