import importlib.metadata
import io
import json

import ckanapi
import httpx2 as httpx
import openpyxl
import pandas
import pytest
from ckanapi import NotAuthorized, NotFound, RemoteCKAN, SearchError, ValidationError
from seen import seen
from small import SECRET, doors, serving, small_portal, trees
from starlette.testclient import TestClient

VERSION = f"ckanapi {importlib.metadata.version('ckanapi')}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("small")


@pytest.fixture(scope="module")
def smallville(folder):
    return small_portal(folder)


@pytest.fixture(scope="module")
def address(smallville):
    with serving(doors(smallville, "ckan")) as found:
        yield found


@pytest.fixture(scope="module", params=[False, True], ids=["post", "get"])
def ckan(address, request):
    """CKAN's own client, as it is."""
    with RemoteCKAN(address, get_only=request.param) as client:
        yield client


@pytest.fixture(scope="module")
def client(smallville):
    return TestClient(doors(smallville, "ckan"))


def test_the_site_says_what_it_is(ckan):
    told = ckan.action.status_show()

    assert ("Smallville", True, True) == (
        told["site_title"],
        ckan.action.site_read(),
        "datastore" in told["extensions"],
    )
    seen("ckan", VERSION, "status_show, site_read")


def test_every_dataset_is_a_package_also_those_without_public_rows(ckan):
    assert ["parks", "patients", "shade", "trees", "wards"] == ckan.action.package_list()
    assert ["shade", "trees"] == ckan.action.package_list(limit=2, offset=2)
    for name in ("patients", "wards"):
        told = ckan.action.package_show(id=name)
        assert ([], 0) == (told["resources"], told["num_resources"])
    seen("ckan", VERSION, "package_list, package_show")


def test_a_package_tells_its_files_licence_steward_and_gap(ckan, address):
    told = ckan.action.package_show(id="trees")

    assert ("Trees", "CC0-1.0", "trees@example.gov", "2") == (
        told["title"], told["license_id"], told["maintainer_email"], told["version"],
    )  # fmt: skip
    assert {"CSV", "JSON", "PARQUET", "XLSX", "GEOJSON"} == {r["format"] for r in told["resources"]}
    assert f"{address}/datasets/trees.csv" == told["resources"][0]["url"]
    assert {"key": "known_gap", "value": "Trees on private land are missing."} in told["extras"]
    assert "GEOJSON" not in {r["format"] for r in ckan.action.package_show(id="shade")["resources"]}
    assert f"{address}/measures/shade.csv" == ckan.action.package_show(id="shade")["resources"][0]["url"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["parks", "patients", "shade", "trees", "wards"]),
        ({"q": "*:*"}, ["parks", "patients", "shade", "trees", "wards"]),
        ({"q": "every tree"}, ["trees"]),
        ({"q": "shad*"}, ["shade"]),
        ({"q": "title:Parks"}, ["parks"]),
        ({"fq": "organization:parks-department", "q": "ill"}, ["patients"]),
        ({"fq": "tags:green"}, ["trees"]),
        ({"fq": '+res_format:"GEOJSON" -name:parks'}, ["trees"]),
        ({"fq": "name:(parks OR wards)"}, ["parks", "wards"]),
        ({"fq": "access_level:non-public"}, ["patients", "wards"]),
        ({"q": "nothing of the kind"}, []),
    ],
)
def test_packages_are_found(ckan, asked, names):
    told = ckan.action.package_search(**asked, sort="name asc")

    assert (len(names), names) == (told["count"], [r["name"] for r in told["results"]])


def test_a_search_is_sorted_paged_and_counted(ckan):
    asked = {"facet.field": json.dumps(["organization", "res_format", "tags"])} if ckan.get_only else {
        "facet.field": ["organization", "res_format", "tags"]
    }  # fmt: skip
    told = ckan.action.package_search(sort="title desc", rows=2, start=1, **asked)

    assert (5, ["trees", "shade"]) == (told["count"], [r["name"] for r in told["results"]])
    assert {"parks-department": 5} == told["facets"]["organization"]
    assert 3 == told["facets"]["res_format"]["CSV"]
    assert "items" in told["search_facets"]["tags"]
    seen("ckan", VERSION, "package_search with q, fq, sort, rows, start, facet.field")


def test_departments_topics_tags_and_licences_are_listed(ckan):
    assert ["parks-department"] == ckan.action.organization_list()
    assert 5 == ckan.action.organization_list(all_fields=True)[0]["package_count"]
    assert "Parks Department" == ckan.action.organization_show(id="parks-department")["title"]
    assert 5 == len(ckan.action.organization_show(id="parks-department", include_datasets=True)["packages"])
    assert (["nature"], ["green", "trees"]) == (ckan.action.group_list(), ckan.action.tag_list())
    assert "CC0-1.0" in [li["id"] for li in ckan.action.license_list()]
    seen("ckan", VERSION, "organization_list, organization_show, group_list, tag_list, license_list")


def test_a_resource_is_found_by_its_id(ckan):
    for resource in ckan.action.package_show(id="trees")["resources"]:
        assert resource == ckan.action.resource_show(id=resource["id"])
    seen("ckan", VERSION, "resource_show")


# Rows


def test_rows_are_found_with_filters_fields_order_and_a_true_total(ckan):
    filters = {"kind": ["oak", "elm"], "is_city": True}
    told = ckan.action.datastore_search(
        resource_id="trees.csv", filters=json.dumps(filters) if ckan.get_only else filters, fields="tree,kind,age",
        sort="age desc, tree asc", limit=5, offset=3,
    )  # fmt: skip

    fits = [r for r in trees().to_pylist() if r["kind"] in ("oak", "elm") and r["is_city"]]
    fits.sort(key=lambda r: (r["age"] is None, -(r["age"] or 0), r["tree"]))
    assert [{k: r[k] for k in ("tree", "kind", "age")} for r in fits[3:8]] == told["records"]
    assert (len(fits), False) == (told["total"], told["total_was_estimated"])
    assert [("tree", "text"), ("kind", "text"), ("age", "int")] == [(f["id"], f["type"]) for f in told["fields"]]
    seen("ckan", VERSION, "datastore_search with filters, fields, sort, limit, offset")


def test_paging_by_offset_gives_every_row_once(ckan):
    found, offset = [], 0
    while True:
        told = ckan.action.datastore_search(resource_id="trees.csv", limit=300, offset=offset)
        if not told["records"]:
            break
        found += [r["tree"] for r in told["records"]]
        offset += len(told["records"])

    assert trees()["tree"].to_pylist() == found
    assert 1000 == told["total"]


def test_a_search_that_is_cut_says_so_and_where_to_go_on(address, smallville):
    from metroon.serve.kinds.ckan import Ckan

    client = TestClient(type(doors(smallville))(routes=Ckan(most_rows=400).routes(smallville)))
    told = client.get("/api/3/action/datastore_search?resource_id=trees&limit=5000").json()["result"]
    assert (400, 1000, True, 400) == (told["limit"], told["total"], told["records_truncated"], len(told["records"]))
    found = [r["tree"] for r in told["records"]]
    while told["records"]:
        told = client.get(told["_links"]["next"]).json()["result"]
        found += [r["tree"] for r in told["records"]]
    assert trees()["tree"].to_pylist() == found


@pytest.mark.parametrize(
    ("asked", "count"),
    [({"q": "oak"}, 334), ({"q": '{"kind": "elm"}'}, 333), ({"filters": '{"age": null}'}, 100), ({"sort": "_id"}, 1000),
     ({"filters": '{"note": "x\' or \'1\'=\'1"}'}, 83), ({"include_total": "false"}, None)],
)  # fmt: skip
def test_what_clients_ask_of_rows(client, asked, count):
    told = client.get("/api/3/action/datastore_search", params={"resource_id": "trees", "limit": 0, **asked}).json()

    assert (True, count, []) == (told["success"], told["result"].get("total"), told["result"]["records"])


def test_records_may_be_lists(client):
    asked = {"resource_id": "trees", "records_format": "lists", "fields": "tree,age", "limit": 2}

    assert [["t00000", 0], ["t00001", 1]] == client.get("/api/action/datastore_search", params=asked).json()["result"][
        "records"
    ]


def test_shapes_are_told_as_geojson(ckan):
    (first, *_) = ckan.action.datastore_search(resource_id="parks")["records"]

    assert "Polygon" == first["geometry"]["type"]


def test_the_columns_of_a_resource_are_told(ckan):
    told = ckan.action.datastore_info(id="trees.csv")

    assert (1000, "tree") == (told["meta"]["count"], told["fields"][0]["id"])


# What goes wrong


@pytest.mark.parametrize(
    ("action", "given", "error"),
    [
        ("package_show", {"id": "nowhere"}, NotFound),
        ("resource_show", {"id": "nowhere.csv"}, NotFound),
        ("resource_show", {"id": "patients.csv"}, NotFound),
        ("resource_show", {"id": "shade.geojson"}, NotFound),
        ("datastore_search", {"resource_id": "patients"}, NotFound),
        ("datastore_search", {"resource_id": "wards.csv"}, NotFound),
        ("datastore_search", {"resource_id": "../../etc/passwd"}, NotFound),
        ("datastore_search", {"resource_id": "trees", "version": 9}, NotFound),
        ("organization_show", {"id": "x"}, NotFound),
        ("package_create", {"name": "x"}, NotFound),
        ("package_show", {}, ValidationError),
        ("datastore_search", {}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "filters": '{"owner": "Jane"}'}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "fields": "owner"}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "sort": "owner"}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "sort": "age desc; drop table trees"}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "sort": "(select 1)"}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "filters": "{"}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "filters": "[1]"}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "filters": '{"age": "old"}'}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "filters": '{"age": {"a": 1}}'}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "limit": "all"}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "limit": -1}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "filter": "{}"}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "records_format": "tsv"}, ValidationError),
        ("datastore_search", {"resource_id": "trees", "distinct": "true"}, ValidationError),
        ("package_search", {"fq": "secret:1"}, ValidationError),
        ("package_search", {"sort": "owner asc"}, ValidationError),
        ("package_search", {"q": 'a"'}, ValidationError),
        ("datastore_search_sql", {"sql": "select * from trees"}, NotAuthorized),
    ],
)
def test_clients_get_the_errors_that_they_know(ckan, action, given, error):
    with pytest.raises(error) as failed:
        ckan.call_action(action, given)
    assert SECRET not in str(failed.value)
    seen("ckan", VERSION, f"the error {error.__name__}")


def test_sql_is_refused_in_plain_words(client):
    told = client.get("/api/3/action/datastore_search_sql", params={"sql": "select 1"})

    assert (403, "Authorization Error") == (told.status_code, told.json()["error"]["__type"])
    assert "does not run SQL" in told.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b"[" * 5000, b"\xff\xfe", b'{"id": "\\ud800"}'])
def test_a_body_that_is_no_question_is_told(client, body):
    told = client.post("/api/3/action/package_show", content=body)

    assert (False, True) == (told.json()["success"], told.status_code in (404, 409))


def test_a_body_that_is_too_long_is_not_read(client):
    told = client.post("/api/3/action/package_show", content=b"x" * 1_000_001)

    assert (409, False) == (told.status_code, told.json()["success"])


def test_form_bodies_and_both_bases_are_understood(client):
    for base in ("/api/action", "/api/3/action"):
        assert "trees" == client.post(f"{base}/package_show", data={"id": "trees"}).json()["result"]["name"]


def test_rows_that_were_erased_are_an_error_and_the_server_goes_on(tmp_path):
    with serving(doors(small_portal(tmp_path), "ckan")) as address, RemoteCKAN(address) as ckan:
        (tmp_path / "trees-2.parquet").unlink()
        with pytest.raises(SearchError) as failed:
            ckan.action.datastore_search(resource_id="trees")
        assert str(tmp_path) not in str(failed.value)
        assert 5 == len(ckan.action.package_list())


def test_no_hidden_column_is_in_rows_or_fields(client):
    told = client.get("/api/3/action/datastore_search?resource_id=trees&limit=32000")

    assert SECRET not in told.text
    assert "owner" not in [f["id"] for f in told.json()["result"]["fields"]]


@pytest.mark.slow
def test_ckans_client_reads_the_invented_city(server):
    with RemoteCKAN(server) as ckan:
        names = ckan.action.package_list()
        packages = [ckan.action.package_show(id=n) for n in names]
        having = [p for p in packages if p["resources"]]
        assert 0 < len(having) < len(packages)
        for package in having:
            told = ckan.action.datastore_search(resource_id=package["resources"][0]["id"], limit=0)
            rows = httpx.get(f"{server}/api/v1/datasets/{package['name']}/rows?limit=1").json()
            assert rows["total"] == told["total"]
    seen("ckan", VERSION, "every package of Arroyo Vista and its rows")


@pytest.mark.slow
def test_the_files_of_a_package_are_read_by_those_who_have_them(server):
    with RemoteCKAN(server) as ckan:
        files = {r["format"]: r["url"] for r in ckan.action.package_show(id="neighborhoods")["resources"]}
    read = {f: httpx.get(url) for f, url in files.items()}

    assert {200} == {r.status_code for r in read.values()}
    assert 40 == len(pandas.read_csv(io.BytesIO(read["CSV"].content))) == len(read["JSON"].json())
    assert (
        40 == len(pandas.read_parquet(io.BytesIO(read["PARQUET"].content))) == len(read["GEOJSON"].json()["features"])
    )
    assert 41 == openpyxl.load_workbook(io.BytesIO(read["XLSX"].content))["Data"].max_row
    seen("ckan", f"{VERSION}, pandas {pandas.__version__}, openpyxl {openpyxl.__version__}", "the files of a package")


def test_the_client_is_the_published_one():
    assert "site-packages" in ckanapi.__file__
