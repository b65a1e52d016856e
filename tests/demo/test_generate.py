import hashlib
import time
from pathlib import Path

import arroyo
import pytest

from metroon.demo import RECORDS, build
from metroon.demo.flaws import FLAWS, RENAMED_MONTH, RENAMED_ROWS, TIMELESS_MONTH, TIMELESS_ROWS


def hashes(folder: Path) -> dict[str, str]:
    files = (f for f in folder.rglob("*") if f.is_file())
    return {f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_the_same_seed_gives_the_same_bytes(city, tmp_path):
    again = build(tmp_path / "again")

    assert hashes(city) == hashes(again)


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


def test_every_phone_number_is_one_that_is_kept_for_fiction(records):
    phones = {r["Caller Phone"] for r in records("requests_311")} | {r["PHONE"] for r in records("building_permits")}

    assert {"(559) 555-01"} == {p[:-2] for p in phones - {""}}
