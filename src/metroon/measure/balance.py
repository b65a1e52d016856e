"""Stock and flow: whether what was there, plus what came, less what went, is what is there.

Open requests, vacant homes, people in shelters: a stock at the start of a period, what came in and went out in it, and
the stock at its end. The numbers come from different counts, so the identity is a check of all four.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Balance:
    """How far the stocks and flows of every cell and period agree; all arrays have the shape (cells, periods).

    Args:
        residual: Closing stock less what the opening stock and the flows make of it: above 0 where more is there than
            came. nan where one of the four is not known.
        jump: Opening stock less the closing stock of the period before; nan in the first period, and where one of the
            two is not known.
        is_broken: Where the residual is not 0, although the closing stock was rolled forward.
        is_corrected: Where the residual is not 0 because the closing stock was counted at that time.
        is_reopened: Where the period opens with another stock than the one that the period before closed with, so
            that the stock was counted afresh between the two.
    """

    residual: Floats
    jump: Floats
    is_broken: Flags
    is_corrected: Flags
    is_reopened: Flags

    @property
    def is_recounted(self) -> Flags:
        """Where a count, not the flows, changed the stock: a series is not comparable across such a period."""
        return self.is_corrected | self.is_reopened

    @property
    def is_balanced(self) -> bool:
        """Whether no period breaks the identity. A count breaks nothing, and neither does what is not known."""
        return not bool(self.is_broken.any())


def balance(
    *,
    opening: Floats,
    inflow: Floats,
    outflow: Floats,
    closing: Floats,
    counted: Flags | None = None,
    tolerance: float = 0.0,
) -> Balance:
    """Checks ``closing = opening + inflow - outflow`` in every period, and that each opens where the last one closed.

    Grain:
        One number for each cell and period.

    Args:
        opening: Stock at the start of each period, in any one unit; shape (cells, periods); nan where not known.
        inflow: What came in during the period.
        outflow: What went out during the period.
        closing: Stock at the end of the period.
        counted: Where the closing stock was counted at that time, instead of rolled forward from the opening stock.
            There a difference is what the count corrected. By default none was.
        tolerance: Differences up to this are none; 0 for whole numbers, half a cent or so for money.

    Returns:
        Residuals, jumps and where they are not 0. With whole numbers up to 2**51 they are exact.

    Raises:
        ValueError: Arrays of unlike shape or not of two dimensions, an infinite number, or a negative tolerance.

    Source:
        United Nations et al. (2009), System of National Accounts 2008, chapter 13: the closing stock is the opening
        stock, the transactions and the other changes.

    Example:
        >>> found = balance(
        ...     opening=np.array([[10.0, 12, 20]]),
        ...     inflow=np.array([[5.0, 4, 1]]),
        ...     outflow=np.array([[3.0, 4, 1]]),
        ...     closing=np.array([[12.0, 13, 20]]),
        ... )
        >>> found.residual, found.jump
        (array([[0., 1., 0.]]), array([[nan,  0.,  7.]]))
        >>> found.is_balanced, found.is_recounted
        (False, array([[False, False,  True]]))
    """
    opening, inflow, outflow, closing = _stocks_and_flows(opening, inflow, outflow, closing)
    is_counted = np.zeros(opening.shape, dtype=np.bool_) if counted is None else np.asarray(counted, dtype=np.bool_)
    if is_counted.shape != opening.shape:
        raise ValueError("stocks, flows and marks have the same cells and periods")
    if not tolerance >= 0:
        raise ValueError("a tolerance is 0 or more")
    residual = closing - (opening + inflow - outflow)
    jump = np.full(opening.shape, np.nan)
    jump[:, 1:] = opening[:, 1:] - closing[:, :-1]
    # A comparison with nan is false: what is not known breaks nothing.
    differs = np.abs(residual) > tolerance
    return Balance(residual, jump, differs & ~is_counted, differs & is_counted, np.abs(jump) > tolerance)


def breaks(found: Balance, cells: Sequence[str], periods: Sequence[str]) -> list[str]:
    """Where the identity breaks and where a count changed the stock, in one sentence each.

    Args:
        found: What ``balance`` returned.
        cells: Name of each cell, in the order of the rows.
        periods: Name of each period, in the order of the columns.

    Returns:
        Sentences in the order of cells, then periods; none when everything agrees.

    Raises:
        ValueError: More or fewer names than cells or periods.

    Example:
        >>> found = balance(
        ...     opening=np.array([[10.0, 20]]),
        ...     inflow=np.array([[5.0, 1]]),
        ...     outflow=np.array([[3.0, 1]]),
        ...     closing=np.array([[13.0, 20]]),
        ... )
        >>> for sentence in breaks(found, ["District 3"], ["May", "June"]):
        ...     print(sentence)
        District 3, May: closes 1 above what the opening stock and the flows make.
        District 3, June: opens 7 above the stock that the period before closed with: it was counted afresh.
    """
    if found.residual.shape != (len(cells), len(periods)):
        raise ValueError("every cell and every period has one name")
    sentences = []
    for row, column in np.argwhere(found.is_broken | found.is_recounted):
        where = f"{cells[row]}, {periods[column]}"
        if found.is_reopened[row, column]:
            gap = _gap(float(found.jump[row, column]))
            sentences.append(
                f"{where}: opens {gap} the stock that the period before closed with: it was counted afresh."
            )
        if found.is_corrected[row, column]:
            gap = _gap(float(found.residual[row, column]))
            sentences.append(f"{where}: the count at its end is {gap} what the opening stock and the flows make.")
        if found.is_broken[row, column]:
            gap = _gap(float(found.residual[row, column]))
            sentences.append(f"{where}: closes {gap} what the opening stock and the flows make.")
    return sentences


def _gap(difference: float) -> str:
    return f"{abs(difference):,.15g} {'above' if difference > 0 else 'below'}"


def _stocks_and_flows(*given: Floats) -> list[Floats]:
    numbers = [np.asarray(one, dtype=np.float64) for one in given]
    for one in numbers:
        if one.ndim != 2 or one.shape != numbers[0].shape:
            raise ValueError("stocks and flows have the same cells and periods")
        if np.isinf(one).any():
            raise ValueError("stocks and flows are finite")
    return numbers
