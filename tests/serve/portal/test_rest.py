import io
import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import httpx2 as httpx
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from seen import seen
from small import SECRET, doors, parks, serving, small_portal, trees
from starlette.testclient import TestClient

from metroon.serve.kinds.rest import Rest
from metroon.serve.trouble import TROUBLES

ROWS = "/api/v1/datasets/trees/rows"


@pytest.fixture(scope="module")
def smallville(tmp_path_factory):
    return small_portal(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def client(smallville):
    return TestClient(doors(smallville, "rest"), base_url="http://127.0.0.1:8000")


def problem(response, slug: str) -> dict:
    """The problem document of an answer, after all that every one of them promises."""
    told = response.json()
    assert (TROUBLES[slug][0], "application/problem+json") == (response.status_code, response.headers["content-type"])
    assert (f"/api/v1/problems#{slug}", TROUBLES[slug][1], TROUBLES[slug][0]) == (
        told["type"], told["title"], told["status"],
    )  # fmt: skip
    assert told["detail"]
    assert told["fix"]
    assert SECRET not in response.text
    assert "Traceback" not in response.text
    return told


# Rows


def test_a_page_of_rows_says_what_it_is_how_many_there_are_and_where_the_next_is(client):
    told = client.get(ROWS, params={"kind": "oak"}).json()

    assert ("trees", 2, "2026-07-15", 334, 0, 100) == tuple(
        told[k] for k in ("dataset", "version", "as_of", "total", "offset", "returned")
    )
    assert {"oak"} == {r["kind"] for r in told["rows"]}
    assert told["next"].startswith("http://127.0.0.1:8000" + ROWS)
    assert "CC0-1.0" == told["licence"]


@pytest.mark.parametrize(
    "asked", [{"limit": 77}, {"limit": 130, "order": "-kind,age"}, {"limit": 90, "kind__ne": "oak"}]
)
def test_following_next_gives_every_row_once(client, asked):
    url, found = f"{ROWS}?" + "&".join(f"{k}={v}" for k, v in asked.items()), []
    while url:
        told = client.get(url).json()
        assert told["returned"] == len(told["rows"])
        found += [r["tree"] for r in told["rows"]]
        url = told["next"]

    expected = [r["tree"] for r in trees().to_pylist() if "kind__ne" not in asked or r["kind"] != "oak"]
    assert (len(expected), sorted(expected)) == (told["total"], sorted(found))


def test_a_cursor_stays_in_its_version(client):
    told = client.get(ROWS, params={"version": 1, "limit": 60}).json()
    after = client.get(told["next"]).json()

    assert (1, 100, 60, 1, 40, None) == (
        told["version"], told["total"], after["offset"], after["version"], after["returned"], after["next"],
    )  # fmt: skip


def test_filters_order_columns_and_words_do_what_they_say(client):
    asked = {"age__gte": 10, "age__lt": 20, "kind__in": "oak,elm", "select": "tree,age", "order": "-age", "q": "t000"}
    rows = client.get(ROWS, params=asked).json()["rows"]

    fits = [
        (r["tree"], r["age"]) for r in trees().to_pylist()
        if r["age"] is not None and 10 <= r["age"] < 20 and r["kind"] in ("oak", "elm") and r["tree"] < "t00100"
    ]  # fmt: skip
    assert sorted(fits, key=lambda f: (-f[1], f[0])) == [(r["tree"], r["age"]) for r in rows]


def test_a_column_given_twice_may_have_either_value(client):
    told = client.get(f"{ROWS}?kind=oak&kind=elm&limit=1000").json()

    assert ({"oak", "elm"}, 667) == ({r["kind"] for r in told["rows"]}, told["total"])


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/html,application/json;q=0.9,*/*;q=0.1", "application/json"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/csv; charset=utf-8"),
        ("application/json;q=0, text/csv;q=0.5", "text/csv; charset=utf-8"),
        ("application/json;q=x, text/csv", "text/csv; charset=utf-8"),
    ],
)
def test_accept_chooses_the_format(client, accept, media):
    told = client.get(ROWS, headers={"Accept": accept})

    assert (200, media, "Accept") == (told.status_code, told.headers["content-type"], told.headers["vary"])


def test_a_format_named_in_the_address_is_stronger_than_accept(client):
    told = client.get(ROWS, params={"format": "ndjson"}, headers={"Accept": "text/csv"})

    assert "application/x-ndjson" == told.headers["content-type"]


def test_files_have_all_rows_and_a_page_a_limit(client):
    assert 1001 == len(client.get(ROWS, params={"format": "csv", "select": "tree"}).text.splitlines())
    assert 100 == client.get(ROWS).json()["returned"]
    told = problem(client.get(ROWS, params={"limit": 10_001}), "too-much")
    assert ("limit", True) == (told["parameter"], "10,000" in told["detail"])


def test_the_limits_are_options_of_the_door(smallville):
    small = Rest(page_rows=3, most_page_rows=5)
    client = TestClient(type(doors(smallville))(routes=small.routes(smallville)))

    assert 3 == client.get(ROWS).json()["returned"]
    problem(client.get(ROWS, params={"limit": 6}), "too-much")


# The catalog


def test_datasets_that_are_not_public_are_listed_without_rows_and_links_to_them(client):
    told = {d["name"]: d for d in client.get("/api/v1/datasets").json()["datasets"]}

    assert {"parks", "shade", "trees", "wards", "patients"} == set(told)
    assert (False, None, "non-public") == (
        told["patients"]["has_rows"],
        told["patients"]["rows"],
        told["patients"]["access"],
    )
    assert {"page", "self", "versions"} == set(told["patients"]["links"])


@pytest.mark.parametrize(
    ("asked", "names"),
    [({"q": "TREE city"}, ["trees"]), ({"shape": "measure"}, ["shade"]), ({"access": "public", "topic": "x"}, []),
     ({"shape": "listed"}, ["wards"])],
)  # fmt: skip
def test_datasets_are_found_by_words_shape_access_and_topic(client, asked, names):
    assert names == [d["name"] for d in client.get("/api/v1/datasets", params=asked).json()["datasets"]]


def test_a_dataset_tells_its_columns_gap_and_files(client):
    told = client.get("/api/v1/datasets/trees").json()

    assert ("Trees on private land are missing.", 2) == (told["gap"], told["version"])
    assert {"csv", "geojson", "parquet", "xlsx", "rows", "openapi"} <= set(told["links"])
    assert "geojson" not in client.get("/api/v1/datasets/shade").json()["links"]


def test_versions_lead_to_their_rows(client):
    told = client.get("/api/v1/datasets/trees/versions").json()["versions"]

    assert [(2, 1000), (1, 100)] == [(v["number"], client.get(v["rows_url"]).json()["total"]) for v in told]


def test_estimates_are_rows_of_measures_only_and_a_hidden_one_has_no_number(client):
    told = client.get("/api/v1/measures/shade/estimates", params={"place": "2"}).json()["rows"]

    assert [{"place": "2", "period": "2025", "state": "hidden", "value": None}] == told
    problem(client.get("/api/v1/measures/trees/estimates"), "not-there")


# What goes wrong


@pytest.mark.parametrize(
    ("asked", "slug", "said"),
    [
        ("knd=oak", "unknown-column", "Did you mean 'kind'?"),
        ("owner=Jane", "unknown-column", "kind"),
        ("order=owner", "unknown-column", "kind"),
        ("select=owner,tree", "unknown-column", "kind"),
        ("age=old", "wrong-value", "a whole number"),
        ("planted=soon", "wrong-value", "2026-07-15"),
        ("age__contains=1", "wrong-value", "eq, ne"),
        ("age__between=1", "wrong-value", "commas"),
        ("age__like=1", "unknown-column", "age"),
        ("limit=0", "wrong-value", "100"),
        ("limit=-5", "wrong-value", "100"),
        ("limit=1e3", "wrong-value", "100"),
        ("limit=99999999999999999999", "wrong-value", "100"),
        ("offset=9007199254740993", "too-much", "9,007"),
        ("limit=5&limit=6", "wrong-value", "once"),
        ("format=exe", "wrong-value", "parquet"),
        ("version=0", "wrong-value", "100"),
        ("version=9", "no-version", "1, 2"),
        ("cursor=x", "bad-cursor", "without a cursor"),
        ("cursor=WzksMCwieCJd", "no-version", "1, 2"),
        ("cursor=WzIsMCwieCJd", "bad-cursor", "same"),
        ("cursor=WzIsMCwieCJd&version=1", "bad-cursor", "out"),
        ("raw=yes", "wrong-value", "0, 1"),
        ("kind__in=" + ",".join("x" * 1001), "too-much", "commas"),
        ("&".join(f"age__ne={i}" for i in range(51)), "too-much", "fewer"),
        ("q=" + "+".join("abcdefghijk"), "too-much", "fewer"),
        ("kind=%00", "wrong-value", "text"),
    ],
)  # fmt: skip
def test_a_question_that_does_not_fit_is_told_what_to_ask(client, asked, slug, said):
    assert said in problem(client.get(f"{ROWS}?{asked}"), slug)["fix"]


def test_nothing_between_the_offset_and_the_end_is_an_empty_page(client):
    told = client.get(ROWS, params={"offset": 5000}).json()

    assert ([], 0, 1000, None) == (told["rows"], told["returned"], told["total"], told["next"])


@pytest.mark.parametrize(
    "path",
    ["/api/v1/datasets/nowhere", "/api/v1/datasets/nowhere/rows", "/api/v1/datasets/patients/rows",
     "/api/v1/datasets/wards/rows", "/api/v1/datasets/patients/rows?version=1",
     "/api/v1/datasets/patients/openapi.json",
     "/api/v1/datasets/..%2f..%2fetc%2fpasswd/rows", "/api/v1/datasets/%2e%2e/rows",
     "/api/v1/datasets/trees-2.parquet/rows",
     "/api/v1/datasets/trees'--/rows", "/api/v1/datasets/TREES/rows", "/api/v1/plan", "/api/v1/x/y/z",
     "/api/v1/measures/x/estimates"],
)  # fmt: skip
def test_what_is_not_there_and_what_is_not_for_you_look_the_same(client, path):
    told = problem(client.get(path), "not-there")

    if "plan" not in path and "x" not in path.split("/"):
        assert client.get("/api/v1/datasets/nowhere/rows").json() == told or "address" in told["detail"]


def test_none_of_the_formats_asked_for(client):
    assert "text/csv" in problem(client.get(ROWS, headers={"Accept": "text/html"}), "not-acceptable")["fix"]
    problem(client.get("/api/v1/goals", headers={"Accept": "text/html"}), "not-acceptable")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_nothing_can_be_written(client, method):
    told = client.request(method, ROWS)

    problem(told, "wrong-method")
    assert "GET, HEAD, OPTIONS" == told.headers["allow"]


def test_a_parameter_that_is_not_offered_is_told(client):
    assert "Did you mean 'shape'?" in problem(client.get("/api/v1/datasets?shap=x"), "unknown-parameter")["fix"]
    problem(client.get("/api/v1/goals?limit=1"), "unknown-parameter")


def test_a_version_that_was_erased_is_gone_and_the_server_goes_on(tmp_path):
    portal = small_portal(tmp_path)
    client = TestClient(doors(portal, "rest"))
    (tmp_path / "trees-1.parquet").unlink()

    told = problem(client.get(ROWS, params={"version": 1}), "cannot-read")
    problem(client.get(ROWS, params={"version": 1, "format": "csv"}), "cannot-read")
    assert str(tmp_path) not in json.dumps(told)
    assert 1000 == client.get(ROWS).json()["total"]


def test_a_version_that_is_known_and_not_there_any_more_is_gone(tmp_path):
    portal = small_portal(tmp_path, {("trees", 2): trees(), ("parks", 1): parks()})
    client = TestClient(doors(portal, "rest"))

    assert "versions" in problem(client.get(ROWS, params={"version": 1}), "version-gone")["fix"]


def test_a_version_erased_while_it_leaves_breaks_off(tmp_path, monkeypatch):
    monkeypatch.setattr("metroon.serve.encoders.BATCH_ROWS", 2048)
    big = trees(300_000)
    with serving(doors(small_portal(tmp_path, {("trees", 2): big}), "rest")) as address:
        with httpx.stream("GET", f"{address}{ROWS}?format=csv") as told:
            parts = told.iter_raw()
            got = len(next(parts))
            with (tmp_path / "trees-2.parquet").open("r+b") as file:
                file.truncate(100)
            broke = False
            try:
                got += sum(len(p) for p in parts)
            except httpx.RemoteProtocolError:
                broke = True
        whole = len(client_of(tmp_path / "whole", big).get(f"{ROWS}?format=csv").content)
        assert broke or got == whole
        assert 503 == httpx.get(f"{address}{ROWS}").status_code
        assert 200 == httpx.get(f"{address}/api/v1/datasets").status_code


def client_of(folder: Path, table: pa.Table) -> TestClient:
    folder.mkdir()
    return TestClient(doors(small_portal(folder, {("trees", 2): table}), "rest"))


# HTTP


@pytest.mark.parametrize("path", [ROWS, f"{ROWS}?format=csv", "/api/v1/datasets", "/api/v1/goals", "/openapi.json"])
def test_who_has_an_answer_already_is_told_so(client, path):
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert (200, 304, b"") == (first.status_code, again.status_code, again.content)
    assert client.get(path, headers={"If-None-Match": '"another"'}).status_code == 200


@pytest.mark.parametrize("path", [ROWS, f"{ROWS}?format=parquet", "/api/v1/datasets", "/openapi.json"])
def test_head_has_the_headers_and_no_body(client, path):
    head, got = client.head(path), client.get(path)

    assert (200, b"", got.headers["etag"]) == (head.status_code, head.content, head.headers["etag"])


def test_any_page_may_read_it(client):
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}

    assert (204, "*") == (
        (told := client.options(ROWS, headers=asked)).status_code,
        told.headers["access-control-allow-origin"],
    )
    assert "GET, HEAD, OPTIONS" == told.headers["access-control-allow-methods"]
    for path in (ROWS, "/api/v1/datasets/nowhere", "/openapi.json"):
        assert "*" == client.get(path).headers["access-control-allow-origin"]


def test_every_problem_is_explained(client):
    assert set(TROUBLES) == set(client.get("/api/v1/problems").json())


# OpenAPI


def test_the_document_names_every_dataset_with_rows_and_every_parameter(client):
    told = client.get("/openapi.json").json()
    rows = told["paths"]["/datasets/{name}/rows"]["get"]

    assert "3.1.0" == told["openapi"]
    assert ["parks", "shade", "trees"] == next(p["schema"]["enum"] for p in rows["parameters"] if p["name"] == "name")
    assert {"select", "order", "limit", "cursor", "version", "format", "q", "raw"} <= {
        p["name"] for p in rows["parameters"]
    }


def test_the_document_of_a_dataset_has_its_columns_as_parameters_that_all_work(client):
    told = client.get("/api/v1/datasets/trees/openapi.json").json()
    parameters = told["paths"]["/datasets/trees/rows"]["get"]["parameters"]
    names = [p["name"] for p in parameters]

    assert {"age", "age__gte", "kind__contains", "planted__between", "height__is_null"} <= set(names)
    assert not [n for n in names if "owner" in n or n == "age__contains"]
    for p in parameters:
        schema = p["schema"].get("items", p["schema"])
        for example in schema.get("examples", ()):
            assert 200 == client.get(ROWS, params={p["name"]: example}).status_code, p["name"]


@pytest.mark.slow
@pytest.mark.parametrize("document", ["/openapi.json", "/api/v1/datasets/trees/openapi.json"])
def test_nothing_is_answered_that_is_not_documented(smallville, tmp_path, document):
    """Schemathesis asks what the document allows, and much that it forbids, of a real server."""
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: make test-slow")
    program = Path(sys.executable).with_name("schemathesis")
    # Which columns there are, and which cursors fit, no schema can say: a lawful question may be refused.
    words = ["--checks", "all", "--exclude-checks", "positive_data_acceptance", "--max-examples", "40", "--no-color"]
    with serving(doors(smallville, "rest")) as address:
        told = subprocess.run(
            [program, "run", address + document, *words, "--seed", "1"], capture_output=True, text=True, cwd=tmp_path
        )
    asked = re.search(r"(\d+) generated", told.stdout)

    assert (0, True) == (told.returncode, asked is not None and int(asked[1]) > 50), told.stdout[-3000:]
    seen("rest", f"schemathesis {schemathesis.__version__}", f"all checks on {document}, nothing undocumented")


# Real clients


def test_real_clients_read_rows_from_a_real_server(smallville, tmp_path):
    with serving(doors(smallville, "rest")) as address:
        url = f"{address}{ROWS}?raw=1&format="
        frame = pandas.read_csv(url + "csv")
        assert (1000, trees()["tree"].to_pylist()) == (len(frame), frame["tree"].tolist())
        assert 1000 == len(pandas.read_json(url + "ndjson", lines=True))
        assert 1000 == len(pandas.read_parquet(io.BytesIO(httpx.get(url + "parquet").content)))
        seen("rest", f"pandas {pandas.__version__}", "read_csv, read_json(lines=True), read_parquet")
        assert 1000 == pa.ipc.open_stream(httpx.get(url + "arrow").content).read_all().num_rows
        assert 1000 == pq.read_table(io.BytesIO(httpx.get(url + "parquet").content)).num_rows
        seen("rest", f"pyarrow {pa.__version__}", "ipc.open_stream, parquet.read_table")
        file = tmp_path / "it.csv"
        file.write_bytes(httpx.get(url + "csv").content)
    assert [(1000,)] == duckdb.sql(f"select count(*) from read_csv('{file}')").fetchall()
    seen("rest", f"DuckDB {duckdb.__version__}", "read_csv")


@pytest.mark.slow
def test_the_invented_city_is_read_by_its_api(server):
    told = httpx.get(f"{server}/api/v1/datasets").json()
    found = [d["name"] for d in told["datasets"] if d["has_rows"]]

    for name in found:
        page = httpx.get(f"{server}/api/v1/datasets/{name}/rows?limit=5").json()
        whole = httpx.get(f"{server}/api/v1/datasets/{name}/rows?format=ndjson").text
        assert page["total"] == len(whole.splitlines())
    assert httpx.get(f"{server}/api/v1/goals").json()["goals"]
    assert httpx.get(f"{server}/api/v1/neighborhoods").json()["neighborhoods"]
    seen("rest", f"httpx2 {httpx.__version__}", "every dataset of Arroyo Vista, pages and files")
