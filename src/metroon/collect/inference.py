"""Inference: the type that the values of a text column have, and how its dates are written.

A type is given only when 99 % of the recorded values fit it; the rest are counted. What cannot be read as the
contract's typing would read it (``conform/typing.py``) does not fit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from metroon.base.signs import COUNTED, EPOCH, SIGNS, SPREADSHEET_DAYS, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from metroon.base.profile import Inferred

ENOUGH = 0.99
"""Share of the recorded values that must fit a type."""
_TRIED = 200
"""Values on which every way of writing dates is tried first."""

_INTEGER = re.compile(r"-?\d{1,15}")
_WHOLE = re.compile(r"-?\d{1,15}\.0+")
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_CODED = re.compile(r"-?0\d+|-?\d{16,}")  # nobody writes a figure with leading zeros, or to the quadrillion
_CUT_OFF = re.compile(r"\d(?:\.\d+)?[eE]\+\d{2}")  # how spreadsheet programs show numbers of many digits
_MONEY = re.compile(r"-?\$? ?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\$ ?\d+(?:\.\d+)?|-?\d+(?:\.\d+)? ?%")
_ISO = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})"
    r"(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?( ?(?:Z|[-+]\d{2}(?::?\d{2})?))?)?"
)
_YES, _NO = frozenset(("true", "t", "yes", "y")), frozenset(("false", "f", "no", "n"))
_MONTHS = {m[:3]: i for i, m in enumerate(
    ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
     "december"), start=1,
)}  # fmt: skip
_LIST = 40
"""Values of a list of codes at the most; one that holds a letter is no column of numbers with mistakes."""
_COMMA, _THOUSANDS = "decimal comma", "thousands"
_OTHERS = [sign for sign in SIGNS if sign != _COMMA]
_DOTTED = re.compile(r"-?\d{1,3}(\.\d{3}){2,}")  # no number but with points between thousands
_SOME = 5
"""Different texts that only a comma before decimals explains, from which on it is believed."""
_COUNTED = (10_000, 55_000)
"""Days that a spreadsheet program counts for 1927 to 2050; a column that holds nothing else, and is called a date."""
_HUGE = 2.0**53  # beyond it a number is no longer exact, and conform refuses it as an integer
_YEARS = range(1800, 2101)

_DAYS = (
    "M/d/yyyy", "d/M/yyyy", "M/d/yy", "d/M/yy", "M-d-yyyy", "d-M-yyyy", "M-d-yy", "d-M-yy", "d.M.yyyy", "d.M.yy",
    "d-MMM-yy", "d-MMM-yyyy", "d MMM yyyy", "d MMMM yyyy", "MMM d, yyyy", "MMMM d, yyyy", "MMM d yyyy", "yyyy-MM-dd",
)  # fmt: skip
_TIMES = ("", " H:mm", " H:mm:ss", " HHmm", " h:mm a", " h:mm:ss a", " h:mma", " h:mm:ssa")
_COMPACT = ("yyyyMMdd", "yyyyMMddHHmm", "yyyyMMddHHmmss")
FORMATS = tuple(d + t for d in _DAYS for t in _TIMES if (d, t) != ("yyyy-MM-dd", "")) + _COMPACT
"""Ways of writing dates that are tried, in JDK notation. Where month and day cannot be told apart, the first wins."""


@dataclass(frozen=True)
class Found:
    """What the values of a column turned out to be.

    Args:
        type: The logical type.
        format: How dates are written, in JDK notation; None for ISO 8601.
        values: Text -> number or time, for those that fit a number or a date.
        misfits: How many recorded values do not fit.
        notes: What a steward should know.
        written: What stands in its numbers beside digits.
    """

    type: Inferred
    format: str | None
    values: Mapping[str, float | datetime]
    misfits: int = 0
    notes: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


def infer(counts: Mapping[str, int], *, is_date: bool = False, is_code: bool = False) -> Found:
    """The type of a column.

    Args:
        counts: Recorded text -> how often; no empty ones.
        is_date: Whether its name speaks of a date, so that 20150131 is one.
        is_code: Whether its name speaks of an identifier or code, so that digits stay text.

    Example:
        >>> infer({"1/31/15 1:05 PM": 1, "12/1/14 12:00 AM": 1}).format
        'M/d/yy h:mm a'
        >>> infer({"007": 1, "12": 1}).type
        'string'
    """
    total = sum(counts.values())
    if not total:
        return Found("string", None, {})
    low = {text.lower() for text in counts}
    if low <= _YES | _NO and low & _YES and low & _NO:
        return Found("boolean", None, {})
    found = _counted(counts, total) if is_date and not is_code else None
    if found is None:
        found = _numbers(counts, total) if not (is_date and _compact(counts, total)) else None
    if found is None:
        found = _dates(counts, total, is_date=is_date)
    if found is None and not is_code:
        found = _signed(counts, total) or _comma(counts, total)
    if found is None:
        return Found("string", None, {}, 0, tuple(_why_text(counts, total, is_code=is_code)))
    if is_date and found.type == "integer" and _rows(counts, _ticks(counts)) >= ENOUGH * total:
        told = "These may be seconds or milliseconds since 1970: they stay numbers till they are sent as dates."
        found = replace(found, notes=(*found.notes, told))
    if is_code and found.type in ("integer", "number"):
        return Found("string", None, {}, 0, (*found.notes, *_cut_off(counts)))
    return found


def _numbers(counts: Mapping[str, int], total: int) -> Found | None:
    whole = {t for t in counts if _INTEGER.fullmatch(t)}
    if any(_CODED.fullmatch(t) for t in counts):
        return None
    dotted = {t for t in counts if _WHOLE.fullmatch(t)}
    numbers = {t for t in counts if _NUMBER.fullmatch(t) and abs(float(t)) < _HUGE}
    is_list = len(numbers) < len(counts) <= _LIST
    if is_list or _rows(counts, numbers) < ENOUGH * total:
        return None
    kind: Inferred = "integer" if numbers == whole | dotted else "number"
    only_dotted = kind == "integer" and not whole
    notes = ("Whole numbers written with a decimal point, as programs do that hold empty cells as numbers.",)
    misfits = total - _rows(counts, numbers)
    return Found(kind, None, {t: float(t) for t in numbers}, misfits, notes if only_dotted else ())


def _signed(counts: Mapping[str, int], total: int) -> Found | None:
    """Numbers with signs of money, percent or thousands, when nearly all are numbers with them and not without."""
    tried = list(counts)[:: max(1, len(counts) // _TRIED)]
    if sum(bool(_NUMBER.fullmatch(plain(t, _OTHERS))) for t in tried) < 0.9 * len(tried):
        return None
    return _written(counts, total, _used(counts, _OTHERS))


def _comma(counts: Mapping[str, int], total: int) -> Found | None:
    """Numbers whose decimals begin with a comma, when most have one, and some can be read in no other way."""
    plain_as = {t: plain(t, _OTHERS) for t in counts}
    proof = [t for t, read in plain_as.items() if _DOTTED.fullmatch(read) or ("," in t and not _NUMBER.fullmatch(read))]
    grouped = {t for t in counts if "," in t or _DOTTED.fullmatch(t)}
    if len(proof) < _SOME or _rows(counts, grouped) < 0.5 * total:
        return None
    signs = [sign for sign in SIGNS if sign != _THOUSANDS]
    return _written(counts, total, [*(s for s in _used(counts, signs) if s != _COMMA), _COMMA])


def _used(counts: Mapping[str, int], signs: Sequence[str]) -> list[str]:
    """Those of some signs without which some texts would be read otherwise."""
    others = {sign: [s for s in signs if s != sign] for sign in signs}
    return [sign for sign in signs if any(plain(t, signs) != plain(t, others[sign]) for t in counts)]


def _written(counts: Mapping[str, int], total: int, used: Sequence[str]) -> Found | None:
    read = {t: plain(t, used) for t in counts}
    again: dict[str, int] = {}
    for text, bare in read.items():
        again[bare] = again.get(bare, 0) + counts[text]
    found = _numbers(again, total) if used else None
    if found is None:
        return None
    found = replace(found, notes=()) if _COMMA in used else found  # of points that stand in no text
    values = {t: found.values[bare] for t, bare in read.items() if bare in found.values}
    told = f"Numbers written with {', '.join(used)}: declared as written, so that they are read as numbers."
    return Found(found.type, None, values, total - _rows(counts, values), (told, *found.notes), tuple(used))


def _ticks(counts: Mapping[str, int]) -> list[str]:
    """The texts that may be moments of 2001 to 2033 as seconds since 1970, or as thousandths of them."""
    return [t for t in counts if t.isdecimal() and len(t) in (10, 13) and t[0] == "1"]


def _counted(counts: Mapping[str, int], total: int) -> Found | None:
    """Days and times that a spreadsheet program counts, alone or among others that are written as dates."""
    low, high = _COUNTED
    days = {t: float(t) for t in counts if _NUMBER.fullmatch(t) and low <= float(t) <= high}
    if len(days) < 2 or _rows(counts, days) < (1 - ENOUGH) * total:
        return None
    # Once declared, every number in this wider range is read as a day, however unlikely.
    low, high = COUNTED
    days = {t: float(t) for t in counts if _NUMBER.fullmatch(t) and low <= float(t) <= high}
    rest = {t: n for t, n in counts.items() if t not in days}
    others = _dates(rest, sum(rest.values()), is_date=True) if rest else None
    epoch = datetime(EPOCH.year, EPOCH.month, EPOCH.day)
    values: dict[str, datetime] = {t: epoch + timedelta(seconds=round(n * 86400)) for t, n in days.items()}
    # Where the others are written in no one way, ISO 8601 among them is read all the same.
    written = others.values if others is not None else {t: _iso(t) for t in rest}
    values |= {t: v for t, v in written.items() if isinstance(v, datetime)}
    if _rows(counts, values) < ENOUGH * total:
        return None
    told = "Days as spreadsheet programs count them: declared as written, so that they are read as dates."
    notes = (told, *(others.notes if others else ()))
    found = _dated(counts, total, others.format if others else None, values, [*notes])
    return replace(found, written=(SPREADSHEET_DAYS,))


def _dates(counts: Mapping[str, int], total: int, *, is_date: bool) -> Found | None:
    iso = {t: time for t in counts if (time := _iso(t)) is not None}
    if _rows(counts, iso) >= ENOUGH * total:
        return _dated(counts, total, None, iso, _iso_notes(iso))
    if not is_date and not any(re.search(r"\d.*[-/. ,].*\d", t) for t in list(counts)[:_TRIED]):
        return None
    best, fits = _best_format(counts, total)
    if best is None or (best in _COMPACT and not is_date):
        return None
    return _dated(counts, total, _padded(best, fits), fits, _format_notes(best, fits))


def _dated(
    counts: Mapping[str, int], total: int, form: str | None, fits: Mapping[str, datetime], notes: list[str]
) -> Found:
    at_midnight = all(t.hour == t.minute == t.second == 0 for t in fits.values())
    return Found("date" if at_midnight else "timestamp", form, fits, total - _rows(counts, fits), tuple(notes))


def _best_format(counts: Mapping[str, int], total: int) -> tuple[str | None, dict[str, datetime]]:
    step = max(1, len(counts) // _TRIED)
    tried = list(counts)[::step]
    likely = [f for f in FORMATS if sum(parse(t, f) is not None for t in tried) >= 0.9 * len(tried)]
    best, most, found = None, 0, dict[str, datetime]()
    for form in likely:
        fits = {t: time for t in counts if (time := parse(t, form)) is not None}
        if _rows(counts, fits) > most:
            best, most, found = form, _rows(counts, fits), fits
    return (best, found) if most >= ENOUGH * total else (None, {})


def _compact(counts: Mapping[str, int], total: int) -> bool:
    best, _ = _best_format({t: n for t, n in counts.items() if t.isdigit()}, total)
    return best in _COMPACT


def parse(text: str, form: str) -> datetime | None:
    """The time that a text says in a format, in JDK notation; None when it does not fit.

    Example:
        >>> parse("3-Jan-15", "d-MMM-yy"), parse("31/1/2015", "M/d/yyyy")
        (datetime.datetime(2015, 1, 3, 0, 0), None)
    """
    found = _pattern(form).fullmatch(text)
    if not found:
        return None
    part = found.groupdict()
    month = part["M"]
    hour = int(part.get("h") or part.get("H") or 0)
    if "h" in part:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if part["a"].lower() == "pm" else 0)
    year = int(part["y"])
    # As strptime and DuckDB read two digits.
    year += (2000 if year < 69 else 1900) if len(part["y"]) == 2 else 0
    number = int(month) if month.isdigit() else _month(month, form)
    return _time(year, number, int(part["d"]), hour, int(part.get("m") or 0), int(part.get("s") or 0))


def _month(name: str, form: str) -> int:
    number = _MONTHS.get(name[:3].lower(), 0)
    is_long = "MMMM" in form
    return number if is_long or len(name) == 3 else 0


def _time(*parts: int) -> datetime | None:
    try:
        # The end of a day is the begin of the next one.
        is_end = parts[3:] == (24, 0, 0)
        year, month, day, hour, minute, second = (*parts[:3], 0, 0, 0) if is_end else parts
        time = datetime(year, month, day, hour, minute, second) + timedelta(days=is_end)
        return time if year in _YEARS else None
    except ValueError:
        return None


@cache
def _pattern(form: str) -> re.Pattern[str]:
    sign = {
        "yyyy": r"(?P<y>\d{4})", "yy": r"(?P<y>\d{2})", "MMMM": "(?P<M>[A-Za-z]{3,9})", "MMM": "(?P<M>[A-Za-z]{3})",
        "MM": r"(?P<M>\d{2})", "M": r"(?P<M>\d{1,2})", "dd": r"(?P<d>\d{2})", "d": r"(?P<d>\d{1,2})",
        "HH": r"(?P<H>\d{2})", "H": r"(?P<H>\d{1,2})", "hh": r"(?P<h>\d{2})", "h": r"(?P<h>\d{1,2})",
        "mm": r"(?P<m>\d{2})", "ss": r"(?P<s>\d{2})", "a": r"(?P<a>[AaPp][Mm])",
    }  # fmt: skip
    parts = re.findall(r"y+|M+|d+|H+|h+|m+|s+|a|[^A-Za-z]", form)
    return re.compile("".join(sign.get(p) or re.escape(p) for p in parts))


def _padded(form: str, fits: Iterable[str]) -> str:
    """The format with two letters where every value has two digits, so that stricter tools read it too."""
    texts = list(fits)
    for letter in "MdHh":
        double = re.sub(rf"(?<!{letter}){letter}(?!{letter})", letter * 2, form)
        if double != form and all(_pattern(double).fullmatch(t) for t in texts):
            form = double
    return form


def _iso(text: str) -> datetime | None:
    found = _ISO.fullmatch(text)
    if not found:
        return None
    year, _, month, day, hour, minute, second, *_ = found.groups(default="0")
    return _time(int(year), int(month), int(day), int(hour), int(minute), int(second))


def _iso_notes(fits: Iterable[str]) -> list[str]:
    offset = any((m := _ISO.fullmatch(t)) and m[9] for t in fits)
    told = "The times say how far they are from UTC: time_zone in city.yaml decides on which day they fall."
    return [told] if offset else []


def _format_notes(form: str, fits: Mapping[str, datetime]) -> list[str]:
    notes = []
    swapped = re.sub("[Md]", lambda m: {"M": "d", "d": "M"}[m[0]], form) if re.search(r"M.d|d.M", form) else form
    if swapped != form and "MMM" not in form and all(parse(t, swapped) for t in fits):
        first = "month" if form.index("M") < form.index("d") else "day"
        notes.append(f"Nothing in the file tells month from day; {first} first is taken.")
    if re.search(r"(?<!y)yy(?!y)", form):
        notes.append("Years have two digits: 69 to 99 are read as 1969 to 1999, 00 to 68 as 2000 to 2068.")
    return notes


def _why_text(counts: Mapping[str, int], total: int, *, is_code: bool) -> Iterable[str]:
    """Why a column that looks like numbers or dates stays text."""
    yield from _cut_off(counts) if is_code else ()
    if _rows(counts, {t for t in counts if _MONEY.fullmatch(t) or _NUMBER.fullmatch(t)}) >= ENOUGH * total:
        if any(_MONEY.fullmatch(t) for t in counts):
            yield "Numbers written with $, % or thousands separators stay text until they are sent plain."
        return
    if not is_code and any("," in t for t in counts) and _written(counts, total, [_COMMA]):
        yield "If the comma begins decimals here, declare a number with written: [decimal comma]; till then it is text."
    numbers = _rows(counts, {t for t in counts if _NUMBER.fullmatch(t)})
    if len(counts) > _LIST and not is_code and 0.8 * total <= numbers < ENOUGH * total:
        yield f"{numbers / total:.1%} of the values are numbers; with the rest it stays text."
    dated = _rows(counts, {t for t in counts if _iso(t)})
    forms = [f for f in FORMATS if any(parse(t, f) for t in list(counts)[:_TRIED])] if dated < total else []
    best = max((_rows(counts, {t for t in counts if parse(t, f)}) for f in forms), default=0)
    if 0.5 * total <= max(dated, best) < ENOUGH * total:
        yield f"{max(dated, best) / total:.1%} of the values are dates written in one way; with the rest it stays text."


def _cut_off(counts: Mapping[str, int]) -> list[str]:
    """What to say of identifiers that are no longer what they were."""
    n = sum(bool(_CUT_OFF.fullmatch(t)) for t in counts)
    said = "1 of them is" if n == 1 else f"{n:,} of them are"
    return [f"{said} written with E+: a spreadsheet program has cut off the digits. Ask for texts."] if n else []


def _rows(counts: Mapping[str, int], texts: Iterable[str]) -> int:
    return sum(counts[t] for t in texts)
