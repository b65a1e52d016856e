"""Space: whether a resource lies where people live, which people live around it, and whether like lies beside like.

Nothing is rounded here: what is shown with three decimals is rounded by whoever shows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, diags_array

from metroon.measure.margins import critical_value, standard_error, sum_margin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metroon.measure.interval import Floats

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Ties = csr_array[np.float64, tuple[int, int]]
    Weights = Floats | Ties


@dataclass(frozen=True, slots=True)
class Resource:
    """Where the points of a resource lie.

    Args:
        weight: Sum of the weights in each area.
        points: Points in each area.
        outside: Points that lie in no area.
        without_weight: Points without a weight; they count as 0.
    """

    weight: Floats
    points: Integers
    outside: int
    without_weight: int


@dataclass(frozen=True, slots=True)
class Located:
    """How many points of each group were given a place.

    Args:
        located: Points with a place.
        points: All points.
        share: Points with a place of all, 0 to 1; nan without points.
    """

    located: Integers
    points: Integers
    share: Floats


@dataclass(frozen=True, slots=True)
class GeographicDisparity:
    """Each area's share of a resource against its share of people.

    Args:
        resource_share: Share of all weight that lies in the area.
        baseline_share: Share of all people that live in the area.
        difference: The first minus the second: above 0 the area has more than its part.
        margin: How far the difference may be off, at the level asked for; nan where no error is known.
        is_certain: Whether the difference is larger than its margin.
        has_no_residents: Areas where nobody lives. Their difference is their share of the resource; a resource
            there is shown as "no residents" and not held against anybody.
    """

    resource_share: Floats
    baseline_share: Floats
    difference: Floats
    margin: Floats
    is_certain: Flags
    has_no_residents: Flags


@dataclass(frozen=True, slots=True)
class DemographicDisparity:
    """Who lives where a resource is, against who lives in the whole city. One element for each kind of residents.

    Args:
        around: Mean percent of such residents over the areas, each as heavy as its weight of the resource.
        everywhere: Percent of such residents in the city.
        difference: The first minus the second, in percentage points: below 0 they are under-represented.
        sd: Standard error of the first.
        margin: How far the difference may be off, at the level asked for; nan where no error is known.
        is_certain: Whether the difference is larger than its margin.
        unknown_share: Share of the resource that lies in areas whose percent is not known; it is left out.
    """

    around: Floats
    everywhere: Floats
    difference: Floats
    sd: Floats
    margin: Floats
    is_certain: Flags
    unknown_share: Floats


@dataclass(frozen=True, slots=True)
class MoransI:
    """Whether neighbors are alike.

    Args:
        value: Above ``expected`` neighbors are alike, below they differ.
        expected: What areas show whose values are spread by chance.
        variance: Of ``value``, under chance and normal values; nan of two variables.
        z: Distance from ``expected`` in standard errors; nan of two variables.
        areas: Areas that count: those with a value.
    """

    value: float
    expected: float
    variance: float
    z: float
    areas: int


def resource(area: Integers, weight: Floats | None, *, areas: int) -> Resource:
    """Points of a resource, summed by the area in which they lie.

    Args:
        area: Position of each point's area, from 0 on; negative when it lies in none or was not found. Whoever
            assigns points decides once for those on a shared edge.
        weight: What each point counts; 0 or more, nan counts as 0. None counts each point once.
        areas: How many areas there are.

    Returns:
        Sums by area, and what is in none of them.

    Raises:
        ValueError: An area that does not exist, or a negative weight.

    Example:
        >>> found = resource(np.array([0, 0, 2, -1]), np.array([1.0, math.nan, 3.0, 1.0]), areas=3)
        >>> found.weight.tolist(), found.points.tolist(), found.outside, found.without_weight
        ([1.0, 0.0, 3.0], [2, 0, 1], 1, 1)
    """
    if bool((area >= areas).any()):
        raise ValueError("a point lies in an area that does not exist")
    given = np.ones(area.shape) if weight is None else weight
    if bool((given < 0).any()):
        raise ValueError("weights are 0 or more")
    is_inside, is_missing = area >= 0, np.isnan(given)
    sums = np.bincount(area[is_inside], weights=np.where(is_missing, 0, given)[is_inside], minlength=areas)
    points = np.bincount(area[is_inside], minlength=areas)
    return Resource(sums.astype(np.float64), points, int((~is_inside).sum()), int(is_missing.sum()))


def located(has_place: Flags, group: Integers, *, groups: int) -> Located:
    """The share of points that were given a place, by group: a map is biased where addresses are not found.

    Args:
        has_place: Whether each point was given a place.
        group: Position of each point's group, from 0 on, such as the district that its report names; negative
            where no group is known.
        groups: How many groups there are.

    Returns:
        Counts and shares by group.

    Raises:
        ValueError: A group that does not exist.

    Example:
        >>> located(np.array([True, False, True]), np.array([0, 0, 1]), groups=2).share.tolist()
        [0.5, 1.0]
    """
    if bool((group >= groups).any()):
        raise ValueError("a point is of a group that does not exist")
    points = np.bincount(group[group >= 0], minlength=groups)
    found = np.bincount(group[(group >= 0) & has_place], minlength=groups)
    share = np.divide(found, points, out=np.full(groups, math.nan), where=points > 0)
    return Located(found, points, share)


def geographic_disparity(
    weight: Floats, baseline: Floats, baseline_moe: Floats | None = None, *, level: float = 0.95
) -> GeographicDisparity:
    """Each area's share of a resource minus its share of people.

    Args:
        weight: Weight of the resource in each area, 0 or more.
        baseline: People in each area, 0 or more, such as all residents or children; nan where not known.
        baseline_moe: Margin of error of each number of people, at 90 % as the American Community Survey prints it;
            nan or None where not known.
        level: Confidence level of the margins that are returned.

    Returns:
        One element for each area, in their order. Shares of the resource add up to 1, so do shares of people.

    Raises:
        ValueError: A negative number, no resource, no people, or a level that is none.

    Assumes:
        The resource is counted in full: only numbers of people have an error. These are independent between areas.

    Source:
        Urban Institute, Spatial Equity Data Tool, technical documentation: geographic disparity score. The margin is
        the first-order error of an area's share of a sum of independent estimates.

    Example:
        >>> geographic_disparity(np.array([3.0, 1.0, 0.0]), np.array([500.0, 500.0, 1000.0])).difference.tolist()
        [0.5, 0.0, -0.5]
    """
    z = critical_value(level)
    people, is_known = np.nan_to_num(baseline), ~np.isnan(baseline)
    if bool((people < 0).any()) or not bool((weight >= 0).all()) or weight.sum() == 0 or people.sum() == 0:
        raise ValueError("resources and people are 0 or more, and there are some of both")
    printed = np.full_like(people, math.nan) if baseline_moe is None else baseline_moe
    total, error = people.sum(), standard_error(printed)
    resource_share, share = weight / weight.sum(), np.where(is_known, people / total, math.nan)
    counted = is_known & ~np.isnan(printed)
    of_total = standard_error(float(sum_margin(people[counted], printed[counted]))) if counted.any() else math.nan
    # The area is part of the sum: its own error moves both, and so partly cancels.
    margin = z * np.sqrt(np.maximum((1 - 2 * share) * error**2 + (share * of_total) ** 2, 0)) / total
    difference = resource_share - share
    is_empty = baseline == 0
    is_certain = (np.abs(difference) > margin) & ~is_empty
    return GeographicDisparity(resource_share, share, difference, margin, is_certain, is_empty)


def demographic_disparity(
    weight: Floats,
    percent: Floats,
    everywhere: Floats,
    *,
    moe: Floats | None = None,
    everywhere_moe: Floats | None = None,
    level: float = 0.95,
) -> DemographicDisparity:
    """Who lives in the areas where a resource lies, minus who lives in the city.

    Args:
        weight: Weight of the resource in each area, 0 or more.
        percent: Percent of each kind of residents in each area: one row for each area, one column for each kind;
            nan where not known, as where nobody lives.
        everywhere: Percent of each kind in the city.
        moe: Margins of error of ``percent`` at 90 %, in percentage points, of the same shape.
        everywhere_moe: Margins of error of ``everywhere`` at 90 %.
        level: Confidence level of the margins that are returned.

    Returns:
        One element for each kind. Areas whose percent is not known are left out, and their share of the weight told.

    Raises:
        ValueError: A negative weight or margin, no resource, or a level that is none.

    Assumes:
        The resource is counted in full. Percents of areas and of the city are independent of each other, though the
        areas are parts of the city. That the error of the mean is the root of the summed squares of share times
        error is our reading of the tool; its documentation was not at hand to confirm it.

    Source:
        Urban Institute, Spatial Equity Data Tool, technical documentation: demographic disparity score.

    Example:
        >>> found = demographic_disparity(
        ...     np.array([3.0, 1.0]), np.array([[10.0], [30.0]]), np.array([25.0]),
        ...     moe=np.array([[3.29], [6.58]]), everywhere_moe=np.array([1.645]),
        ... )
        >>> found.difference.tolist(), found.is_certain.tolist()
        ([-10.0], [True])
    """
    z = critical_value(level)
    if not bool((weight >= 0).all()) or weight.sum() == 0:
        raise ValueError("weights are 0 or more, and there are some")
    known = np.where(np.isnan(percent), 0, weight[:, None])
    left = known.sum(axis=0)
    share = np.divide(known, left, out=np.full_like(known, math.nan), where=left > 0)
    around = (share * np.nan_to_num(percent)).sum(axis=0)
    errors = standard_error(np.full_like(percent, math.nan) if moe is None else moe)
    # An area without any of the resource has no part in the error, whatever its own is.
    sd = np.sqrt((np.where(share == 0, 0, share * errors) ** 2).sum(axis=0))
    of_city = standard_error(np.full_like(everywhere, math.nan) if everywhere_moe is None else everywhere_moe)
    difference, margin = around - everywhere, z * np.hypot(of_city, sd)
    return DemographicDisparity(
        around, everywhere, difference, sd, margin, np.abs(difference) > margin, 1 - left / weight.sum()
    )


def morans_i(values: Floats, weights: Weights, *, row_standardise: bool = True) -> MoransI:
    """Whether areas are like their neighbors.

    Args:
        values: One value for each area; areas that are nan (hidden, not known) are left out, and so are their ties.
        weights: Ties between areas, dense or sparse: 0 for none, else how much the column's area counts among the
            row's neighbors; nobody is their own neighbor.
        row_standardise: Divide the weights of each row by their sum, so that each area is held against the mean of
            its neighbors; else the weights are taken as they are.

    Returns:
        The statistic, what chance would give, and how far it is from that. All nan of values that do not differ,
        of fewer than three areas, or where no areas are tied.

    Raises:
        ValueError: Weights that do not fit the values, are negative, or tie an area to itself.

    Assumes:
        For variance and z: values are normal and, but for chance, the same everywhere. Rates of small areas are
        not: their variance differs, and z may mislead.

    Source:
        Moran (1950), Biometrika 37, 17-23, doi:10.1093/biomet/37.1-2.17; Cliff and Ord (1981), Spatial Processes,
        section 1.5, for the moments.

    Example:
        >>> row = np.array([[0.0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
        >>> found = morans_i(np.array([1.0, 2.0, 3.0, 4.0]), row, row_standardise=False)
        >>> round(found.value, 6), round(found.expected, 6), round(found.z, 6)
        (0.333333, -0.333333, 1.732051)
    """
    is_known = ~np.isnan(values)
    ties, n = _ties(weights, is_known, row_standardise=row_standardise), int(is_known.sum())
    away = values[is_known] - values[is_known].mean() if n else values[is_known]
    square, total = float(away @ away), float(ties.sum())
    if n < 3 or total == 0 or np.ptp(values[is_known]) == 0:
        return MoransI(math.nan, math.nan, math.nan, math.nan, n)
    around: Floats = np.asarray(ties @ away, dtype=np.float64)
    value, expected = n / total * float(away @ around) / square, -1 / (n - 1)
    both: Ties = ties + ties.T.tocsr()
    s1 = float(np.sum(both.data**2)) / 2
    s2 = float(np.sum((np.asarray(ties.sum(axis=0)) + np.asarray(ties.sum(axis=1))) ** 2))
    variance = (n * n * s1 - n * s2 + 3 * total**2) / (total**2 * (n * n - 1)) - expected**2
    return MoransI(value, expected, variance, (value - expected) / math.sqrt(variance), n)


def morans_i_of_two(values: Floats, around: Floats, weights: Weights, *, row_standardise: bool = True) -> MoransI:
    """Whether areas where one value is high have neighbors where another is high.

    Args:
        values: The value of each area itself; nan is not known.
        around: The value of which the neighbors' is taken; an area without either is left out.
        weights: As of ``morans_i``.
        row_standardise: As of ``morans_i``.

    Returns:
        The statistic, and what it would be on average if pairs of values were dealt to areas by chance: minus their
        correlation over the number of areas less one. Variance and z are nan.

    Raises:
        ValueError: Weights that do not fit the values, are negative, or tie an area to itself.

    Assumes:
        Nothing is said of the two values of one area: they can go together while this statistic is near 0.

    Source:
        Wartenberg (1985), Geographical Analysis 17, 263-283, doi:10.1111/j.1538-4632.1985.tb00849.x.

    Example:
        >>> row = np.array([[0.0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
        >>> up, down = np.array([1.0, 2.0, 3.0, 4.0]), np.array([4.0, 3.0, 2.0, 1.0])
        >>> round(morans_i_of_two(up, down, row, row_standardise=False).value, 6)
        -0.333333
    """
    is_known = ~np.isnan(values) & ~np.isnan(around)
    ties, n = _ties(weights, is_known, row_standardise=row_standardise), int(is_known.sum())
    one, other, total = values[is_known], around[is_known], float(ties.sum())
    if n < 3 or total == 0 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return MoransI(math.nan, math.nan, math.nan, math.nan, n)
    one, other = one - one.mean(), other - other.mean()
    scale = math.sqrt(float(one @ one) * float(other @ other))
    value = n / total * float(one @ (ties @ other)) / scale
    return MoransI(value, -float(one @ other) / scale / (n - 1), math.nan, math.nan, n)


def _ties(weights: Weights, is_known: Flags, *, row_standardise: bool) -> Ties:
    """The weights between the areas that are known, in rows that add up to 1 or as they came."""
    every: Ties = weights if isinstance(weights, csr_array) else csr_array(weights)
    if every.shape != (is_known.size, is_known.size):
        raise ValueError("weights have one row and one column for each area")
    if bool((every.data < 0).any()) or bool((every.diagonal() != 0).any()):
        raise ValueError("weights are 0 or more, and nobody is their own neighbor")
    kept = np.flatnonzero(is_known)
    ties: Ties = every[kept][:, kept]
    if not row_standardise:
        return ties
    sums: Floats = np.asarray(ties.sum(axis=1))
    return csr_array(diags_array(np.divide(1, sums, out=np.zeros(sums.shape), where=sums > 0)) @ ties)
