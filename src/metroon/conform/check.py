"""Checked rows: one aggregate pass over every rule, then each row kept, set aside or refused with its delivery."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import ibis

from metroon.base.account import Delivery, Verdict
from metroon.base.engine import CannotRun
from metroon.base.errors import Problem, Refused
from metroon.collect import FILE, LINE, RECORD, Piece
from metroon.conform import clocks, points
from metroon.conform.parts import Part, added, first
from metroon.conform.repeats import repeats
from metroon.conform.rules import VICTIMS, Rule, rules
from metroon.conform.staging import REASON, Promise, no_rows, staged
from metroon.conform.verdicts import Broken, mark, over_table, told, verdicts
from metroon.conform.weighing import Weighed, weighed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ibis.expr.types import BooleanValue

    from metroon.base.engine import Engine, Relation
    from metroon.city.contract import Contract
    from metroon.collect import Raw
    from metroon.collect.systems import Extent
    from metroon.conform.parts import Before
    from metroon.conform.points import Misplaced

LARGE = 200_000
"""From so many records on, rows go through files on disk and become parts of a version of their own."""


@dataclass(frozen=True)
class Checked:
    """Rows that keep the promise, and where all others went.

    Grain:
        As the contract's.

    Args:
        rows: Kept rows: the contract's columns, typed, with ``_file`` and ``_line``.
        set_aside: ``_file``, ``_line``, ``_reason`` and ``_record`` of each row set aside: where it stands, why, and
            what stands there.
        read: Records read.
        kept: Rows kept.
        reasons: Reason -> rows set aside for it.
        refused: Records of deliveries that a ``stop`` rule refused.
        deliveries: Every delivery, refused ones with their reason.
        verdicts: Every rule's verdict over the deliveries that were taken.
        missing: Column -> kept rows where it is not recorded.
        newest: The newest event, for freshness.
        problems: Why deliveries were refused.
        notes: What else there is to tell, such as points that are no place.
        parts: The rows in parts, with the files that hold them; empty when they are in memory.
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
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


def check(
    engine: Engine,
    raw: Raw,
    contract: Contract,
    *,
    inputs: Mapping[str, Relation],
    as_of: date,
    time_zone: str | None = None,
    extent: Extent | None = None,
    folder: Path | None = None,
    before: Before | None = None,
    is_last_kept: bool = False,
) -> Checked:
    """Hold raw rows to their contract.

    Args:
        engine: The engine.
        raw: Rows as they came.
        contract: The promise.
        inputs: Rows of the products that this one refers to.
        as_of: The day taken for today; later events lie in the future.
        time_zone: The zone whose clocks times are told by; see ``typed``.
        extent: Where the city is, when that is known.
        folder: Where many rows are written on their way; all stay in memory without one.
        before: What a version before has of the deliveries that were not read again.
        is_last_kept: Whether of rows with one key the last stays, and not the first.

    Returns:
        The rows as they would be if every delivery were read.

    Raises:
        Refused: A declared rule cannot be run, or no delivery may be taken.
        Unproven: Rows that were claimed to be all of a file do not add up.
        Entangled: New rows change what became of rows of the version before.
    """
    promise = Promise(contract, as_of, time_zone)
    taken = tuple(d.file for d in raw.deliveries if not d.refused)
    pieces = raw.pieces or (() if before else (Piece(raw.rows, taken),))
    every = _runnable(engine, promise)
    folder = folder if before is not None or sum(d.read for d in raw.deliveries) >= LARGE else None
    found = [weighed(engine, staged(engine, piece, promise, folder), promise, extent) for piece in pieces]
    stopped, elsewhere = _stopped(engine, found, every, promise, extent)
    deliveries = tuple(replace(d, refused=stopped[d.file]) if d.file in stopped else d for d in raw.deliveries)
    refused = {d.file: d.refused for d in deliveries if d.file in stopped or (d.refused and d.file in _old(before))}
    problems = [*raw.problems, *(_refusal(f, why, elsewhere.get(f)) for f, why in refused.items())]
    if deliveries and all(d.refused for d in deliveries):
        raise Refused(problems)
    rest = _union([w.taken(stopped) for w in found]) if found else None
    gone = repeats(engine, every, rest, before, is_last_kept=is_last_kept)
    made = [w.sorted(engine, stopped, gone, promise, folder) for w in found]
    parts = (*(before.parts if before else ()), *(m.part(raw.unnamed) for m in made))
    kept = _union([*([before.rows] if before else []), *(m.kept for m in made)])
    aside = _union([*([before.set_aside] if before else []), *(m.aside for m in made)])
    reasons = added([p.reasons for p in parts])
    broken = Broken(sum(p.whole for p in parts), added([p.failed for p in parts]), {
        r: first([p.where[r] for p in parts if r in p.where]) for r in {r for p in parts for r in p.where}
    })  # fmt: skip
    return Checked(
        contract=contract,
        rows=kept if folder else kept.order_by([FILE, LINE]),
        set_aside=aside if folder else aside.order_by([FILE, LINE]),
        read=sum(d.read for d in deliveries),
        kept=sum(p.kept for p in parts),
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        refused=sum(d.read for d in deliveries if d.refused),
        deliveries=deliveries,
        verdicts=verdicts(engine, contract, every, broken, kept, inputs),
        missing=added([p.missing for p in parts]),
        newest=max((datetime.fromisoformat(p.newest) for p in parts if p.newest), default=None),
        problems=tuple(problems),
        notes=(
            *points.notes({str(i): p.points for i, p in enumerate(parts)}),
            *clocks.notes([p.points for p in parts], contract),
        ),
        parts=parts if folder else (),
    )


def _old(before: Before | None) -> set[str]:
    return {f for part in before.parts for f in part.deliveries} if before else set()


def _union(relations: Sequence[Relation]) -> Relation:
    return relations[0] if len(relations) == 1 else ibis.union(*relations)


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
    aside = without_records(checked).set_aside
    aside = engine.table(engine.fetch(aside.union(lost.mutate(**{RECORD: ibis.null("string")})).order_by([FILE, LINE])))
    reasons = {**checked.reasons, reason: checked.kept - n}
    return replace(
        checked, rows=kept.order_by([FILE, LINE]), set_aside=aside, kept=n, missing=missing, newest=newest, parts=(),
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
    )  # fmt: skip


def without_records(checked: Checked) -> Checked:
    """The same rows, but of those that are set aside only the place and the reason: nobody knows how old they are.

    Args:
        checked: Rows that keep the promise.
    """
    places = checked.set_aside.select(FILE, LINE, REASON)
    return replace(checked, set_aside=places.mutate(**{RECORD: ibis.null("string")}), parts=())


def faults(engine: Engine, contract: Contract, as_of: date) -> list[Problem]:
    """What a contract promises and cannot be checked, without a row of data."""
    try:
        _runnable(engine, Promise(contract, as_of, None))
    except Refused as refused:
        return list(refused.problems)
    return []


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


def _runnable(engine: Engine, promise: Promise) -> list[Rule]:
    """The rules of a contract.

    Raises:
        Refused: One cannot be run.
    """
    rows, values = no_rows(engine, promise)
    every = rules(promise.contract, values, promise.as_of)
    problems = [*points.system_faults(promise.contract), *_not_runnable(engine, promise.contract, every, rows)]
    if problems:
        raise Refused(problems)
    return every


def _not_runnable(engine: Engine, contract: Contract, every: Sequence[Rule], rows: Relation) -> Iterator[Problem]:
    """SQL rules that name what is not there: told before a rule is run."""
    empty = rows.select(*(c.name for c in contract.columns)).limit(0)
    for rule in every:
        if rule.metric != "sql" or rule.node is None:
            continue
        for query, key in ((rule.query, ("query",)), (rule.total, ("customProperties",))):
            try:
                engine.sql(query or "select 1", {contract.name: empty})
            except CannotRun as error:
                what = f"the rule's query cannot be run: {error.why}."
                yield rule.node.problem("C205", what, "Write one SELECT that gives one number.", *key)


def _stopped(
    engine: Engine, found: Sequence[Weighed], every: Sequence[Rule], promise: Promise, extent: Extent | None
) -> tuple[dict[str, str], dict[str, Misplaced]]:
    """File -> the first rule that refuses it, or what is wrong with its points."""
    stopped: dict[str, str] = {}
    elsewhere: dict[str, Misplaced] = {}
    for piece in found:
        stopped |= _by_rules(engine, piece, every, promise.contract)
        raw = piece.staged.piece.rows
        wrong = points.misplaced(engine, raw, promise.contract, by_file=piece.by_file, extent=extent)
        stopped |= {file: found.why for file, found in wrong.items()}
        elsewhere |= wrong
    return stopped, elsewhere


def _by_rules(engine: Engine, piece: Weighed, every: Sequence[Rule], contract: Contract) -> dict[str, str]:
    """File -> the first rule that refuses it. A file without any row is held to its rules too."""
    found: dict[str, str] = {}
    for file in piece.staged.piece.deliveries:
        for i, rule in enumerate(every):
            if rule.severity != "stop" or file in found:
                continue
            counts = piece.by_file.get(file, {})
            failed: float | None = counts.get(mark(i), 0)
            n: float = counts.get("_n", 0)
            if rule.fails is None:
                failed, n = over_table(engine, rule, piece.whole(file), contract)
            if rule.stops(failed, n):
                found[file] = f"{rule.text}: {told(rule, failed, n)}"
    return found


def _refusal(file: str, why: str, elsewhere: Misplaced | None) -> Problem:
    if elsewhere is not None:
        return points.refusal(file, elsewhere)
    if why.startswith(VICTIMS):
        what = f"the delivery was refused at the door and nothing of it is kept: {why}."
        fix = "Delete the file, and ask whoever sent it to leave these rows out; the provider may send totals instead."
        return Problem(file, 0, "G144", what, fix)
    fix = "Ask the department to send a corrected file; the last good version stays until then."
    return Problem(file, 0, "D106", f"the delivery was refused: {why}.", fix)


def _summary(engine: Engine, kept: Relation, contract: Contract) -> tuple[dict[str, int], datetime | None, int]:
    nulls = {f"_null{i}": kept[c.name].isnull().cast("int64").sum() for i, c in enumerate(contract.columns)}
    newest = {"_newest": kept[contract.event_time].max()} if contract.event_time else {}
    row = engine.rows(kept.aggregate(_n=kept.count(), **nulls, **newest))[0]
    missing = {c.name: int(row[f"_null{i}"] or 0) for i, c in enumerate(contract.columns)}
    last = row.get("_newest")
    if isinstance(last, date) and not isinstance(last, datetime):
        last = datetime(last.year, last.month, last.day)
    return {c: n for c, n in missing.items() if n}, last, int(row["_n"])
