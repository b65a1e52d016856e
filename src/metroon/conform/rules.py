"""Rules: the contract's promises, each as one yes-or-no over a row, or one number over the table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, cast, get_args

import ibis

from metroon.base.account import Severity
from metroon.base.engine import is_pattern, quote_name
from metroon.base.errors import Problem, Refused
from metroon.base.node import Node, did_you_mean
from metroon.base.sql import NotAllowed, Select, select
from metroon.city.properties import custom
from metroon.conform.threshold import NONE, OPERATORS, Threshold, said
from metroon.conform.typing import unknown_letters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibis.expr.types import BooleanValue

    from metroon.city.contract import Column, Contract
    from metroon.conform.typing import Typed

VICTIMS = "rows that are, or may be, of a victim service provider"
"""Of what a delivery is refused for at the door; see ``victimServiceProvider`` in docs/reference/contract.md."""
METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
_FIX = "See the rule kinds in docs/reference/contract.md."
_PATTERN = "Write a regular expression without look-around (?= and back-references \\1."
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


@dataclass(frozen=True)
class Rule:
    """One promise.

    Args:
        id: Stable between runs.
        text: In words; never a value from a row.
        column: The column it speaks of; empty for the whole table.
        dimension: ODCS quality dimension.
        severity: What a breach does.
        fails: True for rows that break it; None for rules over the table.
        threshold: How many may.
        metric: For rules over the table: rowCount, duplicateValues or sql.
        columns: Columns of a duplicateValues rule.
        query: The SQL of an sql rule.
        is_count: Whether that SQL gives a count; any other number may be what stands in a cell, and is not told.
        node: Where a declared rule stands; None for those that a column implies.
    """

    id: str
    text: str
    column: str
    dimension: str
    severity: Severity
    fails: BooleanValue | None = None
    threshold: Threshold = NONE
    metric: str = ""
    columns: tuple[str, ...] = ()
    query: str = ""
    is_count: bool = False
    node: Node | None = None

    @property
    def sets_repeats_aside(self) -> bool:
        """Whether rows that repeat others are set aside for it."""
        return self.metric == "duplicateValues" and self.severity == "set aside"


def rules(contract: Contract, values: Mapping[str, Typed], as_of: date) -> list[Rule]:
    """Every rule of a contract, those that its columns imply first.

    Raises:
        Refused: Declared rules that no engine could run; all at once.
    """
    problems: list[Problem] = []
    found: list[Rule] = []
    for column in contract.columns:
        faults = [*_column_faults(column)]
        problems += faults
        found += [] if faults else _implied(column, values[column.name])
    found += _time(contract, values, as_of)
    found += _keys(contract)
    for index, (node, name) in enumerate(contract.quality):
        try:
            found += _declared(node, name, index, contract, values)
        except Refused as refused:
            problems += refused.problems
    problems += _told_twice(found)
    if problems:
        raise Refused(problems)
    return found


def _column_faults(column: Column) -> Iterator[Problem]:
    """What a column promises and no engine could check."""
    at, options = column.node.at("logicalTypeOptions"), column.options
    if column.type in ("date", "timestamp") and (letters := unknown_letters(str(options.get("format", "")))):
        what = f"the format of '{column.name}' has {', '.join(letters)}, which cannot be read."
        fix = "Use yyyy or yy, MM or M, dd or d, HH or H, hh or h with a, mm, ss; other letters stand in 'quotes'."
        yield at.problem("C210", what, fix, "format")
    if "pattern" in options and not is_pattern(str(options["pattern"])):
        yield at.problem("C210", f"the pattern of '{column.name}' is none that can be searched.", _PATTERN, "pattern")
    bounds = {k: options[k] for k in _BOUNDS if k in options} if column.type in ("date", "timestamp") else {}
    for key, text in bounds.items():
        if _literal(column.type, str(text)) is None:
            yield at.problem("C210", f"{key} of '{column.name}' is no {column.type}.", "Write it as 2015-01-31.", key)
    for index, text in enumerate(column.allowed):
        if _literal(column.type, text) is None:
            what = f"'{text}' in the list of '{column.name}' is no {column.type}."
            yield column.node.problem("C210", what, "Correct the value, or the logicalType.", "enum", index)


def _told_twice(found: list[Rule]) -> Iterator[Problem]:
    known: set[str] = set()
    for rule in found:
        if rule.id in known and rule.node is not None:
            what = f"the id '{rule.id}' belongs to another rule of this contract already."
            yield rule.node.problem("C212", what, "Give each rule an id of its own.", "id")
        known.add(rule.id)


def _implied(column: Column, value: Typed) -> Iterator[Rule]:
    name, v = column.name, value.value

    def rule(what: str, text: str, dimension: str, fails: Any) -> Rule:
        return Rule(f"{name}.{what}", text, name, dimension, "set aside", fails.fill_null(False))

    if column.type != "string":
        text = f"{name} is no {column.type}" + (" in the declared format" if "format" in column.options else "")
        yield rule("type", text, "conformity", value.is_unreadable)
    if column.is_required:
        yield rule("required", f"{name} is missing", "completeness", v.isnull() & ~value.is_unreadable)
    if column.allowed:
        allowed = [_literal(column.type, a) for a in column.allowed]
        yield rule("enum", f"{name} is not in its list of values", "conformity", ~v.isin(allowed))
    yield from (rule(*made) for made in _options(column, v))
    if own := cast("Any", custom(column.node).get("victimServiceProvider")):
        # Whoever keeps such rows breaks the law that protects the people in them: the whole delivery stays outside,
        # also where the column does not say whose a row is.
        words = [_text(i).strip().casefold() for i in own["values"]]
        fails = v.cast("string").strip().lower().isin(words).fill_null(True)
        yield Rule(f"{name}.victims", VICTIMS, name, "conformity", "stop", fails)


def _options(column: Column, v: Any) -> Iterator[tuple[str, str, str, BooleanValue]]:
    name, given = column.name, column.options
    if column.type in ("integer", "number", "date", "timestamp"):
        breaks = {"minimum": v.__lt__, "maximum": v.__gt__, "exclusiveMinimum": v.__le__, "exclusiveMaximum": v.__ge__}
        for key in (k for k in _BOUNDS if k in given):
            bound = given[key] if column.type in ("integer", "number") else _literal(column.type, str(given[key]))
            yield key, f"{name} is outside its {key} {said(given[key])}", "accuracy", breaks[key](bound)
    if column.type in ("integer", "number") and given.get("multipleOf"):
        times = v / given["multipleOf"]
        text = f"{name} is no multiple of {said(given['multipleOf'])}"
        yield "multipleOf", text, "conformity", (times - times.round()).abs() > 1e-9
    if column.type == "string":
        if "minLength" in given:
            text = f"{name} is shorter than {given['minLength']}"
            yield "minLength", text, "conformity", v.length() < given["minLength"]
        if "maxLength" in given:
            text = f"{name} is longer than {given['maxLength']}"
            yield "maxLength", text, "conformity", v.length() > given["maxLength"]
        if "pattern" in given:
            yield "pattern", f"{name} does not match its pattern", "conformity", ~v.re_search(str(given["pattern"]))


def _text(value: object) -> str:
    # As the engine writes it: true, not True.
    return str(value).lower() if isinstance(value, bool) else str(value)


def _literal(kind: str, text: str) -> Any:
    """The value that a text of the contract means for a column; None when it means none."""
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False}.get(text.lower())
        if kind == "date":
            return date.fromisoformat(text)
        return datetime.fromisoformat(text).replace(tzinfo=None) if kind == "timestamp" else text
    except ValueError:
        return None


def _time(contract: Contract, values: Mapping[str, Typed], as_of: date) -> Iterator[Rule]:
    if contract.event_time:
        name = contract.event_time
        fails = (values[name].value.cast("date") > ibis.date(as_of.isoformat())).fill_null(False)
        yield Rule(f"{name}.future", f"{name} lies in the future", name, "accuracy", "set aside", fails)


def _keys(contract: Contract) -> Iterator[Rule]:
    if contract.key:
        text = f"the key ({', '.join(contract.key)}) is repeated"
        yield _unique("key", text, contract.key)
    for column in contract.columns:
        if column.is_unique and (column.name,) != contract.key:
            yield _unique(f"{column.name}.unique", f"{column.name} is repeated", (column.name,))


def _unique(name: str, text: str, columns: tuple[str, ...]) -> Rule:
    one = columns[0] if len(columns) == 1 else ""
    return Rule(name, text, one, "uniqueness", "set aside", metric="duplicateValues", columns=columns)


def _declared(
    node: Node, column: str | None, index: int, contract: Contract, values: Mapping[str, Typed]
) -> Iterator[Rule]:
    kind = node.at("type").value or "library"
    if kind == "text":
        return
    if kind not in ("library", "sql"):
        raise Refused([node.problem("C201", f"rules of type '{kind}' are other tools' own.", _FIX, "type")])
    metric = str(node.at("metric").value or "")
    severity, threshold = _severity(node), _threshold(node, kind, metric)
    words = node.at("description").value or node.at("name").value or f"{metric or kind} of {column or 'the table'}"
    whole = Rule(
        id=str(node.at("id").value or node.at("name").value or f"{column or 'table'}.quality{index + 1}"),
        text=f"{words} ({threshold})" if threshold != NONE else str(words),
        column=column or "",
        dimension=str(node.at("dimension").value or "conformity"),
        severity=severity,
        threshold=threshold,
        node=node,
    )
    if severity == "set aside" and (kind == "sql" or metric == "rowCount"):
        what = "a rule over the whole table cannot set rows aside: it does not say which."
        raise Refused([node.problem("C211", what, "Write severity: warn, or stop to refuse the delivery.", "severity")])
    if kind == "sql":
        query = _query(node, column, contract)
        yield replace(whole, metric="sql", query=query.text, is_count=query.is_count)
    elif metric in ("rowCount", "duplicateValues"):
        columns = _repeating(node, column, contract) if metric == "duplicateValues" else ()
        yield replace(whole, metric=metric, columns=columns)
    else:
        yield replace(whole, fails=_fails(node, metric, contract.column(column or ""), values))


def _repeating(node: Node, column: str | None, contract: Contract) -> tuple[str, ...]:
    listed = node.at("arguments", "properties")
    named = [str(c.value) for c in listed.each()] or ([column] if column and listed.value is None else [])
    if not named:
        what = "duplicateValues needs the columns that must not repeat."
        raise Refused([node.problem("C202", what, "Add arguments: {properties: [a, b]}.", "metric")])
    names = [c.name for c in contract.columns]
    if unknown := [c for c in named if c not in names]:
        what = f"duplicateValues names a column '{unknown[0]}' that the table does not have."
        raise Refused([node.problem("C202", what, did_you_mean(unknown[0], names), "arguments")])
    return tuple(named)


def _severity(node: Node) -> Severity:
    given = node.at("severity").value or "warn"
    # The words that other tools write, in ours.
    given = {"error": "stop", "warning": "warn", "info": "warn"}.get(str(given), given)
    if given not in get_args(Severity):
        fix = did_you_mean(str(given), get_args(Severity))
        raise Refused([node.problem("C203", f"severity '{given}' is unknown.", fix, "severity")])
    return cast("Severity", given)


def _threshold(node: Node, kind: object, metric: str) -> Threshold:
    used = [o for o in OPERATORS if any(key == o for key, _ in node.items())]
    if len(used) != 1:
        what = f"a rule has one operator; this one has {' and '.join(used) or 'none'}."
        raise Refused([node.problem("C204", what, "Keep one, or write two rules.", *used[1:2])])
    bound: Any = node.at(used[0]).value
    numbers = bound if isinstance(bound, list) else [bound]
    if not all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers):
        raise Refused([node.problem("C204", f"{used[0]} must be a number.", "Write it without quotes.", used[0])])
    unit = str(node.at("unit").value or "rows").lower()
    is_percent = unit in ("percent", "%")
    if kind == "library" and unit not in ("rows", "percent", "%"):
        what = f"the unit '{unit}' is unknown."
        raise Refused([node.problem("C204", what, did_you_mean(unit, ("rows", "percent")), "unit")])
    if is_percent and (kind == "sql" or metric == "rowCount"):
        what = "only rows that fail can be counted in percent."
        raise Refused([node.problem("C204", what, "Take unit: percent out.", "unit")])
    return Threshold(used[0], bound, is_percent)


def _query(node: Node, column: str | None, contract: Contract) -> Select:
    text = str(node.at("query").value or "")
    for word, name in (("object", contract.name), ("table", contract.name), ("column", quote_name(column or ""))):
        text = text.replace(f"${{{word}}}", name).replace(f"{{{word}}}", name)
    try:
        parsed = select(text)
    except NotAllowed as error:
        what = f"the rule's query cannot be run: {error}."
        raise Refused([node.problem("C205", what, "Write one SELECT that gives one number.", "query")]) from None
    if parsed.tables - {contract.name}:
        what = "the rule's query reads other tables."
        raise Refused([node.problem("C205", what, f"Read {{object}} ({contract.name}) only.", "query")])
    return parsed


def _fails(node: Node, metric: str, column: Column | None, values: Mapping[str, Typed]) -> BooleanValue:
    if metric not in METRICS:
        raise Refused(
            [node.problem("C206", f"there is no metric '{metric}'.", did_you_mean(metric, METRICS), "metric")]
        )
    if column is None:
        what = f"{metric} speaks of a column."
        raise Refused([node.problem("C207", what, "Move the rule below its column.", "metric")])
    value = values[column.name]
    if metric == "nullValues":
        return cast("BooleanValue", value.value.isnull() & ~value.is_unreadable)
    if metric == "missingValues":
        codes = [str(c.value) for c in node.at("arguments", "missingValues").each() if c.value is not None]
        return cast("BooleanValue", (value.is_missing | value.text.isin(codes)) if codes else value.is_missing)
    return _invalid(node, column, value)


def _invalid(node: Node, column: Column, value: Typed) -> BooleanValue:
    listed = node.at("arguments", "validValues")
    pattern = node.at("arguments", "pattern").value
    if isinstance(pattern, str) and is_pattern(pattern):
        return cast("BooleanValue", (~value.value.cast("string").re_search(pattern)).fill_null(False))
    if pattern is not None:
        raise Refused([node.problem("C210", "the pattern is none that can be searched.", _PATTERN, "arguments")])
    given = [item.value for item in listed.each() if item.value is not None]
    meant = [_literal(column.type, str(g)) for g in given]
    if not given or None in meant:
        what = "invalidValues needs arguments: validValues (a list that fits the column's type) or pattern."
        raise Refused([node.problem("C208", what, "Add one of them.", "metric")])
    return cast("BooleanValue", (~value.value.isin(meant)).fill_null(False))
