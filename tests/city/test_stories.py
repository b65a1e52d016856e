"""stories/*.md: front matter, text, and every fault at its line in the file."""

from datetime import date

import pytest

from metroon.base.errors import Refused
from metroon.city import load
from tiny import swapped, tiny_city

STORY = """\
---
title: Crashes of the year
summary: How many there were.
on: 2026-02-01
author: Steward of roads
queries:
  all: {measure: crash_count}
  north: {measure: crash_count, geography: ward, place: north}
---
In {{ all.period }} there were {{ all.value }} crashes.

---

{{north.value}} of them were in the north.
"""


def read(tmp_path, **stories):
    files = {f"stories/{name}.md": text for name, text in stories.items()}
    return load(tiny_city(tmp_path, **files)).stories


def refused(tmp_path, text, name="crashes_told"):
    with pytest.raises(Refused) as stopped:
        read(tmp_path, **{name: text})
    return [(p.line, p.code) for p in stopped.value.problems]


def test_a_story_is_its_front_matter_and_its_text(tmp_path):
    (told,) = read(tmp_path, crashes_told=STORY)

    assert ("crashes_told", "Crashes of the year", date(2026, 2, 1), "en") == (
        told.id, told.file.title, told.file.on, told.file.language
    )  # fmt: skip
    assert told.markdown.startswith("In {{ all.period }}")
    assert told.markdown.endswith("in the north.\n")


def test_every_number_in_the_text_is_found_with_its_line(tmp_path):
    (told,) = read(tmp_path, crashes_told=STORY)

    assert [(10, "all.period"), (10, "all.value"), (14, "north.value")] == list(told.blanks())


def test_the_newest_story_comes_first(tmp_path):
    older = swapped(STORY, "2026-02-01", "2026-01-01")

    assert ["b", "a", "c"] == [s.id for s in read(tmp_path, a=older, b=STORY, c=older)]


@pytest.mark.parametrize(
    ("before", "after", "line", "code"),
    [
        ("title: Crashes of the year\n", "titel: Crashes of the year\n", 2, "Y103"),
        ("on: 2026-02-01", "on: yesterday", 4, "Y103"),
        ("{measure: crash_count}", "{measure: crash_count, wards: 1}", 7, "Y103"),
        ("geography: ward, place: north", "place: north", 8, "R107"),
        ("{{ all.value }}", "{{ every.value }}", 10, "R107"),
        ("{{ all.value }}", "{{ 6 * 7 }}", 10, "R107"),
        ("{{north.value}}", "{{ north }}", 14, "R107"),
        ("author: Steward of roads", "author: Steward of roads\nlanguage: fr", 6, "R101"),
    ],
)
def test_a_fault_of_a_story_is_told_at_its_line(before, after, line, code, tmp_path):
    assert (line, code) in refused(tmp_path, swapped(STORY, before, after))


@pytest.mark.parametrize("text", ["No front matter.\n", "---\ntitle: Never ends\n", "\n---\ntitle: Late\n---\n"])
def test_a_story_without_front_matter_is_refused(text, tmp_path):
    assert [(1, "R107")] == refused(tmp_path, text)


def test_the_name_of_the_file_is_the_permanent_id(tmp_path):
    assert [(0, "Y105")] == refused(tmp_path, STORY, name="Crashes-2026")


def test_keys_that_stand_twice_are_told(tmp_path):
    twice = swapped(STORY, "author: Steward of roads\n", "author: A\nauthor: B\n")

    assert [(6, "Y102")] == refused(tmp_path, twice)


def test_other_stories_are_read_when_one_is_wrong(tmp_path):
    files = {"stories/good.md": STORY, "stories/bad.md": "Nothing."}
    found = []
    city = load(tiny_city(tmp_path, **files), found)

    assert (["good"], ["R107"]) == ([s.id for s in city.stories], [p.code for p in found])
