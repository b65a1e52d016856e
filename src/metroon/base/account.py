"""What a run has to tell: for each product where its rows went, for each measure what came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from metroon.base.errors import Problem
    from metroon.base.estimate import Estimate
    from metroon.base.places import Places

Severity = Literal["stop", "set aside", "warn"]
"""What happens when a rule is broken: the delivery is refused, the row is set aside, or it is only told."""


@dataclass(frozen=True)
class Verdict:
    """Whether one rule of the contract was kept.

    Args:
        rule: The rule's id, stable between runs.
        text: The rule in words.
        column: The column it speaks of; empty for the whole table.
        dimension: One of ODCS' quality dimensions (accuracy, completeness, conformity, ...).
        severity: What a breach does.
        checked: Rows looked at.
        failed: Rows that broke it.
        is_kept: Whether the promise held, its threshold considered.
        where: Up to five places of failing rows, as ``file:line``; never a value.
        note: The number that a threshold rule compared, or why it could not be run.
        undecided: Why it was neither kept nor broken, in words; empty when it was one of them.
    """

    rule: str
    text: str
    column: str
    dimension: str
    severity: Severity
    checked: int
    failed: int
    is_kept: bool
    where: tuple[str, ...] = ()
    note: str = ""
    undecided: Literal["", "no data", "cannot be run"] = ""

    @property
    def is_broken(self) -> bool:
        """Whether a promise was not kept; one that cannot be run was not, and one without any data says nothing."""
        return not self.is_kept and self.undecided != "no data"


@dataclass(frozen=True)
class Drift:
    """Something that a delivery brings otherwise than those before it; not a broken rule.

    Args:
        kind: What moved.
        column: The column it is about; empty for the whole delivery.
        delivery: The file.
        what: In words, with the numbers that were compared; never a value.
        sha256: Hash of the delivery.
    """

    kind: Literal[
        "column gone", "column renamed", "column new", "type changed", "codes grown", "more rows", "fewer rows", "gaps",
        "shares",
    ]  # fmt: skip
    column: str
    delivery: str
    what: str
    sha256: str = ""


@dataclass(frozen=True)
class Delivery:
    """One file as it came.

    Args:
        file: Its path below the city's data folder.
        sha256: Hash of its bytes.
        size: Bytes.
        read: Records in it; 0 when it could not be read.
        refused: Why nothing of it was taken; empty when it was taken.
        lines: What became of each physical line of a text -> how many: ``header``, ``blank``, ``records`` (whole ones),
            ``joined``, ``set aside``, ``refused``. Empty where the format has no lines.
    """

    file: str
    sha256: str
    size: int
    read: int = 0
    refused: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def line_account(self) -> Mapping[str, int]:
        """What became of its lines in the end: all of them are refused where it was refused.

        Example:
            >>> Delivery("a.csv", "", 9, 2, "", {"header": 1, "records": 2}).line_account
            {'header': 1, 'records': 2}
            >>> Delivery("a.csv", "", 9, 2, "too few rows", {"header": 1, "records": 2}).line_account
            {'refused': 3}
        """
        total = sum(self.lines.values())
        return {"refused": total} if self.refused and total else self.lines


@dataclass(frozen=True)
class Account:
    """One product's walk: read = kept + set aside + refused, always.

    Args:
        product: Its name.
        title: What people call it.
        outcome: ``published`` (open rows), ``kept`` (restricted zone only, measures may be made of it),
            ``unchanged`` (nothing to do) or ``failed`` (the last good version stays).
        version: The version in the lake that readers see now; None when there is none.
        read: Records in all deliveries.
        kept: Records in the version.
        set_aside: Reason -> records set aside for it.
        refused: Records in deliveries that were refused whole.
        deliveries: Every file, with its hash.
        verdicts: Every rule's verdict.
        outside: Geography title -> kept rows whose point lies outside every area of it.
        no_place: Kept rows without a usable point; None when the table has no place at all.
        missing: Column -> kept rows in which it is not recorded (empty or a declared missing code).
        cannot_answer: Questions that this table cannot answer, in words.
        late: How late the data are, in words; empty when they are not.
        notes: What else a reader should know (columns left out, drift, why rows are not published).
        problems: What stopped it.
        seconds: How long its walk took.
        drifts: What its newest deliveries bring otherwise than those before.
    """

    product: str
    title: str
    outcome: Literal["published", "kept", "unchanged", "failed"]
    version: int | None = None
    read: int = 0
    kept: int = 0
    set_aside: Mapping[str, int] = field(default_factory=dict)
    refused: int = 0
    deliveries: tuple[Delivery, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    outside: Mapping[str, int] = field(default_factory=dict)
    no_place: int | None = None
    missing: Mapping[str, int] = field(default_factory=dict)
    cannot_answer: tuple[str, ...] = ()
    late: str = ""
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0
    drifts: tuple[Drift, ...] = ()

    @property
    def lines(self) -> Mapping[str, int]:
        """What became of each physical line of all deliveries that have lines -> how many; see ``Delivery``."""
        found: dict[str, int] = {}
        for delivery in self.deliveries:
            for kind, n in delivery.line_account.items():
                found[kind] = found.get(kind, 0) + n
        return found

    @property
    def adds_up(self) -> bool:
        """Whether every record read is kept, set aside or refused."""
        return self.read == self.kept + sum(self.set_aside.values()) + self.refused


@dataclass(frozen=True)
class Measured:
    """One measure's released estimates, with the words that must stand beside them.

    Args:
        measure: Its name.
        title: What people call it.
        question: The question it answers, in plain words.
        kind: The measure kind.
        unit: What one unit of the value is, such as ``calls`` or ``per 10,000 residents``.
        direction: ``up`` when more is better, ``down`` when less is, ``within`` for a band, else ``neutral``.
        is_share: Whether values are shares (0-1), shown as percent.
        geographies: The sets of places it is broken down by.
        headline: The period that the headline speaks of: the last closed one of the whole city.
        headlines: The last closed period of the city, the places and the groups, each once.
        estimates: Every released cell.
        outcome: ``released``, ``unchanged`` or ``failed``.
        version: The release's version; None when it failed.
        sha256: Hash of the released estimates, the same whenever they are the same.
        hidden: Cells withheld to protect people.
        cells: Cells that would be published if nothing had to be hidden.
        advice: What to change when too much is hidden; else empty.
        notes: Vintages, boundaries, what the numbers are not.
        problems: What stopped it.
    """

    measure: str
    title: str
    question: str
    kind: str
    unit: str
    direction: Literal["up", "down", "neutral", "within"]
    is_share: bool
    geographies: tuple[Places, ...]
    headline: str
    estimates: tuple[Estimate, ...]
    outcome: Literal["released", "unchanged", "failed"]
    version: int | None = None
    sha256: str = ""
    hidden: int = 0
    cells: int = 0
    advice: str = ""
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    headlines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tabled:
    """What became of one product's table with totals.

    Args:
        product: Its name.
        version: The version that readers see now; None when there is none.
        is_new: Whether it was published just now.
        cells: Cells that are published, totals and withheld ones included.
        hidden: Those that are withheld.
        problems: What stopped it.
    """

    product: str
    version: int | None = None
    is_new: bool = False
    cells: int = 0
    hidden: int = 0
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Run:
    """Everything one run has to tell.

    Args:
        city: The city's name.
        is_invented: Whether the city and its people are invented; said wherever it shows.
        as_of: The day the run takes for today.
        accounts: One for each product, in the order they were walked.
        measured: One for each measure.
        next_steps: What to do next, most urgent first, each with a command where there is one.
        seconds: How long it took.
        upkeep: What was done to the city's folder before, such as removing what a run that was cut off left behind.
    """

    city: str
    is_invented: bool
    as_of: date
    accounts: tuple[Account, ...]
    measured: tuple[Measured, ...]
    next_steps: tuple[str, ...]
    seconds: float
    upkeep: tuple[str, ...] = ()
