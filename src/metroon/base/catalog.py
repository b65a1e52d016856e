"""The catalog: everything a city publishes, as one value that never changes, for pages and doors to read.

A new version of anything makes a new catalog. What is not public is in it only as far as the public may know of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from metroon.base.engine import Engine, Relation
    from metroon.base.places import Places
    from metroon.base.plan import PlanStatus
    from metroon.base.protocol import Protocol
    from metroon.base.scorecard import Changes, GoalPage, Score

Access = Literal["public", "restricted public", "non-public"]
"""Who may have a dataset's rows, in the words of DCAT-US."""
Shape = Literal["table", "measure", "listed"]
"""What a dataset is: rows of a product, estimates of a measure, or an entry that is not collected yet."""
DayVerdict = Literal["ok", "late", "bad", "none"]
"""What a day's run said of a product: ``bad`` when it failed or a check stopped or warned; rows that a rule sets aside
leave a day ``ok``, or ``late`` where the data were; ``none`` when nothing ran."""


@dataclass(frozen=True)
class Column:
    """One column of a dataset, for its readers.

    Args:
        name: Its name in every file and door.
        title: What people call it.
        description: What it means.
        type: string, integer, number, boolean, date, timestamp or object (a geometry).
        classification: What it may tell about a person.
        protection: What was done to protect people, in words; empty when it leaves as it is.
        is_open: Whether it is in the published rows.
        filled: Share of published rows in which it is recorded, 0 to 1; None when no rows are published.
        bars: Heights of a small histogram of its published values, 0 to 1; empty when there is none.
        allowed: (Value, label) of its closed list, when it has one.
    """

    name: str
    title: str
    description: str
    type: str
    classification: str = ""
    protection: str = ""
    is_open: bool = True
    filled: float | None = None
    bars: tuple[float, ...] = ()
    allowed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Steward:
    """Who answers for a dataset.

    Args:
        name: A person or a role; roles of invented cities say that they are invented.
        role: What they are.
        contact: An e-mail address or a link; empty when none was declared.
        promise: How soon they answer, in words; empty when nothing was promised.
        hours: When they can be met, in words.
    """

    name: str
    role: str = "steward"
    contact: str = ""
    promise: str = ""
    hours: str = ""


@dataclass(frozen=True)
class Licence:
    """What readers may do with it.

    Args:
        id: SPDX identifier, such as ``CC0-1.0``; empty when the city declared none.
        title: What people call it.
        url: Where its text is.
    """

    id: str = ""
    title: str = ""
    url: str = ""


@dataclass(frozen=True)
class Promise:
    """How fresh the data are to be, and whether that was kept.

    Args:
        text: The promise in words; empty when nothing was promised.
        latency_days: How old the newest row may be, in days.
        is_kept: Whether it is kept today; None without a promise.
        kept: Of the days on which a run looked, how many kept it.
        checked: Days on which a run looked.
    """

    text: str = ""
    latency_days: float | None = None
    is_kept: bool | None = None
    kept: int = 0
    checked: int = 0


@dataclass(frozen=True)
class Check:
    """One rule of the contract, and whether the newest version keeps it. Counts of rows stay inside."""

    text: str
    column: str
    dimension: str
    severity: str
    is_kept: bool


@dataclass(frozen=True)
class Day:
    """What the runs of one day said of a product."""

    on: date
    verdict: DayVerdict


@dataclass(frozen=True)
class Edition:
    """One published version.

    Args:
        number: Counts from 1.
        as_of: The day it took for today.
        made_at: When it was made.
        rows: Its published rows; None when it has none.
        changes: What is different from the one before, in words such as ``column crew added``; empty for the first.
        sha256: What it is known by: the hash of its inputs (a table) or its estimates (a measure).
        columns: The columns of its rows, for a table.
    """

    number: int
    as_of: date
    made_at: datetime
    rows: int | None
    changes: tuple[str, ...] = ()
    sha256: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """One dataset as its readers find it: a table, a measure's numbers, or an entry of the inventory.

    Args:
        name: Its permanent id, in every address and door.
        shape: What it is.
        title: What people call it.
        description: What it is, in a sentence or two.
        grain: One row per what.
        department: Who owns it, in words.
        topic: What it is about.
        tags: Further words to find it by.
        access: Who may have the rows.
        has_rows: Whether rows can be read by the public.
        has_totals: Whether these rows are the cells of a table of counts, and nobody's own.
        unit: What a row counts: person, event_on_person or none.
        steward: Who answers for it.
        licence: What readers may do with it.
        promise: How fresh it is to be.
        gap: The known gap, in plain words; empty when none is declared.
        limitations: What it must not be used for.
        legal_basis: The law it rests on.
        purposes: What it is collected for.
        retention: How long it is kept.
        harm_notes: Who could be hurt, and how.
        provenance: How and why it was collected.
        minimum_cell: Smaller groups of people are hidden; None when no person stands behind a row.
        columns: Its columns, in order.
        rows: Published rows; None when none are.
        span: First and last day in its published rows.
        updated: The day of its newest version; None when there is none.
        editions: Published versions, newest first.
        withdrawn: Numbers of versions that were published and taken away.
        checks: The rules of its contract.
        days: The last 30 days, oldest first.
        late: How late it is, in words; empty when it is not.
        used_in: (``measure`` or ``table``, name) of what is made of it.
        made_of: Names of the products it is made of.
        geometry: The column that holds its shapes; empty when it has none.
        point: Its columns of longitude and latitude.
        time: The column that tells when a row happened.
        contract: Its contract, as the text of the file; empty for what has none.
        key: Columns that tell its rows apart, in order, published or not; empty when none were declared.
        not_yet: Why it is not collected yet; empty for what is.
        planned: When it may be collected, in words; empty when nobody knows.
        reviewed: The day on which somebody last looked whether an entry that is only listed is still true.
    """

    name: str
    shape: Shape
    title: str
    description: str
    grain: str = ""
    department: str = ""
    topic: str = ""
    tags: tuple[str, ...] = ()
    access: Access = "non-public"
    has_rows: bool = False
    has_totals: bool = False
    unit: str = ""
    steward: Steward | None = None
    licence: Licence = Licence()
    promise: Promise = Promise()
    gap: str = ""
    limitations: str = ""
    legal_basis: str = ""
    purposes: tuple[str, ...] = ()
    retention: str = ""
    harm_notes: str = ""
    provenance: str = ""
    minimum_cell: int | None = None
    columns: tuple[Column, ...] = ()
    rows: int | None = None
    span: tuple[date, date] | None = None
    updated: date | None = None
    editions: tuple[Edition, ...] = ()
    withdrawn: tuple[int, ...] = ()
    checks: tuple[Check, ...] = ()
    days: tuple[Day, ...] = ()
    late: str = ""
    used_in: tuple[tuple[str, str], ...] = ()
    made_of: tuple[str, ...] = ()
    geometry: str = ""
    point: tuple[str, str] | None = None
    time: str = ""
    contract: str = ""
    key: tuple[str, ...] = ()
    not_yet: str = ""
    planned: str = ""
    reviewed: date | None = None

    @property
    def path(self) -> str:
        """Where its page is.

        Example:
            >>> Dataset("trees", "table", "Trees", "").path, Dataset("shade", "measure", "Shade", "").path
            ('/datasets/trees', '/measures/shade')
        """
        return f"/{'measures' if self.shape == 'measure' else 'datasets'}/{self.name}"

    @property
    def version(self) -> int | None:
        """The number of the newest published version; None when nothing is published."""
        return self.editions[0].number if self.editions else None


@dataclass(frozen=True)
class Term:
    """One word of the city's glossary.

    Args:
        id: Its permanent id.
        term: The word.
        meaning: What it means here.
        synonyms: Language -> other words that people say for it.
        not_to_confuse: What it is not.
        source: Where the meaning comes from.
    """

    id: str
    term: str
    meaning: str
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_to_confuse: str = ""
    source: str = ""


@dataclass(frozen=True)
class Query:
    """One question that a story asks the published numbers, and what they answer.

    Args:
        name: Its name in the story.
        measure: Whose numbers.
        rows: What was found: one mapping a row, as the measure's release has it.
    """

    name: str
    measure: str
    rows: tuple[Mapping[str, object], ...]


@dataclass(frozen=True)
class Story:
    """A text of the city with numbers that are asked again whenever it is shown.

    Args:
        id: Its permanent id.
        title: Its title.
        summary: One sentence.
        on: The day it was written.
        author: The role or person.
        language: The language it is written in.
        markdown: The text, with ``{{ name.column }}`` where a number of a query stands.
        queries: Its questions with their answers.
    """

    id: str
    title: str
    summary: str
    on: date
    author: str
    language: str
    markdown: str
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True)
class Portal:
    """What the city says of its portal.

    Args:
        address: The portal's public address, such as ``https://data.example.gov``; empty when it is not known.
        contact: An e-mail address for questions.
        about: One sentence on what it is for.
    """

    address: str = ""
    contact: str = ""
    about: str = ""


@dataclass(frozen=True)
class Catalog:
    """Everything one city publishes.

    Args:
        city: The city's name.
        is_invented: Whether the city and its people are invented.
        as_of: The day taken for today.
        time_zone: Of times in the data.
        languages: Languages of the portal, the city's own first.
        folder: The city repo's ``portal`` folder, with templates and translations of its own.
        portal: What the city says of its portal.
        identity: Changes whenever anything in it does.
        made_at: When it was made.
        datasets: Name -> tables, measures and listed entries, in the order of their titles.
        scores: Measure -> what its release says.
        goals: The city's goals.
        changes: What really changed lately.
        geographies: Id -> sets of places.
        neighborhoods: Id of the set of places that has pages of its own; empty when the city has none.
        neighbors: Place key -> keys of places that share a border, among the neighborhoods.
        plan: The strategy with its computed status; None when the city has no plan.yaml.
        stories: Newest first.
        terms: The glossary, in the order of the words.
        names: Language -> (English words -> words in it), from synonyms in contracts.
        minimum_cell: The city's own limit: smaller groups of people are hidden.
        protocols: What the city tells the public before it uses data about people, in the order of their ids.
    """

    city: str
    is_invented: bool
    as_of: date
    time_zone: str
    languages: tuple[str, ...]
    folder: str
    portal: Portal
    identity: str
    made_at: datetime
    datasets: Mapping[str, Dataset]
    scores: Mapping[str, Score]
    goals: tuple[GoalPage, ...]
    changes: Changes | None
    geographies: Mapping[str, Places]
    neighborhoods: str
    neighbors: Mapping[str, tuple[str, ...]]
    plan: PlanStatus | None
    stories: tuple[Story, ...]
    terms: tuple[Term, ...]
    names: Mapping[str, Mapping[str, str]]
    minimum_cell: int
    protocols: tuple[Protocol, ...] = ()


@dataclass(frozen=True)
class Rows:
    """The published rows of one version, only with columns that their reader may see.

    Args:
        dataset: What it is.
        edition: Which version.
        relation: The rows.
        columns: The columns in it, in its order.
        total: How many rows it has.
        order: Columns that give rows a fixed order, so that pages of them do not overlap; empty for file order.
        engine: Runs the relation, for several readers at once.
    """

    dataset: Dataset
    edition: Edition
    relation: Relation
    columns: tuple[Column, ...]
    total: int
    order: tuple[str, ...] = ()
    engine: Engine | None = None
