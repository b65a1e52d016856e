"""A copy of the portal as files."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from small import SmallPortal, small_portal

from metroon.base.errors import Refused
from metroon.permit import Gate
from metroon.serve.copy import MARK, copy
from metroon.serve.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from metroon.serve.copy import Copied


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallPortal:
    made = small_portal(tmp_path_factory.mktemp("small"))
    gate = made.site().gate
    catalog = replace(made.site().catalog, languages=("en", "es"))
    return SmallPortal(Site(Gate(catalog, gate.opener)))


@pytest.fixture(scope="module")
def copied(small: SmallPortal, tmp_path_factory: pytest.TempPathFactory) -> Copied:
    return copy(small, tmp_path_factory.mktemp("copied") / "site", address="https://data.example.gov", most_rows=500)


def test_every_page_is_there_in_every_language(copied: Copied) -> None:
    for name in ("index.html", "datasets/index.html", "datasets/trees/index.html", "measures/index.html", "404.html"):
        for prefix, language in (("", "en"), ("es/", "es")):
            assert f'<html lang="{language}"' in (copied.folder / f"{prefix}{name}").read_text(encoding="utf-8")


def test_what_a_page_shows_is_there_as_data_when_it_is_small(copied: Copied) -> None:
    parks = json.loads((copied.folder / "datasets/parks.json").read_text(encoding="utf-8"))

    assert 5 == len(parks)
    assert not (copied.folder / "datasets/trees.csv").exists()
    assert "/datasets/trees.csv" in copied.only_served


def test_what_programs_read_is_there(copied: Copied) -> None:
    assert json.loads((copied.folder / "data.json").read_text(encoding="utf-8"))
    assert "https://data.example.gov/datasets/trees" in (copied.folder / "sitemap.xml").read_text(encoding="utf-8")


def test_every_link_leads_to_a_file_or_is_told(copied: Copied) -> None:
    missing = set()
    for page in copied.folder.rglob("*.html"):
        for link in re.findall(r"(?:href|src)=[\"'](/[^\"'#?]*)", page.read_text(encoding="utf-8")):
            file = copied.folder / link.lstrip("/")
            if not file.is_file() and not (file / "index.html").is_file():
                missing.add(link)

    assert missing <= set(copied.only_served)


def test_the_styles_and_the_fonts_that_they_name_are_there(copied: Copied) -> None:
    css = (copied.folder / "static/fonts/fonts.css").read_text(encoding="utf-8")

    assert (copied.folder / "static/portal.css").is_file()
    assert [] == [f for f in re.findall(r"url\(([^)]+)\)", css) if not (copied.folder / "static/fonts" / f).is_file()]


def test_in_the_place_of_the_search_stands_the_list_of_everything(copied: Copied) -> None:
    page = (copied.folder / "es/search/index.html").read_text(encoding="utf-8")

    assert 'href="/es/datasets/trees"' in page
    assert 'href="/es/measures/shade"' in page


def test_a_copy_takes_the_place_of_an_older_one_and_keeps_nothing_of_it(small: SmallPortal, tmp_path: Path) -> None:
    made = copy(small, tmp_path / "site", most_rows=0)
    (made.folder / "old.html").write_text("old")
    copy(small, tmp_path / "site", most_rows=0)

    assert not (made.folder / "old.html").exists()
    assert ["site"] == [p.name for p in tmp_path.iterdir()]


def test_a_folder_that_holds_something_else_is_not_touched(small: SmallPortal, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"photo")
    with pytest.raises(Refused) as refused:
        copy(small, tmp_path)

    assert ["S101"] == [p.code for p in refused.value.problems]
    assert [tmp_path / "photo.jpg"] == list(tmp_path.iterdir())


def test_an_empty_folder_may_be_filled(small: SmallPortal, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()

    assert (copy(small, tmp_path / "site", most_rows=0).folder / MARK).is_file()
