"""The gate: it decides first, and what is not permitted looks like what is not there."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

import metroon.serve
from metroon.base.catalog import Catalog, Column, Dataset, Edition, Portal, Rows
from metroon.base.engine import Engine
from metroon.permit import OPERATOR, PUBLIC, Gate, NotThere, Principal

MADE = datetime(2026, 7, 1, tzinfo=UTC)
EDITIONS = (Edition(2, date(2026, 7, 1), MADE, 2), Edition(1, date(2026, 6, 1), MADE, 2))
COLUMNS = (
    Column("lamp", "Lamp", "", "string", filled=1.0, bars=(1.0, 0.5)),
    Column("owner", "Owner", "", "string", "direct", "dropped", is_open=False),
)
LIGHTS = Dataset("lights", "table", "Street lights", "", access="public", has_rows=True, columns=COLUMNS, rows=2,
                 editions=EDITIONS)  # fmt: skip
STAYS = replace(LIGHTS, name="stays", access="non-public")
DRAFT = replace(LIGHTS, name="draft", has_rows=False, editions=(), rows=None)


@pytest.fixture
def opened() -> list[tuple[str, int]]:
    return []


@pytest.fixture
def gate(opened: list[tuple[str, int]], engine: Engine) -> Gate:
    datasets = {d.name: d for d in (LIGHTS, STAYS, DRAFT)}
    catalog = Catalog(
        "Arroyo Vista", True, date(2026, 7, 15), "UTC", ("en",), "", Portal(), "0", MADE, datasets, {}, (), None, {},
        "", {}, None, (), (), {}, 11,
    )  # fmt: skip

    def opener(name: str, number: int) -> Rows:
        opened.append((name, number))
        rows = engine.table(pa.table({"lamp": ["LED", "sodium"], "owner": ["a", "b"]}))
        edition = next(e for e in EDITIONS if e.number == number)
        # A version may still hold a column that was closed later.
        return Rows(datasets[name], edition, rows, tuple(replace(c, is_open=True) for c in COLUMNS), 2, ("owner",))

    return Gate(catalog, opener)


def test_rows_hold_only_columns_that_are_open_today_also_in_an_older_version(gate):
    for version in (None, 1, 2):
        rows = gate.rows(PUBLIC, "lights", "rest", version=version)

        assert ["lamp"] == list(rows.relation.columns)
        assert ["lamp"] == [c.name for c in rows.columns]
        assert () == rows.order


def test_nothing_is_opened_before_it_is_decided(gate, opened):
    for name, version in (("stays", None), ("stays", 1), ("draft", None), ("nowhere", None), ("lights", 99)):
        with pytest.raises(NotThere):
            gate.rows(PUBLIC, name, "rest", version=version)

    assert [] == opened


def test_not_permitted_and_not_existing_look_the_same(gate):
    told = set()
    for name in ("stays", "nowhere"):
        with pytest.raises(NotThere) as refused:
            gate.rows(PUBLIC, name, "rest")
        told.add((type(refused.value), str(refused.value).replace(name, "NAME")))

    assert 1 == len(told)


def test_the_public_learns_that_a_closed_dataset_exists_and_nothing_of_what_is_in_it(gate):
    closed = gate.catalog(PUBLIC, "page").datasets["stays"]

    assert ("Street lights", False, None, ()) == (closed.title, closed.has_rows, closed.rows, closed.editions)
    assert all(c.filled is None and not c.bars and not c.is_open for c in closed.columns)
    assert gate.catalog(OPERATOR, "terminal").datasets["stays"].has_rows


def test_nobody_unknown_gets_even_a_catalog(gate):
    with pytest.raises(NotThere):
        gate.catalog(Principal("somebody"), "page")


def test_what_serves_reaches_the_catalog_and_rows_only_through_a_decision():
    behind = re.compile(r"catalog_of_all|\.opener\b|\.lake\b|read_parquet|DeltaTable")
    files = sorted(Path(metroon.serve.__file__).parent.rglob("*.py"))

    assert len(files) > 20
    # The one names DuckDB's function in the text that readers copy.
    assert ["snippets.py"] == [f.name for f in files if behind.search(f.read_text(encoding="utf-8"))]
