"""A piece of YAML that remembers the file and the lines it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Path = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Node:
    """A YAML value with the line of each of its keys and items.

    Args:
        value: Plain Python: dict, list, str, int, float, bool, date or None.
        file: The file, as the reader would type it.
        lines: Path of keys and indexes from the file's root -> line, from 1.
        path: Where in the file this value is.

    Example:
        >>> node = Node({"a": {"b": 1}}, "city.yaml", {("a",): 3, ("a", "b"): 4})
        >>> node.at("a").line("b"), node.at("a").line("c")
        (4, 3)
    """

    value: object
    file: str
    lines: Mapping[Path, int] = field(default_factory=dict)
    path: Path = ()

    def at(self, *keys: str | int) -> Node:
        """The value below, or an empty node that still knows its nearest line."""
        value: Any = self.value
        for key in keys:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                value = None
        return Node(value, self.file, self.lines, (*self.path, *keys))

    def line(self, *keys: str | int) -> int:
        """The line of a key below, or of the nearest thing above it that is in the file."""
        path = (*self.path, *keys)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, code: str, what: str, fix: str, *keys: str | int) -> Problem:
        """A problem at the line of a key below."""
        return Problem(self.file, self.line(*keys), code, what, fix)

    def items(self) -> Iterable[tuple[str, Node]]:
        """The keys and values of a mapping; nothing for any other value."""
        if isinstance(self.value, dict):
            for key in self.value:
                yield str(key), self.at(key)

    def each(self) -> Iterable[Node]:
        """The items of a list; nothing for any other value."""
        if isinstance(self.value, list):
            for index in range(len(self.value)):
                yield self.at(index)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence that names the likely word and all that are known.

    Example:
        >>> did_you_mean("cvs", ["csv", "query"])
        "Did you mean 'csv'? Known: csv, query."
    """
    names = sorted(known)
    close = get_close_matches(word, names, n=1)
    listed = f"Known: {', '.join(names)}." if names else "None is known here."
    return f"Did you mean '{close[0]}'? {listed}" if close else listed


def validate(node: Node, model: type[Model], code: str) -> Model:
    """A node read into a model; every fault at once, each at its line.

    Raises:
        Refused: Keys are unknown or missing, or values do not fit.
    """
    if not isinstance(node.value, dict):
        what = f"expected keys and values here, found {_plain(node.value)}."
        keys = ", ".join(list(model.model_fields)[:6])
        raise Refused([node.problem(code, what, f"Write its keys below, such as: {keys}.")])
    try:
        return model.model_validate(node.value)
    except ValidationError as error:
        raise Refused(_problem(node, model, code, fault) for fault in error.errors()) from None


def _problem(node: Node, model: type[BaseModel], code: str, fault: Any) -> Problem:
    loc = tuple(k for k in fault["loc"] if not (isinstance(k, str) and k.startswith("function-")))
    dotted = ".".join(str(k) for k in loc)
    if fault["type"] == "extra_forbidden":
        known = _written(model) if len(loc) == 1 else _fields_at(model, loc[:-1])
        return node.problem(code, f"unknown key '{dotted}'.", did_you_mean(str(loc[-1]), known), *loc)
    if fault["type"] == "missing":
        return node.problem(code, f"'{dotted}' is missing.", f"Add '{loc[-1]}:' here.", *loc)
    if fault["input"] is None:
        return node.problem(code, f"'{dotted}' is empty.", "Write its value, or take the line out.", *loc)
    if fault["type"] == "string_type" and isinstance(fault["input"], (int, float, date)):
        what = f"'{dotted}' is read as a number or a date and must be a text."
        return node.problem(code, what, "Put the value in quotes.", *loc)
    message = str(fault["msg"]).removeprefix("Value error, ")
    what, _, fix = message.partition(" Fix: ")
    fix = fix or "Correct the value, or look it up with: metroon schema."
    return node.problem(code, f"'{dotted}': {what.rstrip('.')}.", fix, *loc)


def _fields_at(model: type[BaseModel], loc: Path) -> Iterable[str]:
    for key in loc:
        found = next((f for n, f in model.model_fields.items() if (f.alias or n) == str(key)), None)
        inner = [found.annotation, *getattr(found.annotation, "__args__", ())] if found else []
        models = [m for m in inner if isinstance(m, type) and issubclass(m, BaseModel)]
        if models:
            model = models[0]
    return _written(model)


def _written(model: type[BaseModel]) -> list[str]:
    """The keys of a model as a file has them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _plain(value: object) -> str:
    return {type(None): "nothing", list: "a list", str: "a text"}.get(type(value), "a single value")
