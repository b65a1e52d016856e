"""``/``: what the city promised, how it stands, and where to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from metroon.base.catalog import Column
from metroon.serve.indicators import shapes
from metroon.serve.lately import Lately, lately
from metroon.serve.page import Page, Sheet
from metroon.serve.promises import GoalCard, count_bar, goal_card, source_words
from metroon.serve.standing import Tally, status, tallies
from metroon.serve.svg import choropleth

if TYPE_CHECKING:
    from metroon.base.catalog import Dataset, Story
    from metroon.serve.page import Asked

NEWEST = 4
"""Datasets and stories that the first page shows."""


@dataclass(frozen=True)
class HomeView:
    """What the home page shows.

    Args:
        title: The city's name.
        description: What the portal is for.
        sentence: How many results the city promised, in a sentence; empty without goals.
        counts: The promised results by verdict.
        bar: The same, drawn.
        goals: Every goal as a card.
        places: (Address, name) of each neighborhood, in the city's own order.
        map: The neighborhoods as links; empty without boundaries.
        places_title: What the neighborhoods are called, in the city's words.
        lately: What really changed.
        newest: Datasets with the newest versions.
        stories: The newest stories.
        counted: How much is published, in a sentence.
    """

    title: str
    description: str
    sentence: str
    counts: tuple[Tally, ...]
    bar: Markup
    goals: tuple[GoalCard, ...]
    places: tuple[tuple[str, str], ...]
    map: Markup
    places_title: str
    lately: Lately
    newest: tuple[Dataset, ...]
    stories: tuple[Story, ...]
    counted: str


class Home(Page):
    """The first page."""

    path = "/"
    template = "home.html"

    def view(self, asked: Asked) -> HomeView:
        """What the city promised, how it stands, and where to look."""
        catalog, words = asked.catalog, asked.words
        verdicts = [
            status(s.city, s.target, words).verdict for g in catalog.goals for s in g.scores if s.target is not None
        ]
        counts = tallies(verdicts, words)
        places = catalog.geographies.get(catalog.neighborhoods)
        tables = [d for d in catalog.datasets.values() if d.shape == "table" and d.updated is not None]
        newest = sorted(tables, key=lambda d: (-(d.updated or catalog.as_of).toordinal(), d.title))[:NEWEST]
        n = len(verdicts)
        return HomeView(
            title=catalog.city,
            description=asked.words.plain(catalog.portal.about)
            or words.gettext("What %(city)s promised, how it stands, and the data behind it.", city=catalog.city),
            sentence=words.ngettext(
                "%(n)s result has a target.", "%(n)s results have a target.", n
            ) if n else "",
            counts=counts,
            bar=count_bar(counts),
            goals=tuple(goal_card(asked, g) for g in catalog.goals),
            places=tuple((asked.link(f"/neighborhoods/{k}"), name) for k, name in places.names.items())
            if places
            else (),
            map=places_map(asked),
            places_title=places.title if places else "",
            lately=lately(asked),
            newest=tuple(newest),
            stories=catalog.stories[:NEWEST],
            counted=words.ngettext(
                "%(n)s dataset can be looked through and downloaded.",
                "%(n)s datasets can be looked through and downloaded.",
                sum(d.has_rows for d in catalog.datasets.values()),
            ),
        )  # fmt: skip

    def data(self, asked: Asked) -> Sheet:
        """Every goal with how its measures stand."""
        return goals_sheet(asked)


GOAL_COLUMNS = (
    Column("goal", "Goal", "Permanent id of the goal.", "string"),
    Column("title", "Title", "What people call the goal.", "string"),
    Column("outcome", "Outcome", "What residents should feel.", "string"),
    Column("department", "Department", "Who answers for it.", "string"),
    Column("measure", "Measure", "Permanent name of the measure.", "string"),
    Column("question", "Question", "The question that it answers.", "string"),
    Column("period", "Period", "The period that the number is of.", "string"),
    Column("value", "Value", "The whole city's number; shares lie between 0 and 1.", "number"),
    Column("low", "Lower bound", "Lower end of the range we are 95% sure of.", "number"),
    Column("high", "Upper bound", "Upper end of the range we are 95% sure of.", "number"),
    Column("unit", "Unit", "What one unit of the value is.", "string"),
    Column("status", "Status", "Beside its target.", "string"),
)  # fmt: skip


def goals_sheet(asked: Asked) -> Sheet:
    """Every goal with how its measures stand, as a small table."""
    rows = []
    for goal in asked.catalog.goals:
        for score in goal.scores:
            e, measured = score.city, score.measured
            rows.append(
                {
                    "goal": goal.goal,
                    "title": goal.title,
                    "outcome": goal.outcome,
                    "department": goal.department,
                    "measure": measured.measure,
                    "question": measured.question,
                    "period": e.cell.period if e else None,
                    "value": e.value if e else None,
                    "low": e.low if e else None,
                    "high": e.high if e else None,
                    "unit": measured.unit,
                    "status": status(e, score.target, asked.words).verdict,
                }
            )
    return Sheet("goals", asked.words.gettext("City goals"), GOAL_COLUMNS, rows, source_words(asked))


def places_map(asked: Asked, outlined: str = "") -> Markup:
    """The neighborhoods as a map of links, all in one shade; empty when they have no boundaries."""
    catalog, words = asked.catalog, asked.words
    places = catalog.geographies.get(catalog.neighborhoods)
    if places is None:
        return Markup("")
    links = {k: (asked.link(f"/neighborhoods/{k}"), words.plain(name)) for k, name in places.names.items()}
    label = words.gettext("Map of %(places)s.", places=words.plain(places.title))
    values = dict.fromkeys(links, 0.0)
    return choropleth(
        shapes(asked.site, catalog.neighborhoods), values, breaks=(), links=links, label=label, outlined=outlined,
        id="pick",
    )  # fmt: skip
