"""What is told of every published version: its rows, how well it is filled, its days, and what is new in it.

Only published rows are read, and a version never changes: what was once found of it is kept for the next catalog.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from metroon.base.catalog import Edition
from metroon.base.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from metroon.base.engine import Engine, Relation
    from metroon.city import Contract
    from metroon.lake import Open, Version
    from metroon.walk import Walk

    Cell = tuple[str, ...]

T = TypeVar("T")
BARS = 12
"""Bars of the small histogram in a table of columns (Sturges, for the sizes that cities have)."""
MOST_EDITIONS = 200
"""Older versions stay readable by their number; they are not listed."""
TOLD_EDITIONS = 12
"""Of older versions it is not told what was new in them."""


@dataclass(frozen=True)
class Facts:
    """What is told of one version.

    Args:
        rows: How many it has.
        types: Column -> its type, in the words of the engine.
        filled: Column -> share of rows in which it is recorded, 0 to 1.
        bars: Column -> heights of a small histogram, 0 to 1.
        span: First and last day.
    """

    rows: int
    types: Mapping[str, str]
    filled: Mapping[str, float] = field(default_factory=dict)
    bars: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    span: tuple[date, date] | None = None


class Known:
    """What was found of versions, kept from one catalog to the next.

    Args:
        has_news: Whether it is asked how many rows each version has and what is new in it; a plan does not ask.
    """

    def __init__(self, *, has_news: bool = True) -> None:
        self._has_news = has_news
        self._facts: dict[tuple[str, str], Facts | None] = {}
        self._changes: dict[tuple[str, str], tuple[str, ...]] = {}

    def of(self, walk: Walk, version: Version[Open], contract: Contract) -> Facts | None:
        """All that is told of a version of a table; None when its files are gone."""
        key = (version.source, f"{contract.event_time} {[c.allowed for c in contract.columns]}")
        if key not in self._facts:
            self._facts[key] = _read(walk, version, lambda rows: _table(walk.engine, rows, contract))
            self._facts[version.source, ""] = self._facts[key]
        return self._facts[key]

    def brief(self, walk: Walk, version: Version[Open]) -> Facts | None:
        """Rows and columns of a version; None when its files are gone, or nobody asks what is new in it."""
        if not self._has_news:
            return None
        key = (version.source, "")
        if key not in self._facts:
            self._facts[key] = _read(walk, version, lambda rows: Facts(walk.engine.count(rows), _types(rows)))
        return self._facts[key]

    def changes(self, walk: Walk, before: Version[Open], now: Version[Open]) -> tuple[str, ...]:
        """What is different between two versions, in words; nothing where nobody asks for it."""
        if not self._has_news:
            return ()
        key = (before.source, now.source)
        if key not in self._changes:
            one, other = self.brief(walk, before), self.brief(walk, now)
            if now.name in walk.indicators:
                numbers = [_read(walk, v, lambda rows: _numbers(walk.engine, rows)) for v in (before, now)]
                told = tuple(_renumbered(*(n or {} for n in numbers))) if None not in numbers else ()
            else:
                told = tuple(_changes(one, other)) if one and other else ()
            self._changes[key] = told
        return self._changes[key]


def _read(walk: Walk, version: Version[Open], of: Callable[[Relation], T]) -> T | None:
    try:
        return of(walk.lake.read(version))
    except (OSError, Refused):
        return None


def editions(walk: Walk, name: str, known: Known) -> tuple[Edition, ...]:
    """The published versions of a product or measure, newest first, the later ones with what is new in them."""
    told = sorted(walk.lake.history(name, "open").items(), reverse=True)[:MOST_EDITIONS]
    made: list[Edition] = []
    for i, (number, evidence) in enumerate(told):
        version = walk.lake.open(name, number) if i <= TOLD_EDITIONS else None
        before = walk.lake.open(name, told[i + 1][0]) if i < min(TOLD_EDITIONS, len(told) - 1) else None
        facts = known.brief(walk, version) if version else None
        changes = known.changes(walk, before, version) if before and version else ()
        day, at = date.fromisoformat(evidence["as_of"]), datetime.fromisoformat(evidence["made_at"])
        sha256 = str(evidence.get("release_sha256") or evidence["key"])
        columns = tuple(evidence.get("columns", ()))
        made.append(Edition(number, day, at, facts.rows if facts else None, changes, sha256, columns))
    return tuple(made)


def _changes(before: Facts, now: Facts) -> Iterator[str]:
    yield from (f"column {c} added" for c in now.types if c not in before.types)
    yield from (f"column {c} removed" for c in before.types if c not in now.types)
    both = [c for c in now.types if c in before.types and now.types[c] != before.types[c]]
    yield from (f"column {c} is now {now.types[c]}, it was {before.types[c]}" for c in both)
    if now.rows != before.rows:
        more = now.rows - before.rows
        yield f"{abs(more):,} row{'s' * (abs(more) != 1)} {'more' if more > 0 else 'fewer'}"


def _renumbered(before: Mapping[Cell, float], now: Mapping[Cell, float]) -> Iterator[str]:
    """What is different between two releases. Of cells that show no value nothing is said."""
    other = sum(1 for cell, value in now.items() if before.get(cell, value) != value)
    new = len({c[0] for c in now} - {c[0] for c in before})
    if other:
        yield f"{other:,} estimate{'s' * (other != 1)} changed"
    if new:
        yield f"{new:,} period{'s' * (new != 1)} added"


def _types(rows: Relation) -> dict[str, str]:
    return {name: _WORDS.get(_family(kind), str(kind)) for name, kind in rows.schema().items()}


_WORDS = {"integer": "a whole number", "number": "a number", "string": "a text", "date": "a date",
          "timestamp": "a time", "boolean": "yes or no", "binary": "a shape"}  # fmt: skip


def _family(kind: Any) -> str:
    for name, is_it in (
        ("integer", kind.is_integer()),
        ("number", kind.is_floating() or kind.is_decimal()),
        ("string", kind.is_string()),
        ("date", kind.is_date()),
        ("timestamp", kind.is_timestamp()),
        ("boolean", kind.is_boolean()),
        ("binary", kind.is_binary()),
    ):
        if is_it:
            return name
    return str(kind)


def _table(engine: Engine, rows: Relation, contract: Contract) -> Facts:
    """Two passes over the rows for all columns together: what is recorded and how far it goes, then the bars."""
    kinds = {n: _family(k) for n, k in rows.schema().items()}
    ordered = [n for n, k in kinds.items() if k in ("integer", "number", "date", "timestamp")]
    asked = {"_rows": rows.count()}
    asked |= {f"{n}|n": rows[n].count() for n in kinds}
    asked |= {f"{n}|low": _number(rows, n, kinds[n]).min() for n in ordered}
    asked |= {f"{n}|high": _number(rows, n, kinds[n]).max() for n in ordered}
    found = engine.rows(rows.aggregate(**asked))[0]
    count = int(found["_rows"])
    types = _types(rows)
    if not count:
        return Facts(0, types)
    bars = _bars(engine, rows, kinds, found, contract)
    span = None
    time = contract.event_time
    if time in ordered and kinds[time] in ("date", "timestamp") and found[f"{time}|low"] is not None:
        span = (_day(found[f"{time}|low"]), _day(found[f"{time}|high"]))
    return Facts(count, types, {n: found[f"{n}|n"] / count for n in kinds}, bars, span)


def _number(rows: Relation, name: str, kind: str) -> Any:
    if kind == "date":
        return rows[name].cast("timestamp").epoch_seconds()
    return rows[name].epoch_seconds() if kind == "timestamp" else rows[name].cast("float64")


def _day(seconds: float) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(seconds // 86_400))


def _bars(
    engine: Engine, rows: Relation, kinds: Mapping[str, str], found: Mapping[str, Any], contract: Contract
) -> dict[str, tuple[float, ...]]:
    """One pass over the rows, bit by bit: a table may be larger than the memory."""
    edges: dict[str, NDArray[np.float64]] = {}
    lists: dict[str, tuple[object, ...]] = {}
    for name, kind in kinds.items():
        column = contract.column(name)
        if found.get(f"{name}|low") is not None and found[f"{name}|high"] > found[f"{name}|low"]:
            edges[name] = np.linspace(float(found[f"{name}|low"]), float(found[f"{name}|high"]), BARS + 1)
        elif column is not None and kind == "string" and 1 < len(column.allowed) <= 2 * BARS:
            lists[name] = column.allowed
        elif kind == "boolean":
            lists[name] = (False, True)
    counts = {n: np.zeros(BARS) for n in edges} | {n: np.zeros(len(v)) for n, v in lists.items()}
    if not counts:
        return {}
    asked = rows.select(**{n: _number(rows, n, kinds[n]) if n in edges else rows[n] for n in counts})
    for batch in engine.batches(asked, rows=_BATCH):
        for name, edge in edges.items():
            values = batch.column(name).drop_null().to_numpy(zero_copy_only=False).astype("float64")
            counts[name] += np.histogram(values, edge)[0]
        for name, allowed in lists.items():
            told = {str(v["values"]): v["counts"] for v in batch.column(name).value_counts().to_pylist()}
            counts[name] += np.array([told.get(str(v), 0) for v in allowed])
    return {n: tuple(round(float(h / c.max()), 3) for h in c) for n, c in counts.items() if c.max() > 0}


_BATCH = 100_000
_CELL = ("period", "geography", "place", "dimension", "group")


def _numbers(engine: Engine, rows: Relation) -> dict[Cell, float]:
    found = engine.fetch(rows.select(*_CELL, "value")).to_pylist()
    return {tuple(str(r[c]) for c in _CELL): float(r["value"]) for r in found if r["value"] is not None}
