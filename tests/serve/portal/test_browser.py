"""A real browser on every kind of page: axe, keyboard, reflow, no JavaScript, no other host, print, forced colours."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from metroon.serve.app import PAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

playwright = pytest.importorskip("playwright.sync_api", reason="the browser's driver is not installed: make test-slow")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed: make test-slow")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine: apt-get install chromium"),
]
WIDTHS = (320, 768, 1280)
THEMES = ("light", "dark")
LANGUAGES = ("en", "es", "vi", "zh-Hans")
RULES = {"runOnly": {"type": "tag", "values": [
    "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice",
]}}  # fmt: skip
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
KINDS = {p.path: p for p in PAGES}
FOUND = ["/search?q=crashes", "/search?q=zzzzqqq", "/nothing/here"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(reduced_motion="reduce")
    yield made
    made.close()


@pytest.fixture
def asked(context: BrowserContext) -> list[str]:
    """Every address that the pages of a context ask for."""
    found: list[str] = []
    context.on("request", lambda request: found.append(request.url))
    return found


def of_kind(portal, route: str) -> str:
    """One path of a kind of page: the one with most on it."""
    return max(KINDS[route].paths(portal.site().catalog), key=len)


def in_language(portal, path: str, language: str) -> str:
    return portal.site().link(path, language)


def open_page(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda said: told.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(address, wait_until="load")
    said = [t for t in told if "status of 404" not in t]
    assert [] == said
    return page


def faults(page: Page) -> list[str]:
    found = axe.Axe().run(page, options=RULES).response["violations"]
    return [f"{v['id']}: {n['target']} {n['html'][:120]}" for v in found for n in v["nodes"][:3]]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("route", [*KINDS, *FOUND])
def test_axe_finds_no_fault_and_nothing_scrolls_sideways(context, asked, server, portal, route, language):
    path = in_language(portal, of_kind(portal, route) if route in KINDS else route, language)
    page = open_page(context, server + path)
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found += [f"{width}: {over} px too wide"] if over > 0 else []
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            found += [f"{width} {theme} {f}" for f in faults(page)]

    assert [] == found
    assert {"127.0.0.1"} == {urlsplit(a).hostname for a in asked}
    assert language == page.evaluate("document.documentElement.lang")


@pytest.mark.parametrize("route", KINDS)
def test_every_stop_of_the_keyboard_can_be_seen_and_the_first_skips_to_the_content(context, server, portal, route):
    page = open_page(context, server + of_kind(portal, route))
    page.set_viewport_size({"width": 1280, "height": 900})
    stops = page.evaluate(
        "document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]').length"
    )
    seen = []
    for _ in range(min(stops, 70)):
        page.keyboard.press("Tab")
        now = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
            const path = e.querySelector && e.querySelector('path');
            const drawn = path ? parseFloat(getComputedStyle(path).strokeWidth) : 0;
            return {tag: e.tagName, href: e.getAttribute('href') || '', text: e.textContent.trim().slice(0, 40),
                    outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 || drawn >= 2,
                    box: b.width * b.height}; }"""
        )
        if now["tag"] == "BODY":
            break
        seen.append(now)

    assert seen[0]["href"].startswith("#")
    assert [] == [s for s in seen if not s["outline"]]
    assert [] == [s for s in seen if not s["box"]]


@pytest.mark.parametrize("route", KINDS)
def test_a_page_without_javascript_says_the_same(browser, server, portal, route):
    texts = []
    for is_on in (True, False):
        context = browser.new_context(java_script_enabled=is_on)
        page = context.new_page()
        page.goto(server + of_kind(portal, route), wait_until="load")
        texts.append(page.inner_text("main"))
        context.close()

    assert texts[0] == texts[1]
    assert len(texts[0]) > 50


@pytest.mark.parametrize("route", KINDS)
def test_text_may_be_twice_as_large(context, server, portal, route):
    page = open_page(context, server + of_kind(portal, route))
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("document.documentElement.style.fontSize = '200%'")

    assert 0 >= page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def test_forced_colours_keep_marks_and_maps(browser, server, portal):
    context = browser.new_context(forced_colors="active", reduced_motion="reduce")
    page = open_page(context, server + of_kind(portal, "/neighborhoods/{place}"))

    assert page.locator(".pill svg").count() > 3
    assert page.locator(".map path").count() > 5
    fills = page.evaluate("[...document.querySelectorAll('.map a path')].map(p => getComputedStyle(p).fill)")
    context.close()
    assert len(set(fills)) > 1


def test_the_theme_button_chooses_and_is_remembered(context, server):
    page = open_page(context, server + "/")
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.locator("[data-theme-button], .theme-button, #theme").first.click()
    after = page.evaluate(ground)
    page.goto(server + "/datasets")

    assert before != after
    assert after == page.evaluate(ground)


def test_a_neighborhood_prints_as_a_tagged_document(context, server, portal, tmp_path):
    page = open_page(context, server + of_kind(portal, "/neighborhoods/{place}"))
    told = page.pdf(format="Letter", tagged=True, outline=True)

    assert b"/StructTreeRoot" in told
    assert b"/Lang" in told
