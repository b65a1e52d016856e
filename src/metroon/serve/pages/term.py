"""``/glossary/{term}``: one word, what it means, what it is not, and which data speak of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.permit import NotThere
from metroon.serve.page import Page
from metroon.serve.pages.glossary import Entry, entry
from metroon.serve.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.base.catalog import Catalog, Dataset, Term
    from metroon.serve.page import Asked


@dataclass(frozen=True)
class Said:
    """Words of one language for the same thing.

    Args:
        lang: The language.
        name: What it calls itself.
        synonyms: The words.
    """

    lang: str
    name: str
    synonyms: tuple[str, ...]


@dataclass(frozen=True)
class TermView:
    """What the page of a word shows.

    Args:
        title: The word.
        entry: The word as the reader calls it.
        said: What people say for it, language by language.
        measures: Measures whose texts hold it.
        tables: Datasets whose texts hold it.
    """

    title: str
    entry: Entry
    said: tuple[Said, ...]
    measures: tuple[Dataset, ...]
    tables: tuple[Dataset, ...]


class TermPage(Page):
    """One word."""

    path = "/glossary/{term}"
    template = "term.html"

    def view(self, asked: Asked) -> TermView:
        """Its meaning, what people say for it and where it is used."""
        term = next((t for t in asked.catalog.terms if t.id == asked.params["term"]), None)
        if term is None:
            raise NotThere(asked.path)
        found = asked.site.once(("used in", term.id), lambda: used_in(term, asked.catalog.datasets.values()))
        named = entry(term, asked.words)
        return TermView(
            named.heading,
            named,
            tuple(Said(n, LANGUAGES.get(n, n), said) for n, said in term.synonyms.items() if said),
            tuple(d for d in found if d.shape == "measure"),
            tuple(d for d in found if d.shape != "measure"),
        )

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """One for each word."""
        return tuple(f"/glossary/{t.id}" for t in catalog.terms)


def used_in(term: Term, datasets: Iterable[Dataset]) -> tuple[Dataset, ...]:
    """The datasets in whose texts the word or another English word for it stands, in singular or plural.

    Args:
        term: The word.
        datasets: Where to look: title, sentence, grain, known gap, what it is not for, and its columns.

    Example:
        >>> from metroon.base.catalog import Dataset, Term
        >>> used_in(Term("pothole", "pothole", "A hole."), [Dataset("a", "table", "Potholes", ""),
        ...                                                  Dataset("b", "table", "Photos", "")])[0].name
        'a'
    """
    spoken = [term.term, *term.synonyms.get("en", ())]
    one = "|".join(re.escape(s) for s in sorted(spoken, key=len, reverse=True) if s.strip())
    if not one:
        return ()
    sought = re.compile(rf"(?<!\w)(?:{one})(?:s|es)?(?!\w)", re.IGNORECASE)
    return tuple(d for d in datasets if any(sought.search(text) for text in _texts(d)))


def _texts(dataset: Dataset) -> Iterable[str]:
    yield from (dataset.title, dataset.description, dataset.grain, dataset.gap, dataset.limitations, *dataset.tags)
    for column in dataset.columns:
        yield column.title
        yield column.description
