"""Bad answers, as a table: what a server answers, which code the command tells, and that the last good version stays.

Each is a run of the real command against a server on this machine; all rows are invented.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from loopback import QUICK, Asked, Reply, as_json, serving
from test_portals import Soda, row

from metroon.cli import main
from tiny import ROWS, tiny_city

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

AS_OF = ("--as-of", "2026-03-15")
COLUMNS = ("name", "ID")
SODA = Soda([row(i, ID=f"c{i}") for i in range(7)], COLUMNS)
LAYER = {
    "name": "Crashes", "objectIdField": "OBJECTID", "maxRecordCount": 2,
    "fields": [{"name": n, "type": t} for n, t in (("OBJECTID", "esriFieldTypeOID"), ("ID", "esriFieldTypeString"))],
    "advancedQueryCapabilities": {"supportsPagination": True, "supportsOrderBy": True},
}  # fmt: skip
FEATURES = {"features": [{"attributes": {"OBJECTID": n, "ID": f"c{n}"}} for n in (1, 2)]}


def run(city: Path) -> Result:
    return CliRunner().invoke(main, ["run", "-C", str(city), *AS_OF], catch_exceptions=False)


def kept_state(city: Path) -> dict[str, str]:
    """Everything in the lake, by its hash."""
    files = (p for p in (city / ".metroon" / "lake").rglob("*") if p.is_file())
    return {p.relative_to(city).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    city = tiny_city(tmp_path_factory.mktemp("good"), measure=None)
    assert 0 == run(city).exit_code
    return city


@pytest.fixture
def city(good, tmp_path) -> Path:
    return shutil.copytree(good, tmp_path / "city")


def repeated(asked: Asked) -> Reply:
    """A server that gives its first page whichever one is asked for."""
    return SODA(Asked(asked.path, asked.query | ({"$offset": "0"} if "$offset" in asked.query else {}), asked.headers))


def shrunk(asked: Asked) -> Reply:
    """A server of which a row is taken away between its pages, each time."""
    rows = [r for r in SODA.rows if asked.query.get("$offset", "0") == "0" or r[":id"] != "row-00001"]
    return Soda(rows, COLUMNS)(asked)


def error_in_200(asked: Asked) -> Reply:
    return SODA(asked) if "$offset" not in asked.query else as_json({"error": True, "message": "sign in"})


def rows_for_a_count(asked: Asked) -> Reply:
    return SODA(asked) if "count" not in asked.query.get("$select", "") else as_json([{"name": "n1"}])


def features_for_a_count(asked: Asked) -> Reply:
    if asked.path.endswith("/query"):
        return as_json(FEATURES)  # whatever was asked: a count, ids or a page
    return as_json(LAYER)


@dataclass(frozen=True)
class Bad:
    """What is declared, what the server answers, and what is told."""

    kind: str
    answer: Callable[[Asked], Reply]
    code: str
    words: str = ""
    options: Mapping[str, object] = field(default_factory=dict)


def served(body: bytes, status: int = 200, **more: object) -> Callable[[Asked], Reply]:
    return lambda _: Reply(body, status, **more)  # type: ignore[arg-type]  # the fields of a reply


BAD = {
    "HTTP 200 with an error in JSON": Bad("http", served(b'{"error": true, "message": "no"}'), "D135", "an error"),
    "HTTP 200 with a page to sign in": Bad("http", served(b"<!doctype html><p>Sign in"), "D135", "a web page"),
    "HTTP 200 with nothing": Bad("http", served(b""), "D135", "the file is empty"),
    "an error": Bad("http", served(b"no", 500), "D134", "500"),
    "nothing there": Bad("http", served(b"no", 404), "D140", "404"),
    "half of what was said": Bad("http", served(ROWS.encode()[:30], length=len(ROWS)), "D136"),
    "a redirect into a private network": Bad(
        "http", served(b"", 302, headers={"Location": "http://10.0.0.1/rows.csv"}), "D132", "private network"
    ),
    "a redirect to the machine's own metadata": Bad(
        "http", served(b"", 307, headers={"Location": "http://169.254.169.254/latest/"}), "D132", "this link only"
    ),
    "a redirect to a file": Bad("http", served(b"", 302, headers={"Location": "file:///etc/passwd"}), "D132"),
    "a redirect without end": Bad(
        "http", served(b"", 302, headers={"Location": "/rows.csv"}), "D134", "again and again"
    ),
    "an error where rows were asked for": Bad("socrata", error_in_200, "D135", "an error"),
    "rows where a count was asked for": Bad("socrata", rows_for_a_count, "D135"),
    "pages that repeat": Bad("socrata", repeated, "D138"),
    "pages that shrink": Bad("socrata", shrunk, "D138"),
    "features where a count was asked for": Bad("arcgis", features_for_a_count, "D140"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_told_and_the_last_good_version_stays(name, city):
    bad, before = BAD[name], kept_state(city)
    with serving(bad.answer) as server:
        places = {
            "http": {"url": f"{server.url}/rows.csv"},
            "socrata": {"domain": server.url, "dataset": "abcd-1234", "page_rows": 3},
            "arcgis": {"url": f"{server.url}/Crashes/FeatureServer/0"},
        }
        collect = {"kind": bad.kind, **places[bad.kind], **QUICK, "tries": 1}
        (city / "products" / "crashes" / "product.yaml").write_text(f"collect: {json.dumps(collect)}\nguard: []\n")
        result = run(city)
    told = " ".join(result.output.split())

    assert (1, True, True) == (result.exit_code, bad.code in told, bad.words in told), told
    assert "Fix:" in told
    assert before == kept_state(city)


def test_a_proxy_that_is_set_and_not_spoken_to_is_named_when_a_server_cannot_be_reached(city, monkeypatch):
    collect = {"kind": "http", "url": "http://127.0.0.1:9/rows.csv", **QUICK, "tries": 1}
    (city / "products" / "crashes" / "product.yaml").write_text(f"collect: {json.dumps(collect)}\nguard: []\n")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    told = " ".join(run(city).output.split())

    assert "D133: http://127.0.0.1:9/rows.csv cannot be reached" in told
    assert "A proxy is set in the environment, and none is spoken to" in told
