"""OpenAPI: what a door answers, declared once: it reads the parameters of a question and describes itself.

What the document says and what is read can not differ: both are the same declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metroon.base.node import did_you_mean
from metroon.serve.query import MOST_LETTERS, whole
from metroon.serve.trouble import TROUBLES, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Schema = Mapping[str, Any]
"""A JSON Schema (2020-12)."""
PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "fix"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "fix": {"type": "string"},
        "parameter": {"type": "string"},
    },
}
FAULTS = {
    "400": "The question does not fit.",
    "404": "It is not there.",
    "406": "It is not offered in this format.",
    "503": "It cannot be answered now.",
}
"""What may go wrong at every address."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a question.

    Args:
        name: Its name.
        description: What it does.
        schema: What it may be: ``enum``, or ``type`` with ``minimum`` and ``maximum``, or a text.
        where: ``query`` or ``path``.
        is_list: Whether it may be given several times.
    """

    name: str
    description: str
    schema: Schema
    where: str = "query"
    is_list: bool = False

    def read(self, text: str) -> str | int:
        """What was given.

        Raises:
            Trouble: It does not fit.
        """
        if self.schema.get("type") == "integer":
            return whole(text, parameter=self.name, least=self.schema["minimum"], most=self.schema["maximum"])
        known = self.schema.get("enum")
        if known is not None and text not in known:
            what = f"'{self.name}' has no such value."
            raise Trouble("wrong-value", what, did_you_mean(text[:60], map(str, known)), self.name)
        least = self.schema.get("minLength", 0)
        if not least <= len(text) <= self.schema.get("maxLength", MOST_LETTERS):
            raise Trouble("wrong-value", f"'{self.name}' is too short or too long.", "Write a shorter text.", self.name)
        return text

    def told(self) -> dict[str, object]:
        """What the document says of it."""
        schema = {"type": "array", "items": self.schema} if self.is_list else self.schema
        return {
            "name": self.name,
            "in": self.where,
            "required": self.where == "path",
            "description": self.description,
            "schema": schema,
        }


@dataclass(frozen=True)
class Operation:
    """One address with what it takes and gives.

    Args:
        path: Its path below the door's, with names in braces.
        id: Its name in generated clients.
        summary: What it answers, in a sentence.
        parameters: What it takes.
        content: Media type -> schema of what it gives.
        answer: What answers.
        more: What it takes besides: parameters whose names depend on the data, as the document tells them.
        faults: Status -> words, besides those of every address.
    """

    path: str
    id: str
    summary: str
    parameters: tuple[Parameter, ...]
    content: Mapping[str, Schema]
    answer: Callable[..., Any]
    more: Mapping[str, Any] | None = None
    faults: Mapping[str, str] | None = None

    def told(self) -> dict[str, object]:
        """What the document says of it."""
        failed = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        given = {media: {"schema": schema} for media, schema in self.content.items()}
        faults = {**FAULTS, **(self.faults or {})}
        return {
            "operationId": self.id,
            "summary": self.summary,
            "parameters": [*(p.told() for p in self.parameters), *([self.more] if self.more else [])],
            "responses": {
                "200": {"description": "What was asked for.", "content": given},
                "304": {"description": "It is what the asker already has."},
                **{s: {"description": words, "content": failed} for s, words in sorted(faults.items())},
            },
        }


def read(
    parameters: Sequence[Parameter], given: Iterable[tuple[str, str]]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The parameters of a question by their names, and what has another name.

    Raises:
        Trouble: One does not fit, or is given twice.
    """
    known = {p.name: p for p in parameters if p.where == "query"}
    found: dict[str, Any] = {}
    others: list[tuple[str, str]] = []
    for name, text in given:
        if name not in known:
            others.append((name, text))
        elif name in found:
            raise Trouble("wrong-value", f"'{name}' is given twice.", "Give it once.", name)
        else:
            found[name] = known[name].read(text)
    return found, others


def nothing_else(parameters: Sequence[Parameter], others: Sequence[tuple[str, str]]) -> None:
    """Nothing was asked for that is not offered.

    Raises:
        Trouble: It was.
    """
    if others:
        name = others[0][0][:60] if others[0][0].isprintable() else "?"
        known = [p.name for p in parameters if p.where == "query"]
        raise Trouble("unknown-parameter", f"There is no parameter '{name}'.", did_you_mean(name, known), name)


def document(
    operations: Sequence[Operation], *, title: str, version: str, description: str, server: str
) -> dict[str, object]:
    """The OpenAPI 3.1 document of some operations."""
    told = ", ".join(f"{slug} ({status})" for slug, (status, _, _) in TROUBLES.items())
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": f"{description} Problems: {told}."},
        "servers": [{"url": server}],
        "paths": {o.path: {"get": o.told()} for o in operations},
        "components": {"schemas": {"Problem": PROBLEM}},
    }
