"""Waiting times when some cases are still open: how long until half are closed, and how many are closed in time.

A case that is still open has waited at least as long as it was watched. Leaving it out, or taking its age for its
waiting time, makes a service look faster than it is; here it counts as waiting until it was last seen.

All work on histograms: one row for each cell and duration, with how many were closed at that duration and how many
were still open when last seen at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.integer]

# Products of shares such as 3/4 * 2/3 miss one half by rounding only.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class OpenCurve:
    """The share of cases that is still open, step by step, one row for each row of the histogram.

    Args:
        cell: Code of the row's cell.
        duration: Time since the case began.
        at_risk: Cases still open and watched just before that duration.
        closed: Cases closed at it.
        open_share: Share still open after it, from 0 to 1.
        standard_error: Greenwood's, of that share; nan once none is open.
        low: Lower bound of that share.
        high: Upper bound of that share.
        cells: Number of cells, those without rows included.
        level: Confidence level of the bounds.
    """

    cell: Codes
    duration: Floats
    at_risk: Floats
    closed: Floats
    open_share: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    cells: int
    level: float


@dataclass(frozen=True, slots=True)
class Waits:
    """One number for each cell, with its bounds: a duration, or a share closed.

    Args:
        value: nan where the data do not reach it.
        low: Lower bound.
        high: Upper bound; of a duration it is infinite where the data set none.
    """

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class OnTime:
    """The share of promises kept, one for each cell.

    Args:
        due: Cases whose promised time is over.
        kept: Cases of these that were closed by then.
        share: Kept of due, from 0 to 1; nan where none is due.
        low: Lower bound.
        high: Upper bound.
    """

    due: Floats
    kept: Floats
    share: Floats
    low: Floats
    high: Floats


def open_curve(
    cell: Codes,
    duration: Floats,
    *,
    closed: Floats,
    still_open: Floats,
    cells: int | None = None,
    level: float = 0.95,
) -> OpenCurve:
    """The Kaplan-Meier curve of every cell.

    Grain:
        One row per (cell, duration), as in the histogram.

    Args:
        cell: Code of each row's cell, from 0 on; rows are sorted by cell, then by duration.
        duration: 0 or more, in any one unit; each at most once in a cell.
        closed: Cases closed at that duration; whole numbers, 0 or more.
        still_open: Cases last seen at that duration, still open; whole numbers, 0 or more. A case last seen at a
            duration at which others close was at risk of closing with them.
        cells: Number of cells; by default the greatest code plus one.
        level: Confidence level, between 0 and 1.

    Returns:
        The share still open after each duration, with Greenwood's standard error and log-log bounds. Before the first
        closing, and once none is open, those do not exist: there one bound is the end (1 or 0) and the other is
        Wilson's, or the bound of the step before where there is one. No bounds have zero width.

    Raises:
        ValueError: Rows out of order or twice, a row that counts nothing, an impossible number, or no level.

    Assumes:
        Whether a case is still open when last seen says nothing of how long it would take: cases that were cancelled
        or handed away because they were hard are not "still open". A case that is left open never makes the others
        look faster.

    Source:
        Kaplan and Meier (1958), Journal of the American Statistical Association 53, 457-481,
        doi:10.1080/01621459.1958.10501452; Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time
        Data, 2nd edition, section 1.4 (log-log bounds).

    Example:
        >>> one = np.zeros(3, dtype=int)
        >>> days = np.array([1.0, 2, 5])
        >>> curve = open_curve(one, days, closed=np.array([2.0, 1, 0]), still_open=np.array([0.0, 1, 2]))
        >>> curve.open_share.round(3)
        array([0.667, 0.5  , 0.5  ])
    """
    cell, duration, closed, still_open = _rows(cell, duration, closed, still_open)
    count = _count_cells(cell, cells)
    z = _quantile(level)
    place = np.arange(cell.size) - np.searchsorted(cell, cell)
    leaving = closed + still_open
    gone = np.cumsum(leaving) - leaving
    totals = _summed(cell, leaving, count)
    at_risk = totals[cell] - (gone - gone[np.arange(cell.size) - place])
    share = _running(1 - closed / at_risk, place, np.multiply)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = _running(closed / (at_risk * (at_risk - closed)), place, np.add)
        error = np.where(share > 0, share * np.sqrt(greenwood), np.nan)
        stretch = np.exp(z * np.sqrt(greenwood) / -np.log(share))
        low, high = share**stretch, share ** (1 / stretch)
    untouched, finished = share == 1, share == 0
    low = np.where(untouched, at_risk / (at_risk + z * z), np.where(finished, 0.0, low))
    before = np.roll(np.where(untouched | finished, np.nan, high), 1)
    last_bound = np.where((place > 0) & ~np.isnan(before), before, z * z / (at_risk + z * z))
    high = np.where(untouched, 1.0, np.where(finished, last_bound, high))
    return OpenCurve(cell, duration, at_risk, closed, share, error, low, high, count, level)


def time_until(curve: OpenCurve, share: float = 0.5) -> Waits:
    """How long it takes until a share of the cases is closed: the median, unless told otherwise.

    Args:
        curve: Of every cell.
        share: Between 0 and 1: 0.5 for the median, 0.9 for the time within which nine of ten are closed.

    Returns:
        The first duration at which at least that share was closed. It is nan where fewer were closed as long as they
        were watched (``not_reached`` says so in words); the lower bound still holds then. The upper bound is infinite
        where the data set none. A cell without rows has nan for all three.

    Raises:
        ValueError: A share that is not between 0 and 1.

    Source:
        Brookmeyer and Crowley (1982), Biometrics 38, 29-41, doi:10.2307/2530286, on the log-log scale.

    Example:
        >>> curve = open_curve(
        ...     np.zeros(3, dtype=int),
        ...     np.array([1.0, 2, 5]),
        ...     closed=np.array([20.0, 10, 0]),
        ...     still_open=np.array([0.0, 10, 20]),
        ... )
        >>> time_until(curve)
        Waits(value=array([2.]), low=array([2.]), high=array([inf]))
    """
    if not 0 < share < 1:
        raise ValueError("the share of cases lies between 0 and 1")
    goal = 1 - share + _ROUNDING
    steps = curve.closed > 0
    value = _first(curve, steps & (curve.open_share <= goal))
    low = _first(curve, steps & (curve.low <= goal))
    high = _first(curve, steps & (curve.high <= goal))
    has_rows = np.bincount(curve.cell, minlength=curve.cells) > 0
    # A lower curve that never comes down far enough still says that it takes longer than the last closing seen.
    latest = np.zeros(curve.cells)
    np.maximum.at(latest, curve.cell[steps], curve.duration[steps])
    low = np.where(np.isnan(low) & has_rows, latest, low)
    high = np.where(np.isnan(high) & has_rows, np.inf, high)
    return Waits(value, low, high)


def not_reached(share: float = 0.5) -> str:
    """Why ``time_until`` has no value, in words.

    Example:
        >>> not_reached()
        'more than half are still open'
        >>> not_reached(0.9)
        'fewer than 90% were closed within the time seen'
    """
    return (
        "more than half are still open" if share == 0.5 else f"fewer than {share:.0%} were closed within the time seen"
    )


def closed_within(curve: OpenCurve, duration: Floats | float) -> Waits:
    """The share of cases that is closed within a duration, open cases counted.

    Args:
        curve: Of every cell.
        duration: 0 or more; one for all cells, or one for each.

    Returns:
        Shares from 0 to 1, with log-log bounds of Greenwood's standard error. Where nothing was closed by then, the
        upper bound is Wilson's on the cases that were watched so long. Shares are nan where no case was watched so
        long while some were open, as nothing is known of that time, and where a cell has no rows.

    Raises:
        ValueError: A negative duration.

    Source:
        As ``open_curve``.

    Example:
        >>> curve = open_curve(
        ...     np.zeros(3, dtype=int),
        ...     np.array([1.0, 2, 5]),
        ...     closed=np.array([20.0, 10, 0]),
        ...     still_open=np.array([0.0, 10, 20]),
        ... )
        >>> found = closed_within(curve, 3.0)
        >>> found.value.round(3), found.low.round(3), found.high.round(3)
        (array([0.5]), array([0.382]), array([0.632]))
    """
    until = np.broadcast_to(np.asarray(duration, dtype=np.float64), (curve.cells,))
    if not np.all(until >= 0):
        raise ValueError("a duration is 0 or more")
    z = _quantile(curve.level)
    rows = np.bincount(curve.cell, minlength=curve.cells)
    reached = np.bincount(curve.cell[curve.duration <= until[curve.cell]], minlength=curve.cells)
    before = np.bincount(curve.cell[curve.duration < until[curve.cell]], minlength=curve.cells)
    start = np.cumsum(rows) - rows
    value, low, high = (np.full(curve.cells, np.nan) for _ in range(3))
    # Nothing closed yet: as many as were watched until then are known to be open.
    watched = before < rows
    seen = curve.at_risk[(start + before)[watched]]
    value[watched], low[watched], high[watched] = 0.0, 0.0, z * z / (seen + z * z)
    last = np.maximum(start + reached - 1, 0)
    some = reached > 0
    some[some] &= curve.open_share[last[some]] < 1
    row = last[some]
    value[some], low[some], high[some] = 1 - curve.open_share[row], 1 - curve.high[row], 1 - curve.low[row]
    unknown = some & ~watched
    unknown[unknown] = curve.open_share[last[unknown]] > 0
    for numbers in (value, low, high):
        numbers[unknown] = np.nan
    return Waits(value, low, high)


def on_time(
    cell: Codes,
    *,
    age: Floats,
    promise: Floats,
    duration: Floats,
    count: Floats,
    cells: int | None = None,
    level: float = 0.95,
) -> OnTime:
    """The share of promises kept, of all promises whose time is over, still open cases included.

    Args:
        cell: Code of each row's cell, from 0 on; in any order.
        age: Time from the start of the case to the day of the report.
        promise: Time within which it was promised; nan where nothing was, and such rows are left out.
        duration: Time to closing; nan while open.
        count: Cases that the row stands for; 0 or more.
        cells: Number of cells; by default the greatest code plus one.
        level: Confidence level, between 0 and 1.

    Returns:
        Kept of due. A case whose promised time is not over yet is in neither, even when it is closed already: the
        easy ones close early, and would raise the share of the newest cases.

    Raises:
        ValueError: A negative number, a case closed after the day of the report, or no level.

    Assumes:
        Cases are independent of each other.

    Source:
        Wilson (1927), Journal of the American Statistical Association 22, 209-212,
        doi:10.1080/01621459.1927.10502953, for the bounds.

    Example:
        >>> found = on_time(
        ...     np.zeros(4, dtype=int),
        ...     age=np.array([30.0, 30, 30, 2]),
        ...     promise=np.array([10.0, 10, 10, 10]),
        ...     duration=np.array([4.0, 12, np.nan, 1]),
        ...     count=np.array([6.0, 2, 2, 9]),
        ... )
        >>> found.share, found.due
        (array([0.6]), array([10.]))
    """
    cell = _codes(cell)
    for numbers in (age, promise, duration, count):
        if np.shape(numbers) != cell.shape or np.any(np.asarray(numbers) < 0):
            raise ValueError("every row has its numbers, and they are 0 or more")
    if np.any(np.asarray(duration) > np.asarray(age)):
        raise ValueError("no case closes after the day of the report")
    size = _count_cells(cell, cells)
    z = _quantile(level)
    is_due = np.asarray(age) >= np.asarray(promise)
    is_kept = is_due & (np.asarray(duration) <= np.asarray(promise))
    due = _summed(cell, count * is_due, size)
    kept = _summed(cell, count * is_kept, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = kept / due
        middle = (kept + z * z / 2) / (due + z * z)
        reach = z * np.sqrt(due * share * (1 - share) + z * z / 4) / (due + z * z)
    low = np.where(share == 0, 0.0, np.maximum(middle - reach, 0))
    high = np.where(share == 1, 1.0, np.minimum(middle + reach, 1))
    return OnTime(due, kept, share, low, high)


def _summed(cell: Codes, numbers: Floats, cells: int) -> Floats:
    return np.bincount(cell, weights=numbers, minlength=cells).astype(np.float64)


def _first(curve: OpenCurve, rows: NDArray[np.bool_]) -> Floats:
    """The duration of each cell's first row among those; nan where it has none."""
    result = np.full(curve.cells, np.nan)
    places = np.flatnonzero(rows)
    cells, first = np.unique(curve.cell[places], return_index=True)
    result[cells] = curve.duration[places[first]]
    return result


def _running(values: Floats, place: NDArray[np.intp], together: np.ufunc) -> Floats:
    """Each row with all rows before it in its cell; in as many passes as the longest cell has doublings.

    Not one cumulative sum over all cells minus its value at the cell's start: that would leave rounding errors of the
    cells before, and fail behind a cell whose sum is infinite.
    """
    result = values
    shift = 1
    while shift <= place.max(initial=0):
        joined = result.copy()
        rows = np.flatnonzero(place >= shift)
        joined[rows] = together(result[rows], result[rows - shift])
        result, shift = joined, 2 * shift
    return result


def _rows(cell: Codes, duration: Floats, closed: Floats, still_open: Floats) -> tuple[Codes, Floats, Floats, Floats]:
    cell = _codes(cell)
    numbers = [np.asarray(column, dtype=np.float64) for column in (duration, closed, still_open)]
    for column in numbers:
        if column.shape != cell.shape or not np.all((column >= 0) & np.isfinite(column)):
            raise ValueError("every row has its numbers, and they are finite and 0 or more")
    duration, closed, still_open = numbers
    if np.any(closed % 1) or np.any(still_open % 1):
        raise ValueError("cases are whole numbers")
    if not np.all(closed + still_open > 0):
        raise ValueError("a row of a histogram counts at least one case")
    further = np.diff(cell) > 0
    if not np.all(further | ((np.diff(cell) == 0) & (np.diff(duration) > 0))):
        raise ValueError("rows are sorted by cell and duration, each once")
    return cell, duration, closed, still_open


def _codes(cell: Codes) -> Codes:
    cell = np.asarray(cell)
    if cell.ndim != 1 or not np.issubdtype(cell.dtype, np.integer) or np.any(cell < 0):
        raise ValueError("cells are whole numbers from 0 on")
    return cell


def _count_cells(cell: Codes, cells: int | None) -> int:
    needed = int(cell.max(initial=-1)) + 1
    if cells is not None and cells < needed:
        raise ValueError("a row lies in a cell beyond the last")
    return needed if cells is None else cells


def _quantile(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError("a confidence level lies between 0 and 1")
    return -float(ndtri((1 - level) / 2))
