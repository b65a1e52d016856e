"""Rows for machines: estimates and other tables as JSON and CSV, in full precision."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING

from metroon.serve.terminal.cells import released
from metroon.serve.terminal.words import place_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.account import Measured

Value = str | int | float | bool | None
"""What one field may hold; None is null in JSON and an empty field in CSV."""

ESTIMATE_COLUMNS = (
    "geography",
    "place",
    "place_name",
    "dimension",
    "group",
    "period",
    "state",
    "value",
    "low",
    "high",
    "events",
    "base",
    "unknown",
    "worst",
    "best",
    "note",
)
"""The columns of released estimates, in order; a public promise."""


def estimate_rows(measured: Measured) -> list[dict[str, Value]]:
    """Every released cell of a measure.

    Returns:
        One dict for each cell, with the keys of ``ESTIMATE_COLUMNS``. A cell whose state says that
        there is no value has None for every number.

    Grain:
        One row per (period, geography, place, dimension, group).
    """
    return [
        {
            "geography": e.cell.geography,
            "place": e.cell.place,
            "place_name": place_name(e.cell, measured),
            "dimension": e.cell.dimension,
            "group": e.cell.group,
            "period": e.cell.period,
            "state": e.state,
            "value": e.value,
            "low": e.low,
            "high": e.high,
            "events": e.events,
            "base": e.base,
            "unknown": e.unknown,
            "worst": e.worst,
            "best": e.best,
            "note": e.note,
        }
        for e in released(measured)
    ]


def rows_json(rows: Sequence[Mapping[str, Value]]) -> str:
    """Rows as a JSON list, one row a line; a number that is not finite is null.

    Example:
        >>> print(rows_json([{"place": "1", "value": 0.5}, {"place": "2", "value": None}]), end="")
        [
        {"place": "1", "value": 0.5},
        {"place": "2", "value": null}
        ]
    """
    told = (json.dumps({k: _finite(v) for k, v in row.items()}, ensure_ascii=False) for row in rows)
    return "[\n" + ",\n".join(told) + "\n]\n" if rows else "[]\n"


def rows_csv(rows: Sequence[Mapping[str, Value]], *, columns: Sequence[str] = (), for_spreadsheet: bool = False) -> str:
    """Rows as CSV with a header line.

    Args:
        rows: One mapping for each row.
        columns: Their order, and the header when there are no rows; by default that of the first row.
        for_spreadsheet: Put a ``'`` before words that a spreadsheet would run as a formula.

    Returns:
        CSV text (RFC 4180, lines ended by one line feed). Numbers are in full precision; None and what
        is not finite are empty.

    Example:
        >>> print(rows_csv([{"place": "1", "value": 0.1 + 0.2, "low": None}]), end="")
        place,value,low
        1,0.30000000000000004,
    """
    names = list(columns or (rows[0] if rows else ()))
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(names)
    for row in rows:
        fields = (_finite(row.get(name)) for name in names)
        write.writerow([_inert(f) if for_spreadsheet and isinstance(f, str) else f for f in fields])
    return out.getvalue()


def _finite(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _inert(words: str) -> str:
    return f"'{words}" if words.startswith(("=", "+", "-", "@", "\t", "\r")) else words
