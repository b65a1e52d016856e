"""What is true of the invented city, and what is wrong in its files: known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from metroon.demo.people import RARE_RACE

Scale = Literal["relative change", "difference in share", "ratio of shares", "share", "people"]
"""What the size of a truth counts."""
Effect = Literal[
    "set aside", "refused", "missing", "no place", "outside", "spelling", "warned", "late", "harmless"
]
"""What a flaw does to its rows."""


@dataclass(frozen=True)
class Truth:
    """Something that was put into the data and that a product should find, or must not give away.

    Args:
        name: A word for it.
        text: What was done, in plain words.
        measure: The measure that should find it, or must not reveal it.
        size: How large it is, on the scale.
        scale: What the size counts. Relative changes: -0.35 is 35 % fewer. Differences in share: -0.12 is 12
            points lower. Ratios: 0.5 is half. People: so many, too few to be told.
        dimension: A geography (``district``, ``neighborhood``) or a column that makes groups.
        members: The places or groups that differ; empty when none does.
        against: The places, groups or time that they are compared with.
        since: The day from which it holds; None when it always does.
    """

    name: str
    text: str
    measure: str
    size: float
    scale: Scale
    dimension: str
    members: tuple[str, ...]
    against: str
    since: date | None = None


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


QUICK_BUILD = date(2024, 7, 1)
BUILT, SIGNED = "Sombra Road", "Marrow Avenue"
SLOW_DISTRICT = 6
SILENT_DISTRICTS = (7, 8)
QUIET, QUIET_YEAR, QUIET_INJURED = 3, 2024, 2
HIDDEN_HOME = 6
WITHIN_8 = 0.80
WITHIN_PROMISE = {"English": 0.80, "Spanish": 0.68, "Vietnamese": 0.62, "Other": 0.80}
REPORTED, REPORTED_LESS = 0.60, 0.30
LIGHTS_OUT = 0.06
HOUSED = 0.38
"""Of exits whose destination is known."""

TRUTHS = (
    Truth(
        "quick build",
        "Curb extensions and a protected lane were built on Sombra Road; injury crashes on it fell by 35 %.",
        "crashes_by_corridor", -0.35, "relative change", "corridor", (BUILT,), "the time before", QUICK_BUILD,
    ),
    Truth(
        "signs only",
        "Signs went up on Marrow Avenue on the same day and changed nothing.",
        "crashes_by_corridor", 0.0, "relative change", "corridor", (SIGNED,), "the time before", QUICK_BUILD,
    ),
    Truth(
        "rest of the city",
        "Injury crashes away from Sombra Road stayed as they were.",
        "crashes_by_corridor", 0.0, "relative change", "corridor", (f"all but {BUILT}",), "the time before",
        QUICK_BUILD,
    ),
    Truth(
        "slow district",
        "Priority 1 calls in district 6 are reached within 8 minutes 12 points less often.",
        "calls_within_8_minutes", -0.12, "difference in share", "district", (str(SLOW_DISTRICT),),
        "all other districts (0.80)",
    ),
    Truth(
        "Spanish gap",
        "Requests made in Spanish are closed within the promised 10 days 12 points less often.",
        "requests_closed_within_10_days", -0.12, "difference in share", "language", ("Spanish",),
        "English (0.80)",
    ),
    Truth(
        "Vietnamese gap",
        "Requests made in Vietnamese are closed within the promised 10 days 18 points less often.",
        "requests_closed_within_10_days", -0.18, "difference in share", "language", ("Vietnamese",),
        "English (0.80)",
    ),
    Truth(
        "silent districts",
        "In districts 7 and 8 residents report half as many of the defects that are there: 0.30, not 0.60.",
        "street_defects_reported", 0.5, "ratio of shares", "district", tuple(map(str, SILENT_DISTRICTS)),
        "all other districts (0.60)",
    ),
    Truth(
        "lights",
        "Every light is out with the same chance of 0.06: differences between places are chance.",
        "street_lights_out", 0.0, "difference in share", "neighborhood", (), "each other",
    ),
    Truth(
        "housed",
        "Of shelter exits whose destination is known, 0.38 are to housing; of nearly half it is not known.",
        "exits_to_housing", HOUSED, "share", "all", ("all",), "nothing",
    ),
    Truth(
        "quiet neighborhood",
        "Lantern Hill (N03) had exactly 2 injured people in 2024.",
        "people_injured", QUIET_INJURED, "people", "neighborhood", ("N03",), "must not be revealed",
    ),
    Truth(
        "one of a kind",
        f"Exactly one shelter client is {RARE_RACE}; the only one whose last home was in Egret Marsh (N06).",
        "people_entering_shelter", 1, "people", "race", (RARE_RACE,), "must not be revealed",
    ),
)  # fmt: skip

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
    "street_survey": 4_400,
    "spending": 96,
}
"""Product -> different records in its files, whatever the seed; twins and footers come on top."""

RENAMED_MONTH, RENAMED_ROWS = "2026-05", 1_700
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
    Flaw("requests_311", "closed early", 25, "closed_at", "warned", "closed before it was opened"),
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
    Flaw("spending", "footer", 1, "", "set aside", "a line of totals typed below the table"),
    Flaw("spending", "not spent yet", 16, "spent", "missing", "a dash: the fiscal year has just begun"),
    Flaw("residents", "withheld", 3, "residents", "missing", "a dash"),
)  # fmt: skip


def sizes(product: str, *, without: tuple[str, ...] = ()) -> dict[str, int]:
    """The flaws of one product: name -> rows.

    Example:
        >>> sizes("street_survey")
        {'twin': 3, 'no severity': 130, 'no point': 40}
    """
    return {f.name: f.rows for f in FLAWS if f.product == product and f.name not in without}


def as_markdown() -> str:
    """The page ``TRUTHS.md`` that lies in the city."""
    truths = [
        f"| {t.name} | {t.text} | {t.size:g} ({t.scale}) | {t.dimension}: {', '.join(t.members) or 'none'} "
        f"| {t.against} | {t.since or 'always'} | `{t.measure}` |"
        for t in TRUTHS
    ]
    flaws = [f"| {f.product} | {f.name} | {f.rows:,} | {f.column} | {f.effect} | {f.text} |" for f in FLAWS]
    records = [f"| {product} | {n:,} |" for product, n in RECORDS.items()]
    return "\n".join([*_HEAD, *truths, "", *_FLAWS_HEAD, *flaws, "", *_RECORDS_HEAD, *records, ""])


_HEAD = [
    "# What is true in Arroyo Vista",
    "",
    "Arroyo Vista is invented: the city, its streets, its people and every number.",
    "Because it is invented, we know what is true in it.",
    "The truths below were put into the data, which then went through chance and the flaws of real files.",
    "A method that works finds them, and its 95 % intervals hold them; it does not find what is not there.",
    "",
    "## Truths",
    "| truth | what was done | size | where | compared with | since | measure |",
    "|---|---|---|---|---|---|---|",
]
_FLAWS_HEAD = [
    "## Flaws",
    "So many rows have each flaw, whatever the seed; no row has two of them.",
    "A refused file is refused whole: all its rows count.",
    "",
    "| product | flaw | rows | column | effect | what a reader sees |",
    "|---|---|---|---|---|---|",
]
_RECORDS_HEAD = [
    "## Records",
    "Different records in the files; twins and the footer come on top.",
    "",
    "| product | records |",
    "|---|---|",
]
