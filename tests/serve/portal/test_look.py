"""One page with every part and every chart: it holds on a small phone, in both themes and without JavaScript."""

from __future__ import annotations

import gzip
import math
import re
import shutil
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from metroon import serve
from metroon.base.catalog import Catalog, Portal
from metroon.base.places import Places
from metroon.permit import PUBLIC, Gate
from metroon.serve import svg
from metroon.serve.page import Asked
from metroon.serve.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markupsafe import Markup
    from playwright.sync_api import Browser, Page

STATIC = Path(serve.__file__).parent / "static"
CSS = (STATIC / "portal.css").read_text(encoding="utf-8")
TOKENS = CSS[CSS.index("@layer tokens {") : CSS.index("@layer base {")]
TEXTS = [
    *((ink, ground) for ink in ("ink", "ink-2", "link", "accent") for ground in ("canvas", "paper", "sunk")),
    *((look, f"{look}-bg") for look in ("good", "watch", "bad", "mute")),
    *((look, "paper") for look in ("good", "watch", "bad")),
    ("on-brand", "brand"), ("on-brand-2", "brand"), ("on-go", "go"), ("on-go", "go-2"),
    *((ink, "code") for ink in ("on-code", "code-k", "code-s", "code-c")),
]  # fmt: skip
EDGES = [
    *((edge, ground) for edge in ("edge", "series", "accent", "link") for ground in ("canvas", "paper")),
    ("spot", "brand"), ("foot", "fill-w"), ("link", "sunk"), ("q3", "canvas"), ("q4", "canvas"),
]  # fmt: skip


def palette(is_dark: bool) -> dict[str, str]:
    """Every colour of a theme, from the style sheet itself."""
    named = re.findall(r"--([\w-]+):\s*(?:light-dark\((#\w+),\s*(#\w+)\)|(#\w+))", TOKENS)
    found: dict[str, str] = {}
    for name, light, dark, both in named:
        found[name] = both or (dark if is_dark else light)
    return found


def contrast(a: str, b: str) -> float:
    """WCAG 2.2, relative luminance."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def before_2024() -> dict[str, str]:
    """What browsers see that do not know light-dark()."""
    first = CSS[CSS.index("@layer tokens {") : CSS.index("@supports")]
    return dict(re.findall(r"--([\w-]+):\s*(#\w+)", first))


@pytest.mark.parametrize("colours", [before_2024(), palette(False), palette(True)], ids=["old", "light", "dark"])
def test_every_text_stands_out_from_its_ground(colours: dict[str, str]) -> None:
    assert [] == [(t, g) for t, g in TEXTS if contrast(colours[t], colours[g]) < 4.5]


@pytest.mark.parametrize("colours", [before_2024(), palette(False), palette(True)], ids=["old", "light", "dark"])
def test_every_edge_that_says_something_stands_out(colours: dict[str, str]) -> None:
    assert [] == [(e, g) for e, g in EDGES if contrast(colours[e], colours[g]) < 3]


def test_an_orange_that_is_too_light_would_be_found() -> None:
    assert contrast("#E8703A", palette(False)["canvas"]) < 3


@pytest.mark.parametrize("is_dark", [False, True])
def test_each_shade_of_a_map_differs_from_the_next_in_lightness(is_dark: bool) -> None:
    colours = palette(is_dark)
    steps = [contrast(colours[f"q{i}"], colours[f"q{i + 1}"]) for i in range(4)]

    assert min(steps) > 1.3, steps


def test_old_browsers_get_the_same_light_palette() -> None:
    new = palette(False)

    assert {} == {k: v for k, v in before_2024().items() if new[k] != v}


def test_colours_are_named_in_the_tokens_alone() -> None:
    rest = CSS[CSS.index("@layer base {") : CSS.index("@layer print {")]
    loose = re.findall(r"(?:color|background|fill|stroke|border[\w-]*):[^;}]*(#[0-9A-Fa-f]{3,8})\b", rest)

    assert {"#fff", "#ffffff12", "#ffffff80"} >= set(loose)  # on the brand bar, which is dark in both themes


def test_the_style_sheet_and_the_script_stay_small() -> None:
    assert len(gzip.compress(CSS.encode(), 9)) <= 10_000
    assert len(gzip.compress((STATIC / "portal.js").read_bytes(), 9)) <= 1_000


PERIODS = tuple(str(y) for y in range(2015, 2027))
VALUES = (9.4, 9.1, 9.6, 9.0, None, 7.9, 8.4, 8.1, 7.6, 7.3, 7.1, 6.4)
LINE = svg.Line(
    PERIODS, VALUES, [v and v - 1.1 for v in VALUES], [v and v + 1.2 for v in VALUES], target=5,
    target_label="Target for 2027: 5", breaks=(5,), break_label="counted differently", signals=(11,),
)  # fmt: skip
MANY = tuple(f"p{i}" for i in range(40))


def area(i: int) -> shapely.Geometry:
    """One of 40 places with wavy borders that fit their neighbors'."""
    square = shapely.segmentize(shapely.box(i % 8, i // 8, i % 8 + 1, i // 8 + 1), 0.1)
    wave = [0.01, 0.008, 0.0008]

    def bent(p: np.ndarray) -> np.ndarray:
        return p * wave[:2] + [-121.9, 37.3] + wave[2] * np.column_stack([np.sin(9 * p[:, 1]), np.sin(7 * p[:, 0])])

    return shapely.transform(square, bent)


AREAS = Places(
    "n", "Neighborhoods", "2020", True, {k: f"Place {i}" for i, k in enumerate(MANY)},
    {k: area(i) for i, k in enumerate(MANY)},
)  # fmt: skip
TEMPLATE = Path(__file__).with_name("look.html").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Look:
    """What the page of all parts shows."""

    title: str
    count: Markup
    locator: Markup
    spark: Markup
    none: Markup
    strip: Markup
    trend: Markup
    map: Markup
    bells: tuple[tuple[str, Markup], ...]
    days: Markup
    bars: Markup
    rows: list[list[str | None]]


def look() -> Look:
    values = {k: (None if i % 9 == 4 else 1 + i * 7 % 40 / 4.5) for i, k in enumerate(MANY)}
    cuts = svg.breaks(values.values())
    shapes = svg.project(AREAS)
    links = {k: (f"/neighborhoods/{k}", f"Place {i}: {values[k]} per 10,000") for i, k in enumerate(MANY)}
    bell = partial(svg.dumbbell, span=svg.span(6.0, 9.5), label="City 6.5, Place 3 7.3")
    return Look(
        "How is Place 3 doing?",
        svg.countbar([("good", 3), ("watch", 2), ("bad", 1), ("mute", 1)], label="3 on track, 1 off track"),
        svg.locator(shapes, "p3", label="Place 3 lies in the south"),
        svg.spark(LINE, label="From 9.4 to 6.4, target 5"),
        svg.spark(svg.Line(("2025", "2026"), (None, None)), label="Hidden to protect people"),
        svg.strip(
            list(values.values()), 7.1, 5.2, direction="down", words=svg.Ends(), label="7.1, city 5.2", low=6.5,
            high=8.1,
        ),
        svg.trend(LINE, label="Falling from 9.4 to 6.4", tick=lambda x: f"{x:g}"),
        svg.choropleth(shapes, values, breaks=cuts, links=links, label="Injured while walking", outlined="p3"),
        (("English", bell(6.5, 6.7, low=6.4, high=7.0)), ("Spanish", bell(6.7, 7.3, low=6.9, high=math.inf)),
         ("Vietnamese", bell(6.5, None))),
        svg.days([("ok", "Nov 1: all checks passed")] * 20 + [("late", "late"), ("bad", "failed"), ("none", "no run")],
                 label="Checks of the last days"),
        svg.bars([1, 3, 8, 13, 9, 4], label="Most are in the middle"),
        [[p, None if v is None else f"{v:g}"] for p, v in zip(PERIODS, VALUES, strict=True)],
    )  # fmt: skip


def catalog(languages: tuple[str, ...] = ("en", "es", "vi", "zh-Hans"), is_invented: bool = True) -> Catalog:
    return Catalog(
        city="Arroyo Vista", is_invented=is_invented, as_of=date(2026, 11, 26), time_zone="America/Los_Angeles",
        languages=languages, folder="", portal=Portal(), identity="0123456789abcdef",
        made_at=datetime(2026, 11, 26, tzinfo=UTC), datasets={}, scores={}, goals=(), changes=None, geographies={},
        neighborhoods="n", neighbors={}, plan=None, stories=(), terms=(), names={}, minimum_cell=11,
    )  # fmt: skip


def rendered(
    language: str = "en",
    *,
    is_invented: bool = True,
    path: str = "/neighborhoods/p3",
    query: dict[str, str] | None = None,
) -> str:
    gate = Gate(catalog(is_invented=is_invented), lambda _name, _number: None)
    site = Site(gate)
    asked = Asked(
        site, site.catalog, gate, PUBLIC, site.words[language], path, {}, query or {}, "http://127.0.0.1:8000"
    )
    return site.environment(language).from_string(TEMPLATE).render(page=look(), asked=asked, words=asked.words)


def test_a_page_names_its_language_its_address_and_its_other_languages() -> None:
    html = rendered("es")

    assert '<html lang="es">' in html
    assert '<link rel="canonical" href="http://127.0.0.1:8000/es/neighborhoods/p3">' in html
    assert '<link rel="alternate" hreflang="zh-Hans" href="http://127.0.0.1:8000/zh-Hans/neighborhoods/p3">' in html
    assert 'lang="vi" hreflang="vi">Tiếng Việt</a>' in html


def test_no_language_speaks_for_another() -> None:
    gate = Gate(catalog(), lambda _name, _number: None)
    site = Site(gate)
    site.words["es"].gettext = lambda message, **_: "hola"  # type: ignore[method-assign]
    spanish, english = (site.environment(n).from_string('{{ _("Language") }}') for n in ("es", "en"))

    assert ("hola", "Language") == (spanish.render(), english.render())


def test_another_language_shows_the_same_state_of_the_page() -> None:
    html = rendered(query={"measure": "a b", "with": "N02"})

    assert 'href="/vi/neighborhoods/p3?measure=a+b&amp;with=N02"' in html or "?measure=a%20b&amp;with=N02" in html


def test_an_invented_city_says_so_on_every_page_and_a_real_one_does_not() -> None:
    assert "Every name and number on this site is invented." in rendered()
    assert "invented" not in rendered(is_invented=False)


def test_the_navigation_says_where_the_reader_is() -> None:
    assert '<a href="/neighborhoods" aria-current="true">' in rendered()
    assert '<a href="/neighborhoods" aria-current="page">' in rendered(path="/neighborhoods")
    assert 'href="/datasets" aria-current' not in rendered(path="/datasets_of_old")


def test_a_page_has_no_inline_script_and_asks_no_other_host() -> None:
    html = rendered()

    assert [] == re.findall(r"<script(?! src=\"/static/)", html)
    assert [] == re.findall(r"\son\w+=", html)
    assert [] == re.findall(r"(?:src|href)=\"(?:https?:)?//(?!127\.0\.0\.1)", html)


def test_every_id_on_the_page_of_all_parts_is_there_once() -> None:
    ids = re.findall(r'\bid="([^"]+)"', rendered())

    assert sorted(set(ids)) == sorted(ids)


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        files = {"/static/portal.css": "text/css", "/static/portal.js": "text/javascript"}
        kind = files.get(path, "image/svg+xml" if path.endswith(".svg") else "text/html; charset=utf-8")
        if path.startswith("/static/fonts/"):
            body, kind = b"", "text/css"
        else:
            body = (STATIC / path[8:]).read_bytes() if path.startswith("/static/") else rendered().encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header(
            "Content-Security-Policy", "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
        )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serves the page of all parts on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("needs Chromium")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as p:
        opened = p.chromium.launch(executable_path=found, args=[*quiet, "--disable-component-update", "--disable-sync"])
        yield opened
        opened.close()


def opened(browser: Browser, address: str, *, wide: int, theme: str = "light", script: bool = True) -> Page:
    context = browser.new_context(
        viewport={"width": wide, "height": 900},
        color_scheme=theme,
        java_script_enabled=script,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto(address)
    return page


AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("wide", [1280, 390])
def test_axe_finds_nothing(browser: Browser, address: str, theme: str, wide: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(browser, address, wide=wide, theme=theme)
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}}).response["violations"]

    assert [] == [(v["id"], v["help"], [n["html"][:200] for n in v["nodes"][:3]]) for v in found]


@pytest.mark.slow
@pytest.mark.parametrize("wide", [320, 390, 927, 928, 1280])
def test_the_page_never_scrolls_sideways(browser: Browser, address: str, wide: int) -> None:
    page = opened(browser, address, wide=wide)

    assert 0 == page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.slow
def test_large_text_and_wide_spacing_do_not_make_it_scroll_sideways(browser: Browser, address: str) -> None:
    page = opened(browser, address, wide=640)
    spaced = (
        "html{font-size:200%} *{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}"
    )
    page.add_style_tag(content=spaced)

    assert 0 == page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.slow
def test_the_keyboard_reaches_everything_with_a_visible_mark_and_the_skip_link_first(
    browser: Browser, address: str
) -> None:
    page = opened(browser, address, wide=1280)
    seen, unmarked = [], []
    mark = """() => { const e = document.activeElement, s = getComputedStyle(e);
      const p = e.querySelector('path'); const ring = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;
      return [e.tagName + '.' + (e.getAttribute('class') || '') + ' ' + (e.getAttribute('href') || ''),
        ring || (p && parseFloat(getComputedStyle(p).strokeWidth) >= 2.5)] }"""
    for _ in range(120):
        page.keyboard.press("Tab")
        name, is_marked = page.evaluate(mark)
        if name.startswith("BODY"):
            break
        seen.append(name)
        if not is_marked:
            unmarked.append(name)

    assert seen[0] == "A.skip #main"
    assert len(seen) > 60
    assert [] == unmarked


@pytest.mark.slow
def test_everything_but_the_theme_button_works_without_javascript(browser: Browser, address: str) -> None:
    page = opened(browser, address, wide=1280, script=False)
    page.locator(".lang summary").click()

    assert page.locator(".lang li a").nth(1).is_visible()
    assert not page.locator("#theme").is_visible()


@pytest.mark.slow
def test_the_theme_button_changes_the_theme_and_the_next_page_keeps_it(browser: Browser, address: str) -> None:
    page = opened(browser, address, wide=1280)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("#theme").click()
    dark = page.evaluate(ground)
    page.goto(address + "again")

    assert light != dark
    assert dark == page.evaluate(ground)
    assert page.locator("#theme").inner_text() == "Light"


@pytest.mark.slow
def test_small_targets_are_at_least_24_pixels_high(browser: Browser, address: str) -> None:
    page = opened(browser, address, wide=390)
    small = page.evaluate(
        """[...document.querySelectorAll('header a, footer a, nav a, summary, button, .btn')]
        .filter(e => e.offsetParent).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height])
        .filter(([_, h]) => h < 24)"""
    )

    assert [] == small
