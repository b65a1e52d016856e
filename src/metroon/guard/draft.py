"""Drafts: a system that is being put together, cells and equations one batch after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from metroon.guard.system import System

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from metroon.guard.system import Name

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Needed:
    """The doubt that must stay about some cells; in every array one entry a cell.

    Args:
        below: How far under the truth a reader's interval must reach; 0 where there is no need.
        above: How far over it.
        width: How wide it must be.
        since: Smallest minimum at which the doubt is needed.
    """

    below: Floats
    above: Floats
    width: Floats
    since: Ints


def nothing_needed(cells: int) -> Needed:
    """No doubt about any cell."""
    zeros = np.zeros(cells)
    return Needed(zeros, zeros, zeros, np.zeros(cells, dtype=np.int64))


@dataclass
class Draft:
    """A system that is being put together.

    Example:
        >>> draft = Draft()
        >>> at = draft.add([("m", p) for p in "ab"], np.array([3.0, 3.0]), nothing_needed(2), np.ones(2, dtype=bool))
        >>> draft.tie(np.array([at]), np.array([1.0, -1.0]))
        >>> draft.system().matrix.toarray().tolist()
        [[1.0, -1.0]]
    """

    names: list[Name] = field(default_factory=list)
    _columns: list[tuple[Floats, ...]] = field(default_factory=list)
    _entries: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    _equations: int = 0

    def add(
        self,
        names: Sequence[Name],
        value: Floats,
        needed: Needed,
        published: Mask,
        *,
        weight: Floats | None = None,
        bundle: Ints | None = None,
        fixed: Mask | None = None,
        floor: Floats | None = None,
        ceiling: Floats | None = None,
    ) -> Ints:
        """Adds cells and returns their numbers. A bundle below 0, or none, is one of the cell alone."""
        n = len(value)
        at = np.arange(len(self.names), len(self.names) + n)
        own = -1 - at
        made = (
            value, published, needed.below, needed.above, needed.width, needed.since,
            np.ones(n) if weight is None else weight,
            own if bundle is None else np.where(bundle < 0, own, bundle),
            np.zeros(n, dtype=bool) if fixed is None else fixed,
            np.zeros(n) if floor is None else floor,
            np.full(n, np.inf) if ceiling is None else ceiling,
        )  # fmt: skip
        self.names += names
        self._columns.append(tuple(np.asarray(column) for column in made))
        return at

    def tie(self, cells: Ints, signs: Floats) -> None:
        """Adds one equation for each row of numbers of cells, with the same signs in all of them."""
        rows = self._equations + np.repeat(np.arange(len(cells)), cells.shape[1])
        self._entries.append((rows, cells.ravel(), np.tile(signs, len(cells))))
        self._equations += len(cells)

    def add_lines(self, matrix: csr_array, at: Ints) -> None:
        """Adds the equations of a matrix over some cells."""
        told = matrix.tocoo()
        rows = self._equations + told.row.astype(np.int64)
        self._entries.append((rows, at[told.col], told.data.astype(np.float64)))
        self._equations += matrix.shape[0]

    def system(self) -> System:
        """All that was added."""
        n = len(self.names)
        if not n:
            none, no = np.zeros(0), np.zeros(0, dtype=bool)
            whole = np.zeros(0, dtype=np.int64)
            return System(csr_array((0, 0)), none, no, none, none, none, whole, none, whole, no, none, none)
        value, published, below, above, width, since, weight, bundle, fixed, floor, ceiling = (
            np.concatenate(column) for column in zip(*self._columns, strict=True)
        )
        _, bundles = np.unique(bundle, return_inverse=True)
        rows, columns, signs = (
            np.concatenate([entry[i] for entry in self._entries]) if self._entries else np.zeros(0) for i in range(3)
        )
        matrix = csr_array((signs, (rows.astype(np.int64), columns.astype(np.int64))), shape=(self._equations, n))
        return System(
            matrix,
            value.astype(np.float64),
            published.astype(bool),
            below,
            above,
            width,
            since.astype(np.int64),
            weight,
            bundles.astype(np.int64),
            fixed.astype(bool),
            floor,
            ceiling,
            names=tuple(self.names),
        )
