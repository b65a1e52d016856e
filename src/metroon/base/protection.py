"""What protecting people comes to: what would leave, at which score, what else could be asked, and the register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from metroon.base.errors import Problem


@dataclass(frozen=True)
class Points:
    """One line of a score.

    Args:
        variable: What is judged, such as ``events`` or ``age``.
        found: What was found in the table, in words.
        points: Its points; below 0 when it makes the table safer.
    """

    variable: str
    found: str
    points: int


@dataclass(frozen=True)
class Scored:
    """The publication score of one table.

    Args:
        table: Which table, in words.
        lines: What the points are for.
        limit: The most points with which a table may leave without more masking.
    """

    table: str
    lines: tuple[Points, ...]
    limit: int

    @property
    def points(self) -> int:
        """The sum of its points."""
        return sum(line.points for line in self.lines)

    @property
    def is_low(self) -> bool:
        """Whether it is not above the limit."""
        return self.points <= self.limit


@dataclass(frozen=True)
class Option:
    """One way to ask the same question, and what it keeps.

    Args:
        words: What to change, in words.
        change: What to write where; empty for the question as it is asked.
        cells: Cells that count anything, of those that would be published if nothing had to be hidden.
        shown: Those of them that are shown.
        events_share: Share of the events that stand in a shown cell of the finest breakdown, from 0 to 1.
        comparisons: Groups that can still be held against their reference, and places against the city.
        points: Its publication score; None where nobody stands behind the rows.
        is_enough: Whether no more is hidden than the city's limit allows.
        is_low: Whether its score is not above the limit.
    """

    words: str
    change: str
    cells: int
    shown: int
    events_share: float
    comparisons: int
    points: int | None
    is_enough: bool
    is_low: bool

    @property
    def hidden_share(self) -> float:
        """Hidden cells over cells, from 0 to 1."""
        return 1 - self.shown / self.cells if self.cells else 0.0


@dataclass(frozen=True)
class Part:
    """A column or a table of what would leave.

    Args:
        name: The column, or the breakdown in words.
        told: What becomes of it: its class and technique, or its cells.
        leaves: Whether anything of it would leave.
    """

    name: str
    told: str
    leaves: bool


@dataclass(frozen=True)
class Leaving:
    """What would leave of one product or measure, were it run now. Nothing of it has been published.

    Args:
        name: Product or measure.
        title: What people call it.
        kind: Rows of a product, its table with totals, or a measure.
        of: The product whose rows are counted; its own name for a product.
        as_of: The day taken for today.
        unit: What a row counts.
        minimum_cell: The smallest group of people that may be shown.
        would_leave: Whether a run would publish it.
        parts: Columns of a product, tables of a measure.
        cells: Cells, or rows of a product, that would be published if nothing had to be hidden.
        hidden: Cells that are withheld.
        share: Hidden cells over cells that count anything, from 0 to 1.
        limit: The most of them that the city finds right.
        smallest: The smallest number of events in a shown cell, or of people that share a combination of values;
            None where nothing is shown or nobody counted.
        reasons: Why cells are hidden -> how many.
        scored: The publication score of its riskiest table; None where nobody stands behind the rows.
        options: What else could be asked, the question as it is first.
        problems: What stops it.
        notes: What else a steward must know.
        is_invented: Whether the city and its people are made up.
    """

    name: str
    title: str
    kind: Literal["product", "table", "measure"]
    of: str
    as_of: date
    unit: str
    minimum_cell: int
    would_leave: bool
    parts: tuple[Part, ...] = ()
    cells: int = 0
    hidden: int = 0
    share: float = 0.0
    limit: float = 0.0
    smallest: int | None = None
    reasons: tuple[tuple[str, int], ...] = ()
    scored: Scored | None = None
    options: tuple[Option, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    is_invented: bool = False


@dataclass(frozen=True)
class Registered:
    """One personal column of one product, and what became of it.

    Args:
        product: The product.
        column: The column.
        classification: What it may tell about a person; ``undecided`` when nobody has said.
        purposes: What the product is kept for.
        legal_basis: Which law lets the city keep it.
        retention: How long it is kept, in words.
        due: Whether that time is over, in words; empty when it is not or nobody can tell.
        flows_to: Products made of the product, measures and tables that read the column.
        technique: What is done to it before rows leave.
        released: What of it has been released, in words.
        last_released: The day of the last release with it.
        protocol: The data use protocol it is kept under, with its comment window; empty without one.
        steward: Who answers for the product.
    """

    product: str
    column: str
    classification: str
    purposes: str = ""
    legal_basis: str = ""
    retention: str = ""
    due: str = ""
    flows_to: tuple[str, ...] = ()
    technique: str = ""
    released: str = ""
    last_released: date | None = None
    protocol: str = ""
    steward: str = ""


@dataclass(frozen=True)
class Register:
    """The privacy officer's page: every personal column of every product.

    Args:
        city: The city.
        as_of: The day taken for today.
        totals: What is counted -> how many.
        rows: The columns, by product, strictest class first.
        is_invented: Whether the city and its people are made up.
    """

    city: str
    as_of: date
    totals: Mapping[str, int]
    rows: tuple[Registered, ...]
    is_invented: bool = False
