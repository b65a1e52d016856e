"""``/stories/{id}``: one text of the city, with its numbers, what they were found by, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from metroon.base.catalog import Column
from metroon.base.estimate import ALL
from metroon.permit import NotThere
from metroon.serve import markdown
from metroon.serve.figures import Figures, group_words, period_words
from metroon.serve.page import Page, Sheet
from metroon.serve.pages.stories import Teaser, teaser
from metroon.serve.terminal.words import scale_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metroon.base.catalog import Catalog, Query, Story
    from metroon.base.scorecard import Score
    from metroon.serve.page import Asked
    from metroon.serve.words import Words

_VALUES = ("value", "low", "high", "worst", "best")
_COUNTS = ("events", "base", "unknown")
_SHEET = (
    *(("query", "string"), ("measure", "string"), ("period", "string"), ("geography", "string"), ("place", "string")),
    *(("place_name", "string"), ("dimension", "string"), ("group", "string"), ("state", "string")),
    *(("value", "number"), ("low", "number"), ("high", "number"), ("events", "integer"), ("base", "number")),
    *(("unknown", "integer"), ("worst", "number"), ("best", "number"), ("note", "string")),
)


@dataclass(frozen=True)
class Answer:
    """One line that a query found, as people read it.

    Args:
        period: The period.
        where: The place or group; empty for the whole city.
        value: The value, or why there is none.
        interval: The range around it; empty without a value.
        unit: What one unit of the value is.
    """

    period: str
    where: str
    value: str
    interval: str
    unit: str


@dataclass(frozen=True)
class QueryView:
    """One question of a story, with its numbers.

    Args:
        name: Its name in the story.
        title: What the measure is called.
        question: The question that the measure answers.
        path: The measure's page; empty when there is no such measure.
        answers: What was found.
        source: Which release it is from, in a sentence.
    """

    name: str
    title: str
    question: str
    path: str
    answers: tuple[Answer, ...]
    source: str


@dataclass(frozen=True)
class StoryView:
    """What a story's page shows.

    Args:
        title: Its title.
        teaser: The story with its day and language.
        html: Its text, safe to show.
        missing: Names in the text that no number answers to.
        queries: Its questions with their numbers.
    """

    title: str
    teaser: Teaser
    html: Markup
    missing: tuple[str, ...]
    queries: tuple[QueryView, ...]


class StoryPage(Page):
    """One story."""

    path = "/stories/{id}"
    template = "story.html"

    def view(self, asked: Asked) -> StoryView:
        """The text with its numbers, in the reader's way of writing them."""
        story = _story(asked)
        telling = Telling(story, asked.catalog.scores, asked.words)
        text = markdown.html(
            story.markdown,
            tell=telling.tell,
            link=asked.link,
            table=lambda n: asked.words.gettext("Table %(n)s", n=asked.words.number(n)),
        )
        return StoryView(
            story.title,
            teaser(story, asked),
            text,
            tuple(dict.fromkeys(telling.missing)),
            tuple(_query(q, asked) for q in story.queries),
        )

    def data(self, asked: Asked) -> Sheet:
        """The numbers of all its questions."""
        story = _story(asked)
        columns = tuple(Column(name, name, "", kind) for name, kind in _SHEET)
        rows = [
            {name: row.get(name) for name, _ in _SHEET} | {"query": q.name, "measure": q.measure}
            for q in story.queries
            for row in q.rows
        ]
        return Sheet(story.id, story.title, columns, rows, f"{asked.catalog.city}, {asked.catalog.as_of}")

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """One for each story."""
        return tuple(f"/stories/{s.id}" for s in catalog.stories)


class Telling:
    """Puts numbers into a story, and keeps the names of those that it does not find.

    Args:
        story: The story with its questions and their answers.
        scores: Measure -> what its release says, for how its numbers are written.
        words: The reader's language.
    """

    def __init__(self, story: Story, scores: Mapping[str, Score], words: Words) -> None:
        self._queries = {q.name: q for q in story.queries}
        self._scores = scores
        self._words = words
        self._lang = story.language
        self.missing: list[str] = []

    def tell(self, name: str) -> Markup:
        """What stands in the place of a name: a number, why it is not shown, or that there is none of that name."""
        query, _, column = name.partition(".")
        found = self._queries.get(query)
        row = None if found is None else _one(found, column)
        if found is None or row is None:
            return self._lacking(name)
        return self._span("n-told", told(column, row, self._scores.get(found.measure), self._words))

    def _lacking(self, name: str) -> Markup:
        self.missing.append(name)
        return self._span("n-missing", self._words.gettext("[no number is called “%(name)s”]", name=name))

    def _span(self, kind: str, said: str) -> Markup:
        if self._lang == self._words.language:
            return Markup('<span class="{}">{}</span>').format(kind, said)
        return Markup('<span class="{}" lang="{}">{}</span>').format(kind, self._words.language, said)


def _one(query: Query, column: str) -> Mapping[str, object] | None:
    """The line that a field is told from: the only one, or any where all lines are of the same period or place."""
    rows = [r for r in query.rows if column in r]
    is_number = column in (*_VALUES, *_COUNTS, "state")
    if not rows or (is_number and len(rows) > 1) or len({str(r[column]) for r in rows}) > 1:
        return None
    return rows[0]


def told(column: str, row: Mapping[str, object], score: Score | None, words: Words) -> str:
    """One field of a release as people read it; a value that is not there says why.

    Args:
        column: Which field.
        row: The line of the release.
        score: What the measure's release says; None when it is not known here.
        words: The language.
    """
    found: Any = row.get(column)
    if column in (*_VALUES, *_COUNTS) and (row.get("value") is None or found is None):
        return absent(str(row.get("state")), words)
    if column in _VALUES:
        return Figures(words, scale_of(score.measured)).value(found) if score else words.number(found)
    if column in _COUNTS:
        return words.number(found)
    if column == "period":
        return period_words(str(found), words)
    if column == "state":
        return state_words(str(found), words)
    if column == "group":
        return words.gettext("everybody") if found == ALL else group_words(str(found), words)
    if column in ("place", "place_name"):
        name = str(row.get("place_name") or found)
        return words.gettext("the whole city") if row.get("place") == ALL else words.plain(name)
    return words.plain(str(found)) if found not in (None, "") else words.gettext("nothing is told")


def absent(state: str, words: Words) -> str:
    """Why a number is not there, as words that fit into a sentence."""
    return words.gettext("not known") if state in ("known", "cannot tell") else state_words(state, words)


def state_words(state: str, words: Words) -> str:
    """A state in words that fit into a sentence."""
    known = {
        "known": words.gettext("known"),
        "cannot tell": words.gettext("too uncertain to tell"),
        "hidden": words.gettext("hidden to protect people"),
        "no exposure": words.gettext("nothing to measure"),
        "late": words.gettext("not here yet, because the data are late"),
        "not collected": words.gettext("not collected by anybody"),
        "cannot be answered": words.gettext("not answered by these data"),
    }
    return known.get(state, state)


def _story(asked: Asked) -> Story:
    found = next((s for s in asked.catalog.stories if s.id == asked.params["id"]), None)
    if found is None:
        raise NotThere(asked.path)
    return found


def _query(query: Query, asked: Asked) -> QueryView:
    words = asked.words
    score, dataset = asked.catalog.scores.get(query.measure), asked.catalog.datasets.get(query.measure)
    if score is None:
        source = words.gettext("This city has no measure called %(name)s.", name=query.measure)
        return QueryView(query.name, query.measure, "", "", (), source)
    measured = score.measured
    source = words.gettext(
        "Release %(n)s, published %(day)s.", n=words.number(measured.version or 0), day=words.day(score.published)
    )
    return QueryView(
        query.name,
        measured.title or query.measure,
        measured.question,
        dataset.path if dataset else "",
        tuple(_answer(row, score, words) for row in query.rows),
        source,
    )


def _answer(row: Mapping[str, object], score: Score, words: Words) -> Answer:
    figures = Figures(words, scale_of(score.measured))
    low, high = row.get("low"), row.get("high")
    has_value = row.get("value") is not None
    where = [told(c, row, score, words) for c in ("place", "group") if row.get(c) not in (None, ALL)]
    bounds = isinstance(low, int | float) and isinstance(high, int | float)
    return Answer(
        told("period", row, score, words),
        ", ".join(where),
        told("value", row, score, words),
        (figures.interval(low, high) if bounds else words.gettext("no range known"))  # type: ignore[arg-type]  # both are numbers
        if has_value
        else "",
        score.measured.unit,
    )
