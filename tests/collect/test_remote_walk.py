"""A product that lies elsewhere, walked like any other: whole whatever its server does."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

from loopback import QUICK, Asked, Reply, as_json, serving
from test_portals import Soda, row

from metroon.explain import explain
from town import COMMAND, Town, small_town

COLUMNS = {
    "id": {"logicalType": "string", "classification": "public", "physicalName": ":id", "primaryKey": True},
    "name": "string public",
    "n": "integer public",
}


def with_permits(folder: Path, url: str, columns: dict[str, object] = COLUMNS, **options: object) -> Town:
    town = small_town(folder)
    collect = {"kind": "socrata", "domain": url, "dataset": "abcd-1234", "page_rows": 3, **QUICK, **options}
    town.product("permits", columns, unit="none", mode="rows", collect=collect)
    return town.measure("permit_count", of="permits")


def test_rows_of_a_portal_become_numbers_and_unchanged_ones_nothing_new(tmp_path):
    with serving(Soda([row(i, n=i) for i in range(7)])) as server:
        town = with_permits(tmp_path, server.url)
        first, second = town.run("permit_count"), town.run("permit_count")
    told = first.account("permits")

    assert (7, 7, 3, True) == (told.read, told.kept, len(told.deliveries), told.adds_up)
    assert ("published", "unchanged") == (told.outcome, second.account("permits").outcome)
    assert {"all": 7} == first.events("permit_count")


def test_a_server_that_is_down_leaves_the_last_good_version_and_the_other_products(tmp_path):
    soda, is_up = Soda([row(i, n=i) for i in range(7)]), [True]
    with serving(lambda a: soda(a) if is_up[0] else Reply(b"", 503)) as server:
        town = with_permits(tmp_path, server.url, tries=1)
        before = town.run().account("permits")
        is_up[0] = False
        after = town.run()

    assert ("failed", ["D134"]) == (after.account("permits").outcome, after.codes())
    assert before.version == after.account("permits").version
    assert after.account("stays").outcome in ("unchanged", "kept")


def test_increments_make_a_version_in_which_the_corrected_row_stands(tmp_path):
    soda = Soda([row(i, n=i) for i in range(7)])
    with serving(soda) as server:
        town = with_permits(tmp_path, server.url, increments=True)
        town.run("permit_count")
        soda.rows = [*soda.rows[:-1], row(6, "2026-02-01T00:00:00.000Z", n=60), row(7, "2026-02-01T00:00:00.000Z")]
        told = town.run("permit_count")
        version = told.walk.lake.restricted("permits")
        rows = told.walk.engine.rows(told.walk.lake.read(version))

    assert {f"n{i}": 60 if i == 6 else i if i < 6 else None for i in range(8)} == {r["name"]: r["n"] for r in rows}


def test_what_versions_were_made_of_is_kept_and_a_number_can_be_walked_back_without_the_server(tmp_path):
    soda = Soda([row(i, n=i) for i in range(7)])
    with serving(soda) as server:
        town = with_permits(tmp_path, server.url)
        first = town.run("permit_count").walk.lake.restricted("permits")
        soda.rows = [row(i, "2026-02-01T00:00:00.000Z", n=i) for i in range(9)]
        told = town.run("permit_count")
        asked = len(server.asked)
        way = explain(told.walk, "permit_count")
        folder = told.walk.landing("permits").folder

    assert all((folder / d["file"]).is_file() for d in first.evidence["deliveries"])
    assert ({"same"}, asked) == ({i.state for i in way.inputs if i.product == "permits"}, len(server.asked))


def test_pages_of_which_no_version_was_made_are_not_kept(tmp_path):
    soda = Soda([row(i, n="none") for i in range(7)])
    lost = {"logicalType": "string", "classification": "public", "physicalName": "lost"}
    with serving(soda) as server:
        town = with_permits(tmp_path, server.url, columns={**COLUMNS, "name": lost})
        assert "failed" == town.run("permit_count").account("permits").outcome
        soda.rows = [row(i, "2026-02-01T00:00:00.000Z", n=i) for i in range(2)]
        told = town.run("permit_count")
        landing = told.walk.landing("permits")
        assert 3 == len(landing.manifest().earlier)  # another run might just be reading them
        landing.sweep(set(), grace=timedelta())

    assert ((), 1) == (landing.manifest().earlier, len(landing.deliveries()))


def test_a_portal_that_answers_with_an_error_in_the_middle_changes_nothing(tmp_path):
    soda = Soda([row(i, n=i) for i in range(7)])
    broken = [False]

    def answer(asked: Asked) -> Reply:
        is_second = asked.query.get("$offset") == "3"
        return as_json({"error": True, "message": "x"}) if broken[0] and is_second else soda(asked)

    with serving(answer) as server:
        town = with_permits(tmp_path, server.url)
        before = town.run("permit_count").walk.landing("permits").landed()
        broken[0] = True
        soda.rows = [*soda.rows, row(8, "2026-02-01T00:00:00.000Z", n=8)]
        told = town.run("permit_count")

    assert ["D135"] == told.codes()[:1]
    assert before == told.walk.landing("permits").landed()


def test_a_landed_page_that_somebody_changed_is_told_and_not_taken(tmp_path):
    soda = Soda([row(i, n=i) for i in range(7)])
    with serving(soda) as server:
        town = with_permits(tmp_path, server.url)
        page = town.run("permit_count").walk.landing("permits").deliveries()[0]
        page.write_bytes(page.read_bytes().replace(b"n0", b"n9"))
        told = town.run("permit_count")

    assert ["D130"] == told.codes()[:1]


def test_runs_at_the_same_time_fetch_one_after_the_other_and_both_are_whole(tmp_path):
    soda = Soda([row(i, n=i) for i in range(40)])
    with serving(soda) as server:
        town = with_permits(tmp_path, server.url)
        running = [subprocess.Popen([*COMMAND, "run", "permits"], cwd=tmp_path) for _ in range(3)]
        ended = [r.wait() for r in running]
        told = town.run("permit_count")
        again = [a for a in server.asked if a.query.get("$offset") == "0"]

    assert ([0, 0, 0], 40, 1) == (ended, told.account("permits").kept, len(again))
