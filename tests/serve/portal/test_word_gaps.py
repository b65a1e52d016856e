"""The gaps: which of the city's own words a language lacks, and the file that a translator fills in."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po
from starlette.testclient import TestClient
from village import LAMPS_SET, VISITS_SET, Village, catalog

import metroon.demo
from metroon.base.catalog import Catalog, Check, Term
from metroon.base.plan import Action, PlanStatus, Step
from metroon.base.scorecard import Words as Said
from metroon.serve import gaps
from metroon.serve.app import app
from metroon.serve.words import LANGUAGES, UNCONFIRMED, Words

DEMO = Path(metroon.demo.__file__).parent / "city" / "portal" / "translations"
OTHERS = [n for n in LANGUAGES if n != "en"]


def village(folder: Path, told: Catalog | None = None) -> Catalog:
    return replace(told or catalog(), folder=str(folder))


def with_translations(folder: Path, language: str = "es", **translated: str) -> Path:
    head = f'# {UNCONFIRMED}\nmsgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
    file = folder / "translations" / f"{language}.po"
    file.parent.mkdir(parents=True, exist_ok=True)
    pairs = (f'\nmsgid "{k.replace("_", " ")}"\nmsgstr "{v}"\n' for k, v in translated.items())
    file.write_text(head + "".join(pairs), encoding="utf-8")
    return file


def test_what_a_page_shows_of_a_table_a_measure_and_a_place_is_a_text_of_the_city():
    found = gaps.texts(catalog())

    assert {"Little Tarn", "Street lamps", "Every lamp.", "Where is it dark?", "of lamps", "Areas", "Middle"} <= {
        *found
    }
    assert "measure dark, unit" == found["of lamps"]


def test_words_of_the_plan_the_glossary_and_people_are_texts_of_the_city():
    action = Action(
        "a", "s", "Mend the lamps", "A lead", "Lights", *[date(2026, 1, 1)] * 3, moved="It rained.", depends_on=(),
        state="late", reason="It was due on 2026-01-01.", evidence=(),
    )  # fmt: skip
    plan = PlanStatus("A plan", "", *[date(2026, 1, 1)] * 3, (), (Step("s", "Begin", "p", (action,)),))
    village = catalog()
    said = replace(
        village.scores["dark"],
        words=(Said("story", "It is dark.", "A lead", *[date(2026, 1, 1)] * 2, False),),
        breaks=((date(2026, 1, 1), "New lamps count."),),
    )
    told = replace(village, plan=plan, terms=(Term("lamp", "lamp", "It gives light."),), scores={"dark": said})

    found = {*gaps.texts(told)}

    assert {"Mend the lamps", "It rained.", "Begin", "It gives light.", "It is dark.", "New lamps count."} <= found
    assert "It was due on 2026-01-01." not in found, "it is another sentence tomorrow"


def test_notes_with_the_numbers_of_a_release_are_not_for_translators():
    told = catalog()
    of_a_day = ("12 rows have no date and are in no period", "Not released, because the data do not cover it: 2026")
    measured = replace(told.scores["dark"].measured, notes=(*of_a_day, "Counted at dusk."))
    told = replace(told, scores={"dark": replace(told.scores["dark"], measured=measured)})

    assert ["Counted at dusk."] == [t for t, where in gaps.texts(told).items() if where == "measure dark, note"]


def test_a_check_that_the_city_wrote_is_its_text_and_one_that_metroon_wrote_is_not():
    checks = (
        Check("lamp is missing", "lamp", "completeness", "error", True),
        Check("No lamp is lit by day.", "", "accuracy", "error", True),
    )
    found = gaps.texts(catalog(replace(LAMPS_SET, checks=checks)))

    assert ("No lamp is lit by day." in found, "lamp is missing" in found) == (True, False)


def test_a_text_is_missing_until_the_city_or_a_synonym_translates_it(tmp_path):
    told = village(tmp_path)
    with_translations(tmp_path, Street_lamps="Farolas")

    found = {g.text for g in gaps.gaps(told, Words("es", tmp_path / "translations", {"Ponds": "Estanques"}))}

    assert found & {"Street lamps", "Ponds", "Every lamp."} == {"Every lamp."}
    assert () == gaps.gaps(told, Words("en"))


def test_what_is_missing_is_added_empty_with_where_it_stands_and_what_is_translated_stays(tmp_path):
    told = village(tmp_path)
    file = with_translations(tmp_path, Street_lamps="Farolas", A_word_that_went="Una palabra que se fue")

    saved, added = gaps.save(told, "es")

    text = saved.read_text(encoding="utf-8")
    assert saved == file
    assert added == len(gaps.gaps(told, gaps.spoken(told)["es"]))
    assert re.search(r'msgid "Street lamps"\nmsgstr "Farolas"', text)
    assert re.search(r'#\. measure dark, unit\nmsgid "of lamps"\nmsgstr ""', text)
    assert "Una palabra que se fue" in text
    assert UNCONFIRMED in text


def test_adding_twice_adds_nothing(tmp_path):
    told = village(tmp_path)
    first, _ = gaps.save(told, "es")
    before = first.read_bytes()

    assert 0 == gaps.save(told, "es")[1]
    assert before == first.read_bytes()


def test_a_file_that_is_filled_in_leaves_nothing_missing(tmp_path):
    told = village(tmp_path)
    file, _ = gaps.save(told, "es")
    with file.open("rb") as opened:
        filled = read_po(opened, locale="es")
    for message in filled:
        if message.id:
            message.string = f"¡{message.id}!"
    with file.open("wb") as out:
        write_po(out, filled)

    words = gaps.spoken(told)["es"]

    assert () == gaps.gaps(told, words)
    total = len(gaps.texts(told))
    assert {"es": (total, total)} == gaps.counted(told, gaps.spoken(told))
    assert "¡Where is it dark?!" == words.plain("Where is it dark?")


def test_a_language_is_confirmed_when_the_line_is_gone_from_the_head_of_its_file(tmp_path):
    file = with_translations(tmp_path, Lamp="Farola")
    own = file.parent
    metroon = Words("es").is_confirmed

    assert not Words("es", own).is_confirmed
    file.write_text(file.read_text(encoding="utf-8").replace(f"# {UNCONFIRMED}\n", ""), encoding="utf-8")
    assert metroon == Words("es", own).is_confirmed
    assert Words("en").is_confirmed


def test_a_page_in_an_unconfirmed_language_says_so_and_links_to_the_english_one():
    client = TestClient(app(Village()), base_url="http://village.example")
    spanish, english = client.get("/es/datasets?place=all").text, client.get("/datasets").text

    told = re.search(r'<aside class="unconfirmed".*?</aside>', spanish, re.DOTALL)
    assert told is not None
    assert 'href="/datasets?place=all" hreflang="en"' in told[0]
    assert "unconfirmed" not in english


@pytest.mark.parametrize("language", OTHERS)
def test_the_invented_city_has_a_file_in_every_language_and_says_that_nobody_confirmed_it(language):
    assert not Words(language, DEMO).is_confirmed
    assert UNCONFIRMED in (DEMO / f"{language}.po").read_text(encoding="utf-8").split("msgid", 1)[0]


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_of_the_invented_city_keeps_its_numbers(language):
    with (DEMO / f"{language}.po").open("rb") as opened:
        messages = [m for m in read_po(opened, locale=language.replace("-", "_")) if m.id]
    wrong = [m.id for m in messages if sorted(_digits(m.id)) != sorted(_digits(m.string))]

    assert [] == [t for t in wrong if t not in _SAID_OTHERWISE]


_SAID_OTHERWISE = {
    "Priority 1", "Priority 2", "Priority 3", "Priority 1 calls whose arrival is recorded",
    "Priority 1 calls reached within 8 minutes", "Minutes within which nine of ten Priority 1 calls are reached",
}  # fmt: skip
"""Where a language has a word for the number, such as 一级."""


def _digits(text: str) -> list[str]:
    months = {"January": 1, "February": 2, "April": 4, "May": 5, "June": 6, "July": 7, "September": 9, "December": 12}
    told = re.sub(r"(?<=\d)[.,](?=\d{3}(?!\d))", "", text).replace("10万", "100000").replace("1万", "10000")
    told = re.sub(r"(?<=\d),(?=\d)", ".", told)
    named = {str(n) for n in months.values()}
    return [d for d in re.findall(r"\d+(?:\.\d+)?", told) if d not in named]


@pytest.mark.slow
@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_the_invented_city_is_translated(portal, language):
    told = portal.site().catalog

    assert [] == [g.text for g in gaps.gaps(told, portal.site().words[language])]


def test_every_text_of_a_dataset_that_is_not_public_is_translated_too():
    assert "Who came and why." in gaps.texts(catalog(VISITS_SET))
