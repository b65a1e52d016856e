"""Checked rows: one aggregate pass over every rule, then each row kept, set aside or refused with its delivery."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from metroon.base.account import Delivery, Verdict
from metroon.base.engine import CannotRun
from metroon.base.errors import Problem, Refused
from metroon.collect import FILE, LINE, REJECT
from metroon.conform.rules import VICTIMS, Rule, rules
from metroon.conform.typing import Typed, typed
from metroon.conform.verdicts import mark, over_table, repeated, told, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ibis.expr.types import BooleanValue

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


def check(
    engine: Engine,
    raw: Raw,
    contract: Contract,
    *,
    inputs: Mapping[str, Relation],
    as_of: date,
    time_zone: str | None = None,
) -> Checked:
    """Hold raw rows to their contract.

    Args:
        engine: The engine.
        raw: Rows as they came.
        contract: The promise.
        inputs: Rows of the products that this one refers to.
        as_of: The day taken for today; later events lie in the future.
        time_zone: The zone whose clocks times are told by; see ``typed``.

    Raises:
        Refused: A declared rule cannot be run, or no delivery may be taken.
    """
    rows, values = _typed(engine, raw.rows, contract, time_zone)
    every = rules(contract, values, as_of)
    if problems := [*_not_runnable(engine, contract, every, rows)]:
        raise Refused(problems)
    marked = _mark(engine, rows, contract, every)
    by_file = _aggregate(engine, marked, every)
    stopped = _stopped([d.file for d in raw.deliveries if not d.refused], by_file, every, engine, marked, contract)
    taken = marked.filter(~marked[FILE].isin(list(stopped))) if stopped else marked
    deliveries = tuple(replace(d, refused=stopped[d.file]) if d.file in stopped else d for d in raw.deliveries)
    problems = [*raw.problems, *(_refusal(f, why) for f, why in stopped.items())]
    if deliveries and all(d.refused for d in deliveries):
        raise Refused(problems)
    reasoned = _without_repeats(engine, engine.table(engine.fetch(_reasons(taken, every))), every)
    kept = reasoned.filter(reasoned[REASON].isnull())
    reasons = {str(r[REASON]): int(r["n"]) for r in engine.rows(_count_by(reasoned, REASON)) if r[REASON] is not None}
    names = [c.name for c in contract.columns]
    missing, newest, n = _summary(engine, kept, contract)
    return Checked(
        contract=contract,
        rows=kept.select(*names, FILE, LINE).order_by([FILE, LINE]),
        set_aside=reasoned.filter(reasoned[REASON].notnull()).select(FILE, LINE, REASON).order_by([FILE, LINE]),
        read=sum(d.read for d in deliveries),
        kept=n,
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        refused=sum(d.read for d in deliveries if d.refused),
        deliveries=deliveries,
        verdicts=verdicts(engine, contract, every, reasoned, kept, inputs),
        missing=missing,
        newest=newest,
        problems=tuple(problems),
    )


def without(engine: Engine, checked: Checked, gone: Callable[[Relation], BooleanValue], reason: str) -> Checked:
    """The same rows without some, which are set aside with a reason.

    Args:
        engine: The engine.
        checked: Rows that keep the promise.
        gone: Which of them go.
        reason: Why.
    """
    held = gone(checked.rows)
    kept = engine.table(engine.fetch(checked.rows.filter(~held)))
    lost = checked.rows.filter(held).select(FILE, LINE).mutate(**{REASON: ibis.literal(reason)})
    missing, newest, n = _summary(engine, kept, checked.contract)
    if n == checked.kept:
        return checked
    aside = engine.table(engine.fetch(checked.set_aside.union(lost).order_by([FILE, LINE])))
    reasons = {**checked.reasons, reason: checked.kept - n}
    return replace(
        checked, rows=kept.order_by([FILE, LINE]), set_aside=aside, kept=n, missing=missing, newest=newest,
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
    )  # fmt: skip


def faults(engine: Engine, contract: Contract, as_of: date) -> list[Problem]:
    """What a contract promises and cannot be checked, without a row of data."""
    names = [c.name for c in contract.columns]
    types = {**dict.fromkeys(names, pa.string()), FILE: pa.string(), LINE: pa.int64(), REJECT: pa.string()}
    empty = engine.table(pa.schema(list(types.items())).empty_table())
    rows, values = _typed(engine, empty, contract, None)
    try:
        return [*_not_runnable(engine, contract, rules(contract, values, as_of), rows)]
    except Refused as refused:
        return list(refused.problems)


def late(contract: Contract, newest: datetime | None, as_of: date) -> str:
    """How late the data are against the promised latency, in words; empty when they are not.

    Example:
        >>> from types import SimpleNamespace
        >>> promise = SimpleNamespace(event_time="called_at", latency_days=35)
        >>> late(promise, datetime(2015, 1, 1, 8, 30), date(2015, 2, 20))
        '15 days late: the newest event is of 2015-01-01, at most 35 days were promised'
        >>> late(promise, datetime(2015, 1, 1, 8, 30), date(2015, 2, 5))
        ''
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


def _typed(
    engine: Engine, raw: Relation, contract: Contract, time_zone: str | None
) -> tuple[Relation, dict[str, Typed]]:
    """Rows with their types, made once: the rules read values, they do not parse the text again."""
    made = {c.name: typed(engine, raw, c, time_zone) for c in contract.columns}
    asked = {name for node, name in contract.quality if node.at("metric").value == "missingValues"}
    columns = {c: raw[c] for c in (FILE, LINE, REJECT)}
    for i, (name, value) in enumerate(made.items()):
        columns |= {name: value.value, f"_missing{i}": value.is_missing}
        columns |= {f"_text{i}": value.text} if name in asked else {}
    rows = engine.table(engine.fetch(raw.select(**columns)))
    values = {
        name: Typed(rows[name], rows[f"_missing{i}"], rows[f"_text{i}" if name in asked else name])
        for i, name in enumerate(made)
    }
    return rows, values


def _not_runnable(engine: Engine, contract: Contract, every: Sequence[Rule], rows: Relation) -> Iterator[Problem]:
    """SQL rules that name what is not there: told before a rule is run."""
    empty = rows.select(*(c.name for c in contract.columns)).limit(0)
    for rule in every:
        if rule.metric != "sql" or rule.node is None:
            continue
        try:
            engine.sql(rule.query, {contract.name: empty})
        except CannotRun as error:
            what = f"the rule's query cannot be run: {error.why}."
            yield rule.node.problem("C205", what, "Write one SELECT that gives one number.", "query")


def _mark(engine: Engine, rows: Relation, contract: Contract, every: Sequence[Rule]) -> Relation:
    whole = rows[REJECT].isnull()
    marks = {mark(i): (r.fails & whole) for i, r in enumerate(every) if r.fails is not None}
    names = [c.name for c in contract.columns]
    return engine.table(engine.fetch(rows.select(*names, FILE, LINE, REJECT, **marks)))


def _aggregate(engine: Engine, marked: Relation, every: Sequence[Rule]) -> dict[str, dict[str, int]]:
    sums = {mark(i): marked[mark(i)].cast("int64").sum() for i, r in enumerate(every) if r.fails is not None}
    rows = engine.rows(marked.group_by(FILE).aggregate(_n=marked[REJECT].isnull().cast("int64").sum(), **sums))
    return {str(r[FILE]): {k: int(v or 0) for k, v in r.items() if k != FILE} for r in rows}


def _stopped(
    files: Sequence[str],
    by_file: Mapping[str, Mapping[str, int]],
    every: Sequence[Rule],
    engine: Engine,
    marked: Relation,
    contract: Contract,
) -> dict[str, str]:
    """File -> the first rule that refuses it. A file without any row is held to its rules too."""
    found: dict[str, str] = {}
    for file in files:
        for i, rule in enumerate(every):
            if rule.severity != "stop" or file in found:
                continue
            counts = by_file.get(file, {})
            failed: float | None = counts.get(mark(i), 0)
            n = counts.get("_n", 0)
            if rule.fails is None:
                whole = marked.filter((marked[FILE] == file) & marked[REJECT].isnull())
                failed, n = over_table(engine, rule, whole, contract)
            if failed is None or not rule.threshold.holds(failed, n):
                found[file] = f"{rule.text}: {told(rule, failed, n)}"
    return found


def _refusal(file: str, why: str) -> Problem:
    if why.startswith(VICTIMS):
        what = f"the delivery was refused at the door and nothing of it is kept: {why}."
        fix = "Delete the file, and ask whoever sent it to leave these rows out; the provider may send totals instead."
        return Problem(file, 0, "G144", what, fix)
    fix = "Ask the department to send a corrected file; the last good version stays until then."
    return Problem(file, 0, "D106", f"the delivery was refused: {why}.", fix)


def _reasons(taken: Relation, every: Sequence[Rule]) -> Relation:
    aside = [(i, r.text) for i, r in enumerate(every) if r.severity == "set aside" and r.fails is not None]
    cases = [(taken[REJECT].notnull(), taken[REJECT]), *((taken[mark(i)], ibis.literal(t)) for i, t in aside)]
    return taken.mutate(**{REASON: ibis.cases(*cases, else_=ibis.null("string"))})


def _without_repeats(engine: Engine, rows: Relation, every: Sequence[Rule]) -> Relation:
    """Rows that repeat a row which stays are set aside; one that repeats a row set aside before may stay itself."""
    for i, rule in enumerate(every):
        if rule.sets_repeats_aside:
            repeats = repeated(rows, rule, rows[REASON].isnull())
            reason = repeats.ifelse(ibis.literal(rule.text), rows[REASON])
            rows = engine.table(engine.fetch(rows.mutate(**{mark(i): repeats, REASON: reason})))
    return rows


def _count_by(rows: Relation, column: str) -> Relation:
    return rows.group_by(column).aggregate(n=rows.count())


def _summary(engine: Engine, kept: Relation, contract: Contract) -> tuple[dict[str, int], datetime | None, int]:
    nulls = {f"_null{i}": kept[c.name].isnull().cast("int64").sum() for i, c in enumerate(contract.columns)}
    newest = {"_newest": kept[contract.event_time].max()} if contract.event_time else {}
    row = engine.rows(kept.aggregate(_n=kept.count(), **nulls, **newest))[0]
    missing = {c.name: int(row[f"_null{i}"] or 0) for i, c in enumerate(contract.columns)}
    last = row.get("_newest")
    if isinstance(last, date) and not isinstance(last, datetime):
        last = datetime(last.year, last.month, last.day)
    return {c: n for c, n in missing.items() if n}, last, int(row["_n"])
