"""Verdicts: whether each rule was kept, and where it was not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from metroon.base.account import Verdict
from metroon.base.engine import CannotRun
from metroon.collect import FILE, LINE
from metroon.conform.repeats import count_repeats
from metroon.conform.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.engine import Engine, Relation
    from metroon.city.contract import Contract
    from metroon.conform.parts import Place


def mark(index: int) -> str:
    """The column that is true for rows which break a rule, by the rule's place in the list."""
    return f"_fails{index}"


def told(rule: Rule, failed: float | None, n: float) -> str:
    """What a rule found, in words."""
    if failed is None:
        return rule.cannot or "the rule's query gave no number"
    if not rule.threshold.has_data(n):
        return "no data: a percentage of nothing is no number"
    if rule.metric == "sql" and not rule.is_count:
        return "found as promised" if rule.threshold.holds(failed, n) else "found another number"
    if rule.metric == "sql" and rule.threshold.is_percent:
        return f"found {failed:,.12g} of {n:,.12g}"
    return f"found {failed:,.12g}" if rule.metric in ("rowCount", "sql") else f"{failed:,.0f} of {n:,} rows fail"


def over_table(engine: Engine, rule: Rule, rows: Relation, contract: Contract) -> tuple[float | None, float]:
    """The number of a rule over the whole table (None when it gives none), and of how many: rows, or its own total."""
    n = engine.count(rows)
    if rule.metric == "rowCount":
        return float(n), n
    if rule.metric == "duplicateValues":
        return float(count_repeats(engine, rule.columns, rows)), n
    if rule.metric != "sql":
        return None, n
    number, total = (_number(engine, query, rows, contract) for query in (rule.query, rule.total))
    if not rule.total:
        return number, n
    return (number, total) if total is not None else (None, n)


def _number(engine: Engine, query: str, rows: Relation, contract: Contract) -> float | None:
    """The one number of a query; None where it gives none."""
    if not query:
        return None
    names = [c.name for c in contract.columns]
    try:
        answer = engine.fetch(engine.sql(query, {contract.name: rows.select(*names)}))
    except CannotRun:
        return None
    cell = answer.column(0)[0].as_py() if answer.num_rows == 1 and answer.num_columns == 1 else None
    return float(cell) if isinstance(cell, (int, float, Decimal)) else None


@dataclass(frozen=True)
class Broken:
    """How often each rule over rows is broken.

    Args:
        whole: Whole records of deliveries that were taken.
        failed: Rule -> those that break it.
        where: Rule -> the first places of them.
    """

    whole: int
    failed: Mapping[str, int]
    where: Mapping[str, tuple[Place, ...]]


def verdicts(
    engine: Engine,
    contract: Contract,
    every: Sequence[Rule],
    broken: Broken,
    kept: Relation,
    inputs: Mapping[str, Relation],
) -> tuple[Verdict, ...]:
    """Every rule's verdict over the deliveries that were taken, references last.

    Args:
        engine: The engine.
        contract: The promise.
        every: Its rules.
        broken: How often those over rows are broken.
        kept: The rows that are kept.
        inputs: Rows of the products that this one refers to.
    """
    made = []
    for rule in every:
        if rule.fails is not None or rule.sets_repeats_aside:
            where = tuple(f"{file}:{line}" for file, line in broken.where.get(rule.id, ()))
            made.append(_verdict(rule, broken.whole, broken.failed.get(rule.id, 0), where))
        else:
            number, n = over_table(engine, rule, kept, contract)
            made.append(_verdict(rule, n, number, ()))
    return (*made, *_references(engine, contract, kept, inputs))


def _verdict(rule: Rule, checked: float, failed: float | None, where: tuple[str, ...]) -> Verdict:
    is_number = rule.metric in ("rowCount", "sql")
    has_data = failed is None or rule.threshold.has_data(checked)
    return Verdict(
        rule=rule.id,
        text=rule.text,
        column=rule.column,
        dimension=rule.dimension,
        severity=rule.severity,
        checked=int(checked),
        failed=0 if is_number else int(failed or 0),
        is_kept=failed is not None and rule.threshold.holds(failed, checked),
        where=where,
        note=told(rule, failed, checked) if is_number or failed is None or not has_data else "",
        undecided="cannot be run" if failed is None else "" if has_data else "no data",
    )


def _where(engine: Engine, rows: Relation) -> tuple[str, ...]:
    first = rows.order_by([FILE, LINE]).select(FILE, LINE).limit(5)
    return tuple(f"{r[FILE]}:{r[LINE]}" for r in engine.rows(first))


def _references(engine: Engine, contract: Contract, kept: Relation, inputs: Mapping[str, Relation]) -> list[Verdict]:
    known = {**inputs, contract.name: kept}
    made: list[Verdict] = []
    for reference in contract.references:
        names, product, keys = ", ".join(reference.columns), reference.product, reference.keys
        own = f"{'.'.join(reference.columns)}.reference"
        nth = sum(v.rule.startswith(own) for v in made)
        text = f"{names} {'is' if len(keys) == 1 else 'are'} not found in {reference}"
        column = reference.columns[0] if len(keys) == 1 else ""
        rule = Rule(f"{own}{nth + 1}" if nth else own, text, column, "consistency", "warn")
        lacking = [k for k in keys if product in known and k not in known[product].columns]
        if product not in known or lacking:
            why = f"{product} has no version yet" if product not in known else f"{product} has no column '{lacking[0]}'"
            made.append(replace(_verdict(rule, 0, None, ()), note=why))
            continue
        # As text: a number may be told as a text in one of the two. A part that is not recorded refers to nothing.
        there = known[product].select(**{f"_key{i}": known[product][k].cast("string") for i, k in enumerate(keys)})
        there = there.distinct()
        present = kept.filter([kept[c].notnull() for c in reference.columns])
        same = [present[c].cast("string") == there[f"_key{i}"] for i, c in enumerate(reference.columns)]
        lost = present.anti_join(there, same)
        failed = engine.count(lost)
        made.append(_verdict(rule, engine.count(present), failed, _where(engine, lost) if failed else ()))
    return made
