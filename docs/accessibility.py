"""Look at every kind of page with a real browser, and write down what was found: what the accessibility page shows.

    python docs/accessibility.py                  builds and runs Arroyo Vista, looks, and writes the record
    python docs/accessibility.py --city FOLDER    looks at a city that has been run
    python docs/accessibility.py --languages en   looks at some languages only, and says so in the record
    python docs/accessibility.py --on 2026-07-15  the day of the run, for machines whose clock is wrong

It needs Chromium and `pip install --group clients`, and takes some minutes. What only a person can check, and faults
that are known, are kept from the record before: they are written by hand in ``src/metroon/serve/accessibility.json``.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from served import browsing, fullest, served

import metroon
from metroon.serve import accessibility
from metroon.serve.accessibility import Checked, Found, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

WIDTHS = (320, 1280)
THEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
NAMES = {
    "wide": "No page scrolls sideways, at 320 pixels and wider.",
    "cut": "No text is cut off, and no words of a chart lie on each other.",
    "outline": "Every page has one main heading, a title, a language, a description and no id twice.",
    "named": "Every picture has a sentence.",
    "hosts": "No page asks another host for anything.",
    "stops": "Every stop of the keyboard can be seen, is not covered, and the first one skips to the content.",
    "script": "Every page says the same without JavaScript.",
    "large": "Letters may be twice as large without a page scrolling sideways.",
}


@dataclass
class Run:
    """What has been seen so far."""

    times: int = 0
    violations: dict[tuple[str, str, str, int], Found] = field(default_factory=dict)
    unclear: dict[tuple[str, str, str, int], Found] = field(default_factory=dict)
    faults: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    looked: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    stops: int = 0

    def say(self, check: str, path: str, found: list[str]) -> None:
        """One further check was made on one page."""
        self.looked[check].add(path)
        if found:
            self.faults[check].add(path)
            print(f"{path} {check}: {found[:3]}")

    def hear(self, page: Page, path: str, width: int, theme: Literal["light", "dark"]) -> None:
        """Let the tool look at a page as it stands."""
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        told = browsing.look(page)
        self.times += 1
        for kind, kept in (("violations", self.violations), ("unclear", self.unclear)):
            for f in told[kind]:
                made = Found(f["rule"], path, f["impact"], f["help"], theme, width, f["elements"])
                kept.setdefault((f["rule"], path, theme, width), made)
                if kind == "violations":
                    print(f"{path} {theme} {width} {f['rule']}: {f['first']}")


def look(address: str, paths: list[str], languages: dict[str, str]) -> tuple[Run, str]:
    """Look at paths in every theme, width and language."""
    run = Run()
    with browsing.browsing() as browser:
        context = browser.new_context(reduced_motion="reduce")
        asked: set[str | None] = set()
        context.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
        for path in paths:
            for prefix in languages.values():
                page = context.new_page()
                page.goto(f"{address}{prefix}{path}".rstrip("/"))
                run.say("outline", path, browsing.outline(page))
                run.say("named", path, browsing.nameless(page))
                for width in WIDTHS:
                    for theme in THEMES:
                        run.hear(page, path, width, theme)
                    run.say("wide", path, browsing.too_wide(page))
                    run.say("cut", path, browsing.cut(page))
                page.close()
            run.say("hosts", path, [str(h) for h in asked if h != "127.0.0.1"])
            _once(run, browser, address, path)
            print(f"{run.times:>4} {path}", flush=True)
        return run, f"Chromium {browser.version}"


def _once(run: Run, browser: Browser, address: str, path: str) -> None:
    """What is looked at in one language, theme and width only."""
    told = []
    for is_on in (True, False):
        context = browser.new_context(java_script_enabled=is_on, viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(address + path)
        told.append(page.inner_text("main"))
        if is_on:
            found = browsing.stops(page, 150)
            run.stops += len(found)
            bad = [s["text"] for s in found if not s["outline"] or not s["box"] or s["covered"]]
            run.say("stops", path, bad + ([] if found and found[0]["href"] == "#main" else ["no skip link"]))
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            run.say("large", path, browsing.too_wide(page))
        context.close()
    run.say("script", path, [] if told[0] == told[1] else ["other words"])


def checks(run: Run) -> Iterator[Checked]:
    """The further checks in sentences."""
    for check, name in NAMES.items():
        bad = sorted(run.faults[check])
        detail = f"{run.stops} stops were walked." if check == "stops" else ""
        yield Checked(name, not bad, len(run.looked[check]), " ".join([detail, *bad]).strip())


def main() -> int:
    """Look, and write the record; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--city", type=Path, help="a city that has been run")
    parser.add_argument("--on", type=date.fromisoformat, default=date.today(), help="the day of the run")
    parser.add_argument("--languages", nargs="+", help="languages to look at; all of the city unless given")
    given = parser.parse_args()
    with served(given.city) as (address, portal):
        site = portal.site()
        paths = list(dict.fromkeys([*fullest(address, portal).values(), *browsing.EXTRA]))
        languages = {n: site.link("/", n).rstrip("/") for n in given.languages or site.words}
        run, browser = look(address, paths, languages)
        before = accessibility.read()
        record = Record(
            on=given.on, version=metroon.__version__, city=site.catalog.city, tool=browsing.tool(), browser=browser,
            pages=tuple(paths), themes=THEMES, widths=WIDTHS, languages=tuple(languages), rules=browsing.RULES,
            runs=run.times, violations=tuple(run.violations.values()), unclear=tuple(run.unclear.values()),
            checks=tuple(checks(run)), faults=before.faults if before else (), manual=before.manual if before else (),
        )  # fmt: skip
    accessibility.SHIPPED.write_text(accessibility.to_json(record), encoding="utf-8")
    print(
        f"{run.times} looks at {len(paths)} pages: {len(record.violations)} violations, {len(record.unclear)} unclear"
    )
    return 1 if record.violations or not all(c.is_passed for c in record.checks) else 0


if __name__ == "__main__":
    sys.exit(main())
