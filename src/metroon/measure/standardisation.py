"""Rates made comparable between places whose people differ in age, or in what else splits them into strata.

Arrays have one row per cell and one column per stratum. nan is a number that is missing, and leaves its cell without a
value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from metroon.measure.interval import Floats, byar, poisson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metroon.measure.interval import Array

LEAST_EVENTS = 10
"""Total events under which a directly standardised rate is not given (UK OHID, technical guide)."""

EUROPEAN_2013: Mapping[str, int] = MappingProxyType(
    {
        "0-4": 5_000,
        "5-9": 5_500,
        "10-14": 5_500,
        "15-19": 5_500,
        "20-24": 6_000,
        "25-29": 6_000,
        "30-34": 6_500,
        "35-39": 7_000,
        "40-44": 7_000,
        "45-49": 7_000,
        "50-54": 7_000,
        "55-59": 6_500,
        "60-64": 6_000,
        "65-69": 5_500,
        "70-74": 5_000,
        "75-79": 4_000,
        "80-84": 2_500,
        "85-89": 1_500,
        "90+": 1_000,
    }
)
"""People of each age among 100,000 (Eurostat 2013, Revision of the European Standard Population, 19 bands)."""


@dataclass(frozen=True, slots=True)
class Standardised:
    """Standardised rates or ratios, one of each cell.

    Args:
        value: The rate or ratio; nan where there is none.
        low: Lower bound.
        high: Upper bound.
        events: Events observed, over all strata.
    """

    value: Floats
    low: Floats
    high: Floats
    events: Floats

    def times(self, factor: float) -> Standardised:
        """The same in another unit, such as 100,000 for a rate per 100,000 people.

        Example:
            >>> events, people = np.array([[10, 40, 90]]), np.array([[5_000, 4_000, 2_000]])
            >>> found = direct(events, people, np.array([50, 35, 15])).times(1_000)
            >>> found.value.round(2), found.low.round(4), found.high.round(4)
            (array([11.25]), array([9.4552]), array([13.285]))
        """
        return Standardised(self.value * factor, self.low * factor, self.high * factor, self.events)


@dataclass(frozen=True, slots=True)
class Repeated:
    """Events of which one person may have several.

    Args:
        events: Events of each cell and stratum.
        variance: Variance of that number, which is above it when events come in clusters.
    """

    events: Floats
    variance: Floats


def direct(
    events: Array,
    population: Array,
    standard: Array,
    *,
    event_variance: Array | None = None,
    level: float = 0.95,
) -> Standardised:
    """The rate that a standard population would have at the rates of each cell's strata.

    Args:
        events: Events of each cell and stratum; 0 or more.
        population: People, or person-years, of each cell and stratum; 0 or more.
        standard: The standard population: one weight of each stratum, of any total.
        event_variance: Variance of the events, from ``repeated_events``; None when each event is on its own, and
            the variance is the number of events.
        level: Confidence level, between 0 and 1.

    Returns:
        Events for each person or person-year. No value (nan) in a cell with fewer than 10 events over all strata,
        or with a stratum without people that the standard counts.

    Raises:
        ValueError: Shapes that do not fit, a negative number, events without people, or a level that is none.

    Assumes:
        Events are independent (Poisson), or ``event_variance`` says how they are not. Covers 93-97 % on average
        from 20 expected events on, while no stratum has much of the weight and hardly an event: where one expected
        event stands for half of the weight, it covers 64 % at 20 events and 93 % at 100. Merge such strata.

    Source:
        Dobson, Kuulasmaa, Eberle and Scherer (1991), Statistics in Medicine 10, 457-462,
        doi:10.1002/sim.4780100317; the rule of 10 events: Office for Health Improvement and Disparities, Public
        health technical guide.

    Example:
        >>> found = direct(np.array([[10, 40, 90]]), np.array([[5_000, 4_000, 2_000]]), np.array([50, 35, 15]))
        >>> found.value.round(5), found.low.round(6), found.high.round(6)
        (array([0.01125]), array([0.009455]), array([0.013285]))
    """
    x, n = _checked(events, population)
    weights = _weights(standard, x.shape[1])
    spread = x if event_variance is None else _matrix(event_variance)
    if spread.shape != x.shape or (spread < 0).any():
        raise ValueError("every number of events needs its variance, 0 or more")
    # What the standard does not count needs no people, and its events say nothing of the rate.
    x, n, spread = (part[:, weights > 0] for part in (x, n, spread))
    per_event = weights[weights > 0] / weights.sum() / np.where(n > 0, n, np.nan)
    value = np.sum(per_event * x, axis=1)
    total = x.sum(axis=1)
    told = np.where(total >= LEAST_EVENTS, total, np.nan)
    stretch = np.sqrt(np.sum(per_event**2 * spread, axis=1) / told)
    bounds = byar(told, level=level)
    return Standardised(
        np.where(np.isnan(told), np.nan, value),
        value + stretch * (bounds.low - told),
        value + stretch * (bounds.high - told),
        total,
    )


def indirect(
    events: Array,
    population: Array,
    reference_events: Array,
    reference_population: Array,
    *,
    level: float = 0.95,
) -> Standardised:
    """Events observed for each event expected at the strata's rates in a reference population.

    Args:
        events: Events of each cell, over all strata; 0 or more, whole numbers.
        population: People, or person-years, of each cell and stratum; 0 or more.
        reference_events: Events of each stratum in the reference population.
        reference_population: People of each stratum in the reference population; above 0.
        level: Confidence level, between 0 and 1.

    Returns:
        The ratio: 1 is the reference. ``times`` the reference's crude rate it is an indirectly standardised rate.
        No value (nan) in a cell in which no event is expected.

    Raises:
        ValueError: Shapes that do not fit, a negative number, or a level that is none.

    Assumes:
        Events are independent (Poisson), and the reference is so large that its rates are known. The ratios of two
        cells are not comparable with each other, only each with the reference. Covers at least 93 % at any number
        of events, and 93-97 % on average from 10 expected events on.

    Source:
        Breslow and Day (1987), Statistical Methods in Cancer Research II, IARC, section 2.3; Office for Health
        Improvement and Disparities, Public health technical guide.

    Example:
        >>> reference = np.array([1, 12, 40]), np.array([1_000, 1_000, 1_000])
        >>> found = indirect(np.array([140]), np.array([[5_000, 4_000, 2_000]]), *reference)
        >>> found.value.round(4), found.low.round(4), found.high.round(4)
        (array([1.0526]), array([0.8855]), array([1.2422]))
    """
    expected = expected_events(population, reference_events, reference_population)
    observed = np.asarray(events, dtype=np.float64)
    if observed.shape != expected.shape:
        raise ValueError("every cell needs its number of events")
    exposed = np.where(expected > 0, expected, np.nan)
    bounds = poisson(observed, level=level)
    return Standardised(observed / exposed, bounds.low / exposed, bounds.high / exposed, observed)


def expected_events(population: Array, reference_events: Array, reference_population: Array) -> Floats:
    """Events that each cell would have at the strata's rates in a reference population.

    Args:
        population: People, or person-years, of each cell and stratum; 0 or more.
        reference_events: Events of each stratum in the reference population.
        reference_population: People of each stratum in the reference population; above 0.

    Returns:
        Expected events of each cell.

    Raises:
        ValueError: Shapes that do not fit, a negative number, or a stratum without people in the reference.

    Example:
        >>> expected_events(np.array([[5_000, 2_000]]), np.array([1, 40]), np.array([1_000, 1_000]))
        array([85.])
    """
    people = _matrix(population)
    strata = (people.shape[1],)
    x, n = (np.asarray(v, dtype=np.float64) for v in (reference_events, reference_population))
    if x.shape != strata or n.shape != strata or not (n > 0).all() or not (x >= 0).all() or (people < 0).any():
        raise ValueError("the reference needs events and people of every stratum, and people are 0 or more")
    found: Floats = people @ (x / n)
    return found


def repeated_events(people: Array, times: Array) -> Repeated:
    """Events of people who may have several, with the variance that this gives their number.

    Args:
        people: How many people had that many events: shape (cells, strata, numbers of events).
        times: The numbers of events, such as 1, 2, 3.

    Returns:
        Events and their variance, by cell and stratum, for ``direct``.

    Raises:
        ValueError: Shapes that do not fit, or a negative number.

    Assumes:
        People are independent of each other, and the number of people with each number of events is Poisson.

    Source:
        Stukel, Glynn, Fisher, Sharp, Lu-Yao and Wennberg (1994), Statistics in Medicine 13, 1781-1791,
        doi:10.1002/sim.4780131709.

    Example:
        >>> found = repeated_events(np.array([[[90, 20]]]), np.array([1, 2]))
        >>> found.events, found.variance
        (array([[130.]]), array([[170.]]))
    """
    counts, each = np.asarray(people, dtype=np.float64), np.asarray(times, dtype=np.float64)
    if counts.ndim != 3 or each.shape != counts.shape[2:]:
        raise ValueError("people are counted by cell, stratum and number of events")
    if (counts < 0).any() or not (each >= 0).all():
        raise ValueError("a count is 0 or more")
    return Repeated(counts @ each, counts @ each**2)


def _checked(events: Array, population: Array) -> tuple[Floats, Floats]:
    x, n = _matrix(events), _matrix(population)
    if x.shape != n.shape:
        raise ValueError("every number of events needs its population")
    if (x < 0).any() or (n < 0).any() or (x == math.inf).any() or (n == math.inf).any():
        raise ValueError("a count is 0 or more")
    if ((n == 0) & (x > 0)).any():
        raise ValueError("there are events where there are no people")
    return x, n


def _weights(standard: Array, strata: int) -> Floats:
    weights = np.asarray(standard, dtype=np.float64)
    if weights.shape != (strata,) or not (weights >= 0).all() or not 0 < weights.sum() < math.inf:
        raise ValueError("a standard population has one weight of each stratum, 0 or more")
    return weights


def _matrix(values: Array) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2:
        raise ValueError("there is one row per cell and one column per stratum")
    return found
