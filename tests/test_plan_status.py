"""The plan of a city from its files to its states: run, remembered, asked again, and told at a day."""

from __future__ import annotations

import json
from datetime import date

import pytest
from click.testing import CliRunner

from metroon.catalog import gather
from metroon.city import load
from metroon.cli import main
from metroon.walk import Walk
from tiny import CITY, CONTRACT, MEASURE, swapped, tiny_city

LICENCE = "  - { property: licence, value: CC0-1.0, vendor: metroon }\n"
PLAN = """\
title: Plan of Toytown
authority: Council resolution 2026-01
start: 2026-01-01
end: 2026-12-31
steps:
  - id: serve
    title: Serve
    actions:
      - id: licence_all
        title: Give every dataset a licence
        owner: data_lead
        start: 2026-01-01
        due: 2026-06-30
        evidence:
          - {kind: products, holds: has_licence, share: 1.0}
          - {kind: measure, measure: crash_count, expires_after_days: 60}
"""
PEOPLE = """\
roles:
  - {id: data_lead, title: Data lead, duties: Keeps the plan., holder: Somebody, since: 2026-01-01}
"""
STORY = """\
---
title: Crashes
summary: How many there were.
on: 2026-02-01
author: Steward of roads
queries:
  all: {measure: crash_count}
---
There were {{ all.value }} crashes.
"""
AS_OF = date(2026, 3, 15)


def city(folder, contract=CONTRACT + LICENCE, **files):
    texts = {"plan.yaml": PLAN, "people.yaml": PEOPLE, "stories/crashes_told.md": STORY, **files}
    told = f"{CITY.partition('places:')[0]}as_of: {AS_OF}\n"
    return tiny_city(folder, city=told, contract=contract, measure=swapped(MEASURE, "places: [ward]\n", ""), **texts)


def metroon(*words):
    return CliRunner().invoke(main, [str(w) for w in words])


def states(folder, *words):
    told = metroon("plan", folder, "--format", "json", *words)
    return [a["state"] for s in json.loads(told.stdout)["steps"] for a in s["actions"]], told.exit_code


def test_an_action_is_done_until_its_evidence_is_deleted_and_then_reopened(tmp_path):
    folder = city(tmp_path)
    before = states(folder)
    assert (["on track"], 0) == before  # nothing is published yet
    assert 0 == metroon("run", folder).exit_code
    done = states(folder)
    city(tmp_path, contract=CONTRACT)

    assert ((["done"], 0), (["reopened"], 1)) == (done, states(folder))


def test_evidence_expires_when_the_clock_goes_forward(tmp_path):
    folder = city(tmp_path)
    metroon("run", folder)

    assert [["done"], ["reopened"]] == [states(folder, "--on", d)[0] for d in ("2026-05-14", "2026-05-15")]


def test_a_plan_of_an_earlier_day_knows_nothing_of_a_later_release(tmp_path):
    folder = city(tmp_path)
    metroon("run", folder)

    assert ["on track"] == states(folder, "--on", "2026-03-14")[0]


def test_the_page_says_what_fails_and_that_a_city_without_a_plan_has_none(tmp_path):
    folder = city(tmp_path, contract=CONTRACT)
    told = metroon("plan", folder)

    assert "0 of 1 products have a licence. Not: Crashes." in " ".join(told.stdout.split())
    (folder / "plan.yaml").unlink()
    assert "R108" in metroon("plan", folder).stderr


@pytest.mark.parametrize(
    ("file", "before", "after", "code"),
    [
        ("plan.yaml", "owner: data_lead", "owner: chief", "R101"),
        ("plan.yaml", "share: 1.0", "share: 0", "R104"),
        ("plan.yaml", "at_least", "", None),
        ("stories/crashes_told.md", "all.value", "all.worth", "R107"),
        ("stories/crashes_told.md", "measure: crash_count", "measure: crashes", "R101"),
    ],
)
def test_check_tells_the_faults_of_the_plan_and_the_stories(file, before, after, code, tmp_path):
    text = {"plan.yaml": PLAN, "stories/crashes_told.md": STORY}[file]
    folder = city(tmp_path, **{file: swapped(text, before, after) if code else text})
    told = metroon("check", folder)

    assert (2 if code else 0) == told.exit_code, told.stderr
    assert code is None or (code in told.stderr and file in told.stderr)


def test_a_story_finds_its_numbers_and_the_catalog_has_the_texts(tmp_path):
    folder = city(tmp_path)
    metroon("run", folder)
    found = gather(Walk(load(folder), AS_OF))

    assert [[(None, "hidden")]] == [
        [(r["value"], r["state"]) for r in q.rows] for s in found.stories for q in s.queries
    ]
    assert ("CC0-1.0", "done") == (found.datasets["crashes"].licence.id, found.plan.steps[0].actions[0].state)


def test_what_the_plan_says_is_part_of_what_the_catalog_is_known_by(tmp_path):
    folder = city(tmp_path)
    first = gather(Walk(load(folder), AS_OF)).identity
    (folder / "plan.yaml").write_text(swapped(PLAN, "Give every", "Give each"), encoding="utf-8")

    assert first != gather(Walk(load(folder), AS_OF)).identity
