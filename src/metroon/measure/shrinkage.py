"""Rates and shares of many small areas, each drawn toward the mean of all by as much as its own data are weak.

A map of raw rates shows the smallest areas at both ends, by chance alone. Here each area's estimate is
``weight * raw + (1 - weight) * mean of all``, where the weight grows with the area's own data. Show it beside the raw
value, called "borrowed strength", with the weight.

How the spread between areas is found was chosen by simulation, over 90 settings of 400 runs each (5 to 50 areas of
like or very unlike size, with 2 to 50 events on average, differing a little or much). The mean squared error with the
maximum of the likelihood was 0.78 to 1.03 of that with moments (Marshall; Martuzzi and Elliott), and below it in 71 %
of the settings; so the likelihood is used. With its spread taken for the truth, 95 % intervals covered 37 to 95 % of
the true values; ours average over the spreads that the data leave possible, and covered 93 to 97 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import betaincinv, gammainccinv, gammaincinv, gammaln

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST_AREAS = 5
"""Areas under which nothing is borrowed: from here on the 95 % intervals were found to cover 93 % or more."""

_ALIKE = 1_000
# A prior worth this many times the largest area's own data is one value for all areas.


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What each area's own data and the mean of all say together.

    Args:
        estimate: One for each area, in the unit of a raw rate (events by exposure) or share; nan where the area's
            numbers are hidden, or where fewer than five areas are known.
        low: Lower bound, at most the estimate.
        high: Upper bound, at least the estimate.
        weight: How much the area's own data count in its estimate, from 0 to 1; the mean of all has the rest.
        prior_mean: The mean toward which all are drawn.
        prior_size: The exposure or the trials that the mean counts for; infinite when the areas differ no more than
            chance makes them, so that each is given the mean.
        areas: Areas that were known, and so made the mean.
    """

    estimate: Floats
    low: Floats
    high: Floats
    weight: Floats
    prior_mean: float
    prior_size: float
    areas: int

    @property
    def is_one_for_all(self) -> bool:
        """Whether every area is given the mean of all."""
        return math.isinf(self.prior_size)

    @property
    def sentence(self) -> str:
        """What was done, for the reader of the map."""
        if self.areas < FEWEST_AREAS:
            return f"Only {self.areas} areas are known; nothing is borrowed from fewer than {FEWEST_AREAS}."
        if self.is_one_for_all:
            return f"The {self.areas} areas differ no more than chance makes them: each is given the mean of all."
        least, most = f"{np.nanmin(self.weight):.0%}", f"{np.nanmax(self.weight):.0%}"
        own = least if least == most else f"{least} to {most}"
        return f"Each area borrows strength from the mean of {self.areas}; its own data make up {own} of its estimate."


def poisson_gamma(events: Floats, exposure: Floats, *, level: float = 0.95) -> Shrunk:
    """Rates of many areas, drawn toward their mean.

    Args:
        events: Events of each area, 0 or more; nan where hidden.
        exposure: Of each area, such as person-years, 0 or more; nan where hidden. An area without exposure has no
            rate, so its estimate is nan.
        level: Confidence level, between 0 and 1.

    Returns:
        Events by unit of exposure. Without any event in any area the estimate is 0 and the upper bound is the exact
        one of each area alone, as nothing can be learned from the others.

    Raises:
        ValueError: A negative or infinite number, events without exposure, arrays of unlike length, or no level.

    Assumes:
        Events are Poisson, given an area's rate; the rates come from one gamma distribution, whatever the place.
        Averaged over areas, the 95 % interval holds the truth 93 to 97 % of the time from five areas on, and
        more often (up to 100 %) when the areas do not differ at all. It promises nothing for one chosen area.

    Source:
        Clayton and Kaldor (1987), Biometrics 43, 671-681, doi:10.2307/2532003 (the likelihood and
        the mean); Christiansen and Morris (1997), Journal of the American Statistical Association 92, 618-632 (every
        shrinkage as likely beforehand, and bounds from the first two moments).

    Example:
        >>> found = poisson_gamma(np.array([0.0, 2, 9, 4, 40]), np.array([100.0, 100, 200, 200, 800]))
        >>> found.estimate.round(4), round(found.prior_mean, 4)
        (array([0.0179, 0.0264, 0.0394, 0.0245, 0.0473]), 0.0311)
    """
    events, exposure = _numbers(events, exposure)
    if np.any((exposure == 0) & (events > 0)):
        raise ValueError("there are events without exposure")
    known = ~np.isnan(events) & (exposure > 0)
    model = _Gamma(events[known], exposure[known])
    return _spread_out(_shrink(model, _tail(level)), known)


def beta_binomial(successes: Floats, trials: Floats, *, level: float = 0.95) -> Shrunk:
    """Shares of many areas, drawn toward their mean.

    Args:
        successes: Of each area, from 0 to its trials; nan where hidden.
        trials: Of each area, 0 or more; nan where hidden. An area without trials has no share: its estimate is nan.
        level: Confidence level, between 0 and 1.

    Returns:
        Shares, from 0 to 1. When all trials of all areas succeeded, or none did, each area has its own exact bounds,
        as nothing can be learned from the others.

    Raises:
        ValueError: A negative or infinite number, more successes than trials, arrays of unlike length, or no level.

    Assumes:
        Trials are independent, given an area's share; the shares come from one beta distribution, whatever the
        place. The coverage is that of ``poisson_gamma``.

    Source:
        Martuzzi and Elliott (1996), Statistics in Medicine 15, 1867-1873 (shares of small areas); Griffiths (1973),
        Biometrics 29, 637-648 (the likelihood, here at the weighted mean); Christiansen and Morris (1997), as in
        ``poisson_gamma`` (the bounds).

    Example:
        >>> found = beta_binomial(np.array([0.0, 3, 9, 14, 3]), np.array([10.0, 10, 20, 20, 40]))
        >>> found.estimate.round(3), round(found.prior_mean, 3)
        (array([0.068, 0.302, 0.432, 0.651, 0.091]), 0.309)
    """
    successes, trials = _numbers(successes, trials)
    if np.any(successes > trials):
        raise ValueError("successes lie between 0 and the trials")
    known = ~np.isnan(successes) & (trials > 0)
    model = _Beta(successes[known], trials[known])
    return _spread_out(_shrink(model, _tail(level)), known)


@dataclass(frozen=True, slots=True)
class _Gamma:
    """Poisson counts whose rates have a gamma distribution of a given mean, worth ``size`` of exposure."""

    count: Floats
    base: Floats

    def likelihood(self, mean: Floats, size: Floats) -> Floats:
        """Logarithm, but for what the parameters do not change; one row of parameters for each result."""
        shape = mean * size
        rows = gammaln(self.count + shape) - gammaln(shape) - self.count * np.log(size + self.base)
        rows += shape * np.log(size / (size + self.base))
        return np.asarray(rows.sum(axis=1), dtype=np.float64)

    def doubt(self, mean: Floats, size: Floats) -> Floats:
        """Variance of the mean, given the size."""
        return np.asarray(mean / (size * _weights(self.base, size).sum(axis=1, keepdims=True)))

    def scale(self, mean: Floats) -> Floats:
        """How far the mean moves when its logarithm moves by one."""
        return mean

    def spread(self, mean: Floats, size: Floats) -> Floats:
        """Variance of each area's rate, given its own data, the prior's mean and its size."""
        return mean / (self.base + size)

    def bounds(self, mean: Floats, variance: Floats, tail: float) -> tuple[Floats, Floats]:
        """Of the gamma distribution with these moments."""
        shape, scale = mean**2 / variance, variance / mean
        low, high = gammaincinv(shape, tail), gammainccinv(shape, tail)
        return np.asarray(low * scale, np.float64), np.asarray(high * scale, np.float64)

    def alone(self, tail: float) -> tuple[Floats, Floats]:
        """Exact bounds of areas without events."""
        return np.zeros_like(self.base), -math.log(tail) / self.base

    @property
    def is_settled(self) -> bool:
        """Whether the counts say nothing of how the areas differ."""
        return not np.any(self.count)


@dataclass(frozen=True, slots=True)
class _Beta:
    """Binomial counts whose shares have a beta distribution of a given mean, worth ``size`` trials."""

    count: Floats
    base: Floats

    def likelihood(self, mean: Floats, size: Floats) -> Floats:
        """Logarithm, but for what the parameters do not change; one row of parameters for each result."""
        yes, no = mean * size, (1 - mean) * size
        rows = gammaln(self.count + yes) - gammaln(yes) + gammaln(self.base - self.count + no) - gammaln(no)
        rows -= gammaln(self.base + size) - gammaln(size)
        return np.asarray(rows.sum(axis=1), dtype=np.float64)

    def doubt(self, mean: Floats, size: Floats) -> Floats:
        """Variance of the mean, given the size."""
        return np.asarray(mean * (1 - mean) / ((size + 1) * _weights(self.base, size).sum(axis=1, keepdims=True)))

    def scale(self, mean: Floats) -> Floats:
        """How far the mean moves when its log-odds move by one."""
        return mean * (1 - mean)

    def spread(self, mean: Floats, size: Floats) -> Floats:
        """Variance of each area's share, given its own data, the prior's mean and its size."""
        return mean * (1 - mean) / (self.base + size + 1)

    def bounds(self, mean: Floats, variance: Floats, tail: float) -> tuple[Floats, Floats]:
        """Of the beta distribution with these moments."""
        size = np.maximum(mean * (1 - mean) / variance - 1, 1e-6)
        yes, no = mean * size, (1 - mean) * size
        return np.asarray(betaincinv(yes, no, tail), np.float64), np.asarray(betaincinv(yes, no, 1 - tail), np.float64)

    def alone(self, tail: float) -> tuple[Floats, Floats]:
        """Exact bounds of areas in which all failed, or all succeeded."""
        reach = 1 - tail ** (1 / self.base)
        if np.any(self.count):
            return 1 - reach, np.ones_like(reach)
        return np.zeros_like(reach), reach

    @property
    def is_settled(self) -> bool:
        """Whether the counts say nothing of how the areas differ."""
        return not np.any(self.count) or bool(np.all(self.count == self.base))


def _shrink(model: _Gamma | _Beta, tail: float) -> Shrunk:
    areas = model.count.size
    if areas < FEWEST_AREAS:
        missing = np.full(areas, np.nan)
        return Shrunk(missing, missing, missing, missing, math.nan, math.nan, areas)
    if model.is_settled:
        mean = float(model.count.sum() / model.base.sum())
        low, high = model.alone(tail)
        return Shrunk(np.full(areas, mean), low, high, np.zeros(areas), mean, math.inf, areas)
    sizes = _sizes(model.base)
    best = _best(model, sizes)
    alike = best > _ALIKE * float(model.base.max())
    weight = np.zeros(areas) if alike else model.base / (model.base + best)
    mean = float(model.count.sum() / model.base.sum()) if alike else _mean(model, np.array([[best]])).item()
    estimate = weight * model.count / model.base + (1 - weight) * mean
    low, high = _averaged(model, np.sort(np.append(sizes, best * np.exp(np.arange(-1.5, 1.51, 0.05)))), tail)
    return Shrunk(
        estimate,
        np.minimum(low, estimate),
        np.maximum(high, estimate),
        weight,
        mean,
        math.inf if alike else best,
        areas,
    )


def _middle(base: Floats) -> float:
    """The prior size at which a shrinkage of one half lies.

    A quarter of the lower quartile of the areas' own data. The smaller it is, the less shrinkage is expected beforehand
    and the wider the bounds; with the median they covered 91 % of the truth in five strongly differing areas. It is a
    quantile, so that an area with next to no data does not move it.
    """
    return float(np.quantile(base, 0.25)) / 4


def _sizes(base: Floats) -> Floats:
    """Prior sizes from no shrinkage to nothing but shrinkage, half a step of the logarithm apart."""
    logs = np.arange(math.log(_middle(base)) - 9, math.log(10 * _ALIKE * float(base.max())), 0.5)
    return np.asarray(np.exp(logs), dtype=np.float64)


def _best(model: _Gamma | _Beta, sizes: Floats) -> float:
    """The prior size under which the counts are most likely."""
    heights = model.likelihood(_mean(model, sizes[:, None]), sizes[:, None])
    top = int(heights.argmax())

    def depth(log_size: float) -> float:
        size = np.array([[math.exp(log_size)]])
        return -model.likelihood(_mean(model, size), size).item()

    around = (math.log(sizes[max(top - 1, 0)]), math.log(sizes[min(top + 1, sizes.size - 1)]))
    return math.exp(minimize_scalar(depth, bounds=around, method="bounded", options={"xatol": 1e-8}).x)


def _averaged(model: _Gamma | _Beta, sizes: Floats, tail: float) -> tuple[Floats, Floats]:
    """Bounds over all prior sizes, each counted by how likely it makes the data."""
    size = sizes[:, None]
    mean = _mean(model, size)
    doubt = model.doubt(mean, size)
    height = model.likelihood(mean, size)
    shrinkage = sizes / (sizes + _middle(model.base))
    share = np.exp(height - height.max()) * np.sqrt(doubt[:, 0]) / model.scale(mean)[:, 0]
    # Every shrinkage is as likely beforehand; the sizes are laid on a logarithmic scale.
    share *= shrinkage * (1 - shrinkage) * np.gradient(np.log(sizes))
    share /= share.sum()
    own = _weights(model.base, size)
    middle = own * model.count / model.base + (1 - own) * mean
    centre = share @ middle
    within = model.spread(middle, size) + (1 - own) ** 2 * doubt
    return model.bounds(centre, share @ (within + (middle - centre) ** 2), tail)


def _mean(model: _Gamma | _Beta, size: Floats) -> Floats:
    """The mean of all areas, each weighed by how well it is known; a column, one row for each size."""
    own = _weights(model.base, size)
    total = (own * model.count / model.base).sum(axis=1, keepdims=True)
    return np.asarray(total / own.sum(axis=1, keepdims=True), dtype=np.float64)


def _weights(base: Floats, size: Floats) -> Floats:
    return np.asarray(base / (base + size), dtype=np.float64)


def _spread_out(found: Shrunk, known: NDArray[np.bool_]) -> Shrunk:
    """The known areas' results in the places of all areas."""

    def placed(values: Floats) -> Floats:
        result = np.full(known.shape, np.nan)
        result[known] = values
        return result

    return Shrunk(
        placed(found.estimate),
        placed(found.low),
        placed(found.high),
        placed(found.weight),
        found.prior_mean,
        found.prior_size,
        found.areas,
    )


def _numbers(count: Floats, base: Floats) -> tuple[Floats, Floats]:
    count, base = np.asarray(count, dtype=np.float64), np.asarray(base, dtype=np.float64)
    if count.ndim != 1 or count.shape != base.shape:
        raise ValueError("there is one count and one base for each area")
    for numbers in (count, base):
        if np.any(numbers < 0) or np.any(np.isinf(numbers)):
            raise ValueError("counts and what they are of are finite and 0 or more")
    return count, base


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError("a confidence level lies between 0 and 1")
    return (1 - level) / 2
