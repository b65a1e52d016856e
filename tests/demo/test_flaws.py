"""Each flaw is in the files in exactly as many rows as declared, counted by plain Python."""

from collections import defaultdict
from datetime import date

import arroyo
import pytest
import shapely

from metroon.demo import FLAWS
from metroon.demo.flaws import LATE_SINCE, RACE_REFUSED, RENAMED_MONTH, TIMELESS_MONTH

WRITTEN = [
    ("crashes", "no time", "Crash Time", "2500"),
    ("crashes", "no hit and run", "Hit And Run", "-"),
    ("crashes", "second spelling", "Mode", "Ped"),
    ("crash_victims", "age 0", "Age", "0"),
    ("crash_victims", "age 998", "Age", "998"),
    ("crash_victims", "race unknown", "Race", "Unknown"),
    ("crash_victims", "race dash", "Race", "-"),
    ("crash_victims", "sex dash", "Sex", "-"),
    ("requests_311", "stray category", "Category", "Test please ignore"),
    ("requests_311", "second spelling", "Category", "ILLEGAL DUMPING"),
    ("requests_311", "language unknown", "Language", "Unknown"),
    ("requests_311", "language dash", "Language", "-"),
    ("fire_responses", "unreadable time", "Event Time", "13/45/23 99:99 XM"),
    ("fire_responses", "no arrival", "On Scene", ""),
    ("fire_responses", "no priority", "Priority", ""),
    ("fire_responses", "second spelling", "Call Type", "MEDICAL AID"),
    ("shelter_stays", "no birth", "Date of Birth", "1900-01-01"),
    ("shelter_stays", "race unknown", "Race", "Unknown"),
    ("shelter_stays", "no home", "Last Neighborhood", "Unknown"),
    ("shelter_stays", "no home", "Last District", "Unknown"),
    ("shelter_stays", "no exit interview", "Exit Destination", "No exit interview"),
    ("shelter_stays", "not collected", "Exit Destination", "Data not collected"),
    ("shelter_stays", "destination unknown", "Exit Destination", "Unknown"),
    ("street_lights", "no watts", "watts", "-999"),
    ("street_lights", "no outage", "outage", "-"),
    ("street_lights", "second spelling", "outage", "Y"),
    ("building_permits", "no valuation", "VALUATION", "-999"),
    ("building_permits", "no neighborhood", "NEIGHBORHOOD", "-"),
    ("building_permits", "second spelling", "PERMIT_TYPE", "SOLAR PV"),
    ("street_survey", "no severity", "Severity", "-"),
    ("resident_survey", "does not know", "Answer", "8"),
    ("resident_survey", "refused", "Answer", "9"),
    ("resident_survey", "race refused", "Race", "99"),
    ("resident_survey", "second spelling", "Question", "TRUST"),
    ("business_permits", "language unknown", "Owner Language", "Unknown"),
    ("business_permits", "not counted", "Times Sent In", "0"),
    ("business_permits", "no neighborhood", "Neighborhood", "-"),
    ("business_permits", "no neighborhood", "District", "-"),
    ("business_permits", "second spelling", "Business Type", "RESTAURANT"),
    ("dumping_orders", "no tons", "Tons", "-999"),
    ("spending", "not spent yet", "Spent", "-"),
    ("residents", "withheld", "residents", "-"),
]
POINTS = ["crashes", "requests_311", "fire_responses", "dumping_orders", "street_lights"]


def declared(product: str, name: str) -> int:
    return next(f.rows for f in FLAWS if (f.product, f.name) == (product, name))


@pytest.mark.parametrize(("product", "name", "header", "text"), WRITTEN)
def test_a_flaw_stands_in_as_many_rows_as_declared(product, name, header, text, records):
    assert declared(product, name) == sum(r.get(header) == text for r in records(product))


@pytest.mark.parametrize("product", POINTS)
def test_points_are_empty_or_zero_in_as_many_rows_as_declared(product, records):
    header = "longitude" if product == "street_lights" else "Longitude"
    longitudes = [r[header] for r in records(product)]

    assert declared(product, "no point") == longitudes.count("")
    assert declared(product, "zero point") == sum(x in ("0", "0.0") for x in longitudes)


@pytest.mark.parametrize("product", POINTS[:4])
def test_points_outside_the_city_are_as_many_as_declared(product, city, records):
    whole = shapely.union_all([outline for _, outline in arroyo.neighborhoods(city).values()])
    is_inside = shapely.contains_xy(whole, arroyo.points(records(product)))

    assert declared(product, "far point") == (~is_inside).sum()


def test_as_many_requests_as_declared_lie_in_the_future(records):
    assert declared("requests_311", "future") == sum(r["Opened"] > "2026-07-15" for r in records("requests_311"))


def test_as_many_requests_as_declared_are_closed_before_they_are_opened(records):
    early = [r for r in records("requests_311") if r["Closed"] and r["Closed"] < r["Opened"] < "2027"]

    assert declared("requests_311", "closed early") == len(early)


def test_as_many_details_as_declared_hold_a_line_break(records):
    assert declared("requests_311", "line break") == sum("\n" in r["Details"] for r in records("requests_311"))


def test_one_file_of_requests_has_another_header(city):
    heads = {
        f.stem[-7:]: f.read_text(encoding="utf-8").splitlines()[0]
        for f in (city / "inbox" / "requests_311").glob("*.csv")
    }

    assert [RENAMED_MONTH] == [month for month, head in heads.items() if ",Category," not in head]


def test_one_file_of_responses_lacks_a_third_of_its_times(records):
    missing = {}
    for r in records("fire_responses"):
        missing.setdefault(r["file"][-7:], []).append(r["Event Time"] == "")
    shares = {month: sum(m) / len(m) for month, m in missing.items()}

    assert [TIMELESS_MONTH] == [month for month, share in shares.items() if share > 1 / 3]
    assert declared("fire_responses", "no time") == sum(sum(m) for k, m in missing.items() if k != TIMELESS_MONTH)


def test_as_many_destinations_as_declared_are_empty_after_an_exit(records):
    empty = [r for r in records("shelter_stays") if r["Exit Date"] and not r["Exit Destination"]]

    assert declared("shelter_stays", "destination empty") == len(empty)


def test_as_many_businesses_as_declared_are_answered_before_they_ask(records):
    early = [r for r in records("business_permits") if r["Decided"] and r["Decided"] < r["Received"]]

    assert declared("business_permits", "decided early") == len(early)


def test_who_does_not_say_a_race_says_none_in_any_answer(records):
    told = defaultdict(set)
    for r in records("resident_survey"):
        told[r["Response ID"]].add(r["Race"])

    assert {1} == {len(races) for races in told.values()}
    assert RACE_REFUSED == sum(races == {"99"} for races in told.values())


def test_permits_stop_on_the_declared_day(records):
    applied = [r["APPLIED"].split("/") for r in records("building_permits")]

    assert LATE_SINCE == max(date(int(y), int(m), int(d)) for m, d, y in applied)


def test_a_line_of_totals_stands_below_the_ledger(records):
    assert ("Total of all programs", None) == (
        records("spending")[-1]["Program"],
        records("spending")[-1]["Spent"],
    )
