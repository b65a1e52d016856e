"""What a reader knows of a table: its cells, the equations between them, and which must stay in doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

Name = tuple[str, ...]
"""What a cell is, in words that stay the same from one edition to the next."""


@dataclass(frozen=True, eq=False)
class System:
    """Cells tied by equations, and the doubt that must stay about some of them. In every array one entry a cell.

    A reader knows the equations, every cell that is shown, the rules by which cells are withheld, and that no cell is
    less than its floor or more than its ceiling. All else that is consistent with this is possible to the reader.

    Args:
        matrix: One row for each equation, the cells as columns: ``matrix @ value = 0``, as 1 for each part and -1
            for their total.
        value: What is true.
        published: Cells that are shown unless they are withheld. The others are never shown, such as the common
            parts of two geographies.
        below: How far under the truth a reader's interval must reach; 0 where there is no need.
        above: How far over it, likewise.
        width: How wide the interval must be at the least, likewise.
        since: Smallest minimum at which a cell needs its doubt; 0 when always. What is withheld for a lower minimum
            is withheld for a higher one too.
        weight: What withholding a cell loses; above 0.
        bundle: Cells of the same number are withheld together, such as the successes and failures of one place.
        fixed: Cells that an earlier edition has shown: withholding them protects nothing any more.
        floor: The least that a reader knows a cell to be, when it is not shown.
        ceiling: The most, likewise; infinite when nothing is known.
        is_whole: Whether only whole numbers are possible, as for counts.
        names: What the cells are; empty where nobody asks.
    """

    matrix: csr_array
    value: Floats
    published: Mask
    below: Floats
    above: Floats
    width: Floats
    since: Ints
    weight: Floats
    bundle: Ints
    fixed: Mask
    floor: Floats
    ceiling: Floats
    is_whole: bool = True
    names: Sequence[Name] = ()

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.value)

    @property
    def needs(self) -> Mask:
        """The cells that must stay in doubt."""
        return np.asarray((self.below > 0) | (self.above > 0) | (self.width > 0))

    def shown(self, hidden: Mask) -> Mask:
        """The cells that a reader sees when some are withheld."""
        return np.asarray(self.published & (~hidden | self.fixed))

    def without_names(self) -> System:
        """The same numbers, for those who need no words."""
        return replace(self, names=())


def system(
    matrix: csr_array,
    value: Sequence[float] | Floats,
    *,
    published: Mask | None = None,
    below: Floats | None = None,
    above: Floats | None = None,
    width: Floats | None = None,
    since: Ints | None = None,
    weight: Floats | None = None,
    bundle: Ints | None = None,
    fixed: Mask | None = None,
    floor: Floats | None = None,
    ceiling: Floats | None = None,
    is_whole: bool = True,
    names: Sequence[Name] = (),
) -> System:
    """A system in which all is shown, nothing needs doubt, and cells are not negative, but for what is said.

    Raises:
        ValueError: The arrays have different lengths, or ``matrix @ value`` is not 0: the table does not add up.

    Example:
        >>> from scipy.sparse import csr_array
        >>> made = system(csr_array([[1, 1, -1]]), [3, 20, 23], below=np.array([2.0, 0, 0]))
        >>> made.needs.tolist()
        [True, False, False]
    """
    values = np.asarray(value, dtype=np.float64)
    n = len(values)
    zeros = np.zeros(n)
    made = System(
        matrix,
        values,
        np.ones(n, dtype=bool) if published is None else published,
        zeros if below is None else below,
        zeros if above is None else above,
        zeros if width is None else width,
        np.zeros(n, dtype=np.int64) if since is None else since,
        1 + np.log1p(np.abs(values)) if weight is None else weight,
        np.arange(n) if bundle is None else bundle,
        np.zeros(n, dtype=bool) if fixed is None else fixed,
        zeros if floor is None else floor,
        np.full(n, np.inf) if ceiling is None else ceiling,
        is_whole,
        names,
    )
    arrays = (made.published, made.below, made.above, made.width, made.since, made.weight, made.bundle, made.fixed)
    if matrix.shape[1] != n or {len(a) for a in (*arrays, made.floor, made.ceiling)} != {n}:
        raise ValueError("the arrays of a system have different lengths")
    wrong = np.abs(matrix @ values) > 1e-6 * np.maximum(1.0, abs(matrix) @ np.abs(values))
    if wrong.any():
        raise ValueError(f"{wrong.sum()} equations do not add up")
    return made


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Other tables that are possible to a reader: the proof that cells are in doubt. Never public: they tell the truth.

    Args:
        change: One row for each other table: what it differs from the truth in each cell. Sparse.
        up: For each cell, the row in which it is far enough above the truth; -1 when it needs none or has none.
        down: For each cell, the row in which it is far enough below.
    """

    change: csr_array
    up: Ints
    down: Ints


@dataclass(frozen=True, eq=False)
class Suppression:
    """Which cells are withheld, and how it is known that this is enough.

    Args:
        hidden: The published cells that are withheld.
        alternatives: The proof, two other tables for each cell that must stay in doubt.
        failing: Cells for which no proof was found. When there are any, nothing may be published.
        lower_bound: No pattern can lose less than this, in units of ``weight``; 0 when it is not known.
        is_optimal: Whether no other pattern loses less.
        told: What is proven and what is not, in words for the account.
    """

    hidden: Mask
    alternatives: Alternatives
    failing: Ints
    lower_bound: float = 0.0
    is_optimal: bool = False
    told: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Proof:
    """What was told of some people, and how it is known that none of them can be worked out from it.

    Measures that hang together have one proof, for a reader of all of them. It is kept with their release, and the
    next release of the same people is protected together with it.

    Args:
        population: The products whose people are counted, in order, with spaces between; the same words in every
            release.
        system: What a reader knows, earlier editions included. Its names are (table or measure, component, period,
            geography, place, dimension, group, edition): the same name is the same number in every release. The
            edition is the number of the first release of the measure in which the cell had this content.
        suppression: What is withheld, and the other numbers that are possible.
    """

    population: str
    system: System
    suppression: Suppression

    @property
    def shown(self) -> Mask:
        """The cells that readers see, in this release or an earlier one."""
        return self.system.shown(self.suppression.hidden)
