"""The inventory lists everything, and the page of a dataset shows only what is published of it."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import DAY, SECRET, SmallPortal, column, datasets, editions, small_portal, trees
from starlette.testclient import TestClient

from metroon.base.catalog import Check, Column, Dataset, Day, Rows
from metroon.base.engine import Engine
from metroon.permit import PUBLIC, Gate
from metroon.serve.app import app
from metroon.serve.citation import citation
from metroon.serve.over_time import OverTime, finding, is_clearly_fewer, over_time, whole_months
from metroon.serve.preview import preview
from metroon.serve.shares import share_finding, shares
from metroon.serve.site import Site
from metroon.serve.words import Words

if TYPE_CHECKING:
    from pathlib import Path

EN = Words("en")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallPortal:
    return small_portal(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def ask(small: SmallPortal) -> TestClient:
    return TestClient(app(small), base_url="http://127.0.0.1:8000")


def with_datasets(small: SmallPortal, *made: Dataset) -> TestClient:
    """The portal with other datasets beside its own, or in place of them."""
    gate = small.site().gate
    catalog = replace(small.site().catalog, datasets={**datasets(), **{d.name: d for d in made}})
    return TestClient(app(SmallPortal(Site(Gate(catalog, gate.opener)))), base_url="http://127.0.0.1:8000")


def titles(page: str) -> list[str]:
    return re.findall(r"<h2><a [^>]*>([^<]+)</a></h2>", page)


def total(page: str) -> int:
    said = re.search(r"(?:of ([\d,]+)\.|([\d,]+) fits?\.)", page)
    return int((said[1] or said[2]).replace(",", "")) if said else 0


# The inventory


def test_what_is_not_public_and_what_is_not_collected_is_listed_as_such(ask):
    page = ask.get("/datasets").text

    assert ["Parks", "Patients", "Shade", "Trees", "Wards"] == titles(page)
    assert "Not public" in page
    assert "Not collected yet" in page


def test_every_choice_leads_to_as_many_entries_as_it_says(ask):
    page = ask.get("/datasets").text
    choices = re.findall(r'<li><a href="(/datasets\?[^"]+)"><span>[^<]+</span><span class="n">(\d+)</span>', page)

    assert len(choices) >= 8
    for href, count in choices:
        assert int(count) == total(ask.get(html.unescape(href)).text)


def test_choices_count_what_the_other_choices_leave(ask):
    page = ask.get("/datasets?access=public&shape=table").text

    assert ["Parks", "Trees"] == titles(page)
    assert '<span>Measure</span><span class="n">1</span>' in page  # public measures, were the kind left
    assert '<span>Not public</span><span class="n">1</span>' in page


def test_a_choice_that_nothing_fits_says_so_and_leads_back(ask):
    page = ask.get("/datasets?topic=nothing").text

    assert "Nothing in the inventory fits." in page
    assert '<a href="/datasets">Show everything</a>' in page


def test_words_find_entries_and_their_best_match_comes_first(ask):
    assert "Trees" == titles(ask.get("/datasets?q=tree").text)[0]


def test_a_misspelt_search_is_helped(ask):
    assert "Did you mean" in ask.get("/datasets?q=wxtrees").text or titles(ask.get("/datasets?q=treees").text)


@pytest.mark.parametrize("page", ["0", "-1", "99999", "x", "1e9", "٣", "9" * 40])
def test_a_page_that_is_not_there_shows_the_nearest(ask, page):
    assert 5 == len(titles(ask.get("/datasets", params={"page": page}).text))


def test_pages_of_ten_thousand_entries_show_each_once(small):
    many = [Dataset(f"set{i}", "listed", f"Set {i:05}", "One of many.", department=f"D{i % 97}") for i in range(10_000)]
    ask = with_datasets(small, *many)
    first = ask.get("/datasets?department=D3").text
    seen = [t for n in range(1, 7) for t in titles(ask.get(f"/datasets?department=D3&page={n}").text)]

    assert total(first) == len(seen) == len(set(seen)) == len([d for d in many if d.department == "D3"])
    assert seen == sorted(seen)


def test_the_inventory_as_data_holds_what_the_list_holds(ask):
    rows = ask.get("/datasets.json?access=public").json()

    assert ["parks", "shade", "trees"] == sorted(r["name"] for r in rows)


def test_markup_in_parameters_stays_text(ask):
    page = ask.get("/datasets", params={"q": "<script>alert(1)</script>", "topic": '"><b>'}).text

    assert "<script>alert" not in page
    assert '"><b>' not in page


# One dataset


def test_a_dataset_shows_its_facts_its_rows_and_how_to_use_them(ask):
    page = ask.get("/datasets/trees").text

    for said in ("Every tree of the city.", "1,000 rows", "CC0", "Trees on private land are missing.", "Look inside",
                 "t00000", "What each column means", "Use it", "pd.read_parquet", "Versions", "Cite it",
                 "/datasets/trees.csv", "/datasets/trees.geojson", "/feeds/datasets/trees.atom", "Shade"):  # fmt: skip
        assert said in page, said


def test_what_is_left_out_of_the_rows_is_named_but_never_shown(ask):
    page = ask.get("/datasets/trees").text

    assert "Left out." in page
    assert SECRET not in page


def test_a_row_filter_takes_plain_words(ask):
    page = ask.get("/datasets/trees", params={"filter": "OAK T00003"}).text

    assert "t00003" in page
    assert "t00000" not in page
    assert "1 row of 1,000 hold these words" in page


@pytest.mark.parametrize("words", ["' or '1'='1", "%", "_", "x' or '1'='1", "); drop view x --", "\\", "\x00", "é 东"])
def test_a_row_filter_takes_nothing_but_words(small, words):
    found = preview(small.site().gate.rows(PUBLIC, "trees", "page"), words)
    told = words.casefold().split()

    assert "" == found.trouble
    assert all(all(any(w in str(v).casefold() for v in r) for w in told) for r in found.rows)


def test_a_filter_that_nothing_fits_says_so(ask):
    assert "No row holds all of these words." in ask.get("/datasets/trees?filter=zebra").text


def test_a_value_is_found_by_the_label_that_people_see(small):
    rows = small.site().gate.rows(PUBLIC, "trees", "page")
    kind = replace(column("kind", "string"), allowed=(("oak", "Quercus"), ("elm", "Ulmus")))
    labelled = replace(rows, columns=tuple(kind if c.name == "kind" else c for c in rows.columns))

    assert 334 == preview(labelled, "quercus").fits


def test_each_version_has_its_own_address(ask):
    page = ask.get("/datasets/trees?version=1").text

    assert "You are looking at version 1" in page
    assert "100 rows" in page
    assert "/datasets/trees.csv?version=1" in page
    assert "trees.parquet?version=1" in page


@pytest.mark.parametrize("path", ["/datasets/trees?version=3", "/datasets/trees?version=x", "/datasets/nothing",
                                  "/datasets/shade", "/datasets/trees?version=01"])  # fmt: skip
def test_what_is_not_there_is_not_found(ask, path):
    assert 404 == ask.get(path).status_code


def test_a_dataset_without_published_rows_tells_what_the_contract_says(ask):
    page = ask.get("/datasets/patients").text

    assert "Its rows are not published." in page
    assert "Name" in page
    assert 'id="use-it"' not in page
    assert "Use it for anything" not in page
    assert "/datasets/patients.csv" not in page
    assert 404 == ask.get("/datasets/patients.csv").status_code


def test_an_entry_that_is_not_collected_says_why(small):
    entry = Dataset("wards", "listed", "Wards", "All wards.", access="public", not_yet="No one counts them.")
    page = with_datasets(small, entry).get("/datasets/wards").text

    assert "No one counts them." in page
    assert "Can I trust it today?" not in page


def test_rows_that_were_erased_leave_the_page(tmp_path: Path):
    erased = small_portal(tmp_path)
    ask = TestClient(app(erased), base_url="http://127.0.0.1:8000")
    for file in tmp_path.glob("trees-*"):
        file.unlink()
    page = ask.get("/datasets/trees")

    assert 200 == page.status_code
    assert "What each column means" in page.text


def test_days_without_a_run_say_so_and_failing_checks_are_named(small):
    days = tuple(Day(DAY - timedelta(days=29 - i), "ok" if i % 3 == 0 else "none") for i in range(30))
    kept = Check("id is missing", "id", "completeness", "set aside", True)
    checks = (kept, Check("no key twice", "id", "uniqueness", "stop", False))
    page = with_datasets(small, replace(datasets()["trees"], days=days, checks=checks)).get("/datasets/trees").text

    assert 20 == page.count(": nothing ran</span>")
    assert "It ran on 10 days of 30." in page
    assert "1 check fails" in page
    assert "no key twice" in page


def test_structured_data_cannot_end_its_block(small):
    nasty = replace(datasets()["trees"], description="</script><script>alert(1)</script>")

    assert "</script><script>alert" not in with_datasets(small, nasty).get("/datasets/trees").text


@pytest.mark.parametrize("contact", ["javascript:alert(1)", "//evil.example", "data:text/html,x"])
def test_a_contact_is_a_link_only_when_it_can_do_no_harm(small, contact):
    steward = replace(datasets()["trees"].steward, contact=contact)

    page = with_datasets(small, replace(datasets()["trees"], steward=steward)).get("/datasets/trees").text
    assert f'href="{contact}' not in page


def test_a_licence_is_a_link_only_when_it_can_do_no_harm(small):
    licence = replace(datasets()["trees"].licence, url="javascript:alert(1)")

    page = with_datasets(small, replace(datasets()["trees"], licence=licence)).get("/datasets/trees").text
    assert "javascript:alert" not in re.sub(r'<script type="application/ld\+json">.*?</script>', "", page)


# Rows over time


def months(first: date, n: int) -> list[date]:
    return [date(first.year + (first.month - 1 + i) // 12, (first.month - 1 + i) % 12 + 1, 1) for i in range(n)]


series = st.lists(st.integers(0, 3000), min_size=6, max_size=80)


@given(series, st.integers(1, 12))
def test_a_headline_holds_whenever_it_is_printed(counts, month):
    told = OverTime(tuple(months(date(2018, month, 1), len(counts))), tuple(counts))
    said, years = finding(told, EN), told.years

    if said.startswith(("Fewer", "More")):
        last = max(years)
        before = [y for y in years if y != last]
        assert before == list(range(last - len(before), last))
        assert f"in {last}" in said
        for year in before:
            assert years[last] < years[year] if said.startswith("Fewer") else years[last] > years[year]
    else:
        assert said.startswith("About ")


@given(st.lists(st.integers(50, 3000), min_size=48, max_size=48))
def test_one_lower_year_before_takes_the_headline_away(counts):
    told = OverTime(tuple(months(date(2018, 1, 1), 48)), tuple(counts))
    if finding(told, EN).startswith("Fewer"):
        lower = OverTime(told.months, (*(c // 4 for c in counts[-12:]), *counts[12:]))

        assert not finding(lower, EN).startswith("Fewer")


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_two_counts_are_never_each_fewer_than_the_other(a, b):
    assert not (is_clearly_fewer(a, b) and is_clearly_fewer(b, a))


def test_a_part_of_a_month_is_no_month():
    full = {m: (30, m, m + timedelta(days=27)) for m in months(date(2025, 1, 1), 8)}
    told = whole_months(full, until=date(2025, 12, 31))

    assert told is not None
    assert (date(2025, 7, 1), 7) == (told.months[-1], len(told.months))


def test_a_month_without_rows_counts_none_of_them():
    full = {m: (30, m, m + timedelta(days=27)) for m in months(date(2025, 1, 1), 9) if m.month != 4}
    told = whole_months(full, until=date(2025, 12, 31))

    assert told is not None
    assert 0 == told.counts[3]


def test_rows_dated_later_than_today_are_not_counted():
    full = {m: (30, m, m + timedelta(days=30)) for m in months(date(2025, 1, 1), 36) if m.month in (1, 3, 5)}
    told = whole_months(full, until=date(2026, 2, 1))

    assert told is not None
    assert told.months[-1] <= date(2026, 2, 1)


def test_too_few_months_are_no_trend(small):
    assert over_time(small.site().gate.rows(PUBLIC, "trees", "page"), until=DAY) is None


def monthly(engine: Engine) -> Rows:
    days = [date(2022, 1, 1) + timedelta(days=i) for i in range(365 * 3)]
    table = pa.table({"kind": ["a"] * len(days), "on": pa.array(days, pa.date32())})
    told = Dataset("calls", "table", "Calls", "", has_rows=True, time="on", editions=editions(1))
    return Rows(told, told.editions[0], engine.table(table), (column("kind", "string"), column("on", "date")),
                len(days), engine=engine)  # fmt: skip


def test_rows_are_counted_by_month():
    told = over_time(monthly(Engine()), until=DAY)

    assert told is not None
    assert (31, 28, 31) == told.counts[:3]
    assert {2022: 365, 2023: 365} == {y: n for y, n in told.years.items() if y < 2024}
    assert 365 / 12 == told.yearly_means[11]
    assert (None,) * 11 == told.yearly_means[:11]


# Rows by value


def split(*counts: int) -> Rows:
    engine = Engine()
    labels = "abcdef"[: len(counts)]
    table = pa.table({"kind": [k for k, n in zip(labels, counts, strict=True) for _ in range(n)]})
    kind = replace(column("kind", "string"), allowed=tuple((k, k.upper()) for k in labels))
    told = Dataset("lamps", "table", "Lamps", "", has_rows=True, point=("x", "y"), editions=editions(1))
    return Rows(told, told.editions[0], engine.table(table), (kind,), sum(counts), engine=engine)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=5))
def test_most_is_said_only_of_more_than_half(counts):
    told = shares(split(*counts))

    assert told is not None
    assert ("most rows say" in share_finding(told, EN)) == (2 * max(counts) > sum(counts))
    assert sum(counts) == told.total


def test_half_is_never_told_as_more():
    told = shares(split(501, 499))

    assert told is not None
    assert "(50.1%)" in share_finding(told, EN)


# Citing


def test_a_citation_names_version_day_licence_and_a_link_that_stays(small):
    catalog = small.site().catalog
    trees_ = catalog.datasets["trees"]
    told = citation(catalog, trees_, trees_.editions[1], address="https://data.example.gov", words=EN)

    assert (
        "Smallville, Parks Department (2026). Trees, version 1 of Jul 15, 2026. Licence: CC0-1.0. "
        "https://data.example.gov/datasets/trees?version=1" == told.text
    )
    assert told.bibtex.startswith("@misc{trees_1,\n")
    assert told.bibtex.count("{") == told.bibtex.count("}")


# The invented city


@pytest.mark.slow
def test_every_dataset_of_the_demonstration_city_has_a_page(client, portal):
    for d in portal.site().catalog.datasets.values():
        if d.shape != "measure":
            page = client.get(d.path)
            assert 200 == page.status_code
            assert html.escape(d.title) in page.text
            assert ('id="use-it"' in page.text) == d.has_rows


@pytest.mark.slow
def test_rows_of_people_are_on_no_page_of_the_demonstration_city(client, portal):
    for d in portal.site().catalog.datasets.values():
        if d.shape == "table" and not d.has_rows:
            assert 404 == client.get(f"{d.path}.csv").status_code
            assert "First rows" not in client.get(d.path).text


def test_the_columns_of_a_made_table_stand_for_every_type():
    assert {c.type for c in datasets()["trees"].columns} >= {"string", "integer", "number", "boolean", "date"}
    assert isinstance(datasets()["trees"].columns[0], Column)
    assert 10 == trees(10).num_rows
