"""The words: every sentence in every language, with the same values in it, and numbers as people write them."""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path

import pytest
from markupsafe import Markup

from metroon.serve.words import LANGUAGES, Words

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "docs"))
import translate  # noqa: E402  # a script of the docs

OTHERS = [n for n in LANGUAGES if n != "en"]
_PLACES = re.compile(r"%\(\w+\)[sd]|%%")


def forms(string: str | tuple[str, ...]) -> list[str]:
    return [string] if isinstance(string, str) else list(string)


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_the_portal_is_translated(language):
    assert [] == list(translate.missing(language))


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_holds_the_same_values_as_the_sentence(language):
    wrong = []
    for message in translate.translated(language):
        if not message.id:
            continue
        one, many = (set(_PLACES.findall(forms(message.id)[n])) - {"%%"} for n in (0, -1))
        for n, told in enumerate(forms(message.string)):
            # English may leave the number out where it is one, and so may the first of several forms.
            lawful = (one, many) if n == 0 and len(forms(message.string)) > 1 else (many,)
            wrong += [told] if told and set(_PLACES.findall(told)) - {"%%"} not in lawful else []

    assert [] == wrong


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_is_not_the_english_sentence(language):
    alike = [m.id for m in translate.translated(language) if isinstance(m.id, str) and m.id and m.id == m.string]
    same = [told for told in alike if len(re.findall(r"[a-z]{3,}", _PLACES.sub("", told))) > 3]

    assert [] == same


def test_a_number_is_written_as_each_language_writes_it():
    assert ["24,300", "24.300", "24.300", "24,300"] == [Words(n).number(24300) for n in LANGUAGES]
    assert "0" == Words("en").number(-0.0)


def test_a_day_and_a_period_are_written_as_each_language_writes_them():
    assert ["Jul 15, 2026", "15 jul 2026", "15 thg 7, 2026", "2026年7月15日"] == [
        Words(n).day(date(2026, 7, 15)) for n in LANGUAGES
    ]
    assert "Jul 2025" == Words("en").period("2025-07")
    assert "2025" == Words("es").period("2025")


def test_the_citys_own_words_come_before_metroons(tmp_path):
    own = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Street lights"\nmsgstr "Farolas"\n'
    (tmp_path / "es.po").write_text(own, encoding="utf-8")

    words = Words("es", tmp_path, {"Trees": "Árboles"})

    assert ("Farolas", "Árboles") == (words.plain("Street lights"), words.plain("Trees"))
    assert Markup('<span lang="en">Unknown &lt;b&gt;</span>') == words.of("Unknown <b>")
    assert words.knows("Trees")
    assert not words.knows("Unknown")


def test_a_sentence_that_nobody_translated_is_said_in_english_with_its_values():
    assert "We have 7 trees" == Words("vi").gettext("We have %(n)s trees", n=7)


def test_a_plural_follows_the_number_and_the_language():
    told = [Words("en").ngettext("%(n)s tree", "%(n)s trees", n) for n in (0, 1, 2, 1200)]

    assert ["0 trees", "1 tree", "2 trees", "1,200 trees"] == told
