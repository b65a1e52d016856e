"""kind: database, on SQLite: what is landed is what is there, bit by bit, and nothing is half done."""

from __future__ import annotations

import os
import re
import resource
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.base.kinds import build
from metroon.base.node import Node
from metroon.collect import Landing, Reading, RemoteSource
from metroon.conform import check
from town import promise

if TYPE_CHECKING:
    from collections.abc import Sequence

ENGINE = Engine()
VARIABLE = "TEST_CITY_DB"


class Town:
    """A database of an invented department, and the landing of one product of it."""

    def __init__(self, folder: Path) -> None:
        self.file, self.product = folder / "town.sqlite", folder / "products" / "calls"
        self.product.mkdir(parents=True)
        self.landing = Landing(folder / "landed" / "calls", self.product)
        self.run("create table calls (id integer, said text, at text)")

    def run(self, *statements: str, rows: Sequence[Sequence[object]] = ()) -> None:
        with closing(sqlite3.connect(self.file)) as database, database:
            for statement in statements:
                if rows:
                    database.executemany(statement, rows)
                else:
                    database.execute(statement)

    def source(self, **options: object) -> RemoteSource:
        given = {"kind": "database", "url_from": VARIABLE, **({"table": "calls"} | options)}
        return build("collect", Node({k: v for k, v in given.items() if v is not None}, "product.yaml"), RemoteSource)

    def fetch(self, **options: object) -> list[dict[str, object]]:
        self.source(**options).fetch(self.landing)
        return self.rows()

    def rows(self) -> list[dict[str, object]]:
        return [row for file in self.landing.deliveries() for row in pq.read_table(file).to_pylist()]

    def codes(self, **options: object) -> list[str]:
        with pytest.raises(Refused) as refused:
            self.fetch(**options)
        return [p.code for p in refused.value.problems]


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path}/town.sqlite")
    return Town(tmp_path)


def test_null_is_nothing_and_an_empty_text_stays_an_empty_text(town):
    town.run("insert into calls values (?, ?, ?)", rows=[(1, None, "x"), (2, "", "y"), (3, "¡olé! 火", None)])

    assert [None, "", "¡olé! 火"] == [r["said"] for r in town.fetch()]


values = st.one_of(
    st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.binary(),
    st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip


def text(value: object) -> object:
    return value if value is None or isinstance(value, str) else re.sub(r"^b'.*", "", str(value), flags=re.DOTALL)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.lists(st.tuples(values, values), max_size=8))
def test_every_value_comes_back_as_it_is_or_as_its_text_where_types_are_mixed(town, rows):
    town.run("drop table if exists calls", "create table calls (a, b)")
    town.run("insert into calls values (?, ?)", rows=rows) if rows else None
    found = town.fetch()

    assert len(rows) == len(found)
    for name, place in (("a", 0), ("b", 1)):
        given = [row[place] for row in rows]
        kinds = {type(v) for v in given if v is not None}
        expected = given if len(kinds) <= 1 else [v.hex() if isinstance(v, bytes) else text(v) for v in given]
        got = [r[name].removeprefix("\\x") if len(kinds) > 1 and r[name] else r[name] for r in found]
        assert [e.removeprefix("\\x") if len(kinds) > 1 and e else e for e in expected] == got


def test_an_empty_table_lands_its_columns_and_no_row(town):
    assert [] == town.fetch()
    assert ["id", "said", "at"] == town.source().headers(town.landing)


def test_a_table_of_many_columns_lands_them_all(town):
    names = [f"c{i}" for i in range(900)]
    town.run("drop table calls", f"create table calls ({', '.join(names)})")
    town.run(f"insert into calls values ({', '.join('?' * 900)})", rows=[tuple(range(900))])

    assert [dict(zip(names, range(900), strict=True))] == town.fetch()


def test_names_that_are_no_words_are_quoted_and_never_run(town):
    odd = 'it"s; drop table calls; --'
    quoted = odd.replace('"', '""')
    town.run(f'create table "{quoted}" ("select" integer, "a b%c:d" text)')
    town.run(f'insert into "{quoted}" values (?, ?)', rows=[(1, "x")])

    assert [{"select": 1, "a b%c:d": "x"}] == town.fetch(table=odd)
    assert [] == town.fetch(table="calls")


def test_what_did_not_change_is_the_same_file_again(town):
    town.run("insert into calls values (?, ?, ?)", rows=[(i, "a", "b") for i in range(50)])
    town.fetch()
    before = town.landing.landed()
    town.fetch()

    assert before == town.landing.landed()


def test_many_rows_are_landed_in_batches_and_all_of_them(town):
    town.run(
        "insert into calls values (?, ?, ?)", rows=[(i, None if i < 45_000 else "late", "b") for i in range(50_001)]
    )

    assert 50_001 == len(town.fetch())
    assert 5_001 == sum(r["said"] == "late" for r in town.rows())


def test_what_is_landed_only_its_owner_may_read(town):
    town.run("insert into calls values (1, 'a', 'b')")
    town.fetch()

    assert {0o600} == {f.stat().st_mode & 0o777 for f in town.landing.folder.iterdir()}
    assert 0o700 == town.landing.folder.stat().st_mode & 0o777


# A query


def test_the_rows_of_a_query_are_landed(town):
    town.run("insert into calls values (?, ?, ?)", rows=[(1, "50%: done", "x"), (2, "b", "y")])
    (town.product / "calls.sql").write_text("select id as number, said from calls where said like '%:%';\n")

    assert [{"number": 1, "said": "50%: done"}] == town.fetch(table=None, query_file="calls.sql")


@pytest.mark.parametrize(
    "query",
    ["delete from calls", "select 1; select 2", "", "select", "pragma writable_schema = 1"],
)
def test_what_is_not_one_select_is_refused(town, query):
    (town.product / "calls.sql").write_text(query)

    assert ["D153"] == town.codes(table=None, query_file="calls.sql")


def test_a_query_that_is_not_there_is_told_with_its_file(town):
    with pytest.raises(Refused) as refused:
        town.fetch(table=None, query_file="calls.sql")

    assert [("products/calls/calls.sql", "D153")] == [(p.file, p.code) for p in refused.value.problems]


@pytest.mark.parametrize(
    "options",
    [{"table": None}, {"query_file": "q.sql"}, {"table": None, "query_file": "../q.sql"}, {"url_from": "a b"}],
)
def test_options_that_cannot_be_are_refused(town, options):
    with pytest.raises(Refused) as refused:
        town.source(**options)

    assert {"K104"} == {p.code for p in refused.value.problems}


# Incremental

BY = {"by": "at", "overlap": "1h"}


def test_only_what_is_new_or_changed_is_landed_again(town):
    town.run("insert into calls values (?, ?, ?)", rows=[(i, "old", f"2026-01-0{i} 10:00:00") for i in range(1, 6)])
    town.fetch(incremental=BY)
    town.run("insert into calls values (6, 'new', '2026-01-06 09:00:00')")
    town.run("update calls set said = 'changed', at = '2026-01-06 10:00:00' where id = 2")
    town.fetch(incremental=BY)
    first, second = (pq.read_table(f).to_pylist() for f in town.landing.deliveries())

    assert [1, 2, 3, 4, 5] == [r["id"] for r in first]
    assert [(2, "changed"), (6, "new")] == sorted((r["id"], r["said"]) for r in second)


def test_a_row_that_was_committed_late_is_found_in_the_overlap(town):
    town.run("insert into calls values (1, 'a', '2026-01-01 10:00:00')")
    town.fetch(incremental=BY)
    town.run("insert into calls values (2, 'late', '2026-01-01 09:30:00')")

    assert [1, 2] == [r["id"] for r in town.fetch(incremental=BY)]


def test_nothing_new_leaves_the_same_deliveries(town):
    town.run("insert into calls values (1, 'a', '2026-01-01 10:00:00')")
    town.fetch(incremental=BY)
    before = town.landing.landed()
    town.fetch(incremental=BY)

    assert before == town.landing.landed()


def test_a_time_in_the_future_hides_nothing_that_comes_before_it(town):
    town.run(
        "insert into calls values (?, ?, ?)", rows=[(1, "a", "2026-01-01 10:00:00"), (2, "slip", "2999-01-01 00:00:00")]
    )
    town.fetch(incremental=BY)
    town.run("insert into calls values (3, 'next', '2026-01-02 10:00:00')")

    assert [1, 2, 3] == sorted(r["id"] for r in town.fetch(incremental=BY))


def test_whole_numbers_tell_what_is_new_too(town):
    town.run("insert into calls values (?, ?, ?)", rows=[(1, "a", None), (2, "b", None)])
    town.fetch(incremental={"by": "id"})
    town.run("insert into calls values (3, 'c', null)")

    assert [1, 2, 3] == [r["id"] for r in town.fetch(incremental={"by": "id", "overlap": "1"})]


@pytest.mark.parametrize(
    ("by", "rows"),
    [("at", [(1, "a", None)]), ("said", [(1, "a", "b")]), ("nowhere", [(1, "a", "2026-01-01")])],
)
def test_a_column_that_cannot_tell_what_is_new_is_refused(town, by, rows):
    town.run("insert into calls values (?, ?, ?)", rows=rows)

    assert ["D156"] == town.codes(incremental={"by": by})


def test_another_table_begins_anew(town):
    town.run("insert into calls values (1, 'a', '2026-01-01 10:00:00')")
    town.fetch(incremental=BY)
    town.run("create table others as select * from calls")

    assert 1 == len(town.fetch(table="others", incremental=BY))


REPLACE = "insert or replace into calls values (?, ?, ?)"
KEYED = "create table calls (id integer, said text, at text, primary key (said, id))"


def test_rows_that_are_deleted_there_are_gone_here_where_the_table_has_a_key(town):
    town.run("drop table calls", KEYED)
    town.run("insert into calls values (?, ?, ?)", rows=[(i, "a", f"2026-01-0{i} 10:00:00") for i in range(1, 6)])
    town.fetch(incremental=BY)
    town.run("delete from calls where id = 2", "insert into calls values (6, 'a', '2026-01-06 10:00:00')")
    found = town.fetch(incremental=BY)

    assert [1, 3, 4, 5, 6] == [r["id"] for r in found]
    assert [5] == [f.records for f in town.landing.landed()]
    town.run("insert into calls values (7, 'a', '2026-01-07 10:00:00')")
    assert [1, 3, 4, 5, 6, 7] == [r["id"] for r in town.fetch(incremental=BY)]
    assert 2 == len(town.landing.deliveries())  # it goes on from there
    town.run("delete from calls")
    assert [] == town.fetch(incremental=BY)


def test_without_a_key_what_is_deleted_there_stays_here(town):
    town.run("insert into calls values (?, ?, ?)", rows=[(i, "a", f"2026-01-0{i} 10:00:00") for i in range(1, 4)])
    town.fetch(incremental=BY)
    town.run("delete from calls where id = 2")

    assert [1, 2, 3] == [r["id"] for r in town.fetch(incremental=BY)]


def test_the_key_is_what_the_database_says_and_a_view_has_none(town):
    town.run("drop table calls", KEYED, "create view recent as select * from calls")
    town.fetch()
    assert ["said", "id"] == town.source().key(town.landing)
    town.fetch(table="recent")
    assert [] == town.source(table="recent").key(town.landing)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc-")), max_size=4), min_size=1, max_size=5))
def test_the_last_row_of_each_key_is_what_the_table_holds(town, tmp_path_factory, days):
    folder = tmp_path_factory.mktemp("landed")
    town.landing = Landing(folder / "calls", town.product)
    town.run("drop table if exists calls", "create table calls (id integer primary key, said text, at text)")
    for day, changes in enumerate(days, start=1):
        for key, said in changes:
            row = (key, said, f"2026-01-{day:02} 00:00:00")
            gone = said == "-"
            town.run("delete from calls where id = ?" if gone else REPLACE, rows=[row[:1] if gone else row])
        town.fetch(incremental=BY)
    with closing(sqlite3.connect(town.file)) as database:
        expected = dict(database.execute("select id, said from calls"))

    assert expected == {r["id"]: r["said"] for r in town.rows()}


def test_a_row_that_changed_comes_after_what_it_was(town):
    contract = promise({"id": "integer public", "said": "string public", "at": "timestamp public"})
    source = town.source(incremental=BY)
    town.run(
        "insert into calls values (?, ?, ?)", rows=[(1, "old", "2026-01-01 10:00:00"), (2, "b", "2026-01-01 11:00:00")]
    )
    source.fetch(town.landing)
    town.run("update calls set said = 'new', at = '2026-01-02 10:00:00' where id = 1")
    source.fetch(town.landing)
    raw = source.read(Reading(ENGINE, contract, town.landing.folder, town.product))

    assert source.revises
    assert [(1, "old"), (2, "b"), (1, "new")] == [(r["id"], r["said"]) for r in ENGINE.rows(raw.rows)]


# What goes wrong


def test_a_column_that_is_gone_refuses_the_delivery_with_its_name(town):
    town.run("insert into calls values (1, 'a', 'b')", "alter table calls rename column said to says")
    town.fetch()
    contract = promise({"id": "integer public", "said": "string public"})
    with pytest.raises(Refused) as refused:
        town.source().read(Reading(ENGINE, contract, town.landing.folder, town.product))

    assert ["D102"] == [p.code for p in refused.value.problems]
    assert "'said' may now be 'says'" in refused.value.problems[0].what


def test_a_column_whose_type_changed_has_its_misfits_set_aside(town):
    contract = promise({"id": "integer public", "said": "string public"})
    town.run("drop table calls", "create table calls (id, said text)", "insert into calls values (1, 'a')")
    town.run("insert into calls values ('one', 'b')")
    town.fetch()
    raw = town.source().read(Reading(ENGINE, contract, town.landing.folder, town.product))
    checked = check(ENGINE, raw, contract, inputs={}, as_of=date(2026, 1, 1))

    assert (2, 1) == (checked.read, checked.kept)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "D150"),
        ("nonsense", "D150"),
        ("sqlite:////nowhere/at/all.sqlite", "D152"),
        ("nosuchdatabase://x/y", "D151"),
        ("postgresql://reader:hush-hush@127.0.0.1:1/city", "D152"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_without_its_secret(town, monkeypatch, url, code):
    monkeypatch.setenv(VARIABLE, url)
    with pytest.raises(Refused) as refused:
        town.fetch()

    assert [code] == [p.code for p in refused.value.problems]
    assert "hush" not in str(refused.value)
    assert VARIABLE in str(refused.value) or code == "D151"
    assert not town.landing.folder.exists()


def test_a_file_that_is_no_database_is_told(town, monkeypatch, tmp_path):
    (tmp_path / "odd.sqlite").write_bytes(b"this is no database" * 100)
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path}/odd.sqlite")

    assert ["D153"] == town.codes()


def test_a_table_that_is_not_there_is_told_and_what_was_landed_stays(town):
    town.run("insert into calls values (1, 'a', 'b')")
    town.fetch()
    before = {f.name: f.read_bytes() for f in town.landing.folder.iterdir()}

    assert ["D153"] == town.codes(table="cals")
    assert before == {f.name: f.read_bytes() for f in town.landing.folder.iterdir()}


def test_nothing_can_be_written_into_the_database(town):
    from metroon.collect.connection import snapshot

    with (
        snapshot(VARIABLE, "x", most_minutes=1) as database,
        pytest.raises(Exception, match=r"readonly|read-only|read only"),
    ):
        database.connection.exec_driver_sql("delete from calls")


def test_rows_that_are_written_while_it_is_read_do_not_show(town):
    from metroon.collect.connection import snapshot

    town.run("insert into calls values (1, 'a', 'b')")
    town.run("pragma journal_mode = wal")
    with snapshot(VARIABLE, "x", most_minutes=1) as database:
        count = "select count(*) from calls"
        before = database.connection.exec_driver_sql(count).scalar()
        town.run("insert into calls values (2, 'a', 'b')")

        assert before == database.connection.exec_driver_sql(count).scalar()


def test_a_column_of_bytes_stays_bytes(town):
    town.run("insert into calls values (?, ?, ?)", rows=[(1, b"\x00\xff", "x")])
    town.fetch()

    assert pa.types.is_binary(pq.read_schema(town.landing.deliveries()[0]).field("said").type)


def test_a_disk_that_is_full_leaves_what_was_landed_before(town):
    town.run("insert into calls values (1, 'a', 'b')")
    town.fetch()
    before = {f.name: f.read_bytes() for f in town.landing.folder.iterdir()}
    town.run("insert into calls values (?, ?, ?)", rows=[(i, os.urandom(20).hex(), "b") for i in range(5_000)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # no file may grow beyond it, as on a full disk
    try:
        codes = town.codes()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert ["D144"] == codes
    assert before == {f.name: f.read_bytes() for f in town.landing.folder.iterdir()}
