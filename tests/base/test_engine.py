import re
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base import kinds
from metroon.base.engine import (
    CannotRun,
    Counter,
    Engine,
    EngineKind,
    TooSlow,
    is_pattern,
    quote_name,
    quote_text,
)
from metroon.base.errors import Refused
from metroon.base.kinds._reading import Reader
from metroon.base.kinds._spark import spark
from metroon.base.kinds._words import Unequal
from metroon.base.node import Node

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)
CANARY = "Jane Q. Canary"


@pytest.mark.parametrize(
    "query",
    [
        "select cast(name as integer) from people",
        "select strptime(name, '%Y') from people",
        "select name::date from people",
        "select (select name from people)",
        "select repeat(name, 100000000000) from people",
    ],
)
def test_a_value_that_does_not_fit_is_never_told(query, engine):
    people = engine.table(pa.table({"name": [CANARY, "b"]}))

    with pytest.raises(CannotRun) as failed:
        engine.fetch(engine.sql(query, {"people": people}))
    assert CANARY not in "".join(traceback.format_exception(failed.value))


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("select nome from people", 'column "nome" not found'),
        ("select shout(name) from people", "shout does not exist"),
        ("select name + 1 from people", "No function matches"),
        ("select list_reverse('abc') from people", "the engine cannot do"),
    ],
)
def test_a_query_that_cannot_run_says_what_it_names_wrong(query, why, engine):
    people = engine.table(pa.table({"name": pa.array([True])}))

    with pytest.raises(CannotRun, match=why):
        engine.sql(query, {"people": people})


def test_a_problem_of_the_engine_has_a_fix(engine):
    with pytest.raises(CannotRun) as failed:
        engine.sql("select * from nowhere", {})
    assert all(p.fix and p.code == "E101" for p in failed.value.problems)


def test_a_file_that_cannot_be_written_is_an_os_error(engine, tmp_path):
    with pytest.raises(OSError, match="cannot be read or written"):
        engine.save(engine.table(pa.table({"n": [1]})), tmp_path / "nowhere" / "x.parquet")


def test_save_tells_how_many_rows_were_written(engine, tmp_path):
    assert 0 == engine.save(engine.table(pa.table({"n": pa.array([], pa.int64())})), tmp_path / "none.parquet")
    assert 2 == engine.save(engine.table(pa.table({"n": [1, 2]})), tmp_path / "two.parquet")


def test_a_folder_that_looks_like_a_partition_is_no_column(engine, tmp_path):
    file = tmp_path / "year=2020" / "x.parquet"
    file.parent.mkdir()
    engine.save(engine.table(pa.table({"n": [1]})), file)

    assert ["n"] == list(engine.parquet([str(file)]).columns)


def test_moments_are_told_by_the_clocks_of_the_city(engine):
    rows = engine.table(pa.table({"at": ["2015-01-01T07:30:00Z", "2015-07-01 00:30:00-07:00", "soon"]}))
    clock = engine.parse_moment(rows["at"], "America/Los_Angeles")

    assert [datetime(2014, 12, 31, 23, 30), datetime(2015, 7, 1, 0, 30), None] == [
        r["clock"] for r in engine.rows(rows.select(clock=clock))
    ]


def test_a_number_does_not_depend_on_the_time_zone_of_the_machine(engine):
    assert [{"zone": "UTC"}] == engine.rows(engine.sql("select current_setting('timezone') as zone", {}))


def test_types_that_the_engine_lacks_become_those_of_the_same_values(engine):
    rows = pa.table({"half": pa.array([1.5, None], pa.float16()), "nothing": pa.array([None, None])})

    assert [{"half": 1.5, "nothing": None}, {"half": None, "nothing": None}] == engine.rows(engine.table(rows))


def test_map_arrow_sees_every_row_also_of_an_empty_table(engine):
    def doubled(rows):
        return rows.append_column("twice", pa.array([2 * n for n in rows["n"].to_pylist()], pa.int64()))

    many = engine.map_arrow(engine.table(pa.table({"n": list(range(1000))})), doubled)
    none = engine.map_arrow(engine.table(pa.table({"n": pa.array([], pa.int64())})), doubled)

    assert (999 * 1000, 0) == (engine.rows(many.aggregate(s=many.twice.sum()))[0]["s"], engine.count(none))


@settings(max_examples=50, deadline=None)
@given(name=NAMES, value=NAMES)
def test_whatever_a_name_or_a_text_holds_it_is_quoted_whole(name, value):
    made = duckdb.sql(f"select {quote_text(value)} as {quote_name(name)}")

    assert (name, value) == (made.columns[0], made.fetchall()[0][0])


@pytest.mark.parametrize(
    ("pattern", "is_one"),
    [("^[0-9]{5}$", True), (r"\bA\d+", True), ("(", False), ("(?=a)", False), (r"(a)\1", False), ("[z-a]", False)],
)
def test_a_pattern_is_one_that_the_engine_can_search(pattern, is_one):
    assert is_one == is_pattern(pattern)


# Rows bit by bit


def test_batches_hold_all_rows_in_order_and_none_is_larger_than_asked_for(engine):
    batches = list(engine.batches(engine.table(pa.table({"n": list(range(10_000))})), rows=999))

    assert list(range(10_000)) == [n for b in batches for n in b["n"].to_pylist()]
    assert 999 >= max(b.num_rows for b in batches)


def test_no_rows_are_one_batch_that_tells_the_columns(engine):
    (batch,) = engine.batches(engine.table(pa.table({"n": pa.array([], pa.int32())})), rows=10)

    assert (0, pa.schema([("n", pa.int32())])) == (batch.num_rows, batch.schema)


def test_a_batch_is_there_before_the_query_has_ended_and_closing_stops_it(engine):
    endless = engine.sql("select i, repeat('x', 100) as x from range(100000000000) as r(i)", {})
    batches = engine.batches(endless, rows=100)

    assert 0 == next(batches)["i"][0].as_py()
    batches.close()
    assert [] == list(batches)


@pytest.mark.parametrize(
    "query", ["select i from range(100000000000) as r(i)", "select max(i) from range(10000000000) as r(i)"]
)
def test_a_query_that_takes_too_long_is_stopped_before_and_after_its_first_batch(query, engine):
    with pytest.raises(TooSlow):
        list(engine.batches(engine.sql(query, {}), rows=10_000, seconds=0.05))


@pytest.mark.parametrize("before", [0, 300_000])
def test_a_value_that_does_not_fit_is_not_told_by_a_batch_either(before, engine):
    people = engine.table(pa.table({"name": ["1"] * before + [CANARY]}))

    with pytest.raises(CannotRun) as failed:
        list(engine.batches(engine.sql("select cast(name as integer) from people", {"people": people}), rows=1000))
    assert CANARY not in "".join(traceback.format_exception(failed.value))


def test_a_file_that_was_erased_is_an_os_error_and_other_queries_go_on(engine, tmp_path):
    file = tmp_path / "x.parquet"
    engine.save(engine.table(pa.table({"n": [1]})), file)
    rows = engine.parquet([str(file)])
    file.unlink()

    with pytest.raises(OSError, match=r"^a file cannot be read or written$"):
        list(engine.batches(rows, rows=10))
    assert 2 == engine.count(engine.table(pa.table({"n": [1, 2]})))


@pytest.mark.slow
def test_many_threads_ask_one_engine_at_once_and_each_gets_its_own_rows(tmp_path):
    engine = Engine()
    engine.save(engine.table(pa.table({"n": list(range(5000))})), tmp_path / "x.parquet")

    def asked(n: int) -> tuple[int, int, int]:
        kept, given = engine.parquet([str(tmp_path / "x.parquet")]), engine.table(pa.table({"n": list(range(n))}))
        small = engine.sql("select n from given where n >= 0", {"given": given})
        streamed = sum(b.num_rows for b in engine.batches(kept.filter(kept.n < n), rows=100))
        return streamed, engine.count(small), engine.rows(small.aggregate(top=small.n.max()))[0]["top"]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(asked, range(1, 200)))

    assert [(n, n, n - 1) for n in range(1, 200)] == found


def test_the_clock_of_every_connection_is_that_of_the_engine(engine):
    zone = engine.sql("select current_setting('timezone') as zone", {})

    assert ["UTC"] == [z for b in engine.batches(zone, rows=1) for z in b["zone"].to_pylist()]


# The engine that a city names


def named(**options: object) -> EngineKind:
    return kinds.build("base", Node(options, "city.yaml", {("kind",): 7, ("workers",): 8}), EngineKind)


def test_the_engine_of_a_city_is_duckdb_or_sail():
    assert {"duckdb", "sail"} == set(kinds.names("base"))


def test_duckdb_counts_in_this_process_and_is_let_go_of_at_the_end():
    with named(kind="duckdb").start() as counter:
        rows = counter.with_column(counter.table(pa.table({"n": [1, 2, 3]})), "is_odd", "n % 2 = 1")
        counts = counter.rows(rows.group_by("is_odd").aggregate(n=rows.count()).order_by("is_odd"))
        assert isinstance(counter, Engine)
        assert isinstance(counter, Counter)

    assert [{"is_odd": False, "n": 1}, {"is_odd": True, "n": 2}] == counts
    with pytest.raises(duckdb.ConnectionException):
        counter.rows(rows)


def test_an_engine_takes_no_more_memory_than_its_city_says():
    with named(kind="duckdb", memory_limit="100MB").start() as counter:
        (limit,) = counter.rows(counter.sql("select current_setting('memory_limit') as it", {}))

    assert {"it": "95.3 MiB"} == limit


@pytest.mark.parametrize("options", [{"workers": 0}, {"address": "http://sail"}, {"address": "sc://a b"}, {"cores": 2}])
def test_options_that_no_engine_has_are_refused(options):
    with pytest.raises(Refused) as refused:
        named(kind="sail", **options)

    assert ["K104"] == [p.code for p in refused.value.problems]


def test_no_package_of_sail_is_imported_before_it_counts():
    heavy = "{m.partition('.')[0] for m in sys.modules} & {'pysail', 'pyspark', 'pandas', 'grpc'}"
    code = f"import sys; import metroon.base.kinds.sail as s; s.Sail(); print({heavy})"

    assert "set()\n" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_a_package_that_is_missing_is_a_problem_that_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "pysail", None)
    monkeypatch.setitem(sys.modules, "pysail.spark", None)
    with pytest.raises(Refused) as refused:
        named(kind="sail").start()

    (problem,) = refused.value.problems
    assert ("E102", True) == (problem.code, "pip install 'metroon[sail]'" in problem.fix)
    assert "pysail" in problem.what


# What is counted elsewhere is what DuckDB reads; tests/base/test_sail.py counts it.

COLUMNS = pa.schema([("a", pa.string()), ("n", pa.int32()), ("f", pa.float64()), ("t", pa.timestamp("us"))])


def in_spark(expression: str) -> str:
    reader = Reader(COLUMNS)
    return spark(reader, reader.read(expression)).sql(dialect="spark")


@settings(max_examples=100, deadline=None)
@given(value=NAMES)
def test_a_text_of_the_city_stays_one_text_in_other_words(value):
    (literal,) = sqlglot.parse_one(in_spark(f"a = {quote_text(value)}"), dialect="spark").find_all(sqlglot.exp.Literal)

    assert value == literal.this


@settings(max_examples=100, deadline=None)
@given(name=NAMES)
def test_a_column_of_the_city_stays_one_column_in_other_words(name):
    reader = Reader(pa.schema([(name, pa.string())]))
    made = spark(reader, reader.read(f"{quote_name(name)} is null")).sql(dialect="spark")

    assert [name] == [c.name for c in sqlglot.parse_one(made, dialect="spark").find_all(sqlglot.exp.Column)]


def test_duckdb_decides_what_binds_more_strongly():
    assert in_spark("not a = 'x' and n > 1 or f is null") == in_spark("((not (a = 'x')) and (n > 1)) or (f is null)")
    assert in_spark("n - 1 - 2 * 3") == in_spark("(n - 1) - (2 * 3)")


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("jaccard(a, 'x') > 0.5", "'jaccard'"),
        ("n > 0 and regexp_extract(a, 'x') = 'x'", "'regexp_extract'"),
        ("try_cast(a as integer) = 1", "a text cast to a whole number"),
        ("strftime(t, '%U')", "'strftime'"),
        ("n::hugeint", "hugeint"),
        ("[n]", "'list_value'"),
        ("t - t", "'-' of (timestamp, timestamp)"),
    ],
)
def test_what_nobody_compared_has_no_other_words(expression, named):
    with pytest.raises(Unequal, match=re.escape(named)):
        in_spark(expression)
