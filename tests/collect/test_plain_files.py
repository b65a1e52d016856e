import gc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metroon.base.engine import Engine
from metroon.collect import LINE
from metroon.collect.deliveries import Unreadable
from metroon.collect.lines import Text
from metroon.collect.plain import PART, plain

SIGNS = [
    ",",
    '"',
    '""',
    "a",
    "A b",
    " ",
    "  ",
    "\t",
    "\\",
    "#",
    "'",
    ";",
    "é",
    "\u00a0",
    "\0",
    "\r",
    'x"',
    "1",
    "NULL",
    "-",
]
LINES = st.lists(st.sampled_from(SIGNS), max_size=7).map("".join)
CELL = st.text(st.sampled_from("ab ,\"\\é\t'#;"), max_size=4)


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


WHOLE = st.lists(st.one_of(CELL.map(quoted), CELL.filter(lambda c: not set(c) & set(',"'))), min_size=2, max_size=3)
FILES = st.builds(
    lambda head, lines, end, is_open: end.join([head, *lines]) + end * (not is_open),
    st.sampled_from(["a,b", '"a","b"', "a", "a,b,", "\ufeffa,b", 'a,"b', ",b"]),
    st.lists(st.one_of(LINES, WHOLE.map(",".join)), max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


def record_by_record(file: Path, quote: str = '"') -> list[tuple] | None:
    try:
        with Text(file, "utf-8", ",", quote, join=False).table(Counter()) as (names, found):
            return [names, *((j.line, tuple(j.fields) if j.fields else j.reason) for j in found)]
    except Unreadable:
        return None


def read_at_once(engine, file: Path, quote: str = '"', part: int = PART) -> list | None:
    found = plain(engine, file, delimiter=",", quote=quote, part=part)
    if found is None:
        return None
    rows = sorted((tuple(r.values()) for r in engine.rows(found.rows)), key=lambda r: r[-1])
    assert found.records == len(rows)
    assert [*(f"c{i}" for i in range(len(found.names))), LINE] == list(found.rows.columns)
    return [found.names, *((r[-1], r[:-1]) for r in rows)]


@settings(max_examples=400, deadline=None)
@given(text=FILES, quote=st.sampled_from(['"', ""]), part=st.sampled_from([1, 5, 9, PART]))
@example(text="a,b\n1,2,\n", quote='"', part=PART)
@example(text='a,b\n1,""\n2,\n1,2,\n', quote='"', part=PART)
@example(text='a,b\n1, "x"\n', quote='"', part=PART)
@example(text='a,b\n "x",1', quote='"', part=PART)
@example(text="a,b\na,b\n1,2\n", quote='"', part=PART)
@example(text="a,b,\n1,2\n", quote='"', part=PART)
@example(text='a,b\n1,"2\n3",4\n', quote='"', part=1)
@example(text='a,b\n1,"2\n3"",4\n5",6\n', quote='"', part=1)
def test_what_is_read_at_once_is_what_is_read_record_by_record(text, quote, part, engine, tmp_path_factory):
    file = tmp_path_factory.mktemp("plain") / "a.csv"
    file.write_bytes(text.encode())
    at_once = read_at_once(engine, file, quote, part)

    assert at_once is None or record_by_record(file, quote) == at_once


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6), end=st.sampled_from(["\n", "\r\n"]))
def test_a_clean_file_with_quoted_fields_is_read_at_once(rows, end, engine, tmp_path_factory):
    file = tmp_path_factory.mktemp("plain") / "a.csv"
    file.write_bytes("".join(",".join(map(quoted, r)) + end for r in [("id", "name"), *rows]).encode())
    at_once, expected = read_at_once(engine, file), [(i, r) for i, r in enumerate(rows, 2)]

    assert at_once is None or expected == at_once[1:]
    has_nothing = any(not any(c.strip(' \t,"') for c in r) for r in rows)
    assert at_once is not None or has_nothing or any(c.endswith((" ", "\t")) or '"' in c for r in rows for c in r)


@pytest.mark.parametrize(
    "data",
    [
        b'a,b\n1,"x\ny"\n', b"a,b\n\n1,2\n", b"a,b\n1\n", b"a,b\n1,2,3\n", b"a,b\n1,2,\n", b"a,b\n\xff,2\n",
        b"a,b\n1,2\n,\n", b'a,b\n "",\t\n1,2\n', b"a,b\r\n1,2\r\n,",
        b"a,b\n1,\0\n", b"a,b\r1,2\r", b"a,b\n1,2\r\n", b'a,b\n1,"x"y\n', b'a,b\n1,"x\n', b"a,b\n", b"", b"a,b\na,b\n",
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_other_reader(data, engine, tmp_path):
    (tmp_path / "a.csv").write_bytes(data)

    assert plain(engine, tmp_path / "a.csv", delimiter=",", quote='"') is None


def test_a_large_text_is_read_in_parts_and_each_line_keeps_its_number(engine, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("id,name\n" + "".join(f'{i},"n {i % 7}"\n' for i in range(2, 60_002)), encoding="utf-8")
    found = plain(engine, file, delimiter=",", quote='"', part=10_000)
    rows = engine.rows(
        found.rows.aggregate(n=found.rows.count(), same=(found.rows.c0 == found.rows[LINE].cast("string")).sum())
    )
    saved = engine.save(found.rows, tmp_path / "a.parquet")
    kept = engine.parquet([str(tmp_path / "a.parquet")])

    assert [{"n": 60_000, "same": 60_000}] == rows
    assert 60_000 == saved == engine.count(kept.filter(kept.c0 == kept[LINE].cast("string")))
    assert 60_000 == found.records == engine.rows(kept.aggregate(n=kept[LINE].nunique()))[0]["n"]


def test_rows_come_in_their_order_again_after_a_text_was_read_in_parts(engine, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("id\n" + "".join(f"{i}\n" for i in range(20_000)), encoding="utf-8")
    engine.save(plain(engine, file, delimiter=",", quote='"', part=1_000).rows, tmp_path / "a.parquet")
    numbers = engine.sql("select range as n from range(1000000)", {})

    assert engine.fetch(numbers)["n"].to_pylist() == list(range(1_000_000))


def test_a_last_line_with_an_open_quote_is_no_record_of_its_part(engine, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("a,b\n" + '1,"x\ny"\n' * 40, encoding="utf-8")

    assert all(read_at_once(engine, file, part=part) is None for part in range(1, 200, 7))


@pytest.mark.parametrize("is_closed", [True, False])
def test_an_engine_that_read_a_text_goes_without_a_word(is_closed, tmp_path, capfd):
    (tmp_path / "a.csv").write_text("id\n1\n2\n", encoding="utf-8")
    own = Engine()
    found = plain(own, tmp_path / "a.csv", delimiter=",", quote='"', part=1)
    assert found is not None
    rows = own.rows(found.rows.order_by(LINE))
    if is_closed:
        own.close()
    del own, found
    gc.collect()

    assert [{"c0": "1", LINE: 2}, {"c0": "2", LINE: 3}] == rows
    assert "" == capfd.readouterr().err
