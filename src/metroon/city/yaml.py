"""Reads YAML 1.2 with the line of every key. The only module that parses the city's YAML."""

from __future__ import annotations

import os
from datetime import date
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from metroon.base.errors import Problem, Refused
from metroon.base.node import Node

if TYPE_CHECKING:
    from pathlib import Path


def shown(file: Path) -> str:
    """A file's path as the reader would type it: relative to where they stand, when it lies below."""
    try:
        return str(file.resolve().relative_to(os.path.realpath(".")))
    except ValueError:
        return str(file)


def read(file: Path) -> Node:
    """A YAML file as a node.

    Raises:
        Refused: The file is missing, is no YAML, or repeats a key.
    """
    name = shown(file)
    try:
        loaded = YAML().load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused([Problem(name, 0, "Y101", "the file is missing.", f"Create {name}.")]) from None
    except UnicodeDecodeError:
        raise Refused([Problem(name, 0, "Y102", "the file is not UTF-8 text.", "Save it as UTF-8.")]) from None
    except MarkedYAMLError as error:
        line = (error.problem_mark.line + 1) if error.problem_mark else 0
        fix = "Check the indentation, the colons and the quotes near this line."
        raise Refused([Problem(name, line, "Y102", f"this is no YAML: {error.problem}.", fix)]) from None
    except YAMLError:
        raise Refused([Problem(name, 0, "Y102", "this is no YAML.", "Check its indentation and quotes.")]) from None
    lines: dict[tuple[str | int, ...], int] = {(): 1}
    return Node(_plain(loaded, (), lines), name, lines)


def _plain(value: Any, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]) -> object:
    if isinstance(value, CommentedMap):
        for key in value:
            lines[(*path, str(key))] = value.lc.key(key)[0] + 1
        return {str(k): _plain(v, (*path, str(k)), lines) for k, v in value.items()}
    if isinstance(value, CommentedSeq):
        for index in range(len(value)):
            lines[(*path, index)] = value.lc.item(index)[0] + 1
        return [_plain(v, (*path, i), lines) for i, v in enumerate(value)]
    for plain in (bool, int, float, str):
        if isinstance(value, plain):
            return plain(value)
    return value if value is None or isinstance(value, date) else str(value)
