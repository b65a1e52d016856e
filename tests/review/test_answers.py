"""The numbers of a story are found anew among what is released."""

from datetime import date
from pathlib import Path

import pytest

from metroon import review
from metroon.city.stories import story
from metroon.review import Known

TEXT = """\
---
title: Shade
summary: Where it is.
on: 2026-06-01
author: Steward
queries:
  city: {measure: shade}
  north: {measure: shade, geography: ward, place: north}
  wards: {measure: shade, geography: ward}
  then: {measure: shade, period: "2024"}
  gone: {measure: sun}
---
Of all streets {{ city.value }} have shade.
"""
KNOWN = Known({"measure": ["shade", "sun"], "geography": ["shade.ward"], "group": []}, ())


def row(period, value, geography="all", place="all"):
    told = {"period": period, "value": value, "geography": geography, "place": place, "dimension": "all"}
    return {**told, "group": "all"}


ROWS = {
    "shade": [
        row("2024", 0.2), row("2025", 0.3), row("2026", None), row("2025", 0.5, "ward", "north"),
        row("2025", None, "ward", "south"), row("2024", 0.1, "ward", "south"), row("all", 0.25),
    ]
}  # fmt: skip


def written(tmp_path: Path, text: str = TEXT):
    (tmp_path / "shade.md").write_text(text, encoding="utf-8")
    return story(tmp_path / "shade.md", ["en"])


@pytest.mark.parametrize(
    ("name", "values"),
    [("city", [0.3]), ("north", [0.5]), ("wards", [0.5, None]), ("then", [0.2]), ("gone", [])],
)
def test_a_question_finds_its_rows(name, values, tmp_path):
    told = review.answered(written(tmp_path), ROWS)
    found = {q.name: q for q in told.queries}[name]

    assert values == [r["value"] for r in found.rows]


def test_a_story_keeps_its_words(tmp_path):
    told = review.answered(written(tmp_path), {})

    assert ("shade", "Shade", date(2026, 6, 1), "en") == (told.id, told.title, told.on, told.language)
    assert "Of all streets {{ city.value }} have shade.\n" == told.markdown


@pytest.mark.parametrize(
    ("before", "after", "line", "code"),
    [
        ("city: {measure: shade}", "city: {measure: shades}", 7, "R101"),
        ("geography: ward, place", "geography: wards, place", 8, "R101"),
        ("city.value", "city.worth", 13, "R107"),
    ],
)
def test_names_that_are_not_there_are_told_with_their_line(before, after, line, code, tmp_path):
    made = written(tmp_path, TEXT.replace(before, after))
    found = list(review.story_faults(made, KNOWN, ["value", "low"]))

    assert [(line, code)] == [(p.line, p.code) for p in found]
