"""The portal of a city: its catalog is whole, tells nothing of the restricted zone, and is made anew by itself."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from metroon.base.errors import Refused
from metroon.base.running import is_running, running
from metroon.base.store import Store
from metroon.catalog import gather
from metroon.permit import PUBLIC
from metroon.portal import CityPortal, application
from metroon.serve.app import app
from metroon.serve.site import NotReady
from town import STAY_COLUMNS, Town, small_town, stays

if TYPE_CHECKING:
    from pathlib import Path

    from metroon.base.catalog import Catalog, Dataset

LAMPS = {"lamp": "string public", "seen": "date public", "watts": "integer public", "kind": "string public"}
OPEN: dict[str, Any] = {"unit": "none", "mode": "rows", "table": {"eventTime": "seen"}, "accessLevel": "public"}
DAY = date(2026, 3, 15)


def lamps(n: int) -> list[dict[str, object]]:
    seen = [(DAY - timedelta(days=i)).isoformat() for i in range(n)]
    return [
        {"lamp": f"l{i}", "seen": seen[i], "watts": (40, 60, "")[i % 3], "kind": "led" if i % 4 else "gas"}
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Four wards, stays of people whose rows never leave, and lamps whose rows do."""
    made = small_town(tmp_path_factory.mktemp("walked") / "town")
    made.csv("lamps.csv", lamps(30))
    made.product("lamps", LAMPS, **OPEN)
    made.ran()
    return made


@pytest.fixture
def town(walked: Town, tmp_path: Path) -> Town:
    """The town, for one test to change."""
    shutil.copytree(walked.folder, tmp_path / "town")
    return replace(walked, folder=tmp_path / "town")


def catalog(town: Town, as_of: date = DAY) -> Catalog:
    return CityPortal(town.folder, as_of).site().catalog


def dataset(town: Town, name: str) -> Dataset:
    return catalog(town).datasets[name]


def wait_for(what: object, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def test_columns_tell_what_is_recorded_in_the_published_rows(town: Town) -> None:
    columns = {c.name: c for c in dataset(town, "lamps").columns}

    assert (1.0, 2 / 3) == (columns["lamp"].filled, columns["watts"].filled)
    assert 12 == len(columns["watts"].bars)
    assert (1.0, 1.0) == (columns["watts"].bars[0], columns["watts"].bars[-1])
    assert 0 == sum(columns["watts"].bars[1:-1])


def test_a_dataset_tells_its_first_and_last_day(town: Town) -> None:
    assert (DAY - timedelta(days=29), DAY) == dataset(town, "lamps").span


def test_a_new_version_tells_what_is_new_in_it(town: Town) -> None:
    town.csv("lamps.csv", [{**r, "crew": "a"} for r in lamps(33)])
    town.product("lamps", {**LAMPS, "crew": "string public"}, **OPEN)
    town.ran()
    newest, first = dataset(town, "lamps").editions

    assert (2, 33, ("column crew added", "3 rows more")) == (newest.number, newest.rows, newest.changes)
    assert (1, 30, ()) == (first.number, first.rows, first.changes)


def test_a_new_release_tells_how_many_numbers_changed_and_nothing_of_hidden_ones(town: Town) -> None:
    before = dataset(town, "stay_count").editions
    town.csv("stays.csv", stays({"north": 55, "east": 50, "south": 60, "west": 70}))
    town.ran()
    newest = dataset(town, "stay_count").editions[0]

    assert len(before) + 1 == newest.number
    assert ("2 estimates changed",) == newest.changes  # the ward and the city


def test_where_people_stand_behind_rows_that_do_not_leave_no_count_is_told(town: Town) -> None:
    told = dataset(town, "stays")

    assert (None, None, False, ()) == (told.rows, told.span, told.has_rows, told.editions)
    assert {None} == {c.filled for c in told.columns}
    assert {()} == {c.bars for c in told.columns}


def test_a_catalog_tells_no_count_of_rows_that_were_set_aside(town: Town) -> None:
    columns = {**STAY_COLUMNS, "id": {**STAY_COLUMNS["id"], "unique": True}}  # type: ignore[dict-item]
    town.product("stays", columns, table={"geographyKey": {"column": "ward", "layer": "ward"}})
    town.csv("stays.csv", [*stays({"north": 40, "east": 50}), *stays({"north": 7_301})[:40]])
    town.ran()
    told = dataset(town, "stays")

    assert not any(any(n in repr(c) for n in ("130", "90 ", "40 ")) for c in told.checks)


def test_a_column_that_does_not_leave_tells_what_protects_it(town: Town) -> None:
    town.product(
        "lamps", {**LAMPS, "watts": "integer quasi", "kind": "string internal"}, **OPEN,
        guard=[{"kind": "coarsen", "column": "seen", "to": "month"},
               {"kind": "coarsen", "column": "watts", "width": 20}],
    )  # fmt: skip
    town.ran()
    told = {c.name: (c.protection, c.is_open) for c in dataset(town, "lamps").columns}

    assert ("Only the month is published.", True) == told["seen"]
    assert ("Published in bands of 20.", True) == told["watts"]
    assert ("Left out of the published rows.", False) == told["kind"]
    assert ("", True) == told["lamp"]


def test_what_a_dataset_is_made_of_and_used_in_is_told_from_both_ends(town: Town) -> None:
    assert ("measure", "stay_count") in dataset(town, "stays").used_in
    assert ("stays", "wards") == dataset(town, "stay_count").made_of


def test_the_strip_tells_the_days_on_which_a_run_looked(town: Town) -> None:
    town.run(as_of=DAY - timedelta(days=2))
    strip = dataset(town, "lamps").days

    assert (30, DAY) == (len(strip), strip[-1].on)
    assert ["ok", "none", "ok"] == [d.verdict for d in strip[-3:]]
    assert {"none"} == {d.verdict for d in strip[:-3]}


def test_a_promise_of_freshness_is_counted_by_the_days_on_which_a_run_looked(town: Town) -> None:
    promise = {"slaProperties": [{"property": "latency", "value": 5, "unit": "d", "description": "Five days."}]}
    file = town.folder / "products" / "lamps" / "contract.yaml"
    town.write(str(file.relative_to(town.folder)), json.loads(file.read_text()) | promise)
    town.ran()
    town.run(as_of=DAY + timedelta(days=10))
    told = catalog(town, DAY + timedelta(days=10)).datasets["lamps"]

    assert (False, 1, 2) == (told.promise.is_kept, told.promise.kept, told.promise.checked)
    assert "late" in told.late
    assert ["ok", "late"] == [d.verdict for d in told.days if d.verdict != "none"]


def test_the_identity_stays_when_nothing_changed_and_changes_with_anything(town: Town) -> None:
    first, again = catalog(town).identity, catalog(town).identity
    other_day = catalog(town, DAY + timedelta(days=1)).identity
    (town.folder / "products" / "lamps" / "README.md").write_text("# Lamps\n\nLamps of parks are missing.\n")

    assert first == again
    assert 3 == len({first, other_day, catalog(town).identity})


def test_facts_of_versions_that_are_known_are_not_read_again(town: Town) -> None:
    from metroon.editions import Known

    known = Known()
    gather(town.walk(), known)
    for file in town.folder.glob(".metroon/lake/open/lamps/*.parquet"):
        file.unlink()

    assert 30 == gather(town.walk(), known).datasets["lamps"].rows


def test_a_version_whose_files_are_gone_leaves_the_catalog_standing(town: Town) -> None:
    for file in town.folder.glob(".metroon/lake/open/lamps/*.parquet"):
        file.unlink()

    portal = CityPortal(town.folder, DAY)

    assert None is portal.site().catalog.datasets["lamps"].rows
    assert 200 == TestClient(app(portal)).get("/datasets/lamps").status_code


def test_many_readers_of_one_version_make_one_view(town: Town) -> None:
    site = CityPortal(town.folder, DAY).site()
    first = site.gate.rows(PUBLIC, "lamps", "page")
    with ThreadPoolExecutor(8) as many:
        totals = list(many.map(lambda _: site.gate.rows(PUBLIC, "lamps", "page").total, range(40)))

    assert {30} == set(totals)
    assert first.engine is not None
    assert len(first.engine._reads) < 5


def test_a_new_version_shows_by_itself_and_who_began_on_the_old_one_ends_on_it(town: Town) -> None:
    portal = CityPortal(town.folder, DAY)
    old = portal.site().gate.rows(PUBLIC, "lamps", "page")
    portal.watch(every_s=0.05)
    town.csv("lamps.csv", lamps(31))
    town.ran()

    assert wait_for(lambda: portal.site().catalog.datasets["lamps"].rows == 31)
    assert old.engine is not None
    assert (30, 30) == (old.total, old.engine.count(old.relation))
    portal.close()


def test_a_changed_declaration_shows_by_itself(town: Town) -> None:
    portal = CityPortal(town.folder, DAY)
    town.city(languages=["en", "es"])

    assert portal.renew()
    assert ("en", "es") == portal.site().catalog.languages


def test_where_nothing_changed_nothing_is_made_anew(town: Town) -> None:
    portal = CityPortal(town.folder, DAY)
    before = portal.site()

    assert not portal.renew()
    assert before is portal.site()


def test_a_city_repo_that_is_broken_leaves_the_last_good_site(town: Town) -> None:
    portal = CityPortal(town.folder, DAY)
    good, text = portal.site(), (town.folder / "city.yaml").read_text()
    (town.folder / "city.yaml").write_text("name: [")

    assert not portal.renew()
    assert good is portal.site()
    assert "city.yaml" in portal.trouble
    told = TestClient(app(portal)).get("/health").json()
    assert told["is_stale"] is True
    assert "city.yaml" not in str(told)

    (town.folder / "city.yaml").write_text(text)

    assert portal.renew()
    assert "" == portal.trouble


def test_while_a_run_is_at_work_the_old_site_stays(town: Town) -> None:
    portal = CityPortal(town.folder, DAY)
    town.csv("lamps.csv", lamps(31))
    with running(town.folder / ".metroon"):
        town.run("lamps")
        seen = portal.renew()

    assert not seen
    assert portal.renew()
    assert 31 == portal.site().catalog.datasets["lamps"].rows


def test_a_run_that_died_does_not_hold_the_portal(town: Town) -> None:
    home = town.folder / ".metroon"
    if (child := os.fork()) == 0:
        with running(home):
            os._exit(1)
    os.waitpid(child, 0)

    assert not is_running(home)


def test_two_runs_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with running(tmp_path):
        other = threading.Thread(target=lambda: running(tmp_path).__enter__(), daemon=True)
        other.start()
        other.join(5)

        assert not other.is_alive()


def test_a_fault_that_nobody_thought_of_does_not_end_the_watch(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    portal = CityPortal(town.folder, DAY)
    faults = iter([RuntimeError("Jane Q. Canary")])
    made = portal._made

    def once() -> object:
        if fault := next(faults, None):
            raise fault
        return made()

    monkeypatch.setattr(portal, "_made", once)
    town.city(languages=["es"])
    portal.watch(every_s=0.05)

    assert wait_for(lambda: portal.trouble == "RuntimeError")
    town.city(languages=["vi"])
    assert wait_for(lambda: portal.site().catalog.languages == ("vi",))
    portal.close()


def test_a_worker_is_there_before_its_catalog_is(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METROON_CITY", str(town.folder))
    monkeypatch.setenv("METROON_AS_OF", DAY.isoformat())
    monkeypatch.setenv("METROON_LOG", "quiet")
    made: list[CityPortal] = []
    monkeypatch.setattr("metroon.portal.CityPortal", lambda *a, **k: made.append(CityPortal(*a, **k)) or made[0])
    client = TestClient(application())

    assert client.get("/health").status_code in (200, 503)
    assert wait_for(lambda: client.get("/health").status_code == 200)
    made[0].close()


def test_two_workers_serve_the_same_catalog_under_the_same_tags(town: Town) -> None:
    tags = [TestClient(app(CityPortal(town.folder, DAY))).get("/datasets").headers["etag"] for _ in range(2)]

    assert tags[0] == tags[1]


def test_a_city_that_cannot_be_read_at_the_start_is_told_with_its_faults(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        CityPortal(tmp_path)


def test_a_portal_that_has_nothing_yet_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        CityPortal(tmp_path, wait=False).site()


def test_a_city_without_any_version_has_a_portal(tmp_path: Path) -> None:
    town = small_town(tmp_path / "town")
    client = TestClient(app(CityPortal(town.folder, DAY)))

    assert [200, 200] == [client.get(p).status_code for p in ("/", "/datasets")]


def test_the_days_of_a_run_are_kept_in_the_store_and_a_later_run_of_the_day_counts(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    store.walked(DAY, {"lamps": ("bad", False)})
    store.walked(DAY, {"lamps": ("late", True)})
    store.walked(DAY + timedelta(days=1), {"lamps": ("ok", False)})

    assert {"lamps": [(DAY, "late", True)]} == store.days(DAY)
    store.close()
