"""A real browser on every kind of page: axe, keyboard, reflow, no JavaScript, no other host, print, forced colours."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import browsing
import pytest
from small import serving

from metroon.serve.app import PAGES, app
from metroon.serve.site import Site
from metroon.serve.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

pytest.importorskip("playwright.sync_api", reason="the browser's driver is not installed: make test-slow")
pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed: make test-slow")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browsing.CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium"),
]
PHONE, TABLET, DESK = 320, 768, 1280
SETTINGS = {
    "en": ((PHONE, "light"), (PHONE, "dark"), (DESK, "light"), (DESK, "dark")),
    "es": ((PHONE, "light"), (DESK, "dark")),
    "vi": ((TABLET, "dark"),),
    "zh-Hans": ((DESK, "light"),),
}
"""Where axe looks in each language: everywhere in English, as only words differ in the others."""
KINDS = {p.path: p for p in PAGES}
ROUTES = [*KINDS, *browsing.EXTRA]
ALL_OF = ("/datasets/{name}", "/measures/{measure}", "/goals/{goal}", "/stories/{id}")
FULLEST: dict[str, str] = {}


class Longer(Words):
    """Words that make every message longer by two fifths, as other languages would."""

    def _found(self, message: str) -> str:
        return longer(message) if len(message) > 1 else ""

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        return longer(one if n == 1 else many) % {"n": self.number(n), **values}


def longer(message: str) -> str:
    """A message with two fifths more letters, in words of usual length."""
    more = "ẽñçöűł ñåŧïøn " * len(message)
    return f"{message} {more[: -(-len(message) * 2 // 5)].strip()}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing.browsing() as started:
        yield started


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(reduced_motion="reduce", viewport={"width": DESK, "height": 900})
    yield made
    made.close()


@pytest.fixture
def asked(context: BrowserContext) -> list[str]:
    """Every address that the pages of a context ask for."""
    found: list[str] = []
    context.on("request", lambda request: found.append(request.url))
    return found


@pytest.fixture
def path_of(portal, client):
    """One path of a kind of page: the one with most on it."""

    def found(route: str) -> str:
        if route not in KINDS:
            return route
        if route not in FULLEST:
            paths = [*KINDS[route].paths(portal.site().catalog)]
            FULLEST[route] = max(paths, key=lambda p: len(client.get(p).text)) if len(paths) > 1 else paths[0]
        return FULLEST[route]

    return found


def status_of(path: str) -> int:
    return 404 if path == "/nothing/here" else 200


@pytest.mark.parametrize("language", SETTINGS)
@pytest.mark.parametrize("route", ROUTES)
def test_axe_finds_no_fault_and_nothing_scrolls_sideways(context, asked, server, portal, path_of, route, language):
    path = path_of(route)
    page = browsing.open_page(context, server + portal.site().link(path, language), status_of(path))
    found = browsing.outline(page) + [f"nameless: {n}" for n in browsing.nameless(page)]
    for width in (PHONE, 390, TABLET, DESK):
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{width}: {f}" for f in browsing.too_wide(page) + browsing.cut(page)]
        for theme in (t for w, t in SETTINGS[language] if w == width):
            page.emulate_media(color_scheme=theme)
            found += [f"{width} {theme} {f}" for f in browsing.faults(page)]

    assert [] == found
    assert {"127.0.0.1"} == {urlsplit(a).hostname for a in asked}
    assert language == page.evaluate("document.documentElement.lang")


@pytest.mark.parametrize("route", ALL_OF)
def test_every_page_of_a_kind_holds_on_a_phone_and_on_a_desk(context, server, portal, route):
    paths = [*KINDS[route].paths(portal.site().catalog)]
    found = []
    for path in paths:
        page = browsing.open_page(context, server + path)
        told = browsing.outline(page) + browsing.nameless(page)
        for width in (PHONE, 390, DESK):
            page.set_viewport_size({"width": width, "height": 900})
            told += [f"{width}: {t}" for t in browsing.too_wide(page) + browsing.cut(page)]
        found += [f"{path} {t}" for t in told]
        page.close()

    assert [] == found
    assert len(paths) > 1


@pytest.mark.parametrize("route", ROUTES)
def test_sentences_may_be_two_fifths_longer(context, portal, path_of, longer_server, route):
    path = path_of(route)
    page = browsing.open_page(context, longer_server + path, status_of(path))
    page.set_viewport_size({"width": 390, "height": 900})

    assert "ñåŧïøn" in page.inner_text("main")
    assert [] == browsing.too_wide(page) + browsing.cut(page)


@pytest.fixture(scope="module")
def longer_server(portal) -> Iterator[str]:
    class Kept:
        def site(self) -> Site:
            return made

    made = Site(portal.site().gate)
    made.words["en"] = Longer("en")
    with serving(app(Kept())) as address:
        yield address


def test_every_figure_has_a_sentence_and_a_table_with_the_same_numbers(context, server, path_of):
    routes = ("/neighborhoods/{place}", "/measures/{measure}", "/datasets/{name}", "/datasets/street_lights")
    found = {r: browsing.figures(browsing.open_page(context, server + path_of(r))) for r in routes}
    seen = [f for figures in found.values() for f in figures]

    assert [] == [f["title"] for f in seen if not all(f["names"])]
    assert [] == [f["title"] for f in seen if not f["tables"]]
    assert [] == [(f["title"], browsing.untold(f)) for f in seen if browsing.untold(f)]
    assert 40 < sum(len(f["names"]) for f in seen)


@pytest.mark.parametrize("route", KINDS)
def test_every_stop_of_the_keyboard_can_be_seen_and_the_first_skips_to_the_content(context, server, path_of, route):
    page = browsing.open_page(context, server + path_of(route))
    found = browsing.stops(page, 150)

    assert found[0]["href"] == "#main"
    assert [] == [s for s in found if not s["outline"]]
    assert [] == [s for s in found if not s["box"]]
    assert [] == [s for s in found if s["covered"]]


def test_the_keyboard_leaves_a_page_at_its_end(context, server):
    page = browsing.open_page(context, server + "/about")
    stops = page.locator("a[href], button, summary, [tabindex='0']")
    reachable = [e for e in stops.all() if e.is_visible() or "skip" in (e.get_attribute("class") or "")]

    assert len(reachable) == len(browsing.stops(page, 200))


@pytest.mark.parametrize("route", KINDS)
def test_a_page_without_javascript_says_the_same(browser, server, path_of, route):
    texts = []
    for is_on in (True, False):
        context = browser.new_context(java_script_enabled=is_on)
        page = context.new_page()
        page.goto(server + path_of(route), wait_until="load")
        texts.append(page.inner_text("main"))
        context.close()

    assert texts[0] == texts[1]
    assert len(texts[0]) > 50


def test_a_search_needs_no_javascript(browser, server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server + "/")
    page.fill("main input[type=search]", "street lights")
    page.click("main form button")

    assert "/search?q=street" in page.url
    assert "Street lights" in page.inner_text("main")
    context.close()


@pytest.mark.parametrize("route", KINDS)
def test_text_may_be_twice_as_large_and_widely_spaced(context, server, path_of, route):
    page = browsing.open_page(context, server + path_of(route))
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    found = browsing.too_wide(page)
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size({"width": PHONE, "height": 900})
    # WCAG 2.2, success criterion 1.4.12.
    page.add_style_tag(content="* { line-height: 1.5 !important; letter-spacing: .12em !important; "
                       "word-spacing: .16em !important } p { margin-bottom: 2em !important }")  # fmt: skip
    found += browsing.too_wide(page)

    assert [] == found


def test_forced_colours_keep_marks_and_maps(browser, server, path_of):
    context = browser.new_context(forced_colors="active", reduced_motion="reduce")
    page = browsing.open_page(context, server + path_of("/neighborhoods/{place}"))

    assert page.locator(".pill svg").count() > 3
    assert page.locator(".map path").count() > 5
    fills = page.evaluate("[...document.querySelectorAll('.map a path')].map(p => getComputedStyle(p).fill)")
    context.close()
    assert len(set(fills)) > 1


def test_the_theme_button_chooses_and_is_remembered(context, server):
    page = browsing.open_page(context, server + "/")
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.locator("#theme").click()
    after = page.evaluate(ground)
    page.goto(server + "/datasets")

    assert before != after
    assert after == page.evaluate(ground)


def test_the_theme_of_the_system_holds_without_javascript(browser, server):
    grounds = set()
    for theme in ("light", "dark"):
        context = browser.new_context(java_script_enabled=False, color_scheme=theme)
        page = context.new_page()
        page.goto(server + "/")
        grounds.add(page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor"))
        assert not page.locator("#theme").is_visible()
        context.close()

    assert len(grounds) == 2


def test_a_neighborhood_prints_as_a_tagged_document(context, server, path_of):
    page = browsing.open_page(context, server + path_of("/neighborhoods/{place}"))
    told = page.pdf(format="Letter", tagged=True, outline=True)

    assert b"/StructTreeRoot" in told
    assert b"/Lang" in told


@pytest.mark.parametrize("route", ["/neighborhoods/{place}", "/neighborhoods/{place}/sheet", "/datasets/{name}"])
def test_paper_shows_the_tables_and_no_buttons(context, server, path_of, route):
    page = browsing.open_page(context, server + path_of(route))
    page.set_viewport_size({"width": 720, "height": 900})
    page.emulate_media(media="print")
    hidden = page.locator(".top nav, .tools, .btn, .find").evaluate_all(
        "all => all.filter(e => e.checkVisibility()).map(e => e.outerHTML.slice(0, 80))"
    )

    assert [] == hidden
    assert [] == browsing.too_wide(page)
    assert "rgb(255, 255, 255)" == page.evaluate("getComputedStyle(document.body).backgroundColor")


SABOTAGE = {
    "a picture without its sentence": (
        "document.querySelectorAll('main [role=img]').forEach(e => e.removeAttribute('aria-label'))",
        browsing.faults, "role-img-alt"),
    "an orange that is too light": (
        "document.documentElement.style.setProperty('--accent', '#E8703A')", browsing.faults, "color-contrast"),
    "no language": ("document.documentElement.removeAttribute('lang')", browsing.faults, "html-has-lang"),
    "no sentence that names a picture": (
        "document.querySelector('main [role=img]').setAttribute('aria-label', ' ')", browsing.nameless, ""),
    "no heading": ("document.querySelector('h1').remove()", browsing.outline, "0 h1"),
    "one id twice": ("document.querySelector('h1').id = 'main'", browsing.outline, "two of id main"),
    "no description": ("document.querySelector('meta[name=description]').remove()", browsing.outline, "no description"),
    "a link to nothing": ("document.getElementById('main').id = 'body'", browsing.outline, "link to nothing: #main"),
    "a long word": (
        "document.querySelector('h1').innerHTML = '<span style=\"white-space: nowrap\">' + 'x '.repeat(200)",
        browsing.too_wide, "px too wide"),
    "a word that is cut": (
        "document.querySelector('.btn').style = 'width: 2rem; overflow: hidden; white-space: nowrap'",
        browsing.cut, "cut btn"),
    "labels on each other": (
        "document.querySelectorAll('.sp .lbl').forEach(e => { e.style.left = '0'; e.style.right = 'auto' })",
        browsing.cut, "on top of each other"),
}  # fmt: skip


@pytest.mark.parametrize("name", SABOTAGE)
def test_each_check_sees_what_it_is_for(context, server, path_of, name):
    change, check, expected = SABOTAGE[name]
    page = browsing.open_page(context, server + path_of("/neighborhoods/{place}"))
    before = check(page)
    page.evaluate(change)
    after = check(page)

    assert [] == before
    assert [t for t in after if expected in t]


def test_a_focus_that_cannot_be_seen_would_be_found(context, server):
    page = browsing.open_page(context, server + "/about")
    page.add_style_tag(content="* { outline: none !important }")

    assert [s for s in browsing.stops(page, 10) if not s["outline"]]


def test_a_figure_whose_table_says_other_numbers_would_be_found():
    figure = {"title": "", "names": ["From 9.4 to 6.4."], "tables": ["2016 9.4", "2026 6.5"]}

    assert ["6.4"] == browsing.untold(figure)
