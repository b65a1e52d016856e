"""plan.yaml and people.yaml: what is read, and every fault at its line."""

from datetime import date

import pytest

from metroon.base.errors import Refused
from metroon.city import load
from tiny import swapped, tiny_city

PLAN = """\
title: Plan of Toytown
authority: Council resolution 2026-01, 13 January 2026
start: 2026-01-15
end: 2028-12-31
principles:
  - {id: open, sentence: We tell what we know., why: It is theirs., measures: [crash_count]}
steps:
  - id: serve
    title: Serve
    principle: open
    actions:
      - id: licence_all
        title: Give every dataset a licence
        owner: data_lead
        department: roads
        start: 2026-02-01
        due: 2026-06-30
        first_due: 2026-04-30
        moved: The lawyer was away.
        milestones:
          - {title: One of them, due: 2026-03-31, evidence: [{kind: products, holds: has_licence, count: 1}]}
        evidence:
          - {kind: products, holds: has_licence, share: 1.0}
"""
PEOPLE = """\
roles:
  - {id: data_lead, title: Data lead, duties: Keeps the plan., holder: Somebody, department: roads, since: 2026-01-13}
  - {id: chief, title: Chief, duties: Speaks., holder: vacant, since: 2026-04-01, deputy: data_lead, required: false}
stewards:
  - {name: Steward of roads, contact: roads@toytown.example, promise: In 5 days.}
"""


def read(tmp_path, plan=PLAN, people=PEOPLE):
    return load(tiny_city(tmp_path, **{"plan.yaml": plan, "people.yaml": people}))


def found(tmp_path, **files):
    with pytest.raises(Refused) as refused:
        read(tmp_path, **files)
    return [(p.line, p.code) for p in refused.value.problems]


def test_a_plan_is_read_with_its_days(tmp_path):
    (told,) = read(tmp_path).plan.actions()

    assert ("serve", "licence_all", date(2026, 6, 30), date(2026, 4, 30), 12) == (
        told.step, told.file.id, told.file.due, told.file.first_due, told.node.line()
    )  # fmt: skip


def test_a_city_without_a_plan_has_none(tmp_path):
    city = load(tiny_city(tmp_path))

    assert (None, (), {}, (), (), ()) == (
        city.plan, city.staff.roles, city.staff.stewards, city.listed, city.terms, city.stories
    )  # fmt: skip


@pytest.mark.parametrize("key", ["state: done", "status: done", "percent: 80"])
def test_nobody_can_type_a_state(key, tmp_path):
    typed = swapped(PLAN, "        due: 2026-06-30\n", f"        due: 2026-06-30\n        {key}\n")

    assert [(18, "Y103")] == found(tmp_path, plan=typed)


@pytest.mark.parametrize(
    ("before", "after", "line", "code"),
    [
        ("principle: open", "principle: opened", 10, "R101"),
        ("due: 2026-06-30", "due: 2026-01-31", 17, "R106"),
        ("        moved: The lawyer was away.\n", "", 18, "R106"),
        ("        first_due: 2026-04-30\n", "", 18, "R106"),
        ("due: 2026-03-31", "due: 2026-07-31", 21, "R106"),
        ("end: 2028-12-31", "end: 2025-12-31", 4, "R106"),
        ("id: licence_all", "id: License-All", 12, "Y103"),
        ("evidence: [{kind: products, holds: has_licence, count: 1}]", "evidence: []", 21, "Y103"),
    ],
)
def test_a_fault_of_the_plan_is_told_at_its_line(before, after, line, code, tmp_path):
    assert (line, code) in found(tmp_path, plan=swapped(PLAN, before, after))


def test_an_id_stands_once(tmp_path):
    twice = PLAN + PLAN[PLAN.index("      - id: licence_all") :]

    assert [(24, "R102")] == found(tmp_path, plan=twice)


def test_a_vacant_role_has_no_holder(tmp_path):
    roles = read(tmp_path).staff.roles

    assert [("data_lead", "Somebody", "Roads", True), ("chief", "", "", False)] == [
        (r.id, r.holder, r.department, r.is_required) for r in roles
    ]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("department: roads", "department: road", "R101"),
        ("deputy: data_lead", "deputy: chief", "R101"),
        ("id: chief", "id: data_lead", "R102"),
        ("required: false", "requires: false", "Y103"),
    ],
)
def test_a_fault_of_the_people_is_told(before, after, code, tmp_path):
    assert code in [c for _, c in found(tmp_path, people=swapped(PEOPLE, before, after))]


def test_faults_of_all_files_are_told_at_once(tmp_path):
    plan, people = swapped(PLAN, "principle: open", "principle: x"), swapped(PEOPLE, "required", "requires")

    assert {"R101", "Y103"} == {c for _, c in found(tmp_path, plan=plan, people=people)}
