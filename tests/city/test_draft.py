"""Drafts: a newcomer's first product loads, runs and measures, and gives nobody away."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metroon import flow
from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.base.node import Node
from metroon.base.profile import RESERVED, ColumnProfile, Profile, column_names, product_name, snake_case
from metroon.city import load
from metroon.city.contract import contract
from metroon.city.draft import draft, draft_city
from metroon.city.properties import CUSTOM
from metroon.city.scalar import scalar
from metroon.city.yaml import read
from metroon.collect.profile import profile
from metroon.guard.suggest import suggestions
from metroon.walk import Walk
from town import settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.base.account import Account, Measured

AS_OF = date(2026, 1, 15)
ENGINE = Engine()


@pytest.fixture
def city(tmp_path: Path) -> Path:
    folder = tmp_path / "city"
    draft_city(folder, 'Springfield: "No. 1" # ¡olé!')
    return folder


def added(city: Path, file: Path, name: str | None = None) -> list[Path]:
    """What ``metroon add`` does."""
    found = profile(file, ENGINE)
    return draft(city, name or product_name(file.stem), found, suggestions(found), file, on=date(2026, 3, 15))


def written(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text, encoding="utf-8", newline="")
    return file


def walked(city: Path) -> tuple[Sequence[Account], Sequence[Measured]]:
    (city / "protocols").mkdir(exist_ok=True)
    for product in (city / "products").iterdir():
        (city / "protocols" / f"{product.name}.yaml").write_text(json.dumps(settled(product.name)), encoding="utf-8")
    done = flow.run(Walk(load(city), AS_OF))
    return done.accounts, done.measured


CALLS = "Call No,Opened,Priority,Caller Name,Caller Phone,DOB,Notes,Lat,Long\n" + "".join(
    f'C{n:05d},{1 + n % 12}/{1 + n % 28}/2025 {1 + n % 12}:{n % 60:02d} PM,P{1 + n % 3},"Canary, Ana {n}",'
    f'(408) 555-{n:04d},19{40 + n % 60}-02-0{1 + n % 9},"canary {n} said: ""help""",37.3{n:04d},-121.8{n:04d}\n'
    for n in range(600)
)


# The city


def test_a_new_city_loads_and_is_empty(city: Path) -> None:
    loaded = load(city)

    assert ('Springfield: "No. 1" # ¡olé!', {}, {}) == (loaded.file.name, loaded.products, loaded.measures)
    assert city / "inbox" == loaded.data
    assert {".gitignore", "README.md", "city.yaml", "inbox", "measures", "products"} == {p.name for p in city.iterdir()}


def test_raw_files_and_versions_stay_out_of_git(city: Path) -> None:
    assert {".metroon/", "inbox/"} <= set((city / ".gitignore").read_text().splitlines())


def test_a_city_is_never_overwritten(city: Path) -> None:
    before = {p: p.read_bytes() for p in city.rglob("*") if p.is_file()}
    with pytest.raises(Refused) as refused:
        draft_city(city, "Another")

    assert {"Y107"} == {p.code for p in refused.value.problems}
    assert before == {p: p.read_bytes() for p in city.rglob("*") if p.is_file()}


# From a file to a measure


def test_a_file_is_measured_as_it_was_drafted(city: Path, tmp_path: Path) -> None:
    files = added(city, written(tmp_path / "desk", "Calls 2025.csv", CALLS))
    (account,), (measured,) = walked(city)

    assert ["contract.yaml", "product.yaml", "calls_2025_count.yaml", "calls_2025.yaml", "Calls 2025.csv"] == [
        f.name for f in files
    ]
    assert ("kept", 600, {}) == (account.outcome, account.kept, dict(account.set_aside))
    assert ("released", ()) == (measured.outcome, measured.problems)
    assert {f"2025-{m:02d}": 50.0 for m in range(1, 13)} == {e.cell.period: e.value for e in measured.estimates}


def test_nothing_but_measures_leaves_a_draft(city: Path, tmp_path: Path) -> None:
    added(city, written(tmp_path, "calls.csv", CALLS))
    promise = load(city).products["calls"].contract

    assert ("event_on_person", "aggregate") == (promise.unit, promise.mode)
    assert [] == [c.name for c in promise.columns if c.classification is None]


def test_no_value_of_a_row_is_in_the_draft_of_personal_columns(city: Path, tmp_path: Path) -> None:
    added(city, written(tmp_path, "calls.csv", CALLS))
    text = "".join(
        p.read_text() for folder in ("products", "measures") for p in (city / folder).rglob("*.yaml")
    ).lower()
    leaked = [v for v in ("canary", "ana 1", "555-", "1940", "1999", "c00001", "37.3", "121.8", "help") if v in text]

    assert [] == leaked
    assert "p1" not in text  # each row is about one person, so that not even its priority is listed


def test_the_codes_of_a_public_list_are_written_and_a_rare_one_is_not(city: Path, tmp_path: Path) -> None:
    rows = "".join(f"{n},{'Lamp' if n % 3 else 'Sign'}\n" for n in range(600))
    added(city, written(tmp_path, "assets.csv", f"asset_id,kind\n{rows}600,Zelda's bench\n"))
    text = (city / "products/assets/contract.yaml").read_text()

    assert "validValues: [Lamp, Sign]" in text
    assert "Zelda" not in text
    assert [] == [v.rule for a in walked(city)[0] for v in a.verdicts if not v.is_kept]


def test_rows_that_do_not_fit_are_told_before_they_are_set_aside(city: Path, tmp_path: Path) -> None:
    rows = "".join(f"{n},{n * 3}\n" for n in range(1000))
    added(city, written(tmp_path, "costs.csv", f"id,cost\n{rows}1000,about 5\n1001,5,5\n"))
    text = (city / "products/costs/contract.yaml").read_text()
    (account,), _ = walked(city)

    assert "# 1 row is set aside: what stands here is no integer in this form." in text
    assert "# Seen: 1 record is not whole: it will be set aside." in text
    assert 2 == sum(account.set_aside.values())


def test_a_person_who_stands_in_many_rows_is_counted_once_for_protection(city: Path, tmp_path: Path) -> None:
    visits = "".join(f"v{n},c{n % 50},2025-03-0{1 + n % 9}\n" for n in range(200))
    clients = "".join(f"c{n},{1940 + n}-01-01\n" for n in range(50))
    added(city, written(tmp_path, "visits.csv", f"visit_id,client_id,visit_date\n{visits}"))
    added(city, written(tmp_path, "clients.csv", f"client_id,dob\n{clients}"))
    products = load(city).products

    assert ("event_on_person", "client_id") == (
        products["visits"].contract.unit,
        products["visits"].contract.person_key,
    )
    assert ("person", None) == (products["clients"].contract.unit, products["clients"].contract.person_key)


def test_areas_become_places_by_pasting_what_the_draft_says(city: Path, tmp_path: Path) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {"WARD_ID": f"w{n}", "NAME": f"Ward {n}"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, 37], [x, 38], [x - 0.05, 38], [x - 0.05, 37], [x, 37]]],
            },
        }
        for n, x in enumerate((-121.80, -121.85))
    ]
    added(city, written(tmp_path, "wards.geojson", json.dumps({"type": "FeatureCollection", "features": features})))
    said = (city / "products/wards/product.yaml").read_text().partition("add to city.yaml:\n")[2]
    pasted = "\n".join(line.removeprefix("# ") for line in said.splitlines())
    (city / "city.yaml").write_text((city / "city.yaml").read_text() + pasted)
    added(city, written(tmp_path, "calls.csv", CALLS))
    _, (measured,) = walked(city)

    assert {"Ward 0", "Ward 1"} == set(measured.geographies[0].names.values())
    assert 600 == sum(e.value or 0 for e in measured.estimates if e.cell.geography == "wards")


# Where files lie


def test_a_file_in_the_data_folder_stays_where_it_is(city: Path) -> None:
    file = written(city / "inbox" / "fire", "calls [2025].csv", CALLS)
    files = added(city, file)

    assert ["contract.yaml", "product.yaml", "calls_2025_count.yaml", "calls_2025.yaml"] == [f.name for f in files]
    assert 600 == walked(city)[0][0].kept


def test_a_file_elsewhere_is_refused_when_the_data_lie_outside_the_city(city: Path, tmp_path: Path) -> None:
    (city / "city.yaml").write_text("name: A\ndata: ../elsewhere\n")
    with pytest.raises(Refused) as refused:
        added(city, written(tmp_path / "desk", "calls.csv", CALLS))

    assert ["Y108"] == [p.code for p in refused.value.problems]
    assert not (city / "products" / "calls").exists()


def test_nothing_is_overwritten_and_nothing_half_written(city: Path, tmp_path: Path) -> None:
    written(city / "inbox", "calls.csv", "another,file\n1,2\n")
    with pytest.raises(Refused) as refused:
        added(city, written(tmp_path / "desk", "calls.csv", CALLS))

    assert ["Y107"] == [p.code for p in refused.value.problems]
    assert "another" in (city / "inbox" / "calls.csv").read_text()
    assert not list((city / "products").iterdir())


def test_a_second_draft_of_one_name_is_refused(city: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "calls.csv", CALLS)
    added(city, file)
    with pytest.raises(Refused) as refused:
        added(city, file)

    assert {"contract.yaml", "product.yaml", "calls_count.yaml", "calls.yaml"} == {
        Path(p.file).name for p in refused.value.problems
    }
    assert 5 == len(added(city, file, "calls_again"))


@pytest.mark.parametrize("name", ["Calls", "2calls", "calls-1", "", "ca lls", "../calls"])
def test_a_name_that_cannot_be_is_refused(city: Path, tmp_path: Path, name: str) -> None:
    file = written(tmp_path, "calls.csv", CALLS)
    found = profile(file, ENGINE)
    with pytest.raises(Refused) as refused:
        draft(city, name, found, suggestions(found), file, on=date(2026, 3, 15))

    assert ["Y105"] == [p.code for p in refused.value.problems]


# Texts that YAML might misread. A bell is what the reader's library marks folds with; it is read as nothing.

HEADERS = st.text(
    st.one_of(
        st.sampled_from(list(" :#'\"{}[],&*!|>%@`-?~\\/.\t\n\r\x00\x01\x85\u2028\ufeff0123456789yYnN=ñé年😀")),
        st.characters(codec="utf-8", exclude_characters="\a"),
    ),
    min_size=1,
    max_size=24,
)


@settings(max_examples=150, deadline=None)
@given(HEADERS)
def test_any_text_is_read_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "scalar.yaml"
    file.write_text(f"a: {scalar(text)} # said\nb: {{ c: {scalar(text)}, d: [{scalar(text)}] }}\n", encoding="utf-8")

    assert {"a": text, "b": {"c": text, "d": [text]}} == read(file).value


@pytest.mark.parametrize(
    "text", ["no", "Yes", "null", "~", "1", "1e3", "0x1", ".5", "2015-01-01", "12:30", "", " a", "-", "=", "<<"]
)
def test_what_looks_like_something_else_stays_text(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, "scalar.yaml", f"a: {scalar(text)}\n")

    assert {"a": text} == read(file).value


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HEADERS.map(str.strip).filter(bool), min_size=1, max_size=6, unique=True), HEADERS)
def test_any_header_makes_a_contract_that_is_valid_and_finds_its_column(
    tmp_path_factory: pytest.TempPathFactory, headers: list[str], stem: str
) -> None:
    folder = tmp_path_factory.mktemp("city")
    draft_city(folder, stem)
    names = column_names(headers)
    columns = [
        ColumnProfile(h, n, rows=3, distinct=3, is_key=True, notes=(h,)) for h, n in zip(headers, names, strict=True)
    ]
    found = Profile("csv", {"delimiter": headers[0][0]}, 3, 0, tuple(columns), key=(names[0],), notes=(stem,))
    file = written(folder / "inbox", "data.csv", "x\n")
    draft(folder, "things", found, suggestions(found), file, on=date(2026, 3, 15))

    assert headers == [c.source for c in load(folder).products["things"].contract.columns]


@settings(max_examples=200, deadline=None)
@given(st.lists(HEADERS, min_size=1, max_size=8))
def test_column_names_are_plain_different_and_no_words_of_sql(headers: list[str]) -> None:
    names = column_names(headers)

    assert len(set(names)) == len(names)
    assert [] == [
        n
        for n in names
        if n in RESERVED or not n.isascii() or not n.replace("_", "a").isalnum() or n[0] in "_0123456789"
    ]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("PersonalID", "personal_id"),
        ("Final_Incident_Type", "final_incident_type"),
        ("HOHLeaseholder", "hoh_leaseholder"),
        ("EnrollmentCoCID", "enrollment_coc_id"),
        ("RelationshipToHoH", "relationship_to_hoh"),
        ("SF_EPCs_2021", "sf_epcs_2021"),
        ("YEAR_", "year"),
        ("GEO.id2", "geo_id2"),
        ("Número de teléfono", "numero_de_telefono"),
        ("Tuổi / Đường", "tuoi_duong"),
        ("% of total", "of_total"),
        ("2010 Census", "column_2010_census"),
        ("年齢", ""),
    ],
)
def test_headers_become_names_that_people_would_choose(header: str, expected: str) -> None:
    assert expected == snake_case(header)


def test_the_reserved_words_are_the_engines() -> None:
    words = ENGINE.rows(
        ENGINE.sql("select keyword_name as w from duckdb_keywords() where keyword_category = 'reserved'", {})
    )

    assert {r["w"] for r in words} == RESERVED


def test_the_properties_a_draft_writes_are_known() -> None:
    assert {"privacyUnit", "personKey", "releaseMode"} <= set(CUSTOM["contract"])


def test_a_drafted_contract_is_valid_odcs(city: Path, tmp_path: Path) -> None:
    added(city, written(tmp_path, "calls.csv", CALLS))
    node = read(city / "products/calls/contract.yaml")

    assert isinstance(node, Node)
    assert "calls" == contract(node, "calls").name


# Real files


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(
    "file",
    [
        "sanjose/FireIncidents_Jan2015.csv", "sanjose/vehiclecrashdata2021-062323.csv", "sf/cases_sample.csv",
        "sanjose/permits/PD_2006_ISSUE.txt", "sanjose/CITY_COUNCIL_DISTRICTS.geojson", "linkage/dataset3.csv",
        "sanjose/City_Council_Districts.zip", "sf/ACS_14_5YR-POP/ACS_14_5YR_B01003_with_ann.csv", "boston/311.csv",
        "sf/SF_EPCs_2021/SF_EPCs_2021.shp", "sunnyvale/Parties.csv", "homeless/hmis_sample_fy2022/Client.csv",
        "homeless/hmis_sample_fy2022/Affiliation.csv", "homeless/hmis_sample_fy2022/CurrentLivingSituation.csv",
    ],
)  # fmt: skip
def test_a_real_file_runs_as_drafted_and_sets_aside_what_was_told(city: Path, shared_data: Path, file: str) -> None:
    found = profile(shared_data / file, ENGINE)
    draft(city, "first", found, suggestions(found), shared_data / file, on=date(2026, 3, 15))
    (account,), measured = walked(city)

    assert found.ragged + sum(c.misfits for c in found.columns) == sum(account.set_aside.values())
    assert found.rows == account.kept + sum(c.misfits for c in found.columns)
    assert ["released"] * (found.shape != "area") == [m.outcome for m in measured]
