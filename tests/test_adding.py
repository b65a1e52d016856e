"""Adding anything: a folder of deliveries, a database, a file on the web; drafted, and nothing half done."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from metroon.adding import common_pattern
from metroon.city import load
from metroon.city.draft import draft_city
from metroon.cli import main
from metroon.collect import Landing

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "TEST_LIGHTS_DB"


def lights(year: int, rows: int = 30) -> str:
    """Invented street lights."""
    body = "".join(f"L{year}{n:03},{year}-{1 + n % 12:02}-15,{'LED' if n % 2 else 'sodium'},{n}\n" for n in range(rows))
    return "light_no,installed,lamp,watts\n" + body


@pytest.fixture
def city(tmp_path: Path) -> Path:
    folder = tmp_path / "city"
    draft_city(folder, "Springfield")
    return folder


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Three yearly deliveries, and what else lies in such a folder."""
    folder = tmp_path / "Street Lights"
    folder.mkdir()
    for year in (2019, 2020, 2021):
        (folder / f"lights_{year}.csv").write_text(lights(year))
    (folder / "contacts.csv").write_text("name,phone\nA,1\nB,2\n")
    (folder / "empty.csv").write_text("")
    (folder / "read me.docx").write_bytes(b"a note")
    return folder


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "lights.sqlite"
    with closing(sqlite3.connect(file)) as opened, opened:
        opened.execute("create table lights (light_no text, lamp text, watts integer)")
        opened.executemany("insert into lights values (?, ?, ?)", [(f"L{n:03}", "LED", n) for n in range(40)])
    monkeypatch.setenv(VARIABLE, f"sqlite:///{file}")
    return file


def metroon(city: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "-C", str(city)], catch_exceptions=False)


def everything(folder: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def collected(city: Path, name: str) -> dict[str, object]:
    return dict(load(city).products[name].collect.value)  # type: ignore[call-overload]  # a mapping, as drafted


# A folder of deliveries


def test_the_deliveries_of_a_folder_become_one_product(city, desk):
    told = metroon(city, "add", str(desk))

    assert (0, "lights") == (told.exit_code, next(iter(load(city).products)))
    assert {"kind": "csv", "path": "Street Lights/lights_*.csv"} == collected(city, "lights")
    assert "90 rows, 4 columns" in told.output


def test_what_does_not_fit_among_the_deliveries_is_told_by_name(city, desk):
    told = metroon(city, "add", str(desk)).output

    assert "contacts.csv" in told
    assert "empty.csv cannot be read" in told
    assert "read me.docx" not in told  # a note is no delivery


def test_a_folder_of_deliveries_runs_as_it_was_drafted(city, desk):
    metroon(city, "add", str(desk))
    contract = city / "products" / "lights" / "contract.yaml"
    unit = "privacyUnit, value: event_on_person, vendor: metroon }"
    none = unit.replace("event_on_person", "none") + "\n  - { property: privacyReason, value: lamps, vendor: metroon }"
    contract.write_text(contract.read_text().replace(unit, none))
    run = metroon(city, "run")

    assert "90 = 90 + 0" in run.output


def test_next_years_delivery_is_taken_without_a_word(city, desk):
    metroon(city, "add", str(desk))
    (city / "inbox" / "Street Lights" / "lights_2022.csv").write_text(lights(2022))
    metroon(city, "run")

    assert "120" in metroon(city, "history", "lights").output


def test_tables_that_share_nothing_are_no_deliveries_of_one_product(city, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"{name}1,{name}2\n1,2\n")
    told = metroon(city, "add", str(tmp_path))

    assert (2, {}) == (told.exit_code, dict(load(city).products))
    assert "D158" in told.stderr


def test_a_folder_without_a_file_that_can_be_read_is_refused(city, tmp_path):
    (tmp_path / "nothing").mkdir()

    assert "D158" in metroon(city, "add", str(tmp_path / "nothing")).stderr


@given(
    st.sets(st.from_regex(r"[a-zA-Z_]{0,3}[0-9]{0,3}[-_a-z]{0,3}\.csv", fullmatch=True), min_size=1, max_size=5),
    st.sets(st.from_regex(r"[a-z0-9_]{1,6}\.(csv|txt)", fullmatch=True), max_size=4),
)
def test_a_pattern_takes_every_file_that_it_was_made_of(names, others):
    _, pattern = common_pattern(sorted(names), sorted(names | others))

    assert [] == [name for name in names if not Path(name).match(pattern)]


# A database


def test_a_table_becomes_a_product_and_no_address_is_written_down(city, database):
    told = metroon(city, "add", VARIABLE, "--table", "lights")
    written = "".join(p.read_text() for p in city.rglob("*.yaml"))

    assert 0 == told.exit_code
    assert {"kind": "database", "url_from": VARIABLE, "table": "lights"} == collected(city, "lights")
    assert str(database) not in written


def test_the_key_of_a_table_is_the_one_that_the_database_says(city, database):
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute("create table posts (street text, number integer, lamp text, primary key (number, street))")
        opened.executemany("insert into posts values (?, ?, ?)", [(f"s{n % 3}", n // 3, f"P{n}") for n in range(30)])
    metroon(city, "add", VARIABLE, "--table", "posts")

    assert ("number", "street") == load(city).products["posts"].contract.key


def test_what_was_drafted_of_a_table_is_fetched_and_kept(city, database):
    metroon(city, "add", VARIABLE, "--table", "lights")
    assert "40 = 40 + 0" in metroon(city, "run").output
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute("insert into lights values ('L900', 'LED', 9)")

    assert "41 = 41 + 0" in metroon(city, "run").output
    assert "unchanged" in metroon(city, "run").output


def test_a_row_that_changed_there_replaces_what_it_was(city, database):
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute("alter table lights add column updated_at text default '2026-01-01 00:00:00'")
    metroon(city, "add", VARIABLE, "--table", "lights", "--name", "lamps")
    product = city / "products" / "lamps" / "product.yaml"
    product.write_text(product.read_text().replace("  # incremental: ", "  incremental: "))
    metroon(city, "run")
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute("update lights set watts = 999, updated_at = '2026-01-02 00:00:00' where light_no = 'L007'")
    metroon(city, "run")
    from metroon import verb

    walk = verb.walk(load(city), None)
    kept = walk.engine.rows(walk.lake.read(walk.version("lamps")))

    assert (40, [999]) == (len(kept), [r["watts"] for r in kept if r["light_no"] == "L007"])


def test_a_database_without_a_table_names_those_that_are_there(city, database):
    told = metroon(city, "add", VARIABLE)

    assert 2 == told.exit_code
    assert "--table: lights" in told.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--table", "lihgts"], "D153"),
        (["--table", "lights", "--name", "No Name"], "Y105"),
        (["--table", "lights", "--option", "colour=red"], "D157"),
        (["--table", "lights", "--option", "most_minutes=never"], "D157"),
    ],
)
def test_what_cannot_be_added_leaves_nothing_behind(city, database, words, code):
    before = everything(city)
    told = metroon(city, "add", VARIABLE, *words)

    assert (2, True) == (told.exit_code, code in told.stderr)
    assert before == everything(city)


def test_a_variable_that_is_not_set_is_told_by_check_and_doctor_and_run(city, database, monkeypatch):
    (city / "inbox" / "lights.csv").write_text(lights(2020))
    metroon(city, "add", str(city / "inbox" / "lights.csv"), "--name", "others")
    metroon(city, "add", VARIABLE, "--table", "lights")
    monkeypatch.delenv(VARIABLE)
    check, doctor, run = (metroon(city, verb) for verb in ("check", "doctor", "run"))

    assert f"D150: the environment variable {VARIABLE} is not set" in check.stderr
    assert f"MEND  the environment variable {VARIABLE}" in doctor.output
    assert (1, True) == (run.exit_code, "D150" in run.output)
    assert "30 = 30 + 0" in run.output  # the other product went on


def test_a_file_that_somebody_edited_is_never_overwritten(city, database):
    metroon(city, "add", VARIABLE, "--table", "lights")
    contract = city / "products" / "lights" / "contract.yaml"
    contract.write_text(contract.read_text() + "# mine\n")
    before = everything(city)
    told = metroon(city, "add", VARIABLE, "--table", "lights")

    assert (2, True) == (told.exit_code, "Y107" in told.stderr)
    assert before == everything(city)


# A file on the web


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing is written."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_file_on_the_web_becomes_a_product(city, tmp_path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "lights.csv").write_text(lights(2020))
    with served(tmp_path / "web") as address:
        told = metroon(city, "add", f"{address}/lights.csv", "--intranet", "127.0.0.1")
        run = metroon(city, "run")

    assert (0, True) == (told.exit_code, "30 = 30 + 0" in run.output)
    assert ("http", ["127.0.0.1"], {"kind": "csv"}) == tuple(
        collected(city, "lights")[key] for key in ("kind", "intranet", "as")
    )
    assert 1 == len(Landing(city / ".metroon" / "landed" / "lights").landed())


def test_a_file_that_is_not_on_the_web_leaves_nothing_behind(city, tmp_path):
    before = everything(city)
    with served(tmp_path) as address:
        words = ("--intranet", "127.0.0.1", "--option", "tries=1")
        told = metroon(city, "add", f"{address}/nothing.csv", *words)

    assert (2, before) == (told.exit_code, everything(city))
    assert ("D140" in told.output, "product.yaml" in told.output) == (True, False)


def test_what_a_source_on_the_web_lacks_is_told_for_the_command_and_not_for_a_file_that_is_not_there(city, tmp_path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "lights.json").write_text('{"found": {"lights": [{"id": 1}]}}')
    with served(tmp_path / "web") as address:
        told = metroon(city, "add", f"{address}/lights.json", "--intranet", "127.0.0.1")
        away = metroon(city, "add", f"{address}/lights.json")

    assert ("products/lights" in told.output, "products/lights" in away.output) == (False, False)
    assert "Write rows: 'found.lights'" in told.output
    assert "There is no product.yaml yet: say its keys on the command" in told.output
    assert "intranet: or --intranet HOST" in away.output


@pytest.mark.parametrize(
    "source", ["nothing.csv", "https://ann:hush@x.example.gov/a.csv", "https://x.example.gov/page", "ftp://x/a.csv"]
)
def test_a_source_that_nobody_can_tell_is_refused_in_words(city, source):
    told = metroon(city, "add", source)

    assert (2, True) == (told.exit_code, "Fix:" in told.stderr)
    assert "hush" not in told.output
    assert "Traceback" not in told.output


def test_a_drafted_source_reads_back_as_it_was_guessed(city):
    from metroon.base.profile import ColumnProfile, Profile
    from metroon.city.draft import Given, draft_given
    from metroon.guard.suggest import suggestions

    source = {
        "kind": "http",
        "url": "https://x.example.gov/a.tsv",
        "as": {"kind": "csv", "delimiter": "\t"},
        "tries": 2,
    }
    profile = Profile("http", {}, 1, 0, (ColumnProfile("A", "a"),))
    from datetime import date

    draft_given(city, "a", profile, suggestions(profile), Given("a", source=source), on=date(2026, 1, 15))

    assert source == json.loads(json.dumps(collected(city, "a")))
