"""Solver: linear programs whose rows are equations with 0, the only thing that the guard asks of HiGHS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csc_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

NODES = 200
"""Branches that a search for whole numbers may take: a fixed number, so that no clock decides."""
_DUAL, _PRIMAL = 1, 4
_BY_COLUMN = 1
_MINIMISE = 1


class Program:
    """A linear program ``min cost x, matrix x = 0, low <= x <= high``, to be solved again as costs and bounds change.

    Args:
        matrix: The equations.
        low: Least value of each column; may be minus infinity.
        high: Most, likewise.
        is_primal: Whether only costs will change, so that each solution is a good start for the next.
        is_whole: Whether the columns must be whole numbers.

    Example:
        >>> program = Program(csc_array([[1.0, 1.0, -1.0]]), np.array([-3.0, -20, 0]), np.array([np.inf, 5, 0]))
        >>> program.price(np.array([0]), np.array([-1.0]))
        >>> program.solve().tolist()
        [20.0, -20.0, 0.0]
    """

    def __init__(
        self, matrix: csc_array, low: Floats, high: Floats, *, is_primal: bool = False, is_whole: bool = False
    ) -> None:
        # Waits for highspy, which takes long to load and which most commands never need.
        import highspy

        # The plain class below Highs: that one sets up calls back, which we never use, and prints its name in doing so.
        plain: Any = highspy.Highs.__mro__[1]
        self._highs = plain()
        self._optimal = highspy.HighsModelStatus.kOptimal
        self._limit = highspy.HighsModelStatus.kSolutionLimit
        self._endless = {highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible}
        self._infinity = highspy.kHighsInf
        used = np.bincount(matrix.indices, minlength=matrix.shape[0]) > 0
        kept = csc_array(matrix[used]) if not used.all() else matrix
        self._used = used
        self.columns = kept.shape[1]
        self.solved = 0
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", 1)
        if is_whole:
            self._highs.setOptionValue("mip_max_nodes", NODES)
        else:
            self._highs.setOptionValue("presolve", "off")
            self._highs.setOptionValue("solver", "simplex")
            self._highs.setOptionValue("simplex_strategy", _PRIMAL if is_primal else _DUAL)
        zeros = np.zeros(kept.shape[0])
        self._highs.passModel(
            self.columns,
            kept.shape[0],
            kept.nnz,
            _BY_COLUMN,
            _MINIMISE,
            0.0,
            np.zeros(self.columns),
            self._finite(low),
            self._finite(high),
            zeros,
            zeros,
            kept.indptr.astype(np.int32),
            kept.indices.astype(np.int32),
            kept.data.astype(np.float64),
            np.full(self.columns, int(is_whole), dtype=np.int32),
        )

    def price(self, columns: Ints, cost: Floats) -> None:
        """Sets what some columns cost."""
        self._highs.changeColsCost(len(columns), columns.astype(np.int32), cost.astype(np.float64))

    def bound(self, columns: Ints, low: Floats, high: Floats) -> None:
        """Sets between which values some columns may lie."""
        self._highs.changeColsBounds(len(columns), columns.astype(np.int32), self._finite(low), self._finite(high))

    def solve(self, *, is_fresh: bool = False) -> Floats | None:
        """The cheapest solution; None when there is none, none was found, or it has no end (see ``is_endless``).

        Args:
            is_fresh: Whether to start from nothing instead of from the last solution: the way to another one is
                often longer, and what is found does not depend on what was asked before.
        """
        self.solved += 1
        if is_fresh:
            self._highs.clearSolver()
        self._highs.run()
        status = self._highs.getModelStatus()
        if status == self._optimal or (status == self._limit and self._has_solution()):
            return np.array(self._highs.getSolution().col_value)
        return None

    def duals(self) -> Floats:
        """What the cheapest solution would cost more, for each unit that an equation is off; 0 where it is empty."""
        priced = np.zeros(len(self._used))
        priced[self._used] = self._highs.getSolution().row_dual
        return priced

    def is_endless(self) -> bool:
        """Whether the last solution can be made cheaper without end."""
        return self._highs.getModelStatus() in self._endless

    def _has_solution(self) -> bool:
        return bool(self._highs.getSolution().value_valid)

    def _finite(self, bound: Floats) -> Floats:
        return np.clip(np.asarray(bound, dtype=np.float64), -self._infinity, self._infinity)
