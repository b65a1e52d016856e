"""JSON Schemas of the city repo's files, made of the kinds: what an editor needs to help while typing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metroon.base import kinds
from metroon.city.city import CityFile
from metroon.city.contract import schema as contract_schema
from metroon.collect import Source
from metroon.guard import Technique
from metroon.measure import Indicator

if TYPE_CHECKING:
    from pathlib import Path

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas(plugins: Path | None = None) -> dict[str, dict[str, Any]]:
    """File -> its JSON Schema: city, product, measure and contract (the standard's own).

    Example:
        >>> sorted(schemas())
        ['city', 'contract', 'measure', 'product']
    """
    product = {
        "$schema": _DRAFT,
        "title": "product.yaml",
        "type": "object",
        "additionalProperties": False,
        "required": ["collect"],
        "properties": {
            "collect": {"oneOf": _kinds("collect", Source, plugins)},
            "guard": {"type": "array", "items": {"oneOf": _kinds("guard", Technique, plugins)}},
        },
    }
    measure = {"$schema": _DRAFT, "title": "measures/NAME.yaml", "oneOf": _kinds("measure", Indicator, plugins)}
    city = {"$schema": _DRAFT, **CityFile.model_json_schema()}
    return {"city": city, "product": product, "measure": measure, "contract": contract_schema()}


def _kinds(room: str, noun: type[kinds.Kind], plugins: Path | None) -> list[dict[str, Any]]:
    made = []
    for name in kinds.names(room, plugins):
        schema = kinds.find(room, name, noun, plugins).model_json_schema()
        schema["properties"] = {"kind": {"const": name}, **schema.get("properties", {})}
        schema["required"] = ["kind", *schema.get("required", [])]
        made.append(schema)
    return made
