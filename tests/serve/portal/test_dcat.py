"""DCAT-US: what is required is there, what is not public has no files, and nothing is made up.

The published schemas are not part of this repository: the fields that they require are written down here again. See
``REQUIRED_1`` (version 1.1, not federal) and ``SCHEMA_3`` (version 3.0).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from village import DARK_SET, LAMPS_SET, LISTED_SET, VISITS_SET, Village, asks, catalog

from metroon.base.catalog import Portal, Steward
from metroon.serve.dcat_terms import Lack, lacking
from metroon.serve.kinds.dcat import CONTEXT, Dcat

if TYPE_CHECKING:
    from starlette.testclient import TestClient

TEXT = {"type": "string", "minLength": 1}
DAY = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
URL = {"type": "string", "pattern": "^https?://[^ ]+$"}
MAIL = {"type": "string", "pattern": r"^mailto:[\w~!$&'()*+,;=:.-]+@[\w.-]+\.[\w.-]+$"}
MEDIA = {"type": "string", "pattern": r"^[-\w]+/[-\w]+(\.[-\w]+)*([+][-\w]+)?$"}
LEVELS = {"enum": ["public", "restricted public", "non-public"]}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _list(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of, "minItems": 1}


_FILE_1 = {
    **_object([], downloadURL=URL, accessURL=URL, mediaType=MEDIA, format=TEXT, title=TEXT, conformsTo=URL),
    "dependentRequired": {"downloadURL": ["mediaType"]},
    "anyOf": [{"required": ["downloadURL"]}, {"required": ["accessURL"]}],
}
REQUIRED_1 = _object(
    ["title", "description", "keyword", "modified", "publisher", "contactPoint", "identifier", "accessLevel"],
    title=TEXT, description=TEXT, keyword=_list(TEXT), modified=DAY, issued=DAY, identifier=TEXT, accessLevel=LEVELS,
    publisher=_object(["name"], name=TEXT), contactPoint=_object(["fn", "hasEmail"], fn=TEXT, hasEmail=MAIL),
    rights={"type": "string", "minLength": 1, "maxLength": 255}, license=URL, landingPage=URL, describedBy=URL,
    describedByType=MEDIA, distribution=_list(_FILE_1), spatial=TEXT, language=_list(TEXT), theme=_list(TEXT),
    accrualPeriodicity={"type": "string", "pattern": r"^R/P\d+D$"},
    temporal={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d/\d{4}-\d\d-\d\d$"},
)  # fmt: skip
"""What DCAT-US 1.1 asks of a dataset that is not federal, and the form of every field that the door writes."""

_STANDARD = _list(_object([], title=TEXT))
_FILE_3 = _object(["title"], downloadURL=URL, accessURL=URL, mediaType=MEDIA, format=TEXT, conformsTo=_STANDARD,
                  license=URL)  # fmt: skip
_KIND = _object(["fn", "hasEmail"], fn=TEXT, hasEmail=MAIL)
_ORGANIZATION = _object(["name"], name=TEXT, subOrganizationOf=_list(_object(["name"])))
_CONCEPT = _object(["prefLabel"], prefLabel=TEXT, inScheme=_object(["title"]))
_QUALITY = _object(
    ["isMeasurementOf", "value"], value={"enum": ["true", "false"]},
    isMeasurementOf=_object(["expectedDataType", "inDimension"], expectedDataType=TEXT, inDimension=TEXT),
)  # fmt: skip
_DATASET_3 = _object(
    ["title", "description", "contactPoint", "identifier"],
    title=TEXT, description=TEXT, contactPoint=_list(_KIND), identifier=_object([], notation=TEXT),
    distribution=_list(_FILE_3), keyword=_list(TEXT), theme=_list(_CONCEPT), publisher=_ORGANIZATION,
    landingPage=_object(["title"], accessURL=URL), rights=_list(TEXT), accessRights=LEVELS, modified=DAY, issued=DAY,
    language=_list({"type": "string", "maxLength": 2}), version=TEXT, purpose=TEXT, liabilityStatement=TEXT,
    provenance=_list(TEXT), scopeNote=TEXT, describedBy=_FILE_3, hasQualityMeasurement=_list(_QUALITY),
    spatial=_list(_object([], bbox={"type": "string", "pattern": r"^POLYGON\(\("})),
    temporal=_list(_object([], startDate=DAY, endDate=DAY)),
    accrualPeriodicity={"type": "string", "pattern": "^R/P.+$"},
)  # fmt: skip
_SERVICE = _object(
    ["contactPoint", "endpointURL", "publisher", "title"], endpointURL=_list(URL), publisher=_ORGANIZATION
)
SCHEMA_3 = _object(["dataset"], dataset=_list(_DATASET_3), service={"type": "array", "items": _SERVICE}, title=TEXT,
                   publisher=_ORGANIZATION, language=_list({"type": "string", "maxLength": 2}))  # fmt: skip
"""What DCAT-US 3.0 asks of a catalog, and the form of every field that the door writes."""


def faults(schema: dict[str, Any], told: Any) -> list[str]:
    """What is not as it must be."""
    found = jsonschema.Draft202012Validator(schema).iter_errors(told)
    return [f"{e.json_path}: {e.message[:120]}" for e in found]


@pytest.fixture(scope="module")
def village() -> TestClient:
    return asks(Dcat())


def dataset(of: TestClient, name: str, path: str = "/data.json") -> dict[str, Any]:
    key = "identifier" if path == "/data.json" else "@id"
    return next(d for d in of.get(path).json()["dataset"] if d[key].endswith(f"/{name}"))


def test_every_dataset_has_what_version_1_1_requires(village):
    told = village.get("/data.json").json()

    assert ["dark", "lamps", "parks", "ponds", "visits"] == [d["identifier"].split("/")[-1] for d in told["dataset"]]
    assert [] == [fault for d in told["dataset"] if d["title"] != "Parks" for fault in faults(REQUIRED_1, d)]


def test_a_dataset_without_an_address_to_ask_has_no_made_up_one(village):
    assert ["$: 'contactPoint' is a required property"] == faults(REQUIRED_1, dataset(village, "parks"))


def test_the_catalog_has_what_version_3_0_requires():
    told = replace(catalog(), portal=Portal(contact="data@village.example"))

    assert [] == faults(SCHEMA_3, asks(Dcat(), Village(told)).get("/catalog.jsonld").json())


def test_the_schema_of_the_test_finds_what_is_missing(village):
    told = village.get("/catalog.jsonld").json()
    del next(d for d in told["dataset"] if "contactPoint" in d)["contactPoint"]

    assert any("'contactPoint' is a required property" in f for f in faults(SCHEMA_3, told))


def test_what_is_not_public_is_listed_without_a_file(village):
    one, three = dataset(village, "visits"), dataset(village, "visits", "/catalog.jsonld")

    assert "non-public" == one["accessLevel"] == three["accessRights"]
    assert "distribution" not in one
    assert "distribution" not in three
    assert "Rows are not published, to protect people. Indicators made of them are." == one["rights"]


def test_a_published_dataset_has_its_files_with_media_types(village):
    found = dataset(village, "lamps")["distribution"]

    assert {
        "http://village.example/datasets/lamps.csv": "text/csv",
        "http://village.example/datasets/lamps.geojson": "application/geo+json",
    }.items() <= {d.get("downloadURL"): d.get("mediaType") for d in found}.items()
    assert "http://village.example/ogc/collections/lamps" in [d.get("accessURL") for d in found]


def test_identifiers_do_not_change_with_the_address():
    ours = [d["identifier"] for d in asks(Dcat()).get("/data.json").json()["dataset"]]
    moved = replace(catalog(), portal=Portal(address="https://data.elsewhere.example"))
    theirs = asks(Dcat(), Village(moved)).get("/data.json").json()

    assert ours == [d["identifier"] for d in theirs["dataset"]]
    assert theirs["dataset"][0]["landingPage"].startswith("https://data.elsewhere.example/")


def test_dates_are_those_of_versions_and_of_no_run_that_published_nothing(village):
    lamps, visits = dataset(village, "lamps"), dataset(village, "visits")

    assert ("2026-06-01", "2026-07-01") == (lamps["issued"], lamps["modified"])
    assert (None, "2026-07-01") == (visits.get("issued"), visits["modified"])


def test_an_entry_that_was_never_reviewed_is_in_version_3_only():
    told = catalog(LAMPS_SET, replace(LISTED_SET, reviewed=None))
    client = asks(Dcat(), Village(told))

    assert 1 == len(client.get("/data.json").json()["dataset"])
    assert 2 == len(client.get("/catalog.jsonld").json()["dataset"])


def test_a_promise_becomes_the_longest_time_between_updates(village):
    assert "R/P40D" == dataset(village, "lamps")["accrualPeriodicity"]
    assert "accrualPeriodicity" not in dataset(village, "dark")


def test_a_check_tells_whether_it_is_kept_and_counts_no_rows(village):
    (found,) = dataset(village, "lamps", "/catalog.jsonld")["hasQualityMeasurement"]

    assert "true" == found["value"]
    assert not re.search(r"\d", found["isMeasurementOf"]["definition"])


def test_a_measure_is_answered_for_by_the_steward_of_its_rows_unless_the_portal_has_a_contact():
    ours = asks(Dcat())
    named = asks(Dcat(), Village(replace(catalog(), portal=Portal(contact="data@village.example"))))

    assert "mailto:lights@village.example" == dataset(ours, "dark")["contactPoint"]["hasEmail"]
    assert "mailto:data@village.example" == dataset(named, "dark")["contactPoint"]["hasEmail"]


def test_a_contact_that_is_no_e_mail_address_is_not_written_as_one():
    told = catalog(replace(LAMPS_SET, steward=Steward("Somebody", contact="https://village.example/ask")))

    assert "contactPoint" not in dataset(asks(Dcat(), Village(told)), "lamps")


def test_what_the_city_has_to_declare_is_told():
    told = catalog(replace(LAMPS_SET, steward=None, licence=replace(LAMPS_SET.licence, id="", url="")), VISITS_SET)

    assert [("lamps", "contactPoint"), ("lamps", "license")] == [(x.dataset, x.field) for x in lacking(told)]
    assert all(isinstance(x, Lack) and x.fix for x in lacking(told))


def test_every_word_of_the_document_has_a_meaning_in_its_context(village):
    def words(told: Any) -> set[str]:
        if isinstance(told, list):
            return set().union(*map(words, told)) if told else set()
        if not isinstance(told, dict):
            return set()
        own = {k for k in told if not k.startswith("@")} | {told.get("@type", "Dataset")}
        return own.union(*(words(v) for v in told.values()))

    told = village.get("/catalog.jsonld").json()
    del told["@context"]

    assert set() == words(told) - set(CONTEXT)


def test_a_contract_is_a_file_only_where_rows_are_published(village):
    found = village.get("/datasets/lamps/contract.yaml")

    assert (200, "id: lamps\n") == (found.status_code, found.text)
    assert "describedBy" not in dataset(village, "visits")
    for name in ("visits", "nobody"):
        missing = village.get(f"/datasets/{name}/contract.yaml")
        assert (404, "application/problem+json") == (missing.status_code, missing.headers["content-type"])


def test_a_catalog_that_is_known_is_not_sent_again_and_other_websites_may_read_it(village):
    first = village.get("/data.json")
    again = village.get("/data.json", headers={"If-None-Match": first.headers["etag"]})
    head = village.head("/data.json")

    assert (304, b"") == (again.status_code, again.content)
    assert "*" == first.headers["access-control-allow-origin"] == again.headers["access-control-allow-origin"]
    assert (200, b"", first.headers["etag"]) == (head.status_code, head.content, head.headers["etag"])
    assert 405 == village.post("/data.json").status_code


def test_a_name_with_markup_stays_text():
    told = catalog(replace(DARK_SET, title='</script>"&<b>'))
    found = asks(Dcat(), Village(told)).get("/data.json").json()

    assert '</script>"&<b>' == found["dataset"][0]["title"]


@pytest.mark.slow
def test_the_demonstration_city_is_harvested_whole(client, portal):
    one, three = client.get("/data.json").json(), client.get("/catalog.jsonld").json()
    known = portal.site().catalog.datasets
    lacks = {(x.dataset, x.field) for x in lacking(portal.site().catalog)}

    assert len(known) == len(three["dataset"])
    told = {d["identifier"].split("/")[-1]: faults(REQUIRED_1, d) for d in one["dataset"]}
    assert {} == {n: f for n, f in told.items() if f and (n, "contactPoint") not in lacks}
    assert not any("mailto:" not in str(d.get("contactPoint", "mailto:")) for d in one["dataset"])
