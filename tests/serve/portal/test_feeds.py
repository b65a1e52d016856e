"""Feeds and the sitemap: ids that never change, times of releases, and words that a real feed reader takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seen import seen
from starlette.applications import Starlette
from starlette.testclient import TestClient
from village import DARK_SET, LAMPS_SET, PONDS_SET, Village, asks, catalog, score

from metroon.serve.kinds.feeds import Feeds
from metroon.serve.kinds.sitemap import Sitemap
from metroon.serve.page import Page
from metroon.serve.syndication import Entry, Feed, atom

FEEDS = ("/feeds/city", "/feeds/datasets/lamps", "/feeds/measures/dark", "/feeds/neighborhoods/A1")
NOW = datetime(2026, 7, 2, 8, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def village() -> TestClient:
    return asks(Feeds())


def entries(client: TestClient, path: str) -> list[dict[str, str]]:
    return client.get(f"{path}.json").json()["items"]


@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_reader_takes_it_without_a_complaint(village, path):
    told = feedparser.parse(village.get(f"{path}.atom").content)

    assert (False, "atom10") == (bool(told.bozo), told.version)
    assert told.entries
    assert all(e.id.startswith("tag:metroon,2026:little-tarn/") for e in told.entries)


@pytest.mark.parametrize("path", FEEDS)
def test_both_formats_tell_the_same(village, path):
    told = feedparser.parse(village.get(f"{path}.atom").content)
    items = entries(village, path)

    assert [(e.id, e.title, e.link) for e in told.entries] == [(i["id"], i["title"], i["url"]) for i in items]
    assert [e.content[0].value for e in told.entries] == [i["content_text"] for i in items]


def test_ids_are_told_once_and_are_the_same_in_every_language(village):
    english, spanish = entries(village, "/feeds/city"), village.get("/feeds/city.json?lang=es").json()

    ids = [i["id"] for i in english]
    assert len(ids) == len(set(ids))
    assert ids == [i["id"] for i in spanish["items"]]
    assert ("es", "http://village.example/es/measures/dark") == (
        spanish["language"], next(i["url"] for i in spanish["items"] if "/dark/" in i["id"]),
    )  # fmt: skip


def test_times_are_those_of_releases_and_never_of_asking(village):
    told = village.get("/feeds/datasets/lamps.json").json()

    assert ["2026-07-02T08:30:00Z", "2026-06-02T08:30:00Z"] == [i["date_published"] for i in told["items"]]
    assert village.get("/feeds/city.atom").content == village.get("/feeds/city.atom").content


def test_a_version_says_what_is_different(village):
    newest, first = entries(village, "/feeds/datasets/lamps")

    assert "Street lamps: version 2" == newest["title"]
    assert "Different from the version before: column watts added." in newest["content_text"]
    assert "This is the first version." in first["content_text"]


def test_a_measure_tells_its_number_with_its_range(village):
    found = next(i for i in entries(village, "/feeds/measures/dark") if i["title"].endswith("version 2"))

    assert "50.0% of lamps (2025), with a range of 40.0% to 60.0%." in found["content_text"]


def test_a_hidden_number_of_a_place_is_told_as_hidden_and_no_number_is_in_it(village):
    (found,) = entries(village, "/feeds/neighborhoods/A2")

    assert "Hidden to protect people" in found["content_text"]
    assert "%" not in found["content_text"]


def test_a_hidden_number_of_the_whole_city_is_told_as_hidden():
    known = score()
    hidden = replace(known, city=replace(known.measured.estimates[0], state="hidden", value=None, low=None, high=None))
    told = entries(asks(Feeds(), Village(replace(catalog(), scores={"dark": hidden}))), "/feeds/measures/dark")

    assert "There is no number (2025). Hidden to protect people" in told[1]["content_text"] + told[0]["content_text"]


def test_a_place_without_a_number_has_no_entry_of_it(village):
    assert [] == entries(village, "/feeds/neighborhoods/A3")
    assert not feedparser.parse(village.get("/feeds/neighborhoods/A3.atom").content).bozo


def test_a_real_change_is_told_in_the_city_at_its_place_and_of_its_measure(village):
    found = [entries(village, p) for p in ("/feeds/city", "/feeds/measures/dark", "/feeds/neighborhoods/A1")]
    titles = [[i["title"] for i in items if "/changes/" in i["id"]] for items in found]

    assert [["Lamps that are out, West <Bank>: An earlier number was corrected"]] * 3 == titles
    assert not [i for i in entries(village, "/feeds/neighborhoods/A2") if "/changes/" in i["id"]]


def test_what_nobody_publishes_has_a_feed_without_versions(village):
    assert [] == entries(village, "/feeds/datasets/visits")


@pytest.mark.parametrize("path", ["/feeds/datasets/dark", "/feeds/measures/lamps", "/feeds/neighborhoods/B9"])
def test_an_unknown_feed_is_not_there(village, path):
    for ending in ("atom", "json"):
        found = village.get(f"{path}.{ending}")
        assert (404, "application/problem+json") == (found.status_code, found.headers["content-type"])


def test_a_feed_that_is_known_is_not_sent_again(village):
    first = village.get("/feeds/city.atom")

    assert 304 == village.get("/feeds/city.atom", headers={"If-None-Match": first.headers["etag"]}).status_code
    assert "Thu, 02 Jul 2026 08:30:00 GMT" == first.headers["last-modified"]


def test_a_feed_has_no_more_entries_than_its_door_allows():
    assert 2 == len(entries(asks(Feeds(most=2)), "/feeds/city"))


@given(st.text())
def test_any_text_makes_xml_that_can_be_read(text):
    entry = Entry("tag:x,2026:y", text, text, f"https://village.example/?q={text}", NOW, (text,))
    feed = Feed("tag:x,2026:z", text, text, text, "https://p", "https://a", "https://j", "en", NOW, (entry,))
    root = ElementTree.fromstring(atom(feed))

    assert 1 == len(root.findall("{http://www.w3.org/2005/Atom}entry"))


def test_a_change_and_a_version_keep_their_ids_when_the_city_goes_on():
    later = catalog(replace(LAMPS_SET, title="Lamps, renamed"), DARK_SET, PONDS_SET)
    ours, theirs = (entries(asks(Feeds(), Village(told)), "/feeds/city") for told in (catalog(), later))

    assert {i["id"] for i in ours} == {i["id"] for i in theirs}


# The sitemap


class _Listed(Page):
    path = "/datasets/{name}"
    template = ""

    def view(self, asked):
        return None

    def paths(self, told):
        return [d.path for d in told.datasets.values()]


class _Search(_Listed):
    path = "/search"

    def paths(self, told):
        return ["/search"]


def mapped(door: Sitemap) -> TestClient:
    starlette = Starlette(routes=list(door.routes(Village())))
    starlette.state.pages = (_Listed(), _Search())
    starlette.state.address = ""
    return TestClient(starlette, base_url="http://village.example")


def test_every_page_is_in_the_sitemap_in_each_language_with_its_others():
    root = ElementTree.fromstring(mapped(Sitemap()).get("/sitemap.xml").content)
    urls = root.findall("{*}url")
    found = {u.findtext("{*}loc"): {a.get("hreflang"): a.get("href") for a in u.findall("{*}link")} for u in urls}

    assert 10 == len(found)
    assert {
        "en": "http://village.example/datasets/lamps",
        "es": "http://village.example/es/datasets/lamps",
        "x-default": "http://village.example/datasets/lamps",
    } == found["http://village.example/es/datasets/lamps"]


def test_a_large_sitemap_is_split_and_its_parts_hold_every_page_once():
    client = mapped(Sitemap(most=2))
    parts = [e.text for e in ElementTree.fromstring(client.get("/sitemap.xml").content).findall(".//{*}loc")]
    urls = [e.text for p in parts for e in ElementTree.fromstring(client.get(p).content).findall(".//{*}loc")]

    assert (3, 10, 10) == (len(parts), len(urls), len(set(urls)))
    assert [404, 404] == [client.get(f"/sitemap-{n}.xml").status_code for n in (0, 4)]


def test_robots_may_read_all_but_what_people_search_for():
    text = mapped(Sitemap()).get("/robots.txt").text

    assert "Disallow: /search\nDisallow: /es/search\n" in text
    assert "Sitemap: http://village.example/sitemap.xml" in text


# The demonstration city


@pytest.mark.slow
def test_every_feed_of_the_demonstration_city_is_taken_by_a_feed_reader(client, portal):
    every = [p for p in Feeds().paths(portal.site().catalog) if p.endswith(".atom")]
    told = {p: feedparser.parse(client.get(p).content) for p in every}

    assert {} == {p: f.bozo_exception for p, f in told.items() if f.bozo}
    assert len(told["/feeds/city.atom"].entries) > 20
    seen("feeds", f"feedparser {feedparser.__version__}", "parse() of every feed: city, datasets, measures, areas")


@pytest.mark.slow
def test_every_page_in_the_sitemap_of_the_demonstration_city_is_there(client):
    root = ElementTree.fromstring(client.get("/sitemap.xml").content)
    here = "http://127.0.0.1:8000"
    paths = [(e.text or "").removeprefix(here) or "/" for e in root.findall(".//{*}loc")]
    few = [p for p in paths if "/es/" not in p and "/vi/" not in p][::15]

    assert paths
    assert dict.fromkeys(few, 200) == {p: client.get(p).status_code for p in few}
