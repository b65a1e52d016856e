"""The glossary: what a word means here, what people say for it, and where it stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.testclient import TestClient
from village import Village, catalog

from metroon.base.catalog import Dataset, Term
from metroon.serve.app import app
from metroon.serve.pages.glossary import entry
from metroon.serve.pages.term import used_in
from metroon.serve.words import Words

LAMP = Term(
    "street_lamp", "street lamp", "A lamp on a pole.", {"en": ("light",), "es": ("farola", "luminaria")},
    "A traffic light.", "Lamp code (invented)",
)  # fmt: skip
TARN = Term("tarn", "tarn", "A small lake.")


@pytest.fixture(scope="module")
def client() -> TestClient:
    village = Village(replace(catalog(), terms=(LAMP, TARN)))
    return TestClient(app(village), base_url="http://village.example")


def test_a_reader_of_another_language_finds_the_word_by_their_own_name_for_it(client):
    page = client.get("/es/glossary").text

    assert "farola</a>" in page
    assert '<span class="small dim" lang="en">street lamp</span>' in page
    assert "luminaria" in page


def test_a_word_that_nobody_translated_is_shown_in_english_and_marked(client):
    assert '<span lang="en">tarn</span>' in client.get("/es/glossary").text


def test_words_stand_in_the_order_of_the_reader_s_language():
    terms = (Term("b", "zebra", "x", {"es": ("alfa",)}), Term("a", "apple", "x", {"es": ("zeta",)}))
    client = TestClient(app(Village(replace(catalog(), terms=terms))), base_url="http://village.example")

    english, spanish = client.get("/glossary").text, client.get("/es/glossary").text

    assert english.index(">apple</a>") < english.index(">zebra</a>")
    assert spanish.index(">alfa</a>") < spanish.index(">zeta</a>")


def test_a_word_is_not_its_own_synonym():
    told = entry(Term("a", "Lamp", "x", {"en": ("lamp", "light")}), Words("en"))

    assert ("light",) == told.others


def test_the_page_of_a_word_has_its_meaning_what_it_is_not_its_source_and_other_words(client):
    page = client.get("/glossary/street_lamp").text

    for said in (
        "A lamp on a pole.",
        "A traffic light.",
        "Lamp code (invented)",
        '<dd lang="es">farola, luminaria</dd>',
    ):
        assert said in page


def test_the_page_of_a_word_links_the_data_that_speak_of_it(client):
    page = client.get("/glossary/street_lamp").text

    assert '<a href="/datasets/lamps">' in page


def test_a_word_that_no_data_speak_of_says_so(client):
    assert "No published data speak of it yet." in client.get("/glossary/tarn").text


def test_an_unknown_word_is_not_there(client):
    assert 404 == client.get("/glossary/none").status_code


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("Street lamps that are out", True), ("STREET LAMP", True), ("Lampreys", False), ("enlightened", False),
     ("every light.", True)],
)  # fmt: skip
def test_a_word_is_found_whole_in_any_number_and_not_inside_another(text, is_found):
    assert is_found == bool(used_in(LAMP, [Dataset("x", "table", text, "")]))


def test_a_word_with_signs_of_its_own_is_looked_for_as_it_is_written():
    assert () == used_in(Term("c", "a.c (x", "y"), [Dataset("x", "table", "abc", "")])


def test_the_data_have_a_column_for_each_language(client):
    head, first = client.get("/glossary.csv").text.splitlines()[:2]

    assert "words_zh_hans" in head
    assert "farola; luminaria" in first


def test_a_city_without_a_glossary_says_so():
    client = TestClient(app(Village()), base_url="http://village.example")

    assert "This city has not published a glossary." in client.get("/glossary").text
