"""A whole portal is read into the inventory, and each of its datasets can be drafted: over http, as a city would."""

from __future__ import annotations

import csv
import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from metroon.city import load
from metroon.cli import main
from metroon.collect import asking

TREES = "tree_id,species,planted\n" + "".join(f"T{i},oak,2026-0{1 + i % 6}-01\n" for i in range(60))


def package(i, host, **given):
    told = {
        "id": f"id-{i}",
        "name": f"set-{i}",
        "title": f"Dataset {i}",
        "notes": "What it holds.",
        "organization": {"title": "Parks Department" if i % 2 else "Roads"},
        "license_title": "CC0",
        "update_frequency": "Monthly",
        "resources": [{"id": f"r{i}", "url": f"http://{host}/files/{i}.csv", "format": "CSV",
                       "last_modified": "2026-07-01T00:00:00"}],
    }  # fmt: skip
    return {**told, **given}


class Portal(BaseHTTPRequestHandler):
    """A portal that speaks CKAN; three of its 120 datasets are late, two show names, one link is dead."""

    def do_GET(self):
        parts = urlsplit(self.path)
        host = self.headers["Host"]
        if parts.path == "/api/3/action/package_search":
            query = {k: v[0] for k, v in parse_qs(parts.query).items()}
            start, rows = int(query["start"]), int(query["rows"])
            every = [self.made(i, host) for i in range(120)]
            self.say({"success": True, "result": {"count": 120, "results": every[start : start + rows]}})
        elif parts.path == "/files/9.csv":
            self.send_error(404)
        elif parts.path in ("/files/5.csv", "/files/6.csv"):
            self.say("id,Owner name,applicant\n1,x,y\n")
        elif parts.path.startswith("/files/"):
            self.say(TREES)
        else:
            self.send_error(404)

    @staticmethod
    def made(i, host):
        if i < 3:
            resource = {"url": f"http://{host}/files/{i}.csv", "format": "CSV", "last_modified": "2026-01-01"}
            return package(i, host, resources=[resource])
        if i == 7:
            return package(i, host, license_title="", title="Dataset 8", organization={"title": "roads"})
        return package(i, host)

    def say(self, told):
        content = told.encode() if isinstance(told, str) else json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", "text/csv" if isinstance(told, str) else "application/json")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Nothing is written."""


@pytest.fixture(scope="module")
def portal():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    """Our own portal need not be spared: it is asked without rests."""
    monkeypatch.setattr(asking, "Manners", partial(asking.Manners, wait_ms=0))


@pytest.fixture
def city(tmp_path):
    (tmp_path / "city.yaml").write_text(
        "name: Brookfield\ninvented: true\nas_of: 2026-07-15\ndepartments:\n  parks: Parks Department\n", "utf-8"
    )
    (tmp_path / "inbox").mkdir()
    return tmp_path


def typed(city, *words):
    return CliRunner().invoke(main, ["add", "-C", str(city), "--intranet", "127.0.0.1", *words])


def test_a_portal_is_told_in_one_line_and_listed_in_the_inventory(portal, city):
    told = typed(city, portal)
    assert told.exit_code == 0, told.output
    first = told.stdout.splitlines()[0]
    assert first == (
        "120 datasets; 3 late; 2 publish columns that look personal; 1 without a licence; 1 with dead links; "
        "1 listed twice; 1 whose columns nobody tells"
    )
    assert "Dataset 0: 164 days over 'Monthly'" in told.stdout
    assert "Owner name, applicant" in told.stdout
    made = load(city)
    assert len(made.listed) == 119  # what is listed twice is listed once
    assert dict(made.file.departments) == {"parks": "Parks Department", "roads": "Roads"}
    with next((city / "portals").glob("*.csv")).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 120
    assert {r["owner"] for r in rows} == {"Parks Department", "Roads", "roads"}
    assert [r["title"] for r in rows if r["dead links"]] == ["Dataset 9"]


def test_a_second_look_adds_nothing(portal, city):
    typed(city, portal, "--no-links")
    before = (city / "inventory.yaml").read_bytes()
    told = typed(city, portal, "--no-links")
    assert told.exit_code == 0, told.output
    assert "new entries" not in told.stdout
    assert (city / "inventory.yaml").read_bytes() == before


def test_a_dataset_of_the_portal_is_drafted_on_request_and_runs(portal, city):
    told = typed(city, portal, "--dataset", "id-10")
    assert told.exit_code == 0, told.output
    assert "60 rows, 3 columns" in told.stdout
    ran = CliRunner().invoke(main, ["run", "-C", str(city)])
    assert "60 = 60 + 0" in ran.output  # all of it is kept; nothing of it leaves before its protocol is finished


def test_a_dataset_takes_over_the_id_of_its_entry(portal, city):
    typed(city, portal, "--no-links")
    text = (city / "inventory.yaml").read_text("utf-8").replace("id: dataset_10\n", "id: street_trees\n")
    (city / "inventory.yaml").write_text(text, "utf-8")
    assert typed(city, portal, "--dataset", "Dataset 10").exit_code == 0
    assert (city / "products" / "street_trees" / "contract.yaml").is_file()


def test_a_dataset_that_is_not_listed_is_said_to_be_not(portal, city):
    told = typed(city, portal, "--dataset", "id-100000")
    assert told.exit_code == 2
    assert "D163" in told.stderr
    assert not list((city).glob("products/*"))


def test_what_is_no_portal_is_said_to_be_none(portal, city):
    told = typed(city, f"{portal}/data.json")
    assert told.exit_code == 2
    assert "D160" in told.stderr
    assert not (city / "inventory.yaml").exists()


def test_a_portal_on_a_private_address_is_not_asked_unless_it_is_named(portal, city):
    told = CliRunner().invoke(main, ["add", "-C", str(city), portal])
    assert told.exit_code == 2
    assert "D132" in told.stderr
    assert "product.yaml" not in told.stderr


def test_a_host_of_the_citys_own_network_may_be_named_as_an_option_too(portal, city):
    told = CliRunner().invoke(main, ["add", "-C", str(city), portal, "--no-links", "--option", "intranet=127.0.0.1"])
    assert told.exit_code == 0, told.output
    assert "119 new entries; already there: 0" in told.stdout
