"""Releases: a measure's estimates after the guard has withheld what would give people away."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pyarrow as pa

from metroon.base.estimate import Cell, Estimate, without_value
from metroon.guard.rows import Guarded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.engine import Engine
    from metroon.base.places import Places

_TEXT = ("period", "geography", "place", "place_name", "dimension", "group", "state", "note")
_NUMBERS = ("value", "low", "high", "base", "worst", "best")
_WHOLE = ("events", "unknown")
COLUMNS = ("period", "geography", "place", "place_name", "dimension", "group", "state", *_NUMBERS, *_WHOLE, "note")


def release(
    engine: Engine,
    measure: str,
    estimates: Sequence[Estimate],
    hidden: frozenset[Cell],
    geographies: Mapping[str, Places],
    *,
    minimum_cell: int,
) -> Guarded:
    """What may leave of a measure.

    A hidden cell loses its value, its interval, its counts and its bounds alike. Cells withheld to protect others
    look the same as those that are small themselves: which is which would tell something.
    """
    note = f"withheld so that no group of fewer than {minimum_cell} people can be told"
    kept = tuple(without_value(e.cell, "hidden", note) if e.cell in hidden else e for e in estimates)
    return Guarded(measure, engine.table(as_rows(kept, geographies)), kept)


def as_rows(estimates: Sequence[Estimate], geographies: Mapping[str, Places]) -> pa.Table:
    """Estimates as a table, one row each, in the order of their cells."""
    rows = []
    for e in sorted(estimates, key=lambda e: e.cell):
        row = {**asdict(e.cell), **{k: v for k, v in asdict(e).items() if k != "cell"}}
        places = geographies.get(e.cell.geography)
        row["place_name"] = places.names.get(e.cell.place, e.cell.place) if places else e.cell.place
        rows.append(row)
    types = {
        **dict.fromkeys(_TEXT, pa.string()),
        **dict.fromkeys(_NUMBERS, pa.float64()),
        **dict.fromkeys(_WHOLE, pa.int64()),
    }
    return pa.Table.from_pylist(rows, schema=pa.schema([(c, types[c]) for c in COLUMNS]))
