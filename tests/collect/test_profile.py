"""Profiles: what is said of a file is what happens when it is run."""

from __future__ import annotations

import json
import random
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.base.node import Node
from metroon.city.contract import contract
from metroon.collect.inference import FORMATS, infer, parse
from metroon.collect.profile import profile
from metroon.conform.typing import strptime, typed
from tiny import ours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.base.profile import ColumnProfile, Profile

ENGINE = Engine()


def looked(tmp_path: Path, text: str, name: str = "file.csv", encoding: str = "utf-8") -> Profile:
    file = tmp_path / name
    file.write_text(text, encoding=encoding, newline="")
    return profile(file, ENGINE)


def column(tmp_path: Path, values: Sequence[object], header: str = "thing") -> ColumnProfile:
    """One column of a file; a second keeps lines with nothing in them."""
    lines = [f'"{v}",x' for v in values]
    return looked(tmp_path, "\n".join([f"{header},other", *lines])).columns[0]


def refusal(tmp_path: Path, content: bytes, name: str) -> str:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(Refused) as refused:
        profile(file, ENGINE)
    return refused.value.problems[0].what


# Types


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-20", "300"], "integer"),
        (["2128.0", "2130.0"], "integer"),
        (["1.5", "2", ".5", "1e3"], "number"),
        (["007", "12"], "string"),
        (["0.7", "0"], "number"),
        (["Y", "N", "Y"], "boolean"),
        (["Y", "Y"], "string"),
        (["1", "0"], "integer"),
        (["$1,200", "$5"], "integer"),
        (["($1,200.50)", "12-", "7 %"], "number"),
        (["1,20", "1,3"], "string"),
        (["12345678901234567890", "1"], "string"),
        (["2020-01-31", "2020-02-01"], "date"),
        (["2020-01-31 00:00:00", "2020-02-01 00:00:00"], "date"),
        (["2020-01-31T10:00:00Z", "2020-02-01T00:00:00Z"], "timestamp"),
        (["Ann", "Bob"], "string"),
        (["nan", "inf"], "string"),
    ],
)
def test_a_column_has_the_type_of_its_values(tmp_path: Path, values: list[str], expected: str) -> None:
    assert expected == column(tmp_path, values).type


@pytest.mark.parametrize("header", ["case_id", "ZIP", "Permit Number", "Census.Tract", "CASEID", "FIPS"])
def test_digits_that_name_something_stay_text(tmp_path: Path, header: str) -> None:
    assert "string" == column(tmp_path, range(1000, 1100), header).type


def test_identifiers_whose_digits_are_cut_off_are_told(tmp_path: Path) -> None:
    found = column(tmp_path, [*range(1000, 1090), "1.23457E+17", "2E+11"], "permit_id")

    assert ("string", True) == (found.type, found.notes[0].startswith("2 of them are written with E+"))


def test_a_type_needs_99_percent_of_the_values_and_the_rest_are_told(tmp_path: Path) -> None:
    enough = column(tmp_path, [*range(990), *(f"about {n}" for n in range(10))])
    too_few = column(tmp_path, [*range(989), *(f"about {n}" for n in range(11))])

    assert ("integer", 10) == (enough.type, enough.misfits)
    assert ("string", 0) == (too_few.type, too_few.misfits)
    assert "98.9% of the values are numbers; with the rest it stays text." in too_few.notes


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([f"{n}.{n % 900 + 100},5{n % 10}" for n in range(1, 90)], ("number", ("decimal comma",))),
        ([f"{n},25 €" for n in range(90)], ("number", ("currency", "decimal comma"))),
        ([f"{n % 9 + 1}.{n % 900 + 100}.{n % 7 + 100}" for n in range(90)], ("number", ("decimal comma",))),
        ([f"{n},{n % 900 + 100}" for n in range(1, 90)], ("integer", ("thousands",))),
        ([*range(1, 10), "1,2"] * 9, ("string", ())),  # districts, and one place in two of them
        ([f"{n}.5" for n in range(90)], ("number", ())),
    ],
)
def test_a_comma_begins_decimals_where_nothing_else_explains_it(tmp_path: Path, values: list[str], expected) -> None:
    found = column(tmp_path, values)

    assert expected == (found.type, found.written)
    assert bool(found.written) == any("declared as written" in note for note in found.notes)


def test_it_is_told_when_a_point_may_divide_thousands(tmp_path: Path) -> None:
    values = [*range(900), *(f"{n % 99 + 1}.{n % 900 + 100}" for n in range(90))]

    assert "if the point divides thousands" in column(tmp_path, values).notes[0]
    assert () == column(tmp_path, values, "longitude").notes
    assert () == column(tmp_path, [*values, "1.5"]).notes
    assert () == column(tmp_path, [*values, "1200"]).notes


def test_days_that_a_spreadsheet_program_counts_are_dates_where_the_name_says_so(tmp_path: Path) -> None:
    days, times = range(38_718, 38_900), [f"{38_718 + n / 96:.6f}" for n in range(300)]
    found = column(tmp_path, days, "Issue Date")

    assert ("date", ("spreadsheet days",), date(2006, 1, 1)) == (found.type, found.written, found.low.date())
    assert "Days as spreadsheet programs count them" in found.notes[0]
    assert "timestamp" == column(tmp_path, times, "issued_at").type
    mixed = column(tmp_path, [*days, *(f"{n % 12 + 1}/{n}/2006" for n in range(1, 30))], "issue_date")
    assert ("date", ("spreadsheet days",), "M/d/yyyy", 0) == (mixed.type, mixed.written, mixed.format, mixed.misfits)
    assert "integer" == column(tmp_path, days, "valuation").type
    assert "integer" == column(tmp_path, range(1, 180), "day").type


def test_one_letter_in_a_list_of_codes_makes_it_a_list_and_not_a_mistake(tmp_path: Path) -> None:
    assert ("string", 0) == (column(tmp_path, ["1", "2", "3"] * 200 + ["A"]).type, 0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1/31/15 1:05 PM", "12/1/14 12:00 AM"], "M/d/yy h:mm a"),
        (["01/31/2015", "12/01/2014"], "MM/dd/yyyy"),
        (["31/1/2015", "1/12/2014"], "d/M/yyyy"),
        (["31.01.2015", "01.12.2014"], "dd.MM.yyyy"),
        (["3-Jan-15", "21-DEC-14"], "d-MMM-yy"),
        (["January 3, 2015", "May 21, 2014"], "MMMM d, yyyy"),
        (["2015-01-31 1:05:00 PM", "2015-01-31 11:05:00 AM"], "yyyy-MM-dd h:mm:ss a"),
    ],
)
def test_the_way_dates_are_written_is_told_in_jdk_notation(tmp_path: Path, values: list[str], expected: str) -> None:
    assert expected == column(tmp_path, values).format


def test_eight_digits_are_a_date_only_where_the_name_says_so(tmp_path: Path) -> None:
    values = [20150131, 20150201, 20141224]

    assert ("date", "yyyyMMdd") == (column(tmp_path, values, "date_of_birth").type, "yyyyMMdd")
    assert "integer" == column(tmp_path, values, "amount").type


def test_it_is_told_when_nothing_tells_month_from_day(tmp_path: Path) -> None:
    notes = column(tmp_path, ["1/2/2015", "3/4/2015"]).notes

    assert ("Nothing in the file tells month from day; month first is taken.",) == notes


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(FORMATS), st.lists(st.datetimes(datetime(1969, 1, 1), datetime(2068, 12, 31)), min_size=1))
def test_a_date_is_read_as_the_contracts_typing_reads_it(form: str, times: list[datetime]) -> None:
    texts = [t.replace(microsecond=0).strftime(strptime(form)) for t in times]
    promise = contract(Node(_promise("timestamp", form), "contract.yaml"), "t")
    rows = ENGINE.table(pa.table({"c": texts}))
    read = ENGINE.fetch(rows.select(v=typed(ENGINE, rows, promise.columns[0]).value))["v"].to_pylist()

    assert read == [parse(t, form) for t in texts]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["integer", "euros", "counted date", "money", "debts", "number", "dates", "times", "flags"]),
    st.lists(st.sampled_from(["x", "12a", "1,000", "31/31/2015", "2015-02-30", "--", "1e5", "007", "nan"]), max_size=3),
    st.integers(100, 400),
    st.randoms(use_true_random=False),
)
def test_what_is_told_as_misfits_is_what_the_contract_cannot_read(
    kind: str, dirt: list[str], n: int, chance: random.Random
) -> None:
    make = {
        "integer": lambda: str(chance.randint(-50, 5000)),
        "euros": lambda: f"{chance.randint(0, 9_999_999):,}".replace(",", ".") + f",{chance.randint(10, 99)}",
        "counted date": lambda: f"{chance.randint(30_000, 50_000)}",
        "money": lambda: f"${chance.randint(0, 9_999_999):,}",
        "debts": lambda: chance.choice(["({:,.2f})", "{:.2f}-", "{} %", "{:,}"]).format(chance.randint(0, 99_999)),
        "number": lambda: f"{chance.uniform(-5, 500):.2f}",
        "dates": lambda: f"{chance.randint(1, 12)}/{chance.randint(1, 28)}/{chance.randint(1990, 2030)}",
        "times": lambda: (
            f"{chance.randint(1990, 2030)}-0{chance.randint(1, 9)}-1{chance.randint(0, 9)} 1{chance.randint(0, 9)}:30"
        ),
        "flags": lambda: chance.choice("YN"),
    }[kind]
    texts = [*(make() for _ in range(n)), *dirt]
    counts = {t: texts.count(t) for t in texts}
    found = infer(counts, is_date="date" in kind)
    promise = contract(Node(_promise(found.type, found.format, found.written), "contract.yaml"), "t")
    rows = ENGINE.table(pa.table({"c": texts}))
    unread = ENGINE.fetch(rows.select(v=typed(ENGINE, rows, promise.columns[0]).is_unreadable))["v"].to_pylist()

    assert found.misfits == sum(unread)


def _promise(kind: str, form: str | None, written: tuple[str, ...] = ()) -> dict[str, object]:
    options = {"logicalTypeOptions": {"format": form}} if form else {}
    own = {"customProperties": ours(written=[*written])} if written else {}
    declared = {"name": "c", "logicalType": kind, **options, **own}
    schema = [{"name": "t", "properties": [declared]}]
    return {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "t", "version": "1", "schema": schema}


# What means that nothing was recorded


@pytest.mark.parametrize(
    ("header", "values", "expected"),
    [
        ("age", [*range(1, 90)] * 3 + [0] * 200, {"0"}),
        ("age", [*range(90)] * 3, set()),  # babies
        ("age", [*range(90)] * 30 + [998] * 3 + [999], {"998", "999"}),
        ("vehicle_year", [*range(1990, 2020)] * 3 + [0], {"0"}),
        ("latitude", [f"37.{n}" for n in range(300, 900)] + ["0", "0.0"], {"0", "0.0"}),
        ("poverty", [f"{n / 7:.1f}" for n in range(300)] + ["-999.0", "-999"], {"-999.0", "-999"}),
        ("change", [*range(-300, 300), -99], set()),
        ("answer", [1, 2, 3] * 50 + [99] * 20, {"99"}),
        ("income", [*range(1, 800)] + [999] * 5, set()),
        ("rate", [*range(100), "NA", "n/a", "-", "*"], {"NA", "n/a", "-", "*"}),
        ("damage", ["Minor", "Major", "None"] * 50 + ["Unknown"] * 40, {"Unknown"}),
        ("surname", ["Na", "Li", "Unk"] * 50, set()),
        (
            "born",
            ["1980-05-01", "1975-06-02", "1999-01-01"] + [f"19{n}-03-04" for n in range(20, 99)] + ["1900-01-01"] * 30,
            {"1900-01-01"},
        ),
    ],
)
def test_codes_for_not_recorded_are_found_and_answers_are_not(
    tmp_path: Path, header: str, values: list[object], expected: set[str]
) -> None:
    assert expected == {c.text for c in column(tmp_path, values, header).missing}


def test_codes_are_counted_and_are_no_values(tmp_path: Path) -> None:
    found = column(tmp_path, [*range(1, 90), "", *["NA"] * 9])

    assert (99, 1, 89, 89) == (found.rows, found.empty, found.recorded, found.distinct)
    assert [("NA", 9)] == [(c.text, c.rows) for c in found.missing]


def test_a_list_of_codes_leaves_out_what_is_rare(tmp_path: Path) -> None:
    often = ["Priority 1"] * 900 + ["Priority 2"] * 600

    assert ("Priority 1", "Priority 2") == column(tmp_path, [*often, "Jane Doe"]).codes
    assert () == column(tmp_path, [*often, *(f"Jane {n}" for n in range(20))]).codes


# The whole file


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, sign: str) -> None:
    text = "\n".join(
        sign.join(r) for r in [("id", "what", "cost"), ("a1", "b, c" if sign != "," else "b", "3,5"), ("a2", "d", "1")]
    )
    text = text.replace("3,5", "35")

    found = looked(tmp_path, text, "file.txt")

    assert ["id", "what", "cost"] == [c.header for c in found.columns]
    assert {"delimiter": sign} == dict(found.options) if sign != "," else not found.options


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", {}), ("utf-8-sig", {}), ("cp1252", {"encoding": "cp1252"}), ("utf-16", {"encoding": "utf-16"})],
)
def test_the_encoding_is_found(tmp_path: Path, encoding: str, told: dict[str, str]) -> None:
    found = looked(tmp_path, "Año,Calle\n2020,Peñón\n2021,Niño\n", encoding=encoding)

    assert told == dict(found.options)
    assert ["anio", "calle"] == [c.name for c in found.columns]


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"", "a.csv", "the file is empty."),
        (b"PK\x03\x04\x00\x00", "a.csv", "the file is no text, whatever its name ends in."),
        (b"x", "a.docx", "'.docx' is no ending that I can read."),
        (b"Dear all, this is a letter.\nIt has, some, commas.\nAnd ends.\n", "a.txt", "no sign (comma,"),
        (b"1,2015-01-01,3\n2,2015-01-02,4\n", "a.csv", "the first line looks like data"),
        (b"Report of 2015\n1,a\n2,b\n", "a.csv", "no sign"),
        (b"id,what,when\n" + b"1,a,b,c\n" * 30, "a.csv", "the first line has 3 fields and the lines below have 4."),
        (b"PAR1 no", "a.parquet", "the file is no whole Parquet file."),
        (b"{}", "a.geojson", "the file is no GeoJSON feature collection."),
        (b"no", "a.zip", "the file is no"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(tmp_path: Path, content: bytes, name: str, expected: str) -> None:
    assert refusal(tmp_path, content, name).startswith(expected)


def test_years_may_be_the_names_of_columns(tmp_path: Path) -> None:
    found = looked(tmp_path, "place,2010,2011,2012\nA,5,6,7\nB,8,9,1\n")

    assert ["place", "column_2010", "column_2011", "column_2012"] == [c.name for c in found.columns]


TABLE = "case_id,kind,beds\n" + "".join(f"c{n},tent,{n}\n" for n in range(40))


@pytest.mark.parametrize(
    ("above", "skip"),
    [
        ("Beds of the invented city\nas of 2024\n\n", 3),
        ("Beds of the invented city,,\n", 1),
        ("# exported\n", 1),
        ("\n\n", 0),
    ],
)
def test_titles_above_the_header_are_left_out_and_told(tmp_path: Path, above: str, skip: int) -> None:
    found = looked(tmp_path, above + TABLE)

    assert (40, ("case_id",), {"skip": skip} if skip else {}) == (found.rows, found.key, found.options)
    assert bool(skip) == any("above the header" in note for note in found.notes)


@pytest.mark.parametrize(
    "text",
    [
        "id;a;b\n" + "".join(f"{n};{n},5;x\n" for n in range(40)),
        "id;a;b;c\n" + "".join(f"{n},1;{n},5;x,y;z\n" for n in range(40)),
        ",kind,\n" + "".join("a,b,c\n" for _ in range(40)),
        "kind,lamp\n" + "".join(f"a{n},b\n" for n in range(40)),
    ],
)
def test_no_record_is_taken_for_a_header_and_no_header_for_a_title(tmp_path: Path, text: str) -> None:
    found = looked(tmp_path, text)

    assert (40, None) == (found.rows, found.options.get("skip"))


def test_a_second_header_is_seen_and_not_counted(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n * 7}\n" for n in range(100, 160))
    found = looked(tmp_path, f"GEO.id,HD01\nId,Estimate; Total\n{rows}")

    assert (60, 1, "integer", 0) == (found.rows, found.ragged, found.columns[1].type, found.columns[1].misfits)
    assert ("The second line is a second header (words, no figures): it will be set aside.",) == found.notes


def test_quotes_that_are_inches_swallow_no_rows(tmp_path: Path) -> None:
    rows = (
        "".join(f'{n}\t"A" ST{"" if n % 2 else chr(34)}\t{n}\n' for n in range(50))
        + '50\t"8 inch pipe\t50\n51\tplain\t51\n'
    )
    found = looked(tmp_path, f"no\tplace\tcost\n{rows}", "permits.txt")

    assert (52, 0) == (found.rows, found.ragged)


def test_broken_records_and_repeated_headers_are_told(tmp_path: Path) -> None:
    found = looked(tmp_path, "a,b,b\n" + "1,2,3\n" * 30 + "1,2\n")

    assert ["a"] == [c.name for c in found.columns]
    assert (
        "Header 'b' stands more than once: nobody can tell which is meant, so none is read.",
        "1 record is not whole: it will be set aside.",
        "32 lines = 1 header + 30 records + 1 set aside.",
    ) == found.notes


def test_the_parts_of_a_cut_record_are_told_with_what_would_join_them(tmp_path: Path) -> None:
    rows = "".join(f"{n}\tx\ty\n" for n in range(30))
    found = looked(tmp_path, f"a\tb\tc\n{rows}31\tone \nfield\ty\n", "permits.txt")

    assert (
        "33 lines = 1 header + 30 records + 2 set aside.",
        "2 of these lines are plainly parts of records that were cut: cut: join would join them.",
    ) == found.notes[-2:]


def test_quotes_are_signs_where_more_records_come_out_whole_without_them(tmp_path: Path) -> None:
    rows = "".join(f'{n}\t"A" ROW\t{n}\n' for n in range(250)) + '250\t"ALL" AND "ALL"\t1\n251\t"ONE\t1\n252\tx\t"\n'
    found = looked(tmp_path, f"no\tplace\tcost\n{rows}", "permits.txt")

    assert ({"delimiter": "\t", "quote": "none"}, 253, 0) == (found.options, found.rows, found.ragged)


def test_quotes_that_hold_delimiters_stay_quotes_though_one_is_broken(tmp_path: Path) -> None:
    rows = "".join(f'"{n}","a, b"\n' for n in range(250)) + '"250","a "b"\n'
    found = looked(tmp_path, f'"no","place"\n{rows}')

    assert ({}, 250, 1) == (found.options, found.rows, found.ragged)


def test_a_quote_past_the_first_lines_cannot_swallow_what_lies_below(tmp_path: Path) -> None:
    rows = "".join(f"{n},plain,{n}\n" for n in range(500)) + '500,"open,1\n' + "501,plain,1\n" * 500
    found = looked(tmp_path, f"no,place,cost\n{rows}")

    assert ({"quote": "none"}, 1001, 0) == (found.options, found.rows, found.ragged)


def test_a_file_whose_sums_do_not_come_out_is_refused_with_them(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        looked(tmp_path, "no,place,cost\n" + "1,a,2\n" * 200 + "1;b;3\n" * 100)

    assert (
        "the sums do not come out: 200 of 300 records have the 3 fields of the header."
        == refused.value.problems[0].what
    )


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        ("name,permit_no", [f"n{n % 7},P{n}" for n in range(40)], ("permit_no",)),
        ("CASEID,PARNUM,SEX", [f"c{n // 2},{n % 2},M" for n in range(40)], ("caseid", "parnum")),
        (",State,Sex", [f"{n},CA,M" for n in range(40)], ()),  # the row numbers of a program
        ("case_id,sex", [f"{n if n < 39 else 3},M" for n in range(40)], ()),
        ("what,budgeted", [f"thing {n % 3},{n * 1000}" for n in range(40)], ()),
        ("cost,when", [f"{n}.5,2020-01-0{1 + n % 9}" for n in range(40)], ()),
    ],
)
def test_the_key_is_what_tells_records_apart(
    tmp_path: Path, header: str, rows: list[str], expected: tuple[str, ...]
) -> None:
    assert expected == looked(tmp_path, "\n".join([header, *rows])).key


def test_a_key_may_have_three_columns_where_rows_are_many(tmp_path: Path) -> None:
    rows = [f"{case},{party},{n},north" for case in range(1, 5) for party in (1, 2) for n in (1, 2, 3)]
    header = "case_id,party_no,victim_no,ward"

    assert ("case_id", "party_no", "victim_no") == looked(tmp_path, "\n".join([header, *rows])).key
    assert () == looked(tmp_path, "\n".join([header, *rows[:12]])).key


def test_an_answer_of_arcgis_that_was_saved_is_told_as_one(tmp_path: Path) -> None:
    file = tmp_path / "trees.json"
    file.write_text('{"features": [{"attributes": {"OBJECTID": 1, "planted": 1577836800000}}]}')

    assert any("what an ArcGIS server answered" in note for note in profile(file).notes)


def test_a_key_that_a_row_of_sums_lacks_is_told_and_so_is_the_row(tmp_path: Path) -> None:
    rows = [f"Elm,{n},5" for n in range(1000, 1099)]

    key, sums = looked(tmp_path, "\n".join(["street,case_id,beds", *rows, "Total,,495"])).notes

    assert "'case_id' looks like the key, but 1 row lacks it; with primaryKey: true these are set aside." == key
    assert sums.startswith("The last record looks like a sum of the others")
    assert () == looked(tmp_path, "\n".join(["street,case_id,beds", *rows, "Totally Wine,9,495"])).notes


def test_a_key_with_mistakes_is_told(tmp_path: Path) -> None:
    rows = [f"{n if n < 99 else 3},M" for n in range(100)]

    (told,) = looked(tmp_path, "\n".join(["case_id,sex", *rows])).notes

    assert told.startswith("'case_id' looks like the key, but 1 row repeats what stands before;")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("DOB,Collision Date,Proc_Date", "collision_date"),
        ("created_date,due_date,updated", "created_date"),
        ("closed_dt,open_dt,sla_target_dt", "open_dt"),
        ("date_of_birth,expires,last_modified", None),
        ("ExitDate,DateCreated,DateUpdated", "exit_date"),
    ],
)
def test_the_time_of_the_event_is_no_birthday_and_no_update(tmp_path: Path, headers: str, expected: str | None) -> None:
    rows = "\n".join("2020-01-02,2020-02-03,2020-03-04" for _ in range(30))

    assert expected == looked(tmp_path, f"{headers}\n{rows}\n").event_time


def test_one_slip_of_the_pen_does_not_stretch_the_time_covered(tmp_path: Path) -> None:
    days = [f"2015-01-{1 + n % 31:02d}" for n in range(310)]
    found = looked(tmp_path, "\n".join(["event_date,x", *(f"{d},1" for d in [*days, "1915-01-05"])]))

    assert (date(2015, 1, 1), date(2015, 1, 31)) == found.span


@pytest.mark.parametrize(
    ("header", "x", "y", "expected"),
    [
        ("Long,Lat", "-121.886", "37.338", ("long", "lat")),
        ("POINT_X,POINT_Y", "-121.886", "37.338", ("point_x", "point_y")),
        ("x_cord,y_cord", "773640.48", "2937784.13", None),
        ("longitude,latitude", "6158000.1", "1950000.2", None),
    ],
)
def test_a_point_is_in_degrees(tmp_path: Path, header: str, x: str, y: str, expected: tuple[str, str] | None) -> None:
    assert expected == looked(tmp_path, f"{header}\n" + f"{x},{y}\n" * 5).point


def test_areas_are_seen_as_areas(tmp_path: Path) -> None:
    square = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}
    features = [{"type": "Feature", "properties": {"ID": n, "name": f"Ward {n}"}, "geometry": square} for n in range(3)]
    found = looked(tmp_path, json.dumps({"type": "FeatureCollection", "features": features}), "wards.geojson")

    assert ("geofile", "area", ("id",)) == (found.kind, found.shape, found.key)
    assert ["id", "name", "geometry"] == [c.name for c in found.columns]


@pytest.mark.parametrize("ending", [pytest.param("csv", marks=pytest.mark.slow), "parquet"])
def test_of_more_records_than_are_looked_at_all_are_counted_and_the_sample_is_told(tmp_path: Path, ending: str) -> None:
    n = 1_100_000
    rows = pa.table({"case_id": pa.array(range(n)), "beds": pa.array([i % 7 for i in range(n)])})
    file = tmp_path / f"a.{ending}"
    pa_csv.write_csv(rows, file) if ending == "csv" else pq.write_table(rows, file)
    found = profile(file, ENGINE)

    assert (n, ("case_id",), "integer") == (found.rows, found.key, found.columns[1].type)
    assert found.notes[0].startswith("1,100,000 records were counted, and one in 3 of them looked at:")
    assert 366_000 < found.columns[0].rows < 367_000


def test_a_parquet_file_says_its_types_itself(tmp_path: Path) -> None:
    table = pa.table({
        "case_id": [1, 2, 3], "cost": [1.5, None, -999.0], "seen": [datetime(2020, 1, 1, 5)] * 3,
        "open": [True, False, None], "day": [date(2020, 1, 1)] * 3, "tags": [["a"], [], None], "what": ["a", "", "NA"],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "cases.parquet")
    found = profile(tmp_path / "cases.parquet", ENGINE)

    assert {
        "case_id": "string",
        "cost": "number",
        "seen": "timestamp",
        "open": "boolean",
        "day": "date",
        "what": "string",
    } == {c.name: c.type for c in found.columns}
    assert ("Column 'tags' holds lists or records and is left out.",) == found.notes


def test_a_file_without_rows_has_columns_and_no_types(tmp_path: Path) -> None:
    found = looked(tmp_path, "PersonalID,DOB\n")

    assert (0, ["string", "string"]) == (found.rows, [c.type for c in found.columns])


def test_a_file_whose_name_looks_like_a_pattern_is_read(tmp_path: Path) -> None:
    assert 1 == looked(tmp_path, "a,b\n1,2\n", "cases [2015]*.csv").rows


def test_no_value_shows_in_a_profiles_printed_form(tmp_path: Path) -> None:
    rows = "".join(f"canary{n % 2},{7717 + n},1977-07-0{1 + n % 7}\n" for n in range(60))
    printed = repr(looked(tmp_path, f"kind,size,event_date\n{rows}"))

    assert not any(value in printed for value in ("canary", "7717", "7776", "1977", "datetime"))


# The city's real files


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "key", "event", "point"),
    [
        ("sanjose/FireIncidents_Jan2015.csv", ("incident_no",), "date_time_of_event", ("longitude", "latitude")),
        ("sanjose/sjpd_calls_sample_2023.csv", (), "offense_date", None),
        ("sanjose/vehiclecrashdata2021-062323.csv", ("name",), None, None),
        ("sanjose/permits/PD_2006_ISSUE.txt", ("foldernumber",), "issuedate", None),
        ("sf/Crashes.csv", ("case_id",), "collision_date", ("point_x", "point_y")),
        ("sf/cases_sample.csv", ("case_id",), "opened", ("long", "lat")),
        ("boston/311.csv", ("case_enquiry_id",), "open_dt", ("longitude", "latitude")),
        ("boston/vision-zero-crash-records.csv", (), "dispatch_ts", ("long", "lat")),
        ("sunnyvale/Collisions.csv", ("caseid",), "date", ("point_x", "point_y")),
        ("sunnyvale/Parties.csv", ("caseid", "parnum"), None, None),
        ("homeless/hmis_sample_fy2022/Enrollment.csv", ("enrollment_id",), "entry_date", None),
        ("equity/CESv3-with_uniform_weighting.csv", ("fips",), None, None),
    ],
)
@pytest.mark.slow
def test_real_files_are_read_as_a_steward_would(
    shared_data: Path, file: str, key: tuple[str, ...], event: str | None, point: tuple[str, str] | None
) -> None:
    found = profile(shared_data / file, ENGINE)

    assert (key, event, point) == (found.key, found.event_time, found.point)
