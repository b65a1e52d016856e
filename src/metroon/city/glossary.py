"""The glossary as declared: what the city's words mean, and which other words people say for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from metroon.base.catalog import Term
from metroon.base.errors import Refused
from metroon.base.node import did_you_mean, validate
from metroon.city.ids import Id, repeated
from metroon.city.yaml import read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from metroon.base.errors import Problem
    from metroon.base.node import Node


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TermFile(_Part):
    """One word.

    Args:
        id: Its permanent id.
        term: The word.
        meaning: What it means here, in words for the public.
        synonyms: Language -> other words that people say for it; the first of another language is its translation.
        not_to_confuse: What it is not.
        source: Where the meaning comes from.
    """

    id: Id
    term: str
    meaning: str
    synonyms: dict[str, list[str]] = Field(default_factory=dict)
    not_to_confuse: str = ""
    source: str = ""


class GlossaryFile(_Part):
    """What ``glossary.yaml`` holds.

    Args:
        terms: The words.
    """

    terms: list[TermFile] = Field(default_factory=list)


def glossary(folder: Path, languages: Collection[str]) -> tuple[Term, ...]:
    """The words of a city repo, in the order of the alphabet; none when it has no glossary.yaml.

    Args:
        folder: The city repo.
        languages: Languages that city.yaml names.

    Raises:
        Refused: Keys are unknown or wrong, or ids and words stand twice; every fault at once.
    """
    if not (folder / "glossary.yaml").exists():
        return ()
    node = read(folder / "glossary.yaml")
    told = validate(node, GlossaryFile, "Y103")
    if problems := [*_faults(told, node, languages)]:
        raise Refused(problems)
    made = [
        Term(t.id, t.term, t.meaning, {k: tuple(v) for k, v in t.synonyms.items()}, t.not_to_confuse, t.source)
        for t in told.terms
    ]
    return tuple(sorted(made, key=lambda t: (t.term.casefold(), t.id)))


def _faults(told: GlossaryFile, node: Node, languages: Collection[str]) -> Iterator[Problem]:
    yield from repeated((t.id, node.at("terms", i)) for i, t in enumerate(told.terms))
    said: dict[str, str] = {}
    for i, term in enumerate(told.terms):
        at = node.at("terms", i)
        if said.setdefault(term.term.casefold(), term.id) != term.id:
            what = f"the word '{term.term}' has two meanings here."
            yield at.problem("R102", what, "Make them one, or say in each word what tells them apart.", "term")
        for language in term.synonyms:
            if language not in languages:
                what = f"the city does not speak '{language}'."
                yield at.problem("R101", what, did_you_mean(language, languages), "synonyms", language)


def names_in(contracts: Mapping[str, Any], languages: Collection[str]) -> dict[str, dict[str, str]]:
    """Language -> (title of a table or column -> what it is called there), from synonyms in contracts.

    The first synonym of a language counts. Where two contracts translate one title differently, the first in the
    order of their names does.

    Args:
        contracts: Name -> contract, as plain values of its YAML.
        languages: Languages that the city speaks.
    """
    made: dict[str, dict[str, str]] = {}
    for _, contract in sorted(contracts.items()):
        for table in contract.get("schema") or []:
            for part in (table, *(table.get("properties") or [])):
                title = part.get("businessName")
                for synonym in (part.get("synonyms") or []) if title else []:
                    if synonym.get("locale") in languages:
                        made.setdefault(synonym["locale"], {}).setdefault(title, synonym["synonym"])
    return made
