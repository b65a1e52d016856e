"""``kind: measure``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from metroon.base.estimate import ALL
from metroon.review.question import Aging, Answer, Names

if TYPE_CHECKING:
    from collections.abc import Collection

    from metroon.base.estimate import Estimate
    from metroon.base.scorecard import Score
    from metroon.review.facts import Facts

_TOLD = {
    "released": "is published",
    "has target": "has a target",
    "target met": "meets its target, its whole interval on the right side of it",
    "interval": "has an interval around its last number",
    "places": "is told by place",
    "groups": "is told by group",
    "baseline": "has a baseline",
}


class Measure(Aging):
    """What the published numbers of one measure show.

    Args:
        measure: Its name.
        shows: What must be seen: ``released``, ``has target``, ``target met``, ``interval``, ``places``, ``groups``
            or ``baseline``.
        by: The set of places, or the breakdown by groups; any of them unless named.
        at_least: The least that the city's last number may be, in the measure's unit; shares as 0 to 1.
        at_most: The most that it may be.
    """

    measure: str
    shows: Literal["released", "has target", "target met", "interval", "places", "groups", "baseline"] = "released"
    by: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Measure:
        if self.by and self.shows not in ("places", "groups"):
            raise ValueError("'by' names nothing here. Fix: Write shows: places or shows: groups beside it.")
        return self

    def says(self, facts: Facts) -> str:
        """What must hold."""
        by = f" ({self.by})" if self.by else ""
        more = "".join(
            f", and its last number is {word} {bound:g}"
            for word, bound in (("at least", self.at_least), ("at most", self.at_most))
            if bound is not None
        )
        return f"“{self._title(facts)}” {_TOLD[self.shows]}{by}{more}."

    def ask(self, facts: Facts) -> Answer:
        """What its release of that day shows."""
        score = facts.scores.get(self.measure)
        if score is None:
            return Answer(f"Nothing of “{self.measure}” is published.", False)
        found, is_passed = self._shown(score)
        bounds, is_within = self._within(score.city)
        told = f"{found}{bounds}."
        return Answer(
            told[0].upper() + told[1:], is_passed and is_within, (f"/measures/{self.measure}",), score.published
        )

    def always_passes(self, shares: Collection[str] = ()) -> str:
        """A bound that every number keeps: numbers of measures are never below 0, and shares never above 1."""
        if self.at_least is not None and self.at_least <= 0:
            return f"every number is at least {self.at_least:g}"
        if self.at_most is not None and self.at_most >= 1 and self.measure in shares:
            return f"every share is at most {self.at_most:g}"
        return ""

    def names(self) -> Names:
        """The measure, with its breakdown."""
        named = {"places": "geography", "groups": "group"}.get(self.shows)
        by = ((named, f"{self.measure}.{self.by}"),) if named and self.by else ()
        return (("measure", self.measure), *by)

    def _title(self, facts: Facts) -> str:
        score = facts.scores.get(self.measure)
        return score.measured.title if score is not None and score.measured.title else self.measure

    def _shown(self, score: Score) -> tuple[str, bool]:
        city, target = score.city, score.target
        if self.shows == "released":
            return f"published on {score.published}", True
        if self.shows == "has target":
            return (f"target {score.target_words}", True) if score.target_words else ("no target is set", False)
        if self.shows == "target met":
            return (f"the target is {target.status}", target.status == "met") if target else ("no target is set", False)
        if self.shows == "baseline":
            told = score.baseline
            return (f"baseline of {told.period}", True) if told else ("no baseline is set", False)
        if self.shows == "interval":
            if city is None or city.value is None:
                return "no number of the city is published", False
            has_interval = city.low is not None and city.high is not None
            return "an interval stands around it" if has_interval else "no interval stands around it", has_interval
        return self._broken_down(score)

    def _broken_down(self, score: Score) -> tuple[str, bool]:
        told = [e for e in score.measured.estimates if e.value is not None]
        cells = (e.cell for e in told)
        if self.shows == "places":
            by = sorted({c.geography for c in cells if c.geography != ALL})
        else:
            by = sorted({c.dimension for c in cells if c.dimension != ALL})
        found = f"told by {', '.join(by)}" if by else f"not told by {self.shows[:-1]}"
        return found, (self.by in by) if self.by else bool(by)

    def _within(self, city: Estimate | None) -> tuple[str, bool]:
        if self.at_least is None and self.at_most is None:
            return "", True
        if city is None or city.value is None:
            return "; no number of the city is published", False
        low, high = self.at_least, self.at_most
        is_within = (low is None or city.value >= low) and (high is None or city.value <= high)
        return f"; its last number is {city.value:.4g}", is_within
