"""The record of the last accessibility run: what was tested, by what, on which day, and what was found.

The run of the tests writes it, the package ships it as ``serve/accessibility.json``, and the page shows it and nothing
else: what was not run is not claimed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

SHIPPED = Path(__file__).with_name("accessibility.json")
"""Where the package keeps the record; there is none until a run has been made."""
ManualCheck = Literal["keyboard", "nvda", "voiceover", "zoom", "text spacing", "forced colors", "plain words"]
"""What only a person can check."""
MANUAL: tuple[ManualCheck, ...] = (
    "keyboard", "nvda", "voiceover", "zoom", "text spacing", "forced colors", "plain words",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One thing that a tool found on one page.

    Args:
        rule: The tool's rule.
        page: The path of the page.
        impact: How bad the tool says it is.
        help: What the tool says of it.
        theme: ``light`` or ``dark``.
        width: How wide the window was, in CSS pixels.
        elements: On how many elements.
    """

    rule: str
    page: str
    impact: str = ""
    help: str = ""
    theme: str = ""
    width: int | None = None
    elements: int = 1


@dataclass(frozen=True)
class Checked:
    """One further automated check, such as walking all stops of the keyboard.

    Args:
        name: What was checked, in a sentence.
        is_passed: Whether it held on every page.
        pages: On how many pages.
        detail: What was counted or found, in words.
    """

    name: str
    is_passed: bool
    pages: int
    detail: str = ""


@dataclass(frozen=True)
class Fault:
    """A fault that is known and not mended yet.

    Args:
        text: What is wrong, and for whom.
        since: When it was found.
        way_around: What people can do until it is mended.
    """

    text: str
    since: date
    way_around: str = ""


@dataclass(frozen=True)
class Manual:
    """One check by a person.

    Args:
        what: Which check.
        on: The day.
        by: The role of who did it, and with what.
        result: What was found.
    """

    what: ManualCheck
    on: date
    by: str
    result: str


@dataclass(frozen=True)
class Record:
    """The last run.

    Args:
        on: The day.
        version: The version of Metroon.
        city: The city whose pages were tested.
        tool: The tool with its version, such as ``axe-core 4.12.1``.
        browser: The browser with its version.
        pages: Paths of the pages that were tested.
        themes: Themes in which each was.
        widths: Widths of the window, in CSS pixels.
        languages: Languages in which each was.
        rules: Sets of rules, as the tool names them.
        runs: How many times a page was tested, over all themes, widths and languages.
        violations: What the tool calls a violation.
        unclear: What the tool could not decide; a person has to look at it.
        checks: Further automated checks.
        faults: Faults that are known.
        manual: Checks by a person that were really made.
    """

    on: date
    version: str
    city: str
    tool: str
    browser: str
    pages: tuple[str, ...]
    themes: tuple[str, ...]
    widths: tuple[int, ...]
    languages: tuple[str, ...]
    rules: tuple[str, ...]
    runs: int
    violations: tuple[Found, ...] = ()
    unclear: tuple[Found, ...] = ()
    checks: tuple[Checked, ...] = ()
    faults: tuple[Fault, ...] = ()
    manual: tuple[Manual, ...] = ()


_ADAPTER = TypeAdapter(Record)


def to_json(record: Record) -> str:
    """The record as the text of its file."""
    return _ADAPTER.dump_json(record, indent=1).decode() + "\n"


def from_json(text: str) -> Record | None:
    """The record in the text of its file; None when it is no such record, so that nothing is claimed by mistake.

    Example:
        >>> from_json('{"on": "2026-11-26"}') is None
        True
    """
    try:
        record = _ADAPTER.validate_json(text)
    except ValidationError:
        return None
    return record if record.pages and record.runs > 0 else None


def read(file: Path = SHIPPED) -> Record | None:
    """The record in a file; None when there is none, or none that can be read."""
    try:
        return from_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
