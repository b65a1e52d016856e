"""San Francisco, walked whole, against counts made here by hand: plain Python, the raw files and shapely."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
import shutil
from collections import Counter
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

import pytest
import shapefile
import shapely
from shapely.geometry import shape

from metroon import flow
from metroon.base.estimate import ALL
from metroon.city import load
from metroon.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from metroon.base.account import Account, Measured, Run
    from metroon.base.estimate import Estimate

pytestmark = pytest.mark.shared

EXAMPLE = Path(__file__).parents[2] / "examples" / "sanfrancisco"
YEARS = ("2015", "2016", "2017", "2018", "2019")
QUARTILE, TRACT_EPC, EPC = "tract.poverty_quartile", "tract.equity_priority", "equity_priority_area.poverty_half"
TOO_FINE = "crashes_by_tract"
Row = dict[str, str]


@pytest.fixture(scope="module")
def data(shared_data: Path) -> Path:
    return shared_data / "sf"


@pytest.fixture(scope="module")
def walk(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("city") / "sanfrancisco"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".metroon"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METROON_DATA", str(shared_data))
        city = load(folder)
        assert city.file.as_of is not None
        yield Walk(city, city.file.as_of)


@pytest.fixture(scope="module")
def run(walk: Walk) -> Run:
    return flow.run(walk)


@pytest.fixture(scope="module")
def accounts(run: Run) -> dict[str, Account]:
    return {a.product: a for a in run.accounts}


@pytest.fixture(scope="module")
def measures(run: Run) -> dict[str, Measured]:
    return {m.measure: m for m in run.measured}


# The same by hand.


@pytest.fixture(scope="module")
def tracts(data: Path) -> dict[str, dict]:
    """Tract -> its shape, poverty, residents of 2010-14, poverty quartile, and how much of it is a community."""
    features = json.loads((data / "sf_tracts_ces3.geojson").read_text())["features"]
    with (data / "ACS_14_5YR-POP" / "ACS_14_5YR_B01003_with_ann.csv").open(newline="") as file:
        residents = {r["GEO.id2"]: int(r["HD01_VD01"]) for r in csv.DictReader(file) if r["GEO.id2"].isdigit()}
    poverty = {f["properties"]["GEOID"]: f["properties"]["Poverty"] for f in features}
    cuts = quantiles([p for p in poverty.values() if p is not None], n=4, method="inclusive")
    made = {}
    for feature in features:
        geoid = feature["properties"]["GEOID"]
        percent = poverty[geoid]
        band = None if percent is None else str(1 + sum(cut < percent for cut in cuts))
        made[geoid] = {"shape": shape(feature["geometry"]), "residents": residents[geoid], "band": band, "epc": "1"}
    for area in _communities(data):
        made["06075" + area["tract"]]["epc"] = "2" if area["block_grou"] == "NA" else None
    return made


def _communities(data: Path) -> list[dict]:
    folder = data / "SF_EPCs_2021"
    with shapefile.Reader(str(folder / "SF_EPCs_2021.shp"), encoding="ISO-8859-1") as reader:
        return [{**r.record.as_dict(), "shape": shape(r.shape.__geo_interface__)} for r in reader.iterShapeRecords()]


def _finder(shapes: Iterable[shapely.Geometry]) -> Callable[[float, float], list[int]]:
    tree = shapely.STRtree(list(shapes))
    return lambda x, y: tree.query(shapely.Point(x, y), predicate="intersects").tolist()


@pytest.fixture(scope="module")
def crashes(data: Path, tracts: dict[str, dict]) -> list[Row]:
    """Crashes as in the file, each with the places that its point lies in."""
    with (data / "Crashes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    areas = _communities(data)
    find = _finder(a["shape"] for a in areas)
    cut = quantiles([a["pct_below2"] for a in areas], n=2, method="inclusive")[0]
    for row in _placed(rows, tracts, "POINT_X", "POINT_Y"):
        at = find(float(row["POINT_X"]), float(row["POINT_Y"]))
        # Block groups overlap tracts beside them by slivers, and one crash lies there: the lower half comes first.
        row[EPC] = min(("2" if areas[i]["pct_below2"] > cut else "1" for i in at), default="(outside)")
    return rows


@pytest.fixture(scope="module")
def requests(data: Path, tracts: dict[str, dict]) -> list[Row]:
    """311 requests that can be judged, each with its year, its place and whether it was closed in 7 days."""
    with (data / "cases_sample.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["Opened"] < "2016-01-20"]
    for row in _placed(rows, tracts, "Long", "Lat"):
        days = (_day(row["Closed"]) - _day(row["Opened"])).days if row["Closed"] != "NA" else math.inf
        row["year"], row["is_done"] = row["Opened"][:4], days <= 7
    return rows


def _day(text: str) -> datetime:
    return datetime.strptime(text[:10], "%Y-%m-%d")


def _placed(rows: list[Row], tracts: dict[str, dict], x: str, y: str) -> Iterator[Row]:
    keys, find = list(tracts), _finder(t["shape"] for t in tracts.values())
    for row in rows:
        at = find(float(row[x]), float(row[y]))
        assert len(at) <= 1
        tract = tracts[keys[at[0]]] if at else {}
        row["tract"] = keys[at[0]] if at else "(outside)"
        row[QUARTILE] = tract.get("band") or "(outside)"
        row[TRACT_EPC] = tract.get("epc") or "(outside)"
        yield row


def _is_ksi(row: Row) -> bool:
    return row["COLLISION_SEVERITY"] in "12"


def _at(measured: Measured, geography: str) -> dict[tuple[str, str], Estimate]:
    """(period, place) -> estimate, groups left out."""
    shown = (e for e in measured.estimates if (e.cell.geography, e.cell.dimension) == (geography, ALL))
    return {(e.cell.period, e.cell.place): e for e in shown}


def _grouped(measured: Measured, dimension: str) -> dict[str, Estimate]:
    """Group -> estimate."""
    return {e.cell.group: e for e in measured.estimates if e.cell.dimension == dimension}


def _check_shares(shown: dict, yes: Counter, trials: Counter) -> None:
    """Every share that is shown is the one counted by hand; those that are not shown are hidden or empty."""
    assert trials.keys() <= shown.keys()
    for key, e in shown.items():
        if e.state == "hidden":
            continue
        assert (yes[key], trials[key]) == (e.events or 0, e.base or 0)
        assert e.value is None if not trials[key] else e.value == yes[key] / trials[key]


# Rows


def test_every_row_is_accounted_for(run: Run) -> None:
    assert [] == [a.product for a in run.accounts if not a.adds_up or a.problems or a.outcome == "failed"]


def test_records_read_are_those_in_the_files(data: Path, accounts: dict[str, Account]) -> None:
    tracts = (data / "sf_tracts_ces3.geojson").read_text().count('"type": "Feature",')
    index = {n: (data / f).stat().st_size for n, f in (
        ("equity_priority_areas", "SF_EPCs_2021/SF_EPCs_2021.shx"),
        ("high_injury_network", "high-injury-network/vz_hin_2017_single_line.shx"),
    )}  # fmt: skip
    counted = {
        "crash_records": (data / "Crashes.csv").read_bytes().count(b"\n") - 1,
        "acs_residents": (data / "ACS_14_5YR-POP" / "ACS_14_5YR_B01003_with_ann.csv").read_bytes().count(b"\n") - 1,
        # Notes run over lines; a record is what begins with a quoted row number and a request's number.
        "requests_311": len(re.findall(rb'^"\d+",\d+,"\d{4}-', (data / "cases_sample.csv").read_bytes(), re.M)),
        "census_tracts": tracts,
        # An index has a head of 100 bytes, and 8 bytes a shape.
        **{n: (size - 100) // 8 for n, size in index.items()},
    }

    assert counted == {n: accounts[n].read for n in counted}


def test_only_the_second_header_of_the_survey_file_is_set_aside(accounts: dict[str, Account]) -> None:
    aside = {n: dict(a.set_aside) for n, a in accounts.items() if a.set_aside}

    assert {"acs_residents": {"geoid does not match its pattern": 1}} == aside


def test_the_latitude_on_the_report_is_told_to_be_of_no_use(accounts: dict[str, Account]) -> None:
    told = [t for t in accounts["crash_records"].cannot_answer if "on the report" in t]

    assert ["96%", "96%"] == [re.search(r"\d+%", t)[0] for t in told]


def test_requests_closed_before_they_were_opened_are_told(data: Path, accounts: dict[str, Account]) -> None:
    with (data / "cases_sample.csv").open(newline="", encoding="utf-8") as file:
        early = sum(r["Closed"] < r["Opened"] for r in csv.DictReader(file) if r["Closed"] != "NA")
    broken = {v.rule: v.note for v in accounts["requests_311"].verdicts if not v.is_kept}

    assert f"found {early}" == broken["closed_after_opened"]
    assert {"closed_after_opened", "zip_in_the_city"} == broken.keys()


def test_a_shapefile_is_hashed_with_all_its_parts(data: Path, accounts: dict[str, Account]) -> None:
    parts = sorted((data / "SF_EPCs_2021").iterdir())
    lines = "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in parts)
    (delivery,) = accounts["equity_priority_areas"].deliveries

    assert hashlib.sha256(lines.encode()).hexdigest() == delivery.sha256
    assert sum(p.stat().st_size for p in parts) == delivery.size


def test_lines_in_web_mercator_come_out_in_degrees(data: Path, walk: Walk, run: Run) -> None:
    with shapefile.Reader(str(data / "high-injury-network" / "vz_hin_2017_single_line.shp")) as reader:
        x, y = reader.shape(0).points[0]
    rows = walk.engine.rows(walk.lake.read(walk.version("high_injury_network")))
    line = shapely.from_wkb(next(r["geometry"] for r in rows if r["line"] == 1))
    at = shapely.get_coordinates(line)[0]

    assert math.degrees(x / 6378137) == pytest.approx(at[0], abs=1e-9)
    assert math.degrees(2 * math.atan(math.exp(y / 6378137)) - math.pi / 2) == pytest.approx(at[1], abs=1e-9)


def test_no_row_about_people_is_published(walk: Walk, run: Run) -> None:
    zones = {n: walk.lake.open(n) is not None for n in walk.city.products}

    assert ["crash_records", "pedestrian_crashes", "requests_311"] == sorted(
        n for n, is_open in zones.items() if not is_open
    )


def test_points_outside_are_those_found_by_hand(crashes: list[Row], accounts: dict[str, Account]) -> None:
    outside = accounts["pedestrian_crashes"].outside

    for title, column in (
        ("Census tracts (2010)", "tract"),
        ("Tract poverty quartile (2010)", QUARTILE),
        ("Tracts by Equity Priority Community (2010)", TRACT_EPC),
        ("Equity Priority Communities by poverty (2021)", EPC),
    ):
        assert sum(r[column] == "(outside)" for r in crashes) == outside[title]


# Numbers


@pytest.mark.parametrize("geography", [QUARTILE, EPC])
def test_crashes_by_year_and_place_are_those_counted_by_hand(
    geography: str, crashes: list[Row], measures: dict[str, Measured]
) -> None:
    counted = Counter((r["ACCIDENT_YEAR"], r[geography]) for r in crashes)
    shown = _at(measures["pedestrian_crashes_by_year"], geography)

    hidden = {k for k, e in shown.items() if e.state == "hidden"}

    assert len(hidden) <= 4
    assert counted == Counter({k: counted[k] if k in hidden else e.events for k, e in shown.items()})
    assert set(YEARS) == {period for period, _ in shown}


@pytest.mark.parametrize("geography", [QUARTILE, EPC])
def test_places_and_outside_are_the_city(geography: str, measures: dict[str, Measured]) -> None:
    measured = measures["pedestrian_crashes_by_year"]
    city = {period: e.events for (period, _), e in _at(measured, ALL).items()}
    shown = _at(measured, geography)

    whole = [y for y in YEARS if all(e.state != "hidden" for (period, _), e in shown.items() if period == y)]

    assert len(whole) >= 3
    assert [city[y] for y in whole] == [sum(e.events for (p, _), e in shown.items() if p == y) for y in whole]


def test_crashes_in_communities_lie_in_their_exact_boundaries(
    data: Path, crashes: list[Row], measures: dict[str, Measured]
) -> None:
    communities = shapely.union_all([a["shape"] for a in _communities(data)])
    inside = sum(communities.intersects(shapely.Point(float(r["POINT_X"]), float(r["POINT_Y"]))) for r in crashes)
    shown = _at(measures["pedestrian_crashes_by_year"], EPC)

    assert inside == sum(e.events for (_, place), e in shown.items() if place in "12")


@pytest.mark.parametrize("geography", [QUARTILE, TRACT_EPC])
def test_rates_are_crashes_for_residents_to_the_last_digit(
    geography: str, crashes: list[Row], tracts: dict[str, dict], measures: dict[str, Measured]
) -> None:
    kind = "band" if geography == QUARTILE else "epc"
    people = Counter()
    for tract in tracts.values():
        people[tract[kind]] += tract["residents"]
    counted = Counter((r["ACCIDENT_YEAR"], r[geography]) for r in crashes)

    for (year, place), e in _at(measures["pedestrian_crash_rate"], geography).items():
        if e.state == "hidden":
            continue
        rate = float(Fraction(counted[year, place] * 10_000, people[place]))
        assert (counted[year, place], people[place]) == (e.events, e.base)
        assert abs(rate - e.value) <= math.ulp(rate)


def test_the_rate_of_the_city_leaves_out_what_lies_in_no_quartile(
    crashes: list[Row], tracts: dict[str, dict], measures: dict[str, Measured]
) -> None:
    inside = Counter(r["ACCIDENT_YEAR"] for r in crashes if r[QUARTILE] != "(outside)")
    people = sum(t["residents"] for t in tracts.values() if t["band"])
    city = _at(measures["pedestrian_crash_rate"], ALL)
    told = {k: (e.events, e.base) for k, e in city.items() if e.state != "hidden"}

    assert len(told) >= 3
    assert {k: (inside[k[0]], people) for k in told} == told


def test_shares_of_crashes_that_killed_or_severely_injured_are_those_by_hand(
    crashes: list[Row], measures: dict[str, Measured]
) -> None:
    yearly = Counter((r["ACCIDENT_YEAR"], r[TRACT_EPC]) for r in crashes)
    ksi = Counter((r["ACCIDENT_YEAR"], r[TRACT_EPC]) for r in crashes if _is_ksi(r))

    _check_shares(_at(measures["ksi_share"], TRACT_EPC), ksi, yearly)
    for geography in (QUARTILE, EPC):
        pooled = Counter((ALL, r[geography]) for r in crashes)
        ksi = Counter((ALL, r[geography]) for r in crashes if _is_ksi(r))
        _check_shares(_at(measures["ksi_share_by_circumstance"], geography), ksi, pooled)


LIGHT = {
    "A": "Daylight", "B": "Dusk or dawn", "C": "Dark, street lights", "-": "(unknown)",
    "D": "Dark, no working street light", "E": "Dark, no working street light",
}  # fmt: skip
ACTION = {
    "B": "Crossing in a crosswalk", "C": "Crossing in a crosswalk", "D": "Crossing elsewhere", "-": "(unknown)",
    "E": "In the road, shoulder included", "F": "Not in the road", "G": "Not in the road",
}  # fmt: skip
SEVERITY = {"1": "Killed", "2": "Severe injury", "3": "Other visible injury", "4": "Complaint of pain"}


@pytest.mark.parametrize(
    ("dimension", "column", "words"),
    [
        ("lighting", "LIGHTING", LIGHT),
        ("pedestrian_action", "PED_ACTION", ACTION),
        ("severity", "COLLISION_SEVERITY", SEVERITY),
    ],
)
def test_hit_and_run_by_group_is_that_by_hand(
    dimension: str, column: str, words: dict[str, str], crashes: list[Row], measures: dict[str, Measured]
) -> None:
    trials = Counter(words[r[column]] for r in crashes)
    yes = Counter(words[r[column]] for r in crashes if r["HIT_AND_RUN"] in "FM")

    _check_shares(_grouped(measures["hit_and_run_share"], dimension), yes, trials)


@pytest.mark.parametrize(
    ("dimension", "column", "words"),
    [
        ("lighting", "LIGHTING", LIGHT),
        ("pedestrian_action", "PED_ACTION", ACTION),
        ("is_hit_and_run", "HIT_AND_RUN", {"F": "true", "M": "true", "N": "false"}),
    ],
)
def test_severe_crashes_by_circumstance_are_those_by_hand(
    dimension: str, column: str, words: dict[str, str], crashes: list[Row], measures: dict[str, Measured]
) -> None:
    trials = Counter(words[r[column]] for r in crashes)
    yes = Counter(words[r[column]] for r in crashes if _is_ksi(r))

    _check_shares(_grouped(measures["ksi_share_by_circumstance"], dimension), yes, trials)


def test_crashes_by_severity_are_those_by_hand(crashes: list[Row], measures: dict[str, Measured]) -> None:
    shown = [e for e in measures["pedestrian_crashes_by_year"].estimates if e.cell.dimension == "severity"]
    counted = Counter((r["ACCIDENT_YEAR"], SEVERITY[r["COLLISION_SEVERITY"]]) for r in crashes)

    assert counted == {(e.cell.period, e.cell.group): e.events for e in shown}


@pytest.mark.parametrize(
    ("dimension", "column"),
    [
        ("category", "Category"),
        ("channel", "Source"),
        ("neighborhood", "C.Neighborhood"),
        ("supervisor_district", "Supervisor.District"),
    ],
)
def test_requests_closed_by_group_are_those_by_hand(
    dimension: str, column: str, requests: list[Row], measures: dict[str, Measured]
) -> None:
    trials = Counter(r[column] for r in requests)
    yes = Counter(r[column] for r in requests if r["is_done"])

    _check_shares(_grouped(measures["requests_closed_by_group"], dimension), yes, trials)


@pytest.mark.parametrize("geography", [QUARTILE, TRACT_EPC])
def test_requests_closed_by_year_and_place_are_those_by_hand(
    geography: str, requests: list[Row], measures: dict[str, Measured]
) -> None:
    whole = [r for r in requests if "2009" <= r["year"] <= "2015"]  # the file begins in July 2008
    trials = Counter((r["year"], r[geography]) for r in whole)
    yes = Counter((r["year"], r[geography]) for r in whole if r["is_done"])

    _check_shares(_at(measures["requests_closed_within_7_days"], geography), yes, trials)


# People


def test_no_small_group_is_shown(measures: dict[str, Measured]) -> None:
    small = [
        (name, e.cell)
        for name, measured in measures.items()
        for e in measured.estimates
        for n in (e.events, e.unknown, e.base - e.events if measured.is_share and e.base else None)
        if n is not None and 0 < n < 11
    ]

    assert [] == small


def test_every_tract_with_few_crashes_is_hidden(crashes: list[Row], measures: dict[str, Measured]) -> None:
    counted = Counter((r["ACCIDENT_YEAR"], r["tract"]) for r in crashes)
    small = {key for key, n in counted.items() if n < 11}
    hidden = {key for key, e in _at(measures[TOO_FINE], "tract").items() if e.state == "hidden"}

    assert small <= hidden


def test_only_the_question_that_is_too_fine_gets_advice(measures: dict[str, Measured]) -> None:
    advised = {name: m.advice for name, m in measures.items() if m.advice}

    assert [TOO_FINE] == list(advised)
    assert "more than 30%" in advised[TOO_FINE]


def test_a_second_run_has_nothing_to_do(walk: Walk, run: Run) -> None:
    again = flow.run(walk)

    assert {"unchanged"} == {x.outcome for x in (*again.accounts, *again.measured)}
    assert {m.measure: m.sha256 for m in run.measured} == {m.measure: m.sha256 for m in again.measured}
