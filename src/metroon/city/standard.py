"""The published schema of the Open Data Contract Standard, and its faults in words that a steward can act on."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from metroon.base.node import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metroon.base.errors import Problem
    from metroon.base.node import Node

_UNKNOWN_KEY = ("unevaluatedProperties", "additionalProperties")


@cache
def schema() -> dict[str, Any]:
    """The JSON schema that the standard publishes."""
    text = files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def faults(node: Node) -> Iterator[Problem]:
    """Where a contract breaks the standard: one problem for each key or value that is wrong."""
    # Waits for jsonschema only when a contract has changed: reading an unchanged city stays quick.
    from jsonschema import Draft201909Validator

    if not isinstance(node.value, dict):
        yield node.problem("C101", "the contract is empty.", "Draft one with: metroon add FILE")
        return
    found = [_deepest(e) for e in Draft201909Validator(schema()).iter_errors(_with_types(node.value))]
    wrong = [tuple(e.absolute_path) for e in found if e.validator not in _UNKNOWN_KEY]
    mistyped = [tuple(e.absolute_path) for e in found if e.validator == "type"]
    for error in found:
        path = tuple(error.absolute_path)
        if error.validator in _UNKNOWN_KEY:
            # A wrong value makes the validator forget which keys it knew: only keys that nobody knows are told then.
            has_other = any(p[: len(path)] == path for p in wrong)
            yield from _unknown_keys(node, error, path, has_other=has_other)
        elif error.validator == "type" or path not in mistyped:
            yield _fault(node, error, path)


def _with_types(value: dict[str, Any]) -> dict[str, Any]:
    # The published schema holds options to those of every type at once where a column has no type; ours is string.
    tables = value.get("schema")
    if not isinstance(tables, list):
        return value
    return {**value, "schema": [_with_type(t, "properties") for t in tables]}


def _with_type(table: Any, key: str) -> Any:
    columns = table.get(key) if isinstance(table, dict) else None
    if not isinstance(columns, list):
        return table
    typed = [{"logicalType": "string", **c} if isinstance(c, dict) else c for c in columns]
    return {**table, key: typed}


def _deepest(error: Any) -> Any:
    while error.context and not _is_choice_of_keys(error):
        error = max(error.context, key=lambda e: len(e.absolute_path))
    return error


def _is_choice_of_keys(error: Any) -> bool:
    """Whether one of several keys must stand there, and none or more than one does."""
    if error.validator != "oneOf" or not all("required" in part for part in error.validator_value):
        return False
    return sum(part["required"][0] in error.instance for part in error.validator_value) != 1


def _unknown_keys(node: Node, error: Any, path: tuple[str | int, ...], *, has_other: bool) -> Iterator[Problem]:
    known = _keys_of(error.schema)
    for key in error.instance:
        if repr(key) in error.message and not (has_other and key in known):
            what = f"{_place(node, path)} has a key '{key}' that ODCS 3.2 does not know here."
            yield node.problem("C102", what, did_you_mean(str(key), known - {key}), *path, key)


def _fault(node: Node, error: Any, path: tuple[str | int, ...]) -> Problem:
    where, value = _place(node, path), error.validator_value
    if error.validator == "required":
        missing = error.message.split("'")[1]
        return node.problem("C103", f"{where} lacks '{missing}'.", f"Add '{missing}:' here.", *path)
    if _is_choice_of_keys(error):
        keys = [part["required"][0] for part in value]
        return node.problem(
            "C103", f"{where} needs exactly one number to be held to.", f"Write one of: {', '.join(keys)}.", *path
        )
    if error.validator == "enum":
        fix = did_you_mean(str(error.instance), map(str, value))
        return node.problem("C104", f"{where} is '{error.instance}', which ODCS 3.2 does not allow.", fix, *path)
    if error.validator == "type":
        return node.problem("C104", f"{where} must be {_TYPES.get(str(value), value)}.", _type_fix(error), *path)
    if path and path[-1] == "to":
        what = f"{where} must name a product and its column."
        return node.problem("C104", what, "Write to: other_product.column", *path)
    fix = f"The standard says {error.validator}: {json.dumps(value)[:160]}."
    return node.problem("C104", f"{where} does not fit ODCS 3.2.", fix, *path)


_TYPES = {
    "string": "a text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
    "array": "a list", "object": "keys and values",
}  # fmt: skip


_EXAMPLES = {
    "string": "text", "number": "1.5", "integer": "3", "boolean": "true", "array": "[a, b]", "object": "{key: value}",
}  # fmt: skip


def _type_fix(error: Any) -> str:
    if error.instance is None:
        return "Write its value, or take the line out."
    if error.validator_value == "string" and isinstance(error.instance, (int, float)):
        return "Put the value in quotes."
    return f"Write it like this: {_EXAMPLES.get(str(error.validator_value), 'text')}"


def _place(node: Node, path: tuple[str | int, ...]) -> str:
    """Where a fault is, in the reader's words: columns by their names."""
    if path[:1] == ("schema",) and path[2:3] == ("properties",) and len(path) > 3:
        name = node.at(*path[:4], "name").value
        rest = ".".join(str(k) for k in path[4:])
        column = f"column '{name}'" if isinstance(name, str) else f"column {int(path[3]) + 1}"
        return f"{rest} of {column}" if rest else column
    if path[:1] == ("schema",) and len(path) > 1:
        rest = ".".join(str(k) for k in path[2:])
        return f"{rest} of the table" if rest else "the table"
    return ".".join(str(k) for k in path) or "the contract"


def _keys_of(part: Any) -> set[str]:
    reference = part.get("$ref", "")
    found = set(part.get("properties", {}))
    inner = [part[k] for k in ("then", "else") if k in part]
    inner += [p for k in ("allOf", "anyOf", "oneOf") for p in part.get(k, [])]
    inner += [schema()["$defs"][reference.split("/")[-1]]] if reference else []
    for below in inner:
        found |= _keys_of(below)
    return found
