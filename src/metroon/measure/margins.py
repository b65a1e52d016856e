"""Margins of error of what is worked out from survey tables that print one margin beside each estimate.

The American Community Survey prints margins at 90 %. A margin of what is worked out from them is at the same level.
Every function takes numbers and returns a number, or takes arrays (the first at least) and returns an array, where
nan is a missing estimate or margin and stays nan. The formulas leave out how the parts vary together: a published
table of the very thing, or the survey's replicate estimates, is better where there is one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, overload

import numpy as np
from scipy.special import ndtri

from metroon.measure.interval import Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metroon.measure.interval import Array, Numbers

N = TypeVar("N", float, Floats)
B = TypeVar("B", bool, "NDArray[np.bool_]")

PRINTED_LEVEL = 0.90
"""Level of the margins that the American Community Survey prints."""

_ROUNDED = {0.90: 1.645, 0.95: 1.960, 0.99: 2.576}

MISSING_CODES = (-999_999_999, -888_888_888, -666_666_666, -555_555_555, -333_333_333, -222_222_222, -999)
"""Numbers that stand for a missing estimate or margin in files of the Census Bureau and in copies of them."""


@dataclass(frozen=True, slots=True)
class Difference(Generic[N, B]):
    """Two estimates compared.

    Args:
        value: The first less the second.
        margin: Margin of error of that difference, at the level asked for.
        statistic: The difference over its standard error.
        is_certain: Whether the difference is larger than its margin: chance alone would seldom make it.
    """

    value: N
    margin: N
    statistic: N
    is_certain: B


def critical_value(level: float = PRINTED_LEVEL) -> float:
    """How many standard errors a margin of error is.

    Args:
        level: Confidence level, between 0 and 1.

    Returns:
        1.645, 1.960 or 2.576 for 90, 95 or 99 %, rounded as the Census Bureau does; unrounded at other levels.

    Raises:
        ValueError: A level that is none.

    Source:
        US Census Bureau (2020), Understanding and Using American Community Survey Data: What All Data Users Need
        to Know, chapter 7.

    Example:
        >>> critical_value(), critical_value(0.95), round(critical_value(0.998), 3)
        (1.645, 1.96, 3.09)
    """
    if not 0 < level < 1:
        raise ValueError("a confidence level lies between 0 and 1")
    return _ROUNDED.get(level, -float(ndtri((1 - level) / 2)))


def without_codes(values: Array) -> Floats:
    """The values, with nan for the numbers that stand for a missing one.

    Args:
        values: Estimates or margins as the file has them.

    Returns:
        The values; nan for each of ``MISSING_CODES``.

    Assumes:
        A missing margin is not known. The code -555555555 beside an estimate that is held to a known total says
        that it has no sampling error: who wants 0 there puts it.

    Source:
        US Census Bureau, American Community Survey: notes on estimate and annotation values.

    Example:
        >>> without_codes(np.array([120, -555555555]))
        array([120.,  nan])
    """
    found = np.asarray(values, dtype=np.float64)
    return np.where(np.isin(found, MISSING_CODES), np.nan, found)


@overload
def standard_error(margin: float, *, level: float = PRINTED_LEVEL) -> float: ...
@overload
def standard_error(margin: Array, *, level: float = PRINTED_LEVEL) -> Floats: ...
def standard_error(margin: Numbers, *, level: float = PRINTED_LEVEL) -> float | Floats:
    """The standard error behind a margin of error.

    Args:
        margin: Margin of error; 0 or more.
        level: The level at which it is printed.

    Raises:
        ValueError: A negative margin, or a level that is none.

    Example:
        >>> round(standard_error(3_860), 1)
        2346.5
    """
    (found,) = _margins(margin)
    return _given(found / critical_value(level), margin)


@overload
def margin_of_error(error: float, *, level: float = PRINTED_LEVEL) -> float: ...
@overload
def margin_of_error(error: Array, *, level: float = PRINTED_LEVEL) -> Floats: ...
def margin_of_error(error: Numbers, *, level: float = PRINTED_LEVEL) -> float | Floats:
    """The margin of error that a standard error makes.

    Args:
        error: Standard error; 0 or more.
        level: The level of the margin.

    Raises:
        ValueError: A negative standard error, or a level that is none.

    Example:
        >>> margin_of_error(100), margin_of_error(100, level=0.95)
        (164.5, 196.0)
    """
    (found,) = _margins(error)
    return _given(found * critical_value(level), error)


def sum_margin(estimates: Array, margins: Array) -> Floats:
    """The margin of error of sums (and of differences) of estimates.

    Args:
        estimates: The parts; along the last axis those of one sum.
        margins: Their margins of error, of the same shape.

    Returns:
        One margin for each sum. Of parts that are estimated at 0 only the largest margin counts, once.

    Raises:
        ValueError: Shapes that differ, or a negative margin.

    Assumes:
        The parts do not vary together. The more parts, the more that matters: four or fewer are best.

    Source:
        US Census Bureau (2018), Understanding and Using American Community Survey Data: What All Data Users Need
        to Know, chapter 8; the rule for zeros: American Community Survey, Accuracy of the Data.

    Example:
        >>> float(sum_margin(np.array([0, 0, 0, 41]), np.array([22, 22, 29, 37])).round(4))
        47.0106
    """
    parts, (spread,) = np.asarray(estimates, dtype=np.float64), _margins(margins)
    if parts.shape != spread.shape:
        raise ValueError("every estimate needs its margin")
    is_zero = parts == 0
    squares = spread * spread
    zeros = np.max(squares, axis=-1, where=is_zero, initial=0.0)
    rest = np.sum(squares, axis=-1, where=~is_zero)
    found = np.sqrt(zeros + rest)
    return np.where(np.isnan(parts).any(axis=-1), np.nan, found)


@overload
def proportion_margin(part: float, part_margin: float, whole: float, whole_margin: float) -> float: ...
@overload
def proportion_margin(part: Array, part_margin: Numbers, whole: Numbers, whole_margin: Numbers) -> Floats: ...
def proportion_margin(part: Numbers, part_margin: Numbers, whole: Numbers, whole_margin: Numbers) -> float | Floats:
    """The margin of error of a share, where the part is counted in the whole.

    Args:
        part: Estimate of the part; from 0 to ``whole``.
        part_margin: Its margin of error.
        whole: Estimate of the whole; above 0.
        whole_margin: Its margin of error.

    Returns:
        The margin of part over whole, as a share. Where the formula would take the root of a negative number, that
        of a ratio stands in, which is larger.

    Raises:
        ValueError: A part that is not in the whole, a whole of 0, or a negative margin.

    Source:
        US Census Bureau (2018), Understanding and Using American Community Survey Data: What All Data Users Need
        to Know, chapter 8.

    Example:
        >>> round(proportion_margin(500, 100, 2_000, 150), 6)
        0.046351
    """
    x, y = _estimates(part, whole)
    x_margin, y_margin = _margins(part_margin, whole_margin)
    if (y <= 0).any():
        raise ValueError("there is no whole, so there is no share")
    if (x < 0).any() or (x > y).any():
        raise ValueError("a part lies between 0 and the whole")
    other = (x / y * y_margin) ** 2
    left = x_margin**2 - other
    found = np.sqrt(np.where(left < 0, x_margin**2 + other, left)) / y
    return _given(found, part, part_margin, whole, whole_margin)


@overload
def ratio_margin(value: float, margin: float, ref_value: float, ref_margin: float) -> float: ...
@overload
def ratio_margin(value: Array, margin: Numbers, ref_value: Numbers, ref_margin: Numbers) -> Floats: ...
def ratio_margin(value: Numbers, margin: Numbers, ref_value: Numbers, ref_margin: Numbers) -> float | Floats:
    """The margin of error of a ratio, where neither is counted in the other.

    Args:
        value: The estimate above the line.
        margin: Its margin of error.
        ref_value: The estimate below the line; not 0.
        ref_margin: Its margin of error.

    Returns:
        The margin of value over reference value.

    Raises:
        ValueError: A reference value of 0, or a negative margin.

    Source:
        US Census Bureau (2018), Understanding and Using American Community Survey Data: What All Data Users Need
        to Know, chapter 8.

    Example:
        >>> round(ratio_margin(500, 100, 2_000, 150), 4)
        0.0534
    """
    return _given(_ratio_margin(value, margin, ref_value, ref_margin), value, margin, ref_value, ref_margin)


@overload
def change_margin(value: float, margin: float, earlier: float, earlier_margin: float) -> float: ...
@overload
def change_margin(value: Array, margin: Numbers, earlier: Numbers, earlier_margin: Numbers) -> Floats: ...
def change_margin(value: Numbers, margin: Numbers, earlier: Numbers, earlier_margin: Numbers) -> float | Floats:
    """The margin of error of a change in percent.

    Args:
        value: The later estimate.
        margin: Its margin of error.
        earlier: The earlier estimate; not 0.
        earlier_margin: Its margin of error.

    Returns:
        The margin of ``100 * (value - earlier) / earlier``, in percent of the earlier estimate.

    Raises:
        ValueError: An earlier estimate of 0, or a negative margin.

    Assumes:
        The two periods share no year: of overlapping ones, the parts in common are counted twice.

    Source:
        US Census Bureau (2018), Understanding and Using American Community Survey Data: What All Data Users Need
        to Know, chapter 8.

    Example:
        >>> round(change_margin(139_301, 4_047, 135_173, 3_860), 1)
        4.2
    """
    return _given(100 * _ratio_margin(value, margin, earlier, earlier_margin), value, margin, earlier, earlier_margin)


@overload
def product_margin(value: float, margin: float, ref_value: float, ref_margin: float) -> float: ...
@overload
def product_margin(value: Array, margin: Numbers, ref_value: Numbers, ref_margin: Numbers) -> Floats: ...
def product_margin(value: Numbers, margin: Numbers, ref_value: Numbers, ref_margin: Numbers) -> float | Floats:
    """The margin of error of a product of two estimates.

    Args:
        value: The first estimate.
        margin: Its margin of error.
        ref_value: The second estimate, such as a share.
        ref_margin: Its margin of error.

    Raises:
        ValueError: A negative margin.

    Source:
        US Census Bureau (2018), Understanding and Using American Community Survey Data: What All Data Users Need
        to Know, chapter 8.

    Example:
        >>> round(product_margin(74_506_512, 228_238, 0.824, 0.001))
        202289
    """
    x, y = _estimates(value, ref_value)
    x_margin, y_margin = _margins(margin, ref_margin)
    return _given(np.hypot(x * y_margin, y * x_margin), value, margin, ref_value, ref_margin)


@overload
def difference(
    value: float, margin: float, ref_value: float, ref_margin: float, *, level: float = PRINTED_LEVEL
) -> Difference[float, bool]: ...
@overload
def difference(
    value: Array, margin: Numbers, ref_value: Numbers, ref_margin: Numbers, *, level: float = PRINTED_LEVEL
) -> Difference[Floats, NDArray[np.bool_]]: ...
def difference(
    value: Numbers, margin: Numbers, ref_value: Numbers, ref_margin: Numbers, *, level: float = PRINTED_LEVEL
) -> Difference[float, bool] | Difference[Floats, NDArray[np.bool_]]:
    """Whether two estimates differ by more than chance.

    Args:
        value: The first estimate.
        margin: Its margin of error, at 90 %.
        ref_value: The estimate that is taken away.
        ref_margin: Its margin of error, at 90 %.
        level: The level at which to judge.

    Returns:
        The difference, its margin at that level, and the verdict. Equal estimates are never told apart;
        unequal ones without any margin always are.

    Raises:
        ValueError: A negative margin, or a level that is none.

    Assumes:
        The two do not vary together: they are of different places, or of periods that share no year.

    Source:
        US Census Bureau (2018), Understanding and Using American Community Survey Data: What All Data Users Need
        to Know, chapter 7.

    Example:
        >>> found = difference(25.0, 1.0, 23.0, 1.0)
        >>> round(found.statistic, 3), found.is_certain
        (2.326, True)
    """
    x, y = _estimates(value, ref_value)
    x_margin, y_margin = _margins(margin, ref_margin)
    apart = x - y
    error = np.hypot(x_margin, y_margin) / critical_value()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        statistic = np.where(apart == 0, 0.0 * error, apart / error)
    reach = critical_value(level)
    given = (value, margin, ref_value, ref_margin)
    is_certain = np.abs(statistic) > reach
    if any(np.ndim(g) for g in given):
        return Difference(apart, error * reach, statistic, is_certain)
    return Difference(float(apart), float(error * reach), float(statistic), bool(is_certain))


@overload
def coefficient_of_variation(value: float, margin: float) -> float: ...
@overload
def coefficient_of_variation(value: Array, margin: Numbers) -> Floats: ...
def coefficient_of_variation(value: Numbers, margin: Numbers) -> float | Floats:
    """The standard error as a share of the estimate.

    Args:
        value: The estimate.
        margin: Its margin of error, at 90 %.

    Returns:
        0 or more, as a share: 0.15 is 15 %. An estimate of 0 has none, and gives nan.

    Raises:
        ValueError: A negative margin.

    Source:
        US Census Bureau (2018), Understanding and Using American Community Survey Data: What All Data Users Need
        to Know, chapter 7.

    Example:
        >>> round(coefficient_of_variation(203_119, 5_070), 3)
        0.015
    """
    (x,), (spread,) = _estimates(value), _margins(margin)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = spread / critical_value() / np.abs(x)
    return _given(np.where(x == 0, np.nan, found), value, margin)


def _ratio_margin(value: Numbers, margin: Numbers, ref_value: Numbers, ref_margin: Numbers) -> Floats:
    x, y = _estimates(value, ref_value)
    x_margin, y_margin = _margins(margin, ref_margin)
    if (y == 0).any():
        raise ValueError("nothing is divided by an estimate of 0")
    return np.hypot(x_margin, x / y * y_margin) / np.abs(y)


def _estimates(*given: Numbers) -> tuple[Floats, ...]:
    return tuple(np.asarray(g, dtype=np.float64) for g in given)


def _margins(*given: Numbers) -> tuple[Floats, ...]:
    margins = _estimates(*given)
    if any((m < 0).any() or (m == math.inf).any() for m in margins):
        raise ValueError("a margin of error is 0 or more; a code for a missing one is to be made nan first")
    return margins


def _given(found: Floats, *given: Numbers) -> float | Floats:
    return found if any(np.ndim(g) for g in given) else float(found)
