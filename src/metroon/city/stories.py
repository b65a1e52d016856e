"""The stories as written: a text with front matter, and the questions whose answers stand in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date  # pydantic reads the annotation
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean, validate
from metroon.city.ids import NAME, Id
from metroon.city.yaml import read_text, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from metroon.base.node import Node

BLANK = re.compile(r"\{\{\s*(?P<what>.*?)\s*\}\}")
"""Where a number of a query stands in the text: ``{{ name.column }}``."""
_NAMED = re.compile(r"(?P<query>[a-z][a-z0-9_]*)\.(?P<column>[a-z_]+)")
_RULE = "---"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QueryFile(_Part):
    """One question to the released numbers of a measure.

    Args:
        measure: Whose numbers.
        period: Which period; ``latest`` is the last one that has a value.
        geography: A set of places, for all of its places; the whole city unless named.
        place: Key of one place in it.
        by: A breakdown, for all of its groups; everybody unless named.
        group: One group in it.
    """

    measure: str
    period: str = "latest"
    geography: str = "all"
    place: str = ""
    by: str = "all"
    group: str = ""


class StoryFile(_Part):
    """What stands at the top of a story, between two lines of ``---``.

    Args:
        title: Its title.
        summary: What it tells, in one sentence.
        on: The day it was written.
        author: The role or person.
        language: The language it is written in.
        queries: Name -> a question; its answer stands in the text as ``{{ name.column }}``.
    """

    title: str
    summary: str
    on: date
    author: str
    language: str = "en"
    queries: dict[Id, QueryFile] = Field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """One story, read, before its questions are asked.

    Args:
        id: Its permanent id, the file's name.
        file: Its front matter.
        node: The same with its lines.
        markdown: The text.
        line: The line on which the text begins.
    """

    id: str
    file: StoryFile
    node: Node
    markdown: str
    line: int

    def blanks(self) -> Iterator[tuple[int, str]]:
        """Every place in the text where a number is to stand: its line, and what is asked for."""
        for line, text in enumerate(self.markdown.split("\n"), self.line):
            yield from ((line, found["what"]) for found in BLANK.finditer(text))


def stories(folder: Path, languages: Collection[str], faults: list[Problem]) -> tuple[Written, ...]:
    """The stories of a city repo, newest first.

    Args:
        folder: The city repo.
        languages: Languages that city.yaml names.
        faults: What is wrong goes here; a story with a fault is left out.
    """
    made = []
    for file in sorted((folder / "stories").glob("*.md")):
        try:
            made.append(story(file, languages))
        except Refused as refused:
            faults.extend(refused.problems)
    return tuple(sorted(made, key=lambda s: (-s.file.on.toordinal(), s.id)))


def story(file: Path, languages: Collection[str]) -> Written:
    """One story.

    Raises:
        Refused: It has no front matter, keys are wrong, or the text asks for what no query answers.
    """
    name = shown(file)
    if not NAME.fullmatch(file.stem):
        fix = "Use small letters, digits and _ and start with a letter."
        raise Refused([Problem(name, 0, "Y105", f"'{file.stem}' is no name for a story.", fix)])
    text = _text(file, name)
    lines = text.split("\n")
    ends = [i for i, line in enumerate(lines) if line.rstrip() == _RULE][:2]
    if len(ends) < 2 or ends[0] != 0:
        fix = "Begin the file with a line ---, the keys title, summary, on and author, and a line ---."
        raise Refused([Problem(name, 1, "R107", "the story has no front matter.", fix)])
    # The first line stays, so that lines are counted as in the file.
    node = read_text("\n".join(["# ---", *lines[1 : ends[1]]]), name)
    told = validate(node, StoryFile, "Y103")
    made = Written(file.stem, told, node, "\n".join(lines[ends[1] + 1 :]), ends[1] + 2)
    if problems := [*_faults(made, languages)]:
        raise Refused(problems)
    return made


def _text(file: Path, name: str) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Refused([Problem(name, 0, "Y102", "the file is not UTF-8 text.", "Save it as UTF-8.")]) from None
    except OSError as error:
        what = f"the file cannot be read ({error.strerror})."
        raise Refused([Problem(name, 0, "Y102", what, "Make it a file that you may read.")]) from None


def _faults(made: Written, languages: Collection[str]) -> Iterator[Problem]:
    told, node = made.file, made.node
    if told.language not in languages:
        what = f"the city does not speak '{told.language}'."
        yield node.problem("R101", what, did_you_mean(told.language, languages), "language")
    for line, what in made.blanks():
        named = _NAMED.fullmatch(what)
        if named is None:
            fix = "Write the name of a query, a point and a column, such as {{ killed.value }}."
            yield Problem(node.file, line, "R107", f"'{what}' is no number of a query.", fix)
        elif named["query"] not in told.queries:
            fix = did_you_mean(named["query"], told.queries)
            yield Problem(node.file, line, "R107", f"the story has no query '{named['query']}'.", fix)
    for name, query in told.queries.items():
        for key, of in (("place", "geography"), ("group", "by")):
            if getattr(query, key) and getattr(query, of) == "all":
                what = f"the query '{name}' names a {key}, but not whose."
                yield node.problem("R107", what, f"Add {of}: to it.", "queries", name, key)
