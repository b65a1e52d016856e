"""``/accessibility``: what was really tested, when and with what, what is known to be wrong, and whom to tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from metroon.base.catalog import Column
from metroon.serve import accessibility
from metroon.serve.page import Page, Sheet

if TYPE_CHECKING:
    from pathlib import Path

    from metroon.serve.accessibility import Manual, ManualCheck, Record
    from metroon.serve.page import Asked
    from metroon.serve.words import Words


@dataclass(frozen=True)
class Law:
    """What the law asks for.

    Args:
        people: Cities with so many people or more come first.
        large: The day by which they must comply.
        small: The day for all others.
        source: Where it is printed.
    """

    people: int = 50_000
    large: date = date(2027, 4, 26)
    small: date = date(2028, 4, 26)
    source: str = "Department of Justice, interim final rule, 91 FR 20902 (April 20, 2026)."


@dataclass(frozen=True)
class ManualView:
    """One check by a person.

    Args:
        name: What is checked, in a sentence.
        done: The check that was made; None when it was not yet.
        day: The day, in words; empty when it was not made.
    """

    name: str
    done: Manual | None
    day: str


@dataclass(frozen=True)
class AccessibilityView:
    """What the statement shows.

    Args:
        title: The page's title.
        record: The last run; None when there is none.
        day: Its day, in words.
        tone: ``good`` when it found nothing wrong, ``bad`` when it did, ``mute`` without a run.
        headline: What it found, in one sentence.
        extent: How much was tested, in one sentence.
        manual: Checks by a person, those not made yet too.
        contact: Whom to tell; empty when the city declared nobody.
        law: What the law asks for.
    """

    title: str
    record: Record | None
    day: str
    tone: Literal["good", "bad", "mute"]
    headline: str
    extent: str
    manual: tuple[ManualView, ...]
    contact: str
    law: Law = Law()


class Accessibility(Page):
    """The statement, made of the record of the last run.

    Args:
        file: The record.
    """

    path = "/accessibility"
    template = "accessibility.html"

    def __init__(self, file: Path = accessibility.SHIPPED) -> None:
        self.file = file

    def view(self, asked: Asked) -> AccessibilityView:
        """What was tested and found."""
        words, record = asked.words, self._record(asked)
        made = {m.what: m for m in record.manual} if record else {}
        return AccessibilityView(
            title=words.gettext("Accessibility"),
            record=record,
            day=words.day(record.on) if record else "",
            tone="mute" if record is None else "good" if is_clean(record) else "bad",
            headline=headline(record, words),
            extent=extent(record, words) if record else "",
            manual=tuple(
                ManualView(_manual(what, words), made.get(what), words.day(made[what].on) if what in made else "")
                for what in accessibility.MANUAL
            ),
            contact=asked.catalog.portal.contact,
        )

    def data(self, asked: Asked) -> Sheet | None:
        """What the tool found.

        Grain:
            One row per rule, page, theme and width.
        """
        record = self._record(asked)
        if record is None:
            return None
        columns = (
            Column("result", "Result", "violation, or unclear.", "string"),
            Column("rule", "Rule", "The tool's rule.", "string"),
            Column("page", "Page", "The path of the page.", "string"),
            Column("theme", "Theme", "light or dark.", "string"),
            Column("width", "Width", "How wide the window was, in CSS pixels.", "integer"),
            Column("elements", "Elements", "On how many elements.", "integer"),
            Column("help", "Help", "What the tool says of it.", "string"),
        )
        rows = [
            {"result": result, "rule": f.rule, "page": f.page, "theme": f.theme, "width": f.width}
            | {"elements": f.elements, "help": f.help}
            for result, found in (("violation", record.violations), ("unclear", record.unclear))
            for f in found
        ]
        return Sheet("accessibility", "Accessibility run", columns, rows, f"{record.tool}, {record.on.isoformat()}")

    def _record(self, asked: Asked) -> Record | None:
        return asked.site.once(("accessibility", self.file), lambda: accessibility.read(self.file))


def is_clean(record: Record) -> bool:
    """Whether a run found nothing wrong: no violation, and every further check held."""
    return not record.violations and all(c.is_passed for c in record.checks)


def headline(record: Record | None, words: Words) -> str:
    """What the last run found, in the one sentence that it bears.

    Args:
        record: The run; None when there is none.
        words: The language.
    """
    if record is None:
        return words.gettext("No automated run is on record for this version, so nothing is claimed here.")
    failed = sum(not c.is_passed for c in record.checks)
    if record.violations:
        return words.ngettext(
            "The last automated run found %(n)s violation.",
            "The last automated run found %(n)s violations.",
            len(record.violations),
        )
    if failed:
        return words.ngettext(
            "The last automated run found no violation of its rules, but %(n)s further check failed.",
            "The last automated run found no violation of its rules, but %(n)s further checks failed.",
            failed,
        )
    return words.gettext("The last automated run found no violation.")


def extent(record: Record, words: Words) -> str:
    """How much was tested, in one sentence.

    Args:
        record: The run.
        words: The language.
    """
    return words.ngettext(
        "%(tool)s looked at %(n)s page, %(runs)s times in all: in every theme, width and language named below.",
        "%(tool)s looked at %(n)s pages, %(runs)s times in all: in every theme, width and language named below.",
        len(record.pages), tool=record.tool, runs=words.number(record.runs),
    )  # fmt: skip


def _manual(what: ManualCheck, words: Words) -> str:
    told: dict[ManualCheck, str] = {
        "keyboard": words.gettext("Using every page with the keyboard alone"),
        "nvda": words.gettext("Reading with NVDA on Windows"),
        "voiceover": words.gettext("Reading with VoiceOver on a Mac and on a phone"),
        "zoom": words.gettext("Letters at twice their size"),
        "text spacing": words.gettext("Wider spacing of letters and lines"),
        "forced colors": words.gettext("High contrast colors of the system"),
        "plain words": words.gettext("Reading the pages with residents in each language"),
    }
    return told[what]
