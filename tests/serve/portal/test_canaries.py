"""What is restricted is nowhere in what a whole street makes for the public, in no form, and the search would find it.

A town whose restricted columns, refused files, rows set aside, keys and names of files hold values that stand nowhere
else. Everything that is made of it is searched: pages, doors, files, pictures, feeds, the open zone with its logs and
footers, and all that the command and the server say, errors too.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from canary import forms, found
from crawl import links
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from metroon.base import kinds
from metroon.portal import CityPortal
from metroon.serve.app import PAGES, app
from metroon.serve.copy import copy
from metroon.serve.door import Door
from town import COMMAND, IN_WARDS, STAY_COLUMNS, Town, stays

if TYPE_CHECKING:
    from collections.abc import Iterable

pytest.importorskip("openpyxl", reason="the reader of spreadsheets is not installed: make test-slow")

PERSONAL = {
    "name": "Quetzalina Vörösmarty",
    "note": "canarynote: sleeps behind the boathouse",
    "social security number": "918273645",
    "amount": "731946285",
    "masked day": "1987-03-19",
    "value of a dropped public column": "Canarydropped Branch",
    "row set aside": "Canaryaside Alley",
    "row that waits": "Canarylate Alley",
    "refused file": "Canaryvictim Shelter",
    "pseudonym": "canarytoken-55512",
    "value that does not fit": "canarynotanumber",
}
"""Values of people's rows: nowhere outside the restricted zone."""
SECRET = {"key": "canarykey-0123456789abcdef", "variable": "canaryvariable-9876543210"}
"""What the environment holds: nowhere on the disk at all."""
FILE = {"name of a file": "stays_canaryfilename"}
"""Nowhere in what the public gets; the city's own people read it in the accounts."""
COUNTS = {"north": 45, "east": 50, "south": 60, "west": 70}


def street(folder: Path) -> Town:
    """The town, with a canary in every place that must keep one."""
    town = Town(folder).with_squares(dict.fromkeys(COUNTS, 30_000))
    goals = {"homes": {"title": "Homes", "outcome": "Everybody has one."}}
    town.city(languages=["en", "es"], goals=goals, invented=True, as_of=town.as_of.isoformat())
    rows = stays(COUNTS)
    for row in rows:
        row |= {"name": "Ann", "note": "nothing", "ssn": "111111111", "amount": "10", "born": "1990-01-01"}
    rows[7] |= {
        "name": PERSONAL["name"], "note": PERSONAL["note"], "ssn": PERSONAL["social security number"],
        "amount": PERSONAL["amount"], "born": PERSONAL["masked day"],
    }  # fmt: skip
    bad = {**rows[0], "id": "x", "ward": PERSONAL["row set aside"], "amount": PERSONAL["value that does not fit"]}
    town.csv(f"{FILE['name of a file']}.csv", [*rows, bad])
    columns = {
        **STAY_COLUMNS, "ward": {**_column("quasi"), "enum": [{"value": w} for w in COUNTS]}, "name": "string direct",
        "note": "string free text", "ssn": "integer direct", "amount": "number sensitive", "born": "date quasi",
    }  # fmt: skip
    town.product("stays", columns, table=IN_WARDS, accessLevel="non-public")
    visits(town)
    town.product("names", {"name": "string direct", "ward": "string quasi"}, collect={"kind": "query"})
    town.write("products/names/query.sql", "select name, ward from stays")
    for name, kind, more in (
        ("stay_count", "count", {"period": {"column": "day", "grain": "year"}}),
        ("paid", "total", {"value": "amount"}),
        ("stay_rate", "rate", {"per": 1000}),
        ("broken", "total", {"value": "cast(note as double)"}),
    ):
        town.measure(name, kind=kind, places=["ward"], goal="homes", direction="down", **more)
    return town


def _column(classification: str) -> dict[str, Any]:
    return {"logicalType": "string", "classification": classification}


def visits(town: Town) -> None:
    """Rows that leave, protected in every way; with rows that wait, rows set aside, and a file of victims."""
    rows = [
        {
            "seen": "2025-06-15",
            "branch": "Main",
            "card": f"c{i}",
            "age": str(30 + i % 3),
            "alley": "Elm",
            "shelter": "0",
        }
        for i in range(90)
    ]
    rows[3] |= {"card": PERSONAL["pseudonym"], "age": "30"}
    rows[4] |= {"branch": PERSONAL["value of a dropped public column"]}
    late = [{**r, "seen": "2026-03-10", "alley": PERSONAL["row that waits"]} for r in rows[:20]]
    town.csv("visits_1.csv", [*rows, *late, {**rows[0], "age": PERSONAL["value that does not fit"]}])
    victims = [{**r, "alley": PERSONAL["refused file"], "shelter": "1"} for r in rows[:15]]
    town.csv("visits_2.csv", [*rows[:5], *victims])
    shelter = {**_column("internal"), "customProperties": [
        {"property": "victimServiceProvider", "value": {"values": ["1"]}, "vendor": "metroon"}
    ]}  # fmt: skip
    columns = {
        "seen": "date quasi", "branch": "string public", "card": "string direct", "age": "integer quasi",
        "alley": "string public", "shelter": shelter,
    }  # fmt: skip
    town.product(
        "visits", columns, mode="rows", accessLevel="public",
        guard=[
            {"kind": "delay", "column": "seen", "days": 30}, {"kind": "ladder", "column": "age", "steps": [1, 10]},
            {"kind": "drop", "column": "branch"}, {"kind": "pseudonym", "column": "card", "purpose": "care"},
        ],
    )  # fmt: skip


class Spoken(logging.Handler):
    """All that is written down while something runs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {record.__dict__}")


def public(town: Town) -> dict[str, bytes]:
    """Everything that the public can get: every answer of the portal, its copy as files, and the open zone."""
    portal = CityPortal(town.folder, as_of=town.as_of)
    catalog = portal.site().catalog
    starts = [portal.site().link(p, n) for page in PAGES for p in page.paths(catalog) for n in ("en", "es")]
    for name in kinds.names("serve"):
        door = kinds.find("serve", name, Door)()
        starts += [door.start, *door.paths(catalog)]
    starts += [
        f"{d.path}{e}" for d in catalog.datasets.values() for e in (".csv", ".json", ".parquet", ".xlsx", ".arrow")
    ]
    starts += [f"/neighborhoods/{p}{e}" for p in COUNTS for e in ("", ".csv", ".geojson", "?print=1")]
    starts += [f"/api/3/action/datastore_search?resource_id={n}" for n in catalog.datasets]
    starts += [f"/api/v1/datasets/{n}/rows?{q}" for n in ("stays", "visits") for q in WRONG]
    starts += [f"/search?q={v}" for v in ("stays", "visits", "canary")]
    made = {f"portal {path}": body for path, body in answers(portal, starts).items()}
    copied = copy(portal, town.folder.parent / f"{town.folder.name}_copy").folder
    zone = town.folder / ".metroon" / "lake" / "open"
    return made | files(copied, "copy") | files(zone, "open zone")


WRONG = (
    "version=99", "age=eq.x", "name=eq.a", "note=like.*a*", "ssn=gt.1", "order=ssn", "select=name", "branch=eq.Main",
    "shelter=eq.1", "limit=1000000", "cursor=broken", "seen=gt.1900-01-01",
)  # fmt: skip
"""Questions that the REST door cannot or must not answer."""


def answers(portal: CityPortal, starts: Iterable[str]) -> dict[str, bytes]:
    """Path -> everything that is sent for it, headers too."""
    waiting, told = list(starts), {}
    with TestClient(app(portal), base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        while waiting and len(told) < 4000:
            path = waiting.pop()
            if path in told:
                continue
            answer = client.get(path, follow_redirects=True)
            told[path] = answer.content
            told[f"{path} (headers)"] = str(answer.headers).encode()
            kind = answer.headers.get("content-type", "")
            if "text" in kind or "json" in kind or "xml" in kind:
                waiting += [p for p in links(answer.text) if p not in told]
    return told


def files(folder: Path, name: str) -> dict[str, bytes]:
    """Every file of a folder, with its name."""
    every = sorted(p for p in folder.rglob("*") if p.is_file())
    return {f"{name} {p.relative_to(folder)}": p.read_bytes() for p in every} | {
        f"{name} (names)": "\n".join(str(p.relative_to(folder)) for p in every).encode()
    }


VERBS = (
    "run", "run --full --picture {made}/run.svg", "run --verify", "check", "plan", "changes --since 2026-01-01",
    "digest", "measure", "show visits", "show stays", "show visits --format csv", "show stay_count",
    "show stay_count --cells", "show broken", "explain stay_count", "explain paid --place north", "doctor", "asked",
    "kinds", "guard visits", "guard stays", "guard paid", "guard score visits", "guard register",
    "guard classify stays", "guard lineage names", "guard audit", "guard withdraw visits --reason none", "guard nobody",
)  # fmt: skip


def spoken(town: Town, made: Path) -> dict[str, bytes]:
    """What the command says of the town, verb by verb, errors too."""
    told = {}
    made.mkdir(exist_ok=True)
    for words in VERBS:
        place = [] if words == "kinds" else ["-C", str(town.folder)]
        typed = words.replace("{made}", str(made)).split()
        ran = subprocess.run([*COMMAND, *typed, *place], capture_output=True, check=False, cwd=made)
        assert b"Traceback" not in ran.stderr, (words, ran.stderr.decode())
        told[f"command {words}"] = ran.stdout + ran.stderr
    return told | files(made, "picture")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterable[tuple[Town, dict[str, bytes], dict[str, bytes]]]:
    """The town after two runs; what the public gets of it; what was said to the city's own people."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("METROON_KEY_CARE", SECRET["key"])
        environment.setenv("METROON_CANARY", SECRET["variable"])
        log = Spoken()
        logging.getLogger().addHandler(log)
        town = street(tmp_path_factory.mktemp("street") / "town")
        first, second = town.run(), town.run()
        said = {"problems": "\n".join(str(p) for t in (first, second) for p in _problems(t)).encode()}
        said |= spoken(town, tmp_path_factory.mktemp("said"))
        made = public(town)
        logging.getLogger().removeHandler(log)
        yield town, made, said | {"log": "\n".join(log.lines).encode()}


def _problems(told: Any) -> list[Any]:
    return [p for a in (*told.run.accounts, *told.run.measured) for p in a.problems]


@pytest.mark.slow
def test_the_street_was_walked_whole(walked):
    town, made, said = walked
    released = town.walk().lake

    assert released.open("visits") is not None
    assert released.open("stay_count") is not None
    assert released.open("stays") is None
    assert b"G144" in said["problems"]
    assert b"broken" in said["command run"]
    assert len(made) > 600
    assert {"run.svg"} == {Path(n.partition(" ")[2]).name for n in said if n.startswith("picture") and "(" not in n}


@pytest.mark.slow
def test_every_canary_is_in_the_restricted_zone_but_that_of_a_refused_file(walked):
    town = walked[0]
    kept = files(town.folder / ".metroon" / "lake" / "restricted", "kept")
    there = {c for _, c, _ in found(kept, PERSONAL)}

    assert set(PERSONAL) - {"refused file"} == there


@pytest.mark.slow
def test_nothing_that_the_public_gets_holds_a_canary(walked):
    assert [] == found(walked[1], {**PERSONAL, **SECRET, **FILE})


@pytest.mark.slow
def test_nothing_that_is_said_to_the_citys_people_holds_a_value_or_a_secret(walked):
    assert [] == found(walked[2], {**PERSONAL, **SECRET})


@pytest.mark.slow
def test_no_secret_is_anywhere_on_the_disk(walked):
    assert [] == found(files(walked[0].folder, "disk"), SECRET)


@pytest.mark.slow
def test_no_value_is_in_what_is_kept_beside_the_lake(walked):
    home = walked[0].folder / ".metroon"
    beside = {n: b for n, b in files(home, "home").items() if not n.startswith(("home lake/", "home cache/"))}

    assert [] == found(beside, PERSONAL)


# The search itself


@pytest.mark.parametrize(
    "canary", [PERSONAL["name"], PERSONAL["social security number"], SECRET["key"], "O'Neil & Søn"]
)
def test_every_form_is_found_wherever_it_stands(canary):
    missed = [n for n, f in forms(canary).items() if not found({"page": b"before " + f + b" after"}, {"c": canary})]

    assert [] == missed


@given(before=st.binary(max_size=7), after=st.binary(max_size=7))
@settings(max_examples=100, deadline=None)
def test_a_canary_is_found_in_base64_whatever_stands_around_it(before, after):
    page = base64.b64encode(before + PERSONAL["note"].encode() + after)

    assert found({"page": page}, {"c": PERSONAL["note"]})


@pytest.mark.parametrize("canary", ["name", "social security number"])
def test_a_canary_is_found_in_packed_files_and_footers(canary):
    text = PERSONAL[canary]
    table = pa.table({"x": [int(text) if text.isdigit() else text, None]})
    parquet, footer = io.BytesIO(), io.BytesIO()
    pq.write_table(table, parquet, compression="zstd", write_statistics=False, use_dictionary=False)
    pq.write_table(table.replace_schema_metadata({"note": text}).slice(1), footer, compression="zstd")

    assert found({"rows.parquet": parquet.getvalue()}, {"c": text})
    assert found({"empty.parquet": footer.getvalue()}, {"c": text})


@pytest.mark.slow
def test_a_street_that_leaks_on_purpose_is_found_out(tmp_path, monkeypatch):
    monkeypatch.setenv("METROON_KEY_CARE", SECRET["key"])
    town = street(tmp_path / "town")
    contract = tmp_path / "town" / "products" / "visits" / "contract.yaml"
    told = json.loads(contract.read_text())
    told["schema"][0]["properties"][2]["classification"] = "public"
    contract.write_text(json.dumps(told))
    (tmp_path / "town" / "products" / "visits" / "product.yaml").write_text(
        json.dumps({"collect": {"kind": "csv", "path": "visits*.csv"}, "guard": []})
    )
    town.run()
    leaked = found(public(town), {k: v for k, v in PERSONAL.items() if k in ("pseudonym", "row that waits")})

    assert {"pseudonym", "row that waits"} == {c for _, c, _ in leaked}
    assert {"portal", "copy", "open"} == {where.split(" ")[0] for where, _, _ in leaked}
