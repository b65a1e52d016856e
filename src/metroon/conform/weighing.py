"""Weighing: what the rows of one piece add up to, for each rule and delivery, and which of them stay in the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from metroon.collect import FILE, LINE, RECORD, REJECT
from metroon.conform import clocks, points
from metroon.conform.parts import SHOWN, Part, Place, added, first
from metroon.conform.repeats import WHY
from metroon.conform.rules import rules
from metroon.conform.staging import REASON, kept_values, record, stored
from metroon.conform.verdicts import mark

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from ibis.expr.types import Value

    from metroon.base.engine import Engine, Relation
    from metroon.collect.systems import Extent
    from metroon.conform.repeats import Gone
    from metroon.conform.rules import Rule
    from metroon.conform.staging import Promise, Staged

_N, _KEPT, _NEWEST = "_n", "_kept", "_newest"
_ASIDE = (FILE, LINE, REASON, RECORD)


@dataclass(frozen=True)
class Sorted:
    """One piece, with every row where it goes.

    Args:
        weighed: What it was before.
        kept: The rows that stay: the columns, ``_file``, ``_line``.
        aside: The others: ``_file``, ``_line``, ``_reason``, ``_record``.
        told: What they add up to.
    """

    weighed: Weighed
    kept: Relation
    aside: Relation
    told: Part

    def part(self, unnamed: Mapping[str, tuple[str, ...]]) -> Part:
        """The part of a version that it becomes.

        Args:
            unnamed: Delivery -> the headers that the contract does not name.
        """
        files = self.told.deliveries
        return replace(self.told, unnamed={f: names for f, names in unnamed.items() if f in files})


@dataclass(frozen=True)
class Weighed:
    """One piece, and what it adds up to.

    Args:
        staged: Its rows.
        rules: The rules over those that are kept.
        by_file: Delivery -> whole records, those that break each rule, and points that are no place.
        kept_by_file: Delivery -> what its kept rows add up to.
    """

    staged: Staged
    rules: list[Rule]
    by_file: Mapping[str, Mapping[str, int]]
    kept_by_file: Mapping[str, Mapping[str, Any]]

    def taken(self, stopped: Collection[str]) -> Relation:
        """The kept rows of deliveries that are not refused."""
        return _of(self.staged.kept, self.staged.piece.deliveries, stopped)

    def whole(self, file: str) -> Relation:
        """Every whole record of a delivery."""
        columns, aside = self.staged.kept.columns, self.staged.aside
        own = self.staged.kept.filter(self.staged.kept[FILE] == file)
        if aside is None:
            return own
        names = [c for c in columns if c in aside.columns]
        return own.select(*names).union(aside.filter((aside[FILE] == file) & aside[REJECT].isnull()).select(*names))

    def sorted(
        self, engine: Engine, stopped: Collection[str], gone: Gone, promise: Promise, folder: Path | None
    ) -> Sorted:
        """The rows where they go in the end.

        Args:
            engine: The engine.
            stopped: Deliveries that are refused.
            gone: Rows that repeat others.
            promise: What the rows are held to.
            folder: Where to write them; None to have them in memory.
        """
        files = self.staged.piece.deliveries
        lost = gone.rows.filter(_in(gone.rows, files))
        names = [*promise.names, FILE, LINE]
        kept, kept_files = self.taken(stopped).select(*names), self.staged.files
        sums = [self.kept_by_file[f] for f in files if f in self.kept_by_file and f not in stopped]
        if lost.num_rows or promise.texts or (folder is not None and any(f in stopped for f in files)):
            left = kept.anti_join(engine.table(lost.select([FILE, LINE])), [FILE, LINE]) if lost.num_rows else kept
            kept, _, file = stored(engine, left, folder)
            kept_files = (file,) if file else ()
            sums = list(_sums(engine, kept, _summary(kept, promise), files).values())
        aside, where_aside, reasons = self._aside(engine, stopped, lost, promise, folder)
        taken = [self.by_file[f] for f in files if f in self.by_file and f not in stopped]
        totals = added(taken)
        failed = {r.id: totals.get(mark(i), 0) for i, r in enumerate(self.rules) if r.fails is not None}
        failed |= {r.id: gone_of.num_rows for r in self.rules if (gone_of := _places(gone, r, files)) is not None}
        told = Part(
            key="",
            deliveries=files,
            files=tuple(map(str, kept_files)),
            aside=(str(where_aside),) if where_aside else (),
            kept=sum(int(s[_KEPT]) for s in sums),
            whole=totals.get(_N, 0),
            failed={rule: n for rule, n in failed.items() if n},
            where=self._where(engine, stopped, gone, failed),
            reasons=reasons,
            missing={n: m for i, n in enumerate(promise.names) if (m := sum(int(s[f"_null{i}"] or 0) for s in sums))},
            newest=max((_iso(s[_NEWEST]) for s in sums if s.get(_NEWEST) is not None), default=""),
            repeats=lost.num_rows,
            points={name: n for name, n in totals.items() if n and name != _N and not name.startswith("_fails")},
        )
        return Sorted(self, kept, aside, told)

    def _aside(
        self, engine: Engine, stopped: Collection[str], lost: Any, promise: Promise, folder: Path | None
    ) -> tuple[Relation, Path | None, dict[str, int]]:
        parts = []
        if self.staged.aside is not None:
            parts.append(_of(self.staged.aside, self.staged.piece.deliveries, stopped).select(*_ASIDE))
        if lost.num_rows:
            rows = self.staged.typed()
            told = rows.mutate(**{RECORD: record(engine, rows, promise)}).select(FILE, LINE, RECORD)
            again = told.inner_join(engine.table(lost), [FILE, LINE])
            parts.append(again.select(FILE, LINE, **{REASON: again[WHY], RECORD: again[RECORD]}))
        if not parts:
            kinds = {FILE: pa.string(), LINE: pa.int64(), REASON: pa.string(), RECORD: pa.string()}
            return engine.table(pa.schema(list(kinds.items())).empty_table()), None, {}
        aside, _, file = stored(engine, parts[0] if len(parts) == 1 else ibis.union(*parts), folder)
        counted = engine.rows(aside.group_by(REASON).aggregate(n=aside.count()))
        return aside, file, {str(r[REASON]): int(r["n"]) for r in counted}

    def _where(
        self, engine: Engine, stopped: Collection[str], gone: Gone, failed: Mapping[str, int]
    ) -> dict[str, tuple[Place, ...]]:
        files, found = self.staged.piece.deliveries, {}
        for i, rule in enumerate(self.rules):
            if not failed.get(rule.id):
                continue
            places: list[Sequence[Place]] = []
            if rule.fails is not None:
                if rule.severity != "set aside":
                    places.append(_first(engine, _of(self.staged.kept.filter(rule.fails), files, stopped)))
                if (aside := self.staged.aside) is not None:
                    places.append(_first(engine, _of(aside.filter(aside[mark(i)]), files, stopped)))
            elif (own := _places(gone, rule, files)) is not None:
                places.append(_first(engine, engine.table(own)))
            found[rule.id] = first(places)
        return found


def weighed(engine: Engine, staged: Staged, promise: Promise, extent: Extent | None) -> Weighed:
    """What the rows of a piece add up to.

    Args:
        engine: The engine.
        staged: Its rows.
        promise: What they are held to.
        extent: Where the city is, when that is known.
    """
    contract, rows, files = promise.contract, staged.kept, staged.piece.deliveries
    every = rules(contract, kept_values(rows, promise), promise.as_of)
    fails = {mark(i): r.fails for i, r in enumerate(every) if r.fails is not None}
    # Rows that are kept break no rule for which rows are set aside.
    tried = {mark(i): r.fails for i, r in enumerate(every) if r.fails is not None and r.severity != "set aside"}
    marks: dict[str, Value] = {m: f.cast("int64").sum() for m, f in tried.items()}
    marks |= points.counts(rows, contract, extent)
    spans = clocks.spans(engine, rows, contract)
    marks |= clocks.counts(rows, contract, time_zone=promise.time_zone, as_of=promise.as_of, spans=spans)
    sums = {**marks, **_summary(rows, promise)}
    kept = _sums(engine, rows, sums, files)
    counts = [{f: {_N: int(s[_KEPT]), **clocks.apart({m: int(s[m] or 0) for m in marks})} for f, s in kept.items()}]
    if (aside := staged.aside) is not None:
        others = {m: aside[m].cast("int64").sum() for m in fails} | points.counts(aside, contract, extent)
        others[_N] = aside[REJECT].isnull().cast("int64").sum()
        told = _sums(engine, aside, others, files)
        counts.append({f: {m: int(n or 0) for m, n in s.items()} for f, s in told.items()})
    by_file = {f: added([c[f] for c in counts if f in c]) for f in files if any(f in c for c in counts)}
    return Weighed(staged, every, by_file, kept)


def _summary(rows: Relation, promise: Promise) -> dict[str, Value]:
    found: dict[str, Value] = {f"_null{i}": rows.count() - rows[n].count() for i, n in enumerate(promise.names)}
    if promise.contract.event_time:
        found[_NEWEST] = rows[promise.contract.event_time].max()
    return {_KEPT: rows.count(), **found}


def _sums(engine: Engine, rows: Relation, sums: Mapping[str, Value], files: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Delivery -> what its rows add up to."""
    if len(files) == 1:  # no need to look at the name in each row
        found = engine.rows(rows.aggregate(**sums))[0]
        return {files[0]: {name: value or (0 if name != _NEWEST else None) for name, value in found.items()}}
    told = engine.rows(rows.group_by(FILE).aggregate(**sums))
    return {str(r[FILE]): {name: value for name, value in r.items() if name != FILE} for r in told}


def _of(rows: Relation, files: Sequence[str], stopped: Collection[str]) -> Relation:
    lost = [f for f in files if f in stopped]
    return rows.filter(~rows[FILE].isin(lost)) if lost else rows


def _in(rows: Any, files: Sequence[str]) -> Any:
    return pc.is_in(rows[FILE], value_set=pa.array(list(files), pa.string()))


def _places(gone: Gone, rule: Rule, files: Sequence[str]) -> Any:
    found = gone.places.get(rule.text) if rule.sets_repeats_aside else None
    return found.filter(_in(found, files)) if found is not None else None


def _first(engine: Engine, rows: Relation) -> tuple[Place, ...]:
    told = engine.rows(rows.order_by([FILE, LINE]).select(FILE, LINE).limit(SHOWN))
    return tuple((str(r[FILE]), int(r[LINE])) for r in told)


def _iso(day: date) -> str:
    return (day if isinstance(day, datetime) else datetime(day.year, day.month, day.day)).isoformat()
