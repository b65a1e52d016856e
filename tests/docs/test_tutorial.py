from pathlib import Path

import pytest
from snippets import walk

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs" / "tutorial").glob("*.md")), *sorted((ROOT / "docs" / "howto").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page, tmp_path):
    assert walk(page, tmp_path) > 0
