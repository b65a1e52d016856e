"""Medians and other quantiles of many cells at once, with intervals that assume no shape.

All work on histograms: one row for each cell and value, with how often it occurs. Quantiles do not add up, so the
histogram is what is kept and pooled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.integer]
    Ranks = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A quantile for each cell.

    Args:
        value: In the unit of the values; nan in a cell without any.
        low: Lower bound; nan where there are too few values for an interval of this level.
        high: Upper bound; nan where ``low`` is.
        count: Values in the cell.
    """

    value: Floats
    low: Floats
    high: Floats
    count: Ranks


def quantiles(
    cell: Codes,
    value: Floats,
    count: Ranks,
    *,
    share: float = 0.5,
    cells: int | None = None,
    level: float = 0.95,
) -> Quantiles:
    """The value below which a share of each cell's values lies: the median, unless told otherwise.

    Between two values it is interpolated: of ``n`` sorted values, numbered from 0, it is the one at
    ``share * (n - 1)``. So the median of an even number is the mean of the middle two. This is type 7 of Hyndman and
    Fan, the default of numpy and R, and ``quantile_cont`` in SQL.

    Args:
        cell: Code of each row's cell, from 0 on; rows in any order.
        value: Finite; nan is refused, as a missing value is not a value.
        count: How often it occurs; whole numbers, 0 or more.
        share: Between 0 and 1: 0.5 for the median, 0.9 for the value below which nine of ten lie.
        cells: Number of cells; by default the greatest code plus one.
        level: Confidence level, between 0 and 1.

    Returns:
        The quantiles and their bounds, which are values that occur. Without enough values for the level (six for a
        median at 95 %) the bounds are nan.

    Raises:
        ValueError: An impossible count, value, share or level, or a cell beyond the last.

    Assumes:
        Values are independent draws from one distribution, whatever its shape. When they are rounded to few distinct
        values, the interval covers more often than it says.

    Source:
        Hyndman and Fan (1996), The American Statistician 50, 361-365, doi:10.1080/00031305.1996.10473566;
        David and Nagaraja (2003), Order Statistics, 3rd edition, section 7.1 (interval).

    Example:
        >>> days = np.arange(1.0, 26)
        >>> quantiles(np.zeros(25, dtype=int), days, np.ones(25, dtype=int))
        Quantiles(value=array([13.]), low=array([8.]), high=array([18.]), count=array([25]))
    """
    cell, value, count, size = _rows(cell, value, count, cells)
    totals = np.zeros(size, dtype=np.int64)
    np.add.at(totals, cell, count)
    low, high = interval_ranks(totals, share=share, level=level)
    order = np.lexsort((value, cell))
    value, reached = value[order], np.cumsum(count[order])
    start = np.cumsum(totals) - totals

    def at(rank: Ranks, has_one: NDArray[np.bool_]) -> Floats:
        """Each cell's value of that rank, counted from 1."""
        result = np.full(size, np.nan)
        result[has_one] = value[np.searchsorted(reached, (start + rank)[has_one])]
        return result

    place = share * np.maximum(totals - 1, 0)
    below = np.floor(place).astype(np.int64)
    lower = at(below + 1, totals > 0)
    upper = at(np.minimum(below + 2, totals), totals > 0)
    # The weighted sum, not lower plus a part of the difference: that can overflow.
    part = place - below
    middle = np.where(lower == upper, lower, lower * (1 - part) + upper * part)
    return Quantiles(middle, at(low, low > 0), at(high, high > 0), totals)


def interval_ranks(count: Ranks, *, share: float = 0.5, level: float = 0.95) -> tuple[Ranks, Ranks]:
    """Which of the sorted values bound a quantile, whatever the shape of their distribution.

    Args:
        count: Number of values, 0 or more; of any number of cells.
        share: Of the quantile, between 0 and 1.
        level: Confidence level, between 0 and 1.

    Returns:
        Ranks from 1, the nearest to each other with at most half of the error beyond each; both 0 where the lowest
        and the highest value together do not reach the level.

    Raises:
        ValueError: A negative count, or a share or level that is not between 0 and 1.

    Source:
        David and Nagaraja (2003), Order Statistics, 3rd edition, section 7.1: with ``B`` binomial (count, share), the
        values of rank r and s hold the quantile with the chance that ``r <= B < s``.

    Example:
        >>> low, high = interval_ranks(np.array([5, 6, 25]))
        >>> low, high
        (array([0, 1, 8]), array([ 0,  6, 18]))
    """
    count = np.asarray(count, dtype=np.int64)
    if np.any(count < 0):
        raise ValueError("a count is 0 or more")
    if not (0 < share < 1 and 0 < level < 1):
        raise ValueError("the share and the confidence level lie between 0 and 1")
    tail = (1 - level) / 2
    known = np.maximum(count, 1)
    low = np.asarray(binom.ppf(tail, known, share)).astype(np.int64)
    high = np.asarray(binom.isf(tail, known, share)).astype(np.int64) + 1
    exists = (low >= 1) & (high <= known) & (count > 0)
    return np.where(exists, low, 0), np.where(exists, high, 0)


def _rows(cell: Codes, value: Floats, count: Ranks, cells: int | None) -> tuple[Codes, Floats, Ranks, int]:
    cell, value, times = np.asarray(cell), np.asarray(value, dtype=np.float64), np.asarray(count)
    if cell.ndim != 1 or not np.issubdtype(cell.dtype, np.integer) or np.any(cell < 0):
        raise ValueError("cells are whole numbers from 0 on")
    if value.shape != cell.shape or not np.isfinite(value).all():
        raise ValueError("every row has a finite value")
    if times.shape != cell.shape or not np.all((times >= 0) & (times == np.floor(times))):
        raise ValueError("every row has a whole number of values, 0 or more")
    needed = int(cell.max(initial=-1)) + 1
    if cells is not None and cells < needed:
        raise ValueError("a row lies in a cell beyond the last")
    return cell, value, times.astype(np.int64), needed if cells is None else cells
