"""Shelter and outreach stays, as the housing department delivers them. Every client is made up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from metroon.demo.days import DAYS, FIRST, day, iso_days, labels
from metroon.demo.flaws import RECORDS, flawed_rows
from metroon.demo.people import DISTRICTS, GROUPS, KEYS, POVERTY, RARE_RACE, RESIDENTS, live_in
from metroon.demo.sheet import Change, Sheet, Text, Whole, deliveries, padded, spoiled, with_twins
from metroon.demo.truths import HIDDEN_HOME, HOUSED, STILL_THERE

_CLIENTS = 3_400
_GIVEN = np.strings.add("Invented ", np.array([
    "Ash", "Birch", "Cedar", "Dune", "Elder", "Fern", "Gale", "Hazel", "Iris", "Juniper", "Kite", "Lark",
    "Moss", "Nettle", "Oak", "Pine", "Quill", "Reed", "Sage", "Thistle",
]))  # fmt: skip
_SURNAMES = np.array([
    "Sampleton", "Madeup", "Nobodyson", "Inventado", "Fictiva", "Exampleworth", "Placeholder", "Pretendez",
    "Imaginario", "Testfield", "Makebelieve", "Storybook",
])  # fmt: skip
_RACE_CHANCES = [0.40, 0.31, 0.07, 0.15, 0.03, 0.0, 0.04]
_PROGRAMS = np.array([
    "Harbor Shelter (invented)", "Weir House (invented)", "Bridge Rooms (invented)",
    "Street Outreach (invented)",
])  # fmt: skip
_TYPES = np.array(["Emergency shelter", "Emergency shelter", "Transitional housing", "Outreach"])
_HOUSING = np.array(["Rental without subsidy", "Rental with subsidy", "With family, permanent"])
_NOT_HOUSING = np.array(["Another shelter", "Street or vehicle", "With friends, temporary", "Institution"])


@dataclass(frozen=True)
class _Clients:
    """One entry for each client in every array; the last one is one of a kind."""

    given: Text
    surname: Text
    birth: Text
    race: Text
    language: Text
    home: Whole


def stay_sheets(rng: np.random.Generator) -> dict[str, Sheet]:
    """The quarterly files, by the quarter in which a stay began: label -> sheet.

    Grain:
        One row per stay of one client in one program.
    """
    clients = _clients(rng)
    n = RECORDS["shelter_stays"]
    who, entry = _entries(rng, n)
    end = entry + 1 + rng.exponential(70, n).astype(np.int64)
    is_one = who == _CLIENTS - 1
    end[is_one] = day(date(2025, 8, 3))
    is_gone = np.ones(n, dtype=bool)
    is_gone[np.argsort(end, kind="stable")[-STILL_THERE:]] = False
    leaving = iso_days(np.minimum(end, DAYS - 1))
    program = rng.choice(len(_PROGRAMS), n, p=[0.34, 0.26, 0.18, 0.22])
    is_housed = (rng.random(n) < HOUSED) | is_one
    goal = np.where(is_housed, rng.choice(_HOUSING, n), rng.choice(_NOT_HOUSING, n))
    home = clients.home[who] - 1
    sheet = Sheet(
        {
            "Stay ID": padded("AV-T-", np.arange(n) + 1, 6),
            "Client ID": padded("AV-C-", who + 1, 6),
            "First Name": clients.given[who],
            "Last Name": clients.surname[who],
            "Date of Birth": clients.birth[who],
            "Race": clients.race[who],
            "Language": clients.language[who],
            "Program": _PROGRAMS[program],
            "Program Type": _TYPES[program],
            "Entry Date": iso_days(entry),
            "Exit Date": np.where(is_gone, leaving, ""),
            "Exit Destination": np.where(is_gone, goal, ""),
            "Last Neighborhood": KEYS[home],
            "Last District": DISTRICTS[home],
        }
    )
    destinations = ("no exit interview", "not collected", "destination unknown", "destination empty")
    flawed = flawed_rows(rng, "shelter_stays", among=~is_one, only=dict.fromkeys(destinations, is_gone))
    rows = with_twins(n, flawed["twin"])
    return deliveries(_flaws(sheet, flawed).take(rows), labels(entry[rows], "quarter"))


def _entries(rng: np.random.Generator, n: int) -> tuple[Whole, Whole]:
    """Client and day of each stay, in the order of days: each client once, some again, the last only once."""
    again = rng.integers(0, _CLIENTS - 1, n - _CLIENTS)
    who = np.append(rng.permutation(np.concatenate([np.arange(_CLIENTS - 1), again])), _CLIENTS - 1)
    entry = np.append(rng.integers(0, DAYS, n - 1), day(date(2025, 5, 12)))
    order = np.argsort(entry, kind="stable")
    return who[order], entry[order]


def _clients(rng: np.random.Generator) -> _Clients:
    chances = RESIDENTS * (0.12 + POVERTY)
    chances[HIDDEN_HOME - 1] = 0
    home = live_in(rng, chances, _CLIENTS)
    home[-1] = HIDDEN_HOME
    race = rng.choice(np.array(GROUPS["race"]), _CLIENTS, p=_RACE_CHANCES)
    race[-1] = RARE_RACE
    years_old = np.clip(rng.normal(43, 14, _CLIENTS), 18, 84)
    birth = np.datetime64(FIRST, "D") - (years_old * 365.25).astype(np.int64)
    return _Clients(
        rng.choice(_GIVEN, _CLIENTS),
        rng.choice(_SURNAMES, _CLIENTS),
        np.datetime_as_string(birth),
        race,
        rng.choice(np.array(GROUPS["language"]), _CLIENTS, p=[0.70, 0.22, 0.04, 0.04]),
        home,
    )


def _flaws(sheet: Sheet, flawed: dict[str, Whole]) -> Sheet:
    changes: list[Change] = [
        ("Date of Birth", "no birth", "1900-01-01"),
        ("Race", "race unknown", "Unknown"),
        ("Last Neighborhood", "no home", "Unknown"),
        ("Last District", "no home", "Unknown"),
        ("Exit Destination", "no exit interview", "No exit interview"),
        ("Exit Destination", "not collected", "Data not collected"),
        ("Exit Destination", "destination unknown", "Unknown"),
        ("Exit Destination", "destination empty", ""),
    ]
    return spoiled(sheet, flawed, changes)
