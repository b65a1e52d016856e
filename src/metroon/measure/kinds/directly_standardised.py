"""``kind: directly_standardised``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from metroon.measure.declared import GroupPeople  # pydantic reads the annotation
from metroon.measure.indicator import Indicator, Row
from metroon.measure.standardisation import EUROPEAN_2013, direct
from metroon.measure.telling import Answer, standardised_answer

if TYPE_CHECKING:
    from metroon.base.estimate import Estimates, Tallies


class DirectlyStandardised(Indicator):
    """The rate that a standard population would have: places compared as if they had the same ages.

    Events of each stratum over its people, weighted by a standard population; Dobson's interval. No value with fewer
    than 10 events, and none where a stratum has no people (Dobson and others 1991; UK OHID technical guide). Rows whose
    stratum is not recorded are in no stratum, and are counted as unknown.

    Args:
        by: Column of the strata, such as age bands.
        standard: Stratum -> its weight in the standard population; ``european_2013`` for the European Standard
            Population of 2013 in its nineteen bands from 0-4 to 90+.
        people: People of each stratum.
        per: For how many people.
    """

    by: str
    standard: dict[str, float] | str
    people: GroupPeople
    per: int = Field(100_000, ge=1)
    needs_people: ClassVar[bool] = True
    strata_told: ClassVar[Literal["own", "city"] | None] = "own"
    grows_with_time: ClassVar[bool] = True

    def words(self) -> str:
        """Per so many people."""
        return self.unit or f"per {self.per:,} people, as if all places had the same {self.by.replace('_', ' ')}"

    def reads(self) -> tuple[tuple[str, str], ...]:
        """The column of the strata."""
        return (("by", self.by),)

    def weights(self) -> dict[str, float]:
        """Stratum -> weight."""
        return dict(self.standard) if isinstance(self.standard, dict) else dict(EUROPEAN_2013)

    def strata(self) -> tuple[str, tuple[str, ...]]:
        """The strata of the standard population."""
        return self.by, tuple(self.weights())

    def outcome(self, row: Row) -> Any:
        """In one of the strata, or unknown."""
        _, strata = self.strata()
        return row.column(self.by).cast("string").isin(list(strata)).nullif(False)

    def estimates(self, tallies: Tallies) -> Estimates:
        """The standardised rates with their intervals."""
        events, people = standardised_answer(tallies)
        found = direct(events, people, np.array(list(self.weights().values())))
        total = events.sum(axis=1)
        unknown = tallies.unknown.astype(float)
        told = found.times(self.per)
        answer = Answer(told.value, told.low, told.high, total, unknown, np.nansum(people, axis=1))
        answer.say("cannot be answered", np.asarray(np.isnan(people).any(axis=1)), "people of its strata are not known")
        return answer.say(
            "cannot be answered", np.isnan(found.value), "fewer than 10 events: no standardised rate"
        ).estimates()
