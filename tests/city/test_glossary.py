"""glossary.yaml, and the names that contracts have in other languages."""

import pytest

from metroon.base.errors import Refused
from metroon.city import load
from metroon.city.glossary import names_in
from tiny import CITY, CONTRACT, swapped, tiny_city

GLOSSARY = """\
terms:
  - id: pothole
    term: pothole
    meaning: A hole in a street.
    synonyms: {en: [chuckhole], es: [bache, hoyo], zh-Hans: [坑洼]}
    not_to_confuse: A crack.
  - {id: crash, term: Crash, meaning: A collision.}
"""
SPOKEN = swapped(CITY, "data: inbox\n", "data: inbox\nlanguages: [en, es, zh-Hans]\n")


def read(tmp_path, glossary=GLOSSARY):
    return load(tiny_city(tmp_path, city=SPOKEN, **{"glossary.yaml": glossary})).terms


def test_words_stand_in_the_order_of_the_alphabet_with_what_people_say(tmp_path):
    crash, pothole = read(tmp_path)

    assert ("crash", {}) == (crash.id, dict(crash.synonyms))
    assert {"en": ("chuckhole",), "es": ("bache", "hoyo"), "zh-Hans": ("坑洼",)} == dict(pothole.synonyms)


@pytest.mark.parametrize(
    ("before", "after", "line", "code"),
    [
        ("es: [bache", "fr: [bache", 5, "R101"),
        ("id: crash", "id: pothole", 7, "R102"),
        ("term: Crash", "term: Pothole", 7, "R102"),
        ("meaning: A collision.", "means: A collision.", 7, "Y103"),
    ],
)
def test_a_fault_of_a_word_is_told_at_its_line(before, after, line, code, tmp_path):
    with pytest.raises(Refused) as refused:
        read(tmp_path, swapped(GLOSSARY, before, after))

    assert (line, code) in [(p.line, p.code) for p in refused.value.problems]


def test_titles_are_told_in_the_languages_of_the_city(tmp_path):
    synonyms = "synonyms: [{ synonym: Choques, locale: es }, { synonym: Unfälle, locale: de }, { synonym: Wrecks }]"
    said = swapped(CONTRACT, "  - name: crashes\n", f"  - name: crashes\n    businessName: Crashes\n    {synonyms}\n")
    city = load(tiny_city(tmp_path, city=SPOKEN, contract=said))
    contracts = {n: p.contract.node.value for n, p in city.products.items()}

    assert {"es": {"Crashes": "Choques"}} == names_in(contracts, city.file.languages)


def test_the_first_contract_decides_what_a_title_is_called():
    def contract(word):
        return {"schema": [{"properties": [{"businessName": "Age", "synonyms": [{"synonym": word, "locale": "es"}]}]}]}

    assert {"es": {"Age": "Edad"}} == names_in({"b": contract("Años"), "a": contract("Edad")}, ["en", "es"])
