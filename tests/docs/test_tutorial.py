from pathlib import Path

import pytest
from snippets import blocks, walk

DOCS = Path(__file__).parents[2] / "docs"
HOW_TO = [
    page for page in sorted((DOCS / "howto").glob("*.md")) if any(b.kind in ("bash", "console") for b in blocks(page))
]


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(tmp_path):
    assert walk(DOCS / "tutorial" / "first-city.md", tmp_path) > 20


@pytest.mark.slow
@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page, tmp_path):
    assert walk(page, tmp_path) > 0
