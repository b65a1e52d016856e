import duckdb
import pytest

from metroon.base.engine import CannotRun
from metroon.base.sql import GROUP_FUNCTIONS, ROW_FUNCTIONS, TABLE_FUNCTIONS, NotAllowed, expression, select

QUERIES = {
    "select * from crashes": {"crashes"},
    "select * from crashes; ": {"crashes"},
    "-- why\nselect id /* what */ from crashes -- end": {"crashes"},
    "from crashes select id": {"crashes"},
    "select * from crashes join lights using (id)": {"crashes", "lights"},
    "select * from Crashes": {"crashes"},
    "with a as (select * from crashes) select * from a": {"crashes"},
    "with crashes as (select * from crashes) select * from crashes": {"crashes"},
    "with a as (select 1 as n), b as (select * from a) select * from b": set(),
    "with recursive a as (select 1 as n union all select n + 1 from a where n < 3) select * from a": set(),
    "select * from (with a as (select * from lights) select * from a), crashes": {"crashes", "lights"},
    "select (select max(day) from lights), id in (select id from stops) from crashes": {"crashes", "lights", "stops"},
    "select * from crashes, lateral (select * from lights where lights.id = crashes.id)": {"crashes", "lights"},
    "select * from crashes where exists (select 1 from lights)": {"crashes", "lights"},
    "select ward, count(*), median(age) filter (where age > 0) from crashes group by all": {"crashes"},
    "select *, row_number() over (partition by ward order by day) from crashes qualify lag(id) over () is null": {
        "crashes"
    },
    "select * from crashes unpivot (n for what in (a, b))": {"crashes"},
    "(select id from crashes) union all (select id from lights) order by 1 limit 3": {"crashes", "lights"},
    "select unnest([1, 2]) as n, g.day from range(3) g(day)": set(),
    "select * exclude (id), columns('x.*') from crashes": {"crashes"},
    "select list_transform([1, 2], lambda x: x + 1)": set(),
    "select age::decimal(4, 1), try_cast(day as date), interval '3 days', {'a': 1}, [1], E'it\\'s' from crashes": {
        "crashes"
    },
}
REACHING = [
    "select * from 'file.csv'",
    'select * from "/etc/passwd"',
    "select * from 'https://example.org/x.parquet'",
    "select * from read_csv('x.csv')",
    "select * from read_text('/etc/passwd')",
    "select * from parquet_scan('x')",
    "select * from glob('*')",
    "select * from sniff_csv('x')",
    "select * from query('select 1')",
    "select * from query_table('crashes')",
    "select * from duckdb_settings()",
    "select * from duckdb_secrets()",
    "select * from pragma_table_info('crashes')",
    "select * from json_execute_serialized_sql('x')",
    "select * from information_schema.tables",
    "select * from pg_catalog.pg_tables",
    "select * from main.crashes",
    "select * from other.main.crashes",
    "select * from _metroon_3",
    "select * from crashes where id = getenv('HOME')",
    "select * from crashes where id = \"getenv\"('HOME')",
    "select * from crashes where id = main.getenv('HOME')",
    "select id.read_text() from crashes",
    "select other.main.lower(id) from crashes",
    "select main.lower(id) from crashes",
    "select * from crashes, lateral (select * from read_blob(crashes.id))",
    "select [getenv(x) for x in ['HOME']]",
    "select list_transform(['HOME'], lambda x: getenv(x))",
    "select {'a': current_setting('home_directory')}",
    "select getvariable('x')",
    "select current_query()",
    "select error(name) from crashes",
    "select stats(name) from crashes",
    "select write_log(name) from crashes",
    "select nextval('s')",
    "select json_serialize_sql('select 1')",
    "select wkb::geometry from crashes",
]
CHANGING = [
    "",
    " ; ",
    "/* nothing */",
    "crashes",
    "select 1; select 2",
    "select 1); drop table crashes; select (1",
    "select 1) union (select 2",
    "select 1) where (true",
    "drop table crashes",
    "insert into crashes values (1)",
    "with x as (insert into crashes values (1) returning *) select * from x",
    "with x as (delete from crashes returning *) select * from x",
    "copy crashes to 'x.csv'",
    "attach 'x.db' as x",
    "install httpfs",
    "load httpfs",
    "pragma version",
    "set memory_limit = '1GB'",
    "call pragma_version()",
    "explain select 1",
    "describe crashes",
    "summarize crashes",
    "select * from (summarize crashes)",
    "select * from (describe crashes)",
    "select * from (show tables)",
    "select * into x from crashes",
    "select $1",
    "select * from crashes where id = ?",
]
UNREPEATABLE = [
    "select now()",
    "select today()",
    "select current_date",
    "select * from crashes where day < current_timestamp",
    "select localtimestamp",
    "select age(day) from crashes",
    "select random()",
    "select uuid()",
    "select * from crashes tablesample 10%",
    "select * from crashes using sample 5",
    "select * from crashes order by random()",
]
EXPRESSIONS = {
    "priority = 'Priority 1'": {"priority"},
    "date_diff('minute', called_at, arrived_at) <= 8": {"called_at", "arrived_at"},
    "ward in ('north', 'south') and not is_test": {"ward", "is_test"},
    "case when age between 0 and 17 then 'child' end = grp": {"age", "grp"},
    "coalesce(try_cast(n as integer), 0) > 3": {"n"},
    "age(day, born) > interval 18 years": {"day", "born"},
    "extract(year from day) = 2025 or day is null": {"day"},
    "name like 'A%' or regexp_matches(name, '^B')": {"name"},
    '"Año de nacimiento" > 1990': {"Año de nacimiento"},
    "day + interval '3 days' > other /* three days */": {"day", "other"},
    "true": set(),
}
NO_EXPRESSIONS = [
    "",
    "--",
    "a >",
    "'unclosed",
    "a, b",
    "a as b",
    "a; drop table crashes",
    "a > 1) from secrets --",
    "a > 1) as x, (select 2",
    "a > 1 -- which hides the end",
    "a from crashes",
    "a where b",
    "distinct a",
    "a order by b",
    "a union select 1",
    "(select 1)",
    "exists (select 1)",
    "a in (select b from secrets)",
    "count(*)",
    "sum(a) > 1",
    "max(a) = 1",
    "histogram(a)",
    "product(a)",
    "favg(a)",
    "count(*) over ()",
    "row_number() over () = 1",
    "lag(a) over () = 1",
    "grouping(a)",
    "unnest([1, 2])",
    "*",
    "columns('*')",
    "other_table.a = 1",
    "a = getenv('HOME')",
    "a > now()",
    "a > current_date",
    "a = $1",
    "#1",
]


@pytest.mark.parametrize(("query", "tables"), QUERIES.items())
def test_a_query_over_products_may_run_and_names_what_it_reads(query, tables):
    assert tables == select(query).tables


@pytest.mark.parametrize("query", [q for q in QUERIES if not any(w in q for w in ("using", "unpivot", "columns("))])
def test_the_engine_itself_finds_the_same_tables(query):
    """It looks them up with columns of its own making, so that queries which need the true columns are left out."""
    assert QUERIES[query] == {t.lower() for t in duckdb.connect().get_table_names(select(query).text)}


@pytest.mark.parametrize("query", REACHING)
def test_a_query_may_not_reach_out_of_the_products_that_it_names(query):
    with pytest.raises(NotAllowed):
        select(query)


@pytest.mark.parametrize("query", CHANGING)
def test_a_query_is_one_select_and_nothing_else(query):
    with pytest.raises(NotAllowed):
        select(query)


@pytest.mark.parametrize("query", UNREPEATABLE)
def test_a_query_may_not_ask_the_clock_or_chance(query):
    with pytest.raises(NotAllowed):
        select(query)


def test_a_name_that_only_an_inner_query_explains_is_still_read():
    hidden = "select * from secrets where exists (with secrets as (select 1) select * from secrets)"

    assert {"secrets"} == select(hidden).tables


@pytest.mark.parametrize(("text", "columns"), EXPRESSIONS.items())
def test_an_expression_names_the_columns_it_reads(text, columns):
    assert columns == expression(text)


@pytest.mark.parametrize("text", NO_EXPRESSIONS)
def test_an_expression_stays_in_its_row(text):
    with pytest.raises(NotAllowed):
        expression(text)


@pytest.mark.parametrize("name", ["a", "sum", "row_number"])
def test_what_looks_at_many_rows_is_told_apart_from_what_is_unknown(name):
    with pytest.raises(NotAllowed, match="looks at many" if name in GROUP_FUNCTIONS else "may not call 'a'"):
        expression(f"{name}(b)")


def test_the_line_of_a_mistake_is_told():
    with pytest.raises(NotAllowed, match="line 3"):
        select("select *\nfrom crashes\nwhere and x")


def test_a_query_that_ends_too_early_says_so():
    with pytest.raises(NotAllowed, match="ends too early"):
        select("select * from crashes where")


def test_every_listed_function_is_the_engines_own_and_depends_on_nothing_else():
    """The engine's catalogue says which functions give the same result for the same arguments."""
    found = duckdb.sql(
        "select function_name, function_type, stability from duckdb_functions() where schema_name = 'main'"
    ).fetchall()
    steady = {name for name, kind, steady in found if steady == "CONSISTENT" or kind in ("macro", "table")}
    unsteady = {name for name, kind, steady in found if steady not in ("CONSISTENT", None)}

    assert set() == (ROW_FUNCTIONS | GROUP_FUNCTIONS | TABLE_FUNCTIONS) - steady - {"contains", "unnest"}
    assert set() == (ROW_FUNCTIONS | GROUP_FUNCTIONS) & unsteady


def test_no_listed_row_function_is_an_aggregate():
    aggregates = duckdb.sql("select function_name from duckdb_functions() where function_type = 'aggregate'").fetchall()

    assert set() == ROW_FUNCTIONS & {name for (name,) in aggregates}


@pytest.mark.parametrize("query", ["select 1 as n", "select 1 as n -- end", "select n from t", "from t;"])
def test_what_was_allowed_runs_as_it_was_written(query, engine):
    import pyarrow as pa

    given = {"t": engine.table(pa.table({"n": [1]}))}

    assert [{"n": 1}] == engine.rows(engine.sql(select(query).text, {t: given[t] for t in select(query).tables}))


@pytest.mark.parametrize("name", ["query", "name", "self", "rows"])
def test_a_variable_of_this_program_is_no_table(name, engine):
    with pytest.raises(CannotRun, match=f"{name} does not exist"):
        engine.sql(f"select * from {name}", {})
