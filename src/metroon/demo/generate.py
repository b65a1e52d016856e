"""Make the invented city: its repo, and the files that its departments would send."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np

from metroon.demo.businesses import business_sheets
from metroon.demo.crashes import crash_sheets
from metroon.demo.dumping import dumping_sheets
from metroon.demo.places import save_districts, save_neighborhoods, save_residents
from metroon.demo.requests import request_sheets
from metroon.demo.responses import response_sheets
from metroon.demo.sheet import Sheet, save
from metroon.demo.shelter import stay_sheets
from metroon.demo.survey import survey_sheets
from metroon.demo.things import permit_sheets, save_lights, spending_sheet

if TYPE_CHECKING:
    from pathlib import Path


def build(folder: Path, *, seed: int = 2026) -> Path:
    """Write the city of Arroyo Vista into a folder: its repo and, below ``inbox``, its raw files.

    Files of the same names are written anew; others stay.

    Args:
        folder: Where to; it is made.
        seed: The same seed gives the same bytes. Truths and counts of flaws are the same for every seed.

    Returns:
        The folder.
    """
    with as_file(files("metroon.demo") / "city") as template:
        shutil.copytree(template, folder, dirs_exist_ok=True)
    inbox = folder / "inbox"
    save_neighborhoods(inbox / "places" / "neighborhoods.geojson")
    save_districts(inbox / "places" / "council_districts.zip")
    save_residents(inbox / "places" / "residents.csv")
    _save_events(inbox, seed)
    save_lights(_chance(seed, 5), inbox / "street_lights" / "lights_2026-06-30.parquet")
    footer = ("Total of all programs", "see the budget book")
    save(spending_sheet(), inbox / "spending" / "ledger.csv", encoding="utf-8-sig", footer=footer)
    return folder


def _save_events(inbox: Path, seed: int) -> None:
    crashes, victims = crash_sheets(_chance(seed, 1))
    requests, survey = request_sheets(_chance(seed, 2))
    _save_all(crashes, inbox / "crashes", "crashes_{}.csv")
    _save_all(victims, inbox / "crash_victims", "victims_{}.csv")
    _save_all(requests, inbox / "requests_311", "requests_{}.csv")
    _save_all(survey, inbox / "street_survey", "survey_2025_{}.csv")
    _save_all(response_sheets(_chance(seed, 3)), inbox / "fire_responses", "responses_{}.csv")
    _save_all(stay_sheets(_chance(seed, 4)), inbox / "shelter_stays", "stays_{}.csv")
    permits = permit_sheets(_chance(seed, 6))
    _save_all(permits, inbox / "building_permits", "PERMITS_{}.txt", delimiter="\t", encoding="cp1252")
    _save_all(survey_sheets(_chance(seed, 12)), inbox / "resident_survey", "survey_{}.csv")
    businesses = business_sheets(_chance(seed, 8))
    _save_all(businesses, inbox / "business_permits", "applications_{}.csv", delimiter=";")
    _save_all(dumping_sheets(_chance(seed, 9)), inbox / "dumping_orders", "orders_{}.csv")


def _chance(seed: int, source: int) -> np.random.Generator:
    # A stream for each source: a change in one leaves the bytes of the others as they were.
    return np.random.default_rng([seed, source])


def _save_all(
    sheets: dict[str, Sheet], folder: Path, name: str, *, delimiter: str = ",", encoding: str = "utf-8"
) -> None:
    for label, sheet in sheets.items():
        save(sheet, folder / name.format(label), delimiter=delimiter, encoding=encoding)
