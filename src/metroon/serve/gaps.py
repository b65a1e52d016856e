"""What a language lacks of the city's own words: what pages show, what is translated, and files for translators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from babel import Locale
from babel.messages.catalog import Catalog as Messages
from babel.messages.pofile import read_po, write_po

from metroon.base.estimate import ALL
from metroon.serve.phrases import is_known
from metroon.serve.words import LANGUAGES, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metroon.base.catalog import Catalog, Dataset
    from metroon.base.plan import PlanStatus
    from metroon.base.protocol import Protocol
    from metroon.base.scorecard import Score

_WITH_LIMIT = re.compile(r" \(must (?:not )?(?:be|lie) [^()]*\)$")
"""What Metroon adds to a check of the city that compares a number."""
_MADE = re.compile(
    r"\d|fewer than \d|Not released|Coarsened so that|Residents of|Whether it gets|What is there balances"
    r"|It does not balance"
)
"""How notes begin that Metroon makes of a release; the others are the city's."""


@dataclass(frozen=True)
class Gap:
    """One text of the city that a language lacks.

    Args:
        text: The text, in English.
        where: Where it stands first, for the translator, such as ``measure street_lights_out, unit``.
    """

    text: str
    where: str


def texts(catalog: Catalog) -> dict[str, str]:
    """Every English text of the city that a page shows, with where it stands first; the most seen come first.

    Sentences that Metroon makes are not in it (why an action is late, which rule a row broke): the portal translates
    them itself. Nor are texts of stories, each of which is written in one language and says which.

    Args:
        catalog: What the city publishes.
    """
    found: dict[str, str] = {}
    for text, where in _texts(catalog):
        if len(text.strip()) > 1 and any(c.isalpha() for c in text):
            found.setdefault(text, where)
    return found


def gaps(catalog: Catalog, words: Words) -> tuple[Gap, ...]:
    """The texts of the city that a language lacks, in the order of ``texts``.

    Args:
        catalog: What the city publishes.
        words: The language.
    """
    return tuple(Gap(text, where) for text, where in texts(catalog).items() if not words.knows(text))


def save(catalog: Catalog, language: str) -> tuple[Path, int]:
    """Add the texts that a language lacks to the city's own file, empty, for a translator to fill in.

    What is translated stays as it is, also what no page shows any more and what changes a sentence of the portal.

    Args:
        catalog: What the city publishes.
        language: ``es``, ``vi`` or ``zh-Hans``.

    Returns:
        The file in the city repo, and how many texts were added to it.
    """
    file = Path(catalog.folder) / "translations" / f"{language}.po"
    kept = _kept(file, language, catalog.city)
    lacking = gaps(catalog, Words(language, file.parent, catalog.names.get(language, {})))
    new = [g for g in lacking if g.text not in kept]
    for gap in new:
        kept.add(gap.text, auto_comments=[gap.where])
    if new:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as out:
            write_po(out, kept, width=0)
    return file, len(new)


def _kept(file: Path, language: str, city: str) -> Messages:
    locale = Locale.parse(language, sep="-")
    if file.is_file():
        with file.open("rb") as opened:
            return read_po(opened, locale=str(locale))
    made = Messages(locale, project=city, version="1", charset="utf-8", fuzzy=False)
    made.header_comment = f"# The city's own words in {locale.english_name}."
    return made


def _texts(catalog: Catalog) -> Iterator[tuple[str, str]]:
    yield catalog.city, "the city"
    yield catalog.portal.about, "city.yaml, portal"
    for goal in catalog.goals:
        said = (goal.title, goal.outcome, goal.department, goal.owner)
        yield from ((text, f"goal {goal.goal}") for text in said)
    for name, score in catalog.scores.items():
        yield from _score(name, score)
    for id_, places in catalog.geographies.items():
        said = (places.title, places.label, places.people_source, places.note)
        yield from ((text, f"set of places {id_}") for text in said)
        yield from ((name, f"places of {id_}") for name in places.names.values())
    if catalog.plan is not None:
        yield from _plan(catalog.plan)
    for dataset in catalog.datasets.values():
        yield from _dataset(dataset)
    for term in catalog.terms:
        said = (term.term, term.meaning, term.not_to_confuse, term.source)
        yield from ((text, f"glossary {term.id}") for text in said)
    for protocol in catalog.protocols:
        yield from ((text, f"protocol {protocol.id}") for text in _protocol(protocol))
    for story in catalog.stories:
        yield from ((text, f"story {story.id}") for text in (story.title, story.summary, story.author))


def _protocol(protocol: Protocol) -> Iterator[str]:
    yield from (protocol.title, protocol.purpose, protocol.notice, protocol.retention, protocol.sharing)
    yield from (protocol.accuracy, protocol.security, protocol.equity, protocol.owner)
    for comment in protocol.comments:
        yield from (comment.text, comment.reply)
    if protocol.waiver is not None:
        yield from (protocol.waiver.by, protocol.waiver.reason)


def _score(name: str, score: Score) -> Iterator[tuple[str, str]]:
    measured = score.measured
    yield measured.question, f"measure {name}, question"
    yield measured.title, f"measure {name}, title"
    yield measured.unit, f"measure {name}, unit"
    for cell in (e.cell for e in measured.estimates):
        if cell.dimension != ALL:
            yield cell.dimension.replace("_", " "), f"measure {name}, kind of group"
            yield cell.group, f"measure {name}, group"
    yield from ((gap.reference, f"measure {name}, group") for gap in score.gaps)
    yield from ((d.people, f"measure {name}, people") for d in score.disparities)
    for words in score.words:
        yield words.text, f"measure {name}, narrative"
        yield words.author, f"measure {name}, who says so"
    yield from ((text, f"measure {name}, {what}") for what, text in score.chain if what != "type")
    yield from ((reason, f"measure {name}, break") for _, reason in score.breaks)
    for past in score.past_targets:
        yield from ((text, f"measure {name}, earlier target") for text in (past.authority, past.reason))
    yield from ((note, f"measure {name}, note") for note in measured.notes if not _MADE.match(note))


def _plan(plan: PlanStatus) -> Iterator[tuple[str, str]]:
    yield from ((text, "plan") for text in (plan.title, plan.authority, plan.note))
    for principle in plan.principles:
        yield from ((text, f"plan, principle {principle.id}") for text in (principle.sentence, principle.why))
    for step in plan.steps:
        yield step.title, f"plan, step {step.id}"
        for action in step.actions:
            said = (action.title, action.owner, action.department, action.moved)
            yield from ((text, f"plan, action {action.id}") for text in said)
            yield from ((m.title, f"plan, action {action.id}, milestone") for m in action.milestones)
            asked = (*action.evidence, *(e for m in action.milestones for e in m.evidence))
            yield from ((e.text, f"plan, action {action.id}, evidence") for e in asked if not is_known(e.text))
    for role in plan.roles:
        said = (role.title, role.duties, role.holder, role.department)
        yield from ((text, f"plan, role {role.id}") for text in said)


def _dataset(d: Dataset) -> Iterator[tuple[str, str]]:
    at = f"{'measure' if d.shape == 'measure' else 'dataset'} {d.name}"
    yield d.title, f"{at}, title"
    yield d.description, f"{at}, description"
    yield d.topic.replace("_", " "), f"{at}, topic"
    said = (d.department, d.gap, d.limitations, d.legal_basis, d.retention, d.harm_notes, d.provenance)
    yield from ((text, at) for text in (*said, d.promise.text, d.not_yet, d.planned))
    yield from ((purpose, f"{at}, purpose") for purpose in d.purposes)
    if d.steward is not None:
        who = (d.steward.name, d.steward.role, d.steward.promise, d.steward.hours)
        yield from ((text, f"{at}, steward") for text in who)
    yield from ((tag, f"{at}, word to find it by") for tag in d.tags)
    if d.shape == "measure":
        return  # its columns are those of every measure
    yield d.grain, at
    for column in d.columns:
        if column.title != column.name:
            yield column.title, f"{at}, column {column.name}"
        yield " ".join(column.description.split()), f"{at}, column {column.name}"
        yield from ((label, f"{at}, column {column.name}, value") for _, label in column.allowed)
    for check in d.checks:
        # Those that the city wrote: the others begin with the column that they speak of.
        if not check.text.startswith((f"{check.column} ", "the key (")):
            yield _WITH_LIMIT.sub("", check.text), f"{at}, check"


def counted(catalog: Catalog, translations: Mapping[str, Words]) -> dict[str, tuple[int, int]]:
    """Language -> how many texts of the city are translated, of how many.

    Args:
        catalog: What the city publishes.
        translations: Language -> its words; English needs none and is left out.
    """
    every = texts(catalog)
    return {n: (sum(w.knows(t) for t in every), len(every)) for n, w in translations.items() if n != "en"}


def spoken(catalog: Catalog) -> dict[str, Words]:
    """Language -> its words with the city's own, for the languages of its portal that are not English."""
    own = Path(catalog.folder) / "translations"
    languages = [n for n in catalog.languages if n in LANGUAGES and n != "en"]
    return {n: Words(n, own, catalog.names.get(n, {})) for n in languages}
