"""Workbooks: the sheet, the header and the footer that are declared, and every row of the sheet accounted."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, datetime, time

import pytest
import xlsxwriter

from metroon.base.errors import Refused
from metroon.collect import FILE, LINE, RECORD, REJECT, Reading, archive
from metroon.collect.kinds.excel import Excel
from metroon.conform import check
from tiny import AS_OF, promise, text

BEDS = promise(text("shelter", physicalName="Shelter"), {"name": "beds", "logicalType": "integer"}, name="beds")


def collected(engine, folder, contract=BEDS, **options):
    raw = Excel(**{"path": "*.xls*", **options}).read(Reading(engine, contract, folder, folder))
    return raw, engine.rows(raw.rows.order_by([FILE, LINE]))


def refused(engine, folder, contract=BEDS, **options) -> str:
    with pytest.raises(Refused) as found:
        collected(engine, folder, contract, **options)
    assert {"D102"} == {p.code for p in found.value.problems}
    return "\n".join(f"{p.what} {p.fix}" for p in found.value.problems)


@pytest.fixture
def write(tmp_path):
    """Writes a workbook: sheet name -> rows."""

    def made(sheets, name="book.xlsx", **options):
        with xlsxwriter.Workbook(str(tmp_path / name), options) as book:
            for title, rows in sheets.items():
                sheet = book.add_worksheet(title)
                for i, row in enumerate(rows):
                    sheet.write_row(i, 0, row)
        return tmp_path

    return made


def test_a_row_s_line_is_its_number_in_the_sheet(engine, write):
    folder = write({"A": [["Shelter", "beds"], ["Elm", 10], [], ["Oak", 20.5]]})
    raw, rows = collected(engine, folder)

    assert [("Elm", "10", 2), ("Oak", "20.5", 4)] == [(r["shelter"], r["beds"], r[LINE]) for r in rows]
    assert {"header": 1, "blank": 1, "records": 2} == raw.deliveries[0].lines


def test_a_header_of_several_rows_is_joined_and_merged_cells_belong_to_all_columns(engine, tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Beds of the invented city")
        sheet.merge_range(1, 0, 2, 0, "Shelter")
        sheet.merge_range(1, 1, 1, 2, "Beds")
        sheet.write_row(2, 1, ["for\nadults", "for children"])
        sheet.write_row(3, 0, ["Elm", 10, 4])
        sheet.write_row(4, 0, ["Total", 10, 4])
    contract = promise(text("s", physicalName="Shelter"), text("c", physicalName="Beds / for children"))
    raw, rows = collected(engine, tmp_path, contract, skip=1, header_rows=2, footer="Total")

    assert [("Elm", "4", 4)] == [(r["s"], r["c"], r[LINE]) for r in rows]
    assert {"header": 3, "records": 1, "footer": 1} == raw.deliveries[0].lines
    assert any("Beds / for adults" in n for n in raw.notes)


def test_several_sheets_are_deliveries_of_their_own(engine, write):
    rows = [["Shelter", "beds"], ["Elm", 10]]
    folder = write({"2023": rows, "2024": rows, "2025": [["Name"], ["Oak"]], "Notes": [["n"]]})
    contract = promise(text("shelter", physicalName="Shelter"), text("year", physicalName="Year"))
    raw, found = collected(engine, folder, contract, sheet="20*", sheet_column="Year")

    assert [("book.xlsx#2023", "2023"), ("book.xlsx#2024", "2024")] == [(r[FILE], r["year"]) for r in found]
    assert [("book.xlsx#2023", 1), ("book.xlsx#2024", 1), ("book.xlsx#2025", 1)] == [
        (d.file, d.read) for d in raw.deliveries
    ]
    assert ["book.xlsx#2025"] == [p.file for p in raw.problems]


@pytest.mark.parametrize(
    ("sheet", "expected"), [(2024, "name"), ("2024", "name"), (1, "first"), ("first", "first"), ("2?24", "name")]
)
def test_a_sheet_is_found_by_its_name_before_its_number(sheet, expected, engine, write):
    folder = write({"first": [["Shelter", "beds"], ["first", 1]], "2024": [["Shelter", "beds"], ["name", 1]]})

    assert [expected] == [r["shelter"] for r in collected(engine, folder, sheet=sheet)[1]]


def test_a_workbook_of_several_sheets_is_refused_until_somebody_says_which(engine, write):
    folder = write({"A": [["Shelter", "beds"]], "B": [["x"]]})

    assert "'A', 'B'" in refused(engine, folder)
    assert "no sheet 'C'" in refused(engine, folder, sheet="C")


def test_a_footer_that_is_not_there_refuses_the_sheet(engine, write):
    folder = write({"A": [["Shelter", "beds"], ["Elm", 10]]})

    assert "no row of the sheet 'A' begins with 'Total'" in refused(engine, folder, footer="Total")


def test_a_footer_that_two_rows_begin_with_ends_no_records(engine, write):
    folder = write({"A": [["Shelter", "beds"], ["Elm", 10], ["Total", 10], ["Oak", 1], ["Total", 1]]})

    assert "2 rows of the sheet 'A' begin with 'Total'" in refused(engine, folder, footer="Total")


def test_a_footer_of_so_many_rows_is_left_out_and_told(engine, write):
    folder = write({"A": [["Shelter", "beds"], ["Elm", 10], ["Oak", 1], [], ["Source: invented"]]})
    raw, rows = collected(engine, folder, footer=1)

    assert ["Elm", "Oak"] == [r["shelter"] for r in rows]
    assert {"header": 1, "blank": 1, "records": 2, "footer": 1} == raw.deliveries[0].lines


@pytest.mark.parametrize(("merged", "expected"), [("first", ["Elm", None, "Oak"]), ("every", ["Elm", "Elm", "Oak"])])
def test_the_value_of_merged_cells_belongs_to_the_first_or_to_every_one(merged, expected, engine, tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Shelter", "beds"])
        sheet.merge_range(1, 0, 2, 0, "Elm")
        sheet.write_column(1, 1, [1, 2, 3])
        sheet.write(3, 0, "Oak")
    raw, rows = collected(engine, tmp_path, merged=merged)

    assert expected == [r["shelter"] for r in rows]
    assert any("1 group of merged cells" in n for n in raw.notes)


@pytest.mark.parametrize("is_1904", [False, True])
def test_days_and_times_are_what_people_see_in_both_calendars(is_1904, engine, tmp_path):
    moment = datetime(2020, 2, 29, 13, 5, 7)
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx"), {"date_1904": is_1904}) as book:
        day, stamp, clock = (book.add_format({"num_format": f}) for f in ("m/d/yy", "m/d/yy hh:mm:ss", "hh:mm"))
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["day", "moment", "clock"])
        sheet.write_datetime(1, 0, moment.date(), day)
        sheet.write_datetime(1, 1, moment, stamp)
        sheet.write_datetime(1, 2, time(13, 5), clock)
    types = {"day": "date", "moment": "timestamp", "clock": "string"}
    contract = promise(*({"name": n, "logicalType": t} for n, t in types.items()))
    raw, _ = collected(engine, tmp_path, contract)
    (row,) = engine.rows(check(engine, raw, contract, inputs={}, as_of=AS_OF).rows)

    assert (date(2020, 2, 29), moment, "13:05:00") == (row["day"], row["moment"], row["clock"])


def test_numbers_among_texts_and_days_stay_what_they_say(engine, write):
    folder = write({"A": [["Shelter", "beds"], ["007", 3], [1234567890, "n/a"], [0.1, True]]})

    assert [("007", "3"), ("1234567890", "n/a"), ("0.1", "true")] == [
        (r["shelter"], r["beds"]) for r in collected(engine, folder)[1]
    ]


def test_a_formula_counts_with_its_kept_value_and_an_error_is_told(engine, tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Shelter", "beds"])
        sheet.write_column(1, 0, ["Elm", "Oak", "Ash"])
        sheet.write_formula(1, 1, "=1+2", None, 3)
        sheet.write_formula(2, 1, "=1/0", None, "#DIV/0!")
        sheet.write_formula(3, 1, "=NA()", None, "#N/A")
    raw, rows = collected(engine, tmp_path)
    result = check(engine, raw, BEDS, inputs={}, as_of=AS_OF)

    assert ["3", "#DIV/0!", "#N/A"] == [r["beds"] for r in rows]
    assert any("2 cells hold the error of a formula, such as #N/A (rows 3, 4)" in n for n in raw.notes)
    assert (1, 2) == (result.kept, sum(result.reasons.values()))


def test_a_row_with_a_formula_that_was_never_calculated_is_set_aside(engine, write):
    folder = write({"A": [["Shelter", "beds"], ["Elm", 10], ["Oak", "=1+2"]]})
    with_part(folder / "book.xlsx", r"</f><v>0</v>", "</f>")
    raw, rows = collected(engine, folder)

    assert [None, "a formula of the row has no value: it was never calculated"] == [r[REJECT] for r in rows]
    assert [None, '["Oak", null]'] == [r[RECORD] for r in rows]
    assert {"header": 1, "records": 1, "set aside": 1} == raw.deliveries[0].lines


def with_part(file, before, after, part="xl/worksheets/sheet1.xml"):
    """The workbook with something else in one of its parts."""
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name).decode()
            assert name != part or re.search(before, content)
            new.writestr(name, re.sub(before, after, content, count=1) if name == part else content)


def test_hidden_rows_columns_and_sheets_are_read_and_told(engine, tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        book.add_worksheet("Seen")
        sheet = book.add_worksheet("Unseen")
        sheet.write_row(0, 0, ["Shelter", "beds"])
        sheet.write_column(1, 0, ["Elm", "Oak"])
        sheet.set_row(1, None, None, {"hidden": True})
        sheet.set_column(1, 1, None, None, {"hidden": True})
        sheet.hide()
    raw, rows = collected(engine, tmp_path, sheet="Unseen")

    assert ["Elm", "Oak"] == [r["shelter"] for r in rows]
    assert any("the sheet is hidden" in n for n in raw.notes)
    assert any("1 hidden row and 1 hidden column" in n for n in raw.notes)


def bomb(file, packed: bytes, declared: int) -> None:
    """A workbook one part of which holds more than it says."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("xl/worksheets/sheet1.xml", packed)
    given = bytearray(file.read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = given.index(mark) + at
        given[place : place + 4] = declared.to_bytes(4, "little")
    file.write_bytes(given)


def test_a_zip_bomb_is_refused_by_what_it_declares(engine, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("xl/worksheets/sheet1.xml", b"0" * (100 << 20))

    assert "zip bomb" in refused(engine, tmp_path)


def test_a_zip_bomb_is_refused_by_what_is_really_in_it(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST", 1 << 20)
    bomb(tmp_path / "a.xlsx", b"0" * (5 << 20), 1_000)

    assert "zip bomb" in refused(engine, tmp_path)


def test_a_part_that_is_longer_than_it_says_is_refused(engine, tmp_path):
    bomb(tmp_path / "a.xlsx", b"0" * 5_000, 1_000)

    assert "more than it declares" in refused(engine, tmp_path)


def test_a_sheet_that_reaches_to_the_end_of_the_world_is_refused(engine, write):
    folder = write({"A": [["Shelter", "beds"], ["Elm", 10]]})
    with_part(folder / "book.xlsx", r'r="B2"', 'r="XFD1048576"')

    assert "1,048,576 rows and 16,384 columns" in refused(engine, folder)


def test_a_workbook_that_declares_entities_is_refused(engine, write):
    folder = write({"A": [["Shelter", "beds"], ["Elm", 10]]})
    with_part(folder / "book.xlsx", r"<worksheet", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet')

    assert "damaged" in refused(engine, folder)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"skip": 5}, "ends before the header"),
        ({"header_rows": 3}, "ends before the header"),
        ({"skip": 1}, "none of the promised columns"),
    ],
)
def test_a_header_that_is_not_where_it_is_declared_refuses_the_sheet(options, said, engine, write):
    assert said in refused(engine, write({"A": [["Shelter", "beds"], ["Elm", 10]]}), **options)


def as_ods(file, rows: str) -> None:
    """A table as OpenDocument writes it, with what repeats said once."""
    names = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"' for short in ("office", "table", "text")
    )
    table = f'<table:table table:name="A">{rows}</table:table>'
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        bundle.writestr("META-INF/manifest.xml", "<manifest/>")
        bundle.writestr(
            "content.xml",
            f"<office:document-content {names}><office:body><office:spreadsheet>{table}"
            "</office:spreadsheet></office:body></office:document-content>",
        )


def row(*cells: str, repeated: int = 1) -> str:
    told = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>' for c in cells
    )
    return f'<table:table-row table:number-rows-repeated="{repeated}">{told or "<table:table-cell/>"}</table:table-row>'


def test_an_open_document_is_read_with_its_repeated_rows_and_what_it_hides_is_told(engine, tmp_path):
    content = row("Shelter", "beds") + row("Elm", "10", repeated=2) + row(repeated=3) + row("Oak", "7")
    as_ods(tmp_path / "a.ods", content + row(repeated=1_048_000))
    raw, rows = collected(engine, tmp_path, path="a.ods")

    assert [("Elm", 2), ("Elm", 3), ("Oak", 7)] == [(r["shelter"], r[LINE]) for r in rows]
    assert any("in this format hidden rows and errors of formulas cannot be seen" in n for n in raw.notes)


def test_an_open_document_that_unfolds_without_end_is_refused(engine, tmp_path):
    as_ods(tmp_path / "a.ods", row("Shelter", "beds") + row(*"x" * 1000, repeated=1_000_000))

    assert "no whole workbook" in refused(engine, tmp_path, path="a.ods")


@pytest.mark.shared
def test_the_housing_inventory_comes_out_with_the_sum_that_the_sheet_prints(engine, shared_data):
    beds = "Total Beds (ES, TH, SH) / Total Year-Round Beds (ES, TH, SH)"
    contract = promise(
        text("coc", physicalName="CoC Number", primaryKey=True, required=True),
        {"name": "beds", "physicalName": beds, "logicalType": "integer"},
    )
    options = {"sheet": "2024", "header_rows": 2, "footer": "Total", "others": "leave"}
    raw, rows = collected(engine, shared_data / "homeless", contract, **options)
    result = check(engine, raw, contract, inputs={}, as_of=AS_OF)
    whole = {**options, "footer": 0}
    total = collected(engine, shared_data / "homeless", contract, **whole)[1][-1]

    assert (385, 385, {}) == (result.read, result.kept, dict(result.reasons))
    assert ("Total", int(total["beds"])) == (total["coc"], sum(int(r["beds"]) for r in rows))
    assert {"header": 2, "records": 385, "footer": 1} == raw.deliveries[0].lines
