"""inventory.yaml, and what a product's own files tell its readers."""

from datetime import date

import pytest

from metroon.base.catalog import Licence, Steward
from metroon.base.errors import Refused
from metroon.city import imprint, load
from tiny import CONTRACT, swapped, tiny_city

INVENTORY = """\
entries:
  - id: street_trees
    title: Street trees
    description: Every tree beside a street.
    department: roads
    access: public
    why_not_yet: They are counted on paper.
    contact: roads@toytown.example
    planned: Spring 2027
    reviewed: 2026-06-02
"""
TEAM = """\
team:
  name: Stewards
  members:
    - {username: gone@toytown.example, role: steward, dateOut: "2026-01-01"}
    - {username: writer@toytown.example, role: writer}
    - {username: roads@toytown.example, name: Steward of roads, role: steward}
support:
  - {channel: e-mail, url: "mailto:help@toytown.example", description: In 5 days.}
schema:
"""


def read(tmp_path, **files):
    return load(tiny_city(tmp_path, **files))


def refused(tmp_path, **files):
    with pytest.raises(Refused) as stopped:
        read(tmp_path, **files)
    return [(p.line, p.code) for p in stopped.value.problems]


def test_an_entry_is_a_dataset_without_rows(tmp_path):
    (entry,) = read(tmp_path, **{"inventory.yaml": INVENTORY}).listed

    assert ("listed", "Roads", "public", False, date(2026, 6, 2), "/datasets/street_trees") == (
        entry.shape, entry.department, entry.access, entry.has_rows, entry.reviewed, entry.path
    )  # fmt: skip
    assert ("They are counted on paper.", "Spring 2027") == (entry.not_yet, entry.planned)


def test_the_contact_of_an_entry_is_the_steward_of_that_address(tmp_path):
    people = "stewards:\n  - {name: Steward of roads, contact: roads@toytown.example, promise: In 5 days.}\n"
    (entry,) = read(tmp_path, **{"inventory.yaml": INVENTORY, "people.yaml": people}).listed

    assert ("Steward of roads", "In 5 days.") == (entry.steward.name, entry.steward.promise)


@pytest.mark.parametrize(
    ("before", "after", "line", "code"),
    [
        ("department: roads", "department: road", 5, "R101"),
        ("id: street_trees", "id: crashes", 2, "R102"),
        ("id: street_trees", "id: crash_count", 2, "R102"),
        ("access: public", "access: secret", 6, "Y103"),
        ("    why_not_yet: They are counted on paper.\n", "", 2, "Y103"),
    ],
)
def test_a_fault_of_an_entry_is_told_at_its_line(before, after, line, code, tmp_path):
    assert [(line, code)] == refused(tmp_path, **{"inventory.yaml": swapped(INVENTORY, before, after)})


def licensed(tmp_path, value):
    line = f"  - {{ property: licence, value: {value}, vendor: metroon }}\n"
    return read(tmp_path, contract=CONTRACT + line).products["crashes"].contract


def test_a_licence_that_cities_use_is_told_with_its_text(tmp_path):
    told = imprint.licence(licensed(tmp_path, "CC0-1.0"))

    assert ("CC0-1.0", True) == (told.id, told.url.startswith("https://creativecommons.org/"))


def test_a_licence_of_the_citys_own_is_told_as_written(tmp_path):
    contract = licensed(tmp_path, "{ id: LicenseRef-Toytown, title: Terms of Toytown, url: /terms }")

    assert Licence("LicenseRef-Toytown", "Terms of Toytown", "/terms") == imprint.licence(contract)


def test_a_licence_that_says_nothing_is_refused(tmp_path):
    with pytest.raises(Refused) as stopped:
        licensed(tmp_path, "[CC0-1.0]")
    assert ["C118"] == [p.code for p in stopped.value.problems]


def test_without_a_licence_none_is_made_up(tmp_path):
    assert Licence() == imprint.licence(read(tmp_path).products["crashes"].contract)


def test_the_steward_is_who_has_not_left(tmp_path):
    contract = read(tmp_path, contract=swapped(CONTRACT, "schema:\n", TEAM)).products["crashes"].contract
    known = Steward("Steward of roads", contact="roads@toytown.example", promise="In 3 days.", hours="Mondays")

    assert ("Steward of roads", "roads@toytown.example", "In 5 days.") == (
        (told := imprint.steward(contract, {})).name, told.contact, told.promise
    )  # fmt: skip
    assert known == imprint.steward(contract, {"roads@toytown.example": known})


def test_a_product_without_a_team_has_no_steward(tmp_path):
    assert imprint.steward(read(tmp_path).products["crashes"].contract, {}) is None


def test_the_known_gap_is_the_first_paragraph(tmp_path):
    (tmp_path / "README.md").write_text("# Crashes\n\nNights are\nnot in it.\n\nMore.\n", encoding="utf-8")

    assert "Nights are not in it." == imprint.gap(tmp_path)


@pytest.mark.parametrize("text", [None, "", "# Crashes\n"])
def test_no_gap_is_made_up(text, tmp_path):
    if text is not None:
        (tmp_path / "README.md").write_text(text, encoding="utf-8")

    assert "" == imprint.gap(tmp_path)


@pytest.mark.parametrize(
    ("key", "line"), [("address: data.toytown.example", 13), ("contact: nobody", 13), ("doors: all", 13)]
)
def test_a_portal_that_cannot_be_is_refused(key, line, tmp_path):
    from tiny import CITY

    assert [(line, "Y103")] == refused(tmp_path, city=f"{CITY}portal:\n  {key}\n")
