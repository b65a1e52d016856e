"""``kind: rate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from metroon.measure.indicator import Indicator
from metroon.measure.interval import Interval, mover_ratio, poisson
from metroon.measure.margins import critical_value, standard_error
from metroon.measure.telling import FEW_EVENTS, Answer, few_events, no_people, too_few

if TYPE_CHECKING:
    from metroon.base.estimate import Estimates, Tallies
    from metroon.measure.interval import Floats


class Rate(Indicator):
    """How many rows there are for so many residents, in the period as it is (not made yearly).

    Residents are those of the place, as the geography declares them with source and year, or of the group, as the
    group declares them. The interval is that of the count, scaled (exact Poisson below 10 events, else Byar; UK
    OHID technical guide). Where residents are estimates of a survey, their margin of error widens it (the interval of
    a ratio from those of both: Donner and Zou 2012, Statistical Methods in Medical Research 21, 347-359).

    Args:
        per: For how many residents.
        per_unit: What is divided by, ``people`` or ``households``; must be what the source counts.
    """

    per: int = Field(10_000, ge=1)
    per_unit: str = "people"
    needs_people: ClassVar[bool] = True
    grows_with_time: ClassVar[bool] = True
    gaps_by: ClassVar[Literal["share", "rate", "other"]] = "rate"

    def words(self) -> str:
        """Per so many residents."""
        return self.unit or f"per {self.per:,} residents"

    def estimates(self, tallies: Tallies) -> Estimates:
        """The rates with their intervals; no rate where nobody lives or nobody counted residents."""
        bounds = poisson(tallies.yes.astype(float))
        scale = self.per / np.where(tallies.people > 0, tallies.people, np.nan)
        value, low, high = tallies.yes * scale, bounds.low * scale, bounds.high * scale
        if tallies.margins is not None:
            low, high = _with_margins(tallies, tallies.margins, bounds, Interval(low, high), self.per)
        answer = Answer(value, low, high, tallies.yes.astype(float), tallies.unknown.astype(float), tallies.people)
        no_people(answer, tallies)
        answer.say("cannot be answered", too_few(tallies.yes, self.small_numbers), "too few events for a value")
        return answer.say("cannot tell", few_events(tallies.yes, low, high, self.small_numbers), FEW_EVENTS).estimates()


def _with_margins(
    tallies: Tallies, margins: Floats, bounds: Interval[Floats], without: Interval[Floats], per: int
) -> tuple[Floats, Floats]:
    """The bounds where residents have a margin of error; where it reaches down to nobody, there are none."""
    people = np.where(tallies.people > 0, tallies.people, np.nan)
    reach = critical_value(0.95) * standard_error(np.where(np.isnan(people), np.nan, margins))
    has_margin = ~np.isnan(reach)
    fewest = np.where(people - reach > 0, people - reach, np.nan)
    events = np.where(np.isnan(fewest), np.nan, tallies.yes.astype(float))
    ratio = mover_ratio(events, bounds.low, bounds.high, people, fewest, people + reach)
    low = np.where(has_margin, ratio.low * per, without.low)
    return low, np.where(has_margin, ratio.high * per, without.high)
