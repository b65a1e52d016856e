"""Every snippet runs as it is shown, against a real server of the portal."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
import subprocess
import urllib.request
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import duckdb
import openpyxl
import pytest
from seen import seen
from small import SmallPortal, column, datasets, serving, small_portal

from metroon.base.catalog import Column
from metroon.permit import Gate
from metroon.serve.app import app
from metroon.serve.site import Site
from metroon.serve.snippets import Snippet, colored, snippets
from metroon.serve.words import Words

KIND = replace(column("kind", "string"), allowed=(("oak", "Oak"), ("elm", "Elm"), ("ash", "Ash")))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    """The address of a small portal whose trees have a closed list, and its trees."""
    plain = small_portal(tmp_path_factory.mktemp("small")).site()
    trees = replace(
        datasets()["trees"], columns=tuple(KIND if c.name == "kind" else c for c in datasets()["trees"].columns)
    )
    catalog = replace(plain.catalog, datasets={**datasets(), "trees": trees})
    with serving(app(SmallPortal(Site(Gate(catalog, plain.gate.opener))))) as address:
        yield address, trees


@pytest.fixture
def found(served) -> dict[str, Snippet]:
    address, trees = served
    return {s.id: s for s in snippets(trees, address=address, words=Words("en"))}


def test_python_prints_how_many_rows_there_are_of_each_value(found):
    pandas = pytest.importorskip("pandas")
    with redirect_stdout(io.StringIO()) as printed:
        exec(found["python"].code, {})  # that is what a reader does with it

    assert ["oak", "334"] == next(line.split() for line in printed.getvalue().splitlines() if line.startswith("oak"))
    seen("file", f"pandas {pandas.__version__}", "the Python snippet of a dataset's page, as it stands")


def test_python_reads_the_version_that_the_page_shows(served):
    pytest.importorskip("pandas")
    address, trees = served
    old = next(s for s in snippets(trees, address=address, words=Words("en"), version=1) if s.id == "python")
    with redirect_stdout(io.StringIO()) as printed:
        exec(old.code, {})  # as above

    assert ["oak", "34"] == next(line.split() for line in printed.getvalue().splitlines() if line.startswith("oak"))


def test_sql_runs_on_the_file_that_its_first_line_names(found, tmp_path, monkeypatch):
    code = found["sql"].code
    address, name = code.splitlines()[0].removeprefix("-- "), code.splitlines()[1].removeprefix("-- saved as ")
    (tmp_path / name).write_bytes(urllib.request.urlopen(address).read())  # on loopback
    monkeypatch.chdir(tmp_path)

    assert {("oak", 334), ("ash", 333), ("elm", 333)} == set(duckdb.sql(code).fetchall())
    seen("file", f"DuckDB {duckdb.__version__}", "the SQL snippet of a dataset's page, as it stands")


def run(*command: str, where: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_saves_the_file_and_prints_rows(found, tmp_path):
    ran = run("sh", "-e", "-c", found["curl"].code, where=tmp_path)

    assert 0 == ran.returncode, ran.stderr
    assert 1001 == (tmp_path / "trees.csv").read_text(encoding="utf-8-sig").count('\n"t00') + 1
    assert 5 == len(json.loads(ran.stdout)["rows"])
    version = run("curl", "--version", where=tmp_path).stdout.split()[1]
    seen("file", f"curl {version}", "the shell snippet of a dataset's page, as it stands")


def test_the_spreadsheet_opens(found):
    sheet = openpyxl.load_workbook(io.BytesIO(urllib.request.urlopen(found["spreadsheet"].code).read()))  # on loopback

    assert 1001 == sheet.worksheets[0].max_row
    seen("file", f"openpyxl {openpyxl.__version__}", "the spreadsheet of a dataset's page")


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")
def test_r_prints_how_many_rows_there_are_of_each_value(found, tmp_path):
    ran = run("Rscript", "-e", found["r"].code, where=tmp_path)

    assert "334" in ran.stdout, ran.stderr
    seen("file", "R", "the R snippet of a dataset's page, as it stands")


def test_an_assistant_is_told_what_is_missing_and_what_must_not_be_done(found):
    told = found["assistant"].code

    assert "Trees on private land are missing." in told
    assert "No inventory of risk." in told
    assert "- kind (string): Kind. What kind means." in told
    assert "owner" not in told
    assert "Do not guess values" in told


def test_a_dataset_without_published_rows_has_no_snippets():
    assert () == snippets(datasets()["patients"], address="http://x", words=Words("en"))


def test_nothing_in_a_name_gets_out_of_its_quotes():
    odd = Column('ki"nd', "Kind", "", "string", allowed=(("a", "a"), ("b", "b")))
    told = {
        s.id: s for s in snippets(replace(datasets()["trees"], columns=(odd,)), address="http://x", words=Words("en"))
    }

    compile(told["python"].code, "snippet", "exec")
    assert '"ki""nd"' in told["sql"].code
    assert '"ki\\"nd"' in told["r"].code


def test_coloured_code_is_the_same_code(found):
    for snippet in found.values():
        assert snippet.code == html.unescape(re.sub(r"</?span[^>]*>", "", str(snippet.colored)))


def test_markup_in_code_is_escaped():
    assert "<b>" not in colored("select '<b>' -- <b>", "sql")
