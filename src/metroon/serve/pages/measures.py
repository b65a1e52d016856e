"""``/measures``: every result that the city measures, by goal or by department."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.serve.indicators import Indicator, indicator
from metroon.serve.page import Page, Sheet
from metroon.serve.promises import Theme, by_goal, indicator_rows, sheet

if TYPE_CHECKING:
    from metroon.serve.page import Asked


@dataclass(frozen=True)
class MeasuresView:
    """What the page shows.

    Args:
        title: Its title.
        description: What it is.
        count: How many there are, in a sentence.
        themes: The measures by goal or department.
        by: ``goal`` or ``department``.
    """

    title: str
    description: str
    count: str
    themes: tuple[Theme, ...]
    by: str


class Measures(Page):
    """Every result that the city measures."""

    path = "/measures"
    template = "measures.html"

    def view(self, asked: Asked) -> MeasuresView:
        """Every measure for the whole city."""
        words = asked.words
        by = "department" if asked.query.get("by") == "department" else "goal"
        n = len(asked.catalog.scores)
        return MeasuresView(
            words.gettext("What does the city measure?"),
            words.gettext("Every result that %(city)s measures, with its range and its target.",
                          city=asked.catalog.city),
            words.ngettext("%(n)s result is measured.", "%(n)s results are measured.", n),
            tuple(_by_department(asked) if by == "department" else _by_goal(asked)),
            by,
        )  # fmt: skip

    def data(self, asked: Asked) -> Sheet:
        """Every measure for the whole city."""
        rows: list[Indicator] = [indicator(asked, m) for m in asked.catalog.scores]
        return sheet(asked, "measures", asked.words.gettext("Results"), indicator_rows(asked, rows))


def _by_goal(asked: Asked) -> list[Theme]:
    return [
        Theme(goal, title, asked.link(f"/goals/{goal}") if goal else "", tuple(indicator(asked, m) for m in own))
        for goal, title, own in by_goal(asked, asked.catalog.scores)
    ]


def _by_department(asked: Asked) -> list[Theme]:
    found: dict[str, list[str]] = {}
    for name, score in asked.catalog.scores.items():
        found.setdefault(dict(score.chain).get("department", ""), []).append(name)
    last = asked.words.gettext("No department is named")
    return [
        Theme("", department or last, "", tuple(indicator(asked, m) for m in own))
        for department, own in sorted(found.items(), key=lambda item: (not item[0], item[0]))
    ]
