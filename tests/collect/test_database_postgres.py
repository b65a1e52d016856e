"""kind: database, on a real PostgreSQL: types exact, one snapshot, nothing half done when it breaks."""

from __future__ import annotations

import threading
import time
from datetime import date
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

import postgres
from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.base.kinds import build
from metroon.base.node import Node
from metroon.collect import Landing, Reading, RemoteSource
from metroon.collect.connection import snapshot
from metroon.conform import check
from town import promise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgres import Cluster

pytestmark = pytest.mark.slow

ENGINE = Engine()
VARIABLE = "TEST_CITY_DB"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here: apt-get install postgresql")
    with postgres.cluster(programs) as made:
        yield made


@pytest.fixture
def server(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv(VARIABLE, cluster.url())
    return cluster


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    product = tmp_path / "products" / "calls"
    product.mkdir(parents=True)
    return Landing(tmp_path / "landed" / "calls", product)


def source(**options: object) -> RemoteSource:
    given = {"kind": "database", "url_from": VARIABLE, **options}
    return build("collect", Node(given, "product.yaml"), RemoteSource)


def landed(landing: Landing) -> list[dict[str, object]]:
    return [row for file in landing.deliveries() for row in pq.read_table(file).to_pylist()]


def refused(landing: Landing, **options: object) -> tuple[str, str]:
    with pytest.raises(Refused) as told:
        source(**options).fetch(landing)
    (problem,) = told.value.problems
    return problem.code, str(told.value)


TYPES = {
    "true": True,
    "null::boolean": None,
    "9223372036854775807::bigint": 2**63 - 1,
    "1::smallint": 1,
    "0.1::float8": 0.1,
    "'naïve 火'::text": "naïve 火",
    "''::text": "",
    "'ab'::varchar(5)": "ab",
    "decode('00ff', 'hex')": b"\x00\xff",
    # As the text that PostgreSQL writes: not a digit is lost.
    "12345678901234567890.123456789::numeric": "12345678901234567890.123456789",
    "1.10::numeric(5,2)": "1.10",
    "'NaN'::numeric": "NaN",
    "date '2026-02-28'": "2026-02-28",
    "'infinity'::date": "infinity",
    "timestamp '2026-03-08 02:30:00.5'": "2026-03-08 02:30:00.5",
    "timestamptz '2026-03-08 02:30:00-08'": "2026-03-08 10:30:00+00",
    "time '23:59:59'": "23:59:59",
    "interval '1 day 2 hours'": "P1DT2H",
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    '\'{"a": 1.10, "b": null}\'::json': '{"a": 1.10, "b": null}',
    "array[1, null, 3]": "[1,null,3]",
    "array['a', 'b,c']": '["a","b,c"]',
    "inet '10.0.0.1'": "10.0.0.1/32",
    "'$1,234.50'::money": "$1,234.50",
    "int4range(1, 5)": "[1,5)",
}


def test_every_type_is_landed_exactly(server, landing):
    columns = ", ".join(f"{value} as c{i}" for i, value in enumerate(TYPES))
    landing.beside.joinpath("types.sql").write_text(f"select {columns}")
    source(query_file="types.sql").fetch(landing)

    assert list(TYPES.values()) == list(landed(landing)[0].values())


def test_times_are_told_by_the_clocks_of_the_city(server, landing):
    server.run(
        "drop table if exists calls",
        "create table calls as select timestamptz '2026-01-01 02:00:00+00' as at, numeric '0.10' as n",
    )
    source(table="calls").fetch(landing)
    contract = promise({"at": "timestamp public", "n": "number public"})
    raw = source(table="calls").read(Reading(ENGINE, contract, landing.folder, landing.beside))
    zone = "America/Los_Angeles"
    checked = check(ENGINE, raw, contract, inputs={}, as_of=date(2026, 2, 1), time_zone=zone)
    (row,) = ENGINE.rows(checked.rows)

    assert ("2025-12-31 18:00:00", 0.1) == (str(row["at"]), row["n"])


BY = {"by": "updated_at"}


def calls(server: Cluster, rows: int) -> None:
    server.run(
        "drop table if exists calls",
        "create table calls as select i as id, 'call ' || i as said, timestamptz '2026-01-01 00:00+00'"
        f" + i * interval '1 minute' as updated_at from generate_series(1, {rows}) i",
    )


def test_only_what_is_new_is_asked_for_and_of_the_overlap_only_what_changed(server, landing):
    calls(server, 1000)
    incremental = {"by": "updated_at", "overlap": "1h"}
    source(table="public.calls", incremental=incremental).fetch(landing)
    server.run(
        "insert into calls values (1001, 'new', timestamptz '2026-01-01 16:41+00')",
        "update calls set said = 'changed', updated_at = timestamptz '2026-01-01 16:50+00' where id = 7",
    )
    source(table="public.calls", incremental=incremental).fetch(landing)
    first, second = (pq.read_table(f).to_pylist() for f in landing.deliveries())

    assert 1000 == len(first)
    assert [(7, "changed"), (1001, "new")] == sorted((r["id"], r["said"]) for r in second)


def test_a_query_with_signs_that_drivers_take_for_parameters_can_be_incremental(server, landing):
    calls(server, 10)
    query = "select id, said || ' 100% :x %s' as said, updated_at::timestamptz from calls where said like 'call%'"
    landing.beside.joinpath("calls.sql").write_text(query)
    asked = source(query_file="calls.sql", incremental={"by": "updated_at"})
    asked.fetch(landing)
    server.run("insert into calls values (11, 'call 11', timestamptz '2026-01-01 01:00+00')")
    asked.fetch(landing)

    assert [f"call {i} 100% :x %s" for i in range(1, 12)] == [r["said"] for r in landed(landing)]


def test_a_query_whose_columns_share_a_name_is_refused(server, landing):
    landing.beside.joinpath("calls.sql").write_text("select 1 as a, 2 as a")

    assert "D153" == refused(landing, query_file="calls.sql")[0]


def test_memory_does_not_grow_with_the_table(server, landing):
    """The driver hands over batches: what Python holds at its peak is the same for three times the rows."""
    import tracemalloc

    peaks = []
    for rows in (25_000, 75_000):
        calls(server, rows)
        tracemalloc.start()
        source(table="calls").fetch(landing)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.5 * peaks[0]


def test_what_is_written_while_it_is_read_does_not_show(server, landing):
    import sqlalchemy as sa

    calls(server, 10)
    with snapshot(VARIABLE, "x", most_minutes=1) as database:
        asked = sa.select(sa.func.count()).select_from(sa.table("calls"))
        before = database.one(asked)
        server.run("insert into calls values (11, 'late', now())")

        assert before == database.one(asked)


@pytest.mark.parametrize(
    ("statement", "options", "code"),
    [
        ("revoke all on calls from reader", {"table": "calls"}, "D153"),
        ("select 1", {"table": "cals"}, "D153"),
        ("select 1", {"table": "nowhere.calls"}, "D153"),
        ("select 1", {"table": "calls", "incremental": {"by": "said"}}, "D156"),
        ("update calls set updated_at = null where id = 3", {"table": "calls", "incremental": BY}, "D156"),
        ("update calls set updated_at = 'infinity' where id = 3", {"table": "calls", "incremental": BY}, "D156"),
    ],
)
def test_what_cannot_be_read_is_told_and_nothing_is_landed(server, landing, statement, options, code):
    calls(server, 10)
    server.run(statement)

    assert code == refused(landing, **options)[0]
    assert () == landing.landed()


@pytest.mark.parametrize(
    ("user", "password", "database"),
    [("reader", "hush-hush", "city"), ("nobody", "hush-hush", "city"), ("reader", "open-sesame", "town")],
)
def test_a_door_that_stays_shut_is_told_without_a_secret(cluster, monkeypatch, landing, user, password, database):
    monkeypatch.setenv(VARIABLE, cluster.url(user, password, database))
    code, said = refused(landing, table="calls")

    assert "D152" == code
    assert not any(secret in said for secret in ("hush", "sesame", user + ":"))


def test_a_server_elsewhere_must_prove_who_it_is(cluster, monkeypatch, landing):
    monkeypatch.setenv(VARIABLE, cluster.url() + "?sslmode=verify-full")

    assert "D152" == refused(landing, table="calls")[0]


def test_a_query_that_takes_too_long_is_given_up(server, landing):
    landing.beside.joinpath("slow.sql").write_text("select pg_sleep(30)::text as slept")
    began = time.monotonic()

    assert "D154" == refused(landing, query_file="slow.sql", most_minutes=0.02)[0]
    assert time.monotonic() - began < 20


def test_a_connection_that_is_cut_in_the_middle_leaves_what_was_landed_before(server, landing):
    calls(server, 10)
    source(table="calls").fetch(landing)
    before = {f.name: f.read_bytes() for f in landing.folder.iterdir()}
    calls(server, 300_000)

    def cut() -> None:
        for _ in range(200):
            server.run(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where usename = 'reader' and query like '%FETCH%'"
            )
            time.sleep(0.02)
            if ended.is_set():
                return

    ended = threading.Event()
    other = threading.Thread(target=cut)
    other.start()
    try:
        code, _ = refused(landing, table="calls")
    finally:
        ended.set()
        other.join()

    assert "D154" == code
    assert before == {f.name: f.read_bytes() for f in landing.folder.iterdir()}


def test_nothing_can_be_written_through_it(server, landing):
    calls(server, 10)
    server.run("grant all on calls to reader")
    landing.beside.joinpath("odd.sql").write_text("select setval('calls_seq', 7) as x")
    server.run("create sequence if not exists calls_seq", "grant all on calls_seq to reader")

    assert "D153" == refused(landing, query_file="odd.sql")[0]
