"""The command: what people type, what they read, and the codes that scripts rely on."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import statistics
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner, Result

from metroon.cli import main
from town import COMMAND, IN_WARDS, STAY_COLUMNS, WARDS, Town, settled, small_town, stays

VERBS = ["add", "check", "demo", "doctor", "explain", "history", "init", "kinds", "run", "schema", "show"]
HEAVY = ("duckdb", "ibis", "deltalake", "pyarrow", "scipy", "shapely", "numpy", "pydantic", "rich", "jsonschema")


def metroon(town: Town | None, *words: str) -> Result:
    at = ["-C", str(town.folder)] if town else []
    return CliRunner().invoke(main, [*words, *at], catch_exceptions=False)


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Town:
    """A town that was run once: people's stays, whose rows stay in, and wards, whose rows leave."""
    made = small_town(
        tmp_path_factory.mktemp("town"), {"north": 40, "east": 7, "south": 60, "west": 70}, groups=["race"]
    )
    made.city(as_of="2026-03-15")
    assert metroon(made, "run").exit_code == 0
    return made


# Help


def test_help_lists_every_verb_with_a_sentence():
    told = metroon(None, "--help").stdout
    lines = {line.split()[0]: line for line in told.splitlines() if line.startswith("  ") and line.split()[0] in VERBS}

    assert set(VERBS) == set(lines)
    assert all(len(line.split()) > 3 for line in lines.values())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_does(verb):
    assert (0, True) == (metroon(None, verb, "--help").exit_code, "Usage: main" in metroon(None, verb, "--help").stdout)


def test_help_imports_nothing_heavy():
    code = f"import sys, metroon.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: print({HEAVY!r} and [m for m in {HEAVY!r} if m in sys.modules])"  # noqa: E501
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == told.stdout.splitlines()[-1]


def test_help_is_as_quick_as_starting_the_engine_alone():
    def seconds(*words: str) -> float:
        began = time.perf_counter()
        subprocess.run(words, capture_output=True, check=True)
        return time.perf_counter() - began

    rounds = [(seconds(sys.executable, "-c", "import duckdb"), seconds(*COMMAND, "--help")) for _ in range(5)]
    engine, helped = (statistics.median(r[i] for r in rounds) for i in (0, 1))

    assert helped <= 3 * engine


# Codes


def test_a_run_that_failed_nowhere_ends_with_0(tmp_path):
    town = small_town(tmp_path)
    town.write("inbox/stays_broken.csv", "no,such,header\n1,2,3\n")

    # A refused delivery is told; it is no failure of the run.
    told = metroon(town, "run")
    assert (0, True) == (told.exit_code, "stays_broken.csv" in told.stdout)


def test_a_run_in_which_something_failed_ends_with_1(tmp_path):
    town = small_town(tmp_path)
    (tmp_path / "inbox" / "stays.csv").unlink()

    assert 1 == metroon(town, "run").exit_code


def test_a_measure_that_failed_makes_the_run_end_with_1(tmp_path):
    assert 1 == metroon(small_town(tmp_path).measure("broken", groups=["person"]), "run").exit_code


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        ("city.yaml", "name: Town\n  places: {\n", "Y102"),
        ("measures/stay_count.yaml", "kind: cuont\ntitle: a\nquestion: b\nof: stays\n", "K101"),
        ("products/stays/product.yaml", "collect: {kind: csv, path: a.csv, delimitr: ';'}\n", "K104"),
    ],
)
def test_a_repo_that_cannot_be_read_ends_with_2_and_says_where(tmp_path, file, text, code):
    town = small_town(tmp_path)
    town.write(file, text)
    told = metroon(town, "run")

    assert (2, True, True) == (told.exit_code, code in told.stderr, file in told.stderr)


@pytest.mark.parametrize("words", [("run", "stys"), ("show", "stys"), ("explain", "stay_cuont"), ("history", "stys")])
def test_a_name_that_is_not_there_ends_with_2_and_names_what_is(town, words):
    told = metroon(town, *words)

    assert (2, True, True) == (told.exit_code, "F104" in told.stderr, "stay" in told.stderr.partition("Fix:")[2])


def test_a_folder_without_a_city_says_how_to_start_one(tmp_path):
    told = metroon(Town(tmp_path), "run")

    assert (2, True) == (told.exit_code, "metroon init" in told.stderr)


def test_a_day_that_is_none_is_refused(town):
    told = metroon(town, "run", "--as-of", "31.1.2026")

    assert (2, True) == (told.exit_code, "write it as 2026-01-31" in told.stderr)


def test_a_number_that_cannot_be_made_again_ends_with_1(tmp_path):
    town = small_town(tmp_path)
    metroon(town, "run")
    town.product("stays", STAY_COLUMNS, table=IN_WARDS, minimumCell=60)
    told = metroon(town, "explain", "stay_count")

    assert (1, True) == (told.exit_code, "NOT the same. the contract of stays has changed since" in told.stdout)


def test_a_run_can_be_asked_for_a_folder_and_for_one_measure(tmp_path):
    town = small_town(tmp_path)
    told = CliRunner().invoke(main, ["run", str(tmp_path), "stay_count"], catch_exceptions=False)

    assert (0, True) == (told.exit_code, (town.folder / ".metroon" / "lake" / "open" / "stay_count").is_dir())


# Check


FAULTY = {
    "city.yaml": """\
name: Town
departments: {housing: Housing}
places:
  ward:
    title: Wards
    product: wards
    key: wrad
    vintage: "2025"
""",
    "products/wards/contract.yaml": """\
apiVersion: v3.2.0
kind: DataContract
id: wards
name: wards
version: 1.0.0
status: active
schema:
  - name: wards
    properties:
      - {name: ward, logicalType: string, classification: public}
      - {name: people, logicalType: integer}
customProperties:
  - {property: releaseMode, value: rows, vendor: metroon}
""",
    "products/wards/product.yaml": """\
collect:
  kind: csv
  path: wards_*.csv
guard:
  - {kind: drop, column: poeple}
""",
    "products/stays/contract.yaml": """\
apiVersion: v3.2.0
kind: DataContract
id: stays
name: stays
version: 1.0.0
status: active
schema:
  - name: stays
    properties:
      - {name: id, logicalType: string, classification: linkage key}
      - name: ward
        logicalType: string
        classification: quasi
        relationships:
          - {type: foreignKey, to: wards.wrad}
      - name: race
        logicalType: string
        classification: sensitive
        quality:
          - {id: known, type: library, metric: invalidValues, severity: warn, mustBe: 0}
customProperties:
  - {property: privacyUnit, value: person, vendor: metroon}
""",
    "products/stays/product.yaml": """\
collect:
  kind: csv
  path: stays.csv
  delimitr: ";"
""",
    "protocols/all.yaml": json.dumps(settled("nights", "stays", "weeks")),
    "products/nights/contract.yaml": """\
apiVersion: v3.2.0
kind: DataContract
id: nights
name: nights
version: 1.0.0
status: active
schema:
  - name: nights
    properties:
      - {name: id, logicalType: string, classification: linkage kye}
customProperties:
  - {property: privacyUnit, value: person, vendor: metroon}
""",
    "products/nights/product.yaml": """\
collect: {kind: query, sql: query.sql}
""",
    "products/nights/query.sql": "select id from stays",
    "products/weeks/contract.yaml": """\
apiVersion: v3.2.0
kind: DataContract
id: weeks
name: weeks
version: 1.0.0
status: active
schema:
  - name: weeks
    properties:
      - {name: id, logicalType: string, classification: public}
customProperties:
  - {property: privacyUnit, value: person, vendor: metroon}
""",
    "products/weeks/product.yaml": """\
collect:
  kind: query
  sql: query.sql
""",
    "products/weeks/query.sql": "select id from satys",
    "measures/a.yaml": """\
kind: count
title: A
question: B?
of: stays
among: rcae = 'A'
places: [wrad]
groups: [id]
department: hosing
""",
    "measures/b.yaml": """\
kind: count
title: A
question: B?
of: stays
among: race > 5
""",
    "measures/c.yaml": """\
kind: cuont
title: A
question: B?
of: stays
""",
    "measures/d.yaml": """\
kind: count
title: A
question: B?
of: satys
""",
    "measures/e.yaml": """\
kind: count
title: A
question: B?
of: nights
""",
}
# File, line, code; every one of them in one telling.
FAULTS = [
    ("city.yaml", 7, "P101"),
    ("measures/a.yaml", 5, "M102"),
    ("measures/a.yaml", 6, "M106"),
    ("measures/a.yaml", 7, "M107"),
    ("measures/a.yaml", 8, "M104"),
    ("measures/b.yaml", 5, "M105"),
    ("measures/c.yaml", 1, "K101"),
    ("measures/d.yaml", 4, "M101"),
    ("products/nights/contract.yaml", 10, "C110"),
    ("products/stays/contract.yaml", 15, "C209"),
    ("products/stays/contract.yaml", 20, "C208"),
    ("products/stays/product.yaml", 4, "K104"),
    ("products/wards/contract.yaml", 11, "G101"),
    ("products/wards/contract.yaml", 12, "G102"),
    ("products/wards/product.yaml", 3, "D101"),
    ("products/wards/product.yaml", 5, "G107"),
    ("products/weeks/product.yaml", 3, "D104"),
]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory) -> Result:
    folder = tmp_path_factory.mktemp("faulty")
    for name, text in FAULTY.items():
        Town(folder).write(name, text)
    before = os.getcwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(main, ["check"], catch_exceptions=False)
    finally:
        os.chdir(before)


def test_check_tells_every_fault_at_once_with_its_file_and_line(faulty):
    lines = faulty.stderr.splitlines()
    told = [
        (
            *((at, 0) if ":" not in at else (at.rpartition(":")[0], int(at.rpartition(":")[2]))),
            lines[i + 1].split(":")[0].strip(),
        )
        for i, at in enumerate(lines)
        if i + 1 < len(lines) and lines[i + 1].startswith("  ") and not at.startswith("  ")
    ]

    assert (2, FAULTS) == (faulty.exit_code, sorted(told))


def test_check_says_what_to_type_for_every_fault(faulty):
    assert len(FAULTS) == faulty.stderr.count("  Fix: ")
    assert f"{len(FAULTS)} problems" == faulty.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "guess", ["'ward'", "'count'", "'delimiter'", "'stays'", "'linkage key'", "'housing'", "'race'"]
)
def test_check_guesses_what_was_meant(faulty, guess):
    assert f"Did you mean {guess}?" in faulty.stderr


def test_check_of_a_whole_repo_ends_with_0_and_touches_no_row(tmp_path):
    town = small_town(tmp_path)
    told = metroon(town, "check")

    assert (0, "Town: 2 products and 1 measure, no fault.\n") == (told.exit_code, told.stdout)
    assert not (tmp_path / ".metroon").exists()


# Show


def rows(town: Town, *words: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(metroon(town, "show", *words, "--format", "csv").stdout)))


def test_released_numbers_are_the_same_as_csv_and_as_json(town):
    told = json.loads(metroon(town, "show", "stay_count", "--format", "json").stdout)

    assert [{k: "" if v is None else str(v) for k, v in r.items()} for r in told] == rows(town, "stay_count")


def test_shown_numbers_carry_place_period_interval_and_state(town):
    west = next(r for r in rows(town, "stay_count") if r["place"] == "west")

    assert ("ward", "all", "known", "70.0", "70") == tuple(
        west[k] for k in ("geography", "period", "state", "value", "events")
    )
    assert float(west["low"]) < 70 < float(west["high"])


def test_open_rows_are_shown_without_what_may_not_leave(town):
    assert [{"ward": w, "people": "1000"} for w in WARDS] == rows(town, "wards")


def test_rows_of_people_are_not_shown_and_their_measures_are_named(town):
    told = metroon(town, "show", "stays", "--format", "csv")

    assert (2, "", True) == (told.exit_code, told.stdout, "Ask its measures: stay_count." in told.stderr)


def test_an_earlier_version_is_shown_as_it_was(tmp_path):
    town = small_town(tmp_path)
    metroon(town, "run")
    town.csv("wards.csv", [{"ward": w, "people": 7} for w in WARDS])
    town.csv("stays.csv", stays({"north": 20}))
    metroon(town, "run")

    # Places and numbers of then.
    assert ["1000", "7"] == [rows(town, "wards", "--version", str(n))[0]["people"] for n in (1, 2)]
    city = [
        next(r for r in rows(town, "stay_count", "--version", str(n)) if r["geography"] == "all")["events"]
        for n in (1, 2)
    ]
    assert ["220", "20"] == city


def test_rows_that_were_set_aside_are_told_by_file_and_line_and_never_by_value(tmp_path):
    town = small_town(tmp_path)
    town.csv("stays.csv", [*stays({"north": 30}), stays({"north": 1})[0] | {"id": "secret", "day": "yesterday"}])
    metroon(town, "run")
    told = metroon(town, "show", "stays", "--set-aside").stdout

    assert "_file,_line,_reason\nstays.csv,32,day is no date\n" == told


def test_history_lists_versions_newest_first(tmp_path):
    town = small_town(tmp_path)
    metroon(town, "run")
    town.csv("stays.csv", stays({"north": 30}))
    metroon(town, "run")
    lines = metroon(town, "history", "stays").stdout.splitlines()

    assert [["2", "30"], ["1", "220"]] == [[line.split()[0], line.split()[3]] for line in lines[1:]]


def test_history_of_a_version_is_its_evidence(town):
    told = json.loads(metroon(town, "history", "stay_count", "--version", "1").stdout)

    assert ("stay_count", "2026-03-15", {"stays": 1, "wards": 1}) == (told["measure"], told["as_of"], told["parents"])


# Explain and the rest


def test_explain_walks_from_the_number_to_file_contract_and_code(town):
    told = metroon(town, "explain", "stay_count", "--place", "west").stdout

    wanted = [
        "events 70", "boundaries Wards (2025)", "measures/stay_count.yaml", "stays.csv (177 records, same)",
        "read 177 = kept 177", "products/stays/contract.yaml", "Made again from the input files: the same hash.",
    ]  # fmt: skip
    assert [] == [words for words in wanted if words not in told]


def test_explain_of_a_withheld_number_tells_none(town):
    told = metroon(town, "explain", "stay_count", "--place", "east").stdout
    first = next(line for line in told.splitlines() if "state hidden" in line)

    assert ("events" in first, "value" in first) == (False, False)


def test_what_nobody_reads_any_more_does_not_end_in_a_traceback(town):
    words = f"{shlex.join(COMMAND)} show stay_count -C {town.folder} --format csv | head -c 9"
    told = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=True)

    assert ("geography", "") == (told.stdout, told.stderr)


def test_kinds_lists_every_room_with_its_kinds():
    told = metroon(None, "kinds").stdout

    assert all(word in told for word in ("collect\n", "  csv ", "guard\n", "  coarsen ", "measure\n", "  share "))


def test_doctor_says_that_a_town_is_ready(town):
    assert (0, True) == (metroon(town, "doctor").exit_code, "2 products, 1 measures" in metroon(town, "doctor").stdout)
