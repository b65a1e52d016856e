"""``kind: indirectly_standardised``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from metroon.measure.declared import GroupPeople  # pydantic reads the annotation
from metroon.measure.indicator import Indicator, Row
from metroon.measure.interval import poisson
from metroon.measure.telling import FEW_EVENTS, Answer, few_events, standardised_answer

if TYPE_CHECKING:
    from metroon.base.estimate import Estimates, Tallies


class IndirectlyStandardised(Indicator):
    """Events observed for each event expected, had the place the city's own rates: for places with few events.

    Expected are the people of each stratum times the city's rate of that stratum in the same period. Byar's interval,
    exact below 10 events (UK OHID technical guide). Two places are not comparable with each other, only each with the
    city.

    Args:
        by: Column of the strata, such as age bands.
        levels: The strata, as rows and people name them.
        people: People of each stratum.
        told_as: ``ratio`` (1 is as expected) or ``rate`` (the ratio times the city's rate).
        per: For how many people a rate is told.
    """

    by: str
    levels: list[str] = Field(min_length=1)
    people: GroupPeople
    told_as: Literal["ratio", "rate"] = "ratio"
    per: int = Field(100_000, ge=1)
    needs_people: ClassVar[bool] = True
    strata_told: ClassVar[Literal["own", "city"] | None] = "city"

    def words(self) -> str:
        """Observed for each expected, or per so many people."""
        if self.unit:
            return self.unit
        return "times as many as expected" if self.told_as == "ratio" else f"per {self.per:,} people, standardised"

    def reads(self) -> tuple[tuple[str, str], ...]:
        """The column of the strata."""
        return (("by", self.by),)

    def strata(self) -> tuple[str, tuple[str, ...]]:
        """The strata."""
        return self.by, tuple(self.levels)

    def outcome(self, row: Row) -> Any:
        """In one of the strata, or unknown."""
        _, strata = self.strata()
        return row.column(self.by).cast("string").isin(list(strata)).nullif(False)

    def estimates(self, tallies: Tallies) -> Estimates:
        """The ratios or rates with their intervals."""
        events, people = standardised_answer(tallies)
        city = tallies.city if tallies.city is not None else np.zeros(tallies.cells, dtype=np.int64)
        of_city, in_city = events[city], people[city]
        expected = np.where(in_city > 0, people * of_city / np.where(in_city > 0, in_city, 1), np.nan).sum(axis=1)
        total = events.sum(axis=1)
        usable = np.where(expected > 0, expected, np.nan)
        found = poisson(total)
        scale = 1 / usable
        if self.told_as == "rate":
            everybody = in_city.sum(axis=1)
            scale = scale * of_city.sum(axis=1) / np.where(everybody > 0, everybody, np.nan) * self.per
        value, low, high = total * scale, found.low * scale, found.high * scale
        unknown = tallies.unknown.astype(float)
        base = expected if self.told_as == "ratio" else np.nansum(people, axis=1)
        answer = Answer(value, low, high, total, unknown, base)
        answer.say("cannot be answered", np.asarray(np.isnan(people).any(axis=1)), "people of its strata are not known")
        answer.say("no exposure", np.isnan(usable), "no event is expected here")
        few = few_events(total.astype(np.int64), low, high, self.small_numbers)
        return answer.say("cannot tell", few, FEW_EVENTS).estimates()
