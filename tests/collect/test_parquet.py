from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metroon.base.errors import Refused
from metroon.collect import FILE, LINE, Reading
from metroon.collect.kinds.parquet import Parquet
from metroon.conform import check
from tiny import AS_OF, promise, text


def collected(engine, folder, contract, **options):
    return Parquet(**{"path": "**/*.parquet", **options}).read(Reading(engine, contract, folder, folder))


def kept(engine, folder, contract) -> list[tuple]:
    """Values of the rows that a contract keeps, by file and line."""
    rows = check(engine, collected(engine, folder, contract), contract, inputs={}, as_of=AS_OF).rows
    return [tuple(r.values()) for r in engine.rows(rows.order_by([FILE, LINE]).drop(FILE, LINE))]


@pytest.mark.parametrize(
    ("values", "type_", "expected"),
    [
        (pa.array([1, None], pa.int8()), "integer", [1, None]),
        (pa.array([1.0, None]), "integer", [1, None]),
        (pa.array([Decimal("4.0")]), "integer", [4]),
        (pa.array([2**62]), "integer", [2**62]),
        (pa.array([1.5], pa.float16()), "number", [1.5]),
        (pa.array([Decimal("1.25")], pa.decimal256(50, 2)), "number", [1.25]),
        (pa.array([7]), "string", ["7"]),
        (pa.array(["a", None]).dictionary_encode(), "string", ["a", None]),
        (pa.array(["a"], pa.large_string()), "string", ["a"]),
        (pa.array(["4186.0", " 5 "]), "integer", [4186, 5]),
        (pa.array([True, None]), "boolean", [True, None]),
        (pa.array([date(2026, 1, 31)]), "date", [date(2026, 1, 31)]),
        (pa.array([datetime(2026, 1, 31, 5)], pa.timestamp("ns")), "date", [date(2026, 1, 31)]),
        (pa.array([datetime(2026, 1, 31, 5)], pa.timestamp("ms")), "timestamp", [datetime(2026, 1, 31, 5)]),
        (pa.array([datetime(2026, 1, 31, 5, tzinfo=UTC)]), "timestamp", [datetime(2026, 1, 31, 5)]),
        (pa.array([b"\x01"]), "object", [b"\x01"]),
        (pa.array([None, None]), "number", [None, None]),
    ],
)
def test_types_of_the_file_are_held_to_the_promised_type(values, type_, expected, engine, tmp_path):
    pq.write_table(pa.table({"v": values}), tmp_path / "a.parquet")

    assert [(v,) for v in expected] == kept(engine, tmp_path, promise({"name": "v", "logicalType": type_}))


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (pa.array([1.5, 2.0]), "integer"),
        (pa.array([Decimal("4.5"), Decimal("2.0")]), "integer"),
        (pa.array([float("nan"), 2.0]), "number"),
        (pa.array([float("inf"), 2.0]), "number"),
        (pa.array([5, 1]), "boolean"),
        (pa.array(["x", "2"]), "integer"),
        (pa.array([date(1, 1, 1), date(2026, 1, 1)]), "date"),
    ],
)
def test_a_value_that_does_not_fit_sets_its_row_aside_and_no_other(values, type_, engine, tmp_path):
    pq.write_table(pa.table({"v": values}), tmp_path / "a.parquet")
    contract = promise({"name": "v", "logicalType": type_})
    checked = check(engine, collected(engine, tmp_path, contract), contract, inputs={}, as_of=AS_OF)

    assert (2, 1, {f"v is no {type_}": 1}) == (checked.read, checked.kept, checked.reasons)


def test_a_missing_code_is_missing_also_when_it_became_a_float(engine, tmp_path):
    own = [{"property": "missingCodes", "value": ["999"], "vendor": "metroon"}]
    pq.write_table(pa.table({"age": [34.0, 999.0, None]}), tmp_path / "a.parquet")

    assert [(34,), (None,), (None,)] == kept(
        engine, tmp_path, promise({"name": "age", "logicalType": "integer", "customProperties": own})
    )


def test_files_whose_types_differ_are_put_together_as_what_they_say(engine, tmp_path):
    pq.write_table(pa.table({"v": [1, 2]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"v": ["3", None]}), tmp_path / "b.parquet")

    assert [(1,), (2,), (3,), (None,)] == kept(engine, tmp_path, promise({"name": "v", "logicalType": "integer"}))


def test_a_folder_with_an_equals_sign_makes_no_column(engine, tmp_path):
    (tmp_path / "year=2020").mkdir()
    pq.write_table(pa.table({"v": ["a"]}), tmp_path / "year=2020" / "a.parquet")

    assert () == collected(engine, tmp_path, promise(text("v"))).notes


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1", b"id,name\n"])
def test_a_file_that_is_cut_off_is_refused(data, engine, tmp_path):
    (tmp_path / "a.parquet").write_bytes(data)

    with pytest.raises(Refused, match="no whole Parquet file"):
        collected(engine, tmp_path, promise(text("v")))


def test_a_missing_column_refuses_the_file_and_counts_its_rows(engine, tmp_path):
    pq.write_table(pa.table({"v": ["a"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"w": ["b", "c"]}), tmp_path / "b.parquet")
    raw = collected(engine, tmp_path, promise(text("v")))

    assert [(1, False), (2, True)] == [(d.read, bool(d.refused)) for d in raw.deliveries]


def big(folder, name: str = "a.parquet", n: int = 200_000, **more) -> pa.Table:
    """A file of invented rows that is large enough not to go through memory."""
    days = pa.array([datetime(2020, 1, 1 + i % 28, i % 24) for i in range(n)], pa.timestamp("ms"))
    columns = {"Id": range(n), "share": [i / 8 for i in range(n)], "day": days, "ok": [i % 3 == 0 for i in range(n)]}
    table = pa.table({**columns, "name": [None if i % 5 == 0 else f"n{i % 40}" for i in range(n)], **more})
    pq.write_table(table, folder / name, row_group_size=70_000)
    return table


BIG = promise(
    {"name": "id", "physicalName": "Id", "logicalType": "integer"},
    {"name": "share", "logicalType": "number"},
    {"name": "day", "logicalType": "timestamp"},
    {"name": "ok", "logicalType": "boolean"},
    text("name"),
)


@pytest.mark.parametrize("more", [{}, {"tags": [["a"]] * 200_000}], ids=["by the engine", "through memory"])
def test_a_large_file_gives_each_row_with_its_number_whichever_way_it_is_read(more, engine, tmp_path):
    expected = big(tmp_path, **more)
    raw = collected(engine, tmp_path, BIG, others="leave")
    rows = engine.fetch(raw.rows.order_by(LINE))

    assert [200_000] == [d.read for d in raw.deliveries]
    assert [*range(1, 200_001)] == rows[LINE].to_pylist()
    for column in BIG.columns:
        assert expected[column.source].to_pylist() == rows[column.name].to_pylist()


def test_a_large_file_that_is_damaged_or_lacks_a_column_is_refused(engine, tmp_path):
    big(tmp_path)
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[:5000] + bytes(200_000) + whole[205_000:])
    with pytest.raises(Refused) as damaged:
        collected(engine, tmp_path, BIG)
    (tmp_path / "a.parquet").write_bytes(whole)
    with pytest.raises(Refused) as lacking:
        collected(engine, tmp_path, promise(text("name"), text("gone")))

    assert "no whole Parquet file" in damaged.value.problems[0].what
    assert "column 'gone' is missing" in lacking.value.problems[0].what


def test_large_files_whose_types_differ_are_read_together(engine, tmp_path):
    big(tmp_path)
    other = pq.read_table(tmp_path / "a.parquet")
    pq.write_table(other.set_column(0, "Id", other["Id"].cast(pa.string())), tmp_path / "b.parquet")
    rows = engine.fetch(collected(engine, tmp_path, BIG).rows)

    assert (400_000, pa.string()) == (rows.num_rows, rows.schema.field("id").type)
    assert 400_000 == check(engine, collected(engine, tmp_path, BIG), BIG, inputs={}, as_of=AS_OF).kept
