"""What the standard lets a contract say, and which of it is held to the rows, told to people, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from metroon.base.errors import Problem
from metroon.conform import formats

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metroon.base.node import Node
    from metroon.city.contract import Contract

Use = Literal["checked", "told", "words", "refused"]
"""``checked``: held to the rows. ``told``: shown or used elsewhere, and no promise of its own. ``words``: a promise
that nothing holds to the rows, which ``metroon check`` says. ``refused``: a contract with it is not read."""

_RULE: Mapping[str, Use] = {
    "id": "told", "name": "told", "description": "told", "dimension": "told", "severity": "checked", "type": "checked",
    "metric": "checked", "rule": "told", "arguments": "checked", "query": "checked", "engine": "words",
    "implementation": "words", "unit": "checked", "mustBe": "checked", "mustNotBe": "checked",
    "mustBeGreaterThan": "checked", "mustBeGreaterOrEqualTo": "checked", "mustBeLessThan": "checked",
    "mustBeLessOrEqualTo": "checked", "mustBeBetween": "checked", "mustNotBeBetween": "checked",
    "businessImpact": "told", "method": "told", "schedule": "words", "scheduler": "words", "tags": "told",
    "customProperties": "told", "authoritativeDefinitions": "told",
}  # fmt: skip
_TYPE: Mapping[str, Use] = {"library": "checked", "sql": "checked", "text": "words", "custom": "words"}
_METRIC: Mapping[str, Use] = dict.fromkeys(
    ("rowCount", "nullValues", "missingValues", "invalidValues", "duplicateValues"), "checked"
)
_LIMITS: Mapping[str, Use] = dict.fromkeys(
    ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "format"), "checked"
)
_LIST: Mapping[str, Use] = dict.fromkeys(("minItems", "maxItems", "uniqueItems"), "refused")
_VECTOR: Mapping[str, Use] = dict.fromkeys(
    ("dimensions", "elementType", "distanceMetric", "embeddingModel", "embeddingModelVersion", "normalized"), "refused"
)
OPTIONS: Mapping[str, Mapping[str, Use]] = {
    "string": dict.fromkeys(("minLength", "maxLength", "pattern", "format"), "checked"),
    "integer": {**_LIMITS, "multipleOf": "checked"},
    "number": {**_LIMITS, "multipleOf": "checked"},
    "date": _LIMITS,
    "timestamp": {**_LIMITS, "timezone": "checked", "defaultTimezone": "words"},
    "boolean": {},
    "object": dict.fromkeys(("minProperties", "maxProperties", "required"), "words"),
    # No table holds these types, so that a contract with them is refused (C109).
    "time": {**dict.fromkeys(_LIMITS, "refused"), "timezone": "refused", "defaultTimezone": "refused"},
    "array": _LIST,
    "map": {},
    "vector": _VECTOR,
}
"""Logical type -> what becomes of each of its ``logicalTypeOptions``."""
_COLUMN: Mapping[str, Use] = {
    "name": "checked", "physicalName": "checked", "logicalType": "checked", "logicalTypeOptions": "checked",
    "required": "checked", "unique": "checked", "primaryKey": "checked", "primaryKeyPosition": "checked",
    "enum": "checked", "relationships": "checked", "quality": "checked", "classification": "checked",
    "customProperties": "checked", "physicalType": "told", "id": "told", "businessName": "told", "description": "told",
    "deprecated": "told", "synonyms": "told", "tags": "told", "authoritativeDefinitions": "told",
    "semanticType": "told", "partitioned": "told", "partitionKeyPosition": "told", "encryptedName": "told",
    "transformSourceObjects": "told", "transformLogic": "told", "transformDescription": "told", "examples": "told",
    "criticalDataElement": "told", "items": "refused", "map": "refused", "properties": "words",
}  # fmt: skip
_REFERENCE: Mapping[str, Use] = {
    "id": "told", "type": "checked", "from": "checked", "to": "checked", "customProperties": "told",
}  # fmt: skip
_AGREED: Mapping[str, Use] = {
    "property": "checked", "value": "checked", "unit": "checked", "id": "told", "valueExt": "words", "element": "told",
    "driver": "told", "description": "told", "scheduler": "told", "schedule": "told", "customProperties": "told",
    "authoritativeDefinitions": "told",
}  # fmt: skip
USES: Mapping[str, Mapping[str, Use]] = {
    "rule": _RULE, "type": _TYPE, "metric": _METRIC, "column": _COLUMN, "reference": _REFERENCE, "agreed": _AGREED,
}  # fmt: skip
"""Part of a contract -> what becomes of each of its keys: of a rule, of its types and metrics, of a column, of a
reference, and of what was agreed on the service."""
AGREED = ("latency", "timeToPublish")
"""What was agreed on the service and is held: how old the newest event may be, and how soon a delivery is published."""


def unchecked(contract: Contract) -> Iterator[Problem]:
    """Promises of a contract that nothing holds to the rows: one warning that names them all."""
    found = [*_words(contract)]
    if found:
        shown = "; ".join(f"{what} (line {node.line(*key)})" for node, what, key in found)
        n = len(found)
        what = f"{n} promise{'s are' if n > 1 else ' is'} kept as words, and not held to the rows: {shown}."
        fix = "Nothing, if that is meant; else write what can be run: docs/reference/contract.md lists it."
        yield Problem(contract.node.file, found[0][0].line(*found[0][2]), "C215", what, fix)


def _words(contract: Contract) -> Iterator[tuple[Node, str, tuple[str, ...]]]:
    for node, column in contract.quality:
        of = f" of {column}" if column else ""
        kind = str(node.at("type").value or "library")
        if USES["type"][kind] == "words":
            yield node, f"a rule{of} " + ("in words" if kind == "text" else f"for {node.at('engine').value}"), ("type",)
        else:
            yield from ((node, f"{key} of a rule{of}", (key,)) for key in _kept_as_words("rule", node))
    for c in contract.columns:
        at = c.node.at("logicalTypeOptions")
        yield from ((at, f"{key} of {c.name}", (key,)) for key in c.options if OPTIONS[c.type].get(key) == "words")
        if c.type == "string" and c.options.get("format") in formats.UNSEEN:
            yield at, f"format {c.options['format']} of {c.name}", ("format",)
        yield from ((c.node, f"{key} of {c.name}", (key,)) for key in _kept_as_words("column", c.node))
    for promise in contract.node.at("slaProperties").each():
        name = promise.at("property").value
        if name not in AGREED:
            yield promise, f"{name} (slaProperties)", ("property",)
        else:
            yield from ((promise, f"{key} of {name}", (key,)) for key in _kept_as_words("agreed", promise))


def _kept_as_words(part: str, node: Node) -> list[str]:
    return [key for key, given in node.items() if USES[part].get(key) == "words" and given.value is not None]
