"""Drift: what a new delivery brings otherwise than those before it, kept apart from the verdicts on rules.

Each delivery leaves a profile of counts, never a value, in the evidence of the restricted zone; the next one is
compared with all that are known. Columns and codes are always looked at; volume, gaps and shares where the contract
says how much they may move.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from statistics import median
from typing import TYPE_CHECKING, Any, cast

import ibis

from metroon.base.account import Drift
from metroon.city.properties import custom
from metroon.collect import FILE
from metroon.collect.deliveries import likely
from metroon.conform.rules import not_listed, not_typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metroon.base.account import Delivery
    from metroon.base.engine import Engine
    from metroon.city.contract import Column, Contract
    from metroon.conform.check import Checked

Profile = dict[str, Any]
"""Counts of one delivery: rows, the headers, rows set aside by reason, and where asked rows by bin of a column."""
KEPT = 100
"""Deliveries whose profiles are kept: the newest ones."""
LEAST = 3
"""Deliveries that must be known before anything is called usual."""
_BROKEN, _SOUND = 0.5, 0.1
_COUNTED = ("public", "internal", "quasi", "sensitive")
_BINS = 10


@dataclass(frozen=True)
class Past:
    """What is known of the deliveries that came before.

    Args:
        profiles: Hash of a delivery -> its profile, oldest first.
        seen: Hashes of the deliveries of the last version: nothing of these is new.
    """

    profiles: Mapping[str, Profile]
    seen: frozenset[str]

    @classmethod
    def read(cls, evidence: Mapping[str, Any]) -> Past:
        """What a version's evidence tells; nothing where it has none."""
        return cls(evidence.get("profiles", {}), frozenset(d["sha256"] for d in evidence.get("deliveries", ())))

    @property
    def headers(self) -> set[str]:
        """Every header that a delivery had."""
        return {h for p in self.profiles.values() for h in p.get("headers") or ()}


@dataclass(frozen=True)
class Watched:
    """What was found, and the profiles to compare the next delivery with.

    Args:
        drifts: What moved.
        profiles: Hash of a delivery -> its profile, oldest first.
    """

    drifts: tuple[Drift, ...]
    profiles: Mapping[str, Profile]


def columns(contract: Contract, headers: Mapping[tuple[str, str], Sequence[str]], past: Past) -> tuple[Drift, ...]:
    """Promised columns that new deliveries do not bring, and columns that none before them brought.

    Args:
        contract: The promise.
        headers: (File, hash) of each new delivery -> its headers.
        past: The deliveries before them.
    """
    before = past.headers
    promised = {c.source: c.name for c in contract.columns}
    found: list[Drift] = []
    for (file, sha256), given in headers.items():
        if sha256 in past.seen or not promised.keys() & set(given):
            continue  # what stands there may be a row
        others = [h for h in given if h not in promised]
        now: set[str | None] = set()
        for source in (s for s in promised if s not in given):
            name = likely(source, [h for h in others if h not in before])
            now.add(name)
            what = f"column '{source}' is gone" + (f"; it is likely '{name}' now" if name else "")
            kind = "column renamed" if name else "column gone"
            found.append(Drift(cast("Any", kind), promised[source], file, what, sha256))
        new = [h for h in others if before and h not in before and h not in now]
        found += [Drift("column new", h, file, f"column '{h}' is new", sha256) for h in new]
    return tuple(found)


def watch(
    engine: Engine,
    checked: Checked,
    headers: Mapping[tuple[str, str], Sequence[str]],
    past: Past,
) -> Watched:
    """Compare the new deliveries with those before them.

    Args:
        engine: The engine.
        checked: The rows of all deliveries, held to their contract.
        headers: (File, hash) of each new delivery -> its headers.
        past: The deliveries before them.
    """
    taken = [d for d in checked.deliveries if not d.refused]
    new = [d for d in taken[-KEPT:] if d.sha256 not in past.profiles]
    made = _profiles(engine, checked, new, headers) if new else {}
    found = [*columns(checked.contract, headers, past)]
    before = list(past.profiles.values())
    for delivery in (d for d in new if before and d.sha256 not in past.seen):
        found += _of_delivery(checked.contract, delivery, made[delivery.sha256], before)
    profiles = {**past.profiles, **made}
    return Watched(tuple(found), dict(list(profiles.items())[-KEPT:]))


def _of_delivery(contract: Contract, delivery: Delivery, now: Profile, before: Sequence[Profile]) -> Iterator[Drift]:
    def drift(kind: str, column: str, what: str) -> Drift:
        return Drift(cast("Any", kind), column, delivery.file, what, delivery.sha256)

    for column in contract.columns:
        yield from (drift(k, column.name, what) for k, what in _set_aside(column, now, before))
    may = cast("dict[str, float]", custom(contract.node.at("schema", 0)).get("drift") or {})
    if "rows_percent" in may:
        yield from (drift(k, "", what) for k, what in _volume(now, before, may["rows_percent"]))
    if "missing_percent" in may:
        yield from (drift("gaps", c, what) for c, what in _gaps(now, before, may["missing_percent"]))
    if "shares_percent" in may:
        yield from (drift("shares", c, what) for c, what in _shares(now, before, may["shares_percent"]))


def _set_aside(column: Column, now: Profile, before: Sequence[Profile]) -> Iterator[tuple[str, str]]:
    """A type that changed, and a code list that grew: of both, rows that were set aside and before were not."""
    rows, all_before = now["rows"], sum(p["rows"] for p in before)
    if not rows or not all_before:
        return
    lost, lost_before = (sum(p["aside"].get(not_typed(column), 0) for p in group) for group in ([now], before))
    if lost / rows >= _BROKEN and lost_before / all_before < _SOUND:
        what = f"{column.name} is no {column.type} in {lost:,} of {rows:,} rows"
        yield "type changed", f"{what}; before, in {lost_before:,} of {all_before:,}"
    fresh, fresh_before = (sum(p["aside"].get(not_listed(column), 0) for p in group) for group in ([now], before))
    if fresh and not fresh_before:
        yield (
            "codes grown",
            f"{column.name} has values that are not in its list in {fresh:,} of {rows:,} rows; before, in none",
        )


def _volume(now: Profile, before: Sequence[Profile], tolerance: float) -> Iterator[tuple[str, str]]:
    """More or fewer rows than the median delivery, by more than the tolerance and more than they vary anyway.

    Source:
        Three times the median absolute deviation, scaled to a normal standard deviation: Leys et al. (2013),
        Journal of Experimental Social Psychology 49, 764-766, doi:10.1016/j.jesp.2013.03.013.
    """
    counts = [p["rows"] for p in before]
    if len(counts) < LEAST:
        return
    usual = median(counts)
    spread = 1.4826 * median(abs(n - usual) for n in counts)
    away = abs(now["rows"] - usual)
    if away > tolerance / 100 * usual and away > 3 * spread:
        by = f"{100 * away / usual:,.0f} % " if usual else ""
        word = "more" if now["rows"] > usual else "fewer"
        what = f"{now['rows']:,} rows, {by}{word} than the median of {usual:,.0f} in {len(counts)} deliveries"
        yield f"{word} rows", f"{what}; {tolerance:g} % may be"


def _gaps(now: Profile, before: Sequence[Profile], tolerance: float) -> Iterator[tuple[str, str]]:
    for column, lost in now.get("missing", {}).items():
        shares = [p["missing"].get(column, 0) / p["kept"] for p in before if p.get("kept") and "missing" in p]
        if len(shares) < LEAST or not now["kept"]:
            continue
        share, usual = lost / now["kept"], median(shares)
        if 100 * abs(share - usual) > tolerance:
            what = f"{column} is not recorded in {share:.0%} of the rows; the median of {len(shares)} deliveries is"
            yield column, f"{what} {usual:.0%}; {tolerance:g} points may be"


def _shares(now: Profile, before: Sequence[Profile], tolerance: float) -> Iterator[tuple[str, str]]:
    """Shares of a column's values that moved: the total variation distance, less what chance alone makes of it."""
    for column, bins in now.get("bins", {}).items():
        told = [p["bins"][column] for p in before if column in p.get("bins", {})]
        pooled = {b: sum(p.get(b, 0) for p in told) for b in {b for p in (*told, bins) for b in p}}
        n, m = sum(bins.values()), sum(pooled.values())
        if len(told) < LEAST or not n or not m:
            continue
        distance = sum(abs(bins.get(b, 0) / n - pooled[b] / m) for b in pooled) / 2
        beyond = 100 * (distance - _by_chance(list(pooled.values()), n))
        if beyond > tolerance:
            what = (
                f"the shares of the values of {column} moved: {100 * distance:.0f} % of the rows would have to change"
            )
            yield column, f"{what} to be as before, {beyond:.0f} % beyond chance; {tolerance:g} % may be"


def _by_chance(counts: Sequence[int], n: int) -> float:
    """The total variation distance to expect between a whole and a sample of it.

    Each share varies about normally, and a normal variable is on average sqrt(2 / pi) of its deviation away.

    Example:
        >>> round(_by_chance([500, 500], 100), 3)
        0.042
    """
    whole = sum(counts)
    parts = (c / whole for c in counts)
    return sum(sqrt(2 * p * (1 - p) / pi * (1 / n + 1 / whole)) for p in parts) / 2


def _profiles(
    engine: Engine,
    checked: Checked,
    new: Sequence[Delivery],
    headers: Mapping[tuple[str, str], Sequence[str]],
) -> dict[str, Profile]:
    files = [d.file for d in new]
    lost = checked.set_aside.filter(checked.set_aside[FILE].isin(files))
    counted = engine.rows(lost.group_by(FILE, "_reason").aggregate(n=lost.count()))
    made: dict[str, Profile] = {}
    for d in new:
        aside = {str(r["_reason"]): int(r["n"]) for r in counted if r[FILE] == d.file}
        made[d.sha256] = {"rows": d.read, "headers": list(headers.get((d.file, d.sha256), ())), "aside": aside}
    may = cast("dict[str, float]", custom(checked.contract.node.at("schema", 0)).get("drift") or {})
    if "missing_percent" in may or "shares_percent" in may:
        _count(engine, checked, new, made)
    return made


def _count(engine: Engine, checked: Checked, new: Sequence[Delivery], made: Mapping[str, Profile]) -> None:
    rows = checked.rows.filter(checked.rows[FILE].isin([d.file for d in new]))
    names = [c.name for c in checked.contract.columns]
    nulls = {f"_null{i}": rows[c].isnull().cast("int64").sum() for i, c in enumerate(names)}
    by_file = {str(r[FILE]): r for r in engine.rows(rows.group_by(FILE).aggregate(_n=rows.count(), **nulls))}
    for d in new:
        told = by_file.get(d.file, {})
        made[d.sha256]["kept"] = int(told.get("_n") or 0)
        made[d.sha256]["missing"] = {c: int(told.get(f"_null{i}") or 0) for i, c in enumerate(names)}
        made[d.sha256]["bins"] = {}
    for column in (c for c in checked.contract.columns if c.classification in _COUNTED):
        bin_of = _bin(column, rows[column.name])
        if bin_of is None:
            continue
        binned = rows.filter(rows[column.name].notnull()).select(FILE, _bin=bin_of)
        for r in engine.rows(binned.group_by(FILE, "_bin").aggregate(n=binned.count())):
            sha256 = next(d.sha256 for d in new if d.file == r[FILE])
            made[sha256]["bins"].setdefault(column.name, {})[str(r["_bin"])] = int(r["n"])


def _bin(column: Column, value: Any) -> Any:
    """Where a value falls: into its code, or into a bin that was laid without looking at any row; None for others."""
    if column.allowed or column.type == "boolean":
        return value.cast("string")
    if column.type not in ("integer", "number"):
        return None
    low, high = column.options.get("minimum"), column.options.get("maximum")
    if low is not None and high is not None and high > low:
        return ((value - low) * _BINS / (high - low)).floor().clip(0, _BINS - 1).cast("int64").cast("string")
    # Powers of two to both sides of zero.
    size = ibis.ifelse(value == 0, 0.0, value.cast("float64").abs().log2().floor().clip(-30, 60) + 31)
    return (ibis.ifelse(value < 0, -1, 1) * size).cast("int64").cast("string")
