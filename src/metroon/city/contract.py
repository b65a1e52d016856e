"""The promise: one product's Open Data Contract Standard 3.2 file, read into what the rooms need."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from metroon.base.errors import Refused
from metroon.base.node import Node, did_you_mean
from metroon.city.properties import CUSTOM as CUSTOM
from metroon.city.properties import custom, days, latency, listed, naming_faults, property_faults, property_node
from metroon.city.standard import faults
from metroon.city.standard import schema as schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metroon.base.errors import Problem

Classification = Literal["public", "internal", "quasi", "direct", "sensitive", "free text", "linkage key"]
"""What a column may tell about a person; see docs/reference/guard.md."""
CLASSES: tuple[str, ...] = get_args(Classification)
ACCESS = ("public", "restricted public", "non-public")
"""Who may have a dataset's rows, in the words of DCAT-US."""

Type = Literal["string", "integer", "number", "boolean", "date", "timestamp", "object"]
"""The logical types of ODCS that a table column may have here; ``object`` holds a geometry (WKB)."""

PrivacyUnit = Literal["person", "event_on_person", "none"]
"""What one row counts: a person, an event on a person, or a thing or declared public record."""

ReleaseMode = Literal["rows", "table", "aggregate"]
"""What of a product may leave: its rows, a table with totals, or only measures made of it."""

# A name that SQL takes without quotes; names that begin with _ are the engine's own columns.
_NAME = re.compile(r"[^\W\d_]\w*")


@dataclass(frozen=True)
class Column:
    """One column of the promise.

    Args:
        name: Its name in the lake.
        source: Its header in the delivered file.
        type: Its logical type.
        classification: What it may tell about a person; None when nobody has decided yet.
        options: ODCS ``logicalTypeOptions``: format, minimum, maximum, pattern, ...
        missing: Text in the file that means "not recorded" -> the reason.
        allowed: The closed list of values, when there is one.
        declassified: Who lowered its class and why, when somebody did.
        node: Where it stands.
    """

    name: str
    source: str
    type: Type
    classification: Classification | None
    title: str
    description: str
    options: Mapping[str, Any]
    missing: Mapping[str, str]
    allowed: tuple[str, ...]
    is_required: bool
    is_unique: bool
    key_position: int | None
    declassified: Mapping[str, str]
    node: Node


@dataclass(frozen=True)
class GeographyKey:
    """A column that already names the place of a row, in one geography of one vintage."""

    column: str
    layer: str
    vintage: str


@dataclass(frozen=True)
class Reference:
    """Columns whose values, taken together, must be found in columns of a product.

    Args:
        columns: Columns of this table.
        product: The other product, or this one.
        keys: Its columns, in the same order.
        node: Where it stands.
    """

    columns: tuple[str, ...]
    product: str
    keys: tuple[str, ...]
    node: Node

    def __str__(self) -> str:
        keys = ", ".join(self.keys)
        return f"{self.product}.{keys}" if len(self.keys) == 1 else f"{self.product} ({keys})"


@dataclass(frozen=True)
class Contract:
    """One product's promise.

    Args:
        name: The table's name, the same as the product's folder.
        grain: One row per what, in words.
        unit: What a row counts, for the protection of small groups; None when not declared.
        unit_reason: Why no person stands behind a row, when ``unit`` is none.
        person_key: Column that tells people apart where one person may have many rows.
        mode: ``rows`` when rows may leave, ``table`` for a table with totals, ``aggregate`` for measures.
        event_time: The column whose newest value tells how fresh the data are.
        latency_days: How old the newest event may be; None when nothing was promised.
        point: Columns with longitude and latitude.
        point_crs: The system that they come in, when it is another; what is kept is in degrees.
        quality: The declared rules: (node, column name or None).
        references: What must be found in other products, or elsewhere in this one.
        edition: The contract's own version, as it is written.
        status: Where it is in its life, such as draft or active.
    """

    name: str
    title: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    unit: PrivacyUnit | None
    unit_reason: str
    person_key: str | None
    minimum_cell: int | None
    mode: ReleaseMode
    event_time: str | None
    latency_days: float | None
    point: tuple[str, str] | None
    geography_keys: tuple[GeographyKey, ...]
    quality: tuple[tuple[Node, str | None], ...]
    node: Node
    custom: Mapping[str, object] = field(default_factory=dict)
    point_crs: str = ""
    references: tuple[Reference, ...] = ()
    edition: str = ""
    status: str = ""

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key, in order."""
        keyed = [c for c in self.columns if c.key_position is not None]
        return tuple(c.name for c in sorted(keyed, key=lambda c: c.key_position or 0))


def contract(node: Node, name: str) -> Contract:
    """The contract in a node, held to the published ODCS 3.2 schema and to our own properties.

    Raises:
        Refused: Every fault at once, each with its line.
    """
    problems = [*faults(node)]
    if not problems:
        problems = [*_own_faults(node, name)]
    if problems:
        raise Refused(problems)
    table = node.at("schema", 0)
    own, own_table = custom(node), custom(table)
    point = cast("dict[str, str] | None", own_table.get("point"))
    promise = latency(node)
    return Contract(
        name=name,
        title=str(table.at("businessName").value or node.at("name").value or name),
        description=" ".join(str(table.at("description").value or "").split()),
        grain=str(table.at("dataGranularityDescription").value or own_table.get("grain") or ""),
        columns=tuple(_column(c, i) for i, c in enumerate(table.at("properties").each())),
        unit=cast("PrivacyUnit | None", own.get("privacyUnit")),
        unit_reason=str(own.get("privacyReason") or ""),
        person_key=cast("str | None", own.get("personKey")),
        minimum_cell=cast("int | None", own.get("minimumCell")),
        mode=cast("ReleaseMode", own.get("releaseMode") or "aggregate"),
        event_time=cast("str | None", own_table.get("eventTime")),
        latency_days=days(promise) if promise else None,
        point=(point["longitude"], point["latitude"]) if point else None,
        point_crs=point.get("crs", "") if point else "",
        geography_keys=tuple(
            GeographyKey(str(k["column"]), str(k["layer"]), str(k.get("vintage", "")))
            for k in cast("list[dict[str, object]]", listed(own_table.get("geographyKey")))
        ),
        quality=tuple(_quality(table)),
        node=node,
        custom=own,
        references=tuple(_references(table)),
        edition=str(node.at("version").value or ""),
        status=str(node.at("status").value or ""),
    )


def _column(node: Node, index: int) -> Column:
    value: Any = node.value
    own = custom(node)
    codes = [c if isinstance(c, dict) else {"value": c} for c in cast("list[Any]", own.get("missingCodes") or [])]
    return Column(
        name=value["name"],
        source=str(value.get("physicalName", value["name"])).strip(),
        type=value.get("logicalType", "string"),
        classification=value.get("classification"),
        title=str(value.get("businessName", value["name"])),
        description=" ".join(str(value.get("description", "")).split()),
        options=value.get("logicalTypeOptions", {}),
        missing={str(c["value"]): str(c.get("reason") or "") for c in codes},
        allowed=tuple(_text(e["value"]) for e in value.get("enum", [])),
        is_required=bool(value.get("required")),
        is_unique=bool(value.get("unique")),
        key_position=value.get("primaryKeyPosition", index + 1) if value.get("primaryKey") else None,
        declassified=cast("Mapping[str, str]", own.get("declassified") or {}),
        node=node,
    )


def _text(value: object) -> str:
    # As the engine writes it: true, not True.
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quality(table: Node) -> Iterator[tuple[Node, str | None]]:
    for rule in table.at("quality").each():
        yield rule, None
    for column in table.at("properties").each():
        for rule in column.at("quality").each():
            yield rule, str(column.at("name").value)


def _references(table: Node) -> Iterator[Reference]:
    for relation in table.at("relationships").each():
        ends = [[_end(e) for e in _listed(relation.at(key).value)] for key in ("from", "to")]
        yield Reference(tuple(c for _, c in ends[0]), ends[1][0][0], tuple(k for _, k in ends[1]), relation)
    for column in table.at("properties").each():
        for relation in column.at("relationships").each():
            product, key = _end(_listed(relation.at("to").value)[0])
            yield Reference((str(column.at("name").value),), product, (key,), relation)


def _listed(value: object) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def _end(reference: str) -> tuple[str, str]:
    product, _, key = reference.rpartition(".")
    return product, key


def _own_faults(node: Node, name: str) -> Iterator[Problem]:
    tables = list(node.at("schema").each())
    if len(tables) != 1:
        what = f"a product is one table; this contract has {len(tables)}."
        yield node.problem("C105", what, "Keep one item under 'schema:', and a folder for each other table.", "schema")
        return
    table = tables[0]
    if table.at("name").value != name:
        what = f"the table is named '{table.at('name').value}' but its folder '{name}'."
        yield table.problem("C106", what, f"Write name: {name}", "name")
    columns = [str(c.at("name").value) for c in table.at("properties").each()]
    yield from _column_faults(table, columns)
    levels = [("contract", node), ("table", table), *(("column", c) for c in table.at("properties").each())]
    for level, at in levels:
        yield from property_faults(level, at)
    yield from naming_faults(node, table)
    yield from _unit_faults(node)


def _column_faults(table: Node, columns: list[str]) -> Iterator[Problem]:
    if not columns:
        yield table.problem("C107", "the table has no columns.", "Draft them with: metroon add FILE", "properties")
    for relation in table.at("relationships").each():
        yield from _table_reference_faults(relation, str(table.at("name").value), columns)
    for index, (column, name) in enumerate(zip(table.at("properties").each(), columns, strict=True)):
        if not _NAME.fullmatch(name):
            fix = "Use letters, digits and _ and start with a letter; the header of the file goes into physicalName."
            yield column.problem("C119", f"'{name}' cannot be the name of a column.", fix, "name")
        # The engine does not tell capital letters from small ones.
        if name.lower() in [n.lower() for n in columns[:index]]:
            yield column.problem("C108", f"column '{name}' stands here twice.", "Remove or rename one.", "name")
        kind = column.at("logicalType").value or "string"
        if kind not in get_args(Type):
            what = f"column '{name}' has logicalType '{kind}', which a table cannot hold."
            yield column.problem("C109", what, did_you_mean(str(kind), get_args(Type)), "logicalType")
        given = column.at("classification").value
        if given is not None and given not in CLASSES:
            what = f"column '{name}' has an unknown classification '{given}'."
            yield column.problem("C110", what, did_you_mean(str(given), CLASSES), "classification")
        yield from _reference_faults(column, name)


_WHERE = "Write to: other_product.column"


def _reference_faults(column: Node, name: str) -> Iterator[Problem]:
    for relation in column.at("relationships").each():
        targets = _listed(relation.at("to").value)
        if len(targets) > 1:
            what = f"column '{name}' alone refers to {len(targets)} columns."
            fix = f"{_WHERE}; where several columns refer together, write from: and to: below the table."
            yield relation.problem("C209", what, fix, "to")
        elif not re.fullmatch(r"\w+\.\w+", targets[0]):
            yield relation.problem(
                "C209", f"the reference of column '{name}' names no product and column.", _WHERE, "to"
            )


def _table_reference_faults(relation: Node, name: str, columns: list[str]) -> Iterator[Problem]:
    ends = {key: _listed(relation.at(key).value) for key in ("from", "to")}
    if wrong := [key for key, end in ends.items() if not all(re.fullmatch(r"\w+\.\w+", e) for e in end)]:
        yield relation.problem("C209", "the reference names no product and column.", _WHERE, wrong[0])
        return
    if len(ends["from"]) != len(ends["to"]):
        what = f"{len(ends['from'])} columns refer to {len(ends['to'])}."
        yield relation.problem("C209", what, "Write as many columns below to: as below from:.", "to")
    if len({_end(e)[0] for e in ends["to"]}) > 1:
        what = "the reference leads to several products."
        yield relation.problem("C209", what, "Write a reference of its own for each.", "to")
    for table, column in map(_end, ends["from"]):
        if table != name or column not in columns:
            what = f"the reference starts from '{table}.{column}', which is no column of this table."
            yield relation.problem("C209", what, did_you_mean(column, columns), "from")


def _unit_faults(node: Node) -> Iterator[Problem]:
    own = custom(node)
    unit, mode, floor = own.get("privacyUnit"), own.get("releaseMode"), own.get("minimumCell")
    if unit is not None and unit not in get_args(PrivacyUnit):
        fix = did_you_mean(str(unit), get_args(PrivacyUnit))
        yield property_node(node, "privacyUnit").problem("C113", f"privacyUnit is '{unit}'.", fix, "value")
    if unit == "none" and not own.get("privacyReason"):
        what = "privacyUnit is none without a privacyReason: rows would count as things nobody stands behind."
        fix = "Add the property privacyReason and say why no person stands behind a row."
        yield property_node(node, "privacyUnit").problem("C114", what, fix)
    if mode not in (None, *get_args(ReleaseMode)):
        what = f"releaseMode is '{mode}'."
        fix = "Write rows, table (a table with totals leaves), or aggregate (only measures leave)."
        yield property_node(node, "releaseMode").problem("C115", what, fix, "value")
    level = own.get("accessLevel")
    if level is not None and level not in ACCESS:
        fix = did_you_mean(str(level), ACCESS)
        yield property_node(node, "accessLevel").problem("C120", f"accessLevel is '{level}'.", fix, "value")
    if isinstance(floor, int) and not isinstance(floor, bool) and floor < 3:
        what = "minimumCell must be a whole number of at least 3."
        fix = "Leave it out for the city's own (default 11)."
        yield property_node(node, "minimumCell").problem("C116", what, fix, "value")
