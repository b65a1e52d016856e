from __future__ import annotations

from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from metroon.cli import main
from tiny import tiny_city


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_city(tmp_path_factory.mktemp("toytown")))


def printed(*words: str) -> str:
    result = CliRunner().invoke(main, list(words), catch_exceptions=False)
    return result.stdout


def test_a_run_is_brief_unless_it_is_asked_in_full(city):
    brief, full = printed("run", city), printed("run", city, "--full")

    assert "read = kept + set aside + refused" in brief
    assert "read = kept + set aside + refused" not in full
    assert "WHERE THE ROWS WENT" in full


def test_what_is_shown_can_be_kept_as_a_picture(city, tmp_path):
    file = tmp_path / "pictures" / "run.svg"
    printed("run", city, "--picture", str(file))
    title = ElementTree.parse(file).getroot().find("{http://www.w3.org/2000/svg}title")

    assert title is not None
    assert title.text == "metroon run"
