"""Street lights, building permits and the ledger of programs: nobody's person stands behind these rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from metroon.demo.days import day, iso_days, labels, us_days
from metroon.demo.flaws import LATE_SINCE, RECORDS, flawed_rows
from metroon.demo.people import DISTRICTS, KEYS, NEIGHBORHOODS, POVERTY, RESIDENTS, live_in
from metroon.demo.position import displaced, position
from metroon.demo.sheet import Change, Number, Sheet, Text, deliveries, padded, spoiled, with_twins
from metroon.demo.terrain import GRID, squares
from metroon.demo.truths import LIGHTS_OUT

if TYPE_CHECKING:
    from pathlib import Path

_PERMITS = np.array(["Home alteration", "Solar", "New dwelling", "Commercial alteration", "Demolition"])
_PERMIT_CHANCES = [0.42, 0.22, 0.12, 0.19, 0.05]
_DAYS_TO_ISSUE = np.array([24.0, 9.0, 60.0, 38.0, 16.0])
_WORK = np.array(["Patio cover, rear yard", "Water heater", "Techo y baño nuevos", "Façade repair", "Rewiring"])
_PROGRAMS: tuple[tuple[str, str, str, int, str], ...] = (
    ("Quick-build corridors", "transportation", "Road fund (invented)", 2_400_000, "crashes_by_corridor"),
    ("Corridor signs", "transportation", "General fund", 310_000, "crashes_by_corridor"),
    ("Safe routes to school", "transportation", "General fund", 780_000, "people_injured"),
    ("Crash analysis", "transportation", "General fund", 190_000, "people_killed_or_severely_hurt"),
    ("Pavement repair", "public_works", "Road fund (invented)", 9_800_000, "street_defects_seen"),
    ("Street inspection", "public_works", "General fund", 640_000, "street_defects_reported"),
    ("Street lighting", "public_works", "Lighting district (invented)", 2_100_000, "street_lights_out"),
    ("311 call center", "public_works", "General fund", 1_900_000, "requests_closed_within_10_days"),
    ("Language access", "public_works", "General fund", 260_000, "requests_closed_within_10_days"),
    ("Fire and medical response", "fire", "General fund", 61_000_000, "calls_within_8_minutes"),
    ("Station 10 staffing", "fire", "Public safety tax (invented)", 3_700_000, "calls_within_8_minutes"),
    ("Emergency shelter", "housing", "State housing grant (invented)", 7_200_000, "people_entering_shelter"),
    ("Rental help", "housing", "State housing grant (invented)", 4_500_000, "exits_to_housing"),
    ("Street outreach", "housing", "General fund", 1_300_000, ""),
    ("Permit counter", "planning", "Permit fees", 5_400_000, "permits_within_30_days"),
    ("Digital permits", "planning", "Permit fees", 890_000, ""),
)  # fmt: skip
_FISCAL_YEARS = ("2021-22", "2022-23", "2023-24", "2024-25", "2025-26", "2026-27")


def save_lights(rng: np.random.Generator, file: Path) -> None:
    """Write the street lights as Parquet, numbers as numbers and dates as dates.

    Grain:
        One row per street light.
    """
    n = RECORDS["street_lights"]
    area = np.bincount(GRID.ravel(), minlength=len(NEIGHBORHOODS) + 1)[1:].astype(float)
    home = live_in(rng, area + 0.0006 * RESIDENTS, n)
    is_out = rng.random(n) < LIGHTS_OUT
    sheet = Sheet(
        {
            "light_id": padded("AV-L-", np.arange(n) + 1, 5),
            "lamp": rng.choice(np.array(["LED", "Sodium"]), n, p=[0.7, 0.3]),
            "watts": rng.choice(np.array([40, 70, 100]), n).astype(np.str_),
            "inspected_on": iso_days(day(LATE_SINCE) + rng.integers(1, 61, n)),
            "outage": np.where(is_out, "Yes", "No"),
            **position(rng, squares(rng, home)),
        }
    )
    every = np.ones(n, dtype=bool)
    flawed = flawed_rows(rng, "street_lights", among=every, only={"second spelling": is_out})
    changes: list[Change] = [
        ("watts", "no watts", "-999"),
        ("outage", "no outage", "-"),
        ("outage", "second spelling", "Y"),
    ]
    sheet = displaced(rng, spoiled(sheet, flawed, changes), flawed)
    written = sheet.take(with_twins(n, flawed["twin"])).columns
    file.parent.mkdir(parents=True, exist_ok=True)
    table = {
        "light_id": pa.array(written["light_id"].tolist()),
        "lamp": pa.array(written["lamp"].tolist()),
        "watts": pa.array(written["watts"].astype(np.int32)),
        "inspected_on": pa.array(written["inspected_on"].astype("datetime64[D]")),
        "outage": pa.array(written["outage"].tolist()),
        "longitude": _numbers(written["Longitude"]),
        "latitude": _numbers(written["Latitude"]),
    }
    pq.write_table(pa.table(table), file, compression="zstd")


def _numbers(column: Text) -> pa.Array:
    values = np.where(column == "", "nan", column).astype(float)
    return pa.array(values, mask=np.isnan(values))


def permit_sheets(rng: np.random.Generator) -> dict[str, Sheet]:
    """The yearly files of building permits, by the year they were applied for: label -> sheet.

    Grain:
        One row per permit applied for.
    """
    n = RECORDS["building_permits"]
    applied = np.sort(rng.integers(0, day(LATE_SINCE) + 1, n))
    applied[-1] = day(LATE_SINCE)
    kind = rng.choice(len(_PERMITS), n, p=_PERMIT_CHANCES)
    issued = applied + 1 + (_DAYS_TO_ISSUE[kind] * rng.lognormal(0, 0.7, n)).astype(np.int64)
    is_issued = (issued <= day(LATE_SINCE)) & (rng.random(n) < 0.95)
    home = live_in(rng, _building(), n) - 1
    value = np.round(np.exp(rng.normal(9.6, 1.1, n)), -2).astype(np.int64)
    number = rng.integers(1, 400, n).astype(np.str_)
    sheet = Sheet(
        {
            "PERMIT_NO": padded("AV-P-", np.arange(n) + 1, 6),
            "PERMIT_TYPE": _PERMITS[kind],
            "APPLIED": us_days(applied),
            "ISSUED": np.where(is_issued, us_days(np.where(is_issued, issued, 0)), ""),
            "NEIGHBORHOOD": KEYS[home],
            "DISTRICT": DISTRICTS[home],
            "VALUATION": value.astype(np.str_),
            "APPLICANT": np.strings.add("Invented Applicant ", number),
            "PHONE": padded("(559) 555-01", rng.integers(0, 100, n), 2),
            "WORK": rng.choice(_WORK, n),
        }
    )
    only = {"second spelling": kind == 1, "issued early": is_issued & (applied > 9)}
    flawed = flawed_rows(rng, "building_permits", among=np.ones(n, dtype=bool), only=only)
    changes: list[Change] = [
        ("VALUATION", "no valuation", "-999"),
        ("NEIGHBORHOOD", "no neighborhood", "-"),
        ("DISTRICT", "no neighborhood", "-"),
        ("ISSUED", "issued early", us_days(applied[flawed["issued early"]] - 9)),
        ("PERMIT_TYPE", "second spelling", "SOLAR PV"),
    ]
    rows = with_twins(n, flawed["twin"])
    return deliveries(spoiled(sheet, flawed, changes).take(rows), labels(applied[rows], "year"))


def _building() -> Number:
    return np.asarray(RESIDENTS * (1.3 - 2 * POVERTY), dtype=float)


def spending_sheet() -> Sheet:
    """The ledger: what each program was given and spent in each fiscal year.

    Grain:
        One row per program and fiscal year.
    """
    rows = [
        (name, department, fund, year, str(_budget(first, i)), _spent(first, program, i), measure)
        for program, (name, department, fund, first, measure) in enumerate(_PROGRAMS)
        for i, year in enumerate(_FISCAL_YEARS)
    ]
    headers = ("Program", "Department", "Fund", "Fiscal Year", "Budgeted", "Spent", "Measure")
    return Sheet({h: np.array(column) for h, column in zip(headers, zip(*rows, strict=True), strict=True)})


def _budget(first: int, year: int) -> int:
    return round(first * (100 + 3 * year) // 100, -3)


def _spent(first: int, program: int, year: int) -> str:
    if year == len(_FISCAL_YEARS) - 1:
        return "-"
    return str(_budget(first, year) * (900 + 13 * ((program * 3 + year * 5) % 8)) // 1000)
