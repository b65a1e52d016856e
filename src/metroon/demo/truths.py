"""What is true of the invented city: known beforehand, so that tests can ask whether it is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import exp
from statistics import NormalDist
from typing import Literal

from metroon.demo.flaws import FLAWS, RECORDS
from metroon.demo.people import RARE_RACE

Scale = Literal[
    "relative change", "difference in share", "ratio of shares", "share", "people", "days", "difference in mean",
    "difference in median days", "stays",
]  # fmt: skip
"""What the size of a truth counts."""


@dataclass(frozen=True)
class Truth:
    """Something that was put into the data and that a product should find, or must not give away.

    Args:
        name: A word for it.
        text: What was done, in plain words.
        measure: The measure that should find it, or must not reveal it.
        size: How large it is, on the scale.
        scale: What the size counts. Relative changes: -0.35 is 35 % fewer. Differences in share: -0.12 is 12
            points lower. Ratios: 0.5 is half. People: so many, too few to be told. Days, means and stays: as many
            as that, or as many more.
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


QUICK_BUILD = date(2024, 7, 1)
BUILT, SIGNED, ELSEWHERE = "Sombra Road", "Marrow Avenue", "Other streets"
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
STILL_THERE = 230
TRUST, TRUST_MORE, TRUST_ROSE = 0.36, 0.10, date(2025, 1, 1)
TRUST_VIETNAMESE = -0.15
SAFE = 0.42
CLEAN, CLEAN_LESS = 0.50, -0.15
WAIT_DAYS = {"English": 30.0, "Spanish": 45.0, "Vietnamese": 54.0, "Other": 30.0}
"""Owner's language -> days within which half of all applications are decided, those counted that never are."""
WAIT_SPREAD, DECIDED = 0.8, 0.75
SENT_IN_AGAIN = {"English": 0.25, "Spanish": 0.55, "Vietnamese": 0.55, "Other": 0.25}
DUMPED_AGAIN = {"City crew": 0.09, "Contractor": 0.22}
DOLLARS_PER_TON = {"City crew": 520.0, "Contractor": 416.0}


def wait_of_the_decided(median_days: float) -> float:
    """The median wait of those that are ever decided, when the median of all is ``median_days``.

    Waits are lognormal with ``WAIT_SPREAD``, and a share of ``DECIDED`` is ever decided: who leaves the open ones out
    sees this number.

    Example:
        >>> round(wait_of_the_decided(30), 1)
        21.3
    """
    return median_days * exp(-WAIT_SPREAD * NormalDist().inv_cdf(0.5 / DECIDED))


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
        "Injury crashes away from the named corridors stayed as they were.",
        "crashes_by_corridor", 0.0, "relative change", "corridor", (ELSEWHERE,), "the time before",
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
    Truth(
        "still there",
        f"On 30 June 2026, {STILL_THERE} stays in shelter and outreach are open.",
        "shelter_stays_open", STILL_THERE, "stays", "all", ("all",), "nothing",
    ),
    Truth(
        "trust rises",
        "From the first quarter of 2025 on, 10 more of 100 residents trust the city to do the right thing.",
        "trusts_the_city", TRUST_MORE, "difference in share", "all", ("all",), "the time before", TRUST_ROSE,
    ),
    Truth(
        "trust gap",
        "Residents who speak Vietnamese at home trust the city 15 points less; three times as many are asked.",
        "trusts_the_city", TRUST_VIETNAMESE, "difference in share", "language", ("Vietnamese",),
        "English",
    ),
    Truth(
        "safe at night",
        f"In every quarter, place and group {SAFE} feel safe walking at night: differences are chance.",
        "feels_safe_at_night", 0.0, "difference in share", "all", (), "each other",
    ),
    Truth(
        "unclean and silent",
        "In districts 7 and 8, where few report, 15 points fewer say that their neighborhood is clean.",
        "neighborhood_is_clean", CLEAN_LESS, "difference in share", "district",
        tuple(map(str, SILENT_DISTRICTS)), "all other districts (0.50)",
    ),
    Truth(
        "half are decided",
        "Half of the applications of owners who speak English are decided within 30 days; a quarter never is. "
        f"Of the decided ones alone, half took {wait_of_the_decided(30):.0f} days.",
        "days_until_business_permit", 30, "days", "owner_language", ("English",), "nothing",
    ),
    Truth(
        "Spanish wait",
        "Owners who speak Spanish wait 15 days longer at the median.",
        "days_until_business_permit", 15, "difference in median days", "owner_language", ("Spanish",),
        "English (30 days)",
    ),
    Truth(
        "Vietnamese wait",
        "Owners who speak Vietnamese wait 24 days longer at the median.",
        "days_until_business_permit", 24, "difference in median days", "owner_language", ("Vietnamese",),
        "English (30 days)",
    ),
    Truth(
        "size of a business",
        "Small businesses wait no longer than large ones.",
        "days_until_business_permit", 0, "difference in median days", "employees", (), "each other",
    ),
    Truth(
        "sent in again",
        "Owners who speak Spanish or Vietnamese send an application in 0.30 times more.",
        "times_sent_in", 0.30, "difference in mean", "owner_language", ("Spanish", "Vietnamese"),
        "English (1.25)",
    ),
    Truth(
        "dumped again",
        "Where the contractor cleaned, waste is dumped again within 14 days 13 points more often.",
        "dumped_again", 0.13, "difference in share", "crew", ("Contractor",), "City crew (0.09)",
    ),
    Truth(
        "cheap by the ton",
        "The contractor takes 20 % less for a ton.",
        "cost_per_ton", -0.20, "relative change", "crew", ("Contractor",), "City crew (520 dollars)",
    ),
)  # fmt: skip


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
    "So many rows have each flaw, whatever the seed.",
    "A row that is set aside has no other flaw, and no column of a row has two.",
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
