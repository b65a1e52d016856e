"""The classifier on a labelled set of invented columns, and on the headers of real files."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import NOT_DIRECT, Labelled, columns, digits, is_right

from metroon.base.names import is_name
from metroon.base.patterns import CHANCE, PATTERNS, hits
from metroon.collect.profile import profile
from metroon.guard.suggest import is_no_chance, suggest, suggestions

ROWS = 300


@pytest.fixture(scope="module", params=["tuned", "held out"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Labelled, str]]:
    listed = columns(request.param)
    chance = random.Random(f"{request.param} test")
    file = tmp_path_factory.mktemp("labelled") / "columns.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow([c.header for c in listed])
        for n in range(ROWS):
            writer.writerow(["" if chance.random() < c.empty else c.made(chance, n) for c in listed])
    return list(zip(listed, (suggest(c).classification for c in profile(file).columns), strict=True))


def share_found(found: list[tuple[Labelled, str]], label: str) -> float:
    of = [s for c, s in found if c.label == label]
    return sum(s == label for s in of) / len(of)


def test_hardly_a_direct_identifier_is_missed_and_little_else_is_called_one(
    found: list[tuple[Labelled, str]],
) -> None:
    said = [c for c, s in found if s == "direct"]

    assert share_found(found, "direct") >= 0.98
    assert sum(is_right(c.label, "direct") for c in said) / len(said) >= 0.9


@pytest.mark.parametrize("label", ["sensitive", "quasi", "linkage key", "free text"])
def test_most_columns_of_other_personal_classes_are_found(found: list[tuple[Labelled, str]], label: str) -> None:
    assert share_found(found, label) >= 0.9


def test_no_column_of_people_is_called_public_but_one_in_twenty(found: list[tuple[Labelled, str]]) -> None:
    of_people = [s for c, s in found if c.label not in ("public", "internal", *NOT_DIRECT)]

    assert sum(s == "public" for s in of_people) / len(of_people) <= 0.05


def test_numbers_of_things_that_look_like_numbers_of_people_are_not_direct(
    found: list[tuple[Labelled, str]],
) -> None:
    assert {s for c, s in found if c.label == "thing's number"} <= NOT_DIRECT["thing's number"]


def test_the_two_parts_share_no_header() -> None:
    assert {c.header for c in columns("tuned")}.isdisjoint(c.header for c in columns("held out"))


@pytest.mark.parametrize(
    ("pattern", "form"),
    [("card", lambda c: "4" + digits(c, 15)), ("npi", lambda c: "1" + digits(c, 9)),
     ("bare ssn", lambda c: digits(c, 9)),
     ("vin", lambda c: "".join(c.choice("ABCDEFGH0123456789" if i != 8 else "0123456789X") for i in range(17))),
     ("bare phone", lambda c: digits(c, 10))],
)  # fmt: skip
def test_random_texts_of_a_form_pass_its_rule_as_often_as_chance_says(pattern: str, form: object) -> None:
    chance = random.Random(7)
    share = sum(PATTERNS[pattern](form(chance)) for _ in range(20_000)) / 20_000  # type: ignore[operator]  # a lambda

    assert CHANCE[pattern] == pytest.approx(share, abs=0.02)


@given(st.integers(0, 2**32))
def test_random_numbers_of_sixteen_digits_are_never_called_cards(seed: int) -> None:
    chance = random.Random(seed)
    found = hits([("4" + digits(chance, 15), 1) for _ in range(60)])

    assert not is_no_chance(found, "card")


@pytest.mark.parametrize(
    "text", ["Nguyễn Thị Lan", "García, José", "SMITH", "Mary O'Neil Jr.", "Wei Zhang", "Priya Patel"]
)
def test_names_of_people_are_known_as_names(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize(
    "text", ["Lincoln Park", "Story Rd", "Garcia Plumbing Inc", "tree down", "", "123 Main St", "J.", "7"]
)
def test_names_of_things_and_other_texts_are_no_names(text: str) -> None:
    assert not is_name(text)


EXPECTED = {
    "homeless/hmis_sample_fy2022/Client.csv": {
        "direct": {"first_name", "last_name", "ssn"},
        "linkage key": {"personal_id", "user_id"},
        "quasi": {"dob", "asian", "white", "ethnicity", "female", "male", "veteran_status"},
        "sensitive": {"transgender", "questioning"},
        "internal": {"date_created", "date_updated", "export_id"},
    },
    "linkage/dataset3.csv": {
        "direct": {"given_name", "surname", "address_1", "soc_sec_id"},
        "quasi": {"postcode", "date_of_birth", "suburb"},
    },
    "boston/311.csv": {
        "linkage key": {"case_enquiry_id"},
        "free text": {"closure_reason"},
        "sensitive": {"latitude", "longitude"},
        "direct": {"location", "submitted_photo"},
        "public": {"case_status", "department", "ward"},
    },
}


@pytest.mark.parametrize("name", EXPECTED)
def test_columns_of_real_files_get_the_class_that_a_privacy_officer_would_give(shared_data: Path, name: str) -> None:
    told = {n: s.classification for n, s in suggestions(profile(shared_data / name)).items()}

    assert EXPECTED[name] == {label: {c for c in names if told[c] == label} for label, names in EXPECTED[name].items()}
