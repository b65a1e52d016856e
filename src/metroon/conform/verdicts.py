"""Verdicts: whether each rule was kept, and where it was not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any

import ibis

from metroon.base.account import Verdict
from metroon.base.engine import CannotRun
from metroon.collect import FILE, LINE, REJECT
from metroon.conform.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.engine import Engine, Relation
    from metroon.city.contract import Contract


def mark(index: int) -> str:
    """The column that is true for rows which break a rule, by the rule's place in the list."""
    return f"_fails{index}"


def repeated(rows: Relation, rule: Rule, counted: Any) -> Any:
    """True for rows that repeat the columns of a rule, among those that are counted."""
    # The first by delivery and line stays: the order of files, not of chance, decides.
    keys = [rows[c] for c in rule.columns]
    whole = reduce(lambda a, b: a & b, [c.notnull() for c in keys], counted)
    window = ibis.cumulative_window(group_by=keys, order_by=[rows[FILE], rows[LINE]])
    return whole & (whole.cast("int64").sum().over(window) > 1)


def told(rule: Rule, failed: float | None, n: int) -> str:
    """What a rule found, in words."""
    if failed is None:
        return "it could not be run"
    if rule.metric == "sql" and not rule.is_count:
        return "found another number" if not rule.threshold.holds(failed, n) else "found as promised"
    return f"found {failed:,.12g}" if rule.metric in ("rowCount", "sql") else f"{failed:,.0f} of {n:,} rows fail"


def over_table(engine: Engine, rule: Rule, rows: Relation, contract: Contract) -> tuple[float | None, int]:
    """The number of a rule over the whole table (None when its query gives none), and how many rows there are."""
    n = engine.count(rows)
    if rule.metric == "rowCount":
        return float(n), n
    if rule.metric == "duplicateValues":
        return float(engine.count(rows.filter(repeated(rows, rule, ibis.literal(True))))), n
    names = [c.name for c in contract.columns]
    try:
        answer = engine.fetch(engine.sql(rule.query, {contract.name: rows.select(*names)}))
    except CannotRun:
        return None, n
    cell = answer.column(0)[0].as_py() if answer.num_rows == 1 and answer.num_columns == 1 else None
    return (float(cell) if isinstance(cell, (int, float, Decimal)) else None), n


def verdicts(
    engine: Engine,
    contract: Contract,
    every: Sequence[Rule],
    reasoned: Relation,
    kept: Relation,
    inputs: Mapping[str, Relation],
) -> tuple[Verdict, ...]:
    """Every rule's verdict over the deliveries that were taken, references last.

    Args:
        engine: The engine.
        contract: The promise.
        every: Its rules.
        reasoned: Rows of the deliveries that were taken, with a mark for each rule over rows.
        kept: Those of them that are kept.
        inputs: Rows of the products that this one refers to.
    """
    made = []
    marked = {i: mark(i) for i, r in enumerate(every) if r.fails is not None or r.sets_repeats_aside}
    sums = {m: reasoned[m].cast("int64").sum() for m in marked.values()}
    counts = engine.rows(reasoned.aggregate(_n=reasoned[REJECT].isnull().cast("int64").sum(), **sums))[0]
    for i, rule in enumerate(every):
        if i in marked:
            failed = int(counts[marked[i]] or 0)
            where = _where(engine, reasoned.filter(reasoned[marked[i]])) if failed else ()
            made.append(_verdict(rule, int(counts["_n"] or 0), failed, where))
        else:
            number, n = over_table(engine, rule, kept, contract)
            made.append(_verdict(rule, n, number, ()))
    return (*made, *_references(engine, contract, kept, inputs))


def _verdict(rule: Rule, checked: int, failed: float | None, where: tuple[str, ...]) -> Verdict:
    is_number = rule.metric in ("rowCount", "sql")
    found = told(rule, failed, checked) if is_number and failed is not None else ""
    return Verdict(
        rule=rule.id,
        text=rule.text,
        column=rule.column,
        dimension=rule.dimension,
        severity=rule.severity,
        checked=checked,
        failed=0 if is_number else int(failed or 0),
        is_kept=failed is not None and rule.threshold.holds(failed, checked),
        where=where,
        note="the rule's query gave no number" if failed is None else found,
    )


def _where(engine: Engine, rows: Relation) -> tuple[str, ...]:
    first = rows.order_by([FILE, LINE]).select(FILE, LINE).limit(5)
    return tuple(f"{r[FILE]}:{r[LINE]}" for r in engine.rows(first))


def _references(engine: Engine, contract: Contract, kept: Relation, inputs: Mapping[str, Relation]) -> list[Verdict]:
    known = {**inputs, contract.name: kept}
    made = []
    for column in contract.columns:
        if not column.refers_to:
            continue
        product, _, key = column.refers_to.rpartition(".")
        text = f"{column.name} is not found in {column.refers_to}"
        rule = Rule(f"{column.name}.reference", text, column.name, "consistency", "warn")
        if product not in known or key not in known[product].columns:
            why = f"{product} has no version yet" if product not in known else f"{product} has no column '{key}'"
            made.append(replace(_verdict(rule, 0, None, ()), note=why))
            continue
        # As text: a number may be told as a text in one of the two.
        there = known[product].select(_key=known[product][key].cast("string")).distinct()
        present = kept.filter(kept[column.name].notnull())
        lost = present.anti_join(there, present[column.name].cast("string") == there["_key"])
        failed = engine.count(lost)
        made.append(_verdict(rule, engine.count(present), failed, _where(engine, lost) if failed else ()))
    return made
