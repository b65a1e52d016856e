"""Many comparisons at once: how likely chance makes each difference, and which to believe among all of them.

Twenty areas that do not differ give one at 95 % that seems to. Of what stays below a share after
``benjamini_hochberg``, no more than that share is false, on average.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, overload

import numpy as np
from scipy.special import gammainc, gammaincc, ndtr

if TYPE_CHECKING:
    from metroon.measure.interval import Array, Floats, Numbers


def benjamini_hochberg(p: Floats) -> Floats:
    """The p-values, raised for the number of them that are looked at together.

    Args:
        p: The p-values of all comparisons of one release, in any shape; nan where none was made.

    Returns:
        For each comparison the least share of false ones among all those told as different, if it is told too.
        The same shape; nan stays, and does not count as a comparison.

    Raises:
        ValueError: A p-value outside of 0 to 1.

    Assumes:
        The comparisons are independent of each other, or vary together in the same direction (areas of one city
        against its total do so only nearly).

    Source:
        Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300,
        doi:10.1111/j.2517-6161.1995.tb02031.x; Benjamini and Yekutieli (2001), Annals of Statistics 29, 1165-1188,
        for dependent comparisons.

    Example:
        >>> benjamini_hochberg(np.array([0.01, 0.04, np.nan, 0.03, 0.5])).round(4).tolist()
        [0.04, 0.0533, nan, 0.0533, 0.5]
    """
    given = np.asarray(p, dtype=np.float64)
    if (given < 0).any() or (given > 1).any():
        raise ValueError("a p-value lies between 0 and 1")
    is_known = ~np.isnan(given)
    known = given[is_known]
    order = np.argsort(known, kind="stable")[::-1]
    count = known.size
    adjusted = np.empty(count)
    adjusted[order] = np.minimum.accumulate(known[order] * (count / np.arange(count, 0, -1)))
    found = np.full(given.shape, np.nan)
    found[is_known] = adjusted
    return found


@overload
def share_p_value(successes: float, trials: float, reference: float) -> float: ...
@overload
def share_p_value(successes: Array, trials: Numbers, reference: Numbers) -> Floats: ...
def share_p_value(successes: Numbers, trials: Numbers, reference: Numbers) -> float | Floats:
    """How often chance alone would put a share as far from a reference share, on either side.

    Args:
        successes: From 0 to ``trials``.
        trials: Above 0.
        reference: The share to compare with, known and between 0 and 1.

    Returns:
        The p-value of the score test: below 0.05 exactly where the 95 % Wilson interval leaves the reference out.

    Raises:
        ValueError: More successes than trials, no trials, or a reference of 0 or 1.

    Assumes:
        Trials are independent and share one chance of success. Chance alone gives 3 to 7 of 100 below 0.05 on
        average over references of 0.05 to 0.95, from 20 trials on.

    Source:
        Wilson (1927), Journal of the American Statistical Association 22, 209-212,
        doi:10.1080/01621459.1927.10502953.

    Example:
        >>> round(share_p_value(13, 16, 0.5), 5)
        0.01242
    """
    x, n, p = (np.asarray(v, dtype=np.float64) for v in (successes, trials, reference))
    if (n <= 0).any() or (x < 0).any() or (x > n).any():
        raise ValueError("successes lie between 0 and the trials, of which there are some")
    if (p <= 0).any() or (p >= 1).any():
        raise ValueError("a reference share lies between 0 and 1")
    z = (x / n - p) / np.sqrt(p * (1 - p) / n)
    return _given(2 * ndtr(-np.abs(z)), successes, trials, reference)


@overload
def rate_p_value(events: int, expected: float) -> float: ...
@overload
def rate_p_value(events: Array, expected: Numbers) -> Floats: ...
def rate_p_value(events: Numbers, expected: Numbers) -> float | Floats:
    """How often chance alone would put a number of events as far from what is expected, on either side.

    Args:
        events: Events observed; 0 or more, a whole number.
        expected: Events expected, such as the city's rate times the exposure; known and above 0.

    Returns:
        Twice the smaller of the chances of as few and of as many events, at most 1: below 0.05 exactly where the
        exact 95 % interval leaves the expectation out.

    Raises:
        ValueError: A count that is negative or no whole number, or nothing expected.

    Assumes:
        Events are independent (Poisson). Chance alone gives at most 5 of 100 below 0.05.

    Source:
        Garwood (1936), Biometrika 28, 437-442, doi:10.1093/biomet/28.3-4.437; the doubling from Cox and Hinkley
        (1974), Theoretical Statistics, section 3.4.

    Example:
        >>> round(rate_p_value(20, 12.0), 4)
        0.0426
    """
    x, awaited = (np.asarray(v, dtype=np.float64) for v in (events, expected))
    if (x < 0).any() or (x == math.inf).any() or (np.floor(x) < x).any():
        raise ValueError("events are 0 or more, a whole number")
    if (awaited <= 0).any() or (awaited == math.inf).any():
        raise ValueError("where nothing is expected, nothing is compared")
    few = gammaincc(x + 1, awaited)
    many = np.where(x == 0, 1.0, gammainc(np.maximum(x, 1.0), awaited))
    return _given(np.minimum(2 * np.minimum(few, many), 1.0), events, expected)


def _given(found: Floats, *given: Numbers) -> float | Floats:
    return found if any(np.ndim(g) for g in given) else float(found)
