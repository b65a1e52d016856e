"""What stands in the templates: no number that nobody computed, no word that cannot be translated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import metroon.serve

TEMPLATES = Path(metroon.serve.__file__).parent / "templates"
FILES = sorted(TEMPLATES.rglob("*.html"))
_SAID = re.compile(r"""\b_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_JINJA = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL)
_MARKS = re.compile(r"<script.*?</script>|<style.*?</style>|<svg.*?</svg>|<!--.*?-->|<[^>]*>", re.DOTALL)
_SAME = {"BibTeX", "404"}
"""What is written alike in every language."""
# Numbers that are names of laws, standards and formulas, or the one level of every interval; not figures of the city.
NAMES = re.compile(
    r"95 ?%%?|99\.8 ?%%?|5 ?%%?|WCAG 2\.[12]|DCAT-US [13]\.[01]|OpenAPI 3\.1|RFC \d+|CKAN|v3\b|Part 1|JSON Feed 1\.1|"
    r"Schema\.org|311|CRS84|\bA4\b|CC0[- ]1\.0|ODCS 3\.2|\(?(?:18|19|20)\d\d\)?|[.,]\d+ (?:FR|USC)|\d+ FR \d+|"
    r"doi:\S+|%\(\w+\)[sd]|100,?000|10,?000|1,?000|[0-9]+(?:–|-)[0-9]+ ?,|ISO \d+|30 days ago"
)


def said(file: Path) -> list[str]:
    """What stands in a template outside of its marks."""
    plain = _JINJA.sub("", file.read_text(encoding="utf-8"))
    return [re.sub(r'[a-z-]+="[^"]*"', "", t).strip() for t in _MARKS.split(plain)]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_no_words_stand_in_a_template_that_cannot_be_translated(file):
    left = said(file)

    assert [] == [t for t in left if t not in _SAME and re.search(r"[A-Za-z]{2,}", re.sub(r"&\w+;", "", t))]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_no_number_stands_in_a_template_that_nobody_computed(file):
    text = file.read_text(encoding="utf-8")
    every = [m[1:-1] for m in _SAID.findall(text)] + said(file)

    assert [] == [s for s in every if s not in _SAME and re.search(r"\d", NAMES.sub("", re.sub(r"&#?\w+;", "", s)))]
