"""The quarterly survey of residents, as the city manager's office delivers it. Every answer is made up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metroon.demo.days import DAYS, day, iso_days, labels
from metroon.demo.flaws import RACE_REFUSED, RECORDS, flawed_rows
from metroon.demo.people import DISTRICTS, GROUPS, RESIDENTS, choose, shares
from metroon.demo.sheet import Change, Flags, Number, Sheet, Text, Whole, deliveries, padded, spoiled, with_twins
from metroon.demo.truths import (
    CLEAN,
    CLEAN_LESS,
    SAFE,
    SILENT_DISTRICTS,
    TRUST,
    TRUST_MORE,
    TRUST_ROSE,
    TRUST_VIETNAMESE,
)

QUESTIONS = ("trust", "safe", "clean")
ASKED = 800
"""Residents who answer in each quarter: as many in each of the eight districts."""
ADULTS = GROUPS["age band"][1:]
# How much more readily a resident is found and answers. The city pays for extra calls in the languages of few, so that
# these groups can be told; the young seldom answer.
_FOUND_LANGUAGE = np.array([1.0, 1.0, 3.0, 3.0])
_FOUND_AGE = np.array([0.5, 0.8, 1.2, 1.6, 1.4])
# The form has one box for races of few, and as many may be ticked as fit.
_RACES = np.array([
    "Hispanic or Latino", "White", "Asian", "Black or African American", "Another race", "Another race", "",
])  # fmt: skip
_SEVERAL = np.array(["White;Asian", "Hispanic or Latino;White", "Black or African American;White"])
# Agrees strongly or agrees, of those who agree; neither, disagrees, disagrees strongly, of the others.
_AGREE = (np.array([5, 4]), [0.35, 0.65])
_NOT = (np.array([3, 2, 1]), [0.40, 0.35, 0.25])


@dataclass(frozen=True)
class _Asked:
    """Residents who answered, in the order of their days; one entry each in every array."""

    on: Whole
    home: Whole
    language: Whole
    age: Whole
    weight: Number


def survey_sheets(rng: np.random.Generator) -> dict[str, Sheet]:
    """The quarterly files: label -> sheet.

    Grain:
        One row per resident who was asked and question: an answer.
    """
    asked = _asked(rng)
    who = np.repeat(np.arange(len(asked.on)), len(QUESTIONS))
    question = np.tile(np.arange(len(QUESTIONS)), len(asked.on))
    is_agreed: Flags = rng.random(len(who)) < _chances(asked)[who, question]
    agreeing, not_agreeing = (rng.choice(answers, len(who), p=chances) for answers, chances in (_AGREE, _NOT))
    sheet = Sheet(
        {
            "Response ID": padded("AV-Q-", who + 1, 6),
            "Question": np.array(QUESTIONS)[question],
            "Answer": np.where(is_agreed, agreeing, not_agreeing).astype(np.str_),
            "Answered": iso_days(asked.on)[who],
            "District": DISTRICTS[asked.home][who],
            "Weight": np.char.mod("%.3f", asked.weight)[who],
            "Language": np.array(GROUPS["language"])[asked.language][who],
            "Race": _races(rng, asked.home)[who],
            "Age Band": np.array(ADULTS)[asked.age][who],
        }
    )
    rows, sheet = _flaws(rng, sheet, who, question)
    return deliveries(sheet.take(rows), labels(asked.on[who[rows]], "quarter"))


def adults() -> Number:
    """Residents of 18 and over of each neighborhood by language and age: who may be asked.

    Grain:
        One table per neighborhood, one row per language, one column per age band of ``ADULTS``.
    """
    by_language, by_age = shares("language"), shares("age band")[:, 1:]
    return np.asarray(RESIDENTS[:, None, None] * by_language[:, :, None] * by_age[:, None, :], dtype=float)


def _asked(rng: np.random.Generator) -> _Asked:
    """A sample of each district in each quarter; a weight is the number of adults that an answer stands for."""
    quarter = labels(np.arange(DAYS), "quarter")
    there = adults()
    found = there * _FOUND_LANGUAGE[:, None] * _FOUND_AGE
    districts = np.unique(DISTRICTS)
    on, cells, weights = [], [], []
    for name in np.unique(quarter):
        days = np.flatnonzero(quarter == name)
        for district in districts:
            is_there = np.equal(DISTRICTS, district)[:, None, None]
            chance = np.where(is_there, found, 0.0).ravel()
            n = ASKED // len(districts)
            own = rng.choice(chance.size, n, p=chance / chance.sum())
            on.append(rng.choice(days, n))
            cells.append(own)
            weights.append(there.ravel()[own] / (n * chance[own] / chance.sum()))
    order = np.argsort(np.concatenate(on), kind="stable")
    home, language, age = np.unravel_index(np.concatenate(cells)[order], there.shape)
    return _Asked(np.concatenate(on)[order], home, language, age, np.concatenate(weights)[order])


def _chances(asked: _Asked) -> Number:
    """The chance that a resident agrees: one row per resident, one column per question."""
    vietnamese = GROUPS["language"].index("Vietnamese")
    trust = TRUST + TRUST_MORE * (asked.on >= day(TRUST_ROSE)) + TRUST_VIETNAMESE * (asked.language == vietnamese)
    is_silent = np.isin(DISTRICTS[asked.home], [str(d) for d in SILENT_DISTRICTS])
    return np.stack([trust, np.full(len(asked.on), SAFE), CLEAN + CLEAN_LESS * is_silent], axis=1)


def _races(rng: np.random.Generator, home: Whole) -> Text:
    """What residents say of themselves; who names two races is written with a semicolon between them."""
    race = _RACES[choose(rng, shares("race"), home)]
    return np.where(race == "", rng.choice(_SEVERAL, len(home)), race)


def _flaws(rng: np.random.Generator, sheet: Sheet, who: Whole, question: Whole) -> tuple[Whole, Sheet]:
    n = len(who)
    shy = rng.choice(RECORDS["resident_survey"] // len(QUESTIONS), RACE_REFUSED, replace=False)
    is_shy = np.isin(who, shy)
    only = {"twin": ~is_shy, "race refused": is_shy, "second spelling": question == 0}
    flawed = flawed_rows(rng, "resident_survey", among=np.ones(n, dtype=bool), only=only)
    changes: list[Change] = [
        ("Question", "second spelling", "TRUST"),
        ("Answer", "does not know", "8"),
        ("Answer", "refused", "9"),
        ("Race", "race refused", "99"),
    ]
    return with_twins(n, flawed["twin"]), spoiled(sheet, flawed, changes)
