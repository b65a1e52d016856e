"""Layouts: where the table of a workbook or a document is, as a draft guesses it; every row is accounted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.collect.layout import document, workbook
from metroon.collect.profile import profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ROWS = [[f"Shelter {n}", n, n * 2.5] for n in range(30)]


def book(file: Path, sheets: Mapping[str, Sequence[Sequence[object]]], merged: Sequence[str] = ()) -> Path:
    made = xlsxwriter.Workbook(file)
    for name, rows in sheets.items():
        sheet = made.add_worksheet(name)
        for i, row in enumerate(rows):
            sheet.write_row(i, 0, row)
        for area in merged:
            sheet.merge_range(area, "Beds")
    made.close()
    return file


def test_a_plain_sheet_needs_no_option(tmp_path):
    file = book(tmp_path / "a.xlsx", {"Beds": [["Name", "Beds", "Share"], *ROWS]})

    assert ("excel", {}, ()) == (workbook(file).kind, workbook(file).options, workbook(file).notes)
    assert 30 == profile(file).rows


def test_a_title_above_and_a_total_below_are_no_records(tmp_path):
    rows = [["Beds of 2024"], [], ["Name", "Beds", "Share"], *ROWS, ["Total", 435, 1.0], [], ["Source: invented"]]
    file = book(tmp_path / "a.xlsx", {"Beds": rows})

    assert {"skip": 2, "footer": "Total"} == workbook(file).options
    assert (30, ["Name", "Beds", "Share"]) == (profile(file).rows, [c.header for c in profile(file).columns])


@pytest.mark.parametrize(
    "last",
    [
        ["Summit Shelter", 435, 1.0],
        ["Total Wine", 1, "a shop"],
        ["Source A", 2, 0.5],
        ["Notes", 2, 0.5],
        ["Sumner", 1, 1.0],
    ],
)
def test_a_record_that_is_called_like_a_total_is_a_record(last, tmp_path):
    file = book(tmp_path / "a.xlsx", {"Beds": [["Name", "Beds", "Share"], *ROWS, last]})

    assert ({}, 31) == (workbook(file).options, profile(file).rows)


def test_what_stands_below_a_blank_row_is_told_before_it_counts(tmp_path):
    rows = [["Name", "Beds", "Share"], *ROWS, [], ["Prepared by the invented department"]]
    file = book(tmp_path / "a.xlsx", {"Beds": rows})

    below, note = profile(file).notes
    assert below.startswith("1 row stands below a blank one")
    assert note.startswith("The last record holds one text and nothing else")
    assert () == profile(book(tmp_path / "b.xlsx", {"Beds": [["Name", "Beds", "Share"], [], *ROWS]})).notes


def test_cells_that_are_merged_downwards_give_each_row_their_value(tmp_path):
    rows = [["Name", "Beds", "Share"], *ROWS]
    file = book(tmp_path / "a.xlsx", {"Beds": rows}, merged=["A2:A6", "A9:A10"])

    assert {"merged": "every"} == workbook(file).options
    assert 0 == profile(file).columns[0].empty
    assert {} == workbook(book(tmp_path / "b.xlsx", {"Beds": rows}, merged=["A2:B2"])).options


def test_totals_among_the_records_end_none(tmp_path):
    rows = [["Name", "Beds", "Share"], *ROWS[:9], ["Total", 36, 1.0], *ROWS[9:], ["Total", 435, 1.0]]
    file = book(tmp_path / "a.xlsx", {"Beds": rows})

    assert ({}, 32) == (workbook(file).options, profile(file).rows)
    assert any("looks like a sum of the others" in note for note in profile(file).notes)


def test_a_header_of_two_rows_with_merged_cells_is_joined(tmp_path):
    rows = [["Name", "", ""], ["Name", "all", "share"], *ROWS]
    file = book(tmp_path / "a.xlsx", {"Beds": rows}, merged=["B1:C1"])

    assert {"header_rows": 2} == workbook(file).options
    assert "Beds / all" in [c.header for c in profile(file).columns]


def test_the_largest_sheet_is_read_and_the_others_are_told(tmp_path):
    table = [["Name", "Beds", "Share"], *ROWS]
    file = book(tmp_path / "a.xlsx", {"Read me": [["A note"]], "2024": table, "2023": table})
    found = workbook(file)

    assert {"sheet": "2024"} == found.options
    assert "one of 3" in found.notes[0]


def test_a_workbook_without_anything_is_refused(tmp_path):
    with pytest.raises(Refused, match="no sheet of the workbook holds anything"):
        profile(book(tmp_path / "a.xlsx", {"Beds": []}))


def test_a_table_whose_headers_all_stand_twice_is_refused(tmp_path):
    with pytest.raises(Refused, match="every header stands more than once"):
        profile(book(tmp_path / "a.xlsx", {"Beds": [["Share", "Share"], [1, 2]]}))


@pytest.mark.parametrize(
    ("told", "kind", "options"),
    [
        ([{"a": 1}, {"a": 2}], "json", {}),
        ({"result": {"records": [{"a": 1}], "fields": [{}, {}]}}, "json", {"rows": "result.records"}),
        ({"lamps": [{"a": 1}, {"a": 2}], "notes": [{"a": 1}]}, "json", {"rows": "lamps"}),
        ({"type": "FeatureCollection", "features": []}, "geofile", {}),
    ],
)
def test_the_records_of_a_document_are_found(tmp_path, told, kind, options):
    file = tmp_path / "a.json"
    file.write_text(json.dumps(told))

    assert (kind, options) == (document(file).kind, document(file).options)


@pytest.mark.parametrize("text", ["{}", "[]", "7", '{"a": [1, 2]}', "no json", "\ufeff"])
def test_a_document_without_records_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(Refused) as refused:
        profile(tmp_path / "a.json")

    assert ["D111"] == [p.code for p in refused.value.problems]


cells = st.one_of(st.text("abc Total", max_size=8), st.integers(-1000, 1000), st.none())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.lists(cells, max_size=4), max_size=8))
@example([["T", "T"]])
def test_whatever_a_sheet_holds_is_laid_out_or_refused_in_words(tmp_path, rows):
    file = book(tmp_path / "a.xlsx", {"Any": rows})
    told: list[object] = []
    try:
        told.append(profile(file).rows)
    except Refused as refused:
        told += [p.code for p in refused.problems]

    assert 1 == len(told)
    assert isinstance(told[0], int) or told[0] in ("D102", "D111")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"meta": {"columns": [{"name": "id"}]}, "data": [["r1", 1], ["r2", 2]]}', "lists without names"),
        ('{"id": 1}\n{"id": 2}\n', "one document on each line"),
        ('[{"of": {"id": 1, "id": 2}}]', "no record of it is whole"),
    ],
)
def test_a_document_without_records_that_can_be_read_is_refused_in_words(content, why, tmp_path):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(Refused) as refused:
        profile(tmp_path / "a.json")

    assert why in refused.value.problems[0].what


def test_a_document_that_is_one_page_of_several_is_told(tmp_path):
    (tmp_path / "a.json").write_text('{"total": 90, "records": [{"id": 1}, {"id": 2}]}')

    assert "The document says that there are 90 records and holds 2" in " ".join(profile(tmp_path / "a.json").notes)
