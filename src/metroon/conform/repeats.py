"""Repeats: rows that bring a key again which must be there once, found without sorting all rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pyarrow as pa

from metroon.collect import FILE, LINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from metroon.base.engine import Engine, Relation
    from metroon.conform.parts import Before
    from metroon.conform.rules import Rule

_HASH, _NTH, WHY = "_hash", "_nth", "_why"
_PLACES = pa.schema([(FILE, pa.string()), (LINE, pa.int64())])


class Entangled(Exception):  # noqa: N818  # a decision, not an error
    """New rows change what became of rows that a version has: all deliveries have to be read."""


@dataclass(frozen=True)
class Gone:
    """The rows that go because they repeat others.

    Args:
        places: Rule -> where they stand.
    """

    places: dict[str, pa.Table]

    @property
    def rows(self) -> pa.Table:
        """All of them, with the rule's words."""
        told = [(places, text) for text, places in self.places.items()] or [(_PLACES.empty_table(), "")]
        return pa.concat_tables([t.append_column(WHY, pa.array([why] * t.num_rows, pa.string())) for t, why in told])


def repeats(
    engine: Engine, every: Sequence[Rule], taken: Relation | None, before: Before | None, *, is_last_kept: bool
) -> Gone:
    """Where rows stand that repeat the key of a row which stays; one that repeats a row which went may stay itself.

    Args:
        engine: The engine.
        every: All rules; those count that set repeats aside.
        taken: The new rows that nothing else sets aside; None when there is none.
        before: What a version has already.
        is_last_kept: Whether of rows with one key the last stays, and not the first.

    Raises:
        Entangled: A row that a version has would go for a new one, or come back.
    """
    unique = [r for r in every if r.sets_repeats_aside]
    if before is not None and any(p.reasons.get(r.text) for p in before.parts for r in unique[1:]):
        raise Entangled  # such a row counted where an earlier rule looked, and is not among those that were kept
    found: dict[str, pa.Table] = {}
    for rule in unique if taken is not None else ():
        left = _without(engine, taken, list(found.values()))
        known = _known(engine, rule, left, before, is_last_kept=is_last_kept)
        again = _again(engine, rule.columns, _without(engine, left, [known]), is_last_kept=is_last_kept)
        found[rule.text] = pa.concat_tables([known, again])
    return Gone({text: places for text, places in found.items() if places.num_rows})


def count_repeats(engine: Engine, columns: Sequence[str], rows: Relation) -> int:
    """How many rows repeat the key of another; the first of a key is none."""
    return int(_again(engine, columns, rows, is_last_kept=False).num_rows)


def _known(engine: Engine, rule: Rule, rows: Relation, before: Before | None, *, is_last_kept: bool) -> pa.Table:
    """Where new rows stand whose key a version has."""
    if before is None:
        return _PLACES.empty_table()
    own, old = _hashed(rule.columns, rows), _hashed(rule.columns, before.rows)
    same = [own[c] == old[c] for c in rule.columns]
    met = engine.fetch(own.semi_join(old, [own[_HASH] == old[_HASH], *same]).select(FILE, LINE))
    if met.num_rows:
        last = max(f for part in before.parts for f in part.deliveries)
        if is_last_kept or min(met[FILE].to_pylist()) < last:
            raise Entangled
    return met.cast(_PLACES)


def _again(engine: Engine, columns: Sequence[str], rows: Relation, *, is_last_kept: bool) -> pa.Table:
    twice = _twice(engine, columns, rows)
    if not len(twice):
        return _PLACES.empty_table()
    hashed = _hashed(columns, rows)
    some = hashed.semi_join(engine.table(pa.table({_HASH: pa.array(twice, pa.int64())})), _HASH)
    order = [ibis.desc(some[FILE]), ibis.desc(some[LINE])] if is_last_kept else [some[FILE], some[LINE]]
    window = ibis.window(group_by=[some[c] for c in columns], order_by=order)
    numbered = some.mutate(**{_NTH: ibis.row_number().over(window)})
    return engine.fetch(numbered.filter(numbered[_NTH] > 0).select(FILE, LINE)).cast(_PLACES)


def _twice(engine: Engine, columns: Sequence[str], rows: Relation) -> NDArray[np.int64]:
    """Hashes that stand there more than once."""
    # Equal keys have equal hashes, so different hashes prove different keys. Sorted in place, eight bytes for each row:
    # the engine's own grouping takes ten times the memory.
    found = engine.fetch(_hashed(columns, rows).select(_HASH)).column(0)
    # Not asarray: pyarrow would import pandas first.
    hashes = np.concatenate([np.from_dlpack(c) for c in found.chunks]) if found.num_chunks else np.array([], np.int64)
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


def _hashed(columns: Sequence[str], rows: Relation) -> Relation:
    keys = [rows[c] for c in columns]
    key = keys[0] if len(keys) == 1 else ibis.struct({c: rows[c] for c in columns})
    whole = rows.filter(reduce(and_, (k.notnull() for k in keys)))
    return whole.mutate(**{_HASH: key.hash()})


def _without(engine: Engine, rows: Relation, gone: Sequence[pa.Table]) -> Relation:
    lost = [t for t in gone if t.num_rows]
    return rows.anti_join(engine.table(pa.concat_tables(lost)), [FILE, LINE]) if lost else rows
