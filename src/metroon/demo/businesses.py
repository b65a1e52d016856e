"""Permits that businesses apply for, as the planning department delivers them. Every owner is made up."""

from __future__ import annotations

import numpy as np

from metroon.demo.days import DAYS, iso_days, labels
from metroon.demo.flaws import RECORDS, flawed_rows
from metroon.demo.people import DISTRICTS, GROUPS, KEYS, POVERTY, RESIDENTS, live_in
from metroon.demo.sheet import Change, Flags, Sheet, Whole, deliveries, padded, spoiled, with_twins
from metroon.demo.truths import DECIDED, SENT_IN_AGAIN, WAIT_DAYS, WAIT_SPREAD, wait_of_the_decided

_TYPES = np.array(["Restaurant", "Shop", "Workshop", "Office", "Food truck"])
_TYPE_CHANCES = [0.27, 0.31, 0.18, 0.14, 0.10]
EMPLOYEES = np.array(["1-4", "5-19", "20-99", "100 and over"])
_EMPLOYEE_CHANCES = [0.46, 0.29, 0.17, 0.08]
_LANGUAGE_CHANCES = [0.54, 0.26, 0.14, 0.06]


def business_sheets(rng: np.random.Generator) -> dict[str, Sheet]:
    """The yearly files, by the year in which an application was received: label -> sheet.

    Grain:
        One row per application of a business.
    """
    n = RECORDS["business_permits"]
    received = np.sort(rng.integers(0, DAYS, n))
    language = rng.choice(len(GROUPS["language"]), n, p=_LANGUAGE_CHANCES)
    decided = received + _days_to_decide(rng, language)
    is_decided: Flags = decided < DAYS
    home = live_in(rng, RESIDENTS * (1.2 - POVERTY), n) - 1
    kind = rng.choice(len(_TYPES), n, p=_TYPE_CHANCES)
    again = np.array([SENT_IN_AGAIN[name] for name in GROUPS["language"]])
    sheet = Sheet(
        {
            "Application No": padded("AV-B-", np.arange(n) + 1, 5),
            "Business Type": _TYPES[kind],
            "Employees": rng.choice(EMPLOYEES, n, p=_EMPLOYEE_CHANCES),
            "Owner Language": np.array(GROUPS["language"])[language],
            "Received": iso_days(received),
            "Decided": np.where(is_decided, iso_days(np.where(is_decided, decided, 0)), ""),
            "Decision": np.where(is_decided, np.where(rng.random(n) < 0.88, "Granted", "Refused"), ""),
            "Times Sent In": (1 + rng.poisson(again[language])).astype(np.str_),
            "Neighborhood": KEYS[home],
            "District": DISTRICTS[home],
            "Owner": np.strings.add("Invented Owner ", rng.integers(1, 900, n).astype(np.str_)),
            "Phone": padded("(559) 555-01", rng.integers(0, 100, n), 2),
        }
    )
    only = {"second spelling": kind == 0, "decided early": is_decided & (received > 6)}
    flawed = flawed_rows(rng, "business_permits", among=np.ones(n, dtype=bool), only=only)
    rows = with_twins(n, flawed["twin"])
    return deliveries(_flaws(sheet, flawed, received).take(rows), labels(received[rows], "year"))


def _days_to_decide(rng: np.random.Generator, language: Whole) -> Whole:
    """Whole days until a decision. Some are never decided, so that half of all are decided by the stated median."""
    n = len(language)
    half = np.array([wait_of_the_decided(WAIT_DAYS[name]) for name in GROUPS["language"]])
    days = np.ceil(half[language] * rng.lognormal(0, WAIT_SPREAD, n))
    return np.where(rng.random(n) < DECIDED, days, 2 * DAYS).astype(np.int64)


def _flaws(sheet: Sheet, flawed: dict[str, Whole], received: Whole) -> Sheet:
    changes: list[Change] = [
        ("Business Type", "second spelling", "RESTAURANT"),
        ("Owner Language", "language unknown", "Unknown"),
        ("Decided", "decided early", iso_days(received[flawed["decided early"]] - 6)),
        ("Times Sent In", "not counted", "0"),
        ("Neighborhood", "no neighborhood", "-"),
        ("District", "no neighborhood", "-"),
    ]
    return spoiled(sheet, flawed, changes)
