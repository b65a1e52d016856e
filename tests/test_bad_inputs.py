"""Bad input, as a table: what is fed, which code tells of it, how the command ends, and that nothing is half done.

All of it is invented. Each row is a run of the real command on a city that was run before and has a good version.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from metroon.cli import main
from tiny import CITY, CONTRACT, MEASURE, PRODUCT, PROTOCOL, ROWS, swapped, tiny_city

if TYPE_CHECKING:
    from pathlib import Path

FILE = "inbox/crashes_2026.csv"
CONTRACT_FILE = "products/crashes/contract.yaml"
PRODUCT_FILE = "products/crashes/product.yaml"
CANARY = "Zelda Quince"
HEAD = "ID,happened_on,age,ward\n"


def metroon(city: Path, *words: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner(env=env).invoke(main, [*words, "-C", str(city), *AS_OF], catch_exceptions=False)


AS_OF = ("--as-of", "2026-03-15")


def shown(city: Path, *words: str) -> str:
    return CliRunner().invoke(main, ["show", "crashes", "-C", str(city), *words], catch_exceptions=False).output


def kept_state(city: Path) -> dict[str, str]:
    """Everything in the lake and the ledger, by its hash."""
    files = (p for p in (city / ".metroon" / "lake").rglob("*") if p.is_file())
    return {p.relative_to(city).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    city = tiny_city(tmp_path_factory.mktemp("good"), measure=None)
    assert 0 == metroon(city, "run").exit_code
    return city


@pytest.fixture
def city(good, tmp_path) -> Path:
    return shutil.copytree(good, tmp_path / "city")


def rows(*lines: str, head: str = HEAD) -> bytes:
    return (head + "".join(f"{line}\n" for line in lines)).encode()


@dataclass(frozen=True)
class Refusal:
    """A delivery that is refused whole: what stands in the file, which code tells, and in which words."""

    content: bytes | None
    code: str
    words: str


REFUSED = {
    "missing file": Refusal(None, "D101", "no file matches"),
    "empty": Refusal(b"", "D102", "the file is empty"),
    "blank lines only": Refusal(b"\n\n\r\n", "D102", "the file is empty"),
    "a mark and nothing else": Refusal(b"\xef\xbb\xbf", "D102", "the file is empty"),
    "header only": Refusal(HEAD.encode(), "D106", "refused"),
    "no header": Refusal(rows(f"c1,1/31/2026,34,{CANARY}", head=""), "D102", "none of the promised columns"),
    "UTF-16": Refusal((HEAD + "c1,1/31/2026,34,north\n").encode("utf-16"), "D102", "encoding: utf-16"),
    "UTF-16 without its mark": Refusal(HEAD.encode("utf-16-le"), "D102", "no text, whatever its name"),
    "Latin-1": Refusal(HEAD.encode() + "c1,1/31/2026,34,Ñandú\n".encode("latin-1"), "D102", "the first is line 2"),
    "wrong delimiter": Refusal(ROWS.replace(",", ";").encode(), "D102", "or another delimiter"),
    "wrong delimiter below the header": Refusal(rows("c1;1;2;3", "c2;1;2;3"), "D102", "none of its 2 records"),
    "every record ragged": Refusal(rows("c1,1/31/2026,34", f"c2,{CANARY}"), "D102", "none of its 2 records has the 4"),
    "a quote that is never closed": Refusal(rows('c1,1/31/2026,34,"no', "c2,2/1/2026,3,x"), "D102", "record of line 2"),
    "quotes in quotes over lines": Refusal(rows('c1,1/31/2026,34,"a', '"b" c"', "c2,2/1/2026,3,x"), "D102", "line 2"),
    "a column twice": Refusal(rows("c1,1/31/2026,34,north,c1", head=HEAD[:-1] + ",ID\n"), "D102", "more than once"),
    "a column renamed": Refusal(rows("c1,1/31/2026,34,north", head="ID,happened,age,ward\n"), "D102", "may now be"),
    "no text at all": Refusal(bytes(range(1, 256)) * 40, "D102", "not utf-8 text"),
    "a zip": Refusal(b"PK\x03\x04" + bytes(100), "D102", "no text, whatever its name"),
    "zeros": Refusal(bytes(1000), "D102", "no text, whatever its name"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_delivery_that_cannot_be_trusted_is_refused_and_the_last_good_version_stays(name, city):
    fed, before = REFUSED[name], kept_state(city)
    (city / FILE).unlink()
    if fed.content is not None:
        (city / FILE).write_bytes(fed.content)
    result = metroon(city, "run")
    told = " ".join(result.output.split())

    assert (1, True, True) == (result.exit_code, fed.code in told, fed.words in told)
    assert "Fix:" in told
    assert CANARY not in told
    assert before == kept_state(city)


@dataclass(frozen=True)
class Kept:
    """A file that is taken: what stands in it, how many rows are kept, and why others are set aside."""

    content: bytes
    kept: int
    reasons: dict[str, int]


GOOD = ("c1,1/31/2026,34,north", "c2,2/1/2026,40,south")
TAKEN = {
    "BOM": Kept(b"\xef\xbb\xbf" + rows(*GOOD), 2, {}),
    "Windows line ends": Kept(rows(*GOOD).replace(b"\n", b"\r\n"), 2, {}),
    "line ends of old Macs": Kept(rows(*GOOD).replace(b"\n", b"\r"), 2, {}),
    "no line end at the end": Kept(rows(*GOOD)[:-1], 2, {}),
    "ragged": Kept(rows(*GOOD, "c3,2/1/2026", "c4,2/1/2026,1,north,x"), 2, {"the record does not have 4 fields": 2}),
    "a footer with a count": Kept(rows(*GOOD, "2 rows selected."), 2, {"the record does not have 4 fields": 1}),
    "the header again": Kept(rows(*GOOD, HEAD[:-1]), 2, {"the header stands here again": 1}),
    "a delimiter too many everywhere": Kept(rows(*(f"{line}," for line in GOOD)), 2, {}),
    "quotes in quotes": Kept(
        rows(*GOOD, 'c3,2/1/2026,3,"say "no""', 'c4,2/1/2026,3,"south"'),
        3,
        {"the quotes of the record are broken": 1},
    ),
    "two quotes far apart": Kept(
        rows(*GOOD, 'c3,2/1/2026,"3,north', 'c4,2/1/2026,3",south'),
        2,
        {"a quote has swallowed line breaks between what look like whole records": 1},
    ),
    "mixed types": Kept(rows(*GOOD, "c3,2/1/2026,about 30,north"), 2, {"age is no integer": 1}),
    "duplicate keys": Kept(rows(*GOOD, GOOD[0]), 2, {"the key (id) is repeated": 1}),
    "future dates": Kept(rows(*GOOD, "c3,12/31/2026,3,north"), 2, {"happened_on lies in the future": 1}),
    "days that no calendar has": Kept(
        rows(*GOOD, "c3,2/30/2026,3,north"), 2, {"happened_on is no date in the declared format": 1}
    ),
    "sentinel numbers": Kept(rows(*GOOD, "c3,2/1/2026,999,north"), 3, {}),
    "zeros in a text": Kept(rows(*GOOD, "c3,2/1/2026,3,\x00"), 2, {"ward is not in its list of values": 1}),
    "10,000 columns": Kept(
        rows(*(line + ",x" * 9_996 for line in GOOD), head=HEAD[:-1] + "".join(f",c{i}" for i in range(9_996)) + "\n"),
        2,
        {},
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_delivery_with_bad_rows_is_taken_without_them_and_each_is_accounted_for(name, city):
    fed = TAKEN[name]
    (city / FILE).write_bytes(fed.content)
    assert 0 == metroon(city, "run").exit_code
    told = shown(city, "--set-aside")
    account = shown(city)

    assert counted(told) == fed.reasons
    assert f"= kept {fed.kept} " in " ".join(account.split()) + " "
    assert f"lines of text {len(fed.content.splitlines())} " in " ".join(account.split())


def counted(listed: str) -> dict[str, int]:
    reasons = [line.split(",", 2)[2].strip('"') for line in listed.splitlines()[1:]]
    return {reason: reasons.count(reason) for reason in reasons}


TIMES = swapped(swapped(CONTRACT, "logicalType: date\n", "logicalType: timestamp\n"), "M/d/yyyy }", "M/d/yyyy HH:mm }")


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2/1/2026 24:00", "2026-02-02 00:00:00"),
        ("2/1/2026 00:00", "2026-02-01 00:00:00"),
        ("2/1/2026 24:01", None),
        ("2/1/2026 24:60", None),
        ("2/1/2026 25:00", None),
        ("2/1/2026 9:60", None),
        ("11/2/2025 01:30", "2025-11-02 01:30:00"),  # the hour that comes twice
        ("3/9/2025 02:30", "2025-03-09 02:30:00"),  # the hour that does not come
    ],
)
def test_times_at_the_edges_are_read_or_set_aside(time, expected, tmp_path):
    given = rows("c0,1/1/2026 00:10,3,north", f"c1,{time},3,north").decode()
    city = tiny_city(tmp_path, measure=None, contract=TIMES, rows=given)
    assert 0 == metroon(city, "run").exit_code
    aside = counted(shown(city, "--set-aside"))

    assert aside == ({} if expected else {"happened_on is no timestamp in the declared format": 1})
    assert expected is None or expected in stored(city)


def stored(city: Path) -> list[str]:
    (file,) = (city / ".metroon" / "lake" / "restricted" / "crashes").glob("*.parquet")
    return [str(time) for time in pq.read_table(file)["happened_on"].to_pylist()]


def test_hours_that_clocks_show_twice_or_never_are_kept_and_told(tmp_path):
    times = ["11/2/2025 01:30", "11/2/2025 01:59", "11/2/2025 02:00", "3/9/2025 02:30", "3/9/2025 03:00"]
    given = rows(*(f"c{i},{time},3,north" for i, time in enumerate(times))).decode()
    city = tiny_city(tmp_path, measure=None, contract=TIMES, rows=given)
    assert 0 == metroon(city, "run").exit_code
    told = " ".join(shown(city).split())

    assert "happened_on: 2 rows are in the hour that comes twice in autumn" in told
    assert "happened_on: 1 row is in the hour that no clock shows in spring" in told
    assert "= kept 5 " in told


@dataclass(frozen=True)
class Fault:
    """A city repo with a fault: which file holds what, which code tells, in which words."""

    files: dict[str, str]
    code: str
    words: str


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(40))
FAULTS = {
    "tabs in YAML": Fault({PRODUCT_FILE: "collect:\n\tkind: csv\n"}, "Y102", "tab"),
    "an anchor": Fault({PRODUCT_FILE: PRODUCT.replace(": {", ": &from {")}, "Y109", "'&from' is an anchor"),
    "an alias": Fault({PRODUCT_FILE: "collect: *csv\nguard: []\n"}, "Y109", "'*csv' is an alias"),
    "a pattern without quotes": Fault({PRODUCT_FILE: "collect:\n  kind: csv\n  path: *.csv\n"}, "Y109", "needs quotes"),
    "an anchor of itself": Fault({PRODUCT_FILE: "collect: &c { kind: *c, path: a.csv }\n"}, "Y109", "product.yaml:1"),
    "a merge": Fault({CONTRACT_FILE: f"{CONTRACT}<<: {{ tags: [] }}\n"}, "Y109", "Write those keys out here"),
    "anchors that multiply": Fault({PRODUCT_FILE: BOMB}, "Y109", "product.yaml"),
    "a key twice": Fault({PRODUCT_FILE: f"{PRODUCT}guard: []\n"}, "Y102", "twice"),
    "an unknown kind": Fault({PRODUCT_FILE: PRODUCT.replace("csv,", "cvs,")}, "K101", "Did you mean 'csv'?"),
    "an unknown option": Fault({PRODUCT_FILE: PRODUCT.replace("path:", "pth:")}, "K104", "path"),
    "two products of one name": Fault(
        {"products/Crashes/contract.yaml": CONTRACT, "products/Crashes/product.yaml": PRODUCT}, "Y105", "Crashes"
    ),
    "a measure named like a product": Fault({"measures/crashes.yaml": MEASURE}, "Y106", "both a product and a measure"),
    "a cycle": Fault(
        {
            PRODUCT_FILE: "collect: { kind: query, sql: query.sql }\n",
            "products/crashes/query.sql": "select id, happened_on, age, ward from others",
            "products/others/contract.yaml": CONTRACT.replace("crashes", "others"),
            "products/others/product.yaml": "collect: { kind: query, sql: query.sql }\n",
            "products/others/query.sql": "select id, happened_on, age, ward from crashes",
            "protocols/others.yaml": PROTOCOL.replace("crashes", "others"),
        },
        "F103",
        "crashes",
    ),
    "no kind": Fault({PRODUCT_FILE: "collect: { path: a.csv }\n"}, "K101", "kind"),
    "no YAML": Fault({"city.yaml": "name: [\n"}, "Y102", "city.yaml"),
    "a path that leaves the folder": Fault({PRODUCT_FILE: PRODUCT.replace("crashes*", "../*")}, "K104", "below"),
    "an encoding that is none": Fault(
        {PRODUCT_FILE: PRODUCT.replace("csv,", "csv, encoding: klingon,")}, "K104", "klingon"
    ),
    "a time zone that is none": Fault(
        {"city.yaml": CITY.replace("America/Los_Angeles", "Mars/Base")}, "Y103", "Mars/Base"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_city_repo_with_a_fault_is_told_with_its_place_before_any_row_is_touched(name, city):
    fault, before = FAULTS[name], kept_state(city)
    for file, content in fault.files.items():
        (city / file).parent.mkdir(parents=True, exist_ok=True)
        (city / file).write_text(content)
    result = metroon(city, "run", env={"METROON_KEY_CRASHES": ""})
    told = " ".join(result.output.split())

    assert (2, True, True) == (result.exit_code, fault.code in told, fault.words in told), told
    assert "Fix:" in told
    assert before == kept_state(city)


def test_a_secret_that_is_missing_keeps_the_rows_in_and_ends_with_1(tmp_path):
    product = PRODUCT.replace("guard: []", "guard: [{ kind: pseudonym, column: id, purpose: crashes }]")
    contract = CONTRACT.replace("releaseMode, value: aggregate", "releaseMode, value: rows")
    city = tiny_city(tmp_path, measure=None, product=product, contract=contract)
    result = metroon(city, "run", env={"METROON_KEY_CRASHES": ""})

    assert (1, True) == (result.exit_code, "G105" in result.output)
    assert "Fix: Set METROON_KEY_CRASHES" in " ".join(result.output.split())
    assert not (city / ".metroon" / "lake" / "open").exists()


def test_a_zip_that_unpacks_without_end_is_refused_before_it_is_unpacked(city):
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as made:
        for ending in ("shp", "shx", "dbf"):
            made.writestr(f"wards.{ending}", bytes(300_000_000 if ending == "shp" else 100))
    (city / "inbox" / "wards.zip").write_bytes(bundle.getvalue())
    (city / PRODUCT_FILE).write_text("collect: { kind: geofile, path: wards.zip }\n")
    before = kept_state(city)
    result = metroon(city, "run")

    assert (1, True) == (result.exit_code, "it may be a zip bomb" in " ".join(result.output.split()))
    assert before == kept_state(city)


COORDINATES = "".join(f"      - {{ name: {axis}, logicalType: number, classification: quasi }}\n" for axis in "xy")
POINT = "      - { property: point, value: { longitude: x, latitude: y }, vendor: metroon }\n"
PLACED = swapped(CONTRACT, "      - name: ward\n", f"{COORDINATES}      - name: ward\n")
PLACED = swapped(PLACED, "      - { property: eventTime,", f"{POINT}      - {{ property: eventTime,")


def test_coordinates_that_are_zero_swapped_or_no_place_on_earth_leave_the_row_and_no_place(tmp_path):
    points = ["-121.88,37.33", "0,0", "37.33,-121.88", "-121.88,91", ",", "0,90"]
    given = rows(*(f"c{i},1/31/2026,3,{at},north" for i, at in enumerate(points)), head="ID,happened_on,age,x,y,ward\n")
    city = tiny_city(tmp_path, measure=None, contract=PLACED, rows=given.decode())
    assert 0 == metroon(city, "run").exit_code

    # Which points are no place is told by the account; the rows are kept.
    assert "= kept 6 " in " ".join(shown(city).split()) + " "
