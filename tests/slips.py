"""A contract that uses nearly everything, and slips of the pen to make in it."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from tiny import ours, promise

WHOLE = promise(
    {"name": "id", "primaryKey": True, "quality": [{"metric": "nullValues", "mustBe": 0, "severity": "stop"}]},
    {"name": "day", "logicalType": "date", "logicalTypeOptions": {"format": "M/d/yy", "minimum": "2015-01-01"}},
    {"name": "x", "logicalType": "number", "relationships": [{"to": "others.x"}], "enum": [{"value": 1}]},
    {"name": "y", "logicalType": "number", "customProperties": ours(missingCodes=["0"])},
    quality=[{"type": "sql", "query": "select count(*) from {object}", "mustBeBetween": [1, 9], "unit": "rows"}],
    customProperties=ours(
        eventTime="day", point={"longitude": "x", "latitude": "y"}, geographyKey=[{"column": "id", "layer": "w"}]
    ),
).node.value  # fmt: skip
ODD = st.sampled_from([None, "", "text", 0, -1, 1.5, True, [], {}, [None], [[]], {"a": None}, [{}], "2015-02-30"])


def parts(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for k, v in below for p in parts(v, (*path, k)))]


def changed(value: object, path: tuple[Any, ...], new: object) -> object:
    """The contract with the part at a path replaced; ``...`` takes it out."""
    if not path:
        return None if new is ... else new
    made = copy.deepcopy(value)
    above = made
    for key in path[:-1]:
        above = above[key]
    if new is ...:
        del above[path[-1]]
    else:
        above[path[-1]] = new
    return made
