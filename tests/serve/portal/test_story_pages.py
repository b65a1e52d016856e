"""Stories: a text of people, numbers of the release, and no way to slip anything else in."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from starlette.testclient import TestClient
from village import Village, catalog, score

from metroon.base.catalog import Query, Story
from metroon.serve import markdown
from metroon.serve.app import app
from metroon.serve.pages.story import Telling, state_words
from metroon.serve.terminal.rows import estimate_rows
from metroon.serve.words import Words

ROWS = estimate_rows(score().measured)
CITY = next(r for r in ROWS if r["place"] == "all")
HIDDEN = next(r for r in ROWS if r["state"] == "hidden")
EN = Words("en")


def story(text: str, *queries: Query, language: str = "en") -> Story:
    asked = queries or (Query("city", "dark", (CITY,)), Query("middle", "dark", (HIDDEN,)))
    return Story("night", "Is it dark?", "What we saw.", date(2026, 6, 1), "Lights (invented)", language, text, asked)


def shown(told: Story, path: str = "/stories/night") -> str:
    client = TestClient(app(Village(replace(catalog(), stories=(told,)))), base_url="http://village.example")
    answer = client.get(path)
    assert 200 == answer.status_code
    return answer.text


def plain(text: str) -> str:
    return str(markdown.html(text, tell=lambda name: Markup("[{}]").format(name)))


def test_numbers_of_a_story_are_those_of_the_release():
    page = shown(story("In {{ city.period }} {{ city.value }} were out, {{city.low}} to {{ city.high }}."))

    assert re.search(
        r">2025</span> <span[^>]*>50.0%</span> were out, <span[^>]*>40.0%</span> to <span[^>]*>60.0%<", page
    )


def test_a_number_is_asked_again_and_not_remembered():
    first = Telling(story("x"), {"dark": score()}, EN).tell("city.value")
    changed = story("x", Query("city", "dark", ({**CITY, "value": 0.75},)))

    assert "50.0%" in first
    assert "75.0%" in Telling(changed, {"dark": score()}, EN).tell("city.value")


@pytest.mark.parametrize("column", ["value", "low", "high", "events", "base", "unknown", "worst", "best"])
def test_a_hidden_number_says_that_it_is_hidden_in_whatever_field(column):
    told = Telling(story("x"), {"dark": score()}, EN)

    assert '<span class="n-told">hidden to protect people</span>' == told.tell(f"middle.{column}")
    assert [] == told.missing


def test_states_without_a_value_are_told_in_words_of_their_own():
    told = [state_words(s, EN) for s in ("hidden", "no exposure", "late", "not collected", "cannot be answered")]

    assert 5 == len(set(told))


def test_a_name_that_nothing_answers_to_is_said_and_never_blank():
    page = shown(story("There are {{ ciyt.value }} and {{ city.vaule }} lamps."))

    assert "[no number is called “ciyt.value”]" in page
    assert "[no number is called “city.vaule”]" in page
    assert "The text asks for 2 numbers that are not there:" in page


def test_a_query_with_several_lines_is_not_one_number():
    told = Telling(story("x", Query("all", "dark", tuple(ROWS))), {"dark": score()}, EN)

    assert "no number is called" in told.tell("all.value")
    assert ["all.value"] == told.missing


def test_what_all_lines_of_a_query_have_in_common_is_told_and_their_numbers_are_not():
    told = Telling(story("x", Query("all", "dark", tuple(ROWS))), {"dark": score()}, EN)

    assert '<span class="n-told">2025</span>' == told.tell("all.period")
    assert "no number is called" in told.tell("all.place")
    assert "no number is called" in told.tell("all.state")


def test_a_query_of_a_measure_that_is_gone_says_so():
    page = shown(story("Nothing.", Query("old", "gone", ())))

    assert "This city has no measure called gone." in page


def test_every_query_is_shown_with_its_numbers_its_source_and_a_link():
    page = shown(story("Nothing is asked in the text."))

    assert 2 == page.count('<a href="/measures/dark">Lamps that are out</a>')
    assert "Release 2, published Jul 1, 2026." in page
    assert "40.0% to 60.0%" in page


def test_numbers_are_written_as_the_reader_writes_them_and_marked_with_the_reader_s_language():
    told = Telling(story("x"), {"dark": score()}, Words("vi")).tell("city.value")

    assert '<span class="n-told" lang="vi">50,0%</span>' == told


def test_a_story_in_another_language_is_marked():
    page = shown(story("Está oscuro.", language="es"))

    assert '<article class="prose story" lang="es">' in page
    assert "This story was written in Español and is not translated." in page


def test_a_number_in_code_stays_as_it_is_written():
    assert "<code>{{ city.value }}</code>" in plain("`{{ city.value }}` {{ a.b }}")
    assert "[a.b]" in plain("`{{ city.value }}` {{ a.b }}")


def test_a_value_is_never_read_as_markdown():
    told = markdown.html("Before {{ a.b }} after", tell=lambda _: Markup("{}").format("**[x](http://evil.example)**"))

    assert "<p>Before **[x](http://evil.example)** after</p>\n" == told


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        "[x](data:text/html,<script>alert(1)</script>)",
        '<p onclick="alert(1)" style="position:fixed">x</p>',
        '<iframe src="https://evil.example"></iframe><form action="/x"><input name=q></form>',
        '<svg><a xlink:href="javascript:alert(1)">x</a></svg>',
        '<span class="pill good" id="main">On track</span>',
        '<td style="text-align:left;background:url(//evil.example)">x</td>',
        "![picture](https://evil.example/x.png)",
        '<div class="tbl" tabindex="0">x</div>',
    ],
)
def test_a_story_cannot_bring_anything_that_acts_looks_like_the_portal_or_asks_elsewhere(text):
    tags = " ".join(re.findall(r"<[^>]*>", plain(text)))

    acting = re.compile(
        r"<(script|img|iframe|form|input|svg|div)\b| on\w+=|javascript:|data:|url\(|position|\bid=|pill"
    )
    assert acting.search(tags) is None


@given(st.text(alphabet=st.sampled_from("<>\"'&/=# *_`{}[]()!|-\n:abcdivsrpt"), max_size=60))
def test_whatever_is_written_only_allowed_tags_come_out(text):
    page = plain(text)

    tags = {t.lower() for t in re.findall(r"</?([a-zA-Z][\w]*)", page)}
    assert tags <= {*markdown.TAGS, "div"}
    assert page.count("<div ") == page.count("<table>") == page.count("</div>")


@given(st.text(max_size=40))
def test_a_value_is_always_escaped(value):
    page = str(markdown.html("{{ a.b }}", tell=lambda _: Markup("{}").format(value)))

    assert [] == re.findall(r"<(?!/?p>)", page)


def test_links_promise_nothing_and_stay_in_the_language_of_the_reader():
    page = shown(story("[a](/measures/dark) [b](https://other.example)"), "/es/stories/night")

    assert '<a href="/es/measures/dark" rel="nofollow noopener">a</a>' in page
    assert '<a href="https://other.example" rel="nofollow noopener">b</a>' in page


@pytest.mark.parametrize("first", ["#", "##", "###"])
def test_headings_of_a_story_begin_below_the_title_of_the_page(first):
    assert "<h2>A</h2>\n<h3>B</h3>\n" == plain(f"{first} A\n\n{first}# B\n")


def test_tables_scroll_in_a_region_that_the_keyboard_reaches():
    page = plain("| a | b |\n| :-- | --: |\n| 1 | 2 |\n\nAnd\n\n| a |\n| -- |\n| 1 |\n")

    assert '<div class="tbl" tabindex="0" role="region" aria-label="Table 1"><table>' in page
    assert 'aria-label="Table 2"' in page
    assert "text-align:right" in page


def test_the_list_has_every_story_with_its_language_and_an_unknown_story_is_not_there():
    client = TestClient(
        app(Village(replace(catalog(), stories=(story("x", language="es"),)))), base_url="http://village.example"
    )

    assert 'lang="es">Is it dark?</a>' in client.get("/stories").text
    assert 404 == client.get("/stories/none").status_code


def test_a_city_without_stories_says_so():
    client = TestClient(app(Village()), base_url="http://village.example")

    assert "No stories yet." in client.get("/stories").text


def test_the_data_of_a_story_are_its_answers_and_hidden_ones_have_no_number():
    client = TestClient(app(Village(replace(catalog(), stories=(story("x"),)))), base_url="http://village.example")

    rows = client.get("/stories/night.json").json()
    rows = rows["rows"] if isinstance(rows, dict) else rows

    assert ["city", "middle"] == [r["query"] for r in rows]
    assert [None] * 4 == [rows[1].get(k) for k in ("value", "low", "high", "events")]


@pytest.mark.slow
def test_no_story_of_the_invented_city_misses_a_number_or_links_to_nothing(client):
    paths = re.findall(r'href="(/stories/[^"]+)"', client.get("/stories").text)
    pages = {p: client.get(p).text for p in paths}
    linked = {link for page in pages.values() for link in re.findall(r'href="(/[^"#]*)"', page)}

    assert len(set(paths)) >= 3
    assert [] == [p for p, page in pages.items() if "n-missing" in page]
    assert [] == sorted(link for link in linked if client.get(link).status_code != 200)
