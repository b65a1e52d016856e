import traceback
from datetime import datetime

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.engine import CannotRun, is_pattern, quote_name, quote_text

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
