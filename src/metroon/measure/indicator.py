"""The noun of this room: an indicator, one question about the city and how to count its answer."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from metroon.base.kinds import Kind
from metroon.base.node import did_you_mean
from metroon.base.sql import NotAllowed, expression
from metroon.city.city import Period  # pydantic reads the annotation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from metroon.base.errors import Problem
    from metroon.base.estimate import Estimate, Tally
    from metroon.base.node import Node
    from metroon.city.contract import Contract


_NO_GROUPS = ("internal", "linkage key", "free text", "direct")


class Indicator(Kind):
    """What every measure says of itself. Its fields are the YAML options."""

    title: str
    """What people call it."""
    question: str
    """The question it answers, in plain words."""
    of: str
    """The product that is counted."""
    among: str | None = None
    """Which rows count: a SQL expression over one row; rows where it is empty do not."""
    period: Period | None = None
    """The time it is broken down by; leave it out when the table has no date."""
    places: list[str] = Field(default_factory=list)
    """Geographies it is broken down by; bands are written geography.band. Rates take residents of the first."""
    groups: list[str] = Field(default_factory=list)
    """Columns whose values make groups; each is a breakdown of its own, for the whole city."""
    direction: Literal["up", "down", "neutral"] = "neutral"
    """up when more is better, down when less is; neutral values are never called better or worse."""
    unit: str = ""
    """Words after the value."""
    department: str | None = None
    """Who answers for it, as in city.yaml."""
    owner: str = ""
    """The role or person who answers questions about it."""
    note: str = ""
    """What a reader must know beside the number."""
    useful_width: float | None = Field(None, gt=0)
    """Intervals wider than this, in the measure's unit, tell nothing; the default depends on the kind."""

    is_share: ClassVar[bool] = False
    """Whether the value is a share with failures, and not a number of events."""
    needs_people: ClassVar[bool] = False
    """Whether the value is per resident."""

    @abstractmethod
    def estimate(self, tally: Tally) -> Estimate:
        """The estimate that a tally supports, or why it supports none."""

    def outcome(self) -> str | None:
        """The SQL expression that is true for a success; None when every row is an event."""
        return None

    def words(self) -> str:
        """The unit as it stands after the value."""
        return self.unit

    def faults(
        self,
        node: Node,
        products: Mapping[str, Contract],
        departments: Collection[str],
        geographies: Collection[str],
    ) -> Iterator[Problem]:
        """What is wrong between the measure, the product it counts and the city it speaks of.

        Args:
            node: The measure's declaration.
            products: Product -> its own promise.
            departments: Those of the city.
            geographies: Those of the city, bands too.
        """
        contract = products.get(self.of)
        if contract is None:
            yield node.problem("M101", f"there is no product '{self.of}'.", did_you_mean(self.of, products), "of")
            return
        names = [c.name for c in contract.columns]
        for key, text in (("among", self.among), ("when", self.outcome())):
            if text is not None:
                yield from _expression_faults(node, key, text, names)
        for key, columns in (("groups", self.groups), ("period", [self.period.column] if self.period else [])):
            for column in columns:
                if column not in names:
                    yield node.problem("M102", f"{self.of} has no column '{column}'.", did_you_mean(column, names), key)
        yield from self._group_faults(node, contract)
        dated = contract.column(self.period.column) if self.period else None
        if dated and dated.type not in ("date", "timestamp"):
            what = f"'{dated.name}' is no date: it cannot make periods."
            yield node.problem("M103", what, "Name a date or timestamp column.", "period")
        if self.department and departments and self.department not in departments:
            fix = did_you_mean(self.department, departments)
            yield node.problem("M104", f"there is no department '{self.department}'.", fix, "department")
        for name in self.places:
            if name not in geographies:
                fix = did_you_mean(name, geographies)
                yield node.problem("M106", f"there is no geography '{name}'.", fix, "places")

    def _group_faults(self, node: Node, contract: Contract) -> Iterator[Problem]:
        for name in self.groups:
            column = contract.column(name)
            if column and column.classification in _NO_GROUPS:
                what = (
                    f"'{name}' is {column.classification}: every value of it would be published as the name of a group."
                )
                yield node.problem("M107", what, "Name a column whose values are few and no secret.", "groups")


def _expression_faults(node: Node, key: str, text: str, names: list[str]) -> Iterator[Problem]:
    try:
        used = expression(text)
    except NotAllowed as error:
        fix = "Write one SQL expression over the columns of the product, such as priority = 'Priority 1'."
        yield node.problem("M105", f"'{key}' cannot be run: {error}.", fix, key)
        return
    for column in sorted(used - set(names)):
        what = f"'{key}' reads a column '{column}' that the product does not have."
        yield node.problem("M102", what, did_you_mean(column, names), key)
