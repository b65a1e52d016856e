"""``kind: rate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from metroon.base.estimate import Estimate, without_value
from metroon.measure.indicator import Indicator
from metroon.measure.interval import poisson
from metroon.measure.telling import event_state

if TYPE_CHECKING:
    from metroon.base.estimate import Tally


class Rate(Indicator):
    """How many rows there are for so many residents, in the period as it is (not made yearly).

    Residents are those of the place, as the geography declares them with source and year. The interval is that of
    the count, scaled (exact Poisson below 10 events, else Byar; UK OHID technical guide).

    Args:
        per: For how many residents.
    """

    per: int = Field(10_000, ge=1)
    needs_people: ClassVar[bool] = True

    def words(self) -> str:
        """Per so many residents."""
        return self.unit or f"per {self.per:,} residents"

    def estimate(self, tally: Tally) -> Estimate:
        """The rate with its interval; no rate where nobody lives or nobody counted residents."""
        if tally.people is None:
            return without_value(tally.cell, "cannot be answered", "no number of residents is declared for this")
        if tally.people <= 0:
            return without_value(tally.cell, "no exposure", "nobody lives here")
        interval = poisson(tally.yes)
        scale = self.per / tally.people
        state, note = event_state(tally.yes, interval, None if self.useful_width is None else self.useful_width / scale)
        return Estimate(
            tally.cell,
            state,
            tally.yes * scale,
            interval.low * scale,
            interval.high * scale,
            tally.yes,
            tally.people,
            tally.unknown,
            note=note,
        )
