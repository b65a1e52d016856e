"""San José, walked whole, against counts made here by hand: csv, datetime, shapely and plain Python."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
import shapely
from click.testing import CliRunner
from scipy.stats import chi2, norm
from shapely.geometry import Point, shape

from metroon import flow
from metroon.base.estimate import ALL, NOWHERE, OUTSIDE, Cell, Estimate
from metroon.city import load
from metroon.cli import main
from metroon.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from metroon.base.account import Account, Measured, Run

pytestmark = pytest.mark.shared

EXAMPLE = Path(__file__).parents[2] / "examples" / "sanjose"
MONTH = "2015-01"
QUARTILE = "tract.poverty_quartile"
Z = float(norm.ppf(0.975))
Row = dict[str, str]


@pytest.fixture(scope="module")
def data(shared_data: Path) -> Path:
    return shared_data / "sanjose"


@pytest.fixture(scope="module")
def folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    copy = tmp_path_factory.mktemp("city") / "sanjose"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns(".metroon"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METROON_DATA", str(shared_data))
        yield copy


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    city = load(folder)
    assert city.file.as_of is not None
    return flow.run(Walk(city, city.file.as_of))


def account(run: Run, product: str) -> Account:
    return next(a for a in run.accounts if a.product == product)


def measured(run: Run, name: str) -> Measured:
    return next(m for m in run.measured if m.measure == name)


def cells(run: Run, name: str) -> dict[Cell, Estimate]:
    return {e.cell: e for e in measured(run, name).estimates}


def places(run: Run, name: str, geography: str) -> dict[str, Estimate]:
    return {c.place: e for c, e in cells(run, name).items() if c.geography == geography}


# By hand


@pytest.fixture(scope="module")
def incidents(data: Path) -> list[Row]:
    with (data / "FireIncidents_Jan2015.csv").open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def areas(file: Path, key: str) -> dict[str, shapely.Geometry]:
    features = json.loads(file.read_text(encoding="utf-8"))["features"]
    return {str(f["properties"][key]): shapely.make_valid(shape(f["geometry"])) for f in features}


def finder(found: dict[str, shapely.Geometry]) -> Callable[[Row], str]:
    for area in found.values():
        shapely.prepare(area)

    def where(row: Row) -> str:
        if not row["Latitude"] or not row["Longitude"]:
            return NOWHERE
        point = Point(float(row["Longitude"]), float(row["Latitude"]))
        return next((k for k, area in found.items() if area.intersects(point)), OUTSIDE)

    return where


@pytest.fixture(scope="module")
def district(data: Path, incidents: list[Row]) -> dict[str, str]:
    where = finder(areas(data / "CITY_COUNCIL_DISTRICTS.geojson", "DISTRICTS"))
    return {r["Incident_No"]: where(r) for r in incidents}


@pytest.fixture(scope="module")
def neighborhood(data: Path, incidents: list[Row]) -> dict[str, str]:
    where = finder(areas(data / "san-jose-neighborhoods.geojson", "name"))
    return {r["Incident_No"]: where(r) for r in incidents}


@pytest.fixture(scope="module")
def tracts(data: Path) -> dict[str, dict]:
    """Tracts whose centroid lies in the City's limits, with their quartile when poverty is known."""
    limits = shapely.union_all(list(areas(data / "CITY_LIMITS.geojson", "INCORP").values()))
    features = json.loads((data / "santa_clara_tracts_ces3.geojson").read_text(encoding="utf-8"))["features"]
    inside = [f for f in features if limits.contains(shapely.make_valid(shape(f["geometry"])).centroid)]
    known = [f["properties"]["Poverty"] for f in inside if f["properties"]["Poverty"] != -999]
    cuts = quantiles(known, n=4, method="inclusive")
    return {
        f["properties"]["GEOID"]: {
            "area": shapely.make_valid(shape(f["geometry"])),
            "people": f["properties"]["Population"],
            "quartile": str(1 + sum(f["properties"]["Poverty"] > c for c in cuts)),
        }
        for f in inside
        if f["properties"]["Poverty"] != -999
    }


@pytest.fixture(scope="module")
def quartile(tracts: dict[str, dict], incidents: list[Row]) -> dict[str, str]:
    where = finder({k: t["area"] for k, t in tracts.items()})
    band = {k: t["quartile"] for k, t in tracts.items()}
    return {r["Incident_No"]: band.get(found, found) for r in incidents for found in (where(r),)}


def arrived(row: Row) -> str:
    """yes, no or unknown: within 8 minutes."""
    if not row["Unit_On_Scene_TimeStamp"]:
        return "unknown"
    columns = ("Date_Time_Of_Event", "Unit_On_Scene_TimeStamp")
    called, came = (datetime.strptime(row[c], "%m/%d/%y %I:%M %p") for c in columns)
    return "yes" if (came - called).total_seconds() <= 480 else "no"


def wilson(x: int, n: int) -> tuple[float, float]:
    middle, reach = 2 * x + Z * Z, Z * math.sqrt(Z * Z + 4 * x * (1 - x / n))
    return (middle - reach) / (2 * (n + Z * Z)), (middle + reach) / (2 * (n + Z * Z))


def byar(x: int) -> tuple[float, float]:
    if x < 10:
        return (float(chi2.ppf(0.025, 2 * x) / 2) if x else 0.0), float(chi2.ppf(0.975, 2 * x + 2) / 2)
    low = x * (1 - 1 / (9 * x) - Z / (3 * math.sqrt(x))) ** 3
    return low, (x + 1) * (1 - 1 / (9 * (x + 1)) + Z / (3 * math.sqrt(x + 1))) ** 3


# The numbers of mission.md, section 2


def test_every_row_of_the_fire_file_is_kept(run):
    told = account(run, "fire_incidents")

    assert (8058, 8058, True) == (told.read, told.kept, told.adds_up)


def test_three_hundred_incidents_lie_outside_every_district(run):
    outside = cells(run, "incident_count")[Cell(MONTH, "council_district", OUTSIDE)]

    assert (300, 300) == (outside.events, account(run, "fire_incidents").outside["Council districts (2015)"])


def test_the_city_limits_are_another_boundary_and_another_number(data, incidents):
    where = finder(areas(data / "CITY_LIMITS.geojson", "INCORP"))

    assert 672 == sum(where(r) == OUTSIDE for r in incidents)


def test_eight_minutes_count_as_within(run, incidents):
    urgent = [r for r in incidents if r["Priority"] == "Priority 1"]
    city = cells(run, "response_within_8min")[Cell(MONTH)]

    assert (6437, 1092) == (len(urgent), city.unknown)
    assert (city.events, city.base) == (sum(arrived(r) == "yes" for r in urgent), 6437 - 1092)


@pytest.mark.parametrize(
    ("key", "share", "n"),
    [("1", 0.729, 351), ("2", 0.698, 371), ("3", 0.854, 1024), ("4", 0.737, 377), ("10", 0.866, 343)],
)
def test_help_arrives_within_8_minutes_as_often_as_the_mission_says(run, key, share, n):
    found = places(run, "response_within_8min", "council_district")[key]

    assert (pytest.approx(share, abs=0.001), n) == (found.value, found.base)


@pytest.mark.parametrize(("key", "rate"), [("1", 55.6), ("2", 67.4), ("3", 94.5), ("4", 104.5)])
def test_the_poorer_the_tracts_the_more_often_help_is_called(run, key, rate):
    assert pytest.approx(rate, abs=0.05) == places(run, "incidents", QUARTILE)[key].value


def test_187_tracts_are_in_a_quartile(run, tracts):
    quartiles = next(g for g in measured(run, "incidents").geographies if g.id == QUARTILE)

    assert (187, {k: t["quartile"] for k, t in tracts.items()}) == (len(tracts), quartiles.areas)


# Every cell, to the last digit


@pytest.mark.parametrize("geography", ["council_district", "neighborhood"])
def test_every_share_is_the_one_counted_by_hand(run, incidents, geography, request):
    where = request.getfixturevalue(geography.removeprefix("council_"))
    counts = Counter((where[r["Incident_No"]], arrived(r)) for r in incidents if r["Priority"] == "Priority 1")
    released = places(run, "response_within_8min", geography)

    for place, e in released.items():
        x, no, unknown = (counts[place, outcome] for outcome in ("yes", "no", "unknown"))
        n = x + no
        if e.state in ("known", "cannot tell"):
            expected = (x, n, unknown, x / n, x / (n + unknown), (x + unknown) / (n + unknown))
            assert expected == (e.events, e.base, e.unknown, e.value, e.worst, e.best)
            assert wilson(x, n) == pytest.approx((e.low, e.high), abs=1e-12)
        else:
            assert ("no exposure", 0) == (e.state, n + unknown) or e.state == "hidden"
    assert {p for p, _ in counts} <= set(released)


@pytest.mark.parametrize("geography", ["council_district", "neighborhood"])
def test_every_count_is_the_one_counted_by_hand(run, incidents, geography, request):
    where = request.getfixturevalue(geography.removeprefix("council_"))
    counts = Counter(where[r["Incident_No"]] for r in incidents)
    released = places(run, "incident_count", geography)

    shown = {p: e for p, e in released.items() if e.state != "hidden"}
    assert {p: counts[p] for p in shown} == {p: e.events for p, e in shown.items()}
    for place, e in shown.items():
        assert (counts[place], *byar(counts[place])) == pytest.approx((e.value, e.low, e.high), abs=1e-9)
    assert set(counts) <= set(released)


def test_every_rate_by_quartile_is_the_one_counted_by_hand(run, quartile, tracts):
    counts = Counter(quartile.values())
    released = places(run, "incidents", QUARTILE)

    assert set("1234") == set(released)
    for key, e in released.items():
        people = sum(t["people"] for t in tracts.values() if t["quartile"] == key)
        scaled = [10_000 * v / people for v in (counts[key], *byar(counts[key]))]
        assert (counts[key], people, *scaled) == pytest.approx((e.events, e.base, e.value, e.low, e.high), abs=1e-9)


def test_every_rate_by_district_is_the_one_counted_by_hand(run, data, district):
    counts = Counter(district.values())
    with (data / "CITY_COUNCIL_DISTRICTS.csv").open(encoding="utf-8-sig", newline="") as handle:
        people = {r["DISTRICTS"]: int(r["POP_2010"]) for r in csv.DictReader(handle)}
    released = places(run, "incidents", "council_district")

    assert {k: 10_000 * counts[k] / n for k, n in people.items()} == pytest.approx(
        {k: e.value for k, e in released.items()}, abs=1e-9
    )


def test_the_city_rate_counts_what_lies_in_the_quartiles_only(run, quartile, tracts):
    inside = sum(q in set("1234") for q in quartile.values())
    city = cells(run, "incidents")[Cell(MONTH)]

    assert (inside, sum(t["people"] for t in tracts.values())) == (city.events, city.base)


def test_drivers_who_had_been_drinking_are_the_ones_counted_by_hand(run, data):
    with (data / "vehiclecrashdata2021-062323.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = [
            r
            for r in csv.DictReader(handle)
            if r["PartyCategory"] == "Driver" and int(r["Age"] or 0) not in range(121, 998)
        ]
    said = {"Had Not Been Drinking": "no"}
    counts = Counter(
        (
            r["Sex"] or "(unknown)",
            said.get(r["Sobriety"], "yes" if r["Sobriety"].startswith("Had Been Drinking") else "unknown"),
        )
        for r in rows
    )

    for cell, e in cells(run, "drivers_drinking").items():
        if cell.dimension == "sex":
            x, no, unknown = (counts[cell.group, o] for o in ("yes", "no", "unknown"))
            assert (x, x + no, unknown) == (e.events, e.base, e.unknown)


# What stands beside the numbers


def test_every_number_of_a_district_stands_beside_the_vintage_of_its_boundaries(run):
    told = measured(run, "response_within_8min")

    assert ["Council districts (2015)", "Neighborhoods (2014, unofficial)"] == [g.label for g in told.geographies]
    assert any("before the redistricting" in note for note in told.notes)


def test_who_counted_the_residents_stands_beside_the_rates(run):
    notes = measured(run, "incidents").notes

    assert "Residents of Council districts (2015): 2010 Census, as printed in the City's district layer" in notes


def test_the_crash_table_says_what_nobody_should_ask_it(run):
    told = account(run, "crash_parties").cannot_answer

    assert told[0].startswith("When, and whether it changed")
    assert told[1].startswith("Where, in which neighborhood or district")
    assert "Anything about Speed: it is empty in every row." in told


def test_crashes_by_district_cannot_be_answered(run):
    told = cells(run, "drivers_drinking")[Cell(ALL, "council_district", ALL)]

    assert ("cannot be answered", None) == (told.state, told.value)


def test_the_age_that_means_not_recorded_is_no_age(run):
    told = account(run, "crash_parties")

    assert (20_240, 6840) == (told.read, told.missing["age"])


# What may not leave


def secrets(data: Path) -> list[str]:
    features = json.loads((data / "CITY_COUNCIL_DISTRICTS.geojson").read_text(encoding="utf-8"))["features"]
    return [str(f["properties"][k]) for f in features for k in ("CO_MEMBER", "TELEPHONE") if f["properties"][k]]


def test_no_name_or_number_of_a_council_member_is_in_any_open_file(run, folder, data):
    told = io.StringIO()
    for file in sorted((folder / ".metroon" / "lake" / "open").rglob("*")):
        if file.suffix == ".parquet":
            told.write(str(pq.read_table(file).to_pylist()))
        elif file.is_file():
            told.write(file.read_text(encoding="utf-8"))

    assert 20 == len(secrets(data))
    assert [] == [s for s in secrets(data) if s in told.getvalue()]


@pytest.mark.parametrize("words", [("--format", "csv"), ("--format", "json"), ()])
@pytest.mark.parametrize("name", ["council_districts", "incidents"])
def test_no_name_or_number_of_a_council_member_is_shown(run, folder, data, name, words):
    result = CliRunner().invoke(main, ["show", name, "-C", str(folder), *words], catch_exceptions=False)

    assert (0, []) == (result.exit_code, [s for s in secrets(data) if s in result.stdout])


def test_no_place_of_an_incident_leaves(run, folder, incidents):
    names = {p.name for p in (folder / ".metroon" / "lake" / "open").iterdir()}

    assert set() == names & {"fire_incidents", "crash_parties"}


def test_walking_it_again_makes_nothing_new(run, folder):
    before = sorted(p for p in (folder / ".metroon" / "lake").rglob("*"))
    city = load(folder)
    again = flow.run(Walk(city, run.as_of))

    assert before == sorted(p for p in (folder / ".metroon" / "lake").rglob("*"))
    assert {"unchanged"} == {a.outcome for a in again.accounts} | {m.outcome for m in again.measured}
