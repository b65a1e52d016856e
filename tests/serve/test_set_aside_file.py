"""Set-aside rows as a private file: what stands in it, and that they leave by no other door. All names are invented."""

from __future__ import annotations

import csv
import io
import json
import stat
import zipfile
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from python_calamine import CalamineWorkbook

from metroon.cli import main
from tiny import tiny_city

if TYPE_CHECKING:
    from pathlib import Path

CANARY, OTHER = "Zelda Quince", "Ulrich Ponder"
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: toytown.crashes
name: Crashes
version: 1.0.0
status: active
schema:
  - name: crashes
    properties:
      - { name: id, physicalName: ID, logicalType: string, primaryKey: true, required: true, classification: public }
      - { name: happened_on, logicalType: date, classification: public }
      - { name: note, logicalType: string, classification: public }
customProperties:
  - { property: privacyUnit, value: none, vendor: metroon }
  - { property: privacyReason, value: A row is a thing., vendor: metroon }
  - { property: releaseMode, value: rows, vendor: metroon }
"""
ROWS = f"""\
ID,happened_on,note
c1,2026-01-31,plain
c2,2026-02-30,{CANARY}
=1+1,{OTHER}
c1,2026-02-01,"=HYPERLINK(""http://evil.example"",""{CANARY}"")"
"""
CITY = "name: Toytown\ntime_zone: America/Los_Angeles\ndata: inbox\ndepartments:\n  roads: Roads\n"
AT_ONCE = {"city": CITY, "contract": CONTRACT, "rows": ROWS, "measure": None, "protocols/crashes.yaml": None}


def metroon(city: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "-C", str(city)], catch_exceptions=False)


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Path:
    made = tiny_city(tmp_path_factory.mktemp("city"), **AT_ONCE)
    assert 0 == metroon(made, "run", "--as-of", "2026-03-15").exit_code
    return made


def written(city: Path, file: Path, kind: str) -> bytes:
    told = metroon(city, "show", "crashes", "--set-aside", "--format", kind, "--to", str(file))
    assert (0, False) == (told.exit_code, CANARY in told.output)
    return file.read_bytes()


def test_the_spreadsheet_says_first_what_it_is_and_sums_up(city, tmp_path):
    written(city, tmp_path / "aside.xlsx", "xlsx")
    cover = CalamineWorkbook.from_path(tmp_path / "aside.xlsx").get_sheet_by_name("Read me first").to_python()
    words = " ".join(str(cell) for row in cover for cell in row)

    assert "3 rows of Crashes, version 1" in words
    assert "personal data among them" in words
    assert ["crashes_2026.csv", "the key (id) is repeated", 1.0] in [row[:3] for row in cover]
    assert ["", "All", 3.0] in [row[:3] for row in cover]


def test_each_row_stands_there_with_its_file_line_reason_and_values(city, tmp_path):
    written(city, tmp_path / "aside.xlsx", "xlsx")
    head, *listed = CalamineWorkbook.from_path(tmp_path / "aside.xlsx").get_sheet_by_name("Set aside").to_python()

    assert ["file", "line", "reason", "what stands there", "id", "happened_on", "note"] == head
    assert [
        (3.0, "happened_on is no date", "", "c2", "2026-02-30", CANARY),
        (4.0, "the record does not have 3 fields", f"=1+1,{OTHER}", "", "", ""),
        (5.0, "the key (id) is repeated", "", "c1", "2026-02-01", f'=HYPERLINK("http://evil.example","{CANARY}")'),
    ] == [tuple(row[1:]) for row in listed]


def test_nothing_in_the_spreadsheet_is_a_formula_or_a_link(city, tmp_path):
    written(city, tmp_path / "aside.xlsx", "xlsx")
    with zipfile.ZipFile(tmp_path / "aside.xlsx") as bundle:
        sheets = [bundle.read(n).decode() for n in bundle.namelist() if n.startswith("xl/worksheets/")]

    assert 2 == len([sheet for sheet in sheets if "<row" in sheet])
    assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_the_same_rows_are_had_as_csv_and_json(kind, city, tmp_path):
    text = written(city, tmp_path / f"aside.{kind}", kind).decode()
    rows = json.loads(text) if kind == "json" else list(csv.DictReader(io.StringIO(text)))
    marked = "'" if kind == "csv" else ""  # a program that opens the file as a sheet runs nothing

    assert ["3", "4", "5"] == [str(row["line"]) for row in rows]
    assert [CANARY, f'{marked}=HYPERLINK("http://evil.example","{CANARY}")'] == [rows[0]["note"], rows[2]["note"]]


def test_only_its_owner_may_read_the_file(city, tmp_path):
    written(city, tmp_path / "aside.xlsx", "xlsx")

    assert 0o600 == stat.S_IMODE((tmp_path / "aside.xlsx").stat().st_mode)


def test_a_folder_that_is_not_there_is_told(city, tmp_path):
    told = metroon(city, "show", "crashes", "--set-aside", "--to", str(tmp_path / "none" / "a.xlsx"))

    assert (2, True) == (told.exit_code, "D112" in told.output)


@pytest.mark.parametrize("words", [["--format", "xlsx"], ["--set-aside", "--format", "xlsx"], ["--to", "a.xlsx"]])
def test_what_stands_in_the_rows_leaves_to_a_named_file_alone(words, city):
    assert 2 == metroon(city, "show", "crashes", *words).exit_code


def test_set_aside_rows_leave_by_no_other_door(city, tmp_path):
    words = [
        metroon(city, *verb).output
        for verb in (
            ["run", "--full"], ["show", "crashes"], ["show", "crashes", "--set-aside"], ["history", "crashes"],
            ["show", "crashes", "--format", "csv"], ["show", "crashes", "--set-aside", "--format", "json"],
            ["history", "crashes", "--version", "1"], ["doctor"], ["build", "--to", str(tmp_path / "portal")],
        )
    ]  # fmt: skip
    files = [p for p in (tmp_path / "portal").rglob("*") if p.is_file()]
    files += [p for p in (city / ".metroon").rglob("*") if p.is_file() and "crashes.set_aside" not in p.as_posix()]
    holding = [p for p in files if any(name in content(p) for name in (CANARY, OTHER))]

    assert any(p.name == "index.html" for p in files)
    assert [] == [w for w in words if CANARY in w or OTHER in w]
    assert [] == holding


def content(file: Path) -> str:
    """All that a file says; of one whose bytes are packed, its rows."""
    return str(pq.read_table(file).to_pylist()) if file.suffix == ".parquet" else file.read_bytes().decode("latin-1")
