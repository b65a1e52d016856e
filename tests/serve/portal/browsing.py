"""Looks at pages with a real browser: what axe says, what is too wide, cut or covered, and what tells nothing."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
EXTRA = ("/search?q=crashes", "/search?q=zzzzqqq", "/nothing/here", "/neighborhoods?measure=people_injured",
         "/measures/people_injured?places=district", "/datasets?kind=table",
         "/datasets/street_lights?filter=zzzzqqq")  # fmt: skip
"""Addresses of the invented city that no page lists: what is found, what is not, what a reader chose."""

_FOUND = """async (tags) => {
  const told = await axe.run({runOnly: {type: 'tag', values: tags}, resultTypes: ['violations', 'incomplete']});
  const short = (r) => ({rule: r.id, impact: r.impact || '', help: r.help, elements: r.nodes.length,
    first: r.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + n.html.slice(0, 160))});
  return {violations: told.violations.map(short), unclear: told.incomplete.map(short)};
}"""
_WIDE = """() => {
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over <= 0) return [];
  const who = [...document.body.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1
    && !e.closest('.tbl, .code, .scroll, .tabs, .sr'));
  return [`${over} px too wide: ` + who.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join(' | ')];
}"""
_CUT = """() => {
  const said = (e) => (e.className || e.tagName) + ': ' + e.textContent.trim().slice(0, 60);
  const found = [];
  for (const e of document.body.querySelectorAll('*')) {
    const s = getComputedStyle(e);
    const isShown = e.checkVisibility({contentVisibilityAuto: true});
    if (!isShown || e.closest('.sr, svg, .tbl, .code, .scroll, .days, .skip')) continue;
    const hides = [s.overflowX, s.overflowY].some((o) => o === 'hidden' || o === 'clip');
    const isOver = e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
    if (isOver && e.textContent.trim() && (hides || e.tagName === 'BUTTON')) found.push('cut ' + said(e));
  }
  const box = (e) => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect(); };
  for (const chart of document.querySelectorAll('.ch')) {
    const labels = [...chart.querySelectorAll('.lbl')].filter((e) => e.checkVisibility()).map((e) => [e, box(e)]);
    for (const [e, b] of labels)
      if (b.left < -1 || b.right > innerWidth + 1) found.push('outside ' + said(e));
    labels.forEach(([e, a], i) => labels.slice(i + 1).forEach(([f, b]) => {
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)
        found.push('on top of each other ' + said(e) + ' / ' + said(f));
    }));
  }
  return found;
}"""
_STOP = """() => {
  const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
  const drawn = e.querySelector && e.querySelector(':scope > path');
  const stroke = drawn ? parseFloat(getComputedStyle(drawn).strokeWidth) : 0;
  const shown = parseFloat(s.opacity) === 0 && e.nextElementSibling ? getComputedStyle(e.nextElementSibling) : s;
  if (!window.stops) window.stops = new Map();
  const again = window.stops.has(e);
  window.stops.set(e, true);
  const x = b.left + b.width / 2, y = b.top + b.height / 2, over = document.elementFromPoint(x, y);
  const inside = y >= 0 && y <= innerHeight && x >= 0 && x <= innerWidth;
  const bar = inside && over ? over.closest('.ds-anchors, .top') : null;
  return {tag: e.tagName, href: e.getAttribute('href') || '', text: (e.textContent || '').trim().slice(0, 40), again,
    outline: (shown.outlineStyle !== 'none' && parseFloat(shown.outlineWidth) >= 2) || stroke >= 2,
    box: b.width * b.height, covered: Boolean(bar && !bar.contains(e))};
}"""
_FIGURES = """() => [...document.querySelectorAll('figure:has([role=img], svg.map)')].map((f) => ({
  title: (f.querySelector('h2, h3, h4') || f).textContent.trim().slice(0, 60),
  names: [...f.querySelectorAll('[role=img], svg.map a')].filter((e) => !e.closest('table'))
    .map((e) => e.getAttribute('aria-label') || ''),
  // A map stands beside the list of its places.
  tables: [...(f.querySelector('table') ? f : f.closest('section')).querySelectorAll('table')]
    .map((t) => t.textContent),
}))"""
_NAMELESS = """() => [...document.querySelectorAll('[role=img], svg:not([aria-hidden=true])')]
  .filter((e) => !(e.getAttribute('aria-label') || '').trim() && !e.closest('[aria-hidden=true]'))
  .map((e) => e.outerHTML.slice(0, 120))"""
_OUTLINE = """() => {
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  const told = [];
  const want = (is, what) => is || told.push(what);
  want(document.querySelectorAll('h1').length === 1, `${document.querySelectorAll('h1').length} h1`);
  want(document.title.trim().length > 2, 'no title');
  want(document.documentElement.lang, 'no lang');
  const description = document.querySelector('meta[name=description]');
  want(description && description.content.trim().length > 7, 'no description');
  want(document.querySelectorAll('main').length === 1, 'no main');
  [...new Set(ids.filter((id, i) => ids.indexOf(id) !== i))].forEach((id) => told.push(`two of id ${id}`));
  document.querySelectorAll('[for], [aria-labelledby], [aria-describedby], a[href^="#"]').forEach((e) => {
    for (const name of ['for', 'aria-labelledby', 'aria-describedby'])
      for (const id of (e.getAttribute(name) || '').split(' ').filter(Boolean))
        want(document.getElementById(id), `${name} of nothing: ${id}`);
    const href = e.getAttribute('href');
    want(!href || document.getElementById(decodeURIComponent(href.slice(1))), `link to nothing: ${href}`);
  });
  return told;
}"""


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser of this machine, as long as the block runs."""
    from playwright.sync_api import sync_playwright  # the browser's driver may be missing

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield started
        started.close()


def tool() -> str:
    """The name and version of the tool that looks."""
    found = re.search(r"axe v([\d.]+)", _script())
    return f"axe-core {found.group(1) if found else ''} (axe-playwright-python {version('axe-playwright-python')})"


def open_page(context: BrowserContext, address: str, status: int = 200) -> Page:
    """A page, which has told the console of no error."""
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda said: told.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    answer = page.goto(address, wait_until="load")
    assert answer is not None
    assert answer.status == status, address
    # A browser tells of the refused page itself, and of nothing else.
    assert [] == [t for t in told if status == 200 or f"status of {status}" not in t]
    return page


def look(page: Page, tags: Iterable[str] = RULES) -> dict[str, list[dict[str, Any]]]:
    """What axe calls violations, and what it could not decide."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_script())
    found: dict[str, list[dict[str, Any]]] = page.evaluate(_FOUND, list(tags))
    return found


def faults(page: Page) -> list[str]:
    """What axe calls violations, one line an element."""
    return [f"{v['rule']}: {first}" for v in look(page)["violations"] for first in v["first"]]


def too_wide(page: Page) -> list[str]:
    """Whether the page scrolls sideways, and because of what."""
    found: list[str] = page.evaluate(_WIDE)
    return found


def cut(page: Page) -> list[str]:
    """Text that is cut, and words of charts that stand on each other or outside."""
    found: list[str] = page.evaluate(_CUT)
    return found


def nameless(page: Page) -> list[str]:
    """Pictures without a sentence."""
    found: list[str] = page.evaluate(_NAMELESS)
    return found


def outline(page: Page) -> list[str]:
    """What is wrong with headings, title, language, description and ids."""
    found: list[str] = page.evaluate(_OUTLINE)
    return found


def figures(page: Page) -> list[dict[str, Any]]:
    """Every figure with its title, its sentences and the texts of its tables."""
    found: list[dict[str, Any]] = page.evaluate(_FIGURES)
    return found


def untold(figure: dict[str, Any]) -> list[str]:
    """Numbers with a point in the sentences of a figure that are in none of its tables."""
    told = " ".join(figure["tables"])
    return [n for name in figure["names"] for n in re.findall(r"\d[\d,]*\.\d+", name) if n not in told]


def stops(page: Page, most: int) -> list[dict[str, Any]]:
    """The stops of the keyboard, until it leaves the page or comes to one for the second time."""
    found: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        now: dict[str, Any] = page.evaluate(_STOP)
        if now["tag"] == "BODY" or now["again"]:
            break
        found.append(now)
    return found


def _script() -> str:
    from axe_playwright_python.base import AXE_SCRIPT  # axe may be missing

    return str(AXE_SCRIPT)
