"""Requests that residents make (311), and the street defects that inspectors see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from metroon.demo.days import DAYS, MINUTES, day, is_between, iso_days, iso_minutes, labels, minutes
from metroon.demo.flaws import RECORDS, RENAMED_MONTH, RENAMED_ROWS, flawed_rows
from metroon.demo.people import (
    DISTRICTS,
    GROUPS,
    KEYS,
    NEIGHBORHOODS,
    POVERTY,
    RESIDENTS,
    choose,
    live_in,
    shares,
)
from metroon.demo.position import displaced, position
from metroon.demo.responses import month_days
from metroon.demo.sheet import (
    Change,
    Flags,
    Number,
    Sheet,
    Text,
    Whole,
    deliveries,
    padded,
    spoiled,
    with_twins,
)
from metroon.demo.terrain import squares
from metroon.demo.truths import (
    REPORTED,
    REPORTED_LESS,
    SILENT_DISTRICTS,
    WITHIN_PROMISE,
)

DEFECT = "Street defect"
_CATEGORIES = np.array([
    DEFECT, "Illegal dumping", "Graffiti", "Abandoned vehicle", "Street light out", "Tree", "Noise",
    "Missed collection",
])  # fmt: skip
_CATEGORY_CHANCES = [0.24, 0.19, 0.14, 0.13, 0.08, 0.08, 0.07, 0.07]
_CHANNELS = np.array(["Phone", "App", "Web"])
_PROMISE_DAYS = 10
_DETAILS = np.array([
    "Invented note: on the corner, by the bus stop",
    "Invented note: has been there for weeks",
    'Invented note: the sign says "no dumping", nobody reads it',
    "Invented note: near the school gate",
    "Invented note: see the photo, please",
])  # fmt: skip
_SEEN = np.array(["Pothole", "Broken sidewalk", "Faded crosswalk", "Blocked drain"])
_WRONG_CLOCK = (date(2026, 1, 5), date(2026, 3, 27))
_WALKED = (date(2025, 1, 6), date(2025, 11, 30))


@dataclass(frozen=True)
class _Requests:
    """Requests in the order of their time; one entry each in every array."""

    at: Whole
    home: Whole
    category: Whole
    language: Whole
    days_open: Number
    cells: Whole


def request_sheets(rng: np.random.Generator) -> tuple[dict[str, Sheet], dict[str, Sheet]]:
    """The monthly files of requests and the two files of the street survey: label -> sheet.

    Grain:
        Requests: one row per request. Survey: one row per street defect that inspectors saw.
    """
    requests = _requests(rng)
    seen = _seen(rng)
    linked = _linked(rng, requests, seen)
    return _request_files(rng, requests, linked), _survey_files(rng, requests, seen, linked)


def _requests(rng: np.random.Generator) -> _Requests:
    n = RECORDS["requests_311"]
    at = np.sort(minutes(rng, month_days(rng, n, RENAMED_MONTH, RENAMED_ROWS)))
    category = rng.choice(len(_CATEGORIES), n, p=_CATEGORY_CHANCES)
    home = live_in(rng, RESIDENTS.astype(float), n)
    is_defect = category == 0
    home[is_defect] = live_in(rng, _defects() * _reported(), int(is_defect.sum()))
    language = choose(rng, shares("language"), home - 1)
    return _Requests(at, home, category, language, _days_open(rng, language), squares(rng, home))


def _defects() -> Number:
    """Defects that the streets of each neighborhood have, up to a constant: more where people are poor."""
    return np.asarray(RESIDENTS * (0.5 + 2.2 * POVERTY), dtype=float)


def _reported() -> Number:
    return np.where(np.isin(DISTRICTS, [str(d) for d in SILENT_DISTRICTS]), REPORTED_LESS, REPORTED)


def _days_open(rng: np.random.Generator, language: Whole) -> Number:
    """Days until a request is closed; infinite when it never is. Nothing lies near the promise itself."""
    n = len(language)
    chance = np.array([WITHIN_PROMISE[name] for name in GROUPS["language"]])
    is_within: Flags = rng.random(n) < chance[language]
    late = np.where(rng.random(n) < 0.3, np.inf, _PROMISE_DAYS + 1 + rng.exponential(25, n))
    return np.where(is_within, 0.05 + 9.4 * rng.beta(1.2, 2.2, n), late)


def _seen(rng: np.random.Generator) -> Whole:
    """The neighborhood number of each defect that inspectors saw, in the order of their walk."""
    return np.sort(live_in(rng, _defects(), RECORDS["street_survey"]))


def _linked(rng: np.random.Generator, requests: _Requests, seen: Whole) -> Whole:
    """For each defect seen, the row of the request that told of it; -1 when nobody did."""
    linked = np.full(len(seen), -1)
    is_told = rng.random(len(seen)) < _reported()[seen - 1]
    may = (requests.category == 0) & is_between(requests.at // MINUTES, *_WALKED)
    for neighborhood in range(1, len(NEIGHBORHOODS) + 1):
        told = np.flatnonzero(is_told & (seen == neighborhood))
        requested = np.flatnonzero(may & (requests.home == neighborhood))
        # Where chance gave fewer requests than defects told of, the last of them stay untold.
        pairs = min(len(told), len(requested))
        linked[told[:pairs]] = rng.choice(requested, pairs, replace=False)
    return linked


def _closed(requests: _Requests) -> Text:
    end = requests.at + requests.days_open * MINUTES
    is_closed = end < DAYS * MINUTES
    text = iso_minutes(np.where(is_closed, end, 0).astype(np.int64))
    return np.where(is_closed, text, "")


def _request_ids(rows: Whole) -> Text:
    return padded("AV-R-", rows + 1, 6)


def _request_files(rng: np.random.Generator, requests: _Requests, linked: Whole) -> dict[str, Sheet]:
    n = len(requests.at)
    phone = padded("(559) 555-01", rng.integers(0, 100, n), 2)
    has_details = rng.random(n) < 0.25
    sheet = Sheet(
        {
            "Request ID": _request_ids(np.arange(n)),
            "Opened": iso_minutes(requests.at),
            "Closed": _closed(requests),
            "Category": _CATEGORIES[requests.category],
            "Language": np.array(GROUPS["language"])[requests.language],
            "Channel": rng.choice(_CHANNELS, n, p=[0.42, 0.38, 0.20]),
            "Caller Phone": np.where(rng.random(n) < 0.4, phone, ""),
            "Details": np.where(has_details, rng.choice(_DETAILS, n), ""),
            **position(rng, requests.cells),
        }
    )
    month = labels(requests.at // MINUTES, "month")
    among = month != RENAMED_MONTH
    among[linked[linked >= 0]] = False
    early = is_between(requests.at // MINUTES, *_WRONG_CLOCK) & (sheet.columns["Closed"] != "")
    only = {"second spelling": requests.category == 1, "closed early": early}
    flawed = flawed_rows(rng, "requests_311", among=among, only=only)
    sheet = displaced(rng, _flaws(sheet, flawed, requests.at), flawed)
    rows = with_twins(n, flawed["twin"])
    files = deliveries(sheet.take(rows), month[rows])
    return files | {RENAMED_MONTH: files[RENAMED_MONTH].rename("Category", "Request Category")}


def _flaws(sheet: Sheet, flawed: dict[str, Whole], at: Whole) -> Sheet:
    in_2062 = np.array(["2062" + text[4:] for text in sheet.columns["Opened"][flawed["future"]].tolist()])
    early = iso_minutes(np.maximum(at[flawed["closed early"]] - 2 * MINUTES, 0))
    changes: list[Change] = [
        ("Opened", "future", in_2062),
        ("Closed", "closed early", early),
        ("Category", "second spelling", "ILLEGAL DUMPING"),
        ("Category", "stray category", "Test please ignore"),
        ("Language", "language unknown", "Unknown"),
        ("Language", "language dash", "-"),
        ("Details", "line break", "Invented note: two of them,\none by the ditch"),
    ]
    return spoiled(sheet, flawed, changes)


def _survey_files(rng: np.random.Generator, requests: _Requests, seen: Whole, linked: Whole) -> dict[str, Sheet]:
    """Inspectors come while a reported defect is still open; an unreported one on any day of the walk."""
    n = len(seen)
    is_linked = linked >= 0
    open_days = np.minimum(requests.days_open[linked], 19)
    after_report = requests.at[linked] // MINUTES + (rng.random(n) * open_days).astype(np.int64)
    first, last = (day(d) for d in _WALKED)
    cells = np.where(is_linked[:, None], requests.cells[linked], squares(rng, seen))
    sheet = Sheet(
        {
            "": (np.arange(n) + 1).astype(np.str_),
            "Defect ID": padded("AV-S-", np.arange(n) + 1, 5),
            "Seen": iso_days(np.where(is_linked, after_report, rng.integers(first, last + 1, n))),
            "Neighborhood": KEYS[seen - 1],
            "Defect": rng.choice(_SEEN, n, p=[0.45, 0.30, 0.15, 0.10]),
            "Severity": rng.choice(np.array(["low", "medium", "high"]), n, p=[0.5, 0.35, 0.15]),
            "Request ID": np.where(is_linked, _request_ids(linked), ""),
            **position(rng, cells),
        }
    )
    flawed = flawed_rows(rng, "street_survey", among=np.ones(n, dtype=bool))
    sheet = sheet.put("Severity", flawed["no severity"], "-")
    sheet = sheet.put("Longitude", flawed["no point"], "").put("Latitude", flawed["no point"], "")
    rows = with_twins(n, flawed["twin"])
    return deliveries(sheet.take(rows), np.where(seen[rows] <= 20, "west", "south_and_east"))
