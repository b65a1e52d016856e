import hashlib
import time
from pathlib import Path

import arroyo
import numpy as np
import pytest

from metroon.demo import RECORDS, build
from metroon.demo.crashes import crash_sheets
from metroon.demo.dumping import dumping_sheets
from metroon.demo.flaws import FLAWS, RENAMED_MONTH, RENAMED_ROWS, TIMELESS_MONTH, TIMELESS_ROWS
from metroon.demo.sheet import save
from metroon.demo.shelter import stay_sheets
from metroon.demo.survey import survey_sheets


def hashes(folder: Path) -> dict[str, str]:
    files = (f for f in folder.rglob("*") if f.is_file())
    return {f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_the_same_seed_gives_the_same_bytes(city, tmp_path):
    again = build(tmp_path / "again")

    assert hashes(city) == hashes(again)


@pytest.mark.parametrize(
    ("source", "made", "file"),
    [
        (1, lambda chance: crash_sheets(chance)[0]["2024-Q3"], "crashes/crashes_2024-Q3.csv"),
        (4, lambda chance: stay_sheets(chance)["2024-Q3"], "shelter_stays/stays_2024-Q3.csv"),
        (12, lambda chance: survey_sheets(chance)["2024-Q3"], "resident_survey/survey_2024-Q3.csv"),
        (9, lambda chance: dumping_sheets(chance)["2024"], "dumping_orders/orders_2024.csv"),
    ],
)
def test_every_source_has_chance_of_its_own_so_that_no_other_can_change_it(source, made, file, city, tmp_path):
    save(made(np.random.default_rng([2026, source])), tmp_path / "alone.csv")

    assert (city / "inbox" / file).read_bytes() == (tmp_path / "alone.csv").read_bytes()


def test_another_seed_gives_other_events_on_the_same_ground(city, tmp_path):
    here = hashes(city)
    differing = {f for f, h in hashes(build(tmp_path / "other", seed=7)).items() if here[f] != h}

    assert set() == {f for f in differing if not f.startswith("inbox") or "places" in f}
    assert "inbox/crashes/crashes_2024-Q3.csv" in differing


def test_a_city_is_built_in_less_than_fifteen_seconds(tmp_path):
    began = time.perf_counter()
    build(tmp_path)

    assert time.perf_counter() - began < 15


def test_building_anew_leaves_other_files_alone(tmp_path):
    (tmp_path / "own.yaml").write_text("mine: true\n")
    build(build(tmp_path))

    assert "mine: true\n" == (tmp_path / "own.yaml").read_text()


@pytest.mark.parametrize("product", [*arroyo.TEXT, "street_lights"])
def test_every_product_has_the_declared_number_of_different_records(product, records):
    footers = sum(f.rows for f in FLAWS if f.product == product and f.name == "footer")

    assert RECORDS[product] + footers == len(records(product))


@pytest.mark.parametrize("product", [*arroyo.TEXT, "street_lights"])
def test_every_twin_is_an_exact_copy_in_the_same_file(product, raw, records):
    twins = sum(f.rows for f in FLAWS if f.product == product and f.name == "twin")

    assert twins == len(raw(product)) - len(records(product))


def test_the_refused_files_have_the_declared_number_of_rows(raw):
    requests = [r for r in raw("requests_311") if r["file"].endswith(RENAMED_MONTH)]
    responses = [r for r in raw("fire_responses") if r["file"].endswith(TIMELESS_MONTH)]

    assert (RENAMED_ROWS, TIMELESS_ROWS) == (len(requests), len(responses))


def test_nobody_is_called_by_a_name_that_is_not_plainly_invented(records):
    assert all(r["First Name"].startswith("Invented ") for r in records("shelter_stays"))
    assert all(r["APPLICANT"].startswith("Invented Applicant ") for r in records("building_permits"))
    assert all(r["Owner"].startswith("Invented Owner ") for r in records("business_permits"))


def test_every_phone_number_is_one_that_is_kept_for_fiction(records):
    headers = {"requests_311": "Caller Phone", "building_permits": "PHONE", "business_permits": "Phone"}
    phones = {r[header] for product, header in headers.items() for r in records(product)}

    assert {"(559) 555-01"} == {p[:-2] for p in phones - {""}}
