"""What the invented city says in words: its plan, its people, what it lacks, its words and its stories."""

from importlib.resources import files
from pathlib import Path

import pytest

from metroon.city import imprint, load
from metroon.city.glossary import names_in
from metroon.faults import faults

CITY = Path(str(files("metroon.demo") / "city"))
SPOKEN = ("es", "vi", "zh-Hans")


@pytest.fixture(scope="module")
def read():
    return load(CITY)


def test_the_city_has_no_fault_but_that_its_files_are_not_made_yet(read):
    assert {"D101"} == {p.code for p in faults(read, read.file.as_of)}


def test_the_plan_has_nine_steps_and_says_whose_template_they_follow(read):
    assert 9 == len(read.plan.file.steps)
    assert "Metroon template" in read.plan.file.note
    assert 12 <= len(list(read.plan.actions())) <= 18
    assert read.plan.file.title.startswith("Invented ")


def test_one_required_role_is_vacant_and_every_holder_is_invented(read):
    assert ["evaluation_lead"] == [r.id for r in read.staff.roles if r.is_required and not r.holder]
    assert all(r.holder.startswith("An invented ") for r in read.staff.roles if r.holder)
    assert all(s.name.startswith("Invented steward of ") for s in read.staff.stewards.values())


def test_every_product_has_a_steward_of_people_yaml_and_a_known_gap(read):
    for product in read.products.values():
        assert imprint.steward(product.contract, read.staff.stewards) in read.staff.stewards.values()
        assert 20 < len(imprint.gap(product.folder)) < 250, product.name


def test_what_is_public_has_a_licence(read):
    told = {p.contract.custom["accessLevel"]: imprint.licence(p.contract).id for p in read.products.values()}

    assert {"public": "CC0-1.0", "restricted public": "", "non-public": ""} == told


def test_every_department_lists_something_that_is_not_collected(read):
    assert set(read.file.departments.values()) == {d.department for d in read.listed}
    assert {"public", "restricted public", "non-public"} == {d.access for d in read.listed}


def test_the_words_are_said_in_every_language(read):
    assert 25 <= len(read.terms)
    assert [] == [t.id for t in read.terms if not all(t.synonyms.get(x) for x in ("en", *SPOKEN))]


def test_three_stories_say_that_they_are_invented(read):
    assert 3 == len(read.stories)
    assert all("invented" in s.file.summary and "This story is invented" in s.markdown for s in read.stories)
    assert all(s.file.author.startswith("Invented ") for s in read.stories)


@pytest.mark.parametrize("language", SPOKEN)
def test_every_title_of_published_rows_is_translated(language, read):
    rows = {n: p.contract for n, p in read.products.items() if p.contract.mode == "rows"}
    names = names_in({n: c.node.value for n, c in rows.items()}, read.file.languages)[language]

    assert 9 == len(rows)
    assert [] == [t for c in rows.values() for t in (c.title, *(x.title for x in c.columns)) if t not in names]
