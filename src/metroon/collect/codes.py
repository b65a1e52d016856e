"""Codes: texts that most likely mean "not recorded", and short closed lists of values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from statistics import median
from typing import TYPE_CHECKING

from metroon.base.profile import MissingCode

if TYPE_CHECKING:
    from metroon.collect.inference import Found

Counts = Mapping[str, int]
"""Recorded text -> how often it stands."""

_SIGNS = ("-", "--", "---", ".", "?", "*", "**", "#N/A", "(null)", "<null>")
_WORDS = (
    "na", "n/a", "n.a.", "null", "nan", "none", "nil", "nat", "unknown", "unk", "desconocido", "missing", "undefined",
    "no data", "not recorded", "not stated", "not available", "not reported", "not provided", "not collected",
    "data not collected",
)  # fmt: skip
# In a list of answers these are answers: no damage, and the surname Na.
_ANSWERS = ("none", "nil", "na", "nan", "nat", "unk", "missing", "undefined")
_NEGATIVE = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0)
_POSITIVE = (998.0, 999.0, 9998.0, 9999.0, 99999.0, 999999.0, 9999999.0, 99999999.0, 999999999.0)
_DAYS = tuple(date(*d) for d in ((1899, 12, 30), (1899, 12, 31), (1900, 1, 1), (1901, 1, 1), (1970, 1, 1)))
FREQUENT_SHARE = 0.001
"""A code stands in at least this share of the recorded values, and 3 times, to be taken for one."""

AGE = re.compile(r"(^|_)(age|edad|[pv]age|ages?_?(at|in)_.*)(_|$)|_age_?(years)?$")
YEAR = re.compile(r"(^|_)(year|yr|anio|yob)(_|$)|year_?$|(^|_)vehyear(_|$)")
PLACE = re.compile(
    r"(^|_)(lat|latitude|latitud|lon|long|lng|longitude|longitud|[xy]|[xy]_?(coord?|chp)|point_[xy])(_|$)"
)

LIST_LENGTH = 25
_LIST_VALUE = 11
"""How often a value must stand to be listed: a rarer one may be one person's, or a slip of the pen."""
_LIST_SHARE = 0.99


def word_codes(counts: Counts) -> dict[str, int]:
    """Texts that mean "not recorded" in a column of numbers or dates, whatever their number."""
    return {t: n for t, n in counts.items() if t in _SIGNS or t.lower() in _WORDS}


def in_text(counts: Counts) -> list[MissingCode]:
    """Codes among words, where only frequent and unmistakable ones count.

    Example:
        >>> [c.text for c in in_text({"Unknown": 40, "None": 30, "Moderate": 20})]
        ['Unknown']
    """
    total = sum(counts.values())
    found = word_codes(counts)
    plain = {t: n for t, n in found.items() if t.lower() not in _ANSWERS or t in ("NA", "#N/A")}
    return [_word(t, n) for t, n in plain.items() if _is_frequent(n, total)]


def as_words(counts: Counts) -> list[MissingCode]:
    """Every word code, for a column whose other values are numbers or dates."""
    return [_word(t, n) for t, n in word_codes(counts).items()]


def in_numbers(counts: Counts, found: Found, name: str) -> list[MissingCode]:
    """Numbers that stand for "not recorded": frequent, and far from all others.

    Args:
        counts: Recorded text -> how often.
        found: What the values turned out to be.
        name: The column's name: 0 is no year, and rarely an age.
    """
    values = {t: v for t, v in found.values.items() if isinstance(v, float)}
    suspects = {v for v in values.values() if v in _NEGATIVE or v in _POSITIVE or v in (0.0, 99.0)}
    made = []
    for suspect in sorted(suspects):
        others = [v for v in values.values() if v not in _NEGATIVE and v not in _POSITIVE and v != suspect]
        rows = sum(counts[t] for t, v in values.items() if v == suspect)
        reason = _implausible(suspect, rows, sum(counts.values()), others, name, values, counts) if others else ""
        made += [MissingCode(t, counts[t], reason) for t, v in values.items() if v == suspect and reason]
    return made


def _implausible(
    suspect: float, rows: int, total: int, others: list[float], name: str, values: Mapping[str, float], counts: Counts
) -> str:
    if suspect == 0:
        return _zero(rows, total, others, name, values, counts)
    if suspect in _NEGATIVE:
        return "no other value is negative" if min(others) >= 0 and max(others) > 0 else ""
    apart = "stands apart from all other values"
    if suspect == 99:
        is_code = max(others) <= 49 and len(set(others)) <= 40 and len(set(others)) > 1
        return apart if is_code and rows >= total / 100 and not AGE.search(name) else ""
    is_age = bool(AGE.search(name)) and max(others) <= 125
    return apart if is_age or (max(others) < suspect / 2 and _is_frequent(rows, total)) else ""


def _zero(rows: int, total: int, others: list[float], name: str, values: Mapping[str, float], counts: Counts) -> str:
    if PLACE.search(name):
        return "0 is no coordinate here" if min(map(abs, others)) > 1 else ""
    if YEAR.search(name):
        return "0 is no year" if min(others) >= 1000 else ""
    if AGE.search(name):
        young = [sum(counts[t] for t, v in values.items() if v == age) for age in (1.0, 2.0, 3.0)]
        return "stands far more often than the ages 1, 2 and 3" if rows >= max(5 * max(young), total / 100) else ""
    return ""


def in_dates(counts: Counts, found: Found) -> list[MissingCode]:
    """Days that programs write when there is none, where they stand far more often than other days."""
    days = {t: v.date() for t, v in found.values.items() if isinstance(v, datetime)}
    usual = median(counts[t] for t in days) if days else 0
    return [
        MissingCode(t, counts[t], "the day that programs write when there is none")
        for t, day in days.items()
        if day in _DAYS and counts[t] >= 10 * usual and _is_frequent(counts[t], sum(counts.values()))
    ]


def closed_list(counts: Counts) -> tuple[str, ...]:
    """The values of a column that takes few; empty when it takes many, or when the rare ones matter.

    Example:
        >>> closed_list({"Priority 1": 500, "Priority 2": 400, "Prioritty 1": 1})
        ('Priority 1', 'Priority 2')
    """
    listed = {t: n for t, n in counts.items() if n >= _LIST_VALUE}
    is_short = 0 < len(listed) <= LIST_LENGTH and all(len(t) <= 60 for t in listed)
    is_whole = sum(listed.values()) >= _LIST_SHARE * sum(counts.values())
    return tuple(sorted(listed)) if is_short and is_whole else ()


def _word(text: str, rows: int) -> MissingCode:
    return MissingCode(text, rows, "means that nothing was recorded")


def _is_frequent(rows: int, total: int) -> bool:
    return rows >= max(3, FREQUENT_SHARE * total)
