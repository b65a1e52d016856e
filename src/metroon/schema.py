"""JSON Schemas of the city repo's files, made of the kinds: what an editor needs to help while typing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metroon.base import kinds
from metroon.city.city import CityFile
from metroon.city.contract import schema as contract_schema
from metroon.city.glossary import GlossaryFile
from metroon.city.holds import HoldsFile
from metroon.city.inventory import InventoryFile
from metroon.city.people import PeopleFile
from metroon.city.plan import PlanFile
from metroon.city.protocols import ProtocolFile
from metroon.city.table import TableFile
from metroon.collect import Source
from metroon.guard import Technique
from metroon.measure import Indicator
from metroon.review import Question

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas(plugins: Path | None = None) -> dict[str, dict[str, Any]]:
    """File -> its JSON Schema: each file of the city repo, and contract (the standard's own).

    Example:
        >>> sorted(schemas())
        ['city', 'contract', 'glossary', 'holds', 'inventory', 'measure', 'people', 'plan', 'product', 'protocol']
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
            "table": TableFile.model_json_schema(),
        },
    }
    measure = {"$schema": _DRAFT, "title": "measures/NAME.yaml", "oneOf": _kinds("measure", Indicator, plugins)}
    city = {"$schema": _DRAFT, **CityFile.model_json_schema()}
    texts: dict[str, type[BaseModel]] = {
        "inventory": InventoryFile,
        "glossary": GlossaryFile,
        "people": PeopleFile,
        "protocol": ProtocolFile,
        "holds": HoldsFile,
    }
    return {
        "city": city,
        "product": product,
        "measure": measure,
        "contract": contract_schema(),
        "plan": _plan(plugins),
        **{name: {"$schema": _DRAFT, **model.model_json_schema()} for name, model in texts.items()},
    }


def _plan(plugins: Path | None) -> dict[str, Any]:
    made = PlanFile.model_json_schema()
    for name in ("ActionFile", "MilestoneFile"):
        made["$defs"][name]["properties"]["evidence"]["items"] = {"oneOf": _kinds("review", Question, plugins)}
    return {"$schema": _DRAFT, **made}


def _kinds(room: str, noun: type[kinds.Kind], plugins: Path | None) -> list[dict[str, Any]]:
    made = []
    for name in kinds.names(room, plugins):
        schema = kinds.find(room, name, noun, plugins).model_json_schema()
        schema["properties"] = {"kind": {"const": name}, **schema.get("properties", {})}
        schema["required"] = ["kind", *schema.get("required", [])]
        made.append(schema)
    return made
