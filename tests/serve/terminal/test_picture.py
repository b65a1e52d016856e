from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import invented
from rich.console import Console

from metroon.serve import picture, scoreboard

RUN = invented.run()


def test_the_picture_loads_nothing_from_anywhere():
    svg = picture(scoreboard(RUN), "metroon run")

    assert {"http://www.w3.org/2000/svg"} == set(re.findall(r"\w+://[^\"')\s]+", svg))
    assert not re.search(r"@font-face|@import|src\s*[:=]|href", svg)


def test_the_same_run_gives_the_same_picture_whatever_the_terminal(monkeypatch):
    first = picture(scoreboard(RUN), "metroon run")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "40")

    assert first == picture(scoreboard(invented.run()), "metroon run")


def test_the_picture_is_read_aloud_by_its_title_even_with_markup_in_it():
    svg = picture("x", "a <b> & {c} [red]")
    title = ElementTree.fromstring(svg).find("{http://www.w3.org/2000/svg}title")

    assert title is not None
    assert title.text == "a <b> & {c} [red]"


def test_every_word_of_the_page_is_in_the_picture():
    svg = "".join(ElementTree.fromstring(picture(scoreboard(RUN), "t", 100)).itertext()).replace("\xa0", " ")

    assert "INVENTED CITY: every person and number here is made up" in svg
    assert "First-priority fire calls reached within 8" in svg  # a long title goes on in the next line


def test_an_output_that_knows_only_ascii_gets_the_same_words():
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    Console(file=out, width=100).print(scoreboard(RUN))
    out.flush()
    page = raw.getvalue().decode("ascii")

    assert "79.7 % (78.6-80.8) " in page
    assert "x FAILED OR REFUSED: 3" in page
