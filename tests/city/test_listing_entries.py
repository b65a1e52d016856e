"""Entries of the inventory are added from what another portal lists, and what a person wrote stays as it is."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.city import load
from metroon.city.listing import Entry, add_entries

DAY = date(2026, 7, 15)
PORTAL = "https://data.brookfield.example"


def entry(n, **given):
    told = {"source": f"{PORTAL}/d/{n}", "title": f"Trees {n}", "description": "Trees.", "owner": "Parks Department",
            "contact": "parks@brookfield.example", "topic": "", "access": "public", "why_not_yet": "Elsewhere.",
            **given}  # fmt: skip
    return Entry(**told)


def city(folder, text="name: Brookfield\n", inventory=None):
    (folder / "city.yaml").write_text(text, encoding="utf-8")
    if inventory is not None:
        (folder / "inventory.yaml").write_text(inventory, encoding="utf-8")
    return folder


def test_a_city_without_inventory_gets_one_with_the_departments_it_names(tmp_path):
    made = add_entries(city(tmp_path), [entry(1), entry(2, owner="Roads")], (), PORTAL, on=DAY)
    assert made.departments == ("Parks Department", "Roads")
    told = load(tmp_path)
    assert [d.name for d in told.listed] == ["trees_1", "trees_2"] == list(made.ids)
    assert [d.department for d in told.listed] == ["Parks Department", "Roads"]


def test_a_second_harvest_adds_nothing_and_tells_what_is_gone(tmp_path):
    folder = city(tmp_path)
    add_entries(folder, [entry(1), entry(2)], (), PORTAL, on=DAY)
    before = (folder / "inventory.yaml").read_bytes()
    made = add_entries(folder, [entry(2)], (), PORTAL, on=DAY)
    assert (made.ids, made.known, made.gone) == ((), 1, ("Trees 1",))
    assert (folder / "inventory.yaml").read_bytes() == before


def test_comments_and_entries_of_a_person_stay_letter_by_letter(tmp_path):
    text = """# Ours
name: Brookfield  # a town
departments:
  parks: Parks Department   # trees
  roads: Roads
languages: [en]
"""
    own = """# By hand
entries:
  - id: trees_1   # ours
    title: 'Our trees'
    description: D
    department: parks
    why_not_yet: W
    contact: c
    reviewed: 2026-01-01
"""
    folder = city(tmp_path, text, own)
    made = add_entries(folder, [entry(1), entry(2, owner="Water")], (), PORTAL, on=DAY)
    assert made.ids == ("trees_1_2", "trees_2")
    assert (folder / "inventory.yaml").read_text().startswith(own)
    assert (folder / "city.yaml").read_text() == text.replace("  roads: Roads\n", "  roads: Roads\n  water: Water\n")
    assert len(load(folder).listed) == 3


def test_a_list_on_one_line_is_refused_and_nothing_is_written(tmp_path):
    told = "id: a, title: A, description: D, department: parks, why_not_yet: W, contact: c, reviewed: 2026-01-01"
    inventory = f"entries: [{{{told}}}]\n"
    folder = city(tmp_path, "name: B\ndepartments: {parks: Parks}\n", inventory)
    with pytest.raises(Refused) as refused:
        add_entries(folder, [entry(1)], (), PORTAL, on=DAY)
    assert [p.code for p in refused.value.problems] == ["D164"]
    assert (folder / "inventory.yaml").read_text() == inventory
    assert (folder / "city.yaml").read_text() == "name: B\ndepartments: {parks: Parks}\n"


@given(st.text(min_size=1), st.text(), st.text())
def test_whatever_a_portal_writes_is_read_back_as_it_was(tmp_path_factory, title, description, owner):
    folder = city(tmp_path_factory.mktemp("city"))
    add_entries(folder, [entry(1, title=title, description=description, owner=owner)], ("dataset",), PORTAL, on=DAY)
    found = load(folder).listed[0]
    assert (found.title, found.description) == (title, description or title)
