"""Editions of a contract from end to end: what breaks readers is held back, what was published stays readable."""

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from metroon import flow, report
from metroon.city import load
from metroon.cli import main
from metroon.portal import CityPortal
from metroon.serve.app import app
from metroon.walk import Walk
from tiny import AS_OF, CITY, CONTRACT, ROWS, swapped, tiny_city

OPEN = CONTRACT
for before, after in (
    ("privacyUnit, value: event_on_person", "privacyUnit, value: none"),
    ("releaseMode, value: aggregate", "releaseMode, value: rows"),
    ("classification: linkage key", "classification: public"),
    ("classification: quasi", "classification: public"),
    ("classification: quasi", "classification: public"),
    ("- { property: releaseMode", "- { property: privacyReason, value: A row is a thing., vendor: metroon }\n"
                                  "  - { property: releaseMode"),
):  # fmt: skip
    OPEN = swapped(OPEN, before, after)
RENAMED = swapped(OPEN, "- name: age\n", "- name: years\n        physicalName: age\n")
PUT = "products/crashes/contract.yaml"


def ran(folder):
    walk = Walk(load(folder), AS_OF)
    made = flow.run(walk, ["crashes"])
    return walk, next(a for a in made.accounts if a.product == "crashes")


@pytest.fixture
def city(tmp_path):
    return tiny_city(tmp_path, city=CITY.partition("places:")[0], contract=OPEN, measure=None)


def test_a_breaking_change_waits_for_a_new_major_version_and_then_both_versions_can_be_read(city):
    _, first = ran(city)
    (city / PUT).write_text(RENAMED)
    _, held = ran(city)
    (city / PUT).write_text(swapped(RENAMED, "version: 1.0.0", "version: 2.0.0"))
    walk, second = ran(city)

    assert [("published", 1, []), ("failed", 1, ["C220"]), ("published", 2, [])] == [
        (a.outcome, a.version, [p.code for p in a.problems]) for a in (first, held, second)
    ]
    columns = {n: set(walk.lake.read(walk.lake.open("crashes", n)).columns) for n in (1, 2)}
    assert [({"age"}, {"years"})] == [(columns[1] - columns[2], columns[2] - columns[1])]
    made = report.contract_changes(walk.lake.history("crashes", "restricted"))
    assert {1: "1.0.0", 2: "2.0.0"} == {number: edition for number, (edition, _) in made.items()}
    assert any("column age is gone; it is likely years now" in note for note in second.notes)


def test_the_portal_gives_the_old_version_with_its_own_columns(city):
    ran(city)
    (city / PUT).write_text(swapped(RENAMED, "version: 1.0.0", "version: 2.0.0"))
    ran(city)
    ask = TestClient(app(CityPortal(city, AS_OF)), base_url="http://127.0.0.1:8000")
    old, new = (ask.get(f"/datasets/crashes.csv?version={n}") for n in (1, 2))

    assert [200, 200] == [old.status_code, new.status_code]
    assert [(True, False), (False, True)] == [("age" in r.text, "years" in r.text) for r in (old, new)]


def test_check_and_history_tell_what_changed(city):
    ran(city)
    (city / PUT).write_text(RENAMED)
    held = CliRunner().invoke(main, ["check", str(city)])
    (city / PUT).write_text(swapped(RENAMED, "version: 1.0.0", "version: 2.0.0"))
    warned = CliRunner().invoke(main, ["check", str(city)])
    ran(city)
    history = CliRunner().invoke(main, ["history", "crashes", "-C", str(city), "--contract"])

    assert (2, True) == (held.exit_code, "C220" in held.output)
    assert (0, True) == (warned.exit_code, "C221" in warned.output)
    assert "version 2: contract 2.0.0\n  breaking: column age is gone; it is likely years now\n" in history.output


def test_what_a_delivery_brings_otherwise_is_told_kept_and_remembered(city):
    ran(city)
    moved = "ID,happened_on,age,ward,zip\nd1,1/31/2026,34,west,1\nd2,2/1/2026,999,north,1\n"
    (city / "inbox/crashes_2027.csv").write_text(moved)
    walk, account = ran(city)
    (city / "inbox/crashes_2028.csv").write_text(swapped(ROWS, "happened_on", "date"))
    _, later = ran(city)
    told = CliRunner().invoke(main, ["history", "crashes", "-C", str(city), "--drift"]).output.splitlines()

    assert {("column new", "zip"), ("codes grown", "ward")} == {(d.kind, d.column) for d in account.drifts}
    kept = walk.lake.restricted("crashes", 2).evidence["drifts"]
    assert {d.what for d in account.drifts} == {d["what"] for d in kept}
    assert ["column gone", "column new"] == [d.kind for d in later.drifts]
    assert {"crashes_2027.csv", "crashes_2028.csv"} == {line.split("  ")[2] for line in told}
    assert not {v.rule for v in account.verdicts} & {d.kind for d in account.drifts}
