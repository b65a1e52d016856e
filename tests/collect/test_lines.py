import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.collect import FILE, LINE, RECORD, REJECT, Raw, Reading
from metroon.collect.kinds.csv import Csv
from metroon.collect.lines import count_lines
from tiny import promise, text

COLUMNS = ("a", "b", "c", "d")
WIDE = promise(*(text(name) for name in COLUMNS))
CUT = "one of 2 lines of a record that is cut"
RAGGED = "the record does not have 4 fields"


def collected(engine, folder: Path, data: bytes | str, **options) -> Raw:
    (folder / "a.txt").write_bytes(data if isinstance(data, bytes) else data.encode())
    asked = {"path": "a.txt", "delimiter": "\t", **options}
    return Csv(**asked).read(Reading(engine, WIDE, folder, folder))


def rows(engine, raw: Raw) -> list[tuple]:
    listed = raw.rows.order_by([FILE, LINE]).select(*COLUMNS, LINE, REJECT, RECORD)
    return [tuple(r.values()) for r in engine.rows(listed)]


def kept(engine, raw: Raw) -> list[tuple]:
    return [r[:4] for r in rows(engine, raw) if r[5] is None]


def aside(engine, raw: Raw) -> list[tuple]:
    return [r[4:] for r in rows(engine, raw) if r[5] is not None]


def tabbed(*lines: str) -> str:
    return "\n".join(["a b c d", *lines, ""]).replace(" ", "\t").replace("_", " ")


# What files of exports hold: pieces of tables, in any order, with any end of line, and bytes of any kind.
PIECES = st.sampled_from(
    [
        b"a\tb\tc\td", b"1\t2\t3\t4", b"1\t2", b"3\t4", b"\t\t\t", b"", b'"', b'1\t"2\t3\t4', b'1\t"2"x\t3\t4',
        b"total: 3", b"\x00", b"\x0c", b"\x1a", b"\xe9", b"\xc3\xa9", b"\xe2\x80\xa8", b"\xc2\x85", b"\x0b",
        b"1\t2\t3\t4\t5", b"\t",
    ]
)  # fmt: skip
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r", b""])
DUMPS = st.lists(st.tuples(st.one_of(PIECES, st.binary(max_size=6)), ENDS), max_size=12).map(
    lambda parts: b"".join(a + b for a, b in parts)
)


@given(
    dump=DUMPS,
    headed=st.sampled_from([b"a\tb\tc\td\n", b"\n\r\na\tb\tc\td\r", b"\xef\xbb\xbfa\tb\tc\td\r\n", b""]),
    quote=st.sampled_from(['"', "none"]),
    encoding=st.sampled_from(["utf-8", "cp1252", "latin-1", "utf-16-le", "cp500"]),
    cut=st.sampled_from(["set aside", "join"]),
)
def test_of_any_bytes_whatsoever_each_line_and_each_record_is_accounted_for(
    dump, headed, quote, encoding, cut, engine, tmp_path_factory
):
    folder, data = tmp_path_factory.mktemp("any"), headed + dump
    data = data.decode("latin-1").encode(encoding) if encoding in ("utf-16-le", "cp500") else data
    try:
        raw = collected(engine, folder, data, quote=quote, encoding=encoding, cut=cut)
    except Refused:
        return
    delivery, found = raw.deliveries[0], rows(engine, raw)
    plain = data.decode(encoding).encode("utf-8")

    assert len(plain.splitlines()) == sum(delivery.lines.values())
    assert len(found) == delivery.read
    # What is set aside stands there as it stood in the file, line by line.
    listed = [line.decode() for line in plain.splitlines()]
    for line, _, record in aside(engine, raw):
        assert record.splitlines()[:1] == listed[line - 1].splitlines()[:1]
    every = [cell for row in found if row[5] is None for cell in row[:4]] + [r for *_, r in found if r is not None]
    spoken = "".join(every).replace("\t", "").replace('"', "").replace("\r", "").replace("\n", "")
    written = plain.decode().removeprefix("\ufeff").replace("\t", "").replace('"', "").replace("\r", "")
    # Not one letter is gone but those of the header.
    assert sorted(spoken + "abcd") == sorted(written.replace("\n", ""))


@given(data=st.binary(max_size=40))
@example(data=b"a\r\rb\n\r\n")
@example(data=b"")
def test_lines_are_counted_from_the_bytes(data, tmp_path_factory):
    file = tmp_path_factory.mktemp("n") / "a.txt"
    file.write_bytes(data)

    assert len(data.splitlines()) == count_lines(file, "utf-8")


def test_a_line_end_that_falls_between_two_blocks_is_one(tmp_path):
    data = b"x" * ((1 << 20) - 1) + b"\r\n" + b"y"
    (tmp_path / "a.txt").write_bytes(data)

    assert 2 == count_lines(tmp_path / "a.txt", "utf-8")


def test_the_halves_of_a_cut_record_are_set_aside_each_with_its_line_text_and_reason(engine, tmp_path):
    raw = collected(engine, tmp_path, tabbed("1 2 3 4", "5 six_", "and_a_half 7 8", "9 9 9 9"))

    assert [("1", "2", "3", "4"), ("9", "9", "9", "9")] == kept(engine, raw)
    assert [(3, CUT, "5\tsix "), (4, CUT, "and a half\t7\t8")] == aside(engine, raw)
    assert {"header": 1, "records": 2, "set aside": 2} == raw.deliveries[0].lines


def test_the_lines_of_a_cut_record_are_joined_where_that_is_declared(engine, tmp_path):
    data = tabbed("1 2 3 4", "5 six_", "and_a_half 7 8", "1 x", "y", "z 3 4")
    raw = collected(engine, tmp_path, data, cut="join")

    assert [("1", "2", "3", "4"), ("5", "six \nand a half", "7", "8"), ("1", "x\ny\nz", "3", "4")] == kept(engine, raw)
    assert ({"header": 1, "records": 1, "joined": 5}, 3) == (raw.deliveries[0].lines, raw.deliveries[0].read)
    assert ("5 lines of records that were cut are joined",) == raw.notes


@pytest.mark.parametrize(
    "lines",
    [
        ["1 2", "3", "4"],  # one tab too few
        ["1 2", "3 4 5 6", "7"],
        ["1 2", "3 4 5", "6 7 8"],  # the first two add up, and so do the last two but for one
        ["end", "1 2", "3 4 5"],  # who knows where the end belongs
        ["1 2", "3 4 5", "end"],
        ["1 2", "1 2 3 4", "3 4 5"],  # too far apart
        ["1 2", "", "3 4 5"],
    ],
)
def test_what_is_not_plainly_one_record_is_never_joined(lines, engine, tmp_path):
    raw = collected(engine, tmp_path, tabbed("0 0 0 0", *lines), cut="join")

    assert 0 == raw.deliveries[0].lines.get("joined", 0)
    assert {RAGGED} == {reason for _, reason, _ in aside(engine, raw)}


@given(cuts=st.lists(st.integers(4, 29), max_size=3))
def test_a_record_cut_inside_its_fields_is_joined_to_what_it_was(cuts, engine, tmp_path_factory):
    record = "one\ttwo words\tthree more words\tfour"
    whole = record
    for at in sorted(set(cuts), reverse=True):
        whole = f"{whole[:at]}\n{whole[at:]}"
    raw = collected(engine, tmp_path_factory.mktemp("cut"), f"a\tb\tc\td\n0\t0\t0\t0\n{whole}\n", cut="join")
    found = ["\t".join(r).replace("\n", "") for r in kept(engine, raw)]

    # A line without a delimiter at the begin or the end of the record could be anybody's: then nothing is joined.
    assert found[1:] in ([record], [])
    assert 2 + whole.count("\n") + 1 == sum(raw.deliveries[0].lines.values())


def test_lines_above_the_header_are_counted_with_it_and_records_keep_their_lines(engine, tmp_path):
    raw = collected(engine, tmp_path, "A title\n\n" + tabbed("1 2 3 4", "5 six", "7 7 7 7"), skip=2)

    assert [("1", "2", "3", "4", 4), ("7", "7", "7", "7", 6)] == [r[:5] for r in rows(engine, raw) if r[5] is None]
    assert [(5, RAGGED, "5\tsix")] == aside(engine, raw)
    assert {"header": 3, "records": 2, "set aside": 1} == raw.deliveries[0].lines
    with pytest.raises(Refused):
        collected(engine, tmp_path, "A title\n", skip=2)


def test_a_header_that_comes_again_is_no_row(engine, tmp_path):
    raw = collected(engine, tmp_path, tabbed("1 2 3 4", "a b c d", "5 6 7 8"))

    assert [(3, "the header stands here again", "a\tb\tc\td")] == aside(engine, raw)


def test_a_delimiter_at_the_end_of_each_record_is_no_field(engine, tmp_path):
    raw = collected(engine, tmp_path, "a\tb\tc\td\n1\t2\t3\t4\t\n5\t6\t7\t\t\n")

    assert [("1", "2", "3", "4"), ("5", "6", "7", "")] == kept(engine, raw)


def test_a_delimiter_at_the_end_of_the_header_alone_is_no_column(engine, tmp_path):
    raw = collected(engine, tmp_path, "a\tb\tc\td\t\n1\t2\t3\t4\n")

    assert [("1", "2", "3", "4")] == kept(engine, raw)


def test_a_field_too_many_is_a_delimiter_in_a_field_and_not_one_at_the_end(engine, tmp_path):
    raw = collected(engine, tmp_path, "a\tb\tc\td\n1\t2\tx\t3\t\n5\t6\t7\t8\n")

    assert [(2, RAGGED, "1\t2\tx\t3\t")] == aside(engine, raw)


def test_quotes_that_are_signs_like_any_other_stay_in_the_values(engine, tmp_path):
    raw = collected(engine, tmp_path, 'a\tb\tc\td\n"1"\t"2\t3"\t4"\n', quote="none")

    assert [('"1"', '"2', '3"', '4"')] == kept(engine, raw)


def test_two_lone_quotes_do_not_make_one_record_of_many(engine, tmp_path):
    raw = collected(engine, tmp_path, 'a\tb\tc\td\n1\t"2\t3\t4\n5\t6\t7\t8\n9\t9"\t9\t9\n0\t0\t0\t0\n')
    found = aside(engine, raw)

    assert [("0", "0", "0", "0")] == kept(engine, raw)
    assert [(2, 3)] == [(line, len(record.splitlines())) for line, _, record in found]
    assert {"header": 1, "records": 1, "set aside": 3} == raw.deliveries[0].lines


def test_a_file_without_any_whole_record_is_refused_with_the_numbers(engine, tmp_path):
    with pytest.raises(Refused) as refused:
        collected(engine, tmp_path, "a\tb\tc\td\n1,2,3,4\n5,6,7,8\n")

    assert ["none of its 2 records has the 4 fields of the header."] == [p.what for p in refused.value.problems]


def test_a_file_that_is_no_text_of_its_encoding_tells_how_many_lines_and_where(engine, tmp_path):
    with pytest.raises(Refused) as refused:
        collected(engine, tmp_path, "a\tb\tc\td\n1\t2\t3\té\n1\t2\t3\t4\n".encode("cp1252"))

    why = "the file is not utf-8 text. 1 of its 3 lines cannot be read; the first is line 2."
    assert [why] == [p.what for p in refused.value.problems]


def test_the_account_of_lines_goes_into_evidence_as_it_is(engine, tmp_path):
    delivery = collected(engine, tmp_path, tabbed("1 2 3 4")).deliveries[0]

    assert delivery.lines == json.loads(json.dumps(delivery.__dict__))["lines"]


# The city's real export


@pytest.fixture
def permits(engine, shared_data):
    """The export of 2006, read under the names of its own header."""

    def read(**options) -> Raw:
        folder = shared_data / "sanjose/permits"
        names = ("TRACT", "FOLDERNUMBER", "JOBLOCATION", "PERMITFLAG")
        contract = promise(*(text(b, physicalName=a) for a, b in zip(names, COLUMNS, strict=True)))
        asked = {"path": "PD_2006_ISSUE.txt", "delimiter": "\t", **options}
        return Csv(**asked).read(Reading(engine, contract, folder, folder))

    return read


@pytest.mark.shared
@pytest.mark.parametrize("quote", ['"', "none"])
def test_a_real_export_is_accounted_for_to_its_last_line(quote, permits, engine, shared_data):
    raw = permits(quote=quote)
    lines = (shared_data / "sanjose/permits/PD_2006_ISSUE.txt").read_text("cp1252").split("\n")

    assert {"header": 1, "records": 17_564, "set aside": 4} == raw.deliveries[0].lines
    assert (17_569, 17_568) == (len(lines), raw.deliveries[0].read)
    assert [(n, CUT, lines[n - 1]) for n in (565, 566, 12_552, 12_553)] == aside(engine, raw)


@pytest.mark.shared
def test_the_cut_records_of_a_real_export_are_whole_when_they_are_joined(permits, engine):
    raw = permits(cut="join")

    assert ({"header": 1, "records": 17_564, "joined": 4}, 17_566) == (raw.deliveries[0].lines, raw.deliveries[0].read)
    assert 17_566 == len(kept(engine, raw))
