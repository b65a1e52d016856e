"""Shares: the estimates of successes among trials, with what the unknown could make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metroon.measure.interval import wilson
from metroon.measure.telling import TOO_WIDE, Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metroon.base.estimate import Estimates, Tallies
    from metroon.measure.indicator import Indicator

    Floats = NDArray[np.float64]

_USEFUL = 0.30


def share_estimates(tallies: Tallies, indicator: Indicator) -> Estimates:
    """Shares with Wilson's interval, and their bounds over the unknowns (Manski 1989)."""
    base = (tallies.yes + tallies.no).astype(float)
    trials = np.where(base > 0, base, np.nan)
    bounds = wilson(tallies.yes.astype(float), trials)
    return told_shares(tallies, indicator, tallies.yes / trials, bounds.low, bounds.high)


def told_shares(tallies: Tallies, indicator: Indicator, value: Floats, low: Floats, high: Floats) -> Estimates:
    """Shares by any method with the states that they have in common."""
    yes, unknown = tallies.yes.astype(float), tallies.unknown.astype(float)
    base = (tallies.yes + tallies.no).astype(float)
    if tallies.unknown.any():
        rows = np.where(base + unknown > 0, base + unknown, np.nan)
        least, most = yes / rows, (yes + unknown) / rows
    else:
        least = most = value
    worst, best = (most, least) if indicator.direction == "down" else (least, most)
    answer = Answer(value, low, high, yes, unknown, base, worst, best)
    is_empty = base == 0
    if is_empty.any():
        answer.say("no exposure", is_empty & (unknown == 0), "there is no case")
        answer.say("cannot tell", is_empty, "no case has a known outcome")
    rule = indicator.small_numbers
    if rule.events:
        answer.say("cannot be answered", yes < rule.events, "too few events for a value")
    return answer.say("cannot tell", high - low > (rule.useful_width or _USEFUL), TOO_WIDE).estimates()
