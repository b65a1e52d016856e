import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.collect import FILE, LINE, REJECT, Raw, Reading
from metroon.collect.kinds.csv import Csv
from tiny import promise, text

TOYS = promise(text("id", physicalName="ID"), text("name", physicalName="Name"))
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
BLANKS = " \t\r\n\v\f"
HIDDEN = "the header holds signs that no screen shows, in column 2."
JSON = "the file holds JSON, whatever its name ends in."
PAGE = "the file is a page of the web or XML, and no table."


def collected(engine, folder: Path, contract=TOYS, **options) -> Raw:
    given = {"path": "*.csv", **options}
    return Csv(**given).read(Reading(engine, contract, folder, folder))


def rows(engine, raw: Raw) -> list[tuple]:
    ordered = raw.rows.order_by([FILE, LINE]).select("id", "name", LINE, REJECT)
    return [tuple(r.values()) for r in engine.rows(ordered)]


def write(folder: Path, data: bytes | str, name: str = "a.csv") -> Path:
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def refusals(engine, folder: Path, **options) -> list[str]:
    with pytest.raises(Refused) as refused:
        collected(engine, folder, **options)
    assert all(p.fix for p in refused.value.problems)
    return [p.what for p in refused.value.problems]


@settings(max_examples=50, deadline=None)
@given(
    table=st.lists(st.tuples(CELLS, CELLS).filter(lambda r: any(c.strip(BLANKS) for c in r)), max_size=12),
    delimiter=st.sampled_from(",;\t|"),
)
def test_whatever_table_of_texts_is_written_it_is_read_back(table, delimiter, engine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("csv")
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=delimiter)
        writer.writerow(["ID", "Name"])
        writer.writerows(table)
    raw = collected(engine, folder, delimiter=delimiter)

    assert table == [r[:2] for r in rows(engine, raw)]
    assert len(table) == raw.deliveries[0].read


@settings(max_examples=50, deadline=None)
@given(table=st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=12))
def test_every_record_is_there_with_the_line_it_begins_at(table, engine, tmp_path_factory):
    folder, out, begins = tmp_path_factory.mktemp("csv"), io.StringIO(newline=""), []
    writer = csv.writer(out)
    writer.writerow(["ID", "Name"])
    table = [["0", "whole"], *table]
    for record in table:
        begins.append(len(io.StringIO(out.getvalue(), newline="").readlines()) + 1)
        writer.writerow(record)
    read = rows(engine, collected(engine, write(folder, out.getvalue().encode())))

    assert begins == [line for _, _, line, _ in read]
    whole = [len(r) == 2 and any(c.strip(BLANKS) for c in r) for r in table]
    assert whole == [reject is None for *_, reject in read]


def test_a_mark_or_zeros_around_a_name_are_no_part_of_it(engine, tmp_path):
    write(tmp_path, b"\xef\xbb\xbf\xef\xbb\xbfID,Name\0\0\n1,a\n")

    assert [("1", "a", 2, None)] == rows(engine, collected(engine, tmp_path))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("ID,\x1b[31mName\n1,a\n", HIDDEN),
        ('{"error": true, "message": "sign in, please"}', JSON),
        ('[\n  {"ID": 1, "Name": "a"}]', JSON),
        ('\ufeff{"ID": 1}\n{"ID": 2}\n', JSON),
        ("<!DOCTYPE html>\n<p>ID,Name</p>", PAGE),
        ("\n<?xml version='1.0'?><rows/>", PAGE),
    ],
)
def test_what_is_plainly_no_table_is_called_what_it_is(data, why, engine, tmp_path):
    assert [why] == refusals(engine, write(tmp_path, data))


def test_a_header_in_brackets_or_braces_is_a_header(engine, tmp_path):
    asked = promise(text("id", physicalName="[ID]"), text("name", physicalName="{Name}"))
    raw = collected(engine, write(tmp_path, "[ID],{Name}\n1,a\n"), asked)

    assert [("1", "a", 2, None)] == rows(engine, raw)


def test_lines_in_utf_8_below_another_declared_encoding_are_told(engine, tmp_path):
    write(tmp_path, "ID,Name\n1,Peña\n2,Smith\n".encode() + "3,Peña\n".encode("cp1252"))

    told = "a.csv: 1 line is UTF-8, not cp1252: what is beyond plain letters there comes out wrong"
    assert (told,) == collected(engine, tmp_path, encoding="cp1252").notes


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("ID,Name\n1,a\n2,b\n", [("1", "a", 2), ("2", "b", 3)]),
        ("\ufeffID,Name\r\n1,a\r\n2,b", [("1", "a", 2), ("2", "b", 3)]),
        ("ID,Name\r1,a\r2,b\r", [("1", "a", 2), ("2", "b", 3)]),
        ("\n\nID,Name\n\n1,a\n\n\n2,b\n", [("1", "a", 5), ("2", "b", 8)]),
        ('ID,Name\n1,"two\nlines"\n2,"said ""so"""\n', [("1", "two\nlines", 2), ("2", 'said "so"', 4)]),
        ('"ID","Name"\n" 1 ",\n', [(" 1 ", "", 2)]),
        ("Name,other,ID\na,x,1\n", [("1", "a", 2)]),
        (" ID ,Name\n1,a\n", [("1", "a", 2)]),
        ('ID,Name\n5" pipe,a\n', [('5" pipe', "a", 2)]),
    ],
)
def test_records_are_read_as_they_were_meant(data, expected, engine, tmp_path):
    assert expected == [r[:3] for r in rows(engine, collected(engine, write(tmp_path, data)))]


@pytest.mark.parametrize(
    ("data", "line", "reject"),
    [
        ("ID,Name\n1\n2,b\n", 2, "the record does not have 2 fields"),
        ("ID,Name\n1,a,x\n2,b\n", 2, "the record does not have 2 fields"),
        ("ID,Name\n2,b\nTotal: 1 row\n", 3, "the record does not have 2 fields"),
        ("ID,Name\n2,b\n   \n", 3, "the record does not have 2 fields"),
        ('ID,Name\n1,"a"b\n2,b\n', 2, "the quotes of the record are broken"),
        ('ID,Name\n2,b\n1,"cut of', 3, "the quotes of the record are broken"),
        ("ID,Name\n2,b\n,\n", 3, "no field of the record holds anything"),
        ('ID,Name\n  ,"\t"\n2,b\n', 2, "no field of the record holds anything"),
        ("ID,Name\n2,b\n\ufeffID,Name\n", 3, "the header stands here again"),
    ],
)
def test_a_record_that_is_not_whole_is_set_aside_with_its_line(data, line, reject, engine, tmp_path):
    read = rows(engine, collected(engine, write(tmp_path, data)))

    assert [(None, None, line, reject)] == [r for r in read if r[3]]
    assert [("2", "b")] == [r[:2] for r in read if not r[3]]


def test_a_quote_that_swallows_lines_refuses_the_file_with_its_line(engine, tmp_path):
    data = 'ID,Name\n1,a\n2,"b\n3,c\n4,"d"\n5,e\n'

    assert ["a quote that opens in the record of line 3 is not closed as it should be."] == refusals(
        engine, write(tmp_path, data)
    )


@pytest.mark.parametrize(
    ("data", "options", "why"),
    [
        (b"", {}, "the file is empty."),
        (b"\n\n", {}, "the file is empty."),
        (b"\xef\xbb\xbf", {}, "the file is empty."),
        ("ID,Name\n1,José\n".encode("latin-1"), {}, "the file is not utf-8 text."),
        ("ID,Name\n1,José\n".encode("utf-16"), {}, "the file is not utf-8 text."),
        (b"ID,Name\n1,a\n", {"encoding": "utf-16"}, "the file is not utf-16 text."),
        (b'"ID"x,Name\n1,a\n', {}, "the quotes of the header are broken."),
        (b"ID;Name\n1;a\n", {}, "none of the promised columns is there"),
        (b"ID,Name,ID\n1,a,2\n", {}, "the header has 'ID' more than once: nobody can tell which column is meant."),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_with_the_reason(data, options, why, engine, tmp_path):
    assert [True] == [told.startswith(why) for told in refusals(engine, write(tmp_path, data), **options)]


def test_a_header_alone_is_a_delivery_of_no_record(engine, tmp_path):
    raw = collected(engine, write(tmp_path, "ID,Name\n"))

    assert ([], 0, "") == (rows(engine, raw), raw.deliveries[0].read, raw.deliveries[0].refused)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "utf-8", "UTF8", "utf_8"])
def test_the_declared_encoding_is_the_one_that_is_read(encoding, engine, tmp_path):
    write(tmp_path, "ID,Name\n1,Peña\n".encode(encoding))

    assert [("1", "Peña")] == [r[:2] for r in rows(engine, collected(engine, tmp_path, encoding=encoding))]


def test_headers_without_a_name_are_called_by_their_place(engine, tmp_path):
    contract = promise(text("id", physicalName="column1"), text("name", physicalName="Name"))
    write(tmp_path, ",Name,\n1,a,x\n")

    assert [("1", "a")] == [r[:2] for r in rows(engine, collected(engine, tmp_path, contract))]


def test_a_header_that_stands_twice_harms_nobody_who_does_not_need_it(engine, tmp_path):
    raw = collected(engine, write(tmp_path, "ID,Name,x,x\n1,a,y,z\n"))

    assert [("1", "a")] == [r[:2] for r in rows(engine, raw)]


def test_a_renamed_column_refuses_its_file_alone_and_names_the_likely_one(engine, tmp_path):
    write(tmp_path, "ID,Name\n1,a\n", "2024.csv")
    write(tmp_path, "Full Name,ID\nb,2\n", "2025.csv")
    write(tmp_path, "ID,Name\n3,c\n", "2026.csv")
    raw = collected(engine, tmp_path)

    assert [("1", "a"), ("3", "c")] == [r[:2] for r in rows(engine, raw)]
    assert [1, 1, 1] == [d.read for d in raw.deliveries]
    assert ["2025.csv"] == [p.file for p in raw.problems]
    assert "'Name' may now be 'Full Name'" in raw.deliveries[1].refused


def test_a_row_where_the_header_should_be_is_not_shown(engine, tmp_path):
    write(tmp_path, "7,Jane Q. Canary\n8,b\n")

    assert "Canary" not in "".join(refusals(engine, tmp_path))


def test_deliveries_come_in_the_order_of_their_names(engine, tmp_path):
    for name in ("b/1.csv", "a.csv", "a/2.csv", "a/10.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path, f"ID,Name\n1,{name}\n", name)

    assert ["a.csv", "a/10.csv", "a/2.csv", "b/1.csv"] == [
        d.file for d in collected(engine, tmp_path, path="**/*.csv").deliveries
    ]


def test_no_file_is_a_problem_and_not_an_empty_table(engine, tmp_path):
    assert ["no file matches '*.csv' in the data folder."] == refusals(engine, tmp_path)


def test_when_no_file_can_be_read_each_is_told(engine, tmp_path):
    write(tmp_path, b"", "a.csv")
    write(tmp_path, b"x\n", "b.csv")

    assert 2 == len(refusals(engine, tmp_path))


def test_files_of_other_programs_are_no_deliveries(engine, tmp_path):
    for name in ("a.csv", ".~lock.a.csv", "._a.csv", "~$a.csv"):
        write(tmp_path, "ID,Name\n1,a\n", name)

    assert ["a.csv"] == [d.file for d in collected(engine, tmp_path).deliveries]


def test_a_name_that_looks_like_a_pattern_is_found(engine, tmp_path):
    write(tmp_path, "ID,Name\n1,a\n", "toys [1].csv")

    assert ["toys [1].csv"] == [d.file for d in collected(engine, tmp_path, path="toys [1].csv").deliveries]


def test_columns_that_nobody_declared_are_told_unless_they_are_expected(engine, tmp_path):
    write(tmp_path, "ID,Name,color\n1,a,red\n")

    assert ("1 column not in the contract, left out: color",) == collected(engine, tmp_path).notes
    assert () == collected(engine, tmp_path, others="leave").notes


@pytest.mark.parametrize(
    "options",
    [
        {"path": ""}, {"path": "/etc/*.csv"}, {"path": "../*.csv"}, {"path": "a/../../b.csv"}, {"path": "~/a.csv"},
        {"path": "a**b.csv"}, {"encoding": "klingon"}, {"encoding": "rot13"}, {"delimiter": '"'},
        {"delimiter": "\n"}, {"delimiter": ""}, {"delimiter": ",,"}, {"quote": ""},
    ],
)  # fmt: skip
def test_options_that_cannot_work_are_told_before_a_file_is_opened(options):
    with pytest.raises(ValueError):
        Csv(**{"path": "*.csv", **options})


def test_a_tab_may_be_written_with_or_without_double_quotes():
    assert ["\t", "\t"] == [Csv(path="a", delimiter="\t").delimiter, Csv(path="a", delimiter="\\t").delimiter]


def test_more_records_than_one_batch_keep_their_lines(engine, tmp_path):
    many = "".join(f"{i},n\n" for i in range(50_001))
    read = engine.rows(collected(engine, write(tmp_path, f"ID,Name\n{many}")).rows.order_by(LINE).select("id", LINE))

    assert [("0", 2), ("50000", 50_002)] == [tuple(read[0].values()), tuple(read[-1].values())]
    assert all(int(r["id"]) + 2 == r[LINE] for r in read)
