"""``kind: share``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from metroon.measure.indicator import Expression, Indicator, Row
from metroon.measure.shares import share_estimates

if TYPE_CHECKING:
    from metroon.base.estimate import Estimates, Tallies


class Share(Indicator):
    """What part of the rows meets a condition, among those where it can be told.

    Rows where the condition cannot be told are not left out silently: they are counted, and the share is given
    for the worst and the best case, as if all of them failed or all succeeded. Wilson interval (Wilson 1927;
    UK OHID technical guide).

    Args:
        when: SQL expression that is true for a success and empty where it cannot be told.
    """

    when: str
    is_share: ClassVar[bool] = True
    gaps_by: ClassVar[Literal["share", "rate", "other"]] = "share"

    def expressions(self) -> tuple[Expression, ...]:
        """The condition."""
        return (Expression("when", self.when),)

    def outcome(self, row: Row) -> Any:
        """Whether the condition holds."""
        return row.value("when")

    def estimates(self, tallies: Tallies) -> Estimates:
        """The shares with their intervals, and their bounds over the unknowns."""
        return share_estimates(tallies, self)
