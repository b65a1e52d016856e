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
from metroon.conform import formats
from metroon.conform.threshold import NONE, OPERATORS, Threshold, said
from metroon.conform.typing import OFFSET, unknown_letters
from metroon.conform.unchecked import USES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibis.expr.types import BooleanValue

    from metroon.city.contract import Column, Contract
    from metroon.conform.typing import Typed

FUTURE = ".future"
"""What the ids of rules end with that another day may judge otherwise."""
VICTIMS = "rows that are, or may be, of a victim service provider"
"""Of what a delivery is refused for at the door; see ``victimServiceProvider`` in docs/reference/contract.md."""
METRICS = tuple(USES["metric"])
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "rowCount": (),
    "nullValues": (),
    "missingValues": ("missingValues",),
    "invalidValues": ("validValues", "pattern"),
    "duplicateValues": ("properties",),
}
"""Metric -> the arguments that it takes."""
_FIX = "Write severity: warn, and it is told with every run that it cannot be run; or write it as one of ours."
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
        metric: For rules over the table: rowCount, duplicateValues or sql; custom for those of other tools.
        columns: Columns of a duplicateValues rule.
        query: The SQL of an sql rule.
        total: The SQL of what its percentage is of; empty for the rows of the table.
        cannot: Why nothing here can run it; empty for all others.
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
    total: str = ""
    cannot: str = ""

    def stops(self, failed: float | None, checked: float) -> bool:
        """Whether a delivery in which so many of so many fail is refused; None where it could not be run."""
        if self.severity != "stop":
            return False
        return failed is None or (self.threshold.has_data(checked) and not self.threshold.holds(failed, checked))

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


def not_typed(column: Column) -> str:
    """Why a row is set aside whose text is not of a column's type."""
    how = " in the declared format" if "format" in column.options and column.type in ("date", "timestamp") else ""
    return f"{column.name} is no {column.type}{how}"


def not_listed(column: Column) -> str:
    """Why a row is set aside whose value is not in a column's list."""
    return f"{column.name} is not in its list of values"


def _column_faults(column: Column) -> Iterator[Problem]:
    """What a column promises and no engine could check."""
    at, options = column.node.at("logicalTypeOptions"), column.options
    if column.type in ("date", "timestamp") and (letters := unknown_letters(str(options.get("format", "")))):
        what = f"the format of '{column.name}' has {', '.join(letters)}, which cannot be read."
        fix = "Use yyyy or yy, MM or M, dd or d, HH or H, hh or h with a, mm, ss; other letters stand in 'quotes'."
        yield at.problem("C210", what, fix, "format")
    if "pattern" in options and not is_pattern(str(options["pattern"])):
        yield at.problem("C210", f"the pattern of '{column.name}' is none that can be searched.", _PATTERN, "pattern")
    known = {"string": (*formats.TEXTS, *formats.UNSEEN)}.get(column.type)
    if known and "format" in options and options["format"] not in known:
        what = f"the format '{options['format']}' of '{column.name}' is none that can be checked."
        fix = f"{did_you_mean(str(options['format']), known)} Or write a pattern."
        yield at.problem("C214", what, fix, "format")
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
        yield rule("type", not_typed(column), "conformity", value.is_unreadable)
    if column.is_required:
        yield rule("required", f"{name} is missing", "completeness", v.isnull() & ~value.is_unreadable)
    if column.allowed:
        allowed = [_literal(column.type, a) for a in column.allowed]
        yield rule("enum", not_listed(column), "conformity", ~v.isin(allowed))
    yield from (rule(*made) for made in [*_options(column, v), *_format(column, value)])
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
        text = f"{name} is no multiple of {said(given['multipleOf'])}"
        yield "multipleOf", text, "conformity", _is_no_multiple(column, v, given["multipleOf"])
    if column.type == "string":
        if "minLength" in given:
            text = f"{name} is shorter than {given['minLength']}"
            yield "minLength", text, "conformity", v.length() < given["minLength"]
        if "maxLength" in given:
            text = f"{name} is longer than {given['maxLength']}"
            yield "maxLength", text, "conformity", v.length() > given["maxLength"]
        if "pattern" in given:
            yield "pattern", f"{name} does not match its pattern", "conformity", ~v.re_search(str(given["pattern"]))


def _is_no_multiple(column: Column, v: Any, of: float) -> Any:
    if column.type == "integer" and float(of).is_integer():
        return v % int(of) != 0
    times = v / of
    # What a float cannot tell apart: 0.3 is three times 0.1.
    return (times - times.round()).abs() > 1e-9 + times.abs() * 1e-15


def _format(column: Column, value: Typed) -> Iterator[tuple[str, str, str, BooleanValue]]:
    name, v, given = column.name, value.value, column.options.get("format")
    if column.type == "string" and (pattern := formats.pattern(str(given))):
        fails = ~v.re_search(pattern)
        if given == "hostname":
            fails |= v.length() > 253
        yield "format", f"{name} is no {given}", "conformity", fails
    elif column.type == "integer" and given in formats.INTEGERS:
        low, high = formats.INTEGERS[str(given)]
        # More than 64 bits are read as no integer at all.
        fails = (v < max(low, -(2**63))) | (v > min(high, 2**63 - 1))
        yield "format", f"{name} does not fit {given}", "conformity", fails
    elif column.type == "number" and given in formats.NUMBERS:
        yield "format", f"{name} does not fit {given}", "conformity", v.abs() > formats.NUMBERS[str(given)]
    if column.type == "timestamp" and (wanted := column.options.get("timezone")) is not None:
        has_offset = value.text.re_search(OFFSET) & value.text.contains(":")  # the day of a date is none
        text = f"{name} {'does not say' if wanted else 'says'} how far it is from UTC"
        yield "timezone", text, "conformity", v.notnull() & (~has_offset if wanted else has_offset)


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
        yield Rule(f"{name}{FUTURE}", f"{name} lies in the future", name, "accuracy", "set aside", fails)


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
    metric = str(node.at("metric").value or "") if kind == "library" else str(kind)
    severity = _severity(node)
    if kind == "custom":
        yield _of_others(node, column, index, severity)
        return
    threshold = _threshold(node, kind, metric)
    _look_at_arguments(node, metric)
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
    if severity == "set aside" and metric in ("sql", "rowCount"):
        what = "a rule over the whole table cannot set rows aside: it does not say which."
        raise Refused([node.problem("C211", what, "Write severity: warn, or stop to refuse the delivery.", "severity")])
    if kind == "sql":
        query, total = _query(node, column, contract), _total(node, column, contract)
        is_count = query.is_count and (total is None or total.is_count)
        yield replace(whole, metric="sql", query=query.text, is_count=is_count, total=total.text if total else "")
    elif metric in ("rowCount", "duplicateValues"):
        columns = _repeating(node, column, contract) if metric == "duplicateValues" else ()
        yield replace(whole, metric=metric, columns=columns)
    else:
        yield replace(whole, fails=_fails(node, metric, contract.column(column or ""), values))


def _of_others(node: Node, column: str | None, index: int, severity: Severity) -> Rule:
    engine = str(node.at("engine").value)
    if severity != "warn":
        what = f"a rule for {engine} cannot be run here, and so cannot {_DOES[severity]}."
        raise Refused([node.problem("C201", what, _FIX, "severity" if node.at("severity").value else "type")])
    words = node.at("description").value or node.at("name").value or f"a rule of {engine}"
    return Rule(
        id=str(node.at("id").value or node.at("name").value or f"{column or 'table'}.quality{index + 1}"),
        text=str(words), column=column or "", dimension=str(node.at("dimension").value or "conformity"),
        severity=severity, metric="custom", node=node, cannot=f"there is no {engine} here that could run it",
    )  # fmt: skip


_DOES = {"stop": "refuse a delivery", "set aside": "set rows aside"}


def _look_at_arguments(node: Node, metric: str) -> None:
    known = ARGUMENTS.get(metric)
    unknown = [k for k, _ in node.at("arguments").items() if known is not None and k not in known]
    if unknown:
        raise Refused(
            node.problem("C213", f"{metric} takes no argument '{k}'.", did_you_mean(k, known or ()), "arguments", k)
            for k in unknown
        )


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
    if unit not in ("rows", "percent", "%") and (kind == "library" or node.at("unit").value is None):
        what = f"the unit '{unit}' is unknown."
        raise Refused([node.problem("C204", what, did_you_mean(unit, ("rows", "percent")), "unit")])
    if is_percent and metric == "rowCount":
        what = "only rows that fail can be counted in percent, and all rows are always 100 %."
        raise Refused([node.problem("C204", what, "Take unit: percent out.", "unit")])
    return Threshold(used[0], bound, is_percent)


def _query(node: Node, column: str | None, contract: Contract) -> Select:
    return _select(node, str(node.at("query").value or ""), column, contract, "query")


def _total(node: Node, column: str | None, contract: Contract) -> Select | None:
    """The query of what the percentage of an sql rule is of, where the rule says it."""
    own = custom(node)
    if unknown := sorted(own.keys() - {"total"}):
        what = f"Metroon has no property '{unknown[0]}' of a rule."
        raise Refused([node.problem("C213", what, did_you_mean(unknown[0], ["total"]), "customProperties")])
    return _select(node, str(own["total"]), column, contract, "customProperties") if "total" in own else None


def _select(node: Node, text: str, column: str | None, contract: Contract, *key: str) -> Select:
    for word, name in (("object", contract.name), ("table", contract.name), ("column", quote_name(column or ""))):
        text = text.replace(f"${{{word}}}", name).replace(f"{{{word}}}", name)
    try:
        parsed = select(text)
    except NotAllowed as error:
        what = f"the rule's query cannot be run: {error}."
        raise Refused([node.problem("C205", what, "Write one SELECT that gives one number.", *key)]) from None
    if parsed.tables - {contract.name}:
        what = "the rule's query reads other tables."
        raise Refused([node.problem("C205", what, f"Read {{object}} ({contract.name}) only.", *key)])
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
    if pattern is not None and not (isinstance(pattern, str) and is_pattern(pattern)):
        raise Refused([node.problem("C210", "the pattern is none that can be searched.", _PATTERN, "arguments")])
    given = [item.value for item in listed.each() if item.value is not None]
    meant = [_literal(column.type, _text(g)) for g in given]
    if None in meant or (listed.value is None and pattern is None) or (listed.value is not None and not given):
        what = "invalidValues needs arguments: validValues (a list that fits the column's type) or pattern."
        raise Refused([node.problem("C208", what, "Add one of them.", "metric")])
    fails: Any = ibis.literal(False)
    if given:
        fails |= ~value.value.isin(meant)
    if pattern is not None:
        fails |= ~value.value.cast("string").re_search(pattern)
    return cast("BooleanValue", fails.fill_null(False))
