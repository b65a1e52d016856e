"""Questions that a table cannot answer, read off its promise and its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metroon.city.contract import Contract


def cannot_answer(contract: Contract, missing: Mapping[str, int], kept: int) -> tuple[str, ...]:
    """What nobody should ask this table, in words.

    A table without a date cannot tell when or whether something changed; without a place not where; a column
    that is empty in every row tells nothing; one that is empty in a quarter or more tells only part.
    """
    found = []
    holds_areas = any(c.type == "object" for c in contract.columns)
    if not holds_areas and not any(c.type in ("date", "timestamp") for c in contract.columns):
        found.append("When, and whether it changed: no column holds a date.")
    if not (holds_areas or contract.point or contract.geography_keys):
        found.append("Where, in which neighborhood or district: no column holds a place.")
    for column in contract.columns:
        share = missing.get(column.name, 0) / kept if kept else 0.0
        if share == 1:
            found.append(f"Anything about {column.title}: it is empty in every row.")
        elif share >= 0.25:
            found.append(f"{column.title} for everybody: it is not recorded in {share:.0%} of the rows.")
    return tuple(found)
