"""Increments: how only what is new or changed is asked for, and where to go on from."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, field_validator

if TYPE_CHECKING:
    from collections.abc import Mapping

Last = int | date | str
"""The newest value of a column that grows."""
_OVERLAP = re.compile(r"(\d+) ?(s|min|h|d)?")
_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}


class Incremental(BaseModel):
    """How only what is new or changed is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str = Field(min_length=1)
    """A column that grows whenever a row is made or changed: a time, a day or a whole number."""
    overlap: str = "0"
    """How far before the last landed value it begins, for rows that were committed late: 1h, 2d, or a number."""

    @field_validator("overlap", mode="before")
    @classmethod
    def _known(cls, given: object) -> str:
        if not _OVERLAP.fullmatch(str(given)):
            raise ValueError(f"'{given}' is no length of time. Fix: Write 30min, 1h or 2d, or a number for numbers.")
        return str(given)

    def begin(self, last: Last) -> Last:
        """The value from which rows are asked for, when ``last`` is the last that was landed."""
        number, unit = _OVERLAP.fullmatch(self.overlap).groups()  # type: ignore[union-attr]  # checked above
        if isinstance(last, int):
            return last - int(number)
        before = timedelta(**{_UNITS[unit or "s"]: int(number)})
        if isinstance(last, date):
            return last - before
        # SQLite holds times as text; it is compared as text, so it keeps its form.
        begun = (datetime.fromisoformat(last) - before).isoformat(sep=last[10:11] or " ")
        return begun[: len(last)] if len(last) <= len("2026-01-01") else begun if before else last


def written(last: Last | None) -> dict[str, str]:
    """A value with its type, as a landing remembers it.

    Example:
        >>> written(date(2026, 1, 31)), remembered(written(7))
        ({'type': 'date', 'last': '2026-01-31'}, 7)
    """
    if last is None:
        return {}
    return {"type": type(last).__name__, "last": last.isoformat() if isinstance(last, date) else str(last)}


def remembered(state: Mapping[str, str]) -> Last | None:
    """The last value that was landed; None when the table was empty."""
    kind, text = state.get("type", ""), state.get("last", "")
    if kind == "int":
        return int(text)
    if kind == "str":
        return text
    return {"date": date, "datetime": datetime}[kind].fromisoformat(text) if kind else None
