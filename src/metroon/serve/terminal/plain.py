"""Plain: a score as plain values for machines, every number that may be told and none that may not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from metroon.base.account import Measured
from metroon.base.places import Places
from metroon.serve.terminal.bare import bared
from metroon.serve.terminal.sentences import verdict

if TYPE_CHECKING:
    from metroon.base.scorecard import Score

Plain = dict[str, Any]
"""Strings, numbers, truths, None, and lists and dicts of them: what JSON can hold."""


def score_dict(score: Score) -> Plain:
    """A score with the words of the code as its keys.

    Returns:
        One dict that JSON can hold: a number that is not finite is None, a day is text such as ``2026-07-15``.
        ``measured`` tells what the measure is, without its cells; ``verdict`` is the sentence of the page.
    """
    bare = bared(score)
    told = {name: _plain(getattr(bare, name)) for name in (f.name for f in fields(bare))}
    told["measured"] = _measured(bare.measured)
    told["guard_metric"] = dict(zip(("title", "variation"), bare.guard_metric, strict=True))
    told["chain"] = dict(bare.chain)
    told["breaks"] = [{"on": on.isoformat(), "reason": reason} for on, reason in bare.breaks]
    return {**told, "verdict": verdict(bare)}


def plain_dict(value: object) -> Plain:
    """Any dataclass of ours as plain values that JSON can hold."""
    told: Plain = _plain(value)
    return told


def _measured(measured: Measured) -> Plain:
    left_out = {"estimates", "problems"}
    return {f.name: _plain(getattr(measured, f.name)) for f in fields(measured) if f.name not in left_out}


def _plain(value: Any) -> Any:
    if isinstance(value, Places):
        names = ("id", "title", "vintage", "official", "people_source", "note")
        return {name: getattr(value, name) for name in names}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return value
    return None if isinstance(value, float) and not math.isfinite(value) else value
