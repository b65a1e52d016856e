"""The application around pages: addresses, languages, what browsers keep, refusals, headers, the log."""

from __future__ import annotations

import io
import json
import logging
import logging.config
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from small import SmallPortal, small_portal
from starlette.testclient import TestClient

from metroon.base.engine import CannotRun
from metroon.permit import Gate, NotThere
from metroon.serve import app as apps
from metroon.serve.app import app
from metroon.serve.headers import POLICY
from metroon.serve.log import Lines, configuration
from metroon.serve.site import NotReady, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metroon.base.catalog import Rows
    from metroon.serve.page import Asked


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallPortal:
    made = small_portal(tmp_path_factory.mktemp("small"))
    catalog = replace(made.site().catalog, languages=("en", "es"))
    gate = made.site().gate
    return SmallPortal(Site(Gate(catalog, gate.opener)))


@pytest.fixture
def asking(small: SmallPortal) -> TestClient:
    return TestClient(app(small), base_url="http://127.0.0.1:8000", follow_redirects=False)


def changed(small: SmallPortal, **what: object) -> SmallPortal:
    site = small.site()
    return SmallPortal(Site(Gate(replace(site.catalog, **what), site.gate.opener)))  # type: ignore[arg-type]


def test_a_language_stands_in_front_of_the_path(asking: TestClient) -> None:
    assert ['lang="en"', 'lang="es"'] == [
        next(w for w in ('lang="en"', 'lang="es"') if f"<html {w}" in asking.get(p).text)
        for p in ("/datasets", "/es/datasets")
    ]


@pytest.mark.parametrize(
    "path", ["/fr", "/fr/datasets", "/vi/datasets", "/nothing", "/datasets/nothing", "/es/nothing"]
)
def test_what_is_not_there_is_a_page_that_says_so(asking: TestClient, path: str) -> None:
    answer = asking.get(path)

    assert (404, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert ("es" if path.startswith("/es/") else "en") in answer.text.partition("<html lang=")[2][:5]


def test_what_programs_ask_for_in_vain_is_a_problem_document(asking: TestClient) -> None:
    answers = [asking.get("/datasets/nothing.csv"), asking.get("/api/v1/nothing")]

    assert [(404, "application/problem+json")] * 2 == [(a.status_code, a.headers["content-type"]) for a in answers]


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/datasets/", "/datasets"),
        ("/es/", "/es"),
        ("/es/datasets/?q=a", "/es/datasets?q=a"),
        ("/en", "/"),
        ("/en/datasets", "/datasets"),
    ],
)
def test_one_page_has_one_address(asking: TestClient, path: str, leads_to: str) -> None:
    answer = asking.get(path)

    assert (308, leads_to) == (answer.status_code, answer.headers["location"])


def test_no_address_leads_to_another_host(small: SmallPortal) -> None:
    asking = TestClient(app(small), base_url="http://127.0.0.1:8000", follow_redirects=False)
    for path in ("//evil.example/", "//evil.example", "/es//evil.example/", "/en//evil.example"):
        answer = asking.get(f"http://127.0.0.1:8000{path}")

        assert not answer.headers.get("location", "/x").startswith("//")


def test_a_page_that_did_not_change_is_not_sent_again(asking: TestClient) -> None:
    first = asking.get("/datasets")
    again = asking.get("/datasets", headers={"If-None-Match": first.headers["etag"]})

    assert (304, b"") == (again.status_code, again.content)


def test_every_language_query_and_catalog_has_a_tag_of_its_own(small: SmallPortal, asking: TestClient) -> None:
    other = TestClient(app(changed(small, identity="other")), base_url="http://127.0.0.1:8000")
    tags = [
        asking.get(p).headers["etag"] for p in ("/datasets", "/es/datasets", "/datasets?q=tree", "/datasets?q=park")
    ]

    assert 5 == len({*tags, other.get("/datasets").headers["etag"]})


def test_a_page_may_be_kept_only_if_it_is_asked_for_again(asking: TestClient) -> None:
    headers = asking.get("/datasets").headers

    assert "public, max-age=0, must-revalidate" == headers["cache-control"]
    assert headers["last-modified"].endswith("GMT")


@pytest.mark.parametrize("path", ["/datasets", "/nothing", "/health", "/api/v1/datasets", "/datasets/trees.csv"])
def test_every_answer_tells_browsers_what_they_may_do(asking: TestClient, path: str) -> None:
    headers = asking.get(path).headers

    assert POLICY == headers["content-security-policy"]
    assert "nosniff" == headers["x-content-type-options"]
    assert {"referrer-policy", "permissions-policy", "cross-origin-opener-policy"} <= set(headers)
    assert not {"server", "strict-transport-security"} & set(headers)


def test_only_behind_https_browsers_are_told_to_keep_to_it(small: SmallPortal) -> None:
    asking = TestClient(app(small, is_https=True))

    assert "max-age=31536000" == asking.get("/health").headers["strict-transport-security"]


def test_the_head_of_a_page_says_what_the_page_would(asking: TestClient) -> None:
    whole, head = asking.get("/datasets"), asking.head("/datasets")

    assert (200, b"", whole.headers["etag"]) == (head.status_code, head.content, head.headers["etag"])


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "xlsx"])
def test_a_path_with_an_ending_is_the_data_of_its_page(asking: TestClient, ending: str) -> None:
    answer = asking.get(f"/datasets/trees.{ending}")

    assert 200 == answer.status_code
    assert f"trees-v2.{ending}" in answer.headers["content-disposition"]
    assert 304 == asking.get(answer.request.url, headers={"If-None-Match": answer.headers["etag"]}).status_code


def test_texts_are_packed_and_files_that_are_packed_are_not(asking: TestClient) -> None:
    packed = {
        p: asking.get(p).headers.get("content-encoding")
        for p in ("/datasets", "/datasets/trees.csv", "/datasets/trees.parquet")
    }

    assert ["gzip", "gzip", None] == list(packed.values())


def test_an_old_address_leads_to_the_new_one(small: SmallPortal, tmp_path: Path) -> None:
    (tmp_path / "redirects.txt").write_text("# old portal\n/dataset/1234 /datasets/trees\n/x //evil.example\n")
    asking = TestClient(app(changed(small, folder=str(tmp_path))), follow_redirects=False)
    answer = asking.get("/dataset/1234")

    assert (301, "/datasets/trees") == (answer.status_code, answer.headers["location"])
    assert 404 == asking.get("/x").status_code


def test_the_first_catalog_is_waited_for() -> None:
    class Empty:
        def site(self) -> Site:
            raise NotReady

    asking = TestClient(app(Empty()))
    answers = [asking.get(p) for p in ("/", "/datasets", "/health", "/health/ready")]

    assert [503] * 4 == [a.status_code for a in answers]
    assert "2" == answers[0].headers["retry-after"]
    assert 200 == asking.get("/health/live").status_code


def test_health_tells_what_is_served_and_how_old_it_is(small: SmallPortal, asking: TestClient) -> None:
    told = asking.get("/health").json()

    assert ("ready", small.site().catalog.identity) == (told["status"], told["catalog"])
    assert isinstance(told["age_s"], int)


def test_a_page_without_a_question_is_made_once_and_a_question_is_not_kept(
    small: SmallPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, made = TestClient(app(changed(small, identity="once"))), []
    page = next(p for p in apps.PAGES if p.path == "/datasets")
    view = type(page).view
    monkeypatch.setattr(type(page), "view", lambda self, asked: made.append(asked.path) or view(self, asked))
    for path in ("/datasets", "/datasets", "/es/datasets", "/datasets?q=Jane", "/datasets?q=Jane"):
        asking.get(path)

    assert 4 == len(made)


class Page(apps.Page):
    path = "/broken"
    template = "trouble.html"

    def view(self, asked: Asked) -> object:
        raise {"value": ValueError("Jane Q. Canary"), "engine": CannotRun("Jane Q. Canary"), "none": NotThere("x")}[
            asked.query["how"]
        ]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the log of a server holds."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Lines())
    logger = logging.getLogger("metroon")
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield out
    logger.removeHandler(handler)
    logger.setLevel(before)


@pytest.mark.parametrize(("how", "status"), [("value", 500), ("engine", 503), ("none", 404)])
def test_a_fault_is_a_page_and_a_line_without_a_value(
    small: SmallPortal, written: io.StringIO, monkeypatch: pytest.MonkeyPatch, how: str, status: int
) -> None:
    monkeypatch.setattr(apps, "PAGES", (*apps.PAGES, Page()))
    asking = TestClient(app(small), raise_server_exceptions=False)
    answer = asking.get(f"/es/broken?how={how}")

    assert (status, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert "Canary" not in answer.text + written.getvalue()


def test_the_log_has_one_line_a_request_and_nothing_of_who_asked(asking: TestClient, written: io.StringIO) -> None:
    answer = asking.get("/es/datasets/trees?filter=Jane+Canary", headers={"User-Agent": "canary-agent"})
    asking.get("/nothing/Jane-Canary?q=Jane")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]

    assert ["/datasets/{name}", "none"] == [line["route"] for line in lines]
    assert (200, "es", answer.headers["x-request-id"]) == (lines[0]["status"], lines[0]["language"], lines[0]["id"])
    assert {"time", "level", "event", "id", "method", "route", "language", "status", "ms", "bytes"} == set(lines[0])
    assert not [w for w in ("Jane", "Canary", "canary", "testclient", "trees") if w in written.getvalue()]


def test_an_error_is_written_down_without_its_message(written: io.StringIO) -> None:
    try:
        raise ValueError("Jane Q. Canary")
    except ValueError:
        logging.getLogger("metroon.errors").exception("failed")
    line = json.loads(written.getvalue())

    assert ("ValueError", "failed") == (line["error"], line["event"])
    assert "Canary" not in written.getvalue()


def test_what_the_operator_calls_the_portal_is_what_it_calls_itself(small: SmallPortal) -> None:
    asking = TestClient(app(small, address="https://data.example.gov"), base_url="http://evil.example")

    assert "https://data.example.gov/datasets/trees" in asking.get("/datasets/trees.csv").headers["link"]


def test_rows_that_are_not_there_are_the_same_as_a_dataset_that_is_not(small: SmallPortal) -> None:
    def none(name: str, number: int | None) -> Rows | None:
        return None

    asking = TestClient(app(SmallPortal(Site(Gate(small.site().catalog, none)))))
    answers = [asking.get(p) for p in ("/datasets/trees.csv", "/datasets/nothing.csv")]

    assert answers[0].json() == answers[1].json()


def test_the_server_under_it_writes_no_line_of_its_own_for_a_request() -> None:
    before = {n: (logging.getLogger(n).handlers[:], logging.getLogger(n).level) for n in ("metroon", "uvicorn")}
    logging.config.dictConfig(configuration())
    access = logging.getLogger("uvicorn.access")

    assert (False, False) == (access.hasHandlers(), access.isEnabledFor(logging.INFO))
    for name, (handlers, level) in before.items():
        logging.getLogger(name).handlers[:] = handlers
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).propagate = True
