"""``kind: survey_share``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from metroon.measure.drawing import Drawing, drawn_share
from metroon.measure.indicator import Expression, Indicator, Row
from metroon.measure.shares import told_shares
from metroon.measure.survey import WeightSums, kish_share

if TYPE_CHECKING:
    from metroon.base.estimate import Estimates, Tallies


class SurveyShare(Indicator):
    """What part of the people a survey stands for says so, with the uncertainty of the way they were drawn.

    With a stratum or a cluster: Taylor linearisation over the clusters that were drawn, Student's t on the logit scale
    (Korn and Graubard 1999); a group or place is a part of the whole round, whose design stays whole. Without: Wilson's
    interval on as many answers as the weighted ones are worth (Kish 1965), and, where the population is small, with
    the correction for having asked much of it. Answers that are not given are counted as unknown.

    Args:
        when: SQL expression that is true for those who say so and empty where it cannot be told.
        weight: Column with the people that an answer stands for.
        stratum: Column with the stratum from which it was drawn.
        cluster: Column with the first unit that was drawn; people themselves unless named.
        population: How many people could have been drawn, where that is not many times the answers.
    """

    when: str
    weight: str
    stratum: str | None = None
    cluster: str | None = None
    population: float | None = Field(None, gt=0)
    is_share: ClassVar[bool] = True

    def expressions(self) -> tuple[Expression, ...]:
        """The condition."""
        return (Expression("when", self.when),)

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Columns of the design."""
        columns = (("weight", self.weight), ("stratum", self.stratum), ("cluster", self.cluster))
        return tuple((key, column) for key, column in columns if column is not None)

    def outcome(self, row: Row) -> Any:
        """Whether the condition holds; unknown where the answer has no weight."""
        return row.column(self.weight).isnull().ifelse(None, row.value("when"))

    def sums(self, row: Row) -> dict[str, Any]:
        """Weights, their squares, and those of them that say so."""
        weight, says = row.column(self.weight).cast("float64"), row.value("when")
        known = says.isnull().ifelse(None, weight)
        told = says.ifelse(weight, None)
        return {"weights": known, "squares": known * known, "yes weights": told, "yes squares": told * told}

    def spread(self, row: Row) -> dict[str, Any]:
        """Strata and clusters, where there are any."""
        columns = {"stratum": self.stratum, "cluster": self.cluster}
        return {key: row.column(c).cast("string") for key, c in columns.items() if c is not None}

    def estimates(self, tallies: Tallies) -> Estimates:
        """The weighted shares with their intervals."""
        s = tallies.sums
        answers = (tallies.yes + tallies.no).astype(float)
        sums = WeightSums(answers, s["weights"], s["squares"], s["yes weights"], s["yes weights"])
        with np.errstate(divide="ignore", invalid="ignore"):
            found = kish_share(sums, population=self.population or np.inf)
        value, low, high = found.value, found.low, found.high
        if tallies.spread is not None and tallies.city is not None:
            own = tallies.spread
            drawing = Drawing(
                own.cell, own.keys.get("stratum"), own.keys.get("cluster"), own.sums["n"],
                own.sums["weights"], own.sums["squares"], own.sums["yes weights"], own.sums["yes squares"],
            )  # fmt: skip
            low, high = drawn_share(drawing, tallies.city, value, found.effective)
        return told_shares(tallies, self, value, low, high)
