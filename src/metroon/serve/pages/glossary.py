"""``/glossary``: the city's words, what they mean here, and what people say for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.catalog import Column
from metroon.serve.page import Page, Sheet
from metroon.serve.words import LANGUAGES

if TYPE_CHECKING:
    from metroon.base.catalog import Term
    from metroon.serve.page import Asked
    from metroon.serve.words import Words


@dataclass(frozen=True)
class Entry:
    """One word as it stands in the list.

    Args:
        term: The word.
        heading: What a reader of this language calls it.
        english: The city's own word, where the heading is another; else empty.
        others: Further words for it in the reader's language.
    """

    term: Term
    heading: str
    english: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class GlossaryView:
    """What the glossary shows.

    Args:
        title: The page's title.
        entries: Its words, in the order of the reader's language.
    """

    title: str
    entries: tuple[Entry, ...]


class Glossary(Page):
    """All words."""

    path = "/glossary"
    template = "glossary.html"

    def view(self, asked: Asked) -> GlossaryView:
        """Every word with its meaning."""
        entries = sorted((entry(t, asked.words) for t in asked.catalog.terms), key=lambda e: e.heading.casefold())
        return GlossaryView(asked.words.gettext("Glossary"), tuple(entries))

    def data(self, asked: Asked) -> Sheet:
        """Words, meanings and what people say for them, one column for each language."""
        columns = (
            Column("term", "Term", "The permanent id of the word.", "string"),
            Column("word", "Word", "The word.", "string"),
            Column("meaning", "Meaning", "What it means here.", "string"),
            Column("not_to_confuse", "Not to confuse", "What it is not.", "string"),
            Column("source", "Source", "Where the meaning comes from.", "string"),
            *(
                Column(_column(n), f"Other words, {name}", "Words for the same thing, divided by semicolons.", "string")
                for n, name in LANGUAGES.items()
            ),
        )
        rows = [
            {"term": t.id, "word": t.term, "meaning": t.meaning, "not_to_confuse": t.not_to_confuse, "source": t.source}
            | {_column(n): "; ".join(t.synonyms.get(n, ())) for n in LANGUAGES}
            for t in asked.catalog.terms
        ]
        return Sheet("glossary", "Glossary", columns, rows, f"{asked.catalog.city}, {asked.catalog.as_of}")


def entry(term: Term, words: Words) -> Entry:
    """A word as a reader of one language calls it: the first word for it in that language, where there is one.

    Args:
        term: The word.
        words: The language.
    """
    said = term.synonyms.get(words.language, ())
    if words.language == "en":
        return Entry(term, term.term, "", tuple(s for s in said if s.casefold() != term.term.casefold()))
    translated = words.plain(term.term)
    heading = translated if translated != term.term else next(iter(said), term.term)
    others = tuple(s for s in said if s != heading)
    return Entry(term, heading, term.term if heading != term.term else "", others)


def _column(language: str) -> str:
    return f"words_{language.replace('-', '_').lower()}"
