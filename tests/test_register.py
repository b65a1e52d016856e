"""The register: every personal column of every product, and what became of it."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
from click.testing import CliRunner

from metroon.cli import main
from metroon.register import UNDECIDED, register
from town import IN_WARDS, STAY_COLUMNS, Town, small_town, stays

SAID = {"purposes": ["Shelter people"], "legalBasis": "Consent", "retention": "7 years"}


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Town:
    made = small_town(tmp_path_factory.mktemp("town"), groups=["race"])
    made.product("stays", STAY_COLUMNS, table=IN_WARDS, **SAID)
    made.write("products/old/query.sql", "select race, count(*) as n from stays group by race")
    made.product("old", {"race": "string sensitive", "n": "integer sensitive"}, collect={"kind": "query"})
    made.ran()
    return made


def rows(town: Town):
    return {(r.product, r.column): r for r in register(town.walk()).rows}


def test_every_personal_column_is_there_and_no_other(town):
    personal = {("stays", c) for c in STAY_COLUMNS} | {("old", "race"), ("old", "n")}

    assert personal == set(rows(town))


def test_a_column_tells_its_purpose_its_law_and_how_long_it_is_kept(town):
    row = rows(town)["stays", "race"]

    assert ("Shelter people", "Consent", "7 years") == (row.purposes, row.legal_basis, row.retention)


def test_a_column_tells_where_it_flows(town):
    flows = rows(town)["stays", "race"].flows_to

    assert {"old.race", "old.n", "measure stay_count"} <= set(flows)
    assert "measure stay_count" in rows(town)["stays", "ward"].flows_to
    assert "measure stay_count" not in rows(town)["stays", "is_home"].flows_to


def test_a_column_tells_what_was_released_of_it_and_when(town):
    row = rows(town)["stays", "race"]

    assert ("groups of stay_count (1 edition)", "2026-03-15") == (row.released, str(row.last_released))
    assert "" == rows(town)["stays", "is_home"].released


def test_the_totals_are_those_of_the_rows(town):
    told = register(town.walk())

    assert told.totals["columns"] == len(told.rows)
    assert 2 == told.totals["without purpose"] == sum(not r.purposes for r in told.rows)
    assert 2 == told.totals["products"]


def test_the_order_is_by_product_and_the_strictest_first(town):
    told = register(town.walk()).rows

    assert [r.product for r in told] == sorted(r.product for r in told)
    assert "sensitive" == told[0].classification


def test_a_column_that_nobody_has_decided_is_in_it(tmp_path):
    made = small_town(tmp_path)
    made.product("stays", {**STAY_COLUMNS, "race": "string ?"}, table=IN_WARDS)

    assert UNDECIDED == rows(made)["stays", "race"].classification


@pytest.mark.parametrize("kind", ["table", "json", "csv", "markdown"])
def test_every_form_of_it_has_every_column(town, kind):
    told = CliRunner().invoke(main, ["guard", "register", "-C", str(town.folder), "--format", kind])

    assert 0 == told.exit_code, told.output
    assert [] == [c for c in STAY_COLUMNS if c not in told.stdout]


def test_machines_read_the_same_rows_in_both_forms(town):
    both = [
        CliRunner().invoke(main, ["guard", "register", "-C", str(town.folder), "--format", k]).stdout
        for k in ("json", "csv")
    ]
    told = json.loads(both[0])["rows"]

    assert [r["column"] for r in told] == [r["column"] for r in csv.DictReader(io.StringIO(both[1]))]


def test_a_table_is_told_as_a_table(tmp_path):
    made = small_town(tmp_path, places=[])
    made.product("stays", STAY_COLUMNS, table=IN_WARDS, mode="table")
    how = {"collect": {"kind": "csv", "path": "stays*.csv"}, "table": {"by": ["race"], "count": "stays"}}
    made.write("products/stays/product.yaml", how)
    made.ran()
    row = rows(made)["stays", "race"]

    assert ("a dimension of its table", "rows stay") == (row.released, row.technique)


def test_rows_past_their_time_are_told_with_what_keeps_them(tmp_path):
    made = small_town(tmp_path)
    made.csv("stays.csv", stays({"north": 40, "east": 50}, start=date(2022, 1, 1)))
    kept = {"keep": "2 years", "from": "eventTime", "basis": "Records schedule"}
    made.product("stays", STAY_COLUMNS, table={**IN_WARDS, "eventTime": "day"}, retention=kept)
    made.ran()
    row = rows(made)["stays", "race"]

    assert "2 years after the event (Records schedule)" == row.retention
    assert row.due.startswith("rows up to 2024-03-15 have passed their time; kept by ")
    assert len(STAY_COLUMNS) == register(made.walk()).totals["past their retention"]
