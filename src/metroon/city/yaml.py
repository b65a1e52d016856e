"""Reads YAML 1.2 with the line of every key. The only module that parses the city's YAML.

Anchors, aliases and merge keys are refused: who edits a promise on one line must see all that changes with it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from metroon.base.errors import Problem, Refused
from metroon.base.node import Node
from metroon.city.events import Unalike, compose

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ruamel.yaml.nodes import Node as Part

_CORE = "tag:yaml.org,2002:"
_WRITE_OUT = "Write out here what it stands for; a text that begins with * needs quotes."
_WITHOUT = "Remove it, and write out each place that names it; a text that begins with & needs quotes."
_NEAR = "Check the indentation, the colons and the quotes near this line."


def shown(file: Path) -> str:
    """A file's path as the reader would type it: relative to where they stand, when it lies below."""
    try:
        return str(file.resolve().relative_to(os.path.realpath(".")))
    except ValueError:
        return str(file)


def read(file: Path) -> Node:
    """A YAML file as a node.

    Dates and times stay texts, as YAML 1.2 has it; who needs a date makes one.

    Raises:
        Refused: The file cannot be read, is no YAML, repeats keys, or has anchors (all of them are told).
    """
    name = shown(file)
    return _read(name, lambda: file.read_text(encoding="utf-8-sig"))


def read_text(text: str, name: str) -> Node:
    """A text of YAML as a node, for YAML that stands in another file.

    Args:
        text: The YAML; its first line is line 1.
        name: The file it stands in, as the reader would type it.

    Raises:
        Refused: It is no YAML, repeats keys, or has anchors (all of them are told).
    """
    return _read(name, lambda: text)


def _read(name: str, text: Callable[[], str]) -> Node:
    reading = _Reading(name)
    composed = _composed(text, name)
    try:
        value = reading.value(composed, ())
    except RecursionError:
        raise Refused([Problem(name, 0, "Y102", "this is nested too deeply.", _NEAR)]) from None
    if reading.faults:
        raise Refused(reading.faults)
    return Node(value, name, reading.lines)


def _composed(text: Callable[[], str], name: str) -> Part | None:
    try:
        return _quick_or_pure(text(), name)
    except FileNotFoundError:
        raise Refused([Problem(name, 0, "Y101", "the file is missing.", f"Create {name}.")]) from None
    except UnicodeDecodeError:
        raise Refused([Problem(name, 0, "Y102", "the file is not UTF-8 text.", "Save it as UTF-8.")]) from None
    except OSError as error:
        what = f"the file cannot be read ({error.strerror})."
        raise Refused([Problem(name, 0, "Y102", what, "Make it a file that you may read.")]) from None
    except MarkedYAMLError as error:
        line = (error.problem_mark.line + 1) if error.problem_mark else 0
        is_tab = "'\\t'" in str(error.problem)
        why = "a tab stands where only spaces may" if is_tab else str(error.problem)
        what = f"this is no YAML: {why}."
        fix = "Indent with spaces: most editors can turn tabs into them." if is_tab else _NEAR
        raise Refused([Problem(name, line, "Y102", what, fix)]) from None
    except YAMLError:
        fix = "Check its quotes, and that it holds no control characters."
        raise Refused([Problem(name, 0, "Y102", "this is no YAML.", fix)]) from None
    except RecursionError:
        raise Refused([Problem(name, 0, "Y102", "this is nested too deeply.", _NEAR)]) from None


def _quick_or_pure(text: str, name: str) -> Part | None:
    try:
        return compose(text)
    except Unalike:
        if faults := _anchors(text, name):
            raise Refused(faults) from None
        # Not the round-trip reader: it marks the folds of a folded text with a sign inside the text.
        composed: Part | None = YAML(typ="safe", pure=True).compose(text)
        return composed


def _anchors(text: str, name: str) -> list[Problem]:
    """The anchors and aliases of a text: where one place of a file stands for another."""
    if not {"&", "*"} & set(text):
        return []
    faults = []
    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, NodeEvent) and event.anchor is not None:
            is_alias = isinstance(event, AliasEvent)
            sign, word, fix = ("*", "alias", _WRITE_OUT) if is_alias else ("&", "anchor", _WITHOUT)
            what = f"'{sign}{event.anchor}' is an {word}, by which one place of the file stands for another."
            faults.append(Problem(name, event.start_mark.line + 1, "Y109", what, fix))
    return faults


class _Reading:
    """One file being read: its lines, and what is wrong with it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[tuple[str | int, ...], int] = {(): 1}
        self.faults: list[Problem] = []

    def value(self, part: Part | None, path: tuple[str | int, ...]) -> object:
        if isinstance(part, MappingNode):
            return self._mapping(part, path)
        if isinstance(part, SequenceNode):
            for index, item in enumerate(part.value):
                self.lines[(*path, index)] = item.start_mark.line + 1
            return [self.value(item, (*path, i)) for i, item in enumerate(part.value)]
        return self._scalar(part) if isinstance(part, ScalarNode) else None

    def _mapping(self, part: MappingNode, path: tuple[str | int, ...]) -> dict[str, object]:
        own: dict[str, object] = {}
        for key, value in part.value:
            if not isinstance(key, ScalarNode):
                self._fault(key, "a key must be one word.", "Write the key as a word followed by a colon.")
            elif str(key.tag) == f"{_CORE}merge":
                self._fault(key, "<< takes the keys of another mapping.", "Write those keys out here.", "Y109")
            elif key.value in own:
                what = f"the key '{key.value}' stands here twice (first on line {self.lines[(*path, key.value)]})."
                self._fault(key, what, "Keep one of them: the other would be lost.")
            else:
                self.lines[(*path, key.value)] = key.start_mark.line + 1
                own[key.value] = self.value(value, (*path, key.value))
        return own

    def _scalar(self, part: ScalarNode) -> object:
        kind, text = str(part.tag).removeprefix(_CORE), str(part.value)
        try:
            if kind == "null":
                return None
            if kind == "bool":
                return text.lower() in ("true", "yes", "on")
            if kind == "int":
                digits = text.replace("_", "").lower()
                return int(digits, 0) if digits.lstrip("+-")[:2] in ("0x", "0o", "0b") else int(digits)
            if kind == "float":
                return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            self._fault(part, f"'{text}' is no {kind}.", "Write a number, or put the text in quotes.")
        return text

    def _fault(self, at: Part, what: str, fix: str, code: str = "Y102") -> None:
        self.faults.append(Problem(self.name, at.start_mark.line + 1, code, what, fix))
