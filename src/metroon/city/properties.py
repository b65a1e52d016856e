"""Metroon's own properties in a contract: what they may hold, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from metroon.base.node import Node, did_you_mean
from metroon.base.signs import SIGNS, SPREADSHEET_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from metroon.base.errors import Problem

CUSTOM: dict[str, tuple[str, ...]] = {
    "contract": (
        "privacyUnit", "privacyReason", "personKey", "minimumCell", "releaseMode", "accessLevel", "purposes",
        "legalBasis", "retention", "agreements", "harmNotes", "collectionProvenance", "licence",
    ),
    "table": ("point", "geographyKey", "eventTime", "grain", "drift"),
    "column": (
        "missingCodes", "demographic", "identifier", "standard", "declassified", "victimServiceProvider", "written",
    ),
}  # fmt: skip
"""Our own properties by level; they carry ``vendor: metroon`` so that other tools pass them by."""


def custom(node: Node) -> dict[str, object]:
    """Our own properties of a contract, a table or a column, by name."""
    return {str(p.at("property").value): p.at("value").value for p in _ours(node)}


def listed(value: object) -> list[object]:
    """One thing or a list of things, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def latency(node: Node) -> Node | None:
    """The promise of how old the newest event may be."""
    return next((s for s in node.at("slaProperties").each() if s.at("property").value == "latency"), None)


def promised(node: Node, name: str) -> Node | None:
    """The promise of a name among a contract's ``slaProperties``, such as frequency or timeToPublish."""
    return next((s for s in node.at("slaProperties").each() if s.at("property").value == name), None)


def _ours(node: Node) -> Iterator[Node]:
    return (p for p in node.at("customProperties").each() if p.at("vendor").value == "metroon")


_DAYS = {
    "min": 1 / 1440, "minute": 1 / 1440, "minutes": 1 / 1440,
    "h": 1 / 24, "hour": 1 / 24, "hours": 1 / 24, "d": 1.0, "day": 1.0, "days": 1.0, "w": 7.0, "week": 7.0,
    "weeks": 7.0, "m": 30.44, "month": 30.44, "months": 30.44, "y": 365.25, "yr": 365.25, "year": 365.25,
    "years": 365.25,
}  # fmt: skip


def days(promise: Node) -> float:
    """A stretch of time in days.

    Raises:
        ValueError: It is no number.
        KeyError: Its unit is unknown.

    Example:
        >>> days(Node({"value": 12, "unit": "h"}, "contract.yaml"))
        0.5
    """
    return float(str(promise.at("value").value)) * _DAYS[str(promise.at("unit").value or "d").lower()]


def property_faults(level: str, at: Node) -> Iterator[Problem]:
    """Properties of one level that are unknown, stand twice, or hold what they cannot."""
    seen: set[object] = set()
    for item in at.at("customProperties").each():
        name, vendor = item.at("property").value, item.at("vendor").value
        if vendor is None and name in CUSTOM[level]:
            what = f"the property '{name}' does not say whose it is, so that it would mean nothing."
            yield item.problem("C118", what, "Add vendor: metroon to it.", "property")
        if vendor != "metroon":
            continue
        if name not in CUSTOM[level]:
            what = f"Metroon has no {level} property '{name}'."
            yield item.problem("C111", what, did_you_mean(str(name), CUSTOM[level]), "property")
        elif name in seen:
            what = f"the property '{name}' stands here twice."
            yield item.problem("C118", what, "Keep one of them: only one can hold.", "property")
        elif not _is_whole(name, item.at("value").value):
            yield item.problem("C118", f"the property '{name}' is not understood.", _SHAPES[name][1], "value")
        seen.add(name)


def _is_whole(name: object, value: object) -> bool:
    return name not in _SHAPES or _SHAPES[name][0](value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _has_texts(value: object, *keys: str) -> bool:
    return isinstance(value, dict) and all(_is_text(value.get(k)) for k in keys)


def _is_code(value: object) -> bool:
    given = value.get("value") if isinstance(value, dict) else value
    return isinstance(given, (str, int)) and not isinstance(given, bool)


_WRITTEN = (*SIGNS, SPREADSHEET_DAYS)
_SHAPES: dict[object, tuple[Callable[[object], bool], str]] = {
    "personKey": (_is_text, "Write the name of a column."),
    "eventTime": (_is_text, "Write the name of a column."),
    "privacyReason": (_is_text, "Say in words why no person stands behind a row."),
    "point": (
        lambda v: isinstance(v, dict)
        and _has_texts(v, "longitude", "latitude")
        and ("crs" not in v or _is_text(v["crs"])),
        "Write value: {longitude: column, latitude: column}, and crs: EPSG:2227 when they are in another system.",
    ),
    "geographyKey": (
        lambda v: bool(listed(v)) and all(_has_texts(k, "column", "layer") for k in listed(v)),
        'Write value: {column: name, layer: geography, vintage: "2020"}, or a list of them.',
    ),
    "missingCodes": (
        lambda v: isinstance(v, list) and all(_is_code(c) for c in v),
        'Write value: [{value: "999", reason: not recorded}], each code in quotes as it stands in the file.',
    ),
    "written": (
        lambda v: isinstance(v, list) and bool(v) and all(isinstance(sign, str) and sign in _WRITTEN for sign in v),
        f"Write value: [currency, thousands], or others of: {', '.join(_WRITTEN)}.",
    ),
    "drift": (
        lambda v: isinstance(v, dict) and bool(v) and set(v) <= {"rows_percent", "missing_percent", "shares_percent"}
        and all(isinstance(n, (int, float)) and not isinstance(n, bool) and n > 0 for n in v.values()),
        "Write value: {rows_percent: 50, missing_percent: 10, shares_percent: 20}, or some of them.",
    ),
    "declassified": (lambda v: _has_texts(v, "by", "reason"), "Write value: {by: ROLE, reason: WHY}"),
    "victimServiceProvider": (
        lambda v: isinstance(v, dict) and isinstance(v.get("values"), list) and bool(v["values"])
        and all(isinstance(i, (str, int)) for i in v["values"]) and set(v) == {"values"},
        'Write value: {values: ["1"]}, with the values that say that a row comes from a victim service provider.',
    ),
    "licence": (
        lambda v: _is_text(v) or _has_texts(v, "id"),
        "Write value: CC0-1.0 (an SPDX identifier), or {id: ..., title: ..., url: ...} for one of your own.",
    ),
    "retention": (
        lambda v: _is_text(v) or isinstance(v, dict),
        "Write it in words, which is a record only, or as {keep: 2 years, from: eventTime, basis: ...}.",
    ),
    "minimumCell": (
        lambda v: isinstance(v, int) and not isinstance(v, bool),
        "Write a whole number, or leave it out for the city's own.",
    ),
}  # fmt: skip


def naming_faults(node: Node, table: Node) -> Iterator[Problem]:
    """Properties that name columns which are not there, or cannot be what they are said to be."""
    types = {c.at("name").value: c.at("logicalType").value or "string" for c in table.at("properties").each()}
    for item in (*_ours(node), *_ours(table)):
        name, value = str(item.at("property").value), item.at("value").value
        if not _is_whole(name, value):
            continue
        for column in _named(name, value):
            fitting = {"eventTime": ("date", "timestamp"), "point": ("number", "integer")}.get(name)
            if column not in types:
                what = f"{name} names a column '{column}' that the table does not have."
                yield item.problem("C112", what, did_you_mean(column, map(str, types)), "value")
            elif fitting and types[column] not in fitting:
                what = f"{name} names column '{column}', whose logicalType is {types[column]}."
                yield item.problem("C112", what, f"Name a column of type {' or '.join(fitting)}.", "value")
    promise = latency(node)
    if promise is not None:
        yield from _latency_faults(promise, has_event_time="eventTime" in custom(table))
    if (soon := promised(node, "timeToPublish")) is not None:
        yield from _time_to_publish_faults(soon)


def _time_to_publish_faults(promise: Node) -> Iterator[Problem]:
    try:
        if not 0 < days(promise) < float("inf"):
            raise ValueError("nothing is published before it comes")
    except ValueError:
        fix = "Write value: 15, and unit: min for minutes."
        yield promise.problem("C117", "the timeToPublish is no time above 0.", fix, "value")
    except KeyError:
        unit = promise.at("unit").value
        what = f"the timeToPublish has an unknown unit '{unit}'."
        yield promise.problem("C117", what, did_you_mean(str(unit), _DAYS), "unit")


def _named(name: str, value: Any) -> list[str]:
    if name == "point":
        return [value["longitude"], value["latitude"]]
    if name == "geographyKey":
        return [key["column"] for key in cast("list[dict[str, str]]", listed(value))]
    return [str(value)] if name in ("personKey", "eventTime") else []


def _latency_faults(promise: Node, *, has_event_time: bool) -> Iterator[Problem]:
    try:
        if not 0 <= days(promise) < float("inf"):
            raise ValueError("no time passes backwards")
    except ValueError:
        yield promise.problem("C117", "the latency is no number.", "Write value: 35, and unit: d for days.", "value")
    except KeyError:
        unit = promise.at("unit").value
        yield promise.problem(
            "C117", f"the latency has an unknown unit '{unit}'.", did_you_mean(str(unit), _DAYS), "unit"
        )
    if not has_event_time:
        what = "a latency is promised, but no property eventTime says which column tells when something happened."
        fix = "Add to the table's customProperties: {property: eventTime, value: COLUMN, vendor: metroon}"
        yield promise.problem("C117", what, fix)


def property_node(node: Node, name: str) -> Node:
    """Where one of our properties stands; where it should stand when it is not there."""
    return next((p for p in _ours(node) if p.at("property").value == name), node.at("customProperties"))
