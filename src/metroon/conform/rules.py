"""Rules: the contract's promises, each as one yes-or-no over a row, or one number over the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

import ibis

from metroon.base.account import Severity
from metroon.base.errors import Problem, Refused
from metroon.base.node import Node, did_you_mean
from metroon.base.sql import NotAllowed, select

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from ibis.expr.types import BooleanValue, Table

    from metroon.city.contract import Column, Contract
    from metroon.conform.typing import Typed

OPERATORS = {
    "mustBe": ("be", lambda v, w: v == w),
    "mustNotBe": ("not be", lambda v, w: v != w),
    "mustBeGreaterThan": ("be above", lambda v, w: v > w),
    "mustBeGreaterOrEqualTo": ("be at least", lambda v, w: v >= w),
    "mustBeLessThan": ("be below", lambda v, w: v < w),
    "mustBeLessOrEqualTo": ("be at most", lambda v, w: v <= w),
    "mustBeBetween": ("lie between", lambda v, w: w[0] <= v <= w[1]),
    "mustNotBeBetween": ("not lie between", lambda v, w: not w[0] <= v <= w[1]),
}
METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
_FIX = "See the rule kinds in docs/reference/contract.md."


@dataclass(frozen=True)
class Threshold:
    """What the number of a rule must be; without one, no row may fail.

    Args:
        operator: One of ODCS' operators.
        bound: Its number, or its two numbers.
        is_percent: True when the number is the percentage of failing rows.
    """

    operator: str = "mustBe"
    bound: Any = 0
    is_percent: bool = False

    def holds(self, failed: float, checked: int) -> bool:
        """Whether so many of so many may fail.

        Example:
            >>> Threshold("mustBeLessThan", 5, True).holds(4, 100), Threshold().holds(1, 100)
            (True, False)
        """
        number = (100 * failed / checked if checked else 0.0) if self.is_percent else failed
        return bool(OPERATORS[self.operator][1](number, self.bound))

    def __str__(self) -> str:
        unit = " %" if self.is_percent else ""
        bound = " and ".join(f"{b:g}" for b in self.bound) if isinstance(self.bound, list) else f"{self.bound:g}"
        return f"must {OPERATORS[self.operator][0]} {bound}{unit}"


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
    """

    id: str
    text: str
    column: str
    dimension: str
    severity: Severity
    fails: BooleanValue | None = None
    threshold: Threshold = Threshold()
    metric: str = ""
    columns: tuple[str, ...] = ()
    query: str = ""


def rules(contract: Contract, rows: Table, values: Mapping[str, Typed], as_of: date) -> list[Rule]:
    """Every rule of a contract, those that its columns imply first.

    Raises:
        Refused: Declared rules that no engine could run; all at once.
    """
    found = [r for c in contract.columns for r in _implied(c, values[c.name])]
    found += _time(contract, values, as_of)
    found += _keys(contract)
    problems: list[Problem] = []
    for index, (node, column) in enumerate(contract.quality):
        try:
            found += _declared(node, column, index, contract, rows, values)
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused(problems)
    return found


def _implied(column: Column, value: Typed) -> Iterator[Rule]:
    name, v = column.name, value.value

    def rule(what: str, text: str, dimension: str, fails: BooleanValue) -> Rule:
        return Rule(f"{name}.{what}", text, name, dimension, "set aside", fails.fill_null(False))

    if column.type != "string":
        text = f"{name} is no {column.type}" + (" in the declared format" if "format" in column.options else "")
        yield rule("type", text, "conformity", value.is_unreadable)
    if column.is_required:
        yield rule("required", f"{name} is missing", "completeness", v.isnull() & ~value.is_unreadable)
    if column.allowed:
        yield rule("enum", f"{name} is not in its list of values", "conformity", ~v.cast("string").isin(column.allowed))
    yield from (rule(*made) for made in _options(column, v))


def _options(column: Column, v: Any) -> Iterator[tuple[str, str, str, BooleanValue]]:
    name, given = column.name, column.options
    if column.type in ("integer", "number"):
        limits = {"minimum": v.__lt__, "maximum": v.__gt__, "exclusiveMinimum": v.__le__, "exclusiveMaximum": v.__ge__}
        for key, breaks in limits.items():
            if key in given:
                yield key, f"{name} is outside its {key} {given[key]:g}", "accuracy", breaks(given[key])
    if column.type == "string":
        if "minLength" in given:
            yield "minLength", f"{name} is shorter than {given['minLength']}", "conformity", v.length() < given["minLength"]
        if "maxLength" in given:
            yield "maxLength", f"{name} is longer than {given['maxLength']}", "conformity", v.length() > given["maxLength"]
        if "pattern" in given:
            yield "pattern", f"{name} does not match its pattern", "conformity", ~v.re_search(str(given["pattern"]))


def _time(contract: Contract, values: Mapping[str, Typed], as_of: date) -> Iterator[Rule]:
    if contract.event_time:
        late = values[contract.event_time].value.cast("date") > ibis.date(as_of.isoformat())
        text = f"{contract.event_time} lies in the future"
        fails = late.fill_null(False)
        yield Rule(f"{contract.event_time}.future", text, contract.event_time, "accuracy", "set aside", fails)


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
    node: Node, column: str | None, index: int, contract: Contract, rows: Table, values: Mapping[str, Typed]
) -> Iterator[Rule]:
    kind = node.at("type").value or "library"
    if kind == "text":
        return
    severity = _severity(node)
    threshold = _threshold(node)
    given = node.at("id").value or node.at("name").value or f"{column or 'table'}.quality{index + 1}"
    metric = str(node.at("metric").value or node.at("rule").value or "")
    words = node.at("description").value or node.at("name").value or f"{metric or kind} of {column or 'the table'}"
    text = f"{words} ({threshold})" if threshold != Threshold() else str(words)
    dimension = str(node.at("dimension").value or "conformity")
    whole = Rule(str(given), text, column or "", dimension, severity, threshold=threshold)
    if kind == "sql":
        yield _with(whole, metric="sql", query=_query(node, contract))
    elif kind != "library":
        raise Refused([node.problem("C201", f"rules of type '{kind}' are other tools' own.", _FIX, "type")])
    elif metric in ("rowCount", "duplicateValues"):
        named = node.at("arguments", "properties").value or ([column] if column else [])
        if metric == "duplicateValues" and not named:
            what = "duplicateValues needs the columns that must not repeat."
            raise Refused([node.problem("C202", what, "Add arguments: {properties: [a, b]}.", "metric")])
        yield _with(whole, metric=metric, columns=tuple(str(c) for c in cast("list[object]", named)))
    else:
        yield _with(whole, fails=_fails(node, metric, column, rows, values))


def _with(rule: Rule, **changes: Any) -> Rule:
    return Rule(**{**rule.__dict__, **changes})


def _severity(node: Node) -> Severity:
    given = node.at("severity").value or "warn"
    # The words that other tools write, in ours.
    given = {"error": "stop", "warning": "warn", "info": "warn"}.get(str(given), given)
    if given not in get_args(Severity):
        fix = did_you_mean(str(given), get_args(Severity))
        raise Refused([node.problem("C203", f"severity '{given}' is unknown.", fix, "severity")])
    return cast("Severity", given)


def _threshold(node: Node) -> Threshold:
    used = [o for o in OPERATORS if node.at(o).value is not None]
    if len(used) > 1:
        what = f"a rule has one operator; this one has {' and '.join(used)}."
        raise Refused([node.problem("C204", what, "Keep one, or write two rules.", used[1])])
    percent = node.at("unit").value == "percent"
    return Threshold(used[0], node.at(used[0]).value, percent) if used else Threshold(is_percent=percent)


def _query(node: Node, contract: Contract) -> str:
    text = str(node.at("query").value or "")
    for word in ("${object}", "{object}", "${table}", "{table}"):
        text = text.replace(word, contract.name)
    try:
        parsed = select(text)
    except NotAllowed as error:
        what = f"the rule's query cannot be run: {error}."
        raise Refused([node.problem("C205", what, "Write one SELECT that gives one number.", "query")]) from None
    if parsed.tables - {contract.name}:
        what = "the rule's query reads other tables."
        raise Refused([node.problem("C205", what, f"Read {{object}} ({contract.name}) only.", "query")])
    return parsed.text


def _fails(node: Node, metric: str, column: str | None, rows: Table, values: Mapping[str, Typed]) -> BooleanValue:
    if metric not in METRICS:
        raise Refused([node.problem("C206", f"there is no metric '{metric}'.", did_you_mean(metric, METRICS), "metric")])
    if column is None:
        what = f"{metric} speaks of a column."
        raise Refused([node.problem("C207", what, "Move the rule below its column.", "metric")])
    value = values[column]
    if metric == "nullValues":
        return cast("BooleanValue", value.value.isnull() & ~value.is_unreadable)
    arguments: Any = node.at("arguments").value or {}
    if metric == "missingValues":
        codes = [str(c) for c in arguments.get("missingValues", []) if c is not None]
        raw = rows[column].cast("string").strip()
        return cast("BooleanValue", (value.is_missing | raw.isin(codes)) if codes else value.is_missing)
    text = value.value.cast("string")
    if "validValues" in arguments:
        return cast("BooleanValue", (~text.isin([str(v) for v in arguments["validValues"]])).fill_null(False))
    if "pattern" in arguments:
        return cast("BooleanValue", (~text.re_search(str(arguments["pattern"]))).fill_null(False))
    what = "invalidValues needs arguments: validValues or pattern."
    raise Refused([node.problem("C208", what, "Add one of them.", "metric")])
