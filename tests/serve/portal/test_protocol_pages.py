"""The pages of data use protocols: what the city says, whom to write to, and comments with their replies."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from starlette.testclient import TestClient
from village import VISITS_SET, Village, catalog

from metroon.base.node import Node
from metroon.base.protocol import Comment, Covered, Protocol, Waiver
from metroon.serve.app import app

VISITS = Protocol(
    id="visits", title="Visits to the doctor <b>", purpose="To know how many came.",
    data=(Covered("visits", date(2026, 6, 1)),), notice="A sign at the door.", retention="Two years.",
    sharing="With nobody.", accuracy="Ask at the desk.", security="In a drawer.", equity="Some have no doctor.",
    owner="Invented doctor", contact="doctor@village.example", opens=date(2026, 6, 1), closes=date(2026, 6, 30),
    comments=(
        Comment(date(2026, 6, 3), "Who <i>reads</i> it?", "Two people.", date(2026, 6, 5)),
        Comment(date(2026, 6, 4), "Why at all?"),
    ),
    waiver=None, node=Node({}, "protocols/visits.yaml"),
)  # fmt: skip


def client(*protocols: Protocol) -> TestClient:
    return TestClient(app(Village(replace(catalog(), protocols=protocols))), base_url="http://village.example")


@pytest.fixture(scope="module")
def visits() -> TestClient:
    return client(VISITS)


def test_the_page_says_each_element_whom_to_write_to_and_what_is_collected(visits):
    page = visits.get("/protocols/visits").text

    for said in (
        "To know how many came.", "A sign at the door.", "Two years.", "With nobody.", "Ask at the desk.",
        "In a drawer.", "Some have no doctor.", "Invented doctor", "mailto:doctor@village.example",
        '<a href="/datasets/visits">',
    ):  # fmt: skip
        assert said in page


def test_each_comment_stands_with_its_reply_or_says_that_there_is_none(visits):
    page = visits.get("/protocols/visits").text

    assert page.index("Who &lt;i&gt;reads") < page.index("Two people.") < page.index("Why at all?")
    assert 1 == page.count("The city has not replied yet.")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (replace(VISITS, opens=date(2026, 7, 2), closes=date(2026, 7, 31)), "Announced"),
        (replace(VISITS, closes=date(2026, 7, 1)), "Open for comments"),
        (VISITS, "Waits for replies"),
        (replace(VISITS, comments=VISITS.comments[:1]), "In use"),
    ],
)
def test_the_pages_say_how_far_the_protocol_is_on_the_day_of_the_catalog(made, said):
    told = client(made)

    assert all(said in told.get(path).text for path in ("/protocols", "/protocols/visits", "/datasets/visits"))


def test_a_waiver_names_who_decided_it_and_why(visits):
    waived = Waiver("Privacy officer", date(2026, 5, 1), "These records were public before.")

    page = client(replace(VISITS, opens=None, closes=None, comments=(), waiver=waived)).get("/protocols/visits").text

    assert "Decided by Privacy officer on May 1, 2026. These records were public before." in page
    assert "There was no window for comments." in page


def test_the_same_path_with_an_ending_gives_what_is_said_as_data(visits):
    told = visits.get("/protocols/visits.json").json()
    comment = next(r for r in told if r["part"] == "comment")

    assert ("Who <i>reads</i> it?", "2026-06-03", "Two people.", "2026-06-05") == (
        comment["text"], comment["on"], comment["reply"], comment["replied"])  # fmt: skip
    assert 200 == visits.get("/protocols.csv").status_code


def test_the_register_names_the_protocol_of_a_dataset_or_says_that_there_is_none(visits):
    assert '<a href="/protocols/visits">' in visits.get("/privacy").text
    assert "None: nothing of it is published" in client().get("/privacy").text


def test_the_register_calls_a_table_of_counts_no_rows_of_people():
    told = replace(VISITS_SET, has_rows=True, has_totals=True)
    asked = TestClient(app(Village(catalog(told))), base_url="http://village.example")
    page = asked.get("/privacy").text

    assert "Its rows are not published. A table of counts is, with its totals." in page
    assert "Rows are published" not in page
    assert asked.get("/privacy.csv").text.strip().endswith("false")


def test_a_city_without_protocols_says_what_that_means():
    assert "So nothing that people stand behind is published." in client().get("/protocols").text


def test_the_page_is_spoken_in_every_language_of_the_portal(visits):
    assert "Protocolo de uso de datos" in visits.get("/es/protocols/visits").text
    assert 404 == visits.get("/protocols/unknown").status_code
