"""Sail counts what DuckDB counts: every function with a word of Spark SQL, over values that engines quarrel about."""

from __future__ import annotations

import random
import re
import struct
import subprocess
import sys
import traceback
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metroon.base.engine import CannotRun, Counter
from metroon.base.errors import Refused
from metroon.base.kinds._functions import FUNCTIONS
from metroon.base.kinds._texts import _LOWERED, _RAISED
from metroon.base.kinds.sail import Sail
from metroon.base.sql import ROW_FUNCTIONS
from metroon.lake.kinds.delta import Delta

pytestmark = pytest.mark.sail
pytest.importorskip("pysail", reason="the engine 'sail' is not installed: pip install 'metroon[sail]'")
pytest.importorskip("pyspark", reason="the engine 'sail' is not installed: pip install 'metroon[sail]'")


@pytest.fixture(scope="module")
def sail():
    """One driver with two workers for all tests of this file."""
    with Sail(workers=2).start() as counter:
        yield counter


# Values that engines quarrel about, each with each.

NAN, INFINITE = float("nan"), float("inf")
# What processors make of 0 / 0: another nan in its bits, and below all numbers to those who look at them.
OTHER_NAN = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000001))[0]
TEXTS = [
    "", "a", "A", "é", "e\u0301", "ş", "  x ", "\tx\n", "\u00a0x\u3000", "日本", "👩‍👩‍👧", "a%b_c", "a\\b", "O'Hare",
    "ab\n", "line\nbreak", "95112", "x,y,,z", "JOSÉ", "١", None,
]  # fmt: skip
DOUBLES = [
    0.0, -0.0, 1.0, -1.5, 2.5, 3.5, 0.5, -0.5, 1e18, 1e20, 1e-7, 0.1, 2.675, 1.005, 123456.785, -2.5, 2.0**53, NAN,
    OTHER_NAN, INFINITE, -INFINITE, 1e308, 5e-324, None,
]  # fmt: skip
SMALLS = [0, 1, -1, 2, 3, 7, -7, 100, 2**31 - 1, -(2**31), None]
LARGES = [0, 1, -1, 5, -7, 10**12, 2**53 + 1, 2**62, -(2**62), None]
TRUTHS = [True, False, None]
TIMES = [
    *(datetime.fromisoformat(t) for t in (
        "1970-01-01 00:00:00", "1969-12-31 23:59:59.999999", "1970-01-05 00:00:00", "1899-12-31 12:00:00",
        "1950-06-11 00:00:00.5", "2024-02-29 23:59:30", "2024-03-10 02:30:00", "2020-12-31 23:59:59",
        "2021-01-01 00:00:00", "2021-01-03 23:59:59", "2015-01-31 10:00:29", "2015-01-31 10:01:00.25",
        "2016-01-01 00:00:00", "2261-12-31 23:59:59",
    )),
    None,
]  # fmt: skip
DECIMALS = [Decimal("0.00"), Decimal("-0.01"), Decimal("2.50"), Decimal("1234567.89"), None]
COLUMNS = {
    "sr": (TEXTS, pa.string()),
    "fg": (DOUBLES, pa.float64()),
    "ij": (SMALLS, pa.int32()),
    "lm": (LARGES, pa.int64()),
    "bc": (TRUTHS, pa.bool_()),
    "tu": (TIMES, pa.timestamp("us")),
    "de": ([t and t.date() for t in TIMES], pa.date32()),
    "pq": (DECIMALS, pa.decimal128(9, 2)),
}
ROWS = max(len(values) ** 2 for values, _ in COLUMNS.values())


def tricky() -> pa.Table:
    """Every value beside every other, in two columns; the pairs of columns are not in step."""
    made = {"row": pa.array(range(ROWS))}
    for seed, (names, (values, kind)) in enumerate(COLUMNS.items()):
        pairs = list(product(values, values))
        random.Random(seed).shuffle(pairs)
        for name, column in zip(names, zip(*pairs, strict=True), strict=True):
            made[name] = pa.array([column[n % len(column)] for n in range(ROWS)], kind)
    return pa.table(made)


def counted(counter: Counter, table, expression: str):
    """The values of an expression, and their type; the code of the problem where it is refused."""
    try:
        rows = counter.with_column(table, "_v", expression)
        values = counter.fetch(rows.select("row", "_v").order_by("row"))["_v"]
    except Refused as refused:
        return refused.problems[0].code
    # nan is not itself; text of it is. -0.0 is 0.0 to all who compare.
    return values.type, ["nan" if v != v else v for v in values.to_pylist()]


def grouped(counter: Counter, table, expression: str):
    """How often the values are there, and how many different ones, in groups."""
    rows = counter.with_column(table, "_v", expression)
    cells = rows.group_by(rows["row"] < 9).aggregate(there=rows["_v"].count(), different=rows["_v"].nunique())
    return sorted(map(tuple, (r.values() for r in counter.rows(cells))))


@pytest.fixture(scope="module")
def both(engine, sail):
    """Both engines, each with the same rows."""
    return (engine, engine.table(tricky())), (sail, sail.table(tricky()))


SAME = {
    "abs": ["abs(f)", "abs(case when i > -100 then i end)", "abs(l)"],
    "ceil": ["ceil(f)"],
    "ceiling": ["ceiling(f)"],
    "char_length": ["char_length(s)"],
    "character_length": ["character_length(s)"],
    "concat": ["concat(s, r)", "concat(s, '-', r)"],
    "concat_ws": ["concat_ws('-', s, r)", "concat_ws(s, r, 'x')"],
    "contains": ["contains(s, r)"],
    "date_add": ["date_add(t, interval 2 week)", "date_add(d, interval 1 month)"],
    "date_diff": [
        *(f"date_diff('{unit}', t, u)" for unit in (
            "year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond",
        )),
        "date_diff('day', d, e)", "date_diff('week', d, u)",
        "date_diff('minute', d, u)", "date_diff('minute', t, u) <= 8",
    ],
    "date_part": ["extract(year from t)", "extract(dow from d)", "extract(hour from t)", "date_part('isodow', t)"],
    "date_trunc": [
        *(f"date_trunc('{unit}', t)" for unit in (
            "year", "quarter", "month", "week", "day", "hour", "minute", "second",
        )),
        "date_trunc('month', d)",
    ],
    "datediff": ["datediff('minute', t, u)", "datediff('week', d, e)"],
    "datepart": ["datepart('quarter', d)"],
    "datetrunc": ["datetrunc('week', d)"],
    "day": ["day(t)", "day(d)"],
    "dayname": ["dayname(t)", "dayname(d)"],
    "dayofmonth": ["dayofmonth(t)"],
    "dayofweek": ["dayofweek(t)", "dayofweek(d)"],
    "dayofyear": ["dayofyear(t)", "dayofyear(d)"],
    "days_in_month": ["days_in_month(d)", "days_in_month(t)"],
    "ends_with": ["ends_with(s, r)"],
    "epoch": ["epoch(t)"],
    "floor": ["floor(f)"],
    "greatest": ["greatest(f, g)", "greatest(i, l)", "greatest(s, r)", "greatest(t, u)"],
    "hour": ["hour(t)"],
    "if": ["if(b, i, l)", "if(b, i, f)", "if(b, s, null)"],
    "instr": ["instr(s, 'b')"],
    "isfinite": ["isfinite(f)"],
    "isinf": ["isinf(f)"],
    "isnan": ["isnan(f)"],
    "isodow": ["isodow(t)", "isodow(d)"],
    "last_day": ["last_day(t)", "last_day(d)"],
    "lcase": ["lcase(s)"],
    "least": ["least(f, g)", "least(i, l)", "least(s, r)", "least(d, e)"],
    "left": ["left(s, 2)", "left(s, 0)"],
    "len": ["len(s)"],
    "length": ["length(s)"],
    "lower": ["lower(s)", "lower(s) = 'josé'"],
    "ltrim": ["ltrim(s)"],
    "make_date": ["make_date(year(t), month(t), day(t))"],
    "md5": ["md5(s)"],
    "minute": ["minute(t)"],
    "mod": ["case when m <> 0 then mod(l, m) end"],
    "month": ["month(t)", "month(d)"],
    "monthname": ["monthname(t)"],
    "nullif": ["nullif(s, r)", "nullif(i, 0)", "nullif(f, g)"],
    "position": ["position('b' in s)"],
    "prefix": ["prefix(s, 'a')"],
    "quarter": ["quarter(t)", "quarter(d)"],
    "regexp_full_match": [r"regexp_full_match(s, '\d{5}')", "s similar to '[a-z].*'"],
    "regexp_matches": [
        "regexp_matches(s, '^[a-z]+$')", "regexp_matches(s, '.')", "s ~ '(a|b).c'", r"regexp_matches(s, '\.|%|\d')",
        "regexp_matches(s, '^[^a-z]*$')",
    ],
    "repeat": ["repeat(s, 3)"],
    "replace": ["replace(s, r, '#')", "replace(s, 'a', '')"],
    "right": ["right(s, 2)"],
    "round": ["round(f)", "round(f, 0)", "round(f, 1)", "round(f, 2)", "round(f, 6)"],
    "rtrim": ["rtrim(s)"],
    "second": ["second(t)"],
    "sha256": ["sha256(s)"],
    "sign": ["sign(f)", "sign(i)"],
    "split_part": ["split_part(s, ',', 2)", "split_part(s, 'b', 1)"],
    "sqrt": ["sqrt(f)", "sqrt(l)"],
    "starts_with": ["starts_with(s, r)", "s ^@ 'a'"],
    "strftime": [
        "strftime(t, '%Y-%m')", "strftime(d, '%Y')", "strftime(d, '%Y-%m-%d')", "strftime(t, '%H:%M:%S')",
        "strftime(t, '%d/%m/%y, day %j')", "strftime(t, '%a %A %b %B 100%%')", "strftime(d, 'the %d. at %H')",
    ],
    "strlen": ["strlen(s)"],
    "strpos": ["strpos(s, r)"],
    "substr": ["substr(s, 2)"],
    "substring": ["substring(s, 2, 2)", "substring(s from 1 for 0)"],
    "suffix": ["suffix(s, 'b')"],
    "trim": ["trim(s)"],
    "trunc": ["trunc(f)"],
    "ucase": ["ucase(s)"],
    "upper": ["upper(s)"],
    "week": ["week(t)", "week(d)"],
    "weekday": ["weekday(t)"],
    "weekofyear": ["weekofyear(t)"],
    "year": ["year(t)", "year(d)"],
}  # fmt: skip
"""Function -> what is counted with it on both engines."""
SHAPES = [
    # Logic of what is not known
    "b and c", "b or c", "not b", "b = c", "b < c", "b is distinct from c", "b is true", "b is not true", "b is null",
    "not (b and c) or b", "b and null", "null or c", "case when b then c end", "coalesce(b, c, false)", "true",
    # Comparisons
    "s = r", "s < r", "s <> r", "s >= 'b'", "s is distinct from r", "s in ('a', 'é', null)", "s not in ('a', 'b')",
    "s between 'A' and 'b'", "s like 'a%'", "s not like '%b%'", "s like '_'", "f = g", "f < g", "f >= g", "f <> g",
    "f is not distinct from g", "f in (0, 0.1, 2.5)", "f > 0.1", "f between 0.1 and 3", "i = f", "l = f", "l < f",
    "i = l", "i > 0.5", "l in (1, 2, 9007199254740993)", "p = q", "p < i", "p < f", "p in (2.5, 0)",
    "i between 0.5 and p",
    "d = e", "d < e", "t < u", "t = d", "d < t", "t between '2015-01-01' and '2021-01-01'", "d >= '2015-01-31'",
    "d in ('2024-02-29')", "t > timestamp '2016-01-01'", "t is distinct from u", "t is not null",
    # Values of several kinds
    "coalesce(s, r, 'x')", "coalesce(i, f, 0.5)", "case when s = 'a' then 1 when s = 'é' then 2 end",
    "case when b then i else l end", "case when b then i else f end", "case s when 'a' then d else e end",
    # Arithmetic
    "f / i > 0.5", "f - g >= 0", "f * g = f * g", "nullif(f / j, f / j)", "greatest(f - g, f)",
    "f + g", "f - g", "f * g", "f / g", "i / j", "l / i", "f / i", "p / q", "i / p", "-f", "-p", "f + i", "f * 0.5",
    "f - g in (0, 1)",
    "i * 0.5", "p + q", "p - q", "p * q", "p + 1", "p * 2.5", "p * 0.5e0", "cast(i as bigint) * j", "l // 3", "l % 7",
    "-(l // 2)", "l - 1 - l", "2 * (i::bigint + 1) > l", "d - e", "case when i between -7 and 100 then d + i end",
    "case when i between -7 and 100 then d - i end", "d + interval 1 month", "t + interval 8 minute",
    "t - interval '1 day 2 hours'", "t - interval 3 year", "u - interval 90 second",
    # Casts
    "cast(b as integer)", "cast(b as varchar)", "cast(i as boolean)", "cast(i as varchar)", "cast(l as varchar)",
    "try_cast(f as integer)", "try_cast(f as bigint)", "cast(case when abs(f) < 1e9 then f end as integer)",
    "try_cast(l as integer)", "cast(i as double)", "cast(l as double)", "cast(p as double)", "cast(d as varchar)",
    "cast(t as varchar)", "cast(t as date)", "cast(d as timestamp)", "cast(p as decimal(20, 4))",
    "cast((s = 'a') as boolean)", "cast(null as boolean)", "cast(i as smallint) is null or true",
    # Texts
    "s || r", "s || '-' || r", r"s = 'a\b'", "s = 'O''Hare'", "s = 'line\nbreak'", "date '2024-01-01'", "1.5", "'x'",
]  # fmt: skip
STOPPED = [
    "i + j", "i - j", "i * j", "-i", "abs(i)", "i // j", "i % j", "mod(l, m)", "l + m", "l * m", "l - m",
    "cast(f as integer)", "cast(l as integer)", "cast(l as smallint)", "make_date(2024, i, 1)",
    "make_date(2023, 2, case when i = 7 then 29 end)", "d > 'soon'",
]  # fmt: skip
"""What no number comes of: values that leave the range of their type, and divisions by zero."""
DIFFERENT = [
    "acos(f)", "ln(f)", "exp(f)", "pow(f, 2)", "f % g", "hash(s)", "reverse(s)", "s ilike 'a'", r"s like 'a\%'",
    "s || i", "lpad(s, 3, 'x')", "f::varchar", "try_cast(s as integer)", "try_cast(s as date)", "f::decimal(10, 2)",
    "p::integer", "p::decimal(8, 1)", "p::varchar", "i = s::integer", "t - u", "t + to_days(i)", "round(p)",
    "round(l, -1)",
    "strftime(t, '%U')", "strftime(t, '%f')", "strftime('%Y', t)", "date_diff('decade', t, u)", "date_sub('day', t, u)",
    "date_trunc('decade', t)", "extract(hour from d)", "age(t, u)", "t + interval '0.5 seconds'", "epoch_ms(t)",
    r"regexp_matches(s, '\w')", "regexp_matches(s, '(?i)a')", "regexp_matches(s, '[[:alpha:]]')",
    "regexp_matches(s, r)",
    "regexp_matches(s, 'a', 'i')", "regexp_extract(s, 'a')", "left(s, -1)", "substring(s, i)", "split_part(s, ',', -1)",
    "[i, j]", "list_contains([i], j)", "{'a': i}", "json_extract(s, '$')", "typeof(i)", "s collate nocase = 'a'",
    "i::hugeint", "l * 100000000000000000000", "greatest(d, t)", "concat(s, i)", "cast(s as boolean)",
    "time_bucket(interval 1 week, d)",
]  # fmt: skip


def test_every_function_has_an_example_or_is_refused():
    assert set(FUNCTIONS) == set(SAME)
    assert set(SAME) <= ROW_FUNCTIONS


@pytest.mark.parametrize("expression", [*(e for examples in SAME.values() for e in examples), *SHAPES])
def test_sail_gives_what_duckdb_gives(expression, both):
    (duckdb, here), (sail, there) = both

    expected = counted(duckdb, here, expression)

    assert isinstance(expected, tuple)
    assert expected == counted(sail, there, expression)
    assert grouped(duckdb, here, expression) == grouped(sail, there, expression)


@pytest.mark.parametrize("expression", STOPPED)
def test_where_duckdb_stops_sail_gives_no_number_either(expression, both):
    assert ["E101", "E101"] == [counted(*engine, expression) for engine in both]


@pytest.mark.parametrize("expression", DIFFERENT)
def test_what_sail_may_count_in_another_way_is_refused(expression, both):
    _, (sail, there) = both

    assert "E104" == counted(sail, there, expression)


ARGUMENTS = [
    "i", "f", "s", "t", "d", "i, j", "s, r", "t, u", "[i]", "[i], [j]", "s, i", "i, f", "s, r, s", "[i], 1, 2",
]  # fmt: skip


@pytest.mark.parametrize("function", sorted(ROW_FUNCTIONS - set(SAME)))
def test_a_function_without_an_example_gives_no_number_whatever_its_arguments(function, both):
    _, (sail, there) = both

    assert {counted(sail, there, f"{function}({given})") for given in ARGUMENTS} <= {"E101", "E104"}


def test_a_refusal_names_the_function_and_what_to_do(both):
    _, (sail, there) = both
    with pytest.raises(Refused) as refused:
        sail.with_column(there, "_v", "f > 0 and jaccard(s, r) > 0.5")

    (problem,) = refused.value.problems
    assert (True, True) == ("'jaccard'" in problem.what, "engine:" in problem.fix)


def test_a_word_of_the_query_is_not_taken_for_a_column_or_the_other_way_round(engine, sail):
    rows = pa.table({"row": [0, 1], "value": [1, 2], "case": ["a", "b"], "a/b.c d`e": [1.5, None]})
    for expression in ("value > 1", "\"case\" = 'b'", '"a/b.c d`e" is null', "VALUE + 1"):
        assert counted(engine, engine.table(rows), expression) == counted(sail, sail.table(rows), expression)


LETTERS = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c <= 0xDFFF]


ON_LETTERS = ["lower(s)", "upper(s)", "trim(s)", "length(s)", "s like '_'", "regexp_matches(s, '.')"]


@pytest.mark.parametrize("expression", ON_LETTERS)
def test_every_letter_there_is_becomes_the_same_or_stops_the_query(expression, engine, sail):
    wrong = {"lower(s)": _LOWERED, "upper(s)": _RAISED}.get(expression)
    letters = [c for c in LETTERS if wrong is None or not re.match(wrong, c)]
    rows = pa.table({"row": range(len(letters)), "s": letters})

    assert counted(engine, engine.table(rows), expression) == counted(sail, sail.table(rows), expression)


@pytest.mark.parametrize(("expression", "text"), [("lower(s)", "ΟΔΟΣ"), ("upper(s)", "Straße"), ("lower(s)", "İzmir")])
def test_letters_that_become_others_in_one_engine_only_stop_the_query(expression, text, sail):
    rows = sail.table(pa.table({"row": [0], "s": [text]}))

    assert "E101" == counted(sail, rows, expression)


times = st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1)) | st.none()
texts = st.text(st.sampled_from("aAbBz09 .,-éÉñ日\n'\\%_"), max_size=6) | st.none()
numbers = st.floats(-1e6, 1e6) | st.floats() | st.none() | st.integers(-1000, 1000).map(lambda n: n / 100)
wholes = st.integers(-(2**31), 2**31 - 1) | st.integers(-9, 9) | st.none()
KINDS_OF_ROWS = {
    "s": (texts, pa.string()),
    "r": (texts, pa.string()),
    "f": (numbers, pa.float64()),
    "g": (numbers, pa.float64()),
    "i": (wholes, pa.int32()),
    "j": (wholes, pa.int32()),
    "b": (st.sampled_from(TRUTHS), pa.bool_()),
    "t": (times, pa.timestamp("us")),
    "u": (times, pa.timestamp("us")),
}
rows_of_all_kinds = st.lists(st.tuples(*(values for values, _ in KINDS_OF_ROWS.values())), min_size=25, max_size=25)
EVERY = [*(e for examples in SAME.values() for e in examples), *SHAPES]
OVER_THEM = sorted({e for e in EVERY if not re.search(r"\b[cdepqlm]\b", e)})


@given(rows=rows_of_all_kinds, expression=st.sampled_from(OVER_THEM))
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
def test_whatever_the_rows_both_engines_give_the_same(rows, expression, sail, engine):
    columns = zip(KINDS_OF_ROWS.items(), zip(*rows, strict=True), strict=True)
    table = pa.table({"row": range(len(rows)), **{name: pa.array(v, kind) for (name, (_, kind)), v in columns}})

    assert counted(engine, engine.table(table), expression) == counted(sail, sail.table(table), expression)


# Versions of the lake


@pytest.fixture(scope="module")
def calls(engine, tmp_path_factory):
    """Two versions of one product in a folder as people call theirs, and the files of each."""
    table = tmp_path_factory.mktemp("San José, the *whole* city [east]") / "911 calls"
    lake = Delta()
    numbers = [lake.write(table, engine.table(some_calls(rows)), engine, "{}") for rows in (2_000, 3_000)]
    return table, numbers, [lake.files(table, n) for n in numbers]


def some_calls(rows: int) -> pa.Table:
    chance = random.Random(rows)
    called = [datetime(1969, 11, 28) + timedelta(minutes=7 * n) for n in range(rows)]
    points = [(round(chance.uniform(-122, -121), 1), chance.choice([37.0, 37.1, 0.0, -0.0])) for _ in range(rows)]
    return pa.table({
        "called_at": pa.array([None if chance.random() < 0.02 else t for t in called], pa.timestamp("us")),
        "arrived_at": pa.array([t + timedelta(seconds=chance.randrange(0, 3600)) for t in called], pa.timestamp("us")),
        "kind": [chance.choice(["fire", "medical", "Médico", "", None]) for _ in range(rows)],
        "person": [chance.choice([None, *map(str, range(300))]) for _ in range(rows)],
        "lon": [None if chance.random() < 0.05 else x for x, _ in points],
        "lat": [y for _, y in points],
        "cost": [chance.choice([None, 0.25, 12.5, 1e6]) for _ in range(rows)],
        "severe": [chance.choice([True, False, None]) for _ in range(rows)],
        "shape": [b"\x00\x01\xff" for _ in range(rows)],
    })  # fmt: skip


def tallied(counter: Counter, files, places: pa.Table):
    """Calls counted by month, place and kind, as measures are."""
    rows = counter.parquet(files)
    rows = counter.with_column(rows, "among", "kind is distinct from 'fire'")
    rows = counter.with_column(rows, "calls/when", "cast((date_diff('minute', called_at, arrived_at) <= 8) as boolean)")
    points = counter.table(places)
    same = [rows["lon"].identical_to(points["_lon"]), rows["lat"].identical_to(points["_lat"])]
    rows = rows.left_join(points, same).drop("_lon", "_lat")
    day = rows["called_at"].cast("date")
    quarter = day.strftime("%Y") + "-Q" + day.quarter().cast("string")
    kind = (rows["kind"] == "").ifelse(ibis.null("string"), rows["kind"]).fill_null("unknown")
    rows = rows.mutate(_month=day.strftime("%Y-%m"), _quarter=quarter, _kind=kind, _day=day.day())
    rows = rows.mutate(_who=rows["person"].fill_null(""))
    outcome, among = rows["calls/when"], rows["among"]
    flags = {
        "yes": outcome.fill_null(False) & among,
        "no": ~outcome.fill_null(True) & among,
        "unknown": outcome.isnull() & among,
    }
    bit = ibis.literal(1) << rows["_day"]
    cells = rows.group_by(["_month", "_quarter", "_place_tract.band", "_kind"]).aggregate(
        rows=rows.count(),
        **{name: flag.sum() for name, flag in flags.items()},
        **{f"{name} who": rows["_who"].nunique(where=flag) for name, flag in flags.items()},
        days=bit.bit_or(),
        days_among=bit.bit_or(where=among),
        cost=among.ifelse(rows["cost"], None).sum(),
        first=rows["called_at"].min(),
        last=rows["_kind"].max(where=among),
        severe=rows["severe"].cases((True, "x"), (False, "y"), else_=None).isin(["x"]).sum(),
    )
    found = counter.rows(cells)
    return sorted(found, key=lambda r: tuple(str(r[k]) for k in ("_month", "_place_tract.band", "_kind")))


def located(counter: Counter, files) -> pa.Table:
    rows = counter.parquet(files)
    points = counter.fetch(rows.select(_lon=rows["lon"], _lat=rows["lat"]).distinct())
    names = [None if lon is None else f"tract {int(-10 * lon) % 7}" for lon in points["_lon"].to_pylist()]
    return points.append_column("_place_tract.band", pa.array(names, pa.string()))


def test_zeros_and_nans_are_one_value_however_they_are_written(engine, sail):
    rows = pa.table({"f": [0.0, -0.0, NAN, OTHER_NAN, 1.5, None, -0.0], "n": range(7)})
    places = pa.table({"g": [-0.0, NAN, 1.5, None], "place": ["zero", "nan", "some", "none"]})

    def told(counter: Counter):
        table, points = counter.table(rows), counter.table(places)
        grouped = table.group_by("f").aggregate(n=table.n.count())
        joined = table.left_join(points, [table.f.identical_to(points.g)])
        equal = table.left_join(points, [table.f == points.g])
        different = table.aggregate(n=table.f.nunique())
        return (
            sorted((str(r["f"]).lstrip("-"), r["n"]) for r in counter.rows(grouped)),
            sorted((r["n"], r["place"]) for r in counter.rows(joined)),
            sorted((r["n"], str(r["place"])) for r in counter.rows(equal)),
            counter.rows(different),
            counter.count(table.select("f").distinct()),
        )

    assert told(engine) == told(sail)
    assert 4 == told(sail)[-1]


@pytest.mark.parametrize("at", [0, 1])
def test_a_version_is_counted_to_the_same_table(at, calls, engine, sail):
    files = calls[2][at]
    expected = tallied(engine, files, located(engine, files))

    assert [2_000, 3_000][at] == sum(r["rows"] for r in expected)
    assert expected == tallied(sail, files, located(sail, files))


@pytest.mark.parametrize("name", ["f", "i", "l", "s", "b", "d"])
def test_rows_are_joined_where_both_are_the_same_or_unknown(name, both):
    def told(counter: Counter, table):
        other = counter.table(counter.fetch(table.select(other=table[name]).distinct()))
        joined = table.left_join(other, [table[name].identical_to(other["other"])])
        is_same = joined.mutate(is_same=joined[name].identical_to(joined["other"]))
        cells = is_same.group_by("is_same").aggregate(n=is_same.count(), rows=is_same["row"].nunique())
        return counter.rows(cells)

    expected = told(*both[0])

    assert [{"is_same": True, "n": ROWS, "rows": ROWS}] == expected
    assert expected == told(*both[1])


def test_a_join_of_points_does_not_compare_every_row_with_every_other(both):
    _, (sail, table) = both
    other = sail.table(pa.table({"x": [0.5, None], "y": [1.0, 2.0]}))
    joined = table.left_join(other, [table["f"].identical_to(other["x"]), table["g"].identical_to(other["y"])])
    (plan,) = sail._session.sql(f"explain {sail._text(joined)}").toArrow().to_pylist()

    assert (True, False) == ("HashJoinExec" in plan["plan"], "NestedLoopJoinExec" in plan["plan"])


def test_files_of_a_version_hold_the_rows_that_sail_itself_reads_as_of_it(engine, sail, tmp_path):
    # In a plain folder: Sail 0.7 does not find the log of a table below one with blanks or accents.
    lake, sizes = Delta(), [5, 3, 8]
    numbers = [lake.write(tmp_path / "calls", engine.table(some_calls(n)), engine, "{}") for n in sizes]
    as_of = [sail._session.read.format("delta").option("versionAsOf", n).load(str(tmp_path / "calls")) for n in numbers]
    files = [lake.files(tmp_path / "calls", n) for n in numbers]

    assert sizes == [at.count() for at in as_of] == [sail.count(sail.parquet(f)) for f in files]


def test_times_without_a_zone_stay_so_and_shapes_stay_bytes(calls, engine, sail):
    for counter in (engine, sail):
        found = counter.fetch(counter.parquet(calls[2][0]).select("called_at", "shape").limit(1))
        assert [pa.timestamp("us"), pa.binary()] == found.schema.types
        assert [b"\x00\x01\xff"] == found["shape"].to_pylist()


def test_a_file_that_is_not_there_is_an_error_and_no_empty_table(calls, sail):
    with pytest.raises(OSError, match="nothere"):
        sail.parquet([*calls[2][0], str(calls[0] / "nothere.parquet")])


def test_a_file_that_sail_sees_with_fewer_rows_is_an_error(calls, sail, monkeypatch):
    monkeypatch.setattr("pyarrow.parquet.read_metadata", lambda path: type("", (), {"num_rows": 10**6}))

    with pytest.raises(OSError, match="does not see all rows"):
        sail.parquet(calls[2][0])


OWN = [
    lambda t: t.f.isnull(), lambda t: t.f.notnull(), lambda t: t.f.fill_null(0.5), lambda t: t.f > 0.1,
    lambda t: t.f == 0.1, lambda t: t.f >= t.g, lambda t: t.f.between(0.1, 2.675), lambda t: t.f + 0.1,
    lambda t: t.f * t.g, lambda t: t.f - t.g, lambda t: ibis.coalesce(t.f, t.g, 0.1), lambda t: t.b.ifelse(t.f, 0.1),
    lambda t: t.b.ifelse(t.f, None), lambda t: t.f.identical_to(t.g), lambda t: t.f != t.g,
    lambda t: ibis.literal(1e-7) < t.f, lambda t: ibis.literal(5e-324), lambda t: t.s == "a\\b",
    lambda t: t.s.isin(["O'Hare", "line\nbreak", None]), lambda t: t.s + "-" + t.r,
    lambda t: (t.s == "").ifelse(ibis.null("string"), t.s).fill_null("unknown"), lambda t: t.s < t.r,
    lambda t: t.s.cases(("a", "x"), ("é", "y"), else_="z"), lambda t: t.s.nullif(t.r),
    lambda t: t.s.identical_to(t.r), lambda t: ibis.cases((t.b, t.s), (t.c, t.r), else_="neither"),
    lambda t: ibis.null("date"), lambda t: ibis.literal("é\\"), lambda t: t.b & t.c, lambda t: t.b | t.c,
    lambda t: ~t.b.fill_null(True), lambda t: t.b.isnull() & t.c, lambda t: t.b.cast("int64"),
    lambda t: t.b.cast("string"), lambda t: t.i.cast("float64"), lambda t: t.i.cast("int64"),
    lambda t: t.l.cast("string"), lambda t: t.i.isin([1, -7, None]), lambda t: t.l == 2**62,
    lambda t: t.l.identical_to(t.m), lambda t: t.t.cast("date"), lambda t: t.d.cast("timestamp"),
    lambda t: t.t.cast("string"), lambda t: t.d.cast("string"), lambda t: t.t > datetime(2015, 1, 31, 10, 0, 29),
    lambda t: t.d <= date(2015, 1, 31), lambda t: t.t == t.u, lambda t: t.d.strftime("%Y-%m"),
    lambda t: t.t.strftime("%Y"), lambda t: t.d.quarter().cast("string"), lambda t: t.d.year(), lambda t: t.t.month(),
    lambda t: t.d.day(), lambda t: t.t.isnull(), lambda t: t.d.identical_to(t.e),
    lambda t: ibis.literal(1) << t.d.day(), lambda t: t.t.epoch_seconds(), lambda t: ibis.greatest(t.t, t.u),
    lambda t: t.f / 60.0, lambda t: t.f.between(-1e9, 1e9).ifelse(t.f, None).floor(),
    lambda t: t.l.cast("decimal(38, 0)"), lambda t: (t.t.epoch_seconds().cast("float64") - 0.5) / 86_400.0,
    lambda t: ((t.g - t.f) * 1e9 + 0.5) / 7.0,
]  # fmt: skip
TOTALS = [
    lambda t: t.count(), lambda t: t.b.sum(), lambda t: (t.b & t.c).fill_null(False).sum(), lambda t: t.i.sum(),
    lambda t: t.b.ifelse(1, 0).sum(), lambda t: t.f.count(), lambda t: t.f.nunique(),
    lambda t: t.s.nunique(where=t.b), lambda t: t.s.min(), lambda t: t.s.max(), lambda t: t.t.max(),
    lambda t: t.d.min(where=t.c), lambda t: t.l.max(),
    lambda t: t.l.cast("decimal(38, 0)").sum().cast("decimal(38, 0)"),
    lambda t: t.b.ifelse(t.i.cast("float64"), None).sum(),
    lambda t: (ibis.literal(1) << t.d.day()).bit_or(), lambda t: (ibis.literal(1) << t.d.day()).bit_or(where=t.b),
]  # fmt: skip


def test_a_number_without_a_whole_one_stops_the_query_on_both_engines(both):
    for counter, table in both:
        with pytest.raises(CannotRun):
            counter.fetch(table.select(x=table.f.floor().cast("int64")))


def plain(values) -> list:
    return ["nan" if v != v else v for v in values.to_pylist()]


@pytest.mark.parametrize("own", OWN)
def test_our_own_operations_give_what_they_give_on_duckdb(own, both):
    found = [c.fetch(t.select(row=t.row, x=own(t)).order_by("row"))["x"] for c, t in both]

    assert plain(found[0]) == plain(found[1])


@pytest.mark.parametrize("total", TOTALS)
def test_our_own_totals_give_what_they_give_on_duckdb(total, both):
    found = [c.fetch(t.group_by(b=t.b, s=t.s).aggregate(x=total(t)).order_by("b", "s"))["x"] for c, t in both]
    whole = [c.fetch(t.aggregate(x=total(t)))["x"] for c, t in both]

    assert plain(found[0]) == plain(found[1])
    assert plain(whole[0]) == plain(whole[1])


@pytest.mark.parametrize(
    ("operation", "named"),
    [
        (lambda t: t.aggregate(x=t.lon.quantile(0.5)), "quantile"),
        (lambda t: t.aggregate(x=t.lon.approx_median()), "approx median"),
        (lambda t: t.mutate(x=t.lon.cast("string")), "cast"),
        (lambda t: t.mutate(x=t.n + t.n), "add of int64"),
        (lambda t: t.aggregate(x=t.n.sum()), "sum of int64"),
        (lambda t: t.mutate(x=t.lon / t.lat), "divide"),
        (lambda t: t.aggregate(x=t.lon.min()), "min of float64"),
        (lambda t: t.mutate(x=t.called_at.strftime("%U")), "strftime"),
        (lambda t: t.mutate(x=t.lon.cast("int64")), "cast"),
        (lambda t: t.mutate(x=t.kind.upper()), "uppercase"),
        (lambda t: t.mutate(x=t.lon.isin([0.0])), "in values"),
        (lambda t: t.group_by("kind").mutate(x=t.n.max()), "window"),
        (lambda t: t.mutate(x=ibis.random()), "random"),
        (lambda t: t.mutate(x=ibis.now()), "now"),
        (lambda t: t.mutate(x=t.n << t.n), "left shift"),
    ],
)
def test_an_operation_that_nobody_compared_is_refused_by_its_name(operation, named, calls, sail):
    rows = sail.with_column(sail.parquet(calls[2][0]), "n", "year(called_at)")
    with pytest.raises(Refused) as refused:
        sail.fetch(operation(rows))

    assert ["E104"] == [p.code for p in refused.value.problems]
    assert named in refused.value.problems[0].what


def test_no_value_is_told_when_sail_stops(sail, capfd, caplog):
    people = sail.table(pa.table({"name": ["Jane Q. Canary"], "n": pa.array([2**62])}))
    with pytest.raises(CannotRun) as failed:
        sail.fetch(sail.with_column(people, "x", "if(name like 'Jane%', n * n, 0)"))

    told = "".join(traceback.format_exception(failed.value)) + "".join(capfd.readouterr()) + caplog.text
    assert [] == [secret for secret in ("Canary", str(2**62)) if secret in told]


# The cluster


def test_a_real_driver_gives_tasks_to_real_workers(calls, sail):
    def asked(query: str):
        return sail._session.sql(query).toArrow().to_pylist()

    before = asked("select count(*) as n from system.execution.tasks")[0]["n"]
    rows = sail.parquet(calls[2][1])
    sail.rows(rows.group_by("kind").aggregate(n=rows.count()))
    workers = asked("select worker_id, host, cast(port as int) as port, status from system.cluster.workers")
    tasks = asked("select job_id, stage, partition, status from system.execution.tasks")

    assert [{"value": "local_cluster"}] == asked("select value from system.session.options where key = 'mode'")
    assert 2 <= len({w["worker_id"] for w in workers})
    # One that had nothing to do for a while may have ended.
    running = [w for w in workers if w["status"] == "RUNNING"]
    assert {"127.0.0.1"} == {w["host"] for w in running}
    # Each worker listens for the others and the driver on a port of its own.
    assert len(running) == len({w["port"] for w in running} & listening())
    assert len(tasks) > before
    assert {0, 1} <= {t["stage"] for t in tasks}


def listening() -> set[int]:
    """The ports of this machine that somebody listens on."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {int(line.split()[1].partition(":")[2], 16) for line in lines if line.split()[3] == "0A"}


def test_a_server_that_runs_elsewhere_counts_too(calls, engine, sail):
    address = f"sc://127.0.0.1:{sail._server.listening_address[1]}"
    with Sail(address=address).start() as other:
        counts = [c.count(c.parquet(calls[2][0])) for c in (engine, other)]
    still = sail.count(sail.parquet(calls[2][0]))

    assert [2_000, 2_000, 2_000] == [*counts, still]


def test_rows_that_workers_hand_over_are_seen_by_this_user_only_and_are_gone_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Sail().start() as counter:
        rows = counter.table(pa.table({"n": range(10_000)}))
        counter.fetch(rows.group_by("n").aggregate(x=rows.count()))
        (folder,) = tmp_path.iterdir()
        rights = folder.stat().st_mode & 0o777

    assert (0o700, []) == (rights, list(tmp_path.iterdir()))


def test_a_worker_that_is_slower_than_the_one_before_it_ends_its_work(sail):
    # By memory instead of files this waits forever, at the latest at the third time.
    rows = sail.table(pa.table({"row": range(len(LETTERS)), "s": LETTERS}))
    for _ in range(5):
        sail.fetch(sail.with_column(rows, "_v", "trim(s)").order_by("row"))


def test_it_can_be_started_again_after_it_was_closed():
    for _ in range(2):
        counter = Sail(workers=1).start()
        assert 3 == counter.count(counter.table(pa.table({"n": [1, 2, 3]})))
        counter.close()
        counter.close()


def test_an_address_without_a_server_is_a_problem():
    with pytest.raises(Refused) as refused:
        Sail(address="sc://127.0.0.1:1").start()

    assert ["E103"] == [p.code for p in refused.value.problems]


PROGRAM = """
import pyarrow as pa
from metroon.base.kinds.sail import Sail
counter = Sail().start()
print(counter.count(counter.table(pa.table({"n": [1]}))))
"""


@pytest.mark.parametrize("how", ["-c", "file"])
def test_a_process_ends_that_does_not_close_it_and_no_line_of_a_server_is_written(how, tmp_path):
    file = tmp_path / "count.py"
    file.write_text(PROGRAM)
    command = [sys.executable, *(["-c", PROGRAM] if how == "-c" else [str(file)])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert (0, "1\n", "") == (done.returncode, done.stdout, done.stderr)
