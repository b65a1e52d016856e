"""Checked rows: one aggregate pass over every rule, then each row kept, set aside or refused with its delivery."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any, cast

import ibis

from metroon.base.account import Delivery, Verdict
from metroon.base.errors import Problem, Refused
from metroon.collect import FILE, LINE, REJECT
from metroon.conform.rules import Rule, rules
from metroon.conform.typing import Typed, typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.engine import Engine, Relation
    from metroon.city.contract import Contract
    from metroon.collect import Raw

REASON = "_reason"


@dataclass(frozen=True)
class Checked:
    """Rows that keep the promise, and where all others went.

    Grain:
        As the contract's.

    Args:
        rows: Kept rows: the contract's columns, typed, with ``_file`` and ``_line``.
        set_aside: ``_file``, ``_line`` and ``_reason`` of each row set aside. No other column.
        read: Records read.
        kept: Rows kept.
        reasons: Reason -> rows set aside for it.
        refused: Records of deliveries that a ``stop`` rule refused.
        deliveries: Every delivery, refused ones with their reason.
        verdicts: Every rule's verdict over the deliveries that were taken.
        missing: Column -> kept rows where it is not recorded.
        newest: The newest event, for freshness.
        problems: Why deliveries were refused.
    """

    contract: Contract
    rows: Relation
    set_aside: Relation
    read: int
    kept: int
    reasons: Mapping[str, int]
    refused: int
    deliveries: tuple[Delivery, ...]
    verdicts: tuple[Verdict, ...]
    missing: Mapping[str, int]
    newest: datetime | None
    problems: tuple[Problem, ...]


def check(engine: Engine, raw: Raw, contract: Contract, *, inputs: Mapping[str, Relation], as_of: date) -> Checked:
    """Hold raw rows to their contract.

    Args:
        engine: The engine.
        raw: Rows as they came.
        contract: The promise.
        inputs: Rows of the products that this one refers to.
        as_of: The day taken for today; later events lie in the future.

    Raises:
        Refused: A declared rule cannot be run, or no delivery may be taken.
    """
    values = {c.name: typed(engine, raw.rows, c) for c in contract.columns}
    every = rules(contract, raw.rows, values, as_of)
    marked = _mark(engine, raw.rows, contract, values, every)
    by_file = _aggregate(engine, marked, every)
    stopped = _stopped(by_file, every, engine, marked, contract)
    taken = marked.filter(~marked[FILE].isin(list(stopped))) if stopped else marked
    deliveries = tuple(replace(d, refused=stopped[d.file]) if d.file in stopped else d for d in raw.deliveries)
    problems = (*raw.problems, *(_refusal(f, why) for f, why in stopped.items()))
    if deliveries and all(d.refused for d in deliveries):
        raise Refused(problems)
    reasoned = engine.table(engine.fetch(_reasons(taken, every)))
    kept = reasoned.filter(reasoned[REASON].isnull())
    reasons = {str(r[REASON]): int(r["n"]) for r in engine.rows(_count_by(reasoned, REASON)) if r[REASON] is not None}
    names = [c.name for c in contract.columns]
    missing, newest, n = _summary(engine, kept, contract)
    return Checked(
        contract=contract,
        rows=kept.select(*names, FILE, LINE),
        set_aside=reasoned.filter(reasoned[REASON].notnull()).select(FILE, LINE, REASON),
        read=sum(d.read for d in deliveries),
        kept=n,
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        refused=sum(d.read for d in deliveries if d.refused),
        deliveries=deliveries,
        verdicts=_verdicts(engine, contract, every, by_file, reasoned, kept, stopped, inputs),
        missing=missing,
        newest=newest,
        problems=problems,
    )


def late(contract: Contract, newest: datetime | None, as_of: date) -> str:
    """How late the data are against the promised latency, in words; empty when they are not.

    Example:
        The newest event is 50 days old and 35 were promised: ``15 days late: ...``.
    """
    if contract.latency_days is None or contract.event_time is None:
        return ""
    if newest is None:
        return f"no event has a {contract.event_time}"
    age = as_of - newest.date()
    over = age - timedelta(days=contract.latency_days)
    if over <= timedelta(0):
        return ""
    days = max(1, round(over / timedelta(days=1)))
    return (
        f"{days} day{'s' if days > 1 else ''} late: the newest event is of {newest.date()}, "
        f"at most {contract.latency_days:g} days were promised"
    )


def _mark(
    engine: Engine, rows: Relation, contract: Contract, values: Mapping[str, Typed], every: Sequence[Rule]
) -> Relation:
    whole = rows[REJECT].isnull()
    marks = {f"_fails{i}": (r.fails & whole) for i, r in enumerate(every) if r.fails is not None}
    named = {c.name: values[c.name].value for c in contract.columns}
    made = rows.select(**named, **{c: rows[c] for c in (FILE, LINE, REJECT)}, **marks)
    # Once: the passes below read typed rows, they do not parse the text again.
    made = engine.table(engine.fetch(made))
    repeats = {f"_fails{i}": _repeated(made, r) for i, r in enumerate(every) if _sets_repeats_aside(r)}
    return engine.table(engine.fetch(made.mutate(**repeats))) if repeats else made


def _sets_repeats_aside(rule: Rule) -> bool:
    return rule.metric == "duplicateValues" and rule.severity == "set aside"


def _repeated(rows: Relation, rule: Rule) -> Any:
    # The first by delivery and line stays: the order of files, not of chance, decides.
    window = ibis.window(group_by=[rows[c] for c in rule.columns], order_by=[rows[FILE], rows[LINE]])
    complete = reduce(lambda a, b: a & b, [rows[c].notnull() for c in rule.columns])
    return (ibis.row_number().over(window) > 0) & complete & rows[REJECT].isnull()


def _aggregate(engine: Engine, marked: Relation, every: Sequence[Rule]) -> dict[str, dict[str, int]]:
    sums = {c: marked[c].cast("int64").sum() for c in marked.columns if c.startswith("_fails")}
    rows = engine.rows(marked.group_by(FILE).aggregate(_n=marked[REJECT].isnull().cast("int64").sum(), **sums))
    return {str(r[FILE]): {k: int(v or 0) for k, v in r.items() if k != FILE} for r in rows}


def _stopped(
    by_file: Mapping[str, Mapping[str, int]], every: Sequence[Rule], engine: Engine, marked: Relation, contract: Contract
) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(by_file):
        counts = by_file[file]
        for i, rule in enumerate(every):
            if rule.severity != "stop" or file in found:
                continue
            failed = counts.get(f"_fails{i}")
            if failed is None:
                failed, n = _over_table(engine, rule, marked.filter(marked[FILE] == file), contract)
            else:
                n = counts["_n"]
            if failed is None or not rule.threshold.holds(failed, n):
                told = "it could not be run" if failed is None else f"{failed:,} of {n:,} rows fail"
                found[file] = f"{rule.text}: {told}"
    return found


def _refusal(file: str, why: str) -> Problem:
    fix = "Ask the department to send a corrected file; the last good version stays until then."
    return Problem(file, 0, "D106", f"the delivery was refused: {why}.", fix)


def _reasons(taken: Relation, every: Sequence[Rule]) -> Relation:
    aside = [(taken[f"_fails{i}"], r.text) for i, r in enumerate(every) if r.severity == "set aside" and _marks(taken, i)]
    cases = [(taken[REJECT].notnull(), taken[REJECT]), *((fails, ibis.literal(text)) for fails, text in aside)]
    return taken.mutate(**{REASON: ibis.cases(*cases, else_=ibis.null("string"))})


def _marks(rows: Relation, index: int) -> bool:
    return f"_fails{index}" in rows.columns


def _count_by(rows: Relation, column: str) -> Relation:
    return rows.group_by(column).aggregate(n=rows.count())


def _summary(
    engine: Engine, kept: Relation, contract: Contract
) -> tuple[dict[str, int], datetime | None, int]:
    nulls = {f"_null{i}": kept[c.name].isnull().cast("int64").sum() for i, c in enumerate(contract.columns)}
    newest = {"_newest": kept[contract.event_time].max()} if contract.event_time else {}
    row = engine.rows(kept.aggregate(_n=kept.count(), **nulls, **newest))[0]
    missing = {c.name: int(row[f"_null{i}"] or 0) for i, c in enumerate(contract.columns)}
    last = row.get("_newest")
    if isinstance(last, date) and not isinstance(last, datetime):
        last = datetime(last.year, last.month, last.day)
    return {c: n for c, n in missing.items() if n}, last, int(row["_n"])


def _over_table(engine: Engine, rule: Rule, rows: Relation, contract: Contract) -> tuple[float | None, int]:
    n = engine.count(rows)
    if rule.metric == "rowCount":
        return float(n), n
    if rule.metric == "duplicateValues":
        repeated = _repeated(rows, rule)
        return float(engine.count(rows.filter(repeated))), n
    names = [c.name for c in contract.columns]
    answer = engine.fetch(engine.sql(rule.query, {contract.name: rows.select(*names)}))
    cell = answer.column(0)[0].as_py() if answer.num_rows and answer.num_columns else None
    return (float(cell) if isinstance(cell, (int, float)) else None), n


def _verdicts(
    engine: Engine,
    contract: Contract,
    every: Sequence[Rule],
    by_file: Mapping[str, Mapping[str, int]],
    reasoned: Relation,
    kept: Relation,
    stopped: Mapping[str, str],
    inputs: Mapping[str, Relation],
) -> tuple[Verdict, ...]:
    counts = [c for f, c in by_file.items() if f not in stopped]
    checked = sum(c["_n"] for c in counts)
    made = []
    for i, rule in enumerate(every):
        if _marks(reasoned, i):
            failed: float | None = sum(c[f"_fails{i}"] for c in counts)
            where = _where(engine, reasoned, f"_fails{i}") if failed else ()
            made.append(_verdict(rule, checked, failed, where))
        else:
            failed, n = _over_table(engine, rule, kept, contract)
            made.append(_verdict(rule, n, failed, ()))
    return (*made, *_references(engine, contract, kept, inputs))


def _verdict(rule: Rule, checked: int, failed: float | None, where: tuple[str, ...]) -> Verdict:
    is_kept = failed is not None and rule.threshold.holds(failed, checked)
    note = "" if failed is not None else "the rule's query gave no number"
    number = rule.metric in ("rowCount", "sql") and failed is not None
    return Verdict(
        rule.id,
        rule.text,
        rule.column,
        rule.dimension,
        rule.severity,
        checked,
        0 if number else int(failed or 0),
        is_kept,
        where,
        f"found {failed:g}" if number else note,
    )


def _where(engine: Engine, rows: Relation, mark: str) -> tuple[str, ...]:
    first = rows.filter(rows[mark]).order_by([FILE, LINE]).select(FILE, LINE).limit(5)
    return tuple(f"{r[FILE]}:{r[LINE]}" for r in engine.rows(first))


def _references(
    engine: Engine, contract: Contract, kept: Relation, inputs: Mapping[str, Relation]
) -> list[Verdict]:
    made = []
    for column in contract.columns:
        if not column.refers_to:
            continue
        product, _, key = column.refers_to.rpartition(".")
        text = f"{column.name} is not found in {column.refers_to}"
        rule = Rule(f"{column.name}.reference", text, column.name, "consistency", "warn")
        if product not in inputs:
            made.append(replace(_verdict(rule, 0, None, ()), note=f"{product} has no version yet"))
            continue
        known = inputs[product].select(_key=inputs[product][key]).distinct()
        present = kept.filter(kept[column.name].notnull())
        lost = present.anti_join(known, present[column.name] == known["_key"]).select(FILE, LINE)
        failed = engine.count(lost)
        where = tuple(f"{r[FILE]}:{r[LINE]}" for r in engine.rows(lost.order_by([FILE, LINE]).limit(5)))
        made.append(_verdict(rule, engine.count(present), float(failed), cast("tuple[str, ...]", where)))
    return made
