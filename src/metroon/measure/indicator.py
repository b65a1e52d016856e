"""The noun of this room: an indicator, one question about the city and how to count its answer."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import ibis
import numpy as np
from pydantic import Field

from metroon.base.estimate import Tallies
from metroon.base.kinds import Kind
from metroon.city.city import Period  # pydantic reads the annotation
from metroon.measure.declared import (  # pydantic reads the annotations
    Baseline,
    Break,
    DisparityOf,
    Group,
    GroupBy,
    Revision,
    SignalRules,
    Slot,
    SmallNumbers,
    Target,
    Told,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.engine import Counter, Relation
    from metroon.base.estimate import Estimate, Estimates, Tally
    from metroon.city.contract import Contract


@dataclass(frozen=True)
class Expression:
    """SQL over one row that a kind reads.

    Args:
        key: The key of the YAML that holds it.
        sql: The text; empty when the key was left out.
        type: What it must give: ``boolean`` or ``float64``.
    """

    key: str
    sql: str
    type: Literal["boolean", "float64"] = "boolean"


@dataclass(frozen=True)
class Row:
    """One row, as a kind sees it: columns of the table, and values of its own expressions.

    Args:
        columns: The relation.
        names: Key of an expression -> the column that holds its value.
    """

    columns: Relation
    names: Mapping[str, str]

    def value(self, key: str) -> Any:
        """The value of an expression."""
        return self.columns[self.names[key]]

    def column(self, name: str) -> Any:
        """A column of the table."""
        return self.columns[name]

    def newest(self, names: Sequence[str]) -> Any:
        """The latest time in some columns of all rows: until when the data reach."""
        latest = [self.columns[n].cast("timestamp").max() for n in dict.fromkeys(names)]
        return self.columns.aggregate(_newest=ibis.greatest(*latest)).as_scalar()


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
    groups: list[GroupBy] = Field(default_factory=list)
    """Columns whose values make groups; each is a breakdown of its own, for the whole city."""
    coarsen: list[str] = Field(default_factory=list)
    """What to give up, the first thing first, while more is hidden than the city's hidden_share: quarter, year or all
    for longer periods, a geography made of the areas of one of the places, or without and a breakdown."""
    direction: Literal["up", "down", "neutral", "within"] = "neutral"
    """up when more is better, down when less is, within when it should stay in a band; neutral values are never
    called better or worse."""
    unit: str = ""
    """Words after the value."""
    goal: str | None = None
    """The goal it belongs to, as in city.yaml."""
    type: Literal["input", "output", "efficiency", "quality", "outcome", "equity"] = "outcome"
    """What it tells about a goal: outcomes are what residents feel, outputs what the city does."""
    department: str | None = None
    """Who answers for it, as in city.yaml."""
    owner: str = ""
    """The role or person who answers questions about it."""
    service: str = ""
    """The service it belongs to."""
    budget_program: str = ""
    """The program of the budget that pays for it."""
    note: str = ""
    """What a reader must know beside the number."""
    small_numbers: SmallNumbers = SmallNumbers()
    """When a number says too little."""
    baseline: Baseline | None = None
    """Where it began."""
    target: Target | None = None
    """What is to be reached, by when, on whose authority."""
    signals: SignalRules = SignalRules()
    """How change is told from noise."""
    breaks: list[Break] = Field(default_factory=list)
    """Days across which values are not comparable."""
    revision: Revision = Revision()
    """When a value is final, and how large a change of it is told."""
    guard_metric: str | None = None
    """The measure that would suffer if somebody gamed this one."""
    complaints: bool = False
    """True when rows are complaints: they tell of those who complain, and need a coverage measure."""
    coverage: str | None = None
    """The measure that tells how much of what is there gets reported."""
    disparity: DisparityOf | None = None
    """Where what is counted lies, against where some people live: for counts and totals of a resource."""
    narrative: dict[Slot, Told] = Field(default_factory=dict)
    """What people say about it: what happened, the story, the action, the partners."""

    is_share: ClassVar[bool] = False
    """Whether the value is a share (0-1) with failures, and not a number of events."""
    is_count: ClassVar[bool] = False
    """Whether values are counts: parts of a whole, never compared with it."""
    needs_people: ClassVar[bool] = False
    """Whether the value is per resident."""
    gaps_by: ClassVar[Literal["share", "rate", "other"]] = "other"
    """How two values are compared: as shares or rates of their counts, or by their intervals alone."""
    kind_may_be_negative: ClassVar[bool] = False
    """Whether values below zero are lawful."""
    positive_sums: ClassVar[tuple[str, ...]] = ()
    """Names of sums that cannot be below zero."""
    strata_told: ClassVar[Literal["own", "city"] | None] = None
    """Whose counts by stratum a published value tells: the cell's own, the whole city's, or nobody's."""
    has_own_rows: ClassVar[bool] = False
    """Whether it counts rows that it makes of those of the product."""
    grows_with_time: ClassVar[bool] = False
    """Whether a longer period has a larger value, as of counts and of rates that are not made yearly."""
    accumulates: ClassVar[bool] = False
    """Whether a period holds what was there before and has not left: periods do not add up."""

    @abstractmethod
    def estimates(self, tallies: Tallies) -> Estimates:
        """The estimates that tallies support, or why they support none; one a cell."""

    def expressions(self) -> tuple[Expression, ...]:
        """The SQL over one row that it reads, ``among`` aside."""
        return ()

    def outcome(self, row: Row) -> Any:
        """True for a success, false for a failure, null where it is not recorded; None when every row is an event."""
        return None

    def sums(self, row: Row) -> dict[str, Any]:
        """Other numbers to add up over the rows that count."""
        return {}

    def spread(self, row: Row) -> dict[str, Any]:
        """What tells the values behind a cell apart, where no sum can answer; empty for most kinds."""
        return {}

    def strata(self) -> tuple[str, tuple[str, ...]]:
        """The column of the strata, and the strata, where events are counted stratum by stratum."""
        return "", ()

    def prepare(self, engine: Counter, rows: Relation, contract: Contract) -> Relation:
        """The rows that are counted, where they are not those of the product as they are."""
        return rows

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Other columns of the product that it reads: (key of the YAML, column)."""
        return ()

    @property
    def is_percent(self) -> bool:
        """Whether values go from 0 to 1 and are shown in percent."""
        return self.is_share

    @property
    def is_part(self) -> bool:
        """Whether the numerator is declared to be a part of the denominator."""
        return False

    def words(self) -> str:
        """The unit as it stands after the value."""
        return self.unit

    def definition(self) -> dict[str, Any]:
        """What decides the meaning of its numbers: a change of it begins a new series.

        Words, targets, owners and which breakdowns are shown do not.
        """
        own = set(type(self).model_fields) - set(Indicator.model_fields)
        told = self.model_dump(mode="json", include=own | {"of", "among"})
        if self.period is not None:
            told |= {"date": self.period.column, "fiscal_year_begins": self.period.fiscal_year_begins}
        return told

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Every breakdown by group."""
        return tuple(d for g in self.groups for d in g.dimensions)

    def group(self, dimension: str) -> Group | None:
        """What is declared of a breakdown by group."""
        return next((g for g in self.groups if dimension in g.dimensions), None)

    def estimate(self, tally: Tally) -> Estimate:
        """The estimate of a single cell, of kinds that need no more than counts and people."""
        yes, no, unknown = (np.array([n]) for n in (tally.yes, tally.no, tally.unknown))
        people = np.array([np.nan if tally.people is None else tally.people])
        one = Tallies(yes, no, unknown, people, city=np.zeros(1, dtype=np.int64))
        return self.estimates(one).at([tally.cell])[0]
