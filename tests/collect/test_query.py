import pyarrow as pa
import pytest

from metroon.base.errors import Refused
from metroon.collect import Reading
from metroon.collect.kinds.query import Query
from metroon.conform import check
from tiny import AS_OF, promise, text

CANARY = "Jane Q. Canary"


def reading(engine, folder, query: str, contract=None) -> Reading:
    (folder / "query.sql").write_text(query, encoding="utf-8")
    people = engine.table(pa.table({"name": [CANARY, "2"], "age": [34, 8]}))
    return Reading(engine, contract or promise(text("name")), folder, folder, {"people": people})


def refusal(engine, folder, query: str, **options):
    with pytest.raises(Refused) as refused:
        Query(**options).read(reading(engine, folder, query))
    (problem,) = refused.value.problems
    assert problem.fix
    assert CANARY not in str(problem)
    assert problem.file.endswith(".sql")
    return problem


def test_a_query_gives_rows_under_the_promised_names(engine, tmp_path):
    contract = promise(text("name", physicalName="who"), {"name": "n", "logicalType": "integer"})
    query = "-- Grain: one row per person.\nselect name as who, sum(age) as n, 1 as extra from people group by all; "
    raw = Query().read(reading(engine, tmp_path, query, contract))
    checked = check(engine, raw, contract, inputs={}, as_of=AS_OF)

    assert {(CANARY, 34), ("2", 8)} == {(r["name"], r["n"]) for r in engine.rows(checked.rows)}
    assert (2, 2) == (raw.deliveries[0].read, checked.kept)


def test_the_products_that_a_query_reads_are_found(tmp_path):
    (tmp_path / "query.sql").write_text("with a as (select * from people) select * from a, lights", encoding="utf-8")

    assert {"people", "lights"} == Query().reads(tmp_path)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select * from strangers", "D104"),
        ("select * from 'people.csv'", "D104"),
        ("select * from read_text('/etc/passwd')", "D104"),
        ("select * from people; drop table people", "D104"),
        ("delete from people", "D104"),
        ("select now() as name", "D104"),
        ("select nome as name from people", "D104"),
        ("select name + 1 as name from people", "D104"),
        ("select cast(name as integer) as name from people", "D104"),
        ("select", "D104"),
        ("", "D104"),
        ("select age from people", "D105"),
    ],
)
def test_a_query_that_cannot_be_run_is_a_problem_without_a_value(query, code, engine, tmp_path):
    assert code == refusal(engine, tmp_path, query).code


def test_the_likely_product_is_named(engine, tmp_path):
    assert "Did you mean 'people'?" in refusal(engine, tmp_path, "select * from peple").fix


@pytest.mark.parametrize("data", [None, b"select '\xff'"])
def test_a_query_that_cannot_be_read_is_a_problem(data, engine, tmp_path):
    if data is not None:
        (tmp_path / "other.sql").write_bytes(data)

    assert "D103" == refusal(engine, tmp_path, "select 1", sql="other.sql").code


def test_a_query_over_no_product_is_a_table_of_its_own(engine, tmp_path):
    contract = promise({"name": "day", "logicalType": "date"})
    query = "select unnest(range(date '2026-01-01', date '2026-01-04', interval '1 day')) as day"

    assert 3 == Query().read(reading(engine, tmp_path, query, contract)).deliveries[0].read
