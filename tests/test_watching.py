"""Watching: deliveries are taken in when they are whole, told in one line each, and how long it takes is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from metroon import flow
from metroon.base.errors import Refused
from metroon.base.node import Node
from metroon.base.store import Store
from metroon.city import load
from metroon.city.properties import days, promised
from metroon.walk import Walk
from metroon.watching import Asked, Files, _Watch, percentile, publishing, watch, with_arrivals
from tiny import AS_OF, PRODUCT, tiny_city
from town import COMMAND, Town, small_town, stays

LATER = {"north": 20, "east": 20, "south": 20, "west": 20}


@pytest.fixture
def town(tmp_path) -> Town:
    made = small_town(tmp_path / "town")
    return made.city(as_of="2026-03-15")


def more(town: Town, name: str = "stays_more.csv") -> Path:
    return town.csv(name, [{**r, "id": f"{name}{r['id']}", "person": f"{name}{r['person']}"} for r in stays(LATER)])


# When a file is whole


def test_a_file_that_still_grows_is_not_whole_until_it_stays_as_it_is(tmp_path):
    files, file = Files(settle_s=5), tmp_path / "a.csv"
    file.write_text("a")
    first = files.stamps([file])

    assert [file] == files.coming(first, now=100)
    file.write_text("ab")
    assert [file] == files.coming(files.stamps([file]), now=104)
    assert [file] == files.coming(files.stamps([file]), now=108)
    assert [] == files.coming(files.stamps([file]), now=109)


def test_a_file_that_lay_there_before_is_whole_at_once(tmp_path):
    files, file = Files(settle_s=5), tmp_path / "a.csv"
    file.write_text("a")
    os.utime(file, (1, 1))

    assert [] == files.coming(files.stamps([file]), now=100)


@pytest.mark.parametrize("ending", [".part", ".tmp", ".crdownload", ".filepart", ".partial"])
def test_a_half_file_beside_it_says_that_it_is_still_coming(tmp_path, ending):
    files, file, half = Files(settle_s=0), tmp_path / "a.csv", tmp_path / f"a.csv{ending}"
    file.write_text("a")
    half.write_text("")

    assert [file] == files.coming(files.stamps([file]), now=100)
    os.utime(half, (1, 1))  # abandoned long ago
    assert [] == files.coming(files.stamps([file]), now=100)


def test_a_file_that_goes_away_while_it_is_looked_at_is_no_file(tmp_path):
    assert {} == Files(settle_s=0).stamps([tmp_path / "gone.csv"])


# How long it takes


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0.01, 1))
def test_at_least_the_share_is_at_most_the_percentile_and_no_smaller_value_will_do(values, share):
    ordered = sorted(values)
    found = percentile(ordered, share)

    assert sum(v <= found for v in ordered) >= share * len(ordered)
    assert all(sum(w <= v for w in ordered) < share * len(ordered) for v in ordered if v < found)


def test_the_first_version_counts_no_arrival_and_each_later_delivery_counts_once(town):
    first = town.run()
    with_arrivals(first.walk, first.run)
    since = datetime.now(UTC) - timedelta(days=1)
    assert [] == first.walk.store.seconds_to_publish("stays", since)

    more(town)
    second = town.run()
    told = with_arrivals(second.walk, second.run)
    took = second.walk.store.seconds_to_publish("stays", since)
    again = town.run()
    with_arrivals(again.walk, again.run)

    assert 1 == len(took) == len(again.walk.store.seconds_to_publish("stays", since))
    assert 0 <= took[0] < 600
    assert any("after arrival at most, for 95 %" in n for a in told.accounts for n in a.notes)


def test_each_sheet_of_a_workbook_is_a_delivery_whose_arrival_counts(tmp_path):
    product = PRODUCT.replace("csv, path: crashes*.csv", 'excel, path: "crashes*.xlsx", sheet: "20*"')
    city, since = tiny_city(tmp_path, measure=None, product=product, rows=None), datetime.now(UTC) - timedelta(days=1)
    (city / "inbox").mkdir()
    for year in (2024, 2025):
        with xlsxwriter.Workbook(city / "inbox" / f"crashes_{year}.xlsx") as book:
            for half in ("a", "b"):
                rows = [["ID", "happened_on", "age", "ward"], [f"c{year}{half}", "1/31/2026", 34, "north"]]
                sheet = book.add_worksheet(f"{year}{half}")
                for i, row in enumerate(rows):
                    sheet.write_row(i, 0, row)
        walk = Walk(load(city), AS_OF)
        with_arrivals(walk, flow.run(walk, ()))
        took = walk.store.seconds_to_publish("crashes", since)
        walk.close()

    assert 2 == len(took)


def test_a_clock_that_was_set_back_makes_no_time_below_zero(town):
    town.run()
    later = time.time() + 1e6
    os.utime(more(town), (later, later))
    told = town.run()
    with_arrivals(told.walk, told.run)

    assert [0.0] == told.walk.store.seconds_to_publish("stays", datetime(2020, 1, 1, tzinfo=UTC))


def test_a_promise_that_is_not_kept_is_told_as_late(town, tmp_path):
    walk = town.walk()
    now = datetime.now(UTC)
    sla = [{"property": "timeToPublish", "value": 15, "unit": "min"}]
    town.write("products/stays/contract.yaml", {**walk.contracts["stays"].node.value, "slaProperties": sla})
    walk = town.walk()
    for n, seconds in enumerate((60, 120, 1200)):
        walk.store.arrived("stays", f"{n}.csv", "", arrived_at=now, published_at=now, seconds=seconds)

    told = publishing(walk, "stays", now)

    assert (
        "published 20 minutes after arrival at most, for 95 % of 3 deliveries in 90 days; 15 minutes promised: LATE"
        == told
    )


def test_a_time_to_publish_may_be_declared_in_minutes():
    node = Node({"slaProperties": [{"property": "timeToPublish", "value": 15, "unit": "min"}]}, "contract.yaml")
    promise = promised(node, "timeToPublish")

    assert promise is not None
    assert 900 == pytest.approx(days(promise) * 86400)


@pytest.mark.parametrize(("value", "unit"), [(0, "min"), ("soon", "min"), (15, "sec")])
def test_a_time_to_publish_that_means_nothing_is_told(town, value, unit):
    contract = town.walk().contracts["stays"].node.value
    sla = [{"property": "timeToPublish", "value": value, "unit": unit}]
    town.write("products/stays/contract.yaml", {**contract, "slaProperties": sla})

    with pytest.raises(Refused) as refused:
        town.walk()
    assert ["C117"] == [p.code for p in refused.value.problems]


def test_the_times_are_kept_in_the_store(tmp_path):
    store, now = Store(tmp_path / "store.sqlite"), datetime.now(UTC)
    for n in (3.0, 1.0, 2.0):
        store.arrived("a", f"{n}", "", arrived_at=now, published_at=now, seconds=n)

    assert [1.0, 2.0, 3.0] == store.seconds_to_publish("a", now)
    assert [] == store.seconds_to_publish("a", now + timedelta(seconds=1))


# The command


class Watched:
    """A city that is being watched by the command, in a process of its own."""

    def __init__(self, town: Town) -> None:
        words = [*COMMAND, "run", "--watch", "--every", "0.2", "--settle", "0.6", "-C", str(town.folder)]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(line.rstrip() for line in iter(self.process.stdout.readline, ""))

    def said(self, words: str, *, after: int = 0, seconds: float = 240) -> int:
        """The number of the line that says some words, waited for."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for n, line in enumerate(self.lines[after:], after + 1):
                if words in line:
                    return n
            time.sleep(0.1)
        raise AssertionError(f"'{words}' was not said:\n" + "\n".join(self.lines))

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=240)
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()
        return code


@pytest.fixture
def declared_before(tmp_path) -> Path:
    """A city whose YAML has lain there for long, and whose only delivery has just begun to come."""
    city = tiny_city(tmp_path, measure=None)
    for file in city.rglob("*.yaml"):
        os.utime(file, (1, 1))
    return city


def test_a_city_whose_only_delivery_is_not_whole_yet_waits_for_it(declared_before):
    said: list[str] = []
    watched = _Watch(Asked(declared_before, AS_OF, settle_s=1000), said.append, threading.Event())
    for _ in range(3):
        watched.look()

    assert [] == said
    os.utime(declared_before / "inbox/crashes_2026.csv", (1, 1))
    watched.files = Files(settle_s=1000)
    watched.look()
    assert ["crashes  kept version 1; read 3 = kept 3 + set aside 0"] == [line[21:] for line in said][:1]


def test_what_stops_a_watch_is_told_once_however_often_it_is_tried(declared_before):
    said: list[str] = []
    watched = _Watch(Asked(declared_before, AS_OF, settle_s=0), said.append, threading.Event())
    contract = declared_before / "products/crashes/contract.yaml"
    good = contract.read_text()
    contract.write_text(good.replace("logicalType: date", "logicalType: dat"))
    for _ in range(3):
        watched.look()
    assert ["city  C104"] == [line[21:31] for line in said]

    contract.write_text(good)
    watched.look()
    assert ["crashes  kept"] == [line[21:34] for line in said[1:2]]


def test_a_day_on_which_nothing_could_be_written_is_tried_again(declared_before):
    said: list[str] = []
    watched = _Watch(Asked(declared_before, settle_s=0), said.append, threading.Event())
    watched.look()
    lake = declared_before / ".metroon/lake"
    lake.rename(lake.with_name("away"))
    lake.write_text("no folder")
    watched.day = None
    watched.look()
    watched.look()
    assert ["run  L101"] == [line[21:30] for line in said[1:]]

    lake.unlink()
    lake.with_name("away").rename(lake)
    watched.look()
    assert watched.day is not None


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")
def test_deliveries_are_taken_in_as_they_come_and_a_bad_one_ends_nothing(town):
    watched = Watched(town)
    try:
        at = watched.said("stay_count  released version 1")
        more(town)
        at = watched.said("stays  kept version 2; read 300", after=at)
        at = watched.said("stay_count  released version 2", after=at)
        town.write("inbox/stays_bad.csv", "no,such,columns\n1,2,3\n")
        at = watched.said("stays  D102 stays_bad.csv", after=at)
        (town.folder / "inbox/stays_bad.csv").unlink()
        town.write("measures/stay_count.yaml", "kind: nothing\n")
        at = watched.said("city  ", after=at)
        town.measure("stay_count", places=["ward"], title="Stays")
        more(town, "stays_last.csv")
        watched.said("read 380", after=at)
        with pytest.raises(Refused, match="F117"):
            watch(Asked(town.folder), print)
    finally:
        code = watched.end()

    assert 0 == code
    assert watched.lines[-1].endswith("ended  what was at work is done")
    assert not [line for line in watched.lines if "Traceback" in line]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_watch_that_is_ended_in_the_middle_leaves_nothing_half_done(town, engine, number):
    watched = Watched(town)
    watched.said("watching")
    time.sleep(1)

    assert 0 == watched.end(number)
    assert [] == town.run().codes()
