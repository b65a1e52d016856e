"""What is wrong in the invented city's files, as in real ones: known beforehand, to the row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metroon.demo.sheet import Flags, Whole

Effect = Literal["set aside", "refused", "missing", "no place", "outside", "spelling", "warned", "late", "harmless"]
"""What a flaw does to its rows."""


@dataclass(frozen=True)
class Flaw:
    """Something wrong in the files, as in real ones.

    Args:
        product: Whose files.
        name: A word for it.
        rows: In exactly how many rows, whatever the seed.
        column: The column it is in; empty for whole rows.
        effect: What becomes of these rows.
        text: What a reader sees.
    """

    product: str
    name: str
    rows: int
    column: str
    effect: Effect
    text: str


RECORDS = {
    "council_districts": 8,
    "neighborhoods": 40,
    "residents": 680,
    "crashes": 9_600,
    "crash_victims": 12_000,
    "requests_311": 90_000,
    "fire_responses": 70_000,
    "shelter_stays": 5_000,
    "street_lights": 9_000,
    "building_permits": 12_000,
    "street_survey": 5_600,
    "resident_survey": 43_200,
    "business_permits": 6_000,
    "dumping_orders": 6_500,
    "spending": 96,
}
"""Product -> different records in its files, whatever the seed; twins and footers come on top."""

RENAMED_MONTH, RENAMED_ROWS = "2026-05", 1_700
RACE_REFUSED = 500
"""Residents who do not say their race, in each of their three answers."""
TIMELESS_MONTH, TIMELESS_ROWS = "2026-02", 1_300
LATE_SINCE = date(2026, 4, 30)

_NOWHERE = "longitude and latitude are empty"
_ZERO = "longitude and latitude are 0"
_FAR = "the point lies kilometres east of the city"
_TWIN = "the row stands there twice"

FLAWS = (
    Flaw("crashes", "twin", 12, "", "set aside", _TWIN),
    Flaw("crashes", "no point", 110, "longitude", "no place", _NOWHERE),
    Flaw("crashes", "zero point", 40, "longitude", "no place", _ZERO),
    Flaw("crashes", "far point", 60, "longitude", "outside", _FAR),
    Flaw("crashes", "no time", 190, "occurred_time", "missing", "2500 stands for an unknown time"),
    Flaw("crashes", "no hit and run", 480, "hit_and_run", "missing", "a dash"),
    Flaw("crashes", "second spelling", 300, "mode", "spelling", "Ped instead of Pedestrian"),
    Flaw("crash_victims", "twin", 15, "", "set aside", _TWIN),
    Flaw("crash_victims", "age 0", 700, "age", "missing", "0 stands for not recorded"),
    Flaw("crash_victims", "age 998", 350, "age", "missing", "998 stands for not recorded"),
    Flaw("crash_victims", "race unknown", 800, "race", "missing", "Unknown"),
    Flaw("crash_victims", "race dash", 240, "race", "missing", "a dash"),
    Flaw("crash_victims", "sex dash", 300, "sex", "missing", "a dash"),
    Flaw("requests_311", "twin", 30, "", "set aside", _TWIN),
    Flaw("requests_311", "future", 7, "opened_at", "set aside", "opened in 2062"),
    Flaw("requests_311", "stray category", 18, "category", "set aside", "a category that nobody declared"),
    Flaw("requests_311", "closed early", 25, "closed_at", "warned",
         "closed before it was opened: a wrong clock, early in 2026"),
    Flaw("requests_311", "second spelling", 2_600, "category", "spelling", "ILLEGAL DUMPING"),
    Flaw("requests_311", "language unknown", 1_500, "language", "missing", "Unknown"),
    Flaw("requests_311", "language dash", 700, "language", "missing", "a dash"),
    Flaw("requests_311", "no point", 1_300, "longitude", "no place", _NOWHERE),
    Flaw("requests_311", "zero point", 450, "longitude", "no place", _ZERO),
    Flaw("requests_311", "far point", 600, "longitude", "outside", _FAR),
    Flaw("requests_311", "line break", 400, "details", "harmless", "a line break and a comma inside quotes"),
    Flaw("requests_311", "renamed", RENAMED_ROWS, "category", "refused",
         f"in the file of {RENAMED_MONTH} the header Category became Request Category"),
    Flaw("fire_responses", "twin", 25, "", "set aside", _TWIN),
    Flaw("fire_responses", "unreadable time", 9, "event_at", "set aside", "13/45/23 99:99 XM"),
    Flaw("fire_responses", "no time", 60, "event_at", "set aside", "no event time"),
    Flaw("fire_responses", "timeless", TIMELESS_ROWS, "event_at", "refused",
         f"in the file of {TIMELESS_MONTH} 480 of {TIMELESS_ROWS} rows have no event time"),
    Flaw("fire_responses", "no arrival", 10_500, "on_scene_at", "missing", "no on-scene time"),
    Flaw("fire_responses", "early arrival", 20, "on_scene_at", "warned", "on scene before the event"),
    Flaw("fire_responses", "no priority", 11, "priority", "missing", "empty"),
    Flaw("fire_responses", "second spelling", 3_000, "call_type", "spelling", "MEDICAL AID"),
    Flaw("fire_responses", "no point", 800, "longitude", "no place", _NOWHERE),
    Flaw("fire_responses", "zero point", 300, "longitude", "no place", _ZERO),
    Flaw("fire_responses", "far point", 500, "longitude", "outside", _FAR),
    Flaw("shelter_stays", "twin", 10, "", "set aside", _TWIN),
    Flaw("shelter_stays", "no birth", 210, "date_of_birth", "missing", "1900-01-01 stands for not recorded"),
    Flaw("shelter_stays", "race unknown", 260, "race", "missing", "Unknown"),
    Flaw("shelter_stays", "no home", 600, "last_neighborhood", "missing", "Unknown, as is the district"),
    Flaw("shelter_stays", "no exit interview", 1_180, "exit_destination", "missing", "No exit interview"),
    Flaw("shelter_stays", "not collected", 480, "exit_destination", "missing", "Data not collected"),
    Flaw("shelter_stays", "destination unknown", 310, "exit_destination", "missing", "Unknown"),
    Flaw("shelter_stays", "destination empty", 224, "exit_destination", "missing", "empty after an exit"),
    Flaw("street_lights", "twin", 5, "", "set aside", _TWIN),
    Flaw("street_lights", "no watts", 270, "watts", "missing", "-999"),
    Flaw("street_lights", "no outage", 90, "outage", "missing", "a dash"),
    Flaw("street_lights", "second spelling", 200, "outage", "spelling", "Y instead of Yes"),
    Flaw("street_lights", "no point", 60, "longitude", "no place", _NOWHERE),
    Flaw("street_lights", "zero point", 30, "longitude", "no place", _ZERO),
    Flaw("street_lights", "far point", 20, "longitude", "outside", _FAR),
    Flaw("building_permits", "twin", 8, "", "set aside", _TWIN),
    Flaw("building_permits", "no valuation", 360, "valuation", "missing", "-999"),
    Flaw("building_permits", "no neighborhood", 240, "neighborhood", "missing", "a dash, as is the district"),
    Flaw("building_permits", "issued early", 15, "issued_on", "warned", "issued before it was applied for"),
    Flaw("building_permits", "second spelling", 500, "permit_type", "spelling", "SOLAR PV"),
    Flaw("building_permits", "stopped", 0, "applied_on", "late",
         f"nothing after {LATE_SINCE}; 40 days were promised"),
    Flaw("street_survey", "twin", 3, "", "set aside", _TWIN),
    Flaw("street_survey", "no severity", 130, "severity", "missing", "a dash"),
    Flaw("street_survey", "no point", 40, "longitude", "no place", _NOWHERE),
    Flaw("resident_survey", "twin", 24, "", "set aside", _TWIN),
    Flaw("resident_survey", "does not know", 3_000, "answer", "missing", "8 stands for does not know"),
    Flaw("resident_survey", "refused", 1_500, "answer", "missing", "9 stands for does not want to say"),
    Flaw("resident_survey", "race refused", 3 * RACE_REFUSED, "race", "missing", "99 stands for does not want to say"),
    Flaw("resident_survey", "second spelling", 300, "question", "spelling", "TRUST instead of trust"),
    Flaw("business_permits", "twin", 8, "", "set aside", _TWIN),
    Flaw("business_permits", "decided early", 12, "decided_on", "warned", "decided before it was received"),
    Flaw("business_permits", "language unknown", 300, "owner_language", "missing", "Unknown"),
    Flaw("business_permits", "not counted", 600, "times_sent_in", "missing", "0 stands for not counted"),
    Flaw("business_permits", "no neighborhood", 200, "neighborhood", "missing", "a dash, as is the district"),
    Flaw("business_permits", "second spelling", 250, "business_type", "spelling", "RESTAURANT"),
    Flaw("dumping_orders", "twin", 6, "", "set aside", _TWIN),
    Flaw("dumping_orders", "no tons", 80, "tons", "missing", "-999: the scale was broken"),
    Flaw("dumping_orders", "no point", 50, "longitude", "no place", _NOWHERE),
    Flaw("dumping_orders", "zero point", 20, "longitude", "no place", _ZERO),
    Flaw("dumping_orders", "far point", 15, "longitude", "outside", _FAR),
    Flaw("spending", "footer", 1, "", "set aside", "a line of totals typed below the table"),
    Flaw("spending", "not spent yet", 16, "spent", "missing", "a dash: the fiscal year has just begun"),
    Flaw("residents", "withheld", 3, "residents", "missing", "a dash"),
)  # fmt: skip


def flawed_rows(
    rng: np.random.Generator, product: str, *, among: Flags, only: Mapping[str, Flags] | None = None
) -> dict[str, Whole]:
    """Row numbers for each flaw of a product, exactly as many as declared.

    A row that is set aside has no other flaw, and no column of a row has two, so that counts add up; apart
    from that flaws meet by chance, as in life. Refused files and late ones are no matter of rows.

    Args:
        rng: The source of chance.
        product: Whose flaws.
        among: Rows that may get any flaw.
        only: Flaw -> rows that may get this one.

    Raises:
        ValueError: Too few rows are left for a flaw.

    Example:
        >>> found = flawed_rows(np.random.default_rng(1), "street_survey", among=np.ones(500, dtype=bool))
        >>> {flaw: len(rows) for flaw, rows in found.items()}
        {'twin': 3, 'no severity': 130, 'no point': 40}
    """
    chosen: dict[str, Whole] = {}
    aside = [f for f in FLAWS if f.product == product and f.effect == "set aside"]
    other = [f for f in FLAWS if f.product == product and f.effect not in ("set aside", "refused", "late")]
    free = among.copy()
    for flaw in aside:
        chosen[flaw.name] = _pick(rng, flaw, free, only or {})
        free[chosen[flaw.name]] = False
    by_column = {f.column: free.copy() for f in other}
    for flaw in other:
        chosen[flaw.name] = _pick(rng, flaw, by_column[flaw.column], only or {})
        by_column[flaw.column][chosen[flaw.name]] = False
    return chosen


def _pick(rng: np.random.Generator, flaw: Flaw, free: Flags, only: Mapping[str, Flags]) -> Whole:
    may = np.flatnonzero(free & only[flaw.name] if flaw.name in only else free)
    if len(may) < flaw.rows:
        raise ValueError(f"only {len(may)} of {flaw.rows} rows are left for '{flaw.name}' of {flaw.product}")
    return np.sort(rng.choice(may, flaw.rows, replace=False))
