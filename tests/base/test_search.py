"""Search finds things by plain words in any language, and nothing that a person types reaches its query language."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.search import Entry, Index, folded

LIGHTS = Entry(
    "table",
    "/datasets/street_lights",
    ("Street lights", "Luces de la calle", "Đèn đường", "路灯"),
    ("lamp post",),
    ("watts",),
    ("Every street light as last inspected.",),
)
TREES = Entry("table", "/datasets/trees", ("Trees", "Árboles"), (), ("species",), ("Trees beside every street.",))
PERMITS = Entry("table", "/datasets/permits", ("Building permits",), (), ("applied_on",), ("Houses and shops.",))
INDEX = Index([LIGHTS, TREES, PERMITS])


def found(*asked: str) -> list[str]:
    return [h.entry.path.rpartition("/")[2] for h in INDEX.find([{a: 1.0} for a in asked])]


@pytest.mark.parametrize("asked", ["arboles", "ÁRBOLES", "Árboles", unicodedata.normalize("NFD", "árboles")])
def test_accents_and_case_make_no_difference(asked: str) -> None:
    assert ["trees"] == found(asked)


@pytest.mark.parametrize("asked", ["tree", "trees", "permit", "permits", "build", "buildings"])
def test_a_word_finds_its_other_forms(asked: str) -> None:
    assert 1 == len(found(asked))


def test_vietnamese_is_found_without_its_accents() -> None:
    assert ["street_lights"] == found("den duong") == found("Đèn đường")


@pytest.mark.parametrize("asked", ["路灯", "路灯坏了", "灯"])
def test_chinese_is_found_though_it_puts_no_spaces_between_words(asked: str) -> None:
    assert ["street_lights"] == [h.entry.path.rpartition("/")[2] for h in INDEX.find([{w: 1.0} for w in folded(asked)])]


def test_the_beginning_of_a_word_finds_it() -> None:
    assert ["permits"] == found("perm")


def test_a_word_in_the_title_counts_more_than_one_in_the_text() -> None:
    assert ["street_lights", "trees"] == found("street")


def test_what_holds_more_of_the_words_comes_first() -> None:
    assert "trees" == found("street", "tree")[0]


def test_it_says_where_the_words_were_found() -> None:
    assert ("titles", "text") == INDEX.find([{"street": 1.0}])[0].fields
    assert ("columns",) == INDEX.find([{"species": 1.0}])[0].fields


def test_a_phrase_does_not_run_from_one_text_into_the_next() -> None:
    assert [] == found("calle den")


def test_any_of_the_ways_to_say_a_thing_finds_it() -> None:
    assert ["permits"] == [
        h.entry.path.rpartition("/")[2] for h in INDEX.find([{"permiso": 1.0, "building permit": 1.0}])
    ]


def test_a_misspelt_word_brings_the_nearest_one() -> None:
    assert [] == found("premits")
    assert ("permits",) == INDEX.near("premits")


@pytest.mark.parametrize(
    "asked",
    [
        '"',
        "' OR 1=1 --",
        "street OR",
        "NEAR(street lights)",
        "titles:street",
        "street*",
        "^street",
        "{titles} : x",
        "-",
    ],
)
def test_the_query_language_of_the_index_is_out_of_reach(asked: str) -> None:
    assert set(found(asked)) <= {"street_lights", "trees"}


@given(st.lists(st.text(max_size=30), max_size=20))
def test_nothing_that_is_typed_breaks_the_search(asked: list[str]) -> None:
    for hit in INDEX.find([{a: 1.0} for a in asked]):
        assert 0 < hit.share <= 1 + 1e-9
        assert hit.fields


# Above it are a few letters (New Tai Lue vowels) that SQLite's own table takes for marks.
@given(st.text(st.characters(max_codepoint=0x18FF), max_size=80))
def test_what_an_entry_is_called_finds_it(title: str) -> None:
    entry = Entry("table", "/x", (title,))
    said = [{w: 1.0} for w in folded(title)][:12]
    assert bool(said) == bool(Index([entry]).find(said))


@given(st.text(max_size=80))
def test_folding_forgets_case(text: str) -> None:
    assert folded(text.casefold()) == folded(text)


def test_an_empty_index_answers_too() -> None:
    assert () == Index([]).find([{"street": 1.0}])
    assert () == Index([]).near("street")
