"""The truths have their sizes in the raw files, by plain arithmetic; 3.3 standard errors are 1 in 1,000."""

from bisect import bisect
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from math import hypot, log, sqrt
from statistics import mean, median, stdev

import arroyo
import pytest
import shapely

from metroon.demo import RECORDS, TRUTHS
from metroon.demo.people import DISTRICTS, RARE_RACE
from metroon.demo.survey import adults
from metroon.demo.truths import BUILT, ELSEWHERE, QUICK_BUILD, SAFE, SIGNED, TRUST_ROSE, as_markdown

WIDE = 3.3


def size(name: str) -> float:
    return next(t.size for t in TRUTHS if t.name == name)


def change(records, corridor: str) -> tuple[float, float]:
    """Logarithm of the crashes a day after over those before, and its standard error."""
    days = [r["Crash Date"] for r in records("crashes") if r["Corridor"] == corridor]
    after = sum(d >= QUICK_BUILD.isoformat() for d in days)
    before = len(days) - after
    ratio = (after / 730) / (before / 912)
    return log(ratio), sqrt(1 / after + 1 / before)


@pytest.mark.parametrize(
    ("name", "corridor"), [("quick build", BUILT), ("signs only", SIGNED), ("rest of the city", ELSEWHERE)]
)
def test_crashes_on_a_corridor_changed_as_stated_and_no_more(name, corridor, records):
    found, error = change(records, corridor)

    assert abs(found - log(1 + size(name))) < WIDE * error


def test_the_quick_build_is_found_beyond_doubt(records):
    found, error = change(records, BUILT)

    assert found + 3 * error < 0


def within_8(record) -> bool:
    told = [datetime.strptime(record[h], "%m/%d/%y %I:%M %p") for h in ("Event Time", "On Scene")]
    return told[1] - told[0] <= timedelta(minutes=8)


def test_one_district_waits_longer_by_the_stated_points(city, records):
    known = [
        r
        for r in records("fire_responses")
        if r["Priority"] == "Priority 1" and r["On Scene"] and r["Longitude"] not in ("", "0")
        if r["Event Time"] and "X" not in r["Event Time"]
    ]
    slow = shapely.union_all([o for p, o in arroyo.neighborhoods(city).values() if p["DISTRICT"] == "6"])
    is_slow = shapely.contains_xy(slow, arroyo.points(known))
    there, elsewhere = ([within_8(r) for r, s in zip(known, is_slow, strict=True) if s == w] for w in (True, False))
    (p, e), (q, f) = arroyo.share(there), arroyo.share(elsewhere)

    assert abs(p - q - size("slow district")) < WIDE * sqrt(e * e + f * f)


def kept_promise(records, language: str) -> tuple[float, float]:
    told = []
    for r in records("requests_311"):
        # Later requests may still be closed in time, and early in 2026 a clock was wrong.
        if r["Language"] == language and r["Opened"] < "2026":
            opened = datetime.fromisoformat(r["Opened"])
            told.append(bool(r["Closed"]) and datetime.fromisoformat(r["Closed"]) - opened <= timedelta(days=10))
    return arroyo.share(told)


@pytest.mark.parametrize("language", ["Spanish", "Vietnamese"])
def test_the_promise_is_kept_less_often_in_a_language_by_the_stated_points(language, records):
    (p, e), (q, f) = kept_promise(records, language), kept_promise(records, "English")

    assert abs(p - q - size(f"{language} gap")) < WIDE * sqrt(e * e + f * f)


def test_residents_of_two_districts_report_half_of_what_others_do(records):
    seen = records("street_survey")
    silent, others = (
        arroyo.share([bool(r["Request ID"]) for r in seen if (r["Neighborhood"] > "N30") == w]) for w in (True, False)
    )
    error = sqrt((silent[1] / silent[0]) ** 2 + (others[1] / others[0]) ** 2)

    assert abs(log(silent[0] / others[0]) - log(size("silent districts"))) < WIDE * error


def test_every_reported_defect_was_reported_before_it_was_seen_and_not_yet_closed(records):
    requests = {r["Request ID"]: r for r in records("requests_311")}
    linked = [(r["Seen"], requests[r["Request ID"]]) for r in records("street_survey") if r["Request ID"]]

    assert all(r["Category"] == "Street defect" for _, r in linked)
    assert all(r["Opened"][:10] <= seen <= (r["Closed"][:10] or "9999") for seen, r in linked)


def test_street_lights_are_out_equally_often_everywhere(records):
    known = [r for r in records("street_lights") if r["outage"] != "-" and r["longitude"]]
    east, west = (
        arroyo.share([r["outage"] != "No" for r in known if (float(r["longitude"]) > -119.75) == w])
        for w in (True, False)
    )

    assert abs(east[0] - west[0]) < WIDE * sqrt(east[1] ** 2 + west[1] ** 2)


def test_of_known_exits_the_stated_share_is_to_housing(records):
    unknown = {"", "No exit interview", "Data not collected", "Unknown"}
    homes = {"Rental without subsidy", "Rental with subsidy", "With family, permanent"}
    known = [r["Exit Destination"] for r in records("shelter_stays") if r["Exit Destination"] not in unknown]
    p, error = arroyo.share([d in homes for d in known])

    assert abs(p - size("housed")) < WIDE * error
    assert 0.4 < 1 - len(known) / sum(bool(r["Exit Date"]) for r in records("shelter_stays")) < 0.5


def test_the_quiet_neighborhood_had_exactly_two_injured_people_in_2024(city, records):
    outline = arroyo.neighborhoods(city)["N03"][1]
    quiet = [r for r in records("crashes") if r["Crash Date"] < "2025" and r["Crash Date"] >= "2024"]
    quiet = [
        r
        for r in quiet
        if r["Longitude"] and outline.contains(shapely.Point(float(r["Longitude"]), float(r["Latitude"])))
    ]

    assert size("quiet neighborhood") == sum(int(r["Injured"]) for r in quiet)


def test_one_client_is_one_of_a_kind(records):
    rare = [r for r in records("shelter_stays") if r["Race"] == RARE_RACE]
    there = [r for r in records("shelter_stays") if r["Last Neighborhood"] == "N06"]

    assert 1 == len(rare)
    assert rare == there


def test_so_many_stays_are_open_on_the_last_day(records):
    assert size("still there") == sum(not r["Exit Date"] for r in records("shelter_stays"))


def agreeing(records, question: str, **only: Callable[[str], bool]) -> tuple[float, float]:
    """The weighted share of those who agree or agree strongly, and its standard error."""
    told = [r for r in records("resident_survey") if r["Question"].lower() == question and r["Answer"] in "12345"]
    told = [r for r in told if all(is_one(r[header.replace("_", " ")]) for header, is_one in only.items())]
    weights = [float(r["Weight"]) for r in told]
    p = sum(w for w, r in zip(weights, told, strict=True) if r["Answer"] in "45") / sum(weights)
    return p, sqrt(p * (1 - p) * sum(w * w for w in weights)) / sum(weights)


def apart(a: tuple[float, float], b: tuple[float, float], expected: float) -> float:
    """How many standard errors the difference of two shares lies from what is expected."""
    return abs(a[0] - b[0] - expected) / sqrt(a[1] ** 2 + b[1] ** 2)


def test_trust_rises_on_the_stated_day_by_the_stated_points_and_at_no_other_time(records):
    rose = TRUST_ROSE.isoformat()
    before, after = (
        agreeing(records, "trust", Answered=is_one) for is_one in (lambda d: d < rose, lambda d: d >= rose)
    )
    first, second = (
        agreeing(records, "trust", Answered=is_one)
        for is_one in (lambda d: d < "2023-07", lambda d: "2023-07" <= d < rose)
    )

    assert apart(after, before, size("trust rises")) < WIDE
    assert apart(second, first, 0) < WIDE


def test_speakers_of_vietnamese_trust_less_by_the_stated_points(records):
    theirs, others = (
        agreeing(records, "trust", Language=lambda text, n=n: text == n) for n in ("Vietnamese", "English")
    )

    assert apart(theirs, others, size("trust gap")) < WIDE


def test_a_share_without_the_weights_is_wrong_because_some_are_asked_three_times_as_often(records):
    known = [r for r in records("resident_survey") if r["Question"].lower() == "trust" and r["Answer"] in "12345"]
    raw, _ = arroyo.share([r["Answer"] in "45" for r in known])

    assert raw < agreeing(records, "trust")[0] - 0.01


def test_weights_stand_for_the_adults_of_each_district_in_each_quarter(records):
    quarters = {r["file"] for r in records("resident_survey")}
    stands_for = Counter()
    for r in records("resident_survey"):
        if r["Question"] == "safe":
            stands_for[r["District"]] += float(r["Weight"]) / len(quarters)
    grown = {str(d): adults()[str(d) == DISTRICTS].sum() for d in range(1, 9)}

    assert 18 == len(quarters)
    assert [] == [d for d, n in grown.items() if abs(stands_for[d] / n - 1) > 0.05]


def test_residents_of_every_district_feel_equally_safe(records):
    shares = [agreeing(records, "safe", District=lambda text, d=d: text == str(d)) for d in range(1, 9)]
    mean = sum(p for p, _ in shares) / len(shares)

    assert sum(((p - mean) / e) ** 2 for p, e in shares) < 24.3  # chi-square with 7 degrees: 1 in 1,000
    assert abs(mean - SAFE) < 0.02


def test_districts_that_report_little_say_that_they_are_not_clean(records):
    silent, others = (
        agreeing(records, "clean", District=is_one) for is_one in (lambda d: d in "78", lambda d: d not in "78")
    )

    assert apart(silent, others, size("unclean and silent")) < WIDE


def median_wait(records, **only: str) -> tuple[float, float]:
    """Days by which half are decided, open ones counted, and its standard error (Kaplan and Meier 1958)."""
    waits = []
    for r in records("business_permits"):
        if all(r[header.replace("_", " ")] == text for header, text in only.items()):
            end = r["Decided"] or "2026-06-30"
            days = (date.fromisoformat(end) - date.fromisoformat(r["Received"])).days
            waits.append((days, bool(r["Decided"])))
    waits = sorted((w for w in waits if w[0] >= 0), key=lambda w: (w[0], not w[1]))
    left, at = 1.0, {}
    for i, (days, is_decided) in enumerate(waits):
        left *= 1 - is_decided / (len(waits) - i)
        at[days] = left
    crossed = [min(d for d, s in at.items() if s <= level) for level in (0.55, 0.5, 0.45)]
    density = 0.10 / (crossed[2] - crossed[0])
    return crossed[1], sqrt(0.25 / len(waits)) / density


def test_half_of_the_applications_are_decided_within_the_stated_days_and_the_decided_alone_would_flatter(records):
    found, error = median_wait(records, Owner_Language="English")
    decided = [
        (date.fromisoformat(r["Decided"]) - date.fromisoformat(r["Received"])).days
        for r in records("business_permits")
        if r["Decided"] and r["Owner Language"] == "English"
    ]

    assert abs(found - size("half are decided")) < WIDE * error
    assert median(decided) < size("half are decided") - 6


@pytest.mark.parametrize("language", ["Spanish", "Vietnamese"])
def test_owners_wait_longer_in_a_language_by_the_stated_days(language, records):
    theirs, others = (median_wait(records, Owner_Language=n) for n in (language, "English"))

    assert apart(theirs, others, size(f"{language} wait")) < WIDE


def test_small_businesses_wait_no_longer_than_large_ones(records):
    small, large = (median_wait(records, Employees=n) for n in ("1-4", "20-99"))

    assert apart(small, large, size("size of a business")) < WIDE


@pytest.mark.parametrize("language", ["Spanish", "Vietnamese"])
def test_applications_are_sent_in_more_often_in_a_language_as_stated(language, records):
    times = {
        n: [int(r["Times Sent In"]) for r in records("business_permits") if r["Owner Language"] == n]
        for n in (language, "English")
    }
    known = {n: [t for t in found if t > 0] for n, found in times.items()}
    (a, e), (b, f) = ((mean(v), stdev(v) / sqrt(len(v))) for v in known.values())

    assert abs(a - b - size("sent in again")) < WIDE * sqrt(e * e + f * f)


def is_back(heap, later) -> bool:
    metres = [(float(heap[h]) - float(later[h])) * m for h, m in (("Longitude", 90_164), ("Latitude", 110_967))]
    return heap["Waste"] == later["Waste"] and hypot(*metres) <= 50


def test_waste_is_dumped_again_more_often_where_the_contractor_cleaned(records):
    orders = [r for r in records("dumping_orders") if r["Longitude"] not in ("", "0")]
    reported = [datetime.fromisoformat(r["Reported"]) for r in orders]
    found = {"City crew": [], "Contractor": []}
    for r in orders:
        # Of what was cleaned in the last two weeks nobody knows yet whether it comes back.
        if r["Cleaned"] and r["Cleaned"] < "2026-06-16":
            cleaned = datetime.fromisoformat(r["Cleaned"])
            soon = orders[bisect(reported, cleaned) : bisect(reported, cleaned + timedelta(days=14))]
            found[r["Crew"]].append(any(is_back(r, later) for later in soon))
    theirs, others = (arroyo.share(found[crew]) for crew in ("Contractor", "City crew"))

    assert apart(theirs, others, size("dumped again")) < WIDE


def test_the_contractor_takes_less_for_a_ton_as_stated(records):
    known = [r for r in records("dumping_orders") if r["Tons"] not in ("", "-999")]
    per_ton = {}
    for crew in ("City crew", "Contractor"):
        own = [(float(r["Cost"]), float(r["Tons"])) for r in known if r["Crew"] == crew]
        ratio = sum(c for c, _ in own) / sum(t for _, t in own)
        error = sqrt(sum((c - ratio * t) ** 2 for c, t in own)) / sum(t for _, t in own)
        per_ton[crew] = log(ratio), error / ratio

    assert apart(per_ton["Contractor"], per_ton["City crew"], log(1 + size("cheap by the ton"))) < WIDE


def test_victims_belong_to_crashes_and_crashes_count_them(records):
    hurt = Counter(r["Crash ID"] for r in records("crash_victims"))

    assert {r["Crash ID"]: int(r["Injured"]) for r in records("crashes")} == hurt


def test_a_crash_is_as_severe_as_its_worst_injury(records):
    worst = {}
    for r in records("crash_victims"):
        worst.setdefault(r["Crash ID"], []).append("KABC".index(r["Injury"]))

    assert {c: "KABC"[min(i)] for c, i in worst.items()} == {r["Crash ID"]: r["Severity"] for r in records("crashes")}


@pytest.mark.parametrize(
    "product",
    ["crash_victims", "requests_311", "fire_responses", "shelter_stays", "business_permits", "dumping_orders"],
)
def test_identifiers_are_unique_among_different_records(product, records):
    key = {
        "crash_victims": "Victim ID", "requests_311": "Request ID", "fire_responses": "Incident No",
        "business_permits": "Application No", "dumping_orders": "Order No",
    }  # fmt: skip
    ids = [r[key.get(product, "Stay ID")] for r in records(product)]

    assert RECORDS[product] == len(set(ids))


def test_the_page_of_truths_in_the_city_says_what_the_code_says(city):
    assert as_markdown() == (city / "TRUTHS.md").read_text(encoding="utf-8")
