"""Disclosure through pictures: what the guard hid is in no page, chart, table, file, feed or address, in any language.

Two towns differ only in what is hidden: the same amounts, given to other people of two wards that are both hidden.
Whatever the portal answers must be the same, to the letter. So nothing that it draws or writes depends on a hidden
number: not its place on a strip, not the scale of an axis, not the class of a map, not the order of a list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from crawl import crawl, hrefs
from starlette.testclient import TestClient

from metroon.base import kinds
from metroon.portal import CityPortal
from metroon.serve.app import PAGES, app
from metroon.serve.door import Door
from town import IN_WARDS, STAY_COLUMNS, Town, stays

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("openpyxl", reason="the reader of spreadsheets is not installed: make test-slow")
COUNTS = {"north": 5, "east": 20, "south": 60, "west": 70}
LOW, HIGH = "17.17", "6355.55"
SECRETS = ("6355.55", "6,355.55", "6.355,55", "31777.75", "31,777.75", "31.777,75", "85.85", "85,85")
"""One person's amount, and the sums of the five people in the north, as people and programs write them."""
LANGUAGES = ["en", "es", "vi", "zh-Hans"]


def town(folder: Path, *, rich: str) -> Town:
    made = Town(folder).with_squares(dict.fromkeys(COUNTS, 1000))
    made.city(languages=LANGUAGES, goals={"homes": {"title": "Homes", "outcome": "Everybody has one."}}, invented=True)
    rows, given = stays(COUNTS), 0
    for row in rows:
        is_rich = row["ward"] == rich and given < 5
        given += is_rich
        row["amount"] = HIGH if is_rich else LOW if row["ward"] in ("north", "east") else "250.00"
    made.csv("stays.csv", rows)
    columns = {**STAY_COLUMNS, "amount": "number sensitive"}
    made.product("stays", columns, table=IN_WARDS, accessLevel="non-public")
    for name, kind, more in (
        ("paid", "total", {"value": "amount"}),
        ("paid_each", "mean", {"value": "amount"}),
        ("stay_count", "count", {}),
        ("stay_rate", "rate", {"per": 1000}),
    ):
        groups = [{"by": "race", "title": "Race", "reference": "all"}]
        period = {"column": "day", "grain": "year"}
        made.measure(name, kind=kind, places=["ward"], groups=groups, goal="homes", direction="down", period=period,
                     **more)  # fmt: skip
    return made


def answers(folder: Path, rich: str) -> dict[str, tuple[int, str]]:
    made = town(folder, rich=rich)
    told = made.run()
    assert [] == told.codes()
    portal = CityPortal(made.folder, as_of=made.as_of)
    catalog = portal.site().catalog
    starts = [portal.site().link(p, n) for page in PAGES for p in page.paths(catalog) for n in LANGUAGES]
    for name in kinds.names("serve"):
        door = kinds.find("serve", name, Door)()
        starts += [door.start, *door.paths(catalog)]
    starts += [f"{d.path}{e}" for d in catalog.datasets.values() for e in (".csv", ".json", ".parquet", ".xlsx")]
    starts += [f"/neighborhoods/{p}{e}" for p in COUNTS for e in ("", ".csv", ".geojson", "?print=1", "?with=south")]
    starts += [f"/api/3/action/datastore_search?resource_id={n}" for n in catalog.datasets]
    with TestClient(app(portal), base_url="http://127.0.0.1:8000") as client:
        return crawl(client, starts)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, tuple[int, str]], dict[str, tuple[int, str]]]:
    return (
        answers(tmp_path_factory.mktemp("one"), "north"),
        answers(tmp_path_factory.mktemp("other"), "east"),
    )


def plain(text: str) -> str:
    """Without what tells one run from another: hashes of inputs, the second it was made, the folder."""
    text = re.sub(r"\b[0-9a-f]{8,64}\b", "#", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", "TIME", text)
    return re.sub(r"datetime\.datetime\([^)]*\)", "TIME", text)


@pytest.mark.slow
def test_the_hidden_wards_are_hidden_and_the_portal_was_read_whole(both):
    one, other = both
    release = one["/measures/paid.csv"][1]

    assert 2 <= len(re.findall(r'(?m)^.*"ward","(?:north|east)".*"hidden".*$', release))
    assert one.keys() == other.keys()
    assert len(one) > 300
    assert [] == [p for p, (status, _) in one.items() if status >= 500]


@pytest.mark.slow
def test_no_answer_holds_a_hidden_number_in_any_form(both):
    found = [(p, s) for told in both for p, (_, text) in told.items() for s in SECRETS if s in text]

    assert [] == found


@pytest.mark.slow
def test_no_answer_depends_on_a_hidden_number(both):
    one, other = both
    # Entries of feeds stand in the order of the second they were made in.
    differing = [p for p in one if sorted(plain(one[p][1])) != sorted(plain(other[p][1]))]
    differing += [p for p in one if "/feeds/" not in p and plain(one[p][1]) != plain(other[p][1])]

    assert [] == differing


@pytest.mark.slow
def test_every_link_of_every_page_leads_somewhere(both):
    one, _ = both
    pages = [text for status, text in one.values() if status == 200 and text.lstrip()[:15].lower() == "<!doctype html>"]
    lost = {p for text in pages for p in hrefs(text) if one.get(p, (200, ""))[0] >= 400}

    assert len(pages) > 60
    assert set() == lost
