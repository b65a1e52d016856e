"""Regions: the part of a large table around a cell in which another table for it is looked for first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

_SMALL = 1_000
"""Cells up to which a table is one region."""


class Regions:
    """The sub-tables of a table: around a cell, its siblings and totals in each dimension, and all that these span.

    No dimensions are told: they are read off the equations. Two equations are of one dimension and level when the
    cells of one lie opposite those of the other, each pair in an equation of its own, as the districts of one year
    and those of another.

    Args:
        matrix: The equations, one a row.

    Example:
        Two rows of two and their totals: nine cells, one region.

        >>> from scipy.sparse import identity, kron, vstack
        >>> line = csr_array([[1, 1, -1]])
        >>> table = csr_array(vstack([kron(line, identity(3)), kron(identity(3), line)]))
        >>> [len(region) for region in Regions(table).around(0)]
        [9]
    """

    def __init__(self, matrix: csr_array) -> None:
        self._lines = csr_array((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
        self._of_cell = csr_array(self._lines.T)
        self._kind: Ints | None = None
        self._parts: dict[tuple[int, ...], Ints] = {}

    def around(self, cell: int) -> Iterator[Ints]:
        """The regions around a cell, each within the next; the last is the whole table."""
        count = self._lines.shape[1]
        if count <= _SMALL:
            yield np.arange(count)
            return
        kind = self._kinds()
        region, kinds = np.array([cell]), np.zeros(0, dtype=np.int64)
        while len(region) < count:
            more = np.unique(kind[self._of_cell[region].indices])
            if len(more) == len(kinds):
                return
            kinds = more
            region = self._closure(tuple(kinds.tolist()), cell)
            yield region

    def _kinds(self) -> Ints:
        if self._kind is None:
            self._kind = _kinds(self._lines)
        return self._kind

    def _closure(self, kinds: tuple[int, ...], cell: int) -> Ints:
        if kinds not in self._parts:
            lines = self._lines[np.flatnonzero(np.isin(self._kinds(), kinds))]
            count = lines.shape[1]
            where, by = lines.nonzero()
            graph = coo_array((np.ones(len(by)), (by, count + where)), shape=(count + lines.shape[0],) * 2)
            _, label = connected_components(graph, directed=False)
            self._parts[kinds] = label[:count].astype(np.int64)
        part = self._parts[kinds]
        return np.flatnonzero(part == part[cell])


def _kinds(lines: csr_array) -> Ints:
    # Which equations are of one dimension and level.
    count = lines.shape[0]
    near = csr_array(lines.T @ lines)
    near.setdiag(0)
    across = coo_array(lines @ near @ lines.T)
    size = np.diff(lines.indptr)
    opposite = (across.data == size[across.row]) & (across.data == size[across.col])
    meet = csr_array(lines @ lines.T)
    row, column = across.row[opposite], across.col[opposite]
    apart = np.asarray(meet[row, column]).ravel() == 0
    graph = coo_array((np.ones(apart.sum()), (row[apart], column[apart])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
