import re
from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.signs import SIGNS, plain
from metroon.collect.inference import FORMATS, parse
from metroon.conform.typing import end_of_day, strptime, typed
from tiny import ours, promise, text

DAYS = st.dates(datetime(1970, 1, 1).date(), datetime(2060, 12, 30).date())
CLOCKS = [form for form in FORMATS if end_of_day(form)]


def read(engine, texts: list[str], kind: str = "timestamp", **options) -> list:
    asked = promise(text("c", **{"logicalType": kind, **options})).columns[0]
    rows = engine.table(pa.table({"c": pa.array(texts, pa.string())}))
    return engine.fetch(rows.select(v=typed(engine, rows, asked).value))["v"].to_pylist()


@settings(max_examples=50)
@given(day=DAYS, form=st.sampled_from(CLOCKS))
def test_24_00_is_the_begin_of_the_next_day_in_every_way_of_writing(day, form, engine):
    midnight = datetime(day.year, day.month, day.day)
    written = midnight.strftime(strptime(form.replace("HH", "'24'").replace("H", "'24'")))
    found = read(engine, [written], logicalTypeOptions={"format": form})

    assert [midnight + timedelta(days=1)] == found == [parse(written, form)]


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        ("M/d/yyyy HHmm", ["1/31/2015 2401", "1/31/2015 2460", "1/31/2015 0060", "1/31/2015 2500", "1/31/2015 24"]),
        ("M/d/yyyy H:mm", ["1/31/2015 24:01", "1/31/2015 25:00", "1/31/2015 1:60", "2/30/2015 24:00"]),
        (None, ["2015-01-31 24:01", "2015-01-31 25:00", "2015-02-30 24:00:00"]),
    ],
)
def test_what_no_clock_shows_is_no_time(form, texts, engine):
    options = {"logicalTypeOptions": {"format": form}} if form else {}

    assert [None] * len(texts) == read(engine, texts, **options)


def test_24_00_in_iso_8601_is_the_next_day_too(engine):
    assert [datetime(2015, 2, 1)] * 2 == read(engine, ["2015-01-31 24:00", "2015-01-31T24:00:00"])


@pytest.mark.parametrize(
    ("texts", "signs", "expected"),
    [
        (["$1,234.50", "-$5", "$-5", "5"], ["currency", "thousands"], [1234.5, -5.0, -5.0, 5.0]),
        (["1,23", "1,2345", ",5", "1234,567"], ["thousands"], [None] * 4),
        (["12 %", "12%", "0.5 %"], ["percent"], [12.0, 12.0, 0.5]),
        (["5-", "5.25 -", "-5", "-5-"], ["trailing minus"], [-5.0, -5.25, -5.0, None]),
        (["(5)", "($1,000)", "((5))"], ["parentheses", "currency", "thousands"], [-5.0, -1000.0, None]),
        (["$5", "1,000", "5%", "5-", "(5)"], [], [None] * 5),
        (["1.234,50", "-1.234.567,5", "0,5", "12", "7,"], ["decimal comma"], [1234.5, -1234567.5, 0.5, 12.0, None]),
        (["12.5", "1.2345,6", "1,234.5", "1234.567,8", ".5", "1.23"], ["decimal comma"], [None] * 6),
        (["1.234,50 €", "€ 5,25", "(7,5)"], ["currency", "decimal comma", "parentheses"], [1234.5, 5.25, -7.5]),
    ],
)
def test_signs_beside_digits_are_read_only_where_they_are_declared(texts, signs, expected, engine):
    options = {"customProperties": ours(written=signs)} if signs else {}

    assert expected == read(engine, texts, "number", **options)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["45292", "45292.5", "61"], [datetime(2024, 1, 1), datetime(2024, 1, 1, 12), datetime(1900, 3, 1)]),
        (["45292.999999", "2024-01-01 08:30"], [datetime(2024, 1, 2), datetime(2024, 1, 1, 8, 30)]),
        (["60", "0", "-5", "2958466", "20240101", "x"], [None] * 6),
    ],
)
def test_days_that_a_spreadsheet_program_counts_are_read_where_that_is_declared(texts, expected, engine):
    declared = {"customProperties": ours(written=["spreadsheet days"])}

    assert expected == read(engine, texts, **declared)
    assert [None if "-" not in t or t == "-5" else datetime(2024, 1, 1, 8, 30) for t in texts] == read(engine, texts)


@settings(max_examples=40)
@given(written=st.text("0123456789.,-+$%() ", max_size=9), signs=st.sets(st.sampled_from([*SIGNS])))
def test_a_look_at_a_file_and_the_contract_read_the_same_numbers(written, signs, engine):
    bare = plain(written.strip(), signs)
    options = {"customProperties": ours(written=sorted(signs))} if signs else {}
    (found,) = read(engine, [written], "number", **options)

    assert found == (float(bare) if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", bare) else None)
