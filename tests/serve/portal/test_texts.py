"""The long texts: they say only what this city uses, what was really run, and what is really kept."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from village import VISITS_SET, Village, catalog, score

import metroon.serve
from metroon.base import kinds
from metroon.base.catalog import Dataset, Portal
from metroon.measure import shares
from metroon.measure.interval import byar, wilson
from metroon.permit import PUBLIC
from metroon.serve import accessibility, formulas
from metroon.serve.accessibility import Checked, Fault, Found, Manual, Record
from metroon.serve.app import PAGES, app
from metroon.serve.page import Asked
from metroon.serve.pages import method
from metroon.serve.pages.accessibility import Accessibility, headline, is_clean
from metroon.serve.pages.api import doors
from metroon.serve.pages.privacy import access_words, hidden_words, personal
from metroon.serve.words import Words

EN = Words("en")
TEMPLATES = Path(metroon.serve.__file__).parent / "templates"
RECORD = Record(
    on=date(2026, 6, 30), version="0.1", city="Little Tarn", tool="axe-core 4.12.1", browser="Chromium 156",
    pages=("/", "/plan"), themes=("light", "dark"), widths=(1280, 390), languages=("en", "es"),
    rules=("wcag2a", "wcag22aa"), runs=16,
)  # fmt: skip
FOUND = Found("color-contrast", "/plan", "serious", "Not enough contrast.", "dark", 390, 2)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(app(Village()), base_url="http://village.example")


def asked(village: Village | None = None, language: str = "en") -> Asked:
    site = (village or Village()).site()
    return Asked(
        site, site.catalog, site.gate, PUBLIC, site.words[language], "/accessibility", address="http://v.example"
    )


def statement(record: Record | None, folder: Path, contact: str = "") -> str:
    file = folder / "accessibility.json"
    if record is not None:
        file.write_text(accessibility.to_json(record), encoding="utf-8")
    now = asked(Village(replace(catalog(), portal=Portal(contact=contact))))
    page = Accessibility(file)
    template = now.site.environment("en").get_template(page.template)
    return template.render(page=page.view(now), asked=now, words=now.words)


# Method


@pytest.mark.parametrize("kind", sorted(kinds.names("measure")))
def test_every_kind_of_measure_has_a_text_of_its_own(kind):
    text = (TEMPLATES / "method" / f"{kind}.html").read_text(encoding="utf-8")

    assert "<h3>" in text
    assert kind in method.ORDER
    assert kind in formulas.SOURCES or kind == "stock"  # a stock is no sample of anything


def test_there_is_no_text_for_a_kind_that_does_not_exist():
    texts = {f.stem for f in (TEMPLATES / "method").glob("[!_]*.html")}

    assert set(kinds.names("measure")) == texts == set(method.ORDER)


def test_only_ways_of_counting_that_the_city_uses_are_told(client):
    page = client.get("/method").text

    assert 'id="kind-share"' in page
    assert 'id="kind-waiting"' not in page
    assert "1 measure is counted this way" in page


def test_a_kind_of_the_city_s_own_says_that_it_is_not_described():
    own = score()
    own = replace(own, measured=replace(own.measured, kind="moonlight"))
    page = TestClient(app(Village(replace(catalog(), scores={"dark": own}))), base_url="http://v.example").get(
        "/method"
    )

    assert 200 == page.status_code
    assert "has not described it here" in page.text


def test_a_city_without_targets_gaps_or_maps_is_not_told_of_them(client):
    page = client.get("/method").text

    for part in ("targets", "gaps", "places", "borrowed", "where", "complaints"):
        assert f'id="{part}"' not in page


def test_the_method_names_boundaries_with_edition_standing_and_source_of_residents(client):
    page = client.get("/method").text

    for said in ("edition 2025", "no authority has adopted these boundaries", "Residents: Invented count."):
        assert said in page


def test_constants_of_the_method_are_those_of_the_code():
    c = formulas.CONSTANTS

    assert c.useful_points == round(100 * shares._USEFUL)
    assert math.isclose(c.zero_upper, 3.6889, abs_tol=1e-4)
    assert (1.96, 11, 1.2) == (round(c.z, 2), c.fewest_events, round(c.widest, 9))
    assert 1 < c.quiet < 3


@given(st.integers(1, 400), st.integers(0, 400))
def test_the_printed_formula_of_a_share_is_that_of_the_code(n, x):
    x, z = min(x, n), formulas.CONSTANTS.z

    reach = z * math.sqrt(z**2 + 4 * x * (1 - x / n))
    printed = [(2 * x + z**2 + side * reach) / (2 * (n + z**2)) for side in (-1, 1)]

    found = wilson(np.array([float(x)]), np.array([float(n)]))
    assert np.allclose(printed, [found.low[0], found.high[0]], atol=1e-9)


@given(st.integers(10, 5000))
def test_the_printed_formula_of_a_count_is_that_of_the_code(x):
    z = formulas.CONSTANTS.z

    low = x * (1 - 1 / (9 * x) - z / (3 * math.sqrt(x))) ** 3
    high = (x + 1) * (1 - 1 / (9 * (x + 1)) + z / (3 * math.sqrt(x + 1))) ** 3

    found = byar(np.array([float(x)]))
    assert np.allclose([low, high], [found.low[0], found.high[0]], rtol=1e-9)


def test_every_source_with_an_identifier_is_linked_and_no_formula_is_orphaned(client):
    page = client.get("/method").text

    assert 'href="https://doi.org/10.1080/01621459.1927.10502953"' in page
    assert set(formulas.FORMULAS) <= {*formulas.SOURCES, "stock"}


def test_the_data_of_the_method_have_one_row_a_measure_and_no_level_for_a_stock():
    stock = score("ponds_there")
    stock = replace(stock, measured=replace(stock.measured, kind="stock"))
    village = Village(replace(catalog(), scores={"dark": score(), "ponds_there": stock}))

    rows = method.Method().data(asked(village)).rows

    assert [("dark", 0.95), ("ponds_there", None)] == [(r["measure"], r["level"]) for r in rows]


# Privacy


def test_the_register_holds_every_dataset_with_people_and_no_other():
    told = catalog(*catalog().datasets.values(), Dataset("poles", "table", "Poles", "", unit="none"))

    assert ["lamps", "ponds", "visits"] == sorted(d.name for d in personal(told))


def test_a_dataset_that_does_not_say_what_a_row_is_counts_as_one_about_people():
    assert ["x"] == [d.name for d in personal(catalog(Dataset("x", "table", "X", "")))]


def test_what_the_city_did_not_declare_is_said_and_not_left_empty():
    page = TestClient(app(Village(catalog(VISITS_SET))), base_url="http://v.example").get("/privacy").text

    assert 4 == page.count(">Not declared<")  # purpose, law, time, harm


def test_the_register_tells_purpose_law_time_harm_and_smallest_group():
    told = replace(
        VISITS_SET, purposes=("Heal people.",), legal_basis="Health code (invented)", retention="9 years",
        harm_notes="That somebody was ill.", minimum_cell=25,
    )  # fmt: skip
    page = TestClient(app(Village(catalog(told))), base_url="http://v.example").get("/privacy").text

    for said in ("Heal people.", "Health code (invented)", "9 years", "That somebody was ill.", "<dd>25</dd>"):
        assert said in page
    assert "Some datasets have a stricter limit:" in page


def test_rows_that_are_not_published_are_never_promised():
    assert "not published" in access_words(replace(VISITS_SET, access="public", has_rows=False), EN)
    assert "Everybody" in access_words(replace(VISITS_SET, has_rows=True), EN)


@given(st.integers(0, 500), st.integers(0, 500))
def test_hidden_numbers_are_counted_as_they_are(hidden, cells):
    said = hidden_words(min(hidden, cells), cells, EN)

    numbers = [int(n) for n in re.findall(r"\b\d+\b(?![.%])", said.split("(")[0])]
    assert numbers == ([] if not min(hidden, cells) else [min(hidden, cells), cells])


def test_the_portal_sets_no_cookie_as_its_privacy_page_says(client):
    for path in ("/", "/privacy", "/datasets", "/search?q=nothing+of+that+kind"):
        assert "set-cookie" not in client.get(path).headers


# Accessibility


def test_without_a_run_nothing_is_claimed(tmp_path):
    page = statement(None, tmp_path)

    assert "No automated run is on record for this version, so nothing is claimed here." in page
    assert 'class="pill good"' not in page
    assert 7 == page.count("Not yet done")


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", '{"on": "yesterday"}', json.dumps({"on": "2026-06-30", "runs": 3}), "\udcff"]
)
def test_a_record_that_cannot_be_read_counts_as_no_run(tmp_path, text):
    file = tmp_path / "accessibility.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))

    assert accessibility.read(file) is None


def test_a_record_of_no_page_is_no_run():
    assert accessibility.from_json(accessibility.to_json(replace(RECORD, pages=()))) is None
    assert accessibility.from_json(accessibility.to_json(replace(RECORD, runs=0))) is None


def test_what_is_written_is_read_back():
    full = replace(
        RECORD, violations=(FOUND,), unclear=(FOUND,), checks=(Checked("Keyboard", True, 2, "68 stops"),),
        faults=(Fault("Maps are slow.", date(2026, 6, 1)),),
        manual=(Manual("keyboard", date(2026, 6, 2), "Tester", "All stops."),),
    )  # fmt: skip

    assert full == accessibility.from_json(accessibility.to_json(full))


@given(st.integers(0, 3), st.lists(st.booleans(), max_size=3))
def test_no_violation_is_claimed_only_when_none_was_found(n, passed):
    checks = tuple(Checked("A check", p, 1) for p in passed)
    record = replace(RECORD, violations=(FOUND,) * n, checks=checks)

    said = headline(record, EN)

    assert (n == 0 and all(passed)) == is_clean(record) == (said == "The last automated run found no violation.")


def test_the_statement_shows_the_day_the_tool_the_pages_and_what_was_found(tmp_path):
    record = replace(
        RECORD, violations=(FOUND,), checks=(Checked("The keyboard reaches everything", False, 2),),
        faults=(Fault("Maps are slow.", date(2026, 6, 1), "Use the list."),),
        manual=(Manual("zoom", date(2026, 6, 2), "Tester (invented)", "Nothing is cut."),),
    )  # fmt: skip
    page = statement(record, tmp_path, "help@village.example")

    told = (
        *("Jun 30, 2026", "axe-core 4.12.1", "Chromium 156", "found 1 violation.", "color-contrast"),
        *("Not enough contrast.", "The keyboard reaches everything", "Does not hold", "Maps are slow."),
        *("Use the list.", "Nothing is cut.", "mailto:help@village.example"),
        *("Apr 26, 2027", "Apr 26, 2028", "50,000"),
    )
    for said in told:
        assert said in page
    assert 6 == page.count("Not yet done")


def test_a_clean_run_says_so_and_still_claims_no_conformance(tmp_path):
    page = statement(RECORD, tmp_path)

    assert "The last automated run found no violation." in page
    assert "we do not say that it meets the guidelines" in page


def test_the_findings_are_there_as_data(tmp_path):
    file = tmp_path / "accessibility.json"
    file.write_text(accessibility.to_json(replace(RECORD, violations=(FOUND,))), encoding="utf-8")

    rows = Accessibility(file).data(asked()).rows

    assert [("violation", "color-contrast", 390)] == [(r["result"], r["rule"], r["width"]) for r in rows]


def test_a_record_that_is_shipped_can_be_read():
    assert not accessibility.SHIPPED.exists() or accessibility.read() is not None


# Feeds and doors


def test_every_feed_that_is_offered_is_there(client):
    page = client.get("/feeds").text
    paths = sorted(set(re.findall(r'href="(/feeds/[^"]+)"', page)))

    assert "/feeds/city.atom" in paths
    assert "/feeds/neighborhoods/A1.json" in paths
    assert [] == [p for p in paths if client.get(p).status_code != 200]


def test_every_door_of_the_installation_is_told_with_its_standard_and_start(client):
    page = client.get("/api").text

    for name in kinds.names("serve"):
        assert f'id="door-{name}"' in page
    assert [] == [d.name for d in doors("http://v.example", example="lamps") if not d.title or not d.standard]


def test_every_door_opens_where_the_page_says(client):
    starts = [d.start for d in doors("", example="lamps") if d.start]

    assert [] == [p for p in starts if client.get(p).status_code != 200]


def test_a_pattern_is_no_link_when_there_is_nothing_to_put_in():
    assert [] == [d.start for d in doors("", example="") if "{" in d.start]


@pytest.mark.parametrize("path", ["/method", "/privacy", "/feeds", "/api", "/glossary", "/stories"])
def test_texts_have_data_at_their_own_address(client, path):
    assert 200 == client.get(f"{path}.csv").status_code


@pytest.mark.parametrize(
    "path", ["/plan", "/stories", "/glossary", "/method", "/privacy", "/accessibility", "/feeds", "/api", "/about"]
)
def test_every_text_is_a_page_with_one_title_in_every_language(client, path):
    for prefix in ("", "/es"):
        page = client.get(f"{prefix}{path}")

        assert 200 == page.status_code
        assert 1 == page.text.count("<h1")
    assert path in [p.path for p in PAGES]


# About


def test_the_page_about_the_portal_counts_what_there_is_and_names_licences_and_what_has_none(client):
    page = client.get("/about").text

    assert "<dt>Measures</dt><dd>1</dd>" in page
    assert "<dt>Not collected yet</dt><dd>1</dd>" in page
    assert "CC0" in page
    assert "2 datasets and measures" in page
    assert "For 1 published dataset or measure the city has named no license." in page


def test_an_invented_city_says_that_nobody_reads_its_mail(client):
    assert "nobody reads its mail" in client.get("/about").text
